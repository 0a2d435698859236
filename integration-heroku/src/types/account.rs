//! Enterprise accounts.

use integration_sdk::{EntityKind, Timestamp};

use crate::resource::{self, name_of};

/// An enterprise account, to which teams and people belong.
#[derive(Debug, Clone, EntityKind)]
#[entity(type = "heroku_account", class = "Account", resource = "Enterprise Account")]
pub struct Account {
    /// Heroku's id.
    #[entity(key)]
    pub id: String,
    /// The name.
    pub name: String,
    /// Always Heroku.
    pub vendor: String,
    /// What the key's owner may do in it.
    pub permissions: Vec<String>,
    /// It is not paid for yet.
    pub trial: Option<bool>,
    /// The identity provider that people sign in with.
    pub sso_provider: Option<String>,
    /// Its page in Heroku's dashboard.
    pub web_link: String,
    /// When it was made.
    pub created_on: Option<Timestamp>,
    /// When it was last changed.
    pub updated_on: Option<Timestamp>,
}

impl From<resource::EnterpriseAccount> for Account {
    fn from(account: resource::EnterpriseAccount) -> Self {
        Self {
            vendor: "Heroku".to_owned(),
            permissions: account.permissions.unwrap_or_default(),
            trial: account.trial,
            sso_provider: name_of(account.identity_provider),
            web_link: format!("https://dashboard.heroku.com/enterprise-accounts/{}", account.name),
            created_on: account.created_at,
            updated_on: account.updated_at,
            id: account.id,
            name: account.name,
        }
    }
}
