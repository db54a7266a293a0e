//! A journal that other machines may use too.

use super::*;
use crate::journal::file::beside;
use crate::journal::lease;

const NFS: Option<Network> = Some(Network { kind: "NFS", perhaps: false });

fn open(path: &Path) -> Result<Journal, JournalError> {
    file::prepare(path)?;
    let place = file::find(path)?;
    Journal::open_at(path, &place.file, NFS)
}

/// Has the lock file name another holder.
fn leave(path: &Path, machine: &str, process: u32, started: u64) {
    let lock = format!(
        "process {process}\nhost elsewhere\nsince 2026-11-27T20:30:00Z\nmachine {machine}\nstarted {started}\n"
    );
    std::fs::write(beside(path, ".lock"), lock).unwrap();
}

#[tokio::test]
async fn it_works_and_says_where_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.sqlite3");
    let mut journal = open(&path).unwrap();
    let note = journal.note().unwrap();
    assert!(note.contains("network file system (NFS)"), "{note}");
    let (run, entries) = stage(&mut journal, "one", &target("a"), &["s3://x", "s3://y"]);
    assert!(matches!(open(&path), Err(JournalError::Locked { .. })));
    let writer = journal.into_writer(run).unwrap();
    writer.outcomes().intend(entries[0], SystemTime::now()).await.unwrap();
    assert_eq!(Status::open(&path).unwrap().holder().unwrap().process, std::process::id());
    // Another machine took the lock, as this one had been asleep.
    leave(&path, "another", 1, 1);
    let refused = writer.outcomes().intend(entries[1], SystemTime::now()).await.unwrap_err();
    assert!(refused.to_string().contains("another run took its lock"), "{refused}");
    assert!(writer.finish(Some("done"), None).1.is_some());
    let lock = std::fs::read_to_string(beside(&path, ".lock")).unwrap();
    assert!(lock.contains("machine another"), "it is not ours to empty: {lock}");
}

#[test]
fn a_local_journal_has_no_note() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(Journal::open(&folder.path().join("journal.sqlite3")).unwrap().note(), None);
    assert_eq!(Journal::scratch().unwrap().note(), None);
}

#[test]
fn a_lock_is_over_when_its_process_is_gone_or_its_lease_is() {
    let holder = |machine: &str, process, started| {
        let text =
            format!("process {process}\nhost h\nsince s\nmachine {machine}\nstarted {started}");
        Holder::parse(&text).unwrap()
    };
    let minute = Duration::from_secs(60);
    let started = |process| (process == 7).then_some(100);
    let is_over = |holder: &Holder, age| lease::is_over(holder, "here", age, started);
    // On this machine it is seen.
    assert!(!is_over(&holder("here", 7, 100), minute * 5));
    assert!(is_over(&holder("here", 7, 99), Duration::ZERO), "its number is another's now");
    assert!(is_over(&holder("here", 8, 100), Duration::ZERO));
    // On another it is not.
    assert!(!is_over(&holder("there", 8, 100), minute - Duration::from_millis(1)));
    assert!(is_over(&holder("there", 8, 100), minute));
    assert!(!is_over(&holder("there", 7, 100), Duration::ZERO));
}

#[test]
fn what_a_crash_left_is_taken_over_and_what_another_machine_holds_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.sqlite3");
    drop(open(&path).unwrap());
    assert_eq!(std::fs::read(beside(&path, ".lock")).unwrap(), b"", "it was given back");
    let this = Holder::this();
    // A process of this machine that is gone: no process has this number.
    leave(&path, &this.machine, 4_194_305, 1);
    drop(open(&path).unwrap());
    leave(&path, "another", 1, 1);
    let refused = open(&path).unwrap_err().to_string();
    assert!(refused.contains("process 1 on elsewhere, since 2026-11-27"), "{refused}");
    let lock = std::fs::File::options().write(true).open(beside(&path, ".lock")).unwrap();
    lock.set_modified(SystemTime::now() - Duration::from_secs(3600)).unwrap();
    drop(open(&path).unwrap());
}

#[test]
fn a_lock_file_that_holds_anything_else_names_nobody() {
    for text in ["", "process x", "process 1", "process 1, since 2026", "\u{1b}[31m\nprocess -1\n"]
    {
        assert_eq!(Holder::parse(text), None, "{text:?}");
    }
    let text = "process 1\nhost a\u{1b}[31mb\nsince \u{7}now\n";
    let shown = Holder::parse(text).unwrap().to_string();
    assert!(!shown.contains(char::is_control), "{shown:?}");
}
