//! Rows that a relation of a table to itself leads to step by step: as trees, or as paths.

use std::ops::Deref;

use super::model::{FromRow, Slot};
use super::node::{Cursor, KeyedRows};
use crate::error::{Error, Result};

/// The maximum depth of a tree: reading, dropping and serializing one is recursive.
pub(crate) const MAX_TREE_DEPTH: u32 = 256;

/// A row with those below it, which `descendants` of a relation loads: see
/// [`descendants`](crate::RelationField::descendants).
///
/// It has the fields of the row. In JSON, it is the row with one more key, `children`.
///
/// ```
/// # struct Category { name: String }
/// use relata::Tree;
///
/// fn outline(trees: &[Tree<Category>], indent: usize, text: &mut String) {
///     for tree in trees {
///         text.push_str(&format!("{:indent$}{}\n", "", tree.name));
///         outline(&tree.children, indent + 2, text);
///     }
/// }
///
/// let leaf = |name: &str| Tree { row: Category { name: name.to_owned() }, children: Vec::new() };
/// let books = Tree { children: vec![leaf("novels"), leaf("poems")], ..leaf("books") };
/// let mut text = String::new();
/// outline(&[books], 0, &mut text);
/// assert_eq!(text, "books\n  novels\n  poems\n");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Tree<T> {
    /// The row.
    #[cfg_attr(feature = "serde", serde(flatten))]
    pub row: T,
    /// The rows that the relation leads to from this one, each with those below it.
    pub children: Vec<Tree<T>>,
}

impl<T> Tree<T> {
    /// Returns the number of rows: this one and all below it.
    pub fn count(&self) -> usize {
        1 + self.children.iter().map(Tree::count).sum::<usize>()
    }

    /// Returns the rows: this one first, then those below it, each before its own children.
    pub fn rows(&self) -> impl Iterator<Item = &T> {
        let mut waiting = vec![self];
        std::iter::from_fn(move || {
            let tree = waiting.pop()?;
            waiting.extend(tree.children.iter().rev());
            Some(&tree.row)
        })
    }
}

/// The fields of the row.
impl<T> Deref for Tree<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.row
    }
}

impl<T: FromRow> Slot for Vec<Tree<T>> {
    fn from_slot(at: Cursor<'_>, slot: usize) -> Result<Self> {
        read_all(at.children(slot), &mut Vec::new())
    }
}

/// The rows of a node below each of its rows.
#[derive(Debug)]
pub(crate) struct Branches {
    rows: KeyedRows,
    /// The maximum number of levels of a tree.
    depth: Option<u32>,
}

impl Branches {
    pub(crate) fn new(rows: KeyedRows, depth: Option<u32>) -> Self {
        Self { rows, depth }
    }
}

/// Reads trees. `above` has the numbers of the rows above: a row is not repeated below itself.
fn read_all<'a, T: FromRow>(
    rows: impl ExactSizeIterator<Item = Cursor<'a>>,
    above: &mut Vec<usize>,
) -> Result<Vec<Tree<T>>> {
    let mut trees = Vec::with_capacity(rows.len());
    for at in rows {
        if !above.contains(&at.row()) {
            trees.push(read_tree(at, above)?);
        }
    }
    Ok(trees)
}

fn read_tree<T: FromRow>(at: Cursor<'_>, above: &mut Vec<usize>) -> Result<Tree<T>> {
    let row = T::from_row(at)?;
    above.push(at.row());
    let below = at.branches().map_or(&[][..], |branches| branches.rows.children(at.row()));
    let depth = at.branches().and_then(|branches| branches.depth);
    let children = match depth {
        Some(depth) if above.len() >= depth as usize => Vec::new(),
        _ if below.is_empty() => Vec::new(),
        _ if above.len() >= MAX_TREE_DEPTH as usize => return Err(too_deep()),
        _ => read_all(below.iter().map(|row| at.node.cursor(*row as usize)), above)?,
    };
    above.pop();
    Ok(Tree { row, children })
}

#[cold]
fn too_deep() -> Error {
    let reason = "the rows form a tree of more than 256 levels: limit it with `.depth(..)`, or find its rows as a list, \
        by a filter with `ancestors()`";
    Error::TooComplex(reason.into())
}

/// Returns the rows of each key and, behind each, those that `next` leads to from it, at most `depth` in all. No row is
/// repeated.
pub(crate) fn paths_of(first: KeyedRows, next: &KeyedRows, depth: Option<u32>) -> KeyedRows {
    let most = depth.map_or(usize::MAX, |depth| depth as usize);
    let mut paths = KeyedRows { of_parents: Vec::new(), ends: Vec::with_capacity(first.ends.len()), order: Vec::new() };
    // The number of the last path that each row is in, counted from 1.
    let mut met = vec![0_u32; next.of_parents.len()];
    for number in 0..first.ends.len() {
        let (begin, stamp) = (paths.order.len(), number as u32 + 1);
        let mut row = first.of_key(number).first().copied();
        while let Some(reached) = row.filter(|row| met[*row as usize] != stamp) {
            if paths.order.len() - begin == most {
                break;
            }
            met[reached as usize] = stamp;
            paths.order.push(reached);
            row = next.children(reached as usize).first().copied();
        }
        paths.ends.push(paths.order.len() as u32);
    }
    paths.of_parents = first.of_parents;
    paths
}
