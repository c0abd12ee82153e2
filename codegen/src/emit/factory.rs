//! Factories, if the schema has `factories = true`: what the runtime has to know of each table to find values for it.

use proc_macro2::{Literal, TokenStream};
use quote::{format_ident, quote};

use super::context::{ColumnNames, EmitCx, ModelNames};
use super::create::{parts, unsupported_requirement};
use super::scalar::is_json_list;
use crate::ir::{
    Arity, ColumnText, ColumnType, ColumnWalker, DefaultValue, FieldId, IndexField, IndexTarget, NativeType,
};

/// Emits the implementation by which factories create rows on these models.
pub(super) fn emit_makes_rows(cx: &EmitCx<'_>, models: &str) -> Option<TokenStream> {
    let models = format_ident!("{models}");
    cx.client.factories.then(|| {
        quote! {
            impl rt::MakesRows for #models {
                fn executor(&self) -> &rt::Executor {
                    &self.executor
                }
            }
        }
    })
}

/// Returns whether a model has a factory: its rows can be created.
fn has_factory(cx: &EmitCx<'_>, model: &ModelNames<'_>) -> bool {
    cx.client.factories && !model.walker.model().is_view && unsupported_requirement(model).is_none()
}

/// Emits the alias of a model's factory.
pub(super) fn emit_factory(cx: &EmitCx<'_>, model: &ModelNames<'_>) -> Option<TokenStream> {
    let (model_ident, factory_ident) = (&model.ident, &model.factory_ident);
    let docs = format!(" Creates rows of {} for tests and seeds.", model.walker.name());
    has_factory(cx, model).then(|| {
        quote! {
            #[doc = #docs]
            pub type #factory_ident = rt::Factory<self::#model_ident>;
        }
    })
}

/// Emits what factories have to know of a table.
pub(super) fn emit_samples(cx: &EmitCx<'_>, model: &ModelNames<'_>) -> Option<TokenStream> {
    if !has_factory(cx, model) {
        return None;
    }
    let samples = parts(model).values.into_iter().map(|column| emit_sample(cx, column));
    let keys = keys(model).into_iter().map(|key| {
        let key = key.into_iter().map(Literal::u16_unsuffixed);
        quote!(&[#(#key),*])
    });
    Some(quote!(.samples(&[#(#samples),*], &[#(#keys),*])))
}

fn emit_sample(cx: &EmitCx<'_>, column: &ColumnNames<'_>) -> TokenStream {
    let number = Literal::u16_unsuffixed(column.number);
    let limit = emit_limit(cx, column.walker);
    quote!(rt::Sample::new(#number)#limit)
}

/// Emits what limits the values of a column, besides its type.
fn emit_limit(cx: &EmitCx<'_>, column: ColumnWalker<'_>) -> Option<TokenStream> {
    if is_json_list(column) {
        return Some(quote!(.json_list()));
    }
    if column.column().json.is_some() {
        return Some(quote!(.by_hand()));
    }
    match &column.column().ty {
        ColumnType::Enum(id) => {
            let values = &cx.enumeration(*id).walker.enumeration().values;
            let labels = values.iter().map(|value| &value.db_name);
            Some(quote!(.labels(&[#(#labels),*])))
        }
        ColumnType::Scalar(_, native) => limit_of(*native),
        ColumnType::Unsupported(text) => emit_length(size_of(text)),
    }
}

fn limit_of(native: NativeType) -> Option<TokenStream> {
    match native {
        NativeType::VarChar(length) | NativeType::VarBit(length) => emit_length(length),
        // Without a length, it is one character or bit.
        NativeType::Char(length) | NativeType::Bit(length) => emit_length(Some(length.unwrap_or(1))),
        NativeType::Decimal(Some((precision, scale))) => {
            let (precision, scale) = (Literal::u32_unsuffixed(precision), Literal::u32_unsuffixed(scale));
            Some(quote!(.digits(#precision, #scale)))
        }
        _ => None,
    }
}

fn emit_length(length: Option<u32>) -> Option<TokenStream> {
    let length = Literal::u32_unsuffixed(length?);
    Some(quote!(.length(#length)))
}

/// Returns the size in a type such as `vector(3)`.
fn size_of(text: &str) -> Option<u32> {
    let (_, arguments) = ColumnText::type_of(text).split_once('(')?;
    arguments.split_once(')')?.0.trim().parse().ok()
}

/// Returns the primary key and the unique indexes that consist of columns, unless a default makes them unique.
fn keys(model: &ModelNames<'_>) -> Vec<Vec<u16>> {
    let walker = model.walker.model();
    let primary = walker.primary_key.iter().map(|key| &key.fields);
    let unique = walker.indexes.iter().filter(|index| index.unique).map(|index| &index.fields);
    primary.chain(unique).filter_map(|fields| key(model, fields)).collect()
}

fn key(model: &ModelNames<'_>, fields: &[IndexField]) -> Option<Vec<u16>> {
    let target = |field: &IndexField| match field.target {
        IndexTarget::Field(id) => Some(id),
        IndexTarget::Expression(_) => None,
    };
    let ids: Vec<FieldId> = fields.iter().map(target).collect::<Option<_>>()?;
    let counts = |field: &IndexField| model.walker.index_column(field).is_some_and(is_unique_by_default);
    if fields.iter().any(counts) {
        return None;
    }
    model.numbers(ids.into_iter())
}

/// Returns whether each row has another value in the column if none is set: a generated one, or null.
fn is_unique_by_default(column: ColumnWalker<'_>) -> bool {
    let column_data = column.column();
    let generated = matches!(
        column_data.default,
        Some(
            DefaultValue::Autoincrement
                | DefaultValue::Uuid(_)
                | DefaultValue::Cuid(_)
                | DefaultValue::Ulid
                | DefaultValue::Nanoid(_)
        )
    );
    generated || column_data.identity.is_some() || (column.arity() == Arity::Optional && column_data.default.is_none())
}
