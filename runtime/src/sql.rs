//! SQL text: the only place in the runtime where it is put together.
//!
//! Identifiers come from generated statics and are quoted here; values are always parameters.

mod aggregate;
pub(crate) mod effect;
mod inside;
mod known;
mod nested;
mod order;
mod read;
mod shape;
mod write;

use std::fmt::Write;

pub(crate) use aggregate::aggregate_statement;
pub(crate) use known::{ByShape, Statements};
pub(crate) use nested::{
    BulkUpdate, Given, Pairs, connect_statement, connect_through_statement, disconnect_statement, join_statement,
    update_each_statement, which_exist_statement,
};
pub(crate) use read::{
    ChildrenOf, KeySource, ReadPlan, read_plan, read_statement, shaped_read_statement, unjoined_plan, written_plan,
    written_statement,
};
pub(crate) use shape::{
    shaped_count_statement, shaped_delete_statement, shaped_exists_statement, shaped_insert_statement,
    shaped_update_statement,
};
pub(crate) use write::{
    BulkInsert, BulkLookup, Cell, OnConflict, columns_statement, copy_statement, count_statement,
    delete_many_statement, delete_statement, exists_statement, insert_statement, now_statement, update_many_statement,
    update_statement, upsert_statement,
};

use crate::filter::{Condition, Operator};
use crate::table::{Column, JoinTable, Relation, Table, push_quoted};
use crate::value::Param;

/// A statement with its parameters.
#[derive(Debug)]
pub(crate) struct Statement {
    /// Empty where its shape says which one it is.
    sql: String,
    pub(crate) params: Vec<Param>,
    pub(crate) by_shape: ByShape,
}

impl Statement {
    pub(crate) fn new(sql: String, params: Vec<Param>) -> Self {
        Self { sql, params, by_shape: ByShape::No }
    }

    /// SQL of the program's own, which may do more than read and write rows.
    pub(crate) fn own(sql: String, params: Vec<Param>) -> Self {
        Self { sql, params, by_shape: ByShape::Own }
    }

    pub(crate) fn is_own(&self) -> bool {
        matches!(self.by_shape, ByShape::Own)
    }

    /// As the connection has prepared it before, if its shape says so.
    pub(crate) fn known(&self) -> Option<&tokio_postgres::Statement> {
        match &self.by_shape {
            ByShape::Known(known) => known.prepared(),
            ByShape::No | ByShape::Own | ByShape::New(_) => None,
        }
    }

    /// Its text.
    pub(crate) fn sql(&self) -> &str {
        match &self.by_shape {
            ByShape::Known(known) => &known.sql,
            ByShape::No | ByShape::Own | ByShape::New(_) => &self.sql,
        }
    }
}

/// Builds one statement.
#[derive(Debug)]
pub(crate) struct Writer {
    sql: String,
    params: Vec<Param>,
    aliases: u32,
}

impl Writer {
    pub(crate) fn new() -> Self {
        Self { sql: String::with_capacity(512), params: Vec::with_capacity(4), aliases: 0 }
    }

    pub(crate) fn finish(self) -> Statement {
        Statement::new(self.sql, self.params)
    }

    fn push(&mut self, text: &str) {
        self.sql.push_str(text);
    }

    /// `t0`, `t1` and so on.
    fn alias(&mut self) -> Alias {
        let alias = Alias(self.aliases);
        self.aliases += 1;
        alias
    }

    fn push_alias(&mut self, alias: Alias) {
        self.sql.push('t');
        self.push_number(alias.0);
    }

    /// Nearly all are of one digit, and `write!` takes some fifty times as long as a digit.
    fn push_number(&mut self, number: u32) {
        match char::from_digit(number, 10) {
            Some(digit) => self.sql.push(digit),
            // Writing into a String cannot fail.
            None => drop(write!(self.sql, "{number}")),
        }
    }

    fn push_column(&mut self, alias: Alias, column: &Column) {
        self.push_alias(alias);
        self.sql.push('.');
        push_quoted(&mut self.sql, column.name);
    }

    /// As what it can be compared, ordered and grouped: PostgreSQL can do none of these with `json` and `xml`.
    fn push_comparable(&mut self, alias: Alias, column: &Column) {
        self.push_column(alias, column);
        if let Some(ty) = comparable_type(column) {
            self.push("::");
            self.push(ty);
        }
    }

    /// A parameter that is compared with what [`push_comparable`](Self::push_comparable) gives of the column.
    fn push_comparable_value(&mut self, column: &Column, param: Param) {
        match comparable_type(column) {
            Some(ty) if ty != column.sql_type => {
                self.push_param(param);
                self.push("::");
                self.push(ty);
            }
            _ => self.push_value(column, param),
        }
    }

    /// A pattern for the text of a column. Spaces at the end of a `bpchar` mean nothing, as in its own comparisons.
    fn push_pattern(&mut self, column: &Column, pattern: Param) {
        let padded = column.sql_type == "bpchar";
        self.push(if padded { "rtrim(" } else { "" });
        self.push_param(pattern);
        self.push(if padded { ")" } else { "" });
    }

    /// As a text that patterns and searches are about. That of `bpchar` has no padding.
    fn push_text(&mut self, alias: Alias, column: &Column) {
        self.push_column(alias, column);
        if !matches!(column.sql_type, "text" | "varchar" | "citext") {
            self.push("::text");
        }
    }

    fn push_read(&mut self, alias: Alias, column: &Column) {
        self.push_column(alias, column);
        if let Some(wire) = column.wire {
            self.push("::");
            self.push(wire);
        }
    }

    /// Every column, in the order of the model's fields.
    fn push_all_columns(&mut self, table: &'static Table, alias: Alias) {
        if let Some(list) = table.select_list(alias.0 as usize) {
            return self.push(list);
        }
        for (index, column) in table.columns.iter().enumerate() {
            self.push(if index > 0 { ", " } else { "" });
            self.push_read(alias, column);
        }
    }

    fn push_param(&mut self, param: Param) {
        self.params.push(param);
        self.sql.push('$');
        self.push_number(self.params.len() as u32);
    }

    /// A parameter of the column's type.
    fn push_value(&mut self, column: &Column, param: Param) {
        self.push_param(param);
        if let Some(wire) = column.wire {
            let _ = write!(self.sql, "::{wire}::{}", column.sql_type);
        }
    }

    /// A parameter of the column's type, where the statement does not say it.
    fn push_typed(&mut self, column: &Column, param: Param) {
        self.push_value(column, param);
        if column.wire.is_none() {
            self.push("::");
            self.push(column.sql_type);
        }
    }

    /// A parameter of the type of the column's elements.
    fn push_element(&mut self, column: &Column, param: Param) {
        self.push_param(param);
        if let Some(wire) = column.wire {
            let element = |ty: &'static str| ty.strip_suffix("[]").unwrap_or(ty);
            let _ = write!(self.sql, "::{}::{}", element(wire), element(column.sql_type));
        }
    }

    /// A parameter that is an array of values of the column's type.
    fn push_values(&mut self, column: &Column, param: Param) {
        self.push_param(param);
        match column.wire {
            Some(wire) => {
                let _ = write!(self.sql, "::{wire}[]::{}[]", column.sql_type);
            }
            None => {
                let _ = write!(self.sql, "::{}[]", column.sql_type);
            }
        }
    }

    fn push_table(&mut self, table: &Table, alias: Alias) {
        self.push(table.sql);
        self.push(" AS ");
        self.push_alias(alias);
    }

    /// ` WHERE ...`, or nothing if every row is meant.
    fn push_where(&mut self, condition: &Condition, table: &Table, alias: Alias) {
        if !condition.is_all() {
            self.push(" WHERE ");
            self.push_condition(condition, table, alias);
        }
    }

    fn push_condition(&mut self, condition: &Condition, table: &Table, alias: Alias) {
        let column = |number: &u16| &table.columns[usize::from(*number)];
        match condition {
            Condition::And(parts) => self.push_parts(parts, " AND ", "TRUE", table, alias),
            Condition::Or(parts) => self.push_parts(parts, " OR ", "FALSE", table, alias),
            Condition::Not(inner) => self.push_negated(inner, table, alias),
            Condition::NotTrue(inner) => {
                self.push("(");
                self.push_condition(inner, table, alias);
                self.push(") IS NOT TRUE");
            }
            Condition::Compare { column: number, operator, value } => {
                self.push_comparable(alias, column(number));
                self.push(operator.sql());
                self.push_comparable_value(column(number), value.clone());
            }
            Condition::CompareColumns { left, operator, right } => {
                self.push_column_comparison(column(left), *operator, column(right), alias);
            }
            Condition::In { column: number, values } => {
                self.push_comparable(alias, column(number));
                self.push(" = ANY(");
                match comparable_type(column(number)) {
                    Some(ty) => {
                        self.push_param(values.clone());
                        let _ = write!(self.sql, "::{ty}[]");
                    }
                    None => self.push_values(column(number), values.clone()),
                }
                self.push(")");
            }
            Condition::IsNull { column: number } => {
                self.push_column(alias, column(number));
                self.push(" IS NULL");
            }
            Condition::Like { column: number, pattern, insensitive } => {
                self.push_text(alias, column(number));
                self.push(if *insensitive { " ILIKE " } else { " LIKE " });
                self.push_pattern(column(number), pattern.clone());
            }
            Condition::Contains { column: number, value } => {
                match comparable_type(column(number)).and_then(|ty| ty.strip_suffix("[]")) {
                    Some(ty) if column(number).sql_type != "varbit[]" => {
                        self.push_param(value.clone());
                        let _ = write!(self.sql, "::{ty}");
                    }
                    _ => self.push_element(column(number), value.clone()),
                }
                self.push(" = ANY(");
                self.push_comparable(alias, column(number));
                self.push(")");
            }
            Condition::ContainsAll { column: number, values } => {
                self.push_comparable(alias, column(number));
                self.push(" @> ");
                self.push_comparable_value(column(number), values.clone());
            }
            Condition::Overlaps { column: number, values } => {
                self.push_comparable(alias, column(number));
                self.push(" && ");
                self.push_comparable_value(column(number), values.clone());
            }
            Condition::IsEmpty { column: number } => {
                self.push("coalesce(cardinality(");
                self.push_column(alias, column(number));
                self.push("), 0) = 0");
            }
            Condition::JoinedTo { relation, key } => self.push_joined_to(relation, key, alias),
            Condition::Keys { table, columns, keys } => self.push_compound_keys(table, columns, keys, alias),
            Condition::Another { table, condition } => {
                let another = self.alias();
                self.push("EXISTS (SELECT 1 FROM ");
                self.push_table(table, another);
                self.push_where(condition, table, another);
                self.push(")");
            }
            Condition::Json { column: number, path, test } => {
                self.push_json_test(column(number), path.as_ref(), test, alias);
            }
            Condition::Search(search) => self.push_search(search, table, alias),
            Condition::Refused(reason) => {
                self.push_param(Param::Refused(reason));
                self.push("::boolean");
            }
            Condition::Related { relation, condition } => self.push_related(relation, condition, table, alias),
        }
    }

    /// Columns of one Rust type may be of several in PostgreSQL, which compares what it sends of them.
    fn push_column_comparison(&mut self, left: &Column, operator: Operator, right: &Column, alias: Alias) {
        // Two enums, or an enum and a text, are compared as what they travel as.
        let same = left.sql_type == right.sql_type || (left.wire.is_none() && right.wire.is_none());
        let push = if same { Writer::push_comparable } else { Writer::push_read };
        push(self, alias, left);
        self.push(operator.sql());
        push(self, alias, right);
    }

    fn push_parts(&mut self, parts: &[Condition], between: &str, none: &str, table: &Table, alias: Alias) {
        if parts.is_empty() {
            return self.push(none);
        }
        for (index, part) in parts.iter().enumerate() {
            if index > 0 {
                self.push(between);
            }
            // Also around the only part: other conditions may follow behind it.
            let parentheses = matches!(part, Condition::And(_) | Condition::Or(_));
            self.push(if parentheses { "(" } else { "" });
            self.push_condition(part, table, alias);
            self.push(if parentheses { ")" } else { "" });
        }
    }

    fn push_negated(&mut self, inner: &Condition, table: &Table, alias: Alias) {
        match inner {
            Condition::IsNull { column } => {
                self.push_column(alias, &table.columns[usize::from(*column)]);
                self.push(" IS NOT NULL");
            }
            _ => {
                self.push("NOT (");
                self.push_condition(inner, table, alias);
                self.push(")");
            }
        }
    }

    fn push_related(&mut self, relation: &Relation, condition: &Condition, table: &Table, alias: Alias) {
        self.push("EXISTS (SELECT 1 FROM ");
        self.push_related_rows(relation, condition, table, alias);
        self.push(")");
    }

    /// `EXISTS (SELECT 1 FROM "_AToB" AS t1 WHERE ..)`: the rows of the child that belong to one parent.
    fn push_joined_to(&mut self, relation: &Relation, key: &Param, alias: Alias) {
        let Some(through) = &relation.through else { return self.push("FALSE") };
        let between = self.alias();
        self.push("EXISTS (SELECT 1 FROM ");
        self.push(through.sql);
        self.push(" AS ");
        self.push_alias(between);
        self.push(" WHERE ");
        self.push_through_column(between, through.child_column);
        self.push(" = ");
        self.push_column(alias, &relation.child.columns[usize::from(relation.child_columns[0])]);
        self.push(" AND ");
        self.push_through_column(between, through.parent_column);
        self.push(" = ");
        self.push_param(key.clone());
        self.push(")");
    }

    /// `child AS t1 WHERE ..`: the rows of a relation that meet a condition.
    fn push_related_rows(&mut self, relation: &Relation, condition: &Condition, table: &Table, alias: Alias) {
        let child = self.alias();
        self.push_table(relation.child, child);
        if let Some(through) = &relation.through {
            let between = self.alias();
            self.push_through_join(relation, through, child, between);
            self.push(" WHERE ");
            self.push_through_column(between, through.parent_column);
            self.push(" = ");
            self.push_column(alias, &table.columns[usize::from(relation.parent_columns[0])]);
        } else {
            self.push(" WHERE ");
            self.push_join_condition(relation, child, table, alias);
        }
        if !condition.is_all() {
            self.push(" AND (");
            self.push_condition(condition, relation.child, child);
            self.push(")");
        }
    }

    /// ` JOIN "_AToB" AS t2 ON t2."B" = t1."id"`.
    fn push_through_join(&mut self, relation: &Relation, through: &JoinTable, child: Alias, between: Alias) {
        self.push(" JOIN ");
        self.push(through.sql);
        self.push(" AS ");
        self.push_alias(between);
        self.push(" ON ");
        self.push_through_column(between, through.child_column);
        self.push(" = ");
        self.push_column(child, &relation.child.columns[usize::from(relation.child_columns[0])]);
    }

    fn push_through_column(&mut self, alias: Alias, name: &str) {
        self.push_alias(alias);
        self.sql.push('.');
        push_quoted(&mut self.sql, name);
    }

    /// `t1."id" = t0."user_id"`, for each pair of columns.
    fn push_join_condition(&mut self, relation: &Relation, child: Alias, table: &Table, parent: Alias) {
        for (index, (ours, theirs)) in relation.parent_columns.iter().zip(relation.child_columns).enumerate() {
            if index > 0 {
                self.push(" AND ");
            }
            self.push_column(child, &relation.child.columns[usize::from(*theirs)]);
            self.push(" = ");
            self.push_column(parent, &table.columns[usize::from(*ours)]);
        }
    }
}

/// The type in which a column's values can be compared, where that is not its own.
fn comparable_type(column: &Column) -> Option<&'static str> {
    match column.sql_type {
        "json" => Some("jsonb"),
        "json[]" => Some("jsonb[]"),
        "xml" => Some("text"),
        "xml[]" => Some("text[]"),
        // There are no operators between lists of `bit` and of `varbit`, as which values of both travel.
        "varbit[]" => Some("varbit[]"),
        _ => None,
    }
}

/// The alias of a table in a statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Alias(u32);
