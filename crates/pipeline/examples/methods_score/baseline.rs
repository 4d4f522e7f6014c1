//! What a list of exploits' paths finds: the method whose path, as its skeletons write it, stands in the raw text.

use ringleader_pipeline::label::methods::{Methods, Stage};

use super::score::Answer;

const SHORTEST: usize = 6;

pub(super) struct Plain {
    /// (path, method)
    paths: Vec<(String, String)>,
}

impl Plain {
    pub(super) fn new(methods: &Methods) -> Self {
        let mut paths = Vec::new();
        for method in methods.all() {
            for request in &method.requests {
                let target = request.split_whitespace().find(|it| it.starts_with('/')).unwrap_or(request);
                let path = target.split(['?', ' ']).next().unwrap_or(target);
                let path = path.split("{{").next().unwrap_or(path);
                if path.len() >= SHORTEST {
                    paths.push((path.to_owned(), method.id.clone()));
                }
            }
        }
        paths.sort_by_key(|(path, id)| (std::cmp::Reverse(path.len()), id.clone()));
        Self { paths }
    }

    pub(super) fn identify(&self, text: &str) -> Option<Answer> {
        let (_, method) = self.paths.iter().find(|(path, _)| text.contains(path.as_str()))?;
        Some(Answer { method: method.clone(), permille: 1000, stage: Stage::Attacked })
    }
}
