//! Many new rows, as data. They are collected as columns of values, as long as they have the same columns and no nested
//! rows.

use std::collections::BTreeSet;

use super::condition::Condition;
use super::default::generate;
use super::write::{Cell, Insert, Refusal, SetTo};
use crate::meta::{ClientDefault, Relation, Table};
use crate::value::Param;

/// New rows of one table.
#[derive(Debug, Clone)]
pub(crate) enum NewRows {
    /// Rows with values for the same columns, and nothing else.
    Uniform(UniformRows),
    Any(Vec<Insert>),
}

/// Rows with values for the same columns, as a list for each column.
#[derive(Debug, Clone)]
pub(crate) struct UniformRows {
    table: &'static Table,
    /// The columns with values, in the order of the rows, and the list of each.
    given: Vec<(u16, usize)>,
    /// The columns whose values the client generates, and their lists.
    made: Vec<(ClientDefault, usize)>,
    /// The columns of the lists.
    columns: Vec<u16>,
    values: Vec<Vec<Param>>,
    rows: usize,
}

impl NewRows {
    /// Collects rows, one by one.
    pub(crate) fn collect(mut rows: impl Iterator<Item = Insert>) -> Self {
        let Some(first) = rows.next() else { return NewRows::Any(Vec::new()) };
        let expected = rows.size_hint().0 + 1;
        let Some(mut uniform) = UniformRows::like(&first, expected) else {
            return NewRows::Any(std::iter::once(first).chain(rows).collect());
        };
        uniform.take(first);
        while let Some(row) = rows.next() {
            if !uniform.fits(&row) {
                let mut all = uniform.into_rows();
                all.push(row);
                all.extend(rows);
                return NewRows::Any(all);
            }
            uniform.take(row);
        }
        NewRows::Uniform(uniform)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub(crate) fn len(&self) -> usize {
        match self {
            NewRows::Uniform(uniform) => uniform.rows,
            NewRows::Any(rows) => rows.len(),
        }
    }

    pub(crate) fn into_rows(self) -> Vec<Insert> {
        match self {
            NewRows::Uniform(uniform) => uniform.into_rows(),
            NewRows::Any(rows) => rows,
        }
    }

    pub(crate) fn takes_several_statements(&self) -> bool {
        match self {
            NewRows::Uniform(uniform) => uniform.rows > MAX_ROWS,
            NewRows::Any(rows) => takes_several_statements(rows),
        }
    }

    pub(crate) fn refused(&self) -> Option<Refusal> {
        match self {
            NewRows::Uniform(_) => None,
            NewRows::Any(rows) => rows.iter().find_map(|row| row.refused),
        }
    }
}

impl UniformRows {
    /// Returns an empty collection for rows like this one, if it is of that kind.
    fn like(row: &Insert, expected: usize) -> Option<Self> {
        let table = row.table;
        let mut columns: Vec<u16> = row.cells.iter().map(|(column, _)| *column).collect();
        columns.sort_unstable();
        let twice = columns.windows(2).any(|pair| pair[0] == pair[1]);
        // PostgreSQL has no arrays of arrays as parameters.
        let is_list = |column: &u16| table.columns[usize::from(*column)].sql_type.ends_with("[]");
        if columns.is_empty() || twice || columns.iter().any(is_list) {
            return None;
        }
        let numbered = (0_u16..).zip(table.columns);
        let made: Vec<(u16, ClientDefault)> = numbered
            .filter(|(number, column)| column.default != ClientDefault::None && !columns.contains(number))
            .map(|(number, column)| (number, column.default))
            .collect();
        columns.extend(made.iter().map(|(number, _)| *number));
        columns.sort_unstable();
        let list = |column: u16| columns.iter().position(|known| *known == column);
        let given = row.cells.iter().map(|(column, _)| Some((*column, list(*column)?))).collect::<Option<_>>()?;
        let made = made.into_iter().map(|(column, default)| Some((default, list(column)?))).collect::<Option<_>>()?;
        let values = columns.iter().map(|_| Vec::with_capacity(expected)).collect();
        let uniform = Self { table, given, made, columns, values, rows: 0 };
        uniform.fits(row).then_some(uniform)
    }

    fn fits(&self, row: &Insert) -> bool {
        let same = |(cell, given): (&(u16, Cell), &(u16, usize))| cell.0 == given.0 && matches!(cell.1, Cell::Value(_));
        !row.is_nested()
            && row.refused.is_none()
            && row.cells.len() == self.given.len()
            && row.cells.iter().zip(&self.given).all(same)
    }

    /// Adds the values of a row with the same columns.
    fn take(&mut self, row: Insert) {
        for ((_, cell), (_, list)) in row.cells.into_iter().zip(&self.given) {
            if let Cell::Value(value) = cell {
                self.values[*list].push(value);
            }
        }
        for (default, list) in &self.made {
            self.values[*list].push(generate(*default));
        }
        self.rows += 1;
    }

    pub(crate) fn table(&self) -> &'static Table {
        self.table
    }

    pub(crate) fn len(&self) -> usize {
        self.rows
    }

    /// Returns the columns of all values.
    pub(crate) fn columns(&self) -> impl Iterator<Item = u16> + Clone + '_ {
        self.columns.iter().copied()
    }

    /// Returns the columns that the rows give, without those whose values the client generates.
    pub(crate) fn given(&self) -> impl Iterator<Item = u16> + Clone + '_ {
        self.given.iter().map(|(column, _)| *column)
    }

    /// Returns the names in PostgreSQL of the columns that the rows give.
    pub(crate) fn given_columns(&self) -> impl Iterator<Item = &'static str> {
        self.given().map(|column| self.table.columns[usize::from(column)].name)
    }

    fn into_rows(self) -> Vec<Insert> {
        let mut lists: Vec<_> = self.values.into_iter().map(Vec::into_iter).collect();
        let mut row = || {
            let values = lists.iter_mut().filter_map(Iterator::next).map(Cell::Value);
            let cells = self.columns.iter().copied().zip(values).collect();
            Insert { cells, ..Insert::new(self.table) }
        };
        (0..self.rows).map(|_| row()).collect()
    }

    /// Splits the rows into parts of one statement each.
    pub(crate) fn into_parts(self, returned: Returned, on_conflict: OnConflict) -> impl Iterator<Item = BulkInsert> {
        let Self { table, columns, values, rows, .. } = self;
        let mut lists: Vec<_> = values.into_iter().map(Vec::into_iter).collect();
        (0..rows).step_by(MAX_ROWS).map(move |before| {
            let rows = MAX_ROWS.min(rows - before);
            let values = lists.iter_mut().map(|list| list.take(rows).collect()).collect();
            BulkInsert {
                table,
                columns: columns.clone(),
                values,
                lookups: Vec::new(),
                rows,
                returned,
                on_conflict: on_conflict.clone(),
            }
        })
    }
}

/// Returns whether `create_many` of these rows needs more than one statement.
pub(crate) fn takes_several_statements(rows: &[Insert]) -> bool {
    rows.len() > MAX_ROWS
        || rows.iter().any(|row| row.is_nested() || row.looks_up())
        || rows.windows(2).any(|pair| !have_same_columns(&pair[0], &pair[1]))
        || {
            let is_list =
                |(column, _): &(u16, Cell)| rows[0].table.columns[usize::from(*column)].sql_type.ends_with("[]");
            rows.first().is_some_and(|row| row.cells.iter().any(is_list))
        }
}

fn have_same_columns(a: &Insert, b: &Insert) -> bool {
    // Rows that were created by the same code have set them in the same order.
    a.columns().eq(b.columns()) || {
        let sorted = |row: &Insert| BTreeSet::from_iter(row.columns());
        sorted(a) == sorted(b)
    }
}

/// Options of a bulk insert.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct BulkOptions {
    /// Whether rows with a taken key are left out.
    pub(crate) skip_duplicates: bool,
    /// Whether the rows are returned, in the order in which they were given.
    pub(crate) returned: Returned,
}

impl BulkOptions {
    /// Returns the options for rows that are needed afterwards.
    pub(crate) fn at_least_rows(self) -> Self {
        let returned = if self.returned == Returned::Count { Returned::Rows } else { self.returned };
        Self { returned, ..self }
    }

    pub(crate) fn on_conflict(self) -> OnConflict {
        if self.skip_duplicates { OnConflict::Skip } else { OnConflict::Fail }
    }
}

/// What a bulk insert returns.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Returned {
    /// The number of rows.
    #[default]
    Count,
    /// The rows that were written.
    Rows,
    /// These rows, each with a mark: the number of its input row, from 1 on, negative if it already existed.
    Marked,
}

/// The maximum number of rows in one statement, which limits its memory.
pub(crate) const MAX_ROWS: usize = 10_000;

/// Many rows with values for the same columns.
#[derive(Debug)]
pub(crate) struct BulkInsert {
    pub(crate) table: &'static Table,
    pub(crate) columns: Vec<u16>,
    /// A value per row, for each of `columns`.
    pub(crate) values: Vec<Vec<Param>>,
    /// The columns whose values are looked up instead.
    pub(crate) lookups: Vec<BulkLookup>,
    pub(crate) rows: usize,
    pub(crate) returned: Returned,
    pub(crate) on_conflict: OnConflict,
}

impl BulkInsert {
    /// Removes the rows from number `at` on, and returns them.
    pub(crate) fn split_off(&mut self, at: usize) -> Self {
        let split =
            |lists: &mut Vec<Vec<Param>>| lists.iter_mut().map(|list| list.split_off(at.min(list.len()))).collect();
        let lookups = self.lookups.iter_mut();
        let lookups =
            lookups.map(|lookup| BulkLookup { key: lookup.key.clone(), values: split(&mut lookup.values), ..*lookup });
        let lookups = lookups.collect();
        let rows = self.rows - at;
        self.rows = at;
        Self {
            table: self.table,
            columns: self.columns.clone(),
            values: split(&mut self.values),
            lookups,
            rows,
            returned: self.returned,
            on_conflict: self.on_conflict.clone(),
        }
    }

    /// Removes the values of a column.
    pub(crate) fn remove(&mut self, column: u16) {
        let Some(place) = self.columns.iter().position(|known| *known == column) else { return };
        self.columns.remove(place);
        self.values.remove(place);
        self.lookups.retain(|lookup| lookup.place != place);
        self.lookups.iter_mut().filter(|lookup| lookup.place > place).for_each(|lookup| lookup.place -= 1);
    }
}

/// A column whose value comes from another table's row, which each new row identifies by its key.
#[derive(Debug)]
pub(crate) struct BulkLookup {
    /// The position of the column.
    pub(crate) place: usize,
    pub(crate) relation: &'static Relation,
    pub(crate) column: u16,
    pub(crate) key: Vec<u16>,
    /// A value per row, for each column of the key.
    pub(crate) values: Vec<Vec<Param>>,
}

/// What happens to rows with a taken key.
#[derive(Debug, Clone)]
pub(crate) enum OnConflict {
    /// They are an error.
    Fail,
    /// They are skipped.
    Skip,
    /// Those with this key are skipped. Other conflicts are errors.
    SkipKey(Vec<u16>),
    /// The existing rows are updated, if they match a condition.
    Update { key: Vec<u16>, sets: Vec<(u16, SetTo)>, only_if: Condition },
}
