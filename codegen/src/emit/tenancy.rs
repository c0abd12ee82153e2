//! Tenants in the client: whose rows a table holds, and which keys are unique within a tenant.

use std::collections::BTreeSet;

use proc_macro2::{Literal, TokenStream};
use quote::quote;

use super::context::{EmitCx, ModelNames};
use crate::ir::{FieldId, IndexTarget, ModelId, Tenancy};

/// Emits the description of how the rows of a table belong to tenants.
pub(super) fn emit_tenancy(cx: &EmitCx<'_>, model: &ModelNames<'_>) -> Option<TokenStream> {
    match &model.walker.model().tenancy {
        Tenancy::Shared => None,
        Tenancy::Tenant => {
            let column = Literal::u16_unsuffixed(own_column(model)?);
            Some(quote!(.tenancy(rt::Tenancy::tenant(#column))))
        }
        Tenancy::Within(path) => {
            let (path, column) = way(cx, model, path)?;
            let path = path.into_iter().map(Literal::u16_unsuffixed);
            let column = Literal::u16_unsuffixed(column);
            let keys = short_keys(model).into_iter().map(|key| {
                let key = key.into_iter().map(Literal::u16_unsuffixed);
                quote!(&[#(#key),*])
            });
            Some(quote!(.tenancy(rt::Tenancy::within(&[#(#path),*], #column).unique(&[#(#keys),*]))))
        }
    }
}

/// The slots of the relations that lead to the tenant's column, and that column.
fn way(cx: &EmitCx<'_>, model: &ModelNames<'_>, path: &[FieldId]) -> Option<(Vec<u16>, u16)> {
    let (_, before) = path.split_last()?;
    let mut here: ModelId = model.walker.id;
    let mut slots = Vec::new();
    for id in before {
        let relation = cx.model(here).relation(*id)?;
        slots.push(relation.slot as u16);
        here = relation.walker.related_model().id;
    }
    Some((slots, own_column(cx.model(here))?))
}

/// Returns the number of the column that holds the tenant.
pub(super) fn own_column(model: &ModelNames<'_>) -> Option<u16> {
    model.number(model.walker.tenant_column()?.id)
}

/// Returns whether a column holds the tenant of a row, so that a handle of a tenant sets it.
pub(super) fn is_own_column(model: &ModelNames<'_>, column: FieldId) -> bool {
    matches!(model.walker.model().tenancy, Tenancy::Within(_))
        && model.walker.tenant_column().is_some_and(|own| own.id == column)
}

/// Returns whether a relation leads from a row to its tenant.
pub(super) fn is_to_tenant(model: &ModelNames<'_>, relation: FieldId) -> bool {
    matches!(&model.walker.model().tenancy, Tenancy::Within(path) if *path == [relation])
}

/// Returns the unique keys that contain the tenant's column, without that column, if the remaining columns are unique
/// within a tenant only.
pub(super) fn short_keys(model: &ModelNames<'_>) -> Vec<Vec<u16>> {
    let walker = model.walker;
    let Some(own) = walker.tenant_column().filter(|_| matches!(walker.model().tenancy, Tenancy::Within(_))) else {
        return Vec::new();
    };
    let primary = walker.model().primary_key.iter().map(|key| key.fields.as_slice());
    let unique = walker.unique_indexes().chain(walker.live_indexes());
    let keys = primary.chain(unique.map(|index| index.fields.as_slice()));
    let keys: Vec<Vec<FieldId>> = keys
        .map(|fields| {
            let column = |field: &crate::ir::IndexField| match field.target {
                IndexTarget::Field(id) => Some(id),
                IndexTarget::Expression(_) => None,
            };
            fields.iter().filter_map(column).collect()
        })
        .collect();
    let mut found = BTreeSet::new();
    for key in keys.iter().filter(|key| key.contains(&own.id)) {
        let rest: Vec<FieldId> = key.iter().copied().filter(|id| *id != own.id).collect();
        let is_whole = keys.iter().any(|other| !other.contains(&own.id) && other.iter().all(|id| rest.contains(id)));
        if !rest.is_empty() && !is_whole {
            found.extend(model.numbers(rest.into_iter()));
        }
    }
    found.into_iter().collect()
}
