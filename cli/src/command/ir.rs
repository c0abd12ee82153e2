//! `ir`: the validated schema as JSON, for other tools.

mod json;
mod types;

use crate::args;
use crate::failure::{Exit, Failure};
use crate::project::schema_files;
use crate::terminal::{output, report};

pub(crate) fn ir(args: &args::Ir) -> Result<Exit, Failure> {
    let path = schema_files::locate(args.path.as_deref())?;
    let schema = report::compile(&path, &schema_files::read(&path)?)?;
    let text = serde_json::to_string_pretty(&json::Schema::new(&schema))
        .map_err(|error| Failure::refused(format!("the schema cannot be written as JSON: {error}")))?;
    output::print(&text)?;
    Ok(Exit::Done)
}
