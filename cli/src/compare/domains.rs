//! Whether a database has the domains that a schema names.

use relata_codegen::sql::quote::qualified;
use relata_codegen::sql::{Column, Managed, ObjectName, Probe, State, Table};
use tokio_postgres::Client;

use crate::failure::Failure;

/// Returns what is wrong with the domains of the columns, one line each.
pub(crate) async fn problems(client: &Client, state: &State) -> Result<Vec<String>, Failure> {
    let mut problems = Vec::new();
    for (table, column) in with_domains(state) {
        if column.options.domain.as_ref().is_some_and(|domain| is_managed(state, domain)) {
            continue;
        }
        let Some(probe) = Probe::of_domain(column) else { continue };
        let row = client.query_one(&probe.sql(), &[]).await;
        let row = row.map_err(|error| Failure::database("looking for the domains", &error))?;
        let problem: Option<String> =
            row.try_get(1).map_err(|error| Failure::database("looking for the domains", &error))?;
        if let (Some(problem), Some(domain)) = (problem, &column.options.domain) {
            problems.push(format!("{}.{} has the domain {domain}: {problem}", table.name, column.name));
        }
    }
    Ok(problems)
}

/// Fails if a domain is missing or does not fit its column.
pub(crate) async fn refuse_misfits(client: &Client, state: &State) -> Result<(), Failure> {
    let problems = problems(client, state).await?;
    if problems.is_empty() {
        return Ok(());
    }
    let lines: String = problems.iter().map(|problem| format!("\n  - {problem}")).collect();
    Err(Failure::refused(format!("the database does not have the domains of the schema; nothing was changed:{lines}"))
        .help(format!(
            "write the domains into files of `sql`, or create or change them with `codegen db execute`, such as: {}",
            example(state)
        )))
}

/// Returns the statements that create domains without constraints, for a database that is only looked at.
pub(crate) fn stand_ins(state: &State) -> String {
    let mut statements: Vec<String> = Vec::new();
    for (_, column) in with_domains(state) {
        let Some(domain) = &column.options.domain else { continue };
        if is_managed(state, domain) {
            continue;
        }
        let schema = domain
            .schema
            .iter()
            .map(|schema| format!("CREATE SCHEMA IF NOT EXISTS {};\n", relata_codegen::sql::quote::ident(schema)));
        let statement = schema.collect::<String>() + &create(domain, column);
        if !statements.contains(&statement) {
            statements.push(statement);
        }
    }
    statements.concat()
}

/// Whether a file of SQL creates the domain.
fn is_managed(state: &State, domain: &ObjectName) -> bool {
    state.catalog.objects.iter().any(|object| match &object.managed {
        Some(Managed::Object(managed)) => object.key.kind == "domain" && managed.relation == *domain,
        _ => false,
    })
}

fn create(domain: &relata_codegen::sql::ObjectName, column: &Column) -> String {
    format!("CREATE DOMAIN {} AS {};\n", qualified(domain), column.ty)
}

fn example(state: &State) -> String {
    let first = with_domains(state).find_map(|(_, column)| Some(create(column.options.domain.as_ref()?, column)));
    first.unwrap_or_default().trim_end().to_owned()
}

fn with_domains(state: &State) -> impl Iterator<Item = (&Table, &Column)> {
    let columns = state.tables.iter().flat_map(|table| table.columns.iter().map(move |column| (table, column)));
    columns.filter(|(_, column)| column.options.domain.is_some())
}
