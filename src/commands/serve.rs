//! `lineload serve`

use std::io::{self, Write};
use std::net::IpAddr;

use super::failure::Failure;
use super::runtime::{Signals, block_on};
use crate::cli::{Global, Serve};
use crate::destination;
use crate::exit::Exit;
use crate::registry::{Options, Registry};
use crate::report::output::{Output, OutputError};

pub(super) fn run(global: &Global, args: &Serve) -> Result<Exit, Failure> {
    block_on(async {
        let mut signals = Signals::listen()?;
        if args.db.as_os_str() != ":memory:" {
            destination::check(&args.db)?;
        }
        let options = Options {
            file: args.db.clone(),
            listen: args.listen,
            port: args.port,
            misbehaviour: (&args.misbehaviour).into(),
        };
        let registry = Registry::start(options).await?;
        if !args.listen.is_loopback() {
            warn_of_others(global, args.listen);
        }
        greet(global, args, &registry).map_err(OutputError)?;
        let signal = signals.next().await;
        registry.stop().await;
        // Ending it is how it is meant to end.
        let asked = matches!(signal, 2 | 15);
        Ok(if asked { Exit::Success } else { Exit::Signal(signal) })
    })
}

/// Writes where the registry listens, and how to use it.
fn greet(global: &Global, args: &Serve, registry: &Registry) -> io::Result<()> {
    let endpoint = registry.endpoint();
    let mut out = Output::stdout(global.color.into());
    writeln!(out, "listening on {endpoint}")?;
    if !global.quiet {
        let place = if args.db.as_os_str() == ":memory:" {
            "memory: it is lost when this process ends".to_owned()
        } else {
            args.db.display().to_string()
        };
        writeln!(out, "registry {} in {place}", registry.id())?;
        writeln!(out, "in a browser: {endpoint}/")?;
        writeln!(out, "try: aws sagemaker list-artifacts --endpoint-url {endpoint}")?;
    }
    out.flush()
}

fn warn_of_others(global: &Global, listen: IpAddr) {
    let warning = format!(
        "anyone who can reach {listen} can read and change this registry: signatures are not \
         checked"
    );
    let mut error = anstream::AutoStream::new(io::stderr().lock(), global.color.into());
    // Standard error may be closed.
    let _ = writeln!(error, "warning: {warning}");
}
