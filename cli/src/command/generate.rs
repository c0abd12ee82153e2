//! `generate`: writes the client of a schema.

use relata_codegen::build::{stale_files, write_files};
use relata_codegen::diagnostics::counted;
use relata_codegen::emit::{EmitOptions, emit_with_queries};

use crate::args;
use crate::failure::{Exit, Failure};
use crate::project::schema_files;
use crate::terminal::{output, report};

pub(crate) fn generate(args: &args::Generate) -> Result<Exit, Failure> {
    let path = schema_files::locate(args.schema.as_deref())?;
    let (schema, queries) = {
        let (schema, queries) = (schema_files::read(&path)?, schema_files::read_queries(&path)?);
        report::compile_client(&path, schema, queries)?
    };
    let source =
        path.file_name().map_or_else(|| path.display().to_string(), |name| name.to_string_lossy().into_owned());
    let files = emit_with_queries(&schema, &queries, &EmitOptions { source, crate_root: true });
    let refused = |error: relata_codegen::build::Error| Failure::refused(error.to_string());
    let stale = stale_files(&args.out, &files).map_err(refused)?;
    let (out, count) = (args.out.display(), files.len());
    if stale.is_empty() {
        output::print(&format!("{out} is up to date: {}", counted(count, "file")))?;
        return Ok(Exit::Done);
    }
    if args.check {
        let list: String = stale.iter().map(|path| format!("\n  {}", path.display())).collect();
        return Err(Failure::refused(format!("{out} is out of date for {}:{list}", path.display()))
            .help("run `codegen generate`, or cargo build, and commit the folder"));
    }
    write_files(&args.out, &files).map_err(refused)?;
    output::print(&format!("wrote {} of {} to {out}", stale.len(), counted(count, "file")))?;
    Ok(Exit::Done)
}
