//! Features that a source may lack, and tests that are reported and counted as skipped for that reason.

use crate::{DevDb, Source};
use std::fmt;

/// A feature of PostgreSQL that not every source of this crate has.
///
/// A test that needs one calls [`DevDb::skips_without`]. The table in `docs/devdb.md` corresponds to this list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Feature {
    /// Several open transactions at the same time: row locks that others wait for, deadlocks, serialization failures
    /// between connections.
    ConcurrentTransactions,
    /// Canceling a running statement with a cancel request.
    Cancel,
    /// `statement_timeout`, `lock_timeout` and the other limits that need a timer.
    Timeouts,
    /// A server process for each connection, with its own pid, row in `pg_stat_activity`, `pg_terminate_backend`, and
    /// `pg_prepared_statements`.
    SessionProcesses,
    /// A text search configuration for a language, such as `english`.
    TextSearchLanguages,
    /// Values of the type xml. Columns of this type can be created, but can contain only nulls.
    Xml,
    /// Extensions, with `CREATE EXTENSION`.
    Extensions,
    /// Roles that log in, and that all databases share. Without this feature, every connection is a superuser's.
    Roles,
    /// PostgreSQL's own programs and a separate cluster: restarts, crashes, certificates.
    Programs,
}

impl Feature {
    /// All features.
    pub const ALL: [Feature; 9] = [
        Feature::ConcurrentTransactions,
        Feature::Cancel,
        Feature::Timeouts,
        Feature::SessionProcesses,
        Feature::TextSearchLanguages,
        Feature::Xml,
        Feature::Extensions,
        Feature::Roles,
        Feature::Programs,
    ];

    /// Returns the name that messages and the table in the documentation use.
    pub fn description(self) -> &'static str {
        match self {
            Feature::ConcurrentTransactions => "transactions that are open at the same time",
            Feature::Cancel => "canceling a statement",
            Feature::Timeouts => "statement_timeout and lock_timeout",
            Feature::SessionProcesses => "a server process per connection",
            Feature::TextSearchLanguages => "text search in a language",
            Feature::Xml => "values of type xml",
            Feature::Extensions => "extensions",
            Feature::Roles => "roles that log in",
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
    /// Returns whether the server has `feature`.
    pub fn has(&self, feature: Feature) -> bool {
        match self.source() {
            Source::Embedded => false,
            Source::System => true,
            Source::Url => feature != Feature::Programs,
        }
    }

    /// Reports that the calling test is skipped if the server lacks one of `features`, and returns whether it does.
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

    /// The table in the documentation has these rows, in this order.
    #[test]
    fn the_documentation_lists_every_missing_feature() {
        let page = include_str!("../../docs/devdb.md");
        let table = page.split("## What the embedded engine does not have").nth(1).expect("has the section");
        let table = table.split("\n## ").next().unwrap_or_default();
        let rows = table.lines().filter(|line| line.starts_with("| ")).skip(1);
        let listed: Vec<&str> = rows.filter_map(|row| row.split('|').nth(1)).map(str::trim).collect();
        let lacking: Vec<&str> = Feature::ALL.iter().map(|feature| feature.description()).collect();
        assert_eq!(listed, lacking);
    }
}
