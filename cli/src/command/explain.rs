//! `explain`: what a code stands for, with examples.

use relata_codegen::diagnostics::{CODES, Severity, find_code};

use crate::failure::{Exit, Failure};
use crate::say;

pub(crate) fn explain(code: &str) -> Result<Exit, Failure> {
    let found = find_code(code).ok_or_else(|| {
        let range = CODES
            .first()
            .zip(CODES.last())
            .map(|(first, last)| format!("codes go from {} to {}", first.code, last.code));
        Failure::refused(format!("there is no code {code}")).help(range.unwrap_or_default())
    })?;
    let severity = match found.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    };
    say::out(&format!("{} ({severity}): {}\n\n{}", found.code, found.title, found.explanation.trim_end()))?;
    Ok(Exit::Done)
}
