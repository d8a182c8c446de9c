//! What a reserve buys: the share of inbound callers refused by a pool that a campaign keeps as full as it may.
//!
//! Where calls of both kinds last alike, the calls that are up are a birth-death chain on `slots - reserve ..= slots`
//! (trunk reservation: J. W. Roberts, "Teletraffic models for the Telecom 1 integrated services network", ITC 10, 1983;
//! F. P. Kelly, "Loss networks", Ann. Appl. Probab. 1(3), 1991): the campaign fills what falls below at once, and only
//! inbound callers go above. Where they last unlike, the same pool is simulated. Both take arrivals as a Poisson stream
//! and lengths as exponential; the share of refused callers of a lone group does not depend on the latter (B. A.
//! Sevastyanov, 1957), and hardly does here.

use super::world::chance::Chance;

/// A pool that a campaign keeps as full as its reserve allows.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Saturated {
    /// Slots of the pool.
    pub slots: u32,
    /// Slots left to inbound callers.
    pub reserve: u32,
    /// Inbound callers an hour.
    pub inbound_per_hour: f64,
    /// How long an inbound call lasts on the average, in seconds.
    pub inbound_mean_s: f64,
    /// How long a call of the campaign holds its slot on the average, in seconds.
    pub call_mean_s: f64,
}

/// What becomes of it.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Outcome {
    /// The share of inbound callers that are refused, from 0 to 1.
    pub refused: f64,
    /// Calls of the campaign an hour.
    pub calls_per_hour: f64,
}

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
/// Mean lengths nearer than this to each other count as alike.
const ALIKE: f64 = 0.01;

impl Saturated {
    /// Whether calls of both kinds last alike, so that the closed form holds.
    pub fn is_alike(&self) -> bool {
        (self.inbound_mean_s / self.call_mean_s - 1.0).abs() < ALIKE
    }

    /// The closed form, for calls that last alike.
    pub fn closed(&self) -> Outcome {
        let load = self.inbound_per_hour * self.inbound_mean_s / 3600.0;
        let lowest = self.slots - self.reserve.min(self.slots);
        let (mut weight, mut sum) = (1.0, 1.0);
        for up in lowest..self.slots {
            weight *= load / f64::from(up + 1);
            sum += weight;
        }
        // A call that ends while no inbound caller is above the line is followed by the campaign's next at once.
        let follows = 3600.0 / self.call_mean_s * f64::from(lowest) / sum;
        Outcome { refused: weight / sum, calls_per_hour: follows }
    }

    /// By simulation, with so many inbound callers in each of its stretches.
    pub fn simulate(&self, callers: u32, seed: u64) -> Simulated {
        let outcomes: Vec<_> = (0..STRETCHES).map(|nth| self.stretch(callers, seed, u64::from(nth))).collect();
        let stretches = f64::from(STRETCHES);
        let mean = |of: fn(&Outcome) -> f64| outcomes.iter().map(of).sum::<f64>() / stretches;
        let refused = mean(|outcome| outcome.refused);
        let squares: f64 = outcomes.iter().map(|outcome| (outcome.refused - refused).powi(2)).sum();
        let half = STUDENT * (squares / (stretches - 1.0) / stretches).sqrt();
        // Where no stretch saw a refusal, what could hide from so many callers bounds it (the rule of three, for 999 of 1,000).
        let unseen = 6.9 / (stretches * f64::from(callers));
        Simulated {
            mean: Outcome { refused, calls_per_hour: mean(|outcome| outcome.calls_per_hour) },
            low: (refused - half).max(0.0),
            high: (refused + half).max(unseen).min(1.0),
        }
    }

    /// The best of the two: the closed form where it holds, else a simulation of that size.
    pub fn outcome(&self, callers: u32, seed: u64) -> Outcome {
        if self.is_alike() { self.closed() } else { self.simulate(callers, seed).mean }
    }

    fn stretch(&self, callers: u32, seed: u64, nth: u64) -> Outcome {
        let mut chance = Chance::of(seed, "blocking", &format!("{}/{}", self.slots, self.reserve), nth);
        let line = self.slots - self.reserve.min(self.slots);
        let (arrive, leave, end) = (self.inbound_per_hour / 3600.0, 1.0 / self.inbound_mean_s, 1.0 / self.call_mean_s);
        let (mut inbound, mut ours) = (0_u32, line);
        let (mut came, mut refused, mut placed, mut time) = (0_u32, 0_u32, 0_u32, 0.0_f64);
        // The first tenth only fills the pool as it usually is.
        let warm = callers / 10;
        let mut since = 0.0;
        while came < callers + warm {
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
            if came <= warm {
                (refused, placed, since) = (0, 0, time);
            }
        }
        Outcome {
            refused: f64::from(refused) / f64::from(callers.max(1)),
            calls_per_hour: f64::from(placed) / (time - since).max(f64::MIN_POSITIVE) * 3600.0,
        }
    }
}

/// The smallest reserve at which no more than this share of inbound callers is refused; none where even all but one
/// slot are too few.
pub fn smallest_reserve(pool: Saturated, target: f64, callers: u32, seed: u64) -> Option<u32> {
    let meets = |reserve: u32| Saturated { reserve, ..pool }.outcome(callers, seed).refused <= target;
    let (mut low, mut high) = (0, pool.slots.checked_sub(1)?);
    if pool.inbound_per_hour <= 0.0 {
        return Some(0);
    }
    if !meets(high) {
        return None;
    }
    while low < high {
        let middle = u32::midpoint(low, high);
        if meets(middle) { high = middle } else { low = middle + 1 }
    }
    Some(high)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pool(slots: u32, reserve: u32, per_hour: f64, inbound_mean_s: f64, call_mean_s: f64) -> Saturated {
        Saturated { slots, reserve, inbound_per_hour: per_hour, inbound_mean_s, call_mean_s }
    }

    #[test]
    fn the_closed_form_lies_in_the_interval_of_the_simulation() {
        let mut settings = 0;
        for slots in [4, 10, 30] {
            for reserve in [0, 1, 2, 3, slots / 2, slots - 1] {
                for load in [0.2, 1.0, 3.0] {
                    let alike = pool(slots, reserve, load * 20.0, 180.0, 180.0);
                    let (closed, seen) = (alike.closed(), alike.simulate(4_000, 7));
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
    fn a_pool_without_a_campaign_refuses_as_erlang_says() {
        // B(10, 5 erlangs) of the Erlang loss formula.
        let erlang = pool(10, 10, 100.0, 180.0, 180.0).closed();
        assert!((erlang.refused - 0.018_385).abs() < 1e-5, "{erlang:?}");
        // A pool that is always full refuses everybody.
        assert!((pool(10, 0, 100.0, 180.0, 180.0).closed().refused - 1.0).abs() < 1e-9);
    }

    #[test]
    fn a_larger_reserve_refuses_fewer_and_costs_pace() {
        let outcomes: Vec<_> =
            (0..10).map(|reserve| pool(10, reserve, 40.0, 240.0, 95.0).simulate(4_000, 1).mean).collect();
        assert!(outcomes.windows(2).all(|pair| pair[1].refused <= pair[0].refused + 0.01));
        assert!(outcomes.windows(2).all(|pair| pair[1].calls_per_hour < pair[0].calls_per_hour));
        let chosen = smallest_reserve(pool(10, 0, 40.0, 240.0, 95.0), 0.05, 4_000, 1).unwrap();
        assert!(outcomes[chosen as usize].refused <= 0.05 && outcomes[chosen as usize - 1].refused > 0.05, "{chosen}");
        assert_eq!(smallest_reserve(pool(2, 0, 400.0, 240.0, 95.0), 0.01, 1_000, 1), None);
        assert_eq!(smallest_reserve(pool(10, 0, 0.0, 240.0, 95.0), 0.01, 1_000, 1), Some(0));
    }
}
