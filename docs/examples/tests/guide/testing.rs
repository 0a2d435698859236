//! The code of the page "Testing an integration".

use integration_guide::acme::{Acme, integration};
use integration_sdk::Redaction;
use integration_sdk::http::{Endpoint, Http, Provider, StatusCode, WireResponse, respond_with};
use integration_sdk::serde_json::json;
use integration_testing_kit::fake::{Fault, Reply};
use integration_testing_kit::{Collected, assert_complete, assert_graph, assert_missing, assert_no_secrets};

use crate::acme::{acme, values};

#[tokio::test]
async fn users_and_projects_are_collected() {
    let acme = acme().await;
    let collected = Collected::run(&integration(), values(&acme)).steps(["fetch-members"]).await;

    assert_complete!(collected);
    assert_graph!(collected, { acme_user: 2, acme_user_is_person: 2, acme_project: 1, acme_project_has_user: 1 });
    assert_eq!(collected.entity("project-1")["displayName"], "Engine");
    assert_eq!(collected.relationship("project-1|has|user-ada")["role"], "owner");
}

#[tokio::test]
async fn members_that_may_not_be_seen_are_missing_under_their_project() {
    let acme = acme().await;
    acme.fault(Fault::Status(Reply::json(403, &json!({"error": "forbidden"}))).on("/projects/{id}/members"));
    let collected = Collected::run(&integration(), values(&acme)).await;

    assert_missing!(collected, acme_project_has_user under "project-1");
}

#[tokio::test]
async fn a_failure_that_passes_is_not_seen_in_the_graph() {
    let acme = acme().await;
    acme.fault(Fault::Status(Reply::html(503, "<h1>Back soon</h1>")).on("/users").first(1));
    let collected = Collected::run(&integration(), values(&acme)).await;

    assert_complete!(collected);
    assert_eq!(collected.summary.usage.total.retries, 1);
}

#[tokio::test]
async fn all_that_is_declared_is_met() {
    let acme = acme().await;
    let collected = Collected::run(&integration(), values(&acme)).source("events", true).await;

    // The fake has no sign-ins, so this property never occurs.
    collected.coverage().except(["acme_user.lastLoginOn"]).assert_whole();
}

#[tokio::test]
async fn the_graph_is_that_of_the_snapshot() {
    let acme = acme().await;
    let collected = Collected::run(&integration(), values(&acme)).await;

    insta::assert_json_snapshot!(collected.snapshot().only(["acme_project", "acme_project_has_user"]));
}

#[tokio::test]
async fn the_recorded_account_is_collected() {
    let collected = Collected::recorded(&integration(), "account").await;

    assert_complete!(collected);
    assert_graph!(collected, { acme_user: 2, acme_user_is_person: 2, acme_project: 1, acme_project_has_user: 1 });
}

#[test]
fn no_recording_holds_a_secret() {
    assert_no_secrets("tests/recordings");
}

#[tokio::test]
async fn the_owner_of_a_key_is_read_from_the_account() {
    let api = respond_with(|request| {
        assert_eq!(request.url.path(), "/whoami");
        Ok(WireResponse::new(StatusCode::OK, r#"{"email": "ada@acme.com", "scopes": ["read"]}"#))
    });
    let endpoint = Endpoint::new("https://api.acme.example".parse().unwrap());
    let acme = Acme::new(Http::connect_with(endpoint, &api, &Redaction::default()).unwrap());

    assert_eq!(acme.verify().await.unwrap().subject.as_deref(), Some("ada@acme.com"));
}
