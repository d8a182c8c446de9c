//! What a reserve buys, by simulation: the same pool as in [`saturated`](crate::pool::saturated), stepped from call to
//! call, with the interval that shows how sure its share of refused callers is.

use super::world::chance::Chance;
use crate::pool::saturated::{Outcome, Saturated};

/// What a simulation saw: the mean, and bounds that hold it in 999 of 1,000 cases.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Simulated {
    /// The mean.
    pub mean: Outcome,
    /// The lower bound of the share refused.
    pub low: f64,
    /// The upper bound of the share refused.
    pub high: f64,
}

/// Independent stretches of one simulation.
const STRETCHES: u32 = 20;
/// The quantile of Student's distribution with 19 degrees of freedom that 999 of 1,000 lie within.
const STUDENT: f64 = 3.883;

/// How long a simulation goes on: whichever comes first in each of its stretches.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Length {
    /// Inbound callers.
    pub callers: u32,
    /// Callers and ends of calls: where few call in, most of what happens concerns none of them.
    pub events: u32,
}

/// What a stretch saw.
struct Stretch {
    callers: u32,
    refused: u32,
    calls_per_hour: f64,
}

impl Saturated {
    /// By simulation. Where nobody calls in, nobody is refused.
    pub fn simulate(&self, length: Length, seed: u64) -> Simulated {
        let all: Vec<_> = (0..STRETCHES).map(|nth| self.stretch(length, seed, u64::from(nth))).collect();
        let stretches = f64::from(STRETCHES);
        let callers: f64 = all.iter().map(|stretch| f64::from(stretch.callers)).sum();
        let refused = all.iter().map(|stretch| f64::from(stretch.refused)).sum::<f64>() / callers.max(1.0);
        // Each stretch weighs as much as it saw callers.
        let off = |stretch: &Stretch| f64::from(stretch.refused) - refused * f64::from(stretch.callers);
        let squares: f64 = all.iter().map(|stretch| off(stretch).powi(2)).sum();
        let half = STUDENT * (squares * stretches / (stretches - 1.0)).sqrt() / callers.max(1.0);
        // Where no stretch saw a refusal, what could hide from so many callers bounds it (the rule of three, for 999 of 1,000).
        let unseen = if self.inbound_per_hour > 0.0 { 6.9 / callers.max(1.0) } else { 0.0 };
        let calls_per_hour = all.iter().map(|stretch| stretch.calls_per_hour).sum::<f64>() / stretches;
        Simulated {
            mean: Outcome { refused, calls_per_hour },
            low: (refused - half).max(0.0),
            high: (refused + half).max(unseen).min(1.0),
        }
    }

    fn stretch(&self, length: Length, seed: u64, nth: u64) -> Stretch {
        let mut chance = Chance::of(seed, "blocking", &format!("{}/{}", self.slots, self.reserve), nth);
        let line = self.slots - self.reserve.min(self.slots);
        let (arrive, leave, end) = (self.inbound_per_hour / 3600.0, 1.0 / self.inbound_mean_s, 1.0 / self.call_mean_s);
        // As many inbound calls are up at first as are on the average.
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "not below 0, and cut to the slots"
        )]
        let mut inbound = ((self.inbound_per_hour * self.inbound_mean_s / 3600.0).round() as u32).min(self.slots);
        let mut ours = line.saturating_sub(inbound);
        let (mut came, mut refused, mut placed, mut time, mut since) = (0_u32, 0_u32, 0_u32, 0.0_f64, 0.0);
        // The first tenth only fills the pool as it usually is.
        let (warm_callers, warm_events) = (length.callers / 10, length.events / 10);
        let mut warm = true;
        for event in 0..length.events.saturating_add(warm_events) {
            if warm && (came > warm_callers || event >= warm_events) {
                (came, refused, placed, since, warm) = (0, 0, 0, time, false);
            }
            if !warm && came >= length.callers {
                break;
            }
            let rates = [arrive, f64::from(inbound) * leave, f64::from(ours) * end];
            let total: f64 = rates.iter().sum();
            time -= (1.0 - chance.unit()).ln() / total;
            let drawn = chance.unit() * total;
            if drawn < rates[0] {
                came += 1;
                if inbound + ours < self.slots { inbound += 1 } else { refused += 1 }
            } else if drawn < rates[0] + rates[1] && inbound > 0 {
                inbound -= 1;
            } else {
                ours = ours.saturating_sub(1);
            }
            while inbound + ours < line {
                ours += 1;
                placed += 1;
            }
        }
        let hours = (time - since).max(f64::MIN_POSITIVE) / 3600.0;
        Stretch { callers: came, refused, calls_per_hour: f64::from(placed) / hours }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pool(slots: u32, reserve: u32, per_hour: f64, inbound_mean_s: f64, call_mean_s: f64) -> Saturated {
        Saturated { slots, reserve, inbound_per_hour: per_hour, inbound_mean_s, call_mean_s }
    }

    fn length(callers: u32) -> Length {
        Length { callers, events: u32::MAX }
    }

    #[test]
    fn it_ends_where_hardly_anybody_calls_in() {
        let short = Length { callers: 5_000, events: 1_000 };
        let nobody = pool(10, 3, 0.0, 180.0, 60.0).simulate(short, 1);
        assert_eq!((nobody.mean.refused, nobody.low, nobody.high), (0.0, 0.0, 0.0));
        // 7 slots are never free for a minute.
        assert!((nobody.mean.calls_per_hour / 420.0 - 1.0).abs() < 0.05, "{nobody:?}");
        let few = pool(10, 3, 0.05, 180.0, 60.0).simulate(short, 1);
        assert!(few.low <= 1e-6 && few.high > 0.05, "{few:?}");
    }

    #[test]
    fn the_closed_form_lies_in_the_interval_of_the_simulation() {
        let mut settings = 0;
        for slots in [4, 10, 30] {
            for reserve in [0, 1, 2, 3, slots / 2, slots - 1] {
                for load in [0.2, 1.0, 3.0] {
                    let alike = pool(slots, reserve, load * 20.0, 180.0, 180.0);
                    let (closed, seen) = (alike.closed(), alike.simulate(length(4_000), 7));
                    let told = format!("{alike:?}: {closed:?} {seen:?}");
                    assert!((seen.low - 1e-9..=seen.high + 1e-9).contains(&closed.refused), "{told}");
                    assert!((seen.mean.calls_per_hour / closed.calls_per_hour - 1.0).abs() < 0.05, "{told}");
                    settings += 1;
                }
            }
        }
        assert!(settings >= 40);
    }

    #[test]
    fn the_chain_lies_in_the_interval_of_the_simulation_where_lengths_differ() {
        for (slots, per_hour, stays, lasts) in
            [(4, 10.0, 240.0, 60.0), (10, 40.0, 240.0, 95.0), (10, 40.0, 60.0, 180.0)]
        {
            for reserve in [1, 3, slots - 1] {
                let unlike = pool(slots, reserve, per_hour, stays, lasts);
                let (exact, seen) = (unlike.outcome(), unlike.simulate(length(1_000), 11));
                let told = format!("{unlike:?}: {exact:?} {seen:?}");
                assert!((seen.low - 1e-9..=seen.high + 1e-9).contains(&exact.refused), "{told}");
                assert!((seen.mean.calls_per_hour / exact.calls_per_hour - 1.0).abs() < 0.05, "{told}");
            }
        }
    }

    #[test]
    fn a_larger_reserve_refuses_fewer_and_costs_pace() {
        let outcomes: Vec<_> =
            (0..10).map(|reserve| pool(10, reserve, 40.0, 240.0, 95.0).simulate(length(4_000), 1).mean).collect();
        assert!(outcomes.windows(2).all(|pair| pair[1].refused <= pair[0].refused + 0.01));
        assert!(outcomes.windows(2).all(|pair| pair[1].calls_per_hour < pair[0].calls_per_hour));
    }
}
