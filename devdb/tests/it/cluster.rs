//! The cluster: shared by all, started once, found again, replaced if it is broken, stopped when nobody uses it.

use crate::support::{Home, ask, stdout, write};
use rustix::process::{Pid, Signal, kill_process, test_kill_process};
use std::collections::BTreeSet;
use std::process::Stdio;
use std::time::{Duration, Instant, SystemTime};

fn kill(pid: i32) {
    kill_process(Pid::from_raw(pid).expect("a process number"), Signal::KILL).expect("the server is killed");
}

fn wait_for(what: &str, mut done: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while !done() {
        assert!(Instant::now() < deadline, "waited in vain until {what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn threads_and_processes_that_race_get_one_cluster() {
    let Some(home) = Home::new() else { return };
    let spawn = || home.devdb(&["url", "race"]).stdout(Stdio::piped()).stderr(Stdio::null()).spawn();
    let processes: Vec<_> = (0..6).map(|_| spawn().expect("a process")).collect();
    let from_threads: Vec<String> = std::thread::scope(|scope| {
        let work = || {
            let db = home.start();
            let database = db.create_database("race").expect("a database");
            assert_eq!(ask(database.url(), "SELECT current_database()"), database.name());
            db.url("race")
        };
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(work)).collect();
        threads.into_iter().map(|thread| thread.join().expect("no panic")).collect()
    });
    let outputs = processes.into_iter().map(|process| process.wait_with_output().expect("an output"));
    let urls: BTreeSet<String> = outputs.map(|output| stdout(&output)).chain(from_threads).collect();
    // Each cluster has its own password and port.
    assert_eq!(urls.len(), 1, "{urls:?}");
    assert_eq!(ask(urls.first().expect("a URL"), "SELECT current_database()"), "race");
}

#[test]
fn a_running_cluster_is_found_again_and_a_stopped_one_keeps_its_port() {
    let Some(home) = Home::new() else { return };
    let first = home.start();
    first.ensure_database("kept").expect("a database");
    let pid = home.pid();
    home.start();
    assert_eq!(home.pid(), pid);
    assert!(home.builder().stop().expect("it stops"));
    assert!(!home.builder().stop().expect("it is stopped"));
    assert_eq!(home.start().url("kept"), first.url("kept"));
    assert_eq!(ask(&first.url("kept"), "SELECT current_database()"), "kept");
}

#[test]
fn a_killed_server_is_replaced() {
    let Some(home) = Home::new() else { return };
    home.start();
    let pid = home.pid();
    kill(pid);
    let db = home.start();
    assert_ne!(home.pid(), pid);
    assert_eq!(ask(&db.url("postgres"), "SELECT 1"), "1");
}

#[test]
fn a_pid_file_with_an_unrelated_process_is_ignored() {
    let Some(home) = Home::new() else { return };
    home.start();
    assert!(home.builder().stop().expect("it stops"));
    let file = home.cluster().join("data/postmaster.pid");
    let data = home.cluster().join("data");
    let stranger = std::process::id();
    write(&file, &format!("{stranger}\n{}\n1\n1\n/nowhere\n127.0.0.1\n 1 1\nready   \n", data.display()));
    let db = home.start();
    assert_eq!(ask(&db.url("postgres"), "SELECT 1"), "1");
}

#[test]
fn a_broken_data_folder_is_created_again() {
    let Some(home) = Home::new() else { return };
    home.start();
    assert!(home.builder().stop().expect("it stops"));
    std::fs::remove_file(home.cluster().join("data/global/pg_control")).expect("the file is removed");
    assert_eq!(ask(&home.start().url("postgres"), "SELECT 1"), "1");
}

#[test]
fn an_old_cluster_is_created_again_when_it_is_started() {
    let Some(home) = Home::new() else { return };
    let first = home.start();
    assert!(home.builder().stop().expect("it stops"));
    let file = std::fs::File::open(home.cluster().join("data/PG_VERSION")).expect("the file is there");
    file.set_modified(SystemTime::now() - Duration::from_secs(8 * 24 * 3600)).expect("its time is set");
    let second = home.start();
    // Each cluster has its own password.
    assert_ne!(first.url("postgres"), second.url("postgres"));
    assert_eq!(ask(&second.url("postgres"), "SELECT 1"), "1");
}

#[test]
fn an_unused_cluster_stops_and_a_used_one_does_not() {
    let Some(home) = Home::new() else { return };
    let idle = Duration::from_secs(3);
    let db = home.builder().idle(idle).start().expect("a cluster");
    let pid = Pid::from_raw(home.pid()).expect("a process number");
    std::thread::sleep(idle * 2);
    assert!(test_kill_process(pid).is_ok(), "stopped although it is in use");
    drop(db);
    wait_for("the cluster stops", || test_kill_process(pid).is_err());
    assert!(home.builder().status().expect("a status").is_none());
}

#[test]
fn a_killed_watcher_is_replaced() {
    let Some(home) = Home::new() else { return };
    let idle = Duration::from_secs(3);
    drop(home.builder().idle(idle).start().expect("a cluster"));
    let pid = home.pid();
    let pattern = format!("relata-devdb-watcher {pid} ");
    let watchers = || watchers(&pattern);
    wait_for("a watcher is there", || !watchers().is_empty());
    watchers().into_iter().for_each(kill);
    std::thread::sleep(idle * 2);
    drop(home.builder().idle(idle).start().expect("the same cluster"));
    assert_eq!(home.pid(), pid, "nobody stopped it without a watcher");
    wait_for("the cluster stops", || test_kill_process(Pid::from_raw(pid).expect("a number")).is_err());
}

/// Returns the processes whose command line contains `pattern`.
fn watchers(pattern: &str) -> Vec<i32> {
    let output = std::process::Command::new("ps").args(["-A", "-o", "pid=,args="]).output().expect("ps runs");
    let lines = stdout(&output);
    let matching = lines.lines().filter(|line| line.contains(pattern));
    matching.filter_map(|line| line.split_whitespace().next()?.parse().ok()).collect()
}
