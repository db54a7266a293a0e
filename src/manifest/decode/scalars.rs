//! Scalars that are strings, and those that are not.

use super::Decoder;
use super::entries::{Key, Target};
use super::faults::quote_it;
use crate::diagnostic::{Code, Draft, Edit, Fix, Pointer, Safety};
use crate::manifest::raw::{Slot, Text};
use crate::model::{Field, WHEN_EMPTY};
use crate::source::Span;
use crate::text::{quoted, secret};
use crate::yaml::{
    Node, NodeId, OtherReading, Resolved, Scalar, Style, Tag, other_reading, resolve,
};

/// The name of a text in messages.
#[derive(Clone, Copy)]
pub(super) enum Name<'n> {
    /// The value of that key, which stands for the field, if it is one.
    Of(&'n str, Option<&'static Field>),
    /// A key itself.
    Key,
}

impl<'a> Decoder<'a, '_, '_> {
    /// The text that `key` has as its value; `field` is the field that it is, if it is one.
    pub(super) fn text(
        &mut self,
        key: &Key<'a>,
        value: NodeId,
        field: Option<&'static Field>,
        path: &Pointer<'_>,
    ) -> Slot<Text<'a>> {
        let Some(target) = self.target(value, path) else {
            return Slot::Faulty;
        };
        let Node::Scalar(scalar) = self.tree.node(target.node) else {
            let help = "write a single string; quote it if it contains brackets or braces";
            self.wrong_kind_of(key, target, "a string", path, help.into());
            return Slot::Faulty;
        };
        if self.placeholder_at(scalar.span, path) {
            return Slot::Faulty;
        }
        if scalar.span.is_empty() && scalar.style == Style::Plain && self.untagged(target.node) {
            let name = quoted(key.scalar.value);
            let draft =
                Draft::new(Code::NotAString, key.scalar.span, format!("{name} has no value"));
            self.findings.push(draft.help(when_empty(field)).at(path));
            return Slot::Faulty;
        }
        self.text_of(scalar, target, Name::Of(key.scalar.value, field), path)
    }

    pub(super) fn key_text(&mut self, key: &Key<'a>, path: &Pointer<'_>) -> Slot<Text<'a>> {
        let target = Target { node: key.node, alias: key.alias };
        self.text_of(key.scalar, target, Name::Key, path)
    }

    /// Returns a scalar, if it means a text.
    pub(super) fn text_of(
        &mut self,
        scalar: Scalar<'a>,
        target: Target,
        name: Name<'_>,
        path: &Pointer<'_>,
    ) -> Slot<Text<'a>> {
        let text = Text { value: scalar.value, span: scalar.span, alias: target.alias, scalar };
        match self.tree.tag(target.node) {
            Tag::Text => return Slot::Given(text),
            Tag::None => {}
            _ => {
                self.wrong_tag(target, path);
                return Slot::Faulty;
            }
        }
        if scalar.style != Style::Plain {
            return Slot::Given(text);
        }
        let kind = match resolve(scalar.value) {
            Resolved::Text => {
                if let Some(reading) = other_reading(scalar.value) {
                    self.ambiguous(&text, reading, path);
                }
                return Slot::Given(text);
            }
            Resolved::Null => "null",
            Resolved::Boolean => "a boolean",
            Resolved::Integer | Resolved::Float => "a number",
        };
        let called = match name {
            Name::Of(key, _) => quoted(key),
            Name::Key => "a `Properties` key".to_owned(),
        };
        let message = format!("{called} is {kind}; the service accepts only strings");
        // The check that follows reports the secret itself.
        let is_secret = matches!(name, Name::Of(key, _) if secret::is_named(key, scalar.value));
        let help = match (kind, name) {
            ("null", Name::Of(_, field)) => when_empty(field).to_owned(),
            ("null", Name::Key) => quote_it(scalar.value),
            _ if is_secret => "quote it; or better, refer to where it is stored".to_owned(),
            _ => quote_it(scalar.value),
        };
        let fix = (kind != "null").then(|| self.quote(&scalar)).flatten();
        let draft = Draft::new(Code::NotAString, scalar.span, message).help(help).fix(fix).at(path);
        self.push(draft, target.alias);
        if kind == "null" { Slot::Faulty } else { Slot::Doubtful(text) }
    }

    fn ambiguous(&mut self, text: &Text<'a>, reading: OtherReading, path: &Pointer<'_>) {
        let kind = match reading {
            OtherReading::Boolean => "a boolean",
            OtherReading::Number => "a number",
            OtherReading::Date => "a date",
        };
        let message = format!(
            "{} is a string in YAML 1.2, but {kind} in PyYAML and the AWS CLI",
            quoted(text.value)
        );
        let draft = Draft::new(Code::AmbiguousScalar, text.span, message);
        let draft = draft.help(quote_it(text.value)).fix(self.quote(&text.scalar));
        self.push(draft.at(path), text.alias);
    }

    /// Returns the fix that quotes a plain scalar. A number, a boolean or a date needs no escapes.
    fn quote(&self, scalar: &Scalar<'_>) -> Option<Fix> {
        let raw = scalar.source(scalar.span);
        let plain = |c: char| c.is_ascii_graphic() && !matches!(c, '\'' | '"' | '\\') || c == ' ';
        if raw.is_empty() || !raw.chars().all(plain) {
            return None;
        }
        // JSON knows one kind of quotes.
        let json = self.findings.source().name().ends_with(".json");
        let quote = if json { '"' } else { '\'' };
        // Put around the value, so that the fix itself does not hold it: it may be a secret.
        let edit = |at: u32| Edit { span: Span::empty(at), text: quote.to_string() };
        let edits = vec![edit(scalar.span.start), edit(scalar.span.end)];
        Some(Fix::new(Safety::Safe, edits))
    }
}

/// Returns what to write where nothing or a null is.
fn when_empty(field: Option<&Field>) -> &'static str {
    field.map_or(WHEN_EMPTY, |field| field.when_empty)
}
