//! The objects of a database that are not part of its tables: functions, views, triggers, policies, privileges, comments
//! and everything else that `pg_dump` writes.

use std::collections::BTreeMap;
use std::ops::Range;

use super::ObjectName;

/// What identifies an object in a database.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ObjectKey {
    /// Its kind in PostgreSQL's terms: `function`.
    pub kind: String,
    /// Its name among objects of its kind: `total(integer)`, `audit on orders`.
    pub name: String,
}

impl std::fmt::Display for ObjectKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.kind, self.name)
    }
}

/// An object, as the SQL that makes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CatalogObject {
    /// What identifies it.
    pub key: ObjectKey,
    /// How PostgreSQL describes it: `trigger audit on table orders`.
    pub described: String,
    /// The statements that create it; `None` if it is only compared.
    pub create: Option<String>,
    /// The statement that drops it.
    pub drop: String,
    /// What can only change by dropping and creating it. May contain a secret if it is only compared.
    pub shape: String,
    /// The statements that overwrite an object of the same shape.
    pub replace: Option<String>,
    /// What can change one by one, in an object of the same shape.
    pub parts: Vec<CatalogPart>,
    /// What a schema says of it. More may belong to it in a database.
    pub managed: Option<Managed>,
    /// The statement that gives it to its owner again. Owners are not compared.
    pub restore: Option<String>,
    /// What has to exist as long as it does.
    pub needs: Vec<Need>,
    /// What it is dropped with.
    pub owner: Option<Need>,
    /// How PostgreSQL treats it when what it needs changes, and when it is created.
    pub nature: Nature,
}

/// An object that a schema has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Managed {
    /// A view.
    View(ViewInSchema),
    /// A function, a procedure, a trigger or a policy.
    Object(ObjectInSchema),
}

impl Managed {
    /// Returns the view, if it is one.
    pub fn view(&self) -> Option<&ViewInSchema> {
        match self {
            Managed::View(view) => Some(view),
            Managed::Object(_) => None,
        }
    }
}

/// A function, a procedure, a trigger or a policy of `sql/**/*.sql`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectInSchema {
    /// `function`, `procedure`, `trigger` or `policy`.
    pub kind: &'static str,
    /// The function, or the table of a trigger or a policy.
    pub relation: ObjectName,
    /// Its name.
    pub name: String,
    /// What follows its kind in `DROP` and `COMMENT ON`.
    pub identity: String,
    /// The statement that creates it.
    pub sql: String,
    /// Where the statement names the function or the table.
    pub relation_at: Range<usize>,
}

/// A view of a schema. Its privileges, comments, triggers and rules are only known in the database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ViewInSchema {
    /// Its name.
    pub name: ObjectName,
    /// Its query.
    pub query: String,
    /// Its options: `security_invoker=true`.
    pub options: Vec<String>,
    /// The names of the indexes that the schema declares.
    pub indexes: Vec<String>,
    /// The names of its triggers in `sql/**/*.sql`.
    pub triggers: Vec<String>,
}

/// A part of an object that is added, changed and dropped by a statement of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CatalogPart {
    /// Its name among the parts.
    pub name: String,
    /// Its definition.
    pub text: String,
    /// The statement that adds it.
    pub add: String,
    /// The statement that drops it.
    pub drop: String,
    /// The statement that changes a part of the same name into it; without it, that part is dropped and this one added.
    pub change: Option<String>,
}

/// How an object behaves, in the order of creation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Nature {
    /// A schema: everything else is inside.
    Space,
    /// A type, a function, a server: tables may need it.
    Base,
    /// A view. A new one may take the place of another one, if its first columns are the same.
    View,
    /// An index, or another part of a relation that is dropped with what it is made of.
    Part,
    /// A trigger, a rule or a policy: its columns cannot change under it.
    Guard,
    /// A comment, privileges, a setting: whatever happens, it is set again.
    Note,
}

/// Something that an object needs.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Need {
    /// Another object.
    Object(ObjectKey),
    /// A table, or the type of its rows.
    Table(ObjectName),
    /// A column of a table.
    Column(ObjectName, String),
    /// A key, a constraint or an index of a table.
    Part(ObjectName, String),
    /// An enum.
    Enum(ObjectName),
    /// A sequence of a column.
    Sequence(ObjectName),
    /// An extension.
    Extension(String),
}

impl Need {
    /// Returns the table that it is, or is part of.
    pub fn table(&self) -> Option<&ObjectName> {
        match self {
            Need::Table(table) | Need::Column(table, _) | Need::Part(table, _) => Some(table),
            _ => None,
        }
    }
}

/// A part of a table that needs an object.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum User {
    /// The default of a column.
    Default(ObjectName, String),
    /// A key or a constraint.
    Constraint(ObjectName, String),
    /// An index.
    Index(ObjectName, String),
    /// A column, by its type, its collation or its expression.
    Column(ObjectName, String),
    /// The table itself: its partition key, or its type.
    Table(ObjectName),
}

impl User {
    /// Returns the table.
    pub fn table(&self) -> &ObjectName {
        match self {
            User::Default(table, _)
            | User::Constraint(table, _)
            | User::Index(table, _)
            | User::Column(table, _)
            | User::Table(table) => table,
        }
    }

    fn table_mut(&mut self) -> &mut ObjectName {
        match self {
            User::Default(table, _)
            | User::Constraint(table, _)
            | User::Index(table, _)
            | User::Column(table, _)
            | User::Table(table) => table,
        }
    }
}

impl std::fmt::Display for User {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            User::Default(table, column) => write!(f, "default of {table}.{column}"),
            User::Constraint(table, name) => write!(f, "constraint {name} on {table}"),
            User::Index(table, name) => write!(f, "index {name} on {table}"),
            User::Column(table, column) => write!(f, "table {table} (column {column})"),
            User::Table(table) => write!(f, "table {table}"),
        }
    }
}

/// That a part of a table needs an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Usage {
    /// The part.
    pub user: User,
    /// The object.
    pub object: ObjectKey,
    /// The statement that drops the part; `None` if that would lose rows.
    pub release: Option<String>,
}

/// The objects of a database.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Catalog {
    /// The objects.
    pub objects: Vec<CatalogObject>,
    /// What tables need of them.
    pub usages: Vec<Usage>,
    /// What the bodies of functions name that PostgreSQL does not know about: it is created before them.
    pub mentions: BTreeMap<ObjectKey, Vec<ObjectKey>>,
    /// The privileges on each of them, and on tables, sequences and enums.
    pub acls: Vec<Acl>,
    /// Who gets privileges on new objects, or loses the usual ones.
    pub default_grants: Vec<DefaultGrant>,
}

/// All privileges on an object, also those that every object of its kind has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Acl {
    /// The object.
    pub object: Need,
    /// PostgreSQL's letter for its kind among the default privileges: `r` for tables and views.
    pub kind: String,
    /// Its schema; `None` for the current one.
    pub schema: Option<String>,
    /// Its kind and its name in `GRANT`.
    pub target: (String, String),
    /// The role that owns it.
    pub holder: String,
    /// The roles with privileges, and the statements that grant them.
    pub grants: BTreeMap<String, String>,
}

impl Acl {
    /// Returns what identifies the privileges of a role.
    pub(in crate::sql) fn key_of(&self, role: &str) -> ObjectKey {
        let (word, name) = (self.target.0.to_lowercase(), &self.target.1);
        let role = if role == self.holder { "its owner" } else { role };
        ObjectKey { kind: "privileges".to_owned(), name: format!("on {word} {name} of {role}") }
    }
}

/// That default privileges say something about a role and new objects of a kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DefaultGrant {
    /// PostgreSQL's letter for the kind of the objects.
    pub kind: String,
    /// The schema of the objects, which is `None` for the current one; `None` for every schema.
    pub place: Option<Option<String>>,
    /// The role.
    pub role: String,
}
impl Catalog {
    /// Lets everything that names a table follow its rename.
    pub(in crate::sql) fn rename_table(&mut self, from: &ObjectName, to: &ObjectName) {
        let rename = |name: &mut ObjectName| {
            if name == from {
                *name = to.clone();
            }
        };
        for need in self.needs_mut() {
            match need {
                Need::Table(table) | Need::Column(table, _) | Need::Part(table, _) => rename(table),
                _ => {}
            }
        }
        self.usages.iter_mut().map(|usage| usage.user.table_mut()).for_each(rename);
        // Triggers and policies stay with their table.
        let (before, after) = (format!(" on {}", from.printed()), format!(" on {}", to.printed()));
        let owner = Some(Need::Table(to.clone()));
        let of_table = |object: &&mut CatalogObject| object.nature == Nature::Guard && object.owner == owner;
        for object in self.objects.iter_mut().filter(of_table) {
            if let Some(name) = object.key.name.strip_suffix(&before) {
                object.key.name = format!("{name}{after}");
            }
        }
    }

    /// Lets everything that names a column follow its rename.
    pub(in crate::sql) fn rename_column(&mut self, table: &ObjectName, from: &str, to: &str) {
        for need in self.needs_mut() {
            if let Need::Column(owner, column) = need
                && owner == table
                && column == from
            {
                to.clone_into(column);
            }
        }
        for usage in &mut self.usages {
            if let User::Default(owner, column) | User::Column(owner, column) = &mut usage.user
                && owner == table
                && column == from
            {
                to.clone_into(column);
            }
        }
    }

    /// Lets everything that names an enum follow its rename.
    pub(in crate::sql) fn rename_enum(&mut self, from: &ObjectName, to: &ObjectName) {
        for need in self.needs_mut() {
            if let Need::Enum(name) = need
                && name == from
            {
                *name = to.clone();
            }
        }
    }

    fn needs_mut(&mut self) -> impl Iterator<Item = &mut Need> {
        self.objects.iter_mut().flat_map(|object| object.needs.iter_mut().chain(&mut object.owner))
    }
}
