//! Recordings: exchanges with a provider, stored in HAR files and replayed without it.
//!
//! ```text
//!   Http ──▶ RecordingTransport ──▶ network        Http ──▶ ReplayTransport (no network at all)
//!               │ request, outcome                              │ request          ▲ outcome
//!               ▼                                               ▼                  │
//!             Scrub ──▶ recording-00001.har                   Scrub ──▶ question ──▶ index of recorded requests
//! ```
//!
//! [`Recorder`] writes HAR 1.2, which browsers and other tools can open. [`Replay`] reads these files, and also those
//! of browsers, proxies, and Polly. Both use the same `Scrub`: it removes secrets from the recorded exchanges and from
//! the requests of a replay, so that both still match. [`find_secrets`] searches recordings of any origin for secrets
//! that were overlooked. Both are [connectors](integration_http::Connector), which a job receives from outside.
//!
//! This crate depends on no step and no store, opens no connection, and keeps no exchange in memory. Authors of
//! integrations do not compile it: `integration-cli` and the test kit pass its connectors to their jobs.
//!
//! ```no_run
//! # use integration_sdk::{Integration, Job, config::Values, store::Store};
//! use integration_recording::{RecordOptions, Recorder, Replay, find_secrets};
//!
//! # async fn run(heroku: &Integration, store: &Store, values: &Values) -> Result<(), Box<dyn std::error::Error>> {
//! let recorder = Recorder::open("recordings", RecordOptions { pseudonymise_emails: true, ..Default::default() })?;
//! Job::new(heroku, store).transport(recorder.clone()).run(values, Default::default()).await?;
//! println!("{} exchanges", recorder.finish()?.exchanges);
//! assert_eq!(find_secrets("recordings")?, []);
//!
//! let replay = Replay::open("recordings")?;
//! Job::new(heroku, store).transport(replay).run(&Values::default(), Default::default()).await?;
//! # Ok(()) }
//! ```
#![deny(missing_docs)]

use integration_graph::redact::without_quoted;

mod archive;
mod body;
mod error;
mod field_names;
mod har;
mod headers;
mod index;
mod loose;
mod matching;
mod mismatch;
mod pseudonym;
mod recorder;
mod replay;
mod scrub;
mod secret_scan;

#[cfg(test)]
mod tests;

pub use archive::{Damage, Unreadable};
pub use error::RecordingError;
pub use recorder::{RecordOptions, Recorded, Recorder};
pub use replay::Replay;
pub use secret_scan::{SecretFinding, find_secrets};
