//! A database of its own for a test, and what is in it.

use relata::migrate::{HISTORY_TABLE, Migrations, Options, deploy};
use relata_devdb::{DevDb, TestDatabase};
use tokio_postgres::{Client, NoTls, SimpleQueryMessage};

/// A database that is dropped with this value.
pub(crate) struct Database {
    runtime: tokio::runtime::Runtime,
    client: Client,
    _database: TestDatabase,
}

impl Database {
    pub(crate) fn create(server: &DevDb) -> Self {
        Self::of(server.create_database("codegen").expect("a database can be created"))
    }

    /// A database in which this has run.
    pub(crate) fn with(server: &DevDb, sql: &str) -> Self {
        let database = Self::create(server);
        database.run(sql).expect("the preparation runs");
        database
    }

    pub(crate) fn of(database: TestDatabase) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime starts");
        let (client, connection) =
            runtime.block_on(tokio_postgres::connect(database.url(), NoTls)).expect("the database can be reached");
        runtime.spawn(connection);
        Self { runtime, client, _database: database }
    }

    /// Runs a migration as the runner does: each segment in one transaction.
    pub(crate) fn migrate(&self, sql: &str) -> Result<(), String> {
        sql.split(relata_codegen::sql::SEGMENT_TRANSACTIONAL).try_for_each(|segment| self.run(segment).map(drop))
    }

    /// Runs a migration through the runner, statement by statement as its markers say.
    pub(crate) fn deploy(&mut self, sql: &str) -> Result<(), String> {
        let migrations = Migrations::from_static(&[("1_migration", sql)]).map_err(|error| error.to_string())?;
        let options = Options::default();
        let deployed = self.runtime.block_on(deploy(&mut self.client, &migrations, &options));
        deployed.map_err(|error| error.to_string())?;
        self.run(&format!("DROP TABLE {HISTORY_TABLE}")).map(drop)
    }

    /// Runs SQL in one transaction and gives the rows of its queries, one line each.
    pub(crate) fn run(&self, sql: &str) -> Result<String, String> {
        let messages =
            self.runtime.block_on(self.client.simple_query(sql)).map_err(|error| match error.as_db_error() {
                Some(error) => error.to_string(),
                None => error.to_string(),
            })?;
        let line = |row: &tokio_postgres::SimpleQueryRow| {
            let values: Vec<_> = (0..row.len()).map(|column| row.get(column).unwrap_or("NULL")).collect();
            values.join(" | ") + "\n"
        };
        let lines = messages.iter().filter_map(|message| match message {
            SimpleQueryMessage::Row(row) => Some(line(row)),
            _ => None,
        });
        Ok(lines.collect())
    }

    /// Everything that a migration can leave behind, but for the order of columns.
    pub(crate) fn catalog(&self) -> String {
        let catalog = self.run(CATALOG).expect("the catalog can be read");
        // The table of recorded changes stays when nothing is recorded any more.
        let is_log = |line: &&str| line.contains("_relata_audit");
        let is_used = catalog.lines().any(|line| is_log(&line) && line.starts_with("trigger"));
        let lines = catalog.lines().filter(|line| is_used || !is_log(line));
        lines.map(|line| format!("{line}\n")).collect()
    }
}

const CATALOG: &str = "
SELECT 'column', a.attrelid::regclass, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attidentity,
       a.attgenerated, pg_get_expr(d.adbin, d.adrelid)
FROM pg_attribute a
JOIN pg_class c ON c.oid = a.attrelid AND c.relkind IN ('r', 'p') AND NOT a.attisdropped AND a.attnum > 0
JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname NOT LIKE 'pg\\_%' AND n.nspname <> 'information_schema'
LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
ORDER BY a.attrelid::regclass::text, a.attname;
SELECT 'constraint', conrelid::regclass, conname, convalidated, pg_get_constraintdef(oid)
FROM pg_constraint WHERE conrelid <> 0 AND connamespace <> 'pg_catalog'::regnamespace
ORDER BY conrelid::regclass::text, conname;
SELECT 'index', indisvalid, pg_get_indexdef(indexrelid) FROM pg_index
JOIN pg_class c ON c.oid = indexrelid
JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname NOT LIKE 'pg\\_%' AND n.nspname <> 'information_schema'
ORDER BY pg_get_indexdef(indexrelid);
SELECT 'enum', t.oid::regtype, string_agg(e.enumlabel, ', ' ORDER BY e.enumsortorder)
FROM pg_type t JOIN pg_enum e ON e.enumtypid = t.oid GROUP BY t.oid ORDER BY t.oid::regtype::text;
SELECT 'sequence', s.seqrelid::regclass, s.seqtypid::regtype, s.seqmax, d.refobjid::regclass, a.attname
FROM pg_sequence s
LEFT JOIN pg_depend d ON d.objid = s.seqrelid AND d.deptype = 'a' AND d.refobjsubid > 0
LEFT JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
ORDER BY s.seqrelid::regclass::text;
SELECT 'trigger', pg_get_triggerdef(oid), tgenabled FROM pg_trigger
WHERE tgfoid IN (SELECT oid FROM pg_proc WHERE proname = '_relata_audit') AND tgrelid::regclass::text NOT LIKE '%\\_relata\\_audit'
ORDER BY 2;
SELECT 'function', oid::regprocedure, md5(prosrc), prosecdef, proconfig FROM pg_proc WHERE proname = '_relata_audit';
SELECT 'policy', polrelid::regclass, polname, pg_get_expr(polqual, polrelid), pg_get_expr(polwithcheck, polrelid)
FROM pg_policy WHERE polrelid::regclass::text LIKE '%\\_relata\\_audit' ORDER BY 2, 3;
SELECT 'comment', pg_describe_object(classoid, objoid, objsubid), description FROM pg_description
WHERE objoid >= 16384 AND classoid IN ('pg_class'::regclass, 'pg_type'::regclass) AND description NOT LIKE 'by hand%' ORDER BY 2, 3;
";
