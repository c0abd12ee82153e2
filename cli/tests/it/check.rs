//! `check`: what it says to a person and to a program.

use serde_json::{Value, json};

use crate::support::Project;

fn diagnostics(stdout: &str) -> Value {
    serde_json::from_str(stdout).expect("the output is JSON")
}

#[test]
fn the_json_has_a_verdict_and_every_diagnostic_with_its_place() {
    let project = Project::new();
    project.write("schema.dsl", "model A {\n  ä Itn @id\n}\n");
    let ran = project.run(&["check", "--json"]).exits(1);
    // Columns are characters, offsets bytes.
    let expected = json!({
        "ok": false,
        "diagnostics": [{
            "code": "R0301",
            "severity": "error",
            "message": "there is no type `Itn`",
            "help": "did you mean `Int`?",
            "file": "schema.dsl", "line": 2, "column": 5, "end_line": 2, "end_column": 8, "start": 15, "end": 18,
            "label": "neither a built-in type, nor a model, nor an enum",
            "related": [],
        }],
    });
    assert_eq!(diagnostics(&ran.stdout), expected);
}

#[test]
fn a_second_place_is_related_in_whichever_file_it_is() {
    let project = Project::new();
    project.write("schema/a.dsl", "model A {\n  id Int @id\n}\n");
    project.write("schema/b.dsl", "model A {\n  id Int @id\n}\n");
    let found = diagnostics(&project.run(&["check", "schema", "--json"]).exits(1).stdout);
    let [diagnostic] = found["diagnostics"].as_array().expect("a list").as_slice() else { panic!("{found}") };
    assert_eq!((&diagnostic["code"], &diagnostic["file"]), (&json!("R0201"), &json!("schema/b.dsl")));
    let [related] = diagnostic["related"].as_array().expect("a list").as_slice() else { panic!("{found}") };
    assert_eq!(
        (&related["file"], &related["line"], &related["column"]),
        (&json!("schema/a.dsl"), &json!(1), &json!(7))
    );
}

#[test]
fn warnings_and_notes_do_not_refuse_a_schema() {
    let project = Project::new();
    project.write(
        "schema.prisma",
        "generator client {\n  provider = \"prisma-client-js\"\n}\n\nmodel A {\n  id Int @id\n  b Int\n  of B \
         @relation(fields: [b], references: [id])\n}\n\nmodel B {\n  id Int @id\n  as A[]\n}\n",
    );
    let found = diagnostics(&project.run(&["check", "--json"]).exits(0).stdout);
    assert_eq!(found["ok"], true);
    let all = found["diagnostics"].as_array().expect("a list");
    let severities: Vec<_> = all.iter().map(|it| (it["code"].as_str(), it["severity"].as_str())).collect();
    assert_eq!(severities, [(Some("R0810"), Some("note")), (Some("R0716"), Some("warning"))]);
    project
        .run(&["check"])
        .exits(0)
        .says("note[R0810]")
        .says("warning[R0716]")
        .says("schema.prisma is valid: 2 models");
    // Who asked for something else is told in one line.
    let told = "1 warning in schema.prisma: `codegen check schema.prisma` shows it";
    project.run(&["generate"]).exits(0).says(told).hides("R0716").hides("R0810");
    let both = ["migrate-diff", "--from-schema", "schema.prisma", "--to-schema", "schema.prisma"];
    assert_eq!(project.run(&both).exits(0).stderr, format!("{told}\nno difference\n"));
    // A project can accept them.
    project.write("codegen.toml", "[check]\nallow = [\"R0716\", \"r0810\"]\n");
    project.run(&["check"]).exits(0).hides("R0716").hides("R0810");
    assert_eq!(project.run(&both).exits(0).stderr, "no difference\n");
    project.run(&["check", "--fix"]).exits(0).hides("R0716");
    assert!(!project.read("schema.prisma").contains("@@index"));
    project.write("codegen.toml", "[check]\nallow = [\"R0301\"]\n");
    project.run(&["check"]).exits(1).says("`allow` in codegen.toml: R0301 is an error, which cannot be allowed");
    std::fs::remove_file(project.path("codegen.toml")).expect("is removed");
    project.write("schema.prisma", "model A {\n  id Int @id\n}\n");
    assert_eq!(diagnostics(&project.run(&["check", "--json"]).exits(0).stdout), json!({"ok": true, "diagnostics": []}));
}

#[test]
fn a_line_without_end_is_not_echoed() {
    let project = Project::new();
    project.write(
        "schema.dsl",
        format!("model T {{\n  id Int @id @default(dbgenerated({}1{}))\n}}\n", "[".repeat(50_000), "]".repeat(50_000)),
    );
    let output = project.run(&["check"]).exits(1);
    assert!(output.stderr.lines().all(|line| line.chars().count() < 200), "{}", output.stderr.len());
}

#[test]
fn fix_makes_the_changes_that_are_proposed_and_says_which() {
    let project = Project::new();
    let schema = "model Institution {\n  id Int @id\n  users User[]\n\n  @@tenant\n}\n";
    project.write("schema/institution.dsl", schema);
    let users = "model User {\n  id Int @id @default(autoincrement())\n  institutionId Int\n  \
                 institution Institution @relation(fields: [institutionId], references: [id])\n}\n";
    project.write("schema/user.dsl", users);
    let found = project.run(&["check", "schema"]).exits(1);
    assert!(found.stderr.contains("write `@@tenant(institution)` if each row belongs to one"), "{}", found.stderr);
    let fixed = project.run(&["check", "schema", "--fix"]).exits(0);
    assert!(fixed.stderr.contains("fixed R0904: `User` does not declare"), "{}", fixed.stderr);
    assert!(fixed.stderr.contains("\n  added `@@tenant(institution)`\n"), "{}", fixed.stderr);
    let text = project.read("schema/user.dsl");
    assert!(text.contains("\n\n  @@index([institutionId])\n  @@tenant(institution)\n}"), "{text}");
    // What nothing is proposed for keeps its text.
    assert_eq!(project.read("schema/institution.dsl"), schema);
    let again = project.run(&["check", "schema", "--fix"]).exits(0);
    assert_eq!(again.stderr, "");
}

/// A fix may change what a key means, so it says what it wrote.
#[test]
fn fix_says_what_it_wrote() {
    let project = Project::new();
    let schema = "model Shop {\n  id Int @id\n  orders Order[]\n\n  @@tenant\n}\n\nmodel Order {\n  id Int @id @default(autoincrement())\n  \
                  shopId Int\n  shop Shop @relation(fields: [shopId], references: [id])\n  number   String  @unique\n  \
                  lines Line[]\n\n  @@tenant(shop)\n}\n\nmodel Line {\n  id Int @id @default(autoincrement())\n  shopId Int\n  \
                  shop Shop @relation(fields: [shopId], references: [id])\n  orderId Int\n  order Order @relation(fields: orderId, references: [id])\n\n  \
                  @@index([shopId])\n  @@tenant(shop)\n}\n";
    project.write("schema.dsl", schema.replace("orders Order[]", "orders Order[]\n  lines Line[]"));
    let fixed = project.run(&["check", "schema.dsl", "--fix"]).exits(0);
    for line in [
        "fixed R0907: `number` is unique across all tenants\n  `number String @unique` -> `number String`\n  added `@@unique([shopId, number])`",
        "  `order Order @relation(fields: orderId, references: [id])` -> \
         `order Order @relation(fields: [shopId, orderId], references: [shopId, id])`",
    ] {
        assert!(fixed.stderr.contains(line), "{line}\n{}", fixed.stderr);
    }
}
