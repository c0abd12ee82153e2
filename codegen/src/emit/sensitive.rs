//! `Debug` of structs with `@sensitive` columns, without the values of these columns.

use proc_macro2::{Ident, TokenStream};
use quote::quote;

use super::context::{ColumnNames, RelationNames};

/// Emits `Debug,` for the derives of a struct or, if a column is sensitive, an impl that leaves out its value. `links`
/// are fields whose types are type parameters of the struct.
pub(super) fn emit_debug(
    ident: &Ident,
    links: &[&RelationNames<'_>],
    columns: &[&ColumnNames<'_>],
) -> (Option<TokenStream>, Option<TokenStream>) {
    if !columns.iter().any(|column| column.walker.column().sensitive) {
        return (Some(quote!(Debug,)), None);
    }
    let name = ident.to_string();
    let types: Vec<&Ident> = links.iter().map(|link| &link.type_ident).collect();
    let link_fields = links.iter().map(|link| (&link.ident, false));
    let column_fields = columns.iter().map(|column| (&column.ident, column.walker.column().sensitive));
    let fields = link_fields.chain(column_fields).map(|(ident, sensitive)| {
        let name = ident.to_string();
        let value = if sensitive { quote!(&"<sensitive>") } else { quote!(&self.#ident) };
        quote!(.field(#name, #value))
    });
    let debug = quote! {
        impl<#(#types: ::std::fmt::Debug),*> ::std::fmt::Debug for #ident<#(#types),*> {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                f.debug_struct(#name)#(#fields)*.finish()
            }
        }
    };
    (None, Some(debug))
}
