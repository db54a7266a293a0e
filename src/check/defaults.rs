//! The values that the artifacts of a document share, checked once, and those that an artifact takes.

use crate::manifest::{RawMapping, RawValue, Slot, Text};
use crate::model::{ARTIFACT, Field};
use crate::source::Span;

/// `Defaults:`, each value either sound or faulty. A bad default is one finding, at the default;
/// the artifacts that use it are invalid without another finding.
#[derive(Debug, Clone, Default)]
pub(super) struct Defaults {
    /// By the number of the field; none where nothing is shared.
    values: Vec<Slot<Shared>>,
}

/// The value of a field of the defaults.
#[derive(Debug, Clone)]
enum Shared {
    Text(String),
    /// The fields of a mapping, which are taken one by one.
    Fields(Vec<(&'static Field, Slot<String>)>),
    /// Properties or tags, which are taken by key.
    Entries(Vec<Entry>),
}

/// A property or tag of the defaults.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) key: String,
    value: Slot<String>,
    /// The span of the key.
    pub(super) span: Span,
}

/// The values of a raw mapping that broke a rule: the field, and the number of the entry.
#[derive(Debug, Default)]
pub(super) struct Unsound(Vec<(&'static Field, usize)>);

/// The values that an artifact takes from the defaults of its document, since it sets none itself. This
/// is the one place where the two are merged.
#[derive(Debug, Default)]
pub(super) struct Taken<'d> {
    /// True if a faulty default is among it: that has been reported at the default.
    pub(super) faulty: bool,
    /// Single texts; of a mapping, those that it lacks.
    pub(super) texts: Vec<(&'static Field, &'d str)>,
    /// Properties and tags whose keys it does not have.
    pub(super) entries: Vec<(&'static Field, Vec<&'d Entry>)>,
}

impl Unsound {
    pub(super) fn note(&mut self, field: &'static Field, at: usize, is_sound: bool) {
        if !is_sound {
            self.0.push((field, at));
        }
    }

    fn has(&self, field: &Field, at: usize) -> bool {
        self.0.iter().any(|(one, number)| one.is(field) && *number == at)
    }
}

impl Entry {
    /// Its value. A faulty one makes the artifact invalid.
    pub(super) fn value(&self) -> Option<&str> {
        self.value.given().map(String::as_str)
    }
}

impl Defaults {
    pub(super) fn new(raw: &RawMapping<'_>, unsound: &Unsound) -> Self {
        let value = |(field, slot): (&'static Field, &Slot<RawValue<'_>>)| match slot {
            Slot::Absent => Slot::Absent,
            Slot::Faulty | Slot::Doubtful(_) => Slot::Faulty,
            Slot::Given(value) => shared(field, value, unsound),
        };
        Self { values: raw.fields().map(value).collect() }
    }

    /// Returns whether `field` is not among them, be it faulty or not.
    pub(super) fn lack(&self, field: &Field) -> bool {
        let at = ARTIFACT.fields.iter().position(|one| one.is(field));
        at.and_then(|at| self.values.get(at)).is_none_or(Slot::is_absent)
    }

    /// Returns what the artifact `raw` takes from them.
    pub(super) fn taken_by(&self, raw: &RawMapping<'_>) -> Taken<'_> {
        let mut taken = Taken::default();
        for ((field, own), shared) in raw.fields().zip(&self.values) {
            match shared {
                Slot::Absent => {}
                Slot::Given(Shared::Text(text)) if own.is_absent() => {
                    taken.texts.push((field, text));
                }
                Slot::Given(Shared::Text(_)) => {}
                // An own text hides the default, other values are merged with it.
                Slot::Faulty | Slot::Doubtful(_) => {
                    taken.faulty |= !field.is_text() || own.is_absent();
                }
                Slot::Given(Shared::Fields(fields)) => {
                    let own = own.given();
                    for (field, value) in fields {
                        let lacks = |own: &RawValue<'_>| match own {
                            RawValue::Mapping(own) => own.slot(field).is_absent(),
                            _ => false,
                        };
                        if own.is_none_or(lacks) {
                            taken.faulty |= value.is_faulty();
                            taken.texts.extend(value.given().map(|text| (*field, text.as_str())));
                        }
                    }
                }
                Slot::Given(Shared::Entries(entries)) => {
                    let own = own.given();
                    let has =
                        |key: &str| own.is_some_and(|own| own.keys().any(|own| own.value == key));
                    let entries: Vec<_> = entries.iter().filter(|one| !has(&one.key)).collect();
                    taken.faulty |= entries.iter().any(|one| one.value.is_faulty());
                    taken.entries.push((field, entries));
                }
            }
        }
        taken
    }
}

fn shared(field: &'static Field, value: &RawValue<'_>, unsound: &Unsound) -> Slot<Shared> {
    if field.max().is_some_and(|max| value.len() > max) {
        return Slot::Faulty;
    }
    let entry = |key: Option<&Text<'_>>, value: Slot<String>| {
        key.map(|key| Entry { key: key.value.to_owned(), value, span: key.span })
    };
    // A key that cannot be read could be any: then nothing can be taken from here.
    let entries = |all: Option<Vec<Entry>>| {
        all.map_or(Slot::Faulty, |entries| Slot::Given(Shared::Entries(entries)))
    };
    match value {
        RawValue::Text(text) => match sound(&Slot::Given(*text), !unsound.has(field, 0)) {
            Slot::Given(text) => Slot::Given(Shared::Text(text)),
            _ => Slot::Faulty,
        },
        RawValue::Mapping(below) => {
            let text = |(field, slot): (&'static Field, &Slot<RawValue<'_>>)| {
                (field, sound(&text_of(slot), !unsound.has(field, 0)))
            };
            Slot::Given(Shared::Fields(below.fields().map(text).collect()))
        }
        RawValue::Map(list) => entries(
            list.iter()
                .enumerate()
                .map(|(at, one)| entry(one.key.given(), sound(&one.value, !unsound.has(field, at))))
                .collect(),
        ),
        RawValue::List(list) => entries(
            list.iter()
                .enumerate()
                .map(|(at, item)| {
                    let value =
                        item.fields().nth(1).map_or(Slot::Absent, |(_, slot)| text_of(slot));
                    entry(item.pair()[0], sound(&value, !unsound.has(field, at)))
                })
                .collect(),
        ),
    }
}

fn text_of<'a>(slot: &Slot<RawValue<'a>>) -> Slot<Text<'a>> {
    match slot {
        Slot::Absent => Slot::Absent,
        Slot::Given(RawValue::Text(text)) => Slot::Given(*text),
        Slot::Given(_) | Slot::Doubtful(_) | Slot::Faulty => Slot::Faulty,
    }
}

fn sound(value: &Slot<Text<'_>>, is_sound: bool) -> Slot<String> {
    match value {
        Slot::Absent => Slot::Absent,
        Slot::Given(text) if is_sound => Slot::Given(text.value.to_owned()),
        Slot::Given(_) | Slot::Doubtful(_) | Slot::Faulty => Slot::Faulty,
    }
}
