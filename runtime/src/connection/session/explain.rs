//! A transaction whose statements are explained before they run.

use std::sync::{Mutex, PoisonError};

use tokio_postgres::Row;

/// How statements are explained, and the plans so far.
#[derive(Debug)]
pub(crate) struct Explaining {
    /// EXPLAIN with its options, to be put in front of a statement.
    pub(super) prefix: String,
    plans: Mutex<Vec<RawPlan>>,
    /// Statements that a call sends together are explained one after another.
    pub(super) turn: tokio::sync::Mutex<()>,
}

/// A statement, and what EXPLAIN returned.
#[derive(Debug)]
pub(crate) struct RawPlan {
    pub(crate) sql: String,
    pub(crate) rows: Vec<Row>,
}

impl Explaining {
    pub(crate) fn new(prefix: String) -> Self {
        Self { prefix, plans: Mutex::default(), turn: tokio::sync::Mutex::default() }
    }

    pub(super) fn add(&self, plan: RawPlan) {
        self.plans.lock().unwrap_or_else(PoisonError::into_inner).push(plan);
    }

    /// Returns the plans in the order in which their statements were sent.
    pub(crate) fn take(&self) -> Vec<RawPlan> {
        std::mem::take(&mut *self.plans.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
