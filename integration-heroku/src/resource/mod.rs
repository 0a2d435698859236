//! The API's response bodies, limited to the fields that the graph needs. Fields that may be null or absent are
//! `Option`s.

use std::fmt;

use integration_sdk::Timestamp;
use integration_sdk::serde::de::value::MapAccessDeserializer;
use integration_sdk::serde::de::{MapAccess, Visitor};
use integration_sdk::serde::{Deserialize, Deserializer};

/// A response element that has an id.
pub trait Resource {
    /// The id of the element.
    fn id(&self) -> &str;
}

macro_rules! resources {
    ($($(#[$doc:meta])* $name:ident { $($field:ident : $ty:ty),* $(,)? })*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Deserialize)]
        #[serde(crate = "integration_sdk::serde", remote = "Self")]
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
        objects! { $name }
    )*};
}

/// Reads types from JSON objects alone: derived code takes the members of an array for fields in their order.
macro_rules! objects {
    ($($name:ident)*) => {$(
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct Object;
                impl<'de> Visitor<'de> for Object {
                    type Value = $name;
                    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                        f.write_str(concat!("struct ", stringify!($name)))
                    }
                    fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<$name, A::Error> {
                        $name::deserialize(MapAccessDeserializer::new(members))
                    }
                }
                deserializer.deserialize_map(Object)
            }
        }
    )*};
}

mod addons;
mod networks;
mod pipelines;
mod sign_in;

pub use addons::{Addon, AddonService, BillingEntity, Price};
pub use networks::{InboundRule, InboundRuleset, OutboundAddresses, Peering, Tunnel, VpnConnection};
pub use pipelines::{AddonAttachment, AttachedAddon, Pipeline, PipelineCoupling, PipelineOwner};
pub use sign_in::{
    IdentityProvider, ProviderCertificate, ProviderOwner, ProviderReference, TeamFeature, TeamPreferences,
};

objects! { Mention Named Owner Permission Place TeamMention }

resources! {
    /// An element of `/enterprise-accounts`. Its id is enough for the lists below it.
    EnterpriseAccount {
        name: Option<String>,
        permissions: Option<Vec<String>>,
        trial: Option<bool>,
        identity_provider: Option<ProviderReference>,
        created_at: Option<Timestamp>,
        updated_at: Option<Timestamp>,
    }
    /// An element of `/enterprise-accounts/{id}/members`: a membership, with the person in `user`.
    EnterpriseMember {
        user: Person,
        permissions: Option<Vec<Permission>>,
        two_factor_authentication: Option<bool>,
        identity_provider: Option<Named>,
    }
    /// A member of an enterprise account. The graph stores this person as an entity, so the e-mail address is required
    /// as its name.
    Person { email: String, name: Option<String> }
    /// A person in a list other than that of an enterprise account. Every field except the id is optional.
    User { email: Option<String>, name: Option<String> }
    /// An element of `/enterprise-accounts/{id}/teams` or `/teams`. Its id is enough for the lists below it.
    Team {
        name: Option<String>,
        r#type: Option<String>,
        role: Option<String>,
        default: Option<bool>,
        // The API's schema allows any number, but the limit counts people. Another number than an integer does not fit.
        membership_limit: Option<i64>,
        identity_provider: Option<ProviderReference>,
        enterprise_account: Option<Mention>,
        created_at: Option<Timestamp>,
        updated_at: Option<Timestamp>,
    }
    /// An element of `/teams/{id}/members`: a membership. `user` is null if the person no longer has an account.
    TeamMember {
        role: Option<String>,
        federated: Option<bool>,
        email: Option<String>,
        two_factor_authentication: Option<bool>,
        user: Option<User>,
    }
    /// An element of `/teams/{id}/permissions`: an application or a space, with the people who have access to it.
    PermissionEntity { name: Option<String>, r#type: Option<String>, users: Option<Vec<Grantee>> }
    /// A person with permissions for an application or a space.
    Grantee { email: Option<String>, permissions: Option<Vec<String>> }
    /// An element of `/teams/{id}/invitations`. Heroku removes an invitation when it is accepted.
    TeamInvitation {
        role: Option<String>,
        invited_by: Option<User>,
        user: Option<User>,
        created_at: Option<Timestamp>,
        updated_at: Option<Timestamp>,
    }
    /// An element of `/spaces`.
    Space {
        name: String,
        team: Option<Mention>,
        region: Option<Named>,
        shield: Option<bool>,
        state: Option<String>,
        cidr: Option<String>,
        data_cidr: Option<String>,
        generation: Option<String>,
        created_at: Option<Timestamp>,
        updated_at: Option<Timestamp>,
    }
    /// An element of `/teams/{id}/apps` or `/apps`.
    App {
        name: String,
        owner: Option<Owner>,
        team: Option<TeamMention>,
        region: Option<Named>,
        stack: Option<Named>,
        build_stack: Option<Named>,
        space: Option<Place>,
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
}

/// A reference by id.
#[derive(Debug, Clone, Deserialize)]
#[serde(crate = "integration_sdk::serde", remote = "Self")]
pub struct Mention {
    /// The id of the referenced object.
    pub id: String,
}

/// A reference by name.
#[derive(Debug, Clone, Deserialize)]
#[serde(crate = "integration_sdk::serde", remote = "Self")]
pub struct Named {
    /// The name of the referenced object.
    pub name: Option<String>,
}

/// A reference to the space of an application, by id and by name.
#[derive(Debug, Clone, Deserialize)]
#[serde(crate = "integration_sdk::serde", remote = "Self")]
pub struct Place {
    /// The id of the space.
    pub id: Option<String>,
    /// The name of the space.
    pub name: Option<String>,
}

/// A reference to the team of an application. Lists of one team may omit the id.
#[derive(Debug, Clone, Deserialize)]
#[serde(crate = "integration_sdk::serde", remote = "Self")]
pub struct TeamMention {
    /// The id of the team.
    pub id: Option<String>,
}

/// The owner of an application: a person or the account of a team.
#[derive(Debug, Clone, Deserialize)]
#[serde(crate = "integration_sdk::serde", remote = "Self")]
pub struct Owner {
    /// The id of the owner.
    pub id: Option<String>,
    /// The e-mail address of the owner.
    pub email: Option<String>,
}

/// A permission in an enterprise account.
#[derive(Debug, Clone, Deserialize)]
#[serde(crate = "integration_sdk::serde", remote = "Self")]
pub struct Permission {
    /// `view`, `create`, `manage` or `billing`.
    pub name: Option<String>,
}

/// Returns the name of an optional reference.
pub fn name_of(thing: Option<Named>) -> Option<String> {
    thing.and_then(|thing| thing.name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error_of(addon: &str) -> String {
        integration_sdk::serde_json::from_str::<Addon>(addon).expect_err("it does not fit").to_string()
    }

    #[test]
    fn the_members_of_an_array_are_no_fields() {
        assert!(error_of(r#"["a-1", "redis"]"#).contains("expected struct Addon"));
        assert!(error_of(r#"{"id": "a-1", "name": "redis", "app": ["p-1"]}"#).contains("expected struct Mention"));
        assert!(error_of(r#"{"id": "a-1", "name": "redis", "app": {}}"#).contains("missing field `id`"));
        assert!(error_of(r#"{"id": "a-1", "name": "redis", "plan": ["mini"]}"#).contains("expected struct Named"));
    }
}
