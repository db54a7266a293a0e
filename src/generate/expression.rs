//! Expressions of a template, and what they see of a row.
//!
//! In: the texts of a template and a row. Out: texts, or why there are none. Everything an
//! expression may use up is bounded: steps, depth, and the length of what it makes.

use std::sync::{Arc, Mutex, PoisonError};

use minijinja::value::{Enumerator, Object};
use minijinja::{
    AutoEscape, Environment, Error, ErrorKind, Expression, Template, UndefinedBehavior, Value,
};

use super::filters;
use super::plain::{self, Plain, PlainExpression};
use super::rows::Block;

/// Instructions that one text of one row may take.
pub(super) const FUEL: u64 = 50_000;
/// Calls within calls.
pub(super) const DEPTH: usize = 50;
/// A part of minijinja's message where they are more.
pub(super) const RECURSION: &str = "recursion limit";
/// The longest text that an expression may make, in bytes. No field takes more than 4,096 characters.
const LONGEST: usize = 1 << 20;

/// The variables of a template.
pub const VARIABLES: [&str; 4] = ["row", "number", "var", "document"];

/// The environment of all expressions, with the variables `vars` below `var`.
#[must_use]
pub fn environment(vars: &[(String, String)]) -> Environment<'static> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_auto_escape_callback(|_| AutoEscape::None);
    environment.set_recursion_limit(DEPTH);
    environment.set_fuel(Some(FUEL));
    environment.set_debug(true);
    environment.set_formatter(|output, state, value| {
        // What JSON has as null is as good as not there.
        if value.is_undefined() || value.is_none() {
            return Err(Error::from(ErrorKind::UndefinedError));
        }
        minijinja::escape_formatter(output, state, value)
    });
    let vars = vars.iter().map(|(name, value)| (name.clone(), Value::from(value.as_str())));
    environment.add_global("var", Value::from_pairs(vars));
    filters::add(&mut environment);
    environment
}

/// A text of a template, ready to be evaluated.
#[derive(Debug)]
pub enum Program<'e> {
    /// It is what it is.
    Literal(Box<str>),
    /// It holds expressions; those that are columns alone are read without a virtual machine.
    Template(Template<'e, 'e>, Option<Plain>),
    /// It is one, as in `$when`.
    Expression(Box<Expression<'e, 'e>>, Option<PlainExpression>),
}

impl Program<'_> {
    /// The text for a row.
    ///
    /// # Errors
    /// If the expression fails.
    pub fn render(&self, scope: &Value, out: &mut String) -> Result<(), Error> {
        match self {
            Self::Literal(text) => out.push_str(text),
            Self::Template(template, plain) => {
                let start = out.len();
                if let (Some(plain), Some(scope)) = (plain, scope.downcast_object_ref::<Scope>())
                    && plain.render(scope, out)
                    && out.len() - start <= LONGEST
                {
                    return Ok(());
                }
                out.truncate(start);
                let text = template.render(scope.clone())?;
                if text.len() > LONGEST {
                    return Err(Error::new(ErrorKind::InvalidOperation, "the text is too long"));
                }
                out.push_str(&text);
            }
            Self::Expression(..) => out.push_str(&self.value(scope)?.to_string()),
        }
        Ok(())
    }

    /// The value for a row.
    ///
    /// # Errors
    /// If the expression fails.
    pub fn value(&self, scope: &Value) -> Result<Value, Error> {
        match self {
            Self::Literal(text) => Ok(Value::from(text.as_ref())),
            Self::Template(template, _) => template.render(scope.clone()).map(Value::from),
            Self::Expression(expression, _) => expression.eval(scope.clone()),
        }
    }

    /// Returns whether the value for a row is true.
    ///
    /// # Errors
    /// If the expression fails.
    pub fn holds(&self, scope: &Value) -> Result<bool, Error> {
        if let Self::Expression(_, Some(PlainExpression::Value(chain))) = self
            && let Some(scope) = scope.downcast_object_ref::<Scope>()
            && let Some(text) = chain.text(scope)
        {
            return Ok(!text.is_empty());
        }
        self.value(scope).map(|value| value.is_true())
    }

    /// Returns the items of the value for a row.
    ///
    /// # Errors
    /// If the expression fails, or its value has no items.
    pub fn items(&self, scope: &Value) -> Result<Box<dyn Iterator<Item = Value>>, Error> {
        if let Self::Expression(_, Some(PlainExpression::Split(chain, separator))) = self
            && let Some(scope) = scope.downcast_object_ref::<Scope>()
            && let Some(text) = chain.text(scope)
        {
            let items: Vec<_> = text.split(&**separator).map(Value::from).collect();
            return Ok(Box::new(items.into_iter()));
        }
        Ok(Box::new(self.value(scope)?.try_iter()?))
    }

    /// Returns the names that it does not define itself: `row.title`, or `row` alone where it takes columns by
    /// names that it works out.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        let mut names: Vec<_> = match self {
            Self::Literal(_) => return Vec::new(),
            Self::Template(template, _) => {
                template.undeclared_variables(true).into_iter().collect()
            }
            Self::Expression(one, _) => one.undeclared_variables(true).into_iter().collect(),
        };
        names.sort_unstable();
        names
    }
}

/// A row as an expression sees it.
#[derive(Debug)]
pub struct RowValue {
    block: Arc<Block>,
    row: usize,
    /// The columns that were read, where somebody wants to know.
    read: Option<Mutex<Vec<u32>>>,
}

impl RowValue {
    /// The row with the index `row` of `block`.
    #[must_use]
    pub const fn new(block: Arc<Block>, row: usize) -> Self {
        Self { block, row, read: None }
    }

    /// The same; it remembers which columns are read.
    #[must_use]
    pub const fn traced(block: Arc<Block>, row: usize) -> Self {
        Self { block, row, read: Some(Mutex::new(Vec::new())) }
    }

    /// The text in the column `name`, unless somebody wants to know what is read.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        if self.read.is_some() {
            return None;
        }
        let column = self.block.columns.number(name)?;
        self.block.text_of(self.block.cell(self.block.rows.get(self.row)?, column)?)
    }

    /// The columns that were read, in order.
    #[must_use]
    pub fn columns_read(&self) -> Vec<u32> {
        let Some(read) = &self.read else { return Vec::new() };
        read.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Object for RowValue {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.get_value_by_str(key.as_str()?)
    }

    fn get_value_by_str(self: &Arc<Self>, key: &str) -> Option<Value> {
        let column = self.block.columns.number(key)?;
        if let Some(read) = &self.read {
            let mut read = read.lock().unwrap_or_else(PoisonError::into_inner);
            if !read.contains(&column) {
                read.push(column);
            }
        }
        let row = self.block.rows.get(self.row)?;
        Some(self.block.value_of(self.block.cell(row, column)?))
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        let Some(row) = self.block.rows.get(self.row) else { return Enumerator::Empty };
        let names = self.block.columns.names();
        let name = |column: u32| names.get(column as usize).map(|name| Value::from(&**name));
        let names: Vec<_> =
            self.block.cells(row).iter().filter_map(|cell| name(cell.column)).collect();
        Enumerator::Values(names)
    }
}

/// The variables of an expression.
#[derive(Debug)]
pub struct Scope {
    /// `row`.
    pub row: Value,
    /// `number`: that of the row, from 1.
    pub number: u32,
    /// `document`: what stands beside the rows, where they are a part of a document.
    pub document: Value,
    /// The variable of `$for`.
    pub each: Option<(Arc<str>, Value)>,
}

impl plain::Row for Scope {
    fn column(&self, name: &str) -> Option<&str> {
        self.row.downcast_object_ref::<RowValue>()?.text(name)
    }

    fn variable(&self) -> Option<&str> {
        self.each.as_ref().and_then(|(_, value)| value.as_str())
    }
}

impl Object for Scope {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.get_value_by_str(key.as_str()?)
    }

    fn get_value_by_str(self: &Arc<Self>, key: &str) -> Option<Value> {
        match &self.each {
            Some((name, value)) if **name == *key => return Some(value.clone()),
            _ => {}
        }
        match key {
            "row" => Some(self.row.clone()),
            "number" => Some(Value::from(self.number)),
            "document" => Some(self.document.clone()),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::generate::rows::{Cell, Columns, Content, Row};
    use crate::source::Span;

    /// The variables of a row that has `value` in the column `a`.
    fn scope(value: &str) -> Value {
        let mut columns = Columns::default();
        let column = columns.add("a");
        let span = Span::default();
        let block = Arc::new(Block {
            columns: Arc::new(columns),
            rows: vec![Row { number: 1, span, first: 0, cells: 1 }],
            cells: vec![Cell { column, span, content: Content::Cooked(value.into()) }],
            ..Block::default()
        });
        let row = Value::from_object(RowValue::new(block, 0));
        Value::from_object(Scope { row, number: 1, document: Value::UNDEFINED, each: None })
    }

    /// The filters of plain texts.
    const FILTERS: [&str; 13] = [
        "artifact_name",
        "basename",
        "default",
        "default('x')",
        "lower",
        "one_line",
        "replace('a', \"bc\")",
        "replace( \"/\" , '' )",
        "replace('|', \"'\")",
        "strip_prefix('a')",
        "strip_suffix(\"b/\",)",
        "trim()",
        "upper",
    ];

    proptest! {
        /// Whatever a plain text or expression makes is what minijinja makes; what it does not make, is
        /// left to minijinja.
        #[test]
        fn plain_programs_agree_with_minijinja(
            value in prop_oneof!["[aAb/| -]{0,12}", "\\PC{0,8}", "[a\u{df}\u{130} \t\u{a0}\n]{0,8}"],
            chain in proptest::collection::vec(0..FILTERS.len(), 0..4),
        ) {
            let environment = environment(&[]);
            let filters: String = chain.iter().map(|at| format!(" | {}", FILTERS[*at])).collect();
            let text = format!("<{{{{ row.a{filters} }}}}>");
            let plain = Plain::read(&text, None).expect("a plain text");
            let scope = scope(&value);
            let template = environment.template_from_str(&text).unwrap();
            let expected = template.render(scope.clone());
            let mut out = String::from("before ");
            let is_plain = plain.render(scope.downcast_object_ref::<Scope>().unwrap(), &mut out);
            match &expected {
                Ok(expected) => prop_assert_eq!((is_plain, out), (true, format!("before {expected}"))),
                Err(_) => prop_assert_eq!((is_plain, &*out), (false, "before ")),
            }
            let split = |separator: &str| format!("row.a{filters} | split('{separator}')");
            for expression in [format!("row.a{filters}"), split("/"), split("|")] {
                let plain = PlainExpression::read(&expression, None);
                prop_assert!(plain.is_some(), "{expression}");
                let of = |plain| {
                    let compiled = environment.compile_expression(&expression).unwrap();
                    Program::Expression(Box::new(compiled), plain)
                };
                let (quick, slow) = (of(plain), of(None));
                prop_assert_eq!(quick.holds(&scope).ok(), slow.holds(&scope).ok());
                let items = |program: &Program<'_>| program.items(&scope).ok().map(Iterator::collect::<Vec<_>>);
                prop_assert_eq!(items(&quick), items(&slow));
            }
        }
    }
}
