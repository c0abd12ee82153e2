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
    /// A procedure that writes the field.
    Writer,
}

impl Sketch {
    pub(super) fn add_routine(&mut self, random: &mut Random) {
        let id = self.number();
        let Some(model) = random.pick(&self.models) else { return };
        let Some(field) = random.pick(&model.fields) else { return };
        let what = [What::Trigger, What::Policy, What::Reader, What::Check, What::Writer][random.below(5)];
        self.routines.push(Routine { id, model: model.id, field: field.id, what, version: random.below(4) });
    }

    fn used<'s>(&'s self, routine: &Routine) -> Option<(&'s Model, &'s Field)> {
        let model = self.model(routine.model)?;
        Some((model, model.field(routine.field)?))
    }

    /// Whether the field is still there, without which there is no statement.
    pub(super) fn is_written(&self, routine: &Routine) -> bool {
        self.used(routine).is_some()
    }

    /// The text of a file of `sql`.
    pub(super) fn objects(&self) -> String {
        let mut text = String::new();
        self.push_types(&mut text);
        for routine in &self.routines {
            if let Some((model, field)) = self.used(routine) {
                self.push_routine(&mut text, routine, model, field);
            }
        }
        text
    }

    fn push_routine(&self, text: &mut String, routine: &Routine, model: &Model, field: &Field) {
        let Routine { id, version, .. } = routine;
        let (table, column, key) = (self.table(model), ident(&field.db), ident(&model.fields[0].db));
        let named = |prefix: &str| self.function(&format!("{prefix}{id}"), *id);
        let written = match routine.what {
            What::Trigger => writeln!(
                text,
                "CREATE FUNCTION {function}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; /* {} */ END $$;
                 CREATE TRIGGER tr{id} {when} UPDATE OF {column} ON {table} FOR EACH ROW
                   WHEN (NEW.{key} IS NOT NULL OR {version} > 0) EXECUTE FUNCTION {function}();",
                version / 2,
                function = named("tg"),
                when = if field.generated.is_some() || version % 3 == 0 { "AFTER" } else { "BEFORE" },
            ),
            What::Policy => writeln!(
                text,
                "CREATE POLICY po{id} ON {table} FOR {} USING ({column} IS NOT NULL OR {key} IS NOT NULL);",
                if version % 2 == 0 { "ALL" } else { "SELECT" }
            ),
            What::Reader => writeln!(
                text,
                "CREATE FUNCTION {}({}) RETURNS bigint LANGUAGE sql STABLE
                 BEGIN ATOMIC SELECT count(t.{column}) FROM {table} AS t; END;",
                named("fr"),
                self.argument(routine, field).map_or_else(String::new, |ty| format!("a {ty}"))
            ),
            What::Writer => writeln!(
                text,
                "CREATE PROCEDURE {}(INOUT a {}) LANGUAGE sql
                 BEGIN ATOMIC DELETE FROM {table} AS t WHERE t.{column} IS NULL; SELECT a; END;",
                named("pr"),
                self.argument(routine, field).unwrap_or_else(|| "integer".to_owned())
            ),
            What::Check => writeln!(
                text,
                "CREATE FUNCTION {}(v{} text) RETURNS boolean LANGUAGE sql IMMUTABLE RETURN length($1) < 50{};",
                named("ck"),
                version / 2,
                version % 2
            ),
        };
        written.expect("is written");
    }

    /// The type of a routine's argument: that of the field, another one that files create, or a row of the table.
    fn argument(&self, routine: &Routine, field: &Field) -> Option<String> {
        match (routine.version % 5, self.value_kind(field.kind)) {
            (0, _) => None,
            (1, kind @ Kind::Enum(_)) => Some(self.sql_type(kind)).filter(|ty| !ty.is_empty()),
            (2, _) => self.composites.first().map(|it| self.composite_path(it.id)),
            (3, _) => self.domains.first().map(|it| self.path(it.schema, &it.name())),
            _ => self.model(routine.model).map(|model| self.table(model)),
        }
    }

    /// The checks of a model that call functions.
    pub(super) fn push_called_checks(&self, text: &mut String, model: &Model) {
        let of_model = |it: &&Routine| it.model == model.id && it.what == What::Check;
        for routine in self.routines.iter().filter(of_model) {
            if let Some(field) = model.field(routine.field) {
                let function = self.function(&format!("ck{}", routine.id), routine.id);
                let check = format!("{function}(({})::text)", ident(&field.db));
                let _ = writeln!(text, "  @@check({}, map: \"called{}\")", quoted(&check), routine.id);
            }
        }
    }
}
