//! How the loop ends: with an outcome, or because it cannot go on.

use super::preflight::Account;
use super::signals::Order;
use crate::campaign::counts::RunCounts;
use crate::campaign::notice::Outcome;
use crate::exit::Exit;
use crate::journal::Error;
use crate::report::failure::Failure;

/// How it ended.
#[derive(Debug)]
pub struct RunEnd {
    /// What the campaign says.
    pub outcome: Outcome,
    /// The signal that has its own exit code, where one came.
    pub signal: Option<Exit>,
    /// The campaign as it was then.
    pub tally: RunCounts,
}

/// Why it could not go on.
#[derive(Debug)]
pub enum Broken {
    /// The journal cannot be written: nothing may be dialed.
    Journal(Error),
    /// Nobody may be called on this account, or not now.
    Refused(Failure),
    /// The list has to be read again first, for variables that the assistant needs.
    Lacks(Box<Account>),
    /// A signal came before anybody was called.
    Signal(Order),
    /// It was told to end at once, and the journal was not to be had.
    Left(Exit),
}

impl From<Error> for Broken {
    fn from(error: Error) -> Self {
        Self::Journal(error)
    }
}
