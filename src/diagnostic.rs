//! Findings: what is wrong, where, and how to fix it.
//!
//! In: the faults that the readers and rules find in a source file. Out: [`Diagnostic`]s with
//! places as people count them, in one order, independent of threads. It renders nothing.

mod allow;
mod code;
mod explanation;
mod fix;
mod levels;
mod pointer;

pub use allow::{Allowances, MARKER, names_at, nearest};
pub use code::{Code, Severity};
pub use explanation::{Example, Explanation, expanded};
pub use fix::{Becomes, Edit, Fix, Safety, Unique};
pub use levels::{Level, Levels};
pub use pointer::{Pointer, ROOT};

use crate::source::{FileId, Region, SourceFile, Span};
use crate::text::{escaped, redacted, secret};

/// The label of the alias that brought a value to where it is at fault.
pub const USED_BY_ALIAS: &str = "used here by this alias";
/// The maximum number of related places of a finding, since an anchored value may have many uses.
const ALIASES: usize = 8;

/// The maximum number of findings of one file; the rest are counted, and reported in one finding.
pub const MAX_PER_FILE: usize = 10_000;

/// One finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// The rule.
    pub code: Code,
    /// The severity.
    pub severity: Severity,
    /// The message, in the user's terms.
    pub message: String,
    /// The edit that fixes it, as an imperative.
    pub help: Option<String>,
    /// The file at fault.
    pub file: FileId,
    /// The artifact at fault, from 0 in the file.
    pub artifact: Option<u32>,
    /// The path in the artifact, as a JSON Pointer (RFC 6901) whose steps are redacted.
    pub path: String,
    /// The text at fault; `None` if the whole file is at fault.
    pub region: Option<Region>,
    /// The first byte of the value at fault, if that begins further up: a comment there may allow it.
    pub head: Option<u32>,
    /// Sets the label under the text at fault.
    pub label: Option<String>,
    /// Other places that belong to it.
    pub related: Vec<Related>,
    /// The edit that fixes it, where one is known.
    pub fix: Option<Fix>,
}

/// Another place that belongs to a finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Related {
    /// The label.
    pub message: String,
    /// In which file.
    pub file: FileId,
    /// The place; `None` if the file can no longer be read.
    pub region: Option<Region>,
}

impl Diagnostic {
    /// Returns a finding against a whole file or directory.
    #[must_use]
    pub fn of_file(code: Code, file: FileId, message: impl Into<String>) -> Self {
        Self {
            code,
            severity: code.severity(),
            message: message.into(),
            help: None,
            file,
            artifact: None,
            path: String::new(),
            region: None,
            head: None,
            label: None,
            related: Vec::new(),
            fix: None,
        }
    }

    /// Returns the same with a help text.
    #[must_use]
    pub fn with_help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Returns whether an entry with this finding must not be sent.
    #[must_use]
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }

    fn order(&self) -> impl Ord + '_ {
        (self.file, self.region, self.code, &self.message, self.artifact)
    }
}

/// A finding before its places are counted.
#[derive(Debug, Clone)]
pub struct Draft {
    code: Code,
    message: String,
    span: Span,
    help: Option<String>,
    label: Option<String>,
    path: String,
    related: Vec<(Span, String)>,
    fix: Option<Fix>,
    head: Option<Span>,
}

impl Draft {
    /// Returns a finding at `span`.
    #[must_use]
    pub fn new(code: Code, span: Span, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            span,
            help: None,
            label: None,
            path: String::new(),
            related: Vec::new(),
            fix: None,
            head: None,
        }
    }

    /// Sets the help, as an imperative.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Sets the label under the text at fault.
    #[must_use]
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.label = Some(label.into());
        self
    }

    /// Sets the path in the artifact.
    #[must_use]
    pub fn at(mut self, path: &Pointer<'_>) -> Self {
        self.path = path.into();
        self
    }

    /// Another place in the same file.
    #[must_use]
    pub fn related(mut self, span: Span, message: impl Into<String>) -> Self {
        self.related.push((span, message.into()));
        self
    }

    /// Sets the edit that fixes it.
    #[must_use]
    pub fn fix(mut self, fix: Option<Fix>) -> Self {
        self.fix = fix;
        self
    }

    /// Sets where the value at fault begins, if that is further up: a comment there may allow it,
    /// since none can stand inside a text of many lines.
    #[must_use]
    pub const fn head(mut self, head: Span) -> Self {
        self.head = Some(head);
        self
    }
}

/// The findings of one part of a file, in the order in which they are found.
#[derive(Debug)]
pub struct Findings<'s> {
    source: &'s SourceFile,
    levels: &'s Levels,
    allowances: Allowances,
    artifact: Option<u32>,
    errors: usize,
    list: Vec<Diagnostic>,
    unlisted: Unlisted,
    hidden: Vec<Span>,
    may_hold_tokens: bool,
    /// The number of findings with a fix, listed or not.
    fixes: usize,
    offers_fixes: bool,
    becoming: Vec<Becomes>,
}

/// The number of findings that were not kept.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Unlisted {
    /// Errors.
    pub errors: usize,
    /// Warnings.
    pub warnings: usize,
}

impl Unlisted {
    /// Counts one more.
    pub const fn add(&mut self, severity: Severity) {
        match severity {
            Severity::Error => self.errors += 1,
            Severity::Warning => self.warnings += 1,
        }
    }

    /// Returns all of them.
    #[must_use]
    pub const fn total(&self) -> usize {
        self.errors + self.warnings
    }
}

impl<'s> Findings<'s> {
    /// Returns an empty list of findings of `source`, whose severities are those of `levels` unless
    /// a comment allows them.
    #[must_use]
    pub const fn new(source: &'s SourceFile, levels: &'s Levels, allowances: Allowances) -> Self {
        Self {
            source,
            levels,
            allowances,
            artifact: None,
            errors: 0,
            list: Vec::new(),
            unlisted: Unlisted { errors: 0, warnings: 0 },
            hidden: Vec::new(),
            may_hold_tokens: true,
            fixes: 0,
            offers_fixes: true,
            becoming: Vec::new(),
        }
    }

    /// Scans the whole text of the part once, so that values need not be checked for what none of
    /// them has.
    pub fn screen<'t>(&mut self, texts: impl IntoIterator<Item = &'t str>) {
        self.may_hold_tokens = texts.into_iter().any(secret::may_hold_tokens);
    }

    /// Returns the first part of `value` that looks like a credential.
    #[must_use]
    pub fn secret_in(&self, value: &str) -> Option<secret::Secret> {
        secret::find_screened(value, self.may_hold_tokens)
    }

    /// Hides `span` from all output, even if its finding is not reported.
    pub fn hide(&mut self, span: Span) {
        self.hidden.push(span);
    }

    /// Takes the spans to hide since the last call.
    #[must_use]
    pub fn take_hidden(&mut self) -> Vec<Span> {
        std::mem::take(&mut self.hidden)
    }

    /// Returns the file that they are about.
    #[must_use]
    pub const fn source(&self) -> &'s SourceFile {
        self.source
    }

    /// Sets the artifact of later findings, counted from 0 in the part.
    pub const fn set_artifact(&mut self, artifact: Option<u32>) {
        self.artifact = artifact;
    }

    /// Errors until now.
    #[must_use]
    pub const fn errors(&self) -> usize {
        self.errors
    }

    /// Returns whether a comment allows `code` on the line of one of `places`.
    pub fn allows(&mut self, code: Code, places: [Span; 2]) -> bool {
        let source = self.source;
        !self.allowances.is_empty()
            && self.allowances.allow(code, places.into_iter().map(|span| source.line(span.start)))
    }

    /// Returns the number of findings with a fix until now, listed or not.
    #[must_use]
    pub const fn fixes(&self) -> usize {
        self.fixes
    }

    /// Notes what an artifact becomes by the fixes of all findings since there were `before` fixes.
    pub fn fixes_become(&mut self, before: usize, becomes: &Becomes) {
        let offered = if self.offers_fixes { self.fixes - before } else { 0 };
        let listed = self.list.iter_mut().rev().filter_map(|finding| finding.fix.as_mut());
        for fix in listed.take(offered) {
            fix.becomes = Some(becomes.clone());
        }
        self.becoming.push(becomes.clone());
    }

    /// Takes what artifacts become by fixes, since the last call.
    #[must_use]
    pub fn take_becoming(&mut self) -> Vec<Becomes> {
        std::mem::take(&mut self.becoming)
    }

    /// Sets whether findings from now on keep their fixes: those of a document that is not read as it is
    /// written would be at wrong places.
    pub const fn offer_fixes(&mut self, offer: bool) {
        self.offers_fixes = offer;
    }

    /// Takes a finding in.
    pub fn push(&mut self, draft: Draft) {
        let Some(severity) = self.levels.severity(draft.code) else { return };
        let source = self.source;
        let heads = [Some(draft.span), draft.head].into_iter().flatten();
        if draft.code.can_be_changed()
            && !self.allowances.is_empty()
            && self.allowances.allow(draft.code, heads.map(|span| source.line(span.start)))
        {
            return;
        }
        if severity == Severity::Error {
            self.errors += 1;
        }
        let fix = draft.fix.filter(holds_no_secret);
        self.fixes += usize::from(fix.is_some());
        let fix = fix.filter(|_| self.offers_fixes);
        // More than is listed, so that the cut depends on the place and not on timing.
        if self.list.len() >= 2 * MAX_PER_FILE {
            self.unlisted.add(severity);
            return;
        }
        let related = draft.related.into_iter().map(|(span, message)| Related {
            message,
            file: source.id(),
            region: Some(source.region(span)),
        });
        self.list.push(Diagnostic {
            code: draft.code,
            severity,
            message: fit(&draft.message),
            help: draft.help.as_deref().map(fit),
            file: source.id(),
            artifact: self.artifact,
            path: draft.path,
            region: Some(source.region(draft.span)),
            head: draft.head.map(|head| head.start),
            label: draft.label,
            related: related.collect(),
            fix,
        });
    }

    /// Returns how many were found since the last time they were taken.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.list.len()
    }

    /// Returns whether nothing was found since then.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Marks the allowances in the bytes `range` as used: those bytes are not checked.
    pub fn spare_allowances(&mut self, range: std::ops::Range<usize>) {
        self.allowances.spare(range);
    }

    /// Adds a finding for every unused allowance.
    pub fn close_allowances(&mut self) {
        for draft in std::mem::take(&mut self.allowances).unused() {
            self.push(draft);
        }
    }

    /// Forgets what was found since it was taken last: another part reports it.
    pub fn forget(&mut self) {
        let _ = (self.take(), self.take_hidden(), self.take_becoming());
    }

    /// Takes the findings since the last call, and the number that was not kept.
    #[must_use]
    pub fn take(&mut self) -> (Vec<Diagnostic>, Unlisted) {
        (std::mem::take(&mut self.list), std::mem::take(&mut self.unlisted))
    }
}

/// Returns whether a fix can be shown: one that contains a credential would leak it into every
/// report.
fn holds_no_secret(fix: &Fix) -> bool {
    let secret = |text: &str| secret::find(text).is_some() || !secret::ranges(text).is_empty();
    !fix.edits.iter().any(|edit| secret(&edit.text))
}

/// Returns a message without secrets and control characters.
fn fit(text: &str) -> String {
    escaped(&redacted(text))
}

/// Puts the findings of one file in order, without repeats: an anchored value that ten artifacts
/// use is reported once.
pub fn sort(findings: &mut Vec<Diagnostic>) {
    findings.sort_by(|a, b| a.order().cmp(&b.order()));
    findings.dedup_by(|later, first| {
        let same_place =
            (later.file, later.code, later.region) == (first.file, first.code, first.region);
        let aliased = |finding: &Diagnostic| {
            finding.related.iter().any(|related| related.message == USED_BY_ALIAS)
        };
        if !same_place || (later.message != first.message && !aliased(later) && !aliased(first)) {
            return false;
        }
        for related in later.related.drain(..) {
            if first.related.len() < ALIASES && !first.related.contains(&related) {
                first.related.push(related);
            }
        }
        true
    });
}
