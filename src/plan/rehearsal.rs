//! The target as a plan has listed it: reads are answered as the target would, and writes are
//! counted but not made.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::artifact::{Artifact, Key, Tag};
use crate::run::{Asker, Unanswered, key_of};
use crate::service::{Answer, Created, Described, Filter, Found, Page, Service, TagPage, Update};
use crate::submission::{Class, Operation, Refusal};

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
    shared: Arc<Shared>,
}

impl<S: Clone> Clone for Rehearsal<S> {
    fn clone(&self) -> Self {
        Self { asker: self.asker.clone(), shared: Arc::clone(&self.shared) }
    }
}

/// A place in the listing: a page, and an artifact on it.
type Place = (u32, u32);

#[derive(Debug)]
struct Shared {
    pages: Vec<Vec<Found>>,
    sources: HashMap<Key, Place>,
    uris: HashMap<Key, Vec<Place>>,
    names: HashMap<Key, Place>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    counts: Counts,
    /// The sources that the import has created so far.
    created: std::collections::HashSet<Key>,
    /// The reason why no more requests are made.
    ended: Option<Unanswered>,
}

impl<S: Service> Rehearsal<S> {
    /// Returns a service that answers from `pages`, and reads everything else with `asker`.
    pub(super) fn new(asker: Asker<S>, pages: Vec<Vec<Found>>) -> Self {
        let mut shared = Shared {
            pages: Vec::new(),
            sources: HashMap::new(),
            uris: HashMap::new(),
            names: HashMap::new(),
            state: Mutex::default(),
        };
        for (page, found) in (0..).zip(&pages) {
            for (at, found) in (0..).zip(found) {
                let place = (page, at);
                shared.sources.entry(key_of(found)).or_insert(place);
                shared.uris.entry(Key::of_name(&found.uri)).or_default().push(place);
                if let Some(name) = &found.name {
                    shared.names.entry(Key::of_name(name)).or_insert(place);
                }
            }
        }
        shared.pages = pages;
        Self { asker, shared: Arc::new(shared) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.shared.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn count(&self, operation: Operation) {
        self.state().counts.0[operation as usize] += 1;
    }

    fn found(&self, (page, at): Place) -> Option<&Found> {
        self.shared.pages.get(page as usize)?.get(at as usize)
    }

    /// Returns the requests that were made of it.
    pub(super) fn calls(&self) -> Counts {
        self.state().counts
    }

    /// Returns why the rehearsal ended early, if it did.
    pub(super) fn ended(&self) -> Option<Unanswered> {
        self.state().ended.clone()
    }

    /// Returns everything that was listed.
    pub(super) fn all(&self) -> impl Iterator<Item = &Found> {
        self.shared.pages.iter().flatten()
    }

    /// Returns what was listed at the source of an artifact.
    pub(super) fn at(&self, artifact: &Artifact) -> Option<&Found> {
        self.found(*self.shared.sources.get(&artifact.identity().key())?)
    }

    /// Returns the URI of another source whose artifact has the same name.
    pub(super) fn name_also_at(&self, artifact: &Artifact) -> Option<String> {
        let name = artifact.name.as_ref()?;
        let found = self.found(*self.shared.names.get(&Key::of_name(name))?)?;
        (key_of(found) != artifact.identity().key()).then(|| found.uri.clone())
    }

    fn answer<T>(&self, answer: Result<T, Unanswered>) -> Answer<T> {
        answer.map_err(|unanswered| match unanswered {
            Unanswered::Refused(refusal) => refusal,
            ended @ Unanswered::Ended(_) => {
                self.state().ended = Some(ended);
                // It ends the rehearsal; the reason is in `ended`.
                Refusal { class: Class::Unsendable, ..Refusal::ours("the plan was interrupted") }
            }
        })
    }
}

impl<S: Service> Service for Rehearsal<S> {
    async fn create(&self, artifact: &Artifact) -> Answer<Created> {
        self.count(Operation::Create);
        let key = artifact.identity().key();
        if self.shared.sources.contains_key(&key) || !self.state().created.insert(key) {
            let code = Some("ValidationException".to_owned());
            return Err(Refusal { code, ..Refusal::ours("it already exists") });
        }
        Ok(Created { arn: String::new(), request_id: None })
    }

    async fn list(&self, filter: &Filter, token: Option<String>) -> Answer<Page> {
        self.count(Operation::List);
        if let Some(uri) = &filter.uri {
            let places = self.shared.uris.get(&Key::of_name(uri));
            let found = places.into_iter().flatten().filter_map(|place| self.found(*place));
            return Ok(Page { found: found.cloned().collect(), next: None });
        }
        let at: usize = token.and_then(|token| token.parse().ok()).unwrap_or_default();
        let next = (at + 1 < self.shared.pages.len()).then(|| (at + 1).to_string());
        Ok(Page { found: self.shared.pages.get(at).cloned().unwrap_or_default(), next })
    }

    async fn describe(&self, arn: &str) -> Answer<Described> {
        self.count(Operation::Describe);
        self.answer(self.asker.describe(arn).await)
    }

    async fn tags(&self, arn: &str, _: Option<String>) -> Answer<TagPage> {
        let tags = self.answer(self.asker.tags(arn).await)?;
        self.count(Operation::ListTags);
        Ok(TagPage { tags, next: None })
    }

    async fn update(&self, _: &str, _: &Update) -> Answer<()> {
        self.count(Operation::Update);
        Ok(())
    }

    async fn add_tags(&self, _: &str, _: &[Tag]) -> Answer<()> {
        self.count(Operation::AddTags);
        Ok(())
    }

    async fn remove_tags(&self, _: &str, _: &[String]) -> Answer<()> {
        self.count(Operation::DeleteTags);
        Ok(())
    }
}
