//! Tests of the integration against the fake on loopback.

use integration_acme::integration;
use integration_acme::sample::{provider, values};

use integration_sdk::serde_json::json;
use integration_testing_kit::fake::{Fault, Reply};
use integration_testing_kit::{
    Collected, assert_complete, assert_entity, assert_graph, assert_missing, assert_no_secrets,
    assert_relationship,
};

#[tokio::test]
async fn all_that_is_declared_is_collected() {
    let provider = provider().await.expect("a socket on loopback");
    let collected = Collected::run(&integration(), values(&provider)).await;

    assert_complete!(collected);
    assert_graph!(collected, { acme_user: 3, acme_project: 2, acme_project_has_user: 4 });
    assert_entity!(collected, "project-engine", { name: "engine", startOn: 1_705_309_200_000_i64 });
    assert_relationship!(collected, "project-engine" -[HAS]-> "user-ada", { role: "owner" });
    collected.coverage().assert_whole();
}

#[tokio::test]
async fn members_that_may_not_be_seen_are_missing_under_their_project_alone() {
    let provider = provider().await.expect("a socket on loopback");
    let refused = Fault::Status(Reply::json(403, &json!({})));
    provider.fault(refused.on("/projects/project-bridge/members"));
    let collected = Collected::run(&integration(), values(&provider)).await;

    assert_missing!(collected, acme_project_has_user under "project-bridge");
    assert_relationship!(collected, "project-engine" -[HAS]-> "user-ada");
}

/// Replays `tests/recordings/users`. With `RECORD=1` and a token, the test records it again.
#[tokio::test]
async fn the_recorded_account_is_collected() {
    let collected = Collected::recorded(&integration(), "users").await;

    assert_complete!(collected);
    assert_graph!(collected, { acme_user: 3, acme_project: 2, acme_project_has_user: 4 });
}

#[test]
fn no_recording_holds_a_secret() {
    assert_no_secrets("tests/recordings");
}

#[tokio::test]
async fn the_graph_is_the_one_that_was_reviewed() {
    let provider = provider().await.expect("a socket on loopback");
    let collected = Collected::run(&integration(), values(&provider)).await;

    insta::assert_json_snapshot!(collected.snapshot());
}
