//! Migrations between two schemas: what they say, and that PostgreSQL does it.
//!
//! A case is a folder of `fixtures/migrate`: `previous.dsl` (none: nothing is there), `next.dsl`, and
//! maybe `before.sql` with what the schemas only name, `rows.sql` that fills the tables before, `after.sql` whose rows
//! are shown afterwards, and `renames`, one option to a line.

use std::path::Path;

use relata_codegen::compile;
use relata_codegen::diagnostics::{Sources, render_plain};
use relata_codegen::ir::Schema;
use relata_codegen::sql::{
    Action, Change, Column, ColumnDefault, ConstraintOptions, DiffError, DiffOptions, Intent, Lock, Pair, Rename, Side,
    State, TableObject, Work, diff, lint_step, lower, plan, plan_online, render, summary,
};
use relata_devdb::DevDb;

use crate::postgres::Database;

pub(crate) struct End {
    pub(crate) state: State,
    intent: Intent,
}

impl End {
    pub(crate) fn of(text: &str) -> Self {
        let sources = Sources::single("schema.dsl", text);
        let compiled = compile(&sources);
        let mistakes: Vec<_> = compiled.diagnostics.iter().map(|mistake| render_plain(mistake, &sources)).collect();
        let schema = compiled.schema.unwrap_or_else(|| panic!("{}", mistakes.join("\n")));
        Self { state: lower(&schema), intent: Intent::of(&schema) }
    }

    fn empty() -> Self {
        let schema = Schema::default();
        Self { state: lower(&schema), intent: Intent::of(&schema) }
    }

    pub(crate) fn side(&self) -> Side<'_> {
        Side { state: &self.state, intent: Some(&self.intent) }
    }
}

pub(crate) fn changes(previous: &End, next: &End, options: &DiffOptions) -> Result<Vec<Change>, DiffError> {
    diff(Pair { previous: previous.side(), next: next.side() }, options)
}

pub(crate) fn migration(previous: &End, next: &End, options: &DiffOptions) -> String {
    let changes = changes(previous, next, options).unwrap_or_else(|error| panic!("{error}"));
    let sql = render(&plan(changes.clone()));
    assert_eq!(sql, render(&plan(changes)), "the same changes give the same text");
    sql
}

pub(crate) fn accepting_drops() -> DiffOptions {
    DiffOptions { accept_drops: true, ..DiffOptions::default() }
}

pub(crate) struct Case {
    pub(crate) previous: End,
    pub(crate) next: End,
    pub(crate) options: DiffOptions,
    pub(crate) before: String,
    pub(crate) rows: String,
    pub(crate) after: String,
}

impl Case {
    pub(crate) fn read(next: &Path) -> Self {
        let text = |name: &str| std::fs::read_to_string(next.with_file_name(name));
        let renames = text("renames").unwrap_or_default();
        let renames = renames.lines().map(|line| Rename::parse(line).expect("a line of renames is a rename"));
        Self {
            previous: text("previous.dsl").map_or_else(|_| End::empty(), |text| End::of(&text)),
            next: End::of(&text("next.dsl").expect("a case has a next.dsl")),
            options: DiffOptions { renames: renames.collect(), ..DiffOptions::default() },
            before: text("before.sql").unwrap_or_default(),
            rows: text("rows.sql").unwrap_or_default(),
            after: text("after.sql").unwrap_or_default(),
        }
    }
}

/// Every case runs on PostgreSQL with rows in the tables, leaves what a fresh database would have,
/// and says what its snapshot holds.
#[test]
fn migrations_run_and_lead_to_the_schema() {
    let server = DevDb::start().expect("there is a PostgreSQL");
    insta::glob!("../fixtures", "migrate/*/next.dsl", |path| {
        let case = Case::read(path);
        let sql = migration(&case.previous, &case.next, &case.options);
        let words = summary(&changes(&case.previous, &case.next, &case.options).unwrap_or_default());

        let migrated = Database::with(&server, &case.before);
        migrated.migrate(&from_empty(&case.previous)).expect("the previous schema can be made");
        migrated.run(&case.rows).expect("the rows fit the previous schema");
        if let Err(error) = migrated.migrate(&sql) {
            panic!("{}: {error}\n{sql}", path.display());
        }
        let after = migrated.run(&case.after).expect("the query fits the next schema");

        let fresh = Database::with(&server, &case.before);
        fresh.migrate(&from_empty(&case.next)).expect("the next schema can be made");
        similar(&migrated.catalog(), &fresh.catalog(), path);
        insta::assert_snapshot!(format!("{words}\n{sql}\n{after}"));
    });
}

/// The same through an online plan and the runner: the same rows, the same catalog.
#[test]
fn online_migrations_lead_to_the_same() {
    let server = DevDb::start().expect("there is a PostgreSQL");
    insta::glob!("../fixtures", "migrate/*/next.dsl", |path| {
        let case = Case::read(path);
        let changes = changes(&case.previous, &case.next, &case.options).unwrap_or_else(|error| panic!("{error}"));
        let sql = render(&plan_online(changes.clone()));
        assert_eq!(sql, render(&plan_online(changes)), "the same changes give the same text");

        let mut online = Database::with(&server, &case.before);
        online.migrate(&from_empty(&case.previous)).expect("the previous schema can be made");
        online.run(&case.rows).expect("the rows fit the previous schema");
        if let Err(error) = online.deploy(&sql) {
            panic!("{}: {error}\n{sql}", path.display());
        }
        let after = online.run(&case.after).expect("the query fits the next schema");

        let fresh = Database::with(&server, &case.before);
        fresh.migrate(&from_empty(&case.next)).expect("the next schema can be made");
        similar(&online.catalog(), &fresh.catalog(), path);

        let at_once = Database::with(&server, &case.before);
        at_once.migrate(&from_empty(&case.previous)).expect("the previous schema can be made");
        at_once.run(&case.rows).expect("the rows fit the previous schema");
        at_once.migrate(&migration(&case.previous, &case.next, &case.options)).expect("the migration runs");
        let expected = at_once.run(&case.after).expect("the query fits the next schema");
        assert_eq!(after, expected, "{}", path.display());
    });
}

/// There and back again, with empty tables, is where it started.
#[test]
fn migrations_can_be_taken_back() {
    let server = DevDb::start().expect("there is a PostgreSQL");
    insta::glob!("../fixtures", "migrate/*/next.dsl", |path| {
        let case = Case::read(path);
        let database = Database::with(&server, &case.before);
        database.migrate(&from_empty(&case.previous)).expect("the previous schema can be made");
        let start = database.catalog();
        database.migrate(&migration(&case.previous, &case.next, &case.options)).expect("the migration runs");
        let back = migration(&case.next, &case.previous, &accepting_drops());
        if let Err(error) = database.migrate(&back) {
            panic!("{}: {error}\n{back}", path.display());
        }
        similar(&database.catalog(), &start, path);
    });
}

/// A schema does not differ from itself.
#[test]
fn nothing_changes_between_equal_schemas() {
    insta::glob!("../fixtures", "migrate/*/next.dsl", |path| {
        let case = Case::read(path);
        for end in [&case.previous, &case.next] {
            let none = changes(end, end, &DiffOptions::default()).unwrap_or_else(|error| panic!("{error}"));
            assert_eq!(none, [], "{}", path.display());
        }
    });
}

pub(crate) fn from_empty(end: &End) -> String {
    migration(&End::empty(), end, &DiffOptions::default())
}

pub(crate) fn similar(left: &str, right: &str, path: &Path) {
    let only = |a: &str, b: &str| {
        a.lines()
            .filter(|line| !b.lines().any(|other| other == *line))
            .map(|line| format!("\n  {line}"))
            .collect::<String>()
    };
    let (extra, missing) = (only(left, right), only(right, left));
    assert!(extra.is_empty() && missing.is_empty(), "{}\nextra:{extra}\nmissing:{missing}", path.display());
}

const BEFORE: &str = "
enum Role {
  ADMIN
  USER
}

model User {
  id    Int    @id
  name  String
  role  Role
  posts Post[]
}

model Post {
  id       Int    @id
  title    String
  body     String
  author   User   @relation(fields: [authorId], references: [id])
  authorId Int
}
";

fn question(after: &str) -> String {
    let error = changes(&End::of(BEFORE), &End::of(after), &DiffOptions::default());
    error.expect_err("a probable rename is a question").to_string()
}

/// What looks like a rename is asked, with both ways to say it.
#[test]
fn probable_renames_are_questions() {
    let column = BEFORE.replace("name  String", "fullName String @map(\"full_name\")");
    let table = BEFORE.replace("Post", "Article");
    let value = BEFORE.replace("ADMIN", "OWNER");
    let ty = BEFORE.replace("Role", "Rank");
    insta::assert_snapshot!([column, table, value, ty].map(|after| question(&after)).join("\n"));
}

/// An answer may lead to the next question; a declined rename is not asked again.
#[test]
fn questions_end_when_all_are_answered() {
    let after = BEFORE.replace("Post", "Article").replace("title    String", "headline String");
    let (previous, next) = (End::of(BEFORE), End::of(&after));
    let mut options = DiffOptions::default();
    let mut asked = Vec::new();
    while let Err(DiffError::ProbableRenames(probable)) = changes(&previous, &next, &options) {
        for probable in probable {
            asked.push(probable.flag());
            let answers = if probable.kind == "table" { &mut options.renames } else { &mut options.declined };
            answers.push(probable.rename);
        }
    }
    assert_eq!(asked, ["--rename Post:Article", "--rename Article.title:headline"]);
    let words = summary(&changes(&previous, &next, &options).unwrap_or_default());
    assert!(words.contains("~ table Post is renamed to Article\n+ column Article.headline"), "{words}");
}

/// What does not look like one is not.
#[test]
fn other_drops_are_no_questions() {
    let after = BEFORE.replace("name  String", "age Int").replace("  ADMIN\n  USER", "  USER\n  GUEST");
    let found = changes(&End::of(BEFORE), &End::of(&after), &DiffOptions::default());
    assert!(found.is_ok(), "{found:?}");
}

/// A rename on the command line that names nothing is refused.
#[test]
fn unknown_renames_are_refused() {
    for text in ["nobody:somebody", "User.nobody:somebody", "User.name:nobody", "Role.ADMIN:NOBODY"] {
        let options = DiffOptions { renames: Rename::parse(text).into_iter().collect(), ..DiffOptions::default() };
        let end = End::of(BEFORE);
        let error = changes(&end, &end, &options).expect_err(text);
        assert!(error.to_string().starts_with(&format!("--rename {text} does not name a possible rename")), "{error}");
    }
}

/// From a database, what the language has no words for stays.
#[test]
fn what_hands_made_in_a_database_stays() {
    use relata_codegen::sql::{Check, Index, IndexPart, ObjectName, UniqueConstraint};
    let next = End::of("model User {\n  id Int @id\n  mail String @unique\n}\n");
    let mut database = next.state.clone();
    let table = &mut database.tables[0];
    table.checks.push(Check {
        name: "by_hand".to_owned(),
        expression: "(id > 0)".to_owned(),
        options: ConstraintOptions::default(),
    });
    let unique = table.indexes.remove(0);
    table.uniques.push(UniqueConstraint {
        name: unique.name.clone(),
        columns: vec!["mail".to_owned()],
        options: ConstraintOptions::default(),
    });
    table.indexes.push(Index { name: "partial".to_owned(), predicate: Some("(id > 5)".to_owned()), ..unique.clone() });
    let mut tuned = unique;
    tuned.name = "plain".to_owned();
    tuned.unique = false;
    tuned.parts = vec![IndexPart::column("id")];
    table.indexes.push(tuned);
    database.extensions.push(relata_codegen::sql::Extension {
        name: "plpgsql".to_owned(),
        schema: None,
        version: None,
    });
    let previous = Side { state: &database, intent: None };
    let found = diff(Pair { previous, next: next.side() }, &DiffOptions::default()).unwrap_or_default();
    assert_eq!(summary(&found), "- index plain on User\n");
    assert_eq!(database.tables[0].name, ObjectName::new(None, "User"));
}

/// What reads or writes all rows of a table keeps nobody waiting; only what an online plan cannot
/// do otherwise does.
#[test]
fn online_plans_do_long_work_under_weak_locks() {
    let mut long = 0;
    insta::glob!("../fixtures", "migrate/*/next.dsl", |path| {
        let case = Case::read(path);
        let changes = changes(&case.previous, &case.next, &case.options).unwrap_or_else(|error| panic!("{error}"));
        for step in plan_online(changes).steps.iter().filter(|step| step.work != Work::None) {
            let is_inevitable = match &step.action {
                // The type of a replaced enum, a sequence that goes, a default that is the database's own business, another
                // expression or none, a column in an exclusion constraint.
                Action::AlterColumns { alterations, .. } => alterations.iter().any(|alteration| {
                    let counts = |column: &Column| matches!(column.default, Some(ColumnDefault::Sequence(_)));
                    let (previous, next) = (&alteration.previous, &alteration.next);
                    let is_unknown = next.default == Some(ColumnDefault::Unmanaged);
                    let is_computed = next.generated.is_some() && previous.is_recreated(next);
                    let has_domain = alteration.retyped && next.options.domain.is_some();
                    is_computed
                        || alteration.expression_dropped
                        || has_domain
                        || !alteration.belongings.exclusions.is_empty()
                        || alteration.retyped
                            && (previous.ty == next.ty || counts(previous) != counts(next) || is_unknown)
                }),
                // Whether a table is logged.
                Action::AddObject { object: TableObject::Exclusion(_), .. } | Action::AlterTable { .. } => true,
                Action::AddColumns { columns, .. } => columns.iter().any(|spec| {
                    let column = &spec.column;
                    column.identity.is_some() || column.generated.is_some() || column.options.domain.is_some()
                }),
                // PostgreSQL has no CONCURRENTLY for partitioned tables.
                Action::AddObject { table, .. } => {
                    case.previous.state.table(table).is_some_and(|table| table.options.partition_by.is_some())
                }
                _ => false,
            };
            assert!(is_inevitable || step.lock <= Lock::RowExclusive, "{}: {}", path.display(), step.sql());
            long += usize::from(!is_inevitable);
        }
    });
    assert!(long > 20, "the cases have too little long work to prove anything: {long}");
}

/// What an online plan looks like.
#[test]
fn online_plans_are_cut_into_segments() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/migrate/programs_go_on_while_a_table_changes");
    let case = Case::read(&Path::new(folder).join("next.dsl"));
    let changes = changes(&case.previous, &case.next, &case.options).unwrap_or_else(|error| panic!("{error}"));
    insta::assert_snapshot!(render(&plan_online(changes)));
}

/// An attribute that both schemas have is followed already; one that nobody can follow is refused if something goes.
#[test]
fn attributes_of_renames_are_followed_once_and_never_passed_over() {
    let model = |fields: &str| End::of(&format!("model T {{\n  id Int @id\n{fields}\n}}\n"));
    let words = |from: &str, to: &str| {
        let found = changes(&model(from), &model(to), &DiffOptions::default());
        found.map_or_else(|error| error.to_string(), |changes| summary(&changes))
    };
    let swapped = "  a Int @renamedFrom(\"b\")\n  b Int @renamedFrom(\"a\")";
    for (from, to, expected) in [
        ("  a Int\n  b Int", swapped, "~ column T.a is renamed to b\n~ column T.b is renamed to a\n"),
        (swapped, swapped, ""),
        ("  b Int @renamedFrom(\"a\")", "  b Int @renamedFrom(\"a\")\n  a Int", "+ column T.a INTEGER NOT NULL\n"),
        // A stale attribute does not take what came later.
        ("  a Int\n  b Int @renamedFrom(\"a\")", "  a Int\n  c Int @map(\"b\") @renamedFrom(\"a\")", ""),
        (
            "  a Int\n  b Int @renamedFrom(\"a\")",
            "  a Int\n  b Int @map(\"c\") @renamedFrom(\"a\")",
            "~ column T.b is renamed to c\n",
        ),
        // By the name in the schema.
        ("  a Int @map(\"x\")", "  b Int @renamedFrom(\"a\")", "~ column T.x is renamed to b\n"),
        // Nothing is lost.
        ("  a Int", "  a Int\n  b Int @renamedFrom(\"x\")", "+ column T.b INTEGER NOT NULL\n"),
    ] {
        assert_eq!(words(from, to), expected, "{from}\nbecomes\n{to}");
    }
    let lost = words("  a Int", "  b String @renamedFrom(\"x\")");
    assert!(lost.contains("@renamedFrom(\"x\") at T.b: nothing had this name, and T.a would be dropped"), "{lost}");
    let twice = words("  a Int", "  b Int @renamedFrom(\"a\")\n  c Int @renamedFrom(\"a\")");
    assert!(twice.contains("@renamedFrom(\"a\") at T.c: T.a is already renamed to another name"), "{twice}");
}

/// A database does not tell what its columns were called: what would be lost is a question.
#[test]
fn a_rename_that_a_database_may_have_is_a_question() {
    let database = End::of("model T {\n  id Int @id\n  a Int\n  b Int\n}\n");
    let next = End::of("model T {\n  id Int @id\n  b Int @renamedFrom(\"a\")\n}\n");
    let pair = Pair { previous: Side { state: &database.state, intent: None }, next: next.side() };
    let mut options = DiffOptions::default();
    let Err(DiffError::ProbableRenames(probable)) = diff(pair, &options) else { panic!("it is no question") };
    assert_eq!(probable.iter().map(relata_codegen::sql::ProbableRename::flag).collect::<Vec<_>>(), ["--rename T.a:b"]);
    options.renames = probable.into_iter().map(|probable| probable.rename).collect();
    let changes = diff(pair, &options).unwrap_or_default();
    assert_eq!(summary(&changes), "~ column T.a is renamed to b\n- column T.b\n");
    // What is set aside has a temporary name, which the summary does not show.
    for plan in [plan(changes.clone()), plan_online(changes)] {
        let sql = render(&plan);
        let header = sql.split("\n\n").next().unwrap_or_default();
        assert!(header.contains("D103 column T.b is dropped\n") && !header.contains("__old"), "{sql}");
        let findings = plan.steps.iter().flat_map(lint_step);
        findings.for_each(|finding| assert!(!finding.text.contains("__old"), "{}", finding.text));
    }
    let dropped = DiffOptions { accept_drops: true, ..DiffOptions::default() };
    assert_eq!(diff(pair, &dropped).map(|changes| summary(&changes)).unwrap_or_default(), "- column T.a\n");
}
