//! The layers of the compiler: what each module may use of the others, and what the parts of a module may use of each
//! other.
//!
//! `emit` and `sql` never see each other, the syntax tree or a place in the text; `ir` sees nothing above it.

use std::fs;
use std::path::{Path, PathBuf};

/// A module, and the other modules that it may use.
const MODULES: &[(&str, &[&str])] = &[
    ("diagnostics", &[]),
    ("ir", &[]),
    // The tree says `Arity` in the words of the IR.
    ("syntax", &["diagnostics", "ir"]),
    ("lower", &["diagnostics", "ir", "syntax"]),
    ("fix", &["compile", "diagnostics"]),
    ("format", &["diagnostics", "lower", "syntax"]),
    // Places are those of files of SQL, and of the diagnostics about them.
    ("queries", &["diagnostics", "ir"]),
    ("emit", &["ir", "queries"]),
    ("sql", &["ir"]),
    ("build", &["compile", "compile_client", "diagnostics", "emit", "ir", "sql"]),
    ("lib", &["diagnostics", "ir", "lower", "queries", "syntax"]),
];

/// The parts of `sql`, and the parts that each may use.
const SQL: &[(&str, &[&str])] = &[
    ("moment", &[]),
    ("expression", &["moment"]),
    ("names", &[]),
    ("quote", &["names"]),
    ("data_type", &["expression", "names", "quote"]),
    ("state", &["data_type", "names", "quote"]),
    ("index_text", &["names", "quote", "state"]),
    ("policy", &["names", "quote", "state"]),
    ("audit", &["names", "quote", "state"]),
    ("lower", &["data_type", "index_text", "moment", "names", "quote", "state"]),
    ("intent", &["lower", "state"]),
    ("language", &["data_type", "state"]),
    ("normalize", &["data_type", "expression", "moment", "quote", "state"]),
    ("cast", &["data_type", "quote", "state"]),
    ("change", &["state"]),
    ("catalog", &["change", "state"]),
    (
        "diff",
        &[
            "cast",
            "catalog",
            "change",
            "data_type",
            "expression",
            "intent",
            "language",
            "names",
            "normalize",
            "policy",
            "quote",
            "state",
        ],
    ),
    ("codes", &[]),
    ("probe", &["quote", "state"]),
    ("plan", &["cast", "catalog", "change", "codes", "data_type", "expression", "names", "probe", "quote", "state"]),
    ("lint", &["cast", "change", "codes", "plan", "probe", "quote", "state"]),
    (
        "render",
        &[
            "audit",
            "cast",
            "change",
            "data_type",
            "expression",
            "index_text",
            "lint",
            "names",
            "plan",
            "policy",
            "quote",
            "state",
        ],
    ),
];

/// The parts of other modules from the lowest to the highest: each may use those before it, and what the module itself may use.
const ORDERED: &[(&str, &[&str])] = &[
    (
        "lower",
        &[
            "operator_classes",
            "draft",
            "arguments",
            "extensions",
            "field_names",
            "predicates",
            "constraint_names",
            "native_types",
            "keys",
            "defaults",
            "generated",
            "omitted",
            "identity",
            "views",
            "objects",
            "domains",
            "partitions",
            "scopes",
            "soft_delete",
            "audit",
            "naming",
            "rust_types",
            "attributes",
            "config",
            "mixins",
            "names",
            "types",
            "json_types",
            "name_lengths",
            "shadowed_names",
            "rust_names",
            "relations",
            "tenants",
            "citus",
            "missing",
            "finish",
        ],
    ),
    (
        "queries",
        &[
            "types", "tree", "query", "header", "lexer", "parser", "params", "catalog", "infer", "objects", "assemble",
            "confine",
        ],
    ),
    (
        "emit",
        &[
            "context",
            "features",
            "scalar",
            "docs",
            "sensitive",
            "serde",
            "json_type",
            "tenancy",
            "scope",
            "soft_delete",
            "relation",
            "create",
            "factory",
            "key",
            "table",
            "omitted",
            "model",
            "enumeration",
            "queries",
            "client",
        ],
    ),
];

fn source() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

/// The files of a module, each with the path of its module.
fn modules(module: &str) -> Vec<(PathBuf, Vec<String>)> {
    let file = source().join(format!("{module}.rs"));
    let mut found = vec![(file, vec![module.to_owned()])];
    let mut folders = vec![(source().join(module), vec![module.to_owned()])];
    while let Some((folder, path)) = folders.pop() {
        let Ok(entries) = fs::read_dir(folder) else { continue };
        for entry in entries {
            let file = entry.expect("is read").path();
            let name = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            let path: Vec<String> = path.iter().cloned().chain([name]).collect();
            if file.is_dir() {
                folders.push((file, path));
            } else if file.extension().is_some_and(|extension| extension == "rs") {
                found.push((file, path));
            }
        }
    }
    found
}

/// The code of a file, without comments and without the tests at its end.
fn code(file: &Path) -> String {
    let text = fs::read_to_string(file).expect("is read");
    let code = text.split("#[cfg(test)]\nmod ").next().unwrap_or_default();
    let lines = code.lines().filter(|line| !line.trim_start().starts_with("//"));
    lines.collect::<Vec<_>>().join("\n").replace("pub(in crate::sql)", "pub")
}

/// The paths that begin with `crate::` or `super::`, from the root of the package.
fn paths(module: &[String], code: &str) -> Vec<Vec<String>> {
    let is_part = |c: char| c.is_alphanumeric() || c == '_' || c == ':';
    // A message that shows a path has it in backticks or as an argument of an attribute.
    let is_shown = |c: char| ['`', '<', '"'].contains(&c);
    let starts = code.match_indices("crate::").chain(code.match_indices("super::"));
    let mut found = Vec::new();
    for (start, _) in starts {
        if code[..start].ends_with(|c| is_part(c) || is_shown(c)) {
            continue;
        }
        let rest = &code[start..];
        let (path, after) = rest.split_at(rest.find(|c| !is_part(c)).unwrap_or(rest.len()));
        let mut names: Vec<&str> = path.split("::").filter(|name| !name.is_empty()).collect();
        let up = names.iter().take_while(|name| **name == "super").count();
        let base = if up == 0 { &[] } else { &module[..module.len() - up] };
        names.drain(..up.max(1));
        let path: Vec<String> = base.iter().cloned().chain(names.into_iter().map(str::to_owned)).collect();
        found.extend(listed(after).into_iter().map(|name| path.iter().cloned().chain(name).collect()));
    }
    found
}

/// The first name of each part of a list in braces; nothing, once, where there is none.
fn listed(after: &str) -> Vec<Option<String>> {
    let Some(list) = after.strip_prefix('{') else { return vec![None] };
    let (mut depth, mut names, mut name) = (1, Vec::new(), String::new());
    for c in list.chars() {
        depth += match c {
            '{' => 1,
            '}' => -1,
            _ => 0,
        };
        if (c == ',' && depth == 1) || depth == 0 {
            let first = name.trim().split([':', ' ', '{']).next().unwrap_or_default().to_owned();
            names.extend((!first.is_empty()).then_some(Some(first)));
            name.clear();
            if depth == 0 {
                break;
            }
        } else {
            name.push(c);
        }
    }
    names
}

#[test]
fn every_module_uses_only_those_below_it() {
    for (top, allowed) in MODULES {
        for (file, module) in modules(top) {
            // The paths of lib.rs start above it.
            let module = if *top == "lib" { &[][..] } else { &module };
            for path in paths(module, &code(&file)) {
                let name = path.first().expect("a name");
                assert!(name == top || allowed.contains(&name.as_str()), "{} names crate::{name}", file.display());
            }
        }
    }
    for file in fs::read_dir(source()).expect("is read").map(|entry| entry.expect("is read").path()) {
        let name = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        assert!(MODULES.iter().any(|(module, _)| *module == name), "{name} has no row in the table of modules");
    }
}

/// Every part of a module, and the parts that it names, with the file.
fn uses(top: &str) -> Vec<(String, String, PathBuf)> {
    let mut found = Vec::new();
    for (file, module) in modules(top) {
        let Some(part) = module.get(1) else { continue };
        for path in paths(&module, &code(&file)).into_iter().filter(|path| path.first().is_some_and(|it| it == top)) {
            let used = path.get(1).cloned().unwrap_or_default();
            if used != *part {
                found.push((part.clone(), used, file.clone()));
            }
        }
    }
    found
}

#[test]
fn the_parts_of_sql_use_only_those_below_them() {
    for (part, used, file) in uses("sql") {
        let (_, allowed) = SQL.iter().find(|(name, _)| *name == part).unwrap_or_else(|| panic!("{part} has no row"));
        assert!(allowed.contains(&used.as_str()), "{} names `{used}` of sql", file.display());
    }
    for (at, (part, allowed)) in SQL.iter().enumerate() {
        let is_below = |name: &&str| SQL[..at].iter().any(|(other, _)| other == name);
        assert!(allowed.iter().all(is_below), "`{part}` may use what is not below it");
    }
}

#[test]
fn the_parts_of_a_module_use_only_those_before_them() {
    for (module, parts) in ORDERED {
        let place = |name: &str| parts.iter().position(|part| *part == name);
        for (part, used, file) in uses(module) {
            let at = place(&part).unwrap_or_else(|| panic!("{module}/{part} is in no order"));
            assert!(place(&used).is_none_or(|other| other < at), "{} names `{used}` of {module}", file.display());
        }
    }
}

#[test]
fn paths_are_read_from_where_they_are() {
    let module = ["sql", "plan", "build"].map(str::to_owned);
    let found: Vec<String> = paths(
        &module,
        "use super::super::state::Table;\nuse super::{cast::{Work, cast}, Step as S};\n crate::ir::Id; xsuper::y",
    )
    .iter()
    .map(|path| path.join("::"))
    .collect();
    assert_eq!(
        found,
        ["crate::ir::Id", "sql::state::Table", "sql::plan::cast", "sql::plan::Step"]
            .map(|it| it.trim_start_matches("crate::"))
    );
}
