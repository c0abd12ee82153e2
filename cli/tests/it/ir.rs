//! `ir`, as `docs/ir.md` describes it.

use crate::support::Project;

/// The text of the first block of code in `language`.
fn block<'p>(page: &'p str, language: &str) -> &'p str {
    let start = page.split_once(&format!("```{language}\n")).expect("the page has such a block").1;
    start.split_once("```").expect("the block ends").0
}

#[test]
fn the_example_of_the_page_is_what_the_command_prints() {
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/ir.md");
    let page = std::fs::read_to_string(page).expect("the page is there");
    let project = Project::new();
    project.write("schema.dsl", block(&page, "prisma"));
    let ran = project.run(&["ir"]).exits(0);
    assert_eq!(ran.stdout.trim_end(), block(&page, "json").trim_end());
}

#[test]
fn a_schema_with_a_mistake_has_no_ir() {
    let project = Project::new();
    project.write("schema.dsl", "model A {\n  id Strin @id\n}\n");
    let ran = project.run(&["ir"]).exits(1).says("did you mean `String`?");
    assert_eq!(ran.stdout, "");
}
