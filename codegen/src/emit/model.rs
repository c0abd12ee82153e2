//! The file of a model: its struct, its table, its fields and relations, its `Create`.

use std::collections::BTreeSet;

use proc_macro2::TokenStream;
use quote::quote;

use super::context::{ColumnNames, EmitCx, ModelNames, ident};
use super::create::emit_create;
use super::docs::{column_docs, docs};
use super::factory::emit_factory;
use super::json_type::Paths;
use super::key::emit_keyed;
use super::omitted::emit_full;
use super::relation::emit_relations;
use super::scalar::{assert_holds, derives, field_type, is_json_list, value_type};
use super::scope::emit_scope_constants;
use super::sensitive::emit_debug;
use super::serde;
use super::soft_delete::deletion_mark;
use super::table::emit_table;
use super::tenancy::short_keys;
use crate::ir::{Arity, ColumnWalker, IndexField, names};

pub(super) fn emit_model(cx: &EmitCx<'_>, model: &ModelNames<'_>) -> TokenStream {
    let table = emit_table(cx, model);
    let row = emit_row(cx, model);
    let fields = model.columns.iter().map(|column| emit_field(cx, model, column));
    let keyed = emit_keyed(cx, model);
    let keys = emit_keys(cx, model);
    let full = emit_full(cx, model);
    let relations = emit_relations(cx, model);
    let holds = model.columns.iter().filter_map(|column| assert_holds(column.walker));
    let create = (!model.walker.model().is_view).then(|| emit_create(cx, model));
    let factory = emit_factory(cx, model);
    let scopes = emit_scope_constants(model);
    quote! {
        #![allow(missing_docs, non_upper_case_globals, unused, clippy::all)]

        use ::relata::rt;

        #row
        #keyed
        #(#fields)*
        #(#holds)*
        #(#keys)*
        #full
        #relations
        #create
        #factory
        #scopes
        #table
    }
}

/// The plain struct and its decoder.
fn emit_row(cx: &EmitCx<'_>, model: &ModelNames<'_>) -> TokenStream {
    let ident = &model.ident;
    let docs = docs(model.walker.model().docs.as_deref());
    let fields = model.read().map(|column| {
        let docs = super::docs::docs(column.walker.field().docs.as_deref());
        let (ident, ty) = (&column.ident, field_type(cx, column.walker));
        let in_json = serde::emit_column(cx, column);
        quote!(#docs #in_json pub #ident: #ty)
    });
    let reads = model.read().map(|column| {
        let (ident, number) = (&column.ident, usize::from(column.number));
        let number = proc_macro2::Literal::usize_unsuffixed(number);
        let read = match column.walker.arity() {
            Arity::List => quote!(list),
            Arity::Required if is_json_list(column.walker) => quote!(json_list),
            Arity::Required | Arity::Optional => quote!(get),
        };
        quote!(#ident: at_.#read(#number)?)
    });
    let writable = (!model.walker.model().is_view).then(|| quote!(impl rt::Writable for #ident {}));
    let materialized = model.walker.model().materialized.then(|| quote!(impl rt::Materialized for #ident {}));
    let soft_delete = deletion_mark(model).map(|_| quote!(impl rt::SoftDelete for #ident {}));
    let audited = model.walker.model().audit.is_some().then(|| quote!(impl rt::Audited for #ident {}));
    let with_ident = &model.with_ident;
    let bare = if model.relations.is_empty() { quote!(Self) } else { quote!(#with_ident) };
    let columns: Vec<&ColumnNames<'_>> = model.read().collect();
    let (derive, debug) = emit_debug(ident, &[], &columns);
    let (json, more) = (serde::emit_derive(cx), derives(&model.walker.model().derives));
    quote! {
        #docs
        #[derive(#derive Clone, PartialEq)]
        #json
        #more
        pub struct #ident {
            #(#fields),*
        }

        #debug

        impl rt::Model for #ident {
            type Bare = #bare;
            fn table() -> &'static rt::Table {
                &TABLE
            }
            fn read(at_: rt::Cursor<'_>) -> rt::Result<Self> {
                Ok(Self { #(#reads),* })
            }
        }

        #writable
        #soft_delete
        #audited
        #materialized
    }
}

/// The constant of a column.
fn emit_field(cx: &EmitCx<'_>, model: &ModelNames<'_>, column: &ColumnNames<'_>) -> TokenStream {
    let (model_ident, ident) = (&model.ident, &column.ident);
    let value = value_type(cx, column.walker);
    let number = proc_macro2::Literal::u16_unsuffixed(column.number);
    let unique = is_unique(model, column);
    let kind = field_kind(column.walker, unique);
    let docs = docs(Some(&column_docs(cx, model, column, unique)));
    let (ty, field) = (quote!(rt::Field<#model_ident, #value #kind>), quote!(rt::Field::new(#number)));
    match column.walker.column().json {
        Some(shape) if !shape.list => {
            let paths = Paths { model: quote!(#model_ident), column: column.number };
            let (ty, field) = (paths.ty(cx, shape.ty, ty), paths.value(cx, shape.ty, &[], &field));
            quote!(#docs pub const #ident: #ty = #field;)
        }
        _ => quote!(#docs pub const #ident: #ty = #field;),
    }
}

/// The type parameters of the constant's kind, without those that have the default.
fn field_kind(column: ColumnWalker<'_>, unique: bool) -> TokenStream {
    let arity = match column.arity() {
        Arity::Required if is_json_list(column) => quote!(rt::JsonList),
        Arity::Required => quote!(rt::Required),
        Arity::Optional => quote!(rt::Optional),
        Arity::List => quote!(rt::List),
    };
    // A list cannot be used as a key, because there is no method for one.
    let is_key = unique && column.arity() != Arity::List;
    match (column.is_never_written(), is_key) {
        (true, true) => quote!(, #arity, rt::IsUnique, rt::Generated),
        (true, false) => quote!(, #arity, rt::NotUnique, rt::Generated),
        (false, true) => quote!(, #arity, rt::IsUnique),
        (false, false) if column.arity() == Arity::Required && !is_json_list(column) => quote!(),
        (false, false) => quote!(, #arity),
    }
}

/// Whether a value of the column alone identifies a row.
fn is_unique(model: &ModelNames<'_>, column: &ColumnNames<'_>) -> bool {
    short_keys(model).iter().any(|key| *key == [column.number])
        || all_keys(model).any(|(_, fields)| {
            fields.len() == 1 && fields.iter().all(|field| model.walker.index_column(field) == Some(column.walker))
        })
}

/// The primary key and the unique indexes, with the names that those of several columns have in the client.
fn all_keys<'a>(model: &'a ModelNames<'_>) -> impl Iterator<Item = (Option<&'a str>, &'a [IndexField])> {
    let primary = model.walker.model().primary_key.iter().map(|key| (key.rust_ident.as_deref(), key.fields.as_slice()));
    let unique = model.walker.unique_indexes().chain(model.walker.live_indexes());
    primary.chain(unique.map(|index| (index.rust_ident.as_deref(), index.fields.as_slice())))
}

/// Emits the constants of keys with several columns. A key that is unique within a tenant also gets a constant without
/// the tenant's column, named after its fields.
fn emit_keys(cx: &EmitCx<'_>, model: &ModelNames<'_>) -> Vec<TokenStream> {
    let named: Vec<_> = all_keys(model).filter_map(|(name, fields)| Some((name?.to_owned(), fields))).collect();
    let mut taken: BTreeSet<String> = named.iter().map(|(name, _)| name.clone()).collect();
    taken.extend(model.walker.fields().map(|field| field.field().rust_ident.clone()));
    let whole = named.into_iter().filter_map(|(name, fields)| {
        let column = |field: &IndexField| {
            model.columns.iter().find(|column| model.walker.index_column(field) == Some(column.walker))
        };
        Some((name, fields.iter().map(column).collect::<Option<Vec<_>>>()?, ""))
    });
    let short = short_keys(model).into_iter().filter(|key| key.len() > 1).map(|key| {
        let columns: Vec<_> = key.iter().filter_map(|number| model.columns.get(usize::from(*number))).collect();
        let joined = names::joined_ident(columns.iter().map(|column| column.walker.field().rust_ident.as_str()));
        let wanted = if taken.contains(&joined) { format!("{}_key", names::plain(&joined)) } else { joined };
        (names::free(&wanted, &mut taken), columns, " within a tenant")
    });
    let short: Vec<_> = short.collect();
    let keys = whole.chain(short);
    keys.map(|(name, columns, within)| emit_key(cx, model, &name, &columns, within)).collect()
}

fn emit_key(
    cx: &EmitCx<'_>,
    model: &ModelNames<'_>,
    name: &str,
    columns: &[&ColumnNames<'_>],
    within: &str,
) -> TokenStream {
    let (model_ident, ident) = (&model.ident, ident(name));
    let types = columns.iter().map(|column| value_type(cx, column.walker));
    let numbers = columns.iter().map(|column| proc_macro2::Literal::u16_unsuffixed(column.number));
    let fields: Vec<String> = columns.iter().map(|column| format!("`{}`", column.ident)).collect();
    let docs = docs(Some(&format!("The unique key of {}{within}.", fields.join(" and "))));
    quote!(#docs pub const #ident: rt::Key<#model_ident, (#(#types,)*)> = rt::Key::new(&[#(#numbers),*]);)
}
