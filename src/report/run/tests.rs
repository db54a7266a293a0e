//! The reports of a run hold what they must, whatever is in the manifests.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::Value;

use super::format::{self, ReportError, RunFormat};
use super::rows::{Rows, Take};
use super::timeline::Timeline;
use super::{Earlier, LoggedEntry, RunLog};
use crate::event::{Cause, Event, Settled};
use crate::exit::Fatal as _;
use crate::submission::EntryId;
use crate::submission::{Class, Outcome, Refusal, RunKind, Target};

/// Markup of every kind, a cell's and a list's end, mentions, control characters, a turned direction.
const EVIL: &str = "</style></title></td>'\"><script>document.title='owned'</script>``x``|\\|@team #1\n\
                    - [a](http://e.example) \0\u{1b}[31m\u{9b}\u{202e}gnirts\u{2028}";

fn log(entries: Vec<LoggedEntry>) -> RunLog {
    let mut log = RunLog::of(entries);
    "01a20f1d".clone_into(&mut log.run);
    log.started = "2026-11-03T14:05:09Z".parse().unwrap();
    log.ended = "2026-11-03T14:08:29Z".parse().unwrap();
    log.sending = Duration::from_secs(100);
    log.target = Some(Target::Endpoint {
        url: "https://me:hunter2@host/".to_owned(),
        region: "eu-west-1".to_owned(),
        registry: None,
    });
    log
}

fn entry(outcome: Outcome, name: &str, said: Option<&str>) -> LoggedEntry {
    LoggedEntry {
        file: "m/a.yaml".into(),
        line: 7,
        name: Some(name.to_owned()),
        source_uri: Some("s3://lake/a".to_owned()),
        outcome,
        arn: None,
        attempts: 1,
        request_id: Some("5f0c4d8e".to_owned()),
        error: said.map(|said| Refusal {
            class: Class::Rejected,
            code: Some("ValidationException".to_owned()),
            message: said.to_owned(),
            request_id: None,
        }),
    }
}

fn hostile() -> RunLog {
    let created =
        LoggedEntry { arn: Some("arn:x".to_owned()), ..entry(Outcome::Created, "plain", None) };
    let mut named = entry(Outcome::Rejected, EVIL, Some(EVIL));
    named.file = EVIL.into();
    let mut uri = entry(Outcome::Differs, "", Some("password: hunter2 is no pass"));
    (uri.name, uri.source_uri) = (None, Some("https://me:hunter2@host/x".to_owned()));
    let mut entries = vec![created, named, uri];
    for formula in
        ["=cmd|' /C calc'!A0", "+1", "-1", "@SUM(A1)", "\t=1", " =1", "\r=1", "＝1", "a;=1"]
    {
        entries.push(entry(Outcome::Conflict, formula, Some(formula)));
    }
    entries.push(entry(Outcome::Invalid, "bad", None));
    entries.push(entry(Outcome::Pending, "late", None));
    let mut log = log(entries);
    log.timeline = throttled_and_paused();
    log
}

fn throttled_and_paused() -> Timeline {
    let mut timeline = Timeline::new(RunKind::Import, Some(2.0));
    let settled = Event::Settled(Settled::new(EntryId(0), Outcome::Created));
    let second = Duration::from_secs(1);
    let probe_at = std::time::Instant::now();
    for at in 0..50 {
        timeline.event(second * at, &settled);
    }
    timeline.event(second * 50, &Event::Throttled);
    let slower = Event::RateChanged { from: Some(2.0), to: 1.0, throttled: true };
    timeline.event(second * 50, &slower);
    timeline.event(
        second * 60,
        &Event::Paused { cause: Cause::Limit, probe_at, refusal: Refusal::by_lineload("full") },
    );
    timeline.event(second * 70, &Event::Probed);
    timeline.event(second * 70, &Event::Reopened { after: second * 10 });
    timeline.end(second * 100);
    timeline
}

fn written(format: RunFormat, log: &RunLog) -> String {
    let mut out = Vec::new();
    format.write(log, log, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

const FORMATS: [RunFormat; 5] =
    [RunFormat::Json, RunFormat::JsonLines, RunFormat::Csv, RunFormat::Markdown, RunFormat::Html];

#[test]
fn no_report_carries_a_secret_or_anything_a_terminal_acts_on() {
    let log = hostile();
    for format in FORMATS {
        let text = written(format, &log);
        assert!(!text.contains("hunter2"), "{format:?}");
        assert!(text.contains("[redacted]"), "{format:?}");
        let unseen = |c: char| !crate::text::is_printable(c) && c != '\n' && c != '\r';
        assert_eq!(text.find(unseen), None, "{format:?}");
    }
}

#[test]
fn lines_are_the_entries_of_the_document() {
    let log = hostile();
    let document: Value = serde_json::from_str(&written(RunFormat::Json, &log)).unwrap();
    let lines = written(RunFormat::JsonLines, &log);
    let lines: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(document["entries"], Value::Array(lines.clone()));
    assert_eq!(lines[1]["name"], EVIL, "a program reads what the manifest says");
    assert_eq!(document["target"]["url"], "https://me:[redacted]@host/");
}

#[test]
fn csv_is_one_record_a_line_and_no_cell_is_a_formula() {
    let text = written(RunFormat::Csv, &hostile());
    insta::assert_snapshot!("csv", text);
    let records: Vec<_> = text.split_terminator("\r\n").map(cells).collect();
    assert_eq!(records.len(), 1 + 14);
    for record in &records {
        assert_eq!(record.len(), 10, "{record:?}");
        for cell in record {
            let first = cell.trim_start().chars().next().unwrap_or('x');
            assert!(!"=+-@＝＋－＠".contains(first), "{record:?}");
        }
    }
    assert_eq!(records[3][2], "");
    assert_eq!(records[4][2], "'=cmd|' /C calc'!A0");
}

/// The cells of a record (RFC 4180).
fn cells(record: &str) -> Vec<String> {
    let mut cells = vec![String::new()];
    let (mut quoted, mut rest) = (false, record.chars().peekable());
    while let Some(c) = rest.next() {
        match c {
            '"' if quoted && rest.next_if_eq(&'"').is_some() => cells.last_mut().unwrap().push('"'),
            '"' => quoted = !quoted,
            ',' if !quoted => cells.push(String::new()),
            c => cells.last_mut().unwrap().push(c),
        }
    }
    assert!(!quoted, "{record}");
    cells
}

#[test]
fn nothing_hostile_is_markdown() {
    let text = written(RunFormat::Markdown, &hostile());
    insta::assert_snapshot!("markdown", text);
    // What is left without its code spans is lineload's own.
    for line in text.lines() {
        let mut own = String::new();
        let mut rest = line;
        while let Some(start) = rest.find('`') {
            own.push_str(&rest[..start]);
            let fence =
                &rest[start..start + rest[start..].bytes().take_while(|b| *b == b'`').count()];
            let inside = &rest[start + fence.len()..];
            let end = closing(inside, fence.len()).unwrap_or_else(|| panic!("{line}"));
            rest = &inside[end..];
        }
        own.push_str(rest);
        assert!(!own.contains(['<', '@', '[', '\\', '\'']) && !own.contains("http"), "{own}");
    }
}

/// Returns the end of a run of just so many backticks.
fn closing(text: &str, fence: usize) -> Option<usize> {
    let mut at = 0;
    while let Some(start) = text[at..].find('`') {
        let start = at + start;
        let run = text[start..].bytes().take_while(|b| *b == b'`').count();
        at = start + run;
        if run == fence {
            return Some(at);
        }
    }
    None
}

#[test]
fn the_page_is_well_formed_loads_nothing_and_shows_hostile_text_as_text() {
    let page = written(RunFormat::Html, &hostile());
    let tags = tags(&page);
    for tag in ["script", "img", "link", "iframe", "object", "base", "a", "form"] {
        assert!(!tags.iter().any(|one| one == tag), "{tag}");
    }
    assert!(page.contains("default-src 'none'; style-src 'unsafe-inline'"));
    assert!(!page.contains("url(") && !page.contains("@import") && !page.contains(" style="));
    assert!(page.contains("&lt;script&gt;document.title=&apos;owned&apos;&lt;/script&gt;"));
    assert!(page.contains("\\u{202e}gnirts"));
    for part in ["created", "own-rate", "throttled", "pause", "probes"] {
        assert!(page.contains(&format!("class=\"{part}\"")), "{part}");
    }
    assert!(page.contains(">limit</text>"), "a pause has its name");
    assert!(page.contains(
        "In 1m 40s 50 artifacts were created, at most 1/s. Throttled creates: 1. \
         Pauses: 1, 10s in all. Probes: 1."
    ));
    assert!(page.contains("</i>lineload's rate</span>") && !page.contains("allowed rate"));
}

/// The tags of a page that is well-formed as XML: each closed in its order, each `&` a reference.
fn tags(page: &str) -> Vec<String> {
    let (mut open, mut seen) = (Vec::new(), Vec::new());
    let body = page.strip_prefix("<!DOCTYPE html>\n").unwrap();
    for part in body.split('&').skip(1) {
        let name = part.split(';').next().unwrap();
        assert!(["amp", "lt", "gt", "quot", "apos"].contains(&name), "&{name}");
    }
    let mut rest = body;
    while let Some(start) = rest.find('<') {
        assert!(!rest[..start].contains('>'), "{}", &rest[..start]);
        let end = start + rest[start..].find('>').unwrap();
        let tag = &rest[start + 1..end];
        rest = &rest[end + 1..];
        assert!(!tag.contains('<') && tag.matches('"').count().is_multiple_of(2), "{tag}");
        let name = tag.trim_matches('/').split([' ', '\n']).next().unwrap().to_owned();
        if tag.starts_with('/') {
            assert_eq!(open.pop(), Some(name));
        } else {
            seen.push(name.clone());
            if !tag.ends_with('/') {
                open.push(name);
            }
        }
    }
    assert!(open.is_empty() && rest.trim().is_empty(), "{open:?} {rest}");
    seen
}

#[test]
fn an_empty_run_is_reported_too() {
    let mut log = log(vec![]);
    log.target = None;
    assert_eq!(written(RunFormat::JsonLines, &log), "");
    assert_eq!(written(RunFormat::Csv, &log).lines().count(), 1);
    let document: Value = serde_json::from_str(&written(RunFormat::Json, &log)).unwrap();
    assert_eq!(document["entries"], Value::Array(vec![]));
    insta::assert_snapshot!(written(RunFormat::Markdown, &log), @r"
    ### lineload import: 0 artifacts

    Started 2026-11-03 14:05:09 UTC, took 3m 20s.

    | outcome | artifacts |
    |---|---:|
    | created | 0 |
    ");
    let page = written(RunFormat::Html, &log);
    let tags = tags(&page);
    assert!(!tags.iter().any(|tag| tag == "svg" || tag == "table"), "nothing to draw or to list");
}

#[test]
fn of_thousands_of_failures_the_reports_for_people_take_some_and_count_the_rest() {
    let failed = (0..5000).map(|at| entry(Outcome::Rejected, &format!("n-{at}"), Some("no")));
    let log = log(failed.collect());
    assert_eq!(written(RunFormat::Csv, &log).lines().count(), 5001);
    let text = written(RunFormat::Markdown, &log);
    assert!((60_000..65_000).contains(&text.len()), "{}", text.len());
    let listed = text.lines().filter(|line| line.starts_with("- `m/a.yaml:7`")).count();
    let more = text.lines().last().unwrap();
    let left = crate::text::grouped((5000 - listed) as u64);
    assert_eq!(more, format!("and {left} more; `--report FILE.json` lists them all"));
    let page = written(RunFormat::Html, &log);
    assert_eq!(tags(&page).iter().filter(|tag| *tag == "tr").count(), 1 + 2000);
    assert!(page.contains("<p>and 3,000 more; <code>--report FILE.json</code> lists them all</p>"));
}

#[test]
fn one_long_text_does_not_take_the_room_of_the_others() {
    let long = "`x".repeat(100_000);
    let log = log(vec![entry(Outcome::Rejected, &long, Some(&long)); 20]);
    let text = written(RunFormat::Markdown, &log);
    assert_eq!(text.lines().filter(|line| line.starts_with("- `m/a.yaml:7`")).count(), 20);
    assert!(written(RunFormat::Html, &log).len() < 100_000);
}

#[test]
fn the_ending_names_the_format() {
    let endings = ["r.json", "r.JSONL", "a.b/r.Csv", "r.md", "r.HTML"];
    let formats = endings.map(|name| RunFormat::of(Path::new(name)));
    assert_eq!(formats, FORMATS.map(Some));
    for name in ["json", "r.htm", "r", ".json", "r.json.gz", ""] {
        assert_eq!(RunFormat::of(Path::new(name)), None, "{name}");
    }
}

#[test]
fn a_report_that_cannot_be_written_is_known_before_and_says_why() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| -> PathBuf { folder.path().join(name) };
    let error = format::can_be_written(&[file("r.docx")]).unwrap_err();
    assert!(error.to_string().ends_with("r.docx`"), "{error}");
    let help = "name a file that ends in `.json`, `.jsonl`, `.csv`, `.md` or `.html`";
    assert_eq!(error.help(), [help]);
    let error = format::can_be_written(&[file("no/r.csv")]).unwrap_err();
    assert!(matches!(error, ReportError::File(..)) && error.help().is_empty(), "{error}");

    let reports = [file("r.csv"), file("R.MD")];
    format::can_be_written(&reports).unwrap();
    format::write(&hostile(), &reports).unwrap();
    let csv = std::fs::read_to_string(&reports[0]).unwrap();
    assert_eq!(csv, written(RunFormat::Csv, &hostile()));
    assert!(std::fs::read_to_string(&reports[1]).unwrap().starts_with("### lineload import"));
}

/// Entries that exist only while they are handed over, and what was written by then.
struct Made {
    many: usize,
    written: std::rc::Rc<std::cell::Cell<usize>>,
    furthest_behind: std::cell::Cell<usize>,
}

impl Rows for Made {
    fn for_each(&self, take: &mut Take<'_>) -> std::io::Result<()> {
        for at in 0..self.many {
            let before = self.written.get();
            let outcome = if at % 1000 == 0 { Outcome::Rejected } else { Outcome::Created };
            if take(&entry(outcome, &format!("n-{at}"), None))?.is_break() {
                break;
            }
            if before == self.written.get() {
                self.furthest_behind.set(self.furthest_behind.get() + 1);
            }
        }
        Ok(())
    }
}

/// Counts the bytes that are written to it.
struct Counting(std::rc::Rc<std::cell::Cell<usize>>);

impl std::io::Write for Counting {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.set(self.0.get() + bytes.len());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn reports_of_entries_are_written_as_the_entries_come() {
    let mut log = log(vec![]);
    log.counts.add_many(Outcome::Created, 9_990);
    log.counts.add_many(Outcome::Rejected, 10);
    for format in FORMATS {
        let written = std::rc::Rc::new(std::cell::Cell::new(0));
        let made = Made {
            many: 10_000,
            written: std::rc::Rc::clone(&written),
            furthest_behind: std::cell::Cell::new(0),
        };
        format.write(&log, &made, Counting(std::rc::Rc::clone(&written))).unwrap();
        let people = matches!(format, RunFormat::Markdown | RunFormat::Html);
        // The reports for people have the ten failures; in the others no entry waits for the next.
        assert!(people || made.furthest_behind.get() == 0, "{format:?}");
        let size = if people { 500..20_000 } else { 500_000..3_000_000 };
        assert!(size.contains(&written.get()), "{format:?}: {}", written.get());
    }
    let rows = Made {
        many: 10_000,
        written: std::rc::Rc::default(),
        furthest_behind: std::cell::Cell::default(),
    };
    let mut out = Vec::new();
    super::summary::write_rows(&log, &rows, None, &mut out).unwrap();
    let text = String::from_utf8(out).unwrap();
    assert_eq!(text.matches("n-").count(), 10, "{text}");
    assert!(text.contains("10,000 artifacts: "), "{text}");
}

fn resumed() -> RunLog {
    let mut entries: Vec<_> =
        (0..60).map(|at| entry(Outcome::Created, &format!("n-{at}"), None)).collect();
    entries.push(entry(Outcome::Invalid, "bad", None));
    entries.push(entry(Outcome::Unresolved, "open", None));
    entries.extend((0..38).map(|_| entry(Outcome::Pending, "late", None)));
    let mut log = log(entries);
    let earlier = log.counts().without(Outcome::Pending);
    let started = Some("2026-11-02T09:00:00Z".parse().unwrap());
    log.earlier = Some(Earlier { started, counts: earlier });
    for at in 61..100 {
        let outcome = match at {
            61 => Outcome::Recovered,
            99 => Outcome::Rejected,
            _ => Outcome::Created,
        };
        let before = std::mem::replace(&mut log.entries[at].outcome, outcome);
        let entry = EntryId(i64::try_from(at).unwrap());
        log.count(&Settled::new(entry, outcome), before);
    }
    log
}

#[test]
fn a_resumed_run_has_what_was_done_now_and_in_all() {
    let log = resumed();
    let mut out = Vec::new();
    super::summary::write(&log, &mut out).unwrap();
    let text = anstream::adapter::strip_str(&String::from_utf8(out).unwrap()).to_string();
    let lines: Vec<_> = text.lines().skip(2).collect();
    assert_eq!(
        lines,
        [
            "now: created 37, recovered 1, rejected 1",
            "in all 100 artifacts: invalid 1, created 97, recovered 1, rejected 1",
            // 37 in 100 seconds of sending.
            "https://me:[redacted]@host/ (eu-west-1) (took 3m 20s, created 0.37/s on average; \
             the run began 2026-11-02 09:00:00 UTC)",
        ]
    );
    let document: Value = serde_json::from_str(&written(RunFormat::Json, &log)).unwrap();
    assert_eq!(document["started"], "2026-11-02T09:00:00Z");
    assert_eq!(document["counts"]["created"], 97);
    assert_eq!(document["counts"]["invalid"], 1);
    let now = &document["invocation"];
    assert_eq!((&now["started"], &now["seconds"]), (&"2026-11-03T14:05:09Z".into(), &200.0.into()));
    assert_eq!((&now["counts"]["created"], &now["counts"]["invalid"]), (&37.into(), &0.into()));
    let text = written(RunFormat::Markdown, &log);
    assert!(text.contains("| outcome | now | in all |\n|---|---:|---:|\n"), "{text}");
    assert!(text.contains("| created | 37 | 97 |\n"), "{text}");
    let page = written(RunFormat::Html, &log);
    assert!(tags(&page).iter().filter(|tag| *tag == "h3").count() == 2);
    assert!(page.contains("<dt>Took</dt><dd>3m 20s</dd>"));
}

#[test]
fn counts_are_kept_as_entries_are_settled() {
    let log = resumed();
    let mut counted = super::Counts::default();
    log.entries.iter().for_each(|entry| counted.add(entry.outcome));
    assert_eq!(log.counts(), counted);
    assert_eq!(log.counts().failed(), 1);
    assert_eq!(log.counts().total(), 100);
}

#[cfg(unix)]
#[test]
fn no_report_is_written_through_a_symlink() {
    let folder = tempfile::tempdir().unwrap();
    let victim = folder.path().join("victim");
    std::fs::write(&victim, "precious").unwrap();
    let report = folder.path().join("import.json");
    std::os::unix::fs::symlink("victim", &report).unwrap();
    let reports = [report];
    let error = format::can_be_written(&reports).unwrap_err();
    assert!(error.to_string().contains("is a symlink to `victim`"), "{error}");
    assert_eq!(error.help(), ["use the file itself, or another file"]);
    // Nor where it becomes one meanwhile.
    assert!(format::write(&hostile(), &reports).is_err());
    assert_eq!(std::fs::read_to_string(&victim).unwrap(), "precious");
}
