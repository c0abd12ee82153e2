//! `#[derive(FromRawRow)]`: reads a struct from columns of the same names.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::{DeriveInput, Field, Type};

use crate::attributes::{OfStruct, Source};
use crate::named_fields;
use crate::selectable::generic_of;

pub(crate) fn expand(input: &DeriveInput) -> syn::Result<TokenStream> {
    let fields = named_fields(input, "FromRawRow")?;
    OfStruct::parse(&input.attrs)?;
    let ident = &input.ident;
    let idents = fields.named.iter().map(|field| &field.ident);
    let reads = fields
        .named
        .iter()
        .enumerate()
        .map(|(place, field)| Ok(read(place, &column_of(field)?, &field.ty)))
        .collect::<syn::Result<Vec<_>>>()?;
    Ok(quote! {
        #[automatically_derived]
        impl ::relata::FromRawRow for #ident {
            fn from_raw(row: &::relata::RawRow<'_>) -> ::relata::Result<Self> {
                ::relata::Result::Ok(Self { #(#idents: #reads),* })
            }
        }
    })
}

fn column_of(field: &Field) -> syn::Result<String> {
    match Source::parse(&field.attrs)? {
        Source::SameName => Ok(field.ident.as_ref().map(|ident| ident.unraw().to_string()).unwrap_or_default()),
        Source::Column(name) => Ok(name.value()),
        Source::Select(_) | Source::Set(_) | Source::Nested => {
            let message = "rows of raw SQL have columns: write `column = \"..\"`, or derive Selectable";
            Err(syn::Error::new_spanned(&field.ident, message))
        }
    }
}

/// Reads a column, which is likely at the field's position. Lists of anything but bytes have a separate type.
fn read(place: usize, column: &str, ty: &Type) -> TokenStream {
    let list = generic_of(ty, &["Vec"]).filter(|inner| !matches!(inner, Type::Path(path) if path.path.is_ident("u8")));
    match list {
        Some(inner) => quote_spanned!(ty.span()=> row.get_near::<::relata::List<#inner>>(#place, #column)?.0),
        None => quote_spanned!(ty.span()=> row.get_near::<#ty>(#place, #column)?),
    }
}
