//! Signals, and what they mean for a run.

use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::campaign::event::Stop;
use crate::exit::Exit;

/// The signals that end a run.
pub struct Signals {
    interrupt: Signal,
    terminate: Signal,
    hang_up: Signal,
    interrupts: u32,
}

/// A signal: what it asks for, and the exit code that it has if it ends the run.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Order {
    /// What it asks for.
    pub stop: Stop,
    /// Its own exit code.
    pub exit: Exit,
}

impl Signals {
    /// From now on they are ours.
    pub fn listen() -> std::io::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hang_up: signal(SignalKind::hangup())?,
            interrupts: 0,
        })
    }

    /// The next order. Cancel-safe.
    pub async fn next(&mut self) -> Order {
        let exit = tokio::select! {
            biased;
            _ = self.terminate.recv() => Exit::Terminated,
            _ = self.hang_up.recv() => Exit::HungUp,
            _ = self.interrupt.recv() => Exit::Interrupted,
        };
        if exit == Exit::Interrupted {
            self.interrupts += 1;
        }
        let first_interrupt = exit == Exit::Interrupted && self.interrupts == 1;
        Order { stop: if first_interrupt { Stop::Drain } else { Stop::Now }, exit }
    }
}
