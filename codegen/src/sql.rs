//! The state of a database, and the migration from one state to another.
//!
//! Consists of text and data, and connects to no database. `lower` creates a [`State`] from a schema, introspection (in
//! the command) creates one from a database, [`diff`] compares any two, [`plan`] sorts the changes in an order that
//! PostgreSQL accepts, and [`render`] writes migration.sql.

mod audit;
mod cast;
mod catalog;
mod change;
mod codes;
mod data_type;
mod diff;
mod expression;
mod index_text;
mod intent;
mod language;
mod lint;
mod lower;
mod moment;
pub mod names;
mod normalize;
mod plan;
mod policy;
mod probe;
pub mod quote;
mod render;
mod state;

pub use audit::{audit_function, audit_function_settings, audit_policies};
pub use cast::Work;
pub use change::{AuditEdit, Belongings, CatalogChange, Change, Commented, Differs, Place, TableObject, Unmigrated};
pub use codes::{LINTS, Lint, LintSeverity, find_lint};
pub use data_type::DataType;
pub use diff::{DiffError, DiffOptions, Pair, ProbableRename, Rename, Side, UnappliedRename, diff, name_likeness};
pub use intent::{ColumnIntent, EnumIntent, Intent, LabelIntent, TableIntent};
pub use language::{Inexpressible, expressible, has_key, unique_sets};
pub use lint::{Finding, lint_foreign_key, lint_step};
pub use lower::lower;
pub use normalize::{below_domain, normal_comment, same_sql};
pub use plan::{
    Action, Alteration, ColumnSpec, Guard, Hazard, HazardKind, Lock, Plan, ShadowColumn, Step, Transaction,
    UniqueGuard, plan, plan_online,
};
pub use probe::{DroppedObject, Probe};
pub use render::{SEGMENT_OUTSIDE, SEGMENT_TRANSACTIONAL, SYNC_TRIGGER, render, summary};
pub use state::{
    ACROSS_TENANTS_POLICY, AUDIT, AUDIT_TRUNCATE, Acl, Audit, AuditLog, Catalog, CatalogObject, CatalogPart, Check,
    Column, ColumnDefault, ColumnGrant, ColumnOptions, ConstraintOptions, DefaultGrant, Deferrable, Distribution,
    EnumType, Exclusion, Extension, ForeignKey, Identity, Index, IndexPart, IndexTarget, Managed, Nature, Need,
    ObjectInSchema, ObjectKey, ObjectName, Other, OtherKind, PartitionKey, Policy, PolicyCondition, PrimaryKey,
    RowSecurity, Sequence, SequenceOptions, State, TENANT_POLICY, Table, TableOptions, TenantJoin, TenantWay,
    UniqueConstraint, Usage, Use, User, ViewInSchema,
};
