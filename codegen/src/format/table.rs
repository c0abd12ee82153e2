//! Lines in columns: every cell except the last of a line is as wide as the widest of its column.

/// Lines that are aligned with each other.
#[derive(Default)]
pub(super) struct Table {
    lines: Vec<Line>,
}

enum Line {
    /// Cells, and the comment after them, which does not affect the widths.
    Cells(Vec<String>, Option<String>),
    /// A line with its own layout.
    Whole(String),
}

impl Table {
    /// Adds a line of cells. Empty cells at its end take no space.
    pub(super) fn push(&mut self, mut cells: Vec<String>, comment: Option<String>) {
        while cells.last().is_some_and(String::is_empty) {
            cells.pop();
        }
        self.lines.push(Line::Cells(cells, comment));
    }

    /// Adds a line as it is.
    pub(super) fn push_whole(&mut self, text: String) {
        self.lines.push(Line::Whole(text));
    }

    /// Whether it has no line.
    pub(super) fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// Writes all lines with the indent, and clears them.
    pub(super) fn write(&mut self, out: &mut String, indent: &str) {
        let widths = self.widths();
        for line in self.lines.drain(..) {
            out.push_str(indent);
            match line {
                Line::Whole(text) => out.push_str(&text),
                Line::Cells(cells, comment) => write_cells(out, &cells, &widths, comment.as_deref()),
            }
            out.push('\n');
        }
    }

    /// In bytes, like Prisma: both formatters must agree on names with umlauts.
    fn widths(&self) -> Vec<usize> {
        let mut widths = Vec::new();
        for line in &self.lines {
            let Line::Cells(cells, _) = line else { continue };
            if cells.len() > widths.len() {
                widths.resize(cells.len(), 0);
            }
            for (width, cell) in widths.iter_mut().zip(cells) {
                *width = cell.len().max(*width);
            }
        }
        widths
    }
}

fn write_cells(out: &mut String, cells: &[String], widths: &[usize], comment: Option<&str>) {
    for (index, (cell, width)) in cells.iter().zip(widths).enumerate() {
        out.push_str(cell);
        if index + 1 < cells.len() {
            out.extend(std::iter::repeat_n(' ', width - cell.len() + 1));
        }
    }
    if let Some(comment) = comment {
        if !cells.is_empty() {
            out.push(' ');
        }
        out.push_str(comment);
    }
}
