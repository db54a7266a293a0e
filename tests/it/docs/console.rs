//! Runs the commands that the pages show, and compares what they print.
//!
//! Each page is read from top to bottom in a directory of its own, where the files that it shows
//! are written and its console blocks run, one after the other. A block that is not run says why,
//! in a comment. CONTRIBUTING.md has the comments and the rules of comparison.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::page::{Block, Note, Shown, Start, blocks, commands};
use super::volatile::same;
use crate::support::{root, write};

/// The time limit of the commands of a block, and of a server until it prints its lines.
const PATIENCE: Duration = Duration::from_secs(60);
/// Stands in front of the exit code of a command in the output of a block.
const END: char = '\u{1e}';
/// Commands of a binary with the feature `aws`.
const NEED_AWS: [&str; 4] = ["import", "plan", "resume", "export"];

/// Runs the console blocks of the page at `path`, or writes what they print now into the page if
/// `LINELOAD_UPDATE_DOCS` is set.
pub fn check(path: &str) {
    let file = root().join(path);
    let text = fs::read_to_string(&file).expect("the page");
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let mut wrong = Vec::new();
    let mut scene = Scene::new(Start::Manifests);
    let mut updates = Vec::new();
    for block in blocks(&text) {
        let place = format!("{path}:{}", block.line);
        match scene.block(&block) {
            Ok(differences) => updates.extend(differences.into_iter().map(|one| (block.line, one))),
            Err(Skip::Said) => {}
            Err(Skip::LeftOut(why)) => left_out(&place, &why),
            Err(Skip::Wrong(why)) => wrong.push(format!("{place}: {why}")),
        }
    }
    let update = std::env::var_os("LINELOAD_UPDATE_DOCS").is_some();
    // From the last to the first, so that the lines of earlier blocks keep their places.
    for (line, difference) in updates.into_iter().rev() {
        let Difference { at, length, command, shown, printed } = difference;
        let elided = shown.iter().any(|line| line.trim() == "…");
        if update && !elided {
            let first = line + at;
            lines.splice(first..first + length, printed);
        } else {
            wrong.push(format!(
                "{path}:{}: `{command}` is shown with\n{}\n\nand prints\n{}\n",
                line + at,
                shown.join("\n"),
                printed.join("\n")
            ));
        }
    }
    if update && wrong.is_empty() {
        write(&file, lines.join("\n") + "\n");
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Names a block that was not run.
#[expect(clippy::print_stdout, reason = "`cargo test -- --nocapture` shows it")]
fn left_out(place: &str, why: &str) {
    println!("{place}: left out: {why}");
}

/// The reason why a block was not run.
enum Skip {
    /// Its comment says so, or it is no console block.
    Said,
    /// This binary or this machine cannot run it.
    LeftOut(String),
    /// The page has a fault.
    Wrong(String),
}

/// A command that prints something else than the page shows.
struct Difference {
    /// The first line of the shown output, counted from the block's opening fence.
    at: usize,
    /// The number of lines of output the page shows.
    length: usize,
    command: String,
    shown: Vec<String>,
    printed: Vec<String>,
}

/// A directory in which blocks run, and the servers that they started.
struct Scene {
    directory: tempfile::TempDir,
    servers: Vec<Child>,
    /// The ports that stand in for those of the page.
    ports: BTreeMap<String, String>,
    /// The reason why the rest of it cannot be run.
    left_out: Option<String>,
}

impl Scene {
    fn new(start: Start) -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let here = directory.path().join("here");
        fs::create_dir_all(&here).expect("a directory");
        match start {
            Start::Empty => {}
            Start::Manifests => copy(&root().join("manifests"), &here.join("manifests")),
            Start::Inventories => copy(&root().join("tests/fixtures/inventories"), &here),
        }
        Self { directory, servers: Vec::new(), ports: BTreeMap::new(), left_out: None }
    }

    fn here(&self) -> PathBuf {
        self.directory.path().join("here")
    }

    /// Does what a block asks for; the commands that print something else than is shown.
    fn block(&mut self, block: &Block) -> Result<Vec<Difference>, Skip> {
        for note in &block.notes {
            match note {
                Note::Directory(start) => *self = Self::new(*start),
                Note::File(name) => {
                    write(&self.here().join(name), block.lines.join("\n") + "\n");
                }
                Note::NotRun(reason) if reason.is_empty() => {
                    return Err(Skip::Wrong("no reason is given for not running it".to_owned()));
                }
                Note::NotRun(_) => return Err(Skip::Said),
                Note::Needs(program) if !installed(program) => {
                    return Err(Skip::LeftOut(format!("{program} is not installed")));
                }
                Note::Needs(_) => {}
                Note::Before(_) if self.left_out.is_some() => {}
                Note::Before(commands) => {
                    let (printed, code) = self.shell(commands)?;
                    if code != Some(0) {
                        return Err(Skip::Wrong(format!("`{commands}` failed:\n{printed}")));
                    }
                }
            }
        }
        if block.language != "console" {
            let shell = ["sh", "bash", "shell"].contains(&block.language.as_str());
            if shell || block.lines.iter().any(|line| line.starts_with("$ ")) {
                return Err(Skip::Wrong("commands belong in a `console` block".to_owned()));
            }
            return Err(Skip::Said);
        }
        let shown = commands(block);
        if !has_aws() && self.left_out.is_none() {
            let needs = shown.iter().find(|one| needs_aws(&one.command));
            self.left_out = needs.map(|one| format!("`{}` needs the feature aws", one.command));
        }
        if let Some(why) = &self.left_out {
            return Err(Skip::LeftOut(why.clone()));
        }
        let parquet = shown.iter().find(|one| one.command.contains(".parquet"));
        if let Some(one) = parquet.filter(|_| !cfg!(feature = "parquet")) {
            return Err(Skip::LeftOut(format!("`{}` needs the feature parquet", one.command)));
        }
        let mut differences = Vec::new();
        for run in shown.chunk_by(|one, next| !serves(&one.command) && !serves(&next.command)) {
            let printed = match run {
                [serve] if serves(&serve.command) => vec![self.serve(serve)?],
                run => self.run(run)?,
            };
            for (one, printed) in run.iter().zip(printed) {
                if !one.output.is_empty() && !same(&one.output, &printed) {
                    differences.push(Difference {
                        at: one.at + one.command.lines().count(),
                        length: one.output.len(),
                        command: one.command.clone(),
                        shown: one.output.clone(),
                        printed,
                    });
                }
            }
        }
        Ok(differences)
    }

    /// Runs commands in one shell; what each printed.
    fn run(&self, commands: &[Shown]) -> Result<Vec<Vec<String>>, Skip> {
        let script: String = commands
            .iter()
            .map(|one| {
                let command = self.with_ports(&one.command);
                // The next command may ask for `$?`.
                format!("{command}\ncode=$?; printf '{END}%s\\n' $code; (exit $code)\n")
            })
            .collect();
        let (printed, _) = self.shell(&script)?;
        let mut all = Vec::new();
        let mut lines = Vec::new();
        for line in printed.lines() {
            let Some((last, code)) = line.split_once(END) else {
                lines.push(line.to_owned());
                continue;
            };
            lines.extend(Some(last.to_owned()).filter(|last| !last.is_empty()));
            let one = &commands[all.len()];
            // Without output to compare, it must at least have worked: findings and changes are 1 and 3.
            if one.output.is_empty() && !["0", "1", "3"].contains(&code) {
                let what = lines.join("\n");
                let why = format!("`{}` ended with {code}:\n{what}", one.command);
                return Err(Skip::Wrong(why));
            }
            all.push(std::mem::take(&mut lines));
        }
        if all.len() < commands.len() {
            return Err(Skip::Wrong(format!("the shell stopped early:\n{printed}")));
        }
        Ok(all)
    }

    /// Starts a server, which stays until the end of its directory; the lines that it prints first.
    fn serve(&mut self, serve: &Shown) -> Result<Vec<String>, Skip> {
        let words: Vec<&str> = serve.command.split_whitespace().collect();
        for pair in words.windows(2).filter(|pair| pair[0] == "--port" && pair[1] != "0") {
            self.ports.entry(pair[1].to_owned()).or_insert_with(free_port);
        }
        let out = self.directory.path().join(format!("server-{}", self.servers.len()));
        let file = fs::File::create(&out).expect("a file");
        let mut command = self.command(&format!("exec {}", self.with_ports(&serve.command)));
        command.stderr(file.try_clone().expect("the file")).stdout(file);
        self.servers.push(command.spawn().expect("a shell"));
        let began = Instant::now();
        loop {
            let printed = fs::read_to_string(&out).expect("the file");
            let wanted = serve.output.len().max(1);
            if printed.matches('\n').count() >= wanted {
                return Ok(self.with_shown_ports(&printed).lines().map(str::to_owned).collect());
            }
            if began.elapsed() > PATIENCE {
                let why = format!("`{}` prints too little:\n{printed}", serve.command);
                return Err(Skip::Wrong(why));
            }
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Runs a script; what it printed on both streams, and its exit code.
    fn shell(&self, script: &str) -> Result<(String, Option<i32>), Skip> {
        let out = self.directory.path().join("output");
        let file = fs::File::create(&out).expect("a file");
        let mut command = self.command(script);
        command.stderr(file.try_clone().expect("the file")).stdout(file);
        let mut child = command.spawn().expect("a shell");
        let began = Instant::now();
        loop {
            if let Some(status) = child.try_wait().expect("a status") {
                let printed = fs::read_to_string(&out).expect("UTF-8");
                return Ok((self.with_shown_ports(&printed), status.code()));
            }
            if began.elapsed() > PATIENCE {
                let _ = child.kill();
                let _ = child.wait();
                return Err(Skip::Wrong(format!("took more than {PATIENCE:?}:\n{script}")));
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// A shell with `lineload` and what is installed, and none of this machine's AWS settings.
    fn command(&self, script: &str) -> Command {
        let binary = other_binary().unwrap_or_else(|| env!("CARGO_BIN_EXE_lineload").into());
        let binary = root().join(binary).parent().expect("a directory").to_owned();
        let path = std::env::var_os("PATH").unwrap_or_default();
        let paths = std::iter::once(binary).chain(std::env::split_paths(&path));
        let mut command = Command::new("sh");
        command.args(["-c", script]).current_dir(self.here()).env_clear().stdin(Stdio::null());
        command.env("PATH", std::env::join_paths(paths).expect("a path"));
        command.env("HOME", self.directory.path()).env("AWS_EC2_METADATA_DISABLED", "true");
        for (name, value) in [("NAME", "test"), ("EMAIL", "test@example.com")] {
            command.env(format!("GIT_AUTHOR_{name}"), value);
            command.env(format!("GIT_COMMITTER_{name}"), value);
        }
        command
    }

    fn with_ports(&self, text: &str) -> String {
        self.ports.iter().fold(text.to_owned(), |text, (shown, port)| text.replace(shown, port))
    }

    fn with_shown_ports(&self, text: &str) -> String {
        self.ports.iter().fold(text.to_owned(), |text, (shown, port)| text.replace(port, shown))
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        for server in &mut self.servers {
            let _ = server.kill();
            let _ = server.wait();
        }
    }
}

/// Returns the binary with the feature `aws` that runs in the place of the one under test, so that
/// the pages can be written without building the AWS SDK again.
fn other_binary() -> Option<PathBuf> {
    std::env::var_os("LINELOAD_DOCS_BINARY").map(PathBuf::from)
}

fn has_aws() -> bool {
    cfg!(feature = "aws") || other_binary().is_some()
}

/// Returns whether a command keeps running until it is stopped.
fn serves(command: &str) -> bool {
    command.starts_with("lineload serve ") && !command.contains("--help")
}

/// Returns whether a command needs a binary with the feature `aws`.
fn needs_aws(command: &str) -> bool {
    command.split(['|', ';', '&']).any(|part| {
        let mut words = part.split_whitespace();
        words.next() == Some("lineload") && words.next().is_some_and(|it| NEED_AWS.contains(&it))
    })
}

fn installed(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|directory| directory.join(program).is_file())
}

/// Returns a port that nobody listens on.
fn free_port() -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("its address").port().to_string()
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a directory");
    for entry in fs::read_dir(from).expect("a directory") {
        let entry = entry.expect("an entry");
        let to = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).expect("a copy");
        }
    }
}
