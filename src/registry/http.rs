//! HTTP on loopback.

use std::convert::Infallible;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Request as HttpRequest, State};
use axum::http::{HeaderValue, Response, StatusCode, header};
use axum::routing::post;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

use super::auth;
use super::faults::{FaultKind, Misbehaviour, TokenBucket};
use super::operations::Request;
use super::store::Store;
use super::wire::ApiError;

/// The largest body: an artifact with everything in it, in four-byte characters, has 1 MB.
const BODY_BYTES: usize = 4 << 20;
/// How long a client may take for its headers, and for its body.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long answers may still take when the server is to stop.
const DRAIN: Duration = Duration::from_secs(2);

/// The server of a registry.
#[derive(Debug)]
pub(super) struct Server {
    address: SocketAddr,
    stop: watch::Sender<bool>,
    running: JoinHandle<()>,
}

/// Marks an answer that is not to be sent: the connection closes instead.
#[derive(Debug, Clone, Copy)]
struct CutOff;

struct Shared {
    store: Store,
    misbehaviour: Misbehaviour,
    buckets: Vec<(String, TokenBucket)>,
}

impl Server {
    pub(super) async fn start(
        port: u16,
        store: Store,
        misbehaviour: Misbehaviour,
    ) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
        let address = listener.local_addr()?;
        let buckets = misbehaviour
            .tps
            .iter()
            .map(|quota| (quota.operation.clone(), TokenBucket::new(quota.per_second)))
            .collect();
        let shared = Arc::new(Shared { store, misbehaviour, buckets });
        let router = Router::new().route("/", post(answer)).with_state(shared);
        let (stop, stopped) = watch::channel(false);
        let running = tokio::spawn(accept(listener, router, stopped));
        Ok(Self { address, stop, running })
    }

    pub(super) const fn address(&self) -> SocketAddr {
        self.address
    }

    pub(super) async fn stop(self) {
        // Nobody listens any more where it has ended by itself.
        let _ = self.stop.send(true);
        let _ = self.running.await;
    }
}

async fn accept(listener: TcpListener, router: Router, stopped: watch::Receiver<bool>) {
    let mut stop = stopped.clone();
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            _ = stop.changed() => break,
            Some(_) = connections.join_next(), if !connections.is_empty() => {}
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    connections.spawn(serve(stream, router.clone(), stopped.clone()));
                }
                // Out of file descriptors, mostly: those that are open must end first.
                Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
            },
        }
    }
    let drained = async { while connections.join_next().await.is_some() {} };
    // What is left then is a fault that hangs, or a client that does not read.
    let _ = tokio::time::timeout(DRAIN, drained).await;
}

async fn serve(stream: TcpStream, router: Router, mut stopped: watch::Receiver<bool>) {
    let _ = stream.set_nodelay(true);
    let router = TowerToHyperService::new(router);
    let service = hyper::service::service_fn(move |request| {
        let answer = hyper::service::Service::call(&router, request);
        async move {
            let answer: Response<Body> =
                answer.await.unwrap_or_else(|never: Infallible| match never {});
            if answer.extensions().get::<CutOff>().is_some() {
                return Err(io::Error::from(io::ErrorKind::ConnectionAborted));
            }
            Ok(answer)
        }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(PATIENCE)
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = std::pin::pin!(connection);
    // A connection that breaks concerns its client alone.
    tokio::select! {
        _ = connection.as_mut() => return,
        _ = stopped.changed() => connection.as_mut().graceful_shutdown(),
    }
    let _ = connection.await;
}

async fn answer(State(shared): State<Arc<Shared>>, request: HttpRequest) -> Response<Body> {
    let result = shared.handle(request).await;
    let mut response = match result {
        Ok(Outcome::Answer(body)) => response(StatusCode::OK, body),
        Ok(Outcome::CutOff) => {
            let mut response = response(StatusCode::OK, Vec::new());
            response.extensions_mut().insert(CutOff);
            response
        }
        Err(error) => {
            let status = StatusCode::from_u16(error.status);
            let status = status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            response(status, error.body().to_string().into_bytes())
        }
    };
    let id = HeaderValue::from_str(shared.store.id());
    response
        .headers_mut()
        .insert(super::REGISTRY_ID_HEADER, id.unwrap_or(HeaderValue::from_static("")));
    response
}

fn response(status: StatusCode, body: Vec<u8>) -> Response<Body> {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/x-amz-json-1.1"));
    let request_id = uuid::Uuid::new_v4().to_string();
    if let Ok(request_id) = HeaderValue::from_str(&request_id) {
        headers.insert("x-amzn-requestid", request_id);
    }
    response
}

enum Outcome {
    Answer(Vec<u8>),
    CutOff,
}

impl Shared {
    async fn handle(&self, request: HttpRequest) -> Result<Outcome, ApiError> {
        let (head, body) = request.into_parts();
        let body = read(body).await?;
        tokio::time::sleep(self.misbehaviour.latency).await;
        let caller = auth::caller(&head.headers)?;
        let target = head.headers.get("x-amz-target").and_then(|target| target.to_str().ok());
        let request = Request::read(target, &body)?;
        let fault = self.fault();
        match fault {
            Some(FaultKind::DropBeforeCommit) => return Ok(Outcome::CutOff),
            Some(FaultKind::Error500) if coin() => return Err(error_500()),
            Some(FaultKind::Hang) if coin() => std::future::pending().await,
            _ => {}
        }
        let bucket = self.buckets.iter().find(|(name, _)| *name == request.operation);
        if bucket.is_some_and(|(_, bucket)| !bucket.take(Instant::now())) {
            return Err(ApiError::throttled());
        }
        let answer =
            request.run(&self.store, &caller.region, self.misbehaviour.max_artifacts).await?;
        match fault {
            Some(FaultKind::DropAfterCommit) => Ok(Outcome::CutOff),
            Some(FaultKind::Error500) => Err(error_500()),
            Some(FaultKind::Hang) => std::future::pending().await,
            Some(FaultKind::Garbage) => Ok(Outcome::Answer(b"<html>It works!</html>".to_vec())),
            _ => Ok(Outcome::Answer(answer.to_string().into_bytes())),
        }
    }

    /// What goes wrong this time.
    fn fault(&self) -> Option<FaultKind> {
        let faults = &self.misbehaviour.faults;
        faults.iter().find(|fault| fastrand::f64() < fault.probability).map(|fault| fault.kind)
    }
}

fn coin() -> bool {
    fastrand::bool()
}

fn error_500() -> ApiError {
    ApiError::new(500, "InternalFailure", "The request processing has failed")
}

async fn read(body: Body) -> Result<Bytes, ApiError> {
    let read = tokio::time::timeout(PATIENCE, axum::body::to_bytes(body, BODY_BYTES));
    match read.await {
        Err(_) => Err(ApiError::new(408, "RequestTimeout", "The body took too long")),
        Ok(Err(_)) => {
            let message = format!("The body is larger than {BODY_BYTES} bytes");
            Err(ApiError::new(413, "RequestEntityTooLargeException", message))
        }
        Ok(Ok(body)) => Ok(body),
    }
}
