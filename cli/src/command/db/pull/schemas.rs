//! Which PostgreSQL schemas are pulled, and which of them an existing file has to list.

use relata_codegen::diagnostics::Sources;
use relata_codegen::format;

use super::blocks::split;
use super::datasource::Datasource;
use super::render::quoted;
use super::{Existing, compile_existing};
use crate::args;
use crate::failure::Failure;
use crate::introspect::Scope;

/// Returns the schemas to pull.
pub(super) fn scope(args: &args::Pull, existing: Option<&Existing>) -> Result<Scope, Failure> {
    let asked: Vec<String> = args.schemas.iter().map(|name| name.trim().to_owned()).collect();
    if asked.iter().any(String::is_empty) {
        return Err(
            Failure::usage("one of the names in --schemas is empty").help("separate names by one comma: --schemas a,b")
        );
    }
    if asked.is_empty() {
        return Ok(existing.map_or(Scope::Current, |existing| Scope::of(&existing.schema)));
    }
    let mut names = existing.map_or_else(Vec::new, |existing| existing.schema.namespaces.clone());
    for name in asked {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    Ok(Scope::Named(names))
}

/// Returns whether an existing file lists no schemas, but has to.
pub(super) fn is_unnamed(scope: &Scope, existing: &Existing) -> bool {
    matches!(scope, Scope::Named(_)) && existing.schema.namespaces.is_empty()
}

/// Returns the same schema, with the name of the PostgreSQL schema that contains all of it.
pub(super) fn named(existing: &Existing, current: &str) -> Result<Existing, Failure> {
    let mut sources = existing.sources.clone();
    let datasource = Datasource { schemas: vec![current.to_owned()], ..Datasource::default() };
    let mut has_datasource = false;
    for file in &mut sources.files {
        let mut text = String::new();
        for block in split(&file.text) {
            text += &block.above;
            let attribute = match block.keyword.as_str() {
                "model" | "view" | "enum" => format!("@@schema({})", quoted(current)),
                "datasource" => {
                    has_datasource = true;
                    format!("schemas = [{}]", quoted(current))
                }
                _ => String::new(),
            };
            text += &with_line(&block.text, &attribute);
        }
        file.text = format(&text);
    }
    if let (false, Some(file)) = (has_datasource, sources.files.first_mut()) {
        file.text = format!("{}\n{}", datasource.block(), file.text);
    }
    compile_existing(sources)
}

/// Returns a block with one more line at its end.
fn with_line(block: &str, line: &str) -> String {
    match block.rfind('}').filter(|_| !line.is_empty()) {
        Some(end) => format!("{}\n  {line}\n{}", block[..end].trim_end(), &block[end..]),
        None => block.to_owned(),
    }
}

/// Refuses PostgreSQL's own schemas, which never belong to an application.
pub(super) fn refuse_system_schemas(schemas: &[String]) -> Result<(), Failure> {
    let is_system = |name: &&String| *name == "information_schema" || name.starts_with("pg_");
    match schemas.iter().find(is_system) {
        Some(name) => Err(Failure::refused(format!("{name} is a schema of PostgreSQL itself, and is not pulled"))
            .help("name the schemas of your tables, such as --schemas public")),
        None => Ok(()),
    }
}

/// Returns whether a file of the existing schema has another text than this, or does not exist.
pub(super) fn is_changed(old: &Sources, path: &str, text: &str) -> bool {
    old.files.iter().find(|file| file.path == path).is_none_or(|file| file.text != text)
}
