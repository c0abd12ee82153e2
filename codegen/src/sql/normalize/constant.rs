//! Constants in defaults: which are values of the column's type, and which are converted by a cast.
//!
//! PostgreSQL prints `'x'::text` for a plain value, and `'pg_class'::regclass` for a value that is the result of a
//! cast.

use crate::ir::NativeType;
use crate::sql::data_type::{DataType, is_same_name};
use crate::sql::expression::Node;

/// Returns the value of a constant of the column's type: a string, a number or a boolean, with no cast that changes it.
pub(super) fn constant(node: &Node, ty: &DataType) -> Option<String> {
    match node {
        Node::Text(text) => Some(text.clone()),
        Node::Number(number) => fits(number, ty).then(|| number.clone()),
        Node::Name(name) if name == "true" || name == "false" => Some(name.clone()),
        Node::Op(op, args) if op == "-" => match args.as_slice() {
            [Node::Number(number)] => Some(format!("-{number}")).filter(|text| fits(text, ty)),
            _ => None,
        },
        Node::Cast(inner, cast) => {
            let through = DataType::parse(cast).0;
            let text = match &**inner {
                Node::Text(text) => text.clone(),
                // `1::bit(3)` is not the string `1` as a bit string.
                other => constant(other, &through).filter(|_| is_numeric(&through))?,
            };
            keeps(&text, cast, ty).then_some(text)
        }
        _ => None,
    }
}

/// Returns whether the column holds the number exactly: an integer column would round a fraction.
fn fits(number: &str, ty: &DataType) -> bool {
    kind(ty) != Some(Kind::Integer) || is_integer(number)
}

fn is_integer(text: &str) -> bool {
    text.strip_prefix('-').unwrap_or(text).bytes().all(|digit| digit.is_ascii_digit())
}

/// Types with the same text format of values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Integer,
    Decimal,
    Money,
    Float,
    Text,
    Bits,
}

fn kind(ty: &DataType) -> Option<Kind> {
    let DataType::Native(native) = ty else { return None };
    Some(match native {
        NativeType::SmallInt | NativeType::Integer | NativeType::BigInt | NativeType::Oid => Kind::Integer,
        NativeType::Decimal(_) => Kind::Decimal,
        NativeType::Money => Kind::Money,
        NativeType::Real | NativeType::DoublePrecision => Kind::Float,
        NativeType::Text | NativeType::VarChar(_) | NativeType::Char(_) | NativeType::Citext => Kind::Text,
        NativeType::Bit(_) | NativeType::VarBit(_) => Kind::Bits,
        _ => return None,
    })
}

fn is_numeric(ty: &DataType) -> bool {
    matches!(kind(ty), Some(Kind::Integer | Kind::Decimal | Kind::Money | Kind::Float))
}

/// Returns whether a string that is cast to one type is the same value of the other type. A length or precision in the
/// cast may truncate it.
fn keeps(text: &str, cast: &str, ty: &DataType) -> bool {
    let (cast_ty, is_array) = DataType::parse(cast);
    // `bpchar` and `"bit"` are the types without a length.
    let cast_ty = match cast.trim().trim_matches('"') {
        "bpchar" => DataType::Native(NativeType::Char(None)),
        "bit" => DataType::Native(NativeType::Bit(None)),
        _ => cast_ty,
    };
    if is_array {
        return false;
    }
    if cast.contains('(') {
        return cast_ty.is_same(ty) && is_within(text, ty);
    }
    match (kind(&cast_ty), kind(ty)) {
        (Some(Kind::Integer), Some(Kind::Integer | Kind::Decimal | Kind::Float | Kind::Money)) => is_integer(text),
        (Some(Kind::Decimal), Some(Kind::Decimal | Kind::Float | Kind::Money)) => true,
        (Some(Kind::Float), Some(Kind::Float)) => cast_ty == *ty,
        (Some(Kind::Text), Some(Kind::Text)) => {
            let is_padded = matches!(cast_ty, DataType::Native(NativeType::Char(_)));
            !is_padded || matches!(ty, DataType::Native(NativeType::Char(_))) || !text.ends_with(' ')
        }
        (Some(a), Some(b)) => a == b,
        _ => is_same_kind(&cast_ty, cast, ty),
    }
}

/// Returns whether a cast to the column's own type keeps the value. An assignment would refuse a longer one, but a cast
/// truncates it.
fn is_within(text: &str, ty: &DataType) -> bool {
    let length = text.chars().count();
    let fits = |limit: u32| length <= usize::try_from(limit).unwrap_or(usize::MAX);
    match ty {
        DataType::Native(NativeType::VarChar(limit) | NativeType::VarBit(limit)) => limit.is_none_or(fits),
        DataType::Native(NativeType::Char(limit)) => fits(limit.unwrap_or(1)),
        DataType::Native(NativeType::Bit(limit)) => length == usize::try_from(limit.unwrap_or(1)).unwrap_or(usize::MAX),
        _ => true,
    }
}

/// Returns whether an array that is cast to that type has the same values as one of the column's type.
pub(super) fn keeps_elements(cast: &str, ty: &DataType) -> bool {
    let (element, is_array) = DataType::parse(cast);
    let name = cast.trim().trim_end_matches("[]");
    is_array && (element.is_same(ty) || keeps("", name, ty))
}

/// Returns whether both are the same type, whatever the precision.
fn is_same_kind(cast_ty: &DataType, cast: &str, ty: &DataType) -> bool {
    match (cast_ty, ty) {
        (DataType::Native(a), DataType::Native(b)) => std::mem::discriminant(a) == std::mem::discriminant(b),
        (DataType::Native(_), _) => false,
        // The schema may be missing on one side.
        _ => is_same_name(cast, &ty.to_string()),
    }
}
