//! Views with what belongs to them, and what belongs to tables without being part of them: triggers, rules, policies,
//! inheritance, partitions, settings.

use relata_codegen::sql::Nature;

use super::{Select, free, name, ours, owned};

pub(super) fn queries() -> Vec<(Nature, String)> {
    vec![
        views(),
        materialized_views(),
        view_defaults(),
        indexes(),
        triggers(),
        triggers_of_partitions(),
        constraint_triggers(),
        rules(),
        policies(),
        row_security(),
        partitions(),
        attached_indexes(),
        inheritance(),
        partition_keys(),
        inherited_columns(),
        validated_checks(),
        typed_tables(),
        replica_identities(),
        clustered_indexes(),
        access_methods(),
        not_null(),
    ]
}

/// The columns of the view `c`, one for each line.
pub(in super::super) const VIEW_COLUMNS: &str =
    "(SELECT string_agg(format('%s %s %s', a.attname, format_type(a.atttypid, a.atttypmod), a.attcollation), E'\\n'
    ORDER BY a.attnum) FROM pg_attribute AS a WHERE a.attrelid = c.oid AND a.attnum > 0)";

fn options() -> &'static str {
    "(SELECT format(' WITH (%s)', array_to_string(c.reloptions, ', ')) WHERE c.reloptions IS NOT NULL)"
}

fn views() -> (Nature, String) {
    let it = name("n", "c.relname");
    let definition = format!("concat({it}, {}, E' AS\\n', rtrim(pg_get_viewdef(c.oid), ';'))", options());
    let select = Select {
        class: "pg_class",
        oid: "c.oid",
        kind: "view",
        name: &it,
        create: &format!("'CREATE VIEW ' || {definition}"),
        drop: &format!("'DROP VIEW ' || {it}"),
        shape: VIEW_COLUMNS,
        replace: &format!("'CREATE OR REPLACE VIEW ' || {definition}"),
        restore: owned("'VIEW'", &it, "c.relowner"),
        from: format!(
            "pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace WHERE c.relkind = 'v' AND {}",
            ours("pg_class", "c")
        ),
        ..Select::default()
    };
    (Nature::View, select.sql())
}

fn materialized_views() -> (Nature, String) {
    let it = name("n", "c.relname");
    let method = "CASE WHEN m.amname <> 'heap' THEN format(' USING %I', m.amname) END";
    let create = format!(
        "concat('CREATE MATERIALIZED VIEW ', {it}, {method}, {}, E' AS\\n', rtrim(pg_get_viewdef(c.oid), ';'))",
        options()
    );
    let select = Select {
        class: "pg_class",
        oid: "c.oid",
        kind: "materialized view",
        name: &it,
        create: &format!("concat({create}, CASE WHEN NOT c.relispopulated THEN E'\\nWITH NO DATA' END)"),
        drop: &format!("'DROP MATERIALIZED VIEW ' || {it}"),
        restore: owned("'MATERIALIZED VIEW'", &it, "c.relowner"),
        shape: &create,
        from: format!(
            "pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace LEFT JOIN pg_am AS m ON m.oid = c.relam
             WHERE c.relkind = 'm' AND {}",
            ours("pg_class", "c")
        ),
        ..Select::default()
    };
    (Nature::View, select.sql())
}

fn view_defaults() -> (Nature, String) {
    let it = name("n", "c.relname");
    let alter = format!("format('ALTER VIEW %s ALTER COLUMN %I', {it}, a.attname)");
    let set = format!("concat({alter}, ' SET DEFAULT ', pg_get_expr(d.adbin, d.adrelid))");
    let select = Select {
        class: "pg_attrdef",
        oid: "d.oid",
        kind: "default of",
        name: &format!("{it} || '.' || quote_ident(a.attname)"),
        create: &set,
        drop: &format!("concat({alter}, ' DROP DEFAULT')"),
        replace: &set,
        owner: Some(("'pg_class'", "c.oid", "0")),
        from: format!(
            "pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace JOIN pg_attrdef AS d ON d.adrelid = c.oid
             JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum = d.adnum WHERE c.relkind = 'v' AND {}",
            ours("pg_class", "c")
        ),
        ..Select::default()
    };
    (Nature::Part, select.sql())
}

/// Indexes of materialized views, and those of access methods that the schema language does not know.
fn indexes() -> (Nature, String) {
    let it = name("n", "i.relname");
    let targets = format!(
        "(SELECT string_agg(format(E';\\nALTER INDEX %s ALTER COLUMN %s SET STATISTICS %s', {it}, a.attnum, a.attstattarget), ''
           ORDER BY a.attnum) FROM pg_attribute AS a WHERE a.attrelid = i.oid AND COALESCE(a.attstattarget, -1) >= 0)"
    );
    let create = format!("concat(pg_get_indexdef(i.oid, 0, true), {targets})");
    let select = Select {
        class: "pg_class",
        oid: "i.oid",
        kind: "index",
        name: &it,
        create: &create,
        drop: &format!("'DROP INDEX ' || {it}"),
        shape: &create,
        owner: Some(("'pg_class'", "c.oid", "0")),
        from: format!(
            "pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace JOIN pg_index AS x ON x.indrelid = c.oid
             JOIN pg_class AS i ON i.oid = x.indexrelid JOIN pg_am AS m ON m.oid = i.relam
             WHERE (c.relkind = 'm' OR m.amname NOT IN ('btree', 'hash', 'gin', 'gist', 'spgist', 'brin'))
               AND c.relkind IN ('r', 'p', 'm') AND NOT EXISTS (SELECT FROM pg_inherits AS h WHERE h.inhrelid = i.oid) AND {}",
            ours("pg_class", "c")
        ),
        ..Select::default()
    };
    (Nature::Part, select.sql())
}

/// `ENABLE TRIGGER`, `DISABLE RULE` and so on.
fn switch(word: &str, letter: &str, part: &str) -> String {
    format!(
        "format('ALTER TABLE %s %s {word} %I', c.oid::regclass, CASE {letter} WHEN 'D' THEN 'DISABLE'
           WHEN 'R' THEN 'ENABLE REPLICA' WHEN 'A' THEN 'ENABLE ALWAYS' ELSE 'ENABLE' END, {part})"
    )
}

fn triggers() -> (Nature, String) {
    let switch = switch("TRIGGER", "t.tgenabled", "t.tgname");
    let definition = "pg_get_triggerdef(t.oid, true)";
    let select = Select {
        class: "pg_trigger",
        oid: "t.oid",
        kind: "trigger",
        name: "format('%I on %s', t.tgname, c.oid::regclass)",
        create: &format!("concat({definition}, CASE WHEN t.tgenabled <> 'O' THEN E';\\n' || {switch} END)"),
        drop: "format('DROP TRIGGER %I ON %s', t.tgname, c.oid::regclass)",
        shape: definition,
        parts: &format!("ARRAY['enabled', t.tgenabled::text, {switch}, '', {switch}]"),
        owner: Some(("'pg_class'", "c.oid", "0")),
        from: format!(
            "pg_trigger AS t JOIN pg_class AS c ON c.oid = t.tgrelid JOIN pg_namespace AS n ON n.oid = c.relnamespace
             WHERE NOT t.tgisinternal AND COALESCE((to_jsonb(t) ->> 'tgparentid')::oid, 0) = 0 AND {} AND {}",
            ours("pg_class", "c"),
            free("pg_trigger", "t")
        ),
        ..Select::default()
    };
    (Nature::Guard, select.sql())
}

/// The triggers that partitions have from their table, where they are enabled or disabled in another way.
fn triggers_of_partitions() -> (Nature, String) {
    let only = |letter: &str| switch("TRIGGER", letter, "t.tgname").replace("ALTER TABLE", "ALTER TABLE ONLY");
    let select = Select {
        class: "trigger of partition",
        oid: "t.oid",
        kind: "trigger of partition",
        name: "format('%I on %s', t.tgname, c.oid::regclass)",
        create: &only("t.tgenabled"),
        drop: &only("p.tgenabled"),
        // A change of the table's trigger changes those of all partitions.
        shape: "p.tgenabled",
        replace: &only("t.tgenabled"),
        owner: Some(("'pg_class'", "c.oid", "0")),
        from: format!(
            "pg_trigger AS t JOIN pg_trigger AS p ON p.oid = (to_jsonb(t) ->> 'tgparentid')::oid
             JOIN pg_class AS c ON c.oid = t.tgrelid JOIN pg_namespace AS n ON n.oid = c.relnamespace
             WHERE NOT t.tgisinternal AND t.tgenabled <> p.tgenabled AND {}",
            ours("pg_class", "c")
        ),
        ..Select::default()
    };
    (Nature::Note, select.sql())
}

/// Foreign keys with disabled triggers.
fn constraint_triggers() -> (Nature, String) {
    let select = Select {
        class: "triggers of constraint",
        oid: "k.oid",
        kind: "triggers of constraint",
        name: "format('%I on %s', k.conname, c.oid::regclass)",
        shape: "(SELECT string_agg(t.tgenabled::text, '' ORDER BY t.tgfoid) FROM pg_trigger AS t WHERE t.tgconstraint = k.oid)",
        owner: Some(("'pg_constraint'", "k.oid", "0")),
        from: format!(
            "pg_constraint AS k JOIN pg_class AS c ON c.oid = k.conrelid JOIN pg_namespace AS n ON n.oid = c.relnamespace
             WHERE k.conparentid = 0 AND EXISTS (SELECT FROM pg_trigger AS t WHERE t.tgconstraint = k.oid AND t.tgisinternal
               AND t.tgenabled <> 'O') AND {}",
            ours("pg_class", "c")
        ),
        ..Select::default()
    };
    (Nature::Note, select.sql())
}

fn rules() -> (Nature, String) {
    let switch = switch("RULE", "r.ev_enabled", "r.rulename");
    let definition = "rtrim(pg_get_ruledef(r.oid, true), ';')";
    let select = Select {
        class: "pg_rewrite",
        oid: "r.oid",
        kind: "rule",
        name: "format('%I on %s', r.rulename, c.oid::regclass)",
        create: &format!("concat({definition}, CASE WHEN r.ev_enabled <> 'O' THEN E';\\n' || {switch} END)"),
        drop: "format('DROP RULE %I ON %s', r.rulename, c.oid::regclass)",
        shape: definition,
        parts: &format!("ARRAY['enabled', r.ev_enabled::text, {switch}, '', {switch}]"),
        owner: Some(("'pg_class'", "c.oid", "0")),
        from: format!(
            "pg_rewrite AS r JOIN pg_class AS c ON c.oid = r.ev_class JOIN pg_namespace AS n ON n.oid = c.relnamespace
             WHERE r.rulename <> '_RETURN' AND {}",
            ours("pg_class", "c")
        ),
        ..Select::default()
    };
    (Nature::Guard, select.sql())
}

/// Policies other than those that migrations create, which are part of the table.
const OTHER_POLICIES: &str = "(c.relispartition OR p.polname NOT IN ('relata_tenant', 'relata_across_tenants'))";

fn policies() -> (Nature, String) {
    let roles = "(SELECT string_agg(CASE WHEN role = 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(role)) END, ', ' ORDER BY 1)
        FROM unnest(p.polroles) AS role)";
    let conditions =
        "concat(CASE WHEN p.polqual IS NOT NULL THEN format(' USING (%s)', pg_get_expr(p.polqual, p.polrelid)) END,
           CASE WHEN p.polwithcheck IS NOT NULL THEN format(' WITH CHECK (%s)', pg_get_expr(p.polwithcheck, p.polrelid)) END)";
    let kind =
        "concat(CASE WHEN NOT p.polpermissive THEN ' AS RESTRICTIVE' END, CASE p.polcmd WHEN 'r' THEN ' FOR SELECT'
        WHEN 'a' THEN ' FOR INSERT' WHEN 'w' THEN ' FOR UPDATE' WHEN 'd' THEN ' FOR DELETE' END)";
    let select = Select {
        class: "pg_policy",
        oid: "p.oid",
        kind: "policy",
        name: "format('%I on %s', p.polname, c.oid::regclass)",
        create: &format!(
            "concat(format('CREATE POLICY %I ON %s%s TO %s', p.polname, c.oid::regclass, {kind}, {roles}), {conditions})"
        ),
        drop: "format('DROP POLICY %I ON %s', p.polname, c.oid::regclass)",
        // ALTER POLICY cannot take a condition away.
        shape: &format!("concat_ws(' ', {kind}, p.polqual IS NULL, p.polwithcheck IS NULL)"),
        replace: &format!(
            "concat(format('ALTER POLICY %I ON %s TO %s', p.polname, c.oid::regclass, {roles}), {conditions})"
        ),
        owner: Some(("'pg_class'", "c.oid", "0")),
        from: format!(
            "pg_policy AS p JOIN pg_class AS c ON c.oid = p.polrelid JOIN pg_namespace AS n ON n.oid = c.relnamespace
             WHERE {OTHER_POLICIES} AND {}",
            ours("pg_class", "c")
        ),
        ..Select::default()
    };
    (Nature::Guard, select.sql())
}

/// Row security, except where migrations switch it.
fn row_security() -> (Nature, String) {
    let alter = "'ALTER TABLE ' || c.oid::regclass";
    let select = Select {
        class: "row security",
        oid: "c.oid",
        kind: "row-level security of",
        name: "c.oid::regclass",
        create: &format!(
            "concat_ws(E';\\n', CASE WHEN c.relrowsecurity THEN {alter} || ' ENABLE ROW LEVEL SECURITY' END,
               CASE WHEN c.relforcerowsecurity THEN {alter} || ' FORCE ROW LEVEL SECURITY' END)"
        ),
        drop: &format!(
            "concat_ws(E';\\n', CASE WHEN c.relrowsecurity THEN {alter} || ' DISABLE ROW LEVEL SECURITY' END,
               CASE WHEN c.relforcerowsecurity THEN {alter} || ' NO FORCE ROW LEVEL SECURITY' END)"
        ),
        parts: &format!(
            "CASE WHEN c.relrowsecurity THEN ARRAY['enabled', '', {alter} || ' ENABLE ROW LEVEL SECURITY',
                 {alter} || ' DISABLE ROW LEVEL SECURITY', NULL] ELSE '{{}}' END
             || CASE WHEN c.relforcerowsecurity THEN ARRAY['forced', '', {alter} || ' FORCE ROW LEVEL SECURITY',
                 {alter} || ' NO FORCE ROW LEVEL SECURITY', NULL] ELSE '{{}}' END"
        ),
        owner: Some(("'pg_class'", "c.oid", "0")),
        from: format!(
            "pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
             WHERE (c.relrowsecurity OR c.relforcerowsecurity) AND (c.relispartition OR NOT EXISTS (
               SELECT FROM pg_policy AS p WHERE p.polrelid = c.oid AND p.polname IN ('relata_tenant', 'relata_across_tenants')))
               AND {}",
            ours("pg_class", "c")
        ),
        ..Select::default()
    };
    (Nature::Note, select.sql())
}

fn partitions() -> (Nature, String) {
    let bound = "pg_get_expr(c.relpartbound, c.oid)";
    let select = Select {
        class: "partition",
        oid: "c.oid",
        kind: "partition",
        name: "c.oid::regclass",
        create: &format!(
            "format('ALTER TABLE ONLY %s ATTACH PARTITION %s %s', i.inhparent::regclass, c.oid::regclass, {bound})"
        ),
        drop: "format('ALTER TABLE ONLY %s DETACH PARTITION %s', i.inhparent::regclass, c.oid::regclass)",
        shape: "i.inhparent::regclass",
        replace: &format!(
            "format(E'ALTER TABLE ONLY %1$s DETACH PARTITION %2$s;\\nALTER TABLE ONLY %1$s ATTACH PARTITION %2$s %3$s',
               i.inhparent::regclass, c.oid::regclass, {bound})"
        ),
        owner: Some(("'pg_class'", "c.oid", "0")),
        other: "i.inhparent",
        from: format!(
            "pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace JOIN pg_inherits AS i ON i.inhrelid = c.oid
             WHERE c.relispartition AND c.relkind IN ('r', 'p', 'f') AND {}",
            ours("pg_class", "c")
        ),
        ..Select::default()
    };
    (Nature::Part, select.sql())
}

/// The indexes of partitions that belong to those of their tables. Most come with these, under the name that PostgreSQL
/// chooses. A new partition gets an index from its table even if it has a key that would do.
fn attached_indexes() -> (Nature, String) {
    let usual = "c.relname || '_' || CASE WHEN k.contype = 'p' THEN 'pkey' ELSE (
        SELECT string_agg(COALESCE(a.attname, 'expr'), '_' ORDER BY u.place) FROM unnest(x.indkey::int2[]) WITH ORDINALITY AS u(number, place)
        LEFT JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum = u.number AND u.number > 0 WHERE u.place <= x.indnkeyatts)
        || CASE WHEN k.contype = 'u' THEN '_key' ELSE '_idx' END END";
    let statement = "format('DO %L', format('DECLARE found text; BEGIN
  SELECT c.relname INTO found FROM pg_inherits AS i JOIN pg_index AS x ON x.indexrelid = i.inhrelid
    JOIN pg_class AS c ON c.oid = i.inhrelid WHERE i.inhparent = %1$L::regclass AND x.indrelid = %2$L::regclass;
  IF found IS NULL THEN
    IF to_regclass(%5$L) IS NULL THEN
      %9$s;
    END IF;%4$s
    ALTER INDEX %1$s ATTACH PARTITION %5$s;
  ELSIF found <> %3$L AND to_regclass(%5$L) IS NULL THEN
    EXECUTE format(''ALTER INDEX %%I.%%I RENAME TO %%I'', %6$L, found, %3$L);
  ELSIF found <> %3$L THEN
    ALTER TABLE ONLY %7$s DETACH PARTITION %2$s;
    EXECUTE format(''DROP INDEX %%I.%%I'', %6$L, found);
    ALTER TABLE ONLY %7$s ATTACH PARTITION %2$s %8$s;
  END IF;
END', p.oid::regclass, c.oid::regclass, i.relname, CASE WHEN k.oid IS NOT NULL THEN format('
    IF NOT EXISTS (SELECT FROM pg_constraint AS k WHERE k.conrelid = %1$L::regclass AND k.conname = %2$L) THEN
      ALTER TABLE %1$s ADD CONSTRAINT %2$I %3$s USING INDEX %2$I;
    END IF;', c.oid::regclass, i.relname, CASE k.contype WHEN 'p' THEN 'PRIMARY KEY' ELSE 'UNIQUE' END) END,
        i.oid::regclass, n.nspname, w.indrelid::regclass, pg_get_expr(c.relpartbound, c.oid), pg_get_indexdef(i.oid)))";
    let select = Select {
        class: "index of partition",
        oid: "i.oid",
        kind: &format!("CASE WHEN i.relname = {usual} THEN 'index of partition' ELSE 'named index of partition' END"),
        name: "format('%s under %s', i.relname, p.oid::regclass)",
        create: statement,
        shape: "c.oid::regclass",
        owner: Some(("'pg_class'", "p.oid", "0")),
        other: "c.oid",
        from: format!(
            "pg_inherits AS h JOIN pg_class AS i ON i.oid = h.inhrelid AND i.relkind IN ('i', 'I')
             JOIN pg_class AS p ON p.oid = h.inhparent JOIN pg_index AS x ON x.indexrelid = i.oid
             JOIN pg_index AS w ON w.indexrelid = p.oid
             JOIN pg_class AS c ON c.oid = x.indrelid JOIN pg_namespace AS n ON n.oid = c.relnamespace
             LEFT JOIN pg_constraint AS k ON k.conindid = i.oid AND k.contype IN ('p', 'u') WHERE {}",
            ours("pg_class", "c")
        ),
        ..Select::default()
    };
    (Nature::Note, select.sql())
}

fn inheritance() -> (Nature, String) {
    let select = Select {
        class: "inheritance",
        oid: "c.oid",
        kind: "inheritance",
        name: "format('of %s from %s', c.oid::regclass, i.inhparent::regclass)",
        create: "format('ALTER TABLE %s INHERIT %s', c.oid::regclass, i.inhparent::regclass)",
        drop: "format('ALTER TABLE %s NO INHERIT %s', c.oid::regclass, i.inhparent::regclass)",
        owner: Some(("'pg_class'", "c.oid", "0")),
        other: "i.inhparent",
        from: format!(
            "pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace JOIN pg_inherits AS i ON i.inhrelid = c.oid
             WHERE c.relkind IN ('r', 'p') AND NOT (c.relispartition) AND {}",
            ours("pg_class", "c")
        ),
        ..Select::default()
    };
    (Nature::Part, select.sql())
}

/// The inherited columns that a table also declares. Nothing but a new table can change that.
fn inherited_columns() -> (Nature, String) {
    let select = Select {
        class: "inherited columns",
        oid: "c.oid",
        kind: "inherited columns of",
        name: "c.oid::regclass",
        shape: "a.names",
        owner: Some(("'pg_class'", "c.oid", "0")),
        from: format!(
            "pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace CROSS JOIN LATERAL (
               SELECT string_agg(a.attname, ', ' ORDER BY a.attname) AS names FROM pg_attribute AS a
               WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attinhcount > 0 AND a.attislocal) AS a
             WHERE c.relkind IN ('r', 'p') AND NOT (c.relispartition) AND a.names IS NOT NULL AND {}",
            ours("pg_class", "c")
        ),
        ..Select::default()
    };
    (Nature::Note, select.sql())
}

/// The checks that a table has from a parent whose own check is not valid.
fn validated_checks() -> (Nature, String) {
    let select = Select {
        class: "validated check",
        oid: "k.oid",
        kind: "validated check",
        name: "format('%I on %s', k.conname, c.oid::regclass)",
        create: "format('ALTER TABLE ONLY %s VALIDATE CONSTRAINT %I', c.oid::regclass, k.conname)",
        owner: Some(("'pg_constraint'", "p.oid", "0")),
        from: format!(
            "pg_constraint AS k JOIN pg_class AS c ON c.oid = k.conrelid JOIN pg_namespace AS n ON n.oid = c.relnamespace
             CROSS JOIN LATERAL (
               SELECT p.oid FROM pg_inherits AS i JOIN pg_constraint AS p ON p.conrelid = i.inhparent
               WHERE i.inhrelid = c.oid AND p.conname = k.conname AND p.contype = 'c' AND NOT p.convalidated
               ORDER BY i.inhseqno LIMIT 1) AS p
             WHERE k.contype = 'c' AND k.convalidated AND c.relkind IN ('r', 'p') AND {}",
            ours("pg_class", "c")
        ),
        ..Select::default()
    };
    (Nature::Note, select.sql())
}

/// How a table is partitioned cannot change.
fn partition_keys() -> (Nature, String) {
    let select = Select {
        class: "partition key",
        oid: "c.oid",
        kind: "partition key of",
        name: "c.oid::regclass",
        shape: "pg_get_partkeydef(c.oid)",
        owner: Some(("'pg_class'", "c.oid", "0")),
        from: format!(
            "pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace WHERE c.relkind = 'p' AND {}",
            ours("pg_class", "c")
        ),
        ..Select::default()
    };
    (Nature::Part, select.sql())
}

fn typed_tables() -> (Nature, String) {
    let select = Select {
        class: "type of table",
        oid: "c.oid",
        kind: "type of table",
        name: "c.oid::regclass",
        create: "format('ALTER TABLE %s OF %s', c.oid::regclass, c.reloftype::regtype)",
        drop: "format('ALTER TABLE %s NOT OF', c.oid::regclass)",
        shape: "c.reloftype::regtype",
        owner: Some(("'pg_class'", "c.oid", "0")),
        from: format!(
            "pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace WHERE c.relkind IN ('r', 'p') AND c.reloftype <> 0 AND {}",
            ours("pg_class", "c")
        ),
        ..Select::default()
    };
    (Nature::Note, select.sql())
}

fn replica_identities() -> (Nature, String) {
    let alter =
        "format('ALTER TABLE ONLY %s REPLICA IDENTITY %s', c.oid::regclass, CASE c.relreplident WHEN 'f' THEN 'FULL'
        WHEN 'n' THEN 'NOTHING' ELSE 'USING INDEX ' || (SELECT quote_ident(i.relname) FROM pg_index AS x
          JOIN pg_class AS i ON i.oid = x.indexrelid WHERE x.indrelid = c.oid AND x.indisreplident) END)";
    let select = Select {
        class: "replica identity",
        oid: "c.oid",
        kind: "replica identity of",
        name: "c.oid::regclass",
        create: alter,
        drop: "format('ALTER TABLE ONLY %s REPLICA IDENTITY DEFAULT', c.oid::regclass)",
        replace: alter,
        owner: Some((
            "'pg_class'",
            "COALESCE((SELECT x.indexrelid FROM pg_index AS x WHERE x.indrelid = c.oid AND x.indisreplident), c.oid)",
            "0",
        )),
        from: format!(
            "pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
             WHERE c.relkind IN ('r', 'p') AND c.relreplident <> 'd' AND (c.relreplident <> 'i' OR EXISTS (
               SELECT FROM pg_index AS x WHERE x.indrelid = c.oid AND x.indisreplident)) AND {}",
            ours("pg_class", "c")
        ),
        ..Select::default()
    };
    (Nature::Note, select.sql())
}

fn clustered_indexes() -> (Nature, String) {
    let word = "CASE c.relkind WHEN 'm' THEN 'MATERIALIZED VIEW' ELSE 'TABLE' END";
    let alter = format!("format('ALTER %s %s CLUSTER ON %I', {word}, c.oid::regclass, i.relname)");
    let select = Select {
        class: "clustered index",
        oid: "c.oid",
        kind: "clustered index of",
        name: "c.oid::regclass",
        create: &alter,
        drop: &format!("format('ALTER %s %s SET WITHOUT CLUSTER', {word}, c.oid::regclass)"),
        replace: &alter,
        owner: Some(("'pg_class'", "i.oid", "0")),
        from: format!(
            "pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace JOIN pg_index AS x ON x.indrelid = c.oid
               AND x.indisclustered JOIN pg_class AS i ON i.oid = x.indexrelid WHERE {}",
            ours("pg_class", "c")
        ),
        ..Select::default()
    };
    (Nature::Note, select.sql())
}

fn access_methods() -> (Nature, String) {
    let select = Select {
        class: "access method of",
        oid: "c.oid",
        kind: "access method of",
        name: "c.oid::regclass",
        shape: "m.amname",
        owner: Some(("'pg_class'", "c.oid", "0")),
        from: format!(
            "pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace JOIN pg_am AS m ON m.oid = c.relam
             WHERE c.relkind IN ('r', 'p') AND m.amname <> 'heap' AND {}",
            ours("pg_class", "c")
        ),
        ..Select::default()
    };
    (Nature::Note, select.sql())
}

/// Constraints on NULL that are more than NOT NULL, from PostgreSQL 18 on.
fn not_null() -> (Nature, String) {
    let select = Select {
        class: "not null",
        oid: "k.oid",
        kind: "not null",
        name: "format('%I on %s', k.conname, c.oid::regclass)",
        shape: "pg_get_constraintdef(k.oid, true)",
        owner: Some(("'pg_class'", "c.oid", "0")),
        from: format!(
            "pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace JOIN pg_constraint AS k ON k.conrelid = c.oid
             WHERE k.contype = 'n' AND (k.connoinherit OR NOT k.convalidated) AND {}",
            ours("pg_class", "c")
        ),
        ..Select::default()
    };
    (Nature::Note, select.sql())
}
