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
    /// The teams of the applications whose details are collected: names or ids, separated by commas. By default all.
    pub details_teams: Option<String>,
    /// The names of the applications whose details are collected, separated by commas; `*` stands for any text.
    pub details_applications: Option<String>,
}
