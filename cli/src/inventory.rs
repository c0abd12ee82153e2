//! The objects of a database that no schema declares. For each: its name, the statement that creates it, and whether
//! that statement must run before or after the tables are created.
//!
//! Takes a connection and the schemas to pull. The catalog names every object (`pg_identify_object`), so no kind can be
//! forgotten. Changes nothing.

mod catalog;
mod dependencies;
mod script;

use std::collections::{BTreeMap, BTreeSet};

use relata_codegen::sql::{
    ACROSS_TENANTS_POLICY, AUDIT, AUDIT_TRUNCATE, EnumType, Inexpressible, ObjectName, State, TENANT_POLICY,
};
use tokio_postgres::{Client, IsolationLevel, Transaction};

use crate::failure::Failure;
use crate::introspect::{HISTORY_TABLES, PRINTING};
use dependencies::{Dependencies, Node};

pub(crate) use script::{after, before};

/// When a statement can run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Phase {
    /// Before the tables are created: columns, defaults, checks or indexes depend on it.
    Before,
    /// After the tables are created: it depends on them.
    After,
}

/// An object that no schema declares.
#[derive(Debug, Clone)]
pub(crate) struct Item {
    node: Node,
    /// `function`, `view`, `deferrable constraint`.
    pub(crate) kind: String,
    /// The name, with its schema.
    pub(crate) name: String,
    pub(crate) phase: Phase,
    /// The statement that creates it; `None` if PostgreSQL cannot print one, or if the object depends on something
    /// outside the database.
    pub(crate) statement: Option<String>,
    /// Whether it needs no warning: the schema declares it, or says why it does not.
    needs_no_warning: bool,
    /// Whether it is listed because a column, default or index depends on it.
    is_needed: bool,
}

/// The length from which a statement is not shown.
const MAX_SHOWN: usize = 300;

/// The result of reading the database.
#[derive(Debug, Default)]
pub(crate) struct Inventory {
    /// In an order in which they can be created.
    items: Vec<Item>,
    /// Extensions that tables use, or all objects that are pulled: names, and the schemas of their objects.
    pub(crate) extensions: Vec<(String, String)>,
    /// Extensions that the statements need, those of the tables among them.
    needed_extensions: Vec<(String, String)>,
    /// Schemas that contain the objects to create.
    schemas: Vec<String>,
    /// Why parts of the catalog could not be read.
    pub(crate) unread: Vec<String>,
    /// Schemas that are not pulled, and the number of tables in each.
    pub(crate) elsewhere: Vec<(String, i64)>,
    /// The tables of the schemas that are pulled.
    tables: Tables,
}

impl Inventory {
    /// Returns a line for each kind of object that the schema lacks, with all names.
    pub(crate) fn warnings(&self) -> Vec<String> {
        let mut kinds: Vec<(&str, Vec<&str>)> = Vec::new();
        for item in self.items.iter().filter(|item| !item.needs_no_warning) {
            match kinds.iter_mut().find(|(kind, _)| *kind == item.kind) {
                Some((_, names)) => names.push(&item.name),
                None => kinds.push((&item.kind, vec![&item.name])),
            }
        }
        kinds.into_iter().map(|(kind, names)| script::one_line(&format!("{kind}: {}", names.join("; ")))).collect()
    }

    /// Removes the items about the join table of a many-to-many relation if the schema has a model for the table, because
    /// the model declares the unique index. `is_model` takes the schema and the name of a table.
    pub(crate) fn forget_join_tables(&mut self, is_model: impl Fn(&str, &str) -> bool) {
        let models = self.tables.iter().filter(|((schema, name), _)| is_model(schema, name));
        let models: BTreeSet<u32> = models.map(|(_, (_, oid))| *oid).collect();
        self.items.retain(|item| item.kind != catalog::KEYLESS_JOIN_TABLE || !models.contains(&item.node.1));
    }

    /// Removes views whose queries the schema has, and their indexes. `names` are theirs, each with its schema.
    pub(crate) fn forget_views(&mut self, views: &BTreeSet<String>, indexes: &BTreeSet<String>) {
        self.items.retain(|item| {
            let name = item.name.replace('"', "");
            let is_view = item.kind.ends_with("view") && views.contains(&name);
            !(is_view || item.kind == "index" && indexes.contains(&name))
        });
    }

    /// Removes functions, procedures, triggers and policies that the schema has. `names` has the kind and
    /// the name of each, as [`without_schemas`] writes it.
    pub(crate) fn forget_objects(&mut self, names: &BTreeSet<(String, String)>, schemas: &[String]) {
        self.items.retain(|item| !names.contains(&(item.kind.clone(), without_schemas(&item.name, schemas))));
    }

    /// Removes the defaults from sequences that no column owns: the schema names these sequences.
    pub(crate) fn forget_sequences_of_others(&mut self) {
        self.items.retain(|item| !item.kind.starts_with("default from a sequence"));
    }

    /// Removes row security and the two policies of migrations from the items if the schema declares them for the table;
    /// whether they are as declared is compared elsewhere. `is_secured` takes the schema and the name of a table.
    pub(crate) fn forget_row_security(&mut self, is_secured: impl Fn(&str, &str) -> bool) {
        let secured = self.tables.iter().filter(|((schema, name), _)| is_secured(schema, name));
        let secured: BTreeSet<u32> = secured.map(|(_, (_, oid))| *oid).collect();
        let is_declared = |item: &Item| item.kind == catalog::ROW_SECURITY && secured.contains(&item.node.1);
        let names: Vec<String> = self.items.iter().filter(|item| is_declared(item)).map(|it| it.name.clone()).collect();
        let tables = names.iter().map(|name| name.trim_end_matches(" (FORCE)"));
        let policies: BTreeSet<String> = tables
            .flat_map(|table| [TENANT_POLICY, ACROSS_TENANTS_POLICY].map(|policy| format!("{policy} on {table}")))
            .collect();
        self.items.retain(|item| !(is_declared(item) || item.kind == "policy" && policies.contains(&item.name)));
    }

    /// Removes the comments on tables, on columns and on these enums from the items; whether they are as declared is compared
    /// elsewhere. `current` is the schema of enums that name none.
    pub(crate) fn forget_comments(&mut self, enums: &[EnumType], current: Option<&str>) {
        let tables: BTreeSet<u32> = self.tables.values().map(|(_, oid)| *oid).collect();
        let types = enums.iter().map(|ty| {
            let schema = ty.name.schema.as_deref().or(current).unwrap_or_default();
            plain(&format!("type {schema}.{}", ty.name.name))
        });
        let types: BTreeSet<String> = types.collect();
        self.items.retain(|item| match item.node.0.as_str() {
            "comment on pg_class" => !tables.contains(&item.node.1),
            "comment on pg_type" => !types.contains(&plain(&item.name)),
            _ => true,
        });
    }

    /// Adds the extensions whose functions a body of a function calls: PostgreSQL does not record such calls.
    fn add_called_extensions(
        &mut self,
        extensions: &BTreeMap<u32, (String, String)>,
        functions: &BTreeMap<u32, Vec<String>>,
    ) {
        let bodies =
            self.items.iter().filter(|item| item.node.0 == "pg_proc").filter_map(|item| item.statement.as_deref());
        let bodies: Vec<String> = bodies.map(plain).collect();
        let mut called = Vec::new();
        for (oid, extension) in extensions {
            let mut names = functions.get(oid).into_iter().flatten();
            if names.any(|name| {
                bodies.iter().any(|body| calls(body, name) || calls(body, &format!("{}.{name}", extension.1)))
            }) {
                called.push(extension.clone());
            }
        }
        called.retain(|extension| !self.needed_extensions.contains(extension));
        self.needed_extensions.extend(called);
    }

    /// Returns the objects that columns, defaults and indexes depend on, each with the statement that creates it if
    /// that is short.
    pub(crate) fn needs(&self) -> Vec<String> {
        let needed =
            self.items.iter().filter(|item| item.is_needed && !item.needs_no_warning && item.phase == Phase::Before);
        let line = |item: &Item| match item.statement.as_deref().map(str::trim) {
            Some(statement) if !statement.contains('\n') && statement.len() < MAX_SHOWN => format!("{statement};"),
            _ => script::one_line(&format!("{} {}", item.kind, item.name)),
        };
        needed.map(line).collect()
    }

    /// Returns whether something has to be created after the tables.
    pub(crate) fn has_after(&self) -> bool {
        self.items.iter().any(|item| item.phase == Phase::After && item.statement.is_some())
    }
}

/// Returns the name of an object in lower case, without quotes, blanks and these schemas.
pub(crate) fn without_schemas(name: &str, schemas: &[String]) -> String {
    let bare = plain(name).replace(' ', "");
    let schemas = schemas.iter().map(String::as_str).chain(["pg_catalog"]);
    schemas.fold(bare, |bare, schema| bare.replace(&format!("{}.", plain(schema)), ""))
}

/// What to read.
pub(crate) struct Request<'a> {
    /// The schemas to pull.
    pub(crate) schemas: &'a [String],
    /// The schema whose objects are named without a schema.
    pub(crate) unqualified: Option<&'a str>,
    /// The state of these schemas, as far as the schema language can express it.
    pub(crate) state: &'a State,
    /// What the language cannot express about the tables.
    pub(crate) inexpressible: &'a [Inexpressible],
    /// The views of the existing schema.
    pub(crate) views: &'a [ObjectName],
    /// The extensions of the existing schema.
    pub(crate) extensions: &'a [String],
    /// Whether objects besides tables are pulled, which may need extensions, too.
    pub(crate) with_objects: bool,
}

/// Reads the database.
pub(crate) async fn read(client: &mut Client, request: &Request<'_>) -> Result<Inventory, Failure> {
    let failed = |error: tokio_postgres::Error| Failure::database("reading the database", &error);
    let builder = client.build_transaction().isolation_level(IsolationLevel::RepeatableRead).read_only(true);
    let transaction = builder.start().await.map_err(failed)?;
    // Without a search path, PostgreSQL prints every name with its schema.
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
        // A kind that this server lacks, or that this role may not read, must not prevent the others.
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
    found.retain(|found| !HISTORY_TABLES.iter().any(|history| is_about(found, history)) && !is_of_audit(found));
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
    let functions = catalog::functions_of_extensions(transaction).await?;
    inventory.add_called_extensions(&extensions, &functions);
    if request.with_objects {
        inventory.extensions.clone_from(&inventory.needed_extensions);
    }
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
            needs_no_warning: false,
            is_needed: false,
        })
        .collect();
    inventory.items.extend(unused);
    Ok(inventory)
}

/// A row of the catalog.
struct Found {
    node: Node,
    /// `None` for objects outside of schemas.
    schema: Option<String>,
    kind: String,
    name: String,
    /// The table or view that it belongs to.
    owner: Option<String>,
    is_after: bool,
    statement: Option<String>,
}

fn is_about(found: &Found, table: &str) -> bool {
    let is_it = |name: &str| name.rsplit('.').next() == Some(table);
    found.owner.as_deref().is_some_and(is_it) || (found.node.0 == "pg_class" && is_it(&found.name))
}

/// Returns whether it belongs to the recorded changes: the table, its function, and the triggers of other tables.
fn is_of_audit(found: &Found) -> bool {
    let begins = |name: &str| {
        let name = name.trim_start_matches("function ");
        let name = name.rsplit_once('.').map_or(name, |(_, name)| name);
        name == format!("{AUDIT}()")
    };
    let is_trigger = [AUDIT, AUDIT_TRUNCATE].iter().any(|name| found.name.starts_with(&format!("{name} on ")));
    is_about(found, AUDIT) || (found.kind == "trigger" && is_trigger) || begins(&found.name)
}

/// Adds the dependencies of functions on functions in schemas that are not pulled, if their bodies call them:
/// PostgreSQL does not record what the body of a function calls.
fn add_calls(dependencies: &mut Dependencies, found: &[Found], schemas: &[String]) {
    let functions = || found.iter().filter(|found| found.node.0 == "pg_proc");
    let is_elsewhere = |found: &&Found| found.schema.as_ref().is_some_and(|schema| !schemas.contains(schema));
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

/// Names are compared in lower case and without quotes. A call that is found by mistake does no harm.
fn plain(text: &str) -> String {
    text.replace('"', "").to_lowercase()
}

/// Returns whether the text contains the name as a whole word, followed by a parenthesis.
fn calls(text: &str, name: &str) -> bool {
    let is_part = |letter: char| letter.is_alphanumeric() || "_$.".contains(letter);
    text.match_indices(name)
        .any(|(at, _)| !text[..at].ends_with(is_part) && text[at + name.len()..].trim_start().starts_with('('))
}

/// The tables that the schema declares, by their names in it.
type Tables = BTreeMap<(String, String), Node>;

/// Selects the objects in the schemas to pull, and the objects elsewhere that those depend on.
fn select(request: &Request<'_>, dependencies: &Dependencies, found: Vec<Found>, tables: &Tables) -> Inventory {
    let found = without_what_fails(dependencies, found, tables);
    let mut needed: BTreeSet<Node> = BTreeSet::new();
    for node in tables.values() {
        needed.extend(dependencies.of(node));
    }
    // Everything in the pulled schemas is listed; from other schemas, only what it depends on.
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
        let is_in_schema = is_in_schema(request, &found);
        let is_inexpressible = request.inexpressible.iter().any(|inexpressible| is_it(request, inexpressible, &found));
        let only_if_inexpressible =
            ["foreign key", "primary key", "index", "check", "exclusion constraint"].contains(&found.kind.as_str());
        // No schema creates a view, so its statement is always needed.
        let is_view = found.kind.ends_with("view");
        if !(is_needed || is_pulled && (!is_in_schema || is_view)) || (only_if_inexpressible && !is_inexpressible) {
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
            needs_no_warning: is_in_schema || is_inexpressible,
            is_needed,
        });
    }
    // The schema creates enums itself. An enum that a statement depends on has to exist before.
    let before: BTreeSet<Node> = items
        .iter()
        .filter(|item| !item.needs_no_warning && item.phase == Phase::Before && item.statement.is_some())
        .flat_map(|item| dependencies.of(&item.node))
        .collect();
    items.retain(|item| item.kind != "enum" || !item.needs_no_warning || before.contains(&item.node));
    items.sort_by_key(|item| item.phase);
    Inventory {
        items: in_order(dependencies, items),
        schemas: schemas.into_iter().filter(|schema| schema != "public").collect(),
        ..Inventory::default()
    }
}

/// Removes the statements that depend on a table which neither the schema nor another statement creates: a partition, a
/// foreign table, a table of another schema.
fn without_what_fails(dependencies: &Dependencies, mut found: Vec<Found>, tables: &Tables) -> Vec<Found> {
    let mut made: BTreeSet<Node> = tables.values().cloned().collect();
    made.extend(found.iter().filter(|found| found.statement.is_some()).map(|found| found.node.clone()));
    loop {
        let before = made.len();
        for found in found.iter_mut().filter(|found| found.statement.is_some()) {
            // A comment depends on the object itself.
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

/// Returns whether the schema declares it: an enum or a view.
fn is_in_schema(request: &Request<'_>, found: &Found) -> bool {
    let Some((schema, name)) = found.owner.as_deref().and_then(|owner| owner.split_once('\u{1}')) else { return false };
    let name = ObjectName::new(Some(schema).filter(|schema| request.unqualified != Some(*schema)), name);
    request.state.enums.iter().any(|ty| ty.name == name) || request.views.contains(&name)
}

/// Returns whether a row is the part of a table that the language cannot express.
fn is_it(request: &Request<'_>, inexpressible: &Inexpressible, found: &Found) -> bool {
    let schema = inexpressible.table.schema.as_deref().or(request.unqualified).unwrap_or_default();
    let name = format!("{} on {schema}.{}", inexpressible.name, inexpressible.table.name);
    found.owner.as_deref() == Some(name.as_str()) && inexpressible.kind == found.kind
}

/// Sorts the items so that each comes after its dependencies. Cycles are left as they are: PostgreSQL has none that
/// statements could not create.
fn in_order(dependencies: &Dependencies, items: Vec<Item>) -> Vec<Item> {
    let places: BTreeMap<Node, usize> = items.iter().enumerate().map(|(at, item)| (item.node.clone(), at)).collect();
    let mut sorted = Vec::with_capacity(items.len());
    let mut done = vec![false; items.len()];
    // Iterative, because a chain of views may be long.
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
