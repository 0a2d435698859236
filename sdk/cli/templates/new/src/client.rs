//! The client of {{title}}'s API.

use integration_sdk::http::{Endpoint, Http, Listing, Provider, ProviderError, VerifiedAccount};
use integration_sdk::serde::Deserialize;

use crate::config::ApiConfig;

/// The API client, with one function per list.
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

    /// Checks the token and returns its owner.
    async fn verify(&self) -> Result<VerifiedAccount, ProviderError> {
        let owner: UserBody = self.0.get("/me", &[]).json().await?;
        Ok(VerifiedAccount::of(owner.email))
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
