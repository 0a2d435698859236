//! A fake of Heroku's Platform API on loopback. It has the same responses, headers, limits, and errors over made-up
//! data.
//!
//! [`Organisation`] contains the data: the built-in [`Organisation::sample`], a generated organisation of any size, or
//! one that a test builds. [`FakeHeroku`] serves it over real HTTP, so a collection runs the same code as against the
//! real API. The fake does not use the integration's own types, because it would then repeat the mistakes that its
//! tests must find.
//!
//! ```
//! use integration_heroku::fake::{FakeHeroku, FakeOptions, Fault, Organisation, Reply};
//!
//! # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
//! let heroku = FakeHeroku::start(Organisation::sample(), FakeOptions::default()).await.unwrap();
//! heroku.fault(Fault::Status(Reply::html(503, "<h1>Application error</h1>")).on("/teams/{id}/apps").first(1));
//! // ... collect from heroku.url() with heroku.token() ...
//! assert_eq!(heroku.organisation().apps().count(), 27);
//! heroku.shutdown().await;
//! # });
//! ```

mod access;
mod addon_services;
mod bodies;
mod catalogue;
mod details;
mod generated;
mod ids;
mod organisation;
mod pipelines;
mod resources;
mod routes;
mod sample;
mod sample_access;
mod sample_lists;
mod scopes;
mod sign_in;
mod spaces;
mod table;
#[cfg(test)]
mod tests;
mod text;
mod usage;

use std::{fmt, sync::Arc};

use serde_json::Value;

pub use access::{Access, Invitation, Shared};
pub use addon_services::AddonService;
pub use details::PLANTED;
pub use generated::OrganisationSize;
pub use ids::{
    AccountId, AccountMembershipId, AddonId, AddonServiceId, AppId, AttachmentId, CouplingId, IdentityProviderId,
    InvitationId, PersonId, PipelineId, SpaceId, TeamId, TeamMembershipId,
};
use integration_testing::{FakeProvider, ProviderOptions};
pub use integration_testing::{
    Fault, FaultId, FaultRule, Latency, LoggedRequest, PageLimits, RateBucket, Reply, RetryAfter, Running, StartError,
};
pub use organisation::Organisation;
pub use pipelines::{Attachment, Coupling, Pipeline, PipelineOwner};
pub use resources::{
    Account, AccountMembership, Addon, AddonState, App, Permission, Person, Price, Role, Team, TeamMembership,
};
pub use sign_in::{IdentityProvider, ProviderCertificate, TeamSettings};
pub use spaces::{Peering, Space, VpnConnection};
pub use text::Text;

/// The behaviour of the fake.
#[derive(Clone)]
pub struct FakeOptions {
    /// The token that the fake accepts.
    pub token: String,
    /// Further accepted tokens with the same scopes.
    pub other_tokens: Vec<String>,
    /// The scopes of all tokens. Without `global`, the fake refuses the members of teams.
    pub scopes: Vec<String>,
    /// The rate limit; `None` for no limit.
    pub rate: Option<RateBucket>,
    /// The delay of responses.
    pub latency: Latency,
    /// The page sizes of lists.
    pub page_limits: PageLimits,
    /// Whether `Next-Range` repeats `max`. Otherwise a client that omits it gets pages of the default size.
    pub max_in_next_range: bool,
    /// Whether bodies are compressed for clients that accept compression.
    pub compresses: bool,
    /// Fields that every object in every body contains in addition to its own.
    pub extra_fields: Vec<(String, Value)>,
    /// Whether pages are rendered once and reused. A measurement then counts only the work of the client.
    pub keeps_pages: bool,
}

impl Default for FakeOptions {
    fn default() -> Self {
        Self {
            token: "not-a-real-heroku-token".to_owned(),
            other_tokens: Vec::new(),
            scopes: vec!["read".to_owned(), "global".to_owned()],
            rate: Some(RateBucket::new(4_500, 75.0)),
            latency: Latency::None,
            page_limits: PageLimits::default(),
            max_in_next_range: true,
            compresses: true,
            extra_fields: Vec::new(),
            keeps_pages: false,
        }
    }
}

impl fmt::Debug for FakeOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FakeOptions")
            .field("scopes", &self.scopes)
            .field("rate", &self.rate)
            .field("latency", &self.latency)
            .field("page_limits", &self.page_limits)
            .field("max_in_next_range", &self.max_in_next_range)
            .field("compresses", &self.compresses)
            .field("keeps_pages", &self.keeps_pages)
            .finish_non_exhaustive()
    }
}

/// A fake Heroku that listens on loopback until it is dropped.
pub struct FakeHeroku {
    running: Running,
    organisation: Arc<Organisation>,
    token: String,
}

impl FakeHeroku {
    /// Serves an organisation on a free port of 127.0.0.1.
    ///
    /// # Errors
    /// Returns an error if no socket is available.
    pub async fn start(organisation: Organisation, options: FakeOptions) -> Result<Self, StartError> {
        let organisation = Arc::new(organisation);
        let provider = ProviderOptions {
            access: routes::access(&options),
            rate: options.rate,
            latency: options.latency,
            page_limits: options.page_limits,
            compresses: options.compresses,
            keeps_pages: options.keeps_pages,
            dialect: routes::dialect(options.max_in_next_range),
            ..ProviderOptions::default()
        };
        let running = FakeProvider::start_with(routes::routes(&organisation, &options.extra_fields), provider).await?;
        Ok(Self { running, organisation, token: options.token })
    }

    /// The base address, which replaces `https://api.heroku.com`.
    pub fn url(&self) -> String {
        self.running.url()
    }

    /// The token that the fake accepts.
    pub fn token(&self) -> &str {
        &self.token
    }

    /// The organisation that the fake serves.
    pub fn organisation(&self) -> &Organisation {
        &self.organisation
    }

    /// Activates a fault.
    pub fn fault(&self, rule: impl Into<FaultRule>) -> FaultId {
        self.running.fault(rule)
    }

    /// All requests since the start, in order of arrival.
    pub fn log(&self) -> Vec<LoggedRequest> {
        self.running.log()
    }

    /// The number of requests since the start.
    pub fn requests(&self) -> usize {
        self.running.requests()
    }

    /// The underlying server, which lifts faults and counts connections and requests in flight.
    pub fn server(&self) -> &Running {
        &self.running
    }

    /// Stops the server and waits until all connections are closed.
    pub async fn shutdown(self) {
        self.running.shutdown().await;
    }
}

impl fmt::Debug for FakeHeroku {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FakeHeroku").field("url", &self.url()).finish_non_exhaustive()
    }
}
