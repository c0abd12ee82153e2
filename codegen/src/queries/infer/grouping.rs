//! What a query is grouped by. The confinement to a tenant needs it.

use super::super::tree::{ExprKind, Name, On, Relation, RelationKind, Select, Source};
use super::scope::Scope;
use super::{Cx, GroupedTable, Grouping};
use crate::diagnostics::Span;

impl Cx<'_> {
    /// Records the GROUP BY of a SELECT, with the tables whose rows it groups.
    pub(super) fn record_grouping(&mut self, scope: &Scope<'_>, select: &Select) {
        let Some(last) = select.group_by.last() else { return };
        let exprs = select.group_by.iter().map(|expr| self.meant(scope, select, expr));
        let columns = exprs.filter_map(|expr| match &expr.kind {
            ExprKind::Column(path) => Some(path.iter().map(|name| name.text.clone()).collect()),
            _ => None,
        });
        let columns: Vec<Vec<String>> = columns.collect();
        let (mut tables, mut conditions) = (Vec::new(), Vec::new());
        select.from.iter().for_each(|source| tables_of(source, &mut tables, &mut conditions));
        conditions.extend(select.filter.as_ref().map(|filter| filter.span));
        self.groupings.push(Grouping { end: last.span.end, columns, tables, conditions });
    }
}

/// Collects the tables of an item of FROM, and the conditions of its joins.
fn tables_of(source: &Source, found: &mut Vec<GroupedTable>, conditions: &mut Vec<Span>) {
    conditions.extend(source.joins.iter().filter_map(|join| match &join.on {
        On::Condition(condition) => Some(condition.span),
        On::Nothing | On::Using(_) | On::Natural => None,
    }));
    for relation in std::iter::once(&source.first).chain(source.joins.iter().map(|join| &join.relation)) {
        match &relation.kind {
            RelationKind::Table(path) => found.extend(table(relation, path)),
            RelationKind::Joined(source) => {
                let before = found.len();
                tables_of(source, found, conditions);
                // The alias of a join hides the names of its tables.
                if relation.alias.is_some() {
                    found[before..].iter_mut().for_each(|table| table.is_renamed = true);
                }
            }
            RelationKind::Query { .. } | RelationKind::Functions { .. } => {}
        }
    }
}

fn table(relation: &Relation, path: &[Name]) -> Option<GroupedTable> {
    let (first, last) = (path.first()?, path.last()?);
    let name = relation.alias.as_ref().unwrap_or(last);
    Some(GroupedTable {
        span: Span { end: last.span.end, ..first.span },
        name: name.text.clone(),
        is_renamed: !relation.columns.is_empty(),
    })
}
