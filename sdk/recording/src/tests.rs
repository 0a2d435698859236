//! Recordings of this SDK and of other tools, written and read again without a network.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use jiff::Timestamp;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tempfile::TempDir;

use integration_graph::redact::Redaction;
use integration_graph::secrets::SecretKind;
use integration_http::{
    Endpoint, Http, ProviderError, ProviderErrorKind, RangePagination, TransportError, WireRequest, WireResponse,
};

use super::recorder::ExchangeWriter;
use super::replay::ReplayTransport;
use super::scrub::{Outcome, Times};
use super::*;

mod preferred;
mod transports;

fn folder() -> TempDir {
    tempfile::tempdir().unwrap()
}

/// Returns an endpoint without a server, so that every response is a recorded one.
fn endpoint(base: &str) -> Endpoint {
    Endpoint::new(base.parse().unwrap())
}

fn nowhere() -> Endpoint {
    endpoint("https://api.nowhere.invalid")
}

fn asked(path: &str, range: Option<&'static str>) -> WireRequest {
    let mut headers = HeaderMap::new();
    if let Some(range) = range {
        headers.insert("range", HeaderValue::from_static(range));
    }
    let url = format!("https://api.nowhere.invalid{path}").parse().unwrap();
    WireRequest::new(Method::GET, url).with_headers(headers)
}

fn answer(status: u16, headers: &[(&'static str, &'static str)], body: impl Into<Vec<u8>>) -> Outcome {
    let headers = headers.iter().map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)));
    let response = WireResponse::new(StatusCode::from_u16(status).unwrap(), body);
    Ok(response.with_headers(headers.collect()))
}

fn writer(recorder: &Recorder) -> ExchangeWriter {
    recorder.exchanges(&nowhere(), &Redaction::default())
}

fn record(folder: &Path, exchanges: impl IntoIterator<Item = (WireRequest, Outcome)>) -> Recorder {
    let recorder = Recorder::open(folder, RecordOptions::default()).unwrap();
    let writer = writer(&recorder);
    let times = Times { sent: Timestamp::UNIX_EPOCH, took: Duration::from_millis(20) };
    exchanges.into_iter().for_each(|(asked, outcome)| write(&writer, &asked, &outcome, times));
    recorder
}

fn write(writer: &ExchangeWriter, asked: &WireRequest, outcome: &Outcome, times: Times) {
    writer.write(writer.request(asked), outcome, times);
}

fn broken() -> Outcome {
    Err(TransportError::Connection("the connection broke (reset)".into()))
}

/// Returns the recorded outcomes, regardless of their size in memory.
struct Player(ReplayTransport);

impl Player {
    fn of(replay: &Replay) -> Self {
        Self(replay.transport(&nowhere().largest_body(1 << 20), &Redaction::default()))
    }

    fn answer(&self, asked: &WireRequest) -> Outcome {
        self.0.respond(asked, |_| Ok(()))
    }
}

/// Creates a client that receives all responses from a recording.
fn connect(replay: &Replay, endpoint: Endpoint) -> Http {
    Http::connect_with(endpoint, replay, &Redaction::default()).unwrap()
}

fn player(folder: &Path) -> Player {
    Player::of(&Replay::open(folder).unwrap())
}

fn told(outcome: Outcome) -> String {
    match outcome {
        Ok(WireResponse { status, body, .. }) => format!("{} {}", status.as_u16(), String::from_utf8_lossy(&body)),
        Err(TransportError::Connection(why)) => format!("broken: {why}"),
        Err(TransportError::TooLarge) => "too large".into(),
        Err(miss) => miss.to_string(),
    }
}

/// Writes a HAR file as another tool writes it.
fn har(folder: &Path, name: &str, entries: &Value) {
    let whole = json!({"log": {"_recordingName": "a/b", "version": "1.2", "pages": [], "entries": entries}});
    fs::write(folder.join(name), serde_json::to_vec_pretty(&whole).unwrap()).unwrap();
}

fn entry(url: &str, response: Value) -> Value {
    json!({"startedDateTime": "2026-01-01T00:00:00Z", "time": null, "cache": {},
           "request": {"method": "GET", "url": url, "headers": [], "headersSize": -1}, "response": response})
}

fn ok(text: &str) -> Value {
    json!({"status": 200, "headers": [], "content": {"text": text}})
}

async fn get(http: &Http, path: &str) -> Result<Value, ProviderError> {
    http.get(path, &[]).json().await
}

fn gzip(text: &str) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn what_was_heard_is_heard_again() {
    let folder = folder();
    let exchanges = [
        (asked("/teams", None), answer(200, &[("next-range", "]a..;"), ("x-a", "1"), ("x-a", "2")], "[{\"id\":1.50}]")),
        (asked("/teams", Some("]a..;")), answer(206, &[], "[]")),
        (asked("/apps?b=2&a=1", None), answer(503, &[], "<h1>down</h1>")),
        (asked("/bytes", None), answer(200, &[], b"\xff\xfe\x00".to_vec())),
        (asked("/broken", None), broken()),
        (asked("/large", None), Err(TransportError::TooLarge)),
    ];
    let recorded = record(folder.path(), exchanges).finish().unwrap();
    assert_eq!((recorded.exchanges, recorded.files), (6, 1));
    let player = player(folder.path());
    let Ok(WireResponse { headers, .. }) = player.answer(&asked("/teams", None)) else { panic!("an answer") };
    assert_eq!(headers.get_all("x-a").iter().collect::<Vec<_>>(), ["1", "2"]);
    assert_eq!(headers["next-range"], "]a..;");
    let again = |path: &str, range| told(player.answer(&asked(path, range)));
    assert_eq!(again("/teams", None), "200 [{\"id\":1.50}]");
    assert_eq!(again("/teams", Some("]a..;")), "206 []");
    assert_eq!(again("/apps?a=1&b=2", None), "503 <h1>down</h1>");
    assert!(matches!(player.answer(&asked("/bytes", None)), Ok(WireResponse { body, .. }) if body == b"\xff\xfe\x00"));
    assert_eq!(again("/broken", None), "broken: the connection broke (reset)");
    assert_eq!(again("/large", None), "too large");
}

#[test]
fn equal_requests_are_answered_in_their_order_then_by_the_last_and_for_each_client_anew() {
    let folder = folder();
    let bodies = ["1", "2", "3"].map(|body| (asked("/turn", None), answer(200, &[], body)));
    record(folder.path(), bodies);
    let replay = Replay::open(folder.path()).unwrap();
    for _ in 0..2 {
        let player = Player::of(&replay);
        let turns = (0..5).map(|_| told(player.answer(&asked("/turn", None)))).collect::<Vec<_>>();
        assert_eq!(turns, ["200 1", "200 2", "200 3", "200 3", "200 3"]);
    }
}

#[test]
fn a_file_is_whole_after_every_exchange() {
    let folder = folder();
    let recorder = Recorder::open(folder.path(), RecordOptions::default()).unwrap();
    let writer = writer(&recorder);
    for count in 0..4 {
        let text = fs::read_to_string(folder.path().join("recording-00001.har")).unwrap();
        let whole: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(whole["log"]["entries"].as_array().map(Vec::len), Some(count));
        let times = Times { sent: Timestamp::UNIX_EPOCH, took: Duration::ZERO };
        write(&writer, &asked("/teams", None), &answer(200, &[], "[]"), times);
    }
}

#[test]
fn a_recording_that_is_cut_off_anywhere_replays_what_it_has_or_says_what_is_wrong() {
    let folder = folder();
    let exchanges = ["/1", "/2", "/3"].map(|path| (asked(path, None), answer(200, &[], "{\"at\":\"ä\"}")));
    record(folder.path(), exchanges);
    let path = folder.path().join("recording-00001.har");
    let whole = fs::read(&path).unwrap();
    let mut kept = std::collections::BTreeSet::new();
    for length in 0..whole.len() - 1 {
        fs::write(&path, &whole[..length]).unwrap();
        match Replay::open(folder.path()) {
            Ok(replay) => {
                let [damage] = replay.damaged() else { panic!("cut at {length}") };
                assert_eq!(damage.exchanges, replay.exchanges());
                kept.insert(damage.exchanges);
                let player = Player::of(&replay);
                assert_eq!(told(player.answer(&asked("/1", None))), "200 {\"at\":\"ä\"}");
                let miss = told(player.answer(&asked("/4", None)));
                assert!(miss.contains("(recording-00001.har is damaged)"), "{miss}");
            }
            Err(error) => {
                assert!(error.to_string().contains("recording-00001.har is damaged after 0 exchanges"), "{error}");
            }
        }
    }
    assert_eq!(kept.into_iter().collect::<Vec<_>>(), [1, 2, 3]);
}

#[test]
fn a_folder_with_recordings_is_added_to_only_when_asked() {
    let folder = folder();
    record(folder.path(), [(asked("/1", None), answer(200, &[], "1"))]);
    let refused = Recorder::open(folder.path(), RecordOptions::default()).unwrap_err();
    assert!(refused.to_string().contains("already contains recordings"), "{refused}");
    let options = RecordOptions { append: true, ..RecordOptions::default() };
    let recorder = Recorder::open(folder.path(), options).unwrap();
    let times = Times { sent: Timestamp::UNIX_EPOCH, took: Duration::ZERO };
    write(&writer(&recorder), &asked("/2", None), &answer(200, &[], "2"), times);
    let player = player(folder.path());
    let both = ["/1", "/2"].map(|path| told(player.answer(&asked(path, None))));
    assert_eq!(both, ["200 1", "200 2"]);
}

#[test]
fn addresses_in_requests_meet_recordings_with_pseudonyms_and_without() {
    let folder = folder();
    let times = Times { sent: Timestamp::UNIX_EPOCH, took: Duration::ZERO };
    let add = |options, path, body| {
        let recorder = Recorder::open(folder.path(), options).unwrap();
        write(&writer(&recorder), &asked(path, None), &answer(200, &[], body), times);
    };
    let append = RecordOptions { append: true, ..RecordOptions::default() };
    add(RecordOptions::default(), "/people/ada@acme.com", "\"plain\"");
    add(RecordOptions { pseudonymise_emails: true, append: true }, "/people/bob@acme.com", "\"by bob@acme.com\"");
    add(append, "/people/eve@acme.com", "\"by eve@acme.com\"");
    let player = player(folder.path());
    let again =
        ["ada", "bob", "eve"].map(|name| told(player.answer(&asked(&format!("/people/{name}@acme.com"), None))));
    assert_eq!(again[0], "200 \"plain\"");
    assert!(again[1].starts_with("200 \"by person-") && again[2].starts_with("200 \"by person-"), "{again:?}");
}

#[test]
fn a_folder_without_recordings_and_a_file_of_something_else_are_named() {
    let folder = folder();
    let nothing = Replay::open(folder.path()).unwrap_err();
    assert!(
        nothing.to_string().ends_with("contains no recorded exchange: expected .har files with entries"),
        "{nothing}"
    );
    fs::write(folder.path().join("a.har"), "{\"log\": 1}").unwrap();
    let other = Replay::open(folder.path()).unwrap_err().to_string();
    assert!(other.contains("a.har is not a HAR file: ") && other.contains("an object with `entries`"), "{other}");
    fs::write(folder.path().join("a.har"), "{\"entries\": []}").unwrap();
    let other = Replay::open(folder.path()).unwrap_err().to_string();
    assert!(other.ends_with("it has no list `log.entries`"), "{other}");
}

#[tokio::test]
async fn recordings_of_polly_are_replayed() {
    let folder = folder();
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let array = |pieces: Vec<String>| serde_json::to_string(&pieces).unwrap();
    let (apps, addons) = (gzip("[{\"id\":\"app\"}]"), gzip("[{\"id\":\"addon\"}]"));
    let compressed = json!([{"name": "Content-Encoding", "value": "gzip", "_fromType": "array"}]);
    let hexadecimal = json!({"text": array(apps.chunks(9).map(hex).collect()), "_isBinary": true});
    let base64 = json!({"text": array(addons.chunks(9).map(|piece| BASE64_STANDARD.encode(piece)).collect()), "encoding": "base64"});
    let rewritten = json!({"text": "{\"id\":\"me\"}", "encoding": "utf-8", "size": 11, "mimeType": "application/json"});
    let numbered = |order: i64, text: &str| {
        let mut entry = entry("https://api.heroku.com/turn", ok(text));
        entry["_order"] = order.into();
        entry
    };
    let entries = json!([
        entry("https://api.heroku.com/apps", json!({"status": 200, "headers": compressed, "content": hexadecimal})),
        entry("https://api.heroku.com/addons", json!({"status": 200, "headers": compressed, "content": base64})),
        entry("https://api.heroku.com/account", json!({"status": 200, "headers": [], "content": rewritten})),
        numbered(1, "\"later\""),
        numbered(0, "\"sooner\""),
    ]);
    fs::create_dir_all(folder.path().join("__recordings__/all_1234")).unwrap();
    har(folder.path(), "__recordings__/all_1234/recording.har", &entries);
    let http = connect(&Replay::open(folder.path()).unwrap(), nowhere());
    assert_eq!(get(&http, "/apps").await.unwrap(), json!([{"id": "app"}]));
    assert_eq!(get(&http, "/addons").await.unwrap(), json!([{"id": "addon"}]));
    assert_eq!(get(&http, "/account").await.unwrap(), json!({"id": "me"}));
    assert_eq!(get(&http, "/turn").await.unwrap(), "sooner");
    assert_eq!(get(&http, "/turn").await.unwrap(), "later");
    // The other client sent no range, but its response is the same list.
    let listing = http.get("/apps", &[]).ranges::<Value>(RangePagination { order_by: "id", max: 1_000 });
    let listed: Vec<_> = futures::TryStreamExt::try_collect(listing).await.unwrap();
    assert_eq!(listed.len(), 1);
}

#[tokio::test]
async fn recordings_of_browsers_are_replayed() {
    let folder = folder();
    let headers = json!([{"name": ":status", "value": "200"}, {"name": "content-encoding", "value": "br"}]);
    let plain = json!({"text": "[1]", "mimeType": "application/json", "compression": -4});
    let base64 = json!({"text": BASE64_STANDARD.encode("[\"ü\"]"), "encoding": "base64"});
    let entries = json!([
        entry("data:image/png;base64,AAAA", json!({"status": 200})),
        entry("https://cdn.example.net/api/v2/plain", ok("\"of another host\"")),
        entry("https://app.example.com/api/v2/plain", json!({"status": 200, "headers": headers, "content": plain})),
        entry("https://app.example.com/api/v2/base64", json!({"status": 200, "headers": headers, "content": base64})),
        entry("https://app.example.com/api/v2/lost", json!({"status": 200, "headers": [], "content": {"size": 9}})),
        entry(
            "https://app.example.com/api/v2/failed",
            json!({"status": 0, "content": {}, "_error": "net::ERR_ABORTED"})
        ),
        "no exchange at all",
    ]);
    har(folder.path(), "browser.HAR", &entries);
    let replay = Replay::open(folder.path().join("browser.HAR")).unwrap();
    let http = connect(&replay, endpoint("https://app.example.com/api/v2"));
    assert_eq!(get(&http, "/plain").await.unwrap(), json!([1]));
    assert_eq!(get(&http, "/base64").await.unwrap(), json!(["ü"]));
    let lost = get(&http, "/lost").await.unwrap_err();
    assert_eq!(
        lost.to_string(),
        "GET /lost failed: its recorded response cannot be replayed: its body was not recorded"
    );
    let failed = get(&http, "/failed").await.unwrap_err();
    assert_eq!(failed.to_string(), "GET /failed failed: net::ERR_ABORTED (5 attempts)");
}

#[tokio::test]
async fn another_address_does_not_matter_unless_several_were_recorded() {
    let folder = folder();
    let entries = json!([
        entry("http://127.0.0.1:1234/api/teams", ok("[\"team\"]")),
        entry("http://127.0.0.1:1234/api/apps/1", ok("[\"app\"]")),
    ]);
    har(folder.path(), "one.har", &entries);
    for base in ["https://api.nowhere.invalid", "https://x.invalid/other/base/", "http://127.0.0.1:9/api"] {
        let http = connect(&Replay::open(folder.path()).unwrap(), endpoint(base));
        assert_eq!(get(&http, "/teams").await.unwrap(), json!(["team"]), "{base}");
        assert_eq!(get(&http, "/apps/1").await.unwrap(), json!(["app"]), "{base}");
    }
    har(folder.path(), "two.har", &json!([entry("https://b.example/teams", ok("[\"b\"]"))]));
    let replay = Replay::open(folder.path()).unwrap();
    let http = connect(&replay, nowhere());
    let several = get(&http, "/teams").await.unwrap_err().to_string();
    assert!(several.contains("several recorded hosts answer it (127.0.0.1:1234, b.example)"), "{several}");
    assert_eq!(get(&http, "/apps/1").await.unwrap(), json!(["app"]));
    let http = connect(&replay, endpoint("https://b.example"));
    assert_eq!(get(&http, "/teams").await.unwrap(), json!(["b"]));
    assert!(get(&http, "/apps/1").await.is_err(), "the requested host was recorded, but without this path");
}

#[tokio::test]
async fn an_unanswered_request_is_an_error_that_names_the_nearest_recorded_one() {
    let folder = folder();
    let exchanges = ["/teams/t-1/apps", "/teams/t-2/members", "/account"];
    record(folder.path(), exchanges.map(|path| (asked(path, Some("id ..; max=2")), answer(200, &[], "[]"))));
    let http = connect(&Replay::open(folder.path()).unwrap(), nowhere());
    let miss = get(&http, "/teams/t-2/apps").await.unwrap_err();
    assert_eq!(miss.kind, ProviderErrorKind::Unexpected);
    assert_eq!(
        miss.to_string(),
        "GET /teams/t-2/apps failed: no recording answers it; the nearest recorded request is GET /teams/t-1/apps with \
         Range `id ..; max=2`"
    );
    let page = http.get("/account", &[]).query("page", 2).header("Range", "id ]a..; max=2").json::<Value>().await;
    assert_eq!(
        page.unwrap_err().to_string(),
        "GET /account failed: no recording answers it with page=2 with Range `id ]a..; max=2`; the nearest recorded \
         request is GET /account with Range `id ..; max=2`"
    );
    let page = http.get("/account", &[]).header("Range", "id ]a..; max=2").json::<Value>().await.unwrap_err();
    let same = "with Range `id ]a..; max=2`; the nearest recorded request is the same with Range `id ..; max=2`";
    assert!(page.to_string().ends_with(same), "{page}");
    assert_eq!(http.usage().total.requests, 3, "a missing recording is not retried");
}

#[tokio::test]
async fn recorded_failures_are_met_again_without_their_pauses() {
    let folder = folder();
    let limited = || answer(429, &[("retry-after", "600")], "{\"id\":\"rate_limit\",\"message\":\"slow\"}");
    let forbidden = answer(403, &[], "{\"id\":\"forbidden\",\"message\":\"no\"}");
    let exchanges = [
        (asked("/teams", None), limited()),
        (asked("/teams", None), broken()),
        (asked("/teams", None), answer(200, &[], "[1]")),
        (asked("/secret", None), forbidden),
        (asked("/never", None), limited()),
    ];
    record(folder.path(), exchanges);
    let http = connect(&Replay::open(folder.path()).unwrap(), nowhere());
    let asked = async {
        assert_eq!(get(&http, "/teams").await.unwrap(), json!([1]));
        assert_eq!(get(&http, "/secret").await.unwrap_err().to_string(), "GET /secret answered 403 forbidden: \"no\"");
        assert_eq!(get(&http, "/never").await.unwrap_err().kind, ProviderErrorKind::RetriesExceeded);
    };
    tokio::time::timeout(Duration::from_secs(50), asked).await.expect("less than a single pause");
    assert_eq!(http.usage().total.retries, 2 + 9);
}

#[tokio::test]
async fn a_query_in_a_body_is_told_from_another() {
    let folder = folder();
    let entries = ["teams", "apps"].map(|query| {
        let sent = json!({"query": query});
        let text = serde_json::to_string_pretty(&sent).unwrap();
        let mut entry = entry("https://api.example.com/graphql", ok(&json!({"of": query}).to_string()));
        entry["request"]["method"] = "POST".into();
        entry["request"]["postData"] = json!({"mimeType": "application/json", "text": text, "params": []});
        entry
    });
    har(folder.path(), "graphql.har", &entries.into_iter().collect());
    let http = connect(&Replay::open(folder.path()).unwrap(), nowhere());
    for query in ["apps", "teams"] {
        let answer: Value = http.post("/graphql", &[], &json!({"query": query})).json().await.unwrap();
        assert_eq!(answer["of"], query);
    }
}

#[test]
fn credentials_in_recordings_of_whatever_origin_are_found_and_not_repeated() {
    let folder = folder();
    let secret = "01234567-89ab-cdef-0123-456789abcdef";
    let content =
        json!({"encoding": "base64", "text": BASE64_STANDARD.encode(gzip(&json!([{"token": secret}]).to_string()))});
    let headers = json!([{"name": "Set-Cookie", "value": "a=b"}, {"name": "content-encoding", "value": "gzip"}]);
    let mut leaky = entry(
        &format!("https://me:pass@h.example/?access_token={secret}"),
        json!({"status": 200, "headers": headers, "content": content}),
    );
    leaky["request"]["headers"] = json!([{"name": "Authorization", "value": format!("Bearer {secret}")}]);
    leaky["_initiator"] = "AKIAIOSFODNN7EXAMPLE".into();
    let clean = entry("https://h.example/?page_token=0123456789abcdef0123", ok("[{\"token\": \"[redacted]\"}]"));
    har(folder.path(), "leaky.har", &json!([clean, leaky]));
    fs::write(folder.path().join("cut.har"), "{\"log\":{\"entries\":[{\"x\":\"HRKU-AAbbCCddEEffGGhhIIjjKKll").unwrap();
    let found = find_secrets(folder.path()).unwrap();
    let told: Vec<_> = found.iter().map(|one| (one.exchange, one.place.as_str(), one.kind)).collect();
    assert_eq!(
        told,
        [
            (0, "outside of the exchanges", SecretKind::HerokuKey),
            (2, "_initiator", SecretKind::AwsKey),
            (2, "request.headers Authorization", SecretKind::SecretHeader),
            (2, "request.headers.0.value", SecretKind::Authorization),
            (2, "request.url", SecretKind::UrlPassword),
            (2, "request.url access_token", SecretKind::NamedSecret),
            (2, "response.content /0/token", SecretKind::NamedSecret),
            (2, "response.headers Set-Cookie", SecretKind::SecretHeader),
        ]
    );
    let shown: String = found.iter().map(|one| format!("{one} {one:?}")).collect();
    assert!(!shown.contains(secret) && !shown.contains("HRKU-") && !shown.contains("pass@"), "{shown}");
}

/// Returns variations of the exchange from the field, each with another oddity.
fn odd_entries() -> Vec<(&'static str, Value)> {
    let plain = || {
        let mut entry = entry("https://api.example.com/account", ok("{\"id\":\"01\"}"));
        entry["request"]["headers"] = json!([{"name": "content-length", "value": "0"}]);
        entry["response"]["content"]["size"] = 11.into();
        entry["response"]["bodySize"] = 11.into();
        entry
    };
    let with = |pointer: &str, value: Value| {
        let (parent, name) = pointer.rsplit_once('/').unwrap();
        let mut entry = plain();
        entry.pointer_mut(parent).unwrap()[name] = value;
        entry
    };
    let header = |value: Value| with("/request/headers", json!([{"name": "content-length", "value": value}]));
    vec![
        ("text", plain()),
        ("number", header(0.into())),
        ("fraction", header(0.5.into())),
        ("boolean", header(true.into())),
        ("null", header(Value::Null)),
        ("list", header(json!(["0"]))),
        ("object", header(json!({"type": "string", "value": "0"}))),
        ("pairs", with("/request/headers", json!([["content-length", 0]]))),
        ("headers null", with("/request/headers", Value::Null)),
        ("headers object", with("/response/headers", json!({"content-type": "application/json", "x": [1, 2]}))),
        ("status text", with("/response/status", "200".into())),
        ("status sentence", with("/response/status", "200 OK".into())),
        ("status float", with("/response/status", 200.0.into())),
        ("size text", with("/response/content/size", "11".into())),
        ("size float", with("/response/content/size", 11.5.into())),
        ("size null", with("/response/content/size", Value::Null)),
        ("order float", with("/_order", 0.0.into())),
        ("order text", with("/_order", "0".into())),
        ("error null", with("/response/_error", Value::Null)),
        ("error object", with("/response/_error", json!({"message": "x"}))),
        ("binary text", with("/response/content/_isBinary", "false".into())),
        ("encoding null", with("/response/content/encoding", Value::Null)),
        ("comment null", with("/response/content/comment", Value::Null)),
        ("post data null", with("/request/postData", Value::Null)),
        ("post data text", with("/request/postData", "".into())),
        ("post data empty", with("/request/postData", json!({}))),
        ("post data null text", with("/request/postData", json!({"mimeType": "", "text": null, "params": []}))),
        (
            "post data of a GET",
            with("/request/postData", json!({"params": [{"name": "a", "value": "1"}], "text": null})),
        ),
        ("content text", with("/response/content", "{\"id\":\"01\"}".into())),
        ("method null", with("/request/method", Value::Null)),
        ("method lower", with("/request/method", "get".into())),
    ]
}

#[tokio::test]
async fn exchanges_of_other_tools_are_read_whatever_the_types_of_their_values() {
    for (name, entry) in odd_entries() {
        let folder = folder();
        har(folder.path(), "a.har", &json!([entry]));
        let replay = Replay::open(folder.path()).unwrap();
        assert_eq!(replay.unreadable(), [], "{name}");
        let http = connect(&replay, nowhere());
        assert_eq!(get(&http, "/account").await.unwrap(), json!({"id": "01"}), "{name}");
    }
}

#[tokio::test]
async fn half_a_character_in_a_recording_does_no_harm() {
    let folder = folder();
    let text = r#"{"log":{"entries":[{"comment":"\ud83d","request":{"method":"GET","url":"https://h.example/a"},
        "response":{"status":200,"content":{"text":"\"Zo\\ud83d\""}}},
        {"request":{"method":"GET","url":"https://h.example/b"},"response":{"status":200,"content":{"text":"\"Zo\ud83d\""}}}]}}"#;
    fs::write(folder.path().join("a.har"), text).unwrap();
    let http = connect(&Replay::open(folder.path()).unwrap(), nowhere());
    assert_eq!(get(&http, "/a").await.unwrap(), "Zo\u{fffd}");
    assert_eq!(get(&http, "/b").await.unwrap(), "Zo\u{fffd}");
}

#[tokio::test]
async fn exchanges_that_cannot_be_read_are_counted_and_named() {
    let folder = folder();
    let entries = json!([7, entry("https://h.example/a", ok("1")), {"response": {}}, {"request": 5}]);
    har(folder.path(), "a.har", &entries);
    let replay = Replay::open(folder.path()).unwrap();
    let told: Vec<_> = replay.unreadable().iter().map(ToString::to_string).collect();
    assert_eq!(replay.exchanges(), 1);
    assert!(told[0].starts_with("exchange 1 of a.har cannot be read: it is not an exchange ("), "{told:?}");
    assert_eq!(told[1], "exchange 3 of a.har cannot be read: its request has no URL");
    assert_eq!(told.len(), 3);
    let miss = get(&connect(&replay, nowhere()), "/b").await.unwrap_err().to_string();
    assert!(miss.contains("3 recorded exchanges cannot be read"), "{miss}");
    har(folder.path(), "a.har", &json!([7]));
    let nothing = Replay::open(folder.path()).unwrap_err().to_string();
    assert!(nothing.contains("exchange 1 of a.har cannot be read"), "{nothing}");
}

#[tokio::test]
async fn a_list_recorded_in_one_order_answers_in_another_if_it_is_whole() {
    let ranged = |path: &str, range: &str, next: Option<&str>, text: &str| {
        let mut entry = entry(&format!("https://api.example.com{path}"), ok(text));
        entry["request"]["headers"] = json!([{"name": "range", "value": range}]);
        if let Some(next) = next {
            entry["response"]["status"] = 206.into();
            entry["response"]["headers"] = json!([{"name": "Next-Range", "value": next}]);
        }
        entry
    };
    let folder = folder();
    let entries = json!([
        ranged("/account", "id ..; max=1000", None, "{}"),
        ranged("/members", "id ..; max=1", Some("id ]a..; max=1"), "[\"a\"]"),
        ranged("/members", "id ]a..; max=1", None, "[\"b\"]"),
        ranged("/cut", "id ..; max=1", Some("id ]a..; max=1"), "[\"a\"]"),
    ]);
    har(folder.path(), "a.har", &entries);
    let http = connect(&Replay::open(folder.path()).unwrap(), nowhere());
    assert_eq!(get(&http, "/account").await.unwrap(), json!({}));
    let list = |path: &'static str| {
        let listing = http.get(path, &[]).ranges::<Value>(RangePagination { order_by: "email", max: 1_000 });
        futures::TryStreamExt::try_collect::<Vec<_>>(listing)
    };
    assert_eq!(list("/members").await.unwrap().len(), 2);
    assert!(list("/cut").await.unwrap_err().to_string().contains("no recording answers it"));
}

#[tokio::test]
async fn a_marked_parameter_that_another_tool_recorded_answers_all_the_same() {
    let folder = folder();
    har(folder.path(), "a.har", &json!([entry("https://h.example/x?drain=d-1&page=1", ok("1"))]));
    let mut redaction = Redaction::default();
    redaction.field("drain");
    let replay = Replay::open(folder.path()).unwrap();
    let http = Http::connect_with(nowhere(), &replay, &redaction).unwrap();
    let answer: Value = http.get("/x", &[]).query("drain", "d-2").query("page", 1).json().await.unwrap();
    assert_eq!(answer, 1);
    assert!(http.get("/x", &[]).query("drain", "d-2").query("page", 2).json::<Value>().await.is_err());
}
