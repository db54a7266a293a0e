//! Draws the rate of `auto` over time with simulated services, into `target/pace.svg` or the file
//! that is named. `just pace-plot` runs it.

#![expect(clippy::print_stdout, clippy::expect_used, reason = "a program for developers")]

#[path = "../src/pace/simulation.rs"]
mod simulation;

use std::fmt::Write as _;
use std::path::PathBuf;
use std::time::Instant;

use lineload::pace::{Limits, Pace};
use simulation::{Outcome, Service, simulate};

const SECONDS: f64 = 180.0;
const WIDTH: f64 = 900.0;
const HEIGHT: f64 = 200.0;
const LEFT: f64 = 60.0;
const PANEL: f64 = HEIGHT + 70.0;

fn main() {
    // `cargo bench` adds a `--bench` of its own.
    let file = std::env::args().skip(1).find(|argument| !argument.starts_with('-'));
    let file = file.map_or_else(|| PathBuf::from("target/pace.svg"), PathBuf::from);
    let changing = |latency| Service {
        allowed: vec![(0.0, 50.0), (60.0, 100.0), (120.0, 25.0)],
        ..Service::new(50.0, latency)
    };
    let services = [
        ("50, then 100, then 25 a second; 50 ms", changing(0.05)),
        ("the same; 1 s", changing(1.0)),
        (
            "200 a second, others take half for a minute; 200 ms; 1% strays",
            Service { others: Some((60.0, 120.0)), stray: 0.01, ..Service::new(200.0, 0.2) },
        ),
        (
            "10 a second from a bucket of one token; 50 ms",
            Service { burst: 0.0, jitter: 0.01, ..Service::new(10.0, 0.05) },
        ),
        ("500 a second; 2 s", Service::new(500.0, 2.0)),
        (
            "100 a second; 50 ms; the sender is held up for a third of the time",
            Service { slips: 0.33, ..Service::new(100.0, 0.05) },
        ),
        (
            "100 by the second of the clock; 50 ms",
            Service { lumps: true, ..Service::new(100.0, 0.05) },
        ),
    ];
    let height = PANEL * services.len() as f64 + 30.0;
    let mut svg = format!(
        "<svg xmlns='http://www.w3.org/2000/svg' width='{}' height='{height}' \
         font-family='sans-serif' font-size='12'>\n<rect width='100%' height='100%' fill='white'/>\n",
        WIDTH + LEFT + 20.0,
    );
    for (at, (title, service)) in services.iter().enumerate() {
        let start = Instant::now();
        let mut pace = Pace::auto(Limits { max_rate: 1000.0, headroom: 0.0 }, None, start);
        let outcome = simulate(service, &mut pace, start, SECONDS, 1);
        panel(&mut svg, PANEL * at as f64 + 40.0, title, service, &outcome);
    }
    svg.push_str("</svg>\n");
    if let Some(folder) = file.parent() {
        std::fs::create_dir_all(folder).expect("the folder is made");
    }
    std::fs::write(&file, svg).expect("the plot is written");
    println!("{}", file.display());
}

/// One service: what it allows in grey, the rate in blue, rejections in red along the bottom.
fn panel(svg: &mut String, top: f64, title: &str, service: &Service, outcome: &Outcome) {
    let allowed = service.allowed_between(10.0, SECONDS);
    let late = || outcome.between(10.0, SECONDS);
    let accepted = late().filter(|sent| sent.accepted).count() as f64;
    let rejected = late().count() as f64 - accepted;
    let highest = service.allowed.iter().map(|(_, allowed)| *allowed).fold(1.0, f64::max) * 1.6;
    let x = |second: f64| LEFT + second / SECONDS * WIDTH;
    let y = |rate: f64| top + HEIGHT * (1.0 - (rate / highest).min(1.0));
    let _ = writeln!(
        svg,
        "<text x='{LEFT}' y='{}' font-weight='bold'>{title}</text>\n<text x='{}' y='{}' \
         text-anchor='end'>past 10 s: {:.1}% of what is allowed, {:.1}% rejected, {} under way at \
         most</text>\n<rect x='{LEFT}' y='{top}' width='{WIDTH}' height='{HEIGHT}' fill='none' \
         stroke='#ccc'/>",
        top - 8.0,
        LEFT + WIDTH,
        top - 8.0,
        accepted / allowed * 100.0,
        rejected / (accepted + rejected).max(1.0) * 100.0,
        outcome.most_under_way,
    );
    for tick in 0..=4 {
        let rate = highest * f64::from(tick) / 4.0;
        let at = y(rate);
        let _ = writeln!(
            svg,
            "<line x1='{LEFT}' x2='{}' y1='{at}' y2='{at}' stroke='#eee'/><text x='{}' y='{}' \
             text-anchor='end'>{rate:.0}/s</text>",
            LEFT + WIDTH,
            LEFT - 6.0,
            at + 4.0,
        );
    }
    for second in (0..=180).step_by(20) {
        let at = x(f64::from(second));
        let below = top + HEIGHT + 14.0;
        let _ = writeln!(svg, "<text x='{at}' y='{below}' text-anchor='middle'>{second} s</text>");
    }
    let steps = (0..1800).map(|tenth| f64::from(tenth) / 10.0);
    let allowed = steps.map(|second| (x(second), y(service.allowed_at(second))));
    line(svg, allowed, "#999", 3.0);
    let rate = outcome.requests.iter().map(|sent| (x(sent.at), y(sent.rate)));
    line(svg, rate, "#1565c0", 1.2);
    for half in 0..360 {
        let from = f64::from(half) / 2.0;
        let rejected = outcome.between(from, from + 0.5).filter(|sent| !sent.accepted).count();
        if rejected > 0 {
            let height = (rejected as f64).sqrt().min(HEIGHT / 2.0) * 3.0;
            let _ = writeln!(
                svg,
                "<rect x='{:.1}' y='{:.1}' width='2' height='{height:.1}' fill='#c62828'/>",
                x(from),
                top + HEIGHT - height,
            );
        }
    }
}

fn line(svg: &mut String, points: impl Iterator<Item = (f64, f64)>, colour: &str, width: f64) {
    let mut path = String::new();
    let mut last = (f64::MIN, f64::MIN);
    for (x, y) in points {
        // Finer than a fifth of a pixel nobody sees.
        if (x - last.0).abs() > 0.2 || (y - last.1).abs() > 3.0 {
            let _ = write!(path, "{x:.1},{y:.1} ");
            last = (x, y);
        }
    }
    let _ = writeln!(
        svg,
        "<polyline points='{path}' fill='none' stroke='{colour}' stroke-width='{width}'/>"
    );
}
