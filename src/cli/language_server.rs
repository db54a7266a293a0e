//! The options of `language-server`.

use std::path::PathBuf;

use clap::Args;

use super::Filter;

/// `lineload language-server`
#[derive(Debug, Clone, Args)]
#[command(after_help = "Editors start it, and talk to it on standard input and output.

Examples:
  lineload language-server                      manifests in ./manifests of each workspace folder
  lineload language-server data/lineage         manifests elsewhere in the workspace folder
  lineload language-server . --exclude .github  every YAML file except those in .github")]
pub struct LanguageServer {
    /// Files or directories with manifests, relative to each workspace folder
    #[arg(value_name = "PATH", default_value = "manifests")]
    pub paths: Vec<PathBuf>,
    #[command(flatten)]
    #[expect(missing_docs, reason = "flattened")]
    pub filter: Filter,
    /// Accepted, since many editors pass it: standard input and output are always used
    #[arg(long, hide = true)]
    pub stdio: bool,
}
