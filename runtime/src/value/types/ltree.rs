//! `ltree`.

use bytes::{BufMut, BytesMut};
use tokio_postgres::types::{IsNull, ToSql, Type, to_sql_checked};

use super::super::param::{Param, is_text};
use super::super::postgres::Encoded;
use super::text_like::texts;
use crate::value::BoxError;

texts! {
    /// A path in a tree of labels, `ltree`: `Top.Science.Astronomy`.
    Ltree (Any) in |ty, raw| String::decode(if ty.name() == "ltree" { raw.get(1..).unwrap_or_default() } else { raw }),
    |text| Param::Encoded(Encoded::new(LtreeParam(text))), |ty| ty.name() == "ltree";
}

/// The binary format is a version, 1, and the text.
#[derive(Debug, PartialEq)]
struct LtreeParam(String);

impl ToSql for LtreeParam {
    fn to_sql(&self, ty: &Type, out: &mut BytesMut) -> Result<IsNull, BoxError> {
        if ty.name() == "ltree" {
            out.put_u8(1);
        }
        out.put_slice(self.0.as_bytes());
        Ok(IsNull::No)
    }

    fn accepts(ty: &Type) -> bool {
        is_text(ty) || ty.name() == "ltree"
    }

    to_sql_checked!();
}
