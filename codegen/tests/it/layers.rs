//! The layers of the compiler: what each room may name of the others.
//!
//! `emit` and `sql` never see each other, the syntax tree or a place in the text; `ir` sees nothing above it.

use std::fs;
use std::path::Path;

/// A room, and the rooms it may use beside itself.
const ROOMS: &[(&str, &[&str])] = &[
    ("diagnostics", &[]),
    ("ir", &[]),
    // The tree says `Arity` in the words of the IR.
    ("syntax", &["diagnostics", "ir"]),
    ("lower", &["diagnostics", "ir", "syntax"]),
    ("format", &["diagnostics", "lower", "syntax"]),
    // Places are those of files of SQL, and of the diagnostics about them.
    ("queries", &["diagnostics", "ir"]),
    ("emit", &["ir", "queries"]),
    ("sql", &["ir"]),
    ("build", &["compile", "compile_client", "diagnostics", "emit", "ir", "sql"]),
    ("lib", &["diagnostics", "ir", "lower", "queries", "syntax"]),
];

/// The first names behind every `crate::` of the text.
fn named(text: &str) -> Vec<&str> {
    let after = text.split("crate::").skip(1);
    after.map(|rest| rest.split(|c: char| !(c.is_alphanumeric() || c == '_')).next().unwrap_or_default()).collect()
}

fn check(room: &str, allowed: &[&str], file: &Path) {
    let text = fs::read_to_string(file).expect("is read");
    // Words in comments are free.
    let code: String = text.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n");
    for name in named(&code) {
        assert!(name == room || allowed.contains(&name), "{} names crate::{name}", file.display());
    }
}

fn check_folder(room: &str, allowed: &[&str], folder: &Path) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries {
        let path = entry.expect("is read").path();
        if path.is_dir() {
            check_folder(room, allowed, &path);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            check(room, allowed, &path);
        }
    }
}

#[test]
fn every_room_uses_only_the_rooms_below_it() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    for (room, allowed) in ROOMS {
        check(room, allowed, &source.join(format!("{room}.rs")));
        check_folder(room, allowed, &source.join(room));
    }
    let files = fs::read_dir(&source).expect("is read").map(|entry| entry.expect("is read").path());
    for file in files {
        let name = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        assert!(ROOMS.iter().any(|(room, _)| *room == name), "{name} has no row in the table of rooms");
    }
}

/// `super::` leads out of a room only through `crate::`, so that the table sees all.
#[test]
fn rooms_are_left_by_crate_only() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    for (room, _) in ROOMS.iter().filter(|(room, _)| *room != "lib") {
        let text = fs::read_to_string(source.join(format!("{room}.rs"))).expect("is read");
        let outside_tests = text.split("#[cfg(test)]").next().unwrap_or_default();
        assert!(!outside_tests.contains("super::"), "{room}.rs leaves its room by super::");
    }
}
