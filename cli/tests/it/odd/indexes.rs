//! Constraints and indexes, including those that the schema language cannot express.

use super::sketch::{Sketch, literal};

pub(super) fn constraints_beyond(s: &mut Sketch) {
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
    for name in [checked, lonely] {
        s.tell(name);
    }
}

pub(super) fn indexes(s: &mut Sketch) {
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

pub(super) fn indexes_beyond(s: &mut Sketch) {
    let (table, check) = (s.quoted(), s.quoted());
    s.run(&format!("CREATE TABLE {table} (id int PRIMARY KEY, a text, b int, CONSTRAINT {check} CHECK (b > 0))"));
    for index in [
        "UNIQUE INDEX NAME ON TABLE (a text_pattern_ops)",
        "INDEX NAME ON TABLE (b, b)",
        "INDEX NAME ON TABLE (a COLLATE \"C\")",
    ] {
        let name = s.quoted();
        s.run(&format!("CREATE {}", index.replace("NAME", &name).replace("TABLE", &table)));
        s.tell(&name);
    }
    for index in ["(a) INCLUDE (b)", "(b NULLS FIRST)", "(b DESC NULLS LAST)", "(b) WITH (fillfactor = 50)"] {
        let name = s.quoted();
        s.run(&format!("CREATE INDEX {name} ON {table} {index}"));
    }
    // An index and a check of one name.
    s.run(&format!("CREATE INDEX {check} ON {table} (b)"));
    let statistics = s.quoted();
    s.run(&format!("CREATE STATISTICS {statistics} ON a, b FROM {table}"));
    s.tell(&statistics);
}
