//! Arbitrary texts, and schemas with arbitrary edits: see `properties` for what must hold. The fuzz targets in `fuzz/`
//! look for more of them, and what they found stands at the end.

use std::path::Path;

use proptest::prelude::*;
use proptest::sample::Index;

use crate::properties::{self, NEXT};

/// Pieces that mean something where they stand.
const PIECES: &[&str] = &[
    "{",
    "}",
    "(",
    ")",
    "[",
    "]",
    "\"",
    "\\",
    "//",
    "/*",
    "@",
    "@@",
    "\n",
    "\r",
    "\u{0}",
    "\u{feff}",
    "ö",
    "model A {\n",
    "@id",
    "@default(",
    "@relation(fields: [",
    "[]",
    "?",
    "raw(\"",
    "99999999999999999999",
    "-1",
    "view",
    "enum",
];

/// All that holds for one text.
fn everything(text: &str) {
    properties::format_keeps(text);
    properties::generate(text);
}

/// Every schema among the fixtures, in the order of their paths.
fn fixtures() -> Vec<String> {
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures")];
    let mut paths = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("the folder is there") {
            let path = entry.expect("is read").path();
            let list = if path.is_dir() { &mut folders } else { &mut paths };
            list.push(path);
        }
    }
    paths.sort();
    let schemas = paths.iter().filter(|path| path.extension().is_some_and(|extension| extension == "dsl"));
    schemas.map(|path| std::fs::read_to_string(path).expect("a fixture is UTF-8")).collect()
}

/// The nearest place before `index` where a character begins.
fn boundary(text: &str, index: Index) -> usize {
    let at = index.index(text.len() + 1);
    (0..=at).rev().find(|at| text.is_char_boundary(*at)).unwrap_or_default()
}

/// An edit: where, how many characters go, and what comes in their place.
type Edit = (Index, usize, &'static str);

fn edits() -> impl Strategy<Value = Vec<Edit>> {
    prop::collection::vec((any::<Index>(), 0usize..40, prop::sample::select(PIECES)), 1..5)
}

fn edited(mut text: String, edits: &[Edit]) -> String {
    for (index, removed, piece) in edits {
        let start = boundary(&text, *index);
        let end = text[start..].char_indices().nth(*removed).map_or(text.len(), |(at, _)| start + at);
        text.replace_range(start..end, piece);
    }
    text
}

/// An edit that leaves most schemas right: a line goes, or stands in another place too.
fn with_lines_moved(text: &str, moves: &[(Index, Index, bool)]) -> String {
    let mut lines: Vec<&str> = text.lines().collect();
    for (from, to, stays) in moves {
        if lines.is_empty() {
            break;
        }
        let at = from.index(lines.len());
        let line = if *stays { lines[at] } else { lines.remove(at) };
        lines.insert(to.index(lines.len() + 1), line);
    }
    lines.join("\n") + "\n"
}

fn moves() -> impl Strategy<Value = Vec<(Index, Index, bool)>> {
    prop::collection::vec((any::<Index>(), any::<Index>(), any::<bool>()), 1..4)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn arbitrary_text_is_refused_or_compiled(text in "\\PC{0,200}|[\\x00-\\x7f]{0,200}") {
        everything(&text);
    }

    #[test]
    fn arbitrary_pieces_are_refused_or_compiled(pieces in prop::collection::vec(prop::sample::select(PIECES), 0..80)) {
        everything(&pieces.concat());
    }

    #[test]
    fn edited_schemas_are_refused_or_compiled(fixture in prop::sample::select(fixtures()), edits in edits()) {
        everything(&edited(fixture, &edits));
    }

    #[test]
    fn schemas_with_moved_lines_are_refused_or_compiled(fixture in prop::sample::select(fixtures()), moves in moves()) {
        everything(&with_lines_moved(&fixture, &moves));
    }

    #[test]
    fn edited_schemas_have_a_way_to_what_they_were(
        fixture in prop::sample::select(fixtures()),
        edits in edits(),
        moves in moves(),
    ) {
        let moved = with_lines_moved(&fixture, &moves);
        properties::migrate(&format!("{}{NEXT}{}", edited(moved.clone(), &edits), fixture));
        properties::migrate(&format!("{moved}{NEXT}{fixture}"));
    }
}

/// What fuzzing found and was mended.
#[test]
fn what_was_found_stays_mended() {
    let found = [
        // A block whose first line is broken ended in the middle of a comment that speaks of a block.
        "enum# Origin {\n  // The founder consents by creating a model Toggle {\n  Founder\n}\n",
    ];
    found.into_iter().for_each(everything);
}
