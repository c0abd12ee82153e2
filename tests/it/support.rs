//! A database per test, with the migrations of `tests/plain` applied and initial rows.

pub(crate) mod faults;
pub(crate) mod server;
pub(crate) mod texts;
pub(crate) mod wiretap;

use std::fmt::Write;
use std::path::Path;

use plain_planner::{Client, ExamType, Institution, Role, Student, User, exam_type, institution, student, user};
use relata::migrate::{self, Migrations};
use relata::uuid::Uuid;

pub(crate) use server::{Database, Need, connect, devdb, direct};

/// A new database, dropped at the end, and a client for it.
pub(crate) struct Fixture {
    pub(crate) db: Client,
    pub(crate) database: Database,
}

/// A database with all migrations applied.
pub(crate) fn database() -> Database {
    let migrations =
        Migrations::from_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/plain/migrations")).expect("are read");
    let mut key = String::from("plain-planner");
    for migration in migrations.iter() {
        let text = std::fs::read_to_string(migration.file()).expect("is read");
        write!(key, "-{}-{}", migration.name(), text.len()).expect("a String takes everything");
    }
    let prepare = |url: &str| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(async {
            let options: relata::ConnectOptions = url.parse()?;
            let mut connection = options.connect_direct().await?;
            migrate::deploy(&mut connection, &migrations, &migrate::Options::default()).await?;
            Ok::<_, Box<dyn std::error::Error + Send + Sync>>(())
        })
    };
    devdb().database_from_template(&key, prepare).expect("a database is made")
}

/// Runs plain SQL on a new connection to the server itself.
pub(crate) async fn plain_sql(url: &str, sql: &str) -> Vec<relata::tokio_postgres::Row> {
    connect(url).await.query(sql, &[]).await.expect("is right")
}

impl Fixture {
    pub(crate) async fn new() -> Self {
        let database = database();
        let size = devdb().max_connections_hint().min(10);
        let db = Client::builder(database.url()).expect("is a URL").max_connections(size).connect().await;
        Self { db: db.expect("connects"), database }
    }

    /// Runs plain SQL, to compare results with.
    pub(crate) async fn sql(&self, sql: &str) -> Vec<relata::tokio_postgres::Row> {
        plain_sql(self.database.url(), sql).await
    }

    pub(crate) async fn institution(&self, slug: &str) -> Institution {
        let row = institution::Create { name: format!("Institution {slug}"), slug: slug.to_owned() };
        self.db.institution().create(row).await.expect("is created")
    }

    pub(crate) async fn user(&self, tenant: Uuid, email: &str) -> User {
        let row = user::Create {
            institution: tenant,
            email: email.to_owned(),
            password_hash: "$argon2id$v=19$".to_owned(),
            role: Role::Student,
        };
        self.db.user().create(row).await.expect("is created")
    }

    pub(crate) async fn student(&self, tenant: Uuid, email: &str, class_year: i32) -> Student {
        let user = self.user(tenant, email).await;
        let row = student::Create { user: user.id, institution: tenant, class_year };
        self.db.student().create(row).await.expect("is created")
    }

    pub(crate) async fn exam_type(&self, tenant: Uuid, code: &str) -> ExamType {
        let row = exam_type::Create {
            institution: tenant,
            code: code.to_owned(),
            name: format!("Exam {code}"),
            default_weight: 1.0,
        };
        self.db.exam_type().create(row).await.expect("is created")
    }
}

/// A database with the tables of a schema, whose server has its extensions. Otherwise, the test is skipped.
pub(crate) async fn with_extensions(name: &str, extensions: &[&str], schema: &str) -> Option<Database> {
    let database = devdb().create_database(name).expect("a database is made");
    let sql = connect(database.url()).await;
    for extension in extensions {
        let available = "SELECT 1 FROM pg_available_extensions WHERE name = $1";
        if sql.query(available, &[extension]).await.expect("is read").is_empty() {
            relata_devdb::skip(&format!("this PostgreSQL does not have the extension {extension}"));
            return None;
        }
    }
    let sources = relata_codegen::build::read_schema(&Path::new(env!("CARGO_MANIFEST_DIR")).join(schema));
    let schema = relata_codegen::compile(&sources.expect("is read")).schema.expect("is valid");
    sql.batch_execute(&crate::wide::create_sql(&schema)).await.expect("is right");
    Some(database)
}
