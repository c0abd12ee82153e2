//! A batch inside an open transaction: a savepoint around its queries, so that all of them take effect, or none.

use futures_util::future::join_all;

use super::{Finish, answer_of, read_all};
use crate::connection::Scope;
use crate::error::Result;
use crate::execute::call::Done;
use crate::execute::run::execute;
use crate::execute::single;
use crate::meta::Table;
use crate::query::{Operation, Outcome};
use crate::sql::{Context, Statement};

/// Carries out the queries in a savepoint. If one of them fails, the transaction continues without any of them.
pub(super) async fn run<T: Send>(
    scope: &Scope,
    operations: Vec<Operation>,
    finish: &mut Option<Finish<T>>,
) -> Result<Done<T>> {
    if let Some(error) = operations.iter().find_map(Operation::refused) {
        return Err(error);
    }
    let transaction = &scope.transaction;
    let savepoint = transaction.begin_savepoint(scope.savepoint).await?;
    let inner = Scope { savepoint: savepoint.number, ..scope.clone() };
    let running = inner.enter().await?;
    let done = match outcomes(&inner, operations).await {
        Ok(outcomes) => read_all(outcomes, finish),
        Err(error) => Err(error),
    };
    running.end(&done);
    let ended = transaction.end_savepoint(savepoint, done.is_ok()).await;
    done.and_then(|done| ended.map(|()| done))
}

/// Sends the statements together, if each query is one.
async fn outcomes(scope: &Scope, operations: Vec<Operation>) -> Result<Vec<Outcome>> {
    let context = Context::of_tenant(scope.tenant.as_deref());
    let statements = operations.iter().map(|operation| single::single_statement(context, operation));
    match statements.collect::<Option<Vec<_>>>() {
        Some(statements) => together(scope, &operations, &statements).await,
        None => one_by_one(scope, operations).await,
    }
}

async fn together(
    scope: &Scope,
    operations: &[Operation],
    statements: &[(Statement, &'static Table)],
) -> Result<Vec<Outcome>> {
    let session = scope.session("batch")?;
    let mut prepared = Vec::with_capacity(statements.len());
    for (statement, table) in statements {
        prepared.push(session.prepare(statement, Some(table)).await?);
    }
    let answers = operations.iter().zip(statements.iter().zip(&prepared)).map(
        |(operation, ((statement, table), prepared))| async move {
            answer_of(scope.session(operation.name())?, operation, statement, table, prepared).await
        },
    );
    let mut outcomes = join_all(answers).await.into_iter().collect::<Result<Vec<_>>>()?;
    for (operation, outcome) in operations.iter().zip(&mut outcomes) {
        if let Some(mut again) = single::missing(operation, outcome) {
            *outcome = execute(scope.session(operation.name())?, &mut again).await?;
        }
    }
    Ok(outcomes)
}

async fn one_by_one(scope: &Scope, operations: Vec<Operation>) -> Result<Vec<Outcome>> {
    let mut outcomes = Vec::with_capacity(operations.len());
    for mut operation in operations {
        outcomes.push(execute(scope.session(operation.name())?, &mut operation).await?);
    }
    Ok(outcomes)
}
