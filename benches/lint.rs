//! `lint` against a floor that walks, reads and pulls parser events on the same threads and does
//! nothing else, and the memory that one large file needs. `just bench` runs it.
//!
//! The floor is this program itself, started with `floor FOLDER`, so that both are whole processes.

#![expect(clippy::print_stdout, clippy::expect_used, reason = "a program for developers")]

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use rayon::prelude::*;

const FILES: usize = 20_000;
const ARTIFACTS: usize = 1_000_000;
const ROUNDS: usize = 7;

fn main() {
    let mut args = std::env::args().skip(1);
    if args.next().as_deref() == Some("floor") {
        let events = floor(Path::new(&args.next().expect("a folder")));
        println!("{events} events");
        return;
    }
    let folder = tempfile::tempdir().expect("a temporary folder");
    many_files(folder.path());
    one_large_file(folder.path());
}

/// Walks, reads, pulls events.
fn floor(folder: &Path) -> usize {
    let walk = walkdir::WalkDir::new(folder).sort_by_file_name();
    let files: Vec<PathBuf> = walk
        .into_iter()
        .filter_map(Result::ok)
        .filter(|entry| entry.file_type().is_file())
        .map(walkdir::DirEntry::into_path)
        .collect();
    files
        .par_iter()
        .map(|path| {
            let text = std::fs::read_to_string(path).expect("a file");
            granit_parser::Parser::new_from_str(&text).count()
        })
        .sum()
}

fn artifact(at: usize) -> String {
    let mut text = String::new();
    let _ = write!(
        text,
        "ArtifactName: dataset-{at}\nArtifactType: DataSet\nSource:\n  SourceUri: \
         s3://bucket-{}/prefix/{at}\n  SourceTypes:\n  - SourceIdType: S3ETag\n    Value: \
         {at:032x}a\nProperties:\n  Title: Dataset number {at} of a lake\n  Owner: 'team: {}'\n  \
         Format: parquet\nMetadataProperties:\n  CommitId: c{at:07x}\nTags:\n- Key: team\n  \
         Value: team-{}\n- Key: stage\n  Value: prod\n",
        at % 97,
        at % 31,
        at % 31,
    );
    text
}

fn many_files(folder: &Path) {
    let many = folder.join("many");
    let mut bytes = 0;
    for at in 0..FILES {
        let path = many.join(format!("{:03}", at / 200)).join(format!("{at}.yaml"));
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a new folder");
        let text = artifact(at);
        bytes += text.len();
        std::fs::write(path, text).expect("a new file");
    }
    let lint = || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_lineload"));
        command.args(["lint", "-q"]).arg(&many);
        timed(&mut command)
    };
    let floor = || {
        let mut command = Command::new(std::env::current_exe().expect("this program"));
        command.arg("floor").arg(&many);
        timed(&mut command)
    };
    // In turn, so that whatever else the machine does falls on both.
    let mut times: Vec<(Duration, Duration)> = (0..=ROUNDS).map(|_| (floor(), lint())).collect();
    times.remove(0);
    let median = |pick: fn(&(Duration, Duration)) -> Duration| {
        let mut all: Vec<_> = times.iter().map(pick).collect();
        all.sort();
        all[all.len() / 2]
    };
    let (floor, lint) = (median(|times| times.0), median(|times| times.1));
    println!("lint of {FILES} files, {:.1} MB, warm, median of {ROUNDS}", bytes as f64 / 1e6);
    println!("  floor  {:7.1} ms", floor.as_secs_f64() * 1e3);
    println!("  lint   {:7.1} ms", lint.as_secs_f64() * 1e3);
    println!("  ratio  {:7.2}     (at most 1.5 wanted)", lint.as_secs_f64() / floor.as_secs_f64());
}

fn timed(command: &mut Command) -> Duration {
    let begun = Instant::now();
    let status = command.stdout(Stdio::null()).status().expect("it runs");
    assert!(status.success(), "{command:?}");
    begun.elapsed()
}

fn one_large_file(folder: &Path) {
    for (name, lead, between) in [("list", "- ", "\n  "), ("documents", "---\n", "\n")] {
        let path = folder.join(format!("{name}.yaml"));
        let mut text = String::new();
        for at in 0..ARTIFACTS {
            text.push_str(lead);
            text.push_str(artifact(at).trim_end().replace('\n', between).as_str());
            text.push('\n');
        }
        let megabytes = text.len() as f64 / 1e6;
        std::fs::write(&path, text).expect("a new file");
        let begun = Instant::now();
        let (status, peak) = peak_memory(&path);
        let seconds = begun.elapsed().as_secs_f64();
        assert!(status, "{name}");
        println!(
            "lint of {ARTIFACTS} artifacts in one file ({name}), {megabytes:.0} MB: {seconds:.2} s, \
             {:.0} MB/s",
            megabytes / seconds
        );
        println!(
            "  peak memory over the file  {:5.0} MiB (at most 150 wanted)",
            peak - megabytes / 1.048_576
        );
    }
}

/// Runs `lint` on `path`; whether it found nothing, and its peak memory in MiB.
fn peak_memory(path: &Path) -> (bool, f64) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_lineload"))
        .args(["lint", "-q"])
        .arg(path)
        .stdout(Stdio::null())
        .spawn()
        .expect("it runs");
    let mut peak = 0.0_f64;
    loop {
        let status = std::fs::read_to_string(format!("/proc/{}/status", child.id()));
        let line = status.ok().and_then(|text| {
            let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:").map(str::to_owned));
            line?.trim().strip_suffix(" kB")?.parse::<f64>().ok()
        });
        peak = peak.max(line.unwrap_or(0.0) / 1024.0);
        if let Some(status) = child.try_wait().expect("a child") {
            return (status.success(), peak);
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}
