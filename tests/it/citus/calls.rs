//! Every kind of call of a handle, with the rows that it gives and leaves.

use futures_util::TryStreamExt;
use relata::chrono::{NaiveDate, Utc};

use super::*;

/// Creates rows in each way that the client has.
pub(super) async fn create(here: &TenantClient) {
    let row = |number: u32| user::Create {
        email: format!("u{number}@x.edu"),
        password_hash: "hash".to_owned(),
        role: Role::Student,
    };
    let first = here.user().create(row(1)).await.expect("is created");
    assert_eq!(first.role, Role::Student);
    assert_eq!(here.user().create_many((2..5).map(row)).await.expect("are created"), 3);
    assert_eq!(here.user().create_many((4..6).map(row)).skip_duplicates().await.expect("skips"), 1);
    assert_eq!(here.user().create_many([row(1)]).skip_duplicates().await.expect("skips"), 0);
    let rows = here.user().create_many_and_return((6..8).map(row)).await.expect("are created");
    assert_eq!(rows.len(), 2);
    assert_eq!(here.user().copy_in((8..10).map(row)).await.expect("are copied"), 2);
    let nested = row(10)
        .with(user::student.create(student::Create { user: Parent, class_year: 2030 }))
        .with(user::sessions.create(session::Create { user: Parent, expires_at: Utc::now() }));
    let nested = here.user().create(nested).include(user::student).include(user::sessions).await.expect("is created");
    assert_eq!((nested.student.is_some(), nested.sessions.len()), (true, 1));
    let types =
        ["A", "B"].map(|code| exam_type::Create { code: code.to_owned(), name: code.to_owned(), default_weight: 1.0 });
    let types = here.exam_type().create_many_and_return(types).await.expect("are created");
    let by_key = student::Create { user: user::email.eq("u2@x.edu"), class_year: 2031 };
    let other = here.student().create(by_key).await.expect("is created");
    let exams = types.iter().map(|ty| student_exam::Create { student: other.id, exam_type: ty.id });
    assert_eq!(here.student_exam().create_many(exams).await.expect("are created"), 2);
    let notes = ["a", "b", "c"].map(|text| {
        let readers = [Role::Admin, Role::Faculty];
        note::Create { text: text.to_owned() }.set(note::readers.to(readers)).set(note::writer.to(Role::Faculty))
    });
    let [first, rest @ ..] = notes;
    let first = here.note().create(first).await.expect("is created");
    assert_eq!((first.readers.len(), first.writer), (2, Some(Role::Faculty)));
    let rest = here.note().create_many_and_return(rest).await.expect("are created");
    assert!(rest.iter().all(|note| note.readers == [Role::Admin, Role::Faculty]));
    on_every_server(here).await;
}

fn item(name: &str) -> item::Create {
    item::Create { name: name.to_owned() }
}

/// Reference tables with a join table, and with a path to the institution.
async fn on_every_server(here: &TenantClient) {
    let desk = here.item().create(item("desk")).await.expect("is created");
    let hall = room::Create { name: "hall".to_owned() }
        .with(room::items.connect(item::id.eq(desk.id)))
        .with(room::items.create(item("lamp")))
        .with(room::seats.create_many((1..4).map(|number| seat::Create { room: Parent, number })));
    let hall = here.room().create(hall).include(room::items).include(room::seats).await.expect("is created");
    assert_eq!((hall.items.len(), hall.seats.len()), (2, 3));
    here.room().create(room::Create { name: "attic".to_owned() }).await.expect("is created");
    let by_key = seat::Create { room: room::name.eq("attic"), number: 50 };
    here.seat().create(by_key).await.expect("is created");
    let many = [2, 3].map(|number| seat::Create { room: hall.row_.id, number: number + 10 });
    assert_eq!(here.seat().create_many(many).await.expect("are created"), 2);
}

/// Reads in each way.
pub(super) async fn read(here: &TenantClient) {
    assert_eq!(here.user().count().await.expect("counts"), 10);
    assert_eq!(here.user().find_many().filter(user::role.eq(Role::Student)).await.expect("reads").len(), 10);
    let found = here.user().find_unique(user::email.eq("u2@x.edu")).include(user::student).await.expect("reads");
    let found = found.expect("is there");
    let by_id = here.user().find_unique(user::id.eq(found.id)).or_err().await.expect("reads");
    assert_eq!(by_id.email, "u2@x.edu");
    assert!(here.student().exists().filter(student::class_year.eq(2030)).await.expect("asks"));
    let deep = here.user().find_many().order_by(user::email.asc()).include(
        user::student.include(student::exams.order_by(student_exam::created_at.asc()).include(student_exam::exam_type)),
    );
    let deep = deep.include(user::sessions).await.expect("reads");
    assert_eq!(deep.iter().flat_map(|user| &user.student).map(|student| student.exams.len()).sum::<usize>(), 2);
    let limited = here.exam_type().find_many().include(exam_type::exams.take(1)).await.expect("reads");
    assert!(limited.iter().all(|ty| ty.exams.len() == 1));
    let through = student::user.is(user::email.contains("u2")) & student::exams.some(student_exam::score.is_null());
    assert_eq!(here.student().count().filter(through).await.expect("counts"), 1);
    let none = student::exams.none(student_exam::exam_type.is(exam_type::code.eq("A")));
    assert_eq!(here.student().count().filter(none).await.expect("counts"), 1);
    let ordered = here.student().find_many().order_by(student::exams.count().desc());
    assert_eq!(ordered.order_by(student::user.order(user::email.asc())).await.expect("reads").len(), 2);
    let pairs = here.student().find_many().select((student::user.select(user::email), student::exams.count()));
    assert_eq!(pairs.await.expect("reads").len(), 2);
    let (number, latest): (i64, Option<i32>) =
        here.student().aggregate((relata::count(), student::class_year.max())).await.expect("calculates");
    assert_eq!((number, latest), (2, Some(2031)));
    let groups = here.user().group_by(user::role).aggregate(relata::count()).await.expect("groups");
    assert_eq!(groups, [(Role::Student, 10)]);
    assert_eq!(here.user().find_many().distinct(user::role).await.expect("reads").len(), 1);
    let page = here.user().find_many().order_by(user::email.asc()).take(4).page_after(None).await.expect("reads");
    let next = here.user().find_many().order_by(user::email.asc()).take(4).page_after(page.next).await.expect("reads");
    assert_eq!((page.rows.len(), next.rows.len()), (4, 4));
    let behind = here.user().find_many().order_by(user::email.asc()).cursor(user::email.eq("u5@x.edu"));
    assert_eq!(behind.await.expect("reads").len(), 5);
    let rows = here.user().find_many().include(user::sessions).stream().rows_at_once(3);
    assert_eq!(rows.try_collect::<Vec<_>>().await.expect("reads").len(), 10);
    let notes = here.note().find_many().filter(note::readers.has(Role::Admin)).include(note::country).await;
    assert_eq!(notes.expect("reads").len(), 3);
    let own = here.institution().find_many().include(institution::users.take(3)).await.expect("reads");
    assert_eq!((own.len(), own[0].users.len()), (1, 3));
    let countries = here.country().find_many().include(country::notes).await.expect("reads");
    assert_eq!(countries.len(), 1);
    let rooms = here.room().find_many().order_by(room::items.count().desc()).include(room::items.take(1));
    let rooms = rooms.include(room::seats.order_by(seat::number.desc()).take(2)).await.expect("reads");
    assert_eq!(rooms.iter().map(|room| (room.items.len(), room.seats.len())).collect::<Vec<_>>(), [(1, 2), (0, 1)]);
    let with_desk = room::items.some(item::name.eq("desk")) & room::items.none(item::name.eq("sofa"));
    assert_eq!(here.room().count().filter(with_desk).await.expect("counts"), 1);
    let of_hall = here.seat().find_many().filter(seat::room.is(room::name.eq("hall"))).include(seat::room);
    assert_eq!(of_hall.await.expect("reads").len(), 5);
    assert_eq!(here.seat().count().await.expect("counts"), 6);
}

/// Changes and deletes rows in each way.
pub(super) async fn change(here: &TenantClient) {
    let ada = user::email.eq("u1@x.edu");
    let changed = here.user().update(ada.clone()).set(user::role.to(Role::Admin)).await.expect("updates");
    assert_eq!(changed.role, Role::Admin);
    let all = here.student().update_many().all_rows().set(student::class_year.increment(1)).await.expect("updates");
    assert_eq!(all, 2);
    let limited = here.user().update_many().all_rows().limit(2).set(user::password_hash.to("x")).await;
    assert_eq!(limited.expect("updates"), 2);
    let through = here.student_exam().update_many().filter(student_exam::student.is(student::class_year.gt(2000)));
    let day = NaiveDate::from_ymd_opt(2030, 1, 2).expect("is a day");
    assert_eq!(through.set(student_exam::scheduled_on.to(day)).await.expect("updates"), 2);
    let row = || user::Create { email: "u1@x.edu".into(), password_hash: "new".into(), role: Role::Student };
    let upserted = here.user().upsert(ada.clone(), row()).set(user::role.to(Role::Faculty)).await.expect("upserts");
    assert_eq!((upserted.id, upserted.role), (changed.id, Role::Faculty));
    let row = user::Create { email: "new@x.edu".into(), password_hash: "new".into(), role: Role::Faculty };
    assert_eq!(here.user().upsert(user::email.eq("new@x.edu"), row).await.expect("upserts").role, Role::Faculty);
    let note = here.note().update(note::text.eq("a")).set(note::readers.push(Role::Student));
    let note = note.with(note::country.connect(country::code.eq("x"))).include(note::country).await.expect("updates");
    assert_eq!((note.readers.len(), note.country.as_ref().map(|it| it.tone)), (3, Some(Role::Student)));
    let note = here.note().update(note::text.eq("a")).with(note::country.disconnect()).await.expect("updates");
    assert_eq!(note.country_code, None);
    let grown = here.user().update(user::email.eq("u3@x.edu"));
    let grown = grown.with(user::student.create(student::Create { user: Parent, class_year: 2032 })).await;
    grown.expect("updates");
    let moved = here.user().update(user::email.eq("u10@x.edu"));
    moved.with(user::sessions.create(session::Create { user: Parent, expires_at: Utc::now() })).await.expect("updates");
    either_way(here).await;
    let (users, exams) = here.batch((here.user().count(), here.student_exam().find_many())).await.expect("runs");
    assert_eq!((users, exams.len()), (11, 2));
    let counted: relata::Result<(u64, u64)> = here
        .transaction(|tx| async move {
            tx.note().update_many().all_rows().set(note::writer.to(Role::Admin)).await?;
            let inner: relata::Result<u64> =
                tx.savepoint(|inner| async move { inner.note().delete_many().filter(note::text.eq("c")).await }).await;
            Ok((inner?, tx.note().count().filter(note::writer.eq(Role::Admin)).await?))
        })
        .await;
    assert_eq!(counted.expect("commits"), (1, 2));
    let again = user::Create { email: "u1@x.edu".into(), password_hash: String::new(), role: Role::Faculty };
    let again = here.user().create(again).await;
    assert!(
        matches!(&again, Err(relata::Error::UniqueViolation(found)) if found.constraint == user::INSTITUTION_ID_EMAIL_KEY),
        "{again:?}"
    );
    let nobody = student_exam::Create { student: Uuid::from_u128(1), exam_type: Uuid::from_u128(2) };
    let nobody = here.student_exam().create(nobody).await;
    assert!(matches!(nobody, Err(relata::Error::ForeignKeyViolation(_))), "{nobody:?}");
    let unknown = student::Create { user: user::email.eq("nobody@x.edu"), class_year: 2030 };
    let unknown = here.student().create(unknown).await;
    assert!(matches!(unknown, Err(relata::Error::NotFound { .. })), "{unknown:?}");
    let gone = here.note().delete(note::text.eq("b")).await.expect("deletes");
    assert_eq!(gone.writer, Some(Role::Admin));
    assert_eq!(here.student_exam().delete_many().all_rows().limit(1).await.expect("deletes"), 1);
    assert_eq!(
        here.session().delete_many().filter(session::user.is(user::email.contains("u10"))).await.expect("deletes"),
        2
    );
}

/// Rows that are created, or changed or connected if they exist, as they do the second time.
async fn either_way(here: &TenantClient) {
    let ids = [77, 78, 79, 80].map(Uuid::from_u128);
    let until = Utc::now();
    let session = |at: usize| session::Create { user: Parent, expires_at: until }.set(session::id.to(ids[at]));
    let fourth = || user::email.eq("u4@x.edu");
    for _ in 0..2 {
        let row = session::Create { user: fourth(), expires_at: until };
        let upserted = here.session().upsert(session::id.eq(ids[0]), row).set(session::expires_at.to(until));
        let upserted = upserted.include(session::user).await.expect("upserts");
        assert_eq!((upserted.row_.id, upserted.user.email.as_str()), (ids[0], "u4@x.edu"));
        let either = here
            .user()
            .update(fourth())
            .with(user::sessions.connect_or_create(session::id.eq(ids[1]), session(1)))
            .with(user::sessions.connect_or_create(session::id.eq(ids[2]), session(2)))
            .with(user::sessions.upsert(session::id.eq(ids[3]), session(3), [session::expires_at.to(until)]))
            .with(
                user::student
                    .upsert(student::Create { user: Parent, class_year: 2040 }, [student::class_year.increment(1)]),
            );
        assert_eq!(either.include(user::sessions).await.expect("updates").sessions.len(), 4);
        let land = country::Create { code: "x".to_owned() };
        let connected = note::country.connect_or_create(country::code.eq("x"), land);
        let connected = here.note().update(note::text.eq("a")).with(connected).await.expect("updates");
        assert_eq!(connected.country_code.as_deref(), Some("x"));
        let hall = here
            .room()
            .update(room::name.eq("hall"))
            .with(room::items.connect_or_create(item::name.eq("desk"), item("desk")))
            .with(room::items.connect_or_create(item::name.eq("sofa"), item("sofa")))
            .with(room::items.upsert(item::name.eq("lamp"), item("lamp"), [item::name.to("lamp")]));
        assert_eq!(hall.include(room::items).await.expect("updates").items.len(), 3);
    }
    let nobody = session::Create { user: user::email.eq("nobody@x.edu"), expires_at: until };
    let nobody = here.session().upsert(session::id.eq(Uuid::from_u128(81)), nobody).await;
    assert!(matches!(nobody, Err(relata::Error::NotFound { .. })), "{nobody:?}");
    let years = here.student().find_many().filter(student::class_year.eq(2041)).include(student::user).await;
    assert_eq!(years.expect("reads")[0].user.email, "u4@x.edu");
    let items = here.room().update(room::name.eq("hall")).with(room::items.set([item::name.eq("sofa")]));
    let items = items.with(room::items.disconnect(item::name.eq("lamp"))).include(room::items).await;
    assert_eq!(items.expect("updates").items.len(), 1);
    let hall = here.room().find_unique(room::name.eq("hall")).or_err().await.expect("reads");
    let seats = here.seat().update_many().filter(seat::room_id.eq(hall.id) & seat::number.gt(10));
    assert_eq!(seats.set(seat::number.increment(100)).await.expect("updates"), 2);
    assert_eq!(
        here.seat().update_many().all_rows().limit(2).set(seat::number.increment(100)).await.expect("updates"),
        2
    );
    let moved = here.seat().find_many().filter(seat::room.is(room::name.eq("attic"))).await.expect("reads")[0].id;
    let moved = here.seat().update(seat::id.eq(moved)).with(seat::room.connect(room::name.eq("hall"))).await;
    assert_eq!(moved.expect("updates").room_id, hall.id);
    assert_eq!(here.seat().delete_many().filter(seat::room.is(room::name.eq("attic"))).await.expect("deletes"), 0);
    // Citus has no way to see whose row it is, if there is one.
    let row = seat::Create { room: room::name.eq("hall"), number: 900 };
    let upserted = here.seat().upsert(seat::id.eq(ids[0]), row).set(seat::number.to(901)).await;
    assert!(matches!(&upserted, Err(relata::Error::Misuse(reason)) if reason.contains("on Citus")), "{upserted:?}");
    let row = seat::Create { room: Parent, number: 900 };
    let either =
        here.room().update(room::name.eq("hall")).with(room::seats.connect_or_create(seat::id.eq(ids[0]), row));
    assert!(matches!(either.await, Err(relata::Error::Misuse(_))));
}

#[tokio::test]
async fn every_call_of_a_handle_works_on_citus() {
    let Some(planner) = Planner::start().await else { return };
    all_calls(&planner).await;
}

/// The client for Citus is released before the tables are distributed.
#[tokio::test]
async fn the_client_also_works_on_one_server() {
    all_calls(&Planner::on_postgresql().await).await;
}

async fn all_calls(planner: &Planner) {
    for id in [planner.north, planner.south] {
        let here = planner.db.tenant(id);
        create(&here).await;
        read(&here).await;
    }
    change(&planner.north()).await;
    read(&planner.db.tenant(planner.south)).await;
    let all = planner.db.across_tenants();
    assert_eq!(all.user().count().await.expect("counts"), 21);
    assert_eq!(all.institution().find_many().include(institution::users).await.expect("reads").len(), 2);
    all.student_exam().delete_many().all_rows().await.expect("deletes");
    all.institution().delete(institution::id.eq(planner.north)).await.expect("deletes");
    assert_eq!(all.user().count().await.expect("counts"), 10);
}
