//! `lib.rs`, which only names the modules, and the client with its list of models.

use proc_macro2::{Ident, TokenStream};
use quote::quote;

use super::context::{EmitCx, ModelNames, ident};
use super::{EmitOptions, header, queries};
use crate::ir::DefaultValue;

/// The module of the client. No model's module is called so: see `names::module_name`.
pub(super) const MODULE: &str = "relata_client";

/// The client's own names at the root. A model of the same name has the place, and the client's type
/// is reached through the module.
const OWN_NAMES: [&str; 3] = ["Client", "Models", "Transaction"];

/// What is handed on from the runtime, so that a program needs one `use`.
const RUNTIME_NAMES: [&str; 4] = ["Error", "Isolation", "NotIncluded", "Parent"];

/// Methods of the runtime's client and transaction, which hide a model's method of the same name. The
/// model's gets a `_` after it: `db.transaction_().find_many()`.
const OWN_METHODS: [&str; 18] = [
    "batch",
    "begin",
    "clone",
    "close",
    "commit",
    "counted",
    "execute_raw",
    "into",
    "query",
    "query_raw",
    "query_raw_stream",
    "query_stream",
    "rollback",
    "savepoint",
    "statistics",
    "to_owned",
    "transaction",
    "with_hooks",
];

/// Only lines of `mod` and `use`.
pub(super) fn emit_lib(cx: &EmitCx<'_>, has_queries: bool, options: &EmitOptions) -> String {
    let mut text = header(options);
    if options.crate_root {
        text.push_str("//! The typed client of this schema: start at [`Client`].\n\n");
    }
    let mut modules: Vec<(&str, Option<String>)> = vec![(MODULE, None)];
    modules.extend(cx.models.iter().map(|model| (model.file_name.as_str(), Some(model.ident.to_string()))));
    modules.extend(cx.enums.iter().map(|known| (known.file_name.as_str(), Some(known.ident.to_string()))));
    if has_queries {
        modules.push((queries::MODULE, Some(String::new())));
    }
    modules.sort();
    for (module, _) in &modules {
        // rustc finds the files of other modules only through a path.
        let path = if module.is_ascii() { String::new() } else { format!("#[path = \"{module}.rs\"]\n") };
        text.push_str(&format!("#[rustfmt::skip]\n#[allow(missing_docs)]\n{path}pub mod {module};\n"));
    }
    text.push('\n');
    let taken: Vec<&str> = modules.iter().filter_map(|(_, ident)| ident.as_deref()).collect();
    let free = |names: &[&str]| -> Vec<String> {
        names.iter().filter(|name| !taken.contains(name)).map(|name| (*name).to_owned()).collect()
    };
    // Where the client is a module of a program, rustc would name each of these that the program does not use.
    text.push_str("#[rustfmt::skip]\n#[allow(unused_imports)]\npub use self::{\n");
    for (module, ident) in &modules {
        if *module == queries::MODULE {
            continue;
        }
        let names = ident.clone().or_else(|| import_list(&free(&OWN_NAMES)));
        text.extend(names.map(|names| format!("    {module}::{names},\n")));
    }
    text.push_str("};\n");
    let names = import_list(&free(&RUNTIME_NAMES));
    text.extend(names.map(|names| format!("\n#[allow(unused_imports)]\npub use ::relata::{names};\n")));
    text
}

/// The method that begins a model's queries: called like its module.
fn method_ident(model: &ModelNames<'_>) -> Ident {
    let name = &model.file_name;
    if OWN_METHODS.contains(&name.as_str()) { ident(&format!("{name}_")) } else { model.module.clone() }
}

fn import_list(names: &[String]) -> Option<String> {
    (!names.is_empty()).then(|| format!("{{{}}}", names.join(", ")))
}

/// The functions of defaults that need a feature of the runtime, with the feature and its constant.
const FEATURES: [(&str, &str, &str); 3] =
    [("cuid()", "cuid", "CUID"), ("nanoid()", "nanoid", "NANOID"), ("ulid()", "ulid", "ULID")];

fn feature_of(default: &DefaultValue) -> Option<&'static str> {
    match default {
        DefaultValue::Cuid(_) => Some("cuid"),
        DefaultValue::Nanoid(_) => Some("nanoid"),
        DefaultValue::Ulid => Some("ulid"),
        _ => None,
    }
}

/// For each feature that the schema's defaults need: the error of a program that has not enabled it.
fn emit_features(cx: &EmitCx<'_>) -> Vec<TokenStream> {
    let columns = || cx.models.iter().flat_map(|model| &model.columns);
    let needs = |feature: &str| {
        columns().any(|column| column.walker.column().default.as_ref().and_then(feature_of) == Some(feature))
    };
    let needed = FEATURES.iter().filter(|(_, feature, _)| needs(feature));
    needed
        .map(|(function, feature, constant)| {
            let constant = ident(constant);
            let message = format!(
                "the schema has `@default({function})`: enable the feature `{feature}` of the dependency `relata`, by \
                 features = [\"{feature}\"]"
            );
            quote!(
                const _: () = ::std::assert!(rt::features::#constant, #message);
            )
        })
        .collect()
}

pub(super) fn emit_client(cx: &EmitCx<'_>) -> TokenStream {
    let delegates = cx.models.iter().map(|model| {
        let (module, ident, method) = (&model.module, &model.ident, method_ident(model));
        let docs = format!(" Queries on `{}`.", model.walker.name());
        quote! {
            #[doc = #docs]
            pub fn #method(&self) -> rt::Delegate<super::#module::#ident> {
                rt::Delegate::new(&self.executor)
            }
        }
    });
    let features = emit_features(cx);
    quote! {
        #![allow(unused, clippy::all)]

        use ::relata::rt;

        #(#features)*

        /// A client of one database. Cloning it is cheap: all clones share the pool.
        pub type Client = rt::Client<Models>;

        /// A transaction. If it is dropped without `commit`, it is rolled back.
        pub type Transaction = rt::Transaction<Models>;

        /// The models of the schema. A client, a transaction and a savepoint dereference to it.
        #[derive(Debug)]
        pub struct Models {
            executor: rt::Executor,
        }

        impl rt::Models for Models {
            fn new(executor: rt::Executor) -> Self {
                Self { executor }
            }
        }

        impl Models {
            #(#delegates)*
        }
    }
}
