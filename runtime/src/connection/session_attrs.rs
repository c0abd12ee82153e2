//! Which of several hosts a connection may go to: `target_session_attrs`, as libpq 14 and later has it.

use tokio_postgres::SimpleQueryMessage;

use crate::error::{Error, Result};

/// What a server must be for a session to be opened on it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum SessionAttrs {
    #[default]
    Any,
    ReadWrite,
    ReadOnly,
    Primary,
    Standby,
    PreferStandby,
}

/// What a server says about itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ServerKind {
    pub(super) is_standby: bool,
    /// Whether transactions only read by default. Always on a standby.
    pub(super) is_read_only: bool,
}

impl SessionAttrs {
    pub(super) fn parse(value: &str) -> Result<Self> {
        match value {
            "any" => Ok(Self::Any),
            "read-write" => Ok(Self::ReadWrite),
            "read-only" => Ok(Self::ReadOnly),
            "primary" => Ok(Self::Primary),
            "standby" => Ok(Self::Standby),
            "prefer-standby" => Ok(Self::PreferStandby),
            _ => Err(Error::Config(
                "the target_session_attrs in the connection string is not known: use any, read-write, read-only, \
                 primary, standby or prefer-standby"
                    .to_owned(),
            )),
        }
    }

    /// Returns why a server does not fit; `None` if it does.
    pub(super) fn refuses(self, server: ServerKind) -> Option<&'static str> {
        match self {
            Self::ReadWrite if server.is_standby => Some("it is a standby, which does not write"),
            Self::ReadWrite if server.is_read_only => Some("its sessions are read-only"),
            Self::ReadOnly if !server.is_standby && !server.is_read_only => Some("it is not read-only"),
            Self::Primary if server.is_standby => Some("it is a standby"),
            Self::Standby | Self::PreferStandby if !server.is_standby => Some("it is not a standby"),
            _ => None,
        }
    }

    /// Whether a server that does not fit is taken if no other does.
    pub(super) fn is_preference(self) -> bool {
        self == Self::PreferStandby
    }
}

/// The question to servers before PostgreSQL 14, and to poolers, which do not say it when a session starts.
const ASK: &str = "SELECT pg_catalog.pg_is_in_recovery(), pg_catalog.current_setting('transaction_read_only')";

impl ServerKind {
    /// Reads what a server of PostgreSQL 14 or later says when a session starts.
    pub(super) fn told<'p>(parameter: impl Fn(&str) -> Option<&'p str>) -> Option<Self> {
        let (is_standby, is_read_only) =
            (parameter("in_hot_standby")? == "on", parameter("default_transaction_read_only")? == "on");
        Some(Self { is_standby, is_read_only: is_standby || is_read_only })
    }

    /// Asks for it.
    pub(super) async fn ask(client: &tokio_postgres::Client) -> Result<Self, tokio_postgres::Error> {
        let answer = client.simple_query(ASK).await?;
        let row = answer.iter().find_map(|message| match message {
            SimpleQueryMessage::Row(row) => Some(row),
            _ => None,
        });
        let is = |at: usize, yes: &str| row.is_some_and(|row| row.get(at) == Some(yes));
        let is_standby = is(0, "t");
        Ok(Self { is_standby, is_read_only: is_standby || is(1, "on") })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_value_takes_the_servers_that_libpq_takes() {
        let primary = ServerKind { is_standby: false, is_read_only: false };
        let frozen = ServerKind { is_standby: false, is_read_only: true };
        let standby = ServerKind { is_standby: true, is_read_only: true };
        for (value, takes) in [
            ("any", [true, true, true]),
            ("read-write", [true, false, false]),
            ("read-only", [false, true, true]),
            ("primary", [true, true, false]),
            ("standby", [false, false, true]),
            ("prefer-standby", [false, false, true]),
        ] {
            let attrs = SessionAttrs::parse(value).expect("is known");
            assert_eq!([primary, frozen, standby].map(|server| attrs.refuses(server).is_none()), takes, "{value}");
        }
        let unknown = SessionAttrs::parse("master").expect_err("is not known").to_string();
        assert!(unknown.contains("prefer-standby") && !unknown.contains("master"), "{unknown}");
    }

    #[test]
    fn a_standby_says_so_when_a_session_starts() {
        let told = |standby: &'static str, read_only: &'static str| {
            ServerKind::told(move |name| match name {
                "in_hot_standby" => Some(standby),
                "default_transaction_read_only" => Some(read_only),
                _ => None,
            })
        };
        assert_eq!(told("on", "off"), Some(ServerKind { is_standby: true, is_read_only: true }));
        assert_eq!(told("off", "on"), Some(ServerKind { is_standby: false, is_read_only: true }));
        assert_eq!(ServerKind::told(|_| None), None, "PostgreSQL 13 does not");
    }
}
