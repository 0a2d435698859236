//! What the integration must be told.

use integration_sdk::Config;
use integration_sdk::secrecy::SecretString;
use integration_sdk::url::Url;

/// The account, and how to get into it.
#[derive(Debug, Config)]
pub struct ApiConfig {
    /// A token that may read.
    pub api_token: SecretString,
    /// Where the API is.
    #[config(default = "https://api.acme.example")]
    pub api_url: Url,
}
