//! From changes to ordered steps: one statement each, with what it locks, costs and risks.
//!
//! `action` says what a step does, `build` makes the actions of a change, `order` sorts them,
//! `assess` tells their cost, `hazards` what can go wrong, `boundary` where a transaction ends. Nothing here writes SQL; `render` does.

mod action;
mod assess;
mod boundary;
mod build;
mod hazards;
mod online;
mod order;
mod shadow;

pub use action::{Action, Alteration, ColumnSpec, Guard, ShadowColumn};
pub use assess::Lock;
pub use hazards::{Hazard, HazardKind};

use super::cast::Work;
use super::change::{Change, Unmigrated};

/// Ordered steps from one state to another.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Plan {
    /// The steps in the order in which they run.
    pub steps: Vec<Step>,
    /// What differs and no step changes.
    pub unmigrated: Vec<Unmigrated>,
}

/// One statement.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// What it does.
    pub action: Action,
    /// How it goes with transactions.
    pub transaction: Transaction,
    /// The strongest lock on a table that was there before.
    pub lock: Lock,
    /// What it does to the rows of such a table.
    pub work: Work,
    /// What can be lost or go wrong.
    pub hazards: Vec<Hazard>,
}

/// How a step goes with transactions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transaction {
    /// Together with its neighbours.
    Transactional,
    /// Never inside one.
    Outside,
    /// Inside one that has to be committed before the next step: a new enum value is used later.
    BoundaryAfter,
}

impl Plan {
    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    /// All hazards in the order of their steps.
    pub fn hazards(&self) -> impl Iterator<Item = &Hazard> {
        self.steps.iter().flat_map(|step| &step.hazards)
    }
}

/// The steps that make the changes.
pub fn plan(changes: Vec<Change>) -> Plan {
    let scene = assess::Scene::of(&changes);
    let unmigrated = unmigrated(&changes);
    let actions = order::order(build::build(changes));
    let mut steps: Vec<_> = actions.into_iter().map(|action| scene.step(action)).collect();
    boundary::set_boundaries(&mut steps);
    Plan { steps, unmigrated }
}

/// The steps that make the changes while programs go on reading and writing: what takes long runs
/// outside of transactions, under locks that let them.
pub fn plan_online(changes: Vec<Change>) -> Plan {
    let scene = assess::Scene::of(&changes);
    let unmigrated = unmigrated(&changes);
    let actions = online::expand(order::order(build::build(changes)), &scene);
    let step = |(action, transaction)| Step { transaction, ..scene.step(action) };
    let mut steps: Vec<_> = actions.into_iter().map(step).collect();
    boundary::set_boundaries(&mut steps);
    Plan { steps, unmigrated }
}

fn unmigrated(changes: &[Change]) -> Vec<Unmigrated> {
    let told = changes.iter().filter_map(|change| match change {
        Change::Unmigrated(unmigrated) => Some(unmigrated.clone()),
        _ => None,
    });
    told.collect()
}
