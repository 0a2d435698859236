//! Simulated clocks, kills, and observers that fail.

mod failures;
mod kills;
mod times;
mod world;
