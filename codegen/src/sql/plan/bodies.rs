//! Functions whose bodies name what is created later.

use super::action::Action;
use super::assess::AssessCx;
use super::{Step, Transaction};
use crate::sql::change::CatalogChange;
use crate::sql::state::Managed;

/// Begins each transaction that creates functions with the setting that lets their bodies name anything.
pub(super) fn trust(steps: &mut Vec<Step>, cx: &AssessCx) {
    let mut is_trusted = false;
    let mut trusting = Vec::with_capacity(steps.len());
    for step in std::mem::take(steps) {
        if step.transaction == Transaction::Outside {
            is_trusted = false;
        } else if has_body(&step.action) && !is_trusted {
            trusting.push(cx.step(Action::TrustBodies));
            is_trusted = true;
        }
        if step.transaction == Transaction::BoundaryAfter {
            is_trusted = false;
        }
        trusting.push(step);
    }
    *steps = trusting;
}

/// Lets PostgreSQL check the bodies of the functions of a schema, once everything that they name is there.
pub(super) fn check(steps: &mut Vec<Step>, cx: &AssessCx) {
    let mut functions: Vec<String> = steps.iter().filter_map(|step| function(&step.action)).collect();
    functions.sort();
    functions.dedup();
    if !functions.is_empty() {
        steps.push(cx.step(Action::CheckBodies(functions)));
    }
}

fn function(action: &Action) -> Option<String> {
    match action {
        Action::Catalog(CatalogChange::Create { object, .. } | CatalogChange::Alter { object, .. })
            if has_body(action) =>
        {
            match &object.managed {
                Some(Managed::Object(managed)) => Some(managed.identity.clone()),
                _ => None,
            }
        }
        _ => None,
    }
}

fn has_body(action: &Action) -> bool {
    match action {
        Action::Catalog(CatalogChange::Create { object, .. } | CatalogChange::Alter { object, .. }) => {
            matches!(object.key.kind.as_str(), "function" | "procedure")
        }
        _ => false,
    }
}
