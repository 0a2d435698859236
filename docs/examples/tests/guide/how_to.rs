//! The code of the pages in `docs/how-to`.

use integration_guide::acme::integration;
use integration_guide::pagination::Counted;
use integration_sdk::http::{Endpoint, Http, Listing};
use integration_sdk::prelude::TryStreamExt;
use integration_sdk::serde_json::{Value, json};
use integration_testing_kit::fake::{FakeProvider, Fault, Pages, Reply, Route};
use integration_testing_kit::{Collected, assert_complete, assert_entity, assert_missing, assert_relationship};

use crate::acme::{acme, values};

#[tokio::test]
async fn pages_that_are_counted_are_followed_to_the_last() {
    let pages = Pages::by("page", 2);
    let pages = pages.body(|items, next| json!({"records": items, "page": 2 - i32::from(next.is_some()), "of": 2}));
    let provider = FakeProvider::start([Route::pages("/teams", vec![json!(1), json!(2), json!(3)], pages)]).await;
    let provider = provider.expect("a socket on loopback");
    let http = Http::connect(Endpoint::new(provider.url().parse().expect("an address"))).expect("a client");

    let teams: Listing<Value> = http.get("/teams", &[]).pages(Counted);
    let teams: Vec<_> = teams.try_collect().await.expect("two pages");

    assert_eq!(teams.len(), 3);
    assert_eq!(provider.requests(), 2);
}

#[tokio::test]
async fn a_cursor_that_comes_back_ends_the_list_with_an_error() {
    let acme = acme().await;
    let again = Reply::json(200, &json!({"items": [], "next": "2"}));
    acme.fault(Fault::Status(again).on("/projects"));
    let collected = Collected::run(&integration(), values(&acme)).steps(["fetch-projects"]).await;

    assert_missing!(collected, acme_project);
    assert_eq!(acme.log().iter().filter(|request| request.path == "/projects").count(), 2);
}

#[tokio::test]
async fn a_refusal_for_load_is_waited_out_and_not_seen_in_the_graph() {
    let acme = acme().await;
    acme.fault(Fault::Status(Reply::json(429, &json!({"error": "slow down"}))).on("/projects").first(1));
    let collected = Collected::run(&integration(), values(&acme)).steps(["fetch-projects"]).await;

    assert_complete!(collected);
    assert_eq!(collected.summary.usage.total.retries, 1);
}

#[tokio::test]
async fn a_project_that_one_step_reports_as_removed_is_a_gap() {
    let acme = acme().await;
    let projects = json!({"items": [{"id": "project-1", "name": "Engine"}, {"id": "project-2", "name": "Gone"}]});
    acme.fault(Fault::Status(Reply::json(200, &projects)).on("/projects"));
    acme.fault(Fault::Status(Reply::json(410, &json!({"error": "gone"}))).on("/projects/project-2/members"));
    let collected = Collected::run(&integration(), values(&acme)).await;

    assert_missing!(collected, acme_project_has_user under "project-2");
}

#[tokio::test]
async fn a_project_that_one_step_does_not_find_may_be_hidden_and_is_a_gap() {
    let acme = acme().await;
    let projects = json!({"items": [{"id": "project-1", "name": "Engine"}, {"id": "project-2", "name": "Hidden"}]});
    acme.fault(Fault::Status(Reply::json(200, &projects)).on("/projects"));
    acme.fault(Fault::Status(Reply::json(404, &json!({"error": "not_found"}))).on("/projects/project-2/members"));
    let collected = Collected::run(&integration(), values(&acme)).await;

    assert_missing!(collected, acme_project_has_user under "project-2");
}

#[tokio::test]
async fn members_that_are_found_under_no_project_are_missing() {
    let acme = acme().await;
    acme.fault(Fault::Status(Reply::json(404, &json!({"error": "not_found"}))).on("/projects/{id}/members"));
    let collected = Collected::run(&integration(), values(&acme)).await;

    assert_missing!(collected, acme_project_has_user under "project-1");
}

#[tokio::test]
async fn a_user_is_tied_to_the_person_of_that_address() {
    let acme = acme().await;
    let collected = Collected::run(&integration(), values(&acme)).steps(["fetch-users"]).await;

    let is = collected.of_type("acme_user_is_person")[0];
    assert_eq!(is["_mapping"]["sourceEntityKey"], "user-ada");
    assert_eq!(is["_mapping"]["targetFilterKeys"], json!([["_class", "email"]]));
    assert_eq!(is["_mapping"]["targetEntity"]["email"], "ada@example.com");
}

#[tokio::test]
async fn what_is_marked_as_secret_is_in_no_raw_data() {
    let acme = acme().await;
    let collected = Collected::run(&integration(), values(&acme)).steps(["fetch-users"]).await;

    let raw = &collected.entity("user-ada")["_rawData"][0];
    assert_eq!((&raw["name"], &raw["rawData"]["token"]), (&json!("default"), &json!("[redacted]")));
    assert_eq!(raw["rawData"]["name"], "ada");
}

#[tokio::test]
async fn what_a_user_and_a_membership_should_be() {
    let acme = acme().await;
    let collected = Collected::run(&integration(), values(&acme)).await;

    assert_entity!(collected, "user-ada", { _class: ["User"], name: "ada", mfaEnabled: true, lastLoginOn: () });
    assert_entity!(collected, "project-1", { "tag.cost-center": "7" });
    assert_relationship!(collected, "project-1" -[HAS]-> "user-ada", { role: "owner" });
}
