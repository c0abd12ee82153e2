//! Values that PostgreSQL computes, as data.

use std::fmt::Write;

use super::condition::{Condition, MAX_DEPTH};
use crate::meta::{Column, Table};
use crate::value::Param;

/// Why an expression cannot be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refusal {
    TooDeep,
    WrongNumberOfArguments,
}

impl Refusal {
    /// Returns the parameter that cannot be sent.
    pub(crate) fn param(self) -> Param {
        match self {
            Refusal::TooDeep => Param::Refused("an expression has more than 256 expressions inside one another"),
            Refusal::WrongNumberOfArguments => Param::Misuse(
                "SQL in an expression or a filter needs one argument for each `{}`; `{{` and `}}` are braces",
            ),
        }
    }
}

/// An operator, a function or other SQL, with its operands.
#[derive(Debug, Clone)]
pub(crate) struct Expression {
    pub(crate) form: Form,
    /// In the order of the text.
    pub(crate) operands: Vec<Operand>,
    /// The column whose type the value has, if there is one.
    pub(crate) like: Option<u16>,
    /// The maximum depth of its expressions and conditions.
    pub(crate) levels: u16,
}

impl Expression {
    /// Creates an expression whose value may have another type than its operands.
    pub(crate) fn new(form: Form, operands: Vec<Operand>) -> Self {
        Self::typed(form, operands, None)
    }

    /// Creates an expression whose value has the type of a column.
    pub(crate) fn typed(form: Form, operands: Vec<Operand>, like: Option<u16>) -> Self {
        let levels = operands.iter().map(Operand::levels).max().unwrap_or_default();
        Self::deep(form, operands, like, levels)
    }

    /// Creates an expression around operands of this depth.
    pub(crate) fn deep(form: Form, operands: Vec<Operand>, like: Option<u16>, levels: u16) -> Self {
        if levels >= MAX_DEPTH {
            return Self::refused(Refusal::TooDeep);
        }
        Self { form, operands, like, levels: levels + 1 }
    }

    /// Creates an expression that cannot be sent.
    pub(crate) fn refused(reason: Refusal) -> Self {
        Self { form: Form::Refused(reason), operands: Vec::new(), like: None, levels: 1 }
    }

    /// Returns the column whose type the values among its operands have.
    pub(crate) fn like_of_operands(&self) -> Option<u16> {
        self.operands.iter().find_map(Operand::like)
    }

    /// Returns the name of the value in errors: that of the first column that it is computed from.
    pub(crate) fn name(&self, table: &'static Table) -> &'static str {
        self.find_column(table, |_| true).map_or("an expression", |column| column.name)
    }

    /// Returns the first column with a property that it is computed from.
    pub(crate) fn find_column(&self, table: &'static Table, wanted: fn(&Column) -> bool) -> Option<&'static Column> {
        self.operands.iter().find_map(|operand| match operand {
            Operand::Column(column) => Some(&table.columns[usize::from(*column)]).filter(|column| wanted(column)),
            Operand::Expression(inner) => inner.find_column(table, wanted),
            Operand::Condition(_) | Operand::Value { .. } | Operand::Now(_) => None,
        })
    }

    /// Writes it in words, including the values. Only its fingerprint is used.
    pub(super) fn write_signature(&self, text: &mut String) -> std::fmt::Result {
        write!(text, "{:?}(", self.form)?;
        for operand in &self.operands {
            match operand {
                Operand::Column(column) => write!(text, "{column},")?,
                Operand::Expression(inner) => inner.write_signature(text)?,
                Operand::Condition(condition) => write!(text, "{condition:?},")?,
                Operand::Value { value, .. } => write!(text, "{},", value.words())?,
                Operand::Now(now) => {
                    write!(text, "{:?} {},", now.time, now.plus.as_ref().map(Param::words).unwrap_or_default())?
                }
            }
        }
        text.write_char(')')
    }
}

/// How an expression is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// An operator between the operands.
    Infix(&'static str),
    /// An operator between numbers. PostgreSQL calculates with `money` and `oid` as with the types in which they travel.
    Arithmetic(&'static str),
    /// A function of the operands.
    Call(&'static str),
    /// A function of texts.
    CallOfTexts(&'static str),
    #[cfg_attr(not(feature = "geo"), expect(dead_code, reason = "only places have both"))]
    /// A function, and an operator with the same value that an index can sort by.
    Distance { call: &'static str, infix: &'static str },
    /// SQL with `{}` in the place of each operand.
    Template(&'static str),
    /// The same, written by a program.
    Sql(&'static str),
    /// Nothing, because the statement cannot be sent.
    Refused(Refusal),
    /// CASE: pairs of a condition and a value, and perhaps a last value.
    Case,
}

/// A part of an expression.
#[derive(Debug, Clone)]
pub(crate) enum Operand {
    Column(u16),
    Expression(Expression),
    Condition(Condition),
    Value { value: Param, ty: OperandType },
    Now(Now),
}

impl Operand {
    /// Creates a value whose type is that of the operands with which it is written.
    pub(crate) fn value(value: Param) -> Self {
        Operand::Value { value, ty: OperandType::Column }
    }

    /// Returns the column whose type it has.
    pub(crate) fn like(&self) -> Option<u16> {
        match self {
            Operand::Column(column) => Some(*column),
            Operand::Expression(expression) => expression.like,
            Operand::Condition(_) | Operand::Value { .. } | Operand::Now(_) => None,
        }
    }

    /// Returns the name of its value in errors.
    pub(crate) fn name(&self, table: &'static Table) -> &'static str {
        match self {
            Operand::Column(column) => table.columns[usize::from(*column)].name,
            Operand::Expression(expression) => expression.name(table),
            Operand::Condition(_) | Operand::Value { .. } | Operand::Now(_) => "a value",
        }
    }

    pub(crate) fn levels(&self) -> u16 {
        match self {
            Operand::Expression(expression) => expression.levels,
            Operand::Column(_) | Operand::Condition(_) | Operand::Value { .. } | Operand::Now(_) => 0,
        }
    }
}

/// The type of a value in an expression.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OperandType {
    /// That of the first column of the expression; without one, PostgreSQL infers it.
    Column,
    #[cfg_attr(not(feature = "types"), expect(dead_code, reason = "only ranges have one"))]
    /// The multirange of that column, which is a range.
    Multirange,
    /// The one that PostgreSQL infers.
    Inferred,
    /// A type by its name.
    Named(&'static str),
}

/// A time of the server.
#[derive(Debug, Clone)]
pub(crate) struct Now {
    pub(crate) time: ServerTime,
    /// What is added to it: an interval as a text, or a number of days.
    pub(crate) plus: Option<Param>,
}

impl Now {
    /// The time at which the transaction began.
    pub(crate) const TRANSACTION: Self = Self { time: ServerTime::Transaction, plus: None };
}

/// Which time of the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ServerTime {
    /// The time at which the transaction began.
    Transaction,
    /// The date at that time, in the time zone of the session.
    Date,
}

/// Returns the parts of a template around its `{}`. `{{` and `}}` are braces.
pub(crate) fn parts(text: &str) -> Vec<String> {
    let unescape = |part: &str| part.replace('\u{1}', "{").replace('\u{2}', "}");
    let escaped = text.replace("{{", "\u{1}").replace("}}", "\u{2}");
    escaped.split("{}").map(unescape).collect()
}

/// Returns the number of `{}` in a template.
pub(crate) fn places(text: &str) -> usize {
    parts(text).len() - 1
}
