//! The response cache and conditional requests.

use std::sync::{Arc, Mutex};

use futures::TryStreamExt;
use futures::future::BoxFuture;
use integration_testing::{Answer, FakeProvider, PageLimits, Route, Running};
use serde_json::{Value, json};

use super::super::testing_server::{Received, Reply, Server, answer};
use super::super::{AnswerKey, CachedResponse, Endpoint, Http, MemoryResponseCache, RangePagination, ResponseCache};
use super::{TOKEN, Team, client, endpoint};
use crate::NetworkConnector;
use integration_graph::redact::Redaction;

type Teams = Arc<Mutex<Vec<Value>>>;

fn named(names: &[&str]) -> Vec<Value> {
    names.iter().map(|id| json!({"id": id})).collect()
}

/// Lists teams in pages of two.
async fn provider() -> (Running, Teams) {
    let teams: Teams = Arc::new(Mutex::new(named(&["a", "b", "c", "d", "e"])));
    let listed = Arc::clone(&teams);
    let route = Route::get("/teams", move |_| Answer::list(listed.lock().unwrap().clone())).sortable(["id"]);
    let limits = PageLimits { default: 2, maximum: 2 };
    (FakeProvider::start([route.page_limits(limits)]).await.unwrap(), teams)
}

fn connect(provider: &Running) -> Http {
    Http::connect(Endpoint::new(provider.url().parse().unwrap())).unwrap()
}

async fn ids(http: &Http) -> Vec<String> {
    let teams = http.get("/teams", &[]).ranges::<Team>(RangePagination { order_by: "id", max: 2 });
    teams.map_ok(|team| team.value.id).try_collect().await.unwrap()
}

fn statuses(provider: &Running) -> Vec<u16> {
    provider.log().iter().map(|request| request.status.unwrap()).collect()
}

/// Returns a document with an entity tag.
fn tagged(_: usize, request: &Received) -> Reply {
    match request.header("if-none-match") {
        "\"1\"" => answer("304 Not Modified", &[("ETag", "\"1\"")], ""),
        _ => answer("200 OK", &[("ETag", "\"1\"")], "7"),
    }
}

#[tokio::test]
async fn a_list_that_has_not_changed_comes_without_bodies_over_all_its_pages() {
    let (provider, _) = provider().await;
    let (cache, http) = (Arc::new(MemoryResponseCache::default()), connect(&provider));
    let first = http.conditional(cache.clone());
    let before = ids(&first).await;
    assert_eq!(cache.len(), 3);
    let again = http.conditional(cache.clone()).for_step();
    assert_eq!(ids(&again).await, before);
    assert_eq!(statuses(&provider), [206, 206, 200, 304, 304, 304]);
    let usage = again.usage();
    assert_eq!((usage.total.requests, usage.total.not_modified, usage.total.answer_bytes), (3, 3, 0));
    provider.shutdown().await;
}

#[tokio::test]
async fn a_page_that_has_changed_comes_anew_and_is_kept_in_the_place_of_the_old() {
    let (provider, teams) = provider().await;
    let cache = Arc::new(MemoryResponseCache::default());
    let http = connect(&provider).conditional(cache.clone());
    ids(&http).await;
    *teams.lock().unwrap() = named(&["a", "b", "c", "d", "f"]);
    assert_eq!(ids(&http).await, ["a", "b", "c", "d", "f"]);
    assert_eq!(statuses(&provider)[3..], [304, 304, 200]);
    assert_eq!(ids(&http).await, ["a", "b", "c", "d", "f"]);
    assert_eq!(statuses(&provider)[6..], [304, 304, 304]);
    assert_eq!(cache.len(), 3);
    provider.shutdown().await;
}

#[tokio::test]
async fn what_is_added_behind_a_full_last_page_is_not_hidden_by_its_304() {
    let (provider, teams) = provider().await;
    *teams.lock().unwrap() = named(&["a", "b", "c", "d"]);
    let http = connect(&provider).conditional(Arc::new(MemoryResponseCache::default()));
    assert_eq!(ids(&http).await, ["a", "b", "c", "d"]);
    *teams.lock().unwrap() = named(&["a", "b", "c", "d", "e"]);
    assert_eq!(ids(&http).await, ["a", "b", "c", "d", "e"]);
    assert_eq!(statuses(&provider), [206, 200, 304, 206, 200]);
    *teams.lock().unwrap() = named(&["a", "b"]);
    assert_eq!(ids(&http).await, ["a", "b"], "the elements that were removed after a page are gone");
    provider.shutdown().await;
}

#[tokio::test]
async fn without_a_cache_and_for_probes_and_posts_nothing_is_conditional() {
    let server = Server::answering(tagged).await;
    let http = client(&server);
    let conditional = http.conditional(Arc::new(MemoryResponseCache::default()));
    conditional.get("/x", &[]).json::<u8>().await.unwrap();
    http.get("/x", &[]).json::<u8>().await.unwrap();
    conditional.unconditional().get("/x", &[]).json::<u8>().await.unwrap();
    assert_eq!(conditional.get("/x", &[]).probe().await.unwrap().status, 200);
    conditional.post("/x", &[], &json!({})).json::<u8>().await.unwrap();
    assert!(server.received().iter().all(|request| request.header("if-none-match").is_empty()));
    conditional.get("/x", &[]).json::<u8>().await.unwrap();
    assert_eq!(server.received().last().unwrap().header("if-none-match"), "\"1\"");
}

/// A cache that returns damaged responses.
#[derive(Debug, Default)]
struct Damaging(MemoryResponseCache);

impl ResponseCache for Damaging {
    fn get<'a>(&'a self, key: &'a AnswerKey) -> BoxFuture<'a, Option<CachedResponse>> {
        Box::pin(async move { Some(CachedResponse { body: b"[".to_vec(), ..self.0.get(key).await? }) })
    }
    fn put(&self, key: AnswerKey, answer: CachedResponse) -> BoxFuture<'_, ()> {
        self.0.put(key, answer)
    }
}

#[tokio::test]
async fn a_kept_answer_that_cannot_be_read_is_asked_for_as_a_whole() {
    let server = Server::answering(tagged).await;
    let http = client(&server).conditional(Arc::new(Damaging::default()));
    http.get("/x", &[]).json::<u8>().await.unwrap();
    assert_eq!(http.get("/x", &[]).json::<u8>().await.unwrap(), 7);
    let conditions: Vec<_> =
        server.received().iter().map(|request| request.header("if-none-match").to_owned()).collect();
    assert_eq!(conditions, ["", "\"1\"", ""]);
}

#[tokio::test]
async fn only_answers_of_success_that_could_be_read_are_kept() {
    let server = Server::answering(|_, request| match request.path.as_str() {
        "/damaged" => answer("200 OK", &[("ETag", "\"1\"")], "["),
        "/refused" => answer("403 Forbidden", &[("ETag", "\"1\"")], "{}"),
        "/untagged" => answer("200 OK", &[], "7"),
        "/forbidden" => answer("200 OK", &[("ETag", "\"1\""), ("Cache-Control", "private, no-store")], "7"),
        _ => answer("200 OK", &[("ETag", "\"1\"")], "7"),
    })
    .await;
    let cache = Arc::new(MemoryResponseCache::default());
    let http = client(&server).conditional(cache.clone());
    for path in ["/damaged", "/refused", "/untagged", "/forbidden"] {
        let _ = http.get(path, &[]).json::<u8>().await;
        assert!(cache.is_empty(), "{path}");
    }
    http.get("/x", &[]).json::<u8>().await.unwrap();
    assert_eq!(cache.len(), 1);
}

#[tokio::test]
async fn no_secret_is_kept() {
    let headers = [("ETag", "\"1\""), ("Set-Cookie", "session=s3cret"), ("Next-Range", "id ]ü..")];
    let server = Server::answering(move |_, _| answer("200 OK", &headers, "7")).await;
    let cache = Arc::new(Remembering::default());
    client(&server).conditional(cache.clone()).get("/x", &[]).json::<u8>().await.unwrap();
    let kept = cache.0.lock().unwrap();
    let names: Vec<_> = kept[0].headers.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["etag", "next-range"]);
    assert_eq!(kept[0].headers[1].1, "id ]ü..");
    assert!(!format!("{kept:?}").contains("s3cret"));
}

#[tokio::test]
async fn an_answer_in_which_a_secret_stands_is_not_kept_and_its_neighbours_are() {
    let server = Server::answering(move |_, request| {
        let tag = ("ETag", "\"1\"");
        match request.path.as_str() {
            "/header" => answer("200 OK", &[tag, ("X-Echo", TOKEN)], "{}"),
            "/credentials" => answer("200 OK", &[tag], &json!({"yours": format!("Bearer {TOKEN}")}).to_string()),
            "/escaped" => answer("200 OK", &[tag], &format!(r#"["\u{:04x}{}"]"#, TOKEN.as_bytes()[0], &TOKEN[1..])),
            "/marked" => answer("200 OK", &[tag], r#"[{"app": {"webhook_secret": "abc"}}]"#),
            "/url" => answer("200 OK", &[tag], r#"{"drain": "https://u:p@logs.example.com"}"#),
            _ => answer("200 OK", &[tag], r#"{"webhook_secret": null, "url": "https://logs.example.com"}"#),
        }
    })
    .await;
    let mut redaction = Redaction::default();
    redaction.field("webhook_secret");
    let cache = Arc::new(MemoryResponseCache::default());
    let http = Http::connect_with(endpoint(&server), &NetworkConnector, &redaction).unwrap().conditional(cache.clone());
    for path in ["/header", "/credentials", "/escaped", "/marked", "/url"] {
        http.get(path, &[]).json::<Value>().await.unwrap();
        assert!(cache.is_empty(), "{path}");
    }
    http.get("/harmless", &[]).json::<Value>().await.unwrap();
    assert_eq!(cache.len(), 1);
}

/// A cache that remembers the responses it received.
#[derive(Debug, Default)]
struct Remembering(Mutex<Vec<CachedResponse>>);

impl ResponseCache for Remembering {
    fn get<'a>(&'a self, _: &'a AnswerKey) -> BoxFuture<'a, Option<CachedResponse>> {
        Box::pin(async { None })
    }
    fn put(&self, _: AnswerKey, answer: CachedResponse) -> BoxFuture<'_, ()> {
        self.0.lock().unwrap().push(answer);
        Box::pin(async {})
    }
}

#[tokio::test]
async fn a_304_that_nobody_asked_for_is_an_error() {
    let server = Server::answering(|_, _| answer("304 Not Modified", &[], "")).await;
    let http = client(&server).conditional(Arc::new(MemoryResponseCache::default()));
    let error = http.get("/x", &[]).json::<u8>().await.unwrap_err();
    assert_eq!((error.status(), error.attempts()), (Some(304), 1));
}
