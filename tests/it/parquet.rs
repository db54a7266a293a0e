//! Inventories in Parquet, as pyarrow writes them (`tests/interop/inventories.py`).

use std::fs;
use std::io::Write as _;

use crate::support::{Ran, folder, lineload, root, run, run_with_input, write};

const TEMPLATE: &str = "\
ArtifactName: '{{ row.name }}'
ArtifactType: DataSet
Source:
  SourceUri: '{{ row.location }}'
Properties:
  $skip_empty: true
  '{{ one }}':
    $for: one in row
    $value: '{{ row[one] }}'
";

fn fixture(name: &str) -> Vec<u8> {
    fs::read(root().join("tests/fixtures/inventories").join(name)).unwrap()
}

/// A directory with the fixture and a template that makes a property of each column.
fn example() -> tempfile::TempDir {
    let folder = folder(&[("t.yaml", TEMPLATE)]);
    write(&folder.path().join("datasets.parquet"), fixture("datasets.parquet"));
    folder
}

fn generate(folder: &std::path::Path, args: &[&str]) -> Ran {
    run(folder, &[&["generate"], args].concat())
}

#[test]
fn each_type_of_a_column_is_the_value_that_a_user_expects() {
    let folder = example();
    let ran = generate(folder.path(), &["datasets.parquet", "-t", "t.yaml", "-o", "-"]);
    assert_eq!(ran.code, 1, "{ran:?}");
    insta::assert_snapshot!(ran.out);
    // The third row, in the second row group.
    assert!(ran.err.contains("name-pattern"), "{}", ran.err);
    let short = ["datasets.parquet", "-t", "t.yaml", "--format", "short"];
    let ran = generate(folder.path(), &short);
    let place = "datasets.parquet:3:13: error[name-pattern]: a name cannot contain `_`";
    assert!(ran.out.starts_with(place), "{}", ran.out);
    let ran =
        generate(folder.path(), &["datasets.parquet", "-t", "t.yaml", "--invalid", "fix.jsonl"]);
    assert_eq!(ran.code, 1);
    let left = fs::read_to_string(folder.path().join("fix.jsonl")).unwrap();
    assert!(left.contains(r#""name":"bad_name""#) && left.lines().count() == 1, "{left}");
    let ran = generate(folder.path(), &["fix.jsonl", "-t", "t.yaml"]);
    assert!(ran.err.contains("1 row, 1 invalid"), "{ran:?}");
}

#[test]
fn a_file_is_read_from_standard_input_and_compressed_as_a_whole() {
    let folder = example();
    let args = ["generate", "-", "-t", "t.yaml", "-o", "-", "-q"];
    let whole = generate(folder.path(), &["datasets.parquet", "-t", "t.yaml", "-o", "-", "-q"]);
    let mut command = lineload(folder.path());
    command.args(args).stdin(std::process::Stdio::piped());
    command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(&fixture("datasets.parquet")).unwrap();
    let ran: Ran = child.wait_with_output().unwrap().into();
    assert_eq!(ran.out, whole.out);
    let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gz.write_all(&fixture("datasets.parquet")).unwrap();
    write(&folder.path().join("d.parquet.gz"), gz.finish().unwrap());
    let ran = generate(folder.path(), &["d.parquet.gz", "-t", "t.yaml", "-o", "-", "-q"]);
    assert_eq!(ran.out, whole.out);
    let init = generate(folder.path(), &["--init", "datasets.parquet"]);
    assert!(init.out.contains("SourceUri: '{{ row.location }}'"), "{init:?}");
    let ran = run_with_input(
        folder.path(),
        &["generate", "-", "--from", "parquet", "-t", "t.yaml"],
        "name\n",
    );
    assert_eq!(ran.code, 2, "{ran:?}");
    assert!(ran.err.contains("cannot read the Parquet file at "), "{}", ran.err);
}

#[test]
fn an_s3_inventory_in_parquet_reads_as_one_in_csv() {
    let folder = folder(&[]);
    for name in ["manifest.json", "data/0.parquet", "data/1.parquet"] {
        write(&folder.path().join(name), fixture(&format!("s3-inventory/{name}")));
    }
    let ran = generate(folder.path(), &["manifest.json", "-o", "-", "--fail-on", "warning"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    insta::assert_snapshot!(ran.out);
    let group = ["--group", "{{ row.Key | url_decode | parent(1) }}", "-o", "-"];
    let ran = generate(folder.path(), &[&["manifest.json"], &group[..]].concat());
    assert_eq!(ran.out.matches("SourceUri: s3://example-lake/").count(), 2, "{ran:?}");
}

/// A corrupt file is a message and an exit code: every byte once, and cut everywhere.
#[test]
fn a_corrupt_file_is_a_message_and_never_a_panic() {
    let folder = folder(&[("t.yaml", TEMPLATE)]);
    let whole = fixture("datasets.parquet");
    let check = |bytes: &[u8], what: &str| {
        write(&folder.path().join("x.parquet"), bytes);
        let args = ["x.parquet", "--from", "parquet", "-t", "t.yaml", "--format", "short", "-q"];
        let ran = generate(folder.path(), &args);
        assert!((0..=2).contains(&ran.code), "{what}: {ran:?}");
        assert!(!ran.err.contains("panicked") && ran.err.len() < 2000, "{what}: {ran:?}");
        if ran.code == 2 {
            assert!(ran.err.contains("cannot read the Parquet file at "), "{what}: {ran:?}");
        }
    };
    let steps = whole.len() / 150;
    for at in (0..whole.len()).step_by(steps) {
        let mut bytes = whole.clone();
        bytes[at] ^= if at % 2 == 0 { 0xFF } else { 0x10 };
        check(&bytes, &format!("byte {at}"));
    }
    for at in (4..whole.len()).step_by(steps * 8) {
        check(&whole[..at], &format!("cut at {at}"));
    }
}

/// A file whose schema has `depth` groups, each within the one before, and a column in the last.
fn nested(depth: usize) -> Vec<u8> {
    nested_by(depth, &[0x19, 0xFC], 0x15)
}

/// The same, with these bytes as the head of the list of the schema, and of the number of elements.
fn nested_by(depth: usize, head: &[u8], children: u8) -> Vec<u8> {
    // A group, required: its name `a`, and that it has one element below it.
    let group = [0x35, 0x00, 0x18, 0x01, b'a', children, 0x02, 0x00];
    // A column of 32-bit integers, required.
    const COLUMN: [u8; 8] = [0x15, 0x02, 0x25, 0x00, 0x18, 0x01, b'b', 0x00];
    let mut footer = [&[0x15, 0x02], head].concat();
    let mut count = depth + 1;
    while count >= 0x80 {
        footer.push(0x80 | (count & 0x7F) as u8);
        count >>= 7;
    }
    footer.push(count as u8);
    footer.extend(group.repeat(depth));
    footer.extend(COLUMN);
    // No row, no row group.
    footer.extend([0x16, 0x00, 0x19, 0x0C, 0x00]);
    let length = u32::try_from(footer.len()).unwrap().to_le_bytes();
    [b"PAR1".as_slice(), &footer, &length, b"PAR1"].concat()
}

#[test]
fn columns_nested_without_end_are_a_message() {
    let folder = folder(&[("t.yaml", TEMPLATE)]);
    let path = folder.path().join("deep.parquet");
    for (depth, code) in [(3, 1), (100, 1), (101, 2), (100_000, 2), (3_000_000, 2)] {
        write(&path, nested(depth));
        let ran = generate(folder.path(), &["deep.parquet", "-t", "t.yaml", "-o", "-"]);
        assert_eq!(ran.code, code, "{depth}: {ran:?}");
        let expected =
            "cannot read the Parquet file at its schema: columns are nested more than 100 deep";
        assert_eq!(ran.err.contains(expected), code == 2, "{depth}: {ran:?}");
    }
    // As a set; with a number that wraps around to that of the schema; with counts of other kinds.
    let wrapped: &[u8] = &[0x09, 0x84, 0x80, 0x08, 0xFC];
    let others =
        [(&[0x1A, 0xFC][..], 0x15), (wrapped, 0x15), (&[0x19, 0xFC], 0x14), (&[0x19, 0xFC], 0x16)];
    for (head, children) in others {
        write(&path, nested_by(100_000, head, children));
        let ran = generate(folder.path(), &["deep.parquet", "-t", "t.yaml", "-o", "-"]);
        let expected = "cannot read the Parquet file at its schema: it is not valid";
        assert!(ran.code == 2 && ran.err.contains(expected), "{head:x?} {children:x}: {ran:?}");
    }
}
