//! `fmt`: formats a schema.

use std::io::{self, Read};
use std::path::Path;

use relata_codegen::diagnostics::{Sources, counted};
use relata_codegen::{added_by_format, format_all};

use crate::args;
use crate::failure::{Exit, Failure};
use crate::project::schema_files;
use crate::project::write::{behind_links, write_file};
use crate::terminal::output;

pub(crate) fn fmt(args: &args::Fmt) -> Result<Exit, Failure> {
    let is_stdin = args.path.as_deref() == Some(Path::new("-"));
    let sources = if is_stdin { read_stdin()? } else { read_schema(args)? };
    let texts = format_all(&sources);
    let files = sources.files.iter().zip(&texts).enumerate();
    let changed: Vec<_> = files.filter(|(_, (file, text))| file.text != **text).collect();
    if args.check {
        for (_, (file, _)) in &changed {
            output::print(&format!("{} is not formatted", file.path))?;
        }
        return Ok(if changed.is_empty() { Exit::Done } else { Exit::Refused });
    }
    if args.stdout || is_stdin {
        output::print_raw(&texts.concat())?;
        return Ok(Exit::Done);
    }
    for (index, (file, text)) in &changed {
        write_file(&behind_links(&file.path), text)?;
        output::print(&format!("formatted {}", file.path))?;
        // Layout changes no meaning, but a new relation side may be a new column.
        for line in added_by_format(&sources, *index) {
            output::print(&format!("  added `{line}`"))?;
        }
    }
    if changed.is_empty() {
        let are = if texts.len() == 1 { "is" } else { "are" };
        output::print(&format!("{} {are} formatted already", counted(texts.len(), "file")))?;
    }
    Ok(Exit::Done)
}

fn read_schema(args: &args::Fmt) -> Result<Sources, Failure> {
    let path = schema_files::locate(args.path.as_deref())?;
    if args.stdout && path.is_dir() {
        return Err(Failure::usage(format!("{} is a folder, but --stdout prints one file", path.display()))
            .help("name a file in it, or omit --stdout"));
    }
    schema_files::read(&path)
}

fn read_stdin() -> Result<Sources, Failure> {
    let mut text = String::new();
    io::stdin().read_to_string(&mut text).map_err(|error| Failure::reading(Path::new("stdin"), &error))?;
    Ok(Sources::single("stdin", text))
}
