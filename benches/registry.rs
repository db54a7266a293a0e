//! The registry at 1,000, 100,000 and 1,000,000 artifacts: creates a second, and what look-ups and
//! pages take. `just bench-registry` runs it; `cargo bench --bench registry -- 100000` stops there.

#![expect(clippy::print_stdout, clippy::expect_used, reason = "a program for developers")]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

const SIZES: [usize; 3] = [1_000, 100_000, 1_000_000];
const CLIENTS: usize = 32;
const SAMPLES: usize = 500;

fn main() {
    let most = std::env::args().filter_map(|word| word.parse().ok()).next().unwrap_or(1_000_000);
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut server = Command::new(env!("CARGO_BIN_EXE_lineload"))
        .args(["serve", "--isolated", "--db", "r.sqlite3"])
        .current_dir(folder.path())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the binary runs");
    let mut out = BufReader::new(server.stdout.take().expect("its output"));
    let mut line = String::new();
    out.read_line(&mut line).expect("a first line");
    let address = line.trim().strip_prefix("listening on http://").expect("an address").to_owned();
    let mut there = 0;
    for size in SIZES.into_iter().filter(|size| *size <= most) {
        let (made, before) = ((size - there) as f64, cpu(server.id()));
        let took = fill(&address, there, size);
        let spent = (cpu(server.id()) - before) / made * 1e6;
        println!(
            "{size} artifacts: {:.0} creates a second, {spent:.0} µs of the server's CPU each",
            made / took.as_secs_f64()
        );
        there = size;
        look_ups(&address, size);
    }
    let file = std::fs::metadata(folder.path().join("r.sqlite3")).map_or(0, |file| file.len());
    println!("the file has {} MiB", file >> 20);
    let _ = server.kill();
    let _ = server.wait();
}

/// Returns the seconds that a process has spent on its cores: unlike a rate, they do not depend on
/// what else runs. 0 where `/proc` is not.
fn cpu(process: u32) -> f64 {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    // Behind the name, which may hold anything: the 12th and 13th are ticks, of which a second has 100.
    let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace().skip(11).take(2);
    fields.filter_map(|ticks| ticks.parse::<f64>().ok()).sum::<f64>() / 100.0
}

/// Creates from many clients at once.
fn fill(address: &str, from: usize, to: usize) -> Duration {
    let next = AtomicUsize::new(from);
    let begun = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..CLIENTS {
            scope.spawn(|| {
                let mut client = Client::connect(address);
                loop {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    if at >= to {
                        break;
                    }
                    let answer = client.ask("CreateArtifact", &artifact(at));
                    assert!(answer.contains("ArtifactArn"), "{answer}");
                }
            });
        }
    });
    begun.elapsed()
}

fn artifact(at: usize) -> String {
    format!(
        r#"{{"ArtifactName":"dataset-{at}","ArtifactType":"Type{}","Source":{{"SourceUri":"s3://bucket/prefix/{at}","SourceTypes":[{{"SourceIdType":"S3ETag","Value":"{at:032x}"}}]}},"Properties":{{"Rows":"{at}","Owner":"team"}},"Tags":[{{"Key":"team","Value":"t"}}]}}"#,
        at % 10
    )
}

fn look_ups(address: &str, size: usize) {
    let mut client = Client::connect(address);
    let mut at = 0;
    let mut random = move || {
        at = (at + 7_919) % size;
        at
    };
    sampled("by SourceUri", || {
        let at = random();
        let input = format!(r#"{{"SourceUri":"s3://bucket/prefix/{at}"}}"#);
        assert!(client.ask("ListArtifacts", &input).contains(&format!("prefix/{at}\"")));
    });
    sampled("by SourceUri and type", || {
        let at = random();
        let input = format!(
            r#"{{"SourceUri":"s3://bucket/prefix/{at}","ArtifactType":"Type{}"}}"#,
            at % 10
        );
        assert!(client.ask("ListArtifacts", &input).contains(&format!("prefix/{at}\"")));
    });
    for (name, filter) in
        [("page of 100", ""), ("page of 100 by type", r#","ArtifactType":"Type3""#)]
    {
        let mut token = String::new();
        let mut pages = Vec::new();
        loop {
            let input = format!(r#"{{"MaxResults":100{filter}{token}}}"#);
            let begun = Instant::now();
            let answer = client.ask("ListArtifacts", &input);
            pages.push(begun.elapsed());
            let Some((_, rest)) = answer.split_once(r#""NextToken":""#) else { break };
            let (next, _) = rest.split_once('"').expect("the end of the token");
            token = format!(r#","NextToken":"{next}""#);
        }
        let tenth = (pages.len() / 10).max(1);
        let (first, last) = (pages[..tenth].to_vec(), pages[pages.len() - tenth..].to_vec());
        println!(
            "  {name}, {} pages: median {:.2} ms in the first tenth, {:.2} ms in the last",
            pages.len(),
            median(first),
            median(last)
        );
    }
}

fn sampled(name: &str, mut ask: impl FnMut()) {
    let times = (0..SAMPLES).map(|_| {
        let begun = Instant::now();
        ask();
        begun.elapsed()
    });
    println!("  {name}: median {:.2} ms", median(times.collect()));
}

fn median(mut times: Vec<Duration>) -> f64 {
    times.sort();
    times[times.len() / 2].as_secs_f64() * 1_000.0
}

/// A connection that stays.
struct Client {
    stream: BufReader<TcpStream>,
}

impl Client {
    fn connect(address: &str) -> Self {
        let stream = TcpStream::connect(address).expect("it listens");
        stream.set_nodelay(true).expect("no delay");
        Self { stream: BufReader::new(stream) }
    }

    fn ask(&mut self, operation: &str, body: &str) -> String {
        let request = format!(
            "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: {}\r\nContent-Type: \
             application/x-amz-json-1.1\r\nX-Amz-Target: SageMaker.{operation}\r\nAuthorization: \
             AWS4-HMAC-SHA256 Credential=a/20260101/eu-west-1/sagemaker/aws4_request, \
             SignedHeaders=host, Signature={}\r\n\r\n{body}",
            body.len(),
            "0".repeat(64)
        );
        self.stream.get_mut().write_all(request.as_bytes()).expect("sent");
        let mut length = 0;
        loop {
            let mut line = String::new();
            self.stream.read_line(&mut line).expect("an answer");
            if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse().expect("a length");
            }
            if line == "\r\n" {
                break;
            }
        }
        let mut answer = vec![0; length];
        self.stream.read_exact(&mut answer).expect("a body");
        String::from_utf8(answer).expect("UTF-8")
    }
}
