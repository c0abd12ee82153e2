//! The datasource of a pulled schema: which schemas of the database it is about, and which extensions it needs.

use relata_codegen::ir;

use super::blocks::Block;
use super::names::identifier;
use super::render::quoted;

/// What the datasource has to say.
#[derive(Debug, Default)]
pub(super) struct Datasource {
    /// The schemas that are pulled; empty if it is that of the connection.
    pub(super) schemas: Vec<String>,
    /// Extensions that columns, defaults and indexes use.
    pub(super) extensions: Vec<Extension>,
}

/// An extension.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Extension {
    pub(super) name: String,
    /// Where its objects are, if not in the schema of the connection.
    pub(super) schema: Option<String>,
}

impl Datasource {
    /// The block of a new file.
    pub(super) fn block(&self) -> String {
        let mut text = "datasource db {\n  provider = \"postgresql\"\n".to_owned();
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
    /// `citext`, or `uuid_ossp(map: "uuid-ossp", schema: "tools")`.
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

/// The datasource of an existing file, with the schemas that came to it. Extensions that it does not have come to a list
/// that is there.
pub(super) fn extended(block: &Block, datasource: &Datasource, known: &[ir::Extension]) -> String {
    let is_new = |it: &&Extension| known.iter().all(|known| known.db_name != it.name);
    let mut text = block.text.clone();
    for line in &block.lines {
        let missing: Vec<String> = match line.key.as_str() {
            "schemas" => datasource.schemas.iter().map(|it| quoted(it)).filter(|it| !line.text.contains(it)).collect(),
            "extensions" => datasource.extensions.iter().filter(is_new).map(Extension::text).collect(),
            _ => continue,
        };
        // What is behind the list is a comment.
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
            extensions: vec![extension("citext", None), extension("uuid-ossp", Some("tools"))],
        };
        let text = datasource.block();
        assert!(text.contains("schemas = [\"public\", \"a\\\"b\"]"), "{text}");
        assert!(text.contains("extensions = [citext, uuid_ossp(map: \"uuid-ossp\", schema: \"tools\")]"), "{text}");
        let old = "datasource db {\n  provider = \"postgresql\" // ours\n  schemas = [\"public\"] // all\n}\n";
        let text = extended(&split(old)[0], &datasource, &[]);
        assert!(text.contains("schemas = [\"public\", \"a\\\"b\"] // all"), "{text}");
    }
}
