//! HTTP: the listener, its connections and their limits, and what is served where.

use std::convert::Infallible;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::{HeaderValue, Response};
use axum::routing::{get, post};
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

use super::activity::Activity;
use super::control::Control;
use super::faults::Misbehaviour;
use super::guard::Guard;
use super::store::Store;
use super::{admin, api, page};

/// The largest body: an artifact with everything in it, in four-byte characters, has 1 MB.
pub(super) const BODY_BYTES: usize = 4 << 20;
/// What a client may send before its headers end, to within one read of as much again. Those of an
/// AWS client have 2 KB.
const HEAD_BYTES: usize = 64 << 10;
/// Connections at a time; more wait.
const CONNECTIONS: usize = 2_000;
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
pub(super) struct CutOff;

/// What every request has to do with.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) store: Store,
    pub(super) control: Control,
    pub(super) activity: Activity,
    pub(super) guard: Guard,
}

impl Server {
    pub(super) async fn start(
        listen: IpAddr,
        port: u16,
        store: Store,
        misbehaviour: Misbehaviour,
    ) -> io::Result<Self> {
        let listener = TcpListener::bind((listen, port)).await?;
        let address = listener.local_addr()?;
        let id = HeaderValue::from_str(store.id()).unwrap_or(HeaderValue::from_static(""));
        let shared = Arc::new(Shared {
            store,
            control: Control::new(misbehaviour),
            activity: Activity::new(Instant::now()),
            guard: Guard { open: !listen.is_loopback() },
        });
        let router = Router::new()
            .route("/", post(api::answer).get(page::home))
            .route("/_lineload/artifact", get(page::artifact))
            .route("/_lineload/activity", get(admin::activity))
            .route("/_lineload/misbehaviour", get(admin::misbehaviour).put(admin::misbehave))
            .layer(axum::middleware::map_response(move |mut response: Response<Body>| {
                response.headers_mut().insert(super::REGISTRY_ID_HEADER, id.clone());
                std::future::ready(response)
            }))
            .with_state(shared);
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
            accepted = listener.accept(), if connections.len() < CONNECTIONS => match accepted {
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
        .max_buf_size(HEAD_BYTES)
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = std::pin::pin!(connection);
    // A connection that breaks concerns its client alone.
    tokio::select! {
        _ = connection.as_mut() => return,
        _ = stopped.changed() => connection.as_mut().graceful_shutdown(),
    }
    let _ = connection.await;
}

/// Why a body was not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BodyError {
    TooSlow,
    TooLarge,
}

/// The whole body, within the limits.
pub(super) async fn read(body: Body) -> Result<Bytes, BodyError> {
    let read = tokio::time::timeout(PATIENCE, axum::body::to_bytes(body, BODY_BYTES));
    match read.await {
        Err(_) => Err(BodyError::TooSlow),
        Ok(Err(_)) => Err(BodyError::TooLarge),
        Ok(Ok(body)) => Ok(body),
    }
}
