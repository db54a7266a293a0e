//! Helpers that run the binary.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Output, Stdio};

use serde_json::Value;

/// The project's folder.
pub fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// The texts of all files in these directories of the repository.
pub fn fixtures(directories: &[&str]) -> Vec<String> {
    let mut texts = Vec::new();
    let mut directories: Vec<_> = directories.iter().map(|one| root().join(one)).collect();
    while let Some(directory) = directories.pop() {
        for entry in std::fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                directories.push(path);
            } else if let Ok(text) = std::fs::read_to_string(&path) {
                texts.push(text);
            }
        }
    }
    texts
}

/// A folder with these files in it.
pub fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for (name, text) in files {
        write(&folder.path().join(name), text);
    }
    folder
}

/// Writes a file and makes its folder.
pub fn write(path: &Path, text: impl AsRef<[u8]>) {
    std::fs::create_dir_all(path.parent().expect("a folder")).expect("a new folder");
    std::fs::write(path, text).expect("a new file");
}

/// `count` manifests of one artifact each.
pub fn manifests(folder: &Path, count: usize) {
    for at in 0..count {
        write(&folder.join(format!("manifests/{at:05}.yaml")), artifact(at));
    }
}

/// A valid manifest.
pub fn artifact(at: usize) -> String {
    format!("ArtifactName: a{at}\nArtifactType: DataSet\nSource:\n  SourceUri: s3://bucket/{at}\n")
}

/// `lineload` with nothing of this machine's environment in it.
pub fn lineload(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lineload"));
    command.current_dir(folder).env_clear().env("HOME", folder).env("PATH", "");
    // On a runner of EC2 the SDK would find credentials by itself.
    command.env("AWS_EC2_METADATA_DISABLED", "true");
    command.stdin(Stdio::null());
    command
}

/// `lineload` with the keys that AWS clients have in their environment.
#[cfg(feature = "aws")]
pub fn with_keys(folder: &Path, args: &[&str]) -> Ran {
    let mut command = lineload(folder);
    command.env("AWS_ACCESS_KEY_ID", "a").env("AWS_SECRET_ACCESS_KEY", "b");
    command.args(args).output().expect("the binary runs").into()
}

/// A command of `lineload` at a served registry.
#[cfg(feature = "aws")]
pub fn at(folder: &Path, served: &Served, command: &str, args: &[&str]) -> Ran {
    let target = [command, "--region", "eu-west-1", "--endpoint-url", &served.endpoint];
    with_keys(folder, &[&target, args].concat())
}

/// The output and the exit code of a command.
#[derive(Debug)]
pub struct Ran {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code().unwrap_or(-1),
            out: String::from_utf8(output.stdout).expect("UTF-8 on standard output"),
            err: String::from_utf8(output.stderr).expect("UTF-8 on standard error"),
        }
    }
}

/// Runs `lineload` in `folder`.
pub fn run(folder: &Path, args: &[&str]) -> Ran {
    lineload(folder).args(args).output().expect("the binary runs").into()
}

/// Runs `lineload` in `folder` with `input` on its standard input.
pub fn run_with_input(folder: &Path, args: &[&str], input: &str) -> Ran {
    let mut command = lineload(folder);
    command.args(args).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the binary runs");
    let mut stdin = child.stdin.take().expect("its input");
    // It may end without having read any of it.
    let _ = stdin.write_all(input.as_bytes());
    drop(stdin);
    child.wait_with_output().expect("its output").into()
}

/// `text` without the time that a run took.
pub fn timeless(text: &str) -> String {
    let mut out = String::new();
    for line in text.lines() {
        match line.rfind(" (").filter(|_| line.ends_with(" s)")) {
            Some(at) => out.push_str(&line[..at]),
            None => out.push_str(line),
        }
        out.push('\n');
    }
    out
}

/// A JSON file.
#[cfg(feature = "aws")]
pub fn json(path: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(path).expect("the file")).expect("JSON")
}

/// `lineload serve`, until it is dropped.
pub struct Served {
    child: Child,
    pub endpoint: String,
    // The server must not get a broken pipe.
    _out: BufReader<ChildStdout>,
}

impl Served {
    /// Serves `folder/registry.sqlite3` on a free port.
    pub fn start(folder: &Path, args: &[&str]) -> Self {
        Self::start_on(folder, "registry.sqlite3", args)
    }

    /// Serves `folder/file` on a free port.
    pub fn start_on(folder: &Path, file: &str, args: &[&str]) -> Self {
        let mut command = lineload(folder);
        command.args(["serve", "--db", file]).args(args).stdout(Stdio::piped());
        let mut child = command.spawn().expect("the binary runs");
        let mut out = BufReader::new(child.stdout.take().expect("its output"));
        let mut line = String::new();
        out.read_line(&mut line).expect("a first line");
        let endpoint = line.trim().strip_prefix("listening on ").expect("where it listens");
        Self { endpoint: endpoint.to_owned(), child, _out: out }
    }

    /// Kills it as `kill -9` does.
    pub fn kill(mut self) {
        self.child.kill().expect("it runs");
        self.child.wait().expect("it ends");
    }

    /// Asks it something, signed in form.
    pub fn ask(&self, operation: &str, input: &Value) -> (u16, Value) {
        ask(&self.endpoint, operation, input).expect("it listens")
    }

    /// Sends `request` as it is; the status and the body of the answer.
    pub fn raw(&self, request: &str) -> (u16, String) {
        let (status, _, body) = raw(&self.endpoint, request).expect("it listens");
        (status, body)
    }

    /// Sends `request` as it is; the status, the headers in small letters and the body.
    pub fn whole(&self, request: &str) -> (u16, String, String) {
        raw(&self.endpoint, request).expect("it listens")
    }

    /// Requests that came in for `operation`, whatever became of them.
    #[cfg(feature = "aws")]
    pub fn calls(&self, operation: &str) -> u64 {
        let head = "Host: 127.0.0.1\r\nConnection: close";
        let (_, body) = self.raw(&format!("GET /_lineload/activity HTTP/1.1\r\n{head}\r\n\r\n"));
        let activity: Value = serde_json::from_str(&body).expect("JSON");
        let all = activity["operations"].as_array().expect("a list");
        let of = all.iter().find(|one| one["operation"] == operation);
        let counts = ["answered", "limited", "throttled", "faulted", "refused", "failed"];
        of.map_or(0, |of| counts.iter().filter_map(|count| of[*count].as_u64()).sum())
    }

    /// Every artifact that it has.
    pub fn artifacts(&self) -> Vec<Value> {
        let mut all = Vec::new();
        let mut token = Value::Null;
        loop {
            let (status, page) = self.ask(
                "ListArtifacts",
                &serde_json::json!({ "MaxResults": 100, "NextToken": token }),
            );
            assert_eq!(status, 200, "{page}");
            all.extend(page["ArtifactSummaries"].as_array().expect("a list").iter().cloned());
            token = page["NextToken"].clone();
            if token.is_null() {
                return all;
            }
        }
    }
}

/// Asks the registry at `endpoint` something, signed in form.
pub fn ask(endpoint: &str, operation: &str, input: &Value) -> std::io::Result<(u16, Value)> {
    let body = input.to_string();
    let signature = "0".repeat(64);
    let head = format!(
        "POST / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: {}\r\n\
         Content-Type: application/x-amz-json-1.1\r\nX-Amz-Target: SageMaker.{operation}\r\n\
         Authorization: AWS4-HMAC-SHA256 Credential=a/20260101/eu-west-1/sagemaker/aws4_request, \
         SignedHeaders=host, Signature={signature}\r\n\r\n",
        body.len()
    );
    let (status, _, body) = raw(endpoint, &(head + &body))?;
    Ok((status, serde_json::from_str(&body).unwrap_or(Value::Null)))
}

fn raw(endpoint: &str, request: &str) -> std::io::Result<(u16, String, String)> {
    let address = endpoint.strip_prefix("http://").expect("HTTP");
    let mut stream = TcpStream::connect(address)?;
    stream.write_all(request.as_bytes())?;
    let mut answer = String::new();
    // It may close the connection on purpose.
    let _ = stream.read_to_string(&mut answer);
    let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok());
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or_default();
    Ok((status.unwrap_or(0), head.to_lowercase(), body.to_owned()))
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
