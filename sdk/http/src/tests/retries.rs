//! Retries and their pauses.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio::time::Instant;

use super::super::testing_server::{Reply, Server, answer, ok};
use super::super::{Endpoint, Http, ProviderErrorKind, RetryPolicy, TimeLimits};
use super::{client, endpoint};
use integration_graph::run::ErrorCode;

/// Starts a provider that fails once with this reply, then succeeds.
async fn once(failure: impl Fn() -> Reply + Send + Sync + 'static) -> Server {
    Server::answering(move |number, _| if number == 0 { failure() } else { ok("7") }).await
}

async fn is_asked_again(server: &Server) {
    let http = client(server);
    assert_eq!(http.get("/x", &[]).json::<u8>().await.unwrap(), 7);
    assert_eq!((http.usage().total.requests, http.usage().total.retries), (2, 1));
}

#[tokio::test]
async fn failures_of_the_moment_are_asked_again() {
    for status in
        ["408 Request Timeout", "429 Too Many Requests", "500 Internal Server Error", "503 Service Unavailable"]
    {
        is_asked_again(&once(move || answer(status, &[], "<html>")).await).await;
    }
}

#[tokio::test]
async fn damaged_answers_are_asked_again() {
    let damaged: [&[u8]; 7] = [
        b"",
        b"HTTP/1.1 200 OK\r\ncontent-le",
        b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n[1",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\n[1\r\n",
        b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n[1",
        // A character of two bytes without its second byte.
        b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n\"\xc3",
        b"HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\n[1,2 3",
    ];
    for bytes in damaged {
        is_asked_again(&once(move || Reply::Cut(bytes.to_vec())).await).await;
    }
}

#[tokio::test]
async fn a_page_of_somebody_else_is_asked_for_once_more() {
    is_asked_again(&once(|| ok("<html>a proxy's page</html>")).await).await;
}

#[tokio::test]
async fn a_provider_that_keeps_failing_exceeds_the_attempts() {
    let server = Server::answering(|_, _| answer("503 Service Unavailable", &[("Request-Id", "r1")], "<html>")).await;
    let error = client(&server).get("/x", &[]).json::<u8>().await.unwrap_err();
    assert_eq!((error.kind, error.code()), (ProviderErrorKind::RetriesExceeded, ErrorCode::ProviderRetriesExceeded));
    assert_eq!(error.to_string(), "GET /x answered 503 Service Unavailable (3 attempts; request r1)");
    assert_eq!(server.paths().len(), 3);
}

#[tokio::test]
async fn a_body_that_will_never_be_json_is_not_asked_for_again_and_again_and_not_quoted() {
    let bodies: [(&[u8], &str, u32); 4] = [
        (b"<html>a proxy's page</html>", "the body is a page of HTML or XML, not JSON (2 attempts)", 2),
        (b"OK proxy", "the body is not JSON (2 attempts)", 2),
        (b"[\"proxy J\xfcrgen\"]", "the body is not UTF-8 (from byte 9)", 1),
        (b"\xff\xfe[\0]\0", "the body is not UTF-8 (from byte 0)", 1),
    ];
    for (body, reason, attempts) in bodies {
        let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", body.len());
        let answer = [head.as_bytes(), body].concat();
        let server = Server::answering(move |_, _| Reply::Pieces(vec![answer.clone()])).await;
        let error = client(&server).get("/x", &[]).json::<Value>().await.unwrap_err();
        assert_eq!((error.kind, error.attempts()), (ProviderErrorKind::Unexpected, attempts));
        assert_eq!(error.to_string(), format!("GET /x did not answer as expected: {reason}"));
        assert_eq!(server.paths().len() as u32, attempts, "{reason}");
    }
}

#[tokio::test]
async fn a_rate_limit_has_attempts_of_its_own() {
    let limited = |number, _: &_| match number {
        0..3 => answer("429 Too Many Requests", &[], r#"{"id":"rate_limit","message":"slower"}"#),
        3..5 => answer("500 Internal Server Error", &[], ""),
        _ => ok("7"),
    };
    let server = Server::answering(limited).await;
    assert_eq!(client(&server).get("/x", &[]).json::<u8>().await.unwrap(), 7);

    let server =
        Server::answering(|_, _| answer("429 Too Many Requests", &[], r#"{"id":"rate_limit","message":"slower"}"#))
            .await;
    let error = client(&server).get("/x", &[]).json::<u8>().await.unwrap_err();
    assert_eq!((error.kind, error.attempts()), (ProviderErrorKind::RetriesExceeded, 4));
    assert_eq!(error.to_string(), "GET /x answered 429 rate_limit: \"slower\" (4 attempts)");
}

#[tokio::test]
async fn nobody_listening_exceeds_the_attempts() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let quick = RetryPolicy { attempts: 2, first_pause: Duration::from_millis(1), ..RetryPolicy::default() };
    let http = Http::connect(Endpoint::new(format!("http://{address}").parse().unwrap()).retry(quick)).unwrap();
    let error = http.get("/x", &[]).json::<u8>().await.unwrap_err();
    assert_eq!((error.kind, error.attempts()), (ProviderErrorKind::RetriesExceeded, 2));
    assert!(error.to_string().starts_with("GET /x failed: no connection ("), "{error}");
    assert!(!error.to_string().contains(&address.to_string()), "{error}");
}

#[tokio::test]
async fn a_provider_that_falls_silent_is_asked_again() {
    let quick = TimeLimits { idle: Duration::from_millis(200), ..TimeLimits::default() };
    let half: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n[1";
    let server = Server::answering(move |number, _| match number {
        0 => Reply::Silence,
        1 => Reply::Pieces(vec![half.to_vec()]),
        _ => ok("7"),
    })
    .await;
    let http = Http::connect(endpoint(&server).time_limits(quick)).unwrap();
    assert_eq!(http.get("/x", &[]).json::<u8>().await.unwrap(), 7);

    let whole = TimeLimits { request: Duration::from_millis(200), ..TimeLimits::default() };
    let silent = Server::answering(|_, _| Reply::Silence).await;
    let http = Http::connect(endpoint(&silent).time_limits(whole)).unwrap();
    let error = http.get("/x", &[]).json::<u8>().await.unwrap_err();
    assert_eq!(error.to_string(), "GET /x failed: no complete response within the time limit (3 attempts)");
}

#[tokio::test]
async fn retry_after_is_obeyed_up_to_the_longest_pause() {
    let longest = Duration::from_millis(150);
    let policy =
        RetryPolicy { first_pause: Duration::from_millis(1), longest_pause: longest, ..RetryPolicy::default() };
    let server = once(|| answer("503 Service Unavailable", &[("Retry-After", "600")], "")).await;
    let http = Http::connect(endpoint(&server).retry(policy)).unwrap();
    let bounded = tokio::time::timeout(Duration::from_secs(60), http.get("/x", &[]).json::<u8>());
    assert_eq!(bounded.await.expect("no pause exceeds the longest one").unwrap(), 7);
    let received = server.received();
    assert!(received[1].at - received[0].at >= longest);
    assert!(http.usage().total.waited >= longest);
}

#[tokio::test]
async fn a_rate_limit_far_in_the_future_ends_every_request_at_once_and_names_its_end() {
    let server = Server::answering(|_, _| {
        let headers = [("Retry-After", "2000-01-03T00:00:00Z"), ("Date", "Sat, 01 Jan 2000 00:00:00 GMT")];
        answer("429 Too Many Requests", &headers, r#"{"id":"rate_limit","message":"slower"}"#)
    })
    .await;
    let http = client(&server);
    let ask = async || http.for_step().get("/x", &[]).json::<u8>().await.unwrap_err();
    let (first, second) = (ask().await, ask().await);
    assert_eq!(server.paths().len(), 1, "the limit is remembered");
    for (error, attempts) in [(&first, 1), (&second, 0)] {
        assert_eq!((error.kind, error.attempts()), (ProviderErrorKind::RetriesExceeded, attempts));
    }
    let end = jiff::Timestamp::now().as_second() + 2 * 86_400;
    let told = |error: &str| {
        let (_, rest) = error.split_once(" until ").unwrap();
        rest[.."2000-01-01T00:00:00Z".len()].parse::<jiff::Timestamp>().unwrap()
    };
    let (first, second) = (first.to_string(), second.to_string());
    assert!((told(&first).as_second() - end).abs() < 3_600, "{first}");
    assert_eq!(told(&first), told(&second));
    assert!(first.starts_with("GET /x answered 429 rate_limit: \"slower\", and demands a pause until "), "{first}");
    assert!(first.ends_with(", longer than the 10 min that this client waits"), "{first}");
    assert!(
        second.starts_with("GET /x failed: it was not sent, since the provider's rate limit lasts until "),
        "{second}"
    );
}

#[tokio::test]
async fn a_failure_that_asks_for_a_long_pause_is_remembered_for_its_endpoint() {
    let server = Server::answering(|number, _| match number {
        0 => answer("503 Service Unavailable", &[("Retry-After", "86400")], "<html>"),
        _ => ok("7"),
    })
    .await;
    let http = client(&server);
    let ask = async |id: &str| http.for_step().get("/x/{id}", &[&id]).json::<u8>().await.unwrap_err();
    let (first, second) = (ask("1").await, ask("2").await);
    for (error, attempts) in [(&first, 1), (&second, 0)] {
        assert_eq!((error.kind, error.attempts()), (ProviderErrorKind::RetriesExceeded, attempts));
        assert!(error.to_string().contains("demands a pause until "), "{error}");
    }
    assert_eq!(http.get("/y", &[]).json::<u8>().await.unwrap(), 7);
    assert_eq!(server.paths(), ["/x/1", "/y"]);
}

#[tokio::test]
async fn a_rate_limit_stops_every_clone_until_the_time_told() {
    let pause = Duration::from_millis(300);
    let policy = RetryPolicy { longest_pause: pause, ..RetryPolicy::default() };
    let limited = Arc::new(Mutex::new(None));
    let since = Arc::clone(&limited);
    let server = Server::answering(move |number, _| {
        if number == 0 {
            *since.lock().unwrap() = Some(Instant::now());
            return answer("429 Too Many Requests", &[("Retry-After", "60")], "");
        }
        ok("7")
    })
    .await;
    let http = Http::connect(endpoint(&server).retry(policy)).unwrap();
    let first = http.for_step();
    let asking = {
        let first = first.clone();
        tokio::spawn(async move { first.get("/a", &[]).json::<u8>().await })
    };
    // The retry is counted after the gate is closed.
    while first.usage().total.retries == 0 {
        tokio::task::yield_now().await;
    }
    http.for_step().get("/b", &[]).json::<u8>().await.unwrap();
    asking.await.unwrap().unwrap();
    let limited = limited.lock().unwrap().unwrap();
    let received = server.received();
    assert_eq!(received.len(), 3, "only one request meets the limit");
    assert!(received[1..].iter().all(|request| request.at >= limited + pause));
}

#[tokio::test]
async fn a_closed_gate_also_stops_those_in_the_queue() {
    let release = Arc::new(Notify::new());
    let arrived = Arc::new(Notify::new());
    let (releasing, arriving) = (Arc::clone(&release), Arc::clone(&arrived));
    let server = Server::answering(move |number, _| {
        if number > 0 {
            return ok("7");
        }
        arriving.notify_one();
        let release = Arc::clone(&releasing);
        Reply::Later(Box::pin(async move {
            release.notified().await;
            ok("7")
        }))
    })
    .await;
    let http = Http::connect(endpoint(&server).in_flight(1)).unwrap();
    let ask = |path: &'static str| {
        let http = http.clone();
        tokio::spawn(async move { http.get(path, &[]).json::<u8>().await })
    };
    let first = ask("/a");
    arrived.notified().await;
    let second = ask("/b");
    tokio::task::yield_now().await;
    let opens = Instant::now() + Duration::from_millis(200);
    http.close_until(opens);
    release.notify_one();
    first.await.unwrap().unwrap();
    second.await.unwrap().unwrap();
    assert!(server.received()[1].at >= opens);
}
