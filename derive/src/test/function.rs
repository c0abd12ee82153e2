//! The function with the attribute. It is parsed here, because syn's parser of functions is a feature that doubles syn.

use proc_macro2::{Group, TokenStream, TokenTree};
use syn::parse::{Parse, ParseStream};
use syn::{Attribute, Ident, ReturnType, Token, Type, Visibility, parenthesized, token};

/// An async function.
pub(super) struct Function {
    pub(super) attributes: Vec<Attribute>,
    pub(super) visibility: Visibility,
    pub(super) name: Ident,
    pub(super) arguments: Vec<Argument>,
    pub(super) output: ReturnType,
    pub(super) body: Group,
}

/// An argument: `mut db: Client`.
pub(super) struct Argument {
    pub(super) pattern: TokenStream,
    pub(super) ty: Type,
}

impl Parse for Function {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let attributes = input.call(Attribute::parse_outer)?;
        let visibility = input.parse()?;
        if !input.peek(Token![async]) {
            return Err(input.error("`#[relata::test]` is for an async function: `async fn name(db: Client)`"));
        }
        input.parse::<Token![async]>()?;
        input.parse::<Token![fn]>()?;
        let name = input.parse()?;
        if input.peek(Token![<]) {
            return Err(input.error("a test has no generic parameters"));
        }
        let inside;
        parenthesized!(inside in input);
        let mut arguments = Vec::new();
        while !inside.is_empty() {
            arguments.push(inside.parse()?);
            if !inside.is_empty() {
                inside.parse::<Token![,]>()?;
            }
        }
        let output = input.parse()?;
        if !input.peek(token::Brace) {
            return Err(input.error("expected the body of the test"));
        }
        Ok(Self { attributes, visibility, name, arguments, output, body: input.parse()? })
    }
}

impl Parse for Argument {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let attributes = input.call(Attribute::parse_outer)?;
        let mut pattern = quote::quote!(#(#attributes)*);
        while !input.peek(Token![:]) || input.peek(Token![::]) {
            if input.is_empty() || input.peek(Token![,]) {
                return Err(input.error("expected an argument with its type, such as `db: Client`"));
            }
            pattern.extend([input.parse::<TokenTree>()?]);
        }
        input.parse::<Token![:]>()?;
        let ty = input.parse()?;
        match ty {
            Type::ImplTrait(_) | Type::Infer(_) => {
                Err(syn::Error::new_spanned(ty, "an argument of a test has the name of its type, such as `db: Client`"))
            }
            ty => Ok(Self { pattern, ty }),
        }
    }
}
