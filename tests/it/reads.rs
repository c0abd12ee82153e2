//! Reads beyond finding rows, each compared with plain SQL: existence, orders, pages, distinct rows.

use plain_planner::{Error, StudentExam, exam_type, student, student_exam, user};
use relata::uuid::Uuid;
use relata::{Order, PageToken};

use crate::support::Fixture;

/// Four students of two years, three types of exams, and exams with many equal and missing values.
async fn exams() -> Fixture {
    let fixture = Fixture::new().await;
    let tenant = fixture.institution("north").await.id;
    let mut types = Vec::new();
    for code in ["A", "B", "C"] {
        types.push(fixture.exam_type(tenant, code).await.id);
    }
    for (index, year) in [2026, 2027, 2026, 2027].into_iter().enumerate() {
        let student = fixture.student(tenant, &format!("s{index}@x.edu"), year).await.id;
        for (place, exam_type) in types.iter().cycle().take(index * 2).copied().enumerate() {
            let score = [Some(50.0), None, Some(70.5), Some(50.0)][(place + index) % 4];
            let weight = [Some(1.0), Some(0.5), None][place % 3];
            fixture
                .db
                .student_exam()
                .create(student_exam::Create { student, exam_type })
                .set(student_exam::score.to_nullable(score))
                .set(student_exam::weight.to_nullable(weight))
                .await
                .expect("is created");
        }
    }
    fixture
}

async fn ids(fixture: &Fixture, sql: &str) -> Vec<Uuid> {
    fixture.sql(sql).await.iter().map(|row| row.get(0)).collect()
}

/// Sort keys of exams, and the same in SQL.
fn orders() -> Vec<(Vec<Order<StudentExam>>, &'static str)> {
    use student_exam::{created_at, exam_type as of_type, id, score, student as of, weight};
    vec![
        (vec![], "id"),
        (vec![id.desc()], "id DESC"),
        (vec![score.asc()], "score, id"),
        (vec![score.desc()], "score DESC, id DESC"),
        (vec![score.asc().nulls_first()], "score NULLS FIRST, id"),
        (vec![score.desc().nulls_last(), weight.asc()], "score DESC NULLS LAST, weight, id"),
        (vec![weight.desc(), score.asc().nulls_first()], "weight DESC, score NULLS FIRST, id"),
        (vec![created_at.asc(), score.desc()], "created_at, score DESC, id DESC"),
        (
            vec![of_type.order(exam_type::code.desc()), weight.asc()],
            "(SELECT code FROM exam_types t WHERE t.id = exam_type_id) DESC, weight, id",
        ),
        (
            vec![of.order(student::user.order(user::email.desc()))],
            "(SELECT email FROM users u JOIN students s ON s.user_id = u.id WHERE s.id = student_id) DESC, id DESC",
        ),
        (
            vec![of.order(student::exams.filter(student_exam::score.gt(60)).count().desc()), score.asc()],
            "(SELECT count(*) FROM student_exams o WHERE o.student_id = e.student_id AND o.score > 60) DESC, score, id",
        ),
        (
            vec![of.order(student::user.order(user::student.order(student::class_year.asc())))],
            "(SELECT class_year FROM students s WHERE s.id = student_id), id",
        ),
    ]
}

#[tokio::test]
async fn exists_returns_whether_a_row_matches_the_filters() {
    let fixture = exams().await;
    let exists = |filter| fixture.db.student_exam().exists().filter(filter);
    assert!(fixture.db.student_exam().exists().await.expect("is read"));
    assert!(exists(student_exam::score.gt(70)).await.expect("is read"));
    assert!(!exists(student_exam::score.gt(71)).await.expect("is read"));
    assert!(
        !exists(student_exam::student.is(student::exams.none(student_exam::id.ne(Uuid::nil()))))
            .await
            .expect("is read")
    );
    let (some, none) = fixture
        .db
        .batch((fixture.db.student().exists(), fixture.db.session().exists()))
        .await
        .expect("are read together");
    assert_eq!((some, none), (true, false));
}

#[tokio::test]
async fn rows_come_in_the_order_of_fields_relations_and_counts() {
    let fixture = exams().await;
    for (order, sql) in orders() {
        let query = order.into_iter().fold(fixture.db.student_exam().find_many(), |query, order| query.order_by(order));
        let found = query.order_by(student_exam::id.asc()).select(student_exam::id).await.expect(sql);
        // The order is total already, so one more column does not change it, unless the last one was descending.
        let expected =
            ids(&fixture, &format!("SELECT id FROM student_exams e ORDER BY {}, id", sql.replace(", id DESC", "")))
                .await;
        assert_eq!(found, expected, "{sql}");
    }
    let most = fixture.db.student().find_many().order_by(student::exams.count().desc()).select(student::exams.count());
    assert_eq!(most.await.expect("is read"), [6, 4, 2, 0]);
    let by_user = fixture
        .db
        .student()
        .find_first()
        .order_by(student::user.order(user::email.desc()))
        .include(student::user)
        .or_err()
        .await
        .expect("is read");
    assert_eq!(by_user.user.email, "s3@x.edu");
}

#[tokio::test]
async fn sort_keys_of_a_text_are_those_that_the_program_knows() {
    let fixture = exams().await;
    let db = &fixture.db;
    let key = |name: &str| match name {
        "score" => Some(student_exam::score.asc()),
        "low" => Some(student_exam::score.asc().nulls_first()),
        "id" => Some(student_exam::id.asc()),
        _ => None,
    };
    let texts = [("-score,id", "score DESC, id"), ("score,-id", "score, id DESC"), ("id", "id")];
    // In the opposite order, nulls are at the other end.
    let of_nulls = [("low,-id", "score NULLS FIRST, id DESC"), ("-low,id", "score DESC NULLS LAST, id")];
    for (text, sql) in texts.into_iter().chain(of_nulls) {
        let orders = Order::parse_list(text, key).expect(text);
        let found = db.student_exam().find_many().order_by_all(orders).select(student_exam::id).await.expect(text);
        assert_eq!(found, ids(&fixture, &format!("SELECT id FROM student_exams e ORDER BY {sql}")).await, "{text}");
    }
    assert!(Order::<StudentExam>::parse_list("", key).expect("has no keys").is_empty());
    for (text, place) in
        [("secret", 1), ("id,secret", 2), ("id,", 2), (",id", 1), ("--id", 1), ("id, score", 2), ("-", 1)]
    {
        let error = Order::<StudentExam>::parse_list(text, key).expect_err(text);
        assert!(matches!(error, Error::InvalidValue(_)), "{error:?}");
        assert_eq!(error.to_string(), format!("sort key {place} does not exist"), "{text}");
    }
}

#[tokio::test]
async fn the_last_rows_come_in_order() {
    let fixture = exams().await;
    for (order, sql) in orders() {
        let query = order.into_iter().fold(fixture.db.student_exam().find_many(), |query, order| query.order_by(order));
        let all = ids(&fixture, &format!("SELECT id FROM student_exams e ORDER BY {sql}")).await;
        let last = query.clone().take_last(3).await.expect(sql);
        assert_eq!(last.iter().map(|exam| exam.id).collect::<Vec<_>>(), all[9..], "{sql}");
        let before = query.skip(2).take_last(3).select(student_exam::id).await.expect(sql);
        assert_eq!(before, all[7..10], "{sql}");
    }
}

#[tokio::test]
async fn rows_start_at_the_cursor() {
    let fixture = exams().await;
    for (order, sql) in orders() {
        let query = order.into_iter().fold(fixture.db.student_exam().find_many(), |query, order| query.order_by(order));
        let all = ids(&fixture, &format!("SELECT id FROM student_exams e ORDER BY {sql}")).await;
        for (place, id) in all.iter().enumerate() {
            let at = query.clone().cursor(student_exam::id.eq(*id));
            let (end, begin) = ((place + 3).min(all.len()), (place + 1).saturating_sub(3));
            let from = at.clone().select(student_exam::id).await.expect(sql);
            assert_eq!(from, all[place..], "{sql}, from {place}");
            let next = at.clone().take(3).select(student_exam::id).await.expect(sql);
            assert_eq!(next, all[place..end], "{sql}, three from {place}");
            let behind = at.clone().skip(1).take(2).select(student_exam::id).await.expect(sql);
            assert_eq!(behind, all[(place + 1).min(end)..end], "{sql}, two behind {place}");
            let back = at.clone().take_last(3).select(student_exam::id).await.expect(sql);
            assert_eq!(back, all[begin..=place], "{sql}, three up to {place}");
            let before = at.skip(1).take_last(2).select(student_exam::id).await.expect(sql);
            assert_eq!(before, all[begin..place], "{sql}, two before {place}");
        }
        let nowhere = query.cursor(student_exam::id.eq(Uuid::nil())).await.expect(sql);
        assert!(nowhere.is_empty(), "{sql}");
    }
}

#[tokio::test]
async fn a_cursor_can_be_any_unique_key_and_need_not_match_the_filter() {
    let fixture = exams().await;
    let tenant = fixture.db.institution().find_first().or_err().await.expect("is there").id;
    let behind = fixture
        .db
        .user()
        .find_many()
        .order_by(user::email.asc())
        .filter(user::email.ne("s1@x.edu"))
        .cursor(user::institution_id_email.eq(tenant, "s1@x.edu"))
        .select(user::email)
        .await;
    assert_eq!(behind.expect("is read"), ["s2@x.edu", "s3@x.edu"]);
}

#[tokio::test]
async fn pages_follow_each_other_without_gap_or_repetition() {
    let fixture = exams().await;
    for (order, sql) in orders() {
        let query = order.into_iter().fold(fixture.db.student_exam().find_many(), |query, order| query.order_by(order));
        let all = ids(&fixture, &format!("SELECT id FROM student_exams e ORDER BY {sql}")).await;
        for size in [1, 5, 12, 13] {
            let (mut token, mut seen, mut pages) = (None, Vec::new(), 0);
            loop {
                let page = query.clone().take(size).include(student_exam::student).page_after(token).await.expect(sql);
                assert!(page.rows.len() as u64 <= size, "{sql}");
                assert!(page.rows.iter().all(|exam| exam.student.id == exam.student_id), "{sql}");
                seen.extend(page.rows.iter().map(|exam| exam.id));
                pages += 1;
                let Some(next) = page.next else { break };
                token = Some(next.to_string().parse::<PageToken>().expect("survives as text"));
            }
            assert_eq!(seen, all, "{sql}, {size} at a time");
            assert_eq!(pages, all.len().div_ceil(size as usize), "{sql}, {size} at a time");
        }
    }
}

#[tokio::test]
async fn pages_stay_consistent_while_rows_come_and_go() {
    let fixture = exams().await;
    let db = &fixture.db;
    let query = db.student_exam().find_many().order_by(student_exam::score.asc()).take(4);
    let all = ids(&fixture, "SELECT id FROM student_exams ORDER BY score, id").await;
    let first = query.clone().page_after(None).await.expect("is read");
    for exam in &first.rows {
        db.student_exam().delete(student_exam::id.eq(exam.id)).await.expect("is deleted");
    }
    let second = query.clone().page_after(first.next.clone()).await.expect("is read");
    assert_eq!(second.rows.iter().map(|exam| exam.id).collect::<Vec<_>>(), all[4..8]);

    let other = db.student_exam().find_many().order_by(student_exam::score.desc()).page_after(first.next.clone()).await;
    assert!(matches!(&other, Err(Error::ForeignPageToken)), "{other:?}");
    let other = db.student().find_many().page_after(first.next).await;
    assert!(matches!(other, Err(Error::ForeignPageToken)), "{other:?}");
    let backwards = query.take_last(2).page_after(None).await;
    assert!(matches!(&backwards, Err(Error::Misuse(why)) if why.contains("take_last")), "{backwards:?}");
    let values = db.student().find_many().order_by(student::user.order(user::email.asc())).take(3);
    let values = values.select((student::user.select(user::email), student::exams.count())).page_after(None);
    let values = values.await.expect("is read");
    let of = |email: &str, count: i64| (email.to_owned(), count);
    assert_eq!(
        values.rows.iter().map(|(email, _)| email.as_str()).collect::<Vec<_>>(),
        ["s0@x.edu", "s1@x.edu", "s2@x.edu"]
    );
    assert_eq!((values.rows[0].clone(), values.next.is_some()), (of("s0@x.edu", 0), true));
    let everything = db.student_exam().find_many().page_after(None).await.expect("is read");
    assert_eq!((everything.rows.len(), everything.next), (8, None));
}

#[tokio::test]
async fn distinct_keeps_the_first_of_equal_rows() {
    let fixture = exams().await;
    let db = &fixture.db;
    for (order, sql) in orders() {
        let query = order.into_iter().fold(db.student_exam().find_many(), |query, order| query.order_by(order));
        let by_score = ids(&fixture, &format!(
            "SELECT id FROM (SELECT e.*, row_number() OVER w AS place, row_number() OVER (PARTITION BY score ORDER BY {sql}) AS turn
             FROM student_exams e WINDOW w AS (ORDER BY {sql})) e WHERE turn = 1 ORDER BY place"
        )).await;
        let found = query.clone().distinct(student_exam::score).select(student_exam::id).await.expect(sql);
        assert_eq!(sorted(&found), sorted(&by_score), "{sql}");
        let paged = query.clone().distinct(student_exam::score).take_last(2).skip(1).select(student_exam::id).await;
        assert_eq!(paged.expect(sql), by_score[..2], "{sql}");
        let next =
            query.distinct(student_exam::score).cursor(student_exam::id.eq(by_score[1])).select(student_exam::id);
        assert_eq!(next.await.expect(sql), by_score[1..], "{sql}");
    }
    let pairs = db
        .student_exam()
        .find_many()
        .filter(student_exam::student.is(student::class_year.eq(2027)))
        .distinct((student_exam::score, student_exam::exam_type_id))
        .select((student_exam::score, student_exam::exam_type_id))
        .await
        .expect("is read");
    let expected = fixture
        .sql("SELECT DISTINCT e.score, e.exam_type_id FROM student_exams e JOIN students s ON s.id = e.student_id WHERE s.class_year = 2027")
        .await;
    assert_eq!(pairs.len(), expected.len());
    let years = db.student().find_many().distinct(student::class_year).order_by(student::class_year.desc());
    assert_eq!(years.select(student::class_year).await.expect("is read"), [2027, 2026]);
}

fn sorted(ids: &[Uuid]) -> Vec<Uuid> {
    let mut ids = ids.to_vec();
    ids.sort_unstable();
    ids
}

#[tokio::test]
async fn included_rows_have_their_own_distinct_take_last_and_cursor() {
    let fixture = exams().await;
    let db = &fixture.db;
    for (order, sql) in orders() {
        let exams = order.into_iter().fold(student::exams.skip(0), |exams, order| exams.order_by(order));
        let students = ids(&fixture, "SELECT id FROM students ORDER BY id").await;
        let mut expected = Vec::new();
        let mut distinct = Vec::new();
        for id in &students {
            let all =
                ids(&fixture, &format!("SELECT id FROM student_exams e WHERE student_id = '{id}' ORDER BY {sql}"))
                    .await;
            expected.push(all[all.len().saturating_sub(3)..all.len().saturating_sub(1)].to_vec());
            let numbered = format!(
                "SELECT e.*, row_number() OVER (ORDER BY {sql}) AS place,
                 row_number() OVER (PARTITION BY exam_type_id ORDER BY {sql}) AS turn
                 FROM student_exams e WHERE student_id = '{id}'"
            );
            let all = ids(&fixture, &format!("SELECT id FROM ({numbered}) e WHERE turn = 1 ORDER BY place")).await;
            distinct.push(all[all.len().saturating_sub(2)..].to_vec());
        }
        let query = || db.student().find_many().order_by(student::id.asc());
        let last = query().include(exams.clone().skip(1).take_last(2)).await.expect(sql);
        let last: Vec<Vec<Uuid>> = last.iter().map(|row| row.exams.iter().map(|exam| exam.id).collect()).collect();
        assert_eq!(last, expected, "{sql}");
        let firsts = query().include(exams.distinct(student_exam::exam_type_id).take_last(2)).await.expect(sql);
        let firsts: Vec<Vec<Uuid>> = firsts.iter().map(|row| row.exams.iter().map(|exam| exam.id).collect()).collect();
        assert_eq!(firsts, distinct, "{sql}");
    }
    // One row and many with the include: the related rows are the same.
    let student = db.student().find_first().order_by(student::exams.count().desc()).or_err().await.expect("is read");
    let all =
        ids(&fixture, &format!("SELECT id FROM student_exams WHERE student_id = '{}' ORDER BY score, id", student.id))
            .await;
    let exams = || student::exams.order_by(student_exam::score.asc()).cursor(student_exam::id.eq(all[2]));
    for exams in [exams().take(2), exams().distinct(student_exam::id).take(2)] {
        let alone = db
            .student()
            .find_unique(student::id.eq(student.id))
            .include(exams.clone())
            .or_err()
            .await
            .expect("is read");
        assert_eq!(alone.exams.iter().map(|exam| exam.id).collect::<Vec<_>>(), all[2..4]);
        let among = db.student().find_many().include(exams).await.expect("is read");
        let among = among.iter().find(|row| row.id == student.id).expect("is there");
        assert_eq!(among.exams.iter().map(|exam| exam.id).collect::<Vec<_>>(), all[2..4]);
    }
}
