//! Relations of a table to itself that are followed step by step, by WITH RECURSIVE.
//!
//! UNION keeps each row that is reached once, so a circle of rows ends the recursion. If the depth is limited, rows are
//! kept once per step, and the depth ends it.

use super::pass::Pass;
use super::read::{ChildrenOf, KeySource};
use super::scope::lifted_by;
use super::writer::{Alias, Writer};
use crate::meta::{Lifted, Relation, Table};
use crate::query::{Condition, Recursion, Select};

/// The next step of a recursion: the rows for which `these` have the values of `known`, the columns of a row before.
struct Step<'r> {
    table: &'r Table,
    /// The values of a row that are collected.
    collected: Vec<u16>,
    /// The columns by which the next rows are found.
    these: Vec<u16>,
    lifted: Lifted,
    /// The condition on each row that is reached.
    condition: &'r Condition,
    recursion: Recursion,
}

impl<P: Pass> Writer<'_, P> {
    /// Writes the condition that a row can be reached from the given parents: its key is in the list of those that are.
    pub(super) fn push_reached(
        &mut self,
        of: ChildrenOf<'_>,
        keys: &mut KeySource,
        select: &Select,
        recursion: Recursion,
        alias: Alias,
    ) {
        let (relation, table) = (of.relation, select.table);
        let places = self.places_without_tenant(relation);
        let column = |columns: &[u16]| places.iter().map(|place| columns[*place]).collect::<Vec<_>>();
        // The columns of the key, and then those from which the next step starts.
        let starts = column(relation.parent_columns);
        let step = Step {
            table,
            collected: table.key.iter().copied().chain(starts).collect(),
            these: column(relation.child_columns),
            lifted: lifted_by(relation, select.condition.lifted()),
            condition: &select.condition,
            recursion,
        };
        self.push_row(table, table.key, alias);
        self.push(" IN (");
        let reached = self.push_recursion(&step, table.key.len(), |writer, first| {
            writer.push(" WHERE ");
            writer.push_keys(of, keys, first, None);
            let mut first_condition = false;
            writer.push_confined_also(table, first, step.lifted, &mut first_condition);
            writer.push_also(&select.condition, table, first, &mut first_condition);
        });
        self.push(" SELECT ");
        self.push_collected(reached, 0..table.key.len());
        self.push(" FROM ");
        self.push_alias(reached);
        self.push(")");
    }

    /// Writes the condition that following a relation step by step, along rows that match one condition, leads to a row
    /// that also matches another.
    ///
    /// It starts at the rows that match, and follows the relation backward: these are few more often, and the list does
    /// not depend on the row, so PostgreSQL makes it once. The comparison is never null, so it can be negated.
    pub(super) fn push_reaches(
        &mut self,
        relation: &Relation,
        recursion: Recursion,
        [along, condition]: [&Condition; 2],
        table: &Table,
        alias: Alias,
    ) {
        self.pass().address(relation);
        self.push_recursion_shape(recursion);
        let places = self.places_without_tenant(relation);
        let column = |columns: &[u16]| places.iter().map(|place| columns[*place]).collect::<Vec<_>>();
        let (ours, theirs) = (column(relation.parent_columns), column(relation.child_columns));
        let step = Step {
            table,
            collected: theirs,
            these: ours.clone(),
            lifted: lifted_by(relation, along.lifted()),
            condition: along,
            recursion,
        };
        self.push("(");
        for number in &ours {
            self.push_column(alias, &table.columns[usize::from(*number)]);
            self.push(" IS NOT NULL AND ");
        }
        self.push_row(table, &ours, alias);
        self.push(" IN (");
        let reached = self.push_recursion(&step, 0, |writer, first| {
            let mut first_condition = true;
            writer.push_confined_also(table, first, step.lifted, &mut first_condition);
            writer.push_also(along, table, first, &mut first_condition);
            writer.push_also(condition, table, first, &mut first_condition);
        });
        self.push(" SELECT ");
        self.push_collected(reached, 0..ours.len());
        self.push(" FROM ");
        self.push_alias(reached);
        for place in 0..ours.len() {
            self.push(if place > 0 { " AND " } else { " WHERE " });
            self.push_collected(reached, place..place + 1);
            self.push(" IS NOT NULL");
        }
        self.push("))");
    }

    /// Adds the words of a recursion.
    pub(super) fn push_recursion_shape(&mut self, recursion: Recursion) {
        self.word(recursion.depth.map_or(0, |depth| depth as usize + 1));
    }

    /// Returns the positions of a relation's columns that identify a row within the tenant.
    fn places_without_tenant(&self, relation: &Relation) -> Vec<usize> {
        let tenant = self.tenancy_of(relation.child).and(relation.tenant_pair);
        (0..relation.parent_columns.len()).filter(|place| Some(*place) != tenant).collect()
    }

    /// Writes `WITH RECURSIVE t1(c0, c1) AS (..)`: the first rows, which `confine` chooses, and those of each further
    /// step. `from` is the position of the collected values with which a step starts. Returns the name of the list.
    fn push_recursion(&mut self, step: &Step<'_>, from: usize, confine: impl FnOnce(&mut Self, Alias)) -> Alias {
        let Step { table, recursion, .. } = *step;
        let (reached, first, next) = (self.alias(), self.alias(), self.alias());
        self.push("WITH RECURSIVE ");
        self.push_alias(reached);
        self.push("(");
        for number in 0..step.collected.len() {
            self.push(if number > 0 { ", c" } else { "c" });
            self.push_number(number as u32);
        }
        self.push(if recursion.depth.is_some() { ", depth) AS (SELECT " } else { ") AS (SELECT " });
        self.push_listed(table, &step.collected, first);
        self.push(if recursion.depth.is_some() { ", 1 FROM " } else { " FROM " });
        self.push_table(table, first);
        confine(self, first);
        self.push(" UNION SELECT ");
        self.push_listed(table, &step.collected, next);
        if recursion.depth.is_some() {
            self.push(", ");
            self.push_alias(reached);
            self.push(".depth + 1");
        }
        self.push(" FROM ");
        self.push_table(table, next);
        self.push(" JOIN ");
        self.push_alias(reached);
        for (place, number) in step.these.iter().enumerate() {
            self.push(if place > 0 { " AND " } else { " ON " });
            self.push_column(next, &table.columns[usize::from(*number)]);
            self.push(" = ");
            self.push_collected(reached, from + place..from + place + 1);
        }
        let mut is_first = true;
        if let Some(depth) = recursion.depth {
            self.push_where_or_and(&mut is_first);
            self.push_alias(reached);
            self.push(".depth < ");
            self.push_number(depth);
        }
        self.push_confined_also(table, next, step.lifted, &mut is_first);
        self.push_also(step.condition, table, next, &mut is_first);
        self.push(")");
        reached
    }

    /// Writes the names of collected values.
    fn push_collected(&mut self, reached: Alias, places: std::ops::Range<usize>) {
        for (index, place) in places.enumerate() {
            self.push(if index > 0 { ", " } else { "" });
            self.push_alias(reached);
            self.push(".c");
            self.push_number(place as u32);
        }
    }

    /// Writes columns in parentheses.
    fn push_row(&mut self, table: &Table, columns: &[u16], alias: Alias) {
        self.push("(");
        self.push_listed(table, columns, alias);
        self.push(")");
    }

    fn push_listed(&mut self, table: &Table, columns: &[u16], alias: Alias) {
        for (index, number) in columns.iter().enumerate() {
            self.push(if index > 0 { ", " } else { "" });
            self.push_column(alias, &table.columns[usize::from(*number)]);
        }
    }
}
