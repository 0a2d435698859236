//! Unattended runs of instances: the loop around the pure [scheduler](integration_scheduler), with its stored state.
//!
//! ```text
//!   Source ──settings──▶ Scheduler ──starts──▶ Runner     one task for each run, cancellable
//!   requests ──────────▶  (pure)   ◀──ends────────┘
//!   Clock ──times──────▶    │
//!                           ├──▶ journal          every decision before it takes effect, so a kill loses none
//!                           ├──▶ Observer         ended runs: rules and alerts; one at a time, bounded in time
//!                           └──▶ Metrics, Health ──▶ Endpoint     GET /healthz, /readyz, /metrics
//! ```
//!
//! The crate knows neither jobs nor rules nor files of configurations. A program implements [`Source`], [`Runner`], and
//! [`Observer`] with plain data:
//!
//! ```
//! use std::sync::Arc;
//!
//! use futures::future::{BoxFuture, FutureExt};
//! use integration_scheduler::{Cadence, PollingInterval, RunEnd, Settings};
//! use integration_server::*;
//! use tokio_util::sync::CancellationToken;
//!
//! /// One instance, which never changes.
//! struct One(bool);
//! impl Source for One {
//!     fn poll(&mut self) -> BoxFuture<'_, Result<Option<std::collections::BTreeMap<String, Settings>>, SourceError>> {
//!         let is_first = !std::mem::replace(&mut self.0, true);
//!         let settings = Settings { cadence: Cadence::Every(PollingInterval::OneHour), revision: "1".to_owned() };
//!         std::future::ready(Ok(is_first.then(|| [("production".to_owned(), settings)].into()))).boxed()
//!     }
//! }
//!
//! /// A run that publishes at once.
//! struct Publish;
//! impl Runner for Publish {
//!     fn run(&self, order: Order, _cancel: CancellationToken) -> BoxFuture<'static, RunResult> {
//!         let job = Some(format!("job of {}", order.instance));
//!         std::future::ready(RunResult { end: RunEnd::Published, job, message: None, numbers: None }).boxed()
//!     }
//! }
//!
//! /// An observer that stops the server after the first publication.
//! struct StopAfterOne(CancellationToken);
//! impl Observer for StopAfterOne {
//!     fn observe(&self, notice: Notice) -> BoxFuture<'_, Result<Observed, ObserverError>> {
//!         assert_eq!((notice.instance.as_str(), notice.end), ("production", RunEnd::Published));
//!         self.0.cancel();
//!         std::future::ready(Ok(Observed::default())).boxed()
//!     }
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), ServerError> {
//! # let folder = tempfile::tempdir().expect("a folder");
//! let stop = CancellationToken::new();
//! let parts = Parts {
//!     clock: Arc::new(SystemClock),
//!     source: Box::new(One(false)),
//!     runner: Arc::new(Publish),
//!     observer: Arc::new(StopAfterOne(stop.clone())),
//!     background: None,
//! };
//! let server = Server::open(folder.path(), Options::default(), parts)?;
//! let metrics = server.metrics();
//! server.run(stop).await?;
//! assert!(metrics.encode().contains(r#"integration_jobs_total{instance="production",end="published"} 1"#));
//! # Ok(()) }
//! ```
//!
//! # Guarantees
//!
//! | event | effect |
//! | --- | --- |
//! | `kill -9` at any instant | runs in progress are resumed by the next process; each ended run is observed at least once |
//! | a second scheduler on the same data directory | refused, with the id of the process |
//! | a request to stop | runs are cancelled, stay resumable, and are aborted after the bound |
//! | a run or an observation ends by a panic | counts as failed; the loop continues |
//! | an observation fails or takes too long | is repeated after a growing delay; other instances are not held up |
//! | the configuration becomes unreadable | the earlier one applies; an error in the log and in the metrics |
//! | the disk is full | runs continue; the server is not ready until its state is stored again |
//! | the clock jumps, or the machine was suspended | decided by the scheduler after at most two seconds of running |
#![deny(missing_docs)]

mod background;
mod clock;
mod error;
mod health;
mod http;
mod journal;
mod lock;
mod metrics;
mod observation;
mod observer;
mod pending;
mod requests;
mod runner;
mod runs;
mod server;
mod source;
#[cfg(test)]
mod tests;
mod touched;

pub use background::Background;
pub use clock::{Clock, SystemClock};
pub use error::ServerError;
pub use health::{Health, Phase};
pub use http::{AllowedHosts, Endpoint};
pub use lock::scheduling_process;
pub use metrics::Metrics;
pub use observer::{Notice, Observed, Observer, ObserverError, SnapshotNumbers};
pub use requests::request_run;
pub use runner::{ChangeNumbers, Order, RunNumbers, RunResult, Runner};
pub use server::{Options, Parts, Reload, Server, Stopped};
pub use source::{Source, SourceError, WatchedFile};
