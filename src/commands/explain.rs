//! `lineload explain`

use super::{Failure, checking};
use crate::cli::{Explain, Global};
use crate::exit::Exit;
use crate::report::output::Output;
use crate::report::rules;

pub(super) fn run(global: &Global, args: &Explain) -> Result<Exit, Failure> {
    let out = Output::stdout(global.color.into());
    match args.code {
        Some(code) => rules::explain(code, &checking::shown_on_stdout(), out)?,
        None => rules::list(out)?,
    }
    Ok(Exit::Success)
}
