//! Fields, their types, and attributes.

use pest::iterators::Pair;

use super::super::Rule;
use super::super::ast::{Attribute, FieldLine, FieldType, Name};
use super::Cx;
use super::blocks::{doc_text, report_crowded_close};
use super::values::{build_arguments, build_text, report_broken_arguments};
use crate::diagnostics::hints::type_hint;
use crate::diagnostics::{self as codes, Diagnostic, Span};
use crate::ir::Arity;
use crate::ir::name_of_sql_type;

/// Builds a field; `None` if it has no type.
pub(super) fn build_field<'s>(
    cx: &mut Cx<'s, '_>,
    pair: Pair<'s, Rule>,
    mut docs: Option<String>,
) -> Option<FieldLine<'s>> {
    let mut name = Name { text: "", span: cx.span(&pair) };
    let mut ty = None;
    let mut attributes: Vec<Attribute<'s>> = Vec::new();
    let (mut broken, mut colon) = (false, None);
    for pair in pair.into_inner() {
        match pair.as_rule() {
            Rule::name => name = cx.declared_name(&pair, "field"),
            Rule::legacy_colon => colon = Some(cx.span(&pair)),
            Rule::field_type => ty = Some(build_type(cx, pair)),
            Rule::attribute => attributes.push(build_attribute(cx, &pair)),
            Rule::trailing_doc => docs = docs.or_else(|| Some(doc_text(pair))),
            Rule::crowded_close => report_crowded_close(cx, &pair),
            Rule::stray => {
                broken = true;
                if !attributes.iter().any(|attribute| attribute.broken) {
                    let expected = if ty.is_some() { "an attribute or the end of the line" } else { "a type" };
                    let size =
                        ty.as_ref().filter(|_| attributes.is_empty()).and_then(|ty| size_help(ty, pair.as_str()));
                    cx.report_stray_with(&pair, expected, size);
                }
            }
            _ => {}
        }
    }
    if let Some(span) = colon {
        report_colon(cx, span, name, ty.as_ref().map_or("String", |ty| ty.name.text));
    }
    if ty.is_none() && !broken {
        report_missing_type(cx, name);
    }
    Some(FieldLine { name, ty: ty?, docs, attributes, broken })
}

/// `Decimal(10, 2)` and `varchar(40)`: a native type written as the type.
fn size_help(ty: &FieldType<'_>, rest: &str) -> Option<String> {
    let arguments = rest.strip_prefix('(')?.split_once(')')?.0;
    let named = || name_of_sql_type(&format!("{}({arguments})", ty.name.text.to_ascii_lowercase()));
    Some(match type_hint(ty.name.text, Some(arguments)).or_else(named) {
        Some(hint) => format!("write `{hint}`"),
        None => "a length belongs to the native type, such as `@db.VarChar(255)`".to_owned(),
    })
}

fn report_colon(cx: &mut Cx<'_, '_>, span: Span, name: Name<'_>, ty: &str) {
    cx.report(
        Diagnostic::new(codes::OLD_SYNTAX, span, "there is no `:` between a field and its type")
            .label("remove this")
            .help(format!("write the name, a space, and the type: `{} {ty}`", name.text)),
    );
}

fn report_missing_type(cx: &mut Cx<'_, '_>, name: Name<'_>) {
    cx.report(
        Diagnostic::new(codes::MISSING_TYPE, name.span, format!("the field `{}` has no type", name.text))
            .label("a type is missing after this name")
            .help(format!("write one, such as `{} String`", name.text)),
    );
}

fn build_type<'s>(cx: &mut Cx<'s, '_>, pair: Pair<'s, Rule>) -> FieldType<'s> {
    let span = cx.span(&pair);
    let mut name = Name { text: "", span };
    let (mut unsupported, mut arguments) = (None, None);
    let mut marks = Vec::new();
    for pair in pair.into_inner() {
        match pair.as_rule() {
            Rule::unsupported => {
                name = Name { text: "Unsupported", span: cx.span(&pair) };
                unsupported = pair.into_inner().next().map(|text| build_text(cx, text));
            }
            Rule::sized_type => {
                for part in pair.into_inner() {
                    match part.as_rule() {
                        Rule::sized_name => name = cx.name(&part),
                        _ => arguments = Some(cx.name(&part)),
                    }
                }
            }
            Rule::legacy_list => {
                name = pair.clone().into_inner().next().map_or(name, |inner| cx.name(&inner));
                report_old_type(cx, cx.span(&pair), &format!("{}[]", name.text));
                marks.push("[]");
            }
            Rule::mark => marks.push(pair.as_str()),
            _ => name = cx.name(&pair),
        }
    }
    let arity = arity(cx, name, span, &marks);
    FieldType { name, arity, unsupported, arguments, span }
}

fn arity(cx: &mut Cx<'_, '_>, name: Name<'_>, span: Span, marks: &[&str]) -> Arity {
    match marks {
        [] => Arity::Required,
        ["?"] => Arity::Optional,
        ["[]"] => Arity::List,
        ["!"] => {
            report_old_type(cx, span, name.text);
            Arity::Required
        }
        _ => {
            let message = "a list cannot be optional, and a type cannot have more than one mark";
            cx.report(
                Diagnostic::new(codes::OPTIONAL_LIST, span, message)
                    .label("more than one mark")
                    .help(format!("write `{0}[]`, which may be empty, or `{0}?`", name.text)),
            );
            Arity::List
        }
    }
}

fn report_old_type(cx: &mut Cx<'_, '_>, span: Span, instead: &str) {
    cx.report(
        Diagnostic::new(codes::OLD_SYNTAX, span, "this is the type syntax of early versions")
            .label("old syntax")
            .help(format!("write `{instead}`")),
    );
}

/// `@name(..)` and `@@name(..)`.
pub(super) fn build_attribute<'s>(cx: &mut Cx<'s, '_>, pair: &Pair<'s, Rule>) -> Attribute<'s> {
    let whole = cx.span(pair);
    let mut attribute = Attribute { name: Name { text: "", span: whole }, arguments: None, broken: false, span: whole };
    for pair in pair.clone().into_inner() {
        match pair.as_rule() {
            Rule::path => {
                attribute.name = cx.name(&pair);
                attribute.span.end = attribute.name.span.end;
                report_open_path(cx, attribute.name);
            }
            Rule::arguments => {
                attribute.span.end = cx.span(&pair).end;
                attribute.arguments = Some(build_arguments(cx, pair));
            }
            Rule::broken_arguments => {
                attribute.broken = true;
                report_broken_arguments(cx, &pair, attribute.name.text);
            }
            _ => {}
        }
    }
    attribute
}

/// `@db.` with nothing after the dot.
fn report_open_path(cx: &mut Cx<'_, '_>, name: Name<'_>) {
    if name.text.ends_with('.') {
        let span = Span { start: name.span.end - 1, ..name.span };
        cx.report(
            Diagnostic::new(codes::STRAY_TEXT, span, "a name is missing after the `.`")
                .label("expected a name")
                .help(format!("write a native type, such as `@{}Text`", name.text)),
        );
    }
}
