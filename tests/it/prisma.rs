//! The statements of `docs/prisma.md` about each call of Prisma: one test per row, with the name that the row gives.

mod calls;
mod changes;
mod clients;
mod errors;
mod filters;
mod nested;
mod shapes;

use std::collections::BTreeSet;
use std::ops::Deref;

use plain_planner::{Client, ExamType, Student, student_exam};
use relata::uuid::Uuid;

use crate::support::Fixture;

/// One institution, two students and three exams.
struct Given {
    fixture: Fixture,
    tenant: Uuid,
    exam_type: ExamType,
    /// ada@x.edu of 2026, with the scores 92.5 and none.
    ada: Student,
    /// bob@x.edu of 2027, with the score 71.
    bob: Student,
}

impl Given {
    async fn new() -> Self {
        let fixture = Fixture::new().await;
        let tenant = fixture.institution("north").await.id;
        let exam_type = fixture.exam_type(tenant, "STEP1").await;
        let ada = fixture.student(tenant, "ada@x.edu", 2026).await;
        let bob = fixture.student(tenant, "bob@x.edu", 2027).await;
        for (student, score) in [(ada.id, Some(92.5)), (ada.id, None), (bob.id, Some(71.0))] {
            let row = student_exam::Create { student, exam_type: exam_type.id };
            fixture
                .db
                .student_exam()
                .create(row)
                .set(student_exam::score.to_nullable(score))
                .await
                .expect("is created");
        }
        Self { fixture, tenant, exam_type, ada, bob }
    }
}

impl Deref for Given {
    type Target = Client;

    fn deref(&self) -> &Client {
        &self.fixture.db
    }
}

const TESTS: [&str; 7] = [
    include_str!("prisma/calls.rs"),
    include_str!("prisma/changes.rs"),
    include_str!("prisma/clients.rs"),
    include_str!("prisma/errors.rs"),
    include_str!("prisma/filters.rs"),
    include_str!("prisma/nested.rs"),
    include_str!("prisma/shapes.rs"),
];

/// Returns the functions under a test attribute.
fn tests() -> BTreeSet<&'static str> {
    let after = |mark: &'static str| {
        let texts = TESTS.iter().flat_map(move |text| text.split(mark).skip(1));
        texts.map(|rest| rest.split('(').next().expect("has a name"))
    };
    after("#[tokio::test]\nasync fn ").chain(after("#[test]\nfn ")).collect()
}

#[test]
fn each_row_of_the_page_has_a_test_with_its_name() {
    let page = include_str!("../../docs/prisma.md");
    let rows = page.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| Prisma |"));
    let mut named = BTreeSet::new();
    for row in rows {
        let name = row.trim_end_matches(" |").rsplit(" | ").next().and_then(|cell| cell.strip_prefix('`'));
        let name = name.and_then(|cell| cell.strip_suffix('`')).unwrap_or_else(|| panic!("no test in: {row}"));
        assert!(named.insert(name), "{name} stands in two rows");
    }
    let tests = tests();
    assert!(named.len() > 100, "{} rows are too few to be all of them", named.len());
    assert_eq!(named.difference(&tests).collect::<Vec<_>>(), Vec::<&&str>::new(), "these rows have no test");
    assert_eq!(tests.difference(&named).collect::<Vec<_>>(), Vec::<&&str>::new(), "these tests have no row");
    for word in ["not yet", "TODO", "planned"] {
        assert!(!page.to_lowercase().contains(&word.to_lowercase()), "the page says {word:?}");
    }
}
