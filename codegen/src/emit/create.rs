//! `Create`: a field for everything that a new row must be given.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};

use super::context::{ColumnNames, EmitCx, ModelNames, RelationNames};
use super::scalar::value_type;
use super::table::client_default;
use crate::ir::{ColumnType, Side};

/// What `Create` of a model consists of.
struct Parts<'a, 's> {
    /// Required relations: a field each, with a type of its own.
    links: Vec<&'a RelationNames<'s>>,
    /// Required columns that belong to none of them.
    values: Vec<&'a ColumnNames<'s>>,
}

pub(super) fn emit_create(cx: &EmitCx<'_>, model: &ModelNames<'_>) -> TokenStream {
    if has_unsupported_requirement(model) {
        return TokenStream::new();
    }
    let parts = parts(model);
    let definition = emit_struct(cx, model, &parts);
    let rows = emit_rows(model, &parts);
    let children = emit_children(model, &parts);
    let keys = parts.links.iter().map(|link| emit_key_link(cx, link));
    quote! {
        #definition
        #rows
        #(#children)*
        #(#keys)*
    }
}

/// A required column that the client cannot write: no row can be created.
fn has_unsupported_requirement(model: &ModelNames<'_>) -> bool {
    model.walker.columns().any(|column| {
        (matches!(column.column().ty, ColumnType::Unsupported(_)) || column.field().ignored) && !column.may_be_omitted()
    })
}

fn parts<'a, 's>(model: &'a ModelNames<'s>) -> Parts<'a, 's> {
    let links: Vec<&RelationNames<'_>> = model.relations.iter().filter(|relation| is_link(model, relation)).collect();
    let linked: Vec<_> =
        links.iter().flat_map(|link| link.walker.relation().referencing_columns()).map(|column| column.id).collect();
    let values =
        model.columns.iter().filter(|column| !may_be_omitted(column) && !linked.contains(&column.walker.id)).collect();
    Parts { links, values }
}

/// Whether a row can be created without a value for the column.
fn may_be_omitted(column: &ColumnNames<'_>) -> bool {
    column.walker.may_be_omitted() && (!column.walker.has_client_default() || client_default(column).is_some())
}

/// Whether the relation has a field in `Create`: all its columns are required, and no other relation's.
fn is_link(model: &ModelNames<'_>, relation: &RelationNames<'_>) -> bool {
    let others = |id| {
        model.relations.iter().any(|other| {
            other.slot != relation.slot
                && other.walker.side() == Side::Referencing
                && other.walker.relation().referencing_columns().any(|column| column.id == id)
        })
    };
    let mut columns = relation.walker.relation().referencing_columns().peekable();
    relation.walker.side() == Side::Referencing
        && columns.peek().is_some()
        && columns.all(|column| !column.may_be_omitted() && !others(column.id))
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
        let (ident, ty) = (&column.ident, value_type(cx, column.walker));
        quote!(pub #ident: #ty)
    });
    let fields = links.chain(values);
    let docs = format!(" A new {}: what it must have. Everything else can follow with `set`.", model.walker.name());
    quote! {
        #[doc = #docs]
        #[derive(Debug, Clone)]
        pub struct Create<#(#parameters),*> {
            #(#fields),*
        }
    }
}

/// The type of the key that a relation points at.
fn key_type(cx: &EmitCx<'_>, link: &RelationNames<'_>) -> TokenStream {
    let types: Vec<_> = link.walker.relation().referenced_columns().map(|column| value_type(cx, column)).collect();
    match types.as_slice() {
        [one] => one.clone(),
        several => quote!((#(#several),*)),
    }
}

/// `Create` as a row of its own, and as what another row's relation points at.
fn emit_rows(model: &ModelNames<'_>, parts: &Parts<'_, '_>) -> TokenStream {
    let model_ident = &model.ident;
    let parameters: Vec<_> = (0..parts.links.len()).map(|index| format_ident!("L{index}")).collect();
    let types: Vec<_> = parts.links.iter().map(|link| &link.type_ident).collect();
    let links = parts.links.iter().map(|link| {
        let (type_ident, ident) = (&link.type_ident, &link.ident);
        quote!(.link::<rel::#type_ident>(self.#ident))
    });
    let values = parts.values.iter().map(|column| {
        let (number, ident) = (proc_macro2::Literal::u16_unsuffixed(column.number), &column.ident);
        quote!(.value(#number, self.#ident))
    });
    quote! {
        impl<#(#parameters),*> Create<#(#parameters),*> {
            /// Gives a column a value that the database or nothing would else give it.
            pub fn set(self, assignment: rt::Assignment<self::#model_ident>) -> rt::CreateWith<Self, self::#model_ident> {
                rt::CreateWith::new(self).set(assignment)
            }
        }

        impl<#(#parameters: rt::LinkTarget<rel::#types>),*> Create<#(#parameters),*> {
            fn insert(self) -> rt::Insert {
                rt::Insert::new(&TABLE)#(#links)*#(#values)*
            }
        }

        impl<#(#parameters: rt::Link<rel::#types>),*> rt::CreateRow for Create<#(#parameters),*> {
            type Model = self::#model_ident;
            fn into_insert(self) -> rt::Insert {
                self.insert()
            }
        }

        impl<R: rt::RelationOf<Child = self::#model_ident>, #(#parameters),*> rt::LinkTarget<R> for Create<#(#parameters),*>
        where
            Self: rt::CreateRow,
        {
            fn link(self, insert: &mut rt::Insert) {
                insert.before::<R>(self);
            }
        }

        impl<R: rt::RelationOf<Child = self::#model_ident>, #(#parameters),*> rt::Link<R> for Create<#(#parameters),*>
        where
            Self: rt::CreateRow,
        {
        }
    }
}

/// `Create` inside the `create` of each row that it may point at, or that it is connected with.
fn emit_children(model: &ModelNames<'_>, parts: &Parts<'_, '_>) -> Vec<TokenStream> {
    let emit = |relation: &RelationNames<'_>| {
        let type_ident = &relation.type_ident;
        let own = parts.links.iter().position(|link| link.slot == relation.slot);
        let free: Vec<_> = parts.links.iter().enumerate().filter(|(index, _)| Some(*index) != own).collect();
        let bounds = free.iter().map(|(index, link)| {
            let (parameter, type_ident) = (format_ident!("L{index}"), &link.type_ident);
            quote!(#parameter: rt::Link<rel::#type_ident>)
        });
        let arguments = (0..parts.links.len()).map(|index| {
            let parameter = format_ident!("L{index}");
            if Some(index) == own { quote!(rt::Parent) } else { quote!(#parameter) }
        });
        quote! {
            impl<#(#bounds),*> rt::CreateChild<rel::#type_ident> for Create<#(#arguments),*> {
                fn into_insert(self) -> rt::Insert {
                    self.insert()
                }
            }
        }
    };
    model.relations.iter().map(emit).collect()
}

/// The key of the other row fills the relation.
fn emit_key_link(cx: &EmitCx<'_>, link: &RelationNames<'_>) -> TokenStream {
    let type_ident = &link.type_ident;
    let key = key_type(cx, link);
    let count = link.walker.relation().referenced_columns().count();
    let values = (0..count).map(|index| {
        let index = syn::Index::from(index);
        if count == 1 { quote!(rt::Scalar::into_param(self)) } else { quote!(rt::Scalar::into_param(self.#index)) }
    });
    quote! {
        impl rt::LinkTarget<rel::#type_ident> for #key {
            fn link(self, insert: &mut rt::Insert) {
                insert.key::<rel::#type_ident>([#(#values),*]);
            }
        }

        impl rt::Link<rel::#type_ident> for #key {}
    }
}
