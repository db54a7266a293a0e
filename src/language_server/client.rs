//! The abilities of a client.

use gen_lsp_types::{ClientCapabilities, MarkupKind};

use super::position::Encoding;

/// The abilities of a client that answers depend on.
#[derive(Debug, Clone, Copy)]
pub(super) struct Client {
    /// The units of columns.
    pub(super) encoding: Encoding,
    /// True if a finding may have places in other files.
    pub(super) related: bool,
    /// True if edits may name the version of the document.
    pub(super) versioned_edits: bool,
    /// True if hovers are shown as Markdown.
    pub(super) markdown: bool,
    /// True if what completions say of themselves is.
    pub(super) completions_in_markdown: bool,
    /// True if code actions may be edits, not only commands.
    pub(super) actions: bool,
    /// True if symbols may have symbols within.
    pub(super) nested_symbols: bool,
    /// True if it watches files when it is asked to.
    pub(super) watches_files: bool,
    /// True if it asks for the edit of an action once that is chosen.
    pub(super) resolves_edits: bool,
    /// True if a finding may have a page that explains it.
    pub(super) pages: bool,
}

impl Client {
    /// Reads the capabilities.
    pub(super) fn new(capabilities: &ClientCapabilities) -> Self {
        let general = capabilities.general.as_ref();
        let document = capabilities.text_document.as_ref();
        let workspace = capabilities.workspace.as_ref();
        let hover = document.and_then(|document| document.hover.as_ref());
        let formats = hover.and_then(|hover| hover.content_format.as_ref());
        let completion = document.and_then(|document| document.completion.as_ref());
        let item = completion.and_then(|completion| completion.completion_item.as_ref());
        let documented = item.and_then(|item| item.documentation_format.as_ref());
        let edits = workspace.and_then(|workspace| workspace.workspace_edit.as_ref());
        let watching = workspace.and_then(|workspace| workspace.did_change_watched_files.as_ref());
        let actions = document.and_then(|document| document.code_action.as_ref());
        let symbols = document.and_then(|document| document.document_symbol.as_ref());
        let publish = document.and_then(|document| document.publish_diagnostics.as_ref());
        let shown = publish.map(|publish| &publish.diagnostics_capabilities);
        let resolved = actions.and_then(|actions| actions.resolve_support.as_ref());
        let has_edit = |properties: &[String]| properties.iter().any(|one| one == "edit");
        Self {
            encoding: Encoding::negotiate(
                general.and_then(|general| general.position_encodings.as_deref()),
            ),
            related: shown.and_then(|shown| shown.related_information) == Some(true),
            versioned_edits: edits.and_then(|edits| edits.document_changes) == Some(true),
            markdown: formats.is_none_or(|formats| formats.contains(&MarkupKind::Markdown)),
            completions_in_markdown: documented
                .is_some_and(|formats| formats.contains(&MarkupKind::Markdown)),
            actions: actions.is_some_and(|actions| actions.code_action_literal_support.is_some()),
            nested_symbols: symbols
                .and_then(|symbols| symbols.hierarchical_document_symbol_support)
                == Some(true),
            watches_files: watching.and_then(|watching| watching.dynamic_registration)
                == Some(true),
            resolves_edits: actions.and_then(|actions| actions.data_support) == Some(true)
                && resolved.is_some_and(|resolved| has_edit(&resolved.properties)),
            pages: shown.and_then(|shown| shown.code_description_support) == Some(true),
        }
    }
}
