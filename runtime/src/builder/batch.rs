//! Tuples of queries.

use crate::error::Error;
use crate::execute::BatchParts;
use crate::query::{Outcome, Query};

/// A tuple of queries.
///
/// ```
/// # use plain_planner::*;
/// # async fn example(db: &Client) -> relata::Result<()> {
/// let (users, students) = db.batch((db.user().count(), db.student().find_many().take(10))).await?;
/// # Ok(())
/// # }
/// ```
pub trait Batch {
    /// A tuple of their results.
    type Output: Send + 'static;

    /// For the runtime: the queries as data, and the function that reads their outcomes.
    #[doc(hidden)]
    fn into_batch(self) -> BatchParts<Self::Output>;
}

macro_rules! batch {
    ($($type:ident),+) => {
        impl<$($type: Query),+> Batch for ($($type,)+) {
            type Output = ($($type::Output,)+);

            #[allow(non_snake_case, reason = "a value is called like its type")]
            fn into_batch(self) -> BatchParts<Self::Output> {
                let ($($type,)+) = self;
                let tenants = vec![$($type.tenant()),+];
                $(let $type = $type.into_parts();)+
                let ($($type,)+) = ($(($type.operation, $type.finish),)+);
                let operations = vec![$($type.0),+];
                let finishes = ($($type.1,)+);
                let finish = move |mut outcomes: std::vec::IntoIter<Outcome>| {
                    let ($($type,)+) = finishes;
                    Ok(($($type(outcomes.next().ok_or(Error::Internal("a batch with fewer outcomes than queries"))?)?,)+))
                };
                BatchParts { operations, tenants, finish: Box::new(finish) }
            }
        }
    };
}

batch!(A);
batch!(A, B);
batch!(A, B, C);
batch!(A, B, C, D);
batch!(A, B, C, D, E);
batch!(A, B, C, D, E, F);
batch!(A, B, C, D, E, F, G);
batch!(A, B, C, D, E, F, G, H);
batch!(A, B, C, D, E, F, G, H, I);
batch!(A, B, C, D, E, F, G, H, I, J);
batch!(A, B, C, D, E, F, G, H, I, J, K);
batch!(A, B, C, D, E, F, G, H, I, J, K, L);
