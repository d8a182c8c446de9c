//! What a forecast assumes: said by `--assume`, else learnt from past calls in the journal, else guessed.

use super::dry_online::Online;
use super::environment::Environment;
use super::values::Assumption;
use crate::rehearsal::forecast::belief::{Belief, Beliefs};
use crate::run::past::Before;

/// What is believed: the sandbox's own figures, or what the past teaches; and over that what was said.
pub(super) fn beliefs(
    said: &[Assumption],
    before: &Before,
    online: Option<&Online>,
    sandbox: bool,
    around: &Environment<'_>,
) -> Beliefs {
    let shown = online.map(|online| &online.past);
    // Of other campaigns' calls the journal knows no more than the account does.
    let shown = shown.filter(|shown| !before.is_own && shown.calls > before.past.calls);
    let mut beliefs = Beliefs::from_past(shown.unwrap_or(&before.past), sandbox);
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
