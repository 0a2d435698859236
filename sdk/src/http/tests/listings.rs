//! Lists over several pages.

use futures::{StreamExt, TryStreamExt};

use crate::RawJson;

use super::super::testing_server::{Received, Reply, Server, answer, ok};
use super::super::{
    Answer, Cursor, Item, Links, Listing, Next, Numbered, Page, Pagination, ProviderError, ProviderErrorKind, Ranges,
    Request,
};
use super::{Team, client};

const BY_ID: Ranges = Ranges { order_by: "id", max: 1_000 };

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
    let server = Server::answering(|_, _| answer("200 OK", &[("Next-Range", "id ]a..")], r#"[{"id":"a"}]"#)).await;
    assert_eq!(ids(teams(&server)).await.unwrap(), ["a"]);
    assert_eq!(ids(client(&server).get("/teams", &[]).list()).await.unwrap(), ["a"]);
    assert_eq!(ranges(&server), ["id ..; max=1000", ""]);
}

#[tokio::test]
async fn elements_come_by_their_pages_and_what_does_not_fit_in_its_place() {
    let server = Server::answering(|_, request| match request.header("range") {
        "id ..; max=1000" => part("id ]b..", r#"[{"id":"a"},{"id":"b"},{"id":7},{"id":"c"}]"#),
        _ => ok(r#"[{"id":"d"},{"id":"e"}]"#),
    })
    .await;
    let pages = teams(&server).by_page().map(|page| match page {
        Ok(page) => page.iter().map(|team| team.id.as_str()).collect::<Vec<_>>().join(" "),
        Err(error) => format!("{:?}", error.kind),
    });
    assert_eq!(pages.collect::<Vec<_>>().await, ["a b", "Unexpected", "c", "d e"]);
}

#[tokio::test]
async fn the_last_of_several_ranges_may_be_partial_too() {
    let server = Server::answering(|number, _| match number {
        0 => part("id ]a..", r#"[{"id":"a"}]"#),
        _ => answer("206 Partial Content", &[], r#"[{"id":"b"}]"#),
    })
    .await;
    assert_eq!(ids(teams(&server)).await.unwrap(), ["a", "b"]);
    assert_eq!(ranges(&server)[1], "id ]a..; max=1000", "the page size is kept");
}

#[tokio::test]
async fn a_list_cut_off_without_a_way_on_is_an_error_after_its_elements() {
    let server = Server::answering(|_, _| answer("206 Partial Content", &[], r#"[{"id":"a"}]"#)).await;
    let mut listing = teams(&server);
    assert_eq!(listing.try_next().await.unwrap().unwrap().id, "a");
    let error = listing.try_next().await.unwrap_err();
    assert!(error.to_string().contains("without a Next-Range"), "{error}");
    assert!(listing.next().await.is_none());
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
    assert!(error.to_string().contains("the provider repeats page `id ]a..; max=1000`"), "{error}");
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
    for named in ["none", "id", "email"] {
        let server = Server::answering(move |_, request| match request.header("range") {
            "" => part("id ]a..", r#"[{"id":"a"}]"#),
            "id ]a..; max=1000" => ok(r#"[{"id":"b"}]"#),
            _ => answer("416 Range Not Satisfiable", &[("Accept-Ranges", named)], ""),
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
    assert!(error.to_string().ends_with("a list should come as a JSON array, and an object came"), "{error}");
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

/// A marker in the body: what another provider would bring.
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
    let cursor = Cursor { parameter: "after", elements: "/data/all", next: "/paging/after" };
    let teams = client(&server).get("/teams", &[]).query("limit", 1).pages(cursor);
    assert_eq!(ids(teams).await.unwrap(), ["a", "b"]);
    assert_eq!(paths(&server), ["/teams?limit=1", "/teams?limit=1&after=7", "/teams?limit=1&after=x+y"]);
}

#[tokio::test]
async fn a_body_without_the_elements_of_a_cursor_is_an_error_that_names_their_place() {
    let server = Server::answering(|_, _| ok(r#"{"items":[]}"#)).await;
    let cursor = Cursor { parameter: "after", elements: "/data", next: "/next" };
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
    let teams = client(&server).get("/teams", &[]).query("size", 1).pages(Links::Header);
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
    let links = Links::Body { elements: "/value", next: "/nextLink" };
    assert_eq!(ids(client(&server).get("/teams", &[]).pages(links)).await.unwrap(), ["a", "b"]);
    assert_eq!(paths(&server), ["/teams", "/teams?skip=1"]);
}

#[tokio::test]
async fn numbered_pages_end_with_one_that_is_not_full() {
    let server = Server::answering(|number, _| match number {
        0 => ok(r#"[{"id":"a"},{"id":"b"}]"#),
        _ => ok("[]"),
    })
    .await;
    let numbered = Numbered { page: "page", first: 0, per_page: "size", size: 2 };
    assert_eq!(ids(client(&server).get("/teams", &[]).pages(numbered)).await.unwrap(), ["a", "b"]);
    assert_eq!(paths(&server), ["/teams?size=2&page=0", "/teams?size=2&page=1"]);
}
