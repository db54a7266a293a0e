//! Artifacts as they are written: partial, and every value with its place.

use std::ops::Range;

use crate::source::Span;
use crate::yaml::Scalar;

/// A value that may be missing, or be there and unusable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Slot<T> {
    /// Not written.
    #[default]
    Absent,
    /// Written, with a fault that has been reported, and unusable.
    Faulty,
    /// Written, with a fault that has been reported, but its meaning is clear.
    Doubtful(T),
    /// Written.
    Given(T),
}

impl<T> Slot<T> {
    /// Returns the value, if it is known. A doubtful one is checked like any other, so that one
    /// fault does not hide another; its artifact has an error already.
    pub const fn given(&self) -> Option<&T> {
        match self {
            Self::Given(value) | Self::Doubtful(value) => Some(value),
            Self::Absent | Self::Faulty => None,
        }
    }

    /// Returns the same value, with a fault that has been reported.
    pub(super) fn doubtful(self) -> Self {
        match self {
            Self::Given(value) => Self::Doubtful(value),
            other => other,
        }
    }

    /// Faulty where nothing is written: something that was probably meant is.
    pub(super) fn or_faulty(self) -> Self {
        if self.is_absent() { Self::Faulty } else { self }
    }

    /// Returns whether nothing is written.
    pub const fn is_absent(&self) -> bool {
        matches!(self, Self::Absent)
    }

    /// Returns whether it is written with a fault.
    pub const fn is_faulty(&self) -> bool {
        matches!(self, Self::Faulty | Self::Doubtful(_))
    }
}

/// A text and its place.
#[derive(Debug, Clone, Copy)]
pub struct Text<'a> {
    /// The value.
    pub value: &'a str,
    /// Its place; of an alias, the place of its anchor's value.
    pub span: Span,
    /// The alias by which it is here.
    pub alias: Option<Span>,
    pub(super) scalar: Scalar<'a>,
}

impl<'a> Text<'a> {
    /// Returns the source text that `span` covers.
    #[must_use]
    pub fn source_slice(&self, span: Span) -> &'a str {
        self.scalar.source(span)
    }

    /// Returns the header of a block scalar, as in `|-`.
    #[must_use]
    pub fn block_header(&self) -> Option<&'a str> {
        self.scalar.header().map(|span| self.scalar.source(span))
    }

    /// Returns the span of the header of a block scalar.
    #[must_use]
    pub fn header_span(&self) -> Option<Span> {
        self.scalar.header()
    }

    /// Returns the span of its beginning: the header of a block scalar, or the text itself.
    #[must_use]
    pub fn head(&self) -> Span {
        self.scalar.header().unwrap_or(self.span)
    }

    /// Returns whether it is written without quotes and not as a block.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        self.scalar.style == crate::yaml::Style::Plain
    }

    /// Returns the span of the bytes `range` of the value.
    #[must_use]
    pub fn locate(&self, range: Range<usize>) -> Span {
        self.scalar.locate(range)
    }
}

/// One artifact, or the defaults of several.
#[derive(Debug, Clone, Default)]
pub struct RawArtifact<'a> {
    /// The first key; of an empty mapping, its braces.
    pub head: Span,
    /// `ArtifactName`.
    pub name: Slot<Text<'a>>,
    /// `ArtifactType`.
    pub artifact_type: Slot<Text<'a>>,
    /// `Source`.
    pub source: Slot<RawSource<'a>>,
    /// `Properties`, in the order of the file.
    pub properties: Slot<Vec<RawProperty<'a>>>,
    /// `MetadataProperties`.
    pub metadata: Slot<RawMetadata<'a>>,
    /// `Tags`.
    pub tags: Slot<Vec<RawTag<'a>>>,
    /// True if the document broke off before its end, so that nothing can be said to be missing.
    pub broken: bool,
}

impl RawArtifact<'_> {
    /// Notes that an unknown key was meant to be `field`, which is not missing then.
    pub(super) fn mark_meant(&mut self, field: Option<&str>) {
        match field {
            Some("ArtifactType") => {
                self.artifact_type = std::mem::take(&mut self.artifact_type).or_faulty();
            }
            Some("Source") => self.source = std::mem::take(&mut self.source).or_faulty(),
            _ => {}
        }
    }

    /// Returns defaults of which only an intended `ArtifactType` is known.
    pub(super) fn with_type_meant() -> Self {
        Self { artifact_type: Slot::Faulty, ..Self::default() }
    }

    /// Something unreadable at `head`.
    #[must_use]
    pub fn unreadable(head: Span) -> Self {
        Self {
            head,
            name: Slot::Faulty,
            artifact_type: Slot::Faulty,
            source: Slot::Faulty,
            properties: Slot::Faulty,
            metadata: Slot::Faulty,
            tags: Slot::Faulty,
            broken: true,
        }
    }
}

/// `Source`.
#[derive(Debug, Clone, Default)]
pub struct RawSource<'a> {
    /// The first key.
    pub head: Span,
    /// `SourceUri`.
    pub uri: Slot<Text<'a>>,
    /// `SourceTypes`.
    pub types: Slot<Vec<RawSourceType<'a>>>,
}

/// An item of `SourceTypes`.
#[derive(Debug, Clone, Default)]
pub struct RawSourceType<'a> {
    /// The first key.
    pub head: Span,
    /// The whole item.
    pub item: Span,
    /// `SourceIdType`.
    pub id_type: Slot<Text<'a>>,
    /// `Value`.
    pub value: Slot<Text<'a>>,
}

/// An entry of `Properties`.
#[derive(Debug, Clone)]
pub struct RawProperty<'a> {
    /// The key.
    pub key: Slot<Text<'a>>,
    /// The value.
    pub value: Slot<Text<'a>>,
}

/// `MetadataProperties`, in the order of [`crate::model::METADATA_FIELDS`].
#[derive(Debug, Clone, Default)]
pub struct RawMetadata<'a> {
    /// The values.
    pub values: [Slot<Text<'a>>; 4],
}

/// An item of `Tags`.
#[derive(Debug, Clone, Default)]
pub struct RawTag<'a> {
    /// The first key.
    pub head: Span,
    /// The whole item.
    pub item: Span,
    /// `Key`.
    pub key: Slot<Text<'a>>,
    /// `Value`.
    pub value: Slot<Text<'a>>,
}
