//! `sql/**/*.sql`: functions, procedures, triggers and policies that migrations manage.
//!
//! A file has any number of statements. Those that create something else are not executed by migrations; query files
//! can name the views, sequences and extensions among them.

mod signature;
mod statement;
mod types;

use std::collections::BTreeMap;

use relata_pgsql::{Nesting, Token, TokenKind, ident_if_needed, tokens};

use super::Cx;
use super::draft::RelationDraft;
use crate::diagnostics::{self as codes, Diagnostic, Sources, Span, did_you_mean, suggest};
use crate::ir::{FieldId, ModelId, SqlObject};
use crate::syntax::ModelKind;
use statement::{Found, read_statement};

/// How the names of policies begin that row security of tenants uses.
const RESERVED_POLICIES: &str = "relata_";

/// Where the names of objects were found first, by kind and identity.
type Places = BTreeMap<(&'static str, String), Span>;

/// Reads the files, and checks that what they name exists.
pub(super) fn read_objects(cx: &mut Cx<'_, '_>, sources: &Sources) {
    let mut places = Places::new();
    let first = (sources.files.len() + sources.views.len()) as u32;
    for (file, at) in sources.objects.iter().zip(first..) {
        for statement in statements(&file.text) {
            let span = |token: &Token| Span { file: at, start: token.start as u32, end: token.end as u32 };
            let place = statement.tokens.first().map(span).unwrap_or_default();
            let found = match statement.problem {
                Some(problem) => Err(problem.to_owned()),
                None => read_statement(&file.text, &statement.tokens),
            };
            match found {
                Ok(Found::Object(object)) => add(cx, object, place, &mut places),
                Ok(Found::Other { what, is_read }) => report_other(cx, &what, is_read, place),
                Err(problem) => report(cx, place, problem),
            }
        }
    }
}

struct Statement {
    tokens: Vec<Token>,
    problem: Option<&'static str>,
}

/// Splits a text into its statements. Comments are left out.
fn statements(text: &str) -> Vec<Statement> {
    let (mut nesting, mut current, mut found) = (Nesting::default(), Vec::new(), Vec::new());
    let mut end = |tokens: &mut Vec<Token>, problem| {
        if !tokens.is_empty() {
            found.push(Statement { tokens: std::mem::take(tokens), problem });
        }
    };
    let mut problem = text.contains('\0').then_some("the file contains a NUL character");
    for token in tokens(text) {
        if matches!(token.kind, TokenKind::Unterminated(_)) {
            problem = problem.or(Some("a string, a name or a comment is never closed"));
        } else if token.is_comment() {
            continue;
        }
        if nesting.ends_statement(text, token) {
            end(&mut current, problem);
        } else {
            current.push(token);
        }
    }
    end(&mut current, problem);
    found
}

fn add(cx: &mut Cx<'_, '_>, object: SqlObject, place: Span, places: &mut Places) {
    let identity = object.identity();
    if let Some(first) = places.insert((object.kind(), identity.clone()), place) {
        let message = format!("the {} `{identity}` is created twice", object.kind());
        cx.report(
            Diagnostic::new(codes::SQL_OBJECT_TWICE, place, message)
                .label("here")
                .second(first, "and here")
                .help("remove one of the two statements"),
        );
        return;
    }
    let namespace = object.namespace().map(str::to_owned);
    let table = object.table().map(|(_, table)| table.to_owned());
    let found = misplaced(cx, &object, namespace.as_deref(), place)
        .or_else(|| table.and_then(|table| unfounded(cx, &object, namespace.as_deref(), &table, place)))
        .or_else(|| unknown_column(cx, &object, place))
        .or_else(|| reserved(&object, place))
        .or_else(|| too_long(&object, place));
    match found {
        Some(problem) => cx.report(problem),
        None => {
            let warning = beside_tenants(cx, &object, place);
            cx.diagnostics.extend(warning);
            cx.objects.push(object);
        }
    }
}

/// Reports a column of `UPDATE OF` that the table of a trigger does not have.
fn unknown_column(cx: &Cx<'_, '_>, object: &SqlObject, place: Span) -> Option<Diagnostic> {
    let (namespace, table) = object.table().filter(|_| object.kind() == "trigger")?;
    let model = cx.model(model_named(cx, namespace, table)?);
    let fields = model.fields.clone().map(|id| cx.field(FieldId(id)));
    let known: Vec<&str> = fields.filter(|field| field.is_column()).map(|field| field.db_name()).collect();
    let all: Vec<Token> = tokens(&object.sql).filter(|token| !token.is_comment()).collect();
    let is_of = |pair: &[Token]| pair[0].is_word(&object.sql, "update") && pair[1].is_word(&object.sql, "of");
    let of = all.windows(2).position(is_of)? + 2;
    let listed = all[of..].iter().take_while(|token| !["on", "or"].iter().any(|word| token.is_word(&object.sql, word)));
    let mut names = listed.filter(|token| statement::is_name(token)).map(|token| token.value(&object.sql));
    let unknown = names.find(|name| !known.contains(&name.as_ref()))?;
    let table = ident_if_needed(table);
    let message = format!("the trigger `{}` names the column `{unknown}`, which `{table}` does not have", object.name);
    let help = suggest(did_you_mean(&unknown, known.iter().copied()), || format!("it has {}", known.join(", ")));
    Some(Diagnostic::new(codes::SQL_OBJECT_TABLE, place, message).with("in this statement", help))
}

/// Reports a permissive policy of a table whose rows belong to tenants: it shows the rows of others, too.
fn beside_tenants(cx: &Cx<'_, '_>, object: &SqlObject, place: Span) -> Option<Diagnostic> {
    let (namespace, table) = object.table().filter(|_| object.kind() == "policy")?;
    let is_secured = |id: ModelId| cx.has_row_security(cx.model(id));
    let joins =
        cx.relations.iter().filter(|relation| relation.foreign_key.is_none() && relation.join_table(cx) == table);
    let sides = joins.flat_map(|relation| [relation.referencing, relation.referenced].map(|id| cx.field(id).model));
    let is_of_tenants = model_named(cx, namespace, table).into_iter().chain(sides).any(is_secured);
    let is_restrictive = tokens(&object.sql).any(|token| token.is_word(&object.sql, "restrictive"));
    let message = format!("the policy `{}` shows rows of `{table}` to other tenants", object.name);
    let help = "write `AS RESTRICTIVE`, because PostgreSQL shows a row if one of the permissive policies does; or allow this \
                with a comment, `-- lint:allow R1306 REASON`";
    (is_of_tenants && !is_restrictive)
        .then(|| Diagnostic::new(codes::POLICY_BESIDE_TENANTS, place, message).with("in this statement", help))
}

/// Reports a schema that migrations do not know: the object is only read. Without `schemas`, everything is in the schema of the connection.
fn misplaced(cx: &Cx<'_, '_>, object: &SqlObject, namespace: Option<&str>, place: Span) -> Option<Diagnostic> {
    let known: Vec<&str> = cx.config.namespaces.iter().map(|known| known.text).collect();
    let (problem, help) = match namespace {
        None if known.is_empty() => return None,
        Some(name) if known.contains(&name) => return None,
        None => (
            "names no schema".to_owned(),
            format!("write one of `schemas` in front of the name: `{}.`", known.join(".`, `")),
        ),
        Some(name) if known.is_empty() => (
            format!("names the schema `{name}`"),
            "remove the schema from the name, or list it in `schemas` of the datasource".to_owned(),
        ),
        Some(name) => (
            format!("names the schema `{name}`, which the datasource does not list"),
            suggest(did_you_mean(name, known.iter().copied()), || {
                format!("add \"{name}\" to `schemas` of the datasource")
            }),
        ),
    };
    let message = format!("migrations leave out the {} `{}`, because it {problem}", object.kind(), object.identity());
    Some(Diagnostic::new(codes::SQL_OBJECT_SCHEMA, place, message).with("in this statement", help))
}

/// Reports a name that PostgreSQL would cut.
fn too_long(object: &SqlObject, place: Span) -> Option<Diagnostic> {
    const MAX_NAME: usize = 63;
    let message = format!("the name of the {} `{}` has {} bytes", object.kind(), object.name, object.name.len());
    let help = format!("choose a name of at most {MAX_NAME} bytes: PostgreSQL cuts longer ones");
    let is_long = object.name.len() > MAX_NAME;
    is_long.then(|| Diagnostic::new(codes::SQL_OBJECT, place, message).with("in this statement", help))
}

/// Reports a name that row security of tenants uses.
fn reserved(object: &SqlObject, place: Span) -> Option<Diagnostic> {
    let is_reserved = object.kind() == "policy" && object.name.starts_with(RESERVED_POLICIES);
    let message = format!("`{}` is a name of policies of tenants", object.name);
    let help = "choose a name that does not begin with `relata_`";
    is_reserved.then(|| Diagnostic::new(codes::SQL_OBJECT, place, message).with("in this statement", help))
}

/// Returns the model of a table or a view.
fn model_named(cx: &Cx<'_, '_>, namespace: Option<&str>, table: &str) -> Option<ModelId> {
    cx.model_ids().find(|id| {
        let model = cx.model(*id);
        model.db_name() == table && model.namespace.map(|it| it.text) == namespace
    })
}

/// What a trigger or a policy can belong to.
enum Target {
    Table,
    View,
}

/// Returns the table or the view of that name, join tables included.
fn target(cx: &Cx<'_, '_>, namespace: Option<&str>, table: &str) -> Option<Target> {
    let model = model_named(cx, namespace, table).map(|id| match cx.model(id).ast.kind {
        ModelKind::View => Target::View,
        _ => Target::Table,
    });
    let is_join_table =
        |relation: &RelationDraft<'_>| relation.foreign_key.is_none() && relation.join_table(cx) == table;
    model.or_else(|| cx.relations.iter().any(is_join_table).then_some(Target::Table))
}

/// Reports a trigger or a policy whose table the schema does not declare.
fn unfounded(
    cx: &Cx<'_, '_>,
    object: &SqlObject,
    namespace: Option<&str>,
    table: &str,
    place: Span,
) -> Option<Diagnostic> {
    let found = target(cx, namespace, table);
    if matches!(found, Some(Target::View)) && object.kind() == "policy" {
        let message = format!("`{table}` is a view, and policies belong to tables");
        let help = "write the condition into the query of the view, or the policy for the table that it reads";
        return Some(Diagnostic::new(codes::SQL_OBJECT_TABLE, place, message).with("in this statement", help));
    }
    if found.is_some() {
        return None;
    }
    let named = cx.model_ids().find(|id| cx.model(*id).ast.name.text.eq_ignore_ascii_case(table));
    let names = cx.model_ids().map(|id| cx.model(id).db_name());
    let guess = named.map(|id| cx.model(id).db_name()).or_else(|| did_you_mean(table, names));
    let help = match guess {
        Some(name) => format!("did you mean `{}`? SQL names tables as PostgreSQL does", ident_if_needed(name)),
        None => "declare a model for the table; SQL names tables as PostgreSQL does".to_owned(),
    };
    let message = format!(
        "the {} `{}` belongs to `{}`, which the schema does not declare",
        object.kind(),
        object.name,
        ident_if_needed(table)
    );
    Some(Diagnostic::new(codes::SQL_OBJECT_TABLE, place, message).with("in this statement", help))
}

fn report(cx: &mut Cx<'_, '_>, place: Span, problem: String) {
    let help = "complete the statement; PostgreSQL's manual has a page for each";
    cx.report(Diagnostic::new(codes::SQL_OBJECT, place, problem).with("in this statement", help));
}

fn report_other(cx: &mut Cx<'_, '_>, what: &str, is_read: bool, place: Span) {
    let reader = if is_read { "only query files know it" } else { "it has no effect" };
    let message = format!("migrations do not execute `{what}`: {reader}");
    let help = "migrations create the functions, procedures, triggers, policies, domains, composite types and sequences of `sql`; \
                write other statements into a migration by hand";
    cx.report(Diagnostic::new(codes::SQL_OBJECT_UNMANAGED, place, message).with("this statement", help));
}
