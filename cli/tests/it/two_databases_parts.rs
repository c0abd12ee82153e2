//! `migrate-diff` between two databases: what depends on the order of statements, on what PostgreSQL does by itself, and on
//! privileges that new objects get. `pg_dump` judges.

use relata_devdb::Feature;

use crate::support::{Project, database, query, server};
use crate::two_databases_objects::{diff, migrates_both_ways};

/// Creates roles, which all databases of a server share.
fn roles(names: &[&str]) -> String {
    let role = |name: &&str| {
        format!("DO $$ BEGIN CREATE ROLE {name}; EXCEPTION WHEN duplicate_object OR unique_violation THEN END $$;")
    };
    names.iter().map(role).collect()
}

/// New objects have the privileges of the second database, whatever the first one gives to new objects.
#[test]
fn default_privileges_do_not_reach_new_objects() {
    if server().skips_without(&[Feature::Roles]) {
        return;
    }
    let before = format!(
        "{} ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT ALL ON TABLES TO reader, keeper;
         ALTER DEFAULT PRIVILEGES GRANT ALL ON SEQUENCES TO reader; ALTER DEFAULT PRIVILEGES GRANT USAGE ON TYPES TO reader;
         ALTER DEFAULT PRIVILEGES GRANT USAGE ON SCHEMAS TO reader; ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;",
        roles(&["reader", "keeper"])
    );
    let after = format!(
        "{before} CREATE TABLE t (id serial PRIMARY KEY, a int); REVOKE ALL ON t FROM reader, keeper; GRANT SELECT ON t TO keeper;
         GRANT UPDATE (a) ON t TO reader; REVOKE ALL ON SEQUENCE t_id_seq FROM reader; CREATE VIEW v AS SELECT 1 AS a; REVOKE ALL ON v FROM reader;
         CREATE TYPE mood AS ENUM ('a'); REVOKE ALL ON TYPE mood FROM reader; CREATE DOMAIN d AS int; CREATE SCHEMA s; REVOKE ALL ON SCHEMA s FROM reader;
         CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'; GRANT EXECUTE ON FUNCTION f() TO PUBLIC;
         CREATE PROCEDURE p() LANGUAGE sql AS '';"
    );
    migrates_both_ways("default_privileges", &before, &after, &[]);
}

/// `REVOKE` on a table revokes the privileges on its columns.
#[test]
fn privileges_on_columns_stay_while_those_on_the_table_change() {
    if server().skips_without(&[Feature::Roles]) {
        return;
    }
    let base = format!("{} CREATE TABLE t (a int, b int);", roles(&["reader", "keeper"]));
    let before = format!(
        "{base} GRANT SELECT, UPDATE ON t TO reader; GRANT UPDATE (b), SELECT (a) ON t TO keeper; GRANT DELETE ON t TO keeper"
    );
    let after =
        format!("{base} GRANT SELECT ON t TO reader; GRANT UPDATE (a) ON t TO reader; GRANT UPDATE (b) ON t TO keeper");
    migrates_both_ways("on_columns", &before, &after, &[]);
}

#[test]
fn privileges_on_members_of_extensions_are_migrated() {
    let available = "SELECT 1 FROM pg_available_extensions WHERE name = 'citext'";
    if server().skips_without(&[Feature::Roles]) || query(&database("members"), available).is_empty() {
        return;
    }
    let before = format!("{} CREATE EXTENSION citext;", roles(&["reader"]));
    let after = format!(
        "{before} GRANT EXECUTE ON FUNCTION citext_eq(citext, citext) TO reader; REVOKE EXECUTE ON FUNCTION citext_ne(citext, citext) FROM PUBLIC"
    );
    migrates_both_ways("members", &before, &after, &[]);
    migrates_both_ways("new_members", &roles(&["reader"]), &after, &[]);
}

/// A type of an extension in another schema is written with the schema.
#[test]
fn columns_have_types_of_extensions_in_other_schemas() {
    if query(&database("elsewhere"), "SELECT 1 FROM pg_available_extensions WHERE name = 'citext'").is_empty() {
        return relata_devdb::skip("there is no extension citext");
    }
    let base = "CREATE SCHEMA tools; CREATE EXTENSION citext SCHEMA tools; CREATE TABLE t (id int);";
    migrates_both_ways(
        "elsewhere",
        base,
        &format!("{base} ALTER TABLE t ADD name tools.citext, ADD names tools.citext[]"),
        &[],
    );
}

#[test]
fn publications_are_migrated() {
    if server().skips_without(&[Feature::Roles]) {
        return;
    }
    let base = "CREATE TABLE a (id int PRIMARY KEY, n int); CREATE TABLE b (id int PRIMARY KEY);";
    let before = format!(
        "{base} CREATE TABLE gone (id int PRIMARY KEY); CREATE PUBLICATION p FOR TABLE a, gone; CREATE PUBLICATION q FOR ALL TABLES;
         CREATE PUBLICATION r FOR TABLE b; COMMENT ON PUBLICATION r IS 'all of b'"
    );
    let after = format!(
        "{base} CREATE TABLE come (id int PRIMARY KEY); CREATE PUBLICATION p FOR TABLE b, come WITH (publish = 'insert, delete', publish_via_partition_root);
         CREATE PUBLICATION q FOR TABLE a; COMMENT ON PUBLICATION q IS 'some'"
    );
    migrates_both_ways("publications", &before, &after, &[]);
    let version: u32 = query(&database("publications"), "SHOW server_version_num")[0].parse().unwrap();
    if version >= 150_000 {
        // A column cannot change while a list or a condition names it.
        let before = format!("{base} CREATE PUBLICATION p FOR TABLE a (id, n) WHERE (id > 1); CREATE SCHEMA s");
        let after = "CREATE TABLE a (id bigint PRIMARY KEY); CREATE TABLE b (id int PRIMARY KEY); CREATE SCHEMA s;
            CREATE PUBLICATION p FOR TABLE a (id) WHERE (id > 1); CREATE PUBLICATION q FOR TABLE b, TABLES IN SCHEMA s";
        migrates_both_ways("published_columns", &before, after, &[]);
    }
}

/// A subscription connects with a password.
#[test]
fn subscriptions_are_told() {
    if server().skips_without(&[Feature::Roles]) {
        return;
    }
    let (old, new) = (database("unsubscribed"), database("subscribed"));
    query(
        &new,
        "CREATE SUBSCRIPTION s CONNECTION 'host=nowhere password=hidden' PUBLICATION p WITH (connect = false, slot_name = NONE)",
    );
    let told = diff(&Project::new(), &old, &new, &["--exit-code"]);
    query(&new, "DROP SUBSCRIPTION s");
    told.exits(2).says("subscription s is missing").hides("hidden");
}

/// The options of a user mapping contain a password: it is dropped, and created only without options.
#[test]
fn user_mappings_are_dropped_and_told() {
    let base = "CREATE FOREIGN DATA WRAPPER elsewhere; CREATE FOREIGN DATA WRAPPER further;";
    let before =
        format!("{base} CREATE SERVER far FOREIGN DATA WRAPPER elsewhere; CREATE USER MAPPING FOR PUBLIC SERVER far");
    let after =
        format!("{base} CREATE SERVER far FOREIGN DATA WRAPPER further; CREATE USER MAPPING FOR PUBLIC SERVER far");
    migrates_both_ways("mapped", &before, &after, &[]);
    let (old, new) = (database("mapped"), database("unmapped"));
    query(&old, &format!("{before} OPTIONS (password 'hidden')"));
    query(&new, base);
    let project = Project::new();
    let sql = diff(&project, &old, &new, &[]).exits(0).hides("hidden").stdout;
    assert!(sql.contains("DROP USER MAPPING FOR PUBLIC SERVER far;\n\nDROP SERVER far"), "{sql}");
    diff(&project, &new, &old, &[]).exits(0).hides("hidden").says("user mapping for PUBLIC on far is missing");
}

#[test]
fn a_comment_on_an_aggregate_without_arguments_has_a_star() {
    let base = "CREATE AGGREGATE rows_of(*) (SFUNC = int8inc, STYPE = int8, INITCOND = '0');";
    migrates_both_ways("star", base, &format!("{base} COMMENT ON AGGREGATE rows_of(*) IS 'how many'"), &[]);
}

/// PostgreSQL prints such a cast in one form and reads it in another one.
#[test]
fn conditions_on_lists_of_varchar_arrive_as_they_are() {
    let base = "CREATE TABLE t (id int, state varchar(9));";
    let after = format!(
        "{base} ALTER TABLE t ADD CONSTRAINT known CHECK (state IN ('a', 'b, c')); CREATE INDEX i ON t (id) WHERE state NOT IN ('a', 'b');
         CREATE VIEW v AS SELECT id, state IN ('a', 'b') AS is_known FROM t; CREATE POLICY p ON t USING (state IN ('a', 'b'));
         CREATE MATERIALIZED VIEW m AS SELECT id FROM v WHERE is_known; ALTER TABLE t ADD g bool GENERATED ALWAYS AS (state IN ('a', 'b')) STORED"
    );
    migrates_both_ways("varchars", base, &after, &[]);
}

/// The body of a function in quotes is read when a check or a materialized view calls it.
#[test]
fn a_function_is_called_after_what_its_body_names_exists() {
    let before = "CREATE TABLE t (code text); INSERT INTO t VALUES ('a'), ('b')";
    let after = "CREATE TABLE t (code text); CREATE VIEW known AS SELECT 'a' AS code UNION SELECT 'b';
        CREATE FUNCTION z_known() RETURNS SETOF known LANGUAGE sql STABLE AS 'SELECT * FROM known';
        CREATE FUNCTION is_known(text) RETURNS bool LANGUAGE sql STABLE AS 'SELECT EXISTS (SELECT FROM z_known() AS k WHERE k.code = $1)';
        ALTER TABLE t ADD CONSTRAINT known_code CHECK (is_known(code)); CREATE MATERIALIZED VIEW a AS SELECT is_known('a') AS it;
        CREATE FUNCTION up(int) RETURNS int LANGUAGE plpgsql AS 'BEGIN RETURN down($1 - 1); END';
        CREATE FUNCTION down(int) RETURNS int LANGUAGE plpgsql AS 'BEGIN RETURN CASE WHEN $1 > 0 THEN up($1 - 1) END; END'";
    migrates_both_ways("bodies", before, after, &[]);
}

/// An identity whose value is outside of its new bounds, a type that is too small for the old ones, and names of sequences.
#[test]
fn sequences_of_identity_columns_are_migrated() {
    let sides = |of_a: &str, of_b: &str, of_c: &str| {
        format!(
            "CREATE TABLE t (a int GENERATED ALWAYS AS IDENTITY ({of_a}), b int GENERATED ALWAYS AS IDENTITY {of_b}, c {of_c})"
        )
    };
    let before = sides("START 1", "", "bigint GENERATED ALWAYS AS IDENTITY (MAXVALUE 5000000000)");
    let after = sides("MINVALUE 5 START 7", "(SEQUENCE NAME counter)", "int GENERATED ALWAYS AS IDENTITY");
    migrates_both_ways("identities", &before, &after, &[]);
}

/// PostgreSQL creates indexes for a partition if it finds none.
#[test]
fn indexes_of_partitions_are_those_of_the_other_database() {
    let base =
        "CREATE TABLE w (id int, n text) PARTITION BY LIST (n); CREATE TABLE o (id int, n text) PARTITION BY LIST (n);
        CREATE TABLE o_a PARTITION OF o FOR VALUES IN ('a'); CREATE TABLE w_a PARTITION OF w FOR VALUES IN ('a');
        CREATE UNIQUE INDEX w_unique ON w (n, id);";
    let keys = "CREATE TABLE w_b PARTITION OF w (PRIMARY KEY (n, id)) FOR VALUES IN ('b');";
    let after = format!(
        "{base} CREATE TABLE w_b (id int, n text, PRIMARY KEY (n, id)); ALTER TABLE w ATTACH PARTITION w_b FOR VALUES IN ('b');
         CREATE INDEX o_n ON o (n); CREATE INDEX a_local ON o_a (n)"
    );
    migrates_both_ways("keys_of_partitions", base, &after, &[]);
    // Both indexes stay.
    migrates_both_ways("both_keys", base, &format!("{base} {keys}"), &[]);
    let only =
        "CREATE TABLE w (id int, n text) PARTITION BY LIST (n); CREATE TABLE w_a PARTITION OF w FOR VALUES IN ('a');
        CREATE TABLE w_b PARTITION OF w FOR VALUES IN ('b');";
    let after = format!(
        "{only} CREATE INDEX w_n ON ONLY w (n); CREATE INDEX a_n ON w_a (n); ALTER INDEX w_n ATTACH PARTITION a_n; CREATE INDEX b_n ON w_b (n)"
    );
    migrates_both_ways("only", only, &after, &[]);
    migrates_both_ways("not_only", &format!("{only} CREATE INDEX w_n ON w (n)"), &after, &[]);
}

/// PostgreSQL drops an index only with the keys that partitions have on their parts of it.
#[test]
fn keys_of_partitions_go_with_the_index_of_their_table() {
    let base = "CREATE TABLE w (id int NOT NULL, n text NOT NULL) PARTITION BY LIST (n); CREATE TABLE w_a PARTITION OF w FOR VALUES IN ('a');";
    let index = "ALTER TABLE w_a ADD PRIMARY KEY (n, id); CREATE UNIQUE INDEX w_pkey ON w (n, id);";
    migrates_both_ways("keys_to_none", &format!("{base} {index}"), base, &[]);
    let key = "ALTER TABLE w ADD PRIMARY KEY (n, id)";
    migrates_both_ways("keys_to_key", &format!("{base} {index}"), &format!("{base} {key}"), &[]);
}

/// Properties of partitions that differ from those of their tables.
#[test]
fn partitions_differ_from_their_tables() {
    let base = "CREATE FUNCTION act() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
        CREATE FOREIGN DATA WRAPPER elsewhere; CREATE SERVER far FOREIGN DATA WRAPPER elsewhere;
        CREATE TABLE w (id int, n text DEFAULT 'x') PARTITION BY LIST (id); CREATE TABLE other (id int, n text DEFAULT 'x') PARTITION BY LIST (id);
        CREATE TABLE w_1 PARTITION OF w FOR VALUES IN (1); CREATE TABLE w_2 PARTITION OF w FOR VALUES IN (2);
        CREATE TRIGGER tr AFTER INSERT ON w FOR EACH ROW EXECUTE FUNCTION act(); CREATE TRIGGER ts AFTER INSERT ON w FOR EACH ROW EXECUTE FUNCTION act();";
    let before = format!(
        "{base} CREATE FOREIGN TABLE f (id int, n text DEFAULT 'x') SERVER far; ALTER TABLE w DISABLE TRIGGER tr; ALTER TABLE w_1 ENABLE TRIGGER tr"
    );
    let after = format!(
        "{base} CREATE FOREIGN TABLE f PARTITION OF other FOR VALUES IN (3) SERVER far; ALTER TABLE w_1 DISABLE TRIGGER tr; ALTER TABLE w_2 DISABLE TRIGGER ts;
         CREATE TABLE w_4 PARTITION OF w (n NOT NULL) FOR VALUES IN (4);
         ALTER TABLE w ADD CONSTRAINT c CHECK (id > 0) NOT VALID; ALTER TABLE ONLY w_1 VALIDATE CONSTRAINT c"
    );
    migrates_both_ways("differing_partitions", &before, &after, &[]);
}

/// A partition that is detached would keep the foreign keys of its table.
#[test]
fn partitions_stay_while_their_tables_are_replaced() {
    let sides = |suffix: &str| {
        format!(
            "CREATE TABLE a{suffix} (n text) PARTITION BY LIST (n); CREATE TABLE b{suffix} (n text) PARTITION BY LIST (n);
             CREATE TABLE a_1 PARTITION OF a{suffix} FOR VALUES IN ('1'); CREATE TABLE b_1 PARTITION OF b{suffix} FOR VALUES IN ('1');
             CREATE UNIQUE INDEX a_n ON a{suffix} (n); CREATE UNIQUE INDEX b_n ON b{suffix} (n);
             ALTER TABLE a{suffix} ADD CONSTRAINT a_b FOREIGN KEY (n) REFERENCES b{suffix} (n);
             ALTER TABLE b{suffix} ADD CONSTRAINT b_a FOREIGN KEY (n) REFERENCES a{suffix} (n)"
        )
    };
    migrates_both_ways("replaced_tables", &sides(""), &sides("_new"), &[]);
}

/// A check that shall not be valid is not validated, also online.
#[test]
fn constraints_that_are_not_valid_stay_so() {
    let base = "CREATE TABLE o (id int PRIMARY KEY); CREATE TABLE t (id int, o int, CONSTRAINT c CHECK (id > 0));";
    let after = "CREATE TABLE o (id int PRIMARY KEY); CREATE TABLE t (id int, o int); INSERT INTO t VALUES (0, 1);
        ALTER TABLE t ADD CONSTRAINT c CHECK (id > 0) NOT VALID; ALTER TABLE t ADD CONSTRAINT f FOREIGN KEY (o) REFERENCES o NOT VALID";
    migrates_both_ways("not_valid", base, &after.replace("INSERT INTO t VALUES (0, 1);", ""), &["--online"]);
    let (old, new) = (database("not_valid_rows"), database("not_valid_other"));
    query(&old, &format!("{base} INSERT INTO t VALUES (1, 1)"));
    query(&new, after);
    let sql = diff(&Project::new(), &old, &new, &["--online"]).exits(0).hides("F205").hides("VALIDATE").stdout;
    assert!(!sql.contains("relata:segment"), "{sql}");
}

/// A column that a table inherits becomes its own, with its values.
#[test]
fn an_inherited_column_stays_without_that_of_the_parent() {
    let (old, new) = (database("heirs_old"), database("heirs_new"));
    query(
        &old,
        "CREATE TABLE elder (a int, b int); CREATE TABLE heir (c int) INHERITS (elder); INSERT INTO heir VALUES (1, 2, 3)",
    );
    query(&new, "CREATE TABLE elder (a int); CREATE TABLE heir (c int, b int) INHERITS (elder)");
    let project = Project::new();
    let sql = diff(&project, &old, &new, &[]).exits(0).stdout;
    project.migration("1_heirs", &sql).deploy(&old).exits(0);
    diff(&project, &old, &new, &["--exit-code"]).exits(0);
    assert_eq!(query(&old, "SELECT concat(a, b, c) FROM heir"), ["123"]);
}
