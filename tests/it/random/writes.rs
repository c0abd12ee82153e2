//! Random writes, also nested ones, to people and their groups. After each write, all tables are compared with an
//! evaluation in memory, which does one thing after another.
//!
//! Ids are names, so that the order of keys is known. Nobody manages himself, and the rows of one `create_many` have
//! nested writes of one kind: it is not specified in which order different kinds reach the same row.

mod oracle;

use std::collections::{BTreeMap, BTreeSet};

use relata::{CreateWith, Error, Nested, NestedChange, NestedUpdate, Upserted};

use crate::wide::Fixture;
use crate::wide::client::{Client, Group, Person, group, person};

/// What can go wrong, as far as the caller is told.
#[derive(Debug, PartialEq)]
enum Wrong {
    NotFound,
    Taken,
    NoParent,
    /// Two rows of `upsert_many` have the same key.
    Repeated,
}

#[derive(Debug, Clone, PartialEq)]
struct Row {
    secret: String,
    manager: Option<String>,
}

#[derive(Debug, Clone, Default, PartialEq)]
struct Tables {
    people: BTreeMap<String, Row>,
    groups: BTreeMap<i32, String>,
    members: BTreeSet<(String, i32)>,
}

/// A person's name and secret.
type New = (String, String);

#[derive(Debug, Clone)]
enum Take {
    Connect(Vec<String>),
    Create(Vec<New>),
    ConnectOrCreate(New),
    JoinGroups(Vec<i32>),
    JoinOrCreateGroup(i32, String),
    Manager(String),
    ManagerOrCreate(New),
    NewManager(New),
}

#[derive(Debug, Clone)]
enum Change {
    Take(Take),
    Disconnect(String),
    Set(Vec<String>),
    Update(New, Vec<Change>),
    UpdateMany(String, String),
    Upsert(New, String),
    Delete(String),
    DeleteMany(String),
    LeaveGroup(i32),
    SetGroups(Vec<i32>),
    UpdateGroup(i32, String),
    UpsertGroup(i32, String, String),
    DeleteGroup(i32),
    DeleteGroups(String),
    NoManager,
    UpdateManager(String),
    UpsertManager(New, String),
    DeleteManager,
}

#[derive(Debug, Clone)]
enum Write {
    Create(New, Vec<Take>),
    CreateMany(Vec<(New, Vec<Take>)>),
    SkipDuplicates(Vec<New>),
    CreateOrNone(Vec<New>),
    /// Whether existing rows stay as they are. A row whose secret is `NOT_GIVEN` does not give it.
    UpsertMany(Vec<New>, bool),
    UpdateEach(Vec<(String, Option<String>)>),
    Update(New, Vec<Change>),
    UpdateMany(String, String, Option<u64>),
    Upsert(New, String),
    Delete(String),
    DeleteMany(String, Option<u64>),
    CreateGroup(i32, String),
}

impl Take {
    /// Whether it is written before the row that contains it.
    fn is_own(&self) -> bool {
        matches!(self, Take::Manager(_) | Take::ManagerOrCreate(_) | Take::NewManager(_))
    }
}

impl Change {
    fn is_own(&self) -> bool {
        match self {
            Change::Take(take) => take.is_own(),
            Change::NoManager | Change::UpdateManager(_) | Change::UpsertManager(..) | Change::DeleteManager => true,
            _ => false,
        }
    }
}

fn row((name, secret): &New) -> CreateWith<person::Create> {
    let row = person::Create { name: name.clone() }.set(person::id.to(name.as_str()));
    row.set(person::secret.to(secret.as_str()))
}

/// The secret of a row of `upsert_many` that does not give its secret.
const NOT_GIVEN: &str = "s0";

fn upserted(new: &New) -> CreateWith<person::Create> {
    let row = person::Create { name: new.0.clone() }.set(person::id.to(new.0.as_str()));
    if new.1 == NOT_GIVEN { row } else { row.set(person::secret.to(new.1.as_str())) }
}

/// What became of rows, as a letter each: `i`nserted, `u`pdated, `-` for nothing.
type Told = String;

fn or_none<T>(rows: &[Option<T>], letter: char) -> Told {
    rows.iter().map(|row| if row.is_some() { letter } else { '-' }).collect()
}

fn titled(id: i32, title: &str) -> CreateWith<group::Create> {
    group::Create { title: title.to_owned() }.set(group::id.to(id))
}

fn named(name: impl AsRef<str>) -> relata::Unique<Person> {
    person::name.eq(name.as_ref())
}

fn numbered(group: &i32) -> relata::Unique<Group> {
    group::id.eq(*group)
}

fn nested(take: &Take) -> Nested<Person> {
    match take {
        Take::Connect(names) => person::reports.connect_many(names.iter().map(named)),
        Take::Create(rows) => person::reports.create_many(rows.iter().map(row)),
        Take::ConnectOrCreate(new) => person::reports.connect_or_create(named(&new.0), row(new)),
        Take::JoinGroups(groups) => person::groups.connect_many(groups.iter().map(numbered)),
        Take::JoinOrCreateGroup(id, title) => person::groups.connect_or_create(numbered(id), titled(*id, title)),
        Take::Manager(name) => person::manager.connect(named(name)),
        Take::ManagerOrCreate(new) => person::manager.connect_or_create(named(&new.0), row(new)),
        Take::NewManager(new) => person::manager.create(row(new)),
    }
}

fn changed(change: &Change) -> NestedChange<Person> {
    let secret = |secret: &String| [person::secret.to(secret.as_str())];
    let title = |title: &String| [group::title.to(title.as_str())];
    match change {
        Change::Take(take) => nested(take).into(),
        Change::Disconnect(name) => person::reports.disconnect(named(name)),
        Change::Set(names) => person::reports.set(names.iter().map(named)),
        Change::Update((name, to), changes) => {
            let update: NestedUpdate<Person, Person> = person::reports.update(named(name), secret(to));
            changes.iter().fold(update, |update, change| update.with(changed(change))).into()
        }
        Change::UpdateMany(from, to) => person::reports.update_many(person::secret.eq(from.as_str()), secret(to)),
        Change::Upsert(new, to) => person::reports.upsert(named(&new.0), row(new), secret(to)),
        Change::Delete(name) => person::reports.delete(named(name)),
        Change::DeleteMany(secret) => person::reports.delete_many(person::secret.eq(secret.as_str())),
        Change::LeaveGroup(group) => person::groups.disconnect(numbered(group)),
        Change::SetGroups(groups) => person::groups.set(groups.iter().map(numbered)),
        Change::UpdateGroup(group, to) => person::groups.update(numbered(group), title(to)).into(),
        Change::UpsertGroup(id, new, to) => person::groups.upsert(numbered(id), titled(*id, new), title(to)),
        Change::DeleteGroup(group) => person::groups.delete(numbered(group)),
        Change::DeleteGroups(title) => person::groups.delete_many(group::title.eq(title.as_str())),
        Change::NoManager => person::manager.disconnect(),
        Change::UpdateManager(to) => person::manager.update(secret(to)).into(),
        Change::UpsertManager(new, to) => person::manager.upsert(row(new), secret(to)),
        Change::DeleteManager => person::manager.delete(),
    }
}

/// Makes a call that says what became of each row.
async fn run_told(db: &Client, write: &Write) -> relata::Result<Told> {
    match write {
        Write::CreateOrNone(rows) => {
            let rows = db.person().create_many_and_return(rows.iter().map(row)).or_none().await?;
            Ok(or_none(&rows, 'i'))
        }
        Write::UpsertMany(rows, stay) => {
            let upsert = db.person().upsert_many(rows.iter().map(upserted)).on(person::name);
            let upsert = if *stay { upsert.do_nothing() } else { upsert };
            let letter = |row| match row {
                Upserted::Inserted(_) => 'i',
                Upserted::Updated(_) => 'u',
                Upserted::Skipped => '-',
            };
            Ok(upsert.and_return().await?.into_iter().map(letter).collect())
        }
        Write::UpdateEach(changes) => {
            let change =
                |(name, secret): &(String, Option<String>)| (named(name), person::secret.to_opt(secret.as_deref()));
            let rows = db.person().update_each(changes.iter().map(change)).and_return().await?;
            let as_given = |(row, (name, secret)): (&Option<Person>, &(String, Option<String>))| {
                row.as_ref().is_none_or(|row| row.name == *name && secret.as_ref().is_none_or(|it| row.secret == *it))
            };
            assert!(rows.iter().zip(changes).all(as_given), "{rows:?} are not {changes:?}");
            Ok(or_none(&rows, 'u'))
        }
        other => run(db, other).await.map(|()| Told::new()),
    }
}

async fn run(db: &Client, write: &Write) -> relata::Result<()> {
    let with = |(new, takes): &(New, Vec<Take>)| takes.iter().fold(row(new), |row, take| row.with(nested(take)));
    match write {
        Write::Create(new, takes) => db.person().create(with(&(new.clone(), takes.clone()))).await.map(drop),
        Write::CreateMany(rows) => db.person().create_many(rows.iter().map(with)).await.map(drop),
        Write::SkipDuplicates(rows) => db.person().create_many(rows.iter().map(row)).skip_duplicates().await.map(drop),
        Write::Update((name, secret), changes) => {
            let update = db.person().update(named(name)).set(person::secret.to(secret.as_str()));
            changes.iter().fold(update, |update, change| update.with(changed(change))).await.map(drop)
        }
        Write::UpdateMany(from, to, limit) => {
            let update = db.person().update_many().filter(person::secret.eq(from.as_str()));
            let update = update.set(person::secret.to(to.as_str()));
            limit.iter().fold(update, |update, limit| update.limit(*limit)).await.map(drop)
        }
        Write::Upsert(new, secret) => {
            let upsert = db.person().upsert(named(&new.0), row(new)).set(person::secret.to(secret.as_str()));
            upsert.await.map(drop)
        }
        Write::Delete(name) => db.person().delete(named(name)).await.map(drop),
        Write::DeleteMany(secret, limit) => {
            let delete = db.person().delete_many().filter(person::secret.eq(secret.as_str()));
            limit.iter().fold(delete, |delete, limit| delete.limit(*limit)).await.map(drop)
        }
        Write::CreateGroup(id, title) => db.group().create(titled(*id, title)).await.map(drop),
        Write::CreateOrNone(_) | Write::UpsertMany(..) | Write::UpdateEach(_) => {
            Box::pin(run_told(db, write)).await.map(drop)
        }
    }
}

/// Reads the contents of the tables with plain SQL.
async fn stored(fixture: &Fixture) -> Tables {
    let people = "SELECT p.name, p.secret, m.name FROM \"Person\" p LEFT JOIN \"Person\" m ON m.id = p.manager_id";
    let row = |row: relata::tokio_postgres::Row| (row.get(0), Row { secret: row.get(1), manager: row.get(2) });
    Tables {
        people: fixture.sql(people).await.into_iter().map(row).collect(),
        groups: fixture.sql("SELECT id, title FROM \"Group\"").await.iter().map(|r| (r.get(0), r.get(1))).collect(),
        members: fixture
            .sql("SELECT \"B\", \"A\" FROM \"_GroupToPerson\"")
            .await
            .iter()
            .map(|r| (r.get(0), r.get(1)))
            .collect(),
    }
}

struct Generator(fastrand::Rng);

impl Generator {
    fn name(&mut self, not: &str) -> String {
        loop {
            let name = format!("p{}", self.0.u8(..9));
            if name != not {
                return name;
            }
        }
    }

    fn secret(&mut self) -> String {
        format!("s{}", self.0.u8(..3))
    }

    fn new_row(&mut self, not: &str) -> New {
        (self.name(not), self.secret())
    }

    fn group(&mut self) -> i32 {
        self.0.i32(1..6)
    }

    fn limit(&mut self) -> Option<u64> {
        self.0.bool().then(|| self.0.u64(..4))
    }

    fn several<T>(&mut self, most: usize, mut one: impl FnMut(&mut Self) -> T) -> Vec<T> {
        (0..self.0.usize(..=most)).map(|_| one(self)).collect()
    }

    /// Returns the nested writes of a row with this name; `kind` is one of eight.
    fn take(&mut self, parent: &str, kind: u8) -> Take {
        match kind {
            0 => Take::Connect(self.several(3, |make| make.name(parent))),
            1 => Take::Create(self.several(2, |make| make.new_row(parent))),
            2 => Take::ConnectOrCreate(self.new_row(parent)),
            3 => Take::JoinGroups(self.several(3, Self::group)),
            4 => Take::JoinOrCreateGroup(self.group(), self.secret()),
            5 => Take::Manager(self.name(parent)),
            6 => Take::ManagerOrCreate(self.new_row(parent)),
            _ => Take::NewManager(self.new_row(parent)),
        }
    }

    fn change(&mut self, parent: &str, depth: u8) -> Change {
        match self.0.u8(..22) {
            kind @ 0..8 => Change::Take(self.take(parent, kind)),
            8 => Change::Disconnect(self.name(parent)),
            9 => Change::Set(self.several(3, |make| make.name(parent))),
            10 | 11 => {
                let new = self.new_row(parent);
                let deeper = if depth > 0 { self.changes(&new.0, depth - 1) } else { Vec::new() };
                Change::Update(new, deeper)
            }
            12 => Change::UpdateMany(self.secret(), self.secret()),
            13 => Change::Upsert(self.new_row(parent), self.secret()),
            14 => Change::Delete(self.name(parent)),
            15 => Change::DeleteMany(self.secret()),
            16 => Change::LeaveGroup(self.group()),
            17 => Change::SetGroups(self.several(3, Self::group)),
            18 => Change::UpdateGroup(self.group(), self.secret()),
            19 => Change::UpsertGroup(self.group(), self.secret(), self.secret()),
            20 if self.0.bool() => Change::DeleteGroup(self.group()),
            20 => Change::DeleteGroups(self.secret()),
            _ => match self.0.u8(..4) {
                0 => Change::NoManager,
                1 => Change::UpdateManager(self.secret()),
                2 => Change::UpsertManager(self.new_row(parent), self.secret()),
                _ => Change::DeleteManager,
            },
        }
    }

    /// Returns changes of which at most one is about the manager. Every other change occurs several times, so that
    /// equal kinds are executed together.
    fn changes(&mut self, parent: &str, depth: u8) -> Vec<Change> {
        let mut changes: Vec<Change> = Vec::new();
        for _ in 0..self.0.usize(..4) {
            let change = self.change(parent, depth);
            if !change.is_own() || !changes.iter().any(Change::is_own) {
                changes.push(change);
            }
            let again = changes.last().cloned().filter(|_| self.0.bool());
            if let Some(Change::Update((_, secret), _)) = again {
                changes.push(Change::Update((self.name(parent), secret), Vec::new()));
            }
        }
        changes
    }

    fn write(&mut self) -> Write {
        match self.0.u8(..20) {
            16 => Write::CreateOrNone(self.several(4, |make| make.new_row(""))),
            17 | 18 => Write::UpsertMany(self.several(4, |make| make.new_row("")), self.0.u8(..3) == 0),
            19 => Write::UpdateEach(self.several(5, |make| {
                let (name, secret) = make.new_row("");
                (name, Some(secret).filter(|secret| secret != NOT_GIVEN))
            })),
            0..3 => {
                let new = self.new_row("");
                let takes = self.several(2, |make| {
                    let kind = make.0.u8(..5);
                    make.take(&new.0, kind)
                });
                Write::Create(new, takes)
            }
            3 | 4 => {
                let kind = self.0.u8(..8);
                Write::CreateMany(self.several(3, |make| {
                    let new = make.new_row("");
                    let take = make.take(&new.0, kind);
                    (new, vec![take])
                }))
            }
            5 => Write::SkipDuplicates(self.several(4, |make| make.new_row(""))),
            6..11 => {
                let new = self.new_row("");
                let changes = self.changes(&new.0, 2);
                Write::Update(new, changes)
            }
            11 => Write::UpdateMany(self.secret(), self.secret(), self.limit()),
            12 => Write::Upsert(self.new_row(""), self.secret()),
            13 => Write::Delete(self.name("")),
            14 => Write::DeleteMany(self.secret(), self.limit()),
            _ => Write::CreateGroup(self.group(), self.secret()),
        }
    }
}

fn fits(expected: &Result<Told, Wrong>, got: &relata::Result<Told>) -> bool {
    match (expected, got) {
        (Ok(expected), Ok(got)) => expected == got,
        (Err(Wrong::Repeated), Err(Error::Misuse(_))) => true,
        (Err(Wrong::Repeated), _) => false,
        // Which of several errors occurs first depends on what is executed together.
        (Err(_), Err(Error::NotFound { .. } | Error::UniqueViolation(_) | Error::ForeignKeyViolation(_))) => true,
        _ => false,
    }
}

/// The number of writes before the tables are emptied and a new random sequence starts.
const WRITES_PER_WORLD: u64 = 50;

#[tokio::test]
async fn random_writes_agree_with_the_oracle() {
    let fixture = Fixture::new().await;
    let first = super::number_from_env("RELATA_RANDOM_SEED", 2026);
    let cases = super::number_from_env("RELATA_RANDOM_CASES", 300);
    let (mut tables, mut make, mut seed) = (Tables::default(), Generator(fastrand::Rng::new()), first);
    let mut held = 0;
    for case in 0..cases {
        if case % WRITES_PER_WORLD == 0 {
            seed = first.wrapping_add(case / WRITES_PER_WORLD);
            make = Generator(fastrand::Rng::with_seed(seed));
            tables = Tables::default();
            fixture.db.person().delete_many().all_rows().await.expect("are deleted");
            fixture.db.group().delete_many().all_rows().await.expect("are deleted");
        }
        let write = make.write();
        let mut after = tables.clone();
        let expected = after.write(&write);
        let after = if expected.is_ok() { after } else { tables.clone() };
        let got = run_told(&fixture.db, &write).await;
        let stored = stored(&fixture).await;
        assert!(
            fits(&expected, &got) && stored == after,
            "{write:#?}\nof {tables:#?}\nhas to give {expected:?} and {after:#?}\nbut gave {got:?} and {stored:#?}\n\
             again: RELATA_RANDOM_SEED={seed} RELATA_RANDOM_CASES={} cargo test random_writes",
            case % WRITES_PER_WORLD + 1,
        );
        held += u64::from(got.is_ok());
        tables = after;
    }
    eprintln!("{cases} random writes from seed {first} on agree with the oracle, {held} of them held");
    assert!(cases < 100 || held > cases / 3, "{held} of {cases} writes are too few to be of use");
}
