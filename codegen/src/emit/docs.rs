//! Doc comments in generated code, which editors show.

use proc_macro2::TokenStream;
use quote::quote;

use super::context::{ColumnNames, EmitCx, ModelNames, RelationNames};
use super::scalar::{qualified, sql_types};
use crate::ir::Arity;

/// Emits the lines of a `///` comment as attributes.
pub(super) fn docs(text: Option<&str>) -> TokenStream {
    let lines = text.into_iter().flat_map(str::lines).map(|line| {
        let line = if line.is_empty() { String::new() } else { format!(" {}", line.trim_start()) };
        quote!(#[doc = #line])
    });
    quote!(#(#lines)*)
}

/// Returns the documentation of a column: the comment of the schema, and its definition in the database.
pub(super) fn column_docs(cx: &EmitCx<'_>, model: &ModelNames<'_>, column: &ColumnNames<'_>, unique: bool) -> String {
    let (sql, _) = sql_types(cx, column.walker);
    let (table, name) = (&model.walker.model().db_name, column.walker.db_name());
    let null = if column.walker.arity() == Arity::Optional { ", nullable" } else { "" };
    let unique = if unique { ", unique" } else { "" };
    let generated = if column.walker.is_never_written() { ", generated" } else { "" };
    let domain = column.walker.column().domain.as_ref();
    let domain =
        domain.map(|it| format!(", domain `{}`", qualified(it.schema.as_deref(), &it.name))).unwrap_or_default();
    let place = format!("Column `{table}.{name}`: `{sql}`{domain}{null}{unique}{generated}.");
    match column.walker.field().docs.as_deref() {
        Some(docs) => format!("{docs}\n\n{place}"),
        None => place,
    }
}

/// Returns the documentation of a relation: the comment of the schema, and the related model.
pub(super) fn relation_docs(relation: &RelationNames<'_>) -> String {
    let related = relation.walker.related_model();
    let leads = match relation.walker.arity() {
        Arity::Required => format!("Relation to one `{}`.", related.name()),
        Arity::Optional => format!("Relation to one `{}` or none.", related.name()),
        Arity::List => format!("Relation to many `{}`.", related.name()),
    };
    match relation.walker.field().docs.as_deref() {
        Some(docs) => format!("{docs}\n\n{leads}"),
        None => leads,
    }
}
