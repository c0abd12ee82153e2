//! Relations: which two fields belong together, how the relation is stored, and whether it is valid.

mod indexes;
mod lonely;
mod options;
mod pairs;
mod rules;

pub(super) use pairs::{Group, group_fields};

use super::Cx;
use super::draft::{FieldList, ForeignKeyDraft, RelationDraft};
use crate::diagnostics::Span;
use crate::ir::{Arity, FieldId, ForeignKeyOptions, ReferentialAction};

/// Finds all relations and checks them.
pub(super) fn resolve_relations(cx: &mut Cx<'_, '_>) {
    for pair in pairs::pair_fields(cx) {
        resolve_relation(cx, pair);
    }
    rules::ignored_models_are_not_reachable(cx);
    rules::logged_tables_reference_logged_ones(cx);
    // In the order of the first field of each pair.
    cx.relations.sort_by_key(|relation| relation.referencing.min(relation.referenced));
}

/// Two fields that belong together, in the order of their ids.
#[derive(Debug, Clone, Copy)]
struct Pair {
    first: FieldId,
    second: FieldId,
}

fn resolve_relation(cx: &mut Cx<'_, '_>, pair: Pair) {
    let arities = (cx.field(pair.first).arity(), cx.field(pair.second).arity());
    match arities {
        (Arity::List, Arity::List) => resolve_many_to_many(cx, pair),
        (Arity::List, _) => resolve_foreign_key(cx, pair.second, pair.first),
        (_, Arity::List) => resolve_foreign_key(cx, pair.first, pair.second),
        _ => resolve_one_to_one(cx, pair),
    }
}

/// Resolves a relation with a join table with the columns `A` and `B`: `A` belongs to the model whose name comes first.
fn resolve_many_to_many(cx: &mut Cx<'_, '_>, pair: Pair) {
    let found = rules::many_to_many(cx, pair);
    cx.diagnostics.extend(found);
    let name = |id: FieldId| {
        let field = cx.field(id);
        (cx.model(field.model).ast.name.text, field.ast.name.text)
    };
    let (referencing, referenced) =
        if name(pair.first) <= name(pair.second) { (pair.first, pair.second) } else { (pair.second, pair.first) };
    let given = cx.field(pair.first).relation.name;
    cx.relations.push(RelationDraft { name: given, referencing, referenced, foreign_key: None });
}

fn resolve_one_to_one(cx: &mut Cx<'_, '_>, pair: Pair) {
    match rules::referencing_side(cx, pair) {
        Ok((referencing, referenced)) => resolve_foreign_key(cx, referencing, referenced),
        Err(found) => cx.diagnostics.extend(found),
    }
}

fn resolve_foreign_key(cx: &mut Cx<'_, '_>, referencing: FieldId, referenced: FieldId) {
    let found = rules::foreign_key(cx, referencing, referenced);
    cx.diagnostics.extend(found);
    let field = cx.field(referencing);
    let relation = &field.relation;
    let (Some(fields), Some(references)) = (&relation.fields, &relation.references) else { return };
    let fields = FieldList::ids(fields);
    let required = fields.iter().any(|id| cx.field(*id).arity() == Arity::Required);
    let on_delete = if required { ReferentialAction::Restrict } else { ReferentialAction::SetNull };
    let foreign_key = ForeignKeyDraft {
        references: references.ids(),
        on_delete: relation.on_delete.map_or(on_delete, |(action, _)| action),
        on_update: relation.on_update.map_or(ReferentialAction::Cascade, |(action, _)| action),
        map: relation.map,
        one_to_one: cx.field(referenced).arity() != Arity::List,
        options: ForeignKeyOptions {
            deferrable: relation.deferrable.map(|(deferrable, _)| deferrable),
            match_full: relation.match_full.is_some(),
            delete_fields: relation.delete_fields.as_ref().map(FieldList::ids).unwrap_or_default(),
        },
        span: relation.span.unwrap_or(field.ast.name.span),
        constraint_name: String::new(),
        fields,
    };
    let name = relation.name;
    cx.relations.push(RelationDraft { name, referencing, referenced, foreign_key: Some(foreign_key) });
}

/// Returns whether the fields, in any order, are a key of their model.
pub(super) fn is_unique(cx: &Cx<'_, '_>, fields: &[FieldId]) -> bool {
    let Some(first) = fields.first() else { return false };
    let mut wanted = fields.to_vec();
    wanted.sort();
    cx.model(cx.field(*first).model).keys.iter().any(|key| {
        key.is_unique() && {
            let mut columns = key.columns().unwrap_or_default();
            columns.sort();
            columns == wanted
        }
    })
}

/// Returns the place to report for a relation field: its attribute, or its name.
fn place(cx: &Cx<'_, '_>, id: FieldId) -> Span {
    let field = cx.field(id);
    field.relation.span.unwrap_or(field.ast.name.span)
}
