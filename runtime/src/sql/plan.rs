//! Where in the rows of a SELECT everything stands, and which relations are joined.

use super::read::{ChildrenOf, KeySource};
use crate::meta::{Count, Relation, Table};
use crate::query::{Include, Output, Outputs, Select};
use crate::rows::Names;

/// Where the values of one table stand in the rows of a statement.
#[derive(Debug)]
pub(crate) struct ReadPlan<'q> {
    pub(crate) select: &'q Select,
    /// Of its first value, counted from the first of the row.
    pub(crate) offset: usize,
    /// Where each value of `outputs` comes from; `None` for all columns in their order.
    pub(super) places: Option<Vec<Output>>,
    /// Includes that were joined: where they stand, and the value that is null if there is no row.
    pub(crate) joined: Vec<(&'q Include, ReadPlan<'q>, Option<usize>)>,
    /// Includes that take statements of their own.
    pub(crate) separate: Vec<&'q Include>,
    /// Where the key stands by which the rows belong to parents, relative to `offset`.
    pub(crate) key: Vec<usize>,
}

impl ReadPlan<'_> {
    /// Where a column stands, relative to `offset`. Columns that were planned for are always there.
    pub(crate) fn place(&self, column: u16) -> usize {
        match &self.places {
            None => usize::from(column),
            Some(places) => places
                .iter()
                .position(|output| matches!(output, Output::Column(known) if *known == column))
                .unwrap_or(usize::from(column)),
        }
    }

    /// What the values of the table are, where they are not all of its columns. Of a count that is its relation.
    pub(crate) fn names(&self) -> Option<Names> {
        let name = |output: &Output| match output {
            Output::Column(column) => self.select.table.columns[usize::from(*column)].name,
            Output::Count { relation, .. } => relation.name,
        };
        self.places.as_ref().map(|places| places.iter().map(name).collect())
    }

    /// Where the parent's columns of a relation stand.
    pub(crate) fn parent_places(&self, relation: &Relation) -> Vec<usize> {
        relation.parent_columns.iter().map(|column| self.place(*column)).collect()
    }

    /// Whether nothing has to be read besides, at any depth.
    pub(crate) fn is_single_statement(&self) -> bool {
        self.separate.is_empty() && self.joined.iter().all(|(_, child, _)| child.is_single_statement())
    }

    /// Behind the last value of the tables that were planned for.
    pub(crate) fn end(&self) -> usize {
        self.joined.last().map_or(self.offset + self.width(), |(_, child, _)| child.end())
    }

    fn width(&self) -> usize {
        self.places.as_ref().map_or(self.select.table.columns.len(), Vec::len)
    }
}

/// Where the values of a read stand.
pub(super) fn plan_of<'q>(select: &'q Select, of: Option<&(ChildrenOf<'q>, KeySource)>) -> ReadPlan<'q> {
    let key_columns = of.map_or(&[][..], |(of, _)| of.relation.child_columns);
    let mut plan = plan_outputs(select, 0, Joining::of(select), key_columns);
    if of.is_some_and(|(of, _)| of.relation.through.is_some()) {
        // The key stands in the table between, which comes behind everything else.
        plan.key = vec![plan.end()];
    }
    plan
}

/// The plan of a read of its own, without its statement.
pub(crate) fn read_plan(select: &Select) -> ReadPlan<'_> {
    plan_outputs(select, 0, Joining::of(select), &[])
}

/// The plan of what is read of whole rows that are there already: each relation by itself.
pub(crate) fn unjoined_plan(select: &Select) -> ReadPlan<'_> {
    plan_outputs(select, 0, Joining::None, &[])
}

/// The plan of what a statement that writes gives back: of one row with those that it points at. Of many, their order
/// would be lost in a join.
pub(crate) fn written_plan(select: &Select) -> ReadPlan<'_> {
    let joining = if select.single { Joining::Referenced(select.table) } else { Joining::None };
    plan_outputs(select, 0, joining, &[])
}

/// Which to-one relations are joined to the rows.
#[derive(Debug, Clone, Copy)]
enum Joining {
    None,
    All,
    /// Those whose key is in the row itself, and none of this table: a statement does not see what it writes.
    Referenced(&'static Table),
}

impl Joining {
    /// Joins where there is one row, or values rather than rows.
    fn of(select: &Select) -> Self {
        if select.single || select.is_projection() { Joining::All } else { Joining::None }
    }

    fn joins(self, relation: &Relation) -> bool {
        relation.count != Count::Many
            && match self {
                Joining::None => false,
                Joining::All => true,
                Joining::Referenced(table) => relation.referencing && !std::ptr::eq(relation.child, table),
            }
    }
}

/// Lays out the values of a table and of what is joined to it.
fn plan_outputs<'q>(select: &'q Select, offset: usize, joining: Joining, key_columns: &[u16]) -> ReadPlan<'q> {
    let places = match &select.outputs {
        Outputs::All => None,
        Outputs::List(outputs) => {
            let mut places = outputs.clone();
            let parents = select.includes.iter().flat_map(|include| include.relation.parent_columns);
            for column in key_columns.iter().chain(parents).chain(select.table.key) {
                if !places.iter().any(|known| matches!(known, Output::Column(there) if there == column)) {
                    places.push(Output::Column(*column));
                }
            }
            Some(places)
        }
    };
    let mut plan = ReadPlan { select, offset, places, joined: Vec::new(), separate: Vec::new(), key: Vec::new() };
    plan.key = key_columns.iter().map(|column| plan.place(*column)).collect();
    let mut next = offset + plan.width();
    for include in &select.includes {
        if joining.joins(include.relation) {
            let child = plan_outputs(&include.select, next, joining, &[]);
            next = child.end();
            let present = include.relation.child.key.first().map(|column| child.place(*column));
            plan.joined.push((include, child, present));
        } else {
            plan.separate.push(include);
        }
    }
    plan
}
