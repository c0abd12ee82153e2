//! What the schema language cannot express about a database: `db pull` names all of it, and a later change of the schema leaves
//! it as it is.

mod comments;
mod domains;
mod exclusions;
mod types;

use crate::support::{Project, database, query};

/// Something of everything, on tables with columns that change later on.
const DATABASE: &str = "
    CREATE TABLE t (id int PRIMARY KEY, a int NOT NULL, b int, c text, d text COLLATE \"C\", near int, worse varchar(9),
      g int GENERATED ALWAYS AS (a * 2) STORED, i bigint GENERATED ALWAYS AS IDENTITY (START 100 INCREMENT 5),
      CONSTRAINT u UNIQUE (a) DEFERRABLE INITIALLY DEFERRED, CONSTRAINT inc_u UNIQUE (b, c) INCLUDE (d),
      CONSTRAINT ni CHECK (b > 0) NO INHERIT) WITH (fillfactor = 80);
    ALTER TABLE t ADD CONSTRAINT nv CHECK (a > 0) NOT VALID, ADD CONSTRAINT ex EXCLUDE USING btree (near WITH =);
    CREATE UNIQUE INDEX inc ON t (c) INCLUDE (a, b); CREATE INDEX nf ON t (a NULLS FIRST, worse);
    CREATE INDEX co ON t (c COLLATE \"C\"); CREATE INDEX op ON t (c text_pattern_ops); CREATE INDEX wi ON t (worse) WITH (fillfactor = 60);
    CREATE TABLE f (id int PRIMARY KEY, t int, near int, CONSTRAINT fk FOREIGN KEY (t) REFERENCES t MATCH FULL DEFERRABLE,
      CONSTRAINT fnv CHECK (id > 0) NOT VALID);
    CREATE TABLE k (id int PRIMARY KEY, a int, near int);
    ALTER TABLE k ADD FOREIGN KEY (a) REFERENCES t ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED NOT VALID;
    CREATE TABLE p (id int, d date, near int, PRIMARY KEY (id, d)) PARTITION BY RANGE (d);
    CREATE TABLE p1 PARTITION OF p FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
    CREATE TABLE base (id int PRIMARY KEY, x int CHECK (x > 0), near int); CREATE TABLE heir (y int, PRIMARY KEY (id)) INHERITS (base);
    CREATE UNLOGGED TABLE cache (id int PRIMARY KEY, near int);
    ALTER TABLE t ENABLE ROW LEVEL SECURITY; CREATE POLICY pol ON t USING (a > 0);
    CREATE FUNCTION act() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
    CREATE TRIGGER tr BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION act();
    CREATE DOMAIN positive AS int CHECK (VALUE > 0); CREATE TYPE pair AS (a int, b int); CREATE STATISTICS st ON a, b FROM t;
    CREATE SEQUENCE free INCREMENT BY 3; CREATE VIEW v AS SELECT id, a, b, c FROM t;
    CREATE TABLE s (id serial PRIMARY KEY, near int); ALTER SEQUENCE s_id_seq INCREMENT BY 10;
";

/// From PostgreSQL 15 on.
const LATER: &str = "ALTER TABLE t ADD CONSTRAINT nnd UNIQUE NULLS NOT DISTINCT (b);
    CREATE TABLE l (id int PRIMARY KEY, a int, b int, near int, UNIQUE (a, b));
    ALTER TABLE l ADD CONSTRAINT sn FOREIGN KEY (a, b) REFERENCES l (a, b) ON DELETE SET NULL (b);";

/// What `pull` names, as no schema has it.
const NAMED: &[&str] = &[
    "nv", "ni", "co", "k_a_fkey", "p1", "heir", "pol", "act()", "tr", "positive", "pair", "st", "free", "s_id_seq", "v",
];

#[test]
fn a_later_change_of_the_schema_leaves_it_alone() {
    let project = Project::new();
    let (changed, before) = (database("beyond"), database("beyond_before"));
    let is_later = query(&changed, "SELECT current_setting('server_version_num')::int >= 150000") == ["t"];
    for side in [&changed, &before] {
        query(side, DATABASE);
        if is_later {
            query(side, LATER);
        }
    }
    let output = project.run(&["db", "pull", "--url", changed.url()]).exits(0);
    for name in NAMED {
        let is_it = |word: &str| word == *name || word.ends_with(&format!(".{name}"));
        let is_said = output.stderr.split([' ', ',', ';', '\n']).any(is_it);
        assert!(is_said, "{name} is not in\n{}", output.stderr);
    }
    let to_schema = ["migrate-diff", "--from-url", changed.url(), "--to-schema", "schema.dsl"];
    project.run(&[&to_schema[..], &["--exit-code"]].concat()).exits(0);

    // Every table gets a column and loses one, and one that indexes are built on gets another type.
    let pulled = project.read("schema.dsl");
    let lines =
        pulled.lines().filter(|line| !line.trim_start().starts_with("near") && !line.contains("@@exclude([near"));
    let edit = |line: &str| match line.trim_start() {
        text if text.starts_with("worse") => "  worse Int?".to_owned(),
        text if text.starts_with("model ") => format!("{line}\n  extra Int?"),
        _ => line.to_owned(),
    };
    project.write("schema.dsl", lines.map(|line| edit(line) + "\n").collect::<String>());
    // An exclusion constraint over a dropped column would go with it: PostgreSQL takes it along.
    for side in [&changed, &before] {
        query(side, "ALTER TABLE t DROP CONSTRAINT ex, ADD CONSTRAINT ex EXCLUDE USING btree (id WITH =)");
    }
    let push = ["db", "push", "--url", changed.url(), "--allow-data-loss"];
    project.run(&push).exits(0);
    project.run(&push).exits(0).says("already");
    let between =
        ["migrate-diff", "--from-url", before.url(), "--to-url", changed.url(), "--summary", "--accept-drops"];
    for line in project.run(&between).exits(0).stdout.lines() {
        let is_ours = line.contains(".extra ") || line.contains(".near") || line.starts_with("~ column t.worse");
        assert!(is_ours, "{line}");
    }
}

#[test]
fn what_a_table_inherits_changes_where_it_comes_from() {
    let (project, database) = (Project::new(), database("inherited"));
    query(
        &database,
        "CREATE TABLE base (id int PRIMARY KEY, x int); CREATE TABLE heir (y int, PRIMARY KEY (id)) INHERITS (base)",
    );
    let push = ["db", "push", "--url", database.url(), "--allow-data-loss"];
    let schema = |base: &str, heir: &str| {
        project.write(
            "schema.dsl",
            format!("model base {{\n  id Int @id\n{base}}}\nmodel heir {{\n  id Int @id\n  y Int?\n{heir}}}\n"),
        );
    };
    // In the heir alone it cannot change, and is not dropped.
    schema("  x Int?\n", "");
    project.run(&push).exits(0).says("already");
    schema("  x Int?\n", "  x BigInt?\n");
    project.run(&push).exits(1).says("the table inherits it; change it in the parent table");
    // In both it changes once, also a new one.
    schema("  x BigInt?\n  z Int?\n", "  x BigInt?\n  z Int?\n");
    project.run(&push).exits(0);
    project.run(&push).exits(0).says("already");
    // What goes from both goes once, and the tables in an order that PostgreSQL takes.
    schema("  x BigInt?\n", "  x BigInt?\n");
    project.run(&push).exits(0);
    project.write("schema.dsl", "model other {\n  id Int @id\n}\n");
    project.run(&["db", "push", "--url", database.url(), "--allow-data-loss", "--accept-drops"]).exits(0);
    assert_eq!(query(&database, "SELECT count(*) FROM pg_class WHERE relname IN ('base', 'heir')"), ["0"]);
}

#[test]
fn a_partition_key_is_named_where_its_column_would_go() {
    let (project, database) = (Project::new(), database("partition_key"));
    query(&database, "CREATE TABLE p (id int, d date, PRIMARY KEY (id, d)) PARTITION BY RANGE (d)");
    project.write("schema.dsl", "model p {\n  id Int\n  d DateTime\n\n  @@id([id, d])\n}\n");
    let push = ["db", "push", "--url", database.url(), "--allow-data-loss"];
    project.run(&push).exits(1).says("p.d changes its type: fails because the partition key of p uses it");
    project.write("schema.dsl", "model p {\n  id Int @id\n}\n");
    project.run(&push).exits(1).says("the partition key of p uses it");
}

const SIBLINGS: &str = "CREATE TABLE t (id int PRIMARY KEY, a int NOT NULL, g int GENERATED ALWAYS AS (a * 2) STORED,
    g2 int GENERATED ALWAYS AS (a * 2) STORED, g3 int GENERATED ALWAYS AS (a * 2) STORED, g4 int GENERATED ALWAYS AS (a * 2) STORED,
    ts tsvector GENERATED ALWAYS AS ('a'::tsvector) STORED, i int GENERATED ALWAYS AS IDENTITY, j int GENERATED BY DEFAULT AS IDENTITY, k serial);
    INSERT INTO t (id, a) VALUES (1, 1), (2, 2)";

/// The schema says whether a column is generated: `@default(dbgenerated())` leaves it to the database.
#[test]
fn generated_and_counting_columns_become_what_the_schema_says() {
    let (project, database) = (Project::new(), database("siblings"));
    query(&database, SIBLINGS);
    project.write(
        "schema.dsl",
        "model t {\n  id Int @id\n  a Int\n  g Int? @default(5)\n  g2 Int?\n  g3 Int? @default(dbgenerated())\n\
         \u{20} g4 Int? @default(dbgenerated(\"(a * 2)\"))\n  ts Unsupported(\"tsvector\")?\n  i Int\n  j Int @default(7)\n  k Int\n}\n",
    );
    let push = ["db", "push", "--url", database.url()];
    let loss = "t.g is no longer generated by ((a * 2)): it keeps its values";
    project
        .run(&push)
        .exits(1)
        .says(loss)
        .says("t.g2 is no longer generated")
        .hides("t.g3")
        .hides("t.g4")
        .says("--allow t.g");
    project
        .run(&[&push[..], &["--dry-run"]].concat())
        .exits(0)
        .says("D110")
        .says("DROP EXPRESSION")
        .says("SET DEFAULT 5");
    project.run(&[&push[..], &["--allow", "t.g", "--allow", "t.g2"]].concat()).exits(0);
    project.run(&push).exits(0).says("already");
    query(
        &database,
        "INSERT INTO t (id, a, i, k) VALUES (3, 3, 3, 3); INSERT INTO t (id, a, g, g2, i, j, k) VALUES (4, 4, 1, 1, 1, 1, 1)",
    );
    let rows = query(&database, "SELECT concat_ws(',', g, g2, g3, g4, i, j, k) FROM t ORDER BY id");
    assert_eq!(rows, ["2,2,2,2,1,1,1", "4,4,4,4,2,2,2", "5,6,6,3,7,3", "1,1,8,8,1,1,1"]);
    // A column starts to count after what is there, and stops.
    let counting = "model t {\n  id Int @id\n  a Int\n  i Unsupported(\"int GENERATED ALWAYS AS IDENTITY\")\n}\n";
    project.write("schema.dsl", counting);
    project.run(&[&push[..], &["--allow-data-loss"]].concat()).exits(0);
    project.run(&push).exits(0).says("already");
    query(&database, "INSERT INTO t (id, a) VALUES (5, 5)");
    assert_eq!(query(&database, "SELECT i FROM t WHERE id = 5"), ["4"]);
}

/// What the language says of PostgreSQL beyond Prisma's language.
const SAID: &str = r#"model School {
  id    Int    @id
  users User[]

  @@with("autovacuum_enabled=false, fillfactor=90")
}

model Step {
  id       Int     @id @identity(always: true, start: 1000, increment: 10, cache: 20)
  schoolId Int
  userId   Int?
  position Int     @identity(increment: -1, min: -50, max: 90, cycle: true)
  title    String  @unique(deferrable: InitiallyImmediate) @collate("C")
  labels   String? @collate("POSIX") @db.VarChar(20)
  user     User?   @relation(fields: [schoolId, userId], references: [schoolId, id], onDelete: NoAction, match: Full)

  @@unique([schoolId, position], deferrable: InitiallyDeferred)
  @@index([schoolId, userId], include: [title, labels], with: "fillfactor=60")
  @@index([labels(sort: Desc, nulls: Last)], map: "by_labels")
  @@unlogged
}

model User {
  schoolId Int
  id       Int     @identity
  email    String? @unique(include: [nick], nullsNotDistinct: true)
  nick     String?
  mentorId Int?
  pupils   User[]  @relation("Mentoring")
  steps    Step[]
  mentor   User?   @relation("Mentoring", fields: [schoolId, mentorId], references: [schoolId, id], onDelete: SetNull, setNull: [mentorId])
  school   School  @relation(fields: [schoolId], references: [id], deferrable: InitiallyDeferred)

  @@id([schoolId, id], include: [email], with: "fillfactor=70")
  @@unique([nick(nulls: First)], map: "by_nick")
}
"#;

/// A schema with all of it is pushed, pulled into a new file and into the same one, and migrated.
#[test]
fn what_the_language_says_of_postgresql_comes_back() {
    let (project, database) = (Project::new(), database("said"));
    let is_15 = query(&database, "SELECT current_setting('server_version_num')::int >= 150000") == ["t"];
    let said = match is_15 {
        true => SAID.to_owned(),
        false => SAID.replace(", nullsNotDistinct: true", "").replace(", setNull: [mentorId]", ""),
    };
    project.write("schema.dsl", &said);
    project.run(&["fmt", "--check"]).exits(0);
    project.run(&["db", "push", "--url", database.url()]).exits(0);
    project.run(&["db", "push", "--url", database.url()]).exits(0).says("already");
    // Nothing is left to say, and a new file says the same.
    project.run(&["db", "pull", "--check", "--url", database.url()]).exits(0).hides("cannot express");
    project.write("pulled/empty.dsl", "");
    project.run(&["db", "pull", "--force", "--url", database.url()]).exits(0).hides("cannot express");
    let sorted = |text: &str| {
        let mut lines: Vec<String> =
            text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
        lines.retain(|line| {
            !line.is_empty() && !["datasource db {", "provider = \"postgresql\""].contains(&line.as_str())
        });
        lines.sort();
        lines.join("\n")
    };
    let pulled = project.read("schema.dsl");
    let renamed = pulled.replace("User_mentor", "Mentoring");
    insta::assert_snapshot!(sorted(&renamed));
    project.run(&["migrate-diff", "--from-url", database.url(), "--to-schema", "schema.dsl", "--exit-code"]).exits(0);
    // A file that says less is completed.
    let plain = said.replace(", deferrable: InitiallyDeferred", "").replace(", include: [title, labels]", "");
    project.write("schema.dsl", plain.replace("  @@unlogged\n", "").replace(", match: Full", ""));
    project.run(&["db", "push", "--url", database.url()]).exits(0).says("already");
    project.run(&["db", "pull", "--url", database.url()]).exits(0);
    assert_eq!(sorted(&project.read("schema.dsl")), sorted(&said));
}

#[test]
fn names_that_postgresql_has_for_itself_are_told() {
    let (project, database) = (Project::new(), database("shadowed"));
    query(&database, "CREATE TYPE \"date\" AS ENUM ('a'); CREATE TABLE t (id int PRIMARY KEY, d public.\"date\")");
    project.run(&["db", "pull", "--url", database.url()]).exits(0);
    project.run(&["check"]).exits(0).says("R0217").says("`date` is a type of PostgreSQL");
}

/// A generated column makes way for a change of the columns in its expression, and comes back.
#[test]
fn generated_columns_follow_the_columns_of_their_expressions() {
    let schema = "model Item {\n  id Int @id\n  a Int\n  twice Unsupported(\"bigint GENERATED ALWAYS AS ((a * 2)) STORED\")?\n  \
                  b Int?\n}\n";
    let (project, database) = (Project::new(), database("generated"));
    let push = |schema: &str| {
        project.write("schema.dsl", schema);
        project.run(&["db", "push", "--allow-data-loss", "--url", database.url()])
    };
    push(schema).exits(0);
    query(&database, "INSERT INTO \"Item\" (id, a) VALUES (1, 2)");
    let wide = schema.replace("  a Int\n", "  a BigInt\n");
    push(&wide).exits(0).says("column Item.twice is created again, because its expression changes its type");
    assert_eq!(query(&database, "SELECT twice FROM \"Item\""), ["4"]);
    push(&wide).exits(0).says("already has the schema");
    // What stays is told as before.
    let without = wide.replace("  a BigInt\n", "");
    push(&without).exits(1).says("Item.a is dropped: fails because generated column Item.twice uses it");
    push("model Item {\n  id Int @id\n  b Int?\n}\n").exits(0).says("- column Item.twice");
}

/// What a schema says of each type is what a database has, and what is pulled from it.
#[test]
fn types_come_back_as_they_were_written() {
    for (name, extensions) in [
        ("schema.dsl", &["btree_gist", "citext", "hstore", "ltree"][..]),
        ("vectors/schema.dsl", &["vector"]),
        ("places/schema.dsl", &["postgis"]),
    ] {
        let (project, database) = (Project::new(), database("types_come_back"));
        let available = "SELECT name FROM pg_available_extensions";
        let available = query(&database, available);
        if let Some(missing) = extensions.iter().find(|extension| !available.iter().any(|it| it == *extension)) {
            relata_devdb::skip(&format!("this PostgreSQL does not have the extension {missing}"));
            continue;
        }
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/postgres").join(name);
        let said = std::fs::read_to_string(path).expect("is read");
        project.write("schema.dsl", &said);
        project.run(&["db", "push", "--url", database.url()]).exits(0);
        project.run(&["db", "push", "--url", database.url()]).exits(0).says("already");
        project.run(&["db", "pull", "--check", "--url", database.url()]).exits(0);
        project.run(&["db", "pull", "--force", "--naming", "keep", "--url", database.url()]).exits(0);
        project.run(&["db", "push", "--url", database.url()]).exits(0).says("already");
        let types = |text: &str| {
            let words =
                text.lines().filter(|line| line.starts_with("  ") && !line.trim_start().starts_with(['@', '/']));
            let mut found: Vec<String> =
                words.filter_map(|line| line.split_whitespace().nth(1)).map(str::to_owned).collect();
            found.sort();
            found
        };
        let (pulled, said) = (types(&project.read("schema.dsl")), types(&said));
        let kept = [
            "Interval",
            "TstzMultirange?",
            "Hstore?",
            "Ltree?",
            "TsVector?",
            "HalfVec(3)?",
            "Vector(2)[]",
            "Geography(Point,",
            "Geometry?",
        ];
        for ty in kept.iter().filter(|ty| said.iter().any(|it| it == *ty)) {
            let count = |all: &[String]| all.iter().filter(|it| it == ty).count();
            assert_eq!(count(&pulled), count(&said), "{ty}");
        }
    }
}

/// Types that are no scalars have names in the language, unless a model has the name, or the author wrote `Unsupported`.
#[test]
fn types_are_pulled_by_their_names() {
    let (project, database) = (Project::new(), database("type_names"));
    query(
        &database,
        "CREATE TABLE \"Box\" (id int PRIMARY KEY, b box, p point, r tstzrange[], i interval(3), f bit varying(9), t bit(3), \
         q tsquery, c cidr)",
    );
    let pulled = project.run(&["db", "pull", "--url", database.url()]).exits(0);
    let pulled = pulled.says("the client needs the feature `geo` of `relata` for Box.b (box), Box.p (point)");
    pulled.says("texts in the client, unless `@rust` names a type for them: Box.q (tsquery)");
    let schema = project.read("schema.dsl");
    for line in [
        "b  Unsupported(\"box\")?",
        "p  Point?",
        "r  TstzRange[]",
        "i  Interval(3)?",
        "q  Unsupported(\"tsquery\")?",
        "c  Cidr?",
    ] {
        assert!(schema.contains(line), "{line} is not in\n{schema}");
    }
    project.run(&["db", "push", "--url", database.url()]).exits(0).says("already");
    query(&database, "CREATE TABLE nets (net cidr PRIMARY KEY); CREATE TABLE \"MacAddr\" (m macaddr PRIMARY KEY)");
    project.run(&["db", "pull", "--force", "--url", database.url()]).exits(0);
    let pulled = project.read("schema.dsl");
    assert!(pulled.contains("model nets {\n  net Cidr @id\n}"), "{pulled}");
    assert!(pulled.contains("Unsupported(\"macaddr\")") && pulled.contains("@@ignore"), "{pulled}");
    project.run(&["check"]).exits(0);
    query(&database, "DROP TABLE nets, \"MacAddr\"");
    let written = schema
        .replace("Cidr?", "Unsupported(\"cidr\")? @ignore")
        .replace("String?                 @db.VarBit(9)", "VarBit(9)?");
    project.write("schema.dsl", &written);
    query(&database, "ALTER TABLE \"Box\" ADD h inet");
    project.run(&["db", "pull", "--url", database.url()]).exits(0);
    let schema = project.read("schema.dsl");
    assert!(schema.contains("Unsupported(\"cidr\")?") && schema.contains("@ignore"), "{schema}");
    assert!(schema.contains("f  VarBit(9)?") && schema.contains("@db.Inet"), "{schema}");
}

/// `db pull` writes generated columns with their expressions, and a fresh database gets them. Those of foreign keys are
/// left to the database.
#[test]
fn generated_columns_are_pulled() {
    let (project, database, fresh) = (Project::new(), database("generated"), database("generated_fresh"));
    query(
        &database,
        "CREATE TYPE level AS ENUM ('LOW', 'HIGH'); CREATE TABLE p (code text PRIMARY KEY);
         CREATE TABLE t (id int PRIMARY KEY, a int NOT NULL, name varchar(20), l level NOT NULL DEFAULT 'LOW',
            twice int NOT NULL GENERATED ALWAYS AS (a * 2) STORED UNIQUE, short text GENERATED ALWAYS AS (left(name, 2)) STORED,
            high boolean GENERATED ALWAYS AS (l = 'HIGH') STORED, words tsvector GENERATED ALWAYS AS (to_tsvector('simple', name)) STORED,
            parts text[] GENERATED ALWAYS AS (string_to_array(name, ' ')) STORED, quoted text GENERATED ALWAYS AS ('\"\\' || name) STORED,
            code text GENERATED ALWAYS AS (left(name, 1)) STORED REFERENCES p)",
    );
    let is_18 = query(&database, "SELECT current_setting('server_version_num')::int >= 180000") == ["t"];
    if is_18 {
        query(&database, "ALTER TABLE t ADD v int GENERATED ALWAYS AS (a + 1) VIRTUAL");
    }
    let pulled = project.run(&["db", "pull", "--url", database.url()]).exits(0);
    pulled.says("generated column: public.t.code").hides("public.t.twice");
    let schema = project.read("schema.dsl");
    for line in ["@generated(\"(a * 2)\")", "TsVector?", "@default(dbgenerated())"] {
        assert!(schema.contains(line), "{line} is not in\n{schema}");
    }
    assert_eq!(schema.contains("virtual: true"), is_18);
    project.run(&["db", "pull", "--check", "--url", database.url()]).exits(0);
    let compare = |database: &relata_devdb::TestDatabase| {
        project
            .run(&["migrate-diff", "--from-url", database.url(), "--to-schema", "schema.dsl", "--exit-code"])
            .exits(0);
    };
    compare(&database);
    project.run(&["db", "push", "--url", fresh.url()]).exits(0);
    compare(&fresh);
    let columns = "SELECT attname, attnotnull, pg_get_expr(adbin, adrelid) FROM pg_attribute JOIN pg_attrdef ON adrelid = attrelid
        AND adnum = attnum WHERE attrelid = 't'::regclass AND attgenerated <> '' AND attname <> 'code' ORDER BY 1";
    let columns = format!("SELECT string_agg(c::text, ';') FROM ({columns}) AS c");
    assert_eq!(query(&database, &columns), query(&fresh, &columns));
}
