//! The file of a `type` block: its struct, which serde reads and writes, and the paths to its fields in a column.

use proc_macro2::{Ident, Literal as Number, TokenStream};
use quote::{format_ident, quote};

use super::context::{EmitCx, TypeNames, ident};
use super::docs::docs;
use super::scalar::{derives, is_text, json_path, type_of};
use super::serde;
use crate::ir::{
    Arity, ColumnType, DefaultValue, JsonField, JsonFieldType, Literal, NativeType, ScalarType, TypeId, names,
};

pub(super) fn emit_type(cx: &EmitCx<'_>, known: &TypeNames<'_>) -> TokenStream {
    let ident = &known.ident;
    let (docs_of_type, derive, more) = (docs(known.ty.docs.as_deref()), serde::derive(), derives(&known.ty.derives));
    let fields = known.ty.fields.iter().map(|field| emit_field(cx, field));
    let defaults = known.ty.fields.iter().filter_map(|field| emit_default(cx, field));
    let paths = emit_paths(cx, known);
    quote! {
        #![allow(missing_docs, unused, clippy::all)]

        use ::relata::rt;

        #docs_of_type
        #[derive(Debug, Clone, PartialEq)]
        #derive
        #more
        pub struct #ident {
            #(#fields),*
        }

        rt::json_value!(self::#ident);

        #(#defaults)*
        #paths
    }
}

fn field_ident(field: &JsonField) -> Ident {
    ident(&field.rust_ident)
}

/// The type of one value, without `Option`, `Vec` or `Box`.
fn value_type(cx: &EmitCx<'_>, field: &JsonField) -> TokenStream {
    // `lower` has parsed it.
    if let Some(own) = field.rust.as_deref().and_then(|path| path.parse().ok()) {
        return own;
    }
    match field.ty {
        JsonFieldType::Scalar(scalar, native) => type_of(cx, &ColumnType::Scalar(scalar, native)),
        JsonFieldType::Enum(id) => type_of(cx, &ColumnType::Enum(id)),
        JsonFieldType::Type(id) => json_path(cx, id),
    }
}

fn emit_field(cx: &EmitCx<'_>, field: &JsonField) -> TokenStream {
    let (docs, ident, value) = (docs(field.docs.as_deref()), field_ident(field), value_type(cx, field));
    let ty = match field.arity {
        Arity::Required => value,
        Arity::Optional if field.boxed => quote!(rt::Option<rt::Box<#value>>),
        Arity::Optional => quote!(rt::Option<#value>),
        Arity::List => quote!(rt::Vec<#value>),
    };
    let in_json = emit_in_json(cx, field);
    quote!(#docs #in_json pub #ident: #ty)
}

/// Emits the serde attribute of a field: its key, and what stands for a missing one.
fn emit_in_json(cx: &EmitCx<'_>, field: &JsonField) -> Option<TokenStream> {
    let mut parts: Vec<TokenStream> = serde::rename(&field_ident(field), &field.key).into_iter().collect();
    let format = Format::of(cx, field);
    match field.arity {
        Arity::Required => {}
        Arity::Optional => parts.push(quote!(default, skip_serializing_if = "rt::Option::is_none")),
        Arity::List => parts.push(quote!(default)),
    }
    if field.default.is_some() {
        let path = default_ident(field).to_string();
        parts.push(quote!(default = #path));
    }
    match (format, field.arity) {
        (Format::Text, Arity::List) => {
            parts.push(quote!(serialize_with = "rt::text::serialize", deserialize_with = "rt::text::deserialize_list"))
        }
        (Format::Text, _) => parts.push(quote!(with = "rt::text")),
        (Format::Finite, Arity::List) => parts.push(quote!(
            serialize_with = "rt::format::serialize_finite",
            deserialize_with = "rt::format::deserialize_list"
        )),
        (Format::Finite, _) => parts.push(quote!(serialize_with = "rt::format::serialize_finite")),
        (Format::Own, Arity::List) => parts.push(quote!(deserialize_with = "rt::format::deserialize_list")),
        (Format::Own, _) => {}
    }
    (!parts.is_empty()).then(|| quote!(#[serde(#(#parts),*)]))
}

/// How serde writes the values of a field.
#[derive(Clone, Copy, PartialEq)]
enum Format {
    /// As the `Serialize` of the type does.
    Own,
    /// As text that the runtime writes.
    Text,
    /// As a number, which JSON has only if it is finite.
    Finite,
}

impl Format {
    fn of(cx: &EmitCx<'_>, field: &JsonField) -> Self {
        match field.ty {
            _ if field.rust.is_some() => Format::Own,
            JsonFieldType::Scalar(ScalarType::Float, _) => Format::Finite,
            JsonFieldType::Scalar(scalar, native) if is_text(cx, &ColumnType::Scalar(scalar, native)) => Format::Text,
            _ => Format::Own,
        }
    }
}

fn default_ident(field: &JsonField) -> Ident {
    format_ident!("default_{}_", names::plain(&field.rust_ident))
}

/// Emits the function that serde calls for a missing key.
fn emit_default(cx: &EmitCx<'_>, field: &JsonField) -> Option<TokenStream> {
    let (ident, ty) = (default_ident(field), value_type(cx, field));
    let value = match (field.default.as_ref()?, field.ty) {
        (DefaultValue::EnumValue(index), JsonFieldType::Enum(id)) => {
            let value = cx.enumeration(id).walker.enumeration().values.get(*index)?;
            let variant = super::context::ident(&value.rust_ident);
            quote!(#ty::#variant)
        }
        (DefaultValue::Literal(Literal::String(text)), _) => quote!(rt::String::from(#text)),
        (DefaultValue::Literal(Literal::Boolean(value)), _) => quote!(#value),
        (DefaultValue::Literal(Literal::Number(number)), JsonFieldType::Scalar(ScalarType::Float, _)) => {
            // A literal of a whole number would not be one of an `f64`.
            number_tokens(&format!("{:?}", number.parse::<f64>().ok()?))
        }
        (DefaultValue::Literal(Literal::Number(number)), _) => number_tokens(&number.parse::<i64>().ok()?.to_string()),
        _ => return None,
    };
    Some(quote!(fn #ident() -> #ty { #value }))
}

/// A number, whose sign is a token of its own.
fn number_tokens(text: &str) -> TokenStream {
    text.parse().unwrap_or_default()
}

/// Emits the struct with the paths to the fields.
fn emit_paths(cx: &EmitCx<'_>, known: &TypeNames<'_>) -> TokenStream {
    let (ident, paths_ident) = (&known.ident, &known.paths_ident);
    let any = Paths { model: quote!(M), column: 0 };
    let fields = known.ty.fields.iter().map(|field| {
        let (docs, ident, ty) = (docs(field.docs.as_deref()), field_ident(field), any.field_type(cx, field));
        quote!(#docs pub #ident: #ty)
    });
    let docs = format!(" The paths to the fields of `{ident}` in a column of JSON.");
    quote! {
        #[doc = #docs]
        pub struct #paths_ident<M, F> {
            #[doc(hidden)]
            pub own_: F,
            #(#fields),*
        }

        rt::json_paths!(#paths_ident);
    }
}

/// The paths in one column of a model.
pub(super) struct Paths {
    pub(super) model: TokenStream,
    pub(super) column: u16,
}

impl Paths {
    /// The type of the paths in a value of a `type` block; `own` is that of the path to the value.
    pub(super) fn ty(&self, cx: &EmitCx<'_>, id: TypeId, own: TokenStream) -> TokenStream {
        let known = cx.json_type(id);
        let (module, paths_ident, model) = (&known.module, &known.paths_ident, &self.model);
        quote!(super::#module::#paths_ident<#model, #own>)
    }

    /// The paths in the value at `path`.
    pub(super) fn value(&self, cx: &EmitCx<'_>, id: TypeId, path: &[&str], own: &TokenStream) -> TokenStream {
        let known = cx.json_type(id);
        let (module, paths_ident) = (&known.module, &known.paths_ident);
        let fields = known.ty.fields.iter().map(|field| {
            let ident = field_ident(field);
            let path = [path, &[field.key.as_str()]].concat();
            let (number, kind) = (Number::u16_unsuffixed(self.column), compared(field));
            let leaf = quote!(rt::JsonField::new(#number, &[#(#path),*], rt::JsonKind::#kind));
            let value = match inner(field) {
                Some(id) => self.value(cx, id, &path, &leaf),
                None => leaf,
            };
            quote!(#ident: #value)
        });
        quote!(super::#module::#paths_ident { own_: #own, #(#fields),* })
    }

    fn field_type(&self, cx: &EmitCx<'_>, field: &JsonField) -> TokenStream {
        let (model, value) = (&self.model, value_type(cx, field));
        let format = match Format::of(cx, field) {
            Format::Own => None,
            Format::Text => Some(quote!(rt::format::Text)),
            Format::Finite => Some(quote!(rt::format::Finite)),
        };
        let arity = match field.arity {
            Arity::Required if format.is_none() => None,
            Arity::Required => Some(quote!(rt::Required)),
            Arity::Optional => Some(quote!(rt::Optional)),
            Arity::List => Some(quote!(rt::List)),
        };
        let more = arity.into_iter().chain(format);
        let leaf = quote!(rt::JsonField<#model, #value #(, #more)*>);
        match inner(field) {
            Some(id) => self.ty(cx, id, leaf),
            None => leaf,
        }
    }
}

/// Returns the type whose fields have paths below this field. There are none in lists, and none where a type contains
/// itself.
fn inner(field: &JsonField) -> Option<TypeId> {
    match field.ty {
        JsonFieldType::Type(id) if field.arity != Arity::List && !field.boxed => Some(id),
        _ => None,
    }
}

/// How PostgreSQL compares the values of a field.
fn compared(field: &JsonField) -> Ident {
    let kind = match field.ty {
        _ if field.arity == Arity::List => "Json",
        JsonFieldType::Enum(_) => "Text",
        JsonFieldType::Type(_) => "Json",
        JsonFieldType::Scalar(scalar, native) => match (scalar, native) {
            (ScalarType::String | ScalarType::Bytes, _) => "Text",
            (ScalarType::Decimal, _) => "Decimal",
            (ScalarType::DateTime, NativeType::Date) => "Date",
            (ScalarType::DateTime, NativeType::Time(_)) => "Time",
            (ScalarType::DateTime, _) => "Timestamp",
            (ScalarType::Boolean | ScalarType::Int | ScalarType::BigInt | ScalarType::Float | ScalarType::Json, _) => {
                "Json"
            }
        },
    };
    ident(kind)
}
