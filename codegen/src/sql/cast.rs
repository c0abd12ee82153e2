//! Type changes of columns: how values are converted, what that costs, and what may go wrong.
//!
//! Measured on PostgreSQL 15: which casts are automatic, which need `USING`, and which neither rewrite nor scan the
//! table.

mod apart;

use crate::ir::NativeType as N;
use crate::sql::data_type::DataType;
use crate::sql::quote::ident;
use crate::sql::state::Column;

pub(super) use apart::{keeps_apart, keeps_expressions, keeps_together, keeps_values};

/// The work of a step on the rows of its table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Work {
    /// None: the duration does not depend on the size of the table.
    None,
    /// All rows are read, or an index is built.
    Scan,
    /// All rows and indexes are rewritten.
    Rewrite,
}

/// The risk of a conversion.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Risk {
    None,
    /// PostgreSQL refuses the statement if a value cannot be converted.
    MayFail(&'static str),
    /// Values change silently.
    Loses(&'static str),
}

/// A type change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Cast {
    /// The expression of `USING`, if PostgreSQL needs one.
    pub(super) using: Option<String>,
    pub(super) work: Work,
    pub(super) risk: Risk,
}

const DOES_NOT_PARSE: Risk = Risk::MayFail("values that cannot be parsed as the new type");
const TOO_LONG: Risk = Risk::MayFail("values that are too long");
const OUT_OF_RANGE: Risk = Risk::MayFail("values that are out of range");

const DOMAIN_REFUSES: Risk = Risk::MayFail("values that the domain refuses");

/// Returns how the values of `previous` are converted to `next`.
pub(super) fn cast(previous: &Column, next: &Column) -> Cast {
    let cast = cast_bases(previous, next);
    // A domain with a constraint checks each value, and PostgreSQL rewrites the table for this.
    match &next.options.domain {
        Some(_) if previous.options.domain != next.options.domain => {
            let risk = if cast.risk == Risk::None { DOMAIN_REFUSES } else { cast.risk };
            Cast { work: Work::Rewrite, risk, ..cast }
        }
        _ => cast,
    }
}

/// Returns how values are converted from one type below a domain to another.
fn cast_bases(previous: &Column, next: &Column) -> Cast {
    let name = ident(&next.name);
    let ty = &next.ty;
    match (previous.array, next.array) {
        (false, false) => cast_scalar(&name, &previous.ty, ty),
        (true, true) => {
            let element = cast_scalar(&name, &previous.ty, ty);
            let using = element.using.is_some().then(|| format!("{name}::text[]::{ty}[]"));
            Cast { using, ..element }
        }
        (false, true) => {
            let element = cast_scalar(&name, &previous.ty, ty);
            let value = element.using.as_deref().unwrap_or(&name);
            let using = format!("CASE WHEN {name} IS NULL THEN NULL ELSE ARRAY[{value}]::{ty}[] END");
            // The explicit cast cuts off what does not fit.
            let risk =
                if element.risk == TOO_LONG { Risk::Loses("what is longer than the limit") } else { element.risk };
            Cast { using: Some(using), work: Work::Rewrite, risk }
        }
        (true, false) => {
            let element = cast_scalar(&format!("({name})[1]"), &previous.ty, ty);
            let value = element.using.unwrap_or_else(|| format!("({name})[1]::{ty}"));
            Cast { using: Some(value), work: Work::Rewrite, risk: Risk::Loses("all elements but the first") }
        }
    }
}

fn cast_scalar(value: &str, previous: &DataType, next: &DataType) -> Cast {
    let rewrite = |using: Option<String>, risk| Cast { using, work: Work::Rewrite, risk };
    let free = Cast { using: None, work: Work::None, risk: Risk::None };
    match (previous, next) {
        // A replaced enum has the same name, but is a different type.
        (DataType::Native(from), DataType::Native(to)) if from == to => free,
        (DataType::Native(from), DataType::Native(to)) => cast_native(value, *from, *to, next),
        (DataType::Enum(_), DataType::Enum(_)) => {
            rewrite(Some(format!("{value}::text::{next}")), Risk::MayFail("values that the new enum does not have"))
        }
        (DataType::Enum(_), DataType::Native(to)) if is_text(*to) => rewrite(None, text_risk(None, *to)),
        (_, DataType::Enum(_)) => {
            rewrite(Some(format!("{value}::text::{next}")), Risk::MayFail("values that the enum does not have"))
        }
        (previous, next) if previous == next => free,
        (DataType::Other(_), DataType::Native(to)) if is_text(*to) => rewrite(None, text_risk(None, *to)),
        (previous, next) if has_cast(previous, next) => rewrite(Some(format!("{value}::{next}")), DOES_NOT_PARSE),
        _ => rewrite(Some(format!("{value}::text::{next}")), DOES_NOT_PARSE),
    }
}

/// Returns whether PostgreSQL or an extension casts between two types that are no scalars, so that a value need not be
/// parsed from its text.
fn has_cast(previous: &DataType, next: &DataType) -> bool {
    let name = |ty: &DataType| {
        let text = ty.to_string().to_ascii_lowercase();
        let plain = text.split('(').next().unwrap_or_default().trim();
        plain.rsplit('.').next().unwrap_or_default().trim_matches('"').to_owned()
    };
    let (from, to) = (name(previous), name(next));
    let is_multirange = from.strip_suffix("range").is_some_and(|bound| to == format!("{bound}multirange"));
    is_multirange
        || from == to
        || matches!(
            (from.as_str(), to.as_str()),
            ("hstore", "json" | "jsonb")
                | ("inet", "cidr")
                | ("cidr", "inet")
                | ("macaddr", "macaddr8")
                | ("macaddr8", "macaddr")
                | ("vector", "halfvec" | "sparsevec")
                | ("halfvec", "vector" | "sparsevec")
                | ("sparsevec", "vector" | "halfvec")
                | ("geometry", "geography")
                | ("geography", "geometry")
        )
}

fn cast_native(value: &str, from: N, to: N, next: &DataType) -> Cast {
    let using = using(value, from, to, next);
    let work = if using.is_none() { work(from, to) } else { Work::Rewrite };
    Cast { using, work, risk: risk(from, to) }
}

/// Returns `None` if PostgreSQL casts automatically.
fn using(value: &str, from: N, to: N, next: &DataType) -> Option<String> {
    let explicit = Some(format!("{value}::{next}"));
    let by_text = Some(format!("{value}::text::{next}"));
    match (from, to) {
        (N::Timestamp(_), N::Timestamptz(_)) | (N::Timestamptz(_), N::Timestamp(_)) => {
            // Prisma stores UTC in both. Otherwise, the session's time zone would be applied.
            Some(format!("{value} AT TIME ZONE 'UTC'"))
        }
        (N::Timestamptz(_), N::Date | N::Time(_)) => Some(format!("({value} AT TIME ZONE 'UTC')::{next}")),
        (N::Boolean, N::Integer) | (N::Bit(_), N::Integer | N::BigInt) => explicit,
        (N::Boolean, _) if is_number(to) => Some(format!("{value}::integer::{next}")),
        (_, N::Boolean) if is_number(from) => Some(format!("{value} <> 0")),
        (N::Money, _) if is_number(to) && !matches!(to, N::Decimal(_)) => Some(format!("{value}::numeric::{next}")),
        (N::Real | N::DoublePrecision, N::Money) => Some(format!("{value}::numeric::{next}")),
        (_, N::Citext) if !is_text(from) => by_text,
        (_, N::ByteA) if is_text(from) => Some(format!("convert_to({value}, 'UTF8')")),
        _ if is_text(to) || casts_by_itself(from, to) => None,
        _ if is_text(from) => explicit,
        _ => by_text,
    }
}

fn is_text(ty: N) -> bool {
    matches!(ty, N::Text | N::VarChar(_) | N::Char(_) | N::Citext)
}

/// Returns whether a collation applies to the type.
pub(super) fn has_collation(column: &Column) -> bool {
    matches!(column.ty, DataType::Native(ty) if is_text(ty))
}

fn is_integer(ty: N) -> bool {
    matches!(ty, N::SmallInt | N::Integer | N::BigInt)
}

fn is_number(ty: N) -> bool {
    is_integer(ty) || matches!(ty, N::Decimal(_) | N::Real | N::DoublePrecision)
}

/// Returns whether PostgreSQL has an implicit or assignment cast between the types.
fn casts_by_itself(from: N, to: N) -> bool {
    if std::mem::discriminant(&from) == std::mem::discriminant(&to) || (is_number(from) && is_number(to)) {
        return true;
    }
    matches!(
        (from, to),
        (N::Integer | N::BigInt, N::Oid | N::Money)
            | (N::SmallInt, N::Oid)
            | (N::Oid, N::Integer | N::BigInt)
            | (N::Decimal(_), N::Money)
            | (N::Money, N::Decimal(_))
            | (N::Timestamp(_), N::Date | N::Time(_))
            | (N::Timestamptz(_), N::Timetz(_))
            | (N::Date, N::Timestamp(_) | N::Timestamptz(_))
            | (N::Time(_), N::Timetz(_))
            | (N::Timetz(_), N::Time(_))
            | (N::Json, N::JsonB)
            | (N::JsonB, N::Json)
            | (N::Bit(_), N::VarBit(_))
            | (N::VarBit(_), N::Bit(_))
    )
}

/// Returns the work on the rows.
fn work(from: N, to: N) -> Work {
    let grows = |from: Option<u32>, to: Option<u32>| to.is_none_or(|to| from.is_some_and(|from| from <= to));
    let is_free = match (from, to) {
        (N::VarChar(from), N::VarChar(to)) | (N::VarBit(from), N::VarBit(to)) => grows(from, to),
        (N::VarChar(_), N::Text) | (N::Text, N::VarChar(None)) | (N::Integer, N::Oid) | (N::Oid, N::Integer) => true,
        (N::Timestamp(from), N::Timestamp(to))
        | (N::Timestamptz(from), N::Timestamptz(to))
        | (N::Time(from), N::Time(to))
        | (N::Timetz(from), N::Timetz(to)) => grows(from.or(Some(6)), to.or(Some(6))),
        (N::Decimal(_), N::Decimal(None)) => true,
        (N::Decimal(Some((precision, scale))), N::Decimal(Some((wider, same)))) => scale == same && wider >= precision,
        _ => false,
    };
    match (from, to) {
        _ if is_free => Work::None,
        (N::Text | N::VarChar(_), N::Citext) | (N::Citext, N::Text | N::VarChar(None)) => Work::Scan,
        _ => Work::Rewrite,
    }
}

fn risk(from: N, to: N) -> Risk {
    let integer_width = |ty| match ty {
        N::SmallInt => 5_u32,
        N::Integer => 10,
        _ => 19,
    };
    match (from, to) {
        _ if is_text(to) => text_risk(Some(from), to),
        _ if is_text(from) && to == N::ByteA => Risk::None,
        // So does the explicit cast here.
        (_, N::Bit(_) | N::VarBit(Some(_))) if is_text(from) => {
            Risk::Loses("bits beyond its length, or fails for values that cannot be parsed as the new type")
        }
        _ if is_text(from) => DOES_NOT_PARSE,
        _ if is_integer(from) && is_integer(to) => {
            if integer_width(from) <= integer_width(to) {
                Risk::None
            } else {
                OUT_OF_RANGE
            }
        }
        // PostgreSQL rounds to the digits that the type has for certain.
        (N::Real, N::Decimal(None)) => Risk::Loses("digits after the sixth"),
        (N::DoublePrecision, N::Decimal(None)) => Risk::Loses("digits after the fifteenth"),
        (_, N::Decimal(None)) if is_number(from) => Risk::None,
        (_, N::Money) if is_integer(from) => OUT_OF_RANGE,
        (_, N::Money) if is_number(from) => Risk::Loses("decimal places, or fails out of range"),
        (N::Money, N::Decimal(None)) => Risk::None,
        (N::Money, _) if is_number(to) => Risk::Loses("decimal places, or fails out of range"),
        (N::Decimal(Some((old, old_scale))), N::Decimal(Some((new, scale)))) => {
            let is_narrower = i64::from(new) - i64::from(scale) < i64::from(old) - i64::from(old_scale);
            match (is_narrower, scale < old_scale) {
                (true, true) => Risk::Loses("decimal places, or fails out of range"),
                (true, false) => OUT_OF_RANGE,
                (false, true) => Risk::Loses("decimal places"),
                (false, false) => Risk::None,
            }
        }
        (_, N::Decimal(Some((new, scale)))) if is_integer(from) => {
            if new.saturating_sub(scale) >= integer_width(from) {
                Risk::None
            } else {
                OUT_OF_RANGE
            }
        }
        (N::SmallInt, N::Real | N::DoublePrecision) | (N::Integer, N::DoublePrecision) => Risk::None,
        (N::Real, N::DoublePrecision) => Risk::None,
        (_, N::Real | N::DoublePrecision) if is_number(from) => Risk::Loses("digits beyond its precision"),
        (_, N::Boolean) if is_number(from) => Risk::Loses("the number itself"),
        (N::Boolean, _) if is_number(to) => Risk::None,
        _ if is_number(from) && is_number(to) => Risk::Loses("decimal places, or fails out of range"),
        (N::Timestamp(_) | N::Timestamptz(_), N::Date) => Risk::Loses("the time of day"),
        (N::Timestamp(_) | N::Timestamptz(_), N::Time(_) | N::Timetz(_)) => Risk::Loses("the date"),
        (N::Timestamp(from), N::Timestamp(to) | N::Timestamptz(to))
        | (N::Timestamptz(from), N::Timestamptz(to) | N::Timestamp(to))
        | (N::Time(from), N::Time(to) | N::Timetz(to))
        | (N::Timetz(from), N::Timetz(to)) => {
            if from.unwrap_or(6) <= to.unwrap_or(6) {
                Risk::None
            } else {
                Risk::Loses("fractions of seconds")
            }
        }
        (N::Timetz(_), N::Time(_)) => Risk::Loses("the time zone"),
        (N::Date, N::Timestamp(_) | N::Timestamptz(_)) => Risk::None,
        (N::JsonB, N::Json) => Risk::None,
        (N::Json, N::JsonB) => Risk::Loses("spaces, the order of keys and repeated keys"),
        (N::Integer | N::BigInt, N::Oid) => OUT_OF_RANGE,
        (N::Oid, N::Integer | N::BigInt) => Risk::None,
        (N::VarBit(from), N::VarBit(to)) => {
            if to.is_none_or(|to| from.is_some_and(|from| from <= to)) {
                Risk::None
            } else {
                TOO_LONG
            }
        }
        (N::Bit(_) | N::VarBit(_), N::Bit(_)) => Risk::MayFail("values of another length"),
        (N::Bit(from), N::VarBit(to)) => {
            if to.is_none_or(|to| from.unwrap_or(1) <= to) {
                Risk::None
            } else {
                TOO_LONG
            }
        }
        _ => DOES_NOT_PARSE,
    }
}

/// Returns the risk for text of a limited length.
fn text_risk(from: Option<N>, to: N) -> Risk {
    let limit = match to {
        N::VarChar(limit) => limit,
        N::Char(limit) => Some(limit.unwrap_or(1)),
        _ => None,
    };
    let Some(limit) = limit else {
        return if from == Some(N::ByteA) { Risk::Loses("the bytes; the text is hexadecimal") } else { Risk::None };
    };
    let longest = match from {
        Some(N::VarChar(length)) => length,
        Some(N::Char(length)) => Some(length.unwrap_or(1)),
        Some(N::SmallInt) => Some(6),
        Some(N::Integer) => Some(11),
        Some(N::BigInt) => Some(20),
        Some(N::Boolean) => Some(5),
        Some(N::Uuid) => Some(36),
        Some(N::Oid) => Some(10),
        Some(N::Decimal(Some((precision, scale)))) => Some(precision + 1 + u32::from(scale > 0) * 2),
        Some(N::Bit(length)) => Some(length.unwrap_or(1)),
        Some(N::VarBit(length)) => length,
        _ => None,
    };
    if longest.is_some_and(|longest| longest <= limit) { Risk::None } else { TOO_LONG }
}

#[cfg(test)]
mod tests {
    use super::{Cast, Risk, Work, cast};
    use crate::ir::NativeType as N;
    use crate::sql::{Column, ColumnOptions, DataType};

    fn column(ty: N, array: bool) -> Column {
        Column {
            name: "c".to_owned(),
            ty: DataType::Native(ty),
            array,
            nullable: true,
            default: None,
            identity: None,
            generated: None,
            collation: None,
            used_by: Vec::new(),
            grants: Vec::new(),
            options: ColumnOptions::default(),
        }
    }

    fn scalar(from: N, to: N) -> Cast {
        cast(&column(from, false), &column(to, false))
    }

    #[test]
    fn widening_is_free_where_postgresql_says_so() {
        for (from, to) in [
            (N::VarChar(Some(10)), N::VarChar(Some(20))),
            (N::VarChar(Some(10)), N::Text),
            (N::Text, N::VarChar(None)),
            (N::Decimal(Some((10, 2))), N::Decimal(Some((12, 2)))),
            (N::Timestamp(Some(3)), N::Timestamp(None)),
        ] {
            assert_eq!(scalar(from, to), Cast { using: None, work: Work::None, risk: Risk::None }, "{from:?} {to:?}");
        }
        assert_eq!(scalar(N::Integer, N::BigInt), Cast { using: None, work: Work::Rewrite, risk: Risk::None });
        assert_eq!(scalar(N::Text, N::VarChar(Some(10))).work, Work::Rewrite);
    }

    #[test]
    fn values_are_kept_by_an_expression_where_there_is_no_cast() {
        let using = |from, to| scalar(from, to).using;
        assert_eq!(using(N::Text, N::Integer).as_deref(), Some("\"c\"::INTEGER"));
        assert_eq!(using(N::Boolean, N::Integer).as_deref(), Some("\"c\"::INTEGER"));
        assert_eq!(using(N::Integer, N::Boolean).as_deref(), Some("\"c\" <> 0"));
        assert_eq!(using(N::Timestamp(Some(3)), N::Timestamptz(Some(6))).as_deref(), Some("\"c\" AT TIME ZONE 'UTC'"));
        assert_eq!(using(N::Uuid, N::Text), None);
        let list = cast(&column(N::Text, false), &column(N::Text, true)).using;
        assert_eq!(list.as_deref(), Some("CASE WHEN \"c\" IS NULL THEN NULL ELSE ARRAY[\"c\"]::TEXT[] END"));
    }

    #[test]
    fn what_prisma_calls_safe_and_is_not() {
        assert_eq!(scalar(N::Uuid, N::VarChar(Some(32))).risk, super::TOO_LONG);
        assert_eq!(scalar(N::SmallInt, N::VarChar(Some(4))).risk, super::TOO_LONG);
        assert_eq!(scalar(N::SmallInt, N::Decimal(Some((3, 0)))).risk, super::OUT_OF_RANGE);
        assert_eq!(scalar(N::Boolean, N::VarChar(Some(4))).risk, super::TOO_LONG);
        assert!(matches!(scalar(N::Timestamp(Some(3)), N::Date).risk, Risk::Loses(_)));
        assert!(matches!(scalar(N::ByteA, N::Text).risk, Risk::Loses(_)));
    }
}
