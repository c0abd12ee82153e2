//! The changes of the objects between two databases.

use std::collections::{BTreeMap, BTreeSet};

use super::acl::set_against_defaults;
use super::closure::{Taken, in_the_way};
use crate::sql::change::{CatalogChange, Change, Differs, TableObject, Unmigrated};
use crate::sql::state::{Catalog, CatalogObject, Nature, Need, ObjectKey, ObjectName, State, Usage, User};

/// Returns the changes of objects, and the parts of tables that have to make way for them. If there are such parts, the
/// tables have to be compared again without them.
pub(in crate::sql) fn diff_catalog(
    previous: &State,
    next: &State,
    changes: &[Change],
    released: &BTreeSet<User>,
) -> (Vec<Change>, BTreeSet<User>) {
    let mut differ = Differ::new(previous, next, changes);
    differ.made_way.clone_from(released);
    let mut found = differ.drops();
    let released = differ.released();
    found.extend(released.values().map(|usage| {
        Change::Catalog(CatalogChange::Release {
            user: usage.user.clone(),
            object: usage.object.clone(),
            sql: usage.release.clone().unwrap_or_default(),
        })
    }));
    found.extend(differ.creates());
    set_against_defaults(&previous.catalog, &next.catalog, changes, &mut found);
    found.extend(differ.unmigrated());
    (found, released.into_keys().collect())
}

struct Differ<'a> {
    old: BTreeMap<&'a ObjectKey, &'a CatalogObject>,
    new: BTreeMap<&'a ObjectKey, &'a CatalogObject>,
    old_usages: &'a [Usage],
    /// What the bodies of new functions name.
    mentions: &'a BTreeMap<ObjectKey, Vec<ObjectKey>>,
    /// The tables that need each object afterwards.
    serves: BTreeMap<&'a ObjectKey, BTreeSet<ObjectName>>,
    taken: Taken,
    /// What does not stay, whether it comes back or not.
    gone: BTreeSet<ObjectKey>,
    /// The parts of tables that have made way already.
    made_way: BTreeSet<User>,
    /// What comes with a new table.
    made: BTreeSet<ObjectKey>,
    previous: &'a State,
}

impl<'a> Differ<'a> {
    fn new(previous: &'a State, next: &'a State, changes: &[Change]) -> Self {
        let (before, after) = (previous, next);
        let (previous, next) = (&before.catalog, &after.catalog);
        let by_key = |catalog: &'a Catalog| catalog.objects.iter().map(|it| (&it.key, it)).collect::<BTreeMap<_, _>>();
        let (old, new) = (by_key(previous), by_key(next));
        let taken = Taken::of(changes, after);
        let is_used = |object: &CatalogObject| previous.usages.iter().any(|usage| usage.object == object.key);
        let goes = |object: &&CatalogObject| match new.get(&object.key) {
            None => true,
            Some(next) => {
                next.create.is_some() && (!can_become(object, next) || is_rearranged(object, next) && !is_used(object))
            }
        };
        let mut first: BTreeSet<ObjectKey> =
            previous.objects.iter().filter(goes).map(|object| object.key.clone()).collect();
        first.extend(over_changed_attributes(previous, &new));
        let gone = in_the_way(&previous.objects, first, &taken);
        let mut serves: BTreeMap<_, BTreeSet<ObjectName>> = BTreeMap::new();
        for usage in &next.usages {
            serves.entry(&usage.object).or_default().insert(usage.user.table().clone());
        }
        Self {
            old,
            new,
            old_usages: &previous.usages,
            made_way: BTreeSet::new(),
            mentions: &next.mentions,
            serves,
            taken,
            gone,
            made: made_with_tables(changes, &next.objects),
            previous: before,
        }
    }

    fn comes_back(&self, key: &ObjectKey) -> bool {
        self.new.contains_key(key)
    }

    /// Whether PostgreSQL drops it together with its owner. A trigger or a policy has to go before its function, and before
    /// another table that its condition reads.
    fn goes_along(&self, object: &CatalogObject) -> bool {
        let owner = object.owner.as_ref().and_then(Need::table);
        let is_elsewhere = |need: &Need| need.table().is_some_and(|table| Some(table) != owner);
        let needs_more = |need: &Need| match need {
            Need::Object(key) => object.owner.as_ref() != Some(need) && self.gone.contains(key),
            need => is_elsewhere(need) && self.taken.takes(object, need),
        };
        if object.nature == Nature::Guard && object.needs.iter().any(needs_more) {
            return false;
        }
        match &object.owner {
            Some(Need::Object(owner)) => self.gone.contains(owner),
            Some(owner) => self.taken.is_gone(owner),
            None => false,
        }
    }

    /// The parts of tables that stand in the way of objects that are dropped and come back.
    fn released(&self) -> BTreeMap<User, &'a Usage> {
        let stands = |usage: &&Usage| self.gone.contains(&usage.object) && !self.is_taken(usage);
        let found = self.old_usages.iter().filter(stands).filter(|usage| usage.release.is_some());
        found.map(|usage| (usage.user.clone(), usage)).collect()
    }

    /// Whether the changes of tables let the user go without the object: they drop it, or change it if the object does
    /// not come back.
    fn is_taken(&self, usage: &Usage) -> bool {
        let (user, comes_back) = (&usage.user, self.comes_back(&usage.object));
        if self.made_way.contains(user) {
            return false;
        }
        let taken = &self.taken;
        let is_dropped = |table: &ObjectName, column: &str| taken.columns.contains(&(table.clone(), column.to_owned()));
        taken.tables.contains(user.table())
            || match user {
                User::Default(table, column) => {
                    let defaults = if comes_back { &taken.cleared } else { &taken.defaults };
                    is_dropped(table, column) || defaults.contains(&(table.clone(), column.clone()))
                }
                User::Column(table, column) => is_dropped(table, column),
                User::Constraint(table, name) | User::Index(table, name) => {
                    let parts = if comes_back { &taken.removed } else { &taken.gone };
                    parts.contains(&Need::Part(table.clone(), name.clone()))
                }
                User::Table(_) => false,
            }
    }

    fn drops(&self) -> Vec<Change> {
        let after = self.after();
        let mut found = Vec::new();
        for key in &self.gone {
            let Some(object) = self.old.get(key) else { continue };
            // What would not be created again is not dropped: PostgreSQL then refuses to drop what it needs.
            let is_kept = self.new.get(key).is_some_and(|next| next.create.is_none());
            if is_kept || object.drop.is_empty() || self.goes_along(object) {
                continue;
            }
            let mut object = (*object).clone();
            object.needs.extend(self.needed_along(&object.key));
            found.push(Change::Catalog(CatalogChange::Drop {
                object: Box::new(object),
                comes_back: self.comes_back(key),
                after: after.get(key).cloned().unwrap_or_default(),
                blocked_by: self.blocked_by(key),
            }));
        }
        found
    }

    /// What is needed by everything that is dropped with an object: the function of a trigger of a view.
    fn needed_along(&self, key: &ObjectKey) -> Vec<Need> {
        let mut open = vec![key.clone()];
        let mut found = Vec::new();
        while let Some(owner) = open.pop() {
            let owner = Some(Need::Object(owner));
            for object in self.old.values().filter(|object| object.owner == owner) {
                found.extend(object.needs.iter().cloned());
                open.push(object.key.clone());
            }
        }
        found
    }

    /// What needs a dropped object and cannot make way.
    fn blocked_by(&self, key: &ObjectKey) -> Vec<String> {
        let stands = |usage: &&Usage| {
            usage.object == *key && usage.release.is_none() && self.comes_back(key) && !self.is_taken(usage)
        };
        let mut found: Vec<_> = self.old_usages.iter().filter(stands).map(|usage| usage.user.to_string()).collect();
        let is_only_compared = |object: &&&CatalogObject| {
            self.new.get(&object.key).map_or(object.create.is_none(), |next| next.create.is_none())
                && self.gone.contains(&object.key)
                && object.needs.contains(&Need::Object(key.clone()))
                && object.nature != Nature::Note
        };
        found.extend(self.old.values().filter(is_only_compared).map(|object| object.key.to_string()));
        found.sort();
        found.dedup();
        found
    }

    /// The tables that have to change before an object can be dropped.
    fn after(&self) -> BTreeMap<ObjectKey, BTreeSet<ObjectName>> {
        let mut after: BTreeMap<ObjectKey, BTreeSet<ObjectName>> = BTreeMap::new();
        let mut open: Vec<ObjectKey> = Vec::new();
        let is_dropped = |usage: &&Usage| {
            self.gone.contains(&usage.object)
                && (usage.release.is_none() && !self.comes_back(&usage.object) || self.is_taken(usage))
        };
        for usage in self.old_usages.iter().filter(is_dropped) {
            after.entry(usage.object.clone()).or_default().insert(usage.user.table().clone());
            open.push(usage.object.clone());
        }
        // What is dropped with its table needs its objects until then.
        for object in self.old.values().filter(|it| self.gone.contains(&it.key) && self.goes_along(it)) {
            let Some(table) = object.owner.as_ref().and_then(Need::table) else { continue };
            for need in &object.needs {
                if let Need::Object(key) = need {
                    after.entry(key.clone()).or_default().insert(table.clone());
                    open.push(key.clone());
                }
            }
        }
        while let Some(key) = open.pop() {
            let tables = after.get(&key).cloned().unwrap_or_default();
            for need in self.old.get(&key).into_iter().flat_map(|object| &object.needs) {
                let Need::Object(needed) = need else { continue };
                let known = after.entry(needed.clone()).or_default();
                let before = known.len();
                known.extend(tables.iter().cloned());
                if known.len() > before {
                    open.push(needed.clone());
                }
            }
        }
        after
    }

    /// The columns that have lists of a domain, and the composite types of columns that contain it.
    fn nested(&self, key: &ObjectKey) -> Vec<String> {
        let left = self.left(key);
        let column = |table: &ObjectName, column: &str| self.previous.table(table).and_then(|it| it.column(column));
        let is_list = |usage: &&Usage| match &usage.user {
            User::Column(table, name) => !left.contains(table) && column(table, name).is_some_and(|it| it.array),
            _ => false,
        };
        let is_used = |key: &ObjectKey| self.old_usages.iter().any(|usage| usage.object == *key);
        let contains = |object: &&&CatalogObject| {
            let needs = object.needs.contains(&Need::Object(key.clone()));
            object.key.kind == "composite type" && needs && is_used(&object.key)
        };
        let of_lists = self.old_usages.iter().filter(|usage| usage.object == *key).filter(is_list);
        let of_types = self.old.values().filter(contains).map(|object| object.key.to_string());
        of_lists.map(|usage| usage.user.to_string()).chain(of_types).collect()
    }

    /// The tables that need an object until they change.
    fn left(&self, key: &ObjectKey) -> BTreeSet<ObjectName> {
        let served = self.serves.get(key);
        let tables = self.old_usages.iter().filter(|usage| usage.object == *key).map(|usage| usage.user.table());
        tables.filter(|table| served.is_none_or(|served| !served.contains(table))).cloned().collect()
    }

    fn creates(&self) -> Vec<Change> {
        let mut found = Vec::new();
        for (key, next) in &self.new {
            if next.create.is_none() || self.made.contains(*key) {
                continue;
            }
            let serves = self.serves.get(*key).cloned().unwrap_or_default();
            let mentioned = self.mentions.get(*key).into_iter().flatten().cloned().map(Need::Object);
            match self.old.get(*key) {
                Some(old) if !self.gone.contains(*key) => {
                    let mut change = alter(old, next, serves);
                    if let Some(CatalogChange::Alter { statements, after, blocked_by, .. }) = &mut change
                        && is_stricter(key, statements)
                    {
                        (*after, *blocked_by) = (self.left(key), self.nested(key));
                    }
                    found.extend(change.map(Change::Catalog));
                }
                old => {
                    let mut object = (*next).clone();
                    object.needs.extend(mentioned);
                    keep_empty(old.copied(), &mut object);
                    keep_owner(old.copied(), &mut object);
                    let object = Box::new(object);
                    found.push(Change::Catalog(CatalogChange::Create { object, serves, again: old.is_some() }));
                }
            }
        }
        found
    }

    /// Whether these are the inherited columns of a table that begins or ceases to inherit, which says which they are.
    fn inherits_otherwise(&self, columns: &CatalogObject) -> bool {
        let is_it = |object: &CatalogObject| object.key.kind == "inheritance" && object.owner == columns.owner;
        let differs = |object: &&&CatalogObject| {
            is_it(object) && self.old.contains_key(&object.key) != self.new.contains_key(&object.key)
        };
        columns.key.kind == "inherited columns of"
            && (self.old.values().any(|it| differs(&it)) || self.new.values().any(|it| differs(&it)))
    }

    /// Whether this is an index of a partition that has another name afterwards, or goes with the partition.
    fn is_index_elsewhere(&self, old: &CatalogObject) -> bool {
        let is_index = |object: &CatalogObject| object.key.kind.ends_with("index of partition");
        let is_it = |next: &CatalogObject| is_index(next) && next.owner == old.owner && next.shape == old.shape;
        let partition = ObjectKey { kind: "partition".to_owned(), name: old.shape.clone() };
        is_index(old)
            && (self.gone.contains(&old.key)
                || self.gone.contains(&partition)
                || self.new.values().any(|next| is_it(next)))
    }

    /// What is only compared.
    fn unmigrated(&self) -> Vec<Change> {
        let mut found = Vec::new();
        let mut tell = |key: &ObjectKey, how| {
            found.push(Change::Unmigrated(Unmigrated { kind: key.kind.clone(), name: key.name.clone(), how }));
        };
        for (key, old) in &self.old {
            match self.new.get(*key) {
                None if self.inherits_otherwise(old) => {}
                None if self.is_index_elsewhere(old) => {}
                None if old.drop.is_empty() && !self.goes_along(old) => tell(key, Differs::Extra),
                Some(next) if next.create.is_none() && next.shape != old.shape => tell(key, Differs::Otherwise),
                Some(next) if is_rearranged(old, next) && !self.gone.contains(*key) => {
                    let order = ObjectKey { kind: format!("order in {}", key.kind), name: key.name.clone() };
                    tell(&order, Differs::Otherwise);
                }
                _ => {}
            }
        }
        for (key, next) in &self.new {
            let is_new = !self.old.contains_key(*key) && !self.made.contains(*key);
            if next.create.is_none() && is_new && !self.inherits_otherwise(next) {
                tell(key, Differs::Missing);
            }
        }
        found
    }
}

/// Returns the functions and views that use a composite type of which an attribute changes or goes: PostgreSQL refuses that
/// under a body that it has read.
fn over_changed_attributes(previous: &Catalog, new: &BTreeMap<&ObjectKey, &CatalogObject>) -> Vec<ObjectKey> {
    let loses = |old: &&CatalogObject| {
        let Some(next) = new.get(&old.key).filter(|_| old.key.kind == "composite type") else { return false };
        old.parts.iter().any(|part| next.parts.iter().all(|other| other.name != part.name || other.text != part.text))
    };
    let changed: Vec<Need> =
        previous.objects.iter().filter(loses).map(|object| Need::Object(object.key.clone())).collect();
    let is_over = |object: &&CatalogObject| {
        let is_code = object.nature == Nature::View || ["function", "procedure"].contains(&object.key.kind.as_str());
        is_code && object.needs.iter().any(|need| changed.contains(need))
    };
    previous.objects.iter().filter(is_over).map(|object| object.key.clone()).collect()
}

/// Keeps a materialized view without data when it is created again.
fn keep_empty(old: Option<&CatalogObject>, next: &mut CatalogObject) {
    const EMPTY: &str = "\nWITH NO DATA";
    let Some(old) = old.and_then(|old| old.create.as_ref()) else { return };
    if next.key.kind != "materialized view" {
        return;
    }
    if let Some(create) = &mut next.create {
        let plain = create.strip_suffix(EMPTY).unwrap_or(create).to_owned();
        *create = if old.ends_with(EMPTY) { format!("{plain}{EMPTY}") } else { plain };
    }
}

/// An object that is created again stays with its owner.
fn keep_owner(old: Option<&CatalogObject>, next: &mut CatalogObject) {
    if let (Some(restore), Some(create)) = (old.and_then(|old| old.restore.as_ref()), &mut next.create) {
        *create += &format!(";\n{restore}");
    }
}

/// Whether an object can become the other one without being dropped.
fn can_become(old: &CatalogObject, next: &CatalogObject) -> bool {
    // A view can be replaced by one with more columns.
    let only_adds = || {
        let (old, next): (Vec<_>, Vec<_>) = (old.shape.lines().collect(), next.shape.lines().collect());
        next.starts_with(&old)
    };
    let is_plain_view = next.nature == Nature::View && next.replace.is_some();
    (old.shape == next.shape || is_plain_view && only_adds()) && (old.replace == next.replace || next.replace.is_some())
}

/// Whether its parts have an order that adding and dropping some does not give: the attributes of a type.
fn is_rearranged(old: &CatalogObject, next: &CatalogObject) -> bool {
    let names = |object: &'_ CatalogObject| object.parts.iter().map(|part| part.name.clone()).collect::<Vec<_>>();
    let (before, after) = (names(old), names(next));
    let kept = before.iter().filter(|name| after.contains(name));
    let added = after.iter().filter(|name| !before.contains(name));
    old.key.kind == "composite type" && !kept.chain(added).eq(&after)
}

/// Whether a domain refuses values that it had allowed.
fn is_stricter(key: &ObjectKey, statements: &[String]) -> bool {
    let refuses = |it: &String| it.contains(" ADD CONSTRAINT ") || it.contains(" SET NOT NULL");
    key.kind == "domain" && statements.iter().any(refuses)
}

fn alter(old: &CatalogObject, next: &CatalogObject, serves: BTreeSet<ObjectName>) -> Option<CatalogChange> {
    let mut statements = Vec::new();
    if old.replace != next.replace || old.shape != next.shape {
        statements.extend(next.replace.clone());
    }
    for part in &old.parts {
        if next.parts.iter().all(|other| other.name != part.name) {
            statements.push(part.drop.clone());
        }
    }
    for part in &next.parts {
        match old.parts.iter().find(|other| other.name == part.name) {
            Some(other) if other.text == part.text => {}
            Some(other) => match &part.change {
                Some(change) => statements.push(change.clone()),
                None => statements.extend([other.drop.clone(), part.add.clone()]),
            },
            None => statements.push(part.add.clone()),
        }
    }
    statements.retain(|statement| !statement.is_empty());
    let releases = old.needs.iter().filter(|need| !next.needs.contains(need)).cloned().collect();
    let object = Box::new(next.clone());
    (!statements.is_empty()).then_some(CatalogChange::Alter {
        object,
        statements,
        serves,
        releases,
        after: BTreeSet::new(),
        blocked_by: Vec::new(),
    })
}

/// What is part of a new table: its parents, its partition key. The indexes of a partition come with it, or with those of
/// its table.
fn made_with_tables(changes: &[Change], objects: &[CatalogObject]) -> BTreeSet<ObjectKey> {
    let mut tables: BTreeSet<Need> = BTreeSet::new();
    let mut indexes: BTreeSet<Need> = BTreeSet::new();
    let mut attached: BTreeSet<&str> = BTreeSet::new();
    for change in changes {
        match change {
            Change::CreateTable(table) => {
                tables.insert(Need::Table(table.name.clone()));
                // A key of its own comes as a second index.
                let own = |name: &&String| {
                    let uniques = table.uniques.iter().map(|key| &key.name);
                    table.primary_key.iter().map(|key| &key.name).chain(uniques).any(|key| key == *name)
                };
                attached.extend(table.options.attached.iter().filter(|name| !own(name)).map(String::as_str));
                let keys = table.primary_key.iter().map(|key| &key.name);
                let keys = keys.chain(table.uniques.iter().map(|key| &key.name));
                let keys = keys.chain(table.exclusions.iter().map(|it| &it.index.name));
                indexes.extend(keys.map(|name| Need::Part(table.name.clone(), name.clone())));
            }
            Change::AddObject { object: TableObject::Index(index), .. }
            | Change::ReplaceObject { next: TableObject::Index(index), .. }
                if index.only => {}
            Change::AddObject { table, object } | Change::ReplaceObject { table, next: object, .. } => {
                indexes.insert(Need::Part(table.clone(), object.name().to_owned()));
            }
            _ => {}
        }
    }
    let is_made = |object: &&CatalogObject| {
        let Some(owner) = &object.owner else { return false };
        match object.key.kind.as_str() {
            "partition key of" | "inherited columns of" | "inheritance" | "partition" => tables.contains(owner),
            "index of partition" => {
                let name = object.key.name.split(" under ").next().unwrap_or_default();
                indexes.contains(owner) || attached.contains(name)
            }
            _ => false,
        }
    };
    objects.iter().filter(is_made).map(|object| object.key.clone()).collect()
}
