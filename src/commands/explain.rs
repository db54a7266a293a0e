//! `lineload explain`

use super::Failure;
use crate::cli::{Explain, Global};
use crate::exit::Exit;
use crate::report::output::Output;
use crate::report::rules;

pub(super) fn run(global: &Global, args: &Explain) -> Result<Exit, Failure> {
    let out = Output::stdout(global.color.into());
    match args.code {
        Some(code) => rules::explain(code, out)?,
        None => rules::list(out)?,
    }
    Ok(Exit::Success)
}
