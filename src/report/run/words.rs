//! What more than one report of a run says.

use std::time::Duration;

use jiff::Timestamp;

use super::RunLog;
use crate::diagnostic::words::{counted, grouped};
use crate::submission::Outcome;

/// What is to be known of a run beside its counts, in sentences of lineload's own.
pub(super) fn notes(log: &RunLog) -> Vec<String> {
    let counts = log.counts();
    let totals = log.timeline.totals();
    let mut notes = Vec::new();
    notes.extend(log.ending.map(str::to_owned));
    if log.known > 0 {
        let known = grouped(log.known as u64);
        notes.push(format!("{known} existed by the journal, without a request"));
    }
    if log.unseen > 0 {
        let unseen = grouped(log.unseen as u64);
        notes.push(format!("{unseen} existed as far as name and type tell: no more was compared"));
    }
    if log.others > 0 {
        let others = counted(log.others, "artifact");
        notes.push(format!(
            "{others} created by somebody else since this run began: is another import running?"
        ));
    }
    if totals.throttled > 0 {
        let creates = counted(number(totals.throttled), "create");
        let were = if totals.throttled == 1 { "was" } else { "were" };
        notes.push(format!("{creates} {were} throttled and sent again"));
    }
    if totals.pauses > 0 {
        let times = counted(number(totals.pauses), "time");
        let probes = counted(number(totals.probes), "probe");
        notes.push(format!("paused {times}, {} in all, with {probes}", length(totals.paused)));
    }
    let invalid = counts.of(Outcome::Invalid);
    if invalid > 0 {
        let what = if invalid == 1 {
            "has an error in its manifest and was"
        } else {
            "have errors in their manifests and were"
        };
        notes.push(format!(
            "{} {what} not sent; `lineload lint` shows them",
            grouped(invalid as u64)
        ));
    }
    let pending = counts.of(Outcome::Pending);
    if pending > 0 {
        let were = if pending == 1 { "was" } else { "were" };
        notes.push(format!("{} {were} not sent, or not yet", grouped(pending as u64)));
    }
    notes
}

fn number(count: u64) -> usize {
    usize::try_from(count).unwrap_or(usize::MAX)
}

/// `2026-11-03 14:05:09 UTC`
pub(super) fn moment(moment: Timestamp) -> String {
    moment.strftime("%Y-%m-%d %H:%M:%S UTC").to_string()
}

/// `41 ms`, `1.4 s`, `12 s`, `3 min 20 s`, `5 h 7 min`, `3 d 2 h`.
pub(super) fn length(length: Duration) -> String {
    let seconds = length.as_secs();
    let two = |first: u64, unit: &str, second: u64, lower: &str| match second {
        0 => format!("{first} {unit}"),
        second => format!("{first} {unit} {second} {lower}"),
    };
    match seconds {
        0 => format!("{} ms", length.as_millis()),
        1..10 => {
            let text = format!("{:.1}", length.as_secs_f64());
            format!("{} s", text.strip_suffix(".0").unwrap_or(&text))
        }
        10..120 => format!("{seconds} s"),
        120..7200 => two(seconds / 60, "min", seconds % 60, "s"),
        7200..172_800 => two(seconds / 3600, "h", seconds % 3600 / 60, "min"),
        _ => two(seconds / 86_400, "d", seconds % 86_400 / 3600, "h"),
    }
}

/// `text`, ended with `…` where it has more characters than `most`.
pub(super) fn cut(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
