//! The skew of this machine's clock, according to the service.

use std::time::{Duration, SystemTime};

use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;

/// The clock skew that every service tolerates. If the response's `Date` is closer than this, skew
/// does not explain the refusal.
const NO_MATTER: Duration = Duration::from_secs(60);

/// Says how far the clock, which shows `now`, is off: by the response's `Date`, else by the times
/// in the service's message.
pub(super) fn words(date: Option<&str>, now: SystemTime, said: &str) -> String {
    let by_date = date
        .and_then(|date| DateTime::from_str(date, Format::HttpDate).ok())
        .and_then(|date| SystemTime::try_from(date).ok())
        .map(|theirs| Off::between(now, theirs))
        .filter(|off| off.by >= NO_MATTER);
    match by_date.or_else(|| stated(said)) {
        Some(Off { behind, by }) => {
            let side = if behind { "behind" } else { "ahead of" };
            format!("this machine's clock is {} {side} the service's", rounded(by))
        }
        None if said.is_empty() => "the service reports that this machine's clock is \
                                    wrong"
            .to_owned(),
        None => format!("the service reports that this machine's clock is wrong: {said}"),
    }
}

struct Off {
    behind: bool,
    by: Duration,
}

impl Off {
    fn between(ours: SystemTime, theirs: SystemTime) -> Self {
        match theirs.duration_since(ours) {
            Ok(by) => Self { behind: true, by },
            Err(error) => Self { behind: false, by: error.duration() },
        }
    }
}

/// Reads "Signature expired: A is now earlier than B (C - 5 min.)": A is when the request was
/// signed, C what the service's clock shows.
fn stated(said: &str) -> Option<Off> {
    let time = |word: &str| {
        let word = word.trim_matches(|c: char| !c.is_ascii_alphanumeric());
        let time = jiff::civil::DateTime::strptime("%Y%m%dT%H%M%SZ", word).ok()?;
        SystemTime::try_from(jiff::tz::TimeZone::UTC.to_timestamp(time).ok()?).ok()
    };
    let mut times = said.split_whitespace().filter_map(time);
    let (signed, theirs) = (times.next()?, times.next_back()?);
    Some(Off::between(signed, theirs)).filter(|off| off.by >= NO_MATTER)
}

/// `45s`, `7m`, `1h 50m`: seconds do not matter for larger values.
fn rounded(by: Duration) -> String {
    let unit = if by < Duration::from_secs(120) { 1 } else { 60 };
    let whole = (by.as_secs() + unit / 2) / unit * unit;
    let whole = i64::try_from(whole).unwrap_or(i64::MAX);
    format!("{:#}", jiff::SignedDuration::from_secs(whole))
}

#[cfg(test)]
mod tests {
    use super::*;

    const DATE: &str = "Fri, 27 Nov 2026 11:50:00 GMT";

    fn at(text: &str) -> SystemTime {
        text.parse::<jiff::Timestamp>().unwrap().try_into().unwrap()
    }

    #[test]
    fn the_date_of_the_answer_says_by_how_much() {
        let said = "Signature expired: 20261127T114300Z is now earlier than 20261127T114500Z \
                    (20261127T115000Z - 5 min.)";
        let words = |now: &str| words(Some(DATE), at(now), said);
        let clock = "this machine's clock is";
        assert_eq!(words("2026-11-27T11:43:02Z"), format!("{clock} 7m behind the service's"));
        assert_eq!(words("2026-11-27T12:10:00Z"), format!("{clock} 20m ahead of the service's"));
        assert_eq!(words("2026-11-27T10:00:00Z"), format!("{clock} 1h 50m behind the service's"));
        assert_eq!(words("2026-11-27T11:48:30Z"), format!("{clock} 1m 30s behind the service's"));
    }

    #[test]
    fn without_a_date_the_words_of_the_service_say_it() {
        let now = at("2030-01-01T00:00:00Z");
        let expired = "Signature expired: 20261127T100000Z is now earlier than 20261127T114500Z \
                       (20261127T115000Z - 5 min.)";
        let early = "Signature not yet current: 20261127T120700Z is still later than \
                     20261127T115500Z (20261127T115000Z + 5 min.)";
        let clock = "this machine's clock is";
        assert_eq!(words(None, now, expired), format!("{clock} 1h 50m behind the service's"));
        assert_eq!(words(Some("?"), now, early), format!("{clock} 17m ahead of the service's"));
        // A Date like this machine's explains nothing.
        let now = at("2026-11-27T11:50:01Z");
        assert_eq!(words(Some(DATE), now, expired), format!("{clock} 1h 50m behind the service's"));
    }

    #[test]
    fn what_is_not_known_is_not_made_up() {
        let now = at("2026-11-27T11:50:01Z");
        let off = "the service reports that this machine's clock is wrong";
        assert_eq!(words(None, now, ""), off);
        let said = "Signature expired: x is now earlier than y";
        assert_eq!(words(Some(DATE), now, said), format!("{off}: {said}"));
        assert_eq!(words(None, now, "99999999T999999Z"), format!("{off}: 99999999T999999Z"));
    }
}
