//! What a handle has written, so that its reads see it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use super::position::Position;
use crate::error::Result;

/// The writes of one handle and of those that were made of it.
///
/// A write only counts up. The first read after it asks the primary for its position, once for all writes before.
#[derive(Debug, Default)]
pub(super) struct OwnWrites {
    /// How many there were.
    count: AtomicU64,
    known: Mutex<Known>,
    /// Held while the primary is asked.
    asking: tokio::sync::Mutex<()>,
}

#[derive(Debug, Default)]
struct Known {
    /// The number of writes that are before the position.
    writes: u64,
    position: Option<Position>,
}

impl OwnWrites {
    pub(super) fn note(&self) {
        self.count.fetch_add(1, Ordering::AcqRel);
    }

    /// Returns a position after all writes so far; `None` if there were none. `ask` gets it from the primary.
    pub(super) async fn position<F>(&self, ask: impl FnOnce() -> F) -> Result<Option<Position>>
    where
        F: Future<Output = Result<Position>>,
    {
        let wanted = self.count.load(Ordering::Acquire);
        if let Some(known) = self.known(wanted) {
            return Ok(known);
        }
        let _alone = self.asking.lock().await;
        if let Some(known) = self.known(wanted) {
            return Ok(known);
        }
        let writes = self.count.load(Ordering::Acquire);
        let position = Some(ask().await?);
        *self.known.lock().unwrap_or_else(PoisonError::into_inner) = Known { writes, position };
        Ok(position)
    }

    /// Returns the position if it is after that many writes.
    fn known(&self, writes: u64) -> Option<Option<Position>> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        (known.writes >= writes).then_some(known.position)
    }
}

#[cfg(test)]
mod tests {
    use super::super::position::tests::at;
    use super::*;
    use crate::error::Error;

    #[tokio::test]
    async fn the_primary_is_asked_once_for_all_writes_before() {
        let own = OwnWrites::default();
        let unasked = || async { Err(Error::Internal("nothing was written")) };
        assert_eq!(own.position(unasked).await.expect("is not asked"), None);
        own.note();
        own.note();
        assert_eq!(own.position(|| async { Ok(at(1, 10)) }).await.expect("is asked"), Some(at(1, 10)));
        let again = || async { Err(Error::Internal("nothing was written since")) };
        assert_eq!(own.position(again).await.expect("is not asked"), Some(at(1, 10)));
        own.note();
        // A write while the primary is asked may be after the position.
        let during = || async {
            own.note();
            Ok(at(1, 20))
        };
        assert_eq!(own.position(during).await.expect("is asked"), Some(at(1, 20)));
        assert_eq!(own.position(|| async { Ok(at(1, 30)) }).await.expect("is asked again"), Some(at(1, 30)));
        own.note();
        let gone = || async { Err(Error::ConnectionLost("gone".to_owned())) };
        assert!(own.position(gone).await.is_err());
        assert_eq!(own.position(|| async { Ok(at(1, 40)) }).await.expect("is asked"), Some(at(1, 40)));
    }
}
