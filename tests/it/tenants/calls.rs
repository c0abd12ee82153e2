//! Every call of a handle, on two schools with the same rows: each gives and changes its own.

use futures_util::TryStreamExt;

use super::*;

/// A function of one school, by its type.
async fn students_of(school: &TenantModels) -> relata::Result<u64> {
    school.student().count().await
}

#[tokio::test]
async fn reads_give_the_rows_of_the_tenant() {
    let schools = Schools::new().await;
    let (north, own) = (schools.north(), &schools.north);
    assert_eq!(north.user().count().await.expect("counts"), 3);
    assert_eq!(students_of(&north).await.expect("counts"), 3);
    assert_eq!(north.session().count().await.expect("counts"), 3);
    assert_eq!(north.school().find_many().await.expect("reads"), std::slice::from_ref(&own.school));
    assert!(
        north
            .session()
            .find_many()
            .await
            .expect("reads")
            .iter()
            .all(|row| own.users.iter().any(|u| u.id == row.user_id))
    );
    let all = schools.db.across_tenants();
    assert_eq!(all.user().count().await.expect("counts"), 6);
    assert_eq!(all.session().count().await.expect("counts"), 6);
    // Other filters, also ones that every row or any row meets, do not widen it.
    let either = user::email.contains("u1") | user::email.contains("u2");
    assert_eq!(north.user().count().filter(either).await.expect("counts"), 2);
    assert_eq!(north.user().count().filter(!user::email.contains("nothing")).await.expect("counts"), 3);
    let of_south = user::school_id.eq(schools.south.school.id);
    assert_eq!(north.user().count().filter(of_south).await.expect("counts"), 0);
    assert!(north.student().exists().filter(student::year.eq(2030)).await.expect("asks"));
}

#[tokio::test]
async fn keys_are_short_and_find_no_row_of_another_tenant() {
    let schools = Schools::new().await;
    let (north, own, other) = (schools.north(), &schools.north, &schools.south);
    let found = north.user().find_unique(user::email.eq("u1@x.edu")).await.expect("reads");
    assert_eq!(found.as_ref(), Some(&own.users[0]));
    let found = north.student().find_unique(student::year_number.eq(2030, 2)).await.expect("reads");
    assert_eq!(found.as_ref(), Some(&own.students[1]));
    assert_eq!(north.user().find_unique(user::id.eq(other.users[0].id)).await.expect("reads"), None);
    assert_eq!(north.exam().find_unique(exam::code.eq("south-1")).await.expect("reads"), None);
    assert_eq!(north.school().find_unique(school::id.eq(other.school.id)).await.expect("reads"), None);
    let whole = user::school_id_email.eq(other.school.id, "u1@x.edu");
    assert_eq!(north.user().find_unique(whole).await.expect("reads"), None);
    // Across tenants a short key would find several rows.
    let all = schools.db.across_tenants();
    let refused = all.user().find_unique(user::email.eq("u1@x.edu")).await.expect_err("is refused");
    assert!(refused.to_string().contains("unique within a tenant only"), "{refused}");
    let whole = || user::school_id_email.eq(own.school.id, "u1@x.edu");
    assert_eq!(all.user().find_unique(whole()).await.expect("reads").as_ref(), Some(&own.users[0]));
    // A cursor at such a key would begin at several rows.
    let short = || user::email.eq("u1@x.edu");
    let refused = [
        ("find_many", all.user().find_many().cursor(short()).await.map(drop)),
        ("select", all.user().find_many().cursor(short()).select(user::email).await.map(drop)),
        ("stream", all.user().find_many().cursor(short()).stream().next().await.expect("answers").map(drop)),
        ("aggregate", all.user().aggregate(relata::count()).cursor(short()).await.map(drop)),
        ("include", all.school().find_many().include(school::users.cursor(short())).await.map(drop)),
        ("transaction", {
            let tx = schools.db.begin().await.expect("begins");
            tx.across_tenants().user().find_many().cursor(short()).await.map(drop)
        }),
    ];
    for (what, outcome) in refused {
        let refused = outcome.expect_err(what).to_string();
        assert!(refused.contains("unique within a tenant only"), "{what}: {refused}");
    }
    let from = north.user().find_many().cursor(short()).await.expect("reads");
    assert_eq!(from.first().map(|user| user.email.as_str()), Some("u1@x.edu"));
    assert!(!all.user().find_many().cursor(whole()).await.expect("reads").is_empty());
}

#[tokio::test]
async fn relations_are_confined_at_every_depth() {
    let schools = Schools::new().await;
    let north = schools.north();
    let users = north.user().find_many().include(user::student.include(student::clubs)).include(user::sessions).await;
    let users = users.expect("reads");
    assert_eq!(users.len(), 3);
    assert!(users.iter().all(|user| user.sessions.len() == 1 && user.student.is_some()));
    assert_eq!(users.iter().flat_map(|user| &user.student).map(|student| student.clubs.len()).sum::<usize>(), 1);
    let own = north
        .student()
        .find_unique(student::id.eq(schools.north.students[0].id))
        .include(student::user.include(user::sessions))
        .include(student::results.include(result::exam.include(exam::room)))
        .await
        .expect("reads")
        .expect("is there");
    assert_eq!(own.user.row_, schools.north.users[0]);
    assert_eq!(own.results[0].exam.room.as_ref(), Some(&schools.north.room));
    // The first of each parent, cut by the database.
    let cut = north.user().find_many().include(user::sessions.take(1)).await.expect("reads");
    assert!(cut.iter().all(|user| user.sessions.len() == 1));
    // Filters through relations, and counts of them.
    let in_club = student::clubs.some(club::name.eq("Chess"));
    assert_eq!(north.student().count().filter(in_club).await.expect("counts"), 1);
    let counts = north.school().find_many().select((school::slug, school::users.count())).await.expect("reads");
    assert_eq!(counts, [("north".to_owned(), 3)]);
}

#[tokio::test]
async fn rows_that_cross_tenants_already_are_not_followed() {
    let schools = Schools::new().await;
    let (north, other) = (schools.north(), &schools.south);
    // The foreign keys of these do not hold the school, so that the database lets this happen.
    let sql = format!(
        r#"UPDATE "Exam" SET "roomId" = {} WHERE code = 'north-1';
           INSERT INTO "_ClubToStudent" VALUES ({}, '{}')"#,
        other.room.id, schools.north.club.id, other.students[0].id
    );
    for statement in sql.split(';') {
        plain_sql(schools.url(), statement).await;
    }
    let exam =
        north.exam().find_unique(exam::code.eq("north-1")).include(exam::room).await.expect("reads").expect("is there");
    assert_eq!(exam.room, None);
    let exams = north.exam().find_many().include(exam::room).await.expect("reads");
    assert!(exams.iter().all(|exam| exam.room.is_none()));
    assert_eq!(north.exam().count().filter(exam::room.is(room::name.eq("Hall"))).await.expect("counts"), 0);
    let ordered = north.exam().find_many().order_by(exam::room.order(room::name.asc())).await.expect("reads");
    assert_eq!(ordered.len(), 1);
    let clubs = north.club().find_many().include(club::students).await.expect("reads");
    assert_eq!(clubs[0].students.len(), 1);
    let updated = north.exam().update(exam::code.eq("north-1")).set(exam::code.to("north-2")).include(exam::room).await;
    assert_eq!(updated.expect("updates").room, None);
}

#[tokio::test]
async fn values_pages_groups_and_streams_are_confined() {
    let schools = Schools::new().await;
    let north = schools.north();
    let (number, most): (i64, Option<i32>) =
        north.student().aggregate((relata::count(), student::number.max())).await.expect("calculates");
    assert_eq!((number, most), (3, Some(3)));
    let groups = north.student().group_by(student::year).aggregate(relata::count()).await.expect("groups");
    assert_eq!(groups, [(2030, 3)]);
    let distinct = north.student().find_many().distinct(student::year).await.expect("reads");
    assert_eq!(distinct.len(), 1);
    let mut seen = Vec::new();
    let mut token = None;
    loop {
        let page = north.user().find_many().order_by(user::email.asc()).take(2).page_after(token).await.expect("reads");
        seen.extend(page.rows.iter().map(|user| user.id));
        token = page.next;
        if token.is_none() {
            break;
        }
    }
    assert_eq!(seen, schools.north.users.iter().map(|user| user.id).collect::<Vec<_>>());
    let behind = north.user().find_many().order_by(user::email.asc()).cursor(user::id.eq(schools.north.users[1].id));
    assert_eq!(behind.await.expect("reads").len(), 2);
    let streamed: Vec<_> =
        north.user().find_many().include(user::sessions).stream().rows_at_once(2).try_collect().await.expect("reads");
    assert_eq!(streamed.len(), 3);
    assert!(streamed.iter().all(|user| user.sessions.len() == 1));
}

#[tokio::test]
async fn writes_change_the_rows_of_the_tenant() {
    let schools = Schools::new().await;
    let (north, own, other) = (schools.north(), &schools.north, &schools.south);
    let before = schools.all_of(other).await;
    let changed = north.student().update_many().all_rows().set(student::year.increment(1)).await.expect("updates");
    assert_eq!(changed, 3);
    let limited =
        north.student().update_many().all_rows().limit(2).set(student::labels.push("a")).await.expect("updates");
    assert_eq!(limited, 2);
    let user = north.user().update(user::email.eq("u1@x.edu")).set(user::email.to("v1@x.edu")).await.expect("updates");
    assert_eq!(user.id, own.users[0].id);
    let row = user::Create { email: "u2@x.edu".to_owned() };
    let upserted = north.user().upsert(user::email.eq("u2@x.edu"), row).set(user::role.to(client::Role::Admin)).await;
    assert_eq!(upserted.expect("upserts").id, own.users[1].id);
    let row = user::Create { email: "new@x.edu".to_owned() };
    let created = north.user().upsert(user::email.eq("new@x.edu"), row).await.expect("upserts");
    assert_eq!(created.school_id, own.school.id);
    let mentor = own.students[1].id;
    let student = north
        .student()
        .update(student::id.eq(own.students[0].id))
        .with(student::mentor.connect(student::id.eq(mentor)))
        .include(student::mentor)
        .await
        .expect("updates");
    assert_eq!(student.mentor.as_ref().map(|mentor| mentor.id), Some(mentor));
    let student = north.student().update(student::id.eq(own.students[0].id)).with(student::mentor.disconnect()).await;
    assert_eq!(student.expect("updates").mentor_id, None);
    assert_eq!(north.session().delete_many().all_rows().await.expect("deletes"), 3);
    assert_eq!(north.student().delete_many().all_rows().limit(1).await.expect("deletes"), 1);
    north.club().delete(club::name.eq("Chess")).await.expect("deletes");
    assert_eq!(schools.all_of(other).await, before);
    assert_eq!(schools.crossings().await, 0);
}

#[tokio::test]
async fn new_rows_belong_to_the_tenant() {
    let schools = Schools::new().await;
    let (north, own) = (schools.north(), &schools.north);
    let before = schools.all_of(&schools.south).await;
    // Nested in both directions.
    let row = student::Create { user: user::Create { email: "n1@x.edu".to_owned() }, year: 2031, number: 1 }
        .with(student::clubs.create(club::Create { name: "Go".to_owned() }))
        .with(student::results.create(result::Create { student: relata::Parent, exam: own.exam.id }))
        .with(student::mentor.connect(student::year_number.eq(2030, 1)));
    let student = north.student().create(row).include(student::user).include(student::clubs).await.expect("is created");
    assert_eq!((student.school_id, student.user.school_id, student.clubs.len()), (own.school.id, own.school.id, 1));
    assert_eq!(student.mentor_id, Some(own.students[0].id));
    let row = user::Create { email: "n2@x.edu".to_owned() }
        .with(user::student.create(student::Create { user: relata::Parent, year: 2031, number: 2 }))
        .with(user::sessions.create(session::Create { user: relata::Parent }));
    north.user().create(row).await.expect("is created");
    // Many at once, of one kind, of several, with lists, and by COPY.
    let rows = (10..30).map(|number| user::Create { email: format!("m{number}@x.edu") });
    assert_eq!(north.user().create_many(rows).await.expect("are created"), 20);
    let rows = (30..40).map(|number| {
        user::Create { email: format!("m{number}@x.edu") }
            .set(user::country_id.to_nullable((number % 2 == 0).then_some(1)))
    });
    assert_eq!(north.user().create_many_and_return(rows).await.expect("are created").len(), 10);
    let rows = (40..50).map(|number| user::Create { email: format!("m{number}@x.edu") });
    assert_eq!(north.user().copy_in(rows).await.expect("are copied"), 10);
    let labelled = |number| {
        student::Create { user: user::email.eq(format!("m{number}@x.edu")), year: 2032, number }
            .set(student::labels.to(["x", "y"]))
    };
    assert_eq!(north.student().create_many((10..15).map(labelled)).await.expect("are created"), 5);
    let sessions = own.users.iter().map(|user| session::Create { user: user.id });
    assert_eq!(north.session().create_many(sessions).await.expect("are created"), 3);
    assert_eq!(
        north
            .user()
            .create_many([user::Create { email: "u1@x.edu".to_owned() }])
            .skip_duplicates()
            .await
            .expect("skips"),
        0
    );
    let all = schools.db.across_tenants();
    let outside = all.user().count().filter(user::email.starts_with("m") & user::school_id.ne(own.school.id));
    assert_eq!(outside.await.expect("counts"), 0);
    assert_eq!(schools.all_of(&schools.south).await, before);
    assert_eq!(schools.crossings().await, 0);
}

#[tokio::test]
async fn many_rows_are_upserted_and_updated_within_the_tenant() {
    let schools = Schools::new().await;
    let (north, own, other) = (schools.north(), &schools.north, &schools.south);
    let before = schools.all_of(other).await;
    let emailed = |email: &str| user::Create { email: email.to_owned() };
    // A key that is unique within a tenant, with and without the tenant's column.
    let rows = || ["u1@x.edu", "w1@x.edu"].map(|email| emailed(email).set(user::role.to(client::Role::Admin)));
    let upserted = north.user().upsert_many(rows()).on(user::email).and_return().await.expect("upserts");
    let is_new: Vec<bool> = upserted.iter().map(relata::Upserted::is_inserted).collect();
    assert_eq!(is_new, [false, true]);
    let rows_of: Vec<_> = upserted.into_iter().filter_map(relata::Upserted::into_row).collect();
    assert!(rows_of.iter().all(|row| row.school_id == own.school.id && row.role == client::Role::Admin));
    assert_eq!(rows_of[0].id, own.users[0].id);
    assert_eq!(north.user().upsert_many(rows()).on(user::school_id_email).await.expect("upserts"), 2);
    assert_eq!(north.user().upsert_many(rows()).on(user::email).do_nothing().await.expect("skips"), 0);
    let (two, one) = north
        .batch((
            north.user().upsert_many(rows()).on(user::email),
            north.user().count().filter(user::email.eq("w1@x.edu")),
        ))
        .await
        .expect("runs");
    assert_eq!((two, one), (2, 1));
    // Lists, lookups, and a relation that the handle looks up.
    let labelled = |number: i32| {
        student::Create { user: user::email.eq("w1@x.edu"), year: 2033, number }.set(student::labels.to(["x"]))
    };
    for is_new in [true, false] {
        let students = north.student().upsert_many([labelled(1)]).on(student::year_number).and_return().await;
        assert_eq!(students.expect("upserts")[0].is_inserted(), is_new);
    }
    let coded = || [exam::Create { code: "north-1".to_owned() }.set(exam::room_id.to(own.room.id))];
    assert_eq!(north.exam().upsert_many(coded()).on(exam::code).await.expect("upserts"), 1);
    // Each its own values, by keys of both kinds, also in a transaction and a batch.
    let changes = || [("u1@x.edu", client::Role::Student), ("nobody", client::Role::Admin)];
    let changes = || changes().map(|(email, role)| (user::email.eq(email), user::role.to(role)));
    let done = north.user().update_each(changes()).await.expect("updates");
    assert_eq!((done.updated, done.missing), (1, 1));
    let (rows, done) = north
        .batch((north.user().update_each(changes()).and_return(), north.user().update_each(changes())))
        .await
        .expect("runs");
    assert_eq!((rows[0].as_ref().map(|row| row.id), rows[1].is_some()), (Some(own.users[0].id), false));
    assert_eq!((done.updated, done.missing), (1, 1));
    let created = north.user().create_many_and_return(["u2@x.edu", "w2@x.edu"].map(emailed)).or_none().await;
    let created: Vec<_> = created.expect("creates").into_iter().map(|row| row.map(|row| row.school_id)).collect();
    assert_eq!(created, [None, Some(own.school.id)]);
    assert_eq!(schools.all_of(other).await, before);
    assert_eq!(schools.crossings().await, 0);
    // Across tenants, each row is found by a key that identifies it.
    let all = schools.db.across_tenants();
    let both = [own, other].map(|school| (user::id.eq(school.users[1].id), user::role.to(client::Role::Admin)));
    assert_eq!(all.user().update_each(both).await.expect("updates").updated, 2);
    let short = [(user::email.eq("u1@x.edu"), user::role.to(client::Role::Admin))];
    let refused = all.user().update_each(short).await.expect_err("is refused");
    assert!(refused.to_string().contains("unique within a tenant only"), "{refused}");
}

#[tokio::test]
async fn transactions_batches_and_savepoints_are_confined() {
    let schools = Schools::new().await;
    let (north, own) = (schools.north(), &schools.north);
    let before = schools.all_of(&schools.south).await;
    let counted = north
        .transaction(|tx| async move {
            tx.user().update_many().all_rows().set(user::role.to(client::Role::Admin)).await?;
            let inner: relata::Result<u64> =
                tx.savepoint(|inner| async move { inner.user().delete_many().all_rows().await }).await;
            assert_eq!(inner?, 3);
            students_of(&tx).await
        })
        .await
        .expect("commits");
    assert_eq!(counted, 0);
    let (users, rooms) = north.batch((north.user().count(), north.room().find_many())).await.expect("runs");
    assert_eq!((users, rooms), (0, vec![own.room.clone()]));
    // A transaction of all, in which one part is one tenant's.
    let tx = schools.db.begin().await.expect("begins");
    assert_eq!(tx.tenant(own.school.id).room().count().await.expect("counts"), 1);
    assert_eq!(tx.across_tenants().room().count().await.expect("counts"), 2);
    let row = room::Create { name: "Attic".to_owned() };
    let room = tx.tenant(own.school.id).room().create(row).await.expect("is created");
    assert_eq!(room.school_id, own.school.id);
    tx.rollback().await.expect("rolls back");
    let all = schools.db.across_tenants();
    let raw: Vec<(i64,)> = all.query_raw("SELECT count(*) FROM \"Room\"", relata::params![]).await.expect("reads");
    assert_eq!(raw, [(2,)]);
    assert_eq!(schools.all_of(&schools.south).await, before);
}

#[tokio::test]
async fn shared_models_are_on_every_handle() {
    let schools = Schools::new().await;
    let north = schools.north();
    north.user().update_many().all_rows().set(user::country_id.to(1)).await.expect("updates");
    schools.db.across_tenants().user().update_many().all_rows().set(user::country_id.to(1)).await.expect("updates");
    assert_eq!(schools.db.country().count().await.expect("counts"), 1);
    let land =
        north.country().find_unique(country::id.eq(1)).include(country::users).await.expect("reads").expect("is there");
    // What a shared row leads to is the tenant's.
    assert_eq!(land.users.len(), 3);
    let counts = north.country().find_many().select(country::users.count()).await.expect("reads");
    assert_eq!(counts, [3]);
}

/// What a shared row leads to is a tenant's: the plain client does not follow it.
#[tokio::test]
async fn the_plain_client_sees_no_rows_of_tenants() {
    let schools = Schools::new().await;
    schools.db.across_tenants().user().update_many().all_rows().set(user::country_id.to(1)).await.expect("updates");
    let before = schools.all_of(&schools.north).await;
    let counted = schools.db.counted();
    let is_refused = |what: &str, error: Option<relata::Error>| {
        assert!(
            matches!(&error, Some(relata::Error::Misuse(reason)) if reason.contains("sees no rows of tenants")),
            "{what}: {error:?}"
        );
    };
    let land = || country::id.eq(1);
    is_refused("include", counted.country().find_many().include(country::users).await.err());
    is_refused("count", counted.country().find_many().select(country::users.count()).await.err());
    is_refused("filter", counted.country().count().filter(country::users.some(user::email.contains("u"))).await.err());
    is_refused("order", counted.country().find_many().order_by(country::users.count().desc()).await.err());
    let mut stream = counted.country().find_many().include(country::users).stream();
    is_refused("stream", stream.try_next().await.err());
    let stolen = schools.north.users[0].id;
    let connected = counted.country().update(land()).with(country::users.connect(user::id.eq(stolen))).await;
    is_refused("nested write", connected.err());
    let tx = schools.db.begin().await.expect("begins");
    is_refused("transaction", tx.country().find_many().include(country::users).await.err());
    tx.rollback().await.expect("rolls back");
    is_refused("batch", counted.batch((counted.country().find_many().include(country::users),)).await.err());
    assert_eq!(schools.db.country().count().await.expect("counts"), 1);
    assert_eq!(schools.all_of(&schools.north).await, before);
    let all = schools.db.across_tenants();
    let lands = all.country().find_many().include(country::users).await.expect("reads");
    assert_eq!(lands[0].users.len(), 6);
    let tx = schools.db.begin().await.expect("begins");
    let lands = tx.across_tenants().country().find_many().include(country::users).await.expect("reads");
    assert_eq!(lands[0].users.len(), 6);
    tx.commit().await.expect("commits");
}

#[tokio::test]
async fn query_files_that_only_read_are_confined() {
    let schools = Schools::new().await;
    let (north, own) = (schools.north(), &schools.north);
    let all = schools.db.across_tenants();
    // By a column of the table, and by a path.
    let best = north.query(queries::best(2030)).await.expect("reads");
    let codes: Vec<_> = best.iter().filter_map(|row| row.code.as_deref()).collect();
    assert_eq!((best.len(), codes), (3, vec!["north-1"]));
    assert_eq!(all.query(queries::best(2030)).await.expect("reads").len(), 6);
    north.session().delete_many().filter(session::user_id.eq(own.users[2].id)).await.expect("deletes");
    assert_eq!(north.query(queries::emails()).await.expect("reads").len(), 2);
    assert_eq!(all.query(queries::emails()).await.expect("reads").len(), 5);
    // Tables of all.
    assert_eq!(north.query(queries::countries()).await.expect("reads").len(), 1);
    let streamed: Vec<_> = north.query_stream(queries::emails()).try_collect().await.expect("reads");
    assert_eq!(streamed.len(), 2);
    let (one, users) = north.batch((queries::countries().one(), north.user().count())).await.expect("runs");
    assert_eq!((one.name.as_str(), users), ("Land", 3));
    let tx = north.begin().await.expect("begins");
    assert_eq!(tx.query(queries::emails()).await.expect("reads").len(), 2);
    tx.commit().await.expect("commits");
    // What is not understood whole is only sent across tenants, or confined by PostgreSQL.
    assert_eq!(all.query(queries::through().one()).await.expect("reads").pairs, 2);
    assert_eq!(all.query(queries::numbers(2030).one()).await.expect("reads").clubs, 2);
    assert_eq!(all.query(queries::rename("x@x.edu", own.users[0].id)).await.expect("writes"), 1);
}

#[tokio::test]
async fn a_handle_says_which_tenant_it_has() {
    let schools = Schools::new().await;
    let id_of = |models: &TenantModels| models.tenant_id();
    let (north, id) = (schools.north(), schools.north.school.id);
    assert_eq!(id_of(&north), id);
    let tx = north.begin().await.expect("begins");
    assert_eq!(id_of(&tx), id);
    let tx = schools.db.begin().await.expect("begins");
    assert_eq!(id_of(&tx.tenant(schools.south.school.id)), schools.south.school.id);
}

/// Rows that are created through their tenant belong to it, so that works across tenants.
#[tokio::test]
async fn rows_are_created_through_their_tenant_across_tenants() {
    let schools = Schools::new().await;
    let row = school::Create { name: "West".to_owned(), slug: "west".to_owned() };
    let row = row.with(school::users.create(user::Create { email: "u1@x.edu".to_owned() }));
    let west = schools.db.across_tenants().school().create(row).await.expect("is created");
    assert_eq!(schools.db.tenant(west.id).user().count().await.expect("counts"), 1);
    assert_eq!(schools.north().user().count().await.expect("counts"), 3);
}
