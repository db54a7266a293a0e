//! What `auto` achieves with services of many kinds, on a simulated clock.
//!
//! `cargo test --no-default-features --lib pace::table -- --nocapture` prints the tables.

use std::time::Instant;

use super::simulation::{Outcome, Service, simulate};
use super::{Limits, Pace};

const ALLOWED: [f64; 8] = [2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0];
const LATENCIES: [f64; 5] = [0.005, 0.05, 0.2, 1.0, 2.0];

/// Shares of what is allowed that was accepted, and of the requests that were rejected.
#[derive(Debug, Clone, Copy, Default)]
struct Shares {
    accepted: f64,
    rejected: f64,
}

/// Seconds to settle, at first and after each change.
fn settling(latency: f64) -> f64 {
    if latency < 1.5 { 10.0 } else { 30.0 }
}

/// Low rates take longer to tell anything.
fn seconds(allowed: f64) -> f64 {
    if allowed < 8.0 { 300.0 } else { 120.0 }
}

fn run(service: &Service, headroom: f64, seconds: f64, seed: u64) -> Outcome {
    let start = Instant::now();
    let mut pace = Pace::auto(Limits { max_rate: 1000.0, headroom }, None, start);
    simulate(service, &mut pace, start, seconds, seed)
}

/// The mean over some seeds, without the times after `changes` in which the rate settles.
fn mean(service: &Service, seconds: f64, changes: &[f64]) -> Shares {
    // Long runs tell as much as several short ones.
    let seeds: u32 = if seconds < 200.0 {
        4
    } else if seconds < 350.0 {
        2
    } else {
        1
    };
    let settling = settling(service.latency);
    let mut mean = Shares::default();
    for seed in 0..seeds {
        let outcome = run(service, 0.0, seconds, seed.into());
        let (mut accepted, mut rejected, mut allowed) = (0.0, 0.0, 0.0);
        for (at, from) in changes.iter().enumerate() {
            let to = changes.get(at + 1).copied().unwrap_or(seconds);
            let from = from + settling;
            allowed += service.allowed_between(from, to);
            for sent in outcome.between(from, to) {
                *(if sent.accepted { &mut accepted } else { &mut rejected }) += 1.0;
            }
        }
        let all: f64 = accepted + rejected;
        mean.accepted += accepted / allowed / f64::from(seeds);
        mean.rejected += rejected / all / f64::from(seeds);
    }
    mean
}

/// Runs a table and prints it; tells which cells fall short of `least` accepted and `most` rejected.
fn table(
    name: &str,
    cells: impl Fn(f64, f64) -> Option<(Service, f64, Vec<f64>)>,
    least: f64,
    most: f64,
) -> Vec<String> {
    println!("\n{name}: % of the allowed rate accepted, % of the requests rejected");
    println!("allowed/s | {}", LATENCIES.map(|latency| format!("{latency:>5} s      ")).join("| "));
    let mut short = Vec::new();
    for allowed in ALLOWED {
        let mut line = format!("{allowed:>9} |");
        for latency in LATENCIES {
            let Some((service, seconds, changes)) = cells(allowed, latency) else {
                line.push_str("              |");
                continue;
            };
            let Shares { accepted, rejected } = mean(&service, seconds, &changes);
            line.push_str(&format!(" {:5.1} {:5.2} ", accepted * 100.0, rejected * 100.0));
            let falls_short = accepted < least || rejected > most;
            line.push_str(if falls_short { "* |" } else { "  |" });
            if falls_short {
                let cell = format!("{name}: {allowed}/s at {latency} s");
                short.push(format!("{cell}: {accepted:.3} accepted, {rejected:.3} rejected"));
            }
        }
        println!("{line}");
    }
    short
}

fn steady(allowed: f64, latency: f64) -> (Service, f64, Vec<f64>) {
    (Service::new(allowed, latency), seconds(allowed), vec![0.0])
}

#[test]
fn the_allowed_rate_is_found_and_held() {
    let short = table("steady", |allowed, latency| Some(steady(allowed, latency)), 0.95, 0.02);
    assert!(short.is_empty(), "{short:#?}");
}

/// One request in a hundred is rejected for no reason of rate: it costs little more than itself.
#[test]
fn stray_rejections_are_told_from_an_excess() {
    let cells = |allowed, latency| {
        let (service, seconds, changes) = steady(allowed, latency);
        Some((Service { stray: 0.01, ..service }, seconds, changes))
    };
    let short = table("1% strays", cells, 0.83, 0.035);
    assert!(short.is_empty(), "{short:#?}");
}

/// A bucket of one token rejects whatever comes a little early. Where jitter and late timers are more
/// than a twentieth of the time between two requests, less than 85% comes through; where they are
/// more than a seventh, no steady rate gets as much through it.
#[test]
fn a_bucket_of_one_token_is_lived_with() {
    let cells = |allowed: f64, latency: f64| {
        let jitter = 0.01;
        let spread = latency * jitter + 0.0015;
        let (service, seconds, changes) = steady(allowed, latency);
        let feasible = allowed >= 5.0 && spread * allowed < 0.05;
        feasible.then_some((Service { burst: 0.0, jitter, ..service }, seconds, changes))
    };
    let short = table("one token", cells, 0.85, 0.03);
    assert!(short.is_empty(), "{short:#?}");
}

/// At a low rate an increase is found late, since few requests pay for few climbs.
#[test]
fn a_change_of_the_allowed_rate_is_followed() {
    let cells = |change: fn(f64) -> [(f64, f64); 2]| {
        move |allowed, latency| {
            let change = change(allowed).to_vec();
            let service = Service { allowed: change, ..Service::new(allowed, latency) };
            Some((service, 400.0, vec![0.0, 200.0]))
        }
    };
    let up = |allowed| [(0.0, allowed / 2.0), (200.0, allowed)];
    let mut short = table("doubles midway", cells(up), 0.93, 0.03);
    short.retain(|cell| ![" 2/s", " 5/s", " 10/s"].iter().any(|rate| cell.contains(rate)));
    let down = |allowed| [(0.0, allowed), (200.0, allowed / 2.0)];
    short.extend(table("halves midway", cells(down), 0.95, 0.03));
    short.retain(|cell| !cell.contains(" 2/s"));
    assert!(short.is_empty(), "{short:#?}");
}

#[test]
fn others_take_half_for_a_while() {
    let cells = |allowed, latency| {
        let others = Some((100.0, 200.0));
        let service = Service { others, ..Service::new(allowed, latency) };
        (allowed >= 20.0).then_some((service, 300.0, vec![0.0, 100.0, 200.0]))
    };
    let short = table("shared for a while", cells, 0.9, 0.05);
    assert!(short.is_empty(), "{short:#?}");
}

#[test]
fn headroom_is_left_and_the_window_follows_the_latency() {
    for (allowed, latency) in [(10.0, 0.2), (50.0, 0.05), (200.0, 1.0)] {
        let service = Service::new(allowed, latency);
        let outcome = run(&service, 0.1, 120.0, 1);
        let accepted = outcome.between(20.0, 120.0).filter(|sent| sent.accepted).count();
        let share = accepted as f64 / service.allowed_between(20.0, 120.0);
        assert!((0.8..0.95).contains(&share), "{allowed}/s at {latency} s: {share}");
        let held = outcome.between(100.0, 120.0).map(|sent| sent.rate).fold(f64::MAX, f64::min);
        assert!(held < 0.97 * allowed, "{allowed}/s at {latency} s: {held}/s");
        // At the start the rate is up to four times what is allowed, for as long as answers take.
        let most = 10.0 + 4.0 * allowed * (2.0 * latency + 0.2);
        assert!((outcome.most_under_way as f64) < most, "{}", outcome.most_under_way);
    }
}
