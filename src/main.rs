//! The `lineload` command.

use std::process::ExitCode;

fn main() -> ExitCode {
    lineload::commands::main().into()
}
