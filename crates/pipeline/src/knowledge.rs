//! shipped files and the user's own → what each says, by id. Deliberately absent: what a file may say.

use std::collections::BTreeMap;

use include_dir::Dir;
use ringleader_model::{Outcome, Problem};

/// Reads YAML files (name, text); one of the same id replaces the shipped one. A file that can't be read, and what goes
/// beyond `most`, is left out, and said.
pub(crate) fn read<T>(
    shipped: &Dir<'static>,
    own: &[(String, String)],
    most: (usize, &str),
    parse: impl Fn(&str) -> Result<T, String>,
    id: impl Fn(&T) -> &str,
) -> Outcome<Vec<T>> {
    let shipped = shipped.files().filter_map(|file| Some((file.path().to_str()?, file.contents_utf8()?)));
    let own = own.iter().map(|(name, text)| (name.as_str(), text.as_str()));
    let mut by_id: BTreeMap<String, T> = BTreeMap::new();
    let mut problems = Vec::new();
    for (source, text) in shipped.chain(own).filter(|(source, _)| source.ends_with(".yml")) {
        let read = match parse(text) {
            Ok(_) if by_id.len() >= most.0 => Err(format!("too many {}", most.1)),
            read => read,
        };
        match read {
            Ok(it) => {
                by_id.insert(id(&it).to_owned(), it);
            }
            Err(what) => problems.push(Problem { source: source.to_owned(), offset: 0, what }),
        }
    }
    Outcome { value: by_id.into_values().collect(), problems }
}
