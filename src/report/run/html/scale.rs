//! The scales of the picture: round numbers for rates and for times.

use std::time::Duration;

/// Steps of a rate within a power of ten.
const ROUND: [f64; 4] = [1.0, 2.0, 5.0, 10.0];
/// Steps of a time, in seconds.
const TIMES: [f64; 26] = [
    0.01,
    0.02,
    0.05,
    0.1,
    0.2,
    0.5,
    1.0,
    2.0,
    5.0,
    10.0,
    15.0,
    30.0,
    60.0,
    120.0,
    300.0,
    600.0,
    900.0,
    1800.0,
    3600.0,
    2.0 * 3600.0,
    3.0 * 3600.0,
    6.0 * 3600.0,
    12.0 * 3600.0,
    86_400.0,
    2.0 * 86_400.0,
    7.0 * 86_400.0,
];

/// Returns the step between numbers from 0 to `most`, of which there are at most five.
pub(super) fn rate_step(most: f64) -> f64 {
    let least = (most / 5.0).max(1e-6);
    let power = 10_f64.powf(least.log10().floor());
    ROUND
        .into_iter()
        .map(|round| round * power)
        .find(|step| *step >= least * 0.999)
        .unwrap_or(least)
}

/// Returns the step between times up to `took` seconds, of which there are at most eight.
pub(super) fn time_step(took: f64) -> f64 {
    let least = took / 8.0;
    let round = TIMES.into_iter().find(|step| *step >= least);
    round.unwrap_or_else(|| rate_step(took / 86_400.0 / 8.0 * 5.0) * 86_400.0)
}

/// Returns a rate for people: `0.25`, `12`, `20k`.
pub(super) fn rate(rate: f64) -> String {
    let (number, unit) = match rate {
        1e6.. => (rate / 1e6, "M"),
        1e4.. => (rate / 1e3, "k"),
        _ => (rate, ""),
    };
    // Two digits, and of numbers from 10 on all in front of the point.
    let places = match number {
        100.0.. => 0,
        1.0.. => 1,
        _ => {
            (1..6).find(|power| number * 10_f64.powi(*power) >= 1.0).unwrap_or_default() as usize
                + 1
        }
    };
    let text = format!("{number:.places$}");
    let text =
        if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
    format!("{text}{unit}")
}

/// Returns a moment of a picture whose times are `step` apart.
pub(super) fn time(seconds: f64, step: f64) -> String {
    if seconds == 0.0 {
        return "0".to_owned();
    }
    if step < 1.0 {
        return format!("{}s", rate(seconds));
    }
    // Steps are whole seconds from here on.
    let whole = Duration::from_secs_f64(seconds.round()).as_secs();
    let (days, hours, minutes, rest) =
        (whole / 86_400, whole / 3600 % 24, whole / 60 % 60, whole % 60);
    if step < 60.0 {
        return match (whole / 60, rest) {
            (0, rest) => format!("{rest}s"),
            (minutes, 0) => format!("{minutes}m"),
            (minutes, rest) => format!("{minutes}m {rest}s"),
        };
    }
    if step < 3600.0 {
        return match (whole / 3600, minutes) {
            (0, minutes) => format!("{minutes}m"),
            (hours, 0) => format!("{hours}h"),
            (hours, minutes) => format!("{hours}h {minutes}m"),
        };
    }
    match (days, hours) {
        (0, hours) => format!("{hours}h"),
        (days, 0) => format!("{days}d"),
        (days, hours) => format!("{days}d {hours}h"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_round_and_few() {
        for (most, step) in [(1.0, 0.2), (8.0, 2.0), (10.0, 2.0), (50.0, 10.0), (1234.0, 500.0)] {
            assert!((rate_step(most) - step).abs() < 1e-9, "{most}: {}", rate_step(most));
        }
        for took in [0.05, 0.3, 3.0, 61.0, 3600.0, 86_400.0 * 3.0, 86_400.0 * 400.0] {
            let count = took / time_step(took);
            assert!((1.0..=8.0).contains(&count), "{took}: {count}");
        }
    }

    #[test]
    fn numbers_and_times_are_short() {
        let rates = [0.0, 0.25, 1.0, 2.5, 120.0, 9999.0, 20_000.0, 1_500_000.0].map(rate);
        assert_eq!(rates, ["0", "0.25", "1", "2.5", "120", "9999", "20k", "1.5M"]);
        assert_eq!(time(0.4, 0.2), "0.4s");
        assert_eq!(time(90.0, 30.0), "1m 30s");
        assert_eq!(time(5400.0, 1800.0), "1h 30m");
        assert_eq!(time(36.0 * 3600.0, 12.0 * 3600.0), "1d 12h");
    }
}
