//! Notifications: what is opened, changed and closed in the editor, and what changes on the disk.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use gen_lsp_types::{
    DidChangeTextDocumentParams, DidChangeWatchedFilesParams, DidChangeWorkspaceFoldersParams,
    DidCloseTextDocumentParams, DidOpenTextDocumentParams, DidSaveTextDocumentParams,
    FileChangeType, Uri,
};
use lsp_server::{Notification, Request, RequestId};
use serde_json::json;

use super::{Event, Server, parse};
use crate::config;
use crate::language_server::client::Client;
use crate::language_server::document::Document;
use crate::language_server::uri;
use crate::language_server::workspace::Workspace;
use crate::text::{counted, escaped, reason};

/// A message for the log of the editor.
const INFO: u32 = 3;
/// One that the editor shows.
const WARNING: u32 = 2;

impl<W: Write> Server<W> {
    /// Handles a notification. One that cannot be read has no answer, and no effect.
    pub(super) fn notification(&mut self, one: Notification) -> io::Result<()> {
        let Some(client) = self.client else { return Ok(()) };
        let Notification { method, params } = one;
        match method.as_str() {
            "initialized" => self.initialized(client)?,
            "textDocument/didOpen" => {
                if let Ok(params) = parse::<DidOpenTextDocumentParams>(params) {
                    self.open(params)?;
                }
            }
            "textDocument/didChange" => {
                if let Ok(params) = parse::<DidChangeTextDocumentParams>(params) {
                    let id = params.text_document;
                    let uri = id.text_document_identifier.uri.0;
                    if let Some(document) = self.documents.get_mut(&uri) {
                        document.change(id.version, params.content_changes, client.encoding);
                    }
                }
            }
            "textDocument/didClose" => {
                if let Ok(params) = parse::<DidCloseTextDocumentParams>(params) {
                    self.close(&params.text_document.uri)?;
                }
            }
            "textDocument/didSave" => {
                if let Ok(params) = parse::<DidSaveTextDocumentParams>(params)
                    && let Some(path) = uri::to_path(&params.text_document.uri)
                {
                    self.saved(&path);
                }
            }
            "workspace/didChangeWatchedFiles" => {
                if let Ok(params) = parse::<DidChangeWatchedFilesParams>(params) {
                    for change in params.changes {
                        if let Some(path) = uri::to_path(&change.uri) {
                            self.changed_on_disk(&path, change.kind);
                        }
                    }
                }
            }
            "workspace/didChangeWorkspaceFolders" => {
                if let Ok(params) = parse::<DidChangeWorkspaceFoldersParams>(params) {
                    self.change_folders(&params)?;
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// Reads every folder, and asks for notifications of changes in it.
    fn initialized(&mut self, client: Client) -> io::Result<()> {
        if client.watches_files {
            let watchers = json!([
                { "globPattern": "**/*.{yaml,yml}" },
                { "globPattern": format!("**/{}", config::FILE) },
            ]);
            let registration = json!({
                "id": "files",
                "method": "workspace/didChangeWatchedFiles",
                "registerOptions": { "watchers": watchers },
            });
            self.send(Request {
                id: RequestId::from("files".to_owned()),
                method: "client/registerCapability".to_owned(),
                params: json!({ "registrations": [registration] }),
            })?;
        }
        let roots: Vec<_> = self.workspaces.iter().map(|one| one.root.clone()).collect();
        for root in roots {
            self.scan(&root);
        }
        self.show_faults()
    }

    /// Reads a folder in the background, once more afterwards if it is being read.
    fn scan(&mut self, root: &Path) {
        if let Some(again) = self.scanning.get_mut(root) {
            *again = true;
            return;
        }
        let (options, events) = (Arc::clone(&self.options), self.events.clone());
        let folder = root.to_owned();
        let started = thread::Builder::new().name("scan".to_owned()).spawn(move || {
            let mut workspace = Workspace::new(&folder, &options, None);
            workspace.scan();
            // The session may have ended.
            let _ = events.send(Event::Scanned(Box::new(workspace)));
        });
        match started {
            Ok(_) => {
                self.scanning.insert(root.to_owned(), false);
            }
            Err(error) => tracing::warn!("cannot read {}: {}", root.display(), reason(&error)),
        }
    }

    /// Takes a folder that has been read in the place of what is known of it.
    pub(super) fn scanned(&mut self, workspace: Workspace) -> io::Result<()> {
        let root = workspace.root.clone();
        let again = self.scanning.remove(&root) == Some(true);
        // It may have been removed meanwhile.
        let Some(at) = self.workspaces.iter().position(|one| one.root == root) else {
            return Ok(());
        };
        let (kind, message) = if workspace.has_paths() {
            (INFO, format!("{}: {}", root.display(), counted(workspace.files(), "manifest")))
        } else {
            let paths = self.options.paths.iter().map(|path| path.display().to_string());
            let paths = paths.collect::<Vec<_>>().join(" or ");
            let message = format!(
                "no {paths} in {}: pass the paths of manifests to `lineload language-server`",
                root.display()
            );
            (WARNING, message)
        };
        let message = json!({ "type": kind, "message": escaped(&message) });
        self.notify("window/logMessage", message)?;
        self.workspaces[at] = workspace;
        for document in self.documents.values_mut().filter(|one| one.path.starts_with(&root)) {
            document.checked = None;
            document.changed = Some(Instant::now());
            document.took = Duration::ZERO;
        }
        if again {
            self.scan(&root);
        }
        self.show_faults()
    }

    fn change_folders(&mut self, params: &DidChangeWorkspaceFoldersParams) -> io::Result<()> {
        let event = &params.event;
        let removed: Vec<PathBuf> =
            event.removed.iter().filter_map(|folder| uri::to_path(&folder.uri)).collect();
        self.workspaces.retain(|one| one.is_alone() || !removed.contains(&one.root));
        for folder in &event.added {
            let Some(root) = uri::to_path(&folder.uri) else { continue };
            if self.workspaces.iter().any(|one| !one.is_alone() && one.root == root) {
                continue;
            }
            self.workspaces.push(Workspace::new(&root, &self.options, None));
            self.scan(&root);
        }
        // Findings of documents that no folder has any more are taken back.
        let gone: Vec<Uri> = self
            .documents
            .values()
            .filter(|one| one.checked.is_some() && self.workspace_of(&one.path).is_none())
            .map(|one| one.uri.clone())
            .collect();
        for uri in gone {
            if let Some(document) = self.documents.get_mut(&uri.0) {
                document.checked = None;
            }
            self.publish(uri, None, Vec::new())?;
        }
        self.show_faults()
    }

    fn open(&mut self, params: DidOpenTextDocumentParams) -> io::Result<()> {
        let Some(path) = uri::to_path(&params.text_document.uri) else { return Ok(()) };
        if self.workspaces.iter().all(Workspace::is_alone) {
            // Without a folder, a file is as if it was named on the command line.
            let root = path.parent().unwrap_or(&path).to_owned();
            let paths = std::slice::from_ref(&path);
            self.workspaces.push(Workspace::new(&root, &self.options, Some(paths)));
            self.show_faults()?;
        }
        let key = params.text_document.uri.0.clone();
        self.documents.insert(key, Document::new(params.text_document, path));
        Ok(())
    }

    fn close(&mut self, uri: &Uri) -> io::Result<()> {
        let Some(document) = self.documents.remove(&uri.0) else { return Ok(()) };
        self.publish(uri.clone(), None, Vec::new())?;
        let Some(at) = self.workspace_of(&document.path) else { return Ok(()) };
        if self.workspaces[at].is_alone() {
            self.workspaces.remove(at);
            return self.show_faults();
        }
        let shared = self.workspaces[at].reread(&document.path);
        self.check_again(at, &shared);
        Ok(())
    }

    /// Takes a saved file: one that is new changes the order of the tree.
    fn saved(&mut self, path: &Path) {
        let is_config = path.file_name().is_some_and(|name| name == config::FILE);
        let folders = self.workspaces.iter().filter(|one| {
            !one.is_alone() && path.starts_with(&one.root) && (is_config || one.is_new(path))
        });
        let roots: Vec<_> = folders.map(|one| one.root.clone()).collect();
        for root in roots {
            self.scan(&root);
        }
    }

    fn changed_on_disk(&mut self, path: &Path, kind: FileChangeType) {
        if path.file_name().is_some_and(|name| name == config::FILE) {
            let folders = self.workspaces.iter().filter(|one| !one.is_alone());
            let roots: Vec<_> = folders.map(|one| one.root.clone()).collect();
            for root in roots {
                self.scan(&root);
            }
            return;
        }
        let Some(at) = self.workspace_of(path).filter(|at| !self.workspaces[*at].is_alone()) else {
            return;
        };
        let root = self.workspaces[at].root.clone();
        let known = kind == FileChangeType::Changed && self.workspaces[at].knows(path);
        // What is being read now may have been read before the change.
        if !known || self.scanning.contains_key(&root) {
            self.scan(&root);
        } else if !self.documents.values().any(|document| document.path == path) {
            let shared = self.workspaces[at].reread(path);
            self.check_again(at, &shared);
        }
    }
}
