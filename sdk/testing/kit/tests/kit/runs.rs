use integration_sdk::runtime::StepStatus;
use integration_testing_kit::{Collected, RunError, assert_complete, assert_graph};

use crate::acme::{ENGINE, integration, provider, provider_of, team, values};
use crate::message;

#[tokio::test]
async fn a_run_gives_entities_relationships_and_the_summary() {
    let (acme, provider) = (integration(), provider().await);
    let collected = Collected::run(&acme, values(&provider)).await;
    assert_complete!(collected);
    assert_eq!(collected.entity(ENGINE)["displayName"], "Engine");
    assert_eq!(collected.relationship(&format!("{ENGINE}|has|user-ada-1815"))["_type"], "acme_team_has_user");
    let names: Vec<_> = collected.of_type("acme_user").iter().map(|user| &user["name"]).collect();
    assert_eq!(names, ["ada", "grace"]);
    assert_eq!(collected.step("fetch-badges").status, StepStatus::Disabled);
    assert!(collected.find_entity("nobody").is_none());
}

#[tokio::test]
async fn a_step_runs_with_what_it_needs_and_nothing_else() {
    let (acme, provider) = (integration(), provider().await);
    let collected = Collected::run(&acme, values(&provider)).steps(["fetch-teams"]).await;
    assert_graph!(collected, { acme_team: 2 });
    assert!(provider.log().iter().all(|request| !request.path.ends_with("/users")));
    let collected = Collected::run(&acme, values(&provider)).steps(["fetch-users"]).await;
    assert_graph!(collected, { acme_team: 2, acme_user: 2, acme_team_has_user: 4 });
}

#[tokio::test]
async fn a_source_is_switched_and_the_job_adjusted() {
    let (acme, provider) = (integration(), provider().await);
    let run = Collected::run(&acme, values(&provider)).source("badges", true).with_job(|job| job.concurrency(1));
    assert_eq!(run.await.of_type("acme_badge").len(), 1);
    assert_eq!(provider.peak_in_flight(), 1);
}

#[tokio::test]
async fn an_object_that_its_schema_forbids_fails_the_test_unless_it_is_allowed() {
    let mut no_link = team(ENGINE, "Engine", "2024-01-01T00:00:00Z");
    no_link["link"] = "not a link".into();
    let (acme, provider) = (integration(), provider_of([no_link]).await);
    let error = Collected::run(&acme, values(&provider)).attempt().await.expect_err("a finding");
    assert!(matches!(error, RunError::Findings(_)));
    let told = error.to_string();
    assert!(told.contains("fetch-teams: acme_team") && told.contains("/webLink"), "{told}");
    let collected = Collected::run(&acme, values(&provider)).allow_findings().await;
    assert_eq!(collected.step("fetch-teams").findings.len(), 1);
}

#[tokio::test]
async fn a_run_that_cannot_begin_says_why() {
    let acme = integration();
    let error = Collected::run_without_values(&acme).attempt().await.expect_err("no token");
    assert!(error.to_string().contains("ACME_API_TOKEN"), "{error}");
    let (acme, provider) = (integration(), provider().await);
    let error = Collected::run(&acme, values(&provider)).steps(["fetch-team"]).attempt().await.expect_err("no step");
    assert!(error.to_string().contains("fetch-teams"), "{error}");
}

#[tokio::test]
async fn a_key_that_is_not_there_is_told_with_those_that_are() {
    let (acme, provider) = (integration(), provider().await);
    let collected = Collected::run(&acme, values(&provider)).steps(["fetch-teams"]).await;
    let told = message(|| drop(collected.entity("engine").clone()));
    assert!(told.contains("no entity \"engine\"") && told.contains(ENGINE), "{told}");
    assert!(message(|| drop(collected.relationship("x").clone())).contains("there are none"));
    assert!(message(|| drop(collected.step("x").clone())).contains("fetch-teams, fetch-"));
}
