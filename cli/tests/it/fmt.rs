//! `fmt`: what it writes, names and prints.

use crate::support::Project;

const ROUGH: &str = "model A {\n  id Int @id\n  name   String // n\n}";
const SMOOTH: &str = "model A {\n  id   Int    @id\n  name String // n\n}\n";

#[test]
fn a_file_is_formatted_and_check_only_looks() {
    let project = Project::new();
    project.write("schema.dsl", ROUGH);
    project.run(&["fmt", "--check"]).exits(1).says("schema.dsl is not formatted");
    assert_eq!(project.run(&["fmt", "--stdout"]).exits(0).stdout, SMOOTH);
    assert_eq!(project.read("schema.dsl"), ROUGH);
    project.run(&["fmt"]).exits(0).says("formatted schema.dsl");
    assert_eq!(project.read("schema.dsl"), SMOOTH);
    project.run(&["fmt", "--check"]).exits(0).hides("not formatted");
    project.run(&["fmt"]).exits(0).says("1 file is formatted already");
    assert_eq!(project.list("."), ["schema.dsl"]);
}

#[test]
fn a_folder_is_formatted_file_by_file_and_as_one_schema() {
    let project = Project::new();
    project.write("schema/a.dsl", ROUGH).write("schema/b/b.prisma", "model B {\n  id Int @id\n  a  A\n}\n");
    project.write("schema/c.dsl", "enum C {\n  X\n}\n");
    project.run(&["fmt", "schema", "--check"]).exits(1).says("a.dsl is").says("b.prisma is").hides("c.dsl");
    project.run(&["fmt", "schema", "--stdout"]).exits(64).says("--stdout prints one file");
    project.run(&["fmt", "schema"]).exits(0).says("formatted schema/a.dsl");
    assert_eq!(project.read("schema/a.dsl"), SMOOTH.replace("\n}", "\n  bs   B[]\n}"));
    assert!(project.read("schema/b/b.prisma").contains("@relation(fields: [aId], references: [id])"));
    project.run(&["check", "schema"]).exits(0);
    project.run(&["fmt", "schema", "--check"]).exits(0);
}

#[test]
fn the_first_schema_is_formatted() {
    let project = Project::new();
    project.run(&["init"]).exits(0);
    project.run(&["fmt", "--check"]).exits(0);
}

#[test]
fn what_cannot_be_read_is_left_alone() {
    let project = Project::new();
    project.run(&["fmt"]).exits(1).says("neither schema.dsl nor schema.prisma");
    project.run(&["fmt", "none.dsl"]).exits(1).says("none.dsl");
    project.run(&["fmt", "--check", "--stdout"]).exits(64);
    project.write("schema.dsl", "model A {\n  id   Int @id\n  oops   (\n");
    project.run(&["fmt"]).exits(0);
    assert!(project.read("schema.dsl").contains("  oops   (\n"));
    project.write("bytes.dsl", b"model \xff");
    project.run(&["fmt", "bytes.dsl"]).exits(1).says("not UTF-8");
}

#[cfg(unix)]
#[test]
fn a_link_stays_a_link() {
    let project = Project::new();
    project.write("real/schema.dsl", ROUGH);
    std::os::unix::fs::symlink(project.path("real/schema.dsl"), project.path("schema.dsl")).expect("a link");
    project.run(&["fmt"]).exits(0);
    assert!(project.path("schema.dsl").is_symlink());
    assert_eq!(project.read("real/schema.dsl"), SMOOTH);
}

/// A missing side of a relation may be a new column, so it is printed.
#[test]
fn what_is_added_is_told() {
    let project = Project::new();
    project.write("schema.dsl", "model User {\n  id Int @id\n  posts Post[]\n}\n\nmodel Post {\n  id   Int @id\n}\n");
    let told = project.run(&["fmt"]).exits(0).says("formatted").stdout;
    let text = project.read("schema.dsl");
    let added: Vec<&str> = told.lines().filter_map(|line| line.strip_prefix("  added `")?.strip_suffix('`')).collect();
    assert!(added.iter().any(|line| line.starts_with("userId")), "{told}");
    let words = |line: &str| line.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    for line in added {
        assert!(text.lines().any(|written| words(written) == words(line)), "{line} is not in\n{text}");
    }
    project.run(&["fmt"]).exits(0).hides("added");
}
