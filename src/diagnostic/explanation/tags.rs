//! `Tags`.

use super::Explanation;
use super::values::{REFUSED, length};
use crate::model::{
    PROPERTIES_MAX, PROPERTY_VALUE, Pattern, RESERVED_TAG_PREFIX, TAG_KEY, TAG_VALUE, TAGS_MAX,
};
use crate::text::grouped;

const TAGGING: &str = "the AWS guide to tagging, tag naming limits and requirements";

pub(super) fn tag_count() -> Explanation {
    Explanation::new(format!(
        "An artifact has at most {TAGS_MAX} `Tags`, including those from `Defaults`. The service \
         rejects an artifact with more, so the entry is not submitted.\n\n\
         Tags are for access rules and costs. What describes the artifact belongs in \
         `Properties`, of which it can have up to {PROPERTIES_MAX} besides.",
    ))
    .shape("TagList")
}

pub(super) fn tag_key_length() -> Explanation {
    Explanation::new(format!("The `Key` of a tag has {}. {REFUSED}", length(TAG_KEY)))
        .example(
            "\
ArtifactType: Image
Source:
  SourceUri: 123456789012.dkr.ecr.eu-west-1.amazonaws.com/churn:2026-11
Tags:
- Key: ''
  Value: customer-analytics
",
            "\
ArtifactType: Image
Source:
  SourceUri: 123456789012.dkr.ecr.eu-west-1.amazonaws.com/churn:2026-11
Tags:
- Key: team
  Value: customer-analytics
",
        )
        .shape(TAG_KEY.shape)
}

pub(super) fn tag_value_length() -> Explanation {
    Explanation::new(format!(
        "The `Value` of a tag has {}. {REFUSED}\n\n\
         Longer text belongs in `Properties`, where a value can have {} characters.",
        length(TAG_VALUE),
        grouped(PROPERTY_VALUE.max as u64)
    ))
    .example(
        "\
ArtifactType: Model
Source:
  SourceUri: s3://example-lake/churn/model.tar.gz
Tags:
- Key: purpose
  Value: predicts churn from {x * 256}
",
        "\
ArtifactType: Model
Source:
  SourceUri: s3://example-lake/churn/model.tar.gz
Tags:
- Key: purpose
  Value: churn
",
    )
    .shape(TAG_VALUE.shape)
}

pub(super) fn tag_pattern() -> Explanation {
    Explanation::new(format!(
        "The `Key` and the `Value` of a tag consist of letters and digits of any script, spaces, \
         and `_ . : / = + - @`. The whole text must match `{}`. The usual offender is a comma, a \
         bracket or an ampersand.\n\n\
         Leave it out, or move the text to `Properties`, which takes any character but line \
         breaks. With `--unsafe-fixes`, `lint --fix` removes such characters and writes `and` for \
         `&`.",
        Pattern::TagText.expression()
    ))
    .example(
        "\
ArtifactType: DataSet
Source:
  SourceUri: s3://example-lake/churn/train.parquet
Tags:
- Key: team
  Value: Research & Development
",
        "\
ArtifactType: DataSet
Source:
  SourceUri: s3://example-lake/churn/train.parquet
Tags:
- Key: team
  Value: Research and Development
",
    )
    .shape(TAG_KEY.shape)
}

pub(super) fn tag_reserved() -> Explanation {
    Explanation::new(format!(
        "Tag keys that begin with `{RESERVED_TAG_PREFIX}`, in any case, can only be written by \
         AWS itself. The service rejects them from anybody else, so the entry is not submitted. \
         Tags copied from resources that CloudFormation or a service created often have some.\n\n\
         Remove the tag, or choose another prefix.",
    ))
    .example(
        "\
ArtifactType: Model
Source:
  SourceUri: s3://example-lake/churn/model.tar.gz
Tags:
- Key: aws:cloudformation:stack-name
  Value: churn
",
        "\
ArtifactType: Model
Source:
  SourceUri: s3://example-lake/churn/model.tar.gz
Tags:
- Key: stack-name
  Value: churn
",
    )
    .source(TAGGING)
}

pub(super) fn duplicate_tag() -> Explanation {
    Explanation::new(
        "An artifact can have a tag key only once, with one value. With two, what was meant is \
         unknown, and the service rejects the request.\n\n\
         Remove one of the two. A key that is in `Defaults` too is not a duplicate: the \
         artifact's own tag wins. Keys that differ in case are different keys: see `tag-case`.",
    )
    .example(
        "\
ArtifactType: Model
Source:
  SourceUri: s3://example-lake/churn/model.tar.gz
Tags:
- Key: team
  Value: customer-analytics
- Key: team
  Value: forecasting
",
        "\
ArtifactType: Model
Source:
  SourceUri: s3://example-lake/churn/model.tar.gz
Tags:
- Key: team
  Value: customer-analytics
",
    )
    .source(TAGGING)
}

pub(super) fn tag_case() -> Explanation {
    Explanation::new(
        "Tag keys are case-sensitive: `Team` and `team` are two tags, which can have two values. \
         A rule or a cost report that looks at one does not see the other.\n\n\
         Keep one of the two, the one that your other resources have.",
    )
    .example(
        "\
ArtifactType: Model
Source:
  SourceUri: s3://example-lake/churn/model.tar.gz
Tags:
- {Key: Team, Value: forecasting}
- {Key: team, Value: forecasting}
",
        "\
ArtifactType: Model
Source:
  SourceUri: s3://example-lake/churn/model.tar.gz
Tags:
- {Key: team, Value: forecasting}
",
    )
    .source(TAGGING)
}
