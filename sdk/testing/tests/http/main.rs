//! Tests of the fake provider through a client over real HTTP.
#![allow(clippy::unwrap_used, reason = "a panic fails the test")]

mod client;
mod faults;
mod wire;
