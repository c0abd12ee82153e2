//! ORDER BY, and the conditions of a read that begins in the middle of its order.

use super::pass::Pass;
use super::writer::{Alias, Writer, compared_by_its_text};
use crate::meta::{Lifted, Table};
use crate::query::{Operator, OrderKey, OrderTerm, PageStart, Select};
use crate::value::Param;

/// A table of this name would be hidden by the cursor's row, so no table should have it.
const CURSOR: &str = "relata_cursor";

/// Represents a count in place of a column's number.
pub(super) const COUNT_OF: usize = usize::MAX;
const RELATED: usize = usize::MAX - 1;
/// Represents a value in JSON in place of a column's number.
pub(super) const JSON_FIELD: usize = usize::MAX - 2;
/// Represents an expression in place of a column's number.
pub(super) const EXPRESSION: usize = usize::MAX - 3;

/// The place in an order where a read begins.
#[derive(Debug, Clone, Copy)]
pub(super) enum Start<'q> {
    /// At the row in the CTE `relata_cursor`, that row included.
    Cursor,
    /// After a row with these values.
    After(&'q [Option<Vec<u8>>]),
}

impl<P: Pass> Writer<'_, P> {
    pub(super) fn push_order(&mut self, order: &[OrderTerm], table: &'static Table, alias: Alias) {
        self.word(order.len());
        for (index, term) in order.iter().enumerate() {
            self.push(if index > 0 { ", " } else { " ORDER BY " });
            self.push_term(term, table, alias);
        }
    }

    pub(super) fn push_term(&mut self, term: &OrderTerm, table: &'static Table, alias: Alias) {
        self.push_order_key(&term.key, table, alias);
        self.push_direction(term.descending, term.nulls_first);
    }

    pub(super) fn push_direction(&mut self, descending: bool, nulls_first: Option<bool>) {
        let (nulls, text) = match nulls_first {
            None => (0, ""),
            Some(false) => (2, " NULLS LAST"),
            Some(true) => (4, " NULLS FIRST"),
        };
        self.word(usize::from(descending) + nulls);
        self.push(if descending { " DESC" } else { "" });
        self.push(text);
    }

    pub(super) fn push_order_key(&mut self, key: &OrderKey, table: &'static Table, alias: Alias) {
        match key {
            OrderKey::Column(column) => {
                self.word(usize::from(*column));
                self.push_comparable(alias, &table.columns[usize::from(*column)]);
            }
            OrderKey::Count { relation, condition } => {
                self.word(COUNT_OF);
                self.push("(SELECT count(*) FROM ");
                self.push_related_rows(relation, condition, table, alias);
                self.push(")");
            }
            OrderKey::Relevance(search) => {
                self.pass().give_up();
                self.push_relevance(search, table, alias);
            }
            OrderKey::Expression(expression) => {
                self.word(EXPRESSION);
                self.push_sort_expression(expression, table, alias);
            }
            OrderKey::JsonField(place) => {
                self.word(JSON_FIELD);
                self.push_json_shape(*place);
                self.push_json_field(*place, &table.columns[usize::from(place.column)], alias);
            }
            OrderKey::Refused(reason) => self.refuse(Param::Refused(reason)),
            OrderKey::Related { relation, key } => {
                self.word(RELATED);
                self.pass().address(*relation);
                let child = self.alias();
                self.push("(SELECT ");
                self.push_order_key(key, relation.child, child);
                self.push(" FROM ");
                self.push_table(relation.child, child);
                self.push(" WHERE ");
                self.push_join_condition(relation, child, table, alias);
                self.push_tenant_unless_joined(relation, child, Lifted::default());
                self.push(")");
            }
        }
    }

    /// Writes the sort values of a row, for a page token.
    pub(super) fn push_order_values(&mut self, order: &[OrderTerm], table: &'static Table, alias: Alias) {
        for term in order {
            self.push(", ");
            self.push_order_key(&term.key, table, alias);
            let column = term.key.column(table).filter(|column| !compared_by_its_text(column.sql_type));
            if let Some(wire) = column.and_then(|column| column.wire) {
                self.push("::");
                self.push(wire);
            }
        }
    }

    /// Writes `WITH relata_cursor AS (..) `: the sort values of the cursor's row.
    pub(super) fn push_cursor(&mut self, select: &Select, order: &[OrderTerm]) {
        let (Some(mut key), table) = (select.cursor.clone(), select.table) else { return };
        if self.tenant.is_none() {
            table.refuse_short_key(&mut key);
        }
        let lifted = select.condition.lifted();
        if lifted.shows_deleted() {
            table.refuse_live_key(&mut key);
        }
        self.pass().give_up();
        let alias = self.alias();
        self.push("WITH ");
        self.push(CURSOR);
        self.push(" AS (SELECT ");
        for (index, term) in order.iter().enumerate() {
            self.push(if index > 0 { ", " } else { "" });
            self.push_order_key(&term.key, table, alias);
            self.push(&format!(" AS k{index}"));
        }
        self.push(" FROM ");
        self.push_table(table, alias);
        let is_all = key.is_empty();
        for (index, (number, value)) in key.into_iter().enumerate() {
            let column = &table.columns[usize::from(number)];
            self.push(if index > 0 { " AND " } else { " WHERE " });
            self.push_column(alias, column);
            self.push(Operator::Eq.sql());
            self.push_value(column, value);
        }
        self.push_confined(if is_all { " WHERE " } else { " AND " }, table, alias, lifted);
        self.push(") ");
    }

    /// Writes the conditions of the cursor and of the page, each after `WHERE` or `AND`.
    pub(super) fn push_starts(&mut self, select: &Select, order: &[OrderTerm], alias: Alias, first: &mut bool) {
        if select.cursor.is_some() {
            self.push_where_or_and(first);
            if order.iter().any(|term| term.nullable) {
                // Without the row, its values would be taken for nulls.
                self.push(&format!("EXISTS (SELECT 1 FROM {CURSOR}) AND "));
            }
            self.push_start(order, Start::Cursor, select.table, alias);
        }
        if let Some(token) = select.page.as_ref().and_then(PageStart::token) {
            self.push_where_or_and(first);
            self.push_start(order, Start::After(&token.values), select.table, alias);
        }
    }

    fn push_start(&mut self, order: &[OrderTerm], start: Start<'_>, table: &'static Table, alias: Alias) {
        let Some(head) = order.first() else { return self.push("TRUE") };
        let uniform = order.iter().all(|term| !term.nullable && term.descending == head.descending);
        if uniform {
            self.push_row_comparison(order, start, table, alias)
        } else {
            self.push_from(order, 0, start, table, alias)
        }
    }

    /// Writes `(a, b) >= (x, y)`, for which PostgreSQL can use an index on the columns.
    fn push_row_comparison(&mut self, order: &[OrderTerm], start: Start<'_>, table: &'static Table, alias: Alias) {
        self.push("(");
        for (index, term) in order.iter().enumerate() {
            self.push(if index > 0 { ", " } else { "" });
            self.push_order_key(&term.key, table, alias);
        }
        let descending = order.first().is_some_and(|term| term.descending);
        let operator = match (start, descending) {
            (Start::Cursor, false) => Operator::Gte,
            (Start::Cursor, true) => Operator::Lte,
            (Start::After(_), false) => Operator::Gt,
            (Start::After(_), true) => Operator::Lt,
        };
        self.push(")");
        self.push(operator.sql());
        self.push("(");
        for (index, term) in order.iter().enumerate() {
            self.push(if index > 0 { ", " } else { "" });
            self.push_bound(term, index, start, table);
        }
        self.push(")");
    }

    /// Writes the condition for rows after the start by the term at `index`, or equal in it and after the start by the
    /// later terms.
    fn push_from(&mut self, order: &[OrderTerm], index: usize, start: Start<'_>, table: &'static Table, alias: Alias) {
        let Some(term) = order.get(index) else {
            return self.push(if matches!(start, Start::Cursor) { "TRUE" } else { "FALSE" });
        };
        self.push("(");
        self.push_behind(term, index, start, table, alias);
        self.push(" OR (");
        self.push_level(term, index, start, table, alias);
        self.push(" AND ");
        self.push_from(order, index + 1, start, table, alias);
        self.push("))");
    }

    /// Writes the condition that the term's value comes after that of the start.
    fn push_behind(&mut self, term: &OrderTerm, index: usize, start: Start<'_>, table: &'static Table, alias: Alias) {
        let known_null = matches!(start, Start::After(values) if values.get(index).is_none_or(Option::is_none));
        if known_null && !term.has_nulls_first() {
            return self.push("FALSE");
        }
        if !known_null {
            self.push_order_key(&term.key, table, alias);
            self.push(if term.descending { Operator::Lt } else { Operator::Gt }.sql());
            self.push_bound(term, index, start, table);
        }
        if !term.nullable {
            return;
        }
        match (term.has_nulls_first(), start) {
            (false, _) => {
                self.push(" OR (");
                self.push_order_key(&term.key, table, alias);
                self.push(" IS NULL");
                if matches!(start, Start::Cursor) {
                    self.push(" AND ");
                    self.push_bound(term, index, start, table);
                    self.push(" IS NOT NULL");
                }
                self.push(")");
            }
            (true, Start::Cursor) => {
                self.push(" OR (");
                self.push_bound(term, index, start, table);
                self.push(" IS NULL AND ");
                self.push_order_key(&term.key, table, alias);
                self.push(" IS NOT NULL)");
            }
            (true, Start::After(_)) if known_null => {
                self.push_order_key(&term.key, table, alias);
                self.push(" IS NOT NULL");
            }
            (true, Start::After(_)) => {}
        }
    }

    /// Writes the condition that the term's value equals that of the start.
    fn push_level(&mut self, term: &OrderTerm, index: usize, start: Start<'_>, table: &'static Table, alias: Alias) {
        self.push_order_key(&term.key, table, alias);
        match start {
            Start::After(values) if values.get(index).is_none_or(Option::is_none) => self.push(" IS NULL"),
            Start::Cursor if term.nullable => {
                self.push(" IS NOT DISTINCT FROM ");
                self.push_bound(term, index, start, table);
            }
            _ => {
                self.push(" = ");
                self.push_bound(term, index, start, table);
            }
        }
    }

    fn push_bound(&mut self, term: &OrderTerm, index: usize, start: Start<'_>, table: &'static Table) {
        match start {
            // A subquery without references runs once, and its value can be looked up in an index.
            Start::Cursor => self.push(&format!("(SELECT k{index} FROM {CURSOR})")),
            Start::After(values) => {
                let value = values.get(index).cloned().flatten().map_or(Param::Null, Param::Raw);
                match term.key.column(table) {
                    // The value in the token is already a text.
                    Some(column) if compared_by_its_text(column.sql_type) => {
                        self.push_param(value);
                        self.push_casts(["text"]);
                    }
                    Some(column) => self.push_comparable_value(column, value),
                    None => self.push_param(value),
                }
            }
        }
    }
}
