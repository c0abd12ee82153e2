//! A schema as data that can be edited, and its text.
//!
//! Whatever may be renamed has a number, which is its identity: by it a column is found again after any edit.

use std::fmt::Write as _;

use relata_codegen::sql::quote::{ident, literal};

use super::routine::Routine;
use super::view::View;
use crate::random::Random;

/// Names in the database: plain ones, and such that have to be quoted.
const PREFIXES: [&str; 6] = ["c", "Col ", "se\"lect", "ü", "order", "x'y"];

#[derive(Debug, Clone, Default)]
pub(super) struct Sketch {
    pub(super) enums: Vec<Enum>,
    pub(super) models: Vec<Model>,
    /// Lists on both sides: a number, and the two models, which may be one.
    pub(super) pairs: Vec<(usize, usize, usize)>,
    pub(super) views: Vec<View>,
    pub(super) routines: Vec<Routine>,
    /// The next free number.
    next: usize,
}

#[derive(Debug, Clone)]
pub(super) struct Enum {
    pub(super) id: usize,
    pub(super) name: String,
    pub(super) db: String,
    pub(super) renamed_from: Option<String>,
    /// Number, name and label of each value.
    pub(super) labels: Vec<(usize, String, String)>,
}

#[derive(Debug, Clone)]
pub(super) struct Model {
    pub(super) id: usize,
    pub(super) name: String,
    pub(super) db: String,
    pub(super) renamed_from: Option<String>,
    /// The first one is called `id`, and links point at it.
    pub(super) fields: Vec<Field>,
    /// A second field of the primary key.
    pub(super) second_key: Option<usize>,
    pub(super) links: Vec<Link>,
    pub(super) indexes: Vec<Index>,
    /// Fields that a check is about, each with the number in its name.
    pub(super) checks: Vec<(usize, usize)>,
    /// The number in its comment.
    pub(super) comment: Option<usize>,
}

#[derive(Debug, Clone)]
pub(super) struct Field {
    pub(super) id: usize,
    pub(super) name: String,
    pub(super) db: String,
    pub(super) renamed_from: Option<String>,
    pub(super) kind: Kind,
    pub(super) arity: Arity,
    pub(super) default: Option<usize>,
    pub(super) unique: bool,
    /// The number in its comment.
    pub(super) comment: Option<usize>,
}

/// A field that points at the `id` of a model.
#[derive(Debug, Clone)]
pub(super) struct Link {
    pub(super) id: usize,
    pub(super) field: usize,
    pub(super) target: usize,
    pub(super) on_delete: &'static str,
}

#[derive(Debug, Clone)]
pub(super) struct Index {
    pub(super) id: usize,
    pub(super) fields: Vec<usize>,
    pub(super) unique: bool,
    pub(super) descending: bool,
    /// The field that its condition is about.
    pub(super) condition: Option<usize>,
    pub(super) is_named: bool,
    /// Its first part is an expression over the field.
    pub(super) is_computed: bool,
    /// If unique, it is an exclusion constraint.
    pub(super) excludes: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Arity {
    Required,
    Optional,
    List,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    SmallInt,
    Int,
    BigInt,
    Float,
    Decimal,
    Price,
    Bool,
    Text,
    Word,
    Uuid,
    Time,
    Zoned,
    Day,
    Json,
    Bytes,
    Enum(usize),
    /// That of the `id` of a model.
    KeyOf(usize),
}

pub(super) const KINDS: [Kind; 15] = [
    Kind::SmallInt,
    Kind::Int,
    Kind::BigInt,
    Kind::Float,
    Kind::Decimal,
    Kind::Price,
    Kind::Bool,
    Kind::Text,
    Kind::Word,
    Kind::Uuid,
    Kind::Time,
    Kind::Zoned,
    Kind::Day,
    Kind::Json,
    Kind::Bytes,
];

impl Kind {
    /// Type, native type and two defaults, as the schema language writes them.
    pub(super) fn words(self) -> (&'static str, &'static str, [&'static str; 2]) {
        match self {
            Self::SmallInt => ("Int", "@db.SmallInt", ["3", "-4"]),
            Self::Int => ("Int", "", ["5", "autoincrement()"]),
            Self::BigInt => ("BigInt", "", ["-6", "autoincrement()"]),
            Self::Float => ("Float", "", ["1.5", "-2"]),
            Self::Decimal => ("Decimal", "", ["2.25", "0"]),
            Self::Price => ("Decimal", "@db.Decimal(10, 2)", ["9.99", "1"]),
            Self::Bool => ("Boolean", "", ["true", "false"]),
            Self::Text => ("String", "", ["\"it's\"", "dbgenerated(\"'a' || 'b'\")"]),
            Self::Word => ("String", "@db.VarChar(12)", ["\"word\"", "\"\""]),
            Self::Uuid => ("String", "@db.Uuid", ["uuid()", "dbgenerated(\"gen_random_uuid()\")"]),
            Self::Time => ("DateTime", "", ["now()", "\"2020-02-02T02:02:02.200Z\""]),
            Self::Zoned => ("DateTime", "@db.Timestamptz(3)", ["now()", "\"2020-02-02T02:02:02.200Z\""]),
            Self::Day => ("DateTime", "@db.Date", ["now()", "\"2020-02-02T00:00:00Z\""]),
            Self::Json => ("Json", "", ["\"{ \\\"b\\\": [1, true] }\"", "\"[]\""]),
            Self::Bytes => ("Bytes", "", ["\"AQID\"", "\"\""]),
            Self::Enum(_) | Self::KeyOf(_) => ("", "", ["", ""]),
        }
    }

    pub(super) fn counts(self) -> bool {
        matches!(self, Self::Int | Self::BigInt)
    }

    /// Whether a key may be built on it, and its rows can be told apart.
    pub(super) fn is_key(self) -> bool {
        !matches!(self, Self::Bool | Self::Json | Self::Enum(_))
    }
}

impl Sketch {
    pub(super) fn number(&mut self) -> usize {
        self.next += 1;
        self.next
    }

    pub(super) fn db_name(&mut self, random: &mut Random) -> String {
        let prefix = if random.percent(70) { "c" } else { PREFIXES[random.below(PREFIXES.len())] };
        format!("{prefix}{}", self.number())
    }

    /// A schema with some of everything.
    pub(super) fn random(random: &mut Random) -> Self {
        let mut sketch = Self::default();
        for _ in 0..random.below(3) {
            sketch.add_enum(random);
        }
        for _ in 0..1 + random.below(4) {
            sketch.add_model(random);
        }
        for _ in 0..random.below(4) {
            sketch.add_link(random);
        }
        if random.percent(30) {
            sketch.add_pair(random);
        }
        for _ in 0..random.below(3) {
            sketch.add_view(random);
        }
        for _ in 0..random.below(4) {
            sketch.add_routine(random);
        }
        sketch
    }

    pub(super) fn add_pair(&mut self, random: &mut Random) {
        let id = self.number();
        let sides = (random.pick(&self.models).map(|it| it.id), random.pick(&self.models).map(|it| it.id));
        if let (Some(one), Some(other)) = sides {
            self.pairs.push((id, one, other));
        }
    }

    pub(super) fn add_enum(&mut self, random: &mut Random) {
        let id = self.number();
        let db = self.db_name(random);
        let labels = (0..2 + random.below(3)).map(|_| self.label()).collect();
        self.enums.push(Enum { id, name: format!("Enum{id}"), db, renamed_from: None, labels });
    }

    pub(super) fn label(&mut self) -> (usize, String, String) {
        let id = self.number();
        (id, format!("V{id}"), format!("v{id}"))
    }

    pub(super) fn add_model(&mut self, random: &mut Random) {
        let id = self.number();
        let db = self.db_name(random);
        let mut key = self.field(random);
        key.kind = *random.pick(&[Kind::Int, Kind::BigInt, Kind::Uuid, Kind::Text]).expect("one of four");
        key.name = "id".to_owned();
        key.db = "id".to_owned();
        key.arity = Arity::Required;
        key.unique = false;
        key.default = (key.kind.counts() && random.percent(60)).then_some(1);
        let mut fields = vec![key];
        for _ in 0..1 + random.below(5) {
            fields.push(self.field(random));
        }
        let model = Model {
            id,
            name: format!("Model{id}"),
            db,
            renamed_from: None,
            fields,
            second_key: None,
            links: Vec::new(),
            indexes: Vec::new(),
            checks: Vec::new(),
            comment: random.percent(20).then_some(id),
        };
        self.models.push(model);
        let at = self.models.len() - 1;
        for _ in 0..random.below(3) {
            self.add_index(random, at);
        }
        if random.percent(40) {
            self.add_check(random, at);
        }
    }

    pub(super) fn field(&mut self, random: &mut Random) -> Field {
        let id = self.number();
        let kind = self.kind(random);
        let arity = match random.below(10) {
            0..5 => Arity::Required,
            5..9 => Arity::Optional,
            _ => Arity::List,
        };
        let default = random.percent(50).then(|| random.below(2));
        let unique = random.percent(15) && arity != Arity::List && kind.is_key();
        let db = self.db_name(random);
        let comment = random.percent(20).then_some(id);
        let name = format!("field{id}");
        let mut field = Field { id, name, db, renamed_from: None, kind, arity, default, unique, comment };
        field.mend();
        field
    }

    pub(super) fn kind(&self, random: &mut Random) -> Kind {
        match random.pick(&self.enums) {
            Some(found) if random.percent(30) => Kind::Enum(found.id),
            _ => KINDS[random.below(KINDS.len())],
        }
    }

    pub(super) fn add_index(&mut self, random: &mut Random, at: usize) {
        let id = self.number();
        let model = &mut self.models[at];
        let usable: Vec<&Field> =
            model.fields.iter().filter(|it| it.arity != Arity::List && it.kind != Kind::Json).collect();
        let Some(first) = random.pick(&usable) else { return };
        let mut fields = vec![first.id];
        if let Some(second) = random.pick(&usable).filter(|second| second.id != first.id && random.percent(50)) {
            fields.push(second.id);
        }
        let unique = random.percent(30) && first.kind.is_key();
        let condition = random.pick(&usable).filter(|_| random.percent(30)).map(|field| field.id);
        let (descending, is_named, is_computed) = (random.percent(20), random.percent(20), random.percent(20));
        let excludes = random.percent(40);
        model.indexes.push(Index { id, fields, unique, descending, condition, is_named, is_computed, excludes });
    }

    pub(super) fn add_check(&mut self, random: &mut Random, at: usize) {
        let id = self.number();
        let model = &mut self.models[at];
        let field = model.fields[random.below(model.fields.len())].id;
        model.checks.push((id, field));
    }

    pub(super) fn add_link(&mut self, random: &mut Random) {
        let Some(at) = random.place(self.models.len()) else { return };
        let target = self.models[random.below(self.models.len())].id;
        let mut field = self.field(random);
        field.kind = Kind::KeyOf(target);
        field.default = None;
        if field.arity == Arity::List {
            field.arity = Arity::Optional;
        }
        field.unique = false;
        let on_delete = on_delete(random, field.arity);
        let link = Link { id: self.number(), field: field.id, target, on_delete };
        self.models[at].links.push(link);
        self.models[at].fields.push(field);
    }

    pub(super) fn model(&self, id: usize) -> Option<&Model> {
        self.models.iter().find(|model| model.id == id)
    }

    /// The kind of the values: that of the referenced key for a link.
    pub(super) fn value_kind(&self, kind: Kind) -> Kind {
        match kind {
            Kind::KeyOf(model) => self.model(model).map_or(Kind::Int, |model| model.fields[0].kind),
            other => other,
        }
    }

    /// The text of the schema.
    pub(super) fn text(&self) -> String {
        let mut text = "datasource db {\n  provider = \"postgresql\"\n}\n\ngenerator client {\n  provider = \"relata\"\n  comments = true\n}\n".to_owned();
        for it in &self.enums {
            let _ = writeln!(text, "\nenum {} {{", it.name);
            for (_, name, label) in &it.labels {
                let _ = writeln!(text, "  {name} @map({})", quoted(label));
            }
            let _ =
                writeln!(text, "\n  @@map({}){}\n}}", quoted(&it.db), renamed("\n  @@", it.renamed_from.as_deref()));
        }
        for model in &self.models {
            self.push_model(&mut text, model);
        }
        for at in 0..self.views.len() {
            self.push_view(&mut text, at);
        }
        text
    }

    fn push_model(&self, text: &mut String, model: &Model) {
        let _ = writeln!(text, "\n{}model {} {{", comment("", model.comment), model.name);
        for field in &model.fields {
            self.push_field(text, model, field);
        }
        for link in &model.links {
            let Some(target) = self.model(link.target) else { continue };
            let Some(field) = model.field(link.field) else { continue };
            let mark = if field.arity == Arity::Optional { "?" } else { "" };
            let _ = writeln!(
                text,
                "  link{} {}{mark} @relation(\"r{}\", fields: [{}], references: [id], onDelete: {})",
                link.id, target.name, link.id, field.name, link.on_delete
            );
        }
        for other in &self.models {
            for link in other.links.iter().filter(|link| link.target == model.id) {
                let _ = writeln!(text, "  back{} {}[] @relation(\"r{}\")", link.id, other.name, link.id);
            }
        }
        for (id, one, other) in &self.pairs {
            let sides = [("one", one, other), ("other", other, one)];
            for (side, _, target) in sides.into_iter().filter(|(_, owner, _)| **owner == model.id) {
                let Some(target) = self.model(*target) else { continue };
                let _ = writeln!(text, "  {side}{id} {}[] @relation(\"p{id}\")", target.name);
            }
        }
        if let Some(second) = model.second_key.and_then(|id| model.field(id)) {
            let _ = writeln!(text, "\n  @@id([id, {}])", second.name);
        }
        for index in &model.indexes {
            self.push_index(text, model, index);
        }
        for (id, field) in &model.checks {
            if let Some(field) = model.field(*field) {
                let _ = writeln!(text, "  @@check({}, map: \"check{id}\")", quoted(&self.condition(model, field)));
            }
        }
        self.push_called_checks(text, model);
        let _ =
            writeln!(text, "  @@map({}){}\n}}", quoted(&model.db), renamed("\n  @@", model.renamed_from.as_deref()));
    }

    fn push_field(&self, text: &mut String, model: &Model, field: &Field) {
        let kind = self.value_kind(field.kind);
        let (ty, native, defaults) = kind.words();
        let named = self.enums.iter().find(|it| kind == Kind::Enum(it.id));
        let mark = match field.arity {
            Arity::Required => "",
            Arity::Optional => "?",
            Arity::List => "[]",
        };
        text.push_str(&comment("  ", field.comment));
        let _ = write!(text, "  {} {}{mark}", field.name, named.map_or(ty, |it| &it.name));
        let is_id = field.name == "id";
        match (is_id, model.second_key) {
            (true, None) => text.push_str(" @id"),
            (true, Some(_)) => text.push_str(" @unique"),
            _ if field.unique => text.push_str(" @unique"),
            _ => {}
        }
        let value = field.default.map(|at| match named {
            Some(it) => it.labels[at.min(it.labels.len() - 1)].1.clone(),
            None => defaults[at].to_owned(),
        });
        match (value, field.arity) {
            (Some(value), Arity::List) => {
                let _ = write!(text, " @default([{value}])");
            }
            (Some(value), _) => {
                let _ = write!(text, " @default({value})");
            }
            (None, _) => {}
        }
        let _ = writeln!(text, " {native} @map({}){}", quoted(&field.db), renamed(" @", field.renamed_from.as_deref()));
    }

    fn push_index(&self, text: &mut String, model: &Model, index: &Index) {
        let excludes = index.unique && index.excludes;
        let sort = match (excludes, index.descending) {
            (true, _) => "(with: \"=\")",
            (false, true) => "(sort: Desc)",
            (false, false) => "",
        };
        let with = if excludes { ", with: \"=\"" } else { "" };
        let fields: Vec<String> = index
            .fields
            .iter()
            .filter_map(|id| model.field(*id))
            .enumerate()
            .map(|(at, field)| match self.computed(field).filter(|_| at == 0 && index.is_computed) {
                Some(sql) => format!("raw({}{with})", quoted(&sql)),
                None => format!("{}{sort}", field.name),
            })
            .collect();
        let (attribute, mut more) = match (index.unique, excludes) {
            (_, true) => ("exclude", ", type: BTree".to_owned()),
            (true, false) => ("unique", String::new()),
            (false, false) => ("index", String::new()),
        };
        if let Some(field) = index.condition.and_then(|id| model.field(id)) {
            let _ = write!(more, ", where: raw({})", quoted(&self.condition(model, field)));
        }
        // Without names of their own, two alike would be one.
        if index.is_named || index.condition.is_some() || index.descending || index.is_computed {
            let _ = write!(more, ", map: \"index{}\"", index.id);
        }
        let _ = writeln!(text, "  @@{attribute}([{}]{more})", fields.join(", "));
    }

    /// An expression over a field that differs where the values do.
    fn computed(&self, field: &Field) -> Option<String> {
        let column = ident(&field.db);
        match self.value_kind(field.kind) {
            Kind::SmallInt | Kind::Int | Kind::BigInt | Kind::Float | Kind::Decimal | Kind::Price => {
                Some(format!("{column} + 1"))
            }
            Kind::Text | Kind::Word => Some(format!("lower({column})")),
            _ => None,
        }
    }

    /// A condition about a field that all rows fulfil.
    fn condition(&self, model: &Model, field: &Field) -> String {
        let (column, key) = (ident(&field.db), ident(&model.fields[0].db));
        if field.arity == Arity::List {
            return format!("cardinality({column}) < 100");
        }
        match self.value_kind(field.kind) {
            Kind::SmallInt | Kind::Int | Kind::BigInt | Kind::Float | Kind::Decimal | Kind::Price => {
                format!("{column} > -1000 AND {column} <> 77")
            }
            Kind::Text | Kind::Word => format!("length({column}) < 500 OR {column} LIKE 'x%'"),
            Kind::Time | Kind::Zoned | Kind::Day => format!("{column} > '1999-01-01'"),
            Kind::Bool => format!("{column} OR {key} IS NOT NULL"),
            Kind::Enum(id) => {
                let label = self.enums.iter().find(|it| it.id == id).map_or("", |it| &it.labels[0].2);
                format!("{column} <> {} OR {key} IS NOT NULL", literal(label))
            }
            Kind::Uuid | Kind::Json | Kind::Bytes | Kind::KeyOf(_) => {
                format!("{column} IS NOT NULL OR {key} IS NOT NULL")
            }
        }
    }
}

impl Model {
    pub(super) fn field(&self, id: usize) -> Option<&Field> {
        self.fields.iter().find(|field| field.id == id)
    }

    /// Whether no two rows may have the same value there.
    pub(super) fn is_distinct(&self, field: &Field) -> bool {
        field.name == "id" || field.unique || self.indexes.iter().any(|it| it.unique && it.fields.contains(&field.id))
    }
}

impl Field {
    /// Takes away what does not go together.
    pub(super) fn mend(&mut self) {
        let is_list = self.arity == Arity::List;
        if is_list || !self.kind.is_key() {
            self.unique = false;
        }
        // Only a required column counts, and a list has values for a default.
        let is_counter = self.kind.counts() && self.default == Some(1);
        let is_call = matches!(self.kind, Kind::Uuid | Kind::Time | Kind::Zoned | Kind::Day) && self.default == Some(0);
        let is_sql = matches!(self.kind, Kind::Uuid | Kind::Text) && self.default == Some(1);
        if (is_counter && self.arity != Arity::Required) || (is_list && (is_call || is_sql)) {
            self.default = None;
        }
    }
}

pub(super) fn on_delete(random: &mut Random, arity: Arity) -> &'static str {
    let actions: &[&'static str] =
        if arity == Arity::Optional { &["SetNull", "Cascade", "NoAction"] } else { &["Cascade", "Restrict"] };
    random.pick(actions).copied().unwrap_or("NoAction")
}

fn renamed(prefix: &str, from: Option<&str>) -> String {
    from.map_or_else(String::new, |from| format!("{prefix}renamedFrom({})", quoted(from)))
}

/// The comment of a number, above a line.
fn comment(indent: &str, number: Option<usize>) -> String {
    number
        .map_or_else(String::new, |number| format!("{indent}/// It's \"{number}\" \\ ü\n{indent}///\n{indent}/// $1\n"))
}

/// A string of the schema language.
pub(super) fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}
