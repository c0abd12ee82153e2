//! `lib.rs`, which only names the modules, and the client with its list of models.

use proc_macro2::TokenStream;
use quote::quote;

use super::context::EmitCx;
use super::{EmitOptions, header};

/// The module of the client. No model's module is called so: theirs are snake-cased names.
pub(super) const MODULE: &str = "relata_client";

/// The client's own names at the root. A model of the same name has the place, and the client's type
/// is reached through the module.
const OWN_NAMES: [&str; 3] = ["Client", "Models", "Transaction"];

/// What is handed on from the runtime, so that a program needs one `use`.
const RUNTIME_NAMES: [&str; 4] = ["Error", "Isolation", "NotIncluded", "Parent"];

/// Only lines of `mod` and `use`.
pub(super) fn emit_lib(cx: &EmitCx<'_>, options: &EmitOptions) -> String {
    let mut text = header(options);
    if options.crate_root {
        text.push_str("//! The typed client of this schema: start at [`Client`].\n\n");
    }
    let mut modules: Vec<(&str, Option<String>)> = vec![(MODULE, None)];
    modules.extend(cx.models.iter().map(|model| (model.file_name.as_str(), Some(model.ident.to_string()))));
    modules.extend(cx.enums.iter().map(|known| (known.file_name.as_str(), Some(known.ident.to_string()))));
    modules.sort();
    for (module, _) in &modules {
        text.push_str(&format!("#[rustfmt::skip]\n#[allow(missing_docs)]\npub mod {module};\n"));
    }
    text.push('\n');
    let taken: Vec<&str> = modules.iter().filter_map(|(_, ident)| ident.as_deref()).collect();
    let free = |names: &[&str]| -> Vec<String> {
        names.iter().filter(|name| !taken.contains(name)).map(|name| (*name).to_owned()).collect()
    };
    let own = free(&OWN_NAMES).join(", ");
    for (module, ident) in &modules {
        let names = ident.clone().unwrap_or_else(|| format!("{{{own}}}"));
        text.push_str(&format!("pub use self::{module}::{names};\n"));
    }
    text.push_str(&format!("\npub use ::relata::{{{}}};\n", free(&RUNTIME_NAMES).join(", ")));
    text
}

pub(super) fn emit_client(cx: &EmitCx<'_>) -> TokenStream {
    let delegates = cx.models.iter().map(|model| {
        let (module, ident) = (&model.module, &model.ident);
        let docs = format!(" Queries on `{}`.", model.walker.name());
        quote! {
            #[doc = #docs]
            pub fn #module(&self) -> rt::Delegate<super::#module::#ident> {
                rt::Delegate::new(&self.handle)
            }
        }
    });
    quote! {
        use ::relata::rt;

        /// A client of one database: clone it freely, all clones share the pool.
        pub type Client = rt::Client<Models>;

        /// A transaction: dropped without `commit`, it is rolled back.
        pub type Transaction = rt::Transaction<Models>;

        /// The models, behind a client or a transaction.
        #[derive(Debug)]
        pub struct Models {
            handle: rt::Handle,
        }

        impl rt::Models for Models {
            fn new(handle: rt::Handle) -> Self {
                Self { handle }
            }
        }

        impl Models {
            #(#delegates)*
        }
    }
}
