//! A fake of {{title}} on loopback, for `--sample` and for tests.

use std::io;

use integration_cli::Sample;
use integration_sdk::serde_json::{Value, json};
use integration_testing::{Access, FakeProvider, ProviderOptions, Route, Running, StartError};

/// The token that the fake accepts.
const TOKEN: &str = "a-token-of-nobody";

/// Starts the fake with an account of two people.
pub async fn provider() -> Result<Running, StartError> {
    let routes = [
        Route::document("/me", user("grace")),
        Route::list("/users", vec![user("ada"), user("grace")]),
    ];
    let options = ProviderOptions {
        access: Access::token(TOKEN, ["read"]),
        ..ProviderOptions::default()
    };
    FakeProvider::start_with(routes, options).await
}

fn user(name: &str) -> Value {
    json!({"id": format!("user-{name}"), "name": name, "email": format!("{name}@example.com")})
}

/// The variables that configure the integration for the fake.
pub fn values(provider: &Running) -> Vec<(String, String)> {
    let token = "{{VARIABLE}}_API_TOKEN".to_owned();
    let url = "{{VARIABLE}}_API_URL".to_owned();
    vec![(token, TOKEN.to_owned()), (url, provider.url())]
}

/// The provider for `--sample`.
pub async fn sample() -> io::Result<Sample> {
    let provider = provider().await.map_err(io::Error::other)?;
    Ok(Sample {
        values: values(&provider),
        server: Box::new(provider),
    })
}
