//! JSON values as parameters and as results.
//!
//! `serde_json` reads 128 levels, by recursion. PostgreSQL stores thousands. Values that are too deep for the parser
//! are read here without recursion, up to [`MAX_DEPTH`]. Deeper values are not sent, so that everything that was
//! written can be read, and can be copied and dropped by recursion on a thread of the usual size.

use serde_json::{Map, Number, Value};

use super::param::Param;
use crate::value::BoxError;

/// The maximum depth of arrays and objects.
pub(crate) const MAX_DEPTH: usize = 512;

const TOO_DEEP: &str = "the JSON value nests more than 512 levels deep, which is more than the client reads or writes";

/// Returns a parameter, unless the value is too deep to be read back.
pub(super) fn param(value: Value) -> Param {
    if is_deeper_than(&value, MAX_DEPTH) {
        drop_without_recursion(value);
        return Param::Refused(TOO_DEEP);
    }
    Param::Json(value)
}

/// Returns values as one array, or the first one that cannot be sent.
pub(crate) fn array(values: impl IntoIterator<Item = Param>) -> Param {
    let mut list = Vec::new();
    for value in values {
        match value {
            Param::Json(value) => list.push(value),
            other => return other,
        }
    }
    param(Value::Array(list))
}

/// Looks at most `levels` deep.
fn is_deeper_than(value: &Value, levels: usize) -> bool {
    match value {
        Value::Array(_) | Value::Object(_) if levels == 0 => true,
        Value::Array(list) => list.iter().any(|inner| is_deeper_than(inner, levels - 1)),
        Value::Object(fields) => fields.values().any(|inner| is_deeper_than(inner, levels - 1)),
        _ => false,
    }
}

/// Drops a value of any depth without recursion.
fn drop_without_recursion(value: Value) {
    let mut left = vec![value];
    while let Some(value) = left.pop() {
        match value {
            Value::Array(list) => left.extend(list),
            Value::Object(fields) => left.extend(fields.into_iter().map(|(_, value)| value)),
            _ => {}
        }
    }
}

/// Reads a value. `jsonb` has a version byte in front.
pub(super) fn decode(raw: &[u8]) -> Result<Value, BoxError> {
    let text = raw.strip_prefix(&[1]).unwrap_or(raw);
    let value = match serde_json::from_slice(text) {
        Ok(value) => value,
        Err(error) if error.is_eof() || error.is_data() => return Err(Box::new(error)),
        // The parser reports that the text is too deep as a syntax error.
        Err(error) => parse(text).map_err(|reason| reason.unwrap_or(error.into()))?,
    };
    if has_suspect_number(&value) && loses_number(text) {
        return Err("a number of the JSON value is beyond what serde_json's Number holds exactly".into());
    }
    Ok(value)
}

/// An incomplete container, for an object with the key of the next value.
enum Open {
    Array(Vec<Value>),
    Object(Map<String, Value>, String),
}

/// Parses a text with more levels than `serde_json` accepts. An error has a reason if the depth is the cause;
/// otherwise, the text is not JSON.
fn parse(text: &[u8]) -> Result<Value, Option<BoxError>> {
    let mut open: Vec<Open> = Vec::new();
    let mut at = Text { text, at: 0 };
    loop {
        let mut value = match at.next_byte().ok_or(None)? {
            b'[' | b'{' if open.len() == MAX_DEPTH => return Err(Some(TOO_DEEP.into())),
            b'[' if at.takes(b']') => Value::Array(Vec::new()),
            b'[' => {
                open.push(Open::Array(Vec::new()));
                continue;
            }
            b'{' if at.takes(b'}') => Value::Object(Map::new()),
            b'{' => {
                let key = at.key().ok_or(None)?;
                open.push(Open::Object(Map::new(), key));
                continue;
            }
            _ => at.scalar().ok_or(None)?,
        };
        // The value is complete, which may complete the enclosing one.
        loop {
            let (inside, end) = match open.pop() {
                None if at.peek().is_none() => return Ok(value),
                None => return Err(None),
                Some(Open::Array(mut list)) => {
                    list.push(value);
                    (Open::Array(list), b']')
                }
                Some(Open::Object(mut fields, key)) => {
                    fields.insert(key, value);
                    (Open::Object(fields, String::new()), b'}')
                }
            };
            if at.takes(b',') {
                open.push(match inside {
                    Open::Object(fields, _) => Open::Object(fields, at.key().ok_or(None)?),
                    array => array,
                });
                break;
            }
            if !at.takes(end) {
                return Err(None);
            }
            value = match inside {
                Open::Array(list) => Value::Array(list),
                Open::Object(fields, _) => Value::Object(fields),
            };
        }
    }
}

/// A position in a text.
struct Text<'t> {
    text: &'t [u8],
    at: usize,
}

impl Text<'_> {
    /// Returns the next byte other than white space.
    fn peek(&mut self) -> Option<u8> {
        while self.text.get(self.at)?.is_ascii_whitespace() {
            self.at += 1;
        }
        self.text.get(self.at).copied()
    }

    /// Returns the next byte. Consumes it only if it is a bracket.
    fn next_byte(&mut self) -> Option<u8> {
        let byte = self.peek()?;
        self.at += usize::from(matches!(byte, b'[' | b'{'));
        Some(byte)
    }

    /// Consumes a byte, if it is the next one.
    fn takes(&mut self, wanted: u8) -> bool {
        let is_next = self.peek() == Some(wanted);
        self.at += usize::from(is_next);
        is_next
    }

    fn key(&mut self) -> Option<String> {
        match (self.peek()?, self.scalar()?) {
            (b'"', Value::String(key)) if self.takes(b':') => Some(key),
            _ => None,
        }
    }

    /// Reads a string, number or word.
    fn scalar(&mut self) -> Option<Value> {
        let begin = self.at;
        if self.peek()? == b'"' {
            self.at += 1;
            while self.text.get(self.at)? != &b'"' {
                self.at += 1 + usize::from(self.text[self.at] == b'\\');
            }
            self.at += 1;
        } else {
            let rest = self.text.get(self.at..)?;
            let is_end = |byte: &u8| matches!(byte, b',' | b']' | b'}') || byte.is_ascii_whitespace();
            self.at += rest.iter().position(is_end).unwrap_or(rest.len());
        }
        serde_json::from_slice(self.text.get(begin..self.at)?).ok()
    }
}

/// Returns whether a number may differ from that in the text: a whole number too large for 64 bits, or one close to
/// zero.
fn has_suspect_number(value: &Value) -> bool {
    match value {
        Value::Number(number) => is_suspect(number),
        Value::Array(list) => list.iter().any(has_suspect_number),
        Value::Object(fields) => fields.values().any(has_suspect_number),
        _ => false,
    }
}

fn is_suspect(number: &Number) -> bool {
    number.is_f64() && number.as_f64().is_some_and(|value| value.abs() >= 9e15 || value.abs() < 1e-300)
}

/// Returns whether a number of the text cannot be represented with its digits: for example `1e400` or
/// `18446744073709551616`. A fraction with more digits than an `f64` is rounded, as everywhere in JSON.
fn loses_number(text: &[u8]) -> bool {
    let mut at = 0;
    while let Some(byte) = text.get(at) {
        match byte {
            b'"' => {
                at += 1;
                while text.get(at).is_some_and(|byte| *byte != b'"') {
                    at += 1 + usize::from(text[at] == b'\\');
                }
                at += 1;
            }
            b'-' | b'0'..=b'9' => {
                let is_part = |byte: &u8| matches!(byte, b'-' | b'+' | b'.' | b'e' | b'E' | b'0'..=b'9');
                let length = text[at..].iter().take_while(|byte| is_part(byte)).count();
                if !is_kept(&text[at..at + length]) {
                    return true;
                }
                at += length;
            }
            _ => at += 1,
        }
    }
    false
}

/// Returns whether a number is read with the same digits.
fn is_kept(text: &[u8]) -> bool {
    match serde_json::from_slice::<Number>(text) {
        Ok(number) if is_suspect(&number) => {
            let shortest = number.as_f64().map(|value| format!("{value:e}")).unwrap_or_default();
            significant(text) == significant(shortest.as_bytes())
        }
        Ok(_) => true,
        Err(_) => false,
    }
}

/// Returns the digits of a number without its sign, point, exponent, and the zeros at both ends.
fn significant(number: &[u8]) -> Vec<u8> {
    let mantissa = number.split(|byte| matches!(byte, b'e' | b'E')).next().unwrap_or_default();
    let digits: Vec<u8> = mantissa.iter().copied().filter(u8::is_ascii_digit).collect();
    let zero = |digit: &u8| *digit == b'0';
    let begin = digits.iter().take_while(|digit| zero(digit)).count();
    let end = digits.len() - digits[begin..].iter().rev().take_while(|digit| zero(digit)).count();
    digits[begin..end].to_vec()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn nested(levels: usize) -> String {
        let (open, close) = ("[{\"a\": ".repeat(levels / 2), "}]".repeat(levels / 2));
        format!("{open}\"x\\\"]\"{close}")
    }

    #[test]
    fn what_is_deeper_than_the_parser_goes_is_read() {
        for levels in [2, 100, 128, 130, 300, MAX_DEPTH] {
            let text = nested(levels);
            let mut value = &decode(text.as_bytes()).expect("is read");
            for _ in 0..levels / 2 {
                value = &value[0]["a"];
            }
            assert_eq!(value, &json!("x\"]"), "{levels}");
        }
        let error = decode(nested(MAX_DEPTH + 2).as_bytes()).expect_err("is too deep").to_string();
        assert!(error.contains("512 levels"), "{error}");
    }

    #[test]
    fn both_parsers_read_the_same() {
        let deep = nested(200);
        for text in [
            "null",
            " [ ] ",
            "{}",
            "[1, -2.5e3, true, false, null, \"\\u00fc\\\\\", {\"k\": [], \"k\": {\"\": [[1], [2]]}}]",
            "[[[]], {}]",
        ] {
            let usual: Value = serde_json::from_str(text).expect("is JSON");
            assert_eq!(parse(text.as_bytes()).ok(), Some(usual), "{text}");
        }
        for text in ["", "[", "[1", "[1,]", "{\"a\"}", "{\"a\":}", "{1:2}", "[1]]", "\"", "[}", "tru", &deep[1..]] {
            assert!(parse(text.as_bytes()).is_err(), "{text}");
            assert!(decode(text.as_bytes()).is_err(), "{text}");
        }
    }

    #[test]
    fn what_is_sent_can_be_read() {
        let mut value = json!(1);
        for _ in 0..MAX_DEPTH {
            value = json!([value]);
        }
        assert!(matches!(param(value.clone()), Param::Json(_)));
        assert_eq!(decode(value.to_string().as_bytes()).expect("is read"), value);
        let deeper = json!({ "a": value });
        assert!(matches!(param(deeper), Param::Refused(_)));
    }

    #[test]
    fn a_value_of_any_depth_is_refused_and_dropped() {
        let mut value = json!(1);
        for _ in 0..100_000 {
            value = Value::Array(vec![value]);
        }
        assert!(matches!(param(value), Param::Refused(_)));
    }

    #[test]
    fn numbers_are_kept_or_refused() {
        for text in [
            "0",
            "-0.0",
            "0e5",
            "18446744073709551615",
            "-9223372036854775808",
            "1e30",
            "1000000000000000000000000000000",
            "123456789012345680000000000000",
            "1.7976931348623157e308",
            "5e-324",
            "0.1",
            "[\"1e-400\", 0.0]",
        ] {
            assert!(decode(text.as_bytes()).is_ok(), "{text}");
        }
        for text in
            ["18446744073709551616", "123456789012345678901234567890", "1e-400", "[1, {\"a\": [1e-400]}]", "1e400"]
        {
            assert!(decode(text.as_bytes()).is_err(), "{text}");
        }
    }
}
