//! The journal on a real file.

use std::time::{Duration, SystemTime};

use super::*;
use crate::artifact::{Metadata, Source};
use crate::event::Settled;
use crate::submission::Outcome;

fn artifact(uri: &str) -> Artifact {
    Artifact {
        name: None,
        artifact_type: "DataSet".into(),
        source: Source { uri: uri.into(), types: vec![] },
        properties: std::collections::BTreeMap::new(),
        metadata_properties: Metadata::default(),
        tags: vec![],
    }
}

fn target(registry: &str) -> Target {
    Target::Local { registry: registry.into(), file: "f".into() }
}

fn settled(entry: EntryId, outcome: Outcome) -> Settled {
    Settled {
        entry,
        outcome,
        arn: Some("arn".into()),
        attempts: 1,
        request_id: None,
        error: None,
        compared: outcome == Outcome::Created,
        modified: None,
        ..Settled::new(EntryId(0), Outcome::Created)
    }
}

fn begin<'j>(journal: &'j mut Journal, run: &str, target: &Target) -> Staging<'j> {
    let run = NewRun { id: run, command: "lineload import", folder: "/", settings: "{}" };
    journal.begin(&run, target).unwrap()
}

/// A run that is ready, and its entries.
fn stage(
    journal: &mut Journal,
    run: &str,
    target: &Target,
    uris: &[&str],
) -> (RunId, Vec<EntryId>) {
    let mut staging = begin(journal, run, target);
    let run = staging.run();
    let add = |uri: &&str| {
        staging.add(&ToStage { file: "a.yaml", line: 1, artifact: &artifact(uri) }).unwrap()
    };
    let entries = uris.iter().map(add).collect();
    staging.finish().unwrap();
    journal.make_ready(&run, &|_| true, &[("a.yaml".to_owned(), [7; 32])]).unwrap();
    (run, entries)
}

#[tokio::test]
async fn an_intent_is_open_until_its_outcome_is_noted() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("new/journal.sqlite3");
    let here = target("a");
    let mut journal = Journal::open(&path).unwrap();
    let (run, entries) = stage(&mut journal, "one", &here, &["s3://x", "s3://y", "s3://z"]);
    let writer = journal.into_writer(run).unwrap();
    let outcomes = writer.outcomes();
    let at = SystemTime::now();
    outcomes.intend(entries[0], at).await.unwrap();
    outcomes.intend(entries[1], at).await.unwrap();
    outcomes.settled(settled(entries[0], Outcome::Created));
    drop(outcomes);
    // As after a kill: nothing says how it ended.
    let journal = writer.finish(None, None).0;
    let open = journal.open_intents(&here).unwrap();
    assert_eq!(open.len(), 1);
    assert_eq!(open[0].artifact, artifact("s3://y"));
    let age = at.duration_since(open[0].at).unwrap_or_default();
    assert!(age < Duration::from_millis(2), "{age:?}");
    assert!(journal.open_intents(&target("b")).unwrap().is_empty());
    let known =
        |uri: &str| journal.known(&here).unwrap().at(artifact(uri).identity().key()).unwrap();
    assert!(known("s3://x").unwrap().equals(artifact("s3://x").digest()));
    assert!(known("s3://y").is_none() && known("s3://z").is_none());
    assert_eq!(std::fs::read_to_string(path.with_file_name(".gitignore")).unwrap(), "*\n");
}

#[tokio::test]
async fn what_was_never_attempted_is_replaced_and_what_was_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.sqlite3");
    let (here, there) = (target("a"), target("b"));
    let mut journal = Journal::open(&path).unwrap();
    let (run, entries) = stage(&mut journal, "one", &here, &["s3://x", "s3://y"]);
    let writer = journal.into_writer(run).unwrap();
    writer.outcomes().intend(entries[0], SystemTime::now()).await.unwrap();
    let mut journal = writer.finish(Some("interrupted"), Some(12.5)).0;
    stage(&mut journal, "other", &there, &["s3://y"]);
    stage(&mut journal, "two", &here, &["s3://z"]);
    drop(journal);
    let status = Status::open(&path).unwrap();
    let counts = |run: &str| {
        let runs = status.runs(10).unwrap();
        runs.into_iter().find(|one| one.run == run).unwrap().counts
    };
    assert_eq!(counts("one"), [("open".to_owned(), 1)]);
    assert_eq!(counts("two"), [("pending".to_owned(), 1)]);
    assert_eq!(counts("other"), [("pending".to_owned(), 1)]);
}

#[test]
fn one_process_writes_at_a_time_and_the_holder_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.sqlite3");
    let held = Journal::open(&path).unwrap();
    let refused = Journal::open(&path).unwrap_err().to_string();
    assert!(refused.contains(&format!("process {}", std::process::id())), "{refused}");
    drop(held);
    Journal::open(&path).unwrap();
}

#[test]
fn other_files_are_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let text = folder.path().join("text");
    std::fs::write(&text, "not a database, and long enough to have a header".repeat(9)).unwrap();
    assert!(matches!(Journal::open(&text), Err(JournalError::NotAJournal { .. })));
    let other = folder.path().join("other.sqlite3");
    Connection::open(&other).unwrap().pragma_update(None, "user_version", 7).unwrap();
    assert!(matches!(Journal::open(&other), Err(JournalError::NotAJournal { .. })));
    let newer = folder.path().join("newer.sqlite3");
    drop(Journal::open(&newer).unwrap());
    Connection::open(&newer).unwrap().pragma_update(None, "user_version", 99).unwrap();
    assert!(matches!(Journal::open(&newer), Err(JournalError::Newer { found: 99, .. })));
}

#[tokio::test]
async fn what_was_compared_is_known_and_what_differs_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.sqlite3");
    let here = target("a");
    let mut journal = Journal::open(&path).unwrap();
    let (run, entries) =
        stage(&mut journal, "one", &here, &["s3://w", "s3://x", "s3://y", "s3://z"]);
    let writer = journal.into_writer(run).unwrap();
    let modified = SystemTime::UNIX_EPOCH + Duration::from_millis(1_700_000_000_123);
    let note = |entry: usize, outcome, compared| {
        let settled =
            Settled { compared, modified: Some(modified), ..settled(entries[entry], outcome) };
        writer.outcomes().settled(settled);
    };
    note(0, Outcome::Created, true);
    note(1, Outcome::Existed, true);
    note(2, Outcome::Existed, false);
    note(3, Outcome::Updated, true);
    let mut journal = writer.finish(Some("done"), Some(12.5)).0;
    let known = |journal: &Journal, uri: &str| {
        journal.known(&here).unwrap().at(artifact(uri).identity().key()).unwrap()
    };
    assert!(known(&journal, "s3://w").unwrap().made);
    let existed = known(&journal, "s3://x").unwrap();
    assert_eq!((existed.made, existed.modified), (false, Some(modified)));
    assert_eq!(existed.artifact(), Some(artifact("s3://x")));
    assert!(known(&journal, "s3://y").is_none(), "more may differ than a listing shows");
    assert!(!known(&journal, "s3://z").unwrap().made);

    let (run, entries) = stage(&mut journal, "two", &here, &["s3://w"]);
    let writer = journal.into_writer(run).unwrap();
    let differs = Settled { compared: true, ..settled(entries[0], Outcome::Differs) };
    writer.outcomes().settled(differs);
    let journal = writer.finish(Some("done"), None).0;
    let known = known(&journal, "s3://w").unwrap();
    assert_eq!((known.is_equal, known.made), (false, true));
    drop(journal);
    let status = Status::open(&path).unwrap();
    assert_eq!(status.rate(&here).unwrap(), Some(12.5));
    assert_eq!(status.rate(&target("b")).unwrap(), None);
    let known = status.known(&here).unwrap();
    assert!(known.at(artifact("s3://x").identity().key()).unwrap().is_some());
}

#[tokio::test]
async fn a_run_is_found_again_with_what_is_left_of_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.sqlite3");
    let here = target("a");
    let mut journal = Journal::open(&path).unwrap();
    let (run, entries) = stage(&mut journal, "0a-one", &here, &["s3://x", "s3://y"]);
    let writer = journal.into_writer(run).unwrap();
    writer.outcomes().settled(settled(entries[0], Outcome::Created));
    let mut journal = writer.finish(Some("interrupted"), Some(3.5)).0;
    let found = journal.staged_run(None).unwrap().unwrap();
    assert_eq!((found.id.as_str(), &found.target, found.run), ("0a-one", &here, run));
    assert_eq!((found.settings.as_str(), found.rate), ("{}", Some(3.5)));
    assert_eq!(found.files, [("a.yaml".into(), [7; 32])]);
    assert_eq!(journal.left(&run).unwrap(), 1);
    let left = journal.next(&run, None, 10).unwrap();
    assert_eq!(left.len(), 1);
    assert_eq!((left[0].id, &left[0].artifact), (entries[1], &artifact("s3://y")));
    assert!(journal.next(&run, Some(entries[1]), 10).unwrap().is_empty());
    let mut outcomes = Vec::new();
    journal
        .each(&run, &mut |entry| {
            outcomes.push(entry.outcome);
            Ok(())
        })
        .unwrap();
    assert_eq!(outcomes, [Some("created".to_owned()), None]);
    assert!(journal.staged_run(Some("0b")).unwrap().is_none());
    journal.reopen(&run).unwrap();
    let writer = journal.into_writer(run).unwrap();
    writer.outcomes().settled(settled(entries[1], Outcome::Created));
    let journal = writer.finish(Some("done"), None).0;
    assert!(journal.staged_run(None).unwrap().is_none(), "nothing is left");
    assert!(journal.staged_run(Some("0a")).unwrap().is_some());
}

#[test]
fn a_journal_of_version_1_is_brought_up_to_date_by_the_next_run() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.sqlite3");
    // As lineload wrote it before version 2: two artifacts, both created.
    Connection::open(&path).unwrap().execute_batch(include_str!("version-1.sql")).unwrap();
    assert!(matches!(Status::open(&path), Err(JournalError::Older { .. })));
    let journal = Journal::open(&path).unwrap();
    let target = {
        let status = Status::open(&path).unwrap();
        let run = status.runs(1).unwrap().remove(0);
        assert_eq!(run.counts, [("created".to_owned(), 2)]);
        let registry = run.target.strip_prefix("local:").unwrap().to_owned();
        Target::Local { registry, file: String::new() }
    };
    let mut wanted = artifact("s3://bucket/1");
    wanted.name = Some("a1".into());
    let known = journal.known(&target).unwrap().at(wanted.identity().key()).unwrap().unwrap();
    assert!(known.equals(wanted.digest()) && known.made);
    assert_eq!((known.file.as_str(), known.line), ("m/1.yaml", 1));
}
