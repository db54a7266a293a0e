//! A row to artifacts: every text of the template evaluated.
//!
//! In: a row and a compiled template. Out: [`Made`] artifacts, whose values stand one behind the other
//! in one text, so that the rules of manifests can look at them and say which bytes are at fault.

use std::sync::Arc;

use minijinja::Value;

use super::expression::{RowValue, Scope};
use super::rows::Block;
use super::template::{self, Compiled, Each, Guarded, Pair, Part, TextId};
use crate::manifest::{RawMapping, RawProperty, RawValue, Slot, Text};
use crate::model::{ARTIFACT, Kind, Mapping, Sense};
use crate::source::Span;

/// The most values that one artifact may have, so that no `$for` fills the memory.
const MOST: usize = 1_000;

/// A value that was rendered.
#[derive(Debug, Clone)]
pub(super) struct Rendered {
    /// The place in [`Sheet::text`].
    pub(super) span: Span,
    /// The text of the template that it comes from.
    pub(super) text: TextId,
    /// The index of its row in the block.
    pub(super) row: u32,
    /// The variable of `$for`.
    pub(super) each: Option<(Arc<str>, Value)>,
}

/// A text that could not be rendered.
#[derive(Debug)]
pub(super) struct Failed {
    pub(super) error: minijinja::Error,
    pub(super) text: TextId,
    pub(super) row: u32,
    pub(super) each: Option<(Arc<str>, Value)>,
}

/// A value of an artifact: its number among the rendered ones.
#[derive(Debug, Clone, Copy, Default)]
pub(super) enum Got {
    /// There is none.
    #[default]
    Absent,
    /// It could not be rendered.
    Failed,
    /// It is this one.
    Is(u32),
}

/// The value of a field.
#[derive(Debug)]
enum Values {
    /// One text, or nothing.
    Text(Got),
    /// A mapping with known fields, by the number of the field.
    Fields(Vec<Self>),
    /// Texts by keys, or items of two texts.
    Pairs(Vec<(Got, Got)>),
}

/// An artifact of a row.
#[derive(Debug, Default)]
pub(super) struct Made {
    /// The index of its row in the block.
    pub(super) row: u32,
    /// The number of its part in the template.
    pub(super) part: u32,
    /// The start of its values in [`Sheet::text`].
    head: u32,
    /// By the number of the field in [`ARTIFACT`].
    values: Vec<Values>,
    /// True if a text of it could not be rendered.
    pub(super) failed: bool,
}

/// The artifacts of a block's rows.
#[derive(Debug, Default)]
pub(super) struct Sheet {
    /// Every value on a line of its own.
    pub(super) text: String,
    pub(super) rendered: Vec<Rendered>,
    pub(super) made: Vec<Made>,
    pub(super) failed: Vec<Failed>,
    /// Rows that `$when` left out.
    pub(super) left_out: usize,
}

struct Renderer<'r> {
    compiled: &'r Compiled<'r>,
    sheet: Sheet,
    row: u32,
    scope: Value,
    row_value: Value,
    number: u32,
    document: Value,
}

/// Renders every row of `block`.
pub(super) fn block(block: &Arc<Block>, compiled: &Compiled<'_>) -> Sheet {
    let mut renderer = Renderer {
        compiled,
        sheet: Sheet { text: String::with_capacity(block.size()), ..Sheet::default() },
        row: 0,
        scope: Value::UNDEFINED,
        row_value: Value::UNDEFINED,
        number: 0,
        document: block.document.clone(),
    };
    for (row, index) in block.rows.iter().zip(0_u32..) {
        renderer.row = index;
        renderer.number = row.number;
        renderer.row_value = Value::from_object(RowValue::new(Arc::clone(block), index as usize));
        let scope = renderer.variables(None);
        renderer.scope = Value::from_object(scope);
        let before = renderer.sheet.made.len();
        for (part, number) in compiled.template.parts.iter().zip(0_u32..) {
            renderer.part(part, number);
        }
        renderer.sheet.left_out += usize::from(renderer.sheet.made.len() == before);
    }
    renderer.sheet
}

impl Renderer<'_> {
    fn part(&mut self, part: &Part, number: u32) {
        if let Some(when) = part.when {
            match self.holds(when, &self.scope.clone(), None) {
                Some(false) => return,
                Some(true) => {}
                None => {
                    let made = Made {
                        row: self.row,
                        part: number,
                        head: self.at(),
                        failed: true,
                        ..Made::default()
                    };
                    self.sheet.text.push('\n');
                    self.sheet.made.push(made);
                    return;
                }
            }
        }
        let failed_before = self.sheet.failed.len();
        let mut made = Made { row: self.row, part: number, head: self.at(), ..Made::default() };
        self.sheet.text.push('\n');
        made.values = part.values.iter().map(|value| self.values(value)).collect();
        made.failed = self.sheet.failed.len() > failed_before;
        self.sheet.made.push(made);
    }

    fn at(&self) -> u32 {
        u32::try_from(self.sheet.text.len()).unwrap_or(u32::MAX)
    }

    fn values(&mut self, value: &template::Value) -> Values {
        match value {
            template::Value::Absent => Values::Text(Got::Absent),
            template::Value::Text(text) => Values::Text(self.guarded(*text)),
            template::Value::Fields(below) => {
                Values::Fields(below.iter().map(|value| self.values(value)).collect())
            }
            template::Value::Pairs(pairs) => Values::Pairs(self.pairs(pairs)),
        }
    }

    fn guarded(&mut self, value: Guarded) -> Got {
        let Guarded { when, value, skip_empty } = value;
        let scope = self.scope.clone();
        match when.map(|when| self.holds(when, &scope, None)) {
            Some(Some(false)) => return Got::Absent,
            Some(None) => return Got::Failed,
            _ => {}
        }
        let got = self.text(value, &scope, None);
        if skip_empty { self.unless_empty(got) } else { got }
    }

    fn pairs(&mut self, pairs: &[Pair]) -> Vec<(Got, Got)> {
        let mut all = Vec::with_capacity(pairs.len());
        let mut own = 0;
        for pair in pairs {
            if !pair.default {
                own = all.len();
            }
            let Some(Each { name, over }) = &pair.each else {
                self.pair(pair, None, own, &mut all);
                if !pair.default {
                    own = all.len();
                }
                continue;
            };
            let items = match self.compiled.program(*over).items(&self.scope) {
                Ok(items) => items,
                Err(error) => {
                    self.fail(error, *over, None);
                    all.push((Got::Failed, Got::Failed));
                    continue;
                }
            };
            for item in items {
                if all.len() >= MOST {
                    let message = format!("`$for` has more than {MOST} items");
                    let kind = minijinja::ErrorKind::InvalidOperation;
                    self.fail(minijinja::Error::new(kind, message), *over, None);
                    break;
                }
                self.pair(pair, Some(&(Arc::clone(name), item)), own, &mut all);
            }
            if !pair.default {
                own = all.len();
            }
        }
        all
    }

    fn pair(
        &mut self,
        pair: &Pair,
        each: Option<&(Arc<str>, Value)>,
        own: usize,
        all: &mut Vec<(Got, Got)>,
    ) {
        let scope = self.scope_of(each);
        match pair.when.map(|when| self.holds(when, &scope, each)) {
            Some(Some(false)) => return,
            Some(None) => {
                all.push((Got::Failed, Got::Failed));
                return;
            }
            _ => {}
        }
        let key = self.text(pair.key, &scope, each);
        let gives_way = pair.default
            && self.value_of(key).is_some_and(|key| {
                all[..own].iter().any(|(other, _)| self.value_of(*other) == Some(key))
            });
        if gives_way {
            return;
        }
        let mut value = self.text(pair.value, &scope, each);
        if pair.skip_empty {
            value = self.unless_empty(value);
        }
        if !matches!(value, Got::Absent) {
            all.push((key, value));
        }
    }

    fn unless_empty(&self, got: Got) -> Got {
        let is_empty = self.value_of(got).is_some_and(|value| value.trim().is_empty());
        if is_empty { Got::Absent } else { got }
    }

    fn value_of(&self, got: Got) -> Option<&str> {
        let Got::Is(number) = got else { return None };
        self.sheet.text.get(self.sheet.rendered[number as usize].span.range())
    }

    fn text(&mut self, id: TextId, scope: &Value, each: Option<&(Arc<str>, Value)>) -> Got {
        let start = self.sheet.text.len();
        match self.compiled.program(id).render(scope, &mut self.sheet.text) {
            Ok(()) => {
                let span = Span::new(start..self.sheet.text.len());
                self.sheet.text.push('\n');
                let number = u32::try_from(self.sheet.rendered.len()).unwrap_or(u32::MAX);
                self.sheet.rendered.push(Rendered {
                    span,
                    text: id,
                    row: self.row,
                    each: each.cloned(),
                });
                Got::Is(number)
            }
            Err(error) => {
                self.sheet.text.truncate(start);
                self.fail(error, id, each);
                Got::Failed
            }
        }
    }

    fn holds(
        &mut self,
        id: TextId,
        scope: &Value,
        each: Option<&(Arc<str>, Value)>,
    ) -> Option<bool> {
        match self.compiled.program(id).holds(scope) {
            Ok(holds) => Some(holds),
            Err(error) => {
                self.fail(error, id, each);
                None
            }
        }
    }

    fn scope_of(&self, each: Option<&(Arc<str>, Value)>) -> Value {
        match each {
            None => self.scope.clone(),
            Some(each) => Value::from_object(self.variables(Some(each.clone()))),
        }
    }

    fn variables(&self, each: Option<(Arc<str>, Value)>) -> Scope {
        let document = self.document.clone();
        Scope { row: self.row_value.clone(), number: self.number, document, each }
    }

    fn fail(&mut self, error: minijinja::Error, text: TextId, each: Option<&(Arc<str>, Value)>) {
        self.sheet.failed.push(Failed { error, text, row: self.row, each: each.cloned() });
    }
}

impl Made {
    /// The start of its values in [`Sheet::text`].
    pub(super) const fn head(&self) -> u32 {
        self.head
    }

    /// Returns the value of the field that has this sense.
    pub(super) fn text(&self, sense: Sense) -> Got {
        text_of(&ARTIFACT, &self.values, sense).unwrap_or_default()
    }
}

fn text_of(of: &Mapping, values: &[Values], sense: Sense) -> Option<Got> {
    of.fields.iter().zip(values).find_map(|(field, value)| match (value, field.kind) {
        (Values::Text(got), _) if field.sense == sense => Some(*got),
        (Values::Fields(below), Kind::Mapping(mapping)) => text_of(mapping, below, sense),
        _ => None,
    })
}

impl Values {
    /// Returns whether nothing is written.
    fn is_absent(&self) -> bool {
        match self {
            Self::Text(got) => matches!(got, Got::Absent),
            Self::Fields(below) => below.iter().all(Self::is_absent),
            Self::Pairs(pairs) => pairs.is_empty(),
        }
    }
}

impl Sheet {
    /// Returns the text that `got` was rendered as.
    pub(super) fn value(&self, got: Got) -> Option<&str> {
        let Got::Is(number) = got else { return None };
        self.text.get(self.rendered[number as usize].span.range())
    }

    /// The value that holds the byte `at` of the text, if it is not the head of an artifact.
    pub(super) fn rendered_at(&self, at: u32) -> Option<&Rendered> {
        let before = self.rendered.partition_point(|one| one.span.start <= at);
        self.rendered.get(before.checked_sub(1)?).filter(|one| at <= one.span.end)
    }

    /// Returns `made` as the rules of manifests look at it.
    pub(super) fn raw(&self, made: &Made) -> RawMapping<'_> {
        self.mapping(&ARTIFACT, &made.values, Span::empty(made.head))
    }

    fn mapping(&self, of: &'static Mapping, values: &[Values], head: Span) -> RawMapping<'_> {
        let slots = of.fields.iter().zip(values).map(|(field, value)| {
            // What is required and lacks a value is reported in the mapping that lacks it.
            let is_absent = value.is_absent() && !field.required;
            match (value, field.kind) {
                (Values::Text(got), _) => self.slot(*got),
                _ if is_absent => Slot::Absent,
                (Values::Fields(below), Kind::Mapping(mapping)) => {
                    Slot::Given(RawValue::Mapping(self.mapping(mapping, below, head)))
                }
                (Values::Pairs(pairs), Kind::Pairs { item, .. }) => self.list(pairs, item, head),
                (Values::Pairs(pairs), _) => {
                    let property = |(key, value): &(Got, Got)| RawProperty {
                        key: self.text(*key),
                        value: self.text(*value),
                    };
                    Slot::Given(RawValue::Map(pairs.iter().map(property).collect()))
                }
                (Values::Fields(_), _) => Slot::Absent,
            }
        });
        RawMapping::of_values(of, head, slots)
    }

    fn text(&self, got: Got) -> Slot<Text<'_>> {
        match got {
            Got::Absent => Slot::Absent,
            Got::Failed => Slot::Faulty,
            Got::Is(number) => {
                let span = self.rendered[number as usize].span;
                Slot::Given(Text::verbatim(&self.text, span))
            }
        }
    }

    fn slot(&self, got: Got) -> Slot<RawValue<'_>> {
        match self.text(got) {
            Slot::Given(text) => Slot::Given(RawValue::Text(text)),
            Slot::Absent => Slot::Absent,
            _ => Slot::Faulty,
        }
    }

    /// Returns items of the two fields of `of`.
    fn list(&self, pairs: &[(Got, Got)], of: &'static Mapping, head: Span) -> Slot<RawValue<'_>> {
        if pairs.is_empty() {
            return Slot::Absent;
        }
        let item = |(one, other): &(Got, Got)| {
            RawMapping::of_values(of, head, [self.slot(*one), self.slot(*other)].into_iter())
        };
        Slot::Given(RawValue::List(pairs.iter().map(item).collect()))
    }

    /// Returns the second of two entries of a field of `made` that have the same key.
    pub(super) fn repeated_key(&self, made: &Made) -> Option<&Rendered> {
        let maps = ARTIFACT.fields.iter().zip(&made.values);
        let mut maps = maps.filter_map(|(field, value)| match (value, field.kind) {
            (Values::Pairs(pairs), Kind::Map { .. }) => Some(pairs),
            _ => None,
        });
        maps.find_map(|pairs| {
            let mut seen = std::collections::HashSet::new();
            pairs.iter().find_map(|(key, _)| {
                let Got::Is(number) = key else { return None };
                let is_new = seen.insert(self.value(*key)?);
                (!is_new).then(|| &self.rendered[*number as usize])
            })
        })
    }
}
