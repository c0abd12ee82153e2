//! Keys whose values are equal for PostgreSQL although their bytes differ.

use std::borrow::Cow;

use super::{Column, Relation, Table};
use crate::value::integer;

/// How the bytes of a key are compared. What PostgreSQL calls equal has the same form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum KeyForm {
    /// As they are.
    Bytes,
    /// An integer that is widened to eight bytes, because the other side has another size.
    Integer,
    /// A text without case.
    Citext,
    /// 0 and -0 are equal, and so are all NaN.
    Float,
    /// `1.0` equals `1.00`.
    Numeric,
    /// A range of `numeric`.
    NumericRange,
    /// `1 month` equals `30 days`.
    Interval,
}

impl KeyForm {
    fn of(column: &Column) -> Self {
        match column.sql_type {
            "citext" => KeyForm::Citext,
            ty if ty.ends_with(".citext") => KeyForm::Citext,
            "real" | "double precision" => KeyForm::Float,
            "numeric" => KeyForm::Numeric,
            "numrange" => KeyForm::NumericRange,
            "interval" => KeyForm::Interval,
            _ => KeyForm::Bytes,
        }
    }

    /// Returns the bytes to compare.
    pub(crate) fn apply(self, raw: &[u8]) -> Cow<'_, [u8]> {
        let owned = match self {
            KeyForm::Bytes => None,
            KeyForm::Integer => integer(raw).map(|number| number.to_be_bytes().to_vec()),
            KeyForm::Citext => std::str::from_utf8(raw).ok().map(|text| text.to_lowercase().into_bytes()),
            KeyForm::Float => float(raw),
            KeyForm::Numeric => numeric(raw),
            KeyForm::NumericRange => numeric_range(raw),
            KeyForm::Interval => interval(raw),
        };
        owned.map_or(Cow::Borrowed(raw), Cow::Owned)
    }
}

impl Relation {
    /// Returns the form of each column of the key; an empty list if all are compared as they are.
    pub(crate) fn key_forms(&self, parent: &Table) -> Vec<KeyForm> {
        let is_integer = |sql: &str| matches!(sql, "smallint" | "integer" | "bigint");
        let form = |(ours, theirs): (&u16, &u16)| {
            let (ours, theirs) = (&parent.columns[usize::from(*ours)], &self.child.columns[usize::from(*theirs)]);
            let differ = self.through.is_none() && ours.sql_type != theirs.sql_type;
            match differ && is_integer(ours.sql_type) && is_integer(theirs.sql_type) {
                true => KeyForm::Integer,
                false => KeyForm::of(ours),
            }
        };
        let pairs = self.parent_columns.iter().zip(self.child_columns);
        if pairs.clone().all(|pair| form(pair) == KeyForm::Bytes) { Vec::new() } else { pairs.map(form).collect() }
    }
}

fn float(raw: &[u8]) -> Option<Vec<u8>> {
    let value = match raw.len() {
        4 => f64::from(f32::from_be_bytes(raw.try_into().ok()?)),
        _ => f64::from_be_bytes(raw.try_into().ok()?),
    };
    let value = if value == 0.0 { 0.0 } else { value };
    let value = if value.is_nan() { f64::NAN } else { value };
    Some(value.to_be_bytes().to_vec())
}

/// A count of digits to the base 10,000, the weight of the first, the sign, the number of decimal places, and the digits.
fn numeric(raw: &[u8]) -> Option<Vec<u8>> {
    let (head, digits) = raw.split_first_chunk::<8>()?;
    let mut weight = i16::from_be_bytes([head[2], head[3]]);
    let mut digits: Vec<[u8; 2]> = digits.chunks_exact(2).filter_map(|digit| digit.try_into().ok()).collect();
    while digits.last() == Some(&[0, 0]) {
        digits.pop();
    }
    let zeros = digits.iter().take_while(|digit| **digit == [0, 0]).count();
    weight = weight.wrapping_sub(i16::try_from(zeros).ok()?);
    digits.drain(..zeros);
    let sign = [head[4], head[5]];
    let is_number = matches!(sign, [0, 0] | [0x40, 0]);
    if is_number && digits.is_empty() {
        return Some(Vec::new());
    }
    Some([sign.to_vec(), weight.to_be_bytes().to_vec(), digits.concat()].concat())
}

/// The flags of the range, and each bound behind its length.
fn numeric_range(raw: &[u8]) -> Option<Vec<u8>> {
    let (flags, mut rest) = raw.split_first()?;
    let mut form = vec![*flags];
    while let Some((length, behind)) = rest.split_first_chunk() {
        let (bound, behind) = behind.split_at_checked(usize::try_from(i32::from_be_bytes(*length)).ok()?)?;
        let bound = numeric(bound)?;
        form.push(u8::try_from(bound.len()).unwrap_or(u8::MAX));
        form.extend(bound);
        rest = behind;
    }
    Some(form)
}

/// Microseconds, days of 24 hours, and months of 30 days.
fn interval(raw: &[u8]) -> Option<Vec<u8>> {
    let (microseconds, rest) = raw.split_first_chunk::<8>()?;
    let (days, months) = rest.split_first_chunk::<4>()?;
    let days = i128::from(i32::from_be_bytes(*days)) + 30 * i128::from(i32::from_be_bytes(months.try_into().ok()?));
    let length = i128::from(i64::from_be_bytes(*microseconds)) + days * 86_400_000_000;
    Some(length.to_be_bytes().to_vec())
}

#[cfg(test)]
mod tests {
    use super::KeyForm;

    #[test]
    fn what_postgresql_calls_equal_has_one_form() {
        let same = |form: KeyForm, one: &[u8], other: &[u8]| form.apply(one) == form.apply(other);
        assert!(same(KeyForm::Integer, &[0, 7], &[0, 0, 0, 7]));
        assert!(same(KeyForm::Citext, "ABCÄ".as_bytes(), "abcä".as_bytes()));
        assert!(same(KeyForm::Float, &(-0.0_f64).to_be_bytes(), &0.0_f64.to_be_bytes()));
        assert!(same(KeyForm::Float, &1.5_f32.to_be_bytes(), &1.5_f64.to_be_bytes()));
        // 1.0 and 1.00, and 10000 with and without a digit of zeros.
        assert!(same(KeyForm::Numeric, &[0, 1, 0, 0, 0, 0, 0, 1, 0, 1], &[0, 1, 0, 0, 0, 0, 0, 2, 0, 1]));
        assert!(same(KeyForm::Numeric, &[0, 2, 0, 1, 0, 0, 0, 0, 0, 1, 0, 0], &[0, 1, 0, 1, 0, 0, 0, 0, 0, 1]));
        assert!(!same(KeyForm::Numeric, &[0, 1, 0, 1, 0, 0, 0, 0, 0, 1], &[0, 1, 0, 0, 0, 0, 0, 0, 0, 1]));
        let interval = |microseconds: i64, days: i32, months: i32| {
            [microseconds.to_be_bytes().to_vec(), days.to_be_bytes().to_vec(), months.to_be_bytes().to_vec()].concat()
        };
        assert!(same(KeyForm::Interval, &interval(0, 0, 1), &interval(0, 30, 0)));
        assert!(same(KeyForm::Interval, &interval(86_400_000_000, 0, 0), &interval(0, 1, 0)));
        for form in [
            KeyForm::Integer,
            KeyForm::Citext,
            KeyForm::Float,
            KeyForm::Numeric,
            KeyForm::NumericRange,
            KeyForm::Interval,
        ] {
            for length in 0..20 {
                let _ = form.apply(&vec![0xff; length]);
            }
        }
    }
}
