//! The run as others are shown it (`--serve`).

use std::sync::Arc;

use super::Session;
use super::plan::RunPlan;
use super::published::StatusObserver;
use crate::drive::clock::Clock;
use crate::drive::observers::Observers;
use crate::drive::talk::say_unless;
use crate::journal::Totals;
use crate::journal::disk::run::Run;
use crate::live::Server;
use crate::live::run::ShownRun;
use crate::report::failure::Failure;
use crate::report::picture::Beginning;
use crate::time::Now;

/// A run that is shown to others.
pub(super) struct Served {
    server: Server,
    shown: Arc<ShownRun>,
}

impl Served {
    /// Serves it, where that was asked for, and says where. Nobody has been called yet.
    pub(super) fn start(planned: &RunPlan, clock: &Clock) -> Result<Option<Self>, Failure> {
        let Some(address) = planned.serve else { return Ok(None) };
        let shown = ShownRun::new(clock.clone());
        let server = Server::start(address, Arc::clone(&shown) as _)?;
        say_unless(planned.quiet, &format!("shown at {}", server.url()));
        Ok(Some(Self { server, shown }))
    }

    /// Lets readers have the last picture, and ends.
    pub(super) fn finish(self) {
        self.server.finish();
    }
}

impl Session<'_> {
    /// Shows the run from now on: to other shells, and to readers where that was asked for.
    pub(super) fn show(&self, observers: &mut Observers, journal: &Run, totals: &Totals, now: Now) {
        let beginning = Beginning {
            campaign: self.planned.plan.campaign.clone(),
            account: self.account.name.clone(),
            list: self.lists.shown(),
            reserve: self.planned.reserve.clone(),
            sandbox: self.planned.sandbox,
            pid: std::process::id(),
            host: crate::host::name(),
            since: now.wall,
            totals: totals.clone(),
            zone: self.display.zone.clone(),
        };
        if let Some(served) = self.served {
            let observer = served.shown.begin(beginning.clone());
            observers.add(move || observer);
        }
        let (publisher, clock) = (journal.publisher(), self.venue.clock.clone());
        observers.add(move || StatusObserver::new(beginning, clock, publisher().ok()));
    }
}
