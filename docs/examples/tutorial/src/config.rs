//! The configuration of the integration.

use integration_sdk::Config;
use integration_sdk::secrecy::SecretString;
use integration_sdk::url::Url;

/// The credentials and the address of the account.
#[derive(Debug, Config)]
pub struct ApiConfig {
    /// An API token with read access.
    pub api_token: SecretString,
    /// The base address of the API.
    #[config(default = "https://api.acme.example")]
    pub api_url: Url,
}
