//! The artifacts that `delete` is about to delete, for people, for scripts and for a comment on a pull request.

use std::io::{self, Write};
use std::time::Duration;

use serde::Serialize;
use serde_json::json;

use super::json::write_value;
use super::markdown::code;
use super::plan::{CreateRate, called};
use super::run::row::shown_target;
use crate::journal::StoredEntry;
use crate::submission::Target;
use crate::text::{self, counted, duration, escaped, grouped, redacted};

/// Artifacts that are listed for people.
const LISTED: usize = 20;
/// The most characters of Markdown: a comment on GitHub takes 65,536.
const MOST: usize = 65_000;
/// Of these, what is kept for the line that says how many are left out.
const TAIL: usize = 200;
/// The version of the shape of the JSON.
const VERSION: u32 = 1;

/// The facts of what is deleted, apart from the artifacts.
#[derive(Debug, Clone, Copy)]
pub struct Heading<'r> {
    /// The target.
    pub target: &'r Target,
    /// The artifacts to be deleted.
    pub deletes: u64,
    /// The artifacts that match and stay.
    pub left_out: &'r LeftOut,
    /// The rate of deletes that the time is estimated for.
    pub rate: CreateRate,
    /// True if every artifact is listed for people.
    pub all: bool,
}

/// The number of artifacts that match, and are not deleted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LeftOut {
    /// No run that counts has created them.
    pub not_ours: u64,
    /// Other runs than the one that is undone have created them.
    pub other_runs: u64,
    /// They were imported from another directory, whose manifests were not read.
    pub elsewhere: u64,
    /// They were imported with another `--rewrite-uri`.
    pub rewritten: u64,
    /// Runs have created them, but no answer and no listing had their ARN.
    pub without_arn: u64,
    /// Earlier runs have deleted them.
    pub deleted: u64,
}

/// A format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// For people.
    Human,
    /// For scripts.
    Json,
    /// For a comment.
    Markdown,
}

/// Takes the artifacts one by one, and may end them early.
pub type Take<'t> = dyn FnMut(&StoredEntry) -> io::Result<()> + 't;

impl Heading<'_> {
    /// Returns the time that it takes; `None` where the rate is not known.
    fn time(&self) -> Option<Duration> {
        #[expect(clippy::cast_precision_loss, reason = "a time for people")]
        let deletes = self.deletes as f64;
        match self.rate {
            CreateRate::Found(rate) | CreateRate::Asked(rate) => {
                let shortest = f64::from(u8::from(self.deletes > 0));
                Some(Duration::from_secs_f64((deletes / rate).clamp(shortest, 1e9)))
            }
            CreateRate::Unlimited | CreateRate::Unknown => None,
        }
    }

    fn cost(&self) -> String {
        if self.deletes == 0 {
            return "nothing to delete".to_owned();
        }
        let deletes = counted(usize::try_from(self.deletes).unwrap_or(usize::MAX), "artifact");
        let time = self.time().map(duration).unwrap_or_default();
        let how = match self.rate {
            CreateRate::Found(rate) => {
                format!("; about {time} at {}/s as in the last delete run", text::rate(rate))
            }
            CreateRate::Asked(rate) => {
                format!("; about {time} at {}/s as `--rate` says", text::rate(rate))
            }
            CreateRate::Unlimited => ", as fast as the requests are answered".to_owned(),
            CreateRate::Unknown => String::new(),
        };
        format!("{deletes} to delete{how}")
    }

    /// Returns the counts of what stays, each with its reason.
    fn left_out(&self) -> impl Iterator<Item = (u64, &'static str, &'static str)> {
        let LeftOut { not_ours, other_runs, elsewhere, rewritten, without_arn, deleted } =
            *self.left_out;
        [
            (
                not_ours,
                "not ours",
                "existed before, or is not from this journal; `--not-ours` includes it",
            ),
            (other_runs, "other runs", "created by other runs in this journal"),
            (
                elsewhere,
                "elsewhere",
                "imported from another directory, whose manifests were not read",
            ),
            (rewritten, "rewritten", "imported with another `--rewrite-uri`"),
            (
                without_arn,
                "without an ARN",
                "the answer was lost, and no listing had them; `--not-ours` includes them after an import with \
                 `--recheck`",
            ),
            (deleted, "deleted", "by earlier runs"),
        ]
        .into_iter()
        .filter(|(count, ..)| *count > 0)
    }
}

/// Writes what is about to be deleted. `each` passes the artifacts to a function.
///
/// # Errors
/// If the writer fails, or the artifacts cannot be read.
pub fn write(
    format: Format,
    heading: &Heading<'_>,
    each: &dyn Fn(&mut Take<'_>) -> io::Result<()>,
    mut out: impl Write,
) -> io::Result<()> {
    match format {
        Format::Human => human(heading, each, &mut out)?,
        Format::Json => as_json(heading, each, &mut out)?,
        Format::Markdown => markdown(heading, each, &mut out)?,
    }
    out.flush()
}

fn human(
    heading: &Heading<'_>,
    each: &dyn Fn(&mut Take<'_>) -> io::Result<()>,
    out: &mut impl Write,
) -> io::Result<()> {
    let target = shown_target(heading.target).to_string();
    writeln!(out, "\x1b[1m{}\x1b[0m", escaped(&target))?;
    writeln!(out, "{}\n", heading.cost())?;
    if heading.deletes > 0 {
        writeln!(out, "\x1b[31m{:>9}\x1b[0m  delete", grouped(heading.deletes))?;
    }
    for (count, label, reason) in heading.left_out() {
        writeln!(out, "\x1b[2m{:>9}\x1b[0m  {label}: {reason}", grouped(count))?;
    }
    if heading.deletes == 0 {
        return Ok(());
    }
    writeln!(out, "\n\x1b[31mdelete\x1b[0m")?;
    let most = if heading.all { usize::MAX } else { LISTED };
    let mut listed = 0;
    each(&mut |entry| {
        if listed == most {
            return Ok(());
        }
        listed += 1;
        let name = escaped(&called(entry.name.as_deref(), entry.source_uri.as_deref()));
        let place = place(entry).map(|place| format!("{}, ", escaped(&place)));
        let arn = escaped(entry.arn.as_deref().unwrap_or_default());
        let place = place.unwrap_or_default();
        writeln!(out, "  \x1b[31m-\x1b[0m {name}  \x1b[2m{place}{arn}\x1b[0m")
    })?;
    let more = heading.deletes.saturating_sub(listed as u64);
    if more > 0 {
        writeln!(out, "  and {} more; `--all` lists them", grouped(more))?;
    }
    writeln!(out)
}

/// Returns where the manifest of an artifact is, if it had one.
fn place(entry: &StoredEntry) -> Option<String> {
    (!entry.file.is_empty()).then(|| format!("{}:{}", entry.file, entry.line))
}

#[derive(Serialize)]
struct Row<'r> {
    action: &'static str,
    file: Option<&'r str>,
    line: Option<u32>,
    name: Option<std::borrow::Cow<'r, str>>,
    source_uri: Option<std::borrow::Cow<'r, str>>,
    arn: Option<&'r str>,
}

fn as_json(
    heading: &Heading<'_>,
    each: &dyn Fn(&mut Take<'_>) -> io::Result<()>,
    out: &mut impl Write,
) -> io::Result<()> {
    let LeftOut { not_ours, other_runs, elsewhere, rewritten, without_arn, deleted } =
        *heading.left_out;
    let head = json!({
        "calls": { "delete": heading.deletes },
        "counts": {
            "delete": heading.deletes,
            "not_ours": not_ours,
            "other_runs": other_runs,
            "elsewhere": elsewhere,
            "rewritten": rewritten,
            "without_arn": without_arn,
            "deleted": deleted,
        },
        "seconds": heading.time().map(|time| time.as_secs_f64().ceil()),
        "target": shown_target(heading.target),
        "version": VERSION,
    });
    let head = head.to_string();
    write!(out, "{},\"entries\":[", head.strip_suffix('}').unwrap_or(&head))?;
    let mut any = false;
    each(&mut |entry| {
        out.write_all(if std::mem::replace(&mut any, true) { b",\n" } else { b"\n" })?;
        let has_place = !entry.file.is_empty();
        let row = Row {
            action: "delete",
            file: has_place.then_some(&*entry.file),
            line: has_place.then_some(entry.line),
            name: entry.name.as_deref().map(redacted),
            source_uri: entry.source_uri.as_deref().map(redacted),
            arn: entry.arn.as_deref(),
        };
        write_value(&mut *out, &row)
    })?;
    writeln!(out, "{}]}}", if any { "\n" } else { "" })
}

fn markdown(
    heading: &Heading<'_>,
    each: &dyn Fn(&mut Take<'_>) -> io::Result<()>,
    out: &mut impl Write,
) -> io::Result<()> {
    let mut text = String::from("### lineload delete\n\n");
    text.push_str(&format!("{}\n\n", code(&shown_target(heading.target).to_string())));
    text.push_str("| | artifacts |\n|---|---:|\n");
    text.push_str(&format!("| delete | {} |\n", grouped(heading.deletes)));
    for (count, label, _) in heading.left_out() {
        text.push_str(&format!("| {label} | {} |\n", grouped(count)));
    }
    let mut length = text.chars().count();
    let mut listed = 0;
    if heading.deletes > 0 {
        text.push_str("\n<details><summary>delete</summary>\n\n");
    }
    each(&mut |entry| {
        let name = code(&called(entry.name.as_deref(), entry.source_uri.as_deref()));
        let place = place(entry).map(|place| format!(" ({})", code(&place))).unwrap_or_default();
        let arn = code(entry.arn.as_deref().unwrap_or_default());
        let line = format!("- {name}{place}, {arn}\n");
        let chars = line.chars().count();
        if length + chars + TAIL > MOST {
            length = MOST;
            return Ok(());
        }
        length += chars;
        listed += 1;
        text.push_str(&line);
        Ok(())
    })?;
    let more = heading.deletes.saturating_sub(listed);
    if more > 0 {
        text.push_str(&format!("- and {} more\n", grouped(more)));
    }
    if heading.deletes > 0 {
        text.push_str("\n</details>\n");
    }
    out.write_all(text.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::submission::EntryId;

    fn entries(count: i64) -> Vec<StoredEntry> {
        let entry = |number| StoredEntry {
            id: EntryId(number),
            file: if number == 2 { String::new() } else { format!("m/{number}.yaml") },
            line: 7,
            name: (number != 2).then(|| format!("a{number}\u{1b}[2J")),
            source_uri: Some(format!("s3://me:hunter2@lake/{number}")),
            outcome: None,
            is_open: false,
            arn: Some(format!("arn:{number}")),
            attempts: 0,
            request_id: None,
            error_code: None,
            error_message: None,
        };
        (1..=count).map(entry).collect()
    }

    fn written(format: Format, count: i64, left_out: LeftOut, all: bool) -> String {
        let entries = entries(count);
        let target = Target::Local { registry: "r".to_owned(), file: "f".to_owned() };
        let deletes = entries.len() as u64;
        let rate = CreateRate::Found(2.0);
        let heading = Heading { target: &target, deletes, left_out: &left_out, rate, all };
        let mut out = Vec::new();
        let each = |take: &mut Take<'_>| entries.iter().try_for_each(take);
        write(format, &heading, &each, &mut out).unwrap();
        anstream::adapter::strip_str(&String::from_utf8(out).unwrap()).to_string()
    }

    #[test]
    fn people_see_the_first_and_how_many_stay() {
        let left_out = LeftOut { not_ours: 3, deleted: 1, ..LeftOut::default() };
        let text = written(Format::Human, 22, left_out, false);
        let beginning = "the local registry f\n22 artifacts to delete; about 11s at 2.0/s as in the last \
                         delete run\n\n       22  delete\n        3  not ours: ";
        assert!(text.starts_with(beginning), "{text}");
        assert!(text.contains("        1  deleted: by earlier runs\n\ndelete\n"), "{text}");
        assert!(text.contains("  - a1\\u{1b}[2J  m/1.yaml:7, arn:1\n"), "{text}");
        assert!(text.contains("lake/2  arn:2\n") && !text.contains("hunter2"), "{text}");
        assert!(
            text.contains("  and 2 more; `--all` lists them\n") && !text.contains("arn:21"),
            "{text}"
        );
        assert!(written(Format::Human, 22, left_out, true).contains("m/22.yaml:7, arn:22"));
        let none = written(Format::Human, 0, left_out, true);
        assert!(none.contains("\nnothing to delete\n\n        3  not ours"), "{none}");
    }

    #[test]
    fn scripts_get_one_document() {
        let left_out = LeftOut { elsewhere: 2, ..LeftOut::default() };
        let document = written(Format::Json, 2, left_out, false);
        let document: serde_json::Value = serde_json::from_str(&document).unwrap();
        let expected = serde_json::json!({
            "version": 1,
            "target": {"kind": "local", "registry": "r", "file": "f"},
            "calls": {"delete": 2},
            "counts": {"delete": 2, "not_ours": 0, "other_runs": 0, "elsewhere": 2, "rewritten": 0,
                       "without_arn": 0, "deleted": 0},
            "seconds": 1.0,
            "entries": [
                {"action": "delete", "file": "m/1.yaml", "line": 7, "name": "a1\u{1b}[2J",
                 "source_uri": "s3://me:[redacted]@lake/1", "arn": "arn:1"},
                {"action": "delete", "file": null, "line": null, "name": null,
                 "source_uri": "s3://me:[redacted]@lake/2", "arn": "arn:2"},
            ],
        });
        assert_eq!(document, expected);
        let none = written(Format::Json, 0, left_out, false);
        let none: serde_json::Value = serde_json::from_str(&none).unwrap();
        assert_eq!(none["seconds"], 0.0);
    }

    #[test]
    fn a_comment_is_never_too_long() {
        let text = written(Format::Markdown, 3, LeftOut::default(), false);
        assert!(
            text.contains("| delete | 3 |\n") && text.contains("(`m/3.yaml:7`), `arn:3`"),
            "{text}"
        );
        let text = written(Format::Markdown, 20_000, LeftOut::default(), false);
        assert!(text.chars().count() < 65_536 && text.contains(" more\n\n</details>"));
    }
}
