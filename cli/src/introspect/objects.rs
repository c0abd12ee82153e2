//! Schemas, extensions, enum types and sequences.

use relata_codegen::sql::{ColumnDefault, DataType, EnumType, Extension, Sequence, SequenceOptions, State};
use tokio_postgres::{Row, Transaction};

use super::Cx;

pub(super) async fn schemas(cx: &Cx<'_>) -> Result<Vec<String>, tokio_postgres::Error> {
    let rows = cx.rows("SELECT nspname::text FROM pg_namespace WHERE nspname = ANY($1)").await?;
    rows.iter().map(|row| row.try_get(0)).collect()
}

/// The names of all schemas except those of PostgreSQL and of extensions.
pub(super) async fn all_schemas(transaction: &Transaction<'_>) -> Result<Vec<String>, tokio_postgres::Error> {
    let sql =
        "SELECT n.nspname::text FROM pg_namespace AS n WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
          AND NOT EXISTS (SELECT FROM pg_depend AS e WHERE e.classid = 'pg_namespace'::regclass AND e.objid = n.oid
                          AND e.deptype = 'e') ORDER BY 1";
    transaction.query(sql, &[]).await?.iter().map(|row| row.try_get(0)).collect()
}

const EXTENSIONS: &str = "
    SELECT e.extname::text, n.nspname::text, e.extversion
    FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace WHERE e.extname <> 'plpgsql'";

pub(super) async fn extensions(cx: &Cx<'_>) -> Result<Vec<Extension>, tokio_postgres::Error> {
    let rows = cx.transaction.query(EXTENSIONS, &[]).await?;
    let extension = |row: &tokio_postgres::Row| {
        Ok(Extension { name: row.try_get(0)?, schema: row.try_get(1)?, version: row.try_get(2)? })
    };
    rows.iter().map(extension).collect()
}

/// Enum types. Those without values, or with an empty value, are left out: a schema cannot declare them.
const ENUMS: &str = "
    SELECT n.nspname::text, t.typname::text,
           ARRAY(SELECT e.enumlabel::text FROM pg_enum e WHERE e.enumtypid = t.oid ORDER BY e.enumsortorder),
           obj_description(t.oid, 'pg_type')
    FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace
    WHERE t.typtype = 'e' AND n.nspname = ANY($1)
      AND EXISTS (SELECT FROM pg_enum e WHERE e.enumtypid = t.oid)
      AND NOT EXISTS (SELECT FROM pg_enum e WHERE e.enumtypid = t.oid AND e.enumlabel = '')
      AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.classid = 'pg_type'::regclass AND d.objid = t.oid
                      AND d.deptype = 'e')";

pub(super) async fn enums(cx: &Cx<'_>) -> Result<Vec<EnumType>, tokio_postgres::Error> {
    let rows = cx.rows(ENUMS).await?;
    let enumeration = |row: &tokio_postgres::Row| {
        let (name, labels) = (cx.name(row.try_get(0)?, row.try_get(1)?), row.try_get(2)?);
        Ok(EnumType { name, labels, comment: cx.comment(row.try_get(3)?) })
    };
    rows.iter().map(enumeration).collect()
}

/// Sequences with the columns that own them. Sequences of identity columns are left out: they depend on the column
/// internally.
const SEQUENCES: &str = "
    SELECT n.nspname::text, c.relname::text, format_type(s.seqtypid, NULL),
           tn.nspname::text, t.relname::text, a.attname::text,
           s.seqtypid::regtype::text, s.seqincrement, s.seqmin, s.seqmax, s.seqstart, s.seqcache, s.seqcycle
    FROM pg_sequence s JOIN pg_class c ON c.oid = s.seqrelid JOIN pg_namespace n ON n.oid = c.relnamespace
    LEFT JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'a'
                         AND d.refclassid = 'pg_class'::regclass AND d.refobjsubid > 0
    LEFT JOIN pg_class t ON t.oid = d.refobjid LEFT JOIN pg_namespace tn ON tn.oid = t.relnamespace
    LEFT JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
    WHERE n.nspname = ANY($1)
      AND NOT EXISTS (SELECT 1 FROM pg_depend i WHERE i.classid = 'pg_class'::regclass AND i.objid = c.oid
                      AND i.deptype IN ('i', 'e'))";

pub(super) async fn sequences(cx: &Cx<'_>) -> Result<Vec<Sequence>, tokio_postgres::Error> {
    let rows = cx.rows(SEQUENCES).await?;
    let sequence = |row: &tokio_postgres::Row| {
        let owner: (Option<&str>, Option<&str>, Option<String>) = (row.try_get(3)?, row.try_get(4)?, row.try_get(5)?);
        Ok(Sequence {
            name: cx.name(row.try_get(0)?, row.try_get(1)?),
            ty: DataType::parse(row.try_get(2)?).0,
            owned_by: match owner {
                (Some(schema), Some(table), Some(column)) => Some((cx.name(schema, table), column)),
                _ => None,
            },
            options: sequence_options(row)?,
        })
    };
    rows.iter().map(sequence).collect()
}

/// The options of a sequence, from a row with the columns of `pg_sequence`. Options with PostgreSQL's default are left
/// out, because the default depends on the type.
pub(super) fn sequence_options(row: &Row) -> Result<SequenceOptions, tokio_postgres::Error> {
    let (least, largest) = match row.try_get::<_, &str>("seqtypid")? {
        "smallint" => (i64::from(i16::MIN), i64::from(i16::MAX)),
        "integer" => (i64::from(i32::MIN), i64::from(i32::MAX)),
        _ => (i64::MIN, i64::MAX),
    };
    let increment: i64 = row.try_get("seqincrement")?;
    let (min, max): (i64, i64) = (row.try_get("seqmin")?, row.try_get("seqmax")?);
    let start: i64 = row.try_get("seqstart")?;
    let (usual_min, usual_max, first) = if increment < 0 { (least, -1, max) } else { (1, largest, min) };
    Ok(SequenceOptions {
        increment,
        min: (min != usual_min).then_some(min),
        max: (max != usual_max).then_some(max),
        start: (start != first).then_some(start),
        cache: row.try_get("seqcache")?,
        cycle: row.try_get("seqcycle")?,
    })
}

/// Removes the sequences that no column owns or uses as its default: a schema cannot declare them.
pub(super) fn take_idle_sequences(state: &mut State) -> Vec<Sequence> {
    let used: Vec<_> = state
        .tables
        .iter()
        .flat_map(|table| &table.columns)
        .filter_map(|column| match &column.default {
            Some(ColumnDefault::Sequence(name)) => Some(name.clone()),
            _ => None,
        })
        .collect();
    let tables = &state.tables;
    let is_used = |sequence: &Sequence| {
        let owned = sequence.owned_by.as_ref().is_some_and(|(owner, _)| tables.iter().any(|it| it.name == *owner));
        owned || used.contains(&sequence.name)
    };
    let (kept, idle): (Vec<_>, Vec<_>) = std::mem::take(&mut state.sequences).into_iter().partition(is_used);
    state.sequences = kept;
    // A sequence that belongs to a history table is left out like the table.
    idle.into_iter().filter(|sequence| sequence.owned_by.is_none()).collect()
}
