//! The client of Acme's API.

use std::collections::BTreeSet;

use integration_sdk::Timestamp;
use integration_sdk::http::{
    CursorPagination, Endpoint, Http, Listing, Provider, ProviderError, RateBudget, VerifiedAccount,
};
use integration_sdk::serde::Deserialize;

use super::AcmeConfig;

/// `{"items": [...], "next": "..."}`; the last page has no `next`.
const BY_CURSOR: CursorPagination = CursorPagination { parameter: "cursor", elements: "/items", next: "/next" };

/// A client of version 1 of the API.
pub struct Acme(Http);

impl Provider for Acme {
    type Config = AcmeConfig;

    fn endpoint(config: &AcmeConfig) -> Endpoint {
        Endpoint::new(config.api_url.clone())
            .secret_header("X-Acme-Key", &config.api_key)
            .user_agent(concat!("integration-acme/", env!("CARGO_PKG_VERSION")))
            .request_id_header("Request-Id")
            .rate_remaining_header("RateLimit-Remaining")
            .rate_budget(RateBudget { capacity: 1_200, refill_per_minute: 120.0 })
    }

    fn new(http: Http) -> Self {
        Self(http)
    }

    async fn verify(&self) -> Result<VerifiedAccount, ProviderError> {
        let owner: Owner = self.0.get("/whoami", &[]).json().await?;
        Ok(VerifiedAccount::of(owner.email).with_scopes(owner.scopes))
    }
}

impl Acme {
    /// The people of the account.
    pub fn users(&self) -> Listing<UserBody> {
        self.0.get("/users", &[]).pages(BY_CURSOR)
    }

    /// The projects of the account.
    pub fn projects(&self) -> Listing<ProjectBody> {
        self.0.get("/projects", &[]).pages(BY_CURSOR)
    }

    /// The members of a project.
    pub fn members(&self, project: &str) -> Listing<MemberBody> {
        self.0.get("/projects/{id}/members", &[&project]).pages(BY_CURSOR)
    }

    /// The ids of the people who sign in with a second factor.
    pub async fn second_factors(&self) -> Result<Vec<String>, ProviderError> {
        self.0.get("/second-factors", &[]).json().await
    }

    /// The subscription of the account.
    pub async fn subscription(&self) -> Result<Subscription, ProviderError> {
        self.0.get("/subscription", &[]).json().await
    }

    /// The records of a kind that the account's owner has defined.
    pub fn records(&self, kind: &str) -> Listing<ProjectBody> {
        self.0.get("/records/{kind}", &[&kind]).pages(BY_CURSOR)
    }

    /// The events of the last days, newest first.
    pub fn events(&self, days: u32) -> Listing<EventBody> {
        self.0.get("/events", &[]).query("days", days).pages(BY_CURSOR)
    }
}

#[derive(Deserialize)]
#[serde(crate = "integration_sdk::serde")]
struct Owner {
    email: String,
    scopes: BTreeSet<String>,
}

/// An element of `/users`.
#[derive(Debug, Clone, Deserialize)]
#[serde(crate = "integration_sdk::serde")]
pub struct UserBody {
    pub id: String,
    pub name: String,
    pub email: String,
    pub last_login_at: Option<Timestamp>,
}

/// An element of `/projects`.
#[derive(Debug, Clone, Deserialize)]
#[serde(crate = "integration_sdk::serde")]
pub struct ProjectBody {
    pub id: String,
    pub name: String,
    #[serde(default)]
    pub labels: std::collections::BTreeMap<String, String>,
}

/// An element of `/projects/{id}/members`.
#[derive(Debug, Clone, Deserialize)]
#[serde(crate = "integration_sdk::serde")]
pub struct MemberBody {
    pub user_id: String,
    pub role: String,
}

/// An element of `/events`.
#[derive(Debug, Clone, Deserialize)]
#[serde(crate = "integration_sdk::serde")]
pub struct EventBody {
    pub id: String,
    pub action: String,
    pub user_id: String,
    pub happened_at: Timestamp,
}

/// The body of `/subscription`.
#[derive(Debug, Clone, Deserialize)]
#[serde(crate = "integration_sdk::serde")]
pub struct Subscription {
    pub audited_days: u32,
}
