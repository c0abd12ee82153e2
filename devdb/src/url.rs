//! Connection URLs as text: hides the password, replaces the database.
//!
//! Accepts what a person writes into `DATABASE_URL`, in either form that libpq knows (`postgres://..` and `host=..
//! user=..`), and keeps everything that it does not need to change. It does not validate the text: tokio-postgres does
//! that.

/// Returns `url` with its password replaced by `***`, for messages.
///
/// ```
/// use relata_devdb::redact_url;
///
/// assert_eq!(redact_url("postgres://ann:secret@db:5432/app"), "postgres://ann:***@db:5432/app");
/// assert_eq!(redact_url("host=db user=ann password=secret"), "host=db user=ann password=***");
/// assert_eq!(redact_url("postgres:///app?host=/tmp&password=secret"), "postgres:///app?host=/tmp&password=***");
/// ```
pub fn redact_url(url: &str) -> String {
    let Some(parts) = Parts::of(url) else { return redact_pairs(url) };
    // The last @ ends the user part: a password that was not percent-encoded may contain an @ itself.
    let authority = match parts.authority.rsplit_once('@') {
        Some((user, host)) => match user.split_once(':') {
            Some((name, _)) => format!("{name}:***@{host}"),
            None => parts.authority.to_owned(),
        },
        None => parts.authority.to_owned(),
    };
    let query: Vec<String> = parts.query().map(redact_parameter).collect();
    parts.join(&authority, parts.database, &query)
}

/// Returns `url` with `database` as its database.
pub(crate) fn with_database(url: &str, database: &str) -> String {
    let Some(parts) = Parts::of(url) else {
        // In the keyword form, the last of two equal keywords wins.
        return format!("{} dbname='{}'", url.trim_end(), database.replace('\\', "\\\\").replace('\'', "\\'"));
    };
    let query: Vec<String> = parts.query().filter(|p| !p.starts_with("dbname=")).map(str::to_owned).collect();
    parts.join(parts.authority, &encode(database), &query)
}

/// Returns `url` with sessions that begin as `role`. The server reads `\` in the options as an escape.
pub(crate) fn with_role(url: &str, role: &str) -> String {
    let escape = |c: char| if c == '\\' || c.is_whitespace() { format!("\\{c}") } else { c.to_string() };
    let option = format!("-c role={}", role.chars().map(escape).collect::<String>());
    let Some(parts) = Parts::of(url) else {
        return format!("{} options='{}'", url.trim_end(), option.replace('\\', "\\\\").replace('\'', "\\'"));
    };
    let is_options = |parameter: &&str| parameter.starts_with("options=");
    let before = parts.query().find(is_options).map_or(String::new(), |options| format!("{options}%20"));
    let before = if before.is_empty() { "options=".to_owned() } else { before };
    let mut query: Vec<String> = parts.query().filter(|p| !is_options(p)).map(str::to_owned).collect();
    query.push(format!("{before}{}", encode(&option)));
    parts.join(parts.authority, parts.database, &query)
}

/// Percent-encodes everything that has a meaning in a URL, so that any database name or path can be part of one.
pub(crate) fn encode(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte);
    text.bytes().map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}

struct Parts<'a> {
    scheme: &'a str,
    authority: &'a str,
    database: &'a str,
    query: Option<&'a str>,
}

impl<'a> Parts<'a> {
    fn of(url: &'a str) -> Option<Self> {
        let (scheme, rest) = url.split_once("://")?;
        if scheme.contains(char::is_whitespace) || scheme.contains('=') {
            return None;
        }
        // The user part ends at the last @, so that a / or ? in a raw password does not end the authority.
        let user_end = rest.rfind('@').map_or(0, |at| at + 1);
        let host_end = rest[user_end..].find(['/', '?']).map_or(rest.len(), |end| user_end + end);
        let (authority, tail) = rest.split_at(host_end);
        let (path, query) = match tail.split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (tail, None),
        };
        Some(Parts { scheme, authority, database: path.strip_prefix('/').unwrap_or(path), query })
    }

    fn query(&self) -> impl Iterator<Item = &'a str> {
        self.query.into_iter().flat_map(|query| query.split('&')).filter(|parameter| !parameter.is_empty())
    }

    fn join(&self, authority: &str, database: &str, query: &[String]) -> String {
        let mut url = format!("{}://{authority}/{database}", self.scheme);
        if !query.is_empty() {
            url.push('?');
            url.push_str(&query.join("&"));
        }
        url
    }
}

fn redact_parameter(parameter: &str) -> String {
    match parameter.split_once('=') {
        Some((name, _)) if is_secret(name) => format!("{name}=***"),
        _ => parameter.to_owned(),
    }
}

/// Hides everything from the password on, because it is impossible to tell where a badly quoted value ends.
fn redact_pairs(text: &str) -> String {
    match text.to_ascii_lowercase().find("password") {
        Some(at) => format!("{}password=***", &text[..at]),
        None => text.to_owned(),
    }
}

fn is_secret(name: &str) -> bool {
    ["password", "sslpassword", "passfile"].contains(&name.to_ascii_lowercase().as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_never_survives_redaction() {
        for url in [
            "postgres://u:hunter2@h/d",
            "postgresql://u:hunter2@h",
            "postgres://u:p@hunter2@h/d",
            "postgres://u:a/hunter2?x@h/d",
            "postgres://u:hun%20hunter2@h:1,i:2/d?sslmode=disable",
            "postgres:///d?user=u&password=hunter2",
            "postgres://h/d?PASSWORD=hunter2&x=1",
            "host=h password=hunter2 user=u",
            "password = 'it''s hunter2' host=h",
            "password='a \\' hunter2' host=h",
        ] {
            assert!(!redact_url(url).contains("hunter2"), "{url} gave {}", redact_url(url));
        }
    }

    #[test]
    fn the_database_is_replaced_and_the_rest_kept() {
        for (url, expected) in [
            ("postgres://u:p@h:1/d?sslmode=disable", "postgres://u:p@h:1/new?sslmode=disable"),
            ("postgres://u@h", "postgres://u@h/new"),
            ("postgres://h?dbname=d&user=u", "postgres://h/new?user=u"),
            ("host=h dbname=d", "host=h dbname=d dbname='new'"),
        ] {
            assert_eq!(with_database(url, "new"), expected);
        }
        assert_eq!(with_database("postgres://h/d", "a b/c"), "postgres://h/a%20b%2Fc");
    }

    #[test]
    fn a_role_is_an_option_beside_the_others() {
        for (url, expected) in [
            ("postgres://u@h/d", "postgres://u@h/d?options=-c%20role%3Dapp"),
            (
                "postgres://u@h/d?options=-csearch_path%3Da&x=1",
                "postgres://u@h/d?x=1&options=-csearch_path%3Da%20-c%20role%3Dapp",
            ),
            ("host=h dbname=d", "host=h dbname=d options='-c role=app'"),
        ] {
            assert_eq!(with_role(url, "app"), expected);
        }
        assert_eq!(with_role("host=h", "it's me"), r"host=h options='-c role=it\'s\\ me'");
    }
}
