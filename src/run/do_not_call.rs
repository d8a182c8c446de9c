//! The do-not-call lists of a run, outside the journal.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use super::check::{do_not_call, list_failure};
use super::plan::RunPlan;
use crate::drive::signals::Signals;
use crate::drive::talk::say_unless;
use crate::journal::Dnc;
use crate::leads::lead::Phone;
use crate::leads::suppress::Suppression;
use crate::report::failure::Failure;

/// The do-not-call lists outside the journal.
pub(super) struct DoNotCall {
    lists: Arc<Mutex<Suppression>>,
}

impl DoNotCall {
    /// Reads them. They may be pipes that nobody writes to, so signals are heard meanwhile.
    pub(super) async fn open(planned: &RunPlan, signals: &mut Signals) -> Result<Self, Failure> {
        let planned = planned.clone();
        tokio::select! {
            biased;
            order = signals.next() => {
                Err(Failure::new(order.exit_before_dialing(), "interrupted before anybody was called"))
            }
            read = tokio::task::spawn_blocking(move || Self::read(&planned)) => {
                read.unwrap_or_else(|died| std::panic::resume_unwind(died.into_panic()))
            }
        }
    }

    fn read(planned: &RunPlan) -> Result<Self, Failure> {
        let (strict, quiet) = (planned.strict, planned.quiet);
        let lists = Suppression::open(&planned.dnc, planned.list.region).map_err(|error| {
            list_failure(&error).advise("--dnc: nobody is called while a do-not-call list cannot be read")
        })?;
        for list in do_not_call(&lists) {
            if list.is_odd() && strict {
                return Err(Failure::usage(list.text().trim_end()).advise("--strict was said: nobody was called"));
            }
            let warning = if list.is_odd() { "warning: " } else { "" };
            say_unless(quiet && !list.is_odd(), format!("{warning}{}", list.text()).trim_end());
        }
        Ok(Self { lists: Arc::new(Mutex::new(lists)) })
    }

    /// For the journal, to ask at every claim.
    pub(super) fn check(&self) -> Dnc {
        let lists = Arc::clone(&self.lists);
        Box::new(move |phone| lists.lock().unwrap_or_else(PoisonError::into_inner).contains(phone))
    }

    /// Adds whom the lists themselves say not to call.
    pub(super) fn add(&self, refused: &HashSet<Phone>) {
        self.lists.lock().unwrap_or_else(PoisonError::into_inner).add(refused);
    }

    /// Reads what has been added since; one `stat` for each file where nothing has.
    pub(super) fn look_again(&self) -> Result<(), String> {
        let mut lists = self.lists.lock().unwrap_or_else(PoisonError::into_inner);
        let told = |what: String| format!("a do-not-call list cannot be read, so nobody is dialed: {what}");
        if lists.changed().map_err(|error| told(error.to_string()))? {
            lists.reload().map_err(|error| told(error.to_string()))?;
        }
        Ok(())
    }
}
