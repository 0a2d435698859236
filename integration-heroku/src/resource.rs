//! The API's response bodies, limited to the fields that the graph needs. Fields that may be null or absent are
//! `Option`s.

use integration_sdk::Timestamp;
use integration_sdk::serde::Deserialize;

/// A response element that has an id.
pub trait Resource {
    /// The id of the element.
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
    /// An element of `/enterprise-accounts`.
    EnterpriseAccount {
        name: String,
        permissions: Option<Vec<String>>,
        trial: Option<bool>,
        identity_provider: Option<Named>,
        created_at: Option<Timestamp>,
        updated_at: Option<Timestamp>,
    }
    /// An element of `/enterprise-accounts/{id}/members`: a membership, with the person in `user`.
    EnterpriseMember {
        user: Option<Person>,
        permissions: Option<Vec<Permission>>,
        two_factor_authentication: Option<bool>,
        identity_provider: Option<Named>,
    }
    /// A member of an enterprise account. The graph stores this person as an entity, so the e-mail address is required
    /// as its name.
    Person { email: String, name: Option<String> }
    /// A member of a team. The graph only refers to this person, so every field except the id is optional.
    User { email: Option<String>, name: Option<String> }
    /// An element of `/enterprise-accounts/{id}/teams` or `/teams`.
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
    /// An element of `/teams/{id}/members`: a membership. `user` is null if the person no longer has an account.
    TeamMember { role: Option<String>, federated: Option<bool>, email: Option<String>, user: Option<User> }
    /// An element of `/teams/{id}/apps`.
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
    /// An element of `/teams/{id}/addons`.
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

/// A reference by id.
#[derive(Debug, Clone, Deserialize)]
#[serde(crate = "integration_sdk::serde")]
pub struct Mention {
    /// The id of the referenced object.
    pub id: Option<String>,
}

/// A reference by name.
#[derive(Debug, Clone, Deserialize)]
#[serde(crate = "integration_sdk::serde")]
pub struct Named {
    /// The name of the referenced object.
    pub name: Option<String>,
}

/// The owner of an application: a person or the account of a team.
#[derive(Debug, Clone, Deserialize)]
#[serde(crate = "integration_sdk::serde")]
pub struct Owner {
    /// The e-mail address of the owner.
    pub email: Option<String>,
}

/// A permission in an enterprise account.
#[derive(Debug, Clone, Deserialize)]
#[serde(crate = "integration_sdk::serde")]
pub struct Permission {
    /// `view`, `create`, `manage` or `billing`.
    pub name: Option<String>,
}

/// The price of an add-on.
#[derive(Debug, Clone, Deserialize)]
#[serde(crate = "integration_sdk::serde")]
pub struct Price {
    /// The amount in US cents.
    pub cents: Option<i64>,
    /// The billing period, such as `month`.
    pub unit: Option<String>,
    /// Whether a contract covers the price.
    pub contract: Option<bool>,
}

/// Returns the name of an optional reference.
pub fn name_of(thing: Option<Named>) -> Option<String> {
    thing.and_then(|thing| thing.name)
}
