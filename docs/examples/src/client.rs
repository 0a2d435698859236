//! Stands for the plugin's own `client`, which has no door yet to a list that it does not know.

use integration_heroku::client;
use integration_heroku::config::HerokuConfig;
use integration_sdk::http::{Access, Endpoint, Http, Provider, ProviderError};

/// The plugin's client, with a door to its connections.
pub struct Heroku(Http);

impl Heroku {
    /// What asks for everything that has no function here.
    pub fn http(&self) -> &Http {
        &self.0
    }
}

impl Provider for Heroku {
    type Config = HerokuConfig;

    fn endpoint(config: &HerokuConfig) -> Endpoint {
        client::Heroku::endpoint(config)
    }

    fn new(http: Http) -> Self {
        Self(http)
    }

    async fn verify(&self) -> Result<Access, ProviderError> {
        client::Heroku::new(self.0.clone()).verify().await
    }
}
