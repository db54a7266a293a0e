//! Questions to a target, outside the flow of creates: at a pace of their own, and again where no
//! answer came. They change nothing, so asking twice is as good as once.

use std::collections::HashSet;
use std::future::Future;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::watch;

use super::backoff::Backoff;
use super::drive::now;
use super::{CREDENTIALS, End, Stop};
use crate::artifact::{Artifact, Tag};
use crate::event::Cause;
use crate::pace::Pace;
use crate::service::{Answer, Filter, Found, Service};
use crate::submission::{Class, Refusal};

/// Answers in a row that tell nothing, after which a question is given up.
const TRIES: u32 = 5;

/// Pages in a row without an artifact, after which a list is taken to have no end.
const EMPTY: u32 = 100;
/// Pages of tags of one artifact, at most: there are 50 tags, and AWS adds a few.
const TAG_PAGES: u32 = 20;

/// Asks a target.
#[derive(Debug, Clone)]
pub struct Asker<S> {
    service: S,
    shared: Arc<Shared>,
    stop: watch::Receiver<Stop>,
    until: Option<Instant>,
}

#[derive(Debug)]
struct Shared {
    pace: Mutex<Pace>,
    backoff: Mutex<Backoff>,
    patience: Duration,
    /// Since when nothing has been answered.
    trouble: Mutex<Option<Instant>>,
    calls: AtomicU64,
}

/// Why a question has no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unanswered {
    /// The target will not answer it.
    Refused(Refusal),
    /// Nothing more is asked.
    Ended(End),
}

impl<S: Service> Asker<S> {
    /// Asks `service` at `pace`, and waits for it as long as `patience` when it cannot be reached.
    /// `seed` is that of the jitter.
    #[must_use]
    pub fn new(
        service: S,
        pace: Pace,
        patience: Duration,
        seed: u64,
        stop: watch::Receiver<Stop>,
    ) -> Self {
        let shared = Shared {
            pace: Mutex::new(pace),
            backoff: Mutex::new(Backoff::new(seed)),
            patience,
            trouble: Mutex::default(),
            calls: AtomicU64::new(0),
        };
        Self { service, shared: Arc::new(shared), stop, until: None }
    }

    /// The same, asking nothing from then on.
    #[must_use]
    pub const fn until(mut self, until: Option<Instant>) -> Self {
        self.until = until;
        self
    }

    /// Requests that were sent so far.
    #[must_use]
    pub fn calls(&self) -> u64 {
        self.shared.calls.load(Ordering::Relaxed)
    }

    /// Questions that may be under way at once, as the pace has it; at most `most`.
    #[must_use]
    pub fn window(&self, most: usize) -> usize {
        lock(&self.shared.pace).window().clamp(1, most)
    }

    /// Asks `question` until it is answered.
    ///
    /// # Errors
    /// Where the target refuses, gives no answer that can be read, cannot be reached in time, or a
    /// signal came.
    pub async fn ask<T, F>(&self, question: impl Fn(S) -> F) -> Result<T, Unanswered>
    where
        F: Future<Output = Answer<T>>,
    {
        let mut tries = 0;
        loop {
            let sent = self.permit().await?;
            self.shared.calls.fetch_add(1, Ordering::Relaxed);
            let mut stop = self.stop.clone();
            let answer = tokio::select! {
                answer = question(self.service.clone()) => answer,
                // A second signal waits for nothing.
                Ok(asked) = stop.wait_for(|stop| matches!(stop, Stop::Now { .. })) => {
                    return Err(ended(*asked));
                }
            };
            let refusal = match answer {
                Ok(answer) => {
                    lock(&self.shared.pace).accepted(sent, now());
                    *lock(&self.shared.trouble) = None;
                    lock(&self.shared.backoff).reset();
                    return Ok(answer);
                }
                Err(refusal) => refusal,
            };
            let wait = match refusal.class {
                Class::Rejected
                | Class::Denied
                | Class::Unsendable
                | Class::ClockOff
                | Class::ExpiredForGood => return Err(Unanswered::Refused(refusal)),
                Class::Throttled => {
                    lock(&self.shared.pace).throttled(sent, now());
                    self.trouble(Cause::Throttled, refusal)?;
                    Duration::ZERO
                }
                Class::NotSent => {
                    self.trouble(Cause::Unreachable, refusal)?;
                    // Of many questions under way each waits by itself: a shared exponent would be
                    // raised by all of them at once.
                    lock(&self.shared.backoff).moment()
                }
                Class::Expired => {
                    self.trouble(Cause::Expired, refusal)?;
                    CREDENTIALS
                }
                Class::Limit | Class::Ambiguous | Class::Lost => {
                    tries += 1;
                    if tries >= TRIES {
                        return Err(Unanswered::Refused(refusal));
                    }
                    lock(&self.shared.backoff).moment()
                }
            };
            self.sleep(wait.min(self.patience_left())).await?;
        }
    }

    /// Hands every page of the artifacts that `filter` takes to `take`, until it breaks. Whether it
    /// came to the end of them.
    ///
    /// # Errors
    /// As [`Asker::ask`], and where the list goes round in circles.
    pub async fn each_page(
        &self,
        filter: &Filter,
        mut take: impl FnMut(Vec<Found>) -> ControlFlow<()>,
    ) -> Result<bool, Unanswered> {
        let mut token: Option<String> = None;
        let mut seen: HashSet<String> = HashSet::new();
        let mut empty = 0;
        loop {
            let page = self
                .ask(|service| {
                    let token = token.clone();
                    async move { service.list(filter, token).await }
                })
                .await?;
            empty = if page.found.is_empty() { empty + 1 } else { 0 };
            if take(page.found).is_break() {
                return Ok(page.next.is_none());
            }
            let Some(next) = page.next else { return Ok(true) };
            if empty >= EMPTY || !seen.insert(next.clone()) {
                return Err(Unanswered::Refused(Refusal::ours(
                    "its list of artifacts has no end: it goes round in circles, or shows nothing",
                )));
            }
            token = Some(next);
        }
    }

    /// The whole of an artifact, tags and all.
    ///
    /// # Errors
    /// As [`Asker::ask`].
    pub async fn whole(&self, arn: &str) -> Result<Artifact, Unanswered> {
        let mut artifact = self.describe(arn).await?;
        artifact.tags = self.tags(arn).await?;
        Ok(artifact)
    }

    /// An artifact without its tags.
    ///
    /// # Errors
    /// As [`Asker::ask`].
    pub async fn describe(&self, arn: &str) -> Result<Artifact, Unanswered> {
        self.ask(|service| async move { service.describe(arn).await }).await
    }

    /// All tags of an artifact.
    ///
    /// # Errors
    /// As [`Asker::ask`].
    pub async fn tags(&self, arn: &str) -> Result<Vec<Tag>, Unanswered> {
        let mut tags = Vec::new();
        let mut token: Option<String> = None;
        let mut pages = 0;
        loop {
            let page = self
                .ask(|service| {
                    let token = token.clone();
                    async move { service.tags(arn, token).await }
                })
                .await?;
            tags.extend(page.tags);
            pages += 1;
            // No artifact has so many tags that this is not the last page, whatever it says.
            if page.next.is_none() || pages >= TAG_PAGES {
                return Ok(tags);
            }
            token = page.next;
        }
    }

    /// Waits for a permit; when it was taken.
    async fn permit(&self) -> Result<Instant, Unanswered> {
        loop {
            let taken = now();
            let next = match lock(&self.shared.pace).acquire(taken) {
                Ok(()) => return self.asked_to_stop().map_or(Ok(taken), Err),
                Err(next) => next,
            };
            self.sleep(next.saturating_duration_since(taken)).await?;
        }
    }

    /// Sleeps, unless a signal comes.
    async fn sleep(&self, time: Duration) -> Result<(), Unanswered> {
        if let Some(end) = self.asked_to_stop() {
            return Err(end);
        }
        let left = self.until.map_or(Duration::MAX, |until| until.saturating_duration_since(now()));
        let time = time.min(left);
        if time.is_zero() {
            return Ok(());
        }
        let mut stop = self.stop.clone();
        tokio::select! {
            () = tokio::time::sleep(time) => Ok(()),
            Ok(asked) = stop.wait_for(|stop| *stop != Stop::No) => Err(ended(*asked)),
        }
    }

    fn asked_to_stop(&self) -> Option<Unanswered> {
        let asked = *self.stop.borrow();
        if asked != Stop::No {
            return Some(ended(asked));
        }
        let over = self.until.is_some_and(|until| now() >= until);
        over.then_some(Unanswered::Ended(End::OutOfTime))
    }

    /// How long a target that gives no answer is waited for yet.
    fn patience_left(&self) -> Duration {
        let Some(since) = *lock(&self.shared.trouble) else { return self.shared.patience };
        (since + self.shared.patience).saturating_duration_since(now())
    }

    /// Nothing is answered. It has an end.
    fn trouble(&self, cause: Cause, refusal: Refusal) -> Result<(), Unanswered> {
        let since = *lock(&self.shared.trouble).get_or_insert_with(now);
        if now().saturating_duration_since(since) < self.shared.patience {
            return Ok(());
        }
        Err(Unanswered::Ended(End::OutOfPatience { cause, refusal }))
    }
}

const fn ended(stop: Stop) -> Unanswered {
    let (signal, drained) = match stop {
        Stop::No => (0, true),
        Stop::Drain { signal } => (signal, true),
        Stop::Now { signal } => (signal, false),
    };
    Unanswered::Ended(End::Interrupted { signal, drained })
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
