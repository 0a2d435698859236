//! The configuration of the integration.

use integration_sdk::Config;
use integration_sdk::secrecy::SecretString;
use integration_sdk::url::Url;

/// The credentials and the address of an account at Acme.
#[derive(Debug, Config)]
pub struct AcmeConfig {
    /// An API key with the scope `read`.
    pub api_key: SecretString,
    /// The base address of the API.
    #[config(default = "https://api.acme.example")]
    pub api_url: Url,
    /// Whether to collect projects and their members.
    #[config(default = "true")]
    pub projects: bool,
}
