//! Every statement of a handle goes to one server.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

use super::calls::{change, create, read};
use super::*;
use crate::support::plain_sql;

/// Records the texts of statements.
#[derive(Clone, Default)]
struct Texts(Arc<Mutex<BTreeSet<String>>>);

impl Visit for Texts {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        if field.name() == "db.query.text" {
            let text = format!("{value:?}").replace("\\\"", "\"").replace("\\n", "\n");
            self.0.lock().expect("nobody panicked").insert(text.trim_matches('"').to_owned());
        }
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "db.query.text" {
            self.0.lock().expect("nobody panicked").insert(value.to_owned());
        }
    }
}

impl Subscriber for Texts {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == "relata::statement"
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        event.record(&mut self.clone());
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

/// A value of a type, as SQL. Each uuid is the institution, which the statement names by one of its parameters.
fn value(ty: &str, tenant: Uuid) -> String {
    match ty {
        "uuid" => format!("'{tenant}'"),
        "uuid[]" => format!("'{{{tenant}}}'"),
        "text" | "character varying" => "'ADMIN'".to_owned(),
        "bigint" | "integer" | "smallint" | "double precision" | "numeric" => "1".to_owned(),
        "boolean" => "true".to_owned(),
        "date" | "timestamp with time zone" => "'2030-01-02'".to_owned(),
        array if array.ends_with("[]") => "'{}'".to_owned(),
        other => panic!("a value of type {other}"),
    }
}

/// Returns the plan of a statement with values.
async fn explain(url: &str, text: &str, tenant: Uuid) -> String {
    let options: relata::ConnectOptions = url.parse().expect("is a URL");
    let connection = options.connect_direct().await.expect("connects");
    connection
        .batch_execute(&format!("PREPARE it AS {text}"))
        .await
        .unwrap_or_else(|error| panic!("{text}: {error:?}"));
    let types = "SELECT unnest(parameter_types)::text FROM pg_prepared_statements WHERE name = 'it'";
    let types = connection.query(types, &[]).await.expect("are read");
    // EXPLAIN EXECUTE knows no values of the parameters of INSERT .. SELECT.
    let mut text = text.to_owned();
    for (number, row) in types.iter().enumerate().rev() {
        let ty: &str = row.get(0);
        text = text.replace(&format!("${}", number + 1), &format!("{}::{ty}", value(ty, tenant)));
    }
    let rows = connection.simple_query(&format!("EXPLAIN (COSTS OFF) {text}")).await;
    let rows = rows.unwrap_or_else(|error| panic!("{text}: {error:?}"));
    let lines = rows.iter().filter_map(|message| match message {
        relata::tokio_postgres::SimpleQueryMessage::Row(row) => row.get(0).map(|line| format!("{line}\n")),
        _ => None,
    });
    lines.collect()
}

/// Whether a plan sends its statement to several servers, or joins the rows of several on the coordinator.
fn is_scattered(plan: &str) -> bool {
    let mut tasks = plan.lines().filter_map(|line| line.trim().strip_prefix("Task Count: "));
    tasks.any(|count| count != "1")
}

#[tokio::test]
async fn every_statement_of_a_handle_is_one_task() {
    let texts = Texts::default();
    // With a single subscriber, `tracing` asks only that of the thread that sends a statement first.
    let _another = tracing::Dispatch::new(Texts::default());
    let guard = tracing::subscriber::set_default(texts.clone());
    let Some(planner) = Planner::start().await else { return };
    texts.0.lock().expect("nobody panicked").clear();
    let here = planner.north();
    create(&here).await;
    read(&here).await;
    change(&here).await;
    drop(guard);

    let texts = texts.0.lock().expect("nobody panicked").clone();
    let is_statement = |text: &&String| {
        ["SELECT", "INSERT", "UPDATE", "DELETE", "WITH"].iter().any(|word| text.trim_start().starts_with(word))
    };
    let statements: Vec<&String> = texts.iter().filter(is_statement).collect();
    assert!(statements.len() > 40, "{} statements", statements.len());
    let mut scattered = Vec::new();
    for text in &statements {
        let plan = explain(&planner.url, text, planner.north).await;
        if is_scattered(&plan) {
            scattered.push(format!("{text}\n{plan}"));
        }
    }
    assert!(scattered.is_empty(), "{} of {}:\n{}", scattered.len(), statements.len(), scattered.join("\n\n"));
    // The same statement across tenants asks every server.
    let rows = plain_sql(&planner.url, "EXPLAIN SELECT * FROM users").await;
    let plan: String = rows.iter().map(|row| row.get::<_, String>(0) + "\n").collect();
    assert!(is_scattered(&plan), "{plan}");
}
