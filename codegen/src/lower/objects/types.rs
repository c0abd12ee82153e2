//! Domains, composite types and sequences: what changes in place.

use relata_pgsql::{Token, ident_if_needed};

use super::signature::Types;
use super::statement::is_name;
use crate::ir::TypeParts;

/// Reads what follows `CREATE DOMAIN name`.
pub(super) fn domain(types: &mut Types<'_>, name: &str) -> Result<TypeParts, &'static str> {
    types.eat_word("as");
    let mut base = types.take_whole()?;
    let mut parts: Vec<(String, String)> = Vec::new();
    let mut implicit = 0;
    while types.at < types.tokens.len() {
        let start = types.at;
        if types.eat_word("collate") {
            skip_path(types);
            base += &format!(" {}", text_of(types, start, types.at));
            continue;
        }
        let named = if types.eat_word("constraint") { Some(types.take_name()?) } else { None };
        let start = types.at;
        if types.eat_word("default") {
            skip_until_clause(types);
            parts.push(("default".to_owned(), text_of(types, start + 1, types.at)));
        } else if types.eat_word("not") && types.eat_word("null") {
            parts.push(("not null".to_owned(), String::new()));
        } else if types.eat_word("check") {
            types.skip_parentheses();
            let name = named.unwrap_or_else(|| {
                // As PostgreSQL names them.
                let number = if implicit == 0 { String::new() } else { implicit.to_string() };
                implicit += 1;
                ident_if_needed(&format!("{name}_check{number}"))
            });
            parts.push((format!("check {name}"), text_of(types, start, types.at)));
        } else if !types.eat_word("null") {
            return Err("DEFAULT, NOT NULL or CHECK");
        }
    }
    Ok(TypeParts { shape: base, parts })
}

/// Reads the attributes of a composite type, behind `CREATE TYPE name AS (`.
pub(super) fn composite(types: &mut Types<'_>) -> Result<TypeParts, &'static str> {
    let mut parts = Vec::new();
    while !types.eat_mark(")") {
        let name = types.take_name()?;
        let mut ty = types.take_whole()?;
        let start = types.at;
        if types.eat_word("collate") {
            skip_path(types);
            ty += &format!(" {}", text_of(types, start, types.at));
        }
        parts.push((name, ty));
        if !types.eat_mark(",") && !types.is_mark(")") {
            return Err("`,` or `)`");
        }
    }
    Ok(TypeParts { shape: String::new(), parts })
}

/// Returns all options of a sequence, given those that its statement has. What the statement leaves out depends on the type
/// and the direction, and ALTER SEQUENCE would take it from the sequence that is there.
pub(super) fn sequence_options(text: &str, tokens: &[Token]) -> String {
    let mut options = Options { text, tokens, at: 0 };
    let (mut ty, mut rest) = ("bigint".to_owned(), Vec::new());
    let (mut increment, mut cache, mut cycle) = (1_i128, "1".to_owned(), "NO CYCLE");
    let (mut min, mut max, mut start) = (None, None, None);
    while options.at < tokens.len() {
        if options.eat("as") {
            ty = options.word();
            while options.tokens.get(options.at).is_some_and(|token| token.is_punctuation(text, ".")) {
                options.at += 1;
                ty = options.word();
            }
        } else if options.eat("increment") {
            options.eat("by");
            increment = options.number().unwrap_or(1);
        } else if options.eat("minvalue") {
            min = options.number();
        } else if options.eat("maxvalue") {
            max = options.number();
        } else if options.eat("start") {
            options.eat("with");
            start = options.number();
        } else if options.eat("cache") {
            cache = options.word();
        } else if options.eat("cycle") {
            cycle = "CYCLE";
        } else if options.eat("no") {
            options.at += 1;
        } else {
            rest.push(options.word());
        }
    }
    let (least, largest) = bounds(&ty);
    let min = min.unwrap_or(if increment > 0 { 1 } else { least });
    let max = max.unwrap_or(if increment > 0 { largest } else { -1 });
    let start = start.unwrap_or(if increment > 0 { min } else { max });
    let said = format!(
        "AS {ty} INCREMENT BY {increment} MINVALUE {min} MAXVALUE {max} START WITH {start} CACHE {cache} {cycle}"
    );
    [vec![said], rest].concat().join(" ")
}

/// The smallest and the largest value of the type of a sequence.
fn bounds(ty: &str) -> (i128, i128) {
    match ty.to_ascii_lowercase().as_str() {
        "smallint" | "int2" => (i16::MIN.into(), i16::MAX.into()),
        "integer" | "int" | "int4" => (i32::MIN.into(), i32::MAX.into()),
        _ => (i64::MIN.into(), i64::MAX.into()),
    }
}

/// Options of a sequence, read from the left.
struct Options<'t> {
    text: &'t str,
    tokens: &'t [Token],
    at: usize,
}

impl Options<'_> {
    fn eat(&mut self, word: &str) -> bool {
        let is_it = self.tokens.get(self.at).is_some_and(|token| token.is_word(self.text, word));
        self.at += usize::from(is_it);
        is_it
    }

    fn word(&mut self) -> String {
        let word = self.tokens.get(self.at).map_or("", |token| token.text(self.text));
        self.at += 1;
        word.to_owned()
    }

    fn number(&mut self) -> Option<i128> {
        let sign = self.tokens.get(self.at).map_or("", |token| token.text(self.text));
        self.at += usize::from(sign == "-" || sign == "+");
        let number = self.word().replace('_', "").parse::<i128>().ok()?;
        Some(if sign == "-" { -number } else { number })
    }
}

fn text_of(types: &Types<'_>, from: usize, to: usize) -> String {
    match (types.tokens.get(from), types.tokens.get(to.wrapping_sub(1))) {
        (Some(first), Some(last)) if from < to => types.text[first.start..last.end].to_owned(),
        _ => String::new(),
    }
}

fn skip_path(types: &mut Types<'_>) {
    while types.tokens.get(types.at).is_some_and(is_name) {
        types.at += 1;
        if !types.eat_mark(".") {
            return;
        }
    }
}

/// Skips the value of a default, up to the next clause of a domain.
fn skip_until_clause(types: &mut Types<'_>) {
    let first = types.at;
    while types.at < types.tokens.len() {
        let is_clause = ["constraint", "not", "null", "check", "collate"].iter().any(|word| types.is_word(0, word));
        if types.at > first && is_clause {
            return;
        }
        if types.is_mark("(") || types.is_mark("[") {
            types.skip_parentheses();
        } else {
            types.at += 1;
        }
    }
}
