//! Streams of rows, and bulk inserts: the results equal those of other calls, and memory use is bounded.

use std::process::Command;
use std::time::Duration;

use plain_planner::{Client, Error, student, student_exam, user};
use relata::params;
use relata::uuid::Uuid;
use relata_devdb::Feature;

use crate::support::{Fixture, devdb};
use crate::wide;
use crate::wide::client::{document, group, person};

async fn exams(fixture: &Fixture) -> Uuid {
    let tenant = fixture.institution("north").await.id;
    let types = [fixture.exam_type(tenant, "A").await.id, fixture.exam_type(tenant, "B").await.id];
    for index in 0..7 {
        let student = fixture.student(tenant, &format!("{index}@x.edu"), 2024 + index % 3).await.id;
        for exam_type in &types[..index as usize % 3] {
            let row = student_exam::Create { student, exam_type: *exam_type };
            fixture.db.student_exam().create(row).await.expect("is created");
        }
    }
    tenant
}

async fn all<T>(mut stream: relata::RowStream<T>) -> Vec<T> {
    let mut rows = Vec::new();
    while let Some(row) = stream.next().await {
        rows.push(row.expect("is read"));
    }
    assert!(stream.next().await.is_none(), "the end stays the end");
    rows
}

#[tokio::test]
async fn a_stream_returns_what_find_many_returns() {
    let fixture = Fixture::new().await;
    let tenant = exams(&fixture).await;
    let db = &fixture.db;
    let query = || {
        db.student()
            .find_many()
            .filter(student::institution_id.eq(tenant) & student::class_year.gte(2025))
            .order_by(student::class_year.asc())
            .order_by(student::user.order(user::email.desc()))
    };
    let expected = query().await.expect("is read");
    assert!(expected.len() > 3);
    for at_once in [1, 2, expected.len() as u32, 1000] {
        assert_eq!(all(query().stream().rows_at_once(at_once)).await, expected, "{at_once} at once");
    }
    let with = || {
        query()
            .include(student::user)
            .include(student::exams.order_by(student_exam::id.asc()).take(1).include(student_exam::exam_type))
    };
    assert_eq!(all(with().stream().rows_at_once(2)).await, with().await.expect("is read"));
    let values = || query().select((student::id, student::user.select(user::email), student::exams.count()));
    assert_eq!(all(values().stream().rows_at_once(3)).await, values().await.expect("is read"));
    let last = || query().take_last(3).skip(1);
    assert_eq!(all(last().stream().rows_at_once(2)).await, last().await.expect("is read"));
    let none = query().filter(student::class_year.eq(1)).stream();
    assert!(all(none).await.is_empty());
    let sql = "SELECT email FROM users WHERE institution_id = $1 ORDER BY 1";
    let rows = all(db.query_raw_stream::<(String,)>(sql, params![tenant]).rows_at_once(2)).await;
    assert_eq!(rows, db.query_raw::<(String,)>(sql, params![tenant]).await.expect("is read"));
    let mut wrong = db.query_raw_stream::<(i32,)>("SELECT email FROM users", params![]);
    assert!(matches!(wrong.next().await, Some(Err(Error::RowMismatch(_)))));
    let mut wrong = db.query_raw_stream::<(i32,)>("SELECT nonsense", params![]);
    assert_eq!(
        wrong.next().await.and_then(Result::err).and_then(|error| error.sqlstate().map(str::to_owned)).as_deref(),
        Some("42703")
    );
    assert!(wrong.next().await.is_none(), "nothing comes behind an error");
    let locked = db.student().find_many().for_update().stream().next().await;
    assert!(matches!(locked, Some(Err(Error::LockOutsideTransaction))), "{locked:?}");
}

#[tokio::test]
async fn other_queries_run_between_the_rows_of_a_stream() {
    let fixture = Fixture::new().await;
    exams(&fixture).await;
    let tx = fixture.db.begin().await.expect("begins");
    let mut students = tx.student().find_many().order_by(student::id.asc()).for_update().stream().rows_at_once(2);
    let mut years =
        tx.query_raw_stream::<(i32,)>("SELECT class_year FROM students ORDER BY id", params![]).rows_at_once(3);
    let mut seen = 0;
    while let Some(row) = students.next().await {
        let row = row.expect("is read");
        let year = years.next().await.expect("there is one for each").expect("is read").0;
        assert_eq!(row.class_year, year, "both see what was there when they began");
        tx.student().update(student::id.eq(row.id)).set(student::class_year.to(2000 + seen)).await.expect("is changed");
        seen += 1;
    }
    assert_eq!(seen, 7);
    let mut dropped = tx.student().find_many().stream().rows_at_once(1);
    dropped.next().await.expect("there is one").expect("is read");
    drop(dropped);
    tx.commit().await.expect("commits");
    let years = fixture.db.student().find_many().order_by(student::class_year.asc()).select(student::class_year).await;
    assert_eq!(years.expect("is read"), (2000..2007).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_dropped_stream_leaves_its_connection_as_it_was() {
    let fixture = Fixture::new().await;
    let url = fixture.database.url();
    let db = Client::builder(url).expect("is a URL").max_connections(1).application_name("dropper").connect().await;
    let db = db.expect("connects");
    for rows in [0, 1, 1500] {
        let mut stream = db.query_raw_stream::<(i32,)>("SELECT g FROM generate_series(1, 10000000) AS g", params![]);
        for expected in 1..=rows {
            assert_eq!(stream.next().await.expect("there is one").expect("is read"), (expected,));
        }
        drop(stream);
        assert_eq!(db.user().count().await.expect("the only connection works"), 0);
    }
}

#[tokio::test]
async fn a_stream_that_is_dropped_while_it_waits_ends_its_statement() {
    if devdb().skips_without(&[Feature::Cancel]) {
        return;
    }
    let fixture = Fixture::new().await;
    let url = fixture.database.url();
    let db = Client::builder(url).expect("is a URL").max_connections(1).application_name("dropper").connect().await;
    let db = db.expect("connects");
    let mut stream = db.query_raw_stream::<(i64,)>("SELECT count(*) FROM generate_series(1, 100000000)", params![]);
    let cut = tokio::time::timeout(Duration::from_millis(50), stream.next()).await;
    assert!(cut.is_err(), "it takes longer");
    drop(stream);
    let open = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'dropper' AND state LIKE 'idle in transaction%'";
    db.user().count().await.expect("another connection, or the same");
    assert_eq!(fixture.sql(open).await[0].get::<_, i64>(0), 0);
}

/// Returns the peak memory of this process, in KiB.
fn peak() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().trim_end_matches("kB").trim().parse().ok()
}

const URL: &str = "RELATA_TEST_MEMORY_URL";

/// A million rows are inserted by COPY, and read as rows, as values and with raw SQL. This runs in a separate process
/// that does nothing else, so that its peak memory is caused only by this.
#[tokio::test]
async fn a_million_rows_take_no_more_memory_than_a_thousand() {
    if crate::support::devdb().skips_behind_pooler(&[crate::support::Need::Copy]) {
        return;
    }
    let Ok(url) = std::env::var(URL) else {
        let fixture = wide::Fixture::new().await;
        let test = "streams::a_million_rows_take_no_more_memory_than_a_thousand";
        let mut child = Command::new(std::env::current_exe().expect("is known"));
        let output = child.args([test, "--exact", "--nocapture"]).env(URL, fixture.url()).output().expect("runs");
        let text = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
        print!("{text}");
        assert!(output.status.success() && text.contains("1 passed"), "{text}");
        return;
    };
    let db = wide::client::Client::builder(&url).expect("is a URL").max_connections(2).connect().await;
    let db = db.expect("connects");
    let row = |number: i32| document::Create { text: format!("the document with the number {number}") };
    assert_eq!(db.document().copy_in((0..1000).map(row)).await.expect("are copied"), 1000);
    assert_eq!(all(db.document().find_many().stream()).await.len(), 1000);
    let before = peak();
    assert_eq!(db.document().copy_in((1000..1_000_000).map(row)).await.expect("are copied"), 999_000);
    let after_copy = peak();
    let mut rows = db.document().find_many().order_by(document::id.asc()).stream();
    let mut sum = 0_i64;
    let mut count = 0;
    while let Some(row) = rows.next().await {
        sum += i64::from(row.expect("is read").id);
        count += 1;
    }
    assert_eq!((count, sum), (1_000_000, 500_000_500_000));
    let mut numbers = db.query_raw_stream::<(i32, String)>(
        "SELECT g, repeat('x', 100) FROM generate_series(1, 1000000) AS g",
        params![],
    );
    let mut count = 0;
    while let Some(row) = numbers.next().await {
        count += row.expect("is read").1.len();
    }
    assert_eq!(count, 100_000_000);
    if let (Some(before), Some(after_copy), Some(after)) = (before, after_copy, peak()) {
        println!("peak: {before} KiB, after the copy {after_copy} KiB, after the streams {after} KiB");
        assert!(after - before < 8 * 1024, "{before} KiB, {after_copy} KiB, {after} KiB");
    }
}

#[tokio::test]
async fn copied_rows_equal_those_of_create_many() {
    if crate::support::devdb().skips_behind_pooler(&[crate::support::Need::Copy]) {
        return;
    }
    // Rows that are read on one connection are copied on another.
    if devdb().skips_without(&[Feature::ConcurrentTransactions]) {
        return;
    }
    let fixture = wide::Fixture::new().await;
    let db = &fixture.db;
    let rows = || ["a", "b", "c"].map(|name| person::Create { name: name.to_owned() });
    assert_eq!(db.person().copy_in(rows()).await.expect("are copied"), 3);
    let people = db.person().find_many().order_by(person::name.asc()).await.expect("is read");
    assert_eq!(people.iter().map(|row| row.name.as_str()).collect::<Vec<_>>(), ["a", "b", "c"]);
    assert!(people.iter().all(|row| row.id.parse::<Uuid>().is_ok_and(|id| id.get_version_num() == 7)), "{people:?}");
    assert_eq!(db.person().copy_in(Vec::<person::Create>::new()).await.expect("nothing is copied"), 0);

    let titles: Vec<_> = (0..3).map(|number| group::Create { title: number.to_string() }).collect();
    let failed = db.person().copy_in(["d", "a", "e"].map(|name| person::Create { name: name.to_owned() })).await;
    assert!(matches!(&failed, Err(Error::UniqueViolation(taken)) if taken.columns == ["name"]), "{failed:?}");
    let stream = {
        use relata::RowStream;
        let names: RowStream<(String,)> = db.query_raw_stream("SELECT unnest(ARRAY['f', 'g', NULL])", params![]);
        futures_of(names)
    };
    let failed = db.person().copy_in_stream(stream).await;
    assert!(matches!(failed, Err(Error::RowMismatch(_))), "{failed:?}");
    assert_eq!(db.person().count().await.expect("counts"), 3, "nothing is half done");

    let nested = person::Create { name: "n".to_owned() }.with(person::groups.create_many(titles));
    let refused = db.person().copy_in([nested]).await;
    assert!(matches!(&refused, Err(Error::Misuse(why)) if why.contains("create_many")), "{refused:?}");

    let tx = db.begin().await.expect("begins");
    assert_eq!(tx.person().copy_in([person::Create { name: "t".to_owned() }]).await.expect("is copied"), 1);
    tx.rollback().await.expect("is undone");
    let tx = db.begin().await.expect("begins");
    let endless = std::iter::repeat_with(|| person::Create { name: Uuid::new_v4().to_string() });
    let cut = tokio::time::timeout(Duration::from_millis(100), tx.person().copy_in(endless)).await;
    assert!(cut.is_err());
    let committed = tx.commit().await;
    assert!(matches!(committed, Err(Error::TransactionFailed)), "{committed:?}");
    assert_eq!(db.person().count().await.expect("counts"), 3);
}

/// Converts rows of a stream to new people.
fn futures_of(
    names: relata::RowStream<(String,)>,
) -> impl futures_util::Stream<Item = relata::Result<person::Create>> + Send + 'static {
    use futures_util::StreamExt;
    names.map(|row| row.map(|(name,)| person::Create { name }))
}

#[tokio::test]
async fn behind_a_pooler_rows_stream_and_are_copied_too() {
    let fixture = Fixture::new().await;
    let tenant = exams(&fixture).await;
    let glue = if fixture.database.url().contains('?') { '&' } else { '?' };
    let url = format!("{}{glue}pgbouncer=true", fixture.database.url());
    let db = Client::builder(&url).expect("is a URL").max_connections(1).connect().await.expect("connects");
    let query = || {
        let of_tenant = student::institution_id.eq(tenant) & student::class_year.in_([2024, 2025]);
        db.student().find_many().filter(of_tenant).order_by(student::id.asc()).include(student::exams)
    };
    assert_eq!(all(query().stream().rows_at_once(2)).await, query().await.expect("is read"));
    let numbers = db.query_raw_stream::<(i64,)>("SELECT generate_series(1, $1)", params![5_i64]).rows_at_once(2);
    assert_eq!(all(numbers).await.len(), 5);
    let row = |number: i32| user::Create {
        institution: tenant,
        email: format!("new{number}@x.edu"),
        password_hash: String::new(),
        role: plain_planner::Role::Admin,
    };
    let rows: Vec<_> = (0..3).map(row).collect();
    assert_eq!(db.user().copy_in(rows).await.expect("are copied"), 3);
    // A pooler that keeps statements has some of other clients.
    let names = "SELECT count(*) FROM pg_prepared_statements WHERE name LIKE 'relata%'";
    assert_eq!(db.query_raw::<(i64,)>(names, params![]).await.expect("is read"), [(0,)], "nothing is left behind");
}
