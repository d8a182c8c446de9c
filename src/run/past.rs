//! Past calls of the journal, as a forecast learns from them.

use crate::campaign::attempt::State;
use crate::campaign::disposition::Class;
use crate::journal::disk::Disk;
use crate::journal::disk::accounts::REHEARSAL;
use crate::journal::disk::outcomes::AttemptOutcome;
use crate::journal::disk::story::Campaign;
use crate::rehearsal::forecast::belief::{Past, PastCall};
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
pub struct Before {
    /// The calls that a forecast learns from.
    pub past: Past,
    /// They are enough of this very campaign.
    pub is_own: bool,
    /// What this campaign has cost, in US dollars.
    pub spent_usd: f64,
}

/// Reads the past out of a journal. The sandbox's calls say nothing of people, and people's nothing of the sandbox.
pub fn before(disk: &Disk, campaign: &str, sandbox: bool) -> Result<Before, Failure> {
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
pub const fn shape(class: Class, lasted: bool) -> Shape {
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
