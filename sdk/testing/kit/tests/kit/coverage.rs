use integration_testing_kit::Collected;

use crate::acme::{integration, provider, values};
use crate::message;

#[tokio::test]
async fn what_a_run_never_met_is_named_once_by_its_root() {
    let (acme, provider) = (integration(), provider().await);
    let collected = Collected::run(&acme, values(&provider)).await;
    let report = collected.coverage().to_string();
    assert_eq!(report, "  fetch-badges: disabled (user_config)\n  acme_team.motto: in none of 2 objects");
    let told = message(|| collected.coverage().assert_whole());
    assert!(told.contains("declared items:\n  fetch-badges: "), "{told}");
}

#[tokio::test]
async fn exceptions_are_named_and_a_stale_one_is_told() {
    let (acme, provider) = (integration(), provider().await);
    let coverage = Collected::run(&acme, values(&provider)).await.coverage();
    coverage.clone().except(["fetch-badges", "acme_team.motto"]).assert_whole();
    let stale = coverage.except(["fetch-badges", "acme_team.motto", "acme_team.name", "acme_moon"]);
    let told = message(|| stale.assert_whole());
    let expected = "acme_moon: no item of this name is declared\n  acme_team.name: the item is covered";
    assert!(told.contains(expected), "{told}");
}

#[tokio::test]
async fn what_one_of_several_runs_met_is_met() {
    let (acme, provider) = (integration(), provider().await);
    let teams = Collected::run(&acme, values(&provider)).steps(["fetch-teams"]).await.coverage();
    assert!(teams.to_string().contains("fetch-users: "), "{teams}");
    let users = Collected::run(&acme, values(&provider)).steps(["fetch-users"]).await.coverage();
    let badges =
        Collected::run(&acme, values(&provider)).source("badges", true).steps(["fetch-badges"]).await.coverage();
    let all = teams.and(users).and(badges).except(["acme_team.motto"]);
    assert_eq!(all.unmet(), Vec::<&integration_testing_kit::Declared>::new());
    all.assert_whole();
}

#[tokio::test]
async fn a_type_without_objects_is_unmet_where_its_step_ran() {
    let (acme, provider) = (integration(), crate::acme::provider_of([]).await);
    let coverage = Collected::run(&acme, values(&provider)).await.coverage();
    let expected = "  fetch-badges: disabled (user_config)\n  acme_team: no object\n  \
                    acme_team_has_user: no object\n  acme_user: no object";
    assert_eq!(coverage.to_string(), expected);
}
