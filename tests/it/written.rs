//! Artifacts written as manifests, read again by the check and by another reader.

use std::sync::Arc;

use lineload::artifact::{Artifact, Source, SourceType, Tag};
use lineload::check::{self, Entry, EntryIndex, Sink};
use lineload::config::Rules;
use lineload::diagnostic::{Code, Diagnostic};
use lineload::manifest::write;
use lineload::model::{self, TextLimit};
use lineload::source::FileId;
use lineload::walk::{Found, Origin, Walk};
use proptest::prelude::*;

#[derive(Default)]
struct Read {
    artifacts: Vec<Option<Artifact>>,
    findings: Vec<Diagnostic>,
}

impl Sink for Read {
    fn entry(&mut self, entry: Entry) {
        self.artifacts.push(entry.artifact.map(|valid| valid.artifact));
    }
    fn withdraw(&mut self, _: EntryIndex) {}
    fn file(&mut self, _: FileId, findings: Vec<Diagnostic>, _: usize) {
        self.findings.extend(findings);
    }
    fn progress(&mut self, _: usize) {}
}

/// Returns what a check makes of a file with this text.
fn read(text: &str) -> Read {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), text).unwrap();
    let what = Ok(Origin::Path(Arc::from(file.path())));
    let walk = Walk { found: vec![Found { name: "a.yaml".into(), what }], elsewhere: 0 };
    let rules = Rules::default();
    let options = check::Options {
        rules: &rules,
        allowances: true,
        threads: Some(1),
        entries: true,
        rewrites: None,
    };
    let mut read = Read::default();
    check::run(&walk, &check::sources(&walk), options, &mut read).unwrap();
    read
}

/// The rules about the values of an artifact, however they are written.
const OF_VALUES: [Code; 12] = [
    Code::Credential,
    Code::InvisibleCharacter,
    Code::OuterBlank,
    Code::UnfilledTemplate,
    Code::TypeEmpty,
    Code::TypeCase,
    Code::UriScheme,
    Code::UriBlank,
    Code::BucketName,
    Code::SourceValueFormat,
    Code::DuplicateSourceType,
    Code::TagCase,
];

/// Texts that some reader might take for something else, or that YAML has a use for.
const TRAPS: &[&str] = &[
    "",
    " ",
    "~",
    "-",
    "- a",
    "?",
    "? a",
    ":",
    "a:",
    "a: b",
    "a :b",
    ": a",
    "a #b",
    "#a",
    "# lineload: allow credential",
    "&a",
    "*a",
    "!a",
    "!!str a",
    "|",
    ">",
    "|-",
    "%TAG",
    "@a",
    "`a`",
    "'",
    "''",
    "'a'",
    "\"",
    "\"a\"",
    "[",
    "[]",
    "{",
    "{}",
    "a, b",
    "a]",
    "a}",
    "<<",
    "=",
    "---",
    "...",
    "--- a",
    "no",
    "No",
    "ON",
    "y",
    "N",
    "true",
    "False",
    "null",
    "NULL",
    "1",
    "-1",
    "+1",
    "0x1F",
    "0o7",
    "017",
    "0b1",
    "1_000",
    "1e3",
    "1.",
    ".5",
    ".inf",
    "-.INF",
    ".nan",
    "NaN",
    "inf",
    "12:30:45",
    "190:20:30.15",
    "2024-01-01",
    "2024-01-01T10:00:00Z",
    "2024-01-01 10:00:00",
    "1.2.3",
    "a b",
    " a",
    "a ",
    "a\\b",
    "\\",
    "a\tb",
    "\ta",
    "\u{A0}a",
    "a\u{A0}",
    "\u{3000}",
    "größe",
    "数据",
    "\u{1F9EA}",
    "\u{1F469}\u{200D}\u{1F52C}",
    "می\u{200C}خواهم",
    "\u{0}",
    "\u{7}",
    "\u{1B}[0m",
    "\u{7F}",
    "\u{9B}",
    "\u{FEFF}",
    "a\u{FEFF}",
    "\u{FFFE}",
    "\u{FFFF}",
    "\u{E0001}",
    "\u{10FFFF}",
    "\u{202E}",
    "Artifacts",
    "Defaults",
    "ArtifactName",
    "s3://a/b?c=d&e=f#g",
    "C:\\x",
];

/// Texts that keep `limit`.
fn text(limit: TextLimit) -> impl Strategy<Value = String> {
    let any = prop_oneof![
        3 => proptest::sample::select(TRAPS).prop_map(str::to_owned),
        3 => "[a-zA-Z0-9 ,:#'\"/_.{}\\[\\]&*!|>%@`~?=<-]{0,24}",
        1 => any::<String>(),
        1 => "[\\PC\\n\\r\u{85}\u{2028}\u{2029}]{0,12}",
        1 => (0..limit.max + 1, "[a-z\"é]").prop_map(|(times, c)| c.repeat(times)),
    ];
    any.prop_map(move |text| {
        // Whatever the service would not take is cut out.
        let mut text: String = text.chars().take(limit.max).collect();
        if let Some(pattern) = limit.pattern {
            while let Some(offending) = pattern.offending(&text) {
                text.replace_range(offending, "");
            }
        }
        if text.chars().count() < limit.min { "x".to_owned() } else { text }
    })
}

fn artifacts() -> impl Strategy<Value = Artifact> {
    let types =
        (proptest::sample::select(&model::SOURCE_ID_TYPES[..]), text(model::SOURCE_TYPE_VALUE));
    let types = types.prop_map(|(id, value)| SourceType { id_type: id.to_owned(), value });
    let source = (text(model::SOURCE_URI), proptest::collection::vec(types, 0..3));
    let property = (text(model::PROPERTY_KEY), text(model::PROPERTY_VALUE));
    let metadata = || proptest::option::of(text(model::METADATA_VALUE));
    let tag = (text(model::TAG_KEY), text(model::TAG_VALUE));
    (
        proptest::option::of("[a-zA-Z0-9]{1,60}|no|[0-9]{1,9}|1e3|0x1f|2024-01-01"),
        text(model::ARTIFACT_TYPE),
        source,
        proptest::collection::btree_map(property.0, property.1, 0..6),
        [metadata(), metadata(), metadata(), metadata()],
        proptest::collection::btree_map(tag.0, tag.1, 0..4),
    )
        .prop_map(|(name, artifact_type, (uri, types), properties, metadata, tags)| Artifact {
            name,
            artifact_type,
            source: Source { uri, types },
            properties,
            texts: model::METADATA
                .fields
                .iter()
                .zip(metadata)
                .filter_map(|(field, text)| Some((field.name, text?)))
                .collect(),
            tags: tags
                .into_iter()
                .filter(|(key, _)| !key.to_lowercase().starts_with(model::RESERVED_TAG_PREFIX))
                .map(|(key, value)| Tag { key, value })
                .collect(),
        })
}

proptest! {
    #[test]
    fn what_is_written_is_read_as_it_was(artifact in artifacts(), comment in ".{0,40}(\n.{0,20})?") {
        for text in [write::artifact(&artifact), write::commented(&artifact, &comment)] {
            let read = read(&text);
            let reported: Vec<_> = read.findings.iter().filter(|one| !OF_VALUES.contains(&one.code)).collect();
            prop_assert!(reported.is_empty(), "{reported:?}\n{text}");
            let secret = read.findings.iter().any(Diagnostic::is_error);
            prop_assert_eq!(&read.artifacts, &vec![(!secret).then(|| artifact.clone())], "{}", text);
            let other: Artifact = serde_yaml::from_str(&text).unwrap();
            prop_assert_eq!(&other, &artifact, "{}", text);
        }
    }

    #[test]
    fn documents_stand_below_one_another(artifacts in proptest::collection::vec(artifacts(), 2..4)) {
        let text: Vec<_> = artifacts.iter().map(write::artifact).collect();
        let read = read(&text.join("---\n"));
        let duplicates = [Code::DuplicateName, Code::DuplicateSource];
        let reported: Vec<_> = read.findings.iter().map(|one| one.code).filter(|code| !OF_VALUES.contains(code)).collect();
        prop_assert!(reported.iter().all(|code| duplicates.contains(code)), "{reported:?}");
        prop_assert_eq!(read.artifacts.len(), artifacts.len());
    }
}

fn full() -> Artifact {
    Artifact {
        name: Some("churn-training-set".into()),
        artifact_type: "DataSet".into(),
        source: Source {
            uri: "s3://example-lake/größe/train.parquet".into(),
            types: vec![SourceType {
                id_type: "S3ETag".into(),
                value: "9b2cf535f27731c974343645a3985328".into(),
            }],
        },
        properties: [("Rows", "1204331"), ("Updated", "2024-01-01"), ("Title", "a: \"b\"\u{85}")]
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .into(),
        texts: [("CommitId", "no".to_owned()), ("ProjectId", "a, b".to_owned())].into(),
        tags: vec![Tag { key: "team".into(), value: String::new() }],
    }
}

#[test]
fn a_document_looks_like_the_manifests_of_this_project() {
    let text = r#"# 1 of 2
#
# > lineload: allow credential
# \u001B[0m\uFFFF
ArtifactName: churn-training-set
ArtifactType: DataSet
Source:
  SourceUri: s3://example-lake/größe/train.parquet
  SourceTypes:
  - SourceIdType: S3ETag
    Value: "9b2cf535f27731c974343645a3985328"
Properties:
  Rows: "1204331"
  Title: "a: \"b\"\u0085"
  Updated: "2024-01-01"
MetadataProperties:
  CommitId: "no"
  ProjectId: a, b
Tags:
- Key: team
  Value: ""
"#;
    let comment = "1 of 2\n\nlineload: allow credential\n\u{1b}[0m\u{FFFF}";
    assert_eq!(write::commented(&full(), comment), text);
    assert_eq!(write::artifact(&full()), text.split_once("\\uFFFF\n").unwrap().1);
}
