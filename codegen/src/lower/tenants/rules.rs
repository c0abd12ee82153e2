//! Rules that keep the rows of tenants apart: foreign keys and unique keys contain the tenant.

use super::super::Cx;
use super::super::draft::{FieldList, ForeignKeyDraft, KeyDraft, KeyField, KeyKind, RelationDraft};
use super::super::relations::is_unique;
use super::{column_of, names, new_line};
use crate::diagnostics::{self as codes, Diagnostic, Edit, Span};
use crate::ir::{Arity, DefaultValue, FieldId, ModelId, ReferentialAction, Tenancy};
use crate::syntax::ModelKind;

/// Reports foreign keys between rows of tenants that do not contain the tenant.
pub(super) fn relations_stay_within_a_tenant(cx: &Cx<'_, '_>) -> Vec<Diagnostic> {
    cx.relations.iter().filter_map(|relation| Sides::of(cx, relation)?.crossing()).collect()
}

/// A relation between two models whose rows belong to tenants.
struct Sides<'c, 'a, 'd> {
    cx: &'c Cx<'a, 'd>,
    relation: &'c RelationDraft<'a>,
    referencing: ModelId,
    referenced: ModelId,
}

impl<'c, 'a, 'd> Sides<'c, 'a, 'd> {
    fn of(cx: &'c Cx<'a, 'd>, relation: &'c RelationDraft<'a>) -> Option<Self> {
        let (referencing, referenced) = (cx.field(relation.referencing).model, cx.field(relation.referenced).model);
        let has_tenant =
            |id: ModelId| cx.model(id).tenancy != Tenancy::Shared && cx.model(id).ast.kind != ModelKind::View;
        (has_tenant(referencing) && has_tenant(referenced)).then_some(Self { cx, relation, referencing, referenced })
    }

    fn name(&self, id: ModelId) -> &'a str {
        self.cx.model(id).ast.name.text
    }

    fn crossing(&self) -> Option<Diagnostic> {
        let Some(key) = &self.relation.foreign_key else { return Some(self.table_between()) };
        let is_the_way = match &self.cx.model(self.referencing).tenancy {
            Tenancy::Within(path) => path.first() == Some(&self.relation.referencing),
            _ => false,
        };
        let (ours, theirs) = (column_of(self.cx, self.referencing), column_of(self.cx, self.referenced));
        let mut pairs = key.fields.iter().zip(&key.references);
        let holds_it = ours.is_some() && pairs.any(|(from, to)| (Some(*from), Some(*to)) == (ours, theirs));
        if is_the_way || holds_it {
            return None;
        }
        let message = format!(
            "`{}` can reference a row of `{}` of another tenant",
            self.cx.qualified(self.relation.referencing),
            self.name(self.referenced)
        );
        let list = self.cx.field(self.relation.referencing).relation.fields.as_ref()?;
        let diagnostic = Diagnostic::new(codes::RELATION_ACROSS_TENANTS, list.span, message)
            .label("the foreign key does not contain the tenant");
        Some(match (ours, theirs) {
            (Some(ours), Some(theirs)) => self.with_composite_key(diagnostic, key, ours, theirs),
            (None, _) => diagnostic.help(self.give_a_column(self.referencing)),
            (_, None) => diagnostic.help(self.give_a_column(self.referenced)),
        })
    }

    /// Reports an implicit many-to-many relation, whose join table has no column for a tenant.
    fn table_between(&self) -> Diagnostic {
        let message = format!("`{}` can join rows of two tenants", self.cx.qualified(self.relation.referencing));
        let span = self.cx.field(self.relation.referencing).ast.name.span;
        Diagnostic::new(codes::RELATION_ACROSS_TENANTS, span, message)
            .label("its join table does not contain the tenant")
            .second(self.cx.field(self.relation.referenced).ast.name.span, "the other side")
            .help("replace the join table with a model that has `@@tenant(..)` and a relation to each of the two")
    }

    fn give_a_column(&self, model: ModelId) -> String {
        let name = self.name(model);
        format!("add a relation to the tenant to `{name}`, and write `@@tenant(..)` with the relation's name")
    }

    fn with_composite_key(
        &self,
        diagnostic: Diagnostic,
        key: &ForeignKeyDraft<'_>,
        ours: FieldId,
        theirs: FieldId,
    ) -> Diagnostic {
        let cx = self.cx;
        let fields = [&[ours], key.fields.as_slice()].concat();
        let references = [&[theirs], key.references.as_slice()].concat();
        let mut help = format!("write `fields: [{}], references: [{}]`", names(cx, &fields), names(cx, &references));
        let mut edits = Vec::new();
        let relation = &cx.field(self.relation.referencing).relation;
        let is_required = cx.field(ours).arity() == Arity::Required;
        let is_set_null =
            |action: Option<(ReferentialAction, Span)>| matches!(action, Some((ReferentialAction::SetNull, _)));
        for (list, tenant) in [(&relation.fields, ours), (&relation.references, theirs)] {
            edits.extend(list.iter().flat_map(|list| in_front(cx, list, tenant)));
        }
        if !is_unique(cx, &references) {
            let line = format!("@@unique([{}])", names(cx, &references));
            help.push_str(&format!(", and `{line}` in `{}`", self.name(self.referenced)));
            edits.extend(new_line(cx, self.referenced, line));
        }
        if key.one_to_one && !is_unique(cx, &fields) {
            let line = format!("@@unique([{}])", names(cx, &fields));
            help.push_str(&format!(", and `{line}` in `{}`", self.name(self.referencing)));
            edits.extend(new_line(cx, self.referencing, line));
        }
        if is_required && is_set_null(relation.on_update) {
            let ours = cx.field(ours).ast.name.text;
            help.push_str(&format!(
                ", and an `onUpdate` other than `SetNull`, which would also set `{ours}` to null, such as `NoAction`"
            ));
            return diagnostic.help(help);
        }
        if is_required && let Some((text, at)) = self.kept_set_null(key) {
            help.push_str(&format!(", and `{text}`, so that a deletion keeps the tenant"));
            edits.push(Edit { span: Span { start: at.end, ..at }, text: format!(", {text}") });
        }
        diagnostic.help(help).edits(edits)
    }

    /// Returns what lets a deletion still set the columns of the relation to null, but not the tenant, and what it is
    /// written behind. Without it, the default of `onDelete` would be `Restrict`, because one of the fields is required.
    fn kept_set_null(&self, key: &ForeignKeyDraft<'_>) -> Option<(String, Span)> {
        let relation = &self.cx.field(self.relation.referencing).relation;
        let mut optional = key.fields.clone();
        optional.retain(|id| self.cx.field(*id).arity() == Arity::Optional);
        let set_null = format!("setNull: [{}]", names(self.cx, &optional));
        match relation.on_delete {
            Some((ReferentialAction::SetNull, span)) if relation.delete_fields.is_none() && !optional.is_empty() => {
                Some((set_null, span))
            }
            None if self.cx.field(self.relation.referencing).arity() == Arity::Optional => {
                let list = relation.references.as_ref().or(relation.fields.as_ref())?;
                Some((format!("onDelete: SetNull, {set_null}"), list.span))
            }
            _ => None,
        }
    }
}

/// Inserts a field at the front of a list, which may be written without brackets.
fn in_front(cx: &Cx<'_, '_>, list: &FieldList, field: FieldId) -> Vec<Edit> {
    let Some((_, first)) = list.fields.first() else { return Vec::new() };
    let name = cx.field(field).ast.name.text;
    let at = |offset: u32| Span { start: offset, end: offset, ..*first };
    let bare = list.span == *first;
    let start = if bare { format!("[{name}, ") } else { format!("{name}, ") };
    let mut edits = vec![Edit { span: at(first.start), text: start }];
    if bare {
        edits.push(Edit { span: at(first.end), text: "]".to_owned() });
    }
    edits
}

/// Reports unique keys that show one tenant that another one uses a value.
pub(super) fn keys_hold_the_tenant(cx: &Cx<'_, '_>) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for id in cx.model_ids() {
        let model = cx.model(id);
        if matches!(model.tenancy, Tenancy::Within(_)) && model.ast.kind != ModelKind::View {
            found.extend(model.keys.iter().filter_map(|key| shared_key(cx, id, key)));
        }
    }
    found
}

pub(in super::super) fn shared_key(cx: &Cx<'_, '_>, model: ModelId, key: &KeyDraft<'_>) -> Option<Diagnostic> {
    if key.kind == KeyKind::Index || key.global {
        return None;
    }
    if key.kind == KeyKind::Exclusion {
        return shared_exclusion(cx, model, key);
    }
    let columns: Vec<FieldId> = key.fields.iter().filter_map(|field| field.column()).collect();
    if columns.iter().any(|id| is_generated(cx, *id)) || points_within(cx, model, &columns) {
        return None;
    }
    let written = if key.is_on_field() { key.attribute.to_owned() } else { format!("{}(..)", key.attribute) };
    let message = match columns.as_slice() {
        [] => format!("`{written}` is unique across all tenants"),
        columns => format!("`{}` is unique across all tenants", names(cx, columns)),
    };
    let diagnostic = Diagnostic::new(codes::KEY_ACROSS_TENANTS, key.span, message)
        .label("shows one tenant that another one uses a value");
    let global = "`global: true` if all tenants share its values";
    Some(match column_of(cx, model) {
        Some(tenant) => {
            let tenant_name = cx.field(tenant).ast.name.text;
            let kept = if key.kind == KeyKind::Primary { "@@id" } else { "@@unique" };
            let list = names(cx, &[&[tenant], columns.as_slice()].concat());
            let edits = with_tenant(cx, model, key, tenant, &list);
            let help = if columns.is_empty() {
                format!("add `{tenant_name}` as the first field, or write {global}")
            } else {
                format!("write `{kept}([{list}])`, or {global}")
            };
            diagnostic.help(help).edits(edits)
        }
        None => diagnostic
            .help(format!("write {global}; the model has no column with the tenant that the key could contain")),
    })
}

/// Rows of two tenants exclude each other unless the constraint compares their tenants.
fn shared_exclusion(cx: &Cx<'_, '_>, model: ModelId, key: &KeyDraft<'_>) -> Option<Diagnostic> {
    let is_equal = |field: &&KeyField<'_>| field.operator.is_some_and(|operator| operator.text.trim() == "=");
    let columns: Vec<FieldId> = key.fields.iter().filter(is_equal).filter_map(|field| field.column()).collect();
    if points_within(cx, model, &columns) {
        return None;
    }
    let diagnostic = Diagnostic::new(codes::KEY_ACROSS_TENANTS, key.span, "rows of two tenants exclude each other")
        .label("shows one tenant that another one has a row");
    Some(match column_of(cx, model) {
        Some(tenant) => diagnostic.help(format!(
            "add `{}(with: \"=\")` as the first field, or write `global: true` if that is intended",
            cx.field(tenant).ast.name.text
        )),
        None => diagnostic.help("write `global: true` if that is intended; the model has no column with the tenant"),
    })
}

/// Proposes the key with the tenant at the front. Proposes no change of a primary key, because other tables may
/// reference it.
pub(in super::super) fn with_tenant(
    cx: &Cx<'_, '_>,
    model: ModelId,
    key: &KeyDraft<'_>,
    tenant: FieldId,
    list: &str,
) -> Vec<Edit> {
    let is_plain = key.name.is_none() && key.map.is_none() && key.predicate.is_none();
    let referenced = |columns: &[FieldId]| {
        cx.relations
            .iter()
            .filter_map(|relation| relation.foreign_key.as_ref())
            .any(|other| other.references == columns)
    };
    let columns = key.columns().unwrap_or_default();
    if key.kind == KeyKind::Primary || columns.is_empty() || referenced(&columns) {
        return Vec::new();
    }
    if is_plain && is_unique(cx, &[&[tenant], columns.as_slice()].concat()) {
        return vec![Edit { span: key.span, text: String::new() }];
    }
    if key.is_on_field() {
        if !is_plain {
            return Vec::new();
        }
        let removed = Edit { span: key.span, text: String::new() };
        let line = new_line(cx, model, format!("@@unique([{list}])"));
        return line.into_iter().chain([removed]).collect();
    }
    let name = cx.field(tenant).ast.name.text;
    let first = key.fields[0].span;
    vec![Edit { span: Span { end: first.start, ..first }, text: format!("{name}, ") }]
}

/// Returns whether the database or the client generates the values. Such values reveal nothing about other tenants.
fn is_generated(cx: &Cx<'_, '_>, id: FieldId) -> bool {
    let is_counted = cx.field(id).identity.is_some();
    is_counted
        || matches!(
            cx.field(id).default.as_ref().map(|(default, _)| default),
            Some(
                DefaultValue::Uuid(_)
                    | DefaultValue::Cuid(_)
                    | DefaultValue::Ulid
                    | DefaultValue::Nanoid(_)
                    | DefaultValue::Autoincrement
                    | DefaultValue::DbGenerated(_)
            )
        )
}

/// Returns whether the columns contain the tenant, or the key of another row that belongs to it.
fn points_within(cx: &Cx<'_, '_>, model: ModelId, columns: &[FieldId]) -> bool {
    if column_of(cx, model).is_some_and(|tenant| columns.contains(&tenant)) {
        return true;
    }
    cx.relations.iter().any(|relation| {
        cx.field(relation.referencing).model == model
            && cx.model(cx.field(relation.referenced).model).tenancy != Tenancy::Shared
            && relation.foreign_key.as_ref().is_some_and(|key| points_at_one(cx, model, key, columns))
    })
}

/// Returns whether the columns contain a foreign key, or its part that references a unique key without the tenant.
fn points_at_one(cx: &Cx<'_, '_>, model: ModelId, key: &ForeignKeyDraft<'_>, columns: &[FieldId]) -> bool {
    if key.fields.iter().all(|id| columns.contains(id)) {
        return true;
    }
    let tenant = column_of(cx, model);
    let pairs = key.fields.iter().zip(&key.references).filter(|(from, _)| Some(**from) != tenant);
    let (from, to): (Vec<FieldId>, Vec<FieldId>) = pairs.unzip();
    !from.is_empty() && from.iter().all(|id| columns.contains(id)) && is_unique(cx, &to)
}
