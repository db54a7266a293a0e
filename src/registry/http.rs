//! HTTP: the listener, its connections and their limits, and what is served where.

use std::convert::Infallible;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::{HeaderValue, Method, Request, Response};
use axum::routing::{get, post};
use hyper::body::{Body as _, Incoming};
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

use super::activity::Activity;
use super::connections::{Connection, Connections};
use super::control::Control;
use super::faults::Misbehaviour;
use super::guard::Guard;
use super::shared::{BODY_BYTES, BodyError, Shared};
use super::store::Store;
use super::{admin, api, page};

/// The most that a client may send before its headers end, to within one read more. Those of an
/// AWS client have 2 KB.
const HEAD_BYTES: usize = 64 << 10;
/// The longest time that a client may take for its headers, and for its body.
const PATIENCE: Duration = Duration::from_secs(30);
/// The wait after a connection could not be accepted.
const RETRY: Duration = Duration::from_millis(10);
/// The longest time that answers may still take when the server is to stop.
const DRAIN: Duration = Duration::from_secs(2);

/// The server of a registry.
#[derive(Debug)]
pub(super) struct Server {
    address: SocketAddr,
    stop: watch::Sender<bool>,
    running: JoinHandle<()>,
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
        let shared = Arc::new(Shared {
            store,
            control: Control::new(misbehaviour),
            activity: Activity::new(Instant::now()),
            guard: Guard { open: !listen.is_loopback() },
        });
        // Calls of the API, `POST /`, do not come here.
        let router = Router::new()
            .route("/", get(page::home))
            .route("/_lineload/artifact", get(page::artifact))
            .route("/_lineload/activity", get(admin::activity))
            .route("/_lineload/health", get(admin::health))
            .route("/_lineload/misbehaviour", get(admin::misbehaviour).put(admin::misbehave))
            .route("/_lineload/reset", post(admin::reset))
            .with_state(Arc::clone(&shared));
        let site = Site { shared, router };
        let (stop, stopped) = watch::channel(false);
        let running = tokio::spawn(accept(listener, site, stopped));
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

/// The routes of the server.
#[derive(Debug, Clone)]
struct Site {
    shared: Arc<Shared>,
    router: Router,
}

impl Site {
    /// Answers a request; an error closes the connection instead.
    async fn answer(
        self,
        request: Request<Incoming>,
        connection: Arc<Connection>,
    ) -> io::Result<Response<Body>> {
        let (head, body) = request.into_parts();
        let body = read(body).await;
        let cut_off = || io::Error::from(io::ErrorKind::ConnectionAborted);
        if !connection.begin() {
            return Err(cut_off());
        }
        let answer = if head.method == Method::POST && head.uri.path() == "/" {
            api::answer(&self.shared, &head, body).await
        } else {
            match body {
                Ok(body) => {
                    let request = Request::from_parts(head, Body::from(body));
                    let router = TowerToHyperService::new(self.router);
                    let answer = hyper::service::Service::call(&router, request).await;
                    Some(answer.unwrap_or_else(|never: Infallible| match never {}))
                }
                Err(error) => Some(admin::unread(error)),
            }
        };
        connection.end();
        let mut answer = answer.ok_or_else(cut_off)?;
        if let Ok(id) = HeaderValue::from_str(&self.shared.store.id()) {
            answer.headers_mut().insert(super::REGISTRY_ID_HEADER, id);
        }
        Ok(answer)
    }
}

async fn accept(listener: TcpListener, site: Site, stopped: watch::Receiver<bool>) {
    let mut stop = stopped.clone();
    let mut tasks = JoinSet::new();
    let mut connections = Connections::new();
    loop {
        let room = connections.make_room();
        tokio::select! {
            _ = stop.changed() => break,
            Some(ended) = tasks.join_next_with_id(), if !tasks.is_empty() => {
                connections.remove(ended.map_or_else(|error| error.id(), |(id, ())| id));
            }
            accepted = listener.accept(), if room => match accepted {
                Ok((stream, _)) => {
                    let connection = connections.connection();
                    let (site, stop) = (site.clone(), stopped.clone());
                    let task = tasks.spawn(serve(stream, site, Arc::clone(&connection), stop));
                    connections.add(connection, task);
                }
                // Out of file descriptors, mostly.
                Err(_) => {
                    connections.close_one();
                    tokio::time::sleep(RETRY).await;
                }
            },
            // All are busy: one that is answered can give way.
            () = tokio::time::sleep(RETRY), if !room => {}
        }
    }
    let drained = async { while tasks.join_next().await.is_some() {} };
    // What is left then is a fault that hangs, or a client that does not read.
    let _ = tokio::time::timeout(DRAIN, drained).await;
}

async fn serve(
    stream: TcpStream,
    site: Site,
    state: Arc<Connection>,
    mut stopped: watch::Receiver<bool>,
) {
    let _ = stream.set_nodelay(true);
    let service =
        hyper::service::service_fn(move |request| site.clone().answer(request, Arc::clone(&state)));
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

/// Reads the whole body, within the limits.
async fn read(body: Incoming) -> Result<Bytes, BodyError> {
    tokio::time::timeout(PATIENCE, collect(body)).await.unwrap_or(Err(BodyError::TooSlow))
}

async fn collect(mut body: Incoming) -> Result<Bytes, BodyError> {
    let mut read = Bytes::new();
    let mut more: Vec<u8> = Vec::new();
    while let Some(frame) = std::future::poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await {
        // A client that goes away midway gets no answer, whichever it is.
        let Ok(data) = frame.map_err(|_| BodyError::TooSlow)?.into_data() else { continue };
        if read.len().max(more.len()) + data.len() > BODY_BYTES {
            return Err(BodyError::TooLarge);
        }
        // Most bodies come in one piece, which is not copied.
        if read.is_empty() && more.is_empty() {
            read = data;
        } else {
            if more.is_empty() {
                more.extend_from_slice(&read);
            }
            more.extend_from_slice(&data);
        }
    }
    Ok(if more.is_empty() { read } else { more.into() })
}
