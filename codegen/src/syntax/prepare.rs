//! Removes what the grammar must not see: characters that no schema contains, and brackets that are nested so deep that
//! a recursive parser would overflow the stack. They are reported and blanked, so that all other bytes keep their
//! places.

use std::borrow::Cow;

use crate::diagnostics::{self as codes, Diagnostic, Sources, Span};

/// More than anything in the language needs: `@@index([a(ops: raw("x"))])` has four.
const MAX_DEPTH: usize = 16;

/// The same for a line of a text between `"""`.
const MAX_TEXT_DEPTH: usize = 64;

/// Returns the texts to parse, one per file.
pub(crate) fn prepare<'s>(sources: &'s Sources, diagnostics: &mut Vec<Diagnostic>) -> Vec<Cow<'s, str>> {
    let files = sources.files.iter().enumerate();
    files.map(|(file, source)| prepare_file(file as u32, &source.text, diagnostics)).collect()
}

fn prepare_file<'s>(file: u32, text: &'s str, diagnostics: &mut Vec<Diagnostic>) -> Cow<'s, str> {
    if u32::try_from(text.len()).is_err() {
        diagnostics.push(
            Diagnostic::new(codes::NOT_TEXT, Span { file, start: 0, end: 0 }, "the file is larger than 4 GB")
                .help("split the schema into several files"),
        );
        return Cow::Borrowed("");
    }
    if let Some(at) = text.find('\0') {
        let span = Span { file, start: at as u32, end: at as u32 + 1 };
        diagnostics.push(
            Diagnostic::new(codes::NOT_TEXT, span, "the file contains a NUL character")
                .label("here")
                .help("save the schema as UTF-8; a NUL is a sign of UTF-16 or of a binary file"),
        );
        return Cow::Borrowed("");
    }
    let mut blanked = Vec::new();
    let mut open_text = None;
    for line in lines(text) {
        let start = start_of(line, text);
        if let Some((from, to, diagnostic)) = check_line(file, start, line, &mut open_text) {
            diagnostics.push(diagnostic);
            blanked.push(start + from..start + to);
        }
    }
    if let Some(at) = open_text {
        let span = Span { file, start: at as u32, end: (at + LONG_MARK.len()) as u32 };
        diagnostics.push(
            Diagnostic::new(codes::BROKEN_ARGUMENTS, span, "this text is not closed")
                .label("begins here")
                .help("end it with `\"\"\"`"),
        );
        blanked.extend(lines_of_text(text, at));
    }
    if blanked.is_empty() {
        return Cow::Borrowed(text);
    }
    let mut text = text.to_owned();
    for range in blanked {
        let spaces = " ".repeat(range.len());
        text.replace_range(range, &spaces);
    }
    Cow::Owned(text)
}

fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.split(['\n', '\r'])
}

/// Returns where a line begins.
fn start_of(line: &str, text: &str) -> usize {
    line.as_ptr() as usize - text.as_ptr() as usize
}

/// Returns the lines of a text that is not closed: up to the end of its block, so that they are not read as fields.
fn lines_of_text(text: &str, at: usize) -> Vec<std::ops::Range<usize>> {
    let ranges = lines(text).map(|line| (start_of(line, text)..start_of(line, text) + line.len(), line.trim_end()));
    ranges
        .skip_while(|(range, _)| range.end < at)
        .take_while(|(_, line)| *line != "}")
        .map(|(range, _)| range)
        .collect()
}

/// Returns the first problem of a line, and the bytes of the line to blank. `open_text` is where a text between `"""`
/// begins that is not closed before the line, and afterwards, before its end.
fn check_line(
    file: u32,
    start: usize,
    line: &str,
    open_text: &mut Option<usize>,
) -> Option<(usize, usize, Diagnostic)> {
    let mut depth = 0_usize;
    let mut in_string = false;
    let mut characters = line.char_indices();
    while let Some((at, character)) = characters.next() {
        let span = Span { file, start: (start + at) as u32, end: (start + at + character.len_utf8()) as u32 };
        let is_mark = !in_string && line[at..].starts_with(LONG_MARK);
        match character {
            '"' if is_mark => {
                *open_text = open_text.is_none().then_some(start + at);
                characters.nth(LONG_MARK.len() - 2);
            }
            '\t' => {}
            _ if character.is_control() => {
                return Some((at, at + character.len_utf8(), control_character(span, character)));
            }
            '\\' | '"' | '/' if open_text.is_some() => {}
            '\\' if in_string => drop(characters.next()),
            '"' => in_string = !in_string,
            '/' if !in_string && line[at..].starts_with("//") => return None,
            '(' | '[' | '{' if !in_string => depth += 1,
            ')' | ']' | '}' if !in_string => depth = depth.saturating_sub(1),
            _ => {}
        }
        // A comment may contain the mark, so brackets are counted in a text, too.
        if depth > if open_text.is_some() { MAX_TEXT_DEPTH } else { MAX_DEPTH } {
            return Some((0, line.len(), too_deep(span)));
        }
    }
    None
}

/// What begins and ends a text of several lines.
const LONG_MARK: &str = "\"\"\"";

fn control_character(span: Span, character: char) -> Diagnostic {
    let message = format!("the control character U+{:04X} cannot be in a schema", character as u32);
    let help = format!("remove it; within a string write it as `\\u{:04x}`", character as u32);
    Diagnostic::new(codes::NOT_TEXT, span, message).label("here").help(help)
}

fn too_deep(span: Span) -> Diagnostic {
    Diagnostic::new(codes::TOO_DEEP, span, format!("brackets are nested more than {MAX_DEPTH} deep"))
        .label("one argument too many")
        .help("nothing in the language needs more than four; remove the brackets that are too many")
}
