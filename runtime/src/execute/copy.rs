//! COPY in binary format: rows are encoded as they come, and sent as fast as the server accepts them.

use bytes::{BufMut, Bytes, BytesMut};
use futures_util::SinkExt;
use futures_util::stream::{BoxStream, StreamExt};
use tokio_postgres::CopyInSink;
use tokio_postgres::types::{IsNull, Kind, ToSql, Type};

use super::insert;
use crate::connection::Session;
use crate::error::{Error, Result};
use crate::meta::{Column, Table};
use crate::query::{BulkOptions, Cell, Insert, MAX_ROWS, confine_copied};
use crate::rows::raw_value;
use crate::sql::{self, Statement};
use crate::telemetry::StatementTimer;
use crate::value::Param;

/// Copies rows into a table and counts them. Consecutive rows with the same columns share one COPY.
pub(super) async fn copy_rows(
    session: Session<'_>,
    table: &'static Table,
    mut rows: BoxStream<'static, Result<Insert>>,
) -> Result<u64> {
    let mut copied = 0;
    let mut target: Option<Target> = None;
    let now = now_cells(session, table).await?;
    while let Some(row) = rows.next().await {
        let mut row = row?;
        refuse(&row)?;
        if let Some(tenant) = session.tenant {
            confine_copied(&mut row, tenant).map_err(|reason| Error::Misuse(reason.into()))?;
        }
        row.fill_defaults();
        add_cells(&mut row, &now);
        if let Some(done) = target.take_if(|target| !target.takes(&row)) {
            copied += done.finish(session, table).await?;
        }
        let target = match &mut target {
            Some(target) => target,
            none => none.insert(Target::open(session, table, &row).await?),
        };
        copied += target.add(session, table, row).await?;
    }
    match target {
        Some(target) => Ok(copied + target.finish(session, table).await?),
        None => Ok(copied),
    }
}

fn refuse(row: &Insert) -> Result<()> {
    if let Some(reason) = row.refused {
        return Err(reason.into_error());
    }
    if row.is_nested() || row.cells.iter().any(|(_, cell)| matches!(cell, Cell::Lookup { .. })) {
        let reason = "copy_in takes rows that give keys: use create_many for rows with nested writes or lookups";
        return Err(Error::Misuse(reason.into()));
    }
    Ok(())
}

/// Returns the time of the transaction, in the type of each `@updatedAt` column.
async fn now_cells(session: Session<'_>, table: &'static Table) -> Result<Vec<(u16, Param)>> {
    let columns: Vec<u16> =
        (0..).zip(table.columns).filter(|(_, column)| column.updated_at).map(|(number, _)| number).collect();
    if columns.is_empty() {
        return Ok(Vec::new());
    }
    let rows = session.query(sql::now_statement(table, &columns), table).await?;
    let value = |place| match rows.first().and_then(|row| raw_value(row, place)) {
        Some(raw) => Param::Raw(raw.to_vec()),
        None => Param::Null,
    };
    Ok(columns.iter().enumerate().map(|(place, column)| (*column, value(place))).collect())
}

/// Adds values for columns that have none. The row's columns stay in order.
fn add_cells(row: &mut Insert, values: &[(u16, Param)]) {
    for (number, value) in values {
        if let Err(place) = row.cells.binary_search_by_key(number, |(column, _)| *column) {
            row.cells.insert(place, (*number, Cell::Value(value.clone())));
        }
    }
}

/// The destination of rows with certain columns.
enum Target {
    Copy(Box<Copy>),
    /// INSERT, for columns whose binary format differs from that of their parameters, such as `inet`. Collects this
    /// many rows.
    Insert {
        columns: Vec<u16>,
        rows: Vec<Insert>,
    },
}

/// A running COPY.
struct Copy {
    columns: Vec<u16>,
    types: Vec<Type>,
    sink: std::pin::Pin<Box<CopyInSink<Bytes>>>,
    buffer: BytesMut,
    statement: Statement,
    watch: StatementTimer,
}

/// The header of COPY in binary format: signature, flags, extension.
const HEADER: &[u8] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";

/// The approximate number of bytes that are sent together.
const SENT_AT_ONCE: usize = 64 * 1024;

impl Target {
    async fn open(session: Session<'_>, table: &'static Table, row: &Insert) -> Result<Self> {
        let columns: Vec<u16> = row.cells.iter().map(|(column, _)| *column).collect();
        // PostgreSQL refuses COPY into a table with row security, and a pooler may not pass it on.
        if columns.is_empty() || table.is_row_secured || !session.copies() {
            return Ok(Target::Insert { columns, rows: Vec::new() });
        }
        let types = session.parameter_types(&sql::columns_statement(table, &columns), table).await?;
        let known = columns.iter().map(|column| &table.columns[usize::from(*column)]);
        if !known.zip(&types).all(|(column, ty)| is_binary(column, ty)) {
            return Ok(Target::Insert { columns, rows: Vec::new() });
        }
        let statement = Statement::new(sql::copy_statement(table, &columns), Vec::new());
        let watch = session.watch();
        let sink = session.copy_in(statement.sql(), table).await?;
        let mut buffer = BytesMut::with_capacity(SENT_AT_ONCE + 4096);
        buffer.put_slice(HEADER);
        Ok(Target::Copy(Box::new(Copy { columns, types, sink: Box::pin(sink), buffer, statement, watch })))
    }

    fn takes(&self, row: &Insert) -> bool {
        let (Target::Copy(copy), columns) = (self, row.cells.iter().map(|(column, _)| column)) else {
            let Target::Insert { columns, .. } = self else { return false };
            return columns.iter().eq(row.cells.iter().map(|(column, _)| column));
        };
        copy.columns.iter().eq(columns)
    }

    /// Adds a row, and returns how many were written.
    async fn add(&mut self, session: Session<'_>, table: &'static Table, row: Insert) -> Result<u64> {
        match self {
            Target::Copy(copy) => copy.add(table, row).await.map(|()| 0),
            Target::Insert { rows, .. } => {
                rows.push(row);
                if rows.len() < MAX_ROWS {
                    return Ok(0);
                }
                let rows = std::mem::take(rows);
                Ok(insert::insert_many(session, rows, BulkOptions::default()).await?.count)
            }
        }
    }

    async fn finish(self, session: Session<'_>, table: &'static Table) -> Result<u64> {
        match self {
            Target::Copy(copy) => copy.finish(session, table).await,
            Target::Insert { rows, .. } => Ok(insert::insert_many(session, rows, BulkOptions::default()).await?.count),
        }
    }
}

/// Returns whether a parameter has the format of COPY. It does not if it is sent as another type and cast.
fn is_binary(column: &Column, ty: &Type) -> bool {
    let is_enum = |ty: &Type| matches!(ty.kind(), Kind::Enum(_));
    let of_enums = matches!(ty.kind(), Kind::Array(element) if is_enum(element));
    column.wire.is_none() || is_enum(ty) || of_enums || matches!(*ty, Type::OID)
}

impl Copy {
    async fn add(&mut self, table: &'static Table, row: Insert) -> Result<()> {
        // A table has at most 1600 columns.
        self.buffer.put_i16(self.types.len() as i16);
        for ((column, cell), ty) in row.cells.into_iter().zip(&self.types) {
            let Cell::Value(value) = cell else { continue };
            let name = table.columns[usize::from(column)].name;
            push_field(&mut self.buffer, &value, ty).map_err(|reason| {
                Error::InvalidValue(format!("a value does not fit column {name}: {reason}").into())
            })?;
        }
        if self.buffer.len() >= SENT_AT_ONCE {
            self.send(table).await?;
        }
        Ok(())
    }

    async fn send(&mut self, table: &'static Table) -> Result<()> {
        let bytes = self.buffer.split().freeze();
        self.sink.send(bytes).await.map_err(|error| Error::from_driver(&error, table))
    }

    async fn finish(mut self: Box<Self>, session: Session<'_>, table: &'static Table) -> Result<u64> {
        self.buffer.put_i16(-1);
        self.send(table).await?;
        let copied = self.sink.as_mut().finish().await.map_err(|error| Error::from_driver(&error, table));
        session.note_answer(self.watch, &self.statement, Some(table), copied.as_ref().copied());
        copied
    }
}

/// Appends the length and the value, or null.
fn push_field(buffer: &mut BytesMut, value: &Param, ty: &Type) -> Result<(), Box<dyn std::error::Error + Sync + Send>> {
    let start = buffer.len();
    buffer.put_i32(-1);
    if let IsNull::No = value.to_sql(ty, buffer)? {
        let length = i32::try_from(buffer.len() - start - 4)?;
        buffer[start..start + 4].copy_from_slice(&length.to_be_bytes());
    }
    Ok(())
}
