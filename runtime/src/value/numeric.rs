//! The digits of `numeric`, in groups of four decimal places, as a `BigDecimal`: every number except NaN and the
//! infinities.

use bigdecimal::BigDecimal;
use bigdecimal::num_bigint::{BigInt, Sign};
use bytes::{BufMut, BytesMut};

use super::BoxError;

const NEGATIVE: u16 = 0x4000;

/// PostgreSQL's maximum number of digits before the point.
const LONGEST: usize = 131_072;

/// PostgreSQL's maximum number of digits after the point.
const FINEST: i64 = 16_383;

pub(super) fn encode(value: &BigDecimal, out: &mut BytesMut) -> Result<(), BoxError> {
    let (number, scale) = value.as_bigint_and_exponent();
    let digits = number.magnitude().to_string();
    let zeros_behind = usize::try_from(scale.min(0).unsigned_abs())?;
    if scale > FINEST || zeros_behind > LONGEST || digits.len() + zeros_behind > LONGEST + FINEST as usize {
        return Err("the number has more digits than a numeric can hold".into());
    }
    let scale = usize::try_from(scale.max(0))?;
    let places = digits.len().max(scale + 1);
    let text = format!("{}{digits}{}", "0".repeat(places - digits.len()), "0".repeat(zeros_behind));
    let (whole, fraction) = text.split_at(text.len() - scale);
    let whole = format!("{}{whole}", "0".repeat(whole.len().next_multiple_of(4) - whole.len()));
    let fraction = format!("{fraction}{}", "0".repeat(fraction.len().next_multiple_of(4) - fraction.len()));
    let groups = whole.as_bytes().chunks(4).chain(fraction.as_bytes().chunks(4));
    let groups: Vec<i16> =
        groups.map(|group| group.iter().fold(0, |number, digit| number * 10 + i16::from(digit - b'0'))).collect();
    let first = groups.iter().position(|group| *group != 0).unwrap_or(groups.len());
    let behind_last = groups.iter().rposition(|group| *group != 0).map_or(first, |last| last + 1);
    let weight = i16::try_from(whole.len() / 4)? - 1 - i16::try_from(first)?;
    out.put_i16(i16::try_from(behind_last - first)?);
    out.put_i16(if first == behind_last { 0 } else { weight });
    out.put_u16(if number.sign() == Sign::Minus { NEGATIVE } else { 0 });
    out.put_u16(u16::try_from(scale)?);
    groups[first..behind_last].iter().for_each(|group| out.put_i16(*group));
    Ok(())
}

pub(super) fn decode(raw: &[u8]) -> Result<BigDecimal, BoxError> {
    let word = |index: usize| match raw.get(index..index + 2) {
        Some(&[high, low]) => Ok(u16::from_be_bytes([high, low])),
        _ => Err(BoxError::from("the number is cut off")),
    };
    let (count, weight, scale) = (word(0)?, word(2)?.cast_signed(), i64::from(word(6)?));
    let sign = match word(4)? {
        0 => Sign::Plus,
        NEGATIVE => Sign::Minus,
        _ => return Err("the number is NaN or infinite, which its Rust type cannot hold".into()),
    };
    let mut digits = String::with_capacity(usize::from(count) * 4);
    for index in 0..usize::from(count) {
        digits.push_str(&format!("{:04}", word(8 + index * 2)?));
    }
    let magnitude = BigInt::parse_bytes(digits.as_bytes(), 10).unwrap_or_default();
    let number = if sign == Sign::Minus { -magnitude } else { magnitude };
    // The last group is four places to the right of the one before it.
    let exponent = 4 * (i64::from(count) - i64::from(weight) - 1);
    Ok(BigDecimal::new(number, exponent).with_scale(scale))
}

#[cfg(test)]
mod tests {
    use std::str::FromStr;

    use super::*;

    #[test]
    fn numbers_survive_the_wire() {
        for text in [
            "0",
            "0.00",
            "1",
            "-1",
            "10000",
            "9999",
            "12345678.9",
            "0.0001",
            "0.00001",
            "-0.12340000",
            "1e20",
            "1e-20",
            "123456789012345678901234567890.123456789012345678901234567890",
            "100000000",
            "-99990000.0001",
        ] {
            let value = BigDecimal::from_str(text).expect("is a number");
            let mut out = BytesMut::new();
            encode(&value, &mut out).expect("encodes");
            assert_eq!(decode(&out).expect("decodes"), value, "{text}");
        }
        let mut out = BytesMut::new();
        assert!(encode(&BigDecimal::new(BigInt::from(1), 20_000), &mut out).is_err());
        assert!(encode(&BigDecimal::new(BigInt::from(1), -200_000), &mut out).is_err());
        assert!(decode(&[0, 0, 0, 0, 0xc0, 0, 0, 0]).is_err(), "NaN");
        assert!(decode(&[0, 9, 0, 0, 0, 0, 0, 0]).is_err(), "cut off");
    }
}
