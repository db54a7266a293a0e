//! Which local registry stands behind an endpoint.
//!
//! A URL does not identify a registry: `lineload serve` may have been restarted with another file, or
//! its registry reset. So its id does, which every answer of a registry has.

use std::fmt;
use std::time::Duration;

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_types::body::SdkBody;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;

/// The header with the id of the registry that answers.
const HEADER: &str = "x-lineload-registry";

/// The longest wait for the id: another server may never answer this question.
const PATIENCE: Duration = Duration::from_secs(2);

/// The wait before a server that does not accept connections yet is asked again.
const AGAIN: Duration = Duration::from_millis(100);

/// The most characters of an id; a registry's has 36.
const LONGEST: usize = 64;

/// Returns the id of the registry at `url`, if one answers there. A registry serves plain HTTP only, so no
/// other endpoint is asked.
pub(super) async fn registry_at(url: &str) -> Option<String> {
    let uri = url.parse::<hyper::Uri>().ok().filter(|uri| uri.scheme_str() == Some("http"))?;
    let health = hyper::Uri::builder()
        .scheme("http")
        .authority(uri.authority()?.as_str())
        .path_and_query("/_lineload/health")
        .build()
        .ok()?;
    let client = Client::builder(TokioExecutor::new()).build_http();
    let ask = async || {
        loop {
            let request = hyper::Request::get(health.clone()).body(SdkBody::empty()).ok()?;
            match client.request(request).await {
                Ok(answer) => return id(answer.headers().get(HEADER)?.to_str().ok()?),
                // It may have been started at the same time as this command.
                Err(error) if error.is_connect() => tokio::time::sleep(AGAIN).await,
                Err(_) => return None,
            }
        }
    };
    tokio::time::timeout(PATIENCE, ask()).await.ok()?
}

/// Checks that a response is from the registry that is `expected`.
///
/// # Errors
/// If it names another one. A response that names none may be a proxy's.
pub(super) fn check(response: &HttpResponse, expected: Option<&str>) -> Result<(), OtherRegistry> {
    let Some(expected) = expected else { return Ok(()) };
    match response.headers().get(HEADER).and_then(id) {
        Some(other) if other != expected => Err(OtherRegistry),
        _ => Ok(()),
    }
}

/// The value of a header if it can be an id.
fn id(value: &str) -> Option<String> {
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '-';
    let is_id = !value.is_empty() && value.len() <= LONGEST && value.chars().all(fits);
    is_id.then(|| value.to_owned())
}

/// The response is from another registry than those before it.
#[derive(Debug)]
pub(super) struct OtherRegistry;

impl fmt::Display for OtherRegistry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(crate::submission::REPLACED)
    }
}

impl std::error::Error for OtherRegistry {}
