//! What was said in calls, for `report --transcripts`: read from the provider, which keeps it for some weeks; the
//! journal has none of it.

use std::time::Duration;

use super::account::{base_url, key};
use super::environment::Environment;
use super::report::ReportArgs;
use super::usage::{no_key, reader};
use super::{runtime, say};
use crate::drive::clock::Clock;
use crate::drive::preflight::{again, told};
use crate::journal::disk::outcomes::{LeadOutcome, last_call};
use crate::report::failure::Failure;
use crate::report::style::count;
use crate::vapi::client::Client;
use crate::vapi::preflight::PreflightTrouble;

/// Between two requests: the account's runs have use for the rest of what it may ask in a minute.
const PAUSE: Duration = Duration::from_millis(800);

/// Reads transcripts, one call after the other.
pub(super) struct Transcripts {
    client: Client,
    runtime: tokio::runtime::Runtime,
    clock: Clock,
    asked: u64,
    missed: u64,
    /// Why the first of them could not be read.
    why: Option<String>,
    /// The account refuses: nothing more is asked for.
    refused: Option<Failure>,
}

impl Transcripts {
    /// From now on they can be read.
    pub(super) fn open(args: &ReportArgs, around: &Environment<'_>) -> Result<Self, Failure> {
        let key = key(args.api_key_file.as_deref(), around, &mut Vec::new())?.ok_or_else(no_key)?;
        let client = reader(&base_url(&args.base_url)?, key)?;
        let (runtime, clock) = (runtime()?, Clock::real());
        Ok(Self { client, runtime, clock, asked: 0, missed: 0, why: None, refused: None })
    }

    /// That of a lead's last call; empty where nobody answered, and where there is none.
    pub(super) fn of(&mut self, lead: &LeadOutcome<'_>) -> String {
        let last = last_call(lead.attempts).filter(|last| last.is_answered());
        let call = last.and_then(|last| last.call.as_ref());
        let Some(call) = call.filter(|_| self.refused.is_none()) else { return String::new() };
        let (client, clock, is_first) = (&self.client, &self.clock, self.asked == 0);
        self.asked += 1;
        let read = self.runtime.block_on(async {
            if !is_first {
                tokio::time::sleep(PAUSE).await;
            }
            again(clock, async || client.transcript(call).await).await
        });
        match read {
            Ok(Some(text)) => return text,
            Ok(None) => self.why.get_or_insert_with(|| "the provider has none of them (any more)".to_owned()),
            Err(failure) if matches!(failure.trouble, PreflightTrouble::Key | PreflightTrouble::Refused) => {
                self.refused = Some(told(&failure));
                return String::new();
            }
            Err(failure) => self.why.get_or_insert_with(|| failure.to_string()),
        };
        self.missed += 1;
        String::new()
    }

    /// Says how many there were not.
    pub(super) fn finish(self) -> Result<(), Failure> {
        if let Some(why) = self.why {
            let of = count(self.asked, "transcript", "transcripts");
            say(&format!("warning: {} of {of} could not be read: {why}", self.missed));
        }
        self.refused.map_or(Ok(()), Err)
    }
}
