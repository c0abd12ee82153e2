//! What a piece of SQL may use, found by name.
//!
//! If a name means something else, an object is created once more than necessary. A missed dependency would lead to a
//! statement that fails.

use std::collections::BTreeSet;

use relata_pgsql::{TokenKind, tokens};

use crate::sql::state::{Need, ObjectKey, ObjectName, State};

/// The names and keywords of a piece of SQL, as PostgreSQL folds them.
pub(super) struct Mentions(BTreeSet<String>);

impl Mentions {
    pub(super) fn of(sql: &str) -> Self {
        let is_name = |kind| matches!(kind, TokenKind::Word | TokenKind::QuotedIdent | TokenKind::UnicodeIdent);
        Self(tokens(sql).filter(|token| is_name(token.kind)).map(|token| token.value(sql).into_owned()).collect())
    }

    pub(super) fn names(&self, name: &str) -> bool {
        self.0.contains(name)
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
        let named = known.iter().filter(|(name, key)| key != own && self.names(name));
        named.map(|(_, key)| Need::Object(key.clone())).collect()
    }
}

/// Returns a name as PostgreSQL prints it.
pub(super) fn printed(name: &ObjectName) -> String {
    let printed = relata_pgsql::ident_if_needed;
    match &name.schema {
        Some(schema) => format!("{}.{}", printed(schema), printed(&name.name)),
        None => printed(&name.name),
    }
}
