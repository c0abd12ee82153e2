//! Rules for hand-written SQL that squawk does not have, and probes that count the affected rows.

use std::collections::{BTreeMap, BTreeSet};

use relata::migrate::{Script, Segment, SegmentMode};
use relata_codegen::sql::{DroppedObject, Finding, Probe, find_lint};
use squawk_syntax::ast::{self, AlterColumnOption, AlterTableAction, AstNode, Constraint, Stmt};

use super::migration_rules::MigrationRules;
use crate::sql_tree::{constraint_columns, key, names_in, parse, text};

/// The result for one statement.
#[derive(Debug, Default)]
pub(super) struct Read {
    pub(super) findings: Vec<Finding>,
    /// Findings about the transaction, which also apply to generated statements.
    pub(super) of_transaction: Vec<Finding>,
    /// Dropped objects that may depend on columns.
    pub(super) dropped: Vec<DroppedObject>,
    /// Whether its table was created by the same migration: it is empty, and no client waits for it.
    pub(super) on_new_table: bool,
}

/// The results, by the number of the statement.
pub(super) fn read(script: &Script) -> BTreeMap<usize, Read> {
    let mut found: BTreeMap<usize, Read> = BTreeMap::new();
    let mut cx = Cx { policies: created_policies(script), ..Cx::default() };
    let mut index = 0;
    for segment in &script.segments {
        cx.enter(segment);
        for statement in &segment.statements {
            cx.read(index, &statement.sql);
            found.insert(index, std::mem::take(&mut cx.current));
            index += 1;
        }
    }
    for (index, finding) in cx.migration.finish() {
        let read = found.entry(index).or_default();
        let findings = if finding.lint.code == "L312" { &mut read.of_transaction } else { &mut read.findings };
        findings.push(finding);
    }
    found
}

fn created_policies(script: &Script) -> BTreeSet<(String, String)> {
    let statements = script.segments.iter().flat_map(|segment| &segment.statements);
    let trees = statements.filter(|it| it.sql.to_ascii_uppercase().contains("POLICY")).filter_map(|it| parse(&it.sql));
    let created = |statement: Stmt| match statement {
        Stmt::CreatePolicy(create) => {
            let table = create.on_table()?.table_name_ref()?;
            Some((key(&text(&create.policy()?)), key(&text(&table))))
        }
        _ => None,
    };
    trees.flat_map(|tree| tree.stmts().collect::<Vec<_>>()).filter_map(created).collect()
}

#[derive(Default)]
struct Cx {
    /// Tables that this migration created: they are empty, and no client uses them.
    created: BTreeSet<String>,
    /// Policies that this migration creates, with their tables.
    policies: BTreeSet<(String, String)>,
    /// Enum values that the transaction has added, as they are written.
    added_labels: Vec<String>,
    in_transaction: bool,
    current: Read,
    migration: MigrationRules,
}

impl Cx {
    fn enter(&mut self, segment: &Segment) {
        self.in_transaction = segment.mode == SegmentMode::Transactional;
        self.added_labels.clear();
        self.migration.enter();
    }

    fn add(&mut self, code: &str, text: String, probe: Option<Probe>) {
        if let Some(lint) = find_lint(code) {
            self.current.findings.push(Finding { probe, ..Finding::new(lint, text) });
        }
    }

    fn read(&mut self, index: usize, sql: &str) {
        let Some(tree) = parse(sql) else {
            self.add("Q506", "this statement cannot be parsed and was not checked".to_owned(), None);
            return;
        };
        if let Some(label) = self.added_labels.iter().find(|label| sql.contains(label.as_str())) {
            let text = format!("the value {label} is used in the transaction that adds it");
            self.add("F207", text, None);
        }
        for statement in tree.stmts() {
            self.read_statement(&statement);
            self.migration.read(index, &statement, self.in_transaction);
        }
    }

    fn read_statement(&mut self, statement: &Stmt) {
        match statement {
            Stmt::CreateTable(table) => {
                if let Some(name) = table.table_name() {
                    self.created.insert(key(&text(&name)));
                }
            }
            Stmt::DropTable(drop) => {
                for table in drop.table_name_refs() {
                    let table = text(&table);
                    let message = format!("table {table} is dropped with all its rows");
                    self.add("D102", message, Some(Probe::Rows { table }));
                }
                self.cascade(drop.drop_behavior());
            }
            Stmt::DropView(drop) => self.drop_views(drop.view_refs()),
            Stmt::DropMaterializedView(drop) => self.drop_views(drop.view_refs()),
            Stmt::DropTrigger(drop) => {
                let table = drop.on_relation().and_then(|on| on.relation_name_ref()).map(|name| text(&name));
                if let (Some(name), Some(table)) = (drop.trigger_ref().map(|name| key(&text(&name))), table) {
                    self.current.dropped.push(DroppedObject::Trigger { name, table });
                }
            }
            Stmt::DropPolicy(drop) => {
                let table = drop.on_table().and_then(|on| on.table_name_ref()).map(|name| text(&name));
                if let (Some(name), Some(table)) = (drop.policy_ref().map(|name| key(&text(&name))), table) {
                    self.drop_policy(name, table);
                }
            }
            Stmt::DropSchema(drop) => self.cascade(drop.drop_behavior()),
            Stmt::DropIndex(drop) if drop.concurrently_token().is_some() => self.concurrently(),
            Stmt::Reindex(reindex) if is_concurrent(reindex) => self.concurrently(),
            Stmt::CreateIndex(index) => self.create_index(index),
            Stmt::AlterTable(alter) => self.alter_table(alter),
            Stmt::AlterType(alter) => self.alter_type(alter),
            Stmt::Update(update) => self.write(update.relation_name().map(|name| text(&name))),
            Stmt::Delete(delete) => self.write(delete.relation_name().map(|name| text(&name))),
            Stmt::Set(set) => self.set(&text(set)),
            _ => {}
        }
    }

    /// Reports a dropped policy, unless the migration creates it again.
    fn drop_policy(&mut self, name: String, table: String) {
        if !self.policies.contains(&(name.clone(), key(&table))) {
            self.add("C406", format!("policy {name} of {table} is dropped"), None);
        }
        self.current.dropped.push(DroppedObject::Policy { name, table });
    }

    fn drop_views(&mut self, views: ast::AstChildren<ast::ViewRef>) {
        self.current.dropped.extend(views.map(|view| DroppedObject::View { name: text(&view) }));
    }

    fn is_new(&mut self, table: &str) -> bool {
        self.current.on_new_table = self.created.contains(&key(table));
        self.current.on_new_table
    }

    fn cascade(&mut self, behavior: Option<ast::DropBehavior>) {
        if behavior.is_some_and(|behavior| text(&behavior).eq_ignore_ascii_case("cascade")) {
            self.add("D108", "CASCADE also drops objects that are not named here".to_owned(), None);
        }
    }

    fn concurrently(&mut self) {
        if self.in_transaction {
            let text = "CONCURRENTLY fails in a transaction; write `-- relata:segment outside` before it";
            self.add("L303", text.to_owned(), None);
        }
    }

    fn create_index(&mut self, index: &ast::CreateIndex) {
        if index.concurrently_token().is_some() {
            self.concurrently();
        }
        let table = index.table_relation_name().and_then(|relation| relation.table_name_ref());
        let Some(table) = table.map(|name| text(&name)) else { return };
        if self.is_new(&table) || index.unique_token().is_none() {
            return;
        }
        let parts = index.partition_item_list().into_iter().flat_map(|list| list.partition_items());
        let columns: Vec<_> = parts.filter_map(|part| part.expr()).map(|part| text(&part)).collect();
        let condition = index.where_clause().and_then(|clause| clause.expr()).map(|condition| text(&condition));
        let message = format!("{table} ({}) becomes unique: fails for duplicates", columns.join(", "));
        let nulls_equal = index.nulls_distinct_option().is_some_and(|option| has_word(&text(&option), "not"));
        let is_countable = !columns.is_empty();
        let probe = is_countable.then_some(Probe::Duplicates { table, columns, condition, nulls_equal });
        self.add("F203", message, probe);
    }

    fn alter_table(&mut self, alter: &ast::AlterTable) {
        let table = alter.table_relation_name().and_then(|relation| relation.table_name_ref());
        let Some(table) = table.map(|name| text(&name)) else { return };
        if self.is_new(&table) {
            return;
        }
        for action in alter.actions() {
            match action {
                AlterTableAction::DropColumn(drop) => {
                    if let Some(column) = drop.column_name_ref().map(|name| text(&name)) {
                        let name = key(&column);
                        self.current.dropped.push(DroppedObject::Column { name, table: table.clone() });
                        let message = format!("column {table}.{column} is dropped");
                        self.add("D103", message, Some(Probe::Values { table: table.clone(), column }));
                    }
                    self.cascade(drop.drop_behavior());
                }
                AlterTableAction::EnableRls(_) => {
                    let message = format!("{table} shows no rows to clients that do not set the tenant");
                    self.add("C405", message, None);
                }
                AlterTableAction::DisableRls(_) => {
                    self.add("C406", format!("row security of {table} is disabled"), None);
                }
                AlterTableAction::NoForceRls(_) => {
                    self.add("C406", format!("row security of {table} no longer applies to its owner"), None);
                }
                AlterTableAction::DropConstraint(drop) => self.cascade(drop.drop_behavior()),
                AlterTableAction::AlterColumn(alter) => self.alter_column(&table, &alter),
                AlterTableAction::AddColumn(add) => self.add_column(&table, &add),
                AlterTableAction::AddConstraint(add) => {
                    if let Some(constraint) = add.constraint().filter(|constraint| !constraint.is_not_valid()) {
                        self.add_constraint(&table, &constraint);
                    }
                }
                _ => {}
            }
        }
    }

    fn alter_column(&mut self, table: &str, alter: &ast::AlterColumn) {
        let Some(column) = alter.column_name_ref().map(|name| text(&name)) else { return };
        match alter.option() {
            Some(AlterColumnOption::SetNotNull(_)) => {
                let message = format!("{table}.{column} becomes required: fails if it holds NULL");
                self.add("F202", message, Some(Probe::Nulls { table: table.to_owned(), column }));
            }
            Some(AlterColumnOption::SetType(set)) if set.using_expr().is_none() && set.ty().is_some_and(is_list) => {
                let message = format!("{table}.{column} becomes a list without USING: fails if it holds single values");
                self.add("F206", message, Some(Probe::Single { table: table.to_owned(), column: key(&column) }));
            }
            _ => {}
        }
    }

    fn add_column(&mut self, table: &str, add: &ast::AddColumn) {
        let has = |is: fn(&Constraint) -> bool| add.constraints().any(|constraint| is(&constraint));
        let is_required =
            has(|it| matches!(it, Constraint::NotNullConstraint(_) | Constraint::PrimaryKeyConstraint(_)));
        let has_value = has(|it| matches!(it, Constraint::DefaultConstraint(_) | Constraint::GeneratedConstraint(_)));
        let is_serial = add.ty().is_some_and(|ty| text(&ty).to_ascii_lowercase().contains("serial"));
        if is_required && !has_value && !is_serial {
            let column = add.column_name().map(|name| text(&name)).unwrap_or_default();
            let message = format!("{table}.{column} is required and has no default: fails if the table has rows");
            self.add("F201", message, Some(Probe::Rows { table: table.to_owned() }));
        }
    }

    fn add_constraint(&mut self, table: &str, constraint: &Constraint) {
        match constraint {
            Constraint::PrimaryKeyConstraint(key) if key.using_index().is_none() => {
                let columns = constraint_columns(key.syntax());
                for column in &columns {
                    let message = format!("{table}.{column} becomes required: fails if it holds NULL");
                    self.add("F202", message, Some(Probe::Nulls { table: table.to_owned(), column: column.clone() }));
                }
                self.unique(table, columns);
            }
            Constraint::UniqueConstraint(key) if key.using_index().is_none() => {
                self.unique(table, constraint_columns(key.syntax()));
            }
            Constraint::CheckConstraint(check) => {
                let condition = check.expr().map(|expression| text(&expression));
                let probe = condition.map(|condition| Probe::Violations { table: table.to_owned(), condition });
                self.add("F205", format!("{table} must pass a check: fails for rows that violate it"), probe);
            }
            Constraint::ForeignKeyConstraint(key) => self.foreign_key(table, key),
            Constraint::ExcludeConstraint(exclude) => self.exclude(table, exclude),
            _ => {}
        }
    }

    fn unique(&mut self, table: &str, columns: Vec<String>) {
        let message = format!("{table} ({}) becomes unique: fails for duplicates", columns.join(", "));
        let table = table.to_owned();
        let probe = Probe::Duplicates { table, columns: columns.clone(), condition: None, nulls_equal: false };
        self.add("F203", message, (!columns.is_empty()).then_some(probe));
    }

    fn exclude(&mut self, table: &str, exclude: &ast::ExcludeConstraint) {
        let parts = exclude.constraint_exclusion_list().into_iter().flat_map(|list| list.constraint_exclusions());
        let compared = |part: ast::ConstraintExclusion| {
            let operator = part.op().map(|it| text(&it)).or_else(|| part.operator_call().map(|it| text(&it)))?;
            Some((text(&part.expr()?), operator))
        };
        let parts: Option<Vec<_>> = parts.map(compared).collect();
        let condition = exclude.where_condition_clause().and_then(|it| it.expr()).map(|it| text(&it));
        let probe = parts.filter(|parts| !parts.is_empty()).map(|parts| {
            let (values, operators) = parts.into_iter().unzip();
            Probe::Conflicts { table: table.to_owned(), values, operators, condition }
        });
        let message = format!("{table} gets an exclusion constraint: fails for rows that exclude each other");
        self.add("F211", message, probe);
        self.add("L316", "Reads the whole table, and blocks reads and writes in the meantime".to_owned(), None);
    }

    fn foreign_key(&mut self, table: &str, key: &ast::ForeignKeyConstraint) {
        let names = |list: Option<ast::ForeignKeyColumnList>| -> Vec<String> {
            list.map(|list| names_in(list.syntax())).unwrap_or_default()
        };
        let (columns, referenced_columns) = (names(key.from_columns()), names(key.to_columns()));
        let Some(referenced) = key.table_name_ref().map(|name| text(&name)) else { return };
        let message =
            format!("{table} ({}) must reference rows of {referenced}: fails for orphans", columns.join(", "));
        // Without a list, the key references the primary key, which the SQL does not name.
        let is_countable = !columns.is_empty() && columns.len() == referenced_columns.len();
        let probe = Probe::Orphans { table: table.to_owned(), columns, referenced, referenced_columns };
        self.add("F204", message, is_countable.then_some(probe));
    }

    fn alter_type(&mut self, alter: &ast::AlterType) {
        let Some(ast::AlterTypeAction::AddValue(value)) = alter.action() else { return };
        let Some(label) = value.literal().map(|label| text(&label)) else { return };
        self.add("C402", format!("existing clients do not know the value {label}"), None);
        if self.in_transaction {
            self.added_labels.push(label);
        }
    }

    fn write(&mut self, table: Option<String>) {
        let Some(table) = table.filter(|table| self.in_transaction && !self.created.contains(&key(table))) else {
            return;
        };
        self.add("L313", format!("rows of {table} stay locked until the end of the transaction"), None);
    }

    fn set(&mut self, sql: &str) {
        let sql = sql.to_ascii_lowercase();
        let value = sql.split_once("lock_timeout").map(|(_, value)| value.trim_start_matches(['=', ' ', '\'']));
        if value.is_some_and(|value| value.trim_start_matches("to ").trim_matches([' ', '\'']).starts_with('0')) {
            self.add("L311", "statements wait for locks without a limit and block others behind them".to_owned(), None);
        }
    }
}

fn is_list(ty: ast::Type) -> bool {
    let written = text(&ty);
    written.ends_with(']') || has_word(&written, "array")
}

/// Returns whether REINDEX is concurrent. Its grammar allows the word in two places.
fn is_concurrent(reindex: &ast::Reindex) -> bool {
    has_word(&text(reindex), "concurrently")
}

fn has_word(sql: &str, word: &str) -> bool {
    relata_pgsql::tokens(sql).any(|token| token.is_word(sql, word))
}
