//! Compressed responses.

use super::super::testing_server::{Reply, Server, ok, zipped};
use super::super::{Http, ProviderErrorKind};
use super::{client, endpoint};

fn encoded(status: &str, name: &str, body: &[u8]) -> Reply {
    let head = format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\ncontent-encoding: {name}\r\n\r\n", body.len());
    Reply::Pieces(vec![[head.as_bytes(), body].concat()])
}

#[tokio::test]
async fn a_compressed_answer_is_asked_for_read_and_counted_as_it_travelled() {
    let list = serde_json::to_string(&vec!["the same again"; 500]).unwrap();
    let travelled = zipped(list.as_bytes());
    let (length, body) = (travelled.len() as u64, travelled.clone());
    let server = Server::answering(move |_, _| encoded("200 OK", "gzip", &body)).await;
    let http = client(&server);
    assert_eq!(http.get("/apps", &[]).json::<Vec<String>>().await.unwrap().len(), 500);
    assert_eq!(server.received()[0].header("accept-encoding"), "gzip");
    assert_eq!(http.usage().total.answer_bytes, length);
    assert!(length < list.len() as u64 / 10);
}

#[tokio::test]
async fn who_wants_no_compression_can_say_so() {
    let server = Server::answering(|_, _| ok("7")).await;
    let http = Http::connect(endpoint(&server).header("accept-encoding", "identity")).unwrap();
    http.get("/x", &[]).json::<u8>().await.unwrap();
    assert_eq!(server.received()[0].header("accept-encoding"), "identity");
}

#[tokio::test]
async fn a_damaged_compression_is_asked_for_again_and_one_that_nobody_asked_for_is_not() {
    let whole = zipped(b"[1, 2, 3]");
    let server = Server::answering(move |number, request| match (request.path.as_str(), number) {
        ("/brotli", _) => encoded("200 OK", "br", b"[1]"),
        (_, 0) => encoded("200 OK", "gzip", &whole[..whole.len() - 9]),
        (_, 1) => encoded("200 OK", "gzip", b"<h1>Sorry</h1>"),
        _ => encoded("200 OK", "gzip", &whole),
    })
    .await;
    let http = client(&server);
    assert_eq!(http.get("/x", &[]).json::<Vec<u8>>().await.unwrap(), [1, 2, 3]);
    assert_eq!(http.usage().total.retries, 2);
    let error = http.get("/brotli", &[]).json::<Vec<u8>>().await.unwrap_err();
    assert_eq!((error.kind, error.attempts()), (ProviderErrorKind::Unexpected, 1));
    assert!(error.to_string().ends_with("the body is compressed as `br`, which was not requested"), "{error}");
}

#[tokio::test]
async fn the_limit_is_that_of_the_body_and_not_of_what_travelled() {
    let bomb = zipped(format!("\"{}\"", "0".repeat(1 << 20)).as_bytes());
    assert!(bomb.len() < 2_000);
    let server = Server::answering(move |_, _| encoded("200 OK", "gzip", &bomb)).await;
    let http = Http::connect(endpoint(&server).largest_body(100_000)).unwrap();
    let error = http.get("/x", &[]).json::<String>().await.unwrap_err();
    assert_eq!(error.attempts(), 1);
    assert!(error.to_string().ends_with("the body is larger than the limit of 100000 bytes"), "{error}");
}

#[tokio::test]
async fn an_error_that_comes_compressed_is_understood_and_a_damaged_one_is_its_status() {
    let server = Server::answering(|_, request| {
        let body = zipped(br#"{"id": "forbidden", "message": "Not for you."}"#);
        let damaged = request.path == "/damaged";
        encoded("403 Forbidden", "gzip", if damaged { &body[..15] } else { &body })
    })
    .await;
    let http = client(&server);
    let error = http.get("/x", &[]).json::<u8>().await.unwrap_err();
    assert_eq!(error.kind, ProviderErrorKind::Authorization);
    assert!(error.to_string().contains("Not for you."), "{error}");
    let error = http.get("/damaged", &[]).json::<u8>().await.unwrap_err();
    assert_eq!((error.kind, error.attempts()), (ProviderErrorKind::Authorization, 1));
}
