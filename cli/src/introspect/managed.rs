//! The views that a schema manages, in a live database, and everything that needs them.
//!
//! PostgreSQL does not keep the text of a view. So that two queries can be compared, it makes a temporary view of the
//! schema's query, and prints both in the same way. That happens in a transaction which is rolled back.

use std::collections::BTreeSet;

use relata_codegen::sql::quote::{literal, qualified};
use relata_codegen::sql::{Catalog, CatalogObject, Nature, Need, ObjectKey, ObjectName, State, ViewInSchema};
use tokio_postgres::{Client, Transaction};

use super::catalog::VIEW_COLUMNS;
use super::{Cx, PRINTING, Scope, catalog};
use crate::failure::Failure;

/// Reads the views of `schema` from the database into `database`. Where both mean the same, their texts are made equal.
/// Returns the views that could not be compared, because the server only reads or the role cannot create temporary
/// views: they are taken for equal.
pub(crate) async fn read_managed(
    client: &mut Client,
    scope: &Scope,
    database: &mut State,
    schema: &mut State,
) -> Result<Vec<ObjectKey>, Failure> {
    if schema.catalog.objects.is_empty() {
        return Ok(Vec::new());
    }
    let failed = |error: tokio_postgres::Error| Failure::database("reading the views of the database", &error);
    let transaction = client.transaction().await.map_err(failed)?;
    let compared = compare(&transaction, schema).await.map_err(failed)?;
    transaction.rollback().await.map_err(failed)?;
    let transaction = client.build_transaction().read_only(true).start().await.map_err(failed)?;
    transaction.batch_execute(PRINTING).await.map_err(failed)?;
    let cx = Cx::new(&transaction, scope, false).await?;
    let mut found = catalog::catalog(&cx, database).await.map_err(failed)?;
    transaction.rollback().await.map_err(failed)?;
    name_as_in_schema(&mut found, schema);
    keep_connected(&mut found, schema);
    let mut unknown = Vec::new();
    for (key, outcome) in compared {
        let Some(there) = found.objects.iter_mut().find(|object| object.key == key) else { continue };
        let Some(wanted) = schema.catalog.objects.iter_mut().find(|object| object.key == key) else { continue };
        match outcome {
            Outcome::Differs(Some(columns)) if wanted.replace.is_some() => wanted.shape = columns,
            Outcome::Differs(_) => {}
            // PostgreSQL compared it with the columns that are there now.
            Outcome::Same if reads_other_columns(wanted, database) => {}
            Outcome::Same | Outcome::Unknown => {
                there.create.clone_from(&wanted.create);
                there.replace.clone_from(&wanted.replace);
                there.shape.clone_from(&wanted.shape);
                if outcome == Outcome::Unknown {
                    unknown.push(key);
                }
            }
        }
    }
    forget_uses(database, &found);
    database.catalog = found;
    Ok(unknown)
}

/// Returns whether a view selects all columns of a table that is about to get or lose some.
fn reads_other_columns(view: &CatalogObject, database: &State) -> bool {
    let columns = |table: &ObjectName| -> BTreeSet<&str> {
        let of_table = view.needs.iter().filter_map(|need| match need {
            Need::Column(of, name) if of == table => Some(name.as_str()),
            _ => None,
        });
        of_table.collect()
    };
    let changes = |need: &Need| match need {
        Need::Table(name) => database.table(name).is_some_and(|table| {
            table.columns.iter().map(|it| it.name.as_str()).collect::<BTreeSet<_>>() != columns(name)
        }),
        _ => false,
    };
    view.shape.starts_with("* of ") && view.needs.iter().any(changes)
}

/// What a comparison with the database led to.
#[derive(Debug, PartialEq, Eq)]
enum Outcome {
    Same,
    /// With the columns of the schema's view, if PostgreSQL can create it yet.
    Differs(Option<String>),
    Unknown,
}

async fn compare(
    transaction: &Transaction<'_>,
    schema: &State,
) -> Result<Vec<(ObjectKey, Outcome)>, tokio_postgres::Error> {
    let sql = "SELECT NOT pg_is_in_recovery() AND current_setting('transaction_read_only') = 'off'
        AND has_database_privilege(current_database(), 'TEMP')";
    let is_possible: bool = transaction.query_one(sql, &[]).await?.try_get(0)?;
    let mut compared = Vec::new();
    for object in &schema.catalog.objects {
        let outcome = match (&object.view, &object.owner, is_possible) {
            (_, _, false) => Outcome::Unknown,
            (Some(view), ..) => compare_views(transaction, view).await?,
            (None, Some(Need::Object(owner)), _) => match view_of(schema, owner) {
                Some(view) => compare_indexes(transaction, object, view).await?,
                None => continue,
            },
            _ => continue,
        };
        compared.push((object.key.clone(), outcome));
    }
    Ok(compared)
}

fn view_of<'s>(schema: &'s State, key: &ObjectKey) -> Option<&'s ViewInSchema> {
    schema.catalog.objects.iter().find(|object| object.key == *key)?.view.as_ref()
}

/// Runs statements that may fail, and asks a question about their effect. Both are undone.
async fn try_out(
    transaction: &Transaction<'_>,
    statements: &str,
    question: &str,
) -> Result<Option<tokio_postgres::Row>, tokio_postgres::Error> {
    transaction.batch_execute("SAVEPOINT relata_try").await?;
    let outcome = match transaction.batch_execute(statements).await {
        Ok(()) => transaction.query_one(question, &[]).await.ok(),
        Err(error) if error.as_db_error().is_none() => return Err(error),
        Err(_) => None,
    };
    transaction.batch_execute("ROLLBACK TO relata_try").await?;
    Ok(outcome)
}

async fn compare_views(transaction: &Transaction<'_>, view: &ViewInSchema) -> Result<Outcome, tokio_postgres::Error> {
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
    let Some(row) = try_out(transaction, &create, &question).await? else { return Ok(Outcome::Differs(None)) };
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
) -> Result<Outcome, tokio_postgres::Error> {
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
        Some(row) if row.try_get::<_, Option<bool>>(0)? == Some(true) => Outcome::Same,
        _ => Outcome::Differs(None),
    })
}

/// Gives the objects that a schema has the keys which they have there: PostgreSQL quotes keywords.
fn name_as_in_schema(found: &mut Catalog, schema: &State) {
    let bare = |key: &ObjectKey| key.name.replace('"', "");
    let known = |key: &ObjectKey| {
        let is_it =
            |other: &&CatalogObject| other.key.kind == key.kind && other.key != *key && bare(&other.key) == bare(key);
        schema.catalog.objects.iter().find(is_it).map(|object| object.key.clone())
    };
    let rename = |key: &mut ObjectKey| {
        if let Some(name) = known(key) {
            *key = name;
        }
    };
    for object in &mut found.objects {
        rename(&mut object.key);
        for need in object.needs.iter_mut().chain(&mut object.owner) {
            if let Need::Object(key) = need {
                rename(key);
            }
        }
    }
    found.usages.iter_mut().for_each(|usage| rename(&mut usage.object));
}

/// Leaves only the views that the schema has, and what needs them. A view that is materialized in one of both is the same
/// view.
fn keep_connected(found: &mut Catalog, schema: &State) {
    let is_managed = |object: &CatalogObject| {
        let is_it = |other: &CatalogObject| other.view.is_some() && other.key.name == object.key.name;
        object.nature == Nature::View && schema.catalog.objects.iter().any(is_it)
    };
    let mut kept: BTreeSet<ObjectKey> =
        found.objects.iter().filter(|object| is_managed(object)).map(|object| object.key.clone()).collect();
    loop {
        let is_connected = |need: &Need| matches!(need, Need::Object(key) if kept.contains(key));
        let more: Vec<_> = found
            .objects
            .iter()
            .filter(|object| !kept.contains(&object.key))
            .filter(|object| object.needs.iter().chain(&object.owner).any(is_connected))
            .map(|object| object.key.clone())
            .collect();
        if more.is_empty() {
            break;
        }
        kept.extend(more);
    }
    found.objects.retain(|object| kept.contains(&object.key));
    found.usages.retain(|usage| kept.contains(&usage.object));
}

/// The views make way by themselves.
fn forget_uses(database: &mut State, found: &Catalog) {
    let names: BTreeSet<String> = found
        .objects
        .iter()
        .filter(|object| object.nature == Nature::View)
        .map(|object| object.key.to_string().replace('"', ""))
        .collect();
    let stays = |user: &String| !names.contains(&user.replace('"', ""));
    for table in &mut database.tables {
        table.used_by.retain(stays);
        table.columns.iter_mut().for_each(|column| column.used_by.retain(stays));
    }
}
