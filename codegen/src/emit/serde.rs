//! The serde implementations. Names are those of the schema, and relations are written next to columns. Sensitive
//! columns and relations that were not included are left out.

use proc_macro2::{Ident, TokenStream};
use quote::quote;

use super::context::{ColumnNames, EmitCx, EnumNames, RelationNames};
use super::scalar::is_text_in_json;
use crate::ir::Arity;

/// Derives both traits, if the schema asks for it.
pub(super) fn emit_derive(cx: &EmitCx<'_>) -> Option<TokenStream> {
    cx.client.serde.then(derive)
}

/// Derives both traits, also for an enum that `type` blocks have.
pub(super) fn emit_derive_of_enum(cx: &EmitCx<'_>, known: &EnumNames<'_>) -> Option<TokenStream> {
    is_written(cx, known).then(derive)
}

/// Returns whether serde writes the values of an enum.
fn is_written(cx: &EmitCx<'_>, known: &EnumNames<'_>) -> bool {
    cx.client.serde || cx.schema.is_in_json(known.walker.id)
}

/// Derives both traits.
pub(super) fn derive() -> TokenStream {
    quote! {
        #[derive(rt::serde::Serialize, rt::serde::Deserialize)]
        #[serde(crate = "::relata::rt::serde")]
    }
}

/// A column of a model: under the field's name in the schema.
pub(super) fn emit_column(cx: &EmitCx<'_>, column: &ColumnNames<'_>) -> Option<TokenStream> {
    if !cx.client.serde {
        return None;
    }
    let mut parts: Vec<TokenStream> = rename(&column.ident, column.walker.name()).into_iter().collect();
    if column.walker.column().sensitive {
        parts.push(quote!(skip_serializing));
    }
    if is_text_in_json(cx, column.walker) {
        parts.push(quote!(with = "rt::text"));
        if column.walker.arity() == Arity::Optional {
            parts.push(quote!(default));
        }
    }
    (!parts.is_empty()).then(|| quote!(#[serde(#(#parts),*)]))
}

/// The row inside `With`, flattened next to the relations.
pub(super) fn emit_row(cx: &EmitCx<'_>) -> Option<TokenStream> {
    cx.client.serde.then(|| quote!(#[serde(flatten)]))
}

/// Emits a relation in `With`. The field does not exist in JSON if the relation was not included.
pub(super) fn emit_relation(cx: &EmitCx<'_>, relation: &RelationNames<'_>) -> Option<TokenStream> {
    if !cx.client.serde {
        return None;
    }
    let renamed = rename(&relation.ident, relation.walker.name()).map(|renamed| quote!(#renamed,));
    let parameter = relation.type_ident.to_string();
    let (serialize, deserialize) =
        (format!("{parameter}: rt::Slot + rt::serde::Serialize"), format!("{parameter}: rt::serde::Deserialize<'de>"));
    Some(quote! {
        #[serde(
            #renamed
            skip_serializing_if = "rt::Slot::is_not_included",
            bound(serialize = #serialize, deserialize = #deserialize)
        )]
    })
}

/// The values of an enum, each under its name in the schema.
pub(super) fn emit_values(cx: &EmitCx<'_>, known: &EnumNames<'_>) -> Vec<Option<TokenStream>> {
    let values = known.walker.enumeration().values.iter();
    let attribute =
        |ident: &str, name: &str| (is_written(cx, known) && ident != name).then(|| quote!(#[serde(rename = #name)]));
    values.map(|value| attribute(&value.rust_ident, &value.name)).collect()
}

/// Writes the name of a field, if that of its identifier is another one.
pub(super) fn rename(ident: &Ident, name: &str) -> Option<TokenStream> {
    let known = ident.to_string();
    (known.strip_prefix("r#").unwrap_or(&known) != name).then(|| quote!(rename = #name))
}
