//! Tenants: the tenant of each model's rows, and relations and keys that cross tenants.

mod paths;
mod row_security;
mod rules;

use super::Cx;
pub(super) use rules::{shared_key, with_tenant};

use super::draft::{DeclaredTenancy, KeyKind};
use crate::diagnostics::{self as codes, Diagnostic, Edit, Span};
use crate::ir::{Arity, FieldId, ModelId, Tenancy};

/// Resolves the tenant of each model's rows, and reports contradictions. Without `@@tenant`, checks only that nothing
/// needs one.
pub(super) fn resolve_tenants(cx: &mut Cx<'_, '_>) {
    let Some(tenant) = find_tenant(cx) else { return row_security::needs_tenants(cx) };
    tenants_have_an_id(cx, tenant);
    cx.model_mut(tenant).tenancy = Tenancy::Tenant;
    for id in cx.model_ids() {
        if let Some(DeclaredTenancy::Within(path)) = cx.model(id).declared_tenancy {
            match paths::resolve(cx, id, path, tenant) {
                Ok(fields) => cx.model_mut(id).tenancy = Tenancy::Within(fields),
                Err(found) => cx.report(*found),
            }
        }
    }
    paths::every_model_says_so(cx, tenant);
    let mut found = rules::relations_stay_within_a_tenant(cx);
    found.extend(rules::keys_hold_the_tenant(cx));
    cx.diagnostics.extend(found);
    row_security::tenant_fits_a_setting(cx, tenant);
}

/// Returns the model whose rows are tenants.
fn find_tenant(cx: &mut Cx<'_, '_>) -> Option<ModelId> {
    let of = |cx: &Cx<'_, '_>, id: ModelId| match cx.model(id).declared_tenancy {
        Some(DeclaredTenancy::Tenant(span)) => Some((id, span)),
        _ => None,
    };
    let tenants: Vec<_> = cx.model_ids().filter_map(|id| of(cx, id)).collect();
    let Some((first, place)) = tenants.first().copied() else {
        let is_broken = |id| matches!(cx.model(id).declared_tenancy, Some(DeclaredTenancy::Broken(_)));
        let within = |id| match cx.model(id).declared_tenancy {
            Some(DeclaredTenancy::Within(path)) => Some(path),
            _ => None,
        };
        let paths: Vec<_> = cx.model_ids().filter_map(within).collect();
        if !cx.model_ids().any(is_broken) {
            cx.diagnostics.extend(paths.into_iter().map(|path| {
                Diagnostic::new(codes::TENANT_PATH, path.span, "the schema has no model with `@@tenant`")
                    .label("leads to no tenant")
                    .help("write `@@tenant` in the model whose rows are tenants")
            }));
        }
        return None;
    };
    for (id, span) in tenants.into_iter().skip(1) {
        let message = format!("`{}` is a second model with `@@tenant`", cx.model(id).ast.name.text);
        cx.report(
            Diagnostic::new(codes::TWO_TENANT_MODELS, span, message)
                .label("only one model can have it")
                .second(place, "the first one")
                .help("write `@@tenant(..)` with the relation that leads to the tenant, or `@@shared`"),
        );
    }
    Some(first)
}

/// Checks that the id of the tenant is a single field, because a handle identifies its tenant by one value.
fn tenants_have_an_id(cx: &mut Cx<'_, '_>, tenant: ModelId) {
    let model = cx.model(tenant);
    let is_single = |id: FieldId| cx.field(id).is_column() && !cx.field(id).ignored;
    let has_id = model.keys.iter().any(|key| {
        key.kind == KeyKind::Primary
            && key.columns().is_some_and(|columns| matches!(columns[..], [id] if is_single(id)))
    });
    if has_id || model.has_broken_key {
        return;
    }
    let message = format!("`{}` has no id of a single field", model.ast.name.text);
    let span = model.declared_tenancy.map_or(model.ast.name.span, DeclaredTenancy::span);
    cx.report(
        Diagnostic::new(codes::TENANT_ID, span, message)
            .label("a tenant is identified by one value")
            .help("give it a field with `@id`, such as `id String @id @default(uuid()) @db.Uuid`"),
    );
}

/// Returns the id of a tenant.
fn id_of(cx: &Cx<'_, '_>, tenant: ModelId) -> Option<FieldId> {
    let key = cx.model(tenant).keys.iter().find(|key| key.kind == KeyKind::Primary)?;
    key.columns()?.first().copied()
}

/// Returns the column of a model that contains the id of its tenant. For the model of tenants, that is its own id.
pub(super) fn column_of(cx: &Cx<'_, '_>, model: ModelId) -> Option<FieldId> {
    match &cx.model(model).tenancy {
        Tenancy::Shared => None,
        Tenancy::Tenant => id_of(cx, model),
        Tenancy::Within(path) => match path.as_slice() {
            [only] => cx.field(*only).relation.fields.as_ref()?.ids().first().copied(),
            _ => None,
        },
    }
}

/// Returns whether a field is a required relation whose columns belong to its model.
fn is_required_link(cx: &Cx<'_, '_>, id: FieldId) -> bool {
    cx.field(id).arity() == Arity::Required && cx.field(id).relation.fields.is_some()
}

/// Returns the edit that adds a line at the end of a model.
pub(super) fn new_line(cx: &Cx<'_, '_>, model: ModelId, text: String) -> Option<Edit> {
    let block = cx.model(model).ast;
    let at = block.close?;
    Some(Edit { span: Span { file: block.name.span.file, start: at, end: at }, text: format!("{text}\n") })
}

/// Joins the names of fields: `a, b`.
pub(super) fn names(cx: &Cx<'_, '_>, fields: &[FieldId]) -> String {
    fields.iter().map(|id| cx.field(*id).ast.name.text).collect::<Vec<_>>().join(", ")
}
