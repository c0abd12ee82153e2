//! The statements that our own plan would write for a migration, with what it knows about each.

use std::collections::BTreeMap;
use std::path::Path;

use relata::migrate::Script;
use relata_codegen::ir::Schema;
use relata_codegen::sql::{DiffOptions, Finding, Pair, diff, lint_foreign_key, lint_step, plan, plan_online};

use crate::endpoint::Loaded;
use crate::schema_files;

/// Findings by the hash of their statement.
#[derive(Debug, Default)]
pub(crate) struct Planned {
    findings: BTreeMap<String, Vec<Finding>>,
}

impl Planned {
    /// Plans the way between two snapshots. Where there is none, or none that compiles, or where a rename was said on
    /// the command line, nothing is known, and the SQL has to speak for itself.
    pub(crate) fn between(previous: Option<&Path>, next: &Path) -> Self {
        let previous = match previous {
            Some(path) => read(path).map(|schema| Loaded::of_schema(&schema)),
            None => Some(Loaded::empty()),
        };
        let (Some(previous), Some(next)) = (previous, read(next)) else { return Self::default() };
        let next = Loaded::of_schema(&next);
        let options = DiffOptions { accept_drops: true, ..DiffOptions::default() };
        let Ok(changes) = diff(Pair { previous: previous.side(), next: next.side() }, &options) else {
            return Self::default();
        };
        let plans = [plan(changes.clone()), plan_online(changes)];
        let steps = plans.iter().flat_map(|plan| &plan.steps);
        let hashed = steps.filter_map(|step| {
            let findings = lint_step(step).into_iter().chain(lint_foreign_key(step, &next.state)).collect();
            Some((hash(&step.sql())?, findings))
        });
        Self { findings: hashed.collect() }
    }

    /// What the plan says about the statement; none if it is not the plan's.
    pub(crate) fn findings(&self, hash: &str) -> Option<Vec<Finding>> {
        self.findings.get(hash).cloned()
    }
}

fn hash(sql: &str) -> Option<String> {
    Script::parse(sql).ok()?.statements().next().map(|statement| statement.hash.clone())
}

fn read(path: &Path) -> Option<Schema> {
    relata_codegen::compile(&schema_files::read(path).ok()?).schema
}
