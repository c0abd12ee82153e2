//! Relations of a model: the constants, the types in `rel`, and `With`, the row with slots for them.

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};

use super::context::{EmitCx, ModelNames, RelationNames, ident};
use crate::ir::{Arity, names};

pub(super) fn emit_relations(cx: &EmitCx<'_>, model: &ModelNames<'_>) -> TokenStream {
    if model.relations.is_empty() {
        return TokenStream::new();
    }
    let constants = model.relations.iter().map(emit_constant);
    let types = model.relations.iter().map(|relation| emit_type(cx, model, relation));
    let with = emit_with(model);
    let puts = model.relations.iter().map(|relation| emit_put(model, relation));
    let aliases = model.relations.iter().map(|relation| emit_alias(cx, model, relation));
    quote! {
        #(#constants)*

        /// The relations as types.
        pub mod rel {
            use ::relata::rt;
            #(#types)*
        }

        #with
        #(#puts)*
        #(#aliases)*
    }
}

fn emit_constant(relation: &RelationNames<'_>) -> TokenStream {
    let (ident, type_ident) = (&relation.ident, &relation.type_ident);
    let kind = if relation.walker.arity() == Arity::List { quote!(ToMany) } else { quote!(ToOne) };
    quote!(pub const #ident: rt::#kind<rel::#type_ident> = rt::#kind::new();)
}

fn emit_type(cx: &EmitCx<'_>, model: &ModelNames<'_>, relation: &RelationNames<'_>) -> TokenStream {
    let (parent, type_ident) = (&model.ident, &relation.type_ident);
    let related = cx.model(relation.walker.related_model().id);
    let (child_module, child) = (&related.module, &related.ident);
    let opposite = related.relation(relation.walker.opposite().id).map_or(type_ident, |opposite| &opposite.type_ident);
    let rows = rows_of(relation, &quote!(T));
    let slot = proc_macro2::Literal::usize_unsuffixed(relation.slot);
    quote! {
        #[derive(Debug, Clone, Copy)]
        pub enum #type_ident {}
        impl rt::RelationOf for #type_ident {
            type Parent = super::#parent;
            type Child = super::super::#child_module::#child;
            type Opposite = super::super::#child_module::rel::#opposite;
            type Rows<T: rt::FromRow> = #rows;
            const SLOT: usize = #slot;
        }
    }
}

/// What a row of the parent holds of a relation whose rows are `row`.
fn rows_of(relation: &RelationNames<'_>, row: &TokenStream) -> TokenStream {
    match relation.walker.arity() {
        Arity::Required => row.clone(),
        Arity::Optional => quote!(::std::option::Option<#row>),
        Arity::List => quote!(::std::vec::Vec<#row>),
    }
}

fn emit_with(model: &ModelNames<'_>) -> TokenStream {
    let model_ident = &model.ident;
    let types: Vec<&Ident> = model.relations.iter().map(|relation| &relation.type_ident).collect();
    let fields: Vec<&Ident> = model.relations.iter().map(|relation| &relation.ident).collect();
    let parameters: Vec<Ident> = slot_parameters(model);
    let slots = model.relations.iter().map(|relation| proc_macro2::Literal::usize_unsuffixed(relation.slot));
    quote! {
        /// The row with what was included. It dereferences to the model.
        #[derive(Debug, Clone, PartialEq)]
        pub struct With<#(#types = rt::NotIncluded),*> {
            /// The columns.
            pub row_: self::#model_ident,
            #(pub #fields: #types),*
        }

        impl<#(#parameters),*> ::std::ops::Deref for With<#(#parameters),*> {
            type Target = self::#model_ident;
            fn deref(&self) -> &self::#model_ident {
                &self.row_
            }
        }

        impl<#(#parameters: rt::Slot),*> rt::FromRow for With<#(#parameters),*> {
            fn from_row(at: rt::Cursor<'_>) -> rt::Result<Self> {
                Ok(Self { row_: rt::FromRow::from_row(at)?, #(#fields: rt::Slot::from_slot(at, #slots)?),* })
            }
        }
    }
}

/// Short names for the type parameters, one per slot.
fn slot_parameters(model: &ModelNames<'_>) -> Vec<Ident> {
    model.relations.iter().map(|relation| format_ident!("S{}", relation.slot)).collect()
}

fn emit_put(model: &ModelNames<'_>, relation: &RelationNames<'_>) -> TokenStream {
    let type_ident = &relation.type_ident;
    let parameters = slot_parameters(model);
    let filled = parameters.iter().enumerate().map(
        |(slot, parameter)| {
            if slot == relation.slot { quote!(T) } else { quote!(#parameter) }
        },
    );
    quote! {
        impl<T, #(#parameters),*> rt::Put<rel::#type_ident, T> for With<#(#parameters),*> {
            type Out = With<#(#filled),*>;
        }
    }
}

/// `WithUser`: the row with this relation only, so that the type can be written down.
fn emit_alias(cx: &EmitCx<'_>, model: &ModelNames<'_>, relation: &RelationNames<'_>) -> TokenStream {
    let alias = ident(&format!("With{}", names::camel_ident(relation.walker.name())));
    let related = cx.model(relation.walker.related_model().id);
    let (child_module, child) = (&related.module, &related.ident);
    let rows = rows_of(relation, &quote!(T));
    let slots = model
        .relations
        .iter()
        .map(|other| if other.slot == relation.slot { rows.clone() } else { quote!(rt::NotIncluded) });
    quote!(pub type #alias<T = super::#child_module::#child> = With<#(#slots),*>;)
}
