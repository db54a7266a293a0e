//! The next step.
//!
//! It takes the time and the responses, and never waits itself, so a test can drive it with a
//! simulated clock and a scripted service. Only entries in progress are in memory: the others are
//! read from the journal as they are needed.

mod deletes;
mod existing;
mod lookup;
mod names;
mod outcomes;
mod pause;
mod refusals;

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::time::{Duration, Instant, SystemTime};

use super::decide::Observation;
use super::entry::{Entry, Job, Phase, Request, Why};
use super::retry::Retry;
use super::{End, Options};
use crate::event::Event;
use crate::pace::Pace;
use crate::submission::{Class, EntryId, Operation, Refusal};
use names::Names;
use pause::{Mode, Trouble};
use refusals::Refusals;

/// The grace period for requests in flight once the run is out of time.
const GRACE: Duration = Duration::from_secs(2);
/// The number of waiting creates below which more entries are fetched.
const LOW_WATER: usize = 512;
/// The number of entries that are fetched at once.
const FETCH: usize = 1024;
/// The maximum number of entries in memory: below it, entries that wait for reads to catch up do
/// not hold up others.
const ACTIVE: usize = 16_384;

/// An instruction to the driver.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Action {
    /// Send a request for an entry.
    Send(EntryId, Request),
    /// Fetch so many entries.
    Fetch(usize),
    /// Wait for a response, or until this time.
    Wait(Option<Instant>),
    /// The run has ended.
    End,
}

/// An entry or a question that waits for its time.
#[derive(Debug)]
enum Parked {
    Read(EntryId, Request),
    Change(EntryId),
    Write(EntryId),
}

/// The supply of entries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Supply {
    /// More can be fetched.
    More,
    /// They are being fetched.
    Fetching,
    /// There are no more.
    Dry,
}

pub(super) struct State {
    options: Options,
    /// The entries in progress.
    entries: HashMap<EntryId, Entry>,
    supply: Supply,
    /// To be created or deleted, the next first.
    creates: VecDeque<EntryId>,
    /// To be changed, the next first.
    changes: VecDeque<EntryId>,
    /// Reads to send, by operation, since each has its own rate.
    reads: [VecDeque<(EntryId, Request)>; 3],
    /// By time and order.
    parked: BTreeMap<(Instant, u64), Parked>,
    order: u64,
    names: Names,
    /// Requests of each operation that are in flight.
    in_flight: [usize; Operation::ALL.len()],
    errors: usize,
    mode: Mode,
    /// The window of writes in flight after a pause: small at first, then growing. The pace has a
    /// window of its own.
    window: usize,
    /// The time since which no write has succeeded.
    trouble: Option<Trouble>,
    /// The time since which no read has had a response.
    read_trouble: Option<Trouble>,
    /// The number of consecutive ambiguous writes.
    writes_in_doubt: u32,
    /// The number of consecutive ambiguous reads.
    reads_in_doubt: u32,
    /// Since when.
    in_doubt_since: Option<Instant>,
    refusals: Refusals,
    /// True if the target has accepted a write of this run.
    succeeded: bool,
    retry: Retry,
    end: Option<End>,
    /// The time until which requests in flight are waited for, once the run has ended.
    grace: Option<Instant>,
    /// The last wait for look-ups that was reported.
    awaiting: Option<(usize, Instant)>,
    events: Vec<Event>,
}

/// Shorter waits for look-ups are not reported.
const WORTH_REPORTING: Duration = Duration::from_secs(1);
const READS: [Operation; 3] = [Operation::List, Operation::Describe, Operation::ListTags];

impl State {
    pub(super) fn new(options: Options) -> Self {
        Self {
            window: options.concurrency,
            retry: Retry::new(options.seed),
            refusals: Refusals::new(options.max_errors.is_none()),
            options,
            entries: HashMap::new(),
            supply: Supply::More,
            creates: VecDeque::new(),
            changes: VecDeque::new(),
            reads: Default::default(),
            parked: BTreeMap::new(),
            order: 0,
            names: Names::default(),
            in_flight: [0; Operation::ALL.len()],
            errors: 0,
            mode: Mode::Open,
            trouble: None,
            read_trouble: None,
            writes_in_doubt: 0,
            reads_in_doubt: 0,
            in_doubt_since: None,
            succeeded: false,
            end: None,
            grace: None,
            awaiting: None,
            events: Vec::new(),
        }
    }

    /// Takes in the entries that were fetched; `dry` if there are no more.
    pub(super) fn fetched(&mut self, jobs: Vec<Job>, dry: bool, now: Instant) {
        self.supply = if dry { Supply::Dry } else { Supply::More };
        for mut job in jobs {
            let id = job.entry;
            let listed = job.listed.take();
            let entry = Entry::new(job);
            let earlier = entry.of_earlier_run();
            let deletes = entry.job.deletes.is_some();
            self.entries.insert(id, entry);
            if deletes {
                self.create(id);
                continue;
            }
            if earlier {
                let message = "an earlier run ended before the response arrived".to_owned();
                let refusal = Refusal { class: Class::NoResponse, ..Refusal::by_lineload(message) };
                let why = Why::NoVerdict(refusal);
                // The attempt was timed by another clock, so its age is not known.
                self.look_up(id, why, now + self.options.settle);
                continue;
            }
            match listed {
                Some(found) => self.seen(id, &found, now),
                None => self.decide(id, Observation::Unseen, now),
            }
        }
    }

    /// Notes that the entries could not be fetched, so that nothing more can be sent.
    pub(super) fn not_fetched(&mut self, reason: String) {
        self.supply = Supply::Dry;
        self.stop(End::NotRecorded { reason });
    }

    /// Notes that an attempt could not be written to the journal, and was not made.
    pub(super) fn unnoted(&mut self, id: EntryId, reason: String) {
        if let Some(request) = self.write_request(id) {
            self.in_flight[request.operation() as usize] -= 1;
        }
        if let Some(entry) = self.entries.get_mut(&id) {
            entry.writing = false;
            entry.attempts -= 1;
            if !entry.maybe_made() {
                entry.intent = None;
            }
            entry.phase = Phase::Write;
            self.creates.push_front(id);
        }
        self.stop(End::NotRecorded { reason });
    }

    /// Returns how many creates were sent for an entry.
    pub(super) fn attempts(&self, id: EntryId) -> u32 {
        self.entries.get(&id).map_or(0, |entry| entry.attempts)
    }

    /// Takes the events since the last time.
    pub(super) fn take_events(&mut self) -> Vec<Event> {
        std::mem::take(&mut self.events)
    }

    /// Returns how the run ended, once it has.
    pub(super) const fn end(&self) -> Option<&End> {
        self.end.as_ref()
    }

    /// Stops sending, and waits for requests in flight.
    pub(super) fn stop(&mut self, end: End) {
        self.end.get_or_insert(end);
    }

    /// Abandons requests in flight.
    pub(super) fn stop_now(&mut self, signal: u8) {
        self.end = Some(End::Interrupted { signal, drained: false });
    }

    fn in_flight(&self) -> usize {
        self.in_flight.iter().sum()
    }

    fn writing(&self) -> usize {
        let writes = Operation::ALL.into_iter().filter(|operation| operation.is_write());
        writes.map(|operation| self.in_flight[operation as usize]).sum()
    }

    /// Returns the next action at `now`; `wall` is the same time by this machine's clock.
    pub(super) fn next(&mut self, now: Instant, wall: SystemTime) -> Action {
        self.out_of_patience(now);
        if self.options.until.is_some_and(|until| now >= until) && !self.is_done() {
            self.stop(End::OutOfTime);
        }
        if let Some(end) = &self.end {
            let late = self.options.until.is_some_and(|until| now >= until);
            if late || *end == End::OutOfTime {
                self.grace.get_or_insert(now + GRACE);
            }
            let over = self.grace.is_some_and(|grace| now >= grace);
            let over = over || self.in_flight() == 0;
            let wake = self.grace.or(self.options.until);
            return if over { Action::End } else { Action::Wait(wake) };
        }
        self.unpark(now);
        if self.supply == Supply::More
            && self.creates.len() < LOW_WATER
            && self.entries.len() < ACTIVE
        {
            self.supply = Supply::Fetching;
            return Action::Fetch(FETCH);
        }
        let mut wake = None;
        if let Some(action) = self.next_read(now, &mut wake) {
            return action;
        }
        if let Some(action) = self.next_write(now, wall, &mut wake) {
            return action;
        }
        self.idle(wake, now, wall)
    }

    fn next_read(&mut self, now: Instant, wake: &mut Option<Instant>) -> Option<Action> {
        // While there are no responses, one read at a time probes whether that has changed.
        let alone = self.reads_are_probes();
        let asking: usize = READS.iter().map(|read| self.in_flight[*read as usize]).sum();
        for (queue, operation) in READS.into_iter().enumerate() {
            if self.reads[queue].is_empty() {
                continue;
            }
            let window = self.options.concurrency.min(self.options.paces.window(operation));
            let full = self.in_flight[operation as usize] >= window;
            if full || (alone && asking > 0) {
                continue;
            }
            match self.options.paces.acquire(operation, now) {
                Ok(()) => {
                    let (id, request) = self.reads[queue].pop_front()?;
                    if let Some(Entry { phase: Phase::LookUp(look_up), .. }) =
                        self.entries.get_mut(&id)
                    {
                        look_up.began.get_or_insert(now);
                    }
                    self.in_flight[operation as usize] += 1;
                    return Some(Action::Send(id, request));
                }
                // Writes do not wait for reads, nor one kind of read for another.
                Err(next) => earliest(wake, next),
            }
        }
        None
    }

    fn next_write(
        &mut self,
        now: Instant,
        wall: SystemTime,
        wake: &mut Option<Instant>,
    ) -> Option<Action> {
        let writing = self.writing();
        let probes_from = self.probe_at();
        if let Some(probe_at) = probes_from {
            // One probe at a time, and none while responses from before the pause are missing.
            if writing > 0 || (self.changes.is_empty() && self.creates.is_empty()) {
                return None;
            }
            if now < probe_at {
                earliest(wake, probe_at);
                return None;
            }
        }
        for changes in [true, false] {
            let queue = if changes { &self.changes } else { &self.creates };
            let Some(id) = queue.front().copied() else { continue };
            let Some(request) = self.write_request(id) else {
                // It was settled otherwise.
                self.pop_write(changes);
                return Some(self.next(now, wall));
            };
            let operation = request.operation();
            let window = self.window.min(self.options.paces.window(operation));
            if writing >= window {
                continue;
            }
            match self.options.paces.acquire(operation, now) {
                Ok(()) => {
                    self.pop_write(changes);
                    if probes_from.is_some() {
                        self.probe(id, now);
                    }
                    self.in_flight[operation as usize] += 1;
                    if operation.is_recorded()
                        && let Some(entry) = self.entries.get_mut(&id)
                    {
                        entry.attempts += 1;
                        entry.intent = Some(wall);
                        entry.writing = true;
                    }
                    return Some(Action::Send(id, request));
                }
                Err(next) => earliest(wake, next),
            }
        }
        None
    }

    fn pop_write(&mut self, changes: bool) {
        if changes {
            self.changes.pop_front()
        } else {
            self.creates.pop_front()
        };
    }

    /// Returns the request that changes something for an entry.
    fn write_request(&self, id: EntryId) -> Option<Request> {
        let entry = self.entries.get(&id)?;
        match &entry.phase {
            Phase::Write => {
                if let Some(arn) = &entry.job.deletes {
                    return Some(Request::Delete(arn.clone()));
                }
                let stamp = &self.options.policy.stamp;
                let artifact = &entry.job.artifact;
                Some(Request::Create(if stamp.is_empty() {
                    std::sync::Arc::clone(artifact)
                } else {
                    std::sync::Arc::new(stamp.on(artifact))
                }))
            }
            Phase::Change(change) => change.requests.front().cloned(),
            _ => None,
        }
    }

    fn is_done(&self) -> bool {
        self.supply == Supply::Dry
            && self.entries.is_empty()
            && self.creates.is_empty()
            && self.changes.is_empty()
            && self.in_flight() == 0
    }

    fn idle(&mut self, wake: Option<Instant>, now: Instant, wall: SystemTime) -> Action {
        let waits = self.creates.is_empty()
            && self.changes.is_empty()
            && self.parked.is_empty()
            && self.reads.iter().all(VecDeque::is_empty);
        if waits && self.in_flight() == 0 && self.supply != Supply::Fetching {
            // The rest was held back until no other answer could decide it.
            self.release_held();
            if self.end.is_some() || self.ask_for_names(None) {
                return self.next(now, wall);
            }
        }
        if self.is_done() {
            self.end.get_or_insert(End::Done);
            return Action::End;
        }
        let parked = self.parked.keys().next().map(|(until, _)| *until);
        if let Some(at) = parked {
            self.await_look_ups(at, now);
        }
        let patience = self.patience_ends();
        let wakes = [wake, parked, patience, self.options.until];
        Action::Wait(wakes.into_iter().flatten().min())
    }

    /// Reports a wait for look-ups, if the run waits for nothing else until `at`.
    fn await_look_ups(&mut self, at: Instant, now: Instant) {
        let queued = !self.creates.is_empty()
            || !self.changes.is_empty()
            || self.reads.iter().any(|queue| !queue.is_empty());
        let waits = self.supply == Supply::Dry && !queued && self.in_flight() == 0;
        if !waits || self.end.is_some() || at.saturating_duration_since(now) < WORTH_REPORTING {
            return;
        }
        let look_up = |parked: &&Parked| matches!(parked, Parked::Read(_, Request::List(..)));
        let entries = self.parked.values().filter(look_up).count();
        if entries > 0 && self.awaiting.replace((entries, at)) != Some((entries, at)) {
            self.events.push(Event::AwaitingLookUps { entries, at });
        }
    }

    fn pace(&mut self, operation: Operation) -> &mut Pace {
        self.options.paces.of_mut(operation)
    }
}

fn earliest(wake: &mut Option<Instant>, at: Instant) {
    *wake = Some(wake.map_or(at, |wake| wake.min(at)));
}
