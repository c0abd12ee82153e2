//! `db pull`: writes the schema of a live database, and keeps the names and comments of an existing file.
//!
//! The result is compiled and compared with the database before it is written. What the schema language cannot express
//! is reported, and does not prevent the rest.

mod attributes;
mod blocks;
mod column;
mod datasource;
mod names;
mod objects;
mod relations;
mod render;
mod repair;
mod schemas;
mod words;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use relata_codegen::diagnostics::{SourceFile, Sources, counted};
use relata_codegen::format;
use relata_codegen::ir::{ClientType, ColumnType, Engine, Model, Schema};
use relata_codegen::sql::quote::ident;
use relata_codegen::sql::{
    Catalog, CatalogObject, Change, Exclusion, Index, Inexpressible, Managed, ObjectName, Pair, State, expressible,
    lower, summary,
};
use tokio_postgres::Client;

use crate::args::{self, Naming};
use crate::compare::difference::{Renames, difference};
use crate::compare::endpoint::{Loaded, read_client};
use crate::database::Database;
use crate::failure::{Exit, Failure};
use crate::introspect::{PulledView, Scope, read_managed, read_views};
use crate::inventory::{self, Inventory, without_schemas};
use crate::project::schema_files;
use crate::project::write::{overwrites_schema, write_file};
use crate::terminal::{output, report};
use datasource::{Datasource, Extension};
use objects::PulledObjects;
use render::Input;
use repair::Repaired;

/// The existing schema.
struct Existing {
    schema: Schema,
    /// The files that it consists of.
    sources: Sources,
}

/// The database, as it was read.
struct LiveDatabase {
    loaded: Loaded,
    /// What the schema language cannot express about its tables.
    inexpressible: Vec<Inexpressible>,
    /// Other objects that no schema contains.
    inventory: Inventory,
    datasource: Datasource,
    /// The existing schemas of the connection's search path.
    search_path: Vec<String>,
    /// The views to add.
    views: Vec<PulledView>,
    /// Views of the existing schema that have another query in the database.
    other_views: Vec<String>,
}

pub(crate) async fn pull(args: &args::Pull) -> Result<Exit, Failure> {
    let path = path(args)?;
    if let Some(file) = args.with_sql.as_deref().filter(|file| overwrites_schema(file, &path)) {
        return Err(Failure::refused(format!("--with-sql would overwrite the schema {}", file.display()))
            .help("name another file, such as --with-sql extra.sql"));
    }
    let mut existing = if args.force { None } else { read_existing(&path)? };
    let on_disk = existing.as_ref().map_or_else(Sources::default, |existing| existing.sources.clone());
    let scope = schemas::scope(args, existing.as_ref())?;
    let database = Database::find(args.url.as_deref())?;
    let mut client = database.connect().await?;
    let (scope, existing) = match existing.take() {
        Some(unnamed) if schemas::is_unnamed(&scope, &unnamed) => named(&mut client, scope, &unnamed).await?,
        other => (scope, other),
    };
    let mut live = read_live(&database, &mut client, &scope, existing.as_ref(), args.objects || args.views).await?;
    if args.views {
        live.views = read_views(&mut client, &scope).await?;
        if let Some(existing) = &existing {
            live.views.retain(|view| !has_view(&existing.schema, &view.table.name));
        }
    }
    if args.objects {
        objects::name_sequences(&mut live.loaded.state);
    }
    let repaired = texts(&path, &live, existing.as_ref(), args.naming)?;
    let current = live.loaded.current_schema.as_deref();
    live.inventory.forget_join_tables(|schema, table| has_model(&repaired.schema, current, schema, table));
    let objects = match args.objects {
        true => {
            let known = lower(&repaired.schema);
            objects::pull(&mut client, &scope, &path, &known, &repaired.sources.objects).await?
        }
        false => PulledObjects::default(),
    };
    let mut repaired = repaired;
    if !objects.files.is_empty() {
        repaired.sources.objects.extend(objects.files.iter().cloned());
        repaired.schema = report::compile_old(&repaired.sources)?;
    }
    let secured = lower(&repaired.schema);
    let schemas: Vec<String> = match &scope {
        Scope::Named(schemas) => schemas.clone(),
        Scope::Current | Scope::All => current.map(str::to_owned).into_iter().collect(),
    };
    let names = managed_objects(&secured, &schemas);
    live.inventory.forget_objects(&names, &schemas);
    if args.objects {
        live.inventory.forget_sequences_of_others();
    }
    live.inventory.forget_row_security(|schema, table| is_secured(&secured, current, schema, table));
    if repaired.schema.comments {
        live.inventory.forget_comments(&secured.enums, current);
    }
    let (views, indexes) = managed_views(&repaired.schema, current.unwrap_or_default());
    live.inventory.forget_views(&views, &indexes);
    for line in warnings(&live, &repaired, existing.as_ref(), args)? {
        output::eprint(&format!("warning: {line}"));
    }
    if let Some(file) = &args.with_sql {
        write_sql(file, &live.inventory)?;
    }
    for line in &objects.warnings {
        output::eprint(&format!("warning: {line}"));
    }
    let pulled = repaired.sources;
    if args.stdout {
        output::print_raw(&schema_files::join(&pulled))?;
        return Ok(Exit::Done);
    }
    let is_new = |file: &&SourceFile| schemas::is_changed(&on_disk, &file.path, &file.text);
    let changed: Vec<&SourceFile> = pulled.files.iter().filter(is_new).chain(&objects.files).collect();
    if changed.is_empty() {
        output::print(&format!("{} already is the schema of {database}", path.display()))?;
        return Ok(Exit::Done);
    }
    if args.check {
        output::print(&format!("{} is not the schema of {database}", path.display()))?;
        return Ok(Exit::Refused);
    }
    for file in changed {
        write_file(Path::new(&file.path), &file.text)?;
        output::print(&format!("wrote {}", file.path))?;
    }
    Ok(Exit::Done)
}

/// Whether a schema has a model for a table. `current` is the schema of models that name none.
fn has_model(schema: &Schema, current: Option<&str>, namespace: &str, table: &str) -> bool {
    schema.models.iter().any(|model| {
        model.db_name == table && model.namespace.as_deref().or(current).is_some_and(|name| name == namespace)
    })
}

/// Returns the names of the views that a schema manages, and of their indexes, each with its PostgreSQL schema.
fn managed_views(schema: &Schema, current: &str) -> (BTreeSet<String>, BTreeSet<String>) {
    let in_schema = |model: &Model, name: &str| format!("{}.{name}", model.namespace.as_deref().unwrap_or(current));
    let managed = || schema.models.iter().filter(|model| model.query.is_some());
    let indexes = managed().filter(|model| model.materialized);
    let indexes = indexes.flat_map(|model| model.indexes.iter().map(|it| in_schema(model, &it.constraint_name)));
    (managed().map(|model| in_schema(model, &model.db_name)).collect(), indexes.collect())
}

/// Returns the kinds and names of the functions, procedures, triggers and policies that a schema has.
fn managed_objects(state: &State, schemas: &[String]) -> BTreeSet<(String, String)> {
    let managed = state.catalog.objects.iter().filter(|object| matches!(object.managed, Some(Managed::Object(_))));
    managed.map(|object| (object.key.kind.clone(), without_schemas(&object.key.name, schemas))).collect()
}

/// Whether a schema has a view of this name.
fn has_view(schema: &Schema, name: &ObjectName) -> bool {
    let is_it = |model: &Model| model.db_name == name.name && (name.schema.is_none() || model.namespace == name.schema);
    schema.models.iter().any(|model| model.is_view && is_it(model))
}

/// Returns the views that a schema manages and that have another query in the database.
async fn other_views(client: &mut Client, scope: &Scope, schema: &Schema) -> Result<Vec<String>, Failure> {
    let (mut live, mut known) = (State::default(), lower(schema));
    read_managed(client, scope, &mut live, &mut known).await?;
    let (live, known) = (live.catalog.objects, known.catalog.objects);
    let is_other = |it: &&CatalogObject| live.iter().any(|there| there.key == it.key && there.create != it.create);
    Ok(known.iter().filter(is_other).map(|it| it.key.to_string()).collect())
}

/// Whether a schema declares row security for a table. `current` is the schema of tables that name none.
fn is_secured(state: &State, current: Option<&str>, namespace: &str, name: &str) -> bool {
    state.tables.iter().any(|table| {
        table.row_security.enabled
            && table.name.name == name
            && table.name.schema.as_deref().or(current).is_some_and(|schema| schema == namespace)
    })
}

/// Adds the schema of the connection: an existing schema file that lists no PostgreSQL schemas describes that one, so
/// it is pulled together with the others.
async fn named(client: &mut Client, scope: Scope, unnamed: &Existing) -> Result<(Scope, Option<Existing>), Failure> {
    let Some(current) = read_client(client, &Scope::Current).await?.current_schema else {
        return Ok((scope, None));
    };
    let existing = schemas::named(unnamed, &current)?;
    let others = match scope {
        Scope::Current | Scope::All => Vec::new(),
        Scope::Named(names) => names.into_iter().filter(|name| *name != current).collect(),
    };
    let names = std::iter::once(current).chain(others).collect();
    Ok((Scope::Named(names), Some(existing)))
}

async fn read_live(
    database: &Database,
    client: &mut Client,
    scope: &Scope,
    existing: Option<&Existing>,
    with_objects: bool,
) -> Result<LiveDatabase, Failure> {
    if let Scope::Named(schemas) = scope {
        schemas::refuse_system_schemas(schemas)?;
    }
    let mut loaded = read_client(client, scope).await?;
    let other_views = match existing {
        Some(existing) => other_views(client, scope, &existing.schema).await?,
        None => Vec::new(),
    };
    // An invalid index of a failed CREATE INDEX CONCURRENTLY is not part of a schema.
    loaded.state.tables.iter_mut().for_each(|table| table.indexes.retain(|index| index.valid));
    let (state, inexpressible) = expressible(&loaded.state);
    loaded.state = state;
    let current = loaded.current_schema.clone().unwrap_or_default();
    let (schemas, unqualified) = match scope {
        Scope::Current | Scope::All => (vec![current.clone()], Some(current.as_str())),
        Scope::Named(schemas) => (schemas.clone(), None),
    };
    schemas::refuse_system_schemas(&schemas)?;
    let missing: Vec<&String> = schemas.iter().filter(|name| !is_there(scope, &loaded, name)).collect();
    if let [name, ..] = missing.as_slice() {
        return Err(Failure::refused(format!("{database} has no schema {name}"))
            .help("correct --schemas, or `schemas` in the datasource"));
    }
    let (views, extensions) = existing.map(|existing| beside_tables(&existing.schema)).unwrap_or_default();
    let (state, views, extensions) = (&loaded.state, &views, &extensions);
    let request = inventory::Request {
        schemas: &schemas,
        unqualified,
        state,
        inexpressible: &inexpressible,
        views,
        extensions,
        with_objects,
    };
    let inventory = inventory::read(client, &request).await?;
    let extension = |(name, schema): &(String, String)| Extension {
        name: name.clone(),
        schema: Some(schema.clone()).filter(|schema| *schema != current),
    };
    let datasource = Datasource {
        schemas: if unqualified.is_none() { schemas } else { Vec::new() },
        is_citus: state.tables.iter().any(|table| table.distribution.is_placed()),
        // `engine` says it.
        extensions: inventory.extensions.iter().filter(|(name, _)| name != "citus").map(extension).collect(),
    };
    let read = client.query_one("SELECT current_schemas(false)::text[]", &[]).await.and_then(|row| row.try_get(0));
    let search_path = read.map_err(|error| Failure::database("reading the search path", &error))?;
    Ok(LiveDatabase { loaded, inexpressible, inventory, datasource, search_path, views: Vec::new(), other_views })
}

/// The views and extensions of a schema.
fn beside_tables(schema: &Schema) -> (Vec<ObjectName>, Vec<String>) {
    let views = schema.models.iter().filter(|model| model.is_view);
    let views = views.map(|view| ObjectName { schema: view.namespace.clone(), name: view.db_name.clone() });
    (views.collect(), schema.extensions.iter().map(|extension| extension.db_name.clone()).collect())
}

fn is_there(scope: &Scope, loaded: &Loaded, name: &str) -> bool {
    *scope == Scope::Current || loaded.state.schemas.iter().any(|schema| schema == name)
}

/// Returns warnings about objects that the schema does not contain.
fn warnings(
    live: &LiveDatabase,
    repaired: &Repaired,
    existing: Option<&Existing>,
    args: &args::Pull,
) -> Result<Vec<String>, Failure> {
    let cannot_say = |line: &str| format!("the schema language cannot express this: {line}");
    let mut lines: Vec<String> = repaired.warnings.clone();
    for Inexpressible { table, kind, name, reason } in &live.inexpressible {
        lines.push(cannot_say(&format!("{kind} {name} of {table}: {reason}").replace(char::is_control, " ")));
    }
    lines.extend(live.inventory.warnings().iter().map(|line| cannot_say(line)));
    lines.extend(beyond(&live.loaded, repaired)?.lines().map(cannot_say));
    lines.extend(notes_on_the_client(&repaired.schema, existing));
    for reason in &live.inventory.unread {
        lines.push(format!("a part of the catalog cannot be read, so its objects are not reported: {reason}"));
    }
    let needs = live.inventory.needs();
    if !needs.is_empty() && args.with_sql.is_none() && existing.is_none() {
        let hint = "columns, defaults or indexes need objects that the schema language cannot express; --with-sql FILE writes them";
        lines.push(format!("{hint}:\n  {}", needs.join("\n  ")));
    }
    if let Some(existing) = existing {
        if live.datasource.is_citus && existing.schema.engine != Engine::Citus {
            lines.push("Citus has the rows of tables, but the datasource has no `engine = \"citus\"`".to_owned());
        }
        let is_listed = |it: &&Extension| existing.schema.extensions.iter().any(|known| known.db_name == it.name);
        let missing: Vec<&str> =
            live.datasource.extensions.iter().filter(|it| !is_listed(it)).map(|it| it.name.as_str()).collect();
        let is_listed = repaired.sources.files.iter().any(|file| file.text.contains("extensions"));
        if !missing.is_empty() && !is_listed {
            let names = missing.join(", ");
            lines.push(format!(
                "the schema needs extensions that the datasource does not list in `extensions`: {names}"
            ));
        }
    }
    if !live.other_views.is_empty() {
        lines.push(format!(
            "different in the database, and not changed in the schema: {}; correct `@@sql`, or remove the block and pull it \
             again with --views",
            live.other_views.join(", ")
        ));
    }
    lines.extend(unreachable_extensions(live));
    lines.extend(schemas_elsewhere(live));
    Ok(lines)
}

/// Schemas that are not pulled.
fn schemas_elsewhere(live: &LiveDatabase) -> Option<String> {
    let elsewhere = &live.inventory.elsewhere;
    let each = elsewhere.iter().map(|(schema, tables)| match tables {
        0 => format!("{schema} (no tables)"),
        _ => format!("{schema} ({})", counted(usize::try_from(*tables).unwrap_or(usize::MAX), "table")),
    });
    let each = each.collect::<Vec<_>>().join(", ");
    let current = live.loaded.current_schema.iter().filter(|_| live.datasource.schemas.is_empty());
    let all = current.chain(&live.datasource.schemas).chain(elsewhere.iter().map(|(schema, _)| schema));
    let all: Vec<&str> = all.map(String::as_str).collect();
    let flag = format!("--schemas {}", all.join(","));
    match elsewhere.len() {
        0 => None,
        1 => Some(format!("the schema {each} is not pulled; {flag} also pulls it")),
        _ => Some(format!("the schemas {each} are not pulled; {flag} also pulls them")),
    }
}

/// Extensions in schemas that the search path does not contain: neither migrations nor clients name those schemas.
fn unreachable_extensions(live: &LiveDatabase) -> Vec<String> {
    let mut schemas: BTreeMap<&String, Vec<&str>> = BTreeMap::new();
    for extension in &live.datasource.extensions {
        let is_found = |schema: &&String| live.search_path.contains(schema) || *schema == "pg_catalog";
        if let Some(schema) = extension.schema.as_ref().filter(|schema| !is_found(schema)) {
            schemas.entry(schema).or_default().push(&extension.name);
        }
    }
    let line = |(schema, names): (&String, Vec<&str>)| {
        let path: Vec<String> = live.search_path.iter().chain([schema]).map(|name| ident(name)).collect();
        format!(
            "the types, operators and functions of {} are in the schema {schema}, which is not on the search path: neither \
             migrations nor clients find them there; add it, as in ALTER DATABASE .. SET search_path = {}",
            names.join(", "),
            path.join(", ")
        )
    };
    schemas.into_iter().map(line).collect()
}

/// What the client lacks of new models and columns, or needs for them.
fn notes_on_the_client(schema: &Schema, existing: Option<&Existing>) -> Vec<String> {
    let old = |model: &str| existing.and_then(|it| it.schema.walk_models().find(|known| known.name() == model));
    let (mut models, mut texts) = (Vec::new(), Vec::new());
    let mut features: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for model in schema.walk_models() {
        let known = old(model.name());
        if model.model().ignored {
            if known.is_none_or(|known| !known.model().ignored) {
                models.push(model.name().to_owned());
            }
            continue;
        }
        for column in model.columns() {
            let is_known = known.is_some_and(|known| known.columns().any(|it| it.name() == column.name()));
            if let (ColumnType::Unsupported(ty), false) = (&column.column().ty, is_known) {
                let place = format!("{}.{} ({ty})", model.name(), column.name());
                match ClientType::of(ty).feature() {
                    Some(feature) => features.entry(feature).or_default().push(place),
                    None if ClientType::of(ty) == ClientType::Text => texts.push(place),
                    None => {}
                }
            }
        }
    }
    let mut lines = Vec::new();
    if !models.is_empty() {
        let reason = "no primary key, and no unique key of required columns with supported types";
        lines.push(format!("not in the client, because the table has {reason}: {}", models.join(", ")));
    }
    for (feature, columns) in features {
        lines.push(format!("the client needs the feature `{feature}` of `relata` for {}", columns.join(", ")));
    }
    if !texts.is_empty() {
        lines.push(format!("texts in the client, unless `@rust` names a type for them: {}", texts.join(", ")));
    }
    lines
}

/// Writes `x.sql`, and `x.after.sql` with the statements that depend on the tables.
fn write_sql(file: &Path, inventory: &Inventory) -> Result<(), Failure> {
    let extension = file.extension().unwrap_or_default().to_string_lossy().into_owned();
    let later =
        file.with_extension(if extension.is_empty() { "after.sql".to_owned() } else { format!("after.{extension}") });
    let name = |path: &Path| path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    write_file(file, &inventory::before(inventory, &name(&later)))?;
    output::eprint(&format!("wrote {}", file.display()));
    if inventory.has_after() || later.exists() {
        write_file(&later, &inventory::after(inventory, &name(file)))?;
        output::eprint(&format!("wrote {}", later.display()));
    }
    Ok(())
}

/// A file, or a folder with files in it.
fn path(args: &args::Pull) -> Result<PathBuf, Failure> {
    let path = args.schema.clone().or_else(|| schema_files::locate(None).ok());
    let path = path.unwrap_or_else(|| PathBuf::from("schema.dsl"));
    if !path.is_dir() {
        return Ok(path);
    }
    if schema_files::read(&path).is_err() && path.read_dir().is_ok_and(|mut entries| entries.next().is_none()) {
        return Ok(path.join("schema.dsl"));
    }
    if args.force {
        return Err(Failure::refused(format!("{} is a folder, but --force writes one file", path.display()))
            .help("pass a file with --schema, or omit --force to keep each model in its file"));
    }
    Ok(path)
}

fn read_existing(path: &Path) -> Result<Option<Existing>, Failure> {
    if !path.exists() {
        return Ok(None);
    }
    let sources = schema_files::read(path)?;
    if sources.files.iter().all(|file| file.text.trim().is_empty()) {
        return Ok(None);
    }
    compile_existing(sources).map(Some)
}

fn compile_existing(sources: Sources) -> Result<Existing, Failure> {
    let schema = report::compile_old(&sources).map_err(|failure| {
        if failure.exit == Exit::Refused {
            failure.help("--force writes a new file from the database alone")
        } else {
            failure
        }
    })?;
    Ok(Existing { schema, sources })
}

/// Returns the text of the schema. Keeps the existing text if it already describes the whole database. A file in which
/// nothing changes stays as it is.
fn texts(path: &Path, live: &LiveDatabase, existing: Option<&Existing>, naming: Naming) -> Result<Repaired, Failure> {
    let mut state = live.loaded.state.clone();
    state.tables.extend(live.views.iter().map(|view| view.table.clone()));
    let input = |changes, new| Input {
        state: &state,
        views: &live.views,
        existing,
        changes,
        new,
        datasource: &live.datasource,
        naming,
    };
    let Some(old) = existing else {
        let (mut files, plain) = render::schema(&input(&[], path.display().to_string()));
        files.iter_mut().for_each(|file| file.text = format(&file.text));
        return laid_out(repair(Sources { files, ..Sources::default() }, &plain)?);
    };
    let next = tables_of(&old.schema);
    let mut changes = difference(Pair { previous: &live.loaded, next: &next }, Renames::of_complete_schema())?;
    changes.retain(|change| !is_own_comment(change));
    changes.extend(more(&live.loaded.state, &lower(&old.schema)));
    if changes.is_empty() && live.views.is_empty() {
        return repair(old.sources.clone(), &BTreeMap::new());
    }
    let new = if path.is_dir() { path.join(PULLED) } else { path.to_owned() };
    let (mut files, plain) = render::schema(&input(&changes, new.display().to_string()));
    for file in &mut files {
        let old = old.sources.files.iter().find(|old| old.path == file.path);
        if old.is_none_or(|old| old.text.trim_end() != file.text.trim_end()) {
            file.text = format(&file.text);
        } else if let Some(old) = old {
            file.text.clone_from(&old.text);
        }
    }
    laid_out(repair(Sources { files, ..old.sources.clone() }, &plain)?)
}

/// The database that a schema describes, without its views, which are compared in another way.
fn tables_of(schema: &Schema) -> Loaded {
    let mut loaded = Loaded::of_schema(schema);
    loaded.state.catalog = Catalog::default();
    loaded
}

fn repair(sources: Sources, plain: &render::Plain) -> Result<Repaired, Failure> {
    repair::repair(sources, &|model, field| plain.get(&(model.to_owned(), field.to_owned())).cloned())
}

/// Formats what was repaired.
fn laid_out(mut repaired: Repaired) -> Result<Repaired, Failure> {
    if !repaired.warnings.is_empty() {
        repaired.sources.files.iter_mut().for_each(|file| file.text = format(&file.text));
    }
    Ok(repaired)
}

/// Returns the file of a folder that receives the tables and enums that no file has yet.
const PULLED: &str = "pulled.dsl";

/// Returns what a migration would leave alone in the database, but which the schema does not declare.
fn more(live: &State, known: &State) -> Vec<Change> {
    use relata_codegen::sql::TableObject;
    let mut changes = Vec::new();
    for table in &live.tables {
        let Some(other) = known.tables.iter().find(|it| render::same(&it.name, &table.name)) else { continue };
        let checks = table.checks.iter().filter(|it| other.checks.iter().all(|known| known.name != it.name));
        // A join table may have a unique index instead of a primary key.
        let key = other.primary_key.as_ref().filter(|_| table.primary_key.is_none());
        let is_key =
            |it: &Index| key.is_some_and(|key| it.unique && it.is_plain() && it.columns().eq(key.columns.iter()));
        let indexes = table.indexes.iter().filter(|it| other.indexes.iter().all(|known| known.name != it.name));
        let indexes = indexes.filter(|it| !is_key(it));
        let is_new = |it: &&Exclusion| other.exclusions.iter().all(|known| known.index.name != it.index.name);
        let exclusions = table.exclusions.iter().filter(is_new).cloned().map(TableObject::Exclusion);
        let objects = checks.cloned().map(TableObject::Check).chain(indexes.cloned().map(TableObject::Index));
        let objects = objects.chain(exclusions);
        changes.extend(objects.map(|object| Change::DropObject { table: table.name.clone(), object }));
    }
    changes
}

/// Describes, in words, what the texts do not say about the database.
fn beyond(live: &Loaded, repaired: &Repaired) -> Result<String, Failure> {
    let next = tables_of(&repaired.schema);
    let mut changes = difference(Pair { previous: live, next: &next }, Renames::of_complete_schema())?;
    changes.retain(|change| !is_own_comment(change));
    Ok(summary(&changes))
}

/// Returns whether a `///` comment has none of the database in its place: the author's words stay.
fn is_own_comment(change: &Change) -> bool {
    matches!(change, Change::SetComment { previous: None, .. })
}
