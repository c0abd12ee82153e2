//! `explain` of every call on a model.

/// Gives a call its `explain`. `executor` is the field that has it.
macro_rules! explained {
    ([$($generics:tt)*] $name:ty, $($executor:ident).+) => {
        impl<$($generics)*> $name {
            /// Asks PostgreSQL for the plan of the call in place of running it: see [`Explain`](crate::Explain).
            ///
            /// ```
            /// # use plain_planner::*;
            /// # async fn example(db: &Client) -> relata::Result<()> {
            /// println!("{}", db.student().find_many().order_by(student::class_year.asc()).explain().await?);
            /// let write = db.session().delete_many().all_rows();
            /// println!("{}", write.explain().analyze().await?); // deletes nothing
            /// # Ok(())
            /// # }
            /// ```
            pub fn explain(self) -> $crate::execute::Explain {
                self.$($executor).+.clone().explain(self)
            }
        }
    };
}

pub(super) use explained;
