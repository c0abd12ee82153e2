//! The relations that lead from a model to the tenant of its rows.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::super::Cx;
use super::super::draft::{DeclaredTenancy, FieldType};
use super::{column_of, id_of, is_required_link, new_line};
use crate::diagnostics::{self as codes, Diagnostic, did_you_mean};
use crate::ir::{Arity, FieldId, ModelId, Tenancy};
use crate::syntax::{ModelKind, Name};

/// Resolves the relations of `@@tenant(a.b)`.
pub(super) fn resolve<'a>(
    cx: &Cx<'a, '_>,
    model: ModelId,
    path: Name<'a>,
    tenant: ModelId,
) -> Result<Vec<FieldId>, Box<Diagnostic>> {
    let report = |message: String, label: &str, help: String| {
        Box::new(Diagnostic::new(codes::TENANT_PATH, path.span, message).label(label).help(help))
    };
    let mut here = model;
    let mut fields = Vec::new();
    for name in path.text.split('.') {
        let (id, to) = step(cx, here, name)
            .map_err(|(message, help)| report(message, "expected a required relation with `fields:`", help))?;
        fields.push(id);
        here = to;
    }
    let name = |id: ModelId| cx.model(id).ast.name.text;
    if here != tenant {
        let more = shortest(cx, here, tenant);
        let help = match more {
            Some(more) => format!("write `@@tenant({}.{})`", path.text, join(cx, &more)),
            None => format!("name relations that lead to `{}`, the model with `@@tenant`", name(tenant)),
        };
        return Err(report(
            format!("`{}` leads to `{}`, which is not a tenant", path.text, name(here)),
            "ends too early",
            help,
        ));
    }
    let last = fields.last().map(|id| &cx.field(*id).relation);
    let referenced = last.and_then(|relation| relation.references.as_ref());
    if referenced.is_some_and(|list| Some(list.ids()) != id_of(cx, tenant).map(|id| vec![id])) {
        let message = format!("`{}` does not reference the id of `{}`", path.text, name(tenant));
        return Err(report(message, "references other fields", "reference the field with `@id`".to_owned()));
    }
    if let Some(hidden) = fields.iter().find_map(|id| hidden_column(cx, *id)) {
        let message = format!("`{}`, which leads to the tenant, is not in the client", cx.qualified(hidden));
        return Err(report(
            message,
            "uses a column that is not in the client",
            "remove `@ignore`, or use a relation whose columns have types of the schema language".to_owned(),
        ));
    }
    agrees(cx, &fields, path)?;
    Ok(fields)
}

/// Resolves one relation of a path, and the model that it leads to.
fn step(cx: &Cx<'_, '_>, model: ModelId, name: &str) -> Result<(FieldId, ModelId), (String, String)> {
    let block = cx.model(model);
    let of_model = block.ast.name.text;
    let Some(id) = cx.find_field(model, name) else {
        let known = block.field_ids().filter(|id| is_required_link(cx, *id)).map(|id| cx.field(id).ast.name.text);
        let known: Vec<_> = known.collect();
        let help = match (did_you_mean(name, known.iter().copied()), known.as_slice()) {
            (Some(guess), _) => format!("did you mean `{guess}`?"),
            (None, []) => format!("add a relation to `{of_model}` that leads to the tenant"),
            (None, known) => format!("name one of its relations: `{}`", known.join("`, `")),
        };
        return Err((format!("`{of_model}` has no field `{name}`"), help));
    };
    let field = cx.field(id);
    let qualified = cx.qualified(id);
    match field.ty {
        FieldType::Model(_) if field.ignored => {
            Err((format!("`{qualified}` is ignored"), "remove `@ignore`, or name another relation".to_owned()))
        }
        FieldType::Model(to) if is_required_link(cx, id) => Ok((id, to)),
        FieldType::Model(_) if field.arity() == Arity::Optional => Err((
            format!("`{qualified}` is optional, so a row without it would belong to no tenant"),
            format!(
                "write `{name} {}`, and make its columns required, or name another relation",
                field.ast.ty.name.text
            ),
        )),
        FieldType::Model(_) => Err((
            format!("`{qualified}` does not lead to a single row: its columns are on the other side"),
            "name a relation with `fields:`".to_owned(),
        )),
        _ => {
            let column = block
                .field_ids()
                .find(|other| cx.field(*other).relation.fields.as_ref().is_some_and(|list| list.ids().contains(&id)));
            let help = match column {
                Some(relation) => format!("name the relation: `@@tenant({})`", cx.field(relation).ast.name.text),
                None => "name a relation with `fields:`".to_owned(),
            };
            Err((format!("`{qualified}` is a column, and not a relation"), help))
        }
    }
}

/// Returns a column of a relation, on either side, that is not in the client. Then the client could not follow the
/// relation.
fn hidden_column(cx: &Cx<'_, '_>, relation: FieldId) -> Option<FieldId> {
    let relation = &cx.field(relation).relation;
    let mut columns = relation.fields.iter().chain(&relation.references).flat_map(|list| list.ids());
    columns.find(|id| cx.field(*id).ignored || cx.field(*id).ty == FieldType::Unsupported)
}

/// The rest of the path must be the path that the model of the first relation declares.
fn agrees(cx: &Cx<'_, '_>, fields: &[FieldId], path: Name<'_>) -> Result<(), Box<Diagnostic>> {
    let rest = path.text.split_once('.').map(|(_, rest)| rest);
    let (Some(rest), Some(FieldType::Model(next))) = (rest, fields.first().map(|id| cx.field(*id).ty)) else {
        return Ok(());
    };
    let next = cx.model(next);
    let name = next.ast.name.text;
    let (message, help) = match next.declared_tenancy {
        Some(DeclaredTenancy::Within(own)) if own.text != rest => (
            format!("`{name}` belongs to its tenant through `{}`, and not through `{rest}`", own.text),
            format!("write `@@tenant({}.{})`", path.text.split('.').next().unwrap_or_default(), own.text),
        ),
        Some(DeclaredTenancy::Shared(_)) => (
            format!("`{name}` is shared, so its rows lead to no tenant"),
            format!("write `@@tenant({rest})` in `{name}`, or name another path"),
        ),
        _ => return Ok(()),
    };
    let diagnostic = Diagnostic::new(codes::TENANT_PATH, path.span, message).label("another path").help(help);
    Err(Box::new(match next.declared_tenancy {
        Some(declared) => diagnostic.second(declared.span(), "declared here"),
        None => diagnostic,
    }))
}

/// Returns the shortest path of required relations from a model to the tenant, through models that are not shared.
fn shortest(cx: &Cx<'_, '_>, from: ModelId, tenant: ModelId) -> Option<Vec<FieldId>> {
    let mut before: BTreeMap<ModelId, Option<FieldId>> = BTreeMap::from([(from, None)]);
    let mut queue = VecDeque::from([from]);
    while let Some(here) = queue.pop_front() {
        if here == tenant {
            let mut path = Vec::new();
            let mut at = here;
            while let Some(Some(id)) = before.get(&at) {
                path.push(*id);
                at = cx.field(*id).model;
            }
            path.reverse();
            return Some(path);
        }
        for id in cx.model(here).field_ids().filter(|id| is_required_link(cx, *id) && !cx.field(*id).ignored) {
            if let FieldType::Model(to) = cx.field(id).ty
                && !is_shared(cx, to)
                && !before.contains_key(&to)
            {
                before.insert(to, Some(id));
                queue.push_back(to);
            }
        }
    }
    None
}

fn is_shared(cx: &Cx<'_, '_>, model: ModelId) -> bool {
    matches!(cx.model(model).declared_tenancy, Some(DeclaredTenancy::Shared(_)))
}

fn join(cx: &Cx<'_, '_>, path: &[FieldId]) -> String {
    path.iter().map(|id| cx.field(*id).ast.name.text).collect::<Vec<_>>().join(".")
}

/// A model whose rows lead to a tenant has to declare whether they belong to it.
pub(super) fn every_model_says_so(cx: &mut Cx<'_, '_>, tenant: ModelId) {
    let reaching = reaching(cx, tenant);
    // Row security also concerns tables that are not in the client: raw SQL reaches them.
    let is_secured = cx.models.iter().any(|model| cx.has_row_security(model));
    let silent = |id: &ModelId| {
        let model = cx.model(*id);
        model.declared_tenancy.is_none()
            && (is_secured || !model.ignored)
            && !model.ast.broken
            && model.tenancy == Tenancy::Shared
    };
    // The compiler does not know which tables a view reads.
    let is_view = |id: &ModelId| cx.model(*id).ast.kind == ModelKind::View && !reaching.contains(id);
    let views: Vec<_> =
        cx.model_ids().filter(is_view).filter(silent).map(|id| view_says_nothing(cx, id, tenant)).collect();
    let found: Vec<_> = reaching.iter().copied().filter(silent).map(|id| says_nothing(cx, id, tenant)).collect();
    let referenced: Vec<_> = referenced(cx)
        .into_iter()
        .filter(|(id, _)| silent(id) && !reaching.contains(id))
        .map(|(id, by)| referenced_says_nothing(cx, id, by, tenant))
        .collect();
    let others = cx.model_ids().filter(|id| !reaching.contains(id) && !is_view(id)).filter(silent);
    let others = others.filter(|id| !referenced.iter().any(|found| found.span == cx.model(*id).ast.name.span));
    let alone: Vec<_> = others.filter_map(|id| column_alone(cx, id, tenant)).collect();
    cx.diagnostics.extend(found);
    cx.diagnostics.extend(referenced);
    cx.diagnostics.extend(views);
    cx.diagnostics.extend(alone);
}

/// Reports a model with a column like the one that contains the tenant elsewhere. Without a relation, its rows belong to no
/// tenant, and every client sees all of them.
fn column_alone(cx: &Cx<'_, '_>, id: ModelId, tenant: ModelId) -> Option<Diagnostic> {
    let like = |field: &FieldId| {
        let field = cx.field(*field);
        let is_same = |other: FieldId| {
            let other = cx.field(other);
            other.ast.name.text == field.ast.name.text && other.native_type() == field.native_type()
        };
        let mut holders = cx.model_ids().filter(|id| matches!(cx.model(*id).tenancy, Tenancy::Within(_)));
        field.is_column() && holders.any(|id| column_of(cx, id).is_some_and(is_same))
    };
    let column = cx.model(id).field_ids().find(like)?;
    let (name, tenants) = (cx.model(id).ast.name.text, cx.model(tenant).ast.name.text);
    let column = cx.field(column).ast.name;
    let message = format!("`{name}` has the column `{}`, but its rows belong to no `{tenants}`", column.text);
    Some(
        Diagnostic::new(codes::TENANT_COLUMN_ALONE, column.span, message)
            .label("every client sees all rows of the model")
            .help(format!(
                "add a required relation to `{tenants}` with `fields: [{}]` and write `@@tenant(..)`; or write `@@shared` if \
                 its rows belong to every `{tenants}`",
                column.text
            )),
    )
}

fn view_says_nothing(cx: &Cx<'_, '_>, id: ModelId, tenant: ModelId) -> Diagnostic {
    let (name, tenants) = (cx.model(id).ast.name, cx.model(tenant).ast.name.text);
    let message = format!("the view `{}` does not declare whose rows it contains", name.text);
    Diagnostic::new(codes::UNDECLARED_TENANCY, name.span, message)
        .label(format!("may show rows of every `{tenants}`"))
        .help(format!(
            "add the column and a relation to `{tenants}`, and write `@@tenant(..)`; or write `@@shared` if its rows \
             belong to every `{tenants}`"
        ))
}

fn says_nothing(cx: &Cx<'_, '_>, id: ModelId, tenant: ModelId) -> Diagnostic {
    let name = cx.model(id).ast.name;
    let tenants = cx.model(tenant).ast.name.text;
    let message = format!("`{}` does not declare whose rows it contains", name.text);
    let diagnostic = Diagnostic::new(codes::UNDECLARED_TENANCY, name.span, message);
    match shortest(cx, id, tenant) {
        Some(path) => {
            let line = format!("@@tenant({})", join(cx, &path));
            diagnostic
                .label(format!("leads to `{tenants}` through `{}`", join(cx, &path)))
                .help(format!(
                    "write `{line}` if each row belongs to one `{tenants}`, or `@@shared` if all rows belong to every one"
                ))
                .edits(new_line(cx, id, line))
        }
        None => diagnostic.label(format!("leads to `{tenants}`, but not through required relations")).help(format!(
            "add a required relation to `{tenants}` and write `@@tenant(..)`; or write `@@shared` if its rows belong \
             to every `{tenants}`"
        )),
    }
}

fn referenced_says_nothing(cx: &Cx<'_, '_>, id: ModelId, by: FieldId, tenant: ModelId) -> Diagnostic {
    let (name, tenants) = (cx.model(id).ast.name, cx.model(tenant).ast.name.text);
    let message = format!("`{}` does not declare whose rows it contains", name.text);
    Diagnostic::new(codes::UNDECLARED_TENANCY, name.span, message)
        .label(format!("`{}` references it", cx.qualified(by)))
        .help(format!(
            "write `@@shared` if its rows belong to every `{tenants}`; or add a required relation to `{tenants}` and write \
             `@@tenant(..)`"
        ))
}

/// Returns the models that rows of tenants reference, each with one of these relations. Their rows may be part of a
/// tenant's data, such as the address of a user.
fn referenced(cx: &Cx<'_, '_>) -> BTreeMap<ModelId, FieldId> {
    let has_tenant = |id: ModelId| {
        matches!(cx.model(id).declared_tenancy, Some(DeclaredTenancy::Within(_) | DeclaredTenancy::Tenant(_)))
    };
    let model = |id: FieldId| cx.field(id).model;
    let of_tenants = cx.relations.iter().filter(|relation| has_tenant(model(relation.referencing)));
    of_tenants.map(|relation| (model(relation.referenced), relation.referencing)).collect()
}

/// Returns the models that have a foreign key, or a join table, to a model whose rows belong to a tenant.
fn reaching(cx: &Cx<'_, '_>, tenant: ModelId) -> BTreeSet<ModelId> {
    let model = |id: FieldId| cx.field(id).model;
    let mut known = BTreeSet::from([tenant]);
    known
        .extend(cx.model_ids().filter(|id| matches!(cx.model(*id).declared_tenancy, Some(DeclaredTenancy::Within(_)))));
    loop {
        let before = known.len();
        for relation in &cx.relations {
            let (from, to) = (model(relation.referencing), model(relation.referenced));
            if known.contains(&to) && !is_shared(cx, from) {
                known.insert(from);
            }
            if relation.foreign_key.is_none() && known.contains(&from) && !is_shared(cx, to) {
                known.insert(to);
            }
        }
        if known.len() == before {
            return known;
        }
    }
}
