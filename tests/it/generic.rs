//! Functions that take any model, and functions that take a client or a transaction.

use plain_planner::{Institution, Models, Student, institution, student, user};
use relata::rt::serde::{Deserialize, Serialize};
use relata::{Error, Field, Filter, FromRow, Keyed, Model, Page, PageToken, Writable, kind, params, serde_json};

use crate::support::Fixture;
use crate::wide;
use crate::wide::client::{Color, made, sample};

async fn get<M: Keyed>(db: &Models, key: M::Key) -> relata::Result<M> {
    db.of::<M>().find_unique(M::by_key(key)).or_err().await
}

async fn delete<M: Keyed + Writable>(db: &Models, row: &M) -> relata::Result<M> {
    db.of::<M>().delete(M::by_key(row.key())).await
}

/// A list as a page of an API: rows that contain a text, after a token.
async fn list<M: Model + FromRow, U: kind::Uniqueness>(
    db: &Models,
    name: Field<M, String, kind::Required, U>,
    search: &str,
    after: Option<PageToken>,
) -> relata::Result<Page<M>> {
    let filter: Filter<M> = name.contains_insensitive(search);
    db.of::<M>().find_many().filter(filter).order_by(name.asc()).take(2).page_after(after).await
}

/// Renames an institution in a transaction, and undoes that if the name is taken.
async fn rename_unless_taken(db: &Models, from: &str, to: &str) -> relata::Result<u64> {
    db.transaction(async |tx| {
        let count = rename(&tx, from, to).await?;
        let others: Vec<(i64,)> =
            tx.query_raw("SELECT count(*) FROM institutions WHERE slug = 'taken'", params![]).await?;
        if to == "taken" || others[0].0 > 0 {
            return Err(Error::custom("is taken"));
        }
        Ok(count)
    })
    .await
}

async fn rename(db: &Models, from: &str, to: &str) -> relata::Result<u64> {
    db.transaction(async |tx| {
        let renamed = tx.institution().update_many().filter(institution::slug.eq(from)).set(institution::slug.to(to));
        let count = renamed.await?;
        // Other writes that belong to it, and errors that undo them.
        Ok(count)
    })
    .await
}

/// What a service needs, so that it can be tested without a database.
trait Institutions {
    async fn by_slug(&self, slug: &str) -> relata::Result<Option<Institution>>;
}

impl Institutions for Models {
    async fn by_slug(&self, slug: &str) -> relata::Result<Option<Institution>> {
        self.institution().find_unique(institution::slug.eq(slug)).await
    }
}

struct Fake(Vec<Institution>);

impl Institutions for Fake {
    async fn by_slug(&self, slug: &str) -> relata::Result<Option<Institution>> {
        Ok(self.0.iter().find(|row| row.slug == slug).cloned())
    }
}

async fn name_of(institutions: &impl Institutions, slug: &str) -> Option<String> {
    institutions.by_slug(slug).await.expect("is read").map(|row| row.name)
}

#[tokio::test]
async fn a_fake_takes_the_place_of_a_database() {
    let fixture = Fixture::new().await;
    let north = fixture.institution("north").await;
    let of_database = name_of(&*fixture.db, "north").await;
    assert_eq!(of_database.as_ref(), Some(&north.name));
    assert_eq!(name_of(&Fake(vec![north]), "north").await, of_database);
    assert_eq!(name_of(&Fake(Vec::new()), "north").await, None);
}

#[tokio::test]
async fn any_row_is_found_by_its_key() {
    let fixture = Fixture::new().await;
    let north = fixture.institution("north").await;
    let ada = fixture.student(north.id, "a@x.edu", 2027).await;
    assert_eq!(get::<Institution>(&fixture.db, north.id).await.expect("is found"), north);
    assert_eq!(delete::<Student>(&fixture.db, &ada).await.expect("is deleted"), ada);
    let gone = get::<Student>(&fixture.db, ada.key()).await;
    assert!(matches!(gone, Err(Error::NotFound { model: "Student", .. })), "{gone:?}");
}

#[tokio::test]
async fn keys_of_several_columns_are_tuples() {
    let fixture = wide::Fixture::new().await;
    let db = &fixture.db;
    let row = db.sample().create(sample::Create { text: "a".to_owned() }).set(sample::color.to(Color::Red)).await;
    let row = row.expect("is created");
    assert_eq!(db.of::<sample::Sample>().count().filter(sample::Sample::by_key(row.key())).await.expect("counts"), 1);
    let made = db.made().create(made::Create {}).await.expect("is created");
    let key: String = made.key();
    assert_eq!(db.of().find_unique(made::Made::by_key(key)).or_err().await.expect("is found"), made);
}

#[tokio::test]
async fn any_model_has_pages() {
    let fixture = Fixture::new().await;
    for slug in ["one", "two", "three", "none"] {
        fixture.institution(slug).await;
    }
    let page = list(&fixture.db, institution::slug, "E", None).await.expect("is read");
    assert_eq!(page.rows.iter().map(|row| row.slug.as_str()).collect::<Vec<_>>(), ["none", "one"]);
    let page = list(&fixture.db, institution::slug, "E", page.next).await.expect("is read");
    assert_eq!(page.rows.iter().map(|row| row.slug.as_str()).collect::<Vec<_>>(), ["three"]);
    assert!(list(&fixture.db, user::email, "", None).await.expect("is read").rows.is_empty());
}

/// A page of rows that serde reads and writes.
#[tokio::test]
async fn pages_are_json() {
    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    #[serde(crate = "relata::rt::serde")]
    struct Slug(String);

    let fixture = Fixture::new().await;
    for slug in ["a", "b"] {
        fixture.institution(slug).await;
    }
    let read = fixture.db.institution().find_many().order_by(institution::slug.asc()).take(1).page_after(None).await;
    let Page { rows, next, previous } = read.expect("is read");
    let page = Page { rows: rows.into_iter().map(|row| Slug(row.slug)).collect(), next, previous };
    let json = serde_json::to_value(&page).expect("is JSON");
    let token = page.next.as_ref().expect("has a next page").to_string();
    assert_eq!(json, serde_json::json!({ "rows": ["a"], "next": token, "previous": null }));
    assert_eq!(serde_json::from_value::<Page<Slug>>(json).expect("is a page"), page);
    let wrong = serde_json::from_str::<PageToken>("\"?\"").expect_err("is no token");
    assert!(wrong.to_string().contains("page token"), "{wrong}");
}

#[tokio::test]
async fn functions_run_in_a_client_and_in_a_transaction() {
    let fixture = Fixture::new().await;
    let db = &fixture.db;
    fixture.institution("north").await;
    let slugs = async || {
        let rows = db.institution().find_many().order_by(institution::slug.asc()).select(institution::slug).await;
        rows.expect("is read")
    };
    assert_eq!(rename_unless_taken(db, "north", "south").await.expect("renames"), 1);
    assert!(rename_unless_taken(db, "south", "taken").await.is_err());
    assert_eq!(slugs().await, ["south"], "the transaction was rolled back");

    let tx = db.begin().await.expect("begins");
    assert!(rename_unless_taken(&tx, "south", "taken").await.is_err());
    assert_eq!(rename_unless_taken(&tx, "south", "west").await.expect("the transaction goes on"), 1);
    tx.commit().await.expect("commits");
    assert_eq!(slugs().await, ["west"]);
}

/// The closure of a transaction may consume what it captures.
#[tokio::test]
async fn closures_of_transactions_run_once() {
    let fixture = Fixture::new().await;
    let row = institution::Create { name: "North".to_owned(), slug: "north".to_owned() };
    let made = fixture.db.transaction(|tx| async move { tx.institution().create(row).await }).await;
    assert_eq!(made.expect("is created").slug, "north");
}

#[tokio::test]
async fn selected_values_are_required() {
    let fixture = Fixture::new().await;
    let north = fixture.institution("north").await;
    let by_slug = |slug: &str| fixture.db.institution().find_unique(institution::slug.eq(slug));
    let id = by_slug("north").select(institution::id).or_err().await;
    assert_eq!(id.expect("is found"), north.id);
    let missing = by_slug("south").select(institution::id).or_err().await;
    assert!(matches!(missing, Err(Error::NotFound { .. })), "{missing:?}");
    let none = fixture.db.student().find_first().filter(student::class_year.gt(2000)).select(student::id).await;
    assert_eq!(none.expect("is read"), None);
}
