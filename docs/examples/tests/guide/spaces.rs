//! The step of the guide, in the plugin, against a Heroku that has spaces.

use integration_guide::spaces;
use integration_sdk::config::Values;
use integration_sdk::store::JobState;
use integration_testing::{FakeProvider, Fault, Reply, Route, Running};
use serde_json::json;

use crate::collect;

const TEAM: &str = "01234567-89ab-cdef-0123-456789abcdef";

async fn heroku_with_spaces() -> Running {
    let routes = [
        Route::document("/account", json!({"id": "owner", "email": "owner@example.com"})),
        Route::list("/enterprise-accounts", vec![json!({"id": "enterprise", "name": "Kestrel"})]).sortable(["id"]),
        Route::list("/enterprise-accounts/{id}/teams", vec![json!({"id": TEAM, "name": "data"})]).sortable(["id"]),
        Route::list("/teams/{id}/spaces", vec![json!({"id": "nasa-space", "name": "nasa", "shield": true})])
            .sortable(["id"]),
    ];
    FakeProvider::start(routes).await.expect("a socket on loopback")
}

fn values(heroku: &Running) -> Values {
    let variables = [("HEROKU_API_KEY", "any".to_owned()), ("HEROKU_API_URL", heroku.url())];
    Values::new("heroku", variables.map(|(name, value)| (name.to_owned(), value)))
}

#[tokio::test]
async fn a_space_of_a_team_is_an_entity_that_the_team_has() {
    let heroku = heroku_with_spaces().await;
    let plugin = integration_heroku::integration().step(spaces::fetch());
    let collected = collect(&plugin, &values(&heroku), &["fetch-spaces"], &[]).await;

    let space = collected.entity("nasa-space").await.expect("the space");
    assert_eq!(
        (&space["_type"], &space["_class"], &space["shield"]),
        (&json!("heroku_space"), &json!(["Network"]), &json!(true))
    );
    let has = collected.relationship(&format!("{TEAM}|has|nasa-space")).await.expect("the relationship");
    assert_eq!(has["_type"], "heroku_team_has_space");
    assert_eq!(collected.summary.state, JobState::Complete);
}

#[tokio::test]
async fn spaces_that_may_not_be_seen_are_missing_under_their_team() {
    let heroku = heroku_with_spaces().await;
    heroku.fault(Fault::Status(Reply::json(403, &json!({"id": "forbidden"}))).on("/teams/{id}/spaces"));
    let plugin = integration_heroku::integration().step(spaces::fetch());
    let collected = collect(&plugin, &values(&heroku), &["fetch-spaces"], &[]).await;

    assert_eq!(collected.summary.state, JobState::Partial);
    let gaps = collected.summary.integration_step_results.iter().flat_map(|step| &step.incomplete);
    let under: Vec<_> = gaps.filter_map(|gap| Some(gap.under.as_ref()?.key.as_str())).collect();
    assert_eq!(under, [TEAM]);
}
