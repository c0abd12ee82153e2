//! The SQL of shadow columns: guard, sync trigger, backfill and cutover.

use super::batches::{do_block, dollar_quoted, in_batches};
use super::statement;
use crate::sql::names::sequence_name;
use crate::sql::plan::{Action, Guard, ShadowColumn};
use crate::sql::quote::{ident, literal, qualified};
use crate::sql::state::ObjectName;

/// The name of the sync trigger. PostgreSQL runs triggers in the order of their names, so this one runs after all
/// others and sees the row as it will be stored.
pub const SYNC_TRIGGER: &str = "~sync";

/// Fails with the name of each object that depends on a column and would not depend on the new one: a view, a policy,
/// an index that was created by hand, the foreign key of an unknown table.
pub(super) fn guard(guard: &Guard) -> String {
    let pair =
        |table: &ObjectName, name: &str| format!("({}::regclass::oid, {})", literal(&qualified(table)), literal(name));
    let list = |items: &mut dyn Iterator<Item = String>| items.collect::<Vec<_>>().join(", ");
    let columns = list(&mut guard.columns.iter().map(|(table, name, _)| pair(table, name)));
    let counting = guard.columns.iter().filter(|(.., identity)| *identity);
    let known = or_none(list(&mut guard.known.iter().map(|(table, name)| pair(table, name))), "(0, '')");
    let dropped = list(&mut guard.dropped.iter().map(|(table, name)| pair(table, name)));
    let dropped = match dropped.as_str() {
        "" => String::new(),
        dropped => format!(
            "\n      OR (k.conrelid, k.conname::text) IN ({dropped})\n      OR (i.indrelid, r.relname::text) IN ({dropped})"
        ),
    };
    let tuned = list(&mut guard.tuned.iter().map(|(table, name)| pair(table, name)));
    let dropped = match tuned.as_str() {
        "" => dropped,
        tuned => format!(
            "{dropped}\n      OR (k.conrelid, k.conname::text) IN ({tuned})\n      OR (i.indrelid, r.relname::text) IN ({tuned}) \
             AND r.reltablespace = 0 AND NOT i.indisclustered AND NOT i.indisreplident"
        ),
    };
    let policies = list(&mut guard.policies.iter().map(|(table, name)| pair(table, name)));
    let dropped = match policies.as_str() {
        "" => dropped,
        policies => format!(
            "{dropped}\n      OR (d.classid = 'pg_policy'::regclass AND EXISTS (SELECT FROM pg_policy AS p WHERE p.oid = d.objid \
             AND (p.polrelid, p.polname::text) IN ({policies})))"
        ),
    };
    let generated = list(&mut guard.generated.iter().map(|(table, name)| pair(table, name)));
    let dropped = match generated.as_str() {
        "" => dropped,
        generated => format!(
            "{dropped}\n      OR EXISTS (SELECT FROM pg_attribute AS g WHERE g.attrelid = f.adrelid AND g.attnum = f.adnum \
             AND (g.attrelid, g.attname::text) IN ({generated}))"
        ),
    };
    let sequence = |name: &ObjectName| format!("{}::regclass", literal(&qualified(name)));
    let sequences = or_none(list(&mut guard.sequences.iter().map(sequence)), "0");
    let counting = or_none(list(&mut counting.map(|(table, name, _)| pair(table, name))), "(0, '')");
    // Finds everything that depends on the columns, except: their defaults and NOT NULLs; keys, indexes and checks that
    // are created again (unless they have a property that no schema declares); and the sequences that the new columns
    // take over.
    let body = format!(
        "DECLARE
  others text;
BEGIN
  WITH replaced AS (
    SELECT a.*, t.relkind FROM pg_attribute AS a JOIN pg_class AS t ON t.oid = a.attrelid
    WHERE (a.attrelid, a.attname::text) IN ({columns})
  ), others AS (
    SELECT pg_describe_object(d.classid, d.objid, d.objsubid) AS name
    FROM replaced AS a
    JOIN pg_depend AS d ON d.refclassid = 'pg_class'::regclass AND d.refobjid = a.attrelid AND d.refobjsubid = a.attnum
    LEFT JOIN pg_attrdef AS f ON d.classid = 'pg_attrdef'::regclass AND f.oid = d.objid
    LEFT JOIN pg_constraint AS k ON d.classid = 'pg_constraint'::regclass AND k.oid = d.objid
    LEFT JOIN pg_class AS r ON d.classid = 'pg_class'::regclass AND r.oid = d.objid AND d.objsubid = 0
    LEFT JOIN pg_index AS i ON i.indexrelid = r.oid
    LEFT JOIN pg_sequence AS s ON s.seqrelid = r.oid
    WHERE (f.adrelid = a.attrelid AND f.adnum = a.attnum
      OR k.contype = 'n'
      OR (k.conrelid, k.conname::text) IN ({known}) AND NOT k.condeferrable
      OR (i.indrelid, r.relname::text) IN ({known}) AND r.reloptions IS NULL AND r.reltablespace = 0
        AND NOT i.indisclustered AND NOT i.indisreplident
      OR s.seqrelid IN ({sequences}) AND d.deptype = 'a'
      OR (a.attrelid, a.attname::text) IN ({counting}) AND s.seqincrement = 1 AND NOT s.seqcycle AND d.deptype = 'i'{dropped}
      ) IS NOT TRUE
    UNION
    SELECT format('a privilege of column %s', attname) FROM replaced WHERE attacl IS NOT NULL
    UNION
    SELECT format('the settings of column %s', r.attname) FROM replaced AS r JOIN pg_type AS u ON u.oid = r.atttypid
    WHERE COALESCE(r.attstattarget, -1) >= 0 OR r.attstorage <> u.typstorage
      OR EXISTS (SELECT FROM unnest(r.attoptions) AS o WHERE o NOT LIKE 'pg\\_attver=%')
      OR NULLIF(to_jsonb(r) ->> 'attcompression', '') IS NOT NULL
    UNION
    SELECT format('a partition or an heir of %s', attrelid::regclass) FROM replaced
    WHERE relkind = 'p' OR EXISTS (SELECT FROM pg_inherits WHERE attrelid IN (inhrelid, inhparent))
  )
  SELECT string_agg(o.name, ', ' ORDER BY o.name) INTO others FROM others AS o;
  IF others IS NOT NULL THEN
    RAISE EXCEPTION 'a column that gets another type would leave behind: %', others
      USING ERRCODE = 'dependent_objects_still_exist',
        HINT = 'drop it before and create it again afterwards, or make this migration without --online';
  END IF;
END
"
    );
    do_block(&body)
}

/// An SQL list must not be empty.
fn or_none(list: String, none: &str) -> String {
    if list.is_empty() { none.to_owned() } else { list }
}

/// The function reads the row as a table, so that any expression over its columns keeps its meaning.
pub(super) fn create_sync_function(table: &ObjectName, function: &ObjectName, columns: &[ShadowColumn]) -> String {
    let value = |shadow: &ShadowColumn| {
        let (name, value) = (ident(&shadow.name), on_its_own(&shadow.value()));
        format!("  SELECT {value} INTO NEW.{name} FROM (SELECT NEW.*) AS {};\n", ident(&table.name))
    };
    let values: String = columns.iter().map(value).collect();
    let body = format!("#variable_conflict use_column\nBEGIN\n{values}  RETURN NEW;\nEND\n");
    format!(
        "CREATE FUNCTION {}() RETURNS trigger LANGUAGE plpgsql
SET search_path FROM CURRENT SET timezone = 'UTC' AS {}",
        qualified(function),
        dollar_quoted(&body)
    )
}

/// Returns an expression from the user such that neither its operators nor a comment at its end affect the following
/// text.
fn on_its_own(value: &str) -> String {
    let is_name = value.starts_with('"') && value.ends_with('"') && value.matches('"').count() == 2;
    match value {
        name if is_name => name.to_owned(),
        commented if commented.contains("--") => format!("({commented}\n)"),
        other => format!("({other})"),
    }
}

pub(super) fn create_sync_trigger(table: &ObjectName, function: &ObjectName) -> String {
    format!(
        "CREATE TRIGGER {} BEFORE INSERT OR UPDATE ON {} FOR EACH ROW EXECUTE FUNCTION {}()",
        ident(SYNC_TRIGGER),
        qualified(table),
        qualified(function)
    )
}

/// Rows that are written in the meantime get their values from the trigger.
pub(super) fn fill(table: &ObjectName, columns: &[ShadowColumn]) -> String {
    let value = |shadow: &ShadowColumn| (ident(&shadow.name), on_its_own(&shadow.value()));
    let values: Vec<_> = columns.iter().map(value).collect();
    let assignments: Vec<_> = values.iter().map(|(name, value)| format!("{name} = {value}")).collect();
    let missing: Vec<_> =
        values.iter().map(|(name, value)| format!("({name} IS NULL AND {value} IS NOT NULL)")).collect();
    in_batches(table, &assignments.join(",\n      "), &format!("({})", missing.join("\n      OR ")))
}

/// This is one statement, so it is atomic regardless of how it is sent.
pub(super) fn cutover(tables: &[ObjectName], actions: &[Action]) -> String {
    let names: Vec<_> = tables.iter().map(qualified).collect();
    let mut body = format!("BEGIN\n  LOCK TABLE {} IN ACCESS EXCLUSIVE MODE;\n", names.join(", "));
    for action in actions {
        body += &format!("  {};\n", statement(action));
    }
    do_block(&format!("{body}END\n"))
}

/// For a block of PL/pgSQL. Does not call nextval, because a sequence at its end has no next value.
pub(super) fn transfer_identity(table: &ObjectName, from: &str, to: &str) -> String {
    let sequence =
        |column: &str| format!("pg_get_serial_sequence({}, {})", literal(&qualified(table)), literal(column));
    format!(
        "PERFORM setval({}, COALESCE(pg_sequence_last_value(s.seqrelid) + 1, s.seqstart), false)
  FROM pg_sequence AS s WHERE s.seqrelid = {}::regclass",
        sequence(to),
        sequence(from)
    )
}

/// For a block of PL/pgSQL.
pub(super) fn rename_identity_sequence(table: &ObjectName, column: &str) -> String {
    let name = sequence_name(table, column);
    format!(
        "IF to_regclass({}) IS NULL THEN
    EXECUTE format('ALTER SEQUENCE %s RENAME TO %I', pg_get_serial_sequence({}, {}), {});
  END IF",
        literal(&qualified(&name)),
        literal(&qualified(table)),
        literal(column),
        literal(&name.name)
    )
}

/// For a block of PL/pgSQL. If the old column has no comment, the new one has none either.
pub(super) fn transfer_comment(table: &ObjectName, from: &str, to: &str) -> String {
    let table = qualified(table);
    format!(
        "EXECUTE format({}, (SELECT col_description(attrelid, attnum) FROM pg_attribute
    WHERE attrelid = {}::regclass AND attname = {}))",
        literal(&format!("COMMENT ON COLUMN {} IS %L", format!("{table}.{}", ident(to)).replace('%', "%%"))),
        literal(&table),
        literal(from)
    )
}
