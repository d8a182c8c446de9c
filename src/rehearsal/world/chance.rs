//! Chance from a seed: one stream for every concern, so that drawing more for one never shifts another.

use std::time::Duration;

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use rand_distr::{Distribution, Gamma};

/// Longest length that is ever drawn: a bound, so that no sum of times overflows.
const LONGEST_SECONDS: f64 = 1e7;

/// One stream of chance.
pub(in crate::rehearsal) struct Chance(StdRng);

impl Chance {
    /// The stream of one concern, of its `nth` case about `detail`.
    pub(in crate::rehearsal) fn of(seed: u64, concern: &str, detail: &str, nth: u64) -> Self {
        let mut mixed = seed ^ 0x9e37_79b9_7f4a_7c15;
        let bytes = concern.bytes().chain([0]).chain(detail.bytes()).chain([0]).chain(nth.to_le_bytes());
        for byte in bytes {
            mixed = (mixed ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
            mixed ^= mixed >> 29;
        }
        Self(StdRng::seed_from_u64(mixed))
    }

    /// 64 random bits.
    pub(super) fn bits(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// At least 0, below 1.
    #[expect(clippy::cast_precision_loss, reason = "53 bits fit a double exactly")]
    pub(in crate::rehearsal) fn unit(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// True with that probability. Always draws, so that changing one probability shifts nothing else.
    pub(super) fn happens(&mut self, probability: f64) -> bool {
        self.unit() < probability
    }

    /// One of `0..count`, each as likely; 0 of none.
    pub(super) fn below(&mut self, count: usize) -> usize {
        let count = u64::try_from(count.max(1)).unwrap_or(u64::MAX);
        usize::try_from(self.bits() % count).unwrap_or(0)
    }

    /// A length in that range, each as likely.
    pub(super) fn between(&mut self, range: (Duration, Duration)) -> Duration {
        let (least, most) = range;
        least.saturating_add(length(self.unit() * most.saturating_sub(least).as_secs_f64()))
    }

    /// A length with an exponential distribution: how long until, and how long, for things without memory.
    pub(super) fn exponential(&mut self, mean: Duration) -> Duration {
        length(-(1.0 - self.unit()).ln() * mean.as_secs_f64())
    }

    /// A gamma distribution of that shape, whose mean is the shape.
    pub(in crate::rehearsal) fn gamma(&mut self, shape: f64) -> f64 {
        Gamma::new(shape.max(1e-3), 1.0).map_or(shape, |gamma| gamma.sample(&mut self.0))
    }

    /// The number of one of these weights, each as likely as it is heavy; 0 if they weigh nothing.
    pub(super) fn weighted(&mut self, weights: impl Iterator<Item = u32> + Clone) -> usize {
        let total: u64 = weights.clone().map(u64::from).sum();
        let mut left = self.bits() % total.max(1);
        for (place, weight) in weights.enumerate() {
            match left.checked_sub(u64::from(weight)) {
                Some(rest) => left = rest,
                None => return place,
            }
        }
        0
    }
}

/// Seconds as a length, kept within what a call can last.
pub(in crate::rehearsal) fn length(seconds: f64) -> Duration {
    let bounded = if seconds.is_nan() { 0.0 } else { seconds.clamp(0.0, LONGEST_SECONDS) };
    Duration::from_secs_f64(bounded)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_repeat_and_do_not_share() {
        let draw = |seed, concern, nth| Chance::of(seed, concern, "+1415", nth).bits();
        assert_eq!(draw(1, "life", 0), draw(1, "life", 0));
        assert_ne!(draw(1, "life", 0), draw(1, "life", 1));
        assert_ne!(draw(1, "life", 0), draw(2, "life", 0));
        assert_ne!(draw(1, "life", 0), draw(1, "post", 0));
    }

    #[test]
    fn an_exponential_has_its_mean() {
        let mut chance = Chance::of(7, "test", "", 0);
        let sum: f64 = (0..20_000).map(|_| chance.exponential(Duration::from_mins(1)).as_secs_f64()).sum();
        assert!((sum / 20_000.0 - 60.0).abs() < 2.0, "{}", sum / 20_000.0);
    }

    #[test]
    fn odd_ranges_and_weights_are_survived() {
        let mut chance = Chance::of(7, "test", "", 0);
        let (short, long) = (Duration::from_secs(1), Duration::from_secs(9));
        assert_eq!(chance.between((long, short)), long);
        assert_eq!(chance.weighted([0, 0].into_iter()), 0);
        assert_eq!(chance.weighted([0, 5, 0].into_iter()), 1);
        assert_eq!(chance.below(0), 0);
        assert_eq!(length(f64::NAN), Duration::ZERO);
    }
}
