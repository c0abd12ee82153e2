//! Adds the other side of relations that are written on one side only, as Prisma's formatter does.

use crate::diagnostics::{Diagnostic, SourceFile, Sources};
use crate::lower::{Insertion, find_missing};
use crate::syntax;

/// Returns the schema with the missing sides of relations; `None` if none is missing, or if the schema has any other
/// error, because then it is unknown what is missing.
pub(super) fn complete(sources: &Sources) -> Option<Sources> {
    let insertions = insertions(sources);
    if insertions.is_empty() {
        return None;
    }
    let files = sources.files.iter().zip(0..).map(|(file, index)| {
        let here = insertions.iter().filter(|insertion| insertion.file == index);
        SourceFile { path: file.path.clone(), text: insert(&file.text, here) }
    });
    Some(Sources { files: files.collect(), ..sources.clone() })
}

/// Returns the lines that completing adds to a file.
pub(super) fn added(sources: &Sources, file: usize) -> Vec<String> {
    let here = insertions(sources).into_iter().filter(|insertion| insertion.file as usize == file);
    here.flat_map(|insertion| {
        let lines = insertion.text.lines().map(str::trim).filter(|line| !line.is_empty());
        lines.map(str::to_owned).collect::<Vec<_>>()
    })
    .collect()
}

/// Returns what is missing, in the order of the text.
fn insertions(sources: &Sources) -> Vec<Insertion> {
    let mut diagnostics = Vec::new();
    let texts = syntax::prepare(sources, &mut diagnostics);
    let ast = syntax::parse(&texts, &mut diagnostics);
    if diagnostics.iter().any(Diagnostic::is_error) {
        return Vec::new();
    }
    let texts: Vec<_> = texts.iter().map(AsRef::as_ref).collect();
    let mut insertions = find_missing(&ast, &texts);
    // Stable, so that insertions at one place keep their order.
    insertions.sort_by_key(|insertion| (insertion.file, insertion.at));
    insertions
}

fn insert<'i>(text: &str, insertions: impl Iterator<Item = &'i Insertion>) -> String {
    let mut out = String::with_capacity(text.len());
    let mut done = 0;
    for insertion in insertions {
        out.push_str(&text[done..insertion.at as usize]);
        out.push_str(&insertion.text);
        done = insertion.at as usize;
    }
    out.push_str(&text[done..]);
    out
}
