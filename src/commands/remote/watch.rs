//! Watches a run: the log of its requests and events, and the file of `--metrics`.

use std::path::{Path, PathBuf};
use std::sync::mpsc::{RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, SystemTime};

use crate::cli::Global;
use crate::commands::failure::Failure;
use crate::commands::log;
use crate::destination;
use crate::event::{Event, Exchange, Observer};
use crate::exit::Exit;
use crate::report::metrics::Metrics;
use crate::report::run::RunLog;
use crate::submission::{RunKind, Target};
use crate::text::{escaped, reason};

/// The time after which the file is written again while a run is on its way.
const EVERY: Duration = Duration::from_secs(5);

/// Watches one run.
pub(super) struct Watch {
    metrics: Option<File>,
}

/// The file of `--metrics`, which a thread of its own writes.
struct File {
    path: PathBuf,
    metrics: Arc<Mutex<Metrics>>,
    /// Dropped when the run has ended.
    running: SyncSender<()>,
    writer: JoinHandle<()>,
}

impl Watch {
    /// Begins to watch the run `id` of `command`, which is of this kind. From now on every line of the log
    /// has its id.
    ///
    /// # Errors
    /// If the file of `--metrics` cannot be written, or is something else.
    pub(super) fn begin(
        file: Option<&Path>,
        command: &'static str,
        kind: RunKind,
        id: &str,
    ) -> Result<Self, Failure> {
        log::set_run(id);
        let Some(path) = file else { return Ok(Self { metrics: None }) };
        destination::is_ours(path, Metrics::BEGIN, "a metrics file of lineload")?;
        let stem = path.file_stem().unwrap_or_default().to_string_lossy();
        let mut metrics = Metrics::new(&stem, command, kind, id, SystemTime::now());
        // A device or a pipe has no earlier content.
        if path.is_file()
            && let Ok(earlier) = std::fs::read_to_string(path)
        {
            metrics.keep_last_success(&earlier);
        }
        let metrics = Arc::new(Mutex::new(metrics));
        write(path, &metrics).map_err(|error| Failure::usage(unwritten(path, &error)))?;
        let (running, ended) = sync_channel::<()>(0);
        let (to, numbers) = (path.to_owned(), Arc::clone(&metrics));
        let writes = move || {
            let mut warned = false;
            while ended.recv_timeout(EVERY) == Err(RecvTimeoutError::Timeout) {
                if let Err(error) = write(&to, &numbers)
                    && !std::mem::replace(&mut warned, true)
                {
                    tracing::warn!("{}", unwritten(&to, &error));
                }
            }
        };
        let writer = std::thread::Builder::new().name("metrics".to_owned()).spawn(writes);
        let writer =
            writer.map_err(|error| Failure::usage(format!("cannot start a thread: {error}")))?;
        Ok(Self { metrics: Some(File { path: path.to_owned(), metrics, running, writer }) })
    }

    /// Notes the target, once it is known.
    pub(super) fn target(&self, target: &Target) {
        if let Some(file) = &self.metrics {
            lock(&file.metrics).set_target(&target.identity());
        }
    }

    /// Notes the rate at which the run may begin to submit.
    pub(super) fn rate(&self, rate: Option<f64>) {
        if let Some(file) = &self.metrics {
            lock(&file.metrics).set_rate(rate);
        }
    }

    /// Notes how far the run has come.
    pub(super) fn counts(&self, log: &RunLog) {
        if let Some(file) = &self.metrics {
            lock(&file.metrics).set_counts(log.counts_now());
        }
    }

    /// Returns what sees each request.
    pub(super) fn observer(&self) -> Observer {
        let metrics = self.metrics.as_ref().map(|file| Arc::clone(&file.metrics));
        Observer::new(move |exchange| {
            log_exchange(exchange);
            if let Some(metrics) = &metrics {
                lock(metrics).answered(exchange);
            }
        })
    }

    /// Takes in an event, which `log` has counted.
    pub(super) fn event(&self, event: &Event, log: &RunLog) {
        log_event(event);
        if let Some(file) = &self.metrics {
            lock(&file.metrics).event(event, log.counts_now(), log.timeline.totals());
        }
    }

    /// Writes the numbers of the run that ended with `result`, which it returns.
    pub(super) fn end(
        self,
        global: &Global,
        result: Result<Exit, Failure>,
    ) -> Result<Exit, Failure> {
        let Some(File { path, metrics, running, writer }) = self.metrics else { return result };
        drop(running);
        // Its panic has been shown.
        let _ = writer.join();
        let exit = result.as_ref().map_or_else(|failure| failure.exit, |exit| *exit);
        lock(&metrics).end(SystemTime::now(), exit.code());
        match write(&path, &metrics) {
            Ok(()) => result,
            // What was submitted stays submitted.
            Err(error) => {
                let failure =
                    Failure { exit: Exit::Stopped, ..Failure::usage(unwritten(&path, &error)) };
                failure.show(global);
                result.map(|exit| exit.and(failure.exit))
            }
        }
    }
}

fn lock(metrics: &Mutex<Metrics>) -> MutexGuard<'_, Metrics> {
    metrics.lock().unwrap_or_else(PoisonError::into_inner)
}

fn write(path: &Path, metrics: &Mutex<Metrics>) -> std::io::Result<()> {
    let mut text = Vec::new();
    lock(metrics).write(SystemTime::now(), &mut text)?;
    destination::has_reader(path)?;
    destination::replace(path, |out| out.write_all(&text))
}

fn unwritten(path: &Path, error: &std::io::Error) -> String {
    format!(
        "cannot write the metrics to {}: {}",
        escaped(&path.display().to_string()),
        reason(error)
    )
}

fn log_exchange(exchange: &Exchange<'_>) {
    if !tracing::enabled!(tracing::Level::DEBUG) {
        return;
    }
    let Exchange { operation, entry, attempt, took, request_id, refusal, wait } = *exchange;
    tracing::debug!(
        operation = operation.name(),
        entry = entry.map(|entry| entry.0),
        attempt,
        class = refusal.map_or("ok", |refusal| refusal.class.as_str()),
        code = refusal.and_then(|refusal| refusal.code.as_deref()),
        request_id,
        took_seconds = took.as_secs_f64(),
        wait_seconds = wait.map(|wait| wait.as_secs_f64()),
        "{}",
        refusal.map_or("answered", |refusal| refusal.message.as_str()),
    );
}

fn log_event(event: &Event) {
    match event {
        Event::Settled(settled) => tracing::debug!(
            entry = settled.entry.0,
            outcome = settled.outcome.as_str(),
            attempt = settled.attempts,
            class = settled.error.as_ref().map(|error| error.class.as_str()),
            code = settled.error.as_ref().and_then(|error| error.code.as_deref()),
            request_id = settled.request_id.as_deref(),
            "settled"
        ),
        Event::Withdrawn(entry) => tracing::debug!(entry = entry.0, "not submitted"),
        Event::MadeByAnother(entry) => {
            tracing::debug!(entry = entry.0, "created by somebody else");
        }
        Event::RateChanged { to, throttled, .. } => {
            tracing::info!(per_second = to, throttled, "rate changed");
        }
        Event::Paused { cause, probe_at, refusal } => tracing::info!(
            cause = cause.as_str(),
            wait_seconds =
                probe_at.saturating_duration_since(std::time::Instant::now()).as_secs_f64(),
            class = refusal.class.as_str(),
            code = refusal.code.as_deref(),
            request_id = refusal.request_id.as_deref(),
            "paused: {}",
            refusal.message
        ),
        Event::Reopened { after } => {
            tracing::info!(after_seconds = after.as_secs_f64(), "submitting again");
        }
        Event::AwaitingLookUps { entries, at } => tracing::info!(
            entries,
            wait_seconds = at.saturating_duration_since(std::time::Instant::now()).as_secs_f64(),
            "waiting for look-ups"
        ),
        // The request itself is logged.
        Event::Throttled | Event::Probed => {}
    }
}
