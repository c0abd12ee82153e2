//! A user's program: enums, lists, a composite key, a self-relation, and an optional relation.

mod db {
    relata::include_client!();
}

use db::{Client, Error, Parent, Status, article, author, comment, queries};
use relata::migrate::{self, Migrations};

type Failure = Box<dyn std::error::Error>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Failure> {
    let url = std::env::var("DATABASE_URL")?;
    migrate(&url).await?;
    let db = Client::builder(&url)?.max_connections(1).connect().await?;
    write(&db).await?;
    read(&db).await?;
    println!("done");
    Ok(())
}

async fn migrate(url: &str) -> Result<(), Failure> {
    let migrations = Migrations::from_static(&[("20260101000000_init", include_str!("../migration.sql"))])?;
    let mut connection = url.parse::<relata::ConnectOptions>()?.connect_direct().await?;
    let report = migrate::deploy(&mut connection, &migrations, &migrate::Options::default()).await?;
    assert_eq!(report.applied, ["20260101000000_init"]);
    Ok(())
}

async fn write(db: &Client) -> Result<(), Failure> {
    let mentor = db
        .author()
        .create(author::Create { handle: "ursula".to_owned() })
        .set(author::tags.to(["prose", "essays"]))
        .await?;
    let pupil = db
        .author()
        .create(author::Create { handle: "octavia".to_owned() })
        .set(author::mentor_id.to(mentor.id))
        .await?;
    assert_eq!((mentor.tags.len(), pupil.tags.len(), pupil.mentor_id), (2, 0, Some(mentor.id)));

    let article = article::Create { blog: "kindred".to_owned(), number: 1, title: "One".to_owned(), author: pupil.id };
    let first = comment::Create { article: Parent, text: "First!".to_owned() };
    let article = db
        .article()
        .create(article)
        .set(article::history.to([Status::Draft, Status::InPrint]))
        .set(article::reviewer_id.to(mentor.id))
        .with(article::comments.create(first.set(comment::scores.to([5, 4])).set(comment::raw.to(vec![0, 255]))))
        .await?;
    assert_eq!((article.status, article.price), (Status::Draft, None));
    // uses the new field

    let taken = article::Create { blog: "kindred".to_owned(), number: 2, title: "One".to_owned(), author: pupil.id };
    match db.article().create(taken).await {
        Err(Error::UniqueViolation(violation)) => {
            assert_eq!(violation.constraint, article::ONE_TITLE_PER_AUTHOR);
            assert_eq!(violation.columns, ["author_id", "title"]);
        }
        other => return Err(format!("expected a unique violation, got {other:?}").into()),
    }
    Ok(())
}

async fn read(db: &Client) -> Result<(), Failure> {
    let updated = db
        .article()
        .update(article::blog_number.eq("kindred", 1))
        .set(article::status.to(Status::InPrint))
        .set(article::price.to(relata::rust_decimal::Decimal::new(1250, 2)))
        .await?;
    assert_eq!((updated.status, updated.price.map(|price| price.to_string())), (Status::InPrint, Some("12.50".into())));

    let article = db
        .article()
        .find_unique(article::blog_number.eq("kindred", 1))
        .include(article::author.include(author::mentor))
        .include(article::reviewer)
        .include(article::comments)
        .await?
        .ok_or("the article is gone")?;
    assert_eq!(article.history, [Status::Draft, Status::InPrint]);
    assert_eq!(article.author.mentor.as_ref().map(|mentor| mentor.handle.as_str()), Some("ursula"));
    assert_eq!(article.reviewer.as_ref().map(|reviewer| reviewer.handle.as_str()), Some("ursula"));
    assert_eq!((article.comments[0].scores.as_slice(), &article.comments[0].raw), (&[5, 4][..], &Some(vec![0, 255])));

    let in_print = article::status.eq(Status::InPrint) & article::history.has(Status::Draft);
    let teachers =
        db.author().find_many().filter(author::pupils.some(author::written.some(in_print)) & author::mentor.is_none());
    let handles: Vec<String> = teachers.select(author::handle).await?;
    assert_eq!(handles, ["ursula"]);

    // The schema gives the rows of a query file their types.
    let most = db.query(queries::in_state(Status::InPrint).one()).await?;
    assert_eq!((most.handle.as_str(), most.pieces), ("octavia", 1));
    assert_eq!(most.dearest.map(|price| price.to_string()), Some("12.50".to_owned()));

    let deleted = db.author().delete(author::handle.eq("ursula")).await?;
    let left = db.article().find_first().filter(article::reviewer_id.is_null()).await?;
    assert!(left.is_some_and(|article| article.reviewer_id != Some(deleted.id)));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[relata::test]
    async fn a_handle_is_taken_once(db: Client) -> relata::Result<()> {
        db.author().create(author::Create { handle: "ursula".to_owned() }).await?;
        assert!(db.author().create(author::Create { handle: "ursula".to_owned() }).await.is_err());
        Ok(())
    }

    #[relata::test(rollback)]
    async fn nobody_is_left(tx: &db::Transaction) -> relata::Result<()> {
        assert_eq!(tx.author().count().await?, 0);
        tx.author().create(author::Create { handle: "octavia".to_owned() }).await?;
        Ok(())
    }
}
