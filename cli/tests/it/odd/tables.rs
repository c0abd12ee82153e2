//! Tables and what connects them.

use super::sketch::{Sketch, ident};

pub(super) fn plain_table(s: &mut Sketch) {
    let (table, a, b) = (s.quoted(), s.quoted(), s.quoted());
    s.run(&format!("CREATE TABLE {table} (id serial PRIMARY KEY, {a} text NOT NULL UNIQUE, {b} int CHECK ({b} > 0))"));
}

pub(super) fn keyless_tables(s: &mut Sketch) {
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

pub(super) fn foreign_keys(s: &mut Sketch) {
    let (parent, child, key, twice) = (s.quoted(), s.quoted(), s.quoted(), s.quoted());
    s.run(&format!("CREATE TABLE {parent} (id bigint PRIMARY KEY, a int, b int NOT NULL, UNIQUE (a, b))"));
    s.run(&format!(
        "CREATE TABLE {child} (id int PRIMARY KEY, p int, a int, b int NOT NULL, q bigint,
         CONSTRAINT {key} FOREIGN KEY (p) REFERENCES {parent}, FOREIGN KEY (a, b) REFERENCES {parent} (a, b) ON DELETE SET NULL,
         FOREIGN KEY (q) REFERENCES {parent}, CONSTRAINT {twice} FOREIGN KEY (q) REFERENCES {parent} ON DELETE CASCADE)"
    ));
}

pub(super) fn relations(s: &mut Sketch) {
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

pub(super) fn join_tables(s: &mut Sketch) {
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

pub(super) fn partitions(s: &mut Sketch) {
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

pub(super) fn inheritance(s: &mut Sketch) {
    let (base, heir, unlogged, typed, ty) = (s.quoted(), s.quoted(), s.quoted(), s.quoted(), s.quoted());
    s.run(&format!("CREATE TABLE {base} (x int CHECK (x > 0))"));
    s.run(&format!("CREATE TABLE {heir} (y int PRIMARY KEY) INHERITS ({base})"));
    s.run(&format!("CREATE UNLOGGED TABLE {unlogged} (x int PRIMARY KEY) WITH (fillfactor = 70)"));
    s.run(&format!("CREATE TYPE {ty} AS (a int, b text); CREATE TABLE {typed} OF {ty} (PRIMARY KEY (a))"));
    for name in [&heir, &typed, &ty] {
        s.tell(name);
    }
}

pub(super) fn names_that_become_one(s: &mut Sketch) {
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

pub(super) fn strange_tables(s: &mut Sketch) {
    let (empty, wide) = (s.quoted(), s.quoted());
    s.run(&format!("CREATE TABLE {empty} ()"));
    let columns: Vec<String> = (0..40).map(|number| format!("c{number} int")).collect();
    s.run(&format!("CREATE TABLE {wide} ({}, PRIMARY KEY (c0))", columns.join(", ")));
    s.run(&format!("ALTER TABLE {wide} DROP COLUMN c1, DROP COLUMN c39"));
}
