//! Aggregates of all rows and of groups, each compared with plain SQL.

#![allow(clippy::type_complexity, reason = "the result types are what is tested")]

use plain_planner::{Error, Role, exam_type, student, student_exam, user};
use relata::chrono::{DateTime, Utc};
use relata::count;
use relata::rust_decimal::Decimal;
use relata::uuid::Uuid;

use crate::support::Fixture;
use crate::wide::client::{Color, sample};

/// Three students, two types of exams, and scores of which some are missing.
async fn exams() -> Fixture {
    let fixture = Fixture::new().await;
    let tenant = fixture.institution("north").await.id;
    let types = [fixture.exam_type(tenant, "A").await.id, fixture.exam_type(tenant, "B").await.id];
    for (index, scores) in [&[Some(50.0), Some(70.5)][..], &[Some(90.0), None, Some(50.0)], &[None]].iter().enumerate()
    {
        let year = 2026 + i32::try_from(index % 2).expect("is small");
        let student = fixture.student(tenant, &format!("s{index}@x.edu"), year).await.id;
        for (place, score) in scores.iter().copied().enumerate() {
            let row = student_exam::Create { student, exam_type: types[place % 2] };
            fixture
                .db
                .student_exam()
                .create(row)
                .set(student_exam::score.to_nullable(score))
                .await
                .expect("is created");
        }
    }
    fixture
}

#[tokio::test]
async fn aggregates_cover_all_rows() {
    let fixture = exams().await;
    let db = &fixture.db;
    let (average, greatest, rows): (Option<f64>, Option<f64>, i64) = db
        .student_exam()
        .aggregate((student_exam::score.avg(), student_exam::score.max(), count()))
        .await
        .expect("is calculated");
    let row = fixture.sql("SELECT avg(score), max(score), count(*) FROM student_exams").await.remove(0);
    assert_eq!((average, greatest, rows), (row.get(0), row.get(1), row.get(2)));
    let of_scores = db.student_exam().aggregate((
        student_exam::score.count(),
        student_exam::score.count_distinct(),
        student_exam::score.sum(),
        student_exam::score.min(),
    ));
    assert_eq!(of_scores.await.expect("is calculated"), (4, 3, 260.5, Some(50.0)));
    let (sum, mean, first): (i64, Option<f64>, Option<i32>) = db
        .student()
        .aggregate((student::class_year.sum(), student::class_year.avg(), student::class_year.min()))
        .filter(student::exams.some(student_exam::score.is_not_null()))
        .await
        .expect("is calculated");
    assert_eq!((sum, mean, first), (4053, Some(2026.5), Some(2026)));

    let none = student_exam::score.gt(1000);
    let nothing = (student_exam::score.sum(), student_exam::score.avg(), student_exam::score.max(), count());
    let nothing = db.student_exam().aggregate(nothing).filter(none).await.expect("is calculated");
    assert_eq!(nothing, (0.0, None, None, 0));
    db.student_exam().aggregate(()).await.expect("nothing to do");
    assert_eq!(db.user().aggregate(count()).await.expect("one value without a tuple"), 3);
}

#[tokio::test]
async fn min_and_max_work_on_every_ordered_type() {
    let fixture = exams().await;
    let row = fixture
        .sql("SELECT (array_agg(id ORDER BY id))[1], (array_agg(id ORDER BY id DESC))[1], min(email), max(created_at) FROM users")
        .await
        .remove(0);
    let users: (Option<Uuid>, Option<Uuid>, Option<String>, Option<DateTime<Utc>>, Option<Role>) = fixture
        .db
        .user()
        .aggregate((user::id.min(), user::id.max(), user::email.min(), user::created_at.max(), user::role.max()))
        .await
        .expect("is calculated");
    assert_eq!(users, (row.get(0), row.get(1), row.get(2), row.get(3), Some(Role::Student)));
    let flags = (student::has_accommodations.min(), student::has_accommodations.max());
    assert_eq!(fixture.db.student().aggregate(flags).await.expect("is calculated"), (Some(false), Some(false)));

    let wide = crate::wide::Fixture::new().await;
    let rows =
        [(1, "10.0000", 1, Color::Red), (2, "0.5", i64::MAX - 1, Color::Blue)].map(|(small, exact, big, color)| {
            sample::Create { text: "x".to_owned() }
                .set(sample::small.to(small))
                .set(sample::exact.to(exact.parse::<Decimal>().expect("is a number")))
                .set(sample::money.to(Decimal::new(150, 2)))
                .set(sample::real.to(1.5))
                .set(sample::big.to(big))
                .set(sample::oid.to(small))
                .set(sample::color.to(color))
                .set(sample::inet.to(format!("10.0.0.{small}")))
                .set(sample::bits.to("101"))
        });
    wide.db.sample().create_many(rows).await.expect("are created");
    let sums: (i64, i64, Decimal, Decimal, f64, i64) = wide
        .db
        .sample()
        .aggregate((
            sample::small.sum(),
            sample::big.sum(),
            sample::exact.sum(),
            sample::money.sum(),
            sample::real.sum(),
            sample::oid.sum(),
        ))
        .await
        .expect("is calculated");
    assert_eq!(sums, (3, i64::MAX, Decimal::new(105, 1), Decimal::new(3, 0), 3.0, 3));
    let averages: (Option<f64>, Option<Decimal>, Option<Decimal>) = wide
        .db
        .sample()
        .aggregate((sample::small.avg(), sample::exact.avg(), sample::money.avg()))
        .await
        .expect("is calculated");
    assert_eq!(averages, (Some(1.5), Some(Decimal::new(525, 2)), Some(Decimal::new(15, 1))));
    let extremes = wide
        .db
        .sample()
        .aggregate((
            sample::color.min(),
            sample::color.max(),
            sample::money.max(),
            sample::inet.max(),
            sample::bits.min(),
            sample::oid.max(),
            sample::exact.min(),
            sample::texts.count(),
        ))
        .await
        .expect("is calculated");
    let text = |text: &str| Some(text.to_owned());
    let expected =
        (Some(Color::Red), Some(Color::Blue), Some(Decimal::new(15, 1)), text("10.0.0.2/32"), text("101"), Some(2));
    assert_eq!((extremes.0, extremes.1, extremes.2, extremes.3, extremes.4, extremes.5), expected);
    assert_eq!(extremes.6, Some(Decimal::new(5, 1)));
    let too_large = wide.db.sample().update_many().all_rows().set(sample::big.to(i64::MAX)).await;
    assert_eq!(too_large.expect("are updated"), 2);
    let overflow = wide.db.sample().aggregate(sample::big.sum()).await.expect_err("is too large");
    assert!(overflow.to_string().contains("out of range"), "{overflow}");
}

#[tokio::test]
async fn aggregates_can_cover_some_of_the_rows() {
    let fixture = exams().await;
    let db = &fixture.db;
    let aggregate = || db.student_exam().aggregate((count(), student_exam::score.sum()));
    let best = aggregate().order_by(student_exam::score.desc().nulls_last()).take(2).await.expect("is calculated");
    assert_eq!(best, (2, 160.5));
    let worst =
        aggregate().filter(student_exam::score.is_not_null()).order_by(student_exam::score.desc()).take_last(2).await;
    assert_eq!(worst.expect("is calculated"), (2, 100.0));
    let rest = aggregate().order_by(student_exam::score.desc().nulls_last()).skip(1).await.expect("is calculated");
    assert_eq!(rest, (5, 170.5));
    let different = aggregate().distinct(student_exam::score).await.expect("is calculated");
    assert_eq!(different, (4, 210.5));
    let at = db.student_exam().find_first().filter(student_exam::score.eq(70.5)).or_err().await.expect("is there").id;
    let from =
        aggregate().order_by(student_exam::score.desc().nulls_last()).cursor(student_exam::id.eq(at)).take(2).await;
    assert_eq!(from.expect("is calculated"), (2, 120.5));
}

#[tokio::test]
async fn rows_are_grouped_by_one_column_or_several() {
    let fixture = exams().await;
    let db = &fixture.db;
    let years: Vec<(i32, i64)> = db
        .student()
        .group_by(student::class_year)
        .aggregate(count())
        .order_by(student::class_year.desc())
        .await
        .expect("is read");
    assert_eq!(years, [(2027, 1), (2026, 2)]);
    let groups: Vec<((Uuid, Option<f64>), (i64, Option<f64>))> = db
        .student_exam()
        .group_by((student_exam::exam_type_id, student_exam::score))
        .aggregate((count(), student_exam::score.max()))
        .order_by(student_exam::exam_type_id.asc())
        .order_by(student_exam::score.asc().nulls_first())
        .await
        .expect("is read");
    let expected = fixture
        .sql("SELECT exam_type_id, score, count(*), max(score) FROM student_exams GROUP BY 1, 2 ORDER BY 1, 2 NULLS FIRST")
        .await;
    let expected: Vec<_> = expected.iter().map(|row| ((row.get(0), row.get(1)), (row.get(2), row.get(3)))).collect();
    assert_eq!(groups, expected);
    let roles: Vec<((Role,), ())> = db.user().group_by((user::role,)).await.expect("is read");
    assert_eq!(roles, [((Role::Student,), ())]);
}

#[tokio::test]
async fn groups_are_filtered_and_sorted_by_their_values() {
    let fixture = exams().await;
    let db = &fixture.db;
    let group = || db.student_exam().group_by(student_exam::student_id).aggregate((count(), student_exam::score.avg()));
    let sql = |rest: &str| {
        let sql = format!("SELECT student_id, count(*), avg(score) FROM student_exams GROUP BY 1 {rest}");
        let fixture = &fixture;
        async move {
            let rows = fixture.sql(&sql).await;
            rows.iter().map(|row| (row.get(0), (row.get(1), row.get(2)))).collect::<Vec<(Uuid, (i64, Option<f64>))>>()
        }
    };
    let by_average = group().order_by(student_exam::score.avg().desc().nulls_last()).await.expect("is read");
    assert_eq!(by_average, sql("ORDER BY 3 DESC NULLS LAST").await);
    let paged = group().order_by(count().asc()).skip(1).take(1).await.expect("is read");
    assert_eq!(paged, sql("ORDER BY 2 LIMIT 1 OFFSET 1").await);
    for (having, condition) in [
        (count().gt(1), "count(*) > 1"),
        (student_exam::score.avg().gte(60.25) & count().lt(3), "avg(score) >= 60.25 AND count(*) < 3"),
        (student_exam::score.max().eq(90) | !count().ne(1), "max(score) = 90 OR count(*) = 1"),
        (student_exam::exam_type_id.max().lte(Uuid::max()), "true"),
    ] {
        let found = group().having(having).order_by(count().desc()).await.expect(condition);
        assert_eq!(found, sql(&format!("HAVING {condition} ORDER BY 2 DESC")).await, "{condition}");
    }
    let twice =
        group().having(count().gt(1)).having(count().lt(3)).filter(student_exam::score.gt(60)).await.expect("is read");
    assert!(twice.is_empty());
    let roles =
        db.user().group_by(user::institution_id).aggregate(user::role.min()).having(user::role.min().eq(Role::Student));
    assert_eq!(roles.await.expect("is read").len(), 1);
    let other = db.exam_type().group_by(exam_type::code).order_by(exam_type::name.asc()).await;
    assert!(matches!(&other, Err(Error::Misuse(why)) if why.contains("grouped by")), "{other:?}");
}
