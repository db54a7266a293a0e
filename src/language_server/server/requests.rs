//! Requests: the start and the end of a session, and what an editor asks about a place.

use std::io::{self, Write};
use std::path::PathBuf;

use gen_lsp_types::{
    CodeAction, CodeActionParams, CompletionParams, DefinitionParams, DocumentSymbolParams,
    HoverParams, InitializeParams, InitializeResult, Location, ServerInfo,
    TextDocumentPositionParams, Uri, WorkspaceFolders,
};
use lsp_server::ErrorCode;
use serde_json::Value;

use super::{Answer, Server, parse};
use crate::language_server::actions::Subject;
use crate::language_server::capabilities::capabilities;
use crate::language_server::client::Client;
use crate::language_server::completion::completions;
use crate::language_server::document::Document;
use crate::language_server::findings::Shower;
use crate::language_server::hover::hover;
use crate::language_server::symbols::symbols;
use crate::language_server::uri;
use crate::language_server::workspace::{Checked, Workspace};

/// An open manifest with the findings of its present text.
struct Current<'s> {
    document: &'s Document,
    checked: &'s Checked,
    workspace: &'s Workspace,
}

fn result(result: impl serde::Serialize) -> Answer {
    serde_json::to_value(result).map_err(|error| (ErrorCode::InternalError, error.to_string()))
}

impl<W: Write> Server<W> {
    /// Begins the session.
    #[expect(deprecated, reason = "older clients name their only folder as `rootUri`")]
    pub(super) fn initialize(&mut self, params: &InitializeParams) -> Answer {
        let client = Client::new(&params.capabilities);
        self.client = Some(client);
        let folders = match &params.workspace_folders_initialize_params.workspace_folders {
            Some(WorkspaceFolders::WorkspaceFolderList(folders)) => {
                folders.iter().map(|folder| folder.uri.clone()).collect()
            }
            _ => params.root_uri.iter().cloned().collect::<Vec<Uri>>(),
        };
        let mut roots: Vec<PathBuf> = folders.iter().filter_map(uri::to_path).collect();
        roots.sort();
        roots.dedup();
        for root in roots {
            self.workspaces.push(Workspace::new(&root, &self.options, None));
        }
        result(InitializeResult {
            capabilities: capabilities(&client),
            server_info: Some(ServerInfo {
                name: "lineload".to_owned(),
                version: Some(env!("CARGO_PKG_VERSION").to_owned()),
            }),
        })
    }

    /// Answers a request. Those that are about findings are answered for the present text.
    pub(super) fn answer(
        &mut self,
        method: &str,
        params: Value,
        client: Client,
    ) -> io::Result<Answer> {
        match method {
            "shutdown" => {
                self.shut_down = true;
                Ok(Ok(Value::Null))
            }
            "textDocument/completion" => Ok(parse(params).and_then(|params| {
                let CompletionParams { text_document_position_params: at, .. } = params;
                let items = self.manifest(&at.text_document.uri).map(|document| {
                    let offset = client.encoding.offset(&document.text, at.position);
                    completions(&document.text, offset, &client)
                });
                result(items.unwrap_or_default())
            })),
            "textDocument/documentSymbol" => Ok(parse(params).and_then(|params| {
                let DocumentSymbolParams { text_document, .. } = params;
                let document = self.manifest(&text_document.uri);
                result(document.map(|document| symbols(&document.text, &client)))
            })),
            "textDocument/hover" => self.parsed(params, |server, params| {
                let HoverParams { text_document_position_params: at, .. } = params;
                let found = server.current(&at.text_document.uri)?.and_then(|current| {
                    let offset = client.encoding.offset(&current.checked.source, at.position);
                    hover(current.checked, offset, &client)
                });
                Ok(result(found))
            }),
            "textDocument/definition" => self.parsed(params, |server, params| {
                let DefinitionParams { text_document_position_params: at, .. } = params;
                Ok(result(server.definition(&at, client)?))
            }),
            "textDocument/codeAction" if client.actions => {
                self.parsed(params, |server, params| Ok(result(server.actions(&params, client)?)))
            }
            "codeAction/resolve" => {
                self.parsed(params, |server, action| Ok(result(server.resolve(action, client)?)))
            }
            "textDocument/codeAction" => Ok(Ok(Value::Null)),
            _ => Ok(Err((ErrorCode::MethodNotFound, "unknown method".to_owned()))),
        }
    }

    /// Answers a request by its parameters.
    fn parsed<T: serde::de::DeserializeOwned>(
        &mut self,
        params: Value,
        answer: impl FnOnce(&mut Self, T) -> io::Result<Answer>,
    ) -> io::Result<Answer> {
        match parse(params) {
            Ok(params) => answer(self, params),
            Err(error) => Ok(Err(error)),
        }
    }

    /// Returns an open document that is a manifest.
    fn manifest(&self, uri: &Uri) -> Option<&Document> {
        let document = self.documents.get(&uri.0)?;
        self.workspace_of(&document.path).map(|_| document)
    }

    /// Returns an open manifest with the findings of its present text.
    fn current(&mut self, uri: &Uri) -> io::Result<Option<Current<'_>>> {
        if self.documents.get(&uri.0).is_some_and(|document| document.changed.is_some()) {
            self.check(&uri.0, &|| false)?;
        }
        Ok(self.documents.get(&uri.0).and_then(|document| {
            let workspace = self.workspaces.get(self.workspace_of(&document.path)?)?;
            Some(Current { document, checked: document.checked.as_ref()?, workspace })
        }))
    }

    /// Returns the other places of the name or the source at a place.
    fn definition(
        &mut self,
        at: &TextDocumentPositionParams,
        client: Client,
    ) -> io::Result<Option<Vec<Location>>> {
        Ok(self.current(&at.text_document.uri)?.map(|current| {
            let source = &current.checked.source;
            let offset = client.encoding.offset(source, at.position);
            let places = current.workspace.register().elsewhere(source.id(), offset);
            let mut shower = Shower::new(source, &client, Some(current.workspace));
            places.into_iter().filter_map(|(file, span)| shower.location(file, span)).collect()
        }))
    }

    fn actions(
        &mut self,
        params: &CodeActionParams,
        client: Client,
    ) -> io::Result<Option<Vec<CodeAction>>> {
        Ok(self.current(&params.text_document.uri)?.map(|current| {
            let selected = client.encoding.span(&current.checked.source, params.range);
            current.subject(&client).actions(selected, params.context.only.as_deref())
        }))
    }

    /// Adds the edit to the action that applies all safe fixes of a file.
    fn resolve(&mut self, mut action: CodeAction, client: Client) -> io::Result<CodeAction> {
        let uri = action.data.as_ref().and_then(|data| data.get("uri")?.as_str());
        if let Some(uri) = uri.map(|uri| Uri(uri.to_owned())) {
            let edit = self.current(&uri)?.and_then(|current| current.subject(&client).all_safe());
            action.edit = edit;
        }
        Ok(action)
    }
}

impl<'s> Current<'s> {
    fn subject(&self, client: &'s Client) -> Subject<'s> {
        Subject {
            uri: &self.document.uri,
            version: self.document.version,
            checked: self.checked,
            workspace: self.workspace,
            client,
        }
    }
}
