//! Row security: what a forgotten condition meets, and what row security breaks when nobody thinks of it.

use super::*;
use crate::pooler::PgBouncer;
use crate::support::wiretap::Wiretap;
use crate::tenants::plain::client as unsecured;
use futures_util::TryStreamExt;
use relata::tokio_postgres::{Client as Connection, SimpleQueryMessage};
use relata::{Error, RowSecurity, params};
use relata_devdb::Feature;

/// A connection as the client's role, on which nothing is set.
async fn as_client(schools: &Schools) -> Connection {
    connect(&schools.database.client_url).await
}

async fn as_owner(schools: &Schools) -> Connection {
    connect(schools.url()).await
}

const TABLES: [&str; 9] = ["School", "User", "Session", "Student", "Club", "Room", "Exam", "Result", "_ClubToStudent"];

/// How many rows of each table a connection sees.
async fn seen(connection: &Connection) -> Vec<i64> {
    let mut seen = Vec::new();
    for table in TABLES {
        let row = connection.query_one(&format!("SELECT count(*) FROM \"{table}\""), &[]).await.expect("counts");
        seen.push(row.get(0));
    }
    seen
}

fn sqlstate(error: &relata::tokio_postgres::Error) -> &str {
    error.code().map_or("", |code| code.code())
}

#[tokio::test]
async fn without_the_setting_there_are_no_rows() {
    if devdb().skips_without(&[Feature::Roles]) {
        return;
    }
    let schools = Schools::new().await;
    let connection = as_client(&schools).await;
    let north = schools.north.school.id;
    assert_eq!(seen(&connection).await, [0; 9]);
    let own = [1, 3, 3, 3, 1, 1, 1, 1, 1];
    connection.batch_execute(&format!("BEGIN; SET LOCAL relata.tenant = '{north}'")).await.expect("is set");
    assert_eq!(seen(&connection).await, own);
    connection.batch_execute("COMMIT").await.expect("commits");
    // The setting is now there, and empty.
    assert_eq!(seen(&connection).await, [0; 9]);
    connection.batch_execute("BEGIN; SET LOCAL relata.across_tenants = 'on'").await.expect("is set");
    assert_eq!(seen(&connection).await, own.map(|rows| 2 * rows));
    connection.batch_execute("ROLLBACK").await.expect("rolls back");
    let insert = format!("INSERT INTO \"Room\" (\"schoolId\", name) VALUES ('{north}', 'x')");
    assert_eq!(sqlstate(&connection.batch_execute(&insert).await.expect_err("is refused")), "42501");
    assert_eq!(connection.execute("UPDATE \"User\" SET email = 'x'", &[]).await.expect("runs"), 0);
    assert_eq!(connection.execute("DELETE FROM \"Session\"", &[]).await.expect("runs"), 0);
}

#[tokio::test]
async fn sql_of_ones_own_sees_one_tenant() {
    if devdb().skips_without(&[Feature::Roles]) {
        return;
    }
    let schools = Schools::new().await;
    let (north, own, other) = (schools.north(), &schools.north, &schools.south);
    let before = schools.all_of(other).await;
    let emails: Vec<(String,)> =
        north.query_raw("SELECT email FROM \"User\" ORDER BY 1", params![]).await.expect("reads");
    assert_eq!(emails.len(), 3);
    let all = schools.db.across_tenants();
    let everyone: Vec<(i64,)> = all.query_raw("SELECT count(*) FROM \"User\"", params![]).await.expect("reads");
    assert_eq!(everyone[0].0, 6);
    let streamed: Vec<_> = north
        .query_raw_stream::<(String,)>("SELECT email FROM \"User\"", params![])
        .try_collect()
        .await
        .expect("reads");
    assert_eq!(streamed.len(), 3);
    // A forgotten condition changes the rows of one tenant.
    assert_eq!(north.execute_raw("UPDATE \"Session\" SET note = 'seen'", params![]).await.expect("writes"), 3);
    assert_eq!(north.execute_raw("DELETE FROM \"Session\"", params![]).await.expect("writes"), 3);
    // Nothing is written for another one, or given to it.
    let insert = "INSERT INTO \"Room\" (\"schoolId\", name) VALUES ($1, 'Cellar')";
    let refused = |outcome: relata::Result<u64>| {
        let is_told = |error: &Error| error.to_string().contains("row-level security refuses the new row");
        matches!(&outcome, Err(error @ Error::Database(inner)) if inner.sqlstate == "42501" && is_told(error)) || {
            eprintln!("{outcome:?}");
            false
        }
    };
    assert!(refused(north.execute_raw(insert, params![other.school.id]).await));
    assert!(refused(north.execute_raw("UPDATE \"Room\" SET \"schoolId\" = $1", params![other.school.id]).await));
    assert_eq!(north.execute_raw(insert, params![own.school.id]).await.expect("writes"), 1);
    // By its path, and through the table between.
    let session = "INSERT INTO \"Session\" (id, \"userId\") VALUES (gen_random_uuid(), $1)";
    assert!(refused(north.execute_raw(session, params![other.users[0].id]).await));
    let between = "INSERT INTO \"_ClubToStudent\" VALUES ($1, $2)";
    assert!(refused(north.execute_raw(between, params![own.club.id, other.students[1].id]).await));
    assert!(refused(north.execute_raw(between, params![other.club.id, own.students[1].id]).await));
    // A file that writes is on the handle now, and finds the rows of one tenant.
    assert_eq!(north.query(queries::rename("x@x.edu", other.users[0].id)).await.expect("writes"), 0);
    assert_eq!(north.query(queries::rename("x@x.edu", own.users[0].id)).await.expect("writes"), 1);
    assert_eq!(schools.all_of(other).await, before);
    // A missing privilege is another matter.
    let revoke = "REVOKE DELETE ON \"Room\" FROM relata_tenant_test";
    as_owner(&schools).await.batch_execute(revoke).await.expect("is revoked");
    let refused = north.room().delete_many().all_rows().await.expect_err("is refused").to_string();
    assert!(refused.contains("the role lacks a privilege"), "{refused}");
}

#[tokio::test]
async fn a_forgotten_condition_meets_the_wall() {
    if crate::support::devdb().skips_behind_pooler(&[crate::support::Need::Settings]) {
        return;
    }
    if devdb().skips_without(&[Feature::Roles]) {
        return;
    }
    let schools = Schools::new().await;
    let before = schools.all_of(&schools.south).await;
    // Statements without any condition of a tenant, in sessions that have one.
    let glue = if schools.database.client_url.contains('?') { '&' } else { '?' };
    let setting = format!("options=-c%20relata.tenant%3D{}", schools.north.school.id);
    let url = format!("{}{glue}{setting}", schools.database.client_url);
    let client = unsecured::Client::builder(&url).expect("is a URL").max_connections(1).connect().await;
    let all = client.expect("connects").across_tenants();
    assert_eq!(all.school().count().await.expect("counts"), 1);
    assert_eq!(all.user().count().await.expect("counts"), 3);
    let users = all.user().find_many().include(unsecured::user::sessions).include(unsecured::user::student).await;
    assert_eq!(users.expect("reads").iter().map(|user| user.sessions.len()).sum::<usize>(), 3);
    let stolen = schools.south.users[0].id;
    assert!(all.user().find_unique(unsecured::user::id.eq(stolen)).await.expect("reads").is_none());
    let years = all.student().aggregate((unsecured::student::year.max(), relata::count()));
    assert_eq!(years.await.expect("reads"), (Some(2030), 3));
    let renamed = all.user().update_many().all_rows().set(unsecured::user::role.to(unsecured::Role::Admin)).await;
    assert_eq!(renamed.expect("writes"), 3);
    assert_eq!(all.session().delete_many().all_rows().await.expect("deletes"), 3);
    let moved = all.room().update_many().all_rows().set(unsecured::room::name.to("Attic".to_owned())).await;
    assert_eq!(moved.expect("writes"), 1);
    let foreign = unsecured::session::Create { user: stolen };
    assert!(all.session().create(foreign).await.is_err());
    assert_eq!(all.student().delete_many().all_rows().await.expect("deletes"), 3);
    assert_eq!(schools.all_of(&schools.south).await, before);
}

#[tokio::test]
async fn a_transaction_goes_from_tenant_to_tenant() {
    if devdb().skips_without(&[Feature::Roles]) {
        return;
    }
    let schools = Schools::new().await;
    let (north, south) = (schools.north.school.id, schools.south.school.id);
    const WHO: &str = "SELECT coalesce(min(\"schoolId\"::text), '') FROM \"Room\"";
    let tx = schools.db.begin().await.expect("begins");
    let who = async |models: &client::TenantModels| models.room().find_many().await.expect("reads")[0].school_id;
    assert_eq!(who(&tx.tenant(north)).await, north);
    assert_eq!(who(&tx.tenant(south)).await, south);
    assert_eq!(tx.across_tenants().room().count().await.expect("counts"), 2);
    let outcome: relata::Result<()> = tx
        .savepoint(|inner| async move {
            assert_eq!(who(&inner.tenant(south)).await, south);
            inner.across_tenants().room().delete_many().all_rows().await?;
            Err(Error::Custom("undone".into()))
        })
        .await;
    assert!(outcome.is_err());
    // Undoing the savepoint has undone what was set in it.
    assert_eq!(who(&tx.tenant(north)).await, north);
    assert_eq!(tx.tenant(south).room().count().await.expect("counts"), 1);
    tx.commit().await.expect("commits");
    // The same by SQL that has no condition of its own.
    let tx = schools.db.tenant(north).begin().await.expect("begins");
    let rows: Vec<(String,)> = tx.query_raw(WHO, params![]).await.expect("reads");
    assert_eq!(rows[0].0, north.to_string());
    let outcome: relata::Result<()> = tx
        .savepoint(|inner| async move {
            let rows: Vec<(String,)> = inner.query_raw(WHO, params![]).await?;
            assert_eq!(rows[0].0, north.to_string());
            inner.execute_raw("SELECT 1 / 0", params![]).await.map(drop)
        })
        .await;
    assert!(outcome.is_err());
    let rows: Vec<(String,)> = tx.query_raw(WHO, params![]).await.expect("reads");
    assert_eq!(rows[0].0, north.to_string());
    tx.commit().await.expect("commits");
}

#[tokio::test]
async fn the_wall_costs_no_round_trip() {
    if crate::support::devdb().skips_behind_pooler(&[crate::support::Need::Pipeline]) {
        return;
    }
    if devdb().skips_without(&[Feature::Roles]) {
        return;
    }
    let schools = Schools::new().await;
    let (url, tap) = Wiretap::before(&schools.database.client_url).await;
    let client = Client::builder(&url).expect("is a URL").max_connections(1).connect().await.expect("connects");
    let north = client.tenant(schools.north.school.id);
    let id = schools.north.users[0].id;
    let create = || room::Create { name: "Attic".to_owned() };
    for warm in [true, false] {
        let mut cost = Vec::new();
        tap.take();
        north.user().find_unique(user::id.eq(id)).await.expect("reads");
        cost.push(("find_unique", tap.take().round_trips));
        north.student().find_many().include(student::user).include(student::results).await.expect("reads");
        cost.push(("include", tap.take().round_trips));
        north.room().create(create()).await.expect("writes");
        cost.push(("create", tap.take().round_trips));
        north.room().create_many([create(), create()]).await.expect("writes");
        cost.push(("create_many", tap.take().round_trips));
        north.user().update_many().all_rows().set(user::role.to(client::Role::Admin)).await.expect("writes");
        cost.push(("update_many", tap.take().round_trips));
        north.batch((north.user().count(), north.room().count())).await.expect("reads");
        cost.push(("batch", tap.take().round_trips));
        let tx = north.begin().await.expect("begins");
        tx.user().count().await.expect("reads");
        tx.room().count().await.expect("reads");
        tx.commit().await.expect("commits");
        cost.push(("transaction", tap.take().round_trips));
        if !warm {
            let without = [
                ("find_unique", 1),
                ("include", 2),
                ("create", 1),
                ("create_many", 1),
                ("update_many", 1),
                ("batch", 1),
                // BEGIN, two statements, COMMIT.
                ("transaction", 4),
            ];
            assert_eq!(cost, without);
        }
    }
}

#[tokio::test]
async fn roles_that_bypass_it_are_refused() {
    if devdb().skips_without(&[Feature::Roles]) {
        return;
    }
    let schools = Schools::new().await;
    let url = schools.url();
    let refused = Client::connect(url).await.expect_err("is refused");
    assert!(matches!(&refused, Error::RowSecurity(reason) if reason.contains("is a superuser")), "{refused}");
    // A test of the command runs these statements from the page.
    for statement in [
        "CREATE ROLE app LOGIN PASSWORD '..';",
        "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO app;",
        "GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO app;",
    ] {
        assert!(refused.to_string().contains(statement), "{statement}: {refused}");
        assert!(include_str!("../../../docs/tenants.md").contains(statement), "{statement}");
    }
    let told =
        Client::builder(url).expect("is a URL").row_security(RowSecurity::Warn).connect().await.expect("connects");
    assert_eq!(told.tenant(schools.north.school.id).user().count().await.expect("counts"), 3);
    // A role with BYPASSRLS.
    let bypass = "ALTER ROLE relata_bypass_test LOGIN PASSWORD 'relata' BYPASSRLS";
    let made = format!(
        "DO $$ BEGIN CREATE ROLE relata_bypass_test; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$;
         {bypass}"
    );
    as_owner(&schools).await.batch_execute(&made).await.expect("the role is made");
    let bypasses = schools.database.client_url.replace("relata_tenant_test", "relata_bypass_test");
    let refused = Client::connect(&bypasses).await.expect_err("is refused");
    assert!(matches!(&refused, Error::RowSecurity(reason) if reason.contains("has BYPASSRLS")), "{refused}");
    // An owner of a table, unless it is forced on the owner. What the error says to do mends it.
    let owner = as_owner(&schools).await;
    let client_url = &schools.database.client_url;
    owner
        .batch_execute(
            r#"ALTER TABLE "Room" OWNER TO relata_tenant_test; ALTER TABLE "Room" NO FORCE ROW LEVEL SECURITY"#,
        )
        .await
        .expect("is changed");
    let refused = Client::connect(client_url).await.expect_err("is refused");
    let Error::RowSecurity(reason) = &refused else { panic!("{refused}") };
    let remedy = reason.split_once("run ").expect("names a statement").1;
    assert_eq!(remedy, r#"ALTER TABLE "Room" FORCE ROW LEVEL SECURITY"#);
    owner.batch_execute(remedy).await.expect("runs");
    Client::connect(client_url).await.expect("connects");
    // A table whose policies are not there yet.
    owner.batch_execute(r#"ALTER TABLE "Exam" DISABLE ROW LEVEL SECURITY"#).await.expect("is changed");
    let refused = Client::connect(client_url).await.expect_err("is refused");
    assert!(refused.to_string().contains(r#"it is not enabled for "Exam""#), "{refused}");
    let told = Client::builder(client_url).expect("is a URL").row_security(RowSecurity::Warn).connect().await;
    assert_eq!(told.expect("connects").tenant(schools.north.school.id).exam().count().await.expect("counts"), 1);
}

#[tokio::test]
async fn settings_of_a_program_hold_for_its_statements() {
    if devdb().skips_without(&[Feature::Roles]) {
        return;
    }
    let schools = Schools::new().await;
    let noted = schools.north().with_setting("app.user", "ada").with_setting("app.request", 7);
    const READ: &str = "SELECT current_setting('app.user', true), current_setting('app.request', true)";
    let rows: Vec<(String, String)> = noted.query_raw(READ, params![]).await.expect("reads");
    assert_eq!(rows, [("ada".to_owned(), "7".to_owned())]);
    assert_eq!(noted.user().count().await.expect("counts"), 3);
    // Nothing stays on the connection.
    let rows: Vec<(Option<String>,)> = schools
        .north()
        .query_raw("SELECT nullif(current_setting('app.user', true), '')", params![])
        .await
        .expect("reads");
    assert_eq!(rows, [(None,)]);
    // A trigger sees it, in a transaction too.
    let owner = as_owner(&schools).await;
    owner
        .batch_execute(
            r#"CREATE FUNCTION note_user() RETURNS trigger LANGUAGE plpgsql AS $$
               BEGIN NEW.name := NEW.name || ' by ' || current_setting('app.user', true); RETURN NEW; END $$;
               CREATE TRIGGER note_user BEFORE INSERT ON "Room" FOR EACH ROW EXECUTE FUNCTION note_user()"#,
        )
        .await
        .expect("is made");
    let room = noted.room().create(room::Create { name: "Attic".to_owned() }).await.expect("writes");
    assert_eq!(room.name, "Attic by ada");
    let tx = noted.begin().await.expect("begins");
    let room = tx.room().create(room::Create { name: "Cellar".to_owned() }).await.expect("writes");
    tx.commit().await.expect("commits");
    assert_eq!(room.name, "Cellar by ada");
    // Neither the client's own settings nor PostgreSQL's can be set.
    for name in ["relata.tenant", "relata.across_tenants", "role", "row_security"] {
        let outcome = schools.north().with_setting(name, schools.south.school.id).user().count().await;
        assert!(matches!(outcome, Err(Error::Misuse(_))), "{name}: {outcome:?}");
    }
}

/// What PostgreSQL does not apply policies to. `docs/tenants.md` lists it.
#[tokio::test]
async fn what_looks_past_policies() {
    if devdb().skips_without(&[Feature::Roles]) {
        return;
    }
    let schools = Schools::new().await;
    let (own, other) = (&schools.north, &schools.south);
    let north = schools.north();
    let owner = as_owner(&schools).await;
    // Foreign keys and unique keys see all rows.
    let exam = "INSERT INTO \"Exam\" (\"schoolId\", code, \"roomId\") VALUES ($1, $2, $3)";
    assert_eq!(north.execute_raw(exam, params![own.school.id, "n-9", other.room.id]).await.expect("writes"), 1);
    let taken = north.execute_raw(exam, params![own.school.id, other.exam.code.as_str(), own.room.id]).await;
    assert!(matches!(&taken, Err(Error::Database(error)) if error.sqlstate == "23505"), "{taken:?}");
    // A view shows what its owner sees, unless it is one of its caller.
    let version: i32 = plain_sql(schools.url(), "SELECT current_setting('server_version_num')::int").await[0].get(0);
    owner
        .batch_execute(
            r#"CREATE VIEW everyone AS SELECT * FROM "User"; GRANT SELECT ON everyone TO relata_tenant_test;
               CREATE MATERIALIZED VIEW kept AS SELECT * FROM "User"; GRANT SELECT ON kept TO relata_tenant_test;
               CREATE FUNCTION how_many() RETURNS bigint SECURITY DEFINER LANGUAGE sql AS 'SELECT count(*) FROM "User"'"#,
        )
        .await
        .expect("are made");
    let count = async |sql: &str| north.query_raw::<(i64,)>(sql, params![]).await.expect("reads")[0].0;
    assert_eq!(count("SELECT count(*) FROM everyone").await, 6);
    assert_eq!(count("SELECT count(*) FROM kept").await, 6);
    assert_eq!(count("SELECT how_many()").await, 6);
    if version >= 150_000 {
        owner.batch_execute("ALTER VIEW everyone SET (security_invoker = true)").await.expect("is changed");
        assert_eq!(count("SELECT count(*) FROM everyone").await, 3);
    }
    // COPY into such a table is refused, and out of it gives what is seen.
    let connection = as_client(&schools).await;
    let refused = connection.simple_query("COPY \"Room\" FROM STDIN").await.expect_err("is refused");
    assert_eq!(sqlstate(&refused), "0A000");
    let out = connection.simple_query("SELECT count(*) FROM \"Room\"").await.expect("reads");
    assert!(matches!(&out[..], [.., SimpleQueryMessage::Row(row), _] if row.get(0) == Some("0")));
    // A dump asks for an error rather than for a part of the rows.
    connection.batch_execute("SET row_security = off").await.expect("is set");
    let refused = connection.simple_query("SELECT * FROM \"Room\"").await.expect_err("is refused");
    assert_eq!(sqlstate(&refused), "42501");
}

/// The pooler gives the connections of one tenant to another one, and nothing of it stays.
#[tokio::test]
async fn it_holds_behind_a_pooler() {
    if devdb().skips_without(&[Feature::Roles]) {
        return;
    }
    let schools = Schools::new().await;
    let Some(pooler) = PgBouncer::before(&schools.database.client_url).await else { return };
    let url = format!("{}&pgbouncer=true", pooler.url);
    let client = Client::builder(&url).expect("is a URL").max_connections(8).connect().await.expect("connects");
    let ids = [schools.north.school.id, schools.south.school.id];
    let tasks = (0..16).map(|number| {
        let here = client.tenant(ids[number % 2]);
        tokio::spawn(async move {
            for _ in 0..20 {
                let sql = "SELECT DISTINCT \"schoolId\"::text FROM \"User\"";
                let rows: Vec<(String,)> = here.query_raw(sql, params![]).await.expect("reads");
                assert_eq!(rows, [(ids[number % 2].to_string(),)]);
                let limit = std::time::Duration::from_micros(number as u64 * 40);
                drop(tokio::time::timeout(limit, here.user().find_many().include(user::sessions)).await);
                let tx = here.begin().await.expect("begins");
                let rows: Vec<(String,)> = tx.query_raw(sql, params![]).await.expect("reads");
                assert_eq!(rows, [(ids[number % 2].to_string(),)]);
                if number % 3 == 0 {
                    drop(tx);
                } else {
                    tx.commit().await.expect("commits");
                }
            }
        })
    });
    for task in tasks.collect::<Vec<_>>() {
        task.await.expect("holds");
    }
}

/// A function that takes the models of one tenant sends any SQL, because PostgreSQL confines it.
#[tokio::test]
async fn models_of_a_tenant_send_any_sql() {
    async fn rooms(school: &TenantModels) -> relata::Result<(Vec<(i64,)>, u64, usize)> {
        let counted = school.query_raw("SELECT count(*) FROM \"Room\"", params![]).await?;
        let named = school.execute_raw("UPDATE \"Room\" SET name = 'Aula'", params![]).await?;
        let mut streamed = school.query_raw_stream::<(String,)>("SELECT name FROM \"Room\"", params![]);
        let mut names = 0;
        while let Some(row) = streamed.next().await {
            assert_eq!(row?.0, "Aula");
            names += 1;
        }
        Ok((counted, named, names))
    }
    if !database::has_wall() {
        return;
    }
    let schools = Schools::new().await;
    let (north, id) = (schools.north(), schools.north.school.id);
    let before = schools.all_of(&schools.south).await;
    let own = (vec![(1,)], 1, 1);
    assert_eq!(rooms(&north).await.expect("runs"), own);
    let tx = schools.db.begin().await.expect("begins");
    let all = tx.across_tenants();
    assert_eq!(all.query_raw::<(i64,)>("SELECT count(*) FROM \"Room\"", params![]).await.expect("reads"), [(2,)]);
    assert_eq!(rooms(&tx.tenant(id)).await.expect("runs"), own);
    let inner = tx.savepoint(|inner| async move { rooms(&inner.tenant(id)).await }).await;
    assert_eq!(inner.expect("runs"), own);
    tx.commit().await.expect("commits");
    // Files that the client does not confine, in a batch.
    let set_room = queries::set_room(schools.north.room.id, schools.north.exam.id);
    assert_eq!(north.batch((set_room, north.room().count())).await.expect("is sent"), (1, 1));
    let (through, users) = north.batch((queries::through().one(), north.user().count())).await.expect("reads");
    assert_eq!((through.pairs, users), (1, 3));
    assert_eq!(schools.all_of(&schools.south).await, before);
}

/// The examples of `docs/tenants.md`.
#[tokio::test]
async fn the_examples_of_the_page_run() {
    if devdb().skips_without(&[Feature::Roles]) {
        return;
    }
    let schools = Schools::new().await;
    let north = schools.north();
    let user_id = schools.north.users[0].id;
    let examples = async || -> relata::Result<usize> {
        let latest: Vec<(String, i32)> =
            north.query_raw("SELECT name, id FROM \"Room\" ORDER BY id DESC", params![]).await?;
        let noted = north.with_setting("app.user", user_id);
        noted.room().create(room::Create { name: "Attic".to_owned() }).await?;
        Ok(latest.len())
    };
    assert_eq!(examples().await.expect("runs"), 1);
}

const APP: &str = "DO $$ BEGIN CREATE ROLE app; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$;
    GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO app;
    GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO app";

/// The URL of a test's database for the role `app`, which is confined by row security.
async fn as_app(url: &str) -> relata::Result<String> {
    let owner = url.parse::<relata::ConnectOptions>()?.connect_direct().await?;
    owner.batch_execute(APP).await.expect("the role is created");
    Ok(format!("{url}{}options=-c%20role%3Dapp", if url.contains('?') { '&' } else { '?' }))
}

/// The example of `docs/testing.md`.
#[tokio::test]
async fn a_test_connects_as_a_role_that_is_confined() {
    if crate::support::devdb().skips_behind_pooler(&[crate::support::Need::Settings])
        || devdb().skips_without(&[Feature::Roles])
    {
        return;
    }
    let schools = Schools::new().await;
    let db = Client::connect(&as_app(schools.url()).await.expect("is made")).await.expect("connects");
    let north = db.tenant(schools.north.school.id);
    let users: Vec<(i64,)> = north.query_raw("SELECT count(*) FROM \"User\"", params![]).await.expect("reads");
    assert_eq!(users, [(3,)]);
    let room = north.room().create(room::Create { name: "Attic".to_owned() }).await.expect("writes");
    assert_eq!(room.school_id, schools.north.school.id);
}
