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

/// What is measured of a service.
struct Cell {
    service: Service,
    seconds: f64,
    /// When what is allowed changes, and the start.
    changes: Vec<f64>,
    /// Seconds after each of these that do not count.
    settling: f64,
}

impl Cell {
    fn new(service: Service, seconds: f64, changes: Vec<f64>) -> Self {
        let settling = settling(service.latency);
        Self { service, seconds, changes, settling }
    }
}

fn run(service: &Service, headroom: f64, seconds: f64, seed: u64) -> Outcome {
    let start = Instant::now();
    let mut pace = Pace::auto(Limits { max_rate: 1000.0, headroom }, None, start);
    simulate(service, &mut pace, start, seconds, seed)
}

/// The mean over some seeds, without the times after changes in which the rate settles.
fn mean(cell: &Cell) -> Shares {
    let Cell { service, seconds, changes, settling } = cell;
    let (seconds, settling) = (*seconds, *settling);
    // Many requests tell as much as many runs.
    let requests = service.allowed_between(0.0, seconds);
    let seeds: u32 = [(1_000.0, 8), (5_000.0, 4), (20_000.0, 2)]
        .into_iter()
        .find_map(|(most, seeds)| (requests < most).then_some(seeds))
        .unwrap_or(1);
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

/// Runs a table and prints it; tells which cells fall short of a goal: how much is accepted at least
/// and rejected at most, by what is allowed and by the latency.
fn table(
    name: &str,
    cells: impl Fn(f64, f64) -> Option<Cell>,
    goal: impl Fn(f64, f64) -> (f64, f64),
) -> Vec<String> {
    println!("\n{name}: % of the allowed rate accepted, % of the requests rejected");
    println!("allowed/s | {}", LATENCIES.map(|latency| format!("{latency:>5} s      ")).join("| "));
    let mut short = Vec::new();
    for allowed in ALLOWED {
        let mut line = format!("{allowed:>9} |");
        for latency in LATENCIES {
            let Some(cell) = cells(allowed, latency) else {
                line.push_str("              |");
                continue;
            };
            let Shares { accepted, rejected } = mean(&cell);
            line.push_str(&format!(" {:5.1} {:5.2} ", accepted * 100.0, rejected * 100.0));
            let (least, most) = goal(allowed, latency);
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

/// Steady services that `change` was made to.
fn like(change: impl Fn(&mut Service)) -> impl Fn(f64, f64) -> Option<Cell> {
    move |allowed, latency| {
        let mut service = Service::new(allowed, latency);
        change(&mut service);
        Some(Cell::new(service, seconds(allowed), vec![0.0]))
    }
}

/// The same goal for every service.
fn all(least: f64, most: f64) -> impl Fn(f64, f64) -> (f64, f64) {
    move |_, _| (least, most)
}

#[test]
fn the_allowed_rate_is_found_and_held() {
    let short = table("steady", like(|_| {}), all(0.95, 0.02));
    assert!(short.is_empty(), "{short:#?}");
}

/// As long as a small import takes. At two a second that is 60 requests, of which each rejection is
/// nearly two in a hundred, and it takes two to be sure.
#[test]
fn a_short_import_gets_its_share_too() {
    let cells = |allowed, latency| {
        let service = Service::new(allowed, latency);
        (latency < 0.5).then(|| Cell::new(service, 40.0, vec![0.0]))
    };
    let goal = |allowed, _| if allowed > 2.0 { (0.95, 0.025) } else { (0.85, 0.045) };
    let short = table("40 seconds", cells, goal);
    assert!(short.is_empty(), "{short:#?}");
}

/// Requests leave late where the machine is busy, and it is this process that is late.
#[test]
fn late_timers_are_not_taken_for_a_limit() {
    let mut short = Vec::new();
    let goal = |allowed, latency| {
        if allowed > 2.0 && latency < 0.5 { (0.95, 0.02) } else { (0.9, 0.025) }
    };
    for slips in [0.1, 0.3, 0.6] {
        let name = format!("held up {slips} of the time");
        short.extend(table(&name, like(|service| service.slips = slips), goal));
    }
    assert!(short.is_empty(), "{short:#?}");
}

/// Strays cost little more than themselves.
#[test]
fn stray_rejections_are_told_from_an_excess() {
    let mut short = table("0.5% strays", like(|service| service.stray = 0.005), all(0.9, 0.025));
    short.extend(table("1% strays", like(|service| service.stray = 0.01), all(0.83, 0.035)));
    assert!(short.is_empty(), "{short:#?}");
}

/// Where the latency is two seconds, half of it in jitter makes a rate of its own.
#[test]
fn jitter_is_no_limit() {
    let mut short = table("jitter 0.2", like(|service| service.jitter = 0.2), all(0.95, 0.025));
    let like = like(|service| service.jitter = 0.5);
    let cells = |allowed, latency| like(allowed, latency).filter(|_| latency < 2.0);
    short.extend(table("jitter 0.5", cells, all(0.9, 0.03)));
    assert!(short.is_empty(), "{short:#?}");
}

/// What is allowed in a second is there when it begins, and is not carried over.
#[test]
fn a_limit_by_the_second_of_the_clock_is_lived_with() {
    let short = table("by the second", like(|service| service.lumps = true), all(0.75, 0.03));
    assert!(short.is_empty(), "{short:#?}");
}

/// The most that a steady rate gets through a bucket of one token, where the time between two
/// requests varies by up to `spread` either way and as much again, as a share of the time between
/// two tokens.
fn feasible(spread: f64) -> f64 {
    let share = |x: f64| (1.0 - (1.0 - x / 2.0).powi(2) / 2.0) / (1.0 + x * spread);
    (0..=20).map(|x| share(f64::from(x) / 10.0)).fold(0.0, f64::max)
}

/// A bucket of one token rejects whatever comes a little early, so there is an end to what comes
/// through it; the services are those where jitter and late timers leave room for 87%.
#[test]
fn a_bucket_of_one_token_is_lived_with() {
    let mut short = Vec::new();
    for jitter in [0.0, 0.002, 0.01, 0.03, 0.1, 0.3] {
        let cells = |allowed: f64, latency: f64| {
            let service = Service { burst: 0.0, jitter, ..Service::new(allowed, latency) };
            // A timer is late by a millisecond and a half at most.
            let spread = (latency / 2.0 * jitter + 0.0008) * allowed;
            let cell = Cell::new(service, seconds(allowed), vec![0.0]);
            (feasible(spread) > 0.87).then_some(cell)
        };
        short.extend(table(&format!("one token, jitter {jitter}"), cells, all(0.85, 0.05)));
    }
    assert!(short.is_empty(), "{short:#?}");
}

/// At a low rate few requests pay for few climbs: an increase is found within 35 seconds.
#[test]
fn a_change_of_the_allowed_rate_is_followed() {
    let cells = |change: fn(f64) -> [(f64, f64); 2]| {
        move |allowed: f64, latency| {
            let change = change(allowed).to_vec();
            let service = Service { allowed: change, ..Service::new(allowed, latency) };
            let mut cell = Cell::new(service, 400.0, vec![0.0, 200.0]);
            if allowed <= 10.0 {
                cell.settling += 25.0;
            }
            Some(cell)
        }
    };
    let up = |allowed| [(0.0, allowed), (200.0, allowed * 2.0)];
    let mut short = table("doubles midway", cells(up), all(0.92, 0.025));
    let down = |allowed| [(0.0, allowed), (200.0, allowed / 2.0)];
    let goal = |allowed, _| if allowed > 2.0 { (0.95, 0.02) } else { (0.9, 0.03) };
    short.extend(table("halves midway", cells(down), goal));
    assert!(short.is_empty(), "{short:#?}");
}

/// Those that were under way, and a few more: where nearly all is rejected, it is tried for more
/// than a second whether that is only the end of a second.
#[test]
fn a_fall_costs_little_more_than_the_flight() {
    for latency in LATENCIES {
        for allowed in ALLOWED {
            for (to, seconds) in [(0.5, 1.0), (0.1, 3.0)] {
                let change = vec![(0.0, allowed), (100.0, to * allowed)];
                let service = Service { allowed: change, ..Service::new(allowed, latency) };
                let outcome = run(&service, 0.0, 130.0, 1);
                let rejected = outcome.between(99.0, 130.0).filter(|sent| !sent.accepted).count();
                let most = 40.0 + allowed * (latency + seconds);
                let falls = format!("{allowed}/s at {latency} s falls to {to}");
                assert!((rejected as f64) < most, "{falls}: {rejected} rejected");
            }
        }
    }
}

#[test]
fn a_change_of_the_latency_is_followed() {
    let mut short = Vec::new();
    for to in [0.05, 2.0] {
        let cells = |allowed, latency| {
            let later = Some((100.0, to));
            let service = Service { later, ..Service::new(allowed, latency) };
            Some(Cell::new(service, 250.0, vec![0.0, 100.0]))
        };
        short.extend(table(&format!("latency becomes {to} s"), cells, all(0.94, 0.02)));
    }
    assert!(short.is_empty(), "{short:#?}");
}

#[test]
fn others_take_half_for_a_while() {
    let cells = |allowed, latency| {
        let others = Some((100.0, 200.0));
        let service = Service { others, ..Service::new(allowed, latency) };
        (allowed >= 20.0).then(|| Cell::new(service, 300.0, vec![0.0, 100.0, 200.0]))
    };
    let short = table("shared for a while", cells, all(0.9, 0.03));
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

/// Where there is no bucket to reckon with, the limit is felt for now and then, and room is left
/// between.
#[test]
fn headroom_is_left_by_limits_of_other_kinds() {
    for allowed in [50.0, 100.0] {
        let one = Service { burst: 0.0, jitter: 0.01, ..Service::new(allowed, 0.05) };
        let lumps = Service { lumps: true, ..Service::new(allowed, 0.05) };
        for service in [one, lumps] {
            let outcome = run(&service, 0.2, 300.0, 1);
            let late = || outcome.between(60.0, 300.0);
            let accepted = late().filter(|sent| sent.accepted).count() as f64;
            let share = accepted / service.allowed_between(60.0, 300.0);
            assert!((0.7..0.92).contains(&share), "{allowed}/s: {share} of {service:?}");
        }
    }
}
