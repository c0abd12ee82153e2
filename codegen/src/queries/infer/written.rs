//! The tables that a statement writes, and the places where a confined statement has more text.

use super::super::tree::{Delete, Insert, InsertSource, Name, Query, Set, Term, Update};
use super::Cx;
use super::scope::Scope;
use crate::diagnostics::{Diagnostic, Span};
use crate::ir::ModelId;

/// A table that the statement writes.
#[derive(Debug, Clone)]
pub(in crate::queries) struct Write {
    /// The place of its name.
    pub(in crate::queries) table: Span,
    pub(in crate::queries) model: ModelId,
    /// The name that denotes its rows in the statement; `None` if that name may denote the rows of another table.
    pub(in crate::queries) name: Option<String>,
    /// The place of the condition for existing rows, or of WHERE if there is none. `None` if existing rows stay as they
    /// are.
    pub(in crate::queries) filter: Option<Span>,
    /// The columns that existing rows get values for.
    pub(in crate::queries) sets: Vec<String>,
    pub(in crate::queries) new_rows: Option<NewRows>,
}

/// The rows that INSERT adds.
#[derive(Debug, Clone)]
pub(in crate::queries) struct NewRows {
    /// The columns that the statement names; none in front of all columns of the table.
    pub(in crate::queries) columns: Vec<String>,
    /// Where one more column can be added, if that is possible.
    pub(in crate::queries) values: Option<NewValues>,
}

/// The places where a column and its values can be added.
#[derive(Debug, Clone)]
pub(in crate::queries) enum NewValues {
    /// The end of the list of columns, and that of each list of values.
    Listed { columns: u32, values: Vec<u32> },
    /// DEFAULT VALUES.
    Defaults(Span),
}

/// Required columns that INSERT leaves out.
#[derive(Debug)]
pub(in crate::queries) struct LeftOut {
    /// What is missing if the client of a tenant sets the tenant's column.
    pub(in crate::queries) confined: Option<Diagnostic>,
    /// What is missing otherwise.
    pub(in crate::queries) other: Diagnostic,
}

impl Cx<'_> {
    pub(super) fn record_insert(&mut self, scope: &Scope<'_>, insert: &Insert) {
        let conflict = insert.conflict.as_ref().filter(|conflict| !conflict.sets.is_empty());
        let (columns, names) = (insert.columns_end, insert.columns.iter().map(|name| name.text.clone()));
        let values = match &insert.source {
            InsertSource::Defaults(place) if insert.columns.is_empty() => Some(NewValues::Defaults(*place)),
            InsertSource::Query(query) if !insert.columns.is_empty() => {
                ends_of_values(query).map(|values| NewValues::Listed { columns, values })
            }
            InsertSource::Defaults(_) | InsertSource::Query(_) => None,
        };
        let Some(mut write) = write_of(scope, &insert.table) else { return };
        // In ON CONFLICT, it denotes the row that could not be added.
        write.name = write.name.filter(|name| name != "excluded");
        write.filter = conflict.map(|conflict| conflict.filter.span);
        write.sets = conflict.map(|conflict| names_of(&conflict.sets)).unwrap_or_default();
        write.new_rows = Some(NewRows { columns: names.collect(), values });
        self.written.push(write);
    }

    pub(super) fn record_update(&mut self, scope: &Scope<'_>, update: &Update) {
        let write = write_of(scope, &update.table);
        let (filter, sets) = (Some(update.filter.span), names_of(&update.sets));
        self.written.extend(write.map(|write| Write { filter, sets, ..write }));
    }

    pub(super) fn record_delete(&mut self, scope: &Scope<'_>, delete: &Delete) {
        let write = write_of(scope, &delete.table);
        self.written.extend(write.map(|write| Write { filter: Some(delete.filter.span), ..write }));
    }
}

/// Returns the target of a statement, which is the first table of its scope. `None` if the schema does not know it.
fn write_of(scope: &Scope<'_>, path: &[Name]) -> Option<Write> {
    let ([target, others @ ..], [first, ..], [.., last]) = (scope.relations.as_slice(), path, path) else {
        return None;
    };
    let is_alone = others.iter().all(|other| other.name != target.name);
    Some(Write {
        table: Span { end: last.span.end, ..first.span },
        model: target.model?,
        name: is_alone.then(|| target.name.clone()),
        filter: None,
        sets: Vec::new(),
        new_rows: None,
    })
}

fn names_of(sets: &[Set]) -> Vec<String> {
    sets.iter().flat_map(|set| &set.columns).map(|name| name.text.clone()).collect()
}

/// Returns the end of each list of values, if a value can be added to each.
fn ends_of_values(query: &Query) -> Option<Vec<u32>> {
    match query.terms.as_slice() {
        [Term::Values { ends, .. }] => Some(ends.clone()),
        [Term::Select(select)] => select.items_end.map(|end| vec![end]),
        [Term::Query(query)] => ends_of_values(query),
        _ => None,
    }
}
