//! Relations of which only one side is written: what to write for the other side.

use std::collections::BTreeSet;

use super::super::Cx;
use super::super::draft::{FieldType, KeyKind};
use super::super::naming::{camel_case, plural, upper_first};
use super::is_unique;
use crate::diagnostics::{self as codes, Diagnostic, Edit, Span};
use crate::ir::{Arity, FieldId, ModelId};
use crate::syntax::{Attribute, Expression};

/// The names of fields that diagnostics propose, so that two of them never propose the same.
pub(super) type Proposed = BTreeSet<(ModelId, String)>;

/// Reports a field without a partner.
pub(super) fn report_lonely(cx: &mut Cx<'_, '_>, id: FieldId, proposed: &mut Proposed) {
    let field = cx.field(id);
    let FieldType::Model(target_id) = field.ty else { return };
    let target = cx.model(target_id);
    if target.ast.broken {
        return;
    }
    let target_name = target.ast.name.text;
    let message = format!("`{}` has no field on its other side, in `{target_name}`", cx.qualified(id));
    let diagnostic = Diagnostic::new(codes::MISSING_BACK_RELATION, field.ast.name.span, message)
        .label(match field.relation.name {
            Some(name) => format!("a relation named \"{}\" to `{target_name}`", name.text),
            None => format!("a relation to `{target_name}`"),
        })
        .second(target.ast.name.span, "the field is missing in this model");
    let diagnostic = match field.arity() {
        Arity::List => diagnostic.help(sides_of_list(cx, id, target_id)),
        Arity::Required | Arity::Optional => propose_list(cx, id, target_id, proposed, diagnostic),
    };
    cx.report(diagnostic);
}

/// Proposes the other side of a field of which a row has at most one.
fn propose_list(
    cx: &Cx<'_, '_>,
    id: FieldId,
    target_id: ModelId,
    proposed: &mut Proposed,
    diagnostic: Diagnostic,
) -> Diagnostic {
    let field = cx.field(id);
    let (model, target) = (cx.model(field.model), cx.model(target_id));
    let (model_name, target_name) = (model.ast.name.text, target.ast.name.text);
    let (own, type_name) = (field.ast.name.text, field.ast.ty.name.text);
    // The two sides of a relation of a model with itself are told apart from other fields by their name.
    let new_name = (field.model == target_id && field.relation.name.is_none()).then(|| free_name(cx, id));
    let name = new_name.as_deref().or(field.relation.name.map(|name| name.text));
    let one_to_one = field.relation.fields.as_ref().is_some_and(|fields| is_unique(cx, &fields.ids()));
    let single = camel_case(model_name);
    let (plain, mark) = if one_to_one { (single, "?") } else { (plural(&single), "[]") };
    let is_taken = |name: &String, proposed: &Proposed| {
        target.by_name.contains_key(name.as_str()) || proposed.contains(&(target_id, name.clone()))
    };
    // With several relations between the two models, each list says which one it is the other side of.
    let relations = model.field_ids().filter(|other| cx.field(*other).ty == FieldType::Model(target_id)).count();
    let mut back = match relations > 1 || is_taken(&plain, proposed) {
        true => format!("{plain}As{}", upper_first(&camel_case(own))),
        false => plain,
    };
    while is_taken(&back, proposed) {
        back.push('_');
    }
    let relation = name.map(|name| format!(" @relation(\"{name}\")")).unwrap_or_default();
    let ignore = if model.ignored { " @ignore" } else { "" };
    let line = format!("{back} {model_name}{mark}{relation}{ignore}");
    proposed.insert((target_id, back));
    let help = match &new_name {
        None => format!("add `{line}` to `{target_name}`"),
        Some(name) => {
            let mark = if field.arity() == Arity::Optional { "?" } else { "" };
            let rest = if field.relation.span.is_some() { ", .." } else { "" };
            format!(
                "give both sides of the relation a name: write `{own} {type_name}{mark} @relation(\"{name}\"{rest})`, and \
                 add `{line}` to `{target_name}`"
            )
        }
    };
    let diagnostic = diagnostic.help(help);
    // Without its columns, the field may not be meant as a relation.
    let Some(close) = target.ast.close.filter(|_| field.relation.fields.is_some()) else { return diagnostic };
    let place = Span { file: target.ast.name.span.file, start: close, end: close };
    let named = new_name.map(|name| name_relation(cx, id, &name));
    diagnostic.edits(named.into_iter().chain([Edit { span: place, text: format!("{line}\n") }]))
}

/// A name for a relation of a model with itself.
fn free_name(cx: &Cx<'_, '_>, id: FieldId) -> String {
    let field = cx.field(id);
    let model = cx.model(field.model);
    let mut name = upper_first(model.ast.name.text) + &upper_first(field.ast.name.text);
    let is_taken = |name: &str| {
        model.field_ids().any(|other| cx.field(other).relation.name.is_some_and(|taken| taken.text == name))
    };
    while is_taken(&name) {
        name.push('_');
    }
    name
}

/// Writes a name into `@relation`.
fn name_relation(cx: &Cx<'_, '_>, id: FieldId, name: &str) -> Edit {
    let field = cx.field(id).ast;
    let attribute = field.attributes.iter().find(|attribute| attribute.name.text == "relation");
    let (at, text) = match attribute {
        None => (Span { start: field.ty.span.end, ..field.ty.span }, format!(" @relation(\"{name}\")")),
        Some(Attribute { arguments: None, span, .. }) => (Span { start: span.end, ..*span }, format!("(\"{name}\")")),
        Some(Attribute { arguments: Some(arguments), .. }) => {
            let behind = arguments.span.start + 1;
            let comma = if arguments.list.is_empty() { "" } else { ", " };
            (Span { start: behind, end: behind, ..arguments.span }, format!("\"{name}\"{comma}"))
        }
    };
    Edit { span: at, text }
}

/// Returns what may be the other side of a list: the side with the columns, or another list.
fn sides_of_list(cx: &Cx<'_, '_>, id: FieldId, target_id: ModelId) -> String {
    let field = cx.field(id);
    let (model, target) = (cx.model(field.model), cx.model(target_id));
    let (model_name, target_name) = (model.ast.name.text, target.ast.name.text);
    let name = field.relation.name.map(|name| format!("\"{}\"", name.text));
    let argument = name.as_ref().map(|name| format!("{name}, ")).unwrap_or_default();
    let attribute = name.map(|name| format!(" @relation({name})")).unwrap_or_default();
    let single = free_field(cx, target_id, &camel_case(model_name));
    let many = free_field(cx, target_id, &plural(&camel_case(model_name)));
    let key = model.keys.iter().find(|key| key.is_unique()).and_then(|key| key.columns()).unwrap_or_default();
    let columns: Vec<String> =
        key.iter().map(|id| camel_case(model_name) + &upper_first(cx.field(*id).ast.name.text)).collect();
    let references: Vec<&str> = key.iter().map(|id| cx.field(*id).ast.name.text).collect();
    let (columns_text, references) = (columns.join(", "), references.join(", "));
    let new = columns.iter().zip(&key).filter(|(name, _)| !target.by_name.contains_key(name.as_str()));
    let lines: Vec<String> = new.map(|(name, id)| format!("`{name} {}`", column_type(cx, *id))).collect();
    let with = if lines.is_empty() { String::new() } else { format!(", with {}", lines.join(" and ")) };
    if key.is_empty() || field.model == target_id {
        // Without a key, another rule reports the model.
        return format!(
            "add the other side to `{target_name}`: `{single} {model_name}? @relation({argument}fields: [..], references: [..])`"
        );
    }
    let has_single_id =
        |id: ModelId| cx.model(id).keys.iter().any(|key| key.kind == KeyKind::Primary && key.fields.len() == 1);
    let or_many = match has_single_id(field.model) && has_single_id(target_id) {
        true => format!(";\nor, if each `{target_name}` belongs to many, `{many} {model_name}[]{attribute}`"),
        false => String::new(),
    };
    format!(
        "add the other side to `{target_name}`: `{single} {model_name} @relation({argument}fields: [{columns_text}], \
         references: [{references}])`{with}{or_many}"
    )
}

/// Returns the name, or one like it that no field of the model has.
fn free_field(cx: &Cx<'_, '_>, model: ModelId, name: &str) -> String {
    let mut name = name.to_owned();
    while cx.find_field(model, &name).is_some() {
        name.push('_');
    }
    name
}

/// Returns the type of a field and its native type, as a column that references it has them.
fn column_type(cx: &Cx<'_, '_>, id: FieldId) -> String {
    let field = cx.field(id).ast;
    let native = field.attributes.iter().find(|attribute| attribute.name.text.contains('.'));
    let native = native.map(|native| {
        let numbers = native.arguments().filter_map(|argument| match &argument.value {
            Expression::Number(number) => Some(number.text),
            _ => None,
        });
        let numbers = numbers.collect::<Vec<_>>().join(", ");
        let arguments = if numbers.is_empty() { numbers } else { format!("({numbers})") };
        format!(" @{}{arguments}", native.name.text)
    });
    format!("{}{}", field.ty.name.text, native.unwrap_or_default())
}
