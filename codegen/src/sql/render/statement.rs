//! The SQL of one action, without its semicolon.

use super::super::change::{Commented, Place, TableObject};
use super::super::data_type::DataType;
use super::super::expression::{Node, is_number, parse};
use super::super::index_text::{create_index, embed, index_part, method, storage};
use super::super::plan::{Action, Alteration, ColumnSpec};
use super::super::quote::{ident, ident_list, literal, qualified};
use super::super::state::{
    Column, ColumnDefault, Exclusion, ForeignKey, Identity, ObjectName, Sequence, Table, repartitioned,
};
use super::batches::{do_block, guard_unique, in_batches};
use super::{audit, belongings, citus, options, row_security, shadow};
use crate::ir::{NativeType, ReferentialAction};

/// Returns the statement. There is one arm for each action, so that none can be forgotten. Longer statements have their
/// own functions.
pub(in crate::sql) fn statement(action: &Action) -> String {
    match action {
        Action::CreateSchema(name) => format!("CREATE SCHEMA IF NOT EXISTS {}", ident(name)),
        Action::CreateExtension(extension) => {
            let part = |word: &str, value: &Option<String>| {
                value.as_ref().map(|value| format!(" {word} {}", ident(value))).unwrap_or_default()
            };
            let options = part("SCHEMA", &extension.schema) + &part("VERSION", &extension.version);
            format!("CREATE EXTENSION IF NOT EXISTS {}{options}", ident(&extension.name))
        }
        Action::UpdateExtension { name, version } => {
            format!("ALTER EXTENSION {} UPDATE TO {}", ident(name), ident(version))
        }
        Action::MoveExtension { name, schema } => {
            format!("ALTER EXTENSION {} SET SCHEMA {}", ident(name), ident(schema))
        }
        Action::DropExtension(name) => format!("DROP EXTENSION {}", ident(name)),
        Action::RenameEnum { from, to } => format!("ALTER TYPE {} RENAME TO {}", qualified(from), ident(to)),
        Action::MoveEnum { from, schema } => format!("ALTER TYPE {} SET SCHEMA {}", qualified(from), ident(schema)),
        Action::RenameLabel { enum_name, from, to } => {
            format!("ALTER TYPE {} RENAME VALUE {} TO {}", qualified(enum_name), literal(from), literal(to))
        }
        Action::RenameTable { from, to } => format!("ALTER TABLE {} RENAME TO {}", qualified(from), ident(to)),
        Action::MoveTable { from, schema } => format!("ALTER TABLE {} SET SCHEMA {}", qualified(from), ident(schema)),
        Action::RenameColumn { table, from, to } => {
            format!("ALTER TABLE {} RENAME COLUMN {} TO {}", qualified(table), ident(from), ident(to))
        }
        Action::RenameSequence { from, to } => format!("ALTER SEQUENCE {} RENAME TO {}", qualified(from), ident(to)),
        Action::RenameObject { table, object, to } => rename_object(table, object, to),
        Action::AddLabel { enum_name, label, place } => {
            let place = match place {
                Place::End => String::new(),
                Place::Before(other) => format!(" BEFORE {}", literal(other)),
            };
            format!("ALTER TYPE {} ADD VALUE {}{place}", qualified(enum_name), literal(label))
        }
        Action::CreateEnum(ty) => {
            let labels: Vec<_> = ty.labels.iter().map(|label| literal(label)).collect();
            format!("CREATE TYPE {} AS ENUM ({})", qualified(&ty.name), labels.join(", "))
        }
        Action::DropEnum { name, .. } => format!("DROP TYPE {}", qualified(name)),
        Action::CreateSequence(Sequence { name, ty, options, .. }) => {
            let clauses: String = options::clauses(options).iter().map(|clause| format!(" {clause}")).collect();
            format!("CREATE SEQUENCE {} AS {ty}{clauses}", qualified(name))
        }
        Action::SetSequenceOptions { sequence, ty, previous, next } => {
            let ty = ty.as_ref().map(|ty| format!(" AS {ty}")).unwrap_or_default();
            let clauses = options::changed(previous, next).join(" ");
            let alter = format!("ALTER SEQUENCE {}{ty} {clauses}", qualified(sequence));
            match options::narrowed(previous, next) {
                Some((least, largest)) => format!(
                    "DO {}",
                    literal(&format!(
                        "BEGIN\n  IF (SELECT last_value BETWEEN {least} AND {largest} FROM {}) THEN\n    {alter};\n  ELSE\n    {alter} RESTART;\n  END IF;\nEND",
                        qualified(sequence)
                    ))
                ),
                None => alter,
            }
        }
        Action::DisownSequence(sequence) => format!("ALTER SEQUENCE {} OWNED BY NONE", qualified(sequence)),
        Action::DropIdentity { table, column, .. } => {
            alter(table, [format!("ALTER COLUMN {} DROP IDENTITY", ident(column))].into_iter())
        }
        Action::DropExpression { table, next, .. } => {
            alter(table, [format!("ALTER COLUMN {} DROP EXPRESSION", ident(&next.name))].into_iter())
        }
        Action::DropDefault { table, column, .. } => {
            alter(table, [format!("ALTER COLUMN {} DROP DEFAULT", ident(column))].into_iter())
        }
        Action::AdvanceIdentity { table, column, options } => {
            let next = options::next_value(&ident(column), options);
            format!(
                "SELECT setval(pg_get_serial_sequence({}, {}), {next}, false) FROM {}",
                literal(&qualified(table)),
                literal(column),
                qualified(table)
            )
        }
        Action::AlterTable { table, previous, next, .. } => {
            alter(table, options::table_commands(previous, next).into_iter())
        }
        Action::Repartition { table, previous, next } => refuse(&repartitioned(table, previous, next)),
        Action::SetSequenceType { sequence, ty } => format!("ALTER SEQUENCE {} AS {ty}", qualified(sequence)),
        Action::AdvanceSequence { sequence, table, column } => format!(
            "SELECT setval({}, COALESCE(max({}), 0) + 1, false) FROM {}",
            literal(&qualified(sequence)),
            ident(column),
            qualified(table)
        ),
        Action::OwnSequence { sequence, table, column } => {
            format!("ALTER SEQUENCE {} OWNED BY {}.{}", qualified(sequence), qualified(table), ident(column))
        }
        Action::DropSequence(name) => format!("DROP SEQUENCE {}", qualified(name)),
        Action::CreateTable { table, serial } => create_table(table, serial),
        Action::DropTable(table) => drop_table(table),
        Action::AddColumns { table, columns } => alter(table, columns.iter().map(add_column)),
        Action::AlterColumns { table, alterations } => {
            let moved: String = alterations.iter().filter_map(|it| move_into_bounds(table, it)).collect();
            moved + &alter(table, alterations.iter().flat_map(alter_column))
        }
        Action::DropDefaults { table, columns } => {
            alter(table, columns.iter().map(|column| format!("ALTER COLUMN {} DROP DEFAULT", ident(column))))
        }
        Action::Backfill { table, column } => {
            let column = ident(column);
            format!("UPDATE {} SET {column} = DEFAULT WHERE {column} IS NULL", qualified(table))
        }
        Action::BackfillInBatches { table, column } => {
            let column = ident(column);
            in_batches(table, &format!("{column} = DEFAULT"), &format!("{column} IS NULL"))
        }
        Action::SetNotNull { table, column, .. } => {
            alter(table, [format!("ALTER COLUMN {} SET NOT NULL", ident(column))].into_iter())
        }
        Action::DropColumns { table, columns } => drop_columns(table, columns),
        Action::AddObject { table, object, .. } => add_object(table, object),
        Action::CreatePolicy { table, policy } => row_security::create_policy(table, policy),
        Action::DropPolicy { table, policy } => {
            format!("DROP POLICY {} ON {}", ident(&policy.name), qualified(table))
        }
        // Only that of tenants is forced. Policies that a hand made may be left.
        Action::SetRowSecurity { table, previous: (true, false), next: (false, false) } => {
            row_security::disable_without_policies(table)
        }
        Action::SetRowSecurity { table, previous, next } => {
            alter(table, row_security::switches(*previous, *next).into_iter())
        }
        Action::SetAuditLog { previous, log } => audit::set_log(previous.as_ref(), log),
        Action::SetAudit { table, log, replaces, next, .. } => audit::set_audit(table, log, *replaces, next.as_ref()),
        Action::EditAudit { log, table, what } => audit::edit(log, table, what),
        Action::Distribute { table, next, follows, .. } => citus::distribute(table, next, follows.as_ref()),
        Action::ClearLocalRows(table) => citus::call("truncate_local_data_after_distributing_table", table),
        Action::Undistribute(table) => citus::call("undistribute_table", table),
        Action::RunSequentially => citus::RUN_SEQUENTIALLY.to_owned(),
        Action::ShowAllTenants => row_security::SHOW_ALL_TENANTS.to_owned(),
        Action::DropObject { table, object } => match object {
            TableObject::Index(index) => {
                let keys = if index.has_keys { " CASCADE" } else { "" };
                format!("DROP INDEX {}{keys}", qualified(&table.sibling(&index.name)))
            }
            other => alter(table, [format!("DROP CONSTRAINT {}", ident(other.name()))].into_iter()),
        },
        Action::CreateIndexConcurrently { table, index, .. } => create_index(table, index, " CONCURRENTLY"),
        Action::DropIndexConcurrently { table, index } => {
            format!("DROP INDEX CONCURRENTLY {}", qualified(&table.sibling(index)))
        }
        Action::AddUsingIndex { table, object, index } => {
            let kind = if matches!(object, TableObject::PrimaryKey(_)) { "PRIMARY KEY" } else { "UNIQUE" };
            let name = ident(object.name());
            let deferrable = options::deferrable(object.options().and_then(|options| options.deferrable));
            let command = format!("ADD CONSTRAINT {name} {kind} USING INDEX {}{deferrable}", ident(index));
            alter(table, [command].into_iter())
        }
        Action::AddNotValid { table, object } => {
            alter(table, [format!("ADD {} NOT VALID", constraint(object))].into_iter())
        }
        Action::Validate { table, object, .. } => {
            alter(table, [format!("VALIDATE CONSTRAINT {}", ident(object.name()))].into_iter())
        }
        Action::SetComment { on, text } => {
            let text = text.as_ref().map_or_else(|| "NULL".to_owned(), |text| literal(text));
            let on = match on {
                Commented::Table(table) => format!("TABLE {}", qualified(table)),
                Commented::Column(table, column) => format!("COLUMN {}.{}", qualified(table), ident(column)),
                Commented::Enum(name) => format!("TYPE {}", qualified(name)),
            };
            format!("COMMENT ON {on} IS {text}")
        }
        Action::Catalog(change) => change.sql(),
        Action::TrustBodies => "SET LOCAL check_function_bodies TO off".to_owned(),
        Action::CheckBodies(functions) => check_bodies(functions),
        Action::NoteBelongings(views) => belongings::note(views),
        Action::RestoreBelongings => belongings::restore(),
        Action::CreateOther(other) if other.without_data => format!("{}\nWITH NO DATA", other.create),
        Action::CreateOther(other) => other.create.clone(),
        Action::Restore { sql, .. } => sql.clone(),
        Action::ChangeOther(other) => other.change.as_ref().unwrap_or(&other.create).clone(),
        Action::DropOther(other) => other.drop.clone(),
        Action::Guard(guard) => shadow::guard(guard),
        Action::GuardUnique(guard) => guard_unique(guard),
        Action::CreateSyncFunction { table, function, columns } => {
            shadow::create_sync_function(table, function, columns)
        }
        Action::CreateSyncTrigger { table, function } => shadow::create_sync_trigger(table, function),
        Action::EnableSyncTriggerAlways { table } => {
            alter(table, [format!("ENABLE ALWAYS TRIGGER {}", ident(shadow::SYNC_TRIGGER))].into_iter())
        }
        Action::DropSyncTrigger { table } => {
            format!("DROP TRIGGER {} ON {}", ident(shadow::SYNC_TRIGGER), qualified(table))
        }
        Action::DropSyncFunction { function } => format!("DROP FUNCTION {}()", qualified(function)),
        Action::FillShadowColumns { table, columns } => shadow::fill(table, columns),
        Action::Analyze(table) => format!("ANALYZE {}", qualified(table)),
        Action::Cutover { tables, actions } => shadow::cutover(tables, actions),
        Action::TransferIdentity { table, from, to } => shadow::transfer_identity(table, from, to),
        Action::RenameIdentitySequence { table, column } => shadow::rename_identity_sequence(table, column),
        Action::TransferComment { table, from, to } => shadow::transfer_comment(table, from, to),
    }
}

/// Returns `ALTER TABLE` with one command on its line, or several commands on a line each.
fn alter(table: &ObjectName, commands: impl Iterator<Item = String>) -> String {
    let commands: Vec<_> = commands.collect();
    let separator = if commands.len() > 1 { "\n  " } else { " " };
    format!("ALTER TABLE {}{separator}{}", qualified(table), commands.join(",\n  "))
}

fn drop_columns(table: &ObjectName, columns: &[Column]) -> String {
    let drop = |column: &&Column| format!("DROP COLUMN {}", ident(&column.name));
    let (only, all): (Vec<&Column>, Vec<&Column>) = columns.iter().partition(|column| column.options.stays_in_heirs);
    let mut statements = Vec::new();
    if !only.is_empty() {
        let drops: Vec<_> = only.iter().map(drop).collect();
        statements.push(format!("ALTER TABLE ONLY {} {}", qualified(table), drops.join(", ")));
    }
    if !all.is_empty() {
        statements.push(alter(table, all.iter().map(drop)));
    }
    statements.join(";\n")
}

fn rename_object(table: &ObjectName, object: &TableObject, to: &str) -> String {
    match object {
        TableObject::Index(index) => {
            format!("ALTER INDEX {} RENAME TO {}", qualified(&table.sibling(&index.name)), ident(to))
        }
        other => {
            format!("ALTER TABLE {} RENAME CONSTRAINT {} TO {}", qualified(table), ident(other.name()), ident(to))
        }
    }
}

/// A partition can be referenced by foreign keys to its table, so it is detached first.
fn drop_table(table: &Table) -> String {
    let name = qualified(&table.name);
    let drop = format!("DROP TABLE {name}");
    match (&table.options.partition_bound, table.options.inherits.first()) {
        (Some(_), Some(parent)) => format!("ALTER TABLE {} DETACH PARTITION {name};\n{drop}", qualified(parent)),
        _ => drop,
    }
}

/// Returns a statement that fails in place of one that PostgreSQL does not have.
fn refuse(what: &str) -> String {
    let body = format!(
        "BEGIN
  RAISE EXCEPTION USING MESSAGE = {},
    ERRCODE = 'feature_not_supported',
    HINT = {};
END
",
        literal(&format!("{what}, and PostgreSQL has no statement for that")),
        literal("create a migration with --create-only, and replace this statement in it: codegen explain F212"),
    );
    format!("-- To be replaced: see codegen explain F212.\n{}", do_block(&body))
}

fn create_table(table: &Table, serial: &[String]) -> String {
    let columns = table.columns.iter().map(|column| column_definition(column, serial.contains(&column.name), None));
    let primary = table.primary_key.iter().cloned().map(TableObject::PrimaryKey);
    let uniques = table.uniques.iter().cloned().map(TableObject::Unique);
    let checks = table.checks.iter().cloned().map(TableObject::Check);
    let exclusions = table.exclusions.iter().cloned().map(TableObject::Exclusion);
    let constraints = primary.chain(uniques).chain(exclusions).chain(checks).map(|object| constraint(&object));
    let lines: Vec<_> = columns.chain(constraints).collect();
    let unlogged = if table.options.unlogged { "UNLOGGED " } else { "" };
    let is_partition = table.options.partition_bound.is_some();
    if is_partition {
        let parts = if lines.is_empty() { String::new() } else { format!(" (\n  {}\n)", lines.join(",\n  ")) };
        let (of, options) = (options::partition_of(&table.options), options::of_table(&table.options));
        return format!("CREATE {unlogged}TABLE {}{of}{parts}{options}", qualified(&table.name));
    }
    let body = if lines.is_empty() { "()".to_owned() } else { format!("(\n  {}\n)", lines.join(",\n  ")) };
    let options = options::of_table(&table.options);
    format!("CREATE {unlogged}TABLE {} {body}{options}", qualified(&table.name))
}

fn add_column(spec: &ColumnSpec) -> String {
    format!("ADD COLUMN {}", column_definition(&spec.column, spec.serial, spec.fill.as_deref()))
}

fn column_definition(column: &Column, serial: bool, fill: Option<&str>) -> String {
    let ty = match (&column.ty, serial) {
        (DataType::Native(NativeType::SmallInt), true) => "SMALLSERIAL".to_owned(),
        (DataType::Native(NativeType::BigInt), true) => "BIGSERIAL".to_owned(),
        (_, true) => "SERIAL".to_owned(),
        (_, false) => type_sql(column),
    };
    let mut sql = format!("{} {ty}", ident(&column.name));
    if !column.nullable {
        sql += " NOT NULL";
    }
    if let Some(expression) = &column.generated {
        let how = if column.options.is_virtual { "VIRTUAL" } else { "STORED" };
        sql += &format!(" GENERATED ALWAYS AS ({}) {how}", embed(expression));
    }
    sql += &options::identity(column).map(|identity| format!(" {identity}")).unwrap_or_default();
    let default = column.default.as_ref().filter(|_| !serial).and_then(|default| default_sql(column, default));
    if let Some(default) = default.or_else(|| fill.map(default_expression)) {
        sql += &format!(" DEFAULT {default}");
    }
    sql
}

fn type_sql(column: &Column) -> String {
    let collation = column.collation.as_ref().map(|name| format!(" COLLATE {name}")).unwrap_or_default();
    format!("{}{}{collation}", column.named_type(), if column.array { "[]" } else { "" })
}

/// Returns `None` if the database keeps its default.
fn default_sql(column: &Column, default: &ColumnDefault) -> Option<String> {
    match default {
        ColumnDefault::Literal(_) | ColumnDefault::List(_) if column.options.default_text.is_some() => {
            column.options.default_text.as_deref().map(default_expression)
        }
        ColumnDefault::Literal(text) => Some(value_sql(&column.ty, text)),
        ColumnDefault::List(items) => {
            let items: Vec<_> = items.iter().map(|item| value_sql(&column.ty, item)).collect();
            Some(format!("ARRAY[{}]::{}[]", items.join(", "), column.ty))
        }
        ColumnDefault::Expression(sql) => Some(default_expression(sql)),
        ColumnDefault::Sequence(name) => Some(format!("nextval({}::regclass)", literal(&qualified(name)))),
        ColumnDefault::Unmanaged => None,
    }
}

fn value_sql(ty: &DataType, text: &str) -> String {
    match ty {
        DataType::Native(
            NativeType::SmallInt
            | NativeType::Integer
            | NativeType::BigInt
            | NativeType::Oid
            | NativeType::Decimal(_)
            | NativeType::Money
            | NativeType::Real
            | NativeType::DoublePrecision,
        ) if is_number(text) => text.to_owned(),
        DataType::Native(NativeType::Boolean) if matches!(text, "true" | "false") => text.to_owned(),
        _ => literal(text),
    }
}

/// Operators after DEFAULT need parentheses.
fn default_expression(sql: &str) -> String {
    let is_simple =
        matches!(parse(sql), Some(Node::Name(_) | Node::Text(_) | Node::Number(_) | Node::Call(..) | Node::Cast(..)));
    if is_simple { embed(sql) } else { format!("({})", embed(sql)) }
}

/// Returns the statement that moves an identity into its new bounds if it is outside of them, where PostgreSQL would refuse
/// these.
fn move_into_bounds(table: &ObjectName, alteration: &Alteration) -> Option<String> {
    let Alteration { previous, next, .. } = alteration;
    previous.identity.and(next.identity).filter(|_| !previous.is_recreated(next))?;
    let (old, new) = (&previous.options.counts, &next.options.counts);
    if alteration.retyped && old.max.is_some() && old.increment > 0 {
        // The new type may not have the old bound.
        return Some(format!(
            "{};\n",
            alter(table, [format!("ALTER COLUMN {} SET NO MAXVALUE", ident(&next.name))].into_iter())
        ));
    }
    let (least, largest) = options::narrowed(old, new)?;
    let sequence = format!("pg_get_serial_sequence({}, {})", literal(&qualified(table)), literal(&next.name));
    let (first, start) = (options::first(old), options::first_in_both(old, new));
    Some(format!(
        "SELECT setval({sequence}, {start}, false)\n  WHERE COALESCE(pg_sequence_last_value({sequence}::regclass), {first}) NOT BETWEEN {least} AND {largest};\n"
    ))
}

fn alter_column(alteration: &Alteration) -> Vec<String> {
    let Alteration { previous, next, .. } = alteration;
    let column = format!("ALTER COLUMN {}", ident(&next.name));
    if previous.is_recreated(next) {
        let definition = column_definition(next, false, None);
        return vec![format!("DROP COLUMN {}", ident(&next.name)), format!("ADD COLUMN {definition}")];
    }
    let mut commands = Vec::new();
    if previous.generated.is_some() && next.generated.is_none() && !alteration.expression_dropped {
        commands.push(format!("{column} DROP EXPRESSION"));
    }
    if previous.identity.is_some() && next.identity.is_none() {
        commands.push(format!("{column} DROP IDENTITY"));
    }
    let default = next.default.as_ref().filter(|_| alteration.redefaulted);
    let default = default.and_then(|default| default_sql(next, default));
    // A default that the schema leaves to the database is not dropped.
    let is_ours = previous.generated.is_none() && next.default != Some(ColumnDefault::Unmanaged);
    let is_in_the_way = alteration.retyped || (alteration.redefaulted && default.is_none());
    if previous.default.is_some() && is_ours && is_in_the_way {
        commands.push(format!("{column} DROP DEFAULT"));
    }
    if alteration.retyped {
        let using = alteration.using.as_ref().map(|using| format!(" USING {}", embed(using))).unwrap_or_default();
        commands.push(format!("{column} SET DATA TYPE {}{using}", type_sql(next)));
    }
    if let Some(default) = default {
        commands.push(format!("{column} SET DEFAULT {default}"));
    }
    match (previous.nullable, next.nullable) {
        (true, false) if !alteration.not_null_later => commands.push(format!("{column} SET NOT NULL")),
        (false, true) => commands.push(format!("{column} DROP NOT NULL")),
        _ => {}
    }
    match (previous.identity, next.identity) {
        (None, Some(_)) => commands.extend(options::identity(next).map(|identity| format!("{column} ADD {identity}"))),
        (Some(Identity::ByDefault), Some(Identity::Always)) => commands.push(format!("{column} SET GENERATED ALWAYS")),
        (Some(Identity::Always), Some(Identity::ByDefault)) => {
            commands.push(format!("{column} SET GENERATED BY DEFAULT"));
        }
        _ => {}
    }
    if previous.identity.is_some() && next.identity.is_some() && previous.options.counts != next.options.counts {
        let sets = options::changed(&previous.options.counts, &next.options.counts).into_iter();
        let sets = sets.map(|clause| if clause == options::RESTART { clause } else { format!("SET {clause}") });
        commands.push(format!("{column} {}", sets.collect::<Vec<_>>().join(" ")));
    }
    commands
}

fn add_object(table: &ObjectName, object: &TableObject) -> String {
    match object {
        TableObject::Index(index) => create_index(table, index, ""),
        other => alter(table, [format!("ADD {}", constraint(other))].into_iter()),
    }
}

/// Returns `CONSTRAINT "name" ..`; empty for an index, which is not a constraint.
fn constraint(object: &TableObject) -> String {
    let definition = match object {
        TableObject::PrimaryKey(key) => options::key("PRIMARY KEY", &key.columns, &key.options),
        TableObject::Unique(unique) => options::key("UNIQUE", &unique.columns, &unique.options),
        TableObject::Check(check) => {
            format!("CHECK ({}){}", embed(&check.expression), options::of_check(&check.options))
        }
        TableObject::ForeignKey(key) => foreign_key(key),
        TableObject::Exclusion(exclusion) => exclude(exclusion),
        TableObject::Index(_) => return String::new(),
    };
    format!("CONSTRAINT {} {definition}", ident(object.name()))
}

fn foreign_key(key: &ForeignKey) -> String {
    let match_full = if key.options.match_full { " MATCH FULL" } else { "" };
    format!(
        "FOREIGN KEY ({}) REFERENCES {}({}){match_full} {} {}{}",
        options::key_columns(&key.columns, "PERIOD ", "", &key.options),
        qualified(&key.referenced_table),
        options::key_columns(&key.referenced_columns, "PERIOD ", "", &key.options),
        delete_action(key),
        update_action(key),
        options::at_the_end(&key.options)
    )
}

/// Returns `ON DELETE ..`.
pub(super) fn delete_action(key: &ForeignKey) -> String {
    let columns = match key.options.delete_columns.as_slice() {
        [] => String::new(),
        columns => format!(" ({})", ident_list(columns)),
    };
    format!("ON DELETE {}{columns}", action_sql(key.on_delete))
}

/// Returns `ON UPDATE ..`.
pub(super) fn update_action(key: &ForeignKey) -> String {
    format!("ON UPDATE {}", action_sql(key.on_update))
}

fn action_sql(action: ReferentialAction) -> &'static str {
    match action {
        ReferentialAction::Cascade => "CASCADE",
        ReferentialAction::Restrict => "RESTRICT",
        ReferentialAction::NoAction => "NO ACTION",
        ReferentialAction::SetNull => "SET NULL",
        ReferentialAction::SetDefault => "SET DEFAULT",
    }
}

fn exclude(exclusion: &Exclusion) -> String {
    let Exclusion { index, operators, deferrable } = exclusion;
    let parts = index.parts.iter().zip(operators);
    let parts: Vec<_> = parts.map(|(part, operator)| format!("{} WITH {operator}", index_part(part))).collect();
    let mut sql = format!("EXCLUDE USING {} ({})", method(index.method), parts.join(", "));
    if !index.include.is_empty() {
        sql += &format!(" INCLUDE ({})", ident_list(&index.include));
    }
    sql += &storage(&index.storage);
    if let Some(predicate) = &index.predicate {
        sql += &format!(" WHERE ({})", embed(predicate));
    }
    sql + options::deferrable(*deferrable)
}

/// Returns the statement that warns of functions whose bodies fail. It refuses none: a body may name a temporary table.
fn check_bodies(functions: &[String]) -> String {
    let names: Vec<_> = functions.iter().map(|function| literal(function)).collect();
    format!(
        "-- Checks the bodies of functions.
DO $relata$ DECLARE body regprocedure; validator regproc; BEGIN
  PERFORM set_config('check_function_bodies', 'on', true);
  FOREACH body IN ARRAY ARRAY[{}]::regprocedure[] LOOP
    SELECT l.lanvalidator INTO validator FROM pg_proc AS p JOIN pg_language AS l ON l.oid = p.prolang
      WHERE p.oid = body AND l.lanvalidator <> 0;
    CONTINUE WHEN validator IS NULL;
    BEGIN
      EXECUTE format('SELECT %s($1)', validator) USING body::oid;
    EXCEPTION WHEN OTHERS THEN
      RAISE WARNING 'the body of % fails: %', body, SQLERRM;
    END;
  END LOOP;
END $relata$",
        names.join(", ")
    )
}
