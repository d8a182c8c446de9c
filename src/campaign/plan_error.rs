//! A flag whose value cannot be used. Raised where a plan is put together; nothing that runs ever raises it.

use thiserror::Error;

/// Which flag, and what is wrong with its value and what to write instead.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
#[error("{flag}: {problem}")]
pub struct PlanError {
    /// The flag, as it is typed.
    pub flag: &'static str,
    /// What is wrong, and what to write instead.
    pub problem: String,
}

impl PlanError {
    pub(super) fn new(flag: &'static str, problem: impl Into<String>) -> Self {
        Self { flag, problem: problem.into() }
    }
}
