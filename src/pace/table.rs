//! Tests of what `auto` achieves with services of many kinds, on a simulated clock.
//!
//! `cargo test --no-default-features --lib pace::table -- --nocapture` prints the tables.

use std::time::{Duration, Instant};

use super::simulation::{Outcome, Service, simulate_together};
use super::{Limits, Pace};

const ALLOWED: [f64; 8] = [2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0];
const LATENCIES: [f64; 5] = [0.005, 0.05, 0.2, 1.0, 2.0];

/// The share of what is allowed that was accepted, and the share of the requests that were throttled.
#[derive(Debug, Clone, Copy, Default)]
struct Shares {
    accepted: f64,
    throttled: f64,
}

/// Returns the seconds to settle, at first and after each change.
fn settling(latency: f64) -> f64 {
    if latency < 1.5 { 10.0 } else { 30.0 }
}

/// Returns how long a service is measured: low rates take longer to show anything.
fn seconds(allowed: f64) -> f64 {
    if allowed < 8.0 { 300.0 } else { 120.0 }
}

/// A service and the times at which it is measured.
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
    simulate_together(service, [(&mut pace, 0.0)], start, seconds, seed).remove(0)
}

/// Returns the mean over some seeds, without the times after changes in which the rate settles.
fn mean(cell: &Cell) -> Shares {
    let Cell { service, seconds, changes, settling } = cell;
    let (seconds, settling) = (*seconds, *settling);
    // Many requests are as significant as many runs.
    let requests = service.allowed_between(0.0, seconds);
    let seeds: u32 = [(1_000.0, 8), (5_000.0, 4), (20_000.0, 2)]
        .into_iter()
        .find_map(|(most, seeds)| (requests < most).then_some(seeds))
        .unwrap_or(1);
    let mut mean = Shares::default();
    for seed in 0..seeds {
        let outcome = run(service, 0.0, seconds, seed.into());
        let (mut accepted, mut throttled, mut allowed) = (0.0, 0.0, 0.0);
        for (at, from) in changes.iter().enumerate() {
            let to = changes.get(at + 1).copied().unwrap_or(seconds);
            let from = from + settling;
            allowed += service.allowed_between(from, to);
            for sent in outcome.between(from, to) {
                *(if sent.accepted { &mut accepted } else { &mut throttled }) += 1.0;
            }
        }
        let all: f64 = accepted + throttled;
        mean.accepted += accepted / allowed / f64::from(seeds);
        mean.throttled += throttled / all / f64::from(seeds);
    }
    mean
}

/// Runs a table and prints it. Returns the cells that fall short of a goal: how much is accepted at
/// least and throttled at most, by what is allowed and by the latency.
fn table(
    name: &str,
    cells: impl Fn(f64, f64) -> Option<Cell>,
    goal: impl Fn(f64, f64) -> (f64, f64),
) -> Vec<String> {
    println!("\n{name}: % of the allowed rate accepted, % of the requests throttled");
    println!("allowed/s | {}", LATENCIES.map(|latency| format!("{latency:>5} s      ")).join("| "));
    let mut short = Vec::new();
    for allowed in ALLOWED {
        let mut line = format!("{allowed:>9} |");
        for latency in LATENCIES {
            let Some(cell) = cells(allowed, latency) else {
                line.push_str("              |");
                continue;
            };
            let Shares { accepted, throttled } = mean(&cell);
            line.push_str(&format!(" {:5.1} {:5.2} ", accepted * 100.0, throttled * 100.0));
            let (least, most) = goal(allowed, latency);
            let falls_short = accepted < least || throttled > most;
            line.push_str(if falls_short { "* |" } else { "  |" });
            if falls_short {
                let cell = format!("{name}: {allowed}/s at {latency} s");
                short.push(format!("{cell}: {accepted:.3} accepted, {throttled:.3} throttled"));
            }
        }
        println!("{line}");
    }
    short
}

/// Returns steady services that `change` was made to.
fn like(change: impl Fn(&mut Service)) -> impl Fn(f64, f64) -> Option<Cell> {
    move |allowed, latency| {
        let mut service = Service::new(allowed, latency);
        change(&mut service);
        Some(Cell::new(service, seconds(allowed), vec![0.0]))
    }
}

/// Returns the same goal for every service.
fn all(least: f64, most: f64) -> impl Fn(f64, f64) -> (f64, f64) {
    move |_, _| (least, most)
}

#[test]
fn the_allowed_rate_is_found_and_held() {
    let short = table("steady", like(|_| {}), all(0.95, 0.02));
    assert!(short.is_empty(), "{short:#?}");
}

/// As long as a small import takes. At two a second that is 60 requests, of which each throttle is
/// nearly two in a hundred.
#[test]
fn a_short_import_gets_its_share_too() {
    let cells = |allowed, latency| {
        let service = Service::new(allowed, latency);
        (latency < 0.5).then(|| Cell::new(service, 40.0, vec![0.0]))
    };
    let goal = |allowed, _| if allowed > 2.0 { (0.95, 0.025) } else { (0.9, 0.045) };
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

/// A stray is a large share of the requests at a low rate, where a single throttle is taken for a
/// limit; and where answers are late, more is in flight each time.
#[test]
fn stray_throttles_are_distinguished_from_an_excess() {
    let goal = |least, most| {
        move |allowed, latency| {
            if allowed > 5.0 && latency < 0.5 { (least, most) } else { (0.85, 0.05) }
        }
    };
    let mut short = table("0.5% strays", like(|service| service.stray = 0.005), goal(0.9, 0.02));
    short.extend(table("1% strays", like(|service| service.stray = 0.01), goal(0.78, 0.025)));
    assert!(short.is_empty(), "{short:#?}");
}

/// At a latency of two seconds, half of it in jitter makes a rate of its own.
#[test]
fn jitter_is_no_limit() {
    let mut short = table("jitter 0.2", like(|service| service.jitter = 0.2), all(0.95, 0.025));
    let like = like(|service| service.jitter = 0.5);
    let cells = |allowed, latency| like(allowed, latency).filter(|_| latency < 2.0);
    short.extend(table("jitter 0.5", cells, all(0.9, 0.03)));
    assert!(short.is_empty(), "{short:#?}");
}

/// The requests of a second are all allowed when it begins, and are not carried over.
#[test]
fn a_fixed_window_is_lived_with() {
    let short = table("fixed window", like(|service| service.fixed_window = true), all(0.75, 0.03));
    assert!(short.is_empty(), "{short:#?}");
}

/// A bucket of one token rejects whatever comes a little early, whatever the rate. There is no remedy
/// but a rate that is a good part lower; the services are those whose jitter leaves room for one.
#[test]
fn a_bucket_of_one_token_is_lived_with() {
    let mut short = Vec::new();
    for jitter in [0.0, 0.01, 0.1] {
        let cells = |allowed: f64, latency: f64| {
            let service = Service { burst: 0.0, jitter, ..Service::new(allowed, latency) };
            // How far a request may be off, as a share of the time between two tokens.
            let spread = (latency / 2.0 * jitter + 0.0008) * allowed;
            (spread < 0.1).then(|| Cell::new(service, seconds(allowed), vec![0.0]))
        };
        short.extend(table(&format!("one token, jitter {jitter}"), cells, all(0.6, 0.08)));
    }
    assert!(short.is_empty(), "{short:#?}");
}

/// At a low rate few requests pay for few probes: an increase is found within 35 seconds.
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
    let mut short = table("doubles midway", cells(up), all(0.92, 0.027));
    let down = |allowed| [(0.0, allowed), (200.0, allowed / 2.0)];
    let goal = |allowed, _| if allowed > 2.0 { (0.95, 0.02) } else { (0.9, 0.03) };
    short.extend(table("halves midway", cells(down), goal));
    assert!(short.is_empty(), "{short:#?}");
}

/// Those that were in flight, and a few more: where nearly all is throttled, that may be no more than the
/// end of a fixed window of a second, and until then the rate is not taken for so low.
#[test]
fn a_fall_costs_little_more_than_the_flight() {
    for latency in LATENCIES {
        for allowed in ALLOWED {
            for (to, seconds) in [(0.5, 1.0), (0.1, 3.0)] {
                let change = vec![(0.0, allowed), (100.0, to * allowed)];
                let service = Service { allowed: change, ..Service::new(allowed, latency) };
                let outcome = run(&service, 0.0, 130.0, 1);
                let throttled = outcome.between(99.0, 130.0).filter(|sent| !sent.accepted).count();
                let most = 40.0 + allowed * (latency + seconds);
                let falls = format!("{allowed}/s at {latency} s falls to {to}");
                assert!((throttled as f64) < most, "{falls}: {throttled} throttled");
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
    // A late answer is a late yield.
    let goal = |_, latency| if latency < 0.5 { (0.95, 0.02) } else { (0.88, 0.045) };
    let short = table("shared for a while", cells, goal);
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
        assert!((outcome.most_in_flight as f64) < most, "{}", outcome.most_in_flight);
    }
}

/// Headroom is left also where there is no bucket to measure.
#[test]
fn headroom_is_left_by_limits_of_other_kinds() {
    for allowed in [50.0, 100.0] {
        let one = Service { burst: 0.0, jitter: 0.01, ..Service::new(allowed, 0.05) };
        let fixed_window = Service { fixed_window: true, ..Service::new(allowed, 0.05) };
        for service in [one, fixed_window] {
            let outcome = run(&service, 0.2, 300.0, 1);
            let late = || outcome.between(60.0, 300.0);
            let accepted = late().filter(|sent| sent.accepted).count() as f64;
            let share = accepted / service.allowed_between(60.0, 300.0);
            assert!((0.55..0.92).contains(&share), "{allowed}/s: {share} of {service:?}");
        }
    }
}

/// Returns what each of two got of one service, from 60 to 120 seconds after the second began, the second
/// `after` seconds later than the first: shares of what is allowed, and of all requests that were
/// throttled.
fn two(service: &Service, headroom: f64, after: f64, seed: u64) -> ([f64; 2], f64) {
    let start = Instant::now();
    let limits = Limits { max_rate: 1000.0, headroom };
    let mut one = Pace::auto(limits, None, start);
    let mut other = Pace::auto(limits, None, start + Duration::from_secs_f64(after));
    let (from, to) = (after + 60.0, after + 120.0);
    let outcomes =
        simulate_together(service, [(&mut one, 0.0), (&mut other, after)], start, to, seed);
    let accepted =
        |outcome: &Outcome| outcome.between(from, to).filter(|sent| sent.accepted).count() as f64;
    let got = [accepted(&outcomes[0]), accepted(&outcomes[1])];
    let sent: f64 = outcomes.iter().map(|outcome| outcome.between(from, to).count() as f64).sum();
    let allowed = service.allowed_between(from, to);
    (got.map(|got| got / allowed), 1.0 - (got[0] + got[1]) / sent)
}

/// Two runs on one account, without configuration: a minute after the second began they share the
/// limit within 2 to 1, in the mean over some runs, and next to nothing of it is lost. A single run
/// may be further off: at five a second chance has its say, and a second of latency makes every
/// yield late.
#[test]
fn two_runs_share_what_is_allowed() {
    const RUNS: u32 = 12;
    let mut short = Vec::new();
    for headroom in [0.0, 0.1] {
        println!(
            "\ntwo with a headroom of {headroom}: first to second of {RUNS} runs, % used, % throttled"
        );
        let (mut all, mut within) = (0, 0);
        for allowed in [5.0, 10.0, 20.0, 50.0, 100.0, 200.0] {
            let mut line = format!("{allowed:>9} |");
            for latency in [0.005, 0.05, 0.2, 1.0] {
                let service = Service::new(allowed, latency);
                let (mut first, mut second, mut throttled) = (0.0, 0.0, 0.0);
                for seed in 0..RUNS {
                    let after = 10.0 + f64::from(seed) * 1.37;
                    let ([one, other], lost) = two(&service, headroom, after, seed.into());
                    (first, second, throttled) = (first + one, second + other, throttled + lost);
                    all += 1;
                    within += u32::from((0.5..=2.0).contains(&(one / other)));
                }
                let (ratio, used) = (first / second, (first + second) / f64::from(RUNS));
                let throttled = throttled / f64::from(RUNS);
                line += &format!(" {ratio:4.2} {:5.1} {:4.2} |", used * 100.0, throttled * 100.0);
                if !(0.5..=2.0).contains(&ratio) || used < 0.95 || throttled > 0.09 {
                    let cell = format!("{allowed}/s at {latency} s, headroom {headroom}");
                    short.push(format!("{cell}: {ratio}, {used} used, {throttled} throttled"));
                }
            }
            println!("{line}");
        }
        println!("within 2 to 1: {within} of {all}");
        assert!(f64::from(within) >= 0.8 * f64::from(all), "{within} of {all}");
    }
    assert!(short.is_empty(), "{short:#?}");
}

/// A steep rise is followed within a minute, wherever in a cycle it comes.
#[test]
fn a_rise_is_found_within_a_minute() {
    for (low, high) in [(2.0, 20.0), (5.0, 50.0), (20.0, 100.0)] {
        for latency in [0.005, 0.05, 0.2] {
            let mut last = 0.0_f64;
            for seed in 0..8_u32 {
                let rise = 200.0 + f64::from(seed) * 7.3;
                let allowed = vec![(0.0, low), (rise, high)];
                let service = Service { allowed, ..Service::new(low, latency) };
                let outcome = run(&service, 0.0, rise + 70.0, seed.into());
                let at_90 = (0..61).map(f64::from).find(|at| {
                    let from = rise + at;
                    let accepted = outcome.between(from, from + 10.0).filter(|sent| sent.accepted);
                    accepted.count() as f64 >= 9.0 * high
                });
                last = last.max(at_90.unwrap_or(f64::INFINITY));
            }
            println!("{low}/s rises to {high}/s at {latency} s: 90 % after {last} s");
            assert!(last <= 60.0, "{low}/s to {high}/s at {latency} s: {last} s");
        }
    }
}

/// Two a second are hardly more than the rate that it starts with.
#[test]
fn the_first_minute_at_a_low_rate_is_used() {
    for allowed in [2.0, 3.0, 5.0] {
        for latency in [0.005, 0.05, 0.2] {
            let shares: Vec<f64> = (0..8)
                .map(|seed| {
                    let outcome = run(&Service::new(allowed, latency), 0.0, 60.0, seed);
                    let accepted = outcome.between(0.0, 60.0).filter(|sent| sent.accepted);
                    accepted.count() as f64 / (60.0 * allowed)
                })
                .collect();
            let mean = shares.iter().sum::<f64>() / 8.0;
            println!("the first minute at {allowed}/s and {latency} s: {:.1} %", mean * 100.0);
            assert!(mean >= 0.9, "{allowed}/s at {latency} s: {shares:?}");
            assert!(
                shares.iter().all(|share| *share >= 0.85),
                "{allowed}/s at {latency} s: {shares:?}"
            );
        }
    }
}

#[test]
fn a_resumed_run_starts_below_the_known_rate_and_does_not_double_it() {
    for (known, allowed) in [(26.0, 20.0), (20.0, 20.0), (20.0, 12.0)] {
        for seed in 0..4 {
            let service = Service::new(allowed, 0.05);
            let start = Instant::now();
            let limits = Limits { max_rate: 1000.0, headroom: 0.0 };
            let mut pace = Pace::auto_from(limits, None, known, start);
            let ran = simulate_together(&service, [(&mut pace, 0.0)], start, 60.0, seed).remove(0);
            let first = ran.between(0.0, 1.0).next().unwrap();
            assert!((first.rate / known - 0.85).abs() < 0.01, "{known}: {}", first.rate);
            let most = ran.requests.iter().map(|sent| sent.rate).fold(0.0, f64::max);
            assert!(most < 1.5 * f64::max(known, allowed), "{known} of {allowed}: {most}");
            let accepted = ran.between(10.0, 60.0).filter(|sent| sent.accepted).count();
            let share = count(accepted) / (50.0 * allowed);
            assert!(share > 0.93, "{known} of {allowed}: {share:.3}");
        }
    }
}

#[test]
fn a_resumed_run_finds_a_limit_that_is_far_higher_than_known() {
    for seed in 0..4 {
        let service = Service::new(200.0, 0.05);
        let start = Instant::now();
        let limits = Limits { max_rate: 1000.0, headroom: 0.0 };
        let mut pace = Pace::auto_from(limits, None, 10.0, start);
        let ran = simulate_together(&service, [(&mut pace, 0.0)], start, 60.0, seed).remove(0);
        let accepted = ran.between(30.0, 60.0).filter(|sent| sent.accepted).count();
        assert!(count(accepted) > 0.9 * 30.0 * 200.0, "{accepted}");
    }
}

#[expect(clippy::cast_precision_loss, reason = "a few thousand requests")]
fn count(requests: usize) -> f64 {
    requests as f64
}
