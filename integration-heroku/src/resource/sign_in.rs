//! Identity providers and the settings of teams.

use std::fmt;

use integration_sdk::Timestamp;
use integration_sdk::serde::de::value::MapAccessDeserializer;
use integration_sdk::serde::de::{MapAccess, Visitor};
use integration_sdk::serde::{Deserialize, Deserializer};

use super::Resource;

objects! { ProviderReference ProviderOwner TeamPreferences }

resources! {
    /// The response of `/identity-providers/{id}`.
    IdentityProvider {
        name: Option<String>,
        entity_id: Option<String>,
        sso_target_url: Option<String>,
        enabled: Option<bool>,
        owner: Option<ProviderOwner>,
        certificates: Option<Vec<ProviderCertificate>>,
        created_at: Option<Timestamp>,
        updated_at: Option<Timestamp>,
    }
    /// A certificate with which an identity provider signs. The graph keeps a fingerprint of the body.
    ProviderCertificate {
        name: Option<String>,
        body: Option<String>,
        created_at: Option<Timestamp>,
        expires_at: Option<Timestamp>,
    }
    /// An element of `/teams/{id}/features`.
    TeamFeature { name: String, enabled: Option<bool> }
}

/// A reference to an identity provider in the body of an account or a team.
#[derive(Debug, Clone, Deserialize)]
#[serde(crate = "integration_sdk::serde", remote = "Self")]
pub struct ProviderReference {
    /// The id of the identity provider.
    pub id: Option<String>,
    /// The name of the identity provider.
    pub name: Option<String>,
}

/// The enterprise account or the team that an identity provider belongs to.
#[derive(Debug, Clone, Deserialize)]
#[serde(crate = "integration_sdk::serde", remote = "Self")]
pub struct ProviderOwner {
    /// The id of the owner.
    pub id: Option<String>,
    /// `enterprise-account` or `team`.
    pub r#type: Option<String>,
}

/// The response of `/teams/{id}/preferences`.
#[derive(Debug, Clone, Deserialize)]
#[serde(crate = "integration_sdk::serde", remote = "Self", rename_all = "kebab-case")]
pub struct TeamPreferences {
    /// The permission that new members get: `admin`, `member`, or `viewer`.
    pub default_permission: Option<String>,
    /// Whether members may install only allowed add-on services.
    pub addons_controls: Option<bool>,
}
