//! Connection strings, TLS and connections: everything before the first query.
//!
//! Accepts a URL or a key-value string as libpq does, including `sslmode=verify-full` and `sslrootcert`, and Prisma's
//! settings in URLs (`schema`, `connection_limit`, `pool_timeout`, `statement_cache_size`, `pgbouncer`).

mod text;

use std::str::FromStr;
use std::time::Duration;

use tokio_postgres::config::{Host, SslMode};

use super::credentials::PasswordSource;
use super::notices::{MessageHooks, NoticeHook, NotificationHook};
use super::open::Opener;
use super::pooler;
use super::session_attrs::SessionAttrs;
use super::tls::{ClientCertificate, Connector, Tls, connector};
use crate::error::{Error, Result};
use crate::telemetry::Server;

/// The default time limit for connecting.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// What to do about a database that does not exist.
const MISSING_DATABASE: &str = "; create it first: createdb, or CREATE DATABASE";

/// Returns whether this is PgBouncer's message about a missing database. It gives all errors of connecting one code.
fn is_missing_at_pooler(message: &str) -> bool {
    message.starts_with("no such database") || (message.starts_with("database ") && message.ends_with("does not exist"))
}

/// How to reach a database: the parsed connection string.
#[derive(Clone)]
pub struct ConnectOptions {
    pub(crate) config: tokio_postgres::Config,
    tls: Tls,
    root_certificate: Option<String>,
    /// `sslcert` and `sslkey`.
    certificate: Option<ClientCertificate>,
    /// `target_session_attrs`, if it was given.
    session_attrs: Option<SessionAttrs>,
    /// Where passwords come from, if not from the connection string.
    pub(crate) password: Option<PasswordSource>,
    /// Called with what the server says besides its answers.
    pub(super) told: MessageHooks,
    /// `connection_limit` of the URL.
    pub(crate) pool_size: Option<usize>,
    /// `statement_cache_size` of the URL.
    pub(crate) statement_cache_size: Option<usize>,
    /// `pool_timeout` of the URL.
    pub(crate) pool_timeout: Option<Duration>,
    /// `schema` of the URL.
    schema: Option<String>,
    statement_timeout: Option<Duration>,
    /// Whether a pooler in transaction mode is in between: start-up options do not reach the server, and statements
    /// have no names.
    through_pooler: bool,
    /// Whether rows are inserted where they would be copied.
    without_copy: bool,
    /// Whether nothing is sent before the server has answered.
    in_turns: bool,
}

impl std::fmt::Debug for ConnectOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ConnectOptions({})", self.target())
    }
}

impl FromStr for ConnectOptions {
    type Err = Error;

    /// # Errors
    /// If the text is not a connection string. The message does not repeat it.
    fn from_str(text: &str) -> Result<Self> {
        let mut settings = Settings::default();
        let text = text.trim();
        let rest = settings.take_from(text)?;
        let mut config: tokio_postgres::Config = rest.parse().map_err(|error| text::explain(&error))?;
        text::check_target(&config)?;
        if config.get_hosts().is_empty() {
            return Err(Error::Config(
                "the connection string names no host; it looks like postgresql://user:password@host:5432/database"
                    .to_owned(),
            ));
        }
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(CONNECT_TIMEOUT);
        }
        let tls = settings.apply_tls(&mut config)?;
        let certificate = settings.certificate()?;
        Ok(Self {
            config,
            tls,
            root_certificate: settings.root_certificate,
            certificate,
            session_attrs: settings.session_attrs,
            password: None,
            told: MessageHooks::default(),
            pool_size: settings.pool_size,
            pool_timeout: settings.pool_timeout,
            statement_cache_size: settings.statement_cache_size,
            schema: settings.schema,
            statement_timeout: None,
            through_pooler: settings.through_pooler,
            without_copy: settings.without_copy,
            in_turns: settings.in_turns,
        })
    }
}

/// Settings that tokio-postgres does not read.
#[derive(Debug, Default)]
struct Settings {
    ssl_mode: Option<String>,
    root_certificate: Option<String>,
    certificate: Option<String>,
    key: Option<String>,
    session_attrs: Option<SessionAttrs>,
    schema: Option<String>,
    pool_size: Option<usize>,
    pool_timeout: Option<Duration>,
    statement_cache_size: Option<usize>,
    /// `pgbouncer=true`: start-up options do not reach the server.
    through_pooler: bool,
    /// `copy=false`: rows are inserted instead of copied.
    without_copy: bool,
    /// `pipeline=false`: nothing is sent before the server has answered.
    in_turns: bool,
}

impl Settings {
    /// Takes its settings out of a URL or a key-value string, and returns the rest.
    fn take_from(&mut self, text: &str) -> Result<String> {
        if let Some(url) = text::url_of(text)? {
            let mut kept = Vec::new();
            for pair in url.query.split('&').filter(|pair| !pair.is_empty()) {
                let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
                if !self.take(key, &percent_decode(value))? {
                    kept.push(pair);
                }
            }
            return Ok(url.with_options(&kept));
        }
        let mut kept = Vec::new();
        for pair in text.split_whitespace() {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            if !self.take(key, value.trim_matches('\''))? {
                kept.push(pair);
            }
        }
        // Only the driver can read a quoted value with spaces, so then nothing can be removed from the text.
        Ok(if text.contains('\'') { text.to_owned() } else { kept.join(" ") })
    }

    fn take(&mut self, key: &str, value: &str) -> Result<bool> {
        match key {
            "sslmode" => self.ssl_mode = Some(value.to_owned()),
            "sslrootcert" => self.root_certificate = Some(value.to_owned()),
            "sslcert" => self.certificate = Some(value.to_owned()),
            "sslkey" => self.key = Some(value.to_owned()),
            "target_session_attrs" => self.session_attrs = Some(SessionAttrs::parse(value)?),
            "schema" => self.schema = Some(value.to_owned()),
            "connection_limit" => self.pool_size = Some(number(key, value)?),
            "pool_timeout" => self.pool_timeout = Some(Duration::from_secs(number(key, value)? as u64)),
            "pgbouncer" => self.through_pooler = value == "true",
            "copy" => self.without_copy = value == "false",
            "pipeline" => self.in_turns = value == "false",
            "statement_cache_size" => self.statement_cache_size = Some(number(key, value)?),
            // Settings of Prisma that have no effect here.
            "sslaccept" | "socket_timeout" | "sslidentity" | "sslpassword" => {}
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn certificate(&self) -> Result<Option<ClientCertificate>> {
        match (self.certificate.clone(), self.key.clone()) {
            (Some(certificate), Some(key)) => Ok(Some(ClientCertificate { certificate, key })),
            (None, None) => Ok(None),
            (certificate, _) => {
                let (there, missing) =
                    if certificate.is_some() { ("sslcert", "sslkey") } else { ("sslkey", "sslcert") };
                Err(Error::Config(format!(
                    "the connection string has {there}, and {missing} is missing: name both files"
                )))
            }
        }
    }

    fn apply_tls(&self, config: &mut tokio_postgres::Config) -> Result<Tls> {
        let (mode, tls) = match self.ssl_mode.as_deref() {
            None | Some("prefer" | "allow") => (SslMode::Prefer, Tls::Unverified),
            Some("disable") => (SslMode::Disable, Tls::Unverified),
            // As in libpq, a root certificate is used if there is one.
            Some("require") if self.root_certificate.is_some() => (SslMode::Require, Tls::VerifyCa),
            Some("require") => (SslMode::Require, Tls::Unverified),
            Some("verify-ca") => (SslMode::Require, Tls::VerifyCa),
            Some("verify-full") => (SslMode::Require, Tls::VerifyFull),
            Some(_) => {
                return Err(Error::Config(
                    "the sslmode in the connection string is not known: use disable, prefer, require, verify-ca or \
                     verify-full"
                        .to_owned(),
                ));
            }
        };
        config.ssl_mode(mode);
        Ok(tls)
    }
}

/// Sets a parameter of the session from its start.
fn push_option(config: &mut tokio_postgres::Config, setting: &str) {
    let before = config.get_options().map_or_else(String::new, |options| format!("{options} "));
    config.options(format!("{before}-c {setting}"));
}

fn number(key: &str, value: &str) -> Result<usize> {
    value.parse().map_err(|_| Error::Config(format!("{key} in the connection string must be a whole number")))
}

/// Decodes escapes such as `%2F` in a URL's value. Other text stays as it is.
fn percent_decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let escape = (*first == b'%').then(|| tail.get(..2)).flatten();
        let decoded = escape.and_then(|hex| u8::from_str_radix(std::str::from_utf8(hex).ok()?, 16).ok());
        bytes.push(decoded.unwrap_or(*first));
        rest = if decoded.is_some() { &tail[2..] } else { tail };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Escapes spaces and backslashes in a value of `options`.
fn escape_option(value: &str) -> String {
    value.replace('\\', "\\\\").replace(' ', "\\ ")
}

impl ConnectOptions {
    /// Sets how long a statement may run before PostgreSQL ends it.
    pub fn statement_timeout(&mut self, limit: Duration) -> &mut Self {
        self.statement_timeout = Some(limit);
        self
    }

    /// Declares that a pooler in transaction mode is in between, as `pgbouncer=true` in the URL does.
    pub fn through_pooler(&mut self) -> &mut Self {
        self.through_pooler = true;
        self
    }

    /// Sets the certificate that the client shows to the server, and its private key: names of PEM files.
    pub fn client_certificate(&mut self, certificate: &str, key: &str) -> &mut Self {
        let (certificate, key) = (certificate.to_owned(), key.to_owned());
        self.certificate = Some(ClientCertificate { certificate, key });
        self
    }

    /// Makes `copy_in` insert its rows, as `copy=false` in the URL does: for poolers that do not pass on COPY.
    pub fn without_copy(&mut self) -> &mut Self {
        self.without_copy = true;
        self
    }

    /// Makes each message wait for the answer to the one before, as `pipeline=false` in the URL does: for poolers that do not
    /// follow a client that sends ahead.
    pub fn without_pipeline(&mut self) -> &mut Self {
        self.in_turns = true;
        self
    }

    pub(super) fn in_turns(&self) -> bool {
        self.in_turns
    }

    pub(crate) fn copies(&self) -> bool {
        !self.without_copy
    }

    /// Returns whether a pooler in transaction mode was declared: with [`through_pooler`](Self::through_pooler), or with
    /// `pgbouncer=true` in the connection string.
    pub fn is_through_pooler(&self) -> bool {
        self.through_pooler
    }

    /// Returns the driver's settings, including those that a session has from its start.
    pub(crate) fn session_config(&self) -> Result<tokio_postgres::Config> {
        let mut config = self.config.clone();
        if self.through_pooler {
            let not_passed_on = [
                (self.schema.is_some(), "`schema`", "search_path"),
                (self.statement_timeout.is_some(), "`statement_timeout`", "statement_timeout"),
            ];
            if let Some((_, what, setting)) = not_passed_on.into_iter().find(|(wanted, ..)| *wanted) {
                return Err(Error::Config(format!(
                    "{what} cannot be set through a pooler in transaction mode: give it to the role, \
                     ALTER ROLE name SET {setting} = ..., or leave pgbouncer=true out"
                )));
            }
            return Ok(config);
        }
        for (name, value) in self.session_settings() {
            push_option(&mut config, &format!("{name}={}", escape_option(&value)));
        }
        Ok(config)
    }

    /// Returns the settings that the client gives a session at its start.
    fn session_settings(&self) -> Vec<(&'static str, String)> {
        let mut settings = Vec::new();
        if let Some(schema) = &self.schema {
            settings.push(("search_path", relata_pgsql::ident(schema)));
        }
        if let Some(limit) = self.statement_timeout {
            settings.push(("statement_timeout", limit.as_millis().to_string()));
        }
        if !self.config.get_options().unwrap_or_default().to_ascii_lowercase().contains("timezone") {
            // Columns without a time zone hold UTC, even if the server writes CURRENT_TIMESTAMP into them.
            settings.push(("TimeZone", "UTC".to_owned()));
        }
        settings
    }

    /// Returns the statements that give a session these settings again after `RESET ALL`. A server's own session has
    /// them then; one that a pooler keeps for several clients has the server's.
    pub(crate) fn settings_again(&self) -> String {
        let set = |(name, value): (&str, String)| {
            let value = if name == "search_path" { value } else { relata_pgsql::literal(&value) };
            format!("; SET {name} TO {value}")
        };
        self.session_settings().into_iter().map(set).collect()
    }

    /// Returns the time limit for connecting.
    pub(crate) fn connect_timeout(&self) -> Duration {
        self.config.get_connect_timeout().copied().unwrap_or(CONNECT_TIMEOUT)
    }

    /// Returns the server's address for traces: the first host, its port, and the database.
    pub(crate) fn server(&self) -> Server {
        let host = match self.config.get_hosts().first() {
            Some(Host::Tcp(name)) => name.clone(),
            #[cfg(unix)]
            Some(Host::Unix(path)) => path.display().to_string(),
            None => String::new(),
        };
        let port = self.config.get_ports().first().copied().unwrap_or(5432);
        Server::new(host, port, self.database_name().to_owned())
    }

    /// Returns the database to connect to.
    pub(crate) fn database_name(&self) -> &str {
        self.config.get_dbname().or(self.config.get_user()).unwrap_or("postgres")
    }

    /// Returns host, port and database for messages, without the password.
    pub fn target(&self) -> String {
        let hosts: Vec<String> = self
            .config
            .get_hosts()
            .iter()
            .enumerate()
            .map(|(index, host)| {
                let ports = self.config.get_ports();
                let port = ports.get(index).or(ports.first()).copied().unwrap_or(5432);
                match host {
                    Host::Tcp(name) => format!("{name}:{port}"),
                    #[cfg(unix)]
                    Host::Unix(path) => format!("{} (port {port})", path.display()),
                }
            })
            .collect();
        format!("{}/{}", hosts.join(","), self.database_name())
    }

    /// Returns the database's name, if the connection string has one.
    pub fn database(&self) -> Option<&str> {
        self.config.get_dbname()
    }

    /// Returns the options for another database on the same server.
    pub fn with_database(mut self, name: &str) -> Self {
        self.config.dbname(name);
        self
    }

    /// Returns the TLS connector for the sslmode.
    pub(crate) fn tls(&self) -> Result<Connector> {
        let (mode, root) = (self.config.get_ssl_mode(), self.root_certificate.as_deref());
        connector(mode, self.tls, root, self.certificate.as_ref().filter(|_| mode != SslMode::Disable))
    }

    /// Explains why connecting failed, and what to do.
    pub(super) fn connect_reason(&self, error: &tokio_postgres::Error) -> String {
        match error.as_db_error() {
            Some(database) => {
                let refused = database.message().contains(pooler::REFUSED_OPTION);
                let hint = match database.code().code() {
                    "28P01" | "28000" => "; check user and password in the connection string",
                    "3D000" => MISSING_DATABASE,
                    "08P01" if is_missing_at_pooler(database.message()) => MISSING_DATABASE,
                    "53300" => "; the server's max_connections are in use",
                    "57P03" => "; the server is starting or stopping: try again",
                    // With pgbouncer=true, the client adds none, so it comes from the connection string.
                    _ if refused && self.through_pooler => {
                        "; a pooler refuses it: leave it out of the connection string, and give the setting to the \
                         role instead, ALTER ROLE name SET .."
                    }
                    _ if refused => "; a pooler refuses it: add pgbouncer=true to the connection string",
                    _ => "",
                };
                format!("{} (SQLSTATE {}){hint}", database.message(), database.code().code())
            }
            None => {
                let mut reasons = vec![error.to_string()];
                let mut source = std::error::Error::source(error);
                while let Some(inner) = source {
                    reasons.push(inner.to_string());
                    source = inner.source();
                }
                reasons.dedup();
                let text = reasons.join(": ");
                let hint = if text.contains("refused") || text.contains("No such file") {
                    "; is the server running, and are host and port right?"
                } else if text.contains("tls") || text.contains("TLS") || text.contains("certificate") {
                    "; check sslmode, sslrootcert and sslcert"
                } else {
                    ""
                };
                format!("{text}{hint}")
            }
        }
    }

    /// Returns what a server must be for a session to be opened on it. Of several hosts, libpq takes any by default.
    /// Here it is one that writes: a program that names the servers of a cluster means its primary.
    pub(super) fn session_attrs(&self) -> SessionAttrs {
        let several = self.config.get_hosts().len() > 1;
        self.session_attrs.unwrap_or(if several { SessionAttrs::ReadWrite } else { SessionAttrs::Any })
    }

    /// Returns these options for a connection that has to be at the primary: of several hosts, it goes to no other.
    pub(super) fn at_primary(&self) -> Self {
        let several = self.config.get_hosts().len() > 1;
        let wanted = match self.session_attrs() {
            SessionAttrs::ReadWrite => SessionAttrs::ReadWrite,
            _ => SessionAttrs::Primary,
        };
        Self { session_attrs: if several { Some(wanted) } else { self.session_attrs }, ..self.clone() }
    }

    /// Calls `hook` with each notification.
    pub(super) fn with_notifications(mut self, hook: NotificationHook) -> Self {
        self.told.notifications = Some(hook);
        self
    }

    /// Declares that these are the servers of a replica. Of several hosts, it takes one that is a standby.
    pub(crate) fn prefer_replica(&mut self) {
        if self.session_attrs.is_none() && self.config.get_hosts().len() > 1 {
            self.session_attrs = Some(SessionAttrs::Standby);
        }
    }

    /// Calls `hook` with each notice and warning that the server sends: what `RAISE NOTICE` and `RAISE WARNING` print, and
    /// what PostgreSQL itself tells, such as that a table exists already.
    /// Without a hook, the driver writes them to the `log` crate.
    ///
    /// The hook is called by the task that drives the connection, which waits for it.
    ///
    /// ```
    /// let mut options: relata::ConnectOptions = "postgres://planner@localhost/exams".parse()?;
    /// options.on_notice(|notice| eprintln!("{}: {}", notice.severity(), notice.message()));
    /// # Ok::<(), relata::Error>(())
    /// ```
    pub fn on_notice(&mut self, hook: impl Fn(&tokio_postgres::error::DbError) + Send + Sync + 'static) -> &mut Self {
        self.told.notices = Some(NoticeHook(std::sync::Arc::new(hook)));
        self
    }

    /// Opens a connection outside of any pool, and drives it in a task.
    ///
    /// For migrations and tools, whose session state and locks must not be shared. Give it the address of the server
    /// itself: a pooler in transaction mode is refused. To notice one, it opens a second connection for a moment. Of several
    /// hosts, it takes one that writes, unless the connection string has a `target_session_attrs`.
    ///
    /// # Errors
    /// [`Error::Connect`], also for a pooler in transaction mode; [`Error::Config`]; and [`Error::Timeout`] if the server
    /// does not answer.
    pub async fn connect_direct(&self) -> Result<tokio_postgres::Client> {
        if self.through_pooler {
            return Err(pooler::refusal(self.target()));
        }
        let opener = Opener::new(self)?;
        let (client, _) = opener.open().await.map_err(|error| match &error {
            Error::Connect { reason, .. } if reason.contains(pooler::REFUSED_OPTION) => pooler::refusal(self.target()),
            _ => error,
        })?;
        match pooler::shares_sessions(&client, &opener).await? {
            true => Err(pooler::refusal(self.target())),
            false => Ok(client),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_of_libpq_and_prisma_are_understood() {
        let options: ConnectOptions =
            "postgresql://me:secret@db.example:6543/exams?sslmode=verify-full&schema=app&connection_limit=7&application_name=x"
                .parse()
                .expect("is right");
        assert_eq!(options.tls, Tls::VerifyFull);
        assert_eq!(options.pool_size, Some(7));
        assert_eq!(options.target(), "db.example:6543/exams");
        assert_eq!(options.config.get_application_name(), Some("x"));
        let config = options.session_config().expect("can be set");
        assert_eq!(config.get_options(), Some("-c search_path=\"app\" -c TimeZone=UTC"));
        assert!(!format!("{options:?}").contains("secret"));
    }

    #[test]
    fn a_connection_of_several_hosts_can_be_bound_to_the_primary() {
        let attrs = |text: &str| text.parse::<ConnectOptions>().expect("is right").at_primary().session_attrs();
        assert_eq!(attrs("postgres://a,b/d"), SessionAttrs::ReadWrite);
        assert_eq!(attrs("postgres://a,b/d?target_session_attrs=any"), SessionAttrs::Primary);
        assert_eq!(attrs("postgres://a,b/d?target_session_attrs=prefer-standby"), SessionAttrs::Primary);
        assert_eq!(attrs("postgres://a/d"), SessionAttrs::Any);
    }

    #[test]
    fn a_wrong_string_is_explained_without_repeating_it() {
        for text in ["", "nonsense secret", "postgresql://me:secret@h/db?sslmode=always", "postgres://h:secret/db"] {
            let error = text.parse::<ConnectOptions>().expect_err("is wrong").to_string();
            assert!(!error.contains("secret"), "{error}");
            assert!(error.contains("connection string") || error.contains("sslmode"), "{error}");
        }
    }
}
