//! A runtime for integrations: programs that turn a service into a graph of entities and relationships.
//!
//! The author of an integration writes types, one client, and steps. A step is an async function whose parameters are
//! its declaration: they name the types that it reads and adds. The runtime derives the order of the steps, runs them
//! concurrently, paces and retries their requests, validates and redacts every object, and stores the graph with a
//! [`Summary`] of its gaps. An interrupted job resumes, and data that could not be collected is never reported as
//! removed.
//!
//! ```text
//!   provider ──http──▶ client ──▶ step ──▶ validation, redaction ──▶ store ──▶ snapshot ──▶ diff, export
//!                                  ▲                                   │
//!                                  └──────── types of other steps ◀────┘
//! ```
//!
//! # A complete integration
//!
//! The provider Acme lists teams and the members of each team. The integration turns them into two entity types and one
//! relationship type:
//!
//! ```
//! use integration_sdk::Integration;
//! use integration_sdk::config::{SecretString, Url};
//! use integration_sdk::http::{Endpoint, Http, Listing, Provider, ProviderError, VerifiedAccount};
//! use integration_sdk::prelude::*;
//! use integration_sdk::serde::Deserialize;
//!
//! /// The configuration, read from `ACME_API_TOKEN` and `ACME_API_URL`.
//! #[derive(Config)]
//! struct AcmeConfig {
//!     /// An API token with the scope `read`.
//!     api_token: SecretString,
//!     /// The address of the API.
//!     #[config(default = "https://api.acme.example")]
//!     api_url: Url,
//! }
//!
//! /// A team. Its fields are the properties of the entity, in camel case.
//! #[derive(EntityKind, Deserialize)]
//! #[serde(crate = "integration_sdk::serde")]
//! #[entity(type = "acme_team", class = "Team", resource = "Team")]
//! struct Team {
//!     #[entity(key)]
//!     id: String,
//!     name: String,
//! }
//!
//! /// A person, possibly in several teams. The descriptions of one person are merged.
//! #[derive(EntityKind, Deserialize)]
//! #[serde(crate = "integration_sdk::serde")]
//! #[entity(type = "acme_user", class = "User", resource = "User", merge)]
//! struct User {
//!     #[entity(key)]
//!     id: String,
//!     email: String,
//!     name: String,
//! }
//!
//! relationship!(
//!     /// The membership of a person in a team: `acme_team_has_user`.
//!     TeamHasUser: Team -[HAS]-> User
//! );
//!
//! /// The client, with one function for each list of the provider.
//! struct Acme(Http);
//!
//! impl Provider for Acme {
//!     type Config = AcmeConfig;
//!
//!     fn endpoint(config: &AcmeConfig) -> Endpoint {
//!         Endpoint::new(config.api_url.clone()).bearer(&config.api_token)
//!     }
//!     fn new(http: Http) -> Self {
//!         Self(http)
//!     }
//!     async fn verify(&self) -> Result<VerifiedAccount, ProviderError> {
//!         let owner: User = self.0.get("/me", &[]).json().await?;
//!         Ok(VerifiedAccount::of(owner.email))
//!     }
//! }
//!
//! impl Acme {
//!     fn teams(&self) -> Listing<Team> {
//!         self.0.get("/teams", &[]).list()
//!     }
//!     fn members(&self, team: &str) -> Listing<User> {
//!         self.0.get("/teams/{id}/members", &[&team]).list()
//!     }
//! }
//!
//! /// Emits the teams.
//! #[step(id = "fetch-teams", name = "Fetch teams", scopes("read"))]
//! async fn fetch_teams(api: Client<Acme>, teams: Emit<Team>) -> StepResult {
//!     let mut listing = api.teams();
//!     while let Some(team) = listing.try_next().await? {
//!         let (team, raw) = team.into_parts();
//!         teams.add(team.with_raw(raw)).await?;
//!     }
//!     Ok(())
//! }
//!
//! /// Emits the members of the teams, of several teams concurrently.
//! #[step(id = "fetch-members", name = "Fetch members", scopes("read"))]
//! async fn fetch_members(
//!     api: Client<Acme>,
//!     teams: Follow<Team>,
//!     users: Emit<User>,
//!     has: Emit<TeamHasUser>,
//! ) -> StepResult {
//!     let members_of = async |team: Team| {
//!         let mut listing = api.members(&team.id);
//!         while let Some(user) = listing.try_next().await? {
//!             let (user, raw) = user.into_parts();
//!             let user = users.add(user.with_raw(raw)).await?;
//!             has.add(&team, &user).await?;
//!         }
//!         Ok(())
//!     };
//!     teams.for_each_concurrent(members_of).await
//! }
//!
//! fn integration() -> Integration {
//!     Integration::of::<Acme>("acme", "Acme").step(fetch_teams()).step(fetch_members()).secret_fields(["token"])
//! }
//!
//! // A test runs the integration against a fake of the provider on loopback.
//! # use integration_sdk::serde_json::json;
//! use integration_testing_kit::fake::{FakeProvider, Route};
//! use integration_testing_kit::{Collected, assert_complete, assert_entity, assert_graph, assert_relationship};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() {
//! let ada = json!({"id": "u1", "email": "ada@acme.example", "name": "Ada", "token": "s3cret"});
//! let lin = json!({"id": "u2", "email": "lin@acme.example", "name": "Lin"});
//! let provider = FakeProvider::start([
//!     Route::document("/me", ada.clone()),
//!     Route::document("/teams", json!([{"id": "t1", "name": "Engine"}, {"id": "t2", "name": "Bridge"}])),
//!     Route::document("/teams/t1/members", json!([ada, lin])),
//!     Route::document("/teams/t2/members", json!([ada])),
//! ])
//! .await
//! .expect("a socket on loopback");
//!
//! let values = [("ACME_API_TOKEN", "any".to_owned()), ("ACME_API_URL", provider.url())];
//! let collected = Collected::run(&integration(), values).await;
//! assert_complete!(collected);
//! assert_graph!(collected, { acme_team: 2, acme_user: 2, acme_team_has_user: 3 });
//! assert_entity!(collected, "u1", { displayName: "Ada", email: "ada@acme.example" });
//! assert_relationship!(collected, "t2" -[HAS]-> "u1");
//! # assert!(!collected.entity("u1")["_rawData"].to_string().contains("s3cret"));
//! # }
//! ```
//!
//! Its program is one line with `integration-cli`, which provides the commands `collect`, `plan`, `validate`, `diff`,
//! `visualize`, and others. A program of another kind runs a [`Job`] itself.
//!
//! # Parameters of a step
//!
//! | parameter | purpose | effect on the plan |
//! | --- | --- | --- |
//! | [`Client<P>`](step::Client) | sends requests, counted for this step | none |
//! | [`ConfigOf<C>`](step::ConfigOf) | reads the configuration | none |
//! | [`Emit<T>`](step::Emit) | adds entities, relationships, or mapped relationships | declares `T`; one step may emit a type, unless it merges or the others look up its keys |
//! | [`Read<E>`](step::Read) | reads entities in key order, finds them by key | waits for the steps that emit or amend `E` |
//! | [`Known<E>`](step::Known) | looks up which keys exist | waits for the steps that emit `E`, not for those that amend it |
//! | [`Follow<E>`](step::Follow) | reads entities while they are added | starts together with the steps that emit `E` |
//! | [`Amend<E>`](step::Amend) | adds properties to entities of another step | waits for the steps that emit `E` |
//! | [`Annotate<E>`](step::Annotate) | as `Amend<E>`, with properties that no other step reads | as `Amend<E>`, and no step waits for it |
//! | [`Publish<T>`](step::Publish) | publishes job data for later steps | declares the job data `T` |
//! | [`JobData<T>`](step::JobData) | reads the job data of another step | waits for the step that publishes `T` |
//! | [`StepContext`](step::StepContext) | does all of this with types that are known only at run time | none |
//!
//! `Read` and `Follow` also accept a [view](macro@EntityView) of an entity type, which contains some of its properties.
//!
//! # Modules
//!
//! | task | module |
//! | --- | --- |
//! | describe entities, relationships, and their properties | [`graph`] |
//! | write steps | [`mod@step`], [`prelude`] |
//! | describe an API: authentication, pagination, rate limits | [`http`] |
//! | read the configuration | [`config`] |
//! | examine the order of the steps | [`plan`] |
//! | run a job, observe and resume it | [`runtime`] |
//! | read the collected graph | [`store`], [`dataset`] |
//! | compare the graphs of two jobs | [`diff`] |
//! | check objects against class and type schemas | [`schema`] |
//! | find and remove secrets | [`secrets`], [`Redaction`] |
//! | read and write files safely | [`input`], [`owner_only`] |
//!
//! # Compatibility
//!
//! The libraries access neither the terminal nor the environment nor the home directory; programs pass everything in.
//! The crates `secrecy`, `serde`, `serde_json`, and `url` are part of the interface. An integration uses them through
//! this crate, as `integration_sdk::serde` for example, so that their versions match.
#![deny(missing_docs)]

#[allow(unused_extern_crates)]
// The derives refer to this crate by its external name, also in its own tests.
extern crate self as integration_sdk;

mod account_kind;
mod clock;
pub mod config;
pub mod dataset;
mod declarations;
pub mod diff;
pub mod http;
mod integration;
#[doc(hidden)]
pub mod macro_support;
pub mod plan;
pub mod runtime;
pub mod step;
pub mod store;

pub use account_kind::AccountKind;
pub use clock::ClockError;
pub use integration::{Integration, SetupError};
pub use integration_files::{input, owner_only};
#[doc(inline)]
pub use integration_graph as graph;
use integration_graph::redact;
pub use integration_graph::run::Summary;
pub use integration_graph::{REDACTED, RawJson, Redaction, Timestamp, secrets};
#[doc(inline)]
pub use integration_schema as schema;
pub use integration_sdk_macros::{Config, EntityKind, EntityView, RelationshipProperties, step};
pub use plan::Plan;
pub use runtime::{Event, Job, JobError};
// These types occur in the signatures and derives of integrations, which need the same versions.
pub use {secrecy, serde, serde_json, url};

/// The usual imports of an integration's modules.
///
/// ```
/// use integration_sdk::prelude::*;
///
/// /// A planet.
/// #[derive(EntityKind)]
/// #[entity(type = "space_planet", class = "Site", resource = "Planet")]
/// struct Planet {
///     #[entity(key)]
///     id: String,
///     name: String,
/// }
/// let earth = Planet { id: "planet:earth".into(), name: "Earth".into() };
/// assert_eq!(earth.to_entity().display_name, "Earth");
/// ```
pub mod prelude {
    pub use futures::TryStreamExt;

    pub use crate::config::Config;
    pub use crate::graph::{Draft, EntityKind, EntityRef, MappedRelationshipKind, RelationshipKind};
    pub use crate::step::{Amend, Annotate, Client, ConfigOf, Emit, Follow, JobData, Known, Publish, Read, StepResult};
    pub use crate::{Config, EntityKind, EntityView, Timestamp, mapped_relationship, relationship, step};
}
