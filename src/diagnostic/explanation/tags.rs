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
        "An artifact has at most {TAGS_MAX} `Tags`, with those that it takes from `Defaults`. The \
         service rejects an artifact with more, so the entry is not sent.\n\n\
         Tags are for access rules and costs. What describes the artifact belongs in `Properties`, \
         of which it has up to {PROPERTIES_MAX} besides.",
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
         A longer text belongs in `Properties`, where a value takes {} characters.",
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
        "The `Key` and the `Value` of a tag are made of letters and digits of any script, spaces, \
         and `_ . : / = + - @`. The whole text must match `{}`. What is refused is mostly a comma, \
         a bracket or an ampersand.\n\n\
         Write it without them, or put it under `Properties`, which takes any character but line \
         breaks. With `--unsafe-fixes`, `lint --fix` leaves them out and writes `and` for `&`.",
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
        "Keys of tags that begin with `{RESERVED_TAG_PREFIX}`, in any case, are for AWS itself to \
         write. The service rejects them from anybody else, so the entry is not sent. Tags copied \
         from what CloudFormation or a service created often have some.\n\n\
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
        "An artifact can have a tag key once, with one value. With two it is not certain which was \
         meant, and the service rejects the request.\n\n\
         Remove one of the two. A key that `Defaults` has besides the artifact is no duplicate: \
         the artifact's own tag wins. Keys that differ in case are different keys: see `tag-case`.",
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
        "Keys of tags are case-sensitive: `Team` and `team` are two tags, which can have two \
         values. A rule or a cost report that looks at the one does not see the other.\n\n\
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
