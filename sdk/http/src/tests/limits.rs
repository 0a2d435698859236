//! Limits of size and number, and the usage counters.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures::future::join_all;
use serde_json::Value;
use tokio::sync::{Barrier, Notify};

use super::super::testing_server::{Reply, Server, answer, ok};
use super::super::{Http, ProviderErrorKind, RetryPolicy};
use super::{client, endpoint};

#[tokio::test]
async fn a_body_beyond_the_limit_is_refused_whether_announced_or_not() {
    let chunked: &[u8] =
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n9\r\n\"1234567\"\r\n3\r\n   \r\n0\r\n\r\n";
    let server = Server::answering(move |_, request| match request.path.as_str() {
        "/announced" => ok("\"1234567890\""),
        "/chunked" => Reply::Pieces(vec![chunked.to_vec()]),
        _ => ok("\"12345678\""),
    })
    .await;
    let http = Http::connect(endpoint(&server).largest_body(10)).unwrap();
    http.get("/just", &[]).json::<String>().await.unwrap();
    for path in ["/announced", "/chunked"] {
        let error = http.get(path, &[]).json::<String>().await.unwrap_err();
        assert_eq!((error.kind, error.attempts()), (ProviderErrorKind::Unexpected, 1));
        assert!(error.to_string().ends_with("the body is larger than the limit of 10 bytes"), "{error}");
    }
}

#[tokio::test]
async fn requests_in_flight_stay_within_the_limit() {
    let (barrier, now, peak) =
        (Arc::new(Barrier::new(2)), Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let highest = Arc::clone(&peak);
    let server = Server::answering(move |_, _| {
        highest.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
        let (barrier, now) = (Arc::clone(&barrier), Arc::clone(&now));
        Reply::Later(Box::pin(async move {
            barrier.wait().await;
            now.fetch_sub(1, Ordering::SeqCst);
            ok("7")
        }))
    })
    .await;
    let http = Http::connect(endpoint(&server).in_flight(2)).unwrap();
    let clones: Vec<_> = (0..8).map(|_| http.for_step()).collect();
    let answers = join_all(clones.iter().map(|http| http.get("/x", &[]).json::<u8>())).await;
    assert!(answers.into_iter().all(|answer| answer.unwrap() == 7));
    assert_eq!(peak.load(Ordering::SeqCst), 2);
    assert_eq!(server.connections(), 2, "connections are reused");
}

#[tokio::test]
async fn a_pause_holds_no_slot() {
    let policy = RetryPolicy { longest_pause: Duration::from_secs(600), ..RetryPolicy::default() };
    let server = Server::answering(|_, request| match request.path.as_str() {
        "/failing" => answer("503 Service Unavailable", &[("Retry-After", "600")], ""),
        _ => ok("7"),
    })
    .await;
    let http = Http::connect(endpoint(&server).retry(policy).in_flight(1)).unwrap();
    let failing = http.for_step();
    let pausing = {
        let http = failing.clone();
        tokio::spawn(async move { http.get("/failing", &[]).json::<u8>().await })
    };
    while failing.usage().total.retries == 0 {
        tokio::task::yield_now().await;
    }
    assert_eq!(http.get("/x", &[]).json::<u8>().await.unwrap(), 7);
    assert!(!pausing.is_finished());
    pausing.abort();
}

#[tokio::test]
async fn a_dropped_request_gives_its_slot_back() {
    let arrived = Arc::new(Notify::new());
    let arriving = Arc::clone(&arrived);
    let server = Server::answering(move |_, request| {
        arriving.notify_one();
        if request.path == "/silent" { Reply::Silence } else { ok("7") }
    })
    .await;
    let http = Http::connect(endpoint(&server).in_flight(1)).unwrap();
    let dropped = {
        let http = http.clone();
        tokio::spawn(async move { http.get("/silent", &[]).json::<u8>().await })
    };
    arrived.notified().await;
    dropped.abort();
    assert!(dropped.await.unwrap_err().is_cancelled());
    assert_eq!(http.get("/x", &[]).json::<u8>().await.unwrap(), 7);
}

#[tokio::test]
async fn usage_is_counted_by_step_by_template_and_in_all() {
    let server = Server::answering(|number, _| match number {
        0 => answer("500 Internal Server Error", &[("RateLimit-Remaining", "12")], "abc"),
        1 => answer("200 OK", &[("RateLimit-Remaining", "11")], "[1]"),
        _ => ok("[12]"),
    })
    .await;
    let http = client(&server);
    let (apps, account) = (http.for_step(), http.for_step());
    apps.get("/teams/{id}/apps", &[&"t1"]).json::<Value>().await.unwrap();
    apps.get("/teams/{id}/apps", &[&"t2"]).json::<Value>().await.unwrap();
    account.get("/account", &[]).json::<Value>().await.unwrap();
    let usage = apps.usage();
    assert_eq!((usage.total.requests, usage.total.retries, usage.total.answer_bytes), (3, 1, 10));
    assert_eq!((usage.rate_remaining, account.usage().rate_remaining), (Some(11), None));
    assert!(usage.total.waited >= Duration::from_millis(1));
    let all = http.usage();
    assert_eq!((all.total.requests, all.rate_remaining), (4, Some(11)));
    let by_template: Vec<_> = all.endpoints.iter().map(|(name, counts)| (name.as_str(), counts.requests)).collect();
    assert_eq!(by_template, [("GET /account", 1), ("GET /teams/{id}/apps", 3)]);
}

#[tokio::test]
async fn an_https_endpoint_can_be_prepared_and_a_bad_one_says_why() {
    use super::super::{Endpoint, EndpointError};
    // A machine without root certificates cannot prepare one, but must not panic either.
    match Http::connect(Endpoint::new("https://api.example.com".parse().unwrap())) {
        Ok(http) => assert_eq!(http.usage().total.requests, 0),
        Err(error) => assert!(matches!(error, EndpointError::Connections { .. }), "{error}"),
    }
    for base in ["ftp://example.com", "https://example.com/?key=hidden", "data:text"] {
        let error = Http::connect(Endpoint::new(base.parse().unwrap())).unwrap_err();
        assert!(matches!(error, EndpointError::Base { .. }), "{error}");
        assert!(!error.to_string().contains("hidden"));
    }
}
