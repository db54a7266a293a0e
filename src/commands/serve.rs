//! `lineload serve`

use std::io::{ErrorKind, Write as _};
use std::net::IpAddr;

use super::Failure;
use super::checking::shell_word;
use super::runtime::{Signals, block_on};
use crate::cli::{Global, Serve};
use crate::exit::Exit;
use crate::registry::{OpenError, Options, Registry, StartError};
use crate::report::output::Output;

pub(super) fn run(global: &Global, args: &Serve) -> Result<Exit, Failure> {
    block_on(async {
        let mut signals = Signals::listen()?;
        let options = Options {
            file: args.db.clone(),
            listen: args.listen,
            port: args.port,
            misbehaviour: (&args.misbehaviour).into(),
        };
        let registry = Registry::start(options).await.map_err(|error| failure(&error))?;
        if !args.listen.is_loopback() {
            warn_of_others(global, args.listen);
        }
        let mut out = Output::stdout(global.color.into());
        writeln!(out, "listening on {}", registry.endpoint())?;
        if !global.quiet {
            let endpoint = registry.endpoint();
            let file = args.db.display();
            let place = if args.db.as_os_str() == ":memory:" {
                "memory: it ends with this process".to_owned()
            } else {
                file.to_string()
            };
            writeln!(out, "registry {} in {place}", registry.id())?;
            writeln!(out, "in a browser: {endpoint}/")?;
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

fn warn_of_others(global: &Global, listen: IpAddr) {
    let warning = format!(
        "everybody who reaches {listen} can read and change this registry: signatures are not checked"
    );
    let mut error = anstream::AutoStream::new(std::io::stderr().lock(), global.color.into());
    // Nobody may be there to read it.
    let _ = writeln!(error, "warning: {warning}");
}

pub(super) fn failure(error: &StartError) -> Failure {
    let failure = Failure::usage(error.to_string());
    match error {
        StartError::Listen { source, .. } if source.kind() == ErrorKind::AddrNotAvailable => {
            failure.help("name an address of this machine with `--listen`")
        }
        StartError::Listen { .. } => failure.help("choose another `--port`, or 0 for any free one"),
        StartError::Open(OpenError::NoDirectory { directory }) => failure
            .help(format!("create it with `mkdir -p {}`", shell_word(&directory.to_string_lossy())))
            .help("or name another file"),
        StartError::Open(_) => failure.help("name another file"),
    }
}
