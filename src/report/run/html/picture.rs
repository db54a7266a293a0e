//! The rate over time as an SVG picture, which `picture.html` draws.
//!
//! On top, the artifacts created per second are an area and lineload's own rate is a line. Below, on
//! the same time axis, throttled creates are bars and probes are ticks. Pauses shade the whole height.

use std::fmt::Write as _;
use std::time::Duration;

use askama::Template;

use super::scale;
use crate::report::run::timeline::{Column, Pause, Timeline};
use crate::submission::Outcome;
use crate::text::{counted, duration, grouped};

/// The width of the picture. All sizes are in its units, of about a pixel each.
const WIDTH: f64 = 960.0;
const LEFT: f64 = 84.0;
const RIGHT: f64 = 924.0;
const TOP: f64 = 44.0;
const BOTTOM: f64 = 264.0;
/// The space between two lanes.
const GAP: f64 = 14.0;
/// The height of the lane of throttled creates.
const BARS: f64 = 44.0;
/// The height of the lane of probes.
const TICKS: f64 = 14.0;
/// The largest number of columns.
const MAX_COLUMNS: f64 = 220.0;
/// The average number of creates per column, in a run that has enough of them: with fewer, a steady
/// rate looks like a saw.
const CREATES_PER_COLUMN: f64 = 8.0;
/// The shortest time that is drawn, in seconds.
const SHORTEST: f64 = 0.1;
/// The highest multiple of the answered rate up to which lineload's own rate is drawn: without a
/// limit it can be out of all proportion.
const HEADROOM: f64 = 4.0;
/// The baselines of the names of pauses: two rows, so that two neighbours can both have their names.
const NAME_ROWS: [f64; 2] = [29.0, 14.0];
/// The width of a letter of a pause's name.
const LETTER: f64 = 6.6;

/// The picture of a run, ready to be drawn.
#[derive(Template)]
#[template(path = "report/run/html/picture.html")]
pub(super) struct Picture {
    description: String,
    /// The outcome of artifacts that are drawn, and the requests that made it.
    done: Outcome,
    requests: String,
    /// The upper edge of the picture.
    above: f64,
    /// The time axis.
    below: f64,
    pauses: Vec<Shade>,
    names: Vec<Name>,
    rate_axis: Vec<RateLine>,
    /// The outline of all settled entries, if some had another outcome than created.
    others: Option<String>,
    /// The outline of the created artifacts.
    created: String,
    own_rate: Option<String>,
    own_rate_exceeds_top: bool,
    throttled: Option<ThrottledLane>,
    probes: Option<ProbeLane>,
    time_axis: Vec<Moment>,
}

/// The shade of a pause.
struct Shade {
    x: f64,
    width: f64,
    cause: &'static str,
    after: String,
    lasted: String,
}

/// The name of a pause.
struct Name {
    /// The middle of the text.
    x: f64,
    y: f64,
    text: &'static str,
}

impl Name {
    /// Returns whether `other` is too close for both to be read.
    fn meets(&self, other: &Self) -> bool {
        let half = |name: &Self| text_width(name.text) / 2.0 + 5.0;
        self.y == other.y && (self.x - other.x).abs() <= half(self) + half(other)
    }
}

struct RateLine {
    y: f64,
    text: String,
}

struct ThrottledLane {
    path: String,
    bottom: f64,
    /// The highest rate of throttled creates.
    most: String,
}

struct ProbeLane {
    path: String,
    bottom: f64,
}

struct Moment {
    x: f64,
    text: String,
}

/// A run in columns, with the scales on which it is drawn.
struct Scaled<'t> {
    timeline: &'t Timeline,
    columns: Vec<Column>,
    rates: Vec<(Duration, Option<f64>)>,
    /// Seconds from the left edge to the right one.
    took: f64,
    /// The rate at the upper edge.
    top: f64,
    /// The rate from one line of the grid to the next.
    step: f64,
}

impl Picture {
    /// Returns the picture of a run.
    pub(super) fn of(timeline: &Timeline) -> Self {
        let scaled = Scaled::of(timeline);
        let totals = timeline.totals();
        let kind = timeline.kind();
        let mut below = BOTTOM;
        let throttled = (totals.throttled > 0).then(|| {
            below += GAP + BARS;
            scaled.throttled(below)
        });
        let probes = (totals.probes > 0).then(|| {
            below += GAP + TICKS;
            scaled.probes(below)
        });
        let (pauses, names) = scaled.pauses();
        let highest = names.iter().map(|name| name.y).fold(TOP, f64::min);
        let exceeds = |rate: &Option<f64>| rate.is_some_and(|rate| rate > scaled.top);
        Self {
            description: scaled.description(),
            done: kind.outcome(),
            requests: format!("{}s", kind.noun()),
            // A row of names that is empty takes no room.
            above: highest - NAME_ROWS[1],
            below,
            pauses,
            names,
            rate_axis: scaled.rate_axis(),
            others: (totals.others > 0)
                .then(|| scaled.outline(|column| column.created + column.others)),
            created: scaled.outline(|column| column.created),
            own_rate: scaled.own_rate(),
            own_rate_exceeds_top: scaled.rates.iter().any(|(_, rate)| exceeds(rate)),
            throttled,
            probes,
            time_axis: scaled.time_axis(),
        }
    }
}

impl<'t> Scaled<'t> {
    fn of(timeline: &'t Timeline) -> Self {
        let took = timeline.took().as_secs_f64().max(SHORTEST);
        let totals = timeline.totals();
        let settled = float(totals.created + totals.others).max(1.0);
        let enough = (took * CREATES_PER_COLUMN / settled).max(1.0).min(took / 12.0).max(SHORTEST);
        let columns = timeline.columns(Duration::from_secs_f64(enough.max(took / MAX_COLUMNS)));
        let rates = timeline.rates();
        let settled = columns.iter().map(|one| per_second(one.created + one.others, one));
        let most = settled.fold(0.0, f64::max);
        let throttled = columns.iter().map(|one| per_second(one.throttled, one));
        let answered = throttled.fold(most, f64::max);
        let own = rates.iter().filter_map(|(_, rate)| *rate).fold(0.0, f64::max);
        let top = match (answered > 0.0, own > 0.0) {
            (true, _) => most.max(own.min(answered * HEADROOM)),
            (false, true) => own,
            (false, false) => 1.0,
        };
        let step = scale::rate_step(top * 1.02);
        let top = (top * 1.02 / step).ceil() * step;
        Self { timeline, columns, rates, took, top, step }
    }

    fn x(&self, at: Duration) -> f64 {
        LEFT + (RIGHT - LEFT) * (at.as_secs_f64() / self.took).min(1.0)
    }

    fn y(&self, rate: f64) -> f64 {
        BOTTOM - (BOTTOM - TOP) * (rate / self.top).min(1.0)
    }

    fn description(&self) -> String {
        let (totals, kind) = (self.timeline.totals(), self.timeline.kind());
        let most = self.columns.iter().map(|column| per_second(column.created, column));
        let mut text = format!(
            "In {} {} {}, at most {}/s.",
            duration(self.timeline.took()),
            artifacts(totals.created),
            kind.outcome(),
            scale::rate(most.fold(0.0, f64::max))
        );
        if totals.throttled > 0 {
            let _ = write!(text, " Throttled {}s: {}.", kind.noun(), grouped(totals.throttled));
        }
        if totals.pauses > 0 {
            let (times, paused) = (grouped(totals.pauses), duration(totals.paused));
            let _ = write!(text, " Pauses: {times}, {paused} in all.");
        }
        if totals.probes > 0 {
            let _ = write!(text, " Probes: {}.", grouped(totals.probes));
        }
        text
    }

    /// Returns the shades of the pauses, and the names for which there is room: the longest pause
    /// has its name first.
    fn pauses(&self) -> (Vec<Shade>, Vec<Name>) {
        let (mut shades, mut names) = (Vec::new(), Vec::<Name>::new());
        let mut by_length: Vec<&Pause> = self.timeline.pauses().iter().collect();
        by_length.sort_by_key(|pause| (std::cmp::Reverse(pause.length()), pause.from));
        for pause in by_length {
            let (from, to) = (self.x(pause.from), self.x(pause.to));
            let cause = pause.cause.as_str();
            shades.push(Shade {
                x: from,
                width: (to - from).max(2.5),
                cause,
                after: duration(pause.from),
                lasted: duration(pause.length()),
            });
            let half = text_width(cause) / 2.0;
            let x = f64::midpoint(from, to).clamp(LEFT + half, RIGHT - half);
            let rows = NAME_ROWS.into_iter().map(|y| Name { x, y, text: cause });
            let free = |name: &Name| !names.iter().any(|other| name.meets(other));
            names.extend(rows.filter(free).take(1).collect::<Vec<_>>());
        }
        (shades, names)
    }

    fn rate_axis(&self) -> Vec<RateLine> {
        let rates = (0_u32..).map(|at| f64::from(at) * self.step);
        let rates = rates.take_while(|rate| *rate <= self.top * 1.001);
        rates.map(|rate| RateLine { y: self.y(rate), text: scale::rate(rate) }).collect()
    }

    /// Returns the path round what `count` counts per second.
    fn outline(&self, count: impl Fn(&Column) -> u64) -> String {
        let mut path = format!("M{LEFT} {BOTTOM}");
        for column in &self.columns {
            let y = self.y(per_second(count(column), column));
            let _ = write!(path, "V{y:.1}H{:.1}", self.x(column.to));
        }
        path.push_str(&format!("V{BOTTOM}Z"));
        path
    }

    /// Returns the path of lineload's own rate; `None` if it had none.
    fn own_rate(&self) -> Option<String> {
        let mut path = String::new();
        for (from, rate) in self.rates.iter().filter_map(|(from, rate)| Some((from, (*rate)?))) {
            let (x, y) = (self.x(*from), self.y(rate));
            let _ = match path.is_empty() {
                true => write!(path, "M{x:.1} {y:.1}"),
                false => write!(path, "H{x:.1}V{y:.1}"),
            };
        }
        (!path.is_empty()).then(|| format!("{path}H{RIGHT}"))
    }

    fn throttled(&self, bottom: f64) -> ThrottledLane {
        let rates = self.columns.iter().map(|column| per_second(column.throttled, column));
        let rates: Vec<_> = rates.collect();
        let most = rates.iter().copied().fold(0.0, f64::max);
        let mut path = String::new();
        for (column, rate) in self.columns.iter().zip(&rates).filter(|(_, rate)| **rate > 0.0) {
            let (from, to) = (self.x(column.from), self.x(column.to));
            // A hair apart, and never too thin or low to be seen.
            let (width, height) = ((to - from - 0.5).max(1.5), (BARS * rate / most).max(2.0));
            let _ = write!(path, "M{from:.1} {bottom}v-{height:.1}h{width:.1}v{height:.1}z");
        }
        ThrottledLane { path, bottom, most: scale::rate(most) }
    }

    fn probes(&self, bottom: f64) -> ProbeLane {
        let mut path = String::new();
        let mut last = f64::NEG_INFINITY;
        let top = bottom - TICKS;
        for at in self.timeline.probes() {
            let x = self.x(at);
            if x - last >= 2.0 {
                let _ = write!(path, "M{x:.1} {top}V{bottom}");
                last = x;
            }
        }
        ProbeLane { path, bottom }
    }

    fn time_axis(&self) -> Vec<Moment> {
        let step = scale::time_step(self.took);
        let moments = (0_u32..).map(|at| f64::from(at) * step);
        let moments = moments.take_while(|seconds| *seconds <= self.took * 1.0001);
        let x = |seconds: f64| LEFT + (RIGHT - LEFT) * (seconds / self.took).min(1.0);
        moments.map(|seconds| Moment { x: x(seconds), text: scale::time(seconds, step) }).collect()
    }
}

fn text_width(text: &str) -> f64 {
    float(text.len() as u64) * LETTER
}

fn per_second(count: u64, column: &Column) -> f64 {
    let length = column.to.saturating_sub(column.from).as_secs_f64();
    float(count) / length.max(SHORTEST)
}

fn artifacts(count: u64) -> String {
    let were = if count == 1 { "was" } else { "were" };
    format!("{} {were}", counted(usize::try_from(count).unwrap_or(usize::MAX), "artifact"))
}

#[expect(clippy::cast_precision_loss, reason = "a number in a picture")]
const fn float(count: u64) -> f64 {
    count as f64
}
