//! Bodies of identity providers with their certificates, and of the settings of teams.

use serde_json::{Value, json};

use super::fields::{dates, text};
use crate::fake::ids::{TeamId, uuid_of};
use crate::fake::organisation::Organisation;
use crate::fake::resources::Account;
use crate::fake::sign_in::{IdentityProvider, ProviderCertificate, TeamSettings};

impl Organisation {
    /// The body of an identity provider, found by its id.
    pub(in crate::fake) fn identity_provider(&self, id: &str) -> Option<Value> {
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
    pub(in crate::fake) fn identity_provider_of(&self, team: TeamId) -> Option<Value> {
        let team = self.team(team)?;
        match &team.identity_provider {
            Some(provider) => Some(provider.reference(&owner("team", &team.id.to_string(), &team.name))),
            None => provider_of_account(self.account(team.account?)?),
        }
    }
}

/// The reference to the identity provider of an account.
pub(in crate::fake) fn provider_of_account(account: &Account) -> Option<Value> {
    let provider = account.identity_provider.as_ref()?;
    Some(provider.reference(&owner("enterprise-account", &account.id.to_string(), &account.name)))
}

fn owner(kind: &str, id: &str, name: &str) -> Value {
    json!({"id": id, "name": name, "type": kind})
}

/// The features that exist for teams, with their descriptions.
const FEATURES: [(&str, &str); 2] =
    [("team-audit-trail", "Keeps the events of the team."), ("team-shared-sessions", "Keeps people signed in.")];

impl TeamSettings {
    pub(in crate::fake) fn preferences(&self) -> Value {
        json!({"default-permission": self.default_permission, "addons-controls": self.addons_controls})
    }

    pub(in crate::fake) fn features(&self) -> Vec<Value> {
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

impl IdentityProvider {
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

impl ProviderCertificate {
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
