//! The agreement of the engine with a naive evaluator, on random graphs and random queries.

mod compare;
mod evaluate;
mod generate;
mod model;
mod output;
mod properties;
