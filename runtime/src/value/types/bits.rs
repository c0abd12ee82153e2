//! `bit` and `varbit`.

use bit_vec::BitVec;
use bytes::BytesMut;
use postgres_protocol::types as wire;
use tokio_postgres::types::{IsNull, ToSql, Type, to_sql_checked};

use super::super::param::Param;
use super::super::postgres::Encoded;
use super::super::scalar::Scalar;
use crate::value::BoxError;

#[diagnostic::do_not_recommend]
impl Scalar for BitVec {
    type Base = Self;

    fn decode(raw: &[u8]) -> Result<Self, BoxError> {
        let bits = wire::varbit_from_sql(raw)?;
        let mut found = BitVec::from_bytes(bits.bytes());
        found.truncate(bits.len());
        Ok(found)
    }

    fn into_param(self) -> Param {
        Param::Encoded(Encoded::new(Bits(self)))
    }

    fn accepts(ty: &Type) -> bool {
        matches!(*ty, Type::BIT | Type::VARBIT)
    }
}

#[derive(Debug, PartialEq)]
struct Bits(BitVec);

impl ToSql for Bits {
    fn to_sql(&self, _: &Type, out: &mut BytesMut) -> Result<IsNull, BoxError> {
        wire::varbit_to_sql(self.0.len(), self.0.to_bytes().into_iter(), out)?;
        Ok(IsNull::No)
    }

    fn accepts(ty: &Type) -> bool {
        matches!(*ty, Type::BIT | Type::VARBIT)
    }

    to_sql_checked!();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_survive_the_wire() {
        for length in 0..20 {
            let bits = BitVec::from_fn(length, |place| place % 3 == 0);
            let mut out = BytesMut::new();
            bits.clone().into_param().to_sql(&Type::VARBIT, &mut out).expect("is written");
            assert_eq!(BitVec::decode(&out).expect("is read"), bits);
        }
        for length in 0..10 {
            let _ = BitVec::<u32>::decode(&vec![0xff; length]);
        }
    }
}
