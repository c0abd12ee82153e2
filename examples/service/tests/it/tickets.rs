//! Tickets: their lists, their changes, their tags, answers and work.

use helpdesk::db::{Priority, ticket};
use serde_json::{Value, json};

use crate::support::{Service, a_customer, field, tickets};

#[relata::test]
async fn a_ticket_is_created_for_a_customer_who_exists(service: Service) {
    let ada = a_customer(&service.db, "ada").await;
    let mut new = json!({ "customerId": ada.id, "subject": "No light", "text": "It is dark.", "dueOn": "2026-03-01" });
    let (status, made) = service.post("/tickets", new.clone()).await;
    assert_eq!((status, &made["priority"], &made["dueOn"]), (201, &json!("NORMAL"), &json!("2026-03-01")));

    service.delete(&format!("/customers/{}", ada.id)).await;
    assert_eq!(service.post("/tickets", new.clone()).await.0, 422);
    new["priority"] = json!("SOON");
    assert_eq!(service.post("/tickets", new).await.0, 422);
}

#[relata::test]
async fn a_ticket_is_shown_with_all_that_belongs_to_it(service: Service) {
    let ada = a_customer(&service.db, "ada").await;
    let path = format!("/tickets/{}", tickets(&service.db, &ada, &["No light"]).await[0].id);
    for text in ["Is it plugged in?", "And now?"] {
        let (status, ticket) = service.post(&format!("{path}/comments"), json!({ "text": text })).await;
        assert_eq!((status, &ticket["status"]), (201, &json!("WAITING")));
    }
    let work = json!({ "workedOn": "2026-03-02", "minutes": 15, "cost": "20.50" });
    let (status, booked) = service.post(&format!("{path}/work"), work.clone()).await;
    assert_eq!((status, &booked["work"][0]["cost"]), (201, &json!("20.50")));
    service.put(&format!("{path}/tags/lamp")).await;
    service.patch(&path, json!({ "assigneeId": service.admin.id })).await;

    let (status, read) = service.get(&path).await;
    assert_eq!((status, &read["customer"]["name"], &read["assignee"]["name"]), (200, &json!("ada"), &json!("Admin")));
    assert_eq!(
        (&read["comments"][1]["text"], &read["comments"][1]["author"]["name"]),
        (&json!("And now?"), &json!("Admin"))
    );
    assert_eq!((&read["tags"][0]["name"], &read["work"][0]["minutes"]), (&json!("lamp"), &json!(15)));
    assert!(!read.to_string().contains("oken"));

    let mut wrong = work;
    wrong["minutes"] = json!(0);
    let (status, problem) = service.post(&format!("{path}/work"), wrong.clone()).await;
    assert_eq!((status, &problem["detail"]), (422, &json!("a value of this WorkEntry is not possible")));
    wrong["minutes"] = json!(1);
    wrong["cost"] = json!("123456789.00");
    assert_eq!(service.post(&format!("{path}/work"), wrong.clone()).await.0, 400);
    for missing in ["/tickets/999/work", "/tickets/999/comments"] {
        let body = if missing.ends_with("work") { wrong.clone() } else { json!({ "text": "?" }) };
        assert_eq!(service.post(missing, body).await.0, 404);
    }
}

#[relata::test]
async fn a_patch_solves_and_opens_a_ticket(service: Service) {
    let ada = a_customer(&service.db, "ada").await;
    let path = format!("/tickets/{}", tickets(&service.db, &ada, &["No light"]).await[0].id);
    let (_, solved) = service.patch(&path, json!({ "status": "SOLVED", "dueOn": "2026-03-01" })).await;
    assert!(solved["solvedAt"].is_string());
    let (_, again) = service.patch(&path, json!({ "status": "SOLVED", "dueOn": null })).await;
    assert_eq!((&again["solvedAt"], &again["dueOn"]), (&solved["solvedAt"], &Value::Null));
    let (_, open) = service.patch(&path, json!({ "status": "OPEN", "assigneeId": service.admin.id })).await;
    assert_eq!((&open["solvedAt"], &open["assigneeId"]), (&Value::Null, &json!(service.admin.id)));

    // For serde_json, null where an enum should be is a mistake of syntax.
    assert_eq!(service.patch(&path, json!({ "status": null })).await.0, 400);
    assert_eq!(service.patch(&path, json!({ "text": null })).await.0, 422);
    assert_eq!(service.patch(&path, json!({ "assigneeId": ada.id })).await.0, 409);
    let (_, unchanged) = service.get(&path).await;
    assert_eq!((&unchanged["status"], &unchanged["assigneeId"]), (&json!("OPEN"), &json!(service.admin.id)));
}

#[relata::test]
async fn lists_are_filtered_and_sorted_by_several_keys(service: Service) {
    let db = &service.db;
    let (ada, bob) = (a_customer(db, "ada").await, a_customer(db, "bob").await);
    let made = tickets(db, &ada, &["a", "b", "c"]).await;
    tickets(db, &bob, &["d"]).await;
    for (row, priority) in made.iter().zip([Priority::High, Priority::Low, Priority::High]) {
        db.ticket().update(ticket::id.eq(row.id)).set(ticket::priority.to(priority)).await.expect("is changed");
    }
    service.put(&format!("/tickets/{}/tags/Lamp", made[1].id)).await;

    let subjects = async |query: &str| field(&service.all(&format!("/tickets?{query}")).await, "subject").join("");
    assert_eq!(subjects("sort=-priority,-number").await, "cadb");
    assert_eq!(subjects("sort=priority,number&size=1").await, "bdac");
    assert_eq!(subjects("sort=-customer,number&size=2").await, "dabc");
    assert_eq!(subjects("priority=HIGH&sort=number").await, "ac");
    assert_eq!(subjects("q=BOB%40").await, "d");
    assert_eq!(subjects(&format!("customer={}&q=b", ada.id)).await, "b");
    assert_eq!(subjects("tag=lamp").await, "b");
    assert_eq!(subjects("status=SOLVED").await, "");

    let (_, page) = service.get("/tickets?tag=lamp").await;
    let line = &page["rows"][0];
    assert_eq!((&line["customer"], &line["tags"], &line["comments"]), (&json!("ada"), &json!(["Lamp"]), &json!(0)));
    assert_eq!((&line["assignee"], line.get("text")), (&Value::Null, None));
}

#[relata::test]
async fn tags_are_added_once_and_removed(service: Service) {
    let ada = a_customer(&service.db, "ada").await;
    let made = tickets(&service.db, &ada, &["a", "b"]).await;
    let path = |index: usize, tag: &str| format!("/tickets/{}/tags/{tag}", made[index].id);
    for path in [path(0, "lamp"), path(0, "lamp"), path(1, "lamp"), path(0, "dark%20room")] {
        assert_eq!(service.put(&path).await, (204, Value::Null));
    }
    assert_eq!(service.db.tag().count().await.expect("counts"), 2);
    assert_eq!(service.delete(&path(0, "lamp")).await.0, 204);

    let (_, page) = service.get("/tickets?sort=number").await;
    assert_eq!((&page["rows"][0]["tags"], &page["rows"][1]["tags"]), (&json!(["dark room"]), &json!(["lamp"])));
    // A tag that is not there is removed already.
    for gone in [path(0, "lamp"), path(0, "unknown")] {
        assert_eq!(service.delete(&gone).await.0, 204);
    }
    assert_eq!(service.put("/tickets/999/tags/lamp").await.0, 404);
    assert_eq!(service.delete("/tickets/999/tags/lamp").await.0, 404);
    assert_eq!(service.put(&path(0, "%20")).await.0, 400);
}

#[relata::test]
async fn a_deleted_ticket_comes_back_with_its_comments(service: Service) {
    let ada = a_customer(&service.db, "ada").await;
    let path = format!("/tickets/{}", tickets(&service.db, &ada, &["No light"]).await[0].id);
    service.post(&format!("{path}/comments"), json!({ "text": "Is it plugged in?" })).await;
    assert_eq!(service.delete(&path).await.0, 204);
    for _ in 0..2 {
        assert_eq!(service.delete(&path).await.0, 404);
    }
    assert_eq!(service.get(&path).await.0, 404);
    assert!(service.all("/tickets?deleted=true").await[0]["deletedAt"].is_string());

    assert_eq!(service.post(&format!("{path}/restore"), json!({})).await.0, 200);
    assert_eq!(service.get(&path).await.1["comments"].as_array().map(Vec::len), Some(1));
}
