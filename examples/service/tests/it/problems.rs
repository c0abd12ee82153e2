//! Every error is a problem in one form, and none shows SQL, a value or the name of a constraint.

use axum::body::Body;
use serde_json::{Value, json};

use crate::support::{Service, a_customer, json as body_of, send};

#[relata::test]
async fn every_mistake_of_a_visitor_is_a_problem(service: Service) {
    let ada = a_customer(&service.db, "ada").await;
    let requests = [
        ("GET", "/nowhere", None, 404),
        ("DELETE", "/customers", None, 405),
        ("GET", "/customers/7", None, 400),
        ("GET", "/customers/00000000-0000-0000-0000-000000000000", None, 404),
        ("GET", "/tickets/99999999999", None, 400),
        ("GET", "/tickets?sort=number,secret", None, 400),
        ("GET", "/tickets?sort=number,", None, 400),
        ("GET", "/tickets?status=SOON", None, 400),
        ("GET", "/tickets?size=-1", None, 400),
        ("GET", "/tickets?after=nonsense", None, 400),
        ("POST", "/customers", Some(json!({ "name": "Ada" })), 422),
        ("POST", "/customers", Some(json!({ "name": "Ada", "email": "ada" })), 422),
        ("POST", "/customers", Some(json!("text")), 422),
        ("POST", "/customers", None, 415),
    ];
    for (method, path, body, expected) in requests {
        let request = service.request(method, path);
        let request = match &body {
            Some(body) => body_of(request, body),
            None => request.body(Body::empty()),
        };
        let (status, problem) = send(request).await;
        assert_eq!(status, expected, "{method} {path}: {problem}");
        assert!(problem["detail"].as_str().is_some_and(|detail| !detail.is_empty()), "{method} {path}: {problem}");
    }
    let request = service.request("POST", "/customers").header("content-type", "application/json").body("{".into());
    assert_eq!(send(request).await.0, 400);

    let new = json!({ "name": "Ada", "email": "ada@example.org" });
    let (status, problem) = service.post("/customers", new).await;
    assert_eq!(status, 409);
    for secret in ["ada@", "customers_email_key", "23505", &ada.id.to_string()] {
        assert!(!problem.to_string().contains(secret), "{problem}");
    }
}

#[relata::test]
async fn a_token_of_another_order_starts_no_page(service: Service) {
    for name in ["ada", "bob"] {
        a_customer(&service.db, name).await;
    }
    let (_, page) = service.get("/customers?sort=name&size=1").await;
    let next = page["next"].as_str().expect("there is another page");
    assert_eq!(service.get(&format!("/customers?sort=name&size=1&after={next}")).await.0, 200);
    let (status, problem) = service.get(&format!("/customers?sort=-name&size=1&after={next}")).await;
    assert_eq!(status, 400, "{problem}");
}

#[relata::test]
async fn mistakes_of_the_service_say_nothing(service: Service) {
    service.db.execute_raw("DROP TABLE tags CASCADE", relata::params![]).await.expect("is dropped");
    let (status, problem) = service.get("/tickets?tag=lamp").await;
    let expected = json!({
        "status": 500, "title": "Internal Server Error", "detail": "this is a mistake of the service",
    });
    assert_eq!((status, &problem), (500, &expected));
    assert_eq!(service.get("/tickets/1").await.1["detail"].as_str().map(|text| text.contains("tags")), Some(false));
    assert_eq!(problem.get("columns"), None::<&Value>);
}
