//! Creates the rows of a factory: first those that they require, level by level, then the rows themselves.

use std::sync::Arc;

use futures_util::future::{BoxFuture, FutureExt};

use super::value::{Place, Source};
use crate::error::{Error, Result};
use crate::execute::Executor;
use crate::meta::{Count, Relation, SampleKind, Samples, Table};
use crate::query::{
    BulkOptions, Cell, Insert, NewRows, Operation, Outcome, Parts, Query, Returned, SetTo, Sets, Tenant,
};
use crate::rows::Node;
use crate::value::Param;

/// Creates rows, in one call of a factory.
pub(super) struct Maker {
    executor: Executor,
    source: Source,
    /// How many rows of each table there are. Their numbers make their values different.
    made: Vec<(&'static Table, u64)>,
    /// The rows that several rows reference.
    shared: Vec<SharedRow>,
    /// The relations that lead to the rows that are being made.
    path: Vec<(&'static Table, &'static Relation)>,
}

/// A row that others reference: one that was created for them, or one that the program has named.
struct SharedRow {
    table: &'static Table,
    /// What was known of it before it was created.
    given: Given,
    values: Values,
}

/// The values of the columns of a row, as far as they are known.
type Values = Vec<Option<Param>>;

/// Values of a row that are known before it is created.
type Given = Vec<(u16, Param)>;

/// A row that is not complete yet.
struct Row {
    insert: Insert,
    /// The columns that need no value: those that are set, and the tenant's.
    known: Vec<u16>,
}

impl Row {
    fn new(table: &'static Table, sets: Sets) -> Self {
        let mut insert = Insert::new(table);
        let mut known: Vec<u16> = table.own_tenant_column().filter(|_| !is_tenant(table)).into_iter().collect();
        for (column, to) in sets {
            known.push(column);
            insert.assign(column, to);
        }
        Self { insert, known }
    }

    fn knows(&self, column: u16) -> bool {
        self.known.contains(&column)
    }

    fn set(&mut self, column: u16, value: Param) {
        self.known.push(column);
        self.insert.assign(column, SetTo::Value(value));
    }

    fn value(&self, column: u16) -> Option<&Param> {
        self.insert.cells.iter().find_map(|(known, cell)| match cell {
            Cell::Value(value) if *known == column => Some(value),
            _ => None,
        })
    }

    /// Returns what this row says of the row that the relation leads to.
    fn given(&self, relation: &Relation) -> Given {
        let pairs = relation.parent_columns.iter().zip(relation.child_columns);
        pairs.filter_map(|(ours, theirs)| Some((*theirs, self.value(*ours)?.clone()))).collect()
    }
}

/// Returns whether each row of the table is a tenant.
fn is_tenant(table: &Table) -> bool {
    table.tenancy.is_some_and(|tenancy| tenancy.is_tenant)
}

/// Returns the relations that a row requires. Those with few columns come first, because they may be a part of others.
fn required(table: &'static Table) -> Vec<&'static Relation> {
    let is_required = |relation: &&Relation| relation.referencing && relation.count == Count::One;
    let mut relations: Vec<&Relation> = table.relations.iter().filter(is_required).collect();
    relations.sort_by_key(|relation| relation.parent_columns.len());
    relations
}

/// Returns the relations of which each row needs a row of its own: those of a key that nothing else makes unique.
fn exclusive(table: &'static Table, samples: &Samples) -> Vec<&'static Relation> {
    let mut found: Vec<&Relation> = Vec::new();
    let tenant = table.own_tenant_column();
    let differs = |column: u16| samples.columns.iter().any(|it| it.column == column && has_many_values(table, it));
    for key in samples.keys {
        let columns = || key.iter().copied().filter(|column| Some(*column) != tenant);
        let shares = |relation: &Relation| columns().filter(|it| relation.parent_columns.contains(it)).count();
        if columns().any(differs) || found.iter().any(|relation| shares(relation) > 0) {
            continue;
        }
        // Of several, the first one that covers most of the key.
        let best = required(table).into_iter().rev().max_by_key(|relation| shares(relation));
        found.extend(best.filter(|relation| shares(relation) > 0));
    }
    found
}

fn has_many_values(table: &Table, sample: &crate::meta::Sample) -> bool {
    let is_boolean = table.columns[usize::from(sample.column)].sql_type == "boolean";
    !is_boolean && !matches!(sample.kind, SampleKind::Labels(_))
}

impl Maker {
    pub(super) fn new(executor: Executor, source: Source) -> Self {
        Self { executor, source, made: Vec::new(), shared: Vec::new(), path: Vec::new() }
    }

    /// Creates a row for each list of values, and returns them in this order.
    pub(super) async fn make(&mut self, table: &'static Table, values: Vec<Sets>) -> Result<Node> {
        let rows = values.into_iter().map(|sets| Row::new(table, sets)).collect();
        self.make_rows(table, rows).await
    }

    fn make_rows(&mut self, table: &'static Table, mut rows: Vec<Row>) -> BoxFuture<'_, Result<Node>> {
        async move {
            let samples = self.samples_of(table)?;
            let exclusive = exclusive(table, samples);
            if self.path.is_empty() {
                self.share_named(table, &rows);
            }
            for relation in required(table) {
                let is_exclusive = exclusive.iter().any(|it| std::ptr::eq(*it, relation));
                self.refer(table, relation, &mut rows, is_exclusive).await?;
            }
            for row in &mut rows {
                let number = self.next(table);
                self.complete(table, samples, number, row)?;
            }
            let rows = rows.into_iter().map(|row| row.insert);
            self.executor.call(NewRowsOf { table, rows: rows.collect() }).await
        }
        .boxed()
    }

    /// Lets the rows that are created later reference the rows that the program has named for all of these.
    fn share_named(&mut self, table: &'static Table, rows: &[Row]) {
        let Some((first, others)) = rows.split_first() else { return };
        for relation in required(table) {
            let named = first.given(relation);
            let is_named = |column: u16| named.iter().any(|(known, _)| *known == column);
            if !relation.key_pairs().all(|(_, theirs)| is_named(theirs))
                || relation.key_pairs().next().is_none()
                || others.iter().any(|row| row.given(relation) != named)
            {
                continue;
            }
            let mut values = vec![None; relation.child.columns.len()];
            named.into_iter().for_each(|(column, value)| values[usize::from(column)] = Some(value));
            self.shared.push(SharedRow { table: relation.child, given: Given::new(), values });
        }
    }

    fn samples_of(&self, table: &'static Table) -> Result<&'static Samples> {
        if self.executor.tenant().is_none() && table.own_tenant_column().is_some() && !is_tenant(table) {
            return Err(Error::Misuse(
                format!("a {} belongs to a tenant: create it through the tenant's handle, `db.tenant(id)`", table.name)
                    .into(),
            ));
        }
        table.samples.as_ref().ok_or_else(|| {
            let reason = "it has a required column that the client cannot write";
            Error::Misuse(format!("a factory cannot create a {}: {reason}", table.name).into())
        })
    }

    /// Counts the rows of a table.
    fn next(&mut self, table: &'static Table) -> u64 {
        let index = self.made.iter().position(|(known, _)| std::ptr::eq(*known, table)).unwrap_or_else(|| {
            self.made.push((table, 0));
            self.made.len() - 1
        });
        let made = &mut self.made[index].1;
        *made += 1;
        *made - 1
    }

    /// Finds a value for each column that needs one.
    fn complete(&self, table: &'static Table, samples: &Samples, number: u64, row: &mut Row) -> Result<()> {
        for sample in samples.columns.iter().filter(|sample| !row.knows(sample.column)).collect::<Vec<_>>() {
            let unique = samples.keys.iter().any(|key| key.contains(&sample.column));
            let place = Place { table, index: sample.column, number, unique };
            row.set(sample.column, self.source.value(&place, sample.kind)?);
        }
        Ok(())
    }

    /// Sets the foreign key of a required relation, and creates the rows that it references.
    async fn refer(
        &mut self,
        table: &'static Table,
        relation: &'static Relation,
        rows: &mut [Row],
        is_exclusive: bool,
    ) -> Result<()> {
        let needs = |row: &Row| relation.parent_columns.iter().any(|column| !row.knows(*column));
        let needy: Vec<&mut Row> = rows.iter_mut().filter(|row| needs(row)).collect();
        if needy.is_empty() {
            return Ok(());
        }
        self.path.push((table, relation));
        self.refuse_cycle(relation.child)?;
        let given: Vec<Given> = needy.iter().map(|row| row.given(relation)).collect();
        let parents = match is_exclusive {
            true => self.parents(relation.child, given).await?,
            false => self.shared_parents(relation, given).await?,
        };
        self.path.pop();
        for (row, parent) in needy.into_iter().zip(parents) {
            for (ours, theirs) in relation.parent_columns.iter().zip(relation.child_columns) {
                if !row.knows(*ours) {
                    let value = parent.get(usize::from(*theirs)).cloned().flatten();
                    row.set(*ours, value.unwrap_or(Param::Null));
                }
            }
        }
        Ok(())
    }

    /// Refuses to create a row that requires itself.
    fn refuse_cycle(&self, table: &'static Table) -> Result<()> {
        let Some(start) = self.path.iter().position(|(known, _)| std::ptr::eq(*known, table)) else { return Ok(()) };
        let links: Vec<String> = self.path[start..]
            .iter()
            .map(|(table, relation)| {
                format!("a {} requires a {} (`{}`)", table.name, relation.child.name, relation.name)
            })
            .collect();
        Err(Error::Misuse(
            format!(
                "a factory cannot create a {}, because {}: create one of these rows yourself, and set the columns of the \
                 relation to its key, using `.with(..)`",
                self.path[0].0.name,
                links.join(", and ")
            )
            .into(),
        ))
    }

    /// Creates a row for each, and returns their values.
    async fn parents(&mut self, table: &'static Table, given: Vec<Given>) -> Result<Vec<Values>> {
        let row = |given: Given| {
            let mut row = Row::new(table, Sets::new());
            given.into_iter().for_each(|(column, value)| row.set(column, value));
            row
        };
        let node = self.make_rows(table, given.into_iter().map(row).collect()).await?;
        let values = |row| {
            let value = |column| Some(node.raw(row, column).map_or(Param::Null, |raw| Param::Raw(raw.to_vec())));
            (0..table.columns.len()).map(value).collect()
        };
        Ok((0..node.len()).map(values).collect())
    }

    /// Returns the values of a row for each, the same one for all of which the same is known.
    async fn shared_parents(&mut self, relation: &'static Relation, given: Vec<Given>) -> Result<Vec<Values>> {
        let table = relation.child;
        let mut wanted: Vec<Given> = Vec::new();
        for given in &given {
            if self.shared_row(relation, given).is_none() && !wanted.contains(given) {
                wanted.push(given.clone());
            }
        }
        if !wanted.is_empty() {
            let rows = self.parents(table, wanted.clone()).await?;
            let shared = wanted.into_iter().zip(rows).map(|(given, values)| SharedRow { table, given, values });
            self.shared.extend(shared);
        }
        let values = |given| self.shared_row(relation, given).map(|row| row.values.clone()).unwrap_or_default();
        Ok(given.iter().map(values).collect())
    }

    /// Returns a row that the relation can lead to, if there is one already.
    fn shared_row(&self, relation: &'static Relation, given: &Given) -> Option<&SharedRow> {
        let knows = |row: &SharedRow| relation.key_pairs().all(|(_, theirs)| row.values[usize::from(theirs)].is_some());
        let fits = |row: &&SharedRow| std::ptr::eq(row.table, relation.child) && row.given == *given && knows(row);
        self.shared.iter().find(fits)
    }
}

/// Rows to create and return.
struct NewRowsOf {
    table: &'static Table,
    rows: Vec<Insert>,
}

impl Query for NewRowsOf {
    type Output = Node;
    type Confinement = ();

    fn tenant(&self) -> Option<Option<Arc<Tenant>>> {
        None
    }

    fn into_parts(self) -> Parts<Node> {
        let options = BulkOptions { skip_duplicates: false, returned: Returned::Rows };
        let rows = NewRows::collect(self.rows.into_iter());
        Parts { operation: Operation::CreateMany { table: self.table, rows, options }, finish: Outcome::into_rows }
    }
}
