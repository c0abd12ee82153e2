//! Runs the recipes of the book as they stand there.

use std::path::Path;

use crate::support::{Output, Project, database, query};

const BOOK: &str = include_str!("../../../docs/migration-recipes.md");

/// The language and the text of each block of a recipe.
fn blocks(recipe: &str) -> Vec<(&str, &str)> {
    let mut blocks = Vec::new();
    let mut rest = recipe;
    while let Some((_, after)) = rest.split_once("```") {
        let (block, after) = after.split_once("\n```").expect("a block is closed");
        blocks.push(block.split_once('\n').expect("a block has lines"));
        rest = after;
    }
    blocks
}

/// A line of a shell, with the command on its path.
fn shell(project: &Project, line: &str, url: &str) -> Output {
    let folder = Path::new(env!("CARGO_BIN_EXE_codegen")).parent().expect("a folder");
    let path = format!("{}:{}", folder.display(), std::env::var("PATH").unwrap_or_default());
    let command = std::process::Command::new("sh")
        .args(["-c", line])
        .current_dir(project.path("."))
        .env("PATH", path)
        .env("DATABASE_URL", url)
        .stdin(std::process::Stdio::null())
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn();
    crate::support::output(command.expect("a shell"))
}

fn run(name: &str) {
    let recipe = BOOK.split("\n## ").find(|recipe| recipe.starts_with(&format!("{name}\n")));
    let (project, database) = (Project::new(), database("recipe"));
    let mut commands = 0;
    for (language, text) in blocks(recipe.expect("the book has it")) {
        let first = text.lines().next().unwrap_or_default();
        let path = first.trim_start_matches(['/', '-', ' ']);
        match language {
            _ if path.starts_with("migrations/") || path.starts_with("prisma/") => drop(project.write(path, text)),
            "prisma" => drop(project.write("schema.dsl", format!("{text}\n"))),
            "sql" => drop(query(&database, text)),
            "sh" => {
                for line in text.lines() {
                    let (command, note) = line.split_once(" # exits ").unwrap_or((line, "0"));
                    let code: i32 =
                        note.split(':').next().and_then(|code| code.trim().parse().ok()).expect("an exit code");
                    let output = shell(&project, command, database.url());
                    assert_eq!(output.code, code, "{name}: {command}\n{}\n{}", output.stdout, output.stderr);
                    commands += 1;
                }
            }
            other => panic!("{name}: what is a block of {other}?"),
        }
    }
    assert!(commands > 2, "{name} has too few commands to prove anything");
    let compare = ["migrate-diff", "--from-url", database.url(), "--to-schema", "schema.dsl", "--exit-code"];
    project.run(&compare).exits(0);
}

macro_rules! recipes {
    ($($test:ident $name:literal)*) => {
        $(#[test]
        fn $test() {
            run($name);
        })*

        #[test]
        fn every_recipe_is_run() {
            let known = [$($name),*];
            let names: Vec<&str> = BOOK.split("\n## ").skip(1).filter_map(|recipe| recipe.lines().next()).collect();
            assert_eq!(names, known);
        }
    };
}

recipes! {
    rename "Rename"
    split_a_table "Split a table"
    not_null "NOT NULL on a big table"
    change_a_type "Change the type of a big column"
    partition_a_table "Partition a table"
    change_an_enum "Change an enum"
    remove_a_value "Remove a value of an enum from a large table"
    a_long_index "A long index"
    a_failed_deploy "A failed deploy"
    two_branches "Two branches"
    a_hotfix "A hotfix in production"
    undo "Undo"
    from_prisma "From Prisma Migrate"
}
