//! The signature of a function, with types as PostgreSQL prints them.

use std::fmt;

use relata_pgsql::{Token, TokenKind, ident, ident_if_needed};

use super::statement::is_name;

/// Reads types from the tokens of a statement.
pub(super) struct Types<'t> {
    pub(super) text: &'t str,
    pub(super) tokens: &'t [Token],
    pub(super) at: usize,
}

/// The arguments of a function.
pub(super) struct Arguments(Vec<Argument>);

struct Argument {
    /// `in`, `out`, `inout` or `variadic`.
    mode: &'static str,
    name: String,
    ty: String,
    has_default: bool,
}

impl Arguments {
    /// Returns the types of what a call passes, which identify a function.
    pub(super) fn inputs(&self) -> Vec<String> {
        self.0.iter().filter(|argument| argument.mode != "out").map(|argument| argument.ty.clone()).collect()
    }

    /// Returns whether some of them return a value, so that no result is named.
    pub(super) fn return_values(&self) -> bool {
        self.0.iter().any(|argument| ["out", "inout"].contains(&argument.mode))
    }
}

impl fmt::Display for Arguments {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for Argument { mode, name, ty, .. } in &self.0 {
            writeln!(f, "{mode} {name} {ty}")?;
        }
        writeln!(f, "{} defaults", self.0.iter().filter(|argument| argument.has_default).count())
    }
}

/// Names of types, and how PostgreSQL prints them.
const ALIASES: &[(&str, &str)] = &[
    ("bool", "boolean"),
    ("bpchar", "character"),
    ("char", "character"),
    ("dec", "numeric"),
    ("decimal", "numeric"),
    ("float", "double precision"),
    ("float4", "real"),
    ("float8", "double precision"),
    ("int", "integer"),
    ("int2", "smallint"),
    ("int4", "integer"),
    ("int8", "bigint"),
    ("nchar", "character"),
    ("time", "time without time zone"),
    ("timestamp", "timestamp without time zone"),
    ("timestamptz", "timestamp with time zone"),
    ("timetz", "time with time zone"),
    ("varbit", "bit varying"),
    ("varchar", "character varying"),
];

/// Names of types that are words of PostgreSQL's grammar, and not names of its catalog.
const GRAMMAR: &[&str] = &[
    "any",
    "bigint",
    "boolean",
    "char",
    "character",
    "dec",
    "decimal",
    "double",
    "float",
    "int",
    "integer",
    "national",
    "nchar",
    "real",
    "smallint",
];

/// Pairs of words that begin a type of more than one word. All other pairs are a name and a type.
const PAIRS: &[(&str, &[&str])] = &[
    ("bit", &["varying"]),
    ("char", &["varying"]),
    ("character", &["varying"]),
    ("double", &["precision"]),
    ("interval", &["year", "month", "day", "hour", "minute", "second"]),
    ("national", &["character", "char"]),
    ("nchar", &["varying"]),
    ("time", &["with", "without"]),
    ("timestamp", &["with", "without"]),
];

/// Reads the arguments behind the opening parenthesis, and the closing one.
pub(super) fn arguments(types: &mut Types<'_>) -> Result<Arguments, &'static str> {
    let mut found = Vec::new();
    if types.eat_mark(")") {
        return Ok(Arguments(found));
    }
    loop {
        found.push(argument(types)?);
        if types.eat_mark(")") {
            return Ok(Arguments(found));
        }
        if !types.eat_mark(",") {
            return Err("`,` or `)`");
        }
    }
}

fn mode(types: &mut Types<'_>) -> Option<&'static str> {
    // `IN OUT` is `INOUT`.
    if types.is_word(0, "in") && types.is_word(1, "out") {
        types.at += 2;
        return Some("inout");
    }
    let found = ["in", "out", "inout", "variadic"].into_iter().find(|mode| types.is_word(0, mode))?;
    types.at += 1;
    Some(found)
}

fn argument(types: &mut Types<'_>) -> Result<Argument, &'static str> {
    let mut found = mode(types);
    let mut name = String::new();
    if types.is_named() {
        name = types.take_name()?;
        found = found.or_else(|| mode(types));
    }
    let ty = types.take()?;
    if ty.contains("%TYPE") {
        return Err("the name of a type in place of %TYPE, which PostgreSQL does not keep,");
    }
    let has_default = types.is_word(0, "default") || types.is_operator("=") || types.is_mark(":=");
    if has_default {
        types.skip_value();
    }
    Ok(Argument { mode: found.unwrap_or("in"), name, ty, has_default })
}

/// Reads `RETURNS ..`, if it is there.
pub(super) fn result(types: &mut Types<'_>) -> Result<String, &'static str> {
    if !types.eat_word("returns") {
        return Ok(String::new());
    }
    if !types.eat_word("table") {
        let set = if types.eat_word("setof") { "setof " } else { "" };
        return Ok(format!("returns {set}{}", types.take()?));
    }
    if !types.eat_mark("(") {
        return Err("`(`");
    }
    let mut columns = Vec::new();
    loop {
        columns.push(format!("{} {}", types.take_name()?, types.take()?));
        if types.eat_mark(")") {
            return Ok(format!("returns table {}", columns.join(", ")));
        }
        if !types.eat_mark(",") {
            return Err("`,` or `)`");
        }
    }
}

impl Types<'_> {
    fn token(&self, ahead: usize) -> Option<&Token> {
        self.tokens.get(self.at + ahead)
    }

    pub(super) fn is_word(&self, ahead: usize, word: &str) -> bool {
        self.token(ahead).is_some_and(|token| token.is_word(self.text, word))
    }

    pub(super) fn eat_word(&mut self, word: &str) -> bool {
        let is_it = self.is_word(0, word);
        self.at += usize::from(is_it);
        is_it
    }

    pub(super) fn is_mark(&self, mark: &str) -> bool {
        self.token(0).is_some_and(|token| token.is_punctuation(self.text, mark))
    }

    fn is_operator(&self, operator: &str) -> bool {
        self.token(0).is_some_and(|token| token.text(self.text) == operator)
    }

    pub(super) fn eat_mark(&mut self, mark: &str) -> bool {
        let is_it = self.is_mark(mark);
        self.at += usize::from(is_it);
        is_it
    }

    pub(super) fn take_name(&mut self) -> Result<String, &'static str> {
        let token = self.token(0).filter(|token| is_name(token)).ok_or("a name")?;
        let name = ident_if_needed(&token.value(self.text));
        self.at += 1;
        Ok(name)
    }

    /// Returns whether a name stands in front of a type.
    fn is_named(&self) -> bool {
        let (Some(first), Some(second)) = (self.token(0), self.token(1)) else { return false };
        let is_pair = PAIRS.iter().any(|(word, rest)| {
            first.is_word(self.text, word) && rest.iter().any(|word| second.is_word(self.text, word))
        });
        let ends = second.is_word(self.text, "default") || second.is_word(self.text, "array");
        is_name(first) && is_name(second) && !is_pair && !ends
    }

    /// Skips parentheses or brackets with everything in them.
    pub(super) fn skip_parentheses(&mut self) {
        let mut depth = 0_usize;
        while let Some(token) = self.token(0) {
            let is = |marks: &[&str]| marks.iter().any(|mark| token.is_punctuation(self.text, mark));
            depth += usize::from(is(&["(", "["]));
            depth = depth.saturating_sub(usize::from(is(&[")", "]"])));
            self.at += 1;
            if depth == 0 {
                return;
            }
        }
    }

    /// Skips the value of a default.
    fn skip_value(&mut self) {
        let mut depth = 0_usize;
        while let Some(token) = self.token(0) {
            let is = |marks: &[&str]| marks.iter().any(|mark| token.is_punctuation(self.text, mark));
            if depth == 0 && is(&[",", ")"]) {
                return;
            }
            depth += usize::from(is(&["(", "["]));
            depth = depth.saturating_sub(usize::from(is(&[")", "]"])));
            self.at += 1;
        }
    }

    /// Reads a type, as PostgreSQL prints it without its modifiers.
    pub(super) fn take(&mut self) -> Result<String, &'static str> {
        if let Some(name) = self.quoted_keyword() {
            self.at += 1;
            return Ok(name + &self.array());
        }
        let mut path = vec![self.take_name().map_err(|_| "a type")?];
        while self.eat_mark(".") {
            path.push(self.take_name().map_err(|_| "a type")?);
        }
        if path.len() == 2 && path[0] == "pg_catalog" {
            path.remove(0);
        }
        let mut ty = if let [name] = path.as_slice() { self.built_in(name) } else { path.join(".") };
        self.skip_modifiers();
        for zone in ["with", "without"] {
            if self.is_word(0, zone) && self.is_word(1, "time") && self.is_word(2, "zone") {
                self.at += 3;
                ty = format!("{} {zone} time zone", ty.split(' ').next().unwrap_or_default());
            }
        }
        if self.is_operator("%") && self.is_word(1, "type") {
            self.at += 2;
            ty += "%TYPE";
        }
        Ok(ty + &self.array())
    }

    /// Returns a name in quotes that without them would be another type: `"char"`, `"any"`, a table called `"int"`.
    fn quoted_keyword(&self) -> Option<String> {
        let token = self.token(0).filter(|token| token.kind == TokenKind::QuotedIdent)?;
        let name = token.value(self.text);
        GRAMMAR.contains(&name.as_ref()).then(|| ident(&name))
    }

    /// Reads a type, as PostgreSQL prints it with its modifiers.
    pub(super) fn take_whole(&mut self) -> Result<String, &'static str> {
        let start = self.at;
        let ty = self.take()?;
        let read = &self.tokens[start..self.at];
        let is = |token: &Token, mark| token.is_punctuation(self.text, mark);
        let open = read.iter().position(|token| is(token, "("));
        let close = read.iter().rposition(|token| is(token, ")"));
        let (Some(open), Some(close)) = (open, close) else { return Ok(ty) };
        let modifiers: String = read[open..=close].iter().map(|token| token.text(self.text)).collect();
        // `float(24)` is `real`.
        if ty == "real" || ty == "double precision" {
            return Ok(ty);
        }
        // `timestamp(3) with time zone`, `numeric(10,2)[]`
        let at = ty.find(" with").or_else(|| ty.find('[')).unwrap_or(ty.len());
        Ok(format!("{}{modifiers}{}", &ty[..at], &ty[at..]))
    }

    /// Returns the name of a type that may have further words.
    fn built_in(&mut self, name: &str) -> String {
        let mut name = name.to_owned();
        if name == "national" {
            self.at += 1;
            "character".clone_into(&mut name);
        }
        if ["bit", "char", "character", "nchar"].contains(&name.as_str()) && self.eat_word("varying") {
            return if name == "bit" { "bit varying" } else { "character varying" }.to_owned();
        }
        if name == "double" && self.eat_word("precision") {
            return "double precision".to_owned();
        }
        if name == "interval" {
            while ["year", "month", "day", "hour", "minute", "second", "to"].iter().any(|word| self.is_word(0, word)) {
                self.at += 1;
            }
        }
        // `float(24)` and below are `real`.
        if name == "float"
            && self.is_mark("(")
            && self.token(1).is_some_and(|token| token.text(self.text).parse::<u32>().is_ok_and(|bits| bits < 25))
        {
            return "real".to_owned();
        }
        let known = ALIASES.iter().find(|(alias, _)| *alias == name);
        known.map_or(name, |(_, printed)| (*printed).to_owned())
    }

    fn skip_modifiers(&mut self) {
        if self.eat_mark("(") {
            self.skip_value();
            while self.eat_mark(",") {
                self.skip_value();
            }
            self.eat_mark(")");
        }
    }

    fn array(&mut self) -> String {
        let mut is_array = self.eat_word("array");
        while self.eat_mark("[") {
            is_array = true;
            while self.token(0).is_some() && !self.eat_mark("]") {
                self.at += 1;
            }
        }
        if is_array { "[]".to_owned() } else { String::new() }
    }
}
