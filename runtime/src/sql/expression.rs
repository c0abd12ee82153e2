//! Expressions as SQL: operators and functions, calculations, CASE, and SQL of the program.

use super::pass::Pass;
use super::write::TABLE;
use super::writer::{Alias, Writer, comparable_type};
use crate::meta::{Column, Table};
use crate::query::{Expression, Form, Now, Operand, OperandType, ServerTime, parts};
use crate::value::Param;

/// Words of a shape; words of conditions begin with 2.
const OPERANDS: usize = 40;
const COLUMN: usize = 41;
const VALUE: usize = 42;
const NOW: usize = 43;
const CONDITION: usize = 44;

const READS_TABLES: &str = "SQL of a program that reads a table is not confined to a tenant: use the filters of relations, or \
    leave the handle of the tenant";
const NOT_ENCLOSED: &str = "SQL of a program must be one expression: close every parenthesis, string and name that it opens, \
    and write no semicolon and no comment at its end";
const NOT_ON_CITUS: &str =
    "Citus does not accept a time of the server in the update of an upsert: set the time of the program";

/// The type in which an operand is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Read {
    /// Its own.
    Own,
    /// That in which it travels.
    Wire,
    /// One whose values PostgreSQL can compare and group by.
    Comparable,
    Text,
}

impl<P: Pass> Writer<'_, P> {
    pub(super) fn push_expression(&mut self, expression: &Expression, table: &Table, alias: Alias) {
        self.push_form(expression, expression.form, table, alias);
    }

    /// Writes an expression to sort by, so that PostgreSQL can use an index.
    pub(super) fn push_sort_expression(&mut self, expression: &Expression, table: &Table, alias: Alias) {
        let form = match expression.form {
            Form::Distance { infix, .. } => Form::Infix(infix),
            form => form,
        };
        self.push_form(expression, form, table, alias);
        self.push_comparable_type(expression, table);
    }

    fn push_comparable_type(&mut self, expression: &Expression, table: &Table) {
        let column = expression.like.map(|number| &table.columns[usize::from(number)]);
        if let Some(ty) = column.and_then(comparable_type) {
            self.push_casts([ty]);
        }
    }

    /// Writes an expression whose value is read, or is that of a column, in the type in which it travels.
    pub(super) fn push_read_expression(&mut self, expression: &Expression, table: &Table, alias: Alias) {
        self.push_expression(expression, table, alias);
        let wire = expression.like.and_then(|column| table.columns[usize::from(column)].wire);
        if let Some(wire) = wire.filter(|_| !matches!(expression.form, Form::Arithmetic(_))) {
            self.push_casts([wire]);
        }
    }

    /// Writes `(..) = ANY($1)`: an expression has one of the values.
    pub(super) fn push_in_operand(&mut self, operand: &Operand, values: &Param, table: &Table, alias: Alias) {
        let like = operand.like().map(|number| &table.columns[usize::from(number)]);
        let comparable = like.and_then(|column| Some((column, comparable_type(column)?)));
        self.push_operand(operand, None, table, alias, Read::Own);
        if let Some((_, ty)) = comparable {
            self.push_casts([ty]);
        }
        self.push(" = ANY(");
        match (like, comparable) {
            (_, Some((column, ty))) => {
                self.push_param(values.clone());
                self.push_comparable_cast(column, ty, "[]");
            }
            (Some(column), None) => self.push_values(column, values.clone()),
            (None, None) => self.push_param(values.clone()),
        }
        self.push(")");
    }

    /// Writes a comparison of operands. A value has the type of the other operand.
    pub(super) fn push_operand_of_comparison(
        &mut self,
        operand: &Operand,
        other: &Operand,
        table: &Table,
        alias: Alias,
    ) {
        let like = operand.like().or(other.like()).map(|number| &table.columns[usize::from(number)]);
        let Some((column, ty)) = like.and_then(|column| Some((column, comparable_type(column)?))) else {
            let read = if is_arithmetic(operand) || is_arithmetic(other) { Read::Wire } else { Read::Own };
            return self.push_operand(operand, other.like(), table, alias, read);
        };
        match operand {
            Operand::Value { value, ty: OperandType::Column } => {
                self.word(VALUE | 6 << 8);
                self.push_comparable_value(column, value.clone());
            }
            _ => {
                self.push_operand(operand, None, table, alias, Read::Own);
                self.push_casts([ty]);
            }
        }
    }

    /// Writes the new value of a column, which PostgreSQL computes from the old row.
    pub(super) fn push_computed(&mut self, column: &Column, operand: &Operand, table: &Table) {
        let is_cast = column.wire.is_some() || column.domain;
        self.push(if is_cast { "(" } else { "" });
        self.push_operand(operand, None, table, TABLE, Read::Own);
        if is_cast {
            self.push(")::");
            self.push(column.sql_type);
        }
    }

    fn push_form(&mut self, expression: &Expression, form: Form, table: &Table, alias: Alias) {
        // A calculation has the type in which its operands travel.
        let own = if expression.operands.iter().any(is_arithmetic) { Read::Wire } else { Read::Own };
        self.word(OPERANDS | kind(form) << 8 | expression.operands.len() << 16);
        match form {
            Form::Infix(operator) => {
                self.push("(");
                self.push_list(expression, operator, table, alias, own);
                self.push(")");
            }
            Form::Arithmetic(operator) => {
                self.push("(");
                self.push_list(expression, operator, table, alias, Read::Wire);
                self.push(")");
            }
            Form::Call(function) | Form::Distance { call: function, .. } => {
                self.pass().static_text(function);
                self.push("(");
                self.push_list(expression, ",", table, alias, own);
                self.push(")");
            }
            Form::CallOfTexts(function) => {
                self.pass().static_text(function);
                self.push("(");
                self.push_list(expression, ",", table, alias, Read::Text);
                self.push(")");
            }
            Form::Refused(reason) => self.refuse(reason.param()),
            Form::Template(text) => self.push_template(expression, text, table, alias),
            Form::Sql(text) => {
                if self.tenant.is_some() && reads_tables(text) {
                    self.refuse(Param::Misuse(READS_TABLES));
                }
                if (self.tenant.is_some() || table.has_scopes()) && !relata_pgsql::is_enclosed(text) {
                    self.refuse(Param::Misuse(NOT_ENCLOSED));
                }
                self.push("(");
                self.push_template(expression, text, table, alias);
                self.push(")");
            }
            Form::Case => self.push_case(expression, own, table, alias),
        }
    }

    /// Writes the operands with an operator or a comma between them.
    fn push_list(&mut self, expression: &Expression, between: &'static str, table: &Table, alias: Alias, read: Read) {
        for (index, operand) in expression.operands.iter().enumerate() {
            if index > 0 {
                self.push(if between == "," { "" } else { " " });
                self.pass().static_text(between);
                self.push(" ");
            }
            self.push_operand(operand, expression.like_of_operands(), table, alias, read);
        }
    }

    /// Writes a text in which `{}` stands for an operand. Its parts do not overlap, so the whole text is a word of the shape.
    fn push_template(&mut self, expression: &Expression, text: &'static str, table: &Table, alias: Alias) {
        self.word(text.as_ptr().addr());
        self.word(text.len());
        let mut parts = if P::IS_TEXT { parts(text) } else { Vec::new() }.into_iter();
        self.push(&parts.next().unwrap_or_default());
        for operand in &expression.operands {
            self.push_operand(operand, expression.like_of_operands(), table, alias, Read::Own);
            self.push(&parts.next().unwrap_or_default());
        }
    }

    fn push_case(&mut self, expression: &Expression, own: Read, table: &Table, alias: Alias) {
        self.push("CASE");
        let mut operands = expression.operands.iter().peekable();
        while let Some(operand) = operands.next() {
            if let (Operand::Condition(_), Some(value)) = (operand, operands.peek()) {
                self.push(" WHEN ");
                self.push_operand(operand, None, table, alias, Read::Own);
                self.push(" THEN ");
                self.push_operand(value, expression.like, table, alias, own);
                operands.next();
            } else {
                self.push(" ELSE ");
                self.push_operand(operand, expression.like, table, alias, own);
            }
        }
        self.push(" END");
    }

    /// Writes an operand; `like` is the column whose type a value has.
    pub(super) fn push_operand(
        &mut self,
        operand: &Operand,
        like: Option<u16>,
        table: &Table,
        alias: Alias,
        read: Read,
    ) {
        match operand {
            Operand::Column(number) => {
                self.pass().numbers(COLUMN, *number, 0);
                let column = &table.columns[usize::from(*number)];
                match read {
                    Read::Own => self.push_column(alias, column),
                    Read::Wire => self.push_read(alias, column),
                    Read::Comparable => self.push_comparable(alias, column),
                    Read::Text => self.push_text(alias, column),
                }
            }
            Operand::Expression(expression) if read == Read::Wire => {
                self.push_read_expression(expression, table, alias);
            }
            Operand::Expression(expression) => {
                self.push_expression(expression, table, alias);
                if read == Read::Comparable {
                    self.push_comparable_type(expression, table);
                }
            }
            Operand::Condition(condition) => {
                self.word(CONDITION);
                self.push_condition(condition, table, alias);
            }
            Operand::Now(now) => self.push_server_time(now),
            Operand::Value { value, ty } => {
                let column = like.map(|number| &table.columns[usize::from(number)]);
                self.push_operand_value(value.clone(), *ty, column, read);
            }
        }
    }

    fn push_operand_value(&mut self, value: Param, ty: OperandType, like: Option<&Column>, read: Read) {
        match (ty, like) {
            (OperandType::Named(ty), _) => {
                self.word(VALUE);
                self.push_param(value);
                self.push("::");
                self.pass().static_text(ty);
            }
            (OperandType::Multirange, Some(column)) => {
                self.word(VALUE | 1 << 8);
                self.push_param(value);
                self.push("::");
                self.push(&column.sql_type.replace("range", "multirange"));
            }
            (OperandType::Inferred, _) | (_, None) => {
                self.word(VALUE | 4 << 8);
                self.push_param(value);
            }
            (_, Some(_)) if read == Read::Text => {
                self.word(VALUE | 5 << 8);
                self.push_param(value);
                self.push_casts(["text"]);
            }
            (_, Some(column)) if read == Read::Wire => {
                self.word(VALUE | 2 << 8);
                self.push_param(value);
                self.push_casts([column.wire.unwrap_or(column.sql_type)]);
            }
            (_, Some(column)) => {
                self.word(VALUE | 3 << 8);
                self.push_typed(column, value);
            }
        }
    }

    /// Writes a time of the server, in parentheses if something is added to it.
    fn push_server_time(&mut self, now: &Now) {
        if self.is_immutable {
            return self.refuse(Param::Misuse(NOT_ON_CITUS));
        }
        self.word(NOW | (now.time as usize) << 8 | usize::from(now.plus.is_some()) << 16);
        let (time, ty) = match now.time {
            ServerTime::Transaction => ("CURRENT_TIMESTAMP", ["text", "interval"]),
            ServerTime::Date => ("CURRENT_DATE", ["bigint", "integer"]),
        };
        match &now.plus {
            None => self.push(time),
            Some(plus) => {
                self.push("(");
                self.push(time);
                self.push(" + ");
                self.push_param(plus.clone());
                self.push_casts(ty);
                self.push(")");
            }
        }
    }
}

fn is_arithmetic(operand: &Operand) -> bool {
    matches!(operand, Operand::Expression(Expression { form: Form::Arithmetic(_), .. }))
}

/// Returns a number for the kind of a form.
fn kind(form: Form) -> usize {
    match form {
        Form::Infix(_) => 0,
        Form::Arithmetic(_) => 1,
        Form::Call(_) | Form::Distance { .. } => 2,
        Form::CallOfTexts(_) => 3,
        Form::Template(_) => 4,
        Form::Sql(_) => 5,
        Form::Case => 6,
        Form::Refused(_) => 7,
    }
}

/// Returns whether SQL may read a table.
fn reads_tables(sql: &str) -> bool {
    relata_pgsql::tokens(sql).any(|token| ["select", "table"].iter().any(|word| token.is_word(sql, word)))
}
