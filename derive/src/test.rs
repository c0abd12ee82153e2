//! `#[relata::test]`: turns an async function into a test that has a database.
//!
//! Takes the tokens of the options and of the function. The function stays as it is, inside of one that calls the
//! harness of `relata::testing`.

mod function;
mod options;

use function::{Argument, Function};
use options::Options;
use proc_macro2::{Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{ReturnType, Type, parse2};

pub(crate) fn expand(options: TokenStream, function: TokenStream) -> syn::Result<TokenStream> {
    let options: Options = parse2(options)?;
    let function: Function = parse2(function)?;
    if let Some(attribute) = function.attributes.iter().find(|attribute| is_test(attribute)) {
        let message = "`#[relata::test]` makes the function a test; remove this attribute";
        return Err(syn::Error::new_spanned(attribute, message));
    }
    let panics = function.attributes.iter().any(|attribute| attribute.path().is_ident("should_panic"));
    if panics && let ReturnType::Type(_, ty) = &function.output {
        return Err(syn::Error::new_spanned(ty, "a test with `#[should_panic]` returns nothing"));
    }
    let call = match options.rollback {
        true => call_in_transaction(&function, panics)?,
        false => call_with_database(&function, panics)?,
    };
    let Function { attributes, visibility, name, arguments, output, body } = &function;
    let arguments = arguments.iter().map(|Argument { pattern, ty }| quote!(#pattern: #ty));
    Ok(quote! {
        #[::core::prelude::v1::test]
        #(#attributes)*
        #visibility fn #name() #output {
            async fn #name(#(#arguments),*) #output #body

            #options.#call
        }
    })
}

/// Whether an attribute makes a function a test: `test`, `tokio::test`.
fn is_test(attribute: &syn::Attribute) -> bool {
    attribute.path().segments.last().is_some_and(|segment| segment.ident == "test")
}

/// The call of a test that has its own database.
fn call_with_database(function: &Function, panics: bool) -> syn::Result<TokenStream> {
    let name = &function.name;
    if function.arguments.is_empty() {
        let message = format!("a test takes its database as an argument: `async fn {name}(db: Client)`");
        return Err(syn::Error::new_spanned(name, message));
    }
    let run = format_ident!("{}", if panics { "run_to_panic" } else { "run" });
    // Hygienic: no argument can refer to it.
    let database = syn::Ident::new("database", Span::mixed_site());
    let values = function.arguments.iter().map(|Argument { ty, .. }| {
        // rustc shows the type if it cannot be an argument.
        quote_spanned!(ty.span() => ::relata::testing::harness::argument::<#ty>(#database).await?)
    });
    Ok(quote! {
        #run(async |#database: &::relata::testing::TestDatabase| {
            ::core::result::Result::Ok(#name(#(#values),*).await)
        })
    })
}

/// The call of a test in a transaction.
fn call_in_transaction(function: &Function, panics: bool) -> syn::Result<TokenStream> {
    let name = &function.name;
    let [Argument { ty, .. }] = function.arguments.as_slice() else {
        let message = format!("a test with `rollback` takes one argument: `async fn {name}(tx: &Transaction)`");
        return Err(syn::Error::new_spanned(name, message));
    };
    let of = match ty {
        Type::Reference(reference) if reference.mutability.is_none() => &reference.elem,
        _ => {
            let message = "a test with `rollback` takes its transaction by reference, so that nothing commits it: `tx: \
                           &Transaction`";
            return Err(syn::Error::new_spanned(ty, message));
        }
    };
    let transaction = syn::Ident::new("transaction", Span::mixed_site());
    let run = match panics {
        true => quote_spanned!(of.span() => roll_back_to_panic::<#of>),
        false => quote_spanned!(of.span() => run_and_roll_back::<#of, _>),
    };
    Ok(quote!(#run(async |#transaction: &#of| #name(#transaction).await)))
}
