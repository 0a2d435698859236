//! Every command of an integration's program. A plugin's `main` is one line:
//!
//! ```no_run
//! use std::process::ExitCode;
//!
//! use integration_cli::Program;
//! use integration_sdk::Integration;
//!
//! fn main() -> ExitCode {
//!     Program::new(Integration::offline::<()>("space", "Space")).main()
//! }
//! ```
//!
//! How a call goes through the crate:
//!
//! ```text
//!   arguments ──▶ command ──▶ the SDK: Job, Store, Schemas, Plan, dataset
//!                    │             └─ events ──▶ progress: bars, lines or JSON     (stderr)
//!                    ├─ report: text, or one JSON document                         (stdout)
//!                    └─ Failure ──▶ message, causes, help                          (stderr)
//!                         └─▶ exit code
//! ```
//!
//! This crate owns what the SDK never touches: the terminal, the environment, `.env` files, signals and exit codes. It
//! knows no provider: everything that it says of one comes from the [`Integration`](integration_sdk::Integration).

#![deny(missing_docs)]

mod account;
mod arguments;
mod brief;
mod command;
mod console;
mod context;
pub mod dotenv;
mod exit;
mod failure;
mod interrupt;
mod job_lookup;
mod logs;
mod markdown;
mod options;
mod output;
mod program;
mod progress;
mod report;
mod sample;
mod scaffold;
mod style;
mod threads;
mod variables;
mod visible;

pub use program::Program;
pub use sample::Sample;
