//! Keys and indexes: reads their attributes, and checks that PostgreSQL can have them.

mod rules;

use super::Cx;
use super::arguments::{
    Bound, Parameters, bind, expect_database_name, expect_one_of, expect_string, list_items, report_wrong_value,
};
use super::draft::{FieldList, FieldType, Given, KeyDraft, KeyField, KeyKind, KeyTarget, OperatorClass};
use super::operator_classes::{KNOWN_CLASSES, METHODS};
use super::predicates;
use crate::diagnostics::{self as codes, Diagnostic, Span, did_you_mean, suggest};
use crate::ir::{FieldId, ModelId, SortOrder};
use crate::syntax::{Arguments, Attribute, Expression, Name};

pub(super) use rules::validate_keys;

const SORT_ORDERS: [(&str, SortOrder); 2] = [("Asc", SortOrder::Asc), ("Desc", SortOrder::Desc)];

const ON_ID: Parameters = Parameters {
    owner: "@@id",
    unnamed: Some("fields"),
    names: &["fields", "name", "map", "clustered"],
    required: &["fields"],
};

const ON_UNIQUE: Parameters = Parameters {
    owner: "@@unique",
    unnamed: Some("fields"),
    names: &["fields", "name", "map", "clustered", "where"],
    required: &["fields"],
};

const ON_INDEX: Parameters = Parameters {
    owner: "@@index",
    unnamed: Some("fields"),
    names: &["fields", "name", "map", "type", "clustered", "where"],
    required: &["fields"],
};

/// Reads `@@id`, `@@unique` or `@@index`.
pub(super) fn read_model_key<'a>(cx: &mut Cx<'a, '_>, model: ModelId, attribute: &'a Attribute<'a>, kind: KeyKind) {
    let parameters = match kind {
        KeyKind::Primary => &ON_ID,
        KeyKind::Unique => &ON_UNIQUE,
        KeyKind::Index => &ON_INDEX,
    };
    let bound = bind(cx, attribute.arguments(), attribute.span, parameters);
    refuse_unsupported_arguments(cx, &bound, parameters.owner);
    let (name, map) = match kind {
        KeyKind::Index => (None, read_only_name(cx, &bound, "an index")),
        _ => (
            bound.get("name").and_then(|value| read_client_name(cx, value)),
            bound.get("map").and_then(|value| read_constraint_name(cx, value)),
        ),
    };
    let method = bound.get("type").and_then(|value| expect_one_of(cx, value, "an index method", &METHODS));
    let predicate = bound.get("where").and_then(|value| predicates::read_predicate(cx, model, value));
    let fields = bound.get("fields").and_then(|value| read_key_fields(cx, model, value, kind, parameters.owner));
    let Some(fields) = fields else {
        cx.model_mut(model).has_broken_key = true;
        return;
    };
    let key = KeyDraft {
        kind,
        attribute: parameters.owner,
        span: attribute.span,
        name,
        map,
        method,
        fields,
        predicate,
        constraint_name: String::new(),
    };
    cx.model_mut(model).keys.push(key);
}

/// `name:` or `map:` of what has only a name in the database.
pub(super) fn read_only_name<'a>(cx: &mut Cx<'a, '_>, bound: &Bound<'a>, owner: &str) -> Option<Given<'a>> {
    let mut read = |argument| bound.get(argument).and_then(|value| read_constraint_name(cx, value));
    let (name, map) = (read("name"), read("map"));
    if let (Some(name_span), Some(map_span)) = (bound.span("name"), bound.span("map")) {
        cx.report(
            Diagnostic::new(codes::REPEATED_ARGUMENT, name_span, format!("the name of {owner} is given twice"))
                .label("another word for `map`")
                .second(map_span, "also given here")
                .help("keep one of them: both are the name in the database"),
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
            Diagnostic::new(codes::INVALID_NAME, name.span, "this cannot be a name in the client")
                .label(if name.text.is_empty() { "empty" } else { "has other characters than letters, digits and `_`" })
                .help("use letters, digits and `_`; for the name in the database write `map: \"..\"`"),
        );
        return None;
    }
    Some(name)
}

/// `map:` of a key, index or foreign key: PostgreSQL cuts names after 63 bytes.
pub(super) fn read_constraint_name<'a>(cx: &mut Cx<'a, '_>, value: &'a Expression<'a>) -> Option<Given<'a>> {
    let name = expect_database_name(cx, value)?;
    if name.text.len() > super::constraint_names::MAX_NAME_BYTES {
        let message = format!("the name of a constraint has at most 63 bytes, this one has {}", name.text.len());
        cx.report(
            Diagnostic::new(codes::NAME_TOO_LONG, name.span, message)
                .label("too long")
                .help("shorten it, or remove the argument to have a name made"),
        );
        return None;
    }
    Some(name)
}

/// `raw("sql")`.
pub(super) fn read_raw_sql<'a>(cx: &mut Cx<'a, '_>, value: &'a Expression<'a>) -> Option<Given<'a>> {
    if let Expression::Call { name, arguments, .. } = value
        && name.text == "raw"
        && let [argument] = arguments.list.as_slice()
        && let Expression::String(sql) = &argument.value
    {
        return Some(sql.into());
    }
    let help = match value {
        Expression::String(sql) => format!("write `raw({:?})`", sql.value),
        _ => "write the SQL as `raw(\"deleted_at IS NULL\")`".to_owned(),
    };
    report_wrong_value(cx, value, "`raw(\"..\")` with SQL in it", help);
    None
}

/// `sort:`, which a primary key cannot have.
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

/// Arguments that other databases have.
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

/// The fields of a key; none if it has to be left out.
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
            let message = format!("`{owner}` names fields, and `{}` is none", name.text);
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
    let operator_class = bound.get("ops").and_then(|value| read_operator_class(cx, value, kind, owner));
    Some(KeyField { target: KeyTarget::Field(id?), span: name.span, sort, operator_class })
}

/// `raw("sql")`, but not a field of that name with arguments.
fn is_expression(cx: &Cx<'_, '_>, model: ModelId, name: Name<'_>, arguments: &Arguments<'_>) -> bool {
    let has_text = arguments
        .list
        .iter()
        .any(|argument| argument.name.is_none() && matches!(argument.value, Expression::String(_)));
    name.text == "raw" && (has_text || cx.find_field(model, "raw").is_none())
}

/// Functions that people index by.
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
    const ON_RAW: Parameters =
        Parameters { owner: "raw", unnamed: Some("sql"), names: &["sql", "sort", "ops"], required: &["sql"] };
    if kind == KeyKind::Primary {
        let message = format!("`{owner}` cannot have an expression");
        cx.report(
            Diagnostic::new(codes::WRONG_VALUE, span, message)
                .label("PostgreSQL's primary keys are made of columns")
                .help("write `@@unique([raw(\"..\")])` beside an id of columns"),
        );
        return None;
    }
    let bound = bind(cx, &arguments.list, span, &ON_RAW);
    let sql = expect_string(cx, bound.get("sql")?)?;
    if sql.text.trim().is_empty() {
        cx.report(
            Diagnostic::new(codes::WRONG_VALUE, sql.span, "an index needs a field or an expression")
                .label("empty")
                .help("write an expression as PostgreSQL would take it, such as `raw(\"lower(email)\")`"),
        );
        return None;
    }
    let sort = read_sort(cx, &bound, kind, owner);
    let operator_class = bound.get("ops").and_then(|value| read_operator_class(cx, value, kind, owner));
    Some(KeyField { target: KeyTarget::Expression(sql), span, sort, operator_class })
}

/// The arguments of a field in a key. Prisma takes no notice of those it does not know.
fn bind_field_arguments<'a>(cx: &mut Cx<'a, '_>, arguments: Option<&'a Arguments<'a>>, span: Span) -> Bound<'a> {
    const KNOWN: [&str; 3] = ["sort", "ops", "length"];
    let (known, unknown): (Vec<_>, Vec<_>) = arguments
        .iter()
        .flat_map(|arguments| &arguments.list)
        .partition(|argument| argument.name.is_some_and(|name| KNOWN.contains(&name.text)));
    for argument in unknown {
        let help = suggest(argument.name.and_then(|name| did_you_mean(name.text, KNOWN)), || {
            "remove it; a field of a key takes `sort: Desc` and `ops: ..`".to_owned()
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
    if kind != KeyKind::Index {
        refuse_argument(cx, value.span(), "ops", owner, "only `@@index` takes operator classes");
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

/// A field that a key or a condition names: it must exist and have a column.
pub(super) fn find_column(cx: &mut Cx<'_, '_>, model: ModelId, name: Name<'_>, owner: &str) -> Option<FieldId> {
    let id = find_named_field(cx, model, name, owner, None)?;
    if !matches!(cx.field(id).ty, FieldType::Model(_)) {
        return Some(id);
    }
    let columns: Vec<_> =
        relation_columns(cx, id).iter().map(|column| cx.field(*column).ast.name.text.to_owned()).collect();
    let help = if columns.is_empty() {
        "name a field with a column".to_owned()
    } else {
        format!("name the columns of the relation: `{}`", columns.join(", "))
    };
    let message = format!("`{owner}` cannot name `{}`, which is a relation and not a column", cx.qualified(id));
    cx.report(
        Diagnostic::new(codes::RELATION_IN_KEY, name.span, message)
            .label("a relation field")
            .second(cx.field(id).ast.name.span, "declared here")
            .help(help),
    );
    None
}

/// The columns that `fields:` of a relation field names, so far as they were read.
fn relation_columns(cx: &Cx<'_, '_>, id: FieldId) -> Vec<FieldId> {
    cx.field(id).relation.fields.as_ref().map(FieldList::ids).unwrap_or_default()
}

/// `declaration` is how the field could be declared, if that is known.
fn find_named_field(
    cx: &mut Cx<'_, '_>,
    model: ModelId,
    name: Name<'_>,
    owner: &str,
    declaration: Option<String>,
) -> Option<FieldId> {
    let found = cx.find_field(model, name.text);
    if found.is_none() && !cx.model(model).ast.broken {
        let model = cx.model(model);
        // A relation has no column, which is what is looked for.
        let is_column = |id: &FieldId| !matches!(cx.field(*id).ty, FieldType::Model(_));
        let known = model.by_name.iter().filter(|(_, id)| cx.may_search() && is_column(id)).map(|(name, _)| *name);
        let guess = did_you_mean(name.text, known).or_else(|| {
            let mut fields = model.field_ids().map(|id| cx.field(id));
            fields
                .find(|field| cx.may_search() && field.ast.attributes.iter().any(|a| is_mapped_to(a, name.text)))
                .map(|f| f.ast.name.text)
        });
        let help = match (guess, declaration) {
            (Some(guess), _) => format!("did you mean `{guess}`?"),
            (None, Some(declaration)) => format!("declare `{declaration}` in `{}`", model.ast.name.text),
            (None, None) => format!("declare it in `{}`, or name one of its fields", model.ast.name.text),
        };
        let message = format!("`{}` has no field `{}`", model.ast.name.text, name.text);
        let place = model.ast.name.span;
        cx.report(
            Diagnostic::new(codes::UNKNOWN_FIELD, name.span, message)
                .label(format!("`{owner}` names it"))
                .second(place, "this is the model")
                .help(help),
        );
    }
    found
}

/// Whether an attribute is `@map` to that column: naming a column for a field is a common slip.
fn is_mapped_to(attribute: &Attribute<'_>, column: &str) -> bool {
    attribute.name.text == "map"
        && attribute
            .arguments
            .iter()
            .flat_map(|arguments| &arguments.list)
            .any(|argument| matches!(&argument.value, Expression::String(text) if text.value == column))
}

/// `name Int @db.SmallInt`, of the type of the field that it would refer to.
fn declaration(cx: &Cx<'_, '_>, name: Name<'_>, model: ModelId, reference: Option<&Expression<'_>>) -> Option<String> {
    let Some(Expression::Constant(reference)) = reference else { return None };
    let referenced = cx.field(cx.find_field(model, reference.text)?).ast;
    let native = referenced.attributes.iter().find(|it| it.name.text.contains('.') && it.arguments.is_none());
    let native = native.map(|it| format!(" @{}", it.name.text)).unwrap_or_default();
    Some(format!("{} {}{native}", name.text, referenced.ty.name.text))
}

/// A list of fields in an argument of `@relation`; `opposite` is the other list, and the model that it is about.
pub(super) fn read_field_list<'a>(
    cx: &mut Cx<'a, '_>,
    value: &'a Expression<'a>,
    model: ModelId,
    argument: &str,
    opposite: Option<(&'a Expression<'a>, ModelId)>,
) -> FieldList {
    let mut list = FieldList { fields: Vec::new(), span: value.span(), broken: false };
    for (at, item) in list_items(value).iter().enumerate() {
        let Expression::Constant(name) = item else {
            report_wrong_value(cx, item, "the name of a field", "write the field's name without quotes".to_owned());
            list.broken = true;
            continue;
        };
        let declared = opposite.and_then(|(list, model)| declaration(cx, *name, model, list_items(list).get(at)));
        match find_named_field(cx, model, *name, &format!("{argument}:"), declared) {
            Some(id) if matches!(cx.field(id).ty, FieldType::Model(_)) => {
                list.broken = true;
                let message = format!("`{argument}:` cannot name `{}`, which is a relation", cx.qualified(id));
                cx.report(
                    Diagnostic::new(codes::RELATION_IN_KEY, name.span, message)
                        .label("a relation field")
                        .help("name fields with columns; a relation is stored in them"),
                );
            }
            Some(id) => list.fields.push((id, name.span)),
            None => list.broken = true,
        }
    }
    if list_items(value).is_empty() {
        list.broken = true;
        cx.report(
            Diagnostic::new(codes::EMPTY_LIST, value.span(), format!("`{argument}:` needs at least one field"))
                .label("empty")
                .help("write the names of the fields, such as `[id]`"),
        );
    }
    list
}
