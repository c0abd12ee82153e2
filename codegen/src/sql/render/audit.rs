//! Recorded changes as SQL.

use crate::sql::audit::{arguments, create_log, schema_of};
use crate::sql::change::AuditEdit;
use crate::sql::quote::{ident, literal, qualified};
use crate::sql::state::{AUDIT, AUDIT_TRUNCATE, Audit, AuditLog, ObjectName};

/// Returns the statements that create the table of changes, or complete it.
pub(super) fn set_log(previous: Option<&ObjectName>, log: &AuditLog) -> String {
    let mut statements = Vec::new();
    if let (Some(previous), Some(schema)) = (previous, &log.name.schema) {
        let (table, schema) = (qualified(previous), ident(schema));
        statements.push(format!("ALTER TABLE {table} SET SCHEMA {schema}"));
        statements.push(format!("ALTER FUNCTION {table}() SET SCHEMA {schema}"));
    }
    statements.extend(create_log(log));
    statements.join(";\n")
}

/// Returns the statements that create, replace or drop the triggers of a table.
pub(super) fn set_audit(table: &ObjectName, log: &ObjectName, replaces: bool, next: Option<&Audit>) -> String {
    let name = qualified(table);
    let mut statements = Vec::new();
    if replaces {
        let drop = |trigger: &str| format!("DROP TRIGGER IF EXISTS {} ON {name}", ident(trigger));
        statements.extend([drop(AUDIT), drop(AUDIT_TRUNCATE)]);
    }
    if let Some(audit) = next {
        let arguments = arguments(audit).map(|argument| literal(&argument)).join(", ");
        let call = format!("EXECUTE FUNCTION {}({arguments})", qualified(log));
        let create = |trigger: &str, when: &str, each: &str| {
            format!("CREATE TRIGGER {} {when} ON {name} FOR EACH {each} {call}", ident(trigger))
        };
        statements.push(create(AUDIT, "AFTER INSERT OR UPDATE OR DELETE", "ROW"));
        statements.push(create(AUDIT_TRUNCATE, "AFTER TRUNCATE", "STATEMENT"));
    }
    statements.join(";\n")
}

/// Returns the statement after which recorded changes have a new name, or hide values.
pub(super) fn edit(log: &ObjectName, table: &ObjectName, what: &AuditEdit) -> String {
    let of_table = format!(r#""table_schema" = {} AND "table_name" = {}"#, schema_of(table), literal(&table.name));
    let log = qualified(log);
    match what {
        AuditEdit::Table(to) => format!(
            r#"UPDATE {log} SET "table_schema" = {}, "table_name" = {} WHERE {of_table}"#,
            schema_of(to),
            literal(&to.name)
        ),
        AuditEdit::Column(from, to) => {
            let (from, to) = (literal(from), literal(to));
            let renamed = |part: &str| {
                format!(
                    r#"{part} = CASE WHEN {part} ? {from} THEN ({part} - {from}) || jsonb_build_object({to}, {part} -> {from}) ELSE {part} END"#
                )
            };
            let parts = [r#""key""#, r#""old""#, r#""new""#];
            let has = parts.map(|part| format!("{part} ? {from}")).join(" OR ");
            format!("UPDATE {log} SET {}\nWHERE {of_table} AND ({has})", parts.map(renamed).join(",\n  "))
        }
        AuditEdit::Mask(column) => {
            let column = literal(column);
            let masked = |part: &str| {
                format!(
                    r#"{part} = CASE WHEN {part} ? {column} THEN {part} || jsonb_build_object({column}, '***') ELSE {part} END"#
                )
            };
            let parts = [r#""old""#, r#""new""#];
            let has = parts.map(|part| format!("{part} ? {column}")).join(" OR ");
            format!("UPDATE {log} SET {}\nWHERE {of_table} AND ({has})", parts.map(masked).join(",\n  "))
        }
    }
}
