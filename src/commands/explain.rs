//! `lineload explain`

use super::failure::Failure;
use super::terminal::shown_on_stdout;
use crate::cli::{Explain, Global};
use crate::exit::Exit;
use crate::report::output::{Output, OutputError};
use crate::report::rules;

pub(super) fn run(global: &Global, args: &Explain) -> Result<Exit, Failure> {
    let out = Output::stdout(global.color.into());
    match args.code {
        Some(code) => rules::explain(code, &shown_on_stdout(), out),
        None => rules::list(out),
    }
    .map_err(OutputError)?;
    Ok(Exit::Success)
}
