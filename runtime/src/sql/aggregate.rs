//! SELECT statements that calculate values over all rows, or over each group.

use super::expression::Read;
use super::pass::Pass;
use super::statement::Statement;
use super::tenant::Context;
use super::writer::{Alias, Writer, compared_by_its_text};
use crate::meta::{Column, Table};
use crate::query::{
    Aggregation, Calculation, Expression, Function, GroupCondition, GroupTerm, NOT_GROUPED_BY, Operand, OrderKey,
    OrderTerm, Select,
};
use crate::value::{Averaged, Param, Summed};

/// Returns the statement of an aggregation: the columns of the groups, then the calculated values.
pub(crate) fn aggregate_statement(context: Context<'_>, aggregation: &Aggregation) -> Statement {
    let mut writer = Writer::new(context);
    let (select, table) = (&aggregation.select, aggregation.select.table);
    let alias = writer.alias();
    writer.push("SELECT ");
    let mut glue = "";
    let mut keys = Vec::new();
    for key in &aggregation.group_by {
        writer.push(glue);
        keys.push(writer.push_group_key(key, table, alias));
        glue = ", ";
    }
    for calculation in &aggregation.calculations {
        writer.push(glue);
        writer.push_calculation(calculation, table, alias);
        writer.push_wire(calculation, table);
        glue = ", ";
    }
    if glue.is_empty() {
        // Without values there is one row anyway, as with any other aggregate.
        writer.push("count(*)");
    }
    writer.push(" FROM ");
    if select.is_cut() || select.cursor.is_some() {
        writer.push_rows(select, alias);
    } else {
        writer.push_table(table, alias);
        writer.push_where(&select.condition, table, alias);
    }
    for (index, key) in keys.iter().enumerate() {
        writer.push(if index > 0 { ", " } else { " GROUP BY " });
        writer.push(key);
    }
    if let Some(having) = &aggregation.having {
        writer.push(" HAVING ");
        writer.push_having(having, table, alias);
    }
    writer.push_groups_order(aggregation, &keys, alias);
    writer.push_limit(aggregation.take, aggregation.skip);
    writer.finish()
}

/// Returns whether PostgreSQL has no order for the type, or only one as text.
fn is_ordered_as_text(column: &Column) -> bool {
    matches!(column.sql_type, "xml" | "varbit")
}

/// Returns the column whose type the result of a calculation has.
fn column_of(calculation: &Calculation, table: &'static Table) -> Option<&'static Column> {
    match calculation {
        Calculation::Of(Function::Least | Function::Greatest, operand) => {
            operand.like().map(|column| &table.columns[usize::from(column)])
        }
        _ => None,
    }
}

fn end_of_sum(summed: Summed) -> &'static str {
    match summed {
        Summed::Interval => "), '0')",
        Summed::Bigint => "), 0)::bigint",
        Summed::Double => "), 0)::double precision",
        Summed::Numeric => "), 0)::numeric",
    }
}

fn end_of_average(averaged: Averaged) -> &'static str {
    match averaged {
        Averaged::Double => ")::double precision",
        Averaged::Same => ")",
        Averaged::Numeric => ")::numeric",
    }
}

/// Returns whether two expressions are the same SQL with the same values.
fn is_same(one: &Expression, another: &Expression, table: &Table) -> bool {
    let written = |expression| {
        let mut writer = Writer::new(Context::default());
        writer.push_expression(expression, table, Alias(0));
        writer.finish()
    };
    let (one, another) = (written(one), written(another));
    one.sql() == another.sql() && one.params == another.params
}

impl Writer<'_> {
    /// Writes what rows are grouped by as a result, and returns the text that stands for it in GROUP BY and ORDER BY. It has
    /// the numbers of the same parameters.
    fn push_group_key(&mut self, key: &Operand, table: &'static Table, alias: Alias) -> String {
        let start = self.pass().0.len();
        self.push_operand(key, None, table, alias, Read::Comparable);
        let text = self.pass().0[start..].to_owned();
        if let Some(column) = key.like().map(|column| &table.columns[usize::from(column)]) {
            let own = compared_by_its_text(column.sql_type).then_some(column.sql_type);
            own.into_iter().chain(column.wire).for_each(|ty| self.push_casts([ty]));
        }
        text
    }
}

impl<P: Pass> Writer<'_, P> {
    /// `(SELECT t1.* FROM .. ORDER BY .. LIMIT ..) AS t0`: a part of a table's rows.
    fn push_rows(&mut self, select: &Select, alias: Alias) {
        let inner = self.alias();
        let order = select.directed_order();
        self.push("(");
        self.push_cursor(select, &order);
        self.push("SELECT ");
        self.push_alias(inner);
        self.push(".* FROM ");
        self.push_source(select, inner, None);
        let mut first = true;
        if select.distinct.is_empty() {
            self.push_confined_also(select.table, inner, select.condition.lifted(), &mut first);
            self.push_also(&select.condition, select.table, inner, &mut first);
        }
        self.push_starts(select, &order, inner, &mut first);
        self.push_order(&order, select.table, inner);
        self.push_limit(select.take, select.skip);
        self.push(") AS ");
        self.push_alias(alias);
    }

    /// PostgreSQL has no `min` of uuid, which is ordered as text, nor of boolean.
    fn push_calculation(&mut self, calculation: &Calculation, table: &'static Table, alias: Alias) {
        let Calculation::Of(function, operand) = calculation else { return self.push("count(*)") };
        let like = operand.like().map(|column| &table.columns[usize::from(column)]);
        let as_text = like.is_some_and(is_ordered_as_text);
        let (before, read, after) = match (*function, like.map_or("", |column| column.sql_type)) {
            (Function::Count, _) => ("count(", Read::Own, ")"),
            (Function::CountDistinct, _) => ("count(DISTINCT ", Read::Comparable, ")"),
            (Function::Sum(summed), _) => ("coalesce(sum(", Read::Wire, end_of_sum(summed)),
            (Function::Average(Averaged::Same), _) => ("avg(", Read::Own, ")"),
            (Function::Average(averaged), _) => ("avg(", Read::Wire, end_of_average(averaged)),
            (Function::Least, "uuid") => ("min(", Read::Own, "::text COLLATE \"C\")::uuid"),
            (Function::Greatest, "uuid") => ("max(", Read::Own, "::text COLLATE \"C\")::uuid"),
            (Function::Least, "boolean") => ("bool_and(", Read::Own, ")"),
            (Function::Greatest, "boolean") => ("bool_or(", Read::Own, ")"),
            (Function::Least, _) => ("min(", Read::Own, if as_text { "::text)" } else { ")" }),
            (Function::Greatest, _) => ("max(", Read::Own, if as_text { "::text)" } else { ")" }),
        };
        self.push(before);
        self.push_operand(operand, None, table, alias, read);
        self.push(after);
        if let (Function::Average(Averaged::Same), Some(wire)) = (function, like.and_then(|column| column.wire)) {
            self.push_casts([wire]);
        }
    }

    /// Writes the wire type of a calculated value, if it is different.
    fn push_wire(&mut self, calculation: &Calculation, table: &'static Table) {
        if let Some(wire) = column_of(calculation, table).and_then(|column| column.wire) {
            self.push("::");
            self.push(wire);
        }
    }

    fn push_having(&mut self, condition: &GroupCondition, table: &'static Table, alias: Alias) {
        match condition {
            GroupCondition::And(parts) => self.push_having_parts(parts, " AND ", table, alias),
            GroupCondition::Or(parts) => self.push_having_parts(parts, " OR ", table, alias),
            GroupCondition::Refused(reason) => {
                self.refuse(Param::Refused(reason));
            }
            GroupCondition::Not(part) => {
                self.push("NOT (");
                self.push_having(part, table, alias);
                self.push(")");
            }
            GroupCondition::Compare { calculation, operator, value } => {
                self.push_calculation(calculation, table, alias);
                self.push(operator.sql());
                self.push_calculated_value(calculation, value.clone(), table);
            }
        }
    }

    fn push_having_parts(&mut self, parts: &[GroupCondition], between: &str, table: &'static Table, alias: Alias) {
        for (index, part) in parts.iter().enumerate() {
            self.push(if index > 0 { between } else { "(" });
            self.push_having(part, table, alias);
        }
        self.push(")");
    }

    fn push_calculated_value(&mut self, calculation: &Calculation, value: Param, table: &'static Table) {
        match column_of(calculation, table) {
            Some(column) if !is_ordered_as_text(column) => self.push_value(column, value),
            _ => self.push_param(value),
        }
    }

    fn push_groups_order(&mut self, aggregation: &Aggregation, keys: &[String], alias: Alias) {
        let table = aggregation.select.table;
        for (index, term) in aggregation.order.iter().enumerate() {
            self.push(if index > 0 { ", " } else { " ORDER BY " });
            match term {
                GroupTerm::Rows(OrderTerm {
                    key: OrderKey::Expression(expression), descending, nulls_first, ..
                }) => {
                    let is_it = |key: &Operand| match key {
                        Operand::Expression(known) => is_same(known, expression, table),
                        _ => false,
                    };
                    match aggregation.group_by.iter().position(is_it) {
                        Some(place) => self.push(&keys[place]),
                        None => self.refuse(Param::Misuse(NOT_GROUPED_BY)),
                    }
                    self.push_direction(*descending, *nulls_first);
                }
                GroupTerm::Rows(term) => self.push_term(term, table, alias),
                GroupTerm::Calculated { calculation, descending, nulls_first } => {
                    self.push_calculation(calculation, table, alias);
                    self.push_direction(*descending, *nulls_first);
                }
            }
        }
    }
}
