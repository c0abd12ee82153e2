//! CREATE FUNCTION, CREATE VIEW and CREATE SEQUENCE, as far as queries need them: signatures and the query of a view.

use super::super::lexer::Token;
use super::super::tree::{Argument, FunctionObject, Mode, Name, Object, Returns, TypeName};
use super::{Parsed, Parser};

/// Parses a statement that creates something that queries can name; `None` if it does something else. What follows the
/// part that is needed is not read.
pub(in crate::queries) fn parse_object(file: u32, tokens: &[Token]) -> Option<Object> {
    let mut parser = Parser { file, tokens, at: 0, depth: 0 };
    if !parser.eat("create") {
        return None;
    }
    parser.eat_all(&["or", "replace"]);
    if parser.eat("function") {
        return parser.function().map(Object::Function).ok();
    }
    if parser.eat("view") || parser.eat_all(&["materialized", "view"]) {
        return parser.view().ok();
    }
    if parser.eat("extension") {
        parser.eat_all(&["if", "not", "exists"]);
        return parser.name().map(Object::Extension).ok();
    }
    if parser.eat("sequence") {
        parser.eat_all(&["if", "not", "exists"]);
        return parser.path().map(Object::Sequence).ok();
    }
    None
}

impl Parser<'_> {
    fn view(&mut self) -> Parsed<Object> {
        self.eat_all(&["if", "not", "exists"]);
        let name = self.path()?;
        let columns = if self.is("(") { self.in_brackets(Self::name)? } else { Vec::new() };
        // Options and the like: `WITH (security_barrier)`, `USING heap`, `TABLESPACE fast`.
        while !self.eat("as") {
            if self.is(";") || self.at + 1 >= self.tokens.len() {
                return Err(self.stop("`AS`"));
            }
            self.next();
        }
        Ok(Object::View { name, columns, query: Box::new(self.query()?) })
    }

    fn function(&mut self) -> Parsed<FunctionObject> {
        let name = self.path()?;
        self.expect("(")?;
        let args = if self.is(")") { Vec::new() } else { self.list(Self::argument)? };
        self.expect(")")?;
        let returns = match self.eat("returns") {
            false => Returns::Outputs,
            true if self.eat("table") => {
                Returns::Table(self.in_brackets(|this| Ok((this.name()?, this.type_name()?)))?)
            }
            true => {
                let set = self.eat("setof");
                Returns::Type { ty: self.type_name()?, set }
            }
        };
        Ok(FunctionObject { name, args, returns })
    }

    fn mode(&mut self) -> Option<Mode> {
        let modes = [("in", Mode::In), ("out", Mode::Out), ("inout", Mode::InOut), ("variadic", Mode::Variadic)];
        modes.into_iter().find(|(word, _)| self.eat(word)).map(|(_, mode)| mode)
    }

    /// `[mode] [name] type [DEFAULT value]`
    fn argument(&mut self) -> Parsed<Argument> {
        let mut mode = self.mode();
        let (name, ty) = match self.unnamed_type() {
            Some(ty) => (None, ty),
            None => {
                let name = self.any_argument_name()?;
                mode = mode.or_else(|| self.mode());
                (Some(name), self.type_name()?)
            }
        };
        let has_default = self.eat("default") || self.eat("=") || self.eat(":=");
        if has_default {
            self.expr()?;
        }
        Ok(Argument { mode: mode.unwrap_or(Mode::In), name, ty, has_default })
    }

    fn any_argument_name(&mut self) -> Parsed<Name> {
        self.label()
    }

    /// Parses a type if the argument has no name. `a integer` begins like a type, but does not end there.
    fn unnamed_type(&mut self) -> Option<TypeName> {
        let start = self.at;
        let ty = self.type_name().ok();
        let ends = [",", ")", "default", "=", ":="].iter().any(|word| self.is(word));
        if !ends {
            self.at = start;
        }
        ty.filter(|_| ends)
    }
}
