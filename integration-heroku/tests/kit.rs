//! The plugin seen through the kit for tests: all that it declares is met by the sample, and one team's refusal stays there.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use integration_heroku::fake::{FakeHeroku, FakeOptions, Fault, Organisation, Reply};
use integration_heroku::integration;
use integration_testing_kit::{Collected, assert_complete, assert_missing};
use serde_json::json;

async fn heroku() -> FakeHeroku {
    FakeHeroku::start(Organisation::sample(), FakeOptions::default()).await.unwrap()
}

fn values(heroku: &FakeHeroku) -> [(&'static str, String); 2] {
    [("HEROKU_API_KEY", heroku.token().to_owned()), ("HEROKU_API_URL", heroku.url())]
}

#[tokio::test]
async fn the_sample_meets_all_that_the_plugin_declares() {
    let (plugin, heroku) = (integration(), heroku().await);
    let collected = Collected::run(&plugin, values(&heroku)).await;
    assert_complete!(collected);
    collected.coverage().assert_whole();
}

#[tokio::test]
async fn the_entities_of_the_sample_are_those_of_its_organisation() {
    let (plugin, heroku) = (integration(), heroku().await);
    let collected = Collected::run(&plugin, values(&heroku)).await;
    let organisation = heroku.organisation();
    assert_eq!(collected.of_type("heroku_team").len(), organisation.teams().len());
    assert_eq!(collected.of_type("heroku_application").len(), organisation.apps().len());
    for team in organisation.teams() {
        assert_eq!(collected.entity(&team.id.to_string())["name"], *team.name);
    }
}

#[tokio::test]
async fn a_team_whose_members_are_refused_is_missing_alone() {
    let (plugin, heroku) = (integration(), heroku().await);
    let refused = heroku.organisation().teams().next().unwrap().id.to_string();
    let refusal = Reply::json(403, &json!({"id": "forbidden", "message": "No."}));
    heroku.fault(Fault::Status(refusal).on(&format!("/teams/{refused}/members")));
    let collected = Collected::run(&plugin, values(&heroku)).steps(["fetch-team-members"]).await;
    assert_missing!(collected, heroku_team_has_account_member under &refused);
    assert!(!collected.of_type("heroku_team_has_account_member").is_empty());
}
