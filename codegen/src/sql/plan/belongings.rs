//! What belongs to the views, functions, triggers and policies of a schema, of which only the database knows: it is noted
//! before they are dropped, and restored after they were created again.

use super::Step;
use super::action::Action;
use super::assess::AssessCx;
use super::hazards::{Hazard, HazardKind};
use crate::sql::change::CatalogChange;
use crate::sql::codes;
use crate::sql::state::{CatalogObject, Managed, Nature};

/// Adds a step in front of the first object that is dropped and comes back, and one at the end.
pub(super) fn keep(steps: &mut Vec<Step>, cx: &AssessCx) {
    let found: Vec<Managed> = steps.iter().filter_map(|step| comes_back(&step.action)?.managed.clone()).collect();
    let is_first = |step: &Step| comes_back(&step.action).is_some_and(|object| object.managed.is_some());
    let Some(first) = steps.iter().position(is_first) else { return };
    steps.insert(first, cx.step(Action::NoteBelongings(found)));
    steps.push(cx.step(Action::RestoreBelongings));
}

fn comes_back(action: &Action) -> Option<&CatalogObject> {
    match action {
        Action::Catalog(CatalogChange::Drop { object, comes_back: true, .. }) => Some(object),
        // A trigger and a policy are dropped and created in one step.
        Action::Catalog(CatalogChange::Alter { object, .. }) if object.nature == Nature::Guard => Some(object),
        _ => None,
    }
}

/// Adds what an online migration means for clients: an object is missing while other steps run.
pub(super) fn are_missing(steps: &mut [Step]) {
    for step in steps {
        if let Action::Catalog(CatalogChange::Drop { object, comes_back: true, .. }) = &step.action
            && matches!(object.nature, Nature::View | Nature::Base | Nature::Guard)
            && object.managed.is_some()
        {
            let text = format!("{} is missing until the migration ends", object.key);
            step.hazards.push(Hazard { kind: HazardKind::BreaksClients, lint: codes::C408, text, probe: None });
        }
    }
}
