//! The open batch.

use std::collections::VecDeque;

use super::reply::{BatchLead, Rest};

/// The open batch.
#[derive(Debug, Default)]
pub(super) struct Batch {
    pub(super) state: BatchState,
    pub(super) number: u64,
    pub(super) size: usize,
    /// Who is left to dial now, the most urgent first.
    pub(super) queue: VecDeque<BatchLead>,
}

#[derive(Debug, Default, Clone, Copy, PartialEq)]
pub(super) enum BatchState {
    /// None is open; one is to be asked for.
    #[default]
    Wanted,
    /// Asked for.
    Asked,
    /// Open.
    Open,
    /// Nobody may be dialed now.
    Nobody(Rest),
}
