//! Reading beside a run that writes.

use super::*;
use crate::journal::gate::Gate;

#[tokio::test]
async fn status_shows_a_running_run_and_its_process() {
    let folder = tempfile::tempdir().unwrap();
    // Every byte that means something in a URI.
    let path = folder.path().join("a b?c#d%20é&=.sqlite3");
    let here = target("a");
    let mut journal = Journal::open(&path).unwrap();
    let (run, entries) = stage(&mut journal, "one", &here, &["s3://x", "s3://y"]);
    assert!(!file::beside(&path, "-shm").exists());
    let status = Status::open(&path).unwrap();
    let holder = status.holder().unwrap().clone();
    assert_eq!(holder.process, std::process::id());
    assert!(!holder.host.is_empty() && holder.since.ends_with('Z'), "{holder:?}");
    let seen = status.runs(1).unwrap().remove(0);
    assert_eq!(seen.counts, [("pending".to_owned(), 2)]);
    assert_eq!(seen.holder.as_ref(), Some(&holder));
    assert!(seen.settled_per_second.is_some());

    let writer = journal.into_writer(run).unwrap();
    writer.outcomes().intend(entries[0], SystemTime::now()).await.unwrap();
    writer.outcomes().settled(settled(entries[0], Outcome::Created));
    writer.outcomes().intend(entries[1], SystemTime::now()).await.unwrap();
    // As long as it is read, nothing moves.
    let now = || Status::open(&path).unwrap().runs(1).unwrap().remove(0).counts;
    assert_eq!(status.runs(1).unwrap()[0].counts, [("pending".to_owned(), 2)]);
    drop(status);
    let until = std::time::Instant::now() + Duration::from_secs(30);
    while now() != [("created".to_owned(), 1), ("open".to_owned(), 1)] {
        assert!(std::time::Instant::now() < until, "{:?}", now());
        std::thread::sleep(Duration::from_millis(50));
    }
    drop(writer.finish(None, None).0);
    assert!(!file::beside(&path, "-wal").exists());
    let status = Status::open(&path).unwrap();
    assert!(status.holder().is_none() && status.runs(1).unwrap()[0].holder.is_none());
}

#[test]
fn a_checkpoint_waits_for_readers_and_readers_for_a_checkpoint() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.sqlite3");
    let gate = Gate::open(&path).unwrap();
    let reader = Gate::hold_open(&path).unwrap().unwrap();
    let other = Gate::hold_open(&path).unwrap().unwrap();
    assert!(gate.close().is_none());
    drop((reader, other));
    let held = gate.close().unwrap();
    let (began, entered) = (std::sync::mpsc::channel(), std::sync::mpsc::channel());
    let (begins, enters) = (began.0, entered.0);
    let thread = std::thread::spawn(move || {
        begins.send(()).unwrap();
        let _reader = Gate::hold_open(&path).unwrap();
        enters.send(()).unwrap();
    });
    began.1.recv().unwrap();
    assert!(entered.1.recv_timeout(Duration::from_millis(50)).is_err());
    drop(held);
    entered.1.recv().unwrap();
    thread.join().unwrap();
}

#[tokio::test]
async fn what_a_killed_run_left_in_the_log_is_read_too() {
    let folder = tempfile::tempdir().unwrap();
    let (path, copy) = (folder.path().join("j.sqlite3"), folder.path().join("copy.sqlite3"));
    let here = target("a");
    let mut journal = Journal::open(&path).unwrap();
    let (run, entries) = stage(&mut journal, "one", &here, &["s3://x"]);
    let writer = journal.into_writer(run).unwrap();
    let reader = Status::open(&path).unwrap();
    writer.outcomes().intend(entries[0], SystemTime::now()).await.unwrap();
    // The files as a kill would leave them.
    for ending in ["", "-wal"] {
        let from = file::beside(&path, ending);
        std::fs::copy(from, file::beside(&copy, ending)).unwrap();
    }
    drop(reader);
    let status = Status::open(&copy).unwrap();
    assert_eq!(status.runs(1).unwrap()[0].counts, [("open".to_owned(), 1)]);
    drop(status);
    assert_eq!(Journal::open(&copy).unwrap().open_intents(&here).unwrap().len(), 1);
}
