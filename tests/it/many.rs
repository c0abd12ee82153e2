//! Many rows at once: inserted as columns of values, and read while the rest arrives.

use plain_planner::{Role, institution, user};
use relata::CreateWith;
use relata::uuid::Uuid;

use crate::support::Fixture;

fn row(tenant: Uuid, number: usize) -> user::Create {
    user::Create {
        institution: tenant,
        email: format!("{number:05}@x.edu"),
        password_hash: String::new(),
        role: Role::Student,
    }
}

#[tokio::test]
async fn many_rows_are_read_in_batches_and_in_order() {
    let fixture = Fixture::new().await;
    let db = &fixture.db;
    let tenant = fixture.institution("north").await.id;
    // Below, at and above the size of a batch.
    for rows in [255, 256, 257, 700] {
        db.user().delete_many().all_rows().await.expect("are deleted");
        let made = db.user().create_many((0..rows).map(|number| row(tenant, number))).await.expect("are created");
        assert_eq!(made, rows as u64);
        let expected: Vec<String> = (0..rows).map(|number| format!("{number:05}@x.edu")).collect();
        // The first read on a connection prepares the statement; the others find it prepared.
        for _ in 0..3 {
            let read = db.user().find_many().order_by(user::email.asc()).await.expect("are read");
            assert_eq!(read.iter().map(|user| user.email.clone()).collect::<Vec<_>>(), expected);
            let values = db
                .user()
                .find_many()
                .order_by(user::email.asc())
                .select((user::email, user::institution.select(institution::slug)));
            let values = values.await.expect("are read");
            assert!(values.iter().all(|(_, slug)| slug == "north"));
            assert_eq!(values.into_iter().map(|(email, _)| email).collect::<Vec<_>>(), expected);
        }
    }
}

#[tokio::test]
async fn rows_with_different_columns_are_inserted_together() {
    let fixture = Fixture::new().await;
    let db = &fixture.db;
    let tenant = fixture.institution("north").await.id;
    let id = Uuid::new_v4();
    let rows = [
        CreateWith::new(row(tenant, 0)),
        CreateWith::new(row(tenant, 1)).set(user::id.to(id)),
        CreateWith::new(row(tenant, 2)),
    ];
    let made = db.user().create_many_and_return(rows).await.expect("are created");
    assert_eq!(
        made.iter().map(|user| user.email.as_str()).collect::<Vec<_>>(),
        ["00000@x.edu", "00001@x.edu", "00002@x.edu"]
    );
    assert_eq!(made[1].id, id);
}
