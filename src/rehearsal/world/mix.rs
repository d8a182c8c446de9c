//! What calls come to: how they go, how long each part lasts, and the reason they end with.

use std::borrow::Cow;
use std::time::Duration;

use super::chance::Chance;

/// How a call goes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Shape {
    /// Ends before any phone rings.
    NeverRings,
    /// Rings for a moment: busy.
    RingsBriefly,
    /// Rings and is refused.
    Rejected,
    /// Rings until nobody has answered.
    RingsOut,
    /// A machine answers.
    Machine,
    /// Somebody answers and talks.
    Talk,
    /// Somebody answers, talks, and is forwarded to somebody else.
    Forwarded,
    /// Somebody answers, and it breaks soon after.
    Breaks,
}

/// One way for a call to end.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Ending {
    /// How often, against the others.
    pub weight: u32,
    /// `endedReason`.
    pub reason: Cow<'static, str>,
    /// How it goes.
    pub shape: Shape,
}

impl Ending {
    /// That reason, that often.
    pub const fn new(weight: u32, reason: &'static str, shape: Shape) -> Self {
        Self { weight, reason: Cow::Borrowed(reason), shape }
    }
}

/// How long the parts of a call last: the least and the most, but for talks, which have a mean.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Durations {
    /// From the creation until a phone rings.
    pub setup: (Duration, Duration),
    /// Ringing until a person answers.
    pub answer: (Duration, Duration),
    /// Ringing until a machine answers.
    pub machine_answer: (Duration, Duration),
    /// Ringing until nobody has answered.
    pub ring_out: (Duration, Duration),
    /// Ringing until the line is found busy.
    pub busy: (Duration, Duration),
    /// A message to a machine.
    pub message: (Duration, Duration),
    /// A talk: the least, and what it is longer than that on the average; cut at [`Durations::longest_talk`].
    pub talk: (Duration, Duration),
    /// The longest talk that the assistant allows.
    pub longest_talk: Duration,
    /// Ringing until the assistant answers a caller.
    pub pick_up: (Duration, Duration),
    /// From the end until cost and transcript are known.
    pub settle: (Duration, Duration),
}

impl Default for Durations {
    fn default() -> Self {
        let seconds = |least, most| (Duration::from_secs(least), Duration::from_secs(most));
        Self {
            setup: (Duration::from_millis(400), Duration::from_millis(2500)),
            answer: seconds(4, 24),
            machine_answer: seconds(15, 28),
            ring_out: seconds(25, 60),
            busy: seconds(1, 4),
            message: seconds(8, 40),
            talk: seconds(5, 90),
            longest_talk: Duration::from_mins(10),
            pick_up: (Duration::from_millis(500), Duration::from_secs(2)),
            settle: seconds(1, 6),
        }
    }
}

/// What calls come to where nothing else is said: 38% reach a person; a call lasts 73 s on the average.
pub fn usual_mix() -> Vec<Ending> {
    use Shape::{Breaks, Forwarded, Machine, NeverRings, Rejected, RingsBriefly, RingsOut, Talk};
    vec![
        Ending::new(170, "assistant-ended-call", Talk),
        Ending::new(140, "customer-ended-call", Talk),
        Ending::new(30, "assistant-said-end-call-phrase", Talk),
        Ending::new(25, "silence-timed-out", Talk),
        Ending::new(15, "assistant-forwarded-call", Forwarded),
        Ending::new(260, "voicemail", Machine),
        Ending::new(215, "customer-did-not-answer", RingsOut),
        Ending::new(50, "customer-busy", RingsBriefly),
        Ending::new(20, "call.in-progress.error-providerfault-outbound-sip-403-forbidden", Rejected),
        Ending::new(25, "twilio-reported-customer-misdialed", NeverRings),
        Ending::new(20, "twilio-failed-to-connect-call", NeverRings),
        Ending::new(15, "call.in-progress.error-vapifault-transport-never-connected", NeverRings),
        Ending::new(8, "worker-shutdown", Breaks),
        Ending::new(4, "call.in-progress.error-vapifault-openai-429-rate-limit-reached", Breaks),
        Ending::new(3, "call.in-progress.error-something-quite-new", Breaks),
    ]
}

/// The life of one call, laid down when it is created: lengths from one turn to the next.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Script {
    /// From the creation to the ringing; to the end, if it never rings.
    pub(super) setup: Duration,
    /// Ringing, where it does.
    pub(super) ring: Option<Duration>,
    /// From the answer to the end, or to the forwarding, where it is answered.
    pub(super) talk: Option<Duration>,
    /// From the forwarding to the end, where it is forwarded.
    pub(super) forward: Option<Duration>,
    /// `endedReason`.
    pub(super) reason: Cow<'static, str>,
    /// Somebody spoke.
    pub(super) spoke: bool,
    /// Somebody asked not to be called again.
    pub(super) opt_out: bool,
    /// From the end until cost and transcript are known.
    pub(super) settle: Duration,
}

impl Script {
    /// Draws a life of an outbound call.
    pub(super) fn draw(mix: &[Ending], lengths: &Durations, chance: &mut Chance) -> Self {
        let fallback = Ending::new(1, "unknown-error", Shape::NeverRings);
        let ending = mix.get(chance.weighted(mix.iter().map(|ending| ending.weight))).unwrap_or(&fallback);
        let ring = match ending.shape {
            Shape::NeverRings => None,
            Shape::RingsBriefly => Some(lengths.busy),
            Shape::RingsOut => Some(lengths.ring_out),
            Shape::Machine => Some(lengths.machine_answer),
            Shape::Rejected | Shape::Talk | Shape::Forwarded | Shape::Breaks => Some(lengths.answer),
        };
        let ring = ring.map(|range| chance.between(range));
        let long = lengths.talk.0.saturating_add(chance.exponential(lengths.talk.1)).min(lengths.longest_talk);
        let (message, short) = (chance.between(lengths.message), chance.between(lengths.answer));
        let talk = match ending.shape {
            Shape::Machine => Some(message),
            Shape::Talk | Shape::Forwarded => Some(long),
            Shape::Breaks => Some(short),
            _ => None,
        };
        let forward = (ending.shape == Shape::Forwarded).then(|| chance.exponential(lengths.talk.1));
        let (heard, tired) = (chance.happens(0.5), chance.happens(0.01));
        let person = matches!(ending.shape, Shape::Talk | Shape::Forwarded);
        Self {
            setup: chance.between(lengths.setup),
            ring,
            talk,
            forward,
            reason: ending.reason.clone(),
            spoke: person || (ending.shape == Shape::Breaks && heard),
            opt_out: person && tired,
            settle: chance.between(lengths.settle),
        }
    }

    /// The life of somebody else's call: rings for a second or two, talks for that long.
    pub(super) fn of_a_caller(talk: Duration, lengths: &Durations, chance: &mut Chance) -> Self {
        let reason = if chance.happens(0.7) { "customer-ended-call" } else { "assistant-ended-call" };
        Self {
            setup: Duration::ZERO,
            ring: Some(chance.between(lengths.pick_up)),
            talk: Some(talk),
            forward: None,
            reason: Cow::Borrowed(reason),
            spoke: true,
            opt_out: false,
            settle: chance.between(lengths.settle),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_usual_mix_is_what_it_says() {
        let (mix, lengths) = (usual_mix(), Durations::default());
        assert_eq!(mix.iter().map(|ending| ending.weight).sum::<u32>(), 1000);
        let mut chance = Chance::of(3, "test", "", 0);
        let (mut seconds, mut people, count) = (0.0, 0u32, 20_000u32);
        for _ in 0..count {
            let script = Script::draw(&mix, &lengths, &mut chance);
            let parts = [Some(script.setup), script.ring, script.talk, script.forward];
            seconds += parts.into_iter().flatten().sum::<Duration>().as_secs_f64();
            people += u32::from(script.spoke && !script.reason.contains("error") && script.reason != "worker-shutdown");
        }
        let (mean, share) = (seconds / f64::from(count), f64::from(people) / f64::from(count));
        assert!((64.0..95.0).contains(&mean), "{mean}");
        assert!((0.37..0.39).contains(&share), "{share}");
    }

    #[test]
    fn an_empty_mix_still_ends_calls() {
        let script = Script::draw(&[], &Durations::default(), &mut Chance::of(3, "test", "", 0));
        assert_eq!((script.ring, script.reason.as_ref()), (None, "unknown-error"));
    }
}
