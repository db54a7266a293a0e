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
use super::plain::Plain;
use super::rows::Block;

/// Instructions that one text of one row may take.
const FUEL: u64 = 50_000;
/// Calls within calls.
const DEPTH: usize = 50;
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
    Expression(Box<Expression<'e, 'e>>),
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
                    && scope.render(plain, out)
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
            Self::Expression(_) => out.push_str(&self.value(scope)?.to_string()),
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
            Self::Expression(expression) => expression.eval(scope.clone()),
        }
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
            Self::Expression(one) => one.undeclared_variables(true).into_iter().collect(),
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

impl Scope {
    /// Appends the text of `plain` to `out`. Returns false if a column of it is no text.
    fn render(&self, plain: &Plain, out: &mut String) -> bool {
        let row = self.row.downcast_object_ref::<RowValue>();
        let variable = self.each.as_ref().and_then(|(_, value)| value.as_str());
        plain.render(|column| row?.text(column), variable, out)
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
