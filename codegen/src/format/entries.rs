//! From the pairs of a block to its entries: each is a line or a group of comments.

use pest::iterators::Pair;

use super::values::{self, Attribute};
use crate::syntax::Rule;

/// A closed block that has nothing after its `{` except a comment.
pub(super) struct Block<'t> {
    pub(super) keyword: &'t str,
    pub(super) name: &'t str,
    /// The comment after the `{`.
    pub(super) comment: Option<&'t str>,
    pub(super) entries: Vec<Entry<'t>>,
}

/// The text between two line breaks of a block.
pub(super) enum Entry<'t> {
    /// At least one empty line.
    Gap,
    /// Comments without an empty line between them.
    Comments { lines: Vec<String>, has_docs: bool },
    /// A field, a value or a property, in columns.
    Row { cells: Vec<String>, comment: Option<String> },
    /// `@@name(..)`
    Attribute { attribute: Attribute, comment: Option<String> },
    /// A line that stays as it is.
    Verbatim(&'t str),
    /// `...Name`, and the comment after it.
    Spread(String),
}

/// Reads a block; `None` if it must stay as it is.
pub(super) fn read_block<'t>(pair: &Pair<'t, Rule>) -> Option<Block<'t>> {
    let text = pair.as_str();
    let start = pair.as_span().start();
    let mut inner = pair.clone().into_inner().peekable();
    let keyword = inner.next()?.as_str();
    let name = inner.next()?;
    let first_line = start + text.find(['\n', '\r']).unwrap_or(text.len());
    let mut block = Block { keyword, name: name.as_str(), comment: None, entries: Vec::new() };
    while let Some(pair) = inner.next_if(|pair| pair.as_span().start() < first_line) {
        match pair.as_rule() {
            Rule::comment | Rule::trailing_doc => block.comment = Some(pair.as_str()),
            _ => return None,
        }
    }
    let mut breaks = 0;
    for pair in inner {
        match pair.as_rule() {
            Rule::blank => breaks += 1,
            Rule::close => {}
            Rule::unclosed => return None,
            _ => {
                if breaks > 1 {
                    block.entries.push(Entry::Gap);
                }
                breaks = super::breaks_at_end(pair.as_str());
                push_entry(&mut block.entries, pair);
            }
        }
    }
    Some(block)
}

fn push_entry<'t>(entries: &mut Vec<Entry<'t>>, pair: Pair<'t, Rule>) {
    let verbatim = Entry::Verbatim(pair.as_str().trim_end_matches(['\n', '\r']));
    let entry = match pair.as_rule() {
        Rule::doc_comment | Rule::comment | Rule::block_comment => return push_comment(entries, &pair),
        Rule::field => field(pair),
        Rule::enum_value => enum_value(pair),
        Rule::property => property(pair),
        Rule::spread => spread(pair),
        Rule::block_attribute => block_attribute(pair),
        _ => None,
    };
    entries.push(entry.unwrap_or(verbatim));
}

fn push_comment(entries: &mut Vec<Entry<'_>>, pair: &Pair<'_, Rule>) {
    let is_doc = pair.as_rule() == Rule::doc_comment;
    let mut added = comment_lines(pair);
    match entries.last_mut() {
        Some(Entry::Comments { lines, has_docs }) => {
            lines.append(&mut added);
            *has_docs |= is_doc;
        }
        _ => entries.push(Entry::Comments { lines: added, has_docs: is_doc }),
    }
}

/// A comment in its canonical form: a block comment has a `*` at every line.
pub(super) fn comment_lines(pair: &Pair<'_, Rule>) -> Vec<String> {
    let text = pair.as_str();
    let Some(inside) = text.strip_prefix("/*").and_then(|text| text.strip_suffix("*/")) else {
        return vec![text.trim_end_matches(['\n', '\r']).to_owned()];
    };
    let mut lines = vec!["/**".to_owned()];
    for line in inside.split(['\n', '\r']) {
        let line = line.trim();
        let line = line.strip_prefix('*').map_or(line, str::trim_start);
        if !line.is_empty() {
            lines.push(format!(" * {line}"));
        }
    }
    lines.push(" */".to_owned());
    lines
}

/// The parts of a line of any kind. The functions below arrange them.
#[derive(Default)]
struct Parts {
    name: String,
    ty: String,
    value: String,
    attributes: Vec<Attribute>,
    comment: Option<String>,
}

/// Reads the parts of a line; `None` if one of them is not understood.
fn parts(pair: Pair<'_, Rule>) -> Option<Parts> {
    let mut parts = Parts::default();
    for pair in pair.into_inner() {
        match pair.as_rule() {
            Rule::name => parts.name = pair.as_str().to_owned(),
            Rule::field_type => parts.ty = values::field_type(pair)?,
            Rule::attribute => parts.attributes.push(values::attribute(pair, "@")?),
            Rule::comment | Rule::trailing_doc => parts.comment = Some(pair.as_str().to_owned()),
            Rule::number | Rule::call | Rule::array | Rule::object | Rule::string => {
                values::write_value(&mut parts.value, pair);
            }
            Rule::legacy_colon | Rule::crowded_close => {}
            _ => return None,
        }
    }
    Some(parts)
}

fn field<'t>(pair: Pair<'_, Rule>) -> Option<Entry<'t>> {
    let Parts { name, ty, attributes, comment, .. } = parts(pair)?;
    Some(Entry::Row { cells: vec![name, ty, values::join(attributes)], comment })
}

fn enum_value<'t>(pair: Pair<'_, Rule>) -> Option<Entry<'t>> {
    let Parts { name, attributes, comment, .. } = parts(pair)?;
    Some(Entry::Row { cells: vec![name, values::join(attributes)], comment })
}

fn property<'t>(pair: Pair<'_, Rule>) -> Option<Entry<'t>> {
    let Parts { name, value, comment, .. } = parts(pair)?;
    Some(Entry::Row { cells: vec![name, format!("= {value}").trim_end().to_owned()], comment })
}

fn spread<'t>(pair: Pair<'_, Rule>) -> Option<Entry<'t>> {
    let Parts { name, comment, .. } = parts(pair)?;
    let comment = comment.map(|comment| format!(" {comment}")).unwrap_or_default();
    Some(Entry::Spread(format!("...{name}{comment}")))
}

fn block_attribute<'t>(pair: Pair<'_, Rule>) -> Option<Entry<'t>> {
    let mut comment = None;
    for pair in pair.clone().into_inner() {
        match pair.as_rule() {
            Rule::comment | Rule::trailing_doc => comment = Some(pair.as_str().to_owned()),
            Rule::stray | Rule::inline_text => return None,
            _ => {}
        }
    }
    Some(Entry::Attribute { attribute: values::attribute(pair, "@@")?, comment })
}
