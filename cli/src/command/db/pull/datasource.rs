//! The datasource of a pulled schema: which PostgreSQL schemas it describes, and which extensions it needs.

use relata_codegen::ir;

use super::blocks::Block;
use super::names::identifier;
use super::render::quoted;

/// The settings of the datasource.
#[derive(Debug, Default)]
pub(super) struct Datasource {
    /// The schemas to pull; empty for the schema of the connection.
    pub(super) schemas: Vec<String>,
    /// Whether Citus has the rows of tables.
    pub(super) is_citus: bool,
    /// The extensions that columns, defaults and indexes use.
    pub(super) extensions: Vec<Extension>,
}

/// An extension.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Extension {
    pub(super) name: String,
    /// The schema of its objects, if that is not the schema of the connection.
    pub(super) schema: Option<String>,
}

impl Datasource {
    /// Returns the block for a new file.
    pub(super) fn block(&self) -> String {
        let mut text = "datasource db {\n  provider = \"postgresql\"\n".to_owned();
        if self.is_citus {
            text += "  engine = \"citus\"\n";
        }
        if !self.schemas.is_empty() {
            text += &format!("  schemas = {}\n", list(self.schemas.iter().map(|it| quoted(it))));
        }
        if !self.extensions.is_empty() {
            text += &format!("  extensions = {}\n", list(self.extensions.iter().map(Extension::text)));
        }
        text + "}\n"
    }
}

impl Extension {
    /// Returns `citext`, or `uuid_ossp(map: "uuid-ossp", schema: "tools")`.
    fn text(&self) -> String {
        let name = identifier(&self.name);
        let map = (name != self.name).then(|| format!("map: {}", quoted(&self.name)));
        let schema = self.schema.as_ref().map(|schema| format!("schema: {}", quoted(schema)));
        let arguments: Vec<String> = map.into_iter().chain(schema).collect();
        if arguments.is_empty() { name } else { format!("{name}({})", arguments.join(", ")) }
    }
}

fn list(items: impl Iterator<Item = String>) -> String {
    format!("[{}]", items.collect::<Vec<_>>().join(", "))
}

/// Returns the datasource of an existing file with the new schemas. New extensions are added only to an existing list.
pub(super) fn extended(block: &Block, datasource: &Datasource, known: &[ir::Extension]) -> String {
    let is_new = |it: &&Extension| known.iter().all(|known| known.db_name != it.name);
    let mut text = block.text.clone();
    for line in &block.lines {
        let missing: Vec<String> = match line.key.as_str() {
            "schemas" => datasource.schemas.iter().map(|it| quoted(it)).filter(|it| !line.text.contains(it)).collect(),
            "extensions" => datasource.extensions.iter().filter(is_new).map(Extension::text).collect(),
            _ => continue,
        };
        // The text after the list is a comment.
        let Some(end) = line.text.rfind(']').filter(|_| !missing.is_empty()) else { continue };
        let is_empty = line.text[..end].trim_end().ends_with('[');
        let comma = if is_empty { "" } else { ", " };
        let new = format!("{}{comma}{}{}", &line.text[..end], missing.join(", "), &line.text[end..]);
        text = text.replacen(&line.text, &new, 1);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::super::blocks::split;
    use super::*;

    #[test]
    fn a_new_file_says_schemas_and_extensions() {
        let extension =
            |name: &str, schema: Option<&str>| Extension { name: name.to_owned(), schema: schema.map(str::to_owned) };
        let datasource = Datasource {
            schemas: vec!["public".to_owned(), "a\"b".to_owned()],
            is_citus: true,
            extensions: vec![extension("citext", None), extension("uuid-ossp", Some("tools"))],
        };
        let text = datasource.block();
        assert!(text.contains("engine = \"citus\""), "{text}");
        assert!(text.contains("schemas = [\"public\", \"a\\\"b\"]"), "{text}");
        assert!(text.contains("extensions = [citext, uuid_ossp(map: \"uuid-ossp\", schema: \"tools\")]"), "{text}");
        let old = "datasource db {\n  provider = \"postgresql\" // ours\n  schemas = [\"public\"] // all\n}\n";
        let text = extended(&split(old)[0], &datasource, &[]);
        assert!(text.contains("schemas = [\"public\", \"a\\\"b\"] // all"), "{text}");
    }
}
