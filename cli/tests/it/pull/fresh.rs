//! A fresh database from what `db pull` wrote: the schema, and the SQL for everything else.

use relata_devdb::Feature;

use super::{db, has, pull, words};
use crate::support::{Output, database, query, server};

/// Pulls with a file of SQL and makes another database of that; gives what the second and the first answer to a query.
#[track_caller]
fn made_again(sql: &str, args: &[&str], question: &str) -> (Output, [String; 2]) {
    let (project, database, output) = pull(sql, &[args, &["--with-sql", "extra.sql"]].concat());
    db(&project, &database, &["pull", "--check"]).exits(0);
    let fresh = crate::support::database("pull_again");
    db(&project, &fresh, &["execute", "extra.sql"]).exits(0);
    db(&project, &fresh, &["push"]).exits(0);
    if project.path("extra.after.sql").exists() {
        db(&project, &fresh, &["execute", "extra.after.sql"]).exits(0);
    }
    let compare = ["migrate-diff", "--from-url", fresh.url(), "--to-schema", "schema.dsl", "--exit-code"];
    project.run(&compare).exits(0);
    (output, [&database, &fresh].map(|database| format!("{:?}", query(database, question))))
}

const DEFAULTS: &str = "SELECT coalesce(string_agg(pg_get_expr(adbin, adrelid), ' ' ORDER BY adrelid::regclass::text, adnum), '')
    || ' ' || (SELECT string_agg(concat_ws(' ', s.*), ',' ORDER BY s.sequencename) FROM pg_sequences AS s) FROM pg_attrdef";

/// What columns, defaults and indexes use comes with the schema or in a file, so that another database can be made.
#[test]
fn a_fresh_database_can_be_made_of_what_was_pulled() {
    if server().skips_without(&[Feature::Extensions]) {
        return;
    }
    let (project, database, output) = pull(
        "CREATE EXTENSION citext; CREATE EXTENSION pg_trgm; CREATE EXTENSION \"uuid-ossp\"; CREATE EXTENSION btree_gin;
         CREATE EXTENSION ltree; CREATE DOMAIN amount AS numeric(10, 2) CHECK (VALUE >= 0);
         CREATE FUNCTION twice(int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT $1 * 2';
         CREATE SEQUENCE numbers; CREATE TYPE pair AS (a int, b amount); CREATE COLLATION plain (LOCALE = 'C');
         CREATE TABLE t (id uuid PRIMARY KEY DEFAULT uuid_generate_v4(), name citext UNIQUE, words text, n int DEFAULT twice(2),
            price amount DEFAULT 1, code text DEFAULT 'T' || nextval('numbers'), p pair, sorted text COLLATE plain, many citext[]);
         CREATE INDEX ON t USING gin (words gin_trgm_ops); CREATE INDEX ON t USING gin (n);
         CREATE VIEW named AS SELECT name FROM t; CREATE VIEW of_named AS SELECT * FROM named;
         CREATE FUNCTION stamp() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
         CREATE TRIGGER stamp BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION stamp();
         COMMENT ON TABLE t IS 'It''s t.'; CREATE POLICY p ON t USING (n > 0)",
        &["--with-sql", "sql/extra.sql"],
    );
    output.says("extension that nothing in the schema uses: ltree").says("view: public.named; public.of_named");
    let schema = words(&project);
    has(&schema, "uuid_ossp(map: \"uuid-ossp\")");
    for name in ["citext", "pg_trgm", "btree_gin"] {
        has(schema.split("extensions = [").nth(1).and_then(|rest| rest.split(']').next()).expect("a list"), name);
    }
    let before = project.read("sql/extra.sql");
    for statement in
        ["CREATE DOMAIN public.amount", "CREATE TYPE public.pair", "FUNCTION public.twice", "public.numbers"]
    {
        has(&before, statement);
    }
    assert!(
        !before.contains("CREATE VIEW") && before.find("DOMAIN public.amount") < before.find("TYPE public.pair"),
        "{before}"
    );

    let fresh = crate::support::database("pull_fresh");
    db(&project, &fresh, &["push"]).exits(1);
    db(&project, &fresh, &["execute", "sql/extra.sql"]).exits(0);
    db(&project, &fresh, &["push"]).exits(0);
    db(&project, &fresh, &["execute", "sql/extra.after.sql"]).exits(0);
    let compare = ["migrate-diff", "--from-url", fresh.url(), "--to-schema", "schema.dsl", "--exit-code"];
    project.run(&compare).exits(0);
    let between = ["migrate-diff", "--from-url", database.url(), "--to-url", fresh.url()];
    project.run(&between).exits(0).hides("VIEW").hides("COMMENT ON TABLE");
}

/// Sequences, with the columns that own them.
const OWNERS: &str = "SELECT string_agg(concat_ws(' ', s.oid::regclass, o.refobjid::regclass, o.refobjsubid), ';' ORDER BY s.oid::regclass::text)
    FROM pg_class AS s LEFT JOIN pg_depend AS o ON o.classid = 'pg_class'::regclass AND o.objid = s.oid AND o.deptype = 'a'
    WHERE s.relkind = 'S'";

#[test]
fn a_default_counts_with_the_same_sequence_in_a_fresh_database() {
    let (output, [here, there]) = made_again(
        "CREATE SEQUENCE a_seq; CREATE TABLE a (id bigint PRIMARY KEY DEFAULT nextval('a_seq'));
         CREATE TABLE b (id int PRIMARY KEY DEFAULT nextval('a_seq'));
         CREATE SEQUENCE lots; CREATE TABLE c (id text PRIMARY KEY DEFAULT nextval('lots'));
         CREATE DOMAIN positive AS bigint CHECK (VALUE > 0);
         CREATE TABLE d (id serial PRIMARY KEY, k int UNIQUE NOT NULL); ALTER TABLE d ALTER id TYPE positive;
         CREATE TABLE e (id serial PRIMARY KEY, f text DEFAULT 'x' || nextval('lots'));
         CREATE SEQUENCE g_id_seq CACHE 3; CREATE TABLE g (id int PRIMARY KEY DEFAULT nextval('g_id_seq'));
         CREATE TABLE h (id serial PRIMARY KEY); ALTER TABLE h ALTER id SET DEFAULT nextval('a_seq');
         CREATE SEQUENCE late; CREATE TABLE i (id int PRIMARY KEY DEFAULT nextval('late'::text));
         CREATE SEQUENCE j_id_seq INCREMENT -1; CREATE TABLE j (id bigint PRIMARY KEY DEFAULT nextval('j_id_seq'));
         CREATE SEQUENCE k_id_seq MINVALUE 100; CREATE TABLE k (id bigint PRIMARY KEY DEFAULT nextval('k_id_seq'));
         CREATE TABLE l (id int PRIMARY KEY); CREATE SEQUENCE \"Of l\" OWNED BY l.id; ALTER TABLE l ALTER id SET DEFAULT nextval('\"Of l\"');
         CREATE TABLE m (id serial PRIMARY KEY, l bigint NOT NULL DEFAULT nextval('\"Of l\"'), n text DEFAULT 'n' || nextval('\"Of l\"'));
         CREATE TABLE o (id int PRIMARY KEY DEFAULT nextval('m_id_seq'), p text DEFAULT 'p' || nextval('m_id_seq'))",
        &[],
        &format!("SELECT concat(({DEFAULTS}), ({OWNERS}))"),
    );
    assert_eq!(here, there);
    assert!(here.contains("Of l"), "{here}");
    output
        .says("public.a.id (nextval('public.a_seq'::regclass))")
        .says("public.c.id (nextval('public.lots'::regclass))")
        .hides("public.d.id")
        .says("public.i.id (nextval(('late'::text)::regclass))")
        .hides("public.e.");
}

/// Prisma made them so before its version 6.
#[test]
fn a_join_table_with_a_unique_index_in_place_of_its_key_stays_as_it_is() {
    let join = |name: &str, index: &str| {
        format!(
            "CREATE TABLE \"{name}\" (\"A\" int NOT NULL REFERENCES \"Left\" ON UPDATE CASCADE ON DELETE CASCADE,
                \"B\" int NOT NULL REFERENCES \"Right\" ON UPDATE CASCADE ON DELETE CASCADE); {index}
             CREATE INDEX \"{name}_B_index\" ON \"{name}\" (\"B\");"
        )
    };
    let unique = "CREATE UNIQUE INDEX \"_LeftToRight_AB_unique\" ON \"_LeftToRight\" (\"A\", \"B\");";
    let (output, [here, there]) = made_again(
        &format!(
            "CREATE TABLE \"Left\" (id int PRIMARY KEY); CREATE TABLE \"Right\" (id int PRIMARY KEY); {} {}",
            join("_LeftToRight", unique),
            // Without any key it is a table like others.
            join("_Keyless", "")
        ),
        &[],
        "SELECT string_agg(indexdef, ';' ORDER BY indexname) FROM pg_indexes WHERE schemaname = 'public'",
    );
    assert_eq!(here, there);
    output
        .says("join table without a primary key: public.\"_LeftToRight\"")
        .hides("cannot express this: + primary key");
}

/// The model says the unique index itself.
#[test]
fn a_join_table_that_is_a_model_lacks_nothing() {
    let (output, [here, there]) = made_again(
        "CREATE TABLE \"Left\" (id int PRIMARY KEY); CREATE TABLE \"Right\" (id int, n int, PRIMARY KEY (id, n), UNIQUE (id));
         CREATE TABLE \"_LeftToRight\" (\"A\" int NOT NULL REFERENCES \"Left\" ON UPDATE CASCADE ON DELETE CASCADE,
            \"B\" int NOT NULL REFERENCES \"Right\" (id) ON UPDATE CASCADE ON DELETE CASCADE);
         CREATE UNIQUE INDEX \"_LeftToRight_AB_unique\" ON \"_LeftToRight\" (\"A\", \"B\");
         CREATE INDEX \"_LeftToRight_B_index\" ON \"_LeftToRight\" (\"B\")",
        &[],
        "SELECT string_agg(indexdef, ';' ORDER BY indexname) FROM pg_indexes WHERE schemaname = 'public'",
    );
    assert_eq!(here, there);
    output.hides("join table");
}

#[test]
fn a_sequence_that_counts_less_or_otherwise_is_told_and_made_again() {
    let (output, [here, there]) = made_again(
        "CREATE TABLE narrow (id serial PRIMARY KEY); ALTER TABLE narrow ALTER id TYPE bigint;
         CREATE TABLE most (id bigserial PRIMARY KEY); ALTER SEQUENCE most_id_seq MAXVALUE 9007199254740991 CACHE 7;
         ALTER SEQUENCE most_id_seq RENAME TO \"it's most\";
         CREATE TABLE back (id bigserial PRIMARY KEY); ALTER SEQUENCE back_id_seq INCREMENT -1 MINVALUE -9 MAXVALUE -1 START -1 RESTART; CREATE TABLE plain (id serial PRIMARY KEY)",
        &[],
        "SELECT string_agg(concat_ws(' ', data_type, max_value, cache_size), ',' ORDER BY max_value, cache_size) FROM pg_sequences",
    );
    assert_eq!(here, there);
    output.says("public.narrow_id_seq (AS integer").says("MAXVALUE 9007199254740991").hides("plain");
}

#[test]
fn how_columns_are_stored_is_told_and_made_again() {
    // PostgreSQL 13 compresses all columns alike.
    let compresses = "SELECT current_setting('server_version_num')::int >= 140000";
    let compresses = query(&crate::support::database("pull_version"), compresses) == ["t"];
    let compression = if compresses { "ALTER TABLE t ALTER b SET COMPRESSION pglz;" } else { "" };
    let tables = format!(
        "CREATE TABLE t (id int PRIMARY KEY, a text, b text, c int, d int); {compression}
         ALTER TABLE t ALTER a SET STORAGE EXTERNAL, ALTER c SET STATISTICS 7,
            ALTER d SET (n_distinct = 5); CREATE INDEX exp ON t ((c + 1)); ALTER INDEX exp ALTER COLUMN 1 SET STATISTICS 9;
         ALTER TABLE t FORCE ROW LEVEL SECURITY; CREATE STATISTICS s ON a, b FROM t; ALTER STATISTICS s SET STATISTICS 3;
         ALTER TABLE t SET (fillfactor = 80, toast.autovacuum_enabled = off); CREATE INDEX filled ON t (d) WITH (fillfactor = 60)"
    );
    let (output, [here, there]) = made_again(
        &tables,
        &[],
        "SELECT concat(string_agg(concat_ws(' ', attname, attstorage, to_jsonb(a) ->> 'attcompression', attstattarget, ARRAY(SELECT o FROM unnest(attoptions) AS o WHERE o NOT LIKE 'pg\\_attver=%')), ',' ORDER BY attnum),
            (SELECT relforcerowsecurity FROM pg_class WHERE oid = 't'::regclass), (SELECT stxstattarget FROM pg_statistic_ext),
            (SELECT string_agg(array_to_string(o.reloptions, ' '), ',' ORDER BY o.relkind) FROM pg_class AS c JOIN pg_class AS o
             ON o.oid IN (c.oid, c.reltoastrelid, 'filled'::regclass) WHERE c.oid = 't'::regclass AND o.reloptions IS NOT NULL))
         FROM pg_attribute AS a WHERE attrelid = 't'::regclass AND attnum > 0",
    );
    assert_eq!(here, there);
    let output = if compresses { output.says("column with a compression: public.t.b (pglz)") } else { output };
    output
        .says("column with a storage of its own: public.t.a (EXTERNAL)")
        .says("column with a statistics target: public.t.c (7)")
        .says("column with options: public.t.d (n_distinct=5)")
        .says("index with a statistics target: exp on public.t")
        .hides("storage parameters")
        .says("row-level security: public.t (FORCE)");
}

/// Migrations leave a sequence alone if the column that owns it does not use it as its default.
#[test]
fn a_sequence_that_its_column_does_not_use_stays() {
    let (project, database, output) = pull(
        "CREATE TABLE a (id int PRIMARY KEY, n bigserial); ALTER TABLE a ALTER n DROP DEFAULT;
         CREATE TABLE b (id int PRIMARY KEY, n int); CREATE TABLE c (id int PRIMARY KEY, n bigint);
         CREATE SEQUENCE s OWNED BY b.n; ALTER TABLE c ALTER n SET DEFAULT nextval('s');
         CREATE TABLE d (id int PRIMARY KEY, n bigserial); ALTER TABLE d ALTER n SET DEFAULT 5;
         CREATE TABLE e (id int PRIMARY KEY, n bigserial); CREATE SEQUENCE spare OWNED BY e.n",
        &["--with-sql", "extra.sql"],
    );
    output.hides("- sequence").says("sequence that a column owns").says("public.spare (public.e.n)");
    project.run(&["migrate-diff", "--from-url", database.url(), "--to-schema", "schema.dsl", "--exit-code"]).exits(0);
    db(&project, &database, &["push"]).exits(0).says("already");
    let fresh = crate::support::database("pull_again");
    db(&project, &fresh, &["execute", "extra.sql"]).exits(0);
    db(&project, &fresh, &["push"]).exits(0);
    db(&project, &fresh, &["execute", "extra.after.sql"]).exits(0);
    assert_eq!(query(&fresh, OWNERS), query(&database, OWNERS));
}

/// The collation of an indexed expression is part of the expression. An index of a partitioned table that its partitions
/// do not all have yet stays, and is told.
#[test]
fn indexes_keep_collations_and_partitions() {
    let (output, [here, there]) = made_again(
        "CREATE TABLE t (id int PRIMARY KEY, n text NOT NULL, c text COLLATE \"C\"); CREATE INDEX i ON t (lower(n) COLLATE \"C\");
         CREATE UNIQUE INDEX u ON t ((n || 'x') COLLATE \"C\" DESC, id); CREATE INDEX own ON t (lower(c))",
        &[],
        "SELECT string_agg(indexdef, ';' ORDER BY indexname) FROM pg_indexes WHERE schemaname = 'public' AND indexname <> 'own'",
    );
    assert_eq!(here, there);
    output.hides(" i on ").hides(" u on ");
    let (project, database, output) = pull(
        "CREATE TABLE p (id int, m jsonb, PRIMARY KEY (id)) PARTITION BY RANGE (id);
         CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (10); CREATE INDEX p_m ON ONLY p (m)",
        &[],
    );
    output.says("index that is not valid: p_m on public.p");
    project.run(&["migrate-diff", "--from-url", database.url(), "--to-schema", "schema.dsl", "--exit-code"]).exits(0);
}

/// Bodies of functions call functions of extensions, which PostgreSQL does not record.
#[test]
fn extensions_that_only_functions_call_are_created() {
    if server().skips_without(&[Feature::Extensions]) {
        return;
    }
    let (project, _, output) = pull(
        "CREATE EXTENSION pgcrypto; CREATE EXTENSION citext; CREATE TABLE t (id int PRIMARY KEY, h text);
             CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS
             $$ BEGIN NEW.h := encode(public.digest('a', 'sha1'), 'hex'); RETURN NEW; END $$;
             CREATE TRIGGER g BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION f()",
        &["--with-sql", "extra.sql"],
    );
    output.says("extension that nothing in the schema uses: citext").hides("pgcrypto");
    let fresh = crate::support::database("pull_again");
    db(&project, &fresh, &["execute", "extra.sql"]).exits(0);
    db(&project, &fresh, &["push"]).exits(0);
    db(&project, &fresh, &["execute", "extra.after.sql"]).exits(0);
    assert_eq!(query(&fresh, "INSERT INTO t VALUES (1) RETURNING length(h)"), ["40"]);
}

/// Migrations create the schema of an extension. Only the search path leads to its types and operators.
#[test]
fn extensions_in_a_schema_of_their_own_need_the_search_path() {
    if server().skips_without(&[Feature::Extensions]) {
        return;
    }
    let on_path = |database: &relata_devdb::TestDatabase| {
        let set =
            "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET search_path = public, ext', current_database()); END $$";
        query(database, set);
    };
    let (project, database, output) = pull(
        "CREATE SCHEMA ext; CREATE EXTENSION citext SCHEMA ext; CREATE EXTENSION pg_trgm SCHEMA ext;
         CREATE TABLE t (id int PRIMARY KEY, a ext.citext, b text); CREATE INDEX ON t USING gin (b ext.gin_trgm_ops)",
        &[],
    );
    output
        .says("citext, pg_trgm are in the schema ext, which is not on the search path")
        .says("search_path = \"public\", \"ext\"");
    on_path(&database);
    db(&project, &database, &["pull", "--check"]).exits(0).hides("search path");
    let fresh = crate::support::database("pull_extensions");
    db(&project, &fresh, &["push"]).exits(1).says("type \"citext\" does not exist");
    on_path(&fresh);
    db(&project, &fresh, &["push"]).exits(0);
    project.run(&["migrate-diff", "--from-url", fresh.url(), "--to-schema", "schema.dsl", "--exit-code"]).exits(0);
}

/// Objects of the database as a whole are told, unless an extension brings them.
#[test]
fn what_belongs_to_no_schema_is_told() {
    if server().skips_without(&[Feature::Extensions]) {
        return;
    }
    let (_, _, output) = pull(
        "CREATE EXTENSION citext; CREATE EXTENSION postgres_fdw; CREATE TABLE t (id int PRIMARY KEY, a citext);
         CREATE LANGUAGE own HANDLER plpgsql_call_handler; CREATE FOREIGN DATA WRAPPER wrap;
         CREATE SERVER srv FOREIGN DATA WRAPPER wrap; CREATE USER MAPPING FOR PUBLIC SERVER srv;
         CREATE FUNCTION ev() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';
         CREATE EVENT TRIGGER evt ON ddl_command_end EXECUTE FUNCTION ev(); CREATE PUBLICATION pub FOR TABLE t;
         CREATE ACCESS METHOD am TYPE TABLE HANDLER heap_tableam_handler",
        &[],
    );
    output
        .says("language: own")
        .says("foreign-data wrapper: wrap")
        .says("foreign server: srv")
        .says("user mapping: public on srv")
        .says("event trigger: evt")
        .says("publication: pub")
        .says("access method: am")
        .says("extension that nothing in the schema uses: postgres_fdw")
        .hides("citext_eq")
        .hides("plpgsql");
}

#[test]
fn schemas_without_tables_are_told_and_functions_of_other_schemas_come_along() {
    let (output, [here, there]) = made_again(
        "CREATE SCHEMA info; CREATE VIEW info.v AS SELECT 1 AS a; CREATE SCHEMA m;
         CREATE FUNCTION info.inner(text) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT lower($1)';
         CREATE FUNCTION info.another(text) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT lower($1)';
         CREATE FUNCTION m.outer(text) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT info.inner ($1)';
         CREATE TABLE m.t (id int PRIMARY KEY, a text); CREATE INDEX ON m.t (m.outer(a));
         SET search_path = m; CREATE FUNCTION m.of_row(m.t) RETURNS void LANGUAGE plpgsql AS 'DECLARE x t; BEGIN END'",
        &["--schemas", "m"],
        "SELECT string_agg(proname, ',' ORDER BY proname) FROM pg_proc WHERE oid >= 16384 AND proname <> 'another'",
    );
    assert_eq!(here, there);
    output
        .says("the schema info (no tables) is not pulled; --schemas m,info also pulls it")
        .says("function: info.\"inner\"(pg_catalog.text); m.\"outer\"(pg_catalog.text); m.of_row(m.t)")
        .hides("another")
        .hides("the schema public");
}

#[test]
fn unlogged_tables_become_so_in_an_order_that_works() {
    let (output, [_, there]) = made_again(
        "CREATE UNLOGGED TABLE a (id int PRIMARY KEY, a int REFERENCES a); CREATE UNLOGGED TABLE b (id int PRIMARY KEY REFERENCES a);
         CREATE UNLOGGED TABLE c (id int PRIMARY KEY REFERENCES b); CREATE UNLOGGED TABLE below (id int PRIMARY KEY);
         CREATE UNLOGGED TABLE x (id int PRIMARY KEY REFERENCES below); CREATE UNLOGGED TABLE y (id int PRIMARY KEY REFERENCES x);
         ALTER TABLE x ADD FOREIGN KEY (id) REFERENCES y",
        &[],
        "SELECT string_agg(relname, ' ' ORDER BY relname) FROM pg_class WHERE relkind = 'r' AND relpersistence = 'u'",
    );
    assert_eq!(there, "[\"a b below c x y\"]");
    output.hides("unlogged");
}

#[test]
fn domains_and_ranges_are_made_again_with_all_that_they_have() {
    let (project, _, _) = pull(
        "CREATE DOMAIN d AS int; ALTER DOMAIN d ADD CONSTRAINT positive CHECK (VALUE > 0) NOT VALID;
         CREATE TYPE r AS RANGE (subtype = float8); CREATE TABLE t (id int PRIMARY KEY, d d, r r)",
        &["--with-sql", "extra.sql"],
    );
    let fresh = database("pull_fresh");
    db(&project, &fresh, &["execute", "extra.sql"]).exits(0);
    db(&project, &fresh, &["push"]).exits(0);
    let checked = query(&fresh, "SELECT convalidated::text FROM pg_constraint WHERE conname = 'positive'");
    assert_eq!(checked, ["false"]);
}

#[test]
fn a_moment_without_a_time_zone_stays_one() {
    let sql = "CREATE TABLE t (id int PRIMARY KEY, at timestamptz NOT NULL DEFAULT '1970-01-01 00:00:00'::timestamp)";
    let (_, [here, there]) = made_again(sql, &[], "SELECT pg_get_expr(adbin, adrelid) FROM pg_attrdef");
    assert_eq!(here, there);
}
