//! `lineload serve`

use std::io::Write as _;

use super::Failure;
use super::runtime::{Signals, block_on};
use crate::cli::{Global, Serve};
use crate::exit::Exit;
use crate::registry::{Options, Registry, StartError};
use crate::report::output::Output;

pub(super) fn run(global: &Global, args: &Serve) -> Result<Exit, Failure> {
    block_on(async {
        let mut signals = Signals::listen()?;
        let options = Options {
            file: args.db.clone(),
            port: args.port,
            misbehaviour: (&args.misbehaviour).into(),
        };
        let registry = Registry::start(options).await.map_err(|error| failure(&error))?;
        let mut out = Output::stdout(global.color.into());
        writeln!(out, "listening on {}", registry.endpoint())?;
        if !global.quiet {
            let endpoint = registry.endpoint();
            writeln!(out, "registry {} in {}", registry.id(), args.db.display())?;
            writeln!(out, "try: aws sagemaker list-artifacts --endpoint-url {endpoint}")?;
        }
        out.flush()?;
        let signal = signals.next().await;
        registry.stop().await;
        // Ending it is how it is meant to end.
        let asked = matches!(signal, 2 | 15);
        Ok(if asked { Exit::Success } else { Exit::Signal(signal) })
    })
}

pub(super) fn failure(error: &StartError) -> Failure {
    let failure = Failure::usage(error.to_string());
    match error {
        StartError::Listen { .. } => failure.help("choose another `--port`, or 0 for any free one"),
        StartError::Open(_) => failure.help("name another file"),
    }
}
