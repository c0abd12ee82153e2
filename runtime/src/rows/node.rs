//! Rows as the database sent them, with the matching rows of other statements, and the cursor that reads them.
//!
//! Nothing is decoded before a cursor reads it. Keys are compared as the bytes that PostgreSQL sent.

use std::borrow::Cow;
use std::sync::Arc;

use tokio_postgres::Row;
use tokio_postgres::types::{FromSql, Type};

use super::model::Model;
use super::tree::Branches;
use crate::error::{Error, Result};
use crate::meta::{KeyForm, Relation, Table};
use crate::value::json_format::JsonFormat;
use crate::value::{Decode, Decoded, Scalar, decode_list, decode_list_with_nulls, is_json_null, only_value};

/// A row of a result, with access to the included rows.
#[derive(Debug, Clone, Copy)]
pub struct Cursor<'a> {
    pub(crate) node: &'a Node,
    row: usize,
    /// The row itself, so that reading a value does not look for it again.
    values: &'a Row,
}

impl<'a> Cursor<'a> {
    /// Reads a required or optional column.
    ///
    /// # Errors
    /// If the value does not fit.
    #[inline]
    pub fn get<T: Decode>(self, column: usize) -> Result<T> {
        match self.values.try_get(self.node.offset + column) {
            Ok(Decoded(value)) => Ok(value),
            Err(error) => self.get_in_row(column, &error),
        }
    }

    /// Reads a list column.
    ///
    /// # Errors
    /// If the value does not fit.
    pub fn list<T: Scalar>(self, column: usize) -> Result<Vec<T>> {
        decode_list(self.ty(column), self.raw(column)).map_err(|reason| self.decode_error(column, reason.as_ref()))
    }

    /// Reads a column whose value is a list in JSON.
    ///
    /// # Errors
    /// If the value does not fit.
    pub fn json_list<T: Scalar>(self, column: usize) -> Result<Vec<T>> {
        let raw = self.raw(column).ok_or("it is null, and the schema says that it never is".into());
        raw.and_then(T::decode_json_list).map_err(|reason| self.decode_error(column, reason.as_ref()))
    }

    /// Reads a value in JSON; none if it is null, in SQL or in JSON.
    pub(crate) fn in_json<T, F: JsonFormat<T>>(self, column: usize) -> Result<Option<T>> {
        let raw = self.raw(column).filter(|raw| !is_json_null(raw));
        raw.map(F::from_json).transpose().map_err(|reason| self.decode_error(column, reason.as_ref()))
    }

    /// Reads a list whose elements may be null.
    ///
    /// # Errors
    /// If the value does not fit.
    pub fn list_with_nulls<T: Scalar>(self, column: usize) -> Result<Vec<Option<T>>> {
        decode_list_with_nulls(self.ty(column), self.raw(column))
            .map_err(|reason| self.decode_error(column, reason.as_ref()))
    }

    /// Reads a model whose columns begin at this position.
    ///
    /// # Errors
    /// If a value does not fit its type.
    pub fn model<M: Model>(self, first: usize) -> Result<M> {
        let node = Node { offset: self.node.offset + first, ..Node::new(M::table(), Vec::new()) };
        M::read(Cursor { node: &node, ..self })
    }

    /// Reads a model that an outer join may leave out: all of its columns are null then.
    ///
    /// # Errors
    /// If a value does not fit its type.
    pub fn optional_model<M: Model>(self, first: usize) -> Result<Option<M>> {
        let columns = first..first + M::table().reads;
        let is_there = columns.into_iter().any(|column| self.raw(column).is_some());
        is_there.then(|| self.model(first)).transpose()
    }

    /// Returns the bytes of a column as the database sent them.
    #[inline]
    pub(crate) fn raw(self, column: usize) -> Option<&'a [u8]> {
        raw_value(self.values, self.node.offset + column)
    }

    fn ty(self, column: usize) -> &'a Type {
        self.values.columns().get(self.node.offset + column).map_or(&Type::UNKNOWN, |column| column.type_())
    }

    /// Reads a value that Citus may have returned in a row, after reading its bytes failed: no label of an enum begins
    /// like a row. Here and not in the decoder, so that decoding a value does not have to remember its type.
    #[cold]
    #[inline(never)]
    fn get_in_row<T: Decode>(self, column: usize, error: &tokio_postgres::Error) -> Result<T> {
        match self.values.columns().get(self.node.offset + column) {
            Some(of) if *of.type_() == Type::RECORD => T::decode_nullable(of.type_(), self.raw(column))
                .map_err(|reason| self.decode_error(column, reason.as_ref())),
            _ => Err(self.driver_error(column, error)),
        }
    }

    /// The driver wraps the decoder's error.
    #[cold]
    fn driver_error(self, column: usize, error: &tokio_postgres::Error) -> Error {
        let reason: &dyn std::error::Error = std::error::Error::source(error).unwrap_or(error);
        self.decode_error(column, reason)
    }

    #[cold]
    fn decode_error(self, column: usize, reason: &dyn std::error::Error) -> Error {
        let column = self.node.name_of(column).map_or_else(|| format!("#{column}"), str::to_owned);
        Error::Decode { model: self.node.table.name, column, reason: reason.to_string() }
    }

    pub(super) fn child(self, slot: usize) -> Option<Cursor<'a>> {
        self.node.link(slot)?.one(self)
    }

    pub(super) fn children(self, slot: usize) -> impl ExactSizeIterator<Item = Cursor<'a>> {
        self.node.link(slot).map(|link| link.many(self)).unwrap_or_default()
    }

    /// Returns the number of the row among those of its node.
    pub(super) fn row(self) -> usize {
        self.row
    }

    /// Returns the rows below each row of the node, if they are trees.
    pub(super) fn branches(self) -> Option<&'a Branches> {
        self.node.branches.as_deref()
    }

    #[cold]
    pub(super) fn missing(self, slot: usize) -> Error {
        let relation = self.node.link(slot).map_or("relation", |link| link.relation);
        Error::ChangedWhileReading { model: self.node.table.name, relation }
    }
}

/// The rows of one table in a result.
#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) table: &'static Table,
    rows: Rows,
    /// The position of the table's first column in each row: a joined table shares the rows of its parent.
    offset: usize,
    /// The names of a row's values, if they are not all columns of the table, for errors.
    names: Option<Names>,
    links: Vec<Link>,
    /// The rows of this table below each row, if they are trees.
    branches: Option<Box<Branches>>,
}

/// Rows, which joined tables share.
#[derive(Debug)]
enum Rows {
    /// Of one table, which is most often the case.
    Own(Vec<Row>),
    Shared(Arc<Vec<Row>>),
}

impl Rows {
    /// Shares the rows with another node.
    fn share(&mut self) -> Arc<Vec<Row>> {
        let rows = match self {
            Rows::Own(rows) => Arc::new(std::mem::take(rows)),
            Rows::Shared(rows) => Arc::clone(rows),
        };
        *self = Rows::Shared(Arc::clone(&rows));
        rows
    }

    #[inline]
    fn as_slice(&self) -> &[Row] {
        match self {
            Rows::Own(rows) => rows,
            Rows::Shared(rows) => rows,
        }
    }
}

/// The names of values, in their order.
pub(crate) type Names = Arc<[&'static str]>;

/// The included rows of one relation.
#[derive(Debug)]
pub(crate) struct Link {
    slot: usize,
    pub(crate) relation: &'static str,
    node: Node,
    rows: LinkRows,
}

/// How children are matched with a parent's row.
#[derive(Debug)]
enum LinkRows {
    /// The same row, if this column of it is not null.
    Joined { present: Option<usize> },
    /// By the key of the parent's row.
    Keyed(KeyedRows),
    /// All children belong to the only parent.
    All,
}

/// A value as the database sent it, whatever its type.
struct Raw<'a>(Option<&'a [u8]>);

impl<'a> FromSql<'a> for Raw<'a> {
    fn from_sql(ty: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn std::error::Error + Sync + Send>> {
        // Few other values begin like a row, so the type is seldom compared.
        if raw.len() >= 12 && raw.starts_with(&[0, 0, 0, 1]) && *ty == Type::RECORD {
            return only_value(raw).map(Raw);
        }
        Ok(Raw(Some(raw)))
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}

/// Returns a value of a row as the database sent it.
#[inline]
pub(crate) fn raw_value(row: &Row, column: usize) -> Option<&[u8]> {
    row.try_get::<_, Option<Raw<'_>>>(column).ok().flatten()?.0
}

impl Node {
    pub(crate) fn new(table: &'static Table, rows: Vec<Row>) -> Self {
        Self { table, rows: Rows::Own(rows), offset: 0, names: None, links: Vec::new(), branches: None }
    }

    /// Sets the names of a row's values.
    pub(crate) fn set_names(&mut self, names: Option<Names>) {
        self.names = names;
    }

    /// Returns the name in PostgreSQL of the value at a position.
    pub(crate) fn name_of(&self, place: usize) -> Option<&'static str> {
        match &self.names {
            Some(names) => names.get(place).copied(),
            None => self.table.columns.get(place).map(|column| column.name),
        }
    }

    /// Returns another table in the same rows. `offset` counts from the start of this one.
    pub(crate) fn joined(&mut self, table: &'static Table, offset: usize) -> Self {
        let rows = Rows::Shared(self.rows.share());
        Self { table, rows, offset: self.offset + offset, names: None, links: Vec::new(), branches: None }
    }

    /// Returns the rows, without a copy if nothing else refers to them.
    pub(crate) fn into_rows(self) -> Vec<Row> {
        drop(self.links);
        match self.rows {
            Rows::Own(rows) => rows,
            Rows::Shared(rows) => Arc::try_unwrap(rows).unwrap_or_default(),
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.rows.as_slice().len()
    }

    #[inline]
    pub(crate) fn raw(&self, row: usize, column: usize) -> Option<&[u8]> {
        raw_value(&self.rows.as_slice()[row], self.offset + column)
    }

    pub(crate) fn cursor(&self, row: usize) -> Cursor<'_> {
        Cursor { node: self, row, values: &self.rows.as_slice()[row] }
    }

    pub(crate) fn cursors(&self) -> impl ExactSizeIterator<Item = Cursor<'_>> {
        self.rows.as_slice().iter().enumerate().map(|(row, values)| Cursor { node: self, row, values })
    }

    pub(crate) fn link(&self, slot: usize) -> Option<&Link> {
        self.links.iter().find(|link| link.slot == slot)
    }

    /// Arranges the rows as trees.
    pub(crate) fn set_branches(&mut self, branches: Branches) {
        self.branches = Some(Box::new(branches));
    }

    /// Adds a table that was joined into the same rows.
    pub(crate) fn add_joined(&mut self, slot: usize, relation: &Relation, node: Node, present: Option<usize>) {
        self.links.push(Link { slot, relation: relation.name, node, rows: LinkRows::Joined { present } });
    }

    /// Adds the children of the only row.
    pub(crate) fn add_all(&mut self, slot: usize, relation: &Relation, node: Node) {
        self.links.push(Link { slot, relation: relation.name, node, rows: LinkRows::All });
    }

    /// Adds children that were read by the keys of these rows.
    pub(crate) fn add_keyed(&mut self, slot: usize, relation: &Relation, node: Node, rows: KeyedRows) {
        let rows = LinkRows::Keyed(rows);
        self.links.push(Link { slot, relation: relation.name, node, rows });
    }

    /// Returns the key of a row: the bytes of its only column, or those of several columns, each after its length.
    /// `forms` says how each is compared; empty if all are compared as they are.
    #[inline]
    pub(super) fn key(&self, row: usize, columns: &[usize], forms: &[KeyForm]) -> Option<Cow<'_, [u8]>> {
        match (columns, forms) {
            ([column], []) => self.raw(row, *column).map(Cow::Borrowed),
            _ => self.compound_key(row, columns, forms).map(Cow::Owned),
        }
    }

    fn compound_key(&self, row: usize, columns: &[usize], forms: &[KeyForm]) -> Option<Vec<u8>> {
        let mut key = Vec::with_capacity(columns.len() * 24);
        for (place, column) in columns.iter().enumerate() {
            let value = self.raw(row, *column)?;
            let value = forms.get(place).copied().unwrap_or(KeyForm::Bytes).apply(value);
            key.extend_from_slice(&value.len().to_ne_bytes());
            key.extend_from_slice(&value);
        }
        Some(key)
    }
}

/// The children of each row, by the number of the row's key: those of key `k` are `order[ends[k - 1]..ends[k]]`.
#[derive(Debug)]
pub(crate) struct KeyedRows {
    pub(super) of_parents: Vec<u32>,
    pub(super) ends: Vec<u32>,
    pub(super) order: Vec<u32>,
}

impl KeyedRows {
    pub(crate) fn children(&self, parent: usize) -> &[u32] {
        self.of_key(self.of_parents[parent] as usize)
    }

    /// Returns the children of the key with this number.
    pub(super) fn of_key(&self, number: usize) -> &[u32] {
        let Some(end) = self.ends.get(number) else { return &[] };
        let begin = number.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.order[begin as usize..*end as usize]
    }
}

impl Link {
    pub(crate) fn one<'a>(&'a self, parent: Cursor<'a>) -> Option<Cursor<'a>> {
        match &self.rows {
            LinkRows::Joined { present } => {
                let child = Cursor { node: &self.node, ..parent };
                let there = present.is_none_or(|column| child.raw(column).is_some());
                there.then_some(child)
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
