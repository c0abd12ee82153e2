//! Random programs of two and of three tenants in one database, against an oracle: each tenant alone in a database of its own.
//!
//! Every call goes to both by the tenant's handle, and often names ids of other tenants, which do not exist in a database
//! of its own. So whatever it gives, also its error, has to be what it would be if there were no other tenants.
//!
//! `RELATA_RANDOM_CASES` sets how many calls are made, and `RELATA_RANDOM_SEED` which ones.

use super::*;
use client::{Role, Session, result::Result as ExamResult};

/// A small generator, the same on every machine.
#[derive(Clone)]
pub(super) struct Random(pub(super) u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut value = self.0;
        value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        value ^ (value >> 31)
    }

    pub(super) fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit as u64) as usize
    }

    pub(super) fn uuid(&mut self) -> Uuid {
        Uuid::from_u64_pair(self.next(), self.next())
    }

    /// One of the last known ones, of whichever tenant.
    fn of<T: Copy>(&mut self, known: &[T], none: T) -> T {
        let recent = known.len().min(30);
        if recent == 0 { none } else { known[known.len() - 1 - self.below(recent)] }
    }

    fn email(&mut self) -> String {
        format!("u{}@x.edu", self.below(8))
    }
}

/// Ids that calls have made, of all tenants.
#[derive(Clone, Default)]
pub(super) struct Known {
    users: Vec<Uuid>,
    students: Vec<Uuid>,
    sessions: Vec<Uuid>,
    exams: Vec<i32>,
    rooms: Vec<i32>,
    clubs: Vec<i32>,
}

/// The result of a call as text, without times.
fn told<T: std::fmt::Debug>(outcome: relata::Result<T>) -> String {
    match outcome {
        Ok(value) => format!("{value:?}"),
        Err(relata::Error::NotFound { model, operation, relation, .. }) => {
            format!("NotFound {model} {operation:?} {relation:?}")
        }
        Err(error) => format!("{error:?}"),
    }
}

fn of_user(user: &User) -> (Uuid, String, Role, Option<i32>) {
    (user.id, user.email.clone(), user.role, user.country_id)
}

const CALLS: usize = 35;

/// A random call at a handle. `number` is one that no other call has, for new rows.
pub(super) async fn call(here: &TenantClient, mut random: Random, known: &Known, number: i32) -> (Known, String) {
    let r = &mut random;
    let mut new = known.clone();
    let (user_id, student_id, session_id) =
        (r.of(&known.users, id_of(0)), r.of(&known.students, id_of(0)), r.of(&known.sessions, id_of(0)));
    let (exam_id, room_id, club_id) = (r.of(&known.exams, 0), r.of(&known.rooms, 0), r.of(&known.clubs, 0));
    let text = match r.below(CALLS) {
        0 => {
            let id = r.uuid();
            new.users.push(id);
            told(
                here.user()
                    .create(user::Create { email: r.email() }.set(user::id.to(id)))
                    .await
                    .map(|user| of_user(&user)),
            )
        }
        1 => {
            let id = r.uuid();
            new.students.push(id);
            let (year, number) = (2030 + r.below(2) as i32, number);
            let row = student::Create { user: user_id, year, number }.set(student::id.to(id));
            if r.below(2) == 0 {
                told(here.student().create(row).await)
            } else {
                let row = student::Create { user: user::email.eq(r.email()), year, number }.set(student::id.to(id));
                told(here.student().create(row).await)
            }
        }
        2 => {
            let id = r.uuid();
            new.sessions.push(id);
            told(here.session().create(session::Create { user: user_id }.set(session::id.to(id))).await)
        }
        3 => {
            new.exams.push(number);
            let row = exam::Create { code: format!("c{number}") }.set(exam::id.to(number));
            let row = if r.below(2) == 0 { row.set(exam::room_id.to(room_id)) } else { row };
            told(here.exam().create(row).await)
        }
        4 => {
            let row = result::Create { student: student_id, exam: exam_id }.set(result::id.to(r.uuid()));
            told(here.result().create(row.set(result::score.to(r.below(9) as f64))).await)
        }
        5 => {
            let found = here
                .user()
                .find_unique(user::id.eq(user_id))
                .include(user::student.include(student::results))
                .include(user::sessions.order_by(session::id.asc()));
            told(found.await.map(|user| {
                user.map(|user| (of_user(&user), user.student.map(|s| (s.row_.id, s.results.len())), user.sessions))
            }))
        }
        6 => {
            let some = user::email.eq(r.email()) | user::id.eq(user_id) | user::student.is(student::year.eq(2031));
            let users = here.user().find_many().filter(some).order_by(user::id.asc()).include(user::student);
            told(
                users
                    .await
                    .map(|users| users.iter().map(|user| (of_user(user), user.student.clone())).collect::<Vec<_>>()),
            )
        }
        7 => told(
            here.user().update(user::id.eq(user_id)).set(user::email.to(r.email())).await.map(|user| of_user(&user)),
        ),
        8 => {
            let chosen = here.student().update_many().filter(student::id.eq(student_id) | student::year.eq(2030));
            told(chosen.set(student::labels.push(format!("l{number}"))).await)
        }
        9 => told(here.user().delete(user::id.eq(user_id)).await.map(|user| of_user(&user))),
        10 => {
            let (id, email) = (r.uuid(), r.email());
            new.users.push(id);
            let row = user::Create { email: email.clone() }.set(user::id.to(id));
            let upserted = here.user().upsert(user::email.eq(email), row).set(user::role.to(Role::Admin)).await;
            told(upserted.map(|user| of_user(&user)))
        }
        11 => {
            let other = r.of(&known.students, id_of(0));
            told(
                here.student()
                    .update(student::id.eq(student_id))
                    .with(student::mentor.connect(student::id.eq(other)))
                    .await,
            )
        }
        12 => told(here.exam().update(exam::id.eq(exam_id)).set(exam::room_id.to(room_id)).include(exam::room).await),
        13 => {
            new.clubs.push(number);
            let row = club::Create { name: format!("n{}", r.below(20)) }.set(club::id.to(number));
            told(here.club().create(row.with(club::students.connect(student::id.eq(student_id)))).await)
        }
        14 => {
            let two = [student_id, r.of(&known.students, id_of(0))].map(|id| student::id.eq(id));
            told(here.club().update(club::id.eq(club_id)).with(club::students.set(two)).await)
        }
        15 => {
            let some = student::clubs.some(club::id.gt(club_id))
                | student::results.some(result::exam.is(exam::id.eq(exam_id)));
            told(here.student().count().filter(some).await)
        }
        16 => told(here.result().aggregate((relata::count(), result::score.max(), result::exam_id.count())).await),
        17 => {
            told(here.session().delete_many().filter(session::user_id.eq(user_id) | session::id.eq(session_id)).await)
        }
        18 => {
            let ids = [r.uuid(), r.uuid(), r.uuid()];
            new.users.push(ids[0]);
            new.students.push(ids[1]);
            new.sessions.push(ids[2]);
            let child = student::Create { user: relata::Parent, year: 2031, number }.set(student::id.to(ids[1]));
            let child = child.with(student::mentor.connect(student::id.eq(student_id)));
            let row = user::Create { email: r.email() }.set(user::id.to(ids[0])).with(user::student.create(child));
            let row =
                row.with(user::sessions.create(session::Create { user: relata::Parent }.set(session::id.to(ids[2]))));
            told(here.user().create(row).await.map(|user| of_user(&user)))
        }
        19 => {
            let values =
                (student::id, student::user.select(user::email), student::results.count(), student::clubs.count());
            told(here.student().find_many().order_by(student::id.asc()).take(5).select(values).await)
        }
        20 => told(here.batch((here.user().count(), here.exam().find_many().order_by(exam::id.desc()).take(3))).await),
        21 => {
            let undone: relata::Result<u64> = here
                .transaction(|tx| async move {
                    tx.session().delete_many().filter(session::user_id.eq(user_id)).await?;
                    tx.user().update(user::id.eq(user_id)).set(user::email.to("u1@x.edu")).await?;
                    tx.student().count().await
                })
                .await;
            told(undone)
        }
        22 => {
            let ids = [r.uuid(), r.uuid()];
            new.sessions.extend(ids);
            let users = [user_id, r.of(&known.users, id_of(0))];
            let rows = ids.into_iter().zip(users).map(|(id, user)| session::Create { user }.set(session::id.to(id)));
            told(here.session().create_many_and_return(rows.collect::<Vec<_>>()).await)
        }
        23 => {
            new.rooms.push(number);
            let row = room::Create { name: format!("r{number}") }.set(room::id.to(number));
            told(here.exam().update(exam::id.eq(exam_id)).with(exam::room.create(row)).await)
        }
        24 => {
            let change = student::mentored.connect(student::id.eq(r.of(&known.students, id_of(0))));
            told(here.student().update(student::id.eq(student_id)).with(change).await)
        }
        25 => {
            let (email, id) = (r.email(), r.uuid());
            new.users.push(id);
            let either = user::email.eq(email.clone()).or_create(user::Create { email }.set(user::id.to(id)));
            told(here.session().create(session::Create { user: either }.set(session::id.to(r.uuid()))).await)
        }
        26 => {
            let ids = [r.uuid(), r.uuid()];
            new.students.extend(ids);
            let rows = ids.into_iter().map(|id| {
                let (email, year, number) = (r.email(), 2030 + r.below(2) as i32, r.below(30) as i32);
                let user = user::email.eq(email.clone()).or_create(user::Create { email }.set(user::id.to(id)));
                let row = student::Create { user, year, number }.set(student::id.to(id));
                let student = student::year_number.eq(year, number).or_create(row);
                result::Create { student, exam: exam_id }.set(result::id.to(id))
            });
            told(here.result().create_many_and_return(rows.collect::<Vec<_>>()).await)
        }
        27 => {
            let ids = [1, 2, 3].map(|place| fresh(number, place));
            new.users.extend(ids);
            let rows: Vec<_> =
                ids.into_iter().map(|id| user::Create { email: r.email() }.set(user::id.to(id))).collect();
            let upsert = here.user().upsert_many(rows).on(user::email);
            let upsert = if r.below(3) == 0 { upsert.do_nothing() } else { upsert.update((user::id, user::email)) };
            told(upsert.and_return().select((user::id, user::email)).await)
        }
        28 => {
            // The key of rows that may belong to another tenant. A database of one tenant does not have them.
            let rows = [(user_id, "own"), (fresh(number, 1), "new")];
            new.users.push(rows[1].0);
            let rows =
                rows.map(|(id, name)| user::Create { email: format!("{name}{number}@x.edu") }.set(user::id.to(id)));
            let known = here.user().find_unique(user::id.eq(user_id)).await.expect("reads").is_some();
            if known { told(here.user().upsert_many(rows).on(user::id).await) } else { String::new() }
        }
        29 => {
            let (own, other) = (r.below(2) == 0, r.below(9) as f64);
            let rows = [(r.of(&known.students, id_of(0)), 1), (student_id, 2)].map(|(student, place)| {
                let row = result::Create { student, exam: exam_id }.set(result::id.to(fresh(number, place)));
                row.set(result::score.to(other))
            });
            let upsert = here.result().upsert_many(rows).on(result::id);
            if own { told(upsert.await) } else { told(upsert.and_return().include(result::exam).await) }
        }
        30 => {
            let rows = [number, exam_id]
                .map(|id| exam::Create { code: format!("c{id}") }.set(exam::id.to(id)).set(exam::room_id.to(room_id)));
            new.exams.push(number);
            let known = here.exam().find_unique(exam::id.eq(exam_id)).await.expect("reads");
            match known {
                Some(_) => told(here.exam().upsert_many(rows).on(exam::id).update((exam::code, exam::room_id)).await),
                None => String::new(),
            }
        }
        31 => {
            let keys = [user_id, r.of(&known.users, id_of(0)), r.of(&known.users, id_of(0))];
            let changes = keys.map(|id| (user::id.eq(id), user::role.to(Role::Admin)));
            told(here.user().update_each(changes).await)
        }
        32 => {
            let changes: Vec<(_, Vec<relata::Assignment<_>>)> = vec![
                (student::id.eq(student_id), vec![student::year.to(2031)]),
                (student::year_number.eq(2030, r.below(30) as i32), vec![student::labels.push("a")]),
                (student::id.eq(r.of(&known.students, id_of(0))), vec![]),
            ];
            told(here.student().update_each(changes).and_return().include(student::user).await.map(|rows| {
                let told = |row: student::WithUser| (row.row_.id, row.row_.year, row.row_.labels.clone(), row.user.id);
                rows.into_iter().map(|row| row.map(told)).collect::<Vec<_>>()
            }))
        }
        33 => {
            let changes = [student_id, r.of(&known.students, id_of(0))].map(|id| (result::student_id.to(id), exam_id));
            let keys = here.result().find_many().order_by(result::id.asc()).take(2).select(result::id).await;
            let keys = keys.expect("reads");
            let changes = keys
                .into_iter()
                .zip(changes)
                .map(|(id, (student, exam))| (result::id.eq(id), [student, result::exam_id.to(exam)]));
            told(here.result().update_each(changes).await)
        }
        _ => {
            let page = here.student().find_many().order_by(student::year.desc()).take(3).page_after(None).await;
            told(page.map(|page| (page.rows, page.next.is_some())))
        }
    };
    (new, text)
}

/// An id that no other call has.
fn fresh(number: i32, place: u64) -> Uuid {
    Uuid::from_u64_pair(number as u64, place)
}

fn id_of(number: u128) -> Uuid {
    Uuid::from_u128(number)
}

/// Everything that a handle sees, without times.
async fn everything(here: &TenantClient) -> String {
    let users = here.user().find_many().order_by(user::id.asc()).await.expect("reads");
    let students =
        here.student().find_many().order_by(student::id.asc()).include(student::clubs.order_by(club::id.asc())).await;
    let sessions: Vec<Session> = here.session().find_many().order_by(session::id.asc()).await.expect("reads");
    let results: Vec<ExamResult> = here.result().find_many().order_by(result::id.asc()).await.expect("reads");
    let exams = here.exam().find_many().order_by(exam::id.asc()).include(exam::room).await.expect("reads");
    let rooms = here.room().find_many().order_by(room::id.asc()).await.expect("reads");
    let users: Vec<_> = users.iter().map(of_user).collect();
    format!("{users:?}\n{:?}\n{sessions:?}\n{results:?}\n{exams:?}\n{rooms:?}", students.expect("reads"))
}

fn from_env(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |text| text.parse().expect("is a number"))
}

#[tokio::test]
async fn each_of_two_tenants_is_as_if_it_were_alone() {
    run(2).await;
}

#[tokio::test]
async fn each_of_three_tenants_is_as_if_it_were_alone() {
    run(3).await;
}

/// Runs programs of so many tenants.
async fn run(tenants: usize) {
    let (calls, seed) = (from_env("RELATA_RANDOM_CASES", 300), from_env("RELATA_RANDOM_SEED", 1));
    let mut random = Random(seed);
    let together = Database::new().await;
    let ids: Vec<Uuid> = (0..tenants).map(|_| random.uuid()).collect();
    let mut alone = Vec::new();
    for (number, id) in ids.iter().enumerate() {
        let own = Database::new().await;
        together.add_school(*id, number).await;
        own.add_school(*id, number).await;
        alone.push(own);
    }
    let mut known = Known::default();
    let mut failed = 0;
    for step in 0..calls {
        let (tenant, number) = (random.below(tenants), step as i32 + 1);
        let at = random.clone();
        random.next();
        let (here, there) = (together.db.tenant(ids[tenant]), alone[tenant].db.tenant(ids[tenant]));
        let (_, expected) = call(&there, at.clone(), &known, number).await;
        let (new, found) = call(&here, at, &known, number).await;
        assert_eq!(found, expected, "call {step} of seed {seed}");
        failed += usize::from(found.contains("NotFound") || found.contains("Violation"));
        known = new;
        if step % 20 == 19 || step + 1 == calls {
            for (id, own) in ids.iter().zip(&alone) {
                let (here, there) = (together.db.tenant(*id), own.db.tenant(*id));
                assert_eq!(everything(&here).await, everything(&there).await, "after call {step} of seed {seed}");
            }
            assert_eq!(together.crossings().await, 0, "after call {step} of seed {seed}");
        }
    }
    // The calls are not all refused.
    assert!(failed * 3 < calls as usize * 2, "{failed} of {calls} calls failed");
    println!("{calls} calls of {tenants} tenants, seed {seed}, agree; {failed} of them failed, as they would alone");
}
