//! Expressions of a column as SQL: operators and functions of its type.

use super::pass::Pass;
use super::writer::{Alias, Writer};
use crate::meta::{Column, Table};
use crate::query::{Expression, Form, Operand, OperandType};

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
    }

    fn push_form(&mut self, expression: &Expression, form: Form, table: &Table, alias: Alias) {
        self.pass().give_up();
        let column = &table.columns[usize::from(expression.column)];
        match form {
            Form::Infix(operator) => {
                self.push("(");
                self.push_column(alias, column);
                for operand in &expression.operands {
                    self.push(" ");
                    self.push(operator);
                    self.push(" ");
                    self.push_operand(operand, column);
                }
            }
            Form::Call(function) | Form::Distance { call: function, .. } => {
                self.push(function);
                self.push("(");
                self.push_column(alias, column);
                for operand in &expression.operands {
                    self.push(", ");
                    self.push_operand(operand, column);
                }
            }
        }
        self.push(")");
    }

    fn push_operand(&mut self, operand: &Operand, column: &Column) {
        let value = operand.value.clone();
        match operand.ty {
            OperandType::Column => self.push_typed(column, value),
            OperandType::Multirange => {
                self.push_param(value);
                self.push("::");
                self.push(&column.sql_type.replace("range", "multirange"));
            }
            OperandType::Named(ty) => {
                self.push_param(value);
                self.push_casts([ty]);
            }
        }
    }
}
