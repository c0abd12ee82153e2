//! The primary key as a type, for functions that take any model.

use proc_macro2::{Literal, TokenStream};
use quote::quote;

use super::context::{ColumnNames, EmitCx, ModelNames};
use super::scalar::value_type;
use super::tenancy::{own_column, short_keys};

/// Emits `Keyed`. A key that is unique within a tenant is the key without the tenant's column.
pub(super) fn emit_keyed(cx: &EmitCx<'_>, model: &ModelNames<'_>) -> Option<TokenStream> {
    let columns = key_columns(model).filter(|columns| !columns.is_empty())?;
    let ident = &model.ident;
    let types: Vec<_> = columns.iter().map(|column| value_type(cx, column.walker)).collect();
    let ty = if let [only] = types.as_slice() { quote!(#only) } else { quote!((#(#types),*)) };
    let fields = columns.iter().enumerate().map(|(place, column)| {
        let (field, number) = (&column.ident, Literal::u16_unsuffixed(column.number));
        let place = (columns.len() > 1).then(|| Literal::usize_unsuffixed(place));
        quote!(#field #number #place)
    });
    Some(quote!(rt::keyed!(#ident, #ty, #(#fields),*);))
}

/// Returns the columns that identify a row; `None` if there is no primary key, or not all of it is in the client.
fn key_columns<'a, 's>(model: &'a ModelNames<'s>) -> Option<Vec<&'a ColumnNames<'s>>> {
    let number = |column: crate::ir::ColumnWalker<'_>| model.number(column.id);
    let whole: Vec<u16> = model.walker.primary_key_columns().map(number).collect::<Option<_>>()?;
    let short: Vec<u16> = whole.iter().copied().filter(|number| Some(*number) != own_column(model)).collect();
    let numbers = if short_keys(model).contains(&short) { short } else { whole };
    numbers.into_iter().map(|number| model.columns.iter().find(|column| column.number == number)).collect()
}
