// The arguments of `#[relata::test]`. Without `cfg(test)`, rustc drops tests, so their bounds are written here.

use plain_planner::{Client, Transaction};
use relata::testing::{InTransaction, TestArgument};

fn takes<'d>(_: impl TestArgument<'d>) {}
fn rolls_back(_: &impl InTransaction) {}

fn arguments(text: String, transaction: Transaction, db: Client) {
    takes(text);
    takes(transaction);
    rolls_back(&db);
}

fn main() {}
