//! Checks the text of a connection string before the driver reads it. Errors never quote a part of it.
//!
//! A password that is not escaped ends in the wrong place, and the text after it is taken for a host, a database or an
//! option. So a string in which that may have happened is refused: the supposed host or database would be shown later.

use tokio_postgres::Config;
use tokio_postgres::config::Host;

use crate::error::{Error, Result};

const EXAMPLE: &str = "it looks like postgresql://user:password@host:5432/database?sslmode=prefer";

const ESCAPE: &str = "in the user and the password write % as %25, @ as %40, : as %3A, / as %2F, ? as %3F and # as %23";

/// Options of the driver, in both formats of a connection string.
const OPTIONS: [&str; 21] = [
    "user",
    "password",
    "dbname",
    "options",
    "application_name",
    "host",
    "hostaddr",
    "port",
    "connect_timeout",
    "tcp_user_timeout",
    "keepalives",
    "keepalives_idle",
    "keepalives_interval",
    "keepalives_retries",
    "target_session_attrs",
    "channel_binding",
    "load_balance_hosts",
    "sslnegotiation",
    "sslmode",
    "sslcert",
    "sslkey",
];

fn wrong(reason: &str) -> Error {
    Error::Config(format!("the connection string is wrong: {reason}; {EXAMPLE}"))
}

/// The parts of a URL.
pub(super) struct Url<'t> {
    /// The part before the query: the scheme, the credentials, hosts and the database.
    pub(super) base: &'t str,
    pub(super) query: &'t str,
    has_credentials: bool,
}

impl<'t> Url<'t> {
    /// Splits a URL as libpq does: a password may contain `?`, and the query of a URL without credentials may contain
    /// `@`. Returns `None` for key-value pairs.
    fn of(text: &'t str) -> Option<Self> {
        let begin = text.find("://")? + 3;
        let rest = &text[begin..];
        let is_behind_path = |at: &usize| rest[..*at].split_once('?').is_some_and(|(path, _)| path.contains('/'));
        let at = rest.find('@').filter(|at| !is_behind_path(at));
        let place = begin + at.map_or(0, |at| at + 1);
        let end = text[place..].find('?').map_or(text.len(), |query| place + query);
        let query = text.get(end + 1..).unwrap_or_default();
        Some(Self { base: &text[..end], query, has_credentials: at.is_some() })
    }

    /// Returns the URL with other options. The driver takes the first `@` for the end of the credentials, wherever it is.
    pub(super) fn with_options(&self, options: &[&str]) -> String {
        let glue = if options.is_empty() { "" } else { "?" };
        let options = options.join("&");
        let options = if self.has_credentials { options } else { options.replace('@', "%40") };
        format!("{}{glue}{options}", self.base)
    }
}

/// Splits a URL, or refuses a text that is ambiguous. Returns `None` for key-value pairs.
pub(super) fn url_of(text: &str) -> Result<Option<Url<'_>>> {
    let scheme = text.split(|character: char| !character.is_ascii_alphanumeric()).next().unwrap_or_default();
    let Some(url) = Url::of(text) else {
        return if text[scheme.len()..].starts_with(':') {
            Err(wrong("a URL begins with postgresql://"))
        } else {
            Ok(None)
        };
    };
    if !text.starts_with("postgresql://") && !text.starts_with("postgres://") {
        // The rest may be the value of an option.
        let is_pair = text.split(['=', ' ']).next().is_some_and(is_option);
        return if is_pair { Ok(None) } else { Err(wrong("a URL begins with postgresql://")) };
    }
    if url.base.matches('@').count() > 1 {
        return Err(wrong(&format!("it has an `@` too many, as if one in the password were not escaped: {ESCAPE}")));
    }
    Ok(Some(url))
}

/// Returns whether the driver may know an option: its name is one of the usual ones.
fn is_option(name: &str) -> bool {
    OPTIONS.contains(&name)
}

/// Explains the driver's error, without the text that it quotes.
pub(super) fn explain(error: &tokio_postgres::Error) -> Error {
    let reason = std::error::Error::source(error).map_or_else(String::new, ToString::to_string);
    // `invalid value for option `port``: the name is one of the driver's options.
    let option = reason.strip_prefix("invalid value for option `").and_then(|name| name.strip_suffix('`'));
    match option.filter(|name| is_option(name)) {
        Some(name) => wrong(&format!("the value of {name} is not valid")),
        None if reason.starts_with("unknown option") => wrong(&format!(
            "it has an unknown option; perhaps a `?`, `&`, `=` or space in the password is not escaped: {ESCAPE}"
        )),
        None => wrong("it is neither a URL nor key=value pairs"),
    }
}

/// Refuses a host or database that no server has, because it may be a part of a password.
pub(super) fn check_target(config: &Config) -> Result<()> {
    let is_host = |name: &str| {
        !name.is_empty()
            && name
                .chars()
                .all(|character| character.is_alphanumeric() || matches!(character, '.' | '-' | '_' | ':' | '%'))
    };
    let strange = config.get_hosts().iter().any(|host| match host {
        Host::Tcp(name) => !is_host(name),
        #[cfg(unix)]
        Host::Unix(_) => false,
    });
    if strange {
        return Err(wrong(&format!("the host has invalid characters: {ESCAPE}")));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::connection::ConnectOptions;

    /// Marked parts of passwords: none of them may be seen, nor four characters of one.
    const PARTS: [&str; 2] = ["s3cret", "HUNTer2x"];

    /// Characters that mean something in a connection string, and some that do not.
    const BETWEEN: [&str; 23] = [
        "@",
        "@@",
        ":",
        "/",
        "//",
        "?",
        "#",
        "%",
        "%4",
        "%zz",
        "&",
        "=",
        " ",
        "'",
        "\"",
        "\\",
        "[",
        "]",
        ",",
        ";",
        "+",
        "?x=",
        "&sslmode=",
    ];

    const URLS: [&str; 20] = [
        "postgresql://app:{}@127.0.0.1/db",
        "postgresql://app:{}@127.0.0.1:1/db",
        "postgres://app:{}@127.0.0.1/db?sslmode=disable",
        "postgresql://app:{}@127.0.0.1",
        "postgresql://app:{}@127.0.0.1/",
        "postgresql://app:{}@[::1]:1/db",
        "postgresql://app:{}@127.0.0.1,127.0.0.2/db",
        "postgresql://{}@127.0.0.1/db",
        "postgresql://{}:app@127.0.0.1/db",
        "mysql://app:{}@127.0.0.1/db",
        "postgresql:/app:{}@127.0.0.1/db",
        "postgresql:app:{}@127.0.0.1/db",
        "app:{}@127.0.0.1/db",
        "//app:{}@127.0.0.1/db",
        "postgresql://app@127.0.0.1/db?password={}",
        "postgresql://app@127.0.0.1/db?password={}&sslmode=disable",
        "postgresql://127.0.0.1/db?user=app&password={}",
        "postgresql://app:{}@127.0.0.1/db?sslmode=always",
        "postgresql://app:{}@127.0.0.1:port/db",
        "jdbc:postgresql://app:{}@127.0.0.1/db",
    ];

    const PAIRS: [&str; 8] = [
        "host=127.0.0.1 user=app password={} dbname=db",
        "host=127.0.0.1 password='{}' dbname=db",
        "password={}",
        "password={} host=127.0.0.1 sslmode=always",
        "host=127.0.0.1 password={} port=port",
        "host = 127.0.0.1 password = {} dbname = db",
        "host=127.0.0.1 pasword={}",
        "host=127.0.0.1,password={}",
    ];

    fn shown(text: &str) -> Vec<String> {
        match text.parse::<ConnectOptions>() {
            Ok(options) => vec![options.target(), format!("{options:?}")],
            Err(error) => vec![error.to_string(), format!("{error:?}")],
        }
    }

    #[test]
    fn no_part_of_a_password_is_shown() {
        let [first, second] = PARTS;
        let passwords = BETWEEN.iter().flat_map(|between| {
            [
                format!("{first}{between}{second}"),
                format!("{first}{second}{between}"),
                format!("{between}{first}{second}"),
            ]
        });
        let parts: Vec<&str> = PARTS.iter().flat_map(|part| (0..=part.len() - 4).map(|at| &part[at..at + 4])).collect();
        let mut tried = 0;
        for password in passwords {
            for text in URLS.iter().chain(&PAIRS).map(|form| form.replace("{}", &password)) {
                tried += 1;
                for shown in shown(&text) {
                    let part = parts.iter().find(|part| shown.contains(*part));
                    assert_eq!(part, None, "{text} is shown as {shown}");
                }
            }
        }
        assert!(tried > 1_900, "{tried}");
    }

    #[test]
    fn what_is_right_is_taken() {
        for text in [
            "postgresql://app:s%40cret@127.0.0.1:5432/db?sslmode=disable&application_name=a@b",
            "postgresql://app:p/q@localhost/db",
            "postgresql://app:p?q#r@localhost/db?sslmode=disable",
            "postgresql://localhost/db?application_name=a@b",
            "postgresql://localhost",
            "postgresql://localhost:5433/db?user=app",
            "postgres://a,b:5433/db",
            "postgresql://app@[::1]:5432/db",
            "postgresql://app@%2Fvar%2Frun/db",
            "postgresql:///db?host=/var/run/postgresql",
            "postgresql://xn--bcher-kva.example/db",
            "host=/tmp user=app dbname='a b'",
            "host=localhost password='a b@c' port=5433",
        ] {
            assert!(text.parse::<ConnectOptions>().is_ok(), "{text}: {:?}", text.parse::<ConnectOptions>());
        }
    }

    #[test]
    fn the_reason_is_told() {
        for (text, reason) in [
            ("postgresql://a:b@c@d/e", "@ as %40"),
            ("mysql://a@b/c", "begins with postgresql://"),
            ("postgresql://a@b:x/c", "the value of port"),
            ("postgresql://a@b/c?sslmod=require", "an unknown option"),
            ("postgresql://a@b/c?sslmode=always", "use disable, prefer"),
            ("host=b password=x y", "connection string is wrong"),
        ] {
            let error = text.parse::<ConnectOptions>().expect_err("is wrong").to_string();
            assert!(error.contains(reason), "{text}: {error}");
        }
    }
}
