//! The client of Acme's API.

use std::collections::BTreeSet;

use integration_sdk::http::{
    CursorPagination, Endpoint, Http, Listing, Provider, ProviderError, VerifiedAccount,
};
use integration_sdk::serde::Deserialize;

use crate::config::ApiConfig;

/// `{"items": [...], "next": "..."}`; the last page has no `next`.
const BY_CURSOR: CursorPagination = CursorPagination {
    parameter: "cursor",
    elements: "/items",
    next: "/next",
};

/// The API client, with one function per list.
pub struct Api(Http);

impl Provider for Api {
    type Config = ApiConfig;

    fn endpoint(config: &ApiConfig) -> Endpoint {
        let agent = concat!(env!("CARGO_PKG_NAME"), "/", env!("CARGO_PKG_VERSION"));
        Endpoint::new(config.api_url.clone())
            .secret_header("X-Acme-Key", &config.api_token)
            .user_agent(agent)
    }

    fn new(http: Http) -> Self {
        Self(http)
    }

    /// Checks the key and returns its owner and scopes.
    async fn verify(&self) -> Result<VerifiedAccount, ProviderError> {
        let owner: Owner = self.0.get("/me", &[]).json().await?;
        Ok(VerifiedAccount::of(owner.email).with_scopes(owner.scopes))
    }
}

impl Api {
    /// The people of the account.
    pub fn users(&self) -> Listing<UserBody> {
        self.0.get("/users", &[]).pages(BY_CURSOR)
    }
}

/// The body of `/me`.
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
}

impl Api {
    /// The projects of the account.
    pub fn projects(&self) -> Listing<ProjectBody> {
        self.0.get("/projects", &[]).pages(BY_CURSOR)
    }

    /// The members of a project.
    pub fn members(&self, project: &str) -> Listing<MemberBody> {
        self.0
            .get("/projects/{id}/members", &[&project])
            .pages(BY_CURSOR)
    }
}

/// An element of `/projects`.
#[derive(Debug, Clone, Deserialize)]
#[serde(crate = "integration_sdk::serde")]
pub struct ProjectBody {
    pub id: String,
    pub name: String,
    pub started_at: Option<integration_sdk::Timestamp>,
}

/// An element of `/projects/{id}/members`.
#[derive(Debug, Clone, Deserialize)]
#[serde(crate = "integration_sdk::serde")]
pub struct MemberBody {
    pub user_id: String,
    pub role: String,
}
