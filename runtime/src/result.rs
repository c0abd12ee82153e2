//! Rows as the database sent them, and which rows of one statement belong to which of another.
//!
//! Nothing is decoded here: keys are compared as the bytes that PostgreSQL sent.

use std::collections::HashMap;
use std::sync::Arc;

use tokio_postgres::Row;
use tokio_postgres::types::{FromSql, Type};

use crate::model::Cursor;
use crate::select::Include;
use crate::table::Table;
use crate::value::RawList;

/// The rows of one table in a result.
#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) table: &'static Table,
    rows: Arc<Vec<Row>>,
    /// Where the table's columns begin in each row: a joined table shares the rows of its parent.
    offset: usize,
    links: Vec<Link>,
}

/// The included rows of one relation.
#[derive(Debug)]
pub(crate) struct Link {
    slot: usize,
    pub(crate) relation: &'static str,
    node: Node,
    rows: LinkRows,
}

/// Which rows belong to a parent's row.
#[derive(Debug)]
enum LinkRows {
    /// The same row, if this column of it is not null.
    Joined { present: Option<usize> },
    /// By the parent's row: the children are `order[starts[row]..starts[row + 1]]`.
    Keyed { starts: Vec<u32>, order: Vec<u32> },
    /// All children belong to the only parent.
    All,
}

/// A value as it came, whatever its type.
struct Raw<'a>(&'a [u8]);

impl<'a> FromSql<'a> for Raw<'a> {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn std::error::Error + Sync + Send>> {
        Ok(Raw(raw))
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}

impl Node {
    pub(crate) fn new(table: &'static Table, rows: Vec<Row>) -> Self {
        Self { table, rows: Arc::new(rows), offset: 0, links: Vec::new() }
    }

    /// Another table in the same rows; `offset` counts from where this one begins.
    pub(crate) fn joined(&self, table: &'static Table, offset: usize) -> Self {
        Self { table, rows: Arc::clone(&self.rows), offset: self.offset + offset, links: Vec::new() }
    }

    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }

    #[inline]
    pub(crate) fn raw(&self, row: usize, column: usize) -> Option<&[u8]> {
        let value = self.rows[row].try_get::<_, Option<Raw<'_>>>(self.offset + column);
        value.ok().flatten().map(|raw| raw.0)
    }

    pub(crate) fn cursor(&self, row: usize) -> Cursor<'_> {
        Cursor { node: self, row }
    }

    pub(crate) fn cursors(&self) -> impl ExactSizeIterator<Item = Cursor<'_>> {
        (0..self.len()).map(|row| self.cursor(row))
    }

    pub(crate) fn link(&self, slot: usize) -> Option<&Link> {
        self.links.iter().find(|link| link.slot == slot)
    }

    /// Adds a table that was joined into the same rows.
    pub(crate) fn add_joined(&mut self, include: &Include, node: Node, present: Option<usize>) {
        self.links.push(Link {
            slot: include.slot,
            relation: include.relation.name,
            node,
            rows: LinkRows::Joined { present },
        });
    }

    /// Adds the children of the only row there is.
    pub(crate) fn add_all(&mut self, include: &Include, node: Node) {
        self.links.push(Link { slot: include.slot, relation: include.relation.name, node, rows: LinkRows::All });
    }

    /// Adds children by key: those whose `child_columns` equal the parent's `parent_columns`.
    pub(crate) fn add_keyed(
        &mut self,
        include: &Include,
        node: Node,
        parent_columns: &[usize],
        child_columns: &[usize],
    ) {
        let rows = match (parent_columns, child_columns) {
            ([parent], [child]) => self.match_keys(&node, |row| self.raw(row, *parent), |row| node.raw(row, *child)),
            _ => self.match_keys(
                &node,
                |row| joined_key(self, row, parent_columns),
                |row| joined_key(&node, row, child_columns),
            ),
        };
        self.links.push(Link { slot: include.slot, relation: include.relation.name, node, rows });
    }

    /// One pass over the children to count them by key, one to place them, one over the parents.
    fn match_keys<K: std::hash::Hash + Eq>(
        &self,
        children: &Node,
        parent_key: impl Fn(usize) -> Option<K>,
        child_key: impl Fn(usize) -> Option<K>,
    ) -> LinkRows {
        let mut groups: HashMap<K, Vec<u32>> = HashMap::with_capacity(self.len().min(children.len()));
        for row in 0..children.len() {
            if let Some(key) = child_key(row) {
                groups.entry(key).or_default().push(row as u32);
            }
        }
        let mut starts = Vec::with_capacity(self.len() + 1);
        let mut order = Vec::with_capacity(children.len());
        for row in 0..self.len() {
            starts.push(order.len() as u32);
            if let Some(group) = parent_key(row).and_then(|key| groups.get(&key)) {
                order.extend_from_slice(group);
            }
        }
        starts.push(order.len() as u32);
        LinkRows::Keyed { starts, order }
    }

    /// The distinct keys of all rows that have one: how many there are, and a list per key column.
    pub(crate) fn distinct_keys(&self, columns: &[usize]) -> (usize, Vec<RawList>) {
        if let [column] = columns {
            let mut keys: Vec<&[u8]> = (0..self.len()).filter_map(|row| self.raw(row, *column)).collect();
            keys.sort_unstable();
            keys.dedup();
            return (keys.len(), vec![keys.into_iter().collect()]);
        }
        let mut keys: Vec<Vec<&[u8]>> = (0..self.len()).filter_map(|row| joined_key(self, row, columns)).collect();
        keys.sort_unstable();
        keys.dedup();
        let list = |index: usize| keys.iter().map(|key| key[index]).collect();
        (keys.len(), (0..columns.len()).map(list).collect())
    }
}

fn joined_key<'n>(node: &'n Node, row: usize, columns: &[usize]) -> Option<Vec<&'n [u8]>> {
    columns.iter().map(|column| node.raw(row, *column)).collect()
}

impl Link {
    pub(crate) fn one<'a>(&'a self, parent: Cursor<'a>) -> Option<Cursor<'a>> {
        match &self.rows {
            LinkRows::Joined { present } => {
                let there = present.is_none_or(|column| self.node.raw(parent.row, column).is_some());
                there.then(|| self.node.cursor(parent.row))
            }
            LinkRows::Keyed { .. } | LinkRows::All => self.many(parent).next(),
        }
    }

    pub(crate) fn many<'a>(&'a self, parent: Cursor<'a>) -> Children<'a> {
        let rows = match &self.rows {
            LinkRows::Keyed { starts, order } => {
                let range = starts[parent.row] as usize..starts[parent.row + 1] as usize;
                ChildRows::Listed(order[range].iter())
            }
            LinkRows::All => ChildRows::Range(0..self.node.len()),
            LinkRows::Joined { .. } => {
                ChildRows::Range(parent.row..parent.row + usize::from(self.one(parent).is_some()))
            }
        };
        Children { node: Some(&self.node), rows }
    }
}

/// The children of a row.
#[derive(Debug, Default)]
pub(crate) struct Children<'a> {
    node: Option<&'a Node>,
    rows: ChildRows<'a>,
}

#[derive(Debug)]
enum ChildRows<'a> {
    Listed(std::slice::Iter<'a, u32>),
    Range(std::ops::Range<usize>),
}

impl Default for ChildRows<'_> {
    fn default() -> Self {
        ChildRows::Range(0..0)
    }
}

impl<'a> Iterator for Children<'a> {
    type Item = Cursor<'a>;

    fn next(&mut self) -> Option<Cursor<'a>> {
        let row = match &mut self.rows {
            ChildRows::Listed(rows) => *rows.next()? as usize,
            ChildRows::Range(rows) => rows.next()?,
        };
        Some(self.node?.cursor(row))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        match &self.rows {
            ChildRows::Listed(rows) => rows.size_hint(),
            ChildRows::Range(rows) => rows.size_hint(),
        }
    }
}

impl ExactSizeIterator for Children<'_> {}
