//! `#[derive(Patch)]`: a struct as new values of a model's columns.

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{DeriveInput, Field, Path};

use crate::attributes::{OfStruct, Source};
use crate::named_fields;
use crate::selectable::{generic_of, module_of};

pub(crate) fn expand(input: &DeriveInput) -> syn::Result<TokenStream> {
    let fields = named_fields(input, "Patch")?;
    let of_struct = OfStruct::parse(&input.attrs)?;
    let Some(model) = of_struct.model else {
        let message = "name the model whose columns change: `#[relata(from = Student)]`";
        return Err(syn::Error::new_spanned(&input.ident, message));
    };
    let module = of_struct.module.unwrap_or_else(|| module_of(&model));
    let ident = &input.ident;
    let assignments = fields.named.iter().map(|field| assignment(field, &module)).collect::<syn::Result<Vec<_>>>()?;
    Ok(quote! {
        #[automatically_derived]
        impl ::relata::IntoAssignments<#model> for #ident {
            fn into_assignments(self) -> impl ::std::iter::Iterator<Item = ::relata::Assignment<#model>> {
                ::std::iter::IntoIterator::into_iter([#(#assignments),*])
            }
        }
    })
}

/// Returns the expression that assigns a field's value to its column.
fn assignment(field: &Field, module: &Path) -> syn::Result<TokenStream> {
    let name = &field.ident;
    // The messages point at the field. They suggest no replacement, because a fix would change generated code.
    let span = Span::call_site().located_at(name.span());
    let column = match Source::parse(&field.attrs)? {
        Source::SameName => quote_spanned!(span=> #module::#name),
        Source::Set(column) => column,
        _ => {
            let message = "a field of `Patch` can only have `set = module::field`, the column that it changes";
            return Err(syn::Error::new_spanned(field, message));
        }
    };
    Ok(match generic_of(&field.ty, &["Option"]) {
        Some(_) => quote_spanned!(span=> #column.to_opt(self.#name)),
        None => quote_spanned!(span=> #column.to(self.#name)),
    })
}
