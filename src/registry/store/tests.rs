use serde_json::json;

use super::*;

mod past;

fn new(name: Option<&str>, uri: &str, types: &[(&str, &str)]) -> NewArtifact {
    NewArtifact {
        name: name.map(str::to_owned),
        artifact_type: "DataSet".into(),
        uri: uri.into(),
        source_types: types.iter().map(|(a, b)| ((*a).into(), (*b).into())).collect(),
        properties: r#"{"a":"b"}"#.into(),
        texts: "{}".into(),
        tags: vec![("k".into(), "v".into())],
        region: "eu-west-1".into(),
        unique: Unique { names: true, sources: true },
        max_artifacts: None,
    }
}

fn open() -> (tempfile::TempDir, Store) {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("r.sqlite3")).unwrap();
    (folder, store)
}

#[tokio::test]
async fn names_and_sources_are_unique_and_the_order_of_types_is_nothing() {
    let (_folder, store) = open();
    let types = [("Custom", "1"), ("S3ETag", "2")];
    let first = store.create(new(Some("a"), "s3://x", &types)).await.unwrap();
    let other_order = [("S3ETag", "2"), ("Custom", "1")];
    let same = store.create(new(Some("b"), "s3://x", &other_order)).await;
    assert!(matches!(same, Err(StoreError::SourceTaken { arn }) if arn == first));
    let same = store.create(new(Some("a"), "s3://y", &[])).await;
    assert!(matches!(same, Err(StoreError::NameTaken { arn }) if arn == first));
    store.create(new(None, "s3://x", &[])).await.unwrap();
    store.create(new(None, "s3://y", &[])).await.unwrap();
    assert_eq!(store.list(Filter { limit: 9, ..Filter::default() }).await.unwrap().len(), 3);
}

#[tokio::test]
async fn a_page_begins_where_the_last_ended() {
    let (_folder, store) = open();
    for at in 0..25 {
        store.create(new(None, &format!("s3://x/{at}"), &[])).await.unwrap();
    }
    for ascending in [true, false] {
        let mut seen = Vec::new();
        let mut after = None;
        loop {
            let filter = Filter { ascending, after, limit: 10, ..Filter::default() };
            let page = store.list(filter).await.unwrap();
            let Some(last) = page.last() else { break };
            after = Some(PageToken { created: last.created, row: last.row });
            seen.extend(page.iter().map(|row| row.row));
        }
        let mut expected: Vec<i64> = (1..=25).collect();
        if !ascending {
            expected.reverse();
        }
        assert_eq!(seen, expected);
    }
}

#[tokio::test]
async fn the_quota_counts_what_is_there_and_not_what_is_refused() {
    let (_folder, store) = open();
    let limited = |uri: &str| NewArtifact { max_artifacts: Some(2), ..new(None, uri, &[]) };
    let first = store.create(limited("a")).await.unwrap();
    store.create(limited("b")).await.unwrap();
    let full = store.create(limited("c")).await;
    assert!(matches!(full, Err(StoreError::Limit { limit: 2, used: 2 })), "{full:?}");
    // An existing artifact is reported before the quota.
    assert!(matches!(store.create(limited("a")).await, Err(StoreError::SourceTaken { .. })));
    store.delete(Which::Arn(first)).await.unwrap();
    store.create(limited("c")).await.unwrap();
}

#[tokio::test]
async fn what_is_answered_is_there_when_the_file_is_opened_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("r.sqlite3");
    let store = Store::open(&path).unwrap();
    let id = store.id();
    let all: Vec<_> = (0..500).map(|at| store.create(new(None, &format!("u{at}"), &[]))).collect();
    let arns: Vec<_> =
        futures::future::join_all(all).await.into_iter().map(Result::unwrap).collect();
    drop(store);
    let store = Store::open(&path).unwrap();
    assert_eq!(store.id(), id);
    for arn in arns {
        assert_eq!(store.describe(arn.clone()).await.unwrap().properties, json!({"a": "b"}));
        assert_eq!(store.tags(arn, None).await.unwrap(), [("k".to_owned(), "v".to_owned())]);
    }
}

#[tokio::test]
async fn a_change_keeps_what_it_does_not_name() {
    let (_folder, store) = open();
    let arn = store.create(new(Some("a"), "s3://x", &[])).await.unwrap();
    let change = Change {
        arn: arn.clone(),
        name: Some("b".into()),
        properties: vec![("c".into(), "d".into())],
        texts: vec![("CommitId".into(), "e".into())],
        remove: vec!["a".into()],
        unique_names: true,
    };
    store.update(change).await.unwrap();
    let row = store.describe(arn.clone()).await.unwrap();
    assert_eq!(row.properties, json!({"c": "d"}));
    assert_eq!(row.texts, json!({"CommitId": "e"}));
    assert_eq!(row.name.as_deref(), Some("b"));
    assert_eq!(row.uri, "s3://x");
    let tags = store.add_tags(arn.clone(), vec![("k".into(), "w".into()), ("l".into(), "".into())]);
    assert_eq!(tags.await.unwrap().len(), 2);
    let many = (0..50).map(|at| (format!("t{at}"), String::new())).collect();
    assert!(matches!(store.add_tags(arn, many).await, Err(StoreError::TooMany { .. })));
}

#[test]
fn other_files_are_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("other");
    std::fs::write(&path, "some text that is no database, long enough to have a header").unwrap();
    assert!(matches!(Store::open(&path), Err(OpenError::NotARegistry { .. })));
    let path = folder.path().join("other.sqlite3");
    Connection::open(&path).unwrap().execute_batch("CREATE TABLE t (x)").unwrap();
    assert!(matches!(Store::open(&path), Err(OpenError::NotARegistry { .. })));
    let path = folder.path().join("newer.sqlite3");
    drop(Store::open(&path).unwrap());
    // The writer's thread may still be about to close the file.
    let connection = Connection::open(&path).unwrap();
    connection.busy_timeout(std::time::Duration::from_secs(5)).unwrap();
    connection.pragma_update(None, "user_version", 99).unwrap();
    assert!(matches!(Store::open(&path), Err(OpenError::Newer { found: 99, .. })));
    assert!(matches!(
        Store::open(folder.path()),
        Err(OpenError::Io { .. } | OpenError::Sqlite { .. })
    ));
}

#[tokio::test]
async fn a_search_gives_up_after_some_effort_and_resumes_from_there() {
    let (_folder, store) = open();
    for at in 0..30 {
        store.create(new(None, &format!("s3://Lake/{at}"), &[])).await.unwrap();
    }
    let mut after = None;
    let mut pages = Vec::new();
    loop {
        let search = Search { text: "LAKE/0".into(), after, limit: 5, effort: 10 };
        let found = store.search(search).await.unwrap();
        pages.push((found.rows.len(), found.gave_up));
        after = found.next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!(pages, [(0, true), (0, true), (1, false)]);
    let all = Search { text: String::new(), after: None, limit: 5, effort: 10 };
    let found = store.search(all).await.unwrap();
    assert_eq!((found.rows.len(), found.gave_up, found.next.is_some()), (5, false, true));
}

/// Returns the plan by which SQLite finds a page.
fn plan(connection: &Connection, filter: &Filter) -> String {
    let (sql, values) = artifacts::list_query(filter);
    let mut statement = connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
    let steps = statement.query_map(rusqlite::params_from_iter(values), |row| row.get(3)).unwrap();
    steps.collect::<rusqlite::Result<Vec<String>>>().unwrap().join("; ")
}

#[test]
fn every_page_is_found_by_an_index_in_its_order() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("r.sqlite3");
    drop(Store::open(&path).unwrap());
    let connection = schema::reader(&path).unwrap();
    let mut plans = Vec::new();
    for bits in 0..128 {
        let bit = |at: i32| bits & (1 << at) != 0;
        let filter = Filter {
            uri: bit(0).then(|| "s3://x".into()),
            artifact_type: bit(1).then(|| "DataSet".into()),
            created_after: bit(2).then_some(5),
            created_before: bit(3).then_some(9),
            after: bit(4).then_some(PageToken { created: 7, row: 3 }),
            ascending: bit(5),
            limit: 11,
            as_of: bit(6).then_some(8),
        };
        let plan = plan(&connection, &filter);
        if bit(6) {
            // Both tables by an index in the order of the list, and one merged into the other.
            let index = match (bit(0), bit(1)) {
                (true, _) => "by_uri (uri=?",
                (false, true) => "by_type (type=?",
                (false, false) => "by_time (created",
            };
            assert_eq!(plan.matches(index).count(), 2, "{filter:?}: {plan}");
            assert!(plan.starts_with("MERGE (UNION ALL)"), "{filter:?}: {plan}");
            assert!(!plan.contains("TEMP B-TREE") && !plan.contains("SCAN"), "{filter:?}: {plan}");
            continue;
        }
        let index = match (bit(0), bit(1)) {
            (true, _) => "artifacts_by_uri (uri=?",
            (false, true) => "artifacts_by_type (type=?",
            (false, false) => "artifacts_by_time",
        };
        assert!(plan.contains(index), "{filter:?}: {plan}");
        // Neither a sort of all that matches, nor a walk through all that does not.
        assert!(!plan.contains("TEMP B-TREE") && !plan.contains(';'), "{filter:?}: {plan}");
        let (lower, upper) =
            if bit(5) { (bit(2) || bit(4), bit(3)) } else { (bit(2), bit(3) || bit(4)) };
        assert_eq!(plan.contains("created>"), lower, "{filter:?}: {plan}");
        assert_eq!(plan.contains("created<"), upper, "{filter:?}: {plan}");
        assert_eq!(plan.starts_with("SCAN"), !(bit(0) || bit(1) || lower || upper), "{plan}");
        plans.push(plan);
    }
    assert_eq!(plans.len(), 64);
    for (sql, index) in [
        ("SELECT arn FROM artifacts WHERE name = ?1 LIMIT 1", "artifacts_by_name"),
        (
            "SELECT arn FROM artifacts WHERE uri = ?1 AND types_key = ?2 ORDER BY row LIMIT 1",
            "artifacts_by_source (uri=? AND types_key=?)",
        ),
    ] {
        let mut statement = connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
        let detail = |row: &rusqlite::Row<'_>| row.get::<_, String>(3);
        let plan = match statement.parameter_count() {
            1 => statement.query_row(["x"], detail),
            _ => statement.query_row(["x", "y"], detail),
        };
        assert!(plan.as_ref().is_ok_and(|plan| plan.contains(index)), "{sql}: {plan:?}");
    }
}

#[tokio::test]
async fn times_bound_a_list_and_both_ends_are_in_it_page_by_page() {
    let (_folder, store) = open();
    for at in 0..30 {
        store.create(new(None, &format!("u{at}"), &[])).await.unwrap();
    }
    let all = Filter { limit: 99, ascending: true, ..Filter::default() };
    // Three artifacts a millisecond, whatever the clock said.
    store
        .write(|connection| {
            Ok(connection.execute("UPDATE artifacts SET created = 1000 + row / 3", [])?)
        })
        .await
        .unwrap();
    let rows = store.list(all).await.unwrap();
    for ascending in [true, false] {
        for (from, to) in [(1000, 1010), (1003, 1003), (1004, 1007), (1009, 1005)] {
            let mut expected: Vec<_> = rows
                .iter()
                .filter(|row| (from..=to).contains(&row.created))
                .map(|row| row.row)
                .collect();
            if !ascending {
                expected.reverse();
            }
            let mut seen = Vec::new();
            let mut after = None;
            loop {
                let filter = Filter {
                    created_after: Some(from),
                    created_before: Some(to),
                    ascending,
                    after,
                    limit: 4,
                    ..Filter::default()
                };
                let page = store.list(filter).await.unwrap();
                let Some(last) = page.last() else { break };
                after = Some(PageToken { created: last.created, row: last.row });
                seen.extend(page.iter().map(|row| row.row));
            }
            assert_eq!(seen, expected, "{from}..={to}, ascending {ascending}");
        }
    }
}
