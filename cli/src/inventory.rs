//! Everything in a database that no schema says: what it is called, the statement that makes it, and whether that has
//! to run before the tables are made or after.
//!
//! Takes a connection and the schemas that are pulled. The catalog names each thing itself (`pg_identify_object`), so
//! that no kind is missing because nobody thought of it. Changes nothing.

mod catalog;
mod dependencies;
mod script;

use std::collections::{BTreeMap, BTreeSet};

use relata_codegen::sql::{ObjectName, State, Unsaid};
use tokio_postgres::{Client, IsolationLevel, Transaction};

use crate::failure::Failure;
use crate::introspect::{HISTORY_TABLES, PRINTING};
use dependencies::{Dependencies, Node};

pub(crate) use script::{after, before};

/// When a statement can run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Phase {
    /// Columns, defaults, checks or indexes need it.
    Before,
    /// It needs tables.
    After,
}

/// Something that no schema says.
#[derive(Debug, Clone)]
pub(crate) struct Item {
    node: Node,
    /// `function`, `view`, `deferrable constraint`.
    pub(crate) kind: String,
    /// Its name, with its schema.
    pub(crate) name: String,
    pub(crate) phase: Phase,
    /// What makes it; none if PostgreSQL does not tell, or if it depends on more than the database.
    pub(crate) statement: Option<String>,
    /// Whether it needs no warning: the schema has it, or says why it does not.
    is_told: bool,
    /// Whether it is there because a column, default or index uses it.
    is_needed: bool,
}

/// A statement that is longer is not shown.
const MAX_SHOWN: usize = 300;

/// What was found.
#[derive(Debug, Default)]
pub(crate) struct Inventory {
    /// In an order in which they can be made.
    items: Vec<Item>,
    /// Extensions that tables use: names, and the schemas of their objects.
    pub(crate) extensions: Vec<(String, String)>,
    /// Extensions that the statements need, those of the tables among them.
    needed_extensions: Vec<(String, String)>,
    /// Schemas that hold what the statements make.
    schemas: Vec<String>,
    /// Why parts of the catalog could not be read.
    pub(crate) unread: Vec<String>,
    /// Schemas that are not pulled, and how many tables each has.
    pub(crate) elsewhere: Vec<(String, i64)>,
    /// The tables of the schemas that are pulled.
    tables: Tables,
}

impl Inventory {
    /// A line for each kind of thing that is not in the schema, with the names of all of them.
    pub(crate) fn warnings(&self) -> Vec<String> {
        let mut kinds: Vec<(&str, Vec<&str>)> = Vec::new();
        for item in self.items.iter().filter(|item| !item.is_told) {
            match kinds.iter_mut().find(|(kind, _)| *kind == item.kind) {
                Some((_, names)) => names.push(&item.name),
                None => kinds.push((&item.kind, vec![&item.name])),
            }
        }
        kinds.into_iter().map(|(kind, names)| script::one_line(&format!("{kind}: {}", names.join("; ")))).collect()
    }

    /// Forgets what only holds for the table of a many-to-many relation, where the schema has a model for it: that says
    /// the unique index itself. `is_model` takes the schema and the name of a table.
    pub(crate) fn forget_join_tables(&mut self, is_model: impl Fn(&str, &str) -> bool) {
        let models = self.tables.iter().filter(|((schema, name), _)| is_model(schema, name));
        let models: BTreeSet<u32> = models.map(|(_, (_, oid))| *oid).collect();
        self.items.retain(|item| item.kind != catalog::KEYLESS_JOIN_TABLE || !models.contains(&item.node.1));
    }

    /// What columns, defaults and indexes need, with the statement that makes it where that is short.
    pub(crate) fn needs(&self) -> Vec<String> {
        let needed = self.items.iter().filter(|item| item.is_needed && !item.is_told && item.phase == Phase::Before);
        let line = |item: &Item| match item.statement.as_deref().map(str::trim) {
            Some(statement) if !statement.contains('\n') && statement.len() < MAX_SHOWN => format!("{statement};"),
            _ => script::one_line(&format!("{} {}", item.kind, item.name)),
        };
        needed.map(line).collect()
    }

    /// Whether there is anything to be made after the tables.
    pub(crate) fn has_after(&self) -> bool {
        self.items.iter().any(|item| item.phase == Phase::After && item.statement.is_some())
    }
}

/// What is looked at.
pub(crate) struct Request<'a> {
    /// The schemas that are pulled.
    pub(crate) schemas: &'a [String],
    /// The schema whose objects are named without it.
    pub(crate) unqualified: Option<&'a str>,
    /// What was read of them, as far as the language can say it.
    pub(crate) state: &'a State,
    /// What the language cannot say of the tables.
    pub(crate) unsaid: &'a [Unsaid],
    /// The views that the existing schema has.
    pub(crate) views: &'a [ObjectName],
    /// The extensions that the existing schema has.
    pub(crate) extensions: &'a [String],
}

/// Reads the database.
pub(crate) async fn read(client: &mut Client, request: &Request<'_>) -> Result<Inventory, Failure> {
    let failed = |error: tokio_postgres::Error| Failure::database("reading the database", &error);
    let builder = client.build_transaction().isolation_level(IsolationLevel::RepeatableRead).read_only(true);
    let transaction = builder.start().await.map_err(failed)?;
    // Without a search path every name is printed with its schema.
    transaction.batch_execute("SET LOCAL search_path TO ''").await.map_err(failed)?;
    transaction.batch_execute(PRINTING).await.map_err(failed)?;
    let inventory = collect(&transaction, request).await.map_err(failed)?;
    transaction.rollback().await.map_err(failed)?;
    Ok(inventory)
}

async fn collect(transaction: &Transaction<'_>, request: &Request<'_>) -> Result<Inventory, tokio_postgres::Error> {
    let mut dependencies = Dependencies::read(transaction).await?;
    let mut found: Vec<Found> = Vec::new();
    let mut unread = Vec::new();
    for sql in catalog::queries() {
        // What one kind of server does not have, or one role may not see, keeps nothing else back.
        transaction.batch_execute("SAVEPOINT kind").await?;
        let rows = match transaction.query(&sql, &[&request.schemas]).await {
            Ok(rows) => rows,
            Err(error) if error.as_db_error().is_some() => {
                transaction.batch_execute("ROLLBACK TO SAVEPOINT kind").await?;
                unread.extend(error.as_db_error().map(|error| error.message().to_owned()));
                continue;
            }
            Err(error) => return Err(error),
        };
        for row in rows {
            found.push(Found {
                node: (row.try_get::<_, &str>(0)?.to_owned(), row.try_get(1)?),
                schema: row.try_get(2)?,
                kind: row.try_get(3)?,
                name: row.try_get(4)?,
                owner: row.try_get(5)?,
                is_after: row.try_get(6)?,
                statement: row.try_get(7)?,
            });
        }
    }
    found.retain(|found| !HISTORY_TABLES.iter().any(|history| is_about(found, history)));
    add_calls(&mut dependencies, &found, request.schemas);
    let tables = catalog::tables(transaction, request.schemas).await?;
    let mut inventory = select(request, &dependencies, found, &tables);
    inventory.unread = unread;
    inventory.tables = tables;
    inventory.elsewhere = catalog::elsewhere(transaction, request.schemas).await?;
    let extensions: BTreeMap<u32, (String, String)> = catalog::extensions(transaction).await?;
    let starts: BTreeSet<Node> = inventory.tables.values().cloned().collect();
    inventory.extensions = used_extensions(&dependencies, &starts, &extensions);
    let made: BTreeSet<Node> =
        inventory.items.iter().filter(|it| it.statement.is_some()).map(|it| it.node.clone()).collect();
    inventory.needed_extensions = used_extensions(&dependencies, &starts.union(&made).cloned().collect(), &extensions);
    let is_used = |entry: &(String, String)| inventory.needed_extensions.contains(entry);
    let unused: Vec<Item> = extensions
        .values()
        .filter(|entry| !is_used(entry) && !request.extensions.contains(&entry.0))
        .map(|(name, _)| Item {
            node: ("pg_extension".to_owned(), 0),
            kind: "extension that nothing in the schema uses".to_owned(),
            name: name.clone(),
            phase: Phase::After,
            statement: None,
            is_told: false,
            is_needed: false,
        })
        .collect();
    inventory.items.extend(unused);
    Ok(inventory)
}

/// A row of the catalog.
struct Found {
    node: Node,
    /// None for what is in no schema.
    schema: Option<String>,
    kind: String,
    name: String,
    /// The table or view that it is about.
    owner: Option<String>,
    is_after: bool,
    statement: Option<String>,
}

fn is_about(found: &Found, table: &str) -> bool {
    let is_it = |name: &str| name.rsplit('.').next() == Some(table);
    found.owner.as_deref().is_some_and(is_it) || (found.node.0 == "pg_class" && is_it(&found.name))
}

/// Lets functions need those of schemas that are not pulled if their bodies name them: PostgreSQL does not keep what the
/// body of a function calls.
fn add_calls(dependencies: &mut Dependencies, found: &[Found], schemas: &[String]) {
    let functions = || found.iter().filter(|found| found.node.0 == "pg_proc");
    let is_elsewhere = |found: &&Found| found.schema.as_ref().is_some_and(|schema| !schemas.contains(schema));
    // In small letters and without quotes: what is taken for a call and is none does no harm.
    let plain = |text: &str| text.replace('"', "").to_lowercase();
    let callees: Vec<(String, &Node)> = functions()
        .filter(is_elsewhere)
        .filter_map(|found| Some((plain(found.name.split_once('(')?.0), &found.node)))
        .collect();
    for caller in functions() {
        let Some(body) = caller.statement.as_deref().map(plain) else { continue };
        for (name, node) in callees.iter().filter(|(_, node)| **node != caller.node) {
            if calls(&body, name) {
                dependencies.add(caller.node.clone(), (*node).clone());
            }
        }
    }
}

/// Whether a text has a name as a whole, with a bracket behind it.
fn calls(text: &str, name: &str) -> bool {
    let is_part = |letter: char| letter.is_alphanumeric() || "_$.".contains(letter);
    text.match_indices(name)
        .any(|(at, _)| !text[..at].ends_with(is_part) && text[at + name.len()..].trim_start().starts_with('('))
}

/// The tables that the schema has, by their names in it.
type Tables = BTreeMap<(String, String), Node>;

/// What is in the schemas that are pulled, and what it needs of others.
fn select(request: &Request<'_>, dependencies: &Dependencies, found: Vec<Found>, tables: &Tables) -> Inventory {
    let found = without_what_fails(dependencies, found, tables);
    let mut needed: BTreeSet<Node> = BTreeSet::new();
    for node in tables.values() {
        needed.extend(dependencies.of(node));
    }
    // Of what is pulled, all is told; of other schemas, what that needs.
    for found in &found {
        if found.schema.as_ref().is_none_or(|schema| request.schemas.contains(schema)) && found.statement.is_some() {
            needed.extend(dependencies.of(&found.node));
        }
    }
    let mut items = Vec::new();
    let mut schemas = BTreeSet::new();
    for found in found {
        let is_pulled = found.schema.as_ref().is_none_or(|schema| request.schemas.contains(schema));
        let is_needed = needed.contains(&found.node);
        let is_said = is_said(request, &found);
        let is_unsaid = request.unsaid.iter().any(|unsaid| is_it(request, unsaid, &found));
        let only_if_unsaid = ["foreign key", "primary key", "index", "check"].contains(&found.kind.as_str());
        // No schema makes a view, so that its statement is wanted in any case.
        let is_view = found.kind.ends_with("view");
        if !(is_needed || is_pulled && (!is_said || is_view)) || (only_if_unsaid && !is_unsaid) {
            continue;
        }
        let is_after = found.is_after || dependencies.of(&found.node).iter().any(|node| dependencies.is_relation(node));
        if found.statement.is_some() {
            schemas.extend(found.schema.clone());
        }
        items.push(Item {
            node: found.node,
            kind: found.kind,
            name: found.name,
            phase: if is_after { Phase::After } else { Phase::Before },
            statement: found.statement,
            is_told: is_said || is_unsaid,
            is_needed,
        });
    }
    // The schema makes enums itself; one that a statement needs has to be there before it.
    let before: BTreeSet<Node> = items
        .iter()
        .filter(|item| !item.is_told && item.phase == Phase::Before && item.statement.is_some())
        .flat_map(|item| dependencies.of(&item.node))
        .collect();
    items.retain(|item| item.kind != "enum" || !item.is_told || before.contains(&item.node));
    items.sort_by_key(|item| item.phase);
    Inventory {
        items: in_order(dependencies, items),
        schemas: schemas.into_iter().filter(|schema| schema != "public").collect(),
        ..Inventory::default()
    }
}

/// Takes away the statements that need a table which neither the schema nor another statement makes: a partition, a
/// foreign table, a table of another schema.
fn without_what_fails(dependencies: &Dependencies, mut found: Vec<Found>, tables: &Tables) -> Vec<Found> {
    let mut made: BTreeSet<Node> = tables.values().cloned().collect();
    made.extend(found.iter().filter(|found| found.statement.is_some()).map(|found| found.node.clone()));
    loop {
        let before = made.len();
        for found in found.iter_mut().filter(|found| found.statement.is_some()) {
            // A comment needs the thing itself.
            let target = found.node.0.strip_prefix("comment on ").map(|class| (class.to_owned(), found.node.1));
            let is_missing = |node: &Node| dependencies.is_relation(node) && !made.contains(node);
            let fails = match &target {
                Some(target) => !made.contains(target),
                None => dependencies.of(&found.node).iter().any(is_missing),
            };
            if fails {
                found.statement = None;
                made.remove(&found.node);
            }
        }
        if made.len() == before {
            return found;
        }
    }
}

/// Whether the schema has it: an enum or a view.
fn is_said(request: &Request<'_>, found: &Found) -> bool {
    let Some((schema, name)) = found.owner.as_deref().and_then(|owner| owner.split_once('\u{1}')) else { return false };
    let name = ObjectName::new(Some(schema).filter(|schema| request.unqualified != Some(*schema)), name);
    request.state.enums.iter().any(|ty| ty.name == name) || request.views.contains(&name)
}

/// Whether a row is what the language cannot say of a table.
fn is_it(request: &Request<'_>, unsaid: &Unsaid, found: &Found) -> bool {
    let schema = unsaid.table.schema.as_deref().or(request.unqualified).unwrap_or_default();
    let name = format!("{} on {schema}.{}", unsaid.name, unsaid.table.name);
    found.owner.as_deref() == Some(name.as_str()) && unsaid.kind == found.kind
}

/// Each behind what it needs. A circle stays as it is: PostgreSQL allows none that statements could not make.
fn in_order(dependencies: &Dependencies, items: Vec<Item>) -> Vec<Item> {
    let places: BTreeMap<Node, usize> = items.iter().enumerate().map(|(at, item)| (item.node.clone(), at)).collect();
    let mut sorted = Vec::with_capacity(items.len());
    let mut done = vec![false; items.len()];
    // Without recursion: a chain of views may be long.
    for start in 0..items.len() {
        let mut stack = vec![(start, false)];
        while let Some((at, is_ready)) = stack.pop() {
            if is_ready {
                sorted.push(at);
                continue;
            }
            if std::mem::replace(&mut done[at], true) {
                continue;
            }
            stack.push((at, true));
            let needs = dependencies.directly(&items[at].node);
            stack.extend(needs.filter_map(|node| places.get(node)).filter(|at| !done[**at]).map(|at| (*at, false)));
        }
    }
    let mut items: Vec<Option<Item>> = items.into_iter().map(Some).collect();
    let mut ordered: Vec<Item> = sorted.into_iter().filter_map(|at| items[at].take()).collect();
    ordered.sort_by_key(|item| item.phase);
    ordered
}

fn used_extensions(
    dependencies: &Dependencies,
    starts: &BTreeSet<Node>,
    extensions: &BTreeMap<u32, (String, String)>,
) -> Vec<(String, String)> {
    let nodes = starts.iter().flat_map(|node| dependencies.of(node));
    let used: BTreeSet<u32> = nodes.filter(|(class, _)| class == "pg_extension").map(|(_, oid)| oid).collect();
    used.iter().filter_map(|oid| extensions.get(oid).cloned()).collect()
}
