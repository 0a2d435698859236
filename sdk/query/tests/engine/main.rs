//! Tests of the engine: the rules of the language, and its agreement with a naive evaluator.

mod complete;
mod language;
mod limits;
mod names;
mod reference;
mod support;
mod truth;
