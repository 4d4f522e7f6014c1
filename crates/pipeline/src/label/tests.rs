use super::*;
#[test]
fn compiles() {
    let (b, problems) = Behaviours::with_rules(&[]);
    assert_eq!(problems, []);
    println!("{}", b.all().len());
}
