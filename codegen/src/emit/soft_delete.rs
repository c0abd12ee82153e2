//! `@softDelete` in the client: which column marks deleted rows, and which keys are unique only among the others.

use std::collections::BTreeSet;

use proc_macro2::{Literal, TokenStream};
use quote::quote;

use super::context::ModelNames;
use super::tenancy::{own_column, short_keys};
use crate::ir::{Index, IndexTarget};

/// Returns the number of the column that marks deleted rows, if there is one in the client.
pub(super) fn deletion_mark(model: &ModelNames<'_>) -> Option<u16> {
    model.number(model.walker.deletion_column()?.id)
}

/// Emits how rows of a table are marked as deleted.
pub(super) fn emit_deletion_mark(model: &ModelNames<'_>) -> Option<TokenStream> {
    let column = Literal::u16_unsuffixed(deletion_mark(model)?);
    let keys = live_keys(model).into_iter().map(|key| {
        let key = key.into_iter().map(Literal::u16_unsuffixed);
        quote!(&[#(#key),*])
    });
    let keys: Vec<_> = keys.collect();
    let unique = (!keys.is_empty()).then(|| quote!(.unique(&[#(#keys),*])));
    Some(quote!(.soft_delete(rt::DeletionMark::new(#column)#unique)))
}

/// Returns the keys that are unique only among rows that are not deleted, each also without the tenant's column if it is
/// unique within a tenant.
fn live_keys(model: &ModelNames<'_>) -> BTreeSet<Vec<u16>> {
    let numbers = |index: &Index| {
        let column = |field: &crate::ir::IndexField| match field.target {
            IndexTarget::Field(id) => Some(id),
            IndexTarget::Expression(_) => None,
        };
        model.numbers(index.fields.iter().filter_map(column))
    };
    let all: BTreeSet<Vec<u16>> = model.walker.unique_indexes().filter_map(numbers).collect();
    let mut found: BTreeSet<Vec<u16>> = model.walker.live_indexes().filter_map(numbers).collect();
    found.retain(|key| !all.contains(key));
    let own = own_column(model);
    let without = |key: &Vec<u16>| key.iter().copied().filter(|column| Some(*column) != own).collect::<Vec<_>>();
    let short: Vec<_> = found.iter().map(without).filter(|key| short_keys(model).contains(key)).collect();
    found.extend(short);
    found
}
