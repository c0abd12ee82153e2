//! `Create`: a field for everything that a new row requires.

use proc_macro2::{Literal, TokenStream};
use quote::{format_ident, quote};

use super::context::{ColumnNames, EmitCx, ModelNames, RelationNames};
use super::relation::{is_link, own_columns, related_path};
use super::scalar::{field_type, is_json_list, value_type};
use super::sensitive::emit_debug;
use super::tenancy::is_own_column;
use crate::ir::ColumnWalker;

/// The fields of a model's `Create`.
pub(super) struct Parts<'a, 's> {
    /// Required relations, each with a field and a type parameter.
    links: Vec<&'a RelationNames<'s>>,
    /// Required columns that belong to none of these relations.
    pub(super) values: Vec<&'a ColumnNames<'s>>,
}

pub(super) fn emit_create(cx: &EmitCx<'_>, model: &ModelNames<'_>) -> TokenStream {
    if let Some(column) = unsupported_requirement(model) {
        let docs = format!(
            " There is no value of it: `{}` is required and has no default, and the client cannot write it.",
            column.name()
        );
        let create_ident = &model.create_ident;
        return quote! {
            #[doc = #docs]
            #[derive(Debug, Clone)]
            pub enum #create_ident {}
        };
    }
    let parts = parts(model);
    let definition = emit_struct(cx, model, &parts);
    let rows = emit_rows(cx, model, &parts);
    quote! {
        #definition
        #rows
    }
}

/// Returns a required column that the client cannot write. If there is one, no row can be created.
pub(super) fn unsupported_requirement<'s>(model: &ModelNames<'s>) -> Option<ColumnWalker<'s>> {
    model.walker.columns().find(|column| !column.in_client() && !column.may_be_omitted())
}

pub(super) fn parts<'a, 's>(model: &'a ModelNames<'s>) -> Parts<'a, 's> {
    let links: Vec<&RelationNames<'_>> = model.relations.iter().filter(|relation| is_link(model, relation)).collect();
    let linked: Vec<_> = links.iter().flat_map(|link| own_columns(link)).map(|column| column.id).collect();
    let values = model
        .columns
        .iter()
        .filter(|column| !column.walker.may_be_omitted() && !linked.contains(&column.walker.id))
        .filter(|column| !is_own_column(model, column.walker.id))
        .collect();
    Parts { links, values }
}

fn emit_struct(cx: &EmitCx<'_>, model: &ModelNames<'_>, parts: &Parts<'_, '_>) -> TokenStream {
    let parameters = parts.links.iter().map(|link| {
        let (parameter, key) = (&link.type_ident, key_type(cx, link));
        quote!(#parameter = #key)
    });
    let links = parts.links.iter().map(|link| {
        let (ident, parameter) = (&link.ident, &link.type_ident);
        quote!(pub #ident: #parameter)
    });
    let values = parts.values.iter().map(|column| {
        let (ident, ty) = (&column.ident, field_type(cx, column.walker));
        quote!(pub #ident: #ty)
    });
    let fields = links.chain(values);
    let create_ident = &model.create_ident;
    let (derive, debug) = emit_debug(create_ident, &parts.links, &parts.values);
    let mut docs = format!(" The required values of a new {}. `set` adds optional ones.", model.walker.name());
    if model.walker.columns().any(|column| is_own_column(model, column.id)) {
        docs.push_str(" The row belongs to the tenant whose client creates it.");
    }
    quote! {
        #[doc = #docs]
        #[derive(#derive Clone)]
        pub struct #create_ident<#(#parameters),*> {
            #(#fields),*
        }

        #debug
    }
}

/// Returns the type of the key that a relation references.
fn key_type(cx: &EmitCx<'_>, link: &RelationNames<'_>) -> TokenStream {
    let pair = link.walker.relation().tenant_pair();
    let columns = link.walker.relation().referenced_columns().enumerate().filter(|(place, _)| Some(*place) != pair);
    let types: Vec<_> = columns.map(|(_, column)| value_type(cx, column)).collect();
    match types.as_slice() {
        [one] => one.clone(),
        several => quote!((#(#several),*)),
    }
}

/// Emits `Create` as a row. The types of its relations say in which places it can be used: by itself, or inside the
/// `create` of a row that it references.
fn emit_rows(cx: &EmitCx<'_>, model: &ModelNames<'_>, parts: &Parts<'_, '_>) -> TokenStream {
    let (model_ident, create_ident) = (&model.ident, &model.create_ident);
    let parameters: Vec<_> = (0..parts.links.len()).map(|index| format_ident!("L{index}")).collect();
    let parents = parameters.iter().rfold(quote!(()), |parents, parameter| quote!(#parameter::With<#parents>));
    let links = parts.links.iter().map(|link| {
        let (slot, ident) = (Literal::usize_unsuffixed(link.slot), &link.ident);
        quote!(.link(#slot, self.#ident))
    });
    let values = parts.values.iter().map(|column| {
        let (number, ident) = (Literal::u16_unsuffixed(column.number), &column.ident);
        if is_json_list(column.walker) {
            return quote!(.json_list(#number, self.#ident));
        }
        quote!(.value(#number, self.#ident))
    });
    let targets: Vec<_> =
        parts.links.iter().map(|link| (Literal::usize_unsuffixed(link.slot), link_target(cx, link))).collect();
    let bounds =
        parameters.iter().zip(&targets).map(|(parameter, (slot, target))| quote!(#parameter: rt::Link<#slot, #target>));
    let relations = parameters.iter().zip(&targets).map(|(parameter, (slot, target))| quote!(#parameter #slot #target));
    quote! {
        impl<#(#parameters),*> #create_ident<#(#parameters),*> {
            rt::set_and_with!(self::#model_ident);
        }

        impl<#(#bounds),*> rt::NewRow for #create_ident<#(#parameters),*> {
            type Model = self::#model_ident;
            fn into_insert(self) -> rt::Insert {
                rt::Insert::new(&TABLE)#(#links)*#(#values)*
            }
        }

        rt::create_row!(#create_ident; #parents; #(#relations);*);
    }
}

/// Returns the model and the key of a relation's field in `Create`.
fn link_target(cx: &EmitCx<'_>, link: &RelationNames<'_>) -> TokenStream {
    let (related, key) = (related_path(cx, link), key_type(cx, link));
    quote!(#related, #key)
}
