//! A run that is shown: the observer that keeps its picture and its metrics.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::Value;

use super::Shown;
use crate::drive::clock::Clock;
use crate::drive::observers::Observer;
use crate::report::happening::Happening;
use crate::report::metrics::{RunMetrics, text};
use crate::report::picture::{Beginning, Picture};
use crate::report::pool_history::Seen;

/// What is shown of a run: nothing until it has begun.
pub struct ShownRun {
    clock: Clock,
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    run: Option<(Picture, RunMetrics)>,
    version: u64,
}

/// Keeps what is shown of a run.
pub struct RunObserver(Arc<ShownRun>);

impl ShownRun {
    /// That of a run that is about to begin; the clock is the run's.
    pub fn new(clock: Clock) -> Arc<Self> {
        Arc::new(Self { clock, kept: Mutex::default() })
    }

    /// The run begins: what the observer hears is shown from now on.
    pub fn begin(self: &Arc<Self>, beginning: Beginning) -> RunObserver {
        let metrics = RunMetrics::new(&beginning.campaign, &beginning.account, &beginning.totals);
        let mut kept = self.kept();
        kept.run = Some((Picture::new(beginning), metrics));
        kept.version += 1;
        RunObserver(Arc::clone(self))
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        // Plain counts and texts: whatever panicked, they can be shown.
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Shown for ShownRun {
    fn status(&self) -> Value {
        self.kept().run.iter().map(|(picture, _)| picture.status()).collect()
    }

    fn page(&self, seen: &mut Vec<Seen>) -> Value {
        seen.resize(1, Seen::default());
        self.kept().run.iter().map(|(picture, _)| picture.page(&mut seen[0])).collect()
    }

    fn metrics(&self) -> String {
        let now = self.clock.now().at;
        self.kept().run.as_ref().map_or(String::new(), |(_, metrics)| text(metrics.gather(now)))
    }

    fn version(&self) -> u64 {
        self.kept().version
    }
}

impl RunObserver {
    fn change(&self, change: impl FnOnce(&mut Picture, &mut RunMetrics)) {
        let mut kept = self.0.kept();
        if let Some((picture, metrics)) = &mut kept.run {
            change(picture, metrics);
        }
        kept.version += 1;
    }
}

impl Observer for RunObserver {
    fn hear(&mut self, happening: &Happening) {
        self.change(|picture, metrics| {
            picture.hear(happening);
            metrics.hear(happening);
        });
    }

    fn lost(&mut self, count: u64) {
        self.change(|picture, metrics| {
            picture.lost(count);
            metrics.lost(count);
        });
    }

    fn finish(&mut self) {}
}
