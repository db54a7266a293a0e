//! States of the past, and files of a version that had none.

use super::*;

/// Sets times of what was written, where `+1000` is a second after `base`.
async fn at(store: &Store, base: i64, sql: &str) {
    let sql = sql.replace('+', &format!("{base}+"));
    store.write(move |connection| Ok(connection.execute_batch(&sql)?)).await.unwrap();
}

#[tokio::test]
async fn a_list_of_a_moment_has_what_was_there_as_it_was() {
    let (_folder, store) = open();
    let base = now() - 100_000;
    let first = store.create(new(Some("a"), "s3://x", &[])).await.unwrap();
    let second = store.create(new(Some("b"), "s3://x", &[("Custom", "1")])).await.unwrap();
    at(&store, base, "UPDATE artifacts SET created = +1000 * row, modified = +1000 * row").await;
    let change = |name: &str| Change {
        arn: first.clone(),
        name: Some(name.into()),
        properties: Vec::new(),
        texts: Vec::new(),
        remove: Vec::new(),
        unique_names: true,
    };
    store.update(change("a2")).await.unwrap();
    at(
        &store,
        base,
        "UPDATE artifacts SET modified = +3000 WHERE row = 1; UPDATE past SET until = +3000",
    )
    .await;
    store.update(change("a3")).await.unwrap();
    at(
        &store,
        base,
        "UPDATE artifacts SET modified = +4000 WHERE row = 1; \
         UPDATE past SET until = +4000 WHERE until > +3000",
    )
    .await;
    store.delete(Which::Arn(second)).await.unwrap();
    at(&store, base, "UPDATE past SET until = +5000 WHERE until > +4000").await;
    for (moment, expected) in [
        (Some(999), &[][..]),
        (Some(1000), &["a"]),
        (Some(2000), &["a", "b"]),
        (Some(2999), &["a", "b"]),
        (Some(3000), &["a2", "b"]),
        (Some(3999), &["a2", "b"]),
        (Some(4000), &["a3", "b"]),
        (Some(4999), &["a3", "b"]),
        (Some(5000), &["a3"]),
        (None, &["a3"]),
    ] {
        for ascending in [true, false] {
            // Page by page, so that the order of both tables together is tried.
            let (mut seen, mut after) = (Vec::new(), None);
            loop {
                let filter = Filter {
                    uri: Some("s3://x".into()),
                    as_of: moment.map(|at| base + at),
                    ascending,
                    after,
                    limit: 1,
                    ..Filter::default()
                };
                let page = store.list(filter).await.unwrap();
                let Some(last) = page.last() else { break };
                after = Some(PageToken { created: last.created, row: last.row });
                seen.extend(page.into_iter().filter_map(|row| row.name));
            }
            if !ascending {
                seen.reverse();
            }
            assert_eq!(seen, expected, "{moment:?} {ascending}");
        }
    }
}

#[tokio::test]
async fn tags_of_a_moment_are_those_before_every_later_change() {
    let (_folder, store) = open();
    let base = now() - 100_000;
    let arn = store.create(new(None, "s3://x", &[])).await.unwrap();
    at(&store, base, "UPDATE artifacts SET created = +1000").await;
    store.add_tags(arn.clone(), vec![("k".into(), "2".into())]).await.unwrap();
    at(&store, base, "UPDATE past_tags SET until = +2000").await;
    // Two changes in one millisecond.
    store.add_tags(arn.clone(), vec![("l".into(), String::new())]).await.unwrap();
    store.delete_tags(arn.clone(), vec!["k".into()]).await.unwrap();
    at(&store, base, "UPDATE past_tags SET until = +3000 WHERE until > +2000").await;
    for (moment, expected) in [
        (Some(999), &[][..]),
        (Some(1000), &["k=v"]),
        (Some(1999), &["k=v"]),
        (Some(2000), &["k=2"]),
        (Some(2999), &["k=2"]),
        (Some(3000), &["l="]),
        (None, &["l="]),
    ] {
        let tags = store.tags(arn.clone(), moment.map(|at| base + at)).await.unwrap();
        let tags: Vec<_> = tags.iter().map(|(key, value)| format!("{key}={value}")).collect();
        assert_eq!(tags, expected, "{moment:?}");
    }
}

#[tokio::test]
async fn the_past_is_forgotten_after_the_longest_lag() {
    let (_folder, store) = open();
    let arn = store.create(new(Some("a"), "s3://x", &[])).await.unwrap();
    let kept = |table: &'static str| {
        store.write(move |connection| {
            let sql = format!("SELECT count(*) FROM {table}");
            Ok(connection.query_row(&sql, [], |row| row.get::<_, i64>(0))?)
        })
    };
    for _ in 0..3 {
        let change = Change {
            arn: arn.clone(),
            name: None,
            properties: Vec::new(),
            texts: Vec::new(),
            remove: Vec::new(),
            unique_names: true,
        };
        store.update(change).await.unwrap();
        store.add_tags(arn.clone(), vec![("k".into(), String::new())]).await.unwrap();
    }
    assert_eq!((kept("past").await.unwrap(), kept("past_tags").await.unwrap()), (3, 3));
    at(&store, now() - 3_600_001, "UPDATE past SET until = +0; UPDATE past_tags SET until = +0")
        .await;
    store.delete_tags(arn.clone(), vec!["k".into()]).await.unwrap();
    store.delete(Which::Arn(arn)).await.unwrap();
    // The deletion itself; tags go with their artifact.
    assert_eq!((kept("past").await.unwrap(), kept("past_tags").await.unwrap()), (1, 0));
}

/// The tables as lineload made them before names and sources could be other than unique.
const VERSION_1: &str = "
CREATE TABLE meta (key TEXT PRIMARY KEY, value NOT NULL) WITHOUT ROWID;
CREATE TABLE artifacts (row INTEGER PRIMARY KEY AUTOINCREMENT, arn TEXT NOT NULL UNIQUE,
    name TEXT UNIQUE, type TEXT NOT NULL, uri TEXT NOT NULL, types_key TEXT NOT NULL,
    source_types TEXT NOT NULL, properties TEXT NOT NULL, metadata TEXT NOT NULL,
    created INTEGER NOT NULL, modified INTEGER NOT NULL, UNIQUE (uri, types_key));
CREATE INDEX artifacts_by_time ON artifacts (created, row);
CREATE INDEX artifacts_by_uri ON artifacts (uri, created, row);
CREATE INDEX artifacts_by_type ON artifacts (type, created, row);
CREATE TABLE tags (artifact INTEGER NOT NULL REFERENCES artifacts (row) ON DELETE CASCADE,
    key TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY (artifact, key)) WITHOUT ROWID;
INSERT INTO meta VALUES ('artifacts', 0), ('id', 'the-id');
CREATE TRIGGER artifact_added AFTER INSERT ON artifacts BEGIN
    UPDATE meta SET value = value + 1 WHERE key = 'artifacts';
END;
CREATE TRIGGER artifact_removed AFTER DELETE ON artifacts BEGIN
    UPDATE meta SET value = value - 1 WHERE key = 'artifacts';
END;
INSERT INTO artifacts VALUES
    (1, 'arn:1', 'a', 'DataSet', 's3://x', '[]', '[]', '{\"p\":\"1\"}', '{}', 1000, 1000),
    (2, 'arn:2', NULL, 'Model', 's3://y', '[]', '[]', '{}', '{}', 2000, 2000),
    (9, 'arn:9', 'z', 'Model', 's3://z', '[]', '[]', '{}', '{}', 3000, 3000);
INSERT INTO tags VALUES (1, 'k', 'v'), (2, 'l', 'w');
DELETE FROM artifacts WHERE row = 9;
PRAGMA application_id = 1280070215;
PRAGMA user_version = 1;
";

#[tokio::test]
async fn a_file_of_version_1_is_taken_over_with_all_that_is_in_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("r.sqlite3");
    Connection::open(&path).unwrap().execute_batch(VERSION_1).unwrap();
    for _ in 0..2 {
        let store = Store::open(&path).unwrap();
        assert_eq!((&*store.id(), store.count().await.unwrap()), ("the-id", 2));
        let row = store.describe("arn:1".into()).await.unwrap();
        assert_eq!(
            (row.name.as_deref(), row.created, row.properties),
            (Some("a"), 1000, json!({"p": "1"}))
        );
        let tags = store.tags("arn:2".into(), None).await.unwrap();
        assert_eq!(tags, [("l".to_owned(), "w".to_owned())]);
        let same = store.create(new(Some("b"), "s3://x", &[])).await;
        assert!(matches!(same, Err(StoreError::SourceTaken { arn }) if arn == "arn:1"));
        let same = store.create(new(Some("a"), "s3://new", &[])).await;
        assert!(matches!(same, Err(StoreError::NameTaken { arn }) if arn == "arn:1"));
    }
    let store = Store::open(&path).unwrap();
    let open = Unique { names: false, sources: false };
    store.create(NewArtifact { unique: open, ..new(Some("a"), "s3://x", &[]) }).await.unwrap();
    let rows = store.list(Filter { limit: 9, ..Filter::default() }).await.unwrap();
    // No row is used again, also not that of what was gone before.
    assert_eq!(rows.iter().map(|row| row.row).collect::<Vec<_>>(), [10, 2, 1]);
    store.delete(Which::Arn("arn:1".into())).await.unwrap();
    assert_eq!(store.count().await.unwrap(), 2);
}
