//! Customers from a file.

use axum::body::Body;
use helpdesk::db::customer;
use serde_json::{Value, json};

use crate::support::{Answer, Service, a_customer, send};

async fn import(service: &Service, file: impl Into<Body>) -> Answer {
    send(service.request("POST", "/customers/import").body(file.into())).await
}

fn line(number: usize) -> String {
    format!("{{\"email\": \"c{number}@example.org\", \"name\": \"Customer {number}\"}}\n")
}

#[relata::test]
async fn new_customers_are_created_and_known_ones_updated(service: Service) {
    let c7 = a_customer(&service.db, "c7").await;
    let gone = a_customer(&service.db, "c8").await;
    service.delete(&format!("/customers/{}", gone.id)).await;

    let file: String = (0..2_500).map(line).collect();
    assert_eq!(import(&service, file).await, (200, json!({ "created": 2_499, "updated": 1 })));
    assert_eq!(service.db.customer().count().await.expect("counts"), 2_500);
    let (_, read) = service.get(&format!("/customers/{}", c7.id)).await;
    assert_eq!(read["name"], "Customer 7");
    assert_eq!(service.all("/customers?deleted=true").await.len(), 1);
}

#[relata::test]
async fn wrong_lines_are_listed_and_nothing_is_imported(service: Service) {
    let mut lines: Vec<String> = (1..=1_500).map(line).collect();
    lines[2] = "\n".to_owned();
    lines[9] = "{\"email\": \"nobody\", \"name\": \"N\"}\n".to_owned();
    lines[1_200] = line(5);
    lines[1_300] = "{\"email\": \"a@x.org\"}\n".to_owned();
    let (status, problem) = import(&service, lines.concat()).await;
    assert_eq!(status, 422);
    let expected =
        [(10, "this is not an email address"), (1_201, "line 5 has the same address"), (1_301, "missing field `name`")];
    let expected = expected.map(|(line, detail)| json!({ "line": line, "detail": detail }));
    assert_eq!(problem["lines"], json!(expected));

    let (_, problem) = import(&service, "nonsense\n".repeat(1_000)).await;
    assert_eq!(problem["lines"].as_array().map(Vec::len), Some(100));
    let (status, problem) = import(&service, [line(1).into_bytes(), vec![0xff, b'\n']].concat()).await;
    assert_eq!((status, &problem["detail"]), (400, &json!("line 2 is not UTF-8")));
    assert_eq!(service.db.customer().count().await.expect("counts"), 0);
}

#[relata::test]
async fn files_that_are_too_long_are_refused(service: Service) {
    let (status, problem) = import(&service, " ".repeat(33 * 1024 * 1024)).await;
    assert_eq!(status, 413, "{problem}");
    assert_eq!(import(&service, "").await.1, json!({ "created": 0, "updated": 0 }));
}

#[relata::test]
async fn a_row_of_a_batch_that_postgresql_refuses_leaves_no_others(service: Service) {
    let company = "x\0y";
    let file = format!("{}{}\n", line(1), json!({ "email": "a@x.org", "name": "A", "company": company }));
    let (status, problem) = import(&service, file).await;
    assert_eq!((status, problem["detail"].as_str().map(|text| text.contains("x"))), (400, Some(false)));
    let found = service.db.customer().count().filter(customer::company.is_not_null()).await.expect("counts");
    assert_eq!((found, problem.get("lines")), (0, None::<&Value>));
}
