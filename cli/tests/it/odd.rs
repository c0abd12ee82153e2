//! Databases with every kind of object that PostgreSQL has, under odd names, chosen by a seed.
//!
//! Each is pulled. The schema must be one that `check` and `generate` take, from which the database does not differ, and
//! with which a fresh database can be made; and whatever it does not say must be named by a warning.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use crate::support::{Project, database, query};

/// Databases that a usual run of the tests makes; `scripts/odd-databases` makes more.
const CASES: u64 = 4;

/// The generator `splitmix64`: the same numbers for the same seed, on every machine.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next() % limit as u64).expect("below a usize")
    }
}

/// Names that are words of SQL, Rust or the language, need quotes, are not ASCII, or are no names elsewhere.
const NAMES: &[&str] = &[
    "users",
    "order",
    "select",
    "type",
    "class",
    "String",
    "Json",
    "model",
    "enum",
    "self",
    "Self",
    "crate",
    "async",
    "a b",
    "1_a",
    "2_a",
    "_x",
    "__",
    "_",
    "0",
    "42",
    "a-b",
    "a_b",
    "aB",
    "A_B",
    "x\"y",
    "it's",
    "back\\slash",
    "{brace}",
    "@at",
    "// note",
    "--",
    "/* */",
    "*/",
    "new\nline",
    "tab\there",
    "größe",
    "straße",
    "ключ",
    "表",
    "😀",
    "²",
    "é",
    "$1",
    "per%cent",
    "null",
    "true",
    "datasource",
    "Unsupported",
    "raw",
    "id",
    "query",
    "queries",
    "lib",
    "client",
    "a_name_that_is_as_long_as_postgresql_takes_it_and_not_a_byte_more",
    "BOOLEAN",
    "createdAt",
    "created_at",
    "fn",
];

/// A database that is being thought of.
struct Sketch {
    random: Random,
    /// The server's, as 150000.
    version: u32,
    used: BTreeSet<String>,
    sql: String,
    /// What has to be named by a warning.
    told: Vec<String>,
}

impl Sketch {
    /// A name that nothing has yet.
    fn name(&mut self) -> String {
        let odd = NAMES[self.random.below(NAMES.len())];
        let mut name = odd.chars().take(40).collect::<String>();
        while name.len() > 55 {
            name.pop();
        }
        // The whole name once, in its full length.
        if odd.len() <= 63 && self.used.insert(odd.to_owned()) {
            return odd.to_owned();
        }
        let number = self.used.len();
        name = format!("{name}{number}");
        self.used.insert(name.clone());
        name
    }

    /// The same in quotes.
    fn quoted(&mut self) -> String {
        let name = self.name();
        ident(&name)
    }

    fn run(&mut self, sql: &str) {
        let _ = writeln!(self.sql, "{sql};");
    }

    fn tell(&mut self, quoted: &str) {
        self.told.push(quoted.to_owned());
    }
}

fn ident(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

type Maker = fn(&mut Sketch);

const MAKERS: &[Maker] = &[
    plain_table,
    keyless_tables,
    types_and_defaults,
    enums,
    odd_types,
    foreign_keys,
    relations,
    join_tables,
    partitions,
    inheritance,
    views,
    functions,
    triggers_and_rules,
    security,
    columns_beyond,
    constraints_beyond,
    indexes,
    indexes_beyond,
    extensions,
    text_search,
    foreign_data,
    other_schemas,
    comments,
    sequences,
    names_that_become_one,
    strange_tables,
];

fn plain_table(s: &mut Sketch) {
    let (table, a, b) = (s.quoted(), s.quoted(), s.quoted());
    s.run(&format!("CREATE TABLE {table} (id serial PRIMARY KEY, {a} text NOT NULL UNIQUE, {b} int CHECK ({b} > 0))"));
}

fn keyless_tables(s: &mut Sketch) {
    let (parent, log, a, b) = (s.quoted(), s.quoted(), s.quoted(), s.quoted());
    s.run(&format!("CREATE TABLE {parent} (id int PRIMARY KEY)"));
    s.run(&format!("CREATE TABLE {log} ({a} int REFERENCES {parent}, line text)"));
    s.run(&format!("CREATE TABLE {b} (a int UNIQUE, b text)"));
    let (domain, c, d) = (s.quoted(), s.quoted(), s.quoted());
    s.run(&format!("CREATE DOMAIN {domain} AS varchar(20)"));
    s.run(&format!("CREATE TABLE {c} (p {domain} PRIMARY KEY, q text)"));
    s.run(&format!("CREATE TABLE {d} (p bpchar PRIMARY KEY, r {domain} REFERENCES {c})"));
    s.tell(&domain);
    let list = s.quoted();
    s.run(&format!("CREATE TABLE {list} (p int[] PRIMARY KEY)"));
    s.tell(&format!("{}_pkey", list.trim_matches('"').chars().take(20).collect::<String>()));
    s.told.pop();
}

fn types_and_defaults(s: &mut Sketch) {
    let table = s.quoted();
    let types = [
        ("int", "-1"),
        ("int", "1.5"),
        ("smallint", "'7'"),
        ("bigint", "9223372036854775807"),
        ("numeric", "'NaN'"),
        ("numeric(10, 2)", "1e3"),
        ("numeric(5)", "12"),
        ("real", "'Infinity'"),
        ("float8", "0.1"),
        ("money", "1"),
        ("text", "E'a\"b\\nc\\\\d'"),
        ("text", "''"),
        ("text", "upper('x')"),
        ("varchar(3)", "'é'"),
        ("char(2)", "'a'"),
        ("\"char\"", "'c'"),
        ("name", "'n'"),
        ("bytea", "'\\x00ff'"),
        ("bool", "true"),
        ("date", "'2020-02-02'"),
        ("date", "CURRENT_DATE"),
        ("timestamp", "now()"),
        ("timestamptz(3)", "CURRENT_TIMESTAMP"),
        ("time(0)", "'12:00'"),
        ("timetz", "LOCALTIME"),
        ("interval", "'1 day'"),
        ("interval day to second", "'1 day'"),
        ("json", "'{\"a\": [1]}'"),
        ("jsonb", "'null'"),
        ("uuid", "gen_random_uuid()"),
        ("inet", "'::1'"),
        ("cidr", "'10.0.0.0/8'"),
        ("macaddr", "NULL"),
        ("bit(3)", "B'101'"),
        ("varbit", "B'1'"),
        ("xml", "'<a/>'"),
        ("point", "'(1,2)'"),
        ("box", "NULL"),
        ("tsvector", "''"),
        ("int4range", "'[1,2)'"),
        ("oid", "1"),
        ("regclass", "NULL"),
        ("int[]", "'{}'"),
        ("int[][]", "'{{1},{2}}'"),
        ("text[]", "ARRAY['a,b', 'c\"d']"),
        ("text[]", "'{NULL}'"),
        ("pg_lsn", "NULL"),
        ("timestamp", "'infinity'"),
        ("timestamp", "date_trunc('day', now())"),
        ("oidvector", "''"),
    ];
    // PostgreSQL 15 came to know scales beyond the precision.
    let odd_scale = (s.version >= 150_000).then_some(("numeric(3,5)", "0.001"));
    let mut columns = Vec::new();
    for (ty, default) in types.into_iter().chain(odd_scale) {
        if s.random.below(3) > 0 {
            let name = s.quoted();
            columns.push(format!("{name} {ty} DEFAULT {default}"));
        }
    }
    s.run(&format!("CREATE TABLE {table} (pk int PRIMARY KEY, {})", columns.join(", ")));
}

fn enums(s: &mut Sketch) {
    let (size, empty, none, table) = (s.quoted(), s.quoted(), s.quoted(), s.quoted());
    s.run(&format!(
        "CREATE TYPE {size} AS ENUM ('1', '2', 'a b', 'a-b', 'A_B', 'draft', 'DRAFT', 'Self', 'x\"y', E'n\\nl', 'é')"
    ));
    s.run(&format!("CREATE TYPE {empty} AS ENUM ('', 'x')"));
    s.run(&format!("CREATE TYPE {none} AS ENUM ()"));
    s.run(&format!(
        "CREATE TABLE {table} (pk int PRIMARY KEY, a {size} DEFAULT 'a-b', b {size}[] DEFAULT '{{1,\"a b\"}}', c {empty} DEFAULT '',
         d {none}, e {empty}[], UNIQUE (a), UNIQUE (c))"
    ));
    s.tell(&empty);
    s.tell(&none);
}

fn odd_types(s: &mut Sketch) {
    let (domain, composite, range, table) = (s.quoted(), s.quoted(), s.quoted(), s.quoted());
    s.run(&format!("CREATE DOMAIN {domain} AS text DEFAULT 'd' NOT NULL CHECK (length(VALUE) > 0)"));
    s.run(&format!("CREATE TYPE {composite} AS (a int, \"b c\" {domain})"));
    s.run(&format!("CREATE TYPE {range} AS RANGE (SUBTYPE = float8, SUBTYPE_DIFF = float8mi)"));
    let lists = s.quoted();
    s.run(&format!("CREATE DOMAIN {lists} AS int[]"));
    s.run(&format!(
        "CREATE TABLE {table} (pk int PRIMARY KEY, l {domain}[] NOT NULL DEFAULT '{{}}', c {composite}, r {range} DEFAULT '[1,2)', d {lists})"
    ));
    for name in [&domain, &composite, &range, &lists, &format!("{table}.l")] {
        s.tell(name);
    }
}

fn foreign_keys(s: &mut Sketch) {
    let (parent, child, key, twice) = (s.quoted(), s.quoted(), s.quoted(), s.quoted());
    s.run(&format!("CREATE TABLE {parent} (id bigint PRIMARY KEY, a int, b int NOT NULL, UNIQUE (a, b))"));
    s.run(&format!(
        "CREATE TABLE {child} (id int PRIMARY KEY, p int, a int, b int NOT NULL, q bigint,
         CONSTRAINT {key} FOREIGN KEY (p) REFERENCES {parent}, FOREIGN KEY (a, b) REFERENCES {parent} (a, b) ON DELETE SET NULL,
         FOREIGN KEY (q) REFERENCES {parent}, CONSTRAINT {twice} FOREIGN KEY (q) REFERENCES {parent} ON DELETE CASCADE)"
    ));
    s.tell(&key);
}

fn relations(s: &mut Sketch) {
    let (node, one, author) = (s.quoted(), s.quoted(), s.quoted());
    s.run(&format!(
        "CREATE TABLE {node} (id int PRIMARY KEY, parent_id int REFERENCES {node}, parent int, next int UNIQUE REFERENCES {node},
         \"Id\" int)"
    ));
    s.run(
        &format!(
            "CREATE TABLE {one} (id int PRIMARY KEY REFERENCES {node}, {author}_id int NOT NULL REFERENCES {node},
         {author} text, part int REFERENCES {node}); CREATE UNIQUE INDEX ON {one} (part) WHERE part > 1",
        )
        .replace(&format!("{author}_id"), "author_id")
        .replace(&author, "author"),
    );
}

fn join_tables(s: &mut Sketch) {
    let (a, b) = (format!("Aa{}", s.used.len()), format!("Bb{}", s.used.len()));
    s.used.insert(a.clone());
    s.run(&format!("CREATE TABLE \"{a}\" (id int PRIMARY KEY, b int)"));
    s.run(&format!("CREATE TABLE \"{b}\" (id int PRIMARY KEY, a int REFERENCES \"{a}\")"));
    for name in [format!("_{a}To{b}"), format!("_{a}likes")] {
        s.run(&format!(
            "CREATE TABLE \"{name}\" (\"A\" int NOT NULL REFERENCES \"{a}\" ON DELETE CASCADE ON UPDATE CASCADE,
             \"B\" int NOT NULL REFERENCES \"{b}\" ON DELETE CASCADE ON UPDATE CASCADE,
             CONSTRAINT \"{name}_AB_pkey\" PRIMARY KEY (\"A\", \"B\")); CREATE INDEX \"{name}_B_index\" ON \"{name}\" (\"B\")"
        ));
    }
    // Something like it.
    s.run(&format!("CREATE TABLE \"_{b}x\" (\"A\" int REFERENCES \"{b}\", \"B\" int NOT NULL REFERENCES \"{a}\")"));
}

fn partitions(s: &mut Sketch) {
    let (table, part, refs, trigger, function) = (s.quoted(), s.quoted(), s.quoted(), s.quoted(), s.quoted());
    s.run(&format!("CREATE TABLE {table} (id int NOT NULL, d date, PRIMARY KEY (id, d)) PARTITION BY RANGE (d)"));
    s.run(&format!("CREATE TABLE {part} PARTITION OF {table} DEFAULT"));
    s.run(&format!("CREATE TABLE {refs} (id int PRIMARY KEY, i int, d date, FOREIGN KEY (i, d) REFERENCES {table})"));
    s.run(&format!("CREATE FUNCTION {function}() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'"));
    s.run(&format!("CREATE TRIGGER {trigger} AFTER INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION {function}()"));
    for name in [&table, &part, &trigger, &function] {
        s.tell(name);
    }
}

fn inheritance(s: &mut Sketch) {
    let (base, heir, unlogged, typed, ty) = (s.quoted(), s.quoted(), s.quoted(), s.quoted(), s.quoted());
    s.run(&format!("CREATE TABLE {base} (x int CHECK (x > 0))"));
    s.run(&format!("CREATE TABLE {heir} (y int PRIMARY KEY) INHERITS ({base})"));
    s.run(&format!("CREATE UNLOGGED TABLE {unlogged} (x int PRIMARY KEY) WITH (fillfactor = 70)"));
    s.run(&format!("CREATE TYPE {ty} AS (a int, b text); CREATE TABLE {typed} OF {ty} (PRIMARY KEY (a))"));
    for name in [&heir, &unlogged, &typed, &ty] {
        s.tell(name);
    }
}

fn views(s: &mut Sketch) {
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

fn functions(s: &mut Sketch) {
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
    for name in [&inner, &outer, &procedure, &aggregate, &domain, &row, &format!("{table}.g")] {
        s.tell(name);
    }
}

fn triggers_and_rules(s: &mut Sketch) {
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

fn security(s: &mut Sketch) {
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

fn columns_beyond(s: &mut Sketch) {
    let (table, a, b, c, d) = (s.quoted(), s.quoted(), s.quoted(), s.quoted(), s.quoted());
    s.run(&format!(
        "CREATE TABLE {table} (id bigint GENERATED ALWAYS AS IDENTITY (START 100 INCREMENT 5) PRIMARY KEY, n int,
         {a} int GENERATED ALWAYS AS (n * 2) STORED, {b} text COLLATE \"C\", {c} int GENERATED BY DEFAULT AS IDENTITY, {d} text[] NOT NULL)"
    ));
    for name in ["id", a.as_str(), &b, &c, &d] {
        s.tell(&format!("{table}.{name}"));
    }
}

fn constraints_beyond(s: &mut Sketch) {
    let table = s.quoted();
    let names: Vec<String> = (0..7).map(|_| s.quoted()).collect();
    let [deferred, checked, lonely, full, excluded, distinct, included] = names.as_slice() else { return };
    s.run(&format!(
        "CREATE TABLE {table} (id int PRIMARY KEY, a int, b int, c int, CONSTRAINT {deferred} UNIQUE (a) DEFERRABLE INITIALLY DEFERRED,
         CONSTRAINT {lonely} CHECK (b > 0) NO INHERIT, CONSTRAINT {full} FOREIGN KEY (c) REFERENCES {table} MATCH FULL DEFERRABLE,
         CONSTRAINT {excluded} EXCLUDE USING btree (b WITH =), CONSTRAINT {included} UNIQUE (b) INCLUDE (c))"
    ));
    s.run(&format!("ALTER TABLE {table} ADD CONSTRAINT {checked} CHECK (a > 0) NOT VALID"));
    s.run(&format!(
        "DO $$BEGIN IF current_setting('server_version_num')::int >= 150000 THEN
        EXECUTE format('ALTER TABLE %s ADD CONSTRAINT %s UNIQUE NULLS NOT DISTINCT (c)', {}, {}); END IF; END$$",
        literal(&table),
        literal(distinct)
    ));
    for name in [deferred, checked, lonely, full, excluded, included] {
        s.tell(name);
    }
}

fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

fn indexes(s: &mut Sketch) {
    let (table, a, b, c) = (s.quoted(), s.quoted(), s.quoted(), s.quoted());
    s.run(&format!("CREATE TABLE {table} (id int PRIMARY KEY, {a} text, {b} jsonb, {c} int[], d int, e timestamp)"));
    let indexes = [
        format!("({a} text_pattern_ops)"),
        format!("(lower({a}), d DESC)"),
        format!("USING hash ({a})"),
        format!("USING gin ({b} jsonb_path_ops)"),
        format!("USING gin ({b}, {c})"),
        "USING brin (e)".to_owned(),
        format!("(d) WHERE {a} IS NOT NULL"),
        format!("(({b} ->> 'a'))"),
        "(d, e DESC)".to_owned(),
        format!("USING spgist ({a})"),
    ];
    for index in indexes {
        let name = s.quoted();
        let unique =
            if s.random.below(4) == 0 && !index.contains("USING") && !index.contains("_ops") { "UNIQUE " } else { "" };
        s.run(&format!("CREATE {unique}INDEX {name} ON {table} {index}"));
    }
}

fn indexes_beyond(s: &mut Sketch) {
    let (table, check) = (s.quoted(), s.quoted());
    s.run(&format!("CREATE TABLE {table} (id int PRIMARY KEY, a text, b int, CONSTRAINT {check} CHECK (b > 0))"));
    for index in [
        "UNIQUE INDEX NAME ON TABLE (a text_pattern_ops)",
        "INDEX NAME ON TABLE (b, b)",
        "INDEX NAME ON TABLE (a) INCLUDE (b)",
        "INDEX NAME ON TABLE (b NULLS FIRST)",
        "INDEX NAME ON TABLE (a COLLATE \"C\")",
        "INDEX NAME ON TABLE (b DESC NULLS LAST)",
        "INDEX NAME ON TABLE (b) WITH (fillfactor = 50)",
    ] {
        let name = s.quoted();
        s.run(&format!("CREATE {}", index.replace("NAME", &name).replace("TABLE", &table)));
        s.tell(&name);
    }
    // An index and a check of one name.
    s.run(&format!("CREATE INDEX {check} ON {table} (b)"));
    s.tell(&check);
    let statistics = s.quoted();
    s.run(&format!("CREATE STATISTICS {statistics} ON a, b FROM {table}"));
    s.tell(&statistics);
}

fn extensions(s: &mut Sketch) {
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

fn text_search(s: &mut Sketch) {
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

fn foreign_data(s: &mut Sketch) {
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

fn other_schemas(s: &mut Sketch) {
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

fn comments(s: &mut Sketch) {
    let (table, column) = (s.quoted(), s.quoted());
    s.run(&format!("CREATE TABLE {table} (id int CONSTRAINT pk_of_{0} PRIMARY KEY, {column} text)", s.used.len()));
    s.run(&format!(
        "COMMENT ON TABLE {table} IS E'*/ \" \\n // {{ it''s'; COMMENT ON COLUMN {table}.{column} IS '@@id'"
    ));
    s.run("COMMENT ON SCHEMA public IS 'x'");
    s.tell(&format!("table column public.{table}.{column}"));
}

fn sequences(s: &mut Sketch) {
    let (free, shared, a, b) = (s.quoted(), s.quoted(), s.quoted(), s.quoted());
    s.run(&format!("CREATE SEQUENCE {free} AS smallint CYCLE; CREATE SEQUENCE {shared}"));
    let shared_text = literal(&shared);
    s.run(&format!("CREATE TABLE {a} (id int PRIMARY KEY DEFAULT nextval({shared_text}), code text DEFAULT 'x' || nextval({shared_text}))"));
    s.run(&format!("CREATE TABLE {b} (id bigserial PRIMARY KEY, n int DEFAULT nextval({shared_text}), m smallserial)"));
    s.run(&format!("ALTER SEQUENCE {free} OWNED BY {b}.n"));
    s.tell(&free);
    s.tell(&shared);
}

fn names_that_become_one(s: &mut Sketch) {
    let table = s.quoted();
    s.run(&format!(
        "CREATE TABLE {table} (\"1_a\" int, \"2_a\" int, \"a\" int, \"A\" int, \"_a\" int, \"a_\" int, \"a b\" int NOT NULL, \"a_b\" int NOT NULL,
         \"aB\" int, \"a-b\" int, \"\"\"\" int, \"😀\" int, \"²\" int, \"\n\" int, \"a_b_c\" int, c int NOT NULL, PRIMARY KEY (a_b, c), UNIQUE (\"a b\", c),
         UNIQUE (\"a_b\", \"c\"), UNIQUE (\"1_a\", \"2_a\"))"
    ));
    let (first, second) = (s.name(), s.used.len());
    let short: String = first.chars().take(20).collect();
    s.run(&format!("CREATE TABLE {} (id int PRIMARY KEY)", ident(&format!("{short}_{second}"))));
    s.run(&format!("CREATE TABLE {} (id int PRIMARY KEY)", ident(&format!("{short}-{second}"))));
    s.run(&format!("CREATE TABLE {} (id int PRIMARY KEY)", ident(&format!("_{short}_{second}"))));
}

fn strange_tables(s: &mut Sketch) {
    let (empty, wide) = (s.quoted(), s.quoted());
    s.run(&format!("CREATE TABLE {empty} ()"));
    let columns: Vec<String> = (0..40).map(|number| format!("c{number} int")).collect();
    s.run(&format!("CREATE TABLE {wide} ({}, PRIMARY KEY (c0))", columns.join(", ")));
    s.run(&format!("ALTER TABLE {wide} DROP COLUMN c1, DROP COLUMN c39"));
}

/// The database of a seed. The first has one of everything.
fn sketch(seed: u64, version: u32) -> Sketch {
    let mut sketch =
        Sketch { random: Random(seed), version, used: BTreeSet::new(), sql: String::new(), told: Vec::new() };
    sketch.used.extend(["id", "_", "__"].map(str::to_owned));
    for maker in MAKERS {
        if seed == 0 || sketch.random.below(3) == 0 {
            maker(&mut sketch);
        }
    }
    sketch
}

/// Control characters are spaces in what is told.
fn plain(text: &str) -> String {
    text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect()
}

fn setting(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

#[test]
fn whatever_a_database_holds_is_pulled_or_told() {
    let version = query(&database("odd_version"), "SHOW server_version_num");
    let version = version.first().and_then(|version| version.parse().ok()).expect("a version");
    let first = setting("RELATA_ODD_SEED").unwrap_or(0);
    for seed in first..first + setting("RELATA_ODD_CASES").unwrap_or(CASES) {
        eprintln!("seed {seed}");
        try_one(seed, &sketch(seed, version));
    }
}

fn try_one(seed: u64, sketch: &Sketch) {
    let (project, live, fresh) = (Project::new(), database("odd"), database("odd_fresh"));
    query(&live, &sketch.sql);
    let url = ["--url", live.url()];
    let pulled = project.run(&[&["db", "pull", "--with-sql", "extra.sql"], &url[..]].concat());
    assert_eq!(pulled.code, 0, "{}\n{}", sketch.sql, pulled.stderr);
    // The net under it is for kinds that nobody knows.
    assert!(!pulled.stderr.contains("the compiler refuses"), "{}\n{}", sketch.sql, pulled.stderr);
    let schema = project.read("schema.dsl");
    let told = plain(&pulled.stderr);
    let unquoted =
        |name: &str| plain(name).trim_matches('"').replace("\".\"", ".").replace("\".", ".").replace(".\"", ".");
    for name in &sketch.told {
        let is_told = told.contains(&plain(name)) || told.replace('"', "").contains(&unquoted(name).replace('"', ""));
        assert!(is_told, "nothing is said of {name}\n{}\n{}", sketch.sql, pulled.stderr);
    }
    let context = |what: &str| format!("{what}\n{}\n{schema}", sketch.sql);
    let run = |args: &[&str], what: &str| {
        let output = project.run(args);
        assert_eq!(output.code, 0, "{}\n{}{}", context(what), output.stdout, output.stderr);
        output
    };
    run(&["check"], "check");
    run(&["generate"], "generate");
    if let Ok(folder) = std::env::var("RELATA_ODD_OUT") {
        let out = format!("{folder}/client_{seed}");
        run(&["generate", "--out", &out], "generate");
    }
    run(&["migrate-diff", "--from-url", live.url(), "--to-schema", "schema.dsl", "--exit-code"], "from the database");
    run(&[&["db", "pull"], &url[..]].concat(), "again").says("already");

    // A next step touches nothing else.
    let first = schema.find("\nmodel ").and_then(|at| Some(at + schema[at..].find("{\n")? + 2));
    let next = first.map_or_else(|| schema.clone(), |at| format!("{}  zz_next Int?\n{}", &schema[..at], &schema[at..]));
    if next != schema {
        project.write("next.dsl", next);
        let plan = run(&["migrate-diff", "--from-url", live.url(), "--to-schema", "next.dsl"], "a next step").stdout;
        let statements: Vec<&str> =
            plan.lines().filter(|line| !line.trim_start().starts_with("--") && !line.trim().is_empty()).collect();
        assert!(
            statements.join(" ").matches(';').count() == 1 && plan.contains("zz_next"),
            "{}\n{plan}",
            context("a next step")
        );
    }

    // A database of its own.
    let made = ["--url", fresh.url()];
    run(&[&["db", "execute", "extra.sql"], &made[..]].concat(), &project.read("extra.sql"));
    run(&[&["db", "push"], &made[..]].concat(), "push");
    run(&["migrate-diff", "--from-url", fresh.url(), "--to-schema", "schema.dsl", "--exit-code"], "from a fresh one");
    if project.path("extra.after.sql").exists() {
        run(&[&["db", "execute", "extra.after.sql"], &made[..]].concat(), &project.read("extra.after.sql"));
        run(&["migrate-diff", "--from-url", fresh.url(), "--to-schema", "schema.dsl", "--exit-code"], "after the rest");
    }
}
