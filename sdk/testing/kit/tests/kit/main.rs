//! The kit against a small integration and a provider on loopback: what it gives, and what it says when a test fails.

mod acme;
mod assertions;
mod coverage;
mod recordings;
mod runs;
mod snapshots;

use std::panic::{AssertUnwindSafe, catch_unwind};

/// What an assertion that fails says.
fn message(assertion: impl FnOnce()) -> String {
    let panic = catch_unwind(AssertUnwindSafe(assertion)).expect_err("the assertion holds");
    *panic.downcast::<String>().expect("a message")
}
