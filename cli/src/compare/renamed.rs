//! The renames of a migration, read from its SQL, so that its reverse migration needs no flags.
//!
//! No snapshot contains a rename that was specified on the command line; only its statement does. The renames read here
//! are hints: the differ uses those that apply to the two snapshots.

use relata::migrate::Migration;
use relata_codegen::sql::Rename;
use relata_pgsql::{Token, TokenKind, Tokens, tokens};

/// A path that ends with a dot, or is empty, and a name.
type Place = (String, String);

/// Something that is renamed, or moved to another schema.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Moved {
    /// Whether it is part of a table or type: a column or a value.
    is_part: bool,
    before: Place,
    now: Place,
}

/// The renames of the reverse migration.
pub(crate) fn reverse_renames(migration: &Migration) -> Vec<Rename> {
    net(migration).into_iter().map(|it| rename(it.is_part, it.now, it.before)).collect()
}

/// The renames of the migration.
pub(crate) fn renames(migration: &Migration) -> Vec<Rename> {
    net(migration).into_iter().map(|it| rename(it.is_part, it.before, it.now)).collect()
}

/// Where everything that is renamed or moved was before the migration, and is afterwards.
fn net(migration: &Migration) -> Vec<Moved> {
    let mut net: Vec<Moved> = Vec::new();
    for mut moved in migration.script().statements().filter_map(|statement| renamed(&statement.sql)) {
        if !moved.is_part {
            let (before, now) = (path_in(&moved.before), path_in(&moved.now));
            let parts = net.iter_mut().filter(|other| other.is_part && other.now.0 == before);
            parts.for_each(|part| part.now.0.clone_from(&now));
        }
        match net.iter_mut().find(|other| other.is_part == moved.is_part && other.now == moved.before) {
            Some(earlier) => earlier.now = moved.now,
            None => {
                // The table may have had another name before the migration.
                let table = net.iter().find(|other| moved.is_part && path_in(&other.now) == moved.before.0);
                moved.before.0 = table.map_or(moved.before.0, |table| path_in(&table.before));
                net.push(moved);
            }
        }
    }
    net.retain(|moved| if moved.is_part { moved.before.1 != moved.now.1 } else { moved.before != moved.now });
    net
}

/// The path of what is in a table or type.
fn path_in((path, name): &Place) -> String {
    format!("{path}{name}.")
}

/// A rename as an option. If the schema changes, the new name has its schema.
fn rename(is_part: bool, from: Place, to: Place) -> Rename {
    let to = if is_part || from.0 == to.0 { to.1 } else { to.0 + &to.1 };
    Rename { from: from.0 + &from.1, to }
}

/// What a statement renames or moves: where it was, and where it is.
fn renamed(sql: &str) -> Option<Moved> {
    let mut reader = Reader { sql, tokens: tokens(sql) };
    let is_type = match (reader.word("alter"), reader.word("table"), reader.word("type")) {
        (true, true, false) => false,
        (true, false, true) => true,
        _ => return None,
    };
    if reader.word("if") {
        reader.word("exists");
    }
    reader.word("only");
    let (schema, name) = reader.path()?;
    let path = schema.map_or_else(String::new, |schema| format!("{schema}."));
    if reader.word("set") {
        let schema = reader.word("schema").then(|| reader.identifier()).flatten()?;
        return Some(Moved { is_part: false, before: (path, name.clone()), now: (format!("{schema}."), name) });
    }
    if !reader.word("rename") {
        return None;
    }
    if reader.word("to") {
        let to = reader.identifier()?;
        return Some(Moved { is_part: false, before: (path.clone(), name), now: (path, to) });
    }
    if reader.word("constraint") || (is_type && !reader.word("value")) {
        return None;
    }
    reader.word("column");
    let part = |reader: &mut Reader<'_>| if is_type { reader.string() } else { reader.identifier() };
    let from = part(&mut reader)?;
    if !reader.word("to") {
        return None;
    }
    let to = part(&mut reader)?;
    let path = format!("{path}{name}.");
    Some(Moved { is_part: true, before: (path.clone(), from), now: (path, to) })
}

/// Reads a statement from left to right.
struct Reader<'a> {
    sql: &'a str,
    tokens: Tokens<'a>,
}

impl Reader<'_> {
    /// Takes the next token if the condition holds for it.
    fn take(&mut self, is_it: impl Fn(&Token) -> bool) -> Option<Token> {
        let mut rest = self.tokens.clone();
        let token = rest.find(|token| !token.is_comment()).filter(is_it)?;
        self.tokens = rest;
        Some(token)
    }

    /// Takes this keyword if it comes next.
    fn word(&mut self, word: &str) -> bool {
        let sql = self.sql;
        self.take(|token| token.is_word(sql, word)).is_some()
    }

    fn identifier(&mut self) -> Option<String> {
        use TokenKind::{QuotedIdent, UnicodeIdent, Word};
        let token = self.take(|token| matches!(token.kind, Word | QuotedIdent | UnicodeIdent))?;
        Some(token.value(self.sql).into_owned())
    }

    fn string(&mut self) -> Option<String> {
        let token = self.take(Token::is_string)?;
        Some(token.value(self.sql).into_owned())
    }

    /// A name, and its schema if it is qualified.
    fn path(&mut self) -> Option<(Option<String>, String)> {
        let (sql, first) = (self.sql, self.identifier()?);
        match self.take(|token| token.is_punctuation(sql, ".")) {
            Some(_) => Some((Some(first), self.identifier()?)),
            None => Some((None, first)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn renames_are_turned_around() {
        for (sql, expected) in [
            ("ALTER TABLE \"users\" RENAME TO \"people\"", "people:users"),
            ("alter table only shop.Users rename Name to full_name", "shop.users.full_name:name"),
            ("ALTER TABLE \"a\"\"b\"\n-- why\n RENAME COLUMN \"x\" TO \"y z\"", "a\"b.y z:x"),
            ("ALTER TYPE \"Role\" RENAME TO \"Rank\"", "Rank:Role"),
            ("ALTER TYPE \"Role\" RENAME VALUE 'it''s' TO 'B'", "Role.B:it's"),
            ("ALTER/* a */TABLE\"users\"RENAME/* b */TO\"people\"", "people:users"),
            ("ALTER TABLE U&\"user\\0073\" RENAME TO people", "people:users"),
            ("ALTER TYPE r RENAME VALUE E'a\\'b' TO $$it's$$", "r.it's:a'b"),
        ] {
            let reverse = renamed(sql).map(|it| rename(it.is_part, it.now, it.before).to_string());
            assert_eq!(reverse.as_deref(), Some(expected), "{sql}");
        }
        let swap = "ALTER TABLE a RENAME TO a__old; ALTER TABLE b RENAME TO a; ALTER TABLE a__old RENAME TO b";
        let migrations = relata::migrate::Migrations::from_static(&[("1", swap)]).expect("well-formed");
        let net = reverse_renames(migrations.get("1").expect("there"));
        assert_eq!(net.iter().map(Rename::to_string).collect::<Vec<_>>(), ["b:a", "a:b"]);
        let moved = "ALTER TABLE a.x SET SCHEMA \"b\"; ALTER TABLE b.x RENAME TO y; ALTER TYPE a.k SET SCHEMA b";
        let migrations = relata::migrate::Migrations::from_static(&[("1", moved)]).expect("well-formed");
        let migration = migrations.get("1").expect("there");
        let words = |all: Vec<Rename>| all.iter().map(Rename::to_string).collect::<Vec<_>>();
        assert_eq!(words(reverse_renames(migration)), ["b.y:a.x", "b.k:a.k"]);
        assert_eq!(words(renames(migration)), ["a.x:b.y", "a.k:b.k"]);
        // A column keeps its table, whichever is renamed first.
        let after = "ALTER TABLE a RENAME TO b; ALTER TABLE b RENAME x TO y; ALTER TABLE b RENAME y TO z";
        let first = "ALTER TABLE a RENAME x TO y; ALTER TABLE a RENAME y TO z; ALTER TABLE a RENAME TO b";
        for sql in [after, first] {
            let migrations = relata::migrate::Migrations::from_static(&[("1", sql)]).expect("well-formed");
            let migration = migrations.get("1").expect("there");
            let sorted = |mut all: Vec<String>| {
                all.sort();
                all
            };
            assert_eq!(sorted(words(reverse_renames(migration))), ["b.z:x", "b:a"], "{sql}");
            assert_eq!(sorted(words(renames(migration))), ["a.x:z", "a:b"], "{sql}");
        }
        for other in [
            "ALTER TABLE t SET (fillfactor = 70)",
            "ALTER TABLE t RENAME CONSTRAINT a TO b",
            "ALTER TABLE t ADD COLUMN rename int",
            "ALTER INDEX a RENAME TO b",
            "ALTER TABLE t RENAME",
            "ALTER TYPE t RENAME ATTRIBUTE a TO b",
            "ALTER TABLE \"t",
            "",
        ] {
            assert_eq!(renamed(other), None, "{other}");
        }
    }
}
