//! The baseline of a lint: the findings that it leaves out.

use std::collections::HashSet;
use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use super::command_line::lint_command;
use super::failure::Failure;
use super::filter::Filter;
use super::manifests::ManifestSet;
use super::settings::Settings;
use crate::check::{self, Summary};
use crate::cli::{Global, Lint};
use crate::config::Format;
use crate::destination;
use crate::diagnostic::{Code, Diagnostic, Unlisted};
use crate::report::baseline::{Baseline, BaselineError, is_baseline};
use crate::source::{FileId, SourceFile, SourceStore};
use crate::text::{counted, escaped, reason, shell_word};

/// The most bytes of a baseline: more than a million lines.
const MOST: u64 = 1 << 30;

/// The findings that a lint leaves out, and how it came by them.
pub(super) struct KnownFindings {
    file: PathBuf,
    pub(super) baseline: Baseline,
    /// True if the baseline is being written: every finding becomes known.
    writes: bool,
    /// The files of the baseline that were checked, as it has them.
    checked: HashSet<String>,
    hidden: Unlisted,
    /// Findings that are never known, and so not in the baseline that is written.
    left_out: usize,
    /// Known findings that no longer exist.
    gone: usize,
    /// The files with more findings than are listed: known to be so, and not.
    limits: (usize, usize),
}

impl KnownFindings {
    /// Returns those that `args` ask for.
    pub(super) fn of(args: &Lint, settings: &Settings) -> Result<Option<Self>, Failure> {
        let format = args.format.or(settings.config.format);
        if let Some(format @ (Format::Sarif | Format::Gitlab)) = format
            && args.narrow.write_baseline.is_some()
        {
            let format = format.as_str();
            return Err(Failure::usage(format!(
                "the format `{format}` cannot be used with `--write-baseline`: without findings, the \
                 report would close those that it had before"
            ))
            .help("use `--format human`"));
        }
        let working = std::env::current_dir().unwrap_or_default();
        let narrow = &args.narrow;
        let (file, baseline) = match (&narrow.baseline, &narrow.write_baseline) {
            (Some(file), _) => (file, read(file, &working)?),
            (None, Some(file)) => {
                may_be_replaced(file)?;
                (file, Baseline::new(file, &working))
            }
            (None, None) => return Ok(None),
        };
        Ok(Some(Self {
            file: file.clone(),
            baseline,
            writes: narrow.baseline.is_none(),
            checked: HashSet::new(),
            hidden: Unlisted::default(),
            left_out: 0,
            gone: 0,
            limits: (0, 0),
        }))
    }

    /// Takes the findings of a file that are known out of `findings`, which are those that `filter` keeps.
    pub(super) fn take(
        &mut self,
        file: FileId,
        findings: &mut Vec<Diagnostic>,
        filter: &Filter,
        sources: &SourceStore,
    ) {
        if self.writes {
            self.baseline.add(findings, file, sources);
            self.limits.0 += findings.iter().filter(|finding| is_limit(finding)).count();
            findings.retain(|finding| {
                let known = Baseline::may_hold(finding.code);
                if known {
                    self.hidden.add(finding.severity);
                } else {
                    self.left_out += 1;
                }
                !known
            });
            return;
        }
        if self.baseline.is_empty() {
            self.limits.1 += findings.iter().filter(|finding| is_limit(finding)).count();
            return;
        }
        let path = self.baseline.path(&sources.name(file));
        let compared = self.baseline.compare(&path, findings, file, sources);
        if filter.covers(file) {
            let gone = compared.gone.iter().filter(|(rule, _)| filter.takes_rule(rule));
            self.gone = gone.fold(self.gone, |sum, (_, number)| sum.saturating_add(*number));
        }
        self.checked.insert(path);
        let mut known = compared.known.into_iter();
        findings.retain(|finding| {
            let known = known.next().unwrap_or_default();
            if known {
                self.hidden.add(finding.severity);
            }
            match is_limit(finding) {
                true if known => self.limits.0 += 1,
                true => self.limits.1 += 1,
                false => {}
            }
            !known
        });
    }

    /// Takes what is left out off the counts of a whole check, with `unlisted` findings in them that are in
    /// no list.
    pub(super) fn subtract(&self, summary: &mut Summary, unlisted: Unlisted) {
        // What is beyond the limit of a file is known if its number is.
        let beyond =
            if self.limits.0 > 0 && self.limits.1 == 0 { unlisted } else { Unlisted::default() };
        let errors = self.hidden.errors + beyond.errors;
        let warnings = self.hidden.warnings + beyond.warnings;
        summary.errors = summary.errors.saturating_sub(errors);
        summary.warnings = summary.warnings.saturating_sub(warnings);
        summary.hidden = Some(errors + warnings);
    }

    /// Counts the known findings of files that were checked and had no findings, or that are gone.
    /// Returns whether the check has been about all files of the baseline.
    fn end(&mut self, filter: &Filter, manifest: &ManifestSet) -> bool {
        let walked = (0..).map(FileId).zip(&manifest.walk.found);
        let walked = walked.filter(|(id, _)| filter.covers(*id));
        let walked: HashSet<_> = walked.map(|(_, found)| self.baseline.path(&found.name)).collect();
        let mut about_all = true;
        for (path, file) in self.baseline.files() {
            if self.checked.contains(path) {
                continue;
            }
            if walked.contains(path) || file.symlink_metadata().is_err() {
                let known = self.baseline.known_of(path);
                let known = known.filter(|(rule, _)| filter.takes_rule(rule));
                self.gone = known.fold(self.gone, |sum, (_, number)| sum.saturating_add(number));
            } else {
                about_all = false;
            }
        }
        about_all
    }

    /// Ends the check of `manifest`: writes the baseline, or reports how far it still holds.
    pub(super) fn finish(
        mut self,
        global: &Global,
        args: &Lint,
        filter: &Filter,
        manifest: &ManifestSet,
    ) -> Result<(), Failure> {
        let shown = escaped(&self.file.display().to_string());
        let mut err = anstream::AutoStream::new(io::stderr().lock(), global.color.into());
        if self.writes {
            destination::replace(&self.file, |out| self.baseline.write(out)).map_err(|error| {
                Failure::usage(format!("cannot write {shown}: {}", reason(&error)))
            })?;
            if !global.quiet {
                let (findings, files) = self.baseline.size();
                let (findings, files) = (counted(findings, "finding"), counted(files, "file"));
                let left_out = match self.left_out {
                    0 => String::new(),
                    number => {
                        let them = counted(number, "finding");
                        format!(
                            "; {them} left out: credentials and what cannot be read are always reported"
                        )
                    }
                };
                let _ = writeln!(err, "wrote {findings} in {files} to {shown}{left_out}");
            }
            return Ok(());
        }
        let about_all = self.end(filter, manifest);
        if global.quiet {
            return Ok(());
        }
        let hidden = counted(self.hidden.total(), "finding");
        let _ = writeln!(err, "{hidden} hidden by the baseline {shown}");
        // A shard does not have the duplicates across shards that the whole tree has.
        if self.gone > 0 && args.manifests.shard.is_none() {
            let gone = counted(self.gone, "finding");
            let verb = if self.gone == 1 { "exists" } else { "exist" };
            let command = lint_command(global, &args.manifests, None);
            let file = shell_word(&self.file.display().to_string());
            let how = match about_all && filter.takes_all() {
                true => format!("run `{command} --write-baseline {file}`"),
                // Other paths and rules would lose theirs.
                false => "run `lineload lint --write-baseline` for all manifests".to_owned(),
            };
            let _ = writeln!(err, "{gone} in the baseline no longer {verb}; to update it, {how}");
        }
        Ok(())
    }
}

/// Takes the findings of `source` that are known out of `findings`.
pub(super) fn retain_unknown(
    baseline: &Baseline,
    source: &SourceFile,
    findings: &mut Vec<Diagnostic>,
    options: check::Options<'_>,
) {
    let path = baseline.path(source.name());
    if findings.is_empty() || baseline.known_of(&path).next().is_none() {
        return;
    }
    let hidden = check::hidden(source, options);
    let mut known = baseline.compare_in(&path, findings, Some(source), hidden).known.into_iter();
    findings.retain(|_| !known.next().unwrap_or_default());
}

fn is_limit(finding: &Diagnostic) -> bool {
    finding.code == Code::FindingsLimit
}

fn read(file: &Path, working: &Path) -> Result<Baseline, Failure> {
    let shown = escaped(&file.display().to_string());
    let read = || {
        let mut text = String::new();
        File::open(file)?.take(MOST).read_to_string(&mut text)?;
        Ok(text)
    };
    let text = read().map_err(|error: io::Error| {
        let failure =
            Failure::usage(format!("cannot read the baseline {shown}: {}", reason(&error)));
        match error.kind() {
            io::ErrorKind::NotFound => failure.help("`--write-baseline` writes one"),
            _ => failure,
        }
    })?;
    Baseline::parse(&text, file, working).map_err(|error| {
        Failure::usage(format!("{shown} {error}"))
            .help("nothing was checked; `--write-baseline` writes a new one")
    })
}

/// Checks that `file`, if it exists, is a baseline, whatever its version: nothing else is replaced.
fn may_be_replaced(file: &Path) -> Result<(), Failure> {
    if !file.is_file() {
        return Ok(());
    }
    let shown = escaped(&file.display().to_string());
    let mut head = Vec::new();
    let read = File::open(file).and_then(|file| file.take(64).read_to_end(&mut head));
    read.map_err(|error| Failure::usage(format!("cannot read {shown}: {}", reason(&error))))?;
    let head = String::from_utf8_lossy(&head);
    match is_baseline(head.lines().next().unwrap_or_default()) {
        Err(BaselineError::Foreign) if !head.is_empty() => {
            Err(Failure::usage(format!("{shown} exists and is not a baseline"))
                .help("name another file, or remove it"))
        }
        _ => Ok(()),
    }
}
