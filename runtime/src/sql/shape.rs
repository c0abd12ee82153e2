//! What a statement is apart from its values, as a few words, by which a connection knows statements.
//!
//! Most queries of a program have few shapes. Where a connection knows the shape, neither the text is put together again
//! nor looked up: the values are taken, and the prepared statement is at hand. Words hold everything that the text
//! depends on, addresses of generated statics among them, and are compared in full: two shapes are the same only if
//! their texts are. What is rare has no shape and is always put together.

use super::read::{ChildrenOf, KeySource};
use super::statement::{ByShape, Statement, Statements};
use super::write::{count_statement, delete_statement, exists_statement, insert_statement, update_statement};
use crate::meta::{Count, Table};
use crate::query::{Cell, Condition, Include, Lock, OrderKey, OrderTerm, Output, Outputs, Select, SetTo};
use crate::value::Param;

/// Words of the longest shape.
const MAX_WORDS: usize = 48;

impl Statements {
    /// The statement of a shape. If it is known, `take` adds the values of `rest` to those that the shape has; else
    /// `write` puts the statement together.
    pub(super) fn statement<T: Clone>(
        &self,
        shape: &mut Shape,
        rest: T,
        take: impl FnOnce(&mut Vec<Param>, T),
        write: impl FnOnce(T) -> Statement,
    ) -> Statement {
        let Some(words) = shape.words.get(..shape.length) else { return write(rest) };
        let Some(known) = self.of_shape(words) else {
            return Statement { by_shape: ByShape::New(words.into()), ..write(rest) };
        };
        let again = cfg!(debug_assertions).then(|| rest.clone());
        take(&mut shape.params, rest);
        let params = std::mem::take(&mut shape.params);
        let statement = Statement { sql: String::new(), params, by_shape: ByShape::Known(known) };
        if let Some(rest) = again {
            let written = write(rest);
            let same = written.sql == statement.sql() && same_params(&written.params, &statement.params);
            debug_assert!(same, "one shape has two statements: {} and {}", statement.sql(), written.sql);
        }
        statement
    }
}

/// A float may be NaN, which is not itself.
fn same_params(one: &[Param], other: &[Param]) -> bool {
    let same = |(one, other): (&Param, &Param)| one == other || matches!(one, Param::Float(_) | Param::Array(_));
    one.len() == other.len() && one.iter().zip(other).all(same)
}

/// Puts a shape together, and takes the values in the order in which the text has them.
pub(crate) struct Shape {
    words: [usize; MAX_WORDS],
    /// More than there are words if it has none: it is too long, or has what is not described here.
    length: usize,
    params: Vec<Param>,
    /// Where the keys of parents stand among the values.
    pub(super) keys_at: usize,
}

/// Kinds of statements, in the first word.
const READ: usize = 0;
const INSERT: usize = 1;
const UPDATE: usize = 2;
const DELETE: usize = 3;
const COUNT: usize = 4;
const EXISTS: usize = 5;

/// In the place of a number of columns.
const ALL_COLUMNS: usize = usize::MAX;
/// In the place of a column.
const COUNT_OF: usize = usize::MAX;
const RELATED: usize = usize::MAX;
/// In the place of a condition.
const EVERY_ROW: usize = 1;

impl Shape {
    fn new(kind: usize, table: &'static Table) -> Self {
        let mut shape = Self { words: [0; MAX_WORDS], length: 0, params: Vec::with_capacity(4), keys_at: 0 };
        shape.word(kind);
        shape.address(table);
        shape
    }

    #[inline]
    fn word(&mut self, word: usize) {
        if let Some(place) = self.words.get_mut(self.length) {
            *place = word;
            self.length += 1;
        } else {
            self.give_up();
        }
    }

    /// A static, by where it is.
    #[inline]
    fn address<T>(&mut self, known: &T) {
        self.word(std::ptr::from_ref(known).addr());
    }

    fn give_up(&mut self) {
        self.length = usize::MAX;
    }

    /// Two small numbers, and what they are, in a word.
    #[inline]
    fn numbers(&mut self, kind: usize, number: u16, more: u16) {
        self.word(kind | usize::from(number) << 8 | usize::from(more) << 24);
    }

    fn text(&mut self, text: &'static str) {
        self.word(text.as_ptr().addr());
        self.word(text.len());
    }

    /// A read of its own, or of the children that `of` selects, whose keys are no part of it.
    pub(super) fn read(select: &Select, of: Option<&(ChildrenOf<'_>, KeySource)>) -> Self {
        // Without `..`: what is added to a select has to be described here too.
        let Select {
            table,
            condition,
            order,
            take,
            skip,
            from_end,
            distinct,
            cursor,
            page,
            outputs: _,
            includes: _,
            single,
            // Says what no row means, not which rows are read.
            required: _,
            lock,
            decoder: _,
        } = select;
        let mut shape = Self::new(READ, table);
        if !distinct.is_empty() || cursor.is_some() || page.is_some() {
            shape.give_up();
            return shape;
        }
        let flags = [*single, *from_end, take.is_some(), skip.is_some(), lock.is_some(), of.is_some()];
        shape.word(flags.iter().fold(0, |word, flag| word << 1 | usize::from(*flag)));
        if let Some(Lock { strength, wait }) = lock {
            shape.text(strength);
            shape.text(wait);
        }
        if let Some((ChildrenOf { parent, relation }, keys)) = of {
            shape.address(*parent);
            shape.address(*relation);
            shape.word(matches!(keys, KeySource::One(_)).into());
        }
        shape.outputs(select, *single || select.is_projection());
        if !matches!(of, Some((_, KeySource::Many(_)))) || !select.is_cut() {
            shape.keys_at = shape.params.len();
        }
        shape.condition(condition);
        shape.order(order);
        for rows in [take, skip].into_iter().flatten() {
            shape.params.push(Param::Int(i64::try_from(*rows).unwrap_or(i64::MAX)));
        }
        shape
    }

    /// What rows hold, and what is joined to them where `joining` says that it is.
    fn outputs(&mut self, select: &Select, joining: bool) {
        match &select.outputs {
            Outputs::All => self.word(ALL_COLUMNS),
            Outputs::List(outputs) => {
                self.word(outputs.len());
                outputs.iter().for_each(|output| self.output(output));
            }
        }
        self.word(select.includes.len());
        for Include { relation, select, .. } in &select.includes {
            self.address(*relation);
            if joining && relation.count != Count::Many {
                self.outputs(select, joining);
            }
        }
    }

    fn output(&mut self, output: &Output) {
        match output {
            Output::Column(column) => self.word(usize::from(*column)),
            Output::Count { relation, condition } => {
                self.word(COUNT_OF);
                self.address(*relation);
                self.condition(condition);
            }
        }
    }

    fn order(&mut self, order: &[OrderTerm]) {
        self.word(order.len());
        // Whether a value can be null matters only to pages and cursors.
        for OrderTerm { key, descending, nulls_first, nullable: _ } in order {
            let nulls = match nulls_first {
                None => 0,
                Some(false) => 2,
                Some(true) => 4,
            };
            self.word(usize::from(*descending) + nulls);
            self.order_key(key);
        }
    }

    fn order_key(&mut self, key: &OrderKey) {
        match key {
            OrderKey::Column(column) => self.word(usize::from(*column)),
            OrderKey::Related { relation, key } => {
                self.word(RELATED);
                self.address(*relation);
                self.order_key(key);
            }
            OrderKey::Count { .. } | OrderKey::Relevance(_) | OrderKey::Refused(_) => self.give_up(),
        }
    }

    /// An INSERT of one row, whose values are no part of it.
    pub(super) fn insert(table: &'static Table, cells: &[(u16, Cell)]) -> Self {
        let mut shape = Self::new(INSERT, table);
        for (column, cell) in cells {
            match cell {
                Cell::Value(_) => shape.word(usize::from(*column)),
                Cell::Lookup { .. } => shape.give_up(),
            }
        }
        shape
    }

    pub(super) fn update(table: &'static Table, condition: &Condition, sets: &[(u16, SetTo)], returning: bool) -> Self {
        let mut shape = Self::new(UPDATE, table);
        shape.word(returning.into());
        shape.word(sets.len());
        for (column, to) in sets {
            let (kind, value) = match to {
                SetTo::Value(value) => (0, value),
                SetTo::Add(value) => (1, value),
                SetTo::Subtract(value) => (2, value),
                SetTo::Multiply(value) => (3, value),
                SetTo::Divide(value) => (4, value),
                SetTo::Append(values) => (5, values),
                SetTo::Default | SetTo::Lookup { .. } | SetTo::Excluded => {
                    shape.give_up();
                    return shape;
                }
            };
            shape.numbers(kind, *column, 0);
            shape.params.push(value.clone());
        }
        shape.condition(condition);
        shape
    }

    pub(super) fn delete(table: &'static Table, condition: &Condition, returning: bool) -> Self {
        let mut shape = Self::new(DELETE, table);
        shape.word(returning.into());
        shape.condition(condition);
        shape
    }

    pub(super) fn count(table: &'static Table, condition: &Condition) -> Self {
        let mut shape = Self::new(COUNT, table);
        shape.condition(condition);
        shape
    }

    pub(super) fn exists(table: &'static Table, condition: &Condition) -> Self {
        let mut shape = Self::new(EXISTS, table);
        shape.condition(condition);
        shape
    }

    /// A condition that may be left out because every row meets it.
    fn condition(&mut self, condition: &Condition) {
        if condition.is_all() { self.word(EVERY_ROW) } else { self.part(condition) }
    }

    fn part(&mut self, condition: &Condition) {
        match condition {
            Condition::And(parts) => self.parts(2, parts),
            Condition::Or(parts) => self.parts(3, parts),
            Condition::Not(inner) => {
                self.word(4);
                self.part(inner);
            }
            Condition::NotTrue(inner) => {
                self.word(5);
                self.part(inner);
            }
            Condition::Compare { column, operator, value } => self.value(6, *column, *operator as u16, value.clone()),
            Condition::CompareColumns { left, operator, right } => {
                self.numbers(7, *left, *right);
                self.word(*operator as usize);
            }
            Condition::In { column, values } => self.value(8, *column, 0, values.clone()),
            Condition::IsNull { column } => self.numbers(9, *column, 0),
            Condition::Like { column, pattern, insensitive } => {
                self.value(10, *column, (*insensitive).into(), pattern.clone());
            }
            Condition::Contains { column, value } => self.value(11, *column, 0, value.clone()),
            Condition::ContainsAll { column, values } => self.value(12, *column, 0, values.clone()),
            Condition::Overlaps { column, values } => self.value(13, *column, 0, values.clone()),
            Condition::IsEmpty { column } => self.numbers(14, *column, 0),
            Condition::Related { relation, condition } => {
                self.word(15);
                self.address(*relation);
                self.condition(condition);
            }
            Condition::JoinedTo { .. }
            | Condition::Keys { .. }
            | Condition::Another { .. }
            | Condition::Json { .. }
            | Condition::Search(_)
            | Condition::Refused(_) => self.give_up(),
        }
    }

    fn parts(&mut self, kind: usize, parts: &[Condition]) {
        self.word(kind | parts.len() << 8);
        parts.iter().for_each(|part| self.part(part));
    }

    fn value(&mut self, kind: usize, column: u16, more: u16, value: Param) {
        self.numbers(kind, column, more);
        self.params.push(value);
    }
}

/// An INSERT of one row, of a connection that may know it.
pub(crate) fn shaped_insert_statement(
    shapes: Option<&Statements>,
    table: &'static Table,
    cells: Vec<(u16, Cell)>,
) -> Statement {
    let Some(shapes) = shapes else { return insert_statement(table, cells) };
    let value = |(_, cell): (u16, Cell)| match cell {
        Cell::Value(value) => Some(value),
        Cell::Lookup { .. } => None,
    };
    let take = |params: &mut Vec<Param>, cells: Vec<(u16, Cell)>| params.extend(cells.into_iter().filter_map(value));
    shapes.statement(&mut Shape::insert(table, &cells), cells, take, |cells| insert_statement(table, cells))
}

/// An UPDATE, of a connection that may know it.
pub(crate) fn shaped_update_statement(
    shapes: Option<&Statements>,
    table: &'static Table,
    condition: &Condition,
    sets: &[(u16, SetTo)],
    returning: bool,
) -> Statement {
    let write = |()| update_statement(table, condition, sets, returning);
    let Some(shapes) = shapes else { return write(()) };
    shapes.statement(&mut Shape::update(table, condition, sets, returning), (), |_, ()| (), write)
}

/// A DELETE, of a connection that may know it.
pub(crate) fn shaped_delete_statement(
    shapes: Option<&Statements>,
    table: &'static Table,
    condition: &Condition,
    returning: bool,
) -> Statement {
    let write = |()| delete_statement(table, condition, returning);
    let Some(shapes) = shapes else { return write(()) };
    shapes.statement(&mut Shape::delete(table, condition, returning), (), |_, ()| (), write)
}

/// A count of rows, of a connection that may know it.
pub(crate) fn shaped_count_statement(
    shapes: Option<&Statements>,
    table: &'static Table,
    condition: &Condition,
) -> Statement {
    let write = |()| count_statement(table, condition);
    let Some(shapes) = shapes else { return write(()) };
    shapes.statement(&mut Shape::count(table, condition), (), |_, ()| (), write)
}

/// Whether there is a row, of a connection that may know the statement.
pub(crate) fn shaped_exists_statement(
    shapes: Option<&Statements>,
    table: &'static Table,
    condition: &Condition,
) -> Statement {
    let write = |()| exists_statement(table, condition);
    let Some(shapes) = shapes else { return write(()) };
    shapes.statement(&mut Shape::exists(table, condition), (), |_, ()| (), write)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::meta::{Column, Table};
    use crate::query::Operator;

    static COLUMNS: [Column; 2] = [Column::new("id", "integer"), Column::new("name", "text")];
    static TABLE: Table = Table::new("Thing", "\"things\"", &COLUMNS, &[0], &[], &[]);
    static OTHER: Table = Table::new("Other", "\"others\"", &COLUMNS, &[0], &[], &[]);

    fn compare(column: u16, operator: Operator, value: i64) -> Condition {
        Condition::Compare { column, operator, value: Param::Int(value) }
    }

    fn words(change: impl FnOnce(&mut Select)) -> Option<Vec<usize>> {
        let mut select = Select::new(&TABLE);
        change(&mut select);
        let shape = Shape::read(&select, None);
        shape.words.get(..shape.length).map(<[usize]>::to_vec)
    }

    #[test]
    fn values_are_no_part_of_a_shape() {
        let with = |value| {
            words(|select| {
                select.condition = compare(0, Operator::Eq, value);
                select.take = Some(value.unsigned_abs());
            })
        };
        assert!(with(1).is_some());
        assert_eq!(with(1), with(2));
    }

    #[test]
    fn whatever_changes_the_text_changes_the_shape() {
        let set = |condition: Condition| words(|select| select.condition = condition);
        let one = || compare(0, Operator::Eq, 1);
        let all = [
            words(|_| {}),
            words(|select| select.table = &OTHER),
            words(|select| select.take = Some(1)),
            words(|select| select.skip = Some(1)),
            words(|select| select.single = true),
            words(|select| select.lock = Some(Lock::UPDATE)),
            words(|select| select.lock = Some(Lock::SHARE)),
            words(|select| select.lock = Some(Lock { wait: " NOWAIT", ..Lock::UPDATE })),
            words(|select| select.order.push(OrderTerm::by_key(0, false))),
            words(|select| select.order.push(OrderTerm::by_key(0, true))),
            words(|select| select.order.push(OrderTerm::by_key(1, false))),
            words(|select| select.outputs = Outputs::List(vec![Output::Column(0)])),
            set(one()),
            set(compare(1, Operator::Eq, 1)),
            set(compare(0, Operator::Ne, 1)),
            set(Condition::IsNull { column: 0 }),
            set(Condition::IsNull { column: 0 }.negated()),
            set(Condition::NotTrue(Box::new(one()))),
            set(Condition::In { column: 0, values: Param::Array(Vec::new()) }),
            set(Condition::Or(Vec::new())),
            set(Condition::And(vec![one()])),
            set(Condition::And(vec![one(), one()])),
            set(Condition::Or(vec![one(), one()])),
            set(Condition::Like { column: 1, pattern: Param::Null, insensitive: false }),
            set(Condition::Like { column: 1, pattern: Param::Null, insensitive: true }),
        ];
        for (index, shape) in all.iter().enumerate() {
            assert!(shape.is_some(), "{index} has no shape");
            assert!(!all[..index].contains(shape), "{index} is like one before it");
        }
    }

    #[test]
    fn what_is_rare_or_long_has_no_shape() {
        assert_eq!(words(|select| select.distinct = vec![0]), None);
        assert_eq!(words(|select| select.page = Some(crate::query::PageStart::First)), None);
        let long = (0..50).map(|value| compare(0, Operator::Eq, value)).collect();
        assert_eq!(words(|select| select.condition = Condition::Or(long)), None);
    }
}
