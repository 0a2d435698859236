//! The client against a real server on loopback.

mod answers;
mod budget;
mod compression;
mod conditional;
mod events;
mod faults;
mod limits;
mod listings;
mod memory;
mod network;
mod probes;
mod ranges;
mod retries;
mod transports;
mod walks;

use std::time::Duration;

use secrecy::SecretString;
use serde::Deserialize;

use super::testing_server::Server;
use super::{Endpoint, Http, RetryPolicy, TimeLimits};

const TOKEN: &str = "s3cret-t0ken";

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
struct Team {
    id: String,
}

/// Returns an endpoint with short time limits and short pauses.
fn endpoint(server: &Server) -> Endpoint {
    Endpoint::new(server.url(""))
        .bearer(&SecretString::from(TOKEN))
        .user_agent("integration-test/1")
        .request_id_header("Request-Id")
        .accepted_scopes_header("Oauth-Scope-Accepted")
        .rate_remaining_header("RateLimit-Remaining")
        .time_limits(TimeLimits {
            connect: Duration::from_secs(5),
            request: Duration::from_secs(10),
            idle: Duration::from_secs(5),
        })
        .retry(RetryPolicy {
            attempts: 3,
            rate_limited_attempts: 4,
            first_pause: Duration::from_millis(1),
            longest_pause: Duration::from_millis(20),
            ..RetryPolicy::default()
        })
}

fn client(server: &Server) -> Http {
    Http::connect(endpoint(server)).unwrap()
}
