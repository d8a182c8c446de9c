//! Signals, and what they mean for a run.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::signal::unix::{Signal, SignalKind, signal};
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
    /// The exit code where it ends a run before anybody was called: nothing is up that a first Ctrl-C would wait for.
    pub fn exit_before_dialing(&self) -> Exit {
        if self.stop == Stop::Drain { Exit::Later } else { self.exit }
    }
}

impl Signals {
    /// From now on they are ours. So is the one that says that a file may not grow: whoever writes to it is told as of a
    /// full disk, and the run goes on.
    pub fn listen() -> std::io::Result<Self> {
        drop(signal(SignalKind::from_raw(rustix::process::Signal::XFSZ.as_raw()))?);
        let mut interrupt = signal(SignalKind::interrupt())?;
        let mut terminate = signal(SignalKind::terminate())?;
        let mut hang_up = (!hang_up_is_ignored()).then(|| signal(SignalKind::hangup())).transpose()?;
        let (sender, orders) = mpsc::channel(WAITING);
        let pending = Pending::default();
        let told = pending.clone();
        tokio::spawn(async move {
            let mut interrupts = 0_u32;
            loop {
                let exit = tokio::select! {
                    biased;
                    _ = terminate.recv() => Exit::Terminated,
                    () = heard(hang_up.as_mut()) => Exit::HungUp,
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

/// From now on a signal ends the process at once: a run is over, and only its last words are still to be written, perhaps
/// to somebody who does not read them.
pub fn leave_on_signal() {
    std::thread::spawn(|| {
        let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else { return };
        runtime.block_on(async {
            if let Ok(mut signals) = Signals::listen() {
                let order = signals.next().await;
                std::process::exit(order.exit.code().into());
            }
        });
    });
}

impl Pending {
    /// Whether a signal has come.
    pub fn is_set(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// Waits for a signal; for ever, if it is not listened to. Cancel-safe.
async fn heard(signal: Option<&mut Signal>) {
    match signal {
        Some(signal) => {
            signal.recv().await;
        }
        None => std::future::pending().await,
    }
}

/// Whether whoever started this process had it ignore hang-ups, as `nohup` does; where that cannot be told, not.
fn hang_up_is_ignored() -> bool {
    std::fs::read_to_string("/proc/self/status").is_ok_and(|status| ignores_hang_up(&status))
}

/// `SigIgn:` of `proc_pid_status(5)` is a mask in hexadecimal, whose lowest bit is signal 1, `SIGHUP`.
fn ignores_hang_up(status: &str) -> bool {
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).is_some_and(|mask| mask & 1 == 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ignored_hang_up_is_found_in_what_the_system_says() {
        for (mask, ignored) in [("0000000000000001", true), ("0000000000001000", false), ("zz", false)] {
            assert_eq!(ignores_hang_up(&format!("Name:\tdialer\nSigIgn:\t{mask}\nSigCgt:\t1\n")), ignored, "{mask}");
        }
        assert!(!ignores_hang_up(""));
    }
}
