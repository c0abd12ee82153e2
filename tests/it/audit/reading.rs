//! Who changed a row, what its values were, and what is not shown.

use relata::audit::ChangeKind::{Insert, Update};
use relata::chrono::{NaiveDate, Utc};
use relata::rust_decimal::Decimal;
use relata::uuid::Uuid;
use relata::{Error, params, serde_json::json};

use super::client::Role;
use super::{Booking, Client, Student, booking, client, connect, plain_sql, row, student};

#[tokio::test]
async fn the_actor_is_that_of_the_client_and_stays_on_no_connection() {
    let (db, _database) = client().await;
    db.acting_as("user:1").student().create(row(1)).await.expect("is created");
    db.student().create(row(2)).await.expect("is created");
    let tx = db.acting_as("user:2").begin().await.expect("begins");
    tx.student().create(row(3)).await.expect("is created");
    tx.acting_as("job:7").student().create(row(4)).await.expect("is created");
    tx.student().create(row(5)).await.expect("is created");
    tx.commit().await.expect("is committed");
    db.acting_as("user:3").batch((db.acting_as("user:3").student().create(row(6)),)).await.expect("is created");
    db.execute_raw("UPDATE students SET year = 1 WHERE id = 1", params![]).await.expect("is right");
    let changes = db.audit().oldest_first().await.expect("are read");
    let actors: Vec<_> = changes.iter().map(|change| change.actor.as_deref()).collect();
    let (one, two, three, job) = (Some("user:1"), Some("user:2"), Some("user:3"), Some("job:7"));
    assert_eq!(actors, [one, None, two, job, two, three, None]);
    let by = db.audit().by("job:7").await.expect("are read");
    assert_eq!(
        by.iter().map(|change| change.key(student::id)).collect::<Result<Vec<_>, _>>().expect("keys"),
        [Some(4)]
    );
    let shown = format!("{:?}{:?}{:?}", db.acting_as("secret:9"), changes, db.audit().by("secret:9"));
    assert!(!shown.contains("secret") && !shown.contains("user:1") && !shown.contains("student 1"), "{shown}");
}

#[tokio::test]
async fn values_have_the_types_of_their_fields() {
    let (db, _database) = client().await;
    let score: Decimal = "12345678901234567.0123456789".parse().expect("is a decimal");
    let (token, seen) = (Uuid::from_u128(7), "2030-01-02T03:04:05.123456Z".parse().expect("is a time"));
    let born = NaiveDate::from_ymd_opt(2010, 2, 3).expect("is a date");
    let created = row(1).set([
        student::year.to_nullable(2030),
        student::role.to(Role::Guest),
        student::score.to_nullable(score),
        student::rate.to(0.1),
        student::is_active.to(false),
        student::photo.to_nullable(vec![0, 255, 92]),
        student::token.to(token),
        student::seen_at.to_nullable(seen),
        student::born.to_nullable(born),
        student::data.to_nullable(json!({ "a": [1, "x"] })),
        student::tags.to(["a,\"b", "{c}"]),
    ]);
    // The settings of a session change how PostgreSQL prints values, but not what is recorded.
    let odd = "SET timezone TO 'Asia/Tokyo'; SET datestyle TO 'SQL, DMY'; SET bytea_output TO 'escape'; \
               SET extra_float_digits TO -10";
    db.transaction(async |tx| {
        for sql in odd.split(';') {
            tx.execute_raw(&sql.replace("SET ", "SET LOCAL "), params![]).await?;
        }
        tx.student().create(created).await
    })
    .await
    .expect("is created");
    let change = db.audit().of(student::id.eq(1)).await.expect("is read").remove(0);
    assert_eq!(change.after(student::name).expect("is text"), Some("student 1".to_owned()));
    assert_eq!(change.after(student::year).expect("is an integer"), Some(Some(2030)));
    assert_eq!(change.after(student::role).expect("is an enum"), Some(Role::Guest));
    assert_eq!(change.after(student::score).expect("is a decimal"), Some(Some(score)));
    assert_eq!(change.after(student::rate).expect("is a float"), Some(0.1));
    assert_eq!(change.after(student::is_active).expect("is a boolean"), Some(false));
    assert_eq!(change.after(student::photo).expect("are bytes"), Some(Some(vec![0, 255, 92])));
    assert_eq!(change.after(student::token).expect("is a UUID"), Some(token));
    assert_eq!(change.after(student::seen_at).expect("is a time"), Some(Some(seen)));
    assert_eq!(change.after(student::born).expect("is a date"), Some(Some(born)));
    assert_eq!(change.after(student::data).expect("is JSON"), Some(Some(json!({ "a": [1, "x"] }))));
    assert_eq!(change.after(student::tags).expect("is a list"), Some(vec!["a,\"b".to_owned(), "{c}".to_owned()]));
    assert_eq!(change.before(student::name).expect("there was no row"), None);
    assert_eq!(change.after(student::views).expect("is left out"), None);
    db.student().update(student::id.eq(1)).set([student::year.set_null()]).await.expect("is updated");
    let change = db.audit().of(student::id.eq(1)).take(1).await.expect("is read").remove(0);
    assert_eq!((change.kind, change.changed(student::year), change.changed(student::name)), (Update, true, false));
    assert_eq!(change.before(student::year).expect("is an integer"), Some(Some(2030)));
    assert_eq!(change.after(student::year).expect("is null"), Some(None));
    assert_eq!(change.after(student::name).expect("did not change"), None);
    assert_eq!((change.before_json("year"), change.after_json("year")), (Some("2030"), Some("null")));
    assert!(matches!(change.after(booking::room), Err(Error::Misuse(_))), "another model");
    assert!(change.at <= Utc::now() && change.table == "students" && change.schema == "public");
}

#[tokio::test]
async fn a_sensitive_value_is_masked_and_its_change_is_seen() {
    let (db, database) = client().await;
    db.student().create(row(1)).await.expect("is created");
    db.student().update(student::id.eq(1)).set([student::email.to("other@x.edu")]).await.expect("is updated");
    db.student().delete(student::id.eq(1)).await.expect("is deleted");
    let changes = db.audit().of_model::<Student>().oldest_first().await.expect("are read");
    assert!(changes.iter().all(|change| change.changed(student::email) && change.is_masked(student::email)));
    assert!(!changes[0].is_masked(student::name));
    let error = changes[1].after(student::email).expect_err("is not recorded");
    assert!(matches!(&error, Error::Misuse(_)) && !error.to_string().contains("x.edu"), "{error}");
    let text = plain_sql(database.url(), "SELECT string_agg(a::text, '') FROM \"_relata_audit\" AS a").await;
    let text: String = text[0].get(0);
    assert!(!text.contains("@x.edu") && text.contains("***"), "{text}");
}

#[tokio::test]
async fn a_history_is_read_by_key_by_time_and_in_pages() {
    let (db, _database) = client().await;
    db.student().create_many((1..=5).map(row)).await.expect("are created");
    db.student().update(student::id.eq(3)).set([student::id.to(9)]).await.expect("is updated");
    let of = |key| db.audit().of(key);
    assert_eq!(of(student::id.eq(3)).await.expect("is read").len(), 1, "its earlier key");
    let history = of(student::id.eq(9)).await.expect("is read");
    assert_eq!((history.len(), history[0].before(student::id).expect("is the key")), (1, Some(3)));
    assert!(matches!(of(student::email.eq("1@x.edu")).await, Err(Error::Misuse(_))), "another unique key");
    let mut seen = Vec::new();
    let mut last = None;
    loop {
        let page = db.audit().kind(Insert).oldest_first().take(2);
        let page = if let Some(id) = last { page.after(id) } else { page }.await.expect("is read");
        let Some(change) = page.last() else { break };
        last = Some(change.id);
        seen.extend(page.iter().map(|change| change.id));
    }
    assert_eq!(seen.len(), 5);
    let newest = db.audit().take(2).await.expect("are read");
    let before = db.audit().after(newest[1].id).await.expect("are read");
    assert_eq!((newest.len(), before.len()), (2, 4));
    assert!(newest[0].id > newest[1].id && newest[1].id > before[0].id);
    let at = newest[0].at;
    assert_eq!(db.audit().since(at).await.expect("are read").len(), 1);
    assert_eq!(db.audit().until(at).await.expect("are read").len(), 5);
    assert_eq!(db.audit().of_model::<Booking>().await.expect("are read").len(), 0);
}

/// Only the triggers write the record: a role with all privileges cannot, and TRUNCATE is refused.
#[tokio::test]
async fn a_role_of_a_client_cannot_forge_or_delete_changes() {
    let (db, database) = client().await;
    if db
        .query_raw::<(bool,)>("SELECT rolcreaterole OR rolsuper FROM pg_roles WHERE rolname = current_user", params![])
        .await
        .expect("is right")
        != [(true,)]
    {
        return relata_devdb::skip("the role cannot create roles");
    }
    let role = format!("audit_{}", Uuid::new_v4().simple());
    let owner = connect(database.url()).await;
    let grant = format!(
        "CREATE ROLE {role}; GRANT USAGE ON SCHEMA public TO {role};
         GRANT ALL ON ALL TABLES IN SCHEMA public TO {role}; GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO {role}"
    );
    owner.batch_execute(&grant).await.expect("the owner may");
    let writes = [
        "INSERT INTO \"_relata_audit\" (at, transaction, table_schema, table_name, operation, role) VALUES (now(), 1, 'a', 'b', 'insert', 'x')",
        "TRUNCATE \"_relata_audit\"",
    ];
    let as_role = |sql: &str| format!("SET ROLE {role}; {sql}; RESET ROLE");
    let insert = "INSERT INTO students (id, full_name, email, token, \"updatedAt\") VALUES (1, 'a', 'a', gen_random_uuid(), now())";
    owner.batch_execute(&as_role(insert)).await.expect("the role may write students");
    for sql in writes {
        let client = connect(database.url()).await;
        let refused = client.batch_execute(&as_role(sql)).await;
        assert_eq!(refused.expect_err(sql).code().map(|code| code.code()), Some("42501"), "{sql}");
    }
    for sql in ["UPDATE \"_relata_audit\" SET actor = 'x'", "DELETE FROM \"_relata_audit\""] {
        owner.batch_execute(&as_role(sql)).await.expect("changes no row");
    }
    let changes = db.audit().await.expect("are read");
    assert_eq!(changes.len(), 1);
    assert_eq!((changes[0].role.as_str(), changes[0].actor.as_deref()), (role.as_str(), None));
    let left = format!("DROP OWNED BY {role}; DROP ROLE {role}");
    owner.batch_execute(&left).await.expect("the owner may");
}

/// A temporary table of the same name as the table of changes, or as a function that the trigger calls, is no trap.
#[tokio::test]
async fn a_temporary_table_does_not_catch_changes() {
    let (db, _database) = client().await;
    let tx = db.begin().await.expect("begins");
    tx.execute_raw("CREATE TEMPORARY TABLE \"_relata_audit\" (LIKE public.\"_relata_audit\")", params![])
        .await
        .expect("may");
    tx.student().create(row(1)).await.expect("is created");
    tx.execute_raw("DROP TABLE pg_temp.\"_relata_audit\"", params![]).await.expect("may");
    tx.commit().await.expect("is committed");
    assert_eq!(db.audit().await.expect("are read").len(), 1);
}

/// The index of keys serves the history of a row.
#[tokio::test]
async fn the_history_of_a_row_is_found_in_an_index() {
    let (db, _database): (Client, _) = client().await;
    db.student().create(row(1)).await.expect("is created");
    let plan: Vec<(String,)> = db
        .transaction(async |tx| {
            tx.execute_raw("SET LOCAL enable_seqscan TO off", params![]).await?;
            let sql = "EXPLAIN SELECT id FROM \"_relata_audit\" WHERE \"table_name\" = 'students' AND \
                       jsonb_hash_extended(\"key\", 0) = jsonb_hash_extended(jsonb_build_object('id', to_jsonb(1)), 0)";
            tx.query_raw(sql, params![]).await
        })
        .await
        .expect("is right");
    assert!(plan.iter().any(|(line,)| line.contains("_relata_audit_key")), "{plan:?}");
}
