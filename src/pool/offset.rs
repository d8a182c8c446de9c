//! How far the provider's clock is from ours: bounds, never a guess.

use std::collections::VecDeque;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::news::RequestTiming;
use crate::time::{Instant, Now, Stamp, micros};

/// Readings that are weighed against each other.
const KEPT: usize = 31;
/// A wall clock further than this from the provider's dials nobody: so far apart the two can be at most.
pub const FARTHEST: Duration = Duration::from_secs(121);
/// A `Date` header is cut to the second.
const DATE_CUT: Duration = Duration::from_secs(1);
/// A `createdAt` is cut to the millisecond.
const CREATED_CUT: Duration = Duration::from_millis(1);
/// Readings that contradict each other by less than this may do so because a clock drifts.
const DRIFT: i64 = 1_000_000;

/// Bounds of "provider minus ours", in microseconds.
type Bounds = (i64, i64);

/// What is known of "provider minus ours". Each stamp of an answer is a reading: bounds that hold if the stamp is true.
/// Believed is what most of the newest readings agree on (Marzullo's algorithm, as NTP has it); the others are left out.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Offset {
    believed: Option<Bounds>,
    readings: VecDeque<Bounds>,
    /// So many of the newest readings are to come and go before a contradiction among them is forgotten.
    contested: usize,
    /// How many of the readings kept agree with what is believed.
    votes: usize,
}

/// What a reading did.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Heard {
    /// It agrees with what was believed.
    Agrees,
    /// It contradicts the others, and is left out.
    LeftOut,
    /// With it, most say something else than was believed: earlier times are to be looked at anew.
    Anew,
}

impl Offset {
    /// Takes in the `Date` of an answer whose request was sent and that was received at these times.
    pub fn hear_date(&mut self, date: Stamp, sent: Instant, received: Instant) -> Heard {
        self.weigh((apart(date, received), apart(date + DATE_CUT, sent)))
    }

    /// Takes in a `createdAt` stamped while a request was on its way.
    pub fn hear_created(&mut self, created: Stamp, sent: Instant, received: Instant) -> Heard {
        self.weigh((apart(created, received), apart(created + CREATED_CUT, sent)))
    }

    fn weigh(&mut self, reading: Bounds) -> Heard {
        self.readings.push_back(reading);
        if self.readings.len() > KEPT {
            self.readings.pop_front();
        }
        let old = self.believed.unwrap_or(reading);
        let both = (old.0.max(reading.0), old.1.min(reading.1));
        if both.0 <= both.1 && self.contested == 0 {
            (self.believed, self.votes) = (Some(both), self.readings.len());
            return Heard::Agrees;
        }
        self.contested = if both.0 <= both.1 { self.contested - 1 } else { KEPT };
        let (believed, votes) = agreement(&self.readings);
        (self.believed, self.votes) = (Some(believed), votes);
        let gap = |one: Bounds, other: Bounds| one.0.max(other.0) - one.1.min(other.1);
        if gap(believed, old) > 0 {
            Heard::Anew
        } else if gap(believed, reading) > DRIFT {
            Heard::LeftOut
        } else {
            Heard::Agrees
        }
    }

    /// The latest time that it may have been for the provider.
    pub fn latest(&self, at: Instant) -> Stamp {
        Stamp::from_micros(at.as_micros().saturating_add(self.bounds().1))
    }

    /// The earliest time that it may have been for the provider.
    pub fn earliest(&self, at: Instant) -> Stamp {
        Stamp::from_micros(at.as_micros().saturating_add(self.bounds().0))
    }

    /// It was no earlier than that for the provider, whatever is believed of its clock: a window that is to prove
    /// something begins there.
    pub fn surely_after(&self, at: Instant) -> Stamp {
        self.earliest(at).min(Stamp::from_micros(at.as_micros()) - FARTHEST)
    }

    /// The latest time of ours at which it may have been that time for the provider.
    pub fn latest_ours(&self, stamp: Stamp) -> Instant {
        Instant::from_micros(stamp.as_micros().saturating_sub(self.bounds().0))
    }

    /// The earliest and the latest time that an answer can speak of. Its `Date`, cut to the second, is believed if it
    /// fits what is known of its sending and its receiving.
    pub fn span(&self, wire: RequestTiming) -> (Stamp, Stamp) {
        let (first, last) = (self.earliest(wire.sent), self.latest(wire.received));
        let fits = |date: &Stamp| first <= *date + DATE_CUT && *date <= last;
        (first, wire.date.filter(fits).map_or(last, |date| last.min(date + DATE_CUT)))
    }

    /// By how much the clock of ours that shows this is off the provider's at the least, and whether more than one
    /// reading says so; `None` before any news.
    pub fn off(&self, at: Instant, shown: Stamp) -> Option<(Duration, bool)> {
        self.believed?;
        let off = self.earliest(at).since(shown).max(shown.since(self.latest(at)));
        Some((off, self.votes > 1))
    }

    /// Before any news the two are as far apart as they can be.
    fn bounds(&self) -> Bounds {
        self.believed.unwrap_or((-micros(FARTHEST), micros(FARTHEST)))
    }
}

/// What most readings agree on, and how many do. Where as many agree on something else, what is closer to our own clock.
fn agreement(readings: &VecDeque<Bounds>) -> (Bounds, usize) {
    let mut best = ((0, 0), 0);
    for &(low, _) in readings {
        // The readings that hold at the low end of one hold together up to the first of their high ends.
        let holding = readings.iter().filter(|reading| reading.0 <= low && low <= reading.1);
        let (votes, high) = holding.fold((0, i64::MAX), |(votes, high), reading| (votes + 1, high.min(reading.1)));
        let distance = |(low, high): Bounds| low.max(high.saturating_neg()).max(0);
        if votes > best.1 || (votes == best.1 && distance((low, high)) < distance(best.0)) {
            best = ((low, high), votes);
        }
    }
    best
}

/// The latest that a time of the provider's can be now. What stands beyond it was stamped wrongly.
pub fn latest_possible(now: Now) -> Stamp {
    Stamp::from(now.wall) + FARTHEST
}

fn apart(theirs: Stamp, ours: Instant) -> i64 {
    theirs.as_micros().saturating_sub(ours.as_micros())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const fn ours(seconds: i64) -> Instant {
        Instant::from_micros(seconds * 1_000_000)
    }
    const fn theirs(seconds: i64) -> Stamp {
        Stamp::from_micros(seconds * 1_000_000)
    }

    fn believed(offset: &Offset) -> (Stamp, Stamp) {
        (offset.earliest(ours(0)), offset.latest(ours(0)))
    }

    #[test]
    fn bounds_are_intersected_and_what_contradicts_the_rest_is_left_out() {
        let mut offset = Offset::default();
        assert_eq!(believed(&offset), (theirs(-121), theirs(121)));
        offset.hear_date(theirs(110), ours(100), ours(101));
        assert_eq!(believed(&offset), (theirs(9), theirs(11)));
        assert_eq!(offset.hear_created(theirs(210), ours(200), ours(200)), Heard::Agrees);
        let known = (theirs(10), theirs(10) + CREATED_CUT);
        assert_eq!(believed(&offset), known);
        for wrong in [4_070_908_800, 0, 330, 306] {
            assert_eq!(offset.hear_date(theirs(wrong), ours(300), ours(301)), Heard::LeftOut, "{wrong}");
            assert_eq!(believed(&offset), known);
        }
    }

    #[test]
    fn of_two_readings_that_contradict_each_other_the_one_closer_to_our_clock_is_believed() {
        let (mut early, mut late) = (Offset::default(), Offset::default());
        early.hear_date(theirs(5_000_000), ours(1000), ours(1001));
        assert_eq!(early.hear_date(theirs(1003), ours(1000), ours(1001)), Heard::Anew);
        late.hear_date(theirs(1003), ours(1000), ours(1001));
        assert_eq!(late.hear_date(theirs(5_000_000), ours(1000), ours(1001)), Heard::LeftOut);
        assert_eq!((believed(&early), believed(&late)), ((theirs(2), theirs(4)), (theirs(2), theirs(4))));
    }

    #[test]
    fn a_clock_that_was_set_is_believed_once_most_readings_say_so() {
        let mut offset = Offset::default();
        (0..40).for_each(|at| assert_eq!(offset.hear_date(theirs(at), ours(at), ours(at)), Heard::Agrees));
        let mut set = (40..80).map(|at| offset.hear_date(theirs(at + 50), ours(at), ours(at)));
        assert_eq!(set.position(|heard| heard == Heard::Anew), Some(15));
        assert!(set.all(|heard| heard == Heard::Agrees));
        assert_eq!(believed(&offset), (theirs(50), theirs(51)));
    }

    #[test]
    fn clocks_are_as_far_apart_as_the_nearer_bound_says() {
        let mut offset = Offset::default();
        assert_eq!(offset.off(ours(801), theirs(801)), None);
        offset.hear_date(theirs(1000), ours(800), ours(801));
        assert_eq!(offset.off(ours(801), theirs(801)), Some((Duration::from_secs(199), false)));
        offset.hear_date(theirs(1001), ours(801), ours(802));
        assert_eq!(offset.off(ours(801), theirs(1001)), Some((Duration::ZERO, true)));
    }

    proptest! {
        #[test]
        fn wrong_stamps_on_less_than_half_move_nothing(
            skew in -100_000_i64..100_000, wrong in prop::collection::vec((any::<bool>(), any::<i64>()), 3..60),
        ) {
            let mut offset = Offset::default();
            let mut last_was_wrong = true;
            for (nth, (is_wrong, stamp)) in wrong.into_iter().enumerate() {
                let at = i64::try_from(nth).unwrap() * 1_000_000;
                let (sent, received) = (Instant::from_micros(at), Instant::from_micros(at + 80_000));
                let truth = Stamp::from_micros(at + 40_000 + skew * 1000);
                let is_wrong = is_wrong && !last_was_wrong;
                offset.hear_created(if is_wrong { Stamp::from_micros(stamp) } else { truth }, sent, received);
                last_was_wrong = is_wrong || nth < 2;
                if nth > 0 {
                    prop_assert!(offset.earliest(sent) <= truth && truth <= offset.latest(received));
                }
            }
        }
    }
}
