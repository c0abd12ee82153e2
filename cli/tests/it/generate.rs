//! `init`, `check` and `generate`.

use crate::support::Project;

#[test]
fn init_writes_a_schema_that_is_valid_and_tells_what_else_is_needed() {
    let project = Project::new();
    project
        .run(&["init"])
        .exits(0)
        .says("wrote schema.dsl")
        .says("relata_codegen::build::Build::new(\"schema.dsl\").run();")
        // A command of a checkout names the packages beside it.
        .says("cargo add --build relata-codegen --path \"")
        .says("codegen\"\n");
    project.run(&["check"]).exits(0).says("schema.dsl is valid: 2 models");
    let project = Project::new();
    project.write("schema.prisma", "model A {\n  id Int @id\n}\n");
    project.run(&["init"]).exits(1).says("works without changes");
    project.run(&["check"]).exits(0).says("schema.prisma is valid: 1 model");
}

#[test]
fn generate_writes_what_differs_and_check_only_looks() {
    let project = Project::new();
    project.run(&["init"]).exits(0);
    project.run(&["generate", "--check"]).exits(1).says("generated/user.rs").says("run `codegen generate`");
    assert!(project.list("generated").is_empty());
    project.run(&["generate"]).exits(0).says("wrote");
    project.run(&["generate", "--check"]).exits(0);
    project.run(&["generate"]).exits(0).says("generated is up to date");

    let schema = project.read("schema.dsl");
    project.write("schema.dsl", schema.replace("name      String?", "name      String?\n  nick      String?"));
    project.run(&["generate", "--check"]).exits(1).says("generated/user.rs").hides("generated/note.rs");
    project.write("schema.dsl", schema.replace("String?", "Strin?"));
    let before = project.read("generated/user.rs");
    project.run(&["generate"]).exits(1).says("did you mean `String`?");
    assert_eq!(project.read("generated/user.rs"), before);
}

#[test]
fn a_folder_of_files_is_one_schema() {
    let project = Project::new();
    project.write("schema/base.prisma", "datasource db {\n  provider = \"postgresql\"\n}\nenum Color {\n  RED\n}\n");
    project.write("schema/models/a.dsl", "model A {\n  id Int @id\n  color Color\n}\n");
    project.run(&["check", "schema"]).exits(0).says("schema is valid: 1 model, 1 enum");
    project.run(&["generate", "--schema", "schema", "--out", "client"]).exits(0);
    assert!(project.list("client").contains(&"a.rs".to_owned()));
    project.write("schema/models/b.dsl", "model A {\n  id Int @id\n}\n");
    project.run(&["check", "schema"]).exits(1).says("schema/models/b.dsl:1:7").says("schema/models/a.dsl");
}
