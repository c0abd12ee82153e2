//! What a test function can have as arguments.

use crate::client::{Client, ClientBuilder, Root, Transaction};
use crate::error::Error;
use relata_devdb::TestDatabase;

/// Any error, of the preparation of a test.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;

/// An argument of a function with [`#[relata::test]`](macro@crate::test): the `Client` of the schema, its
/// `ClientBuilder`, or the [`&TestDatabase`](TestDatabase). All arguments of a test are about the same database.
///
/// Implement it for what your tests start from, such as a client with other settings or rows that every test needs:
///
/// ```
/// use plain_planner::{Client, Institution, institution};
/// use relata::testing::{Failure, TestArgument, TestDatabase};
///
/// struct North {
///     db: Client,
///     institution: Institution,
/// }
///
/// impl TestArgument<'_> for North {
///     async fn from_database(database: &TestDatabase) -> Result<Self, Failure> {
///         let db = Client::connect(database.url()).await?;
///         let row = institution::Create { name: "North".to_owned(), slug: "north".to_owned() };
///         let institution = db.institution().create(row).await?;
///         Ok(North { db, institution })
///     }
/// }
///
/// #[relata::test]
/// async fn north_has_no_students(north: North) -> relata::Result<()> {
///     let students = north.db.student().find_many().filter(plain_planner::student::institution_id.eq(north.institution.id));
///     assert!(students.await?.is_empty());
///     Ok(())
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be an argument of `#[relata::test]`",
    label = "expected the `Client` of the schema, its `ClientBuilder`, or `&TestDatabase`",
    note = "for a transaction that is rolled back, write `#[relata::test(rollback)]` and `tx: &Transaction`",
    note = "a test of one tenant takes the `Client`, and calls `db.tenant(id)`",
    note = "implement `relata::testing::TestArgument` for what your tests start from"
)]
pub trait TestArgument<'d>: Sized {
    /// Creates the argument for a test that has this database.
    ///
    /// # Errors
    /// An error fails the test.
    fn from_database(database: &'d TestDatabase) -> impl Future<Output = Result<Self, Failure>>;
}

impl<'d> TestArgument<'d> for &'d TestDatabase {
    async fn from_database(database: &'d TestDatabase) -> Result<Self, Failure> {
        Ok(database)
    }
}

impl<M: Root> TestArgument<'_> for ClientBuilder<M> {
    async fn from_database(database: &TestDatabase) -> Result<Self, Failure> {
        Ok(Client::builder(database.url())?)
    }
}

impl<M: Root> TestArgument<'_> for Client<M> {
    async fn from_database(database: &TestDatabase) -> Result<Self, Failure> {
        connect(database).await
    }
}

/// Connects a client to the database of a test.
pub(super) async fn connect<M: Root>(database: &TestDatabase) -> Result<Client<M>, Failure> {
    Client::connect(database.url()).await.map_err(|error| match error {
        Error::RowSecurity(_) => format!("{error}; give the test a role: #[relata::test(role = \"app\")]").into(),
        other => other.into(),
    })
}

/// The argument of a function with `#[relata::test(rollback)]`, by reference: the `Transaction` of the schema, or its
/// `Models`.
///
/// ```
/// use plain_planner::{Models, Transaction, institution};
///
/// async fn north(db: &Models) -> relata::Result<()> {
///     db.institution().create(institution::Create { name: "North".to_owned(), slug: "north".to_owned() }).await?;
///     Ok(())
/// }
///
/// #[relata::test(rollback)]
/// async fn one_institution(tx: &Transaction) -> relata::Result<()> {
///     north(tx).await?;
///     assert_eq!(tx.institution().count().await?, 1);
///     Ok(())
/// }
///
/// #[relata::test(rollback)]
/// async fn again_one_institution(db: &Models) -> relata::Result<()> {
///     north(db).await?;
///     assert_eq!(db.institution().count().await?, 1);
///     Ok(())
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be rolled back",
    label = "expected the `Transaction` of the schema, or its `Models`",
    note = "a `Client` sends its calls on several connections; take `tx: &Transaction`, or leave out `rollback`, so \
            that the test has its own database"
)]
pub trait InTransaction {
    /// The models of the transaction.
    type Models: Root;

    /// Returns the argument of the test.
    fn of(transaction: &Transaction<Self::Models>) -> &Self;
}

impl<M: Root> InTransaction for Transaction<M> {
    type Models = M;

    fn of(transaction: &Transaction<M>) -> &Self {
        transaction
    }
}

#[diagnostic::do_not_recommend]
impl<M: Root> InTransaction for M {
    type Models = M;

    fn of(transaction: &Transaction<M>) -> &Self {
        transaction
    }
}
