//! Domains, composite types and sequences of random schemas, which files of `sql` create.

use std::fmt::Write as _;

use relata_codegen::sql::quote::{ident, literal};

use super::routine::What;
use super::sketch::{KINDS, Kind, Sketch};
use super::text::fulfilled;
use crate::random::Random;

#[derive(Debug, Clone)]
pub(super) struct Domain {
    pub(super) id: usize,
    /// Its place in the schemas.
    pub(super) schema: usize,
    /// What it is based on.
    pub(super) kind: Kind,
    pub(super) not_null: bool,
    /// Counts its edits: they change its default and its constraints.
    pub(super) version: usize,
    /// The number of the function that one of its constraints calls.
    pub(super) calls: Option<usize>,
}

#[derive(Debug, Clone)]
pub(super) struct Composite {
    pub(super) id: usize,
    pub(super) schema: usize,
    /// Number and type of each attribute.
    pub(super) attributes: Vec<(usize, Kind)>,
}

/// A sequence.
#[derive(Debug, Clone)]
pub(super) struct Counter {
    pub(super) id: usize,
    pub(super) schema: usize,
    pub(super) version: usize,
}

impl Domain {
    pub(super) fn name(&self) -> String {
        if self.id.is_multiple_of(3) { format!("Dom {}", self.id) } else { format!("dom{}", self.id) }
    }
}

impl Counter {
    pub(super) fn name(&self) -> String {
        format!("sq{}", self.id)
    }
}

impl Sketch {
    pub(super) fn domain(&self, id: usize) -> Option<&Domain> {
        self.domains.iter().find(|it| it.id == id)
    }

    pub(super) fn composite(&self, id: usize) -> Option<&Composite> {
        self.composites.iter().find(|it| it.id == id)
    }

    pub(super) fn counter(&self, id: usize) -> Option<&Counter> {
        self.counters.iter().find(|it| it.id == id)
    }

    pub(super) fn composite_path(&self, id: usize) -> String {
        self.composite(id).map_or_else(String::new, |it| self.path(it.schema, &format!("ct{id}")))
    }

    pub(super) fn add_domain(&mut self, random: &mut Random) {
        let (id, kind) = (self.number(), KINDS[random.below(KINDS.len())]);
        let checks: Vec<usize> = self.routines.iter().filter(|it| it.what == What::Check).map(|it| it.id).collect();
        let calls = random.pick(&checks).copied().filter(|_| random.percent(40));
        let (not_null, version) = (random.percent(30), random.below(6));
        self.domains.push(Domain { id, schema: self.schema_of(id), kind, not_null, version, calls });
    }

    pub(super) fn add_composite(&mut self, random: &mut Random) {
        let id = self.number();
        let attributes = (0..1 + random.below(3)).map(|_| self.attribute(random)).collect();
        self.composites.push(Composite { id, schema: self.schema_of(id), attributes });
    }

    pub(super) fn attribute(&mut self, random: &mut Random) -> (usize, Kind) {
        let kinds = [Kind::Int, Kind::BigInt, Kind::Text, Kind::Word, Kind::Price, Kind::Day];
        let kind = match random.pick(&self.enums) {
            Some(found) if random.percent(10) => Kind::Enum(found.id),
            _ => kinds[random.below(kinds.len())],
        };
        (self.number(), kind)
    }

    pub(super) fn add_counter(&mut self, random: &mut Random) {
        let id = self.number();
        self.counters.push(Counter { id, schema: self.schema_of(id), version: random.below(6) });
    }

    /// The statements that create them.
    pub(super) fn push_types(&self, text: &mut String) {
        for it in &self.domains {
            self.push_domain(text, it);
        }
        for it in &self.composites {
            let attribute = |(id, kind): &(usize, Kind)| format!("a{id} {}", self.sql_type(*kind));
            let attributes: Vec<String> = it.attributes.iter().map(attribute).collect();
            let _ = writeln!(text, "CREATE TYPE {} AS ({});", self.composite_path(it.id), attributes.join(", "));
        }
        for it in &self.counters {
            let options = match it.version % 6 {
                0 => "",
                1 => " AS integer START WITH 10",
                2 => " INCREMENT BY 5 CACHE 3",
                3 => " MINVALUE -7 MAXVALUE 1000000 START 4 CYCLE",
                4 => " AS bigint INCREMENT BY -1 MINVALUE -100 MAXVALUE 100 START 5",
                _ => " AS integer INCREMENT 2 NO CYCLE",
            };
            let _ = writeln!(text, "CREATE SEQUENCE {}{options};", self.path(it.schema, &it.name()));
        }
    }

    fn push_domain(&self, text: &mut String, it: &Domain) {
        let _ = write!(text, "CREATE DOMAIN {} AS {}", self.path(it.schema, &it.name()), self.sql_type(it.kind));
        if it.version % 3 == 1
            && let Some(default) = default(it.kind)
        {
            let _ = write!(text, " DEFAULT {default}");
        }
        if it.not_null {
            text.push_str(" NOT NULL");
        }
        if it.version > 0
            && let Some(check) = fulfilled(it.kind, "VALUE", it.version)
        {
            let name =
                if it.version.is_multiple_of(2) { format!(" CONSTRAINT {}", ident("is fine")) } else { String::new() };
            let _ = write!(text, "{name} CHECK ({check})");
        }
        if let Some(id) = it.calls {
            let _ = write!(text, " CONSTRAINT called CHECK ({}((VALUE)::text))", self.function(&format!("ck{id}"), id));
        }
        text.push_str(";\n");
    }

    /// The name of a function.
    pub(super) fn function(&self, name: &str, id: usize) -> String {
        self.path(self.schema_of(id), name)
    }

    /// A type as SQL.
    pub(super) fn sql_type(&self, kind: Kind) -> String {
        match self.value_kind(kind) {
            Kind::SmallInt => "smallint",
            Kind::Int => "integer",
            Kind::BigInt => "bigint",
            Kind::Float => "double precision",
            Kind::Decimal => "numeric(65,30)",
            Kind::Price => "numeric(10,2)",
            Kind::Bool => "boolean",
            Kind::Word => "varchar(12)",
            Kind::Citext => "citext",
            Kind::Uuid => "uuid",
            Kind::Time => "timestamp(3)",
            Kind::Zoned => "timestamptz(3)",
            Kind::Day => "date",
            Kind::Json => "jsonb",
            Kind::Bytes => "bytea",
            Kind::Enum(id) => {
                let found = self.enums.iter().find(|it| it.id == id);
                return found.map_or_else(String::new, |it| self.path(it.schema, &it.db));
            }
            Kind::Composite(id) => return self.composite_path(id),
            Kind::Text | Kind::KeyOf(_) | Kind::OtherWidthOf(_) | Kind::SecondOf(_) => "text",
        }
        .to_owned()
    }
}

/// The default of a domain.
fn default(kind: Kind) -> Option<String> {
    Some(match kind {
        Kind::SmallInt | Kind::Int | Kind::BigInt | Kind::Float | Kind::Decimal | Kind::Price => "8".to_owned(),
        Kind::Text | Kind::Word | Kind::Citext => literal("it's"),
        Kind::Day => "CURRENT_DATE".to_owned(),
        Kind::Uuid => "gen_random_uuid()".to_owned(),
        _ => return None,
    })
}

/// Other constraints, another default, another schema; attributes come and go.
pub(super) fn edit_type(sketch: &mut Sketch, random: &mut Random) {
    match random.below(10) {
        0 => sketch.add_domain(random),
        1 => sketch.add_composite(random),
        2 => sketch.add_counter(random),
        3..6 => edit_domain(sketch, random),
        6 | 7 => edit_composite(sketch, random),
        8 => {
            if let Some(at) = random.place(sketch.counters.len()) {
                sketch.counters[at].version += 1 + random.below(3);
            }
        }
        _ => move_or_drop(sketch, random),
    }
}

fn edit_domain(sketch: &mut Sketch, random: &mut Random) {
    let checks: Vec<usize> = sketch.routines.iter().filter(|it| it.what == What::Check).map(|it| it.id).collect();
    let Some(at) = random.place(sketch.domains.len()) else { return };
    let it = &mut sketch.domains[at];
    match random.below(4) {
        0 => it.not_null ^= true,
        1 => it.calls = if it.calls.is_some() { None } else { random.pick(&checks).copied() },
        _ => it.version += 1 + random.below(3),
    }
}

fn edit_composite(sketch: &mut Sketch, random: &mut Random) {
    let new = sketch.attribute(random);
    let Some(at) = random.place(sketch.composites.len()) else { return };
    let it = &mut sketch.composites[at];
    match random.below(3) {
        0 if it.attributes.len() > 1 => {
            it.attributes.remove(random.below(it.attributes.len()));
        }
        1 => {
            let is_it = |kind: Kind| kind == Kind::Composite(it.id);
            let is_used = sketch.models.iter().flat_map(|model| &model.fields).any(|field| is_it(field.kind));
            let place = random.below(it.attributes.len());
            // PostgreSQL does not change the type of an attribute that a column has.
            if !is_used {
                it.attributes[place].1 = new.1;
            }
        }
        _ => it.attributes.push(new),
    }
}

fn move_or_drop(sketch: &mut Sketch, random: &mut Random) {
    let (schema, moves) = (random.below(3), random.percent(50) && sketch.has_schemas);
    match random.below(3) {
        0 => {
            if let Some(at) = random.place(sketch.domains.len()) {
                if moves {
                    sketch.domains[at].schema = schema;
                } else {
                    sketch.domains.remove(at);
                }
            }
        }
        1 => {
            if let Some(at) = random.place(sketch.composites.len()) {
                if moves {
                    sketch.composites[at].schema = schema;
                } else {
                    sketch.composites.remove(at);
                }
            }
        }
        _ => {
            if let Some(at) = random.place(sketch.counters.len()) {
                if moves {
                    sketch.counters[at].schema = schema;
                } else {
                    sketch.counters.remove(at);
                }
            }
        }
    }
}
