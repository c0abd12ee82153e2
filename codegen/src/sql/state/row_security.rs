//! Row security of a table: whether PostgreSQL checks who sees which row, and its policies.

use super::ObjectName;

/// The policy that shows a session the rows of its tenant.
pub const TENANT_POLICY: &str = "relata_tenant";

/// The policy that shows the rows of all tenants to a session that asked for them.
pub const ACROSS_TENANTS_POLICY: &str = "relata_across_tenants";

/// Row security of a table.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RowSecurity {
    /// `ENABLE ROW LEVEL SECURITY`.
    pub enabled: bool,
    /// `FORCE ROW LEVEL SECURITY`: for the table's owner as well.
    pub forced: bool,
    /// The policies that migrations create, in the order of their names.
    pub policies: Vec<Policy>,
    /// The table has policies of others, which migrations leave alone. Only where a database was asked.
    pub has_others: bool,
}

/// A policy of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// Its name.
    pub name: String,
    /// One of several that show a row, or one that can only hide it.
    pub permissive: bool,
    /// What it is for: `ALL`, `SELECT`, `INSERT`, `UPDATE` or `DELETE`.
    pub command: String,
    /// The roles that it is for; none is `PUBLIC`.
    pub roles: Vec<String>,
    /// Which rows are seen.
    pub using: Option<PolicyCondition>,
    /// Which rows may be written; if there is none, `using` counts.
    pub check: Option<PolicyCondition>,
    /// The tables and columns that the conditions name.
    pub uses: Vec<(ObjectName, String)>,
}

/// The condition of a policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PolicyCondition {
    /// The row belongs to the tenant of the session, by each of these ways.
    Tenant(Vec<TenantWay>),
    /// The session asked for the rows of all tenants.
    AcrossTenants,
    /// As PostgreSQL prints it.
    Sql(String),
}

/// How the tenant of a row is found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TenantWay {
    /// The tables on the way, from the row on.
    pub joins: Vec<TenantJoin>,
    /// The column at the end of it.
    pub column: String,
    /// The type that the setting is cast to; empty for a text.
    pub cast: &'static str,
}

/// One table on the way to the tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TenantJoin {
    /// The columns of the table before.
    pub from: Vec<String>,
    /// The table.
    pub table: ObjectName,
    /// Its columns, in the order of the others.
    pub to: Vec<String>,
}

impl Policy {
    /// The tables that it names.
    pub(in crate::sql) fn tables(&mut self) -> impl Iterator<Item = &mut ObjectName> {
        let Self { using, check, uses, .. } = self;
        let ways = using.iter_mut().chain(check).filter_map(PolicyCondition::ways).flatten();
        let joins = ways.flat_map(|way| &mut way.joins);
        joins.map(|join| &mut join.table).chain(uses.iter_mut().map(|(table, _)| table))
    }

    /// The ways to the tenant that it names.
    pub(in crate::sql) fn ways(&mut self) -> impl Iterator<Item = &mut TenantWay> {
        self.using.iter_mut().chain(&mut self.check).filter_map(PolicyCondition::ways).flatten()
    }

    /// A policy for everything and everyone.
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
    /// The tables and columns that it names, beginning at a table.
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
