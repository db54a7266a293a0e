//! Integration tests: the real binary on real files, real SQLite, real HTTP on loopback.

#![expect(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "a test that cannot continue has failed"
)]
#![expect(unreachable_pub, reason = "nobody links against a test")]

mod baseline;
mod changed;
mod collisions;
mod config;
#[cfg(feature = "aws")]
mod connect;
#[cfg(feature = "aws")]
mod delete;
#[cfg(feature = "aws")]
mod doctor;
mod docs;
#[cfg(feature = "aws")]
mod existing;
mod explain;
#[cfg(all(unix, feature = "aws"))]
mod export;
mod findings;
mod fixes;
mod formats;
mod house;
mod generate;
mod helps;
mod hostile;
#[cfg(all(unix, feature = "aws"))]
mod import;
#[cfg(unix)]
mod inventories;
#[cfg(all(unix, feature = "aws"))]
mod journal;
mod language_server;
mod machine_formats;
#[cfg(all(unix, feature = "aws"))]
mod metrics;
#[cfg(feature = "parquet")]
mod parquet;
#[cfg(unix)]
mod paths;
#[cfg(feature = "aws")]
mod plan;
mod registry;
#[cfg(debug_assertions)]
mod regular;
#[cfg(all(unix, feature = "aws"))]
mod reports;
#[cfg(feature = "aws")]
mod resume;
mod rewrites;
mod schema;
mod shards;
mod shell;
#[cfg(feature = "aws")]
#[path = "../../src/service/sagemaker/tests/scripted.rs"]
mod scripted;
mod support;
mod words;
mod written;
