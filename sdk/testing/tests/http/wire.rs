//! Tests of the protocol through an HTTP client.

use std::{collections::BTreeSet, time::Duration};

use futures::{StreamExt, stream::FuturesUnordered};
use integration_testing::{
    Access, Answer, Dialect, FakeProvider, Latency, Method, PageLimits, ProviderOptions, RateBucket, Reply,
    RequiredHeader, RetryAfter, Route, Running, header::ACCEPT,
};
use serde_json::{Value, json};

use crate::client::{Client, answered};

fn things(count: usize) -> Vec<Value> {
    (0..count).map(|n| json!({"id": format!("t{n:05}"), "name": format!("thing {n}")})).collect()
}

async fn started(routes: impl IntoIterator<Item = Route>, options: ProviderOptions) -> (Running, Client) {
    let provider = FakeProvider::start_with(routes, options).await.unwrap();
    let client = Client::of(&provider);
    (provider, client)
}

async fn listing(count: usize) -> (Running, Client) {
    started([Route::list("/things", things(count)).sortable(["id", "name"])], ProviderOptions::default()).await
}

fn metered(rate: RateBucket) -> ProviderOptions {
    ProviderOptions { rate: Some(rate), ..ProviderOptions::default() }
}

#[tokio::test]
async fn a_handler_sees_path_parameters_query_and_body() {
    let echo = Route::new(Method::POST, "/teams/{team}/notes", |request| {
        Answer::Document(
            json!({"team": request.parameter("team"), "query": request.query(), "bytes": request.body().len()}),
        )
    });
    let (provider, client) = started([echo], ProviderOptions::default()).await;
    let answer = answered(client.post("/teams/t1/notes?x=1").body("hello")).await;
    assert_eq!(answer.json(), json!({"team": "t1", "query": "x=1", "bytes": 5}));
    assert_eq!(provider.log()[0].body_bytes, 5);
}

#[tokio::test]
async fn a_document_is_json_and_unknown_paths_and_methods_are_refused() {
    let (_provider, client) =
        started([Route::document("/account", json!({"id": "a"}))], ProviderOptions::default()).await;
    let answer = answered(client.get("/account")).await;
    assert_eq!((answer.status, answer.json()), (200, json!({"id": "a"})));
    assert_eq!(answer.header("content-type"), Some("application/json"));
    let missing = answered(client.get("/nowhere")).await;
    assert_eq!((missing.status, missing.json()["id"].as_str()), (404, Some("not_found")));
    assert_eq!(answered(client.post("/account")).await.status, 405);
}

#[tokio::test]
async fn a_list_comes_in_pages_of_two_hundred_unless_more_is_asked_for() {
    let (_provider, client) = listing(1_500).await;
    let first = answered(client.get("/things")).await;
    assert_eq!((first.status, first.rows()), (206, 200));
    assert_eq!(first.header("next-range"), Some("id ]t00199.."));
    assert_eq!(first.header("content-range"), Some("id t00000..t00199"));
    assert_eq!(first.header("accept-ranges"), Some("id, name"));
    let largest = answered(client.get("/things").header("range", "id ..; max=5000")).await;
    assert_eq!((largest.status, largest.rows()), (206, 1_000));
}

#[tokio::test]
async fn following_next_range_reads_each_item_once_and_ends_with_200() {
    let (provider, client) = listing(25).await;
    let mut range = "name ..; max=10".to_owned();
    let mut ids = Vec::new();
    let last = loop {
        let page = answered(client.get("/things").header("range", &range)).await;
        ids.extend(page.json().as_array().unwrap().iter().map(|thing| thing["id"].to_string()));
        match page.header("next-range") {
            Some(next) => range = next.to_owned(),
            None => break page,
        }
    };
    ids.sort_unstable();
    ids.dedup();
    assert_eq!((ids.len(), last.status, provider.requests()), (25, 200, 3));
}

#[tokio::test]
async fn next_range_can_leave_out_the_page_size() {
    let dialect = Dialect { max_in_next_range: false, ..Dialect::default() };
    let options = ProviderOptions { dialect, ..ProviderOptions::default() };
    let (_provider, client) = started([Route::list("/things", things(3)).sortable(["id"])], options).await;
    let page = answered(client.get("/things").header("range", "id ..; max=2")).await;
    assert_eq!(page.header("next-range"), Some("id ]t00001.."));
}

#[tokio::test]
async fn a_list_without_ranges_ignores_them_and_comes_whole() {
    let (_provider, client) = started([Route::list("/things", things(300))], ProviderOptions::default()).await;
    let whole = answered(client.get("/things").header("range", "id ..; max=10")).await;
    assert_eq!((whole.status, whole.rows()), (200, 300));
    assert_eq!((whole.header("accept-ranges"), whole.header("next-range")), (None, None));
}

#[tokio::test]
async fn limits_of_a_route_go_before_those_of_the_provider() {
    let small = PageLimits { default: 2, maximum: 4 };
    let route = Route::list("/things", things(9)).sortable(["id"]).page_limits(small);
    let (_provider, client) = started([route], ProviderOptions::default()).await;
    assert_eq!(answered(client.get("/things")).await.rows(), 2);
    assert_eq!(answered(client.get("/things").header("range", "id ..; max=9")).await.rows(), 4);
}

#[tokio::test]
async fn sorting_by_a_property_that_is_not_sortable_is_416() {
    let (_provider, client) = listing(1).await;
    let refused = answered(client.get("/things").header("range", "colour ..")).await;
    assert_eq!(refused.status, 416);
    assert!(
        refused.json()["message"]
            .as_str()
            .unwrap()
            .contains("`colour` is not a sortable property; choose one of: id, name")
    );
}

#[tokio::test]
async fn an_entity_tag_that_is_known_gives_304_without_a_body() {
    let (_provider, client) = listing(3).await;
    let first = answered(client.get("/things")).await;
    let tag = first.header("etag").unwrap();
    let again = answered(client.get("/things").header("if-none-match", tag)).await;
    assert_eq!((again.status, again.body.len(), again.header("etag")), (304, 0, Some(tag)));
    let other = answered(client.get("/things").header("if-none-match", "\"other\"")).await;
    assert_eq!((other.status, other.rows()), (200, 3));
}

#[tokio::test]
async fn every_answer_has_a_request_id_of_its_own() {
    let (_provider, client) = listing(1).await;
    let good = answered(client.get("/things")).await;
    let bad = answered(client.get("/nowhere")).await;
    let (one, other) = (good.header("request-id").unwrap(), bad.header("request-id").unwrap());
    assert_ne!(one, other);
}

fn guarded() -> (Vec<Route>, ProviderOptions) {
    let routes = vec![
        Route::document("/open", json!({})),
        Route::document("/read", json!({})).scopes(["global", "read"]),
        Route::document("/global", json!({})).scopes(["global"]),
    ];
    (routes, ProviderOptions { access: Access::token("secret", ["read"]), ..ProviderOptions::default() })
}

#[tokio::test]
async fn an_unknown_token_is_401() {
    let (routes, options) = guarded();
    let (_provider, client) = started(routes, options).await;
    assert_eq!(answered(client.get("/open")).await.status, 401);
    let wrong = answered(client.get("/open").bearer_auth("wrong")).await;
    assert_eq!((wrong.status, wrong.json()["id"].as_str()), (401, Some("unauthorized")));
}

#[tokio::test]
async fn a_token_may_stand_in_a_header_of_its_own() {
    let (routes, options) = guarded();
    let options = ProviderOptions { access: options.access.in_header("x-api-key"), ..options };
    let (_provider, client) = started(routes, options).await;
    assert_eq!(answered(client.get("/read").header("x-api-key", "secret")).await.status, 200);
    assert_eq!(answered(client.get("/read").header("x-api-key", "wrong")).await.status, 401);
    assert_eq!(answered(client.get("/read").bearer_auth("secret")).await.status, 401);
}

#[tokio::test]
async fn a_missing_scope_is_403_and_the_answer_names_what_is_accepted() {
    let (routes, options) = guarded();
    let (_provider, client) = started(routes, options).await;
    assert_eq!(answered(client.get("/open").bearer_auth("secret")).await.status, 200);
    let allowed = answered(client.get("/read").bearer_auth("secret")).await;
    assert_eq!((allowed.status, allowed.header("oauth-scope-accepted")), (200, Some("global read")));
    let refused = answered(client.get("/global").bearer_auth("secret")).await;
    assert_eq!((refused.status, refused.json()["id"].as_str()), (403, Some("forbidden")));
    assert_eq!(refused.header("oauth-scope-accepted"), Some("global"));
    assert_eq!(refused.header("oauth-scope"), Some("read"));
}

#[tokio::test]
async fn a_required_header_is_compared_without_its_blanks() {
    let accept = RequiredHeader { name: ACCEPT, value: "application/thing; version=3".to_owned() };
    let dialect = Dialect { required_headers: vec![accept], ..Dialect::default() };
    let options = ProviderOptions { dialect, ..ProviderOptions::default() };
    let (_provider, client) = started([Route::document("/a", json!({}))], options).await;
    assert_eq!(answered(client.get("/a")).await.status, 406);
    assert_eq!(answered(client.get("/a").header("accept", "application/thing;version=3")).await.status, 200);
}

#[tokio::test]
async fn a_dialect_gives_its_own_shape_to_errors() {
    let dialect = Dialect { error_body: |refusal| json!({"error": refusal.status().as_u16()}), ..Dialect::default() };
    let options = ProviderOptions { dialect, ..ProviderOptions::default() };
    let (_provider, client) = started([], options).await;
    assert_eq!(answered(client.get("/a")).await.json(), json!({"error": 404}));
}

#[tokio::test]
async fn an_empty_bucket_is_429_and_a_free_call_still_answers() {
    let routes = [
        Route::document("/a", json!({})),
        Route::get("/left", |request| Answer::Document(json!({"remaining": request.remaining()}))).free_of_charge(),
    ];
    let (provider, client) = started(routes, metered(RateBucket::new(2, 0.0))).await;
    assert_eq!(answered(client.get("/a")).await.header("ratelimit-remaining"), Some("1"));
    assert_eq!(answered(client.get("/a")).await.header("ratelimit-remaining"), Some("0"));
    let refused = answered(client.get("/a")).await;
    assert_eq!((refused.status, refused.json()["id"].as_str()), (429, Some("rate_limit")));
    assert_eq!((refused.header("ratelimit-remaining"), refused.header("retry-after")), (Some("0"), None));
    assert_eq!(answered(client.get("/left")).await.json(), json!({"remaining": 0}));
    assert_eq!(provider.remaining(), Some(0));
}

#[tokio::test]
async fn a_bucket_can_say_when_to_come_back_in_seconds_or_as_a_date() {
    for (form, is_date) in [(RetryAfter::Seconds, false), (RetryAfter::HttpDate, true)] {
        let rate = RateBucket { retry_after: form, ..RateBucket::new(0, 60.0) };
        let (_provider, client) = started([Route::document("/a", json!({}))], metered(rate)).await;
        let refused = answered(client.get("/a")).await;
        let when = refused.header("retry-after").unwrap();
        assert_eq!((when == "1", when.ends_with("GMT")), (!is_date, is_date), "{when}");
    }
}

#[tokio::test]
async fn a_bucket_in_scaled_time_fills_up_while_the_client_looks_on() {
    let rate = RateBucket { time_scale: 60_000.0, ..RateBucket::new(1, 60.0) };
    let (_provider, client) = started([Route::document("/a", json!({}))], metered(rate)).await;
    let mut refused = 0;
    for _ in 0..2 {
        while answered(client.get("/a")).await.status == 429 {
            refused += 1;
            assert!(refused < 10_000, "the bucket never filled up again");
        }
    }
}

#[tokio::test]
async fn shuffled_latency_changes_the_order_of_answers_and_loses_none() {
    let latency = Latency::Shuffled { seed: 3, max: Duration::from_millis(30) };
    let options = ProviderOptions { latency, ..ProviderOptions::default() };
    let (provider, client) =
        started([Route::get("/n/{n}", |request| Answer::Document(json!(request.parameter("n"))))], options).await;
    let paths: Vec<_> = (0..12).map(|n| format!("/n/{n}")).collect();
    let answers: FuturesUnordered<_> = paths.iter().map(|path| answered(client.get(path))).collect();
    let order: Vec<usize> =
        answers.map(|answer| answer.json().as_str().unwrap().parse::<usize>().unwrap()).collect().await;
    assert!(!order.is_sorted(), "{order:?}");
    assert_eq!(order.into_iter().collect::<BTreeSet<_>>(), (0..12).collect());
    assert!(provider.peak_in_flight() > 1);
}

#[tokio::test]
async fn the_log_keeps_the_order_and_what_matters_but_no_token() {
    let (routes, options) = guarded();
    let (provider, client) = started(routes, options).await;
    answered(client.get("/read?a=b").bearer_auth("secret").header("range", "id ..; max=5")).await;
    answered(client.get("/global").bearer_auth("secret")).await;
    let log = provider.log();
    let seen: Vec<_> = log.iter().map(|entry| (entry.method.as_str(), entry.path.as_str(), entry.status)).collect();
    assert_eq!(seen, [("GET", "/read", Some(200)), ("GET", "/global", Some(403))]);
    assert_eq!((log[0].query.as_deref(), log[0].header("range")), (Some("a=b"), Some("id ..; max=5")));
    assert_eq!(log[0].header("authorization"), Some("Bearer"));
    assert!(!format!("{log:?}").contains("secret"));
    assert_eq!(provider.connections(), 1);
}

#[tokio::test]
async fn a_body_that_is_too_large_is_413() {
    let options = ProviderOptions { body_limit: 10, ..ProviderOptions::default() };
    let (_provider, client) =
        started([Route::new(Method::POST, "/a", |_| Answer::Reply(Reply::empty(204)))], options).await;
    assert_eq!(answered(client.post("/a").body("12345678901")).await.status, 413);
    assert_eq!(answered(client.post("/a").body("1234567890")).await.status, 204);
}

#[tokio::test]
async fn after_shutdown_nobody_listens() {
    let (provider, client) = listing(1).await;
    assert_eq!(answered(client.get("/things")).await.status, 200);
    provider.shutdown().await;
    assert!(client.get("/things").send().await.unwrap_err().is_connect());
}

#[tokio::test]
async fn a_dropped_provider_stops_listening() {
    let (provider, client) = listing(1).await;
    drop(provider);
    let stopped = async {
        while client.get("/things").send().await.is_ok() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), stopped).await.unwrap();
}
