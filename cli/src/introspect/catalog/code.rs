//! Functions, procedures, aggregates, operators, casts, languages and event triggers.

use relata_codegen::sql::Nature;

use super::{Select, alone, free, name, ours, owned};

pub(super) fn queries() -> Vec<(Nature, String)> {
    vec![
        functions(),
        aggregates(),
        operators(),
        families(),
        classes(),
        casts(),
        languages(),
        transforms(),
        access_methods(),
        event_triggers(),
    ]
}

/// What CREATE OR REPLACE cannot change of the function `p`.
pub(in crate::introspect) const FUNCTION_SHAPE: &str = "concat_ws(' ', p.prokind, pg_get_function_result(p.oid), pg_get_function_identity_arguments(p.oid), p.pronargdefaults)";

fn functions() -> (Nature, String) {
    let own_name = name("n", "p.proname");
    let definition = format!(
        "rtrim(replace(pg_get_functiondef(p.oid), format('%I.%I(', n.nspname, p.proname), {own_name} || '('), E'\\n')"
    );
    let word = "CASE p.prokind WHEN 'p' THEN 'PROCEDURE' ELSE 'FUNCTION' END";
    let select = Select {
        class: "pg_proc",
        oid: "p.oid",
        kind: "CASE p.prokind WHEN 'p' THEN 'procedure' ELSE 'function' END",
        name: "p.oid::regprocedure",
        create: &definition,
        drop: &format!("format('DROP %s %s', {word}, p.oid::regprocedure)"),
        shape: FUNCTION_SHAPE,
        replace: &definition,
        restore: owned(word, "p.oid::regprocedure", "p.proowner"),
        from: format!(
            "pg_proc AS p JOIN pg_namespace AS n ON n.oid = p.pronamespace WHERE p.prokind <> 'a' AND {} AND {}",
            ours("pg_proc", "p"),
            alone("pg_proc", "p")
        ),
        ..Select::default()
    };
    (Nature::Base, select.sql())
}

fn aggregates() -> (Nature, String) {
    let it = name("n", "p.proname");
    let modify = |column: &str, word: &str, usual: &str| {
        format!(
            "CASE WHEN a.{column} <> {usual} THEN ', {word} = ' ||
               CASE a.{column} WHEN 'r' THEN 'READ_ONLY' WHEN 's' THEN 'SHAREABLE' ELSE 'READ_WRITE' END END"
        )
    };
    let usual = "CASE WHEN a.aggkind = 'n' THEN 'r' ELSE 'w' END";
    let function = |column: &str, word: &str| format!("CASE WHEN a.{column} <> 0 THEN ', {word} = ' || a.{column} END");
    let parts = [
        "'SFUNC = '".to_owned(),
        "a.aggtransfn::text".to_owned(),
        "', STYPE = ' || format_type(a.aggtranstype, NULL)".to_owned(),
        "CASE WHEN a.aggtransspace <> 0 THEN ', SSPACE = ' || a.aggtransspace END".to_owned(),
        function("aggfinalfn", "FINALFUNC"),
        "CASE WHEN a.aggfinalextra THEN ', FINALFUNC_EXTRA' END".to_owned(),
        modify("aggfinalmodify", "FINALFUNC_MODIFY", usual),
        function("aggcombinefn", "COMBINEFUNC"),
        function("aggserialfn", "SERIALFUNC"),
        function("aggdeserialfn", "DESERIALFUNC"),
        "', INITCOND = ' || quote_literal(a.agginitval)".to_owned(),
        function("aggmtransfn", "MSFUNC"),
        function("aggminvtransfn", "MINVFUNC"),
        "CASE WHEN a.aggmtranstype <> 0 THEN ', MSTYPE = ' || format_type(a.aggmtranstype, NULL) END".to_owned(),
        "CASE WHEN a.aggmtransspace <> 0 THEN ', MSSPACE = ' || a.aggmtransspace END".to_owned(),
        function("aggmfinalfn", "MFINALFUNC"),
        "CASE WHEN a.aggmfinalextra THEN ', MFINALFUNC_EXTRA' END".to_owned(),
        format!("CASE WHEN a.aggmtransfn <> 0 THEN {} END", modify("aggmfinalmodify", "MFINALFUNC_MODIFY", usual)),
        "', MINITCOND = ' || quote_literal(a.aggminitval)".to_owned(),
        "', SORTOP = ' || (SELECT format('OPERATOR(%I.%s)', m.nspname, o.oprname) FROM pg_operator AS o
            JOIN pg_namespace AS m ON m.oid = o.oprnamespace WHERE o.oid = a.aggsortop)"
            .to_owned(),
        "CASE p.proparallel WHEN 's' THEN ', PARALLEL = SAFE' WHEN 'r' THEN ', PARALLEL = RESTRICTED' END".to_owned(),
        "CASE WHEN a.aggkind = 'h' THEN ', HYPOTHETICAL' END".to_owned(),
    ];
    let create = format!(
        "format('CREATE AGGREGATE %s(%s) (%s)', {it},
           CASE WHEN p.pronargs = 0 THEN '*' ELSE pg_get_function_arguments(p.oid) END, concat({}))",
        parts.join(", ")
    );
    let select = Select {
        class: "pg_proc",
        oid: "p.oid",
        kind: "aggregate",
        name: &format!(
            "format('%s(%s)', {it}, CASE WHEN p.pronargs = 0 THEN '*' ELSE pg_get_function_identity_arguments(p.oid) END)"
        ),
        create: &create,
        drop: &format!(
            "format('DROP AGGREGATE %s(%s)', {it},
               CASE WHEN p.pronargs = 0 THEN '*' ELSE pg_get_function_identity_arguments(p.oid) END)"
        ),
        shape: &create,
        from: format!(
            "pg_aggregate AS a JOIN pg_proc AS p ON p.oid = a.aggfnoid JOIN pg_namespace AS n ON n.oid = p.pronamespace
             WHERE {}",
            ours("pg_proc", "p")
        ),
        ..Select::default()
    };
    (Nature::Base, select.sql())
}

fn operators() -> (Nature, String) {
    let other = |column: &str| {
        format!(
            "(SELECT format('OPERATOR(%I.%s)', m.nspname, q.oprname) FROM pg_operator AS q
              JOIN pg_namespace AS m ON m.oid = q.oprnamespace WHERE q.oid = o.{column})"
        )
    };
    let it = "CASE WHEN n.nspname = current_schema() THEN '' ELSE quote_ident(n.nspname) || '.' END || o.oprname";
    let sides = "CASE WHEN o.oprleft = 0 THEN 'NONE' ELSE format_type(o.oprleft, NULL) END || ', ' ||
                 CASE WHEN o.oprright = 0 THEN 'NONE' ELSE format_type(o.oprright, NULL) END";
    let create = format!(
        "format('CREATE OPERATOR %s (FUNCTION = %s)', {it}, concat(o.oprcode::regproc,
           CASE WHEN o.oprleft <> 0 THEN ', LEFTARG = ' || format_type(o.oprleft, NULL) END,
           CASE WHEN o.oprright <> 0 THEN ', RIGHTARG = ' || format_type(o.oprright, NULL) END,
           ', COMMUTATOR = ' || {}, ', NEGATOR = ' || {},
           CASE WHEN o.oprrest <> 0 THEN ', RESTRICT = ' || o.oprrest::regproc END,
           CASE WHEN o.oprjoin <> 0 THEN ', JOIN = ' || o.oprjoin::regproc END,
           CASE WHEN o.oprcanhash THEN ', HASHES' END, CASE WHEN o.oprcanmerge THEN ', MERGES' END))",
        other("oprcom"),
        other("oprnegate")
    );
    let select = Select {
        class: "pg_operator",
        oid: "o.oid",
        kind: "operator",
        name: &format!("format('%s (%s)', {it}, {sides})"),
        create: &create,
        drop: &format!("format('DROP OPERATOR %s (%s)', {it}, {sides})"),
        shape: &create,
        from: format!(
            "pg_operator AS o JOIN pg_namespace AS n ON n.oid = o.oprnamespace WHERE o.oprcode <> 0 AND {}",
            ours("pg_operator", "o")
        ),
        ..Select::default()
    };
    (Nature::Base, select.sql())
}

/// The members of an operator family. Those of an operator class are part of it.
const MEMBERS: &str = "
    SELECT format('OPERATOR %s %s%s', a.amopstrategy, a.amopopr::regoperator,
             ' FOR ORDER BY ' || (SELECT format('%I.%I', m.nspname, y.opfname) FROM pg_opfamily AS y
               JOIN pg_namespace AS m ON m.oid = y.opfnamespace WHERE y.oid = a.amopsortfamily)) AS text,
           1 AS place, a.amopstrategy AS number, 'pg_amop'::regclass AS class, a.oid, a.amopfamily AS family
    FROM pg_amop AS a
    UNION ALL
    SELECT format('FUNCTION %s (%s, %s) %s', a.amprocnum, format_type(a.amproclefttype, NULL),
             format_type(a.amprocrighttype, NULL), a.amproc::regprocedure), 2, a.amprocnum, 'pg_amproc'::regclass, a.oid,
           a.amprocfamily
    FROM pg_amproc AS a";

/// Operator families that are more than the frame of a class.
fn families() -> (Nature, String) {
    let it = format!("{} || ' USING ' || quote_ident(m.amname)", name("n", "f.opfname"));
    let members = format!(
        "(SELECT string_agg(k.text, ', ' ORDER BY k.place, k.number, k.text) FROM ({MEMBERS}) AS k WHERE k.family = f.oid
          AND NOT EXISTS (SELECT FROM pg_depend AS d WHERE d.classid = k.class AND d.objid = k.oid
            AND d.refclassid = 'pg_opclass'::regclass AND d.deptype = 'i'))"
    );
    let create = format!(
        "concat(format('CREATE OPERATOR FAMILY %s', {it}),
           format(E';\\nALTER OPERATOR FAMILY %s ADD %s', {it}, NULLIF({members}, '')))"
    );
    let create =
        format!("CASE WHEN {members} IS NULL THEN format('CREATE OPERATOR FAMILY %s', {it}) ELSE {create} END");
    let select = Select {
        class: "pg_opfamily",
        oid: "f.oid",
        kind: "operator family",
        name: &it,
        create: &create,
        drop: &format!("format('DROP OPERATOR FAMILY %s', {it})"),
        shape: &create,
        from: format!(
            "pg_opfamily AS f JOIN pg_am AS m ON m.oid = f.opfmethod JOIN pg_namespace AS n ON n.oid = f.opfnamespace
             WHERE {}",
            ours("pg_opfamily", "f")
        ),
        ..Select::default()
    };
    (Nature::Base, select.sql())
}

fn classes() -> (Nature, String) {
    let it = format!("{} || ' USING ' || quote_ident(m.amname)", name("n", "o.opcname"));
    let members = format!(
        "(SELECT string_agg(k.text, ', ' ORDER BY k.place, k.number, k.text) FROM ({MEMBERS}) AS k
          WHERE EXISTS (SELECT FROM pg_depend AS d WHERE d.classid = k.class AND d.objid = k.oid
            AND d.refclassid = 'pg_opclass'::regclass AND d.refobjid = o.oid AND d.deptype = 'i'))"
    );
    let create = format!(
        "format('CREATE OPERATOR CLASS %s%s FOR TYPE %s USING %I FAMILY %s AS %s', {},
           CASE WHEN o.opcdefault THEN ' DEFAULT' END, format_type(o.opcintype, NULL), m.amname,
           (SELECT format('%I.%I', x.nspname, f.opfname) FROM pg_opfamily AS f JOIN pg_namespace AS x ON x.oid = f.opfnamespace
            WHERE f.oid = o.opcfamily),
           concat_ws(', ', {members}, CASE WHEN o.opckeytype <> 0 THEN 'STORAGE ' || format_type(o.opckeytype, NULL)
             WHEN {members} IS NULL THEN 'STORAGE ' || format_type(o.opcintype, NULL) END))",
        name("n", "o.opcname")
    );
    let select = Select {
        class: "pg_opclass",
        oid: "o.oid",
        kind: "operator class",
        name: &it,
        create: &create,
        drop: &format!("format('DROP OPERATOR CLASS %s', {it})"),
        shape: &create,
        from: format!(
            "pg_opclass AS o JOIN pg_am AS m ON m.oid = o.opcmethod JOIN pg_namespace AS n ON n.oid = o.opcnamespace
             WHERE {}",
            ours("pg_opclass", "o")
        ),
        ..Select::default()
    };
    (Nature::Base, select.sql())
}

fn casts() -> (Nature, String) {
    let sides = "format('(%s AS %s)', format_type(c.castsource, NULL), format_type(c.casttarget, NULL))";
    let create = format!(
        "format('CREATE CAST %s %s%s', {sides}, CASE c.castmethod WHEN 'f' THEN 'WITH FUNCTION ' || c.castfunc::regprocedure
           WHEN 'i' THEN 'WITH INOUT' ELSE 'WITHOUT FUNCTION' END,
           CASE c.castcontext WHEN 'a' THEN ' AS ASSIGNMENT' WHEN 'i' THEN ' AS IMPLICIT' END)"
    );
    let select = Select {
        class: "pg_cast",
        oid: "c.oid",
        kind: "cast",
        name: sides,
        create: &create,
        drop: &format!("'DROP CAST ' || {sides}"),
        shape: &create,
        from: format!("pg_cast AS c WHERE c.oid >= 16384 AND {} AND {}", free("pg_cast", "c"), alone("pg_cast", "c")),
        ..Select::default()
    };
    (Nature::Base, select.sql())
}

fn languages() -> (Nature, String) {
    let create =
        "format('CREATE %sLANGUAGE %I HANDLER %s%s%s', CASE WHEN l.lanpltrusted THEN 'TRUSTED ' END, l.lanname,
        l.lanplcallfoid::regproc, CASE WHEN l.laninline <> 0 THEN ' INLINE ' || l.laninline::regproc END,
        CASE WHEN l.lanvalidator <> 0 THEN ' VALIDATOR ' || l.lanvalidator::regproc END)";
    let select = Select {
        class: "pg_language",
        oid: "l.oid",
        kind: "language",
        name: "quote_ident(l.lanname)",
        create,
        drop: "format('DROP LANGUAGE %I', l.lanname)",
        shape: create,
        from: format!("pg_language AS l WHERE l.oid >= 16384 AND {}", free("pg_language", "l")),
        ..Select::default()
    };
    (Nature::Base, select.sql())
}

fn transforms() -> (Nature, String) {
    let it = "format('FOR %s LANGUAGE %I', format_type(t.trftype, NULL), l.lanname)";
    let create = format!(
        "format('CREATE TRANSFORM %s (%s)', {it}, concat_ws(', ',
           CASE WHEN t.trffromsql <> 0 THEN format('FROM SQL WITH FUNCTION %s', t.trffromsql::regprocedure) END,
           CASE WHEN t.trftosql <> 0 THEN format('TO SQL WITH FUNCTION %s', t.trftosql::regprocedure) END))"
    );
    let select = Select {
        class: "pg_transform",
        oid: "t.oid",
        kind: "transform",
        name: it,
        create: &create,
        drop: &format!("'DROP TRANSFORM ' || {it}"),
        shape: &create,
        from: format!(
            "pg_transform AS t JOIN pg_language AS l ON l.oid = t.trflang WHERE t.oid >= 16384 AND {}",
            free("pg_transform", "t")
        ),
        ..Select::default()
    };
    (Nature::Base, select.sql())
}

fn access_methods() -> (Nature, String) {
    let create = "format('CREATE ACCESS METHOD %I TYPE %s HANDLER %s', m.amname,
        CASE m.amtype WHEN 'i' THEN 'INDEX' ELSE 'TABLE' END, m.amhandler::regproc)";
    let select = Select {
        class: "pg_am",
        oid: "m.oid",
        kind: "access method",
        name: "quote_ident(m.amname)",
        create,
        drop: "format('DROP ACCESS METHOD %I', m.amname)",
        shape: create,
        from: format!("pg_am AS m WHERE m.oid >= 16384 AND {}", free("pg_am", "m")),
        ..Select::default()
    };
    (Nature::Base, select.sql())
}

fn event_triggers() -> (Nature, String) {
    let alter = "format('ALTER EVENT TRIGGER %I %s', t.evtname, CASE t.evtenabled WHEN 'D' THEN 'DISABLE'
        WHEN 'R' THEN 'ENABLE REPLICA' WHEN 'A' THEN 'ENABLE ALWAYS' ELSE 'ENABLE' END)";
    let create = "format('CREATE EVENT TRIGGER %I ON %s%s EXECUTE FUNCTION %s()', t.evtname, t.evtevent,
        (SELECT format(' WHEN TAG IN (%s)', string_agg(quote_literal(tag), ', ')) FROM unnest(t.evttags) AS tag
         HAVING count(*) > 0), t.evtfoid::regproc)";
    let select = Select {
        class: "pg_event_trigger",
        oid: "t.oid",
        kind: "event trigger",
        name: "quote_ident(t.evtname)",
        create: &format!("concat({create}, CASE WHEN t.evtenabled <> 'O' THEN E';\\n' || {alter} END)"),
        drop: "format('DROP EVENT TRIGGER %I', t.evtname)",
        shape: create,
        parts: &format!("ARRAY['enabled', t.evtenabled::text, {alter}, '', {alter}]"),
        from: format!("pg_event_trigger AS t WHERE {}", free("pg_event_trigger", "t")),
        ..Select::default()
    };
    (Nature::Note, select.sql())
}
