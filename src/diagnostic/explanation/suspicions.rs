//! Values that the service accepts, but that are probably mistakes.

use super::Explanation;
use crate::model::{BUCKET_NAME_LENGTH, USUAL_ARTIFACT_TYPES};
use crate::text::either;

pub(super) fn credential() -> Explanation {
    Explanation::new(
        "A value has the form of a known key or token (of AWS, Azure, Google, GitHub, GitLab, \
         Slack, Hugging Face, Databricks and others, a private key, a JSON web or bearer token, a \
         presigned URL, the URL of a webhook, a password in a URL), or is under a key such as \
         `password` or `api-key`. Everybody who may list or describe artifacts, or read the \
         manifest, could read it. It is redacted wherever lineload shows text.\n\n\
         Remove it, and revoke it if it is real: it stays in the history of every repository that \
         it was committed to. Write where it is kept instead, for example an ARN of Secrets \
         Manager. An ARN, a URL without a password and a `{{resolve:…}}` reference are not \
         reported under such a key.\n\n\
         If it is not a credential, `# lineload: allow credential` on the line says so.",
    )
    .example(
        "\
ArtifactType: DataSet
Source:
  SourceUri: s3://example-lake/churn/train.parquet
Properties:
  ReadWith: AKIAIOSFODNN7EXAMPLE
",
        "\
ArtifactType: DataSet
Source:
  SourceUri: s3://example-lake/churn/train.parquet
Properties:
  ReadWith: arn:aws:secretsmanager:eu-west-1:123456789012:secret:lake-reader
",
    )
}

pub(super) fn invisible_character() -> Explanation {
    Explanation::new(
        "A value or a key has a character that cannot be seen: one without width, one that \
         changes the direction of text, a byte order mark inside the text, or a control \
         character. Such characters come along when text is copied from a web page or a chat. The \
         value looks right but equals nothing that anybody types; characters that change the \
         direction can even make it look like another one.\n\n\
         Remove the character; the finding has its number. Joiners between letters that are not \
         ASCII, which some scripts and emoji need, are not reported.",
    )
    .example(
        "\
ArtifactType: DataSet
Source:
  SourceUri: \"s3://example-lake/churn/\\u200Btrain.parquet\"
",
        "\
ArtifactType: DataSet
Source:
  SourceUri: s3://example-lake/churn/train.parquet
",
    )
    .source("Unicode, format and control characters")
}

pub(super) fn outer_blank() -> Explanation {
    Explanation::new(
        "A quoted value or a block begins or ends with a space or a tab, or any value with a \
         no-break space. The service keeps it, so the value differs from the one without it, and \
         nobody can see why.\n\n\
         Remove the space. `lint --fix` does so only with `--unsafe-fixes`, since a space in \
         quotes may be meant.",
    )
    .example(
        "\
ArtifactType: DataSet
Source:
  SourceUri: s3://example-lake/churn/train.parquet
Properties:
  Owner: 'customer-analytics '
",
        "\
ArtifactType: DataSet
Source:
  SourceUri: s3://example-lake/churn/train.parquet
Properties:
  Owner: 'customer-analytics'
",
    )
}

pub(super) fn unfilled_template() -> Explanation {
    Explanation::new(
        "A value contains `${NAME}`, `{{ name }}`, or, outside the values of properties and tags, \
         `<name>`: the placeholder of a template that was not filled in, or only in part. \
         lineload fills in nothing, and the service would keep the text as it is, so that the \
         source could not be found.\n\n\
         Render the template first, and check the result. References of the form `{{resolve:…}}` \
         are not reported.",
    )
    .example(
        "\
ArtifactType: DataSet
Source:
  SourceUri: s3://${BUCKET}/churn/train.parquet
",
        "\
ArtifactType: DataSet
Source:
  SourceUri: s3://example-lake/churn/train.parquet
",
    )
}

pub(super) fn type_empty() -> Explanation {
    Explanation::new(format!(
        "`ArtifactType` is required, and the service accepts an empty one. But lists of artifacts \
         are filtered by type, and this one has none to be found by.\n\n\
         Write {}, or whatever else it is.",
        either(USUAL_ARTIFACT_TYPES[..3].to_vec())
    ))
    .example(
        "\
ArtifactType: ''
Source:
  SourceUri: s3://example-lake/churn/train.parquet
",
        "\
ArtifactType: DataSet
Source:
  SourceUri: s3://example-lake/churn/train.parquet
",
    )
    .source("`CreateArtifact` in the Amazon SageMaker API reference, on `ArtifactType`")
}

pub(super) fn type_case() -> Explanation {
    Explanation::new(format!(
        "The service accepts any type, and types that differ in case are different types: a list \
         filtered by one need not show the other. AWS's own tools write {}.\n\n\
         Write the usual form. `lint --fix` does so only with `--unsafe-fixes`, since artifacts \
         of yours may already have the other form, and the type of an artifact cannot be changed \
         once it is created.",
        either(USUAL_ARTIFACT_TYPES)
    ))
    .example(
        "\
ArtifactType: Dataset
Source:
  SourceUri: s3://example-lake/churn/train.parquet
",
        "\
ArtifactType: DataSet
Source:
  SourceUri: s3://example-lake/churn/train.parquet
",
    )
    .source("`LineageSourceEnum` of the SageMaker Python SDK")
}

pub(super) fn uri_scheme() -> Explanation {
    Explanation::new(
        "A path without a scheme does not say where to look: `churn/train.parquet` may be a key \
         of a bucket or a file of one machine. A scheme that is misspelt (`htp://`), in upper \
         case (`S3://`) or Hadoop's (`s3a://`) is one that other tools do not find. Lineage is \
         found by comparing URIs, so the artifact would not be connected with the jobs that read \
         or wrote the same data.\n\n\
         Write the whole URI. A `SourceUri` need not be one: ARNs, `runs:/…`, names and ids \
         without a slash, and references to container images such as `ghcr.io/acme/churn:2026-11` \
         are not reported. For paths of another system, `# lineload: allow uri-scheme` on the \
         line keeps them as they are.",
    )
    .example(
        "\
ArtifactType: DataSet
Source:
  SourceUri: example-lake/churn/train.parquet
",
        "\
ArtifactType: DataSet
Source:
  SourceUri: s3://example-lake/churn/train.parquet
",
    )
    .source("RFC 3986, section 3.1")
}

pub(super) fn uri_blank() -> Explanation {
    Explanation::new(
        "A URI has no spaces. Programs that split a line into words cut it there, and others \
         write `%20`, so that the same source gets two URIs and its lineage falls into two parts. \
         Often the space is a typing error.\n\n\
         Remove it, or write `%20` in an HTTP URL. The key of an S3 object may have spaces, and \
         tools take an `s3://` URI without decoding it: a single space between two words of a key \
         is not reported, one beside a slash is. If the object has that name, `# lineload: allow \
         uri-blank` on the line keeps it.",
    )
    .example(
        "\
ArtifactType: DataSet
Source:
  SourceUri: s3://example-lake/churn/ train.parquet
",
        "\
ArtifactType: DataSet
Source:
  SourceUri: s3://example-lake/churn/train.parquet
",
    )
    .source("RFC 3986, section 2")
}

pub(super) fn bucket_name() -> Explanation {
    Explanation::new(format!(
        "The name of an S3 bucket has {} to {} characters: lower-case letters, digits, hyphens \
         and dots. It begins and ends with a letter or digit, has no two dots in a row, does not \
         look like an IPv4 address and does not begin with `xn--`. A bucket with any other name \
         cannot be created, so the URI cannot be right. The ARN of a bucket is not its name, and \
         `s3:` without `//` names no bucket at all.\n\n\
         There are two exceptions: access points, whose ARN is not reported, and buckets that \
         were created in us-east-1 before March 2018. For one of those, `# lineload: allow \
         bucket-name` on the line says that it exists.",
        BUCKET_NAME_LENGTH.start(),
        BUCKET_NAME_LENGTH.end()
    ))
    .example(
        "\
ArtifactType: DataSet
Source:
  SourceUri: s3://Example_Lake/churn/train.parquet
",
        "\
ArtifactType: DataSet
Source:
  SourceUri: s3://example-lake/churn/train.parquet
",
    )
    .source("the Amazon S3 user guide, naming rules of general purpose buckets")
}

pub(super) fn source_value_format() -> Explanation {
    Explanation::new(
        "An `MD5Hash` is 32 hexadecimal digits. An `S3ETag` is the same, followed by `-` and the \
         number of parts if the object was uploaded in parts. The service accepts any value, but \
         whoever compares it with the object's own will not find them equal.\n\n\
         The header `Content-MD5` and many tools give MD5 as base64, 24 characters that end with \
         `==`: decode them and write the digits. A SHA-256 digest has 64 digits and is `Custom`.",
    )
    .example(
        "\
ArtifactType: DataSet
Source:
  SourceUri: s3://example-lake/churn/train.parquet
  SourceTypes:
  - SourceIdType: MD5Hash
    Value: CY9rzUYh03PK3k6DJie09g==
",
        "\
ArtifactType: DataSet
Source:
  SourceUri: s3://example-lake/churn/train.parquet
  SourceTypes:
  - SourceIdType: MD5Hash
    Value: 098f6bcd4621d373cade4e832627b4f6
",
    )
    .source("RFC 1321; entity tags in the Amazon S3 API reference, `Object`")
}

pub(super) fn duplicate_source_type() -> Explanation {
    Explanation::new(
        "The same `SourceIdType` with the same `Value` is in `SourceTypes` twice. A source is \
         identified by the set of them, to which a repetition adds nothing; usually one of the \
         two was meant to be another.\n\n\
         Remove one of the two, or correct it. `lint --fix` removes it with `--unsafe-fixes`.",
    )
    .example(
        "\
ArtifactType: DataSet
Source:
  SourceUri: s3://example-lake/churn/train.parquet
  SourceTypes:
  - {SourceIdType: S3ETag, Value: 9b2cf535f27731c974343645a3985328}
  - {SourceIdType: S3ETag, Value: 9b2cf535f27731c974343645a3985328}
",
        "\
ArtifactType: DataSet
Source:
  SourceUri: s3://example-lake/churn/train.parquet
  SourceTypes:
  - {SourceIdType: S3ETag, Value: 9b2cf535f27731c974343645a3985328}
",
    )
}

pub(super) fn unused_allow() -> Explanation {
    Explanation::new(
        "`# lineload: allow CODE` at the end of a line covers that line; alone on a line, it \
         covers the next line that is neither empty nor a comment. Here it has no effect: the \
         rule finds no fault there, no rule has the name, or the rule cannot be changed. Left in \
         place, it would hide a later fault, or let people believe that one is allowed.\n\n\
         Remove it, move it to the line of the finding, or correct the name. Several names are \
         separated by commas, and a reason may follow them.",
    )
    .example(
        "\
ArtifactType: DataSet
Source:
  SourceUri: s3://example-lake/churn/train.parquet # lineload: allow uri-scheme
",
        "\
ArtifactType: DataSet
Source:
  SourceUri: warehouse/churn # lineload: allow uri-scheme (a table)
",
    )
}
