//! Row security: which tenant a row belongs to, as the policies of a table ask it.

use super::{ColumnWalker, ModelWalker, NativeType, Schema, Tenancy};

/// The type that the text of the setting `relata.tenant` is cast to, to be compared with an id of this type: empty for a
/// text. None if ids of the type cannot be tenants under row security.
pub fn row_security_cast(native: NativeType) -> Option<&'static str> {
    match native {
        NativeType::Uuid => Some("uuid"),
        NativeType::SmallInt => Some("smallint"),
        NativeType::Integer => Some("integer"),
        NativeType::BigInt => Some("bigint"),
        NativeType::Char(_) => Some("bpchar"),
        NativeType::Citext => Some("citext"),
        NativeType::Text | NativeType::VarChar(_) => Some(""),
        _ => None,
    }
}

/// One step from a row to the row that it belongs to.
#[derive(Debug, Clone)]
pub struct TenantStep<'s> {
    /// The columns here.
    pub from: Vec<ColumnWalker<'s>>,
    /// The model that they lead to.
    pub model: ModelWalker<'s>,
    /// The columns there.
    pub to: Vec<ColumnWalker<'s>>,
}

impl Schema {
    /// Whether PostgreSQL checks every row that belongs to a tenant, so that SQL which names no tenant sees no row of
    /// another one.
    pub fn is_row_secured(&self) -> bool {
        let mut models = self.walk_models().filter(|model| model.has_tenant() && !model.model().is_view);
        self.tenant().is_some() && models.all(|model| model.model().row_security)
    }
}

impl<'s> ModelWalker<'s> {
    /// The way from a row to the column that holds its tenant: no step if that is one of its own. None if its rows belong
    /// to no tenant.
    pub fn way_to_tenant(self) -> Option<(Vec<TenantStep<'s>>, ColumnWalker<'s>)> {
        let mut steps = Vec::new();
        if let Tenancy::Within(path) = &self.model().tenancy {
            let (_, before) = path.split_last()?;
            for id in before {
                let field = self.schema.walk_field(*id).as_relation_field()?;
                let relation = field.relation();
                steps.push(TenantStep {
                    from: relation.referencing_columns().collect(),
                    model: field.related_model(),
                    to: relation.referenced_columns().collect(),
                });
            }
            let last = self.schema.walk_field(*path.last()?).as_relation_field()?;
            return Some((steps, last.relation().referencing_columns().next()?));
        }
        Some((steps, self.tenant_column()?))
    }
}
