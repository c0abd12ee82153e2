//! A skipped test says so past the test runner's capture, and is counted when its program ends.

use crate::support::stderr;
use relata_devdb::{DevDb, Feature, Source};
use std::process::Command;

/// Not a test: [`skipped_tests_are_reported_and_counted`] runs this in a separate process.
#[test]
#[ignore = "part of another test"]
fn skips_two() {
    relata_devdb::skip("it has no reason");
    relata_devdb::skip("the reason\nhas lines");
}

#[test]
fn skipped_tests_are_reported_and_counted() {
    // With capture, as usual: the runner hides what a passing test prints.
    let mut runner = Command::new(std::env::current_exe().expect("a path"));
    let output = runner.args(["--ignored", "--exact", "skipping::skips_two", "--test-threads=2"]).output();
    let output = output.expect("the tests run");
    assert!(output.status.success(), "{output:?}");
    let said = stderr(&output);
    assert!(said.contains("SKIPPED: skipping::skips_two: it has no reason\n"), "{said}");
    assert!(said.contains("SKIPPED: skipping::skips_two: the reason has lines\n"), "{said}");
    assert!(said.contains("SKIPPED: 2 tests of this program, "), "{said}");
}

#[test]
fn a_server_that_has_everything_skips_nothing() {
    let Some(home) = crate::support::Home::new() else { return };
    let server: DevDb = home.start();
    assert_eq!(server.source(), Source::System);
    assert!(Feature::ALL.iter().all(|feature| server.has(*feature)));
    assert!(!server.skips_without(&Feature::ALL));
}
