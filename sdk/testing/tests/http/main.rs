//! The fake provider as a client sees it over real HTTP.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod client;
mod faults;
mod wire;
