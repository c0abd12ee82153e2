//! Scopes: conditions on the rows of a table that every call has, unless it lifts them.

/// How rows of a table are marked as deleted (`@softDelete`).
#[derive(Debug, Clone, Copy)]
pub struct DeletionMark {
    /// The column with the time of the deletion. It is null in rows that are not deleted.
    pub(crate) column: u16,
    /// The keys that are unique only among rows that are not deleted.
    pub(crate) keys: &'static [&'static [u16]],
}

impl DeletionMark {
    /// Creates the mark of deleted rows: the time in this column. For generated code.
    pub const fn new(column: u16) -> Self {
        Self { column, keys: &[] }
    }

    /// Sets the keys that are unique only among rows that are not deleted. For generated code.
    pub const fn unique(mut self, keys: &'static [&'static [u16]]) -> Self {
        self.keys = keys;
        self
    }
}

/// A condition that the schema puts on all rows of a table (`@@scope`).
#[derive(Debug, Clone, Copy)]
pub struct TableScope {
    /// The texts between the columns of the condition: one more than there are columns.
    pub(crate) texts: &'static [&'static str],
    /// The columns that the condition names.
    pub(crate) columns: &'static [u16],
}

impl TableScope {
    /// Creates a scope from the texts of its condition and the columns between them. For generated code.
    pub const fn new(texts: &'static [&'static str], columns: &'static [u16]) -> Self {
        Self { texts, columns }
    }
}

/// The scopes that a call lifts for the rows of its own table. By default it lifts none.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Lifted {
    /// The scopes without effect, as bits. Bit 0 is that of `@softDelete`, and the next ones are those of `@@scope`.
    pub(crate) scopes: u32,
    /// Reads and writes only the rows that the scope of `@softDelete` leaves out.
    pub(crate) only_deleted: bool,
    /// The call names its row by a key that is unique only among rows that are not deleted.
    pub(crate) by_live_key: bool,
}

impl Lifted {
    /// All scopes are lifted.
    pub(crate) const ALL: Self = Self { scopes: u32::MAX, only_deleted: false, by_live_key: false };

    /// All scopes are lifted except that of `@softDelete`.
    pub(crate) const ALL_BUT_DELETED: Self = Self { scopes: !Self::DELETED, ..Self::ALL };

    /// The bit of `@softDelete`.
    pub(crate) const DELETED: u32 = 1;

    /// Returns the bit of a scope of `@@scope`, by its position in the table.
    pub(crate) fn bit_of(scope: usize) -> u32 {
        2 << scope
    }

    /// Returns whether rows that are marked as deleted are among those that the call wants.
    pub(crate) fn shows_deleted(self) -> bool {
        self.only_deleted || self.scopes & Self::DELETED != 0
    }
}
