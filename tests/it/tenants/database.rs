//! A database of the schema, with rows of two schools.

use super::*;
use relata::RowSecurity;
use relata_devdb::Feature;

/// A database of the schema, and a client of it.
pub(super) struct Database {
    pub(super) db: Client,
    pub(super) database: crate::support::Database,
    /// What the client connects to.
    pub(super) client_url: String,
}

impl Database {
    pub(super) async fn new() -> Self {
        let database = devdb().create_database("tenants").expect("a database is made");
        let connection = connect(database.url()).await;
        let (empty, next) = (State::default(), lower(&schema()));
        let pair = Pair { previous: Side { state: &empty, intent: None }, next: Side { state: &next, intent: None } };
        let sql = render(&plan(diff(pair, &DiffOptions::default()).expect("nothing is renamed")));
        connection.batch_execute(&sql).await.expect("the tables are made");
        let size = devdb().max_connections_hint().min(4);
        let url = if has_wall() { as_another_role(database.url()).await } else { database.url().to_owned() };
        let db = client(&url).max_connections(size).connect().await;
        let db = db.expect("connects");
        let land = country::Create { id: 1, name: "Land".to_owned() };
        let _: Country = db.country().create(land).await.expect("is created");
        Self { db, database, client_url: url }
    }

    pub(super) async fn add_school(&self, id: Uuid, number: usize) {
        let row = school::Create { name: "School".to_owned(), slug: format!("s{number}") }.set(school::id.to(id));
        self.db.across_tenants().school().create(row).await.expect("is created");
    }

    /// Rows that point at rows of another school, and rows of the table between that join two.
    pub(super) async fn crossings(&self) -> i64 {
        let sql = r#"SELECT (SELECT count(*) FROM "Student" s JOIN "User" u ON u.id = s."userId" WHERE u."schoolId" <> s."schoolId")
            + (SELECT count(*) FROM "Student" s JOIN "Student" m ON m.id = s."mentorId" WHERE m."schoolId" <> s."schoolId")
            + (SELECT count(*) FROM "Exam" e JOIN "Room" r ON r.id = e."roomId" WHERE r."schoolId" <> e."schoolId")
            + (SELECT count(*) FROM "Result" r JOIN "Exam" e ON e.id = r."examId" WHERE e."schoolId" <> r."schoolId")
            + (SELECT count(*) FROM "Result" r JOIN "Student" s ON s.id = r."studentId" WHERE s."schoolId" <> r."schoolId")
            + (SELECT count(*) FROM "_ClubToStudent" j JOIN "Club" c ON c.id = j."A" JOIN "Student" s ON s.id = j."B"
               WHERE s."schoolId" <> c."schoolId")"#;
        plain_sql(self.database.url(), sql).await[0].get(0)
    }
}

/// Two schools with the same rows, but for what must differ.
pub(super) struct Schools {
    pub(super) database: Database,
    pub(super) db: Client,
    pub(super) north: Rows,
    pub(super) south: Rows,
}

/// What one school has.
pub(super) struct Rows {
    pub(super) school: School,
    pub(super) users: Vec<User>,
    pub(super) students: Vec<Student>,
    pub(super) room: Room,
    pub(super) exam: Exam,
    pub(super) club: Club,
}

impl Schools {
    pub(super) async fn new() -> Self {
        let database = Database::new().await;
        let north = Rows::create(&database.db, "north").await;
        let south = Rows::create(&database.db, "south").await;
        Self { db: database.db.clone(), database, north, south }
    }

    pub(super) fn url(&self) -> &str {
        self.database.database.url()
    }

    pub(super) fn north(&self) -> TenantClient {
        self.db.tenant(self.north.school.id)
    }

    pub(super) async fn crossings(&self) -> i64 {
        self.database.crossings().await
    }

    /// Everything that the database has of a school, as text: what a test must not change.
    pub(super) async fn all_of(&self, rows: &Rows) -> String {
        let mut text = String::new();
        let id = rows.school.id;
        for (table, condition) in [
            ("School", format!("id = '{id}'")),
            ("User", format!("\"schoolId\" = '{id}'")),
            ("Student", format!("\"schoolId\" = '{id}'")),
            ("Room", format!("\"schoolId\" = '{id}'")),
            ("Exam", format!("\"schoolId\" = '{id}'")),
            ("Club", format!("\"schoolId\" = '{id}'")),
            ("Result", format!("\"schoolId\" = '{id}'")),
            ("Session", format!("\"userId\" IN (SELECT id FROM \"User\" WHERE \"schoolId\" = '{id}')")),
            ("Hall", format!("\"schoolId\" = '{id}'")),
            ("Desk", format!("\"schoolId\" = '{id}'")),
            ("Seat", format!("\"schoolId\" = '{id}'")),
            ("Locker", format!("\"schoolId\" = '{id}'")),
            ("_ClubToTopic", format!("\"A\" IN (SELECT id FROM \"Club\" WHERE \"schoolId\" = '{id}')")),
            ("_ClubToStudent", format!("\"A\" IN (SELECT id FROM \"Club\" WHERE \"schoolId\" = '{id}')")),
        ] {
            let sql = format!("SELECT t::text FROM \"{table}\" AS t WHERE {condition} ORDER BY 1");
            let rows = plain_sql(self.url(), &sql).await;
            text.extend(rows.iter().map(|row| format!("{table} {}\n", row.get::<_, String>(0))));
        }
        text
    }
}

impl Rows {
    pub(super) async fn create(db: &Client, slug: &str) -> Self {
        let row = school::Create { name: format!("School {slug}"), slug: slug.to_owned() };
        let school = db.across_tenants().school().create(row).await.expect("is created");
        let here = db.tenant(school.id);
        let (mut users, mut students) = (Vec::new(), Vec::new());
        for number in 1..=3 {
            // The same addresses in each school.
            let user =
                here.user().create(user::Create { email: format!("u{number}@x.edu") }).await.expect("is created");
            let row = student::Create { user: user.id, year: 2030, number };
            students.push(here.student().create(row).await.expect("is created"));
            here.session().create(session::Create { user: user.id }).await.expect("is created");
            users.push(user);
        }
        let room = here.room().create(room::Create { name: "Hall".to_owned() }).await.expect("is created");
        let exam = exam::Create { code: format!("{slug}-1") }.set(exam::room_id.to(room.id));
        let exam = here.exam().create(exam).await.expect("is created");
        let club =
            club::Create { name: "Chess".to_owned() }.with(club::students.connect(student::id.eq(students[0].id)));
        let club = here.club().create(club).await.expect("is created");
        let row = result::Create { student: students[0].id, exam: exam.id }.set(result::score.to(1.5));
        here.result().create(row).await.expect("is created");
        Self { school, users, students, room, exam, club }
    }
}

pub(super) fn id() -> Uuid {
    Uuid::new_v4()
}

/// Whether PostgreSQL checks the tenants, too.
pub(super) fn has_wall() -> bool {
    IS_SECURED && devdb().has(Feature::Roles)
}

/// The settings of a client. Where every connection is a superuser's, there is no wall, and all else has to hold.
pub(super) fn client(url: &str) -> relata::ClientBuilder<client::Models> {
    let builder = Client::builder(url).expect("is a URL");
    if has_wall() { builder } else { builder.row_security(RowSecurity::Warn) }
}

/// The URL for a role that row security holds for. The database of a test belongs to a superuser.
pub(super) async fn as_another_role(url: &str) -> String {
    let connection = connect(url).await;
    let sql = "DO $$ BEGIN CREATE ROLE relata_tenant_test LOGIN PASSWORD 'relata';
               EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$;
               GRANT ALL ON ALL TABLES IN SCHEMA public TO relata_tenant_test;
               GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO relata_tenant_test;
               GRANT ALL ON SCHEMA public TO relata_tenant_test";
    connection.batch_execute(sql).await.expect("the role is made");
    let (_, rest) = url.split_once("://").expect("has a scheme");
    let rest = rest.split_once('@').map_or(rest, |(_, rest)| rest);
    format!("postgres://relata_tenant_test:relata@{rest}")
}
