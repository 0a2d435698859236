//! Single requests and their responses.

use serde_json::{Value, json};

use super::super::testing_server::{Reply, Server, answer, ok};
use super::super::{Http, ProviderError, ProviderErrorKind};
use super::{TOKEN, Team, client, endpoint};
use integration_graph::run::ErrorCode;

async fn error_of(status: &'static str, headers: &'static [(&str, &str)], body: &'static str) -> ProviderError {
    let server = Server::answering(move |_, _| answer(status, headers, body)).await;
    let error = client(&server).get("/teams/{id}/members", &[&"01234"]).json::<Value>().await.unwrap_err();
    assert!(!format!("{error} {error:?}").contains(TOKEN));
    error
}

#[tokio::test]
async fn a_request_carries_the_endpoints_headers_and_its_own() {
    let server = Server::answering(|_, _| ok(r#"{"id":"t1"}"#)).await;
    let http = Http::connect(endpoint(&server).header("Accept", "application/vnd.heroku+json; version=3")).unwrap();
    let team: Team =
        http.get("/teams/{id}", &[&"t1"]).header("X-Mine", "yes").query("a b", "c&d").json().await.unwrap();
    assert_eq!(team.id, "t1");
    let received = &server.received()[0];
    assert_eq!((received.method.as_str(), received.path.as_str()), ("GET", "/teams/t1?a+b=c%26d"));
    assert_eq!(received.header("authorization"), format!("Bearer {TOKEN}"));
    assert_eq!(received.header("accept"), "application/vnd.heroku+json; version=3");
    assert_eq!(received.header("user-agent"), "integration-test/1");
    assert_eq!(received.header("x-mine"), "yes");
}

#[tokio::test]
async fn an_argument_stays_within_its_segment_and_below_the_base() {
    let server = Server::answering(|_, _| ok("1")).await;
    let http = Http::connect(super::super::Endpoint::new(server.url("/api/v1/"))).unwrap();
    http.get("/teams/{id}/apps", &[&"../a?b#c%2F/ü"]).json::<u8>().await.unwrap();
    assert_eq!(server.paths(), ["/api/v1/teams/..%2Fa%3Fb%23c%252F%2F%C3%BC/apps"]);
    assert_eq!(http.usage().endpoints.keys().collect::<Vec<_>>(), ["GET /teams/{id}/apps"]);
}

#[tokio::test]
async fn a_request_that_cannot_be_asked_is_an_error_and_not_sent() {
    let server = Server::answering(|_, _| ok("1")).await;
    let http = client(&server);
    let error = http.get("/teams/{id}/apps", &[&".."]).json::<u8>().await.unwrap_err();
    assert_eq!((error.kind, error.attempts()), (ProviderErrorKind::Unexpected, 0));
    assert!(error.to_string().starts_with("GET /teams/{id}/apps failed: it cannot be sent"), "{error}");
    http.get("/teams", &[]).header("X-Mine", "a\nb").json::<u8>().await.unwrap_err();
    assert_eq!(server.paths(), Vec::<String>::new());
}

#[tokio::test]
async fn a_post_carries_json() {
    let server = Server::answering(|_, _| ok("{}")).await;
    client(&server).post("/graphql", &[], &json!({"query": "{me}"})).json::<Value>().await.unwrap();
    let received = &server.received()[0];
    assert_eq!((received.method.as_str(), received.body.as_str()), ("POST", r#"{"query":"{me}"}"#));
    assert_eq!(received.header("content-type"), "application/json");
}

#[tokio::test]
async fn bytes_are_sent_as_they_are_and_the_body_of_the_response_does_not_matter() {
    let bodies = ["", "no JSON", "{}"];
    let server = Server::answering(move |number, _| ok(bodies[number])).await;
    for _ in bodies {
        client(&server).post_bytes("/upload", &[], "application/json", b"[1 ]".to_vec()).done().await.unwrap();
    }
    let received = server.received();
    assert!(received.iter().all(|request| request.body == "[1 ]" && request.method == "POST"));
    assert_eq!((received.len(), received[0].header("content-type")), (3, "application/json"));
}

#[tokio::test]
async fn an_endpoint_without_redirects_sends_nothing_to_the_new_address() {
    let moved = ["301 Moved Permanently", "302 Found", "303 See Other", "307 Temporary Redirect"];
    let server = Server::answering(move |number, _| answer(moved[number], &[("location", "/here")], "")).await;
    let http = Http::connect(endpoint(&server).without_redirects()).unwrap();
    for status in [301, 302, 303, 307] {
        let refused = http.post_bytes("/upload", &[], "text/plain", b"x".to_vec()).done().await.unwrap_err();
        assert_eq!(refused.status(), Some(status));
    }
    assert_eq!(server.paths(), ["/upload"; 4]);
}

#[tokio::test]
async fn an_answer_can_be_kept_beside_what_was_read_from_it() {
    let server = Server::answering(|_, _| ok(r#"{"id":"t1","more":[1]}"#)).await;
    let item = client(&server).get("/teams/{id}", &[&"t1"]).item::<Team>().await.unwrap();
    assert_eq!(item.id, "t1");
    assert_eq!(item.into_parts().1.to_value().unwrap(), json!({"id": "t1", "more": [1]}));
}

#[tokio::test]
async fn a_request_can_be_awaited_in_a_task_of_its_own() {
    let server = Server::answering(|_, _| ok("7")).await;
    let http = client(&server);
    let task = tokio::spawn(async move {
        let id = String::from("t1");
        http.get("/teams/{id}", &[&id]).json::<u8>().await
    });
    assert_eq!(task.await.unwrap().unwrap(), 7);
}

#[tokio::test]
async fn a_missing_scope_is_an_authorization_error_that_names_it() {
    let headers = &[("Request-Id", "1a2b"), ("Oauth-Scope-Accepted", "global, identity")];
    let body = r#"{"id":"forbidden","message":"You do not have access\r\nto the team."}"#;
    let error = error_of("403 Forbidden", headers, body).await;
    assert_eq!((error.kind, error.code()), (ProviderErrorKind::Authorization, ErrorCode::ProviderAuthorization));
    assert_eq!(
        error.to_string(),
        "GET /teams/01234/members answered 403 forbidden: \"You do not have access to the team.\" \
         (accepts scopes: global, identity; request 1a2b)"
    );
    assert_eq!((error.method(), error.endpoint()), (Some("GET"), Some("/teams/01234/members")));
    assert_eq!((error.status(), error.request_id()), (Some(403), Some("1a2b")));
    assert_eq!((error.provider_code(), error.attempts()), (Some("forbidden"), 1));
    assert_eq!(error.accepted_scopes(), ["global", "identity"]);
}

#[tokio::test]
async fn refusals_are_told_apart_and_never_asked_again() {
    for (status, kind, code) in [
        ("400 Bad Request", ProviderErrorKind::Rejected, ErrorCode::ProviderApi),
        ("401 Unauthorized", ProviderErrorKind::Authentication, ErrorCode::ProviderAuthentication),
        ("402 Payment Required", ProviderErrorKind::Authorization, ErrorCode::ProviderAuthorization),
        ("404 Not Found", ProviderErrorKind::NotFound, ErrorCode::ProviderApi),
        ("410 Gone", ProviderErrorKind::Gone, ErrorCode::ProviderApi),
        ("422 Unprocessable Entity", ProviderErrorKind::Rejected, ErrorCode::ProviderApi),
    ] {
        let error = error_of(status, &[], "{}").await;
        assert_eq!((error.kind, error.code(), error.attempts()), (kind, code, 1), "{status}");
        assert_eq!(error.to_string(), format!("GET /teams/01234/members answered {status}"));
    }
}

#[tokio::test]
async fn a_secret_that_the_provider_repeats_is_not_passed_on() {
    let error =
        error_of("401 Unauthorized", &[], r#"{"id":"unauthorized","message":"no such key: s3cret-t0ken"}"#).await;
    assert_eq!(error.provider_message(), Some("no such key: [secret]"));
}

#[tokio::test]
async fn a_page_of_html_is_not_quoted() {
    let error = error_of("400 Bad Request", &[("content-type", "text/html")], "<html><h1>nginx</h1></html>").await;
    assert_eq!(error.to_string(), "GET /teams/01234/members answered 400 Bad Request");
}

#[tokio::test]
async fn the_query_is_in_no_error() {
    let server = Server::answering(|_, _| answer("404 Not Found", &[], "")).await;
    let error = client(&server).get("/teams", &[]).query("key", "hidden").json::<Value>().await.unwrap_err();
    assert_eq!(error.to_string(), "GET /teams answered 404 Not Found");
    assert!(!format!("{error:?}").contains("hidden"));
}

#[tokio::test]
async fn a_refusal_whose_body_breaks_off_is_the_refusal() {
    let server =
        Server::answering(|_, _| Reply::Cut(b"HTTP/1.1 404 Not Found\r\ncontent-length: 99\r\n\r\n{".to_vec())).await;
    let error = client(&server).get("/teams", &[]).json::<Value>().await.unwrap_err();
    assert_eq!((error.kind, error.attempts()), (ProviderErrorKind::NotFound, 1));
}

#[tokio::test]
async fn an_answer_that_does_not_fit_names_the_field_and_hides_its_value() {
    let server = Server::answering(|_, _| ok(r#"{"owner":{"age":"hidden"}}"#)).await;
    #[derive(Debug, serde::Deserialize)]
    struct Owner {
        #[serde(rename = "age")]
        _age: u8,
    }
    #[derive(Debug, serde::Deserialize)]
    struct App {
        #[serde(rename = "owner")]
        _owner: Owner,
    }
    let error = client(&server).get("/app", &[]).json::<App>().await.unwrap_err();
    assert_eq!((error.kind, error.attempts()), (ProviderErrorKind::Unexpected, 1));
    let text = error.to_string();
    assert!(
        text.starts_with("GET /app did not answer as expected: the body does not fit: `owner.age`: invalid type"),
        "{text}"
    );
    assert!(!text.contains("hidden"), "{text}");
}

#[tokio::test]
async fn a_character_split_over_two_chunks_is_one_character() {
    let head = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n".to_vec();
    let script = move |_: usize, _: &_| {
        let pieces = [&b"2\r\n\"\xc3\r\n"[..], b"2\r\n\xbc\"\r\n", b"0\r\n\r\n"].map(<[u8]>::to_vec);
        Reply::Pieces([head.clone()].into_iter().chain(pieces).collect())
    };
    let server = Server::answering(script).await;
    assert_eq!(client(&server).get("/x", &[]).json::<String>().await.unwrap(), "ü");
}

#[tokio::test]
async fn an_answer_without_content_is_null() {
    let server = Server::answering(|_, _| Reply::Pieces(vec![b"HTTP/1.1 204 No Content\r\n\r\n".to_vec()])).await;
    client(&server).get("/x", &[]).json::<()>().await.unwrap();
}

#[tokio::test]
async fn a_redirect_within_the_host_is_followed_and_one_elsewhere_is_not() {
    let elsewhere = Server::answering(|_, _| ok("1")).await;
    let target = elsewhere.url("/stolen").to_string();
    let server = Server::answering(move |_, request| match request.path.as_str() {
        "/moved" => answer("302 Found", &[("location", "/here")], ""),
        "/away" => answer("302 Found", &[("location", &target)], ""),
        "/round" => answer("302 Found", &[("location", "/round")], ""),
        "/unchanged" => answer("304 Not Modified", &[], ""),
        _ => ok("1"),
    })
    .await;
    let http = client(&server);
    http.get("/moved", &[]).json::<u8>().await.unwrap();
    assert_eq!(server.received()[1].header("authorization"), format!("Bearer {TOKEN}"));
    let error = http.get("/away", &[]).json::<u8>().await.unwrap_err();
    assert_eq!(error.to_string(), "GET /away answered 302 Found, a redirect that is not followed");
    assert_eq!(error.kind, ProviderErrorKind::Unexpected);
    assert_eq!(elsewhere.connections(), 0);
    let error = http.get("/unchanged", &[]).json::<u8>().await.unwrap_err().to_string();
    assert!(error.contains("304 Not Modified") && !error.contains("redirect"), "{error}");
    assert_eq!(http.get("/round", &[]).json::<u8>().await.unwrap_err().status(), Some(302));
}
