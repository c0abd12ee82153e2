//! References to rows of other tenants that no single value of a call shows: foreign keys that share columns, keys of
//! upserts, defaults, and rows of a join table.

use relata::{Error, Unique};

use super::*;
use client::{Locker, Seat, desk, hall, locker, seat, topic};

/// Returns which rows of a school reference rows of another one.
async fn crossings(schools: &Schools) -> i64 {
    let sql = r#"SELECT (SELECT count(*) FROM "Seat" s JOIN "Desk" d USING (region) WHERE d.number = s."deskNumber" AND d."schoolId" <> s."schoolId")
        + (SELECT count(*) FROM "Seat" s JOIN "Hall" h USING (region) WHERE h.number = s."hallNumber" AND h."schoolId" <> s."schoolId")
        + (SELECT count(*) FROM "Locker" l JOIN "User" u ON u.id = l."userId" WHERE u."schoolId" <> l."schoolId")
        + (SELECT count(*) FROM "Locker" l JOIN "Room" r ON r.id = l."roomId" WHERE r."schoolId" <> l."schoolId")"#;
    plain_sql(schools.url(), sql).await[0].get(0)
}

macro_rules! refused {
    ($schools:ident, $what:literal, $call:expr, $outcome:pat) => {
        let outcome = $call.await;
        #[allow(clippy::redundant_pattern_matching, reason = "the pattern differs from use to use")]
        let is_so = matches!(outcome, $outcome);
        assert!(is_so, "{}: {outcome:?}", $what);
        assert_eq!(crossings(&$schools).await, 0, $what);
    };
}

/// Two schools with halls and desks in the same region: those of the north are number 1, those of the south number 2.
/// In region 9, the north has hall 1 and the south desk 1.
async fn with_desks() -> Schools {
    let schools = Schools::new().await;
    for (id, number) in [(schools.north.school.id, 1), (schools.south.school.id, 2)] {
        let here = schools.db.tenant(id);
        here.hall().create(hall::Create { region: 1, number }).await.expect("is created");
        here.desk().create(desk::Create { region: 1, number }).await.expect("is created");
    }
    schools.north().hall().create(hall::Create { region: 9, number: 1 }).await.expect("is created");
    let south = schools.db.tenant(schools.south.school.id);
    south.desk().create(desk::Create { region: 9, number: 1 }).await.expect("is created");
    schools
}

fn seat(hall_number: i32, desk_number: i32) -> seat::Create {
    seat::Create { region: 1, hall_number, desk_number }
}

#[tokio::test]
async fn foreign_keys_that_share_a_column_are_all_looked_up() {
    let schools = with_desks().await;
    let north = schools.north();
    // A desk of another school is as missing as one that does not exist.
    refused!(schools, "create", north.seat().create(seat(1, 2)), Err(Error::NotFound { relation: Some("desk"), .. }));
    refused!(schools, "missing", north.seat().create(seat(1, 7)), Err(Error::NotFound { relation: Some("desk"), .. }));
    refused!(
        schools,
        "the other",
        north.seat().create(seat(2, 1)),
        Err(Error::NotFound { relation: Some("hall"), .. })
    );
    refused!(schools, "create_many", north.seat().create_many([seat(1, 1), seat(1, 2)]), Err(Error::NotFound { .. }));
    refused!(schools, "copy_in", north.seat().copy_in([seat(1, 2)]), Err(Error::Misuse(_)));
    assert_eq!(north.seat().count().await.expect("counts"), 0);

    let own: Seat = north.seat().create(seat(1, 1)).await.expect("both are its own");
    let one = || north.seat().update(seat::id.eq(own.id));
    let whole = |desk| one().set(seat::region.to(1)).set(seat::hall_number.to(1)).set(seat::desk_number.to(desk));
    refused!(schools, "update", whole(2), Err(Error::NotFound { .. }));
    refused!(schools, "update of the same", whole(1), Ok(_));
    refused!(schools, "a part", one().set(seat::desk_number.to(2)), Err(Error::Misuse(_)));
    let many = north.seat().update_many().all_rows().set(seat::region.to(1)).set(seat::hall_number.to(1));
    refused!(schools, "update_many", many.set(seat::desk_number.to(2)), Err(Error::NotNullViolation(_)));
}

#[tokio::test]
async fn a_shared_column_moves_no_other_reference() {
    let schools = with_desks().await;
    let north = schools.north();
    let own = north.seat().create(seat(1, 1)).await.expect("both are its own");
    let one = || north.seat().update(seat::id.eq(own.id));
    let hall = || north.hall().update(hall::region_number.eq(1, 1));
    let far = || north.hall().update(hall::region_number.eq(9, 1));
    refused!(schools, "connect", one().with(seat::hall.connect(hall::region_number.eq(9, 1))), Err(Error::Misuse(_)));
    refused!(schools, "from the hall", far().with(hall::seats.connect(seat::id.eq(own.id))), Err(Error::Misuse(_)));
    refused!(schools, "set", far().with(hall::seats.set([seat::id.eq(own.id)])), Err(Error::Misuse(_)));
    // PostgreSQL would change the seats of the hall, too.
    refused!(schools, "cascade", hall().set(hall::region.to(9)).set(hall::number.to(3)), Err(Error::Misuse(_)));
    let nested = one().with(seat::hall.update([hall::region.to(9), hall::number.to(3)]));
    refused!(schools, "nested cascade", nested, Err(Error::Misuse(_)));
}

#[tokio::test]
async fn the_key_of_an_upsert_is_looked_up() {
    let schools = Schools::new().await;
    let (north, own, other) = (schools.north(), &schools.north, &schools.south);
    let before = schools.all_of(other).await;
    let row = || locker::Create { label: "x".to_owned() }.set(locker::room_id.to(own.room.id));
    let upsert = |user| north.locker().upsert(locker::user_id.eq(user), row()).set(locker::label.to("again"));
    // The id of another school's user is as missing as one that does not exist.
    let mut told = Vec::new();
    for user in [other.users[0].id, id()] {
        refused!(schools, "upsert", upsert(user), Err(Error::NotFound { relation: Some("user"), .. }));
        refused!(schools, "with a relation", upsert(user).include(locker::user), Err(Error::NotFound { .. }));
        told.push(upsert(user).await.expect_err("is refused").to_string());
        let room = || north.room().update(room::id.eq(own.room.id));
        let nested = locker::Create { label: "x".to_owned() };
        let either = room().with(room::lockers.connect_or_create(locker::user_id.eq(user), nested.clone()));
        refused!(schools, "connect_or_create", either, Err(Error::NotFound { .. }));
        let upsert = room().with(room::lockers.upsert(locker::user_id.eq(user), nested, []));
        refused!(schools, "nested upsert", upsert, Err(Error::NotFound { .. }));
    }
    assert_eq!(told[0], told[1]);
    assert_eq!(north.locker().count().await.expect("counts"), 0, "nothing is left of what failed");
    // For one's own user the row is created, and updated the next time.
    let made = upsert(own.users[0].id).await.expect("is created");
    assert_eq!((made.label.as_str(), made.user_id, made.school_id), ("x", Some(own.users[0].id), own.school.id));
    let again = upsert(own.users[0].id).include(locker::user).await.expect("is updated");
    assert_eq!((again.id, again.label.as_str()), (made.id, "again"));
    assert_eq!(again.user.map(|user| user.id), Some(own.users[0].id));
    let two = row().set(locker::user_id.to(own.users[1].id));
    let mismatch = north.locker().upsert(locker::user_id.eq(own.users[2].id), two);
    refused!(schools, "two keys", mismatch, Err(Error::Misuse(_)));
    let user = north.user().update(user::id.eq(own.users[0].id));
    let user = user.with(user::locker.upsert(row(), [locker::label.to("y")]));
    refused!(schools, "of its own user", user, Ok(_));
    assert_eq!(north.locker().count().filter(locker::user_id.eq(own.users[0].id)).await.expect("counts"), 1);
    let room = north.room().update(room::id.eq(own.room.id));
    let nested = locker::Create { label: "z".to_owned() };
    let either = room.with(room::lockers.connect_or_create(locker::user_id.eq(own.users[1].id), nested));
    refused!(schools, "of its own room", either, Ok(_));
    assert_eq!(north.locker().count().await.expect("counts"), 2);
    assert_eq!(schools.all_of(other).await, before);
}

/// Of a row that exists, an upsert sets only what it is told to, but what it names has to be the tenant's.
#[tokio::test]
async fn an_optional_reference_of_an_upsert_is_looked_up() {
    let schools = Schools::new().await;
    let (north, own, other) = (schools.north(), &schools.north, &schools.south);
    let upsert = |code: &str, room: i32| {
        let row = client::exam::Create { code: code.to_owned() }.set(exam::room_id.to(room));
        north.exam().upsert(exam::code.eq(code), row)
    };
    for room in [other.room.id, 999] {
        refused!(schools, "new", upsert("new", room), Err(Error::NotFound { relation: Some("room"), .. }));
        refused!(schools, "known", upsert("north-1", room), Err(Error::NotFound { relation: Some("room"), .. }));
    }
    assert_eq!(upsert("new", own.room.id).await.expect("is created").room_id, Some(own.room.id));
    north.exam().update(exam::code.eq("new")).set(exam::room_id.set_null()).await.expect("updates");
    assert_eq!(upsert("new", own.room.id).await.expect("is found").room_id, None);
    // The exam of another school, whose code is taken for all.
    refused!(schools, "of another", upsert("south-1", own.room.id), Err(Error::NotFound { .. }));
}

#[tokio::test]
async fn the_default_of_a_foreign_key_is_no_row_of_another_tenant() {
    let schools = Schools::new().await;
    assert_eq!(schools.north.room.id, 1, "the default is the room of the north");
    let south = schools.db.tenant(schools.south.school.id);
    let row = || locker::Create { label: "x".to_owned() };
    refused!(schools, "create", south.locker().create(row()), Err(Error::Misuse(_)));
    refused!(schools, "create_many", south.locker().create_many([row(), row()]), Err(Error::Misuse(_)));
    refused!(schools, "copy_in", south.locker().copy_in([row()]), Err(Error::Misuse(_)));
    let user = south.user().update(user::id.eq(schools.south.users[0].id));
    refused!(schools, "nested", user.with(user::locker.create(row())), Err(Error::Misuse(_)));
    let own = row().set(locker::room_id.to(schools.south.room.id));
    let own: Locker = south.locker().create(own).await.expect("the room is its own");
    let by_room = south.room().update(room::id.eq(schools.south.room.id));
    refused!(schools, "of its own room", by_room.with(room::lockers.create(row())), Ok(_));
    let reset = south.locker().update(locker::id.eq(own.id)).set(locker::room_id.to_default());
    refused!(schools, "to_default", reset, Err(Error::Misuse(_)));
}

#[tokio::test]
async fn a_shared_row_keeps_the_links_of_other_tenants() {
    let schools = Schools::new().await;
    let (north, own, other) = (schools.north(), &schools.north, &schools.south);
    let south = schools.db.tenant(other.school.id);
    let chess = north.topic().create(topic::Create { name: "chess".to_owned() }).await.expect("is created");
    let of_topic = || club::topics.connect(topic::id.eq(chess.id));
    for (here, club) in [(&north, own.club.id), (&south, other.club.id)] {
        here.club().update(club::id.eq(club)).with(of_topic()).await.expect("connects");
    }
    let before = schools.all_of(other).await;
    assert!(before.contains("_ClubToTopic"), "{before}");
    let change = || north.topic().update(topic::id.eq(chess.id));
    change().with(topic::clubs.set([club::id.eq(own.club.id)])).await.expect("sets its own");
    assert_eq!(schools.all_of(other).await, before);
    let none: [Unique<Club>; 0] = [];
    change().with(topic::clubs.set(none)).await.expect("sets none");
    assert_eq!(schools.all_of(other).await, before);
    assert_eq!(north.club().count().filter(club::topics.some(topic::id.eq(chess.id))).await.expect("counts"), 0);
    let nested = club::Create { name: "New".to_owned() };
    change().with(topic::clubs.create(nested)).await.expect("creates");
    let taken = change().with(topic::clubs.set([club::id.eq(other.club.id)])).await;
    assert!(matches!(taken, Err(Error::NotFound { .. })), "{taken:?}");
    assert_eq!(schools.all_of(other).await, before);
    assert_eq!(north.club().count().filter(club::topics.some(topic::id.eq(chess.id))).await.expect("counts"), 1);
}
