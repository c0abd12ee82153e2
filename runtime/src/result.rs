//! Rows as the database sent them, and which rows of one statement belong to which rows of another.
//!
//! Nothing is decoded here: keys are compared as the bytes that PostgreSQL sent.

use std::any::Any;
use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use foldhash::fast::RandomState;
use tokio_postgres::Row;
use tokio_postgres::types::{FromSql, Type};

use crate::error::Error;
use crate::model::Cursor;
use crate::select::Include;
use crate::table::Table;
use crate::value::{Decode, Decoded, RawList};

/// The rows of one table in a result.
#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) table: &'static Table,
    rows: Arc<Vec<Row>>,
    /// Where the table's columns begin in each row: a joined table shares the rows of its parent.
    offset: usize,
    /// What the values of a row are, where they are not all columns of the table: to say which one cannot be read.
    names: Option<Names>,
    links: Vec<Link>,
}

/// The names of values, in their order.
pub(crate) type Names = Arc<[&'static str]>;

/// Reads rows part by part, while others arrive.
pub(crate) trait TakeRows: Send {
    /// Reads these.
    fn take(&mut self, part: &Node) -> Result<(), Error>;

    /// How many it has read.
    fn len(&self) -> usize;

    fn into_any(self: Box<Self>) -> Box<dyn Any + Send>;
}

impl std::fmt::Debug for dyn TakeRows {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "<{} rows>", self.len())
    }
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
    /// By the key of the parent's row.
    Keyed(KeyedRows),
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

/// A value of a row as it came.
#[inline]
pub(crate) fn raw_value(row: &Row, column: usize) -> Option<&[u8]> {
    row.try_get::<_, Option<Raw<'_>>>(column).ok().flatten().map(|raw| raw.0)
}

impl Node {
    pub(crate) fn new(table: &'static Table, rows: Vec<Row>) -> Self {
        Self { table, rows: Arc::new(rows), offset: 0, names: None, links: Vec::new() }
    }

    /// Says what the values of a row are.
    pub(crate) fn set_names(&mut self, names: Option<Names>) {
        self.names = names;
    }

    /// The name of the value in a place, as PostgreSQL has it.
    pub(crate) fn name_of(&self, place: usize) -> Option<&'static str> {
        match &self.names {
            Some(names) => names.get(place).copied(),
            None => self.table.columns.get(place).map(|column| column.name),
        }
    }

    /// Another table in the same rows; `offset` counts from where this one begins.
    pub(crate) fn joined(&self, table: &'static Table, offset: usize) -> Self {
        Self { table, rows: Arc::clone(&self.rows), offset: self.offset + offset, names: None, links: Vec::new() }
    }

    /// The rows, if nothing else holds them.
    pub(crate) fn into_rows(self) -> Vec<Row> {
        Arc::try_unwrap(self.rows).unwrap_or_default()
    }

    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }

    #[inline]
    pub(crate) fn raw(&self, row: usize, column: usize) -> Option<&[u8]> {
        raw_value(&self.rows[row], self.offset + column)
    }

    /// Reads a column.
    #[inline]
    pub(crate) fn get<T: Decode>(&self, row: usize, column: usize) -> Result<Decoded<T>, tokio_postgres::Error> {
        self.rows[row].try_get(self.offset + column)
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

    /// Adds children that were read by the keys of these rows.
    pub(crate) fn add_keyed(&mut self, include: &Include, node: Node, rows: KeyedRows) {
        let rows = LinkRows::Keyed(rows);
        self.links.push(Link { slot: include.slot, relation: include.relation.name, node, rows });
    }

    /// The distinct keys of all rows that have one.
    pub(crate) fn keys(&self, columns: &[usize]) -> Keys<'_> {
        let mut numbers = HashMap::with_capacity_and_hasher(self.len(), RandomState::default());
        let mut of_parents = Vec::with_capacity(self.len());
        let mut lists: Vec<RawList> = columns.iter().map(|_| RawList::with_capacity(self.len())).collect();
        for row in 0..self.len() {
            let number = self.key(row, columns).map(|key| {
                let next = numbers.len() as u32;
                *numbers.entry(key).or_insert_with(|| {
                    for (list, column) in lists.iter_mut().zip(columns) {
                        list.push(self.raw(row, *column).unwrap_or_default());
                    }
                    next
                })
            });
            of_parents.push(number.unwrap_or(NO_KEY));
        }
        Keys { numbers, of_parents, lists }
    }

    /// The key of a row: the bytes of its only column, or those of several with their lengths in front.
    #[inline]
    fn key(&self, row: usize, columns: &[usize]) -> Option<Cow<'_, [u8]>> {
        if let [column] = columns {
            return self.raw(row, *column).map(Cow::Borrowed);
        }
        let mut key = Vec::with_capacity(columns.len() * 24);
        for column in columns {
            let value = self.raw(row, *column)?;
            key.extend_from_slice(&value.len().to_ne_bytes());
            key.extend_from_slice(value);
        }
        Some(Cow::Owned(key))
    }
}

/// In place of the number of a key, for rows that have none.
const NO_KEY: u32 = u32::MAX;

/// The distinct keys of rows, numbered in the order in which they were met.
pub(crate) struct Keys<'n> {
    numbers: HashMap<Cow<'n, [u8]>, u32, RandomState>,
    /// The number of each row's key.
    of_parents: Vec<u32>,
    /// The keys themselves, a list per column.
    pub(crate) lists: Vec<RawList>,
}

impl Keys<'_> {
    pub(crate) fn len(&self) -> usize {
        self.numbers.len()
    }

    /// Which children belong to which row. The children's order stays.
    pub(crate) fn match_children(self, children: &Node, columns: &[usize]) -> KeyedRows {
        let of_child = |row| children.key(row, columns).and_then(|key| self.numbers.get(&key).copied());
        let of_children: Vec<u32> = (0..children.len()).map(|row| of_child(row).unwrap_or(NO_KEY)).collect();
        // How many children each key has, then where its children begin.
        let mut ends = vec![0_u32; self.len()];
        for number in of_children.iter().filter(|number| **number != NO_KEY) {
            ends[*number as usize] += 1;
        }
        let mut begin = 0;
        for end in &mut ends {
            begin += std::mem::replace(end, begin);
        }
        // Each child goes to the end of its key's part, which moves on to where it ends at last.
        let mut order = vec![0_u32; begin as usize];
        for (row, number) in of_children.iter().enumerate().filter(|(_, number)| **number != NO_KEY) {
            let end = &mut ends[*number as usize];
            order[*end as usize] = row as u32;
            *end += 1;
        }
        KeyedRows { of_parents: self.of_parents, ends, order }
    }
}

/// Which children belong to which row, by the number of the row's key: those of key `k` are
/// `order[ends[k - 1]..ends[k]]`.
#[derive(Debug)]
pub(crate) struct KeyedRows {
    of_parents: Vec<u32>,
    ends: Vec<u32>,
    order: Vec<u32>,
}

impl KeyedRows {
    pub(crate) fn children(&self, parent: usize) -> &[u32] {
        let number = self.of_parents[parent] as usize;
        let Some(end) = self.ends.get(number) else { return &[] };
        let begin = number.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.order[begin as usize..*end as usize]
    }
}

impl Link {
    pub(crate) fn one<'a>(&'a self, parent: Cursor<'a>) -> Option<Cursor<'a>> {
        match &self.rows {
            LinkRows::Joined { present } => {
                let there = present.is_none_or(|column| self.node.raw(parent.row, column).is_some());
                there.then(|| self.node.cursor(parent.row))
            }
            LinkRows::Keyed(_) | LinkRows::All => self.many(parent).next(),
        }
    }

    pub(crate) fn many<'a>(&'a self, parent: Cursor<'a>) -> Children<'a> {
        let rows = match &self.rows {
            LinkRows::Keyed(rows) => ChildRows::Listed(rows.children(parent.row).iter()),
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
