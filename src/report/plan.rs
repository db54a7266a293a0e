//! The plan of an import, for people, for scripts and for a comment on a pull request.

pub mod faults;
mod human;
mod json;
mod markdown;
mod spool;

use std::borrow::Cow;
use std::io::{self, Write};
use std::time::Duration;

use self::faults::Faults;
use crate::artifact::Difference;
use crate::plan::{Fate, Gone, Plan, Planned, Sink};
use crate::run::change::OnExists;
use crate::submission::Target;
use crate::text::{counted, duration, rate as shown_rate, redacted, secret};

/// Look-ups a second that the time is estimated for if the plan itself made too few to measure: the
/// most that are made.
const ASSUMED_LOOK_UPS: f64 = 50.0;

/// The facts of a plan once it is complete.
#[derive(Debug, Clone, Copy)]
pub struct Heading<'r> {
    /// The plan.
    pub plan: &'r Plan,
    /// The target.
    pub target: &'r Target,
    /// The rate of creates that the time is estimated for.
    pub rate: CreateRate,
    /// The import's policy for what already exists.
    pub on_exists: OnExists,
    /// The findings of the check.
    pub faults: &'r Faults,
}

/// A report of a plan: it takes the entries as they are planned, and is written at the end, because
/// the numbers come first.
#[derive(Debug)]
pub struct Report {
    counts: Counts,
    form: Box<dyn Form>,
}

/// A format of the report.
trait Form: std::fmt::Debug {
    /// Takes an entry of one or two groups.
    fn entry(&mut self, groups: Groups, entry: &Planned<'_>) -> io::Result<()>;

    /// Takes an artifact that no manifest describes any more.
    fn gone(&mut self, gone: &Gone) -> io::Result<()>;

    /// Writes all of it.
    fn write(
        self: Box<Self>,
        heading: &Heading<'_>,
        counts: &Counts,
        out: &mut dyn Write,
    ) -> io::Result<()>;
}

/// The rate of creates that the time of an import is estimated for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum CreateRate {
    /// No import at the target has found out what the service allows.
    Unknown,
    /// Nothing but the service bounds it.
    Unlimited,
    /// So many a second, as the last import at the target found.
    Found(f64),
    /// So many a second, as `--rate` says.
    Asked(f64),
}

/// The fates of entries that are reported together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Group {
    Conflict,
    Unknown,
    Differs,
    Gone,
    Create,
    Exists,
    Invalid,
}

impl Group {
    const ALL: [Self; 7] = [
        Self::Create,
        Self::Exists,
        Self::Differs,
        Self::Conflict,
        Self::Unknown,
        Self::Gone,
        Self::Invalid,
    ];

    const fn of(fate: &Fate) -> Self {
        match fate {
            Fate::Create => Self::Create,
            Fate::Exists => Self::Exists,
            Fate::Differs { .. } => Self::Differs,
            Fate::Unknown { .. } => Self::Unknown,
        }
    }

    const fn as_str(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Exists => "exists",
            Self::Differs => "differs",
            Self::Conflict => "conflict",
            Self::Unknown => "unknown",
            Self::Gone => "gone",
            Self::Invalid => "invalid",
        }
    }

    /// Returns what it is called in text for people. Whether a name in use is a conflict, only the
    /// service knows.
    const fn label(self) -> &'static str {
        match self {
            Self::Conflict => "name in use",
            group => group.as_str(),
        }
    }
}

/// The groups of an entry. One whose name another source has too is to be created as well: a
/// conflict is what the service refuses, and only the import finds out whether it does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Groups {
    main: Group,
    in_conflict: bool,
}

impl Groups {
    fn of(entry: &Planned<'_>) -> Self {
        Self {
            main: entry.item.map_or(Group::Invalid, |item| Group::of(&item.fate)),
            in_conflict: entry.item.is_some_and(|item| item.name_also_at.is_some()),
        }
    }

    fn iter(self) -> impl Iterator<Item = Group> {
        std::iter::once(self.main).chain(self.in_conflict.then_some(Group::Conflict))
    }
}

/// The number of entries in each group.
#[derive(Debug, Clone, Copy, Default)]
struct Counts([usize; Group::ALL.len()]);

impl Counts {
    fn add(&mut self, group: Group) {
        self.0[group as usize] += 1;
    }

    const fn of(&self, group: Group) -> usize {
        self.0[group as usize]
    }
}

impl Report {
    /// Returns a report for people. It lists `all` artifacts, or the first of each group.
    #[must_use]
    pub fn human(all: bool) -> Self {
        Self::new(human::Human::new(all))
    }

    /// Returns a report as JSON.
    #[must_use]
    pub fn json() -> Self {
        Self::new(json::Json::default())
    }

    /// Returns a report as Markdown.
    #[must_use]
    pub fn markdown() -> Self {
        Self::new(markdown::Markdown::default())
    }

    fn new(form: impl Form + 'static) -> Self {
        Self { counts: Counts::default(), form: Box::new(form) }
    }

    /// Writes the report.
    ///
    /// # Errors
    /// If the writer fails, or what was kept cannot be read.
    pub fn write(self, heading: &Heading<'_>, mut out: impl Write) -> io::Result<()> {
        self.form.write(heading, &self.counts, &mut out)?;
        out.flush()
    }
}

impl Sink for Report {
    fn entry(&mut self, entry: &Planned<'_>) -> io::Result<()> {
        let groups = Groups::of(entry);
        groups.iter().for_each(|group| self.counts.add(group));
        self.form.entry(groups, entry)
    }

    fn gone(&mut self, gone: &Gone) -> io::Result<()> {
        self.counts.add(Group::Gone);
        self.form.gone(gone)
    }
}

impl Heading<'_> {
    /// Returns the time that the import would take; `None` where its rate is not known.
    fn time(&self) -> Option<Duration> {
        #[expect(clippy::cast_precision_loss, reason = "a time for people")]
        let (writes, look_ups) = {
            let calls = self.plan.calls;
            ((calls.create + calls.update) as f64, calls.ask as f64)
        };
        let writing = match self.rate {
            CreateRate::Found(rate) | CreateRate::Asked(rate) => writes / rate,
            _ if writes == 0.0 => 0.0,
            CreateRate::Unlimited | CreateRate::Unknown => return None,
        };
        let seconds = writing + look_ups / self.look_ups_a_second();
        Some(Duration::from_secs_f64(seconds.min(1e9)))
    }

    fn look_ups_a_second(&self) -> f64 {
        self.plan.answered_a_second().unwrap_or(ASSUMED_LOOK_UPS)
    }

    /// Returns the rates that the time is estimated for, and where each is from.
    fn basis(&self) -> Vec<String> {
        let calls = self.plan.calls;
        let mut rates = Vec::new();
        if calls.create + calls.update > 0 {
            match self.rate {
                CreateRate::Found(rate) => {
                    rates.push(format!("at {}/s as in the last import", shown_rate(rate)));
                }
                CreateRate::Asked(rate) => {
                    rates.push(format!("at {}/s as `--rate` says", shown_rate(rate)));
                }
                CreateRate::Unknown | CreateRate::Unlimited => {}
            }
        }
        #[expect(clippy::cast_precision_loss, reason = "a time for people")]
        let looking_up = calls.ask as f64 / self.look_ups_a_second();
        if looking_up >= 1.0 {
            let source = match self.plan.answered_a_second() {
                Some(_) => "measured",
                None => "assumed",
            };
            let rate = shown_rate(self.look_ups_a_second());
            rates.push(format!("look-ups at {rate}/s, {source}"));
        }
        rates
    }

    /// Returns the requests and the time that an import would take, in a sentence.
    fn cost(&self) -> String {
        let calls = self.plan.calls;
        let total = calls.create + calls.update + calls.ask;
        if total == 0 {
            return "an import would make no request".to_owned();
        }
        let mut parts = vec![counted(calls.create, "create")];
        if calls.update > 0 {
            parts.push(counted(calls.update, "update"));
        }
        parts.push(counted(calls.ask, "look-up"));
        let cost =
            format!("an import would make {}: {}", counted(total, "request"), parts.join(", "));
        // Nothing takes no time.
        let about = self.time().map(|time| duration(time.max(Duration::from_secs(1))));
        match (about, self.rate) {
            (Some(about), _) => {
                let basis = self.basis().join("; ");
                let space = if basis.is_empty() { "" } else { " " };
                format!("{cost}; about {about}{space}{basis}")
            }
            (None, CreateRate::Unlimited) => format!("{cost}, as fast as they are answered"),
            (None, _) => format!(
                "{cost}; how long depends on the rate that the first import finds (`--rate N` \
                 assumes one)"
            ),
        }
    }
}

/// Returns what an entry is called, redacted where that looks like a credential.
pub(super) fn called<'e>(name: Option<&'e str>, uri: Option<&'e str>) -> Cow<'e, str> {
    redacted(name.or(uri).unwrap_or_default())
}

/// A value as a report may show it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shown<'v> {
    Nothing,
    /// It looks like a credential.
    Hidden,
    Text(&'v str),
}

impl<'v> Shown<'v> {
    fn of(difference: &Difference, value: Option<&'v String>) -> Self {
        let Some(value) = value else { return Self::Nothing };
        let key = difference.field.last();
        if secret::find(value).is_some() || secret::is_named(key, value) {
            return Self::Hidden;
        }
        Self::Text(value)
    }

    /// Returns it in words, where `text` shows a text.
    fn in_words(self, text: impl Fn(&str) -> String) -> String {
        match self {
            Self::Nothing => "nothing".to_owned(),
            Self::Hidden => "(looks like a credential)".to_owned(),
            Self::Text(value) => text(value),
        }
    }
}
