//! The rate budget and the in-flight limit, against a provider that counts.

use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;
use integration_testing::{FakeProvider, ProviderOptions, RateBucket, Route, Running};
use serde_json::{Value, json};
use tokio::sync::Notify;

use super::super::testing_server::{Reply, Server, answer, ok};
use super::super::{Endpoint, EndpointError, Http, RateBudget, TimeLimits};
use super::endpoint;

const HOURLY: RateBudget = RateBudget { capacity: 100, refill_per_minute: 1.0 / 60.0 };

/// A budget that refills fifty requests per second.
const QUICK: RateBudget = RateBudget { capacity: 20, refill_per_minute: 3_000.0 };

async fn counting() -> Running {
    let rate = Some(RateBucket::new(QUICK.capacity, QUICK.refill_per_minute));
    let routes = [Route::document("/things/{id}", json!(7))];
    FakeProvider::start_with(routes, ProviderOptions { rate, ..ProviderOptions::default() }).await.unwrap()
}

fn connect(provider: &Running) -> Http {
    let endpoint = Endpoint::new(provider.url().parse().unwrap());
    Http::connect(endpoint.rate_remaining_header("RateLimit-Remaining").rate_budget(QUICK)).unwrap()
}

fn told(remaining: &str) -> Reply {
    answer("200 OK", &[("RateLimit-Remaining", remaining)], "7")
}

#[tokio::test]
async fn what_is_left_is_spent_and_the_rest_is_paced_so_that_none_is_refused() {
    let provider = counting().await;
    let http = connect(&provider);
    http.get("/things/{id}", &[&0]).json::<u8>().await.unwrap();
    let ids: Vec<u32> = (1..60).collect();
    let steps: Vec<_> = (0..3).map(|_| http.for_step()).collect();
    let asked = ids.iter().map(|id| steps[*id as usize % 3].get("/things/{id}", &[id]).json::<u8>());
    assert!(join_all(asked).await.iter().all(Result::is_ok));
    assert!(provider.log().iter().all(|request| request.status == Some(200)));
    let usage = http.usage();
    assert_eq!((usage.total.requests, usage.total.retries), (60, 0));
    assert!(usage.total.waited_for_budget > Duration::ZERO && usage.total.waited_for_budget <= usage.total.waited);
    provider.shutdown().await;
}

#[tokio::test]
async fn a_bucket_that_another_client_drains_is_believed_to_be_empty() {
    let server = Server::answering(|number, _| told(["90", "0"][number])).await;
    let http = Http::connect(endpoint(&server).rate_budget(HOURLY)).unwrap();
    http.get("/x", &[]).json::<u8>().await.unwrap();
    assert_eq!(http.budget().unwrap().remaining, Some(90));
    http.get("/x", &[]).json::<u8>().await.unwrap();
    assert_eq!(http.budget().unwrap().remaining, Some(0));
}

#[tokio::test]
async fn an_answer_that_tells_of_more_ends_the_wait() {
    let release = Arc::new(Notify::new());
    let releasing = Arc::clone(&release);
    let server = Server::answering(move |number, _| match number {
        0 => told("1"),
        1 => {
            let release = Arc::clone(&releasing);
            Reply::Later(Box::pin(async move {
                release.notified().await;
                told("50")
            }))
        }
        _ => told("49"),
    })
    .await;
    let http = Http::connect(endpoint(&server).rate_budget(HOURLY)).unwrap();
    let ask = || {
        let http = http.clone();
        tokio::spawn(async move { http.get("/x", &[]).json::<u8>().await })
    };
    ask().await.unwrap().unwrap();
    let (last, waiting) = (ask(), ask());
    while http.budget().unwrap().waiting_until.is_none() || server.paths().len() < 2 {
        tokio::task::yield_now().await;
    }
    assert!(!waiting.is_finished());
    release.notify_one();
    last.await.unwrap().unwrap();
    waiting.await.unwrap().unwrap();
    assert_eq!(server.paths().len(), 3);
}

#[tokio::test]
async fn a_refusal_is_an_empty_bucket_even_where_it_tells_no_number() {
    let server = Server::answering(|number, _| match number {
        0 => told("90"),
        _ => answer("429 Too Many Requests", &[], ""),
    })
    .await;
    let http = Http::connect(endpoint(&server).rate_budget(HOURLY)).unwrap();
    http.get("/x", &[]).json::<u8>().await.unwrap();
    let refused = http.clone();
    let refused = tokio::spawn(async move { refused.get("/x", &[]).json::<u8>().await });
    while http.usage().total.retries == 0 {
        tokio::task::yield_now().await;
    }
    assert_eq!(http.budget().unwrap().remaining, Some(0));
    refused.abort();
}

#[tokio::test]
async fn a_provider_that_tells_no_number_is_asked_without_a_budget() {
    let server = Server::answering(|_, _| ok("7")).await;
    let tiny = RateBudget { capacity: 1, ..HOURLY };
    let http = Http::connect(endpoint(&server).rate_budget(tiny)).unwrap();
    for _ in 0..3 {
        http.get("/x", &[]).json::<u8>().await.unwrap();
    }
    assert_eq!(http.budget().unwrap().remaining, None);
    assert_eq!(Http::connect(endpoint(&server)).unwrap().budget(), None);
}

#[tokio::test]
async fn a_budget_by_which_nothing_could_be_asked_is_refused() {
    let server = Server::answering(|_, _| ok("7")).await;
    let never = RateBudget { capacity: 10, refill_per_minute: 0.0 };
    let error = Http::connect(endpoint(&server).rate_budget(never)).unwrap_err();
    assert!(matches!(error, EndpointError::RateBudget), "{error}");
}

#[tokio::test]
async fn fewer_are_in_flight_after_refusals_for_load_and_after_silence() {
    for failure in ["503 Service Unavailable", "429 Too Many Requests"] {
        let server =
            Server::answering(move |number, _| if number == 0 { answer(failure, &[], "") } else { ok("7") }).await;
        let http = Http::connect(endpoint(&server).in_flight(100)).unwrap();
        assert_eq!(http.in_flight_limit(), 16);
        http.get("/x", &[]).json::<u8>().await.unwrap();
        assert_eq!(http.in_flight_limit(), 8, "{failure}");
    }
    let quick = TimeLimits { idle: Duration::from_millis(100), ..TimeLimits::default() };
    let server = Server::answering(|number, _| if number == 0 { Reply::Silence } else { ok("7") }).await;
    let http = Http::connect(endpoint(&server).time_limits(quick)).unwrap();
    http.get("/x", &[]).json::<u8>().await.unwrap();
    assert_eq!(http.in_flight_limit(), 8);
}

#[tokio::test]
async fn failures_that_say_nothing_of_load_leave_the_limit_as_it_is() {
    let server = Server::answering(|number, _| match number {
        0 => answer("500 Internal Server Error", &[], ""),
        1 => Reply::Cut(Vec::new()),
        2 => answer("403 Forbidden", &[], ""),
        _ => ok("7"),
    })
    .await;
    let http = Http::connect(endpoint(&server)).unwrap();
    http.get("/x", &[]).json::<Value>().await.unwrap_err();
    assert_eq!((http.in_flight_limit(), server.paths().len()), (16, 3));
}
