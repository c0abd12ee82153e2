//! `datasource` and `generator`: the parts that a compiler for PostgreSQL needs.
//!
//! Most generators belong to other tools, so only their form is checked. The generator `relata` has the options of the
//! client. The properties of the datasource that describe the connection are left to the command.

use std::collections::BTreeMap;

use super::Cx;
use super::arguments::{Parameters, bind, expect_flag, expect_string, list_items, report_wrong_value};
use super::draft::Given;
use super::rust_types::read_derives;
use crate::diagnostics::{self as codes, Diagnostic, Span, did_you_mean, suggest};
use crate::ir::names::SCALAR_NAMES;
use crate::ir::{ClientOptions, DateTimeLibrary, DecimalLibrary, Engine};
use crate::syntax::{ConfigBlock, ConfigKind, Expression, Name, Property};

/// The settings of the datasource and of the generators.
#[derive(Debug)]
pub(super) struct Config<'a> {
    /// The name of the datasource: the prefix of native types.
    pub(super) datasource: Option<Name<'a>>,
    pub(super) namespaces: Vec<Given<'a>>,
    pub(super) extensions: Vec<ExtensionDraft<'a>>,
    pub(super) foreign_keys: bool,
    /// Where `rowSecurity` is set, and to what.
    pub(super) row_security: Option<(bool, Span)>,
    pub(super) engine: Engine,
    /// The options of the generator `relata`.
    pub(super) client: ClientOptions,
    /// Whether `///` comments are comments in the database, too.
    pub(super) comments: bool,
    /// `derives`: further derives of models and enums.
    pub(super) derives: Vec<String>,
}

impl Default for Config<'_> {
    fn default() -> Self {
        Config {
            datasource: None,
            namespaces: Vec::new(),
            extensions: Vec::new(),
            foreign_keys: true,
            row_security: None,
            engine: Engine::default(),
            client: ClientOptions::default(),
            comments: false,
            derives: Vec::new(),
        }
    }
}

/// One of `extensions`.
#[derive(Debug)]
pub(super) struct ExtensionDraft<'a> {
    pub(super) name: Name<'a>,
    pub(super) map: Option<Given<'a>>,
    pub(super) namespace: Option<Given<'a>>,
    pub(super) version: Option<Given<'a>>,
}

const ON_DATASOURCE: [&str; 10] = [
    "provider",
    "engine",
    "url",
    "directUrl",
    "shadowDatabaseUrl",
    "relationMode",
    "referentialIntegrity",
    "schemas",
    "extensions",
    "rowSecurity",
];

/// Other databases that Prisma supports.
const OTHER_PROVIDERS: [&str; 5] = ["mysql", "sqlite", "sqlserver", "mongodb", "cockroachdb"];

/// The provider of Relata's generator.
const OWN_GENERATOR: &str = "relata";

const ON_EXTENSION: Parameters =
    Parameters { owner: "an extension", unnamed: None, names: &["map", "schema", "version"], required: &[] };

/// Reads all datasources and generators.
pub(super) fn lower_config(cx: &mut Cx<'_, '_>) {
    let ast = cx.ast;
    let mut generators = BTreeMap::new();
    for block in &ast.configs {
        properties_have_values_and_different_names(cx, block);
        match block.kind {
            ConfigKind::Datasource => lower_datasource(cx, block),
            ConfigKind::Generator => lower_generator(cx, block, &mut generators),
        }
    }
}

fn properties_have_values_and_different_names(cx: &mut Cx<'_, '_>, block: &ConfigBlock<'_>) {
    let mut seen: BTreeMap<&str, Span> = BTreeMap::new();
    for property in &block.properties {
        let name = property.name;
        if property.value.is_none() && !property.broken {
            cx.report(
                Diagnostic::new(codes::MISSING_VALUE, name.span, format!("the property `{}` has no value", name.text))
                    .label("a value is missing after the `=`")
                    .help("write one, or remove the line"),
            );
        }
        if let Some(first) = seen.insert(name.text, name.span) {
            cx.report(
                Diagnostic::new(codes::REPEATED_PROPERTY, name.span, format!("`{}` is specified twice", name.text))
                    .label("given again")
                    .second(first, "first specified here")
                    .help("remove one of them"),
            );
        }
    }
}

fn find<'a>(block: &'a ConfigBlock<'a>, name: &str) -> Option<&'a Expression<'a>> {
    block.properties.iter().find(|property| property.name.text == name)?.value.as_ref()
}

fn provider_is_given(cx: &mut Cx<'_, '_>, block: &ConfigBlock<'_>, keyword: &str, example: &str) {
    if !block.broken && !block.properties.iter().any(|property| property.name.text == "provider") {
        cx.report(
            Diagnostic::new(
                codes::MISSING_PROPERTY,
                block.name.span,
                format!("the {keyword} `{}` has no provider", block.name.text),
            )
            .label("the property `provider` is missing")
            .help(format!("write `provider = \"{example}\"` in it")),
        );
    }
}

fn lower_generator<'a>(cx: &mut Cx<'a, '_>, block: &'a ConfigBlock<'a>, generators: &mut BTreeMap<&'a str, Span>) {
    provider_is_given(cx, block, "generator", OWN_GENERATOR);
    match find(block, "provider") {
        None => {}
        Some(Expression::String(provider)) if provider.value == OWN_GENERATOR => {
            block.properties.iter().for_each(|property| lower_client_option(cx, property));
        }
        Some(Expression::Call { name, .. }) if name.text == "env" => {}
        Some(value) => {
            if let Some(provider) = expect_string(cx, value) {
                note_other_generator(cx, block.name, provider);
            }
        }
    }
    if let Some(features) = find(block, "previewFeatures") {
        for item in list_items(features) {
            if let Some(feature) = expect_string(cx, item) {
                note_preview_feature(cx, feature);
            }
        }
    }
    if let Some(first) = generators.insert(block.name.text, block.name.span) {
        cx.report(
            Diagnostic::new(
                codes::DUPLICATE_NAME,
                block.name.span,
                format!("two generators are named `{}`", block.name.text),
            )
            .label("declared again")
            .second(first, "first declared here")
            .help("rename one of them"),
        );
    }
}

fn note_other_generator(cx: &mut Cx<'_, '_>, generator: Name<'_>, provider: Given<'_>) {
    let message = format!("the generator `{}` belongs to another tool, and Relata does not run it", generator.text);
    cx.report(
        Diagnostic::new(codes::OTHER_GENERATOR, provider.span, message)
            .label("not run by Relata")
            .help("no change is needed: `cargo build` or `codegen generate` generates the client"),
    );
}

fn note_preview_feature(cx: &mut Cx<'_, '_>, feature: Given<'_>) {
    let message = format!("the preview feature \"{}\" has no effect", feature.text);
    cx.report(
        Diagnostic::new(codes::PREVIEW_FEATURE, feature.span, message)
            .label("ignored by Relata")
            .help("no change is needed: all supported features are enabled"),
    );
}

/// The properties of the generator `relata`. Those of Prisma's own generators are ignored.
const ON_CLIENT: [&str; 6] = ["serde", "factories", "dateTime", "decimal", "comments", "derives"];
const IGNORED_SETTINGS: [&str; 5] = ["provider", "output", "previewFeatures", "binaryTargets", "engineType"];

fn lower_client_option<'a>(cx: &mut Cx<'a, '_>, property: &'a Property<'a>) {
    let Some(value) = &property.value else { return };
    match property.name.text {
        "serde" => cx.config.client.serde = expect_flag(cx, value, "serde = true").unwrap_or_default(),
        "factories" => cx.config.client.factories = expect_flag(cx, value, "factories = true").unwrap_or_default(),
        "comments" => cx.config.comments = expect_flag(cx, value, "comments = true").unwrap_or_default(),
        "derives" => cx.config.derives = read_derives(cx, value),
        "dateTime" => {
            let libraries =
                [("chrono", DateTimeLibrary::Chrono), ("jiff", DateTimeLibrary::Jiff), ("time", DateTimeLibrary::Time)];
            cx.config.client.date_time = expect_one_of(cx, value, "library", &libraries).unwrap_or_default();
        }
        "decimal" => {
            let libraries = [("rust_decimal", DecimalLibrary::RustDecimal), ("bigdecimal", DecimalLibrary::BigDecimal)];
            cx.config.client.decimal = expect_one_of(cx, value, "library", &libraries).unwrap_or_default();
        }
        name if IGNORED_SETTINGS.contains(&name) => {}
        name => {
            let help = suggest(did_you_mean(name, ON_CLIENT), || {
                format!("the generator `relata` has `{}`", ON_CLIENT.join("`, `"))
            });
            let message = format!("the generator `relata` has no property `{name}`");
            let span = property.name.span;
            cx.report(Diagnostic::new(codes::UNKNOWN_PROPERTY, span, message).label("unknown property").help(help));
        }
    }
}

/// Reads one of several words, written as a string.
fn expect_one_of<'a, T: Copy>(
    cx: &mut Cx<'a, '_>,
    value: &'a Expression<'a>,
    what: &str,
    known: &[(&str, T)],
) -> Option<T> {
    let text = expect_string(cx, value)?;
    if let Some((_, found)) = known.iter().find(|(name, _)| *name == text.text) {
        return Some(*found);
    }
    let names: Vec<&str> = known.iter().map(|(name, _)| *name).collect();
    cx.report(
        Diagnostic::new(codes::WRONG_VALUE, text.span, format!("\"{}\" is not a supported {what}", text.text))
            .label(format!("unknown {what}"))
            .help(format!("write one of \"{}\"", names.join("\", \""))),
    );
    None
}

fn lower_datasource<'a>(cx: &mut Cx<'a, '_>, block: &'a ConfigBlock<'a>) {
    if let Some(first) = cx.config.datasource {
        cx.report(
            Diagnostic::new(codes::TWO_DATASOURCES, block.name.span, "a schema has only one datasource")
                .label("this is the second")
                .second(first.span, "this is the first")
                .help("remove one of them"),
        );
        return;
    }
    cx.config.datasource = Some(block.name);
    if SCALAR_NAMES.contains(&block.name.text) {
        cx.report(
            Diagnostic::new(
                codes::RESERVED_NAME,
                block.name.span,
                format!("the name `{}` is reserved", block.name.text),
            )
            .label("this is a built-in type")
            .help("name it `db`, so that its types are written as `@db.Text`"),
        );
    }
    provider_is_given(cx, block, "datasource", "postgresql");
    for property in &block.properties {
        lower_property(cx, property);
    }
    shadow_database_is_another(cx, block);
    relation_mode_has_one_name(cx, block);
}

/// Returns what identifies a database: the text of a string, or the variable in `env(..)`.
fn url_text<'a>(value: &'a Expression<'a>) -> Option<(&'a str, bool)> {
    match value {
        Expression::String(text) => Some((&text.value, false)),
        Expression::Call { name, arguments, .. } if name.text == "env" => match arguments.list.as_slice() {
            [argument] => url_text(&argument.value).map(|(text, _)| (text, true)),
            _ => None,
        },
        _ => None,
    }
}

/// Relata uses no shadow database, but Prisma would delete all data in it.
fn shadow_database_is_another<'a>(cx: &mut Cx<'a, '_>, block: &'a ConfigBlock<'a>) {
    let Some(shadow) = find(block, "shadowDatabaseUrl") else { return };
    let is_same = |name: &&str| {
        let url = find(block, name).and_then(url_text);
        url.is_some_and(|(text, _)| !text.is_empty()) && url == url_text(shadow)
    };
    let same: Vec<_> = ["url", "directUrl"].into_iter().filter(is_same).collect();
    if same.is_empty() {
        return;
    }
    let message = format!("`shadowDatabaseUrl` is the same database as `{}`", same.join("` and `"));
    let mut diagnostic = Diagnostic::new(codes::SHADOW_IS_DATABASE, shadow.span(), message)
        .label("Prisma deletes all data in this database")
        .help("remove the line: Relata needs no shadow database");
    for value in same.iter().filter_map(|name| find(block, name)) {
        diagnostic = diagnostic.second(value.span(), "the database with the data");
    }
    cx.report(diagnostic);
}

/// `referentialIntegrity` is the former name of `relationMode`.
fn relation_mode_has_one_name(cx: &mut Cx<'_, '_>, block: &ConfigBlock<'_>) {
    let place = |name: &str| block.properties.iter().find(|it| it.name.text == name).map(|it| it.name.span);
    let Some(old) = place("referentialIntegrity") else { return };
    cx.report(match place("relationMode") {
        Some(new) => Diagnostic::new(
            codes::REPEATED_PROPERTY,
            old,
            "`referentialIntegrity` and `relationMode` are the same property",
        )
        .label("the old name")
        .second(new, "specified here under its current name")
        .help("keep `relationMode`"),
        None => Diagnostic::new(codes::OLD_PROPERTY, old, "`referentialIntegrity` was renamed to `relationMode`")
            .label("the old name")
            .help("write `relationMode`, with the same value"),
    });
}

fn lower_property<'a>(cx: &mut Cx<'a, '_>, property: &'a Property<'a>) {
    let Some(value) = &property.value else { return };
    match property.name.text {
        "provider" => provider_is_postgresql(cx, value),
        "engine" => {
            let engines = [("postgresql", Engine::PostgreSql), ("citus", Engine::Citus)];
            cx.config.engine = expect_one_of(cx, value, "engine", &engines).unwrap_or_default();
        }
        "url" | "directUrl" | "shadowDatabaseUrl" => url_is_a_string(cx, value),
        "relationMode" | "referentialIntegrity" => lower_relation_mode(cx, value),
        "schemas" => lower_schemas(cx, value),
        "extensions" => lower_extensions(cx, value),
        "rowSecurity" => {
            cx.config.row_security = expect_flag(cx, value, "rowSecurity = true").map(|on| (on, property.name.span));
        }
        _ => report_unknown_property(cx, property.name),
    }
}

fn report_unknown_property(cx: &mut Cx<'_, '_>, name: Name<'_>) {
    let help = suggest(did_you_mean(name.text, ON_DATASOURCE), || {
        format!("a datasource has `{}`", ON_DATASOURCE.join("`, `"))
    });
    let message = format!("a datasource has no property `{}`", name.text);
    cx.report(Diagnostic::new(codes::UNKNOWN_PROPERTY, name.span, message).label("unknown property").help(help));
}

fn provider_is_postgresql<'a>(cx: &mut Cx<'a, '_>, value: &'a Expression<'a>) {
    let Some(provider) = expect_string(cx, value) else { return };
    if matches!(provider.text, "postgresql" | "postgres") {
        return;
    }
    let label = if OTHER_PROVIDERS.contains(&provider.text) { "another database" } else { "unknown" };
    let message = format!("the provider \"{}\" is not supported", provider.text);
    cx.report(
        Diagnostic::new(codes::UNKNOWN_PROVIDER, provider.span, message)
            .label(label)
            .help("write `provider = \"postgresql\"`: Relata supports only PostgreSQL"),
    );
}

/// Checks for a string or `env("NAME")`. The command reads the value.
fn url_is_a_string<'a>(cx: &mut Cx<'a, '_>, value: &'a Expression<'a>) {
    if let Expression::Call { name, arguments, .. } = value
        && name.text == "env"
    {
        match arguments.list.as_slice() {
            [argument] => drop(expect_string(cx, &argument.value)),
            _ => report_wrong_value(cx, value, "`env` with one name", "write `env(\"DATABASE_URL\")`".to_owned()),
        }
        return;
    }
    expect_string(cx, value);
}

fn lower_relation_mode<'a>(cx: &mut Cx<'a, '_>, value: &'a Expression<'a>) {
    let Some(mode) = expect_string(cx, value) else { return };
    match mode.text {
        "prisma" => {
            cx.config.foreign_keys = false;
            cx.report(
                Diagnostic::new(
                    codes::NO_FOREIGN_KEYS,
                    mode.span,
                    "without foreign keys, PostgreSQL does not protect references",
                )
                .label("no relation gets a foreign key")
                .help(
                    "remove the line to let the database enforce `onDelete` and `onUpdate`; the client does not enforce them",
                ),
            );
        }
        "foreignKeys" => {}
        _ => cx.report(
            Diagnostic::new(codes::WRONG_VALUE, mode.span, format!("\"{}\" is not a relation mode", mode.text))
                .label("unknown mode")
                .help("write \"foreignKeys\", or \"prisma\" for a database without foreign keys"),
        ),
    }
}

fn lower_schemas<'a>(cx: &mut Cx<'a, '_>, value: &'a Expression<'a>) {
    let Expression::Array { items, span } = value else {
        return report_wrong_value(cx, value, "a list of schemas", "write `schemas = [\"public\"]`".to_owned());
    };
    if items.is_empty() {
        cx.report(
            Diagnostic::new(codes::EMPTY_LIST, *span, "`schemas` needs at least one schema")
                .label("empty")
                .help("write `[\"public\"]`, or remove the line"),
        );
    }
    for item in items {
        let Some(name) = expect_string(cx, item) else { continue };
        if let Some(first) = cx.config.namespaces.iter().find(|known| known.text == name.text) {
            let first = first.span;
            cx.report(
                Diagnostic::new(
                    codes::REPEATED_PROPERTY,
                    name.span,
                    format!("the schema \"{}\" is listed twice", name.text),
                )
                .label("given again")
                .second(first, "first specified here")
                .help("remove one of them"),
            );
            continue;
        }
        cx.config.namespaces.push(name);
    }
}

fn lower_extensions<'a>(cx: &mut Cx<'a, '_>, value: &'a Expression<'a>) {
    for item in list_items(value) {
        let (name, arguments) = match item {
            Expression::Constant(name) => (*name, None),
            Expression::Call { name, arguments, .. } => (*name, Some(arguments)),
            _ => {
                let help = "write names without quotes: `[citext, uuid_ossp(map: \"uuid-ossp\")]`".to_owned();
                report_wrong_value(cx, item, "the name of an extension", help);
                continue;
            }
        };
        if name.text.contains('-') {
            let plain = name.text.replace('-', "_");
            cx.report(
                Diagnostic::new(
                    codes::INVALID_NAME,
                    name.span,
                    format!("an extension cannot be written `{}`", name.text),
                )
                .label("contains `-`")
                .help(format!("write `{plain}(map: \"{}\")`", name.text)),
            );
        }
        let bound = bind(cx, arguments.iter().flat_map(|arguments| &arguments.list), item.span(), &ON_EXTENSION);
        let mut text = |argument| bound.get(argument).and_then(|value| expect_string(cx, value));
        let extension = ExtensionDraft { name, map: text("map"), namespace: text("schema"), version: text("version") };
        cx.config.extensions.push(extension);
    }
}
