//! What of many diagnostics to show where they are not what was asked for: in a build, before a migration.

use std::collections::BTreeMap;

use super::{Diagnostic, Severity};

/// Warnings of one code that are shown.
const OF_ONE_CODE: usize = 3;

/// Diagnostics to show, and how many more there are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shortened<'d> {
    /// Those to show, in their order.
    pub shown: Vec<&'d Diagnostic>,
    /// A line about each code of which more were found than are shown.
    pub rest: Vec<String>,
}

/// All errors, no notes, and of every kind of warning the first three: a schema that comes from elsewhere may have
/// hundreds of them, which is no reason to hide the rest of a build. `codegen check` shows all.
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
    let line = |(code, count)| match count - OF_ONE_CODE {
        1 => format!("1 more warning {code}: `codegen check` shows all"),
        more => format!("{more} more warnings {code}: `codegen check` shows all"),
    };
    Shortened { shown, rest: more.map(line).collect() }
}
