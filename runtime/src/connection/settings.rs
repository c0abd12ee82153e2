//! Settings of PostgreSQL for the statements of a client: the tenant, for row security, and those that a program adds
//! with `with_setting`.
//!
//! They are set inside the transaction and end with it, so they also work through poolers and leave nothing on a
//! connection. A statement outside a transaction is wrapped in one. Everything is sent together with the statement, so
//! there is no additional round trip.

use std::borrow::Cow;
use std::sync::Arc;

use tokio_postgres::types::{ToSql, Type};

use super::pooled::PooledConnection;
use crate::value::Param;

/// The name of a setting. PostgreSQL reserves names with a dot for programs.
type Name = Cow<'static, str>;

const TENANT: &str = "relata.tenant";
const ACTOR: &str = "relata.actor";
const ACROSS_TENANTS: &str = "relata.across_tenants";
const SEARCH_PATH: &str = "search_path";

/// Settings and their values.
#[derive(Clone, Default, PartialEq)]
pub(crate) struct Settings {
    values: Vec<(Name, String)>,
    /// A comment that names the schemas, if they are set.
    mark: Option<Arc<str>>,
    /// The reason why they cannot be set, if there is one.
    refused: Option<&'static str>,
}

/// Does not show the values.
impl std::fmt::Debug for Settings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.values.iter().map(|(name, _)| name)).finish()
    }
}

const NO_TEXT: &str = "row security needs a tenant whose id is an integer, a text or a UUID";
const WRONG_SCHEMA: &str = "the name of a schema has 1 to 63 bytes";
const WRONG_NAME: &str = "the name of a custom setting consists of letters, digits and underscores and contains a dot, \
    such as `app.user`; names that begin with `relata.` are reserved for the client";

impl Settings {
    /// Adds the tenant whose rows PostgreSQL shows. The session may show those of all tenants, because of its role or
    /// because another program left it so on a connection of a pooler, so that is turned off, too.
    pub(crate) fn of_tenant(&self, key: &Param) -> Self {
        let mut settings = self.without(&[TENANT, ACROSS_TENANTS]);
        settings.values.push((ACROSS_TENANTS.into(), "off".to_owned()));
        match key {
            Param::Uuid(id) => settings.values.push((TENANT.into(), id.to_string())),
            Param::Int(id) => settings.values.push((TENANT.into(), id.to_string())),
            Param::Text(id) => settings.values.push((TENANT.into(), id.clone())),
            _ => settings.refused = Some(NO_TEXT),
        }
        settings
    }

    /// Adds the setting that lets PostgreSQL show the rows of all tenants.
    pub(crate) fn across_tenants(&self) -> Self {
        let mut settings = self.without(&[TENANT, ACROSS_TENANTS]);
        settings.values.push((ACROSS_TENANTS.into(), "on".to_owned()));
        settings
    }

    /// Adds who changes rows.
    pub(crate) fn acting_as(&self, actor: String) -> Self {
        let mut settings = self.without(&[ACTOR]);
        settings.values.push((ACTOR.into(), actor));
        settings
    }

    /// Adds a custom setting of the program.
    pub(crate) fn with(&self, name: &str, value: String) -> Self {
        let is_word = |word: &str| {
            !word.is_empty()
                && !word.starts_with(|letter: char| letter.is_ascii_digit())
                && word.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_')
        };
        let is_own = name.get(..7).is_some_and(|start| start.eq_ignore_ascii_case("relata."));
        let mut settings = self.without(&[name]);
        if is_own || !name.contains('.') || !name.split('.').all(is_word) {
            settings.refused = Some(WRONG_NAME);
        }
        settings.values.push((Cow::Owned(name.to_owned()), value));
        settings
    }

    /// These, and the schemas in which tables without a schema of their own are found.
    pub(crate) fn in_schemas<'n>(&self, schemas: impl IntoIterator<Item = &'n str>) -> Self {
        let mut settings = self.without(&[SEARCH_PATH]);
        let schemas: Vec<&str> = schemas.into_iter().collect();
        let is_name = |name: &&str| (1..=63).contains(&name.len()) && !name.contains('\0');
        if schemas.is_empty() || !schemas.iter().all(is_name) {
            settings.refused = Some(WRONG_SCHEMA);
            return settings;
        }
        let path: Vec<String> = schemas.iter().map(|name| relata_pgsql::ident(name)).collect();
        let path = path.join(", ");
        settings.mark = Some(mark(&schemas).into());
        settings.values.push((SEARCH_PATH.into(), path));
        settings
    }

    /// A comment to distinguish the texts of statements. In other schemas, PostgreSQL gives the same text other tables and
    /// types, but a prepared statement keeps those for which it was prepared, and poolers know statements by their texts.
    pub(super) fn mark(&self) -> Option<&str> {
        self.mark.as_deref()
    }

    fn without(&self, names: &[&str]) -> Self {
        let values = self.values.iter().filter(|(name, _)| !names.iter().any(|other| name.eq_ignore_ascii_case(other)));
        Self { values: values.cloned().collect(), mark: self.mark.clone(), refused: self.refused }
    }

    /// Returns the reason why they cannot be set, if there is one.
    pub(super) fn refused(&self) -> Option<&'static str> {
        self.refused
    }
}

/// Writes everything but letters, digits and `_` as a number, so that no name ends the comment.
fn mark(schemas: &[&str]) -> String {
    let mut mark = String::from("\n/* in");
    for schema in schemas {
        mark.push(' ');
        for letter in schema.chars() {
            match letter {
                letter if letter.is_ascii_alphanumeric() || letter == '_' => mark.push(letter),
                other => mark.push_str(&format!("\\{:x};", u32::from(other))),
            }
        }
    }
    mark.push_str(" */");
    mark
}

/// What a transaction has set so far.
#[derive(Debug, Default)]
pub(super) struct Current {
    /// The current settings. `None` if they are unknown: rolling back a savepoint also undoes settings.
    now: Option<Option<Arc<Settings>>>,
    /// The names of all settings that were ever set in the transaction.
    names: Vec<Name>,
}

impl Current {
    /// Returns the state of a transaction in which nothing was set.
    pub(super) fn none() -> Self {
        Self { now: Some(None), names: Vec::new() }
    }

    /// Returns whether anything was set.
    pub(super) fn is_in_use(&self) -> bool {
        !self.names.is_empty()
    }

    /// Records that some settings may have been undone.
    pub(super) fn forget(&mut self) {
        self.now = None;
    }

    /// Returns the change after which exactly these settings are in effect, or `None` if they already are. The caller
    /// must send the change next.
    pub(super) fn change_to(&mut self, wanted: Option<&Arc<Settings>>) -> Option<Change> {
        if self.now.as_ref().is_some_and(|now| now.as_ref() == wanted) {
            return None;
        }
        let wanted_values = wanted.map(|settings| settings.values.as_slice()).unwrap_or_default();
        let is_wanted = |name: &Name| wanted_values.iter().any(|(other, _)| other == name);
        let emptied = self.names.iter().filter(|name| !is_wanted(name)).map(|name| (name.clone(), String::new()));
        let values: Vec<(Name, String)> = emptied.chain(wanted_values.iter().cloned()).collect();
        for (name, _) in wanted_values {
            if !self.names.contains(name) {
                self.names.push(name.clone());
            }
        }
        self.now = Some(wanted.cloned());
        (!values.is_empty()).then_some(Change { values })
    }
}

/// Settings to set.
pub(super) struct Change {
    values: Vec<(Name, String)>,
}

impl Change {
    /// Returns the change for the settings that a transaction begins with.
    pub(super) fn first(settings: &Settings) -> Self {
        Self { values: settings.values.clone() }
    }

    /// Sets them until the transaction ends.
    pub(super) async fn send(&self, connection: &PooledConnection) -> Result<(), tokio_postgres::Error> {
        let calls = (0..self.values.len()).map(|at| format!("set_config(${}, ${}, true)", 2 * at + 1, 2 * at + 2));
        let sql = format!("SELECT {}", calls.collect::<Vec<_>>().join(", "));
        let params = self.values.iter().flat_map(|(name, value)| {
            [(name as &(dyn ToSql + Sync), Type::TEXT), (value as &(dyn ToSql + Sync), Type::TEXT)]
        });
        let params: Vec<_> = params.collect();
        Box::pin(connection.query_typed(&sql, &params)).await.map(drop)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(change: Option<Change>) -> Vec<(String, String)> {
        change.map(|change| change.values).unwrap_or_default().into_iter().map(|(a, b)| (a.into_owned(), b)).collect()
    }

    #[test]
    fn a_transaction_sets_only_what_does_not_hold_yet() {
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let mut current = Current::none();
        assert!(sent(current.change_to(None)).is_empty());
        let north = Arc::new(Settings::default().of_tenant(&Param::Int(7)));
        let of_north = [pair(ACROSS_TENANTS, "off"), pair(TENANT, "7")];
        assert_eq!(sent(current.change_to(Some(&north))), of_north);
        assert!(sent(current.change_to(Some(&north))).is_empty());
        let all = Arc::new(north.across_tenants());
        assert_eq!(sent(current.change_to(Some(&all))), [pair(TENANT, ""), pair(ACROSS_TENANTS, "on")]);
        current.forget();
        assert_eq!(sent(current.change_to(Some(&north))), of_north);
        assert_eq!(sent(current.change_to(None)), [pair(ACROSS_TENANTS, ""), pair(TENANT, "")]);
    }

    #[test]
    fn schemas_are_quoted_and_mark_the_text() {
        let settings = Settings::default().in_schemas(["north", "Sou\"th*/"]);
        assert_eq!(settings.values, [("search_path".into(), "\"north\", \"Sou\"\"th*/\"".to_owned())]);
        assert_eq!(settings.mark(), Some("\n/* in north Sou\\22;th\\2a;\\2f; */"));
        let both = settings.of_tenant(&Param::Int(7)).in_schemas(["south"]);
        assert_eq!((both.values.len(), both.mark()), (3, Some("\n/* in south */")));
        for wrong in [&[][..], &[""], &["a\0b"], &["a", &"x".repeat(64)]] {
            assert_eq!(
                Settings::default().in_schemas(wrong.iter().copied()).refused(),
                Some(WRONG_SCHEMA),
                "{wrong:?}"
            );
        }
    }

    #[test]
    fn settings_of_a_program_are_its_own() {
        let settings = |name: &str| Settings::default().with(name, String::new());
        for name in ["app.user", "a.b.c", "my_app.user_1"] {
            assert_eq!(settings(name).refused(), None, "{name}");
        }
        for name in
            ["role", "row_security", "relata.tenant", "Relata.across_tenants", "a.", ".b", "a b.c", "1.a", "a.'x"]
        {
            assert_eq!(settings(name).refused(), Some(WRONG_NAME), "{name}");
        }
        let of_tenant = settings("app.user").of_tenant(&Param::Int(7));
        assert_eq!(format!("{of_tenant:?}"), r#"["app.user", "relata.across_tenants", "relata.tenant"]"#);
    }
}
