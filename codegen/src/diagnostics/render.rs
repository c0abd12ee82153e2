//! A diagnostic as plain text, in the manner of compilers: for build scripts, logs and tests.

use std::fmt::Write;

use super::{Diagnostic, Label, SourceFile, Sources};

/// The diagnostic with its places in the text: message, `file:line:col`, the line underlined, help.
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
    let line = file.line_text(label.span.start);
    let _ = writeln!(out, "{gutter}--> {}:{}:{}", file.path, location.line, location.column);
    let _ = writeln!(out, "{number} | {}", printable(line.trim_end()));
    let _ = writeln!(out, "{gutter} | {}{}", underline(file, label, mark), spaced(&label.text));
}

/// The marks under a span, as far as its first line goes; tabs before it stay tabs.
fn underline(file: &SourceFile, label: &Label, mark: char) -> String {
    let start = file.line_start(label.span.start);
    let line = file.line_text(label.span.start).trim_end();
    let from = (label.span.start as usize - start).min(line.len());
    let to = (label.span.end as usize).saturating_sub(start).clamp(from, line.len());
    let indent: String = line.get(..from).unwrap_or("").chars().map(|c| if c == '\t' { '\t' } else { ' ' }).collect();
    let width = line.get(from..to).unwrap_or("").chars().count().max(1);
    indent + &mark.to_string().repeat(width)
}

/// The line without what a terminal would obey; every character stays one character.
fn printable(line: &str) -> String {
    line.chars().map(|c| if c.is_control() && c != '\t' { char::REPLACEMENT_CHARACTER } else { c }).collect()
}

fn spaced(text: &str) -> String {
    if text.is_empty() { String::new() } else { format!(" {text}") }
}
