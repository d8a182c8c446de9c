//! Who is told what happens in a run: the terminal, the log, and whoever else wants to know.
//!
//! Each observer has a thread and a bounded queue of its own. What does not fit is lost and counted, so that none of
//! them ever holds the dialing up.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{self, Receiver, SyncSender};
use std::time::Duration;

use crate::report::happening::Happening;

/// Happenings that may wait for one observer.
const WAITING: usize = 4096;
/// How long an observer lets happenings gather once it has heard all of them: waking a thread for each costs more than
/// what it does.
const GATHER: Duration = Duration::from_millis(10);
/// Snapshots are told only to an observer that has fewer happenings than this before it: a newer one comes soon.
const BEHIND: usize = 256;
/// How long an observer may take over what is left at the end.
const PATIENCE: Duration = Duration::from_secs(2);

/// Is told what happens.
pub trait Observer: Send + 'static {
    /// This happened.
    fn hear(&mut self, happening: &Happening);
    /// So many happenings did not fit into its queue.
    fn lost(&mut self, count: u64);
    /// The run is over.
    fn finish(&mut self);
}

/// All observers of a run.
#[derive(Default)]
pub struct Observers {
    watchers: Vec<Watcher>,
}

struct Watcher {
    queue: SyncSender<(u64, Arc<Happening>)>,
    behind: Arc<AtomicUsize>,
    lost: u64,
    /// Dropped with the queue, which ends a wait for more.
    _ended: SyncSender<()>,
    finished: Receiver<()>,
}

impl Observers {
    /// One more, made on its own thread: what it does at its start may wait, too.
    pub fn add<O: Observer>(&mut self, open: impl FnOnce() -> O + Send + 'static) {
        let (queue, heard) = mpsc::sync_channel(WAITING);
        let (ended, end) = mpsc::sync_channel(0);
        let (done, finished) = mpsc::sync_channel(1);
        let behind = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&behind);
        std::thread::spawn(move || {
            let mut observer = open();
            watch(&mut observer, &heard, &end, &counted);
            observer.finish();
            // At the end nobody may be waiting any more.
            let _ = done.try_send(());
        });
        self.watchers.push(Watcher { queue, behind, lost: 0, _ended: ended, finished });
    }

    /// Tells all of them.
    pub fn tell(&mut self, happening: Happening) {
        let happening = Arc::new(happening);
        for watcher in &mut self.watchers {
            watcher.tell(&happening);
        }
    }

    /// No more happens: waits for what is left to be shown, but not for long.
    pub fn finish(self) {
        let finished: Vec<_> = self.watchers.into_iter().map(|watcher| watcher.finished).collect();
        for finished in finished {
            let _ = finished.recv_timeout(PATIENCE);
        }
    }
}

impl Watcher {
    fn tell(&mut self, happening: &Arc<Happening>) {
        let stands = matches!(**happening, Happening::Stands(_));
        if stands && self.behind.load(Ordering::Relaxed) >= BEHIND {
            return;
        }
        self.behind.fetch_add(1, Ordering::Relaxed);
        if self.queue.try_send((self.lost, Arc::clone(happening))).is_ok() {
            self.lost = 0;
        } else {
            self.behind.fetch_sub(1, Ordering::Relaxed);
            self.lost += 1;
        }
    }
}

fn watch(
    observer: &mut impl Observer,
    heard: &Receiver<(u64, Arc<Happening>)>,
    end: &Receiver<()>,
    behind: &AtomicUsize,
) {
    let mut hear = |(lost, happening): (u64, Arc<Happening>)| {
        behind.fetch_sub(1, Ordering::Relaxed);
        if lost > 0 {
            observer.lost(lost);
        }
        observer.hear(&happening);
    };
    while let Ok(first) = heard.recv() {
        hear(first);
        heard.try_iter().for_each(&mut hear);
        let _ = end.recv_timeout(GATHER);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;
    use crate::report::notice::Severity;
    use crate::time::{Instant, Now};

    /// Waits for leave before it hears anything.
    struct Slow {
        leave: Receiver<()>,
        heard: Arc<Mutex<(u64, u64)>>,
    }

    impl Observer for Slow {
        fn hear(&mut self, _: &Happening) {
            let _ = self.leave.recv();
            self.heard.lock().unwrap().0 += 1;
        }
        fn lost(&mut self, count: u64) {
            self.heard.lock().unwrap().1 += count;
        }
        fn finish(&mut self) {}
    }

    #[test]
    fn an_observer_that_is_stuck_holds_nobody_up_and_is_told_what_it_missed() {
        let (leave, waits) = mpsc::channel();
        let heard = Arc::new(Mutex::new((0, 0)));
        let mut observers = Observers::default();
        let slow = Slow { leave: waits, heard: Arc::clone(&heard) };
        observers.add(move || slow);
        let at = Instant::from_micros(0);
        let now = Now { at, wall: at.timestamp() };
        let say = || Happening::Said(now, Severity::Event, "something".to_owned());
        let told = WAITING as u64 + 500;
        (0..told).for_each(|_| observers.tell(say()));
        drop(leave);
        while heard.lock().unwrap().0 < WAITING as u64 {
            std::thread::yield_now();
        }
        observers.tell(say());
        observers.finish();
        let (heard, lost) = *heard.lock().unwrap();
        assert_eq!(heard + lost, told + 1);
        assert!(lost >= 499, "{lost}");
    }
}
