//! A read, as data: what to read from which table, and which relations to load with it.

use super::condition::Condition;
use super::expression::Expression;
use super::json_place::JsonPlace;
use super::order::OrderTerm;
use super::page::PageStart;
use crate::error::Error;
use crate::meta::{Relation, Table};
use crate::rows::{MAX_TREE_DEPTH, RowDecoder};
use crate::value::Param;

/// A read of one table, as data. Column numbers are those of its table.
#[derive(Debug, Clone)]
pub struct Select {
    pub(crate) table: &'static Table,
    pub(crate) condition: Condition,
    pub(crate) order: Vec<OrderTerm>,
    pub(crate) take: Option<u64>,
    pub(crate) skip: Option<u64>,
    /// Whether `take` and `skip` count from the end.
    pub(crate) from_end: bool,
    /// Keeps only the first of the rows that have the same values in these columns.
    pub(crate) distinct: Vec<u16>,
    /// The unique key of the row to begin at.
    pub(crate) cursor: Option<Vec<(u16, Param)>>,
    /// The start of the page, if the rows are a page.
    pub(crate) page: Option<PageStart>,
    pub(crate) outputs: Outputs,
    pub(crate) includes: Vec<Include>,
    /// Follows the relation of these rows step by step, if it is an include.
    pub(crate) recursion: Option<Recursion>,
    /// Whether at most one row is returned.
    pub(crate) single: bool,
    /// Whether it is an error if there is no row.
    pub(crate) required: bool,
    /// The lock on the rows until the transaction ends.
    pub(crate) lock: Option<Lock>,
    /// Decodes rows while others arrive. It is not part of the statement.
    pub(crate) decoder: Option<fn() -> Box<dyn RowDecoder>>,
}

/// A lock on rows that are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Lock {
    pub(crate) strength: &'static str,
    /// What to do about rows that another transaction has locked. By default, the statement waits.
    pub(crate) wait: &'static str,
}

impl Lock {
    pub(crate) const UPDATE: Lock = Lock { strength: " FOR UPDATE OF t0", wait: "" };
    pub(crate) const NO_KEY_UPDATE: Lock = Lock { strength: " FOR NO KEY UPDATE OF t0", wait: "" };
    pub(crate) const SHARE: Lock = Lock { strength: " FOR SHARE OF t0", wait: "" };
}

/// How a relation of a table to itself is followed step by step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Recursion {
    pub(crate) rows: RecursiveRows,
    /// The maximum number of steps.
    pub(crate) depth: Option<u32>,
}

/// How the rows that a recursion reaches are arranged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RecursiveRows {
    /// As a tree: each row with those that it leads to.
    Tree,
    /// As a list, the nearest row first.
    Path,
}

impl Recursion {
    /// Returns why a relation cannot be followed step by step.
    pub(crate) fn refused(self, relation: &Relation) -> Option<&'static str> {
        match self {
            _ if relation.through.is_some() => Some(
                "a many-to-many relation cannot be followed step by step, because its rows are no tree: \
                 write a query file with WITH RECURSIVE",
            ),
            _ if relation.child.key.is_empty() => Some(
                "the rows of a view without a key cannot be followed step by step: write `@id` or `@@id` in its `view` block",
            ),
            Recursion { depth: Some(0), .. } => {
                Some("a depth begins at 1, for the rows that the relation leads to directly")
            }
            Recursion { rows: RecursiveRows::Tree, depth: Some(depth) } if depth > MAX_TREE_DEPTH => {
                Some("a tree has at most 256 levels: give a smaller depth")
            }
            _ => None,
        }
    }
}

/// The values of a row of the result.
#[derive(Debug, Clone)]
pub(crate) enum Outputs {
    /// All columns, in the order of the model's fields.
    All,
    /// These.
    List(Vec<Output>),
}

/// One value of a row.
#[derive(Debug, Clone)]
pub(crate) enum Output {
    Column(u16),
    Count {
        relation: &'static Relation,
        condition: Condition,
    },
    Expression(Expression),
    /// A value inside a Json column, as JSON.
    JsonField(JsonPlace),
}

/// A relation to load eagerly.
#[derive(Debug, Clone)]
pub(crate) struct Include {
    pub(crate) slot: usize,
    pub(crate) relation: &'static Relation,
    pub(crate) select: Select,
}

impl Select {
    pub(crate) fn new(table: &'static Table) -> Self {
        Self {
            table,
            condition: Condition::ALL,
            order: Vec::new(),
            take: None,
            skip: None,
            from_end: false,
            distinct: Vec::new(),
            cursor: None,
            page: None,
            outputs: Outputs::All,
            includes: Vec::new(),
            recursion: None,
            single: false,
            required: false,
            lock: None,
            decoder: None,
        }
    }

    pub(crate) fn filter(&mut self, condition: Condition) {
        let before = std::mem::replace(&mut self.condition, Condition::ALL);
        self.condition = before.and(condition);
    }

    pub(crate) fn take(&mut self, rows: u64) {
        self.take = Some(rows);
        self.from_end = false;
    }

    pub(crate) fn take_last(&mut self, rows: u64) {
        self.take = Some(rows);
        self.from_end = true;
    }

    /// Eagerly loads a relation. Including it again replaces the earlier settings.
    pub(crate) fn include(&mut self, include: Include) {
        self.includes.retain(|known| known.slot != include.slot);
        self.includes.push(include);
    }

    /// Returns the effective order: the sort keys, followed by the primary key if the order must be total.
    pub(crate) fn effective_order(&self) -> Vec<OrderTerm> {
        if self.from_end || self.cursor.is_some() || self.page.is_some() {
            self.total_order()
        } else {
            self.order.clone()
        }
    }

    /// Returns the effective order, reversed if rows are counted from the end.
    pub(crate) fn directed_order(&self) -> Vec<OrderTerm> {
        let order = self.effective_order();
        if self.from_end { order.into_iter().map(OrderTerm::reversed).collect() } else { order }
    }

    /// Returns the sort keys, made total by the primary key.
    pub(crate) fn total_order(&self) -> Vec<OrderTerm> {
        let mut order = self.order.clone();
        for column in self.table.key {
            if !order.iter().any(|term| term.is_column(*column)) {
                order.push(OrderTerm::by_key(*column, order.last().is_some_and(|term| term.descending)));
            }
        }
        order
    }

    /// Returns why the rows cannot be read in pages.
    pub(crate) fn refused_page(&self) -> Option<Error> {
        let start = self.page.as_ref()?;
        if self.from_end && !start.is_backward() {
            return Some(Error::Misuse("a page starts after its token: use `take` in place of `take_last`".into()));
        }
        if self.table.key.is_empty() {
            let reason = format!("{} has no key, so its rows have no order to be paged by", self.table.name);
            return Some(Error::Misuse(reason.into()));
        }
        let order = self.total_order();
        let sensitive = order.iter().find_map(|term| term.key.sensitive_column(self.table));
        if let Some(column) = sensitive {
            let reason = format!(
                "a page token holds the values of its order, and {} is @sensitive: order by other columns, or begin each \
                 page at a row's key with `cursor`, `skip(1)` and `take`",
                column.name
            );
            return Some(Error::Misuse(reason.into()));
        }
        let token = start.token()?;
        let fits = token.fits(&order, self.table);
        (!fits).then_some(Error::ForeignPageToken)
    }

    /// Returns why the rows cannot be locked as requested.
    pub(crate) fn refused_lock(&self) -> Option<Error> {
        self.lock?;
        let call = match self {
            _ if !self.distinct.is_empty() => "distinct",
            _ if self.page.as_ref().is_some_and(PageStart::is_backward) => "page_before",
            _ if self.from_end => "take_last",
            _ => return None,
        };
        let reason =
            format!("PostgreSQL cannot lock what {call} chooses: find the keys first, and lock the rows by `in_`");
        Some(Error::Misuse(reason.into()))
    }

    /// Returns whether the number of rows is limited.
    pub(crate) fn is_cut(&self) -> bool {
        self.take.is_some() || self.skip.is_some() || !self.distinct.is_empty()
    }

    /// Returns whether rows have selected values rather than the whole model.
    pub(crate) fn is_projection(&self) -> bool {
        matches!(self.outputs, Outputs::List(_))
    }
}
