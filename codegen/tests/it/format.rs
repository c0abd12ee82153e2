//! The formatter on its own fixtures, and what must hold for every text there is.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use relata_codegen::diagnostics::{SourceFile, Sources};
use relata_codegen::{compile, format, format_all};

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).expect("a fixture is UTF-8")
}

/// Every schema in the repository: fixtures, examples, and those that it is built from.
fn all_schemas() -> Vec<(PathBuf, String)> {
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("..")];
    let mut found = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if path.is_dir() && name != "target" && !name.starts_with('.') {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "dsl") {
                found.push((path.clone(), read(&path)));
            }
        }
    }
    found.sort();
    assert!(found.len() > 50, "only {} schemas", found.len());
    found
}

#[test]
fn schemas_are_formatted() {
    insta::glob!("../fixtures", "format/*.dsl", |path| {
        insta::assert_snapshot!(format(&read(path)));
    });
}

/// Formatting again changes nothing, and a schema means what it meant.
#[test]
fn nothing_changes_but_the_layout() {
    for (path, text) in all_schemas() {
        let formatted = format(&text);
        assert_eq!(format(&formatted), formatted, "{} changes again", path.display());
        let before = compile(&Sources::single("schema.dsl", text)).schema;
        if before.is_some() {
            let after = compile(&Sources::single("schema.dsl", formatted)).schema;
            assert_eq!(before, after, "{} means something else", path.display());
        }
    }
}

/// Of any text, also a broken one, every letter and digit is still there, and every comment.
#[test]
fn nothing_is_lost() {
    for (path, text) in all_schemas() {
        nothing_of_it_is_lost(&path, &text);
    }
    insta::glob!("../fixtures", "{format,syntax}/*.dsl", |path| {
        let text = read(path);
        let cuts: Vec<usize> = (0..text.len()).step_by(19).filter(|at| text.is_char_boundary(*at)).collect();
        for (from, to) in cuts.iter().zip(cuts.iter().skip(4)) {
            nothing_of_it_is_lost(path, &format!("{}{}", &text[..*from], &text[*to..]));
            nothing_of_it_is_lost(path, &text[..*to]);
        }
    });
}

fn nothing_of_it_is_lost(path: &Path, text: &str) {
    let formatted = format(text);
    let (before, after) = (letters(text), letters(&formatted));
    for (letter, count) in before {
        let left = after.get(&letter).copied().unwrap_or(0);
        assert!(left >= count, "{}: {letter:?} is lost in\n{text}\nbecomes\n{formatted}", path.display());
    }
    assert_eq!(format(&formatted), formatted, "{}: changes again:\n{text}", path.display());
    let comments = text.lines().filter(|line| line.trim_start().starts_with("//"));
    for comment in comments.map(str::trim) {
        assert!(formatted.contains(comment), "{}: {comment:?} is lost in\n{text}", path.display());
    }
}

fn letters(text: &str) -> BTreeMap<char, usize> {
    let mut letters = BTreeMap::new();
    for letter in text.chars().filter(|letter| letter.is_alphanumeric()) {
        *letters.entry(letter).or_default() += 1;
    }
    letters
}

/// Line ends of any system, and a byte order mark; characters that no schema has leave the text alone.
#[test]
fn the_form_of_the_text_does_not_matter() {
    let text = include_str!("../fixtures/format/comments_stay_where_they_mean_something.dsl");
    let formatted = format(text);
    assert_eq!(format(&text.replace('\n', "\r\n")), formatted);
    assert_eq!(format(&text.replace('\n', "\r")), formatted);
    assert_eq!(format(&format!("\u{FEFF}{text}")), format!("\u{FEFF}{formatted}"));
    assert_eq!(format(""), "\n");
    for odd in ["model A {\n  id   Int @id \u{1}\n}", "model  A {\0}", &"[".repeat(40)] {
        assert_eq!(format(odd), odd);
    }
}

/// A relation between two files is completed in both.
#[test]
fn files_are_completed_together() {
    let file = |path: &str, text: &str| SourceFile { path: path.to_owned(), text: text.to_owned() };
    let sources = Sources {
        files: vec![
            file("a.dsl", "model A {\n  id Int @id\n  b  B\n}\n"),
            file("b.dsl", "model B {\n  id Int @id\n}\n"),
        ],
        ..Sources::default()
    };
    let formatted = format_all(&sources);
    assert_eq!(
        formatted,
        [
            "model A {\n  id  Int @id\n  b   B   @relation(fields: [bId], references: [id])\n  bId Int\n}\n",
            "model B {\n  id Int @id\n  as A[]\n}\n"
        ]
    );
    assert_eq!(format("model A {\n  id Int @id\n  b  B\n}\n"), "model A {\n  id Int @id\n  b  B\n}\n");
}

/// The schemas that this repository is built from are formatted, and so are the examples of the book.
#[test]
fn the_schemas_of_this_repository_are_formatted() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    for name in ["schema.dsl", "tests/wide/schema.dsl"] {
        let text = read(&root.join(name));
        assert_eq!(format(&text), text, "run `cargo codegen fmt {name}`");
    }
}
