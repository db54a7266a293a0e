//! Entries whose source the target has already: left, compared in every field, or made what the
//! manifest says.

use std::collections::VecDeque;
use std::time::{Instant, SystemTime};

use super::{ATTEMPTS, Doubt, Question, State};
use crate::artifact::{Artifact, Difference};
use crate::event::Event;
use crate::run::End;
use crate::run::change::{Change, Drift, OnExists, change, differences};
use crate::run::lookup::{is_unchanged, seen_differences};
use crate::service::{Answer, Found, TagPage, Update};
use crate::submission::{Class, Outcome, Refusal, listed};

/// Pages of tags of one artifact, at most: there are 50 tags, and AWS adds a few.
const TAG_PAGES: u32 = 20;
/// Times that an artifact may be listed and then not be there.
const VANISHED: u32 = 3;

/// What is there already, as far as it is known.
#[derive(Debug)]
pub(super) struct Existing {
    arn: String,
    /// When it was changed last.
    pub(super) modified: Option<SystemTime>,
    /// What was described, and the tags so far.
    described: Option<Artifact>,
    /// Whether it is known in every field, now or by the journal, and is what the manifest says.
    compared: bool,
    /// Whether an attempt of ours made it, if it proves to be equal.
    perhaps_ours: bool,
    /// Pages of its tags.
    pages: u32,
    /// Requests that are still to be sent.
    changes: VecDeque<Question>,
    change: Change,
}

impl Existing {
    fn new(arn: String, modified: Option<SystemTime>) -> Box<Self> {
        Box::new(Self {
            arn,
            modified,
            described: None,
            compared: false,
            perhaps_ours: false,
            pages: 0,
            changes: VecDeque::new(),
            change: Change::default(),
        })
    }

    /// Whether it was asked for whole.
    pub(super) const fn is_described(&self) -> bool {
        self.described.is_some()
    }

    /// Whether it is known in every field, and is what the manifest says.
    pub(super) const fn is_compared(&self) -> bool {
        self.compared
    }

    /// The next request that changes it.
    pub(super) fn next_change(&self) -> Option<Question> {
        self.changes.front().cloned()
    }
}

impl State {
    /// It is there under this ARN, and nothing more is known.
    pub(super) fn is_there(&mut self, at: usize, arn: String) {
        if self.refuses_existing(at, &arn) {
            return;
        }
        self.describe(at, Existing::new(arn, None));
    }

    /// A listing shows `found` at the source of the entry, and no attempt of ours made it, or only
    /// `perhaps`.
    pub(super) fn exists(&mut self, at: usize, found: &Found, perhaps: bool) {
        let entry = self.records[at].job.entry;
        if !perhaps && self.is_anothers(found) {
            self.events.push(Event::MadeByAnother(entry));
        }
        if !perhaps && self.refuses_existing(at, &found.arn) {
            return;
        }
        let job = &self.records[at].job;
        let unchanged = job.known.as_ref().is_some_and(|known| is_unchanged(known, found));
        let updates = matches!(self.options.on_exists, OnExists::Update { .. });
        let ask = match self.options.drift {
            _ if perhaps => true,
            Drift::Always => true,
            Drift::Unknown => !unchanged,
            Drift::Never => updates && !unchanged,
        };
        let mut existing = Existing::new(found.arn.clone(), found.modified);
        existing.perhaps_ours = perhaps;
        if ask {
            return self.describe(at, existing);
        }
        let mut differences = seen_differences(&job.artifact, found);
        for known in job.known.iter().flat_map(|known| &known.differences) {
            if !differences.iter().any(|seen| seen.field == known.field) {
                differences.push(known.clone());
            }
        }
        differences.retain(|difference| !self.options.stamp.covers(difference));
        existing.compared = unchanged;
        self.records[at].existing = Some(existing);
        self.compared(at, &differences);
    }

    /// Whether what exists is a failure, and so settled.
    fn refuses_existing(&mut self, at: usize, arn: &str) -> bool {
        let ours = self.records[at].job.known.as_ref().is_some_and(|known| known.made);
        if self.options.on_exists != OnExists::Fail || ours {
            return false;
        }
        let refusal = Refusal::ours("it is there already, and `--on-exists fail` is given");
        self.settle(at, Outcome::Rejected, Some(arn.to_owned()), None, Some(refusal));
        true
    }

    fn describe(&mut self, at: usize, existing: Box<Existing>) {
        self.questions.push_back((at, Question::Describe(existing.arn.clone())));
        self.records[at].existing = Some(existing);
    }

    pub(super) fn described(&mut self, at: usize, artifact: Artifact) {
        let Some(existing) = &mut self.records[at].existing else { return };
        existing.described = Some(artifact);
        self.questions.push_back((at, Question::Tags(existing.arn.clone(), None)));
    }

    pub(super) fn tags(&mut self, at: usize, page: TagPage) {
        let Some(existing) = &mut self.records[at].existing else { return };
        let Some(described) = &mut existing.described else { return };
        described.tags.extend(page.tags);
        existing.pages += 1;
        // No artifact has so many tags that this is not the last, whatever it says.
        if let Some(token) = page.next.filter(|_| existing.pages < TAG_PAGES) {
            let question = Question::Tags(existing.arn.clone(), Some(token));
            self.questions.push_back((at, question));
            return;
        }
        let there = described.clone();
        self.compare(at, &there);
    }

    fn compare(&mut self, at: usize, there: &Artifact) {
        let record = &mut self.records[at];
        let (wanted, stamp) = (&record.job.artifact, &self.options.stamp);
        let Some(existing) = &mut record.existing else { return };
        if there.identity() != wanted.identity() {
            // Whatever it is, nothing is to be written to it.
            let refusal =
                Refusal::ours("what the target describes under its ARN is another artifact");
            let arn = Some(existing.arn.clone());
            return self.settle(at, Outcome::Unresolved, arn, None, Some(refusal));
        }
        let all = wanted.differences(there);
        // A stamp over what the manifest says leaves another value there than the manifest has.
        existing.compared = !all.iter().any(|one| one.here.is_some() && stamp.covers(one));
        if record.settles_only {
            // With which stamp it was made, only that run knew: what is there besides is none of this.
            let ours = all.iter().all(|one| one.here.is_none());
            existing.perhaps_ours &= ours;
            existing.compared &= all.is_empty();
            return self.compared(at, &[]);
        }
        let OnExists::Update { prune } = self.options.on_exists else {
            let differences = differences(wanted, there, stamp);
            return self.compared(at, &differences);
        };
        // What is left though the manifest does not have it is no difference now, but one for a run
        // that does not update.
        existing.compared &= prune || all.iter().all(|one| one.here.is_some());
        let change = change(wanted, there, prune, stamp);
        let arn = || existing.arn.clone();
        let mut changes = VecDeque::new();
        if let Some(update) = &change.update {
            changes.push_back(Question::Update(arn(), update.clone()));
        }
        if !change.add_tags.is_empty() {
            changes.push_back(Question::AddTags(arn(), change.add_tags.clone()));
        }
        if !change.remove_tags.is_empty() {
            changes.push_back(Question::RemoveTags(arn(), change.remove_tags.clone()));
        }
        existing.changes = changes;
        existing.change = change;
        if existing.changes.is_empty() {
            let stay = existing.change.stay.clone();
            self.compared(at, &stay);
        } else {
            self.ready.push_back(at);
        }
    }

    /// What is there was compared, and differs in these fields.
    fn compared(&mut self, at: usize, differences: &[Difference]) {
        let updates = matches!(self.options.on_exists, OnExists::Update { .. });
        let record = &self.records[at];
        let arn = record.existing.as_ref().map(|existing| existing.arn.clone());
        let request_id = match &record.doubt {
            Some(Doubt::Attempt { refusal, .. }) => refusal.request_id.clone(),
            _ => None,
        };
        let ours = record.existing.as_ref().is_some_and(|existing| existing.perhaps_ours);
        let (outcome, error) = match differences {
            [] if ours => (Outcome::Recovered, None),
            [] => (Outcome::Existed, None),
            some if updates => (Outcome::Differs, Some(stays(some))),
            some => (Outcome::Differs, Some(Refusal::differs(some))),
        };
        self.settle(at, outcome, arn, request_id, error);
    }

    /// The target has answered a change.
    pub(super) fn changed(&mut self, at: usize, answer: Answer<()>, now: Instant) {
        if let Err(refusal) = answer {
            return self.not_changed(at, refusal, now);
        }
        self.went_through(at, now);
        let record = &mut self.records[at];
        record.unanswered = 0;
        let Some(existing) = &mut record.existing else { return };
        existing.changes.pop_front();
        if !existing.changes.is_empty() {
            self.ready.push_front(at);
            return;
        }
        let arn = Some(existing.arn.clone());
        let stay = std::mem::take(&mut existing.change.stay);
        tracing::info!("updated {}: {}", existing.arn, listed(&existing.change.ends));
        let (outcome, error) = match stay.as_slice() {
            [] => (Outcome::Updated, None),
            stay => (Outcome::Differs, Some(stays(stay))),
        };
        self.settle(at, outcome, arn, None, error);
    }

    fn not_changed(&mut self, at: usize, refusal: Refusal, now: Instant) {
        let Some(refusal) = self.not_now(at, refusal, now) else { return };
        let conflict = refusal.code.as_deref() == Some("ConflictException");
        let arn = self.records[at].existing.as_ref().map(|existing| existing.arn.clone());
        let question = self.records[at].existing.as_ref().and_then(|one| one.next_change());
        match (refusal.class, &question) {
            (Class::Denied, Some(question)) if !self.succeeded => {
                self.ready.push_front(at);
                self.stop(End::Denied { action: question.permission(), refusal });
            }
            // Doing it twice is as good as once.
            (Class::Ambiguous | Class::Lost, _) | (Class::Rejected, _)
                if conflict || refusal.class != Class::Rejected =>
            {
                self.records[at].unanswered += 1;
                if self.records[at].unanswered < ATTEMPTS {
                    self.parked.insert((now + self.backoff.moment(), at), None);
                } else {
                    let request_id = refusal.request_id.clone();
                    // Renamed to what belongs to another source.
                    let renames = matches!(
                        &question,
                        Some(Question::Update(_, Update { name: Some(_), .. }))
                    );
                    let outcome =
                        if conflict && renames { Outcome::Conflict } else { Outcome::Unresolved };
                    self.settle(at, outcome, arn, request_id, Some(refusal));
                }
            }
            _ => {
                let request_id = refusal.request_id.clone();
                self.settle(at, Outcome::Rejected, arn, request_id, Some(refusal));
            }
        }
    }

    /// What is there could not be read whole.
    pub(super) fn cannot_compare(&mut self, at: usize, question: &Question, refusal: Refusal) {
        if refusal.class == Class::Denied {
            return self.stop(End::Denied { action: question.permission(), refusal });
        }
        let gone = refusal.code.as_deref().is_some_and(|code| code.starts_with("ResourceNotFound"));
        let record = &mut self.records[at];
        if gone && record.vanished < VANISHED {
            // It has been deleted since, or the list is behind.
            record.vanished += 1;
            record.existing = None;
            record.doubt = Some(Doubt::Unknown);
            self.look_up(at, None);
            return;
        }
        let arn = record.existing.as_ref().map(|existing| existing.arn.clone());
        let mut error = refusal;
        error.message = format!("it is there, and could not be compared: {}", error.message);
        self.settle(at, Outcome::Unresolved, arn, error.request_id.clone(), Some(error));
    }
}

fn stays(differences: &[Difference]) -> Refusal {
    Refusal::ours(format!(
        "what is there differs in {}, which no update changes",
        listed(differences)
    ))
}
