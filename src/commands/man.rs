//! `lineload man`: a page for each command, from what `--help` says.

use std::io::{self, Write as _};
use std::path::Path;

use clap::Command;
use clap_mangen::Man;
use clap_mangen::roff::{Roff, roman};

use super::failure::Failure;
use crate::cli::{self, Global};
use crate::destination;
use crate::exit::Exit;
use crate::report::output::{Output, OutputError};
use crate::text::{counted, escaped, reason, shell_word};

/// The heading that an `after_help` begins with.
const EXAMPLES: &str = "Examples:\n";

pub(super) fn run(global: &Global, args: &cli::Man) -> Result<Exit, Failure> {
    let directory = &args.directory;
    let failure = |path: &Path, error: &io::Error| {
        let path = escaped(&path.display().to_string());
        Failure::usage(format!("cannot write {path}: {}", reason(error)))
    };
    std::fs::create_dir_all(directory).map_err(|error| failure(directory, &error))?;
    let pages = pages().map_err(|error| failure(directory, &error))?;
    for (name, page) in &pages {
        let path = directory.join(name);
        let write = || destination::create(&path)?.write_all(page);
        write().map_err(|error| failure(&path, &error))?;
    }
    if !global.quiet {
        let mut out = Output::stdout(global.color.into());
        let directory = shell_word(&directory.display().to_string());
        let pages = counted(pages.len(), "page");
        writeln!(out, "{pages} in {directory}").and_then(|()| out.flush()).map_err(OutputError)?;
    }
    Ok(Exit::Success)
}

/// Returns every page, by the name of its file.
fn pages() -> io::Result<Vec<(String, Vec<u8>)>> {
    let mut command = cli::command().disable_help_subcommand(true);
    command.build();
    let mut pages = vec![page(&command)?];
    for subcommand in command.get_subcommands().filter(|one| !one.is_hide_set()) {
        pages.push(page(subcommand)?);
    }
    Ok(pages)
}

fn page(command: &Command) -> io::Result<(String, Vec<u8>)> {
    // It would become a section of the name EXTRA, with the lines run together.
    let after = command.get_after_long_help().or(command.get_after_help());
    let after = after.map(ToString::to_string).unwrap_or_default();
    let (notes, examples) = after.split_once(EXAMPLES).unwrap_or((&after, ""));
    let version = concat!("lineload ", env!("CARGO_PKG_VERSION"));
    let man = Man::new(command.clone().after_help(None::<&str>).after_long_help(None::<&str>));
    let man = man.source(version).manual("lineload Manual");
    let mut page = Vec::new();
    man.render(&mut page)?;
    let mut roff = Roff::new();
    for (heading, text) in [("NOTES", notes.trim()), ("EXAMPLES", examples.trim_end())] {
        if !text.is_empty() {
            roff.control("SH", [heading]).control("nf", []);
            roff.text([roman(text)]).control("fi", []);
        }
    }
    if command.get_name() != "lineload" {
        roff.control("SH", ["SEE ALSO"]).text([roman("lineload(1)")]);
    }
    page.extend(roff.render().into_bytes());
    Ok((man.get_filename(), page))
}
