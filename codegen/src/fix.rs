//! Makes the changes that diagnostics propose. Afterwards, the text is what their help says.

use std::collections::BTreeMap;
use std::ops::Range;

use crate::compile;
use crate::diagnostics::{Diagnostic, Edit, Sources, UNINDEXED_RELATION};

/// A schema after the changes, and the diagnostics that they resolved.
#[derive(Debug, Clone)]
pub struct Fixed {
    /// The files, in their order.
    pub sources: Sources,
    /// The resolved diagnostics, with places in the text before each round.
    pub resolved: Vec<Diagnostic>,
    /// What was changed for each of them: the line before and after, or the new line.
    pub changes: Vec<Vec<String>>,
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
/// assert_eq!(fixed.changes, [["added `@@index([userId])`"]]);
/// ```
#[must_use]
pub fn fix(sources: &Sources) -> Fixed {
    let mut fixed = Fixed { sources: sources.clone(), resolved: Vec::new(), changes: Vec::new() };
    for _ in 0..MAX_ROUNDS {
        let mut accepted: Vec<Edit> = Vec::new();
        let mut resolved = Vec::new();
        let mut found = compile(&fixed.sources).diagnostics;
        found.retain(|diagnostic| !diagnostic.edits.is_empty());
        // Other changes may add the columns of an index, or a key that makes it redundant.
        if found.iter().any(|diagnostic| diagnostic.code != UNINDEXED_RELATION.code) {
            found.retain(|diagnostic| diagnostic.code != UNINDEXED_RELATION.code);
        }
        let all: Vec<Edit> = found.iter().flat_map(|diagnostic| diagnostic.edits.clone()).collect();
        found.retain(|diagnostic| !diagnostic.edits.iter().all(|edit| is_part_of_another_index(edit, &all)));
        for diagnostic in found {
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
        fixed.changes.extend(resolved.iter().map(|diagnostic| describe(&fixed.sources, &diagnostic.edits)));
        apply(&mut fixed.sources, accepted);
        fixed.resolved.extend(resolved);
    }
    fixed
}

/// Returns whether another new index of the model begins with the columns of this one, which then is redundant.
fn is_part_of_another_index(edit: &Edit, all: &[Edit]) -> bool {
    let Some(start) = edit.text.strip_prefix("@@index([").and_then(|rest| rest.strip_suffix("])\n")) else {
        return false;
    };
    let longer = format!("@@index([{start}, ");
    all.iter().any(|other| other.span == edit.span && other.text.starts_with(&longer))
}

/// Describes edits by the lines that they add and change.
fn describe(sources: &Sources, edits: &[Edit]) -> Vec<String> {
    let mut described = Vec::new();
    let mut lines: BTreeMap<(u32, usize, usize), Vec<&Edit>> = BTreeMap::new();
    for edit in edits {
        let Some(file) = sources.files.get(edit.span.file as usize) else { continue };
        let Range { start, end } = edit.span.range();
        if start == end && edit.text.ends_with('\n') {
            described.push(format!("added `{}`", one_line(&edit.text)));
            continue;
        }
        let (Some(before), Some(after)) = (file.text.get(..start), file.text.get(end..)) else { continue };
        let from = before.rfind('\n').map_or(0, |at| at + 1);
        let to = after.find('\n').map_or(file.text.len(), |at| end + at);
        lines.entry((edit.span.file, from, to)).or_default().push(edit);
    }
    let changed = lines.into_iter().map(|((file, from, to), mut edits)| {
        let text = &sources.files[file as usize].text[from..to];
        let mut new = text.to_owned();
        edits.sort_by_key(|edit| edit.span);
        for edit in edits.iter().rev() {
            let Range { start, end } = edit.span.range();
            new.replace_range(start - from..end - from, &edit.text);
        }
        format!("`{}` -> `{}`", one_line(text), one_line(&new))
    });
    changed.chain(described).collect()
}

/// The longest text of a line that is shown.
const SHOWN: usize = 160;

/// Returns a line with single spaces, cut if it is long.
fn one_line(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{} ..", &line[..end]),
        None => line,
    }
}

/// Returns whether both changes can be made: they are equal, or neither touches the text that the other replaces.
fn go_together(one: &Edit, other: &Edit) -> bool {
    one == other
        || one.span.file != other.span.file
        || one.span.end <= other.span.start
        || other.span.end <= one.span.start
}

/// Makes changes, from the last place to the first.
pub(crate) fn apply(sources: &mut Sources, mut edits: Vec<Edit>) {
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
