//! Removes what the grammar must not see: characters that no schema contains, and brackets that are nested so deep that
//! a recursive parser would overflow the stack. They are reported and blanked, so that all other bytes keep their
//! places.

use std::borrow::Cow;

use crate::diagnostics::{self as codes, Diagnostic, Sources, Span};

/// More than anything in the language needs: `@@index([a(ops: raw("x"))])` has four.
const MAX_DEPTH: usize = 16;

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
    for line in lines(text) {
        let start = line.as_ptr() as usize - text.as_ptr() as usize;
        if let Some((from, to, diagnostic)) = check_line(file, start, line) {
            diagnostics.push(diagnostic);
            blanked.push(start + from..start + to);
        }
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

/// Returns the first problem of a line, and the bytes of the line to blank.
fn check_line(file: u32, start: usize, line: &str) -> Option<(usize, usize, Diagnostic)> {
    let mut depth = 0_usize;
    let mut in_string = false;
    let mut characters = line.char_indices();
    while let Some((at, character)) = characters.next() {
        let span = Span { file, start: (start + at) as u32, end: (start + at + character.len_utf8()) as u32 };
        match character {
            '\\' if in_string => drop(characters.next()),
            '"' => in_string = !in_string,
            '/' if !in_string && line[at..].starts_with("//") => return None,
            '(' | '[' | '{' if !in_string => depth += 1,
            ')' | ']' | '}' if !in_string => depth = depth.saturating_sub(1),
            '\t' => {}
            _ if character.is_control() => {
                return Some((at, at + character.len_utf8(), control_character(span, character)));
            }
            _ => {}
        }
        if depth > MAX_DEPTH {
            return Some((0, line.len(), too_deep(span)));
        }
    }
    None
}

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
