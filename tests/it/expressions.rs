//! Values that PostgreSQL computes: times of the server, calculations, CASE and SQL of the program, in filters, orders,
//! selections, groups and assignments.

use plain_planner::{Session, Student, session, student, student_exam, user};
use relata::chrono::{DateTime, NaiveDate, TimeDelta, TimeZone, Utc};
use relata::uuid::Uuid;
use relata::{DatePart, DateUnit, Error, Expression, Filter, Interval, case, count, kind, now, today};

use crate::support::Fixture;
use crate::wide;
use crate::wide::client::{Color, native};

fn at(year: i32, month: u32, day: u32, hour: u32) -> DateTime<Utc> {
    Utc.with_ymd_and_hms(year, month, day, hour, 30, 0).single().expect("is a time")
}

/// Sessions that end at these distances from now.
async fn sessions<const N: usize>(fixture: &Fixture, ends: [TimeDelta; N]) -> [Uuid; N] {
    let tenant = fixture.institution("north").await.id;
    let user = fixture.user(tenant, "a@x.edu").await.id;
    let mut ids = [Uuid::nil(); N];
    for (id, end) in ids.iter_mut().zip(ends) {
        let row = session::Create { user, expires_at: Utc::now() + end };
        *id = fixture.db.session().create(row).await.expect("is created").id;
    }
    ids
}

#[tokio::test]
async fn computed_values_of_the_book() -> relata::Result<()> {
    let fixture = Fixture::new().await;
    let db = &fixture.db;
    exams(&fixture).await;
    let expired = db.session().delete_many().filter(session::expires_at.lt(now())).await?;
    let soon = db.session().count().filter(session::expires_at.lt(now() + TimeDelta::hours(1))).await?;

    let month = student_exam::scheduled_on.date_trunc(DateUnit::Month);
    let points = student_exam::score.times(student_exam::weight.coalesce(1.0));
    let months: Vec<(Option<NaiveDate>, (i64, f64))> =
        db.student_exam().group_by(month.clone()).aggregate((count(), points.sum())).order_by(month.asc()).await?;

    let grade = case(student_exam::score.gte(90.0), "A").when(student_exam::score.gte(70.0), "B").or_null();
    let grades = db.student_exam().find_many().order_by(grade.clone().asc()).select((student_exam::id, grade)).await?;

    let ada = db.user().find_first().filter(user::email.lower().eq("ada@example.org")).await?;
    let even = Filter::<Student>::sql("{} % {} = 0", (student::class_year, 2));
    let students = db.student().find_many().filter(even).await?;
    assert_eq!((expired, soon, months.as_slice()), (0, 0, [(None, (5, 500.0))].as_slice()));
    let grades: Vec<Option<String>> = grades.into_iter().map(|(_, grade)| grade).collect();
    assert_eq!(grades, [Some("A"), Some("B"), Some("B"), None, None].map(|grade| grade.map(str::to_owned)));
    assert_eq!((ada, students.len()), (None, 2));
    Ok(())
}

#[tokio::test]
async fn times_of_the_server_are_compared_and_set() -> relata::Result<()> {
    let fixture = Fixture::new().await;
    let db = &fixture.db;
    let [old, soon, later] =
        sessions(&fixture, [-TimeDelta::hours(3), TimeDelta::minutes(5), TimeDelta::days(40)]).await;
    let found = async |filter: Filter<Session>| {
        let rows = db.session().find_many().filter(filter).order_by(session::expires_at.asc()).select(session::id);
        rows.await.expect("are read")
    };
    assert_eq!(found(session::expires_at.lt(now())).await, [old]);
    assert_eq!(found(session::expires_at.gt(now())).await, [soon, later]);
    assert_eq!(found(session::expires_at.lt(now() - TimeDelta::hours(2))).await, [old]);
    assert_eq!(found(session::expires_at.lt(now() - TimeDelta::hours(4))).await.len(), 0);
    assert_eq!(found(session::expires_at.between(now(), now() + std::time::Duration::from_secs(3600))).await, [soon]);
    assert_eq!(found(session::expires_at.gt(now() + Interval::from_months(1))).await, [later]);
    assert_eq!(found(session::expires_at.gt(now() + TimeDelta::hours(1) - -TimeDelta::days(60))).await.len(), 0);
    assert_eq!(found(session::expires_at.minus(TimeDelta::days(30)).gt(now())).await, [later]);
    assert_eq!(found(session::expires_at.plus(TimeDelta::hours(2)).lt(now())).await, [old]);
    assert_eq!(found(session::expires_at.seconds_since(now()).gt(86_400.0)).await, [later]);
    assert_eq!(found(!session::expires_at.gte(now())).await, [old]);

    db.session().update(session::id.eq(old)).set(session::expires_at.to(now() + TimeDelta::days(1))).await?;
    assert_eq!(found(session::expires_at.lt(now())).await.len(), 0);
    db.session().update(session::id.eq(old)).set(session::expires_at.to(session::created_at)).await?;
    assert_eq!(found(session::expires_at.eq(session::created_at)).await, [old]);
    assert_eq!(db.session().delete_many().filter(session::expires_at.lt(now())).await?, 1);

    // The time is that of the transaction.
    db.transaction(async |tx| {
        tx.session().update(session::id.eq(soon)).set(session::expires_at.to(now())).await?;
        // The column has milliseconds.
        let here = session::expires_at.between(now() - TimeDelta::milliseconds(1), now() + TimeDelta::milliseconds(1));
        assert_eq!(tx.session().count().filter(here).await?, 1);
        Ok::<_, Error>(())
    })
    .await
}

#[tokio::test]
async fn dates_of_the_server_are_compared_and_set() -> relata::Result<()> {
    let fixture = wide::Fixture::new().await;
    let db = &fixture.db;
    fixture.sql(r#"INSERT INTO "Native" (id, date) VALUES (1, CURRENT_DATE), (2, CURRENT_DATE - 8), (3, NULL)"#).await;
    let found = async |filter: Filter<crate::wide::client::Native>| {
        db.native().find_many().filter(filter).order_by(native::id.asc()).select(native::id).await.expect("are read")
    };
    assert_eq!(found(native::date.eq(today())).await, [1]);
    assert_eq!(found(native::date.lt(today() - 7)).await, [2]);
    assert_eq!(found(native::date.plus(TimeDelta::days(8)).eq(today())).await, [2]);
    assert_eq!(found(native::date.coalesce(today()).eq(today())).await, [1, 3]);
    db.native().update(native::id.eq(3)).set(native::date.to(today() + 1)).await?;
    assert_eq!(found(native::date.gt(today())).await, [3]);
    // A time without a time zone is in UTC.
    db.native().update(native::id.eq(3)).set([native::timestamp.to(now()), native::timestamptz.to(now())]).await?;
    assert_eq!(found(native::timestamp.eq(native::timestamptz)).await.len(), 0);
    assert_eq!(found(native::timestamp.lte(now()) & native::timestamp.gt(now() - TimeDelta::hours(1))).await, [3]);
    Ok(())
}

/// Students of 2025 to 2029 in "north", each with an exam of a score of 60, 70 and so on, or none for the last.
async fn exams(fixture: &Fixture) -> Vec<Student> {
    let tenant = fixture.institution("north").await.id;
    let exam_type = fixture.exam_type(tenant, "STEP1").await.id;
    let mut students = Vec::new();
    for (place, year) in (0..5).zip(2025..) {
        let one = fixture.student(tenant, &format!("Student{place}@x.edu"), year).await;
        let row = student_exam::Create { student: one.id, exam_type };
        let score = (place < 4).then_some(60.0 + 10.0 * f64::from(place));
        let set = [student_exam::score.to_nullable(score), student_exam::weight.to(f64::from(place))];
        fixture.db.student_exam().create(row).set(set).await.expect("is created");
        students.push(one);
    }
    students
}

#[tokio::test]
async fn numbers_are_calculated_everywhere() -> relata::Result<()> {
    let fixture = Fixture::new().await;
    let db = &fixture.db;
    exams(&fixture).await;
    let weighted = || student_exam::score.times(student_exam::weight);
    assert_eq!(db.student_exam().count().filter(weighted().gt(100.0)).await?, 2);
    assert_eq!(db.student_exam().count().filter(weighted().is_null()).await?, 1);
    let rows = db.student_exam().find_many().order_by(weighted().desc().nulls_last()).select(weighted()).await?;
    assert_eq!(rows, [Some(270.0), Some(160.0), Some(70.0), Some(0.0), None]);
    assert_eq!(db.student_exam().aggregate((weighted().sum(), weighted().max())).await?, (500.0, Some(270.0)));
    let ratio = || student_exam::score.divided_by(student_exam::weight.null_if(0.0));
    assert_eq!(db.student_exam().aggregate((ratio().count(), ratio().min())).await?, (3, Some(30.0)));

    let third = || student::class_year.divided_by(3);
    let groups = db.student().group_by(third()).aggregate(count()).order_by(third().desc()).await?;
    assert_eq!(groups, [(676, 2), (675, 3)]);
    let groups = db.student().group_by((student::has_accommodations, third())).aggregate(student::class_year.max());
    assert_eq!(groups.order_by(third().asc()).await?, [((false, 675), Some(2027)), ((false, 676), Some(2029))]);
    let other = db.student().group_by(third()).aggregate(count()).order_by(student::class_year.divided_by(4).asc());
    let error = other.await.expect_err("is refused");
    assert!(matches!(&error, Error::Misuse(reason) if reason.contains("grouped by")), "{error}");

    // The old values are on the right.
    let set = student_exam::weight.to(student_exam::score.plus(student_exam::weight).coalesce(-1.0));
    db.student_exam().update_many().all_rows().set(set).await?;
    let mut weights =
        db.student_exam().find_many().order_by(student_exam::weight.asc()).select(student_exam::weight).await?;
    assert_eq!(weights.drain(..).flatten().collect::<Vec<_>>(), [-1.0, 60.0, 71.0, 82.0, 93.0]);
    Ok(())
}

#[tokio::test]
async fn conditions_and_values_are_composed() -> relata::Result<()> {
    let fixture = Fixture::new().await;
    let db = &fixture.db;
    exams(&fixture).await;
    let grade = || {
        case(student_exam::score.gte(90.0), "A")
            .when(student_exam::score.gte(70.0), "B")
            .when(student_exam::score.is_not_null(), "C")
            .or_null()
    };
    let groups = db.student_exam().group_by(grade()).aggregate(count()).order_by(grade().asc()).await?;
    let expected = [("A", 1), ("B", 2), ("C", 1)].map(|(grade, rows)| (Some(grade.to_owned()), rows));
    assert_eq!(groups[..3], expected);
    assert_eq!(groups[3], (None, 1));
    // Equal texts with other values are other statements, or the same with other parameters.
    for (limit, rows) in [(70.0, 3), (80.0, 2), (90.0, 1)] {
        let passed = || case(student_exam::score.gte(limit), 1_i32).otherwise(0);
        assert_eq!(db.student_exam().count().filter(passed().eq(1)).await?, rows);
        assert_eq!(db.student_exam().aggregate(passed().sum()).await?, rows as i64);
    }
    let through = student_exam::student.is(student::user.is(user::email.lower().starts_with("student3@")));
    assert_eq!(db.student_exam().count().filter(through).await?, 1);
    assert_eq!(db.user().find_many().filter(user::email.lower().in_(["student1@x.edu", "x"])).await?.len(), 1);
    let email = student::user.order(user::email.upper().desc());
    assert_eq!(db.student().find_first().order_by(email).or_err().await?.class_year, 2029);
    let page =
        db.user().find_many().order_by(user::email.lower().desc()).take(3).select(user::email).page_after(None).await?;
    assert_eq!(page.rows, ["Student4@x.edu", "Student3@x.edu", "Student2@x.edu"]);
    let rest = db
        .user()
        .find_many()
        .order_by(user::email.lower().desc())
        .take(3)
        .select(user::email)
        .page_after(page.next)
        .await?;
    assert_eq!(rest.rows, ["Student1@x.edu", "Student0@x.edu"]);
    Ok(())
}

#[tokio::test]
async fn times_have_parts_and_beginnings() -> relata::Result<()> {
    let fixture = wide::Fixture::new().await;
    let db = &fixture.db;
    // 23:30 in UTC is the next day in Berlin.
    for (id, moment) in [(1, at(2026, 1, 31, 23)), (2, at(2026, 3, 1, 10)), (3, at(2026, 3, 29, 10))] {
        let set = [native::timestamp.to(moment), native::timestamptz.to(moment), native::date.to(moment.date_naive())];
        db.native().create(native::Create { id }).set(set).await?;
    }
    let row = db.native().find_unique(native::id.eq(1));
    let midnight = |year, month, day| Utc.with_ymd_and_hms(year, month, day, 0, 0, 0).single();
    let (month, zoned, day) = (
        native::timestamp.date_trunc(DateUnit::Month),
        native::timestamptz.date_trunc(DateUnit::Month),
        native::date.date_trunc(DateUnit::Year),
    );
    let first = row.clone().select((month, zoned, day)).or_err().await?;
    let january = midnight(2026, 1, 1);
    assert_eq!(first, (january, january, january.map(|time| time.date_naive())));
    let berlin = "Europe/Berlin";
    let local = (
        native::timestamp.date_trunc_in(DateUnit::Month, berlin),
        native::timestamptz.date_trunc_in(DateUnit::Day, berlin),
        native::timestamp.date_part_in(DatePart::Day, berlin),
        native::timestamptz.date_part_in(DatePart::Hour, berlin),
        native::timestamptz.date_part(DatePart::Hour),
        native::date.date_part(DatePart::DayOfYear),
        native::date.date_part(DatePart::Weekday),
    );
    let local = row.select(local).or_err().await?;
    let eve = Utc.with_ymd_and_hms(2026, 1, 31, 23, 0, 0).single();
    assert_eq!(local, (eve, eve, Some(1), Some(0), Some(23), Some(31), Some(6)));
    let month = || native::timestamptz.date_trunc(DateUnit::Month);
    let groups = db.native().group_by(month()).aggregate(count()).order_by(month().asc()).await?;
    assert_eq!(groups, [(january, 1), (midnight(2026, 3, 1), 2)]);
    let far = native::timestamp.seconds_since(at(2026, 3, 29, 9));
    assert_eq!(db.native().find_unique(native::id.eq(3)).select(far).or_err().await?, Some(3_600.0));
    let unknown =
        db.native().count().filter(native::timestamptz.date_part_in(DatePart::Hour, "Europe/Nowhere").eq(1)).await;
    assert!(matches!(unknown, Err(Error::Database(_))), "{unknown:?}");
    Ok(())
}

#[tokio::test]
async fn sql_of_the_program_is_a_condition_and_a_value() -> relata::Result<()> {
    let fixture = Fixture::new().await;
    let db = &fixture.db;
    exams(&fixture).await;
    let even = Filter::<Student>::sql("{} % {} = 0", (student::class_year, 2));
    assert_eq!(db.student().count().filter(even).await?, 2);
    let years: Expression<Student, i32> = Expression::sql("{} - {}", (student::class_year, 2000));
    let rows = db.student().find_many().order_by(years.clone().desc()).select(years).await?;
    assert_eq!(rows, [29, 28, 27, 26, 25]);
    let none: Expression<Student, String, kind::Optional> = Expression::sql("nullif({}, {})", ("it's {}", "it's {}"));
    assert_eq!(db.student().find_first().select(none).or_err().await?, None);
    let braces: Expression<Student, String> = Expression::sql("'{{}}' || {}", ("x",));
    assert_eq!(db.student().find_first().select(braces).or_err().await?, "{}x");
    // A part of a larger filter keeps to itself.
    let either = Filter::<Student>::sql("{} = 2025 OR {} = 2026", (student::class_year, student::class_year));
    assert_eq!(db.student().count().filter(!either.clone() & student::class_year.lt(2028)).await?, 1);
    let without = Filter::<Student>::sql("{} > 1", ());
    let error = db.student().count().filter(without).await.expect_err("has no argument");
    assert!(error.to_string().contains("one argument for each"), "{error}");
    Ok(())
}

#[tokio::test]
async fn depth_is_limited() {
    let fixture = Fixture::new().await;
    let deep = (0..100_000).fold(student::class_year.plus(1), |sum, _| sum.plus(1));
    let error = fixture.db.student().count().filter(deep.eq(1)).await.expect_err("is too deep");
    assert!(error.to_string().contains("more than 256 expressions"), "{error}");
    let deep = (0..200).fold(student::class_year.plus(1), |sum, _| sum.plus(1));
    assert_eq!(fixture.db.student().count().filter(deep.eq(1)).await.expect("counts"), 0);
    let mut filter = student::class_year.eq(1);
    for _ in 0..100_000 {
        filter = case(filter, 1).otherwise(0).eq(1);
    }
    assert!(fixture.db.student().count().filter(filter).await.is_err());
}

#[tokio::test]
async fn values_stay_out_of_errors() {
    let fixture = wide::Fixture::new().await;
    let marked = "marked-value";
    let filter =
        native::text.coalesce(marked).concat(marked).eq(marked) & native::color.coalesce(Color::Red).eq(Color::Blue);
    let text = format!("{filter:?} {:?}", native::text.concat(marked));
    assert!(!text.contains(marked), "{text}");
    let broken = native::whole.plus(i32::MAX).plus(i32::MAX).gt(1);
    fixture.sql(r#"INSERT INTO "Native" (id, whole) VALUES (1, 5)"#).await;
    let error = fixture.db.native().count().filter(broken).await.expect_err("overflows");
    assert!(matches!(error, Error::Database(_)), "{error}");
    assert_eq!(fixture.db.native().count().filter(filter).await.expect("counts"), 0);
}
