//! How an import went as a page of its own: the counts, a picture of the rate over time, and what
//! failed.
//!
//! The page loads nothing and runs nothing, and its policy forbids both. It is well-formed XML too,
//! so that a parser can tell that no text from a manifest has become markup.

mod picture;
mod scale;

use std::io::{self, Write};
use std::ops::ControlFlow;

use super::row::Row;
use super::rows::Rows;
use super::timeline::Pause;
use super::{Counts, RunLog, row, words};
use crate::event::Cause;
use crate::report::markup::xml;
use crate::submission::Outcome;
use crate::text::{self, counted, duration, grouped};

/// Failures that are listed at most: a browser is slow with longer tables.
const LISTED: usize = 2_000;
/// Pauses that are listed at most.
const PAUSES: usize = 50;
/// The longest text in a cell, in characters.
const LONGEST_TEXT: usize = 1_000;
const STYLE: &str = include_str!("html/style.css");
const POLICY: &str =
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";

/// Writes the report.
///
/// # Errors
/// Where the writer fails, or the rows cannot be read.
pub fn write(log: &RunLog, rows: &dyn Rows, mut out: impl Write) -> io::Result<()> {
    let total = counted(log.counts().total(), "artifact");
    write!(
        out,
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"{POLICY}\"/>\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n\
         <meta name=\"color-scheme\" content=\"light dark\"/>\n\
         <title>lineload import: {total}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n\
         <header><h1>lineload <b>import</b></h1><p>{total}</p></header>\n<main>\n"
    )?;
    summary(log, &mut out)?;
    over_time(log, &mut out)?;
    failures(log, rows, &mut out)?;
    write!(out, "</main>\n</body>\n</html>\n")?;
    out.flush()
}

/// The counts, and the rest that is said in a word.
fn summary(log: &RunLog, out: &mut impl Write) -> io::Result<()> {
    write!(out, "<section>\n<h2>Outcome</h2>\n")?;
    match log.earlier {
        Some(_) => {
            tiles("Now", &log.counts_now(), out)?;
            tiles("In all", &log.counts(), out)?;
        }
        None => tiles("", &log.counts(), out)?,
    }
    writeln!(out, "<dl>")?;
    let mut line = |name: &str, text: &str| writeln!(out, "<dt>{name}</dt><dd>{text}</dd>");
    if let Some(target) = &log.target {
        line("Target", &xml(&row::shown_target(target).to_string()))?;
    }
    if let Some(started) = log.earlier.and_then(|earlier| earlier.started) {
        line("Run started", &words::moment(started))?;
    }
    line("Started", &words::moment(log.started))?;
    line("Took", &duration(log.took()))?;
    if let Some(rate) = log.created_a_second() {
        line("Average rate", &format!("{}/s", text::rate(rate)))?;
    }
    line("Run", &xml(&log.run))?;
    let notes = words::notes(log);
    if !notes.is_empty() {
        let notes: String = notes.iter().map(|note| format!("<li>{}</li>", spans(note))).collect();
        line("Notes", &format!("<ul>{notes}</ul>"))?;
    }
    write!(out, "</dl>\n</section>\n")
}

fn tiles(heading: &str, counts: &Counts, out: &mut impl Write) -> io::Result<()> {
    if !heading.is_empty() {
        writeln!(out, "<h3>{heading}</h3>")?;
    }
    writeln!(out, "<ul class=\"counts\">")?;
    for outcome in Outcome::ALL {
        let count = counts.of(outcome);
        if count == 0 && outcome != Outcome::Created {
            continue;
        }
        let class = match outcome {
            _ if count == 0 => "zero",
            Outcome::Created | Outcome::Recovered | Outcome::Updated => "good",
            Outcome::Existed => "plain",
            Outcome::Pending | Outcome::Differs => "open",
            _ => "bad",
        };
        let count = grouped(count as u64);
        writeln!(out, "<li class=\"{class}\"><b>{count}</b> {outcome}</li>")?;
    }
    writeln!(out, "</ul>")
}

/// A text of lineload's own, with what stands in backticks as code.
fn spans(text: &str) -> String {
    let parts = text.split('`').enumerate();
    let part =
        |(at, part)| if at % 2 == 1 { format!("<code>{}</code>", xml(part)) } else { xml(part) };
    parts.map(part).collect()
}

/// The picture, and its pauses in words: not each has the room for a name in it.
fn over_time(log: &RunLog, out: &mut impl Write) -> io::Result<()> {
    let timeline = &log.timeline;
    if timeline.is_empty() {
        return Ok(());
    }
    let heading =
        if log.earlier.is_some() { "Over time, since it was resumed" } else { "Over time" };
    write!(out, "<section>\n<h2>{heading}</h2>\n")?;
    picture::draw(timeline, out)?;
    let pauses = timeline.pauses();
    if !pauses.is_empty() {
        let count = counted(pauses.len(), "pause");
        write!(
            out,
            "<details><summary>{count}</summary>\n<table class=\"pauses\">\n<thead><tr>\
             <th>After</th><th>For</th><th>Why</th></tr></thead>\n<tbody>\n"
        )?;
        for Pause { cause, from, to } in pauses.iter().take(PAUSES) {
            let (after, lasted) = (duration(*from), duration(to.saturating_sub(*from)));
            let why = why(*cause);
            writeln!(out, "<tr><td>{after}</td><td>{lasted}</td><td>{why}</td></tr>")?;
        }
        write!(out, "</tbody>\n</table>\n")?;
        more(pauses.len(), PAUSES, "", out)?;
        writeln!(out, "</details>")?;
    }
    writeln!(out, "</section>")
}

const fn why(cause: Cause) -> &'static str {
    match cause {
        Cause::Limit => "a limit of the service was reached",
        Cause::Unreachable => "the target could not be reached",
        Cause::Expired => "the credentials had expired",
        Cause::Throttled => "every request was throttled",
        Cause::Failing => "the service failed",
    }
}

fn failures(log: &RunLog, rows: &dyn Rows, out: &mut impl Write) -> io::Result<()> {
    let count = log.counts().failed();
    if count == 0 {
        return Ok(());
    }
    write!(
        out,
        "<section>\n<h2>{} failed</h2>\n<div class=\"wide\">\n<table class=\"failures\">\n<thead><tr>\
         <th>File</th><th>Name</th><th>Outcome</th><th>Message</th></tr></thead>\n\
         <tbody>\n",
        grouped(count as u64)
    )?;
    let text = |text: &str| xml(&text::cut(text, LONGEST_TEXT));
    let mut listed = 0;
    rows.for_each_failed(&mut |entry| {
        if listed == LISTED {
            return Ok(ControlFlow::Break(()));
        }
        listed += 1;
        let row = Row::of(entry);
        let request = row.request_id.map(|id| format!("<small>request {}</small>", text(id)));
        writeln!(
            out,
            "<tr><td class=\"mono\">{}:{}</td><td>{}</td><td>{}</td><td>{}{}</td></tr>",
            text(row.file),
            row.line,
            text(row.title()),
            row.outcome,
            text(&row.said()),
            request.unwrap_or_default(),
        )?;
        Ok(ControlFlow::Continue(()))
    })?;
    write!(out, "</tbody>\n</table>\n</div>\n")?;
    more(count, listed, "; <code>--report FILE.json</code> lists them all", out)?;
    writeln!(out, "</section>")
}

fn more(count: usize, listed: usize, hint: &str, out: &mut impl Write) -> io::Result<()> {
    if count <= listed {
        return Ok(());
    }
    writeln!(out, "<p>and {} more{hint}</p>", grouped((count - listed) as u64))
}
