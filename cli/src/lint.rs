//! Findings about the SQL of migrations.
//!
//! Takes migrations, and returns findings with the place of their statement. For a generated statement, the findings
//! come from its plan, which knows the schema before and after. All other statements are parsed, and checked by squawk
//! and by the rules of this module.

mod allow;
mod live;
mod migration_rules;
mod planned;
mod squawk;
mod statement;

use std::collections::BTreeMap;

use relata::migrate::{Migration, Statement};
use relata_codegen::sql::{Finding, LintSeverity, Probe};

pub(crate) use allow::Allowance;
pub(crate) use live::count;
pub(crate) use planned::Planned;
use statement::Read;

/// A finding and its place.
#[derive(Debug, Clone)]
pub(crate) struct Located {
    /// The name of the migration.
    pub(crate) migration: String,
    /// The line in its file, from 1; none for a finding about the history.
    pub(crate) line: Option<u32>,
    /// The first line of the statement.
    pub(crate) statement: String,
    pub(crate) severity: LintSeverity,
    pub(crate) finding: Finding,
    /// How many rows of a live database are affected.
    pub(crate) count: Option<i64>,
    /// What was counted, or why nothing was.
    pub(crate) note: Option<String>,
    pub(crate) allowance: Allowance,
}

/// Returns the findings about one migration, whose text is `sql`.
pub(crate) fn lint(migration: &Migration, sql: &str, planned: &Planned) -> Vec<Located> {
    let mut by_hand = read(migration);
    let lines: Vec<&str> = sql.lines().collect();
    let mut located = Vec::new();
    let mut dropped = Vec::new();
    for (index, statement) in migration.script().statements().enumerate() {
        let read = by_hand.remove(&index).unwrap_or_default();
        dropped.extend(read.dropped);
        let findings = planned.findings(&statement.hash).unwrap_or(read.findings);
        for mut finding in findings.into_iter().chain(read.of_transaction) {
            if let Some(Probe::Dependents { dropped: before, .. }) = &mut finding.probe {
                before.clone_from(&dropped);
            }
            located.push(locate(migration, statement, finding, &lines));
        }
    }
    located
}

fn locate(migration: &Migration, statement: &Statement, finding: Finding, lines: &[&str]) -> Located {
    Located {
        migration: migration.name().to_owned(),
        line: Some(statement.line),
        statement: statement.sql.lines().next().unwrap_or_default().trim_end().to_owned(),
        severity: finding.lint.severity,
        allowance: Allowance::find(lines, statement.line, finding.lint.code),
        finding,
        count: None,
        note: None,
    }
}

/// The findings from the SQL alone, by the number of the statement. Our rules take precedence over squawk's.
fn read(migration: &Migration) -> BTreeMap<usize, Read> {
    let mut statements = statement::read(migration.script());
    for (index, finding) in squawk::read(migration.script()) {
        let read = statements.entry(index).or_default();
        let is_idle = read.on_new_table && finding.lint.code.starts_with(['F', 'L']);
        // An exclusion constraint cannot be NOT VALID.
        let is_exclusion = finding.lint.code == "L308" && read.findings.iter().any(|other| other.lint.code == "L316");
        if !is_idle && !is_exclusion && !read.findings.iter().any(|other| other.lint == finding.lint) {
            read.findings.push(finding);
        }
    }
    statements
}
