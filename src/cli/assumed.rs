//! What a forecast assumes: said by `--assume`, else learnt from past calls in the journal, else guessed.

use super::dry_online::Online;
use super::environment::Environment;
use super::values::Assumption;
use crate::campaign::attempt::State;
use crate::campaign::disposition::Class;
use crate::journal::disk::Disk;
use crate::journal::disk::accounts::REHEARSAL;
use crate::journal::disk::outcomes::AttemptOutcome;
use crate::journal::disk::story::Campaign;
use crate::rehearsal::forecast::belief::{Belief, Beliefs, Past, PastCall};
use crate::rehearsal::world::mix::Shape;
use crate::report::failure::Failure;
use crate::report::style::count;

/// A campaign with fewer calls than this learns from the others too.
const ENOUGH: u64 = 50;

/// Attempts that are read at most, those of the campaign first, then those of the newest campaigns: a forecast learns
/// nothing more from further ones.
const MOST: usize = 20_000;

/// What the journal knows of the campaign's past.
#[derive(Default)]
pub(super) struct Before {
    /// The calls that a forecast learns from.
    pub(super) past: Past,
    /// They are enough of this very campaign.
    pub(super) is_own: bool,
    /// What this campaign has cost, in US dollars.
    pub(super) spent_usd: f64,
}

/// Reads the past out of a journal. The sandbox's calls say nothing of people, and people's nothing of the sandbox.
pub(super) fn before(disk: &Disk, campaign: &str, sandbox: bool) -> Result<Before, Failure> {
    let all = disk.campaigns()?;
    let of_kind = |it: &&Campaign| (it.account.name == REHEARSAL) == sandbox;
    let mut before = Before::default();
    let own = Past { of: " of this campaign".to_owned(), ..Past::default() };
    let (mut own, mut everybodys) = (own, Past::default());
    let (mut campaigns, mut left) = (0, MOST);
    let (own_first, others): (Vec<_>, Vec<_>) = all.iter().filter(of_kind).partition(|known| known.name == campaign);
    for known in own_first.into_iter().chain(others) {
        let is_own = known.name == campaign;
        if is_own {
            before.spent_usd += known.totals.cost_usd;
        }
        if left == 0 {
            break;
        }
        let attempts = disk.newest_attempts(&known.account, &known.name, left)?;
        left -= attempts.len();
        campaigns += 1;
        for attempt in &attempts {
            let Some(call) = past_call(attempt) else { continue };
            if is_own {
                own.add(call.clone());
            }
            everybodys.add(call);
        }
    }
    everybodys.of = format!(" of {}", count(campaigns, "campaign", "campaigns"));
    before.is_own = own.calls >= ENOUGH;
    before.past = if before.is_own || own.calls == everybodys.calls { own } else { everybodys };
    Ok(before)
}

fn past_call(attempt: &AttemptOutcome) -> Option<PastCall> {
    let State::Ended(class) = attempt.state else { return None };
    let shape = shape(class, attempt.is_answered());
    let reason = attempt.reason.clone().unwrap_or_default();
    Some(PastCall { shape, reason, minutes: attempt.minutes, cost_usd: attempt.cost_usd })
}

/// How a call of that class went; `lasted`: something was heard.
pub(super) const fn shape(class: Class, lasted: bool) -> Shape {
    match class {
        Class::Answered | Class::HungUp => Shape::Talk,
        Class::Voicemail => Shape::Machine,
        Class::NoAnswer => Shape::RingsOut,
        Class::Busy => Shape::RingsBriefly,
        Class::Rejected => Shape::Rejected,
        _ if lasted => Shape::Breaks,
        _ => Shape::NeverRings,
    }
}

/// What is believed: the sandbox's own figures, or what the past teaches; and over that what was said.
pub(super) fn beliefs(
    said: &[Assumption],
    before: &Before,
    online: Option<&Online>,
    sandbox: bool,
    around: &Environment<'_>,
) -> Beliefs {
    let mut beliefs = if sandbox { Beliefs::of_sandbox() } else { Beliefs::guessed() };
    let shown = online.map(|online| &online.past);
    // Of other campaigns' calls the journal knows no more than the account does.
    let shown = shown.filter(|shown| !before.is_own && shown.calls > before.past.calls);
    if !sandbox {
        beliefs.learn(shown.unwrap_or(&before.past));
    }
    if let Some(callers) = online.and_then(|online| online.callers.as_ref()) {
        beliefs.learn_callers(callers, around.now.to_zoned(around.zone.clone()).date(), &around.zone);
    }
    if said.iter().any(|assumption| matches!(assumption, Assumption::InboundPerHour(_))) {
        beliefs.by_hour = None;
    }
    for assumption in said {
        let (belief, value) = match *assumption {
            Assumption::Answered(share) => (&mut beliefs.answered, share),
            Assumption::Talk(length) => (&mut beliefs.talk_s, length.as_secs_f64()),
            Assumption::InboundPerHour(pace) => (&mut beliefs.inbound_per_hour, pace),
            Assumption::InboundMean(length) => (&mut beliefs.inbound_mean_s, length.as_secs_f64()),
        };
        *belief = Belief::said(value, "as given");
    }
    beliefs
}
