//! What the integration must be told.

use integration_sdk::Config;
use integration_sdk::secrecy::SecretString;
use integration_sdk::url::Url;

/// The account at Acme.
#[derive(Debug, Config)]
pub struct AcmeConfig {
    /// A key with the scope `read`.
    pub api_key: SecretString,
    /// Where the API is.
    #[config(default = "https://api.acme.example")]
    pub api_url: Url,
    /// Projects are collected, and who works in them.
    #[config(default = "true")]
    pub projects: bool,
}
