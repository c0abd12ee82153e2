//! Literals of the scalar types.

use crate::ir::{Literal, NativeType, ScalarType};
use crate::syntax::Expression;

/// Returns the literal, or what should be written instead.
pub(in crate::lower) fn literal(scalar: ScalarType, value: &Expression<'_>) -> Result<Literal, &'static str> {
    match (scalar, value) {
        (ScalarType::Int | ScalarType::BigInt, Expression::Number(number)) if number.text.parse::<i64>().is_ok() => {
            Ok(Literal::Number(number.text.to_owned()))
        }
        (ScalarType::Float | ScalarType::Decimal, Expression::Number(number)) => {
            Ok(Literal::Number(number.text.to_owned()))
        }
        (ScalarType::Boolean, Expression::Constant(word)) if matches!(word.text, "true" | "false") => {
            Ok(Literal::Boolean(word.text == "true"))
        }
        (_, Expression::String(text)) if is_literal(scalar, &text.value) => Ok(if scalar == ScalarType::Decimal {
            Literal::Number(text.value.trim().to_owned())
        } else {
            Literal::String(text.value.clone().into_owned())
        }),
        _ => Err(expected(scalar)),
    }
}

fn expected(scalar: ScalarType) -> &'static str {
    match scalar {
        ScalarType::String => "a string in double quotes",
        ScalarType::Boolean => "`true` or `false`",
        ScalarType::Int | ScalarType::BigInt => "a whole number such as `12`",
        ScalarType::Float => "a number such as `0.5`",
        ScalarType::Decimal => "a number such as `0.5` or `\"0.5\"`",
        ScalarType::DateTime => "`now()`, or a timestamp such as `\"2026-01-31T12:00:00Z\"`",
        ScalarType::Json => "JSON in a string, such as `\"{}\"`",
        ScalarType::Bytes => "bytes as base64 in a string, such as `\"AQID\"`",
    }
}

fn is_literal(scalar: ScalarType, text: &str) -> bool {
    match scalar {
        ScalarType::String => true,
        ScalarType::Decimal => is_decimal(text),
        ScalarType::DateTime => is_moment(text),
        ScalarType::Json => is_json(text),
        ScalarType::Bytes => is_base64(text),
        ScalarType::Boolean | ScalarType::Int | ScalarType::BigInt | ScalarType::Float => false,
    }
}

/// Returns the range of an integer column, with its name in SQL.
pub(super) fn integer_range(native: NativeType) -> Option<(&'static str, i64, i64)> {
    match native {
        NativeType::SmallInt => Some(("SMALLINT", i64::from(i16::MIN), i64::from(i16::MAX))),
        NativeType::Integer => Some(("INTEGER", i64::from(i32::MIN), i64::from(i32::MAX))),
        NativeType::Oid => Some(("OID", 0, i64::from(u32::MAX))),
        _ => None,
    }
}

/// Returns whether the text has digits, with an optional sign, point and exponent.
pub(in crate::lower) fn is_decimal(text: &str) -> bool {
    let text = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (number, exponent) = match text.split_once(['e', 'E']) {
        Some((number, exponent)) => (number, Some(exponent)),
        None => (text, None),
    };
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let exponent_fits = exponent.is_none_or(|exponent| {
        let digits_only = exponent.strip_prefix(['-', '+']).unwrap_or(exponent);
        !digits_only.is_empty() && digits(digits_only)
    });
    !(whole.is_empty() && fraction.is_empty()) && digits(whole) && digits(fraction) && exponent_fits
}

/// Returns whether the text is a timestamp in the format of RFC 3339: date, `T`, time with seconds, and `Z` or an
/// offset.
pub(in crate::lower) fn is_moment(text: &str) -> bool {
    let bytes = text.as_bytes();
    if !text.is_ascii() || bytes.len() < 20 {
        return false;
    }
    let number = |from: usize, to: usize| text[from..to].parse::<u32>().ok().filter(|_| bytes[from].is_ascii_digit());
    let separators = bytes[4] == b'-'
        && bytes[7] == b'-'
        && matches!(bytes[10], b'T' | b't' | b' ')
        && bytes[13] == b':'
        && bytes[16] == b':';
    let (Some(year), Some(month), Some(day)) = (number(0, 4), number(5, 7), number(8, 10)) else { return false };
    let (Some(hour), Some(minute), Some(second)) = (number(11, 13), number(14, 16), number(17, 19)) else {
        return false;
    };
    let mut rest = &text[19..];
    if let Some(fraction) = rest.strip_prefix('.') {
        let digits = fraction.bytes().take_while(u8::is_ascii_digit).count();
        if digits == 0 {
            return false;
        }
        rest = &fraction[digits..];
    }
    separators
        && (1..=12).contains(&month)
        && (1..=days_in(year, month)).contains(&day)
        && hour < 24
        && minute < 60
        && second <= 60
        && is_offset(rest)
}

fn days_in(year: u32, month: u32) -> u32 {
    match month {
        2 if year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400)) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

fn is_offset(text: &str) -> bool {
    if matches!(text, "Z" | "z") {
        return true;
    }
    let Some(offset) = text.strip_prefix(['+', '-']) else { return false };
    let Some((hours, minutes)) = offset.split_once(':') else { return false };
    let two = |text: &str, most: u32| {
        text.len() == 2
            && text.bytes().all(|byte| byte.is_ascii_digit())
            && text.parse::<u32>().is_ok_and(|n| n <= most)
    };
    two(hours, 23) && two(minutes, 59)
}

pub(in crate::lower) fn is_base64(text: &str) -> bool {
    let data = text.trim_end_matches('=');
    let padding = text.len() - data.len();
    let known = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'+' || byte == b'/';
    text.len().is_multiple_of(4) && padding <= 2 && data.bytes().all(known)
}

/// Returns whether the text is one JSON value. Does not recurse, so no depth can overflow the stack.
fn is_json(text: &str) -> bool {
    let mut json = Json { bytes: text.as_bytes(), at: 0 };
    let mut open: Vec<u8> = Vec::new();
    loop {
        json.skip_blanks();
        match json.peek() {
            Some(bracket @ (b'[' | b'{')) => {
                json.at += 1;
                json.skip_blanks();
                let close = if bracket == b'[' { b']' } else { b'}' };
                if json.peek() != Some(close) {
                    open.push(bracket);
                    if bracket == b'{' && !json.key() {
                        return false;
                    }
                    continue;
                }
                json.at += 1;
            }
            _ if json.scalar() => {}
            _ => return false,
        }
        // A value has ended, so what follows belongs to the enclosing brackets.
        loop {
            json.skip_blanks();
            match (open.last(), json.peek()) {
                (None, next) => return next.is_none(),
                (Some(bracket), Some(b',')) => {
                    json.at += 1;
                    if *bracket == b'{' && !json.key() {
                        return false;
                    }
                    break;
                }
                (Some(b'['), Some(b']')) | (Some(b'{'), Some(b'}')) => {
                    json.at += 1;
                    open.pop();
                }
                _ => return false,
            }
        }
    }
}

struct Json<'t> {
    bytes: &'t [u8],
    at: usize,
}

impl Json<'_> {
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn skip_blanks(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    /// `"key":`
    fn key(&mut self) -> bool {
        self.skip_blanks();
        if !self.string() {
            return false;
        }
        self.skip_blanks();
        let colon = self.peek() == Some(b':');
        self.at += usize::from(colon);
        colon
    }

    fn scalar(&mut self) -> bool {
        for word in ["true", "false", "null"] {
            if self.bytes[self.at..].starts_with(word.as_bytes()) {
                self.at += word.len();
                return true;
            }
        }
        if self.peek() == Some(b'"') { self.string() } else { self.number() }
    }

    fn string(&mut self) -> bool {
        if self.peek() != Some(b'"') {
            return false;
        }
        self.at += 1;
        while let Some(byte) = self.peek() {
            self.at += 1;
            match byte {
                b'"' => return true,
                b'\\' if !self.escape() => return false,
                0..0x20 => return false,
                _ => {}
            }
        }
        false
    }

    fn escape(&mut self) -> bool {
        let letter = self.peek();
        self.at += 1;
        match letter {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => true,
            Some(b'u') => {
                let digits = self.bytes.get(self.at..self.at + 4);
                self.at += 4;
                digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
            }
            _ => false,
        }
    }

    fn number(&mut self) -> bool {
        self.at += usize::from(self.peek() == Some(b'-'));
        let leading_zero = self.peek() == Some(b'0');
        let digits = self.digits();
        let mut valid = digits > 0 && !(leading_zero && digits > 1);
        if self.peek() == Some(b'.') {
            self.at += 1;
            valid &= self.digits() > 0;
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            self.at += usize::from(matches!(self.peek(), Some(b'+' | b'-')));
            valid &= self.digits() > 0;
        }
        valid
    }

    fn digits(&mut self) -> usize {
        let count = self.bytes[self.at..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        self.at += count;
        count
    }
}

#[cfg(test)]
mod tests {
    use super::{is_base64, is_decimal, is_json, is_moment};

    #[test]
    fn json_is_recognised() {
        for text in ["{}", "[]", " [1, -2.5e+3, \"a\\u00e9\\n\", null, {\"a\": {\"b\": []}}] ", "0", "\"\"", "true"] {
            assert!(is_json(text), "{text}");
        }
        for text in
            ["", "[", "[1,]", "{\"a\"}", "{a: 1}", "01", "1 2", "\"\\q\"", "nul", "]", "[}", "{\"a\":1,}", "\"\\u12"]
        {
            assert!(!is_json(text), "{text}");
        }
        assert!(!is_json(&"[".repeat(1_000_000)));
    }

    #[test]
    fn moments_are_recognised() {
        for text in ["2026-01-31T12:00:00Z", "2024-02-29T00:00:00.123456+02:00", "1999-12-31t23:59:60z"] {
            assert!(is_moment(text), "{text}");
        }
        for text in [
            "",
            "2026-01-31",
            "2026-02-30T12:00:00Z",
            "2026-01-31T12:00:00",
            "2026-01-31T25:00:00Z",
            "2026-01-31T12:00:00.Z",
            "+026-01-31T12:00:00Z",
        ] {
            assert!(!is_moment(text), "{text}");
        }
    }

    #[test]
    fn numbers_and_bytes_are_recognised() {
        for text in ["1", "-1.5", "1e5", ".5", "5.", "1.5E-10"] {
            assert!(is_decimal(text), "{text}");
        }
        for text in ["", ".", "abc", "1e", "1.2.3", "--1"] {
            assert!(!is_decimal(text), "{text}");
        }
        assert!(is_base64("") && is_base64("AQID") && is_base64("AQ=="));
        assert!(!is_base64("AQI") && !is_base64("not base64") && !is_base64("===="));
    }
}
