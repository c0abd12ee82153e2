//! The values of string literals. The escapes are those of JSON: `\n`, `\"`, `\\`, `\u00e9` and so on. A text between `"""`
//! has no escapes.

use std::borrow::Cow;
use std::fmt::Write as _;

/// An unknown escape: its bytes within the literal, and whether it is a `\u`.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct BadEscape {
    pub(crate) start: usize,
    pub(crate) end: usize,
    pub(crate) unicode: bool,
}

/// Returns the value of the text between the quotes. Bad escapes are left out of it and listed.
pub(crate) fn unescape(raw: &str) -> (Cow<'_, str>, Vec<BadEscape>) {
    let mut bad = Vec::new();
    if !raw.contains('\\') {
        return (Cow::Borrowed(raw), bad);
    }
    let mut value = String::with_capacity(raw.len());
    let mut at = 0;
    while let Some(offset) = raw[at..].find('\\') {
        value.push_str(&raw[at..at + offset]);
        let start = at + offset;
        match escape(&raw[start..]) {
            Ok((character, length)) => {
                value.push(character);
                at = start + length;
            }
            Err(length) => {
                let unicode = raw[start..].starts_with("\\u");
                bad.push(BadEscape { start, end: start + length, unicode });
                at = start + length;
            }
        }
    }
    value.push_str(&raw[at..]);
    (Cow::Owned(value), bad)
}

/// Returns the value of the text between `"""`: without the empty lines around it, and without the indentation that all
/// lines share.
pub(crate) fn dedent(raw: &str) -> String {
    let lines: Vec<&str> = raw.lines().collect();
    let is_text = |line: &&str| !line.trim_end().is_empty();
    let first = lines.iter().position(is_text).unwrap_or(lines.len());
    let last = lines.iter().rposition(is_text).map_or(first, |at| at + 1);
    let lines = &lines[first..last];
    // The first line may begin right after the quotes.
    let indented = lines.iter().skip(usize::from(first == 0)).copied().filter(is_text);
    let shared = indented.map(|line| line.len() - line.trim_start_matches([' ', '\t']).len()).min().unwrap_or(0);
    let cut = |(at, line): (usize, &&str)| match (first, at) {
        (0, 0) => line.trim_start().to_owned(),
        _ => line.get(shared..).unwrap_or_default().to_owned(),
    };
    lines.iter().enumerate().map(cut).collect::<Vec<_>>().join("\n")
}

/// Returns a text as a string literal of the schema language.
pub fn string_literal(text: &str) -> String {
    let mut literal = String::with_capacity(text.len() + 2);
    literal.push('"');
    for letter in text.chars() {
        match letter {
            '\\' => literal.push_str("\\\\"),
            '"' => literal.push_str("\\\""),
            '\n' => literal.push_str("\\n"),
            '\r' => literal.push_str("\\r"),
            '\t' => literal.push_str("\\t"),
            // Also characters that an editor may show as the end of the line.
            _ if letter.is_control() || matches!(letter, '\u{2028}' | '\u{2029}') => {
                let _ = write!(literal, "\\u{:04x}", letter as u32);
            }
            _ => literal.push(letter),
        }
    }
    literal.push('"');
    literal
}

/// Returns a text between `"""`, for an attribute of a block. A text that would not be read as it is becomes a string
/// literal on one line.
pub fn text_literal(text: &str) -> String {
    let lines = text.split('\n').map(|line| if line.is_empty() { String::new() } else { format!("    {line}") });
    let inner = format!("\n{}\n  ", lines.collect::<Vec<_>>().join("\n"));
    let is_plain = |letter: char| !letter.is_control() || letter == '\n' || letter == '\t';
    let stays = !inner.contains("\"\"\"") && inner.chars().all(is_plain) && dedent(&inner) == text;
    if stays { format!("\"\"\"{inner}\"\"\"") } else { string_literal(text) }
}

/// Returns the character of the escape at the start of `text`, and its length; otherwise the length of the bad escape.
fn escape(text: &str) -> Result<(char, usize), usize> {
    let Some(letter) = text[1..].chars().next() else { return Err(1) };
    let character = match letter {
        '"' | '\\' | '/' => letter,
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        'b' => '\u{8}',
        'f' => '\u{c}',
        'u' => return unicode_escape(text),
        _ => return Err(1 + letter.len_utf8()),
    };
    Ok((character, 2))
}

/// Reads `\uXXXX`, or two of them that are a surrogate pair.
fn unicode_escape(text: &str) -> Result<(char, usize), usize> {
    let digits = text[2..].bytes().take(4).take_while(u8::is_ascii_hexdigit).count();
    let Some(high) = hex_unit(text) else { return Err(2 + digits) };
    if let Some(character) = char::from_u32(high) {
        return Ok((character, 6));
    }
    let pair = text.get(6..).and_then(hex_unit).map(|low| char::decode_utf16([high as u16, low as u16]).next());
    match pair {
        Some(Some(Ok(character))) => Ok((character, 12)),
        _ => Err(6),
    }
}

/// Reads the four digits of a `\uXXXX` at the start of the text.
fn hex_unit(text: &str) -> Option<u32> {
    let digits = text.strip_prefix("\\u")?.get(..4)?;
    if digits.bytes().all(|byte| byte.is_ascii_hexdigit()) { u32::from_str_radix(digits, 16).ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::{BadEscape, dedent, string_literal, text_literal, unescape};

    #[test]
    fn texts_lose_the_indentation_that_they_share() {
        assert_eq!(dedent("\n    SELECT 1\n      FROM t  \n\n    WHERE a\r\n  "), "SELECT 1\n  FROM t  \n\nWHERE a");
        assert_eq!(dedent("SELECT 1\n    FROM t"), "SELECT 1\nFROM t");
        assert_eq!(dedent("  a\n\t b\n"), "a\nb");
        assert_eq!(dedent(" \n \n"), "");
    }

    #[test]
    fn escapes_become_characters() {
        assert_eq!(unescape("plain").0, "plain");
        assert_eq!(unescape(r#"a\n\t\"\\\/é\u00e9"#).0, "a\n\t\"\\/éé");
        assert_eq!(unescape(r"\ud83d\ude00!").0, "😀!");
    }

    #[test]
    fn bad_escapes_are_listed_and_left_out() {
        let (value, bad) = unescape(r"a\qb\ud83dc\u12");
        assert_eq!(value, "abc");
        assert_eq!(
            bad,
            [
                BadEscape { start: 1, end: 3, unicode: false },
                BadEscape { start: 4, end: 10, unicode: true },
                BadEscape { start: 11, end: 15, unicode: true },
            ]
        );
    }

    #[test]
    fn every_text_is_read_as_it_was_written() {
        for text in [
            "SELECT 1",
            "SELECT 1\n  FROM t",
            "SELECT 'a  \n   b'\nFROM t  ",
            "SELECT \"a\"",
            "SELECT '\"\"\"'",
            "SELECT 1\r\nFROM t",
            "SELECT '\u{1}\u{2028}'\nFROM t",
            "  SELECT 1\n  FROM t",
            "SELECT 1\n \nFROM t",
            "\nSELECT 1\n",
            "",
        ] {
            let literal = text_literal(text);
            let read = match literal.strip_prefix("\"\"\"") {
                Some(rest) => dedent(rest.strip_suffix("\"\"\"").expect("is closed")),
                None => unescape(&literal[1..literal.len() - 1]).0.into_owned(),
            };
            assert_eq!(read, text, "{literal}");
            let literal = string_literal(text);
            assert_eq!(unescape(&literal[1..literal.len() - 1]).0, text);
        }
    }
}
