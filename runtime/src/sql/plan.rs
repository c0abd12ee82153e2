//! The positions of all values in the rows of a SELECT, and the joined relations.

use super::read::{ChildrenOf, KeySource};
use crate::meta::{Count, Relation, Table};
use crate::query::{Include, Output, Outputs, Select};
use crate::rows::Names;

/// The positions of one table's values in the rows of a statement.
#[derive(Debug)]
pub(crate) struct ReadPlan<'q> {
    pub(crate) select: &'q Select,
    /// The position of its first value in the row.
    pub(crate) offset: usize,
    /// The source of each value; `None` for all columns in order.
    pub(super) places: Option<Vec<Output>>,
    /// Joined includes: their positions, and the value that is null if there is no row.
    pub(crate) joined: Vec<(&'q Include, ReadPlan<'q>, Option<usize>)>,
    /// Includes with separate statements.
    pub(crate) separate: Vec<&'q Include>,
    /// The positions of the key that identifies the parent, relative to `offset`.
    pub(crate) key: Vec<usize>,
}

impl ReadPlan<'_> {
    /// Returns the position of a column, relative to `offset`. Planned columns always have one.
    pub(crate) fn place(&self, column: u16) -> usize {
        match &self.places {
            None => usize::from(column),
            Some(places) => places
                .iter()
                .position(|output| matches!(output, Output::Column(known) if *known == column))
                .unwrap_or(usize::from(column)),
        }
    }

    /// Returns the names of the table's values, if they are not all of its columns. A count has the name of its
    /// relation, and an expression or a value in JSON that of its column.
    pub(crate) fn names(&self) -> Option<Names> {
        let name = |output: &Output| match output {
            Output::Column(column) => self.select.table.columns[usize::from(*column)].name,
            Output::Expression(expression) => expression.name(self.select.table),
            Output::Count { relation, .. } => relation.name,
            Output::JsonField(place) => self.select.table.columns[usize::from(place.column)].name,
        };
        self.places.as_ref().map(|places| places.iter().map(name).collect())
    }

    /// Returns the positions of a relation's parent columns.
    pub(crate) fn parent_places(&self, relation: &Relation) -> Vec<usize> {
        relation.parent_columns.iter().map(|column| self.place(*column)).collect()
    }

    /// Returns whether one statement reads everything, at any depth.
    pub(crate) fn is_single_statement(&self) -> bool {
        self.separate.is_empty() && self.joined.iter().all(|(_, child, _)| child.is_single_statement())
    }

    /// Returns the position after the last value of the planned tables.
    pub(crate) fn end(&self) -> usize {
        self.joined.last().map_or(self.offset + self.width(), |(_, child, _)| child.end())
    }

    fn width(&self) -> usize {
        self.places.as_ref().map_or(self.select.table.reads, Vec::len)
    }
}

/// Returns the positions of the values of a read.
pub(super) fn plan_of<'q>(select: &'q Select, of: Option<&(ChildrenOf<'q>, KeySource)>) -> ReadPlan<'q> {
    let key_columns = of.map_or(&[][..], |(of, _)| of.relation.child_columns);
    let mut plan = plan_outputs(select, 0, Joining::of(select), key_columns);
    if of.is_some_and(|(of, _)| of.relation.through.is_some()) {
        // The key is a column of the join table, which comes after everything else.
        plan.key = vec![plan.end()];
    }
    plan
}

/// Returns the plan of a read without parents.
pub(crate) fn read_plan(select: &Select) -> ReadPlan<'_> {
    plan_outputs(select, 0, Joining::of(select), &[])
}

/// Returns the plan for the relations of existing rows with all columns. Each relation is read separately.
pub(crate) fn unjoined_plan(select: &Select) -> ReadPlan<'_> {
    plan_outputs(select, 0, Joining::None, &[])
}

/// Returns the plan of the rows that a write returns: for one row, with those that it references. For many rows, a join
/// would lose their order.
pub(crate) fn written_plan(select: &Select) -> ReadPlan<'_> {
    let joining = if select.single { Joining::Referenced(select.table) } else { Joining::None };
    plan_outputs(select, 0, joining, &[])
}

/// Which to-one relations are joined.
#[derive(Debug, Clone, Copy)]
enum Joining {
    None,
    All,
    /// Those whose foreign key is in the row itself, except to this table: a statement does not see the rows that it
    /// writes.
    Referenced(&'static Table),
}

impl Joining {
    /// Chooses joins if there is one row, or if values are read rather than rows.
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

/// Plans the values of a table and of the tables joined to it.
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
        if include.select.recursion.is_none() && joining.joins(include.relation) {
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
