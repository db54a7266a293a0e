//! YAML, and the shape of an artifact.

use super::Explanation;
use crate::model::{ARTIFACT, METADATA};
use crate::text::either;

const REFERENCE: &str = "`CreateArtifact` in the Amazon SageMaker API reference";

pub(super) fn syntax() -> Explanation {
    Explanation::new(
        "The file is not valid YAML. From the fault to the end of its document nothing can be \
         read reliably, so no artifact of the document is submitted. Other documents of the file, \
         after the next `---`, are checked and submitted as usual.\n\n\
         The usual causes are a colon followed by a space in an unquoted value, a quote or \
         bracket that is never closed, a tab in the indentation, an unquoted value that begins \
         with `@` or `%`, and a backslash in double quotes. Single quotes around the value fix \
         most of them: inside, only the single quote itself is special, and is written twice.",
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
        "Text copied from a web page or a chat often has no-break spaces (U+00A0), or other \
         characters that look like a space. As indentation, or after the colon of a key, YAML \
         reads them as letters: the line belongs to another mapping than it seems to, or is not a \
         `key: value` at all. Nothing of the document is checked or submitted until they are \
         gone.\n\n\
         `lint --fix` replaces them with spaces. Inside a value they are text; at its ends \
         `outer-blank` finds them.",
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
        "`{{name}}` without quotes is not a string. YAML reads a value that begins with a brace \
         as a mapping, and what follows the closing braces is a syntax error. A line that begins \
         with `{%` is not YAML either. The file is the template of a manifest that was not \
         rendered.\n\n\
         Render the template first, and check the result: lineload fills in nothing. If the \
         braces are meant, put the value in quotes; `unfilled-template` then checks it.",
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
         nothing filled in. As a broken manifest it would have a finding for each field, so it \
         has only this one, and nothing of it is submitted.\n\n\
         Leave such files out with `--exclude`, or with `exclude` in `lineload.toml`. \
         `lineload generate` makes manifests from an inventory or a CloudFormation template, and \
         `lineload export` from artifacts that already exist.",
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
        "Lists and mappings are nested deeper than lineload reads. The depth is limited so that \
         no file can use up the memory. An artifact needs only a few levels: the deepest is a \
         source type, in `SourceTypes` in `Source`.\n\n\
         The file is damaged, or something was generated into it repeatedly. The rest of its \
         document is not read, and none of its artifacts is submitted; other documents are \
         checked as usual.",
    )
}

pub(super) fn document_size() -> Explanation {
    Explanation::new(
        "One document, or one artifact of a list, holds more values than are kept in memory at \
         once. An artifact with everything that the service accepts has a few hundred. A list of \
         artifacts, at the root or under `Artifacts`, is read one by one and may have any \
         length.\n\n\
         The file is damaged, or a list is in the wrong place. None of the document's artifacts \
         is submitted; other documents are checked as usual.",
    )
}

pub(super) fn unknown_anchor() -> Explanation {
    Explanation::new(
        "An unquoted value that begins with `*` is an alias: it repeats the value that has the \
         anchor `&` of the same name. The anchor must come before its aliases in the same \
         document; it does not reach beyond a `---` line.\n\n\
         If text was meant, as in a glob, quote it. Otherwise correct the name, or anchor the \
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
        "An alias is inside the value that its anchor names, so the value would contain itself \
         without end. An alias can only repeat a value that is complete before it.\n\n\
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
        "Each alias stands for the whole value that its anchor names. If that value has aliases \
         of its own, they multiply: a few lines can stand for billions of values. What aliases \
         may expand to is limited, with enough room to repeat a common block in every artifact of \
         a long list.\n\n\
         Write the values out, share less of them, or put what all artifacts have in common into \
         `Defaults`.",
    )
}

pub(super) fn merge_key() -> Explanation {
    Explanation::new(
        "The key `<<` merges the entries of another mapping, or of each mapping in a list; a \
         mapping's own values win. A string or a number has no entries to merge. Usually the `*` \
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
        "A tag such as `!!int` or `!Ref` changes how a value is read. Everything in a manifest is \
         a string, a list or a mapping, and lineload calls no function that a tag could name: the \
         intrinsic functions of CloudFormation, for example, are not evaluated. Only `!!str`, \
         `!!map` and `!!seq` are accepted, where they say what the value already is.\n\n\
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
        "A mapping has the same key twice. YAML forbids it, and readers differ: some keep the \
         first value, most silently keep the last. What was meant is unknown, so the entry is not \
         submitted.\n\n\
         Remove one of the two. A key that the mapping sets itself and also gets through `<<` or \
         `Defaults` is not a duplicate: the mapping's own wins.",
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
         refused rather than dropped. Further information belongs under `Properties`, where keys \
         are free.\n\n\
         `lint --fix` corrects fields that differ only in case, hyphens or underscores \
         (`artifactName`, `source_uri`), and moves a field of `Source` or `MetadataProperties` to \
         where it belongs. With `--unsafe-fixes` it also corrects an obvious misspelling or \
         another tool's word for a field (`ArtifactNmae`, `Labels`), unless the right field is \
         there too, and removes read-only fields from an answer of `DescribeArtifact` \
         (`ArtifactArn`, `CreationTime`).",
        either(ARTIFACT.names()),
        either(METADATA.names())
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
         are lists of mappings; every other field is a single string. Anything else could only be \
         read by guessing, so the entry is not submitted.\n\n\
         If a list or mapping is empty, remove its line, or write `[]` or `{}`. `lint --fix` \
         turns tags that are written as `key: value` into a list, and a `Source` that is a single \
         string into a mapping.",
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
        "The service requires `ArtifactType`, `Source` and its `SourceUri`; both `SourceIdType` \
         and `Value` of a source type; both `Key` and `Value` of a tag. A tag without a value has \
         an empty one: `Value: ''`.\n\n\
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
        "Every value in a request is a string, but in YAML an unquoted `1204331`, `true` or `~` \
         is a number, a boolean or a null. The AWS CLI rejects it too. A conversion would be a \
         guess: should `1.10` arrive as `1.10` or as `1.1`? Some commit ids are affected too: \
         `4021337` and `12e4567` are numbers.\n\n\
         `lint --fix` puts quotes around a number or a boolean as it is written. A null is left \
         to you: write a string, `''` for an empty one, or remove the line.",
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
        "Unquoted, `no`, `on`, `1_000`, `12:30:45` and `2026-11-01` are strings in YAML 1.2, and \
         lineload submits them as such. PyYAML and the AWS CLI follow YAML 1.1, in which they are \
         booleans, numbers or dates: the same manifest means something else there.\n\n\
         `lint --fix` puts quotes around them, so that every reader sees a string.",
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
