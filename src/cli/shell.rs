//! `lineload completions` and `lineload man`

use std::path::PathBuf;

use clap::{Args, ValueEnum};

/// `lineload completions`
#[derive(Debug, Clone, Args)]
#[command(after_help = "Examples:
  source <(lineload completions bash)                 in ~/.bashrc
  source <(lineload completions zsh)                  in ~/.zshrc, behind compinit
  lineload completions fish | source                  in ~/.config/fish/config.fish
  eval (lineload completions elvish | slurp)          in ~/.config/elvish/rc.elv
  lineload completions powershell | Out-String | iex  in $PROFILE")]
pub struct Completions {
    /// The shell
    #[arg(value_name = "SHELL")]
    pub shell: Shell,
}

/// A shell that can complete.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[expect(missing_docs, reason = "documented, each value would be a paragraph of every help text")]
pub enum Shell {
    Bash,
    Elvish,
    Fish,
    Powershell,
    Zsh,
}

/// `lineload man`
#[derive(Debug, Clone, Args)]
#[command(after_help = "Examples:
  lineload man ~/.local/share/man/man1  for your own account; then `man lineload-import`")]
pub struct Man {
    /// The directory to write the pages to, created if it does not exist; pages of lineload in it are
    /// replaced
    #[arg(value_name = "DIR")]
    pub directory: PathBuf,
}
