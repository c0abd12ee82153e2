//! The vectors of the extension pgvector.

use bytes::{Buf, BufMut, BytesMut};
use pgvector::{HalfVector, SparseVector, Vector};
use postgres_protocol::types as wire;
use tokio_postgres::fallible_iterator::FallibleIterator;
use tokio_postgres::types::{IsNull, ToSql, Type, to_sql_checked};

use super::super::arithmetic::{Average, Averaged};
use super::super::into::{IntoNullable, IntoValue};
use super::super::param::{Param, is_text};
use super::super::postgres::Encoded;
use super::super::scalar::{Scalar, below};
use crate::value::BoxError;

/// The vectors of pgvector, between which there are distances.
#[diagnostic::on_unimplemented(message = "`{Self}` is not a vector of pgvector")]
pub trait AnyVector: Scalar {}

impl AnyVector for Vector {}
impl AnyVector for HalfVector {}
impl AnyVector for SparseVector {}

impl Average for Vector {
    type Average = Self;
    const AVERAGED: Averaged = Averaged::Same;
}

impl Average for HalfVector {
    type Average = Self;
    const AVERAGED: Averaged = Averaged::Same;
}

/// How a vector travels: as `real[]`, whose type is the same in every database; in a list or in raw SQL as text or in its
/// own format.
#[derive(Debug, PartialEq)]
struct Sent<T>(T);

macro_rules! vectors {
    ($($type:ident: $name:literal, $accepts:expr;)+) => {
        $(
            #[diagnostic::do_not_recommend]
            impl Scalar for $type {
                type Base = Self;

                fn decode(raw: &[u8]) -> Result<Self, BoxError> {
                    Self::decode_as(&Type::FLOAT4_ARRAY, raw)
                }

                fn decode_as(ty: &Type, raw: &[u8]) -> Result<Self, BoxError> {
                    let ty = below(ty);
                    match *ty {
                        Type::FLOAT4_ARRAY => <Self as Format>::of_floats(floats(raw)?),
                        _ if is_text(ty) => <Self as Format>::parse(std::str::from_utf8(raw)?),
                        _ => <Self as Format>::read(raw),
                    }
                    .ok_or_else(|| format!("it is not a {} that Rust can hold", $name).into())
                }

                fn into_param(self) -> Param {
                    Param::Encoded(Encoded::new(Sent(self)))
                }

                fn accepts(ty: &Type) -> bool {
                    below(ty).name() == $name
                }
            }

            impl ToSql for Sent<$type> {
                fn to_sql(&self, ty: &Type, out: &mut BytesMut) -> Result<IsNull, BoxError> {
                    match *ty {
                        Type::FLOAT4_ARRAY => floats_to_sql(&self.0.to_floats(), out)?,
                        _ if is_text(ty) => out.put_slice(self.0.print().as_bytes()),
                        _ => self.0.write(out)?,
                    }
                    Ok(IsNull::No)
                }

                fn accepts(ty: &Type) -> bool {
                    is_text(ty) || ty.name() == $name || *ty == Type::FLOAT4_ARRAY && $accepts
                }

                to_sql_checked!();
            }
        )+
    };
}

vectors! {
    Vector: "vector", true;
    HalfVector: "halfvec", true;
    SparseVector: "sparsevec", false;
}

/// The formats of a vector.
trait Format: Sized {
    fn of_floats(values: Vec<f32>) -> Option<Self>;
    fn to_floats(&self) -> Vec<f32>;
    fn read(raw: &[u8]) -> Option<Self>;
    fn write(&self, out: &mut BytesMut) -> Result<(), BoxError>;

    fn parse(text: &str) -> Option<Self> {
        let inner = text.strip_prefix('[')?.strip_suffix(']')?;
        let values: Result<Vec<f32>, _> = inner.split(',').map(|value| value.trim().parse()).collect();
        Self::of_floats(values.ok()?)
    }

    fn print(&self) -> String {
        let values: Vec<String> = self.to_floats().iter().map(f32::to_string).collect();
        format!("[{}]", values.join(","))
    }
}

impl Format for Vector {
    fn of_floats(values: Vec<f32>) -> Option<Self> {
        Some(Self::from(values))
    }

    fn to_floats(&self) -> Vec<f32> {
        self.to_vec()
    }

    fn read(raw: &[u8]) -> Option<Self> {
        let values = numbers(raw, 4)?.map(|mut value| value.get_f32());
        Some(Self::from(values.collect::<Vec<_>>()))
    }

    fn write(&self, out: &mut BytesMut) -> Result<(), BoxError> {
        out.put_u16(u16::try_from(self.as_slice().len())?);
        out.put_u16(0);
        self.as_slice().iter().for_each(|value| out.put_f32(*value));
        Ok(())
    }
}

impl Format for HalfVector {
    fn of_floats(values: Vec<f32>) -> Option<Self> {
        Some(Self::from_f32_slice(&values))
    }

    fn to_floats(&self) -> Vec<f32> {
        self.as_slice().iter().map(|value| value.to_f32()).collect()
    }

    fn read(raw: &[u8]) -> Option<Self> {
        let floats = numbers(raw, 2)?.map(|mut value| half_to_f32(value.get_u16()));
        Self::of_floats(floats.collect())
    }

    fn write(&self, out: &mut BytesMut) -> Result<(), BoxError> {
        out.put_u16(u16::try_from(self.as_slice().len())?);
        out.put_u16(0);
        self.as_slice().iter().for_each(|value| out.put_u16(value.to_bits()));
        Ok(())
    }
}

impl Format for SparseVector {
    fn of_floats(values: Vec<f32>) -> Option<Self> {
        Some(Self::from_dense(&values))
    }

    fn to_floats(&self) -> Vec<f32> {
        self.to_vec()
    }

    fn read(mut raw: &[u8]) -> Option<Self> {
        let mut number = || {
            let (head, rest) = raw.split_first_chunk()?;
            raw = rest;
            Some(i32::from_be_bytes(*head))
        };
        let (dimensions, count, _) = (number()?, usize::try_from(number()?).ok()?, number()?);
        let numbers: Vec<i32> = std::iter::from_fn(&mut number).collect();
        if numbers.len() != count.checked_mul(2)? {
            return None;
        }
        let (places, values) = numbers.split_at(count);
        sparse(places.iter().copied().zip(values.iter().map(|bits| f32::from_bits(bits.cast_unsigned()))), dimensions)
    }

    fn write(&self, out: &mut BytesMut) -> Result<(), BoxError> {
        out.put_i32(self.dimensions());
        out.put_i32(i32::try_from(self.indices().len())?);
        out.put_i32(0);
        self.indices().iter().for_each(|place| out.put_i32(*place));
        self.values().iter().for_each(|value| out.put_f32(*value));
        Ok(())
    }

    /// `{1:1.5,3:2}/5`: the places count from 1.
    fn parse(text: &str) -> Option<Self> {
        let (inner, dimensions) = text.strip_prefix('{')?.split_once("}/")?;
        let pair = |pair: &str| {
            let (place, value) = pair.split_once(':')?;
            Some((place.trim().parse::<i32>().ok()?.checked_sub(1)?, value.trim().parse().ok()?))
        };
        let pairs: Option<Vec<(i32, f32)>> = inner.split(',').filter(|pair| !pair.is_empty()).map(pair).collect();
        sparse(pairs?.into_iter(), dimensions.trim().parse().ok()?)
    }

    fn print(&self) -> String {
        let pairs = self.indices().iter().zip(self.values());
        let pairs: Vec<String> = pairs.map(|(place, value)| format!("{}:{value}", i64::from(*place) + 1)).collect();
        format!("{{{}}}/{}", pairs.join(","), self.dimensions())
    }
}

#[cfg(feature = "serde")]
mod in_json {
    use pgvector::{HalfVector, SparseVector};

    use super::Format;
    use crate::value::text::AsText;

    /// The text of PostgreSQL: the crate has no format for these two.
    macro_rules! as_text {
        ($($type:ty),+) => {
            $(
                impl AsText for $type {
                    fn to_text(&self) -> Result<String, std::fmt::Error> {
                        Ok(self.print())
                    }

                    fn from_text(text: &str) -> Option<Self> {
                        Self::parse(text)
                    }
                }
            )+
        };
    }

    as_text!(HalfVector, SparseVector);
}

/// Creates a vector of places and values. The constructor of the crate panics if a place is none of the vector.
fn sparse(pairs: impl Iterator<Item = (i32, f32)>, dimensions: i32) -> Option<SparseVector> {
    let values: std::collections::BTreeMap<i32, f32> = pairs.collect();
    let is_within = values.keys().all(|place| (0..dimensions).contains(place));
    (is_within && dimensions > 0).then(|| SparseVector::from_map(&values, dimensions))
}

/// Returns the numbers behind the header of a dense vector: their count, and two bytes without a meaning.
fn numbers(raw: &[u8], size: usize) -> Option<std::slice::ChunksExact<'_, u8>> {
    let (count, rest) = raw.split_first_chunk()?;
    let values = rest.get(2..)?;
    (values.len() == usize::from(u16::from_be_bytes(*count)) * size).then(|| values.chunks_exact(size))
}

fn floats(raw: &[u8]) -> Result<Vec<f32>, BoxError> {
    let array = wire::array_from_sql(raw)?;
    let mut values = array.values();
    let mut found = Vec::new();
    while let Some(value) = values.next()? {
        found.push(wire::float4_from_sql(value.ok_or("a part of the vector is null")?)?);
    }
    Ok(found)
}

fn floats_to_sql(values: &[f32], out: &mut BytesMut) -> Result<(), BoxError> {
    let dimension = wire::ArrayDimension { len: i32::try_from(values.len())?, lower_bound: 1 };
    let write = |value: &f32, out: &mut BytesMut| {
        wire::float4_to_sql(*value, out);
        Ok(postgres_protocol::IsNull::No)
    };
    wire::array_to_sql(Some(dimension), Type::FLOAT4.oid(), values, write, out)
}

/// Converts the bits of a number of half precision.
fn half_to_f32(bits: u16) -> f32 {
    let sign = if bits >> 15 == 1 { -1.0 } else { 1.0 };
    let (exponent, fraction) = (i32::from(bits >> 10 & 0x1f), f32::from(bits & 0x3ff));
    match exponent {
        0 => sign * fraction * 2_f32.powi(-24),
        0x1f if fraction == 0.0 => sign * f32::INFINITY,
        0x1f => f32::NAN,
        _ => sign * (1.0 + fraction / 1024.0) * 2_f32.powi(exponent - 15),
    }
}

macro_rules! from_floats {
    ($([$($generic:tt)*] $from:ty;)+) => {
        $(
            #[diagnostic::do_not_recommend]
            impl<$($generic)*> IntoValue<Vector> for $from {
                fn into_value(self) -> Vector {
                    Vector::from(self.to_vec())
                }
            }

            #[diagnostic::do_not_recommend]
            impl<$($generic)*> IntoNullable<Vector> for $from {
                fn into_nullable(self) -> Option<Vector> {
                    Some(Vector::from(self.to_vec()))
                }
            }

            #[diagnostic::do_not_recommend]
            impl<$($generic)*> IntoValue<HalfVector> for $from {
                fn into_value(self) -> HalfVector {
                    HalfVector::from_f32_slice(&self[..])
                }
            }

            #[diagnostic::do_not_recommend]
            impl<$($generic)*> IntoNullable<HalfVector> for $from {
                fn into_nullable(self) -> Option<HalfVector> {
                    Some(HalfVector::from_f32_slice(&self[..]))
                }
            }
        )+
    };
}

from_floats! {
    [] Vec<f32>;
    [] &[f32];
    [const N: usize] [f32; N];
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent<T: Scalar + Clone>(value: &T, ty: &Type) -> T {
        let mut out = BytesMut::new();
        value.clone().into_param().to_sql(ty, &mut out).expect("is written");
        T::decode_as(ty, &out).expect("is read")
    }

    #[test]
    fn vectors_survive_every_format() {
        use tokio_postgres::types::Kind;
        let own = |name: &str| Type::new(name.to_owned(), 99_999, Kind::Simple, String::new());
        let vector = Vector::from(vec![1.5, -0.25, f32::MAX, f32::MIN_POSITIVE, 0.1]);
        for ty in [Type::FLOAT4_ARRAY, Type::TEXT, own("vector")] {
            assert_eq!(sent(&vector, &ty), vector, "{ty}");
        }
        let half = HalfVector::from_f32_slice(&[1.5, -65504.0, 6e-8, 0.1]);
        for ty in [Type::FLOAT4_ARRAY, Type::TEXT, own("halfvec")] {
            assert_eq!(sent(&half, &ty), half, "{ty}");
        }
        let sparse = SparseVector::from_dense(&[0.0, 1.5, 0.0, -2.0, 0.0]);
        for ty in [Type::TEXT, own("sparsevec")] {
            assert_eq!(sent(&sparse, &ty), sparse, "{ty}");
        }
    }

    #[test]
    fn arbitrary_bytes_do_not_panic() {
        for text in
            ["", "[", "[]", "[x]", "{}/0", "{}/2", "{0:1}/2", "{3:1}/2", "{-2147483648:1}/2", "{1:1,}/2", "{1}/2"]
        {
            let _ = Vector::parse(text);
            let _ = SparseVector::parse(text);
        }
        for length in 0..40 {
            let raw = vec![0xff_u8; length];
            let _ = Vector::decode_as(&Type::POINT, &raw);
            let _ = HalfVector::decode_as(&Type::POINT, &raw);
            let _ = SparseVector::decode_as(&Type::POINT, &raw);
            let _ = Vector::decode(&raw);
        }
    }
}
