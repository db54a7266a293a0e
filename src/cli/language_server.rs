//! The options of `language-server`.

use std::path::PathBuf;

use clap::Args;

use crate::source::Pattern;

/// `lineload language-server`
#[derive(Debug, Clone, Args)]
#[command(after_help = "Editors start it, and talk to it on standard input and output.

Examples:
  lineload language-server                      manifests in ./manifests of each workspace folder
  lineload language-server data/lineage         manifests elsewhere in the workspace folder
  lineload language-server . --exclude .github  every YAML file but some")]
pub struct LanguageServer {
    /// Files or directories with manifests, relative to each workspace folder
    #[arg(value_name = "PATH", default_value = "manifests")]
    pub paths: Vec<PathBuf>,
    /// Exclude matching paths, as in `lint`; repeatable
    #[arg(long, value_name = "GLOB")]
    pub exclude: Vec<Pattern>,
    /// Also check matching files in directories, besides `*.yaml` and `*.yml`; repeatable
    #[arg(long, value_name = "GLOB")]
    pub include: Vec<Pattern>,
    /// Follow symlinks that lead out of the named directories
    #[arg(long)]
    pub follow_links: bool,
    /// Accepted, since many editors pass it: standard input and output are always used
    #[arg(long, hide = true)]
    pub stdio: bool,
}
