//! From entries to text: columns between empty lines, and the attributes of the block at its end.

use super::entries::{Block, Entry};
use super::table::Table;
use super::values::Attribute;

const INDENT: &str = "  ";

/// Writes a block with its braces.
pub(super) fn write_block(out: &mut String, block: Block<'_>) {
    out.push_str(block.keyword);
    out.push(' ');
    out.push_str(block.name);
    out.push_str(" {");
    if let Some(comment) = block.comment {
        out.push(' ');
        out.push_str(comment);
    }
    out.push('\n');
    let attributes = write_lines(out, block.entries);
    write_attributes(out, attributes);
    out.push_str("}\n");
}

/// An attribute of a block with the comments before and after it.
struct Attributed {
    comments: Vec<String>,
    attribute: Attribute,
    comment: Option<String>,
}

/// Writes everything except the attributes, and returns those.
fn write_lines(out: &mut String, entries: Vec<Entry<'_>>) -> Vec<Attributed> {
    let mut lines = Lines::default();
    let mut attributes = Vec::new();
    let mut above = Vec::new();
    let mut gap = false;
    let mut entries = entries.into_iter().peekable();
    while let Some(entry) = entries.next() {
        match entry {
            Entry::Gap => {
                gap = true;
                continue;
            }
            Entry::Comments { lines: comments, .. } if matches!(entries.peek(), Some(Entry::Attribute { .. })) => {
                above = comments;
                lines.cut = lines.ends_with_docs;
            }
            Entry::Attribute { attribute, comment } => {
                attributes.push(Attributed { comments: std::mem::take(&mut above), attribute, comment });
                lines.cut = lines.ends_with_docs;
            }
            Entry::Comments { lines: comments, has_docs } => {
                lines.begin(out, gap);
                comments.into_iter().for_each(|line| lines.table.push_whole(line));
                lines.ends_with_docs |= has_docs;
            }
            Entry::Row { cells, comment } => {
                lines.begin(out, gap);
                lines.table.push(cells, comment);
                lines.ends_with_docs = false;
            }
            Entry::Verbatim(text) => lines.push_whole(out, gap, text.to_owned()),
            Entry::Spread(text) => lines.push_whole(out, gap, text),
        }
        gap = false;
    }
    lines.table.write(out, INDENT);
    attributes
}

/// The lines since the last empty one.
#[derive(Default)]
struct Lines {
    table: Table,
    /// Whether the last entries are comments with `///`, which document the next item.
    ends_with_docs: bool,
    /// Whether the attribute between those comments and the next field was moved. Then an empty line prevents that they
    /// become the documentation of the field.
    cut: bool,
}

impl Lines {
    /// Adds a line that is not aligned.
    fn push_whole(&mut self, out: &mut String, gap: bool, text: String) {
        self.begin(out, gap);
        self.table.push_whole(text);
        self.ends_with_docs = false;
    }

    /// Writes an empty line, if there was one and it is not the first of the block.
    fn begin(&mut self, out: &mut String, gap: bool) {
        if (gap || self.cut) && !self.table.is_empty() {
            self.table.write(out, INDENT);
            out.push('\n');
            self.ends_with_docs = false;
        }
        self.cut = false;
    }
}

fn write_attributes(out: &mut String, mut attributes: Vec<Attributed>) {
    if attributes.is_empty() {
        return;
    }
    out.push('\n');
    attributes.sort_by_key(|attributed| attributed.attribute.rank);
    let mut table = Table::default();
    for Attributed { comments, attribute, comment } in attributes {
        comments.into_iter().for_each(|line| table.push_whole(line));
        table.push(vec![attribute.text], comment);
    }
    table.write(out, INDENT);
}
