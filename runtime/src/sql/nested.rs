//! Statements about rows on the other side of a relation: one for all writes of the same kind.
//!
//! They read their input from a list of rows, with an array per column, so that the text does not depend on the number
//! of rows.

use super::bulk::MAX_PARAMETERS;
use super::pass::Pass;
use super::statement::Statement;
use super::tenant::Context;
use super::writer::{Alias, Writer};
use crate::meta::{Column, JoinTable, Relation, Table};
use crate::query::{BulkInsert, BulkLookup, Condition, Returned, SetTo};
use crate::value::{Param, RawList};

/// Returns whether the values of a column are lists, of which PostgreSQL takes no list as a parameter.
fn is_list(column: &Column) -> bool {
    column.sql_type.ends_with("[]")
}

/// Returns how many input rows with these columns fit into a statement: each value of rows with lists is a parameter.
pub(crate) fn rows_per_statement<'a>(columns: impl Iterator<Item = &'a Column> + Clone) -> usize {
    let has_lists = columns.clone().any(is_list);
    if has_lists { MAX_PARAMETERS / columns.count() } else { usize::MAX }
}

const CHILD: Alias = Alias(0);
const OTHER: Alias = Alias(1);

/// The input rows of a statement. Their columns are named `c0`, `c1` and so on.
#[derive(Debug, Default)]
pub(crate) struct InputRows {
    columns: Vec<(&'static Column, Vec<Param>)>,
    /// The numbers of the rows, if they are in one more column.
    numbered: Option<Numbers>,
}

/// Numbers of input rows, from 1 on.
#[derive(Debug, Clone, Copy)]
struct Numbers {
    /// The number of rows in statements before this one.
    before: usize,
    rows: usize,
}

impl InputRows {
    /// Creates columns of a table, without rows.
    pub(crate) fn new(table: &'static Table, columns: &[u16]) -> Self {
        let mut given = Self::default();
        given.add_columns(table, columns);
        given
    }

    /// Adds columns, for which the rows have values too.
    pub(crate) fn add_columns(&mut self, table: &'static Table, columns: &[u16]) {
        self.columns.extend(columns.iter().map(|column| (&table.columns[usize::from(*column)], Vec::new())));
    }

    /// Numbers the rows, which come after `before` others, in one more column.
    pub(crate) fn number(&mut self, before: usize, rows: usize) {
        self.numbered = Some(Numbers { before, rows });
    }

    fn width(&self) -> usize {
        self.columns.len() + usize::from(self.numbered.is_some())
    }

    /// Adds a column with its values.
    fn add(&mut self, column: &'static Column, values: Vec<Param>) {
        self.columns.push((column, values));
    }

    /// Adds a row.
    pub(crate) fn push(&mut self, row: impl IntoIterator<Item = Param>) {
        for ((_, values), value) in self.columns.iter_mut().zip(row) {
            values.push(value);
        }
    }
}

/// Parents and keys of children that are, or will be, connected.
#[derive(Debug)]
pub(crate) struct Pairs {
    pub(crate) parent: &'static Table,
    pub(crate) relation: &'static Relation,
    /// The columns of the children's key.
    pub(crate) key: Vec<u16>,
    /// The parents' columns, and then those of the key.
    pub(crate) given: InputRows,
}

impl Pairs {
    pub(crate) fn new(parent: &'static Table, relation: &'static Relation, key: Vec<u16>) -> Self {
        let mut given = InputRows::new(parent, relation.parent_columns);
        given.add_columns(relation.child, &key);
        Self { parent, relation, key, given }
    }
}

impl<P: Pass> Writer<'_, P> {
    /// Writes `name(c0, c1) AS (SELECT * FROM unnest(..))`. PostgreSQL has no arrays of arrays as parameters, so rows
    /// with lists are VALUES.
    fn push_given(&mut self, name: &str, given: InputRows) {
        self.push(name);
        self.push_given_names(given.width());
        self.push(" AS (");
        self.push_given_rows(given);
        self.push(")");
    }

    fn push_given_names(&mut self, columns: usize) {
        for column in 0..columns {
            self.push(if column > 0 { ", c" } else { "(c" });
            self.push_number(column as u32);
        }
        self.push(")");
    }

    fn push_given_rows(&mut self, given: InputRows) {
        if given.columns.iter().any(|(column, _)| is_list(column)) {
            return self.push_given_values(given);
        }
        let is_numbered = given.numbered.is_some();
        if let (Some(Numbers { rows, .. }), []) = (given.numbered, given.columns.as_slice()) {
            return self.push(&format!("SELECT * FROM generate_series(1, {rows})"));
        }
        self.push("SELECT * FROM unnest(");
        for (index, (column, values)) in given.columns.into_iter().enumerate() {
            self.push(if index > 0 { ", " } else { "" });
            self.push_param(Param::Array(values));
            self.push("::");
            self.push(column.wire_in_list().unwrap_or(column.sql_type));
            self.push("[]");
        }
        self.push(if is_numbered { ") WITH ORDINALITY" } else { ")" });
    }

    fn push_given_values(&mut self, given: InputRows) {
        let rows = given.columns.first().map_or(0, |(_, values)| values.len());
        let mut columns: Vec<_> =
            given.columns.into_iter().map(|(column, values)| (column, values.into_iter())).collect();
        self.push("VALUES ");
        for row in 0..rows {
            self.push(if row > 0 { ", (" } else { "(" });
            for (index, (column, values)) in columns.iter_mut().enumerate() {
                self.push(if index > 0 { ", " } else { "" });
                self.push_param(values.next().unwrap_or(Param::Null));
                self.push("::");
                self.push(column.wire.unwrap_or(column.sql_type));
            }
            if let Some(Numbers { before, .. }) = given.numbered {
                self.push(&format!(", {}::bigint", before + row + 1));
            }
            self.push(")");
        }
    }

    /// Writes a column of the input rows, in the type of the column that it has values for.
    fn push_given_column(&mut self, name: &str, number: usize, column: &Column) {
        self.push_given_name(name, number);
        if column.wire.is_some() {
            self.push("::");
            self.push(column.sql_type);
        }
    }

    /// Writes a column of the input rows, in its wire type.
    pub(super) fn push_given_name(&mut self, name: &str, number: usize) {
        self.push(name);
        self.push(".c");
        self.push_number(number as u32);
    }

    /// Writes `t0."a" = rows.c0 AND t0."b" = rows.c1`: columns of a table equal those of the input rows, from number
    /// `first` on.
    fn push_given_equal(&mut self, table: &Table, alias: Alias, columns: &[u16], name: &str, first: usize) {
        for (index, column) in columns.iter().enumerate() {
            let column = &table.columns[usize::from(*column)];
            self.push(if index > 0 { " AND " } else { "" });
            self.push_comparable(alias, column);
            self.push(" = ");
            self.push_given_column(name, first + index, column);
        }
    }

    /// Writes `RETURNING` all columns of a table, and the number of the input row.
    fn push_numbered_returning(&mut self, table: &'static Table, alias: Alias, number: usize) {
        self.push(" RETURNING ");
        self.push_returned_columns(table, alias);
        self.push(", ");
        self.push_given_name(ROWS, number);
    }

    /// Writes the condition for rows with one of these keys of several columns: `EXISTS (SELECT 1 FROM unnest(..) AS
    /// t1(c0, c1) WHERE ..)`.
    pub(super) fn push_compound_keys(
        &mut self,
        table: &'static Table,
        columns: &[u16],
        keys: &[Vec<Param>],
        alias: Alias,
    ) {
        let mut given = InputRows::new(table, columns);
        keys.iter().for_each(|key| given.push(key.iter().cloned()));
        let name = format!("t{}", self.alias().0);
        self.push("EXISTS (SELECT 1 FROM (");
        self.push_given_rows(given);
        self.push(") AS ");
        self.push(&name);
        self.push_given_names(columns.len());
        self.push(" WHERE ");
        self.push_given_equal(table, alias, columns, &name, 0);
        self.push(")");
    }

    /// Writes `UPDATE "child" AS t1 SET "parent_id" = NULL FROM rows WHERE ..`: disconnects rows from these parents.
    fn push_release(&mut self, pairs: &Pairs) {
        let child = pairs.relation.child;
        self.push("UPDATE ");
        self.push_table(child, OTHER);
        self.push(" SET ");
        let none = |column: &u16| (*column, SetTo::Value(Param::Null));
        let none: Vec<_> = pairs.relation.key_pairs().map(|(_, theirs)| none(&theirs)).collect();
        self.push_sets(child, &none);
        self.push(" FROM ");
        self.push(ROWS);
        self.push(" WHERE ");
        self.push_given_equal(child, OTHER, pairs.relation.child_columns, ROWS, 0);
        self.push(" AND NOT EXISTS (SELECT 1 FROM ");
        self.push(ROWS);
        self.push(" AS kept WHERE ");
        self.push_given_equal(child, OTHER, &pairs.key, "kept", pairs.relation.parent_columns.len());
        self.push(")");
        self.push_tenant(" AND ", child, OTHER);
        self.push(" RETURNING 1");
    }
}

/// The name of the input rows in a statement. No table has this name.
const ROWS: &str = "relata_rows";

/// Sets the foreign keys of rows to their parents, and counts the rows. With `release`, other rows are first
/// disconnected from these parents: a to-one relation has room for one.
pub(crate) fn connect_statement(context: Context<'_>, mut pairs: Pairs, release: bool) -> Statement {
    let (child, relation) = (pairs.relation.child, pairs.relation);
    let given = std::mem::take(&mut pairs.given);
    let mut writer = Writer::new(context);
    // The aliases CHILD and OTHER. Conditions use later ones.
    let _ = (writer.alias(), writer.alias());
    writer.push("WITH ");
    writer.push_given(ROWS, given);
    if release {
        writer.push(", relata_released AS (");
        writer.push_release(&pairs);
        writer.push(")");
    }
    writer.push(" UPDATE ");
    writer.push_table(child, CHILD);
    writer.push(" SET ");
    let mut glue = "";
    // A row stays with its tenant, and the foreign key ensures that the parent belongs to the same one.
    let columns = relation.child_columns.iter().enumerate().filter(|(number, _)| Some(*number) != relation.tenant_pair);
    for (number, column) in columns {
        let column = &child.columns[usize::from(*column)];
        writer.push(glue);
        writer.push_quoted(column.name);
        writer.push(" = ");
        writer.push_given_column(ROWS, number, column);
        glue = ", ";
    }
    writer.push_now_sets(child, relation.child_columns.iter().copied(), glue);
    writer.push(" FROM ");
    writer.push(ROWS);
    writer.push(" WHERE ");
    writer.push_given_equal(child, CHILD, &pairs.key, ROWS, relation.parent_columns.len());
    writer.push_tenant(" AND ", child, CHILD);
    if release {
        writer.push(" AND (SELECT count(*) FROM relata_released) >= 0");
    }
    writer.finish()
}

/// Adds rows to the join table, where they may already exist, and counts the existing children. With `release`, other
/// children are disconnected from these parents.
pub(crate) fn connect_through_statement(
    context: Context<'_>,
    mut pairs: Pairs,
    through: JoinTable,
    release: bool,
) -> Statement {
    let relation = pairs.relation;
    let given = std::mem::take(&mut pairs.given);
    let mut writer = Writer::new(context);
    // The aliases CHILD and OTHER. Conditions use later ones.
    let _ = (writer.alias(), writer.alias());
    writer.push("WITH ");
    writer.push_given(ROWS, given);
    writer.push(", relata_found(parent, child) AS (SELECT ");
    writer.push_given_column(ROWS, 0, &pairs.parent.columns[usize::from(relation.parent_columns[0])]);
    writer.push(", ");
    writer.push_column(CHILD, &relation.child.columns[usize::from(relation.child_columns[0])]);
    writer.push(" FROM ");
    writer.push(ROWS);
    writer.push(" JOIN ");
    writer.push_table(relation.child, CHILD);
    writer.push(" ON ");
    writer.push_given_equal(relation.child, CHILD, &pairs.key, ROWS, relation.parent_columns.len());
    writer.push_tenant(" AND ", relation.child, CHILD);
    writer.push(")");
    if release {
        writer.push(", relata_released AS (DELETE FROM ");
        writer.push(through.sql);
        writer.push(" AS t1 USING ");
        writer.push(ROWS);
        writer.push(" WHERE ");
        writer.push_through_column(OTHER, through.parent_column);
        writer.push(" = ");
        writer.push_given_column(ROWS, 0, &pairs.parent.columns[usize::from(relation.parent_columns[0])]);
        writer.push(" AND NOT EXISTS (SELECT 1 FROM relata_found AS kept WHERE kept.parent = ");
        writer.push_through_column(OTHER, through.parent_column);
        writer.push(" AND kept.child = ");
        writer.push_through_column(OTHER, through.child_column);
        writer.push(")");
        writer.push_other_side_is_own(relation, through);
        writer.push(")");
    }
    writer.push(", relata_connected AS (");
    writer.push_join_rows(through);
    writer.push("SELECT parent, child FROM relata_found ON CONFLICT DO NOTHING) SELECT count(*) FROM relata_found");
    writer.finish()
}

impl<P: Pass> Writer<'_, P> {
    /// Writes the condition that the child in a row of a join table belongs to the tenant and to the scopes of its table.
    /// The parent may be shared, and then it also has children of other tenants.
    fn push_other_side_is_own(&mut self, relation: &Relation, through: JoinTable) {
        if self.tenancy_of(relation.child).is_none() && !relation.child.has_scopes() {
            return;
        }
        let child = self.alias();
        self.push(" AND EXISTS (SELECT 1 FROM ");
        self.push_table(relation.child, child);
        self.push(" WHERE ");
        self.push_column(child, &relation.child.columns[usize::from(relation.child_columns[0])]);
        self.push(" = ");
        self.push_through_column(OTHER, through.child_column);
        self.push_tenant(" AND ", relation.child, child);
        self.push(")");
    }
}

/// Adds rows to a join table: a parent and a child each. They may already exist.
pub(crate) fn join_statement(
    table: &Table,
    relation: &Relation,
    through: JoinTable,
    parents: RawList,
    children: RawList,
) -> Statement {
    let mut writer = Writer::new(Context::default());
    writer.push_join_rows(through);
    writer.push("SELECT * FROM unnest(");
    writer.push_values(&table.columns[usize::from(relation.parent_columns[0])], Param::RawList(parents));
    writer.push(", ");
    writer.push_values(&relation.child.columns[usize::from(relation.child_columns[0])], Param::RawList(children));
    writer.push(") ON CONFLICT DO NOTHING");
    writer.finish()
}

impl<P: Pass> Writer<'_, P> {
    fn push_join_rows(&mut self, through: JoinTable) {
        self.push("INSERT INTO ");
        self.push(through.sql);
        self.push(" (");
        self.push_quoted(through.parent_column);
        self.push(", ");
        self.push_quoted(through.child_column);
        self.push(") ");
    }
}

/// Removes rows from a join table: those of one parent whose children match a condition.
pub(crate) fn disconnect_statement(
    context: Context<'_>,
    relation: &Relation,
    through: JoinTable,
    parent: Param,
    condition: &Condition,
) -> Statement {
    let mut writer = Writer::new(context);
    let child = writer.alias();
    let between = writer.alias();
    writer.push("DELETE FROM ");
    writer.push(through.sql);
    writer.push(" AS ");
    writer.push_alias(between);
    writer.push(" WHERE ");
    writer.push_through_column(between, through.parent_column);
    writer.push(" = ");
    writer.push_param(parent);
    writer.push(" AND EXISTS (SELECT 1 FROM ");
    writer.push_table(relation.child, child);
    writer.push(" WHERE ");
    writer.push_column(child, &relation.child.columns[usize::from(relation.child_columns[0])]);
    writer.push(" = ");
    writer.push_through_column(between, through.child_column);
    writer.push_tenant(" AND ", relation.child, child);
    writer.push(" AND (");
    writer.push_condition(condition, relation.child, child);
    writer.push("))");
    writer.finish()
}

/// Changes of rows that set the same columns in the same way: each row by its key, with its own values.
#[derive(Debug)]
pub(crate) struct BulkUpdate {
    pub(crate) table: &'static Table,
    pub(crate) key: Vec<u16>,
    /// The changes. The values in them are not used.
    pub(crate) sets: Vec<(u16, SetTo)>,
    /// The keys, and then the values of those changes that have one.
    pub(crate) given: InputRows,
}

/// `UPDATE .. FROM rows`, of rows that also match a condition.
pub(crate) fn update_each_statement(context: Context<'_>, mut update: BulkUpdate, condition: &Condition) -> Statement {
    let given = std::mem::take(&mut update.given);
    let number = given.numbered.map(|_| given.columns.len());
    let table = update.table;
    let mut writer = Writer::new(context);
    // The table has the first alias. Conditions use later ones.
    let child = writer.alias();
    writer.push("WITH ");
    writer.push_given(ROWS, given);
    writer.push(" UPDATE ");
    writer.push_table(table, child);
    writer.push(" SET ");
    let mut place = update.key.len();
    let mut glue = "";
    for (column, to) in &update.sets {
        let column = &table.columns[usize::from(*column)];
        writer.push(glue);
        writer.push_quoted(column.name);
        writer.push(" = ");
        if let SetTo::Default = to {
            writer.push_default(column);
        } else {
            writer.push_changed(column, to, |writer, is_operand| match is_operand {
                true => writer.push_given_name(ROWS, place),
                false => writer.push_given_column(ROWS, place, column),
            });
            place += 1;
        }
        glue = ", ";
    }
    writer.push_now_sets(table, update.sets.iter().map(|(column, _)| *column), glue);
    writer.push(" FROM ");
    writer.push(ROWS);
    writer.push(" WHERE ");
    writer.push_given_equal(table, child, &update.key, ROWS, 0);
    writer.push_tenant(" AND ", table, child);
    if !condition.is_all() {
        writer.push(" AND (");
        writer.push_condition(condition, table, child);
        writer.push(")");
    }
    if let Some(number) = number {
        writer.push_numbered_returning(table, child, number);
    }
    writer.finish()
}

/// Reads the rows with these keys, each with the number of its input row.
pub(crate) fn read_each_statement(
    context: Context<'_>,
    table: &'static Table,
    key: &[u16],
    given: InputRows,
) -> Statement {
    let number = given.columns.len();
    let mut writer = Writer::new(context);
    let alias = writer.alias();
    writer.push("WITH ");
    writer.push_given(ROWS, given);
    writer.push(" SELECT ");
    writer.push_returned_columns(table, alias);
    writer.push(", ");
    writer.push_given_name(ROWS, number);
    writer.push(" FROM ");
    writer.push(ROWS);
    writer.push(" JOIN ");
    writer.push_table(table, alias);
    writer.push(" ON ");
    writer.push_given_equal(table, alias, key, ROWS, 0);
    writer.push_tenant(" AND ", table, alias);
    writer.finish()
}

/// Returns, for each of the input keys, whether a row with it exists.
pub(crate) fn which_exist_statement(
    context: Context<'_>,
    table: &'static Table,
    key: &[u16],
    given: InputRows,
) -> Statement {
    let mut writer = Writer::new(context);
    let alias = writer.alias();
    writer.push("WITH ");
    writer.push_given(ROWS, given);
    writer.push(" SELECT EXISTS (SELECT 1 FROM ");
    writer.push_table(table, alias);
    writer.push(" WHERE ");
    writer.push_given_equal(table, alias, key, ROWS, 0);
    writer.push_tenant(" AND ", table, alias);
    writer.push(") FROM ");
    writer.push(ROWS);
    writer.finish()
}

/// Inserts rows with looked-up columns, or rows that are returned with marks: `INSERT .. SELECT r.c0, (SELECT t1."id" FROM ..
/// WHERE ..) FROM rows AS r`. Rows with lists take as many statements as needed.
pub(super) fn selected(context: Context<'_>, insert: BulkInsert) -> Vec<Statement> {
    let table = insert.table;
    let of_lookups =
        insert.lookups.iter().flat_map(|lookup| lookup.key.iter().map(|column| (lookup.relation.child, column)));
    let given = insert.columns.iter().map(|column| (table, column)).chain(of_lookups);
    let given: Vec<_> = given.map(|(table, column)| &table.columns[usize::from(*column)]).collect();
    let most = rows_per_statement(given.into_iter());
    let (mut statements, mut before) = (Vec::new(), 0);
    let mut rest = insert;
    while rest.rows > most {
        let later = rest.split_off(most);
        statements.push(select_part(context, rest, before));
        before += most;
        rest = later;
    }
    statements.push(select_part(context, rest, before));
    statements
}

fn select_part(context: Context<'_>, mut insert: BulkInsert, before: usize) -> Statement {
    let table = insert.table;
    let mut given = InputRows::default();
    let mut writer = Writer::new(context);
    writer.push_insert_head(table, insert.columns.iter().copied());
    writer.push(" SELECT ");
    let mut glue = if writer.push_own_value(table) { ", " } else { "" };
    for (place, (number, values)) in insert.columns.iter().zip(insert.values).enumerate() {
        writer.push(glue);
        match insert.lookups.iter_mut().find(|lookup| lookup.place == place) {
            Some(lookup) => writer.push_bulk_lookup(lookup, &mut given),
            None => {
                let column = &table.columns[usize::from(*number)];
                writer.push_given_column("r", given.columns.len(), column);
                given.add(column, values);
            }
        }
        glue = ", ";
    }
    writer.push_now_values(table, insert.columns.iter().copied(), glue);
    let marks = insert.returned == Returned::Marked;
    if marks {
        given.number(before, insert.rows);
    }
    let columns = given.width();
    writer.push(" FROM (");
    writer.push_given_rows(given);
    writer.push(") AS r");
    writer.push_given_names(columns);
    if marks {
        writer.push_mark_input("r", columns - 1);
    }
    writer.push_bulk_end(table, &insert.on_conflict, insert.returned);
    writer.finish()
}

impl<P: Pass> Writer<'_, P> {
    fn push_bulk_lookup(&mut self, lookup: &mut BulkLookup, given: &mut InputRows) {
        let child = lookup.relation.child;
        let alias = self.alias();
        self.push("(SELECT ");
        self.push_column(alias, &child.columns[usize::from(lookup.column)]);
        self.push(" FROM ");
        self.push_table(child, alias);
        self.push(" WHERE ");
        self.push_given_equal(child, alias, &lookup.key, "r", given.columns.len());
        self.push_tenant(" AND ", child, alias);
        self.push(")");
        for (column, values) in lookup.key.iter().zip(std::mem::take(&mut lookup.values)) {
            given.add(&child.columns[usize::from(*column)], values);
        }
    }
}
