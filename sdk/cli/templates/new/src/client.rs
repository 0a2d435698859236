//! What is asked of {{title}}.

use integration_sdk::http::{Access, Endpoint, Http, Listing, Provider, ProviderError};
use integration_sdk::serde::Deserialize;

use crate::config::ApiConfig;

/// The API: a function for each request.
pub struct Api(Http);

impl Provider for Api {
    type Config = ApiConfig;

    fn endpoint(config: &ApiConfig) -> Endpoint {
        let agent = concat!(env!("CARGO_PKG_NAME"), "/", env!("CARGO_PKG_VERSION"));
        Endpoint::new(config.api_url.clone())
            .bearer(&config.api_token)
            .user_agent(agent)
    }

    fn new(http: Http) -> Self {
        Self(http)
    }

    /// Who the token belongs to: asked before the first step, and by `validate config`.
    async fn verify(&self) -> Result<Access, ProviderError> {
        let owner: UserBody = self.0.get("/me", &[]).json().await?;
        Ok(Access::of(owner.email))
    }
}

impl Api {
    /// The people of the account.
    pub fn users(&self) -> Listing<UserBody> {
        self.0.get("/users", &[]).list()
    }
}

/// An element of `/users`.
#[derive(Debug, Clone, Deserialize)]
#[serde(crate = "integration_sdk::serde")]
pub struct UserBody {
    pub id: String,
    pub name: String,
    pub email: String,
}
