//! Diagnostics as plain text, in the usual format of compilers: for build scripts, logs and tests.

use std::fmt::Write;

use super::{Diagnostic, Label, SourceFile, Sources};

/// Renders the diagnostic with its places in the text: message, `file:line:col`, the underlined line, help.
pub fn render_plain(diagnostic: &Diagnostic, sources: &Sources) -> String {
    let mut out = format!("{}[{}]: {}\n", diagnostic.severity.name(), diagnostic.code, diagnostic.message);
    let primary = Label { span: diagnostic.span, text: diagnostic.label.clone() };
    render_label(&mut out, &primary, '^', sources);
    for label in &diagnostic.secondary {
        render_label(&mut out, label, '-', sources);
    }
    for (index, line) in diagnostic.help.iter().flat_map(|help| help.lines()).enumerate() {
        let lead = if index == 0 { "  = help: " } else { "          " };
        let _ = writeln!(out, "{lead}{line}");
    }
    out
}

fn render_label(out: &mut String, label: &Label, mark: char, sources: &Sources) {
    let Some(file) = sources.file(label.span) else { return };
    let location = file.location(label.span.start);
    let number = location.line.to_string();
    let gutter = " ".repeat(number.len());
    let Excerpt { line, marks } = excerpt(file, label, mark);
    let _ = writeln!(out, "{gutter}--> {}:{}:{}", file.path, location.line, location.column);
    let _ = writeln!(out, "{number} | {line}");
    let _ = writeln!(out, "{gutter} | {marks}{}", spaced(&label.text));
}

/// The maximum number of characters of a line that is shown. Of a longer line, only the part around the span is shown.
const MAX_WIDTH: usize = 120;
/// The number of characters shown before the span.
const LEAD: usize = 40;

/// A line, or a part of it, and the marks under the span.
struct Excerpt {
    line: String,
    marks: String,
}

/// The marks end with the first line of the span. Tabs before the span stay tabs.
fn excerpt(file: &SourceFile, label: &Label, mark: char) -> Excerpt {
    let start = file.line_start(label.span.start);
    let line = file.line_text(label.span.start).trim_end();
    let from = (label.span.start as usize - start).min(line.len());
    let to = (label.span.end as usize).saturating_sub(start).clamp(from, line.len());
    let count = |range: std::ops::Range<usize>| line.get(range).unwrap_or("").chars().count();
    let (before, marked, all) = (count(0..from), count(from..to).max(1), count(0..line.len()));
    let is_long = all > MAX_WIDTH;
    let skipped = if is_long && before + marked > MAX_WIDTH { before.saturating_sub(LEAD) } else { 0 };
    let shown: String = printable(line).chars().skip(skipped).take(MAX_WIDTH).collect();
    let (head, tail) = (if skipped > 0 { ".." } else { "" }, if all > skipped + MAX_WIDTH { ".." } else { "" });
    let indent = shown.chars().take(before - skipped).map(|c| if c == '\t' { '\t' } else { ' ' });
    let width = marked.min(MAX_WIDTH - (before - skipped).min(MAX_WIDTH - 1));
    let marks = " ".repeat(head.len()) + &indent.collect::<String>() + &mark.to_string().repeat(width);
    Excerpt { line: format!("{head}{shown}{tail}"), marks }
}

/// Replaces the control characters that a terminal would obey. Every character stays one character.
fn printable(line: &str) -> String {
    line.chars().map(|c| if c.is_control() && c != '\t' { char::REPLACEMENT_CHARACTER } else { c }).collect()
}

fn spaced(text: &str) -> String {
    if text.is_empty() { String::new() } else { format!(" {text}") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostics::Span;

    fn excerpt_of(text: &str, part: &str) -> (String, String) {
        let file = SourceFile { path: "a.dsl".to_owned(), text: text.to_owned() };
        let start = u32::try_from(text.find(part).expect("it is there")).expect("short");
        let end = start + u32::try_from(part.len()).expect("short");
        let label = Label { span: Span { start, end, ..Span::default() }, text: String::new() };
        let Excerpt { line, marks } = excerpt(&file, &label, '^');
        (line, marks)
    }

    #[test]
    fn a_long_line_is_shown_around_its_span() {
        let (line, marks) = excerpt_of("model \tT {\n", "T");
        assert_eq!((line.as_str(), marks.as_str()), ("model \tT {", "      \t^"));
        let text = format!("{}here{}\n", "a".repeat(50_000), "ä".repeat(50_000));
        let (line, marks) = excerpt_of(&text, "here");
        assert_eq!(line, format!("..{}here{}..", "a".repeat(40), "ä".repeat(76)));
        assert_eq!(marks, format!("{}^^^^", " ".repeat(42)));
        let (line, marks) = excerpt_of(&text, &text[..100_000]);
        assert_eq!((line.chars().count(), marks.len()), (122, 120));
        let (line, marks) = excerpt_of(&text, &text[49_990..60_004]);
        assert_eq!((line.chars().count(), marks), (124, format!("{}{}", " ".repeat(42), "^".repeat(80))));
    }
}
