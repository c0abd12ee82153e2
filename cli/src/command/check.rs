//! `check`: every mistake of a schema.

use relata_codegen::ir::Schema;

use crate::args;
use crate::failure::{Exit, Failure};
use crate::{report, say, schema_files};

pub(crate) fn check(args: &args::Check) -> Result<Exit, Failure> {
    let path = schema_files::locate(args.path.as_deref())?;
    let sources = schema_files::read(&path)?;
    let compiled = relata_codegen::compile(&sources);
    if args.json {
        say::out(&report::to_json(&compiled.diagnostics, &sources)?)?;
    } else {
        report::print(&compiled.diagnostics, &sources);
    }
    match (compiled.schema, args.json) {
        (None, _) => Ok(Exit::Refused),
        (Some(_), true) => Ok(Exit::Done),
        (Some(schema), false) => {
            say::out(&format!("{} is valid: {}", path.display(), summary(&schema)))?;
            Ok(Exit::Done)
        }
    }
}

fn summary(schema: &Schema) -> String {
    let count = |number: usize, one: &str| format!("{number} {one}{}", if number == 1 { "" } else { "s" });
    let views = schema.models.iter().filter(|model| model.is_view).count();
    let models = count(schema.models.len() - views, "model");
    let rest = [(views, "view"), (schema.enums.len(), "enum")];
    let rest = rest.iter().filter(|(number, _)| *number > 0).map(|(number, one)| format!(", {}", count(*number, one)));
    models + &rest.collect::<String>()
}
