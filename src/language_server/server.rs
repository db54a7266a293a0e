//! The session with a client: its state, and the order in which messages and checks take their turns.

mod notifications;
mod requests;

use std::collections::{BTreeMap, BTreeSet, HashSet, VecDeque};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::time::Instant;

use gen_lsp_types::{Diagnostic as Shown, PublishDiagnosticsParams, Uri};
use lsp_server::{ErrorCode, Message, Notification, Request, RequestId, Response};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::client::Client;
use super::document::Document;
use super::findings::Shower;
use super::transport::{self, Incoming};
use super::uri;
use super::workspace::Workspace;
use super::{End, Options};
use crate::source::FileId;
use crate::text::{escaped, redacted};

/// Something that happens to a session.
pub(super) enum Event {
    /// The client has sent something.
    Incoming(Incoming),
    /// A folder has been read.
    Scanned(Box<Workspace>),
    /// The client has closed its end.
    End,
}

/// A session.
pub(super) struct Server<W> {
    options: Arc<Options>,
    out: W,
    events: Sender<Event>,
    /// The number of changes of documents that have arrived, handled or not.
    changes: Arc<AtomicU64>,
    client: Option<Client>,
    shut_down: bool,
    workspaces: Vec<Workspace>,
    /// The roots of the folders that are read now, and whether they have to be read again.
    scanning: BTreeMap<PathBuf, bool>,
    documents: BTreeMap<String, Document>,
    /// The configurations that have findings shown.
    faulty: HashSet<PathBuf>,
}

/// The result of a request.
type Answer = Result<Value, (ErrorCode, String)>;

impl<W: Write> Server<W> {
    /// Returns a session that has not begun. `changes` counts the changes of documents as they
    /// arrive.
    pub(super) fn new(
        options: Arc<Options>,
        out: W,
        events: Sender<Event>,
        changes: Arc<AtomicU64>,
    ) -> Self {
        Self {
            options,
            out,
            events,
            changes,
            client: None,
            shut_down: false,
            workspaces: Vec::new(),
            scanning: BTreeMap::new(),
            documents: BTreeMap::new(),
            faulty: HashSet::new(),
        }
    }

    /// Handles events until the session ends.
    pub(super) fn run(mut self, events: &Receiver<Event>) -> io::Result<End> {
        let mut queue = VecDeque::new();
        loop {
            if let Some(event) = self.wait(events) {
                queue.push_back(event);
            }
            // What is counted has arrived, so that a check is given up only for what is not handled.
            let handled = self.changes.load(Ordering::Acquire);
            queue.extend(events.try_iter());
            let cancelled = cancelled(&queue);
            for event in queue.drain(..) {
                match event {
                    Event::End => return Ok(End::Abrupt),
                    Event::Scanned(workspace) => self.scanned(*workspace)?,
                    Event::Incoming(Incoming::Malformed(why)) => self.malformed(&why)?,
                    Event::Incoming(Incoming::Message(Message::Request(request))) => {
                        self.request(request, &cancelled)?;
                    }
                    Event::Incoming(Incoming::Message(Message::Notification(one))) => {
                        if one.method == "exit" {
                            let end = if self.shut_down { End::Orderly } else { End::Abrupt };
                            return Ok(end);
                        }
                        self.notification(one)?;
                    }
                    // Registrations are the only requests of this side.
                    Event::Incoming(Incoming::Message(Message::Response(_))) => {}
                }
            }
            let now = Instant::now();
            let due =
                self.documents.iter().filter(|(_, one)| one.due().is_some_and(|due| due <= now));
            let due = due.min_by_key(|(_, one)| one.due()).map(|(key, _)| key.clone());
            if let Some(key) = due {
                let changes = Arc::clone(&self.changes);
                self.check(&key, &|| changes.load(Ordering::Acquire) != handled)?;
            }
        }
    }

    /// Waits for an event, at most until a document is to be checked.
    fn wait(&self, events: &Receiver<Event>) -> Option<Event> {
        match self.documents.values().filter_map(Document::due).min() {
            None => Some(events.recv().unwrap_or(Event::End)),
            Some(due) => match events.recv_timeout(due.saturating_duration_since(Instant::now())) {
                Ok(event) => Some(event),
                Err(RecvTimeoutError::Timeout) => None,
                Err(RecvTimeoutError::Disconnected) => Some(Event::End),
            },
        }
    }

    fn send(&mut self, message: impl Into<Message>) -> io::Result<()> {
        transport::write(&mut self.out, &message.into())
    }

    fn notify(&mut self, method: &str, params: Value) -> io::Result<()> {
        self.send(Notification { method: method.to_owned(), params })
    }

    /// Reports what is no message. It has no id to answer to.
    fn malformed(&mut self, why: &str) -> io::Result<()> {
        tracing::warn!("malformed message: {why}");
        let error = json!({ "code": ErrorCode::ParseError as i32, "message": why });
        transport::write(&mut self.out, &json!({ "id": null, "error": error }))
    }

    fn request(&mut self, request: Request, cancelled: &HashSet<RequestId>) -> io::Result<()> {
        let Request { id, method, params } = request;
        let answer = if cancelled.contains(&id) {
            Err((ErrorCode::RequestCanceled, "cancelled".to_owned()))
        } else if self.shut_down {
            Err((ErrorCode::InvalidRequest, "the server is shutting down".to_owned()))
        } else if method == "initialize" {
            if self.client.is_some() {
                Err((ErrorCode::InvalidRequest, "the server is initialized already".to_owned()))
            } else {
                parse(params).and_then(|params| self.initialize(&params))
            }
        } else if let Some(client) = self.client {
            self.answer(&method, params, client)?
        } else {
            Err((ErrorCode::ServerNotInitialized, "`initialize` comes first".to_owned()))
        };
        self.send(match answer {
            Ok(result) => Response { id, response_result: Ok(result) },
            Err((code, message)) => Response::new_err(id, code as i32, message),
        })
    }

    /// Returns the innermost folder that has the file at `path` as a manifest.
    fn workspace_of(&self, path: &Path) -> Option<usize> {
        let folders = self.workspaces.iter().enumerate().filter(|(_, one)| one.takes(path));
        folders.max_by_key(|(_, one)| one.root.components().count()).map(|(at, _)| at)
    }

    /// Checks an open document and shows its findings, unless `stop` returns true before.
    fn check(&mut self, key: &str, stop: &(dyn Fn() -> bool + Sync)) -> io::Result<()> {
        let Some(client) = self.client else { return Ok(()) };
        let Some(document) = self.documents.get_mut(key) else { return Ok(()) };
        let begun = Instant::now();
        let (path, text) = (document.path.clone(), Arc::clone(&document.text));
        let Some(at) = self.workspace_of(&path) else {
            self.done(key, begun);
            return Ok(());
        };
        let Some((checked, shared)) = self.workspaces[at].check(&path, text.text(), stop) else {
            // It is checked with the changes that have arrived meanwhile.
            return Ok(());
        };
        let workspace = &self.workspaces[at];
        let mut shower = Shower::new(&checked.source, &client, Some(workspace));
        let shown = checked.findings.iter().map(|finding| shower.shown(finding)).collect();
        let Some(document) = self.documents.get_mut(key) else { return Ok(()) };
        // A document that is checked because of another one has nothing new for the others.
        let is_new = document.checked.as_ref().is_none_or(|old| old.source.text() != text.text());
        document.checked = Some(checked);
        let (uri, version) = (document.uri.clone(), document.version);
        self.done(key, begun);
        if is_new {
            self.check_again(at, &shared);
        }
        self.publish(uri, Some(version), shown)
    }

    fn done(&mut self, key: &str, begun: Instant) {
        if let Some(document) = self.documents.get_mut(key) {
            document.changed = None;
            document.took = begun.elapsed();
        }
    }

    /// Marks the open documents among the files of a folder as to be checked again, because of another
    /// one. Those have not changed themselves, so that ends with them.
    fn check_again(&mut self, workspace: usize, files: &BTreeSet<FileId>) {
        let Some(workspace) = self.workspaces.get(workspace) else { return };
        for document in self.documents.values_mut() {
            if workspace.id_of(&document.path).is_some_and(|id| files.contains(&id)) {
                document.affected();
            }
        }
    }

    fn publish(
        &mut self,
        uri: Uri,
        version: Option<i32>,
        diagnostics: Vec<Shown>,
    ) -> io::Result<()> {
        let params = PublishDiagnosticsParams { uri, version, diagnostics };
        let params = serde_json::to_value(params)?;
        self.notify("textDocument/publishDiagnostics", params)
    }

    /// Shows the faults of the configurations, and takes back those that are fixed.
    fn show_faults(&mut self) -> io::Result<()> {
        let Some(client) = self.client else { return Ok(()) };
        let mut shown = Vec::new();
        for (path, loaded) in self.workspaces.iter().filter_map(|one| one.faulty.as_ref()) {
            let mut shower = Shower::new(&loaded.source, &client, None);
            let findings: Vec<_> = loaded.findings.iter().map(|one| shower.shown(one)).collect();
            shown.push((path.clone(), findings));
        }
        let now: HashSet<PathBuf> = shown.iter().map(|(path, _)| path.clone()).collect();
        for path in self.faulty.difference(&now).cloned().collect::<Vec<_>>() {
            self.publish(uri::from_path(&path), None, Vec::new())?;
        }
        self.faulty = now;
        for (path, diagnostics) in shown {
            self.publish(uri::from_path(&path), None, diagnostics)?;
        }
        Ok(())
    }
}

/// Reads the parameters of a message.
fn parse<T: DeserializeOwned>(params: Value) -> Result<T, (ErrorCode, String)> {
    serde_json::from_value(params).map_err(|error| {
        let why = error.to_string();
        (ErrorCode::InvalidParams, escaped(&redacted(&why)))
    })
}

/// Returns the requests that the client has cancelled meanwhile.
fn cancelled(queue: &VecDeque<Event>) -> HashSet<RequestId> {
    let id = |event: &Event| match event {
        Event::Incoming(Incoming::Message(Message::Notification(one)))
            if one.method == "$/cancelRequest" =>
        {
            serde_json::from_value(one.params.get("id")?.clone()).ok()
        }
        _ => None,
    };
    queue.iter().filter_map(id).collect()
}
