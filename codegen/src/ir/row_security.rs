//! Row security: the path from a row to its tenant, which the policies of the table check.

use super::{ColumnWalker, ModelWalker, NativeType, Schema, Tenancy};

/// Returns the type that the text of the setting `relata.tenant` is cast to before it is compared with an id of this
/// type. The type is empty if no cast is needed. `None` if row security does not support ids of this type.
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
    /// The referencing columns.
    pub from: Vec<ColumnWalker<'s>>,
    /// The referenced model.
    pub model: ModelWalker<'s>,
    /// The referenced columns.
    pub to: Vec<ColumnWalker<'s>>,
}

impl Schema {
    /// Returns whether PostgreSQL checks every row that belongs to a tenant, so that SQL without a condition for the
    /// tenant cannot read rows of other tenants.
    pub fn is_row_secured(&self) -> bool {
        let mut models = self.walk_models().filter(|model| model.has_tenant() && !model.model().is_view);
        self.tenant().is_some() && models.all(|model| model.model().row_security)
    }
}

impl<'s> ModelWalker<'s> {
    /// Returns the steps from a row to the row that contains its tenant, and the column. There are no steps if the row
    /// contains the tenant itself. `None` if the rows belong to no tenant.
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
