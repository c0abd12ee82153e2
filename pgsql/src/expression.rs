//! SQL expressions as trees, by PostgreSQL's precedences.
//!
//! The parser supports the operators and constructs of check constraints, index expressions and defaults. It refuses
//! anything else, and the caller then compares the texts token by token.

use std::fmt;

use crate::{Lexeme, ident_if_needed, lexemes, literal};

/// An expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Node {
    /// A column, the name of a constant, or `*`.
    Name(String),
    /// A string.
    Text(String),
    /// A number.
    Number(String),
    /// A function call.
    Call(String, Vec<Node>),
    /// An operator or a construct that acts like one: `and`, `array`, `case`.
    Op(String, Vec<Node>),
    /// A value and the type it is cast to.
    Cast(Box<Node>, String),
}

impl fmt::Display for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |f: &mut fmt::Formatter<'_>, name: &str, args: &[Node]| {
            write!(f, "{name}(")?;
            for (index, arg) in args.iter().enumerate() {
                write!(f, "{}{arg}", if index == 0 { "" } else { ", " })?;
            }
            f.write_str(")")
        };
        match self {
            Node::Name(text) | Node::Number(text) => f.write_str(text),
            Node::Text(text) => f.write_str(&literal(text)),
            Node::Call(name, args) | Node::Op(name, args) => list(f, name, args),
            Node::Cast(inner, ty) => write!(f, "{inner}::{ty}"),
        }
    }
}

/// Parses a complete expression; none if it contains something that this parser does not know, or is too long or too
/// deep.
///
/// ```
/// let sum = relata_pgsql::parse_expression("a + 1").unwrap();
/// assert_eq!(sum.to_string(), "+(a, 1)");
/// ```
pub fn parse_expression(sql: &str) -> Option<Node> {
    let tokens = lexemes(sql)?;
    if tokens.len() > MAX_TOKENS {
        return None;
    }
    let mut parser = Parser { tokens: &tokens, at: 0, depth: 0 };
    let node = parser.expression(0)?;
    (parser.at == tokens.len()).then_some(node)
}

/// Longer or more deeply nested expressions are compared token by token, so that no input overflows the stack.
const MAX_DEPTH: usize = 100;
const MAX_TOKENS: usize = 2_000;

const OR: u8 = 1;
const AND: u8 = 2;
const NOT: u8 = 3;
const IS: u8 = 4;
const COMPARE: u8 = 5;
const RANGE: u8 = 6;
const OTHER: u8 = 7;
const SUM: u8 = 8;
const PRODUCT: u8 = 9;
const POWER: u8 = 10;
const AT: u8 = 11;
const COLLATE: u8 = 12;
const SIGN: u8 = 13;

struct Parser<'t> {
    tokens: &'t [Lexeme],
    at: usize,
    depth: usize,
}

fn op(name: &str, args: Vec<Node>) -> Node {
    Node::Op(name.to_owned(), args)
}

impl<'t> Parser<'t> {
    fn peek(&self, ahead: usize) -> Option<&'t Lexeme> {
        self.tokens.get(self.at + ahead)
    }

    fn is_word(&self, ahead: usize, word: &str) -> bool {
        matches!(self.peek(ahead), Some(Lexeme::Word(text)) if text == word)
    }

    fn is_sign(&self, ahead: usize, sign: &str) -> bool {
        matches!(self.peek(ahead), Some(Lexeme::Sign(text)) if text == sign)
    }

    fn eat_word(&mut self, word: &str) -> bool {
        let found = self.is_word(0, word);
        self.at += usize::from(found);
        found
    }

    fn eat_sign(&mut self, sign: &str) -> bool {
        let found = self.is_sign(0, sign);
        self.at += usize::from(found);
        found
    }

    fn eat_words(&mut self, words: &[&str]) -> bool {
        let found = words.iter().enumerate().all(|(ahead, word)| self.is_word(ahead, word));
        self.at += if found { words.len() } else { 0 };
        found
    }

    fn expression(&mut self, binding: u8) -> Option<Node> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return None;
        }
        let mut left = self.prefix()?;
        while let Some(next) = self.infix(&left, binding)? {
            left = next;
        }
        self.depth -= 1;
        Some(left)
    }

    fn prefix(&mut self) -> Option<Node> {
        if self.eat_word("not") {
            return Some(op("not", vec![self.expression(NOT)?]));
        }
        if let Some(Lexeme::Sign(sign)) = self.peek(0)
            && !matches!(sign.as_str(), "(" | ")" | "[" | "]" | "," | ";" | "." | ":" | "::" | "*" | "$")
        {
            self.at += 1;
            let binding = if sign == "-" || sign == "+" { SIGN } else { OTHER };
            return Some(op(sign, vec![self.expression(binding)?]));
        }
        let primary = self.primary()?;
        self.postfix(primary)
    }

    fn postfix(&mut self, mut node: Node) -> Option<Node> {
        loop {
            if self.eat_sign("::") {
                let ty = self.type_name()?;
                node = Node::Cast(Box::new(node), ty);
            } else if self.eat_sign("[") {
                let mut args = vec![node];
                while !self.eat_sign("]") {
                    if !self.eat_sign(":") {
                        args.push(self.expression(0)?);
                    }
                }
                node = op("subscript", args);
            } else {
                return Some(node);
            }
        }
    }

    /// Parses one step after `left`, if it binds tighter than `binding`. The outer none is an error.
    fn infix(&mut self, left: &Node, binding: u8) -> Option<Option<Node>> {
        let step = match self.peek(0) {
            Some(Lexeme::Word(word)) if word == "operator" && self.is_sign(1, "(") => {
                self.named_infix(left, binding)?
            }
            Some(Lexeme::Word(word)) => self.word_infix(word, left, binding)?,
            Some(Lexeme::Sign(sign)) => self.sign_infix(sign, left, binding)?,
            _ => None,
        };
        Some(step)
    }

    fn sign_infix(&mut self, sign: &str, left: &Node, binding: u8) -> Option<Option<Node>> {
        let power = match sign {
            "=" | "<" | ">" | "<=" | ">=" | "<>" | "!=" => COMPARE,
            "+" | "-" => SUM,
            "*" | "/" | "%" => PRODUCT,
            "^" => POWER,
            "(" | ")" | "[" | "]" | "," | ";" | "." | ":" | "::" | "$" => return Some(None),
            _ => OTHER,
        };
        if power <= binding {
            return Some(None);
        }
        self.at += 1;
        self.operation(sign, left, power)
    }

    /// Parses an operator that is written with its schema, `OPERATOR(tools.~~)`, as PostgreSQL prints it if the search path
    /// does not lead to it. The schema does not count.
    fn named_infix(&mut self, left: &Node, binding: u8) -> Option<Option<Node>> {
        if OTHER <= binding {
            return Some(None);
        }
        self.at += 2;
        while matches!(self.peek(0), Some(Lexeme::Word(_) | Lexeme::Quoted(_))) {
            self.at += 1;
            if !self.eat_sign(".") {
                return None;
            }
        }
        let Some(Lexeme::Sign(sign)) = self.peek(0) else { return None };
        self.at += 1;
        if !self.eat_sign(")") {
            return None;
        }
        self.operation(sign, left, OTHER)
    }

    /// Parses what follows an operator.
    fn operation(&mut self, sign: &str, left: &Node, power: u8) -> Option<Option<Node>> {
        let sign = if sign == "!=" { "<>" } else { sign };
        for (word, quantifier) in [("any", "any"), ("some", "any"), ("all", "all")] {
            if self.is_word(0, word) && self.is_sign(1, "(") {
                self.at += 1;
                let right = self.primary()?;
                return Some(Some(op(&format!("{sign} {quantifier}"), vec![left.clone(), uncast(right)])));
            }
        }
        let right = self.expression(power)?;
        Some(Some(op(sign, vec![left.clone(), right])))
    }

    fn word_infix(&mut self, word: &str, left: &Node, binding: u8) -> Option<Option<Node>> {
        let power = match word {
            "or" => OR,
            "and" => AND,
            "is" | "isnull" | "notnull" => IS,
            "in" | "like" | "ilike" | "between" | "similar" => RANGE,
            "not" if ["in", "like", "ilike", "between", "similar"].iter().any(|next| self.is_word(1, next)) => RANGE,
            "at" if self.is_word(1, "time") => AT,
            "collate" => COLLATE,
            _ => return Some(None),
        };
        if power <= binding {
            return Some(None);
        }
        let left = left.clone();
        let node = match word {
            "or" | "and" => {
                self.at += 1;
                op(word, vec![left, self.expression(power)?])
            }
            "is" | "isnull" | "notnull" => self.is_test(left)?,
            "at" => {
                if !self.eat_words(&["at", "time", "zone"]) {
                    return None;
                }
                op("at time zone", vec![left, self.expression(AT)?])
            }
            "collate" => {
                self.at += 1;
                let name = self.qualified_name()?;
                op("collate", vec![left, Node::Name(name)])
            }
            _ => self.range(left)?,
        };
        Some(Some(node))
    }

    fn is_test(&mut self, left: Node) -> Option<Node> {
        if self.eat_word("isnull") {
            return Some(op("is null", vec![left]));
        }
        if self.eat_word("notnull") {
            return Some(op("is not null", vec![left]));
        }
        self.at += 1;
        let not = if self.eat_word("not") { "not " } else { "" };
        if self.eat_words(&["distinct", "from"]) {
            return Some(op(&format!("is {not}distinct from"), vec![left, self.expression(IS)?]));
        }
        for word in ["null", "true", "false", "unknown"] {
            if self.eat_word(word) {
                return Some(op(&format!("is {not}{word}"), vec![left]));
            }
        }
        None
    }

    /// Parses `IN`, `LIKE`, `ILIKE` and `BETWEEN` into the operators that PostgreSQL converts them to.
    fn range(&mut self, left: Node) -> Option<Node> {
        let not = self.eat_word("not");
        if self.eat_word("in") {
            let items = self.list("(", ")")?;
            let name = if not { "<> all" } else { "= any" };
            return Some(op(name, vec![left, op("array", items)]));
        }
        if self.eat_word("between") {
            let low = self.expression(RANGE)?;
            if !self.eat_word("and") {
                return None;
            }
            let high = self.expression(RANGE)?;
            let (lower, upper, join) = if not { ("<", ">", "or") } else { (">=", "<=", "and") };
            return Some(op(join, vec![op(lower, vec![left.clone(), low]), op(upper, vec![left, high])]));
        }
        let name = match (self.eat_word("like"), not) {
            (true, false) => "~~",
            (true, true) => "!~~",
            (false, _) if !self.eat_word("ilike") => return None,
            (false, false) => "~~*",
            (false, true) => "!~~*",
        };
        Some(op(name, vec![left, self.expression(RANGE)?]))
    }

    fn primary(&mut self) -> Option<Node> {
        let token = self.peek(0)?;
        match token {
            Lexeme::Text(text) => {
                self.at += 1;
                Some(Node::Text(text.clone()))
            }
            Lexeme::Bits(text) => {
                self.at += 1;
                Some(Node::Text(bits(text)?))
            }
            Lexeme::Number(number) => {
                self.at += 1;
                Some(Node::Number(number.clone()))
            }
            Lexeme::Sign(sign) if sign == "(" => {
                let mut items = self.list("(", ")")?;
                if items.len() == 1 { items.pop() } else { Some(op("row", items)) }
            }
            Lexeme::Sign(sign) if sign == "*" => {
                self.at += 1;
                Some(Node::Name("*".to_owned()))
            }
            Lexeme::Sign(_) => None,
            Lexeme::Word(word) => match word.as_str() {
                "case" => self.case(),
                "cast" => self.cast(),
                "array" if self.is_sign(1, "[") => {
                    self.at += 1;
                    Some(op("array", self.list("[", "]")?))
                }
                "select" | "from" | "where" | "when" | "then" | "else" | "end" | "and" | "or" => None,
                _ => self.name(),
            },
            Lexeme::Quoted(_) => self.name(),
        }
    }

    /// Parses a column, a function call, or a type before a string, as in `date '2026-01-01'`.
    fn name(&mut self) -> Option<Node> {
        let name = self.qualified_name()?;
        if self.is_sign(0, "(") {
            return Some(Node::Call(name, self.list("(", ")")?));
        }
        if let Some(Lexeme::Text(text)) = self.peek(0) {
            self.at += 1;
            return Some(Node::Cast(Box::new(Node::Text(text.clone())), name));
        }
        Some(Node::Name(name))
    }

    fn qualified_name(&mut self) -> Option<String> {
        let mut name = String::new();
        loop {
            match self.peek(0)? {
                Lexeme::Word(word) => name += word,
                Lexeme::Quoted(quoted) => name += &ident_if_needed(quoted),
                _ => return None,
            }
            self.at += 1;
            if !self.eat_sign(".") {
                return Some(name);
            }
            name.push('.');
        }
    }

    /// Parses expressions between two signs. `FROM` and `FOR` separate arguments too: `extract(year from at)`.
    fn list(&mut self, open: &str, close: &str) -> Option<Vec<Node>> {
        if !self.eat_sign(open) {
            return None;
        }
        let mut items = Vec::new();
        while !self.eat_sign(close) {
            if !(items.is_empty() || self.eat_sign(",") || self.eat_word("from") || self.eat_word("for")) {
                return None;
            }
            items.push(self.expression(0)?);
        }
        Some(items)
    }

    fn cast(&mut self) -> Option<Node> {
        self.at += 1;
        if !self.eat_sign("(") {
            return None;
        }
        let inner = self.expression(0)?;
        if !self.eat_word("as") {
            return None;
        }
        let ty = self.type_name()?;
        self.eat_sign(")").then(|| Node::Cast(Box::new(inner), ty))
    }

    /// PostgreSQL adds `ELSE NULL` if there is no `ELSE`.
    fn case(&mut self) -> Option<Node> {
        self.at += 1;
        let mut args = Vec::new();
        if !self.is_word(0, "when") {
            args.push(op("of", vec![self.expression(0)?]));
        }
        while self.eat_word("when") {
            let condition = self.expression(0)?;
            if !self.eat_word("then") {
                return None;
            }
            args.push(op("when", vec![condition, self.expression(0)?]));
        }
        if self.eat_word("else") {
            let otherwise = self.expression(0)?;
            if uncast(otherwise.clone()) != Node::Name("null".to_owned()) {
                args.push(op("else", vec![otherwise]));
            }
        }
        self.eat_word("end").then(|| op("case", args))
    }

    fn type_name(&mut self) -> Option<String> {
        let mut name = self.qualified_name()?;
        let second = match name.as_str() {
            "character" | "bit" => "varying",
            "double" => "precision",
            _ => "",
        };
        if !second.is_empty() && self.eat_word(second) {
            name = format!("{name} {second}");
        }
        if self.is_sign(0, "(") {
            let arguments = self.list("(", ")")?;
            name += &op("", arguments).to_string();
        }
        for zone in [["with", "time", "zone"], ["without", "time", "zone"]] {
            if self.eat_words(&zone) {
                name = format!("{name} {}", zone.join(" "));
            }
        }
        while self.is_sign(0, "[") {
            self.at += 1;
            if matches!(self.peek(0), Some(Lexeme::Number(_))) {
                self.at += 1;
            }
            if !self.eat_sign("]") {
                return None;
            }
            name += "[]";
        }
        Some(name)
    }
}

fn uncast(node: Node) -> Node {
    match node {
        Node::Cast(inner, _) => uncast(*inner),
        other => other,
    }
}

/// Returns the binary digits of `B'0101'` or `X'5'`, which PostgreSQL prints in binary.
fn bits(text: &str) -> Option<String> {
    let digits = text.get(2..text.len().checked_sub(1)?)?;
    if text.starts_with(['b', 'B']) {
        return Some(digits.to_owned());
    }
    digits.chars().map(|digit| Some(format!("{:04b}", digit.to_digit(16)?))).collect()
}

#[cfg(test)]
mod tests {
    use super::parse_expression;

    #[test]
    fn bit_strings_mean_their_digits() {
        let node = |sql| parse_expression(sql).map(|node| node.to_string());
        assert_eq!(node("B'0101'"), node("X'5'"));
        assert_eq!(node("B'0101'"), node("'0101'"));
        assert_eq!(node("X'z'"), None);
    }
}
