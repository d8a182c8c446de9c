//! The lines (phone numbers of ours) that leads are called from, taken in turn. A dead one leaves the rotation; one that
//! the provider asks us to leave alone for a while rests.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::event::Line;
use crate::leads::lead::Lead;
use crate::time::Instant;

/// A rest longer than this is waited out by nobody: the line is as good as dead for this run.
const LONGEST_REST: Duration = Duration::from_mins(2);
/// Rests in a row after which a line that is still "activating" is dead.
const MOST_RESTS: u32 = 5;

/// The rotation.
#[derive(Clone, Debug)]
pub(super) struct Lines {
    ids: Vec<String>,
    down: BTreeMap<String, Down>,
    /// The provider's free ones: they call nobody beyond North America.
    free: BTreeSet<String>,
    next: usize,
}

/// Why a line is not called from.
#[derive(Clone, Debug)]
struct Down {
    /// Until then; for good if none.
    until: Option<Instant>,
    /// When the provider said that it may be used again, whether we wait for that or not.
    back_at: Option<Instant>,
    rests: u32,
}

/// What became of a line.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Left {
    /// It left the rotation.
    Dropped,
    /// It rests, and comes back.
    Rests,
    /// It had left before.
    Already,
}

impl Lines {
    pub(super) fn new(ids: Vec<String>) -> Self {
        Self { ids, down: BTreeMap::new(), free: BTreeSet::new(), next: 0 }
    }

    /// This line is a free one of the provider's.
    pub(super) fn set_free(&mut self, id: &str) {
        self.free.insert(id.to_owned());
    }

    /// The line to call this lead from: its own, else the next in turn that reaches it. `None` if it, or every one, is
    /// down.
    pub(super) fn pick(&mut self, lead: &Lead, now: Instant) -> Option<Line> {
        if let Some(own) = &lead.phone_number_id {
            return self.is_up(own, now).then_some(Line(0));
        }
        let count = self.ids.len();
        let fits = |line: &usize| self.is_up(&self.ids[*line], now) && self.reaches(&self.ids[*line], lead);
        let found = (0..count).map(|step| (self.next + step) % count).find(fits)?;
        self.next = (found + 1) % count;
        Some(Line(found))
    }

    /// The id of the line that this lead is called from.
    pub(super) fn id<'a>(&'a self, line: Line, lead: Option<&'a Lead>) -> Option<&'a String> {
        lead.and_then(|lead| lead.phone_number_id.as_ref()).or_else(|| self.ids.get(line.0))
    }

    /// A line was refused; the provider may have said for how long.
    pub(super) fn refused(&mut self, id: &str, now: Instant, wait: Option<Duration>) -> Left {
        let rests = self.down.get(id).map_or(0, |down| down.rests);
        if self.is_dead(id) {
            return Left::Already;
        }
        let rest = wait.filter(|wait| *wait <= LONGEST_REST && rests < MOST_RESTS);
        let down = Down { until: rest.map(|wait| now + wait), back_at: wait.map(|wait| now + wait), rests: rests + 1 };
        self.down.insert(id.to_owned(), down);
        if rest.is_some() { Left::Rests } else { Left::Dropped }
    }

    /// Whether a line of the rotation is left, or will be back.
    pub(super) fn any_left(&self) -> bool {
        self.ids.iter().any(|id| !self.is_dead(id))
    }

    /// When the first of those that rest is back.
    pub(super) fn next_back(&self, now: Instant) -> Option<Instant> {
        self.down.values().filter_map(|down| down.until).filter(|until| *until > now).min()
    }

    /// When the provider said that the first of the dead may be used again.
    pub(super) fn back_at(&self) -> Option<Instant> {
        self.down.values().filter_map(|down| down.back_at).min()
    }

    /// Whether this lead's own line is down for good, or every one that reaches it is while others are left.
    pub(super) fn is_dead_for(&self, lead: &Lead) -> bool {
        match &lead.phone_number_id {
            Some(own) => self.is_dead(own),
            None => self.any_left() && self.ids.iter().all(|id| self.is_dead(id) || !self.reaches(id, lead)),
        }
    }

    /// Whether a line can call this lead. Where there are free ones only, they are tried.
    fn reaches(&self, id: &str, lead: &Lead) -> bool {
        let only_free = || self.ids.iter().all(|id| self.free.contains(id));
        lead.phone.is_north_american() || !self.free.contains(id) || only_free()
    }

    /// Whether it is down for good.
    fn is_dead(&self, id: &str) -> bool {
        self.down.get(id).is_some_and(|down| down.until.is_none())
    }

    fn is_up(&self, id: &str, now: Instant) -> bool {
        self.down.get(id).is_none_or(|down| down.until.is_some_and(|until| until <= now))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::leads::lead::Phone;

    fn lead(own: Option<&str>) -> Lead {
        Lead {
            phone: Phone::from_e164("+14155550100").unwrap(),
            extension: None,
            name: None,
            variables: Vec::new(),
            zones: Vec::new(),
            assistant_id: None,
            phone_number_id: own.map(str::to_owned),
        }
    }

    fn at(seconds: i64) -> Instant {
        Instant::from_micros(seconds * 1_000_000)
    }

    #[test]
    fn lines_take_turns_and_the_dead_are_passed_over() {
        let mut lines = Lines::new(["a", "b", "c"].map(str::to_owned).to_vec());
        let any = lead(None);
        let turns: Vec<_> = (0..4).filter_map(|_| lines.pick(&any, at(0))).map(|line| line.0).collect();
        assert_eq!(turns, [0, 1, 2, 0]);
        assert_eq!(lines.refused("b", at(0), None), Left::Dropped);
        assert_eq!(lines.refused("b", at(0), None), Left::Already);
        let turns: Vec<_> = (0..4).filter_map(|_| lines.pick(&any, at(0))).map(|line| line.0).collect();
        assert_eq!(turns, [2, 0, 2, 0]);
        assert_eq!(lines.pick(&lead(Some("b")), at(0)), None);
        assert!(lines.is_dead_for(&lead(Some("b"))) && lines.any_left());
    }

    #[test]
    fn a_line_that_is_activating_comes_back_five_times_and_no_more() {
        let mut lines = Lines::new(vec!["a".to_owned()]);
        let minute = Some(Duration::from_mins(1));
        for turn in 0..5 {
            assert_eq!(lines.refused("a", at(turn * 60), minute), Left::Rests);
            assert_eq!(lines.pick(&lead(None), at(turn * 60 + 59)), None);
            assert_eq!(lines.next_back(at(turn * 60)), Some(at(turn * 60 + 60)));
            assert_eq!(lines.pick(&lead(None), at(turn * 60 + 60)), Some(Line(0)));
        }
        assert_eq!(lines.refused("a", at(300), minute), Left::Dropped);
        assert!(!lines.any_left());
    }

    #[test]
    fn a_daily_limit_says_when_to_come_back() {
        let mut lines = Lines::new(vec!["a".to_owned()]);
        assert_eq!(lines.refused("a", at(0), Some(Duration::from_hours(2))), Left::Dropped);
        assert_eq!((lines.any_left(), lines.back_at()), (false, Some(at(7200))));
    }
}
