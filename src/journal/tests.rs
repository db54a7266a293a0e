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

fn settled(entry: u32, outcome: Outcome) -> Settled {
    Settled {
        entry: EntryId(entry),
        outcome,
        arn: Some("arn".into()),
        attempts: 1,
        request_id: None,
        error: None,
    }
}

fn stage(journal: &mut Journal, run: &str, target: &Target, uris: &[&str]) -> Staged {
    let artifacts: Vec<_> = uris.iter().map(|uri| artifact(uri)).collect();
    let entries = (0..).map(EntryId).zip(&artifacts).map(|(entry, artifact)| ToStage {
        entry,
        file: "a.yaml",
        line: 1,
        artifact,
    });
    journal.stage(run, "lineload import", target, entries).unwrap()
}

#[tokio::test]
async fn an_intent_is_open_until_its_outcome_is_noted() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("new/journal.sqlite3");
    let here = target("a");
    let mut journal = Journal::open(&path).unwrap();
    let staged = stage(&mut journal, "one", &here, &["s3://x", "s3://y", "s3://z"]);
    let writer = journal.into_writer(staged).unwrap();
    let outcomes = writer.outcomes();
    let at = SystemTime::now();
    outcomes.intend(EntryId(0), at).await.unwrap();
    outcomes.intend(EntryId(1), at).await.unwrap();
    outcomes.settled(settled(0, Outcome::Created));
    drop(outcomes);
    // As after a kill: nothing says how it ended.
    let journal = writer.finish(None).unwrap();
    let open = journal.open_intents(&here).unwrap();
    assert_eq!(open.len(), 1);
    assert_eq!(open[0].artifact, artifact("s3://y"));
    let age = at.duration_since(open[0].at).unwrap_or_default();
    assert!(age < Duration::from_millis(2), "{age:?}");
    assert!(journal.open_intents(&target("b")).unwrap().is_empty());
    let known = |uri: &str| journal.known(&here, artifact(uri).identity().key()).unwrap();
    assert_eq!(known("s3://x").unwrap().digest, artifact("s3://x").digest());
    assert!(known("s3://y").is_none() && known("s3://z").is_none());
    assert_eq!(std::fs::read_to_string(path.with_file_name(".gitignore")).unwrap(), "*\n");
}

#[tokio::test]
async fn what_was_never_attempted_is_replaced_and_what_was_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.sqlite3");
    let (here, there) = (target("a"), target("b"));
    let mut journal = Journal::open(&path).unwrap();
    let staged = stage(&mut journal, "one", &here, &["s3://x", "s3://y"]);
    let writer = journal.into_writer(staged).unwrap();
    writer.outcomes().intend(EntryId(0), SystemTime::now()).await.unwrap();
    let mut journal = writer.finish(Some("interrupted")).unwrap();
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
