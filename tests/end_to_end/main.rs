//! End-to-end tests: the real program with its real store, against a fake Heroku on loopback.
//!
//! ```text
//!   test ── starts ──▶ FakeHeroku (in this process, on 127.0.0.1) ◀── HTTP ──┐
//!     └──── runs ────▶ integration-heroku (a process with its own folder) ───┘
//!             └──▶ exit code, stdout, stderr, the exported graph, the store's files
//! ```
//!
//! [`harness`] starts the fake and the program; each other module tests one subject. The tests do not use the
//! integration's own types: [`expected`] derives the required graph independently from the organisation.

mod alerting;
mod answers;
mod asking;
mod changes;
mod commands;
mod comparison;
mod credentials;
mod databases;
mod delivering;
mod details;
mod expected;
mod exporting;
mod faults;
mod graph;
mod graph_database;
mod harness;
mod history;
mod instances;
mod keys;
mod kill;
mod kill_soak;
mod machine;
mod never_collected;
mod odd;
mod output;
mod people;
mod plan;
mod querying;
mod recordings;
mod refused;
mod serving;
mod syncing;
mod watching;
