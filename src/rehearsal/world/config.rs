//! What kind of world it is.

use std::collections::BTreeSet;
use std::time::Duration;

use super::chance::length;
use super::fault::Faults;
use super::mix::{Durations, Ending, usual_mix};
use crate::time::Stamp;

/// How a full pool refuses a call (the four shapes of the API sheet, the first in two bodies).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum BlockedAs {
    /// 400 "Over Concurrency Limit", with `subscriptionLimits`.
    #[default]
    BadRequest,
    /// 400 "Over Concurrency Limit", without.
    BareBadRequest,
    /// 201, `queued`, `concurrencyBlocked: true`, nothing remaining; ended with the pool's own reason within 2 s.
    Created,
    /// 201 as if all were well, ended at once with the pool's own reason.
    Ended,
    /// 429 "Over Concurrency Limit".
    TooMany,
}

impl BlockedAs {
    /// Every shape, in a fixed order.
    pub const ALL: [Self; 5] = [Self::BadRequest, Self::BareBadRequest, Self::Created, Self::Ended, Self::TooMany];

    /// Its name on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::BadRequest => "400",
            Self::BareBadRequest => "400-bare",
            Self::Created => "201",
            Self::Ended => "ended",
            Self::TooMany => "429",
        }
    }

    /// The shape of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|shape| shape.name() == name)
    }
}

/// Calls that come by themselves and take slots: callers, visitors of a web page, another organisation's.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Traffic {
    /// How many an hour, on the average; they come at random.
    pub per_hour: f64,
    /// How long one talks, on the average.
    pub mean: Duration,
    /// The share of them that are web calls.
    pub web: f64,
    /// Whose they are: one organisation's, or (none) any's, each as likely.
    pub org: Option<usize>,
    /// The share of them that comes, by hour of the day (UTC), where hours differ.
    pub by_hour: Option<[f64; 24]>,
}

impl Traffic {
    /// Callers of any organisation, one in ten from a web page.
    pub const fn inbound(per_hour: f64, mean: Duration) -> Self {
        Self { per_hour, mean, web: 0.1, org: None, by_hour: None }
    }

    /// The same with another number in each hour of the day (UTC).
    pub fn inbound_by_hour(callers: [f64; 24], mean: Duration) -> Self {
        let most = callers.iter().copied().fold(0.0, f64::max);
        let share = callers.map(|callers| if most > 0.0 { callers / most } else { 0.0 });
        Self { by_hour: Some(share), ..Self::inbound(most, mean) }
    }

    /// How likely it is that one of them comes at that time.
    pub(super) fn share(&self, at: Stamp) -> f64 {
        let hour = at.as_micros().div_euclid(3_600_000_000).rem_euclid(24);
        self.by_hour.map_or(1.0, |by_hour| by_hour[usize::try_from(hour).unwrap_or(0)])
    }

    /// The mean time from one to the next; `None` if nobody ever comes.
    pub(super) fn gap(&self) -> Option<Duration> {
        (self.per_hour > 0.0).then(|| length(3600.0 / self.per_hour).max(Duration::from_micros(1)))
    }
}

/// What kind of world it is.
#[derive(Clone, PartialEq, Debug)]
pub struct ProviderConfig {
    /// The pool's limit, until [`FakeProvider::set_limit`](super::FakeProvider::set_limit) moves it.
    pub slots: u32,
    /// Organisations that share the pool; at least one.
    pub orgs: usize,
    /// Calls that come by themselves.
    pub traffic: Vec<Traffic>,
    /// Divides the lengths of rings, talks and gaps, and the delays that faults bring.
    pub speed: f64,
    /// How a full pool refuses.
    pub blocked_as: BlockedAs,
    /// How likely each fault is.
    pub faults: Faults,
    /// The way to the provider, and back: the least and the most.
    pub travel: (Duration, Duration),
    /// At most this long after a call's `createdAt` its slot is counted.
    pub count_lag: Duration,
    /// A slot is free again this long after its call's `endedAt`.
    pub release_lag: Duration,
    /// No credit is left after this many outbound calls: then requests are refused with 400. (The documented way, a
    /// call that is created and ends at once for want of credit, is an [`Ending`] of the mix.)
    pub fail_after: Option<u64>,
    /// Numbers in E.164 that the provider takes for none.
    pub refused: BTreeSet<String>,
    /// What outbound calls come to.
    pub mix: Vec<Ending>,
    /// How long the parts of a call last.
    pub lengths: Durations,
}

impl Default for ProviderConfig {
    fn default() -> Self {
        Self {
            slots: 10,
            orgs: 1,
            traffic: vec![Traffic::inbound(40.0, Duration::from_mins(3))],
            speed: 1.0,
            blocked_as: BlockedAs::default(),
            faults: Faults::default(),
            travel: (Duration::from_millis(15), Duration::from_millis(60)),
            count_lag: Duration::from_millis(150),
            release_lag: Duration::ZERO,
            fail_after: None,
            refused: BTreeSet::new(),
            mix: usual_mix(),
            lengths: Durations::default(),
        }
    }
}

impl ProviderConfig {
    /// The same, with every value such that nothing can come of it but a world.
    pub(super) fn sound(mut self) -> Self {
        self.orgs = self.orgs.max(1);
        let usable = self.speed.is_finite() && self.speed > 0.0;
        self.speed = if usable { self.speed.clamp(1e-3, 1e6) } else { 1.0 };
        self
    }

    /// A length of the unhurried world in this one.
    pub(super) fn quickened(&self, unhurried: Duration) -> Duration {
        length(unhurried.as_secs_f64() / self.speed)
    }
}
