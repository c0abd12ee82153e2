//! Transactions that conflict and are retried, savepoints, a queue with row locks, and a batch.
//!
//! `cargo run --example transactions` needs no database: it finds or starts one, and drops what it created.

#[path = "support/database.rs"]
mod database;

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use chrono::{DateTime, Days, Utc};
use exam_planner::{Error, Isolation, Role, TenantClient, TenantTransaction, exam_type, session, user};

use database::Result;

const SEATS: u64 = 3;
const VISITORS: usize = 5;

#[tokio::main]
async fn main() -> Result<()> {
    let (db, _database) = database::open("transactions").await?;
    let north = database::institution(&db, "North Medical School", "north").await?;
    book_the_last_seats(&north).await?;
    undo_a_part(&north).await?;
    work_off_a_queue(&north).await?;
    ask_for_several_at_once(&north).await
}

/// Each visitor counts the seats that are taken, and takes one if any are left. Serializable transactions have the same
/// result as running them one after another: those that conflict are run again, after a pause that grows.
async fn book_the_last_seats(north: &TenantClient) -> Result<()> {
    let attempts = Arc::new(AtomicU32::new(0));
    let visitors: Vec<_> = (0..VISITORS)
        .map(|visitor| {
            let (north, attempts) = (north.clone(), Arc::clone(&attempts));
            tokio::spawn(async move {
                let book = |tx: TenantTransaction| {
                    attempts.fetch_add(1, Ordering::Relaxed);
                    async move { book_a_seat(&tx, visitor).await }
                };
                north.retrying(20).transaction(book).isolation(Isolation::Serializable).await
            })
        })
        .collect();
    let mut booked = 0;
    for visitor in visitors {
        booked += u64::from(visitor.await??);
    }
    let attempts = attempts.load(Ordering::Relaxed) as usize;
    println!("\nseats             {booked} of {SEATS} booked by {VISITORS} visitors at once, in {attempts} attempts");
    if booked != SEATS || attempts < VISITORS {
        return Err(format!("{booked} seats were booked in {attempts} attempts").into());
    }
    Ok(())
}

async fn book_a_seat(tx: &TenantTransaction, visitor: usize) -> Result<bool, Error> {
    let taken = tx.user().count().await?;
    if taken >= SEATS {
        return Ok(false);
    }
    tx.user().create(new_user(&format!("visitor{visitor}@north.edu"))).await?;
    Ok(true)
}

/// An operation that may fail without ending the transaction belongs in a savepoint.
async fn undo_a_part(north: &TenantClient) -> Result<()> {
    let tx = north.begin().await?;
    let known = tx.user().find_first().or_err().await?;
    let again = new_user(&known.email);
    let created = tx.savepoint(|inner| async move { inner.user().create(again).await }).await;
    let Err(Error::UniqueViolation(violation)) = created else {
        return Err("an address was taken twice".into());
    };
    tx.user().update(user::id.eq(known.id)).set(user::role.to(Role::Faculty)).await?;
    tx.commit().await?;
    println!("savepoint         {} refused the row, the transaction went on", violation.constraint);
    Ok(())
}

/// Each worker takes a session that no other has locked, so that none waits and none is taken twice.
async fn work_off_a_queue(north: &TenantClient) -> Result<()> {
    let user = north.user().find_first().or_err().await?.id;
    let now = Utc::now();
    let expired = (1..=6).map(|days| session::Create { user, expires_at: now - Days::new(days) });
    north.session().create_many(expired).await?;
    let workers: Vec<_> = (0..3)
        .map(|_| {
            let north = north.clone();
            tokio::spawn(async move {
                let mut done = 0;
                while north.transaction(move |tx| async move { end_next_session(&tx, now).await }).await? {
                    done += 1;
                }
                Ok::<_, Error>(done)
            })
        })
        .collect();
    let mut done = 0;
    for worker in workers {
        done += worker.await??;
    }
    println!("queue             {done} sessions ended by 3 workers, {} left", north.session().count().await?);
    Ok(())
}

async fn end_next_session(tx: &TenantTransaction, now: DateTime<Utc>) -> Result<bool, Error> {
    let next = tx
        .session()
        .find_first()
        .filter(session::expires_at.lt(now))
        .order_by(session::expires_at.asc())
        .for_update()
        .skip_locked()
        .await?;
    let Some(next) = next else { return Ok(false) };
    tx.session().delete(session::id.eq(next.id)).await?;
    Ok(true)
}

/// A batch is one transaction and one round trip, and returns a tuple of results.
async fn ask_for_several_at_once(north: &TenantClient) -> Result<()> {
    let exam_type = exam_type::Create { code: "STEP1".into(), name: "USMLE Step 1".into(), default_weight: 1.0 };
    let faculty = user::role.eq(Role::Faculty);
    let (exam_type, faculty, users) = north
        .batch((north.exam_type().create(exam_type), north.user().count().filter(faculty), north.user().count()))
        .await?;
    println!("batch             {} created; {faculty} of {users} users are faculty", exam_type.code);
    Ok(())
}

fn new_user(email: &str) -> user::Create {
    let password_hash = "$argon2id$v=19$m=19456,t=2,p=1$c2FsdA$aGFzaA".to_owned();
    user::Create { email: email.to_owned(), password_hash, role: Role::Student }
}
