//! The session of a run, and the steps that import and resume share: open attempts are settled, the
//! target is listed if that saves requests, confirmation is asked for, the rest is submitted.

use std::io::{self, Write as _};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use tokio::sync::mpsc::unbounded_channel;

use super::paced::{self, Asked};
use super::stopping::Stopping;
use super::target::{self, Ready};
use super::watch::Watch;
use crate::cli::{Global, Pace as PaceArgs, Run};
use crate::commands::failure::Failure;
use crate::commands::terminal;
use crate::config::Config;
use crate::event::Event;
use crate::journal::{Journal, RunId};
use crate::pace::{self, Paces};
use crate::report::run::RunLog;
use crate::report::run::progress::RunProgress;
use crate::report::run::timeline::Timeline;
use crate::run::change::OnExists;
use crate::run::{self, Asker, End, Ledger, Policy, Resolved, Submitted, Unanswered, Unknown};
use crate::service::sagemaker::SageMaker;
use crate::submission::{Refusal, RunKind};
use crate::text::{counted, duration, escaped};

/// The session of a run: its target, policy and settings.
pub(super) struct Session<'s> {
    pub(super) global: &'s Global,
    pub(super) args: &'s Run,
    pub(super) pace: &'s PaceArgs,
    pub(super) config: &'s Config,
    pub(super) ready: &'s Ready,
    pub(super) policy: &'s Policy,
    pub(super) kind: RunKind,
    pub(super) stopping: &'s Stopping,
    pub(super) began: SystemTime,
    pub(super) watch: &'s Watch,
}

/// The progress of a run.
pub(super) struct Progress<'p> {
    pub(super) log: &'p mut RunLog,
    pub(super) ledger: &'p mut Ledger,
}

/// Returns what shows that a target has not answered.
pub(super) fn no_answer(
    progress: &Arc<Mutex<RunProgress>>,
) -> impl Fn(&Refusal, Instant) + Send + Sync + 'static {
    let progress = Arc::clone(progress);
    move |refusal, until| shown(&progress).no_answer(refusal, Some(until))
}

/// Returns the progress that several show.
pub(super) fn shown(progress: &Mutex<RunProgress>) -> MutexGuard<'_, RunProgress> {
    progress.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Shows a note about the location of the journal, once.
pub(super) fn show_note(global: &Global, journal: &Journal) {
    if let Some(note) = journal.note() {
        show(global, &note);
    }
}

/// Shows a note, unless only results are wanted.
pub(super) fn show(global: &Global, note: &str) {
    if global.quiet {
        return;
    }
    let mut err = anstream::AutoStream::new(io::stderr().lock(), global.color.into());
    // Standard error may be closed.
    let _ = writeln!(err, "\x1b[33mnote:\x1b[0m {}", escaped(note));
}

impl Session<'_> {
    fn note(&self, note: &str) {
        show(self.global, note);
    }

    fn until(&self) -> Option<Instant> {
        self.args.max_duration.map(|most| self.stopping.began + most)
    }

    /// Settles the attempts that earlier runs left open, and returns the outcome by source; or how
    /// it ended, if it ended early.
    pub(super) async fn settle_open(
        &self,
        journal: Journal,
        run: RunId,
    ) -> Result<(Journal, Result<Resolved, End>), Failure> {
        let mut journal = journal;
        if let Err(end) = self.settle_deletions(&mut journal).await? {
            return Ok((journal, Err(end)));
        }
        let intents = journal.open_intents(&self.ready.target)?;
        if intents.is_empty() {
            return Ok((journal, Ok(Resolved::new())));
        }
        self.stopping.sends();
        tracing::info!("{} attempts of an earlier run have no response yet", intents.len());
        let options = run::Options {
            policy: Policy::of_open(),
            max_errors: Some(usize::MAX),
            ..self.options(intents.len(), None)
        };
        let service = self.ready.service.clone();
        let stop = self.stopping.stopped.clone();
        let settled = run::settle_open(service, journal, run, intents, options, stop).await;
        let (Submitted { end, journal }, resolved) = settled?;
        Ok((journal, if end == End::Done { Ok(resolved) } else { Err(end) }))
    }

    /// Finds out which deletes that earlier runs left open took effect.
    async fn settle_deletions(&self, journal: &mut Journal) -> Result<Result<(), End>, Failure> {
        let open = journal.open_deletions(&self.ready.target)?;
        if open.is_empty() {
            return Ok(Ok(()));
        }
        self.stopping.sends();
        tracing::info!("{} deletes of an earlier run have no response yet", open.len());
        // The embedded registry has no requests of a process that is gone.
        let local = self.ready.target.is_local();
        let settle = if local { Duration::ZERO } else { self.pace.settle };
        let waiting = |artifacts| {
            let artifacts = counted(artifacts, "artifact");
            let settle = duration(settle);
            let note = format!("an earlier run may still delete {artifacts}: waiting {settle}");
            self.note(&note);
        };
        let settled = run::settle_deletions(&self.asker(), open, settle, waiting).await;
        match settled {
            Ok(settled) => Ok(Ok(journal.settle_deletions(&settled)?)),
            Err(end) => Ok(Err(end)),
        }
    }

    /// Lists the target, if that takes fewer requests than refusals would, and records in the
    /// journal which artifacts exist at the entries' sources. Returns the number of entries that
    /// certainly change nothing.
    pub(super) async fn survey(
        &self,
        journal: &mut Journal,
        unknown: Unknown,
        resolved: &Resolved,
        log: &mut RunLog,
    ) -> Result<Result<usize, End>, Failure> {
        let (unknown, recovered) = unknown.still(resolved);
        let updates = matches!(self.policy.on_exists, OnExists::Update { .. });
        let spared = |entries: usize| if updates { 0 } else { entries };
        if !run::survey_pays(unknown.len()) {
            return Ok(Ok(spared(recovered)));
        }
        let mut progress = RunProgress::new(terminal::progress(self.global), self.global.quiet, 0);
        progress.connecting(&self.ready.target.to_string());
        let progress = Arc::new(Mutex::new(progress));
        let asker = self.asker().reporting(no_answer(&progress));
        let listing = |listed| shown(&progress).listing(listed);
        let surveyed = run::survey_into(journal, &asker, &unknown, listing).await;
        shown(&progress).finish();
        let (found, surveyed) = surveyed?;
        let spared = spared(recovered + found);
        match surveyed {
            Ok(survey) => {
                tracing::info!("{} artifacts listed, {} exist", survey.listed, survey.there);
                log.survey = Some(survey);
                Ok(Ok(spared))
            }
            Err(Unanswered::Ended(end)) => Ok(Err(end)),
            // Then refusals will show it.
            Err(Unanswered::Refused(refusal)) => {
                tracing::warn!("cannot list the artifacts at the target: {refusal}");
                Ok(Ok(spared))
            }
        }
    }

    /// Shows the target and the number of changes, and asks for confirmation.
    pub(super) async fn agree(&self, changes: usize, log: &RunLog) -> Result<(), Failure> {
        if changes == 0 {
            return Ok(());
        }
        let there = log.survey.filter(|survey| survey.complete).map(|survey| survey.listed);
        let size = target::Size { changes, there };
        let (target, kind, yes) = (self.ready.target.clone(), self.kind, self.args.yes);
        let ask = tokio::task::spawn_blocking(move || target::agreed(&target, kind, size, yes));
        let agreed = self.stopping.unless_stopped(async {
            ask.await.unwrap_or_else(|_| Err(Failure::usage("cannot ask for confirmation")))
        });
        let agreed = agreed.await?;
        if agreed { Ok(()) } else { Err(Failure::usage("nothing was written")) }
    }

    /// Submits what is left of a run, `left` entries.
    pub(super) async fn submit(
        &self,
        journal: Journal,
        run: RunId,
        left: usize,
        resolved: Resolved,
        Progress { log, ledger }: Progress<'_>,
    ) -> Result<(Journal, End), Failure> {
        self.stopping.sends();
        let known = journal.rate(&self.ready.target, self.kind)?;
        let options = self.options(left, known);
        log.by_listing = options.policy.drift == run::change::Drift::Never;
        let allowed = options.paces.rate(self.kind.operation());
        log.timeline = Timeline::new(self.kind, allowed);
        self.watch.rate(allowed);
        let began = Instant::now();
        let (events, mut happened) = unbounded_channel::<Event>();
        let report = move |event| {
            // The receiver is gone only if this function was cancelled.
            let _ = events.send(event);
        };
        let service = self.ready.service.clone();
        let stop = self.stopping.stopped.clone();
        let submitting =
            tokio::spawn(run::submit(service, journal, run, resolved, options, stop, report));
        let when = terminal::progress(self.global);
        let mut progress = RunProgress::new(when, self.global.quiet, left).of(self.kind);
        while let Some(event) = happened.recv().await {
            progress.event(&event);
            log.event(began.elapsed(), &event, ledger);
            self.watch.event(&event, log);
        }
        progress.finish();
        log.timeline.end(began.elapsed());
        match submitting.await {
            Ok(submitted) => {
                let Submitted { end, journal } = submitted?;
                Ok((journal, end))
            }
            Err(error) => match error.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                Err(_) => Err(Failure::usage("the run was cancelled")),
            },
        }
    }

    /// Returns the asker for reads before anything is submitted.
    pub(super) fn asker(&self) -> Asker<SageMaker> {
        let (paces, _) = self.paces(None);
        let patience = self.pace.reach.limit_patience;
        let stop = self.stopping.stopped.clone();
        Asker::new(self.ready.service.clone(), paces, patience, fastrand::u64(..), stop)
            .until(self.until())
            .observed_by(self.watch.observer())
    }

    fn paces(&self, known: Option<f64>) -> (Paces, u16) {
        let share = self.pace.rate_share.unwrap_or(1.0);
        let asked = Asked {
            rate: self.pace.rate.map(|rate| rate.shared(share)),
            max_rate: pace::shared(self.pace.max_rate, share),
            headroom: self.pace.headroom,
            burst: self.pace.burst,
        };
        paced::paces(&asked, self.config, &self.ready.target, known)
    }

    fn options(&self, entries: usize, known: Option<f64>) -> run::Options {
        let (paces, concurrency) = self.paces(known);
        let settle = self.pace.settle;
        // The embedded registry reads what it wrote.
        let read_lag = if self.ready.target.is_local() { Default::default() } else { settle };
        run::Options {
            paces,
            concurrency: usize::from(self.pace.reach.concurrency.unwrap_or(concurrency)),
            patience: self.pace.reach.limit_patience,
            settle,
            read_lag,
            seed: fastrand::u64(..),
            policy: self.policy.clone(),
            max_errors: self.args.max_errors.map(|most| most.of(entries)),
            until: self.until(),
            began: self.began,
            observer: self.watch.observer(),
        }
    }
}
