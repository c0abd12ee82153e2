//! Row security on a replica: what holds for a handle is set in the transaction of each statement, there as well.

use super::*;
use crate::tenants::secured::client::{Client as Tenants, room, school, user};
use relata::uuid::Uuid;
use relata_codegen::sql::{DiffOptions, Pair, Side, State, diff, lower, plan, render};

const ROLE: &str = "CREATE ROLE app LOGIN; GRANT ALL ON ALL TABLES IN SCHEMA public TO app; GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO app";

/// The URL for the role `app`, which is no superuser.
fn as_app(server: &Server) -> String {
    server.url().replace("relata@", "app@")
}

/// A primary with the tables, and a replica.
async fn secured_cluster(name: &str) -> Option<Cluster> {
    let mut cluster = Cluster::start(name)?;
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/tenants/secured.dsl");
    let schema = relata_codegen::compile(&relata_codegen::build::read_schema(&file).expect("is read")).schema;
    let (empty, next) = (State::default(), lower(&schema.expect("is valid")));
    let pair = Pair { previous: Side { state: &empty, intent: None }, next: Side { state: &next, intent: None } };
    let sql = render(&plan(diff(pair, &DiffOptions::default()).expect("nothing is renamed")));
    cluster.primary().sql(&sql).await;
    cluster.primary().sql(ROLE).await;
    cluster.add_replica();
    Some(cluster)
}

#[tokio::test]
async fn a_tenant_sees_its_rows_alone_on_a_replica() {
    let Some(cluster) = secured_cluster("secured").await else { return };
    let db = Tenants::builder(&as_app(cluster.primary())).expect("is a URL");
    let db = db.replica(&as_app(cluster.server(1))).application_name(APPLICATION);
    let db: Tenants = db.replica_wait(Duration::from_secs(20)).connect().await.expect("connects");

    let (north, south) = (Uuid::new_v4(), Uuid::new_v4());
    for (id, slug) in [(north, "north"), (south, "south")] {
        let row = school::Create { name: slug.to_owned(), slug: slug.to_owned() }.set(school::id.to(id));
        db.across_tenants().school().create(row).await.expect("is created");
        let row = room::Create { name: format!("Room of {slug}") };
        db.tenant(id).room().create(row).await.expect("is created");
    }
    for (id, name) in [(north, "Room of north"), (south, "Room of south")] {
        let db = db.tenant(id);
        let names: Vec<String> = db.room().find_many().select(room::name).await.expect("reads");
        assert_eq!(names, [name]);
        // SQL that is not confined by the client is confined by the replica.
        let sql = r#"SELECT count(*) FROM "Room""#;
        let all = db.replica().query_raw::<(i64,)>(sql, relata::params![]).await.expect("answers");
        assert_eq!(all, [(1,)]);
        let mut rows = db.room().find_many().stream();
        let mut streamed = 0;
        while let Some(row) = rows.next().await {
            assert_eq!(row.expect("is read").name, name);
            streamed += 1;
        }
        assert_eq!(streamed, 1);
        let report = db.replica().begin().read_only().await.expect("begins");
        assert_eq!(report.room().count().await.expect("counts"), 1);
        assert_eq!(report.user().count().filter(user::email.eq("nobody")).await.expect("counts"), 0);
        report.commit().await.expect("ends");
    }
    assert_eq!(db.across_tenants().room().count().await.expect("counts"), 2);
    let rooms = |server: &Server| {
        let reads = |text: &String| text.starts_with("SELECT") && text.contains("\"Room\"");
        server.statements().iter().filter(|text| reads(text)).count()
    };
    assert_eq!((rooms(cluster.primary()), rooms(cluster.server(1)) > 0), (0, true));
}

/// A replica whose role sees the rows of all tenants is not read from.
#[tokio::test]
async fn a_replica_whose_role_sees_everything_is_left_out() {
    let Some(cluster) = secured_cluster("unsecured").await else { return };
    let replica = cluster.server(1);
    let db = Tenants::builder(&as_app(cluster.primary())).expect("is a URL").replica(&replica.url());
    let db = db.application_name(APPLICATION).connect().await.expect("the role of the primary is right");
    let statistics = db.statistics();
    let reason = statistics.servers[1].left_out.clone().expect("is left out");
    assert!(reason.contains("is a superuser"), "{reason}");
    assert_eq!(db.across_tenants().room().count().await.expect("counts"), 0);
    assert!(!replica.statements().iter().any(|text| text.contains("\"Room\" ")), "{:?}", replica.statements());
}
