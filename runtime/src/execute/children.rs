//! Writes to rows that reference other rows, or are joined to them by a join table: one statement for each kind of
//! write to the rows of a relation.

use super::insert::insert_many;
use super::keys::{KeySet, runs};
use super::nested::{change_one, changes_nothing, equal_to, values_at};
use super::read::count_of;
use super::upsert::{self, upsert_many};
use super::{changes, delete, level};
use crate::connection::Session;
use crate::error::{Error, Lookup, Result};
use crate::meta::{Count, JoinTable, Relation, Table};
use crate::query::{Action, BulkOptions, Condition, Insert, Key, SetTo, Sets};
use crate::rows::Node;
use crate::sql::{self, InputRows, Pairs};
use crate::value::{Param, RawList};

/// The rows of a relation that belong to rows of a node, which are identified by their numbers.
#[derive(Clone, Copy)]
pub(super) struct Children<'a> {
    pub(super) session: Session<'a>,
    pub(super) parents: &'a Node,
    pub(super) relation: &'static Relation,
}

/// Something that belongs to the parent with this number.
pub(super) type ForRow<T> = (usize, T);

/// Returns the condition that rows with these keys match.
fn any_of(relation: &Relation, keys: &[Key]) -> Condition {
    let of_kind = |(columns, keys): (Vec<u16>, Vec<&Key>)| {
        let child = relation.child;
        match columns.as_slice() {
            // PostgreSQL has no arrays of arrays as parameters.
            [column] if !child.columns[usize::from(*column)].sql_type.ends_with("[]") => {
                let values = keys.iter().flat_map(|key| key.iter().map(|(_, value)| value.clone())).collect();
                Condition::In { column: *column, values: Param::Array(values) }
            }
            _ => {
                let keys = keys.iter().map(|key| key.iter().map(|(_, value)| value.clone()).collect()).collect();
                Condition::Keys { table: child, columns, keys }
            }
        }
    };
    let mut kinds: Vec<Condition> = by_columns(keys.iter(), |key| key).into_iter().map(of_kind).collect();
    if kinds.len() == 1 { kinds.remove(0) } else { Condition::Or(kinds) }
}

/// Groups items by the columns of their keys.
fn by_columns<T>(things: impl Iterator<Item = T>, key: impl Fn(&T) -> &Key) -> Vec<(Vec<u16>, Vec<T>)> {
    let mut kinds: Vec<(Vec<u16>, Vec<T>)> = Vec::new();
    for thing in things {
        let columns: Vec<u16> = key(&thing).iter().map(|(column, _)| *column).collect();
        match kinds.iter_mut().find(|(known, _)| *known == columns) {
            Some((_, known)) => known.push(thing),
            None => kinds.push((columns, vec![thing])),
        }
    }
    kinds
}

impl Children<'_> {
    fn parent_key(self, parent: usize) -> Vec<Param> {
        values_at(self.parents.cursor(parent), self.relation.parent_columns)
    }

    /// Returns the condition that the children of a parent match.
    fn belonging(self, parent: usize) -> Condition {
        match (self.relation.through, self.parent_key(parent).as_slice()) {
            (Some(_), [key]) => Condition::JoinedTo { relation: self.relation, key: key.clone() },
            (_, key) => equal_to(self.relation.child_columns.iter().copied(), key.to_vec()),
        }
    }

    async fn execute_update(self, condition: &Condition, sets: &Sets) -> Result<u64> {
        let child = self.relation.child;
        self.session.execute(sql::update_statement(self.session.unshaped(), child, condition, sets, false), child).await
    }

    async fn execute_delete(self, condition: &Condition) -> Result<u64> {
        delete::delete(self.session, self.relation.child, condition).await
    }

    fn is_to_one(self) -> bool {
        self.relation.count != Count::Many
    }

    fn point_at(self, parent: usize, row: &mut Insert) {
        row.point_at(self.relation.child_columns, self.relation.parent_columns, self.parents.cursor(parent));
    }

    /// Carries out writes of one kind for the rows of parents.
    pub(super) async fn write(self, actions: Vec<ForRow<Action>>) -> Result<()> {
        let (mut creates, mut connects, mut either) = (Vec::new(), Vec::new(), Vec::new());
        let mut changes: Vec<ForRow<Vec<Action>>> = Vec::new();
        for (parent, action) in actions {
            match action {
                Action::Create(rows) => creates.extend(rows.into_iter().map(|row| (parent, row))),
                Action::Connect(keys) => connects.extend(keys.into_iter().map(|key| (parent, key))),
                Action::ConnectOrCreate(key, row) => either.push((parent, (row, key))),
                action => match changes.last_mut() {
                    Some((same, actions)) if *same == parent => actions.push(action),
                    _ => changes.push((parent, vec![action])),
                },
            }
        }
        if !creates.is_empty() {
            self.create(creates).await?;
        }
        self.connect(connects, self.is_to_one()).await?;
        self.connect_or_create(either).await?;
        for (parent, actions) in changes {
            self.change(parent, actions).await?;
        }
        Ok(())
    }

    async fn create(self, rows: Vec<ForRow<Insert>>) -> Result<()> {
        let Some(through) = self.relation.through else {
            let pointing = |(parent, mut row)| {
                self.point_at(parent, &mut row);
                row
            };
            let rows = rows.into_iter().map(pointing).collect();
            return insert_many(self.session, rows, BulkOptions::default()).await.map(drop);
        };
        let (parents, rows): (Vec<_>, Vec<_>) = rows.into_iter().unzip();
        let made = level::create(self.session, self.relation, rows).await?;
        self.join(through, parents.into_iter().zip(0..made.len()), &made).await
    }

    /// Adds rows to the join table: parents, and the rows of `children` to join them with.
    async fn join(
        self,
        through: JoinTable,
        pairs: impl ExactSizeIterator<Item = (usize, usize)>,
        children: &Node,
    ) -> Result<()> {
        let relation = self.relation;
        let (ours, theirs) = (usize::from(relation.parent_columns[0]), usize::from(relation.child_columns[0]));
        let (mut left, mut right) = (RawList::with_capacity(pairs.len()), RawList::with_capacity(pairs.len()));
        for (parent, child) in pairs.filter(|(_, child)| *child < children.len()) {
            if let (Some(parent), Some(child)) = (self.parents.raw(parent, ours), children.raw(child, theirs)) {
                left.push(parent);
                right.push(child);
            }
        }
        let statement = sql::join_statement(self.parents.table, relation, through, left, right);
        self.session.execute(statement, relation.child).await.map(drop)
    }

    /// Connects rows to parents. With `release`, other rows are disconnected from these parents.
    async fn connect(self, keys: Vec<ForRow<Key>>, release: bool) -> Result<()> {
        for (columns, keys) in by_columns(keys.into_iter(), |(_, key)| key) {
            let distinct = runs(keys, |(_, key)| key);
            // In a many-to-many relation a row can have several parents, otherwise only the last one counts.
            let distinct = match self.relation.through {
                Some(_) => vec![distinct.into_iter().flatten().collect()],
                None => distinct,
            };
            for keys in distinct {
                self.connect_by(columns.clone(), keys, release).await?;
            }
        }
        Ok(())
    }

    /// Connects by keys with the same columns.
    async fn connect_by(self, columns: Vec<u16>, keys: Vec<ForRow<Key>>, release: bool) -> Result<()> {
        let Children { session, relation, .. } = self;
        let expected = keys.len() as u64;
        let mut pairs = Pairs::new(self.parents.table, relation, columns);
        for (parent, key) in keys {
            pairs.given.push(self.parent_key(parent).into_iter().chain(key.into_iter().map(|(_, value)| value)));
        }
        let found = match relation.through {
            None => session.execute(sql::connect_statement(session.unshaped(), pairs, release), relation.child).await?,
            Some(through) => {
                let statement = sql::connect_through_statement(session.unshaped(), pairs, through, release);
                count_of(&Node::new(relation.child, session.query(statement, relation.child).await?))?.into_count()?
            }
        };
        if found < expected { Err(Error::not_related(relation, Lookup::Connect)) } else { Ok(()) }
    }

    async fn connect_or_create(self, rows: Vec<ForRow<(Insert, Key)>>) -> Result<()> {
        let Children { session, relation, .. } = self;
        let Some(through) = relation.through else {
            for run in runs(rows, |(_, (_, key))| key) {
                self.connect_or_create_referencing(run).await?;
            }
            return Ok(());
        };
        if rows.is_empty() {
            return Ok(());
        }
        let (parents, rows): (Vec<_>, Vec<_>) = rows.into_iter().unzip();
        let upserted = upsert_many(session, rows, &Sets::new(), &Condition::ALL).await?;
        self.join(through, parents.into_iter().zip(upserted.places.iter().copied()), &upserted.node).await
    }

    /// Connects or creates rows with different keys.
    async fn connect_or_create_referencing(self, mut rows: Vec<ForRow<(Insert, Key)>>) -> Result<()> {
        if self.is_to_one() {
            for (parent, (_, key)) in &rows {
                let others = self.belonging(*parent).and(any_of(self.relation, std::slice::from_ref(key)).negated());
                self.execute_update(&others, &self.no_parent()).await?;
            }
        }
        rows.iter_mut().for_each(|(parent, (row, _))| self.point_at(*parent, row));
        let theirs = self.relation.key_pairs().map(|(_, theirs)| (theirs, SetTo::Excluded)).collect();
        let rows = rows.into_iter().map(|(_, row)| row).collect();
        upsert_many(self.session, rows, &theirs, &Condition::ALL).await.map(drop)
    }

    /// Returns the assignment that sets the children's foreign key to null.
    fn no_parent(self) -> Sets {
        self.relation.key_pairs().map(|(_, theirs)| (theirs, SetTo::Value(Param::Null))).collect()
    }

    /// Writes to the rows of one parent. `actions` are of one kind.
    async fn change(self, parent: usize, actions: Vec<Action>) -> Result<()> {
        let (mut removed, mut updates, mut upserts) = (Vec::new(), Vec::new(), Vec::new());
        let belonging = || self.belonging(parent);
        let mut deletes = false;
        for action in actions {
            match action {
                Action::Disconnect(Some(keys)) => removed.extend(keys),
                Action::Delete(Some(keys)) => {
                    deletes = true;
                    removed.extend(keys);
                }
                Action::Disconnect(None) => self.disconnect(parent, Condition::ALL, 1).await?,
                Action::Delete(None) => self.delete(&belonging(), 1).await?,
                Action::Set(keys) => self.set(parent, keys).await?,
                Action::Update { key: Some(key), sets, nested } if nested.is_empty() => updates.push((key, sets)),
                Action::Update { key, sets, nested } => {
                    let condition = key.map_or(Condition::ALL, |key| any_of(self.relation, &[key]));
                    let condition = belonging().and(condition);
                    let changed = change_one(self.session, self.relation.child, condition, sets, nested).await;
                    changed.map_err(|error| error.through(self.relation))?;
                }
                Action::UpdateMany { condition, sets } => {
                    if !sets.is_empty() {
                        self.execute_update(&belonging().and(condition), &sets).await?;
                    }
                }
                // Without a key, it concerns the row that the relation's columns identify.
                Action::Upsert { key, row, sets } => {
                    upserts.push((key.unwrap_or_else(|| self.own_key(parent)), row, sets))
                }
                Action::DeleteMany(condition) => self.delete(&belonging().and(condition), 0).await?,
                _ => return Err(changes_nothing()),
            }
        }
        if !removed.is_empty() {
            let (those, expected) = (any_of(self.relation, &removed), removed.len() as u64);
            match deletes {
                true => self.delete(&belonging().and(those), expected).await?,
                false => self.disconnect(parent, those, expected).await?,
            }
        }
        changes::update_each(self.session, self.relation, &belonging(), updates).await?;
        for run in runs(upserts, |(key, ..)| key) {
            self.upsert(parent, run).await?;
        }
        Ok(())
    }

    fn own_key(self, parent: usize) -> Key {
        self.relation.child_columns.iter().copied().zip(self.parent_key(parent)).collect()
    }

    async fn delete(self, condition: &Condition, expected: u64) -> Result<()> {
        let deleted = self.execute_delete(condition).await?;
        if deleted < expected { Err(Error::not_related(self.relation, Lookup::Delete)) } else { Ok(()) }
    }

    /// As in Prisma, a row of a many-to-many relation need not be connected to the parent.
    async fn disconnect(self, parent: usize, those: Condition, expected: u64) -> Result<()> {
        let Children { session, relation, .. } = self;
        if let Some(through) = relation.through {
            let key = self.parent_key(parent).into_iter().next().unwrap_or(Param::Null);
            let statement = sql::disconnect_statement(session.unshaped(), relation, through, key, &those);
            return session.execute(statement, relation.child).await.map(drop);
        }
        let released = self.execute_update(&self.belonging(parent).and(those), &self.no_parent()).await?;
        if released < expected { Err(Error::not_related(relation, Lookup::Disconnect)) } else { Ok(()) }
    }

    /// Connects exactly these rows to a parent.
    async fn set(self, parent: usize, keys: Vec<Key>) -> Result<()> {
        let kinds = by_columns(keys.iter(), |key| key).len();
        if kinds != 1 {
            // If there are no keys, or keys with different columns, the others are disconnected by a separate
            // statement.
            let those = any_of(self.relation, &keys);
            match self.relation.through {
                Some(_) => self.disconnect(parent, those.negated(), 0).await?,
                None => {
                    let others = self.belonging(parent).and(those.negated());
                    self.execute_update(&others, &self.no_parent()).await?;
                }
            }
        }
        let mut met = KeySet::default();
        let keys = keys.into_iter().filter(|key| met.add(key).1).map(|key| (parent, key)).collect();
        self.connect(keys, kinds == 1).await
    }

    /// Changes existing rows of one parent, and creates the others. All have different keys.
    async fn upsert(self, parent: usize, rows: Vec<(Key, Insert, Sets)>) -> Result<()> {
        let belonging = self.belonging(parent);
        if let Some(through) = self.relation.through {
            return self.upsert_through(through, parent, belonging, rows).await;
        }
        let pointing = |(key, mut row, sets): (Key, Insert, Sets)| {
            self.point_at(parent, &mut row);
            (key, row, sets)
        };
        let rows: Vec<_> = rows.into_iter().map(pointing).collect();
        match changes::common_sets(&rows) {
            Some(sets) => {
                let rows = rows.into_iter().map(|(key, row, _)| (row, key)).collect();
                let upserted = upsert_many(self.session, rows, &sets, &belonging).await;
                upserted.map_err(|error| error.through(self.relation))?;
            }
            None => {
                for (key, row, sets) in rows {
                    let upserted = upsert::upsert_if(self.session, row, key, sets, &belonging).await;
                    upserted.map_err(|error| error.through(self.relation))?;
                }
            }
        }
        Ok(())
    }

    /// Reads first whether a row exists, because it is an error if it does not belong to the parent.
    async fn upsert_through(
        self,
        through: JoinTable,
        parent: usize,
        belonging: Condition,
        rows: Vec<(Key, Insert, Sets)>,
    ) -> Result<()> {
        let Children { session, relation, .. } = self;
        let keys: Vec<Key> = rows.iter().map(|(key, ..)| key.clone()).collect();
        let there = which_are_there(session, relation.child, &keys).await?;
        let (mut updates, mut creates) = (Vec::new(), Vec::new());
        for ((key, row, sets), is_there) in rows.into_iter().zip(there) {
            match is_there {
                true => updates.push((key, sets)),
                false => creates.push(row),
            }
        }
        changes::update_each(session, relation, &belonging, updates).await?;
        if creates.is_empty() {
            return Ok(());
        }
        let made = level::create(session, relation, creates).await?;
        self.join(through, (0..made.len()).map(|child| (parent, child)), &made).await
    }
}

/// Returns which of the keys exist.
pub(super) async fn which_are_there(session: Session<'_>, table: &'static Table, keys: &[Key]) -> Result<Vec<bool>> {
    let mut there = vec![false; keys.len()];
    for (columns, keys) in by_columns(keys.iter().enumerate(), |(_, key)| key) {
        let mut given = InputRows::new(table, &columns);
        keys.iter().for_each(|(_, key)| given.push(key.iter().map(|(_, value)| value.clone())));
        let statement = sql::which_exist_statement(session.unshaped(), table, &columns, given);
        let rows = session.query(statement, table).await?;
        let node = Node::new(table, rows);
        for ((place, _), at) in keys.into_iter().zip(node.cursors()) {
            there[place] = at.get(0)?;
        }
    }
    Ok(there)
}
