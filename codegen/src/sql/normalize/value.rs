//! Plain values of a type, which PostgreSQL prints in its own format.

use crate::ir::NativeType;
use crate::sql::data_type::DataType;
use crate::sql::moment::{moment, zoned_time};

/// Returns whether two texts are the same value of a type.
pub(super) fn same(ty: &DataType, a: &str, b: &str) -> bool {
    if a == b {
        return true;
    }
    let DataType::Native(native) = ty else { return false };
    match native {
        NativeType::SmallInt
        | NativeType::Integer
        | NativeType::BigInt
        | NativeType::Oid
        | NativeType::Decimal(_)
        | NativeType::Real
        | NativeType::DoublePrecision => equal(number(a), number(b)),
        NativeType::Money => equal(money(a), money(b)),
        NativeType::Boolean => equal(boolean(a), boolean(b)),
        NativeType::Timestamp(_) | NativeType::Date | NativeType::Time(_) => equal(moment(a, false), moment(b, false)),
        NativeType::Timetz(_) => equal(zoned_time(a), zoned_time(b)),
        NativeType::Timestamptz(_) => equal(moment(a, true), moment(b, true)),
        NativeType::JsonB => json(a) == json(b),
        NativeType::ByteA | NativeType::Uuid => a.eq_ignore_ascii_case(b),
        NativeType::Char(_) => a.trim_end() == b.trim_end(),
        NativeType::Inet => host(a).eq_ignore_ascii_case(host(b)),
        _ => false,
    }
}

fn equal<T: PartialEq>(a: Option<T>, b: Option<T>) -> bool {
    a.is_some() && a == b
}

/// Returns the sign, the digits without zeros at either end, and the place of the decimal point.
fn number(text: &str) -> Option<(bool, String, i64)> {
    let (negative, text) = match text.strip_prefix('-') {
        Some(text) => (true, text),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()?),
        None => (text, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = format!("{whole}{fraction}");
    if digits.is_empty() || !digits.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    let significant = digits.trim_start_matches('0');
    if significant.is_empty() {
        return Some((false, String::new(), 0));
    }
    let leading = digits.len() - significant.len();
    let point = whole.len() as i64 - leading as i64 + i64::from(exponent);
    Some((negative, significant.trim_end_matches('0').to_owned(), point))
}

/// Parses an amount of money, as written by a person or printed by the server in its locale: `-$1,234.50`, `1.234,50
/// €`.
fn money(text: &str) -> Option<(bool, String, i64)> {
    if let Some(number) = number(text.trim()) {
        return Some(number);
    }
    let is_negative = text.contains(['-', '(']);
    let digits: String = text.chars().filter(|letter| letter.is_ascii_digit() || ".,".contains(*letter)).collect();
    let digits = digits.trim_matches(['.', ',']);
    // The last separator comes before the cents, unless it separates thousands.
    let plain = |text: &str| text.replace(['.', ','], "");
    let amount = match digits.rsplit_once(['.', ',']) {
        Some((whole, cents)) if cents.len() != 3 => format!("{}.{cents}", plain(whole)),
        _ => plain(digits),
    };
    number(&if is_negative { format!("-{amount}") } else { amount })
}

/// Returns an address without the network length, if that is its full length.
fn host(text: &str) -> &str {
    let whole = if text.contains(':') { "/128" } else { "/32" };
    text.strip_suffix(whole).unwrap_or(text)
}

fn boolean(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "t" | "true" | "yes" | "on" | "1" => Some(true),
        "f" | "false" | "no" | "off" | "0" => Some(false),
        _ => None,
    }
}

/// Returns JSON without spaces and with sorted keys, as jsonb stores it. Text that is not JSON stays as it is.
fn json(text: &str) -> String {
    let mut reader = Json { rest: text.trim(), depth: 0 };
    match reader.value() {
        Some(value) if reader.rest.is_empty() => value,
        _ => text.to_owned(),
    }
}

struct Json<'a> {
    rest: &'a str,
    depth: usize,
}

impl Json<'_> {
    fn eat(&mut self, sign: char) -> bool {
        let found = self.rest.strip_prefix(sign);
        if let Some(rest) = found {
            self.rest = rest.trim_start();
        }
        found.is_some()
    }

    fn value(&mut self) -> Option<String> {
        self.depth += 1;
        if self.depth > 100 {
            return None;
        }
        let value = if self.eat('{') {
            let mut members = self.items('}', |json| {
                let key = json.string()?;
                json.eat(':').then_some(())?;
                Some((key, json.value()?))
            })?;
            // As in jsonb, the last of several equal keys wins.
            members.reverse();
            members.sort_by(|a, b| a.0.cmp(&b.0));
            members.dedup_by(|a, b| a.0 == b.0);
            let members: Vec<_> = members.iter().map(|(key, value)| format!("{key}:{value}")).collect();
            format!("{{{}}}", members.join(","))
        } else if self.eat('[') {
            format!("[{}]", self.items(']', Self::value)?.join(","))
        } else if self.rest.starts_with('"') {
            self.string()?
        } else {
            self.word()?
        };
        self.depth -= 1;
        Some(value)
    }

    fn items<T>(&mut self, close: char, item: impl Fn(&mut Self) -> Option<T>) -> Option<Vec<T>> {
        let mut items = Vec::new();
        while !self.eat(close) {
            if !items.is_empty() && !self.eat(',') {
                return None;
            }
            items.push(item(self)?);
        }
        Some(items)
    }

    fn string(&mut self) -> Option<String> {
        let body = self.rest.strip_prefix('"')?;
        let mut escaped = false;
        let end = body.char_indices().find(|(_, letter)| {
            let found = *letter == '"' && !escaped;
            escaped = *letter == '\\' && !escaped;
            found
        })?;
        let text = format!("\"{}\"", &body[..end.0]);
        self.rest = body[end.0 + 1..].trim_start();
        Some(text)
    }

    fn word(&mut self) -> Option<String> {
        let end = self.rest.find([',', ']', '}', ' ', '\n', '\t', '\r']).unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(end);
        self.rest = rest.trim_start();
        let is_constant = matches!(word, "true" | "false" | "null");
        // jsonb stores numbers by their value: 1e2 is 100.
        if is_constant { Some(word.to_owned()) } else { number(word).map(|number| format!("{number:?}")) }
    }
}

/// Returns the items of a one-dimensional array's text, `{a,"b c"}`; `None` if it contains NULLs or has more
/// dimensions.
pub(super) fn parse_array(text: &str) -> Option<Vec<String>> {
    let body = text.trim().strip_prefix('{')?.strip_suffix('}')?;
    let mut items = Vec::new();
    let mut letters = body.chars().peekable();
    if body.trim().is_empty() {
        return Some(items);
    }
    loop {
        let (mut item, mut is_quoted) = (String::new(), false);
        let mut more = false;
        while let Some(letter) = letters.next() {
            match letter {
                '"' => {
                    is_quoted = true;
                    loop {
                        match letters.next()? {
                            '"' => break,
                            '\\' => item.push(letters.next()?),
                            other => item.push(other),
                        }
                    }
                }
                '\\' => item.push(letters.next()?),
                '{' | '}' => return None,
                ',' => {
                    more = true;
                    break;
                }
                other => item.push(other),
            }
        }
        if !is_quoted {
            item = item.trim().to_owned();
            if item.is_empty() || item.eq_ignore_ascii_case("null") {
                return None;
            }
        }
        items.push(item);
        if !more {
            return Some(items);
        }
    }
}
