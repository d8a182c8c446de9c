//! A pool that a campaign keeps as full as its reserve allows: the share of inbound callers that it refuses, and the
//! campaign's pace.
//!
//! The calls that are up are a Markov chain: of inbound calls, and of calls in all between the line (`slots - reserve`)
//! and `slots`. The campaign fills what falls below the line at once, and only inbound callers go above it (trunk
//! reservation: J. W. Roberts, "Teletraffic models for the Telecom 1 integrated services network", ITC 10, 1983;
//! F. P. Kelly, "Loss networks", Ann. Appl. Probab. 1(3), 1991). Where calls of both kinds last alike it is a birth-death
//! chain with a closed form; else its balance equations are solved block by block (M. F. Neuts, "Matrix-geometric
//! solutions in stochastic models", 1981). Callers come as a Poisson stream and lengths are exponential; the share refused
//! of a lone group does not depend on the latter (B. A. Sevastyanov, 1957), and hardly does here.

/// Mean lengths nearer than this to each other count as alike.
const ALIKE: f64 = 0.01;
/// Levels above the line that are solved exactly; a pool that needs more is large, and there the closed form is near.
const MOST_LEVELS: u32 = 64;

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

impl Saturated {
    /// Whether calls of both kinds last alike, so that the closed form holds.
    fn is_alike(&self) -> bool {
        (self.inbound_mean_s / self.call_mean_s - 1.0).abs() < ALIKE
    }

    /// The closed form, for calls that last alike.
    pub fn closed(&self) -> Outcome {
        let load = self.load();
        let lowest = self.line();
        let (mut weight, mut sum) = (1.0, 1.0);
        for up in lowest..self.slots {
            weight *= load / f64::from(up + 1);
            sum += weight;
        }
        // A call that ends while no inbound caller is above the line is followed by the campaign's next at once.
        let follows = 3600.0 / self.call_mean_s * f64::from(lowest) / sum;
        Outcome { refused: weight / sum, calls_per_hour: follows }
    }

    /// What becomes of it: the closed form where it holds, else the chain.
    pub fn outcome(&self) -> Outcome {
        let is_large = self.reserve.min(self.slots) >= MOST_LEVELS;
        if self.is_alike() || is_large { self.closed() } else { self.chain() }
    }

    /// The smallest reserve at which no more than this share of inbound callers is refused; none where even all but one
    /// slot are too few.
    pub fn smallest_reserve(self, target: f64) -> Option<u32> {
        let meets = |reserve: u32| Self { reserve, ..self }.outcome().refused <= target;
        let most = self.slots.checked_sub(1)?;
        if self.inbound_per_hour <= 0.0 || meets(0) {
            return Some(0);
        }
        // No reserve does better than a pool without the campaign.
        if self.erlang() > target {
            return None;
        }
        let (mut low, mut high) = (0, 1.min(most));
        while !meets(high) {
            if high == most {
                return None;
            }
            (low, high) = (high, high.saturating_mul(2).min(most));
        }
        while low + 1 < high {
            let middle = u32::midpoint(low, high);
            if meets(middle) { high = middle } else { low = middle }
        }
        Some(high)
    }

    fn load(&self) -> f64 {
        self.inbound_per_hour * self.inbound_mean_s / 3600.0
    }

    /// Calls that are up at the least.
    fn line(&self) -> u32 {
        self.slots - self.reserve.min(self.slots)
    }

    /// Erlang's loss formula: the share refused by a pool that nobody but inbound callers uses.
    fn erlang(&self) -> f64 {
        let load = self.load();
        (1..=self.slots).fold(1.0, |refused, slot| load * refused / (f64::from(slot) + load * refused))
    }

    fn chain(&self) -> Outcome {
        let chain = Chain::new(self);
        let states = chain.solve();
        let top = chain.levels - 1;
        let refused = states.iter().map(|by_level| by_level[top]).sum();
        // At the line every end is followed by a call of the campaign.
        let follow = |(inbound, by_level): (usize, &Vec<f64>)| {
            by_level[0] * (chain.inbound_ends(inbound) + chain.ours_end(inbound, 0))
        };
        let placed: f64 = states.iter().enumerate().map(follow).sum();
        Outcome { refused, calls_per_hour: placed * 3600.0 }
    }
}

/// The chain: for every number of inbound calls, the levels above the line.
struct Chain {
    line: usize,
    levels: usize,
    /// Inbound calls that are looked at: more of them are up next to never.
    most: usize,
    arrive: f64,
    leave: f64,
    end: f64,
}

type Matrix = Vec<Vec<f64>>;

#[expect(clippy::cast_precision_loss, reason = "numbers of slots")]
impl Chain {
    fn new(pool: &Saturated) -> Self {
        let load = pool.load();
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "not below 0, and cut to the slots"
        )]
        let likely = (load + 8.0 * load.sqrt() + 12.0).ceil() as usize;
        Self {
            line: pool.line() as usize,
            levels: pool.slots as usize - pool.line() as usize + 1,
            most: likely.min(pool.slots as usize),
            arrive: pool.inbound_per_hour / 3600.0,
            leave: 1.0 / pool.inbound_mean_s,
            end: 1.0 / pool.call_mean_s,
        }
    }

    fn inbound_ends(&self, inbound: usize) -> f64 {
        inbound as f64 * self.leave
    }

    fn ours_end(&self, inbound: usize, level: usize) -> f64 {
        (self.line + level).saturating_sub(inbound) as f64 * self.end
    }

    fn exists(&self, inbound: usize, level: usize) -> bool {
        inbound <= self.line + level
    }

    /// How likely each state is, by inbound calls and level.
    fn solve(&self) -> Matrix {
        // From the top down: the states with so many inbound calls are a matrix times those with one fewer.
        let mut above: Matrix = vec![vec![0.0; self.levels]; self.levels];
        let mut steps = Vec::with_capacity(self.most);
        for inbound in (1..=self.most).rev() {
            above = self.step(&inverse(self.balance(inbound, &above)));
            steps.push(above.clone());
        }
        let mut lowest = self.balance(0, &above);
        // The equations hang together, so one of them is left out for a state of weight 1.
        lowest[0].fill(0.0);
        lowest[0][0] = 1.0;
        let first = inverse(lowest).iter().map(|row| row[0]).collect::<Vec<_>>();
        let mut states = vec![first];
        for step in steps.iter().rev() {
            let below = &states[states.len() - 1];
            states.push(step.iter().map(|row| row.iter().zip(below).map(|(a, b)| a * b).sum()).collect());
        }
        let sum: f64 = states.iter().flatten().sum();
        states.iter_mut().flatten().for_each(|weight| *weight /= sum);
        states
    }

    /// What leaves the states with so many inbound calls less what comes from those with as many and with one more, as
    /// the latter follow from them.
    fn balance(&self, inbound: usize, above: &Matrix) -> Matrix {
        let mut balance = vec![vec![0.0; self.levels]; self.levels];
        for level in 0..self.levels {
            if !self.exists(inbound, level) {
                balance[level][level] = 1.0;
                continue;
            }
            let arrives = level + 1 < self.levels && inbound < self.most;
            let ends = if level > 0 { self.ours_end(inbound, level) } else { 0.0 };
            balance[level][level] += if arrives { self.arrive } else { 0.0 } + self.inbound_ends(inbound) + ends;
            if level + 1 < self.levels {
                balance[level][level + 1] -= self.ours_end(inbound, level + 1);
            }
            // An inbound call ends: one level down, or at the line, where the campaign fills its slot.
            let from = [(level + 1 < self.levels).then_some(level + 1), (level == 0).then_some(0)];
            for from in from.into_iter().flatten() {
                for (of, share) in above[from].iter().enumerate() {
                    balance[level][of] -= self.inbound_ends(inbound + 1) * share;
                }
            }
        }
        balance
    }

    /// A caller comes: one inbound call and one level more.
    fn step(&self, inverse: &Matrix) -> Matrix {
        let row = |row: &Vec<f64>| {
            let moved = row.iter().skip(1).map(|weight| weight * self.arrive);
            moved.chain([0.0]).collect()
        };
        inverse.iter().map(row).collect()
    }
}

/// By elimination; the matrices here need no pivots, since each column's diagonal outweighs the rest of it.
fn inverse(mut matrix: Matrix) -> Matrix {
    let size = matrix.len();
    let unit = |row: usize| (0..size).map(|column| if row == column { 1.0 } else { 0.0 }).collect();
    let mut inverse: Matrix = (0..size).map(unit).collect();
    for pivot in 0..size {
        let by = matrix[pivot][pivot];
        matrix[pivot].iter_mut().chain(&mut inverse[pivot]).for_each(|entry| *entry /= by);
        let (lead, made) = (matrix[pivot].clone(), inverse[pivot].clone());
        for row in (0..size).filter(|row| *row != pivot) {
            let factor = matrix[row][pivot];
            let lower = |entries: &mut [f64], by: &[f64]| {
                entries.iter_mut().zip(by).for_each(|(entry, by)| *entry -= factor * by);
            };
            lower(&mut matrix[row], &lead);
            lower(&mut inverse[row], &made);
        }
    }
    inverse
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pool(slots: u32, reserve: u32, per_hour: f64, inbound_mean_s: f64, call_mean_s: f64) -> Saturated {
        Saturated { slots, reserve, inbound_per_hour: per_hour, inbound_mean_s, call_mean_s }
    }

    #[test]
    fn the_chain_is_the_closed_form_where_calls_last_alike() {
        for slots in [1, 4, 10, 30] {
            for reserve in [0, 1, 3, slots / 2, slots - 1] {
                for load in [0.2, 2.0, 20.0] {
                    let alike = pool(slots, reserve.min(slots), load * 20.0, 180.0, 180.0);
                    let (closed, chain) = (alike.closed(), alike.chain());
                    assert!((closed.refused - chain.refused).abs() < 1e-9, "{alike:?}: {closed:?} {chain:?}");
                    assert!((closed.calls_per_hour - chain.calls_per_hour).abs() < 1e-6, "{alike:?}");
                }
            }
        }
    }

    #[test]
    fn a_pool_without_a_campaign_refuses_as_erlang_says() {
        // B(10, 5 erlangs) of the Erlang loss formula.
        let alone = pool(10, 10, 100.0, 180.0, 60.0);
        assert!((alone.closed().refused - 0.018_385).abs() < 1e-5, "{alone:?}");
        assert!((alone.erlang() - 0.018_385).abs() < 1e-5 && (alone.chain().refused - alone.erlang()).abs() < 1e-9);
        // A pool that is always full refuses everybody.
        assert!((pool(10, 0, 100.0, 180.0, 60.0).outcome().refused - 1.0).abs() < 1e-9);
    }

    #[test]
    fn the_smallest_reserve_that_meets_the_target_is_found() {
        for slots in [2, 4, 10, 30, 100] {
            for per_hour in [1.0, 30.0, 90.0] {
                let asked = pool(slots, 0, per_hour, 240.0, 60.0);
                let refused = |reserve: u32| Saturated { reserve, ..asked }.outcome().refused;
                match asked.smallest_reserve(0.01) {
                    Some(found) => {
                        assert!(refused(found) <= 0.01, "{asked:?} {found}");
                        assert!(found == 0 || refused(found - 1) > 0.01, "{asked:?} {found}");
                    }
                    None => assert!(refused(slots - 1) > 0.01, "{asked:?}"),
                }
            }
        }
        assert_eq!(pool(10, 0, 0.0, 240.0, 95.0).smallest_reserve(0.01), Some(0));
    }
}
