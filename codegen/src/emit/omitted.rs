//! The row of a model with its `@omit` columns.

use proc_macro2::TokenStream;
use quote::quote;

use super::context::{EmitCx, ModelNames};
use super::docs::docs;
use super::scalar::field_type;
use super::serde;

/// Emits `Full`, if a column of the model is omitted.
pub(super) fn emit_full(cx: &EmitCx<'_>, model: &ModelNames<'_>) -> Option<TokenStream> {
    let full = model.full_ident.as_ref()?;
    let ident = &model.ident;
    let fields = model.omitted().map(|column| {
        let docs = docs(column.walker.field().docs.as_deref());
        let (ident, ty, in_json) = (&column.ident, field_type(cx, column.walker), serde::emit_column(cx, column));
        quote!(#docs #in_json pub #ident: #ty)
    });
    let names = model.omitted().map(|column| {
        let ident = &column.ident;
        let is_sensitive = column.walker.column().sensitive;
        if is_sensitive { quote!(#ident sensitive) } else { quote!(#ident) }
    });
    let (json, row_in_json) = (serde::emit_derive(cx), serde::emit_row(cx));
    Some(quote! {
        /// The row with the columns that are omitted otherwise. Dereferences to the model.
        #[derive(Clone, PartialEq)]
        #json
        pub struct #full {
            #row_in_json
            pub row_: self::#ident,
            #(#fields),*
        }

        rt::omits!(#ident, #full { #(#names),* });
    })
}
