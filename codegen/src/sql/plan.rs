//! From changes to ordered steps: one statement each, with its locks, cost and hazards.
//!
//! `action` defines what a step does, `build` creates the actions of a change, `order` sorts them, `assess` computes
//! their cost, `hazards` what can go wrong, `conversion` what happens to values, `unique` the keys
//! that are checked first, and `boundary` where a transaction ends.
//! Nothing here writes SQL; that is the task of `render`.

mod action;
mod assess;
mod belongings;
mod bodies;
mod boundary;
mod build;
mod citus;
mod conversion;
mod hazards;
mod online;
mod order;
mod shadow;
mod unique;

pub use action::{Action, Alteration, ColumnSpec, Guard, ShadowColumn, UniqueGuard};
pub use assess::Lock;
pub(in crate::sql) use belongings::Noted;
pub use hazards::{Hazard, HazardKind};

use std::sync::Arc;

use super::cast::Work;
use super::change::{Change, Temporary, Unmigrated};

/// Ordered steps from one state to another.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Plan {
    /// The steps in order.
    pub steps: Vec<Step>,
    /// Differences that no step migrates.
    pub unmigrated: Vec<Unmigrated>,
}

/// One statement.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// What it does.
    pub action: Action,
    /// How it is executed in transactions.
    pub transaction: Transaction,
    /// Its strongest lock on an existing table.
    pub lock: Lock,
    /// Its work on the rows of such a table.
    pub work: Work,
    /// What can be lost or fail.
    pub hazards: Vec<Hazard>,
    /// Whether it is about a key or an index of a partitioned table.
    pub(super) is_partitioned: bool,
    /// The objects with temporary names when the step runs.
    pub(super) names: Arc<Temporary>,
}

/// How a step is executed in transactions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transaction {
    /// In one transaction with the steps around it.
    Transactional,
    /// Outside of a transaction.
    Outside,
    /// In a transaction that is committed before the next step: a later step uses a new enum value.
    BoundaryAfter,
}

impl Plan {
    /// Returns whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    /// Returns all hazards in the order of their steps.
    pub fn hazards(&self) -> impl Iterator<Item = &Hazard> {
        self.steps.iter().flat_map(|step| &step.hazards)
    }
}

/// Returns the steps of the changes.
pub fn plan(changes: Vec<Change>) -> Plan {
    let cx = assess::AssessCx::of(&changes);
    let unmigrated = unmigrated(&changes);
    let actions = order::order(build::build(changes, &cx.conversions));
    let mut steps: Vec<_> = actions.into_iter().map(|action| cx.step(action)).collect();
    boundary::set_boundaries(&mut steps);
    citus::run_sequentially(&mut steps, &cx);
    bodies::trust(&mut steps, &cx);
    belongings::keep(&mut steps, &cx);
    bodies::check(&mut steps, &cx);
    Plan { steps, unmigrated }
}

/// Returns the steps of the changes for an online migration: long work runs outside of transactions, under locks that
/// let clients read and write.
pub fn plan_online(changes: Vec<Change>) -> Plan {
    let mut cx = assess::AssessCx::of(&changes);
    let unmigrated = unmigrated(&changes);
    let actions = online::expand(order::order(build::build(changes, &cx.conversions)), &cx);
    cx.conversions.add_shadows(actions.iter().map(|(action, _)| action));
    let step = |(action, transaction)| Step { transaction, ..cx.step(action) };
    let mut steps: Vec<_> = actions.into_iter().map(step).collect();
    belongings::are_missing(&mut steps);
    belongings::hide_instead(&mut steps);
    boundary::set_boundaries(&mut steps);
    citus::run_sequentially(&mut steps, &cx);
    bodies::trust(&mut steps, &cx);
    belongings::keep(&mut steps, &cx);
    bodies::check(&mut steps, &cx);
    Plan { steps, unmigrated }
}

fn unmigrated(changes: &[Change]) -> Vec<Unmigrated> {
    let told = changes.iter().filter_map(|change| match change {
        Change::Unmigrated(unmigrated) => Some(unmigrated.clone()),
        _ => None,
    });
    told.collect()
}
