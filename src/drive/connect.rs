//! Before the first request: who is to talk, and from which lines.

use std::sync::Arc;

use super::Loop;
use super::end::Broken;
use super::preflight::{self, Account};
use crate::campaign::event::{AccountFact, Event};
use crate::exit::Exit;
use crate::journal::Journal;
use crate::report::failure::Failure;
use crate::report::notice::Severity;

/// What is to be known before the first request, and whether it is.
pub(super) struct ToConnect<'a> {
    pub(super) lines: Vec<String>,
    pub(super) account: Option<Account>,
    pub(super) org_is_known: &'a dyn Fn(&str) -> bool,
    pub(super) lacks: &'a dyn Fn(&Account) -> bool,
    /// Whether calls are told to send their messages here only where nobody else gets them.
    pub(super) leaves_servers: bool,
    pub(super) done: bool,
}

impl<J: Journal + Send + 'static> Loop<'_, J> {
    /// Reads the account, once.
    pub(super) async fn connect(&mut self) -> Result<(), Broken> {
        if self.to_connect.done {
            return Ok(());
        }
        let account = if let Some(account) = self.to_connect.account.take() {
            account
        } else {
            let (client, clock) = (Arc::clone(&self.client), self.clock.clone());
            let read = preflight::read(&client, &self.to_connect.lines, &clock);
            tokio::select! {
                biased;
                order = self.signals.next() => return Err(Broken::Signal(order)),
                account = read => account.map_err(Broken::Refused)?,
            }
        };
        if let Some(org) = account.org.as_deref().filter(|org| !(self.to_connect.org_is_known)(org)) {
            let what = format!("the key belongs to organisation {org}, and was known as another's");
            let failure = Failure::new(Exit::Account, what).advise("keep the two apart:   --state DIR");
            return Err(Broken::Refused(failure));
        }
        if self.to_connect.leaves_servers {
            account.leaves_servers().map_err(Broken::Refused)?;
        }
        if (self.to_connect.lacks)(&account) {
            return Err(Broken::Lacks(Box::new(account)));
        }
        self.take_account(account);
        self.to_connect.done = true;
        Ok(())
    }

    fn take_account(&mut self, account: Account) {
        let now = self.clock.now();
        // However long that took: nothing was decided before it that is still to be done.
        self.pulse.beat(now.at);
        // The assistant, and each line.
        let requests = u32::try_from(self.to_connect.lines.len() + 1).unwrap_or(u32::MAX);
        self.campaign.handle(now, Event::Account(AccountFact::Read(requests)));
        for warning in account.warnings(self.notes.totals.total.saturating_sub(self.notes.totals.settled)) {
            self.say(now, Severity::Trouble, &warning);
        }
        for (line, why) in account.down {
            self.campaign.handle(now, Event::LineDown(line, why));
        }
        let free = account.free.into_iter().map(AccountFact::FreeLine);
        let org = account.org.map(|_| AccountFact::OrgConfirmed);
        for fact in free.chain(org).chain(account.longest_call.map(AccountFact::CallsLast)) {
            self.campaign.handle(now, Event::Account(fact));
        }
    }
}
