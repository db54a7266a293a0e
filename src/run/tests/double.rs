//! A scripted service, and what it was asked.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use tokio::time::Instant;

use crate::artifact::{Artifact, Key, Tag};
use crate::service::{Answer, Created, Described, Filter, Found, Page, Service, TagPage, Update};
use crate::submission::{Class, ELSEWHERE, Refusal};

/// The service's reaction to one create.
#[derive(Debug, Clone, Copy)]
pub(super) enum Behaviour {
    /// Creates it and says so.
    Creates,
    /// Does not, and says this.
    Refuses(Class),
    /// It is created, in another account.
    Elsewhere,
    /// Creates it, and this comes back.
    CreatesBut(Class),
    /// Creates it so much later; no answer comes.
    CreatesLater(Duration),
}

#[derive(Default)]
pub(super) struct World {
    pub(super) script: VecDeque<Behaviour>,
    /// The reaction once the script is at its end.
    pub(super) otherwise: Option<Behaviour>,
    pub(super) look_ups: VecDeque<Class>,
    pub(super) artifacts: HashMap<Key, (Found, Duration)>,
    /// The same by ARN, in every field.
    pub(super) whole: HashMap<String, Artifact>,
    /// The time by which the service's clock is behind.
    pub(super) behind: Duration,
    /// True if every page says that another follows, though nothing does.
    pub(super) endless: bool,
    /// The failures of requests that read or change one artifact.
    pub(super) others: VecDeque<Class>,
    /// The requests that read or change one artifact.
    pub(super) log: Vec<String>,
    /// The number of times each source was created, whatever the response.
    pub(super) made: HashMap<Key, usize>,
    /// The time when each create came in.
    pub(super) asked: Vec<Duration>,
    pub(super) looked_up: Vec<Duration>,
    pub(super) under_way: usize,
    pub(super) most_under_way: usize,
    pub(super) latency: Duration,
    /// The token bucket that throttles requests.
    pub(super) bucket: Option<Bucket>,
    /// The token bucket that throttles the requests that read or change one artifact.
    pub(super) reads: Option<Bucket>,
    /// The lag of listings behind creates.
    pub(super) list_lag: Duration,
    /// The lag of tags behind creates.
    pub(super) tag_lag: Duration,
    /// True if it creates a second artifact of the same source.
    pub(super) doubles: bool,
    /// In which words it refuses what exists, if not in the usual ones.
    pub(super) exists_words: Option<&'static str>,
    /// True if a rejection quotes the entry's source and its number.
    pub(super) quotes: bool,
    /// True if every page of a listing has the same token.
    pub(super) circles: bool,
}

/// A token bucket that holds a second's worth.
pub(super) struct Bucket {
    pub(super) per_second: f64,
    pub(super) tokens: f64,
    pub(super) filled: Duration,
}

impl Bucket {
    pub(super) fn takes(&mut self, now: Duration) -> bool {
        let flown = (now - self.filled).as_secs_f64() * self.per_second;
        self.tokens = (self.tokens + flown).min(self.per_second);
        self.filled = now;
        let takes = self.tokens >= 1.0;
        self.tokens -= f64::from(u8::from(takes));
        takes
    }
}

#[derive(Clone)]
pub(super) struct Scripted {
    pub(super) world: Arc<Mutex<World>>,
    pub(super) start: Instant,
}

pub(super) fn refusal(class: Class) -> Refusal {
    let code = match class {
        Class::Rejected => Some("ValidationException"),
        Class::Limit => Some("ResourceLimitExceeded"),
        Class::Throttled => Some("ThrottlingException"),
        Class::Denied => Some("AccessDeniedException"),
        Class::Expired => Some("ExpiredTokenException"),
        Class::NotSent
        | Class::Unsendable
        | Class::ClockOff
        | Class::ExpiredForGood
        | Class::Ambiguous
        | Class::NoResponse => None,
    };
    let message = format!("scripted {class:?}");
    Refusal { class, code: code.map(str::to_owned), message, request_id: None }
}

impl Scripted {
    pub(super) fn new(world: World) -> Self {
        Self { world: Arc::new(Mutex::new(world)), start: Instant::now() }
    }

    pub(super) fn world(&self) -> std::sync::MutexGuard<'_, World> {
        self.world.lock().unwrap()
    }

    pub(super) fn commit(&self, artifact: &Artifact, at: Duration) {
        let mut world = self.world();
        let key = artifact.identity().key();
        let exists = world.artifacts.contains_key(&key);
        if exists && !world.doubles {
            return;
        }
        *world.made.entry(key).or_default() += 1;
        if exists {
            return;
        }
        let found = Found {
            arn: format!("arn/{}", artifact.source.uri),
            name: artifact.name.clone(),
            artifact_type: Some(artifact.artifact_type.clone()),
            uri: artifact.source.uri.clone(),
            types: artifact.source.types.clone(),
            created: Some(SystemTime::now() - world.behind),
            modified: Some(SystemTime::now() - world.behind),
        };
        world.whole.insert(found.arn.clone(), artifact.clone());
        world.artifacts.insert(key, (found, at));
    }

    /// Returns whether the name belongs to another source.
    pub(super) fn is_taken(&self, artifact: &Artifact) -> bool {
        let world = self.world();
        let other = |found: &Found| found.uri != artifact.source.uri;
        let mut there = world.artifacts.values().filter(|(found, _)| other(found));
        artifact.name.is_some() && there.any(|(found, _)| found.name == artifact.name)
    }

    /// Notes that something was asked, and what comes of it.
    pub(super) fn other(&self, what: String) -> Answer<std::sync::MutexGuard<'_, World>> {
        let mut world = self.world();
        world.log.push(what);
        let now = self.start.elapsed();
        if world.reads.as_mut().is_some_and(|bucket| !bucket.takes(now)) {
            return Err(refusal(Class::Throttled));
        }
        match world.others.pop_front() {
            Some(class) => Err(refusal(class)),
            None => Ok(world),
        }
    }
}

pub(super) fn gone() -> Refusal {
    let code = Some("ResourceNotFound".to_owned());
    Refusal { code, ..Refusal::by_lineload("it is not there") }
}

impl Service for Scripted {
    async fn create(&self, artifact: &Artifact) -> Answer<Created> {
        let now = self.start.elapsed();
        let (does, latency) = {
            let mut world = self.world();
            world.asked.push(now);
            world.under_way += 1;
            world.most_under_way = world.most_under_way.max(world.under_way);
            let does = if world.bucket.as_mut().is_some_and(|bucket| !bucket.takes(now)) {
                Behaviour::Refuses(Class::Throttled)
            } else {
                world.script.pop_front().or(world.otherwise).unwrap_or(Behaviour::Creates)
            };
            (does, world.latency)
        };
        tokio::time::sleep(latency).await;
        self.world().under_way -= 1;
        let key = artifact.identity().key();
        let now_there = |(_, at): &(Found, Duration)| *at <= self.start.elapsed();
        let exists = {
            let world = self.world();
            !world.doubles && world.artifacts.get(&key).is_some_and(now_there)
        };
        let arn = format!("arn/{}", artifact.source.uri);
        match does {
            Behaviour::Refuses(class) if self.world().quotes => {
                let asked = self.world().asked.len();
                let message = format!("Value '{}' is bad (no. {asked})", artifact.source.uri);
                Err(Refusal { message, ..refusal(class) })
            }
            Behaviour::Refuses(class) => Err(refusal(class)),
            Behaviour::Elsewhere => {
                let message = format!("{ELSEWHERE}: arn:aws:x");
                Err(Refusal { message, ..refusal(Class::Unsendable) })
            }
            Behaviour::CreatesLater(later) => {
                self.commit(artifact, now + later);
                Err(refusal(Class::NoResponse))
            }
            Behaviour::Creates | Behaviour::CreatesBut(_) if exists || self.is_taken(artifact) => {
                let words = self.world().exists_words.unwrap_or("Artifact already exists.");
                Err(Refusal { message: words.to_owned(), ..refusal(Class::Rejected) })
            }
            Behaviour::Creates => {
                self.commit(artifact, now);
                Ok(Created { arn, request_id: None })
            }
            Behaviour::CreatesBut(class) => {
                self.commit(artifact, now);
                Err(refusal(class))
            }
        }
    }

    async fn list(&self, filter: &Filter, token: Option<String>) -> Answer<Page> {
        let now = self.start.elapsed();
        let latency = self.world().latency;
        tokio::time::sleep(latency).await;
        let mut world = self.world();
        world.looked_up.push(now);
        if let Some(class) = world.look_ups.pop_front() {
            return Err(refusal(class));
        }
        let takes = |found: &Found| filter.uri.as_ref().is_none_or(|uri| found.uri == *uri);
        let lag = world.list_lag;
        let there = |(found, at): &&(Found, Duration)| takes(found) && *at + lag <= now;
        let found = world.artifacts.values().filter(there).map(|(found, _)| found.clone());
        let mut found: Vec<_> = found.collect();
        found.sort_by(|one, other| one.arn.cmp(&other.arn));
        // Pages of two, so that more than one has to be asked for.
        let from = token.map_or(0, |token| token.parse().unwrap());
        let more = found.len() > from + 2 || world.endless;
        let next = more.then(|| (from + 2).to_string());
        let next = if world.circles { Some("0".to_owned()) } else { next };
        Ok(Page { found: found.into_iter().skip(from).take(2).collect(), next })
    }

    async fn describe(&self, arn: &str) -> Answer<Described> {
        let latency = self.world().latency;
        tokio::time::sleep(latency).await;
        let world = self.other(format!("describe {arn}"))?;
        let mut artifact = world.whole.get(arn).cloned().ok_or_else(gone)?;
        artifact.tags.clear();
        let found = world.artifacts.values().find(|(found, _)| found.arn == arn);
        let (created, modified) =
            found.map_or((None, None), |(found, _)| (found.created, found.modified));
        Ok(Described { artifact, created, modified })
    }

    async fn tags(&self, arn: &str, token: Option<String>) -> Answer<TagPage> {
        let world = self.other(format!("tags {arn}"))?;
        let mut tags = world.whole.get(arn).cloned().ok_or_else(gone)?.tags;
        let made = world.artifacts.values().find(|(found, _)| found.arn == arn);
        if made.is_some_and(|(_, at)| *at + world.tag_lag > self.start.elapsed()) {
            tags.clear();
        }
        // Pages of one.
        let from = token.map_or(0, |token| token.parse().unwrap());
        let next = (tags.len() > from + 1).then(|| (from + 1).to_string());
        Ok(TagPage { tags: tags.into_iter().skip(from).take(1).collect(), next })
    }

    async fn update(&self, arn: &str, update: &Update) -> Answer<()> {
        let mut world = self.other(format!("update {arn}"))?;
        let artifact = world.whole.get_mut(arn).ok_or_else(gone)?;
        if update.name.is_some() {
            artifact.name.clone_from(&update.name);
        }
        if !update.properties.is_empty() {
            artifact.properties.clone_from(&update.properties);
        }
        artifact.properties.retain(|key, _| !update.remove.contains(key));
        Ok(())
    }

    async fn add_tags(&self, arn: &str, tags: &[Tag]) -> Answer<()> {
        let mut world = self.other(format!("add tags {arn}"))?;
        let artifact = world.whole.get_mut(arn).ok_or_else(gone)?;
        artifact.tags.retain(|there| tags.iter().all(|tag| tag.key != there.key));
        artifact.tags.extend_from_slice(tags);
        Ok(())
    }

    async fn remove_tags(&self, arn: &str, keys: &[String]) -> Answer<()> {
        let mut world = self.other(format!("remove tags {arn}"))?;
        let artifact = world.whole.get_mut(arn).ok_or_else(gone)?;
        artifact.tags.retain(|tag| !keys.contains(&tag.key));
        Ok(())
    }

    async fn delete(&self, arn: &str) -> Answer<()> {
        let now = self.start.elapsed();
        let (does, latency) = {
            let mut world = self.world();
            world.log.push(format!("delete {arn}"));
            world.asked.push(now);
            let does = if world.bucket.as_mut().is_some_and(|bucket| !bucket.takes(now)) {
                Behaviour::Refuses(Class::Throttled)
            } else {
                world.script.pop_front().or(world.otherwise).unwrap_or(Behaviour::Creates)
            };
            (does, world.latency)
        };
        tokio::time::sleep(latency).await;
        let mut world = self.world();
        let refusal = |class| {
            let words = world.exists_words.map(str::to_owned);
            let refusal = refusal(class);
            Refusal { message: words.unwrap_or_else(|| refusal.message.clone()), ..refusal }
        };
        let answer = match does {
            Behaviour::Refuses(class) => return Err(refusal(class)),
            Behaviour::CreatesBut(class) => Err(refusal(class)),
            _ => Ok(()),
        };
        world.whole.remove(arn);
        world.artifacts.retain(|_, (found, _)| found.arn != arn);
        answer
    }
}
