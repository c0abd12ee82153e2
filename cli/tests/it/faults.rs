//! What may go wrong around a migration: the runner is killed, the server dies, files and history part ways.
//!
//! After each fault `status` tells the truth, and one documented command leads to the right end: nothing is lost,
//! and nothing is applied twice.

use std::net::TcpStream;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use relata_devdb::{DevDb, Feature, Source, TestDatabase};

use crate::proxy::{Cut, Proxy};
use crate::support::{Project, Session, database, eventually, output, query, server};

const FIRST: &str = "CREATE TABLE t (a int, b int);\nINSERT INTO t SELECT i, i FROM generate_series(1, 20) i;\n\
                     CREATE TYPE mood AS ENUM ('good');\nCREATE TABLE log (line text);";
/// A transaction, statements outside of any, and both again; `@` is a number.
const PARTS: &str = "\
INSERT INTO log VALUES ('@ one'), ('@ two');
-- relata:segment outside
CREATE INDEX CONCURRENTLY t_a@ ON t (a);
ALTER TYPE mood ADD VALUE 'bad@';
-- relata:segment transactional
INSERT INTO log VALUES ('@ three');
ALTER TABLE t ADD COLUMN mood@ mood DEFAULT 'bad@';
-- relata:segment outside
DROP INDEX CONCURRENTLY t_a@;
CREATE UNIQUE INDEX CONCURRENTLY t_b@ ON t (b);
";
const END_OF_PARTS: &str = "SELECT concat_ws(' ', (SELECT count(*) FROM log WHERE line LIKE '@ %'),
    (SELECT count(*) FILTER (WHERE mood@ = 'bad@') FROM t), (SELECT string_agg(relname, ',') FROM pg_index i
     JOIN pg_class c ON c.oid = i.indexrelid WHERE i.indisvalid AND relname IN ('t_a@', 't_b@')),
    (SELECT string_agg(kind || ' ' || state, ',') FROM _relata_migrations WHERE name = '@_next'))";

fn two_migrations(first: &str, second: &str) -> Project {
    let project = Project::new();
    project.migration("1_first", first).migration("2_second", second);
    project
}

/// The runner is killed at every message to the server, before it arrives and after it has arrived. `second` and `end`
/// have an `@` for each time.
fn killed_at_every_message(prefix: &str, cuts: &[Cut], second: &str, end: &str, expected: &str) {
    let (project, database) = (Project::new(), database(prefix));
    project.migration("0001_first", FIRST).deploy(&database).exits(0);
    let (proxy, watch) = (Proxy::start(database.url()), Session::open(database.url()));
    let mut kills = 0;
    for cut in cuts.iter().copied() {
        for message in 1.. {
            let number = (1000 + kills).to_string();
            let name = format!("{number}_next");
            project.migration(&name, &second.replace('@', &number));
            let through = proxy.arm(cut, message);
            let mut child = project.spawn(&["migrate", "deploy", "--url", &through]);
            if !proxy.has_cut(&mut child) {
                output(child).exits(0);
                kills += 1;
                break;
            }
            kills += 1;
            child.kill().expect("killed");
            child.wait().expect("ended");
            proxy.let_go();
            let sessions = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'relata migrate' \
                            AND datname = current_database()";
            eventually("the server notices", || watch.sql(sessions) == ["0"]);

            let row = format!("SELECT state FROM _relata_migrations WHERE name = '{name}'");
            let status = project.status(&database);
            match watch.sql(&row).first().map(String::as_str) {
                None => status.exits(2).says(&format!("pending  {name}")),
                Some("running") => status.exits(3).says(&format!("{name} was interrupted")),
                Some(_) => status.exits(0),
            };
            project.deploy(&database).exits(0);
            assert_eq!(
                watch.sql(&end.replace('@', &number)),
                [expected.replace('@', &number)],
                "{cut:?} message {message}"
            );
            project.status(&database).exits(0);
        }
    }
    assert!(kills > 30, "so few messages are no migration: {kills}");
}

#[test]
fn killed_anywhere_a_migration_in_parts_comes_to_its_end() {
    // What the server does with a message whose sender is gone, the other test asks.
    killed_at_every_message("kill_parts", &[Cut::Before], PARTS, END_OF_PARTS, "3 20 t_b@ apply applied");
}

#[test]
fn killed_anywhere_a_migration_in_one_transaction_is_whole_or_not_there() {
    let end = "SELECT concat_ws(' ', (SELECT count(*) FROM log WHERE line LIKE '@ %'), (SELECT sum(c@) FROM t),
               (SELECT string_agg(kind || ' ' || state, ',') FROM _relata_migrations WHERE name = '@_next'))";
    let second = "INSERT INTO log VALUES ('@ one');\nALTER TABLE t ADD COLUMN c@ int DEFAULT 2;";
    killed_at_every_message("kill_whole", &[Cut::Before, Cut::After], second, end, "1 40 apply applied");
}

/// A cluster of its own, which may be killed and started again.
struct Cluster {
    folder: tempfile::TempDir,
    server: DevDb,
    program: PathBuf,
    arguments: Vec<String>,
    user: u32,
    /// The one that was started again.
    child: Option<Child>,
}

impl Cluster {
    /// None where the tests have no PostgreSQL of the system, or the system does not show its processes.
    fn start() -> Option<Self> {
        if server().skips_without(&[Feature::Programs]) {
            return None;
        }
        if !Path::new("/proc/self/exe").exists() {
            relata_devdb::skip("the system does not show the server's process");
            return None;
        }
        let folder = tempfile::Builder::new().prefix("faults").tempdir_in("/tmp").expect("a temporary folder");
        std::fs::set_permissions(folder.path(), PermissionsExt::from_mode(0o755)).expect("the folder is ours");
        let home = folder.path().join("home");
        let server = DevDb::builder().only(Source::System).directory(home).start().expect("a cluster of its own");
        let mut cluster = Self { folder, server, program: PathBuf::new(), arguments: Vec::new(), user: 0, child: None };
        let process = PathBuf::from("/proc").join(cluster.process());
        cluster.program = std::fs::read_link(process.join("exe")).expect("the server runs");
        cluster.user = std::fs::metadata(&process).expect("the server runs").uid();
        let arguments = std::fs::read_to_string(process.join("cmdline")).expect("the server runs");
        cluster.arguments = arguments.split('\0').filter(|it| !it.is_empty()).skip(1).map(str::to_owned).collect();
        Some(cluster)
    }

    /// A server for tests does not wait for its disk; this database shall lose nothing that was committed.
    fn url(&self) -> String {
        format!("{}?options=-csynchronous_commit%3Don", self.server.url("faults"))
    }

    fn pid_file(&self) -> PathBuf {
        let home = self.folder.path().join("home");
        let entries = std::fs::read_dir(home).expect("readable").map(|entry| entry.expect("readable").path());
        let mut files = entries.map(|path| path.join("data/postmaster.pid"));
        files.find(|path| path.exists()).expect("the server runs")
    }

    /// The process of the server.
    fn process(&self) -> String {
        let file = std::fs::read_to_string(self.pid_file()).expect("readable");
        file.lines().next().expect("a process id").to_owned()
    }

    /// As a crash would: no process of the server has time for anything.
    fn kill(&self) {
        let pid = self.process();
        let killed = Command::new("kill").args(["-9", &pid]).status().expect("kill runs");
        assert!(killed.success());
        // Where nobody asks how a process ended, it keeps its number; no process has this one.
        let file = self.pid_file();
        let text = std::fs::read_to_string(&file).expect("readable");
        std::fs::write(&file, text.replacen(&pid, "99999999", 1)).expect("written");
        let sockets = self.pid_file().ancestors().nth(2).expect("a folder").join("socket");
        for entry in std::fs::read_dir(sockets).expect("readable") {
            std::fs::remove_file(entry.expect("readable").path()).expect("removed");
        }
    }

    /// The same program with the same options, as the same user.
    fn restart(&mut self) {
        let url = self.url();
        eventually("the server is back", || {
            let mut command = Command::new(&self.program);
            command
                .args(&self.arguments)
                .uid(self.user)
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(Stdio::null());
            // What is left of the old one may still hold the memory that both would share.
            let mut child = command.spawn().expect("PostgreSQL starts");
            loop {
                if TcpStream::connect(url.rsplit_once('@').and_then(|(_, it)| it.split_once('/')).expect("a URL").0)
                    .is_ok()
                    && Session::try_open(&url).is_some()
                {
                    self.child = Some(child);
                    return true;
                }
                if child.try_wait().expect("a child").is_some() {
                    return false;
                }
                std::thread::sleep(Duration::from_millis(20));
            }
        });
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            // It may have ended by itself.
            let _ = Command::new("kill").args(["-INT", &child.id().to_string()]).status();
            let _ = child.wait();
        }
    }
}

#[test]
fn a_server_that_dies_in_the_middle_comes_back_to_the_same_end() {
    let Some(mut cluster) = Cluster::start() else { return };
    cluster.server.ensure_database("faults").expect("a database");
    let project = two_migrations(FIRST, "SELECT 1");
    let url = cluster.url();
    project.run(&["migrate", "deploy", "--url", &url]).exits(0);
    project.migration("3_third", &PARTS.replace('@', "3"));
    // A writer keeps the index from being built, so that the server dies in the middle of it.
    let writer = Session::open(&url);
    writer.sql("BEGIN; UPDATE t SET a = a");
    let child = project.spawn(&["migrate", "deploy", "--url", &url]);
    let building = "SELECT count(*) FROM pg_index WHERE indrelid = 't'::regclass AND NOT indisvalid";
    eventually("the index is being built", || Session::open(&url).sql(building) == ["1"]);
    cluster.kill();
    output(child).exits(1).says("3_third");

    cluster.restart();
    let url = cluster.url();
    project
        .run(&["migrate", "status", "--url", &url])
        .exits(3)
        .says("3_third was interrupted after 1 of its statements");
    project.run(&["migrate", "deploy", "--url", &url]).exits(0).says("going on, 1 statement was done");
    assert_eq!(
        Session::open(&url).sql(&END_OF_PARTS.replace('@', "3").replace("3_next", "3_third")),
        ["3 20 t_b3 apply applied"]
    );
    project.run(&["migrate", "status", "--url", &url]).exits(0);

    // In a transaction, nothing of it is left.
    project.migration("4_fourth", "INSERT INTO log VALUES ('four');\nSELECT pg_sleep(60)");
    let child = project.spawn(&["migrate", "deploy", "--url", &url]);
    let sleeping = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep%'";
    eventually("the migration runs", || Session::open(&url).sql(sleeping) == ["1"]);
    cluster.kill();
    output(child).exits(1).says("4_fourth");
    cluster.restart();
    project.run(&["migrate", "status", "--url", &url]).exits(2).says("pending  4_fourth");
    project.migration("4_fourth", "INSERT INTO log VALUES ('four');");
    project.run(&["migrate", "deploy", "--url", &url]).exits(0);
    assert_eq!(Session::open(&url).sql("SELECT count(*) FROM log"), ["4"]);
}

#[test]
fn five_deployers_at_once_apply_every_statement_once() {
    let database = database("five");
    let project = two_migrations(FIRST, &PARTS.replace('@', "2"));
    let args = ["migrate", "deploy", "--url", database.url()];
    let deployers: Vec<_> = (0..5).map(|_| project.spawn(&args)).collect();
    let outputs: Vec<_> = deployers.into_iter().map(|child| output(child).exits(0)).collect();
    let busy = outputs.iter().filter(|output| output.stdout.contains("applied 2 migrations")).count();
    assert_eq!(busy, 1, "{outputs:?}");
    let end = END_OF_PARTS.replace('@', "2").replace("2_next", "2_second");
    assert_eq!(query(&database, &end), ["3 20 t_b2 apply applied"]);
}

#[test]
fn a_lock_that_is_never_given_up_stops_the_deploy_and_nobody_else() {
    if server().skips_without(&[Feature::ConcurrentTransactions, Feature::Timeouts]) {
        return;
    }
    let database = database("never");
    let project = two_migrations(FIRST, "INSERT INTO log VALUES ('one');\nALTER TABLE t ADD COLUMN c int;");
    project.migration("2_second", "SELECT 1");
    project.deploy(&database).exits(0);
    project.migration("3_third", "INSERT INTO log VALUES ('one');\nALTER TABLE t ADD COLUMN c int;");
    let holder = Session::open(database.url());
    holder.sql("BEGIN; LOCK TABLE t IN ACCESS SHARE MODE");
    let args = ["migrate", "deploy", "--lock-timeout", "50", "--retries", "1", "--url", database.url()];
    project.run(&args).exits(1).says("retry 1").says("SQLSTATE 55P03").says("was rolled back");
    project.status(&database).exits(2).says("pending  3_third");
    assert_eq!(query(&database, "SELECT count(*) FROM log"), ["0"]);
    holder.sql("COMMIT");
    project.deploy(&database).exits(0);
    assert_eq!(query(&database, "SELECT count(*) FROM log"), ["1"]);
}

/// What people do to the files of applied migrations, and the command of the book that ends it.
#[test]
fn files_that_part_from_the_history_are_found_and_mended() {
    let database = database("files");
    let (one, two) = ("CREATE TABLE one (id int)", "CREATE TABLE two (id int)");
    let project = two_migrations(one, two);
    let resolve = |database: &TestDatabase, name: &str, how: &str| {
        project.run(&["migrate", "resolve", name, how, "--url", database.url()]).exits(0);
    };
    project.deploy(&database).exits(0);

    // Edited, and the database brought to the same by hand.
    project.migration("2_second", "CREATE TABLE two (id int, note text)");
    project.status(&database).exits(3).says("2_second was edited");
    project.deploy(&database).exits(1).says("2_second was edited");
    query(&database, "ALTER TABLE two ADD COLUMN note text");
    resolve(&database, "2_second", "--applied");
    project.status(&database).exits(0);

    // Deleted, with what it did.
    std::fs::remove_dir_all(project.path("migrations/2_second")).expect("removed");
    project.status(&database).exits(3).says("2_second is applied but its folder is missing");
    query(&database, "DROP TABLE two");
    resolve(&database, "2_second", "--rolled-back");
    project.status(&database).exits(0);

    // Renamed.
    std::fs::rename(project.path("migrations/1_first"), project.path("migrations/1_begin")).expect("renamed");
    project.status(&database).exits(3).says("1_first is applied but its folder is missing");
    resolve(&database, "1_first", "--rolled-back");
    resolve(&database, "1_begin", "--applied");
    project.status(&database).exits(0);

    // Reordered: one that is older than the last comes from another branch.
    project.migration("3_third", "CREATE TABLE three (id int)");
    project.deploy(&database).exits(0);
    project.migration("2_late", "CREATE TABLE late (id int)");
    project.status(&database).exits(3).says("2_late is not applied but older than 3_third");
    project.deploy(&database).exits(1).says("--allow-out-of-order");
    project.run(&["migrate", "deploy", "--allow-out-of-order", "--url", database.url()]).exits(0);
    project.status(&database).exits(0);
    assert_eq!(query(&database, "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"), ["4"]);
}
