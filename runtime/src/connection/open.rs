//! Opens connections: tries the hosts of a connection string one after another, until one is what
//! `target_session_attrs` asks for.

use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::task::JoinHandle;
use tokio_postgres::config::{Host, LoadBalanceHosts};
use tokio_postgres::{CancelToken, Config, Connection};

use super::cancel::cancel;
use super::credentials::{Login, PasswordSource};
use super::notices::MessageHooks;
use super::options::ConnectOptions;
use super::session_attrs::{ServerKind, SessionAttrs};
use super::tls::Connector;
use super::turns::InTurns;
use crate::error::{CONNECTING, Error, Result, from_connection};

/// Opens connections to the hosts of one connection string.
pub(crate) struct Opener {
    options: ConnectOptions,
    /// One for each host, with the settings that a session has from its start.
    hosts: Vec<Config>,
    attrs: SessionAttrs,
    password: Option<PasswordSource>,
    tls: Connector,
    /// In place of the connector, if client and server take turns.
    turns: Option<InTurns>,
    limit: Duration,
}

/// A connection, and the task that drives it until the connection is dropped.
pub(crate) type Opened = (tokio_postgres::Client, JoinHandle<()>);

impl Opener {
    pub(crate) fn new(options: &ConnectOptions) -> Result<Self> {
        let mut config = options.session_config()?;
        let tls = options.tls()?;
        let turns = options.in_turns().then(|| InTurns::instead_of(options.tls()?, &mut config)).transpose()?;
        let hosts = config.get_hosts().len();
        if config.get_ports().len() > 1 && config.get_ports().len() != hosts {
            return Err(Error::Config("the connection string has another number of ports than of hosts".to_owned()));
        }
        Ok(Self {
            hosts: (0..hosts).map(|at| only_host(&config, at)).collect(),
            attrs: options.session_attrs(),
            password: options.password.clone(),
            tls,
            turns,
            limit: options.connect_timeout(),
            options: options.clone(),
        })
    }

    /// Returns how long opening may take in all: each host has its own time.
    pub(crate) fn limit(&self) -> Duration {
        self.limit * u32::try_from(self.hosts.len()).unwrap_or(1)
    }

    #[allow(clippy::clone_on_copy, reason = "only the connector without TLS is `Copy`")]
    fn tls(&self) -> Connector {
        self.tls.clone()
    }

    /// Asks the server of a connection to cancel its statement, and waits until the server has taken the request.
    pub(super) async fn cancel(&self, token: &CancelToken) -> std::result::Result<(), tokio_postgres::Error> {
        match &self.turns {
            // The token has the settings of its connection.
            Some(turns) => cancel(token, &self.options, turns.clone()).await,
            None => cancel(token, &self.options, self.tls()).await,
        }
    }

    /// Opens a connection to the first host that fits.
    pub(crate) async fn open(&self) -> Result<Opened> {
        let mut reasons = Vec::new();
        let mut second_choice = None;
        for config in self.in_order() {
            let opened = tokio::time::timeout(self.limit, self.open_at(config));
            let reason = match opened.await {
                Ok(Ok((opened, None))) => return Ok(opened),
                Ok(Ok((opened, Some(reason)))) => {
                    if self.attrs.is_preference() {
                        second_choice = second_choice.or(Some(opened));
                    }
                    reason.to_owned()
                }
                Ok(Err(reason)) => reason,
                Err(_) if self.hosts.len() == 1 => {
                    return Err(Error::Timeout { what: CONNECTING, limit: self.limit });
                }
                Err(_) => format!("no answer within {:?}", self.limit),
            };
            reasons.push((config, reason));
        }
        second_choice.ok_or_else(|| self.explain(reasons))
    }

    /// The hosts in the order in which they are tried.
    fn in_order(&self) -> Vec<&Config> {
        let mut hosts: Vec<&Config> = self.hosts.iter().collect();
        let is_random = hosts.first().is_some_and(|host| host.get_load_balance_hosts() == LoadBalanceHosts::Random);
        if is_random && hosts.len() > 1 {
            let bytes = uuid::Uuid::new_v4();
            for (at, byte) in (1..hosts.len()).rev().zip(bytes.as_bytes().iter().cycle()) {
                hosts.swap(at, usize::from(*byte) % (at + 1));
            }
        }
        hosts
    }

    /// Opens a connection to one host; and why it does not fit, or the reason why there is none.
    async fn open_at(&self, config: &Config) -> Result<(Opened, Option<&'static str>), String> {
        let explain = |error: tokio_postgres::Error| self.options.connect_reason(&error);
        let mut with_password;
        let config = match &self.password {
            Some(source) => {
                let password = source.password(self.login(config)).await?;
                with_password = config.clone();
                with_password.password(password);
                &with_password
            }
            None => config,
        };
        let (client, task, told) = match &self.turns {
            Some(turns) => self.driven(config.connect(turns.clone()).await.map_err(explain)?),
            None => self.driven(config.connect(self.tls()).await.map_err(explain)?),
        };
        let refused = match (self.attrs, told) {
            (SessionAttrs::Any, _) => None,
            (attrs, Some(kind)) => attrs.refuses(kind),
            (attrs, None) => attrs.refuses(ServerKind::ask(&client).await.map_err(explain)?),
        };
        Ok(((client, task), refused))
    }

    /// Drives a connection in a task. Returns what the server has told of its kind, if that matters.
    fn driven<S, T>(
        &self,
        (client, connection): (tokio_postgres::Client, Connection<S, T>),
    ) -> (tokio_postgres::Client, JoinHandle<()>, Option<ServerKind>)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
        T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let told = match self.attrs {
            SessionAttrs::Any => None,
            _ => ServerKind::told(|name| connection.parameter(name)),
        };
        let hooks = self.options.told.clone();
        let task = tokio::spawn(async move {
            let ended = match hooks.is_empty() {
                true => connection.await,
                false => tell(connection, &hooks).await,
            };
            if let Err(error) = ended {
                tracing::warn!(reason = %from_connection(&error), "connection to PostgreSQL ended");
            }
        });
        (client, task, told)
    }

    fn login(&self, config: &Config) -> Login {
        let (host, port) = address(config);
        let user = config.get_user().unwrap_or_default().to_owned();
        Login { host, port, user, database: self.options.database_name().to_owned() }
    }

    fn explain(&self, mut reasons: Vec<(&Config, String)>) -> Error {
        let reason = match reasons.as_mut_slice() {
            [(_, reason)] => std::mem::take(reason),
            _ => {
                let each = reasons.iter().map(|(config, reason)| {
                    let (host, port) = address(config);
                    format!("{host}:{port}: {reason}")
                });
                each.collect::<Vec<_>>().join("; ")
            }
        };
        Error::Connect { target: self.options.target(), reason }
    }
}

/// Drives a connection until it ends, and passes on what the server says.
async fn tell<S, T>(
    mut connection: Connection<S, T>,
    hooks: &MessageHooks,
) -> std::result::Result<(), tokio_postgres::Error>
where
    S: AsyncRead + AsyncWrite + Unpin,
    T: AsyncRead + AsyncWrite + Unpin,
{
    while let Some(message) = std::future::poll_fn(|context| connection.poll_message(context)).await {
        hooks.tell(message?);
    }
    Ok(())
}

/// The host and port of settings for one host.
fn address(config: &Config) -> (String, u16) {
    let host = match config.get_hosts().first() {
        Some(Host::Tcp(name)) => name.clone(),
        #[cfg(unix)]
        Some(Host::Unix(path)) => path.display().to_string(),
        None => String::new(),
    };
    (host, config.get_ports().first().copied().unwrap_or(5432))
}

/// Returns the same settings for one of the hosts. The driver has no function that removes the others.
fn only_host(config: &Config, at: usize) -> Config {
    let mut one = Config::new();
    if let Some(user) = config.get_user() {
        one.user(user);
    }
    if let Some(password) = config.get_password() {
        one.password(password);
    }
    if let Some(name) = config.get_dbname() {
        one.dbname(name);
    }
    if let Some(options) = config.get_options() {
        one.options(options);
    }
    if let Some(name) = config.get_application_name() {
        one.application_name(name);
    }
    if let Some(limit) = config.get_connect_timeout() {
        one.connect_timeout(*limit);
    }
    if let Some(limit) = config.get_tcp_user_timeout() {
        one.tcp_user_timeout(*limit);
    }
    if let Some(interval) = config.get_keepalives_interval() {
        one.keepalives_interval(interval);
    }
    if let Some(retries) = config.get_keepalives_retries() {
        one.keepalives_retries(retries);
    }
    one.keepalives(config.get_keepalives()).keepalives_idle(config.get_keepalives_idle());
    one.ssl_mode(config.get_ssl_mode()).ssl_negotiation(config.get_ssl_negotiation());
    one.channel_binding(config.get_channel_binding()).load_balance_hosts(config.get_load_balance_hosts());
    match config.get_hosts().get(at) {
        Some(Host::Tcp(name)) => drop(one.host(name)),
        #[cfg(unix)]
        Some(Host::Unix(path)) => drop(one.host_path(path)),
        None => {}
    }
    if let Some(address) = config.get_hostaddrs().get(at) {
        one.hostaddr(*address);
    }
    if let Some(port) = config.get_ports().get(at).or(config.get_ports().first()) {
        one.port(*port);
    }
    one
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_host_keeps_every_setting() {
        let text = "host=a,b,c hostaddr=10.0.0.1,10.0.0.2,10.0.0.3 port=1,2,3 user=u password=p dbname=d \
                    application_name=n options='-c geqo=off' connect_timeout=3 tcp_user_timeout=4 keepalives=0 \
                    keepalives_idle=5 keepalives_interval=6 keepalives_retries=7 channel_binding=require \
                    load_balance_hosts=random sslmode=require";
        let all: Config = text.parse().expect("is right");
        let wanted = text.replace("a,b,c", "b").replace("1,2,3", "2").replace("10.0.0.1,10.0.0.2,10.0.0.3", "10.0.0.2");
        let wanted: Config = wanted.parse().expect("is right");
        assert_eq!(only_host(&all, 1), wanted);
    }
}
