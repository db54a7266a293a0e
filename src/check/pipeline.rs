//! The threads of a check.
//!
//! Readers fetch files ahead, more of them than there are cores, since a cold disk serves many
//! reads at once. Workers take the files in the order of the walk and pass what they find into a
//! channel each; one consumer empties the channels in that same order. So the order of everything
//! is that of the walk, and memory is bounded by the window of the readers.
//!
//! A worker blocks if its channel is full. This cannot deadlock: work is taken in order, so the
//! unit that the consumer waits for was always taken before the one that blocks.

use std::collections::BTreeMap;
use std::io::{self, Read as _};
use std::ops::Range;
use std::path::Path;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

use rayon::iter::{ParallelBridge as _, ParallelIterator as _};

use super::Options;
use super::ahead::Ahead;
use super::part::{self, Batch};
use crate::diagnostic::Diagnostic;
use crate::exit::Fatal;
use crate::manifest::{self, Part};
use crate::source::{FileId, MAX_FILE_BYTES, SourceFile, SourceStore};
use crate::text::reason;
use crate::walk::{Found, Origin, PathFault, Walk};

/// No thread can be started to read or to check.
#[derive(Debug, thiserror::Error)]
#[error("cannot start a thread: {}", reason(.0))]
pub struct NoThreads(#[from] io::Error);

impl Fatal for NoThreads {
    fn help(&self) -> Vec<String> {
        vec![
            "raise the limits of processes and memory (`ulimit -u`, `ulimit -v`), or check with \
             `--threads 1`"
                .to_owned(),
        ]
    }
}

/// The number of small files that are read and checked as one group.
const GROUP: usize = 32;
/// The number of threads that read files, and look where a long list can be cut.
const READERS: usize = 8;
/// The number of groups that may be read ahead.
const GROUPS_AHEAD: usize = 32;
/// The number of bytes that may be read ahead. A larger file is read when its turn comes.
const BYTES_AHEAD: usize = 16 << 20;
/// Files below this size are not accounted for one by one.
const COUNTED_BYTES: usize = 16 << 10;
/// Files from this size on are shared with the reports, not read again.
const LENT_BYTES: usize = 1 << 20;
/// The approximate number of artifacts of a unit that go to the consumer in one message.
const ENTRIES_AT_ONCE: usize = 1024;
/// The number of units that may be done and not consumed yet.
const UNITS_AHEAD: usize = 256;
/// The number of batches of one unit that may wait, within the limit of [`Ahead`] for all of them.
const BATCHES_AHEAD: usize = 8;

/// A message to the consumer.
#[derive(Debug)]
pub(super) enum Message {
    /// The findings and artifacts of a part of a file.
    Batch(FileId, Batch),
    /// A part of a file is done; the file is done with its last part.
    PartEnd { file: FileId, last: bool },
    /// A path could not be read.
    Unreadable(Diagnostic),
}

/// Checks the files of `walk`, and passes every message to `consume`, in order.
///
/// # Errors
/// If no thread can be started. Nothing was checked.
pub(super) fn run(
    walk: &Walk,
    store: &SourceStore,
    options: Options<'_>,
    mut consume: impl FnMut(Message),
) -> Result<(), NoThreads> {
    let pool = |threads| rayon::ThreadPoolBuilder::new().num_threads(threads).build();
    // Where threads are scarce, one checks too.
    let pool = pool(options.threads.unwrap_or(0)).or_else(|_| pool(1)).map_err(io::Error::other)?;
    let cuts_lists = pool.current_num_threads() > 1;
    let read_ahead = Arc::new(ReadAhead { cuts_lists, ..ReadAhead::default() });
    let groups: Vec<Range<usize>> = (0..walk.found.len())
        .step_by(GROUP)
        .map(|start| start..(start + GROUP).min(walk.found.len()))
        .collect();
    let (units, in_order) = sync_channel::<Receiver<Vec<Message>>>(UNITS_AHEAD);
    let ahead = &Ahead::default();
    thread::scope(|scope| {
        let _consumer = ahead.consumer();
        for reader in 0..READERS.min(groups.len()) {
            let started = thread::Builder::new()
                .spawn_scoped(scope, || read_ahead.fill(&groups, walk, store));
            match started {
                Ok(_) => {}
                // Those before it do.
                Err(_) if reader > 0 => break,
                Err(error) => return Err(error.into()),
            }
        }
        let work = Work {
            read_ahead: &read_ahead,
            groups: groups.len(),
            group: 0,
            rest: Vec::new(),
            number: 0,
            ahead,
            units,
        };
        let check = || {
            work.par_bridge().for_each(|(unit, out)| unit.check(store, options, &out));
        };
        let checking = thread::Builder::new().spawn_scoped(scope, move || pool.install(check));
        if let Err(error) = checking {
            // Readers must not wait for checks.
            read_ahead.close();
            return Err(error.into());
        }
        for (number, unit) in in_order.into_iter().enumerate() {
            ahead.reached(number);
            for messages in unit {
                let entries = entries_in(&messages);
                messages.into_iter().for_each(&mut consume);
                ahead.taken(entries);
            }
        }
        Ok(())
    })
}

/// A file with its share of the read-ahead budget.
struct Loaded {
    file: Arc<SourceFile>,
    /// Its parts.
    parts: Vec<Part>,
    charge: Option<Arc<Charge>>,
}

/// The bytes in memory, released when the last part of the file is done.
struct Charge {
    read_ahead: Arc<ReadAhead>,
    bytes: usize,
}

impl Drop for Charge {
    fn drop(&mut self) {
        let mut state = self.read_ahead.state();
        state.bytes -= self.bytes;
        if state.waiting_for_bytes {
            state.waiting_for_bytes = false;
            self.read_ahead.room.notify_all();
        }
    }
}

type Read = (FileId, Result<Loaded, Box<Diagnostic>>);

/// The files that were read ahead of the checks.
#[derive(Default)]
struct ReadAhead {
    /// True if several workers can share a list.
    cuts_lists: bool,
    state: Mutex<ReadAheadState>,
    /// A group has been read.
    filled: Condvar,
    /// Signalled when a group has been taken or bytes have been released.
    room: Condvar,
}

#[derive(Default)]
struct ReadAheadState {
    /// The group that a reader reads next.
    next_read: usize,
    /// The group that is taken next.
    next_taken: usize,
    bytes: usize,
    waiting_for_bytes: bool,
    ready: BTreeMap<usize, Vec<Read>>,
    closed: bool,
}

impl ReadAhead {
    fn state(&self) -> MutexGuard<'_, ReadAheadState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads groups until there are no more.
    fn fill(self: &Arc<Self>, groups: &[Range<usize>], walk: &Walk, store: &SourceStore) {
        loop {
            let mut state = self.state();
            while !state.closed && state.next_read >= state.next_taken + GROUPS_AHEAD {
                state = self.room.wait(state).unwrap_or_else(PoisonError::into_inner);
            }
            let group = state.next_read;
            if state.closed || group >= groups.len() {
                return;
            }
            state.next_read += 1;
            drop(state);
            let read = groups[group]
                .clone()
                .map(|at| {
                    let id = FileId(u32::try_from(at).unwrap_or(u32::MAX));
                    (id, self.load(id, &walk.found[at], group, store))
                })
                .collect();
            self.state().ready.insert(group, read);
            self.filled.notify_one();
        }
    }

    fn load(
        self: &Arc<Self>,
        id: FileId,
        found: &Found,
        group: usize,
        store: &SourceStore,
    ) -> Result<Loaded, Box<Diagnostic>> {
        let finding = |fault: &PathFault| Box::new(fault.finding(id));
        let origin = found.what.as_ref().map_err(finding)?;
        let (bytes, charge) = match origin {
            Origin::Path(path) => self.read(path, group).map_err(|fault| finding(&fault))?,
            Origin::Stdin => {
                let file = stdin(id, found, store)
                    .map_err(|error| finding(&PathFault::Unreadable(reason(&error))))?;
                let bytes = file.text().len() as u64;
                if bytes > MAX_FILE_BYTES {
                    return Err(finding(&PathFault::TooLarge(bytes)));
                }
                return Ok(Loaded { parts: self.parts(&file), file, charge: None });
            }
        };
        if bytes.len() as u64 > MAX_FILE_BYTES {
            return Err(finding(&PathFault::TooLarge(bytes.len() as u64)));
        }
        let file = Arc::new(SourceFile::new(id, Arc::clone(&found.name), bytes));
        Ok(Loaded { parts: self.parts(&file), file, charge })
    }

    fn parts(&self, file: &SourceFile) -> Vec<Part> {
        manifest::parts(file.text(), self.cuts_lists)
    }

    fn read(
        self: &Arc<Self>,
        path: &Path,
        group: usize,
    ) -> Result<(Vec<u8>, Option<Arc<Charge>>), PathFault> {
        let unreadable = |error: io::Error| PathFault::Unreadable(reason(&error));
        let mut file = open(path).map_err(unreadable)?;
        let metadata = file.metadata().map_err(unreadable)?;
        if !metadata.is_file() {
            return Err(PathFault::NotAFile("not a regular file"));
        }
        if metadata.len() > MAX_FILE_BYTES {
            return Err(PathFault::TooLarge(metadata.len()));
        }
        let length = usize::try_from(metadata.len()).unwrap_or(usize::MAX);
        let charge = (length >= COUNTED_BYTES).then(|| Arc::new(self.charge(length, group)));
        let mut bytes = Vec::with_capacity(length + 1);
        file.by_ref().take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes).map_err(unreadable)?;
        Ok((bytes, charge))
    }

    /// Waits until `bytes` fit the budget. The group that is taken next never waits.
    fn charge(self: &Arc<Self>, bytes: usize, group: usize) -> Charge {
        let mut state = self.state();
        while !state.closed && state.bytes + bytes > BYTES_AHEAD && state.next_taken != group {
            state.waiting_for_bytes = true;
            state = self.room.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        state.bytes += bytes;
        Charge { read_ahead: Arc::clone(self), bytes }
    }

    fn take(&self, group: usize) -> Vec<Read> {
        let mut state = self.state();
        loop {
            if let Some(read) = state.ready.remove(&group) {
                state.next_taken = group + 1;
                if state.waiting_for_bytes {
                    // The group that is next now must stop waiting.
                    self.room.notify_all();
                } else {
                    self.room.notify_one();
                }
                return read;
            }
            state = self.filled.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn close(&self) {
        self.state().closed = true;
        self.room.notify_all();
    }
}

/// Reads standard input, which can be read once: a second run over the same files gets what the first
/// has read.
fn stdin(id: FileId, found: &Found, store: &SourceStore) -> io::Result<Arc<SourceFile>> {
    static READING: Mutex<()> = Mutex::new(());
    let _reading = READING.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(file) = store.get(id) {
        return Ok(file);
    }
    let mut bytes = Vec::new();
    io::stdin().lock().take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes)?;
    let file = Arc::new(SourceFile::new(id, Arc::clone(&found.name), bytes));
    store.pin(Arc::clone(&file));
    Ok(file)
}

#[cfg(unix)]
fn open(path: &Path) -> io::Result<std::fs::File> {
    use std::os::unix::fs::OpenOptionsExt as _;
    // A pipe that replaced the file since the walk must not block the run.
    std::fs::OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK).open(path)
}

#[cfg(not(unix))]
fn open(path: &Path) -> std::io::Result<std::fs::File> {
    std::fs::File::open(path)
}

/// Units of work, in order. Each comes with the sender of a channel whose receiver the consumer
/// gets.
struct Work<'r> {
    read_ahead: &'r ReadAhead,
    groups: usize,
    group: usize,
    /// The rest of the group that was taken last, in reverse.
    rest: Vec<Unit>,
    /// The number of units that have been taken.
    number: usize,
    ahead: &'r Ahead,
    units: SyncSender<Receiver<Vec<Message>>>,
}

impl<'r> Iterator for Work<'r> {
    type Item = (Unit, Out<'r>);

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            if self.group >= self.groups {
                return None;
            }
            self.rest = units(self.read_ahead.take(self.group));
            self.rest.reverse();
            self.group += 1;
        }
        let unit = self.rest.pop()?;
        let number = self.number;
        self.number += 1;
        let (out, messages) = sync_channel(BATCHES_AHEAD);
        // The receiver is gone only if the consumer panicked.
        self.units.send(messages).ok()?;
        Some((unit, Out { number, ahead: self.ahead, messages: out }))
    }
}

/// The output of a worker for one unit.
struct Out<'r> {
    /// The number of the unit.
    number: usize,
    ahead: &'r Ahead,
    messages: SyncSender<Vec<Message>>,
}

impl Out<'_> {
    fn send(&self, messages: Vec<Message>) {
        self.ahead.add(self.number, entries_in(&messages));
        // The receiver is gone only if the consumer panicked.
        let _ = self.messages.send(messages);
    }
}

fn entries_in(messages: &[Message]) -> usize {
    let entries = |message: &Message| match message {
        Message::Batch(_, batch) => batch.entries.len(),
        Message::PartEnd { .. } | Message::Unreadable(_) => 0,
    };
    messages.iter().map(entries).sum()
}

impl Drop for Work<'_> {
    fn drop(&mut self) {
        self.read_ahead.close();
    }
}

/// A unit of work.
enum Unit {
    /// Small files, whole.
    Files(Vec<Read>),
    /// A part of a large one.
    Part { file: Arc<SourceFile>, part: Part, last: bool, _charge: Option<Arc<Charge>> },
}

fn units(group: Vec<Read>) -> Vec<Unit> {
    let mut units = Vec::new();
    let mut small = Vec::new();
    for (id, read) in group {
        match read {
            Ok(Loaded { file, parts, charge }) if parts.len() > 1 => {
                if !small.is_empty() {
                    units.push(Unit::Files(std::mem::take(&mut small)));
                }
                let last = parts.len() - 1;
                units.extend(parts.into_iter().enumerate().map(|(at, part)| Unit::Part {
                    file: Arc::clone(&file),
                    part,
                    last: at == last,
                    _charge: charge.clone(),
                }));
            }
            read => small.push((id, read)),
        }
    }
    if !small.is_empty() {
        units.push(Unit::Files(small));
    }
    units
}

impl Unit {
    fn check(self, store: &SourceStore, options: Options<'_>, out: &Out<'_>) {
        match self {
            Self::Files(files) => {
                let mut messages = Vec::new();
                for (file, read) in files {
                    match read {
                        Ok(loaded) => {
                            let source = loaded.file;
                            lend(store, &source);
                            let whole = Part::whole(source.text());
                            part::check(&source, &whole, options, &mut |batch| {
                                messages.push(Message::Batch(file, batch));
                                // Long lists must not pile up.
                                if entries_in(&messages) > ENTRIES_AT_ONCE {
                                    out.send(std::mem::take(&mut messages));
                                }
                            });
                            messages.push(Message::PartEnd { file, last: true });
                        }
                        Err(finding) => messages.push(Message::Unreadable(*finding)),
                    }
                }
                out.send(messages);
            }
            Self::Part { file, part, last, _charge } => {
                let id = file.id();
                lend(store, &file);
                part::check(&file, &part, options, &mut |batch| {
                    out.send(vec![Message::Batch(id, batch)]);
                });
                out.send(vec![Message::PartEnd { file: id, last }]);
            }
        }
    }
}

fn lend(store: &SourceStore, file: &Arc<SourceFile>) {
    if !store.can_read_again(file.id()) {
        store.pin(Arc::clone(file));
    } else if file.text().len() >= LENT_BYTES {
        store.lend(file);
    }
}
