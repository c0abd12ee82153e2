//! Row security of a table: whether PostgreSQL checks which rows a session may see, and the policies.

use super::ObjectName;

/// The policy that shows a session the rows of its tenant.
pub const TENANT_POLICY: &str = "relata_tenant";

/// The policy that shows the rows of all tenants to a session that requests them with a setting.
pub const ACROSS_TENANTS_POLICY: &str = "relata_across_tenants";

/// Row security of a table.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RowSecurity {
    /// `ENABLE ROW LEVEL SECURITY`.
    pub enabled: bool,
    /// `FORCE ROW LEVEL SECURITY`: also applies to the table's owner.
    pub forced: bool,
    /// The policies that migrations create, in the order of their names.
    pub policies: Vec<Policy>,
    /// Whether `sql/**/*.sql` has policies for the table.
    pub has_files: bool,
    /// Whether the table has other policies, which migrations do not touch. Known only for a live database.
    pub has_others: bool,
}

/// A policy of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// Its name.
    pub name: String,
    /// Whether it is permissive: a row is visible if one of the permissive policies shows it, and no restrictive policy
    /// hides it.
    pub permissive: bool,
    /// The command that it applies to: `ALL`, `SELECT`, `INSERT`, `UPDATE` or `DELETE`.
    pub command: String,
    /// The roles that it applies to. An empty list means `PUBLIC`.
    pub roles: Vec<String>,
    /// The condition of visible rows.
    pub using: Option<PolicyCondition>,
    /// The condition of rows that may be written. Without it, `using` applies.
    pub check: Option<PolicyCondition>,
    /// The tables and columns that the conditions name.
    pub uses: Vec<(ObjectName, String)>,
}

/// The condition of a policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PolicyCondition {
    /// The row belongs to the tenant of the session, according to each of these paths.
    Tenant(Vec<TenantWay>),
    /// The session requested the rows of all tenants.
    AcrossTenants,
    /// The SQL that PostgreSQL prints.
    Sql(String),
}

/// The path from a row to its tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TenantWay {
    /// The tables of the path, in order, without the table of the row.
    pub joins: Vec<TenantJoin>,
    /// The column in the last table that contains the tenant.
    pub column: String,
    /// The type that the setting is cast to; empty for a text.
    pub cast: &'static str,
}

/// One table of the path to the tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TenantJoin {
    /// The columns of the table before it.
    pub from: Vec<String>,
    /// The table.
    pub table: ObjectName,
    /// The columns of this table, in the order of `from`.
    pub to: Vec<String>,
}

impl Policy {
    /// Returns the tables that the policy names.
    pub(in crate::sql) fn tables(&mut self) -> impl Iterator<Item = &mut ObjectName> {
        let Self { using, check, uses, .. } = self;
        let ways = using.iter_mut().chain(check).filter_map(PolicyCondition::ways).flatten();
        let joins = ways.flat_map(|way| &mut way.joins);
        joins.map(|join| &mut join.table).chain(uses.iter_mut().map(|(table, _)| table))
    }

    /// Returns the paths to the tenant in its conditions.
    pub(in crate::sql) fn ways(&mut self) -> impl Iterator<Item = &mut TenantWay> {
        self.using.iter_mut().chain(&mut self.check).filter_map(PolicyCondition::ways).flatten()
    }

    /// Creates a policy for all commands and all roles.
    pub(in crate::sql) fn new(name: &str, using: PolicyCondition, uses: Vec<(ObjectName, String)>) -> Self {
        Self {
            name: name.to_owned(),
            permissive: true,
            command: "ALL".to_owned(),
            roles: Vec::new(),
            check: Some(using.clone()),
            using: Some(using),
            uses,
        }
    }
}

impl PolicyCondition {
    fn ways(&mut self) -> Option<&mut Vec<TenantWay>> {
        match self {
            PolicyCondition::Tenant(ways) => Some(ways),
            PolicyCondition::AcrossTenants | PolicyCondition::Sql(_) => None,
        }
    }
}

impl TenantWay {
    /// Returns the tables and columns of the path, which begins at `table`.
    pub(in crate::sql) fn uses(&self, table: &ObjectName) -> Vec<(ObjectName, String)> {
        let mut here = table;
        let mut uses = Vec::new();
        for join in &self.joins {
            uses.extend(join.from.iter().map(|column| (here.clone(), column.clone())));
            here = &join.table;
            uses.extend(join.to.iter().map(|column| (here.clone(), column.clone())));
        }
        uses.push((here.clone(), self.column.clone()));
        uses
    }
}
