//! Tests of the kit's results and failure messages, with a small integration on loopback.

mod acme;
mod assertions;
mod coverage;
mod recordings;
mod runs;
mod snapshots;

use std::panic::{AssertUnwindSafe, catch_unwind};

/// Returns the message of a failing assertion.
fn message(assertion: impl FnOnce()) -> String {
    let panic = catch_unwind(AssertUnwindSafe(assertion)).expect_err("the assertion holds");
    *panic.downcast::<String>().expect("a message")
}
