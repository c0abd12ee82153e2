//! Sessions that show the rows of all tenants before a client sends anything: because of the role, the database or the
//! connection string, or because another program left its setting on a connection of a pooler.

use super::*;
use crate::pooler::PgBouncer;
use relata::{Error, RowSecurity, params};
use relata_devdb::Feature;

const SEES: &str = r#"SELECT (SELECT count(*) FROM "User"), (SELECT count(*) FROM "School")"#;

/// Asserts that no SQL of a handle reaches the rows of another school.
async fn assert_confined(db: &Client, schools: &Schools) {
    let (north, other) = (db.tenant(schools.north.school.id), schools.south.users[0].id);
    let before = schools.all_of(&schools.south).await;
    let own = [(3_i64, 1_i64)];
    assert_eq!(north.query_raw::<(i64, i64)>(SEES, params![]).await.expect("reads"), own);
    assert_eq!(north.query(queries::rename("x@x.edu", other)).await.expect("writes"), 0);
    assert_eq!(north.execute_raw(r#"UPDATE "Session" SET note = 'seen'"#, params![]).await.expect("writes"), 3);
    let insert = r#"INSERT INTO "Room" ("schoolId", name) VALUES ($1, 'Cellar')"#;
    let refused = north.execute_raw(insert, params![schools.south.school.id]).await;
    assert!(matches!(&refused, Err(Error::Database(error)) if error.sqlstate == "42501"), "{refused:?}");
    let (renamed, rooms) = north.batch((queries::rename("x@x.edu", other), north.room().count())).await.expect("runs");
    assert_eq!((renamed, rooms), (0, 1));

    let tx = north.begin().await.expect("begins");
    assert_eq!(tx.query_raw::<(i64, i64)>(SEES, params![]).await.expect("reads"), own);
    let undone: relata::Result<()> = tx
        .savepoint(|inner| async move {
            assert_eq!(inner.query_raw::<(i64, i64)>(SEES, params![]).await?, own);
            Err(Error::custom("undone"))
        })
        .await;
    assert!(undone.is_err());
    assert_eq!(tx.query_raw::<(i64, i64)>(SEES, params![]).await.expect("reads"), own);
    tx.commit().await.expect("commits");

    // From all tenants back to one, in the same transaction.
    let tx = db.begin().await.expect("begins");
    assert_eq!(tx.across_tenants().user().count().await.expect("counts"), 6);
    let one = tx.tenant(schools.north.school.id);
    assert_eq!(one.room().count().await.expect("counts"), 1);
    tx.commit().await.expect("commits");
    assert_eq!(schools.all_of(&schools.south).await, before);
}

/// Returns the reason for which a connection is refused.
async fn refusal(url: &str) -> String {
    match Client::connect(url).await {
        Err(Error::RowSecurity(reason)) => reason,
        other => panic!("is not refused: {:?}", other.map(drop)),
    }
}

#[tokio::test]
async fn a_session_that_shows_everything_is_refused_and_confined() {
    if devdb().skips_without(&[Feature::Roles])
        || crate::support::devdb().skips_behind_pooler(&[crate::support::Need::Settings])
    {
        return;
    }
    let schools = Schools::new().await;
    let owner = connect(schools.url()).await;
    let name: String = owner.query_one("SELECT current_database()::text", &[]).await.expect("reads").get(0);
    let url = &schools.database.client_url;
    let glue = if url.contains('?') { '&' } else { '?' };
    let with_options = format!("{url}{glue}options=-c%20relata.across_tenants%3Don");
    let role = format!(r#"ALTER ROLE relata_tenant_test IN DATABASE "{name}""#);
    let database = format!(r#"ALTER DATABASE "{name}""#);
    for (what, change, url) in [
        ("connection string", None, &with_options),
        ("ALTER ROLE", Some(role), url),
        ("ALTER DATABASE", Some(database), url),
    ] {
        if let Some(change) = &change {
            owner.batch_execute(&format!("{change} SET relata.across_tenants = 'on'")).await.expect("is set");
        }
        let reason = refusal(url).await;
        assert!(reason.contains("relata.across_tenants is on") && reason.contains(what), "{what}: {reason}");
        let warned = Client::builder(url).expect("is a URL").row_security(RowSecurity::Warn).max_connections(1);
        assert_confined(&warned.connect().await.expect("connects"), &schools).await;
        if let Some(change) = change {
            owner.batch_execute(&format!("{change} RESET relata.across_tenants")).await.expect("is reset");
        }
    }
    // The role of another tenant's setting is no reason: a handle replaces it.
    let other = format!("{url}{glue}options=-c%20relata.tenant%3D{}", schools.south.school.id);
    assert_confined(&Client::connect(&other).await.expect("connects"), &schools).await;
}

/// The owner of the tables, on whom row security is forced, is confined like any other role.
#[tokio::test]
async fn an_owner_whose_session_shows_everything_is_confined() {
    if devdb().skips_without(&[Feature::Roles])
        || crate::support::devdb().skips_behind_pooler(&[crate::support::Need::Settings])
    {
        return;
    }
    let schools = Schools::new().await;
    let give = r#"DO $$ DECLARE name text; BEGIN
        FOR name IN SELECT format('%I.%I', schemaname, tablename) FROM pg_tables WHERE schemaname = 'public' LOOP
            EXECUTE 'ALTER TABLE ' || name || ' OWNER TO relata_tenant_test';
        END LOOP; END $$"#;
    connect(schools.url()).await.batch_execute(give).await.expect("are given");
    let url = &schools.database.client_url;
    let glue = if url.contains('?') { '&' } else { '?' };
    let url = format!("{url}{glue}options=-c%20relata.across_tenants%3Don");
    assert!(refusal(&url).await.contains("relata.across_tenants is on"));
    let owner = Client::builder(&url).expect("is a URL").row_security(RowSecurity::Warn).connect().await;
    assert_confined(&owner.expect("connects"), &schools).await;
}

#[tokio::test]
async fn what_another_program_set_through_a_pooler_shows_no_rows() {
    if devdb().skips_without(&[Feature::Roles]) {
        return;
    }
    let schools = Schools::new().await;
    let Some(pooler) = PgBouncer::before(&schools.database.client_url).await else { return };
    let url = format!("{}&pgbouncer=true", pooler.url);
    let before = Client::builder(&url).expect("is a URL").max_connections(4).connect().await.expect("connects");
    // Both connections of the pooler keep the setting.
    // `connect` would go past the pooler.
    let through = async || url.parse::<relata::ConnectOptions>().expect("is a URL").connect_direct().await;
    let (first, second) = (through().await.expect("connects"), through().await.expect("connects"));
    for connection in [&first, &second] {
        connection.batch_execute("BEGIN; SET relata.across_tenants = 'on'").await.expect("is set");
    }
    for connection in [&first, &second] {
        connection.batch_execute("COMMIT").await.expect("commits");
    }
    let seen = first.simple_query(r#"SELECT count(*) FROM "User""#).await.expect("reads");
    let all = seen.iter().any(
        |message| matches!(message, relata::tokio_postgres::SimpleQueryMessage::Row(row) if row.get(0) == Some("6")),
    );
    assert!(all, "the pooler keeps the setting: {seen:?}");
    assert_confined(&before, &schools).await;
    let reason = refusal(&url).await;
    assert!(reason.contains("through a pooler"), "{reason}");
    let warned = Client::builder(&url).expect("is a URL").row_security(RowSecurity::Warn).connect().await;
    assert_confined(&warned.expect("connects"), &schools).await;
}
