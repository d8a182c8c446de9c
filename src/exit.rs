//! The exit codes: a contract with cron jobs and scripts.

/// What the process says as it ends.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
#[repr(u8)]
pub enum Exit {
    /// Every lead is settled.
    Settled = 0,
    /// A bug, or the disk, the clock or the network of this machine failed.
    Machine = 1,
    /// Wrong usage, unreadable list or one without a lead, impossible plan.
    Usage = 2,
    /// Nothing left to do, but some leads stay in doubt, for a person.
    Doubts = 3,
    /// There is more to do later: run again.
    Later = 4,
    /// The account refused: key, credit, configuration; no lead was burnt.
    Account = 5,
    /// Another run, machine or journal holds this campaign.
    Held = 6,
    /// Second Ctrl-C.
    Interrupted = 130,
    /// SIGTERM.
    Terminated = 143,
    /// SIGHUP.
    HungUp = 129,
}

impl Exit {
    /// The code as the shell sees it.
    pub const fn code(self) -> u8 {
        self as u8
    }
}
