//! Which changes are recorded, and where.

use super::table_name;
use crate::ir::{self, ColumnType, ModelWalker, row_security_cast};
use crate::sql::state::{AUDIT, Audit, AuditLog, ObjectName, State};

/// Adds the triggers of models with `@@audited`, and the table of changes.
pub(super) fn record(schema: &ir::Schema, state: &mut State) {
    let audited: Vec<_> = schema.walk_models().filter(|model| model.model().audit.is_some()).collect();
    if audited.is_empty() {
        return;
    }
    for model in &audited {
        let name = table_name(*model);
        let tables = state.tables.iter_mut().filter(|table| table.name == name);
        tables.for_each(|table| table.audit = audit(*model));
    }
    let secured = schema.walk_models().find(|model| model.model().row_security);
    let tenants = secured.and_then(tenant_cast).map(str::to_owned);
    let name = ObjectName::new(schema.namespaces.first().map(String::as_str), AUDIT);
    state.audit = Some(AuditLog { name, tenants, complete: true });
}

fn tenant_cast(model: ModelWalker<'_>) -> Option<&'static str> {
    match &model.way_to_tenant()?.1.column().ty {
        ColumnType::Scalar(_, native) => row_security_cast(*native),
        _ => None,
    }
}

fn audit(model: ModelWalker<'_>) -> Option<Audit> {
    let except = &model.model().audit.as_ref()?.except;
    let columns = || model.columns().map(|column| (column, column.db_name().to_owned()));
    let masked = columns().filter(|(column, _)| column.column().sensitive && !except.contains(&column.id));
    let mut masked: Vec<String> = masked.map(|(_, name)| name).collect();
    let mut except: Vec<String> = columns().filter(|(column, _)| except.contains(&column.id)).map(|it| it.1).collect();
    masked.sort();
    except.sort();
    let tenant = model.way_to_tenant().filter(|(steps, _)| steps.is_empty());
    Some(Audit {
        key: model.primary_key_columns().map(|column| column.db_name().to_owned()).collect(),
        masked,
        except,
        tenant: tenant.map(|(_, column)| column.db_name().to_owned()),
        complete: true,
    })
}
