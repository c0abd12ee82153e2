//! What a source may lack, and tests that are skipped for it: aloud, and counted.

use crate::{DevDb, Source};
use std::fmt;

/// Something that PostgreSQL has, and not every source of this crate.
///
/// A test that needs one asks with [`DevDb::skips_without`]. The table in `docs/devdb.md` is this list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Feature {
    /// Several transactions that are open at the same time: row locks that others wait for, deadlocks, serialization
    /// failures between connections.
    ConcurrentTransactions,
    /// Ending a statement that runs, by a cancel request.
    Cancel,
    /// `statement_timeout`, `lock_timeout` and the other limits that need a timer.
    Timeouts,
    /// A server process for each connection: its pid, its row of `pg_stat_activity`, `pg_terminate_backend`, its own
    /// `pg_prepared_statements`.
    SessionProcesses,
    /// A text search configuration for a language, such as `english`.
    TextSearchLanguages,
    /// Values of the type xml. Columns of it can be made, and hold nulls.
    Xml,
    /// Extensions with `CREATE EXTENSION`.
    Extensions,
    /// PostgreSQL's own programs and a cluster of its own: restarts, crashes, certificates.
    Programs,
}

impl Feature {
    /// All of them.
    pub const ALL: [Feature; 8] = [
        Feature::ConcurrentTransactions,
        Feature::Cancel,
        Feature::Timeouts,
        Feature::SessionProcesses,
        Feature::TextSearchLanguages,
        Feature::Xml,
        Feature::Extensions,
        Feature::Programs,
    ];

    /// Names it, as a message and the table in the documentation do.
    pub fn description(self) -> &'static str {
        match self {
            Feature::ConcurrentTransactions => "transactions that are open at the same time",
            Feature::Cancel => "canceling a statement",
            Feature::Timeouts => "statement_timeout and lock_timeout",
            Feature::SessionProcesses => "a server process per connection",
            Feature::TextSearchLanguages => "text search in a language",
            Feature::Xml => "values of type xml",
            Feature::Extensions => "extensions",
            Feature::Programs => "PostgreSQL's own programs",
        }
    }
}

impl fmt::Display for Feature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.description())
    }
}

impl DevDb {
    /// Tells whether the server has `feature`.
    pub fn has(&self, feature: Feature) -> bool {
        match self.source() {
            Source::Embedded => false,
            Source::System => true,
            Source::Url => feature != Feature::Programs,
        }
    }

    /// Says that the calling test is skipped if the server lacks one of `features`, and tells whether it does.
    ///
    /// ```no_run
    /// use relata_devdb::{DevDb, Feature};
    ///
    /// # fn main() -> Result<(), relata_devdb::Error> {
    /// let db = DevDb::start()?;
    /// if db.skips_without(&[Feature::Cancel]) {
    ///     return Ok(());
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn skips_without(&self, features: &[Feature]) -> bool {
        let lacking: Vec<&str> =
            features.iter().filter(|feature| !self.has(**feature)).map(|feature| feature.description()).collect();
        if !lacking.is_empty() {
            crate::skip(&format!("the {} PostgreSQL does not have {}", self.source().name(), lacking.join(", ")));
        }
        !lacking.is_empty()
    }
}

impl Source {
    fn name(self) -> &'static str {
        match self {
            Source::Url => "given",
            Source::System => "installed",
            Source::Embedded => "embedded",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The rows of the table in the documentation are these, in this order.
    #[test]
    fn the_documentation_lists_what_is_lacking() {
        let page = include_str!("../../docs/devdb.md");
        let table = page.split("## What the embedded engine does not have").nth(1).expect("has the section");
        let table = table.split("\n## ").next().unwrap_or_default();
        let rows = table.lines().filter(|line| line.starts_with("| ")).skip(1);
        let listed: Vec<&str> = rows.filter_map(|row| row.split('|').nth(1)).map(str::trim).collect();
        let lacking: Vec<&str> = Feature::ALL.iter().map(|feature| feature.description()).collect();
        assert_eq!(listed, lacking);
    }
}
