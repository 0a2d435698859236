//! The commands of an integration's program. The `main` function of a program is one line:
//!
//! ```no_run
//! use std::process::ExitCode;
//!
//! use integration_cli::Program;
//! use integration_sdk::Integration;
//!
//! fn main() -> ExitCode {
//!     Program::new(Integration::without_provider::<()>("space", "Space")).main()
//! }
//! ```
//!
//! The path of an invocation through the crate:
//!
//! ```text
//!   arguments ──▶ command ──▶ the SDK: Job, Store, Schemas, Plan, dataset
//!                    │             └─ events ──▶ progress: bars, lines or JSON     (stderr)
//!                    ├─ report: text, or one JSON document                         (stdout)
//!                    └─ Failure ──▶ message, causes, help                          (stderr)
//!                         └─▶ exit code
//! ```
//!
//! This crate owns the parts that the SDK never accesses: the terminal, the environment, `.env` files, signals, and exit
//! codes. It contains no code for a specific provider; everything about the provider comes from the
//! [`Integration`](integration_sdk::Integration).

#![deny(missing_docs)]

mod account;
mod account_graph;
mod arguments;
mod asking;
mod brief;
mod command;
mod console;
mod context;
mod dialogue;
pub mod dotenv;
mod exit;
mod failure;
mod instances;
mod interrupt;
mod job_graph;
mod job_lookup;
mod limits;
mod logs;
mod markdown;
mod moment;
mod offer;
mod options;
mod output;
mod plain;
mod program;
mod progress;
mod report;
mod rule_files;
mod sample;
mod scaffold;
mod secrets;
mod serving;
mod shell;
mod style;
mod threads;
mod variables;
mod visible;

pub use program::Program;
pub use sample::Sample;
