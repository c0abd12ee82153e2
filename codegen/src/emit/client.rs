//! `lib.rs`, which only lists the modules, and the client with its list of models.

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};

use super::context::{EmitCx, ModelNames};
use super::factory::emit_makes_rows;
use super::features::features_of_models;
use super::scalar::{qualified, value_type};
use super::{EmitOptions, header, queries};
use crate::ir::names::{OWN_TYPES, OWN_TYPES_OF_TENANTS};
use crate::ir::{AUDIT_TABLE, ColumnType, ModelWalker, Tenancy, row_security_cast};

/// The module of the client. `names::module_name` ensures that no model has this module.
pub(super) const MODULE: &str = "relata_client";

/// Names that are re-exported from the runtime, so that a program needs only one `use`. A model of the same name takes
/// precedence.
const RUNTIME_NAMES: [&str; 4] = ["Error", "Isolation", "NotIncluded", "Parent"];

/// Emits only lines with `mod` and `use`.
pub(super) fn emit_lib(cx: &EmitCx<'_>, has_queries: bool, options: &EmitOptions) -> String {
    let mut text = header(options);
    if options.crate_root {
        text.push_str("//! The typed client of this schema: start at [`Client`].\n\n");
    }
    let mut modules: Vec<(&str, Option<String>)> = vec![(MODULE, None)];
    modules.extend(cx.models.iter().map(|model| (model.file_name.as_str(), Some(model.ident.to_string()))));
    modules.extend(cx.enums.iter().map(|known| (known.file_name.as_str(), Some(known.ident.to_string()))));
    modules.extend(cx.types.iter().map(|known| (known.file_name.as_str(), Some(known.ident.to_string()))));
    if has_queries {
        modules.push((queries::MODULE, Some(String::new())));
    }
    modules.sort();
    for (module, _) in &modules {
        // rustc finds the file of a module whose name is not ASCII only through a path.
        let path = if module.is_ascii() { String::new() } else { format!("#[path = \"{module}.rs\"]\n") };
        text.push_str(&format!("#[rustfmt::skip]\n#[allow(missing_docs)]\n{path}pub mod {module};\n"));
    }
    text.push('\n');
    let taken: Vec<&str> = modules.iter().filter_map(|(_, ident)| ident.as_deref()).collect();
    let free = |names: &[&str]| -> Vec<String> {
        names.iter().filter(|name| !taken.contains(name)).map(|name| (*name).to_owned()).collect()
    };
    // If the client is a module of a program, rustc would warn about each of these that the program does not use.
    text.push_str("#[rustfmt::skip]\n#[allow(unused_imports)]\npub use self::{\n");
    for (module, ident) in &modules {
        if *module == queries::MODULE {
            continue;
        }
        let own: Vec<&str> = match cx.schema.tenant() {
            None => OWN_TYPES.to_vec(),
            Some(_) => {
                let mut names = [OWN_TYPES.as_slice(), &OWN_TYPES_OF_TENANTS].concat();
                names.sort_unstable();
                names
            }
        };
        let names = ident.clone().unwrap_or_else(|| format!("{{{}}}", own.join(", ")));
        text.push_str(&format!("    {module}::{names},\n"));
    }
    text.push_str("};\n");
    let names = import_list(&free(&RUNTIME_NAMES));
    text.extend(names.map(|names| format!("\n#[allow(unused_imports)]\npub use ::relata::{names};\n")));
    text
}

fn import_list(names: &[String]) -> Option<String> {
    (!names.is_empty()).then(|| format!("{{{}}}", names.join(", ")))
}

pub(super) fn emit_client(cx: &EmitCx<'_>) -> TokenStream {
    let tenant = cx.schema.tenant().filter(|tenant| !tenant.model().ignored);
    let shared = cx.models.iter().filter(|model| tenant.is_none() || !model.walker.has_tenant());
    let delegates = shared.map(|model| emit_delegate(model, &format_ident!("Delegate")));
    let tenants = tenant.map(|tenant| emit_tenants(cx, tenant));
    let sql = if tenant.is_none() { quote!(rt::OfAll) } else { quote!(rt::OfNone) };
    let any_sql = tenant.is_none().then(|| quote!(impl rt::AnySql for Models {}));
    let raw_sql = tenant.is_none().then(|| quote!(rt::raw_sql_of_models!(); rt::any_of_models!();));
    let models = emit_models(cx, tenant.is_some());
    let new = match tenant {
        Some(_) => quote!(Self { executor, tenant: rt::PhantomData }),
        None => quote!(Self { executor }),
    };
    let makes_rows = emit_makes_rows(cx, "Models");
    let audit = tenant.is_none().then(|| emit_audit(cx));
    let features = features_of_models(cx);
    let secured = emit_secured(cx);
    let has_tenants = tenant.map(|_| {
        quote!(
            const HAS_TENANTS: bool = true;
        )
    });
    quote! {
        #![allow(unused, clippy::all)]

        use ::relata::rt;

        #(#features)*

        /// A client of one database. Cloning it is cheap: all clones share the pool.
        pub type Client = rt::Client<Models>;

        /// A transaction. If it is dropped without `commit`, it is rolled back.
        pub type Transaction = rt::Transaction<Models>;

        #models

        impl rt::Models for Models {
            type Sql = #sql;
            fn new(executor: rt::Executor) -> Self {
                #new
            }
        }

        #makes_rows

        impl rt::Root for Models {
            #has_tenants
            #secured
        }
        #any_sql

        impl Models {
            rt::calls_of_models!(Models);
            #raw_sql
            #audit
            #(#delegates)*
        }

        #tenants
    }
}

/// Emits the models of the plain client. If there are tenants, a call of one of their models is an error of rustc that
/// says what to do.
fn emit_models(cx: &EmitCx<'_>, has_tenants: bool) -> TokenStream {
    if !has_tenants {
        return quote! {
            /// The models of the schema. A client, a transaction and a savepoint dereference to it.
            #[derive(Debug)]
            pub struct Models {
                executor: rt::Executor,
            }
        };
    }
    let refused = cx.models.iter().filter(|model| model.walker.has_tenant()).map(|model| {
        let (module, ident, method) = (&model.module, &model.ident, &model.method);
        quote! {
            #[doc(hidden)]
            pub fn #method(&self) -> rt::Delegate<super::#module::#ident>
            where
                A: rt::Sees<super::#module::#ident>,
            {
                rt::Delegate::new(&self.executor)
            }
        }
    });
    quote! {
        /// The models that all tenants share. A client, a transaction and a savepoint dereference to it. The others are
        /// on the handle of a tenant, `db.tenant(id)`, and on `db.across_tenants()`.
        #[derive(Debug)]
        pub struct Models<A = rt::NoTenant> {
            executor: rt::Executor,
            tenant: rt::PhantomData<A>,
        }

        impl<A> Models<A> {
            #(#refused)*
        }
    }
}

/// The tables with row security.
fn emit_secured(cx: &EmitCx<'_>) -> Option<TokenStream> {
    let secured = cx.models.iter().filter(|model| model.walker.model().row_security).map(|model| {
        let module = &model.module;
        quote!(&super::#module::TABLE)
    });
    let secured: Vec<_> = secured.collect();
    (!secured.is_empty()).then(|| quote!(const SECURED: &'static [&'static rt::Table] = &[#(#secured),*];))
}

fn emit_delegate(model: &ModelNames<'_>, delegate: &Ident) -> TokenStream {
    let (module, ident, method) = (&model.module, &model.ident, &model.method);
    let docs = format!(" Queries on `{}`.", model.walker.name());
    quote! {
        #[doc = #docs]
        pub fn #method(&self) -> rt::#delegate<super::#module::#ident> {
            rt::#delegate::new(&self.executor)
        }
    }
}

/// Emits the method that reads recorded changes, if there are any.
fn emit_audit(cx: &EmitCx<'_>) -> Option<TokenStream> {
    let log = qualified(cx.schema.namespaces.first().map(String::as_str), AUDIT_TABLE);
    let is_audited = cx.schema.walk_models().any(|model| model.model().audit.is_some());
    is_audited.then(|| quote!(rt::audit_of_models!(#log);))
}

/// Emits the method that returns the id of a handle's tenant. Ids of unusual types cannot be returned.
fn emit_tenant_id(cx: &EmitCx<'_>, tenant: ModelWalker<'_>) -> Option<TokenStream> {
    let column = tenant.primary_key_columns().next()?;
    let ColumnType::Scalar(_, native) = column.column().ty else { return None };
    row_security_cast(native)?;
    let key = value_type(cx, column);
    let docs = format!(" Returns the id of the `{}` that the handle is confined to.", tenant.name());
    Some(quote! {
        #[doc = #docs]
        pub fn tenant_id(&self) -> #key {
            self.executor.tenant_id()
        }
    })
}

/// Emits the models for one tenant, and the models with the rows of all tenants.
fn emit_tenants(cx: &EmitCx<'_>, tenant: ModelWalker<'_>) -> TokenStream {
    let key = tenant.primary_key_columns().next().map(|column| value_type(cx, column));
    let docs = format!(" A client of one `{}`: it sees the rows of that one, and creates rows for it.", tenant.name());
    let of_one = emit_tenant_models(cx, tenant);
    let of_all = emit_across_tenants(cx);
    quote! {
        impl rt::Tenants for Models {
            type Key = #key;
            type Tenant = TenantModels;
            type AcrossTenants = AcrossTenants;
        }

        #[doc = #docs]
        pub type TenantClient = rt::Client<TenantModels>;

        /// A transaction of one tenant.
        pub type TenantTransaction = rt::Transaction<TenantModels>;

        #of_one
        #of_all
    }
}

fn emit_tenant_models(cx: &EmitCx<'_>, tenant: ModelWalker<'_>) -> TokenStream {
    let delegates = cx.models.iter().map(|model| emit_delegate(model, &format_ident!("Delegate")));
    let tenant_id = emit_tenant_id(cx, tenant);
    let makes_rows = emit_makes_rows(cx, "TenantModels");
    let audit = emit_audit(cx);
    // What PostgreSQL confines itself may be any SQL.
    let (sql, any_sql, raw_sql) = match cx.schema.is_row_secured() {
        true => (
            quote!(rt::OfSecuredTenant),
            Some(quote!(impl rt::AnySql for TenantModels {})),
            Some(quote!(rt::raw_sql_of_models!();)),
        ),
        false => (quote!(rt::OfTenant), None, None),
    };
    let name = tenant.name();
    let docs = format!(
        " The models as one `{name}` sees them. A client and a transaction of it dereference to it, so a function that \
         takes `&TenantModels` sees the rows of one `{name}`."
    );
    quote! {
        #[doc = #docs]
        #[derive(Debug)]
        pub struct TenantModels {
            executor: rt::Executor,
        }

        impl rt::Models for TenantModels {
            type Sql = #sql;
            fn new(executor: rt::Executor) -> Self {
                Self { executor }
            }
        }

        #makes_rows
        #any_sql

        impl TenantModels {
            rt::calls_of_models!(TenantModels);
            rt::any_of_models!();
            #raw_sql
            #audit
            #tenant_id
            #(#delegates)*
        }
    }
}

fn emit_across_tenants(cx: &EmitCx<'_>) -> TokenStream {
    let delegates = cx.models.iter().map(|model| {
        let is_own = matches!(&model.walker.model().tenancy, Tenancy::Within(path) if path.len() == 1);
        emit_delegate(model, &if is_own { format_ident!("AcrossTenants") } else { format_ident!("Delegate") })
    });
    let makes_rows = emit_makes_rows(cx, "AcrossTenants");
    let audit = emit_audit(cx);
    quote! {
        /// The models with the rows of all tenants.
        #[derive(Debug)]
        pub struct AcrossTenants {
            executor: rt::Executor,
        }

        impl rt::Models for AcrossTenants {
            type Sql = rt::OfAll;
            fn new(executor: rt::Executor) -> Self {
                Self { executor }
            }
        }

        #makes_rows

        impl rt::AnySql for AcrossTenants {}

        impl AcrossTenants {
            rt::calls_of_models!(AcrossTenants);
            rt::raw_sql_of_models!();
            #audit
            #(#delegates)*
        }
    }
}
