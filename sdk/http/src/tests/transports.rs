//! Transports other than the network, without sockets.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use reqwest::header::HeaderValue;
use secrecy::SecretString;
use serde_json::{Value, json};

use super::super::{
    Connector, Endpoint, EndpointError, Http, MemoryResponseCache, ProviderErrorKind, RateBudget, StatusCode,
    Transport, TransportError, WireRequest, WireResponse, respond_with,
};
use super::TOKEN;
use integration_graph::redact::Redaction;

fn nowhere() -> Endpoint {
    Endpoint::new("https://api.nowhere.invalid".parse().unwrap())
}

fn client(endpoint: Endpoint, connector: &dyn Connector) -> Http {
    Http::connect_with(endpoint, connector, &Redaction::default()).unwrap()
}

/// A connector that forbids pauses or conditional requests.
#[derive(Debug)]
struct Offline<C>(C);

impl<C: Connector> Connector for Offline<C> {
    fn open(&self, endpoint: &Endpoint, redaction: &Redaction) -> Result<Box<dyn Transport>, EndpointError> {
        self.0.open(endpoint, redaction)
    }

    fn is_offline(&self) -> bool {
        true
    }

    fn allows_conditional_requests(&self) -> bool {
        false
    }
}

#[tokio::test]
async fn a_transport_receives_the_whole_request_and_its_answer_loses_the_credentials() {
    let requests: Arc<Mutex<Vec<WireRequest>>> = Arc::default();
    let seen = Arc::clone(&requests);
    let api = respond_with(move |request| {
        seen.lock().unwrap().push(request.clone());
        Ok(WireResponse::new(StatusCode::OK, json!({"echo": TOKEN}).to_string()))
    });
    let endpoint = nowhere().bearer(&SecretString::from(TOKEN)).header("accept", "a").header("x-team", "blue");
    let http = client(endpoint, &api);
    let request = http.post("/teams", &[], &json!({"a": 1})).query("page", 2).header("accept", "b");
    assert_eq!(request.json::<Value>().await.unwrap(), json!({"echo": "[secret]"}));
    let [request] = &requests.lock().unwrap()[..] else { panic!("one request") };
    assert_eq!(request.url.as_str(), "https://api.nowhere.invalid/teams?page=2");
    assert_eq!(request.body.as_deref(), Some(&br#"{"a":1}"#[..]));
    assert_eq!(request.headers.get_all("accept").iter().collect::<Vec<_>>(), ["b"], "the request overrides the client");
    assert_eq!(request.headers["x-team"], "blue");
    assert_eq!(request.headers["authorization"], format!("Bearer {TOKEN}").as_str());
    assert!(request.headers["authorization"].is_sensitive());
    assert_eq!(format!("{request:?}"), "WireRequest(POST https://api.nowhere.invalid/teams)");
}

#[tokio::test]
async fn only_an_offline_transport_ignores_pauses_budgets_and_the_scheme() {
    let limited = |calls: usize| {
        let mut response = WireResponse::new(StatusCode::TOO_MANY_REQUESTS, "{}");
        response.headers.insert("retry-after", HeaderValue::from_static("600"));
        if calls == 0 { response } else { WireResponse::new(StatusCode::OK, "1") }
    };
    let calls = AtomicUsize::new(0);
    let api = Offline(respond_with(move |_| Ok(limited(calls.fetch_add(1, Ordering::Relaxed)))));
    let budget = RateBudget { capacity: 1, refill_per_minute: 0.01 };
    let plain = Endpoint::new("http://api.nowhere.invalid".parse().unwrap()).rate_budget(budget);
    let refused = Http::connect_with(plain.clone(), &api.0, &Redaction::default()).unwrap_err();
    assert!(matches!(refused, EndpointError::PlainHttp { .. }), "{refused}");
    let http = client(plain, &api);
    let answer = tokio::time::timeout(Duration::from_secs(50), http.get("/x", &[]).json::<Value>()).await;
    assert_eq!(answer.expect("no pause").unwrap(), json!(1));
    assert!(http.budget().is_none());
}

#[tokio::test]
async fn conditional_requests_are_sent_only_through_a_transport_that_allows_them() {
    let tagged = |request: &WireRequest| {
        if request.headers.contains_key("if-none-match") {
            return Ok(WireResponse::new(StatusCode::NOT_MODIFIED, ""));
        }
        let mut response = WireResponse::new(StatusCode::OK, "{}");
        response.headers.insert("etag", HeaderValue::from_static("\"1\""));
        Ok(response)
    };
    let cache = Arc::new(MemoryResponseCache::default());
    let twice = async |connector: &dyn Connector| {
        let http = client(nowhere(), connector).conditional(cache.clone());
        for _ in 0..2 {
            http.get("/x", &[]).json::<Value>().await.unwrap();
        }
        http.usage().total.not_modified
    };
    assert_eq!(twice(&Offline(respond_with(tagged))).await, 0);
    assert_eq!(twice(&respond_with(tagged)).await, 1);
}

#[tokio::test]
async fn a_missing_response_is_not_requested_again() {
    let http = client(nowhere(), &respond_with(|_| Err(TransportError::NoResponse("there is none".into()))));
    let error = http.get("/x", &[]).json::<Value>().await.unwrap_err();
    assert_eq!((error.kind, error.to_string()), (ProviderErrorKind::Unexpected, "GET /x failed: there is none".into()));
    assert_eq!(http.usage().total.requests, 1);
}
