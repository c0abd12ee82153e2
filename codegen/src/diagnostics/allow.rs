//! `// lint:allow R0716 reason`: accepts a warning, with a reason. A project can also accept a code everywhere.
//!
//! The comment is above the place or at the end of its line. An error cannot be allowed, and a comment without a
//! reason allows nothing.

use super::{Diagnostic, Severity, Sources, find_code};

/// Checks that a project can accept the code everywhere: that it is one of a warning or a note.
///
/// ```
/// use relata_codegen::diagnostics::allowable;
///
/// assert!(allowable("R0716").is_ok());
/// assert!(allowable("R0301").is_err());
/// ```
///
/// # Errors
/// A sentence that says what is wrong, and what to do.
pub fn allowable(code: &str) -> Result<(), String> {
    match find_code(code) {
        Some(known) if known.severity == Severity::Error => Err(format!(
            "{} is an error, which cannot be allowed: `codegen explain {}` says what to write",
            known.code, known.code
        )),
        Some(_) => Ok(()),
        None => {
            Err(format!("there is no diagnostic {code}: write the code of a warning of `codegen check`, such as R0716"))
        }
    }
}

/// Removes the diagnostics that a comment or the project allows.
pub(crate) fn without_allowed(diagnostics: &mut Vec<Diagnostic>, sources: &Sources) {
    diagnostics.retain_mut(|diagnostic| {
        if diagnostic.is_error() {
            return true;
        }
        if sources.allowed.iter().any(|code| code.eq_ignore_ascii_case(diagnostic.code)) {
            return false;
        }
        match allowance(diagnostic, sources) {
            Allowance::None => true,
            Allowance::Reason => false,
            Allowance::NoReason => {
                let help = diagnostic.help.take().unwrap_or_default();
                let line = if help.is_empty() { "" } else { "\n" };
                diagnostic.help = Some(format!("{help}{line}`lint:allow {}` needs a reason after it", diagnostic.code));
                true
            }
        }
    });
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Allowance {
    None,
    NoReason,
    Reason,
}

fn allowance(diagnostic: &Diagnostic, sources: &Sources) -> Allowance {
    let Some(file) = sources.file(diagnostic.span) else { return Allowance::None };
    let start = file.line_start(diagnostic.span.start);
    let mark = if file.path.ends_with(".sql") { "--" } else { "//" };
    let above = file.text[..start].lines().rev().map(str::trim).take_while(|line| line.starts_with(mark));
    let own = file.line_text(diagnostic.span.start);
    let comments = own.find(mark).map(|at| &own[at..]).into_iter().chain(above);
    let mut found = Allowance::None;
    for comment in comments {
        match read(comment, diagnostic.code) {
            Allowance::None => {}
            Allowance::NoReason => found = Allowance::NoReason,
            Allowance::Reason => return Allowance::Reason,
        }
    }
    found
}

/// Returns whether the comment allows the code.
fn read(comment: &str, code: &str) -> Allowance {
    let Some((_, text)) = comment.split_once("lint:allow") else { return Allowance::None };
    let text = text.trim_start();
    let (named, reason) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    match (named.eq_ignore_ascii_case(code), reason.trim()) {
        (false, _) => Allowance::None,
        (true, "") => Allowance::NoReason,
        (true, _) => Allowance::Reason,
    }
}
