//! A fake of Acme on loopback, for `--sample` and for tests.

use std::io;

use integration_cli::Sample;
use integration_sdk::serde_json::{Value, json};
use integration_testing::{
    Access, FakeProvider, Pages, ProviderOptions, Route, Running, StartError,
};

/// The key that the fake accepts.
const KEY: &str = "a-key-of-nobody";

/// Starts the fake with an account of three people and two projects.
pub async fn provider() -> Result<Running, StartError> {
    let pages = Pages::by("cursor", 2);
    let users = vec![user("ada"), user("grace"), user("lin")];
    let projects = vec![
        project("engine", "2024-01-15"),
        project("bridge", "2024-06-01"),
    ];
    let members = vec![member("ada", "owner"), member("lin", "member")];
    let routes = [
        Route::document(
            "/me",
            json!({"email": "grace@example.com", "scopes": ["read"]}),
        ),
        Route::pages("/users", users, pages),
        Route::pages("/projects", projects, pages),
        Route::pages("/projects/{id}/members", members, pages),
    ];
    let options = ProviderOptions {
        access: Access::token(KEY, ["read"]).in_header("X-Acme-Key"),
        ..ProviderOptions::default()
    };
    FakeProvider::start_with(routes, options).await
}

fn user(name: &str) -> Value {
    json!({"id": format!("user-{name}"), "name": name, "email": format!("{name}@example.com")})
}

fn project(name: &str, day: &str) -> Value {
    let started_at = format!("{day}T09:00:00Z");
    json!({"id": format!("project-{name}"), "name": name, "started_at": started_at})
}

fn member(user: &str, role: &str) -> Value {
    json!({"user_id": format!("user-{user}"), "role": role})
}

/// The variables that configure the integration for the fake.
pub fn values(provider: &Running) -> Vec<(String, String)> {
    let token = "ACME_API_TOKEN".to_owned();
    let url = "ACME_API_URL".to_owned();
    vec![(token, KEY.to_owned()), (url, provider.url())]
}

/// The provider for `--sample`.
pub async fn sample() -> io::Result<Sample> {
    let provider = provider().await.map_err(io::Error::other)?;
    Ok(Sample {
        values: values(&provider),
        server: Box::new(provider),
    })
}
