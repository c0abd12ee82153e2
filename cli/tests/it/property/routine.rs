//! Functions, triggers and policies of random schemas.

use std::fmt::Write as _;

use relata_codegen::sql::quote::ident;

use super::sketch::{Field, Kind, Model, Sketch, quoted};
use crate::random::Random;

/// Something that uses a field of a model.
#[derive(Debug, Clone)]
pub(super) struct Routine {
    pub(super) id: usize,
    pub(super) model: usize,
    pub(super) field: usize,
    pub(super) what: What,
    /// Counts its edits: they change its signature, its body or both.
    pub(super) version: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum What {
    /// A trigger and its function.
    Trigger,
    Policy,
    /// A function that reads the field, in a body that PostgreSQL reads.
    Reader,
    /// A function that a check calls.
    Check,
}

impl Sketch {
    pub(super) fn add_routine(&mut self, random: &mut Random) {
        let id = self.number();
        let Some(model) = random.pick(&self.models) else { return };
        let Some(field) = random.pick(&model.fields) else { return };
        let what = [What::Trigger, What::Policy, What::Reader, What::Check][random.below(4)];
        self.routines.push(Routine { id, model: model.id, field: field.id, what, version: random.below(4) });
    }

    fn used<'s>(&'s self, routine: &Routine) -> Option<(&'s Model, &'s Field)> {
        let model = self.model(routine.model)?;
        Some((model, model.field(routine.field)?))
    }

    /// The text of a file of `sql`.
    pub(super) fn objects(&self) -> String {
        let mut text = String::new();
        for routine in &self.routines {
            if let Some((model, field)) = self.used(routine) {
                self.push_routine(&mut text, routine, model, field);
            }
        }
        text
    }

    fn push_routine(&self, text: &mut String, routine: &Routine, model: &Model, field: &Field) {
        let Routine { id, version, .. } = routine;
        let (table, column, key) = (ident(&model.db), ident(&field.db), ident(&model.fields[0].db));
        let written = match routine.what {
            What::Trigger => writeln!(
                text,
                "CREATE FUNCTION tg{id}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; /* {} */ END $$;
                 CREATE TRIGGER tr{id} BEFORE UPDATE OF {column} ON {table} FOR EACH ROW
                   WHEN (NEW.{column} IS NOT NULL OR {version} > 0) EXECUTE FUNCTION tg{id}();",
                version / 2
            ),
            What::Policy => writeln!(
                text,
                "CREATE POLICY po{id} ON {table} FOR {} USING ({column} IS NOT NULL OR {key} IS NOT NULL);",
                if version % 2 == 0 { "ALL" } else { "SELECT" }
            ),
            What::Reader => {
                let argument = match (version % 3, self.value_kind(field.kind)) {
                    (0, _) => String::new(),
                    (1, Kind::Enum(id)) => {
                        let ty = self.enums.iter().find(|it| it.id == id).map(|it| ident(&it.db));
                        ty.map_or_else(String::new, |ty| format!("a {ty}"))
                    }
                    _ => format!("a {table}"),
                };
                writeln!(
                    text,
                    "CREATE FUNCTION fr{id}({argument}) RETURNS bigint LANGUAGE sql STABLE
                     BEGIN ATOMIC SELECT count(t.{column}) FROM {table} AS t; END;"
                )
            }
            What::Check => writeln!(
                text,
                "CREATE FUNCTION ck{id}(v{} text) RETURNS boolean LANGUAGE sql IMMUTABLE RETURN length($1) < 50{};",
                version / 2,
                version % 2
            ),
        };
        written.expect("is written");
    }

    /// The checks of a model that call functions.
    pub(super) fn push_called_checks(&self, text: &mut String, model: &Model) {
        let of_model = |it: &&Routine| it.model == model.id && it.what == What::Check;
        for routine in self.routines.iter().filter(of_model) {
            if let Some(field) = model.field(routine.field) {
                let check = format!("ck{}(({})::text)", routine.id, ident(&field.db));
                let _ = writeln!(text, "  @@check({}, map: \"called{}\")", quoted(&check), routine.id);
            }
        }
    }
}
