//! Recorded changes of rows: the history of a row, of a model, or of everything (`@@audited`).
//!
//! Triggers record the changes, so raw SQL and other programs cannot bypass them.

mod change;
mod decode;

pub use change::{Change, ChangeKind};

use std::future::IntoFuture;

use chrono::{DateTime, Utc};
use futures_util::future::BoxFuture;
use relata_pgsql::literal;

use crate::dsl::Unique;
use crate::error::{Error, Result};
use crate::execute::Executor;
use crate::meta::{Column, Table};
use crate::query::Tenant;
use crate::rows::Model;
use crate::value::Param;

/// A model whose changes are recorded (`@@audited`). Implemented by generated code.
#[diagnostic::on_unimplemented(
    message = "the changes of `{Self}` are not recorded",
    label = "this model has no `@@audited`",
    note = "write `@@audited` in the model, and migrate the database: changes are recorded from then on"
)]
pub trait Audited: Model {}

/// A query of recorded changes, newest first. `db.audit()` begins one, and `.await` sends it.
///
/// ```text
/// let history = db.audit().of(student::id.eq(id)).await?;
/// let today = db.audit().of_model::<Student>().by("user:42").since(midnight).take(50).await?;
/// ```
#[must_use = "a query is sent only when it is awaited"]
pub struct Audit {
    executor: Executor,
    log: &'static str,
    conditions: Vec<String>,
    params: Vec<Param>,
    after: Option<i64>,
    take: Option<u32>,
    oldest_first: bool,
    refused: Option<String>,
}

/// Does not show the values.
impl std::fmt::Debug for Audit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Audit").field("conditions", &self.conditions).field("take", &self.take).finish_non_exhaustive()
    }
}

const NOT_A_TENANT: &str = "recorded changes can be read for a tenant whose id is an integer, a text or a UUID";

impl Audit {
    /// For generated code: `log` is the quoted name of the table of changes.
    pub fn new(executor: &Executor, log: &'static str) -> Self {
        let mut audit = Self {
            executor: executor.clone(),
            log,
            conditions: Vec::new(),
            params: Vec::new(),
            after: None,
            take: None,
            oldest_first: false,
            refused: None,
        };
        if let Some(tenant) = executor.tenant().cloned() {
            audit.of_tenant(&tenant);
        }
        audit
    }

    fn of_tenant(&mut self, tenant: &Tenant) {
        let ty = match &tenant.key {
            Param::Uuid(_) => "uuid",
            Param::Int(_) => "bigint",
            Param::Text(_) => "text",
            _ => return self.refused = Some(NOT_A_TENANT.to_owned()),
        };
        let id = self.param(tenant.key.clone());
        self.conditions.push(format!("\"tenant\" = {id}::{ty}::text"));
    }

    /// Returns the place of a new parameter.
    fn param(&mut self, value: Param) -> String {
        self.params.push(value);
        format!("${}", self.params.len())
    }

    /// Only changes of the row with this primary key. A change of the key itself belongs to the new key.
    ///
    /// # Errors
    /// [`Error::Misuse`] if it is another unique key: changes are recorded with the primary key.
    pub fn of<M: Audited>(self, key: Unique<M>) -> Self {
        let mut audit = self.of_model::<M>();
        audit.of_key(M::table(), key.values);
        audit
    }

    /// Only changes of this model.
    pub fn of_model<M: Audited>(mut self) -> Self {
        self.of_table(M::table());
        self
    }

    fn of_table(&mut self, table: &'static Table) {
        let name = self.param(Param::Text(table.bare_name().to_owned()));
        self.conditions.push(format!("\"table_name\" = {name}::text"));
        if let Some(schema) = table.schema() {
            let schema = self.param(Param::Text(schema));
            self.conditions.push(format!("\"table_schema\" = {schema}::text"));
        }
    }

    fn of_key(&mut self, table: &'static Table, mut values: Vec<(u16, Param)>) {
        // A handle knows its tenant, and its keys may leave it out.
        if let (Some(own), Some(tenant)) = (table.own_tenant_column(), self.executor.tenant())
            && !values.iter().any(|(column, _)| *column == own)
        {
            values.push((own, tenant.key.clone()));
        }
        let is_key =
            values.len() == table.key.len() && table.key.iter().all(|it| values.iter().any(|(at, _)| at == it));
        if !is_key {
            let names: Vec<_> = columns(table, table.key.iter()).map(|column| column.name).collect();
            self.refused = Some(format!(
                "changes of `{}` are recorded with its primary key ({}): find the row first, and give that key",
                table.name,
                names.join(", ")
            ));
            return;
        }
        let mut parts = Vec::new();
        for (at, value) in values {
            let Some(column) = table.columns.get(usize::from(at)) else { continue };
            let value = self.param(value);
            parts.push(format!("{}::text, {}", literal(column.name), as_json(column, &value)));
        }
        let key = format!("jsonb_build_object({})", parts.join(", "));
        self.conditions
            .push(format!("jsonb_hash_extended(\"key\", 0) = jsonb_hash_extended({key}, 0) AND \"key\" = {key}"));
    }

    /// Only changes by this actor: see [`acting_as`](crate::Client::acting_as).
    pub fn by(mut self, actor: impl Into<String>) -> Self {
        let actor = self.param(Param::Text(actor.into()));
        self.conditions.push(format!("\"actor\" = {actor}::text"));
        self
    }

    /// Only changes of this kind.
    pub fn kind(mut self, kind: ChangeKind) -> Self {
        self.conditions.push(format!("\"operation\" = {}", literal(kind.as_str())));
        self
    }

    /// Only changes of a transaction, as [`Change::transaction`] has it.
    pub fn of_transaction(mut self, transaction: i64) -> Self {
        let transaction = self.param(Param::Int(transaction));
        self.conditions.push(format!("\"transaction\" = {transaction}::bigint"));
        self
    }

    /// Only changes at this time or later.
    pub fn since(mut self, time: DateTime<Utc>) -> Self {
        let time = self.param(Param::Timestamp(time));
        self.conditions.push(format!("\"at\" >= {time}::timestamptz"));
        self
    }

    /// Only changes before this time.
    pub fn until(mut self, time: DateTime<Utc>) -> Self {
        let time = self.param(Param::Timestamp(time));
        self.conditions.push(format!("\"at\" < {time}::timestamptz"));
        self
    }

    /// Returns the oldest changes first.
    pub fn oldest_first(mut self) -> Self {
        self.oldest_first = true;
        self
    }

    /// Returns at most this number of changes.
    pub fn take(mut self, changes: u32) -> Self {
        self.take = Some(changes);
        self
    }

    /// Continues after the change with this [`id`](Change::id): the last one of the page before.
    pub fn after(mut self, id: i64) -> Self {
        self.after = Some(id);
        self
    }

    /// Returns the statement and its parameters.
    fn statement(mut self) -> (String, Vec<Param>) {
        if let Some(after) = self.after {
            let (id, compared) = (self.param(Param::Int(after)), if self.oldest_first { ">" } else { "<" });
            self.conditions.push(format!("\"id\" {compared} {id}::bigint"));
        }
        let limit = self.take.map(|take| format!(" LIMIT {}", self.param(Param::Int(take.into())) + "::bigint"));
        let condition = if self.conditions.is_empty() { "true".to_owned() } else { self.conditions.join(" AND ") };
        // Each column with its value, as JSON.
        let list = |part: &str| {
            format!(
                "ARRAY(SELECT part FROM jsonb_each({part}) AS c(name, value), unnest(ARRAY[c.name, c.value::text]) \
                 WITH ORDINALITY AS u(part, place) ORDER BY c.name, u.place)"
            )
        };
        let sql = format!(
            "SELECT \"id\", \"at\", \"transaction\", \"table_schema\", \"table_name\", \"operation\", {}, {}, {}, \"actor\", \
             \"role\" FROM {} WHERE {condition} ORDER BY \"id\" {}{}",
            list("\"key\""),
            list("\"old\""),
            list("\"new\""),
            self.log,
            if self.oldest_first { "ASC" } else { "DESC" },
            limit.unwrap_or_default()
        );
        (sql, self.params)
    }
}

/// Returns the columns with these numbers.
fn columns<'t>(table: &'static Table, numbers: impl Iterator<Item = &'t u16>) -> impl Iterator<Item = &'static Column> {
    numbers.filter_map(|number| table.columns.get(usize::from(*number)))
}

/// Returns the value of a key in JSON as the function of the triggers writes it, whatever the settings of the session.
fn as_json(column: &Column, value: &str) -> String {
    let typed = match column.wire {
        Some(wire) => format!("{value}::{wire}::{}", column.sql_type),
        None => format!("{value}::{}", column.sql_type),
    };
    match column.sql_type {
        "timestamptz" => format!("to_jsonb((to_jsonb({typed} AT TIME ZONE 'UTC') #>> '{{}}') || '+00:00')"),
        "bytea" => format!("to_jsonb('\\x' || encode({typed}, 'hex'))"),
        _ => format!("to_jsonb({typed})"),
    }
}

impl IntoFuture for Audit {
    type Output = Result<Vec<Change>>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(mut self) -> Self::IntoFuture {
        Box::pin(async move {
            if let Some(reason) = self.refused.take() {
                return Err(Error::Misuse(reason.into()));
            }
            let executor = self.executor.clone();
            let (sql, params) = self.statement();
            executor.query_raw::<Change>(&sql, params).await
        })
    }
}

/// For generated code: the recorded changes, on models. The argument is the quoted name of the table of changes.
#[doc(hidden)]
#[macro_export]
macro_rules! audit_of_models {
    ($log:literal) => {
        /// Begins a query of the recorded changes of models with `@@audited`, newest first. A tenant reads its own.
        pub fn audit(&self) -> $crate::audit::Audit {
            $crate::audit::Audit::new(&self.executor, $log)
        }
    };
}
