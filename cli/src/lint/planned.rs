//! The statements of a generated migration, with the findings of its plan.

use std::collections::BTreeMap;
use std::path::Path;

use relata::migrate::Script;
use relata_codegen::ir::Schema;
use relata_codegen::sql::{DiffOptions, Finding, Pair, Plan, diff, lint_foreign_key, lint_step, plan, plan_online};

use crate::compare::endpoint::Loaded;
use crate::project::schema_files;

/// Findings by the hash of their statement.
#[derive(Debug, Default)]
pub(crate) struct Planned {
    findings: BTreeMap<String, Vec<Finding>>,
}

impl Planned {
    /// Plans the migration between two snapshots. If one is missing or does not compile, or if a rename was given on the
    /// command line, there is no plan, and only the SQL is judged.
    ///
    /// The same statement can be harmless in an online plan, because of the steps before it, and a hazard in the
    /// default plan. So the plan that `script` was generated from is used.
    pub(crate) fn between(previous: Option<&Path>, next: &Path, script: &Script) -> Self {
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
        let findings = |plan: Plan| -> BTreeMap<String, Vec<Finding>> {
            let hashed = plan.steps.iter().filter_map(|step| {
                let findings = lint_step(step).into_iter().chain(lint_foreign_key(step, &next.state)).collect();
                Some((hash(&step.sql())?, findings))
            });
            hashed.collect()
        };
        let (usual, online) = (findings(plan(changes.clone())), findings(plan_online(changes)));
        let is_online = |hash: &String| online.contains_key(hash) && !usual.contains_key(hash);
        let (mut chosen, other) = if script.statements().any(|statement| is_online(&statement.hash)) {
            (online, usual)
        } else {
            (usual, online)
        };
        for (hash, findings) in other {
            chosen.entry(hash).or_insert(findings);
        }
        Self { findings: chosen }
    }

    /// The findings of the plan about a statement; none if the plan does not have it.
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
