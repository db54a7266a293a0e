//! `lineload language-server`

use std::io;

use super::failure::Failure;
use crate::cli::{Global, LanguageServer};
use crate::exit::Exit;
use crate::language_server::{self, End, Options};
use crate::text::reason;

pub(super) fn run(global: &Global, args: &LanguageServer) -> Result<Exit, Failure> {
    let working = std::env::current_dir().unwrap_or_default();
    let options = Options {
        paths: args.paths.clone(),
        exclude: args.filter.exclude.clone(),
        include: args.filter.include.clone(),
        follow_links: args.filter.follow_links,
        config: global.config.as_ref().map(|file| working.join(file)),
        isolated: global.isolated,
    };
    let end = language_server::run(options, io::stdin(), io::stdout().lock()).map_err(|error| {
        Failure::usage(format!("cannot write to the editor: {}", reason(&error)))
    })?;
    // The protocol wants 1 where the client has not asked to shut down.
    Ok(if end == End::Orderly { Exit::Success } else { Exit::Findings })
}
