//! Other faults of the network, from the fake provider and byte by byte.
//!
//! Damaged bodies, silence, and size limits are in `retries` and `limits`, repeated ranges in `listings`.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::future::join_all;
use futures::{StreamExt, TryStreamExt};
use integration_testing::{Answer, FakeProvider, Fault, FaultRule, PageLimits, Reply as Given, Route, Running};
use serde_json::{Value, json};

use super::super::testing_server::{Reply, Server, answer, ok};
use super::super::{Endpoint, Http, ProviderError, ProviderErrorKind, RangePagination, RetryPolicy, TimeLimits};
use super::{Team, endpoint};

const BY_ID: RangePagination = RangePagination { order_by: "id", max: 2 };

fn quick(provider: &Running) -> Endpoint {
    let policy = RetryPolicy {
        attempts: 3,
        first_pause: Duration::from_millis(1),
        longest_pause: Duration::from_millis(5),
        ..RetryPolicy::default()
    };
    Endpoint::new(provider.url().parse().unwrap()).retry(policy)
}

/// Starts a provider of fifty teams with one app each.
async fn fifty_teams() -> (Running, Http) {
    let provider = FakeProvider::start([Route::document("/teams/{id}/apps", json!([{"id": "a"}]))]).await.unwrap();
    let http = Http::connect(quick(&provider)).unwrap();
    (provider, http)
}

async fn apps_of_all(http: &Http) -> Vec<Result<Vec<Team>, ProviderError>> {
    let teams: Vec<String> = (0..50).map(|number| format!("t{number}")).collect();
    join_all(teams.iter().map(|team| http.get("/teams/{id}/apps", &[team]).json::<Vec<Team>>())).await
}

async fn survives(rule: impl Into<FaultRule>) {
    let (provider, http) = fifty_teams().await;
    provider.fault(rule);
    assert!(apps_of_all(&http).await.iter().all(Result::is_ok));
    assert_eq!((provider.requests(), http.usage().total.retries), (100, 50));
    provider.shutdown().await;
}

#[tokio::test]
async fn connections_that_are_reset_are_made_again() {
    survives(FaultRule::from(Fault::ConnectionReset).first_of_each_path(1)).await;
}

#[tokio::test]
async fn bodies_that_are_empty_cut_off_or_malformed_are_asked_for_again() {
    survives(FaultRule::from(Fault::EmptyBody).first_of_each_path(1)).await;
    survives(FaultRule::from(Fault::TruncatedBody { after: 3 }).first_of_each_path(1)).await;
    survives(FaultRule::from(Fault::MalformedJson).first_of_each_path(1)).await;
}

#[tokio::test]
async fn a_storm_of_failures_is_survived_with_fewer_requests_in_flight() {
    let (provider, http) = fifty_teams().await;
    let page = Given::html(503, "<h1>Application error</h1>");
    provider.fault(FaultRule::from(Fault::Status(page)).first_of_each_path(2));
    assert!(apps_of_all(&http).await.iter().all(Result::is_ok));
    assert_eq!((provider.requests(), http.usage().total.retries), (150, 100));
    assert!(http.in_flight_limit() < 16);
    provider.shutdown().await;
}

#[tokio::test]
async fn an_empty_body_that_stays_empty_is_an_error() {
    let (provider, http) = fifty_teams().await;
    provider.fault(Fault::EmptyBody);
    let error = http.get("/teams/{id}/apps", &[&"t1"]).json::<Value>().await.unwrap_err();
    assert_eq!((error.kind, error.attempts()), (ProviderErrorKind::RetriesExceeded, 3));
    assert!(error.to_string().contains("the body is incomplete JSON"), "{error}");
    provider.shutdown().await;
}

#[tokio::test]
async fn json_of_another_media_type_is_read_all_the_same() {
    let (provider, http) = fifty_teams().await;
    provider.fault(Fault::WrongContentType("text/html".into()));
    assert!(apps_of_all(&http).await.iter().all(Result::is_ok));
    assert_eq!(provider.requests(), 50);
    provider.shutdown().await;
}

#[tokio::test]
async fn a_refusal_for_one_team_among_many_is_that_teams_alone() {
    let (provider, http) = fifty_teams().await;
    let refusal = Given::json(403, &json!({"id": "forbidden", "message": "no"}));
    provider.fault(Fault::Status(refusal).on("/teams/t7/apps"));
    let apps = apps_of_all(&http).await;
    let failed: Vec<_> = apps.iter().filter_map(|apps| apps.as_ref().err()).collect();
    assert_eq!(failed.len(), 1);
    assert_eq!((failed[0].kind, failed[0].endpoint()), (ProviderErrorKind::Authorization, Some("/teams/t7/apps")));
    assert_eq!(provider.requests(), 50);
    provider.shutdown().await;
}

#[tokio::test]
async fn a_key_that_is_revoked_in_the_middle_of_a_list_ends_it_at_once() {
    let server = Server::answering(|number, _| match number {
        0 => answer("206 Partial Content", &[("Next-Range", "id ]a..")], r#"[{"id":"a"}]"#),
        _ => answer("401 Unauthorized", &[], r#"{"id":"unauthorized","message":"Invalid credentials provided."}"#),
    })
    .await;
    let http = Http::connect(endpoint(&server)).unwrap();
    let elements: Vec<_> = http.get("/teams", &[]).ranges::<Team>(BY_ID).collect().await;
    assert_eq!(elements.len(), 2);
    let error = elements[1].as_ref().unwrap_err();
    assert_eq!((error.kind, error.attempts()), (ProviderErrorKind::Authentication, 1));
    assert_eq!(server.paths().len(), 2);
}

#[tokio::test]
async fn things_deleted_while_they_are_listed_take_no_others_with_them() {
    let rows = Arc::new(Mutex::new(["a", "b", "c", "d", "e"].map(|id| json!({"id": id})).to_vec()));
    let listed = Arc::clone(&rows);
    let route = Route::get("/teams", move |_| Answer::list(listed.lock().unwrap().clone())).sortable(["id"]);
    let limits = PageLimits { default: 2, maximum: 2 };
    let provider = FakeProvider::start([route.page_limits(limits)]).await.unwrap();
    let http = Http::connect(quick(&provider)).unwrap();
    let mut listing = http.get("/teams", &[]).ranges::<Team>(BY_ID);
    assert_eq!(listing.try_next().await.unwrap().unwrap().id, "a");
    // Delete elements of the received page, at the start of the next page, and after it.
    rows.lock().unwrap().retain(|team| !["a", "b", "d"].contains(&team["id"].as_str().unwrap()));
    let rest: Vec<String> = listing.map_ok(|team| team.value.id).try_collect().await.unwrap();
    assert_eq!(rest, ["b", "c", "e"]);
    provider.shutdown().await;
}

#[tokio::test]
async fn a_list_without_an_end_is_given_up_at_the_limit_of_pages() {
    let server = Server::answering(|number, _| {
        let next = format!("id ]{number:09}..");
        answer("206 Partial Content", &[("Next-Range", &next)], &format!(r#"[{{"id":"{number}"}}]"#))
    })
    .await;
    let http = Http::connect(endpoint(&server).most_pages(5)).unwrap();
    let elements: Vec<_> = http.get("/teams", &[]).ranges::<Team>(BY_ID).take(20).collect().await;
    let (error, before) = elements.split_last().unwrap();
    assert!(before.len() == 5 && before.iter().all(Result::is_ok));
    let error = error.as_ref().unwrap_err();
    assert_eq!(error.kind, ProviderErrorKind::Unexpected);
    assert!(error.to_string().contains("the list continues after 5 pages"), "{error}");
    assert_eq!(server.paths().len(), 5);
}

#[tokio::test]
async fn a_list_of_as_many_pages_as_the_limit_is_whole() {
    let server = Server::answering(|number, _| match number {
        0 => answer("206 Partial Content", &[("Next-Range", "id ]a..")], r#"[{"id":"a"}]"#),
        _ => ok(r#"[{"id":"b"}]"#),
    })
    .await;
    let http = Http::connect(endpoint(&server).most_pages(2)).unwrap();
    let elements: Vec<_> = http.get("/teams", &[]).ranges::<Team>(BY_ID).try_collect().await.unwrap();
    assert_eq!(elements.len(), 2);
}

#[tokio::test]
async fn a_body_that_pauses_within_the_limit_is_read_and_one_that_drips_without_an_end_is_given_up() {
    let (provider, http) = fifty_teams().await;
    provider.fault(FaultRule::from(Fault::Stall { after: 2, pause: Some(Duration::from_millis(50)) }).first(1));
    http.get("/teams/{id}/apps", &[&"t1"]).json::<Value>().await.unwrap();
    assert_eq!(provider.requests(), 1);
    provider.shutdown().await;

    let whole = TimeLimits { request: Duration::from_millis(200), ..TimeLimits::default() };
    let head = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\n[\r\n".to_vec();
    let server = Server::answering(move |_, _| Reply::Drip(head.clone(), b"1\r\n \r\n".to_vec())).await;
    let http = Http::connect(endpoint(&server).time_limits(whole)).unwrap();
    let error = http.get("/x", &[]).json::<Value>().await.unwrap_err();
    assert_eq!(error.to_string(), "GET /x failed: no complete response within the time limit (3 attempts)");
}

#[tokio::test]
async fn a_provider_whose_clock_is_years_off_is_waited_for_as_long_as_it_says() {
    let headers = [("Date", "Sat, 01 Jan 2000 00:00:00 GMT"), ("Retry-After", "Sat, 01 Jan 2000 00:10:00 GMT")];
    let server = Server::answering(
        move |number, _| if number == 0 { answer("503 Service Unavailable", &headers, "") } else { ok("7") },
    )
    .await;
    let longest = Duration::from_millis(150);
    let policy =
        RetryPolicy { first_pause: Duration::from_millis(1), longest_pause: longest, ..RetryPolicy::default() };
    let http = Http::connect(endpoint(&server).retry(policy)).unwrap();
    http.get("/x", &[]).json::<u8>().await.unwrap();
    let received = server.received();
    assert!(received[1].at - received[0].at >= longest, "the demanded ten minutes are limited to the longest pause");
}
