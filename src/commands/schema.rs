//! `lineload schema`

use std::io::Write as _;

use super::Failure;
use crate::cli::Global;
use crate::exit::Exit;
use crate::report::output::Output;
use crate::schema;

pub(super) fn run(global: &Global) -> Result<Exit, Failure> {
    let mut out = Output::stdout(global.color.into());
    out.write_all(schema::text().as_bytes())?;
    out.flush()?;
    Ok(Exit::Success)
}
