//! Reads the attributes of fields, models, views, enums and values into their drafts.

mod on_blocks;
mod on_fields;

use std::collections::BTreeMap;

use super::Cx;
use super::arguments::{Parameters, bind, expect_database_name, expect_sql};
use super::draft::Given;
use crate::diagnostics::hints::{block_attribute_hint, field_attribute_hint};
use crate::diagnostics::{self as codes, Diagnostic, Span, did_you_mean};
use crate::syntax::{Attribute, Name};

/// Reads every attribute of the schema.
pub(super) fn read_attributes(cx: &mut Cx<'_, '_>) {
    for id in cx.enum_ids() {
        on_blocks::read_enum_attributes(cx, id);
    }
    for id in cx.model_ids() {
        on_blocks::read_model_attributes(cx, id);
    }
    // Conditions of keys name columns, so they are read after all `@map`s.
    let keys: Vec<_> = cx.field_ids().map(|id| (id, on_fields::read_field_attributes(cx, id))).collect();
    for (id, attributes) in keys {
        on_fields::read_field_keys(cx, id, attributes);
    }
    for id in cx.model_ids() {
        on_blocks::read_model_keys(cx, id);
    }
    on_blocks::everything_has_a_namespace(cx);
}

/// Attributes that may be repeated.
const REPEATABLE: [&str; 5] = ["index", "unique", "exclude", "check", "scope"];

/// Returns the attributes of one place that can be read: those that are known, complete, and the first with their name.
pub(super) fn usable<'a>(
    cx: &mut Cx<'a, '_>,
    attributes: &[&'a Attribute<'a>],
    prefix: &str,
    known: &[&'static str],
) -> Vec<(&'static str, &'a Attribute<'a>)> {
    let mut seen: BTreeMap<&str, Span> = BTreeMap::new();
    let mut found = Vec::new();
    for attribute in attributes.iter().copied() {
        let name = attribute.name;
        let Some(known) = known.iter().copied().find(|known| *known == name.text) else {
            report_unknown_attribute(cx, name, prefix, known);
            continue;
        };
        if let Some(first) = seen.insert(known, attribute.span)
            && !(prefix == "@@" && REPEATABLE.contains(&known))
        {
            report_repeated_attribute(cx, attribute.span, first, &format!("{prefix}{known}"));
            continue;
        }
        if !attribute.broken {
            found.push((known, attribute));
        }
    }
    found
}

fn report_repeated_attribute(cx: &mut Cx<'_, '_>, span: Span, first: Span, name: &str) {
    cx.report(
        Diagnostic::new(codes::REPEATED_ATTRIBUTE, span, format!("`{name}` is written twice"))
            .label("written again")
            .second(first, "first written here")
            .help("remove one of them"),
    );
}

fn report_unknown_attribute(cx: &mut Cx<'_, '_>, name: Name<'_>, prefix: &str, known: &[&'static str]) {
    let other = if prefix == "@" { "@@" } else { "@" };
    let hint = match prefix {
        "@" => field_attribute_hint(name.text),
        _ => block_attribute_hint(name.text).map(str::to_owned),
    };
    let help = match did_you_mean(name.text, known.iter().copied()) {
        _ if known.contains(&name.text) => format!("write `{prefix}{}`", name.text),
        _ if hint.is_some() => hint.unwrap_or_default(),
        Some(guess) => format!("did you mean `{prefix}{guess}`?"),
        None if prefix == "@" && ["index", "exclude", "schema", "check", "fulltext"].contains(&name.text) => {
            format!("`{other}{}` goes on its own line, at the end of the model", name.text)
        }
        None if prefix == "@@"
            && [
                "relation",
                "default",
                "updatedAt",
                "softDelete",
                "generated",
                "identity",
                "collate",
                "domain",
                "using",
                "sensitive",
                "omit",
            ]
            .contains(&name.text) =>
        {
            format!("`{other}{}` goes after the type of a field", name.text)
        }
        None => format!("the attributes that are allowed here are `{prefix}{}`", known.join(&format!("`, `{prefix}"))),
    };
    let message = format!("there is no attribute `{prefix}{}` here", name.text);
    cx.report(Diagnostic::new(codes::UNKNOWN_ATTRIBUTE, name.span, message).label("unknown attribute").help(help));
}

/// Reports an attribute at a place where it has no meaning.
pub(super) fn report_misplaced(cx: &mut Cx<'_, '_>, span: Span, message: String, help: &str) {
    cx.report(Diagnostic::new(codes::MISPLACED_ATTRIBUTE, span, message).label("not possible here").help(help));
}

/// Reads the only argument of attributes such as `@map("x")`, a name in the database.
pub(super) fn read_name<'a>(
    cx: &mut Cx<'a, '_>,
    attribute: &'a Attribute<'a>,
    parameters: &Parameters,
) -> Option<Given<'a>> {
    let bound = bind(cx, attribute.arguments(), attribute.span, parameters);
    expect_database_name(cx, bound.get("name").or_else(|| bound.get("map"))?)
}

/// Reads the only argument of attributes such as `@using("sql")`.
fn read_sql<'a>(cx: &mut Cx<'a, '_>, attribute: &'a Attribute<'a>, parameters: &Parameters) -> Option<Given<'a>> {
    let bound = bind(cx, attribute.arguments(), attribute.span, parameters);
    let needs = format!("`{}` needs an SQL expression", parameters.owner);
    expect_sql(cx, bound.get("sql")?, needs, "write an expression that PostgreSQL accepts")
}

/// Checks that an attribute has no arguments.
pub(super) fn expect_no_arguments<'a>(cx: &mut Cx<'a, '_>, attribute: &'a Attribute<'a>, owner: &'static str) {
    let parameters = Parameters { owner, unnamed: None, names: &[], required: &[] };
    bind(cx, attribute.arguments(), attribute.span, &parameters);
}

pub(super) const fn name_parameters(owner: &'static str) -> Parameters {
    Parameters { owner, unnamed: Some("name"), names: &["name"], required: &["name"] }
}

const fn sql_parameters(owner: &'static str) -> Parameters {
    Parameters { owner, unnamed: Some("sql"), names: &["sql"], required: &["sql"] }
}
