//! `#[derive(Selectable)]`: a struct as a selection of a model's values.

use heck::ToSnakeCase;
use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{DeriveInput, Field, GenericArgument, Ident, Path, PathArguments, Type};

use crate::attributes::{OfStruct, Source};
use crate::named_fields;

pub(crate) fn expand(input: &DeriveInput) -> syn::Result<TokenStream> {
    let fields = named_fields(input, "Selectable")?;
    let of_struct = OfStruct::parse(&input.attrs)?;
    let Some(model) = of_struct.model else {
        let message = "name the model to select from: `#[relata(from = Student)]`";
        return Err(syn::Error::new_spanned(&input.ident, message));
    };
    let module = of_struct.module.unwrap_or_else(|| module_of(&model));
    let ident = &input.ident;
    let selections = fields.named.iter().map(|field| selection(field, &module)).collect::<syn::Result<Vec<_>>>()?;
    let idents = fields.named.iter().map(|field| &field.ident);
    let adds = selections
        .iter()
        .map(|(selection, span)| quote_spanned!(*span=> ::relata::rt::add_selected::<#model, _>(#selection, select);));
    let reads = fields.named.iter().zip(&selections).map(|(field, (selection, span))| {
        let ty = &field.ty;
        quote_spanned!(*span=> ::relata::rt::read_selected::<#model, _, #ty>(|| #selection, reader)?)
    });
    Ok(quote! {
        #[automatically_derived]
        impl ::relata::Selectable for #ident {
            type Model = #model;

            fn add_to(select: &mut ::relata::Select) {
                #(#adds)*
            }

            fn read(reader: &mut ::relata::rt::Reader<'_>) -> ::relata::Result<Self> {
                ::relata::Result::Ok(Self { #(#idents: #reads),* })
            }
        }
    })
}

/// The module of a model is next to its struct, in lower case: `exam_planner::StudentExam`,
/// `exam_planner::student_exam`.
pub(crate) fn module_of(model: &Path) -> Path {
    let mut module = model.clone();
    if let Some(last) = module.segments.last_mut() {
        last.ident = Ident::new(&module_name(&last.ident.to_string()), last.ident.span());
    }
    module
}

/// Types of the client. A model with such a name has a `_` at the end of its struct's name only.
const CLIENTS: [&str; 7] =
    ["AcrossTenants", "Client", "Models", "TenantClient", "TenantModels", "TenantTransaction", "Transaction"];

/// Returns the name of a struct's module, as the compiler of schemas chooses it.
fn module_name(model: &str) -> String {
    let plain = model.trim_end_matches('_');
    let end = &model[plain.len()..];
    let end = if CLIENTS.contains(&plain) { end.get(1..).unwrap_or_default() } else { end };
    let module = plain.to_snake_case();
    let is_keyword = module == "gen" || syn::parse_str::<Ident>(&module).is_err();
    let is_taken = ["lib", "queries", "relata_client"].contains(&module.as_str()) || module == plain;
    format!("{module}{}{end}", if is_keyword || is_taken { "_" } else { "" })
}

/// Returns the expression that selects a field, and the place that says so.
fn selection(field: &Field, module: &Path) -> syn::Result<(TokenStream, Span)> {
    let name = &field.ident;
    // The messages point at the field. They suggest no replacement, because a fix would change generated code.
    let span = Span::call_site().located_at(name.span());
    Ok(match Source::parse(&field.attrs)? {
        Source::SameName => (quote!(#module::#name), span),
        Source::Select(tokens) => {
            let span = Span::call_site().located_at(tokens.span());
            (tokens, span)
        }
        Source::Nested => {
            let inner = innermost(&field.ty);
            (quote!(#module::#name.select_as::<#inner>()), span)
        }
        Source::Set(tokens) => {
            return Err(syn::Error::new_spanned(tokens, "`set` is for `Patch`: write `select = module::field`"));
        }
        Source::Column(column) => {
            return Err(syn::Error::new_spanned(
                column,
                "`column` is for rows of raw SQL: write `select = module::field`",
            ));
        }
    })
}

/// Returns `T` of `Option<T>` and `Vec<T>`, else the type itself.
fn innermost(ty: &Type) -> &Type {
    generic_of(ty, &["Option", "Vec"]).unwrap_or(ty)
}

/// Returns the argument of a type with one of these names.
pub(crate) fn generic_of<'t>(ty: &'t Type, names: &[&str]) -> Option<&'t Type> {
    let Type::Path(path) = ty else { return None };
    let last = path.path.segments.last()?;
    let PathArguments::AngleBracketed(arguments) = &last.arguments else { return None };
    match arguments.args.first()? {
        GenericArgument::Type(inner) if names.iter().any(|name| last.ident == name) => Some(inner),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::module_name;

    #[test]
    fn modules_are_found_by_the_names_of_models() {
        let names = ["StudentExam", "User_", "Client_", "Match", "Type_", "Gen", "Queries"].map(module_name);
        assert_eq!(names, ["student_exam", "user_", "client", "match_", "type__", "gen_", "queries_"]);
    }
}
