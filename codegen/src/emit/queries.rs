//! `queries.rs`: a function for each file of SQL, and the struct of its rows.

use proc_macro2::{Ident, TokenStream};
use quote::quote;

use super::context::{EmitCx, ident};
use super::docs::docs;
use super::features::features_of_queries;
use super::scalar::{is_text, json_path, own_type, type_of};
use super::serde;
use crate::ir::{FieldId, names};
use crate::queries::{Confinement, ModelPart, Param, Query, ResultColumn};

/// The module of the queries. `names::module_name` ensures that no model has this module.
pub(super) const MODULE: &str = "queries";

pub(super) fn emit_queries(cx: &EmitCx<'_>, queries: &[Query]) -> TokenStream {
    let features = features_of_queries(cx, queries);
    let queries = queries.iter().map(|query| emit_query(cx, query));
    quote! {
        #![allow(missing_docs, unused, clippy::all)]

        use ::relata::rt;

        #(#features)*

        #(#queries)*
    }
}

/// Emits the function, the struct of its rows, and the static that describes the query to the runtime.
fn emit_query(cx: &EmitCx<'_>, query: &Query) -> TokenStream {
    let (function, text) = (ident(&query.name), &query.sql);
    let (plain_name, constant) = (query.name.trim_start_matches("r#"), static_ident(query));
    let docs = docs(Some(&documentation(query)));
    let arguments = query.params.iter().map(|param| emit_argument(cx, param));
    let values = query.params.iter().map(|param| emit_value(cx, param));
    let columns = query.columns.iter().flatten().map(|column| emit_column(cx, column));
    let writes = query.writes.filter(|id| !cx.schema.walk_model(*id).model().ignored).map(|id| {
        let module = &cx.model(id).module;
        quote!(.writes(&super::#module::TABLE))
    });
    let (row, of) = match (&query.columns, query.model) {
        (None, _) => (None, None),
        (Some(_), Some(id)) => {
            let model = cx.model(id);
            let (module, ident) = (&model.module, &model.ident);
            (None, Some(quote!(super::#module::#ident)))
        }
        (Some(columns), None) => {
            let row = ident(&query.row_name);
            (Some(emit_row(cx, query, &row, columns)), Some(quote!(#row)))
        }
    };
    let confined = match &query.confinement {
        Confinement::None => None,
        Confinement::Shared => Some(quote!(.shared())),
        Confinement::Confined(sql) => Some(quote!(.confined(#sql))),
    };
    let senders = confined.as_ref().map(|_| match query.only_for_tenants {
        true => quote!(rt::OnlyConfined),
        false => quote!(rt::Confined),
    });
    let kind = match (&of, senders) {
        (None, None) => quote!(rt::SqlCommand),
        (None, Some(senders)) => quote!(rt::SqlCommand<#senders>),
        (Some(row), None) => quote!(rt::SqlQuery<#row>),
        (Some(row), Some(senders)) => quote!(rt::SqlQuery<#row, rt::All, #senders>),
    };
    let path = if query.columns.is_none() { quote!(rt::SqlCommand) } else { quote!(rt::SqlQuery) };
    quote! {
        #docs
        pub fn #function(#(#arguments),*) -> #kind {
            #path::new(&#constant, rt::Vec::from([#(#values),*]))
        }

        #row

        static #constant: rt::Sql = rt::Sql::new(#plain_name, #text, &[#(#columns),*])#writes #confined;
    }
}

fn static_ident(query: &Query) -> Ident {
    // No two functions differ only in case. A `_` at the end of a name is not part of what heck converts.
    let name = names::plain(&query.name);
    let end = &name[name.trim_end_matches('_').len()..];
    ident(&format!("{}{end}_", names::shouty_ident(name)))
}

/// Returns the comment of the file, and the annotations of parameters.
fn documentation(query: &Query) -> String {
    let own = query.docs.clone().unwrap_or_else(|| {
        let gives = if query.columns.is_some() { "gives rows" } else { "gives the number of rows that it wrote" };
        format!("The query `{}.sql`: {gives}.", query.name.trim_start_matches("r#"))
    });
    let documented = query.params.iter().filter_map(|param| Some((&param.name, param.docs.as_ref()?)));
    let lines: Vec<String> = documented.map(|(name, docs)| format!("- `{name}`: {docs}")).collect();
    if lines.is_empty() { own } else { format!("{own}\n\n{}", lines.join("\n")) }
}

fn emit_argument(cx: &EmitCx<'_>, param: &Param) -> TokenStream {
    let (name, ty) = (ident(&param.name), argument_type(cx, param));
    match (param.value.list, param.value.nullable) {
        (false, false) => quote!(#name: impl rt::IntoValue<#ty>),
        (false, true) => quote!(#name: impl rt::IntoNullable<#ty>),
        (true, false) => quote!(#name: impl ::std::iter::IntoIterator<Item = impl rt::IntoValue<#ty>>),
        (true, true) => quote!(#name: rt::Option<rt::Vec<#ty>>),
    }
}

fn emit_value(cx: &EmitCx<'_>, param: &Param) -> TokenStream {
    let (name, ty) = (ident(&param.name), argument_type(cx, param));
    match (param.value.list, param.value.nullable) {
        (false, false) => quote!(rt::value::<#ty>(#name)),
        (false, true) => quote!(rt::nullable::<#ty>(#name)),
        (true, false) => quote!(rt::list::<#ty>(#name)),
        (true, true) => quote!(rt::nullable_list::<#ty>(#name)),
    }
}

/// The type of one value of a column, which is that of the field that it shows.
fn value_type(cx: &EmitCx<'_>, column: &ResultColumn) -> TokenStream {
    shown_type(cx, column).unwrap_or_else(|| type_of(cx, &column.value.ty))
}

/// The type that `@rust` or `@json` names for the field that a column shows.
fn shown_type(cx: &EmitCx<'_>, column: &ResultColumn) -> Option<TokenStream> {
    type_of_field(cx, column.field)
}

/// The type of one value of an argument, which is that of the field that it is compared with or stored in.
fn argument_type(cx: &EmitCx<'_>, param: &Param) -> TokenStream {
    type_of_field(cx, param.field).unwrap_or_else(|| type_of(cx, &param.value.ty))
}

fn type_of_field(cx: &EmitCx<'_>, field: Option<FieldId>) -> Option<TokenStream> {
    let column = cx.schema.walk_field(field?).as_column()?;
    match column.column().json {
        Some(shape) if shape.list => {
            let ty = json_path(cx, shape.ty);
            Some(quote!(rt::TypedJson<rt::Vec<#ty>>))
        }
        Some(shape) => Some(json_path(cx, shape.ty)),
        None => own_type(column),
    }
}

fn emit_column(cx: &EmitCx<'_>, column: &ResultColumn) -> TokenStream {
    let (name, ty) = (&column.db_name, value_type(cx, column));
    let made = if column.value.list { quote!(list_of) } else { quote!(of) };
    quote!(rt::Column::#made::<#ty>(#name))
}

fn field_type(cx: &EmitCx<'_>, column: &ResultColumn) -> TokenStream {
    let (ty, value) = (value_type(cx, column), &column.value);
    match (value.list, value.holes, value.nullable) {
        (true, true, _) => quote!(rt::Vec<rt::Option<#ty>>),
        (true, false, _) => quote!(rt::Vec<#ty>),
        (false, _, true) => quote!(rt::Option<#ty>),
        (false, _, false) => ty,
    }
}

fn emit_row(cx: &EmitCx<'_>, query: &Query, row: &Ident, columns: &[ResultColumn]) -> TokenStream {
    let row_docs = format!(" A row of [`{}`].", query.name.trim_start_matches("r#"));
    let fields: Vec<RowField<'_>> = row_fields(query, columns);
    let declared = fields.iter().map(|field| emit_field(cx, field));
    let reads = fields.iter().map(emit_read);
    let (derive, debug) = emit_debug(row, &fields);
    let single = emit_single(cx, row, &fields);
    let json = serde::emit_derive(cx);
    quote! {
        #[doc = #row_docs]
        #[derive(#derive Clone, PartialEq)]
        #json
        pub struct #row {
            #(#declared),*
        }

        #debug

        impl rt::FromRow for #row {
            fn from_row(at_: rt::Cursor<'_>) -> rt::Result<Self> {
                Ok(Self { #(#reads),* })
            }
        }

        #single
    }
}

/// A field of a row, and the position of its first column.
enum RowField<'q> {
    Column(usize, &'q ResultColumn),
    Model(&'q ModelPart),
}

impl RowField<'_> {
    fn name(&self) -> &str {
        match self {
            RowField::Column(_, column) => &column.name,
            RowField::Model(part) => &part.name,
        }
    }
}

fn row_fields<'q>(query: &'q Query, columns: &'q [ResultColumn]) -> Vec<RowField<'q>> {
    let field = |(at, column)| match query.parts.iter().find(|part| part.columns.contains(&at)) {
        None => Some(RowField::Column(at, column)),
        Some(part) => (part.columns.start == at).then_some(RowField::Model(part)),
    };
    columns.iter().enumerate().filter_map(field).collect()
}

fn emit_field(cx: &EmitCx<'_>, field: &RowField<'_>) -> TokenStream {
    let name = ident(field.name());
    match field {
        RowField::Column(_, column) => {
            let docs = docs(column.docs.as_deref());
            let (ty, in_json) = (field_type(cx, column), in_json(cx, column));
            quote!(#docs #in_json pub #name: #ty)
        }
        RowField::Model(part) => {
            let model = cx.model(part.model);
            let (module, ident) = (&model.module, &model.ident);
            let ty = quote!(super::#module::#ident);
            let ty = if part.optional { quote!(rt::Option<#ty>) } else { ty };
            quote!(pub #name: #ty)
        }
    }
}

fn emit_read(field: &RowField<'_>) -> TokenStream {
    let name = ident(field.name());
    let (read, at) = match field {
        RowField::Column(at, column) => match (column.value.list, column.value.holes) {
            (true, true) => (quote!(list_with_nulls), *at),
            (true, false) => (quote!(list), *at),
            (false, _) => (quote!(get), *at),
        },
        RowField::Model(part) if part.optional => (quote!(optional_model), part.columns.start),
        RowField::Model(part) => (quote!(model), part.columns.start),
    };
    let at = proc_macro2::Literal::usize_unsuffixed(at);
    quote!(#name: at_.#read(#at)?)
}

/// Emits the value of a row with a single column.
fn emit_single(cx: &EmitCx<'_>, row: &Ident, fields: &[RowField<'_>]) -> Option<TokenStream> {
    let [RowField::Column(_, column)] = fields else { return None };
    let (name, ty) = (ident(&column.name), field_type(cx, column));
    Some(quote! {
        impl rt::SingleColumn for #row {
            type Value = #ty;

            fn into_value(self) -> #ty {
                self.#name
            }
        }
    })
}

/// Emits `Debug` without the values of `@sensitive` columns.
fn emit_debug(row: &Ident, fields: &[RowField<'_>]) -> (Option<TokenStream>, Option<TokenStream>) {
    // The struct of a model hides its own.
    let is_sensitive = |field: &RowField<'_>| matches!(field, RowField::Column(_, column) if column.sensitive);
    if !fields.iter().any(is_sensitive) {
        return (Some(quote!(Debug,)), None);
    }
    let name = row.to_string();
    let fields = fields.iter().map(|known| {
        let (name, field) = (known.name().trim_start_matches("r#"), ident(known.name()));
        let value = if is_sensitive(known) { quote!(&"<sensitive>") } else { quote!(&self.#field) };
        quote!(.field(#name, #value))
    });
    let debug = quote! {
        impl ::std::fmt::Debug for #row {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                f.debug_struct(#name)#(#fields)*.finish()
            }
        }
    };
    (None, Some(debug))
}

/// Emits the serde attributes of a column. JSON is written as for columns of models: the names of the schema, no
/// sensitive values, and bytes and some times as text.
fn in_json(cx: &EmitCx<'_>, column: &ResultColumn) -> Option<TokenStream> {
    if !cx.client.serde {
        return None;
    }
    let mut parts: Vec<TokenStream> =
        serde::rename(&ident(&column.name), name_in_json(cx, column)).into_iter().collect();
    if column.sensitive {
        parts.push(quote!(skip_serializing));
    }
    if shown_type(cx, column).is_none() && is_text(cx, &column.value.ty) && !column.value.holes {
        parts.push(quote!(with = "rt::text"));
        if column.value.nullable {
            parts.push(quote!(default));
        }
    }
    (!parts.is_empty()).then(|| quote!(#[serde(#(#parts),*)]))
}

/// Returns the name of a column in JSON: that of the field that it shows, or its name in the statement, if it has
/// another one there.
fn name_in_json<'n>(cx: &EmitCx<'n>, column: &'n ResultColumn) -> &'n str {
    let shown = column.field.and_then(|field| cx.schema.walk_field(field).as_column());
    match shown.filter(|shown| shown.db_name() == column.db_name) {
        Some(shown) => shown.name(),
        None => &column.db_name,
    }
}
