//! Declarations: gives every model, view, enum, field and value its id, and checks that names are unique.

use std::collections::BTreeMap;

use super::draft::{
    EnumDraft, FieldDraft, FieldType, ModelDraft, RelationAttribute, TypeDraft, TypeFieldDraft, ValueDraft,
};
use super::mixins::{self, Members};
use super::{Cx, Declared};
use crate::diagnostics::{self as codes, Diagnostic, Span};
use crate::ir::names::{is_reserved, is_type};
use crate::ir::{Distribution, EnumId, FieldId, ModelId, Tenancy, TypeId};
use crate::syntax::{EnumBlock, FieldBlock, ModelKind, Name};

/// Gives everything its id.
pub(super) fn declare(cx: &mut Cx<'_, '_>) {
    let ast = cx.ast;
    let mut places = BTreeMap::new();
    let mixins = mixins::read_mixins(cx);
    for block in &ast.models {
        let members = mixins.expand(cx, block);
        match block.kind {
            ModelKind::Composite => declare_type(cx, block, members, &mut places),
            _ => declare_model(cx, block, members, &mut places),
        }
    }
    for block in &ast.mixins {
        declare_name(cx, block.name, block.kind.keyword(), &mut places);
    }
    for block in &ast.enums {
        declare_enum(cx, block, &mut places);
    }
}

fn declare_type<'a>(
    cx: &mut Cx<'a, '_>,
    block: &'a FieldBlock<'a>,
    members: Members<'a>,
    places: &mut BTreeMap<&'a str, Span>,
) {
    if declare_name(cx, block.name, block.kind.keyword(), places) {
        cx.declared.insert(block.name.text, Declared::Type(TypeId(cx.types.len() as u32)));
    }
    let mut seen: BTreeMap<&str, Span> = BTreeMap::new();
    for field in &members.fields {
        match seen.get(field.name.text) {
            Some(first) => report_duplicate_field(cx, block.name, field.name, *first),
            None => drop(seen.insert(field.name.text, field.name.span)),
        }
    }
    let field = |ast| TypeFieldDraft {
        ast,
        ty: None,
        map: None,
        default: None,
        rust: None,
        rust_name: None,
        rust_ident: String::new(),
        boxed: false,
    };
    let fields = members.fields.into_iter().map(field).collect();
    cx.types.push(TypeDraft {
        ast: block,
        attributes: members.attributes,
        fields,
        derives: Vec::new(),
        rust_name: None,
        rust_ident: String::new(),
        module: String::new(),
    });
}

fn declare_model<'a>(
    cx: &mut Cx<'a, '_>,
    block: &'a FieldBlock<'a>,
    members: Members<'a>,
    places: &mut BTreeMap<&'a str, Span>,
) {
    let id = ModelId(cx.models.len() as u32);
    if declare_name(cx, block.name, block.kind.keyword(), places) {
        cx.declared.insert(block.name.text, Declared::Model(id));
    }
    let first = cx.fields.len() as u32;
    let mut by_name = BTreeMap::new();
    for field in members.fields {
        let field_id = FieldId(cx.fields.len() as u32);
        match by_name.get(field.name.text) {
            Some(first) => report_duplicate_field(cx, block.name, field.name, cx.field(*first).ast.name.span),
            None => drop(by_name.insert(field.name.text, field_id)),
        }
        cx.fields.push(FieldDraft {
            sql_type: None,
            ast: field,
            model: id,
            ty: FieldType::Unknown,
            native: None,
            map: None,
            rust_name: None,
            rust_ident: String::new(),
            default: None,
            updated_at: false,
            soft_delete: None,
            generated: None,
            identity: None,
            collation: None,
            domain: None,
            rust: None,
            json: None,
            ignored: false,
            sensitive: false,
            omitted: None,
            renamed_from: None,
            using: None,
            relation: RelationAttribute::default(),
        });
    }
    cx.models.push(ModelDraft {
        ast: block,
        attributes: members.attributes,
        fields: first..cx.fields.len() as u32,
        by_name,
        map: None,
        rust_name: None,
        rust_ident: String::new(),
        module: String::new(),
        namespace: None,
        ignored: false,
        renamed_from: None,
        keys: Vec::new(),
        checks: Vec::new(),
        scopes: Vec::new(),
        declared_tenancy: None,
        row_security: None,
        storage: Vec::new(),
        unlogged: false,
        partitions: None,
        audit: None,
        query: None,
        materialized: false,
        tenancy: Tenancy::Shared,
        declared_distribution: None,
        distribution: Distribution::Local,
        derives: Vec::new(),
        has_broken_key: false,
    });
}

fn report_duplicate_field(cx: &mut Cx<'_, '_>, model: Name<'_>, name: Name<'_>, first: Span) {
    let message = format!("`{}` has two fields named `{}`", model.text, name.text);
    cx.report(
        Diagnostic::new(codes::DUPLICATE_FIELD, name.span, message)
            .label("declared again")
            .second(first, "first declared here")
            .help("remove one of them, or give it another name"),
    );
}

fn declare_enum<'a>(cx: &mut Cx<'a, '_>, block: &'a EnumBlock<'a>, places: &mut BTreeMap<&'a str, Span>) {
    let id = EnumId(cx.enums.len() as u32);
    if declare_name(cx, block.name, "enum", places) {
        cx.declared.insert(block.name.text, Declared::Enum(id));
    }
    if block.values.is_empty() && !block.broken {
        cx.report(
            Diagnostic::new(
                codes::EMPTY_ENUM,
                block.name.span,
                format!("the enum `{}` has no values", block.name.text),
            )
            .label("declared here")
            .help("write at least one value, on a line of its own"),
        );
    }
    let mut seen: BTreeMap<&str, Span> = BTreeMap::new();
    for value in &block.values {
        if let Some(first) = seen.get(value.name.text) {
            let message = format!("`{}` has two values named `{}`", block.name.text, value.name.text);
            cx.report(
                Diagnostic::new(codes::DUPLICATE_VALUE, value.name.span, message)
                    .label("declared again")
                    .second(*first, "first declared here")
                    .help("remove one of them"),
            );
        }
        seen.entry(value.name.text).or_insert(value.name.span);
    }
    let values = block.values.iter().map(|ast| ValueDraft {
        ast,
        map: None,
        rust_name: None,
        rust_ident: String::new(),
        renamed_from: None,
    });
    let values = values.collect();
    cx.enums.push(EnumDraft {
        ast: block,
        map: None,
        rust_name: None,
        rust_ident: String::new(),
        module: String::new(),
        namespace: None,
        renamed_from: None,
        values,
        derives: Vec::new(),
    });
}

/// Returns whether the name can be declared.
fn declare_name<'a>(cx: &mut Cx<'a, '_>, name: Name<'a>, keyword: &str, places: &mut BTreeMap<&'a str, Span>) -> bool {
    if is_reserved(name.text) {
        let reason = if is_type(name.text) { "a built-in type" } else { "a reserved word" };
        // Types and mixins have no name in the database.
        let help = match keyword {
            "type" | "mixin" => "choose another name".to_owned(),
            _ => format!("choose another name, and add `@@map(\"{}\")` to keep the database's", name.text),
        };
        cx.report(
            Diagnostic::new(codes::RESERVED_NAME, name.span, format!("the name `{}` is reserved", name.text))
                .label(format!("this is {reason}"))
                .help(help),
        );
        return false;
    }
    if let Some(first) = places.get(name.text) {
        cx.report(
            Diagnostic::new(codes::DUPLICATE_NAME, name.span, format!("`{}` is declared twice", name.text))
                .label(format!("the name of this {keyword} is taken"))
                .second(*first, "first declared here")
                .help("models, views, enums and types share one set of names: rename one of them"),
        );
        return false;
    }
    places.insert(name.text, name.span);
    true
}

/// Tables, columns and enum types have separate names in the database.
pub(super) fn validate_database_names(cx: &mut Cx<'_, '_>) {
    tables_have_different_names(cx);
    columns_have_different_names(cx);
    enum_types_have_different_names(cx);
    labels_have_different_names(cx);
}

fn tables_have_different_names(cx: &mut Cx<'_, '_>) {
    let mut seen = BTreeMap::new();
    let mut found = Vec::new();
    for id in cx.model_ids() {
        let model = cx.model(id);
        let span = model.map.map_or(model.ast.name.span, |map| map.span);
        let key = (model.namespace.map(|namespace| namespace.text), model.db_name().to_owned());
        // Two models with the same name were already reported.
        let entry = *seen.entry(key.clone()).or_insert((span, model.ast.name.text));
        if entry.0 != span && entry.1 != model.ast.name.text {
            found.push(duplicate_table(span, entry.0, &key.1));
        }
    }
    for relation in cx.relations.iter().filter(|relation| relation.foreign_key.is_none()) {
        let field = cx.field(relation.referencing);
        let namespace = cx.model(field.model).namespace.map(|namespace| namespace.text);
        let name = relation.join_table(cx);
        let span = field.ast.name.span;
        if let Some((first, _)) = seen.insert((namespace, name.clone()), (span, field.ast.name.text)) {
            found.push(duplicate_table(span, first, &name));
        }
    }
    cx.diagnostics.extend(found);
}

fn duplicate_table(span: Span, first: Span, name: &str) -> Diagnostic {
    Diagnostic::new(codes::DUPLICATE_TABLE, span, format!("the table `{name}` is declared twice"))
        .label("this is the second")
        .second(first, "this is the first")
        .help("give one of them another table: a model with `@@map(\"..\")`, a many-to-many relation by its name")
}

fn columns_have_different_names(cx: &mut Cx<'_, '_>) {
    for id in cx.model_ids() {
        let mut seen: BTreeMap<&str, FieldId> = BTreeMap::new();
        for field_id in cx.model(id).field_ids() {
            let field = cx.field(field_id);
            if !field.is_column() {
                continue;
            }
            let (db_name, name) = (field.db_name(), field.ast.name);
            let first = *seen.entry(db_name).or_insert(field_id);
            let first = cx.field(first);
            if first.ast.name.text == name.text {
                continue;
            }
            let span = cx.field(field_id).map.map_or(name.span, |map| map.span);
            let first_span = first.map.map_or(first.ast.name.span, |map| map.span);
            let message = format!("two fields have the column `{db_name}`");
            cx.report(
                Diagnostic::new(codes::DUPLICATE_COLUMN, span, message)
                    .label("this is the second")
                    .second(first_span, "this is the first")
                    .help("give one of them another column with `@map(\"..\")`, or remove it"),
            );
        }
    }
}

fn enum_types_have_different_names(cx: &mut Cx<'_, '_>) {
    let mut seen = BTreeMap::new();
    for id in cx.enum_ids() {
        let draft = &cx.enums[id.index()];
        let span = draft.map.map_or(draft.ast.name.span, |map| map.span);
        let key = (draft.namespace.map(|namespace| namespace.text), draft.db_name());
        let entry = *seen.entry(key).or_insert((span, draft.ast.name.text));
        if entry.0 != span && entry.1 != draft.ast.name.text {
            let message = format!("two enums have the type `{}` in the database", key.1);
            cx.report(
                Diagnostic::new(codes::DUPLICATE_TABLE, span, message)
                    .label("this is the second")
                    .second(entry.0, "this is the first")
                    .help("rename one of them with `@@map(\"..\")`"),
            );
        }
    }
}

/// PostgreSQL refuses an enum type with two equal labels.
fn labels_have_different_names(cx: &mut Cx<'_, '_>) {
    for id in cx.enum_ids() {
        let mut seen: BTreeMap<&str, (Span, &str)> = BTreeMap::new();
        let mut found = Vec::new();
        for value in &cx.enums[id.index()].values {
            let span = value.map.map_or(value.ast.name.span, |map| map.span);
            let entry = *seen.entry(value.db_name()).or_insert((span, value.ast.name.text));
            if entry.0 != span && entry.1 != value.ast.name.text {
                let message = format!("two values have the label `{}` in the database", value.db_name());
                found.push(
                    Diagnostic::new(codes::DUPLICATE_VALUE, span, message)
                        .label("this is the second")
                        .second(entry.0, "this is the first")
                        .help("give one of them another label with `@map(\"..\")`"),
                );
            }
        }
        cx.diagnostics.extend(found);
    }
}
