//! `lineload doctor`

use super::paced;
use super::refusal::reads_ended;
use super::stopping::Stopping;
use super::target::{self, Ready, Size};
use crate::cli::{Doctor as Args, DoctorFormat, Global};
use crate::commands::failure::Failure;
use crate::commands::runtime::block_on;
use crate::commands::settings::Settings;
use crate::doctor::{ARTIFACTS, Check, Doctor, State};
use crate::exit::Exit;
use crate::journal::Status;
use crate::report::doctor as report;
use crate::report::output::{Output, OutputError};
use crate::run::Asker;
use crate::submission::{RunKind, Target};
use crate::text::rate;

/// The difference of the clocks, in seconds, from which requests are at risk: the service refuses them
/// from five minutes on.
const CLOCK: f64 = 60.0;

pub(super) fn run(global: &Global, args: &Args) -> Result<Exit, Failure> {
    let settings = &Settings::load(global)?;
    if let Some(file) = args.target.local.as_ref().filter(|file| !file.exists()) {
        return Err(Failure::usage(format!("local registry `{}` not found", file.display())).help(
            "choose another with `--local=FILE`, or create one with `lineload import --local`",
        ));
    }
    block_on(target::at(&args.target, &settings.config, args.timeout, async |ready, stopping| {
        examine(global, args, settings, ready, stopping).await
    }))
}

async fn examine(
    global: &Global,
    args: &Args,
    settings: &Settings,
    ready: &Ready,
    stopping: &Stopping,
) -> Result<Exit, Failure> {
    let target = &ready.target;
    if args.write {
        let (size, asked) = (Size { changes: ARTIFACTS, there: None }, target.clone());
        let yes = args.yes;
        let ask =
            tokio::task::spawn_blocking(move || target::agreed(&asked, RunKind::Import, size, yes));
        let agreed = stopping.unless_stopped(async {
            ask.await.unwrap_or_else(|_| Err(Failure::usage("cannot ask for confirmation")))
        });
        if !agreed.await? {
            return Err(Failure::usage("nothing was written"));
        }
    }
    let paces = paced::reading(&settings.config, target, false);
    let stop = stopping.stopped.clone();
    let asker = Asker::new(
        ready.service.clone(),
        paces,
        args.limit_patience,
        fastrand::u64(..),
        stop.clone(),
    );
    let mut doctor = Doctor::new(ready.service.clone(), asker, stop, args.settle);
    doctor.add(clock(ready).await);
    doctor.add(known_rate(args, target)?);
    stopping.sends();
    let mut end = doctor.reads(&nowhere(target)).await;
    if end.is_ok() && args.write {
        end = doctor.writes(&uuid::Uuid::now_v7().simple().to_string()).await;
    }
    let (out, checks) = (Output::stdout(global.color.into()), doctor.checks());
    match args.format {
        DoctorFormat::Human => report::human(out, target, checks, args.write),
        DoctorFormat::Json => report::json(out, target, checks, args.write),
    }
    .map_err(OutputError)?;
    let failed = checks.iter().any(|check| check.state == State::Error);
    match end {
        Ok(()) => Ok(if failed { Exit::Findings } else { Exit::Success }),
        Err(end) => Err(reads_ended(&end, "stopped", "sagemaker:ListArtifacts", false)),
    }
}

/// Compares the clocks.
async fn clock(ready: &Ready) -> Check {
    match ready.service.clock_ahead().await {
        Ok(Some(ahead)) => {
            let side = if ahead < 0.0 { "behind" } else { "ahead of" };
            // The service's has whole seconds.
            let found = if (-0.5..1.5).contains(&ahead) {
                "within a second of the service's".to_owned()
            } else {
                format!("{:.0}s {side} the service's", ahead.abs())
            };
            if ahead.abs() < CLOCK {
                Check::new("clock", State::Ok, found)
            } else {
                let help = "set the clock, for example with `sudo timedatectl set-ntp true`";
                Check { help: vec![help.to_owned()], ..Check::new("clock", State::Error, found) }
            }
        }
        Ok(None) => Check::new("clock", State::Skipped, "the response has no date"),
        Err(refusal) => Check::new("clock", State::Skipped, format!("no response: {refusal}")),
    }
}

/// Returns the rate that the journal knows.
fn known_rate(args: &Args, target: &Target) -> Result<Check, Failure> {
    if !args.journal.exists() {
        let found = format!("not known: there is no journal {}", args.journal.display());
        return Ok(Check::new("rate", State::Skipped, found));
    }
    let known = Status::open(&args.journal)?.rate(target)?;
    let found = match known {
        Some(known) => format!("{}/s, which the last import found", rate(known)),
        None => "not known: no import at this target was limited".to_owned(),
    };
    Ok(Check { per_second: known, ..Check::new("rate", State::Ok, found) })
}

/// Returns the ARN of an artifact that does not exist.
fn nowhere(target: &Target) -> String {
    let (partition, region, account) = match target {
        Target::Aws { partition, region, account, .. } => (&**partition, &**region, &**account),
        Target::Endpoint { region, .. } => ("aws", &**region, "000000000000"),
        Target::Local { .. } => ("aws", "local", "000000000000"),
    };
    format!("arn:{partition}:sagemaker:{region}:{account}:artifact/{}", "0".repeat(32))
}
