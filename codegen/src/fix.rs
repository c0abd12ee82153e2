//! Makes the changes that diagnostics propose. Afterwards, the text is what their help says.

use crate::compile;
use crate::diagnostics::{Diagnostic, Edit, Sources};

/// A schema after the changes, and the diagnostics that they resolved.
#[derive(Debug, Clone)]
pub struct Fixed {
    /// The files, in their order.
    pub sources: Sources,
    /// The resolved diagnostics, with places in the original text.
    pub resolved: Vec<Diagnostic>,
}

/// The maximum number of rounds. One change may enable another.
const MAX_ROUNDS: usize = 16;

/// Makes all changes that the diagnostics of a schema propose, and those that the changed schema proposes in turn. The
/// new lines are not laid out: format the files afterwards.
///
/// ```
/// use relata_codegen::{diagnostics::Sources, fix};
///
/// let schema = "model User {\n  id Int @id\n  posts Post[]\n}\nmodel Post {\n  id Int @id\n  userId Int\n  \
///     user User @relation(fields: [userId], references: [id])\n}\n";
/// let fixed = fix(&Sources::single("schema.dsl", schema));
/// assert_eq!(fixed.resolved[0].code, "R0716");
/// assert!(fixed.sources.files[0].text.contains("@@index([userId])"));
/// ```
#[must_use]
pub fn fix(sources: &Sources) -> Fixed {
    let mut fixed = Fixed { sources: sources.clone(), resolved: Vec::new() };
    for _ in 0..MAX_ROUNDS {
        let mut accepted: Vec<Edit> = Vec::new();
        let mut resolved = Vec::new();
        for diagnostic in compile(&fixed.sources).diagnostics.into_iter().filter(|found| !found.edits.is_empty()) {
            if diagnostic.edits.iter().all(|edit| accepted.iter().all(|other| go_together(edit, other))) {
                accepted.extend(
                    diagnostic.edits.iter().filter(|edit| !accepted.contains(edit)).cloned().collect::<Vec<_>>(),
                );
                resolved.push(diagnostic);
            }
        }
        if accepted.is_empty() {
            break;
        }
        apply(&mut fixed.sources, accepted);
        fixed.resolved.extend(resolved);
    }
    fixed
}

/// Returns whether both changes can be made: they are equal, or neither touches the text that the other replaces.
fn go_together(one: &Edit, other: &Edit) -> bool {
    one == other
        || one.span.file != other.span.file
        || one.span.end <= other.span.start
        || other.span.end <= one.span.start
}

fn apply(sources: &mut Sources, mut edits: Vec<Edit>) {
    // Stable, so that insertions at one place keep their order. From the end, so that earlier places stay valid.
    edits.sort_by_key(|edit| edit.span);
    for edit in edits.iter().rev() {
        if let Some(file) = sources.files.get_mut(edit.span.file as usize)
            && file.text.get(edit.span.range()).is_some()
        {
            file.text.replace_range(edit.span.range(), &edit.text);
        }
    }
}
