//! `lineload` checks YAML manifests of SageMaker ML Lineage artifacts and imports them.
//!
//! The modules stand low to high; each imports only from those above it in this list.

#![cfg_attr(test, expect(clippy::unwrap_used, reason = "a test that cannot continue has failed"))]

pub mod text;
pub mod markup;
pub mod exit;
pub mod model;
pub mod source;
pub mod diagnostic;
pub mod artifact;
pub mod config;
pub mod yaml;
pub mod walk;
pub mod destination;
pub mod manifest;
pub mod check;
pub mod shards;
pub mod schema;
pub mod fix;
pub mod language_server;
pub mod generate;
pub mod submission;
pub mod event;
pub mod journal;
pub mod service;
pub mod pace;
pub mod run;
pub mod plan;
pub mod export;
pub mod doctor;
pub mod registry;
pub mod report;
pub mod cli;
pub mod commands;
