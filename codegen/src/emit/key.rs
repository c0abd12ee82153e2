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
    let fields: Vec<_> = columns.iter().map(|column| &column.ident).collect();
    let numbers = columns.iter().map(|column| Literal::u16_unsuffixed(column.number));
    let (ty, key, values) = match (types.as_slice(), fields.as_slice()) {
        ([ty], [field]) => (quote!(#ty), quote!(self.#field.clone()), vec![quote!(key_)]),
        (types, fields) => {
            let places = (0..types.len()).map(Literal::usize_unsuffixed);
            (
                quote!((#(#types),*)),
                quote!((#(self.#fields.clone()),*)),
                places.map(|place| quote!(key_.#place)).collect(),
            )
        }
    };
    Some(quote! {
        impl rt::Keyed for #ident {
            type Key = #ty;
            fn key(&self) -> #ty {
                #key
            }
            fn by_key(key_: #ty) -> rt::Unique<Self> {
                rt::Unique::of([#((#numbers, rt::Scalar::into_param(#values))),*])
            }
        }
    })
}

/// Returns the columns that identify a row; `None` if there is no primary key, or not all of it is in the client.
fn key_columns<'a, 's>(model: &'a ModelNames<'s>) -> Option<Vec<&'a ColumnNames<'s>>> {
    let number = |column: crate::ir::ColumnWalker<'_>| model.number(column.id);
    let whole: Vec<u16> = model.walker.primary_key_columns().map(number).collect::<Option<_>>()?;
    let short: Vec<u16> = whole.iter().copied().filter(|number| Some(*number) != own_column(model)).collect();
    let numbers = if short_keys(model).contains(&short) { short } else { whole };
    numbers.into_iter().map(|number| model.columns.iter().find(|column| column.number == number)).collect()
}
