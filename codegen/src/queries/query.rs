//! The result of analysing a query file: its function, its parameters and its columns.

use super::types::Base;
use crate::diagnostics::Span;
use crate::ir::{ClientType, ColumnType, FieldId, ModelId, NativeType, ScalarType, Schema};

/// A query that is a function of the client.
#[derive(Debug, Clone, PartialEq)]
pub struct Query {
    /// The name of the function, as Rust spells it.
    pub name: String,
    /// The name of the struct of its rows.
    pub row_name: String,
    /// The lines of the comment above it.
    pub docs: Option<String>,
    /// The statement as it is sent: from its first token to its last, with numbered parameters.
    pub sql: String,
    /// Pieces of `sql` and of the file that correspond: the start of each in the file and in `sql`, in bytes.
    pub(super) pieces: Vec<(usize, usize)>,
    /// The parameters, `$1` first.
    pub params: Vec<Param>,
    /// The columns of a row; `None` if the statement returns no rows.
    pub columns: Option<Vec<ResultColumn>>,
    /// The model whose struct is used for the rows.
    pub model: Option<ModelId>,
    /// The tables that are read whole, if there are several: each is a field with the model's struct.
    pub parts: Vec<ModelPart>,
    /// The model whose table the statement writes.
    pub writes: Option<ModelId>,
    /// Whether and how it reads and writes only the rows of one tenant.
    pub confinement: Confinement,
    /// Whether only the client of a tenant can send it, because it leaves the tenant of new rows out.
    pub only_for_tenants: bool,
    /// The place of the statement.
    pub span: Span,
}

/// Columns of a row that are one field: a table that is read whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelPart {
    /// The field of the struct.
    pub name: String,
    /// The model whose struct the field has.
    pub model: ModelId,
    /// The positions of its columns.
    pub columns: std::ops::Range<usize>,
    /// Whether an outer join may leave the table out.
    pub optional: bool,
}

/// Whether and how a query reads and writes only the rows of one tenant, in a schema with tenants.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Confinement {
    /// Not possible: it is not completely understood, or could give a row of a tenant a reference to one of another.
    #[default]
    None,
    /// Not necessary: it neither reads nor writes rows of tenants.
    Shared,
    /// By this statement, whose last parameter is the tenant's id.
    Confined(String),
}

/// A type in the client, with its arity.
#[derive(Debug, Clone, PartialEq)]
pub struct ValueType {
    /// The type of one value.
    pub ty: ColumnType,
    /// Whether it is a list of them.
    pub list: bool,
    /// Whether the list may contain nulls.
    pub holes: bool,
    /// Whether the value may be null.
    pub nullable: bool,
}

/// A parameter of a query.
#[derive(Debug, Clone, PartialEq)]
pub struct Param {
    /// The name of the function's argument.
    pub name: String,
    /// Its type.
    pub value: ValueType,
    /// The field that it is compared with or stored in, wherever it occurs.
    pub field: Option<FieldId>,
    /// The documentation in its annotation.
    pub docs: Option<String>,
    /// Whether the type is inferred from the statement, rather than only annotated.
    pub derived: bool,
    /// Its first occurrence.
    pub span: Span,
}

/// A column of a query's rows.
#[derive(Debug, Clone, PartialEq)]
pub struct ResultColumn {
    /// The name that PostgreSQL gives it.
    pub db_name: String,
    /// The field of the struct.
    pub name: String,
    /// Its type.
    pub value: ValueType,
    /// The documentation in its annotation.
    pub docs: Option<String>,
    /// Whether it shows a `@sensitive` column.
    pub sensitive: bool,
    /// The field whose value it shows unchanged.
    pub field: Option<FieldId>,
    /// Whether the type is inferred from the statement, rather than only annotated.
    pub derived: bool,
    /// Whether it may be null according to inference, whatever an annotation says.
    pub may_be_null: bool,
    /// Its place.
    pub span: Span,
}

impl ValueType {
    /// Returns the names of the PostgreSQL types that this can be, for a list those of its elements. A type that is
    /// only annotated may be any type that the client reads in the same way.
    pub fn database_types(&self, schema: &Schema, derived: bool) -> Vec<String> {
        let texts = ["text", "varchar", "bpchar", "name", "citext"];
        let names: &[&str] = match &self.ty {
            ColumnType::Enum(id) => return vec![schema.walk_enum(*id).enumeration().db_name.clone()],
            ColumnType::Unsupported(sql) => return unsupported_types(sql),
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

/// Returns the names of the types that a type of the client without a scalar reads.
fn unsupported_types(sql: &str) -> Vec<String> {
    let names: &[&str] = match ClientType::of(sql) {
        ClientType::Bits => &["varbit", "bit"],
        ClientType::Inet | ClientType::Cidr => &["inet", "cidr"],
        ClientType::Text => &["text"],
        _ => return Base::of_text(sql).map(|base| base.name(&Schema::default())).into_iter().collect(),
    };
    names.iter().map(|name| (*name).to_owned()).collect()
}

impl Query {
    /// Shifts the index of the file, because `files` other files come first.
    pub(crate) fn behind_files(mut self, files: u32) -> Self {
        let spans = self.params.iter_mut().map(|param| &mut param.span);
        let columns = self.columns.iter_mut().flatten().map(|column| &mut column.span);
        spans.chain(columns).chain([&mut self.span]).for_each(|span| span.file += files);
        self
    }

    /// Returns the byte of `sql` that corresponds to a byte of the file; `None` if there is none.
    pub(super) fn sent(&self, at: u32) -> Option<usize> {
        let at = at as usize;
        let (file, sent) = self.pieces.iter().rev().find(|(file, _)| *file <= at)?;
        Some(sent + (at - file)).filter(|sent| *sent <= self.sql.len())
    }

    /// Returns the byte of the file that corresponds to a byte of `sql`.
    pub fn place(&self, at: usize) -> u32 {
        let piece = self.pieces.iter().rev().find(|(_, sent)| *sent <= at);
        piece.map_or(self.span.start, |(file, sent)| (file + (at - sent)) as u32).min(self.span.end)
    }
}
