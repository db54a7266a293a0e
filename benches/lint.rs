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
/// Artifacts of a file that is measured beside the floor.
const IN_ONE_FILE: usize = 200_000;
const ROUNDS: usize = 7;

/// Ways to write many artifacts into one file: a name, and what stands before an artifact and before its
/// further lines.
const ONE_FILE: [(&str, &str, &str); 2] = [("list", "- ", "\n  "), ("documents", "---\n", "\n")];

fn main() {
    let mut args = std::env::args().skip(1);
    if args.next().as_deref() == Some("floor") {
        let events = floor(Path::new(&args.next().expect("a folder")));
        println!("{events} events");
        return;
    }
    let folder = tempfile::tempdir().expect("a temporary folder");
    println!(
        "| input, warm, medians of {ROUNDS} in turn | floor, s | lint, s | ratio |\n|---|---|---|---|"
    );
    let many = folder.path().join("many");
    let bytes = many_files(&many);
    beside_floor(&format!("{FILES} files, {:.1} MB", bytes as f64 / 1e6), &many);
    for (name, lead, between) in ONE_FILE {
        let path = folder.path().join(name).join("a.yaml");
        let bytes = one_file(&path, IN_ONE_FILE, lead, between);
        let input =
            format!("{IN_ONE_FILE} artifacts in one file ({name}), {:.0} MB", bytes as f64 / 1e6);
        beside_floor(&input, path.parent().expect("a folder"));
    }
    let small = folder.path().join("one.yaml");
    std::fs::write(&small, artifact(0)).expect("a new file");
    println!("\nlint of one artifact: {:.1} ms", median(|| lint(&small)).as_secs_f64() * 1e3);
    for (name, lead, between) in ONE_FILE {
        memory(&folder.path().join("large.yaml"), name, lead, between);
    }
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
         c0ffee{at:026x}\nProperties:\n  Title: Dataset number {at} of a lake\n  Owner: 'team: {}'\n  \
         Format: parquet\nMetadataProperties:\n  CommitId: c{at:07x}\nTags:\n- Key: team\n  \
         Value: team-{}\n- Key: stage\n  Value: prod\n",
        at % 97,
        at % 31,
        at % 31,
    );
    text
}

/// Writes [`FILES`] files of one artifact. Returns how many bytes they have.
fn many_files(folder: &Path) -> usize {
    let mut bytes = 0;
    for at in 0..FILES {
        let path = folder.join(format!("{:03}", at / 200)).join(format!("{at}.yaml"));
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a new folder");
        let text = artifact(at);
        bytes += text.len();
        std::fs::write(path, text).expect("a new file");
    }
    bytes
}

/// Writes a file of so many artifacts. Returns how many bytes it has.
fn one_file(path: &Path, artifacts: usize, lead: &str, between: &str) -> usize {
    let mut text = String::new();
    for at in 0..artifacts {
        text.push_str(lead);
        text.push_str(artifact(at).trim_end().replace('\n', between).as_str());
        text.push('\n');
    }
    std::fs::create_dir_all(path.parent().expect("a folder")).expect("a new folder");
    std::fs::write(path, &text).expect("a new file");
    text.len()
}

/// Measures the floor and `lint` in turn, so that whatever else the machine does falls on both.
fn beside_floor(input: &str, folder: &Path) {
    let floor = || {
        let program = std::env::current_exe().expect("this program");
        timed(Command::new(program).arg("floor").arg(folder))
    };
    let mut times: Vec<_> = (0..=ROUNDS).map(|_| (floor(), lint(folder))).collect();
    // The first reads the files from the disk.
    times.remove(0);
    let mut pick = |pick: fn(&(Duration, Duration)) -> Duration| {
        times.sort_by_key(pick);
        pick(&times[times.len() / 2]).as_secs_f64()
    };
    let (floor, lint) = (pick(|times| times.0), pick(|times| times.1));
    println!("| {input} | {floor:.3} | {lint:.3} | {:.2} |", lint / floor);
}

fn median(mut run: impl FnMut() -> Duration) -> Duration {
    let mut times: Vec<_> = (0..ROUNDS).map(|_| run()).collect();
    times.sort();
    times[times.len() / 2]
}

/// Runs `lint`, which must find nothing.
fn lint(path: &Path) -> Duration {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lineload"));
    timed(command.args(["lint", "-q", "--isolated", "--fail-on", "warning"]).arg(path))
}

fn timed(command: &mut Command) -> Duration {
    let begun = Instant::now();
    let status = command.stdout(Stdio::null()).status().expect("it runs");
    assert!(status.success(), "{command:?}");
    begun.elapsed()
}

/// Measures the memory that one large file needs.
fn memory(path: &Path, name: &str, lead: &str, between: &str) {
    let megabytes = one_file(path, ARTIFACTS, lead, between) as f64 / 1e6;
    let begun = Instant::now();
    let (status, peak) = peak_memory(path);
    let seconds = begun.elapsed().as_secs_f64();
    assert!(status, "{name}");
    println!(
        "lint of {ARTIFACTS} artifacts in one file ({name}), {megabytes:.0} MB: {seconds:.2} s, {:.0} MB/s, \
         peak memory over the file {:.0} MiB",
        megabytes / seconds,
        peak - megabytes / 1.048_576
    );
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
