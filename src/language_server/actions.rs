//! Code actions: the fix of each finding, a comment that allows it, and all safe fixes of a file.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use gen_lsp_types::{
    CodeAction, CodeActionKind, Edit as Change, OptionalVersionedTextDocumentIdentifier,
    TextDocumentEdit, TextDocumentIdentifier, TextEdit, Uri, WorkspaceEdit,
};
use serde_json::json;
use similar::{Algorithm, DiffOp, capture_diff_slices_deadline};

use super::client::Client;
use super::context::value_at;
use super::findings::Shower;
use super::spot::comment_start;
use super::workspace::{Checked, Workspace};
use crate::diagnostic::{Code, Diagnostic, Edit, MARKER, Safety, names_at};
use crate::fix;
use crate::source::{SourceFile, Span};

/// The action that applies all safe fixes, which editors can run on save.
pub(super) const FIX_ALL: &str = "source.fixAll.lineload";

/// The most findings of a selection that have actions of their own: nobody reads a longer list.
const MAX_FINDINGS: usize = 50;

/// The longest time to find the smallest edits from one text to another.
const PATIENCE: Duration = Duration::from_millis(300);

/// The document that code actions are about.
#[derive(Debug, Clone, Copy)]
pub(super) struct Subject<'r> {
    /// The document.
    pub(super) uri: &'r Uri,
    /// The version of its text.
    pub(super) version: i32,
    /// The text and its findings.
    pub(super) checked: &'r Checked,
    /// The folder that it is in.
    pub(super) workspace: &'r Workspace,
    /// The client.
    pub(super) client: &'r Client,
}

/// Returns whether one of the kinds in `only` is `kind` or contains it; all are wanted if there are
/// none.
fn wants(only: Option<&[CodeActionKind]>, kind: &CodeActionKind) -> bool {
    let name = |kind: &CodeActionKind| kind.to_string();
    let kind = name(kind);
    only.is_none_or(|only| {
        only.iter().map(name).any(|only| {
            only.is_empty()
                || kind
                    .strip_prefix(&only)
                    .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        })
    })
}

impl Subject<'_> {
    /// Returns the actions for the bytes `selected`, those of findings first. Of the kinds in `only`,
    /// or of all.
    pub(super) fn actions(
        &self,
        selected: Span,
        only: Option<&[CodeActionKind]>,
    ) -> Vec<CodeAction> {
        let mut actions = Vec::new();
        let source = &self.checked.source;
        if wants(only, &CodeActionKind::QuickFix) {
            let mut shower = Shower::new(source, self.client, Some(self.workspace));
            let touched = self.touched(selected);
            for finding in &touched {
                actions.extend(self.fix(finding, &mut shower));
            }
            for finding in &touched {
                actions.extend(self.allow(finding, &mut shower));
            }
        }
        let all = CodeActionKind::Custom(FIX_ALL.into());
        let has_safe = |finding: &Diagnostic| {
            finding.fix.as_ref().is_some_and(|fix| fix.safety == Safety::Safe)
        };
        if wants(only, &all) && self.checked.findings.iter().any(has_safe) {
            let mut action = CodeAction {
                title: "Apply all safe fixes of this file".to_owned(),
                kind: Some(all),
                ..CodeAction::default()
            };
            // Editors ask for actions at every move of the cursor, and this one takes several checks.
            if self.client.resolves_edits {
                action.data = Some(json!({ "uri": self.uri }));
                actions.push(action);
            } else {
                action.edit = self.all_safe();
                actions.extend(action.edit.is_some().then_some(action));
            }
        }
        actions
    }

    /// Returns the findings that the bytes `selected` touch; those on the same lines, if there are none.
    fn touched(&self, selected: Span) -> Vec<&Diagnostic> {
        let regions = || {
            let findings = self.checked.findings.iter();
            findings.filter_map(|finding| Some((finding, finding.region?)))
        };
        let here = regions().filter(|(_, region)| {
            let span = region.span();
            span.start <= selected.end && selected.start <= span.end
        });
        let here: Vec<_> = here.map(|(finding, _)| finding).take(MAX_FINDINGS).collect();
        if !here.is_empty() {
            return here;
        }
        let source = &self.checked.source;
        let (first, last) = (source.line(selected.start), source.line(selected.end));
        let lines =
            regions().filter(|(_, region)| region.start.line <= last && first <= region.end.line);
        lines.map(|(finding, _)| finding).take(MAX_FINDINGS).collect()
    }

    /// Returns the edit that applies all safe fixes, as `lint --fix` does.
    pub(super) fn all_safe(&self) -> Option<WorkspaceEdit> {
        let source = &self.checked.source;
        let identities = self.workspace.register().identities(source.id());
        let wanted = |finding: &Diagnostic| identities.allow(finding);
        let fixed = fix::fixed(source, self.workspace.options(), false, wanted)?;
        let shower = Shower::new(source, self.client, None);
        Some(self.edit(&differences(source.text(), &fixed.text), &shower))
    }

    /// Returns the fix of a finding.
    fn fix(&self, finding: &Diagnostic, shower: &mut Shower<'_>) -> Option<CodeAction> {
        let fix = finding.fix.as_ref()?;
        let help = finding.help.as_deref().unwrap_or(&finding.message);
        let short = help.split(';').next().unwrap_or(help).trim_end_matches('?');
        let safe = fix.safety == Safety::Safe;
        let note = if safe { "" } else { " (unsafe)" };
        Some(CodeAction {
            title: format!("Fix {}: {short}{note}", finding.code),
            is_preferred: Some(safe),
            ..self.quick_fix(finding, &fix.edits, shower)
        })
    }

    /// Returns the comment that allows a finding.
    fn allow(&self, finding: &Diagnostic, shower: &mut Shower<'_>) -> Option<CodeAction> {
        let source = &self.checked.source;
        // JSON has no comments.
        let is_json = source.name().ends_with(".json");
        if !finding.code.can_be_changed() || finding.code == Code::UnusedAllow || is_json {
            return None;
        }
        let start = finding.region?.span().start;
        let head = match finding.head {
            // That of a check across manifests knows the text alone.
            None if finding.code == Code::DuplicateName => value_at(source.text(), start)?.head,
            head => head.unwrap_or(start),
        };
        let edit = allowing(source, finding.code.as_str(), head.min(start))?;
        Some(CodeAction {
            title: format!("Allow {} here", finding.code),
            ..self.quick_fix(finding, &[edit], shower)
        })
    }

    fn quick_fix(
        &self,
        finding: &Diagnostic,
        edits: &[Edit],
        shower: &mut Shower<'_>,
    ) -> CodeAction {
        CodeAction {
            kind: Some(CodeActionKind::QuickFix),
            diagnostics: Some(vec![shower.shown(finding)]),
            edit: Some(self.edit(edits, shower)),
            ..CodeAction::default()
        }
    }

    fn edit(&self, edits: &[Edit], shower: &Shower<'_>) -> WorkspaceEdit {
        let edits = edits
            .iter()
            .map(|edit| TextEdit { range: shower.range(edit.span), new_text: edit.text.clone() });
        let mut workspace = WorkspaceEdit::default();
        if self.client.versioned_edits {
            let document = TextDocumentEdit {
                text_document: OptionalVersionedTextDocumentIdentifier {
                    version: Some(self.version),
                    text_document_identifier: TextDocumentIdentifier { uri: self.uri.clone() },
                },
                edits: edits.map(Change::TextEdit).collect(),
            };
            workspace.document_changes = Some(vec![document.into()]);
        } else {
            workspace.changes = Some(HashMap::from([(self.uri.clone(), edits.collect())]));
        }
        workspace
    }
}

/// Returns the edit that allows the rule `code` for the value that begins at the byte `head`: on the
/// line above, or in an allow comment that covers the line.
fn allowing(source: &SourceFile, code: &str, head: u32) -> Option<Edit> {
    let number = source.line(head);
    let line = source.line_span(number)?;
    let text = source.slice(line);
    let add_to = |line: Span| {
        // Behind the first word, so that a reason stays at the end.
        let text = source.slice(line);
        let comment = comment_start(text)?;
        let at = comment + names_at(&text[comment..])?;
        let span = Span::empty(line.start + u32::try_from(at).ok()?);
        Some(Edit { span, text: format!(" {code},") })
    };
    let above = number.checked_sub(1).and_then(|number| source.line_span(number));
    let above = above.filter(|above| source.slice(*above).trim_start().starts_with('#'));
    if let Some(edit) = add_to(line).or_else(|| add_to(above?)) {
        return Some(edit);
    }
    let indent = &text[..text.len() - text.trim_start_matches(' ').len()];
    let end = if source.text().contains("\r\n") { "\r\n" } else { "\n" };
    let mark = if number == 1 && text.starts_with('\u{FEFF}') { 3 } else { 0 };
    let span = Span::empty(line.start + mark);
    Some(Edit { span, text: format!("{indent}# {MARKER} allow {code}{end}") })
}

/// Returns the lines in which `new` differs from `old`.
fn differences(old: &str, new: &str) -> Vec<Edit> {
    let old: Vec<&str> = old.split_inclusive('\n').collect();
    let new: Vec<&str> = new.split_inclusive('\n').collect();
    let mut starts = Vec::with_capacity(old.len() + 1);
    let mut at = 0;
    for line in &old {
        starts.push(at);
        at += line.len();
    }
    starts.push(at);
    let deadline = Some(Instant::now() + PATIENCE);
    capture_diff_slices_deadline(Algorithm::Myers, &old, &new, deadline)
        .into_iter()
        .filter(|op| !matches!(op, DiffOp::Equal { .. }))
        .map(|op| {
            let range = op.old_range();
            let text = new[op.new_range()].concat();
            Edit { span: Span::new(starts[range.start]..starts[range.end]), text }
        })
        .collect()
}
