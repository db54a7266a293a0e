//! Property test: the import that follows a plan does what the plan says, request for request and
//! outcome for outcome.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use std::time::SystemTime;

use tokio::sync::watch;

use super::*;
use crate::artifact::{Source, Stamp, Tag, Texts};
use crate::event::{Event, Observer};
use crate::journal::{NewRun, ToStage};
use crate::pace::{Pace, Paces, Rate};
use crate::run::change::{Drift, OnExists};
use crate::run::{Options as RunOptions, Record, Stop, Survey};
use crate::service::{Answer, Created, Described, Page, TagPage, Update};

/// A target that refuses what exists, and counts what it is asked.
#[derive(Debug, Clone, Default)]
struct Target(Arc<Mutex<World>>);

#[derive(Debug, Clone, Default)]
struct World {
    artifacts: Vec<(Artifact, SystemTime)>,
    counts: BTreeMap<Operation, usize>,
}

const PAGE: usize = 7;

impl Target {
    fn count(&self, operation: Operation) -> std::sync::MutexGuard<'_, World> {
        let mut world = self.0.lock().unwrap();
        *world.counts.entry(operation).or_default() += 1;
        world
    }

    fn of(&self, operations: &[Operation]) -> usize {
        let world = self.0.lock().unwrap();
        operations.iter().filter_map(|one| world.counts.get(one)).sum()
    }
}

fn arn(artifact: &Artifact) -> String {
    format!("arn/{}", artifact.source.uri)
}

fn found(artifact: &Artifact, created: SystemTime) -> Found {
    Found {
        arn: arn(artifact),
        name: artifact.name.clone(),
        artifact_type: Some(artifact.artifact_type.clone()),
        uri: artifact.source.uri.clone(),
        types: artifact.source.types.clone(),
        created: Some(created),
        modified: Some(created),
    }
}

impl Service for Target {
    async fn create(&self, artifact: &Artifact) -> Answer<Created> {
        let mut world = self.count(Operation::Create);
        if world.artifacts.iter().any(|(there, _)| there.identity() == artifact.identity()) {
            let code = Some("ValidationException".to_owned());
            return Err(Refusal { code, ..Refusal::by_lineload("Artifact already exists.") });
        }
        world.artifacts.push((artifact.clone(), SystemTime::now()));
        Ok(Created { arn: arn(artifact), request_id: None })
    }

    async fn list(&self, filter: &Filter, token: Option<String>) -> Answer<Page> {
        let world = self.count(Operation::List);
        let from: usize = token.map_or(0, |token| token.parse().unwrap());
        let takes = |(artifact, _): &&(Artifact, SystemTime)| {
            filter.uri.as_ref().is_none_or(|uri| artifact.source.uri == *uri)
        };
        let all: Vec<_> = world.artifacts.iter().filter(takes).collect();
        let next = (all.len() > from + PAGE).then(|| (from + PAGE).to_string());
        let page = all.iter().skip(from).take(PAGE).map(|(one, created)| found(one, *created));
        Ok(Page { found: page.collect(), next })
    }

    async fn describe(&self, arn: &str) -> Answer<Described> {
        let world = self.count(Operation::Describe);
        let (artifact, created) =
            world.artifacts.iter().find(|(one, _)| self::arn(one) == arn).unwrap().clone();
        let artifact = Artifact { tags: vec![], ..artifact };
        Ok(Described { artifact, created: Some(created), modified: Some(created) })
    }

    async fn tags(&self, arn: &str, _: Option<String>) -> Answer<TagPage> {
        let world = self.count(Operation::ListTags);
        let there = world.artifacts.iter().find(|(one, _)| self::arn(one) == arn).unwrap();
        Ok(TagPage { tags: there.0.tags.clone(), next: None })
    }

    async fn update(&self, arn: &str, update: &Update) -> Answer<()> {
        self.count(Operation::Update).change(arn, |there| {
            there.name = update.name.clone().or(there.name.take());
            there.texts.extend(update.texts.clone());
            if !update.properties.is_empty() {
                there.properties.clone_from(&update.properties);
            }
            there.properties.retain(|key, _| !update.remove.contains(key));
        });
        Ok(())
    }

    async fn add_tags(&self, arn: &str, tags: &[Tag]) -> Answer<()> {
        self.count(Operation::AddTags).change(arn, |there| {
            there.tags.retain(|tag| !tags.iter().any(|new| new.key == tag.key));
            there.tags.extend(tags.to_vec());
        });
        Ok(())
    }

    async fn remove_tags(&self, arn: &str, keys: &[String]) -> Answer<()> {
        let mut world = self.count(Operation::DeleteTags);
        world.change(arn, |there| there.tags.retain(|tag| !keys.contains(&tag.key)));
        Ok(())
    }

    async fn delete(&self, _: &str) -> Answer<()> {
        panic!("neither a plan nor an import deletes");
    }
}

impl World {
    fn change(&mut self, arn: &str, change: impl FnOnce(&mut Artifact)) {
        let there = self.artifacts.iter_mut().find(|(one, _)| self::arn(one) == arn);
        change(&mut there.unwrap().0);
    }

    /// The artifacts by their ARN.
    fn by_arn(&self) -> BTreeMap<String, Artifact> {
        self.artifacts.iter().map(|(one, _)| (arn(one), one.clone())).collect()
    }
}

fn artifact(number: usize, rng: &mut fastrand::Rng) -> Artifact {
    let pairs = |rng: &mut fastrand::Rng| -> BTreeMap<String, String> {
        (0..rng.usize(0..3)).map(|key| (format!("k{key}"), rng.u8(0..2).to_string())).collect()
    };
    let tags = pairs(rng).into_iter().map(|(key, value)| Tag { key, value });
    Artifact {
        name: rng.bool().then(|| format!("a{number}")),
        artifact_type: if rng.u8(0..8) == 0 { "Model" } else { "DataSet" }.into(),
        source: Source { uri: format!("s3://b/{number}"), types: vec![] },
        tags: tags.collect(),
        properties: pairs(rng),
        texts: Texts::default(),
    }
}

/// A generated world: manifests, target, journal and options.
struct Case {
    entries: Vec<Job>,
    open: Vec<Job>,
    known: HashMap<Key, There>,
    target: Vec<(Artifact, SystemTime)>,
    policy: Policy,
}

use crate::run::There;

fn case(seed: u64) -> Case {
    let mut rng = fastrand::Rng::with_seed(seed);
    let count = if seed.is_multiple_of(5) { rng.usize(100..160) } else { rng.usize(0..25) };
    let old = SystemTime::now() - Duration::from_secs(3600);
    let mut case = Case {
        entries: Vec::new(),
        open: Vec::new(),
        known: HashMap::new(),
        target: Vec::new(),
        policy: Policy {
            on_exists: match rng.u8(0..4) {
                0 => OnExists::Fail,
                1 => OnExists::Update { prune: rng.bool() },
                _ => OnExists::Skip,
            },
            drift: match rng.u8(0..4) {
                0 => Drift::Always,
                1 => Drift::Never,
                _ => Drift::Unknown,
            },
            recheck: false,
            stamp: Arc::default(),
        },
    };
    if rng.u8(0..4) == 0 {
        let mut stamp = Stamp::default();
        stamp.set("Properties.k0=1").unwrap();
        case.policy.stamp = Arc::new(stamp);
    }
    let mostly_there = rng.bool();
    for number in 0..count {
        let wanted = artifact(number, &mut rng);
        let key = wanted.key();
        let there = match rng.u8(0..10) {
            0..=2 => Some(wanted.clone()),
            3..=4 => Some(artifact(number, &mut rng)),
            _ if mostly_there => Some(wanted.clone()),
            _ => None,
        };
        if let Some(there) = &there {
            case.target.push((there.clone(), old));
        }
        match rng.u8(0..8) {
            // The journal knows it as it is, or thinks so.
            0 | 1 => {
                let equal = rng.u8(0..4) > 0;
                let known = There {
                    equal,
                    differences: equal.then(Vec::new),
                    arn: there.as_ref().map(arn),
                    modified: rng.bool().then_some(old),
                    made: rng.bool(),
                    recovered: false,
                };
                if there.is_some() || equal {
                    case.known.insert(key, known);
                }
            }
            // An earlier run left an attempt open.
            2 => {
                let intent = if rng.bool() { old } else { SystemTime::now() };
                let id = EntryId(10_000 + i64::try_from(number).unwrap());
                case.open.push(run::open_job(id, wanted.clone(), intent));
            }
            _ => {}
        }
        case.entries.push(Job {
            // As the journal numbers them.
            entry: EntryId(i64::try_from(number).unwrap() + 1),
            artifact: Arc::new(wanted),
            known: Known::default(),
            listed: None,
            deletes: None,
        });
    }
    for number in 0..rng.usize(0..30) {
        case.target.push((artifact(50_000 + number, &mut rng), old));
    }
    rng.shuffle(&mut case.target);
    case
}

fn resolved_known(case: &Case, wanted: &Artifact, resolved: &Resolved) -> Known {
    let key = wanted.key();
    let mut known = run::known(wanted, None, resolved.get(&key), &case.policy);
    if let Some(there) = case.known.get(&key) {
        let met = known.there.take().unwrap_or_default();
        let arn = there.arn.clone().or(met.arn);
        known.there = Some(There { arn, recovered: met.recovered, ..there.clone() });
    }
    known
}

/// Returns the entries of which nothing is known when they are staged.
fn unknown(case: &Case) -> Unknown {
    let is_unknown = |job: &&Job| {
        let known = resolved_known(case, &job.artifact, &Resolved::new());
        run::is_unknown(&job.artifact, &known, &case.policy)
    };
    let unknown = case.entries.iter().filter(is_unknown);
    unknown.map(|job| (job.artifact.key(), job.entry)).collect()
}

/// Stages the entries into a scratch journal.
fn staged(case: &Case) -> (Journal, RunId) {
    let mut journal = Journal::scratch().unwrap();
    let target = crate::submission::Target::Local { registry: "r".into(), file: "f".into() };
    let run = NewRun { id: "plan", command: "", folder: "", settings: "" };
    let mut staging = journal.begin(&run, &target).unwrap();
    for job in &case.entries {
        let entry = ToStage::new("m.yaml", 1, &job.artifact);
        assert_eq!(staging.add(&entry).unwrap(), job.entry);
    }
    let run = staging.run();
    staging.finish().unwrap();
    (journal, run)
}

/// Keeps what is planned.
#[derive(Default)]
struct Kept(Vec<Item>);

impl Sink for Kept {
    fn entry(&mut self, entry: &Planned<'_>) -> io::Result<()> {
        self.0.extend(entry.item.cloned());
        Ok(())
    }

    fn gone(&mut self, _: &Gone) -> io::Result<()> {
        Ok(())
    }
}

/// Runs the import as `lineload import` makes it: open attempts, survey, submission.
async fn import(target: &Target, case: &Case) -> BTreeMap<EntryId, Settled> {
    let now = || tokio::time::Instant::now().into_std();
    let paces = || Paces::new(|_| Pace::new(Rate::Unlimited, None, now()));
    let options = |policy: &Policy| RunOptions {
        paces: paces(),
        concurrency: 1,
        patience: Duration::from_secs(120),
        settle: Duration::from_secs(10),
        read_lag: Duration::from_secs(10),
        seed: 1,
        policy: policy.clone(),
        max_errors: Some(usize::MAX),
        until: None,
        began: SystemTime::now(),
        observer: Observer::default(),
    };
    let (_keep, stop) = watch::channel(Stop::No);
    let sources: HashMap<EntryId, Key> =
        case.open.iter().map(|job| (job.entry, job.artifact.key())).collect();
    let mut resolved = Resolved::new();
    let report = |event: Event| {
        if let Event::Settled(settled) = event {
            resolved.insert(sources[&settled.entry], settled);
        }
    };
    let open = case.open.clone().into_iter();
    let (service, nothing) = (target.clone(), Record::nothing());
    let policy = Policy::of_open();
    run::run(service, open, nothing, options(&policy), stop.clone(), report).await;
    let mut jobs = case.entries.clone();
    for job in &mut jobs {
        job.known = resolved_known(case, &job.artifact, &resolved);
    }
    let (unknown, _) = unknown(case).still(&resolved);
    if run::survey_pays(unknown.len()) {
        let asker = Asker::new(target.clone(), paces(), Duration::from_secs(120), 1, stop.clone());
        let mut hits = Vec::new();
        let take = |(_, entry): (usize, EntryId), found| hits.push((entry, found));
        let _: Survey = run::survey(&asker, &unknown, take, |_| ()).await.unwrap();
        for (entry, found) in hits {
            jobs[usize::try_from(entry.0).unwrap() - 1].listed = Some(Box::new(found));
        }
    }
    let mut outcomes = BTreeMap::new();
    let report = |event: Event| {
        if let Event::Settled(settled) = event {
            outcomes.insert(settled.entry, settled);
        }
    };
    let (service, nothing) = (target.clone(), Record::nothing());
    let options = options(&case.policy);
    let end = run::run(service, jobs.into_iter(), nothing, options, stop, report).await;
    assert_eq!(end, run::End::Done);
    outcomes
}

/// Artifacts that are created and changed, by ARN, in words: whole artifacts, or each field that changes with the
/// value it gets and the value it had.
type Writes = BTreeMap<String, String>;

/// Returns what the plan says that the import creates and changes.
fn planned_writes(items: &[Item], case: &Case) -> Writes {
    let mut writes = Writes::new();
    for item in items.iter().filter(|item| !item.unseen) {
        match &item.fate {
            Fate::Create => {
                let job = case.entries.iter().find(|job| job.entry == item.entry).unwrap();
                let mut created = (*job.artifact).clone();
                if !case.policy.stamp.is_empty() {
                    // What `case` sets.
                    created.properties.insert("k0".to_owned(), "1".to_owned());
                }
                writes.insert(arn(&created), format!("created {created:?}"));
            }
            Fate::Differs { change: Some(change), .. } if !change.ends.is_empty() => {
                let arn = item.arn.clone().unwrap();
                writes.insert(arn, format!("changed {:?}", sorted(&change.ends)));
            }
            _ => {}
        }
    }
    writes
}

/// Returns what an import created and changed.
fn made_writes(before: &World, after: &World) -> Writes {
    let before = before.by_arn();
    let mut writes = Writes::new();
    for (arn, after) in after.by_arn() {
        let Some(before) = before.get(&arn) else {
            writes.insert(arn, format!("created {after:?}"));
            continue;
        };
        let differences = after.differences(before);
        if !differences.is_empty() {
            writes.insert(arn, format!("changed {:?}", sorted(&differences)));
        }
    }
    writes
}

fn sorted(differences: &[Difference]) -> Vec<String> {
    let text = |one: &Difference| format!("{}: {:?}, before {:?}", one.field, one.here, one.there);
    let mut texts: Vec<_> = differences.iter().map(text).collect();
    texts.sort_unstable();
    texts
}

/// Returns the outcome that the import would give to an item.
fn outcome(item: &Item) -> Outcome {
    match &item.fate {
        // What the journal takes for done, an import takes for done.
        _ if item.unseen => Outcome::Existed,
        Fate::Create => Outcome::Created,
        Fate::Exists if item.refused => Outcome::Rejected,
        Fate::Exists => Outcome::Existed,
        Fate::Differs { change: Some(change), .. } if change.stay.is_empty() => Outcome::Updated,
        Fate::Differs { .. } => Outcome::Differs,
        Fate::Unknown { .. } => Outcome::Unresolved,
    }
}

#[tokio::test(start_paused = true)]
async fn what_a_plan_says_is_what_the_import_after_it_does() {
    for seed in 0..1000 {
        let case = case(seed);
        let world = World { artifacts: case.target.clone(), ..World::default() };
        let planned = Target(Arc::new(Mutex::new(world.clone())));
        let now = tokio::time::Instant::now().into_std();
        let paces = Paces::new(|_| Pace::new(Rate::Unlimited, None, now));
        let (_keep, stop) = watch::channel(Stop::No);
        let asker = Asker::new(planned.clone(), paces, Duration::from_secs(120), 1, stop);
        let known =
            |wanted: &Artifact, resolved: &Resolved| Ok(resolved_known(&case, wanted, resolved));
        let within = |_: &journal::Known| false;
        let options = Options {
            policy: &case.policy,
            read_lag: Duration::from_secs(10),
            known: None,
            within: &within,
            at_once: 1,
        };
        let (mut journal, run) = staged(&case);
        let (valid, unknown) = (case.entries.len(), unknown(&case));
        let entries = Entries { journal: &mut journal, run, valid, unknown };
        let (open, mut kept) = (case.open.clone(), Kept::default());
        let plan =
            plan_knowing(&asker, entries, open, &options, &known, &mut kept, &mut |_| ()).await;
        let plan = plan.unwrap();
        assert_eq!(planned.of(&[Operation::Create, Operation::Update, Operation::AddTags]), 0);

        let before = world.clone();
        let imported = Target(Arc::new(Mutex::new(world)));
        let outcomes = import(&imported, &case).await;
        let asked = [Operation::List, Operation::Describe, Operation::ListTags];
        let changed = [Operation::Update, Operation::AddTags, Operation::DeleteTags];
        let calls = Calls {
            create: imported.of(&[Operation::Create]),
            update: imported.of(&changed),
            ask: imported.of(&asked),
        };
        assert_eq!(plan.calls, calls, "seed {seed}");
        assert_eq!(kept.0.len(), outcomes.len(), "seed {seed}");
        let made = made_writes(&before, &imported.0.lock().unwrap());
        let planned = planned_writes(&kept.0, &case);
        let only = |one: &Writes, other: &Writes| -> Vec<_> {
            let only = one.iter().filter(|(arn, write)| other.get(*arn) != Some(*write));
            only.map(|(arn, write)| (arn.clone(), write.clone())).collect()
        };
        assert_eq!(only(&made, &planned), only(&planned, &made), "seed {seed}");
        for item in &kept.0 {
            let settled = &outcomes[&item.entry];
            let expected = match settled.outcome {
                Outcome::Recovered => Outcome::Existed,
                outcome => outcome,
            };
            assert_eq!(outcome(item), expected, "seed {seed}: {item:?} {settled:?}");
        }
    }
}
