//! Creates the partitions of coming days, weeks, months or years.
//!
//! Takes what PostgreSQL's catalog says of tables that are partitioned by ranges of a date or a time, and adds the
//! partitions that are missing. Never changes or drops one.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use relata_pgsql::ident;
use tokio_postgres::error::SqlState;
use tokio_postgres::{Client, GenericClient};

use super::error::Error;
use super::{Engine, Event, Options, locked};

/// The longest name in PostgreSQL.
const MAX_NAME: usize = 63;

/// How long a partition is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Every {
    /// A day, named `orders_2027_01_31`.
    Day,
    /// A week from Monday, named `orders_2027_w05`.
    Week,
    /// A month, named `orders_2027_01`.
    Month,
    /// A year, named `orders_2027`.
    Year,
}

impl Every {
    const ALL: [Every; 4] = [Every::Day, Every::Week, Every::Month, Every::Year];

    /// Returns its name: `month`.
    pub fn name(self) -> &'static str {
        match self {
            Every::Day => "day",
            Every::Week => "week",
            Every::Month => "month",
            Every::Year => "year",
        }
    }

    /// Returns the end of a partition's name, as `to_char` takes it.
    fn suffix(self) -> &'static str {
        match self {
            Every::Day => "_YYYY_MM_DD",
            Every::Week => "_IYYY_\"w\"IW",
            Every::Month => "_YYYY_MM",
            Every::Year => "_YYYY",
        }
    }
}

impl fmt::Display for Every {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Every {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|every| every.name() == text);
        found.ok_or_else(|| format!("`{text}` is not a length of partitions: write day, week, month or year"))
    }
}

/// Which partitions shall exist: the one of today, and as many after it.
#[derive(Debug, Clone)]
pub struct Ahead {
    every: Every,
    ahead: u32,
    tables: Vec<(Option<String>, String)>,
}

impl Ahead {
    /// The current partition and `ahead` more, each of this length, for all tables of the current schema that are
    /// partitioned by ranges of one date or time.
    pub fn new(every: Every, ahead: u32) -> Self {
        Self { every, ahead, tables: Vec::new() }
    }

    /// Only for this table of the current schema, and others that are named.
    #[must_use]
    pub fn table(mut self, name: impl Into<String>) -> Self {
        self.tables.push((None, name.into()));
        self
    }

    /// Only for this table of a schema, and others that are named.
    #[must_use]
    pub fn table_in(mut self, schema: impl Into<String>, name: impl Into<String>) -> Self {
        self.tables.push((Some(schema.into()), name.into()));
        self
    }
}

/// A partition that is missing, or was created.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct NewPartition {
    /// Its schema, which is that of its table.
    pub schema: String,
    /// Its table.
    pub table: String,
    /// Its name.
    pub name: String,
    /// Its first day.
    pub from: String,
    /// The day after its last one.
    pub to: String,
    /// The statements that create it.
    pub statements: Vec<String>,
}

/// Why partitions cannot be created.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PartitionError {
    /// The table does not exist, or is partitioned in another way.
    #[error(
        "{table} is no table that is partitioned by ranges of one column of type date, timestamp or timestamptz; name \
         another one, or create its partitions by hand"
    )]
    NotByTime {
        /// The table.
        table: String,
    },
    /// A partition has a part of the range, or several share it.
    #[error(
        "{table} needs a partition from {from} to {to}, but {partition} is {bound}; choose the length that the \
         partitions have, or create this one by hand"
    )]
    Overlap {
        /// The table.
        table: String,
        /// The first day.
        from: String,
        /// The day after the last one.
        to: String,
        /// The partition that exists.
        partition: String,
        /// Its bound, as PostgreSQL prints it.
        bound: String,
    },
    /// The default partition has rows that belong to the new one.
    #[error(
        "{partition}, the default partition of {table}, has {rows} row(s) from {from} to {to}; in one transaction, detach \
         it, create the partition, move these rows, and attach it again"
    )]
    RowsInDefault {
        /// The table.
        table: String,
        /// The default partition.
        partition: String,
        /// How many rows.
        rows: i64,
        /// The first day.
        from: String,
        /// The day after the last one.
        to: String,
    },
    /// Something else has the name of the partition.
    #[error("{name} exists and is no partition of {table} from {from} to {to}; rename it, or attach it by hand")]
    NameTaken {
        /// The table.
        table: String,
        /// The name.
        name: String,
        /// The first day.
        from: String,
        /// The day after the last one.
        to: String,
    },
}

/// Returns the partitions that [`create_partitions`] would create. Changes nothing and takes no lock.
///
/// # Errors
///
/// The same as [`create_partitions`].
pub async fn missing_partitions(
    client: &Client,
    wanted: &Ahead,
    options: &Options,
) -> Result<Vec<NewPartition>, Error> {
    let engine = match options.engine {
        Some(engine) => engine,
        None => Engine::detect(client).await?,
    };
    check_engine(engine)?;
    missing(client, wanted, options).await
}

/// Creates the partitions of the current day, week, month or year and of those that follow, in one transaction, and
/// returns them. Partitions that exist stay as they are, so that a program can call this at each start, or once a day.
///
/// Periods begin at midnight in UTC. A range within a larger partition needs no other one. The new table is attached, so
/// that clients can read and write the others in the meantime; if there is a default partition, they wait until
/// PostgreSQL has searched it. A partition has its own row security, without policies: it is reached through its table.
/// After a lock timeout, the whole transaction is tried again, [`Options::retries`] times.
///
/// ```no_run
/// use relata::migrate::{self, Ahead, Every, Options};
///
/// # async fn start(mut client: tokio_postgres::Client) -> Result<(), migrate::Error> {
/// let wanted = Ahead::new(Every::Month, 3).table("orders");
/// for partition in migrate::create_partitions(&mut client, &wanted, &Options::default()).await? {
///     println!("created {}", partition.name);
/// }
/// # Ok(())
/// # }
/// ```
///
/// # Errors
///
/// With [`Error::Partitions`] if a table is not partitioned by time, a partition with other bounds has a part of the
/// range, or the default partition has rows in it. Nothing is created then. Otherwise the same as
/// [`deploy`](super::deploy).
pub async fn create_partitions(
    client: &mut Client,
    wanted: &Ahead,
    options: &Options,
) -> Result<Vec<NewPartition>, Error> {
    locked(client, options, async |cx| {
        check_engine(cx.engine)?;
        let mut attempt = 0;
        loop {
            match create(cx.client, wanted, options).await {
                Err(Error::Database { source, .. }) if attempt < options.retries && is_lock_timeout(&source) => {
                    let pause = Duration::from_millis(250 << attempt.min(5));
                    attempt += 1;
                    let (name, reason) = ("partitions".to_owned(), super::error::describe(&source));
                    options.announce(&Event::Retrying { name, reason, attempt });
                    tokio::time::sleep(pause).await;
                }
                result => return result,
            }
        }
    })
    .await
}

async fn create(client: &mut Client, wanted: &Ahead, options: &Options) -> Result<Vec<NewPartition>, Error> {
    let transaction = client.transaction().await.map_err(failed)?;
    let created = missing(&transaction, wanted, options).await?;
    for statement in created.iter().flat_map(|partition| &partition.statements) {
        transaction.batch_execute(statement).await.map_err(failed)?;
    }
    transaction.commit().await.map_err(failed)?;
    Ok(created)
}

fn is_lock_timeout(error: &tokio_postgres::Error) -> bool {
    [SqlState::LOCK_NOT_AVAILABLE, SqlState::T_R_DEADLOCK_DETECTED].iter().any(|code| error.code() == Some(code))
}

fn check_engine(engine: Engine) -> Result<(), Error> {
    let problem = "partitions are those of PostgreSQL; create what the engine has instead";
    if engine.is_portable() { Err(Error::NotForEngine { engine, problem }) } else { Ok(()) }
}

fn failed(source: tokio_postgres::Error) -> Error {
    Error::Database { doing: "creating partitions", source }
}

/// A table that is partitioned by time.
struct Table {
    oid: u32,
    schema: String,
    name: String,
    column: String,
    ty: String,
    /// Enabled, and forced on the owner.
    row_security: (bool, bool),
    tablespace: Option<String>,
}

/// A range of time, and the end of its partition's name.
struct Range {
    from: String,
    to: String,
    suffix: String,
}

async fn missing(client: &impl GenericClient, wanted: &Ahead, options: &Options) -> Result<Vec<NewPartition>, Error> {
    let ranges = ranges(client, wanted).await?;
    let mut found = Vec::new();
    for table in tables(client, wanted, options).await? {
        for range in &ranges {
            if !has_place(client, &table, range).await? {
                found.push(partition(client, &table, range).await?);
            }
        }
    }
    Ok(found)
}

const TABLES: &str = "
    SELECT c.oid, n.nspname::text, c.relname::text, a.attname::text, a.atttypid::regtype::text, c.relrowsecurity,
           c.relforcerowsecurity, s.spcname::text
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_partitioned_table p ON p.partrelid = c.oid
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = p.partattrs[0]
    LEFT JOIN pg_tablespace s ON s.oid = c.reltablespace
    WHERE p.partstrat = 'r' AND p.partnatts = 1 AND NOT c.relispartition
      AND a.atttypid IN ('date'::regtype, 'timestamp'::regtype, 'timestamptz'::regtype)
      AND (n.nspname = current_schema() OR n.nspname = ANY($1::text[]))
    ORDER BY 2, 3";

async fn tables(client: &impl GenericClient, wanted: &Ahead, options: &Options) -> Result<Vec<Table>, Error> {
    let named: Vec<String> = wanted.tables.iter().filter_map(|(schema, _)| schema.clone()).collect();
    let schemas: Vec<&String> = options.schemas.iter().chain(&named).collect();
    let rows = client.query(TABLES, &[&schemas]).await.map_err(failed)?;
    let table = |row: tokio_postgres::Row| Table {
        oid: row.get(0),
        schema: row.get(1),
        name: row.get(2),
        column: row.get(3),
        ty: row.get(4),
        row_security: (row.get(5), row.get(6)),
        tablespace: row.get(7),
    };
    let mut tables: Vec<Table> = rows.into_iter().map(table).collect();
    if wanted.tables.is_empty() {
        return Ok(tables);
    }
    let current: Option<String> = client.query_one("SELECT current_schema()::text", &[]).await.map_err(failed)?.get(0);
    let is_it = |table: &Table, (schema, name): &(Option<String>, String)| {
        table.name == *name && schema.as_ref().or(current.as_ref()) == Some(&table.schema)
    };
    if let Some((schema, name)) = wanted.tables.iter().find(|named| !tables.iter().any(|table| is_it(table, named))) {
        let table = schema.iter().chain([name]).cloned().collect::<Vec<_>>().join(".");
        return Err(PartitionError::NotByTime { table }.into());
    }
    tables.retain(|table| wanted.tables.iter().any(|named| is_it(table, named)));
    Ok(tables)
}

async fn ranges(client: &impl GenericClient, wanted: &Ahead) -> Result<Vec<Range>, Error> {
    let sql = "
        SELECT to_char(first, 'YYYY-MM-DD'), to_char(first + ('1 ' || $1::text)::interval, 'YYYY-MM-DD'),
               to_char(first, $2::text)
        FROM (SELECT date_trunc($1::text, now() AT TIME ZONE 'UTC') + number * ('1 ' || $1::text)::interval AS first
              FROM generate_series(0, $3::bigint) AS number) AS firsts";
    let count = i64::from(wanted.ahead);
    let rows = client.query(sql, &[&wanted.every.name(), &wanted.every.suffix(), &count]).await.map_err(failed)?;
    Ok(rows.iter().map(|row| Range { from: row.get(0), to: row.get(1), suffix: row.get(2) }).collect())
}

impl Table {
    /// The bound of a range: without its offset, a `timestamptz` would depend on the session.
    fn bound(&self, day: &str) -> String {
        match self.ty.as_str() {
            "timestamp with time zone" => format!("{day} 00:00:00+00"),
            _ => day.to_owned(),
        }
    }

    fn qualified(&self, name: &str) -> String {
        format!("{}.{}", ident(&self.schema), ident(name))
    }

    /// Its name with that of a range. A long name is cut.
    fn name_of(&self, range: &Range) -> String {
        let room = MAX_NAME - range.suffix.len();
        let end = (0..=room.min(self.name.len())).rev().find(|end| self.name.is_char_boundary(*end)).unwrap_or(0);
        format!("{}{}", &self.name[..end], range.suffix)
    }
}

/// The partitions of a table, whether each has the whole range, and whether it has a part of it.
fn partitions_sql(ty: &str) -> String {
    let ty = if ty == "timestamp with time zone" { "timestamptz" } else { "timestamp" };
    let moment = |part: u8| {
        format!(
            "CASE m[{part}] WHEN 'MINVALUE' THEN '-infinity' WHEN 'MAXVALUE' THEN 'infinity' ELSE m[{part}] END::{ty}"
        )
    };
    format!(
        "SELECT format('%I.%I', schema, name), bound, bound = 'DEFAULT',
                COALESCE(first <= $2::text::{ty} AND last >= $3::text::{ty}, false),
                COALESCE(first < $3::text::{ty} AND last > $2::text::{ty}, false)
         FROM (
           SELECT schema, name, bound, {} AS first, {} AS last
           FROM (SELECT n.nspname AS schema, c.relname AS name, pg_get_expr(c.relpartbound, c.oid) AS bound
                 FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid JOIN pg_namespace n ON n.oid = c.relnamespace
                 WHERE i.inhparent = $1) AS parts
           CROSS JOIN regexp_match(bound, $re$^FOR VALUES FROM \\('?([^')]*)'?\\) TO \\('?([^')]*)'?\\)$$re$) AS m
         ) AS bounds ORDER BY 3, 1",
        moment(1),
        moment(2)
    )
}

/// Returns whether the rows of a range have a partition, other than the default one.
async fn has_place(client: &impl GenericClient, table: &Table, range: &Range) -> Result<bool, Error> {
    let (from, to) = (table.bound(&range.from), table.bound(&range.to));
    let rows = client.query(&partitions_sql(&table.ty), &[&table.oid, &from, &to]).await.map_err(failed)?;
    for row in rows {
        let (partition, bound): (String, String) = (row.get(0), row.get(1));
        let (is_default, covers, overlaps): (bool, bool, bool) = (row.get(2), row.get(3), row.get(4));
        if covers {
            return Ok(true);
        }
        let (table_name, from, to) = (table.name.clone(), range.from.clone(), range.to.clone());
        if overlaps {
            return Err(PartitionError::Overlap { table: table_name, from, to, partition, bound }.into());
        }
        if is_default {
            let rows = rows_within(client, table, &partition, range).await?;
            if rows > 0 {
                return Err(PartitionError::RowsInDefault { table: table_name, partition, rows, from, to }.into());
            }
        }
    }
    Ok(false)
}

async fn rows_within(client: &impl GenericClient, table: &Table, partition: &str, range: &Range) -> Result<i64, Error> {
    let (column, from, to) = (ident(&table.column), table.bound(&range.from), table.bound(&range.to));
    let sql = format!("SELECT count(*) FROM {partition} WHERE {column} >= '{from}' AND {column} < '{to}'");
    Ok(client.query_one(&sql, &[]).await.map_err(failed)?.get(0))
}

/// Returns the missing partition. It is created alone and then attached, which does not block the others.
async fn partition(client: &impl GenericClient, table: &Table, range: &Range) -> Result<NewPartition, Error> {
    let name = table.name_of(range);
    let (parent, new) = (table.qualified(&table.name), table.qualified(&name));
    let (from, to) = (range.from.clone(), range.to.clone());
    let row = client.query_one("SELECT to_regclass($1::text) IS NOT NULL", &[&new]).await.map_err(failed)?;
    if row.get(0) {
        return Err(PartitionError::NameTaken { table: table.name.clone(), name, from, to }.into());
    }
    let tablespace = table.tablespace.iter().map(|name| format!(" TABLESPACE {}", ident(name)));
    let like = "INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING GENERATED INCLUDING STORAGE";
    let mut statements = vec![format!("CREATE TABLE {new} (LIKE {parent} {like}){}", tablespace.collect::<String>())];
    if let (true, is_forced) = table.row_security {
        let forced = if is_forced { ", FORCE ROW LEVEL SECURITY" } else { "" };
        statements.push(format!("ALTER TABLE {new} ENABLE ROW LEVEL SECURITY{forced}"));
    }
    statements.push(format!(
        "ALTER TABLE {parent} ATTACH PARTITION {new} FOR VALUES FROM ('{}') TO ('{}')",
        table.bound(&range.from),
        table.bound(&range.to)
    ));
    let (schema, table) = (table.schema.clone(), table.name.clone());
    Ok(NewPartition { schema, table, name, from, to, statements })
}

#[cfg(test)]
mod tests {
    use super::{Every, Range, Table};

    fn table(name: &str, ty: &str) -> Table {
        let (schema, column) = ("public".to_owned(), "at".to_owned());
        Table {
            oid: 1,
            schema,
            name: name.to_owned(),
            column,
            ty: ty.to_owned(),
            row_security: (false, false),
            tablespace: None,
        }
    }

    #[test]
    fn long_names_are_cut_between_characters() {
        let range = Range { from: String::new(), to: String::new(), suffix: "_2027_01".to_owned() };
        assert_eq!(table("orders", "date").name_of(&range), "orders_2027_01");
        let name = table(&"ä".repeat(31), "date").name_of(&range);
        assert_eq!(name, format!("{}_2027_01", "ä".repeat(27)));
    }

    #[test]
    fn bounds_do_not_depend_on_the_session() {
        assert_eq!(table("t", "timestamp with time zone").bound("2027-01-01"), "2027-01-01 00:00:00+00");
        assert_eq!(table("t", "date").bound("2027-01-01"), "2027-01-01");
        assert_eq!("week".parse(), Ok(Every::Week));
        assert!("quarter".parse::<Every>().is_err_and(|error| error.contains("write day")));
    }
}
