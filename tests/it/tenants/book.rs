//! The examples of `docs/tenants.md`.

use super::*;

async fn students_of(school: &TenantModels) -> relata::Result<u64> {
    school.student().count().await
}

async fn best_of(school: &TenantModels, year: i32) -> relata::Result<(u64, Vec<queries::Best>)> {
    school.batch((school.student().count(), queries::best(year))).await
}

async fn reads(db: &Client, id: Uuid) -> relata::Result<(usize, bool)> {
    let north = db.tenant(id);
    let students = north.student().find_many().include(student::user).await?;
    let user = north.user().find_unique(user::email.eq("ada@x.edu")).await?;
    Ok((students.len(), user.is_some()))
}

async fn across(db: &Client) -> relata::Result<(School, u64)> {
    let row = school::Create { name: "North".to_owned(), slug: "north".to_owned() };
    let north = db.across_tenants().school().create(row).await?;
    let sessions: u64 = db.across_tenants().session().count().await?;
    Ok((north, sessions))
}

async fn in_a_transaction(db: &Client, id: Uuid) -> relata::Result<(Room, u64)> {
    let tx = db.begin().await?;
    let room = tx.tenant(id).room().create(room::Create { name: "Attic".to_owned() }).await?;
    let rooms = tx.across_tenants().room().count().await?;
    tx.commit().await?;
    Ok((room, rooms))
}

#[tokio::test]
async fn the_examples_of_the_page_run() {
    let Database { db, database, .. } = Database::new().await;
    let (north, sessions) = across(&db).await.expect("runs");
    assert_eq!(sessions, 0);
    let here = db.tenant(north.id);
    here.user().create(user::Create { email: "ada@x.edu".to_owned() }).await.expect("is created");
    assert_eq!(reads(&db, north.id).await.expect("runs"), (0, true));
    assert_eq!(students_of(&here).await.expect("runs"), 0);
    assert_eq!(best_of(&here, 2030).await.expect("runs").0, 0);
    let (room, rooms) = in_a_transaction(&db, north.id).await.expect("runs");
    assert_eq!((room.school_id, rooms), (north.id, 1));
    drop(database);
}
