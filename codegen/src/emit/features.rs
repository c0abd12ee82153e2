//! The features of the runtime that a client needs: without one, rustc gives a single error that says what to enable.

use std::collections::BTreeMap;

use proc_macro2::TokenStream;
use quote::quote;

use super::context::{EmitCx, ident};
use crate::ir::{ClientType, ColumnText, ColumnType, DefaultValue};
use crate::queries::Query;

/// The features, and why each is needed.
type Needed = BTreeMap<&'static str, String>;

/// Emits an assertion for each feature that the models and types of the schema need.
pub(super) fn features_of_models(cx: &EmitCx<'_>) -> Vec<TokenStream> {
    needed_by_models(cx)
        .iter()
        .map(|(feature, reason)| assertion(feature, &format!("the schema has {reason}")))
        .collect()
}

/// Emits an assertion for each feature that query files need, and no model.
pub(super) fn features_of_queries(cx: &EmitCx<'_>, queries: &[Query]) -> Vec<TokenStream> {
    let known = needed_by_models(cx);
    let mut needed = Needed::new();
    for query in queries {
        let columns = query.columns.iter().flatten().map(|column| (&column.value, column.field));
        for (value, field) in columns.chain(query.params.iter().map(|param| (&param.value, param.field))) {
            let column = field.and_then(|id| cx.schema.walk_field(id).as_column());
            if column.is_none_or(|column| column.column().rust.is_none()) {
                need_of_type(&mut needed, &value.ty);
            }
        }
    }
    needed.retain(|feature, _| !known.contains_key(feature));
    needed.iter().map(|(feature, reason)| assertion(feature, &format!("a query file has {reason}"))).collect()
}

fn needed_by_models(cx: &EmitCx<'_>) -> Needed {
    let mut needed = Needed::new();
    for column in cx.models.iter().flat_map(|model| &model.columns).map(|column| column.walker.column()) {
        if let Some((function, feature)) = column.default.as_ref().and_then(feature_of_default) {
            needed.entry(feature).or_insert_with(|| format!("`@default({function})`"));
        }
        if column.rust.is_none() {
            need_of_type(&mut needed, &column.ty);
        }
    }
    if !cx.types.is_empty() {
        needed.insert("serde", "`type` blocks".to_owned());
    } else if cx.client.serde {
        needed.insert("serde", "`serde = true`".to_owned());
    }
    needed
}

fn feature_of_default(default: &DefaultValue) -> Option<(&'static str, &'static str)> {
    match default {
        DefaultValue::Cuid(_) => Some(("cuid()", "cuid")),
        DefaultValue::Nanoid(_) => Some(("nanoid()", "nanoid")),
        DefaultValue::Ulid => Some(("ulid()", "ulid")),
        _ => None,
    }
}

fn need_of_type(needed: &mut Needed, ty: &ColumnType) {
    let ColumnType::Unsupported(text) = ty else { return };
    if let Some(feature) = ClientType::of(text).feature() {
        needed.entry(feature).or_insert_with(|| format!("a value of type `{}`", ColumnText::type_of(text)));
    }
}

fn assertion(feature: &str, reason: &str) -> TokenStream {
    // `rt::features` has a constant for each feature that stands here.
    let constant = ident(&feature.to_ascii_uppercase());
    let message =
        format!("{reason}: enable the feature `{feature}` of the dependency `relata`, by features = [\"{feature}\"]");
    quote!(
        const _: () = ::std::assert!(rt::features::#constant, #message);
    )
}
