//! Objects besides tables: views, functions, triggers, policies, extensions, comments.

use super::sketch::Sketch;

pub(super) fn views(s: &mut Sketch) {
    let (table, view, materialized, second) = (s.quoted(), s.quoted(), s.quoted(), s.quoted());
    s.run(&format!("CREATE TABLE {table} (id int PRIMARY KEY, a text)"));
    s.run(&format!("CREATE VIEW {view} WITH (security_barrier) AS SELECT id, a AS \"x y\" FROM {table}"));
    s.run(&format!(
        "CREATE MATERIALIZED VIEW {materialized} AS SELECT * FROM {view}; CREATE UNIQUE INDEX ON {materialized} (id)"
    ));
    s.run(&format!("CREATE VIEW {second} AS SELECT count(*) AS n FROM {materialized}"));
    for name in [&view, &materialized, &second] {
        s.tell(name);
    }
}

pub(super) fn functions(s: &mut Sketch) {
    let (inner, outer, procedure, aggregate, table) = (s.quoted(), s.quoted(), s.quoted(), s.quoted(), s.quoted());
    s.run(&format!("CREATE FUNCTION {inner}(a int DEFAULT 1) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT $1 + 1'"));
    s.run(&format!(
        "CREATE FUNCTION {outer}() RETURNS text LANGUAGE plpgsql AS $f$BEGIN RETURN 'it''s' || {inner}(); END$f$"
    ));
    s.run(&format!("CREATE PROCEDURE {procedure}(INOUT a int) LANGUAGE plpgsql AS 'BEGIN a := 1; END'"));
    s.run(&format!("CREATE AGGREGATE {aggregate}(int) (SFUNC = int4pl, STYPE = int, INITCOND = '0')"));
    let domain = s.quoted();
    s.run(&format!("CREATE DOMAIN {domain} AS int CHECK ({inner}(VALUE) > 0)"));
    s.run(&format!(
        "CREATE TABLE {table} (id int PRIMARY KEY DEFAULT {inner}(5), t text DEFAULT {outer}(), d {domain}, CHECK ({inner}(id) > 0),
         g int GENERATED ALWAYS AS ({inner}(id)) STORED); CREATE INDEX ON {table} (({inner}(id)))"
    ));
    let (row, operator) = (s.quoted(), format!("#+{}", "#".repeat(s.random.below(3))));
    s.run(&format!("CREATE FUNCTION {row}({table}) RETURNS int LANGUAGE sql AS 'SELECT 1'"));
    if s.used.insert(operator.clone()) {
        s.run(&format!(
            "CREATE OPERATOR {operator} (FUNCTION = int4pl, LEFTARG = int, RIGHTARG = int, COMMUTATOR = {operator})"
        ));
        s.tell(&operator);
    }
    for name in [&inner, &outer, &procedure, &aggregate, &domain, &row] {
        s.tell(name);
    }
}

pub(super) fn triggers_and_rules(s: &mut Sketch) {
    let (table, function, trigger, rule, event, events) =
        (s.quoted(), s.quoted(), s.quoted(), s.quoted(), s.quoted(), s.quoted());
    s.run(&format!("CREATE TABLE {table} (id int PRIMARY KEY, a int)"));
    s.run(&format!("CREATE FUNCTION {function}() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'"));
    s.run(&format!(
        "CREATE TRIGGER {trigger} BEFORE UPDATE OF a ON {table} FOR EACH ROW EXECUTE FUNCTION {function}()"
    ));
    s.run(&format!("ALTER TABLE {table} DISABLE TRIGGER {trigger}"));
    s.run(&format!("CREATE RULE {rule} AS ON DELETE TO {table} DO INSTEAD NOTHING"));
    s.run(&format!("CREATE FUNCTION {events}() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END'"));
    s.run(&format!(
        "CREATE EVENT TRIGGER {event} ON ddl_command_end WHEN TAG IN ('DROP TABLE') EXECUTE FUNCTION {events}()"
    ));
    for name in [&function, &trigger, &rule, &event, &events] {
        s.tell(name);
    }
}

pub(super) fn security(s: &mut Sketch) {
    let (table, policy) = (s.quoted(), s.quoted());
    s.run(&format!("CREATE TABLE {table} (id int PRIMARY KEY, a int)"));
    s.run(&format!("ALTER TABLE {table} ENABLE ROW LEVEL SECURITY; ALTER TABLE {table} FORCE ROW LEVEL SECURITY"));
    s.run(&format!(
        "CREATE POLICY {policy} ON {table} AS RESTRICTIVE FOR UPDATE TO PUBLIC USING (a > 0) WITH CHECK (a > 1)"
    ));
    s.run(&format!("GRANT SELECT ON {table} TO PUBLIC; GRANT UPDATE (a) ON {table} TO PUBLIC"));
    s.run("ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT ON TABLES TO PUBLIC");
    s.tell(&table);
    s.tell(&policy);
    s.tell("default privileges");
}

pub(super) fn extensions(s: &mut Sketch) {
    let table = s.quoted();
    s.run("CREATE EXTENSION IF NOT EXISTS citext; CREATE EXTENSION IF NOT EXISTS pg_trgm; CREATE EXTENSION IF NOT EXISTS btree_gin");
    s.run("CREATE EXTENSION IF NOT EXISTS \"uuid-ossp\"; CREATE EXTENSION IF NOT EXISTS ltree; CREATE EXTENSION IF NOT EXISTS bloom");
    s.run("CREATE EXTENSION IF NOT EXISTS btree_gist; CREATE EXTENSION IF NOT EXISTS fuzzystrmatch");
    s.run(&format!(
        "CREATE TABLE {table} (id uuid PRIMARY KEY DEFAULT uuid_generate_v4(), a citext UNIQUE, b text, c int, d ltree, e citext[], f date)"
    ));
    let (bloom, gist) = (s.quoted(), s.quoted());
    s.run(&format!(
        "CREATE INDEX ON {table} USING gin (b gin_trgm_ops); CREATE INDEX ON {table} USING gin (c, b gin_trgm_ops)"
    ));
    s.run(&format!(
        "CREATE INDEX {bloom} ON {table} USING bloom (c); CREATE INDEX {gist} ON {table} USING gist (c, f)"
    ));
    s.run(&format!("CREATE INDEX ON {table} USING gist (b gist_trgm_ops(siglen = 32))"));
    s.tell(&bloom);
    s.tell("fuzzystrmatch");
}

pub(super) fn text_search(s: &mut Sketch) {
    let (configuration, dictionary, collation, table) = (s.quoted(), s.quoted(), s.quoted(), s.quoted());
    s.run(&format!("CREATE TEXT SEARCH DICTIONARY {dictionary} (TEMPLATE = simple, STOPWORDS = english)"));
    s.run(&format!("CREATE TEXT SEARCH CONFIGURATION {configuration} (COPY = simple)"));
    s.run(&format!("ALTER TEXT SEARCH CONFIGURATION {configuration} ALTER MAPPING FOR asciiword WITH {dictionary}"));
    s.run(&format!("CREATE COLLATION {collation} (LOCALE = 'C')"));
    s.run(&format!("CREATE TABLE {table} (id int PRIMARY KEY, t text COLLATE {collation}, v tsvector)"));
    s.run(&format!("CREATE INDEX ON {table} USING gin (v)"));
    for name in [&configuration, &dictionary, &collation] {
        s.tell(name);
    }
}

pub(super) fn foreign_data(s: &mut Sketch) {
    let (wrapper, server, table, publication) = (s.quoted(), s.quoted(), s.quoted(), s.quoted());
    s.run(&format!("CREATE FOREIGN DATA WRAPPER {wrapper}; CREATE SERVER {server} FOREIGN DATA WRAPPER {wrapper}"));
    s.run(&format!(
        "CREATE USER MAPPING FOR PUBLIC SERVER {server}; CREATE FOREIGN TABLE {table} (a int) SERVER {server}"
    ));
    s.run(&format!("CREATE PUBLICATION {publication}"));
    for name in [&wrapper, &server, &table, &publication] {
        s.tell(name);
    }
}

pub(super) fn other_schemas(s: &mut Sketch) {
    let (schema, ty, inside, outside, function, key) =
        (s.quoted(), s.quoted(), s.quoted(), s.quoted(), s.quoted(), s.quoted());
    s.run(&format!("CREATE SCHEMA {schema}; CREATE TYPE {schema}.{ty} AS ENUM ('a'); CREATE TABLE {schema}.{inside} (id int PRIMARY KEY)"));
    s.run(&format!("CREATE FUNCTION {schema}.{function}() RETURNS int LANGUAGE sql AS 'SELECT 1'"));
    s.run(&format!(
        "CREATE TABLE {outside} (id int PRIMARY KEY, e {schema}.{ty} DEFAULT 'a', l {schema}.{ty}[] DEFAULT '{{}}', n int DEFAULT {schema}.{function}(),
         CONSTRAINT {key} FOREIGN KEY (n) REFERENCES {schema}.{inside})"
    ));
    for name in [&schema, &ty, &function, &key] {
        s.tell(name);
    }
}

pub(super) fn comments(s: &mut Sketch) {
    let (table, column) = (s.quoted(), s.quoted());
    s.run(&format!("CREATE TABLE {table} (id int CONSTRAINT pk_of_{0} PRIMARY KEY, {column} text)", s.used.len()));
    s.run(&format!(
        "COMMENT ON TABLE {table} IS E'*/ \" \\n // {{ it''s'; COMMENT ON COLUMN {table}.{column} IS '@@id'"
    ));
    s.run("COMMENT ON SCHEMA public IS 'x'");
    s.run(&format!("COMMENT ON CONSTRAINT pk_of_{} ON {table} IS 'the key'", s.used.len()));
    s.tell(&format!("table constraint pk_of_{} on public.{table}", s.used.len()));
}
