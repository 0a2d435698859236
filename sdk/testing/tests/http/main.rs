//! The fake provider as a client sees it over real HTTP.

mod client;
mod faults;
mod wire;
