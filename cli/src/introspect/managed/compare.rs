//! Whether an object of a schema and one of a database mean the same.
//!
//! PostgreSQL does not keep the text of a view, and prints functions, triggers and policies in its own way. So it makes a
//! temporary object of the schema's text, and prints both in the same way. That happens in a transaction which is rolled
//! back.

use relata_codegen::sql::quote::{literal, qualified};
use relata_codegen::sql::{CatalogObject, CatalogPart, Managed, Need, ObjectKey, State, ViewInSchema};
use tokio_postgres::error::SqlState;
use tokio_postgres::{Error, Row, Transaction};

use super::super::catalog::VIEW_COLUMNS;
use super::objects;

/// An object of a schema, and what its comparison led to.
pub(super) struct Compared {
    pub(super) key: ObjectKey,
    pub(super) outcome: Outcome,
    /// The function of the database that has the same arguments, or the sequence.
    pub(super) there: Option<u32>,
}

/// What a comparison with the database led to.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    Same,
    /// With the columns of the schema's view, or the signature of its function, if PostgreSQL can create it yet.
    Differs(Option<String>),
    /// A domain or a composite type, as PostgreSQL prints that of the schema and that of the database.
    DiffersIn(Box<[Printed; 2]>),
    Unknown,
}

/// What a domain or a composite type consists of.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Printed {
    pub(super) shape: String,
    pub(super) parts: Vec<CatalogPart>,
}

/// Compares all objects of a schema with those of the same name in the database.
pub(super) async fn compare(transaction: &Transaction<'_>, schema: &State) -> Result<Vec<Compared>, Error> {
    let sql = "SELECT NOT pg_is_in_recovery() AND current_setting('transaction_read_only') = 'off'
        AND has_database_privilege(current_database(), 'TEMP')";
    let is_possible: bool = transaction.query_one(sql, &[]).await?.try_get(0)?;
    let mut compared = Vec::new();
    for object in &schema.catalog.objects {
        let key = object.key.clone();
        let mut there = None;
        let outcome = match (&object.managed, &object.owner) {
            _ if !is_possible => Outcome::Unknown,
            (Some(Managed::View(view)), _) => compare_views(transaction, view).await?,
            (Some(Managed::Object(managed)), owner) => {
                let is_on_view = matches!(owner, Some(Need::Object(_)));
                let (outcome, found) = objects::compare_objects(transaction, managed, is_on_view).await?;
                there = found;
                outcome
            }
            (None, Some(Need::Object(owner))) => match view_of(schema, owner) {
                Some(view) => compare_indexes(transaction, object, view).await?,
                None => continue,
            },
            (None, _) => continue,
        };
        compared.push(Compared { key, outcome, there });
    }
    Ok(compared)
}

fn view_of<'s>(schema: &'s State, key: &ObjectKey) -> Option<&'s ViewInSchema> {
    schema.catalog.objects.iter().find(|object| object.key == *key)?.managed.as_ref()?.view()
}

/// What came of statements and a question about their effect.
pub(super) enum Tried {
    /// The answer.
    Row(Box<Row>),
    /// The statements failed: something that they need is missing or different.
    Failed,
    /// There is no such function.
    NoFunction,
    /// The role may not do this, or a temporary table cannot stand for the real one.
    Impossible,
}

/// Runs statements that may fail, and asks a question about their effect. Both are undone.
pub(super) async fn try_out(transaction: &Transaction<'_>, statements: &str, question: &str) -> Result<Tried, Error> {
    transaction.batch_execute("SAVEPOINT relata_try").await?;
    let row = match transaction.batch_execute(statements).await {
        Ok(()) => transaction.query_one(question, &[]).await,
        Err(error) => Err(error),
    };
    let tried = match row {
        Ok(row) => Tried::Row(Box::new(row)),
        Err(error) => match error.code() {
            Some(code) if IMPOSSIBLE.contains(&code) => Tried::Impossible,
            Some(code) if *code == SqlState::UNDEFINED_FUNCTION => Tried::NoFunction,
            Some(_) => Tried::Failed,
            // A question without an answer.
            None if error.as_db_error().is_none() && !error.is_closed() => Tried::Failed,
            None => return Err(error),
        },
    };
    transaction.batch_execute("ROLLBACK TO relata_try").await?;
    Ok(tried)
}

/// No privilege, or a whole row of a temporary table where one of the real table is expected.
const IMPOSSIBLE: [&SqlState; 3] =
    [&SqlState::INSUFFICIENT_PRIVILEGE, &SqlState::DATATYPE_MISMATCH, &SqlState::CANNOT_COERCE];

async fn compare_views(transaction: &Transaction<'_>, view: &ViewInSchema) -> Result<Outcome, Error> {
    // The compiler refuses queries that contain more than one statement.
    let create = format!("CREATE TEMP VIEW relata_view AS {}", view.query);
    let options: Vec<_> = view.options.iter().map(|option| literal(option)).collect();
    let question = format!(
        "SELECT pg_get_viewdef(v.oid) = pg_get_viewdef(c.oid)
           AND ARRAY(SELECT unnest(v.reloptions) ORDER BY 1) = ARRAY(SELECT unnest(ARRAY[{}]::text[]) ORDER BY 1), {VIEW_COLUMNS}
         FROM pg_class AS c LEFT JOIN pg_class AS v ON v.oid = to_regclass({})
         WHERE c.oid = 'pg_temp.relata_view'::regclass",
        options.join(", "),
        literal(&qualified(&view.name))
    );
    let row = match try_out(transaction, &create, &question).await? {
        Tried::Row(row) => row,
        Tried::Failed | Tried::NoFunction => return Ok(Outcome::Differs(None)),
        Tried::Impossible => return Ok(Outcome::Unknown),
    };
    Ok(match row.try_get(0)? {
        Some(true) => Outcome::Same,
        Some(false) | None => Outcome::Differs(row.try_get(1)?),
    })
}

/// Compares an index of a materialized view with one of a temporary table that has the same columns.
async fn compare_indexes(
    transaction: &Transaction<'_>,
    index: &CatalogObject,
    view: &ViewInSchema,
) -> Result<Outcome, Error> {
    let (name, create) = (qualified(&view.name), index.create.as_deref().unwrap_or_default());
    let Some((start, rest)) = create.split_once(&format!(" ON {name}")) else { return Ok(Outcome::Differs(None)) };
    let unique = if start.starts_with("CREATE UNIQUE") { "UNIQUE " } else { "" };
    let create = format!(
        "CREATE TEMP TABLE relata_rows AS TABLE {name} WITH NO DATA;
         CREATE {unique}INDEX relata_index ON pg_temp.relata_rows{rest}"
    );
    let known = index.drop.strip_prefix("DROP INDEX ").unwrap_or_default();
    let question = format!(
        "SELECT a.indisunique = b.indisunique
           AND substring(pg_get_indexdef(a.indexrelid) FROM ' USING .*') = substring(pg_get_indexdef(b.indexrelid) FROM ' USING .*')
         FROM pg_index AS a, pg_index AS b
         WHERE a.indexrelid = to_regclass({}) AND b.indexrelid = 'pg_temp.relata_index'::regclass",
        literal(known)
    );
    Ok(match try_out(transaction, &create, &question).await? {
        Tried::Row(row) if row.try_get::<_, Option<bool>>(0)? == Some(true) => Outcome::Same,
        Tried::Impossible => Outcome::Unknown,
        Tried::Row(_) | Tried::Failed | Tried::NoFunction => Outcome::Differs(None),
    })
}
