//! The types `heroku_identity_provider` and `heroku_identity_provider_certificate`.

use integration_sdk::{EntityKind, Timestamp};

use super::address::without_query;
use super::fingerprint::fingerprint;
use crate::resource;

/// An identity provider, through which the people of an account or a team sign in.
#[derive(Debug, Clone, EntityKind)]
#[entity(type = "heroku_identity_provider", class = "Service", resource = "Identity Provider")]
pub struct IdentityProvider {
    /// The id that Heroku assigned.
    #[entity(key)]
    pub id: String,
    /// The name of the identity provider; the id if the API returns none.
    pub name: String,
    /// The category of the service; always `security`.
    pub category: Vec<String>,
    /// The function of the service; always `identity`.
    pub function: Vec<String>,
    /// The identifier of the identity provider in SAML, without a query.
    pub entity_id: Option<String>,
    /// The address at which people sign in, without user information and query.
    pub sso_url: Option<String>,
    /// The host of the address at which people sign in.
    pub sso_host: Option<String>,
    /// Whether the identity provider may be used.
    pub enabled: Option<bool>,
    /// The id of the enterprise account or the team that the identity provider belongs to.
    pub owner_id: Option<String>,
    /// The kind of owner: `enterprise-account` or `team`.
    pub owner_type: Option<String>,
    /// The times at which its certificates expire.
    pub certificates_expire_on: Vec<Timestamp>,
    /// The SHA-256 fingerprints of its certificates.
    pub certificate_fingerprints: Vec<String>,
    /// The time of its creation.
    pub created_on: Option<Timestamp>,
    /// The time of its last update.
    pub updated_on: Option<Timestamp>,
}

impl IdentityProvider {
    /// Creates an identity provider with the certificates that belong to it.
    pub fn new(provider: resource::IdentityProvider, certificates: &[ProviderCertificate]) -> Self {
        let sso = provider.sso_target_url.as_deref().and_then(without_query);
        let (owner_id, owner_type) = provider.owner.map(|owner| (owner.id, owner.r#type)).unwrap_or_default();
        Self {
            name: provider.name.unwrap_or_else(|| provider.id.clone()),
            category: vec!["security".to_owned()],
            function: vec!["identity".to_owned()],
            entity_id: provider.entity_id.map(|id| without_query(&id).map(String::from).unwrap_or(id)),
            sso_host: sso.as_ref().and_then(|url| url.host_str().map(str::to_owned)),
            sso_url: sso.map(String::from),
            enabled: provider.enabled,
            owner_id,
            owner_type,
            certificates_expire_on: certificates.iter().filter_map(|certificate| certificate.expires_on).collect(),
            certificate_fingerprints: certificates.iter().filter_map(|it| it.fingerprint.clone()).collect(),
            created_on: provider.created_at,
            updated_on: provider.updated_at,
            id: provider.id,
        }
    }
}

/// A certificate with which an identity provider signs. Its body is not collected.
#[derive(Debug, Clone, EntityKind)]
#[entity(
    type = "heroku_identity_provider_certificate",
    class = "Certificate",
    resource = "Identity Provider Certificate"
)]
pub struct ProviderCertificate {
    /// The id that Heroku assigned.
    #[entity(key)]
    pub id: String,
    /// The label of the certificate; the name of the identity provider if it has none.
    pub name: String,
    /// The SHA-256 fingerprint in hexadecimal digits; absent if the body is missing or cannot be decoded.
    pub fingerprint: Option<String>,
    /// The id of the identity provider.
    pub identity_provider_id: String,
    /// The time at which it was added.
    pub created_on: Option<Timestamp>,
    /// The time at which it expires.
    pub expires_on: Option<Timestamp>,
}

impl ProviderCertificate {
    /// Creates a certificate of an identity provider.
    pub fn new(certificate: &resource::ProviderCertificate, provider: &resource::IdentityProvider) -> Self {
        let name = certificate.name.as_ref().or(provider.name.as_ref()).unwrap_or(&certificate.id);
        Self {
            id: certificate.id.clone(),
            name: name.clone(),
            fingerprint: certificate.body.as_deref().and_then(fingerprint),
            identity_provider_id: provider.id.clone(),
            created_on: certificate.created_at,
            expires_on: certificate.expires_at,
        }
    }
}
