//! Where Citus keeps the rows of a table.

/// Where Citus keeps the rows of a table.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Distribution {
    /// All on the coordinator.
    #[default]
    Local,
    /// All on every server.
    Reference,
    /// Each on the server that the value of a column selects.
    By {
        /// The column.
        column: String,
        /// The tables with the same group have the rows with the same value on the same server. Only groups of one
        /// state can be compared: those of a database are numbers.
        group: String,
    },
}

impl Distribution {
    /// Returns whether the rows are where Citus put them.
    pub fn is_placed(&self) -> bool {
        *self != Distribution::Local
    }
}
