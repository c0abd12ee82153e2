//! From the tokens of a statement to the object that it creates.

use relata_pgsql::{Token, TokenKind};

use super::signature::{self, Types};
use super::types;
use crate::diagnostics::did_you_mean;
use crate::ir::{ObjectSignature, ObjectTarget, SqlObject};

/// What a statement does.
pub(super) enum Found {
    /// It creates an object that migrations manage.
    Object(SqlObject),
    /// Something else.
    Other {
        /// Its first words.
        what: String,
        /// Whether query files know what it creates.
        is_read: bool,
    },
}

/// What query files know of a folder of SQL besides functions.
const READ: [&[&str]; 4] = [
    &["create", "view"],
    &["create", "materialized", "view"],
    &["create", "or", "replace", "view"],
    &["create", "extension"],
];

/// Reads a statement, given as its tokens without comments.
pub(super) fn read_statement(text: &str, tokens: &[Token]) -> Result<Found, String> {
    let mut reader = Reader { text, tokens, at: 0 };
    let words = |count: usize| {
        tokens.iter().take(count).map(|token| token.text(text).to_ascii_uppercase()).collect::<Vec<_>>().join(" ")
    };
    let other = |count| {
        let is_it = |words: &&[&str]| words.iter().zip(tokens).all(|(word, token)| token.is_word(text, word));
        Ok(Found::Other { what: words(count), is_read: READ.iter().any(is_it) })
    };
    if !reader.eat("create") {
        check_word(text, tokens.first(), &COMMANDS, "")?;
        return other(2);
    }
    let replace_at = tokens[0].end;
    let replaces = reader.eat("or") && reader.eat("replace");
    reader.eat("constraint");
    let kinds = ["function", "procedure", "trigger", "policy", "domain", "type", "sequence"];
    let Some(kind) = kinds.into_iter().find(|kind| reader.eat(kind)) else {
        let all: Vec<&str> = kinds.into_iter().chain(OTHERS).collect();
        check_word(text, reader.tokens.get(reader.at), &all, "CREATE ")?;
        return other(if replaces { 4 } else { 2 });
    };
    if kind == "type" && !reader.is_composite() {
        return other(2);
    }
    let (start, end) = (tokens[0].start, tokens.last().map_or(0, |token| token.end));
    let object = match kind {
        "function" | "procedure" => reader.routine(kind),
        "domain" => reader.domain(),
        "type" => reader.composite(),
        "sequence" => reader.sequence(),
        _ => reader.guard(kind),
    };
    let (target, name, mut name_at) = object.map_err(|expected| {
        let found =
            reader.tokens.get(reader.at).map_or("its end".to_owned(), |token| format!("`{}`", token.text(text)));
        format!("expected {expected} in CREATE {}, found {found}", kind.to_uppercase())
    })?;
    name_at = name_at.start - start..name_at.end - start;
    Ok(Found::Object(SqlObject {
        target: moved(target, start),
        name,
        sql: text[start..end].to_owned(),
        replace_at: replace_at - start,
        replaces,
        name_at,
    }))
}

/// The words that begin a statement.
const COMMANDS: [&str; 53] = [
    "abort",
    "alter",
    "analyse",
    "analyze",
    "begin",
    "call",
    "checkpoint",
    "close",
    "cluster",
    "comment",
    "commit",
    "copy",
    "create",
    "deallocate",
    "declare",
    "delete",
    "discard",
    "do",
    "drop",
    "end",
    "execute",
    "explain",
    "fetch",
    "grant",
    "import",
    "insert",
    "listen",
    "load",
    "lock",
    "merge",
    "move",
    "notify",
    "prepare",
    "reassign",
    "refresh",
    "reindex",
    "release",
    "reset",
    "revoke",
    "rollback",
    "savepoint",
    "security",
    "select",
    "set",
    "show",
    "start",
    "table",
    "truncate",
    "unlisten",
    "update",
    "vacuum",
    "values",
    "with",
];

/// What else `CREATE` creates.
const OTHERS: [&str; 37] = [
    "access",
    "aggregate",
    "cast",
    "collation",
    "conversion",
    "database",
    "default",
    "event",
    "extension",
    "foreign",
    "global",
    "group",
    "index",
    "language",
    "local",
    "materialized",
    "operator",
    "procedural",
    "publication",
    "recursive",
    "role",
    "rule",
    "schema",
    "server",
    "statistics",
    "subscription",
    "table",
    "tablespace",
    "temp",
    "temporary",
    "text",
    "transform",
    "trusted",
    "unique",
    "unlogged",
    "user",
    "view",
];

/// Fails if a word begins no statement of PostgreSQL, with a message that says so.
fn check_word(text: &str, word: Option<&Token>, known: &[&str], before: &str) -> Result<(), String> {
    let Some(word) = word.filter(|word| word.kind == TokenKind::Word) else { return Ok(()) };
    let lower = word.value(text);
    if known.contains(&lower.as_ref()) {
        return Ok(());
    }
    let written = word.text(text);
    Err(match did_you_mean(&lower, known.iter().copied()) {
        Some(guess) => {
            format!("PostgreSQL has no `{before}{written}`: did you mean `{before}{}`?", guess.to_uppercase())
        }
        None => format!("PostgreSQL has no statement `{before}{written}`"),
    })
}

/// Lets the places of a signature start at the statement.
fn moved(mut target: ObjectTarget, start: usize) -> ObjectTarget {
    if let ObjectTarget::Function(signature) | ObjectTarget::Procedure(signature) = &mut target {
        signature.body_at = signature.body_at.map(|at| at - start);
        signature.types_end -= start;
    }
    target
}

/// What a statement creates: its target, its name, and where the name is.
type Created = (ObjectTarget, String, std::ops::Range<usize>);

struct Reader<'t> {
    text: &'t str,
    tokens: &'t [Token],
    at: usize,
}

impl<'t> Reader<'t> {
    fn peek(&self, word: &str) -> bool {
        self.tokens.get(self.at).is_some_and(|token| token.is_word(self.text, word))
    }

    fn eat(&mut self, word: &str) -> bool {
        let is_it = self.peek(word);
        self.at += usize::from(is_it);
        is_it
    }

    fn is_mark(&self, mark: &str) -> bool {
        self.tokens.get(self.at).is_some_and(|token| token.is_punctuation(self.text, mark))
    }

    /// Returns whether the rest of the statement has this word, followed by such a token.
    fn rest_has(&self, word: &str, is_next: impl Fn(&Token, &str) -> bool) -> bool {
        let rest = self.tokens.get(self.at..).unwrap_or_default();
        rest.windows(2).any(|pair| pair[0].is_word(self.text, word) && is_next(&pair[1], self.text))
    }

    fn name(&mut self) -> Result<String, &'static str> {
        let token = self.tokens.get(self.at).filter(|token| is_name(token)).ok_or("a name")?;
        self.at += 1;
        Ok(token.value(self.text).into_owned())
    }

    /// Reads `name` or `schema.name`, and returns where it is.
    fn path(&mut self) -> Result<(Option<String>, String, std::ops::Range<usize>), &'static str> {
        let start = self.tokens.get(self.at).map_or(0, |token| token.start);
        let first = self.name()?;
        let mut path = (None, first);
        if self.is_mark(".") {
            self.at += 1;
            let name = self.name()?;
            path = (Some(path.1), name);
        }
        Ok((path.0, path.1, start..self.tokens[self.at - 1].end))
    }

    /// Reads a trigger or a policy: the name, and the table behind ON.
    fn guard(&mut self, kind: &str) -> Result<Created, &'static str> {
        let name = self.name()?;
        while !self.peek("on") {
            if self.at >= self.tokens.len() {
                return Err("ON and a table");
            }
            self.at += 1;
        }
        self.at += 1;
        let (namespace, table, at) = self.path()?;
        if kind == "trigger"
            && !self.rest_has("execute", |token, text| {
                ["function", "procedure"].iter().any(|word| token.is_word(text, word))
            })
        {
            self.at = self.tokens.len();
            return Err("EXECUTE FUNCTION");
        }
        let target = match kind {
            "trigger" => ObjectTarget::Trigger { namespace, table },
            _ => ObjectTarget::Policy { namespace, table },
        };
        Ok((target, name, at))
    }

    fn types(&self) -> Types<'t> {
        Types { text: self.text, tokens: self.tokens, at: self.at }
    }

    fn domain(&mut self) -> Result<Created, &'static str> {
        let (namespace, name, at) = self.path()?;
        let mut types = self.types();
        let parts = types::domain(&mut types, &name);
        self.at = types.at;
        Ok((ObjectTarget::Domain { namespace, parts: parts? }, name, at))
    }

    /// Returns whether `CREATE TYPE name` is followed by `AS (`.
    fn is_composite(&self) -> bool {
        let at = (self.at..self.tokens.len()).find(|at| self.tokens[*at].is_word(self.text, "as"));
        at.and_then(|at| self.tokens.get(at + 1)).is_some_and(|next| next.is_punctuation(self.text, "("))
    }

    fn composite(&mut self) -> Result<Created, &'static str> {
        let (namespace, name, at) = self.path()?;
        self.at += 2;
        let mut types = self.types();
        let parts = types::composite(&mut types);
        self.at = types.at;
        Ok((ObjectTarget::Composite { namespace, parts: parts? }, name, at))
    }

    fn sequence(&mut self) -> Result<Created, &'static str> {
        for word in ["if", "not", "exists"] {
            self.eat(word);
        }
        let (namespace, name, at) = self.path()?;
        let options = types::sequence_options(self.text, &self.tokens[self.at..]);
        Ok((ObjectTarget::Sequence { namespace, options }, name, at))
    }

    /// Reads a function or a procedure up to its options, and looks for a body without quotes.
    fn routine(&mut self, kind: &str) -> Result<Created, &'static str> {
        let (namespace, name, at) = self.path()?;
        if !self.is_mark("(") {
            return Err("`(`");
        }
        self.at += 1;
        let mut types = self.types();
        let arguments = signature::arguments(&mut types);
        let signature = arguments.and_then(|arguments| Ok((arguments, signature::result(&mut types)?)));
        self.at = types.at;
        let (arguments, result) = signature?;
        let types_end = self.tokens[types.at - 1].end;
        if kind == "function" && result.is_empty() && !arguments.return_values() {
            return Err("RETURNS and a type");
        }
        let body = self.tokens[self.at..].windows(2).find(|pair| {
            pair[0].is_word(self.text, "return")
                || pair[0].is_word(self.text, "begin") && pair[1].is_word(self.text, "atomic")
        });
        let is_quoted = self.rest_has("as", |token, _| token.is_string());
        if body.is_none() && !(is_quoted && self.rest_has("language", |token, _| is_name(token) || token.is_string())) {
            self.at = self.tokens.len();
            return Err(if is_quoted { "LANGUAGE" } else { "a body" });
        }
        let signature = ObjectSignature {
            namespace,
            inputs: arguments.inputs(),
            shape: format!("{arguments}{result}"),
            body_at: body.map(|pair| pair[0].start),
            types_end,
        };
        let target = match kind {
            "function" => ObjectTarget::Function(signature),
            _ => ObjectTarget::Procedure(signature),
        };
        Ok((target, name, at))
    }
}

/// Returns whether a token is a name, with or without quotes.
pub(super) fn is_name(token: &Token) -> bool {
    matches!(token.kind, TokenKind::Word | TokenKind::QuotedIdent | TokenKind::UnicodeIdent)
}
