//! `rowSecurity`: the tables that show a session only the rows of its tenant.

use super::super::Cx;
use super::super::draft::{FieldType, ModelDraft};
use super::id_of;
use crate::diagnostics::{self as codes, Diagnostic};
use crate::ir::{Arity, ModelId, Tenancy, row_security_cast};
use crate::syntax::ModelKind;

impl Cx<'_, '_> {
    /// Returns whether PostgreSQL checks the tenant of each row. The setting of the datasource applies to all models
    /// whose rows belong to tenants, unless the model overrides it.
    pub(in super::super) fn has_row_security(&self, model: &ModelDraft<'_>) -> bool {
        let default = self.config.row_security.is_some_and(|(on, _)| on);
        model.tenancy != Tenancy::Shared && model.ast.kind == ModelKind::Model && model.row_security.unwrap_or(default)
    }
}

/// Reports `rowSecurity` in a schema without tenants.
pub(super) fn needs_tenants(cx: &mut Cx<'_, '_>) {
    let Some((true, span)) = cx.config.row_security else { return };
    if cx.model_ids().any(|id| cx.model(id).declared_tenancy.is_some()) {
        // The mistake in it has already been reported.
        return;
    }
    cx.report(
        Diagnostic::new(codes::ROW_SECURITY, span, "row security needs a model with `@@tenant`")
            .label("the schema has none")
            .help("write `@@tenant` in the model whose rows are tenants, or remove the property"),
    );
}

/// Reports a tenant whose id the client cannot set, because the policies compare it with the text of a setting.
pub(super) fn tenant_fits_a_setting(cx: &mut Cx<'_, '_>, tenant: ModelId) {
    let is_secured = cx.models.iter().any(|model| cx.has_row_security(model));
    let Some(id) = id_of(cx, tenant).filter(|_| is_secured) else { return };
    if cx.model(tenant).ignored {
        let name = cx.model(tenant).ast.name;
        let message = format!("row security needs `{}` in the client", name.text);
        cx.report(
            Diagnostic::new(codes::ROW_SECURITY, name.span, message)
                .label("ignored, so no client can set the tenant")
                .help("remove `@@ignore` or `rowSecurity`"),
        );
        return;
    }
    let field = cx.field(id);
    let fits = match field.native_type() {
        Some(native) => row_security_cast(native).is_some() && field.arity() == Arity::Required,
        None => matches!(field.ty, FieldType::Unknown),
    };
    if !fits {
        let message = format!("row security cannot identify tenants by `{}`", cx.qualified(id));
        cx.report(
            Diagnostic::new(codes::ROW_SECURITY, cx.field(id).ast.name.span, message)
                .label("not an integer, a text or a UUID")
                .help(
                    "give the tenant an id such as `id String @id @default(uuid()) @db.Uuid`, or remove `rowSecurity`",
                ),
        );
    }
}
