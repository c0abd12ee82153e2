//! The formatter: from the text of a schema to the same schema in its canonical form.
//!
//! It works on the pairs of the grammar, so it reads exactly what the compiler reads. Text that the grammar does not
//! understand stays as it is, and no comment is lost. The layout is that of Prisma's formatter, and so is the
//! completion of relations that are written on one side only.

mod body;
mod completion;
mod entries;
mod table;
mod values;

use pest::iterators::{Pair, Pairs};

use crate::diagnostics::Sources;
use crate::syntax::{self, Rule};

/// Formats a schema of one file.
///
/// ```
/// let text = relata_codegen::format("model User {\n  id Int @id\n  email   String\n}");
/// assert_eq!(text, "model User {\n  id    Int    @id\n  email String\n}\n");
/// ```
#[must_use]
pub fn format(text: &str) -> String {
    format_all(&Sources::single("schema.dsl", text)).pop().unwrap_or_default()
}

/// Formats all files of a schema, in their order. A relation between two files is completed in both.
#[must_use]
pub fn format_all(sources: &Sources) -> Vec<String> {
    let complete = completion::complete(sources);
    let texts = complete.as_ref().unwrap_or(sources).files.iter().map(|file| file.text.as_str());
    texts.map(lay_out).collect()
}

/// Returns what [`format_all`] adds to a file of a schema, line by line: the missing sides of relations, with their columns.
///
/// ```
/// use relata_codegen::{added_by_format, diagnostics::Sources};
///
/// let schema = "model User {\n  id Int @id\n  posts Post[]\n}\nmodel Post {\n  id Int @id\n}\n";
/// let added = added_by_format(&Sources::single("schema.dsl", schema), 0);
/// assert!(added.iter().any(|line| line.starts_with("userId")), "{added:?}");
/// ```
#[must_use]
pub fn added_by_format(sources: &Sources, file: usize) -> Vec<String> {
    completion::added(sources, file)
}

/// The number of line breaks after an item that mean an empty line.
const LINE: usize = 2;
/// A block is always separated from the next item, even on the same line.
const BLOCK: usize = 0;
/// An item after which the next one follows on the next line, whatever is between them.
const NEVER: usize = usize::MAX;

fn lay_out(text: &str) -> String {
    let Some(pairs) = read(text) else { return text.to_owned() };
    let mut out = String::with_capacity(text.len());
    if text.starts_with('\u{FEFF}') {
        out.push('\u{FEFF}');
    }
    let start = out.len();
    let (mut breaks, mut wanted) = (0, NEVER);
    for pair in pairs.flat_map(Pair::into_inner) {
        match pair.as_rule() {
            Rule::blank => breaks += 1,
            Rule::EOI => {}
            _ => {
                if out.len() > start && breaks >= wanted {
                    out.push('\n');
                }
                breaks = breaks_at_end(pair.as_str());
                wanted = write_item(&mut out, pair);
            }
        }
    }
    if out.len() == start {
        out.push('\n');
    }
    out
}

/// Returns the pairs of a text; `None` if the compiler would not pass all of the text to the grammar.
fn read(text: &str) -> Option<Pairs<'_, Rule>> {
    let mut diagnostics = Vec::new();
    syntax::prepare(&Sources::single("", text), &mut diagnostics);
    if diagnostics.is_empty() { syntax::read(text).ok() } else { None }
}

/// Writes one item and its line break. Returns how many line breaks after it mean an empty line.
fn write_item(out: &mut String, pair: Pair<'_, Rule>) -> usize {
    let rule = pair.as_rule();
    match rule {
        Rule::doc_comment | Rule::comment | Rule::block_comment => {
            for line in entries::comment_lines(&pair) {
                write_line(out, &line);
            }
            LINE
        }
        Rule::model_block | Rule::enum_block | Rule::config_block => match entries::read_block(&pair) {
            Some(block) => {
                body::write_block(out, block);
                BLOCK
            }
            None => {
                write_line(out, pair.as_str().trim_end());
                LINE
            }
        },
        _ => {
            write_line(out, pair.as_str().trim_end());
            if rule == Rule::type_alias { NEVER } else { LINE }
        }
    }
}

fn write_line(out: &mut String, line: &str) {
    out.push_str(line);
    out.push('\n');
}

/// Counts the line breaks at the end of a text.
fn breaks_at_end(text: &str) -> usize {
    let end = &text[text.trim_end().len()..];
    end.matches('\n').count().max(end.matches('\r').count())
}
