//! What is reserved: as the plan says, or chosen by who calls in; other runs on the pool are told, and keep theirs.

use super::Campaign;
use super::callers::{Callers, Chosen};
use super::event::Action;
use super::notice::Notice;
use crate::time::Now;

impl Campaign {
    /// The first reserve, where the run chooses it: from what the past shows.
    pub(super) fn begin_reserve(&mut self, now: Now) {
        let reserve = &mut self.plan.reserve;
        let Some(auto) = &reserve.auto else { return };
        let callers = Callers::new(auto, &reserve.zone, self.plan.caution, self.pool.limit(), now);
        reserve.table = vec![(0, callers.reserve())];
        let known = callers.known_from().map(str::to_owned).zip(callers.timetable(now).map(|table| table.to_string()));
        self.tell(Notice::ReserveBegins(callers.reserve(), known));
        self.callers = Some(callers);
    }

    /// The reserve is chosen anew, by who has called in.
    pub(super) fn choose_reserve(&mut self, now: Now) {
        let limit = self.pool.limit();
        let chosen = self.callers.as_mut().and_then(|callers| callers.choose(now, limit));
        let Some(Chosen { was, reserve, per_hour }) = chosen else { return };
        self.plan.reserve.table = vec![(0, reserve)];
        self.tell(Notice::ReserveNow { was, reserve, per_hour });
    }

    /// Other runs on the pool reserve what this one does: they are told whenever it changes.
    pub(super) fn tell_reserve(&mut self, now: Now) {
        let reserve = self.plan.reserve.at(now.wall);
        if self.told_reserve.replace(reserve) != Some(reserve) {
            self.actions.push_back(Action::Share(Box::new(self.pool.clone()), reserve));
        }
    }

    /// This run's own reserve or another's, whichever is larger.
    pub(super) fn reserve(&self, now: Now) -> u32 {
        self.plan.reserve.at(now.wall).max(self.others_reserve)
    }
}
