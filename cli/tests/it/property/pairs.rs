//! Every pair of changes to one table, as an online plan: each part is stopped and gone on with, while programs of
//! before and of afterwards write rows.
//!
//! - The plan runs to its end, or nothing of it does.
//! - The database is then what a new one of the second schema would be, and the rows are all there.
//! - `migrate down` leads back to the start.
//!
//! The second test begins with a live database instead of a schema, in which one column is an identity.
//!
//! `RELATA_PAIRS=all` runs all of them, `RELATA_PAIRS=one+other` those two changes.

use std::collections::BTreeMap;

use relata::migrate::{self, Error, Migrations, Options};
use relata_cli::testing::{Loaded, Renames, Scope, difference, introspect, plan, reverse_plan};
use relata_codegen::sql::quote::{ident, literal};
use relata_codegen::sql::{Pair, Plan, Transaction, render, summary};
use relata_devdb::DevDb;
use tokio_postgres::{Client, NoTls};

use super::{describe, from_empty, load_text, was_announced};

/// Of all pairs, those that `cargo test` runs: one in so many.
const SAMPLE: usize = 24;

#[derive(Debug, Clone)]
struct Field {
    /// What it is called in the base, which is its identity.
    id: &'static str,
    name: &'static str,
    db: &'static str,
    ty: &'static str,
    optional: bool,
    default: Option<&'static str>,
    unique: bool,
    renamed_from: Option<&'static str>,
}

#[derive(Debug, Clone)]
struct Table {
    db: &'static str,
    fields: Vec<Field>,
    key: Vec<&'static str>,
    /// Lines of `@@index` and `@@unique`: fields, and what follows them.
    indexes: Vec<(&'static str, Vec<&'static str>, &'static str)>,
    /// Columns of checks, with their condition behind the name.
    checks: Vec<(&'static str, &'static str, &'static str)>,
    labels: Vec<&'static str>,
    /// The field that `Child` points at.
    target: &'static str,
    on_delete: &'static str,
    /// Whether `owner` is a relation.
    owned: bool,
}

impl Table {
    fn base() -> Self {
        let field = |id, ty, default| Field {
            id,
            name: id,
            db: id,
            ty,
            optional: false,
            default,
            unique: false,
            renamed_from: None,
        };
        Self {
            db: "P",
            fields: vec![
                field("id", "Int", Some("autoincrement()")),
                field("a", "Int", None),
                field("b", "Int", None),
                Field { optional: true, ..field("c", "Int", None) },
                field("s", "String", Some("\"0\"")),
                field("k", "Kind", Some("A")),
                field("n", "Int", Some("autoincrement()")),
                field("owner", "Int", None),
            ],
            key: vec!["id"],
            indexes: vec![
                ("index", vec!["a", "b"], ""),
                ("unique", vec!["s"], ""),
                ("index", vec!["c"], ", where: raw(\"b > 0\"), map: \"part\""),
            ],
            checks: vec![("b_ok", "b", "> -1")],
            labels: vec!["A", "B"],
            target: "id",
            on_delete: "Cascade",
            owned: true,
        }
    }

    /// A change may come to what another one has dropped: then it is about nothing.
    fn field(&mut self, id: &str, change: impl FnOnce(&mut Field)) {
        if let Some(field) = self.fields.iter_mut().find(|field| field.id == id) {
            change(field);
        }
    }

    fn drop_field(&mut self, id: &'static str) {
        self.fields.retain(|field| field.id != id);
        self.indexes.retain(|(_, fields, more)| !fields.contains(&id) && !more.contains(&format!("\"{id} ")));
        self.checks.retain(|(_, field, _)| *field != id);
    }

    fn retype(&mut self, id: &'static str, ty: &'static str, default: Option<&'static str>) {
        self.field(id, |field| {
            field.ty = ty;
            field.default = field.default.and(default);
        });
    }

    fn name(&self, id: &str) -> Option<&'static str> {
        self.fields.iter().find(|field| field.id == id).map(|field| field.name)
    }

    fn db(&self, id: &str) -> Option<&'static str> {
        self.fields.iter().find(|field| field.id == id).map(|field| field.db)
    }

    fn text(&self) -> Option<String> {
        use std::fmt::Write as _;
        let mut text = format!("enum Kind {{\n  {}\n}}\n\nmodel Owner {{\n  id Int @id\n", self.labels.join("\n  "));
        if self.owned {
            text += "  ps P[]\n";
        }
        text += "}\n\nmodel P {\n";
        for field in &self.fields {
            let mark = if field.optional { "?" } else { "" };
            let _ = write!(text, "  {} {}{mark} @map(\"{}\")", field.name, field.ty, field.db);
            // What is pointed at is a key, or unique.
            let pointed_at = field.id == self.target && self.key != [field.id];
            if self.key == [field.id] {
                text += " @id";
            } else if field.unique || pointed_at {
                text += " @unique";
            }
            for (attribute, value) in [("default", field.default), ("renamedFrom", field.renamed_from)] {
                if let Some(value) = value {
                    let value = if attribute == "default" { value.to_owned() } else { format!("\"{value}\"") };
                    let _ = write!(text, " @{attribute}({value})");
                }
            }
            text.push('\n');
        }
        text += "  children Child[]\n";
        if self.owned {
            let owner = self.name("owner")?;
            let _ = writeln!(text, "  boss Owner @relation(fields: [{owner}], references: [id])");
        }
        if self.key.len() > 1 {
            let names: Option<Vec<_>> = self.key.iter().map(|id| self.name(id)).collect();
            let _ = writeln!(text, "  @@id([{}])", names?.join(", "));
        }
        for (kind, fields, more) in &self.indexes {
            let names: Option<Vec<_>> = fields.iter().map(|id| self.name(id)).collect();
            let more = match more.split_once("\"b ") {
                Some((before, after)) => format!("{before}\"{} {after}", self.db("b")?),
                None => (*more).to_owned(),
            };
            let _ = writeln!(text, "  @@{kind}([{}]{more})", names?.join(", "));
        }
        for (name, field, condition) in &self.checks {
            let _ = writeln!(text, "  @@check(\"{} {condition}\", name: \"{name}\")", self.db(field)?);
        }
        let target = self.fields.iter().find(|field| field.id == self.target)?;
        let _ = writeln!(
            text,
            "  @@map(\"{}\")\n}}\n\nmodel Child {{\n  id Int @id @default(autoincrement())\n  p {}\n  \
             parent P @relation(fields: [p], references: [{}], onDelete: {})\n}}",
            self.db, target.ty, target.name, self.on_delete
        );
        Some(text)
    }

    /// A row as a program of this schema writes it. What counts by itself is left out.
    fn insert(&self, number: usize) -> String {
        let written = || self.fields.iter().filter(|field| field.default.is_none());
        let value = |field: &Field| match (field.id, field.ty) {
            ("owner", _) => "'1'".to_owned(),
            (_, "Kind") => "'A'".to_owned(),
            _ => format!("'{number}'"),
        };
        let (mut names, mut values): (Vec<_>, Vec<_>) = written().map(|field| (ident(field.db), value(field))).unzip();
        if let Some(text) = self.fields.iter().find(|field| field.id == "s" && field.default.is_some()) {
            names.push(ident(text.db));
            values.push(format!("'{number}'"));
        }
        format!("INSERT INTO {} ({}) VALUES ({})", ident(self.db), names.join(", "), values.join(", "))
    }
}

type Change = (&'static str, fn(&mut Table));

const CHANGES: &[Change] = &[
    ("key_other", |t| t.key = vec!["a"]),
    ("key_more", |t| t.key = vec!["id", "b"]),
    ("key_pair", |t| t.key = vec!["a", "b"]),
    ("key_type", |t| t.retype("id", "BigInt", Some("autoincrement()"))),
    ("key_stops", |t| t.field("id", |f| f.default = None)),
    ("type_a", |t| t.retype("a", "BigInt", Some("8"))),
    ("type_b", |t| t.retype("b", "BigInt", None)),
    ("type_c", |t| t.retype("c", "String", Some("\"8\""))),
    ("type_s", |t| t.retype("s", "Int", Some("0"))),
    ("type_k", |t| t.retype("k", "String", Some("\"A\""))),
    ("type_n", |t| t.retype("n", "BigInt", Some("autoincrement()"))),
    ("type_free", |t| {
        t.field("s", |f| {
            if f.ty == "String" {
                f.ty = "String @db.VarChar"
            }
        })
    }),
    ("name_a", |t| t.field("a", |f| f.db = "a2")),
    ("name_id", |t| t.field("id", |f| f.db = "id2")),
    ("name_table", |t| t.db = "P2"),
    ("name_swap", |t| {
        t.field("a", |f| (f.name, f.db, f.renamed_from) = ("b", "b", Some("a")));
        t.field("b", |f| (f.name, f.db, f.renamed_from) = ("a", "a", Some("b")));
    }),
    ("name_over", |t| {
        t.drop_field("b");
        t.field("a", |f| (f.name, f.db, f.renamed_from) = ("b", "b", Some("a")));
    }),
    ("index_new", |t| t.indexes.push(("index", vec!["a"], ""))),
    ("index_gone", |t| t.indexes.retain(|it| it.1 != ["a", "b"])),
    ("index_other", |t| {
        for index in t.indexes.iter_mut().filter(|it| it.1 == ["c"]) {
            index.1 = vec!["b"];
        }
    }),
    ("unique_new", |t| t.field("a", |f| f.unique = true)),
    ("unique_gone", |t| t.indexes.retain(|it| it.1 != ["s"])),
    ("unique_pair", |t| t.indexes.push(("unique", vec!["n", "a"], ""))),
    ("check_new", |t| t.checks.push(("a_ok", "a", "> -1"))),
    ("check_gone", |t| t.checks.retain(|it| it.0 != "b_ok")),
    ("check_other", |t| t.checks.iter_mut().for_each(|it| it.2 = "> -2")),
    ("default_new", |t| t.field("a", |f| f.default = Some("8"))),
    ("default_gone", |t| t.field("n", |f| f.default = None)),
    ("default_other", |t| t.field("s", |f| f.default = Some(if f.ty == "Int" { "5" } else { "\"5\"" }))),
    ("counts", |t| t.field("a", |f| f.default = Some("autoincrement()"))),
    ("required", |t| t.field("c", |f| f.optional = false)),
    ("required_filled", |t| {
        t.field("c", |f| (f.optional, f.default) = (false, Some(if f.ty == "Int" { "8" } else { "\"8\"" })));
    }),
    ("optional", |t| t.field("a", |f| f.optional = true)),
    ("new_column", |t| t.fields.push(new("x", "Int", Some("3"), false))),
    ("new_counter", |t| t.fields.push(new("x1", "Int", Some("autoincrement()"), false))),
    ("new_uuid", |t| t.fields.push(new("x2", "String", Some("dbgenerated(\"gen_random_uuid()::text\")"), false))),
    ("new_optional", |t| t.fields.push(new("x3", "Int", None, true))),
    ("new_unique", |t| {
        t.fields.push(new("x4", "Int", Some("autoincrement()"), false));
        t.field("x4", |f| f.unique = true);
    }),
    ("drop_a", |t| t.drop_field("a")),
    ("drop_b", |t| t.drop_field("b")),
    ("drop_s", |t| t.drop_field("s")),
    ("drop_n", |t| t.drop_field("n")),
    ("label_new", |t| {
        t.labels.push("C");
        t.field("k", |f| f.default = f.default.map(|it| if f.ty == "Kind" { "C" } else { it }));
    }),
    ("label_gone", |t| t.labels.retain(|it| *it != "B")),
    ("link_target", |t| t.target = "a"),
    ("link_action", |t| t.on_delete = "Restrict"),
    ("link_gone", |t| t.owned = false),
];

fn new(id: &'static str, ty: &'static str, default: Option<&'static str>, optional: bool) -> Field {
    Field { id, name: id, db: id, ty, optional, default, unique: false, renamed_from: None }
}

#[test]
fn online_pairs_lead_to_the_schema_and_back() {
    run_all(false);
}

#[test]
fn online_pairs_lead_from_a_database_to_the_schema() {
    run_all(true);
}

fn run_all(from_database: bool) {
    let wanted = std::env::var("RELATA_PAIRS").unwrap_or_default();
    let mut pairs: Vec<[Change; 2]> = Vec::new();
    for (at, one) in CHANGES.iter().enumerate() {
        pairs.extend(CHANGES[at..].iter().map(|other| [*one, *other]));
    }
    let names = |pair: &[Change; 2]| format!("{}+{}", pair[0].0, pair[1].0);
    // To a database, another name is another column.
    pairs.retain(|pair| !from_database || pair.iter().all(|(name, _)| !name.starts_with("name_")));
    match wanted.as_str() {
        "" => pairs = pairs.into_iter().step_by(SAMPLE).collect(),
        "all" => {}
        some => pairs.retain(|pair| some.split(',').any(|one| names(pair).starts_with(one))),
    }
    let server = DevDb::start().expect("a PostgreSQL");
    let database = server.create_database("pairs").expect("a database");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("an async runtime");
    let (mut failures, mut ran, mut stops) = (Vec::new(), 0, 0);
    runtime.block_on(async {
        let (mut client, connection) = tokio_postgres::connect(database.url(), NoTls).await.expect("a connection");
        tokio::spawn(connection);
        for pair in &pairs {
            match run(pair, from_database, &mut client).await {
                Ok(Some(found)) => (ran, stops) = (ran + 1, stops + found),
                Ok(None) => {}
                Err(error) => {
                    let failure = format!("RELATA_PAIRS={}: {error}", names(pair));
                    println!("{failure}\n");
                    failures.push(names(pair));
                }
            }
        }
    });
    println!("{ran} of {} pairs ran, and were stopped {stops} times", pairs.len());
    assert!(failures.is_empty(), "{} failed: {}", failures.len(), failures.join(" "));
    assert!(ran * 10 > pairs.len() * 8, "some pairs make no schema, but not so many: {ran} of {}", pairs.len());
}

/// The number of times that it was stopped; none if the two changes do not go together.
async fn run(changes: &[Change; 2], from_database: bool, client: &mut Client) -> Result<Option<usize>, String> {
    let (previous, mut next) = (Table::base(), Table::base());
    (changes[0].1)(&mut next);
    if changes[0].0 != changes[1].0 {
        (changes[1].1)(&mut next);
    }
    let from = load_text(&previous.text().ok_or("no base")?)?;
    let Some(to) = next.text().and_then(|text| load_text(&text).ok()) else { return Ok(None) };
    let mut case = Case { client, ends: [previous, next], loaded: [from, to], written: 0, from_database };
    let result = case.check().await;
    case.sql("DROP SCHEMA IF EXISTS migrated CASCADE; DROP SCHEMA IF EXISTS fresh CASCADE").await?;
    result.map(Some)
}

struct Case<'a> {
    client: &'a mut Client,
    ends: [Table; 2],
    loaded: [Loaded; 2],
    /// Rows so far; each has its number in it.
    written: usize,
    from_database: bool,
}

impl Case<'_> {
    async fn check(&mut self) -> Result<usize, String> {
        let (first, fresh) = (from_empty(&self.loaded[0])?, from_empty(&self.loaded[1])?);
        self.sql("CREATE SCHEMA fresh; SET search_path TO fresh").await?;
        self.deploy(&[("1_fresh", &fresh)]).await.map_err(|error| format!("the next schema: {error}\n{fresh}"))?;
        let expected = self.state().await?;
        self.sql("CREATE SCHEMA migrated; SET search_path TO migrated").await?;
        self.deploy(&[("1_first", &first)]).await.map_err(|error| format!("the first schema: {error}\n{first}"))?;
        let start = self.state().await?;
        self.sql("INSERT INTO \"Owner\" VALUES (1)").await?;
        for _ in 0..3 {
            self.written += 1;
            self.sql(&self.ends[0].insert(self.written)).await?;
        }
        self.sql("INSERT INTO \"Child\" (p) SELECT id FROM \"P\"").await?;
        let before = self.values(0).await?;
        if self.from_database {
            self.count_by_identity().await?;
        }
        let ends = Pair { previous: &self.loaded[0], next: &self.loaded[1] };
        let changes = difference(ends, Renames::none()).map_err(|error| error.to_string())?;
        let forwards = plan(changes, true);
        let sql = render(&forwards);
        let stops = self.run_with_stops(&forwards, &first).await.map_err(|text| format!("{text}\n{sql}"))?;
        let after = self.values(1).await.map_err(|text| format!("{text}\n{sql}"))?;
        compare(&before, &after, self.written).map_err(|text| format!("{text}\n{sql}"))?;
        let expected = (!self.from_database).then_some(expected);
        self.ends_at(expected.as_deref(), 1).await.map_err(|text| format!("{text}\n{sql}"))?;
        if self.from_database {
            return Ok(stops);
        }

        let both = [("1_first", first.as_str()), ("2_next", sql.as_str())];
        let migrations = Migrations::from_static(&both).map_err(|error| error.to_string())?;
        let ends = Pair { previous: &self.loaded[1], next: &self.loaded[0] };
        let back = reverse_plan(migrations.get("2_next"), ends, &Renames::none()).map_err(|error| error.to_string())?;
        let back_sql = render(&back);
        let undo = Migrations::from_static(&[("2_next", &back_sql)]).map_err(|error| error.to_string())?;
        let options = Options::default();
        if let Err(error) = migrate::down(self.client, &migrations, &undo, &options).await {
            was_announced(&back, &error).map_err(|text| format!("down: {text}\n{back_sql}"))?;
            self.sql(&format!("TRUNCATE {} CASCADE", ident(self.ends[1].db))).await?;
            let again = migrate::down(self.client, &migrations, &undo, &options).await;
            again.map_err(|error| format!("down, with empty tables: {error}\n{back_sql}"))?;
        } else {
            let back = self.values(0).await?;
            compare(&after, &back, self.written).map_err(|text| format!("down: {text}\n{back_sql}"))?;
        }
        self.ends_at(Some(&start), 0).await.map_err(|text| format!("down: {text}\n{back_sql}"))?;
        Ok(stops)
    }

    /// What a hand may have made of `n`, and the state of all that.
    async fn count_by_identity(&mut self) -> Result<(), String> {
        self.sql(
            "ALTER TABLE \"P\" ALTER n DROP DEFAULT; DROP SEQUENCE \"P_n_seq\";
             ALTER TABLE \"P\" ALTER n ADD GENERATED BY DEFAULT AS IDENTITY (START 100)",
        )
        .await?;
        let state = introspect(self.client, &Scope::Current).await.map_err(|error| error.to_string())?;
        self.loaded[0] = Loaded { state, intent: None, current_schema: Some("migrated".to_owned()) };
        Ok(())
    }

    /// Wherever the runner may stop it is stopped, and rows are written before it goes on.
    async fn run_with_stops(&mut self, plan: &Plan, first: &str) -> Result<usize, String> {
        let is_outside = |at: usize| plan.steps.get(at).is_some_and(|step| step.transaction == Transaction::Outside);
        let mut stops = 0;
        for at in 1..plan.steps.len() {
            let is_boundary =
                is_outside(at) || is_outside(at - 1) || plan.steps[at - 1].transaction == Transaction::BoundaryAfter;
            if !is_boundary {
                continue;
            }
            stops += 1;
            let done = render(&Plan { steps: plan.steps[..at].to_vec(), ..Plan::default() });
            let done = if done.contains("-- relata:segment") {
                done
            } else {
                format!("-- relata:segment transactional\n{done}")
            };
            let sql = format!("{done}\n-- relata:segment outside\nSELECT 1 / 0;\n");
            match self.deploy(&[("1_first", first), ("2_next", &sql)]).await {
                Err(Error::Statement(statement)) if statement.source.code().is_some_and(|it| it.code() == "22012") => {}
                Err(error) => return Err(format!("stopped after {stops} stops: {error}")),
                Ok(()) => return Err("it was not stopped".to_owned()),
            }
            if is_outside(at - 1) && stops % 2 == 0 {
                // As a kill leaves it between a statement's end and its count.
                self.sql(
                    "UPDATE _relata_migrations SET state = 'running', backend_pid = 0, steps_done = steps_done - 1,
                     step_hashes = step_hashes[1:cardinality(step_hashes) - 1] WHERE name = '2_next'",
                )
                .await?;
            }
            self.write(plan).await?;
        }
        let sql = render(plan);
        self.deploy(&[("1_first", first), ("2_next", &sql)]).await.map_err(|error| format!("the end: {error}"))?;
        Ok(stops)
    }

    /// A program of before, or else one of afterwards, writes a row.
    async fn write(&mut self, plan: &Plan) -> Result<(), String> {
        self.written += 1;
        if let Err(old) = self.sql(&self.ends[0].insert(self.written)).await
            && let Err(new) = self.sql(&self.ends[1].insert(self.written)).await
        {
            // Between a rename and the end of the plan, neither may know all names; the plan says so.
            if !plan.hazards().any(|hazard| hazard.lint.code == "C401") {
                return Err(format!("no program can write: {old}; {new}"));
            }
            self.written -= 1;
        }
        Ok(())
    }

    async fn deploy(&mut self, migrations: &[(&str, &str)]) -> Result<(), Error> {
        let migrations = Migrations::from_static(migrations)?;
        migrate::deploy(self.client, &migrations, &Options::default()).await.map(drop)
    }

    async fn sql(&self, sql: &str) -> Result<(), String> {
        self.client.batch_execute(sql).await.map_err(describe)
    }

    /// The rows by their key, each column by its identity.
    async fn values(&self, end: usize) -> Result<Rows, String> {
        let table = &self.ends[end];
        let pairs: Vec<String> =
            table.fields.iter().map(|field| format!("{}, {}::text", literal(field.id), ident(field.db))).collect();
        let key = table.db("id").ok_or("every row has its id")?;
        let sql = format!(
            "SELECT {}::text, key, value FROM {}, jsonb_each_text(jsonb_build_object({}))",
            ident(key),
            ident(table.db),
            pairs.join(", ")
        );
        let mut rows = Rows::new();
        for row in self.client.query(&sql, &[]).await.map_err(describe)? {
            rows.entry(row.get(0)).or_default().insert(row.get(1), row.get(2));
        }
        Ok(rows)
    }

    async fn state(&mut self) -> Result<String, String> {
        let mut state = introspect(self.client, &Scope::Current).await.map_err(|error| error.to_string())?;
        state.extensions.clear();
        state.tables.iter_mut().for_each(|table| table.columns.sort_by(|a, b| a.name.cmp(&b.name)));
        Ok(format!("{state:#?}"))
    }

    async fn ends_at(&mut self, expected: Option<&str>, end: usize) -> Result<(), String> {
        let state = introspect(self.client, &Scope::Current).await.map_err(|error| error.to_string())?;
        let found = Loaded { state, intent: None, current_schema: Some("migrated".to_owned()) };
        let ends = Pair { previous: &found, next: &self.loaded[end] };
        let left = difference(ends, Renames::none()).map_err(|error| error.to_string())?;
        if !left.is_empty() {
            return Err(format!("left to do:\n{}", summary(&left)));
        }
        let Some(expected) = expected else { return Ok(()) };
        let found = self.state().await?;
        let only = |a: &str, b: &str| {
            a.lines().filter(|line| !b.lines().any(|other| other == *line)).collect::<Vec<_>>().join("\n")
        };
        let (extra, missing) = (only(&found, expected), only(expected, &found));
        if extra.is_empty() && missing.is_empty() {
            return Ok(());
        }
        Err(format!("not like a new database\nextra:\n{extra}\nmissing:\n{missing}"))
    }
}

type Rows = BTreeMap<String, BTreeMap<String, Option<String>>>;

/// Every row is there, and the columns of both sides have their values.
fn compare(before: &Rows, after: &Rows, written: usize) -> Result<(), String> {
    if after.len() != written {
        return Err(format!("{written} rows became {}", after.len()));
    }
    for (key, row) in before {
        let Some(now) = after.get(key) else { return Err(format!("the row {key} is gone")) };
        for (column, value) in row {
            if let Some(other) = now.get(column).filter(|other| *other != value && value.is_some()) {
                return Err(format!("{column} of row {key}: {value:?} became {other:?}"));
            }
        }
    }
    Ok(())
}
