//! Migrations of databases with Citus, run on a coordinator and two workers. The cases are folders of `fixtures/citus`, as
//! those of `migrate`.

use relata_codegen::sql::{plan, plan_online, render, summary};
use relata_devdb::Citus;

use crate::migrate::{Case, accepting_drops, changes, from_empty, migration, similar};
use crate::postgres::Database;

fn database(citus: &Citus) -> Database {
    Database::of(citus.create_database("codegen").expect("a database can be created"))
}

/// The catalog, and where the rows of each table are. Tables of one group are on one line.
fn catalog(database: &Database) -> String {
    let placed = "SELECT 'citus', repmodel, string_agg(logicalrelid || ' ' || coalesce(
                    column_to_column_name(logicalrelid, partkey), ''), ', ' ORDER BY logicalrelid::text)
                  FROM pg_dist_partition WHERE partmethod = 'h' OR repmodel = 't' GROUP BY colocationid, repmodel";
    // On the coordinator, PostgreSQL shows the constraints of the tables in which Citus keeps its part of the rows.
    let is_part = |line: &&str| !line.contains("_1020") && !line.contains("_1021");
    let own: String = database.catalog().lines().filter(is_part).map(|line| format!("{line}\n")).collect();
    own + &database.run(placed).expect("the tables of Citus can be read")
}

#[test]
fn migrations_distribute_tables_and_take_them_back() {
    let Some(citus) = Citus::start_or_skip().expect("Citus starts") else { return };
    insta::glob!("../fixtures", "citus/*/next.dsl", |path| {
        let case = Case::read(path);
        let found = changes(&case.previous, &case.next, &case.options).unwrap_or_else(|error| panic!("{error}"));
        let (sql, online) = (render(&plan(found.clone())), render(&plan_online(found.clone())));

        let mut at_once = database(&citus);
        at_once.deploy(&from_empty(&case.previous)).expect("the previous schema can be made");
        let start = catalog(&at_once);
        at_once.run(&case.rows).expect("the rows fit the previous schema");
        if let Err(error) = at_once.deploy(&sql) {
            panic!("{}: {error}\n{sql}", path.display());
        }
        let after = at_once.run(&case.after).expect("the query fits the next schema");

        let mut fresh = database(&citus);
        fresh.deploy(&from_empty(&case.next)).expect("the next schema can be made");
        similar(&catalog(&at_once), &catalog(&fresh), path);

        let mut stepwise = database(&citus);
        stepwise.deploy(&from_empty(&case.previous)).expect("the previous schema can be made");
        stepwise.run(&case.rows).expect("the rows fit the previous schema");
        if let Err(error) = stepwise.deploy(&online) {
            panic!("{}: {error}\n{online}", path.display());
        }
        similar(&catalog(&stepwise), &catalog(&fresh), path);
        assert_eq!(stepwise.run(&case.after).expect("the query fits the next schema"), after, "{}", path.display());

        let back = migration(&case.next, &case.previous, &accepting_drops());
        if let Err(error) = fresh.deploy(&back) {
            panic!("{}: {error}\n{back}", path.display());
        }
        similar(&catalog(&fresh), &start, path);
        insta::assert_snapshot!(format!("{}\n{sql}\n{after}\n-- back\n{back}", summary(&found)));
    });
}
