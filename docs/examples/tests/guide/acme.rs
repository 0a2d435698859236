//! Tests of the guide's integration against a fake Acme on loopback.

use std::collections::BTreeMap;

use integration_guide::acme::{fetch_records, integration};
use integration_sdk::Plan;
use integration_sdk::graph::run::{DisabledReason, StepReport, StepStatus};
use integration_sdk::serde_json::{Value, json};
use integration_testing_kit::fake::{Access, FakeProvider, Pages, ProviderOptions, Route, Running};
use integration_testing_kit::{Collected, assert_complete, assert_graph};

const KEY: &str = "a-key-of-nobody";

/// A fake Acme with two pages of users and one page of every other list.
pub async fn acme() -> Running {
    let access = Access::token(KEY, ["read"]).in_header("X-Acme-Key");
    FakeProvider::start_with(routes(), ProviderOptions { access, ..ProviderOptions::default() })
        .await
        .expect("a socket on loopback")
}

fn routes() -> [Route; 8] {
    let users = Route::pages("/users", vec![user("ada"), user("grace")], Pages::by("cursor", 1));
    let page = |pattern, items: Value| Route::document(pattern, json!({"items": items}));
    let members = json!([{"user_id": "user-ada", "role": "owner"}, {"user_id": "user-gone", "role": "member"}]);
    let event =
        json!({"id": "event-1", "action": "sign-in", "user_id": "user-ada", "happened_at": "2024-01-01T00:00:00Z"});
    [
        Route::document("/whoami", json!({"email": "owner@example.com", "scopes": ["read"]})),
        users,
        page("/projects", json!([{"id": "project-1", "name": "Engine", "labels": {"cost-center": "7"}}])),
        page("/projects/{id}/members", members),
        Route::document("/second-factors", json!(["user-ada"])),
        Route::document("/subscription", json!({"audited_days": 30})),
        page("/events", json!([event])),
        page("/records/{kind}", json!([{"id": "record-1", "name": "A record"}])),
    ]
}

fn user(name: &str) -> Value {
    json!({"id": format!("user-{name}"), "name": name, "email": format!("{name}@example.com"), "token": "s3cret",
           "last_login_at": null})
}

pub fn values(acme: &Running) -> [(&'static str, String); 2] {
    [("ACME_API_KEY", KEY.to_owned()), ("ACME_API_URL", acme.url())]
}

#[tokio::test]
async fn every_parameter_does_what_the_guide_says_of_it() {
    let acme = acme().await;
    let collected = Collected::run(&integration(), values(&acme)).source("events", true).await;

    assert_complete!(collected);
    assert_graph!(collected, {
        acme_event: 1,
        acme_project: 1,
        acme_project_has_user: 1,
        acme_user: 2,
        acme_user_is_person: 2,
        acme_user_performed_event: 1,
    });
    let ada = collected.entity("user-ada");
    assert_eq!((&ada["displayName"], &ada["mfaEnabled"]), (&json!("ada@example.com"), &json!(true)));
    assert_eq!(collected.entity("project-1")["tag.cost-center"], "7");
    let log = acme.log();
    let asked = log.iter().find(|request| request.path == "/events").expect("a request for events");
    assert_eq!(asked.query.as_deref(), Some("days=30"));
}

#[tokio::test]
async fn a_key_that_acme_does_not_know_ends_before_there_is_a_job() {
    let acme = acme().await;
    let values = [("ACME_API_KEY", "another".to_owned()), ("ACME_API_URL", acme.url())];
    let error = Collected::run(&integration(), values).attempt().await.expect_err("a refusal");
    assert!(error.to_string().contains("401"), "{error}");
}

#[tokio::test]
async fn a_part_that_is_off_is_not_collected_and_not_missing() {
    let acme = acme().await;
    let values = values(&acme).into_iter().chain([("ACME_PROJECTS", "false".to_owned())]);
    let collected = Collected::run(&integration(), values).await;

    assert_complete!(collected);
    let disabled = |step: &&StepReport| step.status == StepStatus::Disabled;
    let disabled = collected.summary.integration_step_results.iter().filter(disabled);
    let disabled: Vec<_> = disabled.map(|step| (step.id.as_str(), step.disabled_reason)).collect();
    let expected = [
        ("fetch-projects", Some(DisabledReason::Config)),
        ("fetch-members", Some(DisabledReason::ParentDisabled)),
        ("fetch-subscription", Some(DisabledReason::UserConfig)),
        ("fetch-events", Some(DisabledReason::UserConfig)),
    ];
    assert_eq!(BTreeMap::from_iter(disabled), expected.into());
}

#[tokio::test]
async fn a_step_made_at_run_time_is_a_step_like_any_other() {
    let acme = acme().await;
    let with_invoices = integration().step(fetch_records("invoice").expect("a name"));
    assert!(Plan::new(&with_invoices).is_ok());
    let collected = Collected::run(&with_invoices, values(&acme)).steps(["fetch-invoice"]).await;
    assert_graph!(collected, { acme_invoice: 1 });
    assert!(fetch_records("Not A Name").is_err());
}
