//! Blocks, and the text between them.

use pest::iterators::{Pair, Pairs};

use super::super::Rule;
use super::super::ast::{
    Ast, ConfigBlock, ConfigKind, EnumBlock, EnumValue, FieldBlock, ModelKind, Name, Property, Spread,
};
use super::Cx;
use super::fields::{build_attribute, build_field};
use super::values::build_expression;
use crate::diagnostics::{self as codes, Diagnostic, Span, did_you_mean, suggest};

const KEYWORDS: [&str; 6] = ["model", "view", "enum", "datasource", "generator", "mixin"];

/// Builds all items of a file.
pub(super) fn build_items<'s>(cx: &mut Cx<'s, '_>, pairs: Pairs<'s, Rule>, ast: &mut Ast<'s>) {
    let mut docs = Docs::default();
    let mut items = pairs.flat_map(|schema| schema.into_inner()).peekable();
    while let Some(pair) = items.next() {
        match pair.as_rule() {
            Rule::broken_line if is_header(&pair) && next_is(&mut items, "{") => {
                docs.clear();
                build_below_header(cx, pair, &mut items, ast);
            }
            Rule::doc_comment => docs.push(pair),
            Rule::blank => docs.clear(),
            Rule::model_block => {
                let docs = docs.take();
                let block = build_model(cx, pair, docs);
                push_block(ast, block);
            }
            Rule::enum_block => {
                let docs = docs.take();
                ast.enums.push(build_enum(cx, pair, docs));
            }
            Rule::config_block => {
                docs.clear();
                ast.configs.push(build_config(cx, pair));
            }
            Rule::one_line_block => build_one_line(cx, pair, ast),
            Rule::type_alias => report_alias(cx, &pair),
            Rule::broken_block => report_unknown_block(cx, pair, ast),
            Rule::broken_line => report_stray_line(cx, &pair),
            Rule::unclosed_comment => report_unclosed_comment(cx, &pair),
            _ => {}
        }
    }
}

/// Returns whether a stray line is the header of a block without its brace: `model User`.
fn is_header(pair: &Pair<'_, Rule>) -> bool {
    let mut words = pair.as_str().split_whitespace();
    words.next().is_some_and(|word| KEYWORDS.contains(&word)) && words.next().is_some() && words.next().is_none()
}

/// Returns whether the next line that is not empty is this one.
fn next_is<'s>(items: &mut std::iter::Peekable<impl Iterator<Item = Pair<'s, Rule>>>, text: &str) -> bool {
    while items.next_if(|item| item.as_rule() == Rule::blank).is_some() {}
    items.peek().is_some_and(|item| item.as_rule() == Rule::broken_line && item.as_str().trim() == text)
}

/// A block whose brace is below its name. Reported once, not for each line.
fn build_below_header<'s>(
    cx: &mut Cx<'s, '_>,
    header: Pair<'s, Rule>,
    items: &mut std::iter::Peekable<impl Iterator<Item = Pair<'s, Rule>>>,
    ast: &mut Ast<'s>,
) {
    let line = header.as_str().trim();
    if let Some(brace) = items.next() {
        let span = cx.span(&brace);
        cx.report(
            Diagnostic::new(codes::STRAY_LINE, span, "the `{` of a block goes on the line of its name")
                .label("on a line of its own")
                .second(cx.span(&header), "it belongs to this block")
                .help(format!("write `{line} {{`")),
        );
    }
    let in_block = |item: &Pair<'s, Rule>| {
        matches!(
            item.as_rule(),
            Rule::broken_line | Rule::blank | Rule::comment | Rule::doc_comment | Rule::block_comment
        )
    };
    while let Some(item) = items.next_if(in_block) {
        if item.as_str().trim() == "}" {
            break;
        }
    }
    let span = cx.span(&header);
    let mut words = line.split_whitespace();
    if let (Some(keyword), Some(text)) = (words.next(), words.next()) {
        declare_broken(ast, keyword, Name { text, span });
    }
}

/// The `///` lines for the next declaration. An empty line in between separates them from it.
#[derive(Default)]
pub(super) struct Docs(Vec<String>);

impl Docs {
    pub(super) fn push(&mut self, pair: Pair<'_, Rule>) {
        self.0.push(doc_text(pair));
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    pub(super) fn take(&mut self) -> Option<String> {
        let lines = std::mem::take(&mut self.0);
        (!lines.is_empty()).then(|| lines.join("\n"))
    }
}

/// Returns the text of a `///` comment without the blank after the slashes.
pub(super) fn doc_text(pair: Pair<'_, Rule>) -> String {
    let text = pair.into_inner().next().map_or("", |text| text.as_str());
    text.strip_prefix(' ').unwrap_or(text).trim_end().to_owned()
}

/// The keyword and name of a block, and the pairs of its body.
struct Header<'s> {
    keyword: &'s str,
    name: Name<'s>,
    body: Pairs<'s, Rule>,
}

fn header<'s>(cx: &mut Cx<'s, '_>, pair: Pair<'s, Rule>) -> Header<'s> {
    let whole = cx.span(&pair);
    let mut body = pair.into_inner();
    let keyword = body.next().map_or("", |keyword| keyword.as_str());
    let what = if keyword == "enum" { "enum" } else { keyword };
    let name = body.next().map(|name| cx.declared_name(&name, what));
    Header { keyword, name: name.unwrap_or(Name { text: "", span: whole }), body }
}

fn model_kind(keyword: &str) -> ModelKind {
    match keyword {
        "view" => ModelKind::View,
        "type" => ModelKind::Composite,
        "mixin" => ModelKind::Mixin,
        _ => ModelKind::Model,
    }
}

fn build_model<'s>(cx: &mut Cx<'s, '_>, pair: Pair<'s, Rule>, docs: Option<String>) -> FieldBlock<'s> {
    let Header { keyword, name, body } = header(cx, pair);
    let kind = model_kind(keyword);
    let mut model = FieldBlock { docs, broken: false, ..broken_model(kind, name) };
    let mut docs = Docs::default();
    for pair in body {
        match pair.as_rule() {
            Rule::field => {
                let docs = docs.take();
                match build_field(cx, pair, docs) {
                    Some(field) => model.fields.push(field),
                    None => model.broken = true,
                }
            }
            Rule::block_attribute => {
                docs.clear();
                let (attribute, clean) = build_block_attribute(cx, pair);
                model.broken |= !clean;
                model.attributes.push(attribute);
            }
            Rule::spread => {
                docs.clear();
                model.broken |= !build_spread(cx, pair, &mut model);
            }
            Rule::close => model.close = Some(pair.as_span().start() as u32),
            _ => model.broken |= build_common(cx, &pair, name, &mut docs, "a field such as `name String`"),
        }
    }
    model
}

/// Builds what every block may contain besides its own lines. Returns whether something was wrong.
fn build_common<'s>(
    cx: &mut Cx<'s, '_>,
    pair: &Pair<'s, Rule>,
    block: Name<'s>,
    docs: &mut Docs,
    expected: &str,
) -> bool {
    match pair.as_rule() {
        Rule::doc_comment => docs.push(pair.clone()),
        Rule::blank => docs.clear(),
        Rule::unclosed => report_unclosed(cx, block),
        Rule::stray => {
            let span = cx.span(pair);
            cx.report(crowded(span, "the first line of a block ends with `{`"));
            return true;
        }
        Rule::broken_line => {
            let span = cx.span(pair);
            let message = "the block cannot contain this line";
            let diagnostic = Diagnostic::new(codes::INVALID_LINE, span, message).label(format!("expected {expected}"));
            cx.report(match line_help(pair.as_str()) {
                Some(help) => diagnostic.help(help),
                None => diagnostic,
            });
            return true;
        }
        _ => return false,
    }
    pair.as_rule() == Rule::unclosed
}

fn line_help(line: &str) -> Option<&'static str> {
    let line = line.trim_start();
    Some(match line.chars().next()? {
        '@' if line.starts_with("@index") => "write `@@index([..])`: it belongs to the model, not to a field",
        '@' if line.starts_with("@check") => "write `@@check(\"..\")`: it belongs to the model, not to a field",
        '@' => "attributes of a field go on its line; attributes of the block start with `@@`",
        '#' => "a comment starts with `//`",
        ')' | ']' => "the arguments of an attribute go on one line",
        _ => return None,
    })
}

pub(super) fn crowded(span: Span, message: &str) -> Diagnostic {
    Diagnostic::new(codes::CROWDED_LINE, span, message)
        .label("this belongs on its own line")
        .help("put a line break before it: each field, value and closing `}` goes on its own line")
}

fn report_unclosed(cx: &mut Cx<'_, '_>, block: Name<'_>) {
    cx.report(
        Diagnostic::new(codes::UNCLOSED_BLOCK, block.span, format!("the block `{}` is never closed", block.text))
            .label("opened here")
            .help("write `}` on its own line after the last line of the block"),
    );
}

/// Returns the attribute, and whether all of its line could be parsed.
fn build_block_attribute<'s>(cx: &mut Cx<'s, '_>, pair: Pair<'s, Rule>) -> (super::super::ast::Attribute<'s>, bool) {
    let mut clean = true;
    let rest: Vec<_> = pair.clone().into_inner().collect();
    let attribute = build_attribute(cx, &pair);
    for pair in rest {
        match pair.as_rule() {
            Rule::stray if !attribute.broken => {
                cx.report_stray(&pair, "the end of the line");
                clean = false;
            }
            Rule::crowded_close => report_crowded_close(cx, &pair),
            _ => {}
        }
    }
    (attribute, clean)
}

pub(super) fn report_crowded_close(cx: &mut Cx<'_, '_>, pair: &Pair<'_, Rule>) {
    let start = pair.as_span().start();
    let span = cx.span_at(start, start + 1);
    cx.report(crowded(span, "the `}` of a block goes on its own line"));
}

fn build_enum<'s>(cx: &mut Cx<'s, '_>, pair: Pair<'s, Rule>, docs: Option<String>) -> EnumBlock<'s> {
    let Header { name, body, .. } = header(cx, pair);
    let mut block = EnumBlock { name, docs, values: Vec::new(), attributes: Vec::new(), broken: false };
    let mut docs = Docs::default();
    for pair in body {
        match pair.as_rule() {
            Rule::enum_value => {
                let docs = docs.take();
                block.values.push(build_enum_value(cx, pair, docs));
            }
            Rule::block_attribute => {
                docs.clear();
                block.attributes.push(build_block_attribute(cx, pair).0);
            }
            _ => block.broken |= build_common(cx, &pair, name, &mut docs, "a value such as `ACTIVE`"),
        }
    }
    block
}

fn build_enum_value<'s>(cx: &mut Cx<'s, '_>, pair: Pair<'s, Rule>, mut docs: Option<String>) -> EnumValue<'s> {
    let mut name = Name { text: "", span: cx.span(&pair) };
    let mut attributes = Vec::new();
    for pair in pair.into_inner() {
        match pair.as_rule() {
            Rule::name => name = cx.declared_name(&pair, "value"),
            Rule::attribute => attributes.push(build_attribute(cx, &pair)),
            Rule::trailing_doc => docs = docs.or_else(|| Some(doc_text(pair))),
            Rule::stray => {
                let label = pair.as_str().strip_prefix('=').map(|text| text.trim().trim_matches('"'));
                let help = label.map(|label| {
                    format!("a value's name in the database is written `{} @map(\"{label}\")`", name.text)
                });
                cx.report_stray_with(
                    &pair,
                    "an attribute or the end of the line: each value goes on its own line",
                    help,
                );
            }
            Rule::crowded_close => report_crowded_close(cx, &pair),
            _ => {}
        }
    }
    EnumValue { name, docs, attributes }
}

fn build_config<'s>(cx: &mut Cx<'s, '_>, pair: Pair<'s, Rule>) -> ConfigBlock<'s> {
    let Header { keyword, name, body } = header(cx, pair);
    let kind = if keyword == "generator" { ConfigKind::Generator } else { ConfigKind::Datasource };
    let mut block = ConfigBlock { kind, name, properties: Vec::new(), broken: false };
    let mut docs = Docs::default();
    for pair in body {
        match pair.as_rule() {
            Rule::property => block.properties.extend(build_property(cx, pair)),
            _ => {
                block.broken |=
                    build_common(cx, &pair, name, &mut docs, "a property such as `provider = \"postgresql\"`")
            }
        }
    }
    block
}

fn build_property<'s>(cx: &mut Cx<'s, '_>, pair: Pair<'s, Rule>) -> Option<Property<'s>> {
    let mut inner = pair.into_inner();
    let name = cx.name(&inner.next()?);
    let mut property = Property { name, value: None, broken: false };
    for pair in inner {
        match pair.as_rule() {
            Rule::stray if property.value.is_some() => {
                let span = cx.span(&pair);
                cx.report(
                    Diagnostic::new(
                        codes::READ_OVER,
                        span,
                        format!("this is not part of the value of `{}`", name.text),
                    )
                    .label("read over")
                    .help("remove it: a property ends with its line"),
                );
            }
            Rule::stray => {
                property.broken = true;
                cx.report_stray(&pair, "a value");
            }
            Rule::crowded_close => report_crowded_close(cx, &pair),
            Rule::number | Rule::call | Rule::array | Rule::object | Rule::string => {
                property.value = Some(build_expression(cx, pair))
            }
            _ => {}
        }
    }
    Some(property)
}

/// `model A { id Int @id }`: the name is declared, and the whole body is refused.
fn build_one_line<'s>(cx: &mut Cx<'s, '_>, pair: Pair<'s, Rule>, ast: &mut Ast<'s>) {
    let Header { keyword, name, mut body } = header(cx, pair);
    let Some(body) = body.next() else { return };
    let span = cx.span(&body);
    cx.report(
        Diagnostic::new(codes::CROWDED_LINE, span, format!("the block `{}` is written on one line", name.text))
            .label("this belongs on its own lines")
            .help("put a line break after `{` and before `}`, and one line per item in between"),
    );
    declare_broken(ast, keyword, name);
}

/// Declares the name, so that its uses are not reported too.
fn declare_broken<'s>(ast: &mut Ast<'s>, keyword: &str, name: Name<'s>) {
    match keyword {
        "enum" => {
            ast.enums.push(EnumBlock { name, docs: None, values: Vec::new(), attributes: Vec::new(), broken: true })
        }
        "datasource" | "generator" => {
            let kind = if keyword == "generator" { ConfigKind::Generator } else { ConfigKind::Datasource };
            ast.configs.push(ConfigBlock { kind, name, properties: Vec::new(), broken: true });
        }
        _ => push_block(ast, broken_model(model_kind(keyword), name)),
    }
}

fn report_alias(cx: &mut Cx<'_, '_>, pair: &Pair<'_, Rule>) {
    let span = Span { end: cx.span(pair).start + 4, ..cx.span(pair) };
    cx.report(
        Diagnostic::new(codes::TYPE_ALIAS, span, "type aliases are not supported")
            .label("this keyword has no meaning here")
            .help("write the type itself at each field, and repeat the field's attributes there"),
    );
}

/// A block of fields with an unknown keyword: `modle User {`, `table User {`, `model {`.
fn report_unknown_block<'s>(cx: &mut Cx<'s, '_>, pair: Pair<'s, Rule>, ast: &mut Ast<'s>) {
    let Some(header) = pair.into_inner().next() else { return };
    let span = cx.span(&header);
    let mut words = header.as_str().split_whitespace();
    let keyword = words.next().unwrap_or("");
    let span = Span { end: span.start + keyword.len() as u32, ..span };
    if KEYWORDS.contains(&keyword) || keyword == "type" {
        if words.clone().count() > 1 {
            return report_long_header(cx, &header, keyword.len(), ast);
        }
        cx.report(
            Diagnostic::new(codes::UNKNOWN_BLOCK, span, format!("this `{keyword}` block has no valid name"))
                .label("the name is missing here")
                .help(format!("write `{keyword} Name {{`: a name of letters, digits and `_`")),
        );
        return;
    }
    let glued = KEYWORDS.iter().find_map(|known| {
        let name = keyword.strip_prefix(known)?;
        name.starts_with(char::is_uppercase).then_some((*known, name))
    });
    let guess = glued.map(|(keyword, name)| format!("{keyword} {name}")).or_else(|| match keyword {
        "table" | "class" | "struct" | "entity" => Some("model".to_owned()),
        _ => did_you_mean(keyword, KEYWORDS).map(str::to_owned),
    });
    let help = suggest(guess, || format!("a block starts with one of `{}`", KEYWORDS.join("`, `")));
    cx.report(
        Diagnostic::new(codes::UNKNOWN_BLOCK, span, format!("`{keyword}` is not a kind of block"))
            .label("unknown keyword")
            .help(help),
    );
    // The name counts as declared, so that its uses are not reported too.
    let name = glued.map(|(_, name)| name).or_else(|| words.next());
    let name = name.map(|text| Name { text, span });
    ast.models.extend(name.map(|name| broken_model(ModelKind::Model, name)));
}

/// `model User extends Base {`: a block has a keyword and a name.
fn report_long_header<'s>(cx: &mut Cx<'s, '_>, header: &Pair<'s, Rule>, keyword: usize, ast: &mut Ast<'s>) {
    let (name, end) = word_at(cx, header, keyword);
    let (Name { text: more, span }, _) = word_at(cx, header, end);
    let help = match more {
        "extends" | "implements" | "with" | ":" => {
            format!("there is no inheritance: write shared fields as `mixin Name {{`, and `...Name` in `{}`", name.text)
        }
        _ => format!("write `{{` directly after `{}`", name.text),
    };
    cx.report(
        Diagnostic::new(codes::UNKNOWN_BLOCK, span, format!("`{more}` is not expected after the name of a block"))
            .label("expected `{`")
            .help(help),
    );
    declare_broken(ast, &header.as_str()[..keyword], name);
}

/// Returns the next word of a header from a byte on, and where it ends.
fn word_at<'s>(cx: &Cx<'s, '_>, header: &Pair<'s, Rule>, from: usize) -> (Name<'s>, usize) {
    let rest = &header.as_str()[from..];
    let start = from + (rest.len() - rest.trim_start().len());
    let text = header.as_str()[start..].split_whitespace().next().unwrap_or("");
    let end = start + text.len();
    let base = header.as_span().start();
    (Name { text, span: cx.span_at(base + start, base + end) }, end)
}

fn broken_model(kind: ModelKind, name: Name<'_>) -> FieldBlock<'_> {
    FieldBlock {
        kind,
        name,
        docs: None,
        fields: Vec::new(),
        spreads: Vec::new(),
        attributes: Vec::new(),
        close: None,
        broken: true,
    }
}

fn push_block<'s>(ast: &mut Ast<'s>, block: FieldBlock<'s>) {
    match block.kind {
        ModelKind::Mixin => ast.mixins.push(block),
        _ => ast.models.push(block),
    }
}

/// Builds `...Name`. Returns whether all of the line could be parsed.
fn build_spread<'s>(cx: &mut Cx<'s, '_>, pair: Pair<'s, Rule>, model: &mut FieldBlock<'s>) -> bool {
    let mut clean = true;
    for pair in pair.into_inner() {
        match pair.as_rule() {
            Rule::name => model.spreads.push(Spread { name: cx.name(&pair), before: model.fields.len() }),
            Rule::stray => {
                cx.report_stray(&pair, "the end of the line");
                clean = false;
            }
            Rule::crowded_close => report_crowded_close(cx, &pair),
            _ => {}
        }
    }
    clean
}

fn report_stray_line(cx: &mut Cx<'_, '_>, pair: &Pair<'_, Rule>) {
    let span = cx.span(pair);
    let help = match pair.as_str().trim() {
        "}" => "remove it, or open its block with a keyword, a name and `{`",
        "{" => "put the `{` on the line of the block's keyword and name",
        text if text.starts_with('#') => "a comment starts with `//`",
        _ => "a schema is made of blocks such as `model User {`; a comment starts with `//`",
    };
    cx.report(
        Diagnostic::new(codes::STRAY_LINE, span, "this line is not part of any block")
            .label("expected a block")
            .help(help),
    );
}

fn report_unclosed_comment(cx: &mut Cx<'_, '_>, pair: &Pair<'_, Rule>) {
    let start = pair.as_span().start();
    let span = cx.span_at(start, start + 2);
    cx.report(
        Diagnostic::new(codes::UNCLOSED_COMMENT, span, "this comment is never closed")
            .label("opened here")
            .help("write `*/` at the end of the comment"),
    );
}
