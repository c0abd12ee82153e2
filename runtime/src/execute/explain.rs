//! EXPLAIN of calls.
//!
//! Without ANALYZE, nothing of the call runs, and those of its statements are explained whose parameters are known. With
//! ANALYZE, all of it runs, each statement after its own EXPLAIN. Either way, everything is rolled back.

mod explanation;

use std::future::IntoFuture;
use std::marker::PhantomData;
use std::sync::Arc;

use futures_util::future::BoxFuture;

pub use self::explanation::{ExplainedStatement, Explanation, Plan};
use super::executor::Executor;
use super::read;
use super::route;
use super::run::execute;
use super::single;
use super::target::Target;
use crate::connection::{Explaining, OpenTransaction, Pool, RawPlan, Scope, Session, WHOLE};
use crate::error::Result;
use crate::query::{Operation, Parts, Query};
use crate::sql::Statement;

/// An EXPLAIN of a call. `.await` runs it, and returns an [`Explanation`].
///
/// Its parameters stay parameters, and PostgreSQL plans for their values, so **a plan shows values**: keep it out of logs
/// where those must not appear.
///
/// ```
/// # use plain_planner::*;
/// # async fn example(db: &Client) -> relata::Result<()> {
/// let explanation = db.user().find_many().filter(user::email.eq("ada@north.edu")).explain().await?;
/// println!("{explanation}");
/// let analyzed = db.student().find_many().include(student::exams).explain().analyze().buffers().await?;
/// assert_eq!(analyzed.statements.len(), 2);
/// # Ok(())
/// # }
/// ```
#[must_use = "nothing happens until it is awaited"]
pub struct Explain<P = String> {
    executor: Executor,
    operation: Operation,
    options: Options,
    plans: PhantomData<fn() -> P>,
}

impl<P> std::fmt::Debug for Explain<P> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Explain({}, {:?})", self.operation.name(), self.options)
    }
}

/// The options of EXPLAIN, as <https://www.postgresql.org/docs/current/sql-explain.html> describes them.
#[derive(Debug, Clone, Copy, Default)]
struct Options {
    analyze: bool,
    buffers: bool,
    verbose: bool,
    settings: bool,
    wal: bool,
    without_costs: bool,
    without_timing: bool,
}

impl Options {
    /// Returns EXPLAIN with these options, to be put in front of a statement.
    fn prefix(self, format: &str) -> String {
        let mut options = vec![format!("FORMAT {format}")];
        for (wanted, option) in [
            (self.analyze, "ANALYZE"),
            (self.buffers, "BUFFERS"),
            (self.verbose, "VERBOSE"),
            (self.settings, "SETTINGS"),
            (self.wal, "WAL"),
            (self.without_costs, "COSTS false"),
            (self.without_timing && self.analyze, "TIMING false"),
        ] {
            if wanted {
                options.push(option.to_owned());
            }
        }
        format!("EXPLAIN ({}) ", options.join(", "))
    }
}

impl Explain<String> {
    /// Returns the plans as JSON, in the form that PostgreSQL's `FORMAT JSON` has.
    ///
    /// ```
    /// # use plain_planner::*;
    /// # async fn example(db: &Client) -> relata::Result<()> {
    /// let explanation = db.user().find_many().explain().json().await?;
    /// println!("{}", explanation.statements[0].plan[0]["Plan"]["Node Type"]);
    /// # Ok(())
    /// # }
    /// ```
    pub fn json(self) -> Explain<serde_json::Value> {
        Explain { executor: self.executor, operation: self.operation, options: self.options, plans: PhantomData }
    }
}

impl<P> Explain<P> {
    /// Runs the call, and adds to the plans how many rows there were and how long it took.
    ///
    /// Everything is rolled back. A write has no effect, except for what PostgreSQL never rolls back, such as the values of
    /// sequences, and for what triggers do outside the database. It locks rows until then. If the call has several
    /// statements, each runs twice: once for its plan, and once for what the next ones need of it.
    pub fn analyze(mut self) -> Self {
        self.options.analyze = true;
        self
    }

    /// Adds how many blocks were read, of which caches and disks.
    pub fn buffers(mut self) -> Self {
        self.options.buffers = true;
        self
    }

    /// Adds the columns of each node, and the schemas of tables.
    pub fn verbose(mut self) -> Self {
        self.options.verbose = true;
        self
    }

    /// Adds the settings that differ from their defaults and concern plans.
    pub fn settings(mut self) -> Self {
        self.options.settings = true;
        self
    }

    /// Adds how much WAL was written. Implies [`analyze`](Self::analyze), as PostgreSQL requires it.
    pub fn wal(mut self) -> Self {
        (self.options.wal, self.options.analyze) = (true, true);
        self
    }

    /// Leaves out estimated costs and rows, so that plans can be compared.
    pub fn without_costs(mut self) -> Self {
        self.options.without_costs = true;
        self
    }

    /// Leaves out the time of each node, which takes time to measure. Has an effect only with [`analyze`](Self::analyze).
    pub fn without_timing(mut self) -> Self {
        self.options.without_timing = true;
        self
    }
}

impl Executor {
    /// Begins an EXPLAIN of a query.
    pub(crate) fn explain<Q: Query>(&self, query: Q) -> Explain {
        let Parts { mut operation, .. } = query.into_parts();
        self.confine(&mut operation);
        Explain { executor: self.clone(), operation, options: Options::default(), plans: PhantomData }
    }
}

impl<P: Plan> IntoFuture for Explain<P> {
    type Output = Result<Explanation<P>>;
    type IntoFuture = BoxFuture<'static, Result<Explanation<P>>>;

    fn into_future(self) -> Self::IntoFuture {
        let envelope = self.executor.envelope(&self.operation);
        let Self { executor, operation, options, .. } = self;
        let prefix = options.prefix(P::FORMAT);
        let work = async move {
            let found = match executor.0 {
                Target::Pool(pool) => explain_alone(&pool, operation, options, prefix).await?,
                Target::Transaction(scope) => explain_in(&scope, operation, options, prefix).await?,
            };
            found.read()
        };
        envelope.around(work, |explanation| explanation.statements.len() as u64)
    }
}

/// The name in traces.
const EXPLAIN: &str = "explain";

/// Explains a call in a transaction that is rolled back.
async fn explain_alone(
    pool: &Arc<Pool>,
    operation: Operation,
    options: Options,
    prefix: String,
) -> Result<RawExplanation> {
    if let Some(error) = operation.refused() {
        return Err(error);
    }
    let only_reads = !operation.writes();
    if !only_reads {
        pool.check_write()?;
    }
    let transaction = route::begin(pool, "BEGIN".into(), only_reads).await?;
    let session = Session::in_transaction(&transaction, WHOLE, EXPLAIN)?;
    let found = explain(session, &transaction, operation, options, prefix).await;
    let ended = transaction.rollback().await;
    let found = found?;
    ended.map(|()| found)
}

/// Explains a call in a savepoint that is rolled back.
async fn explain_in(scope: &Scope, operation: Operation, options: Options, prefix: String) -> Result<RawExplanation> {
    if let Some(error) = operation.refused() {
        return Err(error);
    }
    let transaction = &scope.transaction;
    let savepoint = transaction.begin_savepoint(scope.savepoint).await?;
    let inner = Scope { savepoint: savepoint.number, ..scope.clone() };
    let found = {
        let running = inner.enter().await?;
        let found = explain(inner.session(EXPLAIN)?, transaction, operation, options, prefix).await;
        running.end(&found);
        found
    };
    transaction.end_savepoint(savepoint, false).await?;
    found
}

/// Plans as they arrived, and what was left out.
struct RawExplanation {
    plans: Vec<RawPlan>,
    left_out: Vec<String>,
}

impl RawExplanation {
    fn read<P: Plan>(self) -> Result<Explanation<P>> {
        let read = |RawPlan { sql, rows }: RawPlan| Ok(ExplainedStatement { sql, plan: P::read(&rows)? });
        let statements = self.plans.into_iter().map(read).collect::<Result<_>>()?;
        Ok(Explanation { statements, left_out: self.left_out })
    }
}

async fn explain(
    session: Session<'_>,
    transaction: &OpenTransaction,
    mut operation: Operation,
    options: Options,
    prefix: String,
) -> Result<RawExplanation> {
    let single = single::single_statement(session.unshaped(), &operation);
    let (statements, left_out) = match single {
        Some((statement, _)) => (vec![statement], Vec::new()),
        None if options.analyze => {
            let explaining = Arc::new(Explaining::new(prefix));
            let explains = transaction.explain_with(&explaining);
            execute(session, &mut operation).await?;
            drop(explains);
            return Ok(RawExplanation { plans: explaining.take(), left_out: Vec::new() });
        }
        None => known_statements(session, &operation),
    };
    let mut plans = Vec::with_capacity(statements.len());
    for statement in &statements {
        plans.push(session.explain(statement, &prefix).await?);
    }
    Ok(RawExplanation { plans, left_out })
}

const DEPENDS: &str = "its statements need what earlier ones return: `.analyze()` runs the call and explains each";
const NOTHING_SET: &str = "nothing is set, so the rows are read or counted: `.analyze()` runs the call and explains it";

/// Returns those statements of a call whose parameters are known before anything runs, and says which are not.
fn known_statements(session: Session<'_>, operation: &Operation) -> (Vec<Statement>, Vec<String>) {
    match operation {
        Operation::Read(select) => read::known_statements(session, select),
        Operation::Returning(returning) => {
            let (statements, mut left_out) = match single::single_statement(session.unshaped(), &returning.write) {
                Some((write, _)) => (vec![write], Vec::new()),
                None => known_statements(session, &returning.write),
            };
            left_out.extend(returning.then.includes.iter().map(|include| read::left_out(include.relation.name)));
            (statements, left_out)
        }
        Operation::Update { sets, nested, .. } if sets.is_empty() && nested.is_empty() => {
            (Vec::new(), vec![NOTHING_SET.to_owned()])
        }
        Operation::UpdateMany { sets, .. } if sets.is_empty() => (Vec::new(), vec![NOTHING_SET.to_owned()]),
        other => (Vec::new(), vec![format!("{}: {DEPENDS}", other.name())]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_those_of_postgresql() {
        assert_eq!(Options::default().prefix("TEXT"), "EXPLAIN (FORMAT TEXT) ");
        let options = Options { analyze: true, buffers: true, without_timing: true, ..Options::default() };
        assert_eq!(options.prefix("JSON"), "EXPLAIN (FORMAT JSON, ANALYZE, BUFFERS, TIMING false) ");
        let options = Options { without_timing: true, without_costs: true, ..Options::default() };
        assert_eq!(options.prefix("TEXT"), "EXPLAIN (FORMAT TEXT, COSTS false) ");
    }
}
