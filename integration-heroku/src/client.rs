//! Heroku's Platform API: which requests bring what.
//!
//! Facts: <https://devcenter.heroku.com/articles/platform-api-reference>.

use std::collections::BTreeSet;

use integration_sdk::http::{
    Access, Endpoint, Http, Listing, Provider, ProviderError, ProviderErrorKind, Ranges, RateBudget,
};
use integration_sdk::prelude::TryStreamExt;
use integration_sdk::serde::de::DeserializeOwned;

use crate::config::HerokuConfig;
use crate::resource::{self, Resource};

/// The largest page that the API gives.
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
            .rate_remaining_header("RateLimit-Remaining")
            .rate_budget(RateBudget { capacity: 4_500, refill_per_minute: 75.0 })
    }

    fn new(http: Http) -> Self {
        Self(http)
    }

    /// Who the key belongs to. The API does not tell which scopes a key holds.
    async fn verify(&self) -> Result<Access, ProviderError> {
        let account: Result<resource::Account, ProviderError> = self.0.get("/account", &[]).json().await;
        match account {
            Ok(account) => Ok(Access { subject: account.email, scopes: None }),
            Err(mut error) => {
                // A key that may not even ask who it is opens nothing else.
                if error.kind == ProviderErrorKind::Authorization {
                    error.kind = ProviderErrorKind::Authentication;
                }
                Err(error)
            }
        }
    }

    async fn probe_scopes(&self) -> Result<Option<BTreeSet<String>>, ProviderError> {
        self.seen_scopes().await
    }
}

impl Heroku {
    /// The scopes that the key is seen to hold: `read` where it may list enterprise accounts, `global` where it may list
    /// the members of a team. `None` where there is no team to try.
    async fn seen_scopes(&self) -> Result<Option<BTreeSet<String>>, ProviderError> {
        let Some(account) = self.enterprise_accounts().try_next().await? else { return Ok(None) };
        let Some(team) = self.enterprise_teams(&account.id).try_next().await? else { return Ok(None) };
        let mut scopes = BTreeSet::from(["read".to_owned()]);
        if self.0.get("/teams/{id}/members", &[&team.id]).probe().await?.is_allowed() {
            scopes.insert("global".to_owned());
        }
        Ok(Some(scopes))
    }

    /// What asks for everything that has no function here.
    pub fn http(&self) -> &Http {
        &self.0
    }

    /// The enterprise accounts that the key's owner belongs to; none for people without one.
    pub fn enterprise_accounts(&self) -> Listing<resource::EnterpriseAccount> {
        self.list("/enterprise-accounts", None, "id")
    }

    /// The members of an enterprise account.
    pub fn enterprise_members(&self, account: &str) -> Listing<resource::EnterpriseMember> {
        self.list("/enterprise-accounts/{id}/members", Some(account), "id")
    }

    /// The teams of an enterprise account.
    pub fn enterprise_teams(&self, account: &str) -> Listing<resource::Team> {
        self.list("/enterprise-accounts/{id}/teams", Some(account), "id")
    }

    /// The teams that the key's owner belongs to, of whatever account.
    pub fn teams(&self) -> Listing<resource::Team> {
        self.list("/teams", None, "id")
    }

    /// The members of a team; needs the scope `global`. The list may be put in order by `email` only.
    pub fn team_members(&self, team: &str) -> Listing<resource::TeamMember> {
        self.list("/teams/{id}/members", Some(team), "email")
    }

    /// The apps of a team.
    pub fn team_apps(&self, team: &str) -> Listing<resource::App> {
        self.list("/teams/{id}/apps", Some(team), "id")
    }

    /// The add-ons of all apps of a team: one request where asking app by app takes hundreds.
    pub fn team_addons(&self, team: &str) -> Listing<resource::Addon> {
        self.list("/teams/{id}/addons", Some(team), "id")
    }

    /// A list, each thing once, even where the list changed between two of its pages.
    fn list<T: Resource + DeserializeOwned>(&self, path: &str, id: Option<&str>, order_by: &'static str) -> Listing<T> {
        let request = match id {
            Some(id) => self.0.get(path, &[&id]),
            None => self.0.get(path, &[]),
        };
        request.ranges(Ranges { order_by, max: PAGE }).unique_by(|thing: &T| thing.id().to_owned())
    }
}
