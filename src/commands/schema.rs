//! `lineload schema`

use std::io::Write as _;

use super::failure::Failure;
use crate::cli::Global;
use crate::exit::Exit;
use crate::report::output::{Output, OutputError};
use crate::schema;

pub(super) fn run(global: &Global) -> Result<Exit, Failure> {
    let mut out = Output::stdout(global.color.into());
    out.write_all(schema::text().as_bytes()).and_then(|()| out.flush()).map_err(OutputError)?;
    Ok(Exit::Success)
}
