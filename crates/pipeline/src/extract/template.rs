//! x
pub fn template(text: &str) -> String {
    text.to_owned()
}
