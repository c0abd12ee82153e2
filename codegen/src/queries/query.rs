//! What a query file means: its function, the parameters it takes, the columns it gives.

use super::types::Base;
use crate::diagnostics::Span;
use crate::ir::{ColumnType, FieldId, ModelId, NativeType, ScalarType, Schema};

/// A query that is a function of the client.
#[derive(Debug, Clone, PartialEq)]
pub struct Query {
    /// The name of the function, as Rust spells it.
    pub name: String,
    /// The name of the struct of its rows.
    pub row_name: String,
    /// The lines of the comment above it.
    pub docs: Option<String>,
    /// The statement as it is sent: from its first token to its last, parameters numbered.
    pub sql: String,
    /// Pieces of `sql` that are elsewhere in the file: the start of each there and here, in bytes.
    pub(super) pieces: Vec<(usize, usize)>,
    /// The parameters, `$1` first.
    pub params: Vec<Param>,
    /// The columns of a row; none if the statement gives no rows.
    pub columns: Option<Vec<ResultColumn>>,
    /// The model whose struct a row is.
    pub model: Option<ModelId>,
    /// The model whose table the statement writes.
    pub writes: Option<ModelId>,
    /// How it reads the rows of one tenant.
    pub confinement: Confinement,
    /// Where the statement is.
    pub span: Span,
}

/// How a query reads the rows of one tenant, in a schema that has tenants.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Confinement {
    /// Not at all: it writes, or it is not understood whole.
    #[default]
    None,
    /// It reads no rows of tenants.
    Shared,
    /// By this statement, whose last parameter is the tenant's id.
    Confined(String),
}

/// A type in the client, and how many values.
#[derive(Debug, Clone, PartialEq)]
pub struct ValueType {
    /// The type of one value.
    pub ty: ColumnType,
    /// Whether it is a list of them.
    pub list: bool,
    /// The list may hold nulls.
    pub holes: bool,
    /// Null is a value too.
    pub nullable: bool,
}

/// A parameter of a query.
#[derive(Debug, Clone, PartialEq)]
pub struct Param {
    /// What the function's argument is called.
    pub name: String,
    /// What it takes.
    pub value: ValueType,
    /// What an annotation says of it.
    pub docs: Option<String>,
    /// Whether the type follows from the statement, rather than from an annotation alone.
    pub derived: bool,
    /// Where it first occurs.
    pub span: Span,
}

/// A column of a query's rows.
#[derive(Debug, Clone, PartialEq)]
pub struct ResultColumn {
    /// The name that PostgreSQL gives it.
    pub db_name: String,
    /// The field of the struct.
    pub name: String,
    /// What it holds.
    pub value: ValueType,
    /// What an annotation says of it.
    pub docs: Option<String>,
    /// It shows a `@sensitive` column.
    pub sensitive: bool,
    /// The field that it shows as it is.
    pub field: Option<FieldId>,
    /// Whether the type follows from the statement, rather than from an annotation alone.
    pub derived: bool,
    /// Whether null can come by what is derived, whatever an annotation says.
    pub may_be_null: bool,
    /// Where it is.
    pub span: Span,
}

impl ValueType {
    /// The types of PostgreSQL that this can be, by their names in its catalog; of a list those of its elements. What
    /// only an annotation says is right for every type that the client reads the same.
    pub fn database_types(&self, schema: &Schema, derived: bool) -> Vec<String> {
        let texts = ["text", "varchar", "bpchar", "name", "citext"];
        let names: &[&str] = match &self.ty {
            ColumnType::Enum(id) => return vec![schema.walk_enum(*id).enumeration().db_name.clone()],
            ColumnType::Unsupported(_) => &[],
            ColumnType::Scalar(scalar, native) => match (scalar, native) {
                (_, NativeType::Uuid) => &["uuid"],
                (ScalarType::String, _) => &texts,
                (ScalarType::Boolean, _) => &["bool"],
                (ScalarType::Int, _) if !derived => &["int4", "int2"],
                (ScalarType::BigInt, _) if !derived => &["int8", "int4", "int2"],
                (ScalarType::Float, _) if !derived => &["float8", "float4"],
                (ScalarType::Json, _) if !derived => &["jsonb", "json"],
                (ScalarType::DateTime, NativeType::Timestamptz(_)) if !derived => &["timestamptz", "timestamp"],
                (_, native) => return vec![Base::of_native(*native).name(schema)],
            },
        };
        names.iter().map(|name| (*name).to_owned()).collect()
    }
}

impl Query {
    /// The same in sources that have so many files in front.
    pub(crate) fn behind_files(mut self, files: u32) -> Self {
        let spans = self.params.iter_mut().map(|param| &mut param.span);
        let columns = self.columns.iter_mut().flatten().map(|column| &mut column.span);
        spans.chain(columns).chain([&mut self.span]).for_each(|span| span.file += files);
        self
    }

    /// The byte of `sql` that a byte of the file became; none if it is not in it.
    pub(super) fn sent(&self, at: u32) -> Option<usize> {
        let at = at as usize;
        let (file, sent) = self.pieces.iter().rev().find(|(file, _)| *file <= at)?;
        Some(sent + (at - file)).filter(|sent| *sent <= self.sql.len())
    }

    /// The byte of the file that a byte of `sql` comes from.
    pub fn place(&self, at: usize) -> u32 {
        let piece = self.pieces.iter().rev().find(|(_, sent)| *sent <= at);
        piece.map_or(self.span.start, |(file, sent)| (file + (at - sent)) as u32).min(self.span.end)
    }
}
