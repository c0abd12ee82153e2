//! What the compiler reports about a schema: codes, places, messages, and how they look as plain text.
//!
//! A diagnostic knows nothing of terminals. `render_plain` is for build scripts and tests; a command-line tool may draw
//! the same parts differently.

mod allow;
mod codes;
pub(crate) mod hints;
mod render;
mod shorten;
mod sources;

pub use allow::allowable;
pub(crate) use allow::without_allowed;
pub(crate) use codes::*;
pub use codes::{CODES, Code, find_code};
pub use render::render_plain;
pub use shorten::{Shortened, shorten};
pub use sources::{Location, Places, SourceFile, Sources};

/// The severity. Errors compare greatest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Nothing is wrong, but something that has an effect in Prisma has none here.
    Note,
    /// The schema is valid, but probably does not mean what its author intends.
    Warning,
    /// The schema is refused.
    Error,
}

impl Severity {
    /// `error`, `warning` or `note`.
    pub fn name(self) -> &'static str {
        match self {
            Severity::Note => "note",
            Severity::Warning => "warning",
            Severity::Error => "error",
        }
    }
}

/// A range of bytes in one of the `Sources`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Span {
    /// The index of the file in `Sources::files`.
    pub file: u32,
    /// The first byte.
    pub start: u32,
    /// The byte after the last one.
    pub end: u32,
}

impl Span {
    /// The bytes, to slice the text with.
    pub fn range(self) -> std::ops::Range<usize> {
        self.start as usize..self.end as usize
    }
}

/// A place and a text about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    /// The place.
    pub span: Span,
    /// The text.
    pub text: String,
}

/// One finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// The stable code, such as `R0301`; `find_code` has the long form.
    pub code: &'static str,
    /// Error, warning or note.
    pub severity: Severity,
    /// What is wrong, in one sentence.
    pub message: String,
    /// The smallest place that shows the problem.
    pub span: Span,
    /// The text at that place; may be empty.
    pub label: String,
    /// Other places that matter, such as the one it conflicts with.
    pub secondary: Vec<Label>,
    /// What to write instead.
    pub help: Option<String>,
    /// Changes of the text that carry out `help`, if only one thing can be meant. `codegen check --fix` makes them.
    pub edits: Vec<Edit>,
}

/// A change of the text of one file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Edit {
    /// The text to replace; empty to insert.
    pub span: Span,
    /// The new text.
    pub text: String,
}

impl Diagnostic {
    pub(crate) fn new(code: &'static Code, span: Span, message: impl Into<String>) -> Self {
        Diagnostic {
            code: code.code,
            severity: code.severity,
            message: message.into(),
            span,
            label: String::new(),
            secondary: Vec::new(),
            help: None,
            edits: Vec::new(),
        }
    }

    /// Creates a diagnostic that `codegen check --database` reports at a place of a query.
    pub fn of_database(is_refused: bool, span: Span, message: impl Into<String>) -> Self {
        Self::new(if is_refused { QUERY_REFUSED } else { QUERY_DIFFERS }, span, message)
    }

    /// Creates a diagnostic that `codegen check --database` reports about the plan of a query.
    pub fn of_plan(span: Span, message: impl Into<String>) -> Self {
        Self::new(QUERY_SCANS, span, message)
    }

    /// Adds a label and a help text.
    pub fn with(self, label: impl Into<String>, help: impl Into<String>) -> Self {
        self.label(label).help(help)
    }

    /// Shifts the index of the file, because `files` other files come first.
    pub(crate) fn behind_files(mut self, files: u32) -> Self {
        self.span.file += files;
        self.secondary.iter_mut().for_each(|label| label.span.file += files);
        self.edits.iter_mut().for_each(|edit| edit.span.file += files);
        self
    }

    pub(crate) fn label(mut self, text: impl Into<String>) -> Self {
        self.label = text.into();
        self
    }

    pub(crate) fn second(mut self, span: Span, text: impl Into<String>) -> Self {
        self.secondary.push(Label { span, text: text.into() });
        self
    }

    pub(crate) fn help(mut self, text: impl Into<String>) -> Self {
        self.help = Some(text.into());
        self
    }

    pub(crate) fn edits(mut self, edits: impl IntoIterator<Item = Edit>) -> Self {
        self.edits.extend(edits);
        self
    }

    /// Whether the schema is refused because of it.
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}

/// Returns a number with its noun, in the plural if it is not 1.
///
/// ```
/// use relata_codegen::diagnostics::counted;
///
/// assert_eq!(counted(1, "error"), "1 error");
/// assert_eq!(counted(2, "query"), "2 queries");
/// assert_eq!(counted(0, "key"), "0 keys");
/// ```
pub fn counted(number: usize, noun: &str) -> String {
    let is_vowel = |letter: char| "aeiou".contains(letter);
    match noun.strip_suffix('y') {
        _ if number == 1 => format!("1 {noun}"),
        Some(stem) if !stem.ends_with(is_vowel) => format!("{number} {stem}ies"),
        _ => format!("{number} {noun}s"),
    }
}

/// The longest name that is compared. Longer names are not typos, and comparing names of a megabyte would take hours.
const MAX_COMPARED: usize = 200;

/// Returns the known name that was probably meant: at most a third of its letters differ.
pub(crate) fn did_you_mean<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    if name.len() > MAX_COMPARED {
        return None;
    }
    let budget = name.chars().count().div_ceil(3).min(3);
    let lower = name.to_lowercase();
    known
        .into_iter()
        // One character has at most four bytes, so this excludes no similar name.
        .filter(|candidate| *candidate != name && candidate.len().abs_diff(name.len()) <= 4 * budget)
        .map(|candidate| (edit_distance(&lower, &candidate.to_lowercase()), candidate))
        .filter(|(distance, _)| *distance <= budget)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// Returns the help text: the guess if there is one, otherwise the possible choices.
pub(crate) fn suggest(guess: Option<impl std::fmt::Display>, otherwise: impl FnOnce() -> String) -> String {
    guess.map_or_else(otherwise, |guess| format!("did you mean `{guess}`?"))
}

/// The edit distance of two words: insertions, deletions, replacements and swaps of neighbours.
fn edit_distance(from: &str, to: &str) -> usize {
    let (from, to): (Vec<char>, Vec<char>) = (from.chars().collect(), to.chars().collect());
    if from.len().abs_diff(to.len()) > 3 {
        return usize::MAX;
    }
    let mut rows = vec![(0..=to.len()).collect::<Vec<_>>()];
    for i in 0..from.len() {
        let mut row = vec![i + 1];
        for j in 0..to.len() {
            let mut cost = (rows[i][j] + usize::from(from[i] != to[j])).min(rows[i][j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && from[i] == to[j - 1] && from[i - 1] == to[j] {
                cost = cost.min(rows[i - 1][j - 1] + 1);
            }
            row.push(cost);
        }
        rows.push(row);
    }
    rows[from.len()][to.len()]
}

#[cfg(test)]
mod tests {
    use super::{did_you_mean, edit_distance};

    #[test]
    fn near_words_are_found_and_far_ones_are_not() {
        assert_eq!(edit_distance("Strnig", "String"), 1);
        assert_eq!(edit_distance("", "abc"), 3);
        assert_eq!(did_you_mean("Strng", ["Int", "String"]), Some("String"));
        assert_eq!(did_you_mean("varchar", ["VarChar", "Char"]), Some("VarChar"));
        assert_eq!(did_you_mean("Invoice", ["Int", "String"]), None);
    }
}
