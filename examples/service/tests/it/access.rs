//! Who may do what.

use axum::body::Body;
use axum::http::Request;
use serde_json::json;

use crate::support::{Service, TOKEN, json as body_of, send};

#[relata::test]
async fn requests_without_a_token_are_refused(service: Service) {
    let without = Request::get(format!("{}/customers", service.url));
    let with = |token| service.request_of(token, "GET", "/customers");
    for request in [without, with("nonsense"), with("")] {
        let (status, problem) = send(request.body(Body::empty())).await;
        assert_eq!((status, &problem["title"]), (401, &json!("Unauthorized")));
    }
}

#[relata::test]
async fn an_admin_creates_agents_who_create_none(service: Service) {
    let (status, created) = service.post("/agents", json!({ "email": "Ada@x.org", "name": "Ada" })).await;
    assert_eq!((status, &created["agent"]["email"]), (201, &json!("ada@x.org")));
    let token = created["token"].as_str().expect("has a token");

    let (status, agents) = send(service.request_of(token, "GET", "/agents").body(Body::empty())).await;
    assert_eq!(status, 200);
    let names: Vec<_> = agents.as_array().expect("is a list").iter().map(|agent| &agent["name"]).collect();
    assert_eq!(names, ["Ada", "Admin"]);
    let another = json!({ "email": "b@x.org", "name": "B" });
    let (status, _) = send(body_of(service.request_of(token, "POST", "/agents"), &another)).await;
    assert_eq!(status, 403);
}

#[relata::test]
async fn tokens_and_their_hashes_are_not_shown(service: Service) {
    let (_, created) = service.post("/agents", json!({ "email": "ada@x.org", "name": "Ada" })).await;
    let (_, agents) = service.get("/agents").await;
    assert!(created["agent"].get("tokenHash").is_none());
    assert!(!agents.to_string().contains("oken") && !format!("{:?}", service.admin).contains(TOKEN));
}
