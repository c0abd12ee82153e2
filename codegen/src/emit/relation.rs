//! Relations of a model: the constants, and `With`, the row with slots for them.

use proc_macro2::{Ident, Literal, TokenStream};
use quote::{format_ident, quote};

use super::context::{EmitCx, ModelNames, RelationNames};
use super::docs::{docs, relation_docs};
use super::serde;
use super::tenancy::is_to_tenant;
use crate::ir::{Arity, ColumnWalker, Side};

pub(super) fn emit_relations(cx: &EmitCx<'_>, model: &ModelNames<'_>) -> TokenStream {
    if model.relations.is_empty() {
        return TokenStream::new();
    }
    let constants = model.relations.iter().map(|relation| emit_constant(cx, model, relation));
    let with = emit_with(cx, model);
    let slots = emit_slots(model);
    let aliases = model.relations.iter().map(|relation| emit_alias(cx, model, relation));
    quote! {
        #(#constants)*
        #with
        #slots
        #(#aliases)*
    }
}

fn emit_constant(cx: &EmitCx<'_>, model: &ModelNames<'_>, relation: &RelationNames<'_>) -> TokenStream {
    let (ident, parent) = (&relation.ident, &model.ident);
    let child = related_path(cx, relation);
    let slot = Literal::usize_unsuffixed(relation.slot);
    let back = field_of_create(cx, relation).map(|slot| {
        let slot = Literal::usize_unsuffixed(slot);
        quote!(, #slot)
    });
    let arity = match relation.walker.arity() {
        Arity::Required => quote!(rt::Required),
        Arity::Optional => quote!(rt::Optional),
        Arity::List => quote!(rt::List),
    };
    let docs = docs(Some(&relation_docs(relation)));
    quote!(#docs pub const #ident: rt::RelationField<#parent, #child, #arity, #slot #back> = rt::RelationField::new();)
}

/// The slot of the opposite relation, if the other model's `Create` has a field for it.
fn field_of_create(cx: &EmitCx<'_>, relation: &RelationNames<'_>) -> Option<usize> {
    let related = cx.model(relation.walker.related_model().id);
    let opposite = related.relation(relation.walker.opposite().id)?;
    is_link(related, opposite).then_some(opposite.slot)
}

/// The struct of the model that a relation leads to.
pub(super) fn related_path(cx: &EmitCx<'_>, relation: &RelationNames<'_>) -> TokenStream {
    let related = cx.model(relation.walker.related_model().id);
    let (module, ident) = (&related.module, &related.ident);
    quote!(super::#module::#ident)
}

fn emit_with(cx: &EmitCx<'_>, model: &ModelNames<'_>) -> TokenStream {
    let (model_ident, with_ident) = (&model.ident, &model.with_ident);
    let types: Vec<&Ident> = model.relations.iter().map(|relation| &relation.type_ident).collect();
    let fields: Vec<&Ident> = model.relations.iter().map(|relation| &relation.ident).collect();
    let parameters: Vec<Ident> = slot_parameters(model);
    let slots = model.relations.iter().map(|relation| Literal::usize_unsuffixed(relation.slot));
    let (json, row_in_json) = (serde::emit_derive(cx), serde::emit_row(cx));
    let in_json = model.relations.iter().map(|relation| serde::emit_relation(cx, relation));
    quote! {
        /// The row with the included relations. Dereferences to the model.
        #[derive(Debug, Clone, PartialEq)]
        #json
        pub struct #with_ident<#(#types = rt::NotIncluded),*> {
            #row_in_json
            pub row_: self::#model_ident,
            #(#in_json pub #fields: #types),*
        }

        impl<#(#parameters),*> ::std::ops::Deref for #with_ident<#(#parameters),*> {
            type Target = self::#model_ident;
            fn deref(&self) -> &self::#model_ident {
                &self.row_
            }
        }

        impl<#(#parameters: rt::Slot),*> rt::FromRow for #with_ident<#(#parameters),*> {
            fn from_row(at_: rt::Cursor<'_>) -> rt::Result<Self> {
                Ok(Self { row_: rt::Model::read(at_)?, #(#fields: rt::Slot::from_slot(at_, #slots)?),* })
            }
        }
    }
}

/// Short names for the type parameters, one per slot.
fn slot_parameters(model: &ModelNames<'_>) -> Vec<Ident> {
    model.relations.iter().map(|relation| format_ident!("S{}", relation.slot)).collect()
}

/// The number of slots that the runtime's list has before its rest.
const SLOTS_IN_ROW: usize = 16;

/// Emits how `With` is a list of slots, and a list of slots is `With`. All lines together grow with the number of
/// relations, not with its square.
fn emit_slots(model: &ModelNames<'_>) -> TokenStream {
    let (model_ident, with_ident) = (&model.ident, &model.with_ident);
    let parameters = slot_parameters(model);
    let places = model.relations.iter().skip(SLOTS_IN_ROW).map(|relation| emit_place(model, relation.slot));
    let slots = emit_list(&parameters);
    quote! {
        impl<#(#parameters),*> rt::Slotted for #with_ident<#(#parameters),*> {
            type Model = self::#model_ident;
            type Slots = #slots;
        }

        impl<#(#parameters),*> rt::RowOf<#slots> for self::#model_ident {
            type Row = #with_ident<#(#parameters),*>;
        }

        #(#places)*
    }
}

/// Emits the list of slots: the first ones, and the list of the others.
fn emit_list(parameters: &[Ident]) -> TokenStream {
    let mut rest = TokenStream::new();
    for first in parameters.chunks(SLOTS_IN_ROW).rev() {
        rest = quote!(rt::Slots<#(#first,)* #rest>);
    }
    rest
}

/// Emits the place of a slot after the first ones: in the list of the others, where another slot is in this list.
fn emit_place(model: &ModelNames<'_>, slot: usize) -> TokenStream {
    let model_ident = &model.ident;
    let before = Literal::usize_unsuffixed(slot - SLOTS_IN_ROW);
    let slot = Literal::usize_unsuffixed(slot);
    quote! {
        impl rt::PlaceOf<#slot> for self::#model_ident {
            type Path = rt::Next<<Self as rt::PlaceOf<#before>>::Path>;
        }
    }
}

/// Emits `WithUser`: a name for the type of a row with only this relation.
fn emit_alias(cx: &EmitCx<'_>, model: &ModelNames<'_>, relation: &RelationNames<'_>) -> TokenStream {
    let (alias, with_ident) = (&relation.alias_ident, &model.with_ident);
    let child = related_path(cx, relation);
    let slot = Literal::usize_unsuffixed(relation.slot);
    let rows = match relation.walker.arity() {
        Arity::Required => quote!(T),
        Arity::Optional => quote!(rt::Option<T>),
        Arity::List => quote!(rt::Vec<T>),
    };
    quote!(pub type #alias<T = #child> = rt::Filled<#with_ident, #slot, #rows>;)
}

/// Returns the referencing columns, without the tenant's column, which a handle of a tenant sets.
pub(super) fn own_columns<'s>(relation: &RelationNames<'s>) -> impl Iterator<Item = ColumnWalker<'s>> {
    let pair = relation.walker.relation().tenant_pair();
    let columns = relation.walker.relation().referencing_columns().enumerate();
    columns.filter(move |(place, _)| Some(*place) != pair).map(|(_, column)| column)
}

/// Returns whether `Create` has a field for the relation: all its columns are required, and belong to no other
/// relation.
pub(super) fn is_link(model: &ModelNames<'_>, relation: &RelationNames<'_>) -> bool {
    let others = |id| {
        model.relations.iter().any(|other| {
            other.slot != relation.slot
                && other.walker.side() == Side::Referencing
                && other.walker.relation().referencing_columns().any(|column| column.id == id)
        })
    };
    let mut columns = own_columns(relation).peekable();
    relation.walker.side() == Side::Referencing
        && !is_to_tenant(model, relation.walker.id)
        && columns.peek().is_some()
        && columns.all(|column| !column.may_be_omitted() && !others(column.id))
}
