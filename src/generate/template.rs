//! Templates: manifests whose texts may hold expressions.
//!
//! In: nodes of YAML. Out: [`Part`]s, one an artifact that each row makes, whose texts are numbers of
//! [`Source`]s. The YAML is read before any expression is, so that no value of a row can add to it.

mod decode;

use std::collections::HashSet;
use std::sync::Arc;

use minijinja::Environment;

use super::applied::{self, Applied, Unknown};
use super::expression::{DEPTH, FUEL, Program, RECURSION, VARIABLES};
use super::nodes;
use super::plain::{Plain, PlainExpression};
use super::rows::{Block, Columns, TEMPLATE};
use crate::diagnostic::{Code, Diagnostic, Draft, Findings};
use crate::source::{SourceFile, Span};
use crate::text::{either, grouped, quoted};

/// The number of a text of a template.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TextId(u32);

/// The kind of a text of a template.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Text, with expressions in braces.
    Text,
    /// An expression, in braces or not.
    Expression,
}

/// A text of a template.
#[derive(Debug, Clone)]
pub struct Source {
    text: String,
    /// The place in the template.
    pub span: Span,
    /// The start of the text in the template, if it stands there as it reads.
    verbatim: Option<u32>,
    kind: Kind,
    /// Variables of `$for` that it may name.
    variable: Option<Arc<str>>,
}

/// `$for: NAME in EXPRESSION`.
#[derive(Debug, Clone)]
pub struct Each {
    /// The variable.
    pub name: Arc<str>,
    /// The expression for its items.
    pub over: TextId,
}

/// A key and a value, or several.
#[derive(Debug, Clone)]
pub struct Pair {
    /// As often as this has items.
    pub each: Option<Each>,
    /// Only where this holds.
    pub when: Option<TextId>,
    /// The key.
    pub key: TextId,
    /// The value.
    pub value: TextId,
    /// Left out where the value is empty.
    pub skip_empty: bool,
    /// True if it comes from `Defaults`, and gives way to an own one.
    pub default: bool,
}

/// A value that may be left out.
#[derive(Debug, Clone, Copy)]
pub struct Guarded {
    /// Only where this holds.
    pub when: Option<TextId>,
    /// The value.
    pub value: TextId,
    /// Left out where the value is empty.
    pub skip_empty: bool,
}

/// An artifact that each row makes.
#[derive(Debug, Clone, Default)]
pub struct Part {
    /// Its first key.
    pub head: Span,
    /// Only for rows where this holds.
    pub when: Option<TextId>,
    /// Its values, by the number of the field in [`crate::model::ARTIFACT`].
    pub values: Vec<Value>,
}

/// The value of a field.
#[derive(Debug, Clone)]
pub enum Value {
    /// Nothing is written.
    Absent,
    /// One text.
    Text(Guarded),
    /// A mapping with known fields, by the number of the field.
    Fields(Vec<Self>),
    /// Texts by keys, or items of two texts.
    Pairs(Vec<Pair>),
}

impl Value {
    /// Takes from `shared` what it does not set itself. Of properties and tags, that is known for each
    /// row.
    fn take_default(&mut self, shared: &Self) {
        match (self, shared) {
            (own @ Self::Absent, shared) => *own = shared.clone(),
            (Self::Pairs(own), Self::Pairs(shared)) => own.extend(shared.iter().cloned()),
            (Self::Fields(own), Self::Fields(shared)) => {
                own.iter_mut().zip(shared).for_each(|(own, shared)| own.take_default(shared));
            }
            _ => {}
        }
    }

    /// Adds the pairs in this value and in those below it to `found`.
    fn pairs<'v>(&'v self, found: &mut Vec<&'v Pair>) {
        match self {
            Self::Absent | Self::Text(_) => {}
            Self::Fields(values) => values.iter().for_each(|value| value.pairs(found)),
            Self::Pairs(pairs) => found.extend(pairs),
        }
    }
}

/// A template.
#[derive(Debug, Clone, Default)]
pub struct Template {
    /// The artifacts that each row makes.
    pub parts: Vec<Part>,
    sources: Vec<Source>,
}

/// A template whose expressions are ready.
#[derive(Debug)]
pub struct Compiled<'e> {
    /// The template.
    pub template: &'e Template,
    programs: Vec<Program<'e>>,
    /// The columns that expressions name.
    reads: HashSet<String>,
    /// True if an expression computes the names of columns.
    reads_all: bool,
}

/// The names that expressions may use.
struct Known<'k> {
    /// The columns, if all are known.
    columns: Option<&'k Columns>,
    /// Functions.
    globals: Vec<String>,
    /// Those of the command line.
    vars: &'k [(String, String)],
}

impl Template {
    /// Reads the template that `findings` are about. What is wrong with it is among them.
    #[must_use]
    pub fn read(findings: &mut Findings<'_>) -> Self {
        let before = findings.errors();
        let documents = nodes::read(findings);
        let mut template = decode::template(&documents, findings);
        if template.parts.is_empty() && findings.errors() == before {
            let span = Span::empty(0);
            let draft = Draft::new(Code::TemplateSyntax, span, "no artifact in the template");
            findings.push(draft.help("write one, or run `--init` for a starter template"));
        }
        template.sources.shrink_to_fit();
        template
    }

    /// The condition of the first artifact for rows.
    #[must_use]
    pub fn when(&self) -> Option<TextId> {
        self.parts.first().and_then(|part| part.when)
    }

    /// Adds an expression that is no part of an artifact, as of the command line. Its place is that
    /// of the whole template.
    pub fn add_text(&mut self, text: &str) -> TextId {
        self.add(Source {
            text: text.to_owned(),
            span: Span::empty(0),
            verbatim: None,
            kind: Kind::Text,
            variable: None,
        })
    }

    fn add(&mut self, source: Source) -> TextId {
        self.sources.push(source);
        TextId(u32::try_from(self.sources.len() - 1).unwrap_or(u32::MAX))
    }

    /// Returns the place of the text `id`.
    #[must_use]
    pub fn span(&self, id: TextId) -> Span {
        self.sources[id.0 as usize].span
    }

    /// Returns the place of the bytes `range` of the text `id`.
    #[must_use]
    pub fn locate(&self, id: TextId, range: Option<std::ops::Range<usize>>) -> Span {
        let source = &self.sources[id.0 as usize];
        let (Some(start), Some(range)) = (source.verbatim, range) else { return source.span };
        if range.end > source.text.len() || range.is_empty() {
            return source.span;
        }
        Span::new(start as usize + range.start..start as usize + range.end)
    }

    /// Returns the expression for the items of the `$for` around the text `id`.
    #[must_use]
    pub fn loops_over(&self, id: TextId) -> Option<TextId> {
        let mut all = Vec::new();
        self.parts.iter().flat_map(|part| &part.values).for_each(|value| value.pairs(&mut all));
        let mut of_id = all.into_iter().filter(|pair| pair.key == id || pair.value == id);
        of_id.find_map(|pair| pair.each.as_ref().map(|each| each.over))
    }

    /// Compiles every expression. What cannot be compiled, and every name that nothing has, is
    /// reported; `columns` are those of the inventory, if all are known,
    /// and `vars` are the variables of the command line.
    #[must_use]
    pub fn compile<'e>(
        &'e self,
        environment: &'e Environment<'e>,
        columns: Option<&Columns>,
        vars: &[(String, String)],
        findings: &mut Vec<Diagnostic>,
        source: &SourceFile,
    ) -> Compiled<'e> {
        let mut programs = Vec::with_capacity(self.sources.len());
        let (mut reads, mut reads_all) = (HashSet::new(), false);
        let globals: Vec<String> = environment.globals().map(|(name, _)| name.to_owned()).collect();
        let known = Known { columns, globals, vars };
        for (number, text) in (0..).zip(&self.sources) {
            let id = TextId(number);
            let program = match program(text, environment) {
                Ok(program) => program,
                Err(error) => {
                    let span = self.locate(id, error.range());
                    findings.push(at_fault(source, span, says(&error), help_for(&error)));
                    Program::Literal(Box::from(""))
                }
            };
            if !matches!(program, Program::Literal(_)) {
                let is_expression = text.kind == Kind::Expression;
                for one in applied::unknown(&text.text, is_expression, environment) {
                    let span = self.locate(id, Some(one.place.clone()));
                    let (message, help) = unknown_one(&one, &text.text[one.place.clone()]);
                    findings.push(at_fault(source, span, message, help));
                }
            }
            for name in program.names() {
                match name.strip_prefix("row") {
                    Some("") => reads_all = true,
                    Some(rest) => {
                        reads.extend(rest.split('.').nth(1).map(str::to_owned));
                    }
                    None => {}
                }
                self.check_name(id, &name, &known, findings, source);
            }
            programs.push(program);
        }
        Compiled { template: self, programs, reads, reads_all }
    }

    fn check_name(
        &self,
        id: TextId,
        name: &str,
        known: &Known<'_>,
        findings: &mut Vec<Diagnostic>,
        source: &SourceFile,
    ) {
        let text = &self.sources[id.0 as usize];
        let mut parts = name.split('.');
        let variable = parts.next().unwrap_or_default();
        let columns = known.columns;
        if variable == "var" {
            let Some(name) = parts.next() else { return };
            if !known.vars.iter().any(|(known, _)| known == name) {
                let message = format!("unknown variable {}", quoted(name));
                let help = Some(format!("add `--var {name}=VALUE`"));
                findings.push(at_fault(source, self.place(id, name), message, help));
            }
            return;
        }
        let is_known = known.globals.iter().any(|name| name == variable)
            || VARIABLES.contains(&variable)
            || text.variable.as_deref().is_some_and(|known| known == variable);
        let names: Vec<&str> = columns
            .map_or_else(Vec::new, |columns| columns.names().iter().map(|name| &**name).collect());
        if !is_known {
            let near = names.iter().find(|column| **column == variable);
            let help = match near {
                Some(column) => format!("write `row.{column}`"),
                None => format!("expected one of {}", either(VARIABLES)),
            };
            let message = format!("unknown name {}", quoted(variable));
            findings.push(at_fault(source, self.place(id, variable), message, Some(help)));
            return;
        }
        // What is not there may be provided for.
        let provided = ["default", "defined", " d("].iter().any(|word| text.text.contains(word));
        let (Some(columns), "row", Some(column)) = (columns, variable, parts.next()) else {
            return;
        };
        if columns.number(column).is_some() || provided || column == "get" || column == "items" {
            return;
        }
        let help = match near(column, &names) {
            Some(near) => format!("did you mean {}?", quoted(near)),
            None => format!("the columns are {}", shown(&names)),
        };
        let message = format!("unknown column {}", quoted(column));
        findings.push(at_fault(source, self.place(id, column), message, Some(help)));
    }

    /// Returns the place of the word `word` in the text `id`.
    fn place(&self, id: TextId, word: &str) -> Span {
        let text = &self.sources[id.0 as usize].text;
        let inside = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
        let found = text.match_indices(word).map(|(at, _)| at..at + word.len()).find(|range| {
            !inside(text[..range.start].chars().next_back())
                && !inside(text[range.end..].chars().next())
        });
        self.locate(id, found)
    }
}

impl Compiled<'_> {
    /// Returns whether some expression may read the column with the number `column`.
    #[must_use]
    pub fn reads(&self, column: u32, block: &Block) -> bool {
        let Some(name) = block.columns.names().get(column as usize) else { return false };
        self.reads_all || self.reads.contains(&**name)
    }

    /// Returns the program of the text `id`.
    #[must_use]
    pub fn program(&self, id: TextId) -> &Program<'_> {
        &self.programs[id.0 as usize]
    }
}

fn has_expression(text: &str) -> bool {
    ["{{", "{%", "{#"].iter().any(|open| text.contains(open))
}

fn program<'e>(
    source: &'e Source,
    environment: &'e Environment<'e>,
) -> Result<Program<'e>, minijinja::Error> {
    Ok(match source.kind {
        Kind::Text if !has_expression(&source.text) => {
            Program::Literal(source.text.as_str().into())
        }
        Kind::Text => {
            let plain = Plain::read(&source.text, source.variable.as_deref());
            Program::Template(environment.template_from_str(&source.text)?, plain)
        }
        Kind::Expression => {
            let text = bare(&source.text);
            let plain = PlainExpression::read(text, source.variable.as_deref());
            Program::Expression(Box::new(environment.compile_expression(text)?), plain)
        }
    })
}

/// An expression without the braces round it.
fn bare(text: &str) -> &str {
    let text = text.trim();
    let inner = text.strip_prefix("{{").and_then(|text| text.strip_suffix("}}"));
    inner.unwrap_or(text).trim()
}

/// A finding against the template.
pub(super) fn at_fault(
    source: &SourceFile,
    span: Span,
    message: impl Into<String>,
    help: Option<String>,
) -> Diagnostic {
    let message = crate::text::escaped(&message.into());
    let mut finding = Diagnostic::of_file(Code::TemplateSyntax, TEMPLATE, message);
    finding.help = help.map(|help| crate::text::escaped(&help));
    finding.region = Some(source.region(span));
    finding
}

/// Returns the message of an error of an expression.
pub(super) fn says(error: &minijinja::Error) -> String {
    use minijinja::ErrorKind as Kind;
    let detail = error.detail().unwrap_or_default();
    match error.kind() {
        Kind::OutOfFuel => {
            format!("the expression takes more than {} steps", grouped(FUEL))
        }
        _ if detail.contains(RECURSION) => {
            format!("the expression has more than {DEPTH} nested calls")
        }
        Kind::UndefinedError if detail.is_empty() => "undefined value".to_owned(),
        Kind::SyntaxError | Kind::InvalidOperation if !detail.is_empty() => detail.to_owned(),
        kind if detail.is_empty() => kind.to_string(),
        kind => format!("{kind}: {detail}"),
    }
}

pub(super) fn help_for(error: &minijinja::Error) -> Option<String> {
    use minijinja::ErrorKind as Kind;
    match error.kind() {
        Kind::SyntaxError => Some("an expression reads `{{ row.column | filter }}`".to_owned()),
        Kind::OutOfFuel => Some("shorten its loops".to_owned()),
        _ if error.detail().is_some_and(|detail| detail.contains(RECURSION)) => {
            Some("remove the macro that calls itself".to_owned())
        }
        _ => None,
    }
}

/// Returns the message and the help for a filter or a test that does not exist.
fn unknown_one(one: &Unknown, name: &str) -> (String, Option<String>) {
    match one.kind {
        Applied::Filter => {
            let help = "`lineload generate --help` names the filters".to_owned();
            (format!("unknown filter {}", quoted(name)), Some(help))
        }
        Applied::Test => (format!("unknown test {}", quoted(name)), None),
    }
}

/// The name among `names` that `name` was probably meant to be.
fn near<'n>(name: &str, names: &[&'n str]) -> Option<&'n str> {
    let plain = |name: &str| name.to_lowercase().replace(['-', ' ', '_'], "");
    let distance = |other: &&&str| strsim::damerau_levenshtein(&plain(other), &plain(name));
    let near = names.iter().min_by_key(distance)?;
    (distance(&near) <= (name.chars().count() / 3).max(1)).then_some(*near)
}

/// A few of many names.
fn shown(names: &[&str]) -> String {
    const NAMES_SHOWN: usize = 12;
    let mut shown: Vec<String> = names.iter().take(NAMES_SHOWN).map(|name| quoted(name)).collect();
    if names.len() > NAMES_SHOWN {
        shown.push(format!("{} more", names.len() - NAMES_SHOWN));
    }
    crate::text::list(&shown)
}
