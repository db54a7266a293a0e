//! One short file for each command, which connects the stages.

mod baseline;
mod checking;
mod command_line;
mod completions;
mod config;
mod explain;
mod failure;
mod filter;
mod fixing;
mod generate;
mod git;
mod inventory;
mod language_server;
mod lint;
mod log;
mod man;
mod manifests;
mod merge_index;
#[cfg(feature = "aws")]
mod remote;
mod reports;
mod runtime;
mod schema;
mod serve;
mod settings;
mod status;
mod terminal;

use crate::cli::{self, Command};
use crate::exit::Exit;

/// Runs the command of the command line.
#[must_use]
pub fn main() -> Exit {
    if let Some(exit) = completions::answered() {
        return exit;
    }
    let cli = match cli::parse() {
        Ok(cli) => cli,
        Err(error) => {
            // `--help` and `--version` come this way too. Nobody may be there to read them.
            let _ = error.print();
            return if error.use_stderr() { Exit::Usage } else { Exit::Success };
        }
    };
    // Progress and notes know no options.
    anstream::ColorChoice::from(cli.global.color).write_global();
    log::start(&cli.global);
    let result = match &cli.command {
        Command::Lint(args) => lint::run(&cli.global, args),
        #[cfg(feature = "aws")]
        Command::Remote(command) => remote::run(&cli.global, command),
        Command::MergeIndex(args) => merge_index::run(&cli.global, args),
        Command::Generate(args) => generate::run(&cli.global, args),
        Command::Serve(args) => serve::run(&cli.global, args),
        Command::Status(args) => status::run(&cli.global, args),
        Command::Config(args) => config::run(&cli.global, args),
        Command::Schema => schema::run(&cli.global),
        Command::Explain(args) => explain::run(&cli.global, args),
        Command::LanguageServer(args) => language_server::run(&cli.global, args),
        Command::Completions(args) => completions::run(&cli.global, args),
        Command::Man(args) => man::run(&cli.global, args),
    };
    result.unwrap_or_else(|failure| {
        failure.show(&cli.global);
        failure.exit
    })
}
