//! `migrate down`.

use relata_devdb::{Feature, TestDatabase};

use crate::support::{Output, Project, Session, database, eventually, output, query, server};

const FIRST: &str = "model User {\n  id Int @id\n  name String\n  @@map(\"users\")\n}\n";
const SECOND: &str = "model User {\n  id Int @id\n  fullName String @map(\"full_name\")\n  role Role @default(A)\n  \
                      @@map(\"people\")\n}\n\nenum Role {\n  A\n  B\n}\n";

fn dev(project: &Project, database: &TestDatabase, schema: &str, name: &str, more: &[&str]) {
    project.write("schema.dsl", schema);
    project.run(&[&["migrate", "dev", "--url", database.url(), "--name", name], more].concat()).exits(0);
}

fn down(project: &Project, database: &TestDatabase, more: &[&str]) -> Output {
    project.run(&[&["migrate", "down", "--url", database.url()], more].concat())
}

#[test]
fn a_migration_is_undone_and_done_again_without_loss() {
    let (project, database) = (Project::new(), database("down"));
    dev(&project, &database, FIRST, "first", &[]);
    query(&database, "INSERT INTO users VALUES (1, 'Ada')");
    dev(&project, &database, SECOND, "second", &["--rename", "users.name:full_name"]);
    query(&database, "UPDATE people SET role = 'B'");

    // Only the new column is lost; the renames go back without being said again.
    down(&project, &database, &[])
        .exits(1)
        .says("column users.role is dropped")
        .says("--allow users.role")
        .hides("full_name");
    down(&project, &database, &["--dry-run"]).exits(0).says("RENAME").says("DROP TYPE \"Role\"");
    assert_eq!(query(&database, "SELECT full_name FROM people"), ["Ada"]);
    down(&project, &database, &["--allow", "users"]).exits(0).says("undid 1 migration, the last is");
    assert_eq!(query(&database, "SELECT name FROM users"), ["Ada"]);
    let states = "SELECT concat_ws(' ', kind, state, steps_done = steps_total) FROM _relata_migrations ORDER BY id";
    assert_eq!(query(&database, states), ["apply applied t", "apply rolled_back t", "down rolled_back t"]);

    let names = project.list("migrations");
    project
        .run(&[
            "migrate-diff",
            "--from-url",
            database.url(),
            "--to-schema",
            &format!("migrations/{}/schema.dsl", names[0]),
            "--exit-code",
        ])
        .exits(0);
    project.status(&database).exits(2).says(&format!("pending  {}", names[1]));
    project.deploy(&database).exits(0).says("applied 1 migration");
    assert_eq!(query(&database, "SELECT full_name || role FROM people"), ["AdaA"]);

    down(&project, &database, &["--to", "0", "--allow-data-loss"]).exits(0).says("undid 2 migrations, none is applied");
    project.run(&["migrate-diff", "--from-url", database.url(), "--to-empty", "--exit-code"]).exits(0);
    down(&project, &database, &[]).exits(0).says("nothing to undo");
}

/// What was no rename when the migration was written is none when it is undone.
#[test]
fn a_drop_and_an_addition_are_undone_as_what_they_were() {
    let (project, database) = (Project::new(), database("dropped"));
    let schema = |column: &str| format!("model User {{\n  id Int @id\n  {column} String?\n}}\n");
    dev(&project, &database, &schema("name"), "first", &[]);
    dev(&project, &database, &schema("nick"), "second", &["--accept-drops"]);
    query(&database, "INSERT INTO \"User\" VALUES (1, 'ada')");
    let file = format!("migrations/{}/down.sql", project.list("migrations")[1]);
    let refused = down(&project, &database, &[]).exits(1).hides("looks like a rename");
    refused.says("column User.nick is dropped").says("--allow User.nick").says("--rename OLD:NEW").says(&file);
    down(&project, &database, &["--rename", "User.nick:name", "--dry-run"]).exits(0).says("RENAME COLUMN");
    down(&project, &database, &["--allow", "User.nick"]).exits(0).says("undid 1 migration");
    assert_eq!(query(&database, "SELECT name IS NULL FROM \"User\""), ["t"]);

    // Statements that copy the values may mean a rename.
    project.deploy(&database).exits(0);
    let second = project.list("migrations")[1].clone();
    down(&project, &database, &["--allow", "User.nick"]).exits(0);
    let copies =
        "ALTER TABLE \"User\" ADD \"nick\" text; UPDATE \"User\" SET nick = name; ALTER TABLE \"User\" DROP \"name\"";
    project.write(&format!("migrations/{second}/migration.sql"), copies);
    project.run(&["migrate", "dev", "--url", database.url(), "--create-only", "--name", "none"]).exits(0);
    query(&database, "UPDATE \"User\" SET name = 'ada'");
    project.deploy(&database).exits(0);
    let asked = down(&project, &database, &[]).exits(3).hides("@renamedFrom");
    asked.says("column User.nick -> User.name: pass --rename User.nick:name").says(&file).says("--accept-drops");
    down(&project, &database, &["--rename", "User.nick:name"]).exits(0);
    assert_eq!(query(&database, "SELECT name FROM \"User\""), ["ada"]);
}

#[test]
fn where_to_end_is_a_name_or_a_number() {
    let (project, database) = (Project::new(), database("down_to"));
    for (at, fields) in ["", "  a Int?\n", "  a Int?\n  b Int?\n", "  a Int?\n  b Int?\n  c Int?\n"].iter().enumerate()
    {
        let schema = format!("model T {{\n  id Int @id\n{fields}}}\n");
        dev(&project, &database, &schema, &format!("step{at}"), &[]);
    }
    let names = project.list("migrations");
    down(&project, &database, &["--to", "nonsense"]).exits(1).says("nonsense is not applied");
    down(&project, &database, &["--to", &names[3]]).exits(0).says("nothing to undo");
    down(&project, &database, &["--to", &names[1], "--allow", "T.b"]).exits(1).says("T.c is dropped").hides("T.b is");
    down(&project, &database, &["--to", &names[1], "--allow", "T.b", "--allow", "T.c"]).exits(0).says("undid 2");
    down(&project, &database, &["--steps", "9", "--allow-data-loss"]).exits(0).says("undid 2");
    down(&project, &database, &["--steps", "1", "--to", "0"]).exits(64);
    project.deploy(&database).exits(0).says("applied 4 migrations");
    project.status(&database).exits(0);
}

#[test]
fn what_cannot_be_undone_stays_whole() {
    let (project, database) = (Project::new(), database("down_fails"));
    dev(&project, &database, "model T {\n  id Int @id\n}\n", "one", &[]);
    dev(&project, &database, "model T {\n  id Int @id\n  a Int?\n}\n", "two", &[]);
    query(&database, "CREATE VIEW v AS SELECT a FROM \"T\"");
    down(&project, &database, &["--allow-data-loss"])
        .exits(1)
        .says("cannot drop column a")
        .says("nothing of")
        .says("was undone");
    project.status(&database).exits(0);
    query(&database, "DROP VIEW v");
    let names = project.list("migrations");
    project.write(&format!("migrations/{}/migration.sql", names[1]), "SELECT 1");
    down(&project, &database, &["--allow-data-loss"]).exits(1).says("was edited after it was applied");
}

#[test]
fn statements_of_ones_own_undo_and_go_on_where_they_stopped() {
    let (project, database) = (Project::new(), database("down_own"));
    project.migration("1_a", "CREATE TABLE a (id int); CREATE VIEW v AS SELECT 1");
    project.deploy(&database).exits(0);
    down(&project, &database, &[])
        .exits(1)
        .says("has `CREATE VIEW v AS`")
        .says("has no schema.dsl")
        .says("1_a/down.sql");
    project.write("migrations/1_a/down.sql", "DROP VIEW v;\n-- relata:segment outside\nDROP TABLE a;\nDROP TABLE b;\n");
    down(&project, &database, &[]).exits(1).says("down.sql of 1_a runs `DROP TABLE a`").says("--allow 1_a");
    let down = |project: &Project, database: &TestDatabase, _: &[&str]| down(project, database, &["--allow", "1_a"]);
    down(&project, &database, &[])
        .exits(1)
        .says("undoing 1_a stopped after 2 of its statements")
        .says("of the reverse migration of 1_a");
    project.status(&database).exits(3).says("run `migrate down` again");
    project.deploy(&database).exits(1).says("undoing 1_a stopped");
    query(&database, "CREATE TABLE b (id int)");
    down(&project, &database, &[]).exits(0).says("undid 1 migration");
    project.status(&database).exits(2).says("pending  1_a");
    project.deploy(&database).exits(0);
    project.status(&database).exits(0);
}

/// The guard reads SQL as PostgreSQL does: neither a quote nor a comment nor a block hides a statement from it.
#[test]
fn however_a_loss_is_written_it_has_to_be_allowed() {
    let (project, database) = (Project::new(), database("down_guard"));
    project.migration("1_a", "CREATE TABLE users (id int); INSERT INTO users VALUES (1)");
    project.deploy(&database).exits(0);
    for (sql, shown) in [
        ("DROP TABLE\"users\";", "DROP TABLE\"users\""),
        ("DROP/* why */TABLE -- users\n users;", "DROP TABLE users"),
        ("SELECT 1; SELECT 2; DELETE FROM\"users\";", "DELETE FROM\"users\""),
        ("WITH gone AS (DELETE FROM users RETURNING id) SELECT * FROM gone;", "DELETE FROM users RETURNING id"),
        ("ALTER TABLE users DROP\"id\";", "DROP\"id\""),
        ("DO $$BEGIN DROP TABLE\"users\"; END$$;", "DROP TABLE\"users\""),
        ("DO $$BEGIN EXECUTE format('DROP TABLE %I', 'users'); END$$;", "DROP TABLE %I"),
        (
            "CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql AS $$BEGIN TRUNCATE users; END$$; SELECT f();",
            "TRUNCATE users",
        ),
    ] {
        project.write("migrations/1_a/down.sql", sql);
        down(&project, &database, &[])
            .exits(1)
            .says(&format!("down.sql of 1_a runs `{shown}`"))
            .says("--allow 1_a")
            .says("nothing was undone");
        assert_eq!(query(&database, "SELECT id FROM users"), ["1"], "{sql}");
    }
    down(&project, &database, &["--allow", "1_a"]).exits(0).says("undid 1 migration");
}

/// Two migrations, and a session that keeps their table locked.
fn locked(prefix: &str) -> (Project, TestDatabase, Session) {
    let (project, database) = (Project::new(), database(prefix));
    dev(&project, &database, "model T {\n  id Int @id\n}\n", "one", &[]);
    dev(&project, &database, "model T {\n  id Int @id\n  a Int?\n}\n", "two", &[]);
    let session = Session::open(database.url());
    session.sql("BEGIN; LOCK TABLE \"T\" IN ACCESS SHARE MODE");
    (project, database, session)
}

fn runners(database: &TestDatabase, more: &str) -> usize {
    let sql = format!(
        "SELECT count(*) FROM pg_stat_activity
         WHERE datname = current_database() AND application_name = 'relata migrate' {more}"
    );
    query(database, &sql)[0].parse().expect("a number")
}

#[test]
fn two_at_once_undo_one() {
    if server().skips_without(&[Feature::ConcurrentTransactions]) {
        return;
    }
    let (project, database, session) = locked("down_twice");
    let args = ["migrate", "down", "--allow-data-loss", "--url", database.url()];
    let both = [project.spawn(&args), project.spawn(&args)];
    eventually("both have chosen what to undo", || runners(&database, "") == 2);
    session.sql("COMMIT");
    let mut outputs = both.map(output);
    outputs.sort_by_key(|output| output.code);
    let [done, refused] = outputs;
    done.exits(0).says("undid 1 migration");
    refused.exits(1).says("the history has changed in the meantime");
    project.status(&database).exits(2);
    assert_eq!(query(&database, "SELECT to_regclass('\"T\"') IS NOT NULL"), ["t"]);
}

#[test]
fn a_killed_one_leaves_the_migration_applied() {
    if server().skips_without(&[Feature::ConcurrentTransactions]) {
        return;
    }
    let (project, database, session) = locked("down_killed");
    let mut child = project.spawn(&["migrate", "down", "--allow-data-loss", "--url", database.url()]);
    eventually("it waits for the table", || runners(&database, "AND wait_event_type = 'Lock'") == 1);
    child.kill().expect("killed");
    child.wait().expect("ended");
    session.sql("COMMIT");
    eventually("its session is gone", || runners(&database, "") == 0);
    project.status(&database).exits(0);
    down(&project, &database, &["--allow-data-loss"]).exits(0).says("undid 1 migration");
    project.status(&database).exits(2);
}

/// Attributes swap two columns once, however long they stay, and the reverse migration swaps them again.
#[test]
fn columns_that_attributes_swap_come_back() {
    let (project, database) = (Project::new(), database("down_swap"));
    let url = ["--url", database.url()];
    let dev = |name: &str| project.run(&[&["migrate", "dev", "--name", name], &url[..]].concat());
    project.write("schema.dsl", "model T {\n  id Int @id\n  a Int\n  b Int\n}\n");
    dev("init").exits(0);
    query(&database, "INSERT INTO \"T\" VALUES (1, 10, 20)");
    let swapped = "model T {\n  id Int @id\n  a Int @renamedFrom(\"b\")\n  b Int @renamedFrom(\"a\")\n}\n";
    project.write("schema.dsl", swapped);
    dev("swap").exits(0).says("~ column T.b is renamed to a").hides("T.b__old");
    let values = "SELECT a || ' ' || b FROM \"T\"";
    assert_eq!(query(&database, values), ["20 10"]);
    dev("nothing").exits(0).hides("wrote");
    project.write("schema.dsl", swapped.replace("  id Int @id\n", "  id Int @id\n  c Int?\n"));
    dev("more").exits(0).hides("is renamed");
    project.run(&[&["migrate", "verify"], &["--dev-url", database.url()][..]].concat()).exits(0);
    let down = [&["migrate", "down", "--allow-data-loss"], &url[..]].concat();
    project.run(&down).exits(0);
    assert_eq!(query(&database, values), ["20 10"]);
    project.run(&down).exits(0);
    assert_eq!(query(&database, values), ["10 20"]);
}
