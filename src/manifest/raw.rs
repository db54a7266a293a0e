//! Artifacts as they are written: partial, and every value with its place.

use std::ops::Range;

use crate::model::{ARTIFACT, Field, Mapping, Sense};
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

    /// The same with the value made into another by `change`.
    pub(super) fn map<U>(self, change: impl FnOnce(T) -> U) -> Slot<U> {
        match self {
            Self::Absent => Slot::Absent,
            Self::Faulty => Slot::Faulty,
            Self::Doubtful(value) => Slot::Doubtful(change(value)),
            Self::Given(value) => Slot::Given(change(value)),
        }
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
    /// A text that is not read from YAML: what `span` of `source` covers, as it stands there.
    #[must_use]
    pub fn verbatim(source: &'a str, span: Span) -> Self {
        let scalar = Scalar::verbatim(source, span);
        Self { value: scalar.value, span, alias: None, scalar }
    }

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

/// A mapping of the model as it is written: an artifact, the defaults of several, or a part of one.
#[derive(Debug, Clone)]
pub struct RawMapping<'a> {
    /// Its fields.
    pub(super) of: &'static Mapping,
    /// The first key; of an empty mapping, its braces.
    pub head: Span,
    /// All of it, where it is an item of a list.
    pub item: Span,
    /// True if the document broke off before its end, so that nothing can be said to be missing.
    pub broken: bool,
    /// By the number of the field.
    values: Vec<Slot<RawValue<'a>>>,
}

/// The value of a field.
#[derive(Debug, Clone)]
pub enum RawValue<'a> {
    /// One text.
    Text(Text<'a>),
    /// A mapping with known fields.
    Mapping(RawMapping<'a>),
    /// A list of mappings with known fields.
    List(Vec<RawMapping<'a>>),
    /// Texts by keys, in the order of the file.
    Map(Vec<RawProperty<'a>>),
}

/// A text and the key that users chose for it.
#[derive(Debug, Clone)]
pub struct RawProperty<'a> {
    /// The key.
    pub key: Slot<Text<'a>>,
    /// The value.
    pub value: Slot<Text<'a>>,
}

impl<'a> RawMapping<'a> {
    /// A mapping of which nothing is written yet.
    #[must_use]
    pub fn new(of: &'static Mapping, head: Span) -> Self {
        let mut values = Vec::with_capacity(of.fields.len());
        values.resize_with(of.fields.len(), || Slot::Absent);
        Self { of, head, item: head, broken: false, values }
    }

    /// Returns a mapping whose fields have `values`, in the order of the model.
    #[must_use]
    pub fn of_values(
        of: &'static Mapping,
        head: Span,
        values: impl Iterator<Item = Slot<RawValue<'a>>>,
    ) -> Self {
        let mut raw = Self::new(of, head);
        raw.values.iter_mut().zip(values).for_each(|(slot, value)| *slot = value);
        raw
    }

    /// Something at `head` of which nothing could be read.
    #[must_use]
    pub fn unreadable(of: &'static Mapping, head: Span) -> Self {
        let mut unreadable = Self::new(of, head);
        unreadable.values.fill_with(|| Slot::Faulty);
        unreadable.broken = true;
        unreadable
    }

    /// Returns the message about a field that is missing from it.
    #[must_use]
    pub fn missing(&self, field: &Field) -> String {
        if std::ptr::eq(self.of, &ARTIFACT) {
            format!("missing field `{}`", field.name)
        } else {
            format!("missing field `{}` in {}", field.name, self.of.name)
        }
    }

    /// Returns every field and what is written of it, in the order of the model.
    pub fn fields(&self) -> impl Iterator<Item = (&'static Field, &Slot<RawValue<'a>>)> {
        self.of.fields.iter().zip(&self.values)
    }

    /// Returns what is written of `field`.
    #[must_use]
    pub fn slot(&self, field: &Field) -> &Slot<RawValue<'a>> {
        self.fields().find(|(one, _)| one.is(field)).map_or(&Slot::Absent, |(_, slot)| slot)
    }

    pub(super) fn slot_mut(&mut self, field: &Field) -> Option<&mut Slot<RawValue<'a>>> {
        let at = self.of.fields.iter().position(|one| one.is(field))?;
        self.values.get_mut(at)
    }

    pub(super) fn set(&mut self, field: &Field, value: Slot<RawValue<'a>>) {
        if let Some(slot) = self.slot_mut(field) {
            *slot = value;
        }
    }

    /// Something that is no field was written, and `field` was meant: it is not missing.
    pub(super) fn mark_meant(&mut self, field: &Field) {
        if let Some(slot) = self.slot_mut(field).filter(|slot| slot.is_absent()) {
            *slot = Slot::Faulty;
        }
    }

    /// Returns the text that has this sense, here or in a mapping below.
    #[must_use]
    pub fn text(&self, sense: Sense) -> Option<&Text<'a>> {
        self.fields().find_map(|(field, slot)| match slot.given()? {
            RawValue::Text(text) => (field.sense == sense).then_some(text),
            RawValue::Mapping(below) => below.text(sense),
            RawValue::List(_) | RawValue::Map(_) => None,
        })
    }

    /// Returns the same with `value` for the text that has this sense, here or in a mapping below: at the
    /// place of that text, though not what is written there.
    #[must_use]
    pub fn with_text<'b>(&'b self, sense: Sense, value: &'b str) -> RawMapping<'b> {
        let mut changed: RawMapping<'b> = self.clone();
        changed.replace_text(sense, value);
        changed
    }

    fn replace_text(&mut self, sense: Sense, value: &'a str) {
        for (field, slot) in self.of.fields.iter().zip(&mut self.values) {
            let (Slot::Given(given) | Slot::Doubtful(given)) = slot else { continue };
            match given {
                RawValue::Text(text) if field.sense == sense => {
                    text.value = value;
                    text.scalar = Scalar::in_place_of(value, text.span);
                }
                RawValue::Mapping(below) => below.replace_text(sense, value),
                _ => {}
            }
        }
    }

    /// Returns the field that has this sense and what is written of it, here or in a mapping below.
    #[must_use]
    pub fn list(&self, sense: Sense) -> &Slot<RawValue<'a>> {
        for (field, slot) in self.fields() {
            if field.sense == sense {
                return slot;
            }
            if let Some(RawValue::Mapping(below)) = slot.given() {
                let found = below.list(sense);
                if !found.is_absent() {
                    return found;
                }
            }
        }
        &Slot::Absent
    }

    /// Returns the names of its fields.
    #[must_use]
    pub fn name_of(&self, number: usize) -> &'static str {
        self.of.fields.get(number).map_or("", |field| field.name)
    }

    /// Returns the two texts of an item of a list.
    #[must_use]
    pub fn pair(&self) -> [Option<&Text<'a>>; 2] {
        let text = |at: usize| match self.values.get(at)?.given()? {
            RawValue::Text(text) => Some(text),
            _ => None,
        };
        [text(0), text(1)]
    }
}

impl<'a> RawValue<'a> {
    /// Returns the keys of its entries and where they are, where it has any.
    pub fn keys(&self) -> impl Iterator<Item = &Text<'a>> {
        let (map, list) = match self {
            Self::Map(entries) => (entries.as_slice(), &[][..]),
            Self::List(items) => (&[][..], items.as_slice()),
            Self::Text(_) | Self::Mapping(_) => (&[][..], &[][..]),
        };
        map.iter()
            .filter_map(|one| one.key.given())
            .chain(list.iter().filter_map(|item| item.pair()[0]))
    }

    /// Returns how many entries it has.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::Map(entries) => entries.len(),
            Self::List(items) => items.len(),
            Self::Text(_) | Self::Mapping(_) => 1,
        }
    }

    /// Returns whether it has no entries.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}
