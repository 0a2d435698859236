//! Identity providers with their certificates, and the settings of teams.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    bodies::{dates, text},
    ids::{IdentityProviderId, TeamId, mixed, uuid_of},
    organisation::Organisation,
    resources::Text,
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

    fn reference(&self, owner: &Value) -> Value {
        json!({"id": self.id.to_string(), "name": self.name, "owner": owner})
    }

    fn body(&self, owner: &Value) -> Value {
        let (created, updated) = dates(self.id.uuid());
        let certificates: Vec<Value> = self.certificates.iter().map(ProviderCertificate::body).collect();
        json!({
            "id": self.id.to_string(),
            "name": self.name,
            "certificate": certificates.first().map(|certificate| &certificate["body"]),
            "certificates": certificates,
            "created_at": created,
            "enabled": self.enabled,
            "entity_id": "http://www.okta.com/exk-kestrel",
            "heroku_acs_url": format!("https://sso.heroku.com/saml/{}", self.name),
            "heroku_entity_id": "https://sso.heroku.com/saml",
            "heroku_start_url": "https://sso.heroku.com/saml/init",
            "owner": owner,
            "slo_target_url": null,
            "sso_target_url": self.sso_target_url,
            "updated_at": updated,
        })
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

    fn body(&self) -> Value {
        let id = self.id();
        json!({
            "id": id.to_string(),
            "name": self.name,
            "body": self.pem,
            "created_at": dates(id).0,
            "expires_at": text(self.expires_at),
        })
    }
}

impl Organisation {
    /// The body of an identity provider, found by its id.
    pub(super) fn identity_provider(&self, id: &str) -> Option<Value> {
        let is_it = |provider: &&IdentityProvider| provider.id.to_string() == id;
        let of_accounts = self.accounts().filter_map(|account| {
            let provider = account.identity_provider.as_ref().filter(is_it)?;
            Some(provider.body(&owner("enterprise-account", &account.id.to_string(), &account.name)))
        });
        let of_teams = self.teams().filter_map(|team| {
            let provider = team.identity_provider.as_ref().filter(is_it)?;
            Some(provider.body(&owner("team", &team.id.to_string(), &team.name)))
        });
        of_accounts.chain(of_teams).next()
    }

    /// The reference to the identity provider of a team: its own one, otherwise that of its account.
    pub(super) fn identity_provider_of(&self, team: TeamId) -> Option<Value> {
        let team = self.team(team)?;
        match &team.identity_provider {
            Some(provider) => Some(provider.reference(&owner("team", &team.id.to_string(), &team.name))),
            None => provider_of_account(self.account(team.account?)?),
        }
    }
}

/// The reference to the identity provider of an account.
pub(super) fn provider_of_account(account: &super::resources::Account) -> Option<Value> {
    let provider = account.identity_provider.as_ref()?;
    Some(provider.reference(&owner("enterprise-account", &account.id.to_string(), &account.name)))
}

fn owner(kind: &str, id: &str, name: &str) -> Value {
    json!({"id": id, "name": name, "type": kind})
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

/// The features that exist for teams, with their descriptions.
const FEATURES: [(&str, &str); 2] =
    [("team-audit-trail", "Keeps the events of the team."), ("team-shared-sessions", "Keeps people signed in.")];

impl TeamSettings {
    pub(super) fn preferences(&self) -> Value {
        json!({"default-permission": self.default_permission, "addons-controls": self.addons_controls})
    }

    pub(super) fn features(&self) -> Vec<Value> {
        let feature = |(name, description): (&str, &str)| {
            let id = uuid_of("team-feature", name);
            let (created, updated) = dates(id);
            json!({
                "id": id.to_string(),
                "name": name,
                "created_at": created,
                "description": description,
                "display_name": name,
                "doc_url": null,
                "enabled": self.features.iter().any(|enabled| enabled == name),
                "feedback_email": null,
                "state": "general",
                "updated_at": updated,
            })
        };
        FEATURES.into_iter().map(feature).collect()
    }
}
