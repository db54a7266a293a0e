//! YAML, and the shape of an artifact.

use super::Explanation;
use crate::model::{ARTIFACT_FIELDS, METADATA_FIELDS};
use crate::text::either;

const REFERENCE: &str = "`CreateArtifact` in the Amazon SageMaker API reference";

pub(super) fn syntax() -> Explanation {
    Explanation::new(
        "The text is not YAML. From the fault to the end of its document nothing can be read with \
         certainty, so no artifact of the document is sent. Other documents of the file, behind \
         the next `---`, are checked and sent as usual.\n\n\
         The usual causes are a colon with a space behind it in an unquoted text, a quote or \
         bracket that is never closed, a tab in the indentation, an unquoted text that begins with \
         `@` or `%`, and a backslash in double quotes. Single quotes around the text fix most of \
         them: in them only the single quote itself is special, and is written twice.",
    )
    .example(
        "\
ArtifactType: DataSet
Source:
  SourceUri: s3://example-lake/sentinel-2/2026/
Properties:
  Title: Sentinel-2: optical images
",
        "\
ArtifactType: DataSet
Source:
  SourceUri: s3://example-lake/sentinel-2/2026/
Properties:
  Title: 'Sentinel-2: optical images'
",
    )
    .source("YAML 1.2")
}

pub(super) fn no_break_space() -> Explanation {
    Explanation::new(
        "Text that is copied from a web page or a chat often has no-break spaces (U+00A0) or other \
         spaces that look like the one of the keyboard. As indentation, or behind the colon of a \
         key, YAML takes them for letters: the line belongs to another mapping than it seems to, or \
         is no `key: value` at all. Nothing of the document is checked or sent until they are \
         gone.\n\n\
         `lint --fix` writes spaces in their place. Inside a value they are text: see \
         `outer-blank` for those at its ends.",
    )
    .example(
        "\
ArtifactType: DataSet
Source:
\u{A0} SourceUri: s3://example-lake/churn/train.parquet
",
        "\
ArtifactType: DataSet
Source:
  SourceUri: s3://example-lake/churn/train.parquet
",
    )
    .source("YAML 1.2: indentation is made of spaces (U+0020)")
}

pub(super) fn unquoted_placeholder() -> Explanation {
    Explanation::new(
        "`{{name}}` without quotes is not a text: to YAML, a value that begins with a brace is a \
         mapping, and what follows the closing braces is a syntax error. A line that begins with \
         `{%` is none of YAML either. The file is the template of a manifest, and nobody filled \
         it in.\n\n\
         Render the template first, and check what comes out: lineload fills in nothing. A text \
         that really holds braces belongs in quotes, where `unfilled-template` has a look at it.",
    )
    .example(
        "\
ArtifactType: DataSet
Source:
  SourceUri: s3://example-lake/churn/
Properties:
  Stage: {{stage}}-{{region}}
",
        "\
ArtifactType: DataSet
Source:
  SourceUri: s3://example-lake/churn/
Properties:
  Stage: prod-eu-west-1
",
    )
    .source("YAML 1.2, flow mappings")
}

pub(super) fn not_a_manifest() -> Explanation {
    Explanation::new(
        "The document is plainly something else: a CloudFormation template, an answer of an AWS \
         API, a CSV or JSON inventory, a Docker Compose file, or the skeleton of the AWS CLI with \
         nothing filled in. As a broken manifest it would have a finding a field, so it has this \
         one, and nothing of it is sent.\n\n\
         Leave such files out with `--exclude`, or under `exclude` in `lineload.toml`. From an \
         inventory, write a manifest for each artifact; `lineload export` writes manifests of \
         artifacts that exist already.",
    )
    .example(
        "\
services:
  tracking:
    image: ghcr.io/example/tracking:2.9
volumes:
  artifacts: {}
",
        "\
ArtifactType: Image
Source:
  SourceUri: ghcr.io/example/tracking:2.9
",
    )
}

pub(super) fn nesting_depth() -> Explanation {
    Explanation::new(
        "Lists and mappings are nested deeper than lineload reads. The depth is bounded so that no \
         file can use up the memory. An artifact needs a few levels only: the deepest is a source \
         type, in `SourceTypes` in `Source`.\n\n\
         The file is damaged, or something was generated into it over and over. Nothing more of \
         its document is read, and none of its artifacts is sent; other documents are checked as \
         usual.",
    )
}

pub(super) fn document_size() -> Explanation {
    Explanation::new(
        "One document, or one artifact of a list, holds more values than are kept in memory at \
         once. An artifact with everything that the service takes has a few hundred. A list of \
         artifacts is read one by one and may have any length, at the root or under \
         `Artifacts`.\n\n\
         The file is damaged, or a list belongs elsewhere. None of the document's artifacts is \
         sent; other documents are checked as usual.",
    )
}

pub(super) fn unknown_anchor() -> Explanation {
    Explanation::new(
        "An unquoted text that begins with `*` is an alias: it repeats the value that was anchored \
         with `&` and the same name. An anchor must stand above its aliases in the same document; \
         no anchor lasts beyond a `---` line.\n\n\
         Where a text was meant, as in a glob, quote it. Otherwise correct the name, or anchor the \
         value.",
    )
    .example(
        "\
ArtifactType: DataSet
Source:
  SourceUri: s3://example-lake/churn/
Properties:
  Files: *.parquet
",
        "\
ArtifactType: DataSet
Source:
  SourceUri: s3://example-lake/churn/
Properties:
  Files: '*.parquet'
",
    )
    .source("YAML 1.2, alias nodes")
}

pub(super) fn recursive_alias() -> Explanation {
    Explanation::new(
        "An alias stands inside the very value that its anchor names, so the value would hold \
         itself without end. An alias can only repeat what is complete above it.\n\n\
         Remove the alias, or anchor another value and repeat that.",
    )
    .example(
        "\
ArtifactType: DataSet
Source:
  SourceUri: s3://example-lake/demand/2026.csv
Properties: &common
  Owner: forecasting
  <<: *common
",
        "\
ArtifactType: DataSet
Source:
  SourceUri: s3://example-lake/demand/2026.csv
Properties: &common
  Owner: forecasting
",
    )
}

pub(super) fn alias_limit() -> Explanation {
    Explanation::new(
        "Each alias stands for the whole value that its anchor names, and where that value has \
         aliases of its own they multiply: a few lines can stand for billions of values. What \
         aliases may stand for is bounded, with room to repeat a common block in every artifact of \
         a long list.\n\n\
         Write the values out, share less of them, or put what all artifacts have in common under \
         `Defaults`.",
    )
}

pub(super) fn merge_key() -> Explanation {
    Explanation::new(
        "The key `<<` takes in the entries of another mapping, or of each mapping in a list; what \
         a mapping sets itself wins. A text or a number has no entries to take in. Mostly the `*` \
         in front of the anchor's name is missing.",
    )
    .example(
        "\
- ArtifactType: DataSet
  Source: {SourceUri: s3://example-lake/demand/2025.csv}
  Properties: &common
    Owner: forecasting
- ArtifactType: DataSet
  Source: {SourceUri: s3://example-lake/demand/2026.csv}
  Properties:
    <<: common
",
        "\
- ArtifactType: DataSet
  Source: {SourceUri: s3://example-lake/demand/2025.csv}
  Properties: &common
    Owner: forecasting
- ArtifactType: DataSet
  Source: {SourceUri: s3://example-lake/demand/2026.csv}
  Properties:
    <<: *common
",
    )
    .source("the merge key of the YAML 1.1 type repository, which YAML 1.2 readers keep")
}

pub(super) fn yaml_tag() -> Explanation {
    Explanation::new(
        "A tag such as `!!int` or `!Ref` makes a reader take a value for something else. \
         Everything in a manifest is a text, a list or a mapping, and lineload calls no function \
         that a tag could name: the intrinsic functions of CloudFormation, for one, are not \
         carried out. Only `!!str`, `!!map` and `!!seq`, where they say what is there already, are \
         taken.\n\n\
         Remove the tag and write the value that is meant, in quotes if it would be a number.",
    )
    .example(
        "\
ArtifactType: DataSet
Source:
  SourceUri: s3://example-lake/churn/train.parquet
Properties:
  Rows: !!int 88120
",
        "\
ArtifactType: DataSet
Source:
  SourceUri: s3://example-lake/churn/train.parquet
Properties:
  Rows: '88120'
",
    )
}

pub(super) fn duplicate_key() -> Explanation {
    Explanation::new(
        "A mapping has the same key twice. YAML forbids it, and readers differ in what they do: \
         some keep the first value, most silently keep the last. So it is not certain what was \
         meant, and the entry is not sent.\n\n\
         Remove one of the two. A key that `<<` or `Defaults` brings besides the mapping's own is \
         no duplicate: the mapping's own wins.",
    )
    .example(
        "\
ArtifactType: DataSet
Source:
  SourceUri: s3://example-lake/churn/train.parquet
Properties:
  Owner: customer-analytics
  Format: parquet
  Owner: forecasting
",
        "\
ArtifactType: DataSet
Source:
  SourceUri: s3://example-lake/churn/train.parquet
Properties:
  Owner: customer-analytics
  Format: parquet
",
    )
    .source("YAML 1.2: the keys of a mapping are unique")
}

pub(super) fn unknown_field() -> Explanation {
    Explanation::new(format!(
        "The fields of an artifact are exactly those of `CreateArtifact`: a key is {}; under \
         `MetadataProperties` it is {}. Anything else would not reach the service, so it is \
         refused rather than dropped. What you want to note besides belongs under `Properties`, \
         where keys are free.\n\n\
         `lint --fix` writes fields as the service has them where case, hyphens and underscores \
         alone differ (`artifactName`, `source_uri`), and puts a field of `Source` or \
         `MetadataProperties` where it belongs. With `--unsafe-fixes` it also corrects an obvious \
         misspelling or another tool's word for a field (`ArtifactNmae`, `Labels`), unless the \
         right field is there too, and removes read-only fields that an answer of \
         `DescribeArtifact` has (`ArtifactArn`, `CreationTime`).",
        either(ARTIFACT_FIELDS),
        either(METADATA_FIELDS)
    ))
    .example(
        "\
ArtifactNmae: churn-model
ArtifactType: Model
Source:
  SourceUri: s3://example-lake/churn/model.tar.gz
",
        "\
ArtifactName: churn-model
ArtifactType: Model
Source:
  SourceUri: s3://example-lake/churn/model.tar.gz
",
    )
    .source(REFERENCE)
}

pub(super) fn wrong_kind() -> Explanation {
    Explanation::new(
        "`Source`, `Properties` and `MetadataProperties` are mappings; `Tags` and `SourceTypes` \
         are lists of mappings; every other field is a single text. Another kind in their place \
         could only be taken by guessing, so the entry is not sent.\n\n\
         A list or a mapping with nothing in it is left out, line and all, or written as `[]` or \
         `{}`. `lint --fix` makes a list of tags that are written as `key: value`, and a mapping \
         of a `Source` that is a single text.",
    )
    .example(
        "\
ArtifactType: DataSet
Source: s3://example-lake/churn/train.parquet
",
        "\
ArtifactType: DataSet
Source:
  SourceUri: s3://example-lake/churn/train.parquet
",
    )
    .source(REFERENCE)
}

pub(super) fn missing_field() -> Explanation {
    Explanation::new(
        "The service requires `ArtifactType`, `Source` and in it `SourceUri`; both `SourceIdType` \
         and `Value` of a source type; both `Key` and `Value` of a tag. A tag without a value is \
         written with an empty one: `Value: ''`.\n\n\
         An `ArtifactType` in `Defaults` counts for every artifact of that document. A file with \
         `Defaults` needs `Artifacts` too.",
    )
    .example(
        "\
ArtifactName: churn-model
Source:
  SourceUri: s3://example-lake/churn/model.tar.gz
",
        "\
ArtifactName: churn-model
ArtifactType: Model
Source:
  SourceUri: s3://example-lake/churn/model.tar.gz
",
    )
    .source(REFERENCE)
}

pub(super) fn not_a_string() -> Explanation {
    Explanation::new(
        "Every value in a request is a text, and an unquoted `1204331`, `true` or `~` is a number, \
         a boolean or a null in YAML. The AWS CLI rejects it too. A conversion would have to \
         guess: is `1.10` to arrive as `1.10` or as `1.1`? Some commit ids are caught too: \
         `4021337` and `12e4567` are numbers.\n\n\
         `lint --fix` puts a number or a boolean in quotes as it is written. A null is left to \
         you: write a text, `''` for an empty one, or remove the line.",
    )
    .example(
        "\
ArtifactType: DataSet
Source:
  SourceUri: s3://example-lake/churn/train.parquet
Properties:
  Rows: 1204331
",
        "\
ArtifactType: DataSet
Source:
  SourceUri: s3://example-lake/churn/train.parquet
Properties:
  Rows: '1204331'
",
    )
    .source(format!("{REFERENCE}: every value is a string; the core schema of YAML 1.2"))
}

pub(super) fn ambiguous_scalar() -> Explanation {
    Explanation::new(
        "Unquoted, `no`, `on`, `1_000`, `12:30:45` and `2026-11-01` are texts in YAML 1.2, and \
         lineload sends them as such. PyYAML and the AWS CLI follow YAML 1.1, to which they are a \
         boolean, a number or a date: the same manifest means something else there.\n\n\
         `lint --fix` puts them in quotes as they are written, which every reader takes for a \
         text.",
    )
    .example(
        "\
ArtifactType: DataSet
Source:
  SourceUri: s3://example-lake/churn/train.parquet
Properties:
  Anonymised: no
  Snapshot: 2026-11-01
",
        "\
ArtifactType: DataSet
Source:
  SourceUri: s3://example-lake/churn/train.parquet
Properties:
  Anonymised: 'no'
  Snapshot: '2026-11-01'
",
    )
    .source("the type repository of YAML 1.1; the core schema of YAML 1.2")
}
