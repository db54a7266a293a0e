//! The JSON Schema takes what `lint` takes, as far as a schema can.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::str::FromStr as _;
use std::sync::{Arc, LazyLock};

use jsonschema::Validator;
use lineload::check::{self, Options};
use lineload::config::Rules;
use lineload::diagnostic::{Code, expanded};
use lineload::model::{self, Pattern, TextLimit};
use lineload::schema;
use lineload::source::{FileId, SourceFile};
use proptest::prelude::*;
use serde::Deserialize as _;
use serde_json::{Value, json};

use crate::support::{root, run};

static VALIDATOR: LazyLock<Validator> =
    LazyLock::new(|| jsonschema::draft202012::new(&schema::schema()).expect("a schema"));

/// Errors that a schema cannot be asked to find.
fn unseen() -> Vec<Code> {
    let list = include_str!("../fixtures/unseen-by-schema.txt");
    let lines = list.lines().filter(|line| !line.starts_with('#'));
    lines
        .map(|line| {
            let (name, reason) = line.split_once(": ").expect("a reason");
            assert!(!reason.is_empty());
            Code::from_name(name).unwrap_or_else(|| panic!("no rule {name}"))
        })
        .collect()
}

/// The errors of one source by itself, with no regard to comments that allow some.
fn errors(bytes: Vec<u8>) -> Vec<Code> {
    let source = SourceFile::new(FileId(0), Arc::from("m.yaml"), bytes);
    let rules = Rules::default();
    let options =
        Options { rules: &rules, allowances: false, threads: None, entries: false, rewrites: None };
    let findings = check::source(&source, options);
    findings.iter().filter(|finding| finding.is_error()).map(|finding| finding.code).collect()
}

/// The documents of a file as another reader of YAML reads them; `None` where it cannot.
fn documents(bytes: &[u8]) -> Option<Vec<Value>> {
    let text = std::str::from_utf8(bytes).ok()?.trim_start_matches('\u{FEFF}');
    // `!` makes a text of a plain scalar. This reader keeps it as a tag of its own.
    let text = &text.replace(": ! 2", ": '2'");
    let mut all = Vec::new();
    for document in serde_yaml::Deserializer::from_str(text) {
        let mut value = serde_yaml::Value::deserialize(document).ok()?;
        value.apply_merge().ok()?;
        all.push(serde_json::to_value(value).ok()?);
    }
    Some(all)
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut all = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            all.extend(files(&path));
        } else if !path.ends_with("lineload.schema.json") {
            all.push(path);
        }
    }
    all.sort();
    all
}

#[test]
fn it_is_a_schema() {
    jsonschema::meta::validate(&schema::schema()).unwrap();
}

#[test]
fn all_that_is_right_is_taken() {
    let validator = &*VALIDATOR;
    for folder in ["tests/fixtures/ok", "manifests"] {
        for path in files(&root().join(folder)) {
            let documents = documents(&fs::read(&path).unwrap()).expect("YAML");
            for document in documents {
                let faults: Vec<_> = validator.iter_errors(&document).collect();
                assert!(faults.is_empty(), "{}: {faults:?}", path.display());
            }
        }
    }
}

/// Accepts what is only suspicious, as `lint` does.
#[test]
fn all_that_is_wrong_is_refused_but_for_what_a_schema_cannot_see() {
    let validator = &*VALIDATOR;
    let unseen = unseen();
    let mut shown = BTreeMap::from_iter(unseen.iter().map(|code| (*code, false)));
    for path in files(&root().join("tests/fixtures/err")) {
        let bytes = fs::read(&path).unwrap();
        let documents = documents(&bytes);
        let refused = documents
            .as_ref()
            .is_none_or(|documents| documents.iter().any(|document| !validator.is_valid(document)));
        let errors = errors(bytes);
        let seen: Vec<_> = errors.iter().filter(|code| !unseen.contains(code)).collect();
        let name = path.strip_prefix(root().join("tests/fixtures/err")).unwrap().to_str().unwrap();
        if errors.is_empty() {
            assert!(!refused, "{name} has no error, and is refused");
        } else if seen.is_empty() {
            for code in errors {
                shown.insert(code, true);
            }
        } else if name != "property-count/merged.yaml" {
            // That one is of an artifact and its defaults together.
            assert!(refused, "{name} has {seen:?}, and is taken");
        }
    }
    for (code, shown) in shown {
        let elsewhere = matches!(
            code,
            Code::AliasLimit | Code::DuplicateName | Code::DuplicateSource | Code::Credential
        );
        assert!(shown || elsewhere, "{code} is said to be unseen, and no case shows it");
    }
}

/// The examples of the rules, each of which has its rule's finding alone.
#[test]
fn examples_of_the_rules_are_taken_and_refused_as_lint_does() {
    let unseen = unseen();
    for code in Code::ALL.iter().filter(|code| **code != Code::Config) {
        let Some(example) = code.explanation().example else { continue };
        for text in [example.wrong, example.right].map(expanded) {
            let errors = errors(text.clone().into_bytes());
            if !errors.is_empty() && errors.iter().all(|code| unseen.contains(code)) {
                continue;
            }
            let refused = documents(text.as_bytes()).is_none_or(|documents| {
                documents.iter().any(|document| !VALIDATOR.is_valid(document))
            });
            assert_eq!(refused, !errors.is_empty(), "{errors:?} in {text}");
        }
    }
}

/// An artifact with `change` made to it.
fn artifact(change: impl FnOnce(&mut Value)) -> Value {
    let mut value = json!({ "ArtifactType": "DataSet", "Source": { "SourceUri": "s3://lake/x" } });
    change(&mut value);
    value
}

/// A field with a limit, and an artifact with a text there.
type Field = (TextLimit, fn(String) -> Value);

const FIELDS: [Field; 9] = [
    (model::ARTIFACT_NAME, |text| artifact(|a| a["ArtifactName"] = text.into())),
    (model::ARTIFACT_TYPE, |text| artifact(|a| a["ArtifactType"] = text.into())),
    (model::SOURCE_URI, |text| artifact(|a| a["Source"]["SourceUri"] = text.into())),
    (model::SOURCE_TYPE_VALUE, |text| {
        let types = json!([{ "SourceIdType": "Custom", "Value": text }]);
        artifact(|a| a["Source"]["SourceTypes"] = types)
    }),
    (model::PROPERTY_KEY, |text| artifact(|a| a["Properties"] = json!({ text: "v" }))),
    (model::PROPERTY_VALUE, |text| artifact(|a| a["Properties"] = json!({ "k": text }))),
    (model::METADATA_VALUE, |text| {
        artifact(|a| a["MetadataProperties"] = json!({ "ProjectId": text }))
    }),
    (model::TAG_KEY, |text| artifact(|a| a["Tags"] = json!([{ "Key": text, "Value": "v" }]))),
    (model::TAG_VALUE, |text| artifact(|a| a["Tags"] = json!([{ "Key": "k", "Value": text }]))),
];

/// A document as YAML that reads as the same value everywhere.
fn yaml(document: &Value) -> Vec<u8> {
    let mut text = String::new();
    for c in document.to_string().chars() {
        match c {
            '\u{7F}'..='\u{9F}' | '\u{2028}' | '\u{2029}' | '\u{FEFF}' => {
                text.push_str(&format!("\\u{:04x}", u32::from(c)));
            }
            c => text.push(c),
        }
    }
    text.into_bytes()
}

/// Asserts that both agree on a document, and returns the errors of `lint`.
fn compare(validator: &Validator, document: &Value) -> Vec<Code> {
    let errors = errors(yaml(document));
    let unseen = unseen();
    let refused = !validator.is_valid(document);
    if errors.is_empty() || errors.iter().any(|code| !unseen.contains(code)) {
        assert_eq!(refused, !errors.is_empty(), "{errors:?} in {document}");
    }
    errors
}

#[test]
fn lengths_end_where_the_limits_end() {
    let validator = &*VALIDATOR;
    for (limit, artifact) in FIELDS {
        let characters = match limit.pattern {
            Some(Pattern::EntityName) => ["a", "7"],
            // Two bytes; four bytes and two units of UTF-16.
            Some(Pattern::TagText) => ["é", "𝒜"],
            _ => ["é", "😀"],
        };
        for character in characters {
            assert_eq!(compare(validator, &artifact(character.repeat(limit.max))), []);
            let errors = compare(validator, &artifact(character.repeat(limit.max + 1)));
            assert_eq!(errors.len(), 1, "{} with {errors:?}", limit.shape);
        }
        assert_eq!(compare(validator, &artifact(String::new())).len(), limit.min);
    }
    let count = |count: usize| {
        let tags: Vec<_> =
            (0..count).map(|at| json!({ "Key": at.to_string(), "Value": "" })).collect();
        artifact(|a| a["Tags"] = tags.into())
    };
    assert_eq!(compare(validator, &count(model::TAGS_MAX)), []);
    assert_eq!(compare(validator, &count(model::TAGS_MAX + 1)), [Code::TagCount]);
    let count = |count: usize| {
        let properties: serde_json::Map<_, _> =
            (0..count).map(|at| (format!("p{at}"), "".into())).collect();
        artifact(|a| a["Properties"] = properties.into())
    };
    assert_eq!(compare(validator, &count(model::PROPERTIES_MAX)), []);
    assert_eq!(compare(validator, &count(model::PROPERTIES_MAX + 1)), [Code::PropertyCount]);
}

#[test]
fn texts_are_taken_and_refused_as_lint_does() {
    let validator = &*VALIDATOR;
    let texts = [
        "a",
        "a-b",
        "-a",
        "a-",
        "a_b",
        "a b",
        "ä",
        "a\n",
        "a\nb",
        "\na",
        "a\r",
        "a\r\n",
        "a\u{85}",
        "a\u{2028}",
        "\u{2029}a",
        "\n",
        "a\u{2028}b",
        "a#b",
        "a\u{a0}b",
        "½",
        "٣",
        "日本",
        "a–b",
        "“a”",
        "a…",
        "€",
        "™",
        "№",
        "😀",
        "e\u{301}",
        "\u{FEFF}a",
        "\u{200B}a",
        "aws:a",
        "AWS:",
        "aWs:x",
        "aws",
        "aw:",
        "a aws:",
        "xaws:",
        "a:b/c=d+e-f@g.h",
        "a\\b",
        "a]",
        "[a",
        "a^",
        "a`",
    ];
    for (_, artifact) in FIELDS {
        for text in texts {
            compare(validator, &artifact(text.to_owned()));
        }
    }
}

/// Returns the values that may be generated in place of a value.
fn value(good: Vec<Value>) -> impl Strategy<Value = Option<Value>> {
    let odd = vec![
        Value::Null,
        json!(true),
        json!(7),
        json!(""),
        json!("text"),
        json!([]),
        json!({}),
        json!(["text"]),
        json!([{ "Key": "a" }]),
        json!([{ "Key": "a", "Value": "b", "Other": "c" }]),
        json!({ "Key": "a", "Value": "b" }),
        json!({ "SourceUri": "s3://lake/x", "Uri": "x" }),
        json!({ "CommitId": "a", "Commit": "b" }),
    ];
    let good = proptest::sample::select(good).prop_map(Some);
    prop_oneof![12 => good, 3 => Just(None), 2 => proptest::sample::select(odd).prop_map(Some)]
}

/// An artifact or defaults, more often right than wrong.
fn fields() -> impl Strategy<Value = Value> {
    let source_type = json!({ "SourceIdType": "Custom", "Value": "1" });
    let source = vec![
        json!({ "SourceUri": "s3://lake/x" }),
        json!({ "SourceUri": "s3://lake/y", "SourceTypes": [source_type] }),
    ];
    (
        value(vec![json!("name")]),
        value(vec![json!("DataSet"), json!("Model")]),
        value(source),
        value(vec![json!({ "a": "b" }), json!({})]),
        value(vec![json!({ "CommitId": "a" })]),
        value(vec![json!([{ "Key": "a", "Value": "" }])]),
        prop_oneof![9 => Just(None), 1 => Just(Some(json!("x")))],
    )
        .prop_map(|(name, kind, source, properties, metadata, tags, other)| {
            let fields = [
                ("ArtifactName", name),
                ("ArtifactType", kind),
                ("Source", source),
                ("Properties", properties),
                ("MetadataProperties", metadata),
                ("Tags", tags),
                ("Owner", other),
            ];
            let given =
                fields.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
            Value::Object(given.collect())
        })
}

fn manifest() -> impl Strategy<Value = Value> {
    let item = || prop_oneof![20 => fields(), 1 => Just(Value::Null), 1 => Just(json!("x"))];
    let list = move || prop::collection::vec(item(), 0..3).prop_map(Value::Array);
    let shared = fields().prop_map(|mut defaults| {
        let fields = defaults.as_object_mut().unwrap();
        fields.retain(|name, value| {
            !matches!(name.as_str(), "ArtifactName" | "Source") || *value == json!([])
        });
        defaults
    });
    let shared =
        prop_oneof![12 => shared.prop_map(Some), 3 => Just(None), 1 => Just(Some(json!([])))];
    let artifacts =
        prop_oneof![12 => list().prop_map(Some), 1 => Just(None), 1 => fields().prop_map(Some)];
    let wrapper = (shared, artifacts, prop_oneof![9 => Just(None), 1 => Just(Some(json!("x")))])
        .prop_map(|(defaults, artifacts, other)| {
            let keys = [("Defaults", defaults), ("Artifacts", artifacts), ("Owner", other)];
            let given =
                keys.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
            Value::Object(given.collect())
        });
    let scalar = proptest::sample::select(vec![json!("x"), json!(1), json!(true)]);
    prop_oneof![8 => fields(), 6 => list(), 8 => wrapper, 1 => scalar]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4096, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn documents_are_taken_and_refused_as_lint_does(document in manifest()) {
        compare(&VALIDATOR, &document);
    }
}

#[test]
fn the_command_prints_it_and_the_examples_name_it() {
    let ran = run(&root(), &["schema"]);
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
    assert_eq!(ran.out, schema::text());
    assert!(ran.out.is_ascii() && ran.out.ends_with("}\n"));
    assert_eq!(Value::from_str(&ran.out).unwrap(), schema::schema());
    for path in files(&root().join("manifests/examples")) {
        if path.extension().unwrap() == "yaml" {
            let text = fs::read_to_string(&path).unwrap();
            let modeline = "# yaml-language-server: $schema=lineload.schema.json\n";
            assert!(text.starts_with(modeline), "{} has no modeline", path.display());
        }
    }
}
