//! The target as a plan has listed it: reads are answered as the target would, and writes are
//! counted but not made.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use tokio::sync::watch;

use super::{Gone, Knows, Options, Unplanned};
use crate::artifact::{Artifact, Key, Tag};
use crate::event::{Event, Observer, Settled};
use crate::journal::{JournalError, Known, Listing, Site, ToList};
use crate::pace::{Pace, Paces, Rate};
use crate::run::{self, Asker, Job, Policy, Record, Stop, Unanswered, key_of};
use crate::service::{Answer, Created, Described, Filter, Found, Page, Service, TagPage, Update};
use crate::submission::{Class, Operation, Refusal};

/// The time that the rehearsed import waits before it looks up a second time: the listing is fixed,
/// so there is nothing to wait for, but the request is counted.
const SETTLE: Duration = Duration::from_millis(1);
/// The asker has its own patience; that of the rehearsal is never used up.
const PATIENCE: Duration = Duration::from_secs(u32::MAX as u64);

/// Requests of each operation.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Counts([usize; Operation::ALL.len()]);

impl Counts {
    pub(super) const fn of(&self, operation: Operation) -> usize {
        self.0[operation as usize]
    }
}

/// A service that is the target as it was listed.
#[derive(Debug)]
pub(super) struct Rehearsal<S> {
    asker: Asker<S>,
    shared: Arc<Mutex<Shared>>,
}

impl<S: Clone> Clone for Rehearsal<S> {
    fn clone(&self) -> Self {
        Self { asker: self.asker.clone(), shared: Arc::clone(&self.shared) }
    }
}

#[derive(Debug)]
struct Shared {
    listing: Listing,
    counts: Counts,
    /// The reason why no more requests are made.
    ended: Option<Unplanned>,
}

fn site_of(artifact: &Artifact) -> Site {
    Site { uri: Key::of_name(&artifact.source.uri), source: artifact.key() }
}

/// Returns a listed artifact as a [`Listing`] keeps it.
pub(super) fn to_list(found: &Found) -> ToList {
    ToList {
        site: Site { uri: Key::of_name(&found.uri), source: key_of(found) },
        name: found.name.as_deref().map(Key::of_name),
        text: serde_json::to_string(found).unwrap_or_default(),
    }
}

/// Reads an artifact out of a [`Listing`]; `None` if [`to_list`] could not write it.
fn listed(text: &str) -> Option<Found> {
    serde_json::from_str(text).ok()
}

fn all_listed(texts: &[String]) -> Vec<Found> {
    texts.iter().filter_map(|text| listed(text)).collect()
}

fn unlimited() -> Paces {
    let now = Instant::now();
    Paces::new(|_| Pace::new(Rate::Unlimited, None, now))
}

impl<S: Service> Rehearsal<S> {
    /// Returns a service that answers from `listing`, and reads everything else with `asker`.
    pub(super) fn new(asker: Asker<S>, listing: Listing) -> Self {
        let shared = Shared { listing, counts: Counts::default(), ended: None };
        Self { asker, shared: Arc::new(Mutex::new(shared)) }
    }

    fn shared(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn count(&self, operation: Operation) -> MutexGuard<'_, Shared> {
        let mut shared = self.shared();
        shared.counts.0[operation as usize] += 1;
        shared
    }

    /// Returns the requests that were made of it.
    pub(super) fn calls(&self) -> Counts {
        self.shared().counts
    }

    /// Returns why the rehearsal ended early, if it did.
    pub(super) fn ended(&self) -> Option<Unplanned> {
        self.shared().ended.take()
    }

    /// Returns what was listed at the source of an artifact.
    pub(super) fn at(&self, artifact: &Artifact) -> Result<Option<Found>, JournalError> {
        let text = self.shared().listing.at(site_of(artifact))?;
        Ok(text.and_then(|text| listed(&text)))
    }

    /// Returns the URI of another source whose artifact has the same name.
    pub(super) fn name_also_at(&self, artifact: &Artifact) -> Result<Option<String>, JournalError> {
        let Some(name) = &artifact.name else { return Ok(None) };
        let (name, source) = (Key::of_name(name), artifact.key());
        let text = self.shared().listing.named_elsewhere(name, source)?;
        Ok(text.and_then(|text| listed(&text)).map(|found| found.uri))
    }

    /// Notes that manifests describe what is at the sources of `jobs`.
    pub(super) fn describe(&self, jobs: &[Job]) -> Result<(), JournalError> {
        let listing = &mut self.shared().listing;
        jobs.iter().try_for_each(|job| listing.describe(site_of(&job.artifact)))
    }

    /// Hands the artifacts of the journal's runs that no manifest describes any more to `take`, in
    /// the order of the files that they were read from.
    pub(super) fn each_gone(
        &self,
        known: &Knows<'_>,
        within: &dyn Fn(&Known) -> bool,
        take: &mut dyn FnMut(&Gone) -> Result<(), Unplanned>,
    ) -> Result<(), Unplanned> {
        let listing = &self.shared().listing;
        let mut files: HashSet<Arc<str>> = HashSet::new();
        let mut gone: Vec<(Arc<str>, u32, i64)> = Vec::new();
        listing.each_undescribed(&mut |number, source| {
            let known = known(source)?.filter(|known| known.made);
            if let Some(known) = known.filter(within) {
                let file = match files.get(&*known.file) {
                    Some(file) => Arc::clone(file),
                    None => known.file.into(),
                };
                files.insert(Arc::clone(&file));
                gone.push((file, known.line, number));
            }
            Ok(())
        })?;
        gone.sort();
        for (file, line, number) in gone {
            let found = listing.text(number)?.and_then(|text| listed(&text));
            if let Some(Found { name, uri, arn, .. }) = found {
                take(&Gone { file, line, name, uri, arn })?;
            }
        }
        Ok(())
    }

    /// Returns an asker of this service, without a limit.
    pub(super) fn asker(&self) -> Asker<Self> {
        let (_, stop) = watch::channel(Stop::No);
        Asker::new(self.clone(), unlimited(), PATIENCE, 0, stop)
    }

    /// Runs the import of `jobs`, and hands the number of settled entries to `progress`. Returns the
    /// outcome of each entry.
    pub(super) async fn run(
        &self,
        jobs: Vec<Job>,
        policy: &Policy,
        options: &Options<'_>,
        mut progress: impl FnMut(usize),
    ) -> Result<Vec<Settled>, Unplanned> {
        if jobs.is_empty() {
            return Ok(Vec::new());
        }
        let options = run::Options {
            // Reads that are really sent use the pace of the asker.
            paces: unlimited(),
            concurrency: options.at_once,
            patience: PATIENCE,
            settle: SETTLE,
            read_lag: options.read_lag,
            seed: 0,
            policy: policy.clone(),
            max_errors: Some(usize::MAX),
            until: None,
            began: SystemTime::now(),
            observer: Observer::default(),
        };
        let (_keep, stop) = watch::channel(Stop::No);
        let mut settled = Vec::with_capacity(jobs.len());
        let report = |event: Event| {
            if let Event::Settled(one) = event {
                settled.push(one);
                progress(settled.len());
            }
        };
        let (service, jobs) = (self.clone(), jobs.into_iter());
        let end = run::run(service, jobs, Record::nothing(), options, stop, report).await;
        match (self.ended(), end) {
            (Some(ended), _) => Err(ended),
            (None, run::End::Done) => Ok(settled),
            (None, run::End::Denied { refusal, .. } | run::End::Unable { refusal }) => {
                Err(Unanswered::Refused(refusal).into())
            }
            (None, end) => Err(Unanswered::Ended(end).into()),
        }
    }

    fn answer<T>(&self, answer: Result<T, impl Into<Unplanned>>) -> Answer<T> {
        answer.map_err(|error| match error.into() {
            Unplanned::Unanswered(Unanswered::Refused(refusal)) => refusal,
            ended => {
                self.shared().ended = Some(ended);
                // It ends the rehearsal; the reason is in `ended`.
                Refusal {
                    class: Class::Unsendable,
                    ..Refusal::by_lineload("the plan was interrupted")
                }
            }
        })
    }
}

impl<S: Service> Service for Rehearsal<S> {
    async fn create(&self, artifact: &Artifact) -> Answer<Created> {
        // No two entries have the same source, so what has been created meanwhile does not matter.
        let exists = self.count(Operation::Create).listing.has(site_of(artifact));
        if self.answer(exists)? {
            let code = Some("ValidationException".to_owned());
            return Err(Refusal { code, ..Refusal::by_lineload("it already exists") });
        }
        Ok(Created { arn: String::new(), request_id: None })
    }

    async fn list(&self, filter: &Filter, token: Option<String>) -> Answer<Page> {
        if let Some(uri) = &filter.uri {
            let texts = self.count(Operation::List).listing.at_uri(Key::of_name(uri));
            return Ok(Page { found: all_listed(&self.answer(texts)?), next: None });
        }
        let at: usize = token.and_then(|token| token.parse().ok()).unwrap_or_default();
        let shared = self.count(Operation::List);
        let (texts, pages) = (shared.listing.page(at), shared.listing.pages());
        drop(shared);
        let next = (at + 1 < pages).then(|| (at + 1).to_string());
        Ok(Page { found: all_listed(&self.answer(texts)?), next })
    }

    async fn describe(&self, arn: &str) -> Answer<Described> {
        drop(self.count(Operation::Describe));
        self.answer(self.asker.describe(arn).await)
    }

    async fn tags(&self, arn: &str, _: Option<String>) -> Answer<TagPage> {
        let tags = self.answer(self.asker.tags(arn).await)?;
        drop(self.count(Operation::ListTags));
        Ok(TagPage { tags, next: None })
    }

    async fn update(&self, _: &str, _: &Update) -> Answer<()> {
        drop(self.count(Operation::Update));
        Ok(())
    }

    async fn add_tags(&self, _: &str, _: &[Tag]) -> Answer<()> {
        drop(self.count(Operation::AddTags));
        Ok(())
    }

    async fn remove_tags(&self, _: &str, _: &[String]) -> Answer<()> {
        drop(self.count(Operation::DeleteTags));
        Ok(())
    }

    async fn delete(&self, _: &str) -> Answer<()> {
        drop(self.count(Operation::Delete));
        Ok(())
    }
}
