//! Filters that other tests use only on their own, in combinations that can go wrong.

use plain_planner::{student, student_exam, user};
use relata::Filter;
use relata::rust_decimal::Decimal;

use crate::support::Fixture;
use crate::wide::Fixture as Wide;
use crate::wide::client::sample;

/// `a OR b AND c` is not `(a OR b) AND c`.
#[tokio::test]
async fn a_disjunction_keeps_its_parentheses_before_other_conditions() {
    let fixture = Fixture::new().await;
    let tenant = fixture.institution("north").await.id;
    for (email, year) in [("a@x.edu", 2025), ("b@x.edu", 2026), ("c@x.edu", 2027)] {
        fixture.student(tenant, email, year).await;
    }
    let either = || student::class_year.eq(2025) | student::class_year.eq(2026);
    for filter in [Filter::all([either()]), Filter::all([Filter::all([either()])]), Filter::any([either()])] {
        let query = fixture.db.student().find_many().filter(filter.clone()).order_by(student::class_year.asc()).take(1);
        let first = query.clone().page_after(None).await.expect("is read");
        let second = query.page_after(first.next).await.expect("is read");
        assert_eq!((first.rows[0].class_year, second.rows[0].class_year), (2025, 2026));
        assert!(second.next.is_none());
        let users = fixture
            .db
            .user()
            .find_many()
            .filter(user::student.is(filter.clone()))
            .order_by(user::email.asc())
            .include(user::institution.include(plain_planner::institution::students.filter(filter)))
            .await
            .expect("is read");
        assert_eq!(users.iter().map(|user| user.institution.students.len()).collect::<Vec<_>>(), [2, 2]);
    }
}

#[tokio::test]
async fn every_is_true_only_if_no_null_leaves_it_unknown() {
    let fixture = Fixture::new().await;
    let tenant = fixture.institution("north").await.id;
    let exam_type = fixture.exam_type(tenant, "A").await.id;
    for (email, scores) in [("none@x", &[][..]), ("good@x", &[Some(90.0)]), ("open@x", &[Some(90.0), None])] {
        let student = fixture.student(tenant, email, 2027).await.id;
        for score in scores {
            let row = student_exam::Create { student, exam_type };
            fixture
                .db
                .student_exam()
                .create(row)
                .set(student_exam::score.to_nullable(*score))
                .await
                .expect("is created");
        }
    }
    let emails = |filter: Filter<plain_planner::Student>| {
        let query = fixture.db.student().find_many().filter(filter).order_by(student::user.order(user::email.asc()));
        async move { query.select(student::user.select(user::email)).await.expect("is read") }
    };
    assert_eq!(emails(student::exams.every(student_exam::score.gt(80.0))).await, ["good@x", "none@x"]);
    assert_eq!(emails(!student::exams.every(student_exam::score.gt(80.0))).await, ["open@x"]);
    assert_eq!(emails(student::exams.none(student_exam::score.gt(80.0))).await, ["none@x"]);
    assert_eq!(emails(student::exams.every(Filter::any([]))).await, ["none@x"]);
    assert_eq!(emails(student::exams.every(Filter::all([]))).await.len(), 3);
}

#[tokio::test]
async fn columns_of_different_postgresql_types_are_compared() {
    let wide = Wide::new().await;
    for (text, money) in [("less", 100), ("more", 200)] {
        let row = sample::Create { text: text.to_owned() };
        let row = row.set(sample::exact.to(Decimal::new(15, 1))).set(sample::money.to(Decimal::new(money, 2)));
        wide.db.sample().create(row).await.expect("is created");
    }
    let texts = wide.db.sample().find_many().filter(sample::money.gt_field(sample::exact)).select(sample::text).await;
    assert_eq!(texts.expect("is read"), ["more"]);
}
