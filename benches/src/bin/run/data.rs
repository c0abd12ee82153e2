//! The data that both sides read and write, and how it is restored.

use plain_planner::Client;
use relata_bench::{Result, load};
use relata_devdb::{DevDb, TestDatabase};
use uuid::Uuid;

use crate::Workload;

/// Changes whenever other rows are created, because a template is created only once.
const ROWS: &str = "factories-1";

/// The number of institutions.
const INSTITUTIONS: usize = 20;

/// A database with the migrations of `tests/plain` and rows of its factories, dropped at the end.
pub(crate) fn seeded_database() -> Result<TestDatabase> {
    let prepare = |url: &str| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(async {
            load::migrate(url).await?;
            load::fill(&Client::connect(url).await?, INSTITUTIONS).await?;
            let options: relata::ConnectOptions = url.parse()?;
            options.connect_direct().await?.batch_execute("VACUUM ANALYZE").await?;
            Result::Ok(())
        })
    };
    let migrations = load::migrations()?;
    // A template is created once, and its key says what it contains.
    let names: Vec<&str> = migrations.iter().map(|migration| migration.name()).collect();
    let key = format!("bench-{}-{ROWS}", names.join("-"));
    let devdb = DevDb::start()?;
    eprintln!("{}", devdb.describe());
    Ok(devdb.database_from_template(&key, prepare)?)
}

/// Keys to query, in an order that is the same every time.
#[derive(Debug, Clone)]
pub(crate) struct Inputs {
    students: Vec<Uuid>,
    institutions: Vec<Uuid>,
    state: u64,
    serial: u64,
}

impl Inputs {
    /// A linear congruential generator. The low bits of one are poor.
    fn below(&mut self, limit: usize) -> usize {
        self.state = self.state.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(0x1405_7b7e_f767_814f);
        (self.state >> 33) as usize % limit
    }

    /// Returns the same keys in another order, for one of several tasks.
    pub(crate) fn of_task(&self, task: usize) -> Self {
        Self { state: self.state.wrapping_add(task as u64 + 1), ..self.clone() }
    }

    pub(crate) fn student(&mut self) -> Uuid {
        let at = self.below(self.students.len());
        self.students[at]
    }

    pub(crate) fn institution(&mut self) -> Uuid {
        let at = self.below(self.institutions.len());
        self.institutions[at]
    }

    pub(crate) fn class_year(&mut self) -> i32 {
        2020 + self.below(11) as i32
    }

    pub(crate) fn user(&mut self) -> NewUser {
        self.serial += 1;
        NewUser {
            institution: self.institution(),
            email: format!("bench.{:08}@school.example", self.serial),
            password_hash: "$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHRzYWx0c2FsdA$aGFzaGhhc2hoYXNoaGFzaGhhc2g"
                .to_owned(),
        }
    }

    pub(crate) fn users(&mut self) -> Vec<NewUser> {
        (0..1000).map(|_| self.user()).collect()
    }
}

/// A user to insert.
#[derive(Debug, Clone)]
pub(crate) struct NewUser {
    pub(crate) institution: Uuid,
    pub(crate) email: String,
    pub(crate) password_hash: String,
}

/// Opens a connection apart from the measured ones.
pub(crate) struct Admin {
    connection: tokio_postgres::Client,
    expire: tokio_postgres::Statement,
}

impl Admin {
    pub(crate) async fn connect(url: &str) -> Result<Self> {
        let (client, connection) = tokio_postgres::connect(url, tokio_postgres::NoTls).await?;
        tokio::spawn(connection);
        let expire = client
            .prepare(
                "INSERT INTO sessions (id, user_id, expires_at) \
                 SELECT gen_random_uuid(), id, now() - interval '1 day' FROM users ORDER BY id LIMIT 100",
            )
            .await?;
        Ok(Self { connection: client, expire })
    }

    pub(crate) async fn inputs(&self) -> Result<Inputs> {
        let ids = async |sql: &str| -> Result<Vec<Uuid>> {
            Ok(self.connection.query(sql, &[]).await?.iter().map(|row| row.get(0)).collect())
        };
        let students = ids("SELECT id FROM students ORDER BY id").await?;
        let institutions = ids("SELECT id FROM institutions ORDER BY id").await?;
        if students.is_empty() || institutions.is_empty() {
            return Err("the database is not seeded".into());
        }
        Ok(Inputs { students, institutions, state: 1, serial: 0 })
    }

    /// Returns the server's processes for this database.
    pub(crate) async fn backends(&self) -> Result<Vec<i32>> {
        let sql =
            "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND backend_type = 'client backend'";
        Ok(self.connection.query(sql, &[]).await?.iter().map(|row| row.get(0)).collect())
    }

    /// Prepares what a call needs: expired sessions for the call that deletes them.
    pub(crate) async fn before(&self, workload: Workload) -> Result<()> {
        if workload == Workload::DeleteExpired {
            self.connection.execute(&self.expire, &[]).await?;
        }
        Ok(())
    }

    /// Removes what a block of calls has left behind, including dead rows.
    pub(crate) async fn after(&self, workload: Workload) -> Result<()> {
        let statements: &[&str] = match workload {
            Workload::InsertOne | Workload::Insert1000 => {
                &["DELETE FROM users WHERE email LIKE 'bench.%'", "VACUUM users"]
            }
            Workload::UpdateOne => &["VACUUM students"],
            Workload::DeleteExpired => &["VACUUM sessions"],
            _ => &[],
        };
        for statement in statements {
            self.connection.batch_execute(statement).await?;
        }
        Ok(())
    }
}
