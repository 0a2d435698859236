//! The number of requests in flight. It grows as far as it is useful and never exceeds the configured concurrency.

use std::time::Duration;

use integration_heroku::fake::{
    FakeHeroku, FakeOptions, Fault, FaultRule, Latency, Organisation, OrganisationSize, Reply,
};
use integration_sdk::store::JobState;
use proptest::prelude::*;
use serde_json::json;
use tokio_util::sync::CancellationToken;

use crate::collection::{Collection, Manner};

/// Faults that cause the client to reduce its own limit.
fn load() -> impl Strategy<Value = Vec<FaultRule>> {
    let refusals = [429, 503].map(|status| Fault::Status(Reply::json(status, &json!({"id": "load"}))));
    let faults = [refusals.to_vec(), vec![Fault::ConnectionReset, Fault::TruncatedBody { after: 9 }]].concat();
    let rule = (proptest::sample::select(faults), 1..3_u64, any::<bool>());
    let rule = rule.prop_map(|(fault, times, of_each_path)| match of_each_path {
        true => fault.on("/teams/{id}/{list}").first_of_each_path(times),
        false => fault.on("/teams/{id}/{list}").first(10 * times),
    });
    proptest::collection::vec(rule, 0..3)
}

#[test]
fn no_more_requests_are_in_flight_than_the_concurrency_allows() {
    let size = OrganisationSize { accounts: 2, teams: 20, people: 30, apps: 40, addons: 40, seed: 5 };
    crate::for_all(12, (load(), 1..24_usize, any::<u64>()), async |(rules, concurrency, seed)| {
        let manner = Manner { page: 3, max_in_next_range: true, concurrency, latency: Some((seed, 5)) };
        let heroku = manner.serve(Organisation::of_size(size)).await;
        let quiet = rules.is_empty();
        for rule in rules {
            heroku.fault(rule);
        }
        let run = Collection::new(concurrency, false).run(&heroku, CancellationToken::new()).await;
        run.map_err(|error| error.to_string())?;
        let peak = heroku.server().peak_in_flight();
        if peak > concurrency || quiet && peak < concurrency.div_ceil(2) {
            return Err(format!("{peak} requests were in flight, {concurrency} are allowed"));
        }
        Ok(())
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_that_is_slow_and_bears_many_is_asked_for_many_at_once() {
    let size = OrganisationSize { accounts: 1, teams: 150, people: 150, apps: 300, addons: 300, seed: 6 };
    let options =
        FakeOptions { rate: None, latency: Latency::Fixed(Duration::from_millis(200)), ..FakeOptions::default() };
    let heroku = FakeHeroku::start(Organisation::of_size(size), options).await.expect("a socket on loopback");
    let summary = Collection::new(64, false).run(&heroku, CancellationToken::new()).await.expect("the job starts");
    assert_eq!(summary.state, JobState::Complete);
    // The lower bound excludes a client that only prefetches partitions without growing its limit.
    let peak = heroku.server().peak_in_flight();
    assert!((33..=64).contains(&peak), "{peak} requests were in flight");
}
