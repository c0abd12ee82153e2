//! Functions, aggregates, operators, casts, and objects outside of schemas.

use super::{identity, named, own};

pub(super) fn queries() -> Vec<String> {
    vec![
        functions(),
        aggregates(),
        operators(),
        casts(),
        named("pg_opfamily", Some("opfnamespace"), "operator family"),
        named("pg_opclass", Some("opcnamespace"), "operator class"),
        named("pg_language", None, "language"),
        named("pg_am", None, "access method"),
        named("pg_transform", None, "transform"),
        named("pg_foreign_data_wrapper", None, "foreign-data wrapper"),
        named("pg_foreign_server", None, "foreign server"),
        user_mappings(),
        named("pg_publication", None, "publication"),
        named("pg_default_acl", None, "default privileges"),
        subscriptions(),
        event_triggers(),
    ]
}

fn functions() -> String {
    let (name, own) = (identity("pg_proc", "p.oid"), own("pg_proc", "p"));
    format!(
        "SELECT 'pg_proc'::text, p.oid, n.nspname::text,
            CASE p.prokind WHEN 'p' THEN 'procedure' ELSE 'function' END, {name}, NULL::text, false,
            pg_get_functiondef(p.oid)
         FROM pg_proc AS p JOIN pg_namespace AS n ON n.oid = p.pronamespace WHERE p.prokind <> 'a' AND {own}"
    )
}

/// Ordinary aggregates have a statement. Ordered-set and moving aggregates have none: they have too many parts.
fn aggregates() -> String {
    let (name, own) = (identity("pg_proc", "p.oid"), own("pg_proc", "p"));
    format!(
        "SELECT 'pg_proc'::text, p.oid, n.nspname::text, 'aggregate'::text, {name}, NULL::text, false,
            CASE WHEN a.aggkind = 'n' AND a.aggmtransfn = 0 AND a.aggserialfn = 0 AND a.aggsortop = 0 THEN
                format('CREATE AGGREGATE %I.%I(%s) (SFUNC = %s, STYPE = %s%s%s%s%s)', n.nspname, p.proname,
                    CASE WHEN p.pronargs = 0 THEN '*' ELSE pg_get_function_arguments(p.oid) END,
                    a.aggtransfn, format_type(a.aggtranstype, NULL),
                    CASE WHEN a.aggfinalfn <> 0 THEN ', FINALFUNC = ' || a.aggfinalfn END,
                    CASE WHEN a.aggfinalextra THEN ', FINALFUNC_EXTRA' END,
                    CASE WHEN a.aggcombinefn <> 0 THEN ', COMBINEFUNC = ' || a.aggcombinefn END,
                    ', INITCOND = ' || quote_literal(a.agginitval)) END
         FROM pg_proc AS p JOIN pg_namespace AS n ON n.oid = p.pronamespace JOIN pg_aggregate AS a ON a.aggfnoid = p.oid
         WHERE {own}"
    )
}

fn operators() -> String {
    let (name, own) = (identity("pg_operator", "o.oid"), own("pg_operator", "o"));
    let other = |column: &str| {
        format!(
            "(SELECT format('OPERATOR(%I.%s)', m.nspname, q.oprname) FROM pg_operator AS q
              JOIN pg_namespace AS m ON m.oid = q.oprnamespace WHERE q.oid = o.{column})"
        )
    };
    let (commutator, negator) = (other("oprcom"), other("oprnegate"));
    format!(
        "SELECT 'pg_operator'::text, o.oid, n.nspname::text, 'operator'::text, {name}, NULL::text, false,
            CASE WHEN o.oprcode <> 0 THEN format('CREATE OPERATOR %I.%s (FUNCTION = %s%s%s%s%s%s%s%s%s)',
                n.nspname, o.oprname, o.oprcode,
                CASE WHEN o.oprleft <> 0 THEN ', LEFTARG = ' || format_type(o.oprleft, NULL) END,
                CASE WHEN o.oprright <> 0 THEN ', RIGHTARG = ' || format_type(o.oprright, NULL) END,
                ', COMMUTATOR = ' || {commutator}, ', NEGATOR = ' || {negator},
                CASE WHEN o.oprrest <> 0 THEN ', RESTRICT = ' || o.oprrest END,
                CASE WHEN o.oprjoin <> 0 THEN ', JOIN = ' || o.oprjoin END,
                CASE WHEN o.oprcanhash THEN ', HASHES' END, CASE WHEN o.oprcanmerge THEN ', MERGES' END) END
         FROM pg_operator AS o JOIN pg_namespace AS n ON n.oid = o.oprnamespace WHERE {own}"
    )
}

fn casts() -> String {
    let (name, own) = (identity("pg_cast", "c.oid"), own("pg_cast", "c"));
    format!(
        "SELECT 'pg_cast'::text, c.oid, NULL::text, 'cast'::text, {name}, NULL::text, false,
            format('CREATE CAST (%s AS %s) %s%s', format_type(c.castsource, NULL), format_type(c.casttarget, NULL),
                CASE c.castmethod WHEN 'f' THEN 'WITH FUNCTION ' || c.castfunc::regprocedure
                    WHEN 'i' THEN 'WITH INOUT' ELSE 'WITHOUT FUNCTION' END,
                CASE c.castcontext WHEN 'a' THEN ' AS ASSIGNMENT' WHEN 'i' THEN ' AS IMPLICIT' END)
         FROM pg_cast AS c WHERE {own}"
    )
}

/// Read from the view, which every role may read.
fn user_mappings() -> String {
    "SELECT 'pg_user_mapping'::text, u.umid, NULL::text, 'user mapping'::text, format('%s on %s', u.usename, u.srvname),
        NULL::text, true, NULL::text
     FROM pg_user_mappings AS u WHERE u.umid >= 16384"
        .to_owned()
}

/// Only the name is read: the connection string is a secret, and old servers do not let every role read the other
/// columns.
fn subscriptions() -> String {
    "SELECT 'pg_subscription'::text, 0::oid, NULL::text, 'subscription'::text, quote_ident(o.subname), NULL::text, true,
        NULL::text
     FROM pg_subscription AS o JOIN pg_database AS d ON d.oid = o.subdbid WHERE d.datname = current_database()"
        .to_owned()
}

fn event_triggers() -> String {
    let own = own("pg_event_trigger", "e");
    format!(
        "SELECT 'pg_event_trigger'::text, e.oid, NULL::text, 'event trigger'::text, quote_ident(e.evtname), NULL::text, true,
            format('CREATE EVENT TRIGGER %I ON %s%s EXECUTE FUNCTION %s()', e.evtname, e.evtevent,
                (SELECT format(' WHEN TAG IN (%s)', string_agg(quote_literal(tag), ', ')) FROM unnest(e.evttags) AS tag
                 HAVING count(*) > 0), e.evtfoid::regproc)
         FROM pg_event_trigger AS e WHERE {own}"
    )
}
