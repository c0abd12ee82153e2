//! `// lint:allow R0716 reason`: accepts a warning, with a reason.
//!
//! The comment is above the place or at the end of its line. An error cannot be allowed, and a comment without a
//! reason allows nothing.

use super::{Diagnostic, Sources};

/// Removes the diagnostics that a comment allows.
pub(crate) fn without_allowed(diagnostics: &mut Vec<Diagnostic>, sources: &Sources) {
    diagnostics.retain_mut(|diagnostic| {
        if diagnostic.is_error() {
            return true;
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
