//! One short file for each command, which connects the stages.

mod checking;
mod command_line;
mod explain;
mod failure;
mod filter;
mod fixing;
mod git;
mod lint;
mod manifests;
mod names;
#[cfg(feature = "aws")]
mod remote;
mod reports;
mod runtime;
mod schema;
mod serve;
mod settings;
mod status;
mod terminal;

use std::io;

use clap::Parser as _;

use crate::cli::{Cli, Command, Global, LogFormat};
use crate::exit::Exit;

/// Runs the command of the command line.
#[must_use]
pub fn main() -> Exit {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // `--help` and `--version` come this way too. Nobody may be there to read them.
            let _ = error.print();
            return if error.use_stderr() { Exit::Usage } else { Exit::Success };
        }
    };
    // Progress and notes know no options.
    anstream::ColorChoice::from(cli.global.color).write_global();
    start_logging(&cli.global);
    let result = match &cli.command {
        Command::Lint(args) => lint::run(&cli.global, args),
        #[cfg(feature = "aws")]
        Command::Remote(command) => remote::run(&cli.global, command),
        Command::Serve(args) => serve::run(&cli.global, args),
        Command::Status(args) => status::run(&cli.global, args),
        Command::Schema => schema::run(&cli.global),
        Command::Explain(args) => explain::run(&cli.global, args),
    };
    result.unwrap_or_else(|failure| {
        failure.show(&cli.global);
        failure.exit
    })
}

fn start_logging(global: &Global) {
    let filter = match global.verbose {
        0 => "lineload=warn",
        1 => "lineload=info",
        2 => "lineload=debug",
        _ => "lineload=trace,aws=debug,hyper=debug",
    };
    let filter = std::env::var("LINELOAD_LOG").unwrap_or_else(|_| filter.to_owned());
    let filter = tracing_subscriber::EnvFilter::new(filter);
    let colors = anstream::AutoStream::choice(&io::stderr()) != anstream::ColorChoice::Never;
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr);
    let started = match global.log_format {
        LogFormat::Text => builder.with_ansi(colors).with_target(false).try_init(),
        LogFormat::Json => builder.json().try_init(),
    };
    // An embedding program may have a logger already.
    drop(started);
}
