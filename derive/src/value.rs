//! `#[derive(Value)]`: a type that a column can hold.

use heck::{ToKebabCase, ToLowerCamelCase, ToPascalCase, ToShoutySnakeCase, ToSnakeCase};
use proc_macro2::TokenStream;
use quote::quote;
use syn::ext::IdentExt;
use syn::parse::ParseStream;
use syn::{Attribute, Data, DataEnum, DeriveInput, Field, Fields, Ident, LitStr, Member, Token, Variant};

/// The arguments of `#[relata(..)]` on the type.
#[derive(Default)]
struct OfType {
    json: bool,
    try_from: bool,
    rename_all: Option<Case>,
}

/// How the labels of an enum are spelled.
#[derive(Clone, Copy)]
enum Case {
    Snake,
    Shouty,
    Camel,
    Pascal,
    Kebab,
    Lower,
    Upper,
}

const CASES: [(&str, Case); 7] = [
    ("snake_case", Case::Snake),
    ("SCREAMING_SNAKE_CASE", Case::Shouty),
    ("camelCase", Case::Camel),
    ("PascalCase", Case::Pascal),
    ("kebab-case", Case::Kebab),
    ("lowercase", Case::Lower),
    ("UPPERCASE", Case::Upper),
];

pub(crate) fn expand(input: &DeriveInput) -> syn::Result<TokenStream> {
    let of_type = OfType::parse(&input.attrs)?;
    if !input.generics.params.is_empty() {
        let message = "Value can be derived only for types without generic parameters";
        return Err(syn::Error::new_spanned(&input.generics, message));
    }
    let ident = &input.ident;
    if of_type.json {
        return Ok(as_json(ident));
    }
    match &input.data {
        Data::Struct(data) => {
            let mut fields = data.fields.iter();
            match (fields.next(), fields.next()) {
                (Some(field), None) => Ok(newtype(ident, field, of_type.try_from)),
                _ => Err(syn::Error::new_spanned(
                    ident,
                    "Value needs a struct with one field; write `#[relata(json)]` to store the struct as JSON",
                )),
            }
        }
        Data::Enum(data) => labels(ident, data, of_type.rename_all),
        Data::Union(_) => Err(syn::Error::new_spanned(ident, "Value cannot be derived for unions")),
    }
}

impl OfType {
    fn parse(attributes: &[Attribute]) -> syn::Result<Self> {
        let mut of_type = Self::default();
        for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("relata")) {
            attribute.parse_nested_meta(|meta| {
                if meta.path.is_ident("json") {
                    of_type.json = true;
                } else if meta.path.is_ident("try_from") {
                    of_type.try_from = true;
                } else if meta.path.is_ident("rename_all") {
                    of_type.rename_all = Some(case(meta.value()?)?);
                } else {
                    return Err(meta.error("expected `json`, `try_from` or `rename_all = \"..\"` on the type"));
                }
                Ok(())
            })?;
        }
        Ok(of_type)
    }
}

fn case(value: ParseStream<'_>) -> syn::Result<Case> {
    let text: LitStr = value.parse()?;
    let found = CASES.iter().find(|(name, _)| *name == text.value());
    found.map(|(_, case)| *case).ok_or_else(|| {
        let names: Vec<String> = CASES.iter().map(|(name, _)| format!("\"{name}\"")).collect();
        syn::Error::new(text.span(), format!("expected one of {}", names.join(", ")))
    })
}

/// The label of a variant: that of `#[relata(rename = "..")]`, or its name in the case of the type.
fn label(variant: &Variant, case: Option<Case>) -> syn::Result<String> {
    let mut renamed = None;
    for attribute in variant.attrs.iter().filter(|attribute| attribute.path().is_ident("relata")) {
        attribute.parse_args_with(|input: ParseStream<'_>| {
            let name: Ident = input.parse()?;
            if name != "rename" {
                return Err(syn::Error::new(name.span(), "expected `rename = \"..\"` on a variant"));
            }
            input.parse::<Token![=]>()?;
            renamed = Some(input.parse::<LitStr>()?.value());
            Ok(())
        })?;
    }
    let name = variant.ident.unraw().to_string();
    Ok(renamed.unwrap_or_else(|| match case {
        None => name,
        Some(Case::Snake) => name.to_snake_case(),
        Some(Case::Shouty) => name.to_shouty_snake_case(),
        Some(Case::Camel) => name.to_lower_camel_case(),
        Some(Case::Kebab) => name.to_kebab_case(),
        Some(Case::Lower) => name.to_lowercase(),
        Some(Case::Upper) => name.to_uppercase(),
        Some(Case::Pascal) => name.to_pascal_case(),
    }))
}

/// A struct around one value.
fn newtype(ident: &Ident, field: &Field, try_from: bool) -> TokenStream {
    let inner = &field.ty;
    let member = field.ident.clone().map_or_else(|| Member::from(0), Member::from);
    let (from, into) = match try_from {
        true => (
            quote!(<Self as ::std::convert::TryFrom<#inner>>::try_from(inner).map_err(::std::convert::Into::into)),
            quote!(<#inner as ::std::convert::From<Self>>::from(self)),
        ),
        false => (quote!(::std::result::Result::Ok(Self { #member: inner })), quote!(self.#member)),
    };
    let key = key(ident);
    quote! {
        #[automatically_derived]
        impl ::relata::Newtype for #ident {
            type Inner = #inner;

            fn from_inner(inner: #inner) -> ::std::result::Result<Self, ::relata::rt::DecodeError> {
                #from
            }

            fn into_inner(self) -> #inner {
                #into
            }
        }

        #key
    }
}

/// A value that can be the key of a row that a new row references.
fn key(ident: &Ident) -> TokenStream {
    quote! {
        #[automatically_derived]
        impl<M: ::relata::Model> ::relata::rt::LinkTarget<M, #ident> for #ident {
            fn link(self, insert: &mut ::relata::rt::Insert, relation: &'static ::relata::rt::Relation) {
                insert.key(relation, [::relata::Scalar::into_param(self)]);
            }
        }

        #[automatically_derived]
        impl<const SLOT: usize, M: ::relata::Model> ::relata::rt::Link<SLOT, M, #ident> for #ident {
            type With<Parents> = Parents;
        }
    }
}

/// An enum whose variants are labels: text, or those of an enum of PostgreSQL.
fn labels(ident: &Ident, data: &DataEnum, case: Option<Case>) -> syn::Result<TokenStream> {
    if let Some(variant) = data.variants.iter().find(|variant| !matches!(variant.fields, Fields::Unit)) {
        let message = "Value needs variants without fields; write `#[relata(json)]` to store the enum as JSON";
        return Err(syn::Error::new_spanned(variant, message));
    }
    let labels = data.variants.iter().map(|variant| label(variant, case)).collect::<syn::Result<Vec<_>>>()?;
    if let Some((at, twice)) = labels.iter().enumerate().find(|(at, label)| labels[..*at].contains(label)) {
        let variant = data.variants.iter().nth(at);
        return Err(syn::Error::new_spanned(variant, format!("another variant has the label \"{twice}\", too")));
    }
    let variants: Vec<&Ident> = data.variants.iter().map(|variant| &variant.ident).collect();
    let bytes = labels.iter().map(|label| proc_macro2::Literal::byte_string(label.as_bytes()));
    let (name, key) = (ident.unraw().to_string(), key(ident));
    Ok(quote! {
        #[automatically_derived]
        impl ::relata::Scalar for #ident {
            type Base = Self;
            const HOLDS: ::relata::Holds = ::relata::Holds::Text;

            fn decode(raw: &[u8]) -> ::std::result::Result<Self, ::relata::rt::DecodeError> {
                match raw {
                    #(#bytes => ::std::result::Result::Ok(Self::#variants),)*
                    _ => ::std::result::Result::Err(::relata::rt::unknown_value(#name)),
                }
            }

            fn into_param(self) -> ::relata::Param {
                ::relata::Param::Label(match self {
                    #(Self::#variants => #labels,)*
                })
            }
        }

        #[automatically_derived]
        impl ::relata::Ordered for #ident {}

        #key
    })
}

/// A type that serde reads and writes.
fn as_json(ident: &Ident) -> TokenStream {
    quote! {
        #[automatically_derived]
        impl ::relata::Scalar for #ident {
            type Base = ::relata::serde_json::Value;
            const HOLDS: ::relata::Holds = ::relata::Holds::Json;

            fn decode(raw: &[u8]) -> ::std::result::Result<Self, ::relata::rt::DecodeError> {
                ::relata::rt::decode_json(raw)
            }

            fn into_param(self) -> ::relata::Param {
                ::relata::rt::json_param(&self)
            }

            fn accepts(ty: &::relata::tokio_postgres::types::Type) -> bool {
                ::relata::rt::is_json(ty)
            }
        }
    }
}
