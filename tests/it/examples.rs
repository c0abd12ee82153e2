//! The programs of `examples/`: they run, and print what the README says.

use std::process::Command;

#[test]
fn the_quickstart_prints_what_the_readme_shows() {
    let output = Command::new(env!("CARGO"))
        .args(["run", "--quiet", "--example", "quickstart"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo runs");
    let printed = String::from_utf8(output.stdout).expect("is text");
    assert!(output.status.success(), "{printed}{}", String::from_utf8_lossy(&output.stderr));

    let readme = include_str!("../../README.md");
    let shown = readme.split("```text\ndatabase ").nth(1).and_then(|rest| rest.split("\n```").next());
    // The first line names the server, which is another one elsewhere.
    let without_server = |text: &str| text.trim_end().split_once('\n').expect("has lines").1.to_owned();
    assert_eq!(without_server(shown.expect("the README shows the output")), without_server(&printed));
}
