//! Words that more than one report of a run has.

use std::time::Duration;

use jiff::Timestamp;

use super::RunLog;
use crate::diagnostic::words::{counted, grouped};
use crate::submission::Outcome;

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
        let creates = counted(number(totals.throttled), "create");
        let were = if totals.throttled == 1 { "was" } else { "were" };
        notes.push(format!("{creates} {were} throttled and retried"));
    }
    if totals.pauses > 0 {
        let times = counted(number(totals.pauses), "time");
        let probes = counted(number(totals.probes), "probe");
        notes.push(format!("paused {times}, {} in all, with {probes}", length(totals.paused)));
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

/// Returns a duration as `41ms`, `1.4s`, `12s`, `3m 20s`, `5h 7m` or `3d 2h`.
pub(crate) fn length(length: Duration) -> String {
    let seconds = length.as_secs();
    let two = |first: u64, unit: &str, second: u64, lower: &str| match second {
        0 => format!("{first}{unit}"),
        second => format!("{first}{unit} {second}{lower}"),
    };
    match seconds {
        0 if length.is_zero() => "0s".to_owned(),
        0 => format!("{}ms", length.as_millis().max(1)),
        1..10 => {
            let tenths = length.as_millis() / 100;
            match tenths % 10 {
                0 => format!("{seconds}s"),
                tenth => format!("{seconds}.{tenth}s"),
            }
        }
        10..60 => format!("{seconds}s"),
        60..3600 => two(seconds / 60, "m", seconds % 60, "s"),
        3600..86_400 => two(seconds / 3600, "h", seconds % 3600 / 60, "m"),
        _ => two(seconds / 86_400, "d", seconds % 86_400 / 3600, "h"),
    }
}

/// Returns a time that is still to come, as [`length`] writes it. It is rounded up, so that nothing
/// takes longer than was said.
pub(crate) fn time_left(left: Duration) -> String {
    let whole = left.as_secs() + u64::from(left.subsec_nanos() > 0);
    length(Duration::from_secs(whole))
}

/// Returns a rate without its unit: `0.25`, `0.5`, `18.4`, `1,234`.
pub(crate) fn rate(per_second: f64) -> String {
    if per_second >= 999.95 {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a float out of range is cut to it"
        )]
        return grouped(per_second.round() as u64);
    }
    if per_second > 0.0 && per_second < 1.0 {
        let text = format!("{:.2}", per_second.max(0.01));
        return text.strip_suffix('0').unwrap_or(&text).to_owned();
    }
    if per_second <= 0.0 { "0".to_owned() } else { format!("{per_second:.1}") }
}

/// Returns `text`, ended with `…` where it has more characters than `most`.
pub(super) fn cut(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_their_two_highest_units() {
        let millis = [0, 41, 1000, 1_449, 9_990, 12_700, 60_000, 123_000, 3_600_000, 18_420_000];
        let texts = millis.map(|millis| length(Duration::from_millis(millis)));
        let expected = ["0s", "41ms", "1s", "1.4s", "9.9s", "12s", "1m", "2m 3s", "1h", "5h 7m"];
        assert_eq!(texts, expected);
        assert_eq!(length(Duration::from_secs(3 * 86_400 + 7_300)), "3d 2h");
        assert_eq!(length(Duration::from_micros(3)), "1ms");
        assert_eq!(time_left(Duration::from_millis(99_001)), "1m 40s");
        assert_eq!(time_left(Duration::from_millis(1)), "1s");
    }

    #[test]
    fn rates_have_as_many_digits_as_they_need() {
        let texts = [0.0, 0.004, 0.25, 0.5, 0.94, 0.996, 2.0, 38.24, 999.94, 1_234.4].map(rate);
        let expected = ["0", "0.01", "0.25", "0.5", "0.94", "1.0", "2.0", "38.2", "999.9", "1,234"];
        assert_eq!(texts, expected);
    }
}
