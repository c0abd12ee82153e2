//! Types, attributes and values on one line: one space after `,` and `:`, none inside brackets.

use pest::iterators::Pair;

use crate::syntax::Rule;

/// The attributes that come first, in this order; all others follow as they are written.
const ORDER: [&str; 9] = ["id", "unique", "default", "updatedAt", "index", "fulltext", "map", "relation", "ignore"];

/// An attribute as text, and its place among the other attributes.
pub(super) struct Attribute {
    pub(super) rank: usize,
    pub(super) text: String,
}

/// Reads `@name(..)` or `@@name(..)`; none if its arguments are broken.
pub(super) fn attribute(pair: Pair<'_, Rule>, mark: &str) -> Option<Attribute> {
    let mut attribute = Attribute { rank: ORDER.len(), text: mark.to_owned() };
    for pair in pair.into_inner() {
        match pair.as_rule() {
            Rule::path => {
                attribute.rank = ORDER.iter().position(|name| *name == pair.as_str()).unwrap_or(ORDER.len());
                attribute.text.push_str(pair.as_str());
            }
            Rule::arguments => write_arguments(&mut attribute.text, pair),
            Rule::broken_arguments => return None,
            _ => {}
        }
    }
    Some(attribute)
}

/// Attributes of one field or value, sorted.
pub(super) fn join(mut attributes: Vec<Attribute>) -> String {
    attributes.sort_by_key(|attribute| attribute.rank);
    attributes.iter().map(|attribute| attribute.text.as_str()).collect::<Vec<_>>().join(" ")
}

/// Returns the type of a field in current syntax; `None` if its marks make no sense.
pub(super) fn field_type(pair: Pair<'_, Rule>) -> Option<String> {
    let mut name = "";
    let mut marks = String::new();
    for pair in pair.into_inner() {
        match pair.as_rule() {
            Rule::legacy_list => {
                name = pair.into_inner().next().map_or("", |inner| inner.as_str());
                marks.push_str("[]");
            }
            Rule::mark => marks.push_str(pair.as_str()),
            _ => name = pair.as_str(),
        }
    }
    match marks.as_str() {
        "!" => Some(name.to_owned()),
        "" | "?" | "[]" | "[]?" => Some(format!("{name}{marks}")),
        _ => None,
    }
}

/// Any value.
pub(super) fn write_value(out: &mut String, pair: Pair<'_, Rule>) {
    match pair.as_rule() {
        Rule::array => {
            out.push('[');
            write_list(out, pair.into_inner(), write_value);
            out.push(']');
        }
        Rule::object => {
            out.push_str("{ ");
            write_list(out, pair.into_inner(), write_named);
            out.push_str(" }");
        }
        Rule::call => {
            for pair in pair.into_inner() {
                match pair.as_rule() {
                    Rule::arguments => write_arguments(out, pair),
                    _ => out.push_str(pair.as_str()),
                }
            }
        }
        _ => out.push_str(pair.as_str()),
    }
}

fn write_arguments(out: &mut String, pair: Pair<'_, Rule>) {
    out.push('(');
    write_list(out, pair.into_inner().filter(|pair| pair.as_rule() == Rule::argument), write_named);
    out.push(')');
}

/// `value`, `name: value` or `name:`.
fn write_named(out: &mut String, pair: Pair<'_, Rule>) {
    for pair in pair.into_inner() {
        match pair.as_rule() {
            Rule::argument_name | Rule::name => {
                out.push_str(pair.as_str().trim_end());
                out.push_str(": ");
            }
            _ => write_value(out, pair),
        }
    }
}

fn write_list<'t>(
    out: &mut String,
    items: impl Iterator<Item = Pair<'t, Rule>>,
    write: fn(&mut String, Pair<'t, Rule>),
) {
    for (index, item) in items.enumerate() {
        if index > 0 {
            out.push_str(", ");
        }
        write(out, item);
    }
}
