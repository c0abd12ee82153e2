//! `type` blocks as types of columns.

use tokio_postgres::types::Type;

/// For generated code: a `type` block as the type of a column.
#[doc(hidden)]
#[macro_export]
macro_rules! json_value {
    ($type:ty) => {
        impl $crate::rt::Scalar for $type {
            type Base = $crate::rt::Json;
            const HOLDS: $crate::rt::Holds = $crate::rt::Holds::Json;

            fn decode(raw: &[u8]) -> ::std::result::Result<Self, $crate::rt::DecodeError> {
                $crate::rt::decode_type(raw)
            }

            fn is_null(raw: &[u8]) -> bool {
                $crate::rt::is_json_null(raw)
            }

            fn decode_json_list(raw: &[u8]) -> ::std::result::Result<::std::vec::Vec<Self>, $crate::rt::DecodeError> {
                $crate::rt::decode_type(raw)
            }

            fn into_param(self) -> $crate::rt::Param {
                $crate::rt::type_param(&self)
            }

            fn accepts(ty: &$crate::tokio_postgres::types::Type) -> bool {
                $crate::rt::is_json(ty)
            }
        }
    };
}

/// For generated code: whether a value is JSON's null. `jsonb` has a version byte in front.
pub fn is_json_null(raw: &[u8]) -> bool {
    raw.strip_prefix(&[1]).unwrap_or(raw).trim_ascii() == b"null"
}

/// For derived code: whether a column of raw SQL is JSON.
pub fn is_json(ty: &Type) -> bool {
    matches!(*ty, Type::JSONB | Type::JSON)
}
