//! The endpoints of a comparison: an empty database, a schema, the last snapshot of a migrations folder, a live
//! database.

use std::path::{Path, PathBuf};

use relata_codegen::ir::Schema;
use relata_codegen::sql::{Intent, Pair, Side, State, lower};
use tokio_postgres::Client;

use crate::args;
use crate::database::Database;
use crate::failure::Failure;
use crate::introspect::{Scope, introspect, introspect_whole, read_managed};
use crate::project::{schema_files, snapshot};
use crate::terminal::{output, progress, report};

/// An endpoint, as it was specified.
#[derive(Clone)]
pub(crate) enum Endpoint {
    Empty,
    Schema(PathBuf),
    Migrations(PathBuf),
    Database(Box<Database>),
}

impl Endpoint {
    pub(crate) fn from(args: &args::From) -> Result<Self, Failure> {
        Self::of(args.from_schema.as_deref(), args.from_migrations.as_deref(), args.from_url.as_deref(), "--from-url")
    }

    pub(crate) fn to(args: &args::To) -> Result<Self, Failure> {
        Self::of(args.to_schema.as_deref(), args.to_migrations.as_deref(), args.to_url.as_deref(), "--to-url")
    }

    /// clap ensures that exactly one is given.
    fn of(
        schema: Option<&Path>,
        migrations: Option<&Path>,
        url: Option<&str>,
        flag: &'static str,
    ) -> Result<Self, Failure> {
        Ok(match (schema, migrations, url) {
            (Some(path), ..) => Self::Schema(path.to_owned()),
            (_, Some(folder), _) => Self::Migrations(folder.to_owned()),
            (_, _, Some(url)) => Self::Database(Box::new(Database::parse(url, flag)?)),
            _ => Self::Empty,
        })
    }
}

/// The state of an endpoint.
#[derive(Debug, Clone, Default)]
pub struct Loaded {
    /// The structure of the database.
    pub state: State,
    /// What its schema says about migrations; none for a database.
    pub intent: Option<Intent>,
    /// The current schema of the connection, for a database.
    pub current_schema: Option<String>,
}

impl Loaded {
    /// An empty database.
    pub fn empty() -> Self {
        Self { intent: Some(Intent::default()), ..Self::default() }
    }

    /// The database that a schema describes.
    pub fn of_schema(schema: &Schema) -> Self {
        Self { state: lower(schema), intent: Some(Intent::of(schema)), current_schema: None }
    }

    /// The same without the earlier names in its schema.
    pub(crate) fn without_renames(mut self) -> Self {
        self.intent = self.intent.map(Intent::without_renames);
        self
    }

    pub(crate) fn side(&self) -> Side<'_> {
        Side { state: &self.state, intent: self.intent.as_ref() }
    }
}

/// Reads both endpoints. A database is read last, because the schema on the other side determines its scope.
pub(crate) async fn load(pair: Pair<&Endpoint>) -> Result<Pair<Loaded>, Failure> {
    let mut previous = load_file(pair.previous, read_old_schema)?;
    let mut next = load_file(pair.next, read_schema)?;
    let scope = |other: &Option<(Loaded, Scope)>| other.as_ref().map_or(Scope::Current, |(_, scope)| scope.clone());
    let is_whole = previous.is_none() && next.is_none();
    let (previous_scope, next_scope) =
        if is_whole { of_databases(pair).await? } else { (scope(&next), scope(&previous)) };
    let previous_database = read_endpoint(pair.previous, &previous_scope, is_whole, next.as_mut()).await?;
    let next_database = read_endpoint(pair.next, &next_scope, is_whole, previous.as_mut()).await?;
    let finish = |database: Option<Loaded>, file: Option<(Loaded, Scope)>| {
        database.or(file.map(|(loaded, _)| loaded)).unwrap_or_else(Loaded::empty)
    };
    Ok(Pair { previous: finish(previous_database, previous), next: finish(next_database, next) })
}

/// Two databases are compared in all schemas, unless one of the URLs leads to another schema than the other one.
async fn of_databases(pair: Pair<&Endpoint>) -> Result<(Scope, Scope), Failure> {
    let mut current = Vec::new();
    for endpoint in [pair.previous, pair.next] {
        if let Endpoint::Database(database) = endpoint {
            let client = database.connect().await?;
            current.push(relata::migrate::current_schema(&client).await?);
        }
    }
    let scope = if current.windows(2).all(|pair| pair[0] == pair[1]) { Scope::All } else { Scope::Current };
    Ok((scope.clone(), scope))
}

/// Reads an endpoint that is not a database; `read` reads a schema.
fn load_file(
    endpoint: &Endpoint,
    read: fn(&Path) -> Result<Schema, Failure>,
) -> Result<Option<(Loaded, Scope)>, Failure> {
    let schema = match endpoint {
        Endpoint::Empty => None,
        Endpoint::Schema(path) => Some(read(path)?),
        Endpoint::Migrations(folder) => read_snapshot(folder)?,
        Endpoint::Database(_) => return Ok(None),
    };
    Ok(Some(match schema {
        Some(schema) => (Loaded::of_schema(&schema), Scope::of(&schema)),
        None => (Loaded::empty(), Scope::Current),
    }))
}

/// Reads an endpoint that is a database.
async fn read_endpoint(
    endpoint: &Endpoint,
    scope: &Scope,
    is_whole: bool,
    other: Option<&mut (Loaded, Scope)>,
) -> Result<Option<Loaded>, Failure> {
    let Endpoint::Database(database) = endpoint else { return Ok(None) };
    let spinner = progress::spinner();
    spinner.set_message(format!("reading {database}"));
    let mut client = database.connect().await?;
    let loaded = match other {
        Some((schema, _)) => read_for(&mut client, scope, schema).await,
        None if is_whole => read_whole(&mut client, scope).await,
        None => read_client(&mut client, scope).await,
    };
    spinner.finish_and_clear();
    loaded.map(Some)
}

/// Reads the database of the connection, with the views that a schema manages.
pub async fn read_for(client: &mut Client, scope: &Scope, schema: &mut Loaded) -> Result<Loaded, Failure> {
    let mut loaded = read_client(client, scope).await?;
    let unknown = read_managed(client, scope, &mut loaded.state, &mut schema.state).await?;
    if !unknown.is_empty() {
        let names: Vec<String> = unknown.iter().map(ToString::to_string).collect();
        output::eprint(&format!(
            "warning: not compared, because the server only reads, a privilege is missing (TEMP, or SELECT on a table), or a \
             condition passes whole rows to a function: {}",
            names.join(", ")
        ));
    }
    Ok(loaded)
}

/// Reads the database of the connection.
pub(crate) async fn read_client(client: &mut Client, scope: &Scope) -> Result<Loaded, Failure> {
    let current_schema = relata::migrate::current_schema(client).await?;
    let state = introspect(client, scope).await?;
    Ok(Loaded { state, intent: None, current_schema: Some(current_schema) })
}

/// Reads the whole database, including what the schema language cannot express.
pub(crate) async fn read_whole(client: &mut Client, scope: &Scope) -> Result<Loaded, Failure> {
    let current_schema = relata::migrate::current_schema(client).await?;
    let state = introspect_whole(client, scope).await?;
    Ok(Loaded { state, intent: None, current_schema: Some(current_schema) })
}

/// Reads and compiles a schema, and reports its errors.
pub(crate) fn read_schema(path: &Path) -> Result<Schema, Failure> {
    report::compile(path, &schema_files::read(path)?)
}

/// The snapshot of the last migration; none if there is no migration.
pub(crate) fn read_snapshot(folder: &Path) -> Result<Option<Schema>, Failure> {
    if folder.exists() && !folder.is_dir() {
        return Err(Failure::refused(format!("{} is a file, not a migrations folder", folder.display())));
    }
    snapshot::last(folder)?.map(|path| read_old_schema(&path)).transpose()
}

/// The schema of a snapshot.
pub(crate) fn read_old_schema(path: &Path) -> Result<Schema, Failure> {
    report::compile_old(&schema_files::read(path)?)
}
