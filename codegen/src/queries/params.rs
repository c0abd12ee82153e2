//! Parameters: `$1`, or `:name`, which becomes a number in the order of first occurrence, after those that are used.

use std::collections::BTreeMap;
use std::ops::Range;

use super::header::ParamRef;
use super::lexer::{Kind, Token};
use crate::diagnostics::{self as codes, Diagnostic, Span};

/// The statement as it is sent, and its parameters.
#[derive(Debug)]
pub(super) struct Numbered {
    pub(super) sql: String,
    pub(super) pieces: Vec<(usize, usize)>,
    /// The first occurrence of each parameter, `$1` first, and its name if it has one.
    pub(super) params: Vec<(Span, Option<String>)>,
    /// All places of parameters in the file, with their numbers.
    places: Vec<(u16, Range<usize>)>,
}

impl Numbered {
    pub(super) fn count(&self) -> u16 {
        self.params.len() as u16
    }

    /// Returns the position of an annotation's parameter.
    pub(super) fn place(&self, which: &ParamRef) -> Option<usize> {
        match which {
            ParamRef::Number(number) => Some(usize::from(*number) - 1).filter(|at| *at < self.params.len()),
            ParamRef::Name(name) => self.params.iter().position(|(_, known)| known.as_ref() == Some(name)),
        }
    }

    /// Returns the part of the statement at a place of the file.
    pub(super) fn part(&self, span: Span) -> Option<&str> {
        self.sql.get(self.sent(span.start as usize)?..self.sent(span.end as usize)?)
    }

    /// Adds casts to parameters: `$1` becomes `($1::text::tsquery)`.
    pub(super) fn cast(&mut self, casts: &BTreeMap<u16, String>) {
        let (mut sql, mut pieces, mut done) = (String::new(), Vec::new(), 0);
        for (number, place) in &self.places {
            let (Some(cast), Some(start)) = (casts.get(number), self.sent(place.start)) else { continue };
            let end = start + format!("${number}").len();
            let unchanged = self.pieces.iter().filter(|(_, sent)| (done..start).contains(sent));
            pieces.extend(unchanged.map(|(file, sent)| (*file, sent - done + sql.len())));
            sql.push_str(&self.sql[done..start]);
            pieces.push((place.start, sql.len()));
            sql.push_str(&format!("(${number}{cast})"));
            pieces.push((place.end, sql.len()));
            done = end;
        }
        let unchanged = self.pieces.iter().filter(|(_, sent)| *sent >= done);
        pieces.extend(unchanged.map(|(file, sent)| (*file, sent - done + sql.len())));
        sql.push_str(&self.sql[done..]);
        pieces.sort_unstable();
        pieces.dedup_by_key(|(file, _)| *file);
        (self.sql, self.pieces) = (sql, pieces);
    }

    /// Returns the byte of the statement that corresponds to a byte of the file.
    fn sent(&self, at: usize) -> Option<usize> {
        let (file, sent) = self.pieces.iter().rev().find(|(file, _)| *file <= at)?;
        Some(sent + (at - file)).filter(|sent| *sent <= self.sql.len())
    }
}

/// Numbers the named parameters, and checks that there is no gap. Returns `None` if there is a mistake.
pub(super) fn number_params(
    file: u32,
    text: &str,
    span: Span,
    tokens: &mut [Token],
    found: &mut Vec<Diagnostic>,
) -> Option<Numbered> {
    let place = |token: &Token| Span { file, start: token.span.start as u32, end: token.span.end as u32 };
    let has_names = tokens.iter().any(|token| token.kind == Kind::Named);
    let mut params = numbers(tokens, &place, found)?;
    name_params(tokens, &place, &mut params);
    let (sql, pieces) = rewritten(text, span, tokens, has_names);
    let params_of = tokens.iter().filter(|token| token.kind == Kind::Param);
    let places = params_of.filter_map(|token| Some((token.text.parse().ok()?, token.span.clone()))).collect();
    Some(Numbered { sql, pieces, params, places })
}

/// Gives each name the next number.
fn name_params(tokens: &mut [Token], place: &dyn Fn(&Token) -> Span, params: &mut Vec<(Span, Option<String>)>) {
    let mut numbers = BTreeMap::new();
    for token in tokens.iter_mut().filter(|token| token.kind == Kind::Named) {
        let number = *numbers.entry(token.text.clone()).or_insert_with(|| {
            params.push((place(token), Some(token.text.clone())));
            params.len()
        });
        token.kind = Kind::Param;
        token.text = number.to_string();
    }
}

fn numbers(
    tokens: &[Token],
    place: &dyn Fn(&Token) -> Span,
    found: &mut Vec<Diagnostic>,
) -> Option<Vec<(Span, Option<String>)>> {
    let mut first: BTreeMap<usize, Span> = BTreeMap::new();
    for token in tokens.iter().filter(|token| token.kind == Kind::Param) {
        // The parser reports a number that is not valid for a parameter.
        if let Ok(number @ 1..) = token.text.parse::<u16>() {
            first.entry(usize::from(number)).or_insert_with(|| place(token));
        }
    }
    let missing = (1..).find(|number| !first.contains_key(number)).unwrap_or_default();
    if let Some((number, span)) = first.range(missing..).next() {
        found.push(
            Diagnostic::new(codes::QUERY_PARAMETERS, *span, format!("there is `${number}`, but no `${missing}`"))
                .help(format!("number the parameters from `$1` without gaps: write `${missing}` here")),
        );
        return None;
    }
    Some(first.into_values().map(|span| (span, None)).collect())
}

/// Returns the statement with numbers instead of names, and the origins of its pieces.
fn rewritten(text: &str, span: Span, tokens: &[Token], has_names: bool) -> (String, Vec<(usize, usize)>) {
    let (mut sql, mut pieces, mut at) = (String::new(), Vec::new(), span.start as usize);
    if has_names {
        for token in tokens.iter().filter(|token| token.kind == Kind::Param) {
            pieces.push((at, sql.len()));
            sql.push_str(&text[at..token.span.start]);
            pieces.push((token.span.start, sql.len()));
            sql.push('$');
            sql.push_str(&token.text);
            at = token.span.end;
        }
    }
    pieces.push((at, sql.len()));
    sql.push_str(&text[at..span.end as usize]);
    // Line breaks are normalised, so that a statement does not depend on the editor.
    (sql, pieces)
}
