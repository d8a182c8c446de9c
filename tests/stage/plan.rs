//! The plan that tests begin with.

use std::num::NonZeroU32;
use std::time::Duration;

use dialer::campaign::hours::Calling;
use dialer::campaign::plan::{Plan, Rate, Reserve};
use dialer::campaign::retry::Retries;

/// The plan of somebody who typed nothing but a reserve of 3.
pub(crate) fn plan() -> Plan {
    let poll = Duration::from_secs(1);
    Plan {
        campaign: "leads".to_owned(),
        poll,
        probe_after: poll * 60,
        in_doubt: Some(Duration::from_mins(10)),
        look_back: Duration::from_hours(168),
        adopt: false,
        reserve: Reserve::always(3),
        slots: None,
        max_concurrent: None,
        caution: 0,
        release_lag: Duration::ZERO,
        batch_size: 50,
        drain: false,
        rate: Rate { count: NonZeroU32::MIN, per: Duration::from_secs(1) },
        watched: Vec::new(),
        requests: None,
        calling: Calling::any(),
        retries: Retries::never(),
        not_if_called_within: None,
        limit: None,
        max_cost: None,
        results_wait: None,
        until: None,
        wait: false,
        lines: vec!["line".to_owned()],
        longest_call: Duration::from_mins(11),
        seed: 1,
    }
}
