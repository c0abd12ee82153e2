//! `upsert_many`, `update_each` and `create_many_and_return(..).or_none()`: what becomes of each row.

use chrono::{DateTime, Utc};
use plain_planner::{Client, ExamType, exam_type, student, user};
use relata::uuid::Uuid;
use relata::{Assignment, Error, Upserted};

use crate::support::Fixture;
use crate::wide;
use crate::wide::client::{note, person, sample};

fn exam(tenant: Uuid, code: &str, name: &str) -> exam_type::Create {
    exam_type::Create { institution: tenant, code: code.to_owned(), name: name.to_owned(), default_weight: 2.0 }
}

async fn exam_types(db: &Client) -> Vec<ExamType> {
    db.exam_type().find_many().order_by(exam_type::code.asc()).await.expect("are read")
}

/// Which rows are new, by signs: `+` inserted, `~` updated, `-` skipped.
fn told<T>(rows: &[Upserted<T>]) -> String {
    let sign = |row: &Upserted<T>| match row {
        Upserted::Inserted(_) => '+',
        Upserted::Updated(_) => '~',
        Upserted::Skipped => '-',
    };
    rows.iter().map(sign).collect()
}

#[tokio::test]
async fn rows_are_inserted_or_take_what_the_new_ones_give() {
    let fixture = Fixture::new().await;
    let (db, tenant) = (&fixture.db, fixture.institution("north").await.id);
    let known = fixture.exam_type(tenant, "A").await;
    let key = exam_type::institution_id_code;
    let rows = || [exam(tenant, "B", "new"), exam(tenant, "A", "changed")];
    assert_eq!(db.exam_type().upsert_many(rows()).on(key).await.expect("are written"), 2);
    let all = exam_types(db).await;
    assert_eq!(all.iter().map(|row| row.name.as_str()).collect::<Vec<_>>(), ["changed", "new"]);
    assert_eq!((all[0].id, all[0].created_at), (known.id, known.created_at), "keys and defaults stay");
    assert_eq!(all[0].default_weight.to_bits(), 2.0_f64.to_bits());
    assert!(all[0].updated_at > known.updated_at, "@updatedAt is set");
    // Only what is chosen changes.
    let other = [exam(tenant, "A", "other").set(exam_type::default_weight.to(9.0))];
    let chosen = db.exam_type().upsert_many(other).on(key).update(exam_type::default_weight).and_return().await;
    let chosen = chosen.expect("is written").remove(0).into_row().expect("is returned");
    assert_eq!((chosen.name.as_str(), chosen.default_weight as i32), ("changed", 9));
    // Other values, alone and with those of the row.
    let upsert = || db.exam_type().upsert_many([exam(tenant, "A", "third")]).on(key);
    let set = upsert().set(exam_type::default_weight.multiply(2.0)).and_return().await.expect("is written").remove(0);
    let set = set.into_row().expect("is returned");
    assert_eq!((set.name.as_str(), set.default_weight as i32), ("changed", 18));
    let both =
        upsert().update((exam_type::name, exam_type::default_weight)).set(exam_type::default_weight.increment(1.0));
    let both = both.and_return().select((exam_type::name, exam_type::default_weight)).await.expect("is written");
    assert_eq!(both, [Upserted::Updated(("third".to_owned(), 19.0))]);
    // No rows, and a row that gives only its key.
    assert_eq!(db.exam_type().upsert_many(Vec::<exam_type::Create>::new()).on(key).await.expect("does nothing"), 0);
    assert!(
        db.exam_type()
            .upsert_many(Vec::<exam_type::Create>::new())
            .on(key)
            .and_return()
            .await
            .expect("does")
            .is_empty()
    );
}

#[tokio::test]
async fn each_row_says_whether_it_is_new() {
    let fixture = Fixture::new().await;
    let (db, tenant) = (&fixture.db, fixture.institution("north").await.id);
    let key = exam_type::institution_id_code;
    let rows =
        |codes: &str, name: &str| codes.chars().map(|code| exam(tenant, &code.to_string(), name)).collect::<Vec<_>>();
    let upsert = |codes: &str, name: &str| db.exam_type().upsert_many(rows(codes, name)).on(key);
    assert_eq!(told(&upsert("BD", "1").and_return().await.expect("are written")), "++");
    let mixed = upsert("EBADC", "2").and_return().await.expect("are written");
    assert_eq!(told(&mixed), "+~+~+");
    let codes: String = mixed.into_iter().filter_map(Upserted::into_row).map(|row| row.code).collect();
    assert_eq!(codes, "EBADC", "in the order of the input");
    let skipped = upsert("AZBY", "3").do_nothing().and_return().await.expect("are written");
    assert_eq!(told(&skipped), "-+-+");
    assert_eq!(upsert("AX", "4").do_nothing().await.expect("is written"), 1);
    assert!(exam_types(db).await.iter().all(|row| row.code != "A" || row.name == "2"));
    // With relations, and with values.
    let with = upsert("AW", "5").and_return().include(exam_type::institution).await.expect("are written");
    assert_eq!(told(&with), "~+");
    assert!(with.into_iter().filter_map(Upserted::into_row).all(|row| row.institution.slug == "north"));
    let values = upsert("VWA", "6").and_return().select((exam_type::code, exam_type::name)).await.expect("are written");
    let value = |code: &str| (code.to_owned(), "6".to_owned());
    let expected = [Upserted::Inserted(value("V")), Upserted::Updated(value("W")), Upserted::Updated(value("A"))];
    assert_eq!(values, expected);
    let some = upsert("AU", "7").do_nothing().and_return().select(exam_type::code).await.expect("is written");
    assert_eq!(some, [Upserted::Skipped, Upserted::Inserted("U".to_owned())]);
    let none = upsert("AB", "8").do_nothing().and_return().select(exam_type::code).await.expect("is written");
    assert_eq!(none, [Upserted::Skipped, Upserted::Skipped]);
}

#[tokio::test]
async fn a_row_that_gives_no_value_leaves_it_as_it_is() {
    let fixture = wide::Fixture::new().await;
    let db = &fixture.db;
    let row = |name: &str| person::Create { name: name.to_owned() };
    let before = [row("a").set(person::secret.to("1")), row("b").set(person::secret.to("2"))];
    let before = db.person().create_many_and_return(before).await.expect("are created");
    // The first gives a secret, and the others have their default.
    let rows = || vec![row("a").set(person::secret.to("3")), row("c").set([]), row("b").set([])];
    for update in [false, true] {
        let upsert = db.person().upsert_many(rows()).on(person::name);
        let upsert = if update { upsert.update((person::secret, person::manager_id)) } else { upsert };
        let rows = upsert.and_return().await.expect("are written");
        assert_eq!(told(&rows), if update { "~~~" } else { "~+~" });
        let rows: Vec<_> = rows.into_iter().filter_map(Upserted::into_row).collect();
        assert_eq!(rows.iter().map(|row| row.secret.as_str()).collect::<Vec<_>>(), ["3", "", "2"]);
        assert_eq!((&rows[0].id, &rows[2].id), (&before[0].id, &before[1].id));
    }
    // Rows with an id of their own do not change that of existing rows, unless that is asked for.
    let own = || [row("a").set(person::id.to("own"))];
    let kept = db.person().upsert_many(own()).on(person::name).and_return().await.expect("is written").remove(0);
    assert_eq!(kept.into_row().map(|row| row.id), Some(before[0].id.clone()));
    let set = db.person().upsert_many(own()).on(person::name).update(person::id).and_return().await;
    assert_eq!(set.expect("is written").remove(0).into_row().map(|row| row.id).as_deref(), Some("own"));
}

#[tokio::test]
async fn mistakes_say_what_to_do_and_write_nothing() {
    let fixture = wide::Fixture::new().await;
    let db = &fixture.db;
    let row = |name: &str| person::Create { name: name.to_owned() };
    // Two rows with one key: in one statement, in two, and in a batch.
    let plain = || ["x", "y", "x"].map(row);
    let mixed = || vec![row("x").set([]), row("y").set([]), row("x").set(person::secret.to("s"))];
    let errors = [
        db.person().upsert_many(plain()).on(person::name).await.expect_err("is refused"),
        db.person().upsert_many(plain()).on(person::name).and_return().await.map(drop).expect_err("is refused"),
        db.person().upsert_many(mixed()).on(person::name).await.expect_err("is refused"),
        db.batch((db.person().upsert_many(plain()).on(person::name), db.person().count()))
            .await
            .map(drop)
            .expect_err("is"),
    ];
    for error in errors {
        assert!(matches!(error, Error::Misuse(_)), "{error:?}");
        assert_eq!(
            error.to_string(),
            "two rows of upsert_many have the same name: pass one row for each key, because only one can stay"
        );
    }
    // The first one wins if existing rows stay.
    let first = db.person().upsert_many(plain()).on(person::name).do_nothing().and_return().await.expect("are written");
    assert_eq!(told(&first), "++-");
    db.person().delete_many().all_rows().await.expect("are deleted");
    // A key that is not given, nested rows, and contradictions.
    let boss = || row("boss").with(person::reports.create(row("r")));
    let refused = [
        (db.person().upsert_many([row("x")]).on(person::id).await, "has no value for id, its key"),
        (db.person().upsert_many([boss()]).on(person::name).await, "create related rows in separate calls"),
        (
            db.person().upsert_many([row("x")]).on(person::name).update(person::secret).do_nothing().await,
            "leave one out, because rows that exist change or stay",
        ),
    ];
    for (outcome, text) in refused {
        let error = outcome.expect_err(text);
        assert!(matches!(error, Error::Misuse(_)) && error.to_string().contains(text), "{error}");
    }
    // Another unique value that is taken.
    db.person().create(row("x").set(person::id.to("1"))).await.expect("is created");
    let taken = db.person().upsert_many([row("y").set(person::id.to("1"))]).on(person::name).await;
    assert!(matches!(taken, Err(Error::UniqueViolation(_))), "{taken:?}");
    assert_eq!(db.person().count().await.expect("counts"), 1);
}

#[tokio::test]
async fn rows_that_are_looked_up_and_connected_are_upserted() {
    let fixture = wide::Fixture::new().await;
    let db = &fixture.db;
    let row = |name: &str| person::Create { name: name.to_owned() };
    db.person().create_many(["a", "b"].map(row)).await.expect("are created");
    let note = |number: i32, author: &str| note::Create { author: person::name.eq(author), tenant: 1, number };
    let key = note::tenant_number;
    let new = db.note().upsert_many([note(1, "a"), note(2, "a")]).on(key).and_return().await.expect("are written");
    assert_eq!(told(&new), "++");
    let again = [note(1, "b").with(note::reviewer.connect(person::name.eq("a"))), note(3, "b").set([])];
    let again = db.note().upsert_many(again).on(key).and_return().include(note::author).include(note::reviewer).await;
    let again = again.expect("are written");
    assert_eq!(told(&again), "~+");
    let rows: Vec<_> = again.into_iter().filter_map(Upserted::into_row).collect();
    assert_eq!(rows[0].author.name, "b");
    assert_eq!(rows[0].reviewer.as_ref().map(|row| row.name.as_str()), Some("a"));
    for missing in [note(1, "nobody").set([]), note(9, "a").with(note::reviewer.connect(person::name.eq("nobody")))] {
        let missing = db.note().upsert_many([missing]).on(key).await;
        assert!(matches!(missing, Err(Error::NotFound { .. })), "{missing:?}");
    }
    assert_eq!(db.note().count().await.expect("counts"), 3);
}

/// Triggers and partitions with columns in another order: the system columns of PostgreSQL, such as `xmax`, cannot be
/// returned from such a table.
#[tokio::test]
async fn partitions_and_triggers_do_not_matter() {
    let fixture = wide::Fixture::new().await;
    let db = &fixture.db;
    let sql = crate::support::connect(fixture.url()).await;
    let tables = r#"
        DROP TABLE "Comment"; DROP TABLE "Note";
        CREATE TABLE "Note" (tenant int, number int, body text NOT NULL DEFAULT '', "authorId" text NOT NULL,
            "reviewerId" text, PRIMARY KEY (tenant, number)) PARTITION BY LIST (tenant);
        CREATE TABLE n1 PARTITION OF "Note" FOR VALUES IN (1);
        CREATE TABLE n2 ("authorId" text NOT NULL, number int NOT NULL, body text NOT NULL DEFAULT '', tenant int NOT NULL,
            "reviewerId" text);
        ALTER TABLE "Note" ATTACH PARTITION n2 FOR VALUES IN (2);
        CREATE FUNCTION shout() RETURNS trigger LANGUAGE plpgsql AS
            $$ BEGIN IF NEW.body = 'drop' THEN RETURN NULL; END IF; NEW.body := upper(NEW.body); RETURN NEW; END $$;
        CREATE TRIGGER shout BEFORE INSERT OR UPDATE ON "Note" FOR EACH ROW EXECUTE FUNCTION shout()"#;
    sql.batch_execute(tables).await.expect("is right");
    let note =
        |tenant: i32, number: i32, body: &str| note::Create { author: "a", tenant, number }.set(note::body.to(body));
    let upsert = |rows: Vec<_>| db.note().upsert_many(rows).on(note::tenant_number).and_return();
    let first = upsert(vec![note(1, 1, "a"), note(2, 1, "b"), note(1, 2, "drop")]).await.expect("are written");
    assert_eq!(told(&first), "++-");
    let second =
        upsert(vec![note(2, 2, "c"), note(2, 1, "d"), note(1, 3, "drop"), note(1, 1, "e"), note(1, 4, "f")]).await;
    let second = second.expect("are written");
    assert_eq!(told(&second), "+~-~+");
    let bodies: Vec<_> = second.into_iter().filter_map(Upserted::into_row).map(|row| row.body).collect();
    assert_eq!(bodies, ["C", "D", "E", "F"]);
    let created = db.note().create_many_and_return(vec![note(1, 1, "x"), note(2, 3, "y"), note(2, 1, "z")]).or_none();
    let created: Vec<_> = created.select(note::body).await.expect("are written");
    assert_eq!(created, [None, Some("Y".to_owned()), None]);
    let changes = [(2, 3, "p"), (1, 9, "q"), (1, 1, "r")];
    let changes = changes.map(|(tenant, number, body)| (note::tenant_number.eq(tenant, number), note::body.to(body)));
    let updated = db.note().update_each(changes).and_return().select(note::body).await.expect("are updated");
    assert_eq!(updated, [Some("P".to_owned()), None, Some("R".to_owned())]);
}

#[tokio::test]
async fn many_rows_take_several_statements() {
    let fixture = wide::Fixture::new().await;
    let db = &fixture.db;
    let row = |number: usize| person::Create { name: format!("{number:05}") };
    db.person().create_many((0..12_000).step_by(2).map(row)).await.expect("are created");
    let rows = db.person().upsert_many((0..12_000).map(row)).on(person::name).and_return().await.expect("are written");
    assert!(rows.iter().enumerate().all(|(number, row)| row.is_inserted() == (number % 2 == 1)));
    let names = rows.into_iter().filter_map(Upserted::into_row).map(|row| row.name);
    assert!(names.eq((0..12_000).map(|number| format!("{number:05}"))));
    let created = db.person().create_many_and_return((11_990..22_010).map(row)).or_none().await.expect("are created");
    assert_eq!(created.iter().take_while(|row| row.is_none()).count(), 10);
    assert_eq!(created.iter().flatten().count(), 10_010);
    // The same key in two statements.
    let repeated = db.person().upsert_many((0..10_500).map(|number| row(number % 10_400))).on(person::name).await;
    assert!(matches!(&repeated, Err(Error::Misuse(text)) if text.contains("have the same name")), "{repeated:?}");
    let changes =
        (0..10_500).map(|number| (person::name.eq(format!("{number:05}")), person::secret.to(number.to_string())));
    let done = db.person().update_each(changes).await.expect("are updated");
    assert_eq!((done.updated, done.missing), (10_500, 0));
    let last = db.person().find_unique(person::name.eq("10499")).or_err().await.expect("is read");
    assert_eq!(last.secret, "10499");
}

/// Rows with lists are VALUES, and each of their values is a parameter.
#[tokio::test]
async fn rows_with_lists_take_several_statements() {
    let fixture = wide::Fixture::new().await;
    let db = &fixture.db;
    let row = |id: i32| {
        sample::Create { text: format!("t{id}") }.set([
            sample::id.to(id),
            sample::texts.to([format!("l{id}")]),
            sample::numbers.to([id]),
            sample::color.to(wide::client::Color::Red),
        ])
    };
    let rows = db.sample().upsert_many((0..7_000).map(row)).on(sample::id).and_return().await.expect("are written");
    assert!(rows.iter().all(Upserted::is_inserted));
    assert!((0..).zip(rows).all(|(id, row)| row.into_row().is_some_and(|row| row.numbers == [id] && row.id == id)));
    let rows =
        db.sample().upsert_many((6_990..14_000).map(row)).on(sample::id).and_return().await.expect("are written");
    assert_eq!(rows.iter().filter(|row| !row.is_inserted()).count(), 10);
    let created = db.sample().create_many_and_return((13_995..21_000).map(row)).or_none().await.expect("are created");
    assert_eq!(created.iter().position(Option::is_some), Some(5));
    let changes = (0..21_010)
        .map(|id| (sample::id.eq(id), [sample::texts.to(["new", "two"]), sample::maybe.to(wide::client::Color::Blue)]));
    let done = db.sample().update_each(changes).await.expect("are updated");
    assert_eq!((done.updated, done.missing), (21_000, 10));
    let changed = db.sample().count().filter(sample::texts.eq(["new", "two"])).await.expect("counts");
    assert_eq!(changed, 21_000);
    let repeated = db.sample().upsert_many([1, 1].map(row)).on(sample::id).await;
    assert!(matches!(&repeated, Err(Error::Misuse(text)) if text.contains("have the same id")), "{repeated:?}");
    // Rows that give nothing.
    let empty = db.empty().create_many_and_return([wide::client::empty::Create {}, wide::client::empty::Create {}]);
    assert_eq!(empty.or_none().await.expect("are created").iter().flatten().count(), 2);
}

#[tokio::test]
async fn each_row_gets_its_own_values() {
    let fixture = Fixture::new().await;
    let (db, tenant) = (&fixture.db, fixture.institution("north").await.id);
    let mut students = Vec::new();
    for (email, year) in [("a@x.edu", 2026), ("b@x.edu", 2027), ("c@x.edu", 2028)] {
        students.push(fixture.student(tenant, email, year).await);
    }
    let [a, b, c] = [students[0].id, students[1].id, students[2].id];
    let nobody = Uuid::from_u128(7);
    let years = || async {
        let order = student::user.order(user::email.asc());
        db.student().find_many().order_by(order).select(student::class_year).await.expect("are read")
    };
    // The same column.
    let changes = [(a, 1), (nobody, 2), (c, 3)].map(|(id, year)| (student::id.eq(id), student::class_year.to(year)));
    let done = db.student().update_each(changes).await.expect("are updated");
    assert_eq!((done.updated, done.missing), (2, 1));
    assert_eq!(years().await, [1, 2027, 3]);
    // Different columns, increments, nothing, defaults; a key that occurs twice is changed in order.
    let changes: Vec<(_, Vec<Assignment<_>>)> = vec![
        (student::id.eq(b), vec![student::class_year.increment(1), student::has_accommodations.to(true)]),
        (student::id.eq(a), vec![student::has_accommodations.to(true), student::class_year.increment(10)]),
        (student::id.eq(c), vec![]),
        (student::id.eq(nobody), vec![]),
        (student::id.eq(a), vec![student::class_year.multiply(2)]),
        (student::user_id.eq(students[0].user_id), vec![student::has_accommodations.to_default()]),
    ];
    let rows = db.student().update_each(changes.clone()).and_return().await.expect("are updated");
    let rows: Vec<_> = rows.into_iter().map(|row| row.map(|row| (row.class_year, row.has_accommodations))).collect();
    let expected = [Some((2028, true)), Some((11, true)), Some((3, false)), None, Some((22, true)), Some((22, false))];
    assert_eq!(rows, expected);
    let done = db.student().update_each(changes).await.expect("are updated");
    assert_eq!((done.updated, done.missing), (5, 1));
    // What is not changed keeps its time.
    let all = db.student().find_many().await.expect("are read");
    let time = |id: Uuid| all.iter().find(|row| row.id == id).map(|row| row.updated_at).expect("is there");
    let before: DateTime<Utc> = students[2].updated_at;
    assert!(time(a) > students[0].updated_at && time(c) > before);
    let c_before = time(c);
    let nothing = db.student().update_each([(student::id.eq(c), None::<Assignment<_>>)]).await.expect("does nothing");
    assert_eq!((nothing.updated, nothing.missing), (1, 0));
    let again = db.student().find_unique(student::id.eq(c)).or_err().await.expect("is read");
    assert_eq!(again.updated_at, c_before);
    // With relations, and with values, also of one row twice.
    let twice = || [a, b, a].map(|id| (student::id.eq(id), student::class_year.increment(1)));
    let with = db.student().update_each(twice()).and_return().include(student::user).await.expect("are updated");
    let emails: Vec<_> = with.iter().flatten().map(|row| row.user.email.as_str()).collect();
    assert_eq!(emails, ["a@x.edu", "b@x.edu", "a@x.edu"]);
    let values = db.student().update_each(twice()).and_return().select(student::user.select(user::email)).await;
    assert_eq!(values.expect("are updated").into_iter().flatten().collect::<Vec<_>>(), emails);
    // All or none.
    let taken = [(a, students[1].user_id), (b, Uuid::from_u128(9))];
    let taken = taken.map(|(id, user)| (student::id.eq(id), student::user_id.to(user)));
    assert!(db.student().update_each(taken).await.is_err());
    assert_eq!(
        db.student().update_each(Vec::<(relata::Unique<_>, Assignment<_>)>::new()).await.expect("does").updated,
        0
    );
}

#[tokio::test]
async fn changes_that_need_their_own_statement_are_made_too() {
    let fixture = wide::Fixture::new().await;
    let db = &fixture.db;
    let row = |id: i32| sample::Create { text: String::new() }.set(sample::id.to(id));
    db.sample().create_many((1..4).map(row)).await.expect("are created");
    let changes: Vec<(_, Vec<Assignment<_>>)> = vec![
        (sample::id.eq(1), vec![sample::texts.push("a"), sample::money.to(relata::rust_decimal::Decimal::new(150, 2))]),
        (sample::id.eq(9), vec![sample::texts.push("b")]),
        (sample::id.eq(2), vec![sample::numbers.to([1, 2])]),
        // The key changes, and the next change finds the row by it.
        (sample::id.eq(3), vec![sample::id.to(30)]),
        (sample::id.eq(30), vec![sample::text.to("moved")]),
    ];
    let rows = db.sample().update_each(changes).and_return().await.expect("are updated");
    assert_eq!(rows.iter().map(Option::is_some).collect::<Vec<_>>(), [true, false, true, true, true]);
    let rows: Vec<_> = rows.into_iter().flatten().collect();
    assert_eq!(
        (rows[0].texts.as_slice(), rows[1].numbers.as_slice()),
        (["a".to_owned()].as_slice(), [1, 2].as_slice())
    );
    assert_eq!((rows[3].id, rows[3].text.as_str()), (30, "moved"));
}

#[tokio::test]
async fn or_none_says_which_rows_were_taken() {
    let fixture = Fixture::new().await;
    let (db, tenant) = (&fixture.db, fixture.institution("north").await.id);
    fixture.exam_type(tenant, "B").await;
    let rows = |codes: &str| codes.chars().map(|code| exam(tenant, &code.to_string(), "new")).collect::<Vec<_>>();
    let created = db.exam_type().create_many_and_return(rows("ABCA")).or_none().await.expect("are created");
    let codes: Vec<_> = created.iter().map(|row| row.as_ref().map(|row| row.code.as_str())).collect();
    assert_eq!(codes, [Some("A"), None, Some("C"), None]);
    let with = db.exam_type().create_many_and_return(rows("AD")).or_none().include(exam_type::institution).await;
    let slugs: Vec<_> =
        with.expect("is created").into_iter().map(|row| row.map(|row| row.institution.slug.clone())).collect();
    assert_eq!(slugs, [None, Some("north".to_owned())]);
    // Rows of two shapes.
    let id = Uuid::from_u128(1);
    let mixed = vec![
        exam(tenant, "A", "x").set([]),
        exam(tenant, "E", "x").set(exam_type::id.to(id)),
        exam(tenant, "F", "x").set([]),
    ];
    let created = db.exam_type().create_many_and_return(mixed).or_none().select(exam_type::code).await.expect("are");
    assert_eq!(created, [None, Some("E".to_owned()), Some("F".to_owned())]);
    let none = db.exam_type().create_many_and_return(Vec::<exam_type::Create>::new()).or_none().await.expect("does");
    assert!(none.is_empty());
}

#[tokio::test]
async fn they_are_part_of_batches_and_transactions() {
    let fixture = Fixture::new().await;
    let (db, tenant) = (&fixture.db, fixture.institution("north").await.id);
    let student = fixture.student(tenant, "a@x.edu", 2026).await;
    let key = exam_type::institution_id_code;
    let upsert = |code: &str| db.exam_type().upsert_many([exam(tenant, code, "x")]).on(key);
    let each = || {
        [
            (student::id.eq(student.id), student::class_year.increment(1)),
            (student::id.eq(tenant), student::class_year.to(1)),
        ]
    };
    let (count, rows, done, updated, created) = db
        .batch((
            upsert("A"),
            upsert("A").and_return(),
            db.student().update_each(each()),
            db.student().update_each(each()).and_return(),
            db.exam_type().create_many_and_return([exam(tenant, "A", "y"), exam(tenant, "B", "y")]).or_none(),
        ))
        .await
        .expect("is right");
    assert_eq!((count, told(&rows).as_str()), (1, "~"));
    assert_eq!((done.updated, done.missing), (1, 1));
    assert_eq!(updated.iter().map(Option::is_some).collect::<Vec<_>>(), [true, false]);
    assert_eq!(created.iter().map(Option::is_some).collect::<Vec<_>>(), [false, true]);
    // Those of several statements, too.
    let several = vec![exam(tenant, "C", "x").set([]), exam(tenant, "D", "x").set(exam_type::id.to(student.id))];
    let (rows, users) = db
        .batch((
            db.exam_type().upsert_many(several).on(key).and_return().include(exam_type::institution),
            db.user().count(),
        ))
        .await
        .expect("is right");
    assert_eq!((told(&rows).as_str(), users), ("++", 1));
    let outcome: relata::Result<()> = db
        .transaction(async |tx| {
            assert_eq!(tx.exam_type().upsert_many([exam(tenant, "Z", "x")]).on(key).await?, 1);
            assert_eq!(tx.student().update_each(each()).await?.updated, 1);
            tx.exam_type().upsert_many([exam(tenant, "A", "x"), exam(tenant, "A", "x")]).on(key).await?;
            Ok(())
        })
        .await;
    assert!(matches!(outcome, Err(Error::Misuse(_))), "{outcome:?}");
    assert_eq!(db.exam_type().count().filter(exam_type::code.eq("Z")).await.expect("counts"), 0);
}
