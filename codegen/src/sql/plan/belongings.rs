//! What belongs to the views of a schema, of which only the database knows: it is noted before the views are dropped, and
//! restored after they were created again.

use super::Step;
use super::action::Action;
use super::assess::AssessCx;
use super::hazards::{Hazard, HazardKind};
use crate::sql::change::CatalogChange;
use crate::sql::codes;
use crate::sql::state::{Nature, ViewInSchema};

/// Adds a step in front of the first view that is dropped and comes back, and one at the end.
pub(super) fn keep(steps: &mut Vec<Step>, cx: &AssessCx) {
    let views: Vec<ViewInSchema> = steps.iter().filter_map(|step| view_that_comes_back(&step.action)).collect();
    let Some(first) = steps.iter().position(|step| view_that_comes_back(&step.action).is_some()) else { return };
    steps.insert(first, cx.step(Action::NoteBelongings(views)));
    steps.push(cx.step(Action::RestoreBelongings));
}

fn view_that_comes_back(action: &Action) -> Option<ViewInSchema> {
    match action {
        Action::Catalog(CatalogChange::Drop { object, comes_back: true, .. }) => object.view.clone(),
        _ => None,
    }
}

/// Adds what an online migration means for clients that read a view: it is missing while other steps run.
pub(super) fn are_missing(steps: &mut [Step]) {
    for step in steps {
        if let Action::Catalog(CatalogChange::Drop { object, comes_back: true, .. }) = &step.action
            && object.nature == Nature::View
        {
            let text = format!("{} is missing until the migration ends", object.key);
            step.hazards.push(Hazard { kind: HazardKind::BreaksClients, lint: codes::C408, text, probe: None });
        }
    }
}
