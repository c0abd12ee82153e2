//! EXPLAIN of calls.

use plain_planner::{
    Client, Error, Parent, Role, exam_type, institution, queries, session, student, student_exam, user,
};
use relata::chrono::Utc;
use relata::{Explanation, Result, count};

use crate::support::{Fixture, direct};

/// The plans of a call that is one statement.
fn plan(explanation: &Explanation) -> &str {
    assert_eq!((explanation.statements.len(), explanation.left_out.len()), (1, 0), "{explanation}");
    &explanation.statements[0].plan
}

#[tokio::test]
async fn a_read_is_explained_and_does_not_run() -> Result<()> {
    let fixture = Fixture::new().await;
    let db = fixture.db.counted();
    let explanation = db.user().find_many().filter(user::email.eq("ada@secret.edu")).explain().await?;
    assert!(plan(&explanation).contains("Scan") && !plan(&explanation).contains("actual"), "{explanation}");
    assert!(explanation.statements[0].sql.contains("$1"), "{explanation}");
    assert!(!explanation.statements[0].sql.contains("secret"), "parameters stay parameters");
    assert!(!format!("{explanation:?}").contains("ada@secret"), "{explanation:?}");
    let text = explanation.to_string();
    assert!(text.starts_with("SELECT ") && text.contains("Scan"), "{text}");

    let bare = db.user().find_many().explain().without_costs().verbose().await?;
    assert!(!plan(&bare).contains("cost=") && plan(&bare).contains("Output:"), "{bare}");
    Ok(())
}

#[tokio::test]
async fn plans_are_text_or_json() -> Result<()> {
    let fixture = Fixture::new().await;
    let json = fixture.db.user().find_many().take(3).explain().json().analyze().buffers().settings().await?;
    let plan = &json.statements[0].plan[0]["Plan"];
    assert_eq!(plan["Node Type"], "Limit", "{plan}");
    assert_eq!(plan["Actual Rows"].as_f64(), Some(0.0), "{plan}");
    assert!(plan["Shared Hit Blocks"].is_number(), "{plan}");
    let text = fixture.db.user().find_many().explain().analyze().without_timing().await?;
    assert!(text.to_string().contains("(actual rows=0"), "{text}");
    let wal = fixture.db.session().delete_many().all_rows().explain().wal().json().await?;
    assert!(wal.statements[0].plan[0]["Plan"]["WAL Records"].is_number(), "{wal}");
    Ok(())
}

/// Relations with statements of their own need the keys of the rows, unless the call has them.
#[tokio::test]
async fn each_statement_is_explained() -> Result<()> {
    let fixture = Fixture::new().await;
    let tenant = fixture.institution("north").await.id;
    let ids = [fixture.student(tenant, "a@x.edu", 2027).await.id, fixture.student(tenant, "b@x.edu", 2028).await.id];
    let many = || {
        let exams = student::exams.include(student_exam::exam_type);
        fixture
            .db
            .student()
            .find_many()
            .include(student::user.include(user::sessions))
            .include(exams)
            .include(student::institution)
    };
    let plain = many().explain().await?;
    assert_eq!((plain.statements.len(), plain.left_out.len()), (1, 3), "{plain}");
    assert!(plain.left_out[0].contains("`user`") && plain.left_out[0].contains("analyze"), "{plain}");
    assert!(plain.to_string().contains("-- not explained: `exams`"), "{plain}");

    // No student has an exam, so their types are not read.
    let analyzed = many().explain().analyze().await?;
    assert_eq!((analyzed.statements.len(), analyzed.left_out.len()), (5, 0), "{analyzed}");
    let of = |table: &str| analyzed.statements.iter().filter(|one| one.sql.contains(table)).count();
    assert_eq!([of("\"students\""), of("\"student_exams\""), of("\"sessions\"")], [1, 1, 1], "{analyzed}");
    for statement in &analyzed.statements {
        assert!(statement.plan.contains("actual time"), "{analyzed}");
    }
    assert_eq!(many().await?.len(), 2);

    let by_key = fixture.db.student().find_unique(student::id.eq(ids[0])).include(student::exams);
    let by_key = by_key.explain().await?;
    assert_eq!((by_key.statements.len(), by_key.left_out.len()), (2, 0), "{by_key}");
    let joined =
        fixture.db.student().find_unique(student::id.eq(ids[0])).include(student::user.include(user::sessions));
    let joined = joined.explain().await?;
    assert_eq!((joined.statements.len(), joined.left_out.len()), (1, 1), "{joined}");
    assert!(joined.left_out[0].contains("`user.sessions`"), "{joined}");
    Ok(())
}

#[tokio::test]
async fn a_write_is_undone() -> Result<()> {
    let fixture = Fixture::new().await;
    let db = &fixture.db;
    let tenant = fixture.institution("north").await.id;
    fixture.student(tenant, "a@x.edu", 2027).await;
    let row = || user::Create {
        institution: tenant,
        email: "new@x.edu".to_owned(),
        password_hash: String::new(),
        role: Role::Student,
    };
    let of_user = || student::Create { user: Parent, institution: tenant, class_year: 2028 };
    let nested = || db.user().create(row()).with(user::student.create(of_user()));
    assert!(plan(&db.user().create(row()).explain().await?).contains("Insert on users"));
    let plain = nested().explain().await?;
    assert_eq!((plain.statements.len(), plain.left_out.len()), (0, 1), "{plain}");
    let analyzed = nested().include(user::institution).explain().analyze().await?;
    let inserts = analyzed.statements.iter().filter(|one| one.sql.contains("INSERT")).count();
    assert_eq!((inserts, analyzed.left_out.len()), (2, 0), "{analyzed}");
    for explained in [
        plan(&db.user().create(row()).explain().analyze().await?),
        plan(&db.session().delete_many().all_rows().explain().analyze().await?),
        plan(&db.user().update_many().all_rows().set(user::role.to(Role::Admin)).explain().analyze().await?),
    ] {
        assert!(explained.contains("actual time"), "{explained}");
    }
    let refused = db.user().update_many().filter(None::<relata::Filter<plain_planner::User>>);
    let refused = refused.set(user::role.to(Role::Admin)).explain().analyze().await.expect_err("is refused");
    assert!(matches!(refused, Error::Misuse(_)), "{refused:?}");
    assert_eq!((db.user().count().await?, db.student().count().await?), (1, 1));
    assert_eq!(db.user().count().filter(user::role.eq(Role::Admin)).await?, 0);
    // A call that fails is the error of its EXPLAIN, too.
    let taken = user::Create { email: "a@x.edu".to_owned(), ..row() };
    let taken = db.user().create(taken).explain().analyze().await.expect_err("is taken");
    assert_eq!(taken.sqlstate(), Some("23505"), "{taken:?}");
    Ok(())
}

#[tokio::test]
async fn a_transaction_goes_on_after_it() -> Result<()> {
    let fixture = Fixture::new().await;
    let tx = fixture.db.begin().await?;
    let row = |slug: &str| institution::Create { name: slug.to_owned(), slug: slug.to_owned() };
    let north = tx.institution().create(row("north")).await?;
    let explained = tx.institution().create(row("south")).explain().analyze().await?;
    assert!(plan(&explained).contains("actual time"), "{explained}");
    let type_of = exam_type::Create {
        institution: north.id,
        code: "STEP1".to_owned(),
        name: "Step 1".to_owned(),
        default_weight: 1.0,
    };
    let nested =
        tx.institution().update(institution::id.eq(north.id)).with(institution::exam_types.create(exam_type::Create {
            institution: Parent,
            code: "STEP2".to_owned(),
            name: "Step 2".to_owned(),
            default_weight: 1.0,
        }));
    let nested = nested.explain().analyze().await?;
    assert!(nested.statements.len() > 1 && nested.to_string().contains("exam_types"), "{nested}");
    let failed = tx.institution().create(row("north")).explain().analyze().await.expect_err("is taken");
    assert!(failed.sqlstate().is_some(), "{failed}");
    assert_eq!((tx.institution().count().await?, tx.exam_type().count().await?), (1, 0));
    tx.exam_type().create(type_of).await?;
    let locked = tx.institution().find_first().for_update().explain().await?;
    assert!(plan(&locked).contains("LockRows"), "{locked}");
    tx.commit().await?;
    assert_eq!((fixture.db.institution().count().await?, fixture.db.exam_type().count().await?), (1, 1));
    Ok(())
}

#[tokio::test]
async fn settings_hold_in_each_statement() -> Result<()> {
    let fixture = Fixture::new().await;
    let tenant = fixture.institution("north").await.id;
    fixture.student(tenant, "a@x.edu", 2027).await;
    let db = fixture.db.with_setting("app.user", "ada").in_schema("public");
    let read = || db.student().find_many().include(student::exams).include(student::user.include(user::sessions));
    let explained = read().explain().analyze().await?;
    assert_eq!(explained.statements.len(), 4, "{explained}");
    assert_eq!(read().await?.len(), 1);
    let tx = db.begin().await?;
    assert_eq!(tx.student().find_many().include(student::exams).explain().analyze().await?.statements.len(), 2);
    let settings: Vec<(String,)> = tx.query_raw("SELECT current_setting('app.user')", relata::params![]).await?;
    assert_eq!(settings[0].0, "ada");
    Ok(())
}

#[tokio::test]
async fn query_files_are_explained() -> Result<()> {
    let fixture = Fixture::new().await;
    let db = &fixture.db;
    let tenant = fixture.institution("north").await.id;
    fixture.student(tenant, "A@x.edu", 2027).await;
    let students = db.explain(queries::students_of(tenant, 2027)).await?;
    assert!(plan(&students).contains("Scan"), "{students}");
    let write = db.explain(queries::lower_emails(tenant)).analyze().await?;
    assert!(plan(&write).contains("Update on users"), "{write}");
    assert_eq!(db.user().count().filter(user::email.eq("A@x.edu")).await?, 1);
    let tx = db.begin().await?;
    let locked = tx.explain(queries::lock_institution(tenant)).analyze().json().await?;
    assert!(locked.statements[0].plan[0]["Plan"].is_object(), "{locked}");
    tx.commit().await
}

#[tokio::test]
async fn every_call_is_explained() -> Result<()> {
    let fixture = Fixture::new().await;
    let id = fixture.institution("north").await.id;
    let named = Client::builder(&direct(fixture.database.url()))?.connect().await?;
    let unnamed = Client::builder(&direct(fixture.database.url()))?.through_pooler().connect().await?;
    let row = |slug: &str| institution::Create { name: slug.to_owned(), slug: slug.to_owned() };
    let key = || institution::id.eq(id);
    let name = || institution::name.to("North");
    for db in [&named, &unnamed] {
        for (call, explain) in [
            ("find_unique", db.institution().find_unique(key()).explain()),
            ("find_first", db.institution().find_first().explain()),
            ("or_err", db.institution().find_unique(key()).or_err().explain()),
            ("find_many", db.institution().find_many().take_last(2).explain()),
            ("cursor", db.institution().find_many().cursor(key()).explain()),
            ("page", db.institution().find_many().take(2).page_after(None).explain()),
            (
                "select",
                db.student().find_many().select((student::user.select(user::email), student::class_year)).explain(),
            ),
            ("count", db.institution().count().explain()),
            ("exists", db.session().exists().filter(session::expires_at.lt(Utc::now())).explain()),
            ("aggregate", db.student().aggregate((count(), student::class_year.max())).explain()),
            ("group_by", db.student().group_by(student::class_year).aggregate(count()).explain()),
            ("create", db.institution().create(row("a")).explain()),
            ("create select", db.institution().create(row("a")).select(institution::id).explain()),
            ("create_many", db.institution().create_many([row("a"), row("b")]).skip_duplicates().explain()),
            ("and_return", db.institution().create_many_and_return([row("a"), row("b")]).explain()),
            ("update", db.institution().update(key()).set(name()).explain()),
            ("update_many", db.institution().update_many().all_rows().set(name()).limit(1).explain()),
            ("update and_return", db.institution().update_many().all_rows().set(name()).and_return().explain()),
            ("upsert", db.institution().upsert(key(), row("north")).set(name()).explain()),
            ("delete", db.session().delete(session::id.eq(id)).explain()),
            ("delete_many", db.session().delete_many().all_rows().explain()),
            ("nothing set", db.institution().update(key()).explain().analyze()),
        ] {
            let explanation = explain.await.unwrap_or_else(|error| panic!("{call}: {error}"));
            assert!(plan(&explanation).contains("cost="), "{call}: {explanation}");
        }
        let analyzed = db.institution().find_many().include(institution::users).explain().analyze().await?;
        assert_eq!(analyzed.statements.len(), 2, "{analyzed}");
    }
    assert_eq!(fixture.db.institution().find_unique(key()).or_err().await?.name, "Institution north");
    Ok(())
}

/// A handle that only reads goes to a replica, or here to the only server.
#[tokio::test]
async fn a_handle_that_only_reads_explains_reads() -> Result<()> {
    let fixture = Fixture::new().await;
    let db = fixture.db.replica();
    assert!(plan(&db.user().count().explain().analyze().await?).contains("actual time"));
    let refused = db.session().delete_many().all_rows().explain().await.expect_err("is refused");
    assert!(matches!(refused, Error::Misuse(_)), "{refused:?}");
    Ok(())
}

#[tokio::test]
async fn hooks_can_refuse_it() -> Result<()> {
    let fixture = Fixture::new().await;
    let hooks = relata::Hooks::new().before(|intent| match intent.kind.writes() {
        true => Err(Error::custom("only reads")),
        false => Ok(()),
    });
    let db = fixture.db.with_hooks(hooks);
    db.user().count().explain().await?;
    let refused = db.session().delete_many().all_rows().explain().analyze().await.expect_err("is refused");
    assert_eq!(refused.to_string(), "only reads");
    Ok(())
}
