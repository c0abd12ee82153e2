//! The examples of `docs/client.md` about rows of several kinds.

use relata::{Error, Parent, Result, WithAll};

use crate::wide::Fixture;
use crate::wide::client::{Client, Content, ContentKind, Essay, Film, content, essay, film};

enum Kind {
    Essay(Essay),
    Film(Film),
}

fn kind_of(row: WithAll<(content::WithEssay, content::WithFilm)>) -> Option<Kind> {
    row.essay.map(Kind::Essay).or(row.film.map(Kind::Film))
}

async fn writes(db: &Client) -> Result<()> {
    let row = content::Create { kind: ContentKind::Essay, title: "On trees".to_owned() };
    let text = essay::Create { content: Parent, text: "They grow.".to_owned() };
    db.content().create(row).with(content::essay.create(text)).await?;
    Ok(())
}

async fn reads(db: &Client) -> Result<(Vec<Content>, Vec<Kind>)> {
    let long = content::film.is(film::minutes.gt(90)) | content::essay.is(essay::text.contains("grow"));
    let long = db.content().find_many().filter(long).order_by(content::title.asc()).await?;

    let all = db.content().find_many().order_by(content::title.asc()).include(content::essay).include(content::film);
    let kinds = all.await?.into_iter().filter_map(kind_of).collect();
    Ok((long, kinds))
}

#[tokio::test]
async fn rows_of_several_kinds() {
    let Fixture { db, .. } = &Fixture::new().await;
    writes(db).await.expect("is created");
    let row = |title: &str| content::Create { kind: ContentKind::Film, title: title.to_owned() };
    let film = |minutes| film::Create { content: Parent, minutes };
    db.content().create(row("Short")).with(content::film.create(film(9))).await.expect("is created");
    db.content().create(row("Walk")).with(content::film.create(film(99))).await.expect("is created");

    let (long, kinds) = reads(db).await.expect("runs");
    assert_eq!(long.iter().map(|row| row.title.as_str()).collect::<Vec<_>>(), ["On trees", "Walk"]);
    let told = |kind: &Kind| match kind {
        Kind::Essay(essay) => essay.text.clone(),
        Kind::Film(film) => format!("{} minutes", film.minutes),
    };
    assert_eq!(kinds.iter().map(told).collect::<Vec<_>>(), ["They grow.", "9 minutes", "99 minutes"]);

    // A row has a part of its own kind only.
    let text = essay::Create { content: Parent, text: String::new() };
    let wrong = db.content().create(row("Wrong")).with(content::essay.create(text)).await;
    assert!(matches!(wrong, Err(Error::CheckViolation(_))), "{wrong:?}");
    let other = db.content().update_many().filter(content::title.eq("Walk")).set(content::kind.to(ContentKind::Essay));
    assert!(matches!(other.await, Err(Error::ForeignKeyViolation(_) | Error::CheckViolation(_))));
    assert_eq!(db.content().delete_many().all_rows().await.expect("are deleted"), 3);
    assert_eq!(db.film().count().await.expect("is counted"), 0);
}
