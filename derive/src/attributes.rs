//! The arguments of `#[relata(..)]`, on a struct and on its fields.

use proc_macro2::{Span, TokenStream};
use syn::parse::{Parse, ParseStream};
use syn::{Attribute, Ident, LitStr, Path, Token};

/// On a struct: the model that it is selected from.
#[derive(Default)]
pub(crate) struct OfStruct {
    pub(crate) model: Option<Path>,
    pub(crate) module: Option<Path>,
}

/// On a field: where its value comes from, if not from the column or field of the same name.
pub(crate) enum Source {
    SameName,
    /// `select = ..`: these tokens are the expression to select.
    Select(TokenStream),
    /// `nested`: the relation of the same name, read into the field's own struct.
    Nested,
    /// `column = ".."`: the column with this name.
    Column(LitStr),
    /// `set = ..`: the field to set.
    Set(TokenStream),
}

/// One of the arguments between the commas.
enum Argument {
    From(Path),
    Module(Path),
    Select(TokenStream),
    Nested,
    Column(LitStr),
    Set(TokenStream),
}

impl Parse for Argument {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let name: Ident = input.parse()?;
        if name == "nested" {
            return Ok(Argument::Nested);
        }
        if !["from", "module", "select", "column", "set"].iter().any(|known| name == known) {
            let message = "expected `from = Model` or `module = path` on a struct, \
                `select = ..`, `set = ..`, `nested` or `column = \"..\"` on a field";
            return Err(syn::Error::new(name.span(), message));
        }
        input.parse::<Token![=]>()?;
        match name.to_string().as_str() {
            "from" => Ok(Argument::From(input.call(Path::parse_mod_style)?)),
            "module" => Ok(Argument::Module(input.call(Path::parse_mod_style)?)),
            "column" => Ok(Argument::Column(input.parse()?)),
            "set" => Ok(Argument::Set(input.parse()?)),
            // An expression extends to the end of the attribute, because it may contain commas.
            _ => Ok(Argument::Select(input.parse()?)),
        }
    }
}

fn arguments(attributes: &[Attribute]) -> syn::Result<Vec<(Span, Argument)>> {
    let mut found = Vec::new();
    for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("relata")) {
        attribute.parse_args_with(|input: ParseStream<'_>| {
            while !input.is_empty() {
                found.push((input.span(), input.parse()?));
                if !input.is_empty() {
                    input.parse::<Token![,]>()?;
                }
            }
            Ok(())
        })?;
    }
    Ok(found)
}

impl OfStruct {
    pub(crate) fn parse(attributes: &[Attribute]) -> syn::Result<Self> {
        let mut of_struct = OfStruct::default();
        for (span, argument) in arguments(attributes)? {
            match argument {
                Argument::From(path) => of_struct.model = Some(path),
                Argument::Module(path) => of_struct.module = Some(path),
                _ => return Err(syn::Error::new(span, "this belongs on a field")),
            }
        }
        Ok(of_struct)
    }
}

impl Source {
    pub(crate) fn parse(attributes: &[Attribute]) -> syn::Result<Self> {
        let mut source = Source::SameName;
        for (span, argument) in arguments(attributes)? {
            if !matches!(source, Source::SameName) {
                let message = "a field can have only one of `select`, `set`, `nested` and `column`";
                return Err(syn::Error::new(span, message));
            }
            source = match argument {
                Argument::Select(tokens) if tokens.is_empty() => {
                    return Err(syn::Error::new(span, "`select` needs an expression"));
                }
                Argument::Set(tokens) if tokens.is_empty() => {
                    return Err(syn::Error::new(span, "`set` needs a field, such as `student::class_year`"));
                }
                Argument::Set(tokens) => Source::Set(tokens),
                Argument::Select(tokens) => Source::Select(tokens),
                Argument::Nested => Source::Nested,
                Argument::Column(name) => Source::Column(name),
                _ => return Err(syn::Error::new(span, "this belongs on the struct")),
            };
        }
        Ok(source)
    }
}
