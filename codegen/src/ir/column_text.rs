//! The text of `Unsupported("..")`: a type of PostgreSQL, and the clauses that may follow it in a column definition.

/// A type and its clauses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ColumnText<'t> {
    /// The type, which may be an array.
    pub ty: &'t str,
    /// The name after `COLLATE`.
    pub collation: Option<&'t str>,
    /// The expression of `GENERATED ALWAYS AS (..) STORED`.
    pub generated: Option<&'t str>,
    /// `GENERATED .. AS IDENTITY`: `true` for `ALWAYS`, `false` for `BY DEFAULT`.
    pub identity: Option<bool>,
}

/// Why a text is not the definition of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColumnTextError<'t> {
    /// The text does not begin with a type.
    NoType,
    /// A quote or a parenthesis is not closed, a clause is incomplete, or a statement ends in the text.
    Unreadable,
    /// The type is a shorthand for more than a type, such as `serial`.
    Serial(&'t str),
    /// A clause that has its own syntax in the schema language; its first word.
    Clause(&'t str),
}

/// Words that begin something other than a type.
const CLAUSES: &[&str] = &[
    "check",
    "collate",
    "compression",
    "constraint",
    "default",
    "deferrable",
    "generated",
    "initially",
    "not",
    "null",
    "primary",
    "references",
    "storage",
    "unique",
    "using",
];

impl<'t> ColumnText<'t> {
    /// Reads the text.
    ///
    /// # Errors
    ///
    /// If it is not a type with clauses that a column of the schema can have.
    ///
    /// ```
    /// use relata_codegen::ir::ColumnText;
    ///
    /// let text = ColumnText::parse("text COLLATE \"C\" GENERATED ALWAYS AS (lower(name)) STORED").unwrap();
    /// assert_eq!((text.ty, text.collation, text.generated), ("text", Some("\"C\""), Some("lower(name)")));
    /// ```
    pub fn parse(text: &'t str) -> Result<Self, ColumnTextError<'t>> {
        let pieces = pieces(text).ok_or(ColumnTextError::Unreadable)?;
        let is_clause = |piece: &Piece<'t>| piece.is_word && CLAUSES.iter().any(|word| piece.is(word));
        let end = pieces.iter().skip(1).position(is_clause).map_or(pieces.len(), |at| at + 1);
        let (Some(first), Some(last)) = (pieces.first(), pieces[..end].last()) else {
            return Err(ColumnTextError::NoType);
        };
        if !first.is_word && !first.text.starts_with('"') {
            return Err(ColumnTextError::NoType);
        }
        if is_clause(first) {
            return Err(ColumnTextError::Clause(first.text));
        }
        let ty = &text[first.start..last.start + last.text.len()];
        let serial = ["serial", "bigserial", "smallserial", "serial2", "serial4", "serial8"];
        if serial.iter().any(|word| first.is(word)) {
            return Err(ColumnTextError::Serial(first.text));
        }
        let mut column = Self { ty, collation: None, generated: None, identity: None };
        let mut rest = &pieces[end..];
        while !rest.is_empty() {
            rest = column.clause(text, rest)?;
        }
        Ok(column)
    }

    /// Returns only the type, and ignores what follows it.
    pub fn type_of(text: &'t str) -> &'t str {
        Self::parse(text).map_or(text, |column| column.ty)
    }

    /// Returns whether PostgreSQL generates the value.
    pub fn has_value(&self) -> bool {
        self.generated.is_some() || self.identity.is_some()
    }

    /// Reads one clause, and returns the text after it.
    fn clause<'p>(&mut self, text: &'t str, pieces: &'p [Piece<'t>]) -> Result<&'p [Piece<'t>], ColumnTextError<'t>> {
        let words: Vec<String> = pieces.iter().take(5).map(|piece| piece.text.to_ascii_lowercase()).collect();
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        match words.as_slice() {
            ["collate", ..] if self.collation.is_none() => {
                let name =
                    pieces[1..].iter().take_while(|piece| !piece.is_word || !CLAUSES.iter().any(|it| piece.is(it)));
                let count = name.count();
                let name = &pieces[1..=count];
                let is_name = name.iter().enumerate().all(|(at, piece)| match at % 2 {
                    0 => piece.is_word || piece.text.starts_with('"'),
                    _ => piece.text == ".",
                });
                let (Some(first), Some(last)) = (name.first(), name.last()) else {
                    return Err(ColumnTextError::Unreadable);
                };
                if !is_name || name.len().is_multiple_of(2) {
                    return Err(ColumnTextError::Unreadable);
                }
                self.collation = Some(&text[first.start..last.start + last.text.len()]);
                Ok(&pieces[1 + count..])
            }
            ["generated", "always", "as", "identity", ..] if !self.has_value() => {
                self.identity = Some(true);
                Ok(&pieces[4..])
            }
            ["generated", "by", "default", "as", "identity", ..] if !self.has_value() => {
                self.identity = Some(false);
                Ok(&pieces[5..])
            }
            ["generated", "always", "as", expression, "stored", ..]
                if !self.has_value() && expression.starts_with('(') =>
            {
                let inner = pieces[3].text;
                self.generated = Some(inner[1..inner.len() - 1].trim());
                Ok(&pieces[5..])
            }
            ["generated" | "collate", ..] => Err(ColumnTextError::Unreadable),
            // Options of an identity column.
            [options, ..] if options.starts_with('(') && self.identity.is_some() => Err(ColumnTextError::Clause("(")),
            _ => match pieces[0].is_word {
                true => Err(ColumnTextError::Clause(pieces[0].text)),
                false => Err(ColumnTextError::Unreadable),
            },
        }
    }
}

/// A word, a quoted name, a string, a sign, or everything between two parentheses.
struct Piece<'t> {
    text: &'t str,
    start: usize,
    is_word: bool,
}

impl Piece<'_> {
    fn is(&self, word: &str) -> bool {
        self.text.eq_ignore_ascii_case(word)
    }
}

/// Returns `None` if something is not closed, or if a statement or a comment begins.
fn pieces(text: &str) -> Option<Vec<Piece<'_>>> {
    let mut pieces = Vec::new();
    let mut at = 0;
    while let Some(first) = text[at..].chars().next() {
        let rest = &text[at..];
        let length = match first {
            _ if first.is_whitespace() => {
                at += first.len_utf8();
                continue;
            }
            '"' | '\'' => quoted_length(rest)?,
            '(' => group_length(rest)?,
            ')' | ';' => return None,
            '-' if rest.starts_with("--") => return None,
            '/' if rest.starts_with("/*") => return None,
            _ if is_word(first) => rest.find(|letter| !is_word(letter)).unwrap_or(rest.len()),
            _ => first.len_utf8(),
        };
        pieces.push(Piece { text: &rest[..length], start: at, is_word: is_word(first) });
        at += length;
    }
    Some(pieces)
}

fn is_word(letter: char) -> bool {
    letter.is_alphanumeric() || letter == '_' || letter == '$'
}

/// The length of a quoted text at the start; quotes inside are doubled.
fn quoted_length(text: &str) -> Option<usize> {
    let quote = text.chars().next()?;
    let mut at = 1;
    loop {
        at += text[at..].find(quote)? + 1;
        if !text[at..].starts_with(quote) {
            return Some(at);
        }
        at += 1;
    }
}

/// The length of a group in parentheses at the start of the text, including the parentheses.
fn group_length(text: &str) -> Option<usize> {
    let mut depth = 0_usize;
    let mut at = 0;
    while let Some(letter) = text[at..].chars().next() {
        match letter {
            '"' | '\'' => at += quoted_length(&text[at..])?,
            '-' if text[at..].starts_with("--") => return None,
            '/' if text[at..].starts_with("/*") => return None,
            _ => {
                depth += usize::from(letter == '(');
                depth -= usize::from(letter == ')');
                at += letter.len_utf8();
            }
        }
        if depth == 0 {
            return Some(at);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::{ColumnText, ColumnTextError};

    #[test]
    fn a_type_is_cut_from_its_clauses() {
        fn parse(text: &str) -> ColumnText<'_> {
            ColumnText::parse(text).expect("readable")
        }
        for ty in [
            "tsvector",
            "dec(5, 2)",
            "timestamp(3) with time zone",
            "\"My \"\"Type\"[]",
            "shop.\"Kind\"",
            "interval day to second(3)",
            "geometry(Point, 4326)",
        ] {
            assert_eq!(parse(ty).ty, ty);
            let with_clause = format!(" {ty}  COLLATE pg_catalog.\"C\"");
            assert_eq!(parse(&with_clause).ty, ty);
        }
        let generated = parse("tsvector GENERATED ALWAYS AS (to_tsvector('english', \"Te(xt\" || ')')) STORED");
        assert_eq!(generated.generated, Some("to_tsvector('english', \"Te(xt\" || ')')"));
        let counting = parse("bigint collate x generated by default as identity");
        assert_eq!((counting.ty, counting.collation, counting.identity), ("bigint", Some("x"), Some(false)));
        assert!(parse("bigint GENERATED ALWAYS AS IDENTITY").has_value());
    }

    #[test]
    fn what_is_more_than_a_type_is_refused() {
        use ColumnTextError::{Clause, NoType, Serial, Unreadable};
        for (text, error) in [
            ("", NoType),
            ("  ", NoType),
            ("(3)", NoType),
            ("DEFAULT 5", Clause("DEFAULT")),
            ("int DEFAULT 5", Clause("DEFAULT")),
            ("int not null", Clause("not")),
            ("int CHECK (a > 0)", Clause("CHECK")),
            ("bigint GENERATED ALWAYS AS IDENTITY (START 5)", Clause("(")),
            ("bigint GENERATED ALWAYS AS IDENTITY UNIQUE", Clause("UNIQUE")),
            ("serial", Serial("serial")),
            ("int; DROP TABLE t", Unreadable),
            ("int -- x", Unreadable),
            ("int)", Unreadable),
            ("numeric(5", Unreadable),
            ("\"open", Unreadable),
            ("int GENERATED ALWAYS AS (a * 2)", Unreadable),
            ("text COLLATE", Unreadable),
            ("text COLLATE \"a\" \"b\"", Unreadable),
        ] {
            assert_eq!(ColumnText::parse(text), Err(error), "{text}");
        }
    }
}
