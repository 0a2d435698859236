//! Lists with random links between their pages.
//!
//! For every link structure, the walk ends and yields each element once.

use std::collections::BTreeSet;

use futures::StreamExt;
use proptest::prelude::*;
use serde_json::json;

use super::super::testing_server::{Received, Reply, Server, answer, ok};
use super::super::{CursorPagination, LinkPagination, Listing, RangePagination};
use super::{Team, client};

/// The pagination that identifies the next page.
#[derive(Debug, Clone, Copy)]
enum Kind {
    Cursor,
    Link,
    Range,
}

/// The ids of each page, and the index of the next page.
type Pages = Vec<(Vec<u8>, Option<usize>)>;

fn pages() -> impl Strategy<Value = Pages> {
    let page = |pages: usize| (proptest::collection::vec(0..12_u8, 0..4), proptest::option::weighted(0.8, 0..pages));
    (1..6_usize).prop_flat_map(move |pages| proptest::collection::vec(page(pages), pages))
}

fn kind() -> impl Strategy<Value = Kind> {
    prop_oneof![Just(Kind::Cursor), Just(Kind::Link), Just(Kind::Range)]
}

/// Returns the number after the last `=` or `]`, or the first page without one.
fn asked_for(kind: Kind, request: &Received) -> usize {
    let text = match kind {
        Kind::Cursor | Kind::Link => request.path.rsplit_once('=').map(|(_, number)| number.to_owned()),
        Kind::Range => request.header("range").split_once(']').map(|(_, rest)| rest.replace("..", "")),
    };
    text.map_or(0, |number| number.parse().unwrap())
}

fn reply(kind: Kind, (ids, next): &(Vec<u8>, Option<usize>)) -> Reply {
    let elements: Vec<_> = ids.iter().map(|id| json!({"id": id.to_string()})).collect();
    let list = json!(elements).to_string();
    match (kind, next) {
        (Kind::Cursor, _) => ok(&json!({"items": elements, "next": next}).to_string()),
        (Kind::Link, Some(next)) => answer("200 OK", &[("Link", &format!(r#"</teams?at={next}>; rel="next""#))], &list),
        (Kind::Range, Some(next)) => answer("206 Partial Content", &[("Next-Range", &format!("id ]{next}.."))], &list),
        (Kind::Link | Kind::Range, None) => ok(&list),
    }
}

/// Returns the ids of the walk, and whether it ends with an error for a repeated page.
fn expected(pages: &Pages) -> (Vec<String>, bool) {
    let (mut ids, mut positions, mut at) = (Vec::new(), BTreeSet::new(), 0);
    loop {
        let (here, next) = &pages[at];
        for id in here.iter().map(u8::to_string) {
            if !ids.contains(&id) {
                ids.push(id);
            }
        }
        match next {
            None => return (ids, false),
            Some(next) if !positions.insert(*next) => return (ids, true),
            Some(next) => at = *next,
        }
    }
}

async fn walk(kind: Kind, pages: Pages) -> (Vec<String>, bool) {
    let server = Server::answering(move |_, request| reply(kind, &pages[asked_for(kind, request)])).await;
    let request = client(&server).get("/teams", &[]);
    let teams: Listing<Team> = match kind {
        Kind::Cursor => request.pages(CursorPagination { parameter: "at", elements: "/items", next: "/next" }),
        Kind::Link => request.pages(LinkPagination::Header),
        Kind::Range => request.ranges(RangePagination { order_by: "id", max: 9 }),
    };
    let met: Vec<_> = teams.unique_by(|team| team.id.clone()).collect().await;
    let failed = met.last().is_some_and(Result::is_err);
    (met.into_iter().filter_map(|team| Some(team.ok()?.value.id)).collect(), failed)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]
    #[test]
    fn a_walk_over_pages_ends_and_brings_each_element_once(kind in kind(), pages in pages()) {
        let met = tokio::runtime::Runtime::new().unwrap().block_on(walk(kind, pages.clone()));
        prop_assert_eq!(met, expected(&pages));
    }
}
