//! Journals of earlier versions, as they were written.

use rusqlite::Connection;

use super::*;
use crate::submission::RunKind;

fn journal(dump: &str) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.sqlite3");
    Connection::open(&path).unwrap().execute_batch(dump).unwrap();
    (folder, path)
}

#[test]
fn a_journal_of_version_1_is_brought_up_to_date_by_the_next_run() {
    // As lineload wrote it before version 2: two artifacts, both created.
    let (_folder, path) = journal(include_str!("version-1.sql"));
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

/// Returns an artifact of the dump of version 2.
fn wanted(number: u32, owner: &str) -> Artifact {
    let mut artifact = artifact(&format!("s3://bucket/{number}"));
    artifact.name = Some(format!("a{number}"));
    let id_type = "Custom".to_owned();
    artifact.source.types =
        vec![crate::artifact::SourceType { id_type, value: format!("v{number}") }];
    artifact.properties.insert("Owner".to_owned(), owner.to_owned());
    artifact.tags = vec![crate::artifact::Tag { key: "team".into(), value: "t".into() }];
    artifact
}

#[test]
fn a_journal_of_version_2_keeps_its_runs_and_what_it_knows() {
    let (_folder, path) = journal(include_str!("version-2.sql"));
    assert!(matches!(Status::open(&path), Err(JournalError::Older { .. })));
    let mut journal = Journal::open(&path).unwrap();
    let here = target("r1");
    let prefix = "arn:aws:sagemaker:local:000000000000:artifact/";

    let known = journal.known(&here).unwrap();
    let first = wanted(1, "me");
    let equal = known.equal(first.identity().key(), first.digest()).unwrap().unwrap();
    let at = known.at(first.key()).unwrap().unwrap();
    assert_eq!(at.arn, Some(format!("{prefix}01a21efe8789766abd4aeb957bc68849")));
    assert!(equal.made && at.is_equal && at.modified.is_none());
    // What was made once and differs since: of the two entries the later one counts.
    let second = wanted(2, "you");
    let at = known.at(second.identity().key()).unwrap().unwrap();
    assert_eq!((at.is_equal, at.made, at.line), (false, true, 2));
    assert_eq!(at.modified, Some(from_millis(1_779_999_999_123)));
    assert_eq!(at.artifact(), Some(second.clone()));
    for digest in [second.digest(), wanted(2, "me").digest()] {
        assert_eq!(known.equal(second.identity().key(), digest).unwrap(), None);
    }
    // It merely existed, so nothing is known.
    assert!(known.at(wanted(3, "me").identity().key()).unwrap().is_none());
    drop(known);

    let open = journal.open_intents(&here).unwrap();
    let open: Vec<_> = open.iter().map(|one| (one.file.as_str(), &one.artifact, one.at)).collect();
    let (fifth, sixth) = (wanted(5, "me"), wanted(6, "me"));
    assert_eq!(
        open,
        [
            ("m/5.yaml", &fifth, from_millis(1_780_000_002_120)),
            ("m/6.yaml", &sixth, from_millis(1_780_000_003_100)),
        ]
    );

    let run = journal.staged_run(None).unwrap().unwrap();
    assert_eq!((run.id.as_str(), run.settings.as_str()), ("0c-killed", r#"{"onExists":"skip"}"#));
    assert_eq!(run.files.len(), 2);
    let left: Vec<_> = journal.next(&run.run, None, 10).unwrap();
    let left: Vec<_> = left.iter().map(|one| (one.file.as_str(), one.attempts)).collect();
    assert_eq!(left, [("m/7.yaml", 0), ("m/8.yaml", 1)]);
    assert_eq!(journal.left(&run.run).unwrap(), 2);
    let earlier = journal.staged_run(Some("0b")).unwrap().unwrap();
    let mut stored = Vec::new();
    journal
        .each(&earlier.run, &mut |entry| {
            stored.push(entry);
            Ok(())
        })
        .unwrap();
    assert_eq!(stored.len(), 3);
    let rejected = &stored[1];
    assert_eq!(rejected.outcome.as_deref(), Some("rejected"));
    assert_eq!(rejected.request_id.as_deref(), Some("7b56a748-210e-48c5-b83d-89e4addf3060"));
    assert_eq!(rejected.error_code.as_deref(), Some("ValidationException"));
    assert_eq!((stored[2].is_open, stored[2].attempts), (true, 3));
    assert_eq!(journal.rate(&here, RunKind::Import).unwrap(), Some(12.5));

    // And it works like any other.
    let (_, entries) = stage(&mut journal, "0d-next", &here, &["s3://bucket/9"]);
    assert!(entries[0].0 > stored[2].id.0);
    drop(journal);
    let runs = Status::open(&path).unwrap().runs(10).unwrap();
    let counts = |at: usize| runs[at].counts.clone();
    assert_eq!(counts(3), [("created".to_owned(), 2), ("existed".to_owned(), 1)]);
    assert_eq!(
        counts(2),
        [("differs".to_owned(), 1), ("rejected".to_owned(), 1), ("unresolved".to_owned(), 1)]
    );
    // What is relative to another directory is not taken for one of the new run's files.
    assert_eq!(counts(1), [("pending".to_owned(), 2), ("open".to_owned(), 1)]);
}

/// Returns an artifact of the dump of version 3.
fn of_version_3(number: u32, owner: &str) -> Artifact {
    let mut artifact = wanted(number, owner);
    artifact.source.types[0].value = format!("v{number}");
    artifact
}

#[test]
fn a_journal_of_version_3_knows_what_it_knew_and_takes_deletions() {
    // As lineload wrote it before version 4: three artifacts, one that differs since, one attempt open.
    let (_folder, path) = journal(include_str!("version-3.sql"));
    assert!(matches!(Status::open(&path), Err(JournalError::Older { .. })));
    let mut journal = Journal::open(&path).unwrap();
    let here = target("4df959ee-508f-4a55-b746-449e1d355a28");
    let prefix = "arn:aws:sagemaker:local:000000000000:artifact/";
    let arn = |end: &str| format!("{prefix}{end}");
    let (first, second, third) =
        (of_version_3(1, "me"), of_version_3(2, "me"), of_version_3(3, "me"));
    {
        let known = journal.known(&here).unwrap();
        assert!(known.equal(first.key(), first.digest()).unwrap().unwrap().made);
        let at = known.at(second.key()).unwrap().unwrap();
        assert_eq!((at.is_equal, at.made), (false, true));
        let at = known.at(third.key()).unwrap().unwrap();
        assert_eq!(at.arn, Some(arn("01a222e38e057000bed729ac26d98f2f")));
    }
    let open = journal.open_intents(&here).unwrap();
    assert_eq!(open.len(), 1);
    assert_eq!(open[0].artifact, of_version_3(4, "me"));
    assert!(journal.open_deletions(&here).unwrap().is_empty());
    let run = journal.staged_run(Some("01a222e3-8de4")).unwrap().unwrap();
    assert_eq!(run.kind, RunKind::Import);

    let new = NewRun { id: "undo", command: "lineload delete", folder: "/", settings: "" };
    let mut deletions = journal.begin_deletions(&new, &here).unwrap();
    let undo = deletions.run();
    deletions.add_made(Some(&run.run), &mut |_| true).unwrap();
    assert_eq!(deletions.finish().unwrap(), 3);
    journal.make_deletions_ready(&undo, Some(&run.run)).unwrap();
    let entries = journal.next(&undo, None, 9).unwrap();
    let deleted = entries.iter().find(|one| one.artifact == third).unwrap();
    assert_eq!(deleted.deletes, Some(arn("01a222e38e057000bed729ac26d98f2f")));
    let writer = journal.into_writer(undo).unwrap();
    let settled = Settled { arn: deleted.deletes.clone(), ..settled(deleted.id, Outcome::Deleted) };
    writer.outcomes().settled(settled);
    let journal = writer.finish(Some("done"), None).0;
    let known = journal.known(&here).unwrap();
    assert!(known.at(third.key()).unwrap().is_none() && known.at(first.key()).unwrap().is_some());
    drop(known);
    drop(journal);
    // And the views say so.
    let connection = Connection::open(&path).unwrap();
    let kinds = "SELECT kind, deleted FROM runs ORDER BY started DESC, kind LIMIT 1";
    let kinds = connection.query_row(kinds, [], |row| Ok((row.get(0)?, row.get(1)?)));
    assert_eq!(kinds.unwrap(), ("delete".to_owned(), 1_i64));
    let left = "SELECT count(*) FROM entries WHERE outcome = 'pending' AND arn LIKE 'arn:%'";
    assert_eq!(connection.query_row(left, [], |row| row.get::<_, i64>(0)).unwrap(), 2);
}
