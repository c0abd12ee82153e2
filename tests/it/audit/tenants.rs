//! A tenant reads its own changes and no other's, with and without the help of row security.

use relata::audit::ChangeKind::{Delete, Insert, Update};
use relata::uuid::Uuid;
use relata::{Error, RowSecurity};

use super::database;

#[path = "../../audit/tenants/lib.rs"]
#[deny(warnings)]
#[allow(dead_code, missing_docs, unused_imports, unreachable_pub, rustdoc::broken_intra_doc_links)]
pub(crate) mod client;

use crate::support::{Database, connect};
use client::{Client, School, Student, country, school, student};

const NORTH: Uuid = Uuid::from_u128(1);
const SOUTH: Uuid = Uuid::from_u128(2);

/// Two schools, each with a student of the same id, and a shared row.
async fn schools(url: &str) -> Client {
    let db = Client::builder(url).expect("is a URL").max_connections(1).row_security(RowSecurity::Warn);
    let db = db.connect().await.expect("connects");
    for (id, name) in [(NORTH, "North"), (SOUTH, "South")] {
        let row = school::Create { name: name.to_owned() };
        db.across_tenants().school().create(row.set(school::id.to(id))).await.expect("is created");
        let row = student::Create { id: 1, name: format!("{name} student") };
        db.tenant(id).acting_as(name).student().create(row).await.expect("is created");
    }
    let row = country::Create { code: "de".to_owned(), name: "Germany".to_owned() };
    db.tenant(NORTH).country().create(row).await.expect("is created");
    db
}

async fn look(db: &Client) {
    let (north, south) = (db.tenant(NORTH), db.tenant(SOUTH));
    for (handle, name) in [(&north, "North"), (&south, "South")] {
        let changes = handle.audit().oldest_first().await.expect("are read");
        assert_eq!(changes.iter().map(|change| change.kind).collect::<Vec<_>>(), [Insert, Insert], "{name}");
        assert!(changes[0].is_of::<School>());
        assert_eq!(changes[1].after(student::name).expect("is text"), Some(format!("{name} student")));
        assert_eq!(changes[1].actor.as_deref(), Some(name));
        // The short key, and the full one.
        assert_eq!(handle.audit().of(student::id.eq(1)).await.expect("is read").len(), 1);
        let foreign = handle.audit().of(student::school_id_id.eq(if name == "North" { SOUTH } else { NORTH }, 1));
        assert_eq!(foreign.await.expect("is read").len(), 0);
    }
    // Changes of shared rows belong to no tenant.
    let all = db.across_tenants().audit().await.expect("are read");
    assert_eq!(all.len(), 5);
    assert_eq!(db.across_tenants().audit().of(student::school_id_id.eq(SOUTH, 1)).await.expect("is read").len(), 1);
    let short = db.across_tenants().audit().of(student::id.eq(1)).await;
    assert!(matches!(short, Err(Error::Misuse(_))));
}

#[tokio::test]
async fn a_handle_reads_the_changes_of_its_tenant() {
    let database = database("tenants.dsl").await;
    let db = schools(database.url()).await;
    look(&db).await;
    let tx = db.begin().await.expect("begins");
    tx.tenant(NORTH).student().update_many().all_rows().set([student::name.to("x")]).await.expect("are updated");
    assert_eq!(tx.tenant(NORTH).audit().of_model::<Student>().await.expect("are read")[0].kind, Update);
    assert_eq!(tx.tenant(SOUTH).audit().of_model::<Student>().await.expect("are read").len(), 1);
    tx.commit().await.expect("is committed");
    db.across_tenants().school().delete(school::id.eq(SOUTH)).await.expect("is deleted");
    let left = db.tenant(SOUTH).audit().kind(Delete).await.expect("are read");
    assert_eq!(left.len(), 2, "the school and its student, whose rows are gone");
}

/// A role without privileges of its own, which owns the tables: policies apply to it because they are forced.
async fn owner(database: &Database) -> Option<String> {
    let direct = connect(database.url()).await;
    let may = "SELECT rolsuper FROM pg_roles WHERE rolname = current_user";
    if !direct.query_one(may, &[]).await.expect("is right").get::<_, bool>(0) {
        return None;
    }
    let role = format!("audit_owner_{}", Uuid::new_v4().simple());
    let give = format!(
        "CREATE ROLE {role} LOGIN; GRANT ALL ON SCHEMA public TO {role};
         DO $$ DECLARE t text; BEGIN
           FOR t IN SELECT format('ALTER TABLE %s OWNER TO {role}', oid::regclass) FROM pg_class
             WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace LOOP EXECUTE t; END LOOP; END $$;
         ALTER FUNCTION \"_relata_audit\"() OWNER TO {role}"
    );
    direct.batch_execute(&give).await.expect("a superuser may");
    Some(role)
}

#[tokio::test]
async fn row_security_keeps_the_changes_of_tenants_apart() {
    let database = database("tenants.dsl").await;
    let Some(role) = owner(&database).await else {
        return relata_devdb::skip("the role cannot create roles");
    };
    let direct = connect(database.url()).await;
    // The owner of the tables, whom the settings of the session confine.
    let as_owner = format!("SET ROLE {role}; SET relata.across_tenants TO 'on'");
    direct.batch_execute(&as_owner).await.expect("a superuser may");
    let (north, south) = (NORTH, SOUTH);
    let rows = format!(
        "INSERT INTO \"School\" VALUES ('{north}', 'North'), ('{south}', 'South');
         INSERT INTO \"Student\" VALUES (1, '{north}', 'N'), (1, '{south}', 'S')"
    );
    direct.batch_execute(&rows).await.expect("are created");
    let count = "SELECT count(*) FROM \"_relata_audit\"";
    let seen = async |setting: &str| {
        direct.batch_execute(setting).await.expect("may be set");
        direct.query_one(count, &[]).await.expect("is right").get::<_, i64>(0)
    };
    assert_eq!(seen("SET relata.across_tenants TO 'on'").await, 4);
    assert_eq!(seen("SET relata.across_tenants TO 'off'").await, 0);
    assert_eq!(seen(&format!("SET relata.tenant TO '{}'", north.to_string().to_uppercase())).await, 2);
    // A tenant writes its rows, and the changes are recorded; it writes no change itself.
    direct.batch_execute("UPDATE \"Student\" SET name = 'M'").await.expect("its own");
    assert_eq!(seen("SELECT 1").await, 3);
    direct
        .batch_execute("UPDATE \"_relata_audit\" SET actor = 'x'; DELETE FROM \"_relata_audit\"")
        .await
        .expect("no row");
    assert_eq!(seen("SELECT 1").await, 3);
    assert_eq!(seen(&format!("SET relata.tenant TO '{south}'")).await, 2);
    let clean = format!("RESET ROLE; DROP OWNED BY {role} CASCADE; DROP ROLE {role}");
    direct.batch_execute(&clean).await.expect("a superuser may");
}
