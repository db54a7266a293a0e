//! The checks that create artifacts of their own, and delete them again.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use super::reads::milliseconds;
use super::{Check, Doctor, State};
use crate::artifact::{Artifact, Source, SourceType, Tag, Texts};
use crate::run::{End, Unanswered, says_exists};
use crate::service::{Answer, Filter, Found, Service, Update};
use crate::submission::{Class, Operation, Refusal};
use crate::text::{counted, duration, list};

/// The prefix of the URIs of a doctor's artifacts.
pub const URI_PREFIX: &str = "s3://lineload-doctor/";

/// The number of artifacts that are created, at most.
pub const ARTIFACTS: usize = 6;

/// The least time that a lagging read is waited for.
const LEAST_WAIT: Duration = Duration::from_secs(30);

/// The wait between two reads of what is not there yet.
const STEP: Duration = Duration::from_millis(200);

/// The attempts of a throttled write.
const ATTEMPTS: u32 = 6;

/// The artifacts of one doctor.
struct Own {
    /// A name that nobody else uses.
    name: String,
    /// A URI that nobody else uses.
    uri: String,
    arns: Vec<String>,
    /// The URIs of creates whose effect is not known.
    unknown: Vec<String>,
}

/// The answer to a create.
enum Tried {
    Created(String),
    Refused(Refusal),
}

impl<S: Service> Doctor<S> {
    /// Checks what needs changes, on artifacts whose names and URIs hold `unique`, and deletes them.
    ///
    /// # Errors
    /// If the target cannot be reached in time, or a signal came. Then they are deleted too, as far as
    /// possible.
    pub async fn writes(&mut self, unique: &str) -> Result<(), End> {
        let mut own = Own {
            name: format!("lineload-doctor-{unique}"),
            uri: format!("{URI_PREFIX}{unique}"),
            arns: Vec::new(),
            unknown: Vec::new(),
        };
        let tried = self.try_all(&mut own).await;
        self.clean_up(&own).await;
        tried
    }

    async fn try_all(&mut self, own: &mut Own) -> Result<(), End> {
        let first = artifact(&own.name, &own.uri);
        let arn = match self.create(own, &first).await {
            Tried::Created(arn) => {
                self.add(Check::new(Operation::Create.name(), State::Ok, "allowed, with tags"));
                arn
            }
            Tried::Refused(refusal) => {
                self.add(Check::refused(Operation::Create, &refusal));
                return Ok(());
            }
        };
        self.lags(&first, &arn).await?;
        self.stopped()?;
        self.kept(&first, &arn).await?;
        self.stopped()?;
        self.uniqueness(own, &first).await;
        self.stopped()?;
        self.line_breaks(own).await;
        self.stopped()?;
        self.changes(&first, &arn).await
    }

    /// Measures how far the listing and the tags lag behind a create.
    async fn lags(&mut self, first: &Artifact, arn: &str) -> Result<(), End> {
        let began = Instant::now();
        let limit = (self.settle * 3).max(LEAST_WAIT);
        let (mut listed, mut tagged) = (None, None);
        while (listed.is_none() || tagged.is_none()) && began.elapsed() < limit {
            self.stopped()?;
            if listed.is_none() && self.is_listed(&first.source.uri, arn).await? {
                listed = Some(began.elapsed());
            }
            let tags = match self.asker.tags(arn).await {
                Err(Unanswered::Ended(end)) => return Err(end),
                tags => tags,
            };
            let has = |tags: &[Tag]| first.tags.iter().all(|tag| tags.contains(tag));
            if tagged.is_none() && tags.is_ok_and(|tags| has(&tags)) {
                tagged = Some(began.elapsed());
            }
            if listed.is_none() || tagged.is_none() {
                tokio::time::sleep(STEP).await;
            }
        }
        for (name, subject, lag) in
            [("list-lag", "a new artifact", listed), ("tag-lag", "its tags", tagged)]
        {
            self.lag(name, subject, lag, limit);
        }
        Ok(())
    }

    fn lag(&mut self, name: &'static str, subject: &str, lag: Option<Duration>, limit: Duration) {
        let Some(lag) = lag else {
            let found = format!("{subject} cannot be seen after {}", duration(limit));
            let help = format!("import with `--settle {}` or more", duration(limit * 2));
            self.add(Check::new(name, State::Error, found).help(help));
            return;
        };
        let shown = if lag < Duration::from_secs(1) { milliseconds(lag) } else { duration(lag) };
        let found = format!("{subject} can be seen after {shown}");
        let check = if lag < self.settle {
            Check::new(name, State::Ok, found)
        } else {
            let help = format!("import with `--settle {}`", duration(lag * 2));
            Check::new(name, State::Warning, found).help(help)
        };
        self.add(check.taking(lag));
    }

    async fn is_listed(&self, uri: &str, arn: &str) -> Result<bool, End> {
        let mut there = false;
        let listed = self
            .asker
            .each_page(&Filter::at(uri), |found| {
                there |= found.iter().any(|found| found.arn == arn);
                if there { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            })
            .await;
        match listed {
            Err(Unanswered::Ended(end)) => Err(end),
            _ => Ok(there),
        }
    }

    /// Checks that what was created is what was sent.
    async fn kept(&mut self, first: &Artifact, arn: &str) -> Result<(), End> {
        let there = match self.asker.describe(arn).await {
            Ok(described) => Artifact { tags: first.tags.clone(), ..described.artifact },
            Err(Unanswered::Ended(end)) => return Err(end),
            // The check of the permission says so.
            Err(Unanswered::Refused(_)) => return Ok(()),
        };
        let differences: Vec<_> =
            first.differences(&there).iter().map(ToString::to_string).collect();
        self.add(if differences.is_empty() {
            Check::new("round-trip", State::Ok, "every field is kept as it was sent")
        } else {
            let found = format!("kept otherwise than sent: {}", list(&differences));
            Check::new("round-trip", State::Warning, found)
                .help("`import` and `plan` will report such fields as different")
        });
        Ok(())
    }

    /// Finds out what the target refuses as already existing.
    async fn uniqueness(&mut self, own: &mut Own, first: &Artifact) {
        let again = self.create(own, first).await;
        self.add(match again {
            Tried::Created(_) => Check::new(
                "unique-sources",
                State::Ok,
                "not enforced: the same artifact can be created twice; an import looks it up before \
                 it repeats a create",
            ),
            Tried::Refused(refusal) if says_exists(&refusal) => Check {
                code: refusal.code.clone(),
                ..Check::new("unique-sources", State::Ok, format!("enforced: {refusal}"))
            },
            Tried::Refused(refusal) if refusal.class != Class::Rejected => {
                undecided("unique-sources", &refusal)
            }
            Tried::Refused(refusal) => Check {
                code: refusal.code.clone(),
                help: vec![
                    "the message does not say that the artifact exists: an import looks up every \
                     such entry"
                        .to_owned(),
                ],
                ..Check::new(
                    "unique-sources",
                    State::Warning,
                    format!("refused in other words than expected: {refusal}"),
                )
            },
        });
        let uri = format!("{}/other", own.uri);
        let other = artifact(&own.name, &uri);
        let named = self.create(own, &other).await;
        self.add(enforced("unique-names", named, "two sources can have the same name"));
        let mut typed = artifact(&format!("{}-typed", own.name), &own.uri);
        typed.source.types =
            vec![SourceType { id_type: "Custom".to_owned(), value: "1".to_owned() }];
        let typed = self.create(own, &typed).await;
        self.add(match typed {
            Tried::Created(_) => Check::new(
                "source-types",
                State::Ok,
                "a URI with other source types is another artifact",
            ),
            Tried::Refused(refusal) if refusal.class != Class::Rejected => {
                undecided("source-types", &refusal)
            }
            Tried::Refused(refusal) => Check {
                code: refusal.code.clone(),
                help: vec!["`SourceTypes` cannot distinguish versions of one URI here".to_owned()],
                ..Check::new(
                    "source-types",
                    State::Warning,
                    format!("a URI cannot have other source types: {refusal}"),
                )
            },
        });
    }

    /// Finds out whether values may have line breaks.
    async fn line_breaks(&mut self, own: &mut Own) {
        let mut lines = artifact(&format!("{}-lines", own.name), &format!("{}/lines", own.uri));
        lines.properties.insert("lines".to_owned(), "a\nb".to_owned());
        let tried = self.create(own, &lines).await;
        self.add(match tried {
            Tried::Created(_) => Check::new("line-breaks", State::Warning, "allowed in properties")
                .help("`line-break = \"off\"` under `[rules]` in lineload.toml allows them"),
            Tried::Refused(refusal) if refusal.class != Class::Rejected => {
                undecided("line-breaks", &refusal)
            }
            Tried::Refused(refusal) => Check {
                code: refusal.code.clone(),
                ..Check::new("line-breaks", State::Ok, format!("refused, as lint does: {refusal}"))
            },
        });
    }

    /// Checks changes of what exists.
    async fn changes(&mut self, first: &Artifact, arn: &str) -> Result<(), End> {
        let changed = BTreeMap::from([("checked".to_owned(), "twice".to_owned())]);
        let update = Update { properties: changed.clone(), ..Update::default() };
        let answer =
            self.repeat(Operation::Update, async |service: S| service.update(arn, &update).await);
        let updated = self.permitted(Operation::Update, answer.await).await?.is_some();
        if updated && let Ok(there) = self.asker.describe(arn).await {
            let there = there.artifact.properties;
            let found = if there == changed {
                "an update replaces all properties"
            } else if there.len() > changed.len() {
                "an update keeps the properties that it does not name"
            } else {
                "an update cannot be seen yet"
            };
            self.add(Check::new("update-properties", State::Ok, found));
        }
        let tag = [Tag { key: "lineload-doctor".to_owned(), value: "changed".to_owned() }];
        let answer =
            self.repeat(Operation::AddTags, async |service: S| service.add_tags(arn, &tag).await);
        let answer = answer.await;
        self.permitted(Operation::AddTags, answer).await?;
        let keys: Vec<_> = first.tags.iter().map(|tag| tag.key.clone()).collect();
        let answer = self.repeat(Operation::DeleteTags, async |service: S| {
            service.remove_tags(arn, &keys).await
        });
        let answer = answer.await;
        self.permitted(Operation::DeleteTags, answer).await?;
        Ok(())
    }

    /// Deletes what was created.
    async fn clean_up(&mut self, own: &Own) {
        let mut arns = own.arns.clone();
        for uri in &own.unknown {
            let before = arns.len();
            // A target may list others than those that were asked for.
            let is_own = |found: &Found| {
                let name = found.name.as_deref().unwrap_or_default();
                found.uri == *uri && name.starts_with(&own.name)
            };
            let looked_up = self
                .asker
                .each_page(&Filter::at(uri), |found| {
                    arns.extend(found.into_iter().filter(is_own).map(|found| found.arn));
                    ControlFlow::Continue(())
                })
                .await;
            // One that cannot be seen yet stays.
            if looked_up.is_err() || arns.len() == before {
                let found = format!("an artifact may be left over at {uri}");
                let command = "aws sagemaker list-artifacts --source-uri";
                let help = format!("to look it up later: `{command} {uri}`");
                self.add(Check::new("clean-up", State::Warning, found).help(help));
            }
        }
        arns.sort_unstable();
        arns.dedup();
        let mut left = Vec::new();
        let mut refused = None;
        for arn in &arns {
            let deleted =
                self.repeat(Operation::Delete, async |service: S| service.delete(arn).await);
            match deleted.await {
                Ok(()) => {}
                Err(unanswered) => {
                    if let Unanswered::Refused(refusal) = unanswered {
                        refused.get_or_insert(refusal);
                    }
                    left.push(arn);
                }
            }
        }
        match (arns.is_empty(), left.is_empty()) {
            (true, _) => {}
            (false, true) => {
                let found = format!("allowed; {} deleted", counted(arns.len(), "artifact"));
                self.add(Check::new(Operation::Delete.name(), State::Ok, found));
            }
            (false, false) => {
                let mut check = match &refused {
                    Some(refusal) => Check::refused(Operation::Delete, refusal),
                    None => Check::new(Operation::Delete.name(), State::Error, "not answered"),
                };
                check.found =
                    format!("{}; {} left over", check.found, counted(left.len(), "artifact"));
                for arn in left {
                    let command = "aws sagemaker delete-artifact --artifact-arn";
                    check.help.push(format!("to delete it: `{command} {arn}`"));
                }
                self.add(check);
            }
        }
    }

    /// Creates an artifact, and notes it. A create without a verdict is never repeated.
    async fn create(&self, own: &mut Own, artifact: &Artifact) -> Tried {
        let mut attempts = 0;
        loop {
            attempts += 1;
            match self.service.create(artifact).await {
                Ok(created) => {
                    own.arns.push(created.arn.clone());
                    return Tried::Created(created.arn);
                }
                Err(refusal) if refusal.class == Class::Throttled && attempts < ATTEMPTS => {
                    tokio::time::sleep(STEP * 2_u32.pow(attempts)).await;
                }
                Err(refusal) => {
                    if matches!(refusal.class, Class::Ambiguous | Class::NoResponse) {
                        own.unknown.push(artifact.source.uri.clone());
                    }
                    return Tried::Refused(refusal);
                }
            }
        }
    }

    /// Makes a request that can be repeated, until it has an answer. It is made after a signal too: what
    /// was created is to be deleted.
    async fn repeat<T>(
        &self,
        operation: Operation,
        request: impl AsyncFn(S) -> Answer<T>,
    ) -> Result<T, Unanswered> {
        let mut attempts = 0;
        loop {
            attempts += 1;
            match request(self.service.clone()).await {
                Ok(answer) => return Ok(answer),
                Err(refusal) => {
                    let repeats = matches!(
                        refusal.class,
                        Class::Throttled | Class::Ambiguous | Class::NoResponse | Class::NotSent
                    );
                    if !repeats || attempts >= ATTEMPTS {
                        return Err(Unanswered::Refused(refusal));
                    }
                    tracing::debug!(%operation, %refusal, "repeated");
                    tokio::time::sleep(STEP * 2_u32.pow(attempts)).await;
                }
            }
        }
    }
}

/// Returns the check of something that the target may enforce.
fn enforced(name: &'static str, tried: Tried, otherwise: &str) -> Check {
    if let Tried::Refused(refusal) = &tried
        && !says_exists(refusal)
    {
        return undecided(name, refusal);
    }
    match tried {
        Tried::Created(_) => Check::new(name, State::Ok, format!("not enforced: {otherwise}")),
        Tried::Refused(refusal) => Check {
            code: refusal.code.clone(),
            ..Check::new(name, State::Ok, format!("enforced: {refusal}"))
        },
    }
}

/// Returns the check of a behaviour that a refusal for another reason hides.
fn undecided(name: &'static str, refusal: &Refusal) -> Check {
    let code = refusal.code.clone();
    Check { code, ..Check::new(name, State::Skipped, format!("not found out: {refusal}")) }
}

/// Returns an artifact of a doctor.
fn artifact(name: &str, uri: &str) -> Artifact {
    Artifact {
        name: Some(name.to_owned()),
        artifact_type: "DataSet".to_owned(),
        source: Source { uri: uri.to_owned(), types: Vec::new() },
        properties: BTreeMap::from([("made-by".to_owned(), "lineload doctor".to_owned())]),
        tags: vec![Tag { key: "lineload-doctor".to_owned(), value: "created".to_owned() }],
        texts: Texts::default(),
    }
}
