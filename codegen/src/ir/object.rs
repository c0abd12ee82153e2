//! Objects that are written in SQL: functions, procedures, triggers, policies, domains, composite types and sequences.

use std::ops::Range;

/// An object of `sql/**/*.sql`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SqlObject {
    /// What it is.
    pub target: ObjectTarget,
    /// Its name, as PostgreSQL folds it.
    pub name: String,
    /// The statement that creates it, without a semicolon.
    pub sql: String,
    /// Where `OR REPLACE` belongs in the statement: behind `CREATE`.
    pub replace_at: usize,
    /// Whether the statement has `OR REPLACE`.
    pub replaces: bool,
    /// Where the statement names the function or the procedure, or the table of a trigger or a policy.
    pub name_at: Range<usize>,
}

/// What an object is, and what identifies it besides its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ObjectTarget {
    /// A function.
    Function(ObjectSignature),
    /// A procedure.
    Procedure(ObjectSignature),
    /// A trigger of a table or a view.
    Trigger {
        /// The schema of the table.
        namespace: Option<String>,
        /// The table.
        table: String,
    },
    /// A policy of a table.
    Policy {
        /// The schema of the table.
        namespace: Option<String>,
        /// The table.
        table: String,
    },
    /// A domain.
    Domain {
        /// Its schema.
        namespace: Option<String>,
        /// What it consists of.
        parts: TypeParts,
    },
    /// A composite type.
    Composite {
        /// Its schema.
        namespace: Option<String>,
        /// Its attributes.
        parts: TypeParts,
    },
    /// A sequence that no column owns.
    Sequence {
        /// Its schema.
        namespace: Option<String>,
        /// All of its options.
        options: String,
    },
}

/// What a domain or a composite type consists of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TypeParts {
    /// What cannot change in place: the type that a domain is based on, with its collation.
    pub shape: String,
    /// What changes on its own, by name: the default, the constraints of a domain (`default`, `not null`, `check NAME`), the
    /// attributes of a composite type.
    pub parts: Vec<(String, String)>,
}

/// The signature of a function or a procedure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectSignature {
    /// Its schema.
    pub namespace: Option<String>,
    /// The types of the arguments that a call passes: `integer`, `text[]`.
    pub inputs: Vec<String>,
    /// What `CREATE OR REPLACE` cannot change: names, modes and types of all arguments, the number of defaults, and the
    /// result.
    pub shape: String,
    /// Where the body of a function begins that is SQL without quotes. PostgreSQL records what such a body uses.
    pub body_at: Option<usize>,
    /// Where the part ends that names types: arguments and result.
    pub types_end: usize,
}

impl SqlObject {
    /// Returns the signature of a function or a procedure.
    pub fn signature(&self) -> Option<&ObjectSignature> {
        match &self.target {
            ObjectTarget::Function(signature) | ObjectTarget::Procedure(signature) => Some(signature),
            _ => None,
        }
    }

    /// Returns the schema that the statement names for the object, or for the table that it belongs to.
    pub fn namespace(&self) -> Option<&str> {
        match &self.target {
            ObjectTarget::Function(signature) | ObjectTarget::Procedure(signature) => signature.namespace.as_deref(),
            ObjectTarget::Trigger { namespace, .. }
            | ObjectTarget::Policy { namespace, .. }
            | ObjectTarget::Domain { namespace, .. }
            | ObjectTarget::Composite { namespace, .. }
            | ObjectTarget::Sequence { namespace, .. } => namespace.as_deref(),
        }
    }

    /// Returns the schema and the name of the table of a trigger or a policy.
    pub fn table(&self) -> Option<(Option<&str>, &str)> {
        match &self.target {
            ObjectTarget::Trigger { namespace, table } | ObjectTarget::Policy { namespace, table } => {
                Some((namespace.as_deref(), table))
            }
            _ => None,
        }
    }

    /// Returns its kind in PostgreSQL's terms: `function`, `composite type`.
    pub fn kind(&self) -> &'static str {
        match &self.target {
            ObjectTarget::Function(_) => "function",
            ObjectTarget::Procedure(_) => "procedure",
            ObjectTarget::Trigger { .. } => "trigger",
            ObjectTarget::Policy { .. } => "policy",
            ObjectTarget::Domain { .. } => "domain",
            ObjectTarget::Composite { .. } => "composite type",
            ObjectTarget::Sequence { .. } => "sequence",
        }
    }

    /// Returns what identifies it among objects of its kind: `total(integer)`, `audit on orders`.
    pub fn identity(&self) -> String {
        let ident = relata_pgsql::ident_if_needed;
        let qualified = |namespace: Option<&str>, name: &str| match namespace {
            Some(namespace) => format!("{}.{}", ident(namespace), ident(name)),
            None => ident(name),
        };
        match (self.signature(), self.table()) {
            (Some(signature), _) => {
                let name = qualified(signature.namespace.as_deref(), &self.name);
                format!("{name}({})", signature.inputs.join(","))
            }
            (None, Some((namespace, table))) => format!("{} on {}", ident(&self.name), qualified(namespace, table)),
            (None, None) => qualified(self.namespace(), &self.name),
        }
    }
}
