//! Every statement of a handle names its tenant as one parameter. Proxies and distributed databases send a statement to the
//! server of its tenant only if they find the tenant there: compared with `=`, or as one value of each inserted row. They
//! do not find it in a list.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

use super::random::{Known, Random, call};
use super::*;

/// Records the texts of statements.
#[derive(Clone, Default)]
struct Texts(Arc<Mutex<BTreeSet<String>>>);

impl Visit for Texts {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        if field.name() == "db.query.text" {
            self.0
                .lock()
                .expect("nobody panicked")
                .insert(format!("{value:?}").replace("\\\"", "\"").replace("\\n", "\n"));
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

/// Whether a statement has a parameter that is the tenant, by itself.
fn names_the_tenant(text: &str) -> bool {
    let compared = |column: &str| {
        let comparison = format!("\"{column}\" = $");
        let mut rest = text.split(&comparison).skip(1);
        rest.any(|rest| rest.starts_with(|first: char| first.is_ascii_digit()))
    };
    compared("schoolId")
        || text.contains("\"School\"") && compared("id")
        || is_inserted(text)
        || is_below_a_written_row(text)
}

/// Whether it inserts sessions of users that the same call has found or created among those of the tenant. Their table has
/// no column for the tenant.
fn is_below_a_written_row(text: &str) -> bool {
    text.starts_with("INSERT INTO \"Session\" AS t0 (\"id\", \"userId\") VALUES ($1, $2) RETURNING")
}

/// Whether it inserts rows whose tenant is one parameter.
fn is_inserted(text: &str) -> bool {
    let Some((columns, rest)) = text.split_once("INSERT INTO ").and_then(|(_, rest)| rest.split_once(") ")) else {
        return false;
    };
    let columns = columns.split_once('(').map_or("", |(_, columns)| columns);
    let Some(place) = columns.split(", ").position(|column| column == "\"schoolId\"") else { return false };
    let values = rest
        .trim_start_matches("OVERRIDING SYSTEM VALUE ")
        .trim_start_matches("VALUES (")
        .trim_start_matches("SELECT ");
    values.split(", ").nth(place).is_some_and(|value| value.starts_with('$') && !value.contains('['))
}

#[tokio::test]
async fn every_statement_names_the_tenant_as_one_parameter() {
    let texts = Texts::default();
    let guard = tracing::subscriber::set_default(texts.clone());
    let database = Database::new().await;
    let mut random = Random(7);
    let ids = [random.uuid(), random.uuid()];
    for (number, id) in ids.into_iter().enumerate() {
        database.add_school(id, number).await;
    }
    texts.0.lock().expect("nobody panicked").clear();
    // If another thread registers an event while a subscriber is added, `tracing` may cache that no subscriber wants it.
    tracing::callsite::rebuild_interest_cache();
    let mut known = Known::default();
    for number in 0..400 {
        let here = database.db.tenant(ids[random.below(2)]);
        (known, _) = call(&here, random.clone(), &known, number).await;
        random.below(2);
    }
    let rows = (0..3).map(|number| user::Create { email: format!("bulk{number}@x.edu") });
    let here = database.db.tenant(ids[0]);
    here.user().create_many(rows).await.expect("creates");
    here.query(queries::best(2030)).await.expect("reads");
    drop(guard);

    let texts = texts.0.lock().expect("nobody panicked").clone();
    assert!(texts.len() > 35, "{} statements", texts.len());
    let tables = ["User", "Session", "Student", "Club", "Room", "Exam", "Result", "School", "_ClubToStudent"];
    let of_tenants = texts.iter().filter(|text| tables.iter().any(|table| text.contains(&format!("\"{table}\""))));
    let wrong: Vec<&String> = of_tenants.filter(|text| !names_the_tenant(text)).collect();
    assert!(
        wrong.is_empty(),
        "{} of {}:\n{}",
        wrong.len(),
        texts.len(),
        wrong.iter().map(|text| text.as_str()).collect::<Vec<_>>().join("\n\n")
    );
}
