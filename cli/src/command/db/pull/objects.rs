//! The objects that `db pull --objects` writes: one file of `sql` for each.

use std::collections::BTreeSet;
use std::path::Path;

use relata_codegen::diagnostics::SourceFile;
use relata_codegen::sql::quote::literal;
use relata_codegen::sql::{CatalogObject, ColumnDefault, Need, ObjectName, State};
use relata_codegen::{build, sql};
use tokio_postgres::Client;

use crate::failure::Failure;
use crate::introspect::{Scope, read_objects};

/// How the names of functions, triggers and policies begin that the client or a migration creates.
const OWN: &str = "relata_";

/// Objects that are not in the schema yet.
#[derive(Default)]
pub(super) struct PulledObjects {
    /// Their files.
    pub(super) files: Vec<SourceFile>,
    /// Why some are left out.
    pub(super) warnings: Vec<String>,
}

/// Reads the objects that a schema does not have. `path` is that of the schema, and `taken` are the files that exist.
pub(super) async fn pull(
    client: &mut Client,
    scope: &Scope,
    path: &Path,
    schema: &State,
    taken: &[SourceFile],
) -> Result<PulledObjects, Failure> {
    let folder = build::objects_beside(path);
    let mut paths: BTreeSet<String> = taken.iter().map(|file| file.path.clone()).collect();
    let mut pulled = PulledObjects::default();
    for object in read_objects(client, scope, schema).await? {
        if is_own(&object) {
            continue;
        }
        if let Some(table) = unknown_table(&object, schema) {
            pulled
                .warnings
                .push(format!("{} is left out: it belongs to {table}, which is not in the schema", object.key));
            continue;
        }
        let stem = format!("{}/{}", plural(&object.key.kind), stem(&object.key.name));
        let numbers = std::iter::once(String::new()).chain((2..).map(|number| format!("_{number}")));
        let path = numbers.map(|number| folder.join(format!("{stem}{number}.sql")).display().to_string());
        let Some(path) = path.into_iter().find(|path| paths.insert(path.clone())) else { continue };
        let text = format!("{};\n", object.create.unwrap_or_default().trim_end().trim_end_matches(';'));
        pulled.files.push(SourceFile { path, text });
    }
    Ok(pulled)
}

/// Names the sequence in each default whose sequence no column owns: it is in a file of its own.
pub(super) fn name_sequences(state: &mut State) {
    let owned: BTreeSet<&ObjectName> =
        state.sequences.iter().filter(|sequence| sequence.owned_by.is_some()).map(|sequence| &sequence.name).collect();
    for column in state.tables.iter_mut().flat_map(|table| &mut table.columns) {
        if let Some(ColumnDefault::Sequence(name)) = &column.default
            && !owned.contains(name)
        {
            let text = literal(&name.printed());
            column.default = Some(ColumnDefault::Expression(format!("nextval({text}::regclass)")));
        }
    }
}

/// Whether a migration or the client creates it on its own.
fn is_own(object: &CatalogObject) -> bool {
    object.key.name.trim_start_matches('"').starts_with(OWN) || sql::SYNC_TRIGGER == object.key.name
}

/// Returns the table or view of a trigger or a policy that no model declares.
fn unknown_table(object: &CatalogObject, schema: &State) -> Option<String> {
    let (_, table) = object.key.name.split_once(" on ").filter(|_| object.owner.is_some())?;
    let is_known = match object.owner.as_ref()? {
        Need::Table(name) => schema.table(name).is_some(),
        Need::Object(view) => schema.catalog.objects.iter().any(|known| known.key.name == view.name),
        _ => false,
    };
    (!is_known).then(|| table.to_owned())
}

fn plural(kind: &str) -> String {
    let word = kind.split(' ').next_back().unwrap_or_default();
    word.strip_suffix('y').map_or_else(|| format!("{word}s"), |stem| format!("{stem}ies"))
}

/// Returns the name of a file: `total` for `total(integer)`, `orders_audit` for `audit on orders`.
fn stem(name: &str) -> String {
    let words = match name.split_once(" on ") {
        Some((name, table)) => format!("{table}_{name}"),
        None => name.split('(').next().unwrap_or_default().to_owned(),
    };
    let letter = |letter: char| if letter.is_alphanumeric() { letter } else { '_' };
    let stem: String = words.replace('"', "").chars().map(letter).take(100).collect();
    let stem = stem.trim_matches('_');
    if stem.is_empty() { "object".to_owned() } else { stem.to_owned() }
}
