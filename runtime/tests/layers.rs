//! The layers of the runtime: what each folder may name of the others.
//!
//! Bottom to top. A folder imports only what stands above it in this table, and of that only what its row lists;
//! `migrate` stands apart from all of it.

use std::fs;
use std::path::{Path, PathBuf};

/// A folder, and the folders that it may use besides itself. A row names only folders of rows before it.
const FOLDERS: &[(&str, &[&str])] = &[
    ("value", &[]),
    ("meta", &["value"]),
    ("error", &["meta", "value"]),
    ("rows", &["error", "meta", "value"]),
    ("query", &["error", "meta", "rows", "value"]),
    ("dsl", &["error", "meta", "query", "rows", "value"]),
    ("sql", &["meta", "query", "rows", "value"]),
    ("telemetry", &["error", "meta", "query", "rows"]),
    ("connection", &["error", "meta", "query", "sql", "telemetry", "value"]),
    ("execute", &["connection", "error", "meta", "query", "rows", "sql", "telemetry", "value"]),
    ("builder", &["dsl", "error", "execute", "query", "rows", "value"]),
    ("client", &["builder", "connection", "error", "execute", "meta", "query", "rows", "telemetry", "value"]),
    ("audit", &["dsl", "error", "execute", "meta", "query", "rows", "value"]),
    ("factory", &["client", "dsl", "error", "execute", "meta", "query", "rows", "value"]),
    ("migrate", &[]),
    // What tests need.
    ("testing", &["client", "connection", "error", "migrate"]),
    // The door for generated code.
    (
        "rt",
        &[
            "any_of_models",
            "audit",
            "audit_of_models",
            "builder",
            "calls_of_models",
            "client",
            "create_row",
            "dsl",
            "error",
            "execute",
            "factory",
            "meta",
            "query",
            "raw_sql_of_models",
            "rows",
            "enum_as_text",
            "json_paths",
            "json_value",
            "keyed",
            "omits",
            "set_and_with",
            "value",
        ],
    ),
];

/// Macros for generated code, which have their paths from the root.
const MACROS: [&str; 11] = [
    "any_of_models",
    "audit_of_models",
    "calls_of_models",
    "create_row",
    "enum_as_text",
    "json_paths",
    "json_value",
    "keyed",
    "omits",
    "raw_sql_of_models",
    "set_and_with",
];

fn source() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

/// Every file of a folder, with how many modules it stands inside the folder's own.
fn files(folder: &str) -> Vec<(PathBuf, usize)> {
    fn walk(at: &Path, depth: usize, found: &mut Vec<(PathBuf, usize)>) {
        let Ok(entries) = fs::read_dir(at) else { return };
        for entry in entries {
            let path = entry.expect("is read").path();
            if path.is_dir() {
                walk(&path, depth + 1, found);
            } else {
                found.push((path, depth));
            }
        }
    }
    let mut found = vec![(source().join(format!("{folder}.rs")), 0)];
    walk(&source().join(folder), 1, &mut found);
    found
}

/// The text of a file without comments, in which words are free.
fn code(file: &Path) -> String {
    let text = fs::read_to_string(file).expect("is read");
    let is_code = |line: &&str| !line.trim_start().starts_with("//");
    text.lines().filter(is_code).collect::<Vec<_>>().join("\n")
}

/// The first names behind every `crate::`. That of a macro's text, `$crate::`, is where the macro is used.
fn named(code: &str) -> Vec<&str> {
    let pieces: Vec<&str> = code.split("crate::").collect();
    let inside = pieces.windows(2).filter(|pair| !pair[0].ends_with('$')).map(|pair| pair[1]);
    inside.map(|rest| rest.split(|c: char| !(c.is_alphanumeric() || c == '_')).next().unwrap_or_default()).collect()
}

#[test]
fn every_folder_uses_only_those_below_it() {
    for (folder, allowed) in FOLDERS {
        for (file, _) in files(folder) {
            let code = code(&file);
            for name in named(&code) {
                assert!(name == *folder || allowed.contains(&name), "{} names crate::{name}", file.display());
            }
        }
    }
}

#[test]
fn no_row_names_one_that_comes_later() {
    for (place, (folder, allowed)) in FOLDERS.iter().enumerate() {
        for name in *allowed {
            let is_below = FOLDERS[..place].iter().any(|(known, _)| known == name) || MACROS.contains(name);
            assert!(is_below, "{folder} uses {name}, which is no row before it");
        }
    }
}

#[test]
fn every_file_is_in_a_folder_of_the_table() {
    for entry in fs::read_dir(source()).expect("is read") {
        let path = entry.expect("is read").path();
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let is_known = name == "lib" || FOLDERS.iter().any(|(folder, _)| *folder == name);
        assert!(is_known, "{name} has no row in the table of folders");
    }
}

/// `super::` leads out of a folder only through `crate::`, so that the table sees all.
#[test]
fn folders_are_left_by_crate_only() {
    for (file, depth) in FOLDERS.iter().flat_map(|(folder, _)| files(folder)) {
        let code = code(&file);
        let outside_tests = code.split("#[cfg(test)]").next().unwrap_or_default();
        let too_far = "super::".repeat(depth + 1);
        assert!(!outside_tests.contains(&too_far), "{} leaves its folder by {too_far}", file.display());
    }
}
