//! `lineload completions`, and the question of a shell for what can stand where the cursor is.

use std::io::Write as _;

use clap_complete::env::{Bash, CompleteEnv, Elvish, EnvCompleter, Fish, Powershell, Zsh};

use super::failure::Failure;
use crate::cli::{self, Completions, Global, Shell};
use crate::exit::Exit;
use crate::report::output::{Output, OutputError};

/// The variable with which a shell's script asks. Nothing but lineload's own scripts set it.
const VARIABLE: &str = "LINELOAD_COMPLETE";

/// Answers the question of a shell, if this call is one, and returns how that ended.
pub(super) fn answered() -> Option<Exit> {
    let working = std::env::current_dir().ok();
    let environment = CompleteEnv::with_factory(cli::command).var(VARIABLE);
    match environment.try_complete(std::env::args_os(), working.as_deref()) {
        Ok(false) => None,
        Ok(true) => Some(Exit::Success),
        // The shell has no place to show it.
        Err(_) => Some(Exit::Usage),
    }
}

pub(super) fn run(global: &Global, args: &Completions) -> Result<Exit, Failure> {
    let shell: &dyn EnvCompleter = match args.shell {
        Shell::Bash => &Bash,
        Shell::Elvish => &Elvish,
        Shell::Fish => &Fish,
        Shell::Powershell => &Powershell,
        Shell::Zsh => &Zsh,
    };
    let mut out = Output::stdout(global.color.into());
    let name = "lineload";
    let written = shell.write_registration(VARIABLE, name, name, name, &mut out);
    written.and_then(|()| out.flush()).map_err(OutputError)?;
    Ok(Exit::Success)
}
