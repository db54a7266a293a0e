//! Runs that delete: what they take, and what the journal claims meanwhile and afterwards.

use super::*;
use crate::submission::RunKind;

/// The ARN of the `nth` creation at a target.
fn arn(nth: u32) -> String {
    format!("arn:aws:sagemaker:eu-west-1:123456789012:artifact/{nth:032x}")
}

fn with_arn(entry: EntryId, outcome: Outcome, nth: u32) -> Settled {
    Settled { arn: Some(arn(nth)), ..settled(entry, outcome) }
}

/// Stages an import of the URIs, and settles them as created, with ARNs from `first` on.
fn import(
    journal: Journal,
    run: &str,
    here: &Target,
    uris: &[&str],
    first: u32,
) -> (Journal, RunId, Vec<EntryId>) {
    let mut journal = journal;
    let (run, entries) = stage(&mut journal, run, here, uris);
    let writer = journal.into_writer(run).unwrap();
    for (nth, entry) in (first..).zip(&entries) {
        writer.outcomes().settled(with_arn(*entry, Outcome::Created, nth));
    }
    let journal = writer.finish(Some("done"), Some(3.5)).0;
    (journal, run, entries)
}

fn new_run(id: &str) -> NewRun<'_> {
    NewRun { id, command: "lineload delete", folder: "/", settings: "{}" }
}

/// Stages the deletion of all that the run `of` created, or of everything.
fn undo(
    journal: &mut Journal,
    id: &str,
    here: &Target,
    of: Option<&RunId>,
) -> (RunId, Vec<String>) {
    let mut deletions = journal.begin_deletions(&new_run(id), here).unwrap();
    let run = deletions.run();
    deletions.add_made(of, &mut |_| true).unwrap();
    deletions.finish().unwrap();
    journal.make_deletions_ready(&run, of).unwrap();
    let staged = journal.next(&run, None, 100).unwrap();
    (run, staged.into_iter().map(|entry| entry.deletes.unwrap()).collect())
}

fn at(journal: &Journal, here: &Target, uri: &str) -> Option<Known> {
    let known = journal.known(here).unwrap();
    let artifact = artifact(uri);
    let found = known.at(artifact.key()).unwrap();
    let equal = known.equal(artifact.key(), artifact.digest()).unwrap();
    assert_eq!(equal.is_some(), found.as_ref().is_some_and(|one| one.is_equal), "{uri}");
    found
}

fn temporary() -> (tempfile::TempDir, PathBuf, Journal) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.sqlite3");
    let journal = Journal::open(&path).unwrap();
    (folder, path, journal)
}

const ALL: [&str; 3] = ["s3://x", "s3://y", "s3://z"];

#[tokio::test]
async fn from_its_intent_on_the_journal_does_not_claim_that_it_exists() {
    let (_folder, path, journal) = temporary();
    let (here, elsewhere) = (target("a"), target("b"));
    let (journal, ..) = import(journal, "other", &elsewhere, &ALL, 90);
    let (mut journal, made, _) = import(journal, "made", &here, &ALL, 1);
    let (run, arns) = undo(&mut journal, "undo", &here, Some(&made));
    assert_eq!(arns, [arn(1), arn(2), arn(3)]);
    assert!(at(&journal, &here, "s3://x").unwrap().made, "staging alone deletes nothing");
    let entries: Vec<_> = journal.next(&run, None, 9).unwrap().iter().map(|one| one.id).collect();
    let writer = journal.into_writer(run).unwrap();
    writer.outcomes().intend(entries[0], SystemTime::now()).await.unwrap();
    // As after a kill: the request may have left.
    drop(writer);
    std::thread::sleep(Duration::from_millis(50));
    let mut journal = Journal::open(&path).unwrap();
    assert!(at(&journal, &here, "s3://x").is_none());
    assert!(at(&journal, &here, "s3://y").unwrap().made);
    assert!(at(&journal, &elsewhere, "s3://x").unwrap().made, "another target");
    let open = journal.open_deletions(&here).unwrap();
    assert_eq!(open, [OpenDeletion { entry: entries[0], arn: arn(1) }]);
    assert!(journal.open_intents(&here).unwrap().is_empty(), "it is no create");
    assert!(journal.open_deletions(&elsewhere).unwrap().is_empty());
    assert_eq!(journal.left(&run).unwrap(), 2, "what is open is looked up first");
    // It had no effect: the artifact is there, and its deletion pending again.
    journal.settle_deletions(&[(entries[0], false)]).unwrap();
    assert!(at(&journal, &here, "s3://x").unwrap().made);
    assert_eq!(journal.left(&run).unwrap(), 3);
    assert_eq!(journal.staged_run(None).unwrap().unwrap().kind, RunKind::Delete);
}

/// Notes an attempt of each entry of `run`.
async fn attempt_all(journal: Journal, run: RunId) -> (Writer, Vec<EntryId>) {
    let entries: Vec<_> = journal.next(&run, None, 9).unwrap().iter().map(|one| one.id).collect();
    let writer = journal.into_writer(run).unwrap();
    for entry in &entries {
        writer.outcomes().intend(*entry, SystemTime::now()).await.unwrap();
    }
    (writer, entries)
}

#[tokio::test]
async fn a_deletion_is_of_one_arn_until_that_is_created_again() {
    let (_folder, _, journal) = temporary();
    let here = target("a");
    let (mut journal, made, _) = import(journal, "made", &here, &ALL, 1);
    let (run, _) = undo(&mut journal, "undo", &here, Some(&made));
    let (writer, entries) = attempt_all(journal, run).await;
    writer.outcomes().settled(with_arn(entries[0], Outcome::Deleted, 1));
    // It has associations.
    writer.outcomes().settled(with_arn(entries[1], Outcome::Rejected, 2));
    // What is to be looked up is not forgotten, whatever is known of it.
    writer.outcomes().settled(Settled { arn: None, ..settled(entries[2], Outcome::Unresolved) });
    let journal = writer.finish(Some("done"), None).0;
    assert!(at(&journal, &here, "s3://x").is_none());
    assert!(at(&journal, &here, "s3://y").unwrap().made, "the service keeps it");
    assert!(at(&journal, &here, "s3://z").is_none(), "nobody knows");
    assert_eq!(journal.deleted_since(&made).unwrap(), 2);
    let open = journal.open_deletions(&here).unwrap();
    assert_eq!(open, [OpenDeletion { entry: entries[2], arn: arn(3) }]);
    let counts = [("deleted", 1), ("rejected", 1), ("unresolved", 1)];
    assert_eq!(journal.counts(&run).unwrap(), counts.map(|(name, count)| (name.to_owned(), count)));

    // It is created again, under another ARN, and the last deletion proves to have taken effect after that.
    let (mut journal, again, _) = import(journal, "again", &here, &["s3://x", "s3://z"], 7);
    assert_eq!(at(&journal, &here, "s3://x").unwrap().arn, Some(arn(7)));
    journal.settle_deletions(&[(entries[2], true)]).unwrap();
    assert_eq!(at(&journal, &here, "s3://z").unwrap().arn, Some(arn(8)));
    // What is deleted next is what is there now, and nothing twice.
    let (_, mut arns) = undo(&mut journal, "all", &here, None);
    arns.sort();
    assert_eq!(arns, [arn(2), arn(7), arn(8)]);
    let (_, arns) = undo(&mut journal, "first", &here, Some(&made));
    assert_eq!(arns, [arn(2)]);
    assert_eq!(undo(&mut journal, "second", &here, Some(&again)).1, [arn(7), arn(8)]);
}

/// A service may derive ARNs from sources: then the same one is created a second time.
#[tokio::test]
async fn an_arn_that_is_created_again_is_known_until_it_is_deleted_again() {
    let (_folder, _, journal) = temporary();
    let here = target("a");
    let (mut journal, made, _) = import(journal, "made", &here, &ALL, 1);
    let (run, _) = undo(&mut journal, "undo", &here, Some(&made));
    let (writer, entries) = attempt_all(journal, run).await;
    writer.outcomes().settled(with_arn(entries[0], Outcome::Deleted, 1));
    writer.outcomes().settled(with_arn(entries[1], Outcome::Deleted, 2));
    // What became of the third is not known, and no answer said anything.
    let journal = writer.finish(Some("killed"), None).0;
    assert!(ALL.iter().all(|uri| at(&journal, &here, uri).is_none()));

    // A listing that lags shows one, and two are created again: only the answer to a create counts.
    let mut journal = journal;
    let (found, listed) = stage(&mut journal, "found", &here, &["s3://y"]);
    let writer = journal.into_writer(found).unwrap();
    writer.outcomes().settled(with_arn(listed[0], Outcome::Existed, 2));
    let journal = writer.finish(Some("done"), None).0;
    assert!(at(&journal, &here, "s3://y").is_none(), "the listing is late");
    let (journal, first, _) = import(journal, "first", &here, &["s3://x"], 1);
    let (mut journal, ..) = import(journal, "third", &here, &["s3://z"], 3);
    for (uri, nth) in [("s3://x", 1), ("s3://z", 3)] {
        let known = at(&journal, &here, uri).unwrap();
        assert!(known.made && known.is_equal, "{uri}");
        assert_eq!(known.arn, Some(arn(nth)));
    }
    assert_eq!(journal.deleted_since(&made).unwrap(), 3);
    assert_eq!(journal.deleted_since(&first).unwrap(), 0);
    // It is not there when it is looked up, so whatever was known of it before is of the past.
    journal.settle_deletions(&[(entries[2], true)]).unwrap();
    assert!(at(&journal, &here, "s3://z").is_none());
    let (run, arns) = undo(&mut journal, "again", &here, None);
    assert_eq!(arns, [arn(1)]);
    let entry = journal.next(&run, None, 9).unwrap()[0].id;
    let writer = journal.into_writer(run).unwrap();
    writer.outcomes().intend(entry, SystemTime::now()).await.unwrap();
    writer.outcomes().settled(with_arn(entry, Outcome::Deleted, 1));
    let journal = writer.finish(Some("done"), None).0;
    assert!(at(&journal, &here, "s3://x").is_none());
    assert_eq!(journal.deleted_since(&first).unwrap(), 1);
    // What was settled after a deletion was looked up is later than that.
    let (journal, ..) = import(journal, "last", &here, &["s3://z"], 3);
    assert!(at(&journal, &here, "s3://z").unwrap().made);
}

#[tokio::test]
async fn what_other_runs_created_is_not_of_the_run_that_found_it() {
    let (_folder, _, journal) = temporary();
    let here = target("a");
    let (mut journal, ..) = import(journal, "first", &here, &["s3://x"], 1);
    let (found, entries) = stage(&mut journal, "found", &here, &ALL);
    let writer = journal.into_writer(found).unwrap();
    writer.outcomes().settled(with_arn(entries[0], Outcome::Existed, 1));
    writer.outcomes().settled(with_arn(entries[1], Outcome::Existed, 2));
    writer.outcomes().settled(with_arn(entries[2], Outcome::Created, 3));
    let mut journal = writer.finish(Some("done"), None).0;
    let mut deletions = journal.begin_deletions(&new_run("undo"), &here).unwrap();
    deletions.add_made(Some(&found), &mut |_| true).unwrap();
    deletions.spare_other_runs().unwrap();
    deletions.add_others(Some(&found), &mut |_| true).unwrap();
    assert_eq!(deletions.by_other_runs(), 1);
    let run = deletions.run();
    assert_eq!(deletions.finish().unwrap(), 2);
    let arns: Vec<_> =
        journal.next(&run, None, 9).unwrap().into_iter().map(|one| one.deletes).collect();
    assert_eq!(arns, [Some(arn(3)), Some(arn(2))]);
}

#[tokio::test]
async fn what_existed_is_no_creation_of_ours() {
    let (_folder, _, journal) = temporary();
    let here = target("a");
    let (mut journal, ..) = import(journal, "made", &here, &["s3://x"], 1);
    let (run, entries) = stage(&mut journal, "found", &here, &["s3://x", "s3://y", "s3://z"]);
    let writer = journal.into_writer(run).unwrap();
    writer.outcomes().settled(with_arn(entries[0], Outcome::Existed, 1));
    writer.outcomes().settled(with_arn(entries[1], Outcome::Existed, 2));
    writer.outcomes().settled(with_arn(entries[2], Outcome::Differs, 3));
    let mut journal = writer.finish(Some("done"), None).0;
    let select = |journal: &mut Journal, of: Option<&RunId>| {
        let mut deletions = journal.begin_deletions(&new_run("undo"), &here).unwrap();
        let run = deletions.run();
        let (mut made, mut others) = (Vec::new(), Vec::new());
        let keep = |all: &mut Vec<String>, one: &Candidate| {
            all.push(one.arn().unwrap().to_owned());
            false
        };
        deletions.add_made(of, &mut |one| keep(&mut made, one)).unwrap();
        deletions.add_others(of, &mut |one| keep(&mut others, one)).unwrap();
        assert!(!deletions.is_another(&arn(2)) && deletions.is_another(&arn(4)));
        assert_eq!(deletions.finish().unwrap(), 0);
        journal.discard(&run).unwrap();
        (made, others)
    };
    assert_eq!(select(&mut journal, None), (vec![arn(1)], vec![arn(2), arn(3)]));
    let run = journal.staged_run(Some("found")).unwrap().unwrap().run;
    assert_eq!(select(&mut journal, Some(&run)), (vec![], vec![arn(1), arn(2), arn(3)]));
}

#[tokio::test]
async fn what_is_deleted_is_not_created_by_what_was_staged_before() {
    let (_folder, path, journal) = temporary();
    let here = target("a");
    let (mut journal, made, _) = import(journal, "made", &here, &ALL, 1);
    // A run that came no further than its first entry, and one of other sources.
    let (stopped, entries) = stage(&mut journal, "stopped", &here, &["s3://v", "s3://w", "s3://x"]);
    let writer = journal.into_writer(stopped).unwrap();
    writer.outcomes().settled(with_arn(entries[0], Outcome::Created, 11));
    let mut journal = writer.finish(Some("interrupted"), None).0;
    undo(&mut journal, "one", &here, Some(&made));
    let counts = |run: &str| {
        let status = Status::open(&path).unwrap();
        let runs = status.runs(10).unwrap();
        runs.into_iter().find(|one| one.run == run).unwrap().counts
    };
    drop(journal);
    let pending = |count| ("pending".to_owned(), count);
    let created = ("created".to_owned(), 1);
    assert_eq!(counts("stopped"), [created.clone(), pending(1)], "x is not to be created");
    assert_eq!(counts("one"), [pending(3)]);
    // A later deletion takes over, and a run that is undone is not resumed.
    let mut journal = Journal::open(&path).unwrap();
    undo(&mut journal, "two", &here, Some(&made));
    undo(&mut journal, "three", &here, Some(&stopped));
    drop(journal);
    assert_eq!((counts("one"), counts("two")), (vec![], vec![pending(3)]));
    assert_eq!((counts("stopped"), counts("three")), (vec![created], vec![pending(1)]));
    // An import of the manifests wants them to stay.
    let mut journal = Journal::open(&path).unwrap();
    stage(&mut journal, "again", &here, &["s3://new"]);
    assert!(at(&journal, &here, "s3://y").unwrap().made);
    drop(journal);
    assert_eq!((counts("two"), counts("three")), (vec![], vec![]));
}

#[tokio::test]
async fn each_kind_of_run_has_its_rate() {
    let (_folder, _, journal) = temporary();
    let here = target("a");
    let (mut journal, made, _) = import(journal, "made", &here, &ALL, 1);
    let (run, _) = undo(&mut journal, "undo", &here, Some(&made));
    assert_eq!(journal.rate(&here, RunKind::Delete).unwrap(), None);
    let journal = journal.into_writer(run).unwrap().finish(Some("done"), Some(9.0)).0;
    assert_eq!(journal.rate(&here, RunKind::Delete).unwrap(), Some(9.0));
    assert_eq!(journal.rate(&here, RunKind::Import).unwrap(), Some(3.5));
}

#[tokio::test]
async fn a_staged_deletion_that_was_never_ready_is_gone() {
    let (_folder, path, journal) = temporary();
    let here = target("a");
    let (mut journal, ..) = import(journal, "made", &here, &ALL, 1);
    let mut deletions = journal.begin_deletions(&new_run("dry"), &here).unwrap();
    deletions.add_made(None, &mut |_| true).unwrap();
    assert_eq!(deletions.finish().unwrap(), 3);
    drop(journal);
    let journal = Journal::open(&path).unwrap();
    assert_eq!(journal.runs_like("dry").unwrap(), 0);
    let orphans = "SELECT count(*) FROM result WHERE entry NOT IN (SELECT id FROM entry)";
    let orphans: i64 = journal.connection.query_row(orphans, [], |row| row.get(0)).unwrap();
    assert_eq!(orphans, 0);
    assert!(at(&journal, &here, "s3://x").unwrap().made);
}

/// A journal reads what follows one another many at a time: what was deleted is not among it.
#[tokio::test]
async fn what_was_deleted_is_not_known_in_order_either() {
    let (_folder, _, journal) = temporary();
    let here = target("a");
    let uris: Vec<String> = (0..300).map(|number| format!("s3://b/{number}")).collect();
    let all: Vec<&str> = uris.iter().map(String::as_str).collect();
    let (mut journal, made, _) = import(journal, "made", &here, &all, 1);
    let mut deletions = journal.begin_deletions(&new_run("undo"), &here).unwrap();
    let run = deletions.run();
    deletions.add_made(Some(&made), &mut |one| one.uri.ends_with('7')).unwrap();
    assert_eq!(deletions.finish().unwrap(), 30);
    journal.make_deletions_ready(&run, None).unwrap();
    let entries = journal.next(&run, None, 100).unwrap();
    let writer = journal.into_writer(run).unwrap();
    for (at, entry) in entries.iter().enumerate() {
        let outcome = if at % 2 == 0 { Outcome::Deleted } else { Outcome::Rejected };
        let settled = Settled { arn: entry.deletes.clone(), ..settled(entry.id, outcome) };
        writer.outcomes().settled(settled);
    }
    let journal = writer.finish(Some("done"), None).0;
    let known = journal.known(&here).unwrap();
    for (number, uri) in uris.iter().enumerate() {
        let artifact = artifact(uri);
        let equal = known.equal(artifact.key(), artifact.digest()).unwrap();
        assert_eq!(equal.is_some(), number % 20 != 7, "{uri}");
    }
}
