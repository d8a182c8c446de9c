//! Signals, and what they mean for a run.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;

use crate::campaign::event::Stop;
use crate::exit::Exit;

/// Signals that may wait to be heard; more of them say nothing new.
const WAITING: usize = 16;

/// The signals that end a run.
pub struct Signals {
    orders: mpsc::Receiver<Order>,
    pending: Pending,
}

/// Whether a signal waits to be heard: for work that cannot wait for one itself.
#[derive(Clone, Debug, Default)]
pub struct Pending(Arc<AtomicBool>);

/// A signal: what it asks for, and the exit code that it has if it ends the run.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Order {
    /// What it asks for.
    pub stop: Stop,
    /// Its own exit code.
    pub exit: Exit,
}

impl Order {
    /// The exit code where it ends a run before anybody was rung: nothing is up that a first Ctrl-C would wait for.
    pub fn exit_before_dialing(&self) -> Exit {
        if self.stop == Stop::Drain { Exit::Later } else { self.exit }
    }
}

impl Signals {
    /// From now on they are ours.
    pub fn listen() -> std::io::Result<Self> {
        let mut interrupt = signal(SignalKind::interrupt())?;
        let mut terminate = signal(SignalKind::terminate())?;
        let mut hang_up = signal(SignalKind::hangup())?;
        let (sender, orders) = mpsc::channel(WAITING);
        let pending = Pending::default();
        let told = pending.clone();
        tokio::spawn(async move {
            let mut interrupts = 0_u32;
            loop {
                let exit = tokio::select! {
                    biased;
                    _ = terminate.recv() => Exit::Terminated,
                    _ = hang_up.recv() => Exit::HungUp,
                    _ = interrupt.recv() => Exit::Interrupted,
                };
                interrupts += u32::from(exit == Exit::Interrupted);
                let first_interrupt = exit == Exit::Interrupted && interrupts == 1;
                told.0.store(true, Ordering::Relaxed);
                let stop = if first_interrupt { Stop::Drain } else { Stop::Now };
                if sender.send(Order { stop, exit }).await.is_err() {
                    return;
                }
            }
        });
        Ok(Self { orders, pending })
    }

    /// The next order. Cancel-safe.
    pub async fn next(&mut self) -> Order {
        match self.orders.recv().await {
            Some(order) => order,
            None => std::future::pending().await,
        }
    }

    /// The order that waits, if one does.
    pub fn waiting(&mut self) -> Option<Order> {
        self.orders.try_recv().ok()
    }

    /// To be asked whether one waits.
    pub fn pending(&self) -> Pending {
        self.pending.clone()
    }
}

impl Pending {
    /// Whether a signal has come.
    pub fn is_set(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}
