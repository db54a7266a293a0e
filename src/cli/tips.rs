//! Tips of usage errors that clap has no word for.

use clap::builder::StyledStr;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Command, Error};

use super::environment;

/// The part of an option's letters that may be wrong: one in this many.
const WRONG: usize = 3;

/// Returns `error` with the option that was probably meant, or the variable that a value is from.
pub(super) fn with_tips(mut error: Error, command: &Command) -> Error {
    let tip = match error.kind() {
        ErrorKind::UnknownArgument => option(&error, command),
        ErrorKind::InvalidValue | ErrorKind::ValueValidation => variable(&error),
        _ => None,
    };
    let Some(tip) = tip else { return error };
    // To pass an option as a path is hardly what was meant.
    error.remove(ContextKind::SuggestedArg);
    let mut tips = match error.remove(ContextKind::Suggested) {
        Some(ContextValue::StyledStrs(tips)) if error.kind() != ErrorKind::UnknownArgument => tips,
        _ => Vec::new(),
    };
    tips.push(StyledStr::from(tip));
    error.insert(ContextKind::Suggested, ContextValue::StyledStrs(tips));
    error
}

fn text(error: &Error, kind: ContextKind) -> Option<&str> {
    match error.get(kind)? {
        ContextValue::String(text) => Some(text),
        _ => None,
    }
}

/// Returns the option that an unknown one resembles, or the commands that have it: clap compares by
/// common beginnings, and misses `--fxi`.
fn option(error: &Error, command: &Command) -> Option<String> {
    let unknown = text(error, ContextKind::InvalidArg)?.strip_prefix("--")?;
    let typed = std::env::args_os().skip(1);
    let of = typed.filter_map(|word| command.find_subcommand(word)).next()?;
    let longs = |of: &Command| -> Vec<String> {
        of.get_arguments().filter_map(|arg| Some(arg.get_long()?.to_owned())).collect()
    };
    let others =
        command.get_subcommands().filter(|one| longs(one).iter().any(|long| long == unknown));
    let others: Vec<_> = others.map(|one| format!("`lineload {}`", one.get_name())).collect();
    if !others.is_empty() {
        return Some(format!("'--{unknown}' is an option of {}", others.join(", ")));
    }
    let distance = |long: &String| strsim::damerau_levenshtein(long, unknown);
    if error.get(ContextKind::SuggestedArg).is_some() {
        return None;
    }
    let near = longs(of).into_iter().chain(longs(command)).min_by_key(distance)?;
    (distance(&near) <= (unknown.len() / WRONG).max(1))
        .then(|| format!("a similar argument exists: '--{near}'"))
}

/// Returns that the value at fault is from a variable: nobody has typed the option that the error names.
fn variable(error: &Error) -> Option<String> {
    let option = text(error, ContextKind::InvalidArg)?.split([' ', '=', '[']).next()?;
    let typed = std::env::args_os().skip(1).any(|word| {
        let word = word.to_string_lossy();
        word == option || word.strip_prefix(option).is_some_and(|rest| rest.starts_with('='))
    });
    let wrong = text(error, ContextKind::InvalidValue)?;
    let variable = environment::source(option.trim_start_matches('-'), wrong)?;
    (!typed).then(|| format!("the value is that of the variable {variable}"))
}
