//! `@@audited`: PostgreSQL records every change of a model's rows.

use super::Cx;
use super::arguments::{Parameters, bind, list_items, report_wrong_value};
use super::draft::{AuditDraft, KeyKind, ModelDraft};
use super::field_names::find_column;
use crate::diagnostics::{self as codes, Diagnostic, Span};
use crate::ir::{Engine, FieldId, ModelId, Tenancy};
use crate::syntax::{Attribute, Expression, ModelKind};

const PARAMETERS: Parameters = Parameters { owner: "@@audited", unnamed: None, names: &["except"], required: &[] };

/// Reads `@@audited` and `@@audited(except: [views])`.
pub(super) fn read_audited<'a>(cx: &mut Cx<'a, '_>, id: ModelId, attribute: &'a Attribute<'a>) {
    let bound = bind(cx, attribute.arguments(), attribute.span, &PARAMETERS);
    let except = bound.get("except").map(|value| read_fields(cx, id, value)).unwrap_or_default();
    cx.model_mut(id).audit = Some(AuditDraft { except, span: attribute.span });
}

fn read_fields<'a>(cx: &mut Cx<'a, '_>, id: ModelId, value: &'a Expression<'a>) -> Vec<(FieldId, Span)> {
    let mut fields = Vec::new();
    for item in list_items(value) {
        let Expression::Constant(name) = item else {
            report_wrong_value(cx, item, "the name of a field", "write the field's name without quotes".to_owned());
            continue;
        };
        fields.extend(find_column(cx, id, *name, "@@audited").map(|field| (field, name.span)));
    }
    fields
}

/// Reports models whose changes cannot be recorded, and fields that cannot be left out.
pub(super) fn check_audited(cx: &mut Cx<'_, '_>) {
    let mut found = Vec::new();
    for id in cx.model_ids() {
        let model = cx.model(id);
        let Some(audit) = &model.audit else { continue };
        match refusal(cx, model, audit.span) {
            Some(diagnostic) => found.push(diagnostic),
            None => found.extend(key_columns(model).filter_map(|field| is_hidden_key(cx, audit.span, field))),
        }
        for (at, (field, span)) in audit.except.iter().enumerate() {
            let is_repeated = audit.except[..at].iter().any(|(other, _)| other == field);
            found.extend(is_needed(cx, model, *field, *span, is_repeated));
        }
    }
    cx.diagnostics.extend(found);
}

/// Returns why the changes of a model cannot be recorded.
fn refusal(cx: &Cx<'_, '_>, model: &ModelDraft<'_>, span: Span) -> Option<Diagnostic> {
    let (what, name) = (model.ast.kind, model.ast.name.text);
    let report = |message: String, label: &str, help: &str| {
        let diagnostic = Diagnostic::new(codes::AUDITED, span, message).label(label);
        Some(diagnostic.second(model.ast.name.span, "this one").help(help))
    };
    if what == ModelKind::View {
        let help = "put the attribute on the tables that the view reads";
        return report(format!("`{name}` is a view, which has no rows of its own"), "not possible for a view", help);
    }
    if cx.config.engine == Engine::Citus {
        let message = "Citus has no triggers on its tables, so it cannot record changes".to_owned();
        return report(message, "not possible on Citus", "remove the attribute, or write `engine = \"postgresql\"`");
    }
    if key_columns(model).next().is_none() && !model.has_broken_key {
        let message = format!("`{name}` has no primary key, so a change could not say which row it is about");
        return report(message, "needs a primary key", "give the model an `@id` or `@@id`");
    }
    if matches!(&model.tenancy, Tenancy::Within(path) if path.len() > 1) {
        let message = format!("the rows of `{name}` do not contain their tenant");
        let help = "add the tenant's column and its relation to the model, and write `@@tenant` with that relation: \
                    when a row is deleted, the rows that lead to its tenant may already be gone";
        return report(message, "a recorded change needs the tenant", help);
    }
    None
}

fn key_columns<'m>(model: &'m ModelDraft<'_>) -> impl Iterator<Item = FieldId> + use<'m> {
    let key = model.keys.iter().find(|key| key.kind == KeyKind::Primary);
    key.into_iter().flat_map(|key| key.columns().unwrap_or_default())
}

/// Reports a field of the key whose values must not be shown: the key of a changed row is recorded as it is.
fn is_hidden_key(cx: &Cx<'_, '_>, span: Span, id: FieldId) -> Option<Diagnostic> {
    let field = cx.field(id);
    field.sensitive.then(|| {
        let message = format!("`{}` has `@sensitive`, and the key of a changed row is recorded", cx.qualified(id));
        Diagnostic::new(codes::AUDITED, span, message)
            .label("would show the value")
            .second(field.ast.name.span, "the field of the key")
            .help("remove `@sensitive`, or use a key without meaning, such as `id String @id @default(uuid())`")
    })
}

/// Reports a field that is left out, although changes need it or it is left out already.
fn is_needed(
    cx: &Cx<'_, '_>,
    model: &ModelDraft<'_>,
    field: FieldId,
    span: Span,
    is_repeated: bool,
) -> Option<Diagnostic> {
    let name = cx.qualified(field);
    let (message, label) = if is_repeated {
        (format!("`{name}` is left out twice"), "named twice")
    } else if key_columns(model).any(|key| key == field) {
        (format!("`{name}` is part of the key, which says which row has changed"), "cannot be left out")
    } else if tenant_columns(cx, model).contains(&field) {
        (format!("`{name}` says whose row has changed"), "cannot be left out")
    } else {
        return None;
    };
    Some(Diagnostic::new(codes::AUDIT_EXCEPT, span, message).label(label).help("remove it from `except`"))
}

/// Returns the columns of the relation that leads to the tenant.
fn tenant_columns(cx: &Cx<'_, '_>, model: &ModelDraft<'_>) -> Vec<FieldId> {
    let Tenancy::Within(path) = &model.tenancy else { return Vec::new() };
    let fields = path.first().and_then(|first| cx.field(*first).relation.fields.as_ref());
    fields.map(super::draft::FieldList::ids).unwrap_or_default()
}
