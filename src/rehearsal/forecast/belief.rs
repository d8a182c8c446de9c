//! What a forecast takes for true of those who are called and of those who call, and how sure that is.

use std::time::Duration;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::super::world::chance::{Chance, length};
use super::super::world::config::{ProviderConfig, Traffic};
use super::super::world::mix::{Durations, Ending, Shape, usual_mix};
use crate::campaign::callers::{InboundHistory, USUAL_CALL_S};

/// What holds where nothing is known: the built-in stand-in's own figures.
const ANSWERED: f64 = 0.38;
const TALK_S: f64 = 95.0;
const INBOUND_PER_HOUR: f64 = 40.0;
const INBOUND_MEAN_S: f64 = 180.0;
/// Where a guess is from, for people.
const GUESSED: &str = "a guess";
/// A guess counts for as little as if it had been learnt from so many calls.
const GUESS: f64 = 12.0;
/// What the guess still counts for beside calls that were seen.
const GUESS_BESIDE: f64 = 4.0;
/// What is taken for exact counts as if it had been learnt from so many callers.
const EXACT: f64 = 1_000.0;
/// Weights of a mix are whole numbers: shares of this.
const WHOLE: f64 = 1e6;

/// A quantity that is known from so many calls, or taken for exact.
#[derive(Clone, PartialEq, Debug)]
pub struct Belief {
    /// The likeliest value.
    pub value: f64,
    /// The calls that it rests on; none where it is taken for exact.
    pub calls: Option<f64>,
    /// Where it is from, for people.
    pub from: String,
}

impl Belief {
    /// Taken for exact, since somebody said so.
    pub fn said(value: f64, from: &str) -> Self {
        Self { value, calls: None, from: from.to_owned() }
    }

    fn guessed(value: f64) -> Self {
        Self { value, calls: Some(GUESS), from: GUESSED.to_owned() }
    }

    /// Whether nothing is known of it.
    pub fn is_guess(&self) -> bool {
        self.from == GUESSED
    }

    /// Learnt from so many calls with this mean.
    pub fn learnt(mean: f64, calls: f64, from: &str) -> Self {
        Self { value: mean, calls: Some(calls), from: from.to_owned() }
    }

    /// The same, with a guess beside it, which counts for little.
    fn beside(self, guess: f64) -> Self {
        let Some(calls) = self.calls else { return self };
        let all = calls + GUESS_BESIDE;
        Self { value: (self.value * calls + guess * GUESS_BESIDE) / all, calls: Some(all), ..self }
    }

    /// A share that may be the true one (beta distribution).
    fn share(&self, chance: &mut Chance) -> f64 {
        let Some(calls) = self.calls else { return self.value.clamp(0.0, 1.0) };
        let (yes, no) = (chance.gamma(self.value * calls), chance.gamma((1.0 - self.value) * calls));
        if yes + no > 0.0 { yes / (yes + no) } else { self.value }
    }

    /// A mean length that may be the true one (inverse gamma distribution: lengths are taken for exponential).
    fn mean_length(&self, chance: &mut Chance) -> f64 {
        let Some(calls) = self.calls.filter(|calls| *calls > 1.0) else { return self.value };
        self.value * (calls - 1.0) / chance.gamma(calls).max(1e-6)
    }

    /// A number an hour that may be the true one (gamma distribution).
    fn pace(&self, chance: &mut Chance) -> f64 {
        let Some(calls) = self.calls.filter(|calls| *calls > 0.0) else { return self.value };
        self.value * chance.gamma(calls) / calls
    }
}

/// Everything that a forecast assumes.
#[derive(Clone, PartialEq, Debug)]
pub struct Beliefs {
    /// The share of calls that a person answers.
    pub answered: Belief,
    /// How long a person talks, in seconds.
    pub talk_s: Belief,
    /// Callers an hour.
    pub inbound_per_hour: Belief,
    /// How long they stay, in seconds.
    pub inbound_mean_s: Belief,
    /// What becomes of calls that no person answers, and how often.
    pub unanswered: Vec<Ending>,
    /// Callers of each hour of the day (UTC) as a multiple of the mean, where hours differ.
    pub by_hour: Option<[f64; 24]>,
    /// What a minute costs, in US dollars, where that is known.
    pub usd_minute: Option<f64>,
}

impl Beliefs {
    /// Where nothing is known.
    pub fn guessed() -> Self {
        Self {
            answered: Belief::guessed(ANSWERED),
            talk_s: Belief::guessed(TALK_S),
            inbound_per_hour: Belief::guessed(INBOUND_PER_HOUR),
            inbound_mean_s: Belief::guessed(INBOUND_MEAN_S),
            unanswered: usual_mix().into_iter().filter(|ending| !is_person(ending.shape)).collect(),
            by_hour: None,
            usd_minute: None,
        }
    }

    /// Of the built-in stand-in everything is known.
    pub fn of_sandbox() -> Self {
        let exactly = |value| Belief::said(value, "the sandbox's own");
        Self {
            answered: exactly(ANSWERED),
            talk_s: exactly(TALK_S),
            inbound_per_hour: exactly(INBOUND_PER_HOUR),
            inbound_mean_s: exactly(INBOUND_MEAN_S),
            ..Self::guessed()
        }
    }

    /// What calls of the past show; the sandbox's own show nothing that is not known of it.
    pub fn from_past(past: &Past, sandbox: bool) -> Self {
        if sandbox {
            return Self::of_sandbox();
        }
        let mut beliefs = Self::guessed();
        beliefs.learn(past);
        beliefs
    }

    /// Takes in calls of the past.
    pub fn learn(&mut self, past: &Past) {
        if past.calls == 0 {
            return;
        }
        let of = |calls: u64, of_what: &str| format!("from {calls} {of_what}{}", past.of);
        #[expect(clippy::cast_precision_loss, reason = "counts of calls")]
        let (calls, persons) = (past.calls as f64, past.persons as f64);
        let answered = Belief::learnt(persons / calls, calls, &of(past.calls, "calls"));
        self.answered = answered.beside(ANSWERED);
        if past.persons > 0 && past.talked_s > 0.0 {
            let talk = Belief::learnt(past.talked_s / persons, persons, &of(past.persons, "talks"));
            self.talk_s = talk.beside(TALK_S);
        }
        if past.minutes > 0.0 && past.cost_usd > 0.0 {
            self.usd_minute = Some(past.cost_usd / past.minutes);
        }
        if past.unanswered.iter().map(|ending| ending.weight).sum::<u32>() > 0 {
            self.unanswered.clone_from(&past.unanswered);
        }
    }

    /// Callers of the account's past, hour by hour as on that day.
    pub fn learn_callers(&mut self, past: &InboundHistory, day: Date, zone: &TimeZone) {
        self.inbound_per_hour = Belief::learnt(past.mean_per_hour(), past.callers, &past.from);
        self.inbound_mean_s = Belief::learnt(past.mean_s, past.callers, &past.from);
        let mean = past.mean_per_hour();
        if past.per_hour.len() > 1 && mean > 0.0 {
            let midnight = day.to_zoned(TimeZone::UTC).map_or(Timestamp::UNIX_EPOCH, |day| day.timestamp());
            let hours: [i64; 24] = std::array::from_fn(|hour| i64::try_from(hour).unwrap_or(0));
            let at = |hour| midnight.checked_add(SignedDuration::from_hours(hour)).unwrap_or(midnight);
            self.by_hour = Some(hours.map(|hour| past.at(at(hour), zone) / mean));
        }
    }

    /// Callers as a run would learn of them from the account.
    pub fn inbound_history(&self) -> InboundHistory {
        InboundHistory {
            per_hour: vec![self.inbound_per_hour.value],
            mean_s: self.inbound_mean_s.value.max(1.0),
            call_s: USUAL_CALL_S,
            callers: self.inbound_per_hour.calls.unwrap_or(EXACT),
            from: self.inbound_per_hour.from.clone(),
        }
    }

    /// A world that all this may be true of.
    pub(super) fn draw(&self, slots: u32, seed: u64) -> ProviderConfig {
        let mut chance = Chance::of(seed, "beliefs", "", 0);
        let answered = self.answered.share(&mut chance);
        let talk = self.talk_s.mean_length(&mut chance);
        let per_hour = self.inbound_per_hour.pace(&mut chance);
        let stays = self.inbound_mean_s.mean_length(&mut chance);
        let usual = Durations::default();
        let least = usual.talk.0.as_secs_f64().min(talk / 4.0);
        let lengths = Durations {
            talk: (length(least), length(talk - least)),
            longest_talk: usual.longest_talk.max(length(talk * 6.0)).min(Duration::from_hours(12)),
            ..usual
        };
        ProviderConfig {
            slots,
            traffic: vec![match self.by_hour {
                Some(shares) => Traffic::inbound_by_hour(shares.map(|share| share * per_hour), length(stays)),
                None => Traffic::inbound(per_hour, length(stays)),
            }],
            mix: self.mix(answered),
            lengths,
            ..ProviderConfig::default()
        }
    }

    fn mix(&self, answered: f64) -> Vec<Ending> {
        let persons: Vec<_> = usual_mix().into_iter().filter(|ending| is_person(ending.shape)).collect();
        scaled(&persons, answered).chain(scaled(&self.unanswered, 1.0 - answered)).collect()
    }
}

/// These endings, with weights that come to that share of all.
fn scaled(endings: &[Ending], share: f64) -> impl Iterator<Item = Ending> {
    let sum: f64 = endings.iter().map(|ending| f64::from(ending.weight)).sum();
    endings.iter().map(move |ending| {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of a million")]
        let weight = (f64::from(ending.weight) / sum * share.clamp(0.0, 1.0) * WHOLE).round() as u32;
        Ending { weight, ..ending.clone() }
    })
}

/// Whether a person answered.
pub const fn is_person(shape: Shape) -> bool {
    matches!(shape, Shape::Talk | Shape::Forwarded)
}

/// Calls of the past, added up.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Past {
    /// Calls that are over.
    pub calls: u64,
    /// Those of them that a person answered.
    pub persons: u64,
    /// How long those talked, in seconds, together.
    pub talked_s: f64,
    /// Minutes of all calls.
    pub minutes: f64,
    /// What they cost, in US dollars.
    pub cost_usd: f64,
    /// What became of the others.
    pub unanswered: Vec<Ending>,
    /// Whose calls they are, for people: what follows "from 12 calls".
    pub of: String,
}

impl Past {
    /// Takes in a call: whether a person answered it, why it ended, and its minutes, where the phone was answered.
    pub fn add(&mut self, end: PastCall) {
        self.calls += 1;
        let minutes = end.minutes.unwrap_or(0.0).max(0.0);
        self.minutes += minutes;
        self.cost_usd += end.cost_usd.unwrap_or(0.0);
        if is_person(end.shape) {
            self.persons += 1;
            self.talked_s += minutes * 60.0;
        } else if let Some(known) = self.unanswered.iter_mut().find(|ending| *ending.reason == *end.reason) {
            known.weight += 1;
        } else {
            self.unanswered.push(Ending { weight: 1, reason: end.reason.into(), shape: end.shape });
        }
    }
}

/// One call of the past.
#[derive(Clone, PartialEq, Debug)]
pub struct PastCall {
    /// How it went.
    pub shape: Shape,
    /// `endedReason`.
    pub reason: String,
    /// From the answer to the end, in minutes.
    pub minutes: Option<f64>,
    /// What it cost, in US dollars.
    pub cost_usd: Option<f64>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spread(belief: &Belief, draw: impl Fn(&Belief, &mut Chance) -> f64) -> (f64, f64) {
        let mut drawn: Vec<f64> = (0..4_000).map(|nth| draw(belief, &mut Chance::of(5, "test", "", nth))).collect();
        drawn.sort_by(f64::total_cmp);
        (drawn.iter().sum::<f64>() / 4_000.0, drawn[3_600] - drawn[400])
    }

    #[test]
    fn what_is_learnt_from_few_calls_is_less_sure() {
        for (draw, value) in
            [(Belief::share as fn(&Belief, &mut Chance) -> f64, 0.4), (Belief::mean_length, 90.0), (Belief::pace, 30.0)]
        {
            let (few, many) = (Belief::learnt(value, 20.0, ""), Belief::learnt(value, 2_000.0, ""));
            let ((mean, wide), (_, narrow)) = (spread(&few, draw), spread(&many, draw));
            assert!((mean / value - 1.0).abs() < 0.03, "{mean} for {value}");
            assert!((8.0..13.0).contains(&(wide / narrow)), "ten times as wide: {wide} {narrow}");
            assert!(spread(&Belief::said(value, ""), draw).1.abs() < 1e-9);
        }
    }

    #[test]
    fn a_mix_has_the_share_that_is_believed() {
        let mut beliefs = Beliefs::of_sandbox();
        beliefs.answered = Belief::said(0.45, "");
        let world = beliefs.draw(10, 1);
        let weight = |persons: bool| {
            let of_kind = world.mix.iter().filter(|ending| is_person(ending.shape) == persons);
            of_kind.map(|ending| f64::from(ending.weight)).sum::<f64>()
        };
        assert!((weight(true) / (weight(true) + weight(false)) - 0.45).abs() < 1e-4);
    }
}
