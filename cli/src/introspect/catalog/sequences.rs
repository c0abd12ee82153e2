//! What is said about sequences beyond their options.

use relata_codegen::sql::Nature;

use super::{Select, ours};

pub(super) fn queries() -> Vec<(Nature, String)> {
    vec![logged_sequences(), identity_sequences()]
}

/// The names of the sequences of identity columns, if they are not those that PostgreSQL chooses.
fn identity_sequences() -> (Nature, String) {
    let usual = "concat(c.relname, '_', a.attname, '_seq')";
    let rename = |to: &str| {
        format!(
            "format('DO %L', format('BEGIN EXECUTE format(''ALTER SEQUENCE %%s RENAME TO %%I'', pg_get_serial_sequence(%L, %L), %L); END',
               c.oid::regclass, a.attname, {to}))"
        )
    };
    let select = Select {
        class: "identity",
        oid: "s.oid",
        kind: "sequence of identity",
        name: "format('%s.%I', c.oid::regclass, a.attname)",
        create: &rename("s.relname"),
        drop: &rename(usual),
        replace: &rename("s.relname"),
        owner: Some(("'pg_class'", "c.oid", "a.attnum")),
        from: format!(
            "pg_class AS s JOIN pg_depend AS d ON d.classid = 'pg_class'::regclass AND d.objid = s.oid AND d.deptype = 'i'
               AND d.refclassid = 'pg_class'::regclass
             JOIN pg_class AS c ON c.oid = d.refobjid JOIN pg_namespace AS n ON n.oid = c.relnamespace
             JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum = d.refobjsubid AND a.attidentity <> ''
             -- It shortens longer names.
             WHERE s.relkind = 'S' AND s.relname <> {usual} AND length({usual}) < 64 AND {}",
            ours("pg_class", "c")
        ),
        ..Select::default()
    };
    (Nature::Part, select.sql())
}

/// Sequences that are logged in another way than the table that owns them, from PostgreSQL 15 on.
fn logged_sequences() -> (Nature, String) {
    let set = "format('ALTER SEQUENCE %s SET %s', c.oid::regclass, CASE c.relpersistence WHEN 'u' THEN 'UNLOGGED' ELSE 'LOGGED' END)";
    let select = Select {
        class: "logging",
        oid: "c.oid",
        kind: "logging of sequence",
        name: "c.oid::regclass",
        create: set,
        drop: "format('ALTER SEQUENCE %s SET %s', c.oid::regclass, CASE c.relpersistence WHEN 'u' THEN 'LOGGED' ELSE 'UNLOGGED' END)",
        replace: set,
        owner: Some(("'pg_class'", "c.oid", "0")),
        from: format!(
            "pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
             LEFT JOIN pg_depend AS d ON d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype IN ('a', 'i')
               AND d.refclassid = 'pg_class'::regclass AND d.refobjsubid > 0
             LEFT JOIN pg_class AS t ON t.oid = d.refobjid
             WHERE c.relkind = 'S' AND c.relpersistence <> COALESCE(t.relpersistence, 'p') AND {}",
            ours("pg_class", "c")
        ),
        ..Select::default()
    };
    (Nature::Note, select.sql())
}
