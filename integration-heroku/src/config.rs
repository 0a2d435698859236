//! What the plugin must be told.

use integration_sdk::Config;
use integration_sdk::secrecy::SecretString;
use integration_sdk::url::Url;

/// The credentials of a Heroku account.
#[derive(Debug, Config)]
pub struct HerokuConfig {
    /// An API key or OAuth token with the scope `read`; with `global` the members of teams are collected too.
    pub api_key: SecretString,
    /// Where the Platform API is.
    #[config(default = "https://api.heroku.com")]
    pub api_url: Url,
}
