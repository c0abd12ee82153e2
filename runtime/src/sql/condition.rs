//! Conditions as SQL.

use super::pass::Pass;
use super::scope::lifted_by;
use super::writer::{Alias, Writer, comparable_type, compared_by_its_text};
use crate::meta::{Column, JoinTable, Lifted, Relation, Table};
use crate::query::{Condition, Operator};
use crate::value::Param;

/// Represents no condition in a shape. Words of conditions begin with 2.
const EVERY_ROW: usize = 1;

impl<P: Pass> Writer<'_, P> {
    /// Writes ` WHERE ...`, or nothing if every row matches.
    pub(super) fn push_where(&mut self, condition: &Condition, table: &Table, alias: Alias) {
        let confined = self.push_confined(" WHERE ", table, alias, condition.lifted());
        if self.tells_every_row(condition) {
            return;
        }
        let parentheses = confined && condition.is_or();
        self.push(if confined { " AND " } else { " WHERE " });
        self.push(if parentheses { "(" } else { "" });
        self.push_condition(condition, table, alias);
        self.push(if parentheses { ")" } else { "" });
    }

    /// Returns whether every row matches a condition, so that it can be left out.
    pub(super) fn tells_every_row(&mut self, condition: &Condition) -> bool {
        let every_row = condition.is_all();
        if every_row {
            self.word(EVERY_ROW);
        }
        every_row
    }

    pub(super) fn push_condition(&mut self, condition: &Condition, table: &Table, alias: Alias) {
        let column = |number: &u16| &table.columns[usize::from(*number)];
        match condition {
            Condition::And(parts) => {
                self.word(2 | parts.len() << 8);
                self.push_parts(parts, " AND ", "TRUE", table, alias);
            }
            Condition::Or(parts) => {
                self.word(3 | parts.len() << 8);
                self.push_parts(parts, " OR ", "FALSE", table, alias);
            }
            Condition::Not(inner) => {
                self.word(4);
                self.push_negated(inner, table, alias);
            }
            Condition::NotTrue(inner) => {
                self.word(5);
                self.push("(");
                self.push_condition(inner, table, alias);
                self.push(") IS NOT TRUE");
            }
            Condition::Compare { column: number, operator, value } => {
                self.pass().numbers(6, *number, *operator as u16);
                self.push_comparison(column(number), *operator, value, alias);
            }
            Condition::CompareColumns { left, operator, right } => {
                self.pass().numbers(7, *left, *right);
                self.word(*operator as usize);
                self.push_column_comparison(column(left), *operator, column(right), alias);
            }
            Condition::In { column: number, values } => self.push_in(*number, column(number), values, alias),
            Condition::IsNull { column: number } => {
                self.pass().numbers(9, *number, 0);
                self.push_nullable(alias, column(number));
                self.push(" IS NULL");
            }
            Condition::Like { column: number, pattern, insensitive } => {
                self.pass().numbers(10, *number, (*insensitive).into());
                self.push_text(alias, column(number));
                self.push(if *insensitive { " ILIKE " } else { " LIKE " });
                self.push_pattern(column(number), pattern.clone());
            }
            Condition::Contains { column: number, value } => {
                self.push_contains(*number, column(number), value, alias);
            }
            Condition::ContainsAll { column: number, values } => {
                self.pass().numbers(12, *number, 0);
                self.push_operator(column(number), " @> ", values, alias);
            }
            Condition::Overlaps { column: number, values } => {
                self.pass().numbers(13, *number, 0);
                self.push_operator(column(number), " && ", values, alias);
            }
            Condition::IsEmpty { column: number } => {
                self.pass().numbers(14, *number, 0);
                self.push("coalesce(cardinality(");
                self.push_column(alias, column(number));
                self.push("), 0) = 0");
            }
            Condition::JoinedTo { relation, key } => {
                self.word(16);
                self.pass().address(*relation);
                self.push_joined_to(relation, key, alias);
            }
            Condition::Keys { table, columns, keys } => {
                self.pass().give_up();
                self.push_compound_keys(table, columns, keys, alias);
            }
            Condition::Another { table, condition } => self.push_another(table, condition),
            Condition::Json { column: number, path, test } => {
                self.pass().give_up();
                self.push_json_test(column(number), path.as_ref(), test, alias);
            }
            Condition::JsonField(place, test) => {
                self.push_json_field_test(*place, test, column(&place.column), alias);
            }
            Condition::Search(search) => {
                self.pass().give_up();
                self.push_search(search, table, alias);
            }
            Condition::Holds(expression) => {
                self.word(19);
                self.push_expression(expression, table, alias);
            }
            Condition::IsNotNull(expression) => {
                self.word(20);
                self.push_expression(expression, table, alias);
                self.push(" IS NOT NULL");
            }
            Condition::CompareOperands { left, operator, right } => {
                self.word(21 | (*operator as usize) << 8);
                self.push_operand_of_comparison(left, right, table, alias);
                self.push(operator.sql());
                self.push_operand_of_comparison(right, left, table, alias);
            }
            Condition::OperandIn { operand, values } => {
                self.word(22);
                self.push_in_operand(operand, values, table, alias);
            }
            Condition::Lifting { condition, .. } => self.push_condition(condition, table, alias),
            Condition::Refused(reason) => self.refuse(reason.clone()),
            Condition::Reaches { relation, recursion, along, condition } => {
                self.word(23);
                self.push_reaches(relation, *recursion, [along, condition], table, alias);
            }
            Condition::Related { relation, condition } => {
                self.word(15);
                self.push_related(relation, condition, table, alias);
            }
        }
    }

    /// Writes a comparison with a value. An index on a column of JSON serves only `=` with the column itself.
    fn push_comparison(&mut self, column: &Column, operator: Operator, value: &Param, alias: Alias) {
        if column.nullable_json && (operator != Operator::Eq || self.is_below_not) {
            self.push_nullable(alias, column);
            self.push(operator.sql());
            return self.push_comparable_value(column, value.clone());
        }
        self.push_operator(column, operator.sql(), value, alias);
    }

    /// Writes a column whose nulls count. JSON's null in a column of a type's values is SQL's null.
    fn push_nullable(&mut self, alias: Alias, column: &Column) {
        if !column.nullable_json {
            return self.push_column(alias, column);
        }
        self.push("nullif(");
        self.push_comparable(alias, column);
        self.push(", 'null')");
    }

    /// Writes `t0."a" = $1`.
    fn push_operator(&mut self, column: &Column, operator: &str, value: &Param, alias: Alias) {
        self.push_comparable(alias, column);
        self.push(operator);
        self.push_comparable_value(column, value.clone());
    }

    /// Writes `t0."a" = ANY($1)`: the column is one of the values.
    fn push_in(&mut self, number: u16, column: &Column, values: &Param, alias: Alias) {
        self.pass().numbers(8, number, 0);
        match column.nullable_json && self.is_below_not {
            true => self.push_nullable(alias, column),
            false => self.push_comparable(alias, column),
        }
        self.push(" = ANY(");
        match comparable_type(column) {
            Some(ty) => {
                self.push_param(values.clone());
                self.push_comparable_cast(column, ty, "[]");
            }
            None => self.push_values(column, values.clone()),
        }
        self.push(")");
    }

    /// Writes `$1 = ANY(t0."a")`: the list contains the value.
    fn push_contains(&mut self, number: u16, column: &Column, value: &Param, alias: Alias) {
        self.pass().numbers(11, number, 0);
        match comparable_type(column).and_then(|ty| ty.strip_suffix("[]")) {
            Some(ty) if column.sql_type != "varbit[]" => {
                match compared_by_its_text(column.sql_type) {
                    true => self.push_element(column, value.clone()),
                    false => self.push_param(value.clone()),
                }
                self.push_casts([ty]);
            }
            _ => self.push_element(column, value.clone()),
        }
        self.push(" = ANY(");
        self.push_comparable(alias, column);
        self.push(")");
    }

    /// Writes `EXISTS (SELECT 1 FROM "t" AS t1 WHERE ..)`: any row of a table matches a condition.
    fn push_another(&mut self, table: &'static Table, condition: &Condition) {
        self.word(17);
        self.pass().address(table);
        let another = self.alias();
        self.push("EXISTS (SELECT 1 FROM ");
        self.push_table(table, another);
        self.push_where(condition, table, another);
        self.push(")");
    }

    /// Columns with the same Rust type may have different types in PostgreSQL, which compares those.
    pub(super) fn push_column_comparison(&mut self, left: &Column, operator: Operator, right: &Column, alias: Alias) {
        // Two enums, or an enum and a text, are compared as their wire types.
        let same = left.sql_type == right.sql_type || (left.wire.is_none() && right.wire.is_none());
        let push = if same { Self::push_comparable } else { Self::push_read };
        let push = |writer: &mut Self, column: &Column| match column.nullable_json {
            true => writer.push_nullable(alias, column),
            false => push(writer, alias, column),
        };
        push(self, left);
        self.push(operator.sql());
        push(self, right);
    }

    pub(super) fn push_parts(&mut self, parts: &[Condition], between: &str, none: &str, table: &Table, alias: Alias) {
        if parts.is_empty() {
            return self.push(none);
        }
        for (index, part) in parts.iter().enumerate() {
            if index > 0 {
                self.push(between);
            }
            // Even for a single part, because other conditions may follow.
            let parentheses = matches!(part, Condition::And(_) | Condition::Or(_));
            self.push(if parentheses { "(" } else { "" });
            self.push_condition(part, table, alias);
            self.push(if parentheses { ")" } else { "" });
        }
    }

    pub(super) fn push_negated(&mut self, inner: &Condition, table: &Table, alias: Alias) {
        match inner {
            Condition::IsNull { column } => {
                self.pass().numbers(9, *column, 0);
                self.push_nullable(alias, &table.columns[usize::from(*column)]);
                self.push(" IS NOT NULL");
            }
            _ => {
                self.push("NOT (");
                let is_below_not = std::mem::replace(&mut self.is_below_not, true);
                self.push_condition(inner, table, alias);
                self.is_below_not = is_below_not;
                self.push(")");
            }
        }
    }

    pub(super) fn push_related(&mut self, relation: &Relation, condition: &Condition, table: &Table, alias: Alias) {
        self.push("EXISTS (SELECT 1 FROM ");
        self.push_related_rows(relation, condition, table, alias);
        self.push(")");
    }

    /// Writes `EXISTS (SELECT 1 FROM "_AToB" AS t1 WHERE ..)`: the rows of the child that are connected to one parent.
    pub(super) fn push_joined_to(&mut self, relation: &Relation, key: &Param, alias: Alias) {
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

    /// Writes `child AS t1 WHERE ..`: the rows of a relation that match a condition.
    pub(super) fn push_related_rows(
        &mut self,
        relation: &Relation,
        condition: &Condition,
        table: &Table,
        alias: Alias,
    ) {
        self.pass().address(relation);
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
        self.push_tenant_unless_joined(relation, child, condition.lifted());
        if !self.tells_every_row(condition) {
            self.push(" AND (");
            self.push_condition(condition, relation.child, child);
            self.push(")");
        }
    }

    /// Confines the rows of a relation to the tenant and to the scopes of their table. If the relation's columns contain
    /// the tenant, they need no condition for it, because the enclosing rows are confined. Citus does not see that in a
    /// subquery of a value.
    pub(super) fn push_tenant_unless_joined(&mut self, relation: &Relation, child: Alias, lifted: Lifted) {
        let lifted = lifted_by(relation, lifted);
        match relation.tenant_pair {
            Some(_) if !relation.child.is_on_citus => self.confined_by_join(relation.child, child, lifted),
            _ => {
                self.push_confined(" AND ", relation.child, child, lifted);
            }
        }
    }

    /// Writes ` JOIN "_AToB" AS t2 ON t2."B" = t1."id"`.
    pub(super) fn push_through_join(&mut self, relation: &Relation, through: &JoinTable, child: Alias, between: Alias) {
        self.push(" JOIN ");
        self.push(through.sql);
        self.push(" AS ");
        self.push_alias(between);
        self.push(" ON ");
        self.push_through_column(between, through.child_column);
        self.push(" = ");
        self.push_column(child, &relation.child.columns[usize::from(relation.child_columns[0])]);
    }

    pub(super) fn push_through_column(&mut self, alias: Alias, name: &str) {
        self.push_alias(alias);
        self.push(".");
        self.push_quoted(name);
    }

    /// Writes `t1."id" = t0."user_id"`, for each pair of columns.
    pub(super) fn push_join_condition(&mut self, relation: &Relation, child: Alias, table: &Table, parent: Alias) {
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
