//! One short file a command, which wires the stages.

mod checking;
#[cfg(feature = "aws")]
mod ending;
mod explain;
#[cfg(feature = "aws")]
mod export;
mod filter;
mod fixing;
mod git;
#[cfg(feature = "aws")]
mod import;
mod lint;
#[cfg(feature = "aws")]
mod run_policy;
#[cfg(feature = "aws")]
mod paced;
#[cfg(feature = "aws")]
mod plan;
#[cfg(feature = "aws")]
mod resume;
mod runtime;
mod schema;
mod serve;
#[cfg(feature = "aws")]
mod session;
mod settings;
#[cfg(feature = "aws")]
mod staging;
mod status;
#[cfg(feature = "aws")]
mod target;

use std::fmt;
use std::io;

use clap::Parser as _;

use crate::cli::{Cli, Command, Global, LogFormat};
use crate::exit::Exit;

/// Something to be said on standard error at the end of a command, and how the process ends then.
#[cfg(feature = "aws")]
type Notice = Failure;

/// Why a command did not run to its end.
#[derive(Debug)]
pub struct Failure {
    /// How the process ends.
    pub exit: Exit,
    /// What went wrong.
    pub message: String,
    /// What to do about it.
    pub help: Vec<String>,
}

impl Failure {
    /// Wrong usage, configuration or environment: nothing was sent.
    #[must_use]
    pub fn usage(message: impl Into<String>) -> Self {
        Self { exit: Exit::Usage, message: message.into(), help: Vec::new() }
    }

    /// Says it on standard error.
    fn show(&self, global: &Global) {
        let mut out = anstream::AutoStream::new(io::stderr().lock(), global.color.into());
        // Nobody may be there to read it.
        let _ = io::Write::write_fmt(&mut out, format_args!("{self}\n"));
    }

    /// A way out.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help.push(help.into());
        self
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::usage(format!("cannot write the output: {}", crate::text::reason(&error)))
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\x1b[1;31merror:\x1b[0m {}", self.message)?;
        self.help.iter().try_for_each(|help| write!(f, "\n  \x1b[36mhelp:\x1b[0m {help}"))
    }
}

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
        Command::Import(args) => import::run(&cli.global, args),
        #[cfg(feature = "aws")]
        Command::Plan(args) => plan::run(&cli.global, args),
        #[cfg(feature = "aws")]
        Command::Resume(args) => resume::run(&cli.global, args),
        #[cfg(feature = "aws")]
        Command::Export(args) => export::run(&cli.global, args),
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
    // Somebody who embeds the library has a logger already.
    drop(started);
}
