//! Nested writes of many rows at once have the same result as writing one by one. Plain SQL compares the tables.

use relata::{Error, Lookup, Parent};

use crate::wide::Fixture;
use crate::wide::client::{comment, group, note, person};

fn named(name: &str) -> person::Create {
    person::Create { name: name.to_owned() }
}

fn titled(title: &str) -> group::Create {
    group::Create { title: title.to_owned() }
}

impl Fixture {
    /// Returns all rows of a statement as one text: values separated by a space, rows by a comma.
    async fn text(&self, sql: &str) -> String {
        let sql =
            format!("SELECT coalesce(string_agg(replace(trim(r::text, '()'), ',', ' '), ', '), '') FROM ({sql}) r");
        self.sql(&sql).await[0].get(0)
    }

    async fn managers(&self) -> String {
        self.text("SELECT p.name, m.name FROM \"Person\" p JOIN \"Person\" m ON m.id = p.manager_id ORDER BY 1").await
    }

    async fn members(&self) -> String {
        self.text(
            "SELECT p.name, g.title FROM \"_GroupToPerson\" j JOIN \"Person\" p ON p.id = j.\"B\" \
             JOIN \"Group\" g ON g.id = j.\"A\" ORDER BY 1, 2",
        )
        .await
    }

    /// The boss, and a, b, c without a manager.
    async fn people() -> Self {
        let fixture = Self::new().await;
        fixture.db.person().create_many(["boss", "a", "b", "c"].map(named)).await.expect("are created");
        fixture
    }

    fn boss(&self) -> relata::Update<crate::wide::client::Person> {
        self.db.person().update(person::name.eq("boss"))
    }
}

#[tokio::test]
async fn rows_of_many_parents_are_connected_at_once() {
    let fixture = Fixture::people().await;
    let db = &fixture.db;
    let groups = db.group().create_many_and_return(["x", "y"].map(titled)).await.expect("are created");
    let keys = |of: &[usize]| of.iter().map(|place| group::id.eq(groups[*place].id)).collect::<Vec<_>>();
    let rows = [
        named("d").with(person::groups.connect_many(keys(&[0]))).with(person::reports.connect(person::name.eq("a"))),
        named("e")
            .with(person::groups.connect_many(keys(&[0, 1, 1])))
            .with(person::reports.connect(person::name.eq("b"))),
        named("f").with(person::groups.connect_many(keys(&[]))).with(person::reports.connect(person::name.eq("a"))),
    ];
    assert_eq!(db.person().create_many(rows).await.expect("are created"), 3);
    assert_eq!(fixture.members().await, "d x, e x, e y");
    assert_eq!(fixture.managers().await, "a f, b e", "the last one to connect a row has it");
    let missing = named("g").with(person::groups.connect(group::id.eq(0)));
    let refused = db.person().create_many([named("h").set(person::secret.to("")), missing]).await;
    assert!(matches!(refused, Err(Error::NotFound { model: "Group", operation: Lookup::Connect, .. })), "{refused:?}");
    assert_eq!(db.person().count().await.expect("counts"), 7, "nothing of it holds");
}

#[tokio::test]
async fn rows_that_many_reference_are_created_once() {
    let fixture = Fixture::people().await;
    let chief = || person::manager.connect_or_create(person::name.eq("chief"), named("chief"));
    let own = |name: &str| person::manager.connect_or_create(person::name.eq(name), named(name));
    let rows =
        [named("d").with(chief()), named("e").with(own("a")), named("f").with(chief()), named("g").with(own("n"))];
    let made = fixture.db.person().create_many_and_return(rows).await.expect("are created");
    assert_eq!(made.iter().map(|row| row.name.as_str()).collect::<Vec<_>>(), ["d", "e", "f", "g"]);
    assert_eq!(fixture.managers().await, "d chief, e a, f chief, g n");
    assert_eq!(fixture.db.person().count().await.expect("counts"), 10);
    let titles = ["x", "y", "x"].into_iter().enumerate();
    let groups = titles.map(|(number, title)| (group::id.eq(number as i32 % 2 + 1000), titled(title)));
    let joined =
        groups.fold(fixture.boss(), |update, (key, row)| update.with(person::groups.connect_or_create(key, row)));
    joined.await.expect("are connected");
    assert_eq!(fixture.members().await, "boss x, boss y");
}

#[tokio::test]
async fn each_row_gets_its_own_values() {
    let fixture = Fixture::people().await;
    let key = |name: &str| person::name.eq(name);
    fixture.boss().with(person::reports.connect_many(["a", "b", "c"].map(key))).await.expect("are connected");
    let secret = |name: &str, text: &str| person::reports.update(key(name), [person::secret.to(text)]);
    fixture.boss().with(secret("a", "1")).with(secret("b", "2")).with(secret("a", "3")).await.expect("are changed");
    let secrets = || fixture.text("SELECT name, secret FROM \"Person\" WHERE secret <> '' ORDER BY 1");
    assert_eq!(secrets().await, "a 3, b 2");
    let renamed = |from: &str, to: &str| person::reports.update(key(from), [person::name.to(to)]);
    fixture.boss().with(renamed("a", "z")).with(renamed("b", "a")).with(renamed("z", "b")).await.expect("in order");
    assert_eq!(secrets().await, "a 2, b 3", "changes of the values that find the rows are applied in order");
    fixture.boss().with(person::reports.disconnect(key("c"))).await.expect("is disconnected");
    let refused = fixture.boss().with(secret("a", "x")).with(secret("c", "x")).await;
    assert!(matches!(refused, Err(Error::NotFound { model: "Person", operation: Lookup::Update, .. })), "{refused:?}");
    assert_eq!(secrets().await, "a 2, b 3", "c is nobody's");
}

#[tokio::test]
async fn comments_change_by_their_own_amounts() {
    let fixture = Fixture::people().await;
    let author = fixture.db.person().find_first().or_err().await.expect("is there").id;
    let text = |text: &str| comment::Create { note: Parent, text: text.to_owned() };
    let row = note::Create { tenant: 1, number: 1, author }.with(note::comments.create_many(["a", "b", "c"].map(text)));
    fixture.db.note().create(row).await.expect("is created");
    let comments = fixture.db.comment().find_many().order_by(comment::text.asc()).await.expect("is read");
    let liked =
        comments.iter().zip(1..).fold(fixture.db.note().update(note::tenant_number.eq(1, 1)), |update, (row, by)| {
            update.with(note::comments.update(comment::id.eq(row.id), [comment::likes.increment(by)]))
        });
    liked.await.expect("are changed");
    let likes = || fixture.text("SELECT text, likes FROM \"Comment\" ORDER BY 1");
    assert_eq!(likes().await, "a 1, b 2, c 3");
    let gone = comments.iter().take(2).fold(fixture.db.note().update(note::tenant_number.eq(1, 1)), |update, row| {
        update.with(note::comments.delete(comment::id.eq(row.id)))
    });
    gone.await.expect("are deleted");
    assert_eq!(likes().await, "c 3");
    let again = fixture.db.note().update(note::tenant_number.eq(1, 1));
    let refused =
        comments.iter().skip(1).fold(again, |update, row| update.with(note::comments.delete(comment::id.eq(row.id))));
    let refused = refused.await;
    assert!(matches!(refused, Err(Error::NotFound { model: "Comment", operation: Lookup::Delete, .. })), "{refused:?}");
    assert_eq!(likes().await, "c 3", "all or none");
}

#[tokio::test]
async fn upserts_of_many_rows_equal_upserts_one_by_one() {
    let fixture = Fixture::people().await;
    fixture.boss().with(person::reports.connect(person::name.eq("a"))).await.expect("is connected");
    let upsert = |name: &str, secret: &str| {
        let row = named(name).set(person::secret.to("new"));
        person::reports.upsert(person::name.eq(name), row, [person::secret.to(secret)])
    };
    let secrets = || fixture.text("SELECT name, secret FROM \"Person\" WHERE secret <> '' ORDER BY 1");
    fixture.boss().with(upsert("a", "old")).with(upsert("d", "old")).await.expect("are written");
    assert_eq!(secrets().await, "a old, d new");
    fixture.boss().with(upsert("a", "1")).with(upsert("d", "2")).with(upsert("a", "3")).await.expect("one by one");
    assert_eq!(secrets().await, "a 3, d 2");
    fixture.boss().with(upsert("a", "new")).with(upsert("e", "new")).await.expect("as they are created");
    assert_eq!(secrets().await, "a new, d 2, e new");
    let refused = fixture.boss().with(upsert("a", "x")).with(upsert("b", "x")).await;
    assert!(matches!(refused, Err(Error::NotFound { model: "Person", operation: Lookup::Update, .. })), "{refused:?}");
    assert_eq!(secrets().await, "a new, d 2, e new", "b does not belong to the boss");
    assert_eq!(fixture.managers().await, "a boss, d boss, e boss");
}

#[tokio::test]
async fn changes_go_as_deep_as_relations_do() {
    let fixture = Fixture::people().await;
    let key = |name: &str| person::name.eq(name);
    let deep = person::reports.update(key("a"), [person::secret.to("1")]).with(
        person::reports
            .update(key("b"), [person::secret.to("2")])
            .with(person::reports.connect(key("c")))
            .with(person::groups.create(titled("x"))),
    );
    let change = fixture.boss().with(person::reports.connect(key("a")));
    fixture.db.person().update(key("a")).with(person::reports.connect(key("b"))).await.expect("is connected");
    change.with(deep).await.expect("are changed");
    assert_eq!(fixture.managers().await, "a boss, b a, c b");
    assert_eq!(fixture.members().await, "b x");
    let up = person::manager.update([]).with(person::manager.update([person::secret.to("top")]));
    fixture.db.person().update(key("b")).with(up).await.expect("is changed");
    let secrets = fixture.text("SELECT name, secret FROM \"Person\" WHERE secret <> '' ORDER BY 1").await;
    assert_eq!(secrets, "a 1, b 2, boss top");
    let deep = person::reports.update(key("a"), []).with(person::reports.update(key("c"), [person::secret.to("x")]));
    let refused = fixture.boss().with(deep).await;
    assert!(
        matches!(refused, Err(Error::NotFound { model: "Person", operation: Lookup::Update, .. })),
        "c is b's: {refused:?}"
    );
}

#[tokio::test]
async fn a_row_changes_its_reference_in_its_own_statement() {
    let fixture = Fixture::people().await;
    let a = || fixture.db.person().update(person::name.eq("a"));
    let to = |name: &str| person::manager.connect(person::name.eq(name));
    let row = a().set(person::secret.to("s")).with(to("boss")).await.expect("is connected");
    assert_eq!((row.secret.as_str(), row.manager_id.is_some()), ("s", true));
    assert_eq!(fixture.managers().await, "a boss");
    let nobody = a().set(person::secret.to("t")).with(to("nobody")).await;
    assert!(matches!(nobody, Err(Error::NotFound { model: "Person", operation: Lookup::Connect, .. })), "{nobody:?}");
    let missing = fixture.db.person().update(person::name.eq("nobody")).with(to("boss")).await;
    assert!(matches!(missing, Err(Error::NotFound { model: "Person", operation: Lookup::Update, .. })), "{missing:?}");
    assert_eq!(fixture.text("SELECT secret FROM \"Person\" WHERE name = 'a'").await, "s", "nothing was changed");
    let both = a().with(to("b")).include(person::manager).await.expect("is connected");
    assert_eq!(both.manager.as_ref().map(|row| row.name.as_str()), Some("b"));
    let (batched, left) = (a().with(to("c")), a().with(person::manager.disconnect()));
    fixture.db.batch((batched, left)).await.expect("runs");
    assert_eq!(fixture.managers().await, "");
}
