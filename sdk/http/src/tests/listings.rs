//! Lists over several pages.

use std::sync::{Arc, Mutex};

use futures::{StreamExt, TryStreamExt};
use serde_json::json;

use integration_graph::RawJson;

use super::super::testing_server::{Received, Reply, Server, answer, ok};
use super::super::{
    Answer, CursorPagination, Item, LinkPagination, Listing, Next, Page, PageNumberPagination, Pagination,
    ProviderError, ProviderErrorKind, RangePagination, Request,
};
use super::{Team, client};

const BY_ID: RangePagination = RangePagination { order_by: "id", max: 1_000 };

fn teams(server: &Server) -> Listing<Team> {
    client(server).get("/teams", &[]).ranges(BY_ID)
}

fn part(next: &str, body: &str) -> Reply {
    answer("206 Partial Content", &[("Next-Range", next)], body)
}

async fn ids(listing: Listing<Team>) -> Result<Vec<String>, ProviderError> {
    listing.map_ok(|team| team.value.id).try_collect().await
}

fn ranges(server: &Server) -> Vec<String> {
    server.received().iter().map(|request| request.header("range").to_owned()).collect()
}

fn two_pages(_: usize, request: &Received) -> Reply {
    match request.header("range") {
        "id ..; max=1000" => part("id ]b..; max=1000", r#"[{"id":"a"},{"id":"b"}]"#),
        "id ]b..; max=1000" => ok(r#"[{"id":"b"},{"id":"c"}]"#),
        _ => answer("400 Bad Request", &[], ""),
    }
}

#[tokio::test]
async fn a_list_is_read_over_all_its_ranges() {
    let server = Server::answering(two_pages).await;
    assert_eq!(ids(teams(&server)).await.unwrap(), ["a", "b", "b", "c"]);
    assert_eq!(ranges(&server), ["id ..; max=1000", "id ]b..; max=1000"]);
}

#[tokio::test]
async fn elements_met_twice_are_one_where_an_identity_is_given() {
    let server = Server::answering(two_pages).await;
    assert_eq!(ids(teams(&server).unique_by(|team| team.id.clone())).await.unwrap(), ["a", "b", "c"]);
}

#[tokio::test]
async fn an_element_that_is_met_again_in_another_form_is_kept() {
    let body = r#"[{"id":"a","at":1},{"id":"b"},{"id":"a","at":2},{"id":"a","at":2},{"id":"b"}]"#;
    let server = Server::answering(move |_, _| ok(body)).await;
    assert_eq!(ids(teams(&server).unique_by(|team| team.id.clone())).await.unwrap(), ["a", "b", "a"]);
}

#[tokio::test]
async fn the_next_page_is_asked_for_when_it_is_wanted() {
    let server = Server::answering(two_pages).await;
    let mut listing = teams(&server);
    assert_eq!(server.paths().len(), 0);
    let first: Item<Team> = listing.try_next().await.unwrap().unwrap();
    assert_eq!((first.id.as_str(), first.raw.as_str()), ("a", r#"{"id":"a"}"#));
    listing.try_next().await.unwrap();
    assert_eq!(server.paths().len(), 1);
    listing.try_next().await.unwrap();
    assert_eq!(server.paths().len(), 2);
}

#[tokio::test]
async fn a_list_without_ranges_is_one_page() {
    let server = Server::answering(|_, _| ok(r#"[{"id":"a"}]"#)).await;
    assert_eq!(ids(teams(&server)).await.unwrap(), ["a"]);
    assert_eq!(ids(client(&server).get("/teams", &[]).list()).await.unwrap(), ["a"]);
    assert_eq!(ranges(&server), ["id ..; max=1000", ""]);
}

#[tokio::test]
async fn a_list_of_one_answer_that_is_cut_off_is_an_error_after_its_elements() {
    let server = Server::answering(|_, _| part("id ]a..", r#"[{"id":"a"}]"#)).await;
    let elements: Vec<_> = client(&server).get("/teams", &[]).list::<Team>().collect().await;
    assert!(elements[0].is_ok());
    assert!(elements[1].as_ref().unwrap_err().to_string().contains("only a part of the list (206)"), "{elements:?}");
}

#[tokio::test]
async fn no_content_is_an_empty_list_if_the_request_says_so() {
    let bodies = [("204 No Content", ""), ("200 OK", "null"), ("200 OK", r#"{"items":null,"next":null}"#)];
    for (number, (status, body)) in bodies.into_iter().enumerate() {
        let server = Server::answering(move |_, _| answer(status, &[], body)).await;
        let cursor = CursorPagination { parameter: "after", elements: "/items", next: "/next" };
        let request = || client(&server).get("/teams", &[]);
        assert!(ids(request().pages(cursor)).await.is_err(), "{body}");
        assert_eq!(ids(request().absent_is_empty().pages(cursor)).await.unwrap(), [""; 0], "{body}");
        if number < 2 {
            assert!(ids(request().list()).await.is_err(), "{body}");
            assert_eq!(ids(request().absent_is_empty().list()).await.unwrap(), [""; 0], "{body}");
            assert_eq!(ids(request().absent_is_empty().ranges(BY_ID)).await.unwrap(), [""; 0], "{body}");
        }
    }
    let server = Server::answering(|_, _| ok(r#"{"teams":[]}"#)).await;
    assert!(ids(client(&server).get("/teams", &[]).absent_is_empty().list()).await.is_err());
}

#[tokio::test]
async fn elements_come_by_their_pages_and_what_does_not_fit_in_its_place() {
    let server = Server::answering(|_, request| match request.header("range") {
        "id ..; max=1000" => part("id ]b..", r#"[{"id":"a"},{"id":"b"},{"id":null},{"id":"c"}]"#),
        _ => ok(r#"[{"id":"d"},{"id":"e"}]"#),
    })
    .await;
    let pages = teams(&server).by_page().map(|page| match page {
        Ok(page) => page.iter().map(|team| team.id.as_str()).collect::<Vec<_>>().join(" "),
        Err(error) => format!("{:?}", error.kind),
    });
    assert_eq!(pages.collect::<Vec<_>>().await, ["a b", "Unexpected", "c", "d e"]);
}

/// Returns the ids of a list, and the reports of its unreadable elements.
async fn reported(body: &'static str, unique: bool) -> (Vec<String>, Vec<String>) {
    let server = Server::answering(move |number, _| if number == 0 { part("id ]b..", body) } else { ok(body) }).await;
    let reports = Arc::new(Mutex::new(Vec::new()));
    let kept = Arc::clone(&reports);
    let http = client(&server).reporting(Arc::new(move |error| kept.lock().unwrap().push(error.to_string())));
    let listing: Listing<Team> = http.get("/teams", &[]).ranges(BY_ID);
    let listing = if unique { listing.unique_by(|team| team.id.clone()) } else { listing };
    let ids = ids(listing).await.unwrap();
    (ids, reports.lock().unwrap().clone())
}

#[tokio::test]
async fn a_list_goes_on_behind_an_element_that_does_not_fit_and_reports_it_once() {
    let odd = r#"[{"id":"a"},{"id":null,"name":"Ops"},7,{"id":17}]"#;
    let (ids, reports) = reported(odd, true).await;
    assert_eq!(ids, ["a", "17"]);
    let expected = [
        "GET /teams did not answer as expected: the element of name Ops does not fit: `id`: invalid type: null, \
         expected a string",
        "GET /teams did not answer as expected: element 2 of the list does not fit: invalid type: integer `7`, \
         expected struct Team",
    ];
    assert_eq!(reports, expected);
    assert_eq!(reported(odd, false).await.1.len(), 4);
}

#[tokio::test]
async fn an_element_that_does_not_fit_has_a_stand_in_with_its_id() {
    #[derive(Debug, serde::Deserialize)]
    struct Dated {
        id: String,
        at: Option<integration_graph::Timestamp>,
    }
    let body = r#"[{"id":"a","at":"2020-01-01T00:00:00Z"},{"id":"b","at":"yesterday"},{"id":7,"at":[]},{"id":null,"at":1.5},
        {"id":"b","at":"yesterday"}]"#;
    let server = Server::answering(move |_, _| ok(body)).await;
    let reports = Arc::new(Mutex::new(0));
    let counted = Arc::clone(&reports);
    let http = client(&server).reporting(Arc::new(move |_| *counted.lock().unwrap() += 1));
    let listing: Listing<Dated> = http.get("/dated", &[]).list();
    let items: Vec<_> = listing.unique_by(|dated| dated.id.clone()).with_stand_ins().try_collect().await.unwrap();
    let seen: Vec<_> = items.iter().map(|item| (item.id.as_str(), item.at.is_some(), item.is_stand_in())).collect();
    assert_eq!(seen, [("a", true, false), ("b", false, true), ("7", false, true)]);
    assert_eq!(*reports.lock().unwrap(), 3);
}

#[tokio::test]
async fn the_identity_of_an_odd_element_does_not_carry_a_secret_or_control_characters() {
    let (_, reports) = reported(r#"[{"name":"of s3cret-t0ken\u001b[31m"}]"#, true).await;
    assert!(reports[0].contains("the element of name of [secret] [31m does not fit"), "{}", reports[0]);
}

#[tokio::test]
async fn a_range_that_comes_back_ends_the_list_with_an_error() {
    let server = Server::answering(|number, _| part(["id ]a..", "id ]b.."][number % 2], r#"[{"id":"x"}]"#)).await;
    let elements: Vec<_> = teams(&server).take(20).collect().await;
    assert_eq!(server.paths().len(), 3);
    let (error, before) = elements.split_last().unwrap();
    assert!(before.len() == 3 && before.iter().all(Result::is_ok));
    let error = error.as_ref().unwrap_err();
    assert_eq!(error.kind, ProviderErrorKind::Unexpected);
    assert!(error.to_string().contains("the provider repeats page `id ]a..`"), "{error}");
}

#[tokio::test]
async fn an_order_that_is_refused_gives_way_to_one_that_is_named() {
    let server = Server::answering(|_, request| match request.header("range") {
        "email ..; max=1000" => ok(r#"[{"id":"a"}]"#),
        _ => answer("416 Range Not Satisfiable", &[("Accept-Ranges", "email")], ""),
    })
    .await;
    assert_eq!(ids(teams(&server)).await.unwrap(), ["a"]);
    assert_eq!(ranges(&server), ["id ..; max=1000", "email ..; max=1000"]);
}

#[tokio::test]
async fn ranges_that_are_refused_give_way_to_none() {
    for (named, status) in
        [("none", "416 Range Not Satisfiable"), ("id", "416 Range Not Satisfiable"), ("email", "400 Bad Request")]
    {
        let server = Server::answering(move |_, request| match request.header("range") {
            "" => part("id ]a..", r#"[{"id":"a"}]"#),
            "id ]a.." => ok(r#"[{"id":"b"}]"#),
            _ => answer(status, &[("Accept-Ranges", named)], ""),
        })
        .await;
        assert_eq!(ids(teams(&server)).await.unwrap(), ["a", "b"], "{named}");
    }
}

#[tokio::test]
async fn a_provider_that_refuses_every_way_is_an_error() {
    let server = Server::answering(|_, _| answer("416 Range Not Satisfiable", &[], "")).await;
    let error = ids(teams(&server)).await.unwrap_err();
    assert_eq!((error.kind, error.status()), (ProviderErrorKind::Rejected, Some(416)));
    assert!(server.paths().len() <= 4);
}

#[tokio::test]
async fn an_element_that_does_not_fit_is_an_error_in_its_place() {
    let server = Server::answering(|number, _| match number {
        0 => part("id ]a..", r#"[{"id":"a"}]"#),
        _ => ok(r#"[{"id":null},{"id":"c"}]"#),
    })
    .await;
    let elements: Vec<_> = teams(&server).collect().await;
    let error = elements[1].as_ref().unwrap_err();
    assert_eq!(error.kind, ProviderErrorKind::Unexpected);
    assert_eq!(
        error.to_string(),
        "GET /teams did not answer as expected: element 1 of the list does not fit: \
         `id`: invalid type: null, expected a string"
    );
    assert_eq!(elements[2].as_ref().unwrap().id, "c");
}

#[tokio::test]
async fn an_answer_that_is_no_list_is_an_error() {
    let server = Server::answering(|_, _| ok(r#"{"teams":[]}"#)).await;
    let error = ids(teams(&server)).await.unwrap_err();
    assert!(error.to_string().ends_with("expected a list as a JSON array, found an object"), "{error}");
    assert_eq!(server.paths().len(), 1);
}

#[tokio::test]
async fn a_page_that_fails_for_good_ends_the_list() {
    let server = Server::answering(|number, _| match number {
        0 => part("id ]a..", r#"[{"id":"a"}]"#),
        _ => answer("503 Service Unavailable", &[], ""),
    })
    .await;
    let elements: Vec<_> = teams(&server).collect().await;
    assert_eq!(elements.len(), 2);
    assert_eq!(elements[1].as_ref().unwrap_err().kind, ProviderErrorKind::RetriesExceeded);
}

#[tokio::test]
async fn a_page_that_breaks_off_is_asked_for_again_and_no_element_is_doubled() {
    let server = Server::answering(|number, _| match number {
        0 => part("id ]a..", r#"[{"id":"a"}]"#),
        1 => Reply::Cut(b"HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\n[{\"id\":\"b\"},".to_vec()),
        _ => ok(r#"[{"id":"b"}]"#),
    })
    .await;
    assert_eq!(ids(teams(&server)).await.unwrap(), ["a", "b"]);
}

/// A pagination by a cursor in the body, as an integration could implement it.
struct Marker;

impl Pagination for Marker {
    fn ask(&self, request: Request, position: Option<&str>) -> Request {
        match position {
            Some(cursor) => request.query("cursor", cursor),
            None => request,
        }
    }
    fn read(&self, answer: Answer<'_>, _: Option<&str>) -> Result<Page, String> {
        let Cut { items, next } = answer.json()?;
        Ok(Page { elements: items, next: next.map_or(Next::End, Next::At) })
    }
}

#[derive(serde::Deserialize)]
struct Cut {
    items: Vec<RawJson>,
    next: Option<String>,
}

#[tokio::test]
async fn another_pagination_brings_its_own_positions() {
    let server = Server::answering(|_, request| match request.path.as_str() {
        "/teams" => ok(r#"{"items":[{"id":"a"}],"next":"2 3"}"#),
        _ => ok(r#"{"items":[{"id":"b"}]}"#),
    })
    .await;
    assert_eq!(ids(client(&server).get("/teams", &[]).pages(Marker)).await.unwrap(), ["a", "b"]);
    assert_eq!(server.paths(), ["/teams", "/teams?cursor=2+3"]);
}

#[tokio::test]
async fn a_listing_can_move_between_tasks() {
    let server = Server::answering(two_pages).await;
    let mut listing = teams(&server);
    listing.try_next().await.unwrap();
    let rest = tokio::spawn(ids(listing)).await.unwrap().unwrap();
    assert_eq!(rest, ["b", "b", "c"]);
}

fn paths(server: &Server) -> Vec<String> {
    server.received().iter().map(|request| request.path.clone()).collect()
}

#[tokio::test]
async fn a_cursor_is_followed_until_the_body_has_none() {
    let server = Server::answering(|number, _| match number {
        0 => ok(r#"{"data":{"all":[{"id":"a"}]},"paging":{"after":7}}"#),
        1 => ok(r#"{"data":{"all":[]},"paging":{"after":"x y"}}"#),
        _ => ok(r#"{"data":{"all":[{"id":"b"}]},"paging":{"after":null}}"#),
    })
    .await;
    let cursor = CursorPagination { parameter: "after", elements: "/data/all", next: "/paging/after" };
    let teams = client(&server).get("/teams", &[]).query("limit", 1).pages(cursor);
    assert_eq!(ids(teams).await.unwrap(), ["a", "b"]);
    assert_eq!(paths(&server), ["/teams?limit=1", "/teams?limit=1&after=7", "/teams?limit=1&after=x+y"]);
}

#[tokio::test]
async fn a_body_without_the_elements_of_a_cursor_is_an_error_that_names_their_place() {
    let server = Server::answering(|_, _| ok(r#"{"items":[]}"#)).await;
    let cursor = CursorPagination { parameter: "after", elements: "/data", next: "/next" };
    let error = ids(client(&server).get("/teams", &[]).pages(cursor)).await.unwrap_err();
    assert!(error.to_string().contains("`/data`"), "{error}");
}

#[tokio::test]
async fn of_a_link_only_the_query_is_followed() {
    let next = [("Link", r#"<https://elsewhere.example/v2/teams?page=2&size=1>; rel="next""#)];
    let server = Server::answering(move |number, _| match number {
        0 => answer("200 OK", &next, r#"[{"id":"a"}]"#),
        _ => ok(r#"[{"id":"b"}]"#),
    })
    .await;
    let teams = client(&server).get("/teams", &[]).query("size", 1).pages(LinkPagination::Header);
    assert_eq!(ids(teams).await.unwrap(), ["a", "b"]);
    assert_eq!(paths(&server), ["/teams?size=1", "/teams?page=2&size=1"]);
}

#[tokio::test]
async fn a_link_in_the_body_is_followed() {
    let server = Server::answering(|number, _| match number {
        0 => ok(r#"{"value":[{"id":"a"}],"nextLink":"/teams?skip=1"}"#),
        _ => ok(r#"{"value":[{"id":"b"}]}"#),
    })
    .await;
    let links = LinkPagination::Body { elements: "/value", next: "/nextLink" };
    assert_eq!(ids(client(&server).get("/teams", &[]).pages(links)).await.unwrap(), ["a", "b"]);
    assert_eq!(paths(&server), ["/teams", "/teams?skip=1"]);
}

const NUMBERED: PageNumberPagination = PageNumberPagination { page: "page", first: 0, per_page: "size", size: 100 };

/// Lists teams from a provider with numbered pages of at most `cap` elements.
async fn numbered(teams: usize, cap: usize) -> (Server, Result<Vec<String>, ProviderError>) {
    let server = Server::answering(move |_, request| {
        let number = |name: &str| -> usize {
            let found = request.path.split(['?', '&']).find_map(|part| part.strip_prefix(name)).unwrap();
            found.parse().unwrap()
        };
        let (page, size) = (number("page="), number("size=").min(cap));
        let ids = (page * size..teams.min((page + 1) * size)).map(|id| json!({"id": id.to_string()}));
        ok(&json!(ids.collect::<Vec<_>>()).to_string())
    })
    .await;
    let found = ids(client(&server).get("/teams", &[]).pages(NUMBERED)).await;
    (server, found)
}

#[tokio::test]
async fn numbered_pages_end_with_one_that_is_empty_or_shorter_than_the_first() {
    for (teams, cap, requests) in
        [(120, 50, 3), (100, 50, 3), (50, 50, 2), (3, 50, 2), (0, 50, 1), (150, 100, 2), (7, 1, 8)]
    {
        let (server, found) = numbered(teams, cap).await;
        let expected: Vec<String> = (0..teams).map(|id| id.to_string()).collect();
        assert_eq!(found.unwrap(), expected, "{teams} teams, {cap} a page");
        assert_eq!(server.paths().len(), requests, "{teams} teams, {cap} a page");
    }
    let (server, _) = numbered(60, 50).await;
    assert_eq!(paths(&server), ["/teams?size=100&page=0", "/teams?size=100&page=1"]);
}

#[tokio::test]
async fn a_page_that_is_not_there_ends_a_list_unless_the_page_before_it_was_full() {
    let page = |elements: usize| json!((0..elements).map(|id| json!({"id": id.to_string()})).collect::<Vec<_>>());
    for (status, elements, ends) in [("404 Not Found", 7, true), ("416 Range", 7, true), ("404 Not Found", 100, false)]
    {
        let body = page(elements).to_string();
        let server = Server::answering(move |number, _| match number {
            0 => ok(&body),
            _ => answer(status, &[], r#"{"message":"no such page"}"#),
        })
        .await;
        let found: Vec<_> = client(&server).get("/teams", &[]).pages::<Team>(NUMBERED).collect().await;
        assert_eq!((found.len(), server.paths().len()), (elements + usize::from(!ends), 2), "{status} {elements}");
        assert_eq!(found.iter().all(Result::is_ok), ends);
    }
    let server = Server::answering(|_, _| answer("404 Not Found", &[], "{}")).await;
    let error = client(&server).get("/teams", &[]).pages::<Team>(NUMBERED).try_next().await.unwrap_err();
    assert_eq!(error.kind, ProviderErrorKind::NotFound, "there is no list");
}

#[tokio::test]
async fn a_provider_that_takes_no_notice_of_numbers_is_an_error_after_its_elements() {
    let server = Server::answering(|_, _| ok(r#"[{"id":"a"},{"id":"b"}]"#)).await;
    let elements: Vec<_> = client(&server).get("/teams", &[]).pages::<Team>(NUMBERED).collect().await;
    assert_eq!((elements.len(), server.paths().len()), (3, 2));
    let error = elements[2].as_ref().unwrap_err();
    assert!(error.to_string().contains("the provider repeats a page"), "{error}");
}
