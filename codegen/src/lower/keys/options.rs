//! `include:`, `nulls:`, `nullsNotDistinct:`, `deferrable:` and `with:`: properties of keys that PostgreSQL has and
//! Prisma's language does not.

use super::super::Cx;
use super::super::arguments::{Bound, expect_flag, expect_one_of, expect_string};
use super::super::draft::{KeyDraft, KeyKind, KeyOptionsDraft};
use super::super::field_names::read_field_list;
use super::refuse_argument;
use crate::diagnostics::{self as codes, Diagnostic, Span};
use crate::ir::{Arity, Deferrable, IndexMethod, ModelId, NullsOrder};
use crate::syntax::Expression;

const DEFERRABLE: [(&str, Deferrable); 2] =
    [("InitiallyImmediate", Deferrable::InitiallyImmediate), ("InitiallyDeferred", Deferrable::InitiallyDeferred)];

const NULLS: [(&str, NullsOrder); 2] = [("First", NullsOrder::First), ("Last", NullsOrder::Last)];

/// Reads the properties of a key.
pub(in crate::lower) fn read_options<'a>(cx: &mut Cx<'a, '_>, model: ModelId, bound: &Bound<'a>) -> KeyOptionsDraft {
    let include = bound.get("include").map(|value| read_field_list(cx, value, model, "include", None));
    let nulls_not_distinct = bound.get("nullsNotDistinct").and_then(|value| {
        let flag = expect_flag(cx, value, "nullsNotDistinct: true")?;
        flag.then(|| bound.span("nullsNotDistinct").unwrap_or(value.span()))
    });
    KeyOptionsDraft {
        include,
        nulls_not_distinct,
        deferrable: bound.get("deferrable").and_then(|value| read_deferrable(cx, value)),
        storage: bound.get("with").and_then(|value| read_storage(cx, value)),
    }
}

/// Reads the value of `deferrable:`.
pub(in crate::lower) fn read_deferrable<'a>(
    cx: &mut Cx<'a, '_>,
    value: &'a Expression<'a>,
) -> Option<(Deferrable, Span)> {
    expect_one_of(cx, value, "a moment for the check", &DEFERRABLE)
}

/// Reads `nulls:` of a part of a key.
pub(super) fn read_nulls<'a>(
    cx: &mut Cx<'a, '_>,
    bound: &Bound<'a>,
    kind: KeyKind,
    owner: &str,
) -> Option<(NullsOrder, Span)> {
    let (nulls, span) = expect_one_of(cx, bound.get("nulls")?, "a place for nulls", &NULLS)?;
    if kind == KeyKind::Primary {
        refuse_argument(cx, span, "nulls", owner, "remove it: a primary key has no nulls");
        return None;
    }
    Some((nulls, span))
}

/// Reads storage parameters: `"fillfactor=70, deduplicate_items=off"`.
pub(in crate::lower) fn read_storage<'a>(
    cx: &mut Cx<'a, '_>,
    value: &'a Expression<'a>,
) -> Option<(Vec<String>, Span)> {
    let text = expect_string(cx, value)?;
    let read: Option<Vec<String>> = text.text.split(',').map(storage_parameter).collect();
    let Some(mut parameters) = read else {
        cx.report(
            Diagnostic::new(codes::WRONG_VALUE, text.span, "expected storage parameters")
                .label("not `name=value`")
                .help(
                    "write the names and values of PostgreSQL, such as `\"fillfactor=70\"`, with commas between them",
                ),
        );
        return None;
    };
    parameters.sort();
    parameters.dedup();
    Some((parameters, text.span))
}

/// Returns a parameter as PostgreSQL's catalog has it: `fillfactor=70`.
fn storage_parameter(text: &str) -> Option<String> {
    let (name, value) = text.split_once('=')?;
    let (name, value) = (name.trim().to_ascii_lowercase(), value.trim());
    let is_name = |name: &str| {
        let mut letters = name.bytes();
        letters.next().is_some_and(|byte| byte.is_ascii_lowercase() || byte == b'_')
            && letters.all(|byte| byte.is_ascii_alphanumeric() || b"_.".contains(&byte))
    };
    let is_value =
        !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte));
    (is_name(&name) && is_value).then(|| format!("{name}={value}"))
}

/// Returns what is wrong with the options of a key.
pub(super) fn mistakes(cx: &Cx<'_, '_>, key: &KeyDraft<'_>) -> Vec<Diagnostic> {
    let mut found = included_columns_are_others(cx, key);
    found.extend(method_includes_columns(key));
    found.extend(method_puts_nulls(key));
    found.extend(nulls_are_possible(cx, key));
    found.extend(deferrable_key_is_a_constraint(key));
    found
}

fn included_columns_are_others(cx: &Cx<'_, '_>, key: &KeyDraft<'_>) -> Vec<Diagnostic> {
    let own = |id| key.fields.iter().find(|field| field.column() == Some(id)).map(|field| field.span);
    let included = key.options.include.iter().flat_map(|list| &list.fields).enumerate();
    let earlier = |at: usize, id| {
        let list = key.options.include.as_ref()?;
        list.fields[..at].iter().find(|(other, _)| *other == id).map(|(_, span)| *span)
    };
    let repeated = included.filter_map(|(at, (id, span))| Some((*id, *span, own(*id).or_else(|| earlier(at, *id))?)));
    repeated
        .map(|(id, span, first)| {
            let message = format!("`{}` names `{}` twice", key.attribute, cx.field(id).ast.name.text);
            Diagnostic::new(codes::REPEATED_KEY_FIELD, span, message)
                .label("named again")
                .second(first, "first named here")
                .help("remove it from `include`: the index has its values anyway")
        })
        .collect()
}

/// PostgreSQL 15 manual, CREATE INDEX, INCLUDE.
fn method_includes_columns(key: &KeyDraft<'_>) -> Option<Diagnostic> {
    let (method, span) = (key.method(), key.method.map_or(key.span, |(_, span)| span));
    let include = key.options.include.as_ref()?;
    (!matches!(method, IndexMethod::BTree | IndexMethod::Gist | IndexMethod::SpGist)).then(|| {
        let message = format!("an index of type `{}` cannot include other columns", super::method_name(method));
        Diagnostic::new(codes::INDEX_METHOD, include.span, message)
            .label("not possible")
            .second(span, "because of this type")
            .help("remove `include`, or use `BTree`, `Gist` or `SpGist`")
    })
}

fn method_puts_nulls(key: &KeyDraft<'_>) -> Vec<Diagnostic> {
    let Some((method, span)) = key.method.filter(|(method, _)| *method != IndexMethod::BTree) else {
        return Vec::new();
    };
    let places = key.fields.iter().filter_map(|field| field.nulls);
    places
        .map(|(_, nulls)| {
            let message = format!("an index of type `{}` has no order", super::method_name(method));
            Diagnostic::new(codes::INDEX_METHOD, nulls, message)
                .label("not possible")
                .second(span, "because of this type")
                .help("remove `nulls`")
        })
        .collect()
}

fn nulls_are_possible(cx: &Cx<'_, '_>, key: &KeyDraft<'_>) -> Option<Diagnostic> {
    let span = key.options.nulls_not_distinct?;
    let columns = key.columns()?;
    let is_required = |id: &_| cx.field(*id).arity() == Arity::Required;
    columns.iter().all(is_required).then(|| {
        Diagnostic::new(codes::IGNORED_ARGUMENT, span, "`nullsNotDistinct` has no effect on required fields")
            .label("there are no nulls")
            .help("remove it, or make a field of the key optional")
    })
}

/// Only a constraint can be deferred, and a constraint consists of whole columns of all rows.
fn deferrable_key_is_a_constraint(key: &KeyDraft<'_>) -> Option<Diagnostic> {
    let (_, span) = key.options.deferrable.filter(|_| key.kind != KeyKind::Exclusion)?;
    let part = key.fields.iter().find_map(|field| match (field.column(), field.sort, field.nulls) {
        (None, ..) => Some((field.span, "an expression")),
        (_, Some((_, span)), _) => Some((span, "`sort`")),
        (_, _, Some((_, span))) => Some((span, "`nulls`")),
        _ => None,
    });
    let (place, what) = match (part, &key.predicate) {
        (Some((place, what)), _) => (place, what),
        (None, Some(_)) => (key.span, "`where`"),
        (None, None) => return None,
    };
    let message = format!("a deferrable key cannot have {what}");
    Some(
        Diagnostic::new(codes::DEFERRABLE_KEY, span, message)
            .label("PostgreSQL defers only constraints on columns")
            .second(place, format!("{what} needs an index that is not a constraint"))
            .help(format!("remove `deferrable`, or {what}")),
    )
}
