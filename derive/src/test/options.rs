//! The options in `#[relata::test(..)]`.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::parse::{Parse, ParseStream, Parser};
use syn::{LitBool, LitInt, LitStr, Token, meta, parenthesized};

const EXPECTED: &str = "expected `migrations = \"..\"`, `migrations = false`, `fixtures(\"..\")`, `role = \"..\"`, \
                        `rollback`, `flavor = \"multi_thread\"` or `worker_threads = ..`";

/// The options of a test.
pub(super) struct Options {
    /// The folder of the migrations, if there are any.
    migrations: Option<LitStr>,
    fixtures: Vec<LitStr>,
    role: Option<LitStr>,
    pub(super) rollback: bool,
    /// The threads of a runtime with several; 0 for one per processor.
    threads: Option<usize>,
}

impl Parse for Options {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let folder = LitStr::new("migrations", input.span());
        let mut options =
            Self { migrations: Some(folder), fixtures: Vec::new(), role: None, rollback: false, threads: None };
        let mut worker_threads = None;
        let parser = meta::parser(|meta| {
            if meta.path.is_ident("migrations") {
                options.migrations = migrations(meta.value()?)?;
            } else if meta.path.is_ident("fixtures") {
                let files;
                parenthesized!(files in meta.input);
                options.fixtures.extend(files.parse_terminated(<LitStr as Parse>::parse, Token![,])?);
            } else if meta.path.is_ident("role") {
                options.role = Some(meta.value()?.parse()?);
            } else if meta.path.is_ident("rollback") {
                options.rollback = true;
            } else if meta.path.is_ident("flavor") {
                options.threads = flavor(&meta.value()?.parse()?)?;
            } else if meta.path.is_ident("worker_threads") {
                worker_threads = Some(meta.value()?.parse::<LitInt>()?);
            } else {
                return Err(meta.error(EXPECTED));
            }
            Ok(())
        });
        parser.parse2(input.parse()?)?;
        if let Some(threads) = worker_threads {
            options.threads = Some(number(&threads, options.threads)?);
        }
        Ok(options)
    }
}

fn migrations(input: ParseStream<'_>) -> syn::Result<Option<LitStr>> {
    if input.peek(LitStr) {
        return input.parse().map(Some);
    }
    match input.parse::<LitBool>() {
        Ok(no) if !no.value => Ok(None),
        Ok(yes) => Err(syn::Error::new(yes.span, "name the folder: `migrations = \"..\"`")),
        Err(error) => Err(syn::Error::new(
            error.span(),
            "expected a folder, or `false` for an empty database: `migrations = \"db/migrations\"`",
        )),
    }
}

fn flavor(text: &LitStr) -> syn::Result<Option<usize>> {
    match text.value().as_str() {
        "current_thread" => Ok(None),
        "multi_thread" => Ok(Some(0)),
        _ => Err(syn::Error::new(text.span(), "expected \"current_thread\" or \"multi_thread\"")),
    }
}

fn number(threads: &LitInt, flavor: Option<usize>) -> syn::Result<usize> {
    if flavor.is_none() {
        let message = "`worker_threads` needs `flavor = \"multi_thread\"`";
        return Err(syn::Error::new(threads.span(), message));
    }
    match threads.base10_parse() {
        Ok(0) => Err(syn::Error::new(threads.span(), "a runtime has at least one thread")),
        number => number,
    }
}

/// The value of the harness.
impl ToTokens for Options {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        let option = |value: Option<TokenStream>| match value {
            Some(value) => quote!(::core::option::Option::Some(#value)),
            None => quote!(::core::option::Option::None),
        };
        let migrations = option(self.migrations.as_ref().map(ToTokens::to_token_stream));
        let role = option(self.role.as_ref().map(ToTokens::to_token_stream));
        let threads = option(self.threads.as_ref().map(ToTokens::to_token_stream));
        let fixtures = &self.fixtures;
        tokens.extend(quote! {
            (::relata::testing::harness::Test {
                package: ::core::env!("CARGO_MANIFEST_DIR"),
                migrations: #migrations,
                fixtures: &[#(#fixtures),*],
                role: #role,
                threads: #threads,
            })
        });
    }
}
