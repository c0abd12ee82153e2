//! The layers of the command: what each module may use of the others.

use std::fs;
use std::path::{Path, PathBuf};

/// A module, and the other modules that it may use.
const MODULES: &[(&str, &[&str])] = &[
    ("failure", &[]),
    ("project", &["failure"]),
    ("terminal", &["failure"]),
    ("database", &["failure", "terminal"]),
    ("introspect", &["failure"]),
    ("inventory", &["failure", "introspect"]),
    ("args", &["project"]),
    ("compare", &["args", "database", "failure", "introspect", "project", "terminal"]),
    ("sql_tree", &[]),
    ("lint", &["compare", "failure", "project", "sql_tree"]),
    (
        "command",
        &[
            "args",
            "compare",
            "database",
            "failure",
            "introspect",
            "inventory",
            "lint",
            "project",
            "sql_tree",
            "terminal",
        ],
    ),
    ("testing", &["command", "compare", "failure", "introspect"]),
    ("lib", &["args", "command", "failure", "project", "terminal"]),
    ("main", &[]),
];

/// The first names behind every `crate::` of the code.
fn named(code: &str) -> impl Iterator<Item = &str> {
    let after = code.split("crate::").skip(1);
    after.map(|rest| rest.split(|c: char| !(c.is_alphanumeric() || c == '_')).next().unwrap_or_default())
}

fn read(file: &Path) -> String {
    let text = fs::read_to_string(file).expect("is read");
    text.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

/// The Rust files in a folder, at any depth; none if there is no such folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let paths = entries.map(|entry| entry.expect("is read").path());
    let nested = paths.map(|path| if path.is_dir() { files(&path) } else { vec![path] });
    nested.flatten().filter(|path| path.extension().is_some_and(|extension| extension == "rs")).collect()
}

#[test]
fn every_module_uses_only_those_below_it() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    for (module, allowed) in MODULES {
        for file in files(&source.join(module)).into_iter().chain([source.join(format!("{module}.rs"))]) {
            for name in named(&read(&file)) {
                assert!(name == *module || allowed.contains(&name), "{} names crate::{name}", file.display());
            }
        }
    }
    for file in fs::read_dir(&source).expect("is read").map(|entry| entry.expect("is read").path()) {
        let name = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        assert!(MODULES.iter().any(|(module, _)| *module == name), "{name} has no row in the table of modules");
    }
}
