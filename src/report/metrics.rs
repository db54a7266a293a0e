//! The numbers of a run, for Prometheus.
//!
//! In: requests, events and counts. Out: the text format that node_exporter's textfile collector reads,
//! version 0.0.4. Every series has the label `file`, so that several imports of a machine can be told
//! apart; series that can have a value from the beginning have one, so that none appears late.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{self, Write};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::run::Counts;
use super::run::timeline::Totals;
use crate::event::{Event, Exchange};
use crate::submission::{Class, Operation, Outcome, RunKind};
use crate::text::redacted;

/// The upper bounds of the buckets of latencies, in seconds: from a registry on this machine to the
/// default of `--timeout`.
const BOUNDS: [f64; 13] =
    [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0, 30.0];
/// The class of an answer that is no refusal.
const OK: &str = "ok";
/// The series that outlasts its run.
const LAST_SUCCESS: &str = "lineload_last_success_timestamp_seconds";

/// The numbers of a run.
#[derive(Debug)]
pub struct Metrics {
    /// The label of every series.
    file: String,
    command: &'static str,
    run: String,
    target: String,
    began: SystemTime,
    counts: Counts,
    totals: Totals,
    requests: BTreeMap<(Operation, &'static str), u64>,
    latencies: BTreeMap<Operation, Histogram>,
    /// Requests a second; infinite without a limit, `None` before anything is submitted.
    rate: Option<f64>,
    /// The time when the numbers were written last, and the entries that had been written by then.
    written: Option<(SystemTime, usize)>,
    ended: Option<(SystemTime, u8)>,
    last_success: Option<f64>,
}

/// Latencies by [`BOUNDS`]; the last bucket has those beyond.
#[derive(Debug, Default)]
struct Histogram {
    buckets: [u64; BOUNDS.len() + 1],
    sum: Duration,
}

impl Histogram {
    fn add(&mut self, took: Duration) {
        let seconds = took.as_secs_f64();
        let bucket = BOUNDS.iter().position(|bound| seconds <= *bound);
        self.buckets[bucket.unwrap_or(BOUNDS.len())] += 1;
        self.sum += took;
    }
}

impl Metrics {
    /// The beginning of every text: a file with another beginning is not one of these.
    pub const BEGIN: &str = "# HELP lineload_";

    /// Returns the numbers of a run of `command`, which is of this kind and begins now. `file` is the label
    /// of every series.
    #[must_use]
    pub fn new(
        file: &str,
        command: &'static str,
        kind: RunKind,
        run: &str,
        began: SystemTime,
    ) -> Self {
        let operation = match kind {
            RunKind::Import => Operation::Create,
            RunKind::Delete => Operation::Delete,
        };
        Self {
            file: file.to_owned(),
            command,
            run: run.to_owned(),
            target: String::new(),
            began,
            counts: Counts::default(),
            totals: Totals::default(),
            requests: Class::ALL
                .map(Class::as_str)
                .into_iter()
                .chain([OK])
                .map(|class| ((operation, class), 0))
                .collect(),
            latencies: BTreeMap::from([(operation, Histogram::default())]),
            rate: None,
            written: None,
            ended: None,
            last_success: None,
        }
    }

    /// Takes the time of the last success from what an earlier run wrote.
    pub fn keep_last_success(&mut self, earlier: &str) {
        let line = earlier.lines().find(|line| line.starts_with(LAST_SUCCESS));
        let value = line.and_then(|line| line.rsplit(' ').next()?.parse::<f64>().ok());
        self.last_success = value.filter(|value| value.is_finite());
    }

    /// Sets the identity of the target.
    pub fn set_target(&mut self, target: &str) {
        self.target = redacted(target).into_owned();
    }

    /// Sets the rate at which the run may begin to submit; `None` without a limit.
    pub const fn set_rate(&mut self, rate: Option<f64>) {
        self.rate = Some(match rate {
            Some(rate) => rate,
            None => f64::INFINITY,
        });
    }

    /// Takes in an answer.
    pub fn answered(&mut self, exchange: &Exchange<'_>) {
        let class = exchange.refusal.map_or(OK, |refusal| refusal.class.as_str());
        *self.requests.entry((exchange.operation, class)).or_default() += 1;
        self.latencies.entry(exchange.operation).or_default().add(exchange.took);
    }

    /// Takes in an event, and how far the run has come with it.
    pub const fn event(&mut self, event: &Event, counts: Counts, totals: Totals) {
        (self.counts, self.totals) = (counts, totals);
        if let Event::RateChanged { to, .. } = event {
            self.rate = Some(*to);
        }
    }

    /// Sets how far the run has come.
    pub const fn set_counts(&mut self, counts: Counts) {
        self.counts = counts;
    }

    /// Ends the run at `now`.
    pub fn end(&mut self, now: SystemTime, exit: u8) {
        self.ended = Some((now, exit));
        if exit == 0 {
            self.last_success = Some(since_epoch(now));
        }
    }

    /// Writes the numbers as they are at `now`.
    ///
    /// # Errors
    /// If the writer fails.
    pub fn write(&mut self, now: SystemTime, out: &mut dyn Write) -> io::Result<()> {
        let done = self.done();
        let (from, before) = self.written.unwrap_or((self.began, 0));
        let ended = self.ended.is_some();
        let from = if ended { self.began } else { from };
        let before = if ended { 0 } else { before };
        let seconds = now.duration_since(from).unwrap_or_default().as_secs_f64();
        #[expect(clippy::cast_precision_loss, reason = "a rate")]
        let speed = if seconds > 0.0 { done.saturating_sub(before) as f64 / seconds } else { 0.0 };
        self.written = Some((now, done));
        let mut page = Page { text: String::new(), file: &self.file };
        self.about_the_run(now, &mut page);
        self.about_entries(speed, &mut page);
        self.about_requests(&mut page);
        out.write_all(page.text.as_bytes())
    }

    /// Returns how many entries were written to the target.
    fn done(&self) -> usize {
        let written = Outcome::ALL.into_iter().filter(|outcome| outcome.is_written());
        written.map(|outcome| self.counts.of(outcome)).sum()
    }

    fn about_the_run(&self, now: SystemTime, page: &mut Page<'_>) {
        page.family("lineload_run_info", "gauge", "The run and its target.");
        let version = env!("CARGO_PKG_VERSION");
        let labels = [
            ("run", &*self.run),
            ("command", self.command),
            ("target", &*self.target),
            ("version", version),
        ];
        page.sample("lineload_run_info", &labels, 1.0);
        let name = "lineload_run_start_timestamp_seconds";
        page.family(name, "gauge", "When this invocation of the run began.");
        page.sample(name, &[], since_epoch(self.began));
        let end = self.ended.map_or(now, |(ended, _)| ended);
        let name = "lineload_run_duration_seconds";
        page.family(name, "gauge", "How long this invocation of the run has taken.");
        page.sample(name, &[], end.duration_since(self.began).unwrap_or_default().as_secs_f64());
        let name = "lineload_run_running";
        page.family(name, "gauge", "Whether the run was still running when this was written.");
        page.sample(name, &[], if self.ended.is_some() { 0.0 } else { 1.0 });
        if let Some((_, exit)) = self.ended {
            let name = "lineload_run_exit_code";
            page.family(name, "gauge", "The exit code of the run.");
            page.sample(name, &[], f64::from(exit));
        }
        if let Some(last) = self.last_success {
            page.family(
                LAST_SUCCESS,
                "gauge",
                "When a run with this file last ended with exit code 0.",
            );
            page.sample(LAST_SUCCESS, &[], last);
        }
    }

    fn about_entries(&self, speed: f64, page: &mut Page<'_>) {
        let name = "lineload_entries_total";
        page.family(name, "counter", "Entries of this invocation that came to an end, by outcome.");
        for outcome in Outcome::ALL.into_iter().filter(|outcome| *outcome != Outcome::Pending) {
            page.count(name, &[("outcome", outcome.as_str())], self.counts.of(outcome) as u64);
        }
        let name = "lineload_entries_pending";
        page.family(name, "gauge", "Entries that have not come to an end.");
        page.count(name, &[], self.counts.of(Outcome::Pending) as u64);
        let name = "lineload_writes_per_second";
        page.family(
            name,
            "gauge",
            "Entries written to the target a second: since this was written last, at the end in all.",
        );
        page.sample(name, &[], speed);
        if let Some(rate) = self.rate {
            let name = "lineload_rate_limit_per_second";
            page.family(name, "gauge", "The writes a second that the run allows itself.");
            page.sample(name, &[], rate);
        }
        let Totals { probes, pauses, paused, throttled, .. } = self.totals;
        for (name, help, value) in [
            (
                "lineload_throttled_writes_total",
                "Writes that were throttled, and repeated.",
                throttled,
            ),
            ("lineload_pauses_total", "Pauses, in which only probes are sent.", pauses),
            ("lineload_probes_total", "Probes that were sent in pauses.", probes),
        ] {
            page.family(name, "counter", help);
            page.count(name, &[], value);
        }
        let name = "lineload_paused_seconds_total";
        page.family(name, "counter", "The time in pauses.");
        page.sample(name, &[], paused.as_secs_f64());
    }

    fn about_requests(&self, page: &mut Page<'_>) {
        let name = "lineload_requests_total";
        page.family(name, "counter", "Requests, by operation and by the class of their answer.");
        for ((operation, class), number) in &self.requests {
            let labels = [("operation", operation.name()), ("class", class)];
            page.count(name, &labels, *number);
        }
        let name = "lineload_request_duration_seconds";
        page.family(name, "histogram", "The time from a request to its answer, by operation.");
        for (operation, histogram) in &self.latencies {
            let operation = ("operation", operation.name());
            let mut sum = 0;
            for (bucket, number) in histogram.buckets.iter().enumerate() {
                sum += number;
                let bound = BOUNDS.get(bucket).map_or_else(|| "+Inf".to_owned(), f64::to_string);
                let bucket = format!("{name}_bucket");
                page.count(&bucket, &[operation, ("le", &bound)], sum);
            }
            page.sample(&format!("{name}_sum"), &[operation], histogram.sum.as_secs_f64());
            page.count(&format!("{name}_count"), &[operation], sum);
        }
    }
}

/// The text of all series.
struct Page<'p> {
    text: String,
    /// The label of each.
    file: &'p str,
}

impl Page<'_> {
    fn family(&mut self, name: &str, kind: &str, help: &str) {
        let _ = write!(self.text, "# HELP {name} {help}\n# TYPE {name} {kind}\n");
    }

    fn count(&mut self, name: &str, labels: &[(&str, &str)], value: u64) {
        self.line(name, labels, &value.to_string());
    }

    fn sample(&mut self, name: &str, labels: &[(&str, &str)], value: f64) {
        let value = if value.is_infinite() { "+Inf".to_owned() } else { value.to_string() };
        self.line(name, labels, &value);
    }

    fn line(&mut self, name: &str, labels: &[(&str, &str)], value: &str) {
        let _ = write!(self.text, "{name}{{file=\"{}\"", Label(self.file));
        for (label, text) in labels {
            let _ = write!(self.text, ",{label}=\"{}\"", Label(text));
        }
        let _ = writeln!(self.text, "}} {value}");
    }
}

/// The value of a label, as it is written in quotes.
struct Label<'l>(&'l str);

impl std::fmt::Display for Label<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for c in self.0.chars() {
            match c {
                '\\' => f.write_str("\\\\")?,
                '"' => f.write_str("\\\"")?,
                '\n' => f.write_str("\\n")?,
                c if c.is_control() => {
                    let escaped = c.escape_unicode().to_string();
                    f.write_str(&escaped.replace('\\', "\\\\"))?;
                }
                c => f.write_char(c)?,
            }
        }
        Ok(())
    }
}

fn since_epoch(time: SystemTime) -> f64 {
    let seconds = time.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64();
    // A millisecond is as exact as anybody wants to know.
    (seconds * 1e3).round() / 1e3
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::submission::Refusal;

    const BEGAN: u64 = 1_700_000_000;

    fn at(seconds: u64) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(BEGAN + seconds)
    }

    fn text(metrics: &mut Metrics, now: SystemTime) -> String {
        let mut out = Vec::new();
        metrics.write(now, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    fn exchange(operation: Operation, millis: u64, refusal: Option<&Refusal>) -> Exchange<'_> {
        Exchange { refusal, ..Exchange::new(operation, Duration::from_millis(millis)) }
    }

    #[test]
    fn requests_and_entries_are_counted() {
        let mut metrics = Metrics::new("a", "import", RunKind::Import, "r1", at(0));
        metrics.set_target("aws:123456789012:eu-west-1");
        metrics.set_rate(None);
        let throttled = Refusal::of(Class::Throttled, "Rate exceeded");
        metrics.answered(&exchange(Operation::Create, 4, None));
        metrics.answered(&exchange(Operation::Create, 60, Some(&throttled)));
        metrics.answered(&exchange(Operation::Create, 31_000, None));
        metrics.answered(&exchange(Operation::List, 5, None));
        let mut counts = Counts::default();
        counts.add_many(Outcome::Created, 2);
        counts.add_many(Outcome::Pending, 7);
        let rate = Event::RateChanged { from: None, to: 4.5, throttled: true };
        let totals =
            Totals { throttled: 1, paused: Duration::from_millis(1500), ..Totals::default() };
        metrics.event(&rate, counts, totals);
        let page = text(&mut metrics, at(4));
        for line in [
            "lineload_run_info{file=\"a\",run=\"r1\",command=\"import\",target=\"aws:123456789012:eu-west-1\",version=\"0.1.0\"} 1",
            "lineload_run_start_timestamp_seconds{file=\"a\"} 1700000000",
            "lineload_run_duration_seconds{file=\"a\"} 4",
            "lineload_run_running{file=\"a\"} 1",
            "lineload_entries_total{file=\"a\",outcome=\"created\"} 2",
            "lineload_entries_total{file=\"a\",outcome=\"rejected\"} 0",
            "lineload_entries_pending{file=\"a\"} 7",
            "lineload_writes_per_second{file=\"a\"} 0.5",
            "lineload_rate_limit_per_second{file=\"a\"} 4.5",
            "lineload_throttled_writes_total{file=\"a\"} 1",
            "lineload_paused_seconds_total{file=\"a\"} 1.5",
            "lineload_requests_total{file=\"a\",operation=\"CreateArtifact\",class=\"ok\"} 2",
            "lineload_requests_total{file=\"a\",operation=\"CreateArtifact\",class=\"throttled\"} 1",
            "lineload_requests_total{file=\"a\",operation=\"CreateArtifact\",class=\"limit\"} 0",
            "lineload_requests_total{file=\"a\",operation=\"ListArtifacts\",class=\"ok\"} 1",
            "lineload_request_duration_seconds_bucket{file=\"a\",operation=\"CreateArtifact\",le=\"0.005\"} 1",
            "lineload_request_duration_seconds_bucket{file=\"a\",operation=\"CreateArtifact\",le=\"0.1\"} 2",
            "lineload_request_duration_seconds_bucket{file=\"a\",operation=\"CreateArtifact\",le=\"30\"} 2",
            "lineload_request_duration_seconds_bucket{file=\"a\",operation=\"CreateArtifact\",le=\"+Inf\"} 3",
            "lineload_request_duration_seconds_sum{file=\"a\",operation=\"CreateArtifact\"} 31.064",
            "lineload_request_duration_seconds_count{file=\"a\",operation=\"CreateArtifact\"} 3",
            "# TYPE lineload_request_duration_seconds histogram",
        ] {
            assert!(page.lines().any(|one| one == line), "{line}\n{page}");
        }
        assert!(!page.contains("last_success") && !page.contains("exit_code"), "{page}");
    }

    #[test]
    fn the_series_of_what_the_run_does_are_there_from_the_beginning() {
        let mut metrics = Metrics::new("a", "delete", RunKind::Delete, "r", at(0));
        let page = text(&mut metrics, at(0));
        for line in [
            "lineload_requests_total{file=\"a\",operation=\"DeleteArtifact\",class=\"ok\"} 0",
            "lineload_requests_total{file=\"a\",operation=\"DeleteArtifact\",class=\"throttled\"} 0",
            "lineload_request_duration_seconds_count{file=\"a\",operation=\"DeleteArtifact\"} 0",
        ] {
            assert!(page.lines().any(|one| one == line), "{line}\n{page}");
        }
        assert!(!page.contains("CreateArtifact") && page.starts_with(Metrics::BEGIN), "{page}");
    }

    #[test]
    fn the_last_success_outlasts_runs_that_fail() {
        let mut first = Metrics::new("a", "import", RunKind::Import, "r1", at(0));
        first.end(at(10), 0);
        let page = text(&mut first, at(10));
        let line = "lineload_last_success_timestamp_seconds{file=\"a\"} 1700000010\n";
        assert!(page.contains(line) && page.contains("exit_code{file=\"a\"} 0\n"), "{page}");
        let mut second = Metrics::new("a", "import", RunKind::Import, "r2", at(60));
        second.keep_last_success(&page);
        assert!(text(&mut second, at(61)).contains(line));
        second.end(at(70), 4);
        let page = text(&mut second, at(70));
        assert!(page.contains(line) && page.contains("exit_code{file=\"a\"} 4\n"), "{page}");
        let mut third = Metrics::new("a", "import", RunKind::Import, "r3", at(80));
        third.keep_last_success("something else\n");
        assert!(!text(&mut third, at(81)).contains("last_success"));
    }

    #[test]
    fn the_speed_is_that_since_the_last_text_and_in_the_end_that_of_the_run() {
        let mut metrics = Metrics::new("a", "import", RunKind::Import, "r", at(0));
        let mut speed = |now: u64, created: usize, ends: bool| {
            let mut counts = Counts::default();
            counts.add_many(Outcome::Created, created);
            metrics.set_counts(counts);
            if ends {
                metrics.end(at(now), 0);
            }
            let page = text(&mut metrics, at(now));
            let line = page.lines().find(|line| line.starts_with("lineload_writes_per_second{"));
            line.unwrap().rsplit(' ').next().unwrap().to_owned()
        };
        assert_eq!(speed(5, 10, false), "2");
        assert_eq!(speed(10, 11, false), "0.2");
        assert_eq!(speed(22, 22, true), "1");
    }

    #[test]
    fn no_label_breaks_its_line() {
        let mut metrics = Metrics::new("a\"b\\c\nd\u{1b}", "import", RunKind::Import, "r", at(0));
        metrics.set_target("https://key:AKIAIOSFODNN7EXAMPLE@host/ eu-west-1");
        let page = text(&mut metrics, at(0));
        assert!(
            page.contains("lineload_run_running{file=\"a\\\"b\\\\c\\nd\\\\u{1b}\"} 1\n"),
            "{page}"
        );
        assert!(!page.contains("AKIA"), "{page}");
    }
}
