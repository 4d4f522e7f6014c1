//! logs → drafts of attack methods: every request is looked at as it is read, and nothing is kept but the drafts.

use std::io;
use std::sync::{Mutex, PoisonError};

use ringleader_model::findings::SourceSummary;
use ringleader_model::{Event, EventClass, EventId, Field};
use ringleader_pipeline::collect::rows::Place;
use ringleader_pipeline::label::methods::Methods;
use ringleader_pipeline::label::methods::draft::Drafts;
use ringleader_pipeline::label::network::payload_of;

use crate::collect::{CollectConfig, Progress, Take, Tap, collect_with};
use crate::sources::Input;

/// What was read, and the drafts so far.
pub fn drafts(
    inputs: &[Input],
    methods: &Methods,
    config: &CollectConfig,
    progress: &dyn Progress,
) -> io::Result<(Drafts, Vec<SourceSummary>)> {
    let drafting = Drafting { methods, whole: Mutex::default() };
    let collected = collect_with(inputs, config, progress, Some(&drafting))?;
    Ok((drafting.whole.into_inner().unwrap_or_else(PoisonError::into_inner), collected.sources))
}

struct Drafting<'a> {
    methods: &'a Methods,
    whole: Mutex<Drafts>,
}

struct OneThreads<'a> {
    drafts: Drafts,
    whole: &'a Drafting<'a>,
}

impl Tap for Drafting<'_> {
    fn worker(&self) -> Box<dyn Take + '_> {
        Box::new(OneThreads { drafts: Drafts::default(), whole: self })
    }
}

impl Take for OneThreads<'_> {
    fn take(&mut self, event: &Event<'_>, _: EventId, _: Place) -> bool {
        let asks = matches!(event.class, EventClass::Http | EventClass::Detection)
            || (event.class == EventClass::Network && event.get(Field::Body).is_some());
        if asks {
            let payload = payload_of(event);
            let to = event.get(Field::DstIp).or(event.host.as_deref()).unwrap_or("");
            let from = event.get(Field::SrcIp).unwrap_or("");
            if !payload.is_empty() {
                self.drafts.add(self.whole.methods, &payload, from, to, event.time.map(|it| it.0));
            }
        }
        true
    }
}

impl Drop for OneThreads<'_> {
    fn drop(&mut self) {
        let drafts = std::mem::take(&mut self.drafts);
        self.whole.whole.lock().unwrap_or_else(PoisonError::into_inner).merge(drafts);
    }
}
