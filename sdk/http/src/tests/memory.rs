//! The memory for responses.

use futures::future::join_all;
use futures::{StreamExt, TryStreamExt};
use serde_json::{Value, json};

use super::super::testing_server::{Reply, Server, answer, ok, zipped};
use super::super::{Http, Item, MemoryResponseCache};
use super::{client, endpoint};
use crate::Work;

const BODY: usize = 300_000;
const MEMORY: usize = 2_000_000;

/// Returns a list of ten elements.
fn list() -> String {
    let element = json!({"id": "x".repeat(BODY / 10)});
    serde_json::to_string(&vec![element; 10]).unwrap()
}

fn chunked(headers: &str, body: &[u8]) -> Reply {
    let mut pieces = vec![format!("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n{headers}\r\n").into_bytes()];
    for chunk in body.chunks(7_000) {
        pieces.push([format!("{:x}\r\n", chunk.len()).as_bytes(), chunk, b"\r\n"].concat());
    }
    pieces.push(b"0\r\n\r\n".to_vec());
    Reply::Pieces(pieces)
}

/// Reads a list in twenty concurrent partitions, which keep their elements until they end.
async fn collect(http: &Http) {
    let part = async |number: usize| {
        let read = async {
            let list = http.get("/lists/{n}", &[&number]).list::<Value>();
            list.try_collect::<Vec<Item<Value>>>().await.unwrap()
        };
        let elements = Work::partition().scope(read).await;
        tokio::task::yield_now().await;
        assert_eq!(elements.len(), 10);
    };
    join_all((0..20).map(part)).await;
}

/// The maximum: partitions may use three quarters of the memory, and one of them may exceed it.
const MOST: usize = MEMORY / 4 * 3 + 3 * 2 * BODY;

#[tokio::test(flavor = "multi_thread")]
async fn bodies_wait_for_memory_whether_their_length_is_known_or_not() {
    let replies: [fn() -> Reply; 3] = [
        || ok(&list()),
        || chunked("", list().as_bytes()),
        || chunked("content-encoding: gzip\r\n", &zipped(list().as_bytes())),
    ];
    for reply in replies {
        let server = Server::answering(move |_, _| reply()).await;
        let http = Http::connect(endpoint(&server).answer_memory(MEMORY)).unwrap();
        collect(&http).await;
        let most = http.most_answer_memory();
        assert!((3 * BODY..=MOST).contains(&most), "{most}");
        assert_eq!(http.usage().total.retries, 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn kept_answers_wait_for_memory_as_well() {
    let server = Server::answering(|_, request| match request.header("if-none-match") {
        "" => answer("200 OK", &[("ETag", "\"1\"")], &list()),
        _ => answer("304 Not Modified", &[("ETag", "\"1\"")], ""),
    })
    .await;
    let cache = std::sync::Arc::new(MemoryResponseCache::default());
    collect(&client(&server).conditional(cache.clone())).await;
    assert_eq!(cache.len(), 20);
    let http = Http::connect(endpoint(&server).answer_memory(MEMORY)).unwrap().conditional(cache);
    collect(&http).await;
    assert_eq!(http.usage().total.not_modified, 20);
    let most = http.most_answer_memory();
    assert!((3 * BODY..=MOST).contains(&most), "{most}");
}

#[tokio::test]
async fn an_answer_larger_than_all_the_memory_is_collected_alone() {
    let server = Server::answering(|_, _| chunked("", list().as_bytes())).await;
    let http = Http::connect(endpoint(&server).answer_memory(1_000)).unwrap();
    collect(&http).await;
    assert!((3 * BODY..7 * BODY).contains(&http.most_answer_memory()), "{}", http.most_answer_memory());
}

#[tokio::test]
async fn an_element_beyond_its_limit_is_missing_and_the_list_goes_on() {
    let server = Server::answering(|_, _| ok(&format!(r#"["a", "{}", "b"]"#, "x".repeat(99)))).await;
    let http = Http::connect(endpoint(&server).largest_element(100)).unwrap();
    let elements: Vec<_> = http.get("/x", &[]).list::<String>().collect().await;
    assert_eq!(elements.len(), 3);
    assert_eq!((&*elements[0].as_ref().unwrap().value, &*elements[2].as_ref().unwrap().value), ("a", "b"));
    let error = elements[1].as_ref().unwrap_err().to_string();
    assert!(error.contains("has 101 bytes and is larger than the limit of 100 bytes"), "{error}");
}
