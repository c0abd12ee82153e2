//! Determines from the text of a statement what it may do to its session.
//!
//! This is a guess that errs on the safe side: the engine is queried afterwards for everything that is found here. A
//! word in a comment or a string therefore costs a query and nothing else.

use std::collections::BTreeSet;

/// What has to be queried, or waited for, because a statement was run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Traits {
    /// It may change a setting without showing it in its command tag: `set_config`, a block of code.
    pub sets: bool,
    /// It may acquire or release an advisory lock.
    pub locks: bool,
    /// It waits for an advisory lock. Inside the engine, no other client could release that lock.
    pub waits_for_lock: bool,
    /// It may create a temporary table.
    pub temporary: bool,
    /// Names with a dot, any of which may be a custom setting: the engine cannot list those.
    pub dotted: BTreeSet<String>,
    /// Channels of `LISTEN`.
    pub listens: Vec<String>,
}

/// How many names with a dot are remembered.
const DOTTED: usize = 64;

impl Traits {
    pub fn of(sql: &str) -> Self {
        let lower = sql.to_ascii_lowercase();
        let start = lower.trim_start();
        let is_code = start.starts_with("do") || start.starts_with("call");
        let sets = lower.contains("set_config") || (is_code && lower.contains("set"));
        let names_settings = sets || lower.contains("set ");
        Traits {
            sets,
            locks: lower.contains("advisory"),
            waits_for_lock: lower.contains("pg_advisory_lock") || lower.contains("pg_advisory_xact_lock"),
            temporary: lower.contains("temp"),
            dotted: if names_settings { dotted(&lower) } else { BTreeSet::new() },
            listens: if lower.contains("listen") { listens(sql) } else { Vec::new() },
        }
    }

    /// Adds those of a statement that runs together with this one.
    pub fn add(&mut self, other: &Traits) {
        self.sets |= other.sets;
        self.locks |= other.locks;
        self.waits_for_lock |= other.waits_for_lock;
        self.temporary |= other.temporary;
        self.dotted.extend(other.dotted.iter().cloned());
        self.listens.extend(other.listens.iter().cloned());
    }
}

/// Returns every `word.word` of a text, which is in lower case.
pub fn dotted(lower: &str) -> BTreeSet<String> {
    let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '$');
    let words = lower.split(|c: char| !is_name(c)).filter(|word| {
        let mut parts = word.split('.');
        let is_part = |part: &str| part.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
        word.contains('.') && parts.all(is_part)
    });
    words.take(DOTTED).map(str::to_owned).collect()
}

/// Returns the channels of the `LISTEN` statements of a text.
fn listens(sql: &str) -> Vec<String> {
    let channel = |statement: &str| {
        let (word, rest) = statement.trim_start().split_once(|c: char| c.is_ascii_whitespace() || c == '"')?;
        let quoted = statement.trim_start().as_bytes().get(word.len()) == Some(&b'"');
        let rest = rest.trim_start();
        let name = if quoted || rest.starts_with('"') {
            rest.trim_start_matches('"').split('"').next().map(str::to_owned)
        } else {
            rest.split_ascii_whitespace().next().map(str::to_ascii_lowercase)
        };
        word.eq_ignore_ascii_case("listen").then_some(name).flatten()
    };
    sql.split(';').filter_map(channel).collect()
}

/// Returns a text as an SQL literal.
pub fn literal(text: &str) -> String {
    let escaped = text.replace('\'', "''");
    if text.contains('\\') { format!("E'{}'", escaped.replace('\\', "\\\\")) } else { format!("'{escaped}'") }
}

/// Returns a text as an SQL name.
pub fn name(text: &str) -> String {
    format!("\"{}\"", text.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_effects_of_a_statement_are_found() {
        assert_eq!(Traits::of("SELECT id, title FROM posts WHERE id = $1"), Traits::default());
        let lock = Traits::of("SELECT PG_ADVISORY_LOCK(1)");
        assert!(lock.locks && lock.waits_for_lock);
        let lock = Traits::of("SELECT pg_try_advisory_lock(1)");
        assert!(lock.locks && !lock.waits_for_lock);
        let set = Traits::of("SELECT set_config('app.tenant', $1, false) FROM public.t");
        assert!(set.sets && set.dotted.contains("app.tenant"), "{set:?}");
        assert!(Traits::of("SET app.tenant = '7'").dotted.contains("app.tenant"));
        assert!(Traits::of("CREATE TEMP TABLE t ()").temporary);
        assert!(Traits::of("DO $$ BEGIN SET x.y = 1; END $$").sets);
    }

    #[test]
    fn channels_are_named_as_postgres_names_them() {
        assert_eq!(Traits::of("LISTEN Jobs; listen \"Odd name\";SELECT 'listen x'").listens, ["jobs", "Odd name"]);
        assert_eq!(Traits::of("SELECT listen FROM t").listens, Vec::<String>::new());
    }

    #[test]
    fn texts_are_quoted() {
        assert_eq!(literal("it's"), "'it''s'");
        assert_eq!(literal(r"a\b"), r"E'a\\b'");
        assert_eq!(name("a\"b"), "\"a\"\"b\"");
    }
}
