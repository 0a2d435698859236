//! The integration against a provider on this machine.

use integration_{{snake}}::integration;

use integration_sdk::serde_json::{Value, json};
use integration_testing_kit::fake::{FakeProvider, Fault, Reply, Route, Running};
use integration_testing_kit::{Collected, assert_complete, assert_graph, assert_missing};

async fn provider() -> Running {
    FakeProvider::start([
        Route::document("/me", user("grace")),
        Route::list("/users", vec![user("ada"), user("grace")]),
    ])
    .await
    .expect("a socket on loopback")
}

fn user(name: &str) -> Value {
    json!({"id": format!("user-{name}"), "name": name, "email": format!("{name}@example.com")})
}

fn values(provider: &Running) -> [(&'static str, String); 2] {
    [
        ("{{VARIABLE}}_API_TOKEN", "any".to_owned()),
        ("{{VARIABLE}}_API_URL", provider.url()),
    ]
}

#[tokio::test]
async fn users_are_collected_and_all_that_is_declared_is_met() {
    let provider = provider().await;
    let collected = Collected::run(&integration(), values(&provider)).await;

    assert_complete!(collected);
    assert_graph!(collected, { {{snake}}_user: 2 });
    assert_eq!(collected.entity("user-ada")["email"], "ada@example.com");
    collected.coverage().assert_whole();
}

#[tokio::test]
async fn users_that_may_not_be_seen_are_missing() {
    let provider = provider().await;
    provider.fault(Fault::Status(Reply::json(403, &json!({}))).on("/users"));
    let collected = Collected::run(&integration(), values(&provider)).await;

    assert_missing!(collected, {{snake}}_user);
}
