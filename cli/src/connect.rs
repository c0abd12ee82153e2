//! A direct connection to a database, and what to do when there is none.

use std::time::Duration;

use tokio_postgres::error::SqlState;
use tokio_postgres::{Client, Config, NoTls};

use crate::database::Database;
use crate::failure::Failure;

/// For how long a server may keep us waiting that does not answer at all.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Connects, and enters the schema of the URL.
pub(crate) async fn connect(database: &Database) -> Result<Client, Failure> {
    let client = open(database.url()).await.map_err(|error| explain(database, &error))?;
    if let Some(schema) = database.schema() {
        enter(&client, schema).await?;
    }
    Ok(client)
}

async fn open(url: &str) -> Result<Client, tokio_postgres::Error> {
    let mut config: Config = url.parse()?;
    if config.get_connect_timeout().is_none() {
        config.connect_timeout(TIMEOUT);
    }
    let (client, connection) = config.connect(NoTls).await?;
    // It ends when the client is dropped; its error reaches the client's next call.
    tokio::spawn(connection);
    Ok(client)
}

/// Makes `schema` the current one. It has to be there: the runner would put everything elsewhere.
async fn enter(client: &Client, schema: &str) -> Result<(), Failure> {
    let failed = |error| Failure::database("entering the schema of the URL", &error);
    let sql = "SELECT set_config('search_path', quote_ident($1), false), to_regnamespace(quote_ident($1)) IS NOT NULL";
    let row = client.query_one(sql, &[&schema]).await.map_err(failed)?;
    if row.try_get(1).map_err(failed)? {
        return Ok(());
    }
    Err(Failure::refused(format!("the schema \"{schema}\" does not exist in this database"))
        .help(format!("create it with CREATE SCHEMA \"{schema}\", or correct `schema=` in the URL")))
}

fn explain(database: &Database, error: &tokio_postgres::Error) -> Failure {
    let cause = match (error.as_db_error(), std::error::Error::source(error)) {
        (Some(db), _) => db.message().to_owned(),
        (None, Some(source)) => source.to_string(),
        (None, None) => error.to_string(),
    };
    let failure = Failure::refused(format!("cannot connect to {database}: {cause}"));
    let source = database.source();
    match error.code() {
        Some(code) if *code == SqlState::INVALID_PASSWORD || *code == SqlState::INVALID_AUTHORIZATION_SPECIFICATION => {
            failure.help(format!("check user ({}) and password in {source}", database.user()))
        }
        Some(code) if *code == SqlState::INVALID_CATALOG_NAME => {
            let name = database.name();
            failure.help(format!("create it (createdb {name}), or correct the name of the database in {source}"))
        }
        Some(_) => failure,
        None => failure.help(format!("check that the server runs, and host, port and sslmode in {source}")),
    }
}
