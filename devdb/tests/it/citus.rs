//! Citus from the installed PostgreSQL.

use relata_devdb::Citus;

use crate::support::ask;

#[test]
fn tables_are_distributed_over_two_workers() {
    let Some(citus) = Citus::start_or_skip().expect("Citus starts") else { return };
    let database = citus.create_database("distributed").expect("is created");
    ask(database.url(), "CREATE TABLE a (id int PRIMARY KEY); SELECT create_distributed_table('a', 'id')");
    assert_eq!(ask(database.url(), "SELECT count(DISTINCT nodeport) FROM citus_shards"), "2");
    drop(database);
    let again = citus.create_database("again").expect("is created");
    assert_eq!(ask(again.url(), "SELECT count(*) FROM citus_tables"), "0");
}
