//! The effect of writes on the tables, in memory.

use super::{Change, NOT_GIVEN, New, Row, Tables, Take, Told, Write, Wrong};

/// The oracle, which does one thing after another.
impl Tables {
    fn insert(&mut self, (name, secret): &New, manager: Option<&str>) -> Result<(), Wrong> {
        if self.people.contains_key(name) {
            return Err(Wrong::Taken);
        }
        if manager.is_some_and(|manager| !self.people.contains_key(manager)) {
            return Err(Wrong::NoParent);
        }
        self.people.insert(name.clone(), Row { secret: secret.clone(), manager: manager.map(str::to_owned) });
        Ok(())
    }

    fn delete(&mut self, name: &str) {
        self.people.remove(name);
        self.members.retain(|(member, _)| member != name);
        self.people.values_mut().filter(|row| row.manager.as_deref() == Some(name)).for_each(|row| row.manager = None);
    }

    fn report(&mut self, name: &str, manager: Option<&str>) -> Result<(), Wrong> {
        if manager.is_some_and(|manager| !self.people.contains_key(manager)) {
            return Err(if self.people.contains_key(name) { Wrong::NoParent } else { Wrong::NotFound });
        }
        self.people.get_mut(name).ok_or(Wrong::NotFound)?.manager = manager.map(str::to_owned);
        Ok(())
    }

    fn join(&mut self, name: &str, group: i32) -> Result<(), Wrong> {
        if !self.groups.contains_key(&group) {
            return Err(Wrong::NotFound);
        }
        if !self.people.contains_key(name) {
            return Err(Wrong::NoParent);
        }
        self.members.insert((name.to_owned(), group));
        Ok(())
    }

    /// Returns the row of a report of a manager.
    fn of(&mut self, parent: &str, name: &str) -> Result<&mut Row, Wrong> {
        self.people.get_mut(name).filter(|row| row.manager.as_deref() == Some(parent)).ok_or(Wrong::NotFound)
    }

    fn title_of(&mut self, parent: &str, group: i32) -> Result<&mut String, Wrong> {
        let is_member = self.members.contains(&(parent.to_owned(), group));
        self.groups.get_mut(&group).filter(|_| is_member).ok_or(Wrong::NotFound)
    }

    fn delete_group(&mut self, group: i32) {
        self.groups.remove(&group);
        self.members.retain(|(_, joined)| *joined != group);
    }

    /// Returns the manager of a new row, if this sets one.
    fn manager(&mut self, take: &Take) -> Result<Option<String>, Wrong> {
        Ok(match take {
            Take::Manager(name) if !self.people.contains_key(name) => return Err(Wrong::NotFound),
            Take::Manager(name) => Some(name.clone()),
            Take::ManagerOrCreate(new) => {
                if !self.people.contains_key(&new.0) {
                    self.insert(new, None)?;
                }
                Some(new.0.clone())
            }
            Take::NewManager(new) => {
                self.insert(new, None)?;
                Some(new.0.clone())
            }
            _ => None,
        })
    }

    fn take(&mut self, parent: &str, take: &Take) -> Result<(), Wrong> {
        match take {
            Take::Connect(names) => names.iter().try_for_each(|name| self.report(name, Some(parent))),
            Take::Create(rows) => rows.iter().try_for_each(|row| self.insert(row, Some(parent))),
            Take::ConnectOrCreate(new) if self.people.contains_key(&new.0) => self.report(&new.0, Some(parent)),
            Take::ConnectOrCreate(new) => self.insert(new, Some(parent)),
            Take::JoinGroups(groups) => groups.iter().try_for_each(|group| self.join(parent, *group)),
            Take::JoinOrCreateGroup(group, title) => {
                self.groups.entry(*group).or_insert_with(|| title.clone());
                self.join(parent, *group)
            }
            Take::Manager(_) | Take::ManagerOrCreate(_) | Take::NewManager(_) => Ok(()),
        }
    }

    fn create(&mut self, rows: &[(New, Vec<Take>)]) -> Result<(), Wrong> {
        let mut managers = Vec::new();
        for (_, takes) in rows {
            let mut manager = None;
            for take in takes.iter().filter(|take| take.is_own()) {
                manager = self.manager(take)?;
            }
            managers.push(manager);
        }
        for ((new, _), manager) in rows.iter().zip(&managers) {
            self.insert(new, manager.as_deref())?;
        }
        for ((name, _), takes) in rows.iter().map(|(new, takes)| (new, takes)) {
            takes.iter().try_for_each(|take| self.take(name, take))?;
        }
        Ok(())
    }

    fn update(&mut self, (name, secret): &New, changes: &[Change]) -> Result<(), Wrong> {
        let before = self.people.get(name).cloned().ok_or(Wrong::NotFound)?;
        let mut manager = before.manager.clone();
        for change in changes.iter().filter(|change| change.is_own()) {
            match change {
                Change::Take(take) => manager = self.manager(take)?,
                Change::UpsertManager(new, _) if before.manager.is_none() => {
                    self.insert(new, None)?;
                    manager = Some(new.0.clone());
                }
                Change::UpdateManager(secret) | Change::UpsertManager(_, secret) => {
                    let boss = before.manager.as_deref().ok_or(Wrong::NotFound)?;
                    self.people.get_mut(boss).ok_or(Wrong::NotFound)?.secret = secret.clone();
                }
                Change::DeleteManager if before.manager.is_none() => return Err(Wrong::NotFound),
                _ => manager = None,
            }
        }
        let row = self.people.get_mut(name).ok_or(Wrong::NotFound)?;
        *row = Row { secret: secret.clone(), manager };
        if changes.iter().any(|change| matches!(change, Change::DeleteManager)) {
            self.delete(before.manager.as_deref().unwrap_or_default());
        }
        changes.iter().filter(|change| !change.is_own()).try_for_each(|change| self.change(name, change))
    }

    fn change(&mut self, parent: &str, change: &Change) -> Result<(), Wrong> {
        match change {
            Change::Take(take) => self.take(parent, take)?,
            Change::Disconnect(name) => self.of(parent, name)?.manager = None,
            Change::Set(names) => {
                let theirs = |row: &&mut Row| row.manager.as_deref() == Some(parent);
                self.people.values_mut().filter(theirs).for_each(|row| row.manager = None);
                names.iter().try_for_each(|name| self.report(name, Some(parent)))?;
            }
            Change::Update(new, changes) => {
                self.of(parent, &new.0)?;
                self.update(new, changes)?;
            }
            Change::UpdateMany(from, to) => {
                let meant = |row: &&mut Row| row.manager.as_deref() == Some(parent) && row.secret == *from;
                self.people.values_mut().filter(meant).for_each(|row| row.secret = to.clone());
            }
            Change::Upsert(new, secret) if self.people.contains_key(&new.0) => {
                self.of(parent, &new.0)?.secret = secret.clone();
            }
            Change::Upsert(new, _) => self.insert(new, Some(parent))?,
            Change::Delete(name) => {
                self.of(parent, name)?;
                self.delete(name);
            }
            Change::DeleteMany(secret) => {
                let meant = |row: &Row| row.manager.as_deref() == Some(parent) && row.secret == *secret;
                let names: Vec<String> =
                    self.people.iter().filter(|(_, row)| meant(row)).map(|(name, _)| name.clone()).collect();
                names.iter().for_each(|name| self.delete(name));
            }
            Change::LeaveGroup(group) => drop(self.members.remove(&(parent.to_owned(), *group))),
            Change::SetGroups(groups) => {
                self.members.retain(|(member, _)| member != parent);
                groups.iter().try_for_each(|group| self.join(parent, *group))?;
            }
            Change::UpdateGroup(group, title) => *self.title_of(parent, *group)? = title.clone(),
            Change::UpsertGroup(group, _, title) if self.groups.contains_key(group) => {
                *self.title_of(parent, *group)? = title.clone();
            }
            Change::UpsertGroup(group, title, _) => {
                self.groups.insert(*group, title.clone());
                self.join(parent, *group)?;
            }
            Change::DeleteGroup(group) => {
                self.title_of(parent, *group)?;
                self.delete_group(*group);
            }
            Change::DeleteGroups(title) => {
                let meant = |group: &i32| self.members.contains(&(parent.to_owned(), *group));
                let called = self.groups.iter().filter(|(group, known)| *known == title && meant(group));
                let groups: Vec<i32> = called.map(|(group, _)| *group).collect();
                groups.into_iter().for_each(|group| self.delete_group(group));
            }
            Change::NoManager | Change::UpdateManager(_) | Change::UpsertManager(..) | Change::DeleteManager => {}
        }
        Ok(())
    }

    /// Returns the first people with a secret, by name.
    fn first(&self, secret: &str, limit: Option<u64>) -> Vec<String> {
        let limit = limit.map_or(usize::MAX, |limit| limit as usize);
        self.people.iter().filter(|(_, row)| row.secret == secret).map(|(name, _)| name.clone()).take(limit).collect()
    }

    fn upsert_many(&mut self, rows: &[New], stay: bool) -> Result<Told, Wrong> {
        let is_repeated = |(place, row): (usize, &New)| rows[..place].iter().any(|before| before.0 == row.0);
        if !stay && rows.iter().enumerate().any(is_repeated) {
            return Err(Wrong::Repeated);
        }
        // Those with the same columns are written together, the ones that stand first before the others. Only the first of
        // several with one key is new.
        let first_is_given = rows.first().is_some_and(|row| row.1 != NOT_GIVEN);
        let mut letters = vec!['-'; rows.len()];
        for of_first in [true, false] {
            for (place, (name, secret)) in rows.iter().enumerate() {
                let is_given = secret != NOT_GIVEN;
                if (is_given == first_is_given) != of_first {
                    continue;
                }
                let given = if is_given { secret.clone() } else { String::new() };
                letters[place] = match self.people.get_mut(name) {
                    Some(_) if stay => '-',
                    Some(row) => {
                        if is_given {
                            row.secret = given;
                        }
                        'u'
                    }
                    None => {
                        self.insert(&(name.clone(), given), None)?;
                        'i'
                    }
                };
            }
        }
        Ok(letters.into_iter().collect())
    }

    /// Makes a write, and returns what became of each row, if the call says it.
    pub(super) fn write(&mut self, write: &Write) -> Result<Told, Wrong> {
        match write {
            Write::CreateOrNone(rows) => {
                Ok(rows.iter().map(|row| if self.insert(row, None).is_ok() { 'i' } else { '-' }).collect())
            }
            Write::UpsertMany(rows, stay) => self.upsert_many(rows, *stay),
            Write::UpdateEach(changes) => {
                let change = |(name, secret): &(String, Option<String>)| match self.people.get_mut(name) {
                    Some(row) => {
                        secret.iter().for_each(|secret| row.secret.clone_from(secret));
                        'u'
                    }
                    None => '-',
                };
                Ok(changes.iter().map(change).collect())
            }
            other => self.write_silently(other).map(|()| Told::new()),
        }
    }

    fn write_silently(&mut self, write: &Write) -> Result<(), Wrong> {
        match write {
            Write::Create(new, takes) => self.create(&[(new.clone(), takes.clone())])?,
            Write::CreateMany(rows) => self.create(rows)?,
            Write::SkipDuplicates(rows) => rows.iter().for_each(|row| drop(self.insert(row, None))),
            Write::Update(new, changes) => self.update(new, changes)?,
            Write::UpdateMany(from, to, limit) => {
                for name in self.first(from, *limit) {
                    self.people.get_mut(&name).ok_or(Wrong::NotFound)?.secret = to.clone();
                }
            }
            Write::Upsert(new, secret) => match self.people.get_mut(&new.0) {
                Some(row) => row.secret = secret.clone(),
                None => self.insert(new, None)?,
            },
            Write::Delete(name) if !self.people.contains_key(name) => return Err(Wrong::NotFound),
            Write::Delete(name) => self.delete(name),
            Write::DeleteMany(secret, limit) => {
                self.first(secret, *limit).iter().for_each(|name| self.delete(name));
            }
            Write::CreateGroup(group, _) if self.groups.contains_key(group) => return Err(Wrong::Taken),
            Write::CreateGroup(group, title) => drop(self.groups.insert(*group, title.clone())),
            Write::CreateOrNone(_) | Write::UpsertMany(..) | Write::UpdateEach(_) => {}
        }
        Ok(())
    }
}
