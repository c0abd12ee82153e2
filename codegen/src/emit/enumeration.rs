//! The file of an enum.

use proc_macro2::TokenStream;
use quote::quote;

use super::context::{EmitCx, EnumNames, ident};
use super::docs::docs;
use super::scalar::derives;
use super::serde;

pub(super) fn emit_enum(cx: &EmitCx<'_>, known: &EnumNames<'_>) -> TokenStream {
    let enumeration = known.walker.enumeration();
    let (enum_ident, name) = (&known.ident, known.walker.name());
    let docs_of_enum = docs(enumeration.docs.as_deref());
    let variants: Vec<_> = enumeration.values.iter().map(|value| ident(&value.rust_ident)).collect();
    let docs_of_values = enumeration.values.iter().map(|value| docs(value.docs.as_deref()));
    let labels: Vec<_> = enumeration.values.iter().map(|value| value.db_name.as_str()).collect();
    let bytes = labels.iter().map(|label| proc_macro2::Literal::byte_string(label.as_bytes()));
    let (json, in_json) = (serde::emit_derive_of_enum(cx, known), serde::emit_values(cx, known));
    let more = derives(&enumeration.derives);
    quote! {
        #![allow(missing_docs, unused, clippy::all)]

        use ::relata::rt;

        #docs_of_enum
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #json
        #more
        pub enum #enum_ident {
            #(#docs_of_values #in_json #variants),*
        }

        impl #enum_ident {
            /// All values, in the order of the schema.
            pub const ALL: &'static [Self] = &[#(Self::#variants),*];

            /// The label in PostgreSQL.
            pub const fn as_str(self) -> &'static str {
                match self {
                    #(Self::#variants => #labels),*
                }
            }
        }

        rt::enum_as_text!(self::#enum_ident, #name);

        impl<M_: rt::Model> rt::LinkTarget<M_, #enum_ident> for #enum_ident {
            fn link(self, insert: &mut rt::Insert, relation: &'static rt::Relation) {
                insert.key(relation, [rt::Scalar::into_param(self)]);
            }
        }

        impl<const SLOT_: usize, M_: rt::Model> rt::Link<SLOT_, M_, #enum_ident> for #enum_ident {
            type With<Parents_> = Parents_;
        }

        impl rt::Scalar for #enum_ident {
            type Base = Self;

            fn decode(raw: &[u8]) -> ::std::result::Result<Self, rt::DecodeError> {
                match raw {
                    #(#bytes => Ok(Self::#variants),)*
                    _ => Err(rt::unknown_label(#name)),
                }
            }

            fn into_param(self) -> rt::Param {
                rt::Param::Label(self.as_str())
            }
        }

        impl rt::Ordered for #enum_ident {}
    }
}
