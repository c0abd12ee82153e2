//! Which constructs of the schema language random cases had.

use std::collections::BTreeMap;

const SEVERAL: &str = "several schemas";

/// Constructs, and the words of a schema or a file of `sql` by which they are found.
const CONSTRUCTS: &[(&str, &[&str])] = &[
    (SEVERAL, &["  schemas = ["]),
    ("models and enums in a schema", &["  @@schema("]),
    ("extensions", &["  extensions = ["]),
    ("citext", &["@db.Citext"]),
    ("domains", &["CREATE DOMAIN"]),
    ("fields with a domain", &[" @domain("]),
    ("lists of a domain", &["[]", " @domain("]),
    ("generated columns", &[" @generated("]),
    ("unique generated columns", &[" @unique", " @generated("]),
    ("identity columns", &[" @identity"]),
    ("identity columns with options", &[" @identity(start"]),
    ("collations", &[" @collate("]),
    ("partitions by range", &["@@partitionBy(Range"]),
    ("partitions by list", &["@@partitionBy(List"]),
    ("partitions by hash", &["@@partitionBy(Hash"]),
    ("composite types", &["CREATE TYPE"]),
    ("fields of a composite type", &["Unsupported(", "ct"]),
    ("sequences", &["CREATE SEQUENCE"]),
    ("defaults from a sequence", &["nextval("]),
    ("procedures", &["CREATE PROCEDURE"]),
    ("functions", &["CREATE FUNCTION"]),
    ("triggers", &["CREATE TRIGGER"]),
    ("policies", &["CREATE POLICY"]),
    ("views", &["\nview "]),
    ("materialized views", &["  @@materialized"]),
    ("options of a view", &["  @@with(\"security_barrier"]),
    ("checks", &["  @@check("]),
    ("exclusion constraints", &["  @@exclude(["]),
    ("exclusion constraints with gist", &["  @@exclude([", "type: Gist"]),
    ("keys of two fields", &["  @@id(["]),
    ("included columns", &["include: ["]),
    ("nulls first", &["nulls: First"]),
    ("nulls last", &["nulls: Last"]),
    ("nulls not distinct", &["nullsNotDistinct: true"]),
    ("deferrable keys", &["  @@unique([", "deferrable: Initially"]),
    ("deferrable unique fields", &[" @unique(deferrable: Initially"]),
    ("storage parameters of indexes", &["  @@index([", "with: \"fillfactor"]),
    ("storage parameters of primary keys", &[" @id(with: \"fillfactor"]),
    ("hash indexes", &["type: Hash"]),
    ("brin indexes", &["type: Brin"]),
    ("gin indexes", &["type: Gin"]),
    ("operator classes", &["ops: "]),
    ("spgist indexes", &["type: SpGist"]),
    ("partial indexes", &["  @@index([", "where: raw("]),
    ("indexes on expressions", &["([raw("]),
    ("storage parameters of tables", &["  @@with(\"fillfactor=", "autovacuum"]),
    ("unlogged tables", &["  @@unlogged"]),
    ("foreign keys", &[" @relation(\"r", "fields: ["]),
    ("foreign keys of two columns", &["references: [id, "]),
    ("match full", &["match: Full"]),
    ("columns set to null", &["setNull: ["]),
    ("deferrable foreign keys", &[" @relation(\"r", "deferrable: Initially"]),
    ("actions on updates", &["onUpdate: "]),
    ("join tables", &["[] @relation(\"p"]),
    ("comments", &["/// "]),
];

/// How often each construct occurred: in how many cases, and in how many of these the edits changed it.
#[derive(Debug, Default)]
pub(super) struct Coverage(BTreeMap<&'static str, [usize; 2]>);

/// The lines of a text that contain all of the words.
fn lines<'t>(text: &'t str, words: &[&str]) -> Vec<&'t str> {
    // A block begins on a line of its own.
    let is_it = |line: &&str| words.iter().all(|word| line.contains(word.trim_start_matches('\n')));
    text.lines().filter(is_it).collect()
}

impl Coverage {
    /// Counts what the two ends of a case have.
    pub(super) fn count(&mut self, ends: [&str; 2]) {
        for (name, words) in CONSTRUCTS {
            let [previous, next] = ends.map(|text| lines(text, words));
            let counted = self.0.entry(name).or_default();
            counted[0] += usize::from(!previous.is_empty() || !next.is_empty());
            counted[1] += usize::from(previous != next);
        }
    }

    pub(super) fn add(&mut self, other: Self) {
        for (name, counts) in other.0 {
            let counted = self.0.entry(name).or_default();
            *counted = [counted[0] + counts[0], counted[1] + counts[1]];
        }
    }

    /// What never occurred, or was never changed. A schema has several schemas before and afterwards.
    pub(super) fn missing(&self) -> Vec<&'static str> {
        let is_missing = |name: &str, [cases, changes]: [usize; 2]| cases == 0 || changes == 0 && name != SEVERAL;
        self.0.iter().filter(|(name, counts)| is_missing(name, **counts)).map(|(name, _)| *name).collect()
    }

    /// The counts in words.
    pub(super) fn text(&self) -> String {
        let counts = CONSTRUCTS.iter().filter_map(|(name, _)| self.0.get_key_value(name));
        let words = counts.map(|(name, [cases, changes])| format!("{name} {cases} ({changes} changed)"));
        words.collect::<Vec<_>>().join(", ")
    }
}
