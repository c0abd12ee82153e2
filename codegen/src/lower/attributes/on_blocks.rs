//! The attributes of models, views, enums and their values.

use super::super::arguments::{Parameters, bind, expect_flag, expect_sql, expect_word};
use super::super::draft::{CheckDraft, DeclaredDistribution, DeclaredTenancy, Given, KeyKind};
use super::super::field_names::find_column;
use super::super::{Cx, audit, keys, partitions, rust_types, scopes, views};
use super::{expect_no_arguments, name_parameters, read_name, report_misplaced, usable};
use crate::diagnostics::{self as codes, Diagnostic, did_you_mean};
use crate::ir::{EnumId, ModelId};
use crate::syntax::{Attribute, ModelKind};

const ON_MODELS: &[&str] = &[
    "id",
    "unique",
    "index",
    "exclude",
    "map",
    "ignore",
    "schema",
    "renamedFrom",
    "check",
    "tenant",
    "shared",
    "distributed",
    "reference",
    "local",
    "with",
    "unlogged",
    "partitionBy",
    "audited",
    "sql",
    "materialized",
    "derive",
    "rust",
    "scope",
    "fulltext",
];
const ON_ENUMS: &[&str] = &["map", "schema", "renamedFrom", "derive", "rust"];
const ON_VALUES: &[&str] = &["map", "renamedFrom", "rust"];

/// Reads the attributes of a model that are not keys.
pub(super) fn read_model_attributes(cx: &mut Cx<'_, '_>, id: ModelId) {
    let attributes = cx.model(id).attributes.clone();
    for (name, attribute) in usable(cx, &attributes, "@@", ON_MODELS) {
        match name {
            "map" => cx.model_mut(id).map = read_name(cx, attribute, &name_parameters("@@map")),
            "schema" => cx.model_mut(id).namespace = read_namespace(cx, attribute),
            "renamedFrom" => {
                cx.model_mut(id).renamed_from = read_name(cx, attribute, &name_parameters("@@renamedFrom"));
            }
            "ignore" => {
                expect_no_arguments(cx, attribute, "@@ignore");
                cx.model_mut(id).ignored = true;
            }
            "check" => read_check(cx, id, attribute),
            "tenant" | "shared" => read_tenancy(cx, id, name, attribute),
            "with" => read_with(cx, id, attribute),
            "unlogged" => {
                expect_no_arguments(cx, attribute, "@@unlogged");
                cx.model_mut(id).unlogged = true;
                refuse_on_view(cx, id, attribute);
            }
            "derive" => cx.model_mut(id).derives = rust_types::read_derive(cx, attribute),
            "rust" => cx.model_mut(id).rust_name = rust_types::read_name_of_block(cx, attribute),
            "partitionBy" => partitions::read_partitions(cx, id, attribute),
            "audited" => audit::read_audited(cx, id, attribute),
            "sql" => views::read_query(cx, id, attribute),
            "materialized" => {
                expect_no_arguments(cx, attribute, "@@materialized");
                views::read_materialized(cx, id, attribute);
            }
            "distributed" | "reference" | "local" => read_distribution(cx, id, name, attribute),
            "fulltext" => report_misplaced(
                cx,
                attribute.span,
                "PostgreSQL has no `@@fulltext` indexes".to_owned(),
                "write `@@index([..], type: Gin)` on a column of type `tsvector`",
            ),
            _ => {}
        }
    }
    let keys = attributes.iter().any(|attribute| attribute.broken && ["id", "unique"].contains(&attribute.name.text));
    cx.model_mut(id).has_broken_key |= keys;
}

/// Reads the keys and the scopes of a model; the keys of its fields were read before.
pub(super) fn read_model_keys(cx: &mut Cx<'_, '_>, id: ModelId) {
    let block = cx.model(id).ast;
    let broken_key = block.fields.iter().any(|field| {
        field.broken
            || field
                .attributes
                .iter()
                .any(|attribute| attribute.broken && ["id", "unique"].contains(&attribute.name.text))
    });
    cx.model_mut(id).has_broken_key |= broken_key || block.broken;
    let mut has_id = false;
    let attributes = cx.model(id).attributes.clone();
    for attribute in attributes.into_iter().filter(|attribute| !attribute.broken) {
        let kind = match attribute.name.text {
            // The second one was already reported.
            "id" if has_id => continue,
            "id" => KeyKind::Primary,
            "unique" => KeyKind::Unique,
            "index" => KeyKind::Index,
            "exclude" => KeyKind::Exclusion,
            "scope" => {
                scopes::read_scope(cx, id, attribute);
                continue;
            }
            _ => continue,
        };
        has_id |= kind == KeyKind::Primary;
        keys::read_model_key(cx, id, attribute, kind);
    }
}

/// Reads the attributes of an enum and of its values.
pub(super) fn read_enum_attributes(cx: &mut Cx<'_, '_>, id: EnumId) {
    let block = cx.enums[id.index()].ast;
    let attributes: Vec<_> = block.attributes.iter().collect();
    for (name, attribute) in usable(cx, &attributes, "@@", ON_ENUMS) {
        match name {
            "map" => cx.enums[id.index()].map = read_name(cx, attribute, &name_parameters("@@map")),
            "schema" => cx.enums[id.index()].namespace = read_namespace(cx, attribute),
            "derive" => cx.enums[id.index()].derives = rust_types::read_derive(cx, attribute),
            "rust" => cx.enums[id.index()].rust_name = rust_types::read_name_of_block(cx, attribute),
            _ => cx.enums[id.index()].renamed_from = read_name(cx, attribute, &name_parameters("@@renamedFrom")),
        }
    }
    for (index, value) in block.values.iter().enumerate() {
        let attributes: Vec<_> = value.attributes.iter().collect();
        for (name, attribute) in usable(cx, &attributes, "@", ON_VALUES) {
            let given = match name {
                "map" => read_name(cx, attribute, &name_parameters("@map")),
                "rust" => rust_types::read_name_of_value(cx, attribute),
                _ => read_name(cx, attribute, &name_parameters("@renamedFrom")),
            };
            let value = &mut cx.enums[id.index()].values[index];
            match name {
                "map" => value.map = given,
                "rust" => value.rust_name = given,
                _ => value.renamed_from = given,
            }
        }
    }
}

/// If the datasource lists schemas, every model and enum must name one.
pub(super) fn everything_has_a_namespace(cx: &mut Cx<'_, '_>) {
    if cx.config.namespaces.is_empty() {
        return;
    }
    let is_schema = |attribute: &Attribute<'_>| attribute.name.text == "schema";
    let models = cx.models.iter();
    let models =
        models.map(|it| (it.ast.name, it.namespace, it.attributes.iter().any(|attribute| is_schema(attribute))));
    let enums = cx.enums.iter();
    let enums = enums.map(|it| (it.ast.name, it.namespace, it.ast.attributes.iter().any(is_schema)));
    let without = models.chain(enums).filter(|(_, namespace, tried)| namespace.is_none() && !tried);
    let first = cx.config.namespaces[0];
    let found: Vec<_> = without
        .map(|(name, ..)| {
            Diagnostic::new(codes::MISSING_NAMESPACE, name.span, format!("`{}` does not name its schema", name.text))
                .label("`@@schema` is missing")
                .second(first.span, "the datasource names schemas")
                .help(format!("write `@@schema(\"{}\")` in it", first.text))
        })
        .collect();
    cx.diagnostics.extend(found);
}

/// Reads `@@schema("x")`, which the datasource must list.
fn read_namespace<'a>(cx: &mut Cx<'a, '_>, attribute: &'a Attribute<'a>) -> Option<Given<'a>> {
    let parameters = Parameters { owner: "@@schema", unnamed: Some("map"), names: &["map"], required: &["map"] };
    let name = read_name(cx, attribute, &parameters)?;
    let known: Vec<_> = cx.config.namespaces.iter().map(|namespace| namespace.text).collect();
    if !known.contains(&name.text) {
        let help = match did_you_mean(name.text, known.iter().copied()) {
            Some(guess) => format!("did you mean \"{guess}\"?"),
            None => {
                let mut all: Vec<_> = known.iter().map(|known| format!("\"{known}\"")).collect();
                all.push(format!("\"{}\"", name.text));
                format!("write `schemas = [{}]` in the datasource", all.join(", "))
            }
        };
        let message = format!("the datasource has no schema \"{}\"", name.text);
        cx.report(Diagnostic::new(codes::UNKNOWN_NAMESPACE, name.span, message).label("unknown schema").help(help));
    }
    Some(name)
}

/// Reads `@@check("sql", name: "..")`; `map:` has the same meaning as in other attributes.
fn read_check<'a>(cx: &mut Cx<'a, '_>, id: ModelId, attribute: &'a Attribute<'a>) {
    let parameters =
        Parameters { owner: "@@check", unnamed: Some("sql"), names: &["sql", "name", "map"], required: &["sql"] };
    let bound = bind(cx, attribute.arguments(), attribute.span, &parameters);
    let map = keys::read_only_name(cx, &bound, "a check");
    let (needs, help) = (
        "`@@check` needs an SQL condition",
        "write a condition on the columns of the table, such as `@@check(\"price > 0\")`",
    );
    let Some(sql) = bound.get("sql").and_then(|value| expect_sql(cx, value, needs, help)) else { return };
    let check = CheckDraft { sql, map, span: attribute.span, constraint_name: String::new() };
    cx.model_mut(id).checks.push(check);
    if cx.model(id).ast.kind == ModelKind::View {
        report_misplaced(
            cx,
            attribute.span,
            "a view has no constraints".to_owned(),
            "put the check on the table that the view reads",
        );
    }
}

/// Reads `@@with("fillfactor=70")`.
fn read_with<'a>(cx: &mut Cx<'a, '_>, id: ModelId, attribute: &'a Attribute<'a>) {
    let names = &["parameters"];
    let parameters = Parameters { owner: "@@with", unnamed: Some("parameters"), names, required: names };
    let bound = bind(cx, attribute.arguments(), attribute.span, &parameters);
    if let Some((storage, _)) = bound.get("parameters").and_then(|value| keys::read_storage(cx, value)) {
        cx.model_mut(id).storage = storage;
    }
}

fn refuse_on_view(cx: &mut Cx<'_, '_>, id: ModelId, attribute: &Attribute<'_>) {
    if cx.model(id).ast.kind == ModelKind::View {
        let message = "a view has no storage".to_owned();
        report_misplaced(cx, attribute.span, message, "put the attribute on the table that the view reads");
    }
}

/// Reads `@@tenant`, `@@tenant(path.of.relations)` or `@@shared`, and whether PostgreSQL checks the tenant as well.
fn read_tenancy<'a>(cx: &mut Cx<'a, '_>, id: ModelId, name: &str, attribute: &'a Attribute<'a>) {
    let declared = if name == "shared" {
        expect_no_arguments(cx, attribute, "@@shared");
        DeclaredTenancy::Shared(attribute.span)
    } else {
        let names = &["path", "rowSecurity"];
        let parameters = Parameters { owner: "@@tenant", unnamed: Some("path"), names, required: &[] };
        let bound = bind(cx, attribute.arguments(), attribute.span, &parameters);
        let flag = bound.get("rowSecurity").and_then(|value| expect_flag(cx, value, "rowSecurity: true"));
        cx.model_mut(id).row_security = flag;
        match bound.get("path") {
            None if bound.broken => DeclaredTenancy::Broken(attribute.span),
            None => DeclaredTenancy::Tenant(attribute.span),
            Some(value) => match expect_word(cx, value, "a relation, or a path of relations") {
                Some(path) => DeclaredTenancy::Within(path),
                None => DeclaredTenancy::Broken(attribute.span),
            },
        }
    };
    if let Some(first) = cx.model(id).declared_tenancy {
        let message = format!("`{}` specifies twice whose rows it contains", cx.model(id).ast.name.text);
        cx.report(
            Diagnostic::new(codes::TENANCY_TWICE, attribute.span, message)
                .label("specified again")
                .second(first.span(), "first specified here")
                .help("keep `@@tenant(..)` if each row belongs to one tenant, and `@@shared` if it belongs to all"),
        );
        return;
    }
    cx.model_mut(id).declared_tenancy = Some(declared);
}

/// Reads `@@distributed(by: field)`, `@@reference` or `@@local`.
fn read_distribution<'a>(cx: &mut Cx<'a, '_>, id: ModelId, name: &'static str, attribute: &'a Attribute<'a>) {
    let kind = match name {
        "distributed" => {
            let names = &["by"];
            let parameters = Parameters { owner: "@@distributed", unnamed: Some("by"), names, required: names };
            let bound = bind(cx, attribute.arguments(), attribute.span, &parameters);
            let by = bound.get("by").and_then(|value| expect_word(cx, value, "a field"));
            let Some(by) = by else { return };
            let Some(field) = find_column(cx, id, by, "@@distributed") else { return };
            DeclaredDistribution::By(field, by.span)
        }
        "reference" => {
            expect_no_arguments(cx, attribute, "@@reference");
            DeclaredDistribution::Reference
        }
        _ => {
            expect_no_arguments(cx, attribute, "@@local");
            DeclaredDistribution::Local
        }
    };
    if let Some((_, first)) = cx.model(id).declared_distribution {
        let message = format!("`{}` specifies twice where its rows are", cx.model(id).ast.name.text);
        cx.report(
            Diagnostic::new(codes::DISTRIBUTION_TWICE, attribute.span, message)
                .label("specified again")
                .second(first, "first specified here")
                .help("keep one of `@@distributed(by: ..)`, `@@reference` and `@@local`"),
        );
        return;
    }
    cx.model_mut(id).declared_distribution = Some((kind, attribute.span));
}
