//! A client of Heroku's Platform API with one function per list that the steps read.
//!
//! The paths, scopes, and sort orders follow <https://devcenter.heroku.com/articles/platform-api-reference>.

use std::collections::BTreeSet;

use integration_sdk::http::{
    Endpoint, Http, Item, Listing, Provider, ProviderError, ProviderErrorKind, RangePagination, RateBudget,
    VerifiedAccount,
};
use integration_sdk::prelude::TryStreamExt;
use integration_sdk::serde::de::DeserializeOwned;
use serde_json::Value;

use crate::config::HerokuConfig;
use crate::resource::{self, Resource};

/// The largest page size that the API accepts.
const PAGE: u32 = 1_000;

/// The Platform API, version 3.
pub struct Heroku(Http);

impl Provider for Heroku {
    type Config = HerokuConfig;

    fn endpoint(config: &HerokuConfig) -> Endpoint {
        Endpoint::new(config.api_url.clone())
            .bearer(&config.api_key)
            .header("Accept", "application/vnd.heroku+json; version=3")
            .user_agent(concat!("integration-heroku/", env!("CARGO_PKG_VERSION")))
            .request_id_header("Request-Id")
            .accepted_scopes_header("Oauth-Scope-Accepted")
            .granted_scopes_header("Oauth-Scope")
            .rate_remaining_header("RateLimit-Remaining")
            .rate_budget(RateBudget { capacity: 4_500, refill_per_minute: 75.0 })
    }

    fn new(http: Http) -> Self {
        Self(http)
    }

    /// Reads the account of the key's owner and rejects the key only on a 401.
    ///
    /// `/account` requires the scope `global` or `identity`, and it fails for an owner whose account is suspended or
    /// past due. A key can still list everything else in these cases, so any other failure leaves only the owner
    /// unknown. Without a connection, no other request can succeed either.
    async fn verify(&self) -> Result<VerifiedAccount, ProviderError> {
        let account: Result<Value, ProviderError> = self.0.get("/account", &[]).json().await;
        match account {
            Ok(account) => Ok(owner_of(&account)),
            Err(error) if error.kind == ProviderErrorKind::Authentication || error.is_unreachable() => Err(error),
            Err(error) => Ok(VerifiedAccount::of_unknown(error)),
        }
    }

    async fn probe_scopes(&self) -> Result<Option<BTreeSet<String>>, ProviderError> {
        self.seen_scopes().await
    }
}

impl Heroku {
    /// Returns the scopes of the key, or `None` if no team is available to probe.
    ///
    /// Most responses list the scopes in `Oauth-Scope`. Without that header, the function derives them: `read` if the
    /// key can list enterprise accounts, and `global` if it can also list the members of a team.
    async fn seen_scopes(&self) -> Result<Option<BTreeSet<String>>, ProviderError> {
        let probe = self.0.get("/enterprise-accounts", &[]).probe().await?;
        if let Some(granted) = probe.granted_scopes {
            return Ok(Some(with_implied(granted)));
        }
        let Some(account) = self.enterprise_accounts().try_next().await? else { return Ok(None) };
        let Some(team) = self.enterprise_teams(&account.id).try_next().await? else { return Ok(None) };
        let mut scopes = BTreeSet::from(["read".to_owned()]);
        if self.0.get("/teams/{id}/members", &[&team.id]).probe().await?.is_allowed() {
            scopes.insert("global".to_owned());
        }
        Ok(Some(scopes))
    }

    /// The underlying HTTP client, for requests that have no function here.
    pub fn http(&self) -> &Http {
        &self.0
    }

    /// The enterprise accounts of the key's owner. The list is empty for individual customers.
    pub fn enterprise_accounts(&self) -> Listing<resource::EnterpriseAccount> {
        self.list("/enterprise-accounts", None, "id").with_stand_ins()
    }

    /// The members of an enterprise account.
    pub fn enterprise_members(&self, account: &str) -> Listing<resource::EnterpriseMember> {
        self.list("/enterprise-accounts/{id}/members", Some(account), "id")
    }

    /// The teams of an enterprise account.
    pub fn enterprise_teams(&self, account: &str) -> Listing<resource::Team> {
        self.list("/enterprise-accounts/{id}/teams", Some(account), "id").with_stand_ins()
    }

    /// The teams that the key's owner belongs to, in any account.
    pub fn teams(&self) -> Listing<resource::Team> {
        self.list("/teams", None, "id").with_stand_ins()
    }

    /// The members of a team; requires the scope `global`. The API sorts this list only by `email`.
    pub fn team_members(&self, team: &str) -> Listing<resource::TeamMember> {
        self.list("/teams/{id}/members", Some(team), "email")
    }

    /// The applications and spaces of a team, with the people who have access to them. One list covers all of them.
    pub fn team_permissions(&self, team: &str) -> Listing<resource::PermissionEntity> {
        self.list("/teams/{id}/permissions", Some(team), "id")
    }

    /// The pending invitations of a team.
    pub fn team_invitations(&self, team: &str) -> Listing<resource::TeamInvitation> {
        self.list("/teams/{id}/invitations", Some(team), "id")
    }

    /// The private spaces that the key's owner can see. One list replaces a request per team.
    pub fn spaces(&self) -> Listing<resource::Space> {
        self.list("/spaces", None, "id")
    }

    /// The applications that the key's owner can see, including personal ones.
    pub fn apps(&self) -> Listing<resource::App> {
        self.list("/apps", None, "id")
    }

    /// The add-ons that the key's owner can see, including those of personal applications.
    pub fn addons(&self) -> Listing<resource::Addon> {
        self.list("/addons", None, "id")
    }

    /// The services in Heroku's catalogue, whether add-ons of them are in use or not.
    pub fn addon_services(&self) -> Listing<resource::AddonService> {
        self.list("/addon-services", None, "id")
    }

    /// The attachments of add-ons to all applications that the key's owner can see.
    pub fn addon_attachments(&self) -> Listing<resource::AddonAttachment> {
        self.list("/addon-attachments", None, "id")
    }

    /// The pipelines that the key's owner can see.
    pub fn pipelines(&self) -> Listing<resource::Pipeline> {
        self.list("/pipelines", None, "id")
    }

    /// The applications in the stages of all pipelines that the key's owner can see.
    pub fn pipeline_couplings(&self) -> Listing<resource::PipelineCoupling> {
        self.list("/pipeline-couplings", None, "id")
    }

    /// Reads an identity provider with its certificates. The API has no list of identity providers.
    ///
    /// # Errors
    /// [`ProviderError`] if no successful response arrives, or if its body does not fit.
    pub async fn identity_provider(&self, id: &str) -> Result<Item<resource::IdentityProvider>, ProviderError> {
        self.0.get("/identity-providers/{id}", &[&id]).item().await
    }

    /// Reads the preferences of a team.
    ///
    /// # Errors
    /// As [`identity_provider`](Self::identity_provider).
    pub async fn team_preferences(&self, team: &str) -> Result<resource::TeamPreferences, ProviderError> {
        self.0.get("/teams/{id}/preferences", &[&team]).json().await
    }

    /// The features of a team, enabled or not.
    pub fn team_features(&self, team: &str) -> Listing<resource::TeamFeature> {
        self.list("/teams/{id}/features", Some(team), "id")
    }

    /// Reads the rules for connections to a space from outside.
    ///
    /// # Errors
    /// As [`identity_provider`](Self::identity_provider).
    pub async fn inbound_ruleset(&self, space: &str) -> Result<resource::InboundRuleset, ProviderError> {
        self.0.get("/spaces/{id}/inbound-ruleset", &[&space]).json().await
    }

    /// Reads the addresses from which connections leave a space.
    ///
    /// # Errors
    /// As [`identity_provider`](Self::identity_provider).
    pub async fn outbound_addresses(&self, space: &str) -> Result<resource::OutboundAddresses, ProviderError> {
        self.0.get("/spaces/{id}/nat", &[&space]).json().await
    }

    /// The peerings of a space with other networks. They have no id by which the API could sort them.
    pub fn peerings(&self, space: &str) -> Listing<resource::Peering> {
        self.list_whole("/spaces/{id}/peerings", space)
    }

    /// The VPN connections of a space.
    pub fn vpn_connections(&self, space: &str) -> Listing<resource::VpnConnection> {
        self.list_whole("/spaces/{id}/vpn-connections", space)
    }

    /// The applications of a team.
    pub fn team_apps(&self, team: &str) -> Listing<resource::App> {
        self.list("/teams/{id}/apps", Some(team), "id")
    }

    /// The add-ons of all applications of a team. One list replaces hundreds of requests, one per application.
    pub fn team_addons(&self, team: &str) -> Listing<resource::Addon> {
        self.list("/teams/{id}/addons", Some(team), "id")
    }

    /// Lists a short path that has one page and no order.
    fn list_whole<T: Resource + DeserializeOwned>(&self, path: &str, id: &str) -> Listing<T> {
        self.0.get(path, &[&id]).list().unique_by(|thing: &T| thing.id().to_owned())
    }

    /// Lists a path. Every element is returned once, even if the list changes between two pages.
    fn list<T: Resource + DeserializeOwned>(&self, path: &str, id: Option<&str>, order_by: &'static str) -> Listing<T> {
        let request = match id {
            Some(id) => self.0.get(path, &[&id]),
            None => self.0.get(path, &[]),
        };
        request.ranges(RangePagination { order_by, max: PAGE }).unique_by(|thing: &T| thing.id().to_owned())
    }
}

/// The scopes that include `read`.
const READERS: [&str; 4] = ["global", "read-protected", "write", "write-protected"];

/// The granted scopes, extended by `read` if one of them includes it.
fn with_implied(mut granted: BTreeSet<String>) -> BTreeSet<String> {
    if READERS.iter().any(|scope| granted.contains(*scope)) {
        granted.insert("read".to_owned());
    }
    granted
}

/// The owner of the key: e-mail address, otherwise name, otherwise id. Machine accounts have no e-mail address.
fn owner_of(account: &Value) -> VerifiedAccount {
    let text = |name: &&str| account.get(name)?.as_str().map(str::trim).filter(|text| !text.is_empty());
    match ["email", "name", "id"].iter().find_map(text) {
        Some(owner) => VerifiedAccount::of(owner),
        None => VerifiedAccount::of_unknown("GET /account names neither an e-mail address nor a name nor an id"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_owner_is_named_by_the_first_text_of_the_account() {
        let owner = |account: Value| owner_of(&account).subject;
        let all = json!({"id": "01", "email": "ada@example.com", "name": "Ada"});
        assert_eq!(owner(all).as_deref(), Some("ada@example.com"));
        assert_eq!(owner(json!({"id": "01", "email": null, "name": "ci-bot"})).as_deref(), Some("ci-bot"));
        assert_eq!(owner(json!({"id": "01", "email": {"address": "x"}, "name": " "})).as_deref(), Some("01"));
        for odd in [json!(null), json!([]), json!({}), json!("me"), json!({"email": 7, "id": false})] {
            let access = owner_of(&odd);
            assert_eq!(access.subject, None, "{odd}");
            assert!(access.subject_unknown.is_some(), "{odd}");
        }
    }

    #[test]
    fn scopes_that_include_reading_count_as_read() {
        let scopes = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<BTreeSet<_>>();
        assert_eq!(with_implied(scopes(&["global"])), scopes(&["global", "read"]));
        assert_eq!(with_implied(scopes(&["identity"])), scopes(&["identity"]));
    }
}
