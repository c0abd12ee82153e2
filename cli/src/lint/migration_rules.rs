//! Rules about a whole migration: drops and additions that look like renames, tables that are locked together, foreign
//! keys without an index.
//!
//! Takes its statements one by one, gives findings by the number of theirs.

use std::collections::{BTreeMap, BTreeSet};

use relata_codegen::sql::{Finding, Probe, find_lint, name_likeness};
use squawk_syntax::ast::{self, AlterTableAction, AstNode, Constraint, Stmt};

use crate::sql_tree::{constraint_columns, key, names_in, text};

/// The similarity, in percent, of two names that may be a rename.
const SIMILAR: u32 = 50;

/// The state after the statements of a migration so far.
#[derive(Default)]
pub(super) struct MigrationRules {
    created: BTreeMap<String, String>,
    dropped: Vec<(usize, String)>,
    columns: BTreeMap<String, Columns>,
    /// Tables that get rows here, so that dropped data was probably copied.
    written: BTreeSet<String>,
    /// Existing tables that the transaction locks ACCESS EXCLUSIVE.
    locked: Vec<String>,
    indexed: Vec<(String, Vec<String>)>,
    foreign_keys: Vec<ForeignKey>,
    found: Vec<(usize, Finding)>,
}

#[derive(Default)]
struct Columns {
    dropped: Vec<(usize, String)>,
    added: Vec<(usize, String)>,
}

struct ForeignKey {
    statement: usize,
    table: String,
    columns: Vec<String>,
}

impl MigrationRules {
    /// Starts a segment, which has its own locks.
    pub(super) fn enter(&mut self) {
        self.locked.clear();
    }

    pub(super) fn read(&mut self, statement: usize, tree: &Stmt, in_transaction: bool) {
        if in_transaction {
            self.lock(statement, locked_tables(tree));
        }
        if let Some((old, new)) = renamed_table(tree) {
            self.locked.iter_mut().filter(|it| key(it) == key(&old)).for_each(|it| it.clone_from(&new));
        }
        match tree {
            Stmt::CreateTable(table) => self.create_table(statement, table),
            Stmt::DropTable(drop) => {
                self.dropped.extend(drop.table_name_refs().map(|table| (statement, text(&table))));
            }
            Stmt::CreateIndex(index) => self.create_index(index),
            Stmt::AlterTable(alter) => self.alter_table(statement, alter),
            Stmt::Update(update) => self.written.extend(update.relation_name().map(|name| key(&text(&name)))),
            Stmt::Insert(insert) => self.written.extend(insert.relation_name_ref().map(|name| key(&text(&name)))),
            _ => {}
        }
    }

    /// The findings, each with the number of its statement.
    pub(super) fn finish(mut self) -> Vec<(usize, Finding)> {
        self.renamed_tables();
        self.renamed_columns();
        self.bare_foreign_keys();
        self.found
    }

    fn add(&mut self, statement: usize, code: &str, text: String, probe: Option<Probe>) {
        if let Some(lint) = find_lint(code) {
            self.found.push((statement, Finding { probe, ..Finding::new(lint, text) }));
        }
    }

    /// One finding per transaction, at the second table.
    fn lock(&mut self, statement: usize, tables: Vec<String>) {
        for table in tables {
            if self.created.contains_key(&key(&table)) || self.locked.iter().any(|it| key(it) == key(&table)) {
                continue;
            }
            self.locked.push(table);
            if let [first, second] = self.locked.as_slice() {
                let text = format!(
                    "{first} and {second} are locked against reads and writes until the end of the transaction"
                );
                self.add(statement, "L312", text, None);
            }
        }
    }

    fn create_table(&mut self, statement: usize, create: &ast::CreateTable) {
        let Some(table) = create.table_name().map(|name| text(&name)) else { return };
        self.created.insert(key(&table), table.clone());
        for arg in create.table_arg_list().into_iter().flat_map(|list| list.args()) {
            match arg {
                ast::TableArg::Column(column) => {
                    let name = column.name().map(|name| text(&name)).unwrap_or_default();
                    let constraints = column.syntax().descendants().filter_map(Constraint::cast);
                    self.column_constraints(statement, &table, &name, constraints);
                }
                ast::TableArg::TableConstraint(constraint) => {
                    if let Some(constraint) = constraint.syntax().descendants().find_map(Constraint::cast) {
                        self.constraint(statement, &table, &constraint);
                    }
                }
                ast::TableArg::LikeClause(_) => {}
            }
        }
    }

    fn create_index(&mut self, index: &ast::CreateIndex) {
        let table = index.table_relation_name().and_then(|relation| relation.table_name_ref());
        // A partial index counts, because its author knows which rows are searched for.
        let Some(table) = table else { return };
        let parts = index.partition_item_list().into_iter().flat_map(|list| list.partition_items());
        let columns = parts.filter_map(|part| part.expr()).map(|part| text(&part)).collect();
        self.index(&text(&table), columns);
    }

    fn alter_table(&mut self, statement: usize, alter: &ast::AlterTable) {
        let table = alter.table_relation_name().and_then(|relation| relation.table_name_ref());
        let Some(table) = table.map(|name| text(&name)) else { return };
        for action in alter.actions() {
            match action {
                AlterTableAction::DropColumn(drop) => {
                    let column = drop.column_name_ref().map(|name| (statement, text(&name)));
                    self.columns.entry(table.clone()).or_default().dropped.extend(column);
                }
                AlterTableAction::AddColumn(add) => {
                    let name = add.column_name().map(|name| text(&name)).unwrap_or_default();
                    self.column_constraints(statement, &table, &name, add.constraints());
                    self.columns.entry(table.clone()).or_default().added.push((statement, name));
                }
                AlterTableAction::AddConstraint(add) => {
                    if let Some(constraint) = add.constraint() {
                        self.constraint(statement, &table, &constraint);
                    }
                }
                _ => {}
            }
        }
    }

    fn column_constraints(
        &mut self,
        statement: usize,
        table: &str,
        column: &str,
        constraints: impl Iterator<Item = Constraint>,
    ) {
        for constraint in constraints {
            match constraint {
                Constraint::PrimaryKeyConstraint(_) | Constraint::UniqueConstraint(_) => {
                    self.index(table, vec![column.to_owned()]);
                }
                Constraint::ReferencesConstraint(_) => self.foreign_key(statement, table, vec![column.to_owned()]),
                _ => {}
            }
        }
    }

    fn constraint(&mut self, statement: usize, table: &str, constraint: &Constraint) {
        match constraint {
            Constraint::PrimaryKeyConstraint(it) => self.index(table, constraint_columns(it.syntax())),
            Constraint::UniqueConstraint(it) => self.index(table, constraint_columns(it.syntax())),
            Constraint::ForeignKeyConstraint(it) => {
                let columns = it.from_columns().map(|list| names_in(list.syntax())).unwrap_or_default();
                self.foreign_key(statement, table, columns);
            }
            _ => {}
        }
    }

    fn index(&mut self, table: &str, columns: Vec<String>) {
        self.indexed.push((key(table), columns.iter().map(|column| key(column)).collect()));
    }

    fn foreign_key(&mut self, statement: usize, table: &str, columns: Vec<String>) {
        if !columns.is_empty() {
            self.foreign_keys.push(ForeignKey { statement, table: table.to_owned(), columns });
        }
    }

    fn renamed_tables(&mut self) {
        let dropped = std::mem::take(&mut self.dropped);
        for (statement, old) in dropped {
            let is_like = |new: &&String| {
                key(new) != key(&old)
                    && !self.written.contains(&key(new))
                    && name_likeness(&key(&old), &key(new)) >= SIMILAR
            };
            let Some(new) = self.created.values().find(is_like).cloned() else { continue };
            let text = format!("table {old} is dropped and {new} is created, which looks like a rename");
            self.add(statement, "D104", text, Some(Probe::Rows { table: old }));
        }
    }

    fn renamed_columns(&mut self) {
        for (table, Columns { dropped, added }) in std::mem::take(&mut self.columns) {
            if self.written.contains(&key(&table)) || self.created.contains_key(&key(&table)) {
                continue;
            }
            let is_one_for_one = matches!((dropped.as_slice(), added.as_slice()), ([a], [b]) if a.0 == b.0);
            for (statement, old) in dropped {
                let is_like = |new: &&(usize, String)| {
                    key(&new.1) != key(&old) && (is_one_for_one || name_likeness(&old, &new.1) >= SIMILAR)
                };
                let Some((_, new)) = added.iter().find(is_like) else { continue };
                let text = format!("column {table}.{old} is dropped and {new} is added, which looks like a rename");
                self.add(statement, "D104", text, Some(Probe::Values { table: table.clone(), column: old }));
            }
        }
    }

    fn bare_foreign_keys(&mut self) {
        for ForeignKey { statement, table, columns } in std::mem::take(&mut self.foreign_keys) {
            let names: Vec<String> = columns.iter().map(|column| key(column)).collect();
            let helps = |(of, indexed): &(String, Vec<String>)| {
                *of == key(&table) && indexed.len() >= names.len() && {
                    let first: BTreeSet<_> = indexed[..names.len()].iter().collect();
                    names.iter().all(|name| first.contains(name))
                }
            };
            if !self.indexed.iter().any(helps) {
                let text = format!("no index of this migration starts with {table} ({})", columns.join(", "));
                self.add(statement, "Q503", text, Some(Probe::Unindexed { table, columns: names }));
            }
        }
    }
}

/// The tables that a statement locks ACCESS EXCLUSIVE.
fn locked_tables(statement: &Stmt) -> Vec<String> {
    match statement {
        Stmt::DropTable(drop) => drop.table_name_refs().map(|table| text(&table)).collect(),
        Stmt::Truncate(truncate) => {
            let tables = truncate.table_list().into_iter().flat_map(|list| list.table_relation_names());
            tables.filter_map(|relation| relation.table_name_ref()).map(|table| text(&table)).collect()
        }
        Stmt::AlterTable(alter) if alter.actions().any(|action| locks_everybody(&action)) => {
            let table = alter.table_relation_name().and_then(|relation| relation.table_name_ref());
            table.iter().map(text).collect()
        }
        _ => Vec::new(),
    }
}

/// What a table is called before and after a statement. The schema of the name stays, unless that is what changes.
fn renamed_table(statement: &Stmt) -> Option<(String, String)> {
    let Stmt::AlterTable(alter) = statement else { return None };
    let old = text(&alter.table_relation_name()?.table_name_ref()?);
    let (schema, name) = old.rsplit_once('.').map_or((None, old.as_str()), |(schema, name)| (Some(schema), name));
    let new = alter.actions().find_map(|action| match action {
        AlterTableAction::TableRenameTo(rename) => {
            let new = text(&rename.table_name()?);
            Some(schema.map_or_else(|| new.clone(), |schema| format!("{schema}.{new}")))
        }
        AlterTableAction::SetSchema(set) => Some(format!("{}.{name}", text(&set.schema_ref()?))),
        _ => None,
    })?;
    Some((old, new))
}

/// Whether it also blocks reads.
fn locks_everybody(action: &AlterTableAction) -> bool {
    match action {
        AlterTableAction::AddConstraint(add) => {
            !matches!(add.constraint(), Some(Constraint::ForeignKeyConstraint(_)) | None)
        }
        AlterTableAction::AlterColumn(alter) => !matches!(
            alter.option(),
            Some(
                ast::AlterColumnOption::SetStatistics(_)
                    | ast::AlterColumnOption::SetOptions(_)
                    | ast::AlterColumnOption::SetOptionsList(_)
                    | ast::AlterColumnOption::ResetOptions(_)
            ) | None
        ),
        AlterTableAction::ValidateConstraint(_)
        | AlterTableAction::AttachPartition(_)
        | AlterTableAction::ClusterOn(_)
        | AlterTableAction::SetWithoutCluster(_)
        | AlterTableAction::SetOptions(_)
        | AlterTableAction::ResetOptions(_)
        | AlterTableAction::DisableTrigger(_)
        | AlterTableAction::EnableTrigger(_)
        | AlterTableAction::EnableAlwaysTrigger(_)
        | AlterTableAction::EnableReplicaTrigger(_) => false,
        _ => true,
    }
}
