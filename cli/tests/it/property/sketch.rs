//! A schema as data that can be edited.
//!
//! Whatever may be renamed has a number, which is its identity: by it a column is found again after any edit.

use relata_codegen::sql::quote::ident;

use super::routine::Routine;
use super::types::{Composite, Counter, Domain};
use super::view::View;
use crate::random::Random;

/// Names in the database: plain ones, and such that have to be quoted.
const PREFIXES: [&str; 6] = ["c", "Col ", "se\"lect", "ü", "order", "x'y"];

/// The PostgreSQL schemas of a schema that has several. The first one is that of the connection.
pub(super) const SCHEMAS: [&str; 3] = ["migrated", "Shop 1", "th'ird"];

#[derive(Debug, Clone, Default)]
pub(super) struct Sketch {
    /// Whether the datasource lists [`SCHEMAS`].
    pub(super) has_schemas: bool,
    pub(super) enums: Vec<Enum>,
    pub(super) domains: Vec<Domain>,
    pub(super) composites: Vec<Composite>,
    pub(super) counters: Vec<Counter>,
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
    /// Its place in [`SCHEMAS`].
    pub(super) schema: usize,
    pub(super) renamed_from: Option<String>,
    /// Number, name and label of each value.
    pub(super) labels: Vec<(usize, String, String)>,
}

#[derive(Debug, Clone)]
pub(super) struct Model {
    pub(super) id: usize,
    pub(super) name: String,
    pub(super) db: String,
    pub(super) schema: usize,
    pub(super) renamed_from: Option<String>,
    /// The first one is called `id`, and links point at it.
    pub(super) fields: Vec<Field>,
    /// A second field of the primary key.
    pub(super) second_key: Option<usize>,
    /// How its rows are kept in partitions. It never changes.
    pub(super) partition: Option<Partition>,
    pub(super) unlogged: bool,
    /// Storage parameters of the table, and of the index of its primary key.
    pub(super) storage: Option<usize>,
    pub(super) key_storage: Option<usize>,
    pub(super) links: Vec<Link>,
    pub(super) indexes: Vec<Index>,
    /// Fields that a check is about, each with the number in its name.
    pub(super) checks: Vec<(usize, usize)>,
    /// The number in its comment.
    pub(super) comment: Option<usize>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Partition {
    pub(super) method: &'static str,
    /// By the second field of the primary key instead of `id`, which is then no key of its own.
    pub(super) by_second: bool,
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
    /// Which options a unique field has.
    pub(super) unique_options: usize,
    /// The number of its domain, which has the same kind.
    pub(super) domain: Option<usize>,
    /// The field that it is computed from, and which expression it is.
    pub(super) generated: Option<(usize, usize)>,
    /// Which options it has as an identity column.
    pub(super) identity: Option<usize>,
    /// The place of its collation in [`COLLATIONS`].
    pub(super) collation: Option<usize>,
    /// The number of the sequence that its default takes values from.
    pub(super) counter: Option<usize>,
    /// The number in its comment.
    pub(super) comment: Option<usize>,
}

pub(super) const COLLATIONS: [&str; 3] = ["C", "POSIX", "de-x-icu"];

/// A field that points at the `id` of a model, or two that point at its primary key.
#[derive(Debug, Clone)]
pub(super) struct Link {
    pub(super) id: usize,
    pub(super) field: usize,
    /// The field that points at the second field of the key.
    pub(super) second: Option<usize>,
    pub(super) target: usize,
    pub(super) on_delete: &'static str,
    pub(super) on_update: Option<&'static str>,
    /// `InitiallyDeferred` or `InitiallyImmediate`.
    pub(super) deferrable: Option<&'static str>,
    pub(super) match_full: bool,
    /// Whether a deletion only sets the second column to null.
    pub(super) sets_second: bool,
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
    pub(super) method: Method,
    pub(super) include: Option<usize>,
    pub(super) nulls: Option<&'static str>,
    pub(super) nulls_not_distinct: bool,
    pub(super) deferrable: Option<&'static str>,
    pub(super) storage: Option<usize>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Method {
    BTree,
    Hash,
    Brin,
    Gin,
    /// Gin, with an operator class of the language.
    Paths,
    /// Gin, with an operator class of the extension pg_trgm.
    Trigrams,
    Gist,
    SpGist,
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
    Citext,
    Uuid,
    Time,
    Zoned,
    Day,
    Json,
    Bytes,
    Enum(usize),
    Composite(usize),
    /// That of the `id` of a model.
    KeyOf(usize),
    /// The same, but BIGINT for an INTEGER and the other way around.
    OtherWidthOf(usize),
    /// That of the second field of a model's primary key.
    SecondOf(usize),
}

pub(super) const KINDS: [Kind; 16] = [
    Kind::SmallInt,
    Kind::Int,
    Kind::BigInt,
    Kind::Float,
    Kind::Decimal,
    Kind::Price,
    Kind::Bool,
    Kind::Text,
    Kind::Word,
    Kind::Citext,
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
            Self::Citext => ("String", "@db.Citext", ["\"Word\"", "\"it's\""]),
            Self::Uuid => ("String", "@db.Uuid", ["uuid()", "dbgenerated(\"gen_random_uuid()\")"]),
            Self::Time => ("DateTime", "", ["now()", "\"2020-02-02T02:02:02.200Z\""]),
            Self::Zoned => ("DateTime", "@db.Timestamptz(3)", ["now()", "\"2020-02-02T02:02:02.200Z\""]),
            Self::Day => ("DateTime", "@db.Date", ["now()", "\"2020-02-02T00:00:00Z\""]),
            Self::Json => ("Json", "", ["\"{ \\\"b\\\": [1, true] }\"", "\"[]\""]),
            Self::Bytes => ("Bytes", "", ["\"AQID\"", "\"\""]),
            Self::Enum(_) | Self::Composite(_) | Self::KeyOf(_) | Self::OtherWidthOf(_) | Self::SecondOf(_) => {
                ("", "", ["", ""])
            }
        }
    }

    pub(super) fn counts(self) -> bool {
        matches!(self, Self::Int | Self::BigInt)
    }

    pub(super) fn is_text(self) -> bool {
        matches!(self, Self::Text | Self::Word | Self::Citext)
    }

    /// Whether a key may be built on it, and its rows can be told apart.
    pub(super) fn is_key(self) -> bool {
        !matches!(self, Self::Bool | Self::Json | Self::Enum(_) | Self::Composite(_))
    }

    /// Whether it is a type of its own, and not an enum, a composite type or the type of another field.
    pub(super) fn is_scalar(self) -> bool {
        !matches!(self, Self::Enum(_) | Self::Composite(_)) && self.target().is_none()
    }

    /// The model that a field of a link points at.
    pub(super) fn target(self) -> Option<usize> {
        match self {
            Self::KeyOf(model) | Self::OtherWidthOf(model) | Self::SecondOf(model) => Some(model),
            _ => None,
        }
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

    pub(super) fn model(&self, id: usize) -> Option<&Model> {
        self.models.iter().find(|model| model.id == id)
    }

    /// The kind of the values: that of the referenced key for a link.
    pub(super) fn value_kind(&self, kind: Kind) -> Kind {
        let key = |model: usize| self.model(model).map_or(Kind::Int, |model| model.fields[0].kind);
        match kind {
            Kind::KeyOf(model) => key(model),
            Kind::OtherWidthOf(model) => match key(model) {
                Kind::Int => Kind::BigInt,
                Kind::BigInt => Kind::Int,
                other => other,
            },
            Kind::SecondOf(model) => {
                let second = self.model(model).and_then(|model| model.field(model.second_key?));
                second.map_or(Kind::Int, |field| match field.kind {
                    // A circle of such keys has no kind.
                    Kind::SecondOf(_) => Kind::Int,
                    other => self.value_kind(other),
                })
            }
            other => other,
        }
    }

    /// A name in one of the schemas, as SQL.
    pub(super) fn path(&self, schema: usize, name: &str) -> String {
        if self.has_schemas { format!("{}.{}", ident(SCHEMAS[schema]), ident(name)) } else { ident(name) }
    }

    pub(super) fn table(&self, model: &Model) -> String {
        self.path(model.schema, &model.db)
    }

    /// The schema of something that stays where it is.
    pub(super) fn schema_of(&self, id: usize) -> usize {
        id % SCHEMAS.len()
    }
}

impl Model {
    pub(super) fn field(&self, id: usize) -> Option<&Field> {
        self.fields.iter().find(|field| field.id == id)
    }

    /// The field that its partitions are about.
    pub(super) fn partition_field(&self) -> Option<&Field> {
        match self.partition? {
            Partition { by_second: true, .. } => self.field(self.second_key?),
            Partition { by_second: false, .. } => self.fields.first(),
        }
    }

    /// Whether no two rows may have the same value there.
    pub(super) fn is_distinct(&self, field: &Field) -> bool {
        let is_unique = |field: &Field| {
            field.name == "id"
                || field.unique
                || self.indexes.iter().any(|it| it.unique && it.fields.contains(&field.id))
        };
        let is_source = |other: &&Field| other.generated.is_some_and(|(source, _)| source == field.id);
        is_unique(field) || self.fields.iter().filter(is_source).any(is_unique)
    }

    /// Whether a link uses the field.
    pub(super) fn is_linked(&self, field: usize) -> bool {
        self.links.iter().any(|link| link.field == field || link.second == Some(field))
    }
}

/// A string of the schema language.
pub(super) fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}
