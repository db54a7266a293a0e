//! An HTTP server on loopback that answers as a test has it, over TLS too. It shares nothing with
//! the code under test, and the tests of the binary use it as well.

#![expect(unreachable_pub, reason = "two kinds of tests have this as a module of theirs")]

use std::io::{BufRead as _, BufReader, Read, Write};
use std::net::TcpListener;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::thread;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// A request as it came in.
#[derive(Debug, Clone)]
pub struct Request {
    /// Its first line and its headers, as they were.
    pub head: String,
    /// Its body.
    pub body: String,
}

impl Request {
    /// Returns the operation, such as `CreateArtifact`.
    pub fn operation(&self) -> &str {
        let target = self.header("x-amz-target").unwrap_or_default();
        target.rsplit('.').next().unwrap_or_default()
    }

    /// Returns the access key that it is signed with, and the Region.
    pub fn signed(&self) -> (&str, &str) {
        let scope = self.header("authorization").and_then(|value| value.split_once("Credential="));
        let mut scope = scope.map(|(_, scope)| scope.split('/')).into_iter().flatten();
        (scope.next().unwrap_or_default(), scope.nth(1).unwrap_or_default())
    }

    /// Returns the value of a header, by its name in small letters.
    pub fn header(&self, name: &str) -> Option<&str> {
        let lines = self.head.lines().filter_map(|line| line.split_once(':'));
        lines
            .map(|(key, value)| (key.to_lowercase(), value.trim()))
            .find_map(|(key, value)| (key == name).then_some(value))
    }
}

/// A connection to write an answer to.
pub trait Connection: Read + Write + Send {}

impl<T: Read + Write + Send> Connection for T {}

/// A server that runs until the tests end.
pub struct Scripted {
    /// `http://127.0.0.1:PORT`, or with `https`.
    pub url: String,
    requests: Arc<Mutex<Vec<Request>>>,
}

type Answer = dyn Fn(&Request, &mut dyn Connection) -> bool + Send + Sync;

impl Scripted {
    /// Serves with `answer`, which writes one and returns whether the connection stays open.
    pub fn start(
        answer: impl Fn(&Request, &mut dyn Connection) -> bool + Send + Sync + 'static,
    ) -> Self {
        Self::serve(None, Arc::new(answer))
    }

    /// Serves over TLS, with the certificate and the key that `fixture` names.
    pub fn start_tls(
        fixture: &str,
        answer: impl Fn(&Request, &mut dyn Connection) -> bool + Send + Sync + 'static,
    ) -> Self {
        let file = |ending: &str| fixture_file(&format!("{fixture}.{ending}"));
        let certificate = CertificateDer::from_pem_file(file("pem")).unwrap();
        let key = PrivateKeyDer::from_pem_file(file("key")).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate], key)
            .unwrap();
        Self::serve(Some(Arc::new(config)), Arc::new(answer))
    }

    /// Serves one answer to everything, as it is on the wire.
    pub fn always(answer: impl Into<Vec<u8>>) -> Self {
        let answer = answer.into();
        Self::start(move |_, connection| connection.write_all(&answer).is_ok())
    }

    fn serve(tls: Option<Arc<rustls::ServerConfig>>, answer: Arc<Answer>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let scheme = if tls.is_some() { "https" } else { "http" };
        let url = format!("{scheme}://{}", listener.local_addr().unwrap());
        let requests = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&requests);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (answer, seen, tls) = (Arc::clone(&answer), Arc::clone(&seen), tls.clone());
                thread::spawn(move || match tls {
                    None => converse(stream, &answer, &seen),
                    Some(config) => {
                        let connection = rustls::ServerConnection::new(config).unwrap();
                        converse(rustls::StreamOwned::new(connection, stream), &answer, &seen);
                    }
                });
            }
        });
        Self { url, requests }
    }

    /// Returns the requests that came in, in their order.
    pub fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap().clone()
    }
}

/// Returns a file of the fixtures for TLS.
pub fn fixture_file(name: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/tls").join(name)
}

/// Answers the requests of one connection.
fn converse(mut stream: impl Connection, answer: &Arc<Answer>, seen: &Mutex<Vec<Request>>) {
    while let Some(request) = read(&mut stream) {
        // lineload asks a plain endpoint whether it is a registry. These are not.
        if request.head.starts_with("GET /_lineload/") {
            let _ = stream.write_all(b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n");
            let _ = stream.flush();
            continue;
        }
        seen.lock().unwrap().push(request.clone());
        let goes_on = answer(&request, &mut stream);
        let _ = stream.flush();
        if !goes_on {
            return;
        }
    }
}

fn read(stream: &mut impl Connection) -> Option<Request> {
    let mut reader = BufReader::new(stream);
    let (mut head, mut length) = (String::new(), 0);
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        if line == "\r\n" {
            break;
        }
        if let Some((name, value)) = line.split_once(':')
            && name.eq_ignore_ascii_case("content-length")
        {
            length = value.trim().parse().unwrap();
        }
        head.push_str(&line);
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some(Request { head, body: String::from_utf8_lossy(&body).into_owned() })
}

/// Returns an answer on the wire. `head` holds further headers, each ending in `\r\n`.
pub fn http(status: u16, head: &str, body: &str) -> String {
    format!("HTTP/1.1 {status} x\r\n{head}Content-Length: {}\r\n\r\n{body}", body.len())
}

/// Returns an address that nobody listens on.
pub fn nobody() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    format!("http://{}", listener.local_addr().unwrap())
}
