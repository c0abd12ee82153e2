//! Customers: their lists, their changes, and what becomes of those who are deleted.

use helpdesk::db::{comment, customer};
use serde_json::{Value, json};

use crate::support::{Service, a_customer, field, tickets};

#[relata::test]
async fn a_customer_is_created_and_read(service: Service) {
    let new = json!({ "email": " Ada@Example.org", "name": "Ada" });
    let (status, ada) = service.post("/customers", new).await;
    assert_eq!((status, &ada["email"], &ada["company"]), (201, &json!("ada@example.org"), &Value::Null));

    let (status, read) = service.get(&format!("/customers/{}", ada["id"].as_str().expect("has an id"))).await;
    assert_eq!((status, &read["name"], &read["tickets"]), (200, &json!("Ada"), &json!([])));
}

#[relata::test]
async fn a_patch_tells_missing_from_null(service: Service) {
    let new = json!({ "email": "ada@example.org", "name": "Ada", "company": "Engines" });
    let (_, ada) = service.post("/customers", new).await;
    let path = format!("/customers/{}", ada["id"].as_str().expect("has an id"));

    let (_, changed) = service.patch(&path, json!({ "name": "Ada Lovelace" })).await;
    assert_eq!((&changed["name"], &changed["company"]), (&json!("Ada Lovelace"), &json!("Engines")));
    assert_ne!(changed["updatedAt"], ada["updatedAt"]);
    let (_, changed) = service.patch(&path, json!({ "company": null })).await;
    assert_eq!((&changed["name"], &changed["company"]), (&json!("Ada Lovelace"), &Value::Null));

    for wrong in [json!({ "name": null }), json!({ "name": " " }), json!({ "nick": "Ada" })] {
        assert_eq!(service.patch(&path, wrong).await.0, 422);
    }
    let (_, unchanged) = service.patch(&path, json!({})).await;
    assert_eq!(unchanged, changed);
}

#[relata::test]
async fn an_address_is_taken_until_its_customer_is_deleted(service: Service) {
    let ada = a_customer(&service.db, "ada").await;
    let new = json!({ "email": "ada@example.org", "name": "Another" });
    let (status, problem) = service.post("/customers", new.clone()).await;
    assert_eq!((status, &problem["columns"]), (409, &json!(["email"])));
    assert_eq!(problem["detail"], "there is another Customer like this");

    assert_eq!(service.delete(&format!("/customers/{}", ada.id)).await.0, 204);
    assert_eq!(service.post("/customers", new).await.0, 201);
    assert_eq!(service.post(&format!("/customers/{}/restore", ada.id), json!({})).await.0, 409);
}

#[relata::test]
async fn lists_are_searched_sorted_and_paged(service: Service) {
    let factory = customer::Factory::new(1)
        .with_each(|number| customer::company.to(if number % 2 == 0 { "Even" } else { "Odd" }));
    factory.create_many(&service.db, 25).await.expect("are created");
    let anna = a_customer(&service.db, "anna").await;
    tickets(&service.db, &anna, &["a", "b"]).await;

    let all = service.all("/customers?sort=-company,name&size=7").await;
    let keys: Vec<_> = all.iter().map(|row| (row["company"].as_str(), row["name"].as_str())).collect();
    let mut sorted = keys.clone();
    // In descending order, PostgreSQL puts nulls first.
    sorted.sort_by_key(|(company, name)| (company.is_some(), company.map(std::cmp::Reverse), *name));
    assert_eq!((keys.len(), keys), (26, sorted));

    assert_eq!(service.all("/customers?company=Odd").await.len(), 12);
    assert_eq!(field(&service.all("/customers?q=NNA%40example").await, "name"), ["anna"]);
    assert_eq!(service.all("/customers?q=%25").await.len(), 0);
    assert_eq!(field(&service.all("/customers?sort=-tickets&size=50").await[..1], "name"), ["anna"]);
    assert_eq!(service.get("/customers?size=3").await.1["rows"].as_array().map(Vec::len), Some(3));
}

#[relata::test]
async fn tickets_and_comments_are_deleted_and_restored_together(service: Service) {
    let (ada, db) = (a_customer(&service.db, "ada").await, &service.db);
    let made = tickets(db, &ada, &["old", "first", "second"]).await;
    let comments =
        comment::Factory::new(1).with([comment::ticket_id.to(made[1].id), comment::author_id.to(service.admin.id)]);
    comments.create_many(db, 2).await.expect("are created");
    assert_eq!(service.delete(&format!("/tickets/{}", made[0].id)).await.0, 204);

    let path = format!("/customers/{}", ada.id);
    assert_eq!(service.delete(&path).await.0, 204);
    assert_eq!(service.get(&path).await.0, 404);
    assert_eq!(service.all("/tickets?").await.len(), 0);
    assert_eq!(db.comment().count().await.expect("counts"), 0);
    assert_eq!(field(&service.all("/customers?deleted=true").await, "name"), ["ada"]);

    let (status, restored) = service.post(&format!("{path}/restore"), json!({})).await;
    assert_eq!((status, &restored["deletedAt"]), (200, &Value::Null));
    assert_eq!(field(&service.all("/tickets?sort=number").await, "subject"), ["first", "second"]);
    assert_eq!(field(&service.all("/tickets?deleted=true").await, "subject"), ["old"]);
    assert_eq!(db.comment().count().await.expect("counts"), 2);
    assert_eq!(service.post(&format!("{path}/restore"), json!({})).await.0, 404);
}
