//! A database for one test, and the names of databases on a server.
//!
//! A name says what the database is for and when it was created (`relata_test_<prefix>_<time>_<random>`,
//! `relata_template_<hash>`, `relata_shared_<hash>`). Leftovers of killed processes are therefore recognized, and nothing else is ever dropped.

use crate::url;
use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

const TEST: &str = "relata_test_";
pub(crate) const TEMPLATE: &str = "relata_template_";
const SHARED: &str = "relata_shared_";
const TIME_LENGTH: usize = 8;
const RANDOM_LENGTH: usize = 12;

/// A test that runs longer than this may lose its database if it has no open connection.
const TEST_LIFETIME: Duration = Duration::from_secs(6 * 3600);
/// Templates and shared databases are created again when they are needed, so this only limits how many accumulate.
pub(crate) const TEMPLATE_LIFETIME: Duration = Duration::from_secs(3 * 24 * 3600);

/// Lists the databases of this crate that have no connections, with the comment that holds the time of a template or
/// shared database.
pub(crate) const LEFTOVERS: &str = "SELECT d.datname, shobj_description(d.oid, 'pg_database') FROM pg_database d \
    WHERE d.datname LIKE 'relata\\_%' \
    AND NOT EXISTS (SELECT FROM pg_stat_activity a WHERE a.datid = d.oid)";

/// A database for a test. It is dropped together with this value, unless it is
/// [shared](crate::DevDb::shared_database).
///
/// Dropping it closes all connections to it.
pub struct TestDatabase {
    name: String,
    url: String,
    /// Dropping this drops the database.
    _life: Box<dyn Send + Sync>,
}

impl TestDatabase {
    pub(crate) fn new(name: String, url: String, life: Box<dyn Send + Sync>) -> Self {
        TestDatabase { name, url, _life: life }
    }

    /// Returns the URL to connect to, including the password. Use it for programs, not for messages (see
    /// [`redact_url`](crate::redact_url)).
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Returns the database's name on its server. On the embedded engine, where each database has its own server, the
    /// name is always the same.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Lets the sessions of [`url`](Self::url) begin as `role`, which must exist: for tests of privileges and of row
    /// security, which do not apply to the superuser to whom the database belongs.
    ///
    /// ```no_run
    /// # fn main() -> Result<(), relata_devdb::Error> {
    /// let database = relata_devdb::DevDb::start()?.create_database("roles")?.with_role("app");
    /// assert!(database.url().contains("role"));
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn with_role(mut self, role: &str) -> Self {
        self.url = url::with_role(&self.url, role);
        self
    }
}

impl fmt::Debug for TestDatabase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TestDatabase").field("url", &crate::redact_url(&self.url)).finish()
    }
}

/// Returns a name for a new database: lower-case ASCII, so that it never needs quotes.
pub(crate) fn test_name(prefix: &str) -> String {
    let prefix: String = prefix
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '_' })
        .take(63 - TEST.len() - TIME_LENGTH - RANDOM_LENGTH - 2)
        .collect();
    let random = uuid::Uuid::new_v4().simple().to_string();
    format!("{TEST}{prefix}_{:08x}_{}", now().as_secs(), &random[..RANDOM_LENGTH])
}

/// Returns the name of the template for `key`, which is the same in every process.
pub(crate) fn template_name(key: &str) -> String {
    format!("{TEMPLATE}{}", hash(key))
}

/// Returns the name of the database for `key` that all processes share.
pub(crate) fn shared_name(key: &str) -> String {
    format!("{SHARED}{}", hash(key))
}

fn hash(key: &str) -> String {
    use sha2::{Digest, Sha256};
    Sha256::digest(key.as_bytes()).iter().take(12).map(|byte| format!("{byte:02x}")).collect()
}

/// Returns the comment of a template or shared database that is created now.
pub(crate) fn time_comment() -> String {
    format!("made by relata-devdb at {}", now().as_secs())
}

/// Whether an unused database was left behind by a process that died, or is an old template or shared database.
pub(crate) fn is_leftover(name: &str, comment: Option<&str>) -> bool {
    let (made, lifetime) = match name.strip_prefix(TEST) {
        Some(rest) => (made_at(rest), TEST_LIFETIME),
        None if name.starts_with(TEMPLATE) || name.starts_with(SHARED) => {
            (comment.and_then(comment_time), TEMPLATE_LIFETIME)
        }
        None => return false,
    };
    made.is_some_and(|made| now().saturating_sub(made) > lifetime)
}

fn made_at(rest: &str) -> Option<Duration> {
    let (rest, random) = rest.rsplit_once('_')?;
    let (_, time) = rest.rsplit_once('_')?;
    let is_ours = random.len() == RANDOM_LENGTH && time.len() == TIME_LENGTH;
    is_ours.then(|| u64::from_str_radix(time, 16).ok().map(Duration::from_secs))?
}

fn comment_time(comment: &str) -> Option<Duration> {
    comment.strip_prefix("made by relata-devdb at ")?.parse().ok().map(Duration::from_secs)
}

fn now() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_fits_and_needs_no_quotes() {
        for prefix in ["", "a", "Über Ähnliches; DROP", &"x".repeat(200)] {
            let name = test_name(prefix);
            assert!(name.len() <= 63, "{name}");
            assert!(name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_'), "{name}");
            assert!(made_at(name.strip_prefix(TEST).unwrap_or_default()).is_some(), "{name}");
        }
        assert_ne!(test_name("a"), test_name("a"));
    }

    #[test]
    fn only_old_databases_of_ours_are_leftovers() {
        assert!(!is_leftover(&test_name("t"), None));
        assert!(is_leftover("relata_test_t_5f000000_0123456789ab", None));
        assert!(!is_leftover("relata_test_t_5f000000", None));
        assert!(!is_leftover("relata_test_data", None));
        assert!(!is_leftover("relata_production", None));
        assert!(!is_leftover("relata_template_00", None));
        assert!(!is_leftover("relata_template_00", Some(&time_comment())));
        assert!(!is_leftover("relata_shared_00", Some(&time_comment())));
        assert!(is_leftover("relata_shared_00", Some("made by relata-devdb at 1600000000")));
        assert!(is_leftover("relata_template_00", Some("made by relata-devdb at 1600000000")));
        assert!(!is_leftover("relata_template_00", Some("keep: 1600000000")));
    }
}
