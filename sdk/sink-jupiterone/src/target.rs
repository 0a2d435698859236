//! The service that receives the graph: address, account, and credentials.

use std::fmt;
use std::time::Duration;

use integration_http::{Endpoint, EndpointError, Http, Network, RetryPolicy, TimeLimits};
use secrecy::SecretString;
use url::Url;

/// The address of the service in the United States.
pub const US_BASE: &str = "https://api.us.jupiterone.io";

/// The maximum number of concurrent uploads.
pub const IN_FLIGHT: usize = 6;

/// The maximum size of a response. Responses contain a job or an error.
const LARGEST_RESPONSE: usize = 1 << 20;

/// An account of JupiterOne, with the key that may upload to it.
///
/// The key is part of no message and of no debug output.
#[derive(Clone)]
pub struct Target {
    base: Url,
    account: String,
    api_key: SecretString,
    network: Network,
    retry: RetryPolicy,
}

impl Target {
    /// Creates a target at the address of the service in the United States.
    pub fn new(account: impl Into<String>, api_key: SecretString) -> Self {
        Self {
            base: Url::parse(US_BASE).expect("the constant is an address"),
            account: account.into(),
            api_key,
            network: Network::default(),
            // Temporary failures are repeated up to five times, as by other clients of the service.
            retry: RetryPolicy { attempts: 5, first_pause: Duration::from_millis(200), ..RetryPolicy::default() },
        }
    }

    /// Sets the base address. It must be `https://`, except on this machine.
    #[must_use]
    pub fn base(self, base: Url) -> Self {
        Self { base, ..self }
    }

    /// Sets the proxies and certificates.
    #[must_use]
    pub fn network(self, network: Network) -> Self {
        Self { network, ..self }
    }

    /// Sets the number of attempts and the pauses between them.
    #[must_use]
    pub fn retry(self, retry: RetryPolicy) -> Self {
        Self { retry, ..self }
    }

    /// The account id.
    pub fn account(&self) -> &str {
        &self.account
    }

    /// The base address.
    pub fn base_url(&self) -> &Url {
        &self.base
    }

    /// Prepares connections; the first request opens the first one.
    pub(crate) fn connect(&self) -> Result<Http, EndpointError> {
        let endpoint = Endpoint::new(self.base.clone())
            .bearer(&self.api_key)
            .header("JupiterOne-Account", &self.account)
            .user_agent(concat!("integration-sink-jupiterone/", env!("CARGO_PKG_VERSION")))
            .without_redirects()
            .retry(self.retry)
            .time_limits(TimeLimits { idle: Duration::from_secs(60), ..TimeLimits::default() })
            .largest_body(LARGEST_RESPONSE)
            .in_flight(IN_FLIGHT)
            .network(self.network.clone());
        Http::connect(endpoint)
    }
}

impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { base, account, .. } = self;
        f.debug_struct("Target").field("base", &base.as_str()).field("account", account).finish_non_exhaustive()
    }
}
