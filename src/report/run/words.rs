//! Words that more than one report of a run has.

use jiff::Timestamp;

use super::RunLog;
use crate::submission::Outcome;
use crate::text::{counted, duration, grouped};

/// Returns what is to be known of a run beside its counts, in sentences of lineload's own.
pub(super) fn notes(log: &RunLog) -> Vec<String> {
    let counts = log.counts();
    let totals = log.timeline.totals();
    let mut notes = Vec::new();
    notes.extend(log.ending.map(str::to_owned));
    if log.known > 0 {
        let known = grouped(log.known as u64);
        notes.push(format!(
            "{known} already existed according to the journal, without a request; `--recheck` asks \
             the target"
        ));
    }
    if log.unseen > 0 {
        let unseen = grouped(log.unseen as u64);
        notes.push(format!(
            "{unseen} already existed, compared by name and type only; without `--check-drift=never` \
             every field is compared"
        ));
    }
    if log.others > 0 {
        let others = counted(log.others, "artifact");
        notes.push(format!(
            "{others} created by somebody else since this run began: is another import running?"
        ));
    }
    if totals.throttled > 0 {
        let creates = counted(number(totals.throttled), log.kind.noun());
        let were = if totals.throttled == 1 { "was" } else { "were" };
        notes.push(format!("{creates} {were} throttled and retried"));
    }
    if totals.pauses > 0 {
        let times = counted(number(totals.pauses), "time");
        let probes = counted(number(totals.probes), "probe");
        notes.push(format!("paused {times}, {} in all, with {probes}", duration(totals.paused)));
    }
    let invalid = counts.of(Outcome::Invalid);
    if invalid > 0 {
        let what = if invalid == 1 {
            "is invalid and was not submitted"
        } else {
            "are invalid and were not submitted"
        };
        notes.push(format!("{} {what}; `lineload lint` shows why", grouped(invalid as u64)));
    }
    let pending = counts.of(Outcome::Pending);
    if pending > 0 {
        let is = if pending == 1 { "is" } else { "are" };
        notes.push(format!("{} {is} pending", grouped(pending as u64)));
    }
    notes
}

fn number(count: u64) -> usize {
    usize::try_from(count).unwrap_or(usize::MAX)
}

/// Returns a moment as `2026-11-03 14:05:09 UTC`.
pub(super) fn moment(moment: Timestamp) -> String {
    moment.strftime("%Y-%m-%d %H:%M:%S UTC").to_string()
}
