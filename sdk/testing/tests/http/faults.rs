//! Tests of every fault through a client over real HTTP.

use std::{error::Error, io, time::Duration};

use integration_testing::{FakeProvider, Fault, FaultRule, PageLimits, Reply, Route, Running};
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::client::{Client, answered};

/// The time limit for a response that never arrives.
const PATIENCE: Duration = Duration::from_millis(100);

async fn faulty(rule: impl Into<FaultRule>) -> (Running, Client) {
    let things: Vec<Value> = ["a", "b", "c", "d", "e"].map(|id| json!({"id": id, "name": "Größe 大きさ"})).into();
    let pages = PageLimits { default: 2, maximum: 2 };
    let routes = [
        Route::list("/things", things).sortable(["id"]).page_limits(pages),
        Route::document("/one", json!({"name": "Größe 大きさ"})),
    ];
    let provider = FakeProvider::start(routes).await.unwrap();
    provider.fault(rule);
    let client = Client::of(&provider);
    (provider, client)
}

/// The innermost cause, if it is a socket error.
fn socket_error(error: &reqwest::Error) -> Option<io::ErrorKind> {
    let mut cause: &(dyn Error + 'static) = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    cause.downcast_ref::<io::Error>().map(io::Error::kind)
}

#[tokio::test]
async fn a_status_stands_in_the_place_of_the_answer_as_often_as_told() {
    let limited = Reply::json(429, &json!({"id": "rate_limit"})).with_header("retry-after", "7");
    let (provider, client) = faulty(Fault::Status(limited).on("/one").first(2)).await;
    for _ in 0..2 {
        let refused = answered(client.get("/one")).await;
        assert_eq!((refused.status, refused.header("retry-after")), (429, Some("7")));
        assert_eq!(refused.json(), json!({"id": "rate_limit"}));
        assert!(refused.header("request-id").is_some());
    }
    assert_eq!(answered(client.get("/one")).await.status, 200);
    assert_eq!(provider.log().iter().map(|entry| entry.status).collect::<Vec<_>>(), [Some(429), Some(429), Some(200)]);
}

#[tokio::test]
async fn a_status_can_come_with_an_html_page() {
    let (_provider, client) = faulty(Fault::Status(Reply::html(503, "<h1>Back soon</h1>"))).await;
    let down = answered(client.get("/one")).await;
    assert_eq!((down.status, down.body.as_slice()), (503, b"<h1>Back soon</h1>".as_slice()));
    assert_eq!(down.header("content-type"), Some("text/html; charset=utf-8"));
}

#[tokio::test]
async fn a_lifted_fault_meets_nothing_more() {
    let (provider, client) = faulty(Fault::EmptyBody).await;
    let fault = provider.fault(Fault::Status(Reply::empty(500)));
    assert_eq!(answered(client.get("/one")).await.status, 500);
    provider.lift(fault);
    assert_eq!(answered(client.get("/one")).await.body, b"");
    provider.lift_all();
    assert_eq!(answered(client.get("/one")).await.json()["name"], "Größe 大きさ");
}

#[tokio::test]
async fn a_reset_connection_is_a_reset_and_the_next_one_works() {
    let (provider, client) = faulty(Fault::ConnectionReset.on("/one").first(1)).await;
    // A client repeats requests only on reused connections; this connection is new.
    let broken = client.get("/one").send().await.unwrap_err();
    assert_eq!(socket_error(&broken), Some(io::ErrorKind::ConnectionReset));
    assert_eq!(answered(client.get("/one")).await.status, 200);
    assert_eq!((provider.log()[0].status, provider.connections()), (None, 2));
}

#[tokio::test]
async fn no_answer_means_that_the_client_has_to_give_up() {
    let (provider, client) = faulty(Fault::NoAnswer.on("/one")).await;
    assert!(timeout(PATIENCE, client.get("/one").send()).await.is_err());
    assert_eq!(provider.log()[0].status, None);
    provider.shutdown().await;
}

#[tokio::test]
async fn a_truncated_body_ends_before_what_content_length_promised() {
    let (_provider, client) = faulty(Fault::TruncatedBody { after: 5 }.on("/one")).await;
    let mut cut = client.get("/one").send().await.unwrap();
    assert_eq!(cut.status(), 200);
    let promised = json!({"name": "Größe 大きさ"}).to_string().len() as u64;
    assert_eq!(cut.content_length(), Some(promised));
    assert_eq!(cut.chunk().await.unwrap().unwrap().as_ref(), br#"{"nam"#);
    assert!(cut.chunk().await.is_err());
}

#[tokio::test]
async fn malformed_json_arrives_whole_and_cannot_be_parsed() {
    let (_provider, client) = faulty(Fault::MalformedJson).await;
    let malformed = answered(client.get("/things")).await;
    assert_eq!(malformed.status, 206);
    assert!(serde_json::from_slice::<Value>(&malformed.body).unwrap_err().is_eof());
}

#[tokio::test]
async fn an_empty_body_has_the_right_status() {
    let (_provider, client) = faulty(Fault::EmptyBody).await;
    let empty = answered(client.get("/one")).await;
    assert_eq!((empty.status, empty.header("content-length"), empty.body.len()), (200, Some("0"), 0));
}

#[tokio::test]
async fn a_wrong_content_type_leaves_the_body_alone() {
    let (_provider, client) = faulty(Fault::WrongContentType("text/plain".to_owned())).await;
    let wrong = answered(client.get("/one")).await;
    assert_eq!((wrong.header("content-type"), wrong.json()), (Some("text/plain"), json!({"name": "Größe 大きさ"})));
}

#[tokio::test]
async fn a_body_that_stalls_for_ever_makes_the_client_give_up() {
    let (_provider, client) = faulty(Fault::Stall { after: 3, pause: None }.on("/one")).await;
    let mut stalled = client.get("/one").send().await.unwrap();
    assert_eq!(stalled.chunk().await.unwrap().unwrap().as_ref(), br#"{"n"#);
    assert!(timeout(PATIENCE, stalled.chunk()).await.is_err());
}

#[tokio::test]
async fn a_body_that_pauses_arrives_whole() {
    let (_provider, client) = faulty(Fault::Stall { after: 3, pause: Some(Duration::from_millis(5)) }).await;
    assert_eq!(answered(client.get("/one")).await.json(), json!({"name": "Größe 大きさ"}));
}

async fn follow(client: &Client, pages: usize) -> Vec<(String, Option<String>)> {
    let mut range = "id ..".to_owned();
    let mut seen = Vec::new();
    while seen.len() < pages {
        let page = answered(client.get("/things").header("range", &range)).await;
        let ids: Vec<_> = page.json().as_array().unwrap().iter().map(|thing| thing["id"].clone()).collect();
        let ids = ids.iter().filter_map(Value::as_str).collect();
        let next = page.header("next-range").map(str::to_owned);
        range = next.clone().unwrap_or_default();
        seen.push((ids, next));
        if range.is_empty() {
            break;
        }
    }
    seen
}

fn page(ids: &str, next: Option<&str>) -> (String, Option<String>) {
    (ids.to_owned(), next.map(str::to_owned))
}

#[tokio::test]
async fn a_repeated_next_range_leads_to_the_same_page_for_ever() {
    let (_provider, client) = faulty(Fault::RepeatedNextRange.on("/things")).await;
    let same = page("cd", Some("id ]b.."));
    assert_eq!(follow(&client, 4).await, [page("ab", Some("id ]b..")), same.clone(), same.clone(), same]);
}

#[tokio::test]
async fn a_circular_next_range_leads_back_to_the_first_page() {
    let (_provider, client) = faulty(Fault::CircularNextRange.on("/things")).await;
    let (first, second) = (page("ab", Some("id ]b..")), page("cd", Some("id ]d..")));
    assert_eq!(follow(&client, 4).await, [first.clone(), second, page("e", Some("id ..")), first]);
}

#[tokio::test]
async fn duplicated_items_open_each_page_with_the_last_of_the_one_before() {
    let (_provider, client) = faulty(Fault::DuplicatedItems.on("/things")).await;
    let pages = [page("ab", Some("id ]b..")), page("bcd", Some("id ]d..")), page("de", None)];
    assert_eq!(follow(&client, 9).await, pages);
}

#[tokio::test]
async fn a_body_of_a_size_comes_announced_or_in_chunks() {
    for announced in [true, false] {
        let (_provider, client) = faulty(Fault::BodyOf { bytes: 3_000_000, announced }).await;
        let huge = answered(client.get("/one")).await;
        assert_eq!((huge.status, huge.body.len()), (200, 3_000_000));
        assert_eq!(huge.header("content-length").is_some(), announced);
    }
}

#[tokio::test]
async fn split_characters_reach_the_client_in_chunks_that_are_no_text() {
    let (_provider, client) = faulty(Fault::SplitCharacters.on("/one")).await;
    let mut split = client.get("/one").send().await.unwrap();
    let (mut whole, mut broken) = (Vec::new(), 0);
    while let Some(chunk) = split.chunk().await.unwrap() {
        broken += usize::from(std::str::from_utf8(&chunk).is_err());
        whole.extend_from_slice(&chunk);
    }
    assert!(broken > 1);
    assert_eq!(serde_json::from_slice::<Value>(&whole).unwrap(), json!({"name": "Größe 大きさ"}));
}
