//! Tests of the guide's step in the Heroku integration, against a fake with features.

use integration_guide::features;
use integration_sdk::serde_json::json;
use integration_testing_kit::fake::{FakeProvider, Fault, Reply, Route, Running};
use integration_testing_kit::{Collected, assert_complete, assert_missing};

const TEAM: &str = "01234567-89ab-cdef-0123-456789abcdef";

async fn heroku_with_features() -> Running {
    let routes = [
        Route::document("/account", json!({"id": "owner", "email": "owner@example.com"})),
        Route::list("/enterprise-accounts", vec![json!({"id": "enterprise", "name": "Kestrel"})]).sortable(["id"]),
        Route::list("/enterprise-accounts/{id}/teams", vec![json!({"id": TEAM, "name": "data"})]).sortable(["id"]),
        Route::list("/teams", vec![json!({"id": TEAM, "name": "data"})]).sortable(["id"]),
        Route::list("/teams/{id}/features", vec![json!({"id": "feature-1", "name": "acm", "enabled": true})])
            .sortable(["id"]),
    ];
    FakeProvider::start(routes).await.expect("a socket on loopback")
}

fn values(heroku: &Running) -> [(&'static str, String); 2] {
    [("HEROKU_API_KEY", "any".to_owned()), ("HEROKU_API_URL", heroku.url())]
}

#[tokio::test]
async fn a_feature_of_a_team_is_an_entity_that_the_team_has() {
    let heroku = heroku_with_features().await;
    let plugin = integration_heroku::integration().step(features::fetch());
    let collected = Collected::run(&plugin, values(&heroku)).steps(["fetch-features"]).await;

    assert_complete!(collected);
    let feature = collected.entity("feature-1");
    assert_eq!(
        (&feature["_type"], &feature["_class"], &feature["enabled"]),
        (&json!("heroku_feature"), &json!(["Resource"]), &json!(true))
    );
    assert_eq!(collected.relationship(&format!("{TEAM}|has|feature-1"))["_type"], "heroku_team_has_feature");
}

#[tokio::test]
async fn features_that_may_not_be_seen_are_missing_under_their_team() {
    let heroku = heroku_with_features().await;
    heroku.fault(Fault::Status(Reply::json(403, &json!({"id": "forbidden"}))).on("/teams/{id}/features"));
    let plugin = integration_heroku::integration().step(features::fetch());
    let collected = Collected::run(&plugin, values(&heroku)).steps(["fetch-features"]).await;

    assert_missing!(collected, heroku_feature under TEAM, heroku_team_has_feature under TEAM);
}
