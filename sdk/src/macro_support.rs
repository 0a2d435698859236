//! The functions that the macros of the crate call.

use crate::step::{Parameter, StepResult};

pub use crate::graph::macro_support::{pick_properties, read_property, viewed_type};

/// The type that a step returns.
#[diagnostic::on_unimplemented(
    message = "a step cannot return `{Self}`",
    label = "not `StepResult`",
    note = "a step returns `StepResult`; `?` turns the errors of the client and of the parameters into its error"
)]
pub trait StepOutput {}

impl StepOutput for StepResult {}

/// Compiles if a step can have a parameter of type `T`. The error points to the type in the source.
pub fn assert_parameter<T: Parameter>() {}

/// Compiles if a step can return `T`. The error points to the type in the source.
pub fn assert_output<T: StepOutput>() {}

/// Compiles if the future of a step may move between threads. The error names the value that may not.
pub fn assert_send(_: impl Send) {}
