//! Numbers, durations and rates.

use std::time::Duration;

/// Returns `7264` as `7,264`.
#[must_use]
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (at, digit) in digits.char_indices() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// Returns a count and its noun: `1 error`, `2 errors`, `7,264 artifacts`.
#[must_use]
pub fn counted(number: usize, noun: &str) -> String {
    let plural = match (number, noun) {
        (1, noun) => noun.to_owned(),
        (_, "entry") => "entries".to_owned(),
        (_, "property") => "properties".to_owned(),
        (_, "directory") => "directories".to_owned(),
        (_, noun) => format!("{noun}s"),
    };
    format!("{} {plural}", grouped(number as u64))
}

/// Returns a duration as `41ms`, `1.4s`, `12s`, `3m 20s`, `5h 7m` or `3d 2h`.
#[must_use]
pub fn duration(duration: Duration) -> String {
    let seconds = duration.as_secs();
    let two = |first: u64, unit: &str, second: u64, lower: &str| match second {
        0 => format!("{first}{unit}"),
        second => format!("{first}{unit} {second}{lower}"),
    };
    match seconds {
        0 if duration.is_zero() => "0s".to_owned(),
        0 => format!("{}ms", duration.as_millis().max(1)),
        1..10 => {
            let tenths = duration.as_millis() / 100;
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

/// Returns a time that is still to come, as [`duration`] writes it. It is rounded up, so that nothing
/// takes longer than was said.
#[must_use]
pub fn time_left(left: Duration) -> String {
    let whole = left.as_secs() + u64::from(left.subsec_nanos() > 0);
    duration(Duration::from_secs(whole))
}

/// Returns a rate without its unit: `0.25`, `0.5`, `18.4`, `1,234`.
#[must_use]
pub fn rate(per_second: f64) -> String {
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

/// Returns bytes as hexadecimal digits, in lower case.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut out, byte| {
        let _ = write!(out, "{byte:02x}");
        out
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped() {
        assert_eq!(grouped(7264), "7,264");
        assert_eq!(grouped(100), "100");
        assert_eq!(grouped(1_234_567), "1,234,567");
        assert_eq!(counted(1, "error"), "1 error");
        assert_eq!(counted(0, "entry"), "0 entries");
    }

    #[test]
    fn durations_have_their_two_highest_units() {
        let millis = [0, 41, 1000, 1_449, 9_990, 12_700, 60_000, 123_000, 3_600_000, 18_420_000];
        let texts = millis.map(|millis| duration(Duration::from_millis(millis)));
        let expected = ["0s", "41ms", "1s", "1.4s", "9.9s", "12s", "1m", "2m 3s", "1h", "5h 7m"];
        assert_eq!(texts, expected);
        assert_eq!(duration(Duration::from_secs(3 * 86_400 + 7_300)), "3d 2h");
        assert_eq!(duration(Duration::from_micros(3)), "1ms");
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
