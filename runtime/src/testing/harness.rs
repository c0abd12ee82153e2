//! What the expansion of `#[relata::test]` calls.

use std::path::Path;
use std::sync::OnceLock;

use relata_devdb::{DevDb, TestDatabase};
use tokio::runtime::{Builder, Runtime};

use super::argument::connect;
use super::contents::Contents;
use super::{Error, Failure, InTransaction, TestArgument};
use crate::client::Client;

/// The options of a test, as the attribute has them.
#[derive(Debug, Clone, Copy)]
pub struct Test {
    /// The folder of the package, from which the paths start.
    pub package: &'static str,
    /// The folder of migrations. Without one, the database is empty.
    pub migrations: Option<&'static str>,
    /// Files of SQL that create rows.
    pub fixtures: &'static [&'static str],
    /// The role of the test's sessions.
    pub role: Option<&'static str>,
    /// The threads of a runtime with several ones; 0 for one per processor. Without it, the runtime is the test's thread.
    pub threads: Option<usize>,
}

impl Test {
    /// Runs a test that has its own database.
    #[track_caller]
    pub fn run<R>(&self, test: impl AsyncFnOnce(&TestDatabase) -> Result<R, Failure>) -> R {
        self.with_database(Contents::copy, |database, runtime| runtime.block_on(test(database)))
            .unwrap_or_else(|failure| panic!("{failure}"))
    }

    /// Runs a test in a transaction that is rolled back.
    #[track_caller]
    pub fn run_and_roll_back<T: InTransaction + ?Sized, R>(&self, test: impl AsyncFnOnce(&T) -> R) -> R {
        self.roll_back(test).unwrap_or_else(|failure| panic!("{failure}"))
    }

    /// Runs a test that has to panic. If it has no database, it does not, because the panic would let the test pass.
    pub fn run_to_panic(&self, test: impl AsyncFnOnce(&TestDatabase) -> Result<(), Failure>) {
        let done = self.with_database(Contents::copy, |database, runtime| runtime.block_on(test(database)));
        done.unwrap_or_else(|failure| eprintln!("{failure}"));
    }

    /// Runs a test that has to panic, in a transaction that is rolled back.
    pub fn roll_back_to_panic<T: InTransaction + ?Sized>(&self, test: impl AsyncFnOnce(&T)) {
        self.roll_back(test).unwrap_or_else(|failure| eprintln!("{failure}"));
    }

    fn roll_back<T: InTransaction + ?Sized, R>(&self, test: impl AsyncFnOnce(&T) -> R) -> Result<R, Failure> {
        self.with_database(Contents::shared, |database, runtime| {
            runtime.block_on(async {
                let db: Client<T::Models> = connect(database).await?;
                let transaction = db.begin().await?;
                let result = test(T::of(&transaction)).await;
                // A failed rollback means that the connection is lost, and then the server rolls back.
                let _ = transaction.rollback().await;
                Ok(result)
            })
        })
    }

    /// Calls `work` with a new database and a runtime. The runtime ends first, and closes all connections.
    fn with_database<R>(
        &self,
        create: fn(&Contents, &DevDb) -> Result<TestDatabase, Error>,
        work: impl FnOnce(&TestDatabase, &Runtime) -> Result<R, Failure>,
    ) -> Result<R, Failure> {
        let database = create(&self.contents()?, server()?)?;
        let runtime = self.runtime()?;
        work(&database, &runtime)
    }

    fn contents(&self) -> Result<Contents, Error> {
        let package = Path::new(self.package);
        let mut contents = Contents::new();
        if let Some(folder) = self.migrations {
            contents = contents.with_migrations(&package.join(folder))?;
        }
        for file in self.fixtures {
            contents = contents.with_fixture(package.join(file))?;
        }
        Ok(match self.role {
            Some(role) => contents.with_role(role),
            None => contents,
        })
    }

    fn runtime(&self) -> std::io::Result<Runtime> {
        let mut builder = match self.threads {
            None => Builder::new_current_thread(),
            Some(threads) => {
                let mut builder = Builder::new_multi_thread();
                if threads > 0 {
                    builder.worker_threads(threads);
                }
                builder
            }
        };
        builder.enable_all().build()
    }
}

/// Creates an argument of a test.
#[doc(hidden)]
pub async fn argument<'d, A: TestArgument<'d>>(database: &'d TestDatabase) -> Result<A, Failure> {
    A::from_database(database).await
}

/// Returns the server of all tests of this process.
fn server() -> Result<&'static DevDb, Failure> {
    static SERVER: OnceLock<Result<DevDb, String>> = OnceLock::new();
    let server = SERVER.get_or_init(|| DevDb::start().map_err(|error| error.to_string()));
    server.as_ref().map_err(|error| error.as_str().into())
}
