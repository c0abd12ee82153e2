//! What somebody who has one tenant's handle, and ids of another, may try. Nothing of the other is read or changed.

use relata::Error;

use super::*;

/// Runs what must fail or find nothing, and compares the other school with what it was.
macro_rules! attack {
    ($schools:ident, $before:ident, $what:literal, $call:expr, $outcome:pat) => {
        let outcome = $call.await;
        #[allow(clippy::redundant_pattern_matching, reason = "most outcomes are other patterns")]
        let is_as_meant = matches!(outcome, $outcome);
        assert!(is_as_meant, "{}: {outcome:?}", $what);
        assert_eq!($schools.all_of(&$schools.south).await, $before, $what);
        assert_eq!($schools.crossings().await, 0, $what);
    };
}

#[tokio::test]
async fn ids_of_others_as_keys() {
    let schools = Schools::new().await;
    let (north, other) = (schools.north(), &schools.south);
    let before = schools.all_of(other).await;
    let (user, student, exam) = (other.users[0].id, other.students[0].id, other.exam.id);
    attack!(schools, before, "find", north.user().find_unique(user::id.eq(user)), Ok(None));
    attack!(
        schools,
        before,
        "update",
        north.user().update(user::id.eq(user)).set(user::email.to("x")),
        Err(Error::NotFound { .. })
    );
    attack!(schools, before, "delete", north.student().delete(student::id.eq(student)), Err(Error::NotFound { .. }));
    attack!(
        schools,
        before,
        "update_many",
        north.exam().update_many().filter(exam::id.in_([exam])).set(exam::code.to("x")),
        Ok(0)
    );
    attack!(schools, before, "delete_many", north.user().delete_many().filter(user::id.eq(user)), Ok(0));
    let row = exam::Create { code: "south-1".to_owned() };
    attack!(
        schools,
        before,
        "upsert",
        north.exam().upsert(exam::code.eq("south-1"), row).set(exam::code.to("x")),
        Err(Error::NotFound { .. })
    );
    let row = user::Create { email: "u1@x.edu".to_owned() };
    let key = user::school_id_email.eq(other.school.id, "u1@x.edu");
    attack!(schools, before, "upsert by the key of the other", north.user().upsert(key, row), Err(Error::Misuse(_)));
    let row = user::Create { email: "u1@x.edu".to_owned() };
    let own_key = user::school_id_email.eq(schools.north.school.id, "u1@x.edu");
    let own = north.user().upsert(own_key, row).await.expect("its own key");
    assert_eq!(own.id, schools.north.users[0].id);
    let tries = north.user().find_many().cursor(user::id.eq(user)).order_by(user::id.asc());
    let found = tries.await.expect("reads");
    assert!(found.iter().all(|row| row.school_id == schools.north.school.id));
    attack!(
        schools,
        before,
        "delete the school",
        north.school().delete(school::id.eq(other.school.id)),
        Err(Error::NotFound { .. })
    );
}

#[tokio::test]
async fn ids_of_others_in_new_rows() {
    let schools = Schools::new().await;
    let (north, own, other) = (schools.north(), &schools.north, &schools.south);
    let before = schools.all_of(other).await;
    let own_before = schools.all_of(own).await;
    let student = |user| student::Create { user, year: 2040, number: 1 };
    attack!(
        schools,
        before,
        "composite key",
        north.student().create(student(other.users[0].id)),
        Err(Error::ForeignKeyViolation(_))
    );
    let by_key = student::Create { user: user::id.eq(other.users[0].id), year: 2040, number: 1 };
    attack!(schools, before, "composite lookup", north.student().create(by_key), Err(Error::NotFound { .. }));
    attack!(
        schools,
        before,
        "path",
        north.session().create(session::Create { user: other.users[0].id }),
        Err(Error::NotFound { .. })
    );
    let many = [own.users[0].id, other.users[0].id].map(|user| session::Create { user });
    attack!(schools, before, "path of many", north.session().create_many(many.clone()), Err(Error::NotFound { .. }));
    attack!(schools, before, "path by copy", north.session().copy_in(many), Err(Error::Misuse(_)));
    let result = |exam| result::Create { student: own.students[1].id, exam };
    attack!(schools, before, "required key", north.result().create(result(other.exam.id)), Err(Error::NotFound { .. }));
    let exam = exam::Create { code: "n".to_owned() }.set(exam::room_id.to(other.room.id));
    attack!(schools, before, "optional key", north.exam().create(exam.clone()), Err(Error::NotFound { .. }));
    attack!(schools, before, "optional key of many", north.exam().create_many([exam]), Err(Error::NotFound { .. }));
    let nested =
        club::Create { name: "x".to_owned() }.with(club::students.connect(student::id.eq(other.students[0].id)));
    attack!(schools, before, "connect in the table between", north.club().create(nested), Err(Error::NotFound { .. }));
    let mentor = student::Create { user: own.users[0].id, year: 2040, number: 1 }
        .set(student::mentor_id.to(other.students[0].id));
    attack!(
        schools,
        before,
        "optional composite key",
        north.student().create(mentor),
        Err(Error::UniqueViolation(_) | Error::ForeignKeyViolation(_))
    );
    let nested = user::Create { email: "x".to_owned() }.with(user::sessions.connect(session::id.eq(id())));
    attack!(schools, before, "connect", north.user().create(nested), Err(Error::NotFound { .. }));
    let row = school::Create { name: "West".to_owned(), slug: "west".to_owned() };
    attack!(schools, before, "a school", north.school().create(row), Err(Error::Misuse(_)));
    let row = user::Create { email: "x".to_owned() }.set(user::school_id.to(other.school.id));
    attack!(schools, before, "set the school", north.user().create(row.clone()), Err(Error::Misuse(_)));
    attack!(schools, before, "set the school of many", north.user().create_many([row.clone()]), Err(Error::Misuse(_)));
    attack!(schools, before, "set the school by copy", north.user().copy_in([row]), Err(Error::Misuse(_)));
    assert_eq!(schools.all_of(own).await, own_before);
}

#[tokio::test]
async fn ids_of_others_in_changes() {
    let schools = Schools::new().await;
    let (north, own, other) = (schools.north(), &schools.north, &schools.south);
    let before = schools.all_of(other).await;
    let own_before = schools.all_of(own).await;
    let student = || north.student().update(student::id.eq(own.students[0].id));
    let exam = || north.exam().update(exam::id.eq(own.exam.id));
    let theirs = other.students[0].id;
    attack!(
        schools,
        before,
        "connect",
        student().with(student::mentor.connect(student::id.eq(theirs))),
        Err(Error::NotFound { .. })
    );
    attack!(
        schools,
        before,
        "set a composite key",
        student().set(student::mentor_id.to(theirs)),
        Err(Error::ForeignKeyViolation(_))
    );
    attack!(schools, before, "set a key", exam().set(exam::room_id.to(other.room.id)), Err(Error::NotFound { .. }));
    attack!(
        schools,
        before,
        "connect a room",
        exam().with(exam::room.connect(room::id.eq(other.room.id))),
        Err(Error::NotFound { .. })
    );
    attack!(
        schools,
        before,
        "set a key of many",
        north.exam().update_many().all_rows().set(exam::room_id.to(other.room.id)),
        Err(Error::Misuse(_))
    );
    attack!(
        schools,
        before,
        "a required key of many",
        north.result().update_many().all_rows().set(result::exam_id.to(other.exam.id)),
        Err(Error::NotNullViolation(_))
    );
    attack!(
        schools,
        before,
        "set the school",
        student().set(student::school_id.to(other.school.id)),
        Err(Error::Misuse(_))
    );
    attack!(
        schools,
        before,
        "set the school of many",
        north.user().update_many().all_rows().set(user::school_id.to(other.school.id)),
        Err(Error::Misuse(_))
    );
    attack!(
        schools,
        before,
        "connect the school",
        student().with(student::school.connect(school::id.eq(other.school.id))),
        Err(Error::Misuse(_))
    );
    let school = || north.school().update(school::id.eq(own.school.id));
    attack!(
        schools,
        before,
        "connect users",
        school().with(school::users.connect(user::id.eq(other.users[0].id))),
        Err(Error::Misuse(_))
    );
    let club = || north.club().update(club::id.eq(own.club.id));
    attack!(
        schools,
        before,
        "connect in the table between",
        club().with(club::students.connect(student::id.eq(theirs))),
        Err(Error::NotFound { .. })
    );
    attack!(
        schools,
        before,
        "set in the table between",
        club().with(club::students.set([student::id.eq(theirs)])),
        Err(Error::NotFound { .. })
    );
    attack!(
        schools,
        before,
        "update nested",
        club().with(club::students.update(student::id.eq(theirs), [student::year.to(1)])),
        Err(Error::NotFound { .. })
    );
    attack!(
        schools,
        before,
        "delete nested",
        club().with(club::students.delete(student::id.eq(theirs))),
        Err(Error::NotFound { .. })
    );
    attack!(
        schools,
        before,
        "mentored",
        student().with(student::mentored.connect(student::id.eq(theirs))),
        Err(Error::NotFound { .. })
    );
    let row = club::Create { name: "Chess".to_owned() };
    let either = student().with(student::clubs.connect_or_create(club::id.eq(other.club.id), row));
    attack!(schools, before, "connect or create", either, Err(Error::NotFound { .. } | Error::UniqueViolation(_)));
    assert_eq!(schools.all_of(own).await, own_before);
}

#[tokio::test]
async fn many_rows_with_ids_of_others() {
    let schools = Schools::new().await;
    let (north, own, other) = (schools.north(), &schools.north, &schools.south);
    let before = schools.all_of(other).await;
    let own_before = schools.all_of(own).await;
    let emailed = |email: &str, id: Uuid| user::Create { email: email.to_owned() }.set(user::id.to(id));
    // A key without the tenant, which a row of the other school has. The row of its own that comes with it is undone.
    let rows = || [emailed("n1@x.edu", Uuid::from_u128(77)), emailed("n2@x.edu", other.users[0].id)];
    attack!(schools, before, "id", north.user().upsert_many(rows()).on(user::id), Err(Error::NotFound { .. }));
    let returned = north.user().upsert_many(rows()).on(user::id).and_return();
    attack!(schools, before, "id, returned", returned, Err(Error::NotFound { .. }));
    let sets =
        north.user().upsert_many(rows()).on(user::id).set(user::email.to("x")).and_return().include(user::sessions);
    attack!(schools, before, "id, set", sets, Err(Error::NotFound { .. }));
    let batch = north.batch((north.user().count(), north.user().upsert_many(rows()).on(user::id)));
    attack!(schools, before, "id, in a batch", batch, Err(Error::NotFound { .. }));
    let coded = |code: &str| exam::Create { code: code.to_owned() };
    let codes = || ["n", "south-1"].map(coded);
    attack!(schools, before, "code", north.exam().upsert_many(codes()).on(exam::code), Err(Error::NotFound { .. }));
    let id = north.exam().upsert_many(codes().map(|row| row.set([]))).on(exam::code).update(exam::school_id);
    attack!(schools, before, "the tenant's column", id, Err(Error::NotFound { .. }));
    let tenant = user::Create { email: "t".to_owned() }.set(user::school_id.to(other.school.id));
    attack!(schools, before, "tenant", north.user().upsert_many([tenant]).on(user::email), Err(Error::Misuse(_)));
    let set = north.user().upsert_many([emailed("t", own.users[0].id)]).on(user::email);
    let set = set.set(user::school_id.to(other.school.id));
    attack!(schools, before, "tenant, set", set, Err(Error::Misuse(_)));
    // What exists is told by the unique values alone, as by `create_many`.
    let skipped = north.exam().upsert_many(codes()[1..].to_vec()).on(exam::code).do_nothing().and_return();
    attack!(schools, before, "do_nothing", skipped, Ok(_));
    let none = north.exam().create_many_and_return([coded("south-1")]).or_none().await.expect("skips");
    assert_eq!(none, [None]);
    // Rows of others in foreign keys: by a path, without the tenant, and with it.
    let session = |user: Uuid, id: Uuid| session::Create { user }.set(session::id.to(id));
    let own_session = north.session().find_first().order_by(session::id.asc()).await.expect("reads").expect("is there");
    let to_other = north.session().upsert_many([session(other.users[0].id, own_session.id)]).on(session::id);
    attack!(schools, before, "path", to_other, Err(Error::NotFound { .. }));
    let theirs = schools.db.tenant(other.school.id).session().find_first().order_by(session::id.asc()).await;
    let theirs = theirs.expect("reads").expect("is there");
    let stolen = north.session().upsert_many([session(own.users[0].id, theirs.id)]).on(session::id);
    attack!(schools, before, "a row by a path", stolen, Err(Error::NotFound { .. }));
    let stays = north.session().upsert_many([session(own.users[0].id, theirs.id)]).on(session::id).do_nothing();
    attack!(schools, before, "a row by a path that stays", stays, Ok(0));
    let coded = |room: i32| [exam::Create { code: "north-1".to_owned() }.set(exam::room_id.to(room))];
    let room = north.exam().upsert_many(coded(other.room.id)).on(exam::code);
    attack!(schools, before, "optional key", room, Err(Error::NotFound { .. }));
    let set = north.exam().upsert_many(coded(own.room.id)).on(exam::code).set(exam::room_id.to(other.room.id));
    attack!(schools, before, "optional key, set", set, Err(Error::Misuse(_)));
    let result =
        |exam: i32| result::Create { student: own.students[0].id, exam }.set(result::id.to(Uuid::from_u128(8)));
    let required = north.result().upsert_many([result(other.exam.id)]).on(result::id);
    attack!(schools, before, "required key", required, Err(Error::NotFound { .. }));
    // Keys that share a column: a part of one would stay.
    use client::{desk, hall, seat};
    let (region, number) = (1, 1);
    north.hall().create(hall::Create { region, number }).await.expect("is created");
    north.desk().create(desk::Create { region, number }).await.expect("is created");
    let seat = seat::Create { region, hall_number: number, desk_number: number }.set(seat::id.to(1));
    let part = north.seat().upsert_many([seat]).on(seat::id).update(seat::hall_number);
    attack!(schools, before, "a part of a key", part, Err(Error::Misuse(_)));
    north.hall().delete_many().all_rows().await.expect("are deleted");
    north.desk().delete_many().all_rows().await.expect("are deleted");
    // Changes.
    let role = user::role.to(client::Role::Admin);
    let changes = || [(user::id.eq(other.users[0].id), role.clone()), (user::id.eq(id_of(9)), role.clone())];
    let done = north.user().update_each(changes()).await.expect("finds nothing");
    assert_eq!((done.updated, done.missing), (0, 2));
    attack!(schools, before, "update_each", north.user().update_each(changes()).and_return(), Ok(_));
    let by_other = [(user::school_id_email.eq(other.school.id, "u1@x.edu"), role.clone())];
    attack!(schools, before, "the key of the other", north.user().update_each(by_other), Ok(_));
    let moved = [(user::id.eq(own.users[0].id), user::school_id.to(other.school.id))];
    attack!(schools, before, "moved", north.user().update_each(moved), Err(Error::Misuse(_)));
    let by_path = [(session::id.eq(theirs.id), session::note.to("x"))];
    attack!(schools, before, "by a path", north.session().update_each(by_path), Ok(_));
    let by_path = [(session::id.eq(own_session.id), session::user_id.to(other.users[0].id))];
    attack!(schools, before, "to another by a path", north.session().update_each(by_path), Err(Error::NotFound { .. }));
    let lists = [(student::id.eq(other.students[0].id), student::labels.push("x"))];
    attack!(schools, before, "lists", north.student().update_each(lists), Ok(_));
    assert_eq!(schools.all_of(own).await, own_before);
}

fn id_of(number: u128) -> Uuid {
    Uuid::from_u128(number)
}

#[tokio::test]
async fn page_tokens_and_batches_of_others() {
    let schools = Schools::new().await;
    let (north, other) = (schools.north(), &schools.south);
    let before = schools.all_of(other).await;
    let south = schools.db.tenant(other.school.id);
    let token =
        south.user().find_many().order_by(user::email.asc()).take(1).page_after(None).await.expect("reads").next;
    let page = north.user().find_many().order_by(user::email.asc()).take(9).page_after(token).await.expect("reads");
    assert!(page.rows.iter().all(|row| row.school_id == schools.north.school.id));
    // A query stays with the handle at which it was begun.
    attack!(schools, before, "another's query", north.batch((south.user().count(),)), Err(Error::Misuse(_)));
    attack!(schools, before, "both", north.batch((north.user().count(), south.user().count())), Err(Error::Misuse(_)));
    attack!(schools, before, "all", schools.db.batch((north.user().delete_many().all_rows(),)), Err(Error::Misuse(_)));
    let all = schools.db.across_tenants();
    attack!(
        schools,
        before,
        "all in one's",
        north.batch((all.user().delete_many().all_rows(),)),
        Err(Error::Misuse(_))
    );
}

#[tokio::test]
async fn dropped_futures_and_failed_queries_leave_nothing_behind() {
    let schools = Schools::new().await;
    // One connection for both schools.
    let url = &schools.database.client_url;
    let one = database::client(url).max_connections(1).connect().await.expect("connects");
    let (north, south) = (one.tenant(schools.north.school.id), one.tenant(schools.south.school.id));
    for round in 0..20 {
        drop(
            tokio::time::timeout(
                std::time::Duration::from_micros(round * 50),
                north.user().find_many().include(user::student),
            )
            .await,
        );
        assert!(north.user().create(user::Create { email: "u1@x.edu".to_owned() }).await.is_err());
        let users = south.user().find_many().await.expect("reads");
        assert!(users.iter().all(|user| user.school_id == schools.south.school.id));
        let tx = north.begin().await.expect("begins");
        drop(tx.user().count().await);
        drop(tx);
        assert_eq!(south.student().count().await.expect("counts"), 3);
    }
}

/// How long tasks run: a second, or as many as `RELATA_TENANT_SECONDS` says.
fn duration() -> std::time::Duration {
    let seconds = std::env::var("RELATA_TENANT_SECONDS").map(|text| text.parse().expect("is a number"));
    std::time::Duration::from_secs(seconds.unwrap_or(1))
}

/// One round of a task at one tenant: a write, a failure, a dropped future and reads. `slug` marks the tenant's rows.
async fn round(here: &TenantClient, id: Uuid, slug: &str, number: usize) {
    let email = format!("{number}@{slug}");
    let user = here.user().create(user::Create { email: email.clone() }).await.expect("creates");
    assert_eq!((user.school_id, &user.email), (id, &email));
    let again = here.user().create(user::Create { email: email.clone() }).await;
    assert!(matches!(again, Err(relata::Error::UniqueViolation(_))), "{again:?}");
    // It may be dropped before it is sent, while it runs, or after it.
    let dropped = here.user().update_many().all_rows().set(user::country_id.to(1));
    let _ = tokio::time::timeout(std::time::Duration::from_micros(50 * (number % 60) as u64), dropped).await;
    let users =
        here.user().find_many().include(user::sessions).order_by(user::email.asc()).take(20).await.expect("reads");
    assert!(!users.is_empty());
    for user in users {
        assert_eq!((user.school_id, user.email.ends_with(slug)), (id, true), "{user:?} at {slug}");
    }
    let others = here.user().count().filter(!user::email.ends_with(format!("@{slug}"))).await.expect("counts");
    assert_eq!(others, 0);
}

/// Tasks of many tenants share a few connections, write, fail and are dropped, and each sees its tenant's rows alone.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn handles_of_many_tenants_at_once() {
    let database = Database::new().await;
    let tenants: Vec<(Uuid, String)> = (0..50).map(|number| (id(), format!("t{number}.edu"))).collect();
    for (number, (id, _)) in tenants.iter().enumerate() {
        database.add_school(*id, number).await;
    }
    let (tenants, end) = (std::sync::Arc::new(tenants), std::time::Instant::now() + duration());
    let tasks: Vec<_> = (0..64_usize)
        .map(|task| {
            let (db, tenants) = (database.db.clone(), std::sync::Arc::clone(&tenants));
            tokio::spawn(async move {
                let mut rounds = 0;
                while rounds == 0 || std::time::Instant::now() < end {
                    let (id, slug) = &tenants[(task * 7 + rounds * 13) % tenants.len()];
                    round(&db.tenant(*id), *id, slug, task + 64 * rounds).await;
                    rounds += 1;
                }
                rounds
            })
        })
        .collect();
    let mut rounds = 0;
    for task in tasks {
        rounds += task.await.expect("sees its own rows");
    }
    let all = database.db.across_tenants();
    assert_eq!(all.user().count().await.expect("counts"), rounds as u64);
    println!("{rounds} rounds of 64 tasks with {} tenants", tenants.len());
}

/// SQL of the program is part of a confined statement only if it reads no table.
#[tokio::test]
async fn sql_of_the_program_reads_no_tables() {
    use relata::{Expression, Filter};

    let schools = Schools::new().await;
    let (north, other) = (schools.north(), &schools.south);
    let before = schools.all_of(other).await;
    let own = north.user().count().await.expect("counts");
    let reads = || Filter::<client::User>::sql("EXISTS (select 1 FROM pg_class)", ());
    attack!(schools, before, "a filter", north.user().count().filter(reads()), Err(Error::Misuse(_)));
    attack!(schools, before, "a negated one", north.user().count().filter(!reads()), Err(Error::Misuse(_)));
    attack!(schools, before, "a delete", north.user().delete_many().filter(reads()), Err(Error::Misuse(_)));
    let table = Filter::<client::User>::sql("1 IN (TABLE pg_class)", ());
    attack!(schools, before, "a table", north.user().count().filter(table), Err(Error::Misuse(_)));
    let value: Expression<client::User, String> = Expression::sql("(SELECT {})", (user::email,));
    attack!(schools, before, "a value", north.user().find_many().select(value.clone()), Err(Error::Misuse(_)));
    attack!(schools, before, "an order", north.user().find_many().order_by(value.clone().asc()), Err(Error::Misuse(_)));
    attack!(schools, before, "a group", north.user().group_by(value.clone()), Err(Error::Misuse(_)));
    let one = north.user().update(user::id.eq(schools.north.users[0].id)).set(user::email.to(value.clone()));
    attack!(schools, before, "a write that returns values", one.select((user::id, user::email)), Err(Error::Misuse(_)));
    let set = north.user().update_many().all_rows().set(user::email.to(value));
    attack!(schools, before, "a set", set, Err(Error::Misuse(_)));
    // What reads none sees the rows of the tenant alone, also with OR.
    // A parenthesis that closes that of the filter would leave the tenant's condition behind.
    for leaves in ["TRUE) OR (TRUE", "TRUE --", "TRUE; SELECT 1", "'"] {
        let count = north.user().count().filter(Filter::sql(leaves, ())).await;
        assert!(matches!(count, Err(Error::Misuse(_))), "{leaves}: {count:?}");
    }
    let any = || Filter::<client::User>::sql("{} = {} OR TRUE", (user::email, "it's a select"));
    assert_eq!(north.user().count().filter(any()).await.expect("counts"), own);
    assert_eq!(north.user().count().filter(!any()).await.expect("counts"), 0);
    assert_eq!(north.user().update_many().filter(any()).set(user::email.to(user::email)).await.expect("writes"), own);
    assert_eq!(schools.all_of(other).await, before);
}

/// Both schools get a chain of mentors: each student is the mentor of the next one.
#[tokio::test]
async fn relations_that_are_followed_step_by_step() {
    let schools = Schools::new().await;
    let (north, own, other) = (schools.north(), &schools.north, &schools.south);
    for school in [own, other] {
        for pair in school.students.windows(2) {
            let set = student::mentor_id.to(pair[0].id);
            schools.db.across_tenants().student().update(student::id.eq(pair[1].id)).set(set).await.expect("is set");
        }
    }
    let before = schools.all_of(other).await;
    let [own_ids, other_ids] =
        [own, other].map(|school| school.students.iter().map(|student| student.id).collect::<Vec<_>>());
    let (last, first) = (own_ids[own_ids.len() - 1], own_ids[0]);
    for _ in 0..2 {
        let above = student::mentor.ancestors();
        let row =
            north.student().find_unique(student::id.eq(last)).include(above.clone()).or_err().await.expect("reads");
        let path: Vec<_> = row.mentor.iter().map(|mentor| mentor.id).collect();
        assert_eq!(path, own_ids.iter().rev().skip(1).copied().collect::<Vec<_>>());
        let all =
            north.student().find_many().include(student::mentored.descendants()).include(above).await.expect("reads");
        assert_eq!(all.len(), own_ids.len());
        for row in &all {
            let reached = row.mentored.iter().flat_map(relata::Tree::rows).chain(&row.mentor);
            assert!(reached.into_iter().all(|student| own_ids.contains(&student.id)));
        }
        let by = |id| north.student().count().filter(student::mentor.ancestors().some(student::id.eq(id)));
        assert_eq!(by(first).await.expect("counts"), own_ids.len() as u64 - 1);
        attack!(schools, before, "ancestors of another school", by(other_ids[0]), Ok(0));
        let up = student::mentored.descendants().some(student::id.eq(other_ids[other_ids.len() - 1]));
        attack!(schools, before, "descendants of another school", north.student().count().filter(up), Ok(0));
        let theirs = north.student().find_unique(student::id.eq(other_ids[0])).include(student::mentored.descendants());
        attack!(schools, before, "a tree of another school", theirs, Ok(None));
    }
    // Without a tenant, the keys have all of their columns.
    let everywhere = schools.db.across_tenants();
    let count = everywhere.student().count().filter(student::mentor.ancestors().some(student::id.eq(other_ids[0])));
    assert_eq!(count.await.expect("counts"), other_ids.len() as u64 - 1);
    let tree = everywhere.student().find_unique(student::id.eq(first)).include(student::mentored.descendants());
    assert_eq!(tree.or_err().await.expect("reads").mentored[0].count(), own_ids.len() - 1);
}
