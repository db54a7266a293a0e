//! The process that has a journal, as it names itself in the lock file.

use std::fmt;

use crate::text::escaped;

/// The process that has a journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    /// Its id.
    pub process: u32,
    /// The machine that it runs on.
    pub host: String,
    /// Since when, in UTC.
    pub since: String,
    /// An id that distinguishes this machine from others, and its processes from those of a
    /// container.
    pub(super) machine: String,
    /// The time when the process was started, by the machine's count, where that is known.
    pub(super) started: Option<u64>,
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (host, since) = (escaped(&self.host), escaped(&self.since));
        write!(f, "process {} on {host}, since {since}", self.process)
    }
}

impl Holder {
    /// Returns this process.
    pub(super) fn this() -> Self {
        let process = std::process::id();
        Self {
            process,
            host: host(),
            since: format!("{:.0}", jiff::Timestamp::now()),
            machine: machine(),
            started: started(process),
        }
    }

    /// Returns the text of a lock file.
    pub(super) fn text(&self) -> String {
        let Self { process, host, since, machine, started } = self;
        let started = started.map(|at| format!("started {at}\n")).unwrap_or_default();
        format!("process {process}\nhost {host}\nsince {since}\nmachine {machine}\n{started}")
    }

    /// Reads the text of a lock file.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let value =
            |name: &str| text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        Some(Self {
            process: value("process")?.parse().ok()?,
            host: value("host")?.to_owned(),
            since: value("since")?.to_owned(),
            machine: value("machine").unwrap_or_default().to_owned(),
            started: value("started").and_then(|at| at.parse().ok()),
        })
    }
}

/// Returns the name of this machine.
fn host() -> String {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").ok();
    let name = name.or_else(|| std::env::var("HOSTNAME").ok()).unwrap_or_default();
    match name.trim() {
        "" => "this machine".to_owned(),
        name => name.to_owned(),
    }
}

/// Returns an id that distinguishes this machine, as long as it runs, from others, and the
/// processes in a container from those outside. Empty where nothing does.
fn machine() -> String {
    let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id");
    let space = std::fs::read_link("/proc/self/ns/pid");
    match (boot, space) {
        (Ok(boot), Ok(space)) => format!("{} {}", boot.trim(), space.display()),
        _ => String::new(),
    }
}

/// Returns when a process of this machine was started, in ticks since the machine was; `None` where
/// there is no such process, or its start is not known.
pub(super) fn started(process: u32) -> Option<u64> {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // The second field is a name in parentheses, and may contain any character.
    let (_, behind) = stat.rsplit_once(')')?;
    behind.split_whitespace().nth(19)?.parse().ok()
}
