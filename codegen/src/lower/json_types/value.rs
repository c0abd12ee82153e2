//! JSON values as trees, for defaults.

use std::iter::Peekable;
use std::str::Chars;

/// A JSON value. Numbers keep their text.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    Null,
    Boolean,
    Number(String),
    String(String),
    Array(Vec<Value>),
    Object(Vec<(String, Value)>),
}

/// The depth up to which values are read.
const MAX_DEPTH: usize = 64;

/// Reads a text that is known to be JSON; `None` if it is deeper than defaults should be.
pub(super) fn parse(text: &str) -> Option<Value> {
    Reader { rest: text.chars().peekable() }.value(MAX_DEPTH)
}

struct Reader<'t> {
    rest: Peekable<Chars<'t>>,
}

impl Reader<'_> {
    fn next(&mut self) -> Option<char> {
        while self.rest.next_if(|c| c.is_ascii_whitespace()).is_some() {}
        self.rest.peek().copied()
    }

    /// Consumes a character, if it is the next one.
    fn takes(&mut self, wanted: char) -> bool {
        self.next() == Some(wanted) && self.rest.next().is_some()
    }

    fn value(&mut self, levels: usize) -> Option<Value> {
        match self.next()? {
            '{' | '[' if levels == 0 => None,
            '{' => self.object(levels - 1),
            '[' => self.array(levels - 1),
            '"' => Some(Value::String(self.string()?)),
            _ => Some(self.word()),
        }
    }

    fn object(&mut self, levels: usize) -> Option<Value> {
        let mut entries = Vec::new();
        self.takes('{');
        while !self.takes('}') {
            self.next();
            let key = self.string()?;
            self.takes(':');
            entries.push((key, self.value(levels)?));
            self.takes(',');
        }
        Some(Value::Object(entries))
    }

    fn array(&mut self, levels: usize) -> Option<Value> {
        let mut items = Vec::new();
        self.takes('[');
        while !self.takes(']') {
            items.push(self.value(levels)?);
            self.takes(',');
        }
        Some(Value::Array(items))
    }

    fn string(&mut self) -> Option<String> {
        let mut text = String::new();
        self.rest.next_if_eq(&'"')?;
        loop {
            match self.rest.next()? {
                '"' => return Some(text),
                '\\' => text.push(self.escape()?),
                other => text.push(other),
            }
        }
    }

    fn escape(&mut self) -> Option<char> {
        Some(match self.rest.next()? {
            'n' => '\n',
            't' => '\t',
            'r' => '\r',
            'b' => '\u{8}',
            'f' => '\u{c}',
            'u' => {
                let digits: String = self.rest.by_ref().take(4).collect();
                // Half of a pair stands for a character that no check looks at.
                char::from_u32(u32::from_str_radix(&digits, 16).ok()?).unwrap_or(char::REPLACEMENT_CHARACTER)
            }
            other => other,
        })
    }

    /// Reads a number, `true`, `false` or `null`.
    fn word(&mut self) -> Value {
        let mut text = String::new();
        while let Some(c) = self.rest.next_if(|c| !c.is_ascii_whitespace() && !matches!(c, ',' | ']' | '}')) {
            text.push(c);
        }
        match text.as_str() {
            "null" => Value::Null,
            "true" | "false" => Value::Boolean,
            _ => Value::Number(text),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Value, parse};

    #[test]
    fn values_are_read() {
        let read = parse(" {\"a\\u0062\" : [1.5e3, null,\"x\\n\\\"\"] , \"c\":{}, \"d\": true }").expect("is read");
        let list = vec![Value::Number("1.5e3".to_owned()), Value::Null, Value::String("x\n\"".to_owned())];
        let entries = vec![
            ("ab".to_owned(), Value::Array(list)),
            ("c".to_owned(), Value::Object(Vec::new())),
            ("d".to_owned(), Value::Boolean),
        ];
        assert_eq!(read, Value::Object(entries));
        assert_eq!(parse(&"[".repeat(100_000)), None);
    }
}
