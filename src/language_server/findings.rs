//! Findings as diagnostics of the protocol.

use std::collections::HashMap;
use std::sync::Arc;

use gen_lsp_types::{
    CodeDescription, Diagnostic as Shown, DiagnosticRelatedInformation, DiagnosticSeverity,
    DiagnosticTag, Location, Range, Uri,
};

use super::client::Client;
use super::position::Places;
use super::uri;
use super::workspace::Workspace;
use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::source::{FileId, SourceFile, Span};

/// The most files that are kept for places in them.
const KEPT: usize = 64;

/// Makes diagnostics of the findings of one file.
#[derive(Debug)]
pub(super) struct Shower<'w> {
    client: &'w Client,
    /// The places of the file.
    places: Places,
    /// The workspace that has the other files; `None` if there are none.
    workspace: Option<&'w Workspace>,
    others: HashMap<FileId, Option<(Uri, Places)>>,
}

impl<'w> Shower<'w> {
    /// Returns the means to show findings in `source`, which is a file of `workspace`.
    pub(super) fn new(
        source: &Arc<SourceFile>,
        client: &'w Client,
        workspace: Option<&'w Workspace>,
    ) -> Self {
        let places = Places::new(Arc::clone(source), client.encoding);
        Self { client, places, workspace, others: HashMap::new() }
    }

    /// Returns the range of `span` in the file.
    pub(super) fn range(&self, span: Span) -> Range {
        self.places.range(span)
    }

    /// Returns a finding as editors show it. One about all of the file is at its start.
    pub(super) fn shown(&mut self, finding: &Diagnostic) -> Shown {
        let severity = match finding.severity {
            Severity::Error => DiagnosticSeverity::Error,
            Severity::Warning => DiagnosticSeverity::Warning,
        };
        let mut related = Vec::new();
        if self.client.related {
            for one in &finding.related {
                let span = one.region.map(|region| region.span());
                let location = span.and_then(|span| self.location(one.file, span));
                related.extend(location.map(|location| DiagnosticRelatedInformation {
                    location,
                    message: one.message.clone(),
                }));
            }
        }
        let tags = (finding.code == Code::UnusedAllow).then(|| vec![DiagnosticTag::Unnecessary]);
        let span = finding.region.map(|region| region.span()).unwrap_or_default();
        let page = self.client.pages.then(|| CodeDescription { href: Uri(finding.code.page()) });
        Shown {
            range: self.range(span),
            severity: Some(severity),
            code: Some(finding.code.as_str().to_owned().into()),
            code_description: page,
            source: Some("lineload".to_owned()),
            message: message(finding).into(),
            tags,
            related_information: (!related.is_empty()).then_some(related),
            data: None,
        }
    }

    /// Returns the place of `span` in `file`, if that can still be read.
    pub(super) fn location(&mut self, file: FileId, span: Span) -> Option<Location> {
        let workspace = self.workspace?;
        if self.others.len() >= KEPT {
            self.others.clear();
        }
        let client = self.client;
        let other = self.others.entry(file).or_insert_with(|| {
            let path = workspace.path(file)?;
            let source = workspace.source(file)?;
            let places = if workspace.is_open(file) {
                Places::new(source, client.encoding)
            } else {
                Places::without_mark(source, client.encoding)
            };
            Some((uri::from_path(&path), places))
        });
        let (uri, places) = other.as_ref()?;
        Some(Location { uri: uri.clone(), range: places.range(span) })
    }
}

/// Returns the message of a finding, with its help on a line of its own.
fn message(finding: &Diagnostic) -> String {
    match &finding.help {
        Some(help) => format!("{}\nhelp: {help}", finding.message),
        None => finding.message.clone(),
    }
}
