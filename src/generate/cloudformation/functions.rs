//! Functions of CloudFormation, as far as a template alone says what they return.
//!
//! In: values of a template. Out: the same without functions, and faults at those that need a stack. All
//! scalars are texts: so CloudFormation passes them to artifacts.

use serde_json::{Map, Value as Json};
use serde_yaml::{Mapping, Value as Yaml};

use crate::diagnostic::Code;
use crate::generate::places::Places;
use crate::generate::rows::Fault;
use crate::source::Span;
use crate::text::quoted;

/// Conditions within conditions that are followed.
const DEPTH: usize = 32;
/// The maximum depth of nested functions, and the maximum number of functions of one resource. More is a
/// circular reference, or a template that was made to take long.
const NESTED: u32 = 64;
const STEPS: u32 = 10_000;
/// The longest text that functions make, in bytes: more than any field takes.
const LONGEST: usize = 64 << 10;

/// A place in a template: that of a value or, where it is not known, of what it is in.
#[derive(Debug, Clone, Copy)]
pub(super) struct At<'p> {
    places: Option<&'p Places>,
    around: Span,
}

impl<'p> At<'p> {
    /// The place of a whole document.
    pub(super) const fn of(places: &'p Places) -> Self {
        Self { places: Some(places), around: places.span }
    }

    /// Returns the place of the member `key`.
    pub(super) fn key(&self, key: &str) -> Self {
        Self { places: self.places.and_then(|places| places.key(key)), around: self.span() }
    }

    /// Returns the place of the item `index`.
    pub(super) fn item(&self, index: usize) -> Self {
        Self { places: self.places.and_then(|places| places.item(index)), around: self.span() }
    }

    /// Returns its bytes.
    pub(super) fn span(&self) -> Span {
        self.places.map_or(self.around, |places| places.span)
    }

    /// Returns the places of the value and of those within it.
    pub(super) const fn places(&self) -> Option<&'p Places> {
        self.places
    }
}

/// The functions of a template.
#[derive(Debug)]
pub(super) struct Functions<'t> {
    root: &'t Yaml,
    text: &'t str,
    places: &'t Places,
    vars: &'t [(String, String)],
    faults: Vec<Fault>,
    /// The functions that are being evaluated.
    nested: u32,
    /// The functions that were evaluated since the faults were taken.
    steps: u32,
}

impl<'t> Functions<'t> {
    /// The functions of the template `root`, which stands in `text` at `places`.
    pub(super) const fn new(
        root: &'t Yaml,
        text: &'t str,
        places: &'t Places,
        vars: &'t [(String, String)],
    ) -> Self {
        Self { root, text, places, vars, faults: Vec::new(), nested: 0, steps: 0 }
    }

    /// Returns the faults since the last call.
    pub(super) fn take_faults(&mut self) -> Vec<Fault> {
        self.steps = 0;
        std::mem::take(&mut self.faults)
    }

    /// Adds a fault with its message and its help.
    pub(super) fn fault(&mut self, at: &At<'_>, code: Code, (message, help): (String, String)) {
        self.faults.push(Fault { code, span: at.span(), message, help });
    }

    /// Reports that only a stack knows the value of `what`.
    pub(super) fn unresolved(&mut self, at: &At<'_>, what: &str) -> Json {
        let message = format!("{what} has no value outside of a stack");
        let help = "write the value in its place, or take it from a parameter and add `--var \
                    PARAMETER=VALUE`";
        self.fault(at, Code::UnresolvedFunction, (message, help.to_owned()));
        Json::Null
    }

    fn circular(&mut self, at: &At<'_>, what: &str) -> Json {
        let message = format!("circular reference between {what}, or too many {what}");
        let help = "remove the circular reference, or write the value in its place".to_owned();
        self.fault(at, Code::UnresolvedFunction, (message, help));
        Json::Null
    }

    fn wrong(&mut self, at: &At<'_>, message: String) -> Json {
        let help = "correct the template; `cfn-lint` checks all of it".to_owned();
        self.fault(at, Code::UnresolvedFunction, (message, help));
        Json::Null
    }

    fn unset(&mut self, at: &At<'_>, what: &str, why: &str, var: &str) -> Json {
        let help = format!("add `--var {var}=VALUE`");
        self.fault(at, Code::UnresolvedFunction, (format!("{what} {why}"), help));
        Json::Null
    }

    /// Returns `value` without its functions. Null is a value that there is not; if it should be there,
    /// there is a fault.
    pub(super) fn value(&mut self, value: &Yaml, at: &At<'_>) -> Json {
        // Outside of conditions, `Condition` is a key like any other.
        let is_key = |name: &str| name == "Condition" && value.is_mapping();
        if let Some((name, argument, at)) = function(value, at).filter(|(name, ..)| !is_key(name)) {
            if !self.may_evaluate() {
                return self.circular(&at, "functions");
            }
            self.nested += 1;
            let value = self.call(&name, argument, &at);
            self.nested -= 1;
            return value;
        }
        match value {
            Yaml::Null => Json::Null,
            Yaml::Bool(value) => Json::from(value.to_string()),
            Yaml::Number(number) => {
                let written = at.places().and_then(|places| self.text.get(places.text?.range()));
                Json::from(written.map_or_else(|| number.to_string(), str::to_owned))
            }
            Yaml::String(text) => {
                if text.contains("{{resolve:") {
                    return self.unresolved(at, "a dynamic reference");
                }
                Json::from(text.as_str())
            }
            Yaml::Sequence(items) => {
                let items = items.iter().zip(0..).map(|(item, index)| {
                    let at = at.item(index);
                    self.value(item, &at)
                });
                items.filter(|item| !item.is_null()).collect()
            }
            Yaml::Mapping(members) => {
                let mut copied = Map::new();
                for (key, value) in members {
                    let key = scalar(key);
                    let value = self.value(value, &at.key(&key));
                    if !value.is_null() {
                        copied.insert(key, value);
                    }
                }
                Json::Object(copied)
            }
            // Only functions have a tag.
            Yaml::Tagged(tagged) => self.unresolved(at, &quoted(&tagged.tag.to_string())),
        }
    }

    /// Returns whether the condition `name` holds. One that cannot be evaluated is a fault, and holds.
    pub(super) fn condition(&mut self, name: &str, at: &At<'_>) -> bool {
        self.condition_at(name, at, 0).unwrap_or(true)
    }

    fn condition_at(&mut self, name: &str, at: &At<'_>, depth: usize) -> Option<bool> {
        let found = self.root.get("Conditions").and_then(|conditions| conditions.get(name));
        let Some(condition) = found.filter(|_| depth < DEPTH) else {
            self.wrong(at, format!("the condition {} is not in the template", quoted(name)));
            return None;
        };
        if !self.may_evaluate() {
            self.circular(at, "conditions");
            return None;
        }
        self.nested += 1;
        let holds = self.holds(condition, at, depth + 1);
        self.nested -= 1;
        holds
    }

    /// Counts a function, and returns whether it may be evaluated.
    const fn may_evaluate(&mut self) -> bool {
        self.steps += 1;
        self.nested < NESTED && self.steps < STEPS
    }

    /// Returns whether `condition` holds; what is at fault in it is shown where it is used.
    fn holds(&mut self, condition: &Yaml, at: &At<'_>, depth: usize) -> Option<bool> {
        let nowhere = At { places: None, around: at.span() };
        let Some((name, argument, _)) = function(condition, &nowhere) else {
            self.wrong(at, "a condition that is no function".to_owned());
            return None;
        };
        let operands = argument.as_sequence().map(Vec::as_slice).unwrap_or_default();
        match name.as_str() {
            "Condition" => self.condition_at(&scalar(argument), at, depth),
            "Fn::Equals" if operands.len() == 2 => {
                let before = self.faults.len();
                let one = self.value(&operands[0], &nowhere);
                let other = self.value(&operands[1], &nowhere);
                (self.faults.len() == before).then_some(one == other)
            }
            "Fn::Not" if operands.len() == 1 => {
                self.holds(&operands[0], at, depth).map(|holds| !holds)
            }
            "Fn::And" | "Fn::Or" if depth < DEPTH && !operands.is_empty() => {
                let all = operands.iter().map(|one| self.holds(one, at, depth + 1));
                let all = all.collect::<Option<Vec<_>>>()?;
                let is_and = name == "Fn::And";
                Some(if is_and { all.iter().all(|one| *one) } else { all.contains(&true) })
            }
            _ => {
                self.unresolved(at, &format!("the condition {}", quoted(&name)));
                None
            }
        }
    }

    fn call(&mut self, name: &str, argument: &Yaml, at: &At<'_>) -> Json {
        let before = self.faults.len();
        let operands = argument.as_sequence().map(Vec::as_slice).unwrap_or_default();
        match (name, operands) {
            ("Ref", _) if argument.is_string() => self.reference(&scalar(argument), at),
            ("Fn::Sub", _) if argument.is_string() => {
                self.substitute(&scalar(argument), &Mapping::new(), at, at)
            }
            ("Fn::Sub", [Yaml::String(text), Yaml::Mapping(values)]) => {
                self.substitute(text, values, &at.item(0), &at.item(1))
            }
            ("Fn::Join", [delimiter, list]) => {
                let delimiter = scalar(delimiter);
                match self.value(list, &at.item(1)) {
                    Json::Array(items) => {
                        let items: Vec<_> = items.iter().filter_map(Json::as_str).collect();
                        self.bounded(items.join(&delimiter), at)
                    }
                    _ => self.without_value(name, at, before),
                }
            }
            ("Fn::Split", [delimiter, text]) => {
                let delimiter = scalar(delimiter);
                match self.value(text, &at.item(1)) {
                    Json::String(text) if !delimiter.is_empty() => {
                        text.split(&delimiter).map(Json::from).collect()
                    }
                    _ => self.without_value(name, at, before),
                }
            }
            ("Fn::Select", [index, list]) => {
                let index = self.value(index, &at.item(0));
                let index = index.as_str().and_then(|index| index.parse::<usize>().ok());
                match (index, self.value(list, &at.item(1))) {
                    (Some(index), Json::Array(items)) => match items.get(index) {
                        Some(item) => item.clone(),
                        None => self
                            .wrong(at, format!("`Fn::Select` of item {index}, of {}", items.len())),
                    },
                    _ => self.without_value(name, at, before),
                }
            }
            ("Fn::FindInMap", [map, first, second, ..]) => {
                let keys = [(map, 0), (first, 1), (second, 2)];
                let keys = keys.map(|(key, index)| {
                    let key = self.value(key, &at.item(index));
                    key.as_str().unwrap_or_default().to_owned()
                });
                let maps = self.root.get("Mappings");
                let found = maps.and_then(|maps| maps.get(&keys[0])?.get(&keys[1])?.get(&keys[2]));
                match found {
                    Some(found) => {
                        let maps = At::of(self.places).key("Mappings");
                        let there = keys.iter().fold(maps, |at, key| at.key(key));
                        self.value(found, &there)
                    }
                    None => self.without_value(name, at, before),
                }
            }
            ("Fn::If", [Yaml::String(condition), yes, no]) => {
                match self.condition_at(condition, &at.item(0), 0) {
                    Some(true) => self.value(yes, &at.item(1)),
                    Some(false) => self.value(no, &at.item(2)),
                    None => Json::Null,
                }
            }
            _ => self.unresolved(at, &quoted(name)),
        }
    }

    /// Reports a function whose operands are not what it takes, unless one of them was reported: there
    /// were `before` faults when its evaluation began.
    fn without_value(&mut self, name: &str, at: &At<'_>, before: usize) -> Json {
        if self.faults.len() > before {
            return Json::Null;
        }
        self.wrong(at, format!("{} has no value for these operands", quoted(name)))
    }

    fn bounded(&mut self, text: String, at: &At<'_>) -> Json {
        if text.len() > LONGEST {
            return self.wrong(at, "the text is longer than 64 KiB".to_owned());
        }
        Json::from(text)
    }

    /// Returns `text` with the values of the `${...}` in it.
    fn substitute(
        &mut self,
        text: &str,
        values: &Mapping,
        at: &At<'_>,
        values_at: &At<'_>,
    ) -> Json {
        let mut out = String::new();
        let mut rest = text;
        while let Some((before, behind)) = rest.split_once("${") {
            out.push_str(before);
            let Some((name, behind)) = behind.split_once('}') else {
                out.push_str("${");
                rest = behind;
                continue;
            };
            rest = behind;
            if let Some(literal) = name.strip_prefix('!') {
                out.push_str("${");
                out.push_str(literal);
                out.push('}');
                continue;
            }
            let name = name.trim();
            let value = match values.get(name) {
                Some(value) => self.value(value, &values_at.key(name)),
                None if name.contains('.') => {
                    self.unresolved(at, &format!("the attribute {}", quoted(name)))
                }
                None => self.reference(name, at),
            };
            match value {
                Json::String(value) => out.push_str(&value),
                Json::Null => {}
                _ => return self.wrong(at, format!("{} is a list", quoted(name))),
            }
            if out.len() > LONGEST {
                break;
            }
        }
        out.push_str(rest);
        if out.contains("{{resolve:") {
            return self.unresolved(at, "a dynamic reference");
        }
        self.bounded(out, at)
    }

    /// Returns the value of the parameter or pseudo parameter `name`.
    fn reference(&mut self, name: &str, at: &At<'_>) -> Json {
        if let Some(pseudo) = name.strip_prefix("AWS::") {
            return self.pseudo(pseudo, at);
        }
        let parameter = self.root.get("Parameters").and_then(|parameters| parameters.get(name));
        let Some(parameter) = parameter else {
            return self.unresolved(at, &format!("the resource {}", quoted(name)));
        };
        let kind = parameter.get("Type").and_then(Yaml::as_str).unwrap_or_default();
        let what = format!("the parameter {}", quoted(name));
        let value = if let Some(value) = self.var(name) {
            value.to_owned()
        } else if kind.starts_with("AWS::SSM::Parameter::Value") {
            return self.unset(at, &what, "is read from SSM when a stack is made", name);
        } else if parameter.get("NoEcho").is_some_and(|no_echo| scalar(no_echo) == "true") {
            return self.unset(at, &what, "is a secret (`NoEcho`)", name);
        } else if let Some(default) = parameter.get("Default") {
            let there = At::of(self.places).key("Parameters").key(name).key("Default");
            match self.value(default, &there) {
                Json::String(value) => value,
                _ => return self.unset(at, &what, "has no default", name),
            }
        } else {
            return self.unset(at, &what, "has no default", name);
        };
        let is_list = kind == "CommaDelimitedList" || kind.starts_with("List<");
        if is_list {
            return value.split(',').map(|item| Json::from(item.trim())).collect();
        }
        Json::from(value)
    }

    fn var(&self, name: &str) -> Option<&'t str> {
        let found = self.vars.iter().rev().find(|(var, _)| var == name);
        found.map(|(_, value)| value.as_str())
    }

    /// Returns the value of the pseudo parameter `AWS::NAME`.
    fn pseudo(&mut self, name: &str, at: &At<'_>) -> Json {
        let partition = || {
            let of_region = || {
                let region = self.var("region")?;
                let is_in = |start: &str| region.starts_with(start);
                match () {
                    () if is_in("cn-") => Some("aws-cn"),
                    () if is_in("us-gov-") => Some("aws-us-gov"),
                    // Partitions with names that say nothing.
                    () if ["us-iso", "eu-iso", "eusc-"].iter().any(|start| is_in(start)) => None,
                    () => Some("aws"),
                }
            };
            self.var("partition").or_else(of_region)
        };
        let (value, var) = match name {
            "NoValue" => return Json::Null,
            "Region" => (self.var("region"), "region"),
            "AccountId" => (self.var("account"), "account"),
            "StackName" => (self.var("stack"), "stack"),
            "Partition" => (partition(), "partition"),
            "URLSuffix" => {
                let suffix = match partition() {
                    Some("aws" | "aws-us-gov") => Some("amazonaws.com"),
                    Some("aws-cn") => Some("amazonaws.com.cn"),
                    _ => None,
                };
                (suffix, "region")
            }
            _ => return self.unresolved(at, &quoted(&format!("AWS::{name}"))),
        };
        match value {
            Some(value) => Json::from(value),
            None => self.unset(at, &quoted(&format!("AWS::{name}")), "is not set", var),
        }
    }
}

/// Returns the name of the function that `value` calls, its argument, and the place of that.
fn function<'v, 'p>(value: &'v Yaml, at: &At<'p>) -> Option<(String, &'v Yaml, At<'p>)> {
    match value {
        Yaml::Tagged(tagged) => {
            let name = tagged.tag.to_string();
            let name = name.trim_start_matches('!');
            let name = match name {
                "Ref" | "Condition" => name.to_owned(),
                _ => format!("Fn::{name}"),
            };
            Some((name, &tagged.value, *at))
        }
        Yaml::Mapping(members) if members.len() == 1 => {
            let (key, argument) = members.iter().next()?;
            let name = key.as_str()?;
            let is_function = matches!(name, "Ref" | "Condition") || name.starts_with("Fn::");
            is_function.then(|| (name.to_owned(), argument, at.key(name)))
        }
        _ => None,
    }
}

/// Returns a scalar as a text; empty if it is none.
fn scalar(value: &Yaml) -> String {
    match value {
        Yaml::String(text) => text.clone(),
        Yaml::Number(number) => number.to_string(),
        Yaml::Bool(value) => value.to_string(),
        _ => String::new(),
    }
}
