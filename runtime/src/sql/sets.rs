//! New values of columns: what follows SET.

use super::pass::Pass;
use super::write::TABLE;
use super::writer::Writer;
use crate::meta::{ClientDefault, Column, Table};
use crate::query::{SetTo, generate};
use crate::value::Param;

impl<P: Pass> Writer<'_, P> {
    /// Writes new values of columns. The tenant's column is not changed.
    pub(super) fn push_sets(&mut self, table: &'static Table, sets: &[(u16, SetTo)]) {
        self.word(sets.len());
        let own = self.own_column(table);
        let mut glue = "";
        for (number, to) in sets.iter().filter(|(number, _)| Some(*number) != own) {
            let column = &table.columns[usize::from(*number)];
            self.push(glue);
            self.push_quoted(column.name);
            self.push(" = ");
            self.push_set_shape(*number, to);
            self.push_set(column, to, table);
            glue = ", ";
        }
        self.push_now_sets(table, sets.iter().map(|(column, _)| *column), glue);
    }

    fn push_set_shape(&mut self, column: u16, to: &SetTo) {
        let kind = match to {
            SetTo::Value(_) => 0,
            SetTo::Add(_) => 1,
            SetTo::Subtract(_) => 2,
            SetTo::Multiply(_) => 3,
            SetTo::Divide(_) => 4,
            SetTo::Append(_) => 5,
            SetTo::Computed(_) => 6,
            SetTo::Default | SetTo::JsonFields(_) | SetTo::Lookup { .. } | SetTo::Excluded => {
                return self.pass().give_up();
            }
        };
        self.pass().numbers(kind, column, 0);
    }

    /// Sets `@updatedAt` columns without a value, each after `glue`.
    pub(super) fn push_now_sets(
        &mut self,
        table: &'static Table,
        given: impl Iterator<Item = u16> + Clone,
        mut glue: &'static str,
    ) {
        if !P::IS_TEXT {
            return;
        }
        for column in now_columns(table, given) {
            self.push(glue);
            self.push_quoted(column.name);
            self.push(" = ");
            self.push_now(column);
            glue = ", ";
        }
    }

    /// Writes the time of the transaction. In ON CONFLICT, Citus takes that of the new row.
    fn push_now(&mut self, column: &Column) {
        if self.is_immutable {
            self.push("excluded.");
            return self.push_quoted(column.name);
        }
        self.push("CURRENT_TIMESTAMP");
    }

    fn push_set(&mut self, column: &Column, to: &SetTo, table: &Table) {
        match to {
            SetTo::Append(values) => self.push_appended(column, values.clone()),
            SetTo::Computed(operand) => self.push_computed(column, operand, table),
            SetTo::JsonFields(changes) => self.push_json_changes(column, changes),
            SetTo::Default => self.push_default(column),
            SetTo::Lookup { relation, column, key } => self.push_lookup(relation, *column, key),
            SetTo::Excluded => {
                self.push("excluded.");
                self.push_quoted(column.name);
            }
            SetTo::Value(value)
            | SetTo::Add(value)
            | SetTo::Subtract(value)
            | SetTo::Multiply(value)
            | SetTo::Divide(value) => {
                self.push_changed(column, to, |writer, is_operand| match column.wire {
                    Some(wire) if is_operand => {
                        writer.push_param(value.clone());
                        writer.push("::");
                        writer.push(wire);
                    }
                    _ => writer.push_value(column, value.clone()),
                });
            }
        }
    }

    /// Writes a value, after `t0."a" + ` if the new value is calculated from the old one. PostgreSQL calculates with
    /// `money` and `oid` as with their wire types; `push` is called with whether it is one of these.
    pub(super) fn push_changed(&mut self, column: &Column, to: &SetTo, push: impl FnOnce(&mut Self, bool)) {
        let operator = match to {
            SetTo::Add(_) => " + ",
            SetTo::Subtract(_) => " - ",
            SetTo::Multiply(_) => " * ",
            SetTo::Divide(_) => " / ",
            SetTo::Value(_)
            | SetTo::Append(_)
            | SetTo::Computed(_)
            | SetTo::JsonFields(_)
            | SetTo::Lookup { .. }
            | SetTo::Excluded
            | SetTo::Default => return push(self, false),
        };
        let travels = column.wire.is_some();
        self.push(if travels { "(" } else { "" });
        self.push_read(TABLE, column);
        self.push(operator);
        push(self, travels);
        if travels {
            self.push(")::");
            self.push(column.sql_type);
        }
    }

    /// Writes `coalesce(t0."tags", '{}') || $1`: a list that is null in the database is read as an empty one.
    fn push_appended(&mut self, column: &Column, values: Param) {
        self.push("coalesce(");
        if column.domain {
            self.push_comparable(TABLE, column)
        } else {
            self.push_column(TABLE, column)
        }
        self.push(", '{}') || ");
        self.push_typed(column, values);
    }

    pub(super) fn push_default(&mut self, column: &Column) {
        match column.default {
            _ if column.updated_at => self.push_now(column),
            ClientDefault::None => self.push("DEFAULT"),
            made => self.push_value(column, generate(made)),
        }
    }
}

/// Returns the `@updatedAt` columns without a value.
pub(super) fn now_columns(
    table: &'static Table,
    given: impl Iterator<Item = u16> + Clone,
) -> impl Iterator<Item = &'static Column> {
    let numbered = (0_u16..).zip(table.columns);
    numbered
        .filter(move |(number, column)| column.updated_at && !given.clone().any(|known| known == *number))
        .map(|(_, column)| column)
}
