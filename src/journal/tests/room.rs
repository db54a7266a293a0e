//! Tests of a journal that has no room, or is held open by another program.

use rusqlite::Connection;

use super::*;

/// Returns a journal that is full after `pages` more pages, as it is on a full disk.
fn confined(path: &Path, pages: i64) -> Journal {
    let journal = Journal::open(path).unwrap();
    let connection = &journal.connection;
    let used: i64 = connection.pragma_query_value(None, "page_count", |row| row.get(0)).unwrap();
    connection
        .pragma_update_and_check(None, "max_page_count", used + pages, |row| row.get::<_, i64>(0))
        .unwrap();
    journal
}

#[test]
fn a_full_disk_is_called_that_and_not_another_program() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.sqlite3");
    let mut journal = confined(&path, 4);
    // Written in part, before there was no more room.
    let fill = |connection: &Connection| {
        connection.pragma_update(None, "cache_size", 1)?;
        for _ in 0..100 {
            connection.execute_batch("CREATE TABLE IF NOT EXISTS main.fill (x BLOB) STRICT")?;
            connection.execute("INSERT INTO fill VALUES (zeroblob(9000))", [])?;
        }
        Ok(())
    };
    for _ in 0..2 {
        let full = journal.write(fill).unwrap_err();
        assert!(matches!(full, JournalError::Full { .. }), "{full}");
        assert!(full.to_string().ends_with("journal.sqlite3: the disk is full"), "{full}");
    }
    journal.check().unwrap();
}

#[test]
fn an_idle_reader_is_to_be_closed_and_the_journal_to_be_kept() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.sqlite3");
    let busy = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_BUSY);
    let busy = file::failure(&path, &rusqlite::Error::SqliteFailure(busy, None));
    assert!(busy.to_string().contains("another program has it open"), "{busy}");
    let help = busy.help().join(" ");
    assert!(help.contains("close that program") && help.contains("fuser -v"), "{help}");
    assert!(!help.contains("--journal"), "another journal knows nothing of the run: {help}");
}

#[test]
fn a_full_directory_of_temporary_files_is_no_matter_of_the_journal() {
    let mut scratch = Journal::scratch().unwrap();
    let limit = "PRAGMA max_page_count = 1";
    scratch.connection.query_row(limit, [], |_| Ok(())).unwrap();
    let fill = |connection: &Connection| {
        connection.execute_batch("CREATE TABLE fill (x BLOB) STRICT")?;
        connection.execute("INSERT INTO fill VALUES (zeroblob(90000))", []).map(drop)
    };
    let full = scratch.write(fill).unwrap_err();
    let said = full.to_string();
    assert!(said.starts_with("cannot keep temporary files in "), "{said}");
    assert!(said.ends_with(": the disk is full"), "{said}");
    assert!(full.help()[0].contains("TMPDIR"), "{:?}", full.help());
}
