//! Writes the trace of a run to a file, on a thread of its own. The loop is never held up: what does not fit into the
//! queue is lost and counted, and the trace says where.

use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::time::Duration;

use super::chance::chance;
use crate::campaign::event::{Action, Event, News};
use crate::leads::shown::file;
use crate::report::failure::Failure;
use crate::report::style::count;
use crate::trace::frames::{Compressor, MAGIC};
use crate::trace::mask::Mask;
use crate::trace::{Line, Sink, Step, Writer};

/// Lines, and rows of listings, that may wait to be written.
const WAITING: usize = 20_000;
/// What has come is written after that much silence, in real time.
const SILENCE: Duration = Duration::from_secs(1);
/// How long what is left may take at the end, in real time.
const PATIENCE: Duration = Duration::from_secs(2);

/// Where the trace goes, and what it shows.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TracePlan {
    /// The file; compressed, where its name ends in `.zst`.
    pub path: PathBuf,
    /// Telephone numbers are shown.
    pub numbers: bool,
}

/// A trace that is being written.
pub struct TraceFile {
    path: PathBuf,
    trouble: Receiver<String>,
    written: Receiver<()>,
}

impl TracePlan {
    /// Whether the file could be made, as far as can be told before.
    pub fn check(&self) -> Result<(), Failure> {
        for path in [&self.path, &kept(&self.path)] {
            may_be_replaced(path).map_err(|why| refused(path, &why))?;
        }
        Ok(())
    }

    /// Makes the file; a trace that is there already is kept as `FILE.1`, unless it is of this very run, which began
    /// again. To be called by whoever holds the campaign.
    pub fn open(&self, began_again: bool) -> Result<(Box<dyn Sink>, TraceFile), Failure> {
        self.check()?;
        let refused = |error: io::Error| refused(&self.path, &error.to_string());
        if self.path.exists() {
            let older = kept(&self.path);
            if began_again { std::fs::remove_file(&self.path) } else { std::fs::rename(&self.path, older) }
                .map_err(refused)?;
        }
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&self.path).map_err(refused)?;
        let is_compressed = self.path.extension().is_some_and(|end| end == "zst");
        let out = if is_compressed { Out::Compressed(Compressor::new(file)) } else { Out::Plain(BufWriter::new(file)) };
        let mut chance = chance();
        let mut key = [0; 32];
        key.chunks_mut(16).for_each(|half| half.copy_from_slice(&chance().to_le_bytes()));
        let writer = Writer::new(out, Mask::new(key, self.numbers));
        let (queue, lines) = mpsc::channel();
        let waiting = Arc::new(AtomicUsize::new(0));
        let (tell, trouble) = mpsc::channel();
        let (done, written) = mpsc::channel();
        let queued = Queue { lines: queue, waiting: Arc::clone(&waiting) };
        let path = self.path.clone();
        std::thread::spawn(move || {
            let told = match write_all(&lines, writer, &waiting) {
                Ok(0) => None,
                Ok(lost) => Some(format!("{} did not fit", count(lost, "line", "lines"))),
                Err(error) => Some(error.to_string()),
            };
            if let Some(why) = told {
                let _ = tell.send(not_whole(&path, &why));
            }
            let _ = done.send(());
        });
        Ok((Box::new(queued), TraceFile { path: self.path.clone(), trouble, written }))
    }
}

impl TraceFile {
    /// What went wrong, once.
    pub fn remark(&self) -> Option<String> {
        self.trouble.try_recv().ok()
    }

    /// No line comes any more: waits for what is left, but not for long. What went wrong, if anything did.
    pub fn finish(self) -> Option<String> {
        match self.written.recv_timeout(PATIENCE) {
            Err(RecvTimeoutError::Timeout) => Some(not_whole(&self.path, "the disk is too slow")),
            _ => self.remark(),
        }
    }
}

fn not_whole(path: &Path, why: &str) -> String {
    format!("the trace {} is not whole: {why}", file(path))
}

fn refused(path: &Path, why: &str) -> Failure {
    Failure::usage(format!("--trace: {} cannot be written: {why}", file(path)))
}

/// Where the trace before is kept.
pub fn kept(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".1");
    name.into()
}

/// Nothing but an older trace is replaced.
fn may_be_replaced(path: &Path) -> Result<(), String> {
    match std::fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
            if folder.is_none_or(Path::is_dir) { Ok(()) } else { Err("its folder does not exist".to_owned()) }
        }
        Err(error) => Err(error.to_string()),
        Ok(stat) if !stat.is_file() => Err("it is no plain file".to_owned()),
        Ok(_) if is_trace(path) => Ok(()),
        Ok(_) => Err("it is there already and is no trace: name another file, or move it away".to_owned()),
    }
}

fn is_trace(path: &Path) -> bool {
    let mut begin = Vec::new();
    let read = File::open(path).and_then(|file| file.take(9).read_to_end(&mut begin));
    read.is_ok() && (begin.is_empty() || begin == b"{\"trace\":" || begin.starts_with(&MAGIC))
}

/// The loop's end of the queue.
struct Queue {
    lines: Sender<Line>,
    waiting: Arc<AtomicUsize>,
}

impl Sink for Queue {
    fn put(&mut self, line: Line) -> bool {
        let weight = weight(&line);
        if self.waiting.load(Ordering::Relaxed) + weight > WAITING {
            return false;
        }
        self.waiting.fetch_add(weight, Ordering::Relaxed);
        self.lines.send(line).is_ok()
    }
}

/// A line, and the rows of the listing that it tells of.
fn weight(line: &Line) -> usize {
    let news = match line {
        Line::Step(_, _, Step::Event(event)) => match &**event {
            Event::Came(news) | Event::Watched(_, news) => Some(&**news),
            Event::News(news, _) => Some(news),
            _ => None,
        },
        Line::Step(_, _, Step::Action(action)) => match &**action {
            Action::Record(news) => Some(&**news),
            _ => None,
        },
        _ => None,
    };
    1 + if let Some(News::Listed { calls, .. }) = news { calls.len() } else { 0 }
}

/// Writes until no line comes any more. How many lines were lost.
fn write_all(lines: &Receiver<Line>, mut writer: Writer<Out>, waiting: &AtomicUsize) -> io::Result<u64> {
    let mut lost = 0;
    loop {
        match lines.recv_timeout(SILENCE) {
            Ok(line) => {
                if let Line::Step(_, _, Step::Lost(lines)) = &line {
                    lost += lines;
                }
                let weight = weight(&line);
                writer.write(line)?;
                if waiting.fetch_sub(weight, Ordering::Relaxed) == weight {
                    writer.out().rest()?;
                }
            }
            Err(RecvTimeoutError::Timeout) => writer.out().flush()?,
            Err(RecvTimeoutError::Disconnected) => {
                writer.out().flush()?;
                return Ok(lost);
            }
        }
    }
}

enum Out {
    Plain(BufWriter<File>),
    Compressed(Compressor<File>),
}

impl Out {
    /// No line waits now.
    fn rest(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(file) => file.flush(),
            Self::Compressed(_) => Ok(()),
        }
    }
}

impl Write for Out {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain(file) => file.write(bytes),
            Self::Compressed(file) => file.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(file) => file.flush(),
            Self::Compressed(file) => file.flush(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;
    use std::os::unix::fs::{PermissionsExt, symlink};

    use jiff::Timestamp;

    use super::*;
    use crate::time::{Instant, Now};
    use crate::trace::frames::Decompressor;

    fn wakes(count: u64) -> impl Iterator<Item = Line> {
        let now = Now { at: Instant::from_micros(0), wall: Timestamp::UNIX_EPOCH };
        (1..=count).map(move |n| Line::Step(n, now, Step::Event(Box::new(Event::Wake))))
    }

    fn plan(dir: &Path, name: &str) -> TracePlan {
        TracePlan { path: dir.join(name), numbers: false }
    }

    #[test]
    fn a_trace_is_its_owners_alone_and_the_one_before_is_kept() {
        let dir = tempfile::tempdir().unwrap();
        let plan = plan(dir.path(), "a.trace.zst");
        for (lines, began_again) in [(3, false), (3_000, false), (5, true)] {
            let (mut sink, file) = plan.open(began_again).unwrap();
            assert!(wakes(lines).all(|line| sink.put(line)));
            drop(sink);
            assert_eq!(file.finish(), None);
        }
        let read = |path: &Path| {
            let mut text = String::new();
            Decompressor::new(&std::fs::read(path).unwrap()[..]).read_to_string(&mut text).unwrap();
            assert_eq!(std::fs::metadata(path).unwrap().permissions().mode() & 0o777, 0o600);
            text.lines().count()
        };
        assert_eq!((read(&plan.path), read(&kept(&plan.path))), (5, 3));
    }

    #[test]
    fn nothing_but_a_trace_is_replaced() {
        let dir = tempfile::tempdir().unwrap();
        let path = |name: &str| dir.path().join(name);
        std::fs::write(path("leads.csv"), "phone\n").unwrap();
        std::fs::write(path("b.1"), "mine\n").unwrap();
        symlink(path("leads.csv"), path("link")).unwrap();
        for (name, why) in [
            ("leads.csv", "no trace"),
            ("b", "no trace"),
            ("link", "plain file"),
            ("x/y", "folder"),
            (".", "plain file"),
        ] {
            let said = plan(dir.path(), name).open(false).err().unwrap().to_string();
            assert!(said.contains("--trace") && said.contains(why), "{name}: {said}");
        }
        assert_eq!(std::fs::read_to_string(path("leads.csv")).unwrap(), "phone\n");
    }

    #[test]
    fn what_does_not_fit_waits_for_nobody() {
        let (lines, _unread) = mpsc::channel();
        let mut queue = Queue { lines, waiting: Arc::default() };
        let fit = wakes(WAITING as u64 + 5).filter(|_| true).map(|line| queue.put(line)).filter(|fits| *fits).count();
        assert_eq!(fit, WAITING);
    }
}
