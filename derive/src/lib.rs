//! Derives for structs that queries are read into: [`Selectable`] for the values of a model, [`FromRawRow`] for raw
//! SQL; [`Patch`] for structs of changes; [`Value`] for types that columns can hold; and the attribute
//! [`test`](macro@test).
//!
//! They take the tokens of a type and return an `impl` of relata's traits. They do not read the
//! schema: rustc checks what a field is selected from, and whether the types match. `relata` re-exports them, so no
//! other crate needs to depend on this one.

mod attributes;
mod patch;
mod raw;
mod selectable;
mod test;
mod value;

use proc_macro::TokenStream;
use syn::{Data, DeriveInput, Fields, FieldsNamed, parse_macro_input};

/// Implements `relata::Selectable`, so that `select_as` can read the struct.
#[proc_macro_derive(Selectable, attributes(relata))]
pub fn derive_selectable(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    selectable::expand(&input).unwrap_or_else(syn::Error::into_compile_error).into()
}

/// Implements `relata::FromRawRow`, so that `query_raw` can read the struct.
#[proc_macro_derive(FromRawRow, attributes(relata))]
pub fn derive_from_raw_row(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    raw::expand(&input).unwrap_or_else(syn::Error::into_compile_error).into()
}

/// Implements `relata::IntoAssignments`, so that `set` takes the struct: the changes of a PATCH request.
///
/// A field sets the column of the same name, or that of `#[relata(set = student::class_year)]`. A field whose type is an
/// `Option` sets it by `to_opt`: `None` leaves the column as it is. For an optional column, the type
/// `Option<Option<T>>` can also set it to null. A struct without a value changes nothing.
#[proc_macro_derive(Patch, attributes(relata))]
pub fn derive_patch(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    patch::expand(&input).unwrap_or_else(syn::Error::into_compile_error).into()
}

/// Makes a type one that a column can hold, so that `@rust("crate::Email")` can name it.
///
/// - For a struct with one field, it implements `relata::Newtype`. With `#[relata(try_from)]`, values of the database go
///   through the type's `TryFrom`, and back through `From`.
/// - For an enum without fields, the variants are labels of a text column: their names, in the case of
///   `#[relata(rename_all = "snake_case")]`, or as `#[relata(rename = "..")]` on a variant says.
/// - With `#[relata(json)]`, the value is JSON, which serde reads and writes. The feature `serde` of `relata` is needed.
#[proc_macro_derive(Value, attributes(relata))]
pub fn derive_value(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    value::expand(&input).unwrap_or_else(syn::Error::into_compile_error).into()
}

/// Turns an async function into a test that has its own database. `relata` documents it.
#[proc_macro_attribute]
pub fn test(options: TokenStream, function: TokenStream) -> TokenStream {
    test::expand(options.into(), function.into()).unwrap_or_else(syn::Error::into_compile_error).into()
}

/// Implements nothing. `relata` has it in place of serde's derives if the feature `serde` is missing, so that the only
/// error is the one that says so.
#[doc(hidden)]
#[proc_macro_derive(NoSerde, attributes(serde))]
pub fn derive_no_serde(_: TokenStream) -> TokenStream {
    TokenStream::new()
}

/// Returns the fields of a plain struct.
fn named_fields<'i>(input: &'i DeriveInput, derive: &str) -> syn::Result<&'i FieldsNamed> {
    if !input.generics.params.is_empty() {
        let message = format!("{derive} can be derived only for structs without generic parameters");
        return Err(syn::Error::new_spanned(&input.generics, message));
    }
    match &input.data {
        Data::Struct(data) => match &data.fields {
            Fields::Named(fields) => Ok(fields),
            _ => Err(syn::Error::new_spanned(&input.ident, format!("{derive} needs named fields"))),
        },
        _ => Err(syn::Error::new_spanned(&input.ident, format!("{derive} can be derived only for structs"))),
    }
}
