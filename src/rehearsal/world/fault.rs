//! What can go wrong with a request, and how likely it is to.

use std::time::Duration;

use super::chance::Chance;

/// A fault of the provider, of the network, or of the answer.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Fault {
    /// 429 without `Retry-After`; nothing is created.
    TooMany,
    /// 429 with `Retry-After`; nothing is created.
    TooManyRetryAfter,
    /// 500; nothing is created.
    ErrorBefore,
    /// 500; the call is created all the same.
    ErrorAfter,
    /// The connection is closed without an answer; nothing is created.
    DropBefore,
    /// The connection is closed without an answer; the call is created.
    DropAfter,
    /// The call is created, the answer comes after 35 to 120 s.
    Slow,
    /// 522 with a page of HTML; the call is created every other time.
    Html,
    /// 201 without `subscriptionLimits`.
    NoLimits,
    /// 201 with `remainingConcurrentCalls: -1`, whatever is free.
    MinusOne,
    /// The call is left out of listings for 90 to 240 s; every other one for good, once it was asked for by its id,
    /// which only who got the answer can know.
    Forgotten,
    /// The connection is closed without an answer; the call is created 1 to 20 minutes later.
    LateCreate,
    /// Listings show the call without its mark.
    NoMark,
    /// Listings show the call without its number.
    NoNumber,
    /// A read (not a request that places a call) is answered with 500.
    ReadError,
    /// The times in an answer, or its `Date`, or both, are wrong: by seconds, by a minute, by hours or for good.
    WrongStamp,
}

impl Fault {
    /// Every fault, in a fixed order.
    pub const ALL: [Self; 16] = [
        Self::TooMany,
        Self::TooManyRetryAfter,
        Self::ErrorBefore,
        Self::ErrorAfter,
        Self::DropBefore,
        Self::DropAfter,
        Self::Slow,
        Self::Html,
        Self::NoLimits,
        Self::MinusOne,
        Self::Forgotten,
        Self::LateCreate,
        Self::NoMark,
        Self::NoNumber,
        Self::ReadError,
        Self::WrongStamp,
    ];

    /// Its name on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::TooMany => "429",
            Self::TooManyRetryAfter => "429-retry-after",
            Self::ErrorBefore => "5xx-before",
            Self::ErrorAfter => "5xx-after",
            Self::DropBefore => "drop-before",
            Self::DropAfter => "drop-after",
            Self::Slow => "slow",
            Self::Html => "html",
            Self::NoLimits => "no-limits",
            Self::MinusOne => "minus-one",
            Self::Forgotten => "forgotten",
            Self::LateCreate => "late-create",
            Self::NoMark => "no-mark",
            Self::NoNumber => "no-number",
            Self::ReadError => "read-5xx",
            Self::WrongStamp => "wrong-stamp",
        }
    }

    /// The fault of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|fault| fault.name() == name)
    }
}

/// How likely each fault is, from 0 to 1.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct Faults([f64; Fault::ALL.len()]);

impl Faults {
    /// The same likelihood for each of these, none for the others.
    pub fn all_of(faults: &[Fault], probability: f64) -> Self {
        faults.iter().fold(Self::default(), |all, fault| all.with(*fault, probability))
    }

    /// These, with that likelihood for one; clamped to 0 to 1.
    #[must_use]
    pub fn with(mut self, fault: Fault, probability: f64) -> Self {
        self.0[fault as usize] = if probability.is_nan() { 0.0 } else { probability.clamp(0.0, 1.0) };
        self
    }

    /// How likely that one is.
    pub fn of(&self, fault: Fault) -> f64 {
        self.0[fault as usize]
    }
}

/// What will become of one request and of its answer.
#[derive(Clone, Copy, Debug)]
pub(super) struct FaultDraw {
    pub(super) way: Way,
    pub(super) no_limits: bool,
    pub(super) minus_one: bool,
    pub(super) forgotten: bool,
    pub(super) stripped: Stripped,
    pub(super) stamps: WrongStamps,
}

/// How far the times of one answer are off.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct WrongStamps {
    /// Those of the calls that it shows, in microseconds.
    pub calls: i64,
    /// Its `Date`, in microseconds.
    pub date: i64,
}

impl WrongStamps {
    /// Draws from a stream of its own, so that this fault shifts no other.
    pub(super) fn draw(faults: &Faults, chance: &mut Chance) -> Self {
        let likely = faults.of(Fault::WrongStamp);
        if likely <= 0.0 {
            return Self::default();
        }
        let hit = chance.happens(likely);
        let (which, calls, date) = (chance.below(3), off(chance), off(chance));
        match which {
            _ if !hit => Self::default(),
            0 => Self { calls, date: 0 },
            1 => Self { calls: 0, date },
            _ => Self { calls, date },
        }
    }
}

/// A clock that is wrong, in microseconds.
fn off(chance: &mut Chance) -> i64 {
    const SECOND: i64 = 1_000_000;
    const CENTURY: i64 = 100 * 365 * 24 * 3600 * SECOND;
    let within = |chance: &mut Chance, least: i64, most: i64| {
        least + i64::try_from(chance.bits() % (most - least).unsigned_abs()).unwrap_or(0)
    };
    match chance.below(7) {
        0 => 3 * SECOND,
        1 => 20 * SECOND,
        2 => within(chance, 65 * SECOND, 90 * SECOND),
        3 => within(chance, -10 * SECOND, 10 * SECOND),
        4 => within(chance, CENTURY, CENTURY + 24 * 3600 * SECOND),
        5 => within(chance, -4 * 3600 * SECOND, -5 * SECOND),
        _ => within(chance, -CENTURY / 2, -CENTURY / 2 + 24 * 3600 * SECOND),
    }
}

/// What listings leave out of a call.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Stripped {
    /// Name, external id and variables.
    pub mark: bool,
    /// The number.
    pub number: bool,
}

/// The way one request and its answer go.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) enum Way {
    Plain,
    TooMany(Option<Duration>),
    Error { created: bool },
    Drop { created: bool },
    Html { created: bool },
    Slow(Duration),
    Late(Duration),
}

impl FaultDraw {
    /// Draws a fate. Each fault draws for itself, so that one more likely does not shift the others.
    pub(super) fn draw(faults: &Faults, speed: f64, chance: &mut Chance) -> Self {
        let hit = Fault::ALL.map(|fault| fault != Fault::WrongStamp && chance.happens(faults.of(fault)));
        let coin = chance.happens(0.5);
        let slow = chance.between((Duration::from_secs(35), Duration::from_mins(2)));
        let late = chance.between((Duration::from_mins(1), Duration::from_mins(20)));
        let wait = Duration::from_secs(1 + chance.bits() % 20);
        let way = match Fault::ALL.into_iter().find(|fault| hit[*fault as usize] && fault.is_a_way()) {
            Some(Fault::TooMany) => Way::TooMany(None),
            Some(Fault::TooManyRetryAfter) => Way::TooMany(Some(wait)),
            Some(Fault::ErrorBefore) => Way::Error { created: false },
            Some(Fault::ErrorAfter) => Way::Error { created: true },
            Some(Fault::DropBefore) => Way::Drop { created: false },
            Some(Fault::DropAfter) => Way::Drop { created: true },
            Some(Fault::Html) => Way::Html { created: coin },
            Some(Fault::Slow) => Way::Slow(slow.div_f64(speed)),
            Some(Fault::LateCreate) => Way::Late(late.div_f64(speed)),
            _ => Way::Plain,
        };
        let hit = |fault: Fault| hit[fault as usize];
        let (no_limits, minus_one) = (hit(Fault::NoLimits), hit(Fault::MinusOne));
        let stripped = Stripped { mark: hit(Fault::NoMark), number: hit(Fault::NoNumber) };
        Self { way, no_limits, minus_one, forgotten: hit(Fault::Forgotten), stripped, stamps: WrongStamps::default() }
    }
}

impl Fault {
    const fn is_a_way(self) -> bool {
        !matches!(
            self,
            Self::NoLimits
                | Self::MinusOne
                | Self::Forgotten
                | Self::NoMark
                | Self::NoNumber
                | Self::ReadError
                | Self::WrongStamp
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lead_back() {
        for (place, fault) in Fault::ALL.into_iter().enumerate() {
            assert_eq!(Fault::named(fault.name()), Some(fault));
            assert_eq!(fault as usize, place);
        }
        assert_eq!(Fault::named("flood"), None);
    }

    #[test]
    fn a_probability_stays_one() {
        let faults = Faults::default().with(Fault::Slow, 7.0).with(Fault::Html, f64::NAN);
        assert_eq!((faults.of(Fault::Slow), faults.of(Fault::Html)), (1.0, 0.0));
    }
}
