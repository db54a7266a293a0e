//! An editor that speaks the Language Server Protocol.

use std::collections::VecDeque;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::lineload;

/// A session with the real binary.
pub struct Editor {
    child: Child,
    input: Option<ChildStdin>,
    messages: Receiver<Value>,
    /// What has arrived and nobody has asked for yet.
    waiting: VecDeque<Value>,
    folder: PathBuf,
    number: u64,
    patience: Duration,
}

/// A place in a file, which the editor makes a URI of.
pub fn at(file: &str, line: u64, character: u64) -> Value {
    json!({
        "textDocument": { "uri": file },
        "position": { "line": line, "character": character },
    })
}

pub fn range(line: u64, character: u64, last_line: u64, last_character: u64) -> Value {
    json!({
        "start": { "line": line, "character": character },
        "end": { "line": last_line, "character": last_character },
    })
}

impl Editor {
    pub fn start(folder: &Path, args: &[&str]) -> Self {
        let mut command = lineload(folder);
        command.arg("language-server").args(args);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let (sender, messages) = channel();
        thread::spawn(move || {
            loop {
                let mut header = String::new();
                if out.read_line(&mut header).unwrap() == 0 {
                    return;
                }
                // Nothing else may be on standard output.
                let length = header.strip_prefix("Content-Length: ").expect("a header");
                let mut body = vec![0; length.trim_end().parse::<usize>().unwrap() + 2];
                out.read_exact(&mut body).unwrap();
                let message: Value = serde_json::from_slice(&body[2..]).unwrap();
                assert_eq!(message["jsonrpc"], "2.0");
                if sender.send(message).is_err() {
                    return;
                }
            }
        });
        Self {
            input: child.stdin.take(),
            child,
            messages,
            waiting: VecDeque::new(),
            folder: folder.to_owned(),
            number: 0,
            patience: Duration::from_secs(60),
        }
    }

    /// The same, which waits longer for answers.
    pub fn patient(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// The URI of a file of the folder; one that is a URI stays.
    pub fn uri(&self, file: &str) -> String {
        if file.contains(':') {
            return file.to_owned();
        }
        format!("file://{}", self.folder.join(file).display())
    }

    pub fn send_bytes(&mut self, bytes: &[u8]) {
        let input = self.input.as_mut().unwrap();
        input.write_all(bytes).unwrap();
        input.flush().unwrap();
    }

    fn framed(message: &Value) -> Vec<u8> {
        let body = message.to_string();
        format!("Content-Length: {}\r\n\r\n{body}", body.len()).into_bytes()
    }

    pub fn notify(&mut self, method: &str, params: &Value) {
        let message = json!({ "jsonrpc": "2.0", "method": method, "params": params });
        self.send_bytes(&Self::framed(&message));
    }

    /// The next message that `wanted` accepts; the others wait.
    fn next(&mut self, wanted: impl Fn(&Value) -> bool) -> Value {
        if let Some(at) = self.waiting.iter().position(&wanted) {
            return self.waiting.remove(at).unwrap();
        }
        let until = Instant::now() + self.patience;
        loop {
            let left = until.saturating_duration_since(Instant::now());
            let message = self.messages.recv_timeout(left).expect("an answer");
            if wanted(&message) {
                return message;
            }
            self.waiting.push_back(message);
        }
    }

    fn request(&mut self, method: &str, params: &Value, cancel: bool) -> Value {
        self.number += 1;
        let id = self.number;
        let mut params = params.clone();
        if let Some(file) = params.pointer("/textDocument/uri").and_then(Value::as_str) {
            params["textDocument"]["uri"] = json!(self.uri(file));
        }
        let message = json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params });
        let mut bytes = Self::framed(&message);
        if cancel {
            let params = json!({ "id": id });
            let cancel = json!({ "jsonrpc": "2.0", "method": "$/cancelRequest", "params": params });
            bytes.extend(Self::framed(&cancel));
        }
        self.send_bytes(&bytes);
        self.next(|message| message["id"] == id && message.get("method").is_none())
    }

    /// The result of a request.
    pub fn ask(&mut self, method: &str, params: &Value) -> Value {
        let answer = self.request(method, params, false);
        assert!(answer.get("error").is_none(), "{method}: {answer}");
        answer["result"].clone()
    }

    /// The error of a request.
    pub fn refused(&mut self, method: &str, params: &Value) -> Value {
        let answer = self.request(method, params, false);
        assert!(answer.get("result").is_none(), "{method}: {answer}");
        answer["error"].clone()
    }

    /// The error of a request that is cancelled at once.
    pub fn cancelled(&mut self, method: &str, params: &Value) -> Value {
        self.request(method, params, true)["error"].clone()
    }

    pub fn initialize(&mut self, encoding: &str) -> Value {
        let root = json!(format!("file://{}", self.folder.display()));
        self.begin(&root, encoding)
    }

    pub fn initialize_without_folder(&mut self) -> Value {
        self.begin(&Value::Null, "utf-16")
    }

    fn begin(&mut self, root: &Value, encoding: &str) -> Value {
        let capabilities = json!({
            "general": { "positionEncodings": [encoding] },
            "workspace": { "workspaceEdit": { "documentChanges": true } },
            "textDocument": {
                "codeAction": {
                    "codeActionLiteralSupport": { "codeActionKind": { "valueSet": [] } },
                    "dataSupport": true,
                    "resolveSupport": { "properties": ["edit"] },
                },
                "documentSymbol": { "hierarchicalDocumentSymbolSupport": true },
                "hover": { "contentFormat": ["markdown"] },
                "publishDiagnostics": { "relatedInformation": true },
            },
        });
        let params = json!({ "processId": null, "rootUri": root, "capabilities": capabilities });
        let result = self.ask("initialize", &params);
        self.notify("initialized", &json!({}));
        result
    }

    /// Waits until the folder has been read.
    pub fn scanned(&mut self) {
        self.next(|message| message["method"] == "window/logMessage");
    }

    pub fn open(&mut self, file: &str, text: &str) {
        let uri = self.uri(file);
        let document = json!({ "uri": uri, "languageId": "yaml", "version": 1, "text": text });
        self.notify("textDocument/didOpen", &json!({ "textDocument": document }));
    }

    pub fn change(&mut self, file: &str, version: u64, changes: &[(Value, &str)]) {
        let changes: Vec<_> =
            changes.iter().map(|(range, text)| json!({ "range": range, "text": text })).collect();
        let document = json!({ "uri": self.uri(file), "version": version });
        let params = json!({ "textDocument": document, "contentChanges": changes });
        self.notify("textDocument/didChange", &params);
    }

    pub fn close(&mut self, file: &str) {
        let document = json!({ "uri": self.uri(file) });
        self.notify("textDocument/didClose", &json!({ "textDocument": document }));
    }

    /// Reports a file as created (1), changed (2) or deleted (3).
    pub fn changed_on_disk(&mut self, file: &str, kind: u64) {
        let change = json!({ "uri": self.uri(file), "type": kind });
        self.notify("workspace/didChangeWatchedFiles", &json!({ "changes": [change] }));
    }

    /// The next findings of a file in this version; 0 for findings of no version.
    pub fn findings(&mut self, file: &str, version: u64) -> Vec<Value> {
        let version = if version == 0 { Value::Null } else { json!(version) };
        self.published(file, |params| params["version"] == version)
    }

    /// The next findings of a file that `wanted` accepts.
    pub fn findings_until(&mut self, file: &str, wanted: impl Fn(&[Value]) -> bool) -> Vec<Value> {
        self.published(file, |params| wanted(params["diagnostics"].as_array().unwrap()))
    }

    fn published(&mut self, file: &str, wanted: impl Fn(&Value) -> bool) -> Vec<Value> {
        let uri = self.uri(file);
        let message = self.next(|message| {
            message["method"] == "textDocument/publishDiagnostics"
                && message["params"]["uri"] == uri
                && wanted(&message["params"])
        });
        // Those before it are out of date.
        self.waiting.retain(|one| {
            one["method"] != "textDocument/publishDiagnostics" || one["params"]["uri"] != uri
        });
        message["params"]["diagnostics"].as_array().unwrap().clone()
    }

    pub fn actions(&mut self, file: &str, range: &Value, only: &[&str]) -> Vec<Value> {
        let mut context = json!({ "diagnostics": [] });
        if !only.is_empty() {
            context["only"] = json!(only);
        }
        let document = json!({ "uri": file });
        let params = json!({ "textDocument": document, "range": range, "context": context });
        self.ask("textDocument/codeAction", &params).as_array().unwrap().clone()
    }

    /// `text` after the edits of an action. Its lines must be ASCII.
    pub fn applied(&self, action: &Value, text: &str) -> String {
        let edits = action.pointer("/edit/documentChanges/0/edits").unwrap().as_array().unwrap();
        let offset = |position: &Value| {
            let (line, character) = (&position["line"], &position["character"]);
            let lines = text.split_inclusive('\n').take(line.as_u64().unwrap() as usize);
            lines.map(str::len).sum::<usize>() + character.as_u64().unwrap() as usize
        };
        let mut edits: Vec<_> = edits
            .iter()
            .map(|edit| {
                let range = &edit["range"];
                let new = edit["newText"].as_str().unwrap();
                (offset(&range["start"]), offset(&range["end"]), new)
            })
            .collect();
        edits.sort_unstable();
        let mut text = text.to_owned();
        for (start, end, new) in edits.into_iter().rev() {
            text.replace_range(start..end, new);
        }
        text
    }

    /// The number of messages that were reported as malformed until now.
    pub fn malformed(&self) -> usize {
        self.waiting.iter().filter(|message| message["error"]["code"] == -32700).count()
    }

    /// Ends the session as the protocol wants it, and returns the exit code.
    pub fn end(&mut self) -> i32 {
        assert_eq!(self.ask("shutdown", &Value::Null), Value::Null);
        self.notify("exit", &Value::Null);
        self.hang_up()
    }

    /// Closes the input and returns the exit code.
    pub fn hang_up(&mut self) -> i32 {
        self.input = None;
        self.child.wait().unwrap().code().unwrap()
    }

    /// What was written to standard error, once the session has ended.
    pub fn log(&mut self) -> String {
        let mut log = String::new();
        self.child.stderr.take().unwrap().read_to_string(&mut log).unwrap();
        log
    }
}

impl Drop for Editor {
    fn drop(&mut self) {
        // A test that failed must not leave a process.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
