//! Collections under random faults, in one process.
//!
//! Regardless of the provider's faults, the job must end, and every object of the organisation must be in the graph or
//! be covered by a gap.
//!
//! The cases are the same in every run. `PROPTEST_CASES=5000 PROPTEST_RNG_SEED=3 cargo test --test soak` runs other and
//! more cases. A failing case is reduced and printed.

mod collection;
mod faults;
mod in_flight;
mod organisation;
mod resume;
mod same;
mod script;
mod verdict;

#[path = "../../../tests/end_to_end/expected.rs"]
mod expected;

use proptest::test_runner::{Config, RngSeed, TestCaseError, TestCaseResult, TestRunner};
use tokio::runtime::Runtime;

/// Checks `cases` values of a strategy. Every run uses the same values.
fn for_all<S: proptest::strategy::Strategy>(
    cases: u32,
    values: S,
    check: impl AsyncFn(S::Value) -> Result<(), String>,
) {
    let given = Config::default();
    let rng_seed = if given.rng_seed == RngSeed::Random { RngSeed::Fixed(1) } else { given.rng_seed };
    let cases = if std::env::var_os("PROPTEST_CASES").is_some() { given.cases } else { cases };
    let config = Config { cases, rng_seed, failure_persistence: None, max_shrink_iters: 300, ..given };
    let runtime = Runtime::new().expect("a runtime");
    let outcome = TestRunner::new(config)
        .run(&values, |value| -> TestCaseResult { runtime.block_on(check(value)).map_err(TestCaseError::fail) });
    if let Err(error) = outcome {
        panic!("{error}");
    }
}
