//! The program from end to end: the real binary, its real store, and an imitation of Heroku on loopback.
//!
//! ```text
//!   test ── starts ──▶ FakeHeroku (in this process, on 127.0.0.1) ◀── HTTP ──┐
//!     └──── runs ────▶ integration-heroku (a process, a folder of its own) ──┘
//!             └──▶ exit code, stdout, stderr, the exported graph, the store's files
//! ```
//!
//! [`harness`] starts and runs; every other module says what must hold. Nothing here uses the plugin's own types: what the
//! graph must be is worked out anew from what the imitation holds.

mod answers;
mod commands;
mod comparison;
mod credentials;
mod expected;
mod faults;
mod graph;
mod harness;
mod kill;
mod machine;
mod odd;
mod output;
mod plan;
mod recordings;
mod refused;
