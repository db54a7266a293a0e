//! Inventories in other forms than a table.

use super::*;

#[test]
fn json_lines_and_documents_are_read_with_places() {
    let lines = "{\"name\": \"orders\", \"location\": \"s3://lake/orders/\", \"title\": \"All orders\"}\n\
        {\"title\": \"Churn, by \\\"segment\\\"\", \"location\": \"s3://lake/churn/\", \"name\": \"churn\"}\n\n\
        {\"name\": \"empty\", \"location\": \"s3://lake/empty/\", \"title\": \"\", \"more\": {\"a\": [1, null]}}\n";
    let folder = example();
    let expected = generate(folder.path(), &with(&["-o", "-"])).out;
    write(&folder.path().join("i.jsonl"), lines);
    let rows = lines.trim_end().replace("\n\n", "\n").replace('\n', ",\n");
    write(&folder.path().join("i.json"), format!("[{rows}]"));
    write(&folder.path().join("deep.json"), format!("{{\"a\": {{\"b\": [{rows}]}}, \"n\": 1}}"));
    write(&folder.path().join("only.json"), format!("{{\"rows\": [{rows}], \"n\": 1}}"));
    for args in
        [vec!["i.jsonl"], vec!["i.json"], vec!["deep.json", "--rows", "/a/b"], vec!["only.json"]]
    {
        let ran = generate(folder.path(), &[&args[..], &["-t", "t.yaml", "-o", "-"]].concat());
        assert_eq!((ran.code, &ran.out), (0, &expected), "{args:?}: {}", ran.err);
    }
    let broken = "{\"name\": \"a_b\", \"location\": \"s3://lake/a\", \"title\": \"x\"}\n{\"name\": }\n[1]\n\
        {\"name\": \"c\", \"location\": \"s3://lake/c\"}\n";
    write(&folder.path().join("broken.jsonl"), broken);
    let args = ["broken.jsonl", "-t", "t.yaml", "-o", "out", "--invalid", "fix.jsonl"];
    let (found, code) = findings(folder.path(), &args);
    assert_eq!(code, 1);
    assert_eq!(
        places(&found),
        [
            "name-pattern broken.jsonl:1:12-1:13",
            "inventory-syntax broken.jsonl:2:10-2:11",
            "inventory-syntax broken.jsonl:3:1-3:2",
            "no-value broken.jsonl:4:1-4:41"
        ]
    );
    let invalid = fs::read_to_string(folder.path().join("fix.jsonl")).unwrap();
    assert_eq!(invalid.lines().count(), 4, "{invalid}");
    let ran = generate(folder.path(), &["--init", "i.jsonl", "-t", "first.yaml"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    let ran = generate(folder.path(), &["i.jsonl", "-t", "first.yaml", "-o", "first"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_eq!(run(folder.path(), &["lint", "first", "--fail-on", "warning"]).code, 0);
}

#[test]
fn a_listing_of_objects_becomes_objects_or_prefixes() {
    let listing = r#"{"Contents": [
  {"Key": "churn/2026/part+0 1.parquet", "LastModified": "2026-01-02T03:04:05+00:00", "ETag": "\"9b2cf535f27731c974343645a3985328\"", "Size": 2048, "StorageClass": "STANDARD"},
  {"Key": "churn/2026/part-1.parquet", "LastModified": "2026-03-02T03:04:05+00:00", "ETag": "\"9b2cf535f27731c974343645a3985329-2\"", "Size": 1000, "StorageClass": "STANDARD"},
  {"Key": "orders/2026/", "LastModified": "2026-01-01T00:00:00+00:00", "ETag": "\"d41d8cd98f00b204e9800998ecf8427e\"", "Size": 0, "StorageClass": "STANDARD"},
  {"Key": "orders/2026/a.csv", "LastModified": "2026-02-01T00:00:00+00:00", "ETag": "\"d41d8cd98f00b204e9800998ecf8427e\"", "Size": 5, "StorageClass": "GLACIER"}
]}"#;
    let folder = folder(&[("listing.json", listing)]);
    let ran =
        generate(folder.path(), &["listing.json", "--var", "bucket=example-lake", "-o", "out"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    let text = fs::read_to_string(folder.path().join("out/0001.yaml")).unwrap();
    assert_eq!(text.matches("ArtifactName").count(), 3, "folders are left out: {text}");
    assert!(
        text.contains("SourceUri: \"s3://example-lake/churn/2026/part+0 1.parquet\"")
            || text.contains("SourceUri: s3://example-lake/churn/2026/part+0 1.parquet"),
        "{text}"
    );
    assert!(text.contains("Value: \"9b2cf535f27731c974343645a3985328\"\n"), "no quotes: {text}");
    let group = ["--group", "{{ row.Key | parent(1) }}"];
    let args = [&["listing.json", "--var", "bucket=example-lake", "-o", "-"][..], &group].concat();
    let ran = generate(folder.path(), &args);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(ran.out.contains("  SourceUri: s3://example-lake/churn/\nProperties:\n  Bytes: \"3048\"\n  LastModified: \"2026-03-02T03:04:05+00:00\"\n  Objects: \"2\"\n"), "{}", ran.out);
    assert!(ran.out.contains("  Bytes: \"5\"\n"), "{}", ran.out);
    let ran = generate(folder.path(), &["listing.json", "-o", "-"]);
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("add `--var bucket=VALUE`"), "{}", ran.err);
}

#[test]
fn an_s3_inventory_is_read_through_its_manifest() {
    let manifest = r#"{"sourceBucket": "example-lake", "destinationBucket": "arn:aws:s3:::example-logs",
  "version": "2016-11-30", "creationTimestamp": "1767225600000", "fileFormat": "CSV",
  "fileSchema": "Bucket, Key, VersionId, IsLatest, IsDeleteMarker, Size, LastModifiedDate, ETag",
  "files": [{"key": "logs/example-lake/all/data/one.csv.gz", "size": 1, "MD5checksum": "x"},
            {"key": "logs/example-lake/all/data/two.csv.gz", "size": 1, "MD5checksum": "x"}]}"#;
    let one = "\"example-lake\",\"churn/2026/part%2B0+1.parquet\",\"v1\",\"true\",\"false\",\"2048\",\"2026-01-02T03:04:05.000Z\",\"9b2cf535f27731c974343645a3985328\"\n\
        \"example-lake\",\"churn/2026/old.parquet\",\"v0\",\"false\",\"false\",\"1\",\"2026-01-02T03:04:05.000Z\",\"x\"\n";
    let two = "\"example-lake\",\"gone\",\"v2\",\"true\",\"true\",\"\",\"2026-01-02T03:04:05.000Z\",\"\"\n\
        \"example-lake\",\"orders/%zz.csv\",\"v3\",\"true\",\"false\",\"7\",\"2026-01-02T03:04:05.000Z\",\"9b2cf535f27731c974343645a3985329\"\n";
    let folder = folder(&[("logs/example-lake/all/2026-01-01T00-00Z/manifest.json", manifest)]);
    for (name, text) in [("one", one), ("two", two)] {
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        gzip.write_all(text.as_bytes()).unwrap();
        let path = folder.path().join(format!("logs/example-lake/all/data/{name}.csv.gz"));
        write(&path, gzip.finish().unwrap());
    }
    let path = "logs/example-lake/all/2026-01-01T00-00Z/manifest.json";
    let (found, code) = findings(folder.path(), &[path, "-o", "out"]);
    assert_eq!(code, 1);
    let places = places(&found);
    assert!(places.iter().all(|place| place.contains("data/two.csv.gz:2:")), "{places:#?}");
    let text = fs::read_to_string(folder.path().join("out/0001.yaml")).unwrap();
    assert_eq!(text.matches("ArtifactName").count(), 1, "{text}");
    assert!(text.contains("s3://example-lake/churn/2026/part+0 1.parquet"), "{text}");
    assert!(text.contains("SourceIdType: S3Version\n    Value: v1\n"), "{text}");
}
