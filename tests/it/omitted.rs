//! `@omit`: rows do not have the columns, and statements do not read them, unless a program asks for them.

use crate::constructs::client;
use crate::constructs::client::account;

#[tokio::test]
async fn omitted_columns_are_read_if_a_program_asks() -> relata::Result<()> {
    let (db, _database) = client().await;
    let new = |name: &str| account::Create { name: name.to_owned(), secret: format!("secret of {name}") };
    let given = [account::notes.to("first"), account::token.to("t-root")];
    let root = db.account().create(new("root")).set(given).set(account::marks.to([1, 2])).await?;
    assert_eq!(format!("{root:?}"), r#"Account { id: 1, name: "root", parent_id: None }"#);
    let full: account::Full = db.account().find_unique(account::id.eq(1)).with_omitted().or_err().await?;
    assert_eq!(
        (full.name.as_str(), full.secret.as_str(), full.marks.as_slice()),
        ("root", "secret of root", &[1, 2][..])
    );
    assert_eq!((full.notes.as_deref(), full.token.as_deref(), &full.row_), (Some("first"), Some("t-root"), &root));
    assert!(!format!("{full:?}").contains("secret of"), "{full:?}");
    let plan = db.account().find_many().explain().verbose().await?.to_string();
    assert!(plan.contains("name") && !plan.contains("secret"), "{plan}");

    // They can be filtered, sorted by, selected and set.
    let child = db.account().create(new("child")).set(account::parent_id.to(root.id)).await?;
    assert_eq!(child.parent_id, Some(root.id));
    let found = db.account().find_many().filter(account::secret.starts_with("secret of c")).await?;
    assert_eq!(found, std::slice::from_ref(&child));
    let notes =
        db.account().find_many().order_by(account::secret.desc()).select((account::name, account::notes)).await?;
    assert_eq!(notes, [("root".to_owned(), Some("first".to_owned())), ("child".to_owned(), None)]);
    let by_token = db.account().find_unique(account::token.eq("t-root")).await?;
    assert_eq!(by_token.as_ref(), Some(&root));
    let page = db.account().find_many().order_by(account::notes.asc()).take(1).page_after(None).await?;
    let rest = db.account().find_many().order_by(account::notes.asc()).take(1).page_after(page.next).await?;
    assert_eq!((page.rows, rest.rows), (vec![root.clone()], vec![child.clone()]));

    // Relations are joined and read separately, and their rows have them on request.
    let with_parent = db.account().find_many().include(account::parent).order_by(account::id.asc()).await?;
    assert_eq!(with_parent[1].parent.as_ref(), Some(&root));
    let one = db.account().find_unique(account::id.eq(1)).include(account::children).or_err().await?;
    assert_eq!((&one.row_, one.children.as_slice()), (&root, &[child.clone()][..]));
    let rows = db.account().find_many().order_by(account::id.asc());
    let rows = rows.select((account::name, account::parent.with_omitted(), account::children.with_omitted())).await?;
    assert_eq!(rows[1].1.as_ref().map(|parent| parent.secret.as_str()), Some("secret of root"));
    assert_eq!((rows[0].2.len(), rows[0].2[0].secret.as_str()), (1, "secret of child"));

    // Writes return the same rows.
    let set = account::secret.to("another");
    let changed = db.account().update(account::id.eq(1)).set(set).with_omitted().await?;
    assert_eq!((changed.secret.as_str(), changed.token.as_deref()), ("another", Some("t-root")));
    let many = db.account().create_many_and_return([new("x"), new("y")]).await?;
    assert_eq!(many.iter().map(|row| row.name.as_str()).collect::<Vec<_>>(), ["x", "y"]);
    let many = db.account().create_many_and_return([new("z")]).with_omitted().await?;
    assert_eq!(many[0].secret, "secret of z");
    let again = db.account().upsert_many([new("x"), new("w")]).on(account::name).and_return().await?;
    assert_eq!(again.iter().filter(|row| row.is_inserted()).count(), 1);
    let each =
        db.account().update_each([(account::token.eq("t-root"), account::notes.to("changed"))]).and_return().await?;
    assert_eq!(each, [Some(root.clone())]);
    let row = new("root").set(account::token.to("t-root"));
    let upserted = db.account().upsert(account::token.eq("t-root"), row).set(account::name.to("top")).await?;
    assert_eq!((upserted.id, upserted.name.as_str()), (1, "top"));
    assert_eq!(db.account().copy_in([new("copied")]).await?, 1);
    let mut stream = db.account().find_many().stream();
    while let Some(row) = stream.next().await {
        row?;
    }
    let deleted = db.account().delete(account::name.eq("copied")).with_omitted().await?;
    assert_eq!(deleted.secret, "secret of copied");
    Ok(())
}
