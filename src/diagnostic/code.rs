//! The registry of rules: one row a code.

use std::fmt;

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// The entry is not sent.
    Error,
    /// Worth a look; the entry is sent.
    Warning,
}

impl Severity {
    /// In one lower-case word, as every format has it.
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

macro_rules! codes {
    ($($variant:ident $name:literal $severity:ident $summary:literal;)+) => {
        /// A rule, by its stable name.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Code {
            $(#[doc = $summary] $variant,)+
        }

        impl Code {
            /// Every rule, from the file down to the value.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The name that users write and see.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name),+ }
            }

            /// What it is about, in one line.
            #[must_use]
            pub const fn summary(self) -> &'static str {
                match self { $(Self::$variant => $summary),+ }
            }

            /// How bad it is where nothing else is said.
            #[must_use]
            pub const fn severity(self) -> Severity {
                match self { $(Self::$variant => Severity::$severity),+ }
            }
        }
    };
}

codes! {
    PathUnreadable "path-unreadable" Error "a file or folder cannot be read";
    PathKind "path-kind" Error "a path is neither a file nor a folder";
    LinkLoop "link-loop" Error "symbolic links lead round in a circle";
    LinkOutside "link-outside" Warning "a symbolic link leads out of the named folders and is not followed";
    FileSize "file-size" Error "a file is larger than 4 GiB";
    Encoding "encoding" Error "a file is not UTF-8";
    FindingsLimit "findings-limit" Warning "a file has more findings than are listed";
    Syntax "syntax" Error "a document is not YAML";
    NestingDepth "nesting-depth" Error "collections are nested too deep";
    DocumentSize "document-size" Error "one artifact holds more values than can be read";
    UnknownAnchor "unknown-anchor" Error "an alias names an anchor that its document does not have";
    RecursiveAlias "recursive-alias" Error "an alias stands inside the value that it names";
    AliasLimit "alias-limit" Error "aliases repeat far more text than the file holds";
    MergeKey "merge-key" Error "`<<` merges something that is not a mapping";
    YamlTag "yaml-tag" Error "a YAML tag that manifests do not have";
    DuplicateKey "duplicate-key" Error "a mapping has the same key twice";
    UnknownField "unknown-field" Error "a field that `CreateArtifact` does not have";
    WrongKind "wrong-kind" Error "a mapping, a list or a text where another of them belongs";
    MissingField "missing-field" Error "a field that the service requires is not there";
    NotAString "not-a-string" Error "a number, boolean or null where the service takes text only";
    AmbiguousScalar "ambiguous-scalar" Warning "a text that other YAML readers take for something else";
    NameLength "name-length" Error "an `ArtifactName` is empty or too long";
    NamePattern "name-pattern" Error "an `ArtifactName` has characters that names cannot have";
    TypeLength "type-length" Error "an `ArtifactType` is too long";
    UriLength "uri-length" Error "a `SourceUri` is empty or too long";
    SourceIdType "source-id-type" Error "a `SourceIdType` that the service does not know";
    SourceValueLength "source-value-length" Error "the `Value` of a source type is too long";
    PropertyCount "property-count" Error "more `Properties` than an artifact can have";
    PropertyKeyLength "property-key-length" Error "a key of `Properties` is too long";
    PropertyValueLength "property-value-length" Error "a value of `Properties` is too long";
    MetadataLength "metadata-length" Error "a value of `MetadataProperties` is too long";
    LineBreak "line-break" Error "a line break in a value that the service reads as one line";
    TagCount "tag-count" Error "more `Tags` than an artifact can have";
    TagKeyLength "tag-key-length" Error "the `Key` of a tag is empty or too long";
    TagValueLength "tag-value-length" Error "the `Value` of a tag is too long";
    TagPattern "tag-pattern" Error "a tag has characters that tags cannot have";
    TagReserved "tag-reserved" Error "the `Key` of a tag starts with `aws:`, which only AWS may write";
    DuplicateTag "duplicate-tag" Error "two tags of an artifact have the same `Key`";
    DuplicateName "duplicate-name" Error "two artifacts have the same `ArtifactName`";
    DuplicateSource "duplicate-source" Error "two artifacts have the same `SourceUri` and `SourceTypes`";
}

impl Code {
    /// The rule of that name.
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
