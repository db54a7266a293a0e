//! The registry of rules: one row a code.

use std::fmt;

/// The severity of a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// The entry is not sent.
    Error,
    /// Worth a look; the entry is sent.
    Warning,
}

impl Severity {
    /// Returns the name, in lower case, as in every format.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The extent to which a configuration or a comment may change a rule's severity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Hold {
    /// The file cannot be read, or the service refuses it: nothing makes it less than it is.
    Fixed,
    /// A suspicion, or an inferred constraint of the service.
    Free,
}

macro_rules! codes {
    ($($variant:ident $name:literal $severity:ident $hold:ident $summary:literal;)+) => {
        /// A rule, by its stable name.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Code {
            $(#[doc = $summary] $variant,)+
        }

        impl Code {
            /// Every rule, from the file down to the value.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// Returns the name that users write and see.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name),+ }
            }

            /// Returns a summary in one line.
            #[must_use]
            pub const fn summary(self) -> &'static str {
                match self { $(Self::$variant => $summary),+ }
            }

            /// Returns the default severity.
            #[must_use]
            pub const fn severity(self) -> Severity {
                match self { $(Self::$variant => Severity::$severity),+ }
            }

            const fn hold(self) -> Hold {
                match self { $(Self::$variant => Hold::$hold),+ }
            }
        }
    };
}

codes! {
    PathUnreadable "path-unreadable" Error Fixed "a file or directory cannot be read";
    PathKind "path-kind" Error Fixed "a path is neither a file nor a directory";
    LinkLoop "link-loop" Error Fixed "symlinks form a loop";
    LinkOutside "link-outside" Warning Free "a symlink leads out of the given directories and is \
                 not followed";
    FileSize "file-size" Error Fixed "a file is larger than 4 GiB";
    Encoding "encoding" Error Fixed "a file is not UTF-8";
    FindingsLimit "findings-limit" Warning Fixed "a file has more findings than are listed";
    Syntax "syntax" Error Fixed "a document is not valid YAML";
    NoBreakSpace "no-break-space" Error Fixed "a no-break space where YAML requires a space";
    UnquotedPlaceholder "unquoted-placeholder" Error Fixed "a template placeholder without quotes";
    NotAManifest "not-a-manifest" Error Fixed "a document is clearly something other than a \
                  manifest";
    InventorySyntax "inventory-syntax" Error Fixed "an inventory is not written as its format wants it";
    RowLength "row-length" Error Fixed "a row of an inventory has more or fewer cells than it has columns";
    TemplateSyntax "template-syntax" Error Fixed "a template of manifests cannot be used as it is";
    NoValue "no-value" Error Fixed "an expression of a template has no value for a row";
    UnresolvedFunction "unresolved-function" Error Fixed "a function of CloudFormation has no value outside of a stack";
    SpreadsheetFormula "spreadsheet-formula" Warning Free "a cell holds a formula or its error where a value is read";
    NestingDepth "nesting-depth" Error Fixed "collections are nested too deep";
    DocumentSize "document-size" Error Fixed "one artifact has more values than can be read";
    UnknownAnchor "unknown-anchor" Error Fixed "an alias refers to an anchor that its document \
                   does not have";
    RecursiveAlias "recursive-alias" Error Fixed "an alias is inside the value that it refers to";
    AliasLimit "alias-limit" Error Fixed "aliases expand to far more values than the file contains";
    MergeKey "merge-key" Error Fixed "`<<` merges something that is not a mapping";
    YamlTag "yaml-tag" Error Fixed "a YAML tag that manifests do not have";
    DuplicateKey "duplicate-key" Error Fixed "a mapping has the same key twice";
    UnknownField "unknown-field" Error Fixed "a field that `CreateArtifact` does not have";
    WrongKind "wrong-kind" Error Fixed "a mapping, a list or a string where another kind is \
               expected";
    MissingField "missing-field" Error Fixed "a field that the service requires is missing";
    NotAString "not-a-string" Error Fixed "a number, boolean or null where the service accepts \
                only strings";
    AmbiguousScalar "ambiguous-scalar" Warning Free "a string that other YAML parsers read as \
                     something else";
    NameLength "name-length" Error Fixed "an `ArtifactName` is empty or too long";
    NamePattern "name-pattern" Error Fixed "an `ArtifactName` has characters that names cannot \
                 have";
    TypeLength "type-length" Error Fixed "an `ArtifactType` is too long";
    UriLength "uri-length" Error Fixed "a `SourceUri` is empty or too long";
    SourceIdType "source-id-type" Error Fixed "an unknown `SourceIdType`";
    SourceValueLength "source-value-length" Error Fixed "the `Value` of a source type is too long";
    PropertyCount "property-count" Error Fixed "more `Properties` than an artifact can have";
    PropertyKeyLength "property-key-length" Error Fixed "a `Properties` key is too long";
    PropertyValueLength "property-value-length" Error Fixed "a value of `Properties` is too long";
    MetadataLength "metadata-length" Error Fixed "a value of `MetadataProperties` is too long";
    LineBreak "line-break" Error Free "a line break in a value that must be a single line";
    TagCount "tag-count" Error Fixed "more `Tags` than an artifact can have";
    TagKeyLength "tag-key-length" Error Fixed "the `Key` of a tag is empty or too long";
    TagValueLength "tag-value-length" Error Fixed "the `Value` of a tag is too long";
    TagPattern "tag-pattern" Error Fixed "a tag has characters that tags cannot have";
    TagReserved "tag-reserved" Error Fixed "the `Key` of a tag starts with `aws:`, which is \
                 reserved";
    DuplicateTag "duplicate-tag" Error Fixed "two tags of an artifact have the same `Key`";
    Credential "credential" Error Free "a value looks like a password, a key or a token";
    InvisibleCharacter "invisible-character" Warning Free "a value contains invisible characters";
    OuterBlank "outer-blank" Warning Free "a value begins or ends with a space";
    UnfilledTemplate "unfilled-template" Warning Free "a value contains an unfilled template \
                      placeholder";
    TypeEmpty "type-empty" Warning Free "an `ArtifactType` is empty";
    TypeCase "type-case" Warning Free "an `ArtifactType` differs only in case from a usual one";
    UriScheme "uri-scheme" Warning Free "a `SourceUri` has no scheme, or one that is misspelt";
    UriBlank "uri-blank" Warning Free "a `SourceUri` contains a space";
    BucketName "bucket-name" Warning Free "an `s3://` URI names a bucket that cannot exist";
    SourceValueFormat "source-value-format" Warning Free "the `Value` of a source type does not \
                       fit its `SourceIdType`";
    DuplicateSourceType "duplicate-source-type" Warning Free "an artifact has the same source \
                         type twice";
    TagCase "tag-case" Warning Free "two tags of an artifact have keys that differ only in case";
    DuplicateName "duplicate-name" Error Free "two artifacts have the same `ArtifactName`";
    DuplicateSource "duplicate-source" Error Fixed "two artifacts have the same `SourceUri` and \
                     `SourceTypes`";
    UnusedAllow "unused-allow" Warning Free "a comment allows a finding that is not reported or \
                 cannot be allowed";
    Config "config" Error Fixed "`lineload.toml` has an invalid setting";
}

impl Code {
    /// Returns the address of its page in the documentation of this version.
    #[must_use]
    pub fn page(self) -> String {
        const PAGE: &str = concat!(
            env!("CARGO_PKG_REPOSITORY"),
            "/blob/v",
            env!("CARGO_PKG_VERSION"),
            "/docs/rules.md#"
        );
        format!("{PAGE}{}", self.as_str())
    }

    /// Returns whether `lineload.toml` or a comment may change its severity. Faults that prevent
    /// reading, and documented constraints of the service, stay errors.
    #[must_use]
    pub fn can_be_changed(self) -> bool {
        self.hold() == Hold::Free
    }

    /// Returns the rule of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|code| code.as_str() == name)
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn names_are_kebab_case_and_unique() {
        let mut seen = HashSet::new();
        for code in Code::ALL {
            let name = code.as_str();
            assert!(seen.insert(name), "{name} twice");
            assert!(name.chars().all(|c| c.is_ascii_lowercase() || c == '-'), "{name}");
            assert_eq!(Code::from_name(name), Some(*code));
        }
    }
}
