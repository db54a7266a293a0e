//! The HTTP client under the SDK: its trust store, its proxy, and its limit of response sizes.
//!
//! In: requests of the SDK. Out: responses of a bounded length. Failures of requests that were
//! handed to HTTP are marked; one without the mark was never sent.

use std::error::Error;
use std::fmt;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use super::registry_at::Expected;
use aws_smithy_http_client::{Builder, Connector, proxy, tls};
use aws_smithy_runtime_api::client::connector_metadata::ConnectorMetadata;
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
    SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use hyper::body::{Body, Bytes, Frame, SizeHint};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;

/// The maximum size of a response, in bytes. A page of a hundred artifacts has at most some hundred
/// thousand.
pub(super) const ANSWER_MAX: u64 = 8 * 1024 * 1024;

/// The way that requests go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Route {
    /// Straight to the target. A proxy would look for a loopback address on its own machine.
    Direct,
    /// Through the proxies of HTTPS_PROXY and related variables.
    Environment,
}

/// The authorities whose certificates are trusted.
#[derive(Clone, Default)]
pub(super) enum Trust {
    /// Those that the system trusts.
    #[default]
    System,
    /// Those of a bundle, PEM.
    Bundle(Arc<[u8]>),
    /// None, for a target without TLS: the system's need not exist, and are not read.
    Nobody,
}

/// The reason why a bundle of certificates cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("cannot read the certificates in `{}`, set by {source_name}: {reason}", file.display())]
pub struct BadBundle {
    source_name: &'static str,
    file: PathBuf,
    reason: String,
}

impl Trust {
    /// Reads a bundle of certificates, PEM. As with OpenSSL, an invalid certificate is ignored if
    /// another one is valid.
    ///
    /// # Errors
    /// If there is no certificate that could be trusted.
    pub(super) fn read(file: &Path, source_name: &'static str) -> Result<Self, BadBundle> {
        let bad = |reason: String| BadBundle { source_name, file: file.to_owned(), reason };
        let text = std::fs::read(file).map_err(|error| bad(crate::text::reason(&error)))?;
        let mut good = Vec::new();
        let mut roots = rustls::RootCertStore::empty();
        let mut reason = None;
        for block in blocks(&text) {
            match CertificateDer::from_pem_slice(block) {
                Ok(certificate) => match roots.add(certificate) {
                    Ok(()) => {
                        good.extend_from_slice(block);
                        good.push(b'\n');
                    }
                    Err(error) => reason = Some(error.to_string()),
                },
                Err(error) => reason = Some(error.to_string()),
            }
        }
        if good.is_empty() {
            let none = || "it contains no PEM certificate (`-----BEGIN CERTIFICATE-----`)";
            return Err(bad(reason.unwrap_or_else(|| none().to_owned())));
        }
        Ok(Self::Bundle(good.into()))
    }

    fn store(&self) -> tls::TrustStore {
        match self {
            Self::System => tls::TrustStore::default(),
            // As with the AWS CLI, a bundle replaces the system's authorities.
            Self::Bundle(bundle) => tls::TrustStore::empty().with_pem_certificate(bundle.to_vec()),
            Self::Nobody => tls::TrustStore::empty(),
        }
    }
}

impl fmt::Debug for Trust {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::System => "Trust(system)",
            Self::Bundle(_) => "Trust(bundle)",
            Self::Nobody => "Trust(nobody)",
        })
    }
}

/// Returns the certificates in a PEM file, each with its first and last line.
fn blocks(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    const BEGIN: &[u8] = b"-----BEGIN CERTIFICATE-----";
    const END: &[u8] = b"-----END CERTIFICATE-----";
    let mut rest = text;
    std::iter::from_fn(move || {
        let start = memchr::memmem::find(rest, BEGIN)?;
        let end = start + memchr::memmem::find(&rest[start..], END)? + END.len();
        let block = &rest[start..end];
        rest = &rest[end..];
        Some(block)
    })
}

/// Returns an HTTP client with this `route` and `trust` that reads at most [`ANSWER_MAX`]. If the
/// target is a `registry`, it takes no response of another one.
pub(super) fn client(route: Route, trust: &Trust, registry: Option<Expected>) -> SharedHttpClient {
    let trust = trust.clone();
    let inner = Builder::new().build_with_connector_fn(move |settings, components| {
        let proxies = match route {
            Route::Direct => proxy::ProxyConfig::disabled(),
            Route::Environment => proxy::ProxyConfig::from_env(),
        };
        let mut connector = Connector::builder().proxy_config(proxies);
        connector.set_connector_settings(settings.cloned());
        connector.set_sleep_impl(components.and_then(RuntimeComponents::sleep_impl));
        let crypto = tls::rustls_provider::CryptoMode::AwsLc;
        let connector = connector.tls_provider(tls::Provider::Rustls(crypto));
        match tls::TlsContext::builder().with_trust_store(trust.store()).build() {
            Ok(context) => connector.tls_context(context).build(),
            // It cannot fail at present, and the system's trust store is the default.
            Err(_) => connector.build(),
        }
    });
    SharedHttpClient::new(Bounded { inner, registry })
}

/// Marks a failure as that of a request that was handed to HTTP.
#[derive(Debug)]
pub(super) struct HandedOver(ConnectorError);

impl fmt::Display for HandedOver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Error for HandedOver {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.0.source()
    }
}

/// A response has more than [`ANSWER_MAX`] bytes.
#[derive(Debug)]
pub(super) struct TooLong;

impl fmt::Display for TooLong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the response is larger than {} MiB", ANSWER_MAX / (1024 * 1024))
    }
}

impl Error for TooLong {}

/// A client, and its connector, that bounds responses and marks failures.
#[derive(Debug)]
struct Bounded<T> {
    inner: T,
    registry: Option<Expected>,
}

impl HttpClient for Bounded<SharedHttpClient> {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        let inner = self.inner.http_connector(settings, components);
        SharedHttpConnector::new(Bounded { inner, registry: self.registry.clone() })
    }

    fn connector_metadata(&self) -> Option<ConnectorMetadata> {
        self.inner.connector_metadata()
    }
}

impl HttpConnector for Bounded<SharedHttpConnector> {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let (inner, registry) = (self.inner.clone(), self.registry.clone());
        HttpConnectorFuture::new(async move {
            if let Some(expected) = &registry {
                expected.before().await.map_err(handed_over)?;
            }
            let answer = inner.call(request).await.map_err(handed_over)?;
            if let Some(expected) = &registry {
                expected.after(&answer).map_err(handed_over)?;
            }
            let length = answer.headers().get("content-length");
            let length = length.and_then(|length| length.parse::<u64>().ok());
            // HTTP itself ends a response after its declared length.
            Ok(match length {
                Some(length) if length <= ANSWER_MAX => answer,
                _ => answer.map(|body| {
                    let left = if length.is_some() { 0 } else { ANSWER_MAX };
                    SdkBody::from_body_1_x(Limited { body, left })
                }),
            })
        })
    }
}

/// Marks a connector's failure, and leaves its kind as it is.
fn handed_over(error: ConnectorError) -> ConnectorError {
    let (io, timeout, user) = (error.is_io(), error.is_timeout(), error.is_user());
    let kind = error.as_other();
    let marked = Box::new(HandedOver(error));
    if io {
        ConnectorError::io(marked)
    } else if timeout {
        ConnectorError::timeout(marked)
    } else if user {
        ConnectorError::user(marked)
    } else {
        ConnectorError::other(marked, kind)
    }
}

/// A body that fails once it exceeds its limit.
struct Limited {
    body: SdkBody,
    left: u64,
}

impl Body for Limited {
    type Data = Bytes;
    type Error = Box<dyn Error + Send + Sync>;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(context));
        if let Some(Ok(frame)) = &frame
            && let Some(data) = frame.data_ref()
        {
            match self.left.checked_sub(data.len() as u64) {
                Some(left) => self.left = left,
                None => return Poll::Ready(Some(Err(Box::new(TooLong)))),
            }
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        Body::is_end_stream(&self.body)
    }

    fn size_hint(&self) -> SizeHint {
        Body::size_hint(&self.body)
    }
}
