//! One run at one target: what is open is settled, what is known is left, the rest is sent.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::Failure;
use super::checking;
use super::ending::ending;
use super::manner::Manner;
use super::paced;
use super::runtime::Stopping;
use super::staging::{Staging, fingerprints};
use super::status;
use super::target::{self, Ready};
use crate::artifact::Key;
use crate::check::{Entry, EntryId};
use crate::cli::{Global, Pace as PaceArgs, Run};
use crate::config::Config;
use crate::event::{Event, Settled};
use crate::journal::{
    Journal, JournalError, KnownEqual, NewRun, OpenIntent, Staged, ToStage, Writer,
};
use crate::pace::{Limits, Pace, Rate};
use crate::report::run::RunLog;
use crate::report::run::progress::RunProgress;
use crate::report::run::timeline::Timeline;
use crate::run::change::{Drift, OnExists};
use crate::run::{self, Asker, End, Job, KnownThere, Start, Unanswered};
use crate::submission::Outcome;

/// The most questions a second that are asked of anything but the local registry.
const QUESTIONS: f64 = 50.0;

/// How fast a run goes, as the command line has it.
pub(super) struct PaceOptions {
    pub(super) creates: Pace,
    pub(super) questions: Pace,
    pub(super) concurrency: usize,
}

/// What became of the attempts that earlier runs left open, by source.
pub(super) type Resolved = HashMap<Key, Settled>;

/// What a run has at hand.
pub(super) struct Session<'s> {
    global: &'s Global,
    args: &'s Run,
    pace: &'s PaceArgs,
    config: &'s Config,
    ready: &'s Ready,
    manner: &'s Manner,
    began: std::time::SystemTime,
    until: Option<Instant>,
    stopping: &'s Stopping,
}

impl<'s> Session<'s> {
    pub(super) fn new(
        global: &'s Global,
        (args, pace): (&'s Run, &'s PaceArgs),
        config: &'s Config,
        ready: &'s Ready,
        manner: &'s Manner,
        stopping: &'s Stopping,
    ) -> Self {
        Self {
            global,
            args,
            pace,
            config,
            ready,
            manner,
            began: std::time::SystemTime::now(),
            until: args.max_duration.map(|most| stopping.began + most),
            stopping,
        }
    }

    /// Settles what earlier runs left open, and tells what became of each source; or how it ended, if
    /// it did not come to the end of them.
    pub(super) async fn settle_open(
        &mut self,
        journal: Journal,
    ) -> Result<Result<(Journal, Resolved), End>, Failure> {
        let intents = journal.open_intents(&self.ready.target).map_err(|e| status::failure(&e))?;
        if intents.is_empty() {
            return Ok(Ok((journal, Resolved::new())));
        }
        self.stopping.sends();
        tracing::info!("{} attempts of an earlier run are open", intents.len());
        let job = |(number, intent): (u32, &OpenIntent)| Job {
            entry: EntryId(number),
            artifact: Arc::new(intent.artifact.clone()),
            known: None,
            start: Start::Open(intent.at),
        };
        let jobs = (0..).zip(&intents).map(job).collect();
        let writer = journal.into_writer(Staged::of_intents(&intents));
        let writer = writer.map_err(|error| status::failure(&error))?;
        let mut resolved = Resolved::new();
        let outcomes = writer.outcomes();
        // What is there already is compared when its entry comes up again.
        let options = run::Options {
            on_exists: OnExists::Skip,
            drift: Drift::Never,
            max_errors: None,
            ..self.options(0)
        };
        let listen = |event: Event| {
            let Event::Settled(settled) = event else { return };
            let intent = &intents[settled.entry.0 as usize];
            resolved.insert(intent.artifact.identity().key(), settled.clone());
            // What could not be told stays open, for the next run to ask again.
            if settled.outcome != Outcome::Unresolved {
                outcomes.settled(settled);
            }
        };
        // There is no rate to tell of.
        let (end, _) = self.run_engine(jobs, options, &writer, listen).await;
        drop(outcomes);
        Ok(match close(writer, None, None) {
            Ok(journal) if end == End::Done => Ok((journal, resolved)),
            Ok(_) => Err(end),
            Err(unnoted) => Err(unnoted),
        })
    }

    /// The entries that have to be sent or asked about; the outcome of the others goes to `log`. With
    /// `recheck` those that the journal knows to be there are asked about too.
    pub(super) fn jobs(
        &self,
        journal: &Journal,
        entries: &mut [Entry],
        resolved: &Resolved,
        recheck: bool,
        log: &mut RunLog,
    ) -> Result<Vec<Job>, Failure> {
        let mut jobs = Vec::new();
        let failure = |error: JournalError| status::failure(&error);
        let all = journal.known(&self.ready.target).map_err(failure)?;
        for entry in entries {
            let Some(artifact) = entry.artifact.take() else { continue };
            let key = artifact.identity().key();
            let earlier = resolved.get(&key);
            if let Some(settled) = earlier.filter(|one| one.outcome == Outcome::Unresolved) {
                // Nobody knows whether it is there: it must not be created again. It stays open.
                log.settle(Settled { entry: entry.id, ..settled.clone() });
                continue;
            }
            let ours = earlier.is_some_and(|one| one.outcome == Outcome::Recovered);
            let asks = (recheck || self.manner.drift == Drift::Always) && !ours;
            let fails = self.manner.on_exists == OnExists::Fail;
            let equal =
                if asks { None } else { all.equal(key, artifact.digest()).map_err(failure)? };
            if let Some(known) = equal.filter(|known| known.made || !fails) {
                let outcome = if ours { Outcome::Recovered } else { Outcome::Existed };
                log.known += usize::from(!ours);
                log.settle(by_journal(entry.id, outcome, known));
                continue;
            }
            let known = all.at(key).map_err(failure)?;
            let arn = known.as_ref().filter(|_| !asks).and_then(|known| known.arn.clone());
            // What an earlier attempt met there is there still.
            let arn = arn.or_else(|| earlier.and_then(|settled| settled.arn.clone()));
            let start = match (arn, &known) {
                (Some(arn), _) => Start::There(arn),
                (None, Some(_)) => Start::Ask,
                (None, None) => Start::Create,
            };
            let stamp = &self.manner.stamp;
            // What was seen to differ, but not how, has to be asked about.
            let known = known.and_then(|known| KnownThere::by_journal(&known, &artifact, stamp));
            jobs.push(Job { entry: entry.id, artifact: Arc::new(artifact), known, start });
        }
        Ok(jobs)
    }

    /// Lists the target, where that takes fewer requests than refusals would.
    pub(super) async fn survey(
        &self,
        mut jobs: Vec<Job>,
        log: &mut RunLog,
    ) -> Result<Vec<Job>, End> {
        if !run::worth_it(&jobs) {
            return Ok(jobs);
        }
        let asker = self.asker();
        let mut progress = RunProgress::new(checking::progress(self.global), self.global.quiet, 0);
        let surveyed = run::survey(&asker, &mut jobs, |listed| progress.listing(listed)).await;
        progress.finish();
        match surveyed {
            Ok(survey) => {
                tracing::info!("{} artifacts listed, {} are there", survey.listed, survey.there);
                log.survey = Some(survey);
                Ok(jobs)
            }
            Err(Unanswered::Ended(end)) => Err(end),
            // Then refusals will tell.
            Err(Unanswered::Refused(refusal)) => {
                tracing::warn!("the target cannot be listed first: {refusal}");
                Ok(jobs)
            }
        }
    }

    /// How many artifacts `jobs` may create or change.
    pub(super) fn changes(&self, jobs: &[Job]) -> usize {
        let updates = matches!(self.manner.on_exists, OnExists::Update { .. });
        let may = |job: &&Job| match job.start {
            // What was known to be there may have been deleted since.
            Start::Create | Start::Ask | Start::There(_) => true,
            Start::Listed(_) => updates,
            Start::Taken(_) | Start::Open(_) => false,
        };
        jobs.iter().filter(may).count()
    }

    /// Shows where how much is to be written, and asks for a yes.
    pub(super) async fn agree(&self, jobs: &[Job], log: &RunLog) -> Result<(), Failure> {
        let changes = self.changes(jobs);
        if changes == 0 {
            return Ok(());
        }
        let there = log.survey.filter(|survey| survey.complete).map(|survey| survey.listed);
        let size = target::Size { changes, there };
        let (target, yes) = (self.ready.target.clone(), self.args.yes);
        let ask = tokio::task::spawn_blocking(move || target::agreed(&target, size, yes));
        let agreed = self.stopping.unless_stopped(async {
            ask.await.unwrap_or_else(|_| Err(Failure::usage("nobody could be asked")))
        });
        let agreed = agreed.await?;
        if agreed { Ok(()) } else { Err(Failure::usage("nothing was written")) }
    }

    /// Stages `jobs` and sends them.
    pub(super) async fn submit(
        &mut self,
        mut journal: Journal,
        jobs: Vec<Job>,
        staging: &Staging<'_>,
        log: &mut RunLog,
    ) -> Result<End, Failure> {
        let folder = std::env::current_dir().unwrap_or_default();
        let folder = folder.to_string_lossy();
        // What other paths had left is theirs to go on with.
        let covers = |file: &str| staging.manifest.cover(staging.paths, file);
        if jobs.is_empty() {
            let discarded = journal.discard_staged(&self.ready.target, &folder, &covers);
            return discarded.map(|()| End::Done).map_err(|error| status::failure(&error));
        }
        let to_stage = jobs.iter().filter_map(|job| {
            let logged = log.entries.get(job.entry.0 as usize)?;
            let (entry, artifact) = (job.entry, &*job.artifact);
            Some(ToStage { entry, file: &logged.file, line: logged.line, artifact })
        });
        let run = NewRun {
            id: &log.run,
            command: staging.command,
            folder: &folder,
            settings: &serde_json::to_string(self.manner).unwrap_or_default(),
            files: &fingerprints(&jobs, staging.manifest, log),
        };
        let staged = journal.stage(&run, &self.ready.target, &covers, to_stage);
        let staged = staged.map_err(|error| status::failure(&error))?;
        self.send(journal, staged, jobs, log).await
    }

    /// Sends what is staged.
    pub(super) async fn send(
        &mut self,
        journal: Journal,
        staged: Staged,
        jobs: Vec<Job>,
        log: &mut RunLog,
    ) -> Result<End, Failure> {
        self.stopping.sends();
        let writer = journal.into_writer(staged).map_err(|error| status::failure(&error))?;
        let outcomes = writer.outcomes();
        let options = self.options(jobs.len());
        log.by_listing = options.drift == Drift::Never;
        // What the service allows is found out by `auto` alone.
        let auto =
            self.pace.rate.is_none_or(|rate| rate == Rate::Auto) && !self.ready.target.is_local();
        let mut rate = None;
        let (end, timeline) = self
            .run_engine(jobs, options, &writer, |event| match event {
                Event::Settled(settled) => {
                    outcomes.settled(settled.clone());
                    log.settle(settled);
                }
                Event::RateChanged { to, .. } if auto => rate = Some(to),
                Event::MadeByAnother(_) => log.others += 1,
                _ => {}
            })
            .await;
        log.timeline = timeline;
        drop(outcomes);
        match close(writer, Some(ending(&end)), rate) {
            Ok(_) => Ok(end),
            // A signal wins, whatever else went wrong.
            Err(unnoted) if matches!(end, End::Interrupted { .. }) => {
                tracing::error!("not every outcome could be noted: {unnoted:?}");
                Ok(end)
            }
            Err(unnoted) => Ok(unnoted),
        }
    }

    /// Asks the target questions, outside the flow of creates.
    pub(super) fn asker(&self) -> Asker<crate::service::sagemaker::SageMaker> {
        let pace = pace_options(self.pace, self.config, self.ready.target.is_local()).questions;
        let patience = self.pace.reach.limit_patience;
        let stop = self.stopping.stopped.clone();
        Asker::new(self.ready.service.clone(), pace, patience, fastrand::u64(..), stop)
            .until(self.until)
    }

    fn options(&self, entries: usize) -> run::Options {
        let pace = pace_options(self.pace, self.config, self.ready.target.is_local());
        run::Options {
            pace: pace.creates,
            look_up_pace: pace.questions,
            concurrency: pace.concurrency,
            patience: self.pace.reach.limit_patience,
            settle: self.pace.settle,
            seed: fastrand::u64(..),
            on_exists: self.manner.on_exists,
            drift: self.manner.drift,
            stamp: Arc::clone(&self.manner.stamp),
            max_errors: self.args.max_errors.map(|most| most.of(entries)),
            until: self.until,
            began: self.began,
            journal: None,
        }
    }

    /// Sends `jobs`, and tells how it ended and how it went over time.
    async fn run_engine(
        &self,
        jobs: Vec<Job>,
        mut options: run::Options,
        writer: &Writer,
        mut listen: impl FnMut(Event),
    ) -> (End, Timeline) {
        options.journal = Some(writer.outcomes());
        let mut timeline = Timeline::new(options.pace.rate());
        let began = Instant::now();
        let quiet = self.global.quiet;
        let mut progress = RunProgress::new(checking::progress(self.global), quiet, jobs.len());
        let (events, mut told) = tokio::sync::mpsc::unbounded_channel::<Event>();
        let service = self.ready.service.clone();
        let stopped = self.stopping.stopped.clone();
        let engine = tokio::spawn(run::run(service, jobs, options, stopped, move |event| {
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
                        if let Event::Withdrawn(entry) = event {
                            writer.outcomes().withdrawn(entry);
                        }
                        listen(event);
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
                Err(_) => End::Interrupted { signal: 15, drained: false },
            },
        };
        (end, timeline)
    }
}

/// What the journal tells of an entry, without a request.
fn by_journal(entry: EntryId, outcome: Outcome, known: KnownEqual) -> Settled {
    Settled {
        entry,
        outcome,
        arn: known.arn,
        attempts: 0,
        request_id: None,
        error: None,
        compared: true,
        modified: known.modified,
    }
}

/// The pace that the command line asks for.
pub(super) fn pace_options(args: &PaceArgs, config: &Config, local: bool) -> PaceOptions {
    let asked = paced::Asked {
        rate: args.rate,
        max_rate: args.max_rate,
        headroom: args.headroom,
        burst: args.burst,
    };
    let (creates, concurrency) = paced::pace(&asked, config, local);
    PaceOptions {
        creates,
        questions: questions(config, local),
        concurrency: usize::from(args.reach.concurrency.unwrap_or(concurrency)),
    }
}

/// The pace of questions.
pub(super) fn questions(config: &Config, local: bool) -> Pace {
    let now = Instant::now();
    if local {
        return Pace::new(Rate::Unlimited, None, now);
    }
    let max_rate = config.max_rate.unwrap_or(QUESTIONS).min(QUESTIONS);
    Pace::auto(Limits { max_rate, ..Limits::default() }, None, now)
}

/// Waits until everything is written; how the run ended instead, where it cannot be.
fn close(writer: Writer, ending: Option<&str>, rate: Option<f64>) -> Result<Journal, End> {
    tokio::task::block_in_place(|| writer.finish(ending, rate))
        .map_err(|error| End::Unnoted { reason: error.to_string() })
}
