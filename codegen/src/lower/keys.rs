//! Keys and indexes: reads their attributes, and checks that PostgreSQL supports them.

mod comparable;
mod exclusions;
mod options;
mod rules;

use super::Cx;
use super::arguments::{
    Bound, Parameters, bind, expect_database_name, expect_one_of, expect_string, list_items, read_raw_sql,
    report_wrong_value,
};
use super::draft::{Given, KeyDraft, KeyField, KeyKind, KeyTarget, OperatorClass};
use super::field_names::find_column;
use super::operator_classes::{KNOWN_CLASSES, METHODS, method_name};
use super::predicates;
use crate::diagnostics::{self as codes, Diagnostic, Span, did_you_mean, suggest};
use crate::ir::{ModelId, SortOrder};
use crate::syntax::{Arguments, Attribute, Expression, Name};

pub(super) use options::{read_deferrable, read_options, read_storage};
pub(super) use rules::validate_keys;

const SORT_ORDERS: [(&str, SortOrder); 2] = [("Asc", SortOrder::Asc), ("Desc", SortOrder::Desc)];

const BOOLEANS: [(&str, bool); 2] = [("true", true), ("false", false)];

const ON_ID: Parameters = Parameters {
    owner: "@@id",
    unnamed: Some("fields"),
    names: &["fields", "name", "map", "clustered", "global", "include", "with"],
    required: &["fields"],
};

const ON_UNIQUE: Parameters = Parameters {
    owner: "@@unique",
    unnamed: Some("fields"),
    names: &[
        "fields",
        "name",
        "map",
        "clustered",
        "where",
        "global",
        "include",
        "nullsNotDistinct",
        "deferrable",
        "with",
    ],
    required: &["fields"],
};

const ON_INDEX: Parameters = Parameters {
    owner: "@@index",
    unnamed: Some("fields"),
    names: &["fields", "name", "map", "type", "clustered", "where", "include", "with"],
    required: &["fields"],
};

const ON_EXCLUDE: Parameters = Parameters {
    owner: "@@exclude",
    unnamed: Some("fields"),
    names: &["fields", "name", "map", "type", "where", "global", "include", "deferrable", "with"],
    required: &["fields"],
};

/// Reads `@@id`, `@@unique`, `@@index` or `@@exclude`.
pub(super) fn read_model_key<'a>(cx: &mut Cx<'a, '_>, model: ModelId, attribute: &'a Attribute<'a>, kind: KeyKind) {
    let parameters = match kind {
        KeyKind::Primary => &ON_ID,
        KeyKind::Unique => &ON_UNIQUE,
        KeyKind::Index => &ON_INDEX,
        KeyKind::Exclusion => &ON_EXCLUDE,
    };
    let bound = bind(cx, attribute.arguments(), attribute.span, parameters);
    refuse_unsupported_arguments(cx, &bound, parameters.owner);
    let (name, map) = match kind {
        KeyKind::Index => (None, read_only_name(cx, &bound, "an index")),
        KeyKind::Exclusion => (None, read_only_name(cx, &bound, "a constraint")),
        _ => (
            bound.get("name").and_then(|value| read_client_name(cx, value)),
            bound.get("map").and_then(|value| read_constraint_name(cx, value)),
        ),
    };
    let method = bound.get("type").and_then(|value| expect_one_of(cx, value, "an index method", &METHODS));
    let predicate = bound.get("where").and_then(|value| predicates::read_predicate(cx, model, value));
    let fields = bound.get("fields").and_then(|value| read_key_fields(cx, model, value, kind, parameters.owner));
    let options = read_options(cx, model, &bound);
    let Some(fields) = fields else {
        cx.model_mut(model).has_broken_key = true;
        return;
    };
    let key = KeyDraft {
        kind,
        attribute: parameters.owner,
        span: attribute.span,
        name,
        rust_ident: None,
        map,
        method,
        fields,
        predicate,
        global: read_global(cx, &bound),
        options,
        constraint_name: String::new(),
    };
    cx.model_mut(model).keys.push(key);
}

/// Reads `name:` or `map:` of something that has only a name in the database.
pub(super) fn read_only_name<'a>(cx: &mut Cx<'a, '_>, bound: &Bound<'a>, owner: &str) -> Option<Given<'a>> {
    let mut read = |argument| bound.get(argument).and_then(|value| read_constraint_name(cx, value));
    let (name, map) = (read("name"), read("map"));
    if let (Some(name_span), Some(map_span)) = (bound.span("name"), bound.span("map")) {
        cx.report(
            Diagnostic::new(codes::REPEATED_ARGUMENT, name_span, format!("the name of {owner} is specified twice"))
                .label("an alias of `map`")
                .second(map_span, "also specified here")
                .help("keep one of them: both set the name in the database"),
        );
    }
    map.or(name)
}

/// `name:`, which becomes an identifier in the client.
fn read_client_name<'a>(cx: &mut Cx<'a, '_>, value: &'a Expression<'a>) -> Option<Given<'a>> {
    let name = expect_string(cx, value)?;
    let valid = !name.text.is_empty() && name.text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    if !valid {
        cx.report(
            Diagnostic::new(codes::INVALID_NAME, name.span, "this name is not possible in the client")
                .label(if name.text.is_empty() {
                    "empty"
                } else {
                    "contains characters other than letters, digits and `_`"
                })
                .help("use letters, digits and `_`; for the name in the database write `map: \"..\"`"),
        );
        return None;
    }
    Some(name)
}

/// Reads `map:` of a key, index or foreign key. PostgreSQL truncates names to 63 bytes.
pub(super) fn read_constraint_name<'a>(cx: &mut Cx<'a, '_>, value: &'a Expression<'a>) -> Option<Given<'a>> {
    let name = expect_database_name(cx, value)?;
    if name.text.len() > super::constraint_names::MAX_NAME_BYTES {
        let message =
            format!("the name of a constraint can have at most 63 bytes, but this one has {}", name.text.len());
        cx.report(
            Diagnostic::new(codes::NAME_TOO_LONG, name.span, message)
                .label("too long")
                .help("shorten it, or remove the argument to use the default name"),
        );
        return None;
    }
    Some(name)
}

/// `global: true`.
pub(super) fn read_global<'a>(cx: &mut Cx<'a, '_>, bound: &Bound<'a>) -> bool {
    let value = bound.get("global").and_then(|value| expect_one_of(cx, value, "true or false", &BOOLEANS));
    value.is_some_and(|(global, _)| global)
}

/// Reads `sort:`, which a primary key cannot have.
pub(super) fn read_sort<'a>(
    cx: &mut Cx<'a, '_>,
    bound: &Bound<'a>,
    kind: KeyKind,
    owner: &str,
) -> Option<(SortOrder, Span)> {
    let (order, span) = expect_one_of(cx, bound.get("sort")?, "a sort order", &SORT_ORDERS)?;
    if kind == KeyKind::Primary {
        refuse_argument(cx, span, "sort", owner, "remove it: PostgreSQL's primary keys have no order");
        return None;
    }
    Some((order, span))
}

/// Refuses arguments for other databases.
pub(super) fn refuse_unsupported_arguments(cx: &mut Cx<'_, '_>, bound: &Bound<'_>, owner: &str) {
    for name in ["length", "clustered"] {
        if let Some(span) = bound.span(name) {
            refuse_argument(cx, span, name, owner, "remove it: PostgreSQL has no such option");
        }
    }
}

fn refuse_argument(cx: &mut Cx<'_, '_>, span: Span, name: &str, owner: &str, help: &str) {
    let message = format!("`{owner}` cannot have `{name}` in PostgreSQL");
    cx.report(Diagnostic::new(codes::UNSUPPORTED_ARGUMENT, span, message).label("not in PostgreSQL").help(help));
}

/// Reads the fields of a key; `None` if the key has to be left out.
fn read_key_fields<'a>(
    cx: &mut Cx<'a, '_>,
    model: ModelId,
    value: &'a Expression<'a>,
    kind: KeyKind,
    owner: &'static str,
) -> Option<Vec<KeyField<'a>>> {
    let items = list_items(value);
    if items.is_empty() {
        cx.report(
            Diagnostic::new(codes::EMPTY_LIST, value.span(), format!("`{owner}` needs at least one field"))
                .label("empty")
                .help("write the names of the fields, such as `[email]`"),
        );
        return None;
    }
    let fields: Vec<_> = items.iter().map(|item| read_key_field(cx, model, item, kind, owner)).collect();
    fields.into_iter().collect()
}

fn read_key_field<'a>(
    cx: &mut Cx<'a, '_>,
    model: ModelId,
    item: &'a Expression<'a>,
    kind: KeyKind,
    owner: &'static str,
) -> Option<KeyField<'a>> {
    let (name, arguments) = match item {
        Expression::Constant(name) => (*name, None),
        Expression::Call { name, arguments, .. } if is_expression(cx, model, *name, arguments) => {
            return read_key_expression(cx, item.span(), arguments, kind, owner);
        }
        Expression::Call { name, .. } if is_sql_function(cx, model, *name) => {
            let message = format!("`{owner}` takes the names of fields, and `{}` is not one", name.text);
            cx.report(
                Diagnostic::new(codes::UNKNOWN_FIELD, name.span, message)
                    .label("not a field")
                    .help(format!("write an expression as `raw(\"{}(..)\")`", name.text)),
            );
            return None;
        }
        Expression::Call { name, arguments, .. } => (*name, Some(arguments)),
        _ => {
            report_wrong_value(cx, item, "the name of a field", "write the field's name without quotes".to_owned());
            return None;
        }
    };
    let id = find_column(cx, model, name, owner);
    let bound = bind_field_arguments(cx, arguments, item.span());
    refuse_unsupported_arguments(cx, &bound, owner);
    let sort = read_sort(cx, &bound, kind, owner);
    let nulls = options::read_nulls(cx, &bound, kind, owner);
    let operator_class = bound.get("ops").and_then(|value| read_operator_class(cx, value, kind, owner));
    let operator = exclusions::read_operator(cx, &bound, kind, owner);
    Some(KeyField { target: KeyTarget::Field(id?), span: name.span, sort, nulls, operator_class, operator })
}

/// Returns whether it is `raw("sql")`, and not a field named `raw` with arguments.
fn is_expression(cx: &Cx<'_, '_>, model: ModelId, name: Name<'_>, arguments: &Arguments<'_>) -> bool {
    let has_text = arguments
        .list
        .iter()
        .any(|argument| argument.name.is_none() && matches!(argument.value, Expression::String(_)));
    name.text == "raw" && (has_text || cx.find_field(model, "raw").is_none())
}

/// Functions that are often used in indexes.
fn is_sql_function(cx: &Cx<'_, '_>, model: ModelId, name: Name<'_>) -> bool {
    ["lower", "upper", "coalesce", "md5", "date", "to_tsvector", "length", "trim", "left"].contains(&name.text)
        && cx.find_field(model, name.text).is_none()
}

/// `raw("lower(email)", sort: Desc, ops: raw("text_pattern_ops"))`.
fn read_key_expression<'a>(
    cx: &mut Cx<'a, '_>,
    span: Span,
    arguments: &'a Arguments<'a>,
    kind: KeyKind,
    owner: &'static str,
) -> Option<KeyField<'a>> {
    const ON_RAW: Parameters = Parameters {
        owner: "raw",
        unnamed: Some("sql"),
        names: &["sql", "sort", "nulls", "ops", "with"],
        required: &["sql"],
    };
    if kind == KeyKind::Primary {
        let message = format!("`{owner}` cannot have an expression");
        cx.report(
            Diagnostic::new(codes::WRONG_VALUE, span, message)
                .label("a primary key in PostgreSQL consists of columns")
                .help("add `@@unique([raw(\"..\")])` to an id of columns"),
        );
        return None;
    }
    let bound = bind(cx, &arguments.list, span, &ON_RAW);
    let sql = expect_string(cx, bound.get("sql")?)?;
    if sql.text.trim().is_empty() {
        cx.report(
            Diagnostic::new(codes::WRONG_VALUE, sql.span, "an index needs a field or an expression")
                .label("empty")
                .help("write an expression that PostgreSQL accepts, such as `raw(\"lower(email)\")`"),
        );
        return None;
    }
    let sort = read_sort(cx, &bound, kind, owner);
    let nulls = options::read_nulls(cx, &bound, kind, owner);
    let operator_class = bound.get("ops").and_then(|value| read_operator_class(cx, value, kind, owner));
    let operator = exclusions::read_operator(cx, &bound, kind, owner);
    Some(KeyField { target: KeyTarget::Expression(sql), span, sort, nulls, operator_class, operator })
}

/// Reads the arguments of a field in a key. Prisma ignores unknown ones.
fn bind_field_arguments<'a>(cx: &mut Cx<'a, '_>, arguments: Option<&'a Arguments<'a>>, span: Span) -> Bound<'a> {
    const KNOWN: [&str; 5] = ["sort", "nulls", "ops", "with", "length"];
    let (known, unknown): (Vec<_>, Vec<_>) = arguments
        .iter()
        .flat_map(|arguments| &arguments.list)
        .partition(|argument| argument.name.is_some_and(|name| KNOWN.contains(&name.text)));
    for argument in unknown {
        let help = suggest(argument.name.and_then(|name| did_you_mean(name.text, KNOWN)), || {
            "remove it; a field of a key takes `sort: Desc`, `nulls: First` and `ops: ..`".to_owned()
        });
        cx.report(
            Diagnostic::new(codes::IGNORED_ARGUMENT, argument.span, "this argument has no effect")
                .label("unknown argument")
                .help(help),
        );
    }
    let parameters = Parameters { owner: "a field of a key", unnamed: None, names: &KNOWN, required: &[] };
    bind(cx, known, span, &parameters)
}

fn read_operator_class<'a>(
    cx: &mut Cx<'a, '_>,
    value: &'a Expression<'a>,
    kind: KeyKind,
    owner: &str,
) -> Option<OperatorClass<'a>> {
    if kind.is_key() {
        refuse_argument(cx, value.span(), "ops", owner, "only `@@index` and `@@exclude` take operator classes");
        return None;
    }
    match value {
        Expression::Constant(name) => match KNOWN_CLASSES.iter().find(|class| class.name == name.text) {
            Some(class) => Some(OperatorClass::Known(class, name.span)),
            None => {
                let help = suggest(did_you_mean(name.text, KNOWN_CLASSES.iter().map(|class| class.name)), || {
                    "write its name in PostgreSQL as `raw(\"gin_trgm_ops\")`".to_owned()
                });
                let message = format!("there is no operator class `{}`", name.text);
                cx.report(Diagnostic::new(codes::OPERATOR_CLASS, name.span, message).label("unknown").help(help));
                None
            }
        },
        _ => read_raw_sql(cx, value).map(OperatorClass::Raw),
    }
}
