//! flows of sensors on the wire → their sums, as they are read: nothing else of the main job asks for them, so they go
//! no further. Deliberately absent: what they mean (`pipeline::label::network`).

use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use ringleader_model::findings::{DeadLetter, SourceSummary};
use ringleader_model::{Event, EventClass, EventId, Field, SensorRole};
use ringleader_pipeline::collect::rows::{Bucket, Place};
use ringleader_pipeline::label::network::flow::{At, Flow};
use ringleader_pipeline::label::network::sums::Sums;

use crate::buckets::Buckets;
use crate::collect::{Collected, Take, Tap};

/// Takes every event of the wire that is a connection or a look-up.
#[derive(Default)]
pub struct Wire {
    sums: Mutex<Sums>,
    taken: AtomicU64,
}

/// One thread's sums.
pub(crate) struct Worker<'a> {
    sums: Sums,
    taken: u64,
    whole: &'a Wire,
}

impl Wire {
    pub(crate) fn sums(&self) -> Option<Sums> {
        Some(std::mem::take(&mut *self.sums.lock().unwrap_or_else(PoisonError::into_inner)))
    }

    pub(crate) fn one(&self) -> Worker<'_> {
        Worker { sums: Sums::default(), taken: 0, whole: self }
    }
}

impl Worker<'_> {
    /// Whether it is one of the wire's.
    pub(crate) fn add(&mut self, event: &Event<'_>, id: EventId, place: Place) -> bool {
        if event.sensor_role != SensorRole::Network || event.class != EventClass::Network {
            return false;
        }
        let time = event.time.map(|it| it.0);
        if let Some(flow) = Flow::of(event.class, event.activity, event, time, At::new(id, place)) {
            self.sums.add(&flow);
        } else if let (Some(name), Some(answers)) = (event.get(Field::Query), event.get(Field::Answers)) {
            self.sums.looked_up(name, answers);
        }
        true
    }
}

impl Tap for Wire {
    fn worker(&self) -> Box<dyn Take + '_> {
        Box::new(self.one())
    }
}

impl Take for Worker<'_> {
    fn take(&mut self, event: &Event<'_>, id: EventId, place: Place) -> bool {
        let taken = self.add(event, id, place);
        self.taken += u64::from(taken);
        taken
    }
}

impl Drop for Worker<'_> {
    fn drop(&mut self) {
        self.whole.taken.fetch_add(self.taken, Ordering::Relaxed);
        let sums = std::mem::take(&mut self.sums);
        if !sums.is_empty() {
            self.whole.sums.lock().unwrap_or_else(PoisonError::into_inner).merge(sums);
        }
    }
}

/// What was read, with the wire's flows summed beside it.
pub(crate) struct Summed<'a> {
    pub(crate) collected: &'a Collected,
    pub(crate) wire: &'a Wire,
}

impl Buckets for Summed<'_> {
    fn n_buckets(&self) -> usize {
        self.collected.n_buckets()
    }
    fn load(&self, bucket: usize) -> io::Result<Bucket> {
        self.collected.load(bucket)
    }
    fn load_into(&self, bucket: usize, room: &mut Bucket) -> io::Result<()> {
        self.collected.load_into(bucket, room)
    }
    fn sources(&self) -> &[SourceSummary] {
        self.collected.sources()
    }
    fn formats(&self) -> &[u32] {
        self.collected.formats()
    }
    fn rejected(&self) -> &[DeadLetter] {
        self.collected.rejected()
    }
    fn tapped(&self) -> u64 {
        self.wire.taken.load(Ordering::Relaxed)
    }
    fn wire(&self) -> Option<Sums> {
        self.wire.sums()
    }
}
