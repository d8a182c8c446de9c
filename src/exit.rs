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
    /// Every code, as the table has them.
    pub const ALL: [Self; 10] = [
        Self::Settled,
        Self::Machine,
        Self::Usage,
        Self::Doubts,
        Self::Later,
        Self::Account,
        Self::Held,
        Self::Interrupted,
        Self::Terminated,
        Self::HungUp,
    ];

    /// The code as the shell sees it.
    pub const fn code(self) -> u8 {
        self as u8
    }

    /// What it means, for the help and the README.
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::Settled => "every lead is settled",
            Self::Machine => "the disk, the clock or the network of this machine failed, or there is a bug",
            Self::Usage => "wrong usage, a list that cannot be read or has no lead, an impossible plan",
            Self::Doubts => "nothing left to do, but some leads stay in doubt, for a person",
            Self::Later => "there is more to do later: run it again; the message and --json say when",
            Self::Account => "the account refused: key, credit, configuration; no lead was burnt",
            Self::Held => "another run, machine or journal holds this campaign",
            Self::Interrupted => "second Ctrl-C: calls that are up live on, and the next run picks them up",
            Self::Terminated => "SIGTERM: the same",
            Self::HungUp => "SIGHUP: the same",
        }
    }
}
