//! The statements that create objects which no schema declares, as two files: one to run before the tables are created,
//! and one for afterwards.

use relata_codegen::sql::quote::ident;

use super::{Inventory, Item, Phase};

/// The statements to run before the tables are created, in an empty database.
pub(crate) fn before(inventory: &Inventory, after: &str) -> String {
    let mut text = format!(
        "-- What the tables need and the schema language cannot express: run this before `codegen db push` or the first\n\
         -- migration, and {after} after it.\n\n\
         -- Functions may name tables that do not exist yet.\nSET check_function_bodies = off;\n"
    );
    for schema in &inventory.schemas {
        text += &format!("CREATE SCHEMA IF NOT EXISTS {};\n", ident(schema));
    }
    for (name, schema) in &inventory.needed_extensions {
        // Languages are in pg_catalog, which cannot be created.
        if schema == "pg_catalog" {
            text += &format!("CREATE EXTENSION IF NOT EXISTS {};\n", ident(name));
            continue;
        }
        if schema != "public" {
            text += &format!("CREATE SCHEMA IF NOT EXISTS {};\n", ident(schema));
        }
        text += &format!("CREATE EXTENSION IF NOT EXISTS {} WITH SCHEMA {};\n", ident(name), ident(schema));
    }
    text + &statements(inventory, Phase::Before) + "\nRESET check_function_bodies;\n"
}

/// The statements that depend on the tables.
pub(crate) fn after(inventory: &Inventory, before: &str) -> String {
    format!(
        "-- What depends on the tables and the schema language cannot express: run {before} first, then\n\
         -- `codegen db push` or the migrations, then this.\n\n\
         -- Bodies of functions may rely on a search path.\nSET check_function_bodies = off;\n{}\nRESET check_function_bodies;\n",
        statements(inventory, Phase::After)
    )
}

fn statements(inventory: &Inventory, phase: Phase) -> String {
    let mut text = String::new();
    let (made, listed): (Vec<&Item>, Vec<&Item>) =
        inventory.items.iter().filter(|item| item.phase == phase).partition(|item| item.statement.is_some());
    for item in made {
        if let Some(statement) = &item.statement {
            text +=
                &format!("\n-- {}\n{};\n", one_line(&format!("{}: {}", item.kind, item.name)), statement.trim_end());
        }
    }
    if !listed.is_empty() {
        text += "\n-- Not created by this file:\n";
    }
    for item in listed {
        text += &format!("-- {}\n", one_line(&format!("{}: {}", item.kind, item.name)));
    }
    text
}

/// A name may contain any character, line breaks too.
pub(super) fn one_line(text: &str) -> String {
    text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect()
}
