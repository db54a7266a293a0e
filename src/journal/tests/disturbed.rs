//! Tests of other programs that disturb the files of a journal during a run.

use super::*;

/// Returns a run with two entries, the first of them attempted, and then what `disturb` does to the files.
/// Returns the result of the second attempt.
async fn attempt_after(disturb: impl FnOnce(&Path)) -> Result<(), String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.sqlite3");
    let here = target("a");
    let mut journal = Journal::open(&path).unwrap();
    let (run, entries) = stage(&mut journal, "one", &here, &["s3://x", "s3://y"]);
    let writer = journal.into_writer(run).unwrap();
    let outcomes = writer.outcomes();
    outcomes.intend(entries[0], SystemTime::now()).await.unwrap();
    disturb(&path);
    let second = outcomes.intend(entries[1], SystemTime::now()).await;
    // What comes after is not written either, and the end of the run says so.
    outcomes.settled(settled(entries[0], Outcome::Created));
    drop(outcomes);
    let finished = writer.finish(Some("done"), None);
    assert_eq!(second.is_err(), finished.1.is_some());
    second.map_err(|error| error.to_string())
}

fn beside(path: &Path, ending: &str) -> PathBuf {
    file::beside(path, ending)
}

#[tokio::test]
async fn an_attempt_is_not_made_once_the_journal_was_removed_or_changed() {
    attempt_after(|_| {}).await.unwrap();
    // A reader changes nothing.
    attempt_after(|path| drop(std::fs::read(path).unwrap())).await.unwrap();

    let removed = attempt_after(|path| std::fs::remove_file(path).unwrap()).await.unwrap_err();
    assert!(removed.contains("was removed during the run"), "{removed}");
    let folder = |path: &Path| {
        let folder = path.parent().unwrap();
        std::fs::rename(folder, folder.with_extension("gone")).unwrap();
        std::fs::create_dir(folder).unwrap();
    };
    attempt_after(folder).await.unwrap_err();
    attempt_after(|path| std::fs::remove_file(beside(path, "-wal")).unwrap()).await.unwrap_err();
    attempt_after(|path| std::fs::remove_file(beside(path, ".lock")).unwrap()).await.unwrap_err();

    let replaced = attempt_after(|path| {
        let copy = path.with_extension("copy");
        std::fs::copy(path, &copy).unwrap();
        std::fs::rename(copy, path).unwrap();
    });
    let replaced = replaced.await.unwrap_err();
    assert!(replaced.contains("was replaced by another file"), "{replaced}");

    for ending in ["", "-wal"] {
        let cut = attempt_after(|path| {
            let file = std::fs::File::options().write(true).open(beside(path, ending)).unwrap();
            file.set_len(40).unwrap();
        });
        let cut = cut.await.unwrap_err();
        assert!(cut.contains("was changed by another program"), "{ending}: {cut}");
        // As a backup does that is put back: as long as before, and another's bytes.
        let written = attempt_after(|path| {
            let file = beside(path, ending);
            let bytes = std::fs::read(&file).unwrap();
            std::fs::write(&file, bytes).unwrap();
        });
        written.await.unwrap_err();
    }
    let linked = attempt_after(|path| {
        std::fs::hard_link(path, path.with_extension("link")).unwrap();
    });
    linked.await.unwrap_err();
}

#[cfg(unix)]
#[test]
fn a_journal_is_not_opened_through_a_link() {
    let folder = tempfile::tempdir().unwrap();
    let (real, link) = (folder.path().join("real.sqlite3"), folder.path().join("link.sqlite3"));
    std::os::unix::fs::symlink(&real, &link).unwrap();
    let refused = Journal::open(&link).unwrap_err();
    assert!(refused.to_string().contains("is a symlink"), "{refused}");
    assert!(!real.exists());
}

#[cfg(unix)]
#[test]
fn no_file_beside_the_journal_is_written_through_a_symlink() {
    for ending in [".lock", ".readers", "-wal", "-shm", "-journal"] {
        for there in [true, false] {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join(".lineload/journal.sqlite3");
            let victim = folder.path().join("victim");
            std::fs::create_dir(path.parent().unwrap()).unwrap();
            if there {
                std::fs::write(&victim, "precious").unwrap();
            }
            std::os::unix::fs::symlink("../victim", beside(&path, ending)).unwrap();
            std::os::unix::fs::symlink("../other", path.with_file_name(".gitignore")).unwrap();
            let refused = Journal::open(&path).unwrap_err().to_string();
            assert!(refused.contains(ending) && refused.contains("is a symlink"), "{refused}");
            let content = std::fs::read_to_string(&victim).ok();
            assert_eq!(content.as_deref(), there.then_some("precious"), "{ending}");
            // One that appears after the check is not opened either.
            let lock = Lock::take(&path, &path, None);
            assert!(ending != ".lock" || lock.is_err());
            assert!(ending != ".readers" || Gate::open(&path).is_err());
            std::fs::remove_file(beside(&path, ending)).unwrap();
            drop(lock);
            drop(Journal::open(&path).unwrap());
            assert!(!folder.path().join("other").exists(), "nor is `.gitignore`");
        }
    }
}

#[tokio::test]
async fn a_second_run_at_the_same_path_leaves_only_one_that_sends() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(".lineload/journal.sqlite3");
    let here = target("a");
    let mut first = Journal::open(&path).unwrap();
    let (run, entries) = stage(&mut first, "one", &here, &["s3://x"]);
    let first = first.into_writer(run).unwrap();
    std::fs::remove_dir_all(path.parent().unwrap()).unwrap();
    let mut second = Journal::open(&path).unwrap();
    let (run, others) = stage(&mut second, "two", &here, &["s3://x"]);
    let second = second.into_writer(run).unwrap();
    first.outcomes().intend(entries[0], SystemTime::now()).await.unwrap_err();
    second.outcomes().intend(others[0], SystemTime::now()).await.unwrap();
    assert!(first.finish(Some("done"), None).1.is_some());
    // The first leaves what the second has alone.
    assert!(matches!(Journal::open(&path), Err(JournalError::Locked { .. })));
    second.outcomes().settled(settled(others[0], Outcome::Created));
    drop(second.finish(Some("done"), None).0);
    let status = Status::open(&path).unwrap();
    assert_eq!(status.runs(1).unwrap()[0].counts, [("created".to_owned(), 1)]);
}

#[test]
fn what_was_changed_between_two_steps_of_a_run_is_noticed_too() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.sqlite3");
    let mut journal = Journal::open(&path).unwrap();
    let (run, _) = stage(&mut journal, "one", &target("a"), &["s3://x"]);
    std::fs::remove_file(&path).unwrap();
    assert!(journal.reopen(&run, "lineload resume").is_err());
    assert!(journal.into_writer(run).is_err());
    assert!(!path.exists(), "nothing is put where it was");
}
