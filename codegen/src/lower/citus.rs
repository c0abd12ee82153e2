//! Citus: where the rows of each model are, and the keys and relations that Citus cannot enforce there.

mod rules;

use super::Cx;
use super::draft::{DeclaredDistribution, DeclaredTenancy, FieldType};
use super::tenants;
use crate::diagnostics::{self as codes, Diagnostic, Span};
use crate::ir::{Arity, Distribution, Engine, FieldId, ModelId, NativeType, ReferentialAction, Tenancy};
use crate::syntax::ModelKind;

/// Resolves where the rows of each model are, and reports what Citus refuses. On plain PostgreSQL, checks only that no
/// model is distributed.
pub(super) fn distribute(cx: &mut Cx<'_, '_>) {
    if cx.config.engine == Engine::PostgreSql {
        return only_for_citus(cx);
    }
    let had_errors = cx.diagnostics.iter().any(Diagnostic::is_error);
    for id in cx.model_ids() {
        match resolve(cx, id) {
            Ok(distribution) => cx.model_mut(id).distribution = distribution,
            // Without a tenancy, there is no default.
            Err(_) if had_errors => {}
            Err(found) => cx.report(*found),
        }
    }
    keys_keep_their_place(cx);
    if had_errors || cx.diagnostics.iter().any(Diagnostic::is_error) {
        return;
    }
    let mut found = rules::keys_hold_the_column(cx);
    found.extend(rules::paths_stay_in_one_place(cx));
    if cx.config.foreign_keys {
        found.extend(rules::relations_stay_on_one_server(cx));
    }
    found.extend(rules::policies_are_not_distributed(cx));
    found.extend(rules::written_rows_can_be_returned(cx));
    cx.diagnostics.extend(found);
}

fn only_for_citus(cx: &mut Cx<'_, '_>) {
    let declared: Vec<Span> = cx.models.iter().filter_map(|model| Some(model.declared_distribution?.1)).collect();
    for span in declared {
        cx.report(
            Diagnostic::new(codes::DISTRIBUTION_WITHOUT_CITUS, span, "only Citus distributes tables")
                .label("the datasource does not name Citus")
                .help("write `engine = \"citus\"` in the datasource, or remove the attribute"),
        );
    }
}

/// Returns where the rows of a model are: where it declares, or where its tenancy leads.
fn resolve(cx: &Cx<'_, '_>, id: ModelId) -> Result<Distribution, Box<Diagnostic>> {
    let model = cx.model(id);
    if model.ast.kind == ModelKind::View {
        return match model.declared_distribution {
            Some((_, span)) => Err(Box::new(
                Diagnostic::new(codes::MISPLACED_ATTRIBUTE, span, "a view has no rows of its own")
                    .label("not possible here")
                    .help("write the attribute in the models that the view reads"),
            )),
            None => Ok(Distribution::Local),
        };
    }
    match (&model.declared_distribution, &model.tenancy) {
        (Some((DeclaredDistribution::Local, _)), _) => Ok(Distribution::Local),
        (Some((DeclaredDistribution::Reference, _)), _) => Ok(Distribution::Reference),
        (Some((DeclaredDistribution::By(field, span), _)), _) => fits(cx, *field, *span),
        (None, Tenancy::Shared) => Ok(match model.declared_tenancy {
            Some(DeclaredTenancy::Shared(_)) => Distribution::Reference,
            _ => Distribution::Local,
        }),
        (None, Tenancy::Tenant | Tenancy::Within(_)) => match tenants::column_of(cx, id) {
            Some(field) => fits(cx, field, cx.field(field).ast.name.span),
            None => Err(Box::new(without_column(cx, id))),
        },
    }
}

fn without_column(cx: &Cx<'_, '_>, id: ModelId) -> Diagnostic {
    let model = cx.model(id);
    let name = model.ast.name;
    let span = model.declared_tenancy.map_or(name.span, DeclaredTenancy::span);
    let message = format!("`{}` has no column with its tenant, so it cannot be distributed", name.text);
    Diagnostic::new(codes::DISTRIBUTION_COLUMN, span, message).label("leads to the tenant through another model").help(
        "add a relation to the tenant, and write `@@tenant(..)` with its name; or write `@@reference` in this model and in \
             those on its path",
    )
}

/// Returns the distribution by a field, if Citus takes it.
fn fits(cx: &Cx<'_, '_>, id: FieldId, span: Span) -> Result<Distribution, Box<Diagnostic>> {
    let field = cx.field(id);
    let reason = match (field.arity(), field.ty) {
        (Arity::Optional, _) => "is optional, and a row without a value has no server",
        (Arity::List, _) => "is a list",
        (Arity::Required, _) if field.never_written().is_some() => "is computed by the database",
        (Arity::Required, FieldType::Unsupported) => {
            "has a type of which Relata does not know whether PostgreSQL can hash it"
        }
        (Arity::Required, _) => match field.native_type() {
            Some(
                NativeType::Json | NativeType::Xml | NativeType::Money | NativeType::Bit(_) | NativeType::VarBit(_),
            ) => "has a type that PostgreSQL cannot hash",
            _ => return Ok(Distribution::By(id)),
        },
    };
    let message = format!("`{}` cannot distribute its model: it {reason}", cx.qualified(id));
    let mut diagnostic = Diagnostic::new(codes::DISTRIBUTION_COLUMN, span, message)
        .label("selects the server of each row")
        .help("distribute by a required field of a simple type, such as the id of the tenant");
    if span != field.ast.name.span {
        diagnostic = diagnostic.second(field.ast.name.span, "declared here");
    }
    Err(Box::new(diagnostic))
}

/// Fills in the default of `onUpdate` that Citus takes.
fn keys_keep_their_place(cx: &mut Cx<'_, '_>) {
    for index in 0..cx.relations.len() {
        let relation = &cx.relations[index];
        let is_default = cx.field(relation.referencing).relation.on_update.is_none();
        if is_default
            && rules::keeps_its_key(cx, relation)
            && let Some(key) = &mut cx.relations[index].foreign_key
        {
            key.on_update = ReferentialAction::NoAction;
        }
    }
}
