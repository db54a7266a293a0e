//! The reason for each rule: what `explain` prints, and what SARIF carries.
//!
//! In: a code. Out: its [`Explanation`]. The numbers in the texts are those of [`crate::model`];
//! those in the examples are held to them by a test that lints every example.

mod files;
mod inventories;
mod structure;
mod suspicions;
mod tags;
mod values;

use super::Code;

/// The reason why a rule is one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    /// The reason why it is a fault and what happens otherwise: one to three short paragraphs of
    /// plain text with inline code in backticks, an empty line between them.
    pub text: String,
    /// Manifests that show it.
    pub example: Option<Example>,
    /// The origin of the rule or its number, if it is the service's or a standard's.
    pub source: Option<String>,
}

/// A manifest that breaks a rule, and one that is valid.
///
/// A text that is too long to be written out is `{x * 121}`: see [`expanded`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Example {
    /// With the fault.
    pub wrong: &'static str,
    /// Without it.
    pub right: &'static str,
}

impl Explanation {
    fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), example: None, source: None }
    }

    const fn example(mut self, wrong: &'static str, right: &'static str) -> Self {
        self.example = Some(Example { wrong, right });
        self
    }

    fn source(mut self, source: impl Into<String>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// From the reference page of `CreateArtifact`, where its shape `shape` is.
    fn shape(self, shape: &str) -> Self {
        self.source(format!(
            "`CreateArtifact` in the Amazon SageMaker API reference; the shape `{shape}` of its \
             service model"
        ))
    }
}

impl Code {
    /// Returns why it is a rule, with examples where a short manifest can show it.
    #[must_use]
    pub fn explanation(self) -> Explanation {
        match self {
            Self::PathUnreadable => files::path_unreadable(),
            Self::PathKind => files::path_kind(),
            Self::LinkLoop => files::link_loop(),
            Self::LinkOutside => files::link_outside(),
            Self::FileSize => files::file_size(),
            Self::Encoding => files::encoding(),
            Self::FindingsLimit => files::findings_limit(),
            Self::Syntax => structure::syntax(),
            Self::NoBreakSpace => structure::no_break_space(),
            Self::UnquotedPlaceholder => structure::unquoted_placeholder(),
            Self::NotAManifest => structure::not_a_manifest(),
            Self::InventorySyntax => inventories::inventory_syntax(),
            Self::RowLength => inventories::row_length(),
            Self::TemplateSyntax => inventories::template_syntax(),
            Self::NoValue => inventories::no_value(),
            Self::UnresolvedFunction => inventories::unresolved_function(),
            Self::SpreadsheetFormula => inventories::spreadsheet_formula(),
            Self::NestingDepth => structure::nesting_depth(),
            Self::DocumentSize => structure::document_size(),
            Self::UnknownAnchor => structure::unknown_anchor(),
            Self::RecursiveAlias => structure::recursive_alias(),
            Self::AliasLimit => structure::alias_limit(),
            Self::MergeKey => structure::merge_key(),
            Self::YamlTag => structure::yaml_tag(),
            Self::DuplicateKey => structure::duplicate_key(),
            Self::UnknownField => structure::unknown_field(),
            Self::WrongKind => structure::wrong_kind(),
            Self::MissingField => structure::missing_field(),
            Self::NotAString => structure::not_a_string(),
            Self::AmbiguousScalar => structure::ambiguous_scalar(),
            Self::NameLength => values::name_length(),
            Self::NamePattern => values::name_pattern(),
            Self::TypeLength => values::type_length(),
            Self::UriLength => values::uri_length(),
            Self::SourceIdType => values::source_id_type(),
            Self::SourceValueLength => values::source_value_length(),
            Self::PropertyCount => values::property_count(),
            Self::PropertyKeyLength => values::property_key_length(),
            Self::PropertyValueLength => values::property_value_length(),
            Self::MetadataLength => values::metadata_length(),
            Self::LineBreak => values::line_break(),
            Self::TagCount => tags::tag_count(),
            Self::TagKeyLength => tags::tag_key_length(),
            Self::TagValueLength => tags::tag_value_length(),
            Self::TagPattern => tags::tag_pattern(),
            Self::TagReserved => tags::tag_reserved(),
            Self::DuplicateTag => tags::duplicate_tag(),
            Self::Credential => suspicions::credential(),
            Self::InvisibleCharacter => suspicions::invisible_character(),
            Self::OuterBlank => suspicions::outer_blank(),
            Self::UnfilledTemplate => suspicions::unfilled_template(),
            Self::TypeEmpty => suspicions::type_empty(),
            Self::TypeCase => suspicions::type_case(),
            Self::UriScheme => suspicions::uri_scheme(),
            Self::UriBlank => suspicions::uri_blank(),
            Self::BucketName => suspicions::bucket_name(),
            Self::SourceValueFormat => suspicions::source_value_format(),
            Self::DuplicateSourceType => suspicions::duplicate_source_type(),
            Self::TagCase => tags::tag_case(),
            Self::DuplicateName => values::duplicate_name(),
            Self::DuplicateSource => values::duplicate_source(),
            Self::UnusedAllow => suspicions::unused_allow(),
            Self::Config => files::config(),
        }
    }
}

/// Returns the text of an example with every repetition written out: `{x * 121}`, which is a character, ` *
/// ` and a count in braces, stands for that character so many times.
#[must_use]
pub fn expanded(example: &str) -> String {
    let mut out = String::with_capacity(example.len());
    let mut rest = example;
    while let Some(at) = rest.find('{') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        if let Some((repeated, count, length)) = repetition(rest) {
            out.extend(std::iter::repeat_n(repeated, count));
            rest = &rest[length..];
        } else {
            out.push('{');
            rest = &rest[1..];
        }
    }
    out.push_str(rest);
    out
}

/// Parses the repetition at the beginning of `text`: its character, its count, and its length in
/// bytes.
fn repetition(text: &str) -> Option<(char, usize, usize)> {
    let repeated = text.strip_prefix('{')?.chars().next()?;
    let (count, behind) = text[1 + repeated.len_utf8()..].strip_prefix(" * ")?.split_once('}')?;
    Some((repeated, count.parse().ok()?, text.len() - behind.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repetitions_are_written_out_and_other_braces_stay() {
        assert_eq!(expanded("a{x * 3}b{é * 2}"), "axxxbéé");
        assert_eq!(expanded("{Key: a} {{ x }} ${y} {x * many} {x * 2"), {
            "{Key: a} {{ x }} ${y} {x * many} {x * 2"
        });
        assert_eq!(expanded("{{{a * 2}}"), "{{aa}");
    }

    #[test]
    fn texts_are_a_few_short_paragraphs_and_examples_are_whole_lines() {
        for code in Code::ALL {
            let Explanation { text, example, source } = code.explanation();
            let paragraphs: Vec<_> = text.split("\n\n").collect();
            assert!((1..=3).contains(&paragraphs.len()), "{code}");
            for paragraph in paragraphs {
                assert!(paragraph.ends_with('.'), "{code}: {paragraph}");
                assert!(!paragraph.contains(['\n', '\t']) && !paragraph.contains("  "), "{code}");
                assert!(paragraph.matches('`').count() % 2 == 0, "{code}: {paragraph}");
            }
            for manifest in example.iter().flat_map(|example| [example.wrong, example.right]) {
                assert!(manifest.ends_with('\n') && !manifest.starts_with('\n'), "{code}");
                assert!(manifest.lines().all(|line| line.len() <= 90), "{code}");
            }
            assert!(source.is_none_or(|source| !source.ends_with('.')), "{code}");
        }
    }
}
