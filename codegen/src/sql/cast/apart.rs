//! Which type changes keep values apart, and which keep equal ones equal.
//!
//! A unique key stays valid if values that differ still differ, and a foreign key if values that are equal are still
//! equal. For type changes that are not known here, neither is assumed.

use super::{is_integer, is_number, is_text};
use crate::ir::NativeType as N;
use crate::sql::data_type::DataType;
use crate::sql::state::Column;

/// Returns whether values that differ still differ in the new type.
pub(in crate::sql) fn keeps_apart(previous: &Column, next: &Column) -> bool {
    // Another collation may call two texts equal; the default one never does.
    let same_collation = next.collation.is_none() || next.collation == previous.collation;
    let same_elements = || match (&previous.ty, &next.ty) {
        (DataType::Native(from), DataType::Native(to)) => from == to || native_keeps_apart(*from, *to),
        // A label may end with a blank, or differ from another in its case.
        (DataType::Enum(_), DataType::Native(to)) => matches!(to, N::Text | N::VarChar(None)),
        (DataType::Enum(_) | DataType::Native(_), DataType::Enum(_)) => true,
        (from, to) => from == to,
    };
    let keeps_elements = match (previous.array, next.array) {
        (true, false) => false,
        (false, true) => previous.ty == next.ty || !is_cut_off(&next.ty),
        _ => true,
    };
    same_collation && keeps_elements && same_elements()
}

/// Returns whether an explicit cast, which a list needs, truncates a value that is too long.
fn is_cut_off(ty: &DataType) -> bool {
    matches!(ty, DataType::Native(N::VarChar(Some(_)) | N::Char(_) | N::Bit(_) | N::VarBit(Some(_))))
}

fn native_keeps_apart(from: N, to: N) -> bool {
    let precision = |digits: Option<u32>| digits.unwrap_or(6);
    match (from, to) {
        (_, N::Text | N::VarChar(None)) => true,
        (N::VarChar(Some(from)), N::VarChar(Some(to))) => from <= to,
        // Trailing blanks are removed without an error, or are not significant.
        (N::Text | N::VarChar(_) | N::Citext, N::VarChar(_) | N::Char(_)) => false,
        (N::JsonB | N::Json | N::Xml, _) if is_text(to) => false,
        (_, N::VarChar(_) | N::Char(_)) => true,
        (_, N::Citext) => !is_text(from),
        (_, N::ByteA) => is_text(from),
        // `01` and `1` are one number.
        _ if is_text(from) => false,
        _ if is_integer(from) && (is_integer(to) || matches!(to, N::Oid | N::Money | N::Decimal(_))) => true,
        (N::Oid, N::Integer | N::BigInt) => true,
        (N::SmallInt, N::Real) | (N::SmallInt | N::Integer | N::Real, N::DoublePrecision) => true,
        (N::Decimal(_) | N::Money, N::Decimal(None)) => true,
        (N::Decimal(Some((_, from))), N::Decimal(Some((_, to)))) => from <= to,
        (N::Money, N::Decimal(Some((_, scale)))) => scale >= 2,
        (N::Boolean, _) => is_number(to),
        (N::Timestamp(from) | N::Timestamptz(from), N::Timestamp(to) | N::Timestamptz(to))
        | (N::Time(from), N::Time(to) | N::Timetz(to))
        | (N::Timetz(from), N::Timetz(to)) => precision(from) <= precision(to),
        (N::Date, N::Timestamp(_) | N::Timestamptz(_)) => true,
        (N::Bit(_) | N::VarBit(_), N::Bit(_) | N::VarBit(_)) | (N::Bit(_), N::Integer | N::BigInt) => true,
        _ => false,
    }
}

/// Returns whether values that are equal are still equal, if both sides of a foreign key change in the same way.
pub(in crate::sql) fn keeps_together(previous: &Column, next: &Column) -> bool {
    let same_collation = previous.collation.is_none() || next.collation == previous.collation;
    let same_elements = match (&previous.ty, &next.ty) {
        (DataType::Native(from), DataType::Native(to)) => {
            // Equal values may have several spellings: `a` and `A`, 1.0 and 1.00, 0 and -0.
            let has_spellings = matches!(
                from,
                N::Citext
                    | N::Decimal(None)
                    | N::Real
                    | N::DoublePrecision
                    | N::Timetz(_)
                    | N::JsonB
                    | N::Json
                    | N::Xml
            );
            from == to || !has_spellings || is_number(*from) && is_number(*to)
        }
        (DataType::Enum(_), _) => true,
        (from, to) => from == to,
    };
    same_collation && same_elements
}

/// Returns whether each value is equal to its new value, so that a foreign key stays valid if only one of its sides
/// changes.
pub(in crate::sql) fn keeps_values(previous: &Column, next: &Column) -> bool {
    let is_kin = match (&previous.ty, &next.ty) {
        (DataType::Native(from), DataType::Native(to)) => {
            let are_numbers = is_number(*from) && is_number(*to);
            let are_texts = matches!((from, to), (N::Text | N::VarChar(_), N::Text | N::VarChar(_)));
            are_numbers || are_texts || std::mem::discriminant(from) == std::mem::discriminant(to)
        }
        (from, to) => from == to,
    };
    is_kin && keeps_apart(previous, next) && keeps_together(previous, next)
}

/// Returns whether an expression over the column has the same result as before. Of numbers, this holds only for
/// integers, because other types divide differently.
pub(in crate::sql) fn keeps_expressions(previous: &Column, next: &Column) -> bool {
    let divides_alike = match (&previous.ty, &next.ty) {
        (DataType::Native(from), DataType::Native(to)) => is_integer(*from) == is_integer(*to),
        _ => true,
    };
    divides_alike && previous.array == next.array && keeps_values(previous, next)
}
