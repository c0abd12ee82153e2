//! `explain`: what a code stands for, with examples.

use relata_codegen::diagnostics::{CODES, find_code};
use relata_codegen::sql::{LINTS, Lint, LintSeverity, find_lint};

use crate::failure::{Exit, Failure};
use crate::terminal::output;

pub(crate) fn explain(code: &str) -> Result<Exit, Failure> {
    if let Some(lint) = find_lint(code) {
        return explain_lint(lint);
    }
    let found = find_code(code).ok_or_else(|| {
        let range = CODES
            .first()
            .zip(CODES.last())
            .map(|(first, last)| format!("codes go from {} to {}", first.code, last.code));
        let lints: Vec<_> = LINTS.iter().map(|lint| lint.code).collect();
        let help = format!("{}; those of migrations are {}", range.unwrap_or_default(), lints.join(", "));
        Failure::refused(format!("there is no code {code}")).help(help)
    })?;
    let severity = found.severity.name();
    output::print(&format!("{} ({severity}): {}\n\n{}", found.code, found.title, found.explanation.trim_end()))?;
    Ok(Exit::Done)
}

fn explain_lint(lint: &Lint) -> Result<Exit, Failure> {
    let severity = match lint.severity {
        LintSeverity::Error => "error",
        LintSeverity::Warning => "warning",
        LintSeverity::Info => "info",
    };
    let Lint { code, title, explanation, alternative, .. } = lint;
    output::print(&format!("{code} ({severity}): {title}\n\n{explanation}\n\nInstead: {alternative}"))?;
    Ok(Exit::Done)
}
