//! Journals of earlier versions, as they were written.

use rusqlite::Connection;

use super::*;

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
    assert_eq!(journal.rate(&here).unwrap(), Some(12.5));

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
