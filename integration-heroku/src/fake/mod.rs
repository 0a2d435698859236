//! An imitation of Heroku's Platform API on loopback: the same answers, headers, limits and errors, over made-up data.
//!
//! [`Organisation`] is the data: the built-in [`Organisation::sample`], a large one of any size, or one put together
//! by a test. [`FakeHeroku`] serves it over real HTTP, so that a collection runs the code that it runs in real life.
//! The plugin's own types are not used here: a mistake in them must not be repeated in what they are tested against.
//!
//! ```
//! use integration_heroku::fake::{FakeHeroku, FakeOptions, Fault, Organisation, Reply};
//!
//! # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
//! let heroku = FakeHeroku::start(Organisation::sample(), FakeOptions::default()).await.unwrap();
//! heroku.fault(Fault::Status(Reply::html(503, "<h1>Application error</h1>")).on("/teams/{id}/apps").first(1));
//! // ... collect from heroku.url() with heroku.token() ...
//! assert_eq!(heroku.organisation().apps().count(), 25);
//! heroku.shutdown().await;
//! # });
//! ```

mod bodies;
mod catalogue;
mod generated;
mod ids;
mod organisation;
mod resources;
mod routes;
mod sample;
mod table;
#[cfg(test)]
mod tests;

use std::{fmt, sync::Arc};

pub use generated::OrganisationSize;
pub use ids::{AccountId, AccountMembershipId, AddonId, AppId, PersonId, TeamId, TeamMembershipId};
use integration_testing::{FakeProvider, ProviderOptions};
pub use integration_testing::{
    Fault, FaultId, FaultRule, Latency, LoggedRequest, PageLimits, RateBucket, Reply, RetryAfter, Running, StartError,
};
pub use organisation::Organisation;
pub use resources::{
    Account, AccountMembership, Addon, AddonState, App, Permission, Person, Price, Role, Team, TeamMembership, Text,
};

/// How the imitation behaves.
#[derive(Clone)]
pub struct FakeOptions {
    /// The token that is known.
    pub token: String,
    /// Others that are known as well, with the same scopes.
    pub other_tokens: Vec<String>,
    /// The scopes of tokens. Without `global`, the members of teams are refused.
    pub scopes: Vec<String>,
    /// The budget of requests; `None` for one without end.
    pub rate: Option<RateBucket>,
    /// How long answers take.
    pub latency: Latency,
    /// How many items a page has.
    pub page_limits: PageLimits,
    /// Whether `Next-Range` repeats `max`; if not, a client that forgets it gets pages of the default size.
    pub max_in_next_range: bool,
    /// Whether bodies are compressed for those who accept it.
    pub compresses: bool,
    /// Pages are made once and given again, so that a measurement counts what the client does.
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

/// A Heroku that listens on loopback. It stops when this is dropped.
pub struct FakeHeroku {
    running: Running,
    organisation: Arc<Organisation>,
    token: String,
}

impl FakeHeroku {
    /// Serves an organisation on a free port of 127.0.0.1.
    ///
    /// # Errors
    /// When no socket can be had.
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
        let running = FakeProvider::start_with(routes::routes(&organisation), provider).await?;
        Ok(Self { running, organisation, token: options.token })
    }

    /// Where it listens: what stands in the place of `https://api.heroku.com`.
    pub fn url(&self) -> String {
        self.running.url()
    }

    /// The token that it knows.
    pub fn token(&self) -> &str {
        &self.token
    }

    /// What it serves.
    pub fn organisation(&self) -> &Organisation {
        &self.organisation
    }

    /// Switches a fault on.
    pub fn fault(&self, rule: impl Into<FaultRule>) -> FaultId {
        self.running.fault(rule)
    }

    /// All requests so far, in order of arrival.
    pub fn log(&self) -> Vec<LoggedRequest> {
        self.running.log()
    }

    /// How many requests arrived.
    pub fn requests(&self) -> usize {
        self.running.requests()
    }

    /// The server: lifting faults, connections, requests under way.
    pub fn server(&self) -> &Running {
        &self.running
    }

    /// Stops, and returns when all connections are closed.
    pub async fn shutdown(self) {
        self.running.shutdown().await;
    }
}

impl fmt::Debug for FakeHeroku {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FakeHeroku").field("url", &self.url()).finish_non_exhaustive()
    }
}
