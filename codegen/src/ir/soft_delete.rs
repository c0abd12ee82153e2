//! `@softDelete`: rows that are marked as deleted, and keys that are unique only among the others.

use relata_pgsql::{Lexeme, lexemes};

use super::{ColumnWalker, Index, IndexTarget, ModelWalker, RelationWalker};

/// Returns whether a condition is that a column is null, however SQL writes it.
pub(crate) fn is_null_test(sql: &str, column: &str) -> bool {
    let Some(found) = lexemes(sql) else { return false };
    let mut found = found.as_slice();
    let is = |lexeme: &Lexeme, sign: &str| matches!(lexeme, Lexeme::Sign(known) if known == sign);
    while let [open, inner @ .., close] = found
        && is(open, "(")
        && is(close, ")")
    {
        found = inner;
    }
    let is_word = |lexeme: &Lexeme, word: &str| matches!(lexeme, Lexeme::Word(known) if known == word);
    match found {
        [Lexeme::Word(name) | Lexeme::Quoted(name), is, null] => {
            name == column && is_word(is, "is") && is_word(null, "null")
        }
        _ => false,
    }
}

impl<'s> ModelWalker<'s> {
    /// Returns the column that marks deleted rows, if the model has `@softDelete`.
    pub fn deletion_column(self) -> Option<ColumnWalker<'s>> {
        self.columns().find(|column| column.column().soft_delete)
    }

    /// Returns the unique indexes that identify a row among those that are not deleted.
    pub fn live_indexes(self) -> impl Iterator<Item = &'s Index> {
        let column = self.deletion_column().map(|column| column.db_name());
        self.model().indexes.iter().filter(move |index| {
            let predicate = index.predicate.as_deref().zip(column);
            index.unique
                && predicate.is_some_and(|(sql, column)| is_null_test(sql, column))
                && index.fields.iter().all(|field| matches!(field.target, IndexTarget::Field(_)))
        })
    }
}

impl RelationWalker<'_> {
    /// Returns whether marking a row of the referenced model as deleted also marks the rows that reference it:
    /// `onDelete: Cascade` between two models with `@softDelete`.
    pub fn cascades_marks(self) -> bool {
        let cascades = self.foreign_key().is_some_and(|key| key.on_delete == super::ReferentialAction::Cascade);
        let marks = |model: ModelWalker<'_>| model.deletion_column().is_some();
        cascades && marks(self.referencing_field().model()) && marks(self.referenced_field().model())
    }
}

#[cfg(test)]
mod tests {
    use super::is_null_test;

    #[test]
    fn a_null_test_is_known_however_it_is_written() {
        for sql in ["\"deleted_at\" IS NULL", "deleted_at is null", "((DELETED_AT IS NULL)) -- live"] {
            assert!(is_null_test(sql, "deleted_at"), "{sql}");
        }
        for sql in
            ["", "()", "deleted_at IS NOT NULL", "\"Deleted_at\" IS NULL", "a IS NULL", "deleted_at IS NULL OR b"]
        {
            assert!(!is_null_test(sql, "deleted_at"), "{sql}");
        }
    }
}
