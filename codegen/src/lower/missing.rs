//! Completes a relation that is written on one side only: its other side, its columns, and the arguments that name
//! them, as text to insert. Completes only what is unambiguous. A completed relation lacks nothing afterwards.

use std::collections::BTreeSet;

use super::Cx;
use super::draft::{FieldType, KeyKind};
use super::naming;
use super::relations::{Group, group_fields};
use crate::diagnostics::Span;
use crate::ir::{Arity, FieldId, ModelId};
use crate::syntax::Attribute;

/// Text to insert before the byte `at` of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Insertion {
    pub(crate) file: u32,
    pub(crate) at: u32,
    pub(crate) text: String,
}

/// Returns everything that is missing. Insertions at the same place are in order.
pub(super) fn find_missing(cx: &Cx<'_, '_>, texts: &[&str]) -> Vec<Insertion> {
    let groups = group_fields(cx);
    let mut gaps: Vec<_> = groups.iter().filter_map(|((near, far, _), group)| gap(cx, *near, *far, group)).collect();
    gaps.sort_by_key(|gap| gap.forward.or(gap.back));
    let mut taken = BTreeSet::new();
    let mut insertions = Vec::new();
    for gap in gaps {
        if let Some(text) = Completion::new(cx, texts, &gap) {
            text.insert(cx, &gap, &mut taken, &mut insertions);
        }
    }
    insertions
}

/// A relation with a foreign key, as far as it is written.
struct Gap<'a> {
    /// The model with the columns.
    referencing: ModelId,
    referenced: ModelId,
    /// The field in the model with the columns.
    forward: Option<FieldId>,
    /// The field on the other side.
    back: Option<FieldId>,
    name: Option<&'a str>,
}

/// Returns the parts of a relation that two models declare; `None` if it is complete, has no foreign key, or is
/// ambiguous.
fn gap<'a>(cx: &Cx<'a, '_>, near: ModelId, far: ModelId, group: &Group) -> Option<Gap<'a>> {
    let fields = match (group.near.as_slice(), group.far.as_slice()) {
        ([first], [second]) | ([first, second], []) if near != far || group.far.is_empty() => (*first, Some(*second)),
        ([lonely], []) | ([], [lonely]) => (*lonely, None),
        _ => return None,
    };
    let name = cx.field(fields.0).relation.name.map(|name| name.text);
    // Two fields of one model without a name are two relations of the model with itself.
    if near == far && name.is_none() {
        return None;
    }
    let (forward, back) = match fields {
        (first, Some(second)) => {
            let (forward, back) = sides(cx, first, second)?;
            (Some(forward), Some(back))
        }
        (lonely, None) if cx.field(lonely).arity() == Arity::List => (None, Some(lonely)),
        (lonely, None) => (Some(lonely), None),
    };
    let model = |id: FieldId| cx.field(id).model;
    let target = |id: FieldId| match cx.field(id).ty {
        FieldType::Model(target) => Some(target),
        _ => None,
    };
    let referencing = forward.map(model).or_else(|| back.and_then(target))?;
    let referenced = back.map(model).or_else(|| forward.and_then(target))?;
    Some(Gap { referencing, referenced, forward, back, name })
}

/// Returns the field with the columns and the other one; `None` if neither or both of them have columns.
fn sides(cx: &Cx<'_, '_>, first: FieldId, second: FieldId) -> Option<(FieldId, FieldId)> {
    let has_fields = |id: FieldId| cx.field(id).relation.fields.is_some();
    let has_references = |id: FieldId| cx.field(id).relation.references.is_some();
    let arity = |id: FieldId| cx.field(id).arity();
    let name = |id: FieldId| (cx.model(cx.field(id).model).ast.name.text, cx.field(id).ast.name.text);
    let first_is_forward = match (arity(first), arity(second)) {
        (Arity::List, Arity::List) => return None,
        (Arity::List, _) => false,
        (_, Arity::List) => true,
        _ if has_fields(first) && has_fields(second) => return None,
        _ if has_fields(first) || has_fields(second) => has_fields(first),
        _ if has_references(first) && has_references(second) => return None,
        _ if has_references(first) || has_references(second) => has_references(first),
        (Arity::Required, Arity::Optional) => true,
        (Arity::Optional, Arity::Required) => false,
        _ => name(first) <= name(second),
    };
    Some(if first_is_forward { (first, second) } else { (second, first) })
}

/// The existing columns of a relation, and those to add.
struct Completion {
    fields: Vec<String>,
    references: Vec<String>,
    /// The lines of columns to add.
    columns: Vec<(String, String)>,
    /// Whether the relation field on the side of the columns is optional.
    optional: bool,
}

impl Completion {
    /// Returns `None` if there is no key to reference, or if one of its columns cannot be copied.
    fn new(cx: &Cx<'_, '_>, texts: &[&str], gap: &Gap<'_>) -> Option<Self> {
        let relation = gap.forward.map(|id| &cx.field(id).relation);
        let arity = gap.forward.map_or(Arity::Optional, |id| cx.field(id).arity());
        let references = match relation.and_then(|relation| relation.references.as_ref()) {
            Some(references) => references.ids(),
            None => key(cx, gap.referenced)?,
        };
        let mut completion =
            Completion { fields: Vec::new(), references: Vec::new(), columns: Vec::new(), optional: false };
        completion.references.extend(references.iter().map(|id| cx.field(*id).ast.name.text.to_owned()));
        if let Some(fields) = relation.and_then(|relation| relation.fields.as_ref()) {
            completion.fields.extend(fields.ids().iter().map(|id| cx.field(*id).ast.name.text.to_owned()));
            return Some(completion);
        }
        let model = cx.model(gap.referenced).ast.name.text;
        for id in references {
            let name = naming::lower_first(model) + &naming::upper_first(cx.field(id).ast.name.text);
            match cx.find_field(gap.referencing, &name) {
                Some(known) if is_used(cx, gap, known) => return None,
                Some(known) => completion.optional |= cx.field(known).arity() == Arity::Optional,
                None => {
                    let line = column(cx, texts, id, &name, arity)?;
                    completion.columns.push((name.clone(), line));
                    completion.optional |= arity == Arity::Optional;
                }
            }
            completion.fields.push(name);
        }
        Some(completion)
    }

    /// Adds all insertions or none: a name must not be used twice.
    fn insert<'a>(
        self,
        cx: &Cx<'a, '_>,
        gap: &Gap<'a>,
        taken: &mut BTreeSet<(ModelId, String)>,
        insertions: &mut Vec<Insertion>,
    ) {
        let mut lines = Vec::new();
        if gap.back.is_none() {
            lines.push(back_line(cx, gap, &self));
        }
        if gap.forward.is_none() {
            lines.push(self.forward_line(cx, gap));
        }
        lines.extend(self.columns.iter().map(|(name, line)| (gap.referencing, name.clone(), line.clone())));
        let is_free = |(model, name, _): &(ModelId, String, String)| {
            cx.find_field(*model, name).is_none() && !taken.contains(&(*model, name.clone()))
        };
        let places: Option<Vec<_>> = lines.iter().map(|(model, ..)| end_of(cx, *model)).collect();
        let Some(places) = places.filter(|_| lines.iter().all(is_free)) else { return };
        for ((model, name, line), (file, at)) in lines.into_iter().zip(places) {
            insertions.push(Insertion { file, at, text: format!("{line}\n") });
            taken.insert((model, name));
        }
        insertions.extend(gap.forward.and_then(|id| self.arguments(cx, id)));
    }

    fn forward_line(&self, cx: &Cx<'_, '_>, gap: &Gap<'_>) -> (ModelId, String, String) {
        let model = cx.model(gap.referenced);
        let name = naming::camel_case(model.ast.name.text);
        let mark = if self.optional { "?" } else { "" };
        let mut arguments: Vec<_> = gap.name.map(|name| format!("{name:?}")).into_iter().collect();
        arguments.extend([named("fields", &self.fields), named("references", &self.references)]);
        let ignore = if model.ignored { " @ignore" } else { "" };
        let line = format!("{name} {}{mark} @relation({}){ignore}", model.ast.name.text, arguments.join(", "));
        (gap.referencing, name, line)
    }

    /// Returns the missing arguments of the field's attribute, or the whole attribute.
    fn arguments(&self, cx: &Cx<'_, '_>, id: FieldId) -> Option<Insertion> {
        let field = cx.field(id);
        let mut missing = Vec::new();
        if field.relation.fields.is_none() {
            missing.push(named("fields", &self.fields));
        }
        if field.relation.references.is_none() {
            missing.push(named("references", &self.references));
        }
        if missing.is_empty() {
            return None;
        }
        let text = missing.join(", ");
        let attribute = field.ast.attributes.iter().find(|attribute| attribute.name.text == "relation");
        let (span, text) = match attribute {
            None => (field.ast.ty.span, format!(" @relation({text})")),
            Some(Attribute { arguments: None, span, .. }) => (*span, format!("({text})")),
            Some(Attribute { arguments: Some(arguments), span, .. }) => {
                let lead = if arguments.list.is_empty() { "" } else { ", " };
                (Span { end: span.end - 1, ..*span }, format!("{lead}{text}"))
            }
        };
        Some(Insertion { file: span.file, at: span.end, text })
    }
}

fn named(name: &str, fields: &[String]) -> String {
    format!("{name}: [{}]", fields.join(", "))
}

fn back_line(cx: &Cx<'_, '_>, gap: &Gap<'_>, completion: &Completion) -> (ModelId, String, String) {
    let model = cx.model(gap.referencing);
    let ty = model.ast.name.text;
    let single = naming::camel_case(ty);
    let (name, mark) = if is_unique(cx, gap, completion) { (single, "?") } else { (naming::plural(&single), "[]") };
    let relation = gap.name.map(|name| format!(" @relation({name:?})")).unwrap_or_default();
    let ignore = if model.ignored { " @ignore" } else { "" };
    let line = format!("{name} {ty}{mark}{relation}{ignore}");
    (gap.referenced, name, line)
}

/// Returns whether the columns, in their order, are those of a `@unique` or `@@unique`, so that the relation is one to
/// one.
fn is_unique(cx: &Cx<'_, '_>, gap: &Gap<'_>, completion: &Completion) -> bool {
    let columns: Option<Vec<_>> = completion.fields.iter().map(|name| cx.find_field(gap.referencing, name)).collect();
    let keys = &cx.model(gap.referencing).keys;
    columns.is_some()
        && keys.iter().any(|key| key.kind == KeyKind::Unique && key.is_unique() && key.columns() == columns)
}

/// Returns the first key of a model whose columns are never null.
fn key(cx: &Cx<'_, '_>, id: ModelId) -> Option<Vec<FieldId>> {
    let keys = cx.model(id).keys.iter().filter(|key| key.is_unique());
    let mut keys: Vec<_> = keys.collect();
    keys.sort_by_key(|key| key.kind != KeyKind::Primary);
    let mut columns = keys.into_iter().filter_map(|key| key.columns());
    columns.find(|columns| columns.iter().all(|id| cx.field(*id).arity() == Arity::Required))
}

/// Returns whether a column already belongs to another relation.
fn is_used(cx: &Cx<'_, '_>, gap: &Gap<'_>, column: FieldId) -> bool {
    cx.model(gap.referencing).field_ids().any(|id| {
        let fields = cx.field(id).relation.fields.as_ref();
        fields.is_some_and(|list| list.ids().contains(&column))
    })
}

/// Returns the line of a column that references another one: its type, and its native type.
fn column(cx: &Cx<'_, '_>, texts: &[&str], id: FieldId, name: &str, arity: Arity) -> Option<String> {
    let field = cx.field(id);
    if !matches!(field.ty, FieldType::Scalar(_) | FieldType::Enum(_)) {
        return None;
    }
    let mark = if arity == Arity::Optional { "?" } else { "" };
    let native = field.ast.attributes.iter().find(|attribute| attribute.name.text.contains('.'));
    let native = native.and_then(|attribute| texts.get(attribute.span.file as usize)?.get(attribute.span.range()));
    Some(format!("{name} {}{mark} {}", field.ast.ty.name.text, native.unwrap_or("")))
}

/// Returns the place of the `}` of a model.
fn end_of(cx: &Cx<'_, '_>, id: ModelId) -> Option<(u32, u32)> {
    let model = cx.model(id).ast;
    Some((model.name.span.file, model.close?))
}
