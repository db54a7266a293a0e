//! What lineload is measured against: creates through the AWS SDK for Rust alone, in its own retry
//! modes, with 16 at once. It checks nothing, keeps no journal and paces nothing itself.
//!
//! `cargo bench --bench sdk -- adaptive|standard|off URL SECONDS`: sends for so long to the registry
//! at URL, and prints how many creates were answered.

#![expect(clippy::print_stdout, clippy::expect_used, reason = "a program for people who measure")]

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use aws_sdk_sagemaker::config::retry::RetryConfig;
use aws_sdk_sagemaker::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_sagemaker::types::ArtifactSource;
use aws_sdk_sagemaker::{Client, Config};

/// Requests under way at once.
const AT_ONCE: usize = 16;
/// Tries of one create: more than a run has time for.
const TRIES: u32 = 1000;

fn main() {
    let args: Vec<String> = std::env::args().skip(1).filter(|arg| arg != "--bench").collect();
    let [mode, url, seconds] = args.as_slice() else {
        println!("usage: cargo bench --bench sdk -- adaptive|standard|off URL SECONDS");
        return;
    };
    let retry = match mode.as_str() {
        "adaptive" => RetryConfig::adaptive().with_max_attempts(TRIES),
        "standard" => RetryConfig::standard().with_max_attempts(TRIES),
        _ => RetryConfig::disabled(),
    };
    let time = Duration::from_secs_f64(seconds.parse().expect("a number of seconds"));
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let (answered, took) = runtime.expect("a runtime").block_on(send(url, retry, time));
    println!("{answered} creates in {:.2} s", took.as_secs_f64());
}

async fn send(url: &str, retry: RetryConfig, time: Duration) -> (u64, Duration) {
    let config = Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("eu-west-1"))
        .credentials_provider(Credentials::new("a", "b", None, None, "bench"))
        .endpoint_url(url)
        .retry_config(retry)
        .build();
    let client = Client::from_conf(config);
    let (next, answered) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
    let began = Instant::now();
    let until = tokio::time::Instant::now() + time;
    let worker = |_| {
        let (client, next, answered) = (client.clone(), Arc::clone(&next), Arc::clone(&answered));
        tokio::spawn(tokio::time::timeout_at(until, async move {
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                let uri = format!("s3://bench/{}/{number}", std::process::id());
                let source = ArtifactSource::builder().source_uri(uri).build();
                let request = client.create_artifact().artifact_type("DataSet").source(source);
                if request.send().await.is_ok() {
                    answered.fetch_add(1, Ordering::Relaxed);
                }
            }
        }))
    };
    for worker in (0..AT_ONCE).map(worker).collect::<Vec<_>>() {
        // Each ends when its time is over.
        let _ = worker.await;
    }
    (answered.load(Ordering::Relaxed), began.elapsed())
}
