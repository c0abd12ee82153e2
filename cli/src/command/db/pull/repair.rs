//! The safety net of `pull`: if the compiler refuses a part of the written text, the part is removed with a warning, so
//! that one table never prevents the pull of all others.
//!
//! No known kind of database needs it, as a test checks.

use relata_codegen::compile;
use relata_codegen::diagnostics::{Diagnostic, Sources};
use relata_codegen::ir::Schema;

use super::blocks::{Block, split};
use crate::failure::Failure;
use crate::terminal::report;

/// The maximum number of repairs. Each removes at least one line.
const MAX_ROUNDS: usize = 500;

/// The repaired schema.
pub(super) struct Repaired {
    pub(super) schema: Schema,
    pub(super) sources: Sources,
    /// A warning for each part that was removed or simplified.
    pub(super) warnings: Vec<String>,
}

/// Returns a field that is true of any column, from its model and its name: `Unsupported("..")` with the default as
/// SQL.
pub(super) type Plain<'p> = dyn Fn(&str, &str) -> Option<String> + 'p;

/// Compiles the sources, and repairs them until the compiler accepts them.
pub(super) fn repair(mut sources: Sources, plain: &Plain<'_>) -> Result<Repaired, Failure> {
    let mut warnings = Vec::new();
    for _ in 0..MAX_ROUNDS {
        let compiled = compile(&sources);
        if let Some(schema) = compiled.schema {
            return Ok(Repaired { schema, sources, warnings });
        }
        let errors: Vec<&Diagnostic> = compiled.diagnostics.iter().filter(|it| it.is_error()).collect();
        let mut is_repaired = false;
        // From the end, so that the positions of earlier errors stay valid. One repaired line may be the cause of
        // several errors.
        for error in errors.iter().rev() {
            let file = error.span.file as usize;
            let before = sources.files.len() + sources.views.len();
            if let Some(at) = file.checked_sub(before).filter(|at| *at < sources.objects.len()) {
                let left_out = sources.objects.remove(at);
                warnings.push(format!("{} no longer fits: {} ({})", left_out.path, error.message, error.code));
                is_repaired = true;
                break;
            }
            let Some(source) = sources.files.get_mut(file) else { continue };
            let at = source.text.get(..error.span.start as usize).map_or(0, |text| text.matches('\n').count());
            if let Some(text) = repair_block(&source.text, at, plain) {
                source.text = text;
                is_repaired = true;
                warnings.push(format!(
                    "the compiler rejects the schema written for it: {} ({})",
                    error.message, error.code
                ));
                break;
            }
        }
        if !is_repaired {
            report::print(&compiled.diagnostics, &sources);
            break;
        }
    }
    Err(Failure::refused("no valid schema could be written; nothing was changed")
        .help("this is a bug in Relata: please report it with the statement that creates the table"))
}

/// Returns the text without the cause of an error on line `at`; `None` if nothing can be removed.
fn repair_block(text: &str, at: usize, plain: &Plain<'_>) -> Option<String> {
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let line = lines.get(at)?.trim().to_owned();
    let (block, first) = block_at(text, at)?;
    if at > first {
        let key = line.split_whitespace().next().unwrap_or_default();
        let plain = if line.starts_with("@@") { None } else { plain(&block.name, key) };
        match plain {
            // A column that is in its simplest form already has to be removed.
            Some(plain) if plain != line => lines[at] = format!("  {plain}"),
            _ => drop(lines.remove(at)),
        }
    } else if block.keyword == "model" && !block.text.contains("@@ignore") {
        let end = (first..lines.len()).find(|line| lines[*line].trim_start().starts_with('}'))?;
        lines.insert(end, "  @@ignore".to_owned());
    } else {
        let end = (first..lines.len()).find(|line| lines[*line].trim_start().starts_with('}'))?;
        lines.drain(first..=end);
    }
    Some(lines.join("\n") + "\n")
}

/// Returns the block that contains the line, and the number of the block's first line.
fn block_at(text: &str, at: usize) -> Option<(Block, usize)> {
    let mut first = 0;
    for block in split(text) {
        first += block.above.lines().count();
        let length = block.text.lines().count();
        if (first..first + length).contains(&at) {
            return Some((block, first));
        }
        first += length;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn repaired(text: &str) -> Repaired {
        let plain =
            |model: &str, field: &str| (model == "a" && field == "x").then(|| "x Unsupported(\"odd\")?".to_owned());
        repair(Sources::single("s", text), &plain).expect("repaired")
    }

    #[test]
    fn what_is_right_is_not_touched() {
        let text = "model a {\n  id Int @id\n}\n";
        let repaired = repaired(text);
        assert_eq!(repaired.sources.files[0].text, text);
        assert!(repaired.warnings.is_empty());
    }

    #[test]
    fn what_is_wrong_goes_and_the_rest_stays() {
        let text = "enum e {\n}\n\nmodel a {\n  id Int @id\n  x Strin\n  e e\n  b b[]\n\n  @@index([none])\n}\n\nmodel b {\n  n Int?\n  a_id Int?\n  a a? @relation(fields: [a_id], references: [x])\n}\n";
        let repaired = repaired(text);
        let text = &repaired.sources.files[0].text;
        assert!(
            text.contains("x Unsupported(\"odd\")?") && text.contains("@@ignore") && !text.contains("@@index"),
            "{text}"
        );
        assert_eq!(repaired.schema.models.len(), 2);
        assert!(!repaired.warnings.is_empty());
    }
}
