//! Draws the rate of `auto` over time with simulated services, into `docs/pacing.svg` or the file that
//! is named. `just pace-plot` runs it.

#![expect(clippy::print_stdout, clippy::expect_used, reason = "a program for developers")]

#[path = "../src/pace/simulation.rs"]
mod simulation;

use std::fmt::Write as _;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use lineload::pace::{Limits, Pace};
use simulation::{Outcome, Service, simulate_together};

const SECONDS: f64 = 180.0;
const WIDTH: f64 = 760.0;
const HEIGHT: f64 = 150.0;
const LEFT: f64 = 50.0;
const PANEL: f64 = HEIGHT + 70.0;
/// Runs: the second is drawn in another colour.
const COLOURS: [&str; 2] = ["#1565c0", "#ef6c00"];

/// One diagram: a service, the headroom, and when each run starts.
struct Diagram {
    title: &'static str,
    service: Service,
    headroom: f64,
    starts: &'static [f64],
}

fn main() {
    // `cargo bench` adds a `--bench` of its own.
    let file = std::env::args().skip(1).find(|argument| !argument.starts_with('-'));
    let file = file.map_or_else(|| PathBuf::from("docs/pacing.svg"), PathBuf::from);
    let allowed = |steps: &[(f64, f64)], latency| Service {
        allowed: steps.to_vec(),
        ..Service::new(1.0, latency)
    };
    let diagrams = [
        Diagram {
            title: "The limit is 50/s, then 100/s, then 25/s",
            service: allowed(&[(0.0, 50.0), (60.0, 100.0), (120.0, 25.0)], 0.05),
            headroom: 0.0,
            starts: &[0.0],
        },
        Diagram {
            title: "The same with the default headroom of 10 %",
            service: allowed(&[(0.0, 50.0), (60.0, 100.0), (120.0, 25.0)], 0.05),
            headroom: 0.1,
            starts: &[0.0],
        },
        Diagram {
            title: "The limit is 2/s, then 20/s",
            service: allowed(&[(0.0, 2.0), (90.0, 20.0)], 0.05),
            headroom: 0.0,
            starts: &[0.0],
        },
        Diagram {
            title: "Two runs on one account: 20/s, the second starts after 30 s",
            service: Service::new(20.0, 0.05),
            headroom: 0.0,
            starts: &[0.0, 30.0],
        },
        Diagram {
            title: "200/s, others take half for a minute, 1 % stray rejections, 200 ms of latency",
            service: Service {
                others: Some((60.0, 120.0)),
                stray: 0.01,
                ..Service::new(200.0, 0.2)
            },
            headroom: 0.0,
            starts: &[0.0],
        },
    ];
    let height = PANEL * diagrams.len() as f64 + 20.0;
    let mut svg = format!(
        "<svg xmlns='http://www.w3.org/2000/svg' width='{}' height='{height}' \
         font-family='sans-serif' font-size='12'>\n<rect width='100%' height='100%' fill='white'/>\n",
        WIDTH + LEFT + 20.0,
    );
    for (at, diagram) in diagrams.iter().enumerate() {
        let start = Instant::now();
        let limits = Limits { max_rate: 1000.0, headroom: diagram.headroom };
        let mut paces: Vec<_> = diagram
            .starts
            .iter()
            .map(|from| Pace::auto(limits, None, start + Duration::from_secs_f64(*from)))
            .collect();
        let paces = paces.iter_mut().zip(diagram.starts.iter().copied());
        let outcomes = simulate_together(&diagram.service, paces, start, SECONDS, 1);
        panel(&mut svg, PANEL * at as f64 + 40.0, diagram, &outcomes);
    }
    svg.push_str("</svg>\n");
    if let Some(folder) = file.parent() {
        std::fs::create_dir_all(folder).expect("the folder is made");
    }
    std::fs::write(&file, svg).expect("the plot is written");
    println!("{}", file.display());
}

/// Draws one service: what it allows in grey, the rate of each run in its colour, and rejections in red
/// along the bottom.
fn panel(svg: &mut String, top: f64, diagram: &Diagram, outcomes: &[Outcome]) {
    let Diagram { title, service, .. } = diagram;
    let allowed = service.allowed_between(10.0, SECONDS);
    let count = |from: f64, to: f64, accepted: bool| {
        let sent = outcomes.iter().flat_map(|outcome| outcome.between(from, to));
        sent.filter(|sent| sent.accepted == accepted).count() as f64
    };
    let (accepted, rejected) = (count(10.0, SECONDS, true), count(10.0, SECONDS, false));
    let highest = service.allowed.iter().map(|(_, allowed)| *allowed).fold(1.0, f64::max) * 1.4;
    let x = |second: f64| LEFT + second / SECONDS * WIDTH;
    let y = |rate: f64| top + HEIGHT * (1.0 - (rate / highest).min(1.0));
    let _ = writeln!(
        svg,
        "<text x='{LEFT}' y='{}' font-weight='bold'>{title}</text>\n<text x='{}' y='{}' \
         text-anchor='end'>after 10 s: {:.1} % used, {:.1} % rejected</text>\n<rect x='{LEFT}' \
         y='{top}' width='{WIDTH}' height='{HEIGHT}' fill='none' stroke='#ccc'/>",
        top - 8.0,
        LEFT + WIDTH,
        top - 8.0,
        accepted / allowed * 100.0,
        rejected / (accepted + rejected).max(1.0) * 100.0,
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
    for (outcome, colour) in outcomes.iter().zip(COLOURS) {
        let rate = outcome.requests.iter().map(|sent| (x(sent.at), y(sent.rate)));
        line(svg, rate, colour, 1.2);
    }
    for half in 0..360 {
        let from = f64::from(half) / 2.0;
        let rejected = count(from, from + 0.5, false);
        if rejected > 0.0 {
            let height = rejected.sqrt().min(HEIGHT / 2.0) * 3.0;
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
        // Finer than a pixel nobody sees.
        if (x - last.0).abs() > 1.0 || (y - last.1).abs() > 3.0 {
            let _ = write!(path, "{x:.0},{y:.1} ");
            last = (x, y);
        }
    }
    let _ = writeln!(
        svg,
        "<polyline points='{path}' fill='none' stroke='{colour}' stroke-width='{width}'/>"
    );
}
