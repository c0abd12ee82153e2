//! Types with the traits of postgres-types, which crates of the field implement.

use std::any::Any;
use std::fmt;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use bytes::BytesMut;
use tokio_postgres::types::{FromSql, FromSqlOwned, IsNull, ToSql, Type};

use super::param::Param;
use super::scalar::{Scalar, below};
use crate::value::BoxError;

/// A value of a type that implements `ToSql` and `FromSql` of tokio-postgres: ranges, network addresses, vectors, and
/// whatever a crate has for a type of PostgreSQL or of an extension.
///
/// A field has it with `@rust("relata::Postgres<pgvector::Vector>")`, mostly on `Unsupported("..")`. It dereferences to
/// the value.
///
/// ```
/// use relata::Postgres;
/// use relata::tokio_postgres::types::Type;
///
/// // Any type with the two traits.
/// let address: Postgres<std::net::IpAddr> = Postgres("127.0.0.1".parse().expect("is an address"));
/// assert!(address.is_loopback());
/// assert!(<Postgres<std::net::IpAddr> as relata::Scalar>::accepts(&Type::INET));
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(transparent))]
pub struct Postgres<T>(pub T);

impl<T> Deref for Postgres<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T> DerefMut for Postgres<T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.0
    }
}

impl<T> From<T> for Postgres<T> {
    fn from(value: T) -> Self {
        Self(value)
    }
}

impl<T: FromSqlOwned + ToSql + PartialEq + Send + Sync + 'static> Scalar for Postgres<T> {
    type Base = Self;

    fn decode(_: &[u8]) -> Result<Self, BoxError> {
        Err("its type is not known here".into())
    }

    fn decode_as(ty: &Type, raw: &[u8]) -> Result<Self, BoxError> {
        let ty = below(ty);
        // Implementations rely on it: some panic at another type.
        if !<T as FromSql<'_>>::accepts(ty) {
            return Err(format!("{} is not for a value of type {ty}", std::any::type_name::<T>()).into());
        }
        T::from_sql(ty, raw).map(Self)
    }

    fn into_param(self) -> Param {
        Param::Encoded(Encoded::new(self.0))
    }

    fn accepts(ty: &Type) -> bool {
        <T as FromSql<'_>>::accepts(below(ty))
    }
}

/// A value that writes itself.
#[derive(Clone)]
pub struct Encoded(Arc<dyn Encode>);

impl Encoded {
    pub(super) fn new(value: impl ToSql + PartialEq + Send + Sync + 'static) -> Self {
        Self(Arc::new(value))
    }

    pub(super) fn to_sql(&self, ty: &Type, out: &mut BytesMut) -> Result<IsNull, BoxError> {
        self.0.encode(ty, out)
    }

    /// Returns a text that differs for different values.
    pub(super) fn words(&self) -> String {
        self.0.words()
    }

    pub(super) fn fits(&self, ty: &Type) -> bool {
        self.0.fits(ty)
    }
}

impl PartialEq for Encoded {
    fn eq(&self, other: &Self) -> bool {
        self.0.equals(other.0.as_any())
    }
}

impl fmt::Debug for Encoded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<parameter>")
    }
}

trait Encode: Send + Sync {
    fn encode(&self, ty: &Type, out: &mut BytesMut) -> Result<IsNull, BoxError>;
    fn fits(&self, ty: &Type) -> bool;
    fn equals(&self, other: &dyn Any) -> bool;
    fn words(&self) -> String;
    fn as_any(&self) -> &dyn Any;
}

impl<T: ToSql + PartialEq + Send + Sync + 'static> Encode for T {
    fn encode(&self, ty: &Type, out: &mut BytesMut) -> Result<IsNull, BoxError> {
        self.to_sql(ty, out)
    }

    fn fits(&self, ty: &Type) -> bool {
        T::accepts(ty)
    }

    fn equals(&self, other: &dyn Any) -> bool {
        other.downcast_ref::<T>() == Some(self)
    }

    fn words(&self) -> String {
        format!("{self:?}")
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::*;

    #[test]
    fn values_write_and_read_themselves() {
        let address = Postgres("10.0.0.1".parse::<IpAddr>().expect("is an address"));
        let mut out = BytesMut::new();
        let param = address.into_param();
        param.to_sql(&Type::INET, &mut out).expect("encodes");
        assert_eq!(Postgres::decode_as(&Type::INET, &out).expect("decodes"), address);
        assert!(Postgres::<IpAddr>::decode_as(&Type::TEXT, &out).is_err());
        assert!(param.to_sql(&Type::TEXT, &mut out).is_err());
        assert!(param == address.into_param() && param != Postgres(7_i32).into_param());
    }
}
