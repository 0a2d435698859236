//! A collection under random trouble, in one process: whatever the provider does, the job ends, and everything that the
//! organisation holds is in the graph or named as missing.
//!
//! The cases are the same in every run. `PROPTEST_CASES=5000 PROPTEST_RNG_SEED=3 cargo test --test soak` tries others, and
//! more of them; a case that fails is made small and printed.

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

/// Tries `cases` values of a strategy, the same ones in every run.
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
