//! Selects the diagnostics to show when the user did not ask for them: in a build, before a migration.

use std::collections::BTreeMap;

use super::{Diagnostic, Severity, counted};

/// The number of warnings shown for each code.
const OF_ONE_CODE: usize = 3;

/// The diagnostics to show, and how many are left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shortened<'d> {
    /// The diagnostics to show, in order.
    pub shown: Vec<&'d Diagnostic>,
    /// A line for each code with diagnostics that are left out.
    pub rest: Vec<String>,
}

/// Selects all errors, no notes, and the first three warnings of each code. A schema from another tool may cause
/// hundreds of warnings, which must not hide the rest of a build. `codegen check` shows all.
pub fn shorten(diagnostics: &[Diagnostic]) -> Shortened<'_> {
    let mut warnings: BTreeMap<&str, usize> = BTreeMap::new();
    let is_shown = |diagnostic: &&Diagnostic| match diagnostic.severity {
        Severity::Error => true,
        Severity::Note => false,
        Severity::Warning => {
            let count = warnings.entry(diagnostic.code).or_default();
            *count += 1;
            *count <= OF_ONE_CODE
        }
    };
    let shown = diagnostics.iter().filter(is_shown).collect();
    let more = warnings.into_iter().filter(|(_, count)| *count > OF_ONE_CODE);
    let line = |(code, count): (&str, usize)| {
        format!("{} {code}: `codegen check` shows all", counted(count - OF_ONE_CODE, "more warning"))
    };
    Shortened { shown, rest: more.map(line).collect() }
}
