//! The rate over time, drawn as SVG.
//!
//! Above, the artifacts created a second as an area and lineload's own rate as a line; below it, on the
//! same axis, throttled creates as bars and probes as ticks. Pauses are shades over all of it.

use std::fmt::Write as _;
use std::io::{self, Write};
use std::time::Duration;

use super::scale;
use crate::report::run::timeline::{Column, Pause, Timeline};
use crate::text::{counted, duration, grouped};

/// The sizes, in units of the picture: about a pixel each.
const WIDTH: f64 = 960.0;
const LEFT: f64 = 84.0;
const RIGHT: f64 = 924.0;
const TOP: f64 = 44.0;
const BOTTOM: f64 = 264.0;
/// Between two parts of the picture.
const GAP: f64 = 14.0;
/// The height of the bars of throttled creates, and of the ticks of probes.
const BARS: f64 = 44.0;
const TICKS: f64 = 14.0;
/// Columns are no narrower than this.
const COLUMNS: f64 = 220.0;
/// Creates that a column has on the average, where the run has enough of them: fewer would make a
/// steady rate look like a saw.
const A_COLUMN: f64 = 8.0;
/// A run is drawn at least so long, in seconds.
const SHORTEST: f64 = 0.1;
/// How far above what was created lineload's rate is drawn; it can be out of any proportion.
const HEADROOM: f64 = 4.0;
/// Where the names of pauses stand: two rows, so that neighbours have both their names.
const NAMES: [f64; 2] = [29.0, 14.0];
/// The width of a letter of a pause's name.
const LETTER: f64 = 6.6;

/// What is drawn, with the scales it is drawn on.
struct Picture<'t> {
    timeline: &'t Timeline,
    columns: Vec<Column>,
    rates: Vec<(Duration, Option<f64>)>,
    /// Seconds from the left to the right.
    took: f64,
    /// The rate at the top.
    top: f64,
    step: f64,
    svg: String,
}

/// Draws the picture and its legend.
pub(super) fn draw(timeline: &Timeline, out: &mut impl Write) -> io::Result<()> {
    let mut picture = Picture::of(timeline);
    write!(out, "<figure>\n<div class=\"wide\">\n{}</div>\n", picture.draw())?;
    write!(out, "<figcaption>{}</figcaption>\n</figure>\n", picture.legend())
}

impl<'t> Picture<'t> {
    fn of(timeline: &'t Timeline) -> Self {
        let took = timeline.took().as_secs_f64().max(SHORTEST);
        let totals = timeline.totals();
        let settled = float(totals.created + totals.others).max(1.0);
        let enough = (took * A_COLUMN / settled).max(1.0).min(took / 12.0).max(SHORTEST);
        let columns = timeline.columns(Duration::from_secs_f64(enough.max(took / COLUMNS)));
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
        Self { timeline, columns, rates, took, top, step, svg: String::new() }
    }

    fn x(&self, at: Duration) -> f64 {
        LEFT + (RIGHT - LEFT) * (at.as_secs_f64() / self.took).min(1.0)
    }

    fn y(&self, rate: f64) -> f64 {
        BOTTOM - (BOTTOM - TOP) * (rate / self.top).min(1.0)
    }

    fn put(&mut self, markup: std::fmt::Arguments<'_>) {
        // Writing to a string does not fail.
        let _ = self.svg.write_fmt(markup);
        self.svg.push('\n');
    }

    fn draw(&mut self) -> String {
        let totals = self.timeline.totals();
        let mut below = BOTTOM;
        let bars = (totals.throttled > 0).then(|| {
            below += GAP + BARS;
            below
        });
        let ticks = (totals.probes > 0).then(|| {
            below += GAP + TICKS;
            below
        });
        let above = self.pauses(below);
        self.rate_axis();
        self.areas();
        self.own_rate();
        if let Some(bottom) = bars {
            self.throttled(bottom);
        }
        if let Some(bottom) = ticks {
            self.probes(bottom);
        }
        self.time_axis(below);
        let height = below + 46.0 - above;
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 {above} {WIDTH} {height}\" role=\"img\" \
             aria-labelledby=\"picture-title picture-desc\">\n\
             <title id=\"picture-title\">Artifacts created per second, over time</title>\n\
             <desc id=\"picture-desc\">{}</desc>\n{}</svg>\n",
            self.description(),
            std::mem::take(&mut self.svg)
        )
    }

    fn description(&self) -> String {
        let totals = self.timeline.totals();
        let most = self.columns.iter().map(|column| per_second(column.created, column));
        let mut text = format!(
            "In {} {} created, at most {}/s.",
            duration(self.timeline.took()),
            artifacts(totals.created),
            scale::rate(most.fold(0.0, f64::max))
        );
        if totals.throttled > 0 {
            let _ = write!(text, " Throttled creates: {}.", grouped(totals.throttled));
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

    /// Draws the pauses, and tells how much of the room for their names nobody needs.
    fn pauses(&mut self, below: f64) -> f64 {
        let pauses = self.timeline.pauses();
        let mut named: Vec<(f64, f64, f64)> = Vec::new();
        let mut by_length: Vec<&Pause> = pauses.iter().collect();
        by_length.sort_by_key(|pause| (std::cmp::Reverse(pause.length()), pause.from));
        for pause in by_length {
            let (from, to) = (self.x(pause.from), self.x(pause.to));
            let width = (to - from).max(2.5);
            let name = pause.cause.as_str();
            let (after, lasted) = (duration(pause.from), duration(pause.length()));
            let (y, height) = (TOP - 8.0, below - TOP + 8.0);
            self.put(format_args!(
                "<rect class=\"pause\" x=\"{from:.1}\" y=\"{y}\" width=\"{width:.1}\" \
                 height=\"{height}\"><title>paused for {lasted} after {after}: {name}</title></rect>"
            ));
            // The longest has its name first; one whose name would meet another's goes without.
            let half = float(name.len() as u64) * LETTER / 2.0;
            let middle = f64::midpoint(from, to).clamp(LEFT + half, RIGHT - half);
            let (start, end) = (middle - half - 5.0, middle + half + 5.0);
            let free = |row: &f64| {
                named.iter().all(|(of, first, last)| of != row || end < *first || start > *last)
            };
            if let Some(row) = NAMES.into_iter().find(free) {
                named.push((row, start, end));
                self.put(format_args!(
                    "<text class=\"cause\" x=\"{middle:.1}\" y=\"{row}\">{name}</text>"
                ));
            }
        }
        let highest = named.iter().map(|(row, ..)| *row).fold(TOP, f64::min);
        highest - NAMES[1]
    }

    fn rate_axis(&mut self) {
        let (mut at, top, step) = (0_u32, self.top, self.step);
        while f64::from(at) * step <= top * 1.001 {
            let rate = f64::from(at) * step;
            let y = self.y(rate);
            let class = if at == 0 { "axis" } else { "grid" };
            self.put(format_args!("<path class=\"{class}\" d=\"M{LEFT} {y:.1}H{RIGHT}\"/>"));
            let (x, y, text) = (LEFT - 8.0, y + 4.0, scale::rate(rate));
            self.put(format_args!("<text class=\"end\" x=\"{x}\" y=\"{y:.1}\">{text}</text>"));
            at += 1;
        }
        let middle = f64::midpoint(TOP, BOTTOM);
        self.put(format_args!(
            "<text class=\"middle name\" transform=\"translate(18 {middle}) rotate(-90)\">created per second</text>"
        ));
    }

    fn areas(&mut self) {
        let totals = self.timeline.totals();
        if totals.others > 0 {
            let path = self.area(|column| column.created + column.others);
            self.put(format_args!("<path class=\"others\" d=\"{path}\"/>"));
        }
        let path = self.area(|column| column.created);
        self.put(format_args!("<path class=\"created\" d=\"{path}\"/>"));
    }

    fn area(&self, count: impl Fn(&Column) -> u64) -> String {
        let mut path = format!("M{LEFT} {BOTTOM}");
        for column in &self.columns {
            let y = self.y(per_second(count(column), column));
            let _ = write!(path, "V{y:.1}H{:.1}", self.x(column.to));
        }
        path.push_str(&format!("V{BOTTOM}Z"));
        path
    }

    fn own_rate(&mut self) {
        let mut path = String::new();
        for (from, rate) in self.rates.iter().filter_map(|(from, rate)| Some((from, (*rate)?))) {
            let (x, y) = (self.x(*from), self.y(rate));
            let _ = match path.is_empty() {
                true => write!(path, "M{x:.1} {y:.1}"),
                false => write!(path, "H{x:.1}V{y:.1}"),
            };
        }
        if !path.is_empty() {
            self.put(format_args!("<path class=\"own-rate\" d=\"{path}H{RIGHT}\"/>"));
        }
    }

    fn throttled(&mut self, bottom: f64) {
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
        self.put(format_args!("<path class=\"throttled\" d=\"{path}\"/>"));
        self.lane(bottom, BARS, "throttled", &format!("up to {}/s", scale::rate(most)));
    }

    fn probes(&mut self, bottom: f64) {
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
        self.put(format_args!("<path class=\"probes\" d=\"{path}\"/>"));
        self.lane(bottom, TICKS, "probes", "");
    }

    /// The name and the ground of a part below.
    fn lane(&mut self, bottom: f64, height: f64, name: &str, more: &str) {
        self.put(format_args!("<path class=\"axis\" d=\"M{LEFT} {bottom}H{RIGHT}\"/>"));
        let (x, middle) = (LEFT - 8.0, bottom - height / 2.0 + 4.0);
        let first = if more.is_empty() { middle } else { middle - 8.0 };
        self.put(format_args!("<text class=\"end\" x=\"{x}\" y=\"{first}\">{name}</text>"));
        if !more.is_empty() {
            let second = middle + 8.0;
            self.put(format_args!("<text class=\"end\" x=\"{x}\" y=\"{second}\">{more}</text>"));
        }
    }

    fn time_axis(&mut self, below: f64) {
        let step = scale::time_step(self.took);
        let mut at = 0_u32;
        while f64::from(at) * step <= self.took * 1.0001 {
            let seconds = f64::from(at) * step;
            let x = LEFT + (RIGHT - LEFT) * (seconds / self.took).min(1.0);
            let (end, y) = (below + 5.0, below + 19.0);
            self.put(format_args!("<path class=\"axis\" d=\"M{x:.1} {below}V{end}\"/>"));
            let text = scale::time(seconds, step);
            self.put(format_args!("<text class=\"middle\" x=\"{x:.1}\" y=\"{y}\">{text}</text>"));
            at += 1;
        }
        let (middle, y) = (f64::midpoint(LEFT, RIGHT), below + 38.0);
        self.put(format_args!(
            "<text class=\"middle name\" x=\"{middle}\" y=\"{y}\">time since sending began</text>"
        ));
    }

    /// What is in the picture, and only that.
    fn legend(&self) -> String {
        let totals = self.timeline.totals();
        let rated = self.rates.iter().any(|(_, rate)| rate.is_some());
        let beyond = self.rates.iter().any(|(_, rate)| rate.is_some_and(|rate| rate > self.top));
        let own_rate =
            if beyond { "lineload's rate (the top edge: more)" } else { "lineload's rate" };
        let keys = [
            ("created", "created per second", true),
            ("others", "other outcomes", totals.others > 0),
            ("own-rate", own_rate, rated),
            ("throttled", "throttled creates per second", totals.throttled > 0),
            ("pause", "paused, and why", totals.pauses > 0),
            ("probes", "probe", totals.probes > 0),
        ];
        let mut legend = String::new();
        for (class, text, _) in keys.iter().filter(|(.., shown)| *shown) {
            let _ = write!(legend, "<span class=\"key\"><i class=\"{class}\"></i>{text}</span> ");
        }
        legend.trim_end().to_owned()
    }
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
