//! Reads from a target, outside the flow of creates: with a pace of their own, and retried if no
//! response came. They are idempotent.

use std::future::Future;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::watch;

use super::End;
use super::answers::{self, Reaction, reaction};
use super::drive::now;
use super::pages::{Endless, Pages};
use super::retry::Retry;
use super::stop::{self, Stop};
use crate::artifact::{Artifact, Tag};
use crate::event::{Cause, Exchange, Observer};
use crate::pace::Paces;
use crate::service::{Answer, Described, Filter, Found, Service};
use crate::submission::{Class, Operation, Refusal};
use crate::text;

/// The maximum number of pages of tags of one artifact: there are 50 tags, and AWS adds a few.
const TAG_PAGES: u32 = 20;

/// The time after which it is reported that a request has no response, or that every read is
/// throttled.
const UNANSWERED: Duration = Duration::from_secs(5);

/// A client for reads from a target.
#[derive(Debug, Clone)]
pub struct Asker<S> {
    service: S,
    shared: Arc<Shared>,
    stop: watch::Receiver<Stop>,
    until: Option<Instant>,
    waiting: Waiting,
    observer: Observer,
}

/// Called with the reason why no response has come, and the time of the next attempt.
type Listener = dyn Fn(&Refusal, Instant) + Send + Sync;

#[derive(Clone, Default)]
struct Waiting(Option<Arc<Listener>>);

impl std::fmt::Debug for Waiting {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Waiting")
    }
}

#[derive(Debug)]
struct Shared {
    paces: Mutex<Paces>,
    retry: Mutex<Retry>,
    patience: Duration,
    contact: Mutex<Contact>,
    calls: AtomicU64,
}

/// When the target responded, and since when it has not.
#[derive(Debug, Default)]
struct Contact {
    last_answer: Option<Instant>,
    trouble: Option<Trouble>,
}

/// The time since which no request has had a response, and what happened to the last.
#[derive(Debug, Clone)]
struct Trouble {
    since: Instant,
    cause: Cause,
    refusal: Refusal,
}

impl Contact {
    /// Returns whether nothing has been heard since `sent`.
    fn is_silent_since(&self, sent: Instant) -> bool {
        self.last_answer.is_none_or(|last| last < sent)
    }
}

/// The reason why a look-up has no result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unanswered {
    /// The target refuses it.
    Refused(Refusal),
    /// No more requests are made.
    Ended(End),
}

impl<S: Service> Asker<S> {
    /// Returns an asker that sends requests to `service` at `paces`, and waits up to `patience`
    /// while it cannot be reached. `seed` seeds the jitter.
    #[must_use]
    pub fn new(
        service: S,
        paces: Paces,
        patience: Duration,
        seed: u64,
        stop: watch::Receiver<Stop>,
    ) -> Self {
        let shared = Shared {
            paces: Mutex::new(paces),
            retry: Mutex::new(Retry::new(seed)),
            patience,
            contact: Mutex::default(),
            calls: AtomicU64::new(0),
        };
        let waiting = Waiting::default();
        let observer = Observer::default();
        Self { service, shared: Arc::new(shared), stop, until: None, waiting, observer }
    }

    /// Returns the same asker, whose requests `observer` sees.
    #[must_use]
    pub fn observed_by(mut self, observer: Observer) -> Self {
        self.observer = observer;
        self
    }

    /// Returns the same asker, which also reports to `waiting` why no response has come, and when
    /// the next attempt follows.
    #[must_use]
    pub fn reporting(
        mut self,
        waiting: impl Fn(&Refusal, Instant) + Send + Sync + 'static,
    ) -> Self {
        self.waiting = Waiting(Some(Arc::new(waiting)));
        self
    }

    /// Returns the same asker, which sends no requests from then on.
    #[must_use]
    pub const fn until(mut self, until: Option<Instant>) -> Self {
        self.until = until;
        self
    }

    /// Returns the number of requests sent so far.
    #[must_use]
    pub fn calls(&self) -> u64 {
        self.shared.calls.load(Ordering::Relaxed)
    }

    /// Returns how many reads of `operation` may be in flight at once, according to its pace; at
    /// most `most`.
    #[must_use]
    pub fn window(&self, operation: Operation, most: usize) -> usize {
        lock(&self.shared.paces).window(operation).clamp(1, most)
    }

    /// Returns the rate of reads of `operation`; `None` if it is unlimited.
    #[must_use]
    pub fn rate(&self, operation: Operation) -> Option<f64> {
        lock(&self.shared.paces).rate(operation)
    }

    /// Sends `question`, which is an `operation`, until it has a response.
    ///
    /// # Errors
    /// If the target refuses, gives no verdict or cannot be reached in time, or a signal came.
    pub async fn ask<T, F>(
        &self,
        operation: Operation,
        question: impl Fn(S) -> F,
    ) -> Result<T, Unanswered>
    where
        F: Future<Output = Answer<T>>,
    {
        let mut tries = 0;
        loop {
            let sent = self.permit(operation).await?;
            self.shared.calls.fetch_add(1, Ordering::Relaxed);
            let left = now();
            let answer = tokio::select! {
                answer = question(self.service.clone()) => answer,
                end = self.not_worth_waiting(sent) => return Err(Unanswered::Ended(end)),
            };
            let exchange = Exchange {
                attempt: tries + 1,
                ..Exchange::new(operation, now().saturating_duration_since(left))
            };
            let refusal = match answer {
                Ok(answer) => {
                    self.observer.see(&exchange);
                    lock(&self.shared.paces).accepted(operation, sent, now());
                    *lock(&self.shared.contact) =
                        Contact { last_answer: Some(now()), trouble: None };
                    lock(&self.shared.retry).reset();
                    return Ok(answer);
                }
                Err(refusal) => refusal,
            };
            let reacts = reaction(refusal.class, operation);
            let again = !matches!(reacts, Reaction::Refuse | Reaction::Deny | Reaction::Stop);
            let wait = || answers::wait(refusal.class, tries + 1, &mut lock(&self.shared.retry));
            let wait = again.then(wait);
            let request_id = refusal.request_id.as_deref();
            self.observer.see(&Exchange { request_id, refusal: Some(&refusal), wait, ..exchange });
            match reacts {
                Reaction::Refuse | Reaction::Deny => return Err(Unanswered::Refused(refusal)),
                Reaction::Stop => return Err(Unanswered::Ended(End::Unable { refusal })),
                Reaction::SlowDown => {
                    lock(&self.shared.paces).throttled(operation, sent, now());
                }
                Reaction::Pause(_) | Reaction::LookUp | Reaction::Repeat => {}
            }
            tries += 1;
            let wait = wait.unwrap_or_default();
            let cause = answers::trouble(refusal.class).unwrap_or(Cause::Failing);
            self.trouble(sent, cause, refusal)?;
            self.sleep(wait.min(self.patience_left())).await?;
        }
    }

    /// Passes every page of the artifacts that match `filter` to `take`, until it breaks. Returns
    /// whether all pages were read.
    ///
    /// # Errors
    /// As [`Asker::ask`], and if the listing repeats itself.
    pub async fn each_page(
        &self,
        filter: &Filter,
        mut take: impl FnMut(Vec<Found>) -> ControlFlow<()>,
    ) -> Result<bool, Unanswered> {
        let mut token: Option<String> = None;
        let mut pages = Pages::default();
        loop {
            let page = self
                .ask(Operation::List, |service| {
                    let token = token.clone();
                    async move { service.list(filter, token).await }
                })
                .await?;
            let listed = page.found.len();
            if take(page.found).is_break() {
                return Ok(page.next.is_none());
            }
            match pages.turn(listed, page.next.as_deref()) {
                Ok(true) => token = page.next,
                Ok(false) => return Ok(true),
                Err(Endless) => {
                    return Err(Unanswered::Refused(Refusal::by_lineload(Endless::WORDS)));
                }
            }
        }
    }

    /// Returns an artifact in every field, with its tags.
    ///
    /// # Errors
    /// As [`Asker::ask`].
    pub async fn whole(&self, arn: &str) -> Result<Artifact, Unanswered> {
        let mut artifact = self.describe(arn).await?.artifact;
        artifact.tags = self.tags(arn).await?;
        Ok(artifact)
    }

    /// Returns an artifact without its tags.
    ///
    /// # Errors
    /// As [`Asker::ask`].
    pub async fn describe(&self, arn: &str) -> Result<Described, Unanswered> {
        self.ask(Operation::Describe, |service| async move { service.describe(arn).await }).await
    }

    /// Returns all tags of an artifact.
    ///
    /// # Errors
    /// As [`Asker::ask`].
    pub async fn tags(&self, arn: &str) -> Result<Vec<Tag>, Unanswered> {
        let mut tags = Vec::new();
        let mut token: Option<String> = None;
        let mut pages = 0;
        loop {
            let page = self
                .ask(Operation::ListTags, |service| {
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

    /// Waits for a permit, and returns the time when it was taken.
    async fn permit(&self, operation: Operation) -> Result<Instant, Unanswered> {
        loop {
            let taken = now();
            let next = match lock(&self.shared.paces).acquire(operation, taken) {
                Ok(()) => return self.asked_to_stop().map_or(Ok(taken), Err),
                Err(next) => next,
            };
            self.sleep(next.saturating_duration_since(taken)).await?;
        }
    }

    /// Waits for `time`, unless a signal comes.
    pub(super) async fn pause(&self, time: Duration) -> Result<(), End> {
        match self.sleep(time).await {
            Err(Unanswered::Ended(end)) => Err(end),
            Ok(()) | Err(Unanswered::Refused(_)) => Ok(()),
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
        tokio::select! {
            () = tokio::time::sleep(time) => Ok(()),
            end = stop::asked(self.stop.clone()) => Err(Unanswered::Ended(end)),
        }
    }

    fn asked_to_stop(&self) -> Option<Unanswered> {
        let asked = self.stop.borrow().end();
        let over = self.until.is_some_and(|until| now() >= until);
        asked.or(over.then_some(End::OutOfTime)).map(Unanswered::Ended)
    }

    /// Returns how much longer to wait for a target that does not respond.
    fn patience_left(&self) -> Duration {
        let since = lock(&self.shared.contact).trouble.as_ref().map(|trouble| trouble.since);
        since.map_or(self.shared.patience, |since| {
            (since + self.shared.patience).saturating_duration_since(now())
        })
    }

    /// Waits until the request that was sent at `sent` is not worth waiting for any longer, and
    /// returns how it ends then: a second signal, the end of the time, or of the patience. A read
    /// can be abandoned at any time.
    async fn not_worth_waiting(&self, sent: Instant) -> End {
        let over = async {
            match self.until {
                Some(until) => tokio::time::sleep_until(until.into()).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            end = stop::asked_twice(self.stop.clone()) => end,
            () = over => End::OutOfTime,
            end = self.patience_used_up(sent) => end,
        }
    }

    async fn patience_used_up(&self, sent: Instant) -> End {
        let mut report_at = Some(sent + UNANSWERED);
        let mut quiet_until = sent + self.shared.patience;
        loop {
            let until = match self.patience_ends(sent, &mut quiet_until) {
                Ok(until) => until,
                Err(end) => return end,
            };
            let next = report_at.map_or(until, |at| at.min(until));
            tokio::time::sleep_until(next.into()).await;
            if report_at.take_if(|at| *at <= now()).is_some() {
                self.report_silence(sent);
            }
        }
    }

    /// Returns how long to wait for the request that was sent at `sent`, or how it ends. Nothing is
    /// asked of a request before `quiet_until` while no other is in trouble.
    fn patience_ends(&self, sent: Instant, quiet_until: &mut Instant) -> Result<Instant, End> {
        let contact = lock(&self.shared.contact);
        let Some(trouble) = &contact.trouble else {
            if *quiet_until <= now() {
                if contact.is_silent_since(sent) {
                    let refusal = silence(now().saturating_duration_since(sent));
                    return Err(End::OutOfPatience { cause: Cause::Failing, refusal });
                }
                // Others have a response: this one has the time-out of each request.
                *quiet_until = now() + self.shared.patience;
            }
            return Ok(*quiet_until);
        };
        let until = trouble.since + self.shared.patience;
        if until > now() {
            return Ok(until);
        }
        let Trouble { cause, refusal, .. } = trouble.clone();
        Err(End::OutOfPatience { cause, refusal })
    }

    /// Reports that nothing has been heard since `sent`, unless what came before is reported.
    fn report_silence(&self, sent: Instant) {
        let contact = lock(&self.shared.contact);
        let is_news = contact.trouble.is_none() && contact.is_silent_since(sent);
        drop(contact);
        if let Some(waiting) = self.waiting.0.as_ref().filter(|_| is_news) {
            let refusal = silence(now().saturating_duration_since(sent));
            waiting(&refusal, sent + self.shared.patience);
        }
    }

    /// Notes that the request sent at `sent` had no response. Returns an error once the patience is
    /// used up.
    fn trouble(&self, sent: Instant, cause: Cause, refusal: Refusal) -> Result<(), Unanswered> {
        let mut contact = lock(&self.shared.contact);
        let began = contact.trouble.as_ref().map(|trouble| trouble.since);
        let since =
            began.unwrap_or_else(|| contact.last_answer.map_or(sent, |last| last.max(sent)));
        contact.trouble = Some(Trouble { since, cause, refusal: refusal.clone() });
        drop(contact);
        let lasted = now().saturating_duration_since(since);
        if lasted < self.shared.patience {
            // Single throttles are how the pace finds the rate.
            let is_news = cause != Cause::Throttled || lasted >= UNANSWERED;
            if let Some(waiting) = self.waiting.0.as_ref().filter(|_| is_news) {
                waiting(&refusal, since + self.shared.patience);
            }
            return Ok(());
        }
        Err(Unanswered::Ended(End::OutOfPatience { cause, refusal }))
    }
}

/// Returns what stands for a response that has not come.
fn silence(lasted: Duration) -> Refusal {
    let message = format!("no response for {}", text::duration(lasted));
    Refusal::of(Class::NoResponse, message)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
