//! Ranges of providers that omit, repeat, or vary the position of the next part.

use futures::{StreamExt, TryStreamExt};
use integration_testing::{Answer, Dialect, FakeProvider, PageLimits, ProviderOptions, Route};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::super::testing_server::{Reply, Server, answer, ok};
use super::super::{Endpoint, Http, Listing, ProviderError, ProviderErrorKind, RangePagination};
use super::{Team, client};

const PAGE: RangePagination = RangePagination { order_by: "id", max: 2 };
const PARTIAL: &str = "206 Partial Content";

fn teams(server: &Server) -> Listing<Team> {
    client(server).get("/teams", &[]).ranges(PAGE)
}

async fn ids(listing: Listing<Team>) -> Result<Vec<String>, ProviderError> {
    listing.map_ok(|team| team.value.id).try_collect().await
}

fn ranges(server: &Server) -> Vec<String> {
    server.received().iter().map(|request| request.header("range").to_owned()).collect()
}

#[tokio::test]
async fn a_next_range_counts_whatever_the_status() {
    let server = Server::answering(|number, _| match number {
        0 => answer("200 OK", &[("Next-Range", "id ]b..; max=2")], r#"[{"id":"a"},{"id":"b"}]"#),
        _ => ok(r#"[{"id":"c"}]"#),
    })
    .await;
    assert_eq!(ids(teams(&server)).await.unwrap(), ["a", "b", "c"]);
}

#[tokio::test]
async fn a_next_range_is_sent_back_as_it_came() {
    for next in ["id ]b..; order=asc,max=2", "id ]b..", "id ]b..;max=1", "id b~.. ; order=asc , max=7", "next=b"] {
        let server = Server::answering(move |number, _| match number {
            0 => answer(PARTIAL, &[("Next-Range", next)], r#"[{"id":"a"},{"id":"b"}]"#),
            _ => ok("[]"),
        })
        .await;
        ids(teams(&server)).await.unwrap();
        assert_eq!(ranges(&server), ["id ..; max=2", next]);
    }
}

#[tokio::test]
async fn bytes_that_are_not_ascii_are_sent_back_as_they_came() {
    for next in ["email ]jürgen@exämple.com..; max=2".as_bytes(), b"email ]j\xfcrgen@ex\xe4mple.com..; max=2"] {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let served = std::thread::spawn(move || {
            use std::io::{Read, Write};
            let mut heads = Vec::new();
            for number in 0..2 {
                let (mut stream, _) = listener.accept().unwrap();
                let mut head = Vec::new();
                while !head.ends_with(b"\r\n\r\n") {
                    let mut byte = [0];
                    stream.read_exact(&mut byte).unwrap();
                    head.push(byte[0]);
                }
                heads.push(head);
                let start =
                    format!("HTTP/1.1 206 Partial Content\r\nconnection: close\r\ncontent-length: {}", 2 - number);
                let end: &[u8] = if number == 0 { b"[]" } else { b"" };
                let next = if number == 0 { [b"\r\nNext-Range: ", next].concat() } else { Vec::new() };
                stream.write_all(&[start.as_bytes(), &next, b"\r\n\r\n", end, b" "].concat()).unwrap();
            }
            heads
        });
        let http = Http::connect(
            Endpoint::new(base.parse().unwrap())
                .retry(super::super::RetryPolicy { attempts: 1, ..super::super::RetryPolicy::default() }),
        );
        let _ = ids(http.unwrap().get("/teams", &[]).ranges(PAGE)).await;
        let second = served.join().unwrap().pop().unwrap();
        let wanted = [b"range: ", next, b"\r\n"].concat();
        assert!(second.windows(wanted.len()).any(|part| part == wanted), "{}", String::from_utf8_lossy(&second));
    }
}

/// Starts a provider of a partial list without a `Next-Range`, which then sends `second`.
async fn cut_off(headers: &'static [(&str, &str)], body: &'static str, second: fn() -> Reply) -> Server {
    Server::answering(move |number, _| if number == 0 { answer(PARTIAL, headers, body) } else { second() }).await
}

#[tokio::test]
async fn a_part_without_a_next_range_is_followed_by_what_lies_behind_its_last_element() {
    let two = r#"[{"id":"a"},{"id":"b"}]"#;
    let server = cut_off(&[], two, || ok(r#"[{"id":"c"}]"#)).await;
    assert_eq!(ids(teams(&server)).await.unwrap(), ["a", "b", "c"]);
    assert_eq!(ranges(&server), ["id ..; max=2", "id ]b..; max=2"]);

    // A part that is not full may be partial as well. Only a part without elements ends the list.
    let server = cut_off(&[], r#"[{"id":7}]"#, || answer(PARTIAL, &[], "[]")).await;
    let listed: Vec<Value> =
        client(&server).get("/teams", &[]).ranges::<Value>(PAGE).map_ok(|team| team.value).try_collect().await.unwrap();
    assert_eq!((listed, ranges(&server).pop().unwrap().as_str()), (vec![json!({"id": 7})], "id ]7..; max=2"));
}

#[tokio::test]
async fn the_options_of_the_provider_are_kept_where_it_forgets_its_next_range_later() {
    let server = Server::answering(|number, _| match number {
        0 => answer(PARTIAL, &[("Next-Range", "id ]b..; order=asc,max=7")], r#"[{"id":"a"},{"id":"b"}]"#),
        1 => answer(PARTIAL, &[], r#"[{"id":"c"},{"id":"d"}]"#),
        _ => ok("[]"),
    })
    .await;
    assert_eq!(ids(teams(&server)).await.unwrap(), ["a", "b", "c", "d"]);
    assert_eq!(ranges(&server)[2], "id ]d..; order=asc,max=7");
}

#[tokio::test]
async fn the_content_range_names_what_the_last_element_does_not() {
    let headers = &[("Content-Range", "position 1..2; max=2")];
    let server = Server::answering(move |number, request| match (number, request.header("range")) {
        (0, _) => answer("416 Range Not Satisfiable", &[("Accept-Ranges", "position")], ""),
        (1, _) => answer(PARTIAL, headers, r#"[{"id":"a"},{"id":"b"}]"#),
        _ => ok("[]"),
    })
    .await;
    assert_eq!(ids(teams(&server)).await.unwrap(), ["a", "b"]);
    assert_eq!(ranges(&server)[2], "position ]2..; max=2");
}

/// Returns the number of elements before the error, and the error.
async fn incomplete(server: &Server) -> (usize, ProviderError) {
    let mut elements: Vec<_> = teams(server).collect().await;
    let error = elements.pop().unwrap().unwrap_err();
    assert!(elements.iter().all(Result::is_ok));
    (elements.len(), error)
}

#[tokio::test]
async fn a_list_that_is_cut_off_without_a_way_on_is_never_complete() {
    let refused = || answer("400 Bad Request", &[], r#"{"id":"bad_request","message":"Invalid `Range` header."}"#);
    let server = cut_off(&[], r#"[{"id":"a"},{"id":"b"}]"#, refused).await;
    let (elements, error) = incomplete(&server).await;
    assert_eq!((elements, error.status()), (2, Some(400)));

    let server = cut_off(&[], "[]", || ok("[]")).await;
    let (elements, error) = incomplete(&server).await;
    assert_eq!((elements, server.paths().len()), (0, 1));
    assert!(error.to_string().contains("without a Next-Range"), "{error}");

    // A value that would change the syntax of the range.
    let server = cut_off(&[], r#"[{"id":"a"},{"id":"b; max=1"}]"#, || ok("[]")).await;
    let (elements, error) = incomplete(&server).await;
    assert_eq!((elements, server.paths().len()), (2, 1));
    assert!(error.to_string().contains("without a Next-Range"), "{error}");

    // A provider that ignores ranges.
    let server = Server::answering(|_, _| answer(PARTIAL, &[], r#"[{"id":"a"},{"id":"b"}]"#)).await;
    let (_, error) = incomplete(&server).await;
    assert_eq!((error.kind, server.paths().len()), (ProviderErrorKind::Unexpected, 2));
    assert!(error.to_string().contains("repeats page `id ]b..; max=2`"), "{error}");
}

/// The variations of a provider of ranges.
#[derive(Debug, Clone, Copy)]
struct Manner {
    cap: usize,
    max_in_next_range: bool,
    order_in_next_range: bool,
    /// The first page whose response has no `Next-Range`, as have all later ones.
    forgets_from: usize,
    /// Whether the last page also has the status of a part.
    always_partial: bool,
}

fn manner() -> impl Strategy<Value = Manner> {
    (1..5_usize, any::<bool>(), any::<bool>(), 0..6_usize, any::<bool>()).prop_map(
        |(cap, max_in_next_range, order_in_next_range, forgets_from, always_partial)| Manner {
            cap,
            max_in_next_range,
            order_in_next_range,
            forgets_from,
            always_partial,
        },
    )
}

/// Lists the teams of a strict provider behind a gateway with these variations.
async fn listed(teams: usize, manner: Manner) -> Result<Vec<String>, ProviderError> {
    let rows: Vec<Value> = (0..teams).map(|team| json!({"id": format!("t{team:03}")})).collect();
    let route = Route::get("/teams", move |_| Answer::list(rows.clone())).sortable(["id"]);
    let dialect = Dialect {
        max_in_next_range: manner.max_in_next_range,
        order_in_next_range: manner.order_in_next_range,
        largest_max: Some(3),
        ..Dialect::default()
    };
    let limits = PageLimits { default: 2, maximum: manner.cap };
    let options = ProviderOptions { dialect, page_limits: limits, ..ProviderOptions::default() };
    let provider = FakeProvider::start_with([route], options).await.unwrap();
    let plain = reqwest::Client::builder().no_proxy().tls_certs_only([]).build().unwrap();
    let url = format!("{}/teams", provider.url());
    let gateway = Server::answering(move |number, request| {
        let (plain, url, range) = (plain.clone(), url.clone(), request.header("range").to_owned());
        Reply::Later(Box::pin(async move {
            let given = plain.get(url).header("range", range).send().await.unwrap();
            let next = given.headers().get("next-range").map(|next| next.to_str().unwrap().to_owned());
            let status =
                if manner.always_partial && given.status().is_success() { 206 } else { given.status().as_u16() };
            let body = given.text().await.unwrap();
            let next = next.filter(|_| number < manner.forgets_from);
            let headers: Vec<(&str, &str)> = next.iter().map(|next| ("Next-Range", next.as_str())).collect();
            answer(&format!("{status} Some"), &headers, &body)
        }))
    })
    .await;
    let found = ids(client(&gateway).get("/teams", &[]).ranges(RangePagination { order_by: "id", max: 3 })).await;
    provider.shutdown().await;
    found
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]
    #[test]
    fn a_list_in_ranges_is_whole_and_in_order_whatever_the_manner(teams in 0..14_usize, manner in manner()) {
        let found = tokio::runtime::Runtime::new().unwrap().block_on(listed(teams, manner));
        let expected: Vec<String> = (0..teams).map(|team| format!("t{team:03}")).collect();
        match found {
            Ok(found) => prop_assert_eq!(found, expected),
            // An empty part has no position to continue from.
            Err(error) => prop_assert!(teams == 0 && manner.always_partial, "{}", error),
        }
    }
}
