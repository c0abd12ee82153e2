//! What is said about other objects: comments, privileges, default privileges, security labels.

use relata_codegen::sql::Nature;

use super::{Select, free};

pub(super) fn queries(is_whole: bool) -> Vec<(Nature, String)> {
    let mut found = vec![comments(), comments_on_extensions(), labels(), column_privileges(), default_privileges()];
    found.extend(privileges(is_whole));
    found.extend(privileges_on_members());
    found
}

/// In a comparison of two schemas of different names, the name of an object has no schema.
const IDENTITY: &str = "CASE WHEN current_schema() IS NULL THEN n.identity ELSE regexp_replace(n.identity,
    '(^|[ (,])' || regexp_replace(quote_ident(current_schema()), '([^a-zA-Z0-9_])', '\\\\\\1', 'g') || '\\.', '\\1', 'g') END";

/// The kind of an object in `COMMENT ON`.
const WORD: &str = "CASE o.type WHEN 'table column' THEN 'COLUMN' WHEN 'view column' THEN 'COLUMN'
    WHEN 'materialized view column' THEN 'COLUMN' WHEN 'foreign table column' THEN 'COLUMN'
    WHEN 'composite type column' THEN 'COLUMN' WHEN 'table constraint' THEN 'CONSTRAINT'
    WHEN 'domain constraint' THEN 'CONSTRAINT' WHEN 'composite type' THEN 'TYPE' WHEN 'statistics object' THEN 'STATISTICS'
    ELSE upper(o.type) END";

fn comments() -> (Nature, String) {
    let target = format!(
        "concat({WORD}, ' ', CASE o.type WHEN 'domain constraint' THEN replace({IDENTITY}, ' on ', ' on domain ')
           ELSE {IDENTITY} END)"
    );
    let set = format!("format('COMMENT ON %s IS %L', {target}, s.description)");
    let select = Select {
        class: "comment",
        oid: "s.objoid",
        sub: "s.objsubid",
        kind: "comment on",
        name: &format!("concat(lower({WORD}), ' ', {IDENTITY})"),
        create: &set,
        drop: &format!("format('COMMENT ON %s IS NULL', {target})"),
        replace: &set,
        owner: Some(("s.classoid::regclass", "s.objoid", "s.objsubid")),
        from: "pg_description AS s CROSS JOIN LATERAL pg_identify_object(s.classoid, s.objoid, s.objsubid) AS o
             -- COMMENT ON AGGREGATE needs a star for no arguments.
             CROSS JOIN LATERAL (SELECT CASE WHEN o.type = 'aggregate' AND o.identity LIKE '%()'
               THEN left(o.identity, -1) || '*)' ELSE o.identity END AS identity) AS n
             LEFT JOIN pg_statistic_ext AS x ON s.classoid = 'pg_statistic_ext'::regclass AND x.oid = s.objoid
             WHERE (s.objoid >= 16384 OR s.classoid = 'pg_namespace'::regclass) AND o.identity IS NOT NULL
               AND s.classoid NOT IN ('pg_extension'::regclass, 'pg_subscription'::regclass)
               -- They come with the statistics.
               AND x.oid IS NULL AND COALESCE(o.schema, '') !~ '^pg_'
               AND NOT EXISTS (SELECT FROM pg_depend AS e WHERE e.classid = s.classoid AND e.objid = s.objoid AND e.deptype = 'e')"
            .to_owned(),
        ..Select::default()
    };
    (Nature::Note, select.sql())
}

/// An extension brings its own comment.
fn comments_on_extensions() -> (Nature, String) {
    let set = "format('COMMENT ON EXTENSION %I IS %L', e.extname, d.text)";
    let select = Select {
        class: "comment",
        oid: "e.oid",
        kind: "comment on",
        name: "'extension ' || quote_ident(e.extname)",
        create: set,
        drop: "format('COMMENT ON EXTENSION %I IS %L', e.extname, a.comment)",
        replace: set,
        owner: Some(("'pg_extension'", "e.oid", "0")),
        from: "pg_extension AS e CROSS JOIN LATERAL (SELECT obj_description(e.oid, 'pg_extension') AS text) AS d
               LEFT JOIN pg_available_extensions AS a ON a.name = e.extname WHERE d.text IS DISTINCT FROM a.comment"
            .to_owned(),
        ..Select::default()
    };
    (Nature::Note, select.sql())
}

fn labels() -> (Nature, String) {
    let select = Select {
        class: "label",
        oid: "l.objoid",
        sub: "l.objsubid",
        kind: "security label of",
        name: "concat(l.objtype, ' ', l.objname, ' for ', l.provider)",
        shape: "l.label",
        from: "pg_seclabels AS l".to_owned(),
        ..Select::default()
    };
    (Nature::Note, select.sql())
}

/// Privileges of one role on one object. `acl` is the list of the object, `usual` that of a new one.
struct Privileges<'a> {
    oid: &'a str,
    sub: &'a str,
    /// The object in words, and in GRANT.
    what: &'a str,
    target: &'a str,
    acl: &'a str,
    usual: &'a str,
    owner: &'a str,
    from: &'a str,
    /// What follows a privilege: the column.
    suffix: &'a str,
    /// What they are dropped with: catalog, oid and column.
    part_of: (&'a str, &'a str, &'a str),
    /// What is on the table of a column. Revoking privileges on a table revokes those on its columns.
    above: &'a str,
}

impl Privileges<'_> {
    fn sql(&self) -> (Nature, String) {
        let Self { oid, sub, what, target, acl, usual, owner, from, suffix, part_of, above } = self;
        // Privileges with and without the right to grant them, in the order of their names.
        let of = |list: &str| {
            format!(
                "SELECT x.grantee, string_agg(x.privilege_type || CASE WHEN x.is_grantable THEN '*' ELSE '' END, ' '
                    ORDER BY x.privilege_type, x.is_grantable) AS all_of_them,
                   string_agg(x.privilege_type || {suffix}, ', ' ORDER BY x.privilege_type) FILTER (WHERE NOT x.is_grantable OR x.grantee = {owner}) AS plain,
                   string_agg(x.privilege_type || {suffix}, ', ' ORDER BY x.privilege_type) FILTER (WHERE x.is_grantable AND x.grantee <> {owner}) AS grantable
                 FROM (SELECT DISTINCT grantee, privilege_type, is_grantable FROM aclexplode({list})) AS x GROUP BY x.grantee"
            )
        };
        let role = "CASE WHEN g.grantee = 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(g.grantee)) END";
        let grants = |plain: &str, grantable: &str| {
            format!(
                "concat_ws(E';\\n', CASE WHEN {plain} IS NOT NULL THEN format('GRANT %s ON %s TO %s', {plain}, {target}, {role}) END,
                   CASE WHEN {grantable} IS NOT NULL THEN format('GRANT %s ON %s TO %s WITH GRANT OPTION', {grantable}, {target}, {role}) END)"
            )
        };
        let revoke = format!("format('REVOKE ALL%s ON %s FROM %s', {suffix}, {target}, {role})");
        let set = format!("concat_ws(E';\\n', {revoke}, NULLIF({}, ''))", grants("g.plain", "g.grantable"));
        let is_column = !suffix.starts_with("''");
        let select = Select {
            class: "privileges",
            oid,
            sub,
            // Those on columns come after those on tables.
            kind: if is_column { "privileges on column" } else { "privileges" },
            name: &format!("concat({what}, ' of ', CASE WHEN g.grantee = {owner} THEN 'its owner' ELSE {role} END)"),
            create: &format!("CASE WHEN g.usual IS NULL THEN {} ELSE {set} END", grants("g.plain", "g.grantable")),
            drop: &format!(
                "concat_ws(E';\\n', {revoke}, NULLIF({}, ''))",
                grants("g.usual_plain", "g.usual_grantable")
            ),
            replace: &set,
            shape: above,
            owner: Some(*part_of),
            from: format!(
                "{from} CROSS JOIN LATERAL (
                   SELECT COALESCE(a.grantee, b.grantee) AS grantee, a.plain, a.grantable, b.all_of_them AS usual,
                     b.plain AS usual_plain, b.grantable AS usual_grantable
                   FROM ({}) AS a FULL JOIN ({}) AS b ON b.grantee = a.grantee
                   WHERE a.all_of_them IS DISTINCT FROM b.all_of_them) AS g WHERE {acl} IS NOT NULL",
                of(acl),
                of(usual)
            ),
            ..Select::default()
        };
        (Nature::Note, select.sql())
    }
}

/// No privileges at all.
const NONE: &str = "NULL::aclitem[]";

fn privileges(is_whole: bool) -> Vec<(Nature, String)> {
    let relations = format!(
        "(SELECT c.* FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace WHERE n.nspname = ANY($1)
          AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S') AND {}) AS c",
        free("pg_class", "c")
    );
    let functions = format!(
        "(SELECT p.* FROM pg_proc AS p JOIN pg_namespace AS n ON n.oid = p.pronamespace WHERE n.nspname = ANY($1) AND {}) AS p",
        free("pg_proc", "p")
    );
    let types = format!(
        "(SELECT t.* FROM pg_type AS t JOIN pg_namespace AS n ON n.oid = t.typnamespace WHERE n.nspname = ANY($1) AND {}) AS t",
        free("pg_type", "t")
    );
    let signature = "p.oid::regprocedure";
    let outside = |class: &str, kind: &'static str, letter: &'static str, prefix: &str| {
        (
            format!("'on {kind} ' || quote_ident(o.{prefix}name)"),
            format!("'{} ' || quote_ident(o.{prefix}name)", kind.to_uppercase()),
            format!("o.{prefix}acl"),
            format!("acldefault('{letter}', o.{prefix}owner)"),
            format!("o.{prefix}owner"),
            format!("(SELECT o.* FROM {class} AS o WHERE {}) AS o", free(class, "o")),
        )
    };
    let mut found = vec![
        Privileges {
            oid: "c.oid",
            sub: "0",
            what: "CASE c.relkind WHEN 'S' THEN 'on sequence ' ELSE 'on table ' END || c.oid::regclass",
            target: "CASE c.relkind WHEN 'S' THEN 'SEQUENCE ' ELSE 'TABLE ' END || c.oid::regclass",
            acl: "c.relacl",
            usual: "acldefault(CASE c.relkind WHEN 'S' THEN 's'::\"char\" ELSE 'r'::\"char\" END, c.relowner)",
            owner: "c.relowner",
            from: &relations,
            suffix: "''",
            part_of: ("'pg_class'", "c.oid", "0"),
            above: "''",
        }
        .sql(),
        Privileges {
            oid: "p.oid",
            sub: "0",
            what: &format!("CASE p.prokind WHEN 'p' THEN 'on procedure ' ELSE 'on function ' END || {signature}"),
            target: &format!("CASE p.prokind WHEN 'p' THEN 'PROCEDURE ' ELSE 'FUNCTION ' END || {signature}"),
            acl: "p.proacl",
            usual: "acldefault('f', p.proowner)",
            owner: "p.proowner",
            from: &functions,
            suffix: "''",
            part_of: ("'pg_proc'", "p.oid", "0"),
            above: "''",
        }
        .sql(),
        Privileges {
            oid: "t.oid",
            sub: "0",
            what: "CASE t.typtype WHEN 'd' THEN 'on domain ' ELSE 'on type ' END || t.oid::regtype",
            target: "CASE t.typtype WHEN 'd' THEN 'DOMAIN ' ELSE 'TYPE ' END || t.oid::regtype",
            acl: "t.typacl",
            usual: "acldefault('T', t.typowner)",
            owner: "t.typowner",
            from: &types,
            suffix: "''",
            part_of: ("'pg_type'", "t.oid", "0"),
            above: "''",
        }
        .sql(),
    ];
    let mut objects = vec![
        ("pg_language", outside("pg_language", "language", "l", "lan")),
        ("pg_foreign_data_wrapper", outside("pg_foreign_data_wrapper", "foreign data wrapper", "F", "fdw")),
        ("pg_foreign_server", outside("pg_foreign_server", "foreign server", "S", "srv")),
    ];
    if is_whole {
        let mut schema = outside("pg_namespace", "schema", "n", "nsp");
        schema.5 = format!(
            "(SELECT o.* FROM pg_namespace AS o WHERE o.nspname = ANY($1) AND {}) AS o",
            free("pg_namespace", "o")
        );
        objects.push(("pg_namespace", schema));
    }
    for (class, (what, target, acl, usual, owner, from)) in &objects {
        let class = format!("'{class}'");
        let (oid, sub, suffix) = ("o.oid", "0", "''");
        let part_of = (class.as_str(), oid, sub);
        let above = "''";
        found.push(Privileges { oid, sub, what, target, acl, usual, owner, from, suffix, part_of, above }.sql());
    }
    found
}

/// Privileges on members of extensions that are not those that the extension gave. They belong to the extension.
fn privileges_on_members() -> Vec<(Nature, String)> {
    let members = |class: &str, schema: &str| {
        format!(
            "(SELECT o.*, e.refobjid AS extension, i.initprivs FROM {class} AS o JOIN pg_namespace AS n ON n.oid = o.{schema}
              JOIN pg_depend AS e ON e.classid = '{class}'::regclass AND e.objid = o.oid AND e.deptype = 'e'
              LEFT JOIN pg_init_privs AS i ON i.classoid = '{class}'::regclass AND i.objoid = o.oid AND i.objsubid = 0
              WHERE n.nspname = ANY($1)) AS o"
        )
    };
    let usual = |default: &str| format!("COALESCE(o.initprivs, acldefault({default}))");
    let (functions, relations) = (members("pg_proc", "pronamespace"), members("pg_class", "relnamespace"));
    let letter = "CASE o.relkind WHEN 'S' THEN 's'::\"char\" ELSE 'r'::\"char\" END";
    let on_functions = Privileges {
        oid: "o.oid",
        sub: "0",
        what: "'on function ' || o.oid::regprocedure",
        target: "'FUNCTION ' || o.oid::regprocedure",
        acl: "o.proacl",
        usual: &usual("'f', o.proowner"),
        owner: "o.proowner",
        from: &functions,
        suffix: "''",
        part_of: ("'pg_extension'", "o.extension", "0"),
        above: "''",
    };
    let on_relations = Privileges {
        what: "CASE o.relkind WHEN 'S' THEN 'on sequence ' ELSE 'on table ' END || o.oid::regclass",
        target: "CASE o.relkind WHEN 'S' THEN 'SEQUENCE ' ELSE 'TABLE ' END || o.oid::regclass",
        acl: "o.relacl",
        usual: &usual(&format!("{letter}, o.relowner")),
        owner: "o.relowner",
        from: &relations,
        ..on_functions
    };
    vec![on_functions.sql(), on_relations.sql()]
}

fn column_privileges() -> (Nature, String) {
    let from = format!(
        "(SELECT c.oid, c.relowner, c.relacl, a.attnum, a.attname, a.attacl FROM pg_class AS c
          JOIN pg_namespace AS n ON n.oid = c.relnamespace JOIN pg_attribute AS a ON a.attrelid = c.oid
          WHERE n.nspname = ANY($1) AND a.attnum > 0 AND NOT a.attisdropped AND a.attacl IS NOT NULL AND {}) AS c",
        free("pg_class", "c")
    );
    Privileges {
        oid: "c.oid",
        sub: "c.attnum",
        what: "c.oid::regclass || '.' || quote_ident(c.attname)",
        target: "c.oid::regclass",
        acl: "c.attacl",
        usual: NONE,
        owner: "c.relowner",
        from: &from,
        suffix: "format(' (%I)', c.attname)",
        part_of: ("'pg_class'", "c.oid", "c.attnum"),
        above: "COALESCE((SELECT string_agg(concat(t.privilege_type, t.is_grantable), ' ' ORDER BY t.privilege_type, t.is_grantable)
            FROM aclexplode(c.relacl) AS t WHERE t.grantee = g.grantee), '')",
    }
    .sql()
}

/// What roles get on objects that are created later.
fn default_privileges() -> (Nature, String) {
    let kind = "CASE d.defaclobjtype WHEN 'r' THEN 'TABLES' WHEN 'S' THEN 'SEQUENCES' WHEN 'f' THEN 'FUNCTIONS' WHEN 'T' THEN 'TYPES'
        WHEN 'n' THEN 'SCHEMAS' ELSE 'LARGE OBJECTS' END";
    let alter = "concat('ALTER DEFAULT PRIVILEGES FOR ROLE ', quote_ident(pg_get_userbyid(d.defaclrole)), ' IN SCHEMA ' || quote_ident(n.nspname))";
    let list = |source: &str| {
        format!(
            "SELECT x.grantee, string_agg(x.privilege_type || CASE WHEN x.is_grantable THEN '*' ELSE '' END, ' ' ORDER BY x.privilege_type) AS text,
               string_agg(x.privilege_type, ', ' ORDER BY x.privilege_type) FILTER (WHERE NOT x.is_grantable OR x.grantee = d.defaclrole) AS plain,
               string_agg(x.privilege_type, ', ' ORDER BY x.privilege_type) FILTER (WHERE x.is_grantable AND x.grantee <> d.defaclrole) AS grantable
             FROM aclexplode({source}) AS x GROUP BY x.grantee"
        )
    };
    let usual = format!(
        "CASE WHEN d.defaclnamespace = 0 THEN acldefault(CASE d.defaclobjtype WHEN 'S' THEN 's'::\"char\" ELSE d.defaclobjtype END, d.defaclrole)
          ELSE {NONE} END"
    );
    let role = "CASE WHEN g.grantee = 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(g.grantee)) END";
    let revoke = format!("format('%s REVOKE ALL ON %s FROM %s', {alter}, {kind}, {role})");
    let grant = |column: &str, option: &str| {
        format!(
            "CASE WHEN g.{column} IS NOT NULL THEN format('%s GRANT %s ON %s TO %s{option}', {alter}, g.{column}, {kind}, {role}) END"
        )
    };
    let set =
        format!("concat_ws(E';\\n', {revoke}, {}, {})", grant("plain", ""), grant("grantable", " WITH GRANT OPTION"));
    let select = Select {
        class: "default privileges",
        oid: "d.oid",
        kind: "default privileges",
        name: &format!(
            "concat('of ', {role}, ' on ', lower({kind}), ' of ', quote_ident(pg_get_userbyid(d.defaclrole)),
               ' in schema ' || quote_ident(n.nspname))"
        ),
        create: &set,
        drop: &format!(
            "concat_ws(E';\\n', {revoke}, {}, {})",
            grant("usual_plain", ""),
            grant("usual_grantable", " WITH GRANT OPTION")
        ),
        replace: &set,
        from: format!(
            "pg_default_acl AS d LEFT JOIN pg_namespace AS n ON n.oid = d.defaclnamespace CROSS JOIN LATERAL (
               SELECT COALESCE(a.grantee, b.grantee) AS grantee, a.plain, a.grantable, b.plain AS usual_plain, b.grantable AS usual_grantable
               FROM ({}) AS a FULL JOIN ({}) AS b ON b.grantee = a.grantee WHERE a.text IS DISTINCT FROM b.text) AS g
             WHERE n.oid IS NULL OR n.nspname = ANY($1)",
            list("d.defaclacl"),
            list(&usual)
        ),
        ..Select::default()
    };
    (Nature::Note, select.sql())
}
