//! Tests of the engine: the rules of the language, and its agreement with a naive evaluator.

mod language;
mod reference;
mod support;
mod truth;
