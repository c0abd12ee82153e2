//! Finds out from the catalog whether an interrupted statement outside a transaction took effect.
//!
//! Recognises the few statements that cannot run in a transaction, and asks PostgreSQL for their objects. All others
//! are considered unfinished, so that the statement runs again and the server decides.

use tokio_postgres::Client;

use relata_pgsql::{Token, TokenKind, ident, tokens};

/// A statement whose effect can be found in the catalog.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Effect {
    /// `CREATE [UNIQUE] INDEX CONCURRENTLY index ON table`. Both names are folded and quoted.
    CreateIndex { index: String, table: String },
    /// `DROP INDEX CONCURRENTLY index`.
    DropIndex { index: String },
    /// `ALTER TYPE type ADD VALUE 'label'`.
    AddEnumValue { enum_type: String, label: String },
    /// Anything else.
    Other,
}

/// A statement's tokens without comments, read from left to right.
struct Reader<'a> {
    sql: &'a str,
    tokens: Vec<Token>,
    at: usize,
}

impl<'a> Reader<'a> {
    fn new(sql: &'a str) -> Self {
        let tokens = tokens(sql).filter(|token| !token.is_comment()).collect();
        Self { sql, tokens, at: 0 }
    }

    /// Consumes these words if they come next, all of them or none.
    fn words(&mut self, words: &[&str]) -> bool {
        let found = words
            .iter()
            .enumerate()
            .all(|(offset, word)| self.tokens.get(self.at + offset).is_some_and(|token| token.is_word(self.sql, word)));
        if found {
            self.at += words.len();
        }
        found
    }

    /// Reads an identifier, and returns it without quotes.
    fn identifier(&mut self) -> Option<String> {
        let token = self.tokens.get(self.at)?;
        let is_name = matches!(token.kind, TokenKind::Word | TokenKind::QuotedIdent | TokenKind::UnicodeIdent);
        self.at += usize::from(is_name);
        is_name.then(|| token.value(self.sql).into_owned())
    }

    /// Reads a name with or without a schema, and returns it quoted.
    fn qualified_name(&mut self) -> Option<String> {
        let mut name = ident(&self.identifier()?);
        while self.tokens.get(self.at).is_some_and(|token| token.is_punctuation(self.sql, ".")) {
            self.at += 1;
            name = format!("{name}.{}", ident(&self.identifier()?));
        }
        Some(name)
    }

    /// Reads a string constant.
    fn string(&mut self) -> Option<String> {
        let token = self.tokens.get(self.at).filter(|token| token.is_string())?;
        self.at += 1;
        Some(token.value(self.sql).into_owned())
    }
}

/// Returns the effect of the statement, if it is one of those that can be looked up.
pub(super) fn effect(sql: &str) -> Effect {
    create_index(sql).or_else(|| drop_index(sql)).or_else(|| add_enum_value(sql)).unwrap_or(Effect::Other)
}

fn create_index(sql: &str) -> Option<Effect> {
    let mut reader = Reader::new(sql);
    let create = reader.words(&["create", "unique", "index", "concurrently"])
        || reader.words(&["create", "index", "concurrently"]);
    if !create {
        return None;
    }
    reader.words(&["if", "not", "exists"]);
    let index = reader.identifier()?;
    if !reader.words(&["on"]) {
        return None;
    }
    reader.words(&["only"]);
    Some(Effect::CreateIndex { index, table: reader.qualified_name()? })
}

fn drop_index(sql: &str) -> Option<Effect> {
    let mut reader = Reader::new(sql);
    if !reader.words(&["drop", "index", "concurrently"]) {
        return None;
    }
    reader.words(&["if", "exists"]);
    Some(Effect::DropIndex { index: reader.qualified_name()? })
}

fn add_enum_value(sql: &str) -> Option<Effect> {
    let mut reader = Reader::new(sql);
    if !reader.words(&["alter", "type"]) {
        return None;
    }
    let enum_type = reader.qualified_name()?;
    if !reader.words(&["add", "value"]) {
        return None;
    }
    reader.words(&["if", "not", "exists"]);
    Some(Effect::AddEnumValue { enum_type, label: reader.string()? })
}

/// Returns whether the statement waits for other transactions without blocking anyone, so that it may wait for long.
pub(super) fn is_concurrent(sql: &str) -> bool {
    Reader::new(sql).tokens.iter().any(|token| token.is_word(sql, "concurrently"))
}

const INDEX: &str = "
    SELECT i.indisvalid, format('%I.%I', n.nspname, c.relname)
    FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE i.indrelid = to_regclass($1) AND c.relname = $2";

/// Finds an index of a table: its qualified name, and whether it is valid.
pub(super) async fn find_index(
    client: &Client,
    table: &str,
    index: &str,
) -> Result<Option<(String, bool)>, tokio_postgres::Error> {
    let row = client.query_opt(INDEX, &[&table, &index]).await?;
    row.map(|row| Ok((row.try_get(1)?, row.try_get(0)?))).transpose()
}

/// Returns whether the statement of an interrupted run took effect.
pub(super) async fn has_happened(client: &Client, effect: &Effect) -> Result<bool, tokio_postgres::Error> {
    match effect {
        Effect::CreateIndex { index, table } => {
            Ok(find_index(client, table, index).await?.is_some_and(|(_, valid)| valid))
        }
        Effect::DropIndex { index } => client.query_one("SELECT to_regclass($1) IS NULL", &[index]).await?.try_get(0),
        Effect::AddEnumValue { enum_type, label } => {
            let sql = "SELECT EXISTS (SELECT 1 FROM pg_enum WHERE enumtypid = to_regtype($1) AND enumlabel = $2)";
            client.query_one(sql, &[enum_type, label]).await?.try_get(0)
        }
        Effect::Other => Ok(false),
    }
}

/// Drops the invalid index that a failed `CREATE INDEX CONCURRENTLY` left behind.
pub(super) async fn drop_invalid(client: &Client, effect: &Effect) -> Result<(), tokio_postgres::Error> {
    let Effect::CreateIndex { index, table } = effect else { return Ok(()) };
    if let Some((name, false)) = find_index(client, table, index).await? {
        tracing::info!(index = name, "dropping the invalid index of an earlier attempt");
        client.execute_typed(&format!("DROP INDEX CONCURRENTLY IF EXISTS {name}"), &[]).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_are_read_as_postgresql_reads_them() {
        let index = |index: &str, table: &str| Effect::CreateIndex { index: index.to_owned(), table: table.to_owned() };
        assert_eq!(effect("CREATE INDEX CONCURRENTLY Ab ON Users (a)"), index("ab", "\"users\""));
        assert_eq!(
            effect("create unique index concurrently if not exists \"A\"\"b\" on only s.\"T\" using gin (a)"),
            index("A\"b", "\"s\".\"T\"")
        );
        assert_eq!(
            effect("DROP INDEX /* now */ CONCURRENTLY IF EXISTS s.a"),
            Effect::DropIndex { index: "\"s\".\"a\"".to_owned() }
        );
        assert_eq!(
            effect("ALTER TYPE role ADD VALUE IF NOT EXISTS 'it''s' BEFORE 'x'"),
            Effect::AddEnumValue { enum_type: "\"role\"".to_owned(), label: "it's".to_owned() }
        );
        for other in
            ["CREATE INDEX a ON t (a)", "CREATE INDEX CONCURRENTLY ON t (a)", "ALTER TYPE t RENAME TO u", "", "'"]
        {
            assert_eq!(effect(other), Effect::Other, "{other}");
        }
    }

    #[test]
    fn only_the_keyword_makes_a_statement_concurrent() {
        assert!(is_concurrent("REINDEX TABLE CONCURRENTLY t"));
        assert!(!is_concurrent("SELECT 'concurrently', \"concurrently\" -- concurrently"));
    }
}
