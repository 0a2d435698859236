//! Probes, which check the access of the credentials.

use std::collections::BTreeSet;

use integration_testing::{Access, FakeProvider, ProviderOptions, RateBucket, Route};
use secrecy::SecretString;
use serde_json::json;

use super::super::testing_server::{Server, answer};
use super::super::{Endpoint, Http, ProviderErrorKind};
use super::client;

fn scopes(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

#[tokio::test]
async fn a_probe_tells_what_is_accepted_and_granted_whether_or_not_one_may_ask() {
    let routes = [
        Route::list("/teams", vec![json!({"id": "t1"})]).scopes(["read", "global"]),
        Route::list("/members", vec![json!({"id": "m1"})]).scopes(["global"]),
    ];
    let access = Access::token("t0ken", ["read"]);
    let rate = Some(RateBucket::new(100, 1.0));
    let provider =
        FakeProvider::start_with(routes, ProviderOptions { access, rate, ..ProviderOptions::default() }).await.unwrap();
    let endpoint = Endpoint::new(provider.url().parse().unwrap())
        .bearer(&SecretString::from("t0ken"))
        .accepted_scopes_header("Oauth-Scope-Accepted")
        .granted_scopes_header("Oauth-Scope")
        .rate_remaining_header("RateLimit-Remaining");
    let http = Http::connect(endpoint).unwrap();
    let teams = http.get("/teams", &[]).header("Range", "id ..; max=1").probe().await.unwrap();
    assert!(teams.is_allowed());
    assert_eq!((teams.status, teams.accepted_scopes), (200, scopes(&["global", "read"])));
    assert_eq!((teams.granted_scopes, teams.rate_remaining), (Some(scopes(&["read"])), Some(99)));
    let members = http.get("/members", &[]).probe().await.unwrap();
    assert!(!members.is_allowed());
    assert_eq!((members.status, members.accepted_scopes), (403, scopes(&["global"])));
    assert_eq!(members.granted_scopes, Some(scopes(&["read"])));
    assert_eq!(http.usage().total.requests, 2);
    provider.shutdown().await;
}

#[tokio::test]
async fn a_probe_reads_no_body_and_takes_every_final_answer() {
    for status in ["200 OK", "304 Not Modified", "401 Unauthorized", "404 Not Found", "422 Unprocessable Entity"] {
        let server = Server::answering(move |_, _| answer(status, &[], "")).await;
        let probe = client(&server).get("/x", &[]).probe().await.unwrap();
        assert!(status.starts_with(&probe.status.to_string()));
        assert_eq!((probe.accepted_scopes.len(), probe.granted_scopes, probe.rate_remaining), (0, None, None));
        assert_eq!(server.paths().len(), 1);
    }
}

#[tokio::test]
async fn a_probe_that_meets_only_failures_of_the_moment_is_an_error() {
    let server = Server::answering(|_, _| answer("503 Service Unavailable", &[], "")).await;
    let error = client(&server).get("/x", &[]).probe().await.unwrap_err();
    assert_eq!((error.kind, error.attempts()), (ProviderErrorKind::RetriesExceeded, 3));
}
