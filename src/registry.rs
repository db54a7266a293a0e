//! The local registry: a stand-in for the lineage API of SageMaker that any AWS client can talk to.
//!
//! In: awsJson 1.1 over HTTP, on loopback unless configured otherwise. Out: the service's answers,
//! from one SQLite file, and a page for browsers that shows what is in it and what was asked. It
//! enforces the service's constraints with the service's own error shapes, loses nothing that it
//! has answered, and can misbehave on request. Of the modules above it knows `limits` alone.

mod activity;
mod admin;
mod api;
mod auth;
mod connections;
mod control;
mod faults;
mod fields;
mod guard;
mod http;
mod names;
mod operations;
mod page;
mod page_token;
mod pairs;
mod shared;
mod store;
mod validate;
mod wire;

use std::io::ErrorKind;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;

use crate::exit::Fatal;
use crate::text::shell_word;
pub use faults::{Fault, FaultKind, LAG_MAX, Misbehaviour, Quota};
pub use store::{MEMORY, OpenError, Store};

/// The header in which every answer says which registry file it comes from.
pub const REGISTRY_ID_HEADER: &str = "x-lineload-registry";

/// The options of a registry.
#[derive(Debug, Clone)]
pub struct Options {
    /// The SQLite file, or [`MEMORY`].
    pub file: PathBuf,
    /// The address to listen on.
    pub listen: IpAddr,
    /// The port; 0 for any free one.
    pub port: u16,
    /// Its misbehaviour.
    pub misbehaviour: Misbehaviour,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            file: PathBuf::new(),
            listen: Ipv4Addr::LOCALHOST.into(),
            port: 0,
            misbehaviour: Misbehaviour::default(),
        }
    }
}

/// A registry that listens.
#[derive(Debug)]
pub struct Registry {
    address: SocketAddr,
    store: Store,
    server: http::Server,
}

/// An error that keeps a registry from starting.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The file cannot be used.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The address or the port cannot be used.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// The address and the port.
        address: SocketAddr,
        /// Why.
        source: std::io::Error,
    },
}

impl Fatal for StartError {
    fn help(&self) -> Vec<String> {
        match self {
            Self::Listen { source, .. } if source.kind() == ErrorKind::AddrNotAvailable => {
                vec!["pass an address of this machine to `--listen`".to_owned()]
            }
            Self::Listen { .. } => {
                vec!["choose another `--port`, or 0 for any free one".to_owned()]
            }
            Self::Open(OpenError::NoDirectory { directory }) => vec![
                format!("create it with `mkdir -p {}`", shell_word(&directory.to_string_lossy())),
                "or use another file".to_owned(),
            ],
            Self::Open(_) => vec!["use another file".to_owned()],
        }
    }
}

impl Registry {
    /// Opens the file and listens.
    ///
    /// # Errors
    /// If the file or the port cannot be used.
    pub async fn start(options: Options) -> Result<Self, StartError> {
        let Options { file, listen, port, misbehaviour } = options;
        // Opening may wait for another process that holds the file.
        let store = tokio::task::spawn_blocking(move || Store::open(&file)).await;
        let store = store.map_err(|error| OpenError::panicked(&error))??;
        let server = http::Server::start(listen, port, store.clone(), misbehaviour).await.map_err(
            |source| StartError::Listen { address: SocketAddr::new(listen, port), source },
        )?;
        Ok(Self { address: server.address(), store, server })
    }

    /// Returns the address that it listens on.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns its URL for clients on this machine.
    #[must_use]
    pub fn endpoint(&self) -> String {
        let mut address = self.address;
        if address.ip().is_unspecified() {
            let own: IpAddr = match address.ip() {
                IpAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
                IpAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
            };
            address.set_ip(own);
        }
        format!("http://{address}")
    }

    /// Returns the random id of what it holds.
    #[must_use]
    pub fn id(&self) -> Arc<str> {
        self.store.id()
    }

    /// Answers what has been asked, and ends.
    pub async fn stop(self) {
        self.server.stop().await;
    }
}
