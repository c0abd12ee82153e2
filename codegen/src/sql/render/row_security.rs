//! Row security and policies as SQL.

use crate::sql::policy;
use crate::sql::quote::{ident, literal, qualified};
use crate::sql::state::{ObjectName, Policy, PolicyCondition};

/// The statement after which the session sees the rows of all tenants.
pub(super) const SHOW_ALL_TENANTS: &str = "SELECT set_config('relata.across_tenants', 'on', false)";

/// Returns a `CREATE POLICY` statement.
pub(super) fn create_policy(table: &ObjectName, policy: &Policy) -> String {
    let kind = if policy.permissive { "" } else { " AS RESTRICTIVE" };
    let command = if policy.command == "ALL" { String::new() } else { format!(" FOR {}", policy.command) };
    let roles = match policy.roles.as_slice() {
        [] => String::new(),
        roles => format!(" TO {}", roles.iter().map(|role| ident(role)).collect::<Vec<_>>().join(", ")),
    };
    let clause = |word: &str, condition: &Option<PolicyCondition>| match condition {
        Some(condition) => format!("\n  {word} ({})", policy::condition(condition, table)),
        None => String::new(),
    };
    format!(
        "CREATE POLICY {} ON {}{kind}{command}{roles}{}{}",
        ident(&policy.name),
        qualified(table),
        clause("USING", &policy.using),
        clause("WITH CHECK", &policy.check)
    )
}

/// Returns the statement that disables row security if the table has no policies.
pub(super) fn disable_without_policies(table: &ObjectName) -> String {
    let table = qualified(table);
    format!(
        "DO $relata$ BEGIN
  IF NOT EXISTS (SELECT FROM pg_policy WHERE polrelid = {}::regclass) THEN
    ALTER TABLE {table} DISABLE ROW LEVEL SECURITY;
  END IF;
END $relata$",
        literal(&table)
    )
}

/// Returns the actions of `ALTER TABLE` that enable, disable, force or no longer force row security.
pub(super) fn switches(previous: (bool, bool), next: (bool, bool)) -> Vec<String> {
    let enabled = match (previous.0, next.0) {
        (false, true) => Some("ENABLE ROW LEVEL SECURITY"),
        (true, false) => Some("DISABLE ROW LEVEL SECURITY"),
        _ => None,
    };
    let forced = match (previous.1, next.1) {
        (false, true) => Some("FORCE ROW LEVEL SECURITY"),
        (true, false) => Some("NO FORCE ROW LEVEL SECURITY"),
        _ => None,
    };
    enabled.into_iter().chain(forced).map(str::to_owned).collect()
}
