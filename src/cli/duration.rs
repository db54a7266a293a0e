//! Durations on the command line.

use std::time::Duration;

use crate::registry::LAG_MAX;

/// Longer than anybody waits, and short enough to be added to any moment.
const LONGEST: Duration = Duration::from_secs(366 * 86_400);

/// Parses a duration such as `90s`, `2m`, `1h30m` or `500ms`.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    let example = "write it as `30s`, `2m` or `1h30m`";
    let parsed: jiff::SignedDuration = text.parse().map_err(|_| example.to_owned())?;
    let duration = Duration::try_from(parsed).map_err(|_| "it must not be negative".to_owned())?;
    if duration > LONGEST {
        return Err("a year is the most".to_owned());
    }
    Ok(duration)
}

/// Parses how long a read of the local registry lags behind writes.
pub(super) fn lag(text: &str) -> Result<Duration, String> {
    let lag = duration(text)?;
    if lag > LAG_MAX { Err("an hour is the most".to_owned()) } else { Ok(lag) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_units_and_an_end() {
        assert_eq!(duration("1m30s"), Ok(Duration::from_secs(90)));
        assert_eq!(duration("500ms"), Ok(Duration::from_millis(500)));
        for wrong in ["", "5", "-5s", "500d", "soon"] {
            assert!(duration(wrong).is_err(), "{wrong}");
        }
        assert_eq!(lag("1h"), Ok(Duration::from_secs(3_600)));
        assert!(lag("1h1ms").is_err());
    }
}
