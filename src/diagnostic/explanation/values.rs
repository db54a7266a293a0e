//! The values that the service accepts, and those that must be unique.

use super::Explanation;
use crate::model::{
    ARTIFACT_NAME, ARTIFACT_TYPE, METADATA_VALUE, PROPERTIES_MAX, PROPERTY_KEY, PROPERTY_VALUE,
    Pattern, SOURCE_ID_TYPES, SOURCE_TYPE_VALUE, SOURCE_URI, TextLimit, USUAL_ARTIFACT_TYPES,
};
use crate::text::{either, grouped};

/// Returns the explanation of a limit on length.
pub(super) fn length(limit: TextLimit) -> String {
    let TextLimit { min, max, .. } = limit;
    let bounds = match min {
        0 => format!("at most {}", grouped(max as u64)),
        min => format!("{min} to {}", grouped(max as u64)),
    };
    format!("{bounds} characters, counted as Unicode code points")
}

/// The consequence for such an entry.
pub(super) const REFUSED: &str = "The service rejects any other, so the entry is not submitted.";

pub(super) fn name_length() -> Explanation {
    Explanation::new(format!(
        "An `ArtifactName` has {}. {REFUSED}\n\n\
         The name is optional: remove the line rather than leave it empty. What does not fit into \
         a name belongs in `Properties`, where a value can have {} characters.",
        length(ARTIFACT_NAME),
        grouped(PROPERTY_VALUE.max as u64)
    ))
    .example(
        "\
ArtifactName: churn-{x * 120}
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
    .shape(ARTIFACT_NAME.shape)
}

pub(super) fn name_pattern() -> Explanation {
    Explanation::new(format!(
        "An `ArtifactName` consists of ASCII letters and digits with hyphens between them, and \
         neither begins nor ends with a hyphen. Underscores, dots, slashes, spaces and letters \
         such as `é` are refused. The whole name must match `{}`.\n\n\
         The help of the finding shows a similar name that fits. `lint --fix` writes it only with \
         `--unsafe-fixes`, since programs may know the artifact by its name, and only if no other \
         artifact has the new name or would get it too.",
        Pattern::EntityName.expression()
    ))
    .example(
        "\
ArtifactName: churn_training_set
ArtifactType: DataSet
Source:
  SourceUri: s3://example-lake/churn/train.parquet
",
        "\
ArtifactName: churn-training-set
ArtifactType: DataSet
Source:
  SourceUri: s3://example-lake/churn/train.parquet
",
    )
    .shape(ARTIFACT_NAME.shape)
}

pub(super) fn type_length() -> Explanation {
    Explanation::new(format!(
        "An `ArtifactType` has {}. {REFUSED}\n\n\
         A type says what kind of thing the artifact is, and lists are filtered by it: use a \
         short word such as {}. A description belongs in `Properties`.",
        length(ARTIFACT_TYPE),
        either(USUAL_ARTIFACT_TYPES[..3].to_vec())
    ))
    .example(
        "\
ArtifactType: Labelled images of coral reefs {x * 256}
Source:
  SourceUri: s3://example-lake/reefs/2026/
",
        "\
ArtifactType: DataSet
Source:
  SourceUri: s3://example-lake/reefs/2026/
Properties:
  Title: Labelled images of coral reefs
",
    )
    .shape(ARTIFACT_TYPE.shape)
}

pub(super) fn uri_length() -> Explanation {
    Explanation::new(format!(
        "A `SourceUri` has {}. {REFUSED} An empty one names nothing.\n\n\
         The longest URIs are presigned URLs, whose query is also a credential, and `data:` URIs. \
         Write the plain location of the object instead.",
        length(SOURCE_URI)
    ))
    .example(
        "\
ArtifactType: DataSet
Source:
  SourceUri: s3://example-lake/churn/{x * 2048}.parquet
",
        "\
ArtifactType: DataSet
Source:
  SourceUri: s3://example-lake/churn/train.parquet
",
    )
    .shape(SOURCE_URI.shape)
}

pub(super) fn source_id_type() -> Explanation {
    Explanation::new(format!(
        "`SourceIdType` says what the `Value` beside it is, and must be {}, in exactly this case. \
         A SHA-256 digest, a commit id and anything else that identifies a version is \
         `Custom`.\n\n\
         `lint --fix` corrects the case, and writes `MD5Hash` for `md5` and `md5sum` and `S3ETag` \
         for `etag`. With `--unsafe-fixes` it also corrects what is a letter or two off, and \
         writes `S3Version` for `version`.",
        either(SOURCE_ID_TYPES)
    ))
    .example(
        "\
ArtifactType: DataSet
Source:
  SourceUri: s3://example-lake/churn/train.parquet
  SourceTypes:
  - SourceIdType: md5
    Value: 9b2cf535f27731c974343645a3985328
",
        "\
ArtifactType: DataSet
Source:
  SourceUri: s3://example-lake/churn/train.parquet
  SourceTypes:
  - SourceIdType: MD5Hash
    Value: 9b2cf535f27731c974343645a3985328
",
    )
    .shape("ArtifactSourceIdType")
}

pub(super) fn source_value_length() -> Explanation {
    Explanation::new(format!(
        "The `Value` of a source type has {}. {REFUSED}\n\n\
         It distinguishes versions of one source, for which a digest or a version id is enough. \
         In place of a longer text, write its digest.",
        length(SOURCE_TYPE_VALUE)
    ))
    .example(
        "\
ArtifactType: DataSet
Source:
  SourceUri: s3://example-lake/churn/train.parquet
  SourceTypes:
  - SourceIdType: Custom
    Value: schema-{x * 256}
",
        "\
ArtifactType: DataSet
Source:
  SourceUri: s3://example-lake/churn/train.parquet
  SourceTypes:
  - SourceIdType: Custom
    Value: schema-2026-11
",
    )
    .shape(SOURCE_TYPE_VALUE.shape)
}

pub(super) fn property_count() -> Explanation {
    Explanation::new(format!(
        "An artifact has at most {PROPERTIES_MAX} `Properties`, including those from `Defaults` \
         or `<<`. The service rejects an artifact with more, so the entry is not submitted.\n\n\
         Combine what belongs together in one value, or keep it in a file and write its URI. If \
         only the merge with `Defaults` makes too many, the finding is at the artifact and names \
         the defaults.",
    ))
    .example(
        "\
ArtifactType: DataSet
Source:
  SourceUri: s3://example-lake/station-7/2026-10/
Properties: {
  d01: full, d02: full, d03: full, d04: full, d05: full, d06: full, d07: full, d08: full,
  d09: full, d10: full, d11: full, d12: full, d13: full, d14: full, d15: full, d16: full,
  d17: full, d18: full, d19: full, d20: full, d21: full, d22: full, d23: full, d24: full,
  d25: full, d26: full, d27: full, d28: full, d29: half, d30: full, d31: full}
",
        "\
ArtifactType: DataSet
Source:
  SourceUri: s3://example-lake/station-7/2026-10/
Properties:
  FullDays: 1 to 28, 30, 31
  HalfDays: '29'
",
    )
    .shape("ArtifactProperties")
}

pub(super) fn property_key_length() -> Explanation {
    Explanation::new(format!(
        "A key of `Properties` has {}. {REFUSED}\n\n\
         A key of that length is usually text that belongs in the value, under a short key.",
        length(PROPERTY_KEY)
    ))
    .example(
        "\
ArtifactType: DataSet
Source:
  SourceUri: s3://example-lake/churn/train.parquet
Properties:
  select * from customers where {x * 2500}: query
",
        "\
ArtifactType: DataSet
Source:
  SourceUri: s3://example-lake/churn/train.parquet
Properties:
  Query: select * from customers where churned
",
    )
    .shape(PROPERTY_KEY.shape)
}

pub(super) fn property_value_length() -> Explanation {
    Explanation::new(format!(
        "A value of `Properties` has {}. {REFUSED}\n\n\
         Shorten it, or keep the whole text in a file and write its URI. Split over several keys, \
         it would use up the {PROPERTIES_MAX} properties that an artifact can have.",
        length(PROPERTY_VALUE)
    ))
    .example(
        "\
ArtifactType: Model
Source:
  SourceUri: s3://example-lake/churn/model.tar.gz
Properties:
  ModelCard: Predicts churn from {x * 4096}
",
        "\
ArtifactType: Model
Source:
  SourceUri: s3://example-lake/churn/model.tar.gz
Properties:
  ModelCard: s3://example-lake/churn/model-card.md
",
    )
    .shape(PROPERTY_VALUE.shape)
}

pub(super) fn metadata_length() -> Explanation {
    Explanation::new(format!(
        "A value of `MetadataProperties` has {}. {REFUSED}\n\n\
         These fields say where an artifact comes from: a commit, a repository, a program, a \
         project. What needs more room belongs in `Properties`, where a value can have {} \
         characters.",
        length(METADATA_VALUE),
        grouped(PROPERTY_VALUE.max as u64)
    ))
    .example(
        "\
ArtifactType: Model
Source:
  SourceUri: s3://example-lake/churn/model.tar.gz
MetadataProperties:
  GeneratedBy: train.py --features {x * 1024}
",
        "\
ArtifactType: Model
Source:
  SourceUri: s3://example-lake/churn/model.tar.gz
MetadataProperties:
  GeneratedBy: train.py --features features.txt
",
    )
    .shape(METADATA_VALUE.shape)
}

pub(super) fn line_break() -> Explanation {
    Explanation::new(format!(
        "`SourceUri`, keys and values of `Properties` and values of `MetadataProperties` must \
         match `{}` as a whole. The service's patterns are Java's, in which the dot does not \
         match `\\n`, `\\r`, U+0085, U+2028 and U+2029, so a value with a line break does not \
         match. A block that begins with `|` or `>` ends with one.\n\n\
         This is inferred, not confirmed on a live account, so it can be changed: `line-break = \
         \"warn\"` under `[rules]` in `lineload.toml` lets such entries be submitted.\n\n\
         If the only line break is the last one, `lint --fix` leaves it out: `|` becomes `|-`. \
         With `--unsafe-fixes` it joins several lines with spaces, as `>-` does.",
        Pattern::SingleLine.expression()
    ))
    .example(
        "\
ArtifactType: DataSet
Source:
  SourceUri: s3://example-lake/churn/train.parquet
Properties:
  Licence: |
    CC-BY-4.0
",
        "\
ArtifactType: DataSet
Source:
  SourceUri: s3://example-lake/churn/train.parquet
Properties:
  Licence: |-
    CC-BY-4.0
",
    )
    .shape(PROPERTY_VALUE.shape)
}

pub(super) fn duplicate_name() -> Explanation {
    Explanation::new(
        "The API reference says that the name of an artifact is unique in an account and Region. \
         Of two entries with one name the service would take whichever arrives first, so neither \
         is submitted, whichever files they are in. The finding is at each later entry and points \
         to the first. Give each its own name, or none: the name is optional.\n\n\
         In practice the service has accepted several artifacts of one name: AWS's own libraries \
         create them. If you rely on that, set `duplicate-name = \"warn\"` or `\"off\"` under \
         `[rules]`, or write `# lineload: allow duplicate-name` at the name. Both entries are \
         then submitted.",
    )
    .example(
        "\
- ArtifactName: demand
  ArtifactType: DataSet
  Source: {SourceUri: s3://example-lake/demand/2025.csv}
- ArtifactName: demand
  ArtifactType: DataSet
  Source: {SourceUri: s3://example-lake/demand/2026.csv}
",
        "\
- ArtifactName: demand-2025
  ArtifactType: DataSet
  Source: {SourceUri: s3://example-lake/demand/2025.csv}
- ArtifactName: demand-2026
  ArtifactType: DataSet
  Source: {SourceUri: s3://example-lake/demand/2026.csv}
",
    )
    .source("`CreateArtifact` in the Amazon SageMaker API reference, on `ArtifactName`")
}

pub(super) fn duplicate_source() -> Explanation {
    Explanation::new(
        "The service keeps one artifact for each source, and refuses a second one. A source is \
         the `SourceUri` together with the set of `SourceTypes`, in any order. Of two such \
         entries neither is submitted, whichever files they are in.\n\n\
         The finding is at each later entry and points to the first. Remove one, or give two \
         versions at one URI different `SourceTypes`.",
    )
    .example(
        "\
- ArtifactType: DataSet
  Source: {SourceUri: s3://example-lake/labels.jsonl}
- ArtifactType: DataSet
  Source: {SourceUri: s3://example-lake/labels.jsonl}
",
        "\
- ArtifactType: DataSet
  Source:
    SourceUri: s3://example-lake/labels.jsonl
    SourceTypes: [{SourceIdType: S3Version, Value: 3sL4kqtJlcpXroDTDmJ.rmSpXd3dIbrH}]
- ArtifactType: DataSet
  Source:
    SourceUri: s3://example-lake/labels.jsonl
    SourceTypes: [{SourceIdType: S3Version, Value: QUpfdndhfd8438MNFDN93jdnJFkdmqnh}]
",
    )
    .source(
        "lineage tracking entities in the Amazon SageMaker developer guide, of the `SourceUri`; \
         that `SourceTypes` count too is read from the artifacts that AWS's own libraries create",
    )
}
