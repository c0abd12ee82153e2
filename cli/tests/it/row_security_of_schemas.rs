//! Row security of tables in other PostgreSQL schemas (`@@schema`): policies are created, read, compared and kept there as
//! they are in the current one.

use crate::support::{Project, database, query};

/// Tables of two schemas with one name each, and a path to the tenant that leads from one schema into the other.
fn schema(row_security: bool, tables: [&str; 3]) -> String {
    let [of_schools, of_rooms, of_beds] = tables;
    format!(
        "datasource db {{
  provider    = \"postgresql\"
  schemas     = [\"house\", \"office\", \"public\"]
  rowSecurity = {row_security}
}}

model School {{
  id    Int    @id @default(autoincrement())
  name  String
  rooms Room[]

  @@tenant
  @@schema(\"{of_schools}\")
}}

model Room {{
  id       Int    @id @default(autoincrement())
  schoolId Int
  school   School @relation(fields: [schoolId], references: [id])
  beds     Bed[]
  tags     Tag[]

  @@index([schoolId])
  @@tenant(school)
  @@schema(\"{of_rooms}\")
}}

model Tag {{
  id    Int    @id
  rooms Room[]

  @@shared
  @@schema(\"{of_rooms}\")
}}

model Bed {{
  id     Int  @id
  roomId Int
  room   Room @relation(fields: [roomId], references: [id])

  @@index([roomId])
  @@tenant(room.school)
  @@schema(\"{of_beds}\")
}}
"
    )
}

const APART: [&str; 3] = ["office", "house", "public"];

const POLICIES: &str = "SELECT schemaname || '.' || tablename || ' ' || policyname FROM pg_policies ORDER BY 1";
const ALL_POLICIES: [&str; 8] = [
    "house.Room relata_across_tenants",
    "house.Room relata_tenant",
    "house._RoomToTag relata_across_tenants",
    "house._RoomToTag relata_tenant",
    "office.School relata_across_tenants",
    "office.School relata_tenant",
    "public.Bed relata_across_tenants",
    "public.Bed relata_tenant",
];

#[test]
fn policies_of_other_schemas_are_read_compared_and_kept() {
    let database = database("policies_of_schemas");
    let project = Project::new();
    project.write("schema.dsl", schema(true, APART));
    project.run(&["migrate", "dev", "--name", "init", "--url", database.url()]).exits(0);
    assert_eq!(query(&database, POLICIES), ALL_POLICIES);
    project.status(&database).exits(0).says("is up to date");
    let compared = ["migrate-diff", "--from-url", database.url(), "--to-schema", "schema.dsl", "--exit-code"];
    project.run(&compared).exits(0).says("no difference");
    let before = project.read("schema.dsl");
    let pulled = project.run(&["db", "pull", "--check", "--url", database.url()]).exits(0);
    assert_eq!((pulled.stderr.as_str(), project.read("schema.dsl")), ("", before));

    // A changed policy of migrations is reported and corrected. A policy that was written by hand stays.
    query(&database, "CREATE POLICY mine ON house.\"Room\" AS RESTRICTIVE USING (\"schoolId\" > 0)");
    query(&database, "ALTER POLICY relata_tenant ON house.\"Room\" USING (true)");
    query(&database, "ALTER TABLE office.\"School\" NO FORCE ROW LEVEL SECURITY");
    query(&database, "DROP POLICY relata_across_tenants ON house.\"_RoomToTag\"");
    let drift = project.status(&database);
    assert_ne!(drift.code, 0);
    let drift = drift.says("policy relata_tenant on house.Room").says("row security of office.School");
    drift.says("policy relata_across_tenants on house._RoomToTag").hides("mine");
    project.run(&["db", "pull", "--check", "--url", database.url()]).says("mine on");
    project.run(&["db", "push", "--url", database.url()]).exits(0);
    let mut all: Vec<&str> = ALL_POLICIES.to_vec();
    all.insert(0, "house.Room mine");
    assert_eq!(query(&database, POLICIES), all);
    assert_eq!(query(&database, "SELECT 1 FROM pg_policies WHERE qual = 'true'").len(), 0);
    query(&database, "DROP POLICY mine ON house.\"Room\"");
    project.run(&compared).exits(0).says("no difference");
}

/// A setting shows the rows of its tenant, whichever schema they are in.
#[test]
fn tables_of_other_schemas_show_rows_of_one_tenant() {
    let database = database("rows_of_schemas");
    let project = Project::new();
    project.write("schema.dsl", schema(true, APART));
    project.run(&["migrate", "dev", "--name", "init", "--url", database.url()]).exits(0);
    query(
        &database,
        "INSERT INTO office.\"School\" (name) VALUES ('north'), ('south');
         INSERT INTO house.\"Room\" (\"schoolId\") VALUES (1), (2), (2);
         INSERT INTO house.\"Tag\" VALUES (1);
         INSERT INTO house.\"_RoomToTag\" VALUES (1, 1), (2, 1);
         INSERT INTO public.\"Bed\" VALUES (1, 1), (2, 2);
         DO $$ BEGIN CREATE ROLE relata_of_schemas; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$;
         GRANT USAGE ON SCHEMA office, house, public TO relata_of_schemas;
         GRANT SELECT ON ALL TABLES IN SCHEMA office, house, public TO relata_of_schemas",
    );
    let seen = |settings: &str| {
        let sql = format!(
            "BEGIN; SET LOCAL ROLE relata_of_schemas; {settings}
             SELECT concat_ws(' ', (SELECT count(*) FROM office.\"School\"), (SELECT count(*) FROM house.\"Room\"),
               (SELECT count(*) FROM house.\"_RoomToTag\"), (SELECT count(*) FROM public.\"Bed\")); ROLLBACK"
        );
        query(&database, &sql).into_iter().find(|row| row.contains(' ')).unwrap_or_default()
    };
    assert_eq!(seen(""), "0 0 0 0");
    assert_eq!(seen("SET LOCAL relata.tenant = '2';"), "1 2 1 1");
    assert_eq!(seen("SET LOCAL relata.across_tenants = 'on';"), "2 3 2 2");
}

/// A table takes its policies along when it moves, and policies that lead to it follow.
#[test]
fn policies_follow_a_table_into_another_schema() {
    let database = database("policies_move");
    let project = Project::new();
    project.write("schema.dsl", schema(false, APART));
    project.run(&["migrate", "dev", "--name", "init", "--url", database.url()]).exits(0);
    project.write("schema.dsl", schema(true, APART));
    project.run(&["migrate", "dev", "--name", "secure", "--url", database.url()]).exits(0);
    query(&database, "CREATE POLICY mine ON house.\"Room\" AS RESTRICTIVE USING (\"schoolId\" > 0)");
    project.write("schema.dsl", schema(true, ["office", "office", "public"]));
    project.run(&["migrate", "dev", "--name", "move", "--url", database.url()]);
    project.status(&database).exits(0).says("is up to date");
    let policies = query(&database, POLICIES);
    assert!(policies.contains(&"office.Room mine".to_owned()), "{policies:?}");
    assert!(policies.contains(&"office.Room relata_tenant".to_owned()), "{policies:?}");
    project.run(&["migrate", "down", "--url", database.url()]).exits(0);
    project.run(&["migrate", "down", "--url", database.url()]).exits(0);
    assert_eq!(query(&database, POLICIES), ["house.Room mine"]);
}
