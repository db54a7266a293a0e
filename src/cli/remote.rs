//! The commands that talk to a target.

use clap::Subcommand;

pub use super::delete::{Delete, Matching};
use super::doctor::Doctor;
use super::export::Export;
use super::import::{Import, Plan, Resume};

/// A command that talks to a target.
#[derive(Debug, Subcommand)]
pub enum Remote {
    /// Check manifests, then create the artifacts that the target does not have
    Import(Box<Import>),
    /// Show what an import would do, without changing anything
    Plan(Box<Plan>),
    /// Resume a run that ended early, exactly as it was staged
    Resume(Box<Resume>),
    /// Delete artifacts that earlier runs created
    Delete(Box<Delete>),
    /// Write the artifacts of a target as manifests
    Export(Box<Export>),
    /// Check what a target allows, and whether it behaves as lineload assumes
    Doctor(Box<Doctor>),
}
