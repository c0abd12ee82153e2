//! Arguments and expressions.

use pest::Parser;
use pest::error::InputLocation;
use pest::iterators::Pair;

use super::super::ast::{Argument, Arguments, Expression, Name, Text};
use super::super::strings::{dedent, unescape};
use super::super::{Grammar, Rule};
use super::Cx;
use crate::diagnostics::{self as codes, Diagnostic, Span};

/// `(..)`.
pub(super) fn build_arguments<'s>(cx: &mut Cx<'s, '_>, pair: Pair<'s, Rule>) -> Arguments<'s> {
    let span = cx.span(&pair);
    let mut list = Vec::new();
    for pair in pair.into_inner() {
        match pair.as_rule() {
            Rule::argument => list.push(build_argument(cx, pair)),
            Rule::trailing_comma => report_trailing_comma(cx, &pair),
            _ => {}
        }
    }
    Arguments { list, span }
}

fn report_trailing_comma(cx: &mut Cx<'_, '_>, pair: &Pair<'_, Rule>) {
    let span = cx.span(pair);
    cx.report(
        Diagnostic::new(codes::TRAILING_COMMA, span, "no argument follows this comma")
            .label("remove this comma")
            .help("write the `)` directly after the last argument"),
    );
}

fn build_argument<'s>(cx: &mut Cx<'s, '_>, pair: Pair<'s, Rule>) -> Argument<'s> {
    let span = cx.span(&pair);
    let mut name = None;
    let mut value = None;
    for pair in pair.into_inner() {
        match pair.as_rule() {
            Rule::argument_name => name = Some(cx.name(&pair)),
            _ => value = Some(build_expression(cx, pair)),
        }
    }
    let value = value.unwrap_or_else(|| {
        report_missing_value(cx, name, span);
        Expression::Missing(span)
    });
    Argument { name, value, span }
}

fn report_missing_value(cx: &mut Cx<'_, '_>, name: Option<Name<'_>>, span: Span) {
    let name = name.map_or("", |name| name.text.trim_end());
    cx.report(
        Diagnostic::new(codes::MISSING_VALUE, span, format!("the argument `{name}` has no value"))
            .label("a value is missing after the colon")
            .help(format!("write one, or remove `{name}:`")),
    );
}

/// Any value.
pub(super) fn build_expression<'s>(cx: &mut Cx<'s, '_>, pair: Pair<'s, Rule>) -> Expression<'s> {
    let span = cx.span(&pair);
    match pair.as_rule() {
        Rule::number => Expression::Number(cx.name(&pair)),
        Rule::string => Expression::String(build_text(cx, pair)),
        Rule::array => {
            let items = pair.into_inner().map(|item| build_expression(cx, item)).collect();
            Expression::Array { items, span }
        }
        Rule::object => {
            let entries = pair.into_inner().filter_map(|entry| build_entry(cx, entry)).collect();
            Expression::Object { entries, span }
        }
        _ => build_call(cx, pair, span),
    }
}

/// `name: value` of an object.
fn build_entry<'s>(cx: &mut Cx<'s, '_>, pair: Pair<'s, Rule>) -> Option<(Name<'s>, Expression<'s>)> {
    let mut inner = pair.into_inner();
    let name = cx.name(&inner.next()?);
    Some((name, build_expression(cx, inner.next()?)))
}

fn build_call<'s>(cx: &mut Cx<'s, '_>, pair: Pair<'s, Rule>, span: Span) -> Expression<'s> {
    let mut name = Name { text: "", span };
    let mut arguments = None;
    for pair in pair.into_inner() {
        match pair.as_rule() {
            Rule::arguments => arguments = Some(build_arguments(cx, pair)),
            _ => name = cx.name(&pair),
        }
    }
    match arguments {
        Some(arguments) => Expression::Call { name, arguments, span },
        None => Expression::Constant(name),
    }
}

/// Builds a string literal. Its span includes the quotes.
pub(super) fn build_text<'s>(cx: &mut Cx<'s, '_>, pair: Pair<'s, Rule>) -> Text<'s> {
    let span = cx.span(&pair);
    let Some(text) = pair.into_inner().next() else { return Text { value: "".into(), span } };
    if text.as_rule() == Rule::long_text {
        return Text { value: dedent(text.as_str()).into(), span };
    }
    let (value, bad) = unescape(text.as_str());
    for escape in bad {
        let start = span.start as usize + 1;
        let place = cx.span_at(start + escape.start, start + escape.end);
        let help = if escape.unicode {
            "write four hexadecimal digits, such as `\\u00e9`, or the character itself"
        } else {
            "a backslash is written as `\\\\`; the escapes are `\\\"`, `\\\\`, `\\n`, `\\r`, `\\t` and `\\u00e9`"
        };
        let text = &cx.text[place.range()];
        let diagnostic = Diagnostic::new(codes::BAD_ESCAPE, place, format!("`{text}` is not an escape"));
        cx.report(diagnostic.label("unknown escape").help(help));
    }
    Text { value, span }
}

/// Reports arguments that cannot be parsed. Parses them once more to find where parsing stops.
pub(super) fn report_broken_arguments(cx: &mut Cx<'_, '_>, pair: &Pair<'_, Rule>, attribute: &str) {
    let start = pair.as_span().start();
    let line_end = cx.text[start..].find(['\n', '\r']).map_or(cx.text.len(), |length| start + length);
    let line = &cx.text[start..line_end];
    let stopped = match Grammar::parse(Rule::arguments, line) {
        Err(error) => match error.location {
            InputLocation::Pos(at) | InputLocation::Span((at, _)) => at.min(line.len()),
        },
        Ok(_) => 0,
    };
    let (at, message, mut help) = explain(line, stopped);
    if message == UNREADABLE && ["check", "using"].contains(&attribute) && !line.contains('"') {
        help = "SQL is written in quotes: `(\"price > 0\")`";
    }
    let length = line[at..].chars().next().map_or(1, char::len_utf8);
    let span = cx.span_at(start + at, (start + at + length).min(cx.text.len()));
    cx.report(Diagnostic::new(codes::BROKEN_ARGUMENTS, span, message).label("cannot be parsed from here").help(help));
}

const UNREADABLE: &str = "the arguments cannot be parsed";

/// Returns the place to report, the message, and what to write instead.
fn explain(line: &str, stopped: usize) -> (usize, &'static str, &'static str) {
    let rest = line[stopped..].trim_start();
    let at = line.len() - rest.len();
    match rest.chars().next() {
        Some('"') if rest.starts_with("\"\"\"") => (at, "this text is not closed", "end it with \"\"\""),
        None => (0, "this parenthesis is not closed on its line", "write all arguments and the `)` on one line"),
        Some('\'') => (at, "strings are written in double quotes", "write \" instead of '"),
        Some('"') => (at, "this string is not closed on its line", "end it with \"; write a line break in it as `\\n`"),
        Some('.' | '+') => (at, "this is not a number", "write numbers as `12`, `-3` or `0.5`"),
        Some(',' | ']' | ')') if line[..at].trim_end().ends_with(',') => {
            (at, "a value is missing after the comma", "write a value, or remove the comma")
        }
        Some('/') => (0, "this parenthesis is not closed on its line", "write the `)` before the comment"),
        Some(_) if line.matches('"').count() % 2 == 1 => {
            (at, UNREADABLE, "a string begins and ends with \"; one of them is missing on this line")
        }
        Some(_) => (at, UNREADABLE, "separate arguments by commas: `(a, name: \"b\", list: [c, d])`"),
    }
}
