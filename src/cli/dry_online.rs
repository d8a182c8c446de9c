//! `run --dry-run --online`: what the account shows of itself before anybody is called. Reads only.

use super::environment::Environment;
use super::runtime;
use super::usage::reader_for;
use crate::campaign::callers::InboundHistory;
use crate::campaign::disposition::classify;
use crate::drive::clock::Clock;
use crate::drive::past::{self, DAYS, Ended};
use crate::drive::preflight::{self, Account};
use crate::rehearsal::forecast::belief::{Past, is_person};
use crate::rehearsal::world::mix::Ending;
use crate::report::failure::Failure;
use crate::run::past::shape;
use crate::run::plan::RunPlan;

/// What the account shows.
pub(super) struct Online {
    /// The assistant and the lines, where they were named.
    pub(super) account: Option<Account>,
    /// Who called in lately, if anybody did.
    pub(super) callers: Option<InboundHistory>,
    /// How its own calls went lately.
    pub(super) past: Past,
}

impl Online {
    /// Reads it. What is not named is not read; a key is needed.
    pub(super) fn read(planned: &RunPlan, around: &Environment<'_>) -> Result<Self, Failure> {
        let named = &planned.account;
        let Some(key) = named.key.clone() else {
            let mut failure = Failure::usage("--online reads the account, and there is no key");
            failure.advice.extend(planned.missing.iter().map(|(_, cure)| cure.clone()));
            return Err(failure.advise("or leave --online out"));
        };
        let client = reader_for(&named.base_url, key, named.target.clone())?;
        let clock = Clock::real();
        runtime()?.block_on(async {
            let account = if planned.missing.is_empty() {
                Some(preflight::read(&client, &named.lines, &clock).await?)
            } else {
                None
            };
            let callers = past::inbound(&client, &clock, around.now, &around.zone).await?;
            let ended = past::outbound(&client, &clock, around.now).await?;
            Ok(Self { account, callers: Some(callers).filter(|callers| callers.callers > 0.0), past: sum(&ended) })
        })
    }

    /// Variables that the assistant's prompt uses: the list must have them.
    pub(super) fn variables(&self) -> &[String] {
        self.account.as_ref().map_or(&[], |account| &account.variables)
    }

    /// What is worth knowing before so many people are called.
    pub(super) fn text(&self, to_call: u64) -> String {
        let Some(account) = &self.account else {
            return "the assistant and the lines are not looked at: they are not all named\n".to_owned();
        };
        let mut lines = vec![format!("calls go out from {}", account.numbers().join(", "))];
        if !account.variables.is_empty() {
            lines.push(format!("the assistant's prompt uses {}", account.variables.join(", ")));
        }
        let down = account.down.iter().map(|(line, why)| format!("phone number {line} cannot be called from: {why}"));
        lines.extend(down.chain(account.warnings(to_call)).map(|line| format!("warning: {line}")));
        lines.join("\n") + "\n"
    }
}

fn sum(ended: &[Ended]) -> Past {
    let mut past = Past { of: format!(" of the account's last {DAYS} days"), ..Past::default() };
    for ended in ended {
        let shape = shape(classify(&ended.reason).class(), ended.seconds > 0.0);
        past.calls += whole(ended.calls);
        past.minutes += ended.seconds / 60.0;
        past.cost_usd += ended.cost_usd;
        if is_person(shape) {
            past.persons += whole(ended.calls);
            past.talked_s += ended.seconds;
        } else {
            let weight = u32::try_from(whole(ended.calls)).unwrap_or(u32::MAX);
            past.unanswered.push(Ending { weight, reason: ended.reason.clone().into(), shape });
        }
    }
    past
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count of calls")]
fn whole(calls: f64) -> u64 {
    calls.round().clamp(0.0, 1e12) as u64
}
