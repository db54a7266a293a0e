//! One import at one target: what is open is settled, what is known is left, the rest is sent.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::watch;

use super::Failure;
use super::checking;
use super::import::{command, engine_options};
use super::runtime::Signals;
use super::status;
use super::target::Ready;
use crate::artifact::Key;
use crate::check::{Entry, EntryId};
use crate::cli::{Global, Import};
use crate::commands::settings::Settings;
use crate::event::{Event, Settled};
use crate::import::{self, End, Job, Stop};
use crate::journal::{Journal, Known, OpenIntent, Staged, ToStage, Writer};
use crate::report::run::RunLog;
use crate::report::run::progress::RunProgress;
use crate::report::run::timeline::Timeline;
use crate::submission::{Outcome, Refusal};

/// What an import has at hand.
pub(super) struct Session<'s> {
    global: &'s Global,
    args: &'s Import,
    settings: &'s Settings,
    ready: &'s Ready,
    stopped: watch::Receiver<Stop>,
    listening: tokio::task::JoinHandle<()>,
}

impl Drop for Session<'_> {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

impl<'s> Session<'s> {
    /// Listens to signals from now on.
    pub(super) fn new(
        global: &'s Global,
        args: &'s Import,
        settings: &'s Settings,
        ready: &'s Ready,
        mut signals: Signals,
    ) -> Self {
        let (stop, stopped) = watch::channel(Stop::No);
        let listening = tokio::spawn(async move {
            let signal = signals.next().await;
            tracing::info!("signal {signal}: waiting for what is under way");
            let _ = stop.send(Stop::Drain { signal });
            let signal = signals.next().await;
            let _ = stop.send(Stop::Now { signal });
            // The channel must not close while the engine listens.
            std::future::pending::<()>().await;
        });
        Self { global, args, settings, ready, stopped, listening }
    }

    /// Settles what earlier runs left open, and tells the sources that proved to have been created;
    /// or how it ended, if it did not come to the end of them.
    pub(super) async fn settle_open(
        &mut self,
        journal: Journal,
    ) -> Result<(Journal, Result<HashSet<Key>, End>), Failure> {
        let intents = journal.open_intents(&self.ready.target).map_err(|e| status::failure(&e))?;
        if intents.is_empty() {
            return Ok((journal, Ok(HashSet::new())));
        }
        tracing::info!("{} attempts of an earlier run are open", intents.len());
        let job = |(number, intent): (u32, &OpenIntent)| Job {
            entry: EntryId(number),
            artifact: Arc::new(intent.artifact.clone()),
            open_since: Some(intent.at),
            differences: Vec::new(),
        };
        let jobs = (0..).zip(&intents).map(job).collect();
        let writer = journal.into_writer(Staged::of_intents(&intents));
        let writer = writer.map_err(|error| status::failure(&error))?;
        let mut recovered = HashSet::new();
        let outcomes = writer.outcomes();
        // Look-ups alone: there is no rate to tell of.
        let (end, _) = self
            .run_engine(jobs, &writer, |settled| {
                if settled.outcome == Outcome::Recovered {
                    let intent = &intents[settled.entry.0 as usize];
                    recovered.insert(intent.artifact.identity().key());
                }
                // What could not be told stays open, for the next run to ask again.
                if settled.outcome != Outcome::Unresolved {
                    outcomes.settled(settled);
                }
            })
            .await;
        drop(outcomes);
        let journal = close(writer, None)?;
        Ok((journal, if end == End::Done { Ok(recovered) } else { Err(end) }))
    }

    /// The entries that have to be sent; the outcome of the others goes to `log`.
    pub(super) fn jobs(
        &self,
        journal: &Journal,
        entries: &mut [Entry],
        recovered: &HashSet<Key>,
        log: &mut RunLog,
    ) -> Result<Vec<Job>, Failure> {
        let mut jobs = Vec::new();
        for entry in entries {
            let Some(artifact) = entry.artifact.take() else { continue };
            let key = artifact.identity().key();
            let known = journal.known(&self.ready.target, key);
            let known = known.map_err(|error| status::failure(&error))?;
            let differences = |known: &Known| artifact.differences(&known.artifact);
            let ask = self.args.recheck && !recovered.contains(&key);
            let Some(known) = known.as_ref().filter(|_| !ask) else {
                let differences = known.as_ref().map(differences).unwrap_or_default();
                let artifact = Arc::new(artifact);
                jobs.push(Job { entry: entry.id, artifact, open_since: None, differences });
                continue;
            };
            let (outcome, error) = if known.digest != artifact.digest() {
                (Outcome::Differs, Some(Refusal::differs(&differences(known))))
            } else if recovered.contains(&key) {
                (Outcome::Recovered, None)
            } else {
                log.known += 1;
                (Outcome::Existed, None)
            };
            log.settle(Settled {
                entry: entry.id,
                outcome,
                arn: known.arn.clone(),
                attempts: 0,
                request_id: None,
                error,
            });
        }
        Ok(jobs)
    }

    /// Stages `jobs` and sends them.
    pub(super) async fn submit(
        &mut self,
        mut journal: Journal,
        jobs: Vec<Job>,
        log: &mut RunLog,
    ) -> Result<End, Failure> {
        if jobs.is_empty() {
            return Ok(End::Done);
        }
        let to_stage = jobs.iter().filter_map(|job| {
            let logged = log.entries.get(job.entry.0 as usize)?;
            let (file, line) = (&*logged.file, logged.line);
            Some(ToStage { entry: job.entry, file, line, artifact: &job.artifact })
        });
        let staged = journal
            .stage(&log.run, &command(self.args), &self.ready.target, to_stage)
            .map_err(|error| status::failure(&error))?;
        let writer = journal.into_writer(staged).map_err(|error| status::failure(&error))?;
        let outcomes = writer.outcomes();
        let (end, timeline) = self
            .run_engine(jobs, &writer, |settled| {
                outcomes.settled(settled.clone());
                log.settle(settled);
            })
            .await;
        log.timeline = timeline;
        drop(outcomes);
        close(writer, Some(ending(&end)))?;
        Ok(end)
    }

    /// Sends `jobs`, and tells how it ended and how it went over time.
    async fn run_engine(
        &mut self,
        jobs: Vec<Job>,
        writer: &Writer,
        mut settled: impl FnMut(Settled),
    ) -> (End, Timeline) {
        let local = self.ready.target.is_local();
        let mut options = engine_options(&self.args.pace, &self.settings.config, local);
        options.journal = Some(writer.outcomes());
        let mut timeline = Timeline::new(options.pace.rate());
        let began = Instant::now();
        let quiet = self.global.quiet;
        let mut progress = RunProgress::new(checking::progress(self.global), quiet, jobs.len());
        let (events, mut told) = tokio::sync::mpsc::unbounded_channel::<Event>();
        let service = self.ready.service.clone();
        let stopped = self.stopped.clone();
        let engine = tokio::spawn(import::run(service, jobs, options, stopped, move |event| {
            // Nobody listens any more only where this function was given up.
            let _ = events.send(event);
        }));
        let mut tick = tokio::time::interval(Duration::from_millis(200));
        loop {
            tokio::select! {
                event = told.recv() => match event {
                    Some(event) => {
                        progress.event(&event);
                        timeline.event(began.elapsed(), &event);
                        match event {
                            Event::Settled(one) => settled(one),
                            Event::Withdrawn(entry) => writer.outcomes().withdrawn(entry),
                            _ => {}
                        }
                    }
                    None => break,
                },
                _ = tick.tick() => progress.tick(),
            }
        }
        progress.finish();
        timeline.end(began.elapsed());
        let end = match engine.await {
            Ok(end) => end,
            Err(error) => match error.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                Err(_) => End::Interrupted { signal: 15 },
            },
        };
        (end, timeline)
    }
}

/// Waits until everything is written.
fn close(writer: Writer, ending: Option<&str>) -> Result<Journal, Failure> {
    tokio::task::block_in_place(|| writer.finish(ending)).map_err(|error| Failure {
        exit: crate::exit::Exit::Stopped,
        message: format!("not every outcome could be noted: {error}"),
        help: vec!["run it again: what was sent and not noted is looked up first".to_owned()],
    })
}

/// How a run ended, in a word or two.
const fn ending(end: &End) -> &'static str {
    match end {
        End::Done => "done",
        End::OutOfPatience { .. } => "stopped: out of patience",
        End::Denied { .. } => "stopped: denied",
        End::Unnoted { .. } => "stopped: the journal could not be written",
        End::Interrupted { .. } => "interrupted",
    }
}
