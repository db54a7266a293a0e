//! The journal on a real file.

mod beside;
mod deletions;
mod disturbed;
mod migrate;
mod network;
mod room;

use std::time::{Duration, SystemTime};

use super::*;
use crate::artifact::{Source, Texts};
use crate::event::Settled;
use crate::submission::Outcome;

fn artifact(uri: &str) -> Artifact {
    Artifact {
        name: None,
        artifact_type: "DataSet".into(),
        source: Source { uri: uri.into(), types: vec![] },
        properties: std::collections::BTreeMap::new(),
        texts: Texts::default(),
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
        ..Settled::new(entry, outcome)
    }
}

fn begin<'j>(journal: &'j mut Journal, run: &str, target: &Target) -> Staging<'j> {
    let run = NewRun { id: run, command: "lineload import", folder: "/", settings: "{}" };
    journal.begin(&run, target).unwrap()
}

/// Returns a run that is ready, and its entries.
fn stage(
    journal: &mut Journal,
    run: &str,
    target: &Target,
    uris: &[&str],
) -> (RunId, Vec<EntryId>) {
    let mut staging = begin(journal, run, target);
    let run = staging.run();
    let add = |uri: &&str| staging.add(&ToStage::new("a.yaml", 1, &artifact(uri))).unwrap();
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

    let (run, entries) = stage(&mut journal, "two", &here, &["s3://w", "s3://x"]);
    let writer = journal.into_writer(run).unwrap();
    let differs = Settled { compared: true, ..settled(entries[0], Outcome::Differs) };
    writer.outcomes().settled(differs);
    // A listing shows it with another name: what it was like is nothing to go by any more.
    let renamed = Settled { compared: false, ..settled(entries[1], Outcome::Differs) };
    writer.outcomes().settled(renamed);
    let journal = writer.finish(Some("done"), None).0;
    assert!(!known(&journal, "s3://x").unwrap().is_equal);
    let made = known(&journal, "s3://w").unwrap();
    assert_eq!((made.is_equal, made.made), (false, true));
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
    journal.reopen(&run, "lineload resume").unwrap();
    let writer = journal.into_writer(run).unwrap();
    writer.outcomes().settled(settled(entries[1], Outcome::Created));
    let journal = writer.finish(Some("done"), None).0;
    assert!(journal.staged_run(None).unwrap().is_none(), "nothing is left");
    assert!(journal.staged_run(Some("0a")).unwrap().is_some());
}

#[test]
fn a_run_that_was_never_made_ready_is_gone_when_the_journal_is_opened_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.sqlite3");
    let here = target("a");
    let mut journal = Journal::open(&path).unwrap();
    let (first, _) = stage(&mut journal, "one", &here, &["s3://x"]);
    let mut staging = begin(&mut journal, "two", &here);
    // More than one transaction.
    for number in 0..10_500 {
        let artifact = artifact(&format!("s3://y/{number}"));
        staging.add(&ToStage::new("b.yaml", 1, &artifact)).unwrap();
    }
    drop(staging);
    drop(journal);
    let count = |table: &str| -> u32 {
        let count = format!("SELECT count(*) FROM {table}");
        Connection::open(&path).unwrap().query_row(&count, [], |row| row.get(0)).unwrap()
    };
    assert_eq!((count("entry"), count("entries"), count("runs")), (10_001, 1, 1));
    let mut journal = Journal::open(&path).unwrap();
    assert_eq!(journal.left(&first).unwrap(), 1);
    drop(begin(&mut journal, "three", &here));
    let staging = begin(&mut journal, "four", &here);
    let run = staging.run();
    staging.finish().unwrap();
    journal.discard(&run).unwrap();
    drop(journal);
    assert_eq!((count("entry"), count("file"), count("run"), count("source")), (1, 1, 1, 1));
}

#[test]
fn a_run_with_nothing_to_send_still_takes_the_place_of_what_was_staged() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.sqlite3");
    let here = target("a");
    let mut journal = Journal::open(&path).unwrap();
    let (first, _) = stage(&mut journal, "one", &here, &["s3://x"]);
    let staging = begin(&mut journal, "two", &here);
    let run = staging.run();
    staging.finish().unwrap();
    journal.replace(&run, &|file| file == "a.yaml").unwrap();
    assert_eq!(journal.left(&first).unwrap(), 0);
    assert!(journal.staged_run(None).unwrap().is_none());
    assert!(journal.staged_run(Some("two")).unwrap().is_none());
}

#[test]
fn invalid_entries_are_in_reports_and_are_not_sent() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.sqlite3");
    let here = target("a");
    let mut journal = Journal::open(&path).unwrap();
    let mut staging = begin(&mut journal, "one", &here);
    let run = staging.run();
    let (x, y) = (artifact("s3://x"), artifact("s3://y"));
    let x = staging.add(&ToStage::new("a.yaml", 1, &x)).unwrap();
    let invalid = Invalid {
        file: "b.yaml",
        line: 3,
        name: Some("n"),
        source_uri: None,
        code: "unknown-field",
        message: "there is no field `x`",
    };
    let none = staging.add_invalid(&invalid).unwrap();
    let y = staging.add(&ToStage::new("b.yaml", 9, &y)).unwrap();
    staging.invalidate(x, "duplicate-source", "twice").unwrap();
    staging.finish().unwrap();
    journal.make_ready(&run, &|_| true, &[("b.yaml".to_owned(), [1; 32])]).unwrap();
    assert_eq!(journal.counts(&run).unwrap(), [("invalid".into(), 2), ("pending".into(), 1)]);
    let left: Vec<_> = journal.next(&run, None, 9).unwrap().iter().map(|one| one.id).collect();
    assert_eq!(left, [y]);
    let mut seen = Vec::new();
    journal
        .each(&run, &mut |one| {
            seen.push((
                one.id,
                one.outcome.unwrap_or_default(),
                one.error_code.unwrap_or_default(),
            ));
            Ok(())
        })
        .unwrap();
    let row = |id, outcome: &str, code: &str| (id, outcome.to_owned(), code.to_owned());
    let duplicate = row(x, "invalid", "duplicate-source");
    assert_eq!(seen, [duplicate, row(none, "invalid", "unknown-field"), row(y, "", "")]);
    let entry = journal.entry(none).unwrap().unwrap();
    assert_eq!((entry.file.as_str(), entry.line, entry.name.as_deref()), ("b.yaml", 3, Some("n")));
    assert_eq!(journal.staged_run(None).unwrap().unwrap().files, [("b.yaml".into(), [1; 32])]);
    drop(journal);
    let status = Status::open(&path).unwrap();
    let mut invalid = Vec::new();
    status
        .each_invalid("one", |entry| {
            invalid.push((entry.file, entry.line, entry.error));
            Ok::<_, JournalError>(())
        })
        .unwrap();
    let said = "unknown-field: there is no field `x`".to_owned();
    assert_eq!(invalid[1], ("b.yaml".to_owned(), 3, Some(said)));
    assert!(status.failed("one", 10).unwrap().is_empty(), "nothing of it was sent");
}

#[tokio::test]
async fn arns_and_request_ids_are_read_as_they_were_written() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.sqlite3");
    let uuid = "1963c23d-3ff9-4f56-a37a-8c5a7a447b17";
    let hex = "0123456789abcdef0123456789abcdef";
    let written = [
        (format!("arn:aws:sagemaker:eu-west-1:123456789012:artifact/{hex}"), uuid.to_owned()),
        (
            format!("arn:aws-cn:sagemaker:cn-north-1:123456789012:artifact/{hex}"),
            uuid.to_uppercase(),
        ),
        (
            format!("arn:aws:sagemaker:eu-west-1:123456789012:artifact/{}", hex.to_uppercase()),
            hex.into(),
        ),
        (format!("artifact-{hex}"), String::new()),
        ("é".repeat(20), "é".repeat(18)),
        (String::new(), format!("{{{uuid}}}")),
    ];
    let mut journal = Journal::open(&path).unwrap();
    let uris: Vec<_> = (0..written.len()).map(|at| format!("s3://{at}")).collect();
    let uris: Vec<_> = uris.iter().map(String::as_str).collect();
    let (run, entries) = stage(&mut journal, "one", &target("a"), &uris);
    let writer = journal.into_writer(run).unwrap();
    for (entry, (arn, request_id)) in entries.iter().zip(&written) {
        let (arn, request_id) = (Some(arn.clone()), Some(request_id.clone()));
        let settled = Settled { arn, request_id, ..settled(*entry, Outcome::Created) };
        writer.outcomes().settled(settled);
    }
    drop(writer.finish(Some("done"), None).0);
    let connection = Connection::open(&path).unwrap();
    let mut read = connection.prepare("SELECT arn, request_id FROM entries").unwrap();
    let read = read.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
    let read: Vec<(String, String)> = read.map(Result::unwrap).collect();
    assert_eq!(read, written);
}

#[tokio::test]
async fn of_a_message_without_end_a_few_kilobytes_are_kept() {
    let mut journal = Journal::scratch().unwrap();
    let (run, entries) = stage(&mut journal, "one", &target("a"), &["s3://x"]);
    let writer = journal.into_writer(run).unwrap();
    let error = Some(crate::submission::Refusal::by_lineload("é".repeat(1_000_000)));
    writer.outcomes().settled(Settled { error, ..settled(entries[0], Outcome::Rejected) });
    let journal = writer.finish(Some("done"), None).0;
    let message = journal.entry(entries[0]).unwrap().unwrap().error_message.unwrap();
    assert_eq!(message, "é".repeat(2048));
}

#[tokio::test]
async fn an_attempt_whose_row_is_gone_is_not_made() {
    let mut journal = Journal::scratch().unwrap();
    let (run, entries) = stage(&mut journal, "one", &target("a"), &["s3://x"]);
    journal.connection.execute("DELETE FROM entry", []).unwrap();
    let writer = journal.into_writer(run).unwrap();
    writer.outcomes().intend(entries[0], SystemTime::now()).await.unwrap_err();
}

#[tokio::test]
async fn attempts_are_counted_and_what_came_to_nothing_is_left() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.sqlite3");
    let here = target("a");
    let mut journal = Journal::open(&path).unwrap();
    let uris = ["s3://withdrawn", "s3://unresolved", "s3://pending", "s3://z"];
    let (run, entries) = stage(&mut journal, "one", &here, &uris);
    let writer = journal.into_writer(run).unwrap();
    let outcomes = writer.outcomes();
    let (first, last) = (from_millis(1_000), from_millis(2_000));
    for entry in &entries[..3] {
        outcomes.intend(*entry, first).await.unwrap();
        outcomes.intend(*entry, last).await.unwrap();
    }
    outcomes.withdrawn(entries[0]);
    outcomes.settled(settled(entries[1], Outcome::Unresolved));
    outcomes.settled(settled(entries[2], Outcome::Pending));
    let next: Vec<_> = outcomes.next(None, 2).await.unwrap();
    let next: Vec<_> = next.iter().map(|one| (one.id, one.attempts)).collect();
    assert_eq!(next, [(entries[0], 2), (entries[2], 2)]);
    let next: Vec<_> = outcomes.next(Some(entries[2]), 2).await.unwrap();
    assert_eq!(next.len(), 1, "what is open is not sent again");
    drop(outcomes);
    let mut journal = writer.finish(Some("interrupted"), None).0;
    let open = journal.open_intents(&here).unwrap();
    assert_eq!(open.len(), 1);
    assert_eq!((open[0].entry, open[0].first, open[0].at), (entries[1], first, last));
    assert_eq!(journal.left(&run).unwrap(), 3);
    assert_eq!(journal.counts(&run).unwrap(), [("pending".into(), 3), ("unresolved".into(), 1)]);
    assert_eq!(journal.entry(entries[1]).unwrap().unwrap().attempts, 2);
    journal.reopen(&run, "lineload resume").unwrap();
    let writer = journal.into_writer(run).unwrap();
    writer.outcomes().intend(entries[0], last).await.unwrap();
    writer.outcomes().settled(settled(entries[0], Outcome::Created));
    writer.outcomes().settled(settled(entries[1], Outcome::Recovered));
    let journal = writer.finish(None, None).0;
    let attempts = |at: usize| journal.entry(entries[at]).unwrap().unwrap().attempts;
    assert_eq!((attempts(0), attempts(1), attempts(2), attempts(3)), (3, 2, 2, 0));
    assert!(journal.open_intents(&here).unwrap().is_empty());
}

#[tokio::test]
async fn of_two_results_of_a_source_the_later_is_known_whichever_was_staged_first() {
    let folder = tempfile::tempdir().unwrap();
    let here = target("a");
    let mut journal = Journal::open(&folder.path().join("journal.sqlite3")).unwrap();
    let stage_one = |journal: &mut Journal, run: &str, artifact: &Artifact| {
        let mut staging = begin(journal, run, &here);
        let run = staging.run();
        let entry = staging.add(&ToStage::new("a.yaml", 1, artifact)).unwrap();
        staging.finish().unwrap();
        journal.make_ready(&run, &|_| false, &[]).unwrap();
        (run, entry)
    };
    let (one, mut other) = (artifact("s3://x"), artifact("s3://x"));
    other.properties.insert("k".into(), "v".into());
    let (first, x) = stage_one(&mut journal, "one", &one);
    let (second, y) = stage_one(&mut journal, "two", &other);
    let equal = |journal: &Journal, artifact: &Artifact| {
        let known = journal.known(&here).unwrap();
        known.equal(artifact.identity().key(), artifact.digest()).unwrap().is_some()
    };
    for (run, entry, outcome, known) in [
        (second, y, Outcome::Created, [false, true]),
        // The first run is resumed after the second.
        (first, x, Outcome::Updated, [true, false]),
    ] {
        let writer = journal.into_writer(run).unwrap();
        writer.outcomes().settled(Settled { compared: true, ..settled(entry, outcome) });
        journal = writer.finish(Some("done"), None).0;
        assert_eq!([&one, &other].map(|artifact| equal(&journal, artifact)), known);
    }
    let known = journal.known(&here).unwrap().at(one.identity().key()).unwrap().unwrap();
    assert!(known.made, "the second run created it");
}

#[tokio::test]
async fn what_a_listing_showed_comes_with_the_job() {
    let mut journal = Journal::scratch().unwrap();
    let (run, entries) = stage(&mut journal, "one", &target("a"), &["s3://x", "s3://y"]);
    let found = [(entries[1], "{\"arn\": 1}".to_owned())];
    journal.note_found(&mut found.into_iter()).unwrap();
    let writer = journal.into_writer(run).unwrap();
    let jobs = writer.outcomes().next(None, 10).await.unwrap();
    let found: Vec<_> = jobs.iter().map(|job| job.found.as_deref()).collect();
    assert_eq!(found, [None, Some("{\"arn\": 1}")]);
    assert_eq!(jobs[1].artifact, artifact("s3://y"));
}
