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

/// The options of a sequence that say what PostgreSQL does without them, by the words that the others begin with.
const DEFAULTS: [(&[&str], &str); 5] = [
    (&["increment"], "INCREMENT BY 1"),
    (&["minvalue"], "NO MINVALUE"),
    (&["maxvalue"], "NO MAXVALUE"),
    (&["cache"], "CACHE 1"),
    (&["cycle"], "NO CYCLE"),
];

/// Returns all options of a sequence, given those that its statement has.
pub(super) fn sequence_options(text: &str, tokens: &[Token]) -> String {
    let is_said = |words: &[&str]| tokens.iter().any(|token| words.iter().any(|word| token.is_word(text, word)));
    let unsaid = DEFAULTS.iter().filter(|(words, _)| !is_said(words)).map(|(_, usual)| *usual);
    let said = match (tokens.first(), tokens.last()) {
        (Some(first), Some(last)) => &text[first.start..last.end],
        _ => "",
    };
    unsaid.chain((!said.is_empty()).then_some(said)).collect::<Vec<_>>().join(" ")
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
