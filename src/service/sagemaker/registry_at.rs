//! The identity of the local registry behind an endpoint.
//!
//! A URL does not identify a registry: `lineload serve` may have been restarted with another file, or
//! its registry reset. So its id does, which every answer of a registry has. It is asked for before the
//! first request, so that nothing is sent to a registry that the journal knows by another identity.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::body::SdkBody;
use hyper::Uri;
use hyper_util::client::legacy::{Client, Error};
use hyper_util::rt::TokioExecutor;
use tokio::time::{Instant, sleep, timeout};

/// The header with the id of the registry that answers. The registry has a constant of its own: the two
/// sides share no code, so that a mistake of one is seen.
const HEADER: &str = "x-lineload-registry";

/// The longest wait for the id: another server may never answer this question.
const PATIENCE: Duration = Duration::from_secs(2);

/// The wait before a server that does not accept connections yet is asked again.
const AGAIN: Duration = Duration::from_millis(100);

/// The most characters of an id; a registry's has 36.
const LONGEST: usize = 64;

/// The server at an endpoint.
#[derive(Debug)]
pub(super) enum Server {
    /// The registry with this id.
    Registry(String),
    /// Another one, or none that says so in time.
    Other,
    /// None accepts a connection.
    Unreachable(Error),
}

/// Finds out which server is at `url`. A registry serves plain HTTP only, so no other endpoint is asked. One
/// that does not accept connections is asked for two seconds: it may have been started at the same time
/// as this command.
pub(super) async fn server_at(url: &str) -> Server {
    let Some(health) = health(url) else { return Server::Other };
    let until = Instant::now() + PATIENCE;
    loop {
        match ask(&health).await {
            Server::Unreachable(_) if Instant::now() < until => sleep(AGAIN).await,
            server => return server,
        }
    }
}

/// Returns the URI that a registry tells its id at.
fn health(url: &str) -> Option<Uri> {
    let uri = url.parse::<Uri>().ok().filter(|uri| uri.scheme_str() == Some("http"))?;
    let health = Uri::builder().scheme("http").authority(uri.authority()?.as_str());
    health.path_and_query("/_lineload/health").build().ok()
}

async fn ask(health: &Uri) -> Server {
    let Ok(request) = hyper::Request::get(health.clone()).body(SdkBody::empty()) else {
        return Server::Other;
    };
    let client = Client::builder(TokioExecutor::new()).build_http();
    match timeout(PATIENCE, client.request(request)).await {
        Ok(Ok(answer)) => {
            let value = answer.headers().get(HEADER).and_then(|value| value.to_str().ok());
            value.and_then(id).map_or(Server::Other, Server::Registry)
        }
        Ok(Err(error)) if error.is_connect() => Server::Unreachable(error),
        Ok(Err(_)) | Err(_) => Server::Other,
    }
}

/// The registry that a target is known to be, or not.
#[derive(Debug, Clone)]
pub(super) enum Expected {
    /// The one with this id.
    Id(Arc<str>),
    /// None, unless the server that was unreachable turns out to be one.
    None(Arc<Unreachable>),
}

/// A server that accepted no connection when the target was identified.
#[derive(Debug)]
pub(super) struct Unreachable {
    health: Uri,
    /// True once it has answered, and is no registry.
    is_other: AtomicBool,
}

impl Expected {
    /// Returns what to expect of the server at `url`, which was unreachable.
    pub(super) fn none(url: &str) -> Option<Self> {
        let health = health(url)?;
        Some(Self::None(Arc::new(Unreachable { health, is_other: AtomicBool::new(false) })))
    }

    /// Checks, before a request leaves, that it goes to the server that is expected.
    ///
    /// # Errors
    /// If a registry has appeared, or the server is still unreachable. Then nothing was submitted.
    pub(super) async fn before(&self) -> Result<(), ConnectorError> {
        let Self::None(server) = self else { return Ok(()) };
        if server.is_other.load(Ordering::Relaxed) {
            return Ok(());
        }
        match ask(&server.health).await {
            Server::Registry(_) => Err(ConnectorError::user(Box::new(OtherRegistry))),
            Server::Unreachable(error) => Err(ConnectorError::io(Box::new(error))),
            Server::Other => {
                server.is_other.store(true, Ordering::Relaxed);
                Ok(())
            }
        }
    }

    /// Checks that a response is from the registry that is expected.
    ///
    /// # Errors
    /// If it names another one. A response that names none may be a proxy's.
    pub(super) fn after(&self, response: &HttpResponse) -> Result<(), ConnectorError> {
        let Self::Id(expected) = self else { return Ok(()) };
        match response.headers().get(HEADER).and_then(id) {
            Some(other) if other != **expected => {
                Err(ConnectorError::user(Box::new(OtherRegistry)))
            }
            _ => Ok(()),
        }
    }
}

/// The value of a header if it can be an id.
fn id(value: &str) -> Option<String> {
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '-';
    let is_id = !value.is_empty() && value.len() <= LONGEST && value.chars().all(fits);
    is_id.then(|| value.to_owned())
}

/// Another registry responds than the target was identified by.
#[derive(Debug)]
pub(super) struct OtherRegistry;

impl fmt::Display for OtherRegistry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(crate::submission::REPLACED)
    }
}

impl std::error::Error for OtherRegistry {}
