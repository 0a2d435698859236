//! Identity providers with their certificates, and the settings of teams.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use uuid::Uuid;

use super::{
    ids::{IdentityProviderId, mixed, uuid_of},
    text::Text,
};

/// The far end of the validity of generated certificates: the year 2099.
const FAR: Timestamp = Timestamp::constant(4_086_547_200, 0);

/// An identity provider of an account or a team.
#[derive(Debug, Clone, PartialEq)]
pub struct IdentityProvider {
    /// The id of the identity provider.
    pub id: IdentityProviderId,
    /// The name of the identity provider.
    pub name: String,
    /// Whether it may be used.
    pub enabled: bool,
    /// The address at which people sign in. Its query may identify the customer.
    pub sso_target_url: String,
    /// The certificates with which it signs.
    pub certificates: Vec<ProviderCertificate>,
}

impl IdentityProvider {
    /// Creates an identity provider with one certificate, which expires in 2099.
    pub fn new(name: impl Into<String>, owner: &str) -> Self {
        let name = name.into();
        let id = IdentityProviderId::derived(&format!("{owner}/{name}"));
        let certificate = ProviderCertificate::new(format!("{owner} signing"), FAR);
        let sso_target_url = format!("https://sso.{owner}.example.com/saml/login?idpid={id}");
        Self { id, name, enabled: true, sso_target_url, certificates: vec![certificate] }
    }
}

/// A certificate of an identity provider.
#[derive(Debug, Clone, PartialEq)]
pub struct ProviderCertificate {
    /// The label of the certificate.
    pub name: Text,
    /// The time at which it expires.
    pub expires_at: Timestamp,
    /// The certificate as PEM.
    pub pem: String,
}

impl ProviderCertificate {
    /// Creates a certificate. Its content is derived from the name and signs nothing.
    pub fn new(name: impl Into<Text>, expires_at: Timestamp) -> Self {
        let name = name.into();
        let content: Vec<u8> = (0..32).flat_map(|seed| mixed(&name, seed).to_be_bytes()).collect();
        let der = [&[0x30, 0x82, 0x01, 0x00][..], &content].concat();
        let lines: Vec<String> =
            STANDARD.encode(der).as_bytes().chunks(64).map(|line| String::from_utf8_lossy(line).into_owned()).collect();
        let pem = format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", lines.join("\n"));
        Self { name, expires_at, pem }
    }

    /// The id of the certificate.
    pub fn id(&self) -> Uuid {
        uuid_of("identity-provider-certificate", &self.name)
    }
}

/// The settings of a team.
#[derive(Debug, Clone, PartialEq)]
pub struct TeamSettings {
    /// The permission that new members get: `admin`, `member`, or `viewer`.
    pub default_permission: Option<Text>,
    /// Whether members may install only allowed add-on services.
    pub addons_controls: Option<bool>,
    /// The features that are enabled for the team.
    pub features: Vec<Text>,
}

impl Default for TeamSettings {
    fn default() -> Self {
        Self { default_permission: Some("viewer".into()), addons_controls: Some(true), features: Vec::new() }
    }
}
