//! What the API answers, as far as the graph needs it. Everything that may be null or absent is an `Option`.

use integration_sdk::Timestamp;
use integration_sdk::serde::Deserialize;

/// A thing with an id of its own.
pub trait Resource {
    /// The id.
    fn id(&self) -> &str;
}

macro_rules! resources {
    ($($(#[$doc:meta])* $name:ident { $($field:ident : $ty:ty),* $(,)? })*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Deserialize)]
        #[serde(crate = "integration_sdk::serde")]
        #[allow(missing_docs)]
        pub struct $name {
            pub id: String,
            $(pub $field: $ty,)*
        }
        impl Resource for $name {
            fn id(&self) -> &str {
                &self.id
            }
        }
    )*};
}

resources! {
    /// `/enterprise-accounts`.
    EnterpriseAccount {
        name: String,
        permissions: Option<Vec<String>>,
        trial: Option<bool>,
        identity_provider: Option<Named>,
        created_at: Option<Timestamp>,
        updated_at: Option<Timestamp>,
    }
    /// `/enterprise-accounts/{id}/members`: a membership; the person is in `user`.
    EnterpriseMember {
        user: Option<Person>,
        permissions: Option<Vec<Permission>>,
        two_factor_authentication: Option<bool>,
        identity_provider: Option<Named>,
    }
    /// A person of an enterprise account, who is an entity and therefore needs a name: the e-mail address.
    Person { email: String, name: Option<String> }
    /// A person as a team mentions them.
    User { email: Option<String>, name: Option<String> }
    /// `/enterprise-accounts/{id}/teams` and `/teams`.
    Team {
        name: String,
        r#type: Option<String>,
        role: Option<String>,
        default: Option<bool>,
        membership_limit: Option<f64>,
        identity_provider: Option<Named>,
        created_at: Option<Timestamp>,
        updated_at: Option<Timestamp>,
    }
    /// `/teams/{id}/members`: a membership; the person is in `user`, unless they have gone.
    TeamMember { role: Option<String>, federated: Option<bool>, email: Option<String>, user: Option<User> }
    /// `/teams/{id}/apps`.
    App {
        name: String,
        owner: Option<Owner>,
        region: Option<Named>,
        stack: Option<Named>,
        build_stack: Option<Named>,
        space: Option<Named>,
        git_url: Option<String>,
        web_url: Option<String>,
        maintenance: Option<bool>,
        locked: Option<bool>,
        internal_routing: Option<bool>,
        repo_size: Option<i64>,
        slug_size: Option<i64>,
        archived_at: Option<Timestamp>,
        released_at: Option<Timestamp>,
        created_at: Option<Timestamp>,
        updated_at: Option<Timestamp>,
    }
    /// `/teams/{id}/addons`.
    Addon {
        name: String,
        addon_service: Option<Named>,
        plan: Option<Named>,
        app: Option<Mention>,
        billing_entity: Option<Named>,
        billed_price: Option<Price>,
        config_vars: Option<Vec<String>>,
        state: Option<String>,
        provider_id: Option<String>,
        web_url: Option<String>,
        created_at: Option<Timestamp>,
        updated_at: Option<Timestamp>,
    }
}

/// A thing that is mentioned by its id.
#[derive(Debug, Clone, Deserialize)]
#[serde(crate = "integration_sdk::serde")]
pub struct Mention {
    /// The id.
    pub id: Option<String>,
}

/// A thing that is mentioned by its name.
#[derive(Debug, Clone, Deserialize)]
#[serde(crate = "integration_sdk::serde")]
pub struct Named {
    /// The name.
    pub name: Option<String>,
}

/// The owner of an app: a person, or a team's own account.
#[derive(Debug, Clone, Deserialize)]
#[serde(crate = "integration_sdk::serde")]
pub struct Owner {
    /// The e-mail address.
    pub email: Option<String>,
}

/// A permission in an enterprise account.
#[derive(Debug, Clone, Deserialize)]
#[serde(crate = "integration_sdk::serde")]
pub struct Permission {
    /// `view`, `create`, `manage` or `billing`.
    pub name: Option<String>,
}

/// What an add-on costs.
#[derive(Debug, Clone, Deserialize)]
#[serde(crate = "integration_sdk::serde")]
pub struct Price {
    /// US cents.
    pub cents: Option<i64>,
    /// By what time, such as `month`.
    pub unit: Option<String>,
    /// Covered by a contract.
    pub contract: Option<bool>,
}

/// The name of a thing that may not be there.
pub fn name_of(thing: Option<Named>) -> Option<String> {
    thing.and_then(|thing| thing.name)
}
