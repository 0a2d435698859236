//! The type `heroku_account`.

use integration_sdk::{EntityKind, Timestamp};

use crate::resource;

/// An enterprise account, which contains teams and people.
#[derive(Debug, Clone, EntityKind)]
#[entity(type = "heroku_account", class = "Account", resource = "Enterprise Account")]
pub struct Account {
    /// The id that Heroku assigned.
    #[entity(key)]
    pub id: String,
    /// The name of the account; absent if the API returns none.
    pub name: Option<String>,
    /// The vendor; always `Heroku`.
    pub vendor: String,
    /// The permissions of the key's owner in the account.
    pub permissions: Vec<String>,
    /// Whether the account is on trial and not yet paid for.
    pub trial: Option<bool>,
    /// The identity provider through which its people sign in.
    pub sso_provider: Option<String>,
    /// The id of this identity provider.
    pub sso_provider_id: Option<String>,
    /// The address of the account in Heroku's dashboard.
    pub web_link: Option<String>,
    /// The time of its creation.
    pub created_on: Option<Timestamp>,
    /// The time of its last update.
    pub updated_on: Option<Timestamp>,
}

impl From<resource::EnterpriseAccount> for Account {
    fn from(account: resource::EnterpriseAccount) -> Self {
        let (sso_provider_id, sso_provider) =
            account.identity_provider.map(|provider| (provider.id, provider.name)).unwrap_or_default();
        Self {
            vendor: "Heroku".to_owned(),
            permissions: account.permissions.unwrap_or_default(),
            trial: account.trial,
            sso_provider,
            sso_provider_id,
            web_link: account
                .name
                .as_ref()
                .map(|name| format!("https://dashboard.heroku.com/enterprise-accounts/{name}")),
            created_on: account.created_at,
            updated_on: account.updated_at,
            id: account.id,
            name: account.name,
        }
    }
}
