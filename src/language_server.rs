//! The language server: what `lint` finds, in editors, by the Language Server Protocol.
//!
//! In: messages of a client, and the manifests below its workspace folders. Out: messages. The
//! checks are those of [`crate::check`]: a tree is checked once, in the background, for its names
//! and sources, and then each open file as it is edited. It is offline, as `lint` is, and writes no
//! file: the editor applies the edits.
//!
//! One thread reads messages, one handles them, and one for each scan of a tree. Messages that have
//! arrived are taken together, so that cancelled requests are not answered, and several edits of a
//! file are checked once. A check that takes long is given up when the next edit arrives, and begun
//! again after a pause in typing.

mod actions;
mod capabilities;
mod client;
mod completion;
mod context;
mod describe;
mod document;
mod findings;
mod hover;
mod position;
mod server;
mod spot;
mod symbols;
mod transport;
mod uri;
mod workspace;

use std::io::{self, BufReader, Read, Write};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, mpsc};
use std::thread;

use server::{Event, Server};
use transport::Incomings;

use crate::source::Pattern;

/// The settings of a language server.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// The files and directories with manifests, relative to each workspace folder.
    pub paths: Vec<PathBuf>,
    /// The patterns to exclude.
    pub exclude: Vec<Pattern>,
    /// The patterns to include from directories besides `*.yaml` and `*.yml`.
    pub include: Vec<Pattern>,
    /// True if symlinks that lead out of the given directories are followed.
    pub follow_links: bool,
    /// The configuration to use instead of the one that is found.
    pub config: Option<PathBuf>,
    /// True if configurations and comments that allow findings are ignored.
    pub isolated: bool,
}

/// The end of a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// The client has asked to shut down first.
    Orderly,
    /// The client ended without it.
    Abrupt,
}

/// Serves one client until it ends the session or closes `input`.
///
/// # Errors
/// If `output` cannot be written to.
pub fn run(
    options: Options,
    input: impl Read + Send + 'static,
    output: impl Write,
) -> io::Result<End> {
    let (events, received) = mpsc::channel();
    let messages = events.clone();
    let changes = Arc::new(AtomicU64::new(0));
    let counter = Arc::clone(&changes);
    thread::Builder::new().name("messages".to_owned()).spawn(move || {
        let mut incomings = Incomings::new(BufReader::new(input));
        // What cannot be read any more has ended, for whatever reason.
        while let Ok(Some(incoming)) = incomings.read() {
            let is_change = incoming.is("textDocument/didChange");
            if messages.send(Event::Incoming(incoming)).is_err() {
                return;
            }
            if is_change {
                counter.fetch_add(1, Ordering::Release);
            }
        }
        let _ = messages.send(Event::End);
    })?;
    Server::new(Arc::new(options), output, events, changes).run(&received)
}
