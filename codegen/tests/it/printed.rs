//! What PostgreSQL prints of defaults and conditions is the same as what the schema says.

use relata_codegen::sql::{ColumnDefault, DataType, DiffOptions, Pair, Side, diff, summary};
use relata_devdb::DevDb;

use crate::migrate::{Case, from_empty};
use crate::postgres::Database;

const DEFAULTS: &str = "SELECT n.nspname, c.relname, a.attname, replace(pg_get_expr(d.adbin, d.adrelid), chr(10), ' ')
    FROM pg_attrdef d JOIN pg_attribute a ON a.attrelid = d.adrelid AND a.attnum = d.adnum
    JOIN pg_class c ON c.oid = d.adrelid JOIN pg_namespace n ON n.oid = c.relnamespace";
const CHECKS: &str = "SELECT n.nspname, c.relname, k.conname, replace(pg_get_expr(k.conbin, k.conrelid), chr(10), ' ')
    FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE k.contype = 'c'";
const PREDICATES: &str =
    "SELECT n.nspname, c.relname, x.relname, replace(pg_get_expr(i.indpred, i.indrelid), chr(10), ' ')
    FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid JOIN pg_class x ON x.oid = i.indexrelid
    JOIN pg_namespace n ON n.oid = c.relnamespace WHERE i.indpred IS NOT NULL";
const TYPES: &str = "SELECT n.nspname, c.relname, a.attname, format_type(a.atttypid, a.atttypmod)
    FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid AND c.relkind = 'r' AND a.attnum > 0
    JOIN pg_type t ON t.oid = a.atttypid LEFT JOIN pg_type e ON e.oid = t.typelem
    JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname NOT IN ('pg_catalog', 'information_schema')
    WHERE t.typtype = 'b' AND coalesce(e.typtype, 'b') = 'b'";

/// The texts that a query gives for parts of tables: schema, table, part, text.
fn texts(database: &Database, query: &str) -> Vec<[String; 4]> {
    let rows = database.run(&format!("SET timezone = 'UTC'; {query}")).expect("the catalog can be read");
    let row = |line: &str| {
        let mut parts = line.splitn(4, " | ").map(str::to_owned);
        std::array::from_fn(|_| parts.next().unwrap_or_default())
    };
    rows.lines().map(row).collect()
}

#[test]
fn printed_texts_equal_written_ones() {
    let server = DevDb::start().expect("there is a PostgreSQL");
    insta::glob!("../fixtures", "migrate/*/next.dsl", |path| {
        let case = Case::read(path);
        let database = Database::with(&server, &case.before);
        database.migrate(&from_empty(&case.next)).expect("the schema can be made");
        let [defaults, checks, predicates, types] =
            [DEFAULTS, CHECKS, PREDICATES, TYPES].map(|query| texts(&database, query));
        let find = |rows: &[[String; 4]], schema: &str, table: &str, part: &str| {
            let same = |row: &&[String; 4]| row[0] == schema && row[1] == table && row[2] == part;
            rows.iter().find(same).map(|row| row[3].clone())
        };

        let mut printed = case.next.state.clone();
        for table in &mut printed.tables {
            let schema = table.name.schema.clone().unwrap_or_else(|| "public".to_owned());
            let name = table.name.name.clone();
            for column in &mut table.columns {
                let default = find(&defaults, &schema, &name, &column.name);
                // The catalog keeps the expression of a generated column among the defaults.
                if column.generated.is_some() {
                    column.generated = default;
                } else {
                    column.default = default.and_then(|sql| ColumnDefault::parse(&sql, &column.ty, column.array));
                }
                if let Some(ty) = find(&types, &schema, &name, &column.name) {
                    (column.ty, column.array) = DataType::parse(&ty);
                }
            }
            for check in &mut table.checks {
                check.expression = find(&checks, &schema, &name, &check.name).expect("the check is there");
            }
            for index in &mut table.indexes {
                index.predicate = find(&predicates, &schema, &name, &index.name);
            }
        }
        let previous = Side { state: &printed, intent: None };
        let found = diff(Pair { previous, next: case.next.side() }, &DiffOptions::default());
        let found = found.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        assert_eq!(summary(&found), "", "{}: {found:#?}", path.display());
        assert!(found.is_empty(), "{found:?}");
    });
}
