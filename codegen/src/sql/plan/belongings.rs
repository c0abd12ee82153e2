//! What belongs to the views, functions, triggers and policies of a schema, of which only the database knows: it is noted
//! before they are dropped, and restored after they were created again.

use relata_pgsql::tokens;

use super::Step;
use super::action::Action;
use super::assess::AssessCx;
use super::hazards::{Hazard, HazardKind};
use crate::sql::change::CatalogChange;
use crate::sql::codes;
use crate::sql::quote::qualified;
use crate::sql::state::{CatalogObject, Managed, Nature, ObjectName};

/// An object whose belongings are noted.
#[derive(Debug, Clone, PartialEq)]
pub struct Noted {
    /// The object.
    pub object: Managed,
    /// The function afterwards, if it gets other arguments, or the table of a trigger or a policy, if that is renamed.
    pub becomes: Option<String>,
}

/// Adds a step in front of the first object that is dropped, one in front of the first that is replaced by dropping and
/// creating it, and one at the end.
pub(super) fn keep(steps: &mut Vec<Step>, cx: &AssessCx) {
    let mut is_noted = false;
    for is_it in [is_dropped as fn(&Action) -> bool, is_replaced] {
        let found: Vec<Noted> =
            steps.iter().filter(|step| is_it(&step.action)).filter_map(|it| note(it, steps)).collect();
        let first = steps.iter().position(|step| is_it(&step.action) && note(step, steps).is_some());
        if let Some(first) = first {
            steps.insert(first, cx.step(Action::NoteBelongings(found)));
            is_noted = true;
        }
    }
    if is_noted {
        steps.push(cx.step(Action::RestoreBelongings));
    }
}

fn is_dropped(action: &Action) -> bool {
    matches!(action, Action::Catalog(CatalogChange::Drop { .. }))
}

/// A trigger and a policy are dropped and created in one step.
fn is_replaced(action: &Action) -> bool {
    matches!(action, Action::Catalog(CatalogChange::Alter { object, .. }) if object.nature == Nature::Guard)
}

fn note(step: &Step, steps: &[Step]) -> Option<Noted> {
    match &step.action {
        Action::Catalog(CatalogChange::Alter { object, .. }) => {
            Some(Noted { object: object.managed.clone()?, becomes: None })
        }
        Action::Catalog(CatalogChange::Drop { object, comes_back: true, .. }) => {
            Some(Noted { object: object.managed.clone()?, becomes: renamed_table(object, steps) })
        }
        Action::Catalog(CatalogChange::Drop { object, comes_back: false, .. }) => {
            let becomes = successor(object, steps)?;
            Some(Noted { object: object.managed.clone()?, becomes: Some(becomes) })
        }
        _ => None,
    }
}

/// Returns the table of a trigger or a policy that comes back, if its name changes in between.
fn renamed_table(dropped: &CatalogObject, steps: &[Step]) -> Option<String> {
    let relation = |object: &CatalogObject| match &object.managed {
        Some(Managed::Object(it)) if object.nature == Nature::Guard => Some(it.relation.clone()),
        _ => None,
    };
    let before = relation(dropped)?;
    let after = steps.iter().find_map(|step| match &step.action {
        Action::Catalog(CatalogChange::Create { object, again: true, .. }) if object.key == dropped.key => {
            relation(object)
        }
        _ => None,
    })?;
    (after != before).then(|| qualified(&after))
}

/// Returns the function that takes the place of one that is dropped: the only one of its name that is created, if no other
/// one is dropped.
fn successor(dropped: &CatalogObject, steps: &[Step]) -> Option<String> {
    let function = |object: &CatalogObject| match &object.managed {
        Some(Managed::Object(it)) if ["function", "procedure"].contains(&it.kind) => {
            Some((it.kind, it.relation.clone(), it.identity.clone()))
        }
        _ => None,
    };
    let (kind, name, _) = function(dropped)?;
    let is_it = |other: &(&str, ObjectName, String)| other.0 == kind && other.1 == name;
    let created = steps.iter().filter_map(|step| match &step.action {
        Action::Catalog(CatalogChange::Create { object, again: false, .. }) => function(object).filter(&is_it),
        _ => None,
    });
    let others = steps.iter().filter(|step| match &step.action {
        Action::Catalog(CatalogChange::Drop { object, .. }) => function(object).is_some_and(|it| is_it(&it)),
        _ => false,
    });
    let created: Vec<_> = created.collect();
    match (created.as_slice(), others.count()) {
        ([(_, _, identity)], 1) => Some(identity.clone()),
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
            let text = match is_restrictive(object) {
                true => format!("{} hides all rows until the migration ends", object.key),
                false => format!("{} is missing until the migration ends", object.key),
            };
            step.hazards.push(Hazard { kind: HazardKind::BreaksClients, lint: codes::C408, text, probe: None });
        }
    }
}

/// Lets restrictive policies stay, and hide everything, while other steps are committed: without them, clients would see the
/// rows that they hide.
pub(super) fn hide_instead(steps: &mut [Step]) {
    let mut hidden = Vec::new();
    for step in steps.iter_mut() {
        match &mut step.action {
            Action::Catalog(CatalogChange::Drop { object, comes_back: true, .. }) if is_restrictive(object) => {
                let drop = object.drop.clone();
                if let Some(Managed::Object(policy)) = &object.managed {
                    object.drop = format!("ALTER POLICY {}{}", policy.identity, nothing(&policy.sql));
                }
                hidden.push((object.key.clone(), drop));
            }
            Action::Catalog(CatalogChange::Create { object, again: true, .. }) => {
                let drop = hidden.iter().find(|(key, _)| *key == object.key).map(|(_, drop)| drop);
                if let (Some(drop), Some(create)) = (drop, &mut object.create) {
                    *create = format!("{drop};\n{create}");
                }
            }
            _ => {}
        }
    }
}

fn is_restrictive(object: &CatalogObject) -> bool {
    let Some(Managed::Object(policy)) = &object.managed else { return false };
    policy.kind == "policy" && tokens(&policy.sql).any(|token| token.is_word(&policy.sql, "restrictive"))
}

/// Returns the conditions that no row fulfils, for the command of a policy.
fn nothing(sql: &str) -> &'static str {
    let words: Vec<_> = tokens(sql).filter(|token| !token.is_comment()).collect();
    let command = words.windows(2).find(|pair| pair[0].is_word(sql, "for")).map(|pair| pair[1]);
    let is = |word| command.is_some_and(|command| command.is_word(sql, word));
    if is("insert") {
        " WITH CHECK (false)"
    } else if is("select") || is("delete") {
        " USING (false)"
    } else {
        " USING (false) WITH CHECK (false)"
    }
}
