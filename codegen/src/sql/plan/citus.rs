//! Transactions on Citus.

use super::action::Action;
use super::assess::AssessCx;
use super::{Step, Transaction};

/// Begins each transaction of a migration on Citus with the setting for migrations of several steps.
pub(super) fn run_sequentially(steps: &mut Vec<Step>, cx: &AssessCx) {
    let distributes = |step: &Step| matches!(step.action, Action::Distribute { .. } | Action::Undistribute(_));
    if cx.placed.is_empty() && !steps.iter().any(distributes) {
        return;
    }
    let mut starts = true;
    let mut sequential = Vec::with_capacity(steps.len() + 1);
    for step in std::mem::take(steps) {
        if starts && step.transaction != Transaction::Outside {
            sequential.push(cx.step(Action::RunSequentially));
        }
        starts = step.transaction != Transaction::Transactional;
        sequential.push(step);
    }
    *steps = sequential;
}
