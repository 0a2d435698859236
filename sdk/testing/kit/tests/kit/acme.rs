//! An integration for an invented provider with teams and users.

use integration_sdk::Integration;
use integration_sdk::config::SecretString;
use integration_sdk::http::{Endpoint, Http, Provider, ProviderError, VerifiedAccount};
use integration_sdk::prelude::*;
use integration_sdk::serde_json::{Value, json};
use integration_sdk::step::IngestionSource;
use integration_sdk::url::Url;
use integration_testing_kit::fake::{FakeProvider, Route, Running};

pub const ENGINE: &str = "5f0c2a91-b3de-4d41-8a07-aad8a2f31001";
pub const BRIDGE: &str = "0b9d77e2-0d7c-4a37-9d0e-55b1c0de2002";

#[derive(Debug, Config)]
pub struct AcmeConfig {
    /// The API token.
    api_token: SecretString,
    /// The base address of the API.
    api_url: Url,
}

pub struct Acme(Http);

impl Provider for Acme {
    type Config = AcmeConfig;

    fn endpoint(config: &AcmeConfig) -> Endpoint {
        Endpoint::new(config.api_url.clone()).bearer(&config.api_token)
    }

    fn new(http: Http) -> Self {
        Self(http)
    }

    async fn verify(&self) -> Result<VerifiedAccount, ProviderError> {
        let owner: Value = self.0.get("/whoami", &[]).json().await?;
        Ok(VerifiedAccount::of(owner["email"].to_string()))
    }
}

impl Acme {
    async fn list(&self, path: &'static str, ids: &[&String]) -> Result<Vec<Value>, ProviderError> {
        match ids {
            [] => self.0.get(path, &[]).json().await,
            [id, ..] => self.0.get(path, &[*id]).json().await,
        }
    }
}

/// A team.
#[derive(Debug, Clone, EntityKind)]
#[entity(type = "acme_team", class = "Team", resource = "Team")]
pub struct Team {
    #[entity(key)]
    id: String,
    name: String,
    web_link: String,
    created_on: Option<Timestamp>,
    /// A property that is never set, as an example of missing coverage.
    motto: Option<String>,
}

/// A user.
#[derive(Debug, Clone, EntityKind)]
#[entity(type = "acme_user", class = "User", resource = "User", merge)]
pub struct User {
    #[entity(key)]
    id: String,
    name: String,
    email: String,
}

/// A badge.
#[derive(Debug, Clone, EntityKind)]
#[entity(type = "acme_badge", class = "Record", resource = "Badge")]
pub struct Badge {
    #[entity(key)]
    id: String,
    name: String,
}

relationship!(pub TeamHasUser: Team -[HAS]-> User);

#[step(id = "fetch-teams", name = "Fetch teams")]
async fn fetch_teams(api: Client<Acme>, teams: Emit<Team>) -> StepResult {
    for team in api.list("/teams", &[]).await? {
        let id = text(&team["id"]);
        let created_on = integration_sdk::serde_json::from_value(team["created_at"].clone()).ok();
        let web_link = text(&team["link"]);
        teams.add(Team { id, name: text(&team["name"]), web_link, created_on, motto: None }).await?;
    }
    Ok(())
}

#[step(id = "fetch-users", name = "Fetch users")]
async fn fetch_users(api: Client<Acme>, teams: Follow<Team>, users: Emit<User>, has: Emit<TeamHasUser>) -> StepResult {
    teams.for_each_concurrent(|team| users_of(team, &api, &users, &has)).await
}

async fn users_of(team: Team, api: &Acme, users: &Emit<User>, has: &Emit<TeamHasUser>) -> StepResult {
    for user in api.list("/teams/{id}/users", &[&team.id]).await? {
        let user = User { id: text(&user["id"]), name: text(&user["name"]), email: text(&user["email"]) };
        let user = users.add(user).await?;
        has.add(&team, &user).await?;
    }
    Ok(())
}

#[step(id = "fetch-badges", name = "Fetch badges", source = "badges")]
async fn fetch_badges(badges: Emit<Badge>) -> StepResult {
    badges.add(Badge { id: "badge-0001".into(), name: "First".into() }).await.map(drop)
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

pub fn integration() -> Integration {
    Integration::of::<Acme>("acme", "Acme")
        .source(IngestionSource::new("badges", "Badges", "Who is what.").off_by_default())
        .step(fetch_teams())
        .step(fetch_users())
        .step(fetch_badges())
}

pub fn team(id: &str, name: &str, created_at: &str) -> Value {
    json!({"id": id, "name": name, "link": format!("https://acme.example/teams/{id}/"), "created_at": created_at})
}

pub fn user(id: &str, name: &str) -> Value {
    json!({"id": id, "name": name, "email": format!("{name}@acme.example")})
}

/// A provider with two teams that share a user.
pub async fn provider() -> Running {
    provider_of([team(ENGINE, "Engine", "2024-01-01T00:00:00Z"), team(BRIDGE, "Bridge", "2024-02-01T00:00:00Z")]).await
}

pub async fn provider_of(teams: impl Into<Vec<Value>>) -> Running {
    let routes = [
        Route::document("/whoami", json!({"email": "owner@acme.example"})),
        Route::list("/teams", teams.into()),
        Route::list("/teams/{id}/users", vec![user("user-ada-1815", "ada"), user("user-grace-1906", "grace")]),
    ];
    FakeProvider::start(routes).await.expect("a socket on loopback")
}

pub fn values(provider: &Running) -> [(&'static str, String); 2] {
    [("ACME_API_TOKEN", "a-token-of-nobody".to_owned()), ("ACME_API_URL", provider.url())]
}
