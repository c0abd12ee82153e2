//! Foreign-data wrappers, servers, user mappings and foreign tables.

use relata_codegen::sql::Nature;

use super::{Select, free, ours};
use crate::introspect::SET_BY_USER;

pub(super) fn queries() -> Vec<(Nature, String)> {
    vec![wrappers(), servers(), mappings(), foreign_tables(), foreign_columns(), foreign_statistics()]
}

/// The options of an object as SQL, with a space before; NULL if there are none.
fn options(column: &str) -> String {
    format!(
        "(SELECT format(' OPTIONS (%s)', string_agg(format('%I %L', option_name, option_value), ', ' ORDER BY option_name))
          FROM pg_options_to_table({column}) HAVING count(*) > 0)"
    )
}

/// The options as parts that `ALTER` changes one by one.
fn parts(alter: &str, column: &str) -> String {
    format!(
        "ARRAY(SELECT v.text FROM pg_options_to_table({column}) AS p CROSS JOIN LATERAL unnest(ARRAY[p.option_name, p.option_value,
             format('%s OPTIONS (ADD %I %L)', {alter}, p.option_name, p.option_value),
             format('%s OPTIONS (DROP %I)', {alter}, p.option_name),
             format('%s OPTIONS (SET %I %L)', {alter}, p.option_name, p.option_value)])
             WITH ORDINALITY AS v(text, place) ORDER BY p.option_name, v.place)"
    )
}

fn wrappers() -> (Nature, String) {
    let create = "format('CREATE FOREIGN DATA WRAPPER %I%s', w.fdwname, concat(
        CASE WHEN w.fdwhandler <> 0 THEN ' HANDLER ' || w.fdwhandler::regproc END,
        CASE WHEN w.fdwvalidator <> 0 THEN ' VALIDATOR ' || w.fdwvalidator::regproc END))";
    let select = Select {
        class: "pg_foreign_data_wrapper",
        oid: "w.oid",
        kind: "foreign-data wrapper",
        name: "quote_ident(w.fdwname)",
        create: &format!("concat({create}, {})", options("w.fdwoptions")),
        drop: "format('DROP FOREIGN DATA WRAPPER %I', w.fdwname)",
        shape: create,
        parts: &parts("format('ALTER FOREIGN DATA WRAPPER %I', w.fdwname)", "w.fdwoptions"),
        from: format!("pg_foreign_data_wrapper AS w WHERE {}", free("pg_foreign_data_wrapper", "w")),
        ..Select::default()
    };
    (Nature::Base, select.sql())
}

fn servers() -> (Nature, String) {
    let create =
        "format('CREATE SERVER %I%s%s FOREIGN DATA WRAPPER %I', s.srvname, ' TYPE ' || quote_literal(s.srvtype),
        ' VERSION ' || quote_literal(s.srvversion), w.fdwname)";
    let select = Select {
        class: "pg_foreign_server",
        oid: "s.oid",
        kind: "foreign server",
        name: "quote_ident(s.srvname)",
        create: &format!("concat({create}, {})", options("s.srvoptions")),
        drop: "format('DROP SERVER %I', s.srvname)",
        shape: create,
        parts: &parts("format('ALTER SERVER %I', s.srvname)", "s.srvoptions"),
        from: format!(
            "pg_foreign_server AS s JOIN pg_foreign_data_wrapper AS w ON w.oid = s.srvfdw WHERE {}",
            free("pg_foreign_server", "s")
        ),
        ..Select::default()
    };
    (Nature::Base, select.sql())
}

/// User mappings. Their options contain passwords, so a mapping with options is never written: it is compared and dropped.
fn mappings() -> (Nature, String) {
    let user = "CASE WHEN u.umuser = 0 THEN 'PUBLIC' ELSE quote_ident(u.usename) END";
    let select = Select {
        class: "pg_user_mapping",
        oid: "u.umid",
        kind: "user mapping",
        name: &format!("format('for %s on %I', {user}, u.srvname)"),
        create: &format!(
            "CASE WHEN u.umoptions IS NULL AND r.rolsuper THEN format('CREATE USER MAPPING FOR %s SERVER %I', {user}, u.srvname) END"
        ),
        drop: &format!("format('DROP USER MAPPING FOR %s SERVER %I', {user}, u.srvname)"),
        shape: "u.umoptions::text",
        // Others may not see the options.
        from: "pg_user_mappings AS u JOIN pg_roles AS r ON r.rolname = current_user WHERE u.umid >= 16384".to_owned(),
        ..Select::default()
    };
    (Nature::Base, select.sql())
}

fn foreign_tables() -> (Nature, String) {
    let column = format!(
        "format('%I %s%s%s%s%s', a.attname, format_type(a.atttypid, a.atttypmod), {},
           CASE WHEN a.attcollation <> y.typcollation THEN ' COLLATE ' || a.attcollation::regcollation END,
           CASE WHEN a.attnotnull THEN ' NOT NULL' END,
           CASE WHEN d.oid IS NULL THEN '' WHEN a.attgenerated <> '' THEN
             format(' GENERATED ALWAYS AS (%s) STORED', pg_get_expr(d.adbin, d.adrelid))
             ELSE ' DEFAULT ' || pg_get_expr(d.adbin, d.adrelid) END)",
        options("a.attfdwoptions")
    );
    let create = format!(
        "format('CREATE FOREIGN TABLE %s (%s) SERVER %I%s', c.oid::regclass, concat_ws(', ',
           (SELECT string_agg({column}, ', ' ORDER BY a.attnum) FROM pg_attribute AS a JOIN pg_type AS y ON y.oid = a.atttypid
              LEFT JOIN pg_attrdef AS d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
              WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped),
           (SELECT string_agg(format('CONSTRAINT %I %s', k.conname, pg_get_constraintdef(k.oid)), ', ' ORDER BY k.conname)
              FROM pg_constraint AS k WHERE k.conrelid = c.oid AND k.contype = 'c')), s.srvname, {})",
        options("f.ftoptions")
    );
    let select = Select {
        class: "pg_class",
        oid: "c.oid",
        kind: "foreign table",
        name: "c.oid::regclass",
        // What it inherits is left to the user. A partition is attached later.
        create: &format!(
            "CASE WHEN c.relispartition OR NOT EXISTS (SELECT FROM pg_inherits AS i WHERE i.inhrelid = c.oid) THEN {create} END"
        ),
        drop: "format('DROP FOREIGN TABLE %s', c.oid::regclass)",
        shape: &format!(
            "concat({create}, (SELECT string_agg(i.inhparent::regclass::text, ', ' ORDER BY i.inhseqno)
               FROM pg_inherits AS i WHERE i.inhrelid = c.oid AND NOT c.relispartition))"
        ),
        from: format!(
            "pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace JOIN pg_foreign_table AS f ON f.ftrelid = c.oid
             JOIN pg_foreign_server AS s ON s.oid = f.ftserver WHERE {}",
            ours("pg_class", "c")
        ),
        ..Select::default()
    };
    (Nature::Base, select.sql())
}

/// The settings of the columns of foreign tables.
fn foreign_columns() -> (Nature, String) {
    let table = "format('ALTER FOREIGN TABLE ONLY %s ALTER COLUMN %I', c.oid::regclass, a.attname)";
    let storage =
        "CASE a.attstorage WHEN 'p' THEN 'PLAIN' WHEN 'e' THEN 'EXTERNAL' WHEN 'x' THEN 'EXTENDED' ELSE 'MAIN' END";
    let set = format!(
        "concat_ws(E';\\n', CASE WHEN a.attstorage <> t.typstorage THEN format('%s SET STORAGE %s', {table}, {storage}) END,
           CASE WHEN COALESCE(a.attstattarget, -1) >= 0 THEN format('%s SET STATISTICS %s', {table}, a.attstattarget) END,
           CASE WHEN o.options IS NOT NULL THEN format('%s SET (%s)', {table}, o.options) END)"
    );
    let reset = format!(
        "concat_ws(E';\\n', CASE WHEN a.attstorage <> t.typstorage THEN format('%s SET STORAGE %s', {table},
             CASE t.typstorage WHEN 'p' THEN 'PLAIN' WHEN 'e' THEN 'EXTERNAL' WHEN 'x' THEN 'EXTENDED' ELSE 'MAIN' END) END,
           CASE WHEN COALESCE(a.attstattarget, -1) >= 0 THEN format('%s SET STATISTICS -1', {table}) END,
           CASE WHEN o.options IS NOT NULL THEN format('%s RESET (n_distinct, n_distinct_inherited)', {table}) END)"
    );
    let select = Select {
        class: "foreign columns",
        oid: "c.oid",
        sub: "a.attnum",
        kind: "settings of",
        name: "format('column %s.%I', c.oid::regclass, a.attname)",
        create: &set,
        drop: &reset,
        shape: &set,
        owner: Some(("'pg_class'", "c.oid", "0")),
        from: format!(
            "pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace JOIN pg_attribute AS a ON a.attrelid = c.oid
             JOIN pg_type AS t ON t.oid = a.atttypid
             CROSS JOIN LATERAL (SELECT string_agg(o, ', ') FROM unnest(a.attoptions) AS o WHERE {SET_BY_USER}) AS o(options) WHERE c.relkind = 'f' AND a.attnum > 0 AND NOT a.attisdropped
               AND (a.attstorage <> t.typstorage OR COALESCE(a.attstattarget, -1) >= 0 OR o.options IS NOT NULL) AND {}",
            ours("pg_class", "c")
        ),
        ..Select::default()
    };
    (Nature::Note, select.sql())
}

/// Extended statistics of foreign tables.
fn foreign_statistics() -> (Nature, String) {
    let create = "pg_get_statisticsobjdef(s.oid)";
    let select = Select {
        class: "pg_statistic_ext",
        oid: "s.oid",
        kind: "statistics",
        name: "format('%I on %s', s.stxname, c.oid::regclass)",
        create,
        drop: "format('DROP STATISTICS %I.%I', m.nspname, s.stxname)",
        shape: create,
        owner: Some(("'pg_class'", "c.oid", "0")),
        from: format!(
            "pg_statistic_ext AS s JOIN pg_class AS c ON c.oid = s.stxrelid AND c.relkind = 'f'
             JOIN pg_namespace AS n ON n.oid = c.relnamespace JOIN pg_namespace AS m ON m.oid = s.stxnamespace WHERE {}",
            ours("pg_class", "c")
        ),
        ..Select::default()
    };
    (Nature::Part, select.sql())
}
