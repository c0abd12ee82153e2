//! What a piece of SQL may use, found by name.
//!
//! If a name means something else, an object is created once more than necessary. A missed dependency would lead to a
//! statement that fails.

use std::collections::BTreeSet;

use relata_pgsql::{Token, TokenKind, tokens};

use crate::sql::state::{Need, ObjectKey, State};

/// The names and keywords of a piece of SQL, as PostgreSQL folds them.
pub(super) struct Mentions {
    names: BTreeSet<String>,
    /// Those in front of a parenthesis.
    called: BTreeSet<String>,
    /// Strings: a sequence is named by one.
    texts: Vec<String>,
    reads_all: bool,
}

impl Mentions {
    pub(super) fn of(sql: &str) -> Self {
        let all: Vec<Token> = tokens(sql).filter(|token| !token.is_comment()).collect();
        let is_name =
            |token: &Token| matches!(token.kind, TokenKind::Word | TokenKind::QuotedIdent | TokenKind::UnicodeIdent);
        let value = |token: &Token| token.value(sql).into_owned();
        let is_call = |pair: &&[Token]| is_name(&pair[0]) && pair[1].is_punctuation(sql, "(");
        Self {
            names: all.iter().filter(|token| is_name(token)).map(value).collect(),
            called: all.windows(2).filter(is_call).map(|pair| value(&pair[0])).collect(),
            texts: all.iter().filter(|token| token.is_string()).map(value).collect(),
            reads_all: reads_all(sql, &all),
        }
    }

    pub(super) fn names(&self, name: &str) -> bool {
        self.names.contains(name)
    }

    /// Returns whether it selects all columns of something, or joins by columns that it does not name.
    pub(super) fn reads_all(&self) -> bool {
        self.reads_all
    }

    /// Returns whether it uses an object of this kind and name. A function is called.
    pub(super) fn uses(&self, kind: &str, name: &str) -> bool {
        match kind {
            "function" | "procedure" => self.called.contains(name),
            "sequence" => self.names(name) || self.texts.iter().any(|text| is_sequence(text, name)),
            _ => self.names(name),
        }
    }

    /// Returns the tables that it names, with their columns: all, or those that it names.
    pub(super) fn tables(&self, state: &State, all_columns: bool) -> Vec<Need> {
        let mut found = Vec::new();
        for table in state.tables.iter().filter(|table| self.names(&table.name.name)) {
            found.push(Need::Table(table.name.clone()));
            let columns = table.columns.iter().filter(|column| all_columns || self.names(&column.name));
            found.extend(columns.map(|column| Need::Column(table.name.clone(), column.name.clone())));
        }
        found
    }

    /// Returns the enums that it names.
    pub(super) fn enums(&self, state: &State) -> Vec<Need> {
        state.enums.iter().filter(|ty| self.names(&ty.name.name)).map(|ty| Need::Enum(ty.name.clone())).collect()
    }

    /// Returns those of these objects that it names, without `own`.
    pub(super) fn objects(&self, known: &[(String, ObjectKey)], own: &ObjectKey) -> Vec<Need> {
        let named = known.iter().filter(|(name, key)| key != own && self.uses(&key.kind, name));
        named.map(|(_, key)| Need::Object(key.clone())).collect()
    }
}

/// Returns whether a string may be the name of a sequence: `'invoice_numbers'`, `'shop."Numbers"'`.
fn is_sequence(text: &str, name: &str) -> bool {
    let last = text.rsplit('.').next().unwrap_or_default();
    last.trim_matches('"') == name || last.to_lowercase() == name
}

/// Returns whether a query selects all columns of something: a `*` that is neither a product nor part of `count(*)`.
fn reads_all(sql: &str, tokens: &[Token]) -> bool {
    let begins_item = |token: &Token| {
        token.is_punctuation(sql, ".")
            || token.is_punctuation(sql, ",")
            || ["select", "all", "distinct", "returning"].iter().any(|word| token.is_word(sql, word))
    };
    let is_natural = |token: &Token| token.is_word(sql, "natural");
    tokens.windows(2).any(|pair| pair[1].text(sql) == "*" && begins_item(&pair[0])) || tokens.iter().any(is_natural)
}
