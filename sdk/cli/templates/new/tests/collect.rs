//! Tests of the integration against the fake on loopback.

use integration_{{snake}}::integration;
use integration_{{snake}}::sample::{provider, values};

use integration_sdk::serde_json::json;
use integration_testing_kit::fake::{Fault, Reply};
use integration_testing_kit::{
    Collected, assert_complete, assert_entity, assert_graph, assert_missing, assert_no_secrets,
};

#[tokio::test]
async fn users_are_collected_and_all_that_is_declared_is_met() {
    let provider = provider().await.expect("a socket on loopback");
    let collected = Collected::run(&integration(), values(&provider)).await;

    assert_complete!(collected);
    assert_graph!(collected, { {{snake}}_user: 2 });
    assert_entity!(collected, "user-ada", { name: "ada", email: "ada@example.com" });
    collected.coverage().assert_whole();
}

#[tokio::test]
async fn users_that_may_not_be_seen_are_missing() {
    let provider = provider().await.expect("a socket on loopback");
    provider.fault(Fault::Status(Reply::json(403, &json!({}))).on("/users"));
    let collected = Collected::run(&integration(), values(&provider)).await;

    assert_missing!(collected, {{snake}}_user);
}

/// Replays `tests/recordings/users`. With `RECORD=1` and a token, the test records it again.
#[tokio::test]
async fn the_recorded_account_is_collected() {
    let collected = Collected::recorded(&integration(), "users").await;

    assert_complete!(collected);
    assert_graph!(collected, { {{snake}}_user: 2 });
}

#[test]
fn no_recording_holds_a_secret() {
    assert_no_secrets("tests/recordings");
}
