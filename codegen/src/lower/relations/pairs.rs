//! Which relation fields belong together: those between the same two models with the same name.

use std::collections::BTreeMap;

use super::super::Cx;
use super::super::draft::FieldType;
use super::Pair;
use super::lonely::{Proposed, report_lonely};
use crate::diagnostics::{self as codes, Diagnostic};
use crate::ir::{FieldId, ModelId};

/// The fields between two models with the same relation name, by model.
#[derive(Default)]
pub(in crate::lower) struct Group {
    /// The fields of the model with the smaller id; all fields if a model references itself.
    pub(in crate::lower) near: Vec<FieldId>,
    /// Fields of the other model.
    pub(in crate::lower) far: Vec<FieldId>,
}

/// Two models, the one with the smaller id first, and the name of a relation between them.
type Key<'a> = (ModelId, ModelId, Option<&'a str>);

/// Groups all relation fields by models and name.
pub(in crate::lower) fn group_fields<'a>(cx: &Cx<'a, '_>) -> BTreeMap<Key<'a>, Group> {
    let mut groups: BTreeMap<Key<'_>, Group> = BTreeMap::new();
    for id in cx.field_ids() {
        let field = cx.field(id);
        let FieldType::Model(target) = field.ty else { continue };
        if field.ast.broken && field.relation.span.is_none() {
            continue;
        }
        let name = field.relation.name.map(|name| name.text);
        let group = groups.entry((field.model.min(target), field.model.max(target), name)).or_default();
        if field.model <= target { group.near.push(id) } else { group.far.push(id) }
    }
    groups
}

/// Returns all pairs, in the order of their first fields. Reports fields without a partner.
pub(super) fn pair_fields(cx: &mut Cx<'_, '_>) -> Vec<Pair> {
    let groups = group_fields(cx);
    let mut pairs = Vec::new();
    let mut proposed = Proposed::new();
    for ((near, far, name), group) in &groups {
        let found = if near == far {
            pair_within_model(cx, group, name.is_some(), &mut proposed)
        } else {
            pair_between_models(cx, group, name.is_some(), &mut proposed)
        };
        pairs.extend(found);
    }
    pairs.sort_by_key(|pair| pair.first);
    pairs
}

fn pair_between_models(cx: &mut Cx<'_, '_>, group: &Group, named: bool, proposed: &mut Proposed) -> Option<Pair> {
    if group.near.len() > 1 || group.far.len() > 1 {
        for side in [&group.near, &group.far] {
            report_ambiguous(cx, side, named);
        }
        return None;
    }
    match (group.near.first(), group.far.first()) {
        (Some(near), Some(far)) => Some(Pair { first: *near.min(far), second: *near.max(far) }),
        (Some(lonely), None) | (None, Some(lonely)) => {
            report_lonely(cx, *lonely, proposed);
            None
        }
        (None, None) => None,
    }
}

fn pair_within_model(cx: &mut Cx<'_, '_>, group: &Group, named: bool, proposed: &mut Proposed) -> Option<Pair> {
    match group.near.as_slice() {
        [first, second] if named => Some(Pair { first: *first, second: *second }),
        [lonely] => {
            report_lonely(cx, *lonely, proposed);
            None
        }
        fields => {
            report_ambiguous(cx, fields, named);
            None
        }
    }
}

fn report_ambiguous(cx: &mut Cx<'_, '_>, fields: &[FieldId], named: bool) {
    let [first, second, ..] = fields else { return };
    let (a, b) = (cx.field(*first).ast.name, cx.field(*second).ast.name);
    let FieldType::Model(target) = cx.field(*first).ty else { return };
    let target_name = cx.model(target).ast.name.text;
    let itself = cx.field(*first).model == target;
    let message = if named {
        format!("`{}` and `{}` both belong to the same relation to `{target_name}`", a.text, b.text)
    } else {
        format!("`{}` and `{}` are both relations to `{target_name}` without a name", a.text, b.text)
    };
    let help = match (itself, named) {
        (true, false) => format!(
            "if they are the two sides of one relation, write the same `@relation(\"Name\")` on both;\notherwise give `{}` and `{}` different names, each with a field for its other side",
            a.text, b.text
        ),
        (true, true) => "a relation has two sides: give the fields of each relation their own name".to_owned(),
        _ => format!(
            "write `@relation(\"One\")` and `@relation(\"Two\")` on them, and the same names on the fields of `{target_name}`"
        ),
    };
    cx.report(
        Diagnostic::new(codes::AMBIGUOUS_RELATION, a.span, message)
            .label("which field is its other side?")
            .second(b.span, "this field is equally possible")
            .help(help),
    );
}
