// What `#[relata::test]` refuses itself.

#[allow(unused_imports)]
use plain_planner::{Client, Transaction};

#[relata::test]
fn not_async(db: Client) {}

#[relata::test]
async fn without_a_database() {}

#[relata::test]
#[tokio::test]
async fn a_test_twice(db: Client) {}

#[relata::test(schema = "tests.dsl")]
async fn an_unknown_option(db: Client) {}

#[relata::test(migrations = true)]
async fn migrations_without_a_folder(db: Client) {}

#[relata::test(flavor = "many")]
async fn an_unknown_runtime(db: Client) {}

#[relata::test(worker_threads = 2)]
async fn threads_of_one_thread(db: Client) {}

#[relata::test]
async fn of_an_unnamed_type(db: impl Clone) {}

#[relata::test]
async fn generic<T>(db: T) {}

#[relata::test]
#[should_panic]
async fn a_panic_that_returns(db: Client) -> relata::Result<()> {
    Ok(())
}

#[relata::test(rollback)]
async fn a_transaction_that_can_commit(tx: Transaction) {}

#[relata::test(rollback)]
async fn two_transactions(one: &Transaction, two: &Transaction) {}

fn main() {}
