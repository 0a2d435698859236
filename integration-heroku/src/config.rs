//! The configuration of the integration.

use integration_sdk::Config;
use integration_sdk::secrecy::SecretString;
use integration_sdk::url::Url;

/// The credentials and the address of a Heroku account.
#[derive(Debug, Config)]
pub struct HerokuConfig {
    /// An API key or OAuth token with the scope `read`. The scope `global` adds the members of teams.
    pub api_key: SecretString,
    /// The base address of the Platform API.
    #[config(default = "https://api.heroku.com")]
    pub api_url: Url,
}
