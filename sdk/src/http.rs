//! The HTTP client of a provider, and the interface between it and an integration.
//!
//! A [`Provider`] wraps an [`Http`] client in typed functions, and shows a complete example. The [`Endpoint`] describes
//! the conventions of the API:
//!
//! ```
//! use integration_sdk::http::{Endpoint, RateBudget};
//!
//! let endpoint = Endpoint::new("https://api.acme.example/v1".parse()?)
//!     .bearer(&"token".to_owned().into())
//!     .rate_remaining_header("RateLimit-Remaining")
//!     .rate_budget(RateBudget { capacity: 1_200, refill_per_minute: 120.0 });
//! assert_eq!(endpoint.base().as_str(), "https://api.acme.example/v1");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use std::collections::BTreeSet;

#[doc(inline)]
pub use integration_http::*;

/// An integration's typed client over [`Http`].
///
/// The client has one function for each list or document of the provider. Steps receive it as
/// [`Client<P>`](crate::step::Client).
///
/// ```
/// use integration_sdk::config::{Config, SecretString};
/// use integration_sdk::http::{
///     CursorPagination, Endpoint, Http, Listing, Provider, ProviderError, RateBudget, VerifiedAccount,
/// };
/// use integration_sdk::serde::Deserialize;
///
/// /// The configuration.
/// #[derive(integration_sdk::Config)]
/// struct AcmeConfig {
///     /// An API token with the scope `read`.
///     api_token: SecretString,
/// }
///
/// struct Acme(Http);
///
/// impl Provider for Acme {
///     type Config = AcmeConfig;
///
///     fn endpoint(config: &AcmeConfig) -> Endpoint {
///         let address = "https://api.acme.example/v1".parse().expect("a valid address");
///         Endpoint::new(address)
///             .bearer(&config.api_token)
///             .rate_remaining_header("RateLimit-Remaining")
///             .rate_budget(RateBudget { capacity: 1_200, refill_per_minute: 120.0 })
///     }
///     fn new(http: Http) -> Self {
///         Self(http)
///     }
///     async fn verify(&self) -> Result<VerifiedAccount, ProviderError> {
///         let owner: String = self.0.get("/me/email", &[]).json().await?;
///         Ok(VerifiedAccount::of(owner))
///     }
/// }
///
/// /// An element of `/users`.
/// #[derive(Deserialize)]
/// #[serde(crate = "integration_sdk::serde")]
/// struct UserBody {
///     id: String,
/// }
///
/// impl Acme {
///     fn users(&self) -> Listing<UserBody> {
///         self.0.get("/users", &[]).pages(CursorPagination { parameter: "cursor", elements: "/items", next: "/next" })
///     }
/// }
///
/// # use futures::TryStreamExt;
/// # use integration_sdk::http::{StatusCode, WireResponse, respond_with};
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// // A test needs no network: a function responds.
/// let api = respond_with(|request| {
///     let body = match request.url.query() {
///         None => r#"{"items": [{"id": "u1"}], "next": "2"}"#,
///         Some(_) => r#"{"items": [{"id": "u2"}]}"#,
///     };
///     Ok(WireResponse::new(StatusCode::OK, body))
/// });
/// let endpoint = Acme::endpoint(&AcmeConfig { api_token: "any".to_owned().into() });
/// let acme = Acme::new(Http::connect_with(endpoint, &api, &Default::default())?);
/// let ids: Vec<String> = acme.users().map_ok(|user| user.id.clone()).try_collect().await?;
/// assert_eq!(ids, ["u1", "u2"]);
/// # Ok(()) }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not the client of a provider",
    label = "not the client of a provider",
    note = "implement `integration_sdk::http::Provider`"
)]
pub trait Provider: Send + Sync + Sized + 'static {
    /// The configuration of the client.
    type Config: crate::config::Config;
    /// Returns the endpoint of the provider.
    fn endpoint(config: &Self::Config) -> Endpoint;
    /// Creates the client over shared connections.
    fn new(http: Http) -> Self;
    /// Checks the credentials before the first step.
    fn verify(&self) -> impl Future<Output = Result<VerifiedAccount, ProviderError>> + Send;
    /// Determines the scopes of the credentials, if [`verify`](Self::verify) does not report them.
    ///
    /// The check may take a few requests. It runs only for commands that inspect the credentials before a job.
    fn probe_scopes(&self) -> impl Future<Output = Result<Option<BTreeSet<String>>, ProviderError>> + Send {
        std::future::ready(Ok(None))
    }
}
