//! The real SDK client against a scripted HTTP server on loopback.

mod answers;
mod arns;
mod fields;
mod scripted;
mod tls;

use std::collections::BTreeMap;
use std::time::Duration;

use super::{SageMaker, local};
use crate::artifact::{Artifact, Source, Texts};
use crate::service::Service as _;
use crate::submission::Refusal;

/// Longer than any test takes, so that none of them depends on time.
const LONG: Duration = Duration::from_secs(60);

const ARN: &str =
    "arn:aws:sagemaker:eu-west-1:123456789012:artifact/0123456789abcdef0123456789abcdef";

/// Returns a target at `url` with placeholder credentials.
fn at(url: &str) -> SageMaker {
    local(url, LONG)
}

fn artifact() -> Artifact {
    Artifact {
        name: Some("a".to_owned()),
        artifact_type: "DataSet".to_owned(),
        source: Source { uri: "s3://bucket/1".to_owned(), types: Vec::new() },
        properties: BTreeMap::new(),
        texts: Texts::default(),
        tags: Vec::new(),
    }
}

/// Returns the refusal of a create.
async fn refused(service: &SageMaker) -> Refusal {
    service.create(&artifact()).await.expect_err("no success")
}
