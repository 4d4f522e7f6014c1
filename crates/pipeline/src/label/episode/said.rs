//! One distinct command line → everything that it says by itself. Worked out once, however often it is run.

use std::cell::OnceCell;
use std::sync::Arc;

use ringleader_model::hash::{hash64, hash128};
use ringleader_model::{Context, Indicator, IndicatorKind};
use smallvec::SmallVec;

use super::work::ROOT;
use super::{Knowledge, indicator_hash};
use crate::connect::boundary;
use crate::label::{Hints, Signs};
use crate::merge::sketch::{Key, Reach, reach};

/// Characters of a command line that are shown as its sample.
const SAMPLE: usize = 1024;

pub(super) struct Said {
    pub(super) text: Arc<str>,
    /// 64 bits of the text, by which it is remembered.
    pub(super) hash: u64,
    pub(super) template: Arc<str>,
    pub(super) template_hash: u64,
    /// The path of its template where nothing is above it.
    pub(super) root: Key,
    pub(super) indicators: Vec<Indicator>,
    /// What it hides in base64, hex and the like.
    pub(super) layers: Vec<String>,
    /// An indicator of it is reason enough to look at the whole tree.
    pub(super) notable: bool,
    /// An indicator of it can join episodes.
    pub(super) joins: bool,
    /// Its indicators that are nobody's kill list, by hash.
    pub(super) features: SmallVec<[u64; 2]>,
    /// What it says for the rules.
    pub(super) hints: Hints,
    /// It is several commands, which a log of processes would show one by one.
    pub(super) script: bool,
    /// Read as Unix, and as Windows.
    signs: [OnceCell<Box<Signs>>; 2],
}

impl Said {
    pub(super) fn of(knowledge: &Knowledge, text: &str, hash: u64) -> Self {
        let mut indicators = Vec::new();
        let layers = knowledge.extractor.extract_with_layers(text, &mut indicators);
        let template = crate::extract::template::template(text);
        let hints = knowledge.behaviours.hints(text);
        Self { layers, hints, ..Self::known(text, hash, &template, indicators) }
    }

    /// Of a text whose template and indicators were found in another way.
    pub(super) fn known(text: &str, hash: u64, template: &str, indicators: Vec<Indicator>) -> Self {
        let joins =
            |it: &Indicator| reach(it.kind, &it.value, it.context).is_some_and(|it| it <= Reach::Infrastructure);
        let claimed = indicators.iter().filter(|it| it.context != Context::Killed);
        Self {
            text: text.into(),
            hash,
            template: template.into(),
            template_hash: hash64(template.as_bytes()),
            root: hash128(template.as_bytes(), ROOT),
            // Who kills rivals need not name anything else.
            notable: indicators.iter().any(is_notable) || text.contains("kill"),
            joins: indicators.iter().any(joins),
            features: claimed.map(indicator_hash).collect(),
            indicators,
            layers: Vec::new(),
            hints: Hints::default(),
            script: is_script(text),
            signs: Default::default(),
        }
    }

    /// What its commands add towards each pattern.
    pub(super) fn signs(&self, windows: bool) -> &Signs {
        self.signs[usize::from(windows)].get_or_init(|| Box::new(Signs::of(&self.text, windows)))
    }

    pub(super) fn sample(&self) -> Arc<str> {
        match self.text.char_indices().nth(SAMPLE) {
            Some((end, _)) => self.text[..end].into(),
            None => self.text.clone(),
        }
    }

    /// Whether the script is worth reading: in a honeypot every one is.
    pub(super) fn is_worth_reading(&self, honeypot: bool) -> bool {
        self.script && (honeypot || self.text.len() > 24 || self.text.contains("base64"))
    }
}

fn is_script(text: &str) -> bool {
    text.bytes().any(|it| matches!(it, b';' | b'|' | b'\n' | b'&')) || text.contains("$(") || text.contains(" -c ")
}

/// Whether an indicator is reason enough to look at the whole tree.
fn is_notable(it: &Indicator) -> bool {
    match it.kind {
        IndicatorKind::FilePath => {
            it.context == Context::Killed || (it.context == Context::Executed && !boundary::is_system_path(&it.value))
        }
        _ => it.context != Context::Mentioned,
    }
}
