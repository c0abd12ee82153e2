//! SELECT statements that calculate values over all rows, or over each group.

use super::pass::Pass;
use super::statement::Statement;
use super::tenant::Context;
use super::writer::{Alias, Writer, compared_by_its_text};
use crate::meta::{Column, Table};
use crate::query::{Aggregation, Calculation, GroupCondition, GroupTerm, Select};
use crate::value::{Averaged, Param, Summed};

/// Returns the statement of an aggregation: the columns of the groups, then the calculated values.
pub(crate) fn aggregate_statement(context: Context<'_>, aggregation: &Aggregation) -> Statement {
    let mut writer = Writer::new(context);
    let (select, table) = (&aggregation.select, aggregation.select.table);
    let alias = writer.alias();
    let columns = || aggregation.group_by.iter().map(|column| &table.columns[usize::from(*column)]);
    writer.push("SELECT ");
    let mut glue = "";
    for column in columns() {
        writer.push(glue);
        writer.push_grouped(alias, column);
        glue = ", ";
    }
    for calculation in &aggregation.calculations {
        writer.push(glue);
        writer.push_calculation(*calculation, table, alias);
        writer.push_wire(*calculation, table);
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
    for (index, column) in columns().enumerate() {
        writer.push(if index > 0 { ", " } else { " GROUP BY " });
        writer.push_comparable(alias, column);
    }
    if let Some(having) = &aggregation.having {
        writer.push(" HAVING ");
        writer.push_having(having, table, alias);
    }
    writer.push_groups_order(&aggregation.order, table, alias);
    writer.push_limit(aggregation.take, aggregation.skip);
    writer.finish()
}

/// Returns whether PostgreSQL has no order for the type, or only one as text.
fn is_ordered_as_text(column: &Column) -> bool {
    matches!(column.sql_type, "xml" | "varbit")
}

fn column_of(calculation: Calculation, table: &'static Table) -> Option<&'static Column> {
    match calculation {
        Calculation::Least(column) | Calculation::Greatest(column) => Some(&table.columns[usize::from(column)]),
        _ => None,
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

    fn push_calculation(&mut self, calculation: Calculation, table: &'static Table, alias: Alias) {
        let column = |number: u16| &table.columns[usize::from(number)];
        match calculation {
            Calculation::CountRows => self.push("count(*)"),
            Calculation::Count(number) => self.push_call("count(", column(number), "", ")", alias),
            Calculation::CountDistinct(number) => {
                self.push("count(DISTINCT ");
                self.push_comparable(alias, column(number));
                self.push(")");
            }
            Calculation::Sum(number, summed) => {
                self.push("coalesce(sum(");
                self.push_read(alias, column(number));
                self.push(match summed {
                    Summed::Interval => "), '0')",
                    Summed::Bigint => "), 0)::bigint",
                    Summed::Double => "), 0)::double precision",
                    Summed::Numeric => "), 0)::numeric",
                });
            }
            Calculation::Average(number, Averaged::Same) => {
                self.push_call("avg(", column(number), "", ")", alias);
                if let Some(wire) = column(number).wire {
                    self.push_casts([wire]);
                }
            }
            Calculation::Average(number, averaged) => {
                self.push("avg(");
                self.push_read(alias, column(number));
                self.push(match averaged {
                    Averaged::Double => ")::double precision",
                    Averaged::Same => ")",
                    Averaged::Numeric => ")::numeric",
                });
            }
            Calculation::Least(number) => self.push_extreme("min(", "bool_and(", column(number), alias),
            Calculation::Greatest(number) => self.push_extreme("max(", "bool_or(", column(number), alias),
        }
    }

    /// Writes a grouped column: the selected expression has to be the one in GROUP BY.
    fn push_grouped(&mut self, alias: Alias, column: &Column) {
        self.push_comparable(alias, column);
        if compared_by_its_text(column.sql_type) {
            self.push_casts([column.sql_type]);
        }
        if let Some(wire) = column.wire {
            self.push_casts([wire]);
        }
    }

    fn push_call(&mut self, call: &str, column: &Column, cast: &str, end: &str, alias: Alias) {
        self.push(call);
        self.push_column(alias, column);
        self.push(cast);
        self.push(end);
    }

    /// PostgreSQL has no `min` of uuid, which is ordered as text, nor of boolean.
    fn push_extreme(&mut self, call: &str, boolean_call: &str, column: &Column, alias: Alias) {
        match column.sql_type {
            "uuid" => self.push_call(call, column, "::text COLLATE \"C\"", ")::uuid", alias),
            "boolean" => self.push_call(boolean_call, column, "", ")", alias),
            _ if is_ordered_as_text(column) => self.push_call(call, column, "::text", ")", alias),
            _ => self.push_call(call, column, "", ")", alias),
        }
    }

    /// Writes the wire type of a calculated value, if it is different.
    fn push_wire(&mut self, calculation: Calculation, table: &'static Table) {
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
                self.push_param(Param::Refused(reason));
                self.push("::boolean");
            }
            GroupCondition::Not(part) => {
                self.push("NOT (");
                self.push_having(part, table, alias);
                self.push(")");
            }
            GroupCondition::Compare { calculation, operator, value } => {
                self.push_calculation(*calculation, table, alias);
                self.push(operator.sql());
                self.push_calculated_value(*calculation, value.clone(), table);
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

    fn push_calculated_value(&mut self, calculation: Calculation, value: Param, table: &'static Table) {
        match column_of(calculation, table) {
            Some(column) if !is_ordered_as_text(column) => self.push_value(column, value),
            _ => self.push_param(value),
        }
    }

    fn push_groups_order(&mut self, order: &[GroupTerm], table: &'static Table, alias: Alias) {
        for (index, term) in order.iter().enumerate() {
            self.push(if index > 0 { ", " } else { " ORDER BY " });
            match term {
                GroupTerm::Rows(term) => self.push_term(term, table, alias),
                GroupTerm::Calculated { calculation, descending, nulls_first } => {
                    self.push_calculation(*calculation, table, alias);
                    self.push_direction(*descending, *nulls_first);
                }
            }
        }
    }
}
