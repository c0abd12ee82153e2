//! What a migration renamed, read from its SQL, so that it can be undone without being told again.
//!
//! A rename said on the command line is in no snapshot; the statement is the only trace of it. What is read here is a
//! proposal: the differ takes the renames that fit the two snapshots.

use relata::migrate::Migration;
use relata_codegen::sql::Rename;
use relata_pgsql::{Token, TokenKind, Tokens, tokens};

/// The renames that lead back.
pub(crate) fn reverse_renames(migration: &Migration) -> Vec<Rename> {
    let mut net = Vec::new();
    for back in migration.script().statements().filter_map(|statement| reverse_rename(&statement.sql)) {
        // The statement renames `back.to` to what `back.from` ends with.
        let (path, new) = split(&back.from);
        match net.iter_mut().find(|(other, _, now)| *other == path && *now == back.to) {
            Some(earlier) => earlier.2 = new,
            None => net.push((path, back.to, new)),
        }
    }
    net.retain(|(_, old, new)| old != new);
    net.into_iter().map(|(path, old, new)| Rename { from: format!("{path}{new}"), to: old }).collect()
}

/// The renames as they were said.
pub(crate) fn renames(migration: &Migration) -> Vec<Rename> {
    let turn = |Rename { from, to }: Rename| {
        let (path, new) = split(&from);
        Rename { from: format!("{path}{to}"), to: new }
    };
    reverse_renames(migration).into_iter().map(turn).collect()
}

/// `shop.users.name` is `shop.users.` and `name`.
fn split(path: &str) -> (String, String) {
    let at = path.rfind('.').map_or(0, |at| at + 1);
    (path[..at].to_owned(), path[at..].to_owned())
}

fn reverse_rename(sql: &str) -> Option<Rename> {
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
    let path = |name: &str| schema.as_ref().map_or_else(|| name.to_owned(), |schema| format!("{schema}.{name}"));
    if !reader.word("rename") {
        return None;
    }
    if reader.word("to") {
        let to = reader.identifier()?;
        return Some(Rename { from: path(&to), to: name });
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
    Some(Rename { from: format!("{}.{to}", path(&name)), to: from })
}

/// Reads a statement from left to right.
struct Reader<'a> {
    sql: &'a str,
    tokens: Tokens<'a>,
}

impl Reader<'_> {
    /// Takes the next token if it is such a one.
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

    /// A name and its schema, if that is written.
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
            assert_eq!(reverse_rename(sql).map(|rename| rename.to_string()).as_deref(), Some(expected), "{sql}");
        }
        let swap = "ALTER TABLE a RENAME TO a__old; ALTER TABLE b RENAME TO a; ALTER TABLE a__old RENAME TO b";
        let migrations = relata::migrate::Migrations::from_static(&[("1", swap)]).expect("well-formed");
        let net = reverse_renames(migrations.get("1").expect("there"));
        assert_eq!(net.iter().map(Rename::to_string).collect::<Vec<_>>(), ["b:a", "a:b"]);
        for other in [
            "ALTER TABLE t RENAME CONSTRAINT a TO b",
            "ALTER TABLE t ADD COLUMN rename int",
            "ALTER INDEX a RENAME TO b",
            "ALTER TABLE t RENAME",
            "ALTER TYPE t RENAME ATTRIBUTE a TO b",
            "ALTER TABLE \"t",
            "",
        ] {
            assert_eq!(reverse_rename(other), None, "{other}");
        }
    }
}
