//! From pest's pairs to the tree. Reports everything that the grammar accepts but the language does not have.

mod blocks;
mod fields;
mod values;

use pest::Parser;
use pest::iterators::Pair;

use super::ast::{Ast, Name};
use super::{Grammar, Rule};
use crate::diagnostics::{self as codes, Diagnostic, Span};

/// Adds the declarations of one file to the tree.
pub(super) fn build_file<'s>(file: u32, text: &'s str, ast: &mut Ast<'s>, diagnostics: &mut Vec<Diagnostic>) {
    let mut cx = Cx { file, text, diagnostics };
    match Grammar::parse(Rule::schema, text) {
        Ok(pairs) => blocks::build_items(&mut cx, pairs, ast),
        // The grammar has an alternative for every line, so this can only be a limit of pest.
        Err(error) => {
            let span = Span { file, start: 0, end: 0 };
            cx.report(Diagnostic::new(codes::STRAY_LINE, span, format!("the file cannot be read: {}", error.variant)));
        }
    }
}

/// The file that is being built.
struct Cx<'s, 'd> {
    file: u32,
    text: &'s str,
    diagnostics: &'d mut Vec<Diagnostic>,
}

impl<'s> Cx<'s, '_> {
    fn report(&mut self, diagnostic: Diagnostic) {
        self.diagnostics.push(diagnostic);
    }

    /// Returns the place of a pair, without the line break or blanks at its end.
    fn span(&self, pair: &Pair<'s, Rule>) -> Span {
        let start = pair.as_span().start();
        self.span_at(start, start + pair.as_str().trim_end().len())
    }

    fn span_at(&self, start: usize, end: usize) -> Span {
        Span { file: self.file, start: start as u32, end: end as u32 }
    }

    fn name(&self, pair: &Pair<'s, Rule>) -> Name<'s> {
        Name { text: pair.as_str(), span: self.span(pair) }
    }

    /// Reads a name that is declared: it must start with a letter and must not contain `-`.
    fn declared_name(&mut self, pair: &Pair<'s, Rule>, what: &str) -> Name<'s> {
        let name = self.name(pair);
        let reason = if name.text.starts_with(char::is_numeric) {
            "starts with a digit"
        } else if name.text.starts_with('_') {
            "starts with `_`"
        } else if name.text.contains('-') {
            "contains `-`"
        } else {
            return name;
        };
        let kept = name.text.trim_start_matches(|c: char| c == '_' || c == '-' || c.is_numeric()).replace('-', "_");
        let example = if kept.is_empty() { "name".to_owned() } else { kept };
        let map = if what.contains("model") || what.contains("enum:") { "@@map" } else { "@map" };
        let diagnostic =
            Diagnostic::new(codes::INVALID_NAME, name.span, format!("the name of a {what} cannot be `{}`", name.text))
                .label(reason)
                .help(format!("write `{example}`, and `{map}(\"{}\")` if that is its name in the database", name.text));
        self.report(diagnostic);
        name
    }

    /// Reports the rest of a line that could not be parsed, at the place where parsing stopped.
    fn report_stray(&mut self, pair: &Pair<'s, Rule>, expected: &str) {
        self.report_stray_with(pair, expected, None);
    }

    /// Like [`Cx::report_stray`], with help from the caller, which knows the context.
    fn report_stray_with(&mut self, pair: &Pair<'s, Rule>, expected: &str, help: Option<String>) {
        let span = self.span(pair);
        let text = pair.as_str().trim_end();
        let shown: String = text.split_whitespace().next().unwrap_or(text).chars().take(40).collect();
        let word = Span { end: span.start + shown.len() as u32, ..span };
        let diagnostic = Diagnostic::new(codes::STRAY_TEXT, word, format!("`{shown}` is not expected here"))
            .label(format!("expected {expected}"));
        self.report(match help.or_else(|| stray_help(text).map(str::to_owned)) {
            Some(help) => diagnostic.help(help),
            None => diagnostic,
        });
    }
}

/// Returns help for SQL after the type of a column.
fn sql_help(text: &str) -> Option<&'static str> {
    Some(match text.split_whitespace().next()?.to_ascii_lowercase().as_str() {
        "not" => "remove it: a field is required unless its type ends with `?`",
        "null" => "write `?` after the type: `String?`",
        "primary" => "write `@id`",
        "unique" => "write `@unique`",
        "default" => "write `@default(..)`",
        "references" => {
            "write a field with the other model as its type, and `@relation(fields: [..], references: [..])`"
        }
        _ => return None,
    })
}

/// Returns help for common mistakes in the rest of a line.
fn stray_help(text: &str) -> Option<&'static str> {
    Some(match text.chars().next()? {
        ';' | ',' => "remove it: lines need no separator",
        '@' if text.starts_with("@@") => "write an attribute with `@@` on a line of its own",
        '@' => "write the name of the attribute directly after the `@`",
        '/' if text.starts_with("/*") => "write a comment at the end of a line with `//`",
        '#' => "a comment starts with `//`",
        '\'' => "strings are written in double quotes",
        '=' => "a default is written as `@default(..)`",
        _ => return sql_help(text),
    })
}
