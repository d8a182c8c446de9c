//! The run as other shells see it (`dialer status`): told through the journal, at most once a second, where it has changed.

use std::time::Duration;

use crate::drive::clock::Clock;
use crate::drive::observers::Observer;
use crate::journal::disk::live::Publisher;
use crate::report::happening::Happening;
use crate::report::live_status::LiveStatus;
use crate::report::metrics::{RunMetrics, text};
use crate::report::picture::{Beginning, Picture};
use crate::time::Instant;

/// What has changed is told so often, in real time; an order that was taken, and the end, at once.
const EVERY: Duration = Duration::from_secs(1);
/// Told again when nothing has changed for so long: a run that is silent for longer hangs.
const HEARTBEAT: Duration = Duration::from_secs(15);

/// How often the pool over the time of the run is written down, in real time: a crash loses no more of it.
const KEEP_POOL: Duration = Duration::from_secs(20);

/// Lines of what happened last that are told.
const LINES: usize = 10;
/// Letters of the final report that are told at most.
const LONGEST_REPORT: usize = 4000;

/// Tells other shells how the run stands.
pub(super) struct StatusObserver {
    picture: Picture,
    metrics: RunMetrics,
    /// The run's own clock.
    run_clock: Clock,
    publisher: Option<Publisher>,
    clock: Clock,
    /// What was told last, and when.
    last: Option<(Instant, LiveStatus)>,
    /// When the pool over the time of the run was written down.
    kept: Instant,
}

impl StatusObserver {
    /// Of a run that begins. Without a publisher nothing is told: a journal that cannot be written ends the run anyway.
    pub(super) fn new(beginning: Beginning, run_clock: Clock, publisher: Option<Publisher>) -> Self {
        let clock = Clock::real();
        let kept = clock.now().at;
        let metrics = RunMetrics::new(&beginning.campaign, &beginning.account, &beginning.totals);
        Self { picture: Picture::new(beginning), metrics, run_clock, publisher, clock, last: None, kept }
    }

    /// What could not be written is written with the next.
    fn keep_pool(&mut self) {
        self.kept = self.clock.now().at;
        let _ = self.publisher.as_ref().map(|publisher| publisher.keep_pool(&self.picture.pool_past()));
    }

    fn tell(&mut self) {
        let (now, mut status) = (self.clock.now(), self.picture.live_status(LINES));
        if let Some(ended) = &mut status.ended {
            ended.report = ended.report.chars().take(LONGEST_REPORT).collect();
        }
        let is_due = self.last.as_ref().is_none_or(|(at, last)| {
            let since = now.at.since(*at);
            since >= HEARTBEAT || is_urgent(last, &status) || (since >= EVERY && *last != status)
        });
        let Some(publisher) = self.publisher.as_ref().filter(|_| is_due) else { return };
        // They change with every request, which alone is nothing to write down.
        let metrics = text(self.metrics.gather(self.run_clock.now().at));
        let text = serde_json::to_string(&LiveStatus { metrics, ..status.clone() });
        let text = text.expect("plain data with text for keys");
        if publisher.publish(now.wall, &text).is_ok() || self.last.is_none() {
            self.last = Some((now.at, status));
        } else if let Some((at, _)) = &mut self.last {
            // Another process holds the journal: what is told next is newer.
            *at = now.at;
        }
    }
}

/// Whether somebody may be waiting to hear of the change.
fn is_urgent(last: &LiveStatus, status: &LiveStatus) -> bool {
    (last.paused, last.stopping, last.ended.is_some()) != (status.paused, status.stopping, status.ended.is_some())
}

impl Observer for StatusObserver {
    fn hear(&mut self, happening: &Happening) {
        self.picture.hear(happening);
        self.metrics.hear(happening);
        if matches!(happening, Happening::Stands(_) | Happening::Ended(..)) {
            self.tell();
        }
        if self.clock.now().at.since(self.kept) >= KEEP_POOL {
            self.keep_pool();
        }
    }

    fn lost(&mut self, count: u64) {
        self.metrics.lost(count);
    }

    fn finish(&mut self) {
        self.keep_pool();
    }
}
