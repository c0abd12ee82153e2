//! Ranges and multiranges.

use std::fmt;
use std::ops::{Bound, RangeFrom, RangeFull, RangeInclusive, RangeTo, RangeToInclusive};

use bytes::{BufMut, BytesMut};
use postgres_protocol::types as wire;
use tokio_postgres::types::{IsNull, Kind, ToSql, Type, to_sql_checked};

use super::super::param::Param;
use super::super::postgres::Encoded;
use super::super::scalar::{Scalar, below};
use crate::value::BoxError;

/// A range of PostgreSQL: `int4range`, `int8range`, `numrange`, `daterange`, `tsrange`, `tstzrange`, or one of your own.
///
/// It is empty, or has two bounds. Ranges of Rust become one with `into()`:
///
/// ```
/// use std::ops::Bound;
///
/// use relata::Range;
///
/// let morning: Range<i32> = (8..12).into();
/// assert!(morning.contains(&8) && !morning.contains(&12));
/// assert_eq!(Range::from(8..=12).to_string(), "[8,12]");
/// assert_eq!(Range::new(Bound::Excluded(1), Bound::Unbounded).to_string(), "(1,)");
/// assert!(Range::<i32>::EMPTY.is_empty());
/// ```
///
/// PostgreSQL writes ranges of whole numbers and of dates as `[from,to)`: `8..=12` is read as `8..13`, and a range
/// without values as the empty one. Two ranges are equal in Rust if their bounds are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Range<T>(Option<(Bound<T>, Bound<T>)>);

impl<T> Range<T> {
    /// The range without values.
    pub const EMPTY: Self = Self(None);

    /// The range of all values.
    pub const FULL: Self = Self(Some((Bound::Unbounded, Bound::Unbounded)));

    /// Creates a range of two bounds. PostgreSQL refuses a lower bound that is greater than the upper one.
    pub const fn new(lower: Bound<T>, upper: Bound<T>) -> Self {
        Self(Some((lower, upper)))
    }

    /// Returns whether it is the empty range.
    pub const fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// Returns the lower bound; `None` for the empty range.
    pub fn lower(&self) -> Option<Bound<&T>> {
        self.0.as_ref().map(|(lower, _)| lower.as_ref())
    }

    /// Returns the upper bound; `None` for the empty range.
    pub fn upper(&self) -> Option<Bound<&T>> {
        self.0.as_ref().map(|(_, upper)| upper.as_ref())
    }

    /// Returns the bounds; `None` for the empty range.
    pub fn into_bounds(self) -> Option<(Bound<T>, Bound<T>)> {
        self.0
    }

    /// Returns whether the range contains the value.
    pub fn contains(&self, value: &T) -> bool
    where
        T: PartialOrd,
    {
        let Some((lower, upper)) = &self.0 else { return false };
        let is_above = match lower {
            Bound::Included(lower) => value >= lower,
            Bound::Excluded(lower) => value > lower,
            Bound::Unbounded => true,
        };
        let is_below = match upper {
            Bound::Included(upper) => value <= upper,
            Bound::Excluded(upper) => value < upper,
            Bound::Unbounded => true,
        };
        is_above && is_below
    }

    fn map<U>(self, convert: impl Fn(T) -> U) -> Range<U> {
        Range(self.0.map(|(lower, upper)| (lower.map(&convert), upper.map(&convert))))
    }
}

macro_rules! from_ranges {
    ($($range:ty, |$it:pat_param| $lower:expr, $upper:expr;)+) => {
        $(
            impl<T> From<$range> for Range<T> {
                fn from($it: $range) -> Self {
                    Self::new($lower, $upper)
                }
            }
        )+
    };
}

from_ranges! {
    std::ops::Range<T>, |std::ops::Range { start, end }| Bound::Included(start), Bound::Excluded(end);
    RangeFrom<T>, |RangeFrom { start }| Bound::Included(start), Bound::Unbounded;
    RangeTo<T>, |RangeTo { end }| Bound::Unbounded, Bound::Excluded(end);
    RangeToInclusive<T>, |RangeToInclusive { end }| Bound::Unbounded, Bound::Included(end);
    RangeFull, |_| Bound::Unbounded, Bound::Unbounded;
    (Bound<T>, Bound<T>), |(lower, upper)| lower, upper;
}

impl<T> From<RangeInclusive<T>> for Range<T> {
    fn from(range: RangeInclusive<T>) -> Self {
        let (start, end) = range.into_inner();
        Self::new(Bound::Included(start), Bound::Included(end))
    }
}

/// The format of PostgreSQL: `[1,5)`, `empty`.
impl<T: fmt::Display> fmt::Display for Range<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some((lower, upper)) = &self.0 else { return f.write_str("empty") };
        match lower {
            Bound::Included(value) => write!(f, "[{value},")?,
            Bound::Excluded(value) => write!(f, "({value},")?,
            Bound::Unbounded => f.write_str("(,")?,
        }
        match upper {
            Bound::Included(value) => write!(f, "{value}]"),
            Bound::Excluded(value) => write!(f, "{value})"),
            Bound::Unbounded => f.write_str(")"),
        }
    }
}

/// A multirange of PostgreSQL 14 and later: any number of ranges.
///
/// PostgreSQL sorts the ranges, merges those that overlap or touch, and leaves out empty ones.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Multirange<T>(pub Vec<Range<T>>);

impl<T> Default for Multirange<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T, R: Into<Range<T>>> FromIterator<R> for Multirange<T> {
    fn from_iter<I: IntoIterator<Item = R>>(ranges: I) -> Self {
        Self(ranges.into_iter().map(Into::into).collect())
    }
}

impl<T, R: Into<Range<T>>> From<R> for Multirange<T> {
    fn from(range: R) -> Self {
        Self(vec![range.into()])
    }
}

/// The values of ranges and multiranges.
pub trait RangeOf: Scalar {
    /// The type of a bound.
    type Bound: Scalar;
}

impl<T: Scalar> RangeOf for Range<T> {
    type Bound = T;
}

impl<T: Scalar> RangeOf for Multirange<T> {
    type Bound = T;
}

#[diagnostic::do_not_recommend]
impl<T: Scalar> Scalar for Range<T> {
    type Base = Self;

    fn decode(raw: &[u8]) -> Result<Self, BoxError> {
        decode(raw, T::decode)
    }

    fn decode_as(ty: &Type, raw: &[u8]) -> Result<Self, BoxError> {
        match below(ty).kind() {
            Kind::Range(bound) => decode(raw, |raw| T::decode_as(bound, raw)),
            _ => Self::decode(raw),
        }
    }

    fn into_param(self) -> Param {
        Param::Encoded(Encoded::new(RangeParam(self.map(T::into_param))))
    }

    fn accepts(ty: &Type) -> bool {
        matches!(ty.kind(), Kind::Range(bound) if T::accepts(bound))
    }
}

#[diagnostic::do_not_recommend]
impl<T: Scalar> Scalar for Multirange<T> {
    type Base = Self;

    fn decode(raw: &[u8]) -> Result<Self, BoxError> {
        decode_many(raw, |raw| decode(raw, T::decode))
    }

    fn decode_as(ty: &Type, raw: &[u8]) -> Result<Self, BoxError> {
        match below(ty).kind() {
            Kind::Multirange(bound) => decode_many(raw, |raw| decode(raw, |raw| T::decode_as(bound, raw))),
            _ => Self::decode(raw),
        }
    }

    fn into_param(self) -> Param {
        let ranges = self.0.into_iter().map(|range| RangeParam(range.map(T::into_param)));
        Param::Encoded(Encoded::new(MultirangeParam(ranges.collect())))
    }

    fn accepts(ty: &Type) -> bool {
        matches!(ty.kind(), Kind::Multirange(bound) if T::accepts(bound))
    }
}

fn decode<T>(raw: &[u8], value: impl Fn(&[u8]) -> Result<T, BoxError>) -> Result<Range<T>, BoxError> {
    let bound = |bound: wire::RangeBound<Option<&[u8]>>| {
        Ok::<_, BoxError>(match bound {
            wire::RangeBound::Inclusive(raw) => Bound::Included(value(raw.ok_or("a bound is null")?)?),
            wire::RangeBound::Exclusive(raw) => Bound::Excluded(value(raw.ok_or("a bound is null")?)?),
            wire::RangeBound::Unbounded => Bound::Unbounded,
        })
    };
    Ok(match wire::range_from_sql(raw)? {
        wire::Range::Empty => Range::EMPTY,
        wire::Range::Nonempty(lower, upper) => Range::new(bound(lower)?, bound(upper)?),
    })
}

/// A number of ranges, and each of them behind its length.
fn decode_many<T>(
    mut raw: &[u8],
    decode: impl Fn(&[u8]) -> Result<Range<T>, BoxError>,
) -> Result<Multirange<T>, BoxError> {
    let count = take_number(&mut raw)?;
    let mut ranges = Vec::new();
    for _ in 0..count {
        let length = take_number(&mut raw)?;
        let (range, rest) = raw.split_at_checked(length).ok_or(NOT_A_MULTIRANGE)?;
        raw = rest;
        ranges.push(decode(range)?);
    }
    Ok(Multirange(ranges))
}

const NOT_A_MULTIRANGE: &str = "it is not a multirange";

fn take_number(raw: &mut &[u8]) -> Result<usize, BoxError> {
    let (head, rest) = raw.split_first_chunk().ok_or(NOT_A_MULTIRANGE)?;
    *raw = rest;
    Ok(usize::try_from(i32::from_be_bytes(*head))?)
}

#[derive(Debug, PartialEq)]
struct RangeParam(Range<Param>);

impl RangeParam {
    fn encode(&self, bound: &Type, out: &mut BytesMut) -> Result<(), BoxError> {
        let Some((lower, upper)) = &self.0.0 else {
            wire::empty_range_to_sql(out);
            return Ok(());
        };
        let write = |side: &Bound<Param>, out: &mut BytesMut| {
            let mut value = |value: &Param| match value.to_sql(bound, out)? {
                IsNull::Yes => Err::<_, BoxError>("a bound of a range is null".into()),
                IsNull::No => Ok(postgres_protocol::IsNull::No),
            };
            Ok(match side {
                Bound::Included(side) => wire::RangeBound::Inclusive(value(side)?),
                Bound::Excluded(side) => wire::RangeBound::Exclusive(value(side)?),
                Bound::Unbounded => wire::RangeBound::Unbounded,
            })
        };
        wire::range_to_sql(|out| write(lower, out), |out| write(upper, out), out)
    }
}

impl ToSql for RangeParam {
    fn to_sql(&self, ty: &Type, out: &mut BytesMut) -> Result<IsNull, BoxError> {
        let Kind::Range(bound) = ty.kind() else {
            return Err(format!("a range was given for a value of type {ty}").into());
        };
        self.encode(bound, out)?;
        Ok(IsNull::No)
    }

    fn accepts(ty: &Type) -> bool {
        matches!(ty.kind(), Kind::Range(_))
    }

    to_sql_checked!();
}

#[derive(Debug, PartialEq)]
struct MultirangeParam(Vec<RangeParam>);

impl ToSql for MultirangeParam {
    fn to_sql(&self, ty: &Type, out: &mut BytesMut) -> Result<IsNull, BoxError> {
        let Kind::Multirange(bound) = ty.kind() else {
            return Err(format!("a multirange was given for a value of type {ty}").into());
        };
        out.put_i32(i32::try_from(self.0.len())?);
        for range in &self.0 {
            let start = out.len();
            out.put_i32(0);
            range.encode(bound, out)?;
            let length = i32::try_from(out.len() - start - 4)?;
            out[start..start + 4].copy_from_slice(&length.to_be_bytes());
        }
        Ok(IsNull::No)
    }

    fn accepts(ty: &Type) -> bool {
        matches!(ty.kind(), Kind::Multirange(_))
    }

    to_sql_checked!();
}

#[cfg(feature = "serde")]
mod serde_impls {
    use std::ops::Bound;

    use serde::de::Error as _;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use super::{Multirange, Range};
    use crate::value::text::AsText;

    /// `{"lower":1,"upper":5,"bounds":"[)"}`, in which null is no bound; `{"lower":null,"upper":null,"bounds":"empty"}`.
    #[derive(Serialize, Deserialize)]
    struct InJson<T> {
        lower: Option<T>,
        upper: Option<T>,
        bounds: String,
    }

    impl<T: Serialize> Serialize for Range<T> {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            let Some((lower, upper)) = &self.0 else {
                return InJson::<&T> { lower: None, upper: None, bounds: "empty".to_owned() }.serialize(serializer);
            };
            fn side<T>(bound: &Bound<T>, included: char, excluded: char) -> (Option<&T>, char) {
                match bound {
                    Bound::Included(value) => (Some(value), included),
                    Bound::Excluded(value) => (Some(value), excluded),
                    Bound::Unbounded => (None, excluded),
                }
            }
            let ((lower, left), (upper, right)) = (side(lower, '[', '('), side(upper, ']', ')'));
            InJson { lower, upper, bounds: format!("{left}{right}") }.serialize(serializer)
        }
    }

    impl<'de, T: Deserialize<'de>> Deserialize<'de> for Range<T> {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            let InJson { lower, upper, bounds } = InJson::deserialize(deserializer)?;
            let side = |value: Option<T>, is_included: bool| match value {
                None => Bound::Unbounded,
                Some(value) if is_included => Bound::Included(value),
                Some(value) => Bound::Excluded(value),
            };
            match bounds.as_str() {
                "empty" => Ok(Self::EMPTY),
                "[]" | "[)" | "(]" | "()" => {
                    Ok(Self::new(side(lower, bounds.starts_with('[')), side(upper, bounds.ends_with(']'))))
                }
                _ => Err(D::Error::custom("the bounds of a range are [], [), (], () or empty")),
            }
        }
    }

    /// For values without a format of serde: the text of PostgreSQL.
    impl<T: AsText> AsText for Range<T> {
        fn to_text(&self) -> Result<String, std::fmt::Error> {
            let Some((lower, upper)) = &self.0 else { return Ok("empty".to_owned()) };
            let (left, lower) = match lower {
                Bound::Included(value) => ('[', value.to_text()?),
                Bound::Excluded(value) => ('(', value.to_text()?),
                Bound::Unbounded => ('(', String::new()),
            };
            Ok(match upper {
                Bound::Included(value) => format!("{left}{lower},{}]", value.to_text()?),
                Bound::Excluded(value) => format!("{left}{lower},{})", value.to_text()?),
                Bound::Unbounded => format!("{left}{lower},)"),
            })
        }

        fn from_text(text: &str) -> Option<Self> {
            if text == "empty" {
                return Some(Self::EMPTY);
            }
            let (is_lower, is_upper) = (text.starts_with('['), text.ends_with(']'));
            let inner = text.strip_prefix(['[', '('])?.strip_suffix([']', ')'])?;
            let (lower, upper) = inner.split_once(',')?;
            let side = |text: &str, is_included: bool| match text {
                "" => Some(Bound::Unbounded),
                _ if is_included => T::from_text(text).map(Bound::Included),
                _ => T::from_text(text).map(Bound::Excluded),
            };
            Some(Self::new(side(lower, is_lower)?, side(upper, is_upper)?))
        }
    }

    impl<T: AsText> AsText for Multirange<T> {
        fn to_text(&self) -> Result<String, std::fmt::Error> {
            let ranges: Result<Vec<String>, _> = self.0.iter().map(AsText::to_text).collect();
            Ok(format!("{{{}}}", ranges?.join(";")))
        }

        fn from_text(text: &str) -> Option<Self> {
            let inner = text.strip_prefix('{')?.strip_suffix('}')?;
            let ranges = inner.split(';').filter(|range| !range.is_empty()).map(Range::from_text);
            ranges.collect::<Option<Vec<_>>>().map(Self)
        }
    }

    impl<T: Serialize> Serialize for Multirange<T> {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            self.0.serialize(serializer)
        }
    }

    impl<'de, T: Deserialize<'de>> Deserialize<'de> for Multirange<T> {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            Vec::deserialize(deserializer).map(Self)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent<T: Scalar>(value: T, ty: &Type) -> Result<T, BoxError> {
        let mut out = BytesMut::new();
        value.into_param().to_sql(ty, &mut out)?;
        T::decode_as(ty, &out)
    }

    #[test]
    fn ranges_survive_the_wire() {
        for range in [
            Range::EMPTY,
            Range::FULL,
            Range::from(1..5),
            Range::from(..=7),
            Range::new(Bound::Excluded(i32::MIN), Bound::Included(i32::MAX)),
        ] {
            assert_eq!(sent(range, &Type::INT4_RANGE).expect("is sent"), range);
            let many = Multirange(vec![range, range]);
            assert_eq!(sent(many.clone(), &Type::INT4MULTI_RANGE).expect("is sent"), many);
        }
        assert_eq!(sent(Multirange::<i32>::default(), &Type::INT4MULTI_RANGE).expect("is sent").0, Vec::new());
        assert!(sent(Range::from(1..2), &Type::INT4).is_err());
    }

    #[test]
    fn arbitrary_bytes_do_not_panic() {
        for length in 0..40 {
            for byte in [0_u8, 1, 2, 0x18, 0xff] {
                let raw = vec![byte; length];
                let _ = Range::<i32>::decode(&raw);
                let _ = Multirange::<i32>::decode(&raw);
            }
        }
    }
}
