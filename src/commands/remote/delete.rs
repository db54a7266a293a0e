//! `lineload delete`

use std::collections::HashSet;
use std::io;
use std::ops::ControlFlow;
use std::time::{Instant, SystemTime};

use super::checking::{self, check, human_report_on_stderr, is_below, may_have_lost};
use super::ending::{Ending, as_typed, reports_can_be_written};
use super::plan_file::rewrites_of;
use super::refusal::{reads_ended, too_many};
use super::resume::{run_of, same_target, target_of};
use super::run_policy::RunPolicy;
use super::session::{Progress, Session, show, show_note};
use super::stopping::Stopping;
use super::target::{self, Ready};
use super::watch::Watch;
use crate::artifact::{Artifact, Key, Source, Texts};
use crate::check::{Entries, Entry, EntryIndex};
use crate::cli::{self, Delete, Global, Matching, PlanFormat};
use crate::commands::failure::Failure;
use crate::commands::manifests::ManifestSet;
use crate::commands::runtime::block_on;
use crate::commands::settings::Settings;
use crate::commands::status::no_journal;
use crate::diagnostic::Diagnostic;
use crate::exit::Exit;
use crate::journal::{Candidate, Deletions, Journal, JournalError, NewRun, RunId, StagedRun};
use crate::pace::Rate;
use crate::report::deletions::{self, Format, Heading, LeftOut};
use crate::report::output::{Output, OutputError};
use crate::report::plan::CreateRate;
use crate::report::run::RunLog;
use crate::run::{Ledger, Policy, Unanswered};
use crate::service::{Filter, Found};
use crate::source::FileId;
use crate::submission::{Operation, RunKind};
use crate::text::{counted, grouped};

/// The note that is shown if runs imported more than was read.
const MOVED: &str = "runs also imported manifests outside of PATH, which were not read: an artifact that \
                     moved to one of them counts as gone";

pub(super) fn run(global: &Global, args: &Delete) -> Result<Exit, Failure> {
    let settings = &Settings::load(global)?;
    if args.manifests.shard.is_some() {
        // What another shard describes would seem to be gone.
        return Err(Failure::usage("`--gone` needs all manifests: remove `--shard`"));
    }
    let outputs = args.run.outputs();
    let kept = checking::kept(&args.run.journal, args.target.local.as_deref());
    crate::destination::check_few(&outputs, kept)?;
    if args.which.gone {
        checking::none_is_read(&outputs, global, &args.manifests, settings)?;
    }
    if !args.dry_run {
        reports_can_be_written(&args.run.report)?;
    }
    if let Some(file) = args.target.local.as_ref().filter(|file| !file.exists()) {
        return Err(Failure::usage(format!("local registry `{}` not found", file.display()))
            .help("choose another with `--local=FILE`"));
    }
    if !args.run.journal.exists() {
        return Err(no_journal(&args.run.journal));
    }
    let journal = Journal::open(&args.run.journal)?;
    let undone = args.which.run.as_deref().map(|id| to_undo(&journal, id)).transpose()?;
    let target = match &undone {
        Some(run) => target_to_undo(run, &args.target),
        None => args.target.clone(),
    };
    let id = uuid::Uuid::now_v7().to_string();
    let metrics = args.run.metrics.as_deref().filter(|_| !args.dry_run);
    let watch = Watch::begin(metrics, RunKind::Delete.as_str(), RunKind::Delete, &id)?;
    let watching = &watch;
    let timeout = args.pace.reach.timeout;
    let at = target::at(&target, &settings.config, timeout, async |ready, stopping| {
        watching.target(&ready.target);
        if let Some(run) = &undone {
            same_target(run, ready)?;
        }
        let policy = &Policy::default();
        let undone = undone.as_ref();
        let deleting = Deleting {
            global,
            args,
            settings,
            ready,
            policy,
            undone,
            stopping,
            id,
            watch: watching,
        };
        deleting.go(journal).await
    });
    let result = block_on(at);
    watch.end(global, result)
}

/// Returns the run whose creations are to be deleted.
fn to_undo(journal: &Journal, id: &str) -> Result<StagedRun, Failure> {
    let run = run_of(journal, id)?;
    match run.kind {
        RunKind::Import => Ok(run),
        RunKind::Delete => {
            Err(Failure::usage(format!("run {} created nothing: it deletes", run.id))
                .help(format!("to resume it, run `lineload resume {}`", run.id)))
        }
    }
}

/// Returns the target of the command line; if it names none, that of the run.
fn target_to_undo(run: &StagedRun, args: &cli::Target) -> cli::Target {
    if args.local.is_some() || args.region.is_some() || args.endpoint_url.is_some() {
        return args.clone();
    }
    let kept = RunPolicy::of(run).ok().and_then(|policy| policy.profile);
    let of_run = target_of(run, args.profile.clone().or(kept));
    cli::Target {
        account: args.account.clone().or(of_run.account),
        expect_account: args.expect_account.clone().or(of_run.expect_account),
        expect_region: args.expect_region.clone(),
        ..of_run
    }
}

/// Collects the sources that manifests describe.
#[derive(Debug, Default)]
struct Described(HashSet<Key>);

impl Entries for Described {
    fn entry(&mut self, entry: Entry) {
        self.0.extend(entry.artifact.as_ref().map(|valid| valid.key));
    }

    /// An entry that is withdrawn is an error, and then nothing is deleted.
    fn withdraw(&mut self, _: EntryIndex) {}

    fn file(&mut self, _: FileId, _: &[Diagnostic]) {}
}

/// A delete on its way.
struct Deleting<'d> {
    global: &'d Global,
    args: &'d Delete,
    settings: &'d Settings,
    ready: &'d Ready,
    policy: &'d Policy,
    /// The run whose creations are deleted.
    undone: Option<&'d StagedRun>,
    stopping: &'d Stopping,
    /// The id of this run.
    id: String,
    watch: &'d Watch,
}

impl Deleting<'_> {
    async fn go(self, mut journal: Journal) -> Result<Exit, Failure> {
        let Self { global, args, settings, ready, policy, undone, stopping, ref id, watch } = self;
        show_note(global, &journal);
        let (began, kind) = (SystemTime::now(), RunKind::Delete);
        let (pace, config, args_run) = (&args.pace, &settings.config, &args.run);
        let session = Session {
            global,
            args: args_run,
            pace,
            config,
            ready,
            policy,
            kind,
            stopping,
            began,
            watch,
        };
        let command = as_typed(None);
        let on_stderr = args.format != PlanFormat::Human;
        let ending = Ending::new(global, args_run, pace, kind, &command, (None, false), false)
            .on_stderr(on_stderr);
        let folder = std::env::current_dir().unwrap_or_default();
        let new = NewRun {
            id,
            command: &command,
            folder: &folder.to_string_lossy(),
            settings: &RunPolicy::default().with_profile(args.target.profile.as_deref()).kept()?,
        };
        let described = self.described()?;
        let mut exit = Exit::Success;
        if args.dry_run {
            self.note_open(&journal, "are looked up first")?;
        } else {
            // What earlier runs left open may have created or deleted something.
            let staged = journal.begin_deletions(&new, &ready.target)?;
            let run = staged.run();
            staged.finish()?;
            let (settled, end) = session.settle_open(journal, run).await?;
            journal = settled;
            journal.discard(&run)?;
            if let Err(end) = end {
                let ledger = Ledger::default();
                let log = self.log(id, began, &ledger);
                return Ok(ending.conclude(log, &ledger, &journal, &end, None));
            }
            if self.note_open(&journal, "still have no known result, and are left alone")? {
                exit = Exit::Stopped;
            }
        }
        let mut deletions = journal.begin_deletions(&new, &ready.target)?;
        let run = deletions.run();
        let mut left_out =
            self.select(&session, &mut deletions, described.as_ref(), &folder).await?;
        left_out.without_arn = deletions.without_arn();
        left_out.other_runs = deletions.by_other_runs();
        let count = deletions.finish()?;
        if let Some(undone) = undone {
            left_out.deleted = journal.deleted_since(&undone.run)?;
        }
        let rate = self.rate(&journal)?;
        self.show(&journal, &run, count, &left_out, rate)?;
        if count == 0 || args.dry_run {
            journal.discard(&run)?;
            return Ok(exit);
        }
        if let Some(notice) = too_many(args_run, kind, count) {
            journal.discard(&run)?;
            return Err(notice);
        }
        let mut ledger = Ledger::read(&journal, &run)?;
        let mut log = self.log(id, began, &ledger);
        watch.counts(&log);
        session.agree(count, &log).await?;
        journal.make_deletions_ready(&run, undone.map(|undone| &undone.run))?;
        let sending = Instant::now();
        let progress = Progress { log: &mut log, ledger: &mut ledger };
        let resolved = crate::run::Resolved::new();
        let (journal, end) = session.submit(journal, run, count, resolved, progress).await?;
        Ok(ending.conclude(log, &ledger, &journal, &end, Some(sending)).and(exit))
    }

    fn log(&self, id: &str, began: SystemTime, ledger: &Ledger) -> RunLog {
        let mut log = RunLog::counted(ledger.outcomes());
        id.clone_into(&mut log.run);
        log.kind = RunKind::Delete;
        log.begun_at(began);
        log.target = Some(self.ready.target.clone());
        log
    }

    /// Checks the manifests, if they say what is gone.
    fn described(&self) -> Result<Option<(Described, ManifestSet)>, Failure> {
        let Self { global, args, settings, .. } = *self;
        if !args.which.gone {
            return Ok(None);
        }
        tokio::task::block_in_place(|| {
            let manifest = ManifestSet::find(&args.manifests, settings)?;
            let report = human_report_on_stderr(global, &args.manifests);
            let mut described = Described::default();
            let checked =
                check(global, &args.manifests, settings, &manifest, report, &mut described)?;
            if checked.errors > 0 {
                let errors = counted(checked.errors, "error");
                let message = format!("nothing was deleted: the manifests have {errors}");
                let help = "what an invalid manifest describes is not known: fix it first";
                let help = vec![help.to_owned()];
                return Err(Failure { exit: Exit::Findings, message, help });
            }
            Ok(Some((described, manifest)))
        })
    }

    /// Says what becomes of attempts that earlier runs left open. Returns whether there are any.
    fn note_open(&self, journal: &Journal, what: &str) -> Result<bool, Failure> {
        let target = &self.ready.target;
        let open = journal.open_intents(target)?.len() + journal.open_deletions(target)?.len();
        if open > 0 {
            show(
                self.global,
                &format!("attempts of earlier runs ({}) {what}", grouped(open as u64)),
            );
        }
        Ok(open > 0)
    }

    /// Stages what is to be deleted, and returns what is left out.
    async fn select(
        &self,
        session: &Session<'_>,
        deletions: &mut Deletions<'_>,
        described: Option<&(Described, ManifestSet)>,
        folder: &std::path::Path,
    ) -> Result<LeftOut, Failure> {
        let Self { args, undone, ready, .. } = *self;
        let mut left_out = LeftOut::default();
        // The target would refuse any other, but a journal is a file that somebody may have edited.
        let holds = |one: &Candidate| one.arn().is_none_or(|arn| ready.target.holds(arn));
        if let Some(undone) = undone {
            deletions.add_made(Some(&undone.run), &mut |one| holds(one))?;
            deletions.spare_other_runs()?;
            deletions.add_others(Some(&undone.run), &mut |one| {
                left_out.not_ours += u64::from(!args.not_ours);
                args.not_ours && holds(one)
            })?;
        } else if let Some((described, manifest)) = described {
            let may_have_lost = may_have_lost(manifest, &args.manifests);
            let is_below = is_below(manifest, &args.manifests);
            let folder = folder.to_string_lossy();
            // With other rewrites, the same manifests describe other sources.
            let rewrites = rewrites_of(&args.manifests.rewrite_uri);
            let is_same = |one: &Candidate| one.rewrites() == rewrites.as_deref();
            let is_gone = |one: &Candidate| {
                holds(one) && !described.0.contains(&one.key()) && may_have_lost(&one.file)
            };
            let (mut is_any, mut is_part) = (false, false);
            deletions.add_made(None, &mut |one| {
                let is_here = one.is_of(&folder);
                is_part = is_part || is_here && !is_below(&one.file);
                if !is_gone(one) {
                    return false;
                }
                let is_same = is_same(one);
                left_out.elsewhere += u64::from(!is_here);
                left_out.rewritten += u64::from(is_here && !is_same);
                is_any |= is_here && is_same;
                is_here && is_same
            })?;
            deletions.add_others(None, &mut |one| {
                let is_gone = one.is_of(&folder) && is_same(one) && is_gone(one);
                left_out.not_ours += u64::from(is_gone && !args.not_ours);
                is_any |= is_gone && args.not_ours;
                is_gone && args.not_ours
            })?;
            if is_any && is_part {
                show(self.global, MOVED);
            }
        } else {
            let matching = &args.which.matching;
            deletions.add_made(None, &mut |one| {
                let artifact_type = one.artifact_type();
                let fits = |each: &Matching| each.fits(artifact_type.as_deref(), &one.uri);
                holds(one) && matching.iter().any(fits)
            })?;
            left_out.not_ours = self.select_listed(session, deletions, matching).await?;
        }
        Ok(left_out)
    }

    /// Stages what the target lists and no run created, or returns how many of it there are.
    async fn select_listed(
        &self,
        session: &Session<'_>,
        deletions: &mut Deletions<'_>,
        matching: &[Matching],
    ) -> Result<u64, Failure> {
        let asker = session.asker();
        let (mut left_out, mut kept) = (0, Ok::<_, JournalError>(()));
        for one in matching {
            let filter = Filter { uri: None, artifact_type: one.artifact_type.clone() };
            let listed = asker.each_page(&filter, |page| {
                // A service may list other artifacts than requested.
                let others = page.into_iter().filter(|found| {
                    one.fits(found.artifact_type.as_deref(), &found.uri)
                        && deletions.is_another(&found.arn)
                });
                for found in others.collect::<Vec<_>>() {
                    left_out += u64::from(!self.args.not_ours);
                    if self.args.not_ours && kept.is_ok() {
                        kept = deletions.add_listed(&artifact(&found), &found.arn);
                    }
                }
                if kept.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
            });
            listed.await.map_err(|unanswered| unlisted(&unanswered))?;
        }
        kept?;
        Ok(left_out)
    }

    /// Returns the rate of deletes that the time is estimated for.
    fn rate(&self, journal: &Journal) -> Result<CreateRate, Failure> {
        let known = journal.rate(&self.ready.target, RunKind::Delete)?;
        Ok(match (self.args.pace.rate, known) {
            (Some(Rate::Fixed(rate)), _) => CreateRate::Asked(rate),
            (Some(Rate::Unlimited), _) => CreateRate::Unlimited,
            _ if self.ready.target.is_local() => CreateRate::Unlimited,
            (_, Some(rate)) => CreateRate::Found(rate),
            (_, None) => CreateRate::Unknown,
        })
    }

    /// Shows what is about to be deleted.
    fn show(
        &self,
        journal: &Journal,
        run: &RunId,
        count: usize,
        left_out: &LeftOut,
        rate: CreateRate,
    ) -> Result<(), Failure> {
        let Self { global, args, ready, .. } = *self;
        let is_unasked = !args.dry_run && (args.run.yes || ready.target.is_local());
        let format = match args.format {
            // The counts at the end are enough for who wants no more.
            PlanFormat::Human if global.quiet && is_unasked => {
                return Ok(());
            }
            PlanFormat::Human => Format::Human,
            PlanFormat::Json => Format::Json,
            PlanFormat::Markdown => Format::Markdown,
        };
        let deletes = count as u64;
        let heading = Heading { target: &ready.target, deletes, left_out, rate, all: args.all };
        let each = |take: &mut deletions::Take<'_>| {
            let mut failed = None;
            let read = journal.each(run, &mut |entry| {
                if failed.is_none() {
                    failed = take(&entry).err();
                }
                Ok(())
            });
            match failed {
                Some(error) => Err(error),
                None => read.map_err(io::Error::other),
            }
        };
        let out = Output::stdout(global.color.into());
        Ok(deletions::write(format, &heading, &each, out).map_err(OutputError)?)
    }
}

/// Returns an artifact as far as a listing shows it.
fn artifact(found: &Found) -> Artifact {
    Artifact {
        name: found.name.clone(),
        artifact_type: found.artifact_type.clone().unwrap_or_default(),
        source: Source { uri: found.uri.clone(), types: found.types.clone() },
        properties: std::collections::BTreeMap::new(),
        tags: Vec::new(),
        texts: Texts::default(),
    }
}

/// Returns why nothing was deleted, if the target cannot be listed.
fn unlisted(unanswered: &Unanswered) -> Failure {
    let beginning = "nothing was deleted";
    let action = Operation::List.action();
    match unanswered {
        Unanswered::Refused(refusal) => Failure {
            exit: Exit::Stopped,
            message: format!("{beginning}: cannot list the artifacts: {refusal}"),
            help: refusal.help(action),
        },
        Unanswered::Ended(end) => reads_ended(end, beginning, action, false),
    }
}
